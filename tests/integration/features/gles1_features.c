/* What GLES 1.1 can do, feature by feature: clears, matrices, tests, blending, state here. */
#include "tests/integration/features/gles1.h"

#include <math.h>

/* --- clearing, masks, tests --- */

static void clear_colors(struct fx *fx, int frame)
{
    GLfloat now[4];
    glClearColorx(fixed(0.2f * (float)frame), fixed(0.5f), fixed(1.0f - 0.3f * (float)frame),
                  0x8000);
    glClear(GL_COLOR_BUFFER_BIT);
    glGetFloatv(GL_COLOR_CLEAR_VALUE, now);
    fx_note(fx, now, sizeof now);
}

static void scissor_boxes(struct fx *fx, int frame)
{
    GLint box[4];
    glEnable(GL_SCISSOR_TEST);
    for (int i = 0; i < 8; i++) {
        glScissor(i * 7 - 3, i * 5 + frame, 20, 9);
        glClearColor((float)i / 8, 1 - (float)i / 8, 0.5f, 1);
        glClear(GL_COLOR_BUFFER_BIT);
    }
    glGetIntegerv(GL_SCISSOR_BOX, box);
    fx_note(fx, box, sizeof box);
}

static void color_masks(struct fx *fx, int frame)
{
    GLboolean masks[4];
    for (int i = 0; i < 4; i++) {
        glColorMask(i == 0 || frame == 2, i == 1, i == 2, i == 3);
        fill_rect(-1 + 0.5f * (float)i, -1, -0.5f + 0.5f * (float)i, 1);
    }
    glGetBooleanv(GL_COLOR_WRITEMASK, masks);
    fx_note(fx, masks, sizeof masks);
    glColorMask(1, 1, 1, 1);
}

static const GLenum compares[] = {GL_NEVER,   GL_LESS,     GL_EQUAL,  GL_LEQUAL,
                                  GL_GREATER, GL_NOTEQUAL, GL_GEQUAL, GL_ALWAYS};

static void depth_functions(struct fx *fx, int frame)
{
    GLfloat range[2];
    glEnable(GL_DEPTH_TEST);
    glDepthRangex(fixed(0.1f), fixed(0.9f));
    for (int i = 0; i < 8; i++) {
        float x = -1 + 0.25f * (float)i;
        for (int k = 0; k < 3; k++) {
            glDepthFunc(k == 0 ? GL_ALWAYS : compares[i]);
            glPushMatrix();
            glTranslatef(0, 0, k == 1 ? 0.3f - 0.3f * (float)frame : 0);
            glColor4f(k == 0, k == 1, k == 2, 1);
            fill_rect(x, -1 + 0.5f * (float)k, x + 0.25f, 0.2f + 0.4f * (float)k);
            glPopMatrix();
        }
    }
    glGetFloatv(GL_DEPTH_RANGE, range);
    fx_note(fx, range, sizeof range);
}

static void alpha_functions(struct fx *fx, int frame)
{
    GLint function = 0;
    GLfixed reference;
    glEnable(GL_ALPHA_TEST);
    for (int i = 0; i < 8; i++) {
        glAlphaFuncx(compares[i], fixed(0.25f * (float)(frame + 1)));
        for (int k = 0; k < 4; k++) {
            glColor4ub((GLubyte)(i * 30), 200, (GLubyte)(k * 60), (GLubyte)(k * 64));
            fill_rect(-1 + 0.25f * (float)i, -1 + 0.5f * (float)k, -0.75f + 0.25f * (float)i,
                      -0.5f + 0.5f * (float)k);
        }
    }
    glGetIntegerv(GL_ALPHA_TEST_FUNC, &function);
    glGetFixedv(GL_ALPHA_TEST_REF, &reference);
    fx_note_int(fx, function);
    fx_note_int(fx, reference);
}

static void stencil_operations(struct fx *fx, int frame)
{
    static const GLenum operations[] = {GL_KEEP, GL_ZERO, GL_REPLACE, GL_INCR, GL_DECR, GL_INVERT};
    (void)fx;
    glEnable(GL_STENCIL_TEST);
    glClearStencil(frame == 0 ? 0 : 255);
    glStencilMask(0xff);
    glClear(GL_STENCIL_BUFFER_BIT);
    for (int i = 0; i < 6; i++) {
        float x = -1 + (float)i / 3;
        glStencilFunc(GL_ALWAYS, 0x35, 0xff);
        glStencilOp(GL_KEEP, GL_KEEP, operations[i]);
        fill_rect(x, -1, x + 0.3f, 1);
    }
    glStencilOp(GL_KEEP, GL_KEEP, GL_KEEP);
    for (int i = 0; i < 6; i++) {
        static const GLint values[] = {0, 1, 0x35, 254, 255, 0xca};
        glStencilFunc(GL_EQUAL, values[i], 0xff);
        glColor4f((float)i / 6, 1 - (float)i / 6, 1, 1);
        fill_rect(-1, -1, 1, 1);
    }
}

static void blend_functions(struct fx *fx, int frame)
{
    static const GLenum factors[] = {GL_ZERO,      GL_ONE,
                                     GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA,
                                     GL_DST_ALPHA, GL_ONE_MINUS_DST_ALPHA};
    GLint source = 0;
    glEnable(GL_BLEND);
    for (int i = 0; i < 6; i++) {
        for (int k = 0; k < 6; k++) {
            glBlendFunc(factors[i], factors[k]);
            glColor4f(0.3f + 0.2f * (float)frame, 0.7f, 0.1f * (float)k, 0.6f);
            fill_rect(-1 + (float)i / 3, -1 + (float)k / 3, -0.7f + (float)i / 3,
                      -0.7f + (float)k / 3);
        }
    }
    glGetIntegerv(GL_BLEND_SRC, &source);
    fx_note_int(fx, source);
}

static void blend_extended(struct fx *fx, int frame)
{
    PFNGLBLENDEQUATIONOESPROC equation = EXTENSION(PFNGLBLENDEQUATIONOESPROC, glBlendEquationOES);
    PFNGLBLENDEQUATIONSEPARATEOESPROC equations =
        EXTENSION(PFNGLBLENDEQUATIONSEPARATEOESPROC, glBlendEquationSeparateOES);
    PFNGLBLENDFUNCSEPARATEOESPROC functions =
        EXTENSION(PFNGLBLENDFUNCSEPARATEOESPROC, glBlendFuncSeparateOES);
    static const GLenum names[] = {GL_FUNC_ADD_OES, GL_FUNC_SUBTRACT_OES,
                                   GL_FUNC_REVERSE_SUBTRACT_OES, GL_MIN_EXT, GL_MAX_EXT};
    GLint value = 0;
    glEnable(GL_BLEND);
    for (int i = 0; i < 5; i++) {
        if (frame == 0) {
            equation(names[i]);
            glBlendFunc(GL_ONE, GL_ONE);
        } else {
            equations(names[i], names[(i + frame) % 5]);
            functions(GL_SRC_ALPHA, GL_ONE, GL_ONE, GL_ZERO);
        }
        glColor4f(0.4f, 0.6f, 0.05f, 0.5f);
        fill_rect(-1 + 0.4f * (float)i, -1, -0.65f + 0.4f * (float)i, 1);
    }
    glGetIntegerv(GL_BLEND_EQUATION_ALPHA_OES, &value);
    fx_note_int(fx, value);
}

static void logic_operations(struct fx *fx, int frame)
{
    GLint operation = 0;
    glEnable(GL_COLOR_LOGIC_OP);
    for (int i = 0; i < 16; i++) {
        glLogicOp(GL_CLEAR + (GLenum)i);
        glColor4ub(0x5a, (GLubyte)(0xc3 + frame), 0x0f, 0xff);
        fill_rect(-1 + 0.5f * (float)(i % 4), -1 + 0.5f * (float)(i / 4),
                  -0.6f + 0.5f * (float)(i % 4), -0.6f + 0.5f * (float)(i / 4));
    }
    glGetIntegerv(GL_LOGIC_OP_MODE, &operation);
    fx_note_int(fx, operation);
}

static void dither_and_hints(struct fx *fx, int frame)
{
    GLint hint = 0;
    (frame == 1 ? glDisable : glEnable)(GL_DITHER);
    glHint(GL_PERSPECTIVE_CORRECTION_HINT, frame == 0 ? GL_NICEST : GL_FASTEST);
    glHint(GL_FOG_HINT, GL_NICEST);
    for (int i = 0; i < 16; i++) {
        glColor4f((float)i / 47, (float)i / 31, (float)i / 15, 1);
        fill_rect(-1 + 0.125f * (float)i, -1, -0.875f + 0.125f * (float)i, 1);
    }
    glGetIntegerv(GL_PERSPECTIVE_CORRECTION_HINT, &hint);
    fx_note_int(fx, hint);
    fx_note_int(fx, glIsEnabled(GL_DITHER));
}

/* --- matrices --- */

static void note_matrix(struct fx *fx, GLenum name)
{
    GLfloat matrix[16];
    GLfixed fixed_matrix[16];
    glGetFloatv(name, matrix);
    glGetFixedv(name, fixed_matrix);
    fx_note(fx, matrix, sizeof matrix);
    fx_note(fx, fixed_matrix, sizeof fixed_matrix);
}

static void matrix_stack(struct fx *fx, int frame)
{
    GLint depth = 0;
    glMatrixMode(GL_MODELVIEW);
    for (int i = 0; i < 5; i++) {
        glPushMatrix();
        glRotatef(20.0f * (float)i + 7.0f * (float)frame, 0.1f, 0.2f, 1);
        glScalex(fixed(0.8f), fixed(0.7f), 0x10000);
        glTranslatex(fixed(0.1f), fixed(-0.05f), 0);
        glColor4f((float)i / 5, 1 - (float)i / 5, 0.5f, 1);
        fill_rect(-0.7f, -0.7f, 0.7f, 0.7f);
    }
    glGetIntegerv(GL_MODELVIEW_STACK_DEPTH, &depth);
    fx_note_int(fx, depth);
    note_matrix(fx, GL_MODELVIEW_MATRIX);
    for (int i = 0; i < 5; i++) {
        glPopMatrix();
    }
    glPopMatrix();
    fx_error(fx, GL_STACK_UNDERFLOW);
}

static void matrix_loads(struct fx *fx, int frame)
{
    GLfloat shear[16] = {0.8f, 0.2f, 0, 0, -0.3f, 0.9f, 0, 0, 0, 0, 1, 0, 0.1f, 0, 0, 1};
    GLfixed turned[16];
    shear[12] = 0.1f * (float)frame;
    for (int i = 0; i < 16; i++) {
        turned[i] = fixed(shear[i]);
    }
    glLoadMatrixf(shear);
    glColor4f(1, 0.5f, 0, 1);
    fill_rect(-0.9f, -0.9f, 0, 0.9f);
    glLoadMatrixx(turned);
    glMultMatrixf(shear);
    glMultMatrixx(turned);
    glColor4x(0, 0x8000, 0x10000, 0x10000);
    fill_rect(0, -0.9f, 0.9f, 0.9f);
    note_matrix(fx, GL_MODELVIEW_MATRIX);
    glLoadIdentity();
}

static void projections(struct fx *fx, int frame)
{
    glMatrixMode(GL_PROJECTION);
    for (int i = 0; i < 4; i++) {
        glLoadIdentity();
        glViewport(i % 2 * 32, i / 2 * 32, 32, 32);
        if (i == 0) {
            glOrthof(-2, 2, -1, 1.5f, -1, 1);
        } else if (i == 1) {
            glOrthox(fixed(-1), fixed(1), fixed(-2), fixed(2), fixed(-5), fixed(5));
        } else if (i == 2) {
            glFrustumf(-0.5f, 0.5f, -0.5f, 0.5f, 1, 10);
        } else {
            glFrustumx(fixed(-0.5f), fixed(0.6f), fixed(-0.4f), fixed(0.5f), 0x10000, fixed(8));
        }
        glMatrixMode(GL_MODELVIEW);
        glLoadIdentity();
        glTranslatef(0, 0, i < 2 ? 0 : -1.5f);
        glRotatex(fixed(10.0f + 15.0f * (float)frame), 0, i < 2 ? 0 : 0x10000, 0x10000);
        glColor4f(1, (float)i / 4, 0.2f, 1);
        fill_rect(-0.8f, -0.8f, 0.8f, 0.8f);
        glMatrixMode(GL_PROJECTION);
    }
    note_matrix(fx, GL_PROJECTION_MATRIX);
    glLoadIdentity();
    glMatrixMode(GL_MODELVIEW);
}

static void query_matrix(struct fx *fx, int frame)
{
    PFNGLQUERYMATRIXXOESPROC query = EXTENSION(PFNGLQUERYMATRIXXOESPROC, glQueryMatrixxOES);
    GLfixed mantissa[16] = {0};
    GLint exponent[16] = {0};
    glRotatef(33.0f * (float)frame, 1, 1, 0);
    glScalef(100, 0.01f, 3);
    fx_note_int(fx, query(mantissa, exponent));
    fx_note(fx, mantissa, sizeof mantissa);
    fx_note(fx, exponent, sizeof exponent);
    glLoadIdentity();
}

static void clip_planes(struct fx *fx, int frame)
{
    GLfloat back[4];
    GLfixed back_fixed[4];
    const GLfloat planes[2][4] = {{1, 0.5f, 0, 0.2f}, {-0.3f, 1, 0, 0.4f - 0.2f * (float)frame}};
    const GLfixed third[4] = {0, fixed(-1), 0, fixed(0.7f)};
    glClipPlanef(GL_CLIP_PLANE0, planes[0]);
    glClipPlanef(GL_CLIP_PLANE1, planes[1]);
    glClipPlanex(GL_CLIP_PLANE2, third);
    for (GLenum i = 0; i < 3; i++) {
        glEnable(GL_CLIP_PLANE0 + i);
    }
    fill_rect(-1, -1, 1, 1);
    glGetClipPlanef(GL_CLIP_PLANE1, back);
    glGetClipPlanex(GL_CLIP_PLANE2, back_fixed);
    fx_note(fx, back, sizeof back);
    fx_note(fx, back_fixed, sizeof back_fixed);
    fx_note_int(fx, glIsEnabled(GL_CLIP_PLANE2));
}

/* --- primitives --- */

static void culling(struct fx *fx, int frame)
{
    (void)fx;
    glEnable(GL_CULL_FACE);
    for (int i = 0; i < 4; i++) {
        glCullFace(i < 2 ? GL_FRONT : GL_BACK);
        glFrontFace(i % 2 ? GL_CW : GL_CCW);
        glColor4f((float)i / 4, 1, 0, 1);
        glPushMatrix();
        glScalef(frame == 1 ? -1 : 1, 1, 1);
        fill_rect(-1 + 0.5f * (float)i, -1, -0.6f + 0.5f * (float)i, 1);
        glPopMatrix();
    }
}

static void polygon_offset(struct fx *fx, int frame)
{
    GLfloat factor = 0;
    glEnable(GL_DEPTH_TEST);
    glEnable(GL_POLYGON_OFFSET_FILL);
    for (int i = 0; i < 6; i++) {
        glPolygonOffset(0.5f * (float)(i - 3), (float)(frame - 1));
        glColor4f((float)i / 6, 0.4f, 1, 1);
        fill_rect(-1 + 0.2f * (float)i, -1 + 0.1f * (float)i, 0.2f * (float)i, 1);
    }
    glPolygonOffsetx(fixed(1.5f), fixed(-2));
    glGetFloatv(GL_POLYGON_OFFSET_FACTOR, &factor);
    fx_note(fx, &factor, sizeof factor);
}

static void lines_and_points(struct fx *fx, int frame)
{
    static const GLfloat places[] = {-0.8f, -0.8f, 0.7f, -0.5f, -0.6f, 0.1f,  0.8f, 0.4f,
                                     -0.7f, 0.8f,  0.5f, 0.9f,  0,     -0.2f, 0.3f, 0.2f};
    static const GLenum modes[] = {GL_LINES, GL_LINE_STRIP, GL_LINE_LOOP, GL_POINTS};
    GLfloat width = 0, size = 0;
    glEnableClientState(GL_VERTEX_ARRAY);
    glVertexPointer(2, GL_FLOAT, 0, places);
    for (int i = 0; i < 4; i++) {
        glLineWidth(1.0f + (float)(i + frame));
        glPointSizex(fixed(2.0f + 3.0f * (float)frame));
        glColor4f(1, (float)i / 4, 1 - (float)i / 4, 1);
        glDrawArrays(modes[i], i, 8 - i);
    }
    glDisableClientState(GL_VERTEX_ARRAY);
    glLineWidthx(fixed(2.5f));
    glGetFloatv(GL_LINE_WIDTH, &width);
    glGetFloatv(GL_POINT_SIZE, &size);
    fx_note(fx, &width, sizeof width);
    fx_note(fx, &size, sizeof size);
}

static void smooth_lines_and_points(struct fx *fx, int frame)
{
    static const GLfloat places[] = {-0.8f, -0.8f, 0.7f, -0.5f, -0.6f, 0.1f, 0.8f, 0.4f};
    (void)fx;
    glEnable(GL_BLEND);
    glBlendFunc(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA);
    glEnable(GL_LINE_SMOOTH);
    glEnable(GL_POINT_SMOOTH);
    glLineWidth(1.5f + (float)frame);
    glPointSize(6.5f + (float)frame);
    glEnableClientState(GL_VERTEX_ARRAY);
    glVertexPointer(2, GL_FLOAT, 0, places);
    glDrawArrays(GL_LINE_STRIP, 0, 4);
    glDrawArrays(GL_POINTS, 0, 4);
    glDisableClientState(GL_VERTEX_ARRAY);
}

static void point_parameters(struct fx *fx, int frame)
{
    static const GLfloat attenuation[] = {0.2f, 0.1f, 0.4f};
    const GLfixed fixed_attenuation[] = {fixed(0.5f), 0, fixed(0.25f)};
    GLfloat back[3];
    glPointSize(16);
    glPointParameterf(GL_POINT_SIZE_MIN, 2);
    glPointParameterx(GL_POINT_SIZE_MAX, fixed(20));
    if (frame == 1) {
        glPointParameterxv(GL_POINT_DISTANCE_ATTENUATION, fixed_attenuation);
    } else {
        glPointParameterfv(GL_POINT_DISTANCE_ATTENUATION, attenuation);
    }
    static const GLfloat places[] = {-0.6f, -0.6f, -0.9f, 0.5f, -0.5f, 0, 0, 0.6f, 0.8f};
    glEnableClientState(GL_VERTEX_ARRAY);
    glVertexPointer(3, GL_FLOAT, 0, places);
    glDrawArrays(GL_POINTS, 0, 3);
    glDisableClientState(GL_VERTEX_ARRAY);
    glGetFloatv(GL_POINT_DISTANCE_ATTENUATION, back);
    fx_note(fx, back, sizeof back);
}

static void shade_models(struct fx *fx, int frame)
{
    static const GLfloat places[] = {-0.9f, -0.9f, 0.9f, -0.9f, 0, 0.9f};
    static const GLubyte colors[] = {255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 128};
    GLint model = 0;
    glShadeModel(frame == 1 ? GL_FLAT : GL_SMOOTH);
    glEnableClientState(GL_VERTEX_ARRAY);
    glEnableClientState(GL_COLOR_ARRAY);
    glVertexPointer(2, GL_FLOAT, 0, places);
    glColorPointer(4, GL_UNSIGNED_BYTE, 0, colors);
    glDrawArrays(GL_TRIANGLES, 0, 3);
    glDisableClientState(GL_COLOR_ARRAY);
    glDisableClientState(GL_VERTEX_ARRAY);
    glGetIntegerv(GL_SHADE_MODEL, &model);
    fx_note_int(fx, model);
}

/* --- what is asked --- */

static void limits(struct fx *fx, int frame)
{
    static const GLenum names[] = {GL_MAX_LIGHTS,
                                   GL_MAX_CLIP_PLANES,
                                   GL_MAX_MODELVIEW_STACK_DEPTH,
                                   GL_MAX_TEXTURE_SIZE,
                                   GL_MAX_PROJECTION_STACK_DEPTH,
                                   GL_MAX_TEXTURE_STACK_DEPTH,
                                   GL_MAX_TEXTURE_UNITS,
                                   GL_SUBPIXEL_BITS,
                                   GL_RED_BITS,
                                   GL_ALPHA_BITS,
                                   GL_DEPTH_BITS,
                                   GL_STENCIL_BITS,
                                   GL_SAMPLE_BUFFERS,
                                   GL_SAMPLES,
                                   GL_NUM_COMPRESSED_TEXTURE_FORMATS,
                                   GL_MATRIX_MODE,
                                   GL_STENCIL_CLEAR_VALUE};
    GLint value[4] = {0}, formats[256] = {0};
    (void)frame;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        glGetIntegerv(names[i], value);
        fx_note_int(fx, value[0]);
    }
    glGetIntegerv(GL_MAX_VIEWPORT_DIMS, value);
    fx_note(fx, value, sizeof value);
    glGetIntegerv(GL_COMPRESSED_TEXTURE_FORMATS, formats);
    fx_note(fx, formats, sizeof formats);
    GLfloat ranges[2];
    glGetFloatv(GL_ALIASED_POINT_SIZE_RANGE, ranges);
    fx_note(fx, ranges, sizeof ranges);
    glGetFloatv(GL_SMOOTH_LINE_WIDTH_RANGE, ranges);
    fx_note(fx, ranges, sizeof ranges);
}

static void strings(struct fx *fx, int frame)
{
    static const GLenum names[] = {GL_VENDOR, GL_RENDERER, GL_VERSION, GL_EXTENSIONS};
    (void)frame;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        fx_note_text(fx, (const char *)glGetString(names[i]));
    }
    fx_note_int(fx, glGetString(GL_TEXTURE_2D) == NULL);
    fx_error(fx, GL_INVALID_ENUM);
}

static void current_values(struct fx *fx, int frame)
{
    GLfloat values[4];
    GLint integers[4];
    glColor4f(0.25f, 0.5f, 0.75f, 0.1f * (float)frame);
    glNormal3x(fixed(0.5f), fixed(-1), 0);
    glMultiTexCoord4f(GL_TEXTURE0, 1, 2, 3, 4);
    glMultiTexCoord4x(GL_TEXTURE1, 0x10000, 0x8000, 0, 0x10000);
    glGetFloatv(GL_CURRENT_COLOR, values);
    fx_note(fx, values, sizeof values);
    glGetIntegerv(GL_CURRENT_COLOR, integers);
    fx_note(fx, integers, sizeof integers);
    glGetFloatv(GL_CURRENT_NORMAL, values);
    fx_note(fx, values, 3 * sizeof *values);
    for (GLenum unit = 0; unit < 2; unit++) {
        glActiveTexture(GL_TEXTURE0 + unit);
        glGetFloatv(GL_CURRENT_TEXTURE_COORDS, values);
        fx_note(fx, values, sizeof values);
    }
    glActiveTexture(GL_TEXTURE0);
    fill_rect(-1, -1, 1, 1);
}

static void errors(struct fx *fx, int frame)
{
    (void)frame;
    glEnable(0x1234);
    fx_error(fx, GL_INVALID_ENUM);
    glVertexPointer(5, GL_FLOAT, 0, NULL);
    fx_error(fx, GL_INVALID_VALUE);
    glColorPointer(4, GL_SHORT, 0, NULL);
    fx_error(fx, GL_INVALID_ENUM);
    glNormalPointer(GL_FLOAT, -4, NULL);
    fx_error(fx, GL_INVALID_VALUE);
    glEnableClientState(GL_TEXTURE_2D);
    fx_error(fx, GL_INVALID_ENUM);
    glClientActiveTexture(GL_TEXTURE0 + 31);
    fx_error(fx, GL_INVALID_ENUM);
    glPixelStorei(GL_UNPACK_ALIGNMENT, 3);
    fx_error(fx, GL_INVALID_VALUE);
    glPixelStorei(0x0CF2, 3); /* a row length is of later versions */
    fx_error(fx, GL_INVALID_ENUM);
    glLightf(GL_LIGHT0, GL_SPOT_CUTOFF, 120);
    fx_error(fx, GL_INVALID_VALUE);
    glMatrixMode(GL_LIGHT0);
    fx_error(fx, GL_INVALID_ENUM);
    glDrawArrays(GL_TRIANGLES, 0, -1);
    fx_error(fx, GL_INVALID_VALUE);
    glDrawArrays(0x77, 0, 3);
    fx_error(fx, GL_INVALID_ENUM);
    glFrustumf(-1, 1, -1, 1, -1, 1);
    fx_error(fx, GL_INVALID_VALUE);
}

static void sample_coverage(struct fx *fx, int frame)
{
    GLfloat value = 0;
    GLboolean inverted = GL_FALSE;
    glEnable(GL_MULTISAMPLE);
    glEnable(GL_SAMPLE_COVERAGE);
    glSampleCoveragex(fixed(0.25f * (float)frame), GL_TRUE);
    fill_rect(-0.5f, -0.5f, 0.5f, 0.5f);
    glSampleCoverage(0.75f, GL_FALSE);
    glGetFloatv(GL_SAMPLE_COVERAGE_VALUE, &value);
    glGetBooleanv(GL_SAMPLE_COVERAGE_INVERT, &inverted);
    fx_note(fx, &value, sizeof value);
    fx_note_int(fx, inverted);
}

static const struct fx_feature features[] = {
    {"clear_colors", clear_colors, NULL},
    {"scissor_boxes", scissor_boxes, NULL},
    {"color_masks", color_masks, NULL},
    {"depth_functions", depth_functions, NULL},
    {"alpha_functions", alpha_functions, NULL},
    {"stencil_operations", stencil_operations, NULL},
    {"blend_functions", blend_functions, NULL},
    {"blend_extended", blend_extended, "GL_OES_blend_equation_separate"},
    {"logic_operations", logic_operations, NULL},
    {"dither_and_hints", dither_and_hints, NULL},
    {"matrix_stack", matrix_stack, NULL},
    {"matrix_loads", matrix_loads, NULL},
    {"projections", projections, NULL},
    {"query_matrix", query_matrix, "GL_OES_query_matrix"},
    {"clip_planes", clip_planes, NULL},
    {"culling", culling, NULL},
    {"polygon_offset", polygon_offset, NULL},
    {"lines_and_points", lines_and_points, NULL},
    {"smooth_lines_and_points", smooth_lines_and_points, NULL},
    {"point_parameters", point_parameters, NULL},
    {"shade_models", shade_models, NULL},
    {"limits", limits, NULL},
    {"strings", strings, NULL},
    {"current_values", current_values, NULL},
    {"errors", errors, NULL},
    {"sample_coverage", sample_coverage, NULL},
};

int main(int argc, char **argv)
{
    const struct fx_list lists[] = {
        {features, sizeof features / sizeof *features},
        {gles1_light_features, gles1_light_feature_count},
        {gles1_array_features, gles1_array_feature_count},
        {gles1_texture_features, gles1_texture_feature_count},
        {gles1_draw_tex_features, gles1_draw_tex_feature_count},
        {NULL, 0},
    };
    return fx_main(argc, argv, 1, lists);
}
