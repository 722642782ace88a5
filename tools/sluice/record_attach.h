/* Recording what a running host draws: `sluice serve`'s, or `sluice device`'s machine. Main thread.
 */
#ifndef SLUICE_RECORD_ATTACH_H
#define SLUICE_RECORD_ATTACH_H

#include "tools/sluice/host_record.h"

/* Records until the frames are complete, record_stop is asked, a signal ends us or the host goes.
 * record->path: absolute. Returns an exit code; the reason was said. *recorded: is_told when it was
 * recorded. */
int record_attach(const char *socket, const struct host_record *record,
                  struct host_recorded *recorded);
/* Ends a recording of the host. Returns as the above. */
int record_stop(const char *socket, struct host_recorded *recorded);

#endif
