/* Programs as they are linked: what a snapshot cannot ask of the driver. */
#include "host/gles/hgl_group.h"

#include "host/gles2_hand.h"
#include "host/glesx_hand.h"
#include "transport/base/mem.h"

#include <GLES2/gl2ext.h>
#include <string.h>

/* Of one group; programs beyond keep no texts, and cannot be saved. */
#define TEXTS_MAX  (256ull << 20)
#define WISHES_MAX 4096u

static void forget_stages(struct hgl_group *g, struct hgl_program *p)
{
    for (uint32_t i = 0; i < p->stage_count; i++) {
        p->bytes -= p->stages[i].size;
        g->bytes -= p->stages[i].size;
        sl_free(p->stages[i].text);
    }
    p->stage_count = 0;
}

/* No longer among those that were deleted while in use. */
static void deleted_remove(struct hgl_group *g, struct hgl_program *p)
{
    struct hgl_program **at = &g->deleted;
    while (p->is_deleted && *at != p) {
        at = &(*at)->next;
    }
    if (p->is_deleted) {
        *at = p->next;
        p->is_deleted = false;
    }
}

static void program_free(struct hgl_group *g, struct hgl_program *p)
{
    deleted_remove(g, p);
    forget_stages(g, p);
    for (uint32_t i = 0; i < p->wish_count; i++) {
        sl_free(p->wishes[i].name);
    }
    g->bytes -= p->bytes;
    sl_free(p->varyings);
    sl_free(p->wishes);
    sl_free(p);
}

void hgl_programs_finish(struct hgl_group *group)
{
    uint32_t cursor = 0;
    struct hgl_program *p;
    while ((p = sl_map_next(&group->programs, &cursor, NULL)) != NULL) {
        program_free(group, p);
    }
    sl_map_finish(&group->programs);
}

/* The record of a program, made where there is none. NULL: no room. */
static struct hgl_program *program_locked(struct hgl_group *g, uint32_t name)
{
    struct hgl_program *p = sl_map_find(&g->programs, name);
    if (p == NULL && (p = sl_alloc(sizeof *p)) != NULL) {
        *p = (struct hgl_program){.name = name};
        if (sl_map_add(&g->programs, name, p) != SL_OK) {
            sl_free(p);
            p = NULL;
        }
    }
    return p;
}

static void drop_locked(struct hgl_group *g, uint32_t name)
{
    struct hgl_program *p = sl_map_remove(&g->programs, name);
    if (p != NULL) {
        program_free(g, p);
    }
}

/* Programs that were deleted while in use go unseen: their records go with the next link. There are
 * no more than contexts and pipelines use, however many programs there are. */
static void sweep_locked(const struct gl_driver *gl, struct hgl_group *g)
{
    struct hgl_program *next;
    for (struct hgl_program *p = g->deleted; p != NULL; p = next) {
        next = p->next;
        if (!gl->IsProgram(p->name)) {
            drop_locked(g, p->name);
        }
    }
}

void hgl_program_born(struct hgl_state *state, uint32_t name)
{
    pthread_mutex_lock(&state->group->lock);
    drop_locked(state->group, name);
    pthread_mutex_unlock(&state->group->lock);
}

static bool keep_stage_locked(struct hgl_group *g, struct hgl_program *p, uint32_t type,
                              const char *text, uint32_t size)
{
    char *copy = p->stage_count < HGL_STAGES && size <= TEXTS_MAX - g->bytes
                     ? sl_alloc((size_t)size + 1)
                     : NULL;
    if (copy == NULL) {
        p->forgotten = true;
        return false;
    }
    memcpy(copy, text, size);
    p->stages[p->stage_count++] = (struct hgl_stage){.type = type, .size = size, .text = copy};
    p->bytes += size;
    g->bytes += size;
    return true;
}

/* Of one name: the later one counts. */
static bool same_wish(const struct hgl_wish *a, const struct hgl_wish *b)
{
    return strcmp(a->name, b->name) == 0 &&
           (a->kind == HGL_WISH_ATTRIBUTE) == (b->kind == HGL_WISH_ATTRIBUTE);
}

/* The text of a shader, in the arena; NULL: no memory, or no shader. */
static const char *text_of(struct hr_call *call, uint32_t shader, GLint *size)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    GLint length = 0;
    gl->GetShaderiv(shader, GL_SHADER_SOURCE_LENGTH, &length);
    char *text = sl_arena_get(call->in.arena, (size_t)(length > 0 ? length : 0) + 1);
    *size = 0;
    if (text != NULL && length > 0) {
        gl->GetShaderSource(shader, length, size, text);
    }
    return text;
}

/* A link takes of each name the last wish; what the last link took before is nobody's any more. */
static void drop_wishes_locked(struct hgl_group *g, struct hgl_program *p)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->wish_count; i++) {
        bool is_last = true;
        for (uint32_t k = p->wishes_linked; i < p->wishes_linked && is_last && k < p->wish_count;
             k++) {
            is_last = !same_wish(&p->wishes[i], &p->wishes[k]);
        }
        if (is_last) {
            p->wishes[kept++] = p->wishes[i];
            continue;
        }
        size_t bytes = strlen(p->wishes[i].name);
        p->bytes -= bytes;
        g->bytes -= bytes;
        sl_free(p->wishes[i].name);
    }
    p->wish_count = kept;
}

static void keep_link(struct hr_call *call, struct hgl_group *g, uint32_t name)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    GLuint shaders[HGL_STAGES];
    GLsizei count = 0;
    gl->GetAttachedShaders(name, HGL_STAGES, &count, shaders);
    count = count > (GLsizei)HGL_STAGES ? (GLsizei)HGL_STAGES : count; /* whatever a driver says */
    pthread_mutex_lock(&g->lock);
    sweep_locked(gl, g);
    struct hgl_program *p = program_locked(g, name);
    if (p != NULL) {
        forget_stages(g, p);
        p->linked = true;
        p->forgotten = false;
        drop_wishes_locked(g, p);
        p->wishes_linked = p->wish_count;
        for (GLsizei i = 0; i < count && !p->forgotten; i++) {
            GLint type = 0, size = 0;
            gl->GetShaderiv(shaders[i], GL_SHADER_TYPE, &type);
            const char *text = text_of(call, shaders[i], &size);
            p->forgotten =
                text == NULL || !keep_stage_locked(g, p, (uint32_t)type, text, (uint32_t)size);
        }
    }
    pthread_mutex_unlock(&g->lock);
}

void hgl_glLinkProgram(struct hr_call *call, const struct gles2_args_glLinkProgram *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s != NULL && gl->IsProgram(a->program)) {
        keep_link(call, s->group, a->program);
    }
    if (s != NULL) {
        gl->LinkProgram(a->program);
    }
}

void hgl_keep_varyings(struct hgl_state *s, uint32_t name, const void *text, uint32_t size,
                       uint32_t count, uint32_t mode)
{
    struct hgl_group *g = s->group;
    pthread_mutex_lock(&g->lock);
    struct hgl_program *p = program_locked(g, name);
    char *copy = p != NULL && size <= TEXTS_MAX - g->bytes ? sl_alloc((size_t)size + 1) : NULL;
    if (copy != NULL) {
        memcpy(copy, text, size);
        g->bytes += size;
        g->bytes -= p->varyings_size;
        p->bytes += size;
        p->bytes -= p->varyings_size;
        sl_free(p->varyings);
        p->varyings = copy;
        p->varyings_size = size;
        p->varying_count = count;
        p->varying_mode = mode;
    } else if (p != NULL) {
        p->forgotten = true;
    }
    pthread_mutex_unlock(&g->lock);
}

void hgl_keep_shader_program(struct hgl_state *s, uint32_t name, uint32_t type, const char *text)
{
    hgl_named(s, HGL_PROGRAMS, name);
    struct hgl_group *g = s->group;
    pthread_mutex_lock(&g->lock);
    drop_locked(g, name);
    struct hgl_program *p = program_locked(g, name);
    if (p != NULL) {
        forget_stages(g, p);
        p->linked = keep_stage_locked(g, p, type, text, (uint32_t)strlen(text));
    }
    pthread_mutex_unlock(&g->lock);
}

/* A wish of before the last link is kept beside a later one of the same name: both count, one for
 * what is linked, one for what will be. */
static void keep_wish(const struct gl_driver *gl, struct hgl_group *g, uint32_t program,
                      const struct hgl_wish *wish)
{
    if (!gl->IsProgram(program)) {
        return;
    }
    pthread_mutex_lock(&g->lock);
    struct hgl_program *p = program_locked(g, program);
    struct hgl_wish *same = NULL;
    for (uint32_t i = p != NULL ? p->wishes_linked : 0; p != NULL && i < p->wish_count; i++) {
        same = same_wish(&p->wishes[i], wish) ? &p->wishes[i] : same;
    }
    char *name = same == NULL ? sl_strdup(wish->name) : same->name;
    size_t bytes = strlen(wish->name);
    if (same == NULL && p != NULL && name != NULL && p->wish_count < WISHES_MAX &&
        bytes <= TEXTS_MAX - g->bytes) {
        struct hgl_wish *more = sl_realloc(p->wishes, (p->wish_count + 1) * sizeof *more);
        if (more != NULL) {
            p->wishes = more;
            same = &more[p->wish_count++];
            p->bytes += bytes;
            g->bytes += bytes;
        }
    }
    if (same != NULL) {
        *same = *wish;
        same->name = name;
    } else {
        sl_free(name);
        if (p != NULL) {
            p->forgotten = true;
        }
    }
    pthread_mutex_unlock(&g->lock);
}

/* Is there a NUL in the bytes that came, and the function in the driver? */
static struct hgl_state *named_ok(struct hr_call *call, bool offered, const char *name,
                                  uint32_t size)
{
    struct hgl_state *s = hgl_state_of(call);
    if (s != NULL && (!offered || strnlen(name, size) == size)) {
        hr_call_refuse(call, "a name without an end in %u bytes", size);
        return NULL;
    }
    return s;
}

void hgl_glBindAttribLocation(struct hr_call *call, const struct gles2_args_glBindAttribLocation *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = named_ok(call, true, a->name, a->name_size);
    if (s != NULL) {
        gl->BindAttribLocation(a->program, a->index, a->name);
        keep_wish(gl, s->group, a->program,
                  &(struct hgl_wish){.kind = HGL_WISH_ATTRIBUTE,
                                     .location = a->index,
                                     .name = (char *)(uintptr_t)a->name});
    }
}

void hgl_glBindFragDataLocationEXT(struct hr_call *call,
                                   const struct glesx_args_glBindFragDataLocationEXT *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s =
        named_ok(call, gl->BindFragDataLocationEXT != NULL, a->name, a->name_size);
    if (s != NULL) {
        gl->BindFragDataLocationEXT(a->program, a->color, a->name);
        keep_wish(gl, s->group, a->program,
                  &(struct hgl_wish){.kind = HGL_WISH_COLOR,
                                     .location = a->color,
                                     .name = (char *)(uintptr_t)a->name});
    }
}

void hgl_glBindFragDataLocationIndexedEXT(
    struct hr_call *call, const struct glesx_args_glBindFragDataLocationIndexedEXT *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s =
        named_ok(call, gl->BindFragDataLocationIndexedEXT != NULL, a->name, a->name_size);
    if (s != NULL) {
        gl->BindFragDataLocationIndexedEXT(a->program, a->colorNumber, a->index, a->name);
        keep_wish(gl, s->group, a->program,
                  &(struct hgl_wish){.kind = HGL_WISH_COLOR_INDEX,
                                     .location = a->colorNumber,
                                     .index = a->index,
                                     .name = (char *)(uintptr_t)a->name});
    }
}

void hgl_glDeleteProgram(struct hr_call *call, const struct gles2_args_glDeleteProgram *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL) {
        return;
    }
    gl->DeleteProgram(a->program);
    struct hgl_group *g = s->group;
    pthread_mutex_lock(&g->lock);
    struct hgl_program *p = sl_map_find(&g->programs, a->program);
    if (p != NULL && !gl->IsProgram(a->program)) {
        drop_locked(g, a->program);
    } else if (p != NULL && !p->is_deleted) {
        p->is_deleted = true;
        p->next = g->deleted;
        g->deleted = p;
    }
    pthread_mutex_unlock(&g->lock);
}
