/* The triangle on the native driver. Exit 1: it could not be drawn. */
#include "abi_triangle.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>

static GLuint shader(GLenum type, const char *text)
{
    GLuint name = glCreateShader(type);
    glShaderSource(name, 1, &text, NULL);
    glCompileShader(name);
    return name;
}

static void draw(void)
{
    GLuint program = glCreateProgram();
    glViewport(0, 0, TRIANGLE_WIDTH, TRIANGLE_HEIGHT);
    glClearColor(triangle_background[0], triangle_background[1], triangle_background[2],
                 triangle_background[3]);
    glClear(GL_COLOR_BUFFER_BIT);
    glAttachShader(program, shader(GL_VERTEX_SHADER, TRIANGLE_VERTEX));
    glAttachShader(program, shader(GL_FRAGMENT_SHADER, TRIANGLE_FRAGMENT));
    glBindAttribLocation(program, 0, "p");
    glBindAttribLocation(program, 1, "c");
    glLinkProgram(program);
    glUseProgram(program);
    glEnableVertexAttribArray(0);
    glEnableVertexAttribArray(1);
    glVertexAttribPointer(0, 4, GL_FLOAT, GL_FALSE, 0, triangle_places);
    glVertexAttribPointer(1, 4, GL_FLOAT, GL_FALSE, 0, triangle_colours);
    glDrawArrays(GL_TRIANGLES, 0, 3);
}

int main(void)
{
    static const EGLint wanted[] = {EGL_SURFACE_TYPE,
                                    EGL_PBUFFER_BIT,
                                    EGL_RED_SIZE,
                                    8,
                                    EGL_GREEN_SIZE,
                                    8,
                                    EGL_BLUE_SIZE,
                                    8,
                                    EGL_ALPHA_SIZE,
                                    8,
                                    EGL_RENDERABLE_TYPE,
                                    EGL_OPENGL_ES2_BIT,
                                    EGL_NONE};
    static const EGLint size[] = {EGL_WIDTH, TRIANGLE_WIDTH, EGL_HEIGHT, TRIANGLE_HEIGHT, EGL_NONE};
    static const EGLint version[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
    static uint8_t pixels[TRIANGLE_WIDTH * TRIANGLE_HEIGHT * 4];
    EGLDisplay display = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, NULL, NULL);
    EGLConfig config;
    EGLint count = 0;
    if (!eglInitialize(display, NULL, NULL) ||
        !eglChooseConfig(display, wanted, &config, 1, &count) || count != 1) {
        return 1;
    }
    EGLSurface surface = eglCreatePbufferSurface(display, config, size);
    EGLContext context = eglCreateContext(display, config, EGL_NO_CONTEXT, version);
    if (!eglMakeCurrent(display, surface, surface, context)) {
        return 1;
    }
    draw();
    glReadPixels(0, 0, TRIANGLE_WIDTH, TRIANGLE_HEIGHT, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    if (glGetError() != GL_NO_ERROR) {
        return 1;
    }
    triangle_print(pixels, 0, 1, 2, 1);
    eglTerminate(display);
    return 0;
}
