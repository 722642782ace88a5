/* What a host's clients waited for: replies, by the names of their calls and by frames.
 *
 * Stands between a device and its front, as a sink; counts only while the device's tap is on. Any
 * thread gives packets; the report comes when the device is gone. */
#ifndef SLUICE_HOST_STATS_H
#define SLUICE_HOST_STATS_H

#include "transport/virtgpu/vgd.h"

#include <stdio.h>

/* Frames until a program has what it needs: those behind count as the steady state. */
#define HOST_STATS_WARM 10u

struct host_stats;

struct host_stats *host_stats_create(const struct vgd_sink *front); /* NULL: no memory */
void host_stats_destroy(struct host_stats *stats);                  /* takes NULL */
struct vgd_sink host_stats_sink(struct host_stats *stats);
/* Lines for people; a call is said to have waited when the host sent it a reply. */
void host_stats_report(struct host_stats *stats, FILE *out);

#endif
