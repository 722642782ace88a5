/* Buffers that were deleted while a vertex array has them, for a snapshot: hgl_kept.h. */
#include "host/gles/hgl_kept.h"

#include "transport/base/mem.h"

#include <GLES2/gl2ext.h>
#include <string.h>

#define KEPT_MAX   65536u
#define KEPT_BYTES (256u << 20) /* of one context */

void hgl_kept_init(struct hgl_state *s)
{
    sl_map_init(&s->kept, KEPT_MAX);
}

void hgl_kept_finish(struct hgl_state *s)
{
    uint32_t cursor = 0;
    struct hgl_kept *kept;
    while ((kept = sl_map_next(&s->kept, &cursor, NULL)) != NULL) {
        sl_free(kept);
    }
    sl_map_finish(&s->kept);
}

/* --- contents --- */

static GLint bound_get(const struct gl_driver *gl, GLenum target, GLenum name)
{
    GLint value = 0;
    gl->GetBufferParameteriv(target, name, &value);
    return value;
}

/* What cannot be mapped raises an error, which would be the guest's. */
static bool is_readable(const struct gl_driver *gl, GLenum target, const struct hgl_kept *k)
{
    return gl->MapBufferRange != NULL && bound_get(gl, target, GL_BUFFER_MAPPED) == 0 &&
           (k->immutable == 0 || (k->flags & GL_MAP_READ_BIT) != 0);
}

static bool read_bound(const struct gl_driver *gl, GLenum target, struct hgl_kept *k)
{
    if (k->size == 0) {
        return true;
    }
    const void *data =
        is_readable(gl, target, k) ? gl->MapBufferRange(target, 0, k->size, GL_MAP_READ_BIT) : NULL;
    if (data != NULL) {
        memcpy(k->data, data, (size_t)k->size);
        (void)gl->UnmapBuffer(target);
    }
    return data != NULL;
}

struct hgl_kept *hgl_kept_read(const struct gl_driver *gl, GLenum target, size_t most)
{
    struct hgl_kept about = {.size = bound_get(gl, target, GL_BUFFER_SIZE),
                             .usage = bound_get(gl, target, GL_BUFFER_USAGE)};
    if (hgl_has_word((const char *)gl->GetString(GL_EXTENSIONS), "GL_EXT_buffer_storage")) {
        about.immutable = bound_get(gl, target, GL_BUFFER_IMMUTABLE_STORAGE_EXT);
        about.flags = bound_get(gl, target, GL_BUFFER_STORAGE_FLAGS_EXT);
    }
    struct hgl_kept *k = about.size >= 0 && (size_t)about.size <= most
                             ? sl_alloc(sizeof *k + (size_t)about.size)
                             : NULL;
    if (k != NULL) {
        *k = about;
        if (!read_bound(gl, target, k)) {
            sl_free(k);
            k = NULL;
        }
    }
    return k;
}

/* --- when they are deleted --- */

static bool vao_has(const struct hgl_vao *vao, uint32_t name)
{
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        if (vao->bindings[i].source == HGL_BUFFER && vao->bindings[i].buffer == name) {
            return true;
        }
    }
    return false;
}

/* Has one of this context's that is not bound the buffer? The bound one loses it. */
static bool is_had(const struct hgl_state *s, uint32_t name)
{
    uint32_t cursor = 0;
    const struct hgl_vao *vao = &s->zero;
    bool is_had = false;
    for (; vao != NULL && !is_had; vao = sl_map_next(&s->vaos, &cursor, NULL)) {
        is_had = vao != s->vao && vao_has(vao, name);
    }
    return is_had;
}

static void forget(struct hgl_state *s, uint32_t name)
{
    struct hgl_kept *kept = sl_map_remove(&s->kept, name);
    s->kept_bytes -= kept != NULL ? (size_t)kept->size : 0;
    sl_free(kept);
}

/* What vertex arrays have no more. */
static void forget_old(struct hgl_state *s)
{
    uint32_t cursor = 0;
    uint64_t name;
    while (sl_map_next(&s->kept, &cursor, &name) != NULL) {
        if (!is_had(s, (uint32_t)name) && !vao_has(s->vao, (uint32_t)name)) {
            forget(s, (uint32_t)name);
        }
    }
}

static void keep(const struct gl_driver *gl, struct hgl_state *s, uint32_t name)
{
    GLint size = 0;
    gl->BindBuffer(GL_COPY_READ_BUFFER, name);
    size = bound_get(gl, GL_COPY_READ_BUFFER, GL_BUFFER_SIZE);
    if (s->kept_bytes + (size_t)(size > 0 ? size : 0) > KEPT_BYTES) {
        forget_old(s);
    }
    forget(s, name);
    struct hgl_kept *kept = hgl_kept_read(gl, GL_COPY_READ_BUFFER, KEPT_BYTES - s->kept_bytes);
    if (kept != NULL && sl_map_add(&s->kept, name, kept) == SL_OK) {
        s->kept_bytes += (size_t)kept->size;
    } else {
        sl_free(kept); /* a snapshot is refused while a vertex array has it */
    }
}

void hgl_kept_deletes(const struct gl_driver *gl, struct hgl_state *s, const uint8_t *names,
                      uint32_t count)
{
    GLint bound = -1;
    if (s->gles_version < 30 || s->vaos.live == 0) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t name = sl_load_u32(names + (size_t)i * 4);
        if (name == 0 || !is_had(s, name) || !gl->IsBuffer(name)) {
            continue;
        }
        if (bound < 0) {
            gl->GetIntegerv(GL_COPY_READ_BUFFER_BINDING, &bound);
        }
        keep(gl, s, name);
    }
    if (bound >= 0) {
        gl->BindBuffer(GL_COPY_READ_BUFFER, (GLuint)bound);
    }
}
