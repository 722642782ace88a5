/* Waist B over the C interface that virtual machine monitors link (host/abi), called as rutabaga
 * calls it: the order of calls, the exports behind each creation, the arguments it leaves out. With
 * it any front becomes a monitor of ours, and any guest of that front a guest of
 * libgfxstream_backend.
 *
 * One device at a time. Scanouts are the monitor's own: not here. */
#ifndef TESTS_VGD_ABI_H
#define TESTS_VGD_ABI_H

#include "transport/virtgpu/vgd.h"

struct vgd_abi_options {
    uint64_t flags;       /* STREAM_RENDERER_FLAGS_* */
    const char *features; /* nullable */
};

enum sl_result vgd_abi_create(const struct vgd_abi_options *options, const struct vgd_sink *sink,
                              struct vgd **out) SL_MUST_USE;

#endif
