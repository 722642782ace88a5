/* A scripted guest on the other end of a real ring, whose thread runs the handlers of a test.
 *
 * Embedded first in a test's own struct: that is the user of the ring, its bindings and its
 * handlers. On the test's thread, but for what says atomic. */
#ifndef RING_GUEST_H
#define RING_GUEST_H

#include "asg/writer.h"
#include "host/ring/ring.h"

struct ring_guest {
    void *memory;
    struct asg_writer writer;
    struct hr_ring *ring;
    char reason[192];    /* why it is lost; whole when `lost` is not 0 */
    uint32_t lost, gone; /* atomic: how often */
    /* Atomic, of ring_guest_block: it is in there; it may come back. */
    uint32_t blocked, release;
};

/* config: memory, user, lost and gone are filled in. A failure ends the test. */
void ring_guest_init(struct ring_guest *g, struct hr_config config, uint32_t preamble);
/* The ring ends, if it is still there. */
void ring_guest_finish(struct ring_guest *g);

/* A packet {opcode, length, value}. */
void ring_guest_put(struct ring_guest *g, uint32_t opcode, uint32_t length, uint32_t value);
/* One whose answer is a word; it is returned. */
uint32_t ring_guest_ask(struct ring_guest *g, uint32_t opcode, uint32_t value);
/* For asg's waits, user: the guest. False: its ring is lost. */
bool ring_guest_alive(void *user);
/* Until the flag is not 0, ten seconds at most. */
bool ring_guest_soon(const uint32_t *flag);

/* Handlers. Answers with the word that came. */
void ring_guest_echo(struct hr_call *call);
/* As a driver that hangs: until `release`, and watches nothing else. */
void ring_guest_block(struct hr_call *call);
void ring_guest_hang(struct ring_guest *g);

#endif
