/* The fixed arrays of GLES 1: what an application says about them, and how the host hears of it.
 * They are kept as attributes of the default vertex array, and drawn by ggl_draw.c. */
#include "guest/gles/ggl_objects.h"

enum { BYTES = 1, SHORTS = 2, UBYTES = 4, FLOATS = 8, FIXEDS = 16 };

/* What the driver takes for each kind of array. */
static const struct {
    uint8_t types;
    uint8_t least, most; /* components */
} rules[] = {
    [GGL1_VERTEX] = {BYTES | SHORTS | FLOATS | FIXEDS, 2, 4},
    [GGL1_NORMAL] = {BYTES | SHORTS | FLOATS | FIXEDS, 3, 3},
    [GGL1_COLOR] = {UBYTES | FLOATS | FIXEDS, 4, 4},
    [GGL1_POINT_SIZE] = {FLOATS | FIXEDS, 1, 1},
    [GGL1_TEXCOORD] = {BYTES | SHORTS | FLOATS | FIXEDS, 2, 4},
};

/* The bit of a component's type, and its bytes; 0: no type. */
static uint32_t type_bit(GLenum type, uint32_t *bytes)
{
    switch (type) {
    case GL_BYTE:
        *bytes = 1;
        return BYTES;
    case GL_UNSIGNED_BYTE:
        *bytes = 1;
        return UBYTES;
    case GL_SHORT:
        *bytes = 2;
        return SHORTS;
    case GL_FLOAT:
        *bytes = 4;
        return FLOATS;
    case GL_FIXED:
        *bytes = 4;
        return FIXEDS;
    default:
        *bytes = 0;
        return 0;
    }
}

static uint32_t kind_of(uint32_t index)
{
    return index < GGL1_TEXCOORD ? index : GGL1_TEXCOORD;
}

uint32_t ggl1_unit(struct ggl_context *c, GLenum texture)
{
    uint32_t unit = texture - GL_TEXTURE0;
    if (unit < 2) { /* every driver has these */
        return unit;
    }
    if (c->fixed.units == 0) {
        GLint units = 0;
        gles1_call_glGetIntegerv(c->stream, GL_MAX_TEXTURE_UNITS, &units, 4);
        c->fixed.units = units < 2 ? 2 : units;
    }
    return unit < (uint32_t)c->fixed.units && unit < GGL1_UNITS ? unit : GGL1_UNITS;
}

/* --- what the host hears --- */

/* The client unit on the host while an array of a unit is spoken of. */
static void unit_begin(struct ggl_context *c, uint32_t index)
{
    if (index >= GGL1_TEXCOORD && index - GGL1_TEXCOORD != c->fixed.client_unit) {
        gles1_pack_glClientActiveTexture(ggl_pack(c), GL_TEXTURE0 + index - GGL1_TEXCOORD);
    }
}

static void unit_end(struct ggl_context *c, uint32_t index)
{
    if (index >= GGL1_TEXCOORD && index - GGL1_TEXCOORD != c->fixed.client_unit) {
        gles1_pack_glClientActiveTexture(ggl_pack(c), GL_TEXTURE0 + c->fixed.client_unit);
    }
}

void ggl1_array_data(struct ggl_context *c, uint32_t index, const struct sl_gather *g)
{
    const struct ggl_attrib *a = &c->vertex_array->attribs[index];
    struct sl_pack *p = ggl_pack(c);
    GLsizei stride = (GLsizei)a->stride;
    GLuint size = (GLuint)g->size;
    switch (index) {
    case GGL1_VERTEX:
        gles1_pack_glVertexPointerData(p, a->size, a->type, stride, g, size);
        break;
    case GGL1_NORMAL:
        gles1_pack_glNormalPointerData(p, a->type, stride, g, size);
        break;
    case GGL1_COLOR:
        gles1_pack_glColorPointerData(p, a->size, a->type, stride, g, size);
        break;
    case GGL1_POINT_SIZE:
        gles1_pack_glPointSizePointerData(p, a->type, stride, g, size);
        break;
    default:
        gles1_pack_glTexCoordPointerData(p, (GLint)(index - GGL1_TEXCOORD), a->size, a->type,
                                         stride, g, size);
        break;
    }
}

void ggl1_array_offset(struct ggl_context *c, uint32_t index, uint32_t offset)
{
    const struct ggl_attrib *a = &c->vertex_array->attribs[index];
    GLsizei stride = (GLsizei)a->stride;
    unit_begin(c, index);
    struct sl_pack *p = ggl_pack(c);
    switch (index) {
    case GGL1_VERTEX:
        gles1_pack_glVertexPointerOffset(p, a->size, a->type, stride, offset);
        break;
    case GGL1_NORMAL:
        gles1_pack_glNormalPointerOffset(p, a->type, stride, offset);
        break;
    case GGL1_COLOR:
        gles1_pack_glColorPointerOffset(p, a->size, a->type, stride, offset);
        break;
    case GGL1_POINT_SIZE:
        gles1_pack_glPointSizePointerOffset(p, a->type, stride, offset);
        break;
    default:
        gles1_pack_glTexCoordPointerOffset(p, a->size, a->type, stride, offset);
        break;
    }
    unit_end(c, index);
}

static void enable_send(struct ggl_context *c, uint32_t index, bool on)
{
    static const GLenum names[] = {GL_VERTEX_ARRAY, GL_NORMAL_ARRAY, GL_COLOR_ARRAY,
                                   GL_POINT_SIZE_ARRAY_OES, GL_TEXTURE_COORD_ARRAY};
    GLenum name = names[kind_of(index)];
    unit_begin(c, index);
    if (on) {
        gles1_pack_glEnableClientState(ggl_pack(c), name);
    } else {
        gles1_pack_glDisableClientState(ggl_pack(c), name);
    }
    unit_end(c, index);
}

/* --- pointers --- */

static void set_pointer(uint32_t index, GLint size, GLenum type, GLsizei stride,
                        const void *pointer)
{
    struct ggl_context *c = ggl1_current();
    if (!c) {
        return;
    }
    index = index == GGL1_TEXCOORD ? GGL1_TEXCOORD + c->fixed.client_unit : index;
    uint32_t kind = kind_of(index), bytes, buffer = c->buffers[GGL_BUFFER_ARRAY];
    struct ggl_vertex_array *va = c->vertex_array;
    bool typed = (type_bit(type, &bytes) & rules[kind].types) != 0;
    if (stride < 0 || !typed || size < rules[kind].least || size > rules[kind].most) {
        ggl_error(c, stride < 0 || typed ? GL_INVALID_VALUE : GL_INVALID_ENUM);
        return;
    }
    uint32_t element = bytes * (uint32_t)size;
    va->attribs[index] = (struct ggl_attrib){.pointer = pointer,
                                             .buffer = buffer,
                                             .stride = (uint32_t)stride,
                                             .pitch = stride ? (uint32_t)stride : element,
                                             .element = element,
                                             .type = type,
                                             .size = size};
    if (buffer) {
        va->client &= ~(1u << index);
        ggl1_array_offset(c, index, (uint32_t)(uintptr_t)pointer);
    } else {
        va->client |= 1u << index; /* travels with the draws */
    }
}

void ggl1_glVertexPointer(GLint size, GLenum type, GLsizei stride, const void *pointer)
{
    set_pointer(GGL1_VERTEX, size, type, stride, pointer);
}

void ggl1_glNormalPointer(GLenum type, GLsizei stride, const void *pointer)
{
    set_pointer(GGL1_NORMAL, 3, type, stride, pointer);
}

void ggl1_glColorPointer(GLint size, GLenum type, GLsizei stride, const void *pointer)
{
    set_pointer(GGL1_COLOR, size, type, stride, pointer);
}

void ggl1_glPointSizePointerOES(GLenum type, GLsizei stride, const void *pointer)
{
    set_pointer(GGL1_POINT_SIZE, 1, type, stride, pointer);
}

void ggl1_glTexCoordPointer(GLint size, GLenum type, GLsizei stride, const void *pointer)
{
    set_pointer(GGL1_TEXCOORD, size, type, stride, pointer);
}

/* The array that an enumerant names, of the client unit; GGL_MAX_ATTRIBS for none. */
static uint32_t named(const struct ggl_context *c, GLenum array)
{
    switch (array) {
    case GL_VERTEX_ARRAY:
        return GGL1_VERTEX;
    case GL_NORMAL_ARRAY:
        return GGL1_NORMAL;
    case GL_COLOR_ARRAY:
        return GGL1_COLOR;
    case GL_POINT_SIZE_ARRAY_OES:
        return GGL1_POINT_SIZE;
    case GL_TEXTURE_COORD_ARRAY:
        return GGL1_TEXCOORD + c->fixed.client_unit;
    default:
        return GGL_MAX_ATTRIBS;
    }
}

static void set_enabled(GLenum array, bool on)
{
    struct ggl_context *c = ggl1_current();
    if (!c) {
        return;
    }
    uint32_t index = named(c, array);
    if (index == GGL_MAX_ATTRIBS) {
        ggl_error(c, GL_INVALID_ENUM);
        return;
    }
    uint32_t bit = 1u << index;
    if (((c->vertex_array->enabled & bit) != 0) != on) {
        c->vertex_array->enabled ^= bit;
        enable_send(c, index, on);
    }
}

void ggl1_glEnableClientState(GLenum array)
{
    set_enabled(array, true);
}

void ggl1_glDisableClientState(GLenum array)
{
    set_enabled(array, false);
}

void ggl1_glClientActiveTexture(GLenum texture)
{
    struct ggl_context *c = ggl1_current();
    if (!c) {
        return;
    }
    uint32_t unit = ggl1_unit(c, texture);
    if (unit == GGL1_UNITS) {
        ggl_error(c, GL_INVALID_ENUM);
        return;
    }
    c->fixed.client_unit = unit;
    gles1_pack_glClientActiveTexture(ggl_pack(c), texture);
}

void ggl1_glGetPointerv(GLenum pname, void **params)
{
    struct ggl_context *c = ggl1_current();
    if (!c || !params) {
        return;
    }
    const struct ggl_attrib *attribs = c->vertex_array->attribs;
    switch (pname) {
    case GL_VERTEX_ARRAY_POINTER:
        *params = (void *)(uintptr_t)attribs[GGL1_VERTEX].pointer;
        break;
    case GL_NORMAL_ARRAY_POINTER:
        *params = (void *)(uintptr_t)attribs[GGL1_NORMAL].pointer;
        break;
    case GL_COLOR_ARRAY_POINTER:
        *params = (void *)(uintptr_t)attribs[GGL1_COLOR].pointer;
        break;
    case GL_POINT_SIZE_ARRAY_POINTER_OES:
        *params = (void *)(uintptr_t)attribs[GGL1_POINT_SIZE].pointer;
        break;
    case GL_TEXTURE_COORD_ARRAY_POINTER:
        *params = (void *)(uintptr_t)attribs[GGL1_TEXCOORD + c->fixed.client_unit].pointer;
        break;
    default:
        ggl_debug_pointer(c, pname, params);
        break;
    }
}

/* --- vertex array objects: listed where the driver lists them, and refused as it refuses them ---
 */

static void refuse_vertex_arrays(void)
{
    struct ggl_context *c = ggl1_current();
    if (c) {
        ggl_error(c, GL_INVALID_OPERATION);
    }
}

void ggl1_glBindVertexArrayOES(GLuint array)
{
    (void)array;
    refuse_vertex_arrays();
}

void ggl1_glDeleteVertexArraysOES(GLsizei n, const GLuint *arrays)
{
    (void)n, (void)arrays;
    refuse_vertex_arrays();
}

void ggl1_glGenVertexArraysOES(GLsizei n, GLuint *arrays)
{
    (void)n, (void)arrays;
    refuse_vertex_arrays();
}
