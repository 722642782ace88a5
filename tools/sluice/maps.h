/* Which GL and Vulkan drivers other than ours a program has mapped. */
#ifndef SLUICE_MAPS_H
#define SLUICE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Bits: what kinds of driver are looked for. */
enum maps_kind { MAPS_GL = 1, MAPS_VULKAN = 2, MAPS_ALL = 3 };

/* Looks at `pid` and what it started (at most 256 processes). True: name holds the file's name. */
bool maps_other_driver(pid_t pid, unsigned kinds, char *name, size_t size);
/* Is a library of this file name another driver of one of these kinds? */
bool maps_is_driver(const char *file, unsigned kinds);

#endif
