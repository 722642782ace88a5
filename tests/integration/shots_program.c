/* Draws into framebuffers of many kinds and writes down what it reads of them itself, for who
 * compares that with pictures of a replay.
 *
 *   shots_program DIR
 *
 * DIR/draw-0003-color0.raw and so on: of the fourth draw of the program. Two words of 32 bits,
 * width and height, then the pixels: R, G, B, A bytes; -depth: a float each; -stencil: a word each;
 * the bottom row first. Depth and stencil, which GLES does not read, are taken by draws of their
 * own. Plain OpenGL ES 3.1; exit 1: something of EGL or GL failed. */
#include "tests/integration/plain_egl.h"

#include <GLES3/gl31.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 40, ROWS = 24 };

static const char *folder;
static uint32_t draws;

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "shots_program: %s failed: GL 0x%x\n", what, (unsigned)glGetError());
        exit(1);
    }
}

/* --- files --- */

static void keep(uint32_t draw, const char *what, const void *pixels, size_t bytes, uint32_t width,
                 uint32_t height)
{
    const uint32_t head[2] = {width, height};
    char path[4096];
    snprintf(path, sizeof path, "%s/draw-%04u-%s.raw", folder, draw, what);
    FILE *file = fopen(path, "wb");
    need(file != NULL && fwrite(head, sizeof head, 1, file) == 1 &&
             fwrite(pixels, bytes, (size_t)width * height, file) == (size_t)width * height,
         path);
    need(fclose(file) == 0, path);
}

/* What is bound for reading, of the last draw. */
static void keep_color(GLenum from, const char *what)
{
    static uint8_t pixels[SIDE * ROWS * 4];
    glReadBuffer(from);
    glReadPixels(0, 0, SIDE, ROWS, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    keep(draws - 1, what, pixels, 4, SIDE, ROWS);
}

/* --- programs --- */

static GLuint shader(GLenum type, const char *text)
{
    GLuint name = glCreateShader(type);
    GLint ok = 0;
    glShaderSource(name, 1, &text, NULL);
    glCompileShader(name);
    glGetShaderiv(name, GL_COMPILE_STATUS, &ok);
    need(ok != 0, "a shader");
    return name;
}

static GLuint program(const char *fragment)
{
    static const char vertex[] =
        "#version 310 es\nuniform vec4 place;\nout vec2 at;\nvoid main() {\n"
        "vec2 p = vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0;\nat = p;\n"
        "gl_Position = vec4(p * place.xy, place.z + place.w * p.x, 1.0);\n}\n";
    GLuint name = glCreateProgram();
    GLint ok = 0;
    glAttachShader(name, shader(GL_VERTEX_SHADER, vertex));
    glAttachShader(name, shader(GL_FRAGMENT_SHADER, fragment));
    glLinkProgram(name);
    glGetProgramiv(name, GL_LINK_STATUS, &ok);
    need(ok != 0, "a program");
    return name;
}

static const char two_colors[] =
    "#version 310 es\nprecision highp float;\nin vec2 at;\n"
    "layout(location = 0) out vec4 first;\nlayout(location = 1) out vec4 second;\n"
    "void main() { first = vec4(at * 0.5 + 0.5, 0.25, 0.75); second = vec4(at.yx, 1.0, 0.5); }\n";
static const char depth_bits[] =
    "#version 310 es\nprecision highp float;\nuniform highp sampler2D from;\n"
    "layout(location = 0) out highp uint bits;\n"
    "void main() { bits = floatBitsToUint(texelFetch(from, ivec2(gl_FragCoord.xy), 0).x); }\n";
static const char stencil_bits[] =
    "#version 310 es\nprecision highp float;\nuniform highp usampler2D from;\n"
    "layout(location = 0) out highp uint bits;\n"
    "void main() { bits = texelFetch(from, ivec2(gl_FragCoord.xy), 0).x; }\n";

/* A quad: halves of its sides, depth in its middle and how that slopes. */
static void draw(GLuint with, float x, float y, float z, float slope)
{
    glUseProgram(with);
    glUniform4f(glGetUniformLocation(with, "place"), x, y, z, slope);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    draws++;
}

/* --- targets --- */

static GLuint texture(GLenum internal)
{
    GLuint name;
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    glTexStorage2D(GL_TEXTURE_2D, 1, internal, SIDE, ROWS);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    return name;
}

static GLuint framebuffer(void)
{
    GLuint name;
    glGenFramebuffers(1, &name);
    glBindFramebuffer(GL_FRAMEBUFFER, name);
    return name;
}

static void attach(GLenum point, GLuint name)
{
    glFramebufferTexture2D(GL_FRAMEBUFFER, point, GL_TEXTURE_2D, name, 0);
}

static void need_complete(void)
{
    need(glCheckFramebufferStatus(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE, "a framebuffer");
}

/* What another texture holds, a word each, written down as of the draw `of`. */
static void keep_bits(GLuint with, GLuint from, GLenum mode, uint32_t of, const char *what)
{
    static uint32_t all[SIDE * ROWS * 4], bits[SIDE * ROWS];
    GLint before = 0;
    glGetIntegerv(GL_FRAMEBUFFER_BINDING, &before);
    GLuint target = texture(GL_R32UI), own = framebuffer();
    attach(GL_COLOR_ATTACHMENT0, target);
    need_complete();
    glBindTexture(GL_TEXTURE_2D, from);
    glTexParameteri(GL_TEXTURE_2D, GL_DEPTH_STENCIL_TEXTURE_MODE, (GLint)mode);
    glDisable(GL_DEPTH_TEST);
    glDisable(GL_STENCIL_TEST);
    draw(with, 1, 1, 0, 0);
    glReadPixels(0, 0, SIDE, ROWS, GL_RGBA_INTEGER, GL_UNSIGNED_INT, all);
    for (uint32_t i = 0; i < SIDE * ROWS; i++) {
        bits[i] = all[4 * (size_t)i];
    }
    keep(of, what, bits, 4, SIDE, ROWS);
    glDeleteFramebuffers(1, &own);
    glDeleteTextures(1, &target);
    glBindFramebuffer(GL_FRAMEBUFFER, (GLuint)before);
}

/* --- what is drawn --- */

/* Two colours, depth and stencil, over each other. */
static void draw_tested(GLuint paint)
{
    static const GLenum both[] = {GL_COLOR_ATTACHMENT0, GL_COLOR_ATTACHMENT1};
    GLuint depth = texture(GL_DEPTH24_STENCIL8), look_depth = program(depth_bits),
           look_stencil = program(stencil_bits);
    framebuffer();
    attach(GL_COLOR_ATTACHMENT0, texture(GL_RGBA8));
    attach(GL_COLOR_ATTACHMENT1, texture(GL_RGB565));
    attach(GL_DEPTH_STENCIL_ATTACHMENT, depth);
    need_complete();
    glDrawBuffers(2, both);
    glClear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT | GL_STENCIL_BUFFER_BIT);
    for (uint32_t i = 0; i < 2; i++) {
        glEnable(GL_DEPTH_TEST);
        glEnable(GL_STENCIL_TEST);
        glStencilFunc(GL_ALWAYS, (GLint)(3 + 4 * i), 0xff);
        glStencilOp(GL_KEEP, GL_INCR, GL_REPLACE);
        draw(paint, i == 0 ? 0.8f : 0.3f, 0.5f, 0.25f * (float)i, 0.5f);
        uint32_t of = draws - 1;
        keep_color(GL_COLOR_ATTACHMENT0, "color0");
        keep_color(GL_COLOR_ATTACHMENT1, "color1");
        keep_bits(look_depth, depth, GL_DEPTH_COMPONENT, of, "depth");
        keep_bits(look_stencil, depth, GL_STENCIL_INDEX, of, "stencil");
    }
    glDisable(GL_DEPTH_TEST);
    glDisable(GL_STENCIL_TEST);
}

static void draw_layer(GLuint paint)
{
    GLuint layers;
    glGenTextures(1, &layers);
    glBindTexture(GL_TEXTURE_2D_ARRAY, layers);
    glTexStorage3D(GL_TEXTURE_2D_ARRAY, 2, GL_RGBA8, 2 * SIDE, 2 * ROWS, 3);
    framebuffer();
    glFramebufferTextureLayer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, layers, 1, 2);
    need_complete();
    draw(paint, 0.5f, 0.7f, 0, 0);
    keep_color(GL_COLOR_ATTACHMENT0, "color0");
}

static void draw_face(GLuint paint)
{
    GLuint cube;
    glGenTextures(1, &cube);
    glBindTexture(GL_TEXTURE_CUBE_MAP, cube);
    glTexStorage2D(GL_TEXTURE_CUBE_MAP, 1, GL_RGBA8, SIDE, SIDE);
    framebuffer();
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_CUBE_MAP_NEGATIVE_Y,
                           cube, 0);
    need_complete();
    draw(paint, 0.9f, 0.2f, 0, 0);
    static uint8_t pixels[SIDE * SIDE * 4];
    glReadPixels(0, 0, SIDE, SIDE, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    keep(draws - 1, "color0", pixels, 4, SIDE, SIDE);
}

static void draw_samples(GLuint paint)
{
    GLuint many, one;
    GLuint drawn = framebuffer();
    glGenRenderbuffers(1, &many);
    glBindRenderbuffer(GL_RENDERBUFFER, many);
    glRenderbufferStorageMultisample(GL_RENDERBUFFER, 4, GL_RGBA8, SIDE, ROWS);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, many);
    need_complete();
    glClear(GL_COLOR_BUFFER_BIT);
    draw(paint, 0.63f, 0.41f, 0, 0);
    one = framebuffer();
    attach(GL_COLOR_ATTACHMENT0, texture(GL_RGBA8));
    glBindFramebuffer(GL_READ_FRAMEBUFFER, drawn);
    glBindFramebuffer(GL_DRAW_FRAMEBUFFER, one);
    glBlitFramebuffer(0, 0, SIDE, ROWS, 0, 0, SIDE, ROWS, GL_COLOR_BUFFER_BIT, GL_NEAREST);
    glBindFramebuffer(GL_READ_FRAMEBUFFER, one);
    keep_color(GL_COLOR_ATTACHMENT0, "color0");
}

static void draw_surface(GLuint paint)
{
    static uint8_t pixels[SIDE * SIDE * 4];
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glViewport(0, 0, SIDE, SIDE);
    glClear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT);
    draw(paint, 0.4f, 0.8f, 0, 0);
    glReadPixels(0, 0, SIDE, SIDE, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    keep(draws - 1, "color0", pixels, 4, SIDE, SIDE);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: shots_program DIR\n");
        return 2;
    }
    folder = argv[1];
    struct plain_egl egl;
    plain_egl_open(&egl);
    EGLContext context = plain_egl_context(&egl, 3, EGL_NO_CONTEXT);
    plain_egl_current(&egl, plain_egl_pbuffer(&egl, SIDE), context);
    GLuint paint = program(two_colors), array;
    glGenVertexArrays(1, &array);
    glBindVertexArray(array);
    glClearColor(0.1f, 0.2f, 0.3f, 0.4f);
    glViewport(0, 0, SIDE, ROWS);
    draw_tested(paint);
    draw_layer(paint);
    draw_face(paint);
    draw_samples(paint);
    draw_surface(paint);
    need(glGetError() == GL_NO_ERROR, "something");
    plain_egl_close(&egl);
    return 0;
}
