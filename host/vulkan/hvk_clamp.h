/* Shaders whose indices stay in their arrays: a driver of the CPU looks at those of buffers and
 * images, and lets those of shared, private and local arrays, of what stages hand on and of
 * descriptors reach what lies around these in the host's memory.
 *
 * A module that is valid is written anew: an index that is computed is compared with the length of
 * its array, and is that of the last element where it is not in it. What such a shader does is
 * undefined, and all others do what they did. Arrays of a length that a pipeline chooses become no
 * longer than HVK_CLAMP_CHOSEN bytes. */
#ifndef HOST_HVK_CLAMP_H
#define HOST_HVK_CLAMP_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most that one shader declares of one sort, in bytes of one invocation: drivers count in 32 bits,
 * and take what is local from a thread's stack. */
#define HVK_CLAMP_SHARED (1u << 20)
#define HVK_CLAMP_OWN    (1u << 18)
/* Most of one array with a length that a pipeline chooses, in bytes. */
#define HVK_CLAMP_CHOSEN (1u << 16)

struct hvk_clamped {
    uint32_t *words; /* the caller's, sl_free; NULL: nothing had to change */
    size_t count;
};

/* words: whose shape was looked at (hvk_is_spirv); what else is wrong with them is refused or goes
 * on into *out, and hurts nobody here. clears_shared: variables of a workgroup begin as zeros, for
 * which the device has the feature shaderZeroInitializeWorkgroupMemory. Any thread.
 * SL_OK; UNSUPPORTED: it can not be done, *why says in static text why; NOMEM. */
enum sl_result hvk_clamp(const uint32_t *words, size_t count, bool clears_shared,
                         struct hvk_clamped *out, const char **why);

#endif
