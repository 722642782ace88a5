/* What EGL answers about colour spaces, images of textures and renderbuffers, syncs and devices,
 * and what is drawn with them: one line each, natively and through Sluice.
 *
 * usage: egl_answers */
#define EGL_EGLEXT_PROTOTYPES
#include "tests/integration/plain_egl.h"

#include <GLES3/gl32.h>
#define GL_GLEXT_PROTOTYPES
#include <GLES2/gl2ext.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SIDE = 16 };

#define PROC(type, name) ((type)(void *)eglGetProcAddress(name))

static void say(const char *what, bool ok)
{
    EGLint error = eglGetError(); /* before another call forgets it */
    GLenum gl_error = eglGetCurrentContext() != EGL_NO_CONTEXT ? glGetError() : GL_NO_ERROR;
    printf("%s: %s, EGL error 0x%x, GL error 0x%x\n", what, ok ? "yes" : "no", (unsigned)error,
           (unsigned)gl_error);
}

static void say_pixel(const char *what)
{
    uint8_t p[4] = {0};
    glReadPixels(SIDE / 2, SIDE / 2, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, p);
    printf("%s: %02x%02x%02x%02x, GL error 0x%x\n", what, p[0], p[1], p[2], p[3],
           (unsigned)glGetError());
}

/* --- colour spaces --- */

static void colorspace(const struct plain_egl *egl, EGLContext context, EGLint value)
{
    const EGLint attribs[] = {EGL_WIDTH,         SIDE,  EGL_HEIGHT, SIDE,
                              EGL_GL_COLORSPACE, value, EGL_NONE};
    EGLint answer = 0;
    printf("colour space 0x%x\n", (unsigned)value);
    EGLSurface surface = eglCreatePbufferSurface(egl->display, egl->config, attribs);
    say("surface", surface != EGL_NO_SURFACE);
    if (surface == EGL_NO_SURFACE) {
        return;
    }
    say("asked", eglQuerySurface(egl->display, surface, EGL_GL_COLORSPACE, &answer));
    printf("is 0x%x\n", (unsigned)answer);
    plain_egl_current(egl, surface, context);
    glClearColor(0.5f, 0.25f, 0.75f, 0.5f);
    glClear(GL_COLOR_BUFFER_BIT);
    say_pixel("cleared");
    plain_egl_current(egl, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    say("destroyed", eglDestroySurface(egl->display, surface));
}

/* --- images --- */

struct image_case {
    const char *name;
    EGLenum target;
    EGLint level, layer;
};
static const struct image_case image_cases[] = {
    {"2D", EGL_GL_TEXTURE_2D, 0, 0},
    {"2D, level 1", EGL_GL_TEXTURE_2D, 1, 0},
    {"2D, level 9", EGL_GL_TEXTURE_2D, 9, 0},
    {"positive x", EGL_GL_TEXTURE_CUBE_MAP_POSITIVE_X, 0, 0},
    {"negative z", EGL_GL_TEXTURE_CUBE_MAP_NEGATIVE_Z, 0, 0},
    {"negative z, level 1", EGL_GL_TEXTURE_CUBE_MAP_NEGATIVE_Z, 1, 0},
    {"3D, layer 0", EGL_GL_TEXTURE_3D, 0, 0},
    {"3D, layer 2", EGL_GL_TEXTURE_3D, 0, 2},
    {"3D, layer 7", EGL_GL_TEXTURE_3D, 0, 7},
    {"3D, layer -1", EGL_GL_TEXTURE_3D, 0, -1},
    {"renderbuffer", EGL_GL_RENDERBUFFER, 0, 0},
    {"no target", EGL_NONE, 0, 0},
};

struct objects {
    GLuint flat, cube, deep, renderbuffer;
};

static void level_fill(GLenum target, int level, int side, uint8_t seed)
{
    uint8_t pixels[SIDE * SIDE * 4];
    for (int i = 0; i < side * side; i++) {
        pixels[i * 4] = seed;
        pixels[i * 4 + 1] = (uint8_t)(seed * 3);
        pixels[i * 4 + 2] = (uint8_t)(seed * 7);
        pixels[i * 4 + 3] = 0xff;
    }
    glTexImage2D(target, level, GL_RGBA, side, side, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
}

static void objects_make(struct objects *o)
{
    uint8_t deep[SIDE * SIDE * 4 * 4];
    for (size_t i = 0; i < sizeof deep; i++) {
        deep[i] = (uint8_t)(i % 4 == 3 ? 0xff : 10 + 40 * (i / (SIDE * SIDE * 4)) + i % 4);
    }
    glGenTextures(1, &o->flat);
    glBindTexture(GL_TEXTURE_2D, o->flat);
    for (int level = 0, side = SIDE; side > 0; level++, side /= 2) {
        level_fill(GL_TEXTURE_2D, level, side, (uint8_t)(20 + level));
    }
    glGenTextures(1, &o->cube);
    glBindTexture(GL_TEXTURE_CUBE_MAP, o->cube);
    for (GLenum face = 0; face < 6; face++) {
        for (int level = 0, side = SIDE; side > 0; level++, side /= 2) {
            level_fill(GL_TEXTURE_CUBE_MAP_POSITIVE_X + face, level, side,
                       (uint8_t)(50 + face * 10 + (GLenum)level));
        }
    }
    glGenTextures(1, &o->deep);
    glBindTexture(GL_TEXTURE_3D, o->deep);
    glTexParameteri(GL_TEXTURE_3D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexImage3D(GL_TEXTURE_3D, 0, GL_RGBA8, SIDE, SIDE, 4, 0, GL_RGBA, GL_UNSIGNED_BYTE, deep);
    glGenRenderbuffers(1, &o->renderbuffer);
    glBindRenderbuffer(GL_RENDERBUFFER, o->renderbuffer);
    glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, SIDE, SIDE);
}

static GLuint name_of(const struct objects *o, EGLenum target)
{
    return target == EGL_GL_RENDERBUFFER ? o->renderbuffer
           : target == EGL_GL_TEXTURE_3D ? o->deep
           : target == EGL_GL_TEXTURE_2D ? o->flat
                                         : o->cube;
}

static void image_case_run(const struct plain_egl *egl, EGLContext context, const struct objects *o,
                           const struct image_case *t)
{
    const EGLAttrib attribs[] = {EGL_GL_TEXTURE_LEVEL, t->level,
                                 t->target == EGL_GL_TEXTURE_3D ? EGL_GL_TEXTURE_ZOFFSET : EGL_NONE,
                                 t->layer, EGL_NONE};
    GLuint texture, framebuffer;
    EGLImage image = eglCreateImage(
        egl->display, context, t->target, (EGLClientBuffer)(uintptr_t)name_of(o, t->target),
        t->target == EGL_GL_RENDERBUFFER || t->target == EGL_NONE ? NULL : attribs);
    say(t->name, image != EGL_NO_IMAGE);
    if (image == EGL_NO_IMAGE) {
        return;
    }
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    PROC(PFNGLEGLIMAGETARGETTEXTURE2DOESPROC, "glEGLImageTargetTexture2DOES")
    (GL_TEXTURE_2D, image);
    say("bound", true);
    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, texture, 0);
    printf("complete: 0x%x\n", (unsigned)glCheckFramebufferStatus(GL_FRAMEBUFFER));
    uint8_t p[4] = {0};
    if (t->target != EGL_GL_RENDERBUFFER) {
        glReadPixels(1, 1, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, p);
    }
    printf("holds %02x%02x%02x%02x, GL error 0x%x\n", p[0], p[1], p[2], p[3],
           (unsigned)glGetError());
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glDeleteFramebuffers(1, &framebuffer);
    glDeleteTextures(1, &texture);
    say("destroyed", eglDestroyImage(egl->display, image));
}

/* --- a pbuffer as texture --- */

static void clear(const struct plain_egl *egl, EGLSurface surface, EGLContext context, float green)
{
    plain_egl_current(egl, surface, context);
    glClearColor(1.0f, green, 0.5f, 1.0f);
    glClear(GL_COLOR_BUFFER_BIT);
}

/* The texture is bound before anything is drawn into the pbuffer, and bound on while it is. */
static void pbuffer_texture(const struct plain_egl *egl, EGLSurface surface, EGLContext context)
{
    const EGLint attribs[] = {
        EGL_WIDTH,          SIDE,           EGL_HEIGHT, SIDE, EGL_TEXTURE_FORMAT, EGL_TEXTURE_RGBA,
        EGL_TEXTURE_TARGET, EGL_TEXTURE_2D, EGL_NONE};
    GLuint texture, framebuffer;
    EGLSurface pbuffer = eglCreatePbufferSurface(egl->display, egl->config, attribs);
    say("pbuffer", pbuffer != EGL_NO_SURFACE);
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    say("becomes a texture", eglBindTexImage(egl->display, pbuffer, EGL_BACK_BUFFER));
    glGenFramebuffers(1, &framebuffer);
    for (int frame = 0; frame < 2; frame++) {
        clear(egl, pbuffer, context, 0.25f + 0.5f * (float)frame);
        plain_egl_current(egl, surface, context);
        glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
        glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, texture, 0);
        say_pixel("its texture");
        glBindFramebuffer(GL_FRAMEBUFFER, 0);
    }
    say("released", eglReleaseTexImage(egl->display, pbuffer, EGL_BACK_BUFFER));
    glDeleteFramebuffers(1, &framebuffer);
    glDeleteTextures(1, &texture);
    say("destroyed", eglDestroySurface(egl->display, pbuffer));
}

/* --- syncs --- */

struct waiter {
    EGLDisplay display;
    EGLSyncKHR sync;
};

static void *wait_for_it(void *user)
{
    const struct waiter *w = user;
    PROC(PFNEGLCLIENTWAITSYNCKHRPROC, "eglClientWaitSyncKHR")
    (w->display, w->sync, 0, 100ull * 1000 * 1000 * 1000);
    return NULL;
}

static void reusable(const struct plain_egl *egl)
{
    PFNEGLSIGNALSYNCKHRPROC signal_sync = PROC(PFNEGLSIGNALSYNCKHRPROC, "eglSignalSyncKHR");
    PFNEGLCLIENTWAITSYNCKHRPROC wait = PROC(PFNEGLCLIENTWAITSYNCKHRPROC, "eglClientWaitSyncKHR");
    PFNEGLGETSYNCATTRIBKHRPROC ask = PROC(PFNEGLGETSYNCATTRIBKHRPROC, "eglGetSyncAttribKHR");
    struct waiter w = {.display = egl->display};
    EGLint value = 0;
    pthread_t thread;
    w.sync = PROC(PFNEGLCREATESYNCKHRPROC, "eglCreateSyncKHR")(egl->display, EGL_SYNC_REUSABLE_KHR,
                                                               NULL);
    say("reusable sync", w.sync != EGL_NO_SYNC_KHR);
    say("type", ask(egl->display, w.sync, EGL_SYNC_TYPE_KHR, &value));
    printf("is 0x%x\n", (unsigned)value);
    say("status", ask(egl->display, w.sync, EGL_SYNC_STATUS_KHR, &value));
    printf("is 0x%x\n", (unsigned)value);
    printf("waited: 0x%x\n", (unsigned)wait(egl->display, w.sync, 0, 0));
    printf("waited a while: 0x%x\n", (unsigned)wait(egl->display, w.sync, 0, 1000));
    say("signalled wrongly", signal_sync(egl->display, w.sync, EGL_NONE));
    pthread_create(&thread, NULL, wait_for_it, &w);
    say("signalled", signal_sync(egl->display, w.sync, EGL_SIGNALED_KHR));
    pthread_join(thread, NULL); /* its answer is not told: Mesa's depends on who came first */
    puts("the other thread woke");
    say("unsignalled", signal_sync(egl->display, w.sync, EGL_UNSIGNALED_KHR));
    printf("waited: 0x%x\n", (unsigned)wait(egl->display, w.sync, 0, 0));
    say("destroyed", PROC(PFNEGLDESTROYSYNCKHRPROC, "eglDestroySyncKHR")(egl->display, w.sync));
    say("signalled late", signal_sync(egl->display, w.sync, EGL_SIGNALED_KHR));
}

/* --- devices --- */

static void devices(void)
{
    PFNEGLQUERYDEVICESEXTPROC query = PROC(PFNEGLQUERYDEVICESEXTPROC, "eglQueryDevicesEXT");
    PFNEGLQUERYDEVICESTRINGEXTPROC text =
        PROC(PFNEGLQUERYDEVICESTRINGEXTPROC, "eglQueryDeviceStringEXT");
    PFNEGLQUERYDEVICEATTRIBEXTPROC attrib =
        PROC(PFNEGLQUERYDEVICEATTRIBEXTPROC, "eglQueryDeviceAttribEXT");
    EGLDeviceEXT device;
    EGLAttrib value;
    EGLint count = 0;
    say("devices", query(1, &device, &count));
    printf("%d, %s\n", count, text(device, EGL_EXTENSIONS));
    say("a file", text(device, EGL_DRM_DEVICE_FILE_EXT) != NULL);
    say("a node", text(device, EGL_DRM_RENDER_NODE_FILE_EXT) != NULL);
    say("an attribute", attrib(device, EGL_NONE, &value));
    EGLDisplay display = eglGetPlatformDisplay(EGL_PLATFORM_DEVICE_EXT, device, NULL);
    say("display", display != EGL_NO_DISPLAY && eglInitialize(display, NULL, NULL));
    say("its device", PROC(PFNEGLQUERYDISPLAYATTRIBEXTPROC,
                           "eglQueryDisplayAttribEXT")(display, EGL_DEVICE_EXT, &value));
    printf("the same: %d\n", value == (EGLAttrib)device);
    say("terminated", eglTerminate(display));
    say("its driver's name",
        PROC(PFNEGLGETDISPLAYDRIVERNAMEPROC, "eglGetDisplayDriverName")(display) != NULL);
}

/* --- debug contexts --- */

static void debug_context(const struct plain_egl *egl, EGLSurface surface, EGLBoolean debug)
{
    const EGLint attribs[] = {EGL_CONTEXT_MAJOR_VERSION, 3, EGL_CONTEXT_OPENGL_DEBUG, (EGLint)debug,
                              EGL_NONE};
    EGLContext context = eglCreateContext(egl->display, egl->config, EGL_NO_CONTEXT, attribs);
    say("debug context", context != EGL_NO_CONTEXT);
    plain_egl_current(egl, surface, context);
    GLint flags = 0;
    glGetIntegerv(GL_CONTEXT_FLAGS, &flags);
    printf("flags 0x%x\n", (unsigned)flags);
    say("debug output", glIsEnabled(GL_DEBUG_OUTPUT));
    glDisable(GL_DEBUG_OUTPUT);
    plain_egl_current(egl, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    plain_egl_current(egl, surface, context);
    say("debug output again", glIsEnabled(GL_DEBUG_OUTPUT));
    plain_egl_current(egl, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglDestroyContext(egl->display, context);
}

int main(void)
{
    struct plain_egl egl;
    struct objects objects;
    plain_egl_open(&egl);
    EGLContext context = plain_egl_context(&egl, 3, EGL_NO_CONTEXT);
    colorspace(&egl, context, EGL_GL_COLORSPACE_LINEAR);
    colorspace(&egl, context, EGL_GL_COLORSPACE_SRGB);
    colorspace(&egl, context, EGL_NONE);
    EGLSurface surface = plain_egl_pbuffer(&egl, SIDE);
    plain_egl_current(&egl, surface, context);
    objects_make(&objects);
    for (size_t i = 0; i < sizeof image_cases / sizeof image_cases[0]; i++) {
        image_case_run(&egl, context, &objects, &image_cases[i]);
    }
    pbuffer_texture(&egl, surface, context);
    reusable(&egl);
    debug_context(&egl, surface, EGL_TRUE);
    debug_context(&egl, surface, EGL_FALSE);
    devices();
    plain_egl_close(&egl);
    return 0;
}
