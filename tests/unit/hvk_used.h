/* Shaders of hvk_unwritten_test.c. */
#ifndef HVK_USED_H
#define HVK_USED_H

#include <stdint.h>

#define USED_COMPUTE_WORDS  944u
#define USED_FRAGMENT_WORDS 993u
extern const uint32_t used_compute_spv[USED_COMPUTE_WORDS];
extern const uint32_t used_fragment_spv[USED_FRAGMENT_WORDS];

#endif
