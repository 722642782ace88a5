/* What recording costs the thread that decodes: a synthetic producer through the recorder. */
#ifndef SLUICE_BENCH_RECORD_H
#define SLUICE_BENCH_RECORD_H

#include "tools/sluice/bench_figures.h"

struct bench_record {
    /* CPU time of the decoding thread for a packet, ns: without a recorder; with one that is off;
     * with one that is on and whose queue is not full; the same, four rings at once. */
    struct bench_figure plain, armed, recorded, recorded_4;
    double file_bytes; /* that a packet takes */
    double full;       /* packets a second when the writer is the bottleneck */
    double full_4;     /* the same, of four rings */
    unsigned long long stalls;
};

#define BENCH_RECORD_PACKET 64u /* bytes; its words change like those of a draw */

/* Writes below `folder`, and removes it again. Ends the process with a line where it cannot: what
 * it needs is memory, threads, and some MiB there. Takes some seconds. */
void bench_record(const char *folder, struct bench_record *out);

#endif
