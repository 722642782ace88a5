/* Buffer objects: data, parameters, deletion. */
#include "guest/gles/ggl_objects.h"

#include "transport/base/mem.h"

#include <string.h>

static void drop_contents(struct ggl_buffer *b)
{
    ggl_lasting_end_locked(b);
    gs_piece_give(&b->piece);
    sl_free(b->own);
    b->own = NULL;
    b->own_size = 0;
    sl_free(b->shadow);
    b->shadow = NULL;
    b->map = NULL;
    b->valid_begin = b->valid_end = 0;
}

void ggl_buffer_free(void *buffer)
{
    drop_contents(buffer);
    sl_free(buffer);
}

struct ggl_buffer *ggl_buffer_get_locked(struct ggl_context *c, uint32_t name)
{
    struct ggl_buffer *b = sl_map_find(&c->share->buffers, name);
    if (b || name == 0) {
        return b;
    }
    b = sl_alloc(sizeof *b);
    if (b && sl_map_set(&c->share->buffers, name, b) != SL_OK) {
        sl_free(b);
        return NULL;
    }
    if (b) {
        b->usage = GL_STATIC_DRAW;
    }
    return b;
}

struct ggl_buffer *ggl_buffer_bound_locked(struct ggl_context *c, enum ggl_buffer_slot slot)
{
    return ggl_buffer_get_locked(c, ggl_buffer_bound(c, slot));
}

void ggl_buffer_written(struct ggl_context *c, enum ggl_buffer_slot slot)
{
    pthread_mutex_lock(&c->share->lock);
    struct ggl_buffer *b = ggl_buffer_bound_locked(c, slot);
    if (b) {
        b->valid_begin = b->valid_end = 0;
    }
    pthread_mutex_unlock(&c->share->lock);
}

/* Deleted buffers that are remembered at most, in a group. */
enum { GHOSTS_MAX = 64 };

/* Where it is bound elsewhere it lives on: in other contexts of the group, and in vertex arrays.
 * What is known of it stays under its name, until that is given out again or gets new storage. GLES
 * 1 keeps contents here, and forgets them. */
static void bury_locked(struct ggl_context *c, uint32_t name, struct ggl_buffer *b)
{
    uint32_t ghosts = sl_atomic_load_relaxed(&c->share->ghosts); /* written below the lock alone */
    if (ggl_fixed(c) || ghosts >= GHOSTS_MAX) {
        (void)sl_map_remove(&c->share->buffers, name);
        ggl_buffer_free(b);
    } else {
        drop_contents(b);
        b->deleted = true;
        sl_atomic_store_relaxed(&c->share->ghosts, ghosts + 1); /* see ggl_buffers_born */
    }
}

/* The object itself is not the one that died: forget that one. */
static void forget_ghost_locked(struct ggl_context *c, struct ggl_buffer *b)
{
    b->deleted = b->immutable = b->gpu_written = false;
    b->size = 0;
    sl_atomic_store_relaxed(&c->share->ghosts,
                            sl_atomic_load_relaxed(&c->share->ghosts) - 1); /* locked */
}

void ggl_buffers_born(struct ggl_context *c, GLsizei n, const GLuint *names)
{
    if (sl_atomic_load_relaxed(&c->share->ghosts) == 0) {
        return; /* a name that another thread deletes just now is not given out yet */
    }
    pthread_mutex_lock(&c->share->lock);
    for (GLsizei i = 0; names != NULL && i < n; i++) {
        struct ggl_buffer *b = sl_map_find(&c->share->buffers, names[i]);
        if (b != NULL && b->deleted) {
            forget_ghost_locked(c, b);
        }
    }
    pthread_mutex_unlock(&c->share->lock);
}

void ggl_glDeleteBuffers(GLsizei n, const GLuint *buffers)
{
    struct ggl_context *c = ggl_any();
    if (!c) {
        return;
    }
    if (n < 0) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    for (GLsizei i = 0; buffers && i < n; i++) {
        GLuint name = buffers[i];
        if (name == 0) {
            continue;
        }
        ggl_spare_use(c, GGL_SPARE_BUFFER, name);
        pthread_mutex_lock(&c->share->lock);
        struct ggl_buffer *b = sl_map_find(&c->share->buffers, name);
        if (b && b->lasting) { /* vertex arrays may hold the buffer on */
            ggl_lasting_flush_locked(c, b, b->map_offset, b->map_offset + b->map_size);
            ggl_lasting_end_locked(b);
        }
        if (b && !b->deleted) {
            bury_locked(c, name, b);
        }
        ggl_buffers_changed_locked(c);
        pthread_mutex_unlock(&c->share->lock);
        for (uint32_t slot = 0; slot < GGL_BUFFER_SLOTS; slot++) {
            c->buffers[slot] = c->buffers[slot] == name ? 0 : c->buffers[slot];
        }
        ggl_array_buffer_deleted(c, name);
        if (ggl_fixed(c)) {
            gles1_pack_glDeleteBuffers(ggl_pack(c), 1, &name, 4);
        } else {
            gles2_pack_glDeleteBuffers(ggl_pack(c), 1, &name, 4);
        }
    }
    /* Before the names can be given out again: partner is the load in glBindBuffer of other
     * contexts. */
    sl_atomic_add(&c->share->buffer_deletes, 1);
}

static bool usage_known(GLenum usage)
{
    return usage == GL_STATIC_DRAW || usage == GL_DYNAMIC_DRAW || usage == GL_STREAM_DRAW ||
           usage == GL_STATIC_READ || usage == GL_DYNAMIC_READ || usage == GL_STREAM_READ ||
           usage == GL_STATIC_COPY || usage == GL_DYNAMIC_COPY || usage == GL_STREAM_COPY;
}

/* New storage. An index buffer of a program that draws from client memory keeps its contents here:
 * draws look for their range. In GLES 1 every buffer does: its wire has no way back. */
static void note_data(struct ggl_context *c, enum ggl_buffer_slot slot, uint64_t size,
                      const void *data, GLenum usage)
{
    bool draws =
        slot == GGL_BUFFER_ELEMENT && sl_atomic_load_relaxed(&c->share->client_arrays); /* a hint */
    bool keep = data && (draws || ggl_fixed(c));
    pthread_mutex_lock(&c->share->lock);
    struct ggl_buffer *b = ggl_buffer_bound_locked(c, slot);
    if (b && !b->immutable) {
        if (b->deleted) {
            forget_ghost_locked(c, b);
        }
        drop_contents(b);
        ggl_buffers_changed_locked(c);
        b->size = size;
        b->usage = usage;
        b->storage_flags = GL_MAP_READ_BIT | GL_MAP_WRITE_BIT | GL_DYNAMIC_STORAGE_BIT_EXT;
        b->valid_end = data ? 0 : size; /* undefined contents may be zeros */
        if (keep && size != 0) {
            b->shadow = sl_alloc(size);
            if (b->shadow) {
                memcpy(b->shadow, data, size);
                b->valid_end = size;
            }
        }
    }
    pthread_mutex_unlock(&c->share->lock);
}

/* Or the error is noted. */
static bool store_travels(struct ggl_context *c, GLsizeiptr size)
{
    if (size > GGL_WIRE_SIZE_MAX) {
        ggl_error(c, GL_OUT_OF_MEMORY);
        return false;
    }
    return ggl_size_travels(c, size);
}

void ggl_glBufferData(GLenum target, GLsizeiptr size, const void *data, GLenum usage)
{
    struct ggl_context *c = ggl_any();
    if (!c) {
        return;
    }
    if (!store_travels(c, size)) {
        return;
    }
    ggl_order_use(c);
    enum ggl_buffer_slot slot = ggl_buffer_use(c, target);
    if (size >= 0 && ggl_buffer_bound(c, slot) && usage_known(usage)) {
        note_data(c, slot, (uint64_t)size, data, usage);
    }
    uint32_t data_size = size >= 0 ? (uint32_t)size : 0;
    if (ggl_fixed(c)) {
        gles1_pack_glBufferData(ggl_pack(c), target, size, data, data_size, usage);
    } else if (ggl_stock(c) && ggl_has(c, GGL_FEATURE_SYNC_BUFFER_DATA)) {
        (void)gles2_call_glBufferDataSyncAEMU(c->stream, target, size, data, data_size, usage);
    } else {
        gles2_pack_glBufferData(ggl_pack(c), target, size, data, data_size, usage);
    }
    ggl_order_written(c);
}

/* Flags that a driver takes. */
static bool storage_flags_ok(GLbitfield flags)
{
    const GLbitfield maps = GL_MAP_READ_BIT | GL_MAP_WRITE_BIT;
    const GLbitfield all = maps | GL_MAP_PERSISTENT_BIT_EXT | GL_MAP_COHERENT_BIT_EXT |
                           GL_DYNAMIC_STORAGE_BIT_EXT | GL_CLIENT_STORAGE_BIT_EXT;
    return !(flags & ~all) && (!(flags & GL_MAP_PERSISTENT_BIT_EXT) || flags & maps) &&
           (!(flags & GL_MAP_COHERENT_BIT_EXT) || flags & GL_MAP_PERSISTENT_BIT_EXT);
}

/* What the application may do with the storage is decided here; the host's is read and written for
 * maps, whatever they are, and lasts for none. Wrong flags travel as they are, for the driver's
 * error. */
void ggl_glBufferStorageEXT(GLenum target, GLsizeiptr size, const void *data, GLbitfield flags)
{
    struct ggl_context *c = ggl_current();
    if (!c || !ggl_own(c)) {
        return;
    }
    if (!store_travels(c, size)) {
        return;
    }
    enum ggl_buffer_slot slot = ggl_buffer_use(c, target);
    uint32_t name = ggl_buffer_bound(c, slot);
    if (size > 0 && name != 0 && storage_flags_ok(flags)) {
        note_data(c, slot, (uint64_t)size, data, GL_DYNAMIC_DRAW);
        pthread_mutex_lock(&c->share->lock);
        struct ggl_buffer *b = ggl_buffer_get_locked(c, name);
        if (b && !b->immutable) {
            b->immutable = true;
            b->storage_flags = flags;
            b->valid_begin = b->valid_end = 0; /* what is not written here yet must be known */
        }
        pthread_mutex_unlock(&c->share->lock);
        flags &= ~(GLbitfield)(GL_MAP_PERSISTENT_BIT_EXT | GL_MAP_COHERENT_BIT_EXT);
        flags |= GL_MAP_READ_BIT | GL_MAP_WRITE_BIT | GL_DYNAMIC_STORAGE_BIT_EXT;
    }
    glesx_pack_glBufferStorageEXT(ggl_pack(c), target, size, data, size > 0 ? (uint32_t)size : 0,
                                  flags);
}

static void pack_sub_data(struct ggl_context *c, GLenum target, GLintptr offset, GLsizeiptr size,
                          const void *data, uint32_t data_size)
{
    if (ggl_fixed(c)) {
        gles1_pack_glBufferSubData(ggl_pack(c), target, offset, size, data, data_size);
    } else {
        gles2_pack_glBufferSubData(ggl_pack(c), target, offset, size, data, data_size);
    }
}

/* In bands where the host takes one while the next is copied; `fits`: all of it is inside, so that
 * no band can fail where another does not. */
static void send_sub_data(struct ggl_context *c, GLenum target, GLintptr offset, GLsizeiptr size,
                          const uint8_t *data, bool fits)
{
    bool bands = fits && ggl_stages(c);
    GLsizeiptr sent = 0;
    do {
        GLsizeiptr left = size - sent;
        GLsizeiptr part = bands ? (GLsizeiptr)gs_stage_band((size_t)sent, (size_t)left) : left;
        pack_sub_data(c, target, offset + sent, part, data != NULL ? data + sent : NULL,
                      (uint32_t)part);
        sent += part;
    } while (sent != size);
    ggl_order_written(c);
}

/* Streaming programs write the same buffers again and again: a lock would make each call wait until
 * the bytes of the one before have reached memory that the host looks at, too. */
static bool plain_covers(const struct ggl_context *c, uint32_t name, uint64_t end)
{
    const struct ggl_plain *p = &c->plain[name % GGL_PLAIN];
    uint32_t serial =
        sl_atomic_load_acquire(&c->share->buffer_changes); /* with ggl_buffers_changed_locked */
    return name != 0 && p->name == name && p->serial == serial && end <= p->size;
}

static void note_plain_locked(struct ggl_context *c, uint32_t name, const struct ggl_buffer *b)
{
    if (!b->map && !b->shadow && b->valid_begin == b->valid_end && !b->immutable) {
        c->plain[name % GGL_PLAIN] = (struct ggl_plain){
            .name = name,
            .serial = sl_atomic_load_relaxed(&c->share->buffer_changes), /* locked */
            .size = b->size};
    }
}

/* Is it mapped so that no command may use it? */
static bool is_mapped(const struct ggl_buffer *b)
{
    return b->map != NULL && b->lasting == NULL;
}

void ggl_glBufferSubData(GLenum target, GLintptr offset, GLsizeiptr size, const void *data)
{
    struct ggl_context *c = ggl_any();
    if (!c) {
        return;
    }
    if (offset > GGL_WIRE_SIZE_MAX || size > GGL_WIRE_SIZE_MAX) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    if (!ggl_size_travels(c, offset < size ? offset : size)) {
        return;
    }
    ggl_order_use(c);
    enum ggl_buffer_slot slot = ggl_buffer_use(c, target);
    if (offset < 0 || size < 0) {
        pack_sub_data(c, target, offset, size, data, size > 0 ? (uint32_t)size : 0);
        return;
    }
    uint32_t name = ggl_buffer_bound(c, slot);
    if (plain_covers(c, name, (uint64_t)offset + (uint64_t)size) && (data || size == 0)) {
        send_sub_data(c, target, offset, size, data, true);
        return;
    }
    bool refused = false, fits = false;
    pthread_mutex_lock(&c->share->lock);
    struct ggl_buffer *b = ggl_buffer_get_locked(c, name);
    if (b) {
        fits = (uint64_t)offset + (uint64_t)size <= b->size;
        refused = is_mapped(b) ||
                  (fits && b->immutable && !(b->storage_flags & GL_DYNAMIC_STORAGE_BIT_EXT));
        if (!refused && fits && data && b->shadow) {
            if (b->lasting) {
                ggl_lasting_write_locked(c, b, (uint64_t)offset, data, (uint64_t)size);
            }
            memcpy(b->shadow + offset, data, (size_t)size);
        } else if (!refused && fits && !b->shadow) {
            b->valid_begin = b->valid_end = 0; /* no longer all zeros */
        }
        note_plain_locked(c, name, b);
    }
    pthread_mutex_unlock(&c->share->lock);
    if (refused) {
        ggl_error(c, GL_INVALID_OPERATION);
    } else if (data || size == 0) {
        send_sub_data(c, target, offset, size, data, fits);
    } else if (!ggl_stock(c)) { /* of no bytes, or of too many, the driver reads none */
        pack_sub_data(c, target, offset, fits ? 0 : size, NULL, 0);
    }
}

void ggl_glCopyBufferSubData(GLenum from, GLenum to, GLintptr from_offset, GLintptr to_offset,
                             GLsizeiptr size)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    bool wrong = from_offset < 0 || to_offset < 0 || size < 0;
    if (from_offset > GGL_WIRE_SIZE_MAX || to_offset > GGL_WIRE_SIZE_MAX ||
        size > GGL_WIRE_SIZE_MAX || (wrong && ggl_stock(c))) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    enum ggl_buffer_slot source = ggl_buffer_use(c, from);
    enum ggl_buffer_slot target = ggl_buffer_use(c, to);
    ggl_lasting_use(c);
    pthread_mutex_lock(&c->share->lock);
    struct ggl_buffer *a = ggl_buffer_bound_locked(c, source);
    struct ggl_buffer *b = ggl_buffer_bound_locked(c, target);
    bool mapped = (a && is_mapped(a)) || (b && is_mapped(b));
    if (b && !mapped && !wrong) {
        b->valid_begin = b->valid_end = 0;
    }
    pthread_mutex_unlock(&c->share->lock);
    if (mapped && !wrong) {
        ggl_error(c, GL_INVALID_OPERATION);
        return;
    }
    gles2_pack_glCopyBufferSubData(ggl_pack(c), from, to, from_offset, to_offset, size);
    gs_flush(c->stream); /* the wire's rule for this command */
}

/* False: not a parameter of this version. */
static bool parameter(const struct ggl_context *c, const struct ggl_buffer *b, GLenum pname,
                      int64_t *value)
{
    bool mapped = b->map != NULL;
    switch (pname) {
    case GL_BUFFER_SIZE:
        *value = (int64_t)b->size;
        return true;
    case GL_BUFFER_USAGE:
        *value = b->usage;
        return true;
    case GL_BUFFER_MAPPED:
        *value = mapped;
        return true;
    case GL_BUFFER_ACCESS_OES:
        *value = GL_WRITE_ONLY_OES;
        return true;
    case GL_BUFFER_ACCESS_FLAGS:
        *value = mapped ? b->map_access : 0;
        return c->version >= 30;
    case GL_BUFFER_MAP_OFFSET:
        *value = mapped ? (int64_t)b->map_offset : 0;
        return c->version >= 30;
    case GL_BUFFER_MAP_LENGTH:
        *value = mapped ? (int64_t)b->map_size : 0;
        return c->version >= 30;
    case GL_BUFFER_IMMUTABLE_STORAGE_EXT:
        *value = b->immutable;
        return ggl_has(c, GGL_FEATURE_GLESX);
    case GL_BUFFER_STORAGE_FLAGS_EXT:
        *value = b->storage_flags;
        return ggl_has(c, GGL_FEATURE_GLESX);
    default:
        return false;
    }
}

static bool get_parameter(GLenum target, GLenum pname, int64_t *value)
{
    struct ggl_context *c = ggl_any();
    if (!c) {
        return false;
    }
    enum ggl_buffer_slot slot = ggl_buffer_slot(target);
    GLenum error = slot == GGL_BUFFER_NONE ? GL_INVALID_ENUM : GL_NO_ERROR;
    pthread_mutex_lock(&c->share->lock);
    struct ggl_buffer *b = ggl_buffer_bound_locked(c, slot);
    if (!error && !b) {
        error = GL_INVALID_OPERATION;
    } else if (!error && !parameter(c, b, pname, value)) {
        error = GL_INVALID_ENUM;
    }
    pthread_mutex_unlock(&c->share->lock);
    if (error) {
        ggl_error(c, error);
    }
    return !error;
}

void ggl_glGetBufferParameteriv(GLenum target, GLenum pname, GLint *params)
{
    int64_t value;
    if (params && get_parameter(target, pname, &value)) {
        *params = (GLint)value;
    }
}

void ggl_glGetBufferParameteri64v(GLenum target, GLenum pname, GLint64 *params)
{
    int64_t value;
    if (get_parameter(target, pname, &value) && params) {
        *params = value;
    }
}

void ggl_glGetBufferPointerv(GLenum target, GLenum pname, void **params)
{
    struct ggl_context *c = ggl_any();
    if (!c || !params) {
        return;
    }
    enum ggl_buffer_slot slot = ggl_buffer_slot(target);
    GLenum error =
        slot == GGL_BUFFER_NONE || pname != GL_BUFFER_MAP_POINTER ? GL_INVALID_ENUM : GL_NO_ERROR;
    pthread_mutex_lock(&c->share->lock);
    struct ggl_buffer *b = ggl_buffer_bound_locked(c, slot);
    if (!error && !b) {
        error = GL_INVALID_OPERATION;
    } else if (!error) {
        *params = b->map;
    }
    pthread_mutex_unlock(&c->share->lock);
    if (error) {
        ggl_error(c, error);
    }
}
