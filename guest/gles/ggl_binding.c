/* Buffer bindings: which object a target means, here and on the host. */
#include "guest/gles/ggl_objects.h"

enum ggl_buffer_slot ggl_buffer_slot(GLenum target)
{
    switch (target) {
    case GL_ARRAY_BUFFER:
        return GGL_BUFFER_ARRAY;
    case GL_ELEMENT_ARRAY_BUFFER:
        return GGL_BUFFER_ELEMENT;
    case GL_COPY_READ_BUFFER:
        return GGL_BUFFER_COPY_READ;
    case GL_COPY_WRITE_BUFFER:
        return GGL_BUFFER_COPY_WRITE;
    case GL_PIXEL_PACK_BUFFER:
        return GGL_BUFFER_PIXEL_PACK;
    case GL_PIXEL_UNPACK_BUFFER:
        return GGL_BUFFER_PIXEL_UNPACK;
    case GL_TRANSFORM_FEEDBACK_BUFFER:
        return GGL_BUFFER_TRANSFORM_FEEDBACK;
    case GL_UNIFORM_BUFFER:
        return GGL_BUFFER_UNIFORM;
    case GL_ATOMIC_COUNTER_BUFFER:
        return GGL_BUFFER_ATOMIC_COUNTER;
    case GL_DISPATCH_INDIRECT_BUFFER:
        return GGL_BUFFER_DISPATCH_INDIRECT;
    case GL_DRAW_INDIRECT_BUFFER:
        return GGL_BUFFER_DRAW_INDIRECT;
    case GL_SHADER_STORAGE_BUFFER:
        return GGL_BUFFER_SHADER_STORAGE;
    case GL_TEXTURE_BUFFER:
        return GGL_BUFFER_TEXTURE;
    default:
        return GGL_BUFFER_NONE;
    }
}

uint32_t ggl_buffer_bound(const struct ggl_context *c, enum ggl_buffer_slot slot)
{
    return slot < GGL_BUFFER_SLOTS      ? c->buffers[slot]
           : slot == GGL_BUFFER_ELEMENT ? c->vertex_array->element_buffer
                                        : 0;
}

void ggl_element_sync(struct ggl_context *c)
{
    struct ggl_vertex_array *va = c->vertex_array;
    if (va->element_host != va->element_buffer && !ggl_element_is_lost(c)) {
        va->element_host = va->element_buffer;
        ggl_pack_bind_buffer(c, GL_ELEMENT_ARRAY_BUFFER, va->element_buffer);
    }
}

/* The slot of a call's target, bound on the host as the application has it. */
enum ggl_buffer_slot ggl_buffer_use(struct ggl_context *c, GLenum target)
{
    enum ggl_buffer_slot slot = ggl_buffer_slot(target);
    if (slot == GGL_BUFFER_ELEMENT) {
        ggl_element_sync(c);
    }
    return slot;
}

/* Shaders and feedback write through these targets at any later draw. */
static void note_gpu_writes(struct ggl_context *c, enum ggl_buffer_slot slot, uint32_t name)
{
    bool writes = slot == GGL_BUFFER_TRANSFORM_FEEDBACK || slot == GGL_BUFFER_ATOMIC_COUNTER ||
                  slot == GGL_BUFFER_SHADER_STORAGE || slot == GGL_BUFFER_TEXTURE;
    if (!writes || name == 0) {
        return;
    }
    pthread_mutex_lock(&c->share->lock);
    struct ggl_buffer *b = ggl_buffer_get_locked(c, name);
    if (b) {
        b->gpu_written = true;
        b->valid_begin = b->valid_end = 0;
    }
    pthread_mutex_unlock(&c->share->lock);
}

/* A name that is bound already is not sent again, unless names died since: it may mean another
 * object now. False: it is not sent. */
static inline bool bind(struct ggl_context *c, GLenum target, GLuint buffer)
{
    struct ggl_vertex_array *va = c->vertex_array;
    enum ggl_buffer_slot slot = ggl_buffer_slot(target);
    uint32_t serial = sl_atomic_load_acquire(&c->share->buffer_deletes); /* with glDeleteBuffers */
    if (slot < GGL_BUFFER_SLOTS) {
        if (c->buffers[slot] == buffer && c->buffer_serials[slot] == serial) {
            return false;
        }
        c->buffers[slot] = buffer;
        c->buffer_serials[slot] = serial;
        ggl_spare_use(c, GGL_SPARE_BUFFER, buffer);
        note_gpu_writes(c, slot, buffer);
    } else if (slot == GGL_BUFFER_ELEMENT) {
        if (va->element_buffer == buffer && va->element_host == buffer &&
            va->element_serial == serial) {
            return false;
        }
        ggl_spare_use(c, GGL_SPARE_BUFFER, buffer);
        va->element_buffer = va->element_host = buffer;
        va->element_serial = serial;
    }
    return true;
}

void ggl_glBindBuffer(GLenum target, GLuint buffer)
{
    struct ggl_context *c = ggl_current();
    if (SL_UNLIKELY(!c)) {
        ggl1_glBindBuffer(target, buffer);
        return;
    }
    if (bind(c, target, buffer)) {
        gles2_pack_glBindBuffer(ggl_pack(c), target, buffer);
    }
}

/* GLES 1 has two targets; the host refuses the others. */
void ggl1_glBindBuffer(GLenum target, GLuint buffer)
{
    struct ggl_context *c = ggl1_current();
    bool known = target == GL_ARRAY_BUFFER || target == GL_ELEMENT_ARRAY_BUFFER;
    if (c && (!known || bind(c, target, buffer))) {
        gles1_pack_glBindBuffer(ggl_pack(c), target, buffer);
    }
}

static void note_indexed(struct ggl_context *c, GLenum target, GLuint buffer)
{
    enum ggl_buffer_slot slot = ggl_buffer_slot(target);
    ggl_spare_use(c, GGL_SPARE_BUFFER, buffer);
    if (slot == GGL_BUFFER_UNIFORM || slot == GGL_BUFFER_TRANSFORM_FEEDBACK ||
        slot == GGL_BUFFER_ATOMIC_COUNTER || slot == GGL_BUFFER_SHADER_STORAGE) {
        c->buffers[slot] = buffer;
        c->buffer_serials[slot] = sl_atomic_load_acquire(&c->share->buffer_deletes); /* as above */
        note_gpu_writes(c, slot, buffer);
    }
}

/* No driver refuses a binding for being there, or for where its range lies. */
static bool is_plain(GLenum target, GLuint index, GLintptr offset, GLsizeiptr size)
{
    GLuint count = target == GL_UNIFORM_BUFFER          ? 24
                   : target == GL_SHADER_STORAGE_BUFFER ? 8
                   : target == GL_ATOMIC_COUNTER_BUFFER ? 1
                                                        : 4;
    return index < count && offset % 256 == 0 && size % 4 == 0;
}

void ggl_glBindBufferBase(GLenum target, GLuint index, GLuint buffer)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    if (is_plain(target, index, 0, 0)) {
        note_indexed(c, target, buffer);
        gles2_pack_glBindBufferBase(ggl_pack(c), target, index, buffer);
        return;
    }
    struct ggl_question q = ggl_question_begin(c);
    gles2_pack_glBindBufferBase(ggl_pack(c), target, index, buffer);
    ggl_question_end(c, &q);
    ggl_question_earlier(c, &q);
    if (ggl_question_answered(c, &q)) {
        note_indexed(c, target, buffer);
    }
}

void ggl_glBindBufferRange(GLenum target, GLuint index, GLuint buffer, GLintptr offset,
                           GLsizeiptr size)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    bool wrong = buffer && (offset < 0 || size <= 0);
    bool large = buffer && (offset > GGL_WIRE_SIZE_MAX || size > GGL_WIRE_SIZE_MAX);
    if (large || (wrong && ggl_stock(c))) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    if (is_plain(target, index, offset, size)) {
        if (!wrong) {
            note_indexed(c, target, buffer);
        }
        gles2_pack_glBindBufferRange(ggl_pack(c), target, index, buffer, offset, size);
        return;
    }
    struct ggl_question q = ggl_question_begin(c);
    gles2_pack_glBindBufferRange(ggl_pack(c), target, index, buffer, offset, size);
    ggl_question_end(c, &q);
    ggl_question_earlier(c, &q);
    if (ggl_question_answered(c, &q) && !wrong) {
        note_indexed(c, target, buffer);
    }
}
