/* A GLES context of the host whose native drivers draw nothing and whose ring is fed with bytes:
 * every decoder and hand-written handler, on the caller's thread, without Mesa. For fuzzers and
 * tests. */
#ifndef FED_GLES_H
#define FED_GLES_H

#include "host/gles/hgl_provider.h"
#include "host/ring/ring.h"
#include "tests/support/task_count.h"

struct fed_gles {
    struct task_count tasks; /* first: hct_env's user */
    struct hct_env env;
    struct hgl_provider *provider;
    struct hct_context *context;
    struct hr_config config;
    void *state;
    struct hr_ring *ring;
    uint8_t stage[32768]; /* what its guest shares for bulky data */
    uint32_t gles_context, gles1_context, surface; /* renderControl's handles; 0 before open */
    uint32_t last_reply;                           /* the first four bytes of it */
    uint64_t replies;
    bool lost;
};

/* A native EGL that hands out numbers (fake_egl.c); its GLES is the generated fake. */
void fake_egl_fill(struct hgl_driver *driver);

/* The provider and a context of it; ring ready, nothing current. False: no memory. */
bool fed_gles_init(struct fed_gles *fed);
/* Makes a GLES 2+ (es1: a GLES 1) context current with a pbuffer, by packets. */
bool fed_gles_current(struct fed_gles *fed, bool es1);
void fed_gles_finish(struct fed_gles *fed);

#endif
