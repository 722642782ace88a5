/* The fixed state of one context in a snapshot: a row for each command that sets some of it. */
#include "host/gles/hgl_save.h"

#include <GLES2/gl2ext.h>

#define VALUES_MAX   16u
#define BINDINGS_MAX 256 /* of any indexed target */

/* --- commands whose arguments can be asked for --- */

static const struct hgl_row rows[] = {
    {GLES2_OP_glBlendColor, 20, NULL, "ffff", 0, {GL_BLEND_COLOR}},
    {GLES2_OP_glBlendEquationSeparate,
     20,
     NULL,
     "ii",
     0,
     {GL_BLEND_EQUATION_RGB, GL_BLEND_EQUATION_ALPHA}},
    {GLES2_OP_glBlendFuncSeparate,
     20,
     NULL,
     "iiii",
     0,
     {GL_BLEND_SRC_RGB, GL_BLEND_DST_RGB, GL_BLEND_SRC_ALPHA, GL_BLEND_DST_ALPHA}},
    {GLES2_OP_glClearColor, 20, NULL, "ffff", 0, {GL_COLOR_CLEAR_VALUE}},
    {GLES2_OP_glClearDepthf, 20, NULL, "f", 0, {GL_DEPTH_CLEAR_VALUE}},
    {GLES2_OP_glClearStencil, 20, NULL, "i", 0, {GL_STENCIL_CLEAR_VALUE}},
    {GLES2_OP_glColorMask, 20, NULL, "bbbb", 0, {GL_COLOR_WRITEMASK}},
    {GLES2_OP_glCullFace, 20, NULL, "i", 0, {GL_CULL_FACE_MODE}},
    {GLES2_OP_glDepthFunc, 20, NULL, "i", 0, {GL_DEPTH_FUNC}},
    {GLES2_OP_glDepthMask, 20, NULL, "b", 0, {GL_DEPTH_WRITEMASK}},
    {GLES2_OP_glDepthRangef, 20, NULL, "ff", 0, {GL_DEPTH_RANGE}},
    {GLES2_OP_glFrontFace, 20, NULL, "i", 0, {GL_FRONT_FACE}},
    {GLES2_OP_glLineWidth, 20, NULL, "f", 0, {GL_LINE_WIDTH}},
    {GLES2_OP_glPolygonOffset,
     20,
     NULL,
     "ff",
     0,
     {GL_POLYGON_OFFSET_FACTOR, GL_POLYGON_OFFSET_UNITS}},
    {GLESX_OP_glPolygonOffsetClampEXT,
     20,
     "GL_EXT_polygon_offset_clamp",
     "fff",
     0,
     {GL_POLYGON_OFFSET_FACTOR, GL_POLYGON_OFFSET_UNITS, GL_POLYGON_OFFSET_CLAMP_EXT}},
    {GLES2_OP_glSampleCoverage,
     20,
     NULL,
     "fb",
     0,
     {GL_SAMPLE_COVERAGE_VALUE, GL_SAMPLE_COVERAGE_INVERT}},
    {GLES2_OP_glScissor, 20, NULL, "iiii", 0, {GL_SCISSOR_BOX}},
    {GLES2_OP_glStencilFuncSeparate,
     20,
     NULL,
     "iii",
     GL_FRONT,
     {GL_STENCIL_FUNC, GL_STENCIL_REF, GL_STENCIL_VALUE_MASK}},
    {GLES2_OP_glStencilFuncSeparate,
     20,
     NULL,
     "iii",
     GL_BACK,
     {GL_STENCIL_BACK_FUNC, GL_STENCIL_BACK_REF, GL_STENCIL_BACK_VALUE_MASK}},
    {GLES2_OP_glStencilMaskSeparate, 20, NULL, "i", GL_FRONT, {GL_STENCIL_WRITEMASK}},
    {GLES2_OP_glStencilMaskSeparate, 20, NULL, "i", GL_BACK, {GL_STENCIL_BACK_WRITEMASK}},
    {GLES2_OP_glStencilOpSeparate,
     20,
     NULL,
     "iii",
     GL_FRONT,
     {GL_STENCIL_FAIL, GL_STENCIL_PASS_DEPTH_FAIL, GL_STENCIL_PASS_DEPTH_PASS}},
    {GLES2_OP_glStencilOpSeparate,
     20,
     NULL,
     "iii",
     GL_BACK,
     {GL_STENCIL_BACK_FAIL, GL_STENCIL_BACK_PASS_DEPTH_FAIL, GL_STENCIL_BACK_PASS_DEPTH_PASS}},
    {GLES2_OP_glViewport, 20, NULL, "iiii", 0, {GL_VIEWPORT}},
    {GLES2_OP_glHint, 20, NULL, "i", GL_GENERATE_MIPMAP_HINT, {GL_GENERATE_MIPMAP_HINT}},
    {GLES2_OP_glHint,
     30,
     NULL,
     "i",
     GL_FRAGMENT_SHADER_DERIVATIVE_HINT,
     {GL_FRAGMENT_SHADER_DERIVATIVE_HINT}},
    {GLES2_OP_glPixelStorei, 20, NULL, "i", GL_PACK_ALIGNMENT, {GL_PACK_ALIGNMENT}},
    {GLES2_OP_glPixelStorei, 20, NULL, "i", GL_UNPACK_ALIGNMENT, {GL_UNPACK_ALIGNMENT}},
    {GLES2_OP_glPixelStorei, 30, NULL, "i", GL_PACK_ROW_LENGTH, {GL_PACK_ROW_LENGTH}},
    {GLES2_OP_glPixelStorei, 30, NULL, "i", GL_PACK_SKIP_PIXELS, {GL_PACK_SKIP_PIXELS}},
    {GLES2_OP_glPixelStorei, 30, NULL, "i", GL_PACK_SKIP_ROWS, {GL_PACK_SKIP_ROWS}},
    {GLES2_OP_glPixelStorei, 30, NULL, "i", GL_UNPACK_ROW_LENGTH, {GL_UNPACK_ROW_LENGTH}},
    {GLES2_OP_glPixelStorei, 30, NULL, "i", GL_UNPACK_IMAGE_HEIGHT, {GL_UNPACK_IMAGE_HEIGHT}},
    {GLES2_OP_glPixelStorei, 30, NULL, "i", GL_UNPACK_SKIP_PIXELS, {GL_UNPACK_SKIP_PIXELS}},
    {GLES2_OP_glPixelStorei, 30, NULL, "i", GL_UNPACK_SKIP_ROWS, {GL_UNPACK_SKIP_ROWS}},
    {GLES2_OP_glPixelStorei, 30, NULL, "i", GL_UNPACK_SKIP_IMAGES, {GL_UNPACK_SKIP_IMAGES}},
    {GLESX_OP_glMinSampleShading, 32, NULL, "f", 0, {GL_MIN_SAMPLE_SHADING_VALUE}},
    {GLESX_OP_glPatchParameteri, 32, NULL, "i", GL_PATCH_VERTICES, {GL_PATCH_VERTICES}},
    {GLESX_OP_glPrimitiveBoundingBox, 32, NULL, "ffffffff", 0, {GL_PRIMITIVE_BOUNDING_BOX}},
    {GLESX_OP_glClipControlEXT,
     20,
     "GL_EXT_clip_control",
     "ii",
     0,
     {GL_CLIP_ORIGIN_EXT, GL_CLIP_DEPTH_MODE_EXT}},
    {GLES2_OP_glBindBuffer, 20, NULL, "i", GL_ARRAY_BUFFER, {GL_ARRAY_BUFFER_BINDING}},
    {GLES2_OP_glBindBuffer, 30, NULL, "i", GL_COPY_READ_BUFFER, {GL_COPY_READ_BUFFER_BINDING}},
    {GLES2_OP_glBindBuffer, 30, NULL, "i", GL_COPY_WRITE_BUFFER, {GL_COPY_WRITE_BUFFER_BINDING}},
    {GLES2_OP_glBindBuffer, 30, NULL, "i", GL_PIXEL_PACK_BUFFER, {GL_PIXEL_PACK_BUFFER_BINDING}},
    {GLES2_OP_glBindBuffer,
     30,
     NULL,
     "i",
     GL_PIXEL_UNPACK_BUFFER,
     {GL_PIXEL_UNPACK_BUFFER_BINDING}},
    {GLES2_OP_glBindBuffer, 30, NULL, "i", GL_UNIFORM_BUFFER, {GL_UNIFORM_BUFFER_BINDING}},
    {GLES2_OP_glBindBuffer,
     31,
     NULL,
     "i",
     GL_SHADER_STORAGE_BUFFER,
     {GL_SHADER_STORAGE_BUFFER_BINDING}},
    {GLES2_OP_glBindBuffer,
     31,
     NULL,
     "i",
     GL_ATOMIC_COUNTER_BUFFER,
     {GL_ATOMIC_COUNTER_BUFFER_BINDING}},
    {GLES2_OP_glBindBuffer,
     31,
     NULL,
     "i",
     GL_DRAW_INDIRECT_BUFFER,
     {GL_DRAW_INDIRECT_BUFFER_BINDING}},
    {GLES2_OP_glBindBuffer,
     31,
     NULL,
     "i",
     GL_DISPATCH_INDIRECT_BUFFER,
     {GL_DISPATCH_INDIRECT_BUFFER_BINDING}},
    {GLES2_OP_glBindBuffer, 32, NULL, "i", GL_TEXTURE_BUFFER, {GL_TEXTURE_BUFFER_BINDING}},
    {GLES2_OP_glBindRenderbuffer, 20, NULL, "i", GL_RENDERBUFFER, {GL_RENDERBUFFER_BINDING}},
    {GLES2_OP_glUseProgram, 20, NULL, "i", 0, {GL_CURRENT_PROGRAM}},
    {GLES2_OP_glActiveTexture, 20, NULL, "i", 0, {GL_ACTIVE_TEXTURE}},
};

static bool offered(const struct hgl_save *s, uint32_t gles, uint8_t since, const char *extension)
{
    return gles >= since && (extension == NULL || hgl_has(s, extension));
}

union value {
    GLint i;
    GLfloat f;
};

static void get_values(const struct hgl_save *s, char type, GLenum name, union value *out)
{
    GLint ints[VALUES_MAX] = {0};
    GLfloat floats[VALUES_MAX] = {0};
    GLboolean bools[VALUES_MAX] = {0};
    if (type == 'f') {
        s->gl->GetFloatv(name, floats);
    } else if (type == 'b') {
        s->gl->GetBooleanv(name, bools);
    } else {
        s->gl->GetIntegerv(name, ints);
    }
    for (uint32_t i = 0; i < VALUES_MAX; i++) {
        if (type == 'f') {
            out[i].f = floats[i];
        } else {
            out[i].i = type == 'b' ? bools[i] : ints[i];
        }
    }
}

void hgl_save_row(struct hgl_save *s, const struct hgl_row *r, uint32_t gles)
{
    uint8_t body[4 + VALUES_MAX * 4], *p = body;
    union value all[VALUES_MAX];
    if (!offered(s, gles, r->gles, r->extension)) {
        return;
    }
    if (r->prefix != 0) {
        sl_store_u32(p, r->prefix);
        p += 4;
    }
    get_values(s, r->values[0], r->names[0], all);
    for (uint32_t i = 0; r->values[i] != '\0'; i++) {
        union value own[VALUES_MAX], v = all[i];
        if (r->names[1] != 0) {
            get_values(s, r->values[i], r->names[i], own);
            v = own[0];
        }
        if (r->values[i] == 'b') {
            *p++ = v.i != 0;
        } else {
            memcpy(p, &v, 4);
            p += 4;
        }
    }
    hgl_save_raw(s, r->opcode, body, (size_t)(p - body));
}

/* --- capabilities --- */

static const struct capability {
    GLenum name;
    uint8_t gles;
    const char *extension; /* nullable */
} capabilities[] = {
    {GL_BLEND, 20, NULL},
    {GL_CULL_FACE, 20, NULL},
    {GL_DEPTH_TEST, 20, NULL},
    {GL_DITHER, 20, NULL},
    {GL_POLYGON_OFFSET_FILL, 20, NULL},
    {GL_SAMPLE_ALPHA_TO_COVERAGE, 20, NULL},
    {GL_SAMPLE_COVERAGE, 20, NULL},
    {GL_SCISSOR_TEST, 20, NULL},
    {GL_STENCIL_TEST, 20, NULL},
    {GL_PRIMITIVE_RESTART_FIXED_INDEX, 30, NULL},
    {GL_RASTERIZER_DISCARD, 30, NULL},
    {GL_SAMPLE_MASK, 31, NULL},
    {GL_SAMPLE_SHADING, 32, NULL},
    {GL_DEBUG_OUTPUT, 32, NULL},
    {GL_DEBUG_OUTPUT_SYNCHRONOUS, 32, NULL},
    {GL_FRAMEBUFFER_SRGB_EXT, 20, "GL_EXT_sRGB_write_control"},
    {GL_DEPTH_CLAMP_EXT, 20, "GL_EXT_depth_clamp"},
    {GL_MULTISAMPLE_EXT, 20, "GL_EXT_multisample_compatibility"},
    {GL_SAMPLE_ALPHA_TO_ONE_EXT, 20, "GL_EXT_multisample_compatibility"},
    {GL_CLIP_DISTANCE0_EXT, 20, "GL_EXT_clip_cull_distance"},
    {GL_CLIP_DISTANCE1_EXT, 20, "GL_EXT_clip_cull_distance"},
    {GL_CLIP_DISTANCE2_EXT, 20, "GL_EXT_clip_cull_distance"},
    {GL_CLIP_DISTANCE3_EXT, 20, "GL_EXT_clip_cull_distance"},
    {GL_CLIP_DISTANCE4_EXT, 20, "GL_EXT_clip_cull_distance"},
    {GL_CLIP_DISTANCE5_EXT, 20, "GL_EXT_clip_cull_distance"},
    {GL_CLIP_DISTANCE6_EXT, 20, "GL_EXT_clip_cull_distance"},
    {GL_CLIP_DISTANCE7_EXT, 20, "GL_EXT_clip_cull_distance"},
    {GL_BLEND_ADVANCED_COHERENT_KHR, 20, "GL_KHR_blend_equation_advanced_coherent"},
};

static void save_capabilities(struct hgl_save *s, uint32_t gles)
{
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++) {
        const struct capability *c = &capabilities[i];
        if (offered(s, gles, c->gles, c->extension)) {
            uint32_t name = c->name;
            hgl_save_raw(s, s->gl->IsEnabled(name) ? GLES2_OP_glEnable : GLES2_OP_glDisable, &name,
                         4);
        }
    }
}

/* --- by index --- */

static GLint indexed(const struct hgl_save *s, GLenum name, uint32_t index)
{
    GLint value[16] = {0};
    s->gl->GetIntegeri_v(name, index, value);
    return value[0];
}

/* Equations of KHR_blend_equation_advanced are of all components; glBlendEquationSeparate takes
 * none. */
static bool is_advanced(GLint equation)
{
    return equation >= GL_MULTIPLY_KHR && equation <= GL_HSL_LUMINOSITY_KHR;
}

static void save_advanced_blending(struct hgl_save *s, uint32_t gles)
{
    GLint equation = hgl_get(s, GL_BLEND_EQUATION_RGB);
    if (gles >= 32 && is_advanced(equation)) {
        gles2_pack_glBlendEquation(hgl_out(s), (GLenum)equation);
    }
}

/* Blending of each draw buffer, where it is not that of the first. */
static void save_draw_buffers(struct hgl_save *s, uint32_t gles)
{
    static const GLenum names[] = {GL_BLEND_SRC_RGB,      GL_BLEND_DST_RGB,
                                   GL_BLEND_SRC_ALPHA,    GL_BLEND_DST_ALPHA,
                                   GL_BLEND_EQUATION_RGB, GL_BLEND_EQUATION_ALPHA};
    GLint count = gles >= 32 ? hgl_get(s, GL_MAX_DRAW_BUFFERS) : 0;
    struct sl_pack *out = hgl_out(s);
    for (uint32_t i = 1; (GLint)i < count && i < 32; i++) {
        GLboolean mask[2][4];
        GLint v[6];
        bool same = true;
        for (uint32_t k = 0; k < 6; k++) {
            v[k] = indexed(s, names[k], i);
            same = same && v[k] == indexed(s, names[k], 0);
        }
        if (!same) {
            gles2_pack_glBlendFuncSeparateiEXT(out, i, (GLenum)v[0], (GLenum)v[1], (GLenum)v[2],
                                               (GLenum)v[3]);
            if (is_advanced(v[4])) {
                gles2_pack_glBlendEquationiEXT(out, i, (GLenum)v[4]);
            } else {
                gles2_pack_glBlendEquationSeparateiEXT(out, i, (GLenum)v[4], (GLenum)v[5]);
            }
        }
        s->gl->GetBooleani_v(GL_COLOR_WRITEMASK, 0, mask[0]);
        s->gl->GetBooleani_v(GL_COLOR_WRITEMASK, i, mask[1]);
        if (memcmp(mask[0], mask[1], 4) != 0) {
            gles2_pack_glColorMaskiEXT(out, i, mask[1][0], mask[1][1], mask[1][2], mask[1][3]);
        }
        GLboolean on = s->gl->IsEnablediEXT(GL_BLEND, i);
        if (on != s->gl->IsEnablediEXT(GL_BLEND, 0)) {
            (on ? gles2_pack_glEnableiEXT : gles2_pack_glDisableiEXT)(out, GL_BLEND, i);
        }
    }
}

/* Viewports, scissors and depth ranges of OES_viewport_array. */
static void save_viewports(struct hgl_save *s)
{
    GLint count = hgl_has(s, "GL_OES_viewport_array") ? hgl_get(s, GL_MAX_VIEWPORTS_OES) : 0;
    struct sl_pack *out = hgl_out(s);
    for (uint32_t i = 0; (GLint)i < count && i < 64; i++) {
        GLfloat viewport[4] = {0}, range[4] = {0};
        GLint box[4] = {0};
        s->gl->GetFloati_vOES(GL_VIEWPORT, i, viewport);
        s->gl->GetFloati_vOES(GL_DEPTH_RANGE, i, range);
        s->gl->GetIntegeri_v(GL_SCISSOR_BOX, i, box);
        glesx_pack_glViewportIndexedfvOES(out, i, viewport, sizeof viewport);
        glesx_pack_glDepthRangeIndexedfOES(out, i, range[0], range[1]);
        glesx_pack_glScissorIndexedvOES(out, i, box, sizeof box);
        (s->gl->IsEnablediEXT(GL_SCISSOR_TEST, i)
             ? gles2_pack_glEnableiEXT
             : gles2_pack_glDisableiEXT)(out, GL_SCISSOR_TEST, i);
    }
}

static const struct indexed_buffer {
    GLenum target, binding, start, size, max;
    uint8_t gles;
} indexed_buffers[] = {
    {GL_UNIFORM_BUFFER, GL_UNIFORM_BUFFER_BINDING, GL_UNIFORM_BUFFER_START, GL_UNIFORM_BUFFER_SIZE,
     GL_MAX_UNIFORM_BUFFER_BINDINGS, 30},
    {GL_SHADER_STORAGE_BUFFER, GL_SHADER_STORAGE_BUFFER_BINDING, GL_SHADER_STORAGE_BUFFER_START,
     GL_SHADER_STORAGE_BUFFER_SIZE, GL_MAX_SHADER_STORAGE_BUFFER_BINDINGS, 31},
    {GL_ATOMIC_COUNTER_BUFFER, GL_ATOMIC_COUNTER_BUFFER_BINDING, GL_ATOMIC_COUNTER_BUFFER_START,
     GL_ATOMIC_COUNTER_BUFFER_SIZE, GL_MAX_ATOMIC_COUNTER_BUFFER_BINDINGS, 31}};

static void save_indexed_buffers(struct hgl_save *s, uint32_t gles)
{
    for (size_t t = 0; t < sizeof indexed_buffers / sizeof indexed_buffers[0]; t++) {
        const struct indexed_buffer *b = &indexed_buffers[t];
        GLint count = gles >= b->gles ? hgl_get(s, b->max) : 0;
        for (uint32_t i = 0; (GLint)i < count && i < BINDINGS_MAX; i++) {
            uint32_t name = (uint32_t)indexed(s, b->binding, i);
            GLint64 start = 0, size = 0;
            s->gl->GetInteger64i_v(b->start, i, &start);
            s->gl->GetInteger64i_v(b->size, i, &size);
            if (name != 0 && size != 0) {
                gles2_pack_glBindBufferRange(hgl_out(s), b->target, i, name, start, size);
            } else if (name != 0 || hgl_save_is_whole(s)) {
                gles2_pack_glBindBufferBase(hgl_out(s), b->target, i, name);
            }
        }
    }
}

static void save_image_units(struct hgl_save *s, uint32_t gles)
{
    GLint count = gles >= 31 ? hgl_get(s, GL_MAX_IMAGE_UNITS) : 0;
    for (uint32_t i = 0; (GLint)i < count && i < BINDINGS_MAX; i++) {
        uint32_t name = (uint32_t)indexed(s, GL_IMAGE_BINDING_NAME, i);
        if (name != 0 || hgl_save_is_whole(s)) {
            GLboolean layered = GL_FALSE;
            s->gl->GetBooleani_v(GL_IMAGE_BINDING_LAYERED, i, &layered);
            gles2_pack_glBindImageTexture(hgl_out(s), i, name,
                                          indexed(s, GL_IMAGE_BINDING_LEVEL, i), layered,
                                          indexed(s, GL_IMAGE_BINDING_LAYER, i),
                                          (GLenum)indexed(s, GL_IMAGE_BINDING_ACCESS, i),
                                          (GLenum)indexed(s, GL_IMAGE_BINDING_FORMAT, i));
        }
    }
}

static const struct {
    GLenum target, binding;
    uint8_t gles;
} texture_bindings[] = {
    {GL_TEXTURE_2D, GL_TEXTURE_BINDING_2D, 20},
    {GL_TEXTURE_CUBE_MAP, GL_TEXTURE_BINDING_CUBE_MAP, 20},
    {GL_TEXTURE_3D, GL_TEXTURE_BINDING_3D, 30},
    {GL_TEXTURE_2D_ARRAY, GL_TEXTURE_BINDING_2D_ARRAY, 30},
    {GL_TEXTURE_2D_MULTISAMPLE, GL_TEXTURE_BINDING_2D_MULTISAMPLE, 31},
    {GL_TEXTURE_BUFFER, GL_TEXTURE_BINDING_BUFFER, 32},
    {GL_TEXTURE_CUBE_MAP_ARRAY, GL_TEXTURE_BINDING_CUBE_MAP_ARRAY, 32},
    {GL_TEXTURE_2D_MULTISAMPLE_ARRAY, GL_TEXTURE_BINDING_2D_MULTISAMPLE_ARRAY, 32},
};

/* Names that were deleted while bound in another context stand for nothing any more: the binding
 * is left empty. */
static void save_texture_units(struct hgl_save *s, uint32_t gles)
{
    GLint count = hgl_get(s, GL_MAX_COMBINED_TEXTURE_IMAGE_UNITS);
    GLint active = hgl_get(s, GL_ACTIVE_TEXTURE);
    for (uint32_t unit = 0; (GLint)unit < count && unit < BINDINGS_MAX; unit++) {
        bool said = false;
        s->gl->ActiveTexture(GL_TEXTURE0 + unit);
        for (size_t t = 0; t < sizeof texture_bindings / sizeof texture_bindings[0]; t++) {
            uint32_t name = gles >= texture_bindings[t].gles
                                ? (uint32_t)hgl_get(s, texture_bindings[t].binding)
                                : 0;
            /* Unit 0 was used to make them all: what is bound there is said in any case. */
            bool empty = name == 0 && unit != 0 && !hgl_save_is_whole(s);
            if (gles < texture_bindings[t].gles || empty ||
                (name != 0 && !s->gl->IsTexture(name))) {
                continue;
            }
            if (!said) {
                gles2_pack_glActiveTexture(hgl_out(s), GL_TEXTURE0 + unit);
                said = true;
            }
            gles2_pack_glBindTexture(hgl_out(s), texture_bindings[t].target, name);
        }
        uint32_t sampler = gles >= 30 ? (uint32_t)hgl_get(s, GL_SAMPLER_BINDING) : 0;
        if ((sampler != 0 && s->gl->IsSampler(sampler)) || (gles >= 30 && hgl_save_is_whole(s))) {
            gles2_pack_glBindSampler(hgl_out(s), unit, sampler);
        }
    }
    s->gl->ActiveTexture((GLenum)active);
    hgl_save_flush(s);
}

/* --- the rest --- */

static void save_attributes(struct hgl_save *s)
{
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        GLfloat value[4] = {0};
        s->gl->GetVertexAttribfv(i, GL_CURRENT_VERTEX_ATTRIB, value);
        gles2_pack_glVertexAttrib4fv(hgl_out(s), i, value, sizeof value);
    }
}

static void save_sample_masks(struct hgl_save *s, uint32_t gles)
{
    GLint words = gles >= 31 ? hgl_get(s, GL_MAX_SAMPLE_MASK_WORDS) : 0;
    for (uint32_t i = 0; (GLint)i < words && i < 4; i++) {
        gles2_pack_glSampleMaski(hgl_out(s), i, (GLbitfield)indexed(s, GL_SAMPLE_MASK_VALUE, i));
    }
}

static void save_debug(struct hgl_save *s, const struct hgl_saved *c)
{
    if (c->context->gles_version < 32) {
        return;
    }
    GLint depth = hgl_get(s, GL_DEBUG_GROUP_STACK_DEPTH);
    void *callback = NULL;
    for (GLint i = 1; i < depth; i++) {
        glesx_pack_glPushDebugGroup(hgl_out(s), GL_DEBUG_SOURCE_APPLICATION, 0, 1, " ", 1);
    }
    s->gl->GetPointerv(GL_DEBUG_CALLBACK_FUNCTION, &callback);
    if (callback != NULL) {
        glesx_pack_glDebugCallbackSLUICE(hgl_out(s), GL_TRUE);
    }
}

void hgl_save_state(struct hgl_save *s, const struct hgl_saved *c)
{
    uint32_t gles = c->context->gles_version;
    save_attributes(s);
    save_texture_units(s, gles);
    save_indexed_buffers(s, gles);
    save_image_units(s, gles);
    save_sample_masks(s, gles);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool whole = rows[i].opcode == GLES2_OP_glBlendEquationSeparate &&
                     is_advanced(hgl_get(s, GL_BLEND_EQUATION_RGB));
        if (!whole) {
            hgl_save_row(s, &rows[i], gles);
        }
    }
    save_advanced_blending(s, gles);
    save_capabilities(s, gles);
    save_draw_buffers(s, gles);
    save_viewports(s);
    hgl_save_about(s, VGD_FIXED, HGL_ABOUT_DEBUG, c->handle);
    save_debug(s, c);
    hgl_save_flush(s);
}
