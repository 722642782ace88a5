/* sluice replay --backend decode: every packet taken apart by the tables, none carried out. */
#ifndef SLUICE_REPLAY_DECODE_H
#define SLUICE_REPLAY_DECODE_H

#include "tools/sluice/range.h"
#include "host/capture/cap_merge.h"

/* frames: those that are taken apart. Returns an exit code: DIVERGED when a packet that was
 * accepted while recording is none that the tables know. */
int replay_decode(const char *path, struct cap_reader *reader, const struct range *frames,
                  bool strict, bool json);

#endif
