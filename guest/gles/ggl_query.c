/* glGet*: what the guest knows is answered here, driver constants are asked once, the rest is asked
 * every time.
 *
 * One table says how many values a parameter has, so that no reply is ever too short or too long. A
 * parameter outside the table, or of a later version than the context, is asked for as one value:
 * the application's memory is written only when the host knew it, as a driver would do. */
#include "guest/gles/ggl_query.h"

#include <string.h>

/* GGL_ONCE: a constant of the driver; GGL_MAYBE: a driver with less of it refuses. */
enum { GGL_ONCE = 1, GGL_MAYBE = 2 };

struct parameter {
    GLenum pname;
    uint8_t count;
    uint8_t version; /* the first that has it */
    uint8_t flags;
};

/* Sorted by value. Parameters of one value that change and that every version has need no line, but
 * having one saves the error queries. */
static const struct parameter parameters[] = {
#include "guest/gles/ggl_parameters.def"
};
_Static_assert(sizeof parameters / sizeof *parameters <= GGL_PARAMETERS,
               "a cache entry for every parameter");

static const struct parameter *find(GLenum pname)
{
    size_t lo = 0, hi = sizeof parameters / sizeof *parameters;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (parameters[mid].pname == pname) {
            return &parameters[mid];
        }
        if (parameters[mid].pname < pname) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return NULL;
}

bool ggl_parameters_sorted(void)
{
    for (size_t i = 1; i < sizeof parameters / sizeof *parameters; i++) {
        if (parameters[i - 1].pname >= parameters[i].pname) {
            return false;
        }
    }
    return true;
}

uint32_t ggl_parameter_count(GLenum pname)
{
    const struct parameter *p = find(pname);
    return p ? p->count : 1;
}

static enum ggl_buffer_slot binding_slot(GLenum pname)
{
    switch (pname) {
    case GL_ARRAY_BUFFER_BINDING:
        return GGL_BUFFER_ARRAY;
    case GL_ELEMENT_ARRAY_BUFFER_BINDING:
        return GGL_BUFFER_ELEMENT;
    case GL_COPY_READ_BUFFER_BINDING:
        return GGL_BUFFER_COPY_READ;
    case GL_COPY_WRITE_BUFFER_BINDING:
        return GGL_BUFFER_COPY_WRITE;
    case GL_PIXEL_PACK_BUFFER_BINDING:
        return GGL_BUFFER_PIXEL_PACK;
    case GL_PIXEL_UNPACK_BUFFER_BINDING:
        return GGL_BUFFER_PIXEL_UNPACK;
    case GL_DRAW_INDIRECT_BUFFER_BINDING:
        return GGL_BUFFER_DRAW_INDIRECT;
    case GL_DISPATCH_INDIRECT_BUFFER_BINDING:
        return GGL_BUFFER_DISPATCH_INDIRECT;
    default:
        return GGL_BUFFER_NONE;
    }
}

/* What the host does not know, or knows later than the application may ask. */
static bool local_value(struct ggl_context *c, GLenum pname, GLint *value)
{
    enum ggl_buffer_slot slot = binding_slot(pname);
    if (slot != GGL_BUFFER_NONE) {
        *value = (GLint)ggl_buffer_bound(c, slot);
        return true;
    }
    const struct ggl_unit *unit = &c->units[c->active_unit];
    switch (pname) {
    case GL_FRAMEBUFFER_BINDING:
        *value = (GLint)c->draw_framebuffer;
        return true;
    case GL_READ_FRAMEBUFFER_BINDING:
        *value = (GLint)c->read_framebuffer;
        return true;
    case GL_VERTEX_ARRAY_BINDING:
        *value = (GLint)c->vertex_array->name;
        return true;
    case GL_TEXTURE_BINDING_2D:
        *value = (GLint)unit->texture_2d;
        return unit->external;
    case GL_TEXTURE_BINDING_EXTERNAL_OES:
        *value = (GLint)unit->texture_external;
        return true;
    case GL_NUM_EXTENSIONS:
        *value = (GLint)ggl_extension_count(c);
        return true;
    case GL_NUM_SHADER_BINARY_FORMATS:
        *value = 0;
        return true;
    case GL_RESET_NOTIFICATION_STRATEGY_EXT:
        *value = c->lose_on_reset ? GL_LOSE_CONTEXT_ON_RESET_EXT : GL_NO_RESET_NOTIFICATION_EXT;
        return true;
    case GL_CONTEXT_ROBUST_ACCESS_EXT: /* the host's contexts are robust, unasked */
        *value = c->robust;
        return true;
    case GL_CONTEXT_RELEASE_BEHAVIOR_KHR: /* the host's contexts flush */
        *value = GL_NONE;
        return c->no_flush;
    default:
        return false;
    }
}

/* A stock host is asked as its own guests ask: between two error queries, answered one by one. Our
 * own answers all at once (ggl_question). */
static GLenum stock_before(struct ggl_context *c)
{
    return ggl_stock(c) ? gles2_call_glGetError(c->stream) : GL_NO_ERROR;
}

/* Whether the host knows the parameter; an error of before is kept for the application. */
static bool stock_knows(struct ggl_context *c, GLenum earlier)
{
    GLenum error = ggl_stock(c) ? gles2_call_glGetError(c->stream) : GL_NO_ERROR;
    if (c->error == GL_NO_ERROR) {
        c->error = earlier ? earlier : error;
    }
    return error == GL_NO_ERROR;
}

/* A driver constant of one value. */
static bool constant(struct ggl_context *c, const struct parameter *p, GLint *value)
{
    size_t i = (size_t)(p - parameters);
    if (!(c->constants_known[i / 32] & 1u << (i % 32))) {
        GLint got = 0;
        GLenum earlier = stock_before(c);
        gles2_call_glGetIntegerv(c->stream, p->pname, &got, 4);
        (void)stock_knows(c, earlier);
        if (p->pname == GL_MAX_VERTEX_ATTRIBS || p->pname == GL_MAX_VERTEX_ATTRIB_BINDINGS) {
            got = got < GGL_MAX_ATTRIBS
                      ? got
                      : GGL_MAX_ATTRIBS; /* more do not fit the wire (protocol: trap T38) */
        } else if (p->pname == GL_CONTEXT_FLAGS) {
            /* The host's contexts are robust, unasked, and never debug ones. */
            got &= c->robust ? ~0 : ~GL_CONTEXT_FLAG_ROBUST_ACCESS_BIT;
            got |= c->debug ? GL_CONTEXT_FLAG_DEBUG_BIT : 0;
            got |= c->no_error ? GL_CONTEXT_FLAG_NO_ERROR_BIT_KHR : 0;
        }
        c->constants[i] = got;
        if (!gs_dead(c->stream)) {
            c->constants_known[i / 32] |= 1u << (i % 32);
        }
    }
    *value = c->constants[i];
    return true;
}

/* The list of compressed formats is as long as its count says. */
static bool format_list(struct ggl_context *c, GLenum pname, GLint *list, uint32_t room,
                        uint32_t *count)
{
    GLenum count_of = pname == GL_COMPRESSED_TEXTURE_FORMATS ? GL_NUM_COMPRESSED_TEXTURE_FORMATS
                                                             : GL_NUM_PROGRAM_BINARY_FORMATS;
    GLint n = 0;
    if (pname == GL_SHADER_BINARY_FORMATS) {
        *count = 0;
        return true;
    }
    if (pname != GL_COMPRESSED_TEXTURE_FORMATS && pname != GL_PROGRAM_BINARY_FORMATS) {
        return false;
    }
    gles2_call_glGetIntegerv(c->stream, count_of, &n, 4);
    *count = n < 0 ? 0 : (uint32_t)n < room ? (uint32_t)n : room;
    if (*count && pname == GL_COMPRESSED_TEXTURE_FORMATS) {
        gles2_call_glGetCompressedTextureFormats(c->stream, (int)*count, list, *count * 4);
    } else if (*count) {
        gles2_call_glGetIntegerv(c->stream, pname, list, *count * 4);
    }
    return true;
}

/* Integers the guest answers itself; false: the host is asked. */
static bool answer(struct ggl_context *c, const struct parameter *p, GLenum pname, GLint *values,
                   uint32_t room, uint32_t *count)
{
    if (p && p->version > c->version) {
        return false;
    }
    *count = 1;
    if (local_value(c, pname, values) ||
        (p && p->flags & GGL_ONCE && p->count == 1 && constant(c, p, values))) {
        return true;
    }
    return format_list(c, pname, values, room, count);
}

/* The most values that a parameter of the table has. */
#define GET_VALUES 16

/* glGet of one type: answered values are converted, asked ones come converted by the driver. */
#define GET(Name, type, FROM_INTEGER)                                                              \
    void ggl_gl##Name(GLenum pname, type *params)                                                  \
    {                                                                                              \
        struct ggl_context *c = ggl_current();                                                     \
        GLint values[GGL_ANSWER_MAX];                                                              \
        uint32_t count;                                                                            \
        if (!c || !params) {                                                                       \
            return;                                                                                \
        }                                                                                          \
        const struct parameter *p = find(pname);                                                   \
        if (answer(c, p, pname, values, GGL_ANSWER_MAX, &count)) {                                 \
            for (uint32_t i = 0; i < count; i++) {                                                 \
                params[i] = FROM_INTEGER(values[i]);                                               \
            }                                                                                      \
        } else if (p && p->version <= c->version && !ggl_stock(c) && !(p->flags & GGL_MAYBE)) {    \
            gles2_call_gl##Name(c->stream, pname, params, (uint32_t)(p->count * sizeof *params));  \
        } else {                                                                                   \
            type asked[GET_VALUES];                                                                \
            count = p && p->version <= c->version ? p->count : 1;                                  \
            GLenum earlier = stock_before(c);                                                      \
            bool known = gles2_ask_gl##Name(c, pname, asked, (uint32_t)(count * sizeof *asked));   \
            if (stock_knows(c, earlier) && known) {                                                \
                memcpy(params, asked, count * sizeof *asked);                                      \
            }                                                                                      \
        }                                                                                          \
    }
#define TO_BOOLEAN(v) ((v) ? GL_TRUE : GL_FALSE)
#define TO_FLOAT(v)   ((GLfloat)(v))
#define TO_SAME(v)    (v)
GET(GetBooleanv, GLboolean, TO_BOOLEAN)
GET(GetFloatv, GLfloat, TO_FLOAT)
GET(GetIntegerv, GLint, TO_SAME)
GET(GetInteger64v, GLint64, TO_SAME)

/* Bindings of the default vertex array exist only here while they are client memory. */
static bool local_indexed(const struct ggl_context *c, GLenum pname, GLuint index, GLint64 *value)
{
    const struct ggl_vertex_array *va = c->vertex_array;
    if (va->name || index >= GGL_MAX_ATTRIBS || c->version < 31) {
        return false;
    }
    const struct ggl_attrib *a = &va->attribs[index];
    switch (pname) {
    case GL_VERTEX_BINDING_OFFSET:
        *value = (GLint64)(intptr_t)a->pointer;
        return true;
    case GL_VERTEX_BINDING_STRIDE:
        *value = a->pitch;
        return true;
    case GL_VERTEX_BINDING_DIVISOR:
        *value = a->divisor;
        return true;
    case GL_VERTEX_BINDING_BUFFER:
        *value = a->buffer;
        return true;
    default:
        return false;
    }
}

/* The most values of an indexed parameter: a rectangle, a colour's mask. */
#define INDEXED_VALUES 4

#define GET_INDEXED(Name, type, FROM_INTEGER)                                                      \
    void ggl_gl##Name(GLenum pname, GLuint index, type *params)                                    \
    {                                                                                              \
        struct ggl_context *c = ggl_current();                                                     \
        GLint64 known;                                                                             \
        if (!c || !params) {                                                                       \
            return;                                                                                \
        }                                                                                          \
        if (local_indexed(c, pname, index, &known)) {                                              \
            *params = FROM_INTEGER(known);                                                         \
            return;                                                                                \
        }                                                                                          \
        type values[INDEXED_VALUES];                                                               \
        uint32_t count = ggl_parameter_count(pname);                                               \
        count = count < INDEXED_VALUES ? count : INDEXED_VALUES;                                   \
        uint32_t size = (uint32_t)(count * sizeof *values);                                        \
        GLenum earlier = stock_before(c);                                                          \
        bool asked = gles2_ask_gl##Name(c, pname, index, values, size);                            \
        if (stock_knows(c, earlier) && asked) {                                                    \
            memcpy(params, values, size);                                                          \
        }                                                                                          \
    }
#define TO_INT(v) ((GLint)(v))
GET_INDEXED(GetBooleani_v, GLboolean, TO_BOOLEAN)
GET_INDEXED(GetIntegeri_v, GLint, TO_INT)
GET_INDEXED(GetInteger64i_v, GLint64, TO_SAME)

const struct ggl_limits *ggl_limits_get(struct ggl_context *c)
{
    struct ggl_limits *l = &c->limits;
    if (!l->known) {
        gles2_call_glGetIntegerv(c->stream, GL_MAX_TEXTURE_SIZE, &l->texture_size, 4);
        if (c->version >= 30) {
            gles2_call_glGetIntegerv(c->stream, GL_MAX_3D_TEXTURE_SIZE, &l->texture_size_3d, 4);
            gles2_call_glGetIntegerv(c->stream, GL_MAX_ARRAY_TEXTURE_LAYERS, &l->array_layers, 4);
        }
        l->known = !gs_dead(c->stream);
    }
    return l;
}

void ggl_stock_limit(struct ggl_context *c, GLenum pname)
{
    GLint ignored;
    if (ggl_stock(c)) {
        (void)constant(c, find(pname), &ignored);
    }
}
