/* The inside of a snapshot: what cap_snapshot.c and cap_snapshot_verbs.c share. */
#ifndef HOST_CAP_SNAPSHOT_PRIV_H
#define HOST_CAP_SNAPSHOT_PRIV_H

#include "host/capture/cap_device_priv.h"

/* One snapshot being written. Device thread. */
struct cap_saving {
    struct cap_device *device;
    struct cap_recording *recording;
    struct cap_lane verbs, memory;
    uint64_t records;
    bool failed;          /* no memory */
    bool is_last;         /* vgd_saver.is_last */
    struct cap_bytes did; /* of vgd_saver.did: struct cap_done, packet, reply, and so on */
    /* Of the context that is being saved: */
    uint32_t ctx_id, capset;
};

/* A packet that saving has carried out. */
struct cap_done {
    uint32_t ring_id;
    size_t size, reply_size;
};

/* What came, in the order in which it came. */
struct cap_step {
    uint64_t order;
    enum { CAP_STEP_CONTEXT, CAP_STEP_RESOURCE, CAP_STEP_ATTACH, CAP_STEP_RING } kind;
    uint32_t ctx_id, resource_id;
    struct cap_seen *what;
};

struct cap_steps {
    struct cap_step *items;
    size_t count, capacity;
};

/* cap_snapshot.c: records of it. */
void cap_saving_verb(struct cap_saving *s, enum cap_verb verb, const void *body, size_t size,
                     const void *rest, size_t rest_size);
void cap_saving_memory(struct cap_saving *s, uint32_t resource_id);

/* cap_snapshot_verbs.c: all but what comes of packets, in order. False: no memory. */
bool cap_steps_gather(struct cap_device *d, struct cap_steps *steps);
void cap_step_do(struct cap_saving *s, const struct cap_step *step);
/* A resource of packets, with all that hangs on it. */
void cap_saving_whole(struct cap_saving *s, uint32_t id, struct cap_seen *what);

#endif
