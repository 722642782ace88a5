/* Framebuffers and pixel buffers of GLES 3. */
#include "tests/integration/features/gles3.h"

#include <string.h>

/* --- framebuffers --- */

static void multiple_targets(struct fx *fx, int frame)
{
    GLuint name, textures[3];
    static const GLenum all[] = {GL_COLOR_ATTACHMENT0, GL_NONE, GL_COLOR_ATTACHMENT2};
    glGenFramebuffers(1, &name);
    glBindFramebuffer(GL_FRAMEBUFFER, name);
    glGenTextures(3, textures);
    for (GLenum i = 0; i < 3; i++) {
        glBindTexture(GL_TEXTURE_2D, textures[i]);
        glTexStorage2D(GL_TEXTURE_2D, 1, i == 2 ? GL_RGB10_A2 : GL_RGBA8, 64, 64);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
        glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0 + i, GL_TEXTURE_2D, textures[i],
                               0);
    }
    glDrawBuffers(3, all);
    fx_note_int(fx, glCheckFramebufferStatus(GL_FRAMEBUFFER));
    glClearBufferfv(GL_COLOR, 0, (const float[]){0.1f, 0.2f, 0.3f, 1});
    glClearBufferfv(GL_COLOR, 2, (const float[]){0.9f, 0.8f, 0.1f * (float)frame, 1});
    es3_fill("in vec2 t; layout(location = 0) out vec4 a; layout(location = 1) out vec4 b; "
             "layout(location = 2) out vec4 c; void main() { a = vec4(t, 0.0, 1.0); b = vec4(1.0); "
             "c = vec4(t.yx, 0.5, 1.0); }");
    fx_rect(-0.5f, -0.5f, 0.5f, 0.8f);
    GLint value = 0;
    glGetIntegerv(GL_DRAW_BUFFER1, &value);
    fx_note_int(fx, value);
    glReadBuffer(GL_COLOR_ATTACHMENT0);
    fx_note_pixels(fx, 0, 0, 64, 64);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glBindTexture(GL_TEXTURE_2D, textures[2]);
    es3_fill(ES3_TEXTURED);
    fx_quad();
}

static void blits(struct fx *fx, int frame)
{
    GLuint name, texture;
    name = fx_framebuffer(GL_RGBA8, GL_RGBA, GL_UNSIGNED_BYTE, &texture);
    es3_fill("in vec2 t; out vec4 o; void main() { o = vec4(t, step(0.5, t.x * t.y), 1.0); }");
    fx_quad();
    glBindFramebuffer(GL_READ_FRAMEBUFFER, name);
    glBindFramebuffer(GL_DRAW_FRAMEBUFFER, 0);
    glBlitFramebuffer(0, 0, 64, 64, 0, 0, 32, 32, GL_COLOR_BUFFER_BIT, GL_NEAREST);
    glBlitFramebuffer(10, 10, 30, 40, 64, 64, 33, 20 + frame, GL_COLOR_BUFFER_BIT, GL_LINEAR);
    glBlitFramebuffer(0, 0, 64, 64, 0, 64, 30, 36, GL_COLOR_BUFFER_BIT, GL_NEAREST);
    glBindFramebuffer(GL_READ_FRAMEBUFFER, 0);
    fx_error(fx, GL_NO_ERROR);
}

static void multisampling(struct fx *fx, int frame)
{
    GLuint name, buffer, p;
    GLint samples = 0, value = 0;
    glGetInternalformativ(GL_RENDERBUFFER, GL_RGBA8, GL_SAMPLES, 1, &samples);
    glGetInternalformativ(GL_RENDERBUFFER, GL_RGBA8, GL_NUM_SAMPLE_COUNTS, 1, &value);
    fx_note_int(fx, samples * 100 + value);
    glGenFramebuffers(1, &name);
    glBindFramebuffer(GL_FRAMEBUFFER, name);
    glGenRenderbuffers(1, &buffer);
    glBindRenderbuffer(GL_RENDERBUFFER, buffer);
    glRenderbufferStorageMultisample(GL_RENDERBUFFER, samples, GL_RGBA8, 64, 64);
    glGetRenderbufferParameteriv(GL_RENDERBUFFER, GL_RENDERBUFFER_SAMPLES, &value);
    fx_note_int(fx, value);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, buffer);
    glClear(GL_COLOR_BUFFER_BIT);
    p = es3_fill(COLORED);
    color(p, 1, 1, 0.3f * (float)frame, 1);
    static const float triangle[] = {-0.9f, -0.8f, 0.7f, -0.3f, 0.1f, 0.95f};
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, triangle);
    glDrawArrays(GL_TRIANGLES, 0, 3);
    glBindFramebuffer(GL_DRAW_FRAMEBUFFER, 0);
    glBlitFramebuffer(0, 0, 64, 64, 0, 0, 64, 64, GL_COLOR_BUFFER_BIT, GL_NEAREST);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
}

static void clear_buffers(struct fx *fx, int frame)
{
    GLuint name, buffers[2];
    glGenFramebuffers(1, &name);
    glBindFramebuffer(GL_FRAMEBUFFER, name);
    glGenRenderbuffers(2, buffers);
    static const GLenum formats[] = {GL_RGBA32I, GL_RGBA8UI};
    for (int i = 0; i < 2; i++) {
        int32_t pixels[4 * 4];
        glBindRenderbuffer(GL_RENDERBUFFER, buffers[i]);
        glRenderbufferStorage(GL_RENDERBUFFER, formats[i], 64, 64);
        glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER,
                                  buffers[i]);
        if (i == 0) {
            glClearBufferiv(GL_COLOR, 0, (const GLint[]){-5, 1000000, frame, -70000});
            glReadPixels(1, 1, 2, 2, GL_RGBA_INTEGER, GL_INT, pixels);
        } else {
            glClearBufferuiv(GL_COLOR, 0, (const GLuint[]){5, 200, (GLuint)frame, 70});
            glReadPixels(1, 1, 2, 2, GL_RGBA_INTEGER, GL_UNSIGNED_INT, pixels);
        }
        fx_note(fx, pixels, sizeof pixels);
    }
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glClearBufferfi(GL_DEPTH_STENCIL, 0, 0.25f, 3);
    glEnable(GL_STENCIL_TEST);
    glStencilFunc(GL_EQUAL, 3, 0xff);
    GLuint p = es3_fill(COLORED);
    color(p, 0.2f, 0.2f, 1, 1);
    fx_quad();
}

static void depth_stencil_textures(struct fx *fx, int frame)
{
    GLuint name, color_texture, depth, p;
    name = fx_framebuffer(GL_RGBA8, GL_RGBA, GL_UNSIGNED_BYTE, &color_texture);
    glGenTextures(1, &depth);
    glBindTexture(GL_TEXTURE_2D, depth);
    glTexStorage2D(GL_TEXTURE_2D, 1, frame == 1 ? GL_DEPTH_COMPONENT32F : GL_DEPTH24_STENCIL8, 64,
                   64);
    glFramebufferTexture2D(GL_FRAMEBUFFER,
                           frame == 1 ? GL_DEPTH_ATTACHMENT : GL_DEPTH_STENCIL_ATTACHMENT,
                           GL_TEXTURE_2D, depth, 0);
    fx_note_int(fx, glCheckFramebufferStatus(GL_FRAMEBUFFER));
    glClear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT | GL_STENCIL_BUFFER_BIT);
    glEnable(GL_DEPTH_TEST);
    p = fx_program(
        "#version 300 es\nin vec2 p; void main() { gl_Position = vec4(p, p.x * 0.7, 1.0); }",
        ES3_FS COLORED);
    glUseProgram(p);
    color(p, 1, 1, 1, 1);
    fx_quad();
    glDisable(GL_DEPTH_TEST);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glBindTexture(GL_TEXTURE_2D, depth);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_LINEAR);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_COMPARE_MODE, GL_COMPARE_REF_TO_TEXTURE);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_COMPARE_FUNC, GL_LEQUAL);
    es3_fill("precision highp sampler2DShadow; in vec2 t; uniform sampler2DShadow s; out vec4 o; "
             "void main() { o = vec4(texture(s, vec3(t, 0.6)), t, 1.0); }");
    fx_quad();
    (void)name;
}

static void invalidation(struct fx *fx, int frame)
{
    GLuint texture;
    static const GLenum attachments[] = {GL_COLOR_ATTACHMENT0};
    fx_framebuffer(GL_RGBA8, GL_RGBA, GL_UNSIGNED_BYTE, &texture);
    glClear(GL_COLOR_BUFFER_BIT);
    glInvalidateSubFramebuffer(GL_FRAMEBUFFER, 1, attachments, 60, 60, 4, 4);
    glInvalidateFramebuffer(GL_FRAMEBUFFER, 1, attachments);
    glClearColor(0.1f, 0.9f, 0.2f * (float)frame, 1);
    glClear(GL_COLOR_BUFFER_BIT); /* defined again */
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    static const GLenum defaults[] = {GL_DEPTH, GL_STENCIL};
    glInvalidateFramebuffer(GL_FRAMEBUFFER, 2, defaults);
    glBindTexture(GL_TEXTURE_2D, texture);
    es3_fill(ES3_TEXTURED);
    fx_quad();
    fx_error(fx, GL_NO_ERROR);
}

static void framebuffer_layers(struct fx *fx, int frame)
{
    GLuint name, texture;
    GLint value = 0;
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D_ARRAY, texture);
    glTexStorage3D(GL_TEXTURE_2D_ARRAY, 2, GL_RGBA8, 64, 64, 4);
    glTexParameteri(GL_TEXTURE_2D_ARRAY, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glGenFramebuffers(1, &name);
    glBindFramebuffer(GL_FRAMEBUFFER, name);
    for (int i = 0; i < 4; i++) {
        glFramebufferTextureLayer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, texture, 0, i);
        glClearColor((float)i / 4, 0.2f * (float)frame, 1 - (float)i / 4, 1);
        glClear(GL_COLOR_BUFFER_BIT);
    }
    glGetFramebufferAttachmentParameteriv(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
                                          GL_FRAMEBUFFER_ATTACHMENT_TEXTURE_LAYER, &value);
    fx_note_int(fx, value);
    glGetFramebufferAttachmentParameteriv(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
                                          GL_FRAMEBUFFER_ATTACHMENT_COLOR_ENCODING, &value);
    fx_note_int(fx, value);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    es3_fill(
        "precision highp sampler2DArray; in vec2 t; uniform sampler2DArray s; out vec4 o; void "
        "main() { o = texture(s, vec3(t, floor(t.x * 4.0))); }");
    fx_quad();
}

/* --- pixel buffers --- */

static void pixel_packing(struct fx *fx, int frame)
{
    GLuint buffer;
    es3_fill("in vec2 t; out vec4 o; void main() { o = vec4(t, t.x * t.y, 1.0); }");
    fx_quad();
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_PIXEL_PACK_BUFFER, buffer);
    glBufferData(GL_PIXEL_PACK_BUFFER, 64 * 64 * 4, NULL, GL_STREAM_READ);
    glReadPixels(0, 0, 64, 32, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    glReadPixels(frame, 32, 32, 32, GL_RGBA, GL_UNSIGNED_BYTE, (void *)(64 * 32 * 4));
    glBindBuffer(GL_PIXEL_PACK_BUFFER, 0);
    es3_note_buffer(fx, buffer, 64 * 32 * 4 + 32 * 32 * 4);
    static uint8_t pixels[100 * 100 * 4];
    memset(pixels, 9, sizeof pixels);
    glPixelStorei(GL_PACK_ROW_LENGTH, 70);
    glPixelStorei(GL_PACK_SKIP_ROWS, 3);
    glPixelStorei(GL_PACK_SKIP_PIXELS, 5 + frame);
    glReadPixels(0, 0, 40, 40, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    fx_note(fx, pixels, sizeof pixels);
    glPixelStorei(GL_PACK_ROW_LENGTH, 0);
    glPixelStorei(GL_PACK_SKIP_ROWS, 0);
    glPixelStorei(GL_PACK_SKIP_PIXELS, 0);
}

static void pixel_unpacking(struct fx *fx, int frame)
{
    GLuint buffer, texture;
    static uint8_t pixels[100 * 100 * 4];
    fx_bytes(pixels, sizeof pixels, (uint32_t)frame);
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_PIXEL_UNPACK_BUFFER, buffer);
    glBufferData(GL_PIXEL_UNPACK_BUFFER, sizeof pixels, pixels, GL_STREAM_DRAW);
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, 64, 64, 0, GL_RGBA, GL_UNSIGNED_BYTE, (void *)400);
    glPixelStorei(GL_UNPACK_ROW_LENGTH, 90);
    glTexSubImage2D(GL_TEXTURE_2D, 0, 8, 8, 20, 20, GL_RGBA, GL_UNSIGNED_BYTE, (void *)16);
    glBindBuffer(GL_PIXEL_UNPACK_BUFFER, 0);
    glPixelStorei(GL_UNPACK_SKIP_PIXELS, 7);
    glPixelStorei(GL_UNPACK_SKIP_ROWS, 2 + frame);
    glTexSubImage2D(GL_TEXTURE_2D, 0, 30, 30, 30, 20, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    glPixelStorei(GL_UNPACK_ROW_LENGTH, 0);
    glPixelStorei(GL_UNPACK_SKIP_PIXELS, 0);
    glPixelStorei(GL_UNPACK_SKIP_ROWS, 0);
    es3_fill(ES3_TEXTURED);
    fx_quad();
    fx_error(fx, GL_NO_ERROR);
}

/* --- images --- */

/* Two textures over an image of a third, which is deleted before it is drawn, as the image is. */
static void closed_images(struct fx *fx, int frame)
{
    PFNEGLCREATEIMAGEKHRPROC create_image =
        (PFNEGLCREATEIMAGEKHRPROC)eglGetProcAddress("eglCreateImageKHR");
    PFNEGLDESTROYIMAGEKHRPROC destroy_image =
        (PFNEGLDESTROYIMAGEKHRPROC)eglGetProcAddress("eglDestroyImageKHR");
    PFNGLEGLIMAGETARGETTEXTURE2DOESPROC image_target =
        (PFNGLEGLIMAGETARGETTEXTURE2DOESPROC)eglGetProcAddress("glEGLImageTargetTexture2DOES");
    GLuint source = fx_texture(GL_RGBA, GL_UNSIGNED_BYTE, frame), over[2];
    uint8_t pixels[16 * 16 * 4];
    EGLImageKHR image = create_image(fx->egl.display, fx->context, EGL_GL_TEXTURE_2D_KHR,
                                     (EGLClientBuffer)(uintptr_t)source, NULL);
    glGenTextures(2, over);
    for (int i = 0; i < 2; i++) {
        glBindTexture(GL_TEXTURE_2D, over[i]);
        image_target(GL_TEXTURE_2D, image);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
        glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    }
    if (frame % 2 == 0) {
        glDeleteTextures(1, &source);
    }
    es3_fill(ES3_TEXTURED);
    fx_rect(-0.9f, -0.9f, 0, 0);
    destroy_image(fx->egl.display, image);
    fx_bytes(pixels, sizeof pixels, (uint32_t)frame);
    glTexSubImage2D(GL_TEXTURE_2D, 0, 8, 8, 16, 16, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    glBindTexture(GL_TEXTURE_2D, over[0]);
    fx_rect(0, 0, 0.9f, 0.9f);
    fx_note_pixels(fx, 0, 0, FX_SIZE, FX_SIZE);
    fx_error(fx, GL_NO_ERROR);
}

#define FEATURE(name)                                                                              \
    {                                                                                              \
#name, name, NULL                                                                          \
    }
const struct fx_feature gles3_target_features[] = {
    FEATURE(multiple_targets),       FEATURE(blits),
    FEATURE(multisampling),          FEATURE(clear_buffers),
    FEATURE(depth_stencil_textures), FEATURE(invalidation),
    FEATURE(framebuffer_layers),     FEATURE(pixel_packing),
    FEATURE(pixel_unpacking),        {"closed_images", closed_images, "GL_OES_EGL_image"},
};
const size_t gles3_target_feature_count =
    sizeof gles3_target_features / sizeof gles3_target_features[0];
