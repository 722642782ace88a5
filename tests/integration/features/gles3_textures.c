/* Textures and samplers of GLES 3. */
#include "tests/integration/features/gles3.h"

#include <stdlib.h>
#include <string.h>

struct format {
    GLenum internal, format, type;
    uint32_t bytes; /* a pixel */
};

static const struct format formats[] = {
    {GL_R8, GL_RED, GL_UNSIGNED_BYTE, 1},
    {GL_R8_SNORM, GL_RED, GL_BYTE, 1},
    {GL_RG8, GL_RG, GL_UNSIGNED_BYTE, 2},
    {GL_RG8_SNORM, GL_RG, GL_BYTE, 2},
    {GL_RGB8, GL_RGB, GL_UNSIGNED_BYTE, 3},
    {GL_RGB8_SNORM, GL_RGB, GL_BYTE, 3},
    {GL_RGB565, GL_RGB, GL_UNSIGNED_SHORT_5_6_5, 2},
    {GL_RGBA4, GL_RGBA, GL_UNSIGNED_SHORT_4_4_4_4, 2},
    {GL_RGB5_A1, GL_RGBA, GL_UNSIGNED_SHORT_5_5_5_1, 2},
    {GL_RGBA8, GL_RGBA, GL_UNSIGNED_BYTE, 4},
    {GL_RGBA8_SNORM, GL_RGBA, GL_BYTE, 4},
    {GL_RGB10_A2, GL_RGBA, GL_UNSIGNED_INT_2_10_10_10_REV, 4},
    {GL_SRGB8, GL_RGB, GL_UNSIGNED_BYTE, 3},
    {GL_SRGB8_ALPHA8, GL_RGBA, GL_UNSIGNED_BYTE, 4},
    {GL_RGB9_E5, GL_RGB, GL_UNSIGNED_INT_5_9_9_9_REV, 4},
    {GL_R11F_G11F_B10F, GL_RGB, GL_UNSIGNED_INT_10F_11F_11F_REV, 4},
};

static const struct format float_formats[] = {
    {GL_R16F, GL_RED, GL_HALF_FLOAT, 2},   {GL_RG16F, GL_RG, GL_HALF_FLOAT, 4},
    {GL_RGB16F, GL_RGB, GL_HALF_FLOAT, 6}, {GL_RGBA16F, GL_RGBA, GL_HALF_FLOAT, 8},
    {GL_R32F, GL_RED, GL_FLOAT, 4},        {GL_RG32F, GL_RG, GL_FLOAT, 8},
    {GL_RGB32F, GL_RGB, GL_FLOAT, 12},     {GL_RGBA32F, GL_RGBA, GL_FLOAT, 16},
    {GL_RGB16F, GL_RGB, GL_FLOAT, 12},     {GL_RGBA16F, GL_RGBA, GL_FLOAT, 16},
};

static const struct format unsigned_formats[] = {
    {GL_R8UI, GL_RED_INTEGER, GL_UNSIGNED_BYTE, 1},
    {GL_RG8UI, GL_RG_INTEGER, GL_UNSIGNED_BYTE, 2},
    {GL_RGB8UI, GL_RGB_INTEGER, GL_UNSIGNED_BYTE, 3},
    {GL_RGBA8UI, GL_RGBA_INTEGER, GL_UNSIGNED_BYTE, 4},
    {GL_R16UI, GL_RED_INTEGER, GL_UNSIGNED_SHORT, 2},
    {GL_RG16UI, GL_RG_INTEGER, GL_UNSIGNED_SHORT, 4},
    {GL_RGB16UI, GL_RGB_INTEGER, GL_UNSIGNED_SHORT, 6},
    {GL_RGBA16UI, GL_RGBA_INTEGER, GL_UNSIGNED_SHORT, 8},
    {GL_R32UI, GL_RED_INTEGER, GL_UNSIGNED_INT, 4},
    {GL_RG32UI, GL_RG_INTEGER, GL_UNSIGNED_INT, 8},
    {GL_RGB32UI, GL_RGB_INTEGER, GL_UNSIGNED_INT, 12},
    {GL_RGBA32UI, GL_RGBA_INTEGER, GL_UNSIGNED_INT, 16},
    {GL_RGB10_A2UI, GL_RGBA_INTEGER, GL_UNSIGNED_INT_2_10_10_10_REV, 4},
};

static const struct format signed_formats[] = {
    {GL_R8I, GL_RED_INTEGER, GL_BYTE, 1},     {GL_RG8I, GL_RG_INTEGER, GL_BYTE, 2},
    {GL_RGB8I, GL_RGB_INTEGER, GL_BYTE, 3},   {GL_RGBA8I, GL_RGBA_INTEGER, GL_BYTE, 4},
    {GL_R16I, GL_RED_INTEGER, GL_SHORT, 2},   {GL_RG16I, GL_RG_INTEGER, GL_SHORT, 4},
    {GL_RGB16I, GL_RGB_INTEGER, GL_SHORT, 6}, {GL_RGBA16I, GL_RGBA_INTEGER, GL_SHORT, 8},
    {GL_R32I, GL_RED_INTEGER, GL_INT, 4},     {GL_RG32I, GL_RG_INTEGER, GL_INT, 8},
    {GL_RGB32I, GL_RGB_INTEGER, GL_INT, 12},  {GL_RGBA32I, GL_RGBA_INTEGER, GL_INT, 16},
};

static const struct format depth_formats[] = {
    {GL_DEPTH_COMPONENT16, GL_DEPTH_COMPONENT, GL_UNSIGNED_SHORT, 2},
    {GL_DEPTH_COMPONENT24, GL_DEPTH_COMPONENT, GL_UNSIGNED_INT, 4},
    {GL_DEPTH_COMPONENT32F, GL_DEPTH_COMPONENT, GL_FLOAT, 4},
    {GL_DEPTH24_STENCIL8, GL_DEPTH_STENCIL, GL_UNSIGNED_INT_24_8, 4},
};

static void nearest(GLenum target)
{
    glTexParameteri(target, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(target, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
}

/* Bytes that make tame numbers in float formats. */
static void tame(uint8_t *data, size_t size, const struct format *f, uint32_t seed)
{
    fx_bytes(data, size, seed);
    if (f->type == GL_FLOAT) {
        for (size_t i = 0; i + 4 <= size; i += 4) {
            float value = (float)data[i] / 200;
            memcpy(data + i, &value, 4);
        }
    } else if (f->type == GL_HALF_FLOAT) {
        for (size_t i = 0; i + 2 <= size; i += 2) {
            data[i + 1] = (uint8_t)(0x30 + data[i + 1] % 12);
        }
    }
}

/* Each format in a cell of its own, by glTexImage2D or storage and sub image. */
static void draw_formats(struct fx *fx, const struct format *list, size_t count, int frame)
{
    static uint8_t pixels[17 * 13 * 16 + 64];
    for (size_t i = 0; i < count; i++) {
        const struct format *f = &list[i];
        GLuint name;
        tame(pixels, sizeof pixels, f, (uint32_t)(i * 3) + (uint32_t)frame);
        glGenTextures(1, &name);
        glBindTexture(GL_TEXTURE_2D, name);
        nearest(GL_TEXTURE_2D);
        glPixelStorei(GL_UNPACK_ALIGNMENT, 1 << (i % 4));
        if (frame == 1) {
            glTexStorage2D(GL_TEXTURE_2D, 2, f->internal, 17, 13);
            glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, 17, 13, f->format, f->type, pixels);
            glTexSubImage2D(GL_TEXTURE_2D, 0, 3, 4, 5, 6, f->format, f->type, pixels);
        } else {
            glTexImage2D(GL_TEXTURE_2D, 0, (GLint)f->internal, 17, 13, 0, f->format, f->type,
                         pixels);
        }
        float x = -1 + 0.5f * (float)(i % 4), y = -1 + 0.5f * (float)(i / 4);
        fx_rect(x, y, x + 0.5f, y + 0.5f);
        GLenum error = glGetError();
        fx_note_int(fx, error);
    }
    glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void normalized_formats(struct fx *fx, int frame)
{
    es3_fill("in vec2 t; uniform sampler2D s; out vec4 o; void main() { o = abs(texture(s, t)); }");
    draw_formats(fx, formats, COUNT(formats), frame);
}

static void floating_formats(struct fx *fx, int frame)
{
    es3_fill(ES3_TEXTURED);
    draw_formats(fx, float_formats, COUNT(float_formats), frame);
}

static void unsigned_integer_formats(struct fx *fx, int frame)
{
    es3_fill(
        "precision highp usampler2D; in vec2 t; uniform usampler2D s; out vec4 o; void main() { "
        "o = vec4(texture(s, t) & 255u) / 255.0; }");
    draw_formats(fx, unsigned_formats, COUNT(unsigned_formats), frame);
}

static void signed_integer_formats(struct fx *fx, int frame)
{
    es3_fill(
        "precision highp isampler2D; in vec2 t; uniform isampler2D s; out vec4 o; void main() { "
        "o = vec4(texture(s, t) & 255) / 255.0; }");
    draw_formats(fx, signed_formats, COUNT(signed_formats), frame);
}

static void depth_texture_formats(struct fx *fx, int frame)
{
    es3_fill(ES3_TEXTURED);
    draw_formats(fx, depth_formats, COUNT(depth_formats), frame);
}

static void three_dimensions(struct fx *fx, int frame)
{
    static uint8_t pixels[16 * 16 * 8 * 4];
    GLuint name;
    fx_bytes(pixels, sizeof pixels, (uint32_t)frame);
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_3D, name);
    nearest(GL_TEXTURE_3D);
    glTexImage3D(GL_TEXTURE_3D, 0, GL_RGBA8, 16, 16, 8, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    glPixelStorei(GL_UNPACK_IMAGE_HEIGHT, 10);
    glPixelStorei(GL_UNPACK_SKIP_IMAGES, 1);
    glTexSubImage3D(GL_TEXTURE_3D, 0, 2, 3, 1, 7, 6, 3, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    glPixelStorei(GL_UNPACK_IMAGE_HEIGHT, 0);
    glPixelStorei(GL_UNPACK_SKIP_IMAGES, 0);
    glTexParameteri(GL_TEXTURE_3D, GL_TEXTURE_WRAP_R, GL_MIRRORED_REPEAT);
    es3_fill(
        "precision highp sampler3D; in vec2 t; uniform sampler3D s; out vec4 o; void main() { o "
        "= texture(s, vec3(fract(t * 4.0), floor(t.x * 4.0) * 0.25 + t.y * 0.3)); }");
    fx_quad();
    fx_error(fx, GL_NO_ERROR);
}

static void texture_arrays(struct fx *fx, int frame)
{
    static uint8_t pixels[32 * 32 * 4];
    GLuint name;
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D_ARRAY, name);
    nearest(GL_TEXTURE_2D_ARRAY);
    glTexStorage3D(GL_TEXTURE_2D_ARRAY, 1, GL_RGBA8, 32, 32, 5);
    for (int i = 0; i < 5; i++) {
        fx_bytes(pixels, sizeof pixels, (uint32_t)(i + frame * 5));
        glTexSubImage3D(GL_TEXTURE_2D_ARRAY, 0, 0, 0, i, 32, 32, 1, GL_RGBA, GL_UNSIGNED_BYTE,
                        pixels);
    }
    glCopyTexSubImage3D(GL_TEXTURE_2D_ARRAY, 0, 4, 4, 2, 0, 0, 10, 10);
    es3_fill(
        "precision highp sampler2DArray; in vec2 t; uniform sampler2DArray s; out vec4 o; void "
        "main() { o = texture(s, vec3(fract(t * 2.0), floor(t.y * 5.0))); }");
    fx_quad();
    fx_error(fx, GL_NO_ERROR);
}

static void swizzles(struct fx *fx, int frame)
{
    static const GLint choices[] = {GL_RED, GL_GREEN, GL_BLUE, GL_ALPHA, GL_ZERO, GL_ONE};
    (void)fx;
    es3_fill(ES3_TEXTURED);
    for (int i = 0; i < 6; i++) {
        fx_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_SWIZZLE_R, choices[i]);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_SWIZZLE_G, choices[(i + 1) % 6]);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_SWIZZLE_B, choices[(i + 3) % 6]);
        fx_rect(-1 + 0.33f * (float)i, -1, -0.67f + 0.33f * (float)i, 1);
    }
}

static void samplers(struct fx *fx, int frame)
{
    GLuint names[3];
    GLint value = 0;
    GLfloat real = 0;
    glGenSamplers(3, names);
    glSamplerParameteri(names[0], GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    glSamplerParameteri(names[0], GL_TEXTURE_MAG_FILTER, GL_LINEAR);
    glSamplerParameteri(names[1], GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glSamplerParameteri(names[1], GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    glSamplerParameteri(names[1], GL_TEXTURE_WRAP_S, GL_MIRRORED_REPEAT);
    glSamplerParameterf(names[2], GL_TEXTURE_MAX_LOD, 1.5f);
    glSamplerParameteri(names[2], GL_TEXTURE_MIN_FILTER, GL_LINEAR_MIPMAP_LINEAR);
    fx_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame);
    glGenerateMipmap(GL_TEXTURE_2D);
    es3_fill(
        "in vec2 t; uniform sampler2D s; out vec4 o; void main() { o = texture(s, t * 2.3); }");
    for (int i = 0; i < 3; i++) {
        glBindSampler(0, names[i]);
        fx_rect(-1 + 0.66f * (float)i, -1, -0.4f + 0.66f * (float)i, 1);
    }
    glGetSamplerParameteriv(names[1], GL_TEXTURE_WRAP_S, &value);
    glGetSamplerParameterfv(names[2], GL_TEXTURE_MAX_LOD, &real);
    fx_note_int(fx, value);
    fx_note(fx, &real, sizeof real);
    glBindSampler(0, 0);
    glDeleteSamplers(3, names);
    fx_note_int(fx, glIsSampler(names[0]));
}

static void level_clamps(struct fx *fx, int frame)
{
    GLint value = 0;
    fx_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame);
    glGenerateMipmap(GL_TEXTURE_2D);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST_MIPMAP_NEAREST);
    es3_fill("in vec2 t; uniform sampler2D s; out vec4 o; void main() { o = textureLod(s, t, t.x * "
             "6.0); }");
    for (int i = 0; i < 4; i++) {
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_BASE_LEVEL, i);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAX_LEVEL, 6 - i);
        glTexParameterf(GL_TEXTURE_2D, GL_TEXTURE_MIN_LOD, 0.5f * (float)i);
        fx_rect(-1, -1 + 0.5f * (float)i, 1, -0.5f + 0.5f * (float)i);
        glGetTexParameteriv(GL_TEXTURE_2D, GL_TEXTURE_MAX_LEVEL, &value);
        fx_note_int(fx, value);
    }
}

static void immutable_storage(struct fx *fx, int frame)
{
    GLuint name;
    GLint value = 0;
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    glTexStorage2D(GL_TEXTURE_2D, 3, GL_RGBA8, 64, 64);
    glGetTexParameteriv(GL_TEXTURE_2D, GL_TEXTURE_IMMUTABLE_FORMAT, &value);
    fx_note_int(fx, value);
    glGetTexParameteriv(GL_TEXTURE_2D, GL_TEXTURE_IMMUTABLE_LEVELS, &value);
    fx_note_int(fx, value);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, 4, 4, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    fx_error(fx, GL_INVALID_OPERATION);
    static uint8_t pixels[64 * 64 * 4];
    fx_bytes(pixels, sizeof pixels, (uint32_t)frame);
    for (int level = 0; level < 3; level++) {
        glTexSubImage2D(GL_TEXTURE_2D, level, 0, 0, 64 >> level, 64 >> level, GL_RGBA,
                        GL_UNSIGNED_BYTE, pixels);
    }
    nearest(GL_TEXTURE_2D);
    es3_fill(ES3_TEXTURED);
    fx_quad();
}

static void etc2_formats(struct fx *fx, int frame)
{
    static const struct {
        GLenum format;
        GLsizei size;
    } kinds[] = {{GL_COMPRESSED_RGB8_ETC2, 8},
                 {GL_COMPRESSED_SRGB8_ETC2, 8},
                 {GL_COMPRESSED_RGB8_PUNCHTHROUGH_ALPHA1_ETC2, 8},
                 {GL_COMPRESSED_RGBA8_ETC2_EAC, 16},
                 {GL_COMPRESSED_SRGB8_ALPHA8_ETC2_EAC, 16},
                 {GL_COMPRESSED_R11_EAC, 8},
                 {GL_COMPRESSED_SIGNED_R11_EAC, 8},
                 {GL_COMPRESSED_RG11_EAC, 16}};
    static uint8_t blocks[16 * 16];
    es3_fill("in vec2 t; uniform sampler2D s; out vec4 o; void main() { o = abs(texture(s, t)); }");
    for (int i = 0; i < 8; i++) {
        GLuint name;
        fx_bytes(blocks, sizeof blocks, (uint32_t)(i + frame * 9));
        glGenTextures(1, &name);
        glBindTexture(GL_TEXTURE_2D, name);
        nearest(GL_TEXTURE_2D);
        glCompressedTexImage2D(GL_TEXTURE_2D, 0, kinds[i].format, 16, 16, 0, 16 * kinds[i].size,
                               blocks);
        glCompressedTexSubImage2D(GL_TEXTURE_2D, 0, 4, 8, 4, 4, kinds[i].format, kinds[i].size,
                                  blocks + 16);
        fx_note_int(fx, glGetError());
        float x = -1 + 0.5f * (float)(i % 4), y = i / 4 ? 0 : -1;
        fx_rect(x, y, x + 0.5f, y + 1);
    }
}

static void srgb_rendering(struct fx *fx, int frame)
{
    GLuint texture, p;
    fx_framebuffer(GL_SRGB8_ALPHA8, GL_RGBA, GL_UNSIGNED_BYTE, &texture);
    fx_note_int(fx, glCheckFramebufferStatus(GL_FRAMEBUFFER));
    p = es3_fill("in vec2 t; uniform float f; out vec4 o; void main() { o = vec4(t, f, 1.0); }");
    glUniform1f(glGetUniformLocation(p, "f"), 0.4f * (float)frame);
    fx_quad();
    fx_note_pixels(fx, 0, 0, 64, 64);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glBindTexture(GL_TEXTURE_2D, texture);
    es3_fill(ES3_TEXTURED);
    fx_quad();
}

static void fetches_and_sizes(struct fx *fx, int frame)
{
    (void)fx;
    fx_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame);
    es3_fill(
        "in vec2 t; uniform sampler2D s; out vec4 o; void main() { ivec2 n = textureSize(s, 0); "
        "o = texelFetch(s, ivec2(t * vec2(n)), 0) * 0.7 + textureOffset(s, t, ivec2(3, -2)) * "
        "0.2 + textureGrad(s, t, vec2(0.1), vec2(0.05)) * 0.1; }");
    fx_quad();
}

static void mrt_of_integers(struct fx *fx, int frame)
{
    GLuint name, textures[2];
    int32_t got[4] = {0};
    glGenFramebuffers(1, &name);
    glBindFramebuffer(GL_FRAMEBUFFER, name);
    glGenTextures(2, textures);
    for (GLenum i = 0; i < 2; i++) {
        glBindTexture(GL_TEXTURE_2D, textures[i]);
        glTexStorage2D(GL_TEXTURE_2D, 1, i ? GL_RGBA8 : GL_RGBA32I, 64, 64);
        nearest(GL_TEXTURE_2D);
        glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0 + i, GL_TEXTURE_2D, textures[i],
                               0);
    }
    glDrawBuffers(2, (const GLenum[]){GL_COLOR_ATTACHMENT0, GL_COLOR_ATTACHMENT1});
    fx_note_int(fx, glCheckFramebufferStatus(GL_FRAMEBUFFER));
    GLuint p =
        es3_fill("uniform int k; in vec2 t; layout(location = 0) out ivec4 a; "
                 "layout(location = 1) out vec4 b; void main() { a = ivec4(ivec2(gl_FragCoord.xy)"
                 ", k, -7); b = vec4(t, 0.3, 1.0); }");
    fx_note_int(fx, glGetFragDataLocation(p, "b"));
    glUniform1i(glGetUniformLocation(p, "k"), frame * 1000);
    fx_quad();
    glReadBuffer(GL_COLOR_ATTACHMENT0);
    glReadPixels(9, 11, 1, 1, GL_RGBA_INTEGER, GL_INT, got);
    fx_note(fx, got, sizeof got);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glBindTexture(GL_TEXTURE_2D, textures[1]);
    es3_fill(ES3_TEXTURED);
    fx_quad();
}

static void cube_maps_of_es3(struct fx *fx, int frame)
{
    static uint8_t pixels[16 * 16 * 4];
    GLuint name;
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_CUBE_MAP, name);
    glTexStorage2D(GL_TEXTURE_CUBE_MAP, 3, GL_RGBA8, 16, 16);
    for (GLenum face = 0; face < 6; face++) {
        fx_bytes(pixels, sizeof pixels, face + (uint32_t)frame * 6);
        glTexSubImage2D(GL_TEXTURE_CUBE_MAP_POSITIVE_X + face, 0, 0, 0, 16, 16, GL_RGBA,
                        GL_UNSIGNED_BYTE, pixels);
    }
    glGenerateMipmap(GL_TEXTURE_CUBE_MAP);
    glTexParameteri(GL_TEXTURE_CUBE_MAP, GL_TEXTURE_MIN_FILTER, GL_LINEAR_MIPMAP_NEAREST);
    es3_fill("in vec2 t; uniform samplerCube s; out vec4 o; void main() { vec2 a = t * vec2(6.28, "
             "3.14); o = textureLod(s, vec3(cos(a.x) * sin(a.y), cos(a.y), sin(a.x) * sin(a.y)), "
             "t.x * 2.0); }"); /* seamless */
    fx_quad();
    fx_error(fx, GL_NO_ERROR);
}

static void multisample_textures(struct fx *fx, int frame)
{
    GLuint texture, name, p;
    GLint samples = 0;
    glGetIntegerv(GL_MAX_COLOR_TEXTURE_SAMPLES, &samples);
    fx_note_int(fx, samples);
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D_MULTISAMPLE, texture);
    glTexStorage2DMultisample(GL_TEXTURE_2D_MULTISAMPLE, samples < 4 ? samples : 4, GL_RGBA8, 64,
                              64, GL_TRUE);
    glGenFramebuffers(1, &name);
    glBindFramebuffer(GL_FRAMEBUFFER, name);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D_MULTISAMPLE, texture,
                           0);
    fx_note_int(fx, glCheckFramebufferStatus(GL_FRAMEBUFFER));
    glClear(GL_COLOR_BUFFER_BIT);
    p = es3_fill("in vec2 t; uniform float f; out vec4 o; void main() { o = vec4(t, f, 1.0); }");
    glUniform1f(glGetUniformLocation(p, "f"), 0.4f * (float)frame);
    fx_rect(-0.83f, -0.71f, 0.37f, 0.55f);
    GLfloat place[2] = {0};
    glGetMultisamplefv(GL_SAMPLE_POSITION, 0, place);
    fx_note(fx, place, sizeof place);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    p = fx_program(
        "#version 310 es\nlayout(location = 0) in vec2 p; out vec2 t; void main() { t = p * "
        "0.5 + 0.5; gl_Position = vec4(p, 0.0, 1.0); }",
        "#version 310 es\nprecision highp float; precision highp sampler2DMS; in vec2 t; "
        "uniform sampler2DMS s; out vec4 o; void main() { o = texelFetch(s, ivec2(t * 64.0), "
        "0); }");
    glUseProgram(p);
    fx_quad();
}

static void gathers(struct fx *fx, int frame)
{
    (void)fx;
    fx_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame);
    glUseProgram(fx_program("#version 310 es\nlayout(location = 0) in vec2 p; out vec2 t; void "
                            "main() { t = p * 0.5 + 0.5; "
                            "gl_Position = vec4(p, 0.0, 1.0); }",
                            "#version 310 es\nprecision highp float; in vec2 t; uniform sampler2D "
                            "s; out vec4 o; void main() "
                            "{ o = textureGather(s, t, 1); }"));
    fx_quad();
}

static void bgr_textures(struct fx *fx, int frame)
{
    static uint8_t pixels[20 * 10 * 3];
    GLuint name;
    fx_bytes(pixels, sizeof pixels, (uint32_t)frame);
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    nearest(GL_TEXTURE_2D);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGB8, 20, 10, 0, GL_BGR_EXT, GL_UNSIGNED_BYTE, pixels);
    fx_note_int(fx, glGetError());
    es3_fill(ES3_TEXTURED);
    fx_quad();
}

/* No extension stands twice in the list. */
static void extension_names(struct fx *fx, int frame)
{
    GLint count = 0;
    (void)frame;
    glGetIntegerv(GL_NUM_EXTENSIONS, &count);
    for (GLint i = 0; i < count; i++) {
        for (GLint k = 0; k < i; k++) {
            const char *name = (const char *)glGetStringi(GL_EXTENSIONS, (GLuint)i);
            if (strcmp(name, (const char *)glGetStringi(GL_EXTENSIONS, (GLuint)k)) == 0) {
                fx_note_text(fx, name);
            }
        }
    }
}

#define FEATURE(name)                                                                              \
    {                                                                                              \
#name, name, NULL                                                                          \
    }
const struct fx_feature gles3_texture_features[] = {
    FEATURE(normalized_formats),
    FEATURE(floating_formats),
    FEATURE(unsigned_integer_formats),
    FEATURE(signed_integer_formats),
    FEATURE(depth_texture_formats),
    FEATURE(three_dimensions),
    FEATURE(texture_arrays),
    FEATURE(swizzles),
    FEATURE(samplers),
    FEATURE(level_clamps),
    FEATURE(immutable_storage),
    FEATURE(etc2_formats),
    FEATURE(srgb_rendering),
    FEATURE(fetches_and_sizes),
    FEATURE(mrt_of_integers),
    FEATURE(cube_maps_of_es3),
    FEATURE(extension_names),
    {"bgr_textures", bgr_textures, "GL_MESA_bgra"},
    {"multisample_textures", multisample_textures, "3.1"},
    {"gathers", gathers, "3.1"},
};
const size_t gles3_texture_feature_count =
    sizeof gles3_texture_features / sizeof gles3_texture_features[0];
