/* Textures and renderbuffers that one thread makes and gives to another at once, without a flush or
 * a fence, as WebKit's compositor gives tiles to its painters: natively they are there.
 *
 *   given_program
 *
 * Exit 1: what was given is not there. */
#include "tests/integration/plain_egl.h"

#include <GLES3/gl3.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

enum { SIDE = 16 };

static void tex_image(void)
{
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, SIDE, SIDE, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
}

static void tex_storage(void)
{
    glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, SIDE, SIDE);
}

static void copy_tex_image(void)
{
    glCopyTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 0, 0, SIDE, SIDE, 0);
}

static void tex_image_from_buffer(void)
{
    GLuint buffer;
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_PIXEL_UNPACK_BUFFER, buffer);
    glBufferData(GL_PIXEL_UNPACK_BUFFER, SIDE * SIDE * 4, NULL, GL_STATIC_DRAW);
    tex_image();
    glBindBuffer(GL_PIXEL_UNPACK_BUFFER, 0);
}

static void tex_image_3d(void)
{
    glTexImage3D(GL_TEXTURE_2D_ARRAY, 0, GL_RGBA, SIDE, SIDE, 2, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                 NULL);
}

static void tex_storage_3d(void)
{
    glTexStorage3D(GL_TEXTURE_2D_ARRAY, 1, GL_RGBA8, SIDE, SIDE, 2);
}

static void renderbuffer_storage(void)
{
    glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, SIDE, SIDE);
}

static const struct way {
    const char *name;
    GLenum target;
    void (*define)(void);
} ways[] = {
    {"glTexImage2D", GL_TEXTURE_2D, tex_image},
    {"glTexStorage2D", GL_TEXTURE_2D, tex_storage},
    {"glCopyTexImage2D", GL_TEXTURE_2D, copy_tex_image},
    {"glTexImage2D from a buffer", GL_TEXTURE_2D, tex_image_from_buffer},
    {"glTexImage3D", GL_TEXTURE_2D_ARRAY, tex_image_3d},
    {"glTexStorage3D", GL_TEXTURE_2D_ARRAY, tex_storage_3d},
    {"glRenderbufferStorage", GL_RENDERBUFFER, renderbuffer_storage},
};

struct receiver {
    struct plain_egl *egl;
    EGLContext context;
    EGLSurface surface;
    const struct way *way;
    GLuint name;
    GLenum status;
};

/* A thread: draws on what it is given. */
static void *receive(void *data)
{
    struct receiver *r = data;
    GLuint framebuffer;
    plain_egl_current(r->egl, r->surface, r->context);
    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    if (r->way->target == GL_RENDERBUFFER) {
        glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, r->name);
    } else if (r->way->target == GL_TEXTURE_2D) {
        glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, r->name, 0);
    } else {
        glFramebufferTextureLayer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, r->name, 0, 1);
    }
    r->status = glCheckFramebufferStatus(GL_FRAMEBUFFER);
    glDeleteFramebuffers(1, &framebuffer);
    plain_egl_current(r->egl, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    return NULL;
}

static bool give(struct receiver *r, const struct way *way)
{
    pthread_t thread;
    r->way = way;
    if (way->target == GL_RENDERBUFFER) {
        glGenRenderbuffers(1, &r->name);
        glBindRenderbuffer(GL_RENDERBUFFER, r->name);
    } else {
        glGenTextures(1, &r->name);
        glBindTexture(way->target, r->name);
    }
    way->define();
    if (pthread_create(&thread, NULL, receive, r) != 0) {
        fprintf(stderr, "no thread\n");
        return false;
    }
    pthread_join(thread, NULL);
    if (r->status != GL_FRAMEBUFFER_COMPLETE) {
        fprintf(stderr, "%s: the other thread's framebuffer is 0x%x\n", way->name, r->status);
    }
    return r->status == GL_FRAMEBUFFER_COMPLETE;
}

int main(void)
{
    struct plain_egl egl;
    bool ok = true;
    plain_egl_open(&egl);
    EGLContext own = plain_egl_context(&egl, 3, EGL_NO_CONTEXT);
    struct receiver r = {.egl = &egl,
                         .context = plain_egl_context(&egl, 3, own),
                         .surface = plain_egl_pbuffer(&egl, SIDE)};
    plain_egl_current(&egl, plain_egl_pbuffer(&egl, SIDE), own);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        ok = give(&r, &ways[i]) && ok;
    }
    plain_egl_close(&egl);
    return ok ? 0 : 1;
}
