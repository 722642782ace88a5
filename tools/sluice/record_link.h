/* Wishes to a host about its recordings: one that runs (serve, device), or a private one. One
 * thread each. */
#ifndef SLUICE_RECORD_LINK_H
#define SLUICE_RECORD_LINK_H

#include "transport/local/local_control.h"

#include <stdbool.h>
#include <stddef.h>

struct record_link {
    const char *path;              /* borrowed; the socket's */
    struct local_control *control; /* nullable */
    int machine;                   /* -1: it is none */
};

/* Returns an exit code; the reason was said. */
int record_link_open(struct record_link *link, const char *path);
void record_link_close(struct record_link *link);
/* A wish of host_record.h's and its answer. Returns an exit code; the reason was said, but for a
 * host that is gone and `is_quiet`. */
int record_link_ask(struct record_link *link, const char *wish, bool is_quiet, char *reply,
                    size_t size);

#endif
