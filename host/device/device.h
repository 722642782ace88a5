/* The device core's constructor: what fronts' owners call. Everything else goes through waist B (vgd.h). */
#ifndef HOST_DEVICE_H
#define HOST_DEVICE_H

#include "host/context.h"
#include "transport/virtgpu/vgd.h"

struct dev_limits {
    uint32_t contexts;       /* 0: 1024 */
    uint32_t resources;      /* 0: 65536 */
    uint64_t resource_bytes; /* 0: 4 GiB */
    uint32_t rings_per_context; /* 0: 256 */
};

/* types: NULL-terminated list of what is offered; NULL: all of host/types.def. sink, options: copied. The native driver is loaded here; an
 * error was logged with its reason. */
enum sl_result dev_create(const struct hct_type *const *types, const struct hct_options *options,
                          const struct dev_limits *limits, const struct vgd_sink *sink, struct vgd **out) SL_MUST_USE;

#endif
