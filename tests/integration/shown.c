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

void shown_open(struct shown *s, EGLenum platform, void *display, void *window, EGLint alpha_bits)
{
    const EGLint wanted[] = {EGL_SURFACE_TYPE,
                             EGL_WINDOW_BIT,
                             EGL_RED_SIZE,
                             8,
                             EGL_GREEN_SIZE,
                             8,
                             EGL_BLUE_SIZE,
                             8,
                             EGL_ALPHA_SIZE,
                             alpha_bits,
                             EGL_RENDERABLE_TYPE,
                             EGL_OPENGL_ES2_BIT,
                             EGL_NONE};
    EGLint count = 0;
    s->display = eglGetPlatformDisplay(platform, display, NULL);
    shown_need(eglInitialize(s->display, NULL, NULL), "eglInitialize");
    shown_need(eglChooseConfig(s->display, wanted, &s->config, 1, &count) && count == 1,
               "no config");
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
