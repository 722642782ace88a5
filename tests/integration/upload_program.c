/* Uploads and nothing else, for who counts what goes over the wire.
 *
 *   upload_program texture|buffer COUNT
 *
 * COUNT times a texture of 512 x 512 (a buffer) of 1 MiB is filled from the program's memory, by
 * glTexSubImage2D (glBufferSubData), on the surfaceless platform. Prints "uploaded BYTES". Exit 1:
 * something of EGL or GL failed. */
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES3/gl3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIDE 512
#define SIZE (SIDE * SIDE * 4)

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "upload_program: %s failed: EGL 0x%x\n", what, (unsigned)eglGetError());
        exit(1);
    }
}

static void open_context(void)
{
    static const EGLint any[] = {EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE,
                                 EGL_OPENGL_ES3_BIT, EGL_NONE};
    static const EGLint es3[] = {EGL_CONTEXT_CLIENT_VERSION, 3, EGL_NONE};
    EGLDisplay display = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, NULL, NULL);
    EGLConfig config;
    EGLint count = 0;
    need(eglInitialize(display, NULL, NULL), "eglInitialize");
    need(eglChooseConfig(display, any, &config, 1, &count) && count == 1, "eglChooseConfig");
    EGLContext context = eglCreateContext(display, config, EGL_NO_CONTEXT, es3);
    need(context != EGL_NO_CONTEXT, "eglCreateContext");
    need(eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context), "eglMakeCurrent");
}

int main(int argc, char **argv)
{
    bool texture = argc == 3 && strcmp(argv[1], "texture") == 0;
    if (argc != 3 || (!texture && strcmp(argv[1], "buffer") != 0)) {
        fprintf(stderr, "usage: upload_program texture|buffer COUNT\n");
        return 2;
    }
    int count = atoi(argv[2]);
    uint8_t *bytes = malloc(SIZE);
    GLuint name;
    need(bytes != NULL, "malloc");
    open_context();
    if (texture) {
        glGenTextures(1, &name);
        glBindTexture(GL_TEXTURE_2D, name);
        glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, SIDE, SIDE);
    } else {
        glGenBuffers(1, &name);
        glBindBuffer(GL_ARRAY_BUFFER, name);
        glBufferData(GL_ARRAY_BUFFER, SIZE, NULL, GL_DYNAMIC_DRAW);
    }
    for (int i = 0; i < count; i++) {
        memset(bytes, i, SIZE);
        if (texture) {
            glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, SIDE, SIDE, GL_RGBA, GL_UNSIGNED_BYTE, bytes);
        } else {
            glBufferSubData(GL_ARRAY_BUFFER, 0, SIZE, bytes);
        }
    }
    glFinish();
    need(glGetError() == GL_NO_ERROR, "an upload");
    free(bytes);
    printf("uploaded %llu\n", (unsigned long long)count * SIZE);
    return 0;
}
