/* Surfaces of every size of channels that configurations have, drawn by each version of GLES: what
 * the driver reads of them, and what an X server shows of them.
 *
 * usage: channels_program x11|surfaceless
 *
 * One line for each configuration without depth and stencil, version and kind of surface: native
 * and Sluice's are the same. Ends with 1 and a line on stderr where something cannot be had. */
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES3/gl3.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 8, CONFIGS = 1024, ROOM = SIDE * SIDE * 4 };

struct world {
    EGLDisplay display;
    Display *x; /* NULL: no windows */
};

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s: EGL error 0x%x\n", what, (unsigned)eglGetError());
        exit(1);
    }
}

static EGLint get(const struct world *w, EGLConfig config, EGLint attribute)
{
    EGLint value = 0;
    eglGetConfigAttrib(w->display, config, attribute, &value);
    return value;
}

static uint32_t hash(const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < size; i++) {
        h = (h ^ p[i]) * 16777619u;
    }
    return h;
}

/* Each row another colour; none of them lies on a step of 5, 6, 8 or 10 bits. */
static void draw(void)
{
    glEnable(GL_SCISSOR_TEST);
    for (int y = 0; y < SIDE; y++) {
        float step = (float)y / SIDE;
        glScissor(0, y, SIDE, 1);
        glClearColor(0.1013f + step / 2, 0.7017f - step / 3, 0.3051f + step / 5, 0.9f - step);
        glClear(GL_COLOR_BUFFER_BIT);
    }
    glDisable(GL_SCISSOR_TEST);
}

/* Colours that only floats can hold. */
static void draw_floats(void)
{
    static const GLfloat colors[] = {2.5f, -3.0f, 1000.0f, 0.3f};
    GLuint texture, framebuffer;
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA16F, 1, 1, 0, GL_RGBA, GL_FLOAT, colors);
    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_READ_FRAMEBUFFER, framebuffer);
    glFramebufferTexture2D(GL_READ_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, texture, 0);
    glBlitFramebuffer(0, 0, 1, 1, 0, 0, SIDE / 2, SIDE / 2, GL_COLOR_BUFFER_BIT, GL_NEAREST);
    glDeleteFramebuffers(1, &framebuffer);
    glDeleteTextures(1, &texture);
    printf(" blit 0x%x", glGetError());
}

/* What GLES says of the channels, and what copies of them can become. */
static void say_channels(int version)
{
    static const GLenum bits[] = {GL_RED_BITS, GL_GREEN_BITS, GL_BLUE_BITS, GL_ALPHA_BITS};
    static const GLenum names[] = {
        GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE, GL_FRAMEBUFFER_ATTACHMENT_COMPONENT_TYPE,
        GL_FRAMEBUFFER_ATTACHMENT_COLOR_ENCODING, GL_FRAMEBUFFER_ATTACHMENT_RED_SIZE,
        GL_FRAMEBUFFER_ATTACHMENT_ALPHA_SIZE};
    static const GLenum formats[] = {GL_RGBA, GL_RGB, GL_RGBA8, GL_RGBA16F, GL_RGB16F, GL_RGBA32F};
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        GLint value = -1;
        glGetIntegerv(bits[i], &value);
        printf(" %d", value);
    }
    for (size_t i = 0; version > 2 && i < sizeof names / sizeof names[0]; i++) {
        GLint value = -1;
        glGetFramebufferAttachmentParameteriv(GL_FRAMEBUFFER, GL_BACK, names[i], &value);
        printf(" %x 0x%x", (unsigned)value, glGetError());
    }
    for (size_t i = 0; version > 1 && i < sizeof formats / sizeof formats[0]; i++) {
        glCopyTexImage2D(GL_TEXTURE_2D, 0, formats[i], 0, 0, 4, 4, 0);
        printf(" copy 0x%x", glGetError());
    }
}

/* The pixels as the driver itself would have them, and as everybody can have them. */
static void say_read(int version)
{
    uint32_t own[ROOM], bytes[ROOM];
    GLint format = 0, type = 0;
    memset(own, 0, sizeof own);
    memset(bytes, 0, sizeof bytes);
    glPixelStorei(GL_PACK_ALIGNMENT, 1);
    glReadPixels(0, 0, SIDE, SIDE, GL_RGBA, GL_UNSIGNED_BYTE, bytes);
    GLenum error = glGetError();
    if (version > 1) {
        glGetIntegerv(GL_IMPLEMENTATION_COLOR_READ_FORMAT, &format);
        glGetIntegerv(GL_IMPLEMENTATION_COLOR_READ_TYPE, &type);
        glReadPixels(0, 0, SIDE, SIDE, (GLenum)format, (GLenum)type, own);
    }
    printf(" bytes %08x 0x%x, %04x %04x %08x 0x%x", hash(bytes, sizeof bytes), error,
           (unsigned)format, (unsigned)type, hash(own, sizeof own), glGetError());
    memset(own, 0, sizeof own);
    glReadPixels(0, 0, SIDE, SIDE, GL_RGBA, GL_FLOAT, own);
    printf(", floats %08x 0x%x", hash(own, sizeof own), glGetError());
}

static void current(const struct world *w, EGLSurface surface, EGLContext context)
{
    need(eglMakeCurrent(w->display, surface, surface, context), "eglMakeCurrent");
}

static void pbuffer(const struct world *w, EGLConfig config, EGLContext context, int version)
{
    static const EGLint attributes[] = {EGL_WIDTH, SIDE, EGL_HEIGHT, SIDE, EGL_NONE};
    EGLSurface surface = eglCreatePbufferSurface(w->display, config, attributes);
    need(surface != EGL_NO_SURFACE, "eglCreatePbufferSurface");
    current(w, surface, context);
    draw();
    say_channels(version);
    say_read(version);
    if (version > 2 && get(w, config, EGL_RED_SIZE) == 16) {
        draw_floats();
        say_read(version);
    }
    current(w, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglDestroySurface(w->display, surface);
}

/* --- windows, and pixmaps that they are copied to --- */

static void say_shown(const struct world *w, Drawable drawable, uint32_t mask)
{
    XImage *image = XGetImage(w->x, drawable, 0, 0, SIDE, SIDE, AllPlanes, ZPixmap);
    uint32_t rows[SIDE];
    need(image != NULL, "XGetImage");
    for (int y = 0; y < SIDE; y++) {
        rows[y] = (uint32_t)XGetPixel(image, SIDE - 1, y) & mask;
        printf(" %x", rows[y]);
    }
    XDestroyImage(image);
}

static void x11(const struct world *w, EGLConfig config, EGLContext context, int version)
{
    XVisualInfo wanted = {.visualid = (VisualID)get(w, config, EGL_NATIVE_VISUAL_ID)};
    int count = 0;
    XVisualInfo *visual = XGetVisualInfo(w->x, VisualIDMask, &wanted, &count);
    need(visual != NULL, "XGetVisualInfo");
    Window root = DefaultRootWindow(w->x);
    XSetWindowAttributes attributes = {.colormap =
                                           XCreateColormap(w->x, root, visual->visual, AllocNone)};
    Window window = XCreateWindow(w->x, root, 0, 0, SIDE, SIDE, 0, visual->depth, InputOutput,
                                  visual->visual, CWColormap | CWBorderPixel, &attributes);
    Pixmap pixmap = XCreatePixmap(w->x, root, SIDE, SIDE, (unsigned)visual->depth);
    XMapWindow(w->x, window);
    XSync(w->x, False);
    /* What lies beside the colours may be anything. */
    uint32_t mask = (uint32_t)(visual->red_mask | visual->green_mask | visual->blue_mask);
    EGLSurface surface = eglCreateWindowSurface(w->display, config, window, NULL);
    need(surface != EGL_NO_SURFACE, "eglCreateWindowSurface");
    current(w, surface, context);
    draw();
    printf("; window");
    say_read(version);
    need(eglSwapBuffers(w->display, surface) && eglWaitClient(), "eglSwapBuffers");
    say_shown(w, window, mask);
    draw();
    need(eglCopyBuffers(w->display, surface, pixmap), "eglCopyBuffers");
    printf("; pixmap");
    say_shown(w, pixmap, mask);
    current(w, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglDestroySurface(w->display, surface);
    XDestroyWindow(w->x, window);
    XFreePixmap(w->x, pixmap);
    XFreeColormap(w->x, attributes.colormap);
    XFree(visual);
}

static void configuration(const struct world *w, EGLConfig config)
{
    for (int version = 1; version <= (w->x != NULL ? 2 : 3); version++) {
        const EGLint attributes[] = {EGL_CONTEXT_CLIENT_VERSION, version, EGL_NONE};
        EGLContext context = eglCreateContext(w->display, config, EGL_NO_CONTEXT, attributes);
        printf("visual %x, %d.%d.%d.%d, %d samples, GLES %d:",
               (unsigned)get(w, config, EGL_NATIVE_VISUAL_ID), get(w, config, EGL_RED_SIZE),
               get(w, config, EGL_GREEN_SIZE), get(w, config, EGL_BLUE_SIZE),
               get(w, config, EGL_ALPHA_SIZE), get(w, config, EGL_SAMPLES), version);
        need(context != EGL_NO_CONTEXT, "eglCreateContext");
        pbuffer(w, config, context, version);
        if (w->x != NULL) {
            x11(w, config, context, version);
        }
        puts("");
        eglDestroyContext(w->display, context);
    }
}

int main(int argc, char **argv)
{
    static EGLConfig configs[CONFIGS];
    bool windows = argc > 1 && strcmp(argv[1], "x11") == 0;
    struct world w = {.x = windows ? XOpenDisplay(NULL) : NULL};
    EGLint count = 0;
    need(!windows || w.x != NULL, "no X server");
    w.display = eglGetPlatformDisplay(
        windows ? EGL_PLATFORM_X11_KHR : EGL_PLATFORM_SURFACELESS_MESA, w.x, NULL);
    need(eglInitialize(w.display, NULL, NULL) && eglBindAPI(EGL_OPENGL_ES_API), "eglInitialize");
    need(eglGetConfigs(w.display, configs, CONFIGS, &count), "eglGetConfigs");
    for (EGLint i = 0; i < count; i++) {
        if (get(&w, configs[i], EGL_DEPTH_SIZE) == 0 &&
            get(&w, configs[i], EGL_STENCIL_SIZE) == 0) {
            configuration(&w, configs[i]);
        }
    }
    eglTerminate(w.display);
    return 0;
}
