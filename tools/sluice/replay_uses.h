/* What a trace uses that is another thing on this driver, or not there, and what is said of it. */
#ifndef SLUICE_REPLAY_USES_H
#define SLUICE_REPLAY_USES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define USES_MAX 256u

struct use {
    const char *kind; /* memory type, queue family, format, feature, extension */
    char was[64];
    char is[64]; /* empty: there is none */
    uint64_t call, frame;
    bool is_dropped; /* there is none, and with --portable it goes without */
};

struct uses {
    struct use list[USES_MAX];
    uint32_t count;
};

/* The one of that kind and name, added where it is not there. NULL: there are too many. */
struct use *uses_note(struct uses *uses, const char *kind, const char *was, const char *is,
                      uint64_t call, uint64_t frame);
/* "; memory types remapped 3→1; queue families ...": what was changed, or nothing. */
void uses_write_line(const struct uses *uses, FILE *out);
/* What --plan says. json: a member, with ", " before it. */
void uses_print_plan(const struct uses *uses, bool json);
/* Something has nothing here in its place. portable: of what cannot be left out; else of what would
 * be. */
bool uses_are_missing(const struct uses *uses, bool portable);
/* A table of that, a line each: needed, first use, here, remedy. */
void uses_say_missing(const struct uses *uses, bool portable);

#endif
