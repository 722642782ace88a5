/* Vertex arrays of GLES 2 and later: which arrays the driver may read, and how far.
 *
 * An array that has no source (never given one, or its buffer was deleted) is kept off in the
 * driver, whatever the guest enabled: the driver would read at an address that the guest chose. */
#include "host/gles/hgl_group.h"
#include "host/gles/hgl_kept.h"
#include "host/gles/hgl_query.h"

#include "host/gles2_hand.h"
#include "transport/base/mem.h"

#include <string.h>

#define VAOS_MAX    65536u
#define QUERIES_MAX 65536u

static void vao_init(struct hgl_vao *vao, uint32_t name)
{
    *vao = (struct hgl_vao){.name = name};
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        vao->binding_of[i] = (uint8_t)i;
    }
}

static void vao_finish(struct hgl_vao *vao)
{
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        sl_free(vao->bindings[i].data);
    }
}

struct hgl_state *hgl_state_new(const struct hgl_state *share)
{
    struct hgl_state *s = sl_alloc(sizeof *s);
    struct hgl_group *group = share != NULL ? hgl_group_ref(share->group) : hgl_group_new();
    if (s == NULL || group == NULL) {
        sl_free(s);
        hgl_group_put(group);
        return NULL;
    }
    *s = (struct hgl_state){.array_buffer = -1, .element_buffer = -1, .group = group};
    vao_init(&s->zero, 0);
    s->vao = &s->zero;
    sl_map_init(&s->vaos, VAOS_MAX);
    sl_map_init(&s->queries, QUERIES_MAX);
    sl_map_init(&s->results, QUERIES_MAX);
    sl_map_init(&s->captures, QUERIES_MAX);
    hgl_kept_init(s);
    return s;
}

void hgl_state_free(struct hgl_state *state)
{
    uint32_t cursor = 0;
    struct hgl_vao *vao;
    while ((vao = sl_map_next(&state->vaos, &cursor, NULL)) != NULL) {
        vao_finish(vao);
        sl_free(vao);
    }
    sl_map_finish(&state->vaos);
    vao_finish(&state->zero);
    hgl_messages_free(state->messages);
    hgl_queries_finish(state);
    hgl_captures_finish(state);
    hgl_kept_finish(state);
    sl_free(state->clock);
    hgl_group_put(state->group);
    sl_free(state);
}

struct hgl_state *hgl_state_of(struct hr_call *call)
{
    struct hgl_state *s = hgl_api_of(call)->state;
    if (s == NULL) {
        hr_call_refuse(call, "no context of this API is current");
    }
    return s;
}

struct hgl_state *hgl_state_of_any(struct hr_call *call)
{
    struct hgl_state *s = hgl_api_of(call)->ring->es1.state;
    return s != NULL ? s : hgl_state_of(call);
}

static uint32_t query(const struct gl_driver *gl, GLenum name)
{
    GLint value = 0;
    gl->GetIntegerv(name, &value);
    return (uint32_t)value;
}

uint32_t hgl_array_buffer(const struct gl_driver *gl, struct hgl_state *s)
{
    if (s->array_buffer < 0) {
        s->array_buffer = query(gl, GL_ARRAY_BUFFER_BINDING);
    }
    return (uint32_t)s->array_buffer;
}

uint32_t hgl_element_buffer(const struct gl_driver *gl, struct hgl_state *s)
{
    if (s->element_buffer < 0) {
        s->element_buffer = query(gl, GL_ELEMENT_ARRAY_BUFFER_BINDING);
    }
    return (uint32_t)s->element_buffer;
}

uint32_t hgl_element_bytes(uint32_t type, uint32_t size)
{
    if (size < 1 || size > 4) {
        return 0;
    }
    switch (type) {
    case GL_BYTE:
    case GL_UNSIGNED_BYTE:
        return size;
    case GL_SHORT:
    case GL_UNSIGNED_SHORT:
    case GL_HALF_FLOAT:
    case GL_HALF_FLOAT_OES:
        return size * 2;
    case GL_INT:
    case GL_UNSIGNED_INT:
    case GL_FLOAT:
    case GL_FIXED:
        return size * 4;
    case GL_INT_2_10_10_10_REV:
    case GL_UNSIGNED_INT_2_10_10_10_REV:
        return size == 4 ? 4 : 0;
    default:
        return 0;
    }
}

/* The driver's enable follows the guest's where there is a source. */
static void sync_array(const struct gl_driver *gl, struct hgl_vao *vao, uint32_t i)
{
    uint32_t bit = 1u << i;
    enum hgl_source source = vao->bindings[vao->binding_of[i]].source;
    bool want = (vao->enabled & bit) != 0 && source != HGL_NONE;
    vao->client = source == HGL_CLIENT ? vao->client | bit : vao->client & ~bit;
    if (want == ((vao->on & bit) != 0)) {
        return;
    }
    vao->on ^= bit;
    if (want) {
        gl->EnableVertexAttribArray(i);
    } else {
        gl->DisableVertexAttribArray(i);
    }
}

static void sync_arrays(const struct gl_driver *gl, struct hgl_vao *vao)
{
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        sync_array(gl, vao, i);
    }
}

/* The attribute's state for a handler with an index, or NULL (refused). */
static struct hgl_state *state_for(struct hr_call *call, uint32_t index)
{
    struct hgl_state *s = hgl_state_of(call);
    if (s != NULL && index >= HGL_ARRAYS) {
        hr_call_refuse(call, "attribute %u of %u", index, HGL_ARRAYS);
        return NULL;
    }
    return s;
}

void hgl_glEnableVertexAttribArray(struct hr_call *call,
                                   const struct gles2_args_glEnableVertexAttribArray *args)
{
    struct hgl_state *s = state_for(call, args->index);
    if (s != NULL) {
        s->vao->enabled |= 1u << args->index;
        sync_array(hgl_api_of(call)->gl, s->vao, args->index);
    }
}

void hgl_glDisableVertexAttribArray(struct hr_call *call,
                                    const struct gles2_args_glDisableVertexAttribArray *args)
{
    struct hgl_state *s = state_for(call, args->index);
    if (s != NULL) {
        s->vao->enabled &= ~(1u << args->index);
        sync_array(hgl_api_of(call)->gl, s->vao, args->index);
    }
}

void hgl_glVertexAttribDivisor(struct hr_call *call,
                               const struct gles2_args_glVertexAttribDivisor *args)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = state_for(call, args->index);
    if (s == NULL || gl->VertexAttribDivisor == NULL) {
        return;
    }
    gl->VertexAttribDivisor(args->index, args->divisor);
    s->vao->binding_of[args->index] = (uint8_t)args->index;
    s->vao->bindings[args->index].divisor = args->divisor;
    sync_array(gl, s->vao, args->index);
}

bool hgl_binding_fill(struct hgl_binding *b, const void *data, size_t size, uint32_t element,
                      uint8_t **old)
{
    *old = NULL;
    if (size > b->capacity || b->data == NULL) {
        size_t capacity = size + size / 2 + 64;
        uint8_t *more = sl_alloc(capacity);
        if (more == NULL) {
            return false;
        }
        *old = b->data;
        b->data = more;
        b->capacity = capacity;
        b->type = 0; /* no pointer call with this address was made */
    }
    memcpy(b->data, data, size);
    b->elements = (uint32_t)(size / element);
    return true;
}

struct pointer {
    uint32_t index, size, type, normalized;
    bool integer;
};

static void give_pointer(const struct gl_driver *gl, const struct pointer *p, uint32_t stride,
                         const void *at)
{
    if (p->integer) {
        gl->VertexAttribIPointer(p->index, (GLint)p->size, p->type, (GLsizei)stride, at);
    } else {
        gl->VertexAttribPointer(p->index, (GLint)p->size, p->type, (GLboolean)p->normalized,
                                (GLsizei)stride, at);
    }
}

static bool pointer_known(const struct hgl_binding *b, const struct pointer *p)
{
    return b->source == HGL_CLIENT && b->size == p->size && b->type == p->type &&
           b->normalized == p->normalized && b->integer == p->integer;
}

static void pointer_data(struct hr_call *call, const struct pointer *p, const void *data,
                         size_t size)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = state_for(call, p->index);
    uint32_t element = hgl_element_bytes(p->type, p->size);
    if (s == NULL || element == 0 || (p->integer && gl->VertexAttribIPointer == NULL)) {
        hr_call_refuse(call, "attribute %u, size %u, type 0x%x", p->index, p->size, p->type);
        return;
    }
    struct hgl_vao *vao = s->vao;
    struct hgl_binding *b = &vao->bindings[p->index];
    bool known = vao->binding_of[p->index] == p->index && pointer_known(b, p);
    uint8_t *old;
    if (!hgl_binding_fill(b, data, size, element, &old)) {
        hr_call_refuse(call, "no memory for %zu bytes", size);
        return;
    }
    vao->fresh |= 1u << p->index;
    if (known && old == NULL) {
        return; /* the driver points there already */
    }
    uint32_t bound = hgl_array_buffer(gl, s);
    if (bound != 0) {
        gl->BindBuffer(GL_ARRAY_BUFFER, 0);
    }
    give_pointer(gl, p, 0, b->data);
    if (bound != 0) {
        gl->BindBuffer(GL_ARRAY_BUFFER, bound);
    }
    void *now = NULL;
    gl->GetVertexAttribPointerv(p->index, GL_VERTEX_ATTRIB_ARRAY_POINTER, &now);
    vao->binding_of[p->index] = (uint8_t)p->index;
    b->source = now == b->data
                    ? HGL_CLIENT
                    : HGL_NONE; /* refused by the driver, which may still point at old data: off */
    b->size = p->size;
    b->type = p->type;
    b->normalized = p->normalized;
    b->integer = p->integer;
    sync_array(gl, vao, p->index);
    sl_free(old);
}

void hgl_glVertexAttribPointerData(struct hr_call *call,
                                   const struct gles2_args_glVertexAttribPointerData *args)
{
    /* The stride is the application's; the data is packed. */
    const struct pointer p = {args->indx, (uint32_t)args->size, args->type, args->normalized,
                              false};
    pointer_data(call, &p, args->data, args->data_size);
}

void hgl_glVertexAttribIPointerDataAEMU(
    struct hr_call *call, const struct gles2_args_glVertexAttribIPointerDataAEMU *args)
{
    const struct pointer p = {args->index, (uint32_t)args->size, args->type, 0, true};
    pointer_data(call, &p, args->data, args->data_size);
}

static void pointer_offset(struct hr_call *call, const struct pointer *p, int32_t stride,
                           uint32_t offset)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = state_for(call, p->index);
    if (s == NULL || (p->integer && gl->VertexAttribIPointer == NULL)) {
        return;
    }
    uint32_t buffer = hgl_array_buffer(gl, s);
    if (buffer == 0) {
        hr_call_refuse(call, "attribute %u: offset %u without a buffer", p->index, offset);
        return;
    }
    struct hgl_vao *vao = s->vao;
    struct hgl_binding *b = &vao->bindings[p->index];
    bool safe = vao->binding_of[p->index] == p->index && b->source == HGL_BUFFER;
    give_pointer(gl, p, (uint32_t)stride, (const void *)(uintptr_t)offset);
    if (!safe) { /* has the driver taken it? if not, what was there before is not tracked any more:
                    off */
        GLint taken = 0;
        gl->GetVertexAttribiv(p->index, GL_VERTEX_ATTRIB_ARRAY_BUFFER_BINDING, &taken);
        vao->binding_of[p->index] = (uint8_t)p->index;
        b->source = (uint32_t)taken == buffer ? HGL_BUFFER : HGL_NONE;
        sync_array(gl, vao, p->index);
    }
    b->buffer = buffer;
}

void hgl_glVertexAttribPointerOffset(struct hr_call *call,
                                     const struct gles2_args_glVertexAttribPointerOffset *args)
{
    const struct pointer p = {args->indx, (uint32_t)args->size, args->type, args->normalized,
                              false};
    pointer_offset(call, &p, args->stride, args->offset);
}

void hgl_glVertexAttribIPointerOffsetAEMU(
    struct hr_call *call, const struct gles2_args_glVertexAttribIPointerOffsetAEMU *args)
{
    const struct pointer p = {args->index, (uint32_t)args->size, args->type, 0, true};
    pointer_offset(call, &p, args->stride, args->offset);
}

/* --- buffers --- */

void hgl_glBindBuffer(struct hr_call *call, const struct gles2_args_glBindBuffer *args)
{
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL) {
        return;
    }
    hgl_api_of(call)->gl->BindBuffer(args->target, args->buffer);
    if (args->target == GL_ARRAY_BUFFER) {
        s->array_buffer = -1;
    } else if (args->target == GL_ELEMENT_ARRAY_BUFFER) {
        s->element_buffer = -1;
    }
}

static bool listed(const uint8_t *names, uint32_t count, uint32_t name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (sl_load_u32(names + (size_t)i * 4) == name) {
            return true;
        }
    }
    return false;
}

void hgl_glDeleteBuffers(struct hr_call *call, const struct gles2_args_glDeleteBuffers *args)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || args->n < 0) {
        return;
    }
    hgl_unnaming(s, HGL_BUFFERS, gl->IsBuffer, args->buffers, args->n);
    if (hgl_api_of(call)->ring->keeps) {
        hgl_kept_deletes(gl, s, args->buffers, (uint32_t)args->n);
    }
    gl->DeleteBuffers(args->n, args->buffers);
    s->array_buffer = s->element_buffer = -1;
    struct hgl_vao *vao = s->vao;
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        struct hgl_binding *b = &vao->bindings[vao->binding_of[i]];
        if (b->source == HGL_BUFFER && listed(args->buffers, (uint32_t)args->n, b->buffer)) {
            GLint bound = 0;
            gl->GetVertexAttribiv(i, GL_VERTEX_ATTRIB_ARRAY_BUFFER_BINDING, &bound);
            b->source = bound != 0 ? HGL_BUFFER : HGL_NONE;
        }
    }
    for (uint32_t i = 0; i < HGL_ARRAYS;
         i++) { /* binding points that no attribute uses at the moment */
        struct hgl_binding *b = &vao->bindings[i];
        if (b->source == HGL_BUFFER && b->buffer != 0 && vao->binding_of[i] != i &&
            listed(args->buffers, (uint32_t)args->n, b->buffer)) {
            b->source = HGL_NONE;
        }
    }
    sync_arrays(gl, vao);
}

/* --- vertex array objects --- */

static void bind_vao(struct hr_call *call, uint32_t name, void (*bind)(GLuint))
{
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || bind == NULL) {
        return;
    }
    struct hgl_vao *vao = name == 0 ? &s->zero : sl_map_find(&s->vaos, name);
    if (vao == NULL) {
        vao = sl_alloc(sizeof *vao);
        if (vao == NULL) {
            return;
        }
        vao_init(vao, name);
        if (sl_map_add(&s->vaos, name, vao) != SL_OK) {
            sl_free(vao);
            hr_call_refuse(call, "more than %u vertex array objects", VAOS_MAX);
            return;
        }
    }
    bind(name);
    s->element_buffer = -1;
    if (query(hgl_api_of(call)->gl, GL_VERTEX_ARRAY_BINDING) == name) {
        s->vao = vao;
    }
}

void hgl_glBindVertexArray(struct hr_call *call, const struct gles2_args_glBindVertexArray *args)
{
    bind_vao(call, args->array, hgl_api_of(call)->gl->BindVertexArray);
}

void hgl_glBindVertexArrayOES(struct hr_call *call,
                              const struct gles2_args_glBindVertexArrayOES *args)
{
    bind_vao(call, args->array, hgl_api_of(call)->gl->BindVertexArrayOES);
}

static void delete_vaos(struct hr_call *call, int32_t n, const uint8_t *names,
                        void (*delete)(GLsizei, const GLuint *))
{
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || delete == NULL || n < 0) {
        return;
    }
    delete (n, (const GLuint *)(const void *)names);
    for (int32_t i = 0; i < n; i++) {
        uint32_t name = sl_load_u32(names + (size_t)i * 4);
        struct hgl_vao *vao = name != 0 ? sl_map_remove(&s->vaos, name) : NULL;
        if (vao == NULL) {
            continue;
        }
        if (s->vao == vao) {
            s->vao = &s->zero;
            s->element_buffer = -1;
        }
        vao_finish(vao);
        sl_free(vao);
    }
}

void hgl_glDeleteVertexArrays(struct hr_call *call,
                              const struct gles2_args_glDeleteVertexArrays *args)
{
    delete_vaos(call, args->n, args->arrays, hgl_api_of(call)->gl->DeleteVertexArrays);
}

void hgl_glDeleteVertexArraysOES(struct hr_call *call,
                                 const struct gles2_args_glDeleteVertexArraysOES *args)
{
    delete_vaos(call, args->n, args->arrays, hgl_api_of(call)->gl->DeleteVertexArraysOES);
}

/* --- GLES 3.1: formats and binding points apart --- */

/* They re-route attributes: allowed where no client array could be read with another format than it
 * was measured for. */
static struct hgl_state *state_for_route(struct hr_call *call, uint32_t a, uint32_t b, bool offered)
{
    struct hgl_state *s = hgl_state_of(call);
    if (s != NULL && (!offered || s->vao == &s->zero || s->vao->client != 0 || a >= HGL_ARRAYS ||
                      b >= HGL_ARRAYS)) {
        hr_call_refuse(call, "attribute or binding %u, %u of vertex array %u", a, b, s->vao->name);
        return NULL;
    }
    return s;
}

void hgl_glVertexAttribFormat(struct hr_call *call,
                              const struct gles2_args_glVertexAttribFormat *args)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (state_for_route(call, args->attribindex, 0, gl->VertexAttribFormat != NULL) != NULL) {
        gl->VertexAttribFormat(args->attribindex, args->size, args->type, args->normalized,
                               args->relativeoffset);
    }
}

void hgl_glVertexAttribIFormat(struct hr_call *call,
                               const struct gles2_args_glVertexAttribIFormat *args)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (state_for_route(call, args->attribindex, 0, gl->VertexAttribIFormat != NULL) != NULL) {
        gl->VertexAttribIFormat(args->attribindex, args->size, args->type, args->relativeoffset);
    }
}

void hgl_glVertexAttribBinding(struct hr_call *call,
                               const struct gles2_args_glVertexAttribBinding *args)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = state_for_route(call, args->attribindex, args->bindingindex,
                                          gl->VertexAttribBinding != NULL);
    if (s != NULL) {
        gl->VertexAttribBinding(args->attribindex, args->bindingindex);
        s->vao->binding_of[args->attribindex] = (uint8_t)args->bindingindex;
        sync_array(gl, s->vao, args->attribindex);
    }
}

void hgl_glVertexBindingDivisor(struct hr_call *call,
                                const struct gles2_args_glVertexBindingDivisor *args)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s =
        state_for_route(call, args->bindingindex, 0, gl->VertexBindingDivisor != NULL);
    if (s != NULL) {
        gl->VertexBindingDivisor(args->bindingindex, args->divisor);
        s->vao->bindings[args->bindingindex].divisor = args->divisor;
    }
}

void hgl_glBindVertexBuffer(struct hr_call *call, const struct gles2_args_glBindVertexBuffer *args)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = state_for_route(
        call, args->bindingindex, 0, gl->BindVertexBuffer != NULL && gl->GetIntegeri_v != NULL);
    if (s == NULL) {
        return;
    }
    GLint bound = 0;
    gl->BindVertexBuffer(args->bindingindex, args->buffer, (GLintptr)args->offset,
                         (GLsizei)args->stride);
    gl->GetIntegeri_v(GL_VERTEX_BINDING_BUFFER, args->bindingindex, &bound);
    struct hgl_binding *b = &s->vao->bindings[args->bindingindex];
    b->source = bound != 0 ? HGL_BUFFER : HGL_NONE;
    b->buffer = (uint32_t)bound;
    sync_arrays(gl, s->vao);
}
