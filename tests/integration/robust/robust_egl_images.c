/* Images of every kind of texture and renderbuffer, by every target, level and layer, from contexts
 * that have them and contexts that have not. */
#define GL_GLEXT_PROTOTYPES
#include "tests/integration/robust/robust_egl_sweep.h"

#include <GLES3/gl32.h>

#include <GLES2/gl2ext.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 16, LEVELS = 5, DEPTH = 4, NAMES = 32 };

static struct {
    EGLContext own, sister, stranger, gone;
    EGLContext *contexts[5];
    struct {
        const char *name;
        GLuint object;
    } names[NAMES];
    int count;
} world;

/* A texture that is bound, with a name for its lines. */
static GLuint texture(const char *name, GLenum target)
{
    GLuint object;
    glGenTextures(1, &object);
    glBindTexture(target, object);
    world.names[world.count].name = name;
    world.names[world.count++].object = object;
    return object;
}

static void named(const char *name, GLuint object)
{
    world.names[world.count].name = name;
    world.names[world.count++].object = object;
}

static const void *pixels(int seed)
{
    static uint8_t bytes[SIDE * SIDE * DEPTH * 16];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(seed + (int)(i % 4) * 40 + (int)(i / (SIDE * SIDE * 4)) * 9);
    }
    return bytes;
}

/* levels: from the first one on. */
static void flat(const char *name, GLint internal, GLenum format, GLenum type, int levels)
{
    texture(name, GL_TEXTURE_2D);
    for (int level = 0; level < levels; level++) {
        glTexImage2D(GL_TEXTURE_2D, level, internal, SIDE >> level, SIDE >> level, 0, format, type,
                     pixels(20 + level));
    }
}

static void cube(const char *name, int faces, int levels)
{
    texture(name, GL_TEXTURE_CUBE_MAP);
    for (int face = 0; face < faces; face++) {
        for (int level = 0; level < levels; level++) {
            glTexImage2D(GL_TEXTURE_CUBE_MAP_POSITIVE_X + (GLenum)face, level, GL_RGBA,
                         SIDE >> level, SIDE >> level, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                         pixels(face * 7 + level));
        }
    }
}

static void deep(const char *name, GLenum target)
{
    texture(name, target);
    glTexParameteri(target, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexImage3D(target, 0, GL_RGBA8, SIDE, SIDE, DEPTH, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels(3));
}

static void renderbuffer(const char *name, GLenum format, int samples)
{
    GLuint object;
    glGenRenderbuffers(1, &object);
    glBindRenderbuffer(GL_RENDERBUFFER, object);
    if (format != 0) {
        glRenderbufferStorageMultisample(GL_RENDERBUFFER, samples, format, SIDE, SIDE);
    }
    named(name, object);
}

static void textures_make(void)
{
    GLuint name;
    glGenTextures(1, &name);
    named("never bound", name);
    texture("without storage", GL_TEXTURE_2D);
    flat("complete", GL_RGBA, GL_RGBA, GL_UNSIGNED_BYTE, LEVELS);
    flat("one level", GL_RGBA, GL_RGBA, GL_UNSIGNED_BYTE, 1);
    flat("one level, filtered so", GL_RGBA, GL_RGBA, GL_UNSIGNED_BYTE, 1);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    flat("two levels, and no more", GL_RGBA, GL_RGBA, GL_UNSIGNED_BYTE, 2);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAX_LEVEL, 1);
    flat("from level 1", GL_RGBA, GL_RGBA, GL_UNSIGNED_BYTE, LEVELS);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_BASE_LEVEL, 1);
    flat("of 16 bits", GL_RGB, GL_RGB, GL_UNSIGNED_SHORT_5_6_5, LEVELS);
    flat("of RGB", GL_RGB, GL_RGB, GL_UNSIGNED_BYTE, LEVELS);
    flat("of one channel", GL_R8, GL_RED, GL_UNSIGNED_BYTE, LEVELS);
    flat("luminance", GL_LUMINANCE, GL_LUMINANCE, GL_UNSIGNED_BYTE, LEVELS);
    flat("of depth", GL_DEPTH_COMPONENT24, GL_DEPTH_COMPONENT, GL_UNSIGNED_INT, 1);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    flat("of integers", GL_RGBA8UI, GL_RGBA_INTEGER, GL_UNSIGNED_BYTE, 1);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    flat("of floats", GL_RGBA16F, GL_RGBA, GL_HALF_FLOAT, LEVELS);
    texture("immutable", GL_TEXTURE_2D);
    glTexStorage2D(GL_TEXTURE_2D, 2, GL_RGBA8, SIDE, SIDE);
    texture("of several samples", GL_TEXTURE_2D_MULTISAMPLE);
    glTexStorage2DMultisample(GL_TEXTURE_2D_MULTISAMPLE, 4, GL_RGBA8, SIDE, SIDE, GL_TRUE);
    cube("cube", 6, LEVELS);
    cube("cube of one level", 6, 1);
    cube("cube of five", 5, LEVELS);
    deep("3D", GL_TEXTURE_3D);
    deep("array", GL_TEXTURE_2D_ARRAY);
    flat("gone", GL_RGBA, GL_RGBA, GL_UNSIGNED_BYTE, LEVELS);
    glDeleteTextures(1, &world.names[world.count - 1].object);
}

static void objects_make(void)
{
    world.count = 0;
    named("zero", 0);
    named("nothing's", 9999);
    textures_make();
    renderbuffer("renderbuffer", GL_RGBA8, 0);
    renderbuffer("renderbuffer without storage", 0, 0);
    renderbuffer("renderbuffer of several samples", GL_RGBA8, 4);
    renderbuffer("renderbuffer of depth", GL_DEPTH24_STENCIL8, 0);
    glFlush();
}

static void clear_errors(void)
{
    while (glGetError() != GL_NO_ERROR) {
    }
}

static void picture_say(void)
{
    uint8_t p[4] = {0};
    GLuint framebuffer;
    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    GLint name;
    glGetIntegerv(GL_TEXTURE_BINDING_2D, &name);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, (GLuint)name, 0);
    GLenum status = glCheckFramebufferStatus(GL_FRAMEBUFFER);
    if (status == GL_FRAMEBUFFER_COMPLETE) {
        glReadPixels(1, 1, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, p);
    }
    printf(" %x %02x%02x%02x%02x", status, p[0], p[1], p[2], p[3]);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glDeleteFramebuffers(1, &framebuffer);
}

/* What can be done with an image. */
static void image_say(EGLImage image)
{
    GLuint name;
    GLint width = -1, format = -1;
    clear_errors();
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    PFNGLEGLIMAGETARGETTEXTURE2DOESPROC bind =
        (PFNGLEGLIMAGETARGETTEXTURE2DOESPROC)eglGetProcAddress("glEGLImageTargetTexture2DOES");
    bind(GL_TEXTURE_2D, image);
    printf(" texture %x", glGetError());
    glGetTexLevelParameteriv(GL_TEXTURE_2D, 0, GL_TEXTURE_WIDTH, &width);
    printf(" %d", width);
    picture_say();
    clear_errors();
    glDeleteTextures(1, &name);
    PFNGLEGLIMAGETARGETRENDERBUFFERSTORAGEOESPROC store =
        (PFNGLEGLIMAGETARGETRENDERBUFFERSTORAGEOESPROC)eglGetProcAddress(
            "glEGLImageTargetRenderbufferStorageOES");
    glGenRenderbuffers(1, &name);
    glBindRenderbuffer(GL_RENDERBUFFER, name);
    store(GL_RENDERBUFFER, image);
    printf(" renderbuffer %x", glGetError());
    glGetRenderbufferParameteriv(GL_RENDERBUFFER, GL_RENDERBUFFER_WIDTH, &width);
    glGetRenderbufferParameteriv(GL_RENDERBUFFER, GL_RENDERBUFFER_INTERNAL_FORMAT, &format);
    printf(" %d %x", width, (unsigned)format);
    glDeleteRenderbuffers(1, &name);
    clear_errors();
}

static void image_make(const struct plain_egl *egl, int context, EGLenum target, int object,
                       const struct sweep_list *list)
{
    static const char *const contexts[] = {"own", "sister", "stranger", "gone"};
    EGLContext of[] = {world.own, world.sister, world.stranger, world.gone};
    EGLAttrib wide[2 * SWEEP_PAIRS + 1];
    char what[128];
    for (int i = 0; i < COUNT(wide); i++) {
        wide[i] = list->ints[i];
    }
    snprintf(what, sizeof what, "image %s %x of %s", contexts[context], target,
             world.names[object].name);
    sweep_say(what, list);
    EGLImage image = eglCreateImage(egl->display, of[context], target,
                                    (EGLClientBuffer)(uintptr_t)world.names[object].object, wide);
    EGLint error = eglGetError();
    if (image != EGL_NO_IMAGE) {
        image_say(image);
        eglDestroyImage(egl->display, image);
    }
    printf(" : %x\n", (unsigned)error);
}

static const EGLenum targets[] = {EGL_GL_TEXTURE_2D,
                                  EGL_GL_TEXTURE_CUBE_MAP_POSITIVE_X,
                                  EGL_GL_TEXTURE_CUBE_MAP_NEGATIVE_Z,
                                  EGL_GL_TEXTURE_3D,
                                  EGL_GL_RENDERBUFFER,
                                  EGL_NATIVE_PIXMAP_KHR,
                                  EGL_NONE};

static const struct sweep_list lists[] = {
    {{EGL_NONE}, 0},
    {{EGL_GL_TEXTURE_LEVEL, 0, EGL_NONE}, 1},
    {{EGL_GL_TEXTURE_LEVEL, 1, EGL_NONE}, 1},
    {{EGL_GL_TEXTURE_LEVEL, 2, EGL_NONE}, 1},
    {{EGL_GL_TEXTURE_LEVEL, LEVELS, EGL_NONE}, 1},
    {{EGL_GL_TEXTURE_LEVEL, -1, EGL_NONE}, 1},
    {{EGL_GL_TEXTURE_LEVEL, INT32_MAX, EGL_NONE}, 1},
    {{EGL_GL_TEXTURE_ZOFFSET, 0, EGL_NONE}, 1},
    {{EGL_GL_TEXTURE_ZOFFSET, 2, EGL_NONE}, 1},
    {{EGL_GL_TEXTURE_ZOFFSET, DEPTH, EGL_NONE}, 1},
    {{EGL_GL_TEXTURE_ZOFFSET, -1, EGL_NONE}, 1},
    {{EGL_IMAGE_PRESERVED, 1, EGL_NONE}, 1},
    {{EGL_IMAGE_PRESERVED, 2, EGL_NONE}, 1},
    {{EGL_GL_TEXTURE_LEVEL, 1, EGL_GL_TEXTURE_ZOFFSET, 1, EGL_NONE}, 2},
};

/* One image of a texture, and the texture another image's: by which of them more can be made. */
static void siblings(const struct plain_egl *egl, int object)
{
    const EGLAttrib none[] = {EGL_NONE};
    EGLImage image = eglCreateImage(egl->display, world.own, EGL_GL_TEXTURE_2D,
                                    (EGLClientBuffer)(uintptr_t)world.names[object].object, none);
    GLuint name;
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    PFNGLEGLIMAGETARGETTEXTURE2DOESPROC bind =
        (PFNGLEGLIMAGETARGETTEXTURE2DOESPROC)eglGetProcAddress("glEGLImageTargetTexture2DOES");
    bind(GL_TEXTURE_2D, image);
    EGLImage second = eglCreateImage(egl->display, world.own, EGL_GL_TEXTURE_2D,
                                     (EGLClientBuffer)(uintptr_t)name, none);
    printf("an image of an image's texture = %d %x", second != EGL_NO_IMAGE,
           (unsigned)eglGetError());
    EGLImage third = eglCreateImage(egl->display, world.own, EGL_GL_TEXTURE_2D,
                                    (EGLClientBuffer)(uintptr_t)world.names[object].object, none);
    printf(" one more of the first %d", third != EGL_NO_IMAGE);
    glDeleteTextures(1, &name);
    if (third != EGL_NO_IMAGE) {
        image_say(third);
        eglDestroyImage(egl->display, third);
    }
    printf(" destroyed %d", eglDestroyImage(egl->display, image));
    printf(" again %d", eglDestroyImage(egl->display, image));
    sweep_end();
}

void sweep_images(const struct plain_egl *egl)
{
    world.own = plain_egl_context(egl, 3, EGL_NO_CONTEXT);
    world.sister = plain_egl_context(egl, 3, world.own);
    world.stranger = plain_egl_context(egl, 3, EGL_NO_CONTEXT);
    world.gone = plain_egl_context(egl, 3, world.own);
    EGLSurface surface = plain_egl_pbuffer(egl, SIDE);
    eglDestroyContext(egl->display, world.gone);
    plain_egl_current(egl, surface, world.own);
    objects_make();
    for (int t = 0; t < COUNT(targets); t++) {
        for (int object = 0; object < world.count; object++) {
            for (int list = 0; list < COUNT(lists); list++) {
                image_make(egl, 0, targets[t], object, &lists[list]);
            }
            for (int context = 1; context < 4; context++) {
                image_make(egl, context, targets[t], object, &lists[0]);
            }
        }
    }
    for (int k = 0; k < regl_token_count; k++) {
        struct sweep_list list = {0};
        sweep_add(&list, regl_tokens[k], 0);
        image_make(egl, 0, EGL_GL_TEXTURE_2D, 4, &list);
    }
    siblings(egl, 4);
    plain_egl_current(egl, EGL_NO_SURFACE, EGL_NO_CONTEXT);
}
