/* What a file of a recording says of its origin (META): program, machine, driver, options. Device
 * thread. */
#ifndef SLUICE_HOST_RECORD_META_H
#define SLUICE_HOST_RECORD_META_H

#include "tools/sluice/host_record.h"

/* part: of the plan's ranges. NULL: no memory. Free it. */
char *host_record_meta(struct vgd *device, const struct host_record *record, uint32_t part);

#endif
