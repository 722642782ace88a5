/* GLES 1: client arrays and draws. The same rules as for GLES 2 (hgl_arrays.c, hgl_draw.c) over the
 * fixed arrays; vertex array objects are not offered here. */
#include "host/gles/hgl_group.h"

#include "host/gles1_hand.h"
#include "transport/base/mem.h"

#define UNITS (HGL_ARRAYS - HGL1_TEXCOORD)

static uint32_t place_of(const struct hgl_state *s, GLenum array)
{
    switch (array) {
    case GL_VERTEX_ARRAY:
        return HGL1_VERTEX;
    case GL_NORMAL_ARRAY:
        return HGL1_NORMAL;
    case GL_COLOR_ARRAY:
        return HGL1_COLOR;
    case GL_POINT_SIZE_ARRAY_OES:
        return HGL1_POINT_SIZE;
    case GL_MATRIX_INDEX_ARRAY_OES:
        return HGL1_MATRIX_INDEX;
    case GL_WEIGHT_ARRAY_OES:
        return HGL1_WEIGHT;
    case GL_TEXTURE_COORD_ARRAY:
        return HGL1_TEXCOORD + s->client_texture;
    default:
        return HGL_ARRAYS;
    }
}

void hgl1_switch_array(const struct gl_driver *gl, const struct hgl_state *s, uint32_t place,
                       bool on)
{
    static const GLenum names[] = {
        GL_VERTEX_ARRAY,         GL_NORMAL_ARRAY,           GL_COLOR_ARRAY,
        GL_POINT_SIZE_ARRAY_OES, GL_MATRIX_INDEX_ARRAY_OES, GL_WEIGHT_ARRAY_OES};
    GLenum name = place < HGL1_TEXCOORD ? names[place] : GL_TEXTURE_COORD_ARRAY;
    bool move = place >= HGL1_TEXCOORD && place - HGL1_TEXCOORD != s->client_texture;
    if (move) {
        gl->ClientActiveTexture(GL_TEXTURE0 + place - HGL1_TEXCOORD);
    }
    if (on) {
        gl->EnableClientState(name);
    } else {
        gl->DisableClientState(name);
    }
    if (move) {
        gl->ClientActiveTexture(GL_TEXTURE0 + s->client_texture);
    }
}

static void sync_array(const struct gl_driver *gl, struct hgl_state *s, uint32_t place)
{
    struct hgl_vao *vao = &s->zero;
    uint32_t bit = 1u << place;
    enum hgl_source source = vao->bindings[place].source;
    bool want = (vao->enabled & bit) != 0 && source != HGL_NONE;
    vao->client = source == HGL_CLIENT ? vao->client | bit : vao->client & ~bit;
    if (want != ((vao->on & bit) != 0)) {
        vao->on ^= bit;
        hgl1_switch_array(gl, s, place, want);
    }
}

static void enable(struct hr_call *call, GLenum array, bool on)
{
    struct hgl_state *s = hgl_state_of(call);
    uint32_t place = s != NULL ? place_of(s, array) : HGL_ARRAYS;
    if (place >= HGL_ARRAYS) {
        hr_call_refuse(call, "client state 0x%x", array);
        return;
    }
    s->zero.enabled = on ? s->zero.enabled | 1u << place : s->zero.enabled & ~(1u << place);
    sync_array(hgl_api_of(call)->gl, s, place);
}

void hgl1_glEnableClientState(struct hr_call *call, const struct gles1_args_glEnableClientState *a)
{
    enable(call, a->array, true);
}

void hgl1_glDisableClientState(struct hr_call *call,
                               const struct gles1_args_glDisableClientState *a)
{
    enable(call, a->array, false);
}

void hgl1_glClientActiveTexture(struct hr_call *call,
                                const struct gles1_args_glClientActiveTexture *a)
{
    struct hgl_state *s = hgl_state_of(call);
    uint32_t unit = a->texture - GL_TEXTURE0;
    if (s == NULL || unit >= UNITS) {
        hr_call_refuse(call, "texture unit %u of %u", unit, UNITS);
        return;
    }
    hgl_api_of(call)->gl->ClientActiveTexture(a->texture);
    s->client_texture = unit;
}

/* --- pointers --- */

const void *hgl1_point(const struct gl_driver *gl, const struct hgl_state *s,
                       const struct hgl1_pointer *p, const void *at)
{
    void *now = NULL;
    GLenum query = GL_TEXTURE_COORD_ARRAY_POINTER;
    switch (p->place) {
    case HGL1_VERTEX:
        gl->VertexPointer(p->size, p->type, p->stride, at);
        query = GL_VERTEX_ARRAY_POINTER;
        break;
    case HGL1_NORMAL:
        gl->NormalPointer(p->type, p->stride, at);
        query = GL_NORMAL_ARRAY_POINTER;
        break;
    case HGL1_COLOR:
        gl->ColorPointer(p->size, p->type, p->stride, at);
        query = GL_COLOR_ARRAY_POINTER;
        break;
    case HGL1_POINT_SIZE:
        gl->PointSizePointerOES(p->type, p->stride, at);
        query = GL_POINT_SIZE_ARRAY_POINTER_OES;
        break;
    case HGL1_MATRIX_INDEX:
        gl->MatrixIndexPointerOES(p->size, p->type, p->stride, at);
        query = GL_MATRIX_INDEX_ARRAY_POINTER_OES;
        break;
    case HGL1_WEIGHT:
        gl->WeightPointerOES(p->size, p->type, p->stride, at);
        query = GL_WEIGHT_ARRAY_POINTER_OES;
        break;
    default:
        gl->ClientActiveTexture(GL_TEXTURE0 + p->place - HGL1_TEXCOORD);
        gl->TexCoordPointer(p->size, p->type, p->stride, at);
        break;
    }
    gl->GetPointerv(query, &now);
    if (p->place >= HGL1_TEXCOORD) {
        gl->ClientActiveTexture(GL_TEXTURE0 + s->client_texture);
    }
    return now;
}

static bool offered(const struct gl_driver *gl, uint32_t place)
{
    return place < HGL_ARRAYS && (place != HGL1_POINT_SIZE || gl->PointSizePointerOES != NULL) &&
           (place != HGL1_MATRIX_INDEX || gl->MatrixIndexPointerOES != NULL) &&
           (place != HGL1_WEIGHT || gl->WeightPointerOES != NULL);
}

static void pointer_data(struct hr_call *call, struct hgl1_pointer p, const void *data,
                         uint32_t size)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    uint32_t element = p.size > 0 ? hgl_element_bytes(p.type, (uint32_t)p.size) : 0;
    if (s == NULL || element == 0 || !offered(gl, p.place)) {
        hr_call_refuse(call, "array %u, size %d, type 0x%x", p.place, p.size, p.type);
        return;
    }
    struct hgl_binding *b = &s->zero.bindings[p.place];
    uint8_t *old;
    if (!hgl_binding_fill(b, data, size, element, &old)) {
        hr_call_refuse(call, "no memory for %u bytes", size);
        return;
    }
    uint32_t bound = hgl_array_buffer(gl, s);
    if (bound != 0) {
        gl->BindBuffer(GL_ARRAY_BUFFER, 0);
    }
    p.stride = 0;
    b->source = hgl1_point(gl, s, &p, b->data) == b->data ? HGL_CLIENT : HGL_NONE;
    if (bound != 0) {
        gl->BindBuffer(GL_ARRAY_BUFFER, bound);
    }
    s->zero.fresh |= 1u << p.place;
    sync_array(gl, s, p.place);
    sl_free(old);
}

static void pointer_offset(struct hr_call *call, struct hgl1_pointer p, uint32_t offset)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    uint32_t buffer = s != NULL ? hgl_array_buffer(gl, s) : 0;
    if (buffer == 0 || !offered(gl, p.place)) {
        hr_call_refuse(call, "array %u: offset %u without a buffer", p.place, offset);
        return;
    }
    struct hgl_binding *b = &s->zero.bindings[p.place];
    bool taken =
        hgl1_point(gl, s, &p, (const void *)(uintptr_t)offset) == (const void *)(uintptr_t)offset;
    b->source = taken ? HGL_BUFFER : b->source == HGL_BUFFER ? HGL_BUFFER : HGL_NONE;
    b->buffer = buffer;
    sync_array(gl, s, p.place);
}

void hgl1_glVertexPointerData(struct hr_call *call, const struct gles1_args_glVertexPointerData *a)
{
    pointer_data(call, (struct hgl1_pointer){HGL1_VERTEX, a->size, a->type, 0}, a->data,
                 a->data_size);
}

void hgl1_glColorPointerData(struct hr_call *call, const struct gles1_args_glColorPointerData *a)
{
    pointer_data(call, (struct hgl1_pointer){HGL1_COLOR, a->size, a->type, 0}, a->data,
                 a->data_size);
}

void hgl1_glNormalPointerData(struct hr_call *call, const struct gles1_args_glNormalPointerData *a)
{
    pointer_data(call, (struct hgl1_pointer){HGL1_NORMAL, 3, a->type, 0}, a->data, a->data_size);
}

void hgl1_glTexCoordPointerData(struct hr_call *call,
                                const struct gles1_args_glTexCoordPointerData *a)
{
    uint32_t unit = (uint32_t)a->unit < UNITS ? (uint32_t)a->unit : UNITS;
    pointer_data(call, (struct hgl1_pointer){HGL1_TEXCOORD + unit, a->size, a->type, 0}, a->data,
                 a->data_size);
}

void hgl1_glPointSizePointerData(struct hr_call *call,
                                 const struct gles1_args_glPointSizePointerData *a)
{
    pointer_data(call, (struct hgl1_pointer){HGL1_POINT_SIZE, 1, a->type, 0}, a->data,
                 a->data_size);
}

void hgl1_glWeightPointerData(struct hr_call *call, const struct gles1_args_glWeightPointerData *a)
{
    pointer_data(call, (struct hgl1_pointer){HGL1_WEIGHT, a->size, a->type, 0}, a->data,
                 a->data_size);
}

void hgl1_glMatrixIndexPointerData(struct hr_call *call,
                                   const struct gles1_args_glMatrixIndexPointerData *a)
{
    pointer_data(call, (struct hgl1_pointer){HGL1_MATRIX_INDEX, a->size, a->type, 0}, a->data,
                 a->data_size);
}

void hgl1_glVertexPointerOffset(struct hr_call *call,
                                const struct gles1_args_glVertexPointerOffset *a)
{
    pointer_offset(call, (struct hgl1_pointer){HGL1_VERTEX, a->size, a->type, a->stride},
                   a->offset);
}

void hgl1_glColorPointerOffset(struct hr_call *call,
                               const struct gles1_args_glColorPointerOffset *a)
{
    pointer_offset(call, (struct hgl1_pointer){HGL1_COLOR, a->size, a->type, a->stride}, a->offset);
}

void hgl1_glNormalPointerOffset(struct hr_call *call,
                                const struct gles1_args_glNormalPointerOffset *a)
{
    pointer_offset(call, (struct hgl1_pointer){HGL1_NORMAL, 3, a->type, a->stride}, a->offset);
}

void hgl1_glTexCoordPointerOffset(struct hr_call *call,
                                  const struct gles1_args_glTexCoordPointerOffset *a)
{
    const struct hgl_state *s = hgl_api_of(call)->state;
    uint32_t unit = s != NULL ? s->client_texture : 0;
    pointer_offset(call, (struct hgl1_pointer){HGL1_TEXCOORD + unit, a->size, a->type, a->stride},
                   a->offset);
}

void hgl1_glPointSizePointerOffset(struct hr_call *call,
                                   const struct gles1_args_glPointSizePointerOffset *a)
{
    pointer_offset(call, (struct hgl1_pointer){HGL1_POINT_SIZE, 1, a->type, a->stride}, a->offset);
}

void hgl1_glWeightPointerOffset(struct hr_call *call,
                                const struct gles1_args_glWeightPointerOffset *a)
{
    pointer_offset(call, (struct hgl1_pointer){HGL1_WEIGHT, a->size, a->type, a->stride},
                   a->offset);
}

void hgl1_glMatrixIndexPointerOffset(struct hr_call *call,
                                     const struct gles1_args_glMatrixIndexPointerOffset *a)
{
    pointer_offset(call, (struct hgl1_pointer){HGL1_MATRIX_INDEX, a->size, a->type, a->stride},
                   a->offset);
}

/* --- buffers --- */

void hgl1_glBindBuffer(struct hr_call *call, const struct gles1_args_glBindBuffer *a)
{
    struct hgl_state *s = hgl_state_of(call);
    if (s != NULL) {
        hgl_api_of(call)->gl->BindBuffer(a->target, a->buffer);
        s->array_buffer = s->element_buffer = -1;
    }
}

void hgl1_glDeleteBuffers(struct hr_call *call, const struct gles1_args_glDeleteBuffers *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || a->n < 0) {
        return;
    }
    if ((uint64_t)(uint32_t)a->n * 4 > a->buffers_size) {
        hr_call_refuse(call, "%d names in %u bytes", a->n, a->buffers_size);
        return;
    }
    hgl_unnaming(s, HGL_BUFFERS, gl->IsBuffer, a->buffers, a->n);
    gl->DeleteBuffers(a->n, a->buffers);
    s->array_buffer = s->element_buffer = -1;
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        struct hgl_binding *b = &s->zero.bindings[i];
        for (int32_t j = 0; j < a->n && b->source == HGL_BUFFER; j++) {
            if (sl_load_u32((const uint8_t *)a->buffers + (size_t)j * 4) == b->buffer) {
                b->source = HGL_NONE; /* the guest gives the pointer again if it lives on in another
                                         context */
            }
        }
        sync_array(gl, s, i);
    }
}

/* --- draws --- */

static bool draw_begin(struct hr_call *call, struct hgl_state *s, uint64_t vertices, uint32_t *off)
{
    struct hgl_vao *vao = &s->zero;
    *off = 0;
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        uint32_t bit = 1u << i;
        if ((vao->on & vao->client & bit) == 0 || vertices <= vao->bindings[i].elements) {
            continue;
        }
        if ((vao->fresh & bit) != 0 && vertices != HGL_ANY_VERTEX) {
            hr_call_refuse(call, "array %u has %u elements, the draw reads %llu", i,
                           vao->bindings[i].elements, (unsigned long long)vertices);
            return false;
        }
        *off |= bit;
    }
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        if ((*off & 1u << i) != 0) {
            hgl1_switch_array(hgl_api_of(call)->gl, s, i, false);
        }
    }
    vao->fresh = 0;
    return true;
}

static void draw_end(const struct gl_driver *gl, const struct hgl_state *s, uint32_t off)
{
    for (uint32_t i = 0; off != 0; i++, off >>= 1) {
        if ((off & 1) != 0) {
            hgl1_switch_array(gl, s, i, true);
        }
    }
}

void hgl1_glDrawArrays(struct hr_call *call, const struct gles1_args_glDrawArrays *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    uint32_t off;
    uint64_t end = a->first >= 0 && a->count > 0 ? (uint64_t)a->first + (uint64_t)a->count : 0;
    if (s != NULL && draw_begin(call, s, end, &off)) {
        gl->DrawArrays(a->mode, a->first, a->count);
        draw_end(gl, s, off);
    }
}

void hgl1_glDrawElementsData(struct hr_call *call, const struct gles1_args_glDrawElementsData *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    uint32_t bytes = hgl_index_bytes(a->type), off;
    if (s != NULL && (bytes == 0 || a->count < 0)) {
        gl->DrawElements(a->mode, a->count, a->type, NULL); /* it reads nothing, and says why */
        return;
    }
    if (s == NULL || (uint64_t)(uint32_t)a->count * bytes > a->data_size) {
        hr_call_refuse(call, "%d indices of type 0x%x in %u bytes", a->count, a->type,
                       a->data_size);
        return;
    }
    if (draw_begin(call, s, hgl_index_end(gl, s, a->data, (uint32_t)a->count, a->type), &off)) {
        uint32_t bound = hgl_element_buffer(gl, s);
        if (bound != 0) {
            gl->BindBuffer(GL_ELEMENT_ARRAY_BUFFER, 0);
        }
        gl->DrawElements(a->mode, a->count, a->type, a->data);
        if (bound != 0) {
            gl->BindBuffer(GL_ELEMENT_ARRAY_BUFFER, bound);
        }
        draw_end(gl, s, off);
    }
}

void hgl1_glDrawElementsOffset(struct hr_call *call,
                               const struct gles1_args_glDrawElementsOffset *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    uint32_t off;
    if (s == NULL || hgl_element_buffer(gl, s) == 0) {
        hr_call_refuse(call, "offset %u without an index buffer", a->offset);
        return;
    }
    if (draw_begin(call, s, HGL_ANY_VERTEX, &off)) {
        gl->DrawElements(a->mode, a->count, a->type, (const void *)(uintptr_t)a->offset);
        draw_end(gl, s, off);
    }
}

void hgl1_glBindVertexArrayOES(struct hr_call *call,
                               const struct gles1_args_glBindVertexArrayOES *a)
{
    if (a->array != 0) {
        hr_call_refuse(call, "vertex array objects are not offered in GLES 1");
    }
}

void hgl1_glDeleteVertexArraysOES(struct hr_call *call,
                                  const struct gles1_args_glDeleteVertexArraysOES *a)
{
    (void)call; /* none was ever bound */
    (void)a;
}
