/* The device core's constructor: what fronts' owners call. Everything else goes through waist B
 * (vgd.h).
 *
 * One device thread: the thread that calls dev_create makes every call of waist B. */
#ifndef HOST_DEVICE_H
#define HOST_DEVICE_H

#include "host/context.h"
#include "transport/virtgpu/vgd.h"

/* 0 takes the value in brackets. */
struct dev_limits {
    uint32_t contexts;       /* [1024] live at once */
    uint32_t resources;      /* [65536] live at once */
    uint64_t resource_bytes; /* [4 GiB] in all live resources */
    uint32_t pending;      /* [65536] fences and tasks waiting, per context and for the device-wide
                              timeline */
    uint32_t submit_bytes; /* [1 MiB] of one submit */
};

/* All of host/types.def, NULL-terminated. In a library of its own (sluice::host_types), so that a
 * program with types of its own does not link the native ones. */
extern const struct hct_type *const dev_all_types[];

/* types: NULL-terminated list of what is offered, living as long as the device; sink: copied;
 * options: borrowed (their strings live as long as the device); nullable, like limits. The native
 * drivers are loaded here: any that fails is an error, logged with its reason. */
enum sl_result dev_create(const struct hct_type *const *types, const struct hct_options *options,
                          const struct dev_limits *limits, const struct vgd_sink *sink,
                          struct vgd **out) SL_MUST_USE;

#endif
