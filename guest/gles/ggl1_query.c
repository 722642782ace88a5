/* glGet* of GLES 1: arrays and bindings are answered here, the rest is asked of the host. */
#include "guest/gles/ggl_objects.h"

#include <string.h>

/* The most values that a parameter has. */
#define VALUES_MAX 16
/* The most compressed formats that are told. */
#define FORMATS_MAX 256

static uint32_t value_count(GLenum pname)
{
    switch (pname) {
    case GL_MODELVIEW_MATRIX:
    case GL_PROJECTION_MATRIX:
    case GL_TEXTURE_MATRIX:
        return 16;
    case GL_CURRENT_COLOR:
    case GL_CURRENT_TEXTURE_COORDS:
    case GL_FOG_COLOR:
    case GL_LIGHT_MODEL_AMBIENT:
    case GL_COLOR_CLEAR_VALUE:
    case GL_COLOR_WRITEMASK:
    case GL_SCISSOR_BOX:
    case GL_VIEWPORT:
        return 4;
    case GL_CURRENT_NORMAL:
    case GL_POINT_DISTANCE_ATTENUATION:
        return 3;
    case GL_ALIASED_LINE_WIDTH_RANGE:
    case GL_ALIASED_POINT_SIZE_RANGE:
    case GL_SMOOTH_LINE_WIDTH_RANGE:
    case GL_SMOOTH_POINT_SIZE_RANGE:
    case GL_DEPTH_RANGE:
    case GL_MAX_VIEWPORT_DIMS:
        return 2;
    default:
        return 1;
    }
}

/* The array that a parameter or capability is about; GGL_MAX_ATTRIBS for none. */
static uint32_t array_of(const struct ggl_context *c, GLenum pname)
{
    switch (pname) {
    case GL_VERTEX_ARRAY:
    case GL_VERTEX_ARRAY_SIZE:
    case GL_VERTEX_ARRAY_TYPE:
    case GL_VERTEX_ARRAY_STRIDE:
    case GL_VERTEX_ARRAY_BUFFER_BINDING:
        return GGL1_VERTEX;
    case GL_NORMAL_ARRAY:
    case GL_NORMAL_ARRAY_TYPE:
    case GL_NORMAL_ARRAY_STRIDE:
    case GL_NORMAL_ARRAY_BUFFER_BINDING:
        return GGL1_NORMAL;
    case GL_COLOR_ARRAY:
    case GL_COLOR_ARRAY_SIZE:
    case GL_COLOR_ARRAY_TYPE:
    case GL_COLOR_ARRAY_STRIDE:
    case GL_COLOR_ARRAY_BUFFER_BINDING:
        return GGL1_COLOR;
    case GL_POINT_SIZE_ARRAY_OES:
    case GL_POINT_SIZE_ARRAY_TYPE_OES:
    case GL_POINT_SIZE_ARRAY_STRIDE_OES:
    case GL_POINT_SIZE_ARRAY_BUFFER_BINDING_OES:
        return GGL1_POINT_SIZE;
    case GL_TEXTURE_COORD_ARRAY:
    case GL_TEXTURE_COORD_ARRAY_SIZE:
    case GL_TEXTURE_COORD_ARRAY_TYPE:
    case GL_TEXTURE_COORD_ARRAY_STRIDE:
    case GL_TEXTURE_COORD_ARRAY_BUFFER_BINDING:
        return GGL1_TEXCOORD + c->fixed.client_unit;
    default:
        return GGL_MAX_ATTRIBS;
    }
}

static GLint array_value(const struct ggl_context *c, uint32_t index, GLenum pname)
{
    const struct ggl_attrib *a = &c->vertex_array->attribs[index];
    switch (pname) {
    case GL_VERTEX_ARRAY_SIZE:
    case GL_COLOR_ARRAY_SIZE:
    case GL_TEXTURE_COORD_ARRAY_SIZE:
        return a->size;
    case GL_VERTEX_ARRAY_TYPE:
    case GL_NORMAL_ARRAY_TYPE:
    case GL_COLOR_ARRAY_TYPE:
    case GL_POINT_SIZE_ARRAY_TYPE_OES:
    case GL_TEXTURE_COORD_ARRAY_TYPE:
        return (GLint)a->type;
    case GL_VERTEX_ARRAY_STRIDE:
    case GL_NORMAL_ARRAY_STRIDE:
    case GL_COLOR_ARRAY_STRIDE:
    case GL_POINT_SIZE_ARRAY_STRIDE_OES:
    case GL_TEXTURE_COORD_ARRAY_STRIDE:
        return (GLint)a->stride;
    case GL_VERTEX_ARRAY_BUFFER_BINDING:
    case GL_NORMAL_ARRAY_BUFFER_BINDING:
    case GL_COLOR_ARRAY_BUFFER_BINDING:
    case GL_POINT_SIZE_ARRAY_BUFFER_BINDING_OES:
    case GL_TEXTURE_COORD_ARRAY_BUFFER_BINDING:
        return (GLint)a->buffer;
    default:
        return (c->vertex_array->enabled & 1u << index) != 0;
    }
}

/* What the guest knows; false: the host is asked. */
static bool answer(const struct ggl_context *c, GLenum pname, GLint *value)
{
    uint32_t index = array_of(c, pname);
    if (index != GGL_MAX_ATTRIBS) {
        *value = array_value(c, index, pname);
        return true;
    }
    switch (pname) {
    case GL_ARRAY_BUFFER_BINDING:
        *value = (GLint)c->buffers[GGL_BUFFER_ARRAY];
        return true;
    case GL_ELEMENT_ARRAY_BUFFER_BINDING:
        *value = (GLint)c->vertex_array->element_buffer;
        return true;
    case GL_CLIENT_ACTIVE_TEXTURE:
        *value = (GLint)(GL_TEXTURE0 + c->fixed.client_unit);
        return true;
    case GL_ACTIVE_TEXTURE:
        *value = (GLint)(GL_TEXTURE0 + c->active_unit);
        return true;
    default:
        return false;
    }
}

/* The list of compressed formats is as long as the driver says; their count. */
static uint32_t formats(struct ggl_context *c, GLint list[FORMATS_MAX])
{
    GLint count = 0;
    gles1_call_glGetIntegerv(c->stream, GL_NUM_COMPRESSED_TEXTURE_FORMATS, &count, 4);
    if (count <= 0 || count > FORMATS_MAX) {
        return 0;
    }
    gles1_call_glGetCompressedTextureFormats(c->stream, count, list, (uint32_t)count * 4);
    return (uint32_t)count;
}

/* 16.16, as near as it gets. */
static GLfixed to_fixed(GLint value)
{
    return value > INT16_MAX ? INT32_MAX : value < INT16_MIN ? INT32_MIN : value * 65536;
}

#define GET(Name, type, FROM_INTEGER)                                                              \
    void ggl1_gl##Name(GLenum pname, type *params)                                                 \
    {                                                                                              \
        struct ggl_context *c = ggl1_current();                                                    \
        GLint values[FORMATS_MAX];                                                                 \
        type asked[VALUES_MAX];                                                                    \
        if (!c || !params) {                                                                       \
            return;                                                                                \
        }                                                                                          \
        bool list = pname == GL_COMPRESSED_TEXTURE_FORMATS;                                        \
        uint32_t count = list ? formats(c, values) : 1;                                            \
        if (list || answer(c, pname, values)) {                                                    \
            for (uint32_t i = 0; i < count; i++) {                                                 \
                params[i] = FROM_INTEGER(values[i]);                                               \
            }                                                                                      \
            return;                                                                                \
        }                                                                                          \
        uint32_t size = (uint32_t)(value_count(pname) * sizeof *asked);                            \
        if (gles1_ask_gl##Name(c, pname, asked, size)) {                                           \
            memcpy(params, asked, size);                                                           \
        }                                                                                          \
    }
#define TO_BOOLEAN(v) ((v) ? GL_TRUE : GL_FALSE)
#define TO_FLOAT(v)   ((GLfloat)(v))
#define TO_SAME(v)    (v)
GET(GetBooleanv, GLboolean, TO_BOOLEAN)
GET(GetFloatv, GLfloat, TO_FLOAT)
GET(GetIntegerv, GLint, TO_SAME)
GET(GetFixedv, GLfixed, to_fixed)

void ggl1_glGetFixedvOES(GLenum pname, GLfixed *params)
{
    ggl1_glGetFixedv(pname, params);
}

GLboolean ggl1_glIsEnabled(GLenum cap)
{
    struct ggl_context *c = ggl1_current();
    if (!c) {
        return GL_FALSE;
    }
    bool array = cap == GL_VERTEX_ARRAY || cap == GL_NORMAL_ARRAY || cap == GL_COLOR_ARRAY ||
                 cap == GL_POINT_SIZE_ARRAY_OES || cap == GL_TEXTURE_COORD_ARRAY;
    return array ? (GLboolean)array_value(c, array_of(c, cap), cap)
                 : gles1_call_glIsEnabled(c->stream, cap);
}
