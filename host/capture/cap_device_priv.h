/* The recorder's inside: what cap_device.c, cap_seen.c, cap_verbs.c and cap_snapshot.c share. */
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
    uint32_t *rest;       /* the epoch that rings look at: ours, or the front's recorder's */
    uint32_t wants_pixel; /* atomic */
    uint32_t recordings;  /* started so far */
    struct cap_memory memory;
    pthread_mutex_t named;           /* the recorder's `order`; no other lock is taken before it */
    pthread_mutex_t lock;            /* guards down to `contexts` */
    struct cap_recording *recording; /* nullable; counted */
    struct sl_map contexts;          /* struct cap_seen */
    struct sl_map resources;         /* struct cap_seen; device thread alone */
    uint64_t order;                  /* of what came last */
    struct cap_verb_scanout scanouts[VGD_SCANOUTS]; /* as set last; resource 0: none */
    struct cap_verb_cursor cursors[VGD_SCANOUTS];
    uint64_t tries;   /* to make the snapshot that is due */
    int due_fd;       /* readable: one is due, or the recording is over */
    uint32_t is_over; /* atomic: the recording is, and `over` is to be called */
    bool more;        /* another recording follows */
    void (*over)(void *user);
    void (*lost)(void *user, uint32_t ctx_id);
    void *over_user;
    struct cap_counts counts;
};

/* A context that a resource is attached to. */
struct cap_attached {
    uint32_t ctx_id;
    uint64_t order;
    struct cap_attached *next;
};

enum cap_seen_kind { CAP_SEEN_CONTEXT, CAP_SEEN_TEX, CAP_SEEN_BLOB, CAP_SEEN_IMPORT };

/* What lives, which recording knows of it (another one does not), and what brings it into being. */
struct cap_seen {
    enum cap_seen_kind kind;
    uint32_t recording;
    uint64_t order; /* when it came, of all that lives */
    union {
        struct {
            uint32_t capset;
            char name[64];
        } context;
        struct cap_verb_tex tex;
        struct cap_verb_blob blob;
        struct cap_verb_res import;
    };
    /* Resources: */
    uint64_t pages; /* bytes of guest pages; 0: none */
    struct cap_attached *attached;
    uint32_t ring_ctx; /* whose ring it is; 0: no ring */
    uint64_t ring_order;
    void *mapping; /* ours, where the device has none; nullable */
    uint64_t mapping_size;
    bool is_saved; /* by the snapshot that is being made */
};

/* The blob that it is of its context's memory; 0: none. What is imported counts as one. */
static inline uint64_t cap_seen_blob_id(const struct cap_seen *what)
{
    return what->kind == CAP_SEEN_BLOB     ? what->blob.blob_id
           : what->kind == CAP_SEEN_IMPORT ? UINT64_MAX
                                           : 0;
}

/* cap_seen.c. Something came (copied) or went. Without memory it is not known, and what is asked of
 * it is not recorded. */
void cap_seen_come(struct cap_device *d, struct sl_map *map, uint32_t id,
                   const struct cap_seen *what);
void cap_seen_go(struct cap_device *d, struct sl_map *map, uint32_t id);
/* A resource is attached to a context, or no more. */
void cap_seen_attach(struct cap_device *d, uint32_t ctx_id, uint32_t resource_id);
void cap_seen_detach(struct cap_device *d, struct cap_seen *what, uint32_t ctx_id);
/* What guests write to its bytes is recorded from now on. */
void cap_seen_watch(struct cap_device *d, uint32_t resource_id, const struct cap_seen *what,
                    const void *bytes, uint64_t size);
/* All that lived is gone. */
void cap_device_forget(struct cap_device *device);

/* cap_snapshot.c: a snapshot, if one is due; device thread. */
void cap_device_poll(struct cap_device *device);

/* cap_verbs.c */
extern const struct vgd_ops cap_device_ops;

#endif
