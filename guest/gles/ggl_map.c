/* Mapped buffers: memory in the guest that stands for a range of the host's buffer.
 *
 * A mapped buffer gets a copy of its contents here (`shadow`), kept for the next map. What of it is
 * known to equal the host's contents is a range; everything outside is fetched when a map needs it.
 * Writes by the GPU or by copies empty the range. */
#include "guest/gles/ggl_objects.h"

#include "transport/base/mem.h"

#define ACCESS_INVALIDATE (GL_MAP_INVALIDATE_RANGE_BIT | GL_MAP_INVALIDATE_BUFFER_BIT)
#define ACCESS_ALL                                                                                 \
    (GL_MAP_READ_BIT | GL_MAP_WRITE_BIT | ACCESS_INVALIDATE | GL_MAP_FLUSH_EXPLICIT_BIT |          \
     GL_MAP_UNSYNCHRONIZED_BIT)
#define ACCESS_LASTING (GL_MAP_PERSISTENT_BIT_EXT | GL_MAP_COHERENT_BIT_EXT)
/* What a buffer's storage has to allow. */
#define ACCESS_ALLOWED (GL_MAP_READ_BIT | GL_MAP_WRITE_BIT | ACCESS_LASTING)

/* Guest memory for the whole buffer; zeros where nothing was fetched. */
static bool ensure_shadow(struct ggl_context *c, struct ggl_buffer *b)
{
    if (!b->shadow) {
        b->shadow = sl_alloc(b->size);
        ggl_buffers_changed_locked(c);
    }
    return b->shadow != NULL;
}

void ggl_buffer_known_locked(struct ggl_buffer *b, uint64_t begin, uint64_t end)
{
    if (b->gpu_written) {
        return;
    }
    if (b->valid_begin == b->valid_end || begin > b->valid_end || end < b->valid_begin) {
        b->valid_begin = begin;
        b->valid_end = end;
        return;
    }
    b->valid_begin = begin < b->valid_begin ? begin : b->valid_begin;
    b->valid_end = end > b->valid_end ? end : b->valid_end;
}

static bool fetch(struct ggl_context *c, struct ggl_buffer *b, GLenum target, uint64_t offset,
                  uint64_t size, GLbitfield access)
{
    if (!ensure_shadow(c, b)) {
        return false;
    }
    if (size != 0 && (b->gpu_written || offset < b->valid_begin || offset + size > b->valid_end)) {
        if (b->lasting != NULL) {
            if (!ggl_lasting_fetch_locked(c, b, offset, offset + size)) {
                return false;
            }
        } else {
            if (target == GL_ELEMENT_ARRAY_BUFFER) {
                ggl_element_sync(c);
            }
            gles2_call_glMapBufferRangeAEMU(c->stream, target, (GLintptr)offset, (GLsizeiptr)size,
                                            access, b->shadow + offset, (uint32_t)size);
        }
        ggl_buffer_known_locked(b, offset, offset + size);
    }
    return true;
}

const uint8_t *ggl_buffer_read_locked(struct ggl_context *c, uint32_t name, uint64_t offset,
                                      uint64_t *size)
{
    struct ggl_buffer *b = ggl_buffer_get_locked(c, name);
    if (!b || offset >= b->size) {
        return NULL;
    }
    *size = *size < b->size - offset ? *size : b->size - offset;
    /* All of it: the next draw reads another part. */
    if (!fetch(c, b, GL_ELEMENT_ARRAY_BUFFER, 0, b->size, GL_MAP_READ_BIT)) {
        return NULL;
    }
    return b->shadow + offset;
}

/* The error a driver raises for a map, in its order. */
static GLenum map_error(const struct ggl_context *c, const struct ggl_buffer *b,
                        enum ggl_buffer_slot slot, int64_t offset, int64_t size, GLbitfield access)
{
    GLbitfield known = ACCESS_ALL | (ggl_has(c, GGL_FEATURE_GLESX) ? ACCESS_LASTING : 0);
    if (slot == GGL_BUFFER_NONE) {
        return GL_INVALID_ENUM;
    }
    if (!b) {
        return GL_INVALID_OPERATION;
    }
    if (offset < 0 || size < 0 || (size != 0 && access & ~known)) {
        return GL_INVALID_VALUE;
    }
    bool read = access & GL_MAP_READ_BIT;
    bool write = access & GL_MAP_WRITE_BIT;
    if (size == 0 || (!read && !write) ||
        (read && access & (ACCESS_INVALIDATE | GL_MAP_UNSYNCHRONIZED_BIT)) ||
        (access & GL_MAP_FLUSH_EXPLICIT_BIT && !write) ||
        access & ACCESS_ALLOWED & ~b->storage_flags) {
        return GL_INVALID_OPERATION;
    }
    if ((uint64_t)offset + (uint64_t)size > b->size) {
        return GL_INVALID_VALUE;
    }
    return b->map ? GL_INVALID_OPERATION : GL_NO_ERROR;
}

/* Do the buffer's old contents not matter, and does no draw look into it here? Then its map may lie
 * elsewhere. */
static bool may_lie_apart(struct ggl_context *c, enum ggl_buffer_slot slot, int64_t size,
                          GLbitfield access)
{
    bool drawn_from =
        slot == GGL_BUFFER_ELEMENT && sl_atomic_load_relaxed(&c->share->client_arrays);
    return size > SL_PACK_STAGED && access & ACCESS_INVALIDATE &&
           !(access & (GL_MAP_FLUSH_EXPLICIT_BIT | GL_MAP_PERSISTENT_BIT_EXT)) &&
           ggl_has(c, GGL_FEATURE_ASYNC_UNMAP) && !drawn_from && ggl_stages(c);
}

/* Memory that the host reads when it is unmapped; or of our own, where a copy then costs less than
 * what the program's writes would. NULL: neither is there. */
static uint8_t *take_apart(struct ggl_context *c, struct ggl_buffer *b, size_t size)
{
    if (gs_piece_pays(c->stream) && gs_piece_take(c->stream, size, &b->piece)) {
        return b->piece.data;
    }
    if (size > b->own_size) {
        sl_free(b->own);
        b->own = sl_alloc(size);
        b->own_size = b->own != NULL ? size : 0;
    }
    return b->own;
}

static void *map_locked(struct ggl_context *c, GLenum target, enum ggl_buffer_slot slot,
                        int64_t offset, int64_t size, GLbitfield access, GLenum *error)
{
    struct ggl_buffer *b = ggl_buffer_bound_locked(c, slot);
    *error = map_error(c, b, slot, offset, size, access);
    if (*error) {
        return NULL;
    }
    bool lasts = access & GL_MAP_PERSISTENT_BIT_EXT;
    bool contents = lasts || !(access & ACCESS_INVALIDATE);
    uint8_t *apart = may_lie_apart(c, slot, size, access) ? take_apart(c, b, (size_t)size) : NULL;
    GLbitfield wanted = lasts ? GL_MAP_READ_BIT : access;
    if (!apart && (contents ? !fetch(c, b, target, (uint64_t)offset, (uint64_t)size, wanted)
                            : !ensure_shadow(c, b))) {
        *error = GL_OUT_OF_MEMORY;
        return NULL;
    }
    b->map = apart ? apart : b->shadow + offset;
    b->map_apart = apart != NULL;
    if (lasts && !ggl_lasting_begin_locked(c, b, ggl_buffer_bound(c, slot), (uint64_t)offset,
                                           (uint64_t)size)) {
        b->map = NULL;
        *error = GL_OUT_OF_MEMORY;
        return NULL;
    }
    b->map_offset = (uint64_t)offset;
    b->map_size = (uint64_t)size;
    b->map_access = access;
    ggl_buffers_changed_locked(c);
    return b->map;
}

void *ggl_glMapBufferRange(GLenum target, GLintptr offset, GLsizeiptr length, GLbitfield access)
{
    struct ggl_context *c = ggl_any();
    if (!c) {
        return NULL;
    }
    enum ggl_buffer_slot slot = ggl_buffer_use(c, target);
    GLenum error;
    pthread_mutex_lock(&c->share->lock);
    void *map = map_locked(c, target, slot, offset, length, access, &error);
    pthread_mutex_unlock(&c->share->lock);
    if (error) {
        ggl_error(c, error);
    }
    return map;
}

/* OES_mapbuffer: the whole buffer, for writing. */
void *ggl_glMapBufferOES(GLenum target, GLenum access)
{
    struct ggl_context *c = ggl_any();
    if (!c) {
        return NULL;
    }
    if (access != GL_WRITE_ONLY_OES) {
        ggl_error(c, GL_INVALID_ENUM);
        return NULL;
    }
    enum ggl_buffer_slot slot = ggl_buffer_use(c, target);
    GLenum error;
    pthread_mutex_lock(&c->share->lock);
    struct ggl_buffer *b = ggl_buffer_bound_locked(c, slot);
    void *map = map_locked(c, target, slot, 0, b ? (int64_t)b->size : 1, GL_MAP_WRITE_BIT, &error);
    pthread_mutex_unlock(&c->share->lock);
    if (error) {
        ggl_error(c, error);
    }
    return map;
}

void ggl_glFlushMappedBufferRange(GLenum target, GLintptr offset, GLsizeiptr length)
{
    struct ggl_context *c = ggl_any();
    if (!c) {
        return;
    }
    enum ggl_buffer_slot slot = ggl_buffer_use(c, target);
    GLenum error = GL_NO_ERROR;
    pthread_mutex_lock(&c->share->lock);
    struct ggl_buffer *b = ggl_buffer_bound_locked(c, slot);
    if (slot == GGL_BUFFER_NONE) {
        error = GL_INVALID_ENUM;
    } else if (!b) {
        error = GL_INVALID_OPERATION;
    } else if (offset < 0 || length < 0) {
        error = GL_INVALID_VALUE;
    } else if (!b->map || !(b->map_access & GL_MAP_FLUSH_EXPLICIT_BIT)) {
        error = GL_INVALID_OPERATION;
    } else if ((uint64_t)offset + (uint64_t)length > b->map_size) {
        error = GL_INVALID_VALUE;
    } else if (b->lasting != NULL) {
        uint64_t at = b->map_offset + (uint64_t)offset;
        ggl_lasting_flush_locked(c, b, at, at + (uint64_t)length);
    } else if (length != 0) {
        GLintptr at = (GLintptr)b->map_offset + offset;
        const uint8_t *data = b->map + offset;
        if (ggl_fixed(c)) {
            gles1_pack_glBufferSubData(ggl_pack(c), target, at, length, data, (uint32_t)length);
        } else if (ggl_has(c, GGL_FEATURE_ASYNC_UNMAP)) {
            gles2_pack_glFlushMappedBufferRangeAEMU2(ggl_pack(c), target, at, length, b->map_access,
                                                     data, (uint32_t)length);
        } else {
            gles2_pack_glFlushMappedBufferRangeAEMU(ggl_pack(c), target, at, length, b->map_access,
                                                    data, (uint32_t)length);
        }
        ggl_buffer_known_locked(b, (uint64_t)at, (uint64_t)at + (uint64_t)length);
    }
    pthread_mutex_unlock(&c->share->lock);
    ggl_order_written(c);
    if (error) {
        ggl_error(c, error);
    }
}

/* What was written goes to the host; with explicit flushes it went there already. */
static GLboolean unmap_locked(struct ggl_context *c, GLenum target, struct ggl_buffer *b)
{
    GLbitfield access = b->map_access;
    if (b->lasting != NULL) {
        if (!(access & GL_MAP_FLUSH_EXPLICIT_BIT)) {
            ggl_lasting_flush_locked(c, b, b->map_offset, b->map_offset + b->map_size);
        }
        ggl_lasting_end_locked(b);
        return GL_TRUE;
    }
    const uint8_t *map = b->map;
    b->map = NULL;
    bool written = access & GL_MAP_WRITE_BIT && !(access & GL_MAP_FLUSH_EXPLICIT_BIT);
    /* Upstream's asynchronous form sends the bytes whatever was done with them. */
    if (!written && !(ggl_stock(c) && !ggl_fixed(c) && ggl_has(c, GGL_FEATURE_ASYNC_UNMAP))) {
        return GL_TRUE;
    }
    GLboolean ok = GL_TRUE;
    if (ggl_fixed(c)) {
        gles1_pack_glBufferSubData(ggl_pack(c), target, (GLintptr)b->map_offset,
                                   (GLsizeiptr)b->map_size, map, (uint32_t)b->map_size);
    } else if (ggl_has(c, GGL_FEATURE_ASYNC_UNMAP)) {
        gs_piece_send(c->stream, &b->piece, b->piece.data);
        gles2_pack_glUnmapBufferAsyncAEMU(ggl_pack(c), target, (GLintptr)b->map_offset,
                                          (GLsizeiptr)b->map_size, access, map,
                                          (uint32_t)b->map_size, &ok, 1);
        gs_piece_send(c->stream, &b->piece, NULL);
    } else {
        gles2_call_glUnmapBufferAEMU(c->stream, target, (GLintptr)b->map_offset,
                                     (GLsizeiptr)b->map_size, access, map, (uint32_t)b->map_size,
                                     &ok, 1);
    }
    if (b->map_apart) {      /* no copy of it is kept here */
        gs_flush(c->stream); /* the host copies while the application fills the next */
        gs_piece_give(&b->piece);
        b->valid_begin = b->valid_end = 0;
    } else if (written) {
        ggl_buffer_known_locked(b, b->map_offset, b->map_offset + b->map_size);
    }
    return ok;
}

GLboolean ggl_glUnmapBuffer(GLenum target)
{
    struct ggl_context *c = ggl_any();
    if (!c) {
        return GL_FALSE;
    }
    enum ggl_buffer_slot slot = ggl_buffer_use(c, target);
    GLboolean ok = GL_FALSE;
    pthread_mutex_lock(&c->share->lock);
    struct ggl_buffer *b = ggl_buffer_bound_locked(c, slot);
    bool mapped = b && b->map;
    if (mapped) {
        ok = unmap_locked(c, target, b);
    }
    pthread_mutex_unlock(&c->share->lock);
    ggl_order_written(c);
    if (!mapped) {
        ggl_error(c, slot == GGL_BUFFER_NONE ? GL_INVALID_ENUM : GL_INVALID_OPERATION);
    }
    return ok;
}

GLboolean ggl_glUnmapBufferOES(GLenum target)
{
    return ggl_glUnmapBuffer(target);
}
