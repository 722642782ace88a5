/* Shows one of eight rooms for five frames each: a picture of its own, from a texture and a buffer
 * that no other room uses. What a trim to one room's frames leaves out can be seen by its size.
 *
 *   rooms_program COUNT
 *
 * COUNT frames in a window. Exit 1: something of X, EGL or GL failed. */
#include <EGL/egl.h>
#include <GLES3/gl3.h>
#include <X11/Xlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOMS        8
#define SIDE         256
#define BUFFER_BYTES (128 * 1024)

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "rooms_program: %s failed: EGL 0x%x, GL 0x%x\n", what,
                (unsigned)eglGetError(), glGetError());
        exit(1);
    }
}

static EGLSurface open_window(EGLDisplay *display)
{
    static const EGLint wanted[] = {EGL_SURFACE_TYPE, EGL_WINDOW_BIT, EGL_RENDERABLE_TYPE,
                                    EGL_OPENGL_ES3_BIT, EGL_NONE};
    static const EGLint es3[] = {EGL_CONTEXT_CLIENT_VERSION, 3, EGL_NONE};
    Display *x = XOpenDisplay(NULL);
    need(x != NULL, "the X server");
    Window window =
        XCreateSimpleWindow(x, DefaultRootWindow(x), 0, 0, SIDE, SIDE, 0, 0, BlackPixel(x, 0));
    XMapWindow(x, window);
    XSync(x, False);
    EGLConfig config;
    EGLint count = 0;
    *display = eglGetDisplay((EGLNativeDisplayType)x);
    need(eglInitialize(*display, NULL, NULL), "eglInitialize");
    need(eglChooseConfig(*display, wanted, &config, 1, &count) && count == 1, "eglChooseConfig");
    EGLSurface surface =
        eglCreateWindowSurface(*display, config, (EGLNativeWindowType)window, NULL);
    need(surface != EGL_NO_SURFACE, "eglCreateWindowSurface");
    EGLContext context = eglCreateContext(*display, config, EGL_NO_CONTEXT, es3);
    need(context != EGL_NO_CONTEXT, "eglCreateContext");
    need(eglMakeCurrent(*display, surface, surface, context), "eglMakeCurrent");
    return surface;
}

static GLuint make_program(void)
{
    static const char *const sources[] = {
        "#version 300 es\nin vec2 at;\nout vec2 where;\n"
        "void main() { where = at * 0.5 + 0.5; gl_Position = vec4(at, 0, 1); }\n",
        "#version 300 es\nprecision mediump float;\nuniform sampler2D wall;\nin vec2 where;\n"
        "out vec4 color;\nvoid main() { color = texture(wall, where); }\n"};
    static const GLenum kinds[] = {GL_VERTEX_SHADER, GL_FRAGMENT_SHADER};
    GLuint program = glCreateProgram();
    for (int i = 0; i < 2; i++) {
        GLuint shader = glCreateShader(kinds[i]);
        glShaderSource(shader, 1, &sources[i], NULL);
        glCompileShader(shader);
        glAttachShader(program, shader);
        glDeleteShader(shader);
    }
    GLint linked = 0;
    glBindAttribLocation(program, 0, "at");
    glLinkProgram(program);
    glGetProgramiv(program, GL_LINK_STATUS, &linked);
    need(linked != 0, "glLinkProgram");
    return program;
}

/* Bytes that do not pack. */
static void fill(uint32_t *words, size_t count, uint32_t seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        words[i] = seed ^ seed >> 15;
    }
}

static void furnish(GLuint texture, GLuint buffer, uint32_t room)
{
    const float size = 0.9f - 0.1f * (float)room;
    const float corners[] = {-size, -size, size, -size, -size, size, size, size};
    uint32_t *bytes = malloc((size_t)SIDE * SIDE * 4);
    need(bytes != NULL, "malloc");
    fill(bytes, (size_t)SIDE * SIDE, room);
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, SIDE, SIDE, 0, GL_RGBA, GL_UNSIGNED_BYTE, bytes);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    fill(bytes, BUFFER_BYTES / 4, ~room);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    glBufferData(GL_ARRAY_BUFFER, BUFFER_BYTES, bytes, GL_STATIC_DRAW);
    glBufferSubData(GL_ARRAY_BUFFER, 0, sizeof corners, corners);
    free(bytes);
}

int main(int argc, char **argv)
{
    GLuint textures[ROOMS], buffers[ROOMS];
    EGLDisplay display;
    int count = argc == 2 ? atoi(argv[1]) : 0;
    if (count <= 0) {
        fprintf(stderr, "usage: rooms_program COUNT\n");
        return 2;
    }
    EGLSurface surface = open_window(&display);
    glUseProgram(make_program());
    glGenTextures(ROOMS, textures);
    glGenBuffers(ROOMS, buffers);
    for (uint32_t i = 0; i < ROOMS; i++) {
        furnish(textures[i], buffers[i], i);
    }
    glEnableVertexAttribArray(0);
    for (int i = 0; i < count; i++) {
        int room = i / 5 % ROOMS;
        glClearColor((float)(i % 5) / 5, 0.5f, 0.25f, 1);
        glClear(GL_COLOR_BUFFER_BIT);
        glBindTexture(GL_TEXTURE_2D, textures[room]);
        glBindBuffer(GL_ARRAY_BUFFER, buffers[room]);
        glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
        glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
        need(eglSwapBuffers(display, surface), "eglSwapBuffers");
    }
    need(glGetError() == GL_NO_ERROR, "a frame");
    return 0;
}
