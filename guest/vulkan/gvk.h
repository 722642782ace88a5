/* The Vulkan driver in the guest: its objects, the way to the host, and what the room's files
 * share.
 *
 * Every handle that an application holds points to an object whose first member is struct
 * gvk_object; a dispatchable one begins with struct gvk_dispatch. Packers (pack->objects) read the
 * host's id from it. Kinds without a struct of their own are a plain struct gvk_object.
 *
 * Threads: Vulkan's own rules of external synchronisation hold; what is shared beyond them names
 * its lock. Nothing here aborts, exits or waits for a dead host for more than a second. */
#ifndef GUEST_GVK_H
#define GUEST_GVK_H

#include "guest/stream/gs.h"
#include "transport/base/atomic.h"
#include "transport/base/list.h"
#include "transport/base/mem.h"
#include "transport/base/vk_codec.h"
#include "wire/vk_extensions.h"
#include "wire/vk_types.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the loader wants to find in a new dispatchable object's first word. */
#define GVK_LOADER_MAGIC 0x01CDC0DEu
/* Ids that never travel, of objects that only the guest has. */
#define GVK_LOCAL_ID (1ull << 63)

struct gvk_host;
struct gvk_instance;
struct gvk_physical;
struct gvk_device;
struct gvk_private;

/* First member of every object. */
struct gvk_object {
    struct vk_object vk;         /* vk.id: the host's */
    struct gvk_private *private; /* gvk_object.c; nullable */
};

/* First member of every dispatchable object. */
struct gvk_dispatch {
    struct gvk_object object;
    struct gvk_host *host;
    struct gvk_device *device; /* NULL for instances and physical devices */
};

/* ---- Memory of objects: gvk_object.c ---- */

/* An application's callbacks, kept: where an object is made without any, its parent's are used. */
struct gvk_allocator {
    VkAllocationCallbacks callbacks;
    bool set;
};
static inline struct gvk_allocator gvk_allocator_of(const VkAllocationCallbacks *callbacks)
{
    return callbacks != NULL ? (struct gvk_allocator){*callbacks, true}
                             : (struct gvk_allocator){.set = false};
}
/* Zeroed bytes, 8-byte aligned, by `callbacks`, else by `parent`, else by sl_alloc; NULL. Freed
 * with callbacks that are compatible (Vulkan's rule). */
void *gvk_alloc(const struct gvk_allocator *parent, const VkAllocationCallbacks *callbacks,
                size_t size, VkSystemAllocationScope scope);
void gvk_free(const struct gvk_allocator *parent, const VkAllocationCallbacks *callbacks,
              void *memory);
/* An object of `size` bytes (at least a struct gvk_object), id 0. */
void *gvk_object_new(struct gvk_device *device, const VkAllocationCallbacks *callbacks,
                     size_t size);
/* Its private data too. NULL: nothing. */
void gvk_object_free(struct gvk_device *device, const VkAllocationCallbacks *callbacks,
                     void *object);
/* `count` new objects of a call: their handles stand in `handles` for the call, which leaves ids
 * there. */
struct gvk_made {
    void **objects;
    void *few[16];
    uint32_t count;
};
/* False: no memory, nothing was made. */
bool gvk_made_begin(struct gvk_made *made, uint32_t count, size_t size, struct gvk_device *device,
                    const VkAllocationCallbacks *callbacks, void *handles);
/* The objects take their ids and stand in `handles` again; without an id: freed, and NULL. */
void gvk_made_end(struct gvk_made *made, struct gvk_device *device,
                  const VkAllocationCallbacks *callbacks, void *handles);
/* They get ids that the guest chose; false: none does. */
bool gvk_made_choose(struct gvk_made *made, struct gvk_host *host);
/* gvk_made_end for those: on success they stay, else they are freed and their handles are NULL. */
void gvk_made_told(struct gvk_made *made, VkResult result, struct gvk_device *device,
                   const VkAllocationCallbacks *callbacks, void *handles);
/* Forget an object's private data; gvk_object_free does. */
void gvk_private_clear(struct gvk_object *object);
/* A fresh id that never travels. Any thread. */
uint64_t gvk_local_id(void);

static inline struct gvk_object *gvk_object_of(uint64_t handle)
{
    return (struct gvk_object *)(uintptr_t)handle;
}
/* Any handle's object, dispatchable or not. */
#define GVK_OBJECT(handle) ((struct gvk_object *)(void *)(handle))
/* An object's struct from its handle, and back. */
#define GVK_FROM(type, handle) ((struct type *)(void *)(handle))
#define GVK_TO(type, object)   ((type)(void *)(object))

/* ---- Entry points: generated guest/vk_call.h, guest/vk_entry.h, guest/vk_hand.h ----
 *
 * Each command that travels and is not recorded has a generated call, for hand-written code too:
 *     RET gvk_call_vkX(struct gvk_host *host, <the API's parameters>)
 * pack, send, read the reply. The result on a lost host: VK_ERROR_DEVICE_LOST, 0 or nothing, with
 * outputs zeroed as far as their size is known. Handles in outputs: ids before (of the objects that
 * stand there; 0 for NULL) and bare ids after.
 *
 * And each has a generated entry point: the call, objects made and freed around it. One that needs
 * thought has a line `hand,vkX,,reason` in codegen/policy/vulkan_guest.csv: the table then names
 * `gvk_vkX`, declared in guest/vk_hand.h and written in this room. Commands that do not travel are
 * there only by such a line. A kind with a struct of its own has `object,VkX,gvk_x,reason`:
 * generated creation allocates a zeroed struct gvk_x. */

/* ---- Extensions: gvk_extensions.c ---- */

/* Bit n: vk_extensions[n]. */
struct gvk_set {
    uint64_t bits[(VK_EXTENSION_COUNT + 63) / 64];
};
static inline bool gvk_set_has(const struct gvk_set *set, uint32_t index)
{
    return (set->bits[index / 64] >> (index % 64) & 1) != 0;
}
static inline void gvk_set_add(struct gvk_set *set, uint32_t index)
{
    set->bits[index / 64] |= 1ull << (index % 64);
}
bool gvk_set_has_name(const struct gvk_set *set, const char *name);

/* What is offered, in the order of enumeration, and as a set. */
struct gvk_extensions {
    VkExtensionProperties *items;
    uint32_t count;
    struct gvk_set set;
};
void gvk_extensions_finish(struct gvk_extensions *list);
/* The host's that may be offered, then the guest's own. False: no memory. */
bool gvk_extensions_fill(struct gvk_extensions *list, bool instance,
                         const VkExtensionProperties *host, uint32_t count);
/* Enable what an application names; `forwarded` (room for all) are those that the host is told. */
VkResult gvk_extensions_take(const struct gvk_extensions *offered, uint32_t count,
                             const char *const *names, struct gvk_set *enabled,
                             const char **forwarded, uint32_t *forwarded_count);
/* How Vulkan answers lists: the count alone, or as much as there is room for. */
VkResult gvk_list(uint32_t *count, void *out, const void *items, uint32_t there, size_t size);

/* ---- The way to the host: gvk_host.c, gvk_stream.c ---- */

/* Ids that the guest chooses from: those that were used and given back, and how many never were. */
struct gvk_ids {
    uint64_t *spare;
    size_t count, capacity;
    uint32_t fresh; /* indices used so far */
};
void gvk_ids_finish(struct gvk_ids *ids);
/* All that there is memory for; the others are not used again. */
void gvk_ids_move(struct gvk_ids *to, struct gvk_ids *from);

/* One connection and Vulkan context. Counted; the process's newest is found by gvk_host_get. An
 * instance keeps its own for life, also when that host is gone. */
struct gvk_host {
    struct gs_device *gs;
    uint32_t refs;      /* the registry's lock */
    uint32_t turn;      /* atomic: number of the packet sent last, of all threads */
    uint64_t last_blob; /* atomic: the blob id given last */
    uint32_t peers;     /* vk_pack.peers of every packer */
    bool own;           /* our own host, not a stock one */
    bool guest_ids;     /* SLUICE_FEATURE_VK_IDS */
    bool has_status;    /* SLUICE_FEATURE_VK_STATUS */
    bool quiet;         /* SLUICE_FEATURE_VK_QUIET */
    bool wants_frames;  /* SLUICE_FEATURE_VK_FRAME */
    bool tells;         /* SLUICE_FEATURE_VK_TELL */
    uint64_t heard;     /* atomic: replies so far, on all threads; see gvk_status.h */
    bool deferred_mapping, batched_descriptors; /* of the capset */
    uint32_t lost;                              /* atomic: nothing more will come from it */
    pthread_mutex_t id_lock;                    /* guards ids */
    struct gvk_ids ids;
    pthread_mutex_t lock; /* guards the making of what follows */
    struct gvk_extensions instance_extensions;
};

/* The process's host, opened at first use. NULL: there is none; the reason was logged once, unless
 * none is meant. */
struct gvk_host *gvk_host_get(void);
struct gvk_host *gvk_host_ref(struct gvk_host *host);
void gvk_host_put(struct gvk_host *host);

/* A thread's ring to one host. Made at the thread's first call, gone with the thread. Only its
 * thread uses it, hence no lock. */
struct gvk_stream {
    struct gs_stream *gs;
    struct gvk_host *host;
    struct vk_pack pack;    /* the packet being made */
    struct vk_unpack reply; /* the reply being read */
    uint8_t *reply_data;    /* where reply.cur points into */
    size_t reply_capacity;
    struct gvk_ids ids;      /* the thread's own few; `fresh` unused */
    bool unanswered;         /* something was sent since the last reply */
    uint64_t looked_ns;      /* when it was last seen that the host lives */
    struct gvk_stream *next; /* of the thread's */
};

/* How a call goes to the host; generated gvk_call_vkX (guest/vk_call.h) does just this for every
 * command that travels and is not recorded:
 *
 *     struct gvk_stream *s = gvk_begin(host);
 *     if (s == NULL) return VK_ERROR_DEVICE_LOST;
 *     vk_pack_vkX(&s->pack, 0, ...);          the turn is written by gvk_send
 *     gvk_send(s);                            where there is no reply; or
 *     struct vk_unpack *u = gvk_call(s);      NULL: it did not go out
 *     if (u == NULL || !gvk_done(s, vk_read_reply_vkX(u, ..., &result))) the device is lost
 *
 * Turns: one counter a host, taken when the packet is whole and fits; from there to its publication
 * nothing fails but the ring itself, and then the context is over anyway. Every packet is published
 * at once, or with the next one that is sent at once, since another thread's next number waits for
 * it. */

/* The calling thread's stream if it has one; NULL. */
struct gvk_stream *gvk_stream_peek(const struct gvk_host *host);
/* The calling thread's stream with an empty pack. NULL: no memory, or the host is gone. */
struct gvk_stream *gvk_begin(struct gvk_host *host);
/* Sends what was packed: one packet. False: it could not be packed, or the host is gone. */
bool gvk_send(struct gvk_stream *stream);
/* The same where another packet follows at once, and both are published together. */
bool gvk_post(struct gvk_stream *stream);
/* The same with `size` bytes of data behind what was packed, which are not copied twice: the
 * packet's length word grows by `size`. For vkQueueFlushCommandsGOOGLE: pack it up to dataSize. */
bool gvk_send_with(struct gvk_stream *stream, const void *data, size_t size);
/* gvk_send, then wait for the reply; what it gives is valid until the thread's next call. */
struct vk_unpack *gvk_call(struct gvk_stream *stream);
/* An id that the guest chose for a new object, and no reply comes; 0: the host shall choose.
 * gvk_id.c. */
uint64_t gvk_id_take(struct gvk_host *host);
static inline bool gvk_id_choose(struct gvk_host *host, struct gvk_object *object)
{
    object->vk.id = gvk_id_take(host);
    return object->vk.id != 0;
}
/* The host has been told that the object is gone; other ids than chosen ones: nothing.
 * gvk_object_free does. */
void gvk_id_give(struct gvk_host *host, uint64_t id);
/* Why a call did not happen: VK_ERROR_DEVICE_LOST, or the guest's memory ran out. */
VkResult gvk_failure(const struct gvk_host *host);
/* After the reply was read, or not: a reply that could not be read ends the connection. `read`. */
bool gvk_done(struct gvk_stream *stream, bool read);
/* Is the host gone? A flag, cheap; set by whichever thread found out. */
bool gvk_host_lost(const struct gvk_host *host);
/* It is: said once. */
void gvk_host_lose(struct gvk_host *host);
/* Whether it is still there, where waiting without a packet would not notice; loses it otherwise.
 * At most one syscall. */
bool gvk_host_look(struct gvk_host *host);
/* In a fork's child: forget the thread's streams. */
void gvk_streams_forked(void);

/* ---- Instance and physical device: gvk_instance.c, gvk_physical.c ---- */

struct gvk_instance {
    struct gvk_dispatch dispatch;
    struct gvk_allocator allocator;
    uint32_t api_version; /* what the application asked for; 1.0 at least */
    struct gvk_set enabled;
    pthread_mutex_t lock;         /* guards what follows */
    struct gvk_physical *devices; /* stable objects; made by the first enumeration */
    uint32_t device_count;
    struct sl_list messengers; /* struct gvk_messenger.link */
};

struct gvk_physical {
    struct gvk_dispatch dispatch;
    struct gvk_instance *instance;
    struct gvk_extensions extensions; /* what it offers to applications */
    VkPhysicalDeviceProperties properties;
    VkPhysicalDeviceMemoryProperties memory;
};

/* The devices of an instance that ends. */
void gvk_physicals_finish(struct gvk_instance *instance);
/* vk_icdGetPhysicalDeviceProcAddr. */
PFN_vkVoidFunction gvk_physical_proc(VkInstance instance, const char *name);

/* ---- Device and queues: gvk_device.c ---- */

struct gvk_queue {
    struct gvk_dispatch dispatch;
    uint32_t family;
    uint32_t index;
    VkDeviceQueueCreateFlags flags;
    struct gvk_queue *next; /* of the device */
};

/* What waits of one descriptor set: its writes are those up to the next one's. gvk_batch.h */
struct gvk_pending {
    struct gvk_descriptor_set *set;
    uint32_t first_write;
    uint32_t allocate; /* 1: the host has only its name yet */
};

/* Writes to descriptor sets that the host has not yet. */
struct gvk_descriptors {
    pthread_mutex_t lock;  /* guards the rest, and is held while they are sent */
    struct vk_pack pack;   /* VkWriteDescriptorSets, one behind the other */
    struct sl_arena arena; /* copies that a write is packed from */
    uint64_t batch;        /* number of what waits now, from 1 on */
    uint32_t count;        /* of the writes */
    uint32_t waiting;      /* atomic: there are some */
    /* With a host that wants batches: whose they are, and sets to be allocated. */
    struct gvk_pending *sets;
    uint32_t set_count, set_capacity;
};

/* What is known of plain buffers of one usage: gvk_resource.c. */
struct gvk_like {
    VkBufferUsageFlags usage;
    VkSharingMode sharing;
    VkDeviceSize alignment;
    uint32_t type_bits;
    uint32_t rounding; /* atomic: enum gvk_rounding */
};
/* Sizes that are no multiple of the alignment: asked of the host until one has shown whether it
 * rounds them up. */
enum gvk_rounding { GVK_ROUNDING_UNKNOWN, GVK_ROUNDING_UP, GVK_ROUNDING_NOT };
#define GVK_LIKES 32u

struct gvk_device {
    struct gvk_dispatch dispatch; /* dispatch.device: itself */
    struct gvk_physical *physical;
    struct gvk_allocator allocator;
    struct gvk_set enabled;
    pthread_mutex_t lock; /* guards queues, private data, blocks, the making of likes, buffers that
                             wait */
    struct gvk_queue *queues;
    struct gvk_like likes[GVK_LIKES]; /* those that there are change no more but for `rounding` */
    uint32_t like_count;              /* atomic */
    struct sl_list blocks;            /* struct gvk_block.link: the host's allocations */
    struct gvk_status_page *status;   /* gvk_status.c; NULL until the first poll */
    uint32_t lost;                    /* atomic: a call said VK_ERROR_DEVICE_LOST */
    struct gvk_descriptors descriptors;
};

static inline struct gvk_host *gvk_host_of(const void *dispatchable)
{
    return ((const struct gvk_dispatch *)dispatchable)->host;
}
static inline struct gvk_device *gvk_device_of(const void *dispatchable)
{
    return ((const struct gvk_dispatch *)dispatchable)->device;
}
/* The stream for a device's (or queue's) call; NULL when it is lost. */
static inline struct gvk_stream *gvk_begin_of(const void *dispatchable)
{
    return gvk_begin(gvk_host_of(dispatchable));
}

/* ---- Descriptors: gvk_descriptor.c ---- */

/* peers: the host's. */
void gvk_descriptors_init(struct gvk_descriptors *descriptors, uint32_t peers);
void gvk_descriptors_finish(struct gvk_descriptors *descriptors);
/* Sends the writes that wait. Any thread. */
void gvk_descriptors_send(struct gvk_device *device);
/* The same, before anything that has to come behind them: a submit, the end of a descriptor set or
 * of an object that a write may name. Cheap where nothing waits. */
static inline void gvk_settle(struct gvk_device *device)
{
    /* Pairs with nothing: who has to see a write is ordered behind it by Vulkan's rules. */
    if (SL_UNLIKELY(sl_atomic_load_relaxed(&device->descriptors.waiting) != 0)) {
        gvk_descriptors_send(device);
    }
}

/* ---- Command buffers: what generated entry points need of them; the rest is gvk_command.h ---- */

/* First member of struct gvk_command_buffer. A generated vkCmd* packs into `pack` and looks at
 * nothing else; a pack that failed is reported by vkEndCommandBuffer. */
struct gvk_recorder {
    struct gvk_dispatch dispatch;
    struct vk_pack pack;
};
static inline struct vk_pack *gvk_record(VkCommandBuffer buffer)
{
    return &((struct gvk_recorder *)(void *)buffer)->pack;
}

/* ---- Memory: gvk_memory.c ---- */

struct gvk_block;
void gvk_blocks_init(struct gvk_device *device);
/* Frees all memory that is left. */
void gvk_blocks_finish(struct gvk_device *device);

/* On the wire an allocation that was cut out of a block goes by the block's id: object.vk.id. */
struct gvk_memory {
    struct gvk_object object;
    uint64_t size;           /* as the application asked */
    uint32_t type;           /* memory type index */
    struct gvk_block *block; /* the host's allocation; never NULL */
    uint64_t offset;         /* in it: to be added wherever a VkDeviceMemory goes with an offset */
};

struct gvk_buffer {
    struct gvk_object object;
    VkMemoryRequirements requirements;
    /* A plain buffer of known requirements has an id of the guest's, and the host does not hear of
     * it before somebody could tell: it waits, with what it is made of. */
    uint32_t waits; /* atomic; goes to 0 under the device's lock */
    VkBufferUsageFlags usage;
    VkDeviceSize size;
};
/* The host shall know the buffer: before memory is bound to it, or made for it. NULL allowed. */
VkResult gvk_buffer_tell(struct gvk_device *device, VkBuffer buffer);
struct gvk_image {
    struct gvk_object object;
    VkMemoryRequirements requirements;
};

/* The memory's bytes in this process, mapped at first use and until it is freed. OK for
 * host-visible types only. */
VkResult gvk_memory_map(struct gvk_device *device, struct gvk_memory *memory, void **bytes);
/* The blob behind it and where it begins in there; NULL while it is not mapped. Borrowed. */
struct vg_res *gvk_memory_blob(struct gvk_memory *memory, uint64_t *offset);

#endif
