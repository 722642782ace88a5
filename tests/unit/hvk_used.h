/* Shaders of hvk_unwritten_test.c and hvk_clamp_test.c. */
#ifndef HVK_USED_H
#define HVK_USED_H

#include <stdint.h>

#define USED_COMPUTE_WORDS  944u
#define USED_FRAGMENT_WORDS 993u
extern const uint32_t used_compute_spv[USED_COMPUTE_WORDS];
extern const uint32_t used_fragment_spv[USED_FRAGMENT_WORDS];

/* Of one storage buffer, with the kind of array pushed (below HVK_INDEX_KINDS) and the
 * specialization constant 0 for the length of one. */
#define HVK_INDEX_WORDS 943u
#define HVK_INDEX_KINDS 7u
extern const uint32_t hvk_index_spv[HVK_INDEX_WORDS];

/* Of one storage buffer: what it pushes (0: nothing) is written to shared memory first. */
#define HVK_LEFT_WORDS 651u
extern const uint32_t hvk_left_spv[HVK_LEFT_WORDS];

#endif
