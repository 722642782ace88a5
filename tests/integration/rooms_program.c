/* Shows one of eight rooms for five frames each: a picture of its own, from a texture and a buffer
 * that no other room uses. What a trim to one room's frames leaves out can be seen by its size.
 *
 *   rooms_program COUNT [carry|make|samples]
 *
 * COUNT frames in a window. carry: each frame leaves things to the next one, so that a loop that
 * forgets to lead one of them back shows other pictures: a picture that all are added to, a texture
 * and a fence that live into the next frame, a part of a buffer, a uniform, state. It ends in a run
 * of draws with a question behind it. make: each frame makes a program and ends the one of two
 * frames before, so that some of what a loop makes outlives it, and some of what it found does not.
 * samples: as make, and all are drawn over each other in a picture of four samples, whose edges
 * show. Exit 1: something of X, EGL or GL failed. */
#include <EGL/egl.h>
#include <GLES3/gl3.h>
#include <X11/Xlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        "#version 300 es\nprecision mediump float;\nuniform sampler2D wall;\nuniform float shift;\n"
        "in vec2 where;\nout vec4 color;\nvoid main() { color = texture(wall, where + shift); }\n"};
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

/* What goes from frame to frame. */
struct carried {
    GLuint sum, framebuffer; /* a picture that all are added to */
    GLuint guest;            /* a texture of the frame before */
    GLsync fence;            /* likewise */
    GLint shift;
};

static void begin_carrying(struct carried *c, GLuint program)
{
    glGenTextures(1, &c->sum);
    glBindTexture(GL_TEXTURE_2D, c->sum);
    glTexStorage2D(GL_TEXTURE_2D, 1, GL_RGBA8, SIDE, SIDE);
    glGenFramebuffers(1, &c->framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, c->framebuffer);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, c->sum, 0);
    glClear(GL_COLOR_BUFFER_BIT);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glBlendFunc(GL_CONSTANT_ALPHA, GL_ONE);
    c->shift = glGetUniformLocation(program, "shift");
}

/* What is bound is drawn into the sum, and the guest of the frame before. */
static void add(struct carried *c, uint32_t number)
{
    const float corner = -1.0f + (float)(number % 7) / 8;
    uint32_t *bytes = malloc((size_t)SIDE * SIDE * 4);
    need(bytes != NULL, "malloc");
    glBufferSubData(GL_ARRAY_BUFFER, (GLintptr)(number % 4) * 8, 4, &corner);
    glBindFramebuffer(GL_FRAMEBUFFER, c->framebuffer);
    glEnable(GL_BLEND);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    if (c->guest != 0) {
        glBindTexture(GL_TEXTURE_2D, c->guest);
        glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
        glDeleteTextures(1, &c->guest);
        need(glClientWaitSync(c->fence, 0, UINT64_MAX) != GL_WAIT_FAILED, "a fence");
        glDeleteSync(c->fence);
    }
    glDisable(GL_BLEND);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glGenTextures(1, &c->guest);
    glBindTexture(GL_TEXTURE_2D, c->guest);
    fill(bytes, (size_t)SIDE * SIDE, number);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, SIDE, SIDE, 0, GL_RGBA, GL_UNSIGNED_BYTE, bytes);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    free(bytes);
    c->fence = glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    glBlendColor(0, 0, 0, (float)(number % 5) / 40); /* of the next one */
    if (number % 3 == 0) {
        glUniform1f(c->shift, (float)number / 64);
    }
    glBindTexture(GL_TEXTURE_2D, c->sum);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
}

/* The one of two frames before ends. Uniforms of a new one are zeros: what is left of an earlier
 * one shows. */
static void remake(GLuint programs[2], uint32_t number)
{
    GLuint program = make_program();
    glUseProgram(program);
    if (number % 3 == 0) {
        glUniform1f(glGetUniformLocation(program, "shift"), (float)(number % 7 + 1) / 8);
    }
    glDeleteProgram(programs[number % 2]);
    programs[number % 2] = program;
}

/* A picture of so many samples. */
static GLuint make_target(GLsizei samples)
{
    GLuint framebuffer, target;
    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    glGenRenderbuffers(1, &target);
    glBindRenderbuffer(GL_RENDERBUFFER, target);
    glRenderbufferStorageMultisample(GL_RENDERBUFFER, samples, GL_RGBA8, SIDE, SIDE);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, target);
    glClear(GL_COLOR_BUFFER_BIT);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    return framebuffer;
}

static void copy_picture(GLuint from, GLuint to)
{
    glBindFramebuffer(GL_READ_FRAMEBUFFER, from);
    glBindFramebuffer(GL_DRAW_FRAMEBUFFER, to);
    glBlitFramebuffer(0, 0, SIDE, SIDE, 0, 0, SIDE, SIDE, GL_COLOR_BUFFER_BIT, GL_NEAREST);
}

/* What is bound is drawn over what there is, with edges aslant. */
static void draw_samples(const GLuint targets[2], uint32_t number)
{
    const float corner = -1.0f + (float)(number % 7) / 8;
    glBufferSubData(GL_ARRAY_BUFFER, (GLintptr)(number % 4) * 8, 4, &corner);
    glBindFramebuffer(GL_FRAMEBUFFER, targets[0]);
    glEnable(GL_BLEND);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    glDisable(GL_BLEND);
    copy_picture(targets[0], targets[1]);
    copy_picture(targets[1], 0);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
}

/* Draws that a host may do at once. */
static void draw_run(void)
{
    uint8_t texel[4];
    for (int i = 0; i < 6; i++) {
        glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
    }
    glReadPixels(SIDE / 2, SIDE / 2, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, texel);
}

int main(int argc, char **argv)
{
    GLuint textures[ROOMS], buffers[ROOMS], programs[2] = {0};
    struct carried carried = {0};
    EGLDisplay display;
    int count = argc >= 2 ? atoi(argv[1]) : 0;
    bool carries = argc == 3 && strcmp(argv[2], "carry") == 0;
    bool has_samples = argc == 3 && strcmp(argv[2], "samples") == 0;
    bool makes = has_samples || (argc == 3 && strcmp(argv[2], "make") == 0);
    if (count <= 0 || (argc == 3 && !carries && !makes) || argc > 3) {
        fprintf(stderr, "usage: rooms_program COUNT [carry|make|samples]\n");
        return 2;
    }
    EGLSurface surface = open_window(&display);
    GLuint program = make_program();
    glUseProgram(program);
    glGenTextures(ROOMS, textures);
    glGenBuffers(ROOMS, buffers);
    for (uint32_t i = 0; i < ROOMS; i++) {
        furnish(textures[i], buffers[i], i);
    }
    glEnableVertexAttribArray(0);
    if (carries) {
        begin_carrying(&carried, program);
    }
    GLuint targets[2] = {0};
    if (has_samples) {
        targets[0] = make_target(4);
        targets[1] = make_target(0);
        glBlendFunc(GL_CONSTANT_ALPHA, GL_ONE_MINUS_CONSTANT_ALPHA);
        glBlendColor(0, 0, 0, 0.25f);
    }
    for (int i = 0; i < count; i++) {
        int room = i / 5 % ROOMS;
        glClearColor((float)(i % 5) / 5, 0.5f, 0.25f, 1);
        glClear(GL_COLOR_BUFFER_BIT);
        glBindTexture(GL_TEXTURE_2D, textures[room]);
        glBindBuffer(GL_ARRAY_BUFFER, buffers[room]);
        glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, NULL);
        if (makes) {
            remake(programs, (uint32_t)i);
        }
        if (carries) {
            add(&carried, (uint32_t)i);
        }
        if (has_samples) {
            draw_samples(targets, (uint32_t)i);
        } else {
            glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
        }
        if (carries) {
            draw_run();
        }
        need(eglSwapBuffers(display, surface), "eglSwapBuffers");
    }
    need(glGetError() == GL_NO_ERROR, "a frame");
    return 0;
}
