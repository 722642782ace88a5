/* A program that asks for errors after each call, as wary ones do, and makes some.
 *
 * usage: errors_program FRAMES [finish]
 *
 * With a glFinish behind each frame it says which errors of the frame had come by then; otherwise
 * how many there were in all. */
#include "tests/integration/plain_egl.h"

#include <GLES3/gl32.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 16, CALLS = 50, WRONG_EVERY = 4, ERRORS_MAX = 8 };

/* As programs do it; how many there were. */
static int errors_take(GLenum *errors)
{
    int count = 0;
    for (GLenum error; count < ERRORS_MAX && (error = glGetError()) != GL_NO_ERROR;) {
        errors[count++] = error;
    }
    return count;
}

static void say(int frame, const GLenum *errors, int count)
{
    printf("frame %d:", frame);
    for (int i = 0; i < count; i++) {
        printf(" %x", errors[i]);
    }
    puts("");
}

/* How many errors came. */
static int frame(int number, GLenum *errors)
{
    int count = 0;
    for (int i = 0; i < CALLS && count < ERRORS_MAX; i++) {
        glClearColor((float)number, 0, 0, 1);
        count += errors_take(errors + count);
    }
    if (number % WRONG_EVERY == 1) {
        glEnable(GL_TEXTURE_2D);
    } else if (number % WRONG_EVERY == 3) {
        glBindBuffer(GL_ARRAY_BUFFER, 0);
        glBufferData(GL_ARRAY_BUFFER, 1, NULL, GL_STATIC_DRAW);
    }
    glClear(GL_COLOR_BUFFER_BIT);
    return count + errors_take(errors + count);
}

int main(int argc, char **argv)
{
    int frames = argc > 1 ? atoi(argv[1]) : 1, all = 0;
    bool finish = argc > 2 && strcmp(argv[2], "finish") == 0;
    struct plain_egl egl;
    plain_egl_open(&egl);
    EGLSurface surface = plain_egl_pbuffer(&egl, SIDE);
    EGLContext context = plain_egl_context(&egl, 3, EGL_NO_CONTEXT);
    plain_egl_current(&egl, surface, context);
    for (int i = 0; i < frames; i++) {
        GLenum errors[3 * ERRORS_MAX];
        int count = frame(i, errors);
        eglSwapBuffers(egl.display, surface);
        if (finish) {
            glFinish();
            count += errors_take(errors + count);
            say(i, errors, count);
        }
        all += count;
    }
    glFinish();
    GLenum last[ERRORS_MAX];
    printf("%d errors\n", all + errors_take(last));
    plain_egl_current(&egl, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglDestroyContext(egl.display, context);
    eglDestroySurface(egl.display, surface);
    plain_egl_close(&egl);
    return 0;
}
