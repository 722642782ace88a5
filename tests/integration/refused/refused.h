/* A program that asks GL what it must refuse, and prints of each call what came of it: `call:
 * error, bytes`, where bytes is what the call wrote into memory that held a pattern before.
 *
 * Plain EGL and GLES; knows nothing of Sluice. refused_test.py compares a native run with one
 * through Sluice. Valid calls stand between, with every parameter that the getter knows. */
#ifndef REFUSED_H
#define REFUSED_H

#include "tests/integration/plain_egl.h"

#include <GLES3/gl31.h>
#include <GLES2/gl2ext.h>

#include <stddef.h>
#include <stdint.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

enum { UNKNOWN = 9999, NO_ENUM = 0x1234, TEXT = 64 };

/* Where every call of ASK writes. */
extern union refused_memory {
    unsigned char bytes[4096];
    GLint ints[1024];
    GLuint names[1024];
    GLenum enums[1024];
    GLfloat floats[1024];
    GLint64 longs[512];
    GLboolean booleans[4096];
    void *pointers[512];
    /* texts with their length, as many getters give them */
    struct {
        GLsizei length;
        GLint size;
        GLenum type;
        GLchar text[256];
    } text;
} out;

/* Make the call; print what it did under the name that the rest formats. */
#define ASK(call, ...)                                                                             \
    do {                                                                                           \
        refused_before();                                                                          \
        call;                                                                                      \
        refused_after(__VA_ARGS__);                                                                \
    } while (0)
/* A call that returns an integer. */
#define ASK_VALUE(call, ...)                                                                       \
    do {                                                                                           \
        refused_before();                                                                          \
        out.longs[0] = (GLint64)(call);                                                            \
        refused_after(__VA_ARGS__);                                                                \
    } while (0)

void refused_before(void);
void refused_after(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A linked program with attributes, uniforms and, from version 3 on, blocks and varyings. */
struct refused_program {
    GLuint vertex, fragment, program;
};
struct refused_program refused_program(int version);

/* Each its file. version: of the context, 2 or 3. */
void refused_programs(int version);
void refused_blocks(void);
void refused_objects(int version);
void refused_state(int version);
void refused_pixels(int version);
void refused_without_surface(int version);

#endif
