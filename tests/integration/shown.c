#include "tests/integration/shown.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void shown_need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s: EGL error 0x%x, %s\n", what, (unsigned)eglGetError(), strerror(errno));
        exit(1);
    }
}

/* EGL_NO_CONFIG_KHR: there is none. */
static EGLConfig choose(EGLDisplay display, struct shown_bits bits)
{
    static const EGLint wanted[] = {EGL_SURFACE_TYPE, EGL_WINDOW_BIT, EGL_RENDERABLE_TYPE,
                                    EGL_OPENGL_ES2_BIT, EGL_NONE};
    EGLConfig configs[512];
    EGLint count = 0;
    shown_need(eglChooseConfig(display, wanted, configs, 512, &count), "eglChooseConfig");
    for (EGLint i = 0; i < count; i++) {
        struct shown_bits has = {0};
        EGLint blue = 0;
        eglGetConfigAttrib(display, configs[i], EGL_RED_SIZE, &has.color);
        eglGetConfigAttrib(display, configs[i], EGL_BLUE_SIZE, &blue);
        eglGetConfigAttrib(display, configs[i], EGL_ALPHA_SIZE, &has.alpha);
        if (has.color == bits.color && blue == bits.color && has.alpha == bits.alpha) {
            return configs[i];
        }
    }
    return EGL_NO_CONFIG_KHR;
}

void shown_open(struct shown *s, EGLenum platform, void *display, void *window,
                struct shown_bits bits)
{
    s->display = eglGetPlatformDisplay(platform, display, NULL);
    shown_need(eglInitialize(s->display, NULL, NULL), "eglInitialize");
    s->config = choose(s->display, bits);
    shown_need(s->config != EGL_NO_CONFIG_KHR, "no config");
    s->surface = eglCreatePlatformWindowSurface(s->display, s->config, window, NULL);
    shown_need(s->surface != EGL_NO_SURFACE, "eglCreatePlatformWindowSurface");
}

void shown_current(struct shown *s)
{
    static const EGLint attributes[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
    s->context = eglCreateContext(s->display, s->config, EGL_NO_CONTEXT, attributes);
    shown_need(eglMakeCurrent(s->display, s->surface, s->surface, s->context), "eglMakeCurrent");
}

void shown_draw(uint32_t n, int width, int height)
{
    glViewport(0, 0, width, height);
    glDisable(GL_SCISSOR_TEST);
    glClearColor((float)(n % 7) / 6.0f, 0.25f, 0.5f, 1.0f);
    glClear(GL_COLOR_BUFFER_BIT);
    glEnable(GL_SCISSOR_TEST);
    for (uint32_t i = 0; i < 6; i++) {
        glScissor((int)(n * 13 + i * 97) % width, (int)(n * 29 + i * 61) % height, width / 5,
                  height / 7);
        glClearColor((float)i / 5.0f, (float)(n % 5) / 4.0f, 1.0f - (float)i / 5.0f, 1.0f);
        glClear(GL_COLOR_BUFFER_BIT);
    }
}

uint8_t *shown_read(int width, int height)
{
    uint8_t *pixels = malloc((size_t)width * (size_t)height * 4);
    shown_need(pixels != NULL, "memory");
    glReadPixels(0, 0, width, height, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    return pixels;
}

uint32_t shown_hash(const uint8_t *bytes, size_t size)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < size; i++) {
        h = (h ^ bytes[i]) * 16777619u;
    }
    return h;
}

void shown_wait(void)
{
    char byte;
    puts("shown");
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
}
