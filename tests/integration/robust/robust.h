/* A program that calls every function of OpenGL ES with arguments that are wrong in every way, and
 * right ones between, and prints of each call what came of it: `call = returned: error, bytes`,
 * where bytes is a hash of what it wrote.
 *
 * Plain EGL and GLES; knows nothing of Sluice. refused_test.py compares a native run with one
 * through Sluice. The calls come from the registry (robust_gen.py); arguments are chosen here, the
 * same ones in each run. */
#ifndef ROBUST_H
#define ROBUST_H

#include "tests/integration/plain_egl.h"
#include "tests/integration/robust/robust_pick.h"

#include <EGL/egl.h>
#include <GLES3/gl32.h>

#include <stddef.h>
#include <stdint.h>

struct robust_call {
    const char *name;
    const char *extensions;         /* empty: of the core; else any of these brings it */
    void (*call)(struct robust *r); /* NULL: no argument is known for one of its types */
    int pointers;                   /* parameters that are a place in memory */
};
extern const struct robust_call robust_calls[];
extern const int robust_call_count;
/* All enums of the API. */
extern const GLenum robust_values[];
extern const int robust_value_count;

/* Of each kind objects 1 to 3 live, and one more was deleted. */
enum { ROBUST_SIDE = 16, ROBUST_OBJECTS = 3, ROBUST_DELETED = ROBUST_OBJECTS + 1 };

/* Calls that are not made, by patterns of fnmatch for the call with its arguments; NULL ends. */
struct robust_left_out {
    const char *pattern, *why;
};
extern const struct robust_left_out robust_left_out[];

/* Objects of every kind, the first of each bound, in a fresh context; arrays of which each draw can
 * be made. */
void robust_world(int version, const float vertices[][4], const void *zeros);
/* What a context is in the middle of: a program missing, a buffer mapped. version: the least. */
struct robust_state {
    const char *name;
    int version;
    void (*enter)(void);
};
extern const struct robust_state robust_states[];
extern const int robust_state_count;
/* Errors may be left. */
void robust_enter(const struct robust_state *state);
/* In another context: binds what its group has of the world's. */
void robust_bind(int version, const float vertices[][4]);
/* Deletes what groups have of all objects of the world. */
void robust_delete(int version);
/* An EGLImage of the world's, NULL: it has none. */
extern void *robust_world_image;

/* A function of an extension. */
void *robust_proc(const char *name);

/* One of these, or none of GL's. */
GLenum robust_enum(struct robust *r, const GLenum *enums, int count);
/* Of a place in memory that is there. */
GLint robust_near(struct robust *r);
GLint robust_int(struct robust *r);
GLsizei robust_size(struct robust *r);
GLuint robust_name(struct robust *r);
GLfloat robust_float(struct robust *r);
int32_t robust_fixed(struct robust *r);
/* Some of these, or what none of them is. */
GLbitfield robust_bits(struct robust *r, const GLenum *bits, int count);
GLsync robust_sync(struct robust *r);
void *robust_image(struct robust *r);
GLDEBUGPROC robust_told(struct robust *r);
/* Memory that is large enough for any of the sizes. */
const void *robust_input(struct robust *r);
void *robust_output(struct robust *r);
void **robust_address(struct robust *r);
const void *const *robust_inputs(struct robust *r);
const GLchar *robust_text(struct robust *r);
const GLchar *const *robust_texts(struct robust *r);
void robust_returned(struct robust *r, uint64_t value);

/* --- robust.c --- */

void robust_world_begin(void);
void robust_world_end(void);
bool robust_is_called(const struct robust_call *c);
/* One that makes no names, which are the driver's choice. *tries: how many were looked at. */
const struct robust_call *robust_call_any(struct robust *choice, uint64_t *tries);
/* Makes it and prints its line; asks: for its error, else that stays. */
void robust_call_make(const struct robust_call *c, struct robust *r, bool asks);

/* No error is left for the next glGetError. */
void robust_errors_clear(void);

/* --- robust_turns.c --- */

/* Any functions one behind the other, by turns in two contexts of a group; errors stay until
 * somebody asks. rounds: worlds. The contexts are those of the world that is. */
void robust_turns(const struct plain_egl *egl, EGLSurface surface, const EGLContext *first,
                  const EGLContext *second, int rounds);
/* The same, each context on a thread of its own; one calls at a time. */
void robust_threads(const struct plain_egl *egl, EGLSurface surface, const EGLContext *first,
                    const EGLContext *second, int rounds);

/* With the arguments chosen: false where a driver dies of the call. */
bool robust_may_go(struct robust *r);

/* --- robust_nulls.c --- */

/* Each function that takes places in memory, with each of these and all of them NULL. A driver
 * that dies of a call does not end the program: the line says `died`. died: numbers of the calls
 * that another run of the program died of, with commas between; these are not made; NULL: none. */
void robust_nulls(int rounds, const char *died);

/* --- robust_lost.c --- */

/* In a world before it is lost. version: major. */
void robust_lost_prepare(int version);
/* Says `lose`, waits for a line that says that what draws was ended, and for GL to tell so; then
 * calls each function, and says what who polls is told. */
void robust_lost(int rounds);

void robust_memory_fill(void);
const void *robust_zeros(void);
/* Before a call, and behind it: what it wrote. */
void robust_outputs_clear(void);
void robust_outputs_print(void);

#endif
