/* What the kept frames of a trace use of its snapshot, and what of the snapshot can be left out.
 *
 * Objects stay, so names and ids are what they were; contents go that nothing can see: pixels and
 * bytes of OpenGL ES textures and buffers that neither the frames nor the state name, Vulkan memory
 * that no object lies in which the frames name, or which those need. One thread. */
#ifndef SLUICE_TRIM_REACH_H
#define SLUICE_TRIM_REACH_H

#include "host/capture/cap_merge.h"

struct reach;

/* NULL: no memory. */
struct reach *reach_create(void);
void reach_destroy(struct reach *reach);
/* First all of the snapshot's records, in order, then the frames'. */
void reach_look(struct reach *reach, const struct cap_event *event, bool in_snapshot);
/* Then: whether a record of the snapshot can be left out; again all of them in order. A packet that
 * others count is made empty instead: the event then points into `reach` until the next one. */
bool reach_drops(struct reach *reach, struct cap_event *event);
/* The same of a piece of a memory record. */
bool reach_drops_piece(struct reach *reach, uint32_t resource_id, uint64_t offset, uint32_t size);
/* Bytes of packets and of memory that were left out. */
uint64_t reach_saved(const struct reach *reach);

#endif
