/* Two hosts of GLES: a state made in one is saved, played into the other, and saved there again.
 *
 * The fixture of the tests of snapshots. Test's thread; a failure ends the test. */
#ifndef GLES_SAVE_PAIR_H
#define GLES_SAVE_PAIR_H

#include "tests/support/gles_twin.h"

struct save_pair {
    struct twin one, other;
    struct twin_list first, again, played;
    uint32_t context;
};

/* `one` has a context. */
void save_pair_init(struct save_pair *p);
void save_pair_finish(struct save_pair *p);
/* Saves `one`, twice, plays it into `other` and saves that: all three are the same. */
void save_expect_twins(struct save_pair *p);
/* What a host answers: a value, its error, the name of a new object. */
GLint save_get(struct twin *t, GLenum name);
uint32_t save_error(struct twin *t);
uint32_t save_gen(struct twin *t, void (*pack)(struct sl_pack *, GLsizei, uint32_t));
/* Bytes that are the same always. */
void save_noise(uint8_t *data, size_t size);
/* A new buffer, bound, of at most 4096 bytes of noise. */
uint32_t save_buffer(struct twin *t, GLenum target, size_t size, GLenum usage);

#endif
