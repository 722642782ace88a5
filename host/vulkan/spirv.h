/* SPIR-V held against its specification, by the Khronos Group's validator: for hosts that serve
 * strangers (hct_options.is_valid_spirv). A library of its own, as the validator is C++. */
#ifndef HOST_VULKAN_SPIRV_H
#define HOST_VULKAN_SPIRV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef bool (*spirv_check)(const uint32_t *words, size_t count, char *why, size_t size);

/* What looks, as hct_options want it: in some seconds at most, and with up to 90 bytes of memory
 * for each one of the module; what would take longer is none to it (structures deeper in each other
 * than 64 to 1,023, the fewer the more blocks there are; more than 16,384 blocks of a function).
 * NULL: this was built without SPIRV-Tools. */
spirv_check spirv_checker(void);

#endif
