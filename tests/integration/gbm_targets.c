/* Buffers of GBM that GLES draws into by EGLImages, instead of by a surface: as textures and as
 * renderbuffers, by their dma-bufs and by themselves. */
#include "tests/integration/gbm_program.h"
#include "tests/integration/shown.h"

#include <GLES2/gl2ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WIDTH = 250, HEIGHT = 130 }; /* rows that are no multiple of 64 bytes */

static PFNEGLCREATEIMAGEKHRPROC image_make;
static PFNEGLDESTROYIMAGEKHRPROC image_end;
static PFNGLEGLIMAGETARGETTEXTURE2DOESPROC texture_target;
static PFNGLEGLIMAGETARGETRENDERBUFFERSTORAGEOESPROC renderbuffer_target;

static void functions_find(void)
{
    image_make = (PFNEGLCREATEIMAGEKHRPROC)eglGetProcAddress("eglCreateImageKHR");
    image_end = (PFNEGLDESTROYIMAGEKHRPROC)eglGetProcAddress("eglDestroyImageKHR");
    texture_target =
        (PFNGLEGLIMAGETARGETTEXTURE2DOESPROC)eglGetProcAddress("glEGLImageTargetTexture2DOES");
    renderbuffer_target = (PFNGLEGLIMAGETARGETRENDERBUFFERSTORAGEOESPROC)eglGetProcAddress(
        "glEGLImageTargetRenderbufferStorageOES");
}

struct way {
    const char *name;
    bool is_renderbuffer, is_pixmap;
};
static const struct way ways[] = {{"texture", false, false},
                                  {"renderbuffer", true, false},
                                  {"pixmap", false, true},
                                  {"pixmap renderbuffer", true, true}};
static const uint32_t formats[] = {GBM_FORMAT_ARGB8888, GBM_FORMAT_XRGB8888, GBM_FORMAT_ABGR8888,
                                   GBM_FORMAT_XBGR8888};
enum { WAYS = sizeof ways / sizeof ways[0], FORMATS = sizeof formats / sizeof formats[0] };

static EGLImageKHR image_of(EGLDisplay display, struct gbm_bo *bo, const struct way *way)
{
    if (way->is_pixmap) {
        return image_make(display, EGL_NO_CONTEXT, EGL_NATIVE_PIXMAP_KHR, bo, NULL);
    }
    int fd = gbm_bo_get_fd(bo);
    EGLImageKHR image = gbm_program_image(display, fd, WIDTH, HEIGHT, (EGLint)gbm_bo_get_format(bo),
                                          (EGLint)gbm_bo_get_stride(bo));
    close(fd);
    return image;
}

/* What the framebuffer's only attachment is. image: EGL_NO_IMAGE_KHR: a texture of its own. */
static GLuint attach(EGLImageKHR image, bool is_renderbuffer)
{
    GLuint name;
    if (is_renderbuffer && image != EGL_NO_IMAGE_KHR) {
        glGenRenderbuffers(1, &name);
        glBindRenderbuffer(GL_RENDERBUFFER, name);
        renderbuffer_target(GL_RENDERBUFFER, image);
        glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, name);
        return name;
    }
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    if (image != EGL_NO_IMAGE_KHR) {
        texture_target(GL_TEXTURE_2D, image);
    } else {
        glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, WIDTH, HEIGHT, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    }
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, name, 0);
    return name;
}

/* As GLES reads it: B, G, R. */
static uint32_t drawn_hash(void)
{
    uint8_t *drawn = shown_read(WIDTH, HEIGHT);
    for (size_t i = 0; i < (size_t)WIDTH * HEIGHT; i++) {
        uint8_t red = drawn[i * 4];
        drawn[i * 3] = drawn[i * 4 + 2];
        drawn[i * 3 + 1] = drawn[i * 4 + 1];
        drawn[i * 3 + 2] = red;
    }
    uint32_t h = shown_hash(drawn, (size_t)WIDTH * HEIGHT * 3);
    free(drawn);
    return h;
}

/* Into the bound texture, which the framebuffer has: pixels of the program's, then of another
 * framebuffer. */
static void write_texture(uint32_t n, GLuint framebuffer)
{
    uint32_t pixels[40 * 30];
    GLuint other, texture, target;
    glGetIntegerv(GL_TEXTURE_BINDING_2D, (GLint *)&target);
    for (uint32_t i = 0; i < sizeof pixels / sizeof pixels[0]; i++) {
        pixels[i] = (i + n) * 2654435761u;
    }
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 40, 30, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    glBindTexture(GL_TEXTURE_2D, target);
    glTexSubImage2D(GL_TEXTURE_2D, 0, 7, 9, 40, 30, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    glGenFramebuffers(1, &other);
    glBindFramebuffer(GL_FRAMEBUFFER, other);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, texture, 0);
    glCopyTexSubImage2D(GL_TEXTURE_2D, 0, 100, 60, 5, 3, 33, 22);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    glDeleteFramebuffers(1, &other);
    glDeleteTextures(1, &texture);
}

static uint32_t hash_in(struct gbm_bo *bo, uint32_t without)
{
    return bo != NULL ? gbm_program_hash(bo) : without;
}

/* A texture that is written to, and one that gets its own storage: the buffer has the first, and
 * nothing of the second. Its image is gone by now. */
static void write_one(struct gbm_bo *bo, uint32_t n, GLuint framebuffer, GLuint name)
{
    glBindTexture(GL_TEXTURE_2D, name);
    write_texture(n, framebuffer);
    uint32_t written = drawn_hash();
    glBindFramebuffer(GL_FRAMEBUFFER, 0); /* nothing is drawn on any more */
    write_texture(n + 1, 0);
    write_texture(n, 0);
    glFlush();
    uint32_t in_buffer = hash_in(bo, written);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, WIDTH, HEIGHT, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    shown_draw(n + 2, WIDTH, HEIGHT);
    glFlush();
    printf("written %u: %08x, in the buffer %08x %08x\n", (unsigned)n, (unsigned)written,
           (unsigned)in_buffer, (unsigned)hash_in(bo, written));
}

static void draw_one(EGLDisplay display, struct gbm_bo *bo, const struct way *way, uint32_t n)
{
    EGLImageKHR image = bo != NULL ? image_of(display, bo, way) : EGL_NO_IMAGE_KHR;
    GLuint framebuffer, name;
    shown_need(bo == NULL || image != EGL_NO_IMAGE_KHR, "eglCreateImageKHR");
    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    name = attach(image, way->is_renderbuffer);
    shown_need(glCheckFramebufferStatus(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE, "complete");
    shown_draw(n, WIDTH, HEIGHT);
    uint32_t drawn = drawn_hash();
    glFlush();
    uint32_t in_buffer = hash_in(bo, drawn);
    shown_draw(n + 1, WIDTH, HEIGHT); /* another, which is left before the flush */
    uint32_t second = drawn_hash();
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glFlush();
    printf("target %u %s: drawn %08x %08x, in the buffer %08x %08x, error %x\n", (unsigned)n,
           way->name, (unsigned)drawn, (unsigned)second, (unsigned)in_buffer,
           (unsigned)hash_in(bo, second), glGetError());
    if (image != EGL_NO_IMAGE_KHR) {
        shown_need(image_end(display, image), "eglDestroyImageKHR");
    }
    if (!way->is_renderbuffer) {
        write_one(bo, n, framebuffer, name);
    }
    glDeleteFramebuffers(1, &framebuffer);
    (way->is_renderbuffer && bo != NULL ? glDeleteRenderbuffers : glDeleteTextures)(1, &name);
}

/* Images one after the other, each at once after a wait for the host, which then looks at what is
 * told it by memory before it looks at the kernel's word. */
static void make_many(EGLDisplay display, struct gbm_device *gbm)
{
    enum { BUFFERS = 8, IMAGES = 400 };
    struct gbm_bo *bos[BUFFERS];
    unsigned made = 0;
    for (unsigned i = 0; i < BUFFERS; i++) {
        bos[i] = gbm_bo_create(gbm, WIDTH, HEIGHT, formats[0], GBM_BO_USE_RENDERING);
        shown_need(bos[i] != NULL, "gbm_bo_create");
    }
    for (unsigned i = 0; i < IMAGES; i++) {
        glFinish();
        EGLImageKHR image = image_of(display, bos[i % BUFFERS], &ways[0]);
        made += image != EGL_NO_IMAGE_KHR && image_end(display, image);
    }
    printf("images: %u of %u\n", made, (unsigned)IMAGES);
    for (unsigned i = 0; i < BUFFERS; i++) {
        gbm_bo_destroy(bos[i]);
    }
}

void gbm_targets_draw(EGLDisplay display, struct gbm_device *gbm)
{
    functions_find();
    for (uint32_t n = 0; n < FORMATS * WAYS; n++) {
        struct gbm_bo *bo = NULL;
        if (gbm != NULL) {
            bo = gbm_bo_create(gbm, WIDTH, HEIGHT, formats[n / WAYS], GBM_BO_USE_RENDERING);
            shown_need(bo != NULL, "gbm_bo_create");
        }
        draw_one(display, bo, &ways[n % WAYS], n);
        if (bo != NULL) {
            gbm_bo_destroy(bo);
        }
    }
    if (gbm != NULL) {
        make_many(display, gbm);
    }
}
