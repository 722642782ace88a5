/* What the object families' handlers share: their records, and helpers for what a packet holds.
 *
 * Included by the hvk_<family>.c files, by hvk_blob.c and hvk_waiter.c alone. All of it runs on
 * ring threads, under the packet's turn unless said. */
#ifndef HOST_HVK_FAMILY_H
#define HOST_HVK_FAMILY_H

#include "host/vulkan/hvk.h"
#include "wire/vk_unpack.h"

/* How long one native wait may take before its ring looks whether it shall stop. */
#define HVK_SLICE_NS (5ull * 1000 * 1000)

/* --- hvk_chain.c: chains that were read from a packet, whose memory is the packet's --- */

/* The first struct of that type, or NULL. */
const void *hvk_chain_find(const void *chain, VkStructureType type);
/* Unlinks every struct of that type from the chain that *chain begins; the first of them, or NULL.
 */
const void *hvk_chain_take(const void **chain, VkStructureType type);
/* The same for whatever `drops` names, `count` of them. */
void hvk_chain_drop(const void **chain, const VkStructureType *drops, size_t count);

static inline VkDevice hvk_native(const struct hvk_device *device)
{
    return HVK_HANDLE(VkDevice, device->object.native);
}

/* Drivers believe that what they are given is their own device's. */
static inline bool hvk_is_of(const struct hvk_object *object, const struct hvk_device *device)
{
    return object != NULL && object->device == device;
}

/* The packet's parameters once more, for handlers that need ids where readers give natives: read
 * with vk_unpack_X into a second struct. */
struct vk_unpack hvk_again(const struct hvk_call *call);

/* --- hvk_blob.c: memory that the guest maps too --- */

/* Sealed shared pages, mapped here. Counted: by the memory object that made them, by what is bound
 * to it, so that no driver is left with an address that is gone, and by the blob that waits for
 * them. */
struct hvk_pages {
    uint32_t refs; /* atomic */
    int fd;
    uint64_t size; /* whole host pages */
    void *pointer;
    struct hvk_context *context; /* whose share they count against; NULL: nobody's */
};

/* Zeroed. context: nullable; limit: the bytes that all of a context's pages may have, whoever
 * holds them still. NOMEM: that, too many, or the system's; IO; INVALID: no size. */
enum sl_result hvk_pages_create(struct hvk_context *context, uint64_t size, uint64_t limit,
                                struct hvk_pages **out) SL_MUST_USE;
struct hvk_pages *hvk_pages_ref(struct hvk_pages *pages);
void hvk_pages_unref(struct hvk_pages *pages); /* NULL allowed */

/* The blob of that id may be created from now on, once. INVALID: the id is taken by other pages, or
 * no blob's; NOMEM. */
enum sl_result hvk_blob_publish(struct hvk_context *context, uint64_t blob_id,
                                struct hvk_pages *pages) SL_MUST_USE;
/* Nobody may create it any more, if it is those pages'. */
void hvk_blob_withdraw(struct hvk_context *context, uint64_t blob_id,
                       const struct hvk_pages *pages);
/* An id that the guest does not choose. */
uint64_t hvk_blob_id_new(struct hvk_context *context);
/* A resource attached to the context, of at least `size` bytes, as pages of our own. NOTFOUND: none
 * of that id; INVALID: too small, or memory that cannot be shared; NOMEM, IO. */
enum sl_result hvk_resource_pages(struct hvk_context *context, uint32_t resource_id, uint64_t size,
                                  struct hvk_pages **out) SL_MUST_USE;

/* --- hvk_memory.c --- */

struct hvk_memory {
    struct hvk_object object;
    uint64_t size;           /* as the guest asked */
    struct hvk_pages *pages; /* NULL: the driver's own, which nobody maps */
    uint64_t blob_id;        /* 0: none yet */
};

/* Bit i: memory type i is shared with the guest. Found out at the first call, under the turn. */
uint32_t hvk_memory_shared_types(struct hvk_physical *physical);
/* What the guest is told: the others are not visible to it. */
void hvk_memory_filter(struct hvk_physical *physical, VkPhysicalDeviceMemoryProperties *properties);
/* Whether [offset, offset + size) lies in the device's memory of that id. *pages: borrowed,
 * nullable. */
bool hvk_memory_holds(const struct hvk_device *device, uint64_t id, uint64_t offset, uint64_t size,
                      struct hvk_pages **pages);

/* By which the guest maps it; 0: not yet, or no memory of the device's. */
uint64_t hvk_memory_blob_id(const struct hvk_device *device, uint64_t id);

/* --- hvk_buffer.c, hvk_image.c --- */

struct hvk_buffer {
    struct hvk_object object;
    VkMemoryRequirements requirements;
    struct hvk_pages *pages; /* bound, nullable */
};

#define HVK_PLANES 3u

struct hvk_image {
    struct hvk_object object;
    VkMemoryRequirements requirements;
    VkImageTiling tiling; /* the guest's; natively LINEAR for a modifier without the extension */
    uint32_t mip_levels, array_layers;
    bool is_disjoint;
    bool is_external;
    bool is_modifier_emulated;
    struct hvk_pages *pages[HVK_PLANES]; /* bound, nullable */
};

/* --- hvk_command.c --- */

/* Wait until none of the command buffers is being recorded on another ring, past its turn. ids: the
 * guest's. False: that does not end, or the context does. */
bool hvk_command_buffers_settle(const struct hvk_call *call, const uint64_t *ids, uint32_t count);

/* --- hvk_sync.c --- */

/* A native fence. Counted: by the fence that it is the payload of, by who waits for it past the
 * turn, and by exports. A fence that is reset while others look at its payload gets a new one. */
struct hvk_payload {
    uint32_t refs; /* atomic */
    VkFence native;
    bool is_submitted;         /* a queue signals it, or has, since it was reset; under the turn */
    struct hvk_device *device; /* a reference */
};

struct hvk_payload *hvk_payload_ref(struct hvk_payload *payload);
void hvk_payload_unref(struct hvk_payload *payload); /* NULL allowed */

struct hvk_fence {
    struct hvk_object object;    /* its native is the payload's */
    struct hvk_payload *payload; /* changed with context->lock held */
};

/* It was given to a queue, which signals it; 0: none was. What tells this submission from others,
 * to be compared alone; NULL: it does not tell. */
const void *hvk_fence_submitted(struct hvk_context *context, uint64_t id);
/* The queue has signalled it since. Under the turn. */
bool hvk_fence_is_done(const struct hvk_context *context, uint64_t id, const void *submission);

struct hvk_semaphore {
    struct hvk_object object; /* holds a reference on its device */
    bool is_timeline;
};

/* A native fence of the device's, unsignalled, that nothing of the guest's names. */
VkResult hvk_payload_new(struct hvk_device *device, VkFenceCreateFlags flags,
                         struct hvk_payload **out);
/* Wait natively, in slices, until all or any have signalled; TIMEOUT also when the ring stops.
 * natives: alive by references of the caller's. call: nullable. */
VkResult hvk_fences_wait(const struct hvk_call *call, struct hvk_device *device, uint32_t count,
                         const VkFence *natives, VkBool32 all, uint64_t timeout_ns);

/* --- hvk_waiter.c --- */

/* When the payload has signalled, or else the timeline has reached that value, `value` is written
 * to that slot of the status page; or never, when there is no memory. Takes references. */
void hvk_waiter_watch(struct hvk_context *context, struct hvk_payload *payload,
                      struct hvk_semaphore *semaphore, uint64_t reached, struct hvk_pages *status,
                      uint32_t slot, uint32_t value);

/* --- hvk_pipeline.c --- */

/* A submit came: of the layouts that were destroyed the oldest go natively, when there are many. */
void hvk_layouts_trim(struct hvk_context *context, struct hvk_device *device);

/* How many queries a pool has, as the driver believes any index. */
struct hvk_query_pool {
    struct hvk_object object;
    uint32_t count;
    uint32_t value_count; /* of one query's results */
};

/* --- hvk_descriptor.c --- */

struct hvk_pool {
    struct hvk_object object;
    uint32_t max_sets;
    uint32_t name_count;
    bool can_free;       /* sets one by one */
    struct sl_list sets; /* struct hvk_set.link */
};

/* A descriptor set, or the name of one that is yet to be allocated: its native is 0 then. */
struct hvk_set {
    struct hvk_object object;
    struct hvk_pool *pool;
    struct sl_list link;
    bool is_named; /* batched: the id belongs to the pool and outlives the set */
    bool is_owned; /* the native set is there and to be freed; else it goes with its pool */
};

/* Does a write name a set, and carry what a driver reads of it? */
bool hvk_write_is_whole(const VkWriteDescriptorSet *write);

#endif
