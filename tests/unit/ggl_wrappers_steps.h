/* A run of GL calls, step by step, and what of it may differ from upstream's bytes. */
#ifndef TESTS_GGL_WRAPPERS_STEPS_H
#define TESTS_GGL_WRAPPERS_STEPS_H

#include "guest/gles_entry.h"
#include "tests/support/ggl_script.h"

struct ggl_run {
    struct ggl_script script; /* first: steps get the context through ggl_current() */
    GLint result;
    uint8_t pixels[256];
};

/* How our bytes may differ from upstream's. */
enum ggl_rule {
    SAME,
    OWN, /* the bytes given: an upstream bug, or memory that is not the application's to read */
};

struct ggl_step {
    const char *call; /* how the golden line's call starts */
    void (*run)(struct ggl_run *r);
    enum ggl_rule rule;
    const char *own; /* OWN: hex */
    bool has_result;
    GLint result;
    const char *reason; /* why the rule is not SAME */
};

/* In order: they depend on each other. */
extern const struct ggl_step ggl_steps[];
extern const size_t ggl_step_count;

/* A fixture of what the steps run on. */
void ggl_run_init(struct ggl_run *r);
void ggl_run_finish(struct ggl_run *r);

#endif
