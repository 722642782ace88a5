/* Where a trim writes. OUT gets what was written when it is whole, and not before: what had the
 * name stays until then, and nothing is left of a trim that fails or that a signal ends.
 *
 * What is written is OUT.part, which must not be there. What is no file, "-" for standard output
 * among it, is given the bytes at the end. One at a time; main thread. */
#ifndef SLUICE_TRIM_OUTPUT_H
#define SLUICE_TRIM_OUTPUT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* Behind the work's name while what the frames do not use is left out. */
#define TRIM_OUTPUT_REACHED ".reached"

struct trim_output {
    const char *name;      /* as it was asked for; borrowed */
    char work[PATH_MAX];   /* to write, replacing what is there */
    char folder[PATH_MAX]; /* temporary, where the work lies; empty: none */
    bool is_stream;        /* OUT is no file */
    bool replaces;
};

/* Returns an exit code; the reason was said. */
int trim_output_begin(struct trim_output *output, const char *name, bool replaces);
/* code: how the trim ended; OK: OUT gets the work, *size its bytes. Returns an exit code; what was
 * begun is gone in any case. */
int trim_output_end(struct trim_output *output, int code, uint64_t *size);

#endif
