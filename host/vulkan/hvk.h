/* The gfxstream Vulkan context type: the records that its files share.
 *
 * One struct hvk_context per guest process, one struct hvk_ring per guest thread (its ring's
 * thread), one struct hvk_object per native object that we know more of than its handle. Handlers
 * run on ring threads; turns serialise all of them but the early ones, and those hold references on
 * the records that they use after they passed their turn. The guest is hostile: it names any id at
 * any time, and any two rings may run early commands on the same object.
 *
 * Ids: struct sl_ids, kind VK_KIND_*. Beside each id lies a record, never NULL, whose first member
 * is a struct hvk_object: the object's own (record->kind is the id's kind), or, for objects that
 * have none, their device's. vk_args_X.record is the one of the packet's first handle.
 *
 * Lock order: hvk_context.natives; a queue's, command pool's or family's lock; hvk_context.lock. */
#ifndef HOST_HVK_H
#define HOST_HVK_H

#include "host/context.h"
#include "host/ring/hr_commands.h"
#include "host/ring/hr_turn.h"
#include "host/vk_driver.h"
#include "transport/base/ids.h"
#include "transport/base/list.h"
#include "transport/base/map.h"
#include "transport/base/vk_codec.h"
#include "wire/vk_kinds.h"
#include "wire/vk_types.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* A native handle as sl_ids keeps it. Dispatchable and other handles are pointers on LP64. */
#define HVK_U64(handle)         ((uint64_t)(uintptr_t)(handle))
#define HVK_HANDLE(type, value) ((type)(uintptr_t)(value))

/* Most objects of one guest process that are alive at once. */
#define HVK_OBJECTS_MAX (1u << 19)

struct hvk_birth;
struct hvk_context;
struct hvk_pages;
struct hvk_device;
struct hvk_instance;

/* First member of every record. Counted: the id has one reference while it is in the table, and who
 * uses the record after its turn has another. The last one releases natively. */
struct hvk_object {
    uint32_t kind; /* VK_KIND_* */
    uint32_t refs; /* atomic */
    uint64_t id;   /* 0: not in the table (any more) */
    uint64_t native;
    struct hvk_instance *instance;
    struct hvk_device
        *device; /* NULL of instances and physical devices; a device's own is itself */
    /* Destroys the native object and frees the record. Any thread, no lock held. */
    void (*release)(struct hvk_object *object);
};

/* Numbers of extensions are below that. */
#define HVK_EXTENSIONS_MAX 1024u

struct hvk_physical {
    struct hvk_object object;                /* owned by its instance */
    VkPhysicalDeviceProperties properties;   /* as the driver says */
    VkPhysicalDeviceMemoryProperties memory; /* as the driver says */
    VkExtensionProperties *extensions;       /* as the driver says; sorted by name */
    uint32_t extension_count;
    uint64_t extension_bits[HVK_EXTENSIONS_MAX / 64]; /* the same by their numbers */
    VkQueueFamilyProperties *families;
    uint32_t family_count;
    uint32_t shared_types; /* hvk_memory.c, once it was asked */
    bool knows_shared_types;
    bool hides_addresses; /* hvk_address.c */
};

static inline bool hvk_is_cpu(const struct hvk_physical *physical)
{
    return physical->properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
}

struct hvk_instance {
    struct hvk_object object;
    struct vk_driver_instance driver;
    uint32_t api_version;           /* that the native instance was made for */
    struct hvk_physical *physicals; /* those that the guest may see */
    uint32_t physical_count;
};

/* A fence of the guest's that a queue signals. */
struct hvk_tell {
    uint64_t serial; /* of the submit, hvk_device.submits; 0: none */
    uint64_t fence;  /* its id */
};
#define HVK_TELLS 8u

struct hvk_queue {
    struct hvk_object object; /* owned by its device */
    uint32_t family, index, flags;
    /* The native queue is externally synchronised. Of a replay's queues several may be one
     * natively, whose lock is the first one's. */
    pthread_mutex_t *lock;
    pthread_mutex_t own_lock;
    uint64_t entered;        /* so many submits; with it held */
    struct hvk_timer *timer; /* hvk_times.c; with it held; NULL: not yet */
    /* hvk_grave.c, in turns */
    bool is_busy;   /* it was given work that neither a fence nor a marker tells the end of */
    VkFence marker; /* ours, behind what came before; or none */
    /* hvk_work.c, in turns: the last of its fences, and the submit of what it was given last */
    struct hvk_tell tells[HVK_TELLS];
    uint32_t tell_count; /* so far; the next one's place, modulo */
    uint64_t last;
    uint64_t done; /* atomic: what it was given up to that submit is done */
};

/* What something was submitted for last: hvk_work.c. In turns. */
struct hvk_work {
    struct hvk_queue *queue; /* NULL: several */
    uint64_t serial;         /* hvk_device.submits; 0: nothing */
};

struct hvk_device {
    struct hvk_object object; /* holds a reference on its instance */
    struct vk_driver_device driver;
    struct hvk_physical *physical;
    struct hvk_context *context;
    struct hvk_queue *queues; /* every queue that was asked for at creation; ids on demand */
    uint32_t queue_count;
    uint32_t error; /* atomic: the VkResult (negated) of what failed without a reply; 0: none */
    bool abandoned; /* its work does not end: nothing of it is destroyed natively any more */
    /* Extensions that are enabled natively, whatever the guest asked for. */
    bool has_external_memory_host, has_external_memory_fd, has_dma_buf, has_modifiers;
    bool has_synchronization2;
    bool has_addresses; /* the guest asked for that: hvk_address.c */
    bool clears_shared; /* shaders' shared memory is zeros at first: hvk_shared.c */
    /* hvk_draw.c: draws that one native call may make, 0 or 1: there is no such call; and whether
     * some shader would tell them from as many calls (atomic) */
    uint32_t draws_at_once, tells_draws;
    uint64_t last_wait_ns;    /* atomic: how long fences were waited for last. hvk_sync.c */
    struct hvk_pages *status; /* what the guest polls; NULL: it does not. hvk_status.c */
    uint64_t status_blob;     /* under which it was shared last */
    /* hvk_grave.c, in turns: queue operations given, those known to be done, those behind which
     * markers are on their way, and those behind which markers have come: the driver's threads are
     * done with them, too. sealed <= marked, retired; all <= submits */
    uint64_t submits, retired, marked, sealed;
    struct sl_list graves; /* objects that end when their work is done: retired */
    uint32_t grave_count;
    struct sl_list late_graves; /* and when the driver's threads are done with it: sealed */
    uint32_t late_count;
    /* hvk_stale.c, in turns: sets that hold something, and what they may still say of what ended;
     * how much of that there was after the last look */
    struct sl_list sets, stale;
    uint32_t stale_count, stale_seen;
    uint64_t stale_bytes, stale_seen_bytes;
    bool has_null_descriptors;
    VkSampler any_sampler;  /* ours, or none */
    bool fills_sets;        /* with it, where they have none: hvk_sampler.c */
    struct sl_map buffers;  /* hvk_buffer.c: struct hvk_buffer by native handle, in turns */
    struct sl_list layouts; /* pipeline layouts that were destroyed: hvk_pipeline.c */
    uint32_t layout_count;
};

struct hvk_command_pool {
    struct hvk_object object; /* holds a reference on its device */
    pthread_mutex_t lock;     /* the native pool and all that is recorded in it */
    struct sl_list buffers;   /* struct hvk_command_buffer.link: those that have ids */
    struct hvk_work work;     /* of native ones that were given up and lie in it still */
};

/* What the commands of a buffer name, each once or a few times: hvk_uses.c. */
struct hvk_use {
    uint64_t name; /* kind << 56 | id */
    uint64_t native;
};
#define HVK_USES_RECENT 64u
struct hvk_uses {
    struct hvk_use *list;
    uint32_t count, room;
    bool has_work;     /* some of it is told when it is submitted */
    uint64_t alive_at; /* context->ended + 1 when all of it was seen to live; 0: it was not */
    uint32_t recent[HVK_USES_RECENT]; /* where in the list, by id */
};

/* hvk_command_buffer.bound: indices are; primitives are patches; the pipeline takes them. */
#define HVK_BOUND_INDICES     (1u << 8)
#define HVK_BOUND_PATCHES     (1u << 9)
#define HVK_BOUND_TESSELLATES (1u << 10)
/* Transform feedback goes on; a buffer is bound to that place of it, of so many: no driver has
 * more. */
#define HVK_BOUND_FEEDBACK       (1u << 11)
#define HVK_BOUND_FEEDBACK_AT(n) (1u << 12 << (n))
#define HVK_FEEDBACK_BUFFERS     4u

/* A query that a command buffer has begun, of so many at most. */
struct hvk_counting {
    uint64_t pool; /* its id */
    uint32_t query;
};
#define HVK_COUNTING_MAX 8u

/* hvk_drawn.c: copies of what passes draw on, in their order. */
struct hvk_shot;
struct hvk_shots {
    struct hvk_shot **list; /* a reference each */
    uint32_t count, room;
    struct hvk_shot *open; /* of the pass that goes on; or none */
};

/* None of them any more. */
void hvk_shots_forget(struct hvk_shots *shots);

struct hvk_command_buffer {
    struct hvk_object object; /* native object lives with its pool, on which it has a reference */
    struct hvk_command_pool *pool;
    struct sl_list link;
    VkCommandBufferLevel level;
    uint32_t flushing; /* atomic: rings that record into it */
    /* What was recorded since it was begun, as it came, for a snapshot: nothing of those that are
     * submitted once, as soon as they are ended. With the pool's lock held */
    enum hvk_recorded_state { HVK_INITIAL, HVK_RECORDING, HVK_RECORDED } state;
    bool is_once, is_kept_short;
    struct hvk_uses uses;
    uint64_t recorded_at; /* the device's submits when commands came last */
    struct hvk_work work;
    uint8_t *kept;
    size_t kept_size, kept_room;
    /* What was recorded since it was begun, with the pool's lock held. hvk_bound.c, hvk_pass.c */
    uint32_t bound; /* 1 << bind point: a pipeline is; HVK_BOUND_*. hvk_feedback.c, too */
    bool in_pass, inherits_pass;
    bool is_rendering;       /* the pass is dynamic rendering */
    uint32_t subpasses_left; /* of the pass */
    VkRect2D area;           /* of the pass, where it is not inherited */
    uint32_t layers;         /* likewise */
    /* Of a secondary one, what it clears of its pass: corners and layers; nothing: 0 layers */
    VkOffset2D cleared_from, cleared_to;
    uint32_t cleared_layers;
    uint32_t is_executed;   /* atomic: some primary names it as it is */
    uint32_t generation;    /* of what is recorded in it; as a set's */
    struct hvk_shots shots; /* empty unless a replay is watched */
    struct hvk_counting counting[HVK_COUNTING_MAX];
    uint32_t counting_count;
    bool resets_queries;
    bool copies_queries; /* or some that it executes; set in a replay alone */
    uint64_t copied_at;  /* context->kept_changes then */
};

struct hvk_provider;

struct hvk_context {
    struct hr_context hr; /* first */
    struct hvk_provider *provider;
    const struct hct_env *env;
    uint32_t ctx_id;
    uint32_t refs; /* atomic: the device, and each ring until it is gone */
    uint32_t stop; /* atomic: 1 when the context is going; waiting handlers look at it */
    struct hr_turns turns;
    struct sl_ids ids;    /* changed in a turn, or when no ring runs any more */
    pthread_mutex_t lock; /* fences leave ids with it held: the device thread looks them up */
    /* Read: recorded commands are being run, past their turn. Write: a native object is being
     * destroyed. */
    pthread_rwlock_t natives;
    void *blobs;      /* hvk_blob.c: memory that waits for its blob, by blob id */
    void *waiter;     /* hvk_waiter.c: exported fences */
    uint32_t flushes; /* atomic: rings that record into any command buffer */
    /* hvk_birth.c: what is kept for a snapshot */
    uint64_t ended;         /* so many objects; under the turn */
    uint64_t last_serial;   /* under the turn */
    uint64_t kept;          /* atomic: bytes */
    uint32_t is_kept_short; /* atomic: something was not */
    bool is_restoring;      /* hvk_restore.c: a snapshot is being played; under the turn */
    bool is_ending;         /* all that a device or instance has, or the context; under the turn */
    bool is_sparse;         /* memory was bound that no record knows of; under the turn */
    uint64_t kept_changes;  /* atomic: times that kept results came or went. hvk_query_kept.c */
    uint64_t queries, places; /* atomic: of all pools. hvk_query_pool.c, hvk_set_pool.c */
    /* hvk_drawn.c: of the last submit, and where it went; under the turn */
    struct hvk_shots shots;
    struct hvk_queue *shots_queue;
    uint64_t shot_bytes; /* atomic: of all copies that command buffers or the last submit have */
};

/* A fence whose signal is told if it has come by the time that the ring is dry, or soon after. */
struct hvk_note {
    struct hvk_payload *payload; /* a reference; NULL: none */
    struct hvk_pages *status;    /* a reference */
    struct hr_ring *ring;        /* the one that it came by */
    uint32_t slot, value;
};

struct hvk_ring {
    struct hvk_context *context;
    struct hvk_note note;  /* hvk_status.c */
    struct vk_pack reply;  /* what the running command answers */
    struct sl_arena arena; /* of recorded commands */
    /* hvk_birth.c: what a packet that makes objects names; borrowed */
    struct hvk_birth **needs;
    uint32_t need_count, need_room;
    /* The packet that waits past its turn, without a checksum: for who saves while the ring counts
     * as resting. NULL: none. */
    const uint8_t *waiting;
    size_t waiting_size;
};

/* One command being run; handlers get it with its packet's arguments. */
struct hvk_call {
    struct hr_call *hr; /* for hr_call_refuse, hr_call_violate */
    struct hvk_context *context;
    struct hvk_ring *ring;
    struct vk_unpack in;
    const uint8_t *packet;   /* with its header; ends where hr->in does */
    struct hvk_birth *birth; /* hvk_birth.c: of what was made so far, a reference; NULL: none */
    bool is_unborn;          /* it could not be kept */
    bool passed;             /* the turn is over */
    bool silent;             /* the guest chose the ids of what is created: nothing is replied */
};

/* Recorded commands being run; handlers of what is recorded (vkCmdX) get it. */
struct hvk_recording {
    const struct vk_driver_device *driver;
    VkCommandBuffer native;
    struct hvk_command_buffer *buffer;
    struct hvk_device *device;
    /* The command's body; fail it to end the ring. A handler that runs commands behind it too moves
     * `end` behind them. */
    struct vk_unpack in;
    const uint8_t *body; /* where it began */
    const uint8_t *end;  /* of all commands */
    const uint8_t *kept; /* from where on they are the buffer's state; moved by begin and reset */
    uint32_t opcode;     /* of the command */
};

/* --- hvk_call.c: every handler's frame --- */

/* Take the packet's turn. False: there is nothing to run (stopping, or a violation). */
bool hvk_begin(struct hvk_call *call, struct hr_call *hr);
/* Give the turn away before the command has run (policy `early`); at most once does anything.
 * References on what is used afterwards must have been taken. */
void hvk_pass(struct hvk_call *call);
/* Passes the turn if nobody has; violation when unpacking failed. */
void hvk_end(struct hvk_call *call);
/* Send what was packed into ring->reply. */
void hvk_reply(struct hvk_call *call);
/* How long one native wait may take before its ring looks whether it shall stop: longer than a
 * frame, since each look takes a processor from the driver's threads, which may be at work on it.
 */
#define HVK_SLICE_NS (50ull * 1000 * 1000)

/* True: the command must give up, its ring or context ends. For waits, between slices. */
bool hvk_stopping(const struct hvk_call *call);
/* Is it our own guest, which knows all that we know? */
bool hvk_is_own(const struct hvk_call *call);
/* Its stream wants no answer where policy/vulkan_quiet.csv says so. */
bool hvk_is_quiet(const struct hvk_call *call);
/* What its packet names is listened to, as it makes objects. Generated code says so. */
void hvk_makes(struct hvk_call *call);
/* New handles' slots, `count` of them, as they came: afterwards each holds the id that the guest
 * chose, or all hold 0. allowed: the guest may choose. Generated code does it for every command
 * that creates. */
void hvk_wishes(struct hvk_call *call, void *slots, uint64_t count, bool allowed);
/* A command without a reply, as its guest chose the ids, came to this result; record: args' own. */
void hvk_unanswered(struct hvk_call *call, void *record, VkResult result);
/* Bind what a driver made, or 0 when *result is an error; *result becomes one when there is no
 * room. _some: one of many, each may be there whatever the result is. */
void hvk_made(struct hvk_call *call, uint32_t kind, uint64_t native, struct hvk_device *device,
              VkResult *result, void *slot);
void hvk_made_some(struct hvk_call *call, uint32_t kind, uint64_t native, struct hvk_device *device,
                   VkResult *result, void *slot);
/* Does the physical device reach this version, or have one of these extensions, separated by
 * blanks? record: args' own. */
bool hvk_physical_has(const void *record, uint32_t version, const char *extensions);
/* The native driver has no such function: refused. */
void hvk_absent(struct hvk_call *call, const char *name);
/* False: the native driver has no such function, and the recording fails. */
bool hvk_recorder_there(struct hvk_recording *recording, bool has_function);
/* The result of a recorded command that has one. */
void hvk_recorded(struct hvk_recording *recording, VkResult result, const char *name);

/* --- hvk_object.c: the table --- */

/* A record that has one reference, its creator's. device: NULL for instances and physical devices;
 * the record takes no reference on it, callers do where it may outlive the device. */
void hvk_object_init(struct hvk_object *object, uint32_t kind, uint64_t native,
                     struct hvk_instance *instance, struct hvk_device *device,
                     void (*release)(struct hvk_object *));
struct hvk_object *hvk_ref(struct hvk_object *object);
void hvk_unref(struct hvk_object *object); /* NULL allowed */

/* Bind a native object of a kind without own records. *id: the id that the guest chose or 0; after
 * SL_OK its id. NOMEM; PROTOCOL: the id is not one that it may choose (the ring is over then). On
 * failure the native object stays the caller's. */
enum sl_result hvk_add(struct hvk_call *call, uint32_t kind, uint64_t native,
                       struct hvk_device *device, uint64_t *id) SL_MUST_USE;
/* The same for a record of its own: the table gets a reference more. */
enum sl_result hvk_add_object(struct hvk_call *call, struct hvk_object *object,
                              uint64_t *id) SL_MUST_USE;
/* The same for a new record whose id stands in *slot and goes there, 0 when it failed: the record
 * is released then. */
VkResult hvk_enter(struct hvk_call *call, struct hvk_object *object, void *slot);
/* The record beside an id, or NULL: unknown, stale, of another kind. *native: nullable. Only while
 * the turn is held, or context->natives for reading. */
struct hvk_object *hvk_find(const struct hvk_context *context, uint32_t kind, uint64_t id,
                            uint64_t *native);
/* Take an object out of the table: destroyed natively at once, or when the last reference on its
 * record goes. 0 and unknown ids: nothing. */
void hvk_destroy(struct hvk_context *context, uint32_t kind, uint64_t id);
/* All that belongs to an instance or a device, children first; NULL: all there is. */
void hvk_destroy_children(struct hvk_context *context, const struct hvk_object *of);

/* --- hvk_device.c: errors that no reply tells --- */

/* Something that the guest did not wait for failed: remembered, logged once, and from then on the
 * device is lost to the guest. Any thread. */
void hvk_device_fail(struct hvk_device *device, VkResult result, const char *what);
/* What a command of the device answers: its own result, or VK_ERROR_DEVICE_LOST. A driver's
 * VK_ERROR_DEVICE_LOST is remembered. */
VkResult hvk_device_result(struct hvk_device *device, VkResult result);

/* Beside the packet's first handle: its instance's or its device's driver. */
static inline struct hvk_object *hvk_object_of(void *record)
{
    return record;
}
static inline struct hvk_device *hvk_device_of(void *record)
{
    return ((struct hvk_object *)record)->device;
}
static inline struct hvk_instance *hvk_instance_of(void *record)
{
    return ((struct hvk_object *)record)->instance;
}

/* Wait until a queue has done all that was submitted, in slices. VK_TIMEOUT: it gave up, for
 * timeout_ns or as `call` (nullable) must. Any thread; the caller holds a reference on the device.
 */
VkResult hvk_queue_idle(struct hvk_queue *queue, const struct hvk_call *call, uint64_t timeout_ns);

/* The same for all queues of a device; afterwards they are idle and stay so, with their locks and
 * context->natives for reading held until hvk_queues_leave. False: it gave up, or the device is
 * lost, and nothing is held. */
bool hvk_queues_hold(struct hvk_device *device, const struct hvk_call *call) SL_MUST_USE;
void hvk_queues_leave(struct hvk_device *device);

/* A fence of the caller's that the queue signals when it has done all that was submitted. */
VkResult hvk_queue_mark(struct hvk_queue *queue, VkFence *fence) SL_MUST_USE;

/* --- hvk_grave.c: the end of objects that a queue may still work with --- */

/* The queue was given work. fence: the guest's id, 0 for none. */
void hvk_submitted(struct hvk_queue *queue, uint64_t fence);
/* End what was taken out of the table, at once or when the device is done with it. */
void hvk_bury(uint32_t kind, uint64_t native, struct hvk_object *record);
/* What has ended since the last look ends natively. */
void hvk_graves_look(struct hvk_device *device);
/* The device has nothing to do: whatever waited ends. */
void hvk_graves_idle(struct hvk_device *device);
/* The device's work is waited for. False: it does not end within a moment. */
bool hvk_graves_wait(struct hvk_device *device);

/* --- hvk_work.c: what a device has yet to do --- */

/* All that the queue was given up to that submit is done. Any thread. */
void hvk_queue_done(struct hvk_queue *queue, uint64_t serial);
/* The work that it was submitted for is done, as far as can be told at once. */
bool hvk_work_is_done(struct hvk_device *device, const struct hvk_work *work);
/* All that the queue was given is done, as far as can be told without asking the queue. */
bool hvk_queue_is_done(struct hvk_queue *queue);
/* Nothing is left to do, as far as can be told at once. */
bool hvk_device_is_idle(struct hvk_device *device);
/* The submit that comes next uses it. */
void hvk_work_give(struct hvk_work *work, struct hvk_queue *queue);
/* It is the other as well from now on, unless that is known to be done. */
void hvk_work_join(const struct hvk_device *device, struct hvk_work *work,
                   const struct hvk_work *other);

/* --- hvk_stale.c: the end of what descriptor sets may still say --- */

/* It has ended, and the device is done with it. True: it is taken, and ends natively later. */
bool hvk_stale_add(struct hvk_object *object);
/* Something has ended: when there is enough of it, what nothing says any more ends natively. */
void hvk_stale_settle(struct hvk_device *device);
/* All of it ends natively: no set is used any more. */
void hvk_stale_end(struct hvk_device *device);

/* --- for the device thread: what the families answer; see their files --- */

/* hvk_blob.c. hct_ops.blob for blob ids other than 0: the memory that vkGetBlobGOOGLE announced.
 * NOTFOUND: none. */
enum sl_result hvk_blob_take(struct hvk_context *context, uint64_t blob_id,
                             const struct vgd_blob_args *args, struct hct_memory *out);
enum sl_result hvk_blobs_init(struct hvk_context *context) SL_MUST_USE;
void hvk_blobs_finish(struct hvk_context *context);
/* A resource that the context may import from now on; one without a descriptor is nothing. */
enum sl_result hvk_resource_attach(struct hvk_context *context, uint32_t resource_id,
                                   const struct hct_memory *memory) SL_MUST_USE;
void hvk_resource_detach(struct hvk_context *context, uint32_t resource_id);
/* hvk_status.c. With the device. */
void hvk_status_drop(struct hvk_device *device);
/* The ring is dry: its note is told or forgotten. */
void hvk_note_tell(struct hvk_ring *ring);
void hvk_note_drop(struct hvk_ring *ring);
/* Words of the status page. */
#define HVK_STATUS_SLOTS 16384u
/* hvk_waiter.c. 0xa000: task_done(task) once the fence has signalled; at once when the handle is no
 * fence. The ids are the guest's. */
enum sl_result hvk_waiter_export(struct hvk_context *context, uint64_t device_id, uint64_t fence_id,
                                 uint64_t task);
/* All rings have stopped: its thread ends. Then, when the devices are idle: what it still waited
 * for goes. */
void hvk_waiter_stop(struct hvk_context *context);
void hvk_waiter_finish(struct hvk_context *context);

#endif
