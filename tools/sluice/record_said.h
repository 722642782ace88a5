/* What is said of the files that were recorded: a line each on stderr, and with --json one document
 * on stdout, behind all that the program wrote there. */
#ifndef SLUICE_RECORD_SAID_H
#define SLUICE_RECORD_SAID_H

#include "tools/sluice/host_record.h"

#include <pthread.h>
#include <stdio.h>

struct record_said {
    pthread_mutex_t lock; /* guards what follows */
    FILE *out;            /* files' parts of the document; NULL: none is wanted */
    char *text;
    size_t size;
    uint64_t count;
};

/* False: no memory, which was said. Finish it in any case. */
bool record_said_init(struct record_said *said, bool json);
/* One file is there. Returns an exit code. Any thread. */
int record_said_file(struct record_said *said, const struct host_recorded *recorded);
/* It has nothing that could be replayed. */
bool record_said_is_empty(const struct host_recorded *recorded);
/* prints: the document. */
void record_said_finish(struct record_said *said, bool prints);

#endif
