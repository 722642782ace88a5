/* Waist B: virtio-gpu as a device answers it.
 *
 * Who calls: the fronts (transport/local's server, transport/loop, later vhost-user, the ABI and
 * replay). Who implements: host/device. Every verb is called on the device thread and must not
 * block; sink calls may come from any thread. Waist A (vg.h) is the same verbs from the guest's
 * side: change both together. Ids are chosen by the front's client and untrusted: the device checks
 * all of them. */
#ifndef VIRTGPU_VGD_H
#define VIRTGPU_VGD_H

#include "transport/base/result.h"
#include "transport/virtgpu/proto.h"
#include "transport/virtgpu/recorder.h"
#include "transport/virtgpu/vg.h"

#include <stdint.h>
#include <sys/uio.h>

struct vgd;
struct sl_writes;

#define VGD_SCANOUTS 16u

/* What a scanout shows. Pixels of the resource, top row first. */
struct vgd_scanout {
    uint32_t resource_id;                     /* 0: it is off, and the rest is not looked at */
    uint32_t x_px, y_px, width_px, height_px; /* the part that is shown */
    /* How a blob's bytes are a picture; 3D resources know (format 0). */
    uint32_t format;
    uint32_t image_width_px, image_height_px, stride;
    uint64_t offset;
};

struct vgd_cursor {
    uint32_t resource_id; /* 0: hidden. At most VGD_CURSOR_SIDE_PX a side */
    int32_t x_px, y_px;   /* of its upper left corner, in the scanout */
    uint32_t hot_x_px, hot_y_px;
};
#define VGD_CURSOR_SIDE_PX 256u

/* What the device tells its front. Any thread; must not call back into the device. */
struct vgd_sink {
    void *user;
    /* Every fence of (ctx_id, ring) up to and including id is done. ctx_id 0 with
     * VIRTGPU_RING_GLOBAL: device-wide. Once for each id. */
    void (*fence_done)(void *user, uint32_t ctx_id, uint32_t ring, uint64_t fence_id);
    /* The device thread should call poll() soon. */
    void (*wake)(void *user);
    /* A context died of its own fault; reason is one line, borrowed. The front may tell its client.
     */
    void (*ctx_lost)(void *user, uint32_t ctx_id, const char *reason);
    /* The live tap, only while vgd_ops.tap is on: one packet and its reply, borrowed. ring_id: the
     * resource of the ring. Nullable. */
    void (*packet)(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t opcode,
                   const void *packet, size_t size, const void *reply, size_t reply_size);
    /* Gets the packets of all rings, when it is on; borrowed for the device's life. Nullable. */
    const struct vgd_recorder *recorder;
    /* What scanouts show, for displays: on the device thread, inside the verb that changes it; a
     * display that wants pixels asks scanout_read after it. Nullable, all three. */
    /* A picture of this size is shown from now on; 0 x 0: none. */
    void (*scanout)(void *user, uint32_t scanout_id, uint32_t width_px, uint32_t height_px);
    /* This part of it is new; box: in the scanout, z and depth unused. */
    void (*damage)(void *user, uint32_t scanout_id, const struct vg_box *box);
    void (*cursor)(void *user, uint32_t scanout_id, const struct vgd_cursor *cursor);
};

struct vgd_capset_info {
    uint32_t id, max_version, max_size;
};

struct vgd_blob_args {
    uint32_t mem, flags;
    uint64_t size, blob_id;
    const struct iovec
        *backing; /* guest pages, unless VIRTGPU_BLOB_HOST3D; borrowed for the resource's life */
    uint32_t backing_count;
};

/* How a resource's memory can be reached. */
struct vgd_map {
    int fd;          /* gives; -1 when there is only `pointer` */
    uint64_t offset; /* of the resource inside fd */
    uint64_t size;
    void *pointer;     /* host address, valid until res_destroy; NULL when there is only fd */
    uint32_t stride;   /* 3D resources: bytes a row; else 0 */
    uint32_t map_info; /* VIRTGPU_MAP_* */
};

/* One ring's counters since it began. */
struct vgd_ring_stats {
    uint32_t resource_id; /* the ring's blob */
    uint32_t preamble;    /* of its stream; 0 before it came */
    uint64_t packets, bytes, replies, wakeups, sleeps;
    uint64_t pings;       /* times the guest woke it by a submit */
    uint64_t pings_awake; /* of them those that nobody needed: hr_stats */
};

/* What lives now, and what was done since the device began. */
struct vgd_stats {
    uint32_t contexts, resources, rings; /* live */
    uint32_t pad;
    uint64_t resource_bytes;            /* live */
    uint64_t transfers, transfer_bytes; /* copied between guest pages and the device's memory */
    struct vgd_ring_stats all;          /* sums of all rings, those that ended too; resource_id 0 */
};

/* Whether packets are played again that lead back from a later state of the same context. */
enum vgd_rule {
    VGD_MAKES, /* a thing comes into being: where it is not there any more, or is another one */
    VGD_FILLS, /* what it holds: where that differs, or it or what it needs comes again */
    VGD_LEADS, /* always */
    VGD_FIXED, /* never; where they differ nothing leads back */
    VGD_ONCE,  /* never, and they may differ */
    VGD_ENTERS /* always, before all others, and not the earlier state's but the later one's */
};

/* What the packets that follow are about. A thing is known by kind and id, numbers of the context's
 * type; `place` is a part of it that is filled by itself. */
struct vgd_about {
    enum vgd_rule rule;
    uint32_t kind;
    uint64_t id, place;
    /* Of MAKES: no other thing has it; of FILLS and FIXED: of what holds this; 0: none. */
    uint64_t serial;
    uint64_t state; /* of MAKES: with another one it is not the same thing any more */
    bool passes;    /* it is not there any more, others were made of it */
    /* Of MAKES, and of ONCE for all things of the kind: drivers give its name out once. What a loop
     * would end stays, and the end's packets, of which there may be none, lead back to a new one.
     */
    bool stays;
    const uint64_t *needs; /* serials of what else it is made of, or filled with */
    uint32_t need_count;
    /* The packets that end it, one behind the other; none: it ends with what it needs. */
    uint32_t end_ring;
    const void *end;
    size_t end_size;
};

/* Takes what rebuilds a context, in the order in which it is to be played. A call that fails ends
 * the saving: hand its result on. Device thread. */
struct vgd_saver {
    void *user;
    /* A packet {u32 opcode, u32 length, body} without a checksum, as the guest of this context
     * could have sent it on that ring (the ring's resource id), and the reply that it is to have
     * when it is played (NULL: none, or any): names and ids that the host chooses come from it.
     * Bytes are private to the call. */
    enum sl_result (*packet)(void *user, uint32_t ring_id, const void *packet, size_t size,
                             const void *reply, size_t reply_size);
    /* Now bring this blob resource of the context's into being, with its contents: what comes
     * before is what its memory comes from, what comes after needs it. What is never named comes
     * after all packets where its memory is the context's, else before the first of them.
     * NOTFOUND: the device has no such resource. */
    enum sl_result (*resource)(void *user, uint32_t resource_id);
    /* Comes before packets that are about something else than those before. Nullable. With it
     * states are told whole, those too that new objects have, as the packets are not for new ones
     * alone. */
    enum sl_result (*about)(void *user, const struct vgd_about *about);
    /* After all packets: one that has begun on that ring and waits for what others do, as it is to
     * begin anew. Its reply comes when it is over. Nullable: a context that has such ones cannot be
     * saved yet (AGAIN). */
    enum sl_result (*waiting)(void *user, uint32_t ring_id, const void *packet, size_t size);
    /* A packet that counts as sent behind the state that is saved: saving has used up the name of
     * the reply, which the ring's guest would have been given next. They come in order, from a
     * saving that fails too, with what it did so far. Nullable; then no names are used up unless
     * is_last, and what can be read in no other way is left out. */
    void (*did)(void *user, uint32_t ring_id, const void *packet, size_t size, const void *reply,
                size_t reply_size);
    /* Nobody goes on with the context as it is: saving it may use up names, and tells of none. */
    bool is_last;
};

/* One attachment of what a ring has drawn on. */
enum vgd_plane { VGD_PLANE_COLOR, VGD_PLANE_DEPTH, VGD_PLANE_STENCIL };
struct vgd_attachment {
    enum vgd_plane plane;
    uint32_t pass;   /* of the ring's last packet, where that ran several; else 0 */
    uint32_t number; /* of the colour attachment; else 0 */
    uint32_t width_px, height_px;
    /* Rows without gaps, top row first. Colour: R, G, B, A bytes, what does not fit cut off to
     * them; depth: a float each; stencil: a byte each. NULL: it cannot be had, `why` says for what
     * reason. Borrowed for the call. */
    const void *pixels;
    const char *why;
};
/* False: no more of them. Device thread. */
struct vgd_viewer {
    void *user;
    bool (*attachment)(void *user, const struct vgd_attachment *);
};

struct vgd_ops {
    uint32_t (*capset_count)(struct vgd *);
    enum sl_result (*capset_info)(struct vgd *, uint32_t index, struct vgd_capset_info *);
    /* At most size bytes are written; *used says how many there are. */
    enum sl_result (*capset_get)(struct vgd *, uint32_t id, uint32_t version, void *data,
                                 size_t size, size_t *used);

    /* name: for logs, copied. INVALID: id 0 or in use; UNSUPPORTED: no such capset; NOMEM: limit.
     */
    enum sl_result (*ctx_create)(struct vgd *, uint32_t ctx_id, uint32_t capset, const char *name);
    enum sl_result (*ctx_destroy)(struct vgd *, uint32_t ctx_id);
    enum sl_result (*ctx_attach)(struct vgd *, uint32_t ctx_id, uint32_t resource_id);
    enum sl_result (*ctx_detach)(struct vgd *, uint32_t ctx_id, uint32_t resource_id);
    /* commands: private memory of the front, borrowed. */
    enum sl_result (*submit)(struct vgd *, uint32_t ctx_id, const void *commands, size_t size);

    enum sl_result (*res_create_tex)(struct vgd *, uint32_t resource_id,
                                     const struct vg_tex_args *);
    enum sl_result (*res_create_blob)(struct vgd *, uint32_t ctx_id, uint32_t resource_id,
                                      const struct vgd_blob_args *);
    /* Takes fd: a memfd of at least size bytes, sealed against shrinking; anything else is INVALID.
     */
    enum sl_result (*res_import)(struct vgd *, uint32_t resource_id, int fd, uint64_t size);
    /* INVALID while it is mapped (res_unmap first). Detaches it everywhere. */
    enum sl_result (*res_destroy)(struct vgd *, uint32_t resource_id);
    /* iov: borrowed until detach. */
    enum sl_result (*backing_attach)(struct vgd *, uint32_t resource_id, const struct iovec *iov,
                                     uint32_t count);
    enum sl_result (*backing_detach)(struct vgd *, uint32_t resource_id);
    /* A classic 3D resource's box to or from its guest pages, where offset and strides say how it
     * lies there (0: as in the resource). A HOST3D_GUEST blob's bytes: x and width count them, the
     * rest of the box is flat, offset is in the pages. Without guest pages: to or from the shared
     * backing, where the box lies as in the resource; offset and strides are not looked at. */
    enum sl_result (*transfer)(struct vgd *, uint32_t ctx_id, uint32_t resource_id,
                               const struct vg_box *, uint32_t level, uint64_t offset,
                               uint32_t stride, uint32_t layer_stride, enum vg_direction);
    /* Once until res_unmap. */
    enum sl_result (*res_map)(struct vgd *, uint32_t resource_id, struct vgd_map *out);
    enum sl_result (*res_unmap)(struct vgd *, uint32_t resource_id);
    /* A guest maps the resource at this address of its process, all of it, and `writes` (borrowed)
     * shows what it writes there. A hint, for recorders. Nullable. */
    void (*res_place)(struct vgd *, uint32_t resource_id, struct sl_writes *writes,
                      uint64_t address);
    /* Gives *fd of the resource's memory. */
    enum sl_result (*res_export)(struct vgd *, uint32_t resource_id, int *fd);

    /* Enqueue fence `id` behind what (ctx_id, ring) has been given so far; sink.fence_done follows,
     * at once when nothing is pending. Ids grow device-wide. INVALID: ring out of range or an id
     * that does not grow; NOTFOUND: no such context; NOMEM: too many pending. */
    enum sl_result (*fence)(struct vgd *, uint32_t ctx_id, uint32_t ring, uint64_t id);

    /* Show a resource, or nothing. NOTFOUND: no such resource; INVALID: no such scanout, or the
     * part is not in the resource; UNSUPPORTED: a format or memory that cannot be shown. A resource
     * that is destroyed leaves its scanouts dark. */
    enum sl_result (*scanout_set)(struct vgd *, uint32_t scanout_id, const struct vgd_scanout *);
    /* A part of the resource is complete: its scanouts' displays are told. */
    enum sl_result (*flush)(struct vgd *, uint32_t resource_id, const struct vg_box *);
    /* The picture is copied here; move: only the place is new, the resource is not looked at. */
    enum sl_result (*cursor_set)(struct vgd *, uint32_t scanout_id, const struct vgd_cursor *,
                                 bool move);
    /* What scanout_id shows now, as rows of R, G, B, A bytes without gaps, the cursor drawn in when
     * asked for. part: of it alone, nullable; z and depth unused. size: of pixels; with less than
     * is needed, or NULL, only the sizes are told, of the whole. NOTFOUND: it is off; INVALID: the
     * part is not in it. */
    enum sl_result (*scanout_read)(struct vgd *, uint32_t scanout_id, bool with_cursor,
                                   const struct vg_box *part, void *pixels, size_t size,
                                   uint32_t *width_px, uint32_t *height_px);

    /* For people: the native drivers in use, one line, cut at size, always terminated. */
    void (*describe)(struct vgd *, char *text, size_t size);
    /* Ring `index` of a context; NOTFOUND past the last. */
    enum sl_result (*ring_stats)(struct vgd *, uint32_t ctx_id, uint32_t index,
                                 struct vgd_ring_stats *out);
    void (*stats)(struct vgd *, struct vgd_stats *out);
    /* A snapshot. rest: the recorder's epoch has VGD_EPOCH_REST (on), or has it no more: rings that
     * sleep look at it. True: on, and all rings of all contexts are at rest. */
    bool (*rest)(struct vgd *, bool on);
    /* hct_ops.save of a context; while all rings are at rest. NOTFOUND; DEVICE_LOST: it is lost. */
    enum sl_result (*ctx_save)(struct vgd *, uint32_t ctx_id, const struct vgd_saver *);
    /* hct_ops.drawn of a context; while all rings are at rest. NOTFOUND, as DEVICE_LOST above.
     * Nullable. */
    enum sl_result (*ctx_drawn)(struct vgd *, uint32_t ctx_id, uint32_t ring_id,
                                const struct vgd_viewer *);
    /* Switch sink.packet on or off. */
    void (*tap)(struct vgd *, bool on);

    /* For the front's event loop: readable = call poll(). -1: none. */
    int (*poll_fd)(struct vgd *);
    void (*poll)(struct vgd *);
    /* Destroys all contexts and resources. */
    void (*reset)(struct vgd *);
    void (*destroy)(struct vgd *);
};

struct vgd {
    const struct vgd_ops *ops;
};

#endif
