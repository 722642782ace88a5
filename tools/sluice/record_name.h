/* The names of what record writes: patterns with %n program, %t UTC time, %p process, %i the file's
 * number, %% itself. */
#ifndef SLUICE_RECORD_NAME_H
#define SLUICE_RECORD_NAME_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* The pattern of a recording: %n and %p are filled in, the path is absolute. False: the reason was
 * said. */
bool record_name_begin(const char *pattern, const char *program, char out[PATH_MAX]);
/* The name of file number `index` (from 0), from such a pattern: what has neither %i nor %t gets
 * "-INDEX" before its suffix from the second on. False: it is too long. */
bool record_name_of_file(const char *pattern, uint64_t index, char out[PATH_MAX]);
/* The path as people read it: what lies in the present directory without it. */
const char *record_name_shown(const char *path);
/* A pattern that means this path. False: it is too long. */
bool record_name_quote(const char *path, char out[PATH_MAX]);

#endif
