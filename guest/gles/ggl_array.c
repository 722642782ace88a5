/* Vertex arrays: what an application says about attributes. Pointers into buffers go to the host at
 * once, client pointers at draws. */
#include "guest/gles/ggl_objects.h"

#include "transport/base/mem.h"

#include <string.h>

/* Bytes of one component; 0: not a type of this version. */
static uint32_t component_size(const struct ggl_context *c, GLenum type)
{
    switch (type) {
    case GL_BYTE:
    case GL_UNSIGNED_BYTE:
        return 1;
    case GL_SHORT:
    case GL_UNSIGNED_SHORT:
    case GL_HALF_FLOAT_OES:
        return 2;
    case GL_FLOAT:
    case GL_FIXED:
        return 4;
    case GL_HALF_FLOAT:
        return c->version >= 30 ? 2 : 0;
    case GL_INT:
    case GL_UNSIGNED_INT:
        return c->version >= 30 ? 4 : 0;
    default:
        return 0;
    }
}

/* Bytes of one element, and the error a driver raises when there is none. */
static uint32_t element_size(const struct ggl_context *c, GLint size, GLenum type, bool integer,
                             GLenum *error)
{
    *error = GL_NO_ERROR;
    if (!integer && c->version >= 30 &&
        (type == GL_INT_2_10_10_10_REV || type == GL_UNSIGNED_INT_2_10_10_10_REV)) {
        *error = size < 1 || size > 4 ? GL_INVALID_VALUE
                 : size != 4          ? GL_INVALID_OPERATION
                                      : GL_NO_ERROR;
        return 4;
    }
    bool fraction =
        type == GL_FLOAT || type == GL_FIXED || type == GL_HALF_FLOAT || type == GL_HALF_FLOAT_OES;
    uint32_t bytes = integer && fraction ? 0 : component_size(c, type);
    if (bytes == 0) {
        *error = GL_INVALID_ENUM;
    } else if (size < 1 || size > 4) {
        *error = GL_INVALID_VALUE;
    }
    return bytes * (uint32_t)size;
}

static void store(struct ggl_context *c, GLuint index, const struct ggl_attrib *attrib)
{
    struct ggl_vertex_array *va = c->vertex_array;
    uint32_t divisor = va->attribs[index].divisor;
    va->attribs[index] = *attrib;
    va->attribs[index].divisor = divisor;
    if (attrib->buffer || va->name) {
        va->client &= ~(1u << index);
    } else {
        va->client |= 1u << index;
    }
}

static void set_pointer(struct ggl_context *c, GLuint index, GLint size, GLenum type, bool integer,
                        GLboolean normalized, GLsizei stride, const void *pointer)
{
    uint32_t buffer = c->buffers[GGL_BUFFER_ARRAY];
    if (index >= GGL_MAX_ATTRIBS) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    GLenum error;
    uint32_t element = element_size(c, size, type, integer, &error);
    if (stride < 0) {
        error = GL_INVALID_VALUE;
    } else if (!buffer && pointer && c->vertex_array->name) {
        error = GL_INVALID_OPERATION; /* client memory is for the default vertex array */
    }
    if (!error) {
        store(c, index,
              &(struct ggl_attrib){.pointer = pointer,
                                   .buffer = buffer,
                                   .stride = (uint32_t)stride,
                                   .size = size,
                                   .pitch = stride ? (uint32_t)stride : element,
                                   .element = element,
                                   .type = type,
                                   .normalized = normalized,
                                   .integer = integer});
    }
    if (!buffer && !c->vertex_array->name) {
        if (error) {
            ggl_error(c, error);
        }
        return; /* client memory travels with the draws */
    }
    if (!buffer && pointer) {
        ggl_error(c, error);
        return;
    }
    uint32_t offset = (uint32_t)(uintptr_t)pointer;
    if (integer) {
        gles2_pack_glVertexAttribIPointerOffsetAEMU(ggl_pack(c), index, size, type, stride, offset);
    } else {
        gles2_pack_glVertexAttribPointerOffset(ggl_pack(c), index, size, type, normalized, stride,
                                               offset);
    }
}

void ggl_glVertexAttribPointer(GLuint index, GLint size, GLenum type, GLboolean normalized,
                               GLsizei stride, const void *pointer)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        set_pointer(c, index, size, type, false, normalized, stride, pointer);
    }
}

void ggl_glVertexAttribIPointer(GLuint index, GLint size, GLenum type, GLsizei stride,
                                const void *pointer)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        set_pointer(c, index, size, type, true, GL_FALSE, stride, pointer);
    }
}

/* Only a change is sent. */
static void set_enabled(GLuint index, bool on)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    if (index >= GGL_MAX_ATTRIBS) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    struct ggl_vertex_array *va = c->vertex_array;
    uint32_t bit = 1u << index;
    if (((va->enabled & bit) != 0) == on) {
        return;
    }
    va->enabled ^= bit;
    if (on) {
        gles2_pack_glEnableVertexAttribArray(ggl_pack(c), index);
    } else {
        gles2_pack_glDisableVertexAttribArray(ggl_pack(c), index);
    }
}

void ggl_glEnableVertexAttribArray(GLuint index)
{
    set_enabled(index, true);
}

void ggl_glDisableVertexAttribArray(GLuint index)
{
    set_enabled(index, false);
}

void ggl_glVertexAttribDivisor(GLuint index, GLuint divisor)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    if (index >= GGL_MAX_ATTRIBS) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    c->vertex_array->attribs[index].divisor = divisor;
    gles2_pack_glVertexAttribDivisor(ggl_pack(c), index, divisor);
}

void ggl_glGenVertexArrays(GLsizei n, GLuint *arrays)
{
    struct ggl_context *c = ggl_current();
    if (!c || !ggl_names_given(c, n, arrays)) {
        return;
    }
    ggl_spare_gen_vertex_arrays(c, n, arrays);
    for (GLsizei i = 0; i < n; i++) {
        struct ggl_vertex_array *va = arrays[i] ? sl_alloc(sizeof *va) : NULL;
        if (!va) {
            continue;
        }
        ggl_vertex_array_init(va, arrays[i]);
        void *old = sl_map_find(&c->vertex_arrays, arrays[i]);
        if (!old && sl_map_set(&c->vertex_arrays, arrays[i], va) != SL_OK) {
            ggl_error(c, GL_OUT_OF_MEMORY);
            old = va;
        }
        sl_free(old ? va : NULL);
    }
}

void ggl_glBindVertexArray(GLuint array)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    struct ggl_vertex_array *va = array ? sl_map_find(&c->vertex_arrays, array) : &c->default_array;
    if (!va) {
        ggl_error(c, GL_INVALID_OPERATION);
        return;
    }
    c->vertex_array = va;
    gles2_pack_glBindVertexArray(ggl_pack(c), array);
}

void ggl_glDeleteVertexArrays(GLsizei n, const GLuint *arrays)
{
    struct ggl_context *c = ggl_current();
    if (!c || !ggl_names_given(c, n, arrays)) {
        return;
    }
    gles2_pack_glDeleteVertexArrays(ggl_pack(c), n, arrays, (uint32_t)n * 4);
    for (GLsizei i = 0; i < n; i++) {
        ggl_spare_use(c, GGL_SPARE_VERTEX_ARRAY, arrays[i]);
        struct ggl_vertex_array *va = sl_map_remove(&c->vertex_arrays, arrays[i]);
        if (va && va == c->vertex_array) {
            c->vertex_array = &c->default_array;
        }
        sl_free(va);
    }
}

void ggl_glBindVertexArrayOES(GLuint array)
{
    ggl_glBindVertexArray(array);
}

void ggl_glDeleteVertexArraysOES(GLsizei n, const GLuint *arrays)
{
    ggl_glDeleteVertexArrays(n, arrays);
}

void ggl_glGenVertexArraysOES(GLsizei n, GLuint *arrays)
{
    ggl_glGenVertexArrays(n, arrays);
}

void ggl_array_buffer_deleted(struct ggl_context *c, uint32_t name)
{
    struct ggl_vertex_array *va = c->vertex_array;
    if (va->element_buffer == name) {
        va->element_buffer = 0;
        va->element_host = 0;
    }
    for (uint32_t i = 0; i < GGL_MAX_ATTRIBS; i++) {
        if (va->attribs[i].buffer == name) {
            va->attribs[i].buffer = 0;
            va->attribs[i].pointer = NULL; /* the offset is no address */
            va->client |= va->name ? 0 : 1u << i;
        }
    }
}

/* What the guest knows better than the host: client arrays exist only here until a draw. False: ask
 * the host. */
static bool attrib_value(const struct ggl_context *c, GLuint index, GLenum pname, GLint *value)
{
    const struct ggl_vertex_array *va = c->vertex_array;
    if (va->name || index >= GGL_MAX_ATTRIBS) {
        return false;
    }
    const struct ggl_attrib *a = &va->attribs[index];
    switch (pname) {
    case GL_VERTEX_ATTRIB_ARRAY_ENABLED:
        *value = (va->enabled >> index) & 1;
        return true;
    case GL_VERTEX_ATTRIB_ARRAY_SIZE:
        *value = a->size;
        return true;
    case GL_VERTEX_ATTRIB_ARRAY_STRIDE:
        *value = (GLint)a->stride;
        return true;
    case GL_VERTEX_ATTRIB_ARRAY_TYPE:
        *value = (GLint)a->type;
        return true;
    case GL_VERTEX_ATTRIB_ARRAY_NORMALIZED:
        *value = a->normalized;
        return true;
    case GL_VERTEX_ATTRIB_ARRAY_BUFFER_BINDING:
        *value = (GLint)a->buffer;
        return true;
    case GL_VERTEX_ATTRIB_ARRAY_INTEGER:
        *value = a->integer;
        return c->version >= 30;
    case GL_VERTEX_ATTRIB_ARRAY_DIVISOR:
        *value = (GLint)a->divisor;
        return c->version >= 30;
    default:
        return false;
    }
}

/* The four glGetVertexAttrib*: one value, or four of GL_CURRENT_VERTEX_ATTRIB. */
#define GET_ATTRIB(Name, type)                                                                     \
    void ggl_gl##Name(GLuint index, GLenum pname, type *params)                                    \
    {                                                                                              \
        struct ggl_context *c = ggl_current();                                                     \
        GLint value;                                                                               \
        if (!c || !params) {                                                                       \
            return;                                                                                \
        }                                                                                          \
        if (attrib_value(c, index, pname, &value)) {                                               \
            *params = (type)value;                                                                 \
            return;                                                                                \
        }                                                                                          \
        type values[4] = {0};                                                                      \
        uint32_t size = pname == GL_CURRENT_VERTEX_ATTRIB ? sizeof values : sizeof *values;        \
        if (gles2_ask_gl##Name(c, index, pname, values, size)) {                                   \
            memcpy(params, values, size);                                                          \
        }                                                                                          \
    }
GET_ATTRIB(GetVertexAttribfv, GLfloat)
GET_ATTRIB(GetVertexAttribiv, GLint)
GET_ATTRIB(GetVertexAttribIiv, GLint)
GET_ATTRIB(GetVertexAttribIuiv, GLuint)

void ggl_glGetVertexAttribPointerv(GLuint index, GLenum pname, void **pointer)
{
    struct ggl_context *c = ggl_current();
    if (!c || !pointer) {
        return;
    }
    if (index >= GGL_MAX_ATTRIBS || pname != GL_VERTEX_ATTRIB_ARRAY_POINTER) {
        ggl_error(c, index >= GGL_MAX_ATTRIBS ? GL_INVALID_VALUE : GL_INVALID_ENUM);
        return;
    }
    *pointer = (void *)(uintptr_t)c->vertex_array->attribs[index].pointer;
}

/* Bindings apart from attributes are for named vertex arrays: the host's own 0 is ours. index: of
 * an attribute or a binding. */
static struct ggl_context *bindings_begin(GLuint index)
{
    struct ggl_context *c = ggl_current();
    if (c && (c->vertex_array->name == 0 || index >= GGL_MAX_ATTRIBS)) {
        ggl_error(c, c->vertex_array->name == 0 ? GL_INVALID_OPERATION : GL_INVALID_VALUE);
        return NULL;
    }
    return c;
}

void ggl_glBindVertexBuffer(GLuint binding, GLuint buffer, GLintptr offset, GLsizei stride)
{
    struct ggl_context *c = bindings_begin(binding);
    if (c) {
        gles2_pack_glBindVertexBuffer(ggl_pack(c), binding, buffer, offset, stride);
    }
}

void ggl_glVertexAttribBinding(GLuint index, GLuint binding)
{
    struct ggl_context *c = bindings_begin(index > binding ? index : binding);
    if (c) {
        gles2_pack_glVertexAttribBinding(ggl_pack(c), index, binding);
    }
}

void ggl_glVertexAttribFormat(GLuint index, GLint size, GLenum type, GLboolean normalized,
                              GLuint offset)
{
    struct ggl_context *c = bindings_begin(index);
    if (c) {
        gles2_pack_glVertexAttribFormat(ggl_pack(c), index, size, type, normalized, offset);
    }
}

void ggl_glVertexAttribIFormat(GLuint index, GLint size, GLenum type, GLuint offset)
{
    struct ggl_context *c = bindings_begin(index);
    if (c) {
        gles2_pack_glVertexAttribIFormat(ggl_pack(c), index, size, type, offset);
    }
}

void ggl_glVertexBindingDivisor(GLuint binding, GLuint divisor)
{
    struct ggl_context *c = bindings_begin(binding);
    if (c) {
        gles2_pack_glVertexBindingDivisor(ggl_pack(c), binding, divisor);
    }
}
