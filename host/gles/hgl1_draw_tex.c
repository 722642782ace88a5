/* GLES 1: textures drawn as rectangles (OES_draw_texture).
 *
 * Mesa (22) keeps the shaders of its own glDrawTex for all contexts of the process, which makes it
 * safe at the price of a context a call only (hs_draw_tex_begin). So the rectangle is drawn by
 * glDrawArrays, with corners computed as Mesa does: the same pixels for a hundredth of the time.
 * Where something acts on the rectangle that would not act in the same way on vertices (fog, clip
 * planes, a depth range, texture matrices, units beyond the first, textures other than 2D), or has
 * no size that could be asked, it is the driver's own after all.
 *
 * The colour is the current one, as the extension has it; Mesa's own may take an older one, of the
 * last draw by vertices. */
#include "host/gles/hgl_group.h"

#include "host/gles1_hand.h"

#include <math.h>
#include <string.h>

struct rectangle {
    float x, y, z, width, height;
};

/* A fixed array as the driver has it. */
struct saved_array {
    struct hgl1_pointer pointer;
    GLint buffer;
    void *at;
};

/* What is drawn, and what of the context is put back behind it. */
struct plan {
    const struct rectangle *r;
    int32_t width, height;                                      /* of the framebuffer */
    uint32_t used;                                              /* places of the fixed arrays */
    float position[4][2], color[4], colors[4][4], coords[4][2]; /* of unit 0 */
    struct saved_array arrays[HGL_ARRAYS];
    GLint viewport[4], matrix_mode;
    bool lit;
};

static GLint value_of(const struct gl_driver *gl, GLenum name)
{
    GLint value = 0;
    gl->GetIntegerv(name, &value);
    return value;
}

static bool has_room(const struct gl_driver *gl, GLenum depth, GLenum most)
{
    return value_of(gl, depth) < value_of(gl, most);
}

/* Does nothing act on vertices that does not act on a rectangle in the same way? */
static bool is_plain(const struct gl_driver *gl, const struct rectangle *r)
{
    GLfloat range[2] = {0};
    gl->GetFloatv(GL_DEPTH_RANGE, range);
    bool plain = isfinite(r->x) && isfinite(r->y) && isfinite(r->z) && isfinite(r->width) &&
                 isfinite(r->height) && r->width > 0 && r->height > 0 && range[0] == 0 &&
                 range[1] == 1 && !gl->IsEnabled(GL_FOG) &&
                 has_room(gl, GL_MODELVIEW_STACK_DEPTH, GL_MAX_MODELVIEW_STACK_DEPTH) &&
                 has_room(gl, GL_PROJECTION_STACK_DEPTH, GL_MAX_PROJECTION_STACK_DEPTH);
    GLint planes = plain ? value_of(gl, GL_MAX_CLIP_PLANES) : 0;
    for (GLint i = 0; i < planes && plain; i++) {
        plain = !gl->IsEnabled(GL_CLIP_PLANE0 + (GLenum)i);
    }
    return plain;
}

static bool attached_size(struct hgl_api *api, int32_t *width, int32_t *height)
{
    const struct gl_driver *gl = api->gl;
    GLint type = GL_NONE, name = 0, level = 0, face = 0;
    if (gl->CheckFramebufferStatusOES(GL_FRAMEBUFFER_OES) != GL_FRAMEBUFFER_COMPLETE_OES) {
        return false;
    }
#define ATTACHED(what, out)                                                                        \
    gl->GetFramebufferAttachmentParameterivOES(GL_FRAMEBUFFER_OES, GL_COLOR_ATTACHMENT0_OES,       \
                                               GL_FRAMEBUFFER_ATTACHMENT_##what, out)
    ATTACHED(OBJECT_TYPE, &type);
    if (type == GL_TEXTURE) {
        ATTACHED(OBJECT_NAME, &name);
        ATTACHED(TEXTURE_LEVEL, &level);
        ATTACHED(TEXTURE_CUBE_MAP_FACE, &face);
        return level == 0 && face == 0 && hgl1_size_of(api, (uint32_t)name, width, height);
    }
    if (type == GL_RENDERBUFFER_OES) {
        ATTACHED(OBJECT_NAME, &name);
        GLint bound = value_of(gl, GL_RENDERBUFFER_BINDING_OES);
        if (gl->IsRenderbufferOES((GLuint)name)) { /* else binding would bring it to life */
            gl->BindRenderbufferOES(GL_RENDERBUFFER_OES, (GLuint)name);
            gl->GetRenderbufferParameterivOES(GL_RENDERBUFFER_OES, GL_RENDERBUFFER_WIDTH_OES,
                                              width);
            gl->GetRenderbufferParameterivOES(GL_RENDERBUFFER_OES, GL_RENDERBUFFER_HEIGHT_OES,
                                              height);
            gl->BindRenderbufferOES(GL_RENDERBUFFER_OES, (GLuint)bound);
        }
    }
#undef ATTACHED
    return *width > 0 && *height > 0;
}

static bool framebuffer_size(struct hgl_api *api, struct plan *p)
{
    const struct ho_object *draw = api->ring->rc.draw;
    if (api->gl->CheckFramebufferStatusOES != NULL &&
        value_of(api->gl, GL_FRAMEBUFFER_BINDING_OES) != 0) {
        return attached_size(api, &p->width, &p->height);
    }
    if (draw != NULL) {
        const struct hrc_surface *surface = draw->value;
        p->width = (int32_t)surface->width;
        p->height = (int32_t)surface->height;
    }
    return p->width > 0 && p->height > 0;
}

/* --- textures --- */

static void know_targets(const struct gl_driver *gl, struct hgl_state *s)
{
    if (!s->targets_known) {
        const char *words = (const char *)gl->GetString(GL_EXTENSIONS);
        s->cube_maps = hgl_has_word(words, "GL_OES_texture_cube_map");
        s->externals = hgl_has_word(words, "GL_OES_EGL_image_external");
        s->targets_known = true;
    }
}

/* Mesa gives the rectangle the coordinates of unit 0 alone. A texture's matrix is not touched: Mesa
 * would lose sight of the other units'. */
static bool plan_coords(struct hgl_api *api, struct plan *p)
{
    static const GLfloat identity[16] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
    const struct gl_driver *gl = api->gl;
    GLfloat matrix[16] = {0};
    GLint crop[4] = {0}, texture = value_of(gl, GL_TEXTURE_BINDING_2D);
    int32_t width, height;
    gl->GetFloatv(GL_TEXTURE_MATRIX, matrix);
    if (texture == 0 || memcmp(matrix, identity, sizeof matrix) != 0 ||
        !hgl1_size_of(api, (uint32_t)texture, &width, &height)) {
        return false;
    }
    gl->GetTexParameteriv(GL_TEXTURE_2D, GL_TEXTURE_CROP_RECT_OES, crop);
    float wide = (float)width, high = (float)height;
    /* Of what a guest gives the sums are the driver's: they wrap around. */
    float s0 = (float)crop[0] / wide, t0 = (float)crop[1] / high;
    float s1 = (float)(GLint)((GLuint)crop[0] + (GLuint)crop[2]) / wide;
    float t1 = (float)(GLint)((GLuint)crop[1] + (GLuint)crop[3]) / high;
    const float corners[4][2] = {{s0, t0}, {s1, t0}, {s1, t1}, {s0, t1}};
    memcpy(p->coords, corners, sizeof corners);
    p->used |= 1u << HGL1_TEXCOORD;
    return true;
}

static bool plan_unit(struct hgl_api *api, struct plan *p, uint32_t unit)
{
    const struct gl_driver *gl = api->gl;
    const struct hgl_state *s = api->state;
    gl->ActiveTexture(GL_TEXTURE0 + unit);
    if ((s->cube_maps &&
         (gl->IsEnabled(GL_TEXTURE_CUBE_MAP_OES) || gl->IsEnabled(GL_TEXTURE_GEN_STR_OES))) ||
        (s->externals && gl->IsEnabled(GL_TEXTURE_EXTERNAL_OES))) {
        return false;
    }
    return !gl->IsEnabled(GL_TEXTURE_2D) || (unit == 0 && plan_coords(api, p));
}

static bool plan_textures(struct hgl_api *api, struct plan *p)
{
    const struct gl_driver *gl = api->gl;
    GLint units = value_of(gl, GL_MAX_TEXTURE_UNITS), active = value_of(gl, GL_ACTIVE_TEXTURE);
    bool plain = units >= 1;
    know_targets(gl, api->state);
    for (uint32_t i = 0; plain && i < (uint32_t)units; i++) {
        plain = plan_unit(api, p, i);
    }
    gl->ActiveTexture((GLenum)active);
    return plain;
}

/* --- arrays --- */

static const void *data_of(const struct plan *p, uint32_t place)
{
    return place == HGL1_VERTEX  ? (const void *)p->position
           : place == HGL1_COLOR ? (const void *)p->colors
                                 : (const void *)p->coords;
}

/* False: an array's buffer is gone, so that it could not be put back. */
static bool save_array(const struct gl_driver *gl, const struct hgl_state *s, struct plan *p,
                       uint32_t place)
{
    struct saved_array *a = &p->arrays[place];
    a->pointer.place = place;
#define ASK(kind)                                                                                  \
    a->pointer.size = value_of(gl, GL_##kind##_ARRAY_SIZE);                                        \
    a->pointer.type = (uint32_t)value_of(gl, GL_##kind##_ARRAY_TYPE);                              \
    a->pointer.stride = value_of(gl, GL_##kind##_ARRAY_STRIDE);                                    \
    a->buffer = value_of(gl, GL_##kind##_ARRAY_BUFFER_BINDING);                                    \
    gl->GetPointerv(GL_##kind##_ARRAY_POINTER, &a->at)
    if (place == HGL1_VERTEX) {
        ASK(VERTEX);
    } else if (place == HGL1_COLOR) {
        ASK(COLOR);
    } else {
        gl->ClientActiveTexture(GL_TEXTURE0);
        ASK(TEXTURE_COORD);
        gl->ClientActiveTexture(GL_TEXTURE0 + s->client_texture);
    }
#undef ASK
    return a->buffer == 0 || gl->IsBuffer((GLuint)a->buffer);
}

static bool save_arrays(const struct gl_driver *gl, const struct hgl_state *s, struct plan *p)
{
    bool saved = true;
    for (uint32_t i = 0; i < HGL_ARRAYS && saved; i++) {
        saved = (p->used & 1u << i) == 0 || save_array(gl, s, p, i);
    }
    return saved;
}

/* The arrays of the rectangle on, all others off; or as the guest has them. */
static void switch_arrays(const struct gl_driver *gl, const struct hgl_state *s, uint32_t from,
                          uint32_t to)
{
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        if (((from ^ to) & 1u << i) != 0) {
            hgl1_switch_array(gl, s, i, (to & 1u << i) != 0);
        }
    }
}

static void arrays_begin(const struct gl_driver *gl, struct hgl_state *s, const struct plan *p)
{
    if (hgl_array_buffer(gl, s) != 0) {
        gl->BindBuffer(GL_ARRAY_BUFFER, 0);
    }
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        const struct hgl1_pointer of = {i, i == HGL1_COLOR ? 4 : 2, GL_FLOAT, 0};
        if ((p->used & 1u << i) != 0) {
            (void)hgl1_point(gl, s, &of, data_of(p, i));
        }
    }
    switch_arrays(gl, s, s->zero.on, p->used);
}

static void arrays_end(const struct gl_driver *gl, const struct hgl_state *s, const struct plan *p)
{
    switch_arrays(gl, s, p->used, s->zero.on);
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        if ((p->used & 1u << i) != 0) {
            gl->BindBuffer(GL_ARRAY_BUFFER, (GLuint)p->arrays[i].buffer);
            (void)hgl1_point(gl, s, &p->arrays[i].pointer, p->arrays[i].at);
        }
    }
    gl->BindBuffer(GL_ARRAY_BUFFER, (GLuint)s->array_buffer);
    gl->Color4f(p->color[0], p->color[1], p->color[2], p->color[3]);
}

/* --- the draw --- */

static void fill_corners(struct plan *p)
{
    const struct rectangle *r = p->r;
    float wide = (float)p->width, high = (float)p->height;
    float x0 = (float)((double)(r->x / wide) * 2.0 - 1.0);
    float y0 = (float)((double)(r->y / high) * 2.0 - 1.0);
    float x1 = (float)((double)((r->x + r->width) / wide) * 2.0 - 1.0);
    float y1 = (float)((double)((r->y + r->height) / high) * 2.0 - 1.0);
    const float corners[4][2] = {{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}};
    memcpy(p->position, corners, sizeof corners);
    for (uint32_t i = 0; i < 4; i++) {
        memcpy(p->colors[i], p->color, sizeof p->color);
    }
}

static const GLenum stacks[] = {GL_MODELVIEW, GL_PROJECTION};

static void matrices_begin(const struct gl_driver *gl)
{
    for (uint32_t i = 0; i < 2; i++) {
        gl->MatrixMode(stacks[i]);
        gl->PushMatrix();
        gl->LoadIdentity();
    }
}

static void matrices_end(const struct gl_driver *gl, const struct plan *p)
{
    for (uint32_t i = 0; i < 2; i++) {
        gl->MatrixMode(stacks[i]);
        gl->PopMatrix();
    }
    gl->MatrixMode((GLenum)p->matrix_mode);
}

/* The depth comes by a range of no length: no rounding, and fog's distance stays out of it. */
static void draw(const struct gl_driver *gl, struct hgl_state *s, const struct plan *p)
{
    float z = p->r->z < 0 ? 0 : p->r->z > 1 ? 1 : p->r->z;
    arrays_begin(gl, s, p);
    matrices_begin(gl);
    gl->Viewport(0, 0, p->width, p->height);
    gl->DepthRangef(z, z);
    if (p->lit) {
        gl->Disable(GL_LIGHTING);
    }
    gl->DrawArrays(GL_TRIANGLE_FAN, 0, 4);
    if (p->lit) {
        gl->Enable(GL_LIGHTING);
    }
    gl->DepthRangef(0, 1);
    gl->Viewport(p->viewport[0], p->viewport[1], p->viewport[2], p->viewport[3]);
    matrices_end(gl, p);
    arrays_end(gl, s, p);
}

/* False: not drawn. */
static bool drawn_as_vertices(struct hgl_api *api, const struct rectangle *r)
{
    const struct gl_driver *gl = api->gl;
    struct plan p = {.r = r, .used = 1u << HGL1_VERTEX | 1u << HGL1_COLOR};
    if (!is_plain(gl, r) || !framebuffer_size(api, &p) || !plan_textures(api, &p) ||
        !save_arrays(gl, api->state, &p)) {
        return false;
    }
    gl->GetFloatv(GL_CURRENT_COLOR, p.color);
    gl->GetIntegerv(GL_VIEWPORT, p.viewport);
    p.matrix_mode = value_of(gl, GL_MATRIX_MODE);
    p.lit = gl->IsEnabled(GL_LIGHTING);
    fill_corners(&p);
    draw(gl, api->state, &p);
    return true;
}

/* --- the functions --- */

static void draw_tex(struct hr_call *call, struct rectangle r)
{
    struct hgl_api *api = hgl_api_of(call);
    if (hgl_state_of(call) == NULL || api->gl->DrawTexfOES == NULL || drawn_as_vertices(api, &r)) {
        return;
    }
    const struct hs_native *native = api->ring->rc.gl.native;
    hs_draw_tex_begin(native);
    api->gl->DrawTexfOES(r.x, r.y, r.z, r.width, r.height);
    hs_draw_tex_end(native);
}

#define SAME(v)  ((float)(v))
#define FIXED(v) ((float)(v) / 65536.0f)

/* Five numbers, as they are and from memory. */
#define DRAW_TEX(suffix, type, number)                                                             \
    void hgl1_glDrawTex##suffix##OES(struct hr_call *call,                                         \
                                     const struct gles1_args_glDrawTex##suffix##OES *a)            \
    {                                                                                              \
        draw_tex(call, (struct rectangle){number(a->x), number(a->y), number(a->z),                \
                                          number(a->width), number(a->height)});                   \
    }                                                                                              \
    void hgl1_glDrawTex##suffix##vOES(struct hr_call *call,                                        \
                                      const struct gles1_args_glDrawTex##suffix##vOES *a)          \
    {                                                                                              \
        type v[5];                                                                                 \
        if (a->coords_size < sizeof v) {                                                           \
            hr_call_refuse(call, "%u bytes of coordinates", a->coords_size);                       \
            return;                                                                                \
        }                                                                                          \
        memcpy(v, a->coords, sizeof v);                                                            \
        draw_tex(call, (struct rectangle){number(v[0]), number(v[1]), number(v[2]), number(v[3]),  \
                                          number(v[4])});                                          \
    }
DRAW_TEX(s, GLshort, SAME)
DRAW_TEX(i, GLint, SAME)
DRAW_TEX(x, GLfixed, FIXED)
DRAW_TEX(f, GLfloat, SAME)
