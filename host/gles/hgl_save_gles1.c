/* What a context of GLES 1 has of its own, in a snapshot: fixed arrays, framebuffers, the fixed
 * pipeline. It is current, here and in the replay; while it is asked, s->gl is GLES 1's. */
#include "host/gles/hgl_save.h"

#include "transport/base/mem.h"
#include "wire/gles1_opcodes.h"
#include "wire/gles1_pack.h"

#define UNITS_MAX  32
#define LIGHTS_MAX 64
#define DEPTH_MAX  64

/* --- commands whose arguments can be asked for --- */

static const struct hgl_row rows[] = {
    {GLES1_OP_glAlphaFunc, 10, NULL, "if", 0, {GL_ALPHA_TEST_FUNC, GL_ALPHA_TEST_REF}},
    {GLES1_OP_glBlendFuncSeparateOES,
     10,
     "GL_OES_blend_func_separate",
     "iiii",
     0,
     {GL_BLEND_SRC_RGB_OES, GL_BLEND_DST_RGB_OES, GL_BLEND_SRC_ALPHA_OES, GL_BLEND_DST_ALPHA_OES}},
    {GLES1_OP_glBlendEquationSeparateOES,
     10,
     "GL_OES_blend_equation_separate",
     "ii",
     0,
     {GL_BLEND_EQUATION_RGB_OES, GL_BLEND_EQUATION_ALPHA_OES}},
    {GLES1_OP_glClearColor, 10, NULL, "ffff", 0, {GL_COLOR_CLEAR_VALUE}},
    {GLES1_OP_glClearDepthf, 10, NULL, "f", 0, {GL_DEPTH_CLEAR_VALUE}},
    {GLES1_OP_glClearStencil, 10, NULL, "i", 0, {GL_STENCIL_CLEAR_VALUE}},
    {GLES1_OP_glColorMask, 10, NULL, "bbbb", 0, {GL_COLOR_WRITEMASK}},
    {GLES1_OP_glCullFace, 10, NULL, "i", 0, {GL_CULL_FACE_MODE}},
    {GLES1_OP_glDepthFunc, 10, NULL, "i", 0, {GL_DEPTH_FUNC}},
    {GLES1_OP_glDepthMask, 10, NULL, "b", 0, {GL_DEPTH_WRITEMASK}},
    {GLES1_OP_glDepthRangef, 10, NULL, "ff", 0, {GL_DEPTH_RANGE}},
    {GLES1_OP_glFrontFace, 10, NULL, "i", 0, {GL_FRONT_FACE}},
    {GLES1_OP_glHint, 10, NULL, "i", GL_FOG_HINT, {GL_FOG_HINT}},
    {GLES1_OP_glHint, 10, NULL, "i", GL_LINE_SMOOTH_HINT, {GL_LINE_SMOOTH_HINT}},
    {GLES1_OP_glHint, 10, NULL, "i", GL_POINT_SMOOTH_HINT, {GL_POINT_SMOOTH_HINT}},
    {GLES1_OP_glHint,
     10,
     NULL,
     "i",
     GL_PERSPECTIVE_CORRECTION_HINT,
     {GL_PERSPECTIVE_CORRECTION_HINT}},
    {GLES1_OP_glHint, 10, NULL, "i", GL_GENERATE_MIPMAP_HINT, {GL_GENERATE_MIPMAP_HINT}},
    {GLES1_OP_glLineWidth, 10, NULL, "f", 0, {GL_LINE_WIDTH}},
    {GLES1_OP_glLogicOp, 10, NULL, "i", 0, {GL_LOGIC_OP_MODE}},
    {GLES1_OP_glPointSize, 10, NULL, "f", 0, {GL_POINT_SIZE}},
    {GLES1_OP_glPolygonOffset,
     10,
     NULL,
     "ff",
     0,
     {GL_POLYGON_OFFSET_FACTOR, GL_POLYGON_OFFSET_UNITS}},
    {GLES1_OP_glSampleCoverage,
     10,
     NULL,
     "fb",
     0,
     {GL_SAMPLE_COVERAGE_VALUE, GL_SAMPLE_COVERAGE_INVERT}},
    {GLES1_OP_glScissor, 10, NULL, "iiii", 0, {GL_SCISSOR_BOX}},
    {GLES1_OP_glShadeModel, 10, NULL, "i", 0, {GL_SHADE_MODEL}},
    {GLES1_OP_glStencilFunc,
     10,
     NULL,
     "iii",
     0,
     {GL_STENCIL_FUNC, GL_STENCIL_REF, GL_STENCIL_VALUE_MASK}},
    {GLES1_OP_glStencilMask, 10, NULL, "i", 0, {GL_STENCIL_WRITEMASK}},
    {GLES1_OP_glStencilOp,
     10,
     NULL,
     "iii",
     0,
     {GL_STENCIL_FAIL, GL_STENCIL_PASS_DEPTH_FAIL, GL_STENCIL_PASS_DEPTH_PASS}},
    {GLES1_OP_glViewport, 10, NULL, "iiii", 0, {GL_VIEWPORT}},
    {GLES1_OP_glPixelStorei, 10, NULL, "i", GL_PACK_ALIGNMENT, {GL_PACK_ALIGNMENT}},
    {GLES1_OP_glPixelStorei, 10, NULL, "i", GL_UNPACK_ALIGNMENT, {GL_UNPACK_ALIGNMENT}},
    {GLES1_OP_glFogf, 10, NULL, "f", GL_FOG_MODE, {GL_FOG_MODE}},
    {GLES1_OP_glFogf, 10, NULL, "f", GL_FOG_DENSITY, {GL_FOG_DENSITY}},
    {GLES1_OP_glFogf, 10, NULL, "f", GL_FOG_START, {GL_FOG_START}},
    {GLES1_OP_glFogf, 10, NULL, "f", GL_FOG_END, {GL_FOG_END}},
    {GLES1_OP_glPointParameterf, 10, NULL, "f", GL_POINT_SIZE_MIN, {GL_POINT_SIZE_MIN}},
    {GLES1_OP_glPointParameterf, 10, NULL, "f", GL_POINT_SIZE_MAX, {GL_POINT_SIZE_MAX}},
    {GLES1_OP_glPointParameterf,
     10,
     NULL,
     "f",
     GL_POINT_FADE_THRESHOLD_SIZE,
     {GL_POINT_FADE_THRESHOLD_SIZE}},
    {GLES1_OP_glLightModelf, 10, NULL, "f", GL_LIGHT_MODEL_TWO_SIDE, {GL_LIGHT_MODEL_TWO_SIDE}},
    {GLES1_OP_glColor4f, 10, NULL, "ffff", 0, {GL_CURRENT_COLOR}},
    {GLES1_OP_glNormal3f, 10, NULL, "fff", 0, {GL_CURRENT_NORMAL}},
    {GLES1_OP_glBindBuffer, 10, NULL, "i", GL_ARRAY_BUFFER, {GL_ARRAY_BUFFER_BINDING}},
    {GLES1_OP_glBindBuffer,
     10,
     NULL,
     "i",
     GL_ELEMENT_ARRAY_BUFFER,
     {GL_ELEMENT_ARRAY_BUFFER_BINDING}},
    {GLES1_OP_glBindRenderbufferOES,
     10,
     "GL_OES_framebuffer_object",
     "i",
     GL_RENDERBUFFER_OES,
     {GL_RENDERBUFFER_BINDING_OES}},
};

struct named_switch {
    GLenum name;
    const char *extension; /* nullable */
};

/* GL_COLOR_MATERIAL lies behind the material, which does not take colours any more then. */
static const struct named_switch switches[] = {
    {GL_ALPHA_TEST, NULL},
    {GL_BLEND, NULL},
    {GL_COLOR_LOGIC_OP, NULL},
    {GL_COLOR_MATERIAL, NULL},
    {GL_CULL_FACE, NULL},
    {GL_DEPTH_TEST, NULL},
    {GL_DITHER, NULL},
    {GL_FOG, NULL},
    {GL_LIGHTING, NULL},
    {GL_LINE_SMOOTH, NULL},
    {GL_MULTISAMPLE, NULL},
    {GL_NORMALIZE, NULL},
    {GL_POINT_SMOOTH, NULL},
    {GL_POINT_SPRITE_OES, "GL_OES_point_sprite"},
    {GL_POLYGON_OFFSET_FILL, NULL},
    {GL_RESCALE_NORMAL, NULL},
    {GL_SAMPLE_ALPHA_TO_COVERAGE, NULL},
    {GL_SAMPLE_ALPHA_TO_ONE, NULL},
    {GL_SAMPLE_COVERAGE, NULL},
    {GL_SCISSOR_TEST, NULL},
    {GL_STENCIL_TEST, NULL},
};
static const struct named_switch unit_switches[] = {
    {GL_TEXTURE_2D, NULL},
    {GL_TEXTURE_CUBE_MAP_OES, "GL_OES_texture_cube_map"},
    {GL_TEXTURE_GEN_STR_OES, "GL_OES_texture_cube_map"},
    {GL_TEXTURE_EXTERNAL_OES, "GL_OES_EGL_image_external"},
};

static void save_switch(struct hgl_save *s, GLenum name)
{
    (s->gl->IsEnabled(name) ? gles1_pack_glEnable : gles1_pack_glDisable)(hgl_out(s), name);
}

static void save_switches(struct hgl_save *s, const struct named_switch *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].extension == NULL || hgl_has(s, list[i].extension)) {
            save_switch(s, list[i].name);
        }
    }
}

static GLint count_of(const struct hgl_save *s, GLenum name, GLint max)
{
    GLint count = hgl_get(s, name);
    return count < max ? count : max;
}

/* --- arrays --- */

/* Names of what can be asked of an array; 0: it has none. */
static const struct array {
    GLenum name, size, type, stride, pointer, buffer;
    GLint components; /* where it has no size */
} arrays[] = {
    [HGL1_VERTEX] = {GL_VERTEX_ARRAY, GL_VERTEX_ARRAY_SIZE, GL_VERTEX_ARRAY_TYPE,
                     GL_VERTEX_ARRAY_STRIDE, GL_VERTEX_ARRAY_POINTER,
                     GL_VERTEX_ARRAY_BUFFER_BINDING, 0},
    [HGL1_NORMAL] = {GL_NORMAL_ARRAY, 0, GL_NORMAL_ARRAY_TYPE, GL_NORMAL_ARRAY_STRIDE,
                     GL_NORMAL_ARRAY_POINTER, GL_NORMAL_ARRAY_BUFFER_BINDING, 3},
    [HGL1_COLOR] = {GL_COLOR_ARRAY, GL_COLOR_ARRAY_SIZE, GL_COLOR_ARRAY_TYPE, GL_COLOR_ARRAY_STRIDE,
                    GL_COLOR_ARRAY_POINTER, GL_COLOR_ARRAY_BUFFER_BINDING, 0},
    [HGL1_POINT_SIZE] = {GL_POINT_SIZE_ARRAY_OES, 0, GL_POINT_SIZE_ARRAY_TYPE_OES,
                         GL_POINT_SIZE_ARRAY_STRIDE_OES, GL_POINT_SIZE_ARRAY_POINTER_OES,
                         GL_POINT_SIZE_ARRAY_BUFFER_BINDING_OES, 1},
    [HGL1_TEXCOORD] = {GL_TEXTURE_COORD_ARRAY, GL_TEXTURE_COORD_ARRAY_SIZE,
                       GL_TEXTURE_COORD_ARRAY_TYPE, GL_TEXTURE_COORD_ARRAY_STRIDE,
                       GL_TEXTURE_COORD_ARRAY_POINTER, GL_TEXTURE_COORD_ARRAY_BUFFER_BINDING, 0},
};

static void put_data(struct hgl_save *s, uint32_t place, GLint size, GLenum type,
                     const struct hgl_binding *b)
{
    uint32_t bytes = b->elements * hgl_element_bytes(type, (uint32_t)size);
    const struct sl_gather data = sl_gather_flat(b->data, bytes);
    struct sl_pack *out = hgl_out(s);
    switch (place) {
    case HGL1_VERTEX:
        gles1_pack_glVertexPointerData(out, size, type, 0, &data, bytes);
        break;
    case HGL1_NORMAL:
        gles1_pack_glNormalPointerData(out, type, 0, &data, bytes);
        break;
    case HGL1_COLOR:
        gles1_pack_glColorPointerData(out, size, type, 0, &data, bytes);
        break;
    case HGL1_POINT_SIZE:
        gles1_pack_glPointSizePointerData(out, type, 0, &data, bytes);
        break;
    default:
        gles1_pack_glTexCoordPointerData(out, (GLint)(place - HGL1_TEXCOORD), size, type, 0, &data,
                                         bytes);
        break;
    }
}

static void put_offset(struct hgl_save *s, uint32_t place, GLint size, GLenum type, GLint stride,
                       uint32_t offset)
{
    struct sl_pack *out = hgl_out(s);
    switch (place) {
    case HGL1_VERTEX:
        gles1_pack_glVertexPointerOffset(out, size, type, stride, offset);
        break;
    case HGL1_NORMAL:
        gles1_pack_glNormalPointerOffset(out, type, stride, offset);
        break;
    case HGL1_COLOR:
        gles1_pack_glColorPointerOffset(out, size, type, stride, offset);
        break;
    case HGL1_POINT_SIZE:
        gles1_pack_glPointSizePointerOffset(out, type, stride, offset);
        break;
    default:
        gles1_pack_glTexCoordPointerOffset(out, size, type, stride, offset);
        break;
    }
}

/* Texture coordinates: of the client's active unit. */
static void save_array(struct hgl_save *s, const struct hgl_vao *vao, uint32_t place)
{
    const struct array *a = &arrays[place < HGL1_TEXCOORD ? place : HGL1_TEXCOORD];
    const struct hgl_binding *b = &vao->bindings[place];
    if (b->source != HGL_NONE) {
        GLint size = a->size != 0 ? hgl_get(s, a->size) : a->components;
        GLenum type = (GLenum)hgl_get(s, a->type);
        GLuint buffer = (GLuint)hgl_get(s, a->buffer);
        void *pointer = NULL;
        s->gl->GetPointerv(a->pointer, &pointer);
        if (b->source == HGL_CLIENT) {
            put_data(s, place, size, type, b);
        } else if (s->gl->IsBuffer(buffer)) {
            gles1_pack_glBindBuffer(hgl_out(s), GL_ARRAY_BUFFER, buffer);
            put_offset(s, place, size, type, hgl_get(s, a->stride), (uint32_t)(uintptr_t)pointer);
        } else {
            hgl_save_refuse(s, "a fixed array reads buffer %u, which was deleted", buffer);
        }
    }
    if ((vao->enabled & 1u << place) != 0) {
        gles1_pack_glEnableClientState(hgl_out(s), a->name);
    }
    hgl_save_flush(s);
}

static void save_arrays(struct hgl_save *s, const struct hgl_saved *c)
{
    const struct hgl_vao *vao = &c->state->zero;
    GLint units = count_of(s, GL_MAX_TEXTURE_UNITS, HGL_ARRAYS - HGL1_TEXCOORD);
    for (uint32_t place = 0; place < HGL1_TEXCOORD; place++) {
        if (arrays[place].name != 0) {
            save_array(s, vao, place);
        } else if (vao->bindings[place].source != HGL_NONE || (vao->enabled & 1u << place) != 0) {
            hgl_save_refuse(s, "it has matrix palettes");
        }
    }
    for (GLint unit = 0; unit < units; unit++) {
        s->gl->ClientActiveTexture(GL_TEXTURE0 + (GLenum)unit);
        gles1_pack_glClientActiveTexture(hgl_out(s), GL_TEXTURE0 + (GLenum)unit);
        save_array(s, vao, HGL1_TEXCOORD + (uint32_t)unit);
    }
    s->gl->ClientActiveTexture(GL_TEXTURE0 + c->state->client_texture);
    gles1_pack_glClientActiveTexture(hgl_out(s), GL_TEXTURE0 + c->state->client_texture);
    /* As hgl_save_arrays.c does: this draw, of nothing, makes the arrays old. */
    if ((vao->on & vao->client) != 0 && vao->fresh == 0 && c->draw != NULL) {
        gles1_pack_glDrawArrays(hgl_out(s), GL_POINTS, 0, 0);
    }
    hgl_save_flush(s);
}

/* --- framebuffers --- */

static void save_attachment(struct hgl_save *s, uint32_t framebuffer, GLenum attachment)
{
    GLint type = 0, name = 0, level = 0, face = 0;
    const GLenum at = GL_FRAMEBUFFER_OES;
    s->gl->GetFramebufferAttachmentParameterivOES(at, attachment,
                                                  GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE_OES, &type);
    if (type != GL_TEXTURE && type != GL_RENDERBUFFER_OES) {
        return;
    }
    s->gl->GetFramebufferAttachmentParameterivOES(at, attachment,
                                                  GL_FRAMEBUFFER_ATTACHMENT_OBJECT_NAME_OES, &name);
    bool alive = type == GL_TEXTURE ? s->gl->IsTexture((GLuint)name)
                                    : s->gl->IsRenderbufferOES((GLuint)name);
    if (!alive) {
        hgl_save_refuse(s, "framebuffer %u has something that was deleted", framebuffer);
    } else if (type == GL_RENDERBUFFER_OES) {
        gles1_pack_glFramebufferRenderbufferOES(hgl_out(s), at, attachment, GL_RENDERBUFFER_OES,
                                                (GLuint)name);
    } else {
        s->gl->GetFramebufferAttachmentParameterivOES(
            at, attachment, GL_FRAMEBUFFER_ATTACHMENT_TEXTURE_LEVEL_OES, &level);
        s->gl->GetFramebufferAttachmentParameterivOES(
            at, attachment, GL_FRAMEBUFFER_ATTACHMENT_TEXTURE_CUBE_MAP_FACE_OES, &face);
        gles1_pack_glFramebufferTexture2DOES(hgl_out(s), at, attachment,
                                             face != 0 ? (GLenum)face : GL_TEXTURE_2D, (GLuint)name,
                                             level);
    }
}

static void save_framebuffers(struct hgl_save *s, const struct hgl_saved *c)
{
    const struct gl_driver *gl = s->gl;
    uint8_t *alive = NULL;
    if (!hgl_has(s, "GL_OES_framebuffer_object") || gl->BindFramebufferOES == NULL) {
        return;
    }
    uint32_t top = hgl_save_names(s, c->state, HGL_FRAMEBUFFERS, &alive);
    GLuint bound = (GLuint)hgl_get(s, GL_FRAMEBUFFER_BINDING_OES);
    bool others = !s->shares_framebuffers || c == s->root; /* else they were written already */
    for (uint32_t name = 1; name <= top && others && !hgl_save_failed(s); name++) {
        if (alive[name] != 0) {
            gl->BindFramebufferOES(GL_FRAMEBUFFER_OES, name);
            gles1_pack_glBindFramebufferOES(hgl_out(s), GL_FRAMEBUFFER_OES, name);
            save_attachment(s, name, GL_COLOR_ATTACHMENT0_OES);
            save_attachment(s, name, GL_DEPTH_ATTACHMENT_OES);
            save_attachment(s, name, GL_STENCIL_ATTACHMENT_OES);
            hgl_save_flush(s);
        }
    }
    for (uint32_t name = 1; name <= top && others; name++) {
        if (alive[name] == 0 && s->reuses_names) {
            gles1_pack_glDeleteFramebuffersOES(hgl_out(s), 1, &name, sizeof name);
        }
    }
    gl->BindFramebufferOES(GL_FRAMEBUFFER_OES, bound);
    gles1_pack_glBindFramebufferOES(hgl_out(s), GL_FRAMEBUFFER_OES, bound);
    hgl_save_flush(s);
    sl_free(alive);
}

/* --- textures --- */

/* What GLES 1 alone has of them; the rest came with the group. */
static void save_textures(struct hgl_save *s, const struct hgl_saved *c)
{
    uint8_t *alive = NULL;
    uint32_t top = c == s->root ? hgl_save_names(s, c->state, HGL_TEXTURES, &alive) : 0;
    GLint bound = hgl_get(s, GL_TEXTURE_BINDING_2D);
    for (uint32_t name = 0; name <= top && c == s->root; name++) {
        GLint crop[4] = {0}, generates = 0;
        if (name != 0 && alive[name] == 0) {
            continue;
        }
        (void)s->gl->GetError();
        s->gl->BindTexture(GL_TEXTURE_2D, name);
        if (s->gl->GetError() != GL_NO_ERROR) {
            continue; /* of another target: it has neither */
        }
        s->gl->GetTexParameteriv(GL_TEXTURE_2D, GL_TEXTURE_CROP_RECT_OES, crop);
        s->gl->GetTexParameteriv(GL_TEXTURE_2D, GL_GENERATE_MIPMAP, &generates);
        if (generates != 0 || (crop[0] | crop[1] | crop[2] | crop[3]) != 0) {
            gles1_pack_glBindTexture(hgl_out(s), GL_TEXTURE_2D, name);
            gles1_pack_glTexParameteriv(hgl_out(s), GL_TEXTURE_2D, GL_TEXTURE_CROP_RECT_OES, crop,
                                        sizeof crop);
            gles1_pack_glTexParameteri(hgl_out(s), GL_TEXTURE_2D, GL_GENERATE_MIPMAP, generates);
            hgl_save_flush(s);
        }
    }
    s->gl->BindTexture(GL_TEXTURE_2D, (GLuint)bound);
    sl_free(alive);
}

static const struct {
    GLenum target, binding;
    const char *extension; /* nullable */
} bindings[] = {
    {GL_TEXTURE_2D, GL_TEXTURE_BINDING_2D, NULL},
    {GL_TEXTURE_CUBE_MAP_OES, GL_TEXTURE_BINDING_CUBE_MAP_OES, "GL_OES_texture_cube_map"},
    {GL_TEXTURE_EXTERNAL_OES, GL_TEXTURE_BINDING_EXTERNAL_OES, "GL_OES_EGL_image_external"},
};

static const GLenum environment[] = {
    GL_TEXTURE_ENV_MODE, GL_COMBINE_RGB,  GL_COMBINE_ALPHA,  GL_SRC0_RGB,       GL_SRC1_RGB,
    GL_SRC2_RGB,         GL_SRC0_ALPHA,   GL_SRC1_ALPHA,     GL_SRC2_ALPHA,     GL_OPERAND0_RGB,
    GL_OPERAND1_RGB,     GL_OPERAND2_RGB, GL_OPERAND0_ALPHA, GL_OPERAND1_ALPHA, GL_OPERAND2_ALPHA,
    GL_RGB_SCALE,        GL_ALPHA_SCALE};

/* All that the active unit has but its matrices. */
static void save_unit(struct hgl_save *s, GLenum unit)
{
    const struct gl_driver *gl = s->gl;
    struct sl_pack *out = hgl_out(s);
    GLfloat v[4] = {0};
    GLint mode = 0;
    for (size_t i = 0; i < sizeof bindings / sizeof bindings[0]; i++) {
        if (bindings[i].extension == NULL || hgl_has(s, bindings[i].extension)) {
            GLuint name = (GLuint)hgl_get(s, bindings[i].binding);
            gles1_pack_glBindTexture(out, bindings[i].target,
                                     name == 0 || gl->IsTexture(name) ? name : 0);
        }
    }
    for (size_t i = 0; i < sizeof environment / sizeof environment[0]; i++) {
        gl->GetTexEnvfv(GL_TEXTURE_ENV, environment[i], v);
        gles1_pack_glTexEnvf(out, GL_TEXTURE_ENV, environment[i], v[0]);
    }
    gl->GetTexEnvfv(GL_TEXTURE_ENV, GL_TEXTURE_ENV_COLOR, v);
    gles1_pack_glTexEnvfv(out, GL_TEXTURE_ENV, GL_TEXTURE_ENV_COLOR, v, sizeof v);
    if (hgl_has(s, "GL_OES_point_sprite")) {
        gl->GetTexEnviv(GL_POINT_SPRITE_OES, GL_COORD_REPLACE_OES, &mode);
        gles1_pack_glTexEnvi(out, GL_POINT_SPRITE_OES, GL_COORD_REPLACE_OES, mode);
    }
    if (hgl_has(s, "GL_EXT_texture_lod_bias")) {
        gl->GetTexEnvfv(GL_TEXTURE_FILTER_CONTROL_EXT, GL_TEXTURE_LOD_BIAS_EXT, v);
        gles1_pack_glTexEnvf(out, GL_TEXTURE_FILTER_CONTROL_EXT, GL_TEXTURE_LOD_BIAS_EXT, v[0]);
    }
    if (hgl_has(s, "GL_OES_texture_cube_map") && gl->GetTexGenivOES != NULL) {
        gl->GetTexGenivOES(GL_TEXTURE_GEN_STR_OES, GL_TEXTURE_GEN_MODE_OES, &mode);
        gles1_pack_glTexGeniOES(out, GL_TEXTURE_GEN_STR_OES, GL_TEXTURE_GEN_MODE_OES, mode);
    }
    save_switches(s, unit_switches, sizeof unit_switches / sizeof unit_switches[0]);
    gl->GetFloatv(GL_CURRENT_TEXTURE_COORDS, v);
    gles1_pack_glMultiTexCoord4f(out, unit, v[0], v[1], v[2], v[3]);
    hgl_save_flush(s);
}

/* --- matrices --- */

/* The stack of the mode that is set. What lies below its top is seen by taking the top off. */
static void save_stack(struct hgl_save *s, GLenum depth_name, GLenum matrix_name)
{
    GLfloat m[DEPTH_MAX][16];
    GLint depth = hgl_get(s, depth_name);
    if (depth < 1 || depth > DEPTH_MAX) {
        hgl_save_refuse(s, "a stack of %d matrices", depth);
        return;
    }
    for (GLint i = depth - 1; i >= 0; i--) {
        s->gl->GetFloatv(matrix_name, m[i]);
        if (i != 0) {
            s->gl->PopMatrix();
        }
    }
    for (GLint i = 0; i < depth; i++) {
        if (i != 0) {
            s->gl->PushMatrix();
            s->gl->LoadMatrixf(m[i]);
            gles1_pack_glPushMatrix(hgl_out(s));
        }
        gles1_pack_glLoadMatrixf(hgl_out(s), m[i], sizeof m[i]);
    }
    hgl_save_flush(s);
}

static void set_mode(struct hgl_save *s, GLenum mode)
{
    s->gl->MatrixMode(mode);
    gles1_pack_glMatrixMode(hgl_out(s), mode);
}

/* Each unit, and its matrices; then the others. */
static void save_units_and_matrices(struct hgl_save *s)
{
    GLenum active = (GLenum)hgl_get(s, GL_ACTIVE_TEXTURE);
    GLenum mode = (GLenum)hgl_get(s, GL_MATRIX_MODE);
    GLint units = count_of(s, GL_MAX_TEXTURE_UNITS, UNITS_MAX);
    set_mode(s, GL_TEXTURE);
    for (GLenum unit = GL_TEXTURE0; unit < GL_TEXTURE0 + (GLenum)units; unit++) {
        s->gl->ActiveTexture(unit);
        gles1_pack_glActiveTexture(hgl_out(s), unit);
        save_unit(s, unit);
        save_stack(s, GL_TEXTURE_STACK_DEPTH, GL_TEXTURE_MATRIX);
    }
    s->gl->ActiveTexture(active);
    gles1_pack_glActiveTexture(hgl_out(s), active);
    set_mode(s, GL_PROJECTION);
    save_stack(s, GL_PROJECTION_STACK_DEPTH, GL_PROJECTION_MATRIX);
    set_mode(s, GL_MODELVIEW);
    save_stack(s, GL_MODELVIEW_STACK_DEPTH, GL_MODELVIEW_MATRIX);
    set_mode(s, mode);
}

/* --- lights, planes, fog --- */

static const struct {
    GLenum name;
    uint32_t count;
} light_values[] = {{GL_AMBIENT, 4},
                    {GL_DIFFUSE, 4},
                    {GL_SPECULAR, 4},
                    {GL_POSITION, 4},
                    {GL_SPOT_DIRECTION, 3},
                    {GL_SPOT_EXPONENT, 1},
                    {GL_SPOT_CUTOFF, 1},
                    {GL_CONSTANT_ATTENUATION, 1},
                    {GL_LINEAR_ATTENUATION, 1},
                    {GL_QUADRATIC_ATTENUATION, 1}};

/* Places are told as the eye sees them, and set so as long as the model's matrix is no other. */
static void save_lights(struct hgl_save *s)
{
    GLint lights = count_of(s, GL_MAX_LIGHTS, LIGHTS_MAX);
    GLint planes = count_of(s, GL_MAX_CLIP_PLANES, LIGHTS_MAX);
    GLfloat v[4];
    for (GLenum light = GL_LIGHT0; light < GL_LIGHT0 + (GLenum)lights; light++) {
        for (size_t i = 0; i < sizeof light_values / sizeof light_values[0]; i++) {
            s->gl->GetLightfv(light, light_values[i].name, v);
            gles1_pack_glLightfv(hgl_out(s), light, light_values[i].name, v,
                                 light_values[i].count * 4);
        }
        save_switch(s, light);
    }
    for (GLenum plane = GL_CLIP_PLANE0; plane < GL_CLIP_PLANE0 + (GLenum)planes; plane++) {
        s->gl->GetClipPlanef(plane, v);
        gles1_pack_glClipPlanef(hgl_out(s), plane, v, sizeof v);
        save_switch(s, plane);
    }
}

static void save_colors(struct hgl_save *s)
{
    static const GLenum material[] = {GL_AMBIENT, GL_DIFFUSE, GL_SPECULAR, GL_EMISSION};
    struct sl_pack *out = hgl_out(s);
    GLfloat v[4];
    for (size_t i = 0; i < sizeof material / sizeof material[0]; i++) {
        s->gl->GetMaterialfv(GL_FRONT, material[i], v);
        gles1_pack_glMaterialfv(out, GL_FRONT_AND_BACK, material[i], v, sizeof v);
    }
    s->gl->GetMaterialfv(GL_FRONT, GL_SHININESS, v);
    gles1_pack_glMaterialf(out, GL_FRONT_AND_BACK, GL_SHININESS, v[0]);
    s->gl->GetFloatv(GL_LIGHT_MODEL_AMBIENT, v);
    gles1_pack_glLightModelfv(out, GL_LIGHT_MODEL_AMBIENT, v, sizeof v);
    s->gl->GetFloatv(GL_FOG_COLOR, v);
    gles1_pack_glFogfv(out, GL_FOG_COLOR, v, sizeof v);
    s->gl->GetFloatv(GL_POINT_DISTANCE_ATTENUATION, v);
    gles1_pack_glPointParameterfv(out, GL_POINT_DISTANCE_ATTENUATION, v, 3 * sizeof v[0]);
    hgl_save_flush(s);
}

/* --- errors --- */

/* As hgl_save.c does, by what GLES 1 has. */
static void raise_error(struct hgl_save *s, GLenum error)
{
    struct sl_pack *out = hgl_out(s);
    while (s->gl->GetError() != GL_NO_ERROR) {
    }
    if (error == GL_INVALID_ENUM) {
        s->gl->Enable(0);
        gles1_pack_glEnable(out, 0);
    } else if (error == GL_INVALID_VALUE) {
        s->gl->Clear(1);
        gles1_pack_glClear(out, 1);
    } else if (error == GL_INVALID_FRAMEBUFFER_OPERATION_OES) { /* while it is as wrong as it was */
        s->gl->Clear(0);
        gles1_pack_glClear(out, 0);
    } else if (error == GL_INVALID_OPERATION) { /* the buffer of no name has no bytes */
        GLuint bound = (GLuint)hgl_get(s, GL_ARRAY_BUFFER_BINDING);
        s->gl->BindBuffer(GL_ARRAY_BUFFER, 0);
        s->gl->BufferSubData(GL_ARRAY_BUFFER, 0, 0, NULL);
        s->gl->BindBuffer(GL_ARRAY_BUFFER, bound);
        gles1_pack_glBindBuffer(out, GL_ARRAY_BUFFER, 0);
        gles1_pack_glBufferSubData(out, GL_ARRAY_BUFFER, 0, 0, NULL, 0);
        gles1_pack_glBindBuffer(out, GL_ARRAY_BUFFER, bound);
    } else if (error != GL_NO_ERROR) {
        hgl_save_refuse(s, "error 0x%x waits to be asked for", error);
    }
    hgl_save_flush(s);
}

void hgl_save_gles1(struct hgl_save *s, const struct hgl_saved *c)
{
    const struct gl_driver *gles2 = s->gl;
    s->gl = s->n->gl1;
    GLenum error = s->gl->GetError();
    save_arrays(s, c);
    save_framebuffers(s, c);
    save_textures(s, c);
    save_colors(s);
    save_lights(s);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        hgl_save_row(s, &rows[i], 10);
    }
    save_switches(s, switches, sizeof switches / sizeof switches[0]);
    save_units_and_matrices(s);
    raise_error(s, error);
    s->gl = gles2;
}
