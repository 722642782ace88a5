/* Draws. With everything in buffers a draw is one packet; client arrays are gathered into the ring
 * before it.
 *
 * A draw from client memory sends only the elements it needs, so that element `start` becomes the
 * host's element 0; pointers into buffers are moved by the same distance and moved back behind the
 * draw (protocol: traps T26, T27). When a shader reads gl_VertexID nothing is moved: zeros stand
 * for the elements before. */
#include "guest/gles/ggl_objects.h"

#include <string.h>

/* What a draw with client arrays reads. */
struct span {
    uint32_t client;    /* attributes to send */
    uint32_t buffered;  /* attributes in buffers that move with the start */
    uint32_t start;     /* first element read */
    uint32_t count;     /* elements read */
    uint32_t instances; /* 1 when not instanced */
    uint32_t first_instance;
    bool in_place; /* the host's element numbers are the application's */
    bool is_ghost; /* the indices are of a deleted buffer */
};

static inline bool has_client_arrays(const struct ggl_vertex_array *va)
{
    return (va->enabled & va->client) != 0;
}

/* Which arrays the current program reads from where; false: none from client memory. */
static bool span_init(struct ggl_context *c, struct span *s)
{
    const struct ggl_vertex_array *va = c->vertex_array;
    uint32_t used = va->enabled & (ggl_fixed(c) ? UINT32_MAX : ggl_program_attribs(c));
    if (!sl_atomic_load_relaxed(&c->share->client_arrays)) { /* a hint, orders nothing */
        sl_atomic_store_relaxed(&c->share->client_arrays, 1);
    }
    s->client = used & va->client;
    s->buffered = used & ~va->client;
    /* Set by this thread's shader source, or handed over with the program. */
    s->in_place = sl_atomic_load_relaxed(&c->share->vertex_id);
    return s->client != 0;
}

/* The gather of one client attribute; false when it does not fit a packet. */
static bool attrib_gather(const struct ggl_attrib *a, const struct span *s, struct sl_gather *g)
{
    uint64_t count = s->count;
    uint64_t first = s->start;
    if (a->divisor) {
        count = (s->instances + (uint64_t)a->divisor - 1) / a->divisor;
        count = (count ? count : 1) + s->first_instance;
        first = 0;
    }
    uint64_t prefix = s->in_place ? first * a->element : 0;
    uint64_t data = count * a->element;
    if (prefix + data > INT32_MAX) {
        return false;
    }
    bool tight = a->pitch == a->element;
    *g = (struct sl_gather){.src = a->pointer + first * a->pitch,
                            .size = prefix + data,
                            .prefix = prefix,
                            .images = 1,
                            .row = tight ? data : a->element,
                            .rows = tight ? 1 : (uint32_t)count,
                            .src_pitch = tight ? data : a->pitch,
                            .wire_pitch = tight ? data : a->element,
                            .src_image = count * a->pitch,
                            .wire_image = data};
    return true;
}

/* Upstream says it again in front of each pointer of a draw. */
static void enable_for_stock(struct ggl_context *c, uint32_t index)
{
    if (ggl_stock(c)) {
        gles2_pack_glEnableVertexAttribArray(ggl_pack(c), index);
    }
}

static void send_attrib(struct ggl_context *c, uint32_t index, const struct sl_gather *g)
{
    const struct ggl_attrib *a = &c->vertex_array->attribs[index];
    if (ggl_fixed(c)) {
        ggl1_array_data(c, index, g);
        return;
    }
    enable_for_stock(c, index);
    if (a->integer) {
        gles2_pack_glVertexAttribIPointerDataAEMU(ggl_pack(c), index, a->size, a->type,
                                                  (GLsizei)a->stride, g, (GLuint)g->size);
    } else {
        gles2_pack_glVertexAttribPointerData(ggl_pack(c), index, a->size, a->type, a->normalized,
                                             (GLsizei)a->stride, g, (GLuint)g->size);
    }
}

/* Pointers into buffers, moved `elements` on; per-instance ones stay. Leaves *bound as ARRAY_BUFFER
 * on the host. */
static void move_buffered(struct ggl_context *c, uint32_t mask, uint32_t elements, uint32_t *bound)
{
    while (mask) {
        uint32_t i = ggl_first_bit(&mask);
        const struct ggl_attrib *a = &c->vertex_array->attribs[i];
        if (a->divisor) {
            continue;
        }
        if (*bound != a->buffer) {
            *bound = a->buffer;
            ggl_pack_bind_buffer(c, GL_ARRAY_BUFFER, a->buffer);
        }
        uint32_t offset = (uint32_t)((uintptr_t)a->pointer + (uint64_t)elements * a->pitch);
        if (ggl_fixed(c)) {
            ggl1_array_offset(c, i, offset);
            continue;
        }
        if (elements != 0) {
            enable_for_stock(c, i);
        }
        if (a->integer) {
            gles2_pack_glVertexAttribIPointerOffsetAEMU(ggl_pack(c), i, a->size, a->type,
                                                        (GLsizei)a->stride, offset);
        } else {
            gles2_pack_glVertexAttribPointerOffset(ggl_pack(c), i, a->size, a->type, a->normalized,
                                                   (GLsizei)a->stride, offset);
        }
    }
}

/* Everything a draw needs in front of it. False: the draw is dropped. */
static bool arrays_begin(struct ggl_context *c, const struct span *s)
{
    uint32_t bound = c->buffers[GGL_BUFFER_ARRAY];
    if (!s->in_place && s->start != 0) {
        move_buffered(c, s->buffered, s->start, &bound);
    }
    if (bound != 0) {
        ggl_pack_bind_buffer(c, GL_ARRAY_BUFFER, 0);
        bound = 0;
    }
    bool fits = true;
    for (uint32_t mask = s->client; mask && fits;) {
        uint32_t i = ggl_first_bit(&mask);
        const struct ggl_attrib *a = &c->vertex_array->attribs[i];
        struct sl_gather g;
        fits = attrib_gather(a, s, &g);
        if (fits && a->pointer) {
            send_attrib(c, i, &g);
        }
    }
    if (bound != c->buffers[GGL_BUFFER_ARRAY]) {
        ggl_pack_bind_buffer(c, GL_ARRAY_BUFFER, c->buffers[GGL_BUFFER_ARRAY]);
    }
    if (!fits) {
        ggl_error(c, GL_OUT_OF_MEMORY);
    }
    return fits;
}

/* Pointers into buffers go back to where the application put them. */
static void arrays_end(struct ggl_context *c, const struct span *s)
{
    if (!s->in_place && s->start != 0 && s->buffered) {
        uint32_t bound = c->buffers[GGL_BUFFER_ARRAY];
        move_buffered(c, s->buffered, 0, &bound);
        if (bound != c->buffers[GGL_BUFFER_ARRAY]) {
            ggl_pack_bind_buffer(c, GL_ARRAY_BUFFER, c->buffers[GGL_BUFFER_ARRAY]);
        }
    }
}

static void pack_arrays(struct ggl_context *c, const struct ggl_draw *d, GLint first)
{
    if (ggl_fixed(c)) {
        gles1_pack_glDrawArrays(ggl_pack(c), d->mode, first, d->count);
    } else if (d->base_instance != 0) {
        glesx_pack_glDrawArraysInstancedBaseInstanceEXT(ggl_pack(c), d->mode, first, d->count,
                                                        d->instances, d->base_instance);
    } else if (d->instances < 0) {
        gles2_pack_glDrawArrays(ggl_pack(c), d->mode, first, d->count);
    } else {
        gles2_pack_glDrawArraysInstanced(ggl_pack(c), d->mode, first, d->count, d->instances);
    }
}

static void span_instances(struct span *s, const struct ggl_draw *d)
{
    s->instances = d->instances < 0 ? 1 : (uint32_t)d->instances;
    s->first_instance = d->base_instance;
}

__attribute__((noinline)) void ggl_draw_arrays(struct ggl_context *c, const struct ggl_draw *d,
                                               GLint first)
{
    struct span s = {0};
    if (!has_client_arrays(c->vertex_array) || first < 0 || d->count <= 0 || d->instances == 0 ||
        !span_init(c, &s)) {
        pack_arrays(c, d, first);
        return;
    }
    s.start = (uint32_t)first;
    s.count = (uint32_t)d->count;
    span_instances(&s, d);
    if (arrays_begin(c, &s)) {
        pack_arrays(c, d, s.in_place ? first : 0);
        arrays_end(c, &s);
    }
}

void ggl_glDrawArrays(GLenum mode, GLint first, GLsizei count)
{
    struct ggl_context *c = ggl_current();
    if (SL_UNLIKELY(!c)) {
        ggl1_glDrawArrays(mode, first, count);
        return;
    }
    ggl_lasting_use(c);
    if (SL_UNLIKELY(has_client_arrays(c->vertex_array))) {
        ggl_draw_arrays(c, &(struct ggl_draw){.mode = mode, .count = count, .instances = -1},
                        first);
        return;
    }
    gles2_pack_glDrawArrays(ggl_pack(c), mode, first, count);
}

void ggl1_glDrawArrays(GLenum mode, GLint first, GLsizei count)
{
    struct ggl_context *c = ggl1_current();
    if (c) {
        ggl_lasting_use(c);
        ggl_draw_arrays(c, &(struct ggl_draw){.mode = mode, .count = count, .instances = -1},
                        first);
    }
}

void ggl_glDrawArraysInstanced(GLenum mode, GLint first, GLsizei count, GLsizei instances)
{
    struct ggl_context *c = ggl_current();
    if (SL_UNLIKELY(!c)) {
        return;
    }
    ggl_lasting_use(c);
    if (SL_UNLIKELY(has_client_arrays(c->vertex_array)) && instances >= 0) {
        ggl_draw_arrays(c, &(struct ggl_draw){.mode = mode, .count = count, .instances = instances},
                        first);
        return;
    }
    gles2_pack_glDrawArraysInstanced(ggl_pack(c), mode, first, count, instances);
}

uint32_t ggl_index_size(GLenum type)
{
    return type == GL_UNSIGNED_SHORT  ? 2
           : type == GL_UNSIGNED_BYTE ? 1
           : type == GL_UNSIGNED_INT  ? 4
                                      : 0;
}

/* Least and greatest index, without the restart index when that is on; and a copy with `least`
 * taken away, in which the restart index stays what it is (protocol: trap T23). */
#define INDEX_FUNCTIONS(bits)                                                                      \
    static void range_##bits(const uint8_t *p, size_t count, bool restart, uint32_t *least,        \
                             uint32_t *most)                                                       \
    {                                                                                              \
        uint##bits##_t lo = UINT##bits##_MAX, hi = 0;                                              \
        for (size_t i = 0; i < count; i++) {                                                       \
            uint##bits##_t v;                                                                      \
            memcpy(&v, p + i * sizeof v, sizeof v);                                                \
            bool skip = restart && v == UINT##bits##_MAX;                                          \
            lo = v < lo && !skip ? v : lo;                                                         \
            hi = v > hi && !skip ? v : hi;                                                         \
        }                                                                                          \
        *least = lo;                                                                               \
        *most = hi;                                                                                \
    }                                                                                              \
    static void rebase_##bits(const uint8_t *p, size_t count, bool restart, uint32_t least,        \
                              uint8_t *out)                                                        \
    {                                                                                              \
        for (size_t i = 0; i < count; i++) {                                                       \
            uint##bits##_t v;                                                                      \
            memcpy(&v, p + i * sizeof v, sizeof v);                                                \
            v = restart && v == UINT##bits##_MAX ? v : (uint##bits##_t)(v - least);                \
            memcpy(out + i * sizeof v, &v, sizeof v);                                              \
        }                                                                                          \
    }
INDEX_FUNCTIONS(8)
INDEX_FUNCTIONS(16)
INDEX_FUNCTIONS(32)

static void index_range(const uint8_t *p, uint32_t size, size_t count, bool restart,
                        uint32_t *least, uint32_t *most)
{
    if (size == 1) {
        range_8(p, count, restart, least, most);
    } else if (size == 2) {
        range_16(p, count, restart, least, most);
    } else {
        range_32(p, count, restart, least, most);
    }
}

static void index_rebase(const uint8_t *p, uint32_t size, size_t count, bool restart,
                         uint32_t least, uint8_t *out)
{
    if (size == 1) {
        rebase_8(p, count, restart, least, out);
    } else if (size == 2) {
        rebase_16(p, count, restart, least, out);
    } else {
        rebase_32(p, count, restart, least, out);
    }
}

/* For a draw with client indices the driver must have no index buffer. Our own host sees to that,
 * and binds it again behind the draw; but not one that was deleted, of which the copy here is all
 * that is left then. A stock host gets it back when it matters (ggl_element_sync). */
static void unbind_element(struct ggl_context *c, const struct span *s)
{
    struct ggl_vertex_array *va = c->vertex_array;
    if (va->element_host != 0 && (s->is_ghost || ggl_stock(c))) {
        ggl_pack_bind_buffer(c, GL_ELEMENT_ARRAY_BUFFER, 0);
        va->element_host = 0;
    }
}

static bool has_base(const struct ggl_draw *d)
{
    return d->base_vertex != 0 || d->base_instance != 0;
}

/* Indices of `size` bytes, from client memory. */
static void pack_elements(struct ggl_context *c, const struct ggl_draw *d, const void *data,
                          uint32_t size)
{
    if (ggl_fixed(c)) {
        gles1_pack_glDrawElementsData(ggl_pack(c), d->mode, d->count, d->type, data, size, size);
    } else if (has_base(d)) {
        glesx_pack_glDrawElementsBaseDataSLUICE(ggl_pack(c), d->mode, d->count, d->type, data, size,
                                                size, d->instances, d->base_vertex,
                                                d->base_instance);
    } else if (d->instances < 0) {
        gles2_pack_glDrawElementsData(ggl_pack(c), d->mode, d->count, d->type, data, size, size);
    } else {
        gles2_pack_glDrawElementsInstancedDataAEMU(ggl_pack(c), d->mode, d->count, d->type, data,
                                                   size, d->instances, (GLsizei)size);
    }
}

/* Indices from the bound buffer. */
static void pack_elements_offset(struct ggl_context *c, const struct ggl_draw *d, GLuint offset)
{
    if (ggl_fixed(c)) {
        gles1_pack_glDrawElementsOffset(ggl_pack(c), d->mode, d->count, d->type, offset);
    } else if (has_base(d)) {
        glesx_pack_glDrawElementsBaseOffsetSLUICE(ggl_pack(c), d->mode, d->count, d->type, offset,
                                                  d->instances, d->base_vertex, d->base_instance);
    } else if (d->instances < 0) {
        gles2_pack_glDrawElementsOffset(ggl_pack(c), d->mode, d->count, d->type, offset);
    } else {
        gles2_pack_glDrawElementsInstancedOffsetAEMU(ggl_pack(c), d->mode, d->count, d->type,
                                                     offset, d->instances);
    }
}

/* For the host to find errors of a draw of which no vertex is there. */
static void draw_nothing(struct ggl_context *c, const struct ggl_draw *d)
{
    struct ggl_draw nothing = *d;
    nothing.count = 0;
    if (c->vertex_array->element_host != 0 && !ggl_stock(c)) {
        pack_elements_offset(c, &nothing, 0);
    } else {
        unbind_element(c, &(struct span){0});
        pack_elements(c, &nothing, "", 0);
    }
}

/* Client vertex arrays, indices from anywhere. A vertex before the first there is (a base below
 * the least index) is nobody's: nothing is drawn. */
static void draw_indices(struct ggl_context *c, struct span *s, const struct ggl_draw *d,
                         const uint8_t *indices)
{
    uint32_t bytes = ggl_index_size(d->type);
    uint32_t size = (uint32_t)d->count * bytes;
    uint32_t least, most;
    index_range(indices, bytes, (size_t)d->count, c->restart, &least, &most);
    int64_t start = (int64_t)least + d->base_vertex;
    if (least > most || start < 0) { /* nothing but restarts, or before all vertices */
        draw_nothing(c, d);
        return;
    }
    if (most - least == UINT32_MAX || start + (most - least) > UINT32_MAX) {
        ggl_error(c, GL_OUT_OF_MEMORY); /* 2^32 elements */
        return;
    }
    s->start = (uint32_t)start;
    s->count = most - least + 1;
    span_instances(s, d);
    struct ggl_draw moved = *d;
    const void *data = indices;
    if (!s->in_place) {
        moved.base_vertex = 0;
    }
    if (least != 0 && !s->in_place) {
        uint8_t *copy = ggl_scratch(c, size);
        if (!copy) {
            ggl_error(c, GL_OUT_OF_MEMORY);
            return;
        }
        index_rebase(indices, bytes, (size_t)d->count, c->restart, least, copy);
        data = copy;
    }
    unbind_element(c, s);
    if (arrays_begin(c, s)) {
        pack_elements(c, &moved, data, size);
        arrays_end(c, s);
    }
}

/* Indices from the guest's copy of the bound buffer; s: of client vertex arrays, NULL: there are
 * none. */
static void draw_bound(struct ggl_context *c, struct span *s, const struct ggl_draw *d,
                       uint64_t offset)
{
    uint32_t name = c->vertex_array->element_buffer;
    uint32_t bytes = ggl_index_size(d->type);
    uint64_t size = (uint64_t)(uint32_t)d->count * bytes;
    pthread_mutex_lock(&c->share->lock);
    const uint8_t *data = ggl_buffer_read_locked(c, name, offset, &size);
    struct ggl_draw whole = *d;
    whole.count = (GLsizei)(size / bytes);
    if (data == NULL || size < bytes) {
        draw_nothing(c, d);
    } else if (s == NULL) {
        pack_elements(c, &whole, data, (uint32_t)whole.count * bytes);
    } else {
        s->is_ghost = ggl_buffer_get_locked(c, name)->deleted;
        draw_indices(c, s, &whole, data);
    }
    pthread_mutex_unlock(&c->share->lock);
}

__attribute__((noinline)) void ggl_draw_elements(struct ggl_context *c, const struct ggl_draw *d,
                                                 const void *indices)
{
    struct ggl_vertex_array *va = c->vertex_array;
    uint32_t bytes = ggl_index_size(d->type);
    struct span s = {0};
    if ((bytes == 0 || d->count < 0) && !ggl_stock(c)) {
        pack_elements(c, d, "", 0); /* nothing is read: the driver finds the first error */
        return;
    }
    if (bytes == 0 || d->count < 0 || (uint32_t)d->count > INT32_MAX / bytes) {
        ggl_error(c, bytes == 0     ? GL_INVALID_ENUM
                     : d->count < 0 ? GL_INVALID_VALUE
                                    : GL_OUT_OF_MEMORY);
        return;
    }
    bool vertices = has_client_arrays(va) && d->count > 0 && d->instances != 0 && span_init(c, &s);
    if (!va->element_buffer) {
        if (indices && vertices) {
            draw_indices(c, &s, d, indices);
        } else if (indices) {
            pack_elements(c, d, indices, (uint32_t)d->count * bytes);
        } else if (!ggl_stock(c)) {
            draw_nothing(c, d);
        }
        return;
    }
    if (!vertices && !ggl_element_is_lost(c)) {
        ggl_element_sync(c);
        pack_elements_offset(c, d, (GLuint)(uintptr_t)indices);
        return;
    }
    draw_bound(c, vertices ? &s : NULL, d, (uintptr_t)indices);
}

void ggl_glDrawElements(GLenum mode, GLsizei count, GLenum type, const void *indices)
{
    struct ggl_context *c = ggl_current();
    if (SL_UNLIKELY(!c)) {
        ggl1_glDrawElements(mode, count, type, indices);
        return;
    }
    ggl_lasting_use(c);
    struct ggl_vertex_array *va = c->vertex_array;
    if (SL_UNLIKELY(va->element_buffer == 0 || va->element_host != va->element_buffer ||
                    has_client_arrays(va))) {
        ggl_draw_elements(
            c, &(struct ggl_draw){.mode = mode, .count = count, .type = type, .instances = -1},
            indices);
        return;
    }
    gles2_pack_glDrawElementsOffset(ggl_pack(c), mode, count, type, (GLuint)(uintptr_t)indices);
}

void ggl1_glDrawElements(GLenum mode, GLsizei count, GLenum type, const void *indices)
{
    struct ggl_context *c = ggl1_current();
    if (c) {
        ggl_lasting_use(c);
        ggl_draw_elements(
            c, &(struct ggl_draw){.mode = mode, .count = count, .type = type, .instances = -1},
            indices);
    }
}

/* The range is a hint, except that a driver refuses one that ends before it starts. */
void ggl_glDrawRangeElements(GLenum mode, GLuint start, GLuint end, GLsizei count, GLenum type,
                             const void *indices)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    if (end < start) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    ggl_glDrawElements(mode, count, type, indices);
}

void ggl_glDrawElementsInstanced(GLenum mode, GLsizei count, GLenum type, const void *indices,
                                 GLsizei instances)
{
    struct ggl_context *c = ggl_current();
    if (SL_UNLIKELY(!c)) {
        return;
    }
    ggl_lasting_use(c);
    struct ggl_vertex_array *va = c->vertex_array;
    if (instances < 0) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    if (SL_UNLIKELY(va->element_buffer == 0 || va->element_host != va->element_buffer ||
                    has_client_arrays(va))) {
        ggl_draw_elements(
            c,
            &(struct ggl_draw){.mode = mode, .count = count, .type = type, .instances = instances},
            indices);
        return;
    }
    gles2_pack_glDrawElementsInstancedOffsetAEMU(ggl_pack(c), mode, count, type,
                                                 (GLuint)(uintptr_t)indices, instances);
}

/* glEnable and glDisable are watched for the one capability that changes how indices are read. */
static void capability(struct ggl_context *c, GLenum cap, bool on)
{
    if (SL_UNLIKELY(cap == GL_PRIMITIVE_RESTART_FIXED_INDEX)) {
        c->restart = on && c->version >= 30;
    }
}

void ggl_glEnable(GLenum cap)
{
    struct ggl_context *c = ggl_current();
    if (SL_UNLIKELY(!c)) {
        ggl1_glEnable(cap);
        return;
    }
    capability(c, cap, true);
    gles2_pack_glEnable(ggl_pack(c), cap);
}

void ggl_glDisable(GLenum cap)
{
    struct ggl_context *c = ggl_current();
    if (SL_UNLIKELY(!c)) {
        ggl1_glDisable(cap);
        return;
    }
    capability(c, cap, false);
    gles2_pack_glDisable(ggl_pack(c), cap);
}
