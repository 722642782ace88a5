/* transport/vhost inside: what its files share. Nobody else includes this.
 *
 * Everything belongs to the device thread, except struct vgpu_fences (its own lock). Three layers:
 * vhost_server.c (event loop), vhost_session.c and its helpers (vhost-user: one front end), and
 * vgpu_*.c (virtio-gpu: commands of one guest). */
#ifndef VHOST_PRIV_H
#define VHOST_PRIV_H

#include "transport/base/list.h"
#include "transport/base/map.h"
#include "transport/vhost/vgpu_wire.h"
#include "transport/vhost/vhost.h"
#include "transport/vhost/vhost_channel.h"
#include "transport/vhost/vhost_memory.h"
#include "transport/vhost/vhost_queue.h"

#include <pthread.h>

/* ---- one guest's virtio-gpu device: vgpu_*.c ---- */

#define VGPU_REQUEST_MAX   ((1u << 20) + 4096u) /* bytes of one command */
#define VGPU_REPLY_MAX     4096u                /* bytes behind the header of a response */
#define VGPU_WINDOW_MAX    4096u                /* blobs mapped at once */
#define VGPU_FENCE_BUCKETS 256u

/* A chain that waits for its fence; one for each head of a queue, so none is ever allocated. */
struct vgpu_pending {
    struct sl_list link; /* vgpu_fences.buckets[] or .done */
    uint64_t fence_id;
    uint32_t queue;
    uint32_t written;
    uint16_t head;
};

struct vgpu_fences {
    pthread_mutex_t lock;                       /* guards all below */
    struct sl_list buckets[VGPU_FENCE_BUCKETS]; /* struct vgpu_pending.link, by fence id */
    struct sl_list done;                        /* struct vgpu_pending.link, to be given back */
    bool on_device_thread;                      /* it looks at `done` by itself afterwards */
    struct vgpu_pending *pending[VGPU_QUEUES];  /* by head; VIRTQ_SIZE_MAX of them */
};

struct vgpu_resource {
    uint32_t id;
    bool is_tex;
    uint32_t row;           /* 3D: bytes of a row without gaps */
    struct vhost_hold hold; /* of its guest pages */
    bool is_mapped;
    struct sl_list window_link; /* vgpu.window */
    uint64_t window_offset, window_size;
    dev_t device; /* the file that the window shows */
    ino_t inode;
};

struct vgpu_scanout {
    uint32_t width_px, height_px;
    bool enabled;
};

/* Commands since the server began. */
struct vgpu_counts {
    uint64_t submits, fences, maps, flushes;
};

struct vgpu {
    struct vhost_server *server;
    struct sl_map resources; /* struct vgpu_resource */
    struct sl_list window;   /* struct vgpu_resource.window_link */
    uint32_t window_count;
    struct vgpu_fences fences;
    struct vgpu_scanout scanouts[VGPU_MAX_SCANOUTS];
    uint32_t scanout_count;
    uint32_t events; /* VGPU_EVENT_* that the guest has not cleared */
    uint8_t uuid[12];
    struct vgpu_counts counts;
};

/* One command in hand. */
struct vgpu_call {
    struct vgpu *gpu;
    struct vgd *device;
    uint32_t queue;
    const struct vhost_chain *chain;
    struct vgpu_head head;  /* of the request */
    const uint8_t *request; /* our copy, all of it */
    size_t size;
    enum sl_result result;
    uint32_t error;      /* VGPU_ERR_*; 0: from the result */
    uint32_t reply_type; /* VGPU_OK_* */
    uint32_t reply_size; /* bytes of reply */
    bool later;          /* the response follows: vgpu_finish_later */
    uint8_t *reply; /* behind the header; VGPU_REPLY_MAX bytes, zeroed up to the room asked for */
};

/* What is needed to answer a command later. */
#define VGPU_LATER_BYTES (sizeof(struct vgpu_head) + sizeof(struct vgpu_map_info))
struct vgpu_later {
    uint32_t queue;
    uint16_t head;
    struct vgpu_head request;
    uint32_t piece_count;
    struct {
        uint64_t gpa;
        uint32_t size;
    } pieces[VGPU_LATER_BYTES]; /* one byte each at worst */
};

enum sl_result vgpu_init(struct vgpu *gpu, struct vhost_server *server) SL_MUST_USE;
void vgpu_finish(struct vgpu *gpu);
/* The guest starts anew: everything it made is gone. */
void vgpu_reset(struct vgpu *gpu);
/* Executes the chain in hand. True: it is given back already or will be; `*written` else. */
bool vgpu_execute(struct vgpu *gpu, uint32_t queue, const struct vhost_chain *chain,
                  uint32_t *written);
/* Answers a command that was put off: OK_MAP_INFO or OK_NODATA, or an error, fence and all. */
void vgpu_finish_later(struct vgpu *gpu, const struct vgpu_later *later, uint32_t type,
                       uint32_t map_info);

/* vgpu_fence.c */
enum sl_result vgpu_fences_init(struct vgpu_fences *fences) SL_MUST_USE;
void vgpu_fences_finish(struct vgpu_fences *fences);
/* Enqueues the request's fence; the head is given back once it is done, through `done`. */
enum sl_result vgpu_fence(struct vgpu *gpu, const struct vgpu_head *request, uint32_t queue,
                          uint16_t head, uint32_t written) SL_MUST_USE;
void vgpu_fence_done(struct vgpu *gpu, uint64_t fence_id); /* any thread */
/* Gives back what is done, on queues that run. */
void vgpu_fences_collect(struct vgpu *gpu);
/* Nothing waits any more. */
void vgpu_fences_drop(struct vgpu_fences *fences);

/* vgpu_resource.c */
void vgpu_create_2d(struct vgpu_call *call);
void vgpu_create_3d(struct vgpu_call *call);
void vgpu_create_blob(struct vgpu_call *call);
void vgpu_unref(struct vgpu_call *call);
void vgpu_attach_backing(struct vgpu_call *call);
void vgpu_detach_backing(struct vgpu_call *call);
void vgpu_transfer_2d(struct vgpu_call *call);
void vgpu_transfer_to_3d(struct vgpu_call *call);
void vgpu_transfer_from_3d(struct vgpu_call *call);
void vgpu_assign_uuid(struct vgpu_call *call);
struct vgpu_resource *vgpu_resource_find(struct vgpu_call *call, uint32_t id); /* or the error */
void vgpu_resources_clear(struct vgpu *gpu);

/* vgpu_window.c */
void vgpu_map_blob(struct vgpu_call *call);
void vgpu_unmap_blob(struct vgpu_call *call);
/* Is it a file that the window shows, or showed a moment ago? */
bool vgpu_is_window(void *gpu, const struct stat *info);

/* vgpu_context.c */
void vgpu_capset_info_get(struct vgpu_call *call);
void vgpu_capset_get(struct vgpu_call *call);
void vgpu_ctx_create(struct vgpu_call *call);
void vgpu_ctx_destroy(struct vgpu_call *call);
void vgpu_ctx_attach(struct vgpu_call *call);
void vgpu_ctx_detach(struct vgpu_call *call);
void vgpu_submit(struct vgpu_call *call);

/* vgpu_display.c */
void vgpu_display_info_get(struct vgpu_call *call);
void vgpu_edid_get(struct vgpu_call *call);
void vgpu_scanout_set(struct vgpu_call *call);
void vgpu_scanout_set_blob(struct vgpu_call *call);
void vgpu_flush(struct vgpu_call *call);
void vgpu_cursor_update(struct vgpu_call *call);
void vgpu_cursor_move(struct vgpu_call *call);

/* vgpu_edid.c: 128 bytes. */
void vgpu_edid_make(uint8_t edid[128], uint32_t scanout_id, uint32_t width_px, uint32_t height_px);

/* ---- one front end: vhost_session.c, vhost_rings.c, vhost_shmem.c, vhost_inflight.c ---- */

/* A map or unmap request on its way to the front end. */
struct vhost_asked {
    struct sl_list link; /* vhost_session.asked */
    uint32_t request;    /* VHOST_BACKEND_SHMEM_* */
    bool dropped;        /* the guest that wanted it was reset */
    struct vgpu_later later;
    uint32_t resource_id;
    uint32_t map_info;
    dev_t device;
    ino_t inode;
};

struct vhost_session {
    struct vhost_channel front, back;
    int window;                         /* QEMU's own, of vhost-user-gpu; -1: none */
    uint32_t front_events, back_events; /* what epoll watches; 0: not in the set */
    uint64_t features, protocol_features;
    uint32_t status;
    struct vhost_memory memory;
    struct vhost_queue queues[VGPU_QUEUES];
    uint16_t stopped_at[VGPU_QUEUES]; /* where GET_VRING_BASE left each queue */
    bool ready[VGPU_QUEUES];          /* something may be available */
    struct sl_list asked;             /* struct vhost_asked.link, in the order of their answers */
    void *inflight;                   /* mapping; nullable */
    uint64_t inflight_size;
    struct vhost_inflight inflight_layout;
};

enum vhost_tag {
    VHOST_TAG_STOP,
    VHOST_TAG_LISTENER,
    VHOST_TAG_WAKE,
    VHOST_TAG_DEVICE,
    VHOST_TAG_FRONT,
    VHOST_TAG_BACK,
    VHOST_TAG_KICK, /* + queue */
    VHOST_TAG_CONTROL = VHOST_TAG_KICK + VGPU_QUEUES,
    VHOST_TAG_TOOL /* + slot */
};

struct vhost_control;

struct vhost_server {
    struct vhost_server_options options; /* no zeros; paths are our copies */
    struct vgd *device;
    vhost_tool tool; /* nullable */
    void *tool_user;
    int listener, epoll, wake;
    int spare; /* given up to turn a connection away when no descriptors are left */
    bool has_session;
    struct vhost_session session;
    struct vhost_queue_counts counts[VGPU_QUEUES]; /* of sessions that ended */
    struct vgpu gpu;
    struct vhost_control *control; /* nullable */
    struct vhost_chain chain;      /* the one in hand */
    uint8_t *request;              /* VGPU_REQUEST_MAX bytes, of the one in hand */
    struct {
        struct vgpu_head head;
        uint8_t bytes[VGPU_REPLY_MAX];
    } reply;
};

/* vhost_server.c */
enum sl_result vhost_watch(struct vhost_server *server, int fd, uint32_t events, uint32_t tag);
void vhost_unwatch(struct vhost_server *server, int fd);

/* vhost_session.c. Functions that return PROTOCOL or worse end the session. */
enum sl_result vhost_session_begin(struct vhost_server *server, int fd) SL_MUST_USE; /* takes fd */
void vhost_session_end(struct vhost_server *server);
/* Takes in and answers what the front end sent, at most a turn's worth. */
enum sl_result vhost_session_serve(struct vhost_server *server) SL_MUST_USE;
uint64_t vhost_features(const struct vhost_server *server);
/* The guest's device is as new; the queues stay as they are set up. */
void vhost_session_reset_device(struct vhost_server *server);

/* vhost_rings.c: the requests about queues, and the queues' turn. */
enum sl_result vhost_ring_num(struct vhost_server *server, const struct vhost_message *m);
enum sl_result vhost_ring_addr(struct vhost_server *server, const struct vhost_message *m);
enum sl_result vhost_ring_base_set(struct vhost_server *server, const struct vhost_message *m);
enum sl_result vhost_ring_base_get(struct vhost_server *server, const struct vhost_message *m);
enum sl_result vhost_ring_enable(struct vhost_server *server, const struct vhost_message *m);
enum sl_result vhost_ring_kick(struct vhost_server *server, const struct vhost_message *m);
enum sl_result vhost_ring_call(struct vhost_server *server, const struct vhost_message *m);
enum sl_result vhost_ring_err(struct vhost_server *server, const struct vhost_message *m);
void vhost_rings_stop(struct vhost_server *server, uint32_t index);
/* After a change of the memory table. False: a running queue lost its rings. */
bool vhost_rings_resolve(struct vhost_server *server);
/* Executes what is available, at most a turn's worth. True: there is more. */
bool vhost_rings_serve(struct vhost_server *server);

/* vhost_shmem.c: requests to the front end. */
bool vhost_shmem_is_there(const struct vhost_server *server);
/* Asks to show [fd_offset, + size) of fd (borrowed) at `offset` of the window; the answer goes to
 * the guest by itself. */
enum sl_result vhost_shmem_map(struct vhost_server *server, const struct vhost_asked *ask, int fd,
                               uint64_t fd_offset, uint64_t offset, uint64_t size) SL_MUST_USE;
enum sl_result vhost_shmem_unmap(struct vhost_server *server, const struct vhost_asked *ask,
                                 uint64_t offset, uint64_t size) SL_MUST_USE;
enum sl_result vhost_shmem_serve(struct vhost_server *server) SL_MUST_USE;
/* The guest is gone: answers are not for anybody. */
void vhost_shmem_drop(struct vhost_server *server);
void vhost_shmem_clear(struct vhost_session *session);
/* The config space changed. */
void vhost_config_changed(struct vhost_server *server);

/* vhost_inflight.c: what a crashed back end leaves to the next one. */
enum sl_result vhost_inflight_get(struct vhost_server *server, const struct vhost_message *m);
enum sl_result vhost_inflight_set(struct vhost_server *server, const struct vhost_message *m);
void vhost_inflight_clear(struct vhost_session *session);
/* A queue begins: executes again what was in flight. */
void vhost_inflight_begin(struct vhost_server *server, uint32_t index);

/* vhost_control.c: the tools' socket. */
enum sl_result vhost_control_create(struct vhost_server *server, const char *path,
                                    struct vhost_control **out) SL_MUST_USE;
void vhost_control_destroy(struct vhost_control *control); /* takes NULL */
enum sl_result vhost_control_watch(struct vhost_control *control) SL_MUST_USE;
void vhost_control_serve(struct vhost_control *control, uint32_t tag);

#endif
