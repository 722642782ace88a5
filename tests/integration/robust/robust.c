/* main: robust --version 1|2|3 [--rounds N] [--call NAME]. */
#include "tests/integration/plain_egl.h"
#include "tests/integration/robust/robust.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 40, PATTERN = 0xab };
/* Inputs: a texture of the largest sizes that are chosen. */
enum { INPUT = 64 * 64 * 64 * 16, OUTPUT = 256 * 1024, TEXTS = 128, TEXT = 4096 };

/* More than the greatest index there is in `numbers`. */
enum { VERTICES = 1024 };

static float vertices[VERTICES][4];
static uint8_t zeros[INPUT], numbers[INPUT], output[OUTPUT];
static char texts[3][TEXT];
static const GLchar *lists[TEXTS];
static size_t output_used;

/* --- choosing --- */

GLenum robust_enum(struct robust *r, const GLenum *enums, int count)
{
    static const GLenum wrong[] = {0x1234, 0xffffffff, GL_TEXTURE_2D, GL_FLOAT};
    GLenum value = count != 0 && robust_pick(r, 4) != 0 ? enums[robust_pick(r, (uint32_t)count)]
                                                        : wrong[robust_pick(r, COUNT(wrong))];
    robust_note(r, " %x", value);
    return value;
}

GLint robust_int(struct robust *r)
{
    static const GLint values[] = {-1, 0, 0, 1, 2, 5, 64};
    GLint value = values[robust_pick(r, COUNT(values))];
    robust_note(r, " %d", value);
    return value;
}

GLsizei robust_size(struct robust *r)
{
    return robust_int(r);
}

GLuint robust_name(struct robust *r)
{
    static const GLuint values[] = {0, 1, 1, 2, 3, 9999, 0xffffffff};
    GLuint value = values[robust_pick(r, COUNT(values))];
    robust_note(r, " %u", value);
    return value;
}

GLfloat robust_float(struct robust *r)
{
    static const GLfloat values[] = {-1, 0, 0.5f, 1, 7};
    GLfloat value = values[robust_pick(r, COUNT(values))];
    robust_note(r, " %g", (double)value);
    return value;
}

int32_t robust_fixed(struct robust *r)
{
    static const int32_t values[] = {-0x10000, 0, 1, 0x8000, 0x10000, 0x70000, 0x1d01};
    int32_t value = values[robust_pick(r, COUNT(values))];
    robust_note(r, " %d", value);
    return value;
}

GLbitfield robust_bits(struct robust *r)
{
    static const GLbitfield values[] = {0, 1, GL_COLOR_BUFFER_BIT, GL_MAP_READ_BIT, 0x7fffffff};
    GLbitfield value = values[robust_pick(r, COUNT(values))];
    robust_note(r, " %x", value);
    return value;
}

GLsync robust_sync(struct robust *r)
{
    bool none = robust_pick(r, 2) != 0;
    robust_note(r, " %s", none ? "no sync" : "a wrong sync");
    return none ? NULL : (GLsync)(void *)texts;
}

const void *robust_input(struct robust *r)
{
    bool zero = robust_pick(r, 2) != 0;
    robust_note(r, " %s", zero ? "zeros" : "numbers");
    return zero ? zeros : numbers;
}

/* Each output of a call has its own part. */
void *robust_output(struct robust *r)
{
    robust_note(r, " out");
    void *part = output + output_used;
    output_used += OUTPUT / 16;
    return part;
}

const GLchar *robust_text(struct robust *r)
{
    uint32_t i = robust_pick(r, COUNT(texts));
    robust_note(r, " \"%s\"", texts[i]);
    return texts[i];
}

const GLchar *const *robust_texts(struct robust *r)
{
    robust_note(r, " texts");
    return lists;
}

void robust_returned(struct robust *r, uint64_t value)
{
    r->returned = value;
}

/* --- memory --- */

static void memory_fill(void)
{
    static const char *const words[] = {"shade", "color", "none"};
    for (uint32_t i = 0; i < INPUT / 4; i++) {
        const uint32_t values[] = {1, 2, 3, 0, 7, 999};
        memcpy(numbers + (size_t)i * 4, &values[i % 6], 4);
    }
    for (int i = 0; i < VERTICES; i++) { /* drivers have died of vertices without a place */
        vertices[i][0] = (float)(i % 7) / 3.5f - 1;
        vertices[i][1] = (float)(i % 5) / 2.5f - 1;
        vertices[i][3] = 1;
    }
    for (int i = 0; i < COUNT(texts); i++) {
        snprintf(texts[i], sizeof texts[i], "%s", words[i]);
    }
    for (int i = 0; i < TEXTS; i++) {
        lists[i] = texts[i % COUNT(texts)];
    }
}

/* --- calling --- */

static uint64_t hash(const uint8_t *bytes, size_t size)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < size; i++) {
        h = (h ^ bytes[i]) * 1099511628211u;
    }
    return h;
}

static size_t touched(void)
{
    size_t end = sizeof output;
    while (end != 0 && output[end - 1] == PATTERN) {
        end--;
    }
    return end;
}

static void one_call(const struct robust_call *c, uint64_t seed)
{
    struct robust r = {.seed = seed};
    while (glGetError() != GL_NO_ERROR) {
    }
    memset(output, PATTERN, sizeof output);
    output_used = 0;
    c->call(&r);
    GLenum error = glGetError();
    size_t size = touched();
    printf("%s%s = %llx: %x,", c->name, r.arguments, (unsigned long long)r.returned, error);
    if (size != 0) {
        printf(" %zu bytes %llx", size, (unsigned long long)hash(output, size));
    }
    puts("");
}

static void all_rounds(const struct plain_egl *egl, EGLSurface surface, int version, int index,
                       int rounds)
{
    EGLContext context = plain_egl_context(egl, version, EGL_NO_CONTEXT);
    plain_egl_current(egl, surface, context);
    robust_world(version, (const float(*)[4])vertices, zeros);
    for (int round = 0; round < rounds; round++) {
        one_call(&robust_calls[index], (uint64_t)index * 1000 + (uint64_t)round);
    }
    plain_egl_current(egl, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglDestroyContext(egl->display, context);
}

int main(int argc, char **argv)
{
    int version = 0, rounds = ROUNDS;
    const char *only = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--version") == 0) {
            version = atoi(argv[i + 1]);
        } else if (strcmp(argv[i], "--rounds") == 0) {
            rounds = atoi(argv[i + 1]);
        } else if (strcmp(argv[i], "--call") == 0) {
            only = argv[i + 1];
        }
    }
    if (version < 1 || version > 3) {
        fputs("usage: robust --version 1|2|3 [--rounds N] [--call NAME]\n", stderr);
        return 2;
    }
    struct plain_egl egl;
    setvbuf(stdout, NULL, _IOLBF, 0); /* a driver that dies leaves the call before it */
    memory_fill();
    plain_egl_open(&egl);
    EGLSurface surface = plain_egl_pbuffer(&egl, ROBUST_SIDE);
    for (int i = 0; i < robust_call_count; i++) {
        if (only == NULL || strcmp(only, robust_calls[i].name) == 0) {
            all_rounds(&egl, surface, version, i, rounds);
        }
    }
    plain_egl_close(&egl);
    return 0;
}
