#include "tests/integration/features/fx.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EMPTY_HASH 0xcbf29ce484222325ull

static void die(const char *what)
{
    fprintf(stderr, "%s: EGL error 0x%x, GL error 0x%x\n", what, (unsigned)eglGetError(),
            (unsigned)glGetError());
    exit(1);
}

void fx_note(struct fx *fx, const void *data, size_t size)
{
    const uint8_t *p = data;
    for (size_t i = 0; i < size; i++) {
        fx->hash = (fx->hash ^ p[i]) * 0x100000001b3ull;
    }
}

void fx_note_int(struct fx *fx, int64_t value)
{
    fx_note(fx, &value, sizeof value);
}

void fx_note_text(struct fx *fx, const char *text)
{
    fx_note(fx, text != NULL ? text : "(null)", text != NULL ? strlen(text) + 1 : 7);
}

void fx_error(struct fx *fx, GLenum want)
{
    GLenum got = glGetError();
    if (got != want) {
        printf("  error: want 0x%x, got 0x%x\n", want, got);
    }
    fx_note_int(fx, got);
}

bool fx_has(const char *extension)
{
    const char *all = (const char *)glGetString(GL_EXTENSIONS);
    size_t size = strlen(extension);
    for (const char *p = all; p != NULL && (p = strstr(p, extension)) != NULL; p += size) {
        if ((p == all || p[-1] == ' ') && (p[size] == ' ' || p[size] == '\0')) {
            return true;
        }
    }
    return false;
}

static GLuint shader(GLenum type, const char *text)
{
    bool own = text[0] == '#'; /* directives come first: it says its precision itself */
    const char *precision = type == GL_FRAGMENT_SHADER ? "precision highp float;\n" : "";
    const char *parts[] = {own ? "" : precision, text};
    GLuint name = glCreateShader(type);
    glShaderSource(name, 2, parts, NULL);
    glCompileShader(name);
    GLint ok = 0;
    glGetShaderiv(name, GL_COMPILE_STATUS, &ok);
    if (!ok) {
        char log[1024] = "";
        glGetShaderInfoLog(name, sizeof log, NULL, log);
        fprintf(stderr, "%s\n%s\n", text, log);
        exit(1);
    }
    return name;
}

GLuint fx_program(const char *vertex, const char *fragment)
{
    GLuint program = glCreateProgram();
    GLuint vs = shader(GL_VERTEX_SHADER, vertex), fs = shader(GL_FRAGMENT_SHADER, fragment);
    glAttachShader(program, vs);
    glAttachShader(program, fs);
    glBindAttribLocation(program, 0, "p");
    glBindAttribLocation(program, 1, "q");
    glBindAttribLocation(program, 2, "r");
    glLinkProgram(program);
    GLint ok = 0;
    glGetProgramiv(program, GL_LINK_STATUS, &ok);
    if (!ok) {
        char log[1024] = "";
        glGetProgramInfoLog(program, sizeof log, NULL, log);
        fprintf(stderr, "%s\n%s\n%s\n", vertex, fragment, log);
        exit(1);
    }
    glDeleteShader(vs);
    glDeleteShader(fs);
    return program;
}

GLuint fx_fill(const char *fragment)
{
    GLuint program = fx_program(FX_VS, fragment);
    glUseProgram(program);
    return program;
}

void fx_rect(float x0, float y0, float x1, float y1)
{
    const float corners[] = {x0, y0, x1, y0, x0, y1, x1, y1};
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glEnableVertexAttribArray(0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, corners);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
}

void fx_quad(void)
{
    fx_rect(-1, -1, 1, 1);
}

void fx_bytes(void *data, size_t size, uint32_t seed)
{
    uint8_t *p = data;
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        p[i] = (uint8_t)(seed >> 24);
    }
}

GLuint fx_texture(GLenum format, GLenum type, int frame)
{
    static uint8_t pixels[FX_SIZE * FX_SIZE * 16];
    GLuint name = 0;
    fx_bytes(pixels, sizeof pixels, 17u * (unsigned)frame + format);
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    glTexImage2D(GL_TEXTURE_2D, 0, (GLint)format, FX_SIZE, FX_SIZE, 0, format, type, pixels);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    return name;
}

GLuint fx_framebuffer(GLint internal, GLenum format, GLenum type, GLuint *texture)
{
    GLuint name = 0, color = 0;
    glGenTextures(1, &color);
    glBindTexture(GL_TEXTURE_2D, color);
    glTexImage2D(GL_TEXTURE_2D, 0, internal, FX_SIZE, FX_SIZE, 0, format, type, NULL);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    glGenFramebuffers(1, &name);
    glBindFramebuffer(GL_FRAMEBUFFER, name);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, color, 0);
    if (texture != NULL) {
        *texture = color;
    }
    return name;
}

void fx_show(struct fx *fx, GLuint texture)
{
    (void)fx;
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glBindTexture(GL_TEXTURE_2D, texture);
    fx_fill("varying vec2 t; uniform sampler2D s; void main() { gl_FragColor = texture2D(s, t); }");
    fx_quad();
}

void fx_note_pixels(struct fx *fx, int x, int y, int width, int height)
{
    uint8_t *pixels = calloc((size_t)width * (size_t)height, 4);
    glReadPixels(x, y, width, height, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
    fx_note(fx, pixels, (size_t)width * (size_t)height * 4);
    free(pixels);
}

/* --- threads --- */

struct job {
    struct fx *fx;
    EGLContext context;
    EGLSurface surface;
    void (*fn)(void *user);
    void *user;
};

static void *thread_main(void *user)
{
    struct job *job = user;
    eglBindAPI(EGL_OPENGL_ES_API);
    plain_egl_current(&job->fx->egl, job->surface, job->context);
    job->fn(job->user);
    glFinish();
    eglMakeCurrent(job->fx->egl.display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglReleaseThread();
    return NULL;
}

void fx_on_thread(struct fx *fx, void (*fn)(void *user), void *user)
{
    struct job job = {.fx = fx, .fn = fn, .user = user};
    job.context = plain_egl_context(&fx->egl, fx->version, fx->context);
    job.surface = plain_egl_pbuffer(&fx->egl, FX_SIZE);
    pthread_t thread;
    if (pthread_create(&thread, NULL, thread_main, &job) != 0) {
        die("pthread_create");
    }
    pthread_join(thread, NULL);
    eglDestroySurface(fx->egl.display, job.surface);
    eglDestroyContext(fx->egl.display, job.context);
}

/* --- main --- */

static void write_ppm(const char *folder, const char *name, int frame, const uint8_t *pixels)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s-%d.ppm", folder, name, frame);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        die(path);
    }
    fprintf(file, "P6 %d %d 255\n", FX_SIZE, FX_SIZE);
    for (int y = FX_SIZE - 1; y >= 0; y--) {
        for (int x = 0; x < FX_SIZE; x++) {
            fwrite(pixels + 4 * (y * FX_SIZE + x), 1, 3, file);
        }
    }
    fclose(file);
}

static bool possible(const struct fx *fx, const struct fx_feature *f)
{
    if (f->needs == NULL) {
        return true;
    }
    int wanted = strcmp(f->needs, "3.1") == 0 ? 31 : strcmp(f->needs, "3.2") == 0 ? 32 : 0;
    if (wanted != 0) {
        GLint major = 0, minor = 0;
        glGetIntegerv(GL_MAJOR_VERSION, &major);
        glGetIntegerv(GL_MINOR_VERSION, &minor);
        return fx->version >= 3 && major * 10 + minor >= wanted;
    }
    return fx_has(f->needs);
}

static void framebuffer_zero(const struct fx *fx)
{
    if (fx->version >= 2) { /* features of GLES 1 leave it bound */
        glBindFramebuffer(GL_FRAMEBUFFER, 0);
    }
}

static void run_frames(struct fx *fx, const struct fx_feature *f, const char *folder)
{
    static uint8_t pixels[FX_SIZE * FX_SIZE * 4];
    if (!possible(fx, f)) {
        printf("%s unsupported: no %s\n", f->name, f->needs);
        return;
    }
    for (int frame = 0; frame < FX_FRAMES && fx->unsupported == NULL; frame++) {
        fx->hash = EMPTY_HASH;
        framebuffer_zero(fx);
        glDisable(GL_SCISSOR_TEST);
        glViewport(0, 0, FX_SIZE, FX_SIZE);
        glClearColor(0.1f, 0.2f, 0.3f, 1.0f);
        glClear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT | GL_STENCIL_BUFFER_BIT);
        f->draw(fx, frame);
        if (fx->unsupported != NULL) {
            printf("%s unsupported: %s\n", f->name, fx->unsupported);
            return;
        }
        framebuffer_zero(fx);
        glPixelStorei(GL_PACK_ALIGNMENT, 4);
        glReadPixels(0, 0, FX_SIZE, FX_SIZE, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
        fx_error(fx, GL_NO_ERROR);
        uint64_t answers = fx->hash;
        fx->hash = EMPTY_HASH;
        fx_note(fx, pixels, sizeof pixels);
        printf("%s %d %016llx %016llx\n", f->name, frame, (unsigned long long)fx->hash,
               (unsigned long long)answers);
        if (folder != NULL) {
            write_ppm(folder, f->name, frame, pixels);
        }
        eglSwapBuffers(fx->egl.display, fx->surface);
    }
}

struct options {
    const char *only, *folder; /* nullable */
    bool list;
};

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0) {
            o->list = true;
        } else if (i + 1 < argc && strcmp(argv[i], "--feature") == 0) {
            o->only = argv[++i];
        } else if (i + 1 < argc && strcmp(argv[i], "--ppm") == 0) {
            o->folder = argv[++i];
        } else {
            fprintf(stderr, "usage: %s [--list] [--feature NAME] [--ppm FOLDER]\n", argv[0]);
            return false;
        }
    }
    return true;
}

/* In a context of its own. */
static void run_feature(struct fx *fx, const struct fx_feature *f, const char *folder)
{
    fx->context = plain_egl_context(&fx->egl, fx->version, EGL_NO_CONTEXT);
    fx->unsupported = NULL;
    plain_egl_current(&fx->egl, fx->surface, fx->context);
    run_frames(fx, f, folder);
    fflush(stdout);
    plain_egl_current(&fx->egl, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglDestroyContext(fx->egl.display, fx->context);
}

int fx_main(int argc, char **argv, int version, const struct fx_list *lists)
{
    struct options o = {.list = false};
    struct fx fx = {.version = version};
    if (!parse(argc, argv, &o)) {
        return 2;
    }
    if (!o.list) {
        plain_egl_open(&fx.egl);
        fx.surface = plain_egl_pbuffer(&fx.egl, FX_SIZE);
    }
    for (; lists->features != NULL; lists++) {
        for (size_t i = 0; i < lists->count; i++) {
            const struct fx_feature *f = &lists->features[i];
            if (o.list) {
                puts(f->name);
            } else if (o.only == NULL || strcmp(o.only, f->name) == 0) {
                run_feature(&fx, f, o.folder);
            }
        }
    }
    if (!o.list) {
        plain_egl_close(&fx.egl);
    }
    return 0;
}
