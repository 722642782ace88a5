/* Reading all of a trace: info --check, and counts where no index has them. Main thread. */
#ifndef SLUICE_INFO_CHECK_H
#define SLUICE_INFO_CHECK_H

#include "tools/sluice/info_count.h"
#include "tools/sluice/progress.h"
#include "tools/sluice/trace.h"

struct trace_walk {
    uint64_t frames, calls;
    uint64_t calls_behind; /* the last frame's mark */
    uint32_t damages;
    struct info_count *count; /* all of it; nullable */
};

/* Every record and every piece of memory. Damage is said and passed by. Returns 0, DAMAGED, or
 * another exit code that was said. */
int trace_walk_all(const char *path, struct cap_reader *reader, struct trace_walk *walk,
                   struct progress *progress);

/* reader: not scanned yet. Returns an exit code. */
int info_check(const char *path, struct cap_reader *reader, bool strict, bool json,
               struct progress *progress);

#endif
