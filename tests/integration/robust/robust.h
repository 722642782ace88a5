/* A program that calls every function of OpenGL ES with arguments that are wrong in every way, and
 * right ones between, and prints of each call what came of it: `call number: error, bytes`, where
 * bytes is what it returned and a hash of what it wrote.
 *
 * Plain EGL and GLES; knows nothing of Sluice. refused_test.py compares a native run with one
 * through Sluice. The calls come from the registry (robust_gen.py); arguments are chosen here, the
 * same ones in each run. */
#ifndef ROBUST_H
#define ROBUST_H

#include "tests/integration/robust/robust_pick.h"

#include <GLES3/gl32.h>

#include <stddef.h>
#include <stdint.h>

struct robust_call {
    const char *name;
    void (*call)(struct robust *r);
};
extern const struct robust_call robust_calls[];
extern const int robust_call_count;

enum { ROBUST_SIDE = 16, ROBUST_OBJECTS = 3 };

/* Objects 1 to 3 of every kind, the first of each bound, in a fresh context; arrays of which each
 * draw can be made. */
void robust_world(int version, const float vertices[][4], const void *zeros);

/* One of these, or none of GL's. */
GLenum robust_enum(struct robust *r, const GLenum *enums, int count);
GLint robust_int(struct robust *r);
GLsizei robust_size(struct robust *r);
GLuint robust_name(struct robust *r);
GLfloat robust_float(struct robust *r);
int32_t robust_fixed(struct robust *r);
GLbitfield robust_bits(struct robust *r);
GLsync robust_sync(struct robust *r);
/* Memory that is large enough for any of the sizes. */
const void *robust_input(struct robust *r);
void *robust_output(struct robust *r);
const GLchar *robust_text(struct robust *r);
const GLchar *const *robust_texts(struct robust *r);
void robust_returned(struct robust *r, uint64_t value);

#endif
