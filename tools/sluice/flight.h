/* The outside of a flight recorder: traces of what its store holds, written when something asks for
 * one. The host fills the store and knows nothing of this; a host that is gone leaves it behind. */
#ifndef SLUICE_FLIGHT_H
#define SLUICE_FLIGHT_H

#include "tools/sluice/record_said.h"

#include <stdbool.h>
#include <stdint.h>

struct flight;

struct flight_options {
    const char *socket;       /* the host's; borrowed */
    const char *store;        /* where its chunks are; borrowed */
    const char *pattern;      /* of the traces' names; borrowed */
    uint64_t ns;              /* what is asked for; 0: all that is there */
    struct record_said *said; /* borrowed */
    int level;
    bool force;
    bool needs_calls; /* as in struct host_record */
};

/* A thread of its own from now on: the process has others. NULL: the reason was said. */
struct flight *flight_begin(const struct flight_options *options);
/* One trace of what is there now, soon; said when it is complete. why: a few words. */
void flight_pull(struct flight *flight, const char *why);
/* Writes what was asked for, and with `why` (nullable) one more: the host is over. Removes the
 * store, unless a trace could not be written. Gives how many there are, and whether all went well.
 * Takes NULL. */
uint64_t flight_end(struct flight *flight, const char *why, bool *ok);

#endif
