/* Two folders of pictures, compared name by name; difference pictures and one page that shows them
 * side by side. Main thread. */
#ifndef SLUICE_DIFF_PICTURES_H
#define SLUICE_DIFF_PICTURES_H

#include <stdbool.h>
#include <stdint.h>

struct pictures_options {
    uint32_t fuzz;        /* channels that differ by no more than this are equal */
    const char *out;      /* a folder for index.html and what it shows; NULL: nothing is written */
    const char *names[2]; /* what the page calls the sides */
    bool force;           /* overwrite what is in `out` */
    bool json;
};

struct pictures_result {
    uint64_t pictures;  /* names on either side */
    uint64_t differing; /* those that only one side has included */
};

/* What does not end with .png is passed by. Prints a line for each picture that differs, on stdout;
 * json: for each.
 * Returns an exit code: DIFFERENT where one does; the reason of others was said. */
int diff_pictures(const char *const folders[2], const struct pictures_options *options,
                  struct pictures_result *result);

#endif
