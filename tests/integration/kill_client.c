/* A GLES program to be killed, or whose host or X server is: kill_test starts it. One byte on
 * stdout for each frame, once its picture was right. The modes are in the table below; the exit
 * codes are kill_codes.h's. */
#include "tests/integration/kill_codes.h"

#define GL_GLEXT_PROTOTYPES
#define EGL_EGLEXT_PROTOTYPES
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <GLES2/gl2ext.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SIDE          64
#define TEXTURE_SIDE  128
#define SLOW_MS       50
#define RESIZE_FRAMES 8u /* a window that changes its size does so after so many */

static const struct mode {
    const char *name;
    bool window; /* an X11 window instead of a pbuffer */
    bool lives; /* contexts, objects and window surfaces are made and destroyed for ever, a frame in
                   each */
    bool slow;  /* a frame every 50 ms */
    bool blind; /* pictures are not read back: only the swaps wait for the host */
    bool robust;   /* the context is lost on a reset, and its status is asked for */
    bool recovers; /* what was lost is ended, and begun again */
    bool keeps;    /* with recovers: the display is not ended, only surface and context */
    bool stays;    /* with keeps: the surface is not ended either */
    bool resizes;  /* the window changes its size, and events are asked for: Xlib hears of its
                     server's end first */
} modes[] = {
    {.name = "steady"},
    {.name = "robust", .robust = true},
    {.name = "recovers", .robust = true, .recovers = true},
    {.name = "busy", .lives = true},
    {.name = "slow", .slow = true},
    {.name = "window", .window = true},
    {.name = "window_recovers", .window = true, .robust = true, .recovers = true},
    {.name = "keeps", .robust = true, .recovers = true, .keeps = true},
    {.name = "window_keeps", .window = true, .robust = true, .recovers = true, .keeps = true},
    {.name = "stays", .robust = true, .recovers = true, .keeps = true, .stays = true},
    {.name = "window_stays",
     .window = true,
     .robust = true,
     .recovers = true,
     .keeps = true,
     .stays = true},
    {.name = "windows", .window = true, .lives = true},
    {.name = "swaps", .window = true, .blind = true},
    {.name = "events", .window = true, .resizes = true},
};

static const struct mode *mode;
static Display *x;
static Window window;
static EGLDisplay display;
static bool display_open;
static EGLConfig config;
static EGLSurface surface;
static EGLContext context;
static jmp_buf begun; /* with recovers: where it begins again */

static _Noreturn void end(int code, const char *why)
{
    fprintf(stderr, "kill_client: %s\n", why);
    _exit(code);
}

/* As a program ends that hears of it: everything given back, exit handlers run. None of it may
 * hang. */
static _Noreturn void leave(int code, const char *why)
{
    fprintf(stderr, "kill_client: %s\n", why);
    eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglTerminate(display);
    exit(code);
}

/* What a context says of resets: that there was one, once, if it was made to tell. */
static void check_status(void)
{
    PFNGLGETGRAPHICSRESETSTATUSEXTPROC status =
        (PFNGLGETGRAPHICSRESETSTATUSEXTPROC)eglGetProcAddress("glGetGraphicsResetStatusEXT");
    GLenum first = status(), second = status();
    bool right = mode->robust ? first == GL_UNKNOWN_CONTEXT_RESET_EXT : first == GL_NO_ERROR;
    if (!right || second != GL_NO_ERROR) {
        fprintf(stderr, "kill_client: reset status 0x%x, then 0x%x\n", first, second);
        leave(KILL_EXIT_WRONG, "a wrong reset status");
    }
}

/* Ends the program when either API says that the context or the window is gone. */
static void look_for_loss(void)
{
    GLenum gl = glGetError();
    EGLint egl = eglGetError();
    if (gl == GL_CONTEXT_LOST_KHR || egl == EGL_CONTEXT_LOST) {
        if (eglGetCurrentContext() != EGL_NO_CONTEXT) {
            check_status();
        }
        if (mode->recovers) {
            longjmp(begun, 1);
        }
        leave(KILL_EXIT_LOST, gl == GL_CONTEXT_LOST_KHR ? "GL_CONTEXT_LOST" : "EGL_CONTEXT_LOST");
    }
    if (mode->recovers && egl == EGL_NOT_INITIALIZED) { /* lost before there was a display */
        longjmp(begun, 1);
    }
    if (egl == EGL_BAD_NATIVE_WINDOW) {
        leave(KILL_EXIT_WINDOW, "EGL_BAD_NATIVE_WINDOW");
    }
}

static void open_surface(void)
{
    static const EGLint size[] = {EGL_WIDTH, SIDE, EGL_HEIGHT, SIDE, EGL_NONE};
    surface = mode->window ? eglCreateWindowSurface(display, config, window, NULL)
                           : eglCreatePbufferSurface(display, config, size);
    if (surface == EGL_NO_SURFACE) {
        look_for_loss();
        end(KILL_EXIT_OTHER, "no surface");
    }
}

static void open_window(void)
{
    x = XOpenDisplay(NULL);
    if (x == NULL) {
        end(KILL_EXIT_OTHER, "no X display");
    }
    window = XCreateSimpleWindow(x, DefaultRootWindow(x), 0, 0, SIDE, SIDE, 0, 0, 0);
    XSelectInput(x, window, StructureNotifyMask);
    XMapWindow(x, window);
    XSync(x, False);
}

static void open_display(void)
{
    const EGLint want[] = {EGL_SURFACE_TYPE,
                           mode->window ? EGL_WINDOW_BIT : EGL_PBUFFER_BIT,
                           EGL_RENDERABLE_TYPE,
                           EGL_OPENGL_ES2_BIT,
                           EGL_RED_SIZE,
                           8,
                           EGL_NONE};
    EGLint count = 0;
    display = mode->window ? eglGetPlatformDisplay(EGL_PLATFORM_X11_KHR, x, NULL)
                           : eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, NULL, NULL);
    if (!eglInitialize(display, NULL, NULL) ||
        !eglChooseConfig(display, want, &config, 1, &count) || count != 1) {
        look_for_loss();
        end(KILL_EXIT_OTHER, "no display");
    }
    display_open = true;
    open_surface();
}

static void open_context(void)
{
    static const EGLint es2[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
    static const EGLint robust[] = {EGL_CONTEXT_CLIENT_VERSION,
                                    2,
                                    EGL_CONTEXT_OPENGL_ROBUST_ACCESS,
                                    EGL_TRUE,
                                    EGL_CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY,
                                    EGL_LOSE_CONTEXT_ON_RESET,
                                    EGL_NONE};
    context = eglCreateContext(display, config, EGL_NO_CONTEXT, mode->robust ? robust : es2);
    if (context == EGL_NO_CONTEXT || !eglMakeCurrent(display, surface, surface, context)) {
        look_for_loss();
        end(KILL_EXIT_OTHER, "no context");
    }
}

/* What is lost is current still, and nothing can be made beside it. */
static void check_initialize(void)
{
    eglTerminate(display);
    if (eglInitialize(display, NULL, NULL)) {
        return;
    }
    EGLint error = eglGetError();
    if (error != EGL_NOT_INITIALIZED) {
        fprintf(stderr, "kill_client: eglInitialize says 0x%x\n", (unsigned)error);
        end(KILL_EXIT_WRONG, "a wrong error");
    }
}

/* ... and begins again. A surface or context that was not made cannot be destroyed: an error. */
static void end_lost(void)
{
    if (!mode->keeps && eglGetCurrentContext() != EGL_NO_CONTEXT) {
        check_initialize();
    }
    eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    if (!mode->keeps || !display_open) {
        eglTerminate(display);
        display_open = false;
        open_display();
        return;
    }
    eglDestroyContext(display, context);
    if (!mode->stays || surface == EGL_NO_SURFACE) {
        eglDestroySurface(display, surface);
        (void)eglGetError();
        open_surface();
    }
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
    GLuint vertex = shader(GL_VERTEX_SHADER,
                           "attribute vec2 p; void main() { gl_Position = vec4(p, 0.0, 1.0); }");
    GLuint fragment =
        shader(GL_FRAGMENT_SHADER,
               "precision mediump float; uniform vec4 c; void main() { gl_FragColor = c; }");
    glAttachShader(program, vertex);
    glAttachShader(program, fragment);
    glBindAttribLocation(program, 0, "p");
    glLinkProgram(program);
    glDeleteShader(vertex);
    glDeleteShader(fragment);
    return program;
}

/* A window that recovers is nobody else's X server's: its screen must have what was drawn. */
static void look_at_window(const uint8_t want[4])
{
    eglWaitGL();
    look_for_loss();
    XImage *image = XGetImage(x, window, SIDE / 2, SIDE / 2, 1, 1, AllPlanes, ZPixmap);
    if (image == NULL) {
        end(KILL_EXIT_OTHER, "no picture of the window");
    }
    unsigned long got = XGetPixel(image, 0, 0) & 0xffffff;
    XDestroyImage(image);
    if (got != ((unsigned long)want[0] << 16 | (unsigned long)want[1] << 8 | want[2])) {
        end(KILL_EXIT_WRONG, "a wrong picture in the window");
    }
}

/* One triangle over everything in a colour of the frame's own, read back and compared. */
static void frame(GLuint program, uint32_t number)
{
    static const GLfloat corners[] = {-1, -1, 3, -1, -1, 3};
    uint8_t want[4] = {(uint8_t)(number * 5), (uint8_t)(number * 3), (uint8_t)number, 255};
    uint8_t got[4] = {0};
    glViewport(0, 0, SIDE, SIDE);
    glUseProgram(program);
    glUniform4f(glGetUniformLocation(program, "c"), (float)want[0] / 255.0f,
                (float)want[1] / 255.0f, (float)want[2] / 255.0f, 1.0f);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, corners);
    glEnableVertexAttribArray(0);
    glDrawArrays(GL_TRIANGLES, 0, 3);
    if (!mode->blind) {
        glReadPixels(SIDE / 2, SIDE / 2, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, got);
    }
    EGLBoolean swapped = eglSwapBuffers(display, surface);
    look_for_loss();
    if (!swapped) {
        end(KILL_EXIT_OTHER, "no swap");
    }
    if (!mode->blind && memcmp(want, got, sizeof want) != 0) {
        end(KILL_EXIT_WRONG, "wrong picture");
    }
    if (mode->window && mode->recovers) {
        look_at_window(want);
    }
    char byte = '.';
    if (write(STDOUT_FILENO, &byte, 1) != 1) {
        end(KILL_EXIT_OTHER, "nobody looks");
    }
}

static void sleep_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void handle_events(uint32_t number)
{
    while (XPending(x) > 0) {
        XEvent event;
        XNextEvent(x, &event);
    }
    if (number % RESIZE_FRAMES == 0) {
        unsigned side = (number / RESIZE_FRAMES) % 2 == 0 ? SIDE : SIDE * 2;
        XResizeWindow(x, window, side, side);
        XFlush(x);
    }
}

/* A context's whole life: many objects, some left to die with it. */
static void short_life(uint32_t number)
{
    static uint8_t pixels[TEXTURE_SIDE * TEXTURE_SIDE * 4];
    open_context();
    GLuint program = make_program();
    GLuint textures[4], framebuffer, buffer;
    glGenTextures(4, textures);
    for (uint32_t i = 0; i < 4; i++) {
        glBindTexture(GL_TEXTURE_2D, textures[i]);
        glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, TEXTURE_SIDE, TEXTURE_SIDE, 0, GL_RGBA,
                     GL_UNSIGNED_BYTE, pixels);
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
    if (mode->window) {
        eglDestroySurface(display, surface);
        open_surface();
    }
}

static _Noreturn void one_life(void)
{
    open_context();
    GLuint program = make_program();
    for (uint32_t i = 0;; i++) {
        if (mode->resizes) {
            handle_events(i);
        }
        frame(program, i);
        if (mode->slow) {
            sleep_ms(SLOW_MS);
        }
    }
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* libxcb's writes to a server that died raise it */
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        mode = argc == 2 && strcmp(argv[1], modes[i].name) == 0 ? &modes[i] : mode;
    }
    if (mode == NULL) {
        end(KILL_EXIT_OTHER, "usage: kill_client MODE");
    }
    if (mode->window) {
        open_window();
    }
    if (setjmp(begun) != 0) { /* everything of it was lost */
        end_lost();
    } else {
        open_display();
    }
    if (!mode->lives) {
        one_life();
    }
    for (uint32_t i = 0;; i++) {
        short_life(i);
    }
}
