/* Which GL drivers other than ours a program has mapped. */
#ifndef SLUICE_MAPS_H
#define SLUICE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Looks at `pid` and what it started (at most 256 processes). True: name holds the file's name. */
bool maps_other_driver(pid_t pid, char *name, size_t size);
/* Is a library of this file name another GL driver? */
bool maps_is_driver(const char *file);

#endif
