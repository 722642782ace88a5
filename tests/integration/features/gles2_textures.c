/* Textures and framebuffers of GLES 2. */
#include "tests/integration/features/gles2.h"

#include <stdlib.h>
#include <string.h>

/* --- textures --- */

static const struct {
    GLenum format, type;
} texture_kinds[] = {{GL_ALPHA, GL_UNSIGNED_BYTE},           {GL_LUMINANCE, GL_UNSIGNED_BYTE},
                     {GL_LUMINANCE_ALPHA, GL_UNSIGNED_BYTE}, {GL_RGB, GL_UNSIGNED_BYTE},
                     {GL_RGB, GL_UNSIGNED_SHORT_5_6_5},      {GL_RGBA, GL_UNSIGNED_BYTE},
                     {GL_RGBA, GL_UNSIGNED_SHORT_4_4_4_4},   {GL_RGBA, GL_UNSIGNED_SHORT_5_5_5_1}};

static void texture_formats(struct fx *fx, int frame)
{
    (void)fx;
    fx_fill(TEXTURED);
    for (int i = 0; i < 8; i++) {
        fx_texture(texture_kinds[i].format, texture_kinds[i].type, frame);
        fx_rect(-1 + 0.5f * (float)(i % 4), i / 4 ? 0 : -1, -0.5f + 0.5f * (float)(i % 4),
                i / 4 ? 1 : 0);
    }
}

static void texture_sub_images(struct fx *fx, int frame)
{
    static const GLint alignments[] = {1, 2, 4, 8};
    uint8_t pixels[40 * 40 * 4];
    (void)fx;
    fx_fill(TEXTURED);
    for (int i = 0; i < 4; i++) {
        fx_texture(GL_RGB, GL_UNSIGNED_BYTE, frame + i);
        fx_bytes(pixels, sizeof pixels, (uint32_t)(i + frame));
        glPixelStorei(GL_UNPACK_ALIGNMENT, alignments[i]);
        glTexSubImage2D(GL_TEXTURE_2D, 0, 3 + i, 5, 21, 33, GL_RGB, GL_UNSIGNED_BYTE, pixels);
        glTexSubImage2D(GL_TEXTURE_2D, 0, 40, 41 + i, 1, 1, GL_RGB, GL_UNSIGNED_BYTE, pixels);
        fx_rect(i % 2 ? 0 : -1, i / 2 ? 0 : -1, i % 2 ? 1 : 0, i / 2 ? 1 : 0);
    }
}

static void texture_filters(struct fx *fx, int frame)
{
    static const GLenum filters[] = {GL_NEAREST,
                                     GL_LINEAR,
                                     GL_NEAREST_MIPMAP_NEAREST,
                                     GL_LINEAR_MIPMAP_NEAREST,
                                     GL_NEAREST_MIPMAP_LINEAR,
                                     GL_LINEAR_MIPMAP_LINEAR};
    GLint value = 0;
    fx_fill(TEXTURED);
    fx_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame);
    glGenerateMipmap(GL_TEXTURE_2D);
    for (int i = 0; i < 6; i++) {
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, (GLint)filters[i]);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, (GLint)filters[i % 2]);
        fx_rect(-1 + 0.33f * (float)i, -1, -0.7f + 0.33f * (float)i, -0.6f);
        fx_rect(-1 + 0.33f * (float)i, -0.5f, 0.2f + 0.33f * (float)i, 1);
        glGetTexParameteriv(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, &value);
        fx_note_int(fx, value);
    }
}

static void texture_wraps(struct fx *fx, int frame)
{
    static const GLenum wraps[] = {GL_REPEAT, GL_CLAMP_TO_EDGE, GL_MIRRORED_REPEAT};
    (void)fx;
    fx_fill("varying vec2 t; uniform sampler2D s; void main() { gl_FragColor = texture2D(s, t * "
            "3.7 - 1.2); }");
    fx_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame);
    for (int i = 0; i < 9; i++) {
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, (GLint)wraps[i % 3]);
        glTexParameterf(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, (GLfloat)wraps[i / 3]);
        fx_rect(-1 + 0.66f * (float)(i % 3), -1 + 0.66f * (float)(i / 3),
                -0.4f + 0.66f * (float)(i % 3), -0.4f + 0.66f * (float)(i / 3));
    }
}

static void mipmap_levels(struct fx *fx, int frame)
{
    uint8_t pixels[64 * 64 * 4];
    GLuint name;
    (void)fx;
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    for (int level = 0, size = 64; size > 0; level++, size /= 2) {
        fx_bytes(pixels, 4, (uint32_t)(level + frame));
        for (int i = 4; i < size * size * 4; i++) {
            pixels[i] = pixels[i % 4];
        }
        glTexImage2D(GL_TEXTURE_2D, level, GL_RGBA, size, size, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                     pixels);
    }
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST_MIPMAP_NEAREST);
    fx_fill("varying vec2 t; uniform sampler2D s; void main() { gl_FragColor = texture2D(s, t, "
            "floor(t.x * 8.0)); }");
    fx_quad();
}

static void cube_maps(struct fx *fx, int frame)
{
    uint8_t pixels[16 * 16 * 4];
    GLuint name;
    (void)fx;
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_CUBE_MAP, name);
    for (GLenum face = 0; face < 6; face++) {
        fx_bytes(pixels, sizeof pixels, face + (uint32_t)frame * 6);
        glTexImage2D(GL_TEXTURE_CUBE_MAP_POSITIVE_X + face, 0, GL_RGBA, 16, 16, 0, GL_RGBA,
                     GL_UNSIGNED_BYTE, pixels);
        glTexSubImage2D(GL_TEXTURE_CUBE_MAP_POSITIVE_X + face, 0, 4, 4, 4, 4, GL_RGBA,
                        GL_UNSIGNED_BYTE, pixels + 100);
    }
    glTexParameteri(GL_TEXTURE_CUBE_MAP, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_CUBE_MAP, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    fx_fill("varying vec2 t; uniform samplerCube s; void main() { float a = t.x * 6.28, b = t.y * "
            "3.14; gl_FragColor = textureCube(s, vec3(cos(a) * sin(b), cos(b), sin(a) * sin(b))); "
            "}");
    fx_quad();
}

static void copy_tex_images(struct fx *fx, int frame)
{
    (void)fx;
    GLuint p = fx_fill(COLORED), name;
    color(p, 0.2f, 0.4f * (float)frame, 1, 1);
    fx_rect(-0.5f, -0.5f, 0.7f, 0.3f);
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glCopyTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 0, 0, 64, 64, 0);
    glCopyTexSubImage2D(GL_TEXTURE_2D, 0, 10, 10, 20, 24, 17, 30);
    fx_show(fx, name);
}

static void non_power_of_two(struct fx *fx, int frame)
{
    uint8_t pixels[37 * 19 * 4];
    GLuint name;
    (void)fx;
    fx_bytes(pixels, sizeof pixels, (uint32_t)frame);
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 37, 19, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
    fx_show(fx, name);
}

static void texture_units(struct fx *fx, int frame)
{
    GLuint p = fx_fill("varying vec2 t; uniform sampler2D a, b, d; void main() { gl_FragColor = "
                       "texture2D(a, t) * 0.5 + texture2D(b, t.yx) * 0.3 + texture2D(d, 1.0 - t) * "
                       "0.2; }");
    static const char *const names[] = {"a", "b", "d"};
    GLint units = 0;
    for (int i = 0; i < 3; i++) {
        glActiveTexture(GL_TEXTURE0 + (GLenum)(i * 3));
        fx_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame * 3 + i);
        glUniform1i(glGetUniformLocation(p, names[i]), i * 3);
    }
    glActiveTexture(GL_TEXTURE0);
    glGetIntegerv(GL_MAX_COMBINED_TEXTURE_IMAGE_UNITS, &units);
    fx_note_int(fx, units);
    fx_quad();
}

static void large_uploads(struct fx *fx, int frame)
{
    GLuint name;
    uint8_t *pixels = malloc(1024 * 1024 * 4);
    (void)fx;
    fx_bytes(pixels, 1024 * 1024 * 4, (uint32_t)frame);
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 1024, 1024, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    free(pixels);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    fx_show(fx, name);
}

static void etc1(struct fx *fx, int frame)
{
    uint8_t blocks[16 * 16 / 2];
    GLuint name;
    fx_bytes(blocks, sizeof blocks, (uint32_t)frame);
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    glCompressedTexImage2D(GL_TEXTURE_2D, 0, GL_ETC1_RGB8_OES, 16, 16, 0, sizeof blocks, blocks);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    fx_show(fx, name);
}

/* --- framebuffers --- */

static void framebuffer_texture(struct fx *fx, int frame)
{
    GLuint texture;
    fx_framebuffer(GL_RGBA, GL_RGBA, GL_UNSIGNED_BYTE, &texture);
    fx_note_int(fx, glCheckFramebufferStatus(GL_FRAMEBUFFER));
    glClearColor(0, 0.3f * (float)frame, 0, 1);
    glClear(GL_COLOR_BUFFER_BIT);
    GLuint p = fx_fill(COLORED);
    color(p, 1, 0, 0, 1);
    fx_rect(-0.3f, -0.8f, 0.9f, 0.1f);
    fx_note_pixels(fx, 5, 6, 20, 21);
    fx_show(fx, texture);
}

static void renderbuffers(struct fx *fx, int frame)
{
    static const GLenum formats[] = {GL_RGBA4, GL_RGB5_A1, GL_RGB565};
    GLuint name, buffers[3], p = fx_fill(COLORED);
    glGenFramebuffers(1, &name);
    glGenRenderbuffers(3, buffers);
    glBindFramebuffer(GL_FRAMEBUFFER, name);
    for (int i = 0; i < 3; i++) {
        GLint value[4];
        glBindRenderbuffer(GL_RENDERBUFFER, buffers[i]);
        glRenderbufferStorage(GL_RENDERBUFFER, formats[i], 64, 64);
        glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER,
                                  buffers[i]);
        fx_note_int(fx, glCheckFramebufferStatus(GL_FRAMEBUFFER));
        glClearColor(0.1f, 0.2f, 0.3f * (float)frame, 0.6f);
        glClear(GL_COLOR_BUFFER_BIT);
        color(p, 0.77f, 0.33f, 0.11f, 0.5f);
        fx_rect(-0.5f, -0.5f, 0.5f, 0.5f);
        fx_note_pixels(fx, 0, 0, 64, 64);
        glGetRenderbufferParameteriv(GL_RENDERBUFFER, GL_RENDERBUFFER_RED_SIZE, &value[0]);
        glGetRenderbufferParameteriv(GL_RENDERBUFFER, GL_RENDERBUFFER_WIDTH, &value[1]);
        glGetFramebufferAttachmentParameteriv(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
                                              GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE, &value[2]);
        glGetRenderbufferParameteriv(GL_RENDERBUFFER, GL_RENDERBUFFER_INTERNAL_FORMAT, &value[3]);
        fx_note(fx, value, sizeof value);
    }
}

static void framebuffer_depth_stencil(struct fx *fx, int frame)
{
    GLuint texture, buffers[2], p;
    fx_framebuffer(GL_RGBA, GL_RGBA, GL_UNSIGNED_BYTE, &texture);
    glGenRenderbuffers(2, buffers);
    for (int i = 0; i < 2; i++) {
        glBindRenderbuffer(GL_RENDERBUFFER, buffers[i]);
        glRenderbufferStorage(GL_RENDERBUFFER, i ? GL_STENCIL_INDEX8 : GL_DEPTH_COMPONENT16, 64,
                              64);
    }
    glFramebufferRenderbuffer(GL_FRAMEBUFFER,
                              frame == 1 ? GL_STENCIL_ATTACHMENT : GL_DEPTH_ATTACHMENT,
                              GL_RENDERBUFFER, buffers[frame == 1]);
    fx_note_int(fx, glCheckFramebufferStatus(GL_FRAMEBUFFER));
    glClear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT | GL_STENCIL_BUFFER_BIT);
    p = fx_program("attribute vec2 p; void main() { gl_Position = vec4(p, p.y, 1.0); }", COLORED);
    glUseProgram(p);
    glEnable(frame == 1 ? GL_STENCIL_TEST : GL_DEPTH_TEST);
    glStencilOp(GL_KEEP, GL_KEEP, GL_INCR);
    glStencilFunc(GL_EQUAL, 0, 0xff);
    color(p, 1, 1, 0, 1);
    fx_rect(-0.5f, -0.5f, 0.5f, 0.5f);
    color(p, 0, 1, 1, 1);
    fx_quad();
    glDisable(GL_STENCIL_TEST);
    glDisable(GL_DEPTH_TEST);
    fx_show(fx, texture);
}

static void incomplete_framebuffers(struct fx *fx, int frame)
{
    GLuint name, texture;
    (void)frame;
    glGenFramebuffers(1, &name);
    glBindFramebuffer(GL_FRAMEBUFFER, name);
    fx_note_int(fx, glCheckFramebufferStatus(GL_FRAMEBUFFER));
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, texture, 0);
    fx_note_int(fx, glCheckFramebufferStatus(GL_FRAMEBUFFER));
    glClear(GL_COLOR_BUFFER_BIT);
    fx_error(fx, GL_INVALID_FRAMEBUFFER_OPERATION);
    glDeleteTextures(1, &texture);
    fx_note_int(fx, glCheckFramebufferStatus(GL_FRAMEBUFFER));
    glDeleteFramebuffers(1, &name);
    fx_note_int(fx, glIsFramebuffer(name));
}

static void read_formats(struct fx *fx, int frame)
{
    static const GLint alignments[] = {1, 2, 4, 8};
    static uint8_t pixels[64 * 64 * 4 + 64];
    GLuint p = fx_fill("varying vec2 t; uniform float f; void main() { gl_FragColor = vec4(t, f, "
                       "1.0); }");
    GLint format = 0, type = 0;
    glUniform1f(glGetUniformLocation(p, "f"), 0.3f * (float)frame);
    fx_quad();
    for (int i = 0; i < 4; i++) {
        memset(pixels, 0x77, sizeof pixels);
        glPixelStorei(GL_PACK_ALIGNMENT, alignments[i]);
        glReadPixels(3 + i, 5, 13, 17, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
        fx_note(fx, pixels, sizeof pixels);
    }
    memset(pixels, 0x55, sizeof pixels);
    glReadPixels(50, 50, 30, 30, GL_RGBA, GL_UNSIGNED_BYTE, pixels); /* partly outside */
    for (int y = 0; y < 14; y++) {
        fx_note(fx, pixels + y * 120, 14 * 4);
    }
    glGetIntegerv(GL_IMPLEMENTATION_COLOR_READ_FORMAT, &format);
    glGetIntegerv(GL_IMPLEMENTATION_COLOR_READ_TYPE, &type);
    fx_note_int(fx, format);
    fx_note_int(fx, type);
}

#define FEATURE(name)                                                                              \
    {                                                                                              \
#name, name, NULL                                                                          \
    }
const struct fx_feature gles2_texture_features[] = {
    FEATURE(texture_formats),
    FEATURE(texture_sub_images),
    FEATURE(texture_filters),
    FEATURE(texture_wraps),
    FEATURE(mipmap_levels),
    FEATURE(cube_maps),
    FEATURE(copy_tex_images),
    FEATURE(non_power_of_two),
    FEATURE(texture_units),
    FEATURE(large_uploads),
    {"etc1", etc1, "GL_OES_compressed_ETC1_RGB8_texture"},
    FEATURE(framebuffer_texture),
    FEATURE(renderbuffers),
    FEATURE(framebuffer_depth_stencil),
    FEATURE(incomplete_framebuffers),
    FEATURE(read_formats),
};
const size_t gles2_texture_feature_count =
    sizeof gles2_texture_features / sizeof gles2_texture_features[0];
