/* A context type without graphics, for tests of the device and its fronts: it writes to its
 * resources, begins and ends tasks, loses itself, and keeps ring threads that outlive their blob's
 * unref. */
#ifndef TESTS_ECHO_TYPE_H
#define TESTS_ECHO_TYPE_H

#include "host/context.h"

#define ECHO_CAPSET       60u
#define ECHO_CAPSET_BYTES 24u

/* A submit is a row of these words: opcode, a, b, c, d. */
enum {
    ECHO_FILL = 1, /* a: resource, b: offset, c: size, d: byte. INVALID outside of it, NOTFOUND when
                      not attached */
    ECHO_TASK = 2, /* a: ring, b: slot (below ECHO_SLOTS): a task begins */
    ECHO_DONE = 3, /* b: slot: it is done */
    ECHO_LATER = 4, /* a: microseconds (1 s at most), b: slot: it is done by another thread */
    ECHO_LOSE = 5,  /* the context is lost, from its own thread */
    ECHO_RING = 6,  /* a: resource: a thread counts in its first word until the context ends */
    ECHO_OFFER = 7, /* a: blob id, b: size: the next blob with this id gets memory, once */
    ECHO_PACKET =
        8, /* a: ring id, b: opcode: a packet with these 20 bytes for the tap, reply "ok" */
};
#define ECHO_WORDS 5u
#define ECHO_SLOTS 64u

struct echo_command {
    uint32_t opcode, a, b, c, d;
};

extern const struct hct_type echo_type;
/* The same behind another capset, with a provider that counts textures and refuses those wider than
 * ECHO_WIDE_PX. */
#define ECHO_TEX_CAPSET 61u
#define ECHO_WIDE_PX    8000u
extern const struct hct_type echo_tex_type;
/* A type whose driver cannot be set up. */
extern const struct hct_type echo_broken_type;

/* Textures that the one provider of echo_tex_type holds (of all devices of the process), and
 * transfers it was asked for. */
uint32_t echo_tex_count(void);
uint32_t echo_tex_transfers(void);
/* Contexts and their threads that live, of all devices of the process. */
uint32_t echo_live(void);
/* Contexts that were destroyed while one was there that nobody had asked to stop. */
uint32_t echo_ended_early(void);

#endif
