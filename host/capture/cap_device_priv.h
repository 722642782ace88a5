/* The recorder's inside: what cap_device.c and cap_verbs.c share. */
#ifndef HOST_CAP_DEVICE_PRIV_H
#define HOST_CAP_DEVICE_PRIV_H

#include "host/capture/cap_recording.h"
#include "transport/base/map.h"

struct cap_device {
    struct vgd vgd; /* first */
    struct vgd *inner;
    struct vgd_sink front;
    struct vgd_recorder recorder;
    uint32_t epoch;       /* atomic */
    uint32_t wants_pixel; /* atomic */
    uint32_t recordings;  /* started so far */
    struct cap_memory memory;
    pthread_mutex_t lock;            /* guards down to `contexts` */
    struct cap_recording *recording; /* nullable; counted */
    struct sl_map contexts;          /* struct cap_seen */
    struct sl_map resources;         /* struct cap_seen; device thread alone */
};

/* What lives, and which recording saw it come: another one knows nothing of it. */
struct cap_seen {
    uint32_t recording;
    uint32_t capset;  /* contexts */
    uint64_t blob_id; /* resources; 0: a ring's, or none */
    uint32_t ctx_id;
    bool is_tex, has_pages;
    void *mapping; /* ours, where the device has none; nullable */
    uint64_t mapping_size;
};

/* cap_verbs.c */
extern const struct vgd_ops cap_device_ops;
/* All that lived is gone. */
void cap_device_forget(struct cap_device *device);

#endif
