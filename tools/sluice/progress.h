/* How far a long verb is, on stderr: a line that is written over on a terminal, or JSON lines.
 *
 * Who uses it: verbs that read or play traces. Who walks calls progress_step for each record, which
 * counts and looks at the clock once in a while; ten times a second something is said at most. One
 * thread. */
#ifndef SLUICE_PROGRESS_H
#define SLUICE_PROGRESS_H

#include "host/capture/cap_reader.h"
#include "tools/sluice/opt.h"
#include "transport/base/atomic.h"

/* In a verb's table. */
#define PROGRESS_OPTION                                                                            \
    {                                                                                              \
        .name = "progress", .kind = OPT_CHOICE, .value = "never|auto|json", .fallback = "auto",    \
        .help = "how far it is, on stderr: on a terminal alone, or as JSON lines"                  \
    }

enum progress_mode { PROGRESS_OFF, PROGRESS_LINE, PROGRESS_JSON };

struct progress {
    enum progress_mode mode;
    uint64_t ticks; /* records since it was looked at */
    uint64_t begin_ns, told_ns;
    /* Of the trace: 0: not known */
    uint64_t last_stamp, bytes;
    uint32_t runs, run;    /* it is gone through so often; this time, from 0 */
    uint64_t frame, stamp; /* where it is */
    double part;           /* told so far: it never goes back */
    bool writes;           /* progress_written says it */
};

/* option: its index. prints: the verb writes to stdout as it goes: no line where that is a terminal
 * too. */
void progress_begin(struct progress *progress, const struct opt_set *set, size_t option,
                    bool prints);
/* What is gone through, `runs` times. reader: scanned, or seeking. */
void progress_through(struct progress *progress, const struct cap_reader *reader, uint32_t runs);
/* Says where it is, if that is due. */
void progress_look(struct progress *progress, uint64_t frame, uint64_t stamp);
/* A record of it was gone through. */
static inline void progress_step(struct progress *progress, uint64_t frame, uint64_t stamp)
{
    if (SL_UNLIKELY(progress->mode != PROGRESS_OFF && (++progress->ticks & 1023) == 0)) {
        progress_look(progress, frame, stamp);
    }
}
/* The same of a file that is being written, by its size. NULL: none is now. */
void progress_written(struct progress *progress, const char *path);
/* It is over: the line goes; JSON has a last one, with "done" true. */
void progress_end(struct progress *progress);

#endif
