/* Where a linked program's attributes and uniforms are: all of them in one answer. And what stands
 * for places that no driver may be asked about (`guard` in codegen/policy/host.csv). */
#include "host/gles/hgl.h"

#include "host/gles2_hand.h"
#include "host/glesx_hand.h"

#include <string.h>

/* Two kinds, in this order. Name and size: glGetProgramiv's. */
static const struct {
    GLenum count, longest;
} kinds[] = {
    {GL_ACTIVE_ATTRIBUTES, GL_ACTIVE_ATTRIBUTE_MAX_LENGTH},
    {GL_ACTIVE_UNIFORMS, GL_ACTIVE_UNIFORM_MAX_LENGTH},
};

/* More than any driver links: what one says is bounded all the same. */
#define ENTRIES_MAX 65536

struct table {
    uint8_t *data;
    uint32_t room;
    uint32_t size; /* of all entries, also of those that are not in data */
};

/* {u32 kind, i32 location, u32 size, `size` bytes of name with its NUL, zeros up to 4} */
static void put(struct table *t, uint32_t kind, GLint location, const char *name)
{
    uint32_t size = (uint32_t)strlen(name) + 1, all = 12 + (size + 3) / 4 * 4;
    if (t->size <= t->room && all <= t->room - t->size) {
        uint8_t *p = t->data + t->size;
        sl_store_u32(p, kind);
        sl_store_u32(p + 4, (uint32_t)location);
        sl_store_u32(p + 8, size);
        memcpy(p + 12, name, size);
    }
    t->size += all;
}

static void put_kind(struct hr_call *call, GLuint program, uint32_t kind, struct table *t)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    GLint count = 0, longest = 0;
    gl->GetProgramiv(program, kinds[kind].count, &count);
    gl->GetProgramiv(program, kinds[kind].longest, &longest);
    char *name =
        count > 0 && longest > 0 ? sl_arena_get(call->in.arena, (size_t)longest + 1) : NULL;
    for (GLint i = 0; name != NULL && i < count && i < ENTRIES_MAX; i++) {
        GLint elements = 0;
        GLenum type = 0;
        GLsizei length = 0;
        (kind == 0 ? gl->GetActiveAttrib : gl->GetActiveUniform)(program, (GLuint)i, longest,
                                                                 &length, &elements, &type, name);
        if (length > 0 && length < longest) {
            name[length] = '\0';
            put(t, kind,
                kind == 0 ? gl->GetAttribLocation(program, name)
                          : gl->GetUniformLocation(program, name),
                name);
        }
    }
}

void hgl_glGetLocationsSLUICE(struct hr_call *call, const struct glesx_args_glGetLocationsSLUICE *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct table t = {.data = a->table, .room = a->table_size};
    GLint linked = GL_FALSE;
    if (hgl_state_of(call) == NULL) {
        return;
    }
    if (gl->IsProgram(a->program)) {
        gl->GetProgramiv(a->program, GL_LINK_STATUS, &linked);
    }
    for (uint32_t kind = 0; linked && kind < 2; kind++) {
        put_kind(call, a->program, kind, &t);
    }
    sl_store_u32(a->needed, linked ? t.size : UINT32_MAX);
}

/* Does one of the uniforms that have a location, arrays with an element at each, stand there? */
static bool has_value(struct hr_call *call, GLuint program, GLint location)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    GLint count = 0, longest = 0;
    gl->GetProgramiv(program, GL_ACTIVE_UNIFORMS, &count);
    gl->GetProgramiv(program, GL_ACTIVE_UNIFORM_MAX_LENGTH, &longest);
    char *name =
        count > 0 && longest > 0 ? sl_arena_get(call->in.arena, (size_t)longest + 1) : NULL;
    for (GLint i = 0; name != NULL && i < count && i < ENTRIES_MAX; i++) {
        GLint elements = 0;
        GLenum type = 0;
        name[0] = '\0';
        gl->GetActiveUniform(program, (GLuint)i, longest, NULL, &elements, &type, name);
        GLint first = gl->GetUniformLocation(program, name);
        if (first >= 0 && location >= first && location - first < elements) {
            return true;
        }
    }
    return false;
}

int32_t hgl_read_location(struct hr_call *call, uint32_t program, int32_t location)
{
    const struct hgl_api *api = hgl_api_of(call);
    GLint linked = GL_FALSE;
    if (api->state == NULL || location < 0 || !api->gl->IsProgram(program)) {
        return location;
    }
    api->gl->GetProgramiv(program, GL_LINK_STATUS, &linked);
    return linked && has_value(call, program, location) ? location : -1;
}

uint32_t hgl_first(struct hr_call *call, uint32_t first, int32_t count)
{
    (void)call;
    return count > 0 && first > UINT32_MAX - (uint32_t)count ? UINT32_MAX - (uint32_t)count : first;
}

/* A binary is of a shader that was never written anew (hgl_clamp.h): without a byte it is not
 * linked, which programs expect of those that another version of a driver has made. */
int32_t hgl_binary_length(struct hr_call *call, int32_t length)
{
    return hgl_api_of(call)->ring->clamps && length > 0 ? 0 : length;
}
