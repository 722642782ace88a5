/* Which drivers a trace needs: those of the contexts that it makes. Loading one that it does not
 * make costs as much as playing a short trace. */
#ifndef SLUICE_TRACE_TYPES_H
#define SLUICE_TRACE_TYPES_H

#include "host/capture/cap_reader.h"
#include "host/context.h"

#include <stdbool.h>

/* Fills types, NULL-terminated, for the device that plays it. All of them where a trace cannot be
 * read, and where a GPU was chosen, which is to be there. Main thread. */
#define TRACE_TYPES 8u
void trace_types(struct cap_reader *reader, const struct hct_options *options,
                 const struct hct_type *types[TRACE_TYPES]);
/* At most one stream of calls is in it. */
bool trace_has_one_ring(const struct cap_reader *reader);

#endif
