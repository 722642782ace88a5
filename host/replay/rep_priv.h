/* Between the files of host/replay. */
#ifndef HOST_REP_PRIV_H
#define HOST_REP_PRIV_H

#include "host/replay/rep.h"
#include "host/replay/rep_order.h"

#include "asg/writer.h"
#include "transport/base/clock.h"
#include "transport/base/map.h"

#include <pthread.h>

#define REP_RINGS     4096u /* ever, of one trace */
#define REP_RESOURCES 65536u
#define REP_PICTURES  4u     /* of one ring, on the way */
#define REP_FENCES    65536u /* on the way at once */
/* Marks that may come between where a picture is complete and its own, of other rings. */
#define REP_MARKS_LATE 16u

#define REP_REASON   sizeof((struct rep_report *)NULL)->loop.reason
#define REP_ATTACHED 8u /* contexts that a resource is attached to, as far as is remembered */

/* What brings a resource into being again. */
struct rep_origin {
    uint32_t verb;    /* enum cap_verb; 0: not known */
    uint8_t body[48]; /* of it */
    uint32_t body_size;
    uint64_t backing;  /* bytes of guest pages that were attached; 0: none */
    uint32_t ring_ctx; /* the context that has a ring in it; 0: none */
    uint32_t ring_capset, ring_preamble;
    uint32_t attached[REP_ATTACHED], attached_count; /* above REP_ATTACHED: to too many */
};

/* A resource of the trace, and how its bytes are reached. */
struct rep_resource {
    uint32_t id;
    uint64_t serial; /* of no other resource of the replay */
    struct rep_origin origin;
    uint32_t ctx_id; /* of a blob */
    uint64_t blob_id;
    void *map; /* the device's memory, mapped; nullable */
    uint64_t size;
    bool is_ours;   /* map is to be unmapped */
    bool is_mapped; /* at the device */
    void *pages;    /* guest pages; nullable */
    uint64_t pages_size;
    struct rep_ring *ring; /* nullable */
};

/* A picture that a ring gave. */
struct rep_picture {
    uint32_t number;        /* of the packet that completed it */
    struct vgd_frame frame; /* pixels: in `pixels`, or NULL */
    uint64_t hash[2];
    bool has_hash;
    uint64_t end_ns;
    uint8_t *pixels;
};

/* A call whose answer is still to be read. */
struct rep_pending {
    bool is_there;
    struct cap_event event; /* points into `packet` and `reply` */
    uint64_t frame;
    uint8_t *packet, *reply;
    size_t packet_capacity, reply_capacity;
};

/* A ring of the trace. The replay's thread writes, the ring's own thread runs. */
struct rep_ring {
    struct rep *rep;
    uint32_t ring_id, ctx_id, capset, preamble;
    /* The replay's thread: */
    struct asg_writer writer;
    bool has_writer, has_preamble;
    uint32_t is_gone;              /* atomic: its resource is; written by the replay's thread */
    uint32_t fed;                  /* packets, modulo 2^32 */
    uint32_t sums;                 /* packets with a checksum */
    uint64_t last_stamp, last_end; /* of the last one; end 0: not known */
    uint32_t last_stream;          /* of the last one */
    bool may_block;                /* the last one waits for others */
    bool may_stray;                /* the last one may be answered, which nobody has written down */
    bool is_loss_told;
    struct rep_pending pending;
    uint8_t pad_before[64]; /* each side writes its own at every packet: no line is both's */
    /* Both: */
    uint32_t done;     /* atomic: packets that are over, modulo 2^32 */
    uint32_t sleeps;   /* atomic: the replay's thread does, until `done` is `awaited` */
    uint32_t awaited;  /* atomic: published with `sleeps` */
    uint32_t wakes;    /* atomic, futex: changes when it is, or the ring ended */
    uint32_t is_lost;  /* atomic */
    uint32_t expected; /* atomic: the number (of `done`) whose reply is kept */
    uint32_t stray;    /* atomic: bytes of replies that nobody expected */
    /* The replay's thread, while it waits for room or for a reply: */
    uint32_t seen_done;  /* of `done`, when it was looked at last */
    uint64_t looked_ns;  /* then */
    uint64_t unmoved_ns; /* since when `done` is that */
    /* The ring's thread; read while it rests: the packet that runs, NULL: none. */
    const void *packet;
    size_t packet_size;
    bool packet_sum;
    /* The ring's thread until the number is done, then the replay's: */
    uint8_t *reply;
    size_t reply_size, reply_capacity;
    bool is_refused;
    /* The ring's thread: */
    struct rep_cost *costs; /* REP_COSTS places by opcode, free ones with count 0; nullable */
    uint32_t opcode;        /* of the packet that runs */
    uint32_t along;         /* packets that run along with it */
    uint64_t began_ns;
    /* Under the lock: */
    pthread_mutex_t lock;
    struct rep_picture pictures[REP_PICTURES]; /* the newest; end_ns 0: none */
    uint32_t next_picture;
};

/* A fence of the recording, and ours in its place. */
struct rep_fence {
    uint64_t recorded;
    uint64_t ours;
};

/* A blob that a Vulkan guest presents: its bytes are the device's, even where the recorder saw them
 * change. */
struct rep_shown {
    uint32_t stream, ctx_id, blob_id; /* ctx_id: once the stream began */
};
#define REP_SHOWN 1024u

struct rep_config {
    uint32_t here;
    bool is_used;
};

struct rep {
    struct rep_options options;
    bool has_begun;             /* what leads to the first frame is over */
    struct rep_config *configs; /* rep_portable.c's; NULL: not known yet */
    uint32_t config_count;
    const struct rep_port *port; /* nullable */
    uint8_t *patched;            /* room for a packet that is changed */
    size_t patched_capacity;
    uint32_t newest_gles; /* as rcCreateContext counts, once another was refused; 0: any */
    struct cap_reader *reader;
    struct cap_merge *merge;
    struct rep_order order;
    struct vgd *device;
    struct vgd_recorder recorder;
    uint32_t epoch;
    uint32_t wants_pixel;              /* atomic */
    struct rep_ring *rings[REP_RINGS]; /* atomic; by id, the next free place behind it */
    struct rep_ring no_ring;           /* where one was; always gone */
    uint32_t ring_count;
    struct sl_map resources;  /* struct rep_resource */
    struct sl_map fence_sets; /* ctx -> rep_gpu.c's */
    struct rep_ring *current; /* the one that was written to last */
    uint64_t frame, calls_behind;
    /* A frame whose mark was passed and whose ring is still at it. */
    struct {
        bool is_there;
        struct rep_ring *ring; /* nullable */
        uint32_t number;       /* of the packet that completes it */
        uint64_t frame;        /* its own */
        struct cap_frame mark;
    } open_frame;
    uint64_t frame_begin_ns;                        /* rep_frame.begin_ns of the next one */
    uint32_t contexts[REP_CONTEXTS], context_count; /* in the order in which they came */
    uint32_t changes;                               /* contexts that came or went */
    uint64_t last_serial;                           /* of resources */
    uint64_t frame_end;                             /* marks in the trace */
    bool is_again;                                  /* a loop's second round, or a later one */
    bool keeps_staying;                             /* a loop: what stays is not ended in it */
    uint64_t last_fence;                            /* id given to the device */
    struct rep_fence *recorded;       /* ring buffer of recorded fences and ours for them */
    uint64_t fences_ns;               /* spent on fences that did not come */
    pthread_mutex_t lock;             /* guards what follows */
    uint64_t fences_done[REP_FENCES]; /* ours that are done, by number modulo the size */
    uint32_t fence_word;              /* atomic, futex: changes when one is done */
    struct rep_shown shown[REP_SHOWN];
    uint32_t shown_count;
    bool stop;
    struct rep_report *report;
};

/* rep_ring.c */
struct rep_ring *rep_ring_find(struct rep *rep, uint32_t ring_id);
/* The guest's end of a ring whose CONTEXT_CREATE has been done. */
enum sl_result rep_ring_open(struct rep *rep, uint32_t ctx_id, struct rep_resource *resource);
void rep_ring_close(struct rep_ring *ring);
void rep_ring_free(struct rep_ring *ring);
/* Frees those that are gone, while nothing is under way and none is the current or a frame's. */
void rep_rings_sweep(struct rep *rep);
/* is_saved: a snapshot's, of which nobody has written down whether it is answered. */
void rep_ring_feed(struct rep_ring *ring, const struct cap_event *event, bool is_saved);
/* Reads the answer that is still to be read, and compares. */
void rep_ring_settle(struct rep_ring *ring);
/* Until what was over before `stamp` while recording is over now. */
void rep_ring_catch_up(struct rep_ring *ring, uint64_t stamp);
void rep_catch_up_all(struct rep *rep, uint64_t stamp);
/* Takes replies that nobody expected. */
void rep_ring_drain(struct rep_ring *ring);
/* What was fed goes out now. */
void rep_flush_all(struct rep *rep);
/* Until its packet number `number` is over. False: the replay ends (said in the report). */
bool rep_ring_wait(struct rep_ring *ring, uint32_t number);
/* The same until a second after `begin` at most: nobody knows whether it was ever over. */
void rep_ring_linger(struct rep_ring *ring, uint32_t number, uint64_t begin);
/* How long a call may take. */
uint64_t rep_patience_ns(const struct rep *rep);
bool rep_ring_is_done(const struct rep_ring *ring, uint32_t number);
struct vgd_recorder rep_ring_recorder(struct rep *rep);

/* rep_memory.c */
struct rep_resource *rep_resource_find(struct rep *rep, uint32_t id);
struct rep_resource *rep_resource_add(struct rep *rep, uint32_t id);
/* Maps the device's memory, once. */
enum sl_result rep_resource_map(struct rep *rep, struct rep_resource *resource);
void rep_resource_unmap(struct rep *rep, struct rep_resource *resource);
void rep_resource_free(struct rep *rep, struct rep_resource *resource);
/* Guest pages of that size; a resource has them once. NULL: no memory. */
void *rep_resource_pages(struct rep_resource *resource, uint64_t size);
/* Learns from the marks what is presented. */
enum sl_result rep_memory_look(struct rep *rep);
void rep_memory_stream(struct rep *rep, uint32_t stream, uint32_t ctx_id);
/* What guests wrote. PROTOCOL: pieces lead nowhere. */
enum sl_result rep_memory_write(struct rep *rep, struct cap_event_memory *memory);

/* rep_verbs.c */
void rep_verb(struct rep *rep, const struct cap_event *event);
void rep_fence_done(void *user, uint32_t ctx_id, uint32_t ring, uint64_t fence_id);
/* Brings a resource into being again, without its bytes; destroys one. */
enum sl_result rep_resource_make(struct rep *rep, uint32_t id, const struct rep_origin *origin);
enum sl_result rep_resource_destroy(struct rep *rep, uint32_t id);
/* A fence of ours, waited for; behind what (ctx, ring 0) has been given. */
void rep_fence_wait(struct rep *rep, uint32_t ctx_id, uint32_t ring);
/* The same for a second at most: nobody knows whether it was ever done. False: it is not. */
bool rep_fence_linger(struct rep *rep, uint32_t ctx_id, uint32_t ring);

/* rep_gpu.c: what Vulkan guests know of their fences without asking. */
/* Before a packet is fed: waits for fences that it shows to be signalled. */
void rep_gpu_before(struct rep *rep, const struct cap_event_call *call);
/* Before memory is written. */
void rep_gpu_idle(struct rep *rep);
void rep_gpu_forget(struct rep *rep, uint32_t ctx_id);
/* What is known of fences now, for rep_gpu_recall later, any number of times. NULL: no memory. */
struct rep_gpu_known;
struct rep_gpu_known *rep_gpu_keep(struct rep *rep);
void rep_gpu_recall(struct rep *rep, const struct rep_gpu_known *known);
void rep_gpu_known_free(struct rep_gpu_known *known);

/* rep_portable.c */
#define REP_PATCH 64u
#define REP_MORE  4096u /* bytes that a Vulkan packet may become longer */
#define REP_SUM   8u    /* bytes of a packet's checksum */
/* An answer that is to be compared came. */
void rep_portable_answer(struct rep *rep, const struct cap_event_call *call, const uint8_t *reply,
                         size_t size);
/* The packet as this driver is to get it: the event's, or bytes that are there until the next one.
 * *size: without its checksum. */
const uint8_t *rep_portable_packet(struct rep *rep, const struct cap_event *event, uint32_t *size);
/* The packet as it is to be sent again, since what was sent was refused; false: it is not. */
bool rep_portable_lower(struct rep *rep, const struct cap_event_call *call, bool is_refused,
                        uint8_t patched[REP_PATCH]);
/* An answer of slGetConfigs with the recorded one's rows, but for those of float channels, which
 * come last: a driver has them on some platforms alone, and a surface of one that is not here is
 * refused. */
bool rep_portable_configs(const struct cap_event_call *call, const uint8_t *reply, size_t size);
/* The answer is the recorded one, as far as another driver must give that. */
bool rep_portable_same(struct rep *rep, const struct rep_answer *answer);

/* rep_drawn.c: the call was fed, and what it has drawn on is wanted. */
void rep_look(struct rep *rep, struct rep_ring *ring, const struct cap_event *event);

/* rep_costs.c */
void rep_cost_begin(struct rep_ring *ring, const void *packet);
void rep_cost_end(struct rep_ring *ring);

/* rep_check.c */
/* Whether an answer says the same on every run. */
bool rep_is_deterministic(const uint8_t *packet, size_t size);
/* The command waits for what others do: it may go on for long. */
bool rep_may_block(uint32_t opcode);
/* Makes, uses or ends by its name what contexts share. */
bool rep_names_shared(uint32_t opcode);
/* Gives out names that mean nothing until they are used, and may be used without. */
bool rep_only_names(uint32_t opcode);
/* Gives out names that are its own to choose. */
bool rep_names_once(uint32_t opcode);
/* Makes, or ends, one of the things that a loop may keep for its next round (vgd_about.stays). */
bool rep_makes_staying(uint32_t opcode);
bool rep_ends_staying(uint32_t opcode);

void rep_diverged(struct rep *rep, const struct rep_answer *answer);
void rep_stuck(struct rep *rep, uint64_t stamp);

/* rep_run.c */
/* One record. */
void rep_play(struct rep *rep, struct cap_event *event);
/* A frame that is over is told, or (wait) is waited for. */
void rep_close_frame(struct rep *rep, bool wait);
void rep_choose_pixels(struct rep *rep);
/* All frames before this one were played. */
bool rep_is_behind(const struct rep *rep, uint64_t frame);
/* The record is behind the last call that is to be played, and so is what is held back. */
bool rep_is_stop(const struct rep *rep, const struct cap_event *event);

/* rep_settle.c. All that was fed is over. What had begun by `stamp` may still be at it, as it may
 * wait for what comes later: it is waited for, for a while. */
bool rep_is_still(struct rep *rep, uint64_t stamp);

/* rep_loop.c: rep_run of a replay that may be played again. */
enum sl_result rep_loop(struct rep *rep, struct cap_event *event);

#endif
