/* A GLES program to be killed, or whose host is: kill_test starts it. One byte on stdout for each frame whose picture was right.
 *
 * kill_client steady: draws and reads back for ever. busy: makes and destroys contexts, programs, textures and framebuffers for ever.
 * slow: a frame every 50 ms. Exit code 42: the context was lost and EGL or GL said so; 3: a wrong picture; 1: anything else. */
#define GL_GLEXT_PROTOTYPES
#define EGL_EGLEXT_PROTOTYPES
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <GLES2/gl2ext.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SIDE 64
#define TEXTURE_SIDE 128
#define EXIT_LOST 42
#define EXIT_WRONG 3

static EGLDisplay display;
static EGLConfig config;
static EGLSurface surface;

static _Noreturn void end(int code, const char *why)
{
    fprintf(stderr, "kill_client: %s\n", why);
    _exit(code);
}

/* Ends the program when either API says that the context is gone. */
static void look_for_loss(void)
{
    GLenum gl = glGetError();
    EGLint egl = eglGetError();
    if (gl == GL_CONTEXT_LOST_KHR || egl == EGL_CONTEXT_LOST) {
        end(EXIT_LOST, gl == GL_CONTEXT_LOST_KHR ? "GL_CONTEXT_LOST" : "EGL_CONTEXT_LOST");
    }
}

static void open_display(void)
{
    static const EGLint want[] = {EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE, EGL_OPENGL_ES2_BIT, EGL_RED_SIZE, 8,
                                  EGL_NONE};
    static const EGLint size[] = {EGL_WIDTH, SIDE, EGL_HEIGHT, SIDE, EGL_NONE};
    EGLint count = 0;
    display = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, NULL, NULL);
    if (!eglInitialize(display, NULL, NULL) || !eglChooseConfig(display, want, &config, 1, &count) || count != 1) {
        look_for_loss();
        end(1, "no display");
    }
    surface = eglCreatePbufferSurface(display, config, size);
    if (surface == EGL_NO_SURFACE) {
        look_for_loss();
        end(1, "no surface");
    }
}

static EGLContext open_context(void)
{
    static const EGLint es2[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
    EGLContext context = eglCreateContext(display, config, EGL_NO_CONTEXT, es2);
    if (context == EGL_NO_CONTEXT || !eglMakeCurrent(display, surface, surface, context)) {
        look_for_loss();
        end(1, "no context");
    }
    return context;
}

static GLuint shader(GLenum type, const char *source)
{
    GLuint name = glCreateShader(type);
    glShaderSource(name, 1, &source, NULL);
    glCompileShader(name);
    return name;
}

static GLuint make_program(void)
{
    GLuint program = glCreateProgram();
    GLuint vertex = shader(GL_VERTEX_SHADER, "attribute vec2 p; void main() { gl_Position = vec4(p, 0.0, 1.0); }");
    GLuint fragment = shader(GL_FRAGMENT_SHADER, "precision mediump float; uniform vec4 c; void main() { gl_FragColor = c; }");
    glAttachShader(program, vertex);
    glAttachShader(program, fragment);
    glBindAttribLocation(program, 0, "p");
    glLinkProgram(program);
    glDeleteShader(vertex);
    glDeleteShader(fragment);
    return program;
}

/* One triangle over everything in a colour of the frame's own, read back and compared. */
static void frame(GLuint program, uint32_t number)
{
    static const GLfloat corners[] = {-1, -1, 3, -1, -1, 3};
    uint8_t want[4] = {(uint8_t)(number * 5), (uint8_t)(number * 3), (uint8_t)number, 255};
    uint8_t got[4] = {0};
    glViewport(0, 0, SIDE, SIDE);
    glUseProgram(program);
    glUniform4f(glGetUniformLocation(program, "c"), (float)want[0] / 255.0f, (float)want[1] / 255.0f, (float)want[2] / 255.0f, 1.0f);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, corners);
    glEnableVertexAttribArray(0);
    glDrawArrays(GL_TRIANGLES, 0, 3);
    glReadPixels(SIDE / 2, SIDE / 2, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, got);
    eglSwapBuffers(display, surface);
    look_for_loss();
    if (memcmp(want, got, sizeof want) != 0) {
        end(EXIT_WRONG, "wrong picture");
    }
    char byte = '.';
    if (write(STDOUT_FILENO, &byte, 1) != 1) {
        end(1, "nobody looks");
    }
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* A context's whole life: many objects, some left to die with it. */
static void short_life(uint32_t number)
{
    static uint8_t pixels[TEXTURE_SIDE * TEXTURE_SIDE * 4];
    EGLContext context = open_context();
    GLuint program = make_program();
    GLuint textures[4], framebuffer, buffer;
    glGenTextures(4, textures);
    for (uint32_t i = 0; i < 4; i++) {
        glBindTexture(GL_TEXTURE_2D, textures[i]);
        glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, TEXTURE_SIDE, TEXTURE_SIDE, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    }
    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, textures[0], 0);
    glGenBuffers(1, &buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer);
    glBufferData(GL_ARRAY_BUFFER, sizeof pixels, pixels, GL_STATIC_DRAW);
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    frame(program, number);
    glDeleteTextures(2, textures);
    glFlush();
    eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglDestroyContext(display, context);
}

int main(int argc, char **argv)
{
    const char *mode = argc == 2 ? argv[1] : "";
    open_display();
    if (strcmp(mode, "busy") == 0) {
        for (uint32_t i = 0;; i++) {
            short_life(i);
        }
    }
    bool slow = strcmp(mode, "slow") == 0;
    if (!slow && strcmp(mode, "steady") != 0) {
        end(1, "usage: kill_client steady|busy|slow");
    }
    (void)open_context();
    GLuint program = make_program();
    for (uint32_t i = 0;; i++) {
        frame(program, i);
        if (slow) {
            sleep_ms(50);
        }
    }
}
