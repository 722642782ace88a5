/* What a trace needs of a host, by what its calls name. Main thread. */
#ifndef SLUICE_INFO_NEEDS_H
#define SLUICE_INFO_NEEDS_H

#include "tools/sluice/trace.h"

/* info --requirements: reads all calls; reader: opened, scanned or not. Returns an exit code. */
int info_needs(const char *path, struct cap_reader *reader, bool strict, bool json);

#endif
