/* What GLES 2.0 can do, feature by feature: clears, tests, blending, primitives here. */
#include "tests/integration/features/gles2.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- clearing, masks, tests --- */

static void clear_colors(struct fx *fx, int frame)
{
    (void)fx;
    glClearColor(0.2f * (float)frame, 0.5f, 1.0f - 0.3f * (float)frame, 0.25f);
    glClear(GL_COLOR_BUFFER_BIT);
}

static void scissor_boxes(struct fx *fx, int frame)
{
    glEnable(GL_SCISSOR_TEST);
    for (int i = 0; i < 8; i++) {
        glScissor(i * 7 - 3, i * 5 + frame, 20, 9);
        glClearColor((float)i / 8, 1 - (float)i / 8, 0.5f, 1);
        glClear(GL_COLOR_BUFFER_BIT);
    }
    GLint box[4];
    glGetIntegerv(GL_SCISSOR_BOX, box);
    fx_note(fx, box, sizeof box);
}

static void color_masks(struct fx *fx, int frame)
{
    (void)fx;
    for (int i = 0; i < 4; i++) {
        glEnable(GL_SCISSOR_TEST);
        glScissor(i * 16, 0, 16, 64);
        glColorMask(i == 0 || frame == 2, i == 1, i == 2, i == 3);
        glClearColor(1, 1, 1, 0);
        glClear(GL_COLOR_BUFFER_BIT);
    }
    glColorMask(1, 1, 1, 1);
}

static void viewports(struct fx *fx, int frame)
{
    (void)fx;
    GLuint p = fx_fill(COLORED);
    for (int i = 0; i < 9; i++) {
        glViewport(i % 3 * 21 - frame, i / 3 * 21 + frame, 18, 18);
        color(p, (float)(i % 3) / 2, (float)(i / 3) / 2, 0.5f, 1);
        fx_quad();
    }
}

static const GLenum compares[] = {GL_NEVER,   GL_LESS,     GL_EQUAL,  GL_LEQUAL,
                                  GL_GREATER, GL_NOTEQUAL, GL_GEQUAL, GL_ALWAYS};

static void depth_functions(struct fx *fx, int frame)
{
    (void)fx;
    GLuint p = fx_program("attribute vec2 p; uniform float z; void main() { gl_Position = vec4(p, "
                          "z, 1.0); }",
                          COLORED);
    glUseProgram(p);
    glEnable(GL_DEPTH_TEST);
    for (int i = 0; i < 8; i++) {
        float x = -1 + (float)i * 0.25f;
        for (int k = 0; k < 3; k++) {
            glDepthFunc(k == 0 ? GL_ALWAYS : compares[i]);
            glUniform1f(glGetUniformLocation(p, "z"), k == 1 ? 0.3f - 0.3f * (float)frame : 0);
            color(p, k == 0, k == 1, k == 2, 1);
            fx_rect(x, -1 + 0.5f * (float)k, x + 0.25f, 0.2f + 0.4f * (float)k);
        }
    }
}

static void depth_range_and_mask(struct fx *fx, int frame)
{
    GLuint p = fx_fill(COLORED);
    float range[2];
    glEnable(GL_DEPTH_TEST);
    for (int i = 0; i < 6; i++) {
        glDepthRangef(0.1f * (float)i, 1 - 0.1f * (float)(i + frame));
        glDepthMask(i % 2 == 0);
        color(p, (float)i / 6, 0.3f, 1, 1);
        fx_rect(-1 + 0.2f * (float)i, -1, 0.2f * (float)i, 1);
    }
    glGetFloatv(GL_DEPTH_RANGE, range);
    fx_note(fx, range, sizeof range);
}

static void stencil_operations(struct fx *fx, int frame)
{
    static const GLenum operations[] = {GL_KEEP, GL_ZERO,      GL_REPLACE,   GL_INCR,
                                        GL_DECR, GL_INCR_WRAP, GL_DECR_WRAP, GL_INVERT};
    GLuint p = fx_fill(COLORED);
    glEnable(GL_STENCIL_TEST);
    glClearStencil(frame == 0 ? 0 : 255);
    glClear(GL_STENCIL_BUFFER_BIT);
    glColorMask(0, 0, 0, 0);
    for (int i = 0; i < 8; i++) {
        float x = -1 + 0.25f * (float)i;
        glStencilFunc(GL_ALWAYS, 0x35, 0xff);
        glStencilOp(GL_KEEP, GL_KEEP, operations[i]);
        fx_rect(x, -1, x + 0.25f, 1);
    }
    glColorMask(1, 1, 1, 1);
    glStencilOp(GL_KEEP, GL_KEEP, GL_KEEP);
    for (int i = 0; i < 8; i++) {
        static const GLint values[] = {0, 1, 0x35, 254, 255, 0xca, 2, 253};
        glStencilFunc(GL_EQUAL, values[i], 0xff);
        color(p, (float)i / 8, 1 - (float)i / 8, 1, 1);
        fx_quad();
    }
    GLint back = 0;
    glGetIntegerv(GL_STENCIL_BACK_FUNC, &back);
    fx_note_int(fx, back);
}

static void stencil_two_sides(struct fx *fx, int frame)
{
    GLuint p = fx_fill(COLORED);
    glEnable(GL_STENCIL_TEST);
    glStencilFuncSeparate(GL_FRONT, GL_ALWAYS, 1, 0xff);
    glStencilFuncSeparate(GL_BACK, GL_ALWAYS, 2, 0xff);
    glStencilOpSeparate(GL_FRONT_AND_BACK, GL_KEEP, GL_KEEP, GL_REPLACE);
    glStencilMaskSeparate(GL_BACK, frame == 1 ? 0 : 0xff);
    color(p, 0, 0, 0, 1);
    fx_rect(-1, -1, 0, 1);
    fx_rect(1, -1, 0, 1); /* the other way round */
    glStencilMask(0xff);
    for (int i = 0; i < 3; i++) {
        glStencilFunc(GL_EQUAL, i, 0xff);
        color(p, i == 0, i == 1, i == 2, 1);
        fx_quad();
    }
    GLint mask = 0;
    glGetIntegerv(GL_STENCIL_BACK_WRITEMASK, &mask);
    fx_note_int(fx, mask);
}

/* --- blending --- */

static const GLenum factors[] = {GL_ZERO,
                                 GL_ONE,
                                 GL_SRC_COLOR,
                                 GL_ONE_MINUS_SRC_COLOR,
                                 GL_DST_COLOR,
                                 GL_ONE_MINUS_DST_COLOR,
                                 GL_SRC_ALPHA,
                                 GL_ONE_MINUS_SRC_ALPHA,
                                 GL_DST_ALPHA,
                                 GL_ONE_MINUS_DST_ALPHA,
                                 GL_CONSTANT_COLOR,
                                 GL_ONE_MINUS_CONSTANT_COLOR,
                                 GL_CONSTANT_ALPHA,
                                 GL_ONE_MINUS_CONSTANT_ALPHA,
                                 GL_SRC_ALPHA_SATURATE};

static void blend_factors(struct fx *fx, int frame)
{
    (void)fx;
    GLuint p = fx_fill(COLORED);
    glEnable(GL_BLEND);
    glBlendColor(0.3f, 0.6f, 0.9f, 0.4f);
    for (int i = 0; i < 15; i++) {
        for (int k = 0; k < 14; k++) {
            float x = -1 + (float)i * 0.125f, y = -1 + (float)k * 0.125f;
            glBlendFunc(factors[i], factors[k]);
            color(p, 0.8f, 0.4f, 0.1f * (float)frame, 0.5f);
            fx_rect(x, y, x + 0.125f, y + 0.125f);
        }
    }
}

static void blend_equations(struct fx *fx, int frame)
{
    static const GLenum equations[] = {GL_FUNC_ADD, GL_FUNC_SUBTRACT, GL_FUNC_REVERSE_SUBTRACT};
    GLuint p = fx_fill(COLORED);
    glEnable(GL_BLEND);
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 3; k++) {
            float x = -1 + 0.6f * (float)i, y = -1 + 0.6f * (float)k;
            glBlendEquationSeparate(equations[i], equations[k]);
            glBlendFuncSeparate(GL_ONE, GL_ONE, GL_SRC_ALPHA, GL_ONE);
            color(p, 0.3f + 0.1f * (float)frame, 0.1f, 0.2f, 0.6f);
            fx_rect(x, y, x + 0.5f, y + 0.5f);
        }
    }
    GLint equation = 0;
    glGetIntegerv(GL_BLEND_EQUATION_ALPHA, &equation);
    fx_note_int(fx, equation);
}

/* --- primitives --- */

static void primitives(struct fx *fx, int frame)
{
    static const GLenum modes[] = {GL_POINTS,    GL_LINES,          GL_LINE_LOOP,   GL_LINE_STRIP,
                                   GL_TRIANGLES, GL_TRIANGLE_STRIP, GL_TRIANGLE_FAN};
    GLuint p = fx_program("attribute vec2 p; void main() { gl_PointSize = 3.0; gl_Position = "
                          "vec4(p, 0.0, 1.0); }",
                          COLORED);
    (void)fx;
    glUseProgram(p);
    glEnableVertexAttribArray(0);
    for (int i = 0; i < 7; i++) {
        float points[24];
        for (int k = 0; k < 12; k++) {
            float angle = (float)k * 0.7f + (float)frame;
            points[2 * k] = -0.85f + 0.28f * (float)i + 0.12f * cosf(angle);
            points[2 * k + 1] = 0.8f * sinf(angle * 1.7f);
        }
        glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, points);
        color(p, (float)i / 7, 1, 1 - (float)i / 7, 1);
        glDrawArrays(modes[i], 0, 12);
    }
}

static void culling(struct fx *fx, int frame)
{
    (void)fx;
    static const GLenum faces[] = {GL_FRONT, GL_BACK, GL_FRONT_AND_BACK};
    GLuint p = fx_fill(COLORED);
    glEnable(GL_CULL_FACE);
    for (int i = 0; i < 6; i++) {
        glCullFace(faces[i % 3]);
        glFrontFace((i + frame) % 2 ? GL_CW : GL_CCW);
        color(p, 1, (float)i / 6, 0, 1);
        fx_rect(-1 + 0.33f * (float)i, -1, -0.7f + 0.33f * (float)i, 0);
        fx_rect(-0.7f + 0.33f * (float)i, 0, -1 + 0.33f * (float)i, 1);
    }
}

static void line_widths(struct fx *fx, int frame)
{
    GLuint p = fx_fill(COLORED);
    float range[2];
    glGetFloatv(GL_ALIASED_LINE_WIDTH_RANGE, range);
    fx_note(fx, range, sizeof range);
    glEnableVertexAttribArray(0);
    for (int i = 0; i < 6; i++) {
        float y = -0.8f + 0.3f * (float)i;
        const float line[] = {-0.9f, y, 0.9f, y + 0.05f * (float)frame};
        glLineWidth((float)(i + 1));
        glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, line);
        color(p, 1, 1, (float)i / 6, 1);
        glDrawArrays(GL_LINES, 0, 2);
    }
}

static void point_sprites(struct fx *fx, int frame)
{
    (void)fx;
    GLuint p = fx_program("attribute vec3 p; void main() { gl_PointSize = p.z; gl_Position = "
                          "vec4(p.xy, 0.0, 1.0); }",
                          "void main() { gl_FragColor = vec4(gl_PointCoord, 0.5, 1.0); }");
    float points[5][3];
    for (int i = 0; i < 5; i++) {
        points[i][0] = -0.8f + 0.4f * (float)i;
        points[i][1] = 0.3f * (float)(i % 3) - 0.3f;
        points[i][2] = (float)(3 * i + 1 + frame);
    }
    glUseProgram(p);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 3, GL_FLOAT, GL_FALSE, 0, points);
    glDrawArrays(GL_POINTS, 0, 5);
}

static void polygon_offset(struct fx *fx, int frame)
{
    (void)fx;
    GLuint p = fx_program("attribute vec2 p; void main() { gl_Position = vec4(p, p.x * 0.5, 1.0); "
                          "}",
                          COLORED);
    glUseProgram(p);
    glEnable(GL_DEPTH_TEST);
    glEnable(GL_POLYGON_OFFSET_FILL);
    for (int i = 0; i < 4; i++) {
        glPolygonOffset((float)(i - frame), (float)(2 - i) * 4);
        color(p, (float)i / 4, 1 - (float)i / 4, 0.2f, 1);
        fx_rect(-1, -1 + 0.3f * (float)i, 1, 0.1f + 0.3f * (float)i);
    }
}

static void sample_coverage(struct fx *fx, int frame)
{
    GLint samples = -1, buffers = -1;
    GLfloat value = 0;
    glEnable(GL_SAMPLE_COVERAGE);
    glEnable(GL_SAMPLE_ALPHA_TO_COVERAGE);
    glSampleCoverage(0.3f * (float)frame, GL_TRUE);
    glGetIntegerv(GL_SAMPLES, &samples);
    glGetIntegerv(GL_SAMPLE_BUFFERS, &buffers);
    glGetFloatv(GL_SAMPLE_COVERAGE_VALUE, &value);
    fx_note_int(fx, samples * 100 + buffers);
    fx_note(fx, &value, sizeof value);
    GLuint p = fx_fill(COLORED);
    color(p, 1, 0, 1, 0.5f);
    fx_quad();
}

#define FEATURE(name)                                                                              \
    {                                                                                              \
#name, name, NULL                                                                          \
    }
static const struct fx_feature features[] = {
    FEATURE(clear_colors),       FEATURE(scissor_boxes),     FEATURE(color_masks),
    FEATURE(viewports),          FEATURE(depth_functions),   FEATURE(depth_range_and_mask),
    FEATURE(stencil_operations), FEATURE(stencil_two_sides), FEATURE(blend_factors),
    FEATURE(blend_equations),    FEATURE(primitives),        FEATURE(culling),
    FEATURE(line_widths),        FEATURE(point_sprites),     FEATURE(polygon_offset),
    FEATURE(sample_coverage),
};

int main(int argc, char **argv)
{
    return fx_main(argc, argv, 2,
                   (const struct fx_list[]){
                       {features, sizeof features / sizeof features[0]},
                       {gles2_array_features, gles2_array_feature_count},
                       {gles2_texture_features, gles2_texture_feature_count},
                       {gles2_program_features, gles2_program_feature_count},
                       {NULL, 0},
                   });
}
