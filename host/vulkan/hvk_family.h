/* What the object families' handlers share: their records, and helpers for what a packet holds.
 *
 * Included by the hvk_<family>.c files, by hvk_blob.c and hvk_waiter.c alone. All of it runs on
 * ring threads, under the packet's turn unless said. */
#ifndef HOST_HVK_FAMILY_H
#define HOST_HVK_FAMILY_H

#include "host/vulkan/hvk.h"
#include "transport/base/atomic.h"
#include "host/vulkan/hvk_birth.h"
#include "wire/vk_unpack.h"

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

/* The packet's parameters once more, for handlers that need ids where readers give natives: read
 * with vk_unpack_X into a second struct. */
struct vk_unpack hvk_again(const struct hvk_call *call);
/* The same of a recorded command. */
struct vk_unpack hvk_body_again(const struct hvk_recording *recording);

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
    struct hvk_birth *birth;     /* of the memory object that made them, a reference; nullable */
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
/* An id that the guest does not choose: the next one. */
uint64_t hvk_blob_id_new(struct hvk_context *context);
bool hvk_blob_is_own(uint64_t blob_id);
/* The number of the last such id, and how to go on behind one. */
uint32_t hvk_blob_last(struct hvk_context *context);
void hvk_blob_go_on(struct hvk_context *context, uint32_t last);
/* A resource that is attached, the file that its memory is of, and, where that was a blob of this
 * context's, which one and how it came to be (borrowed). */
struct hvk_shared {
    uint64_t inode;
    uint32_t resource_id;
    uint32_t blob_id;
    struct hvk_birth *birth;
};
/* At most room of them are written. Returns how many there are. */
uint32_t hvk_blob_shared(struct hvk_context *context, struct hvk_shared *out, uint32_t room);
uint64_t hvk_pages_inode(const struct hvk_pages *pages);
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
    uint32_t type;           /* of the device's */
    bool is_dedicated;       /* to one buffer or image; only where it has no pages */
    bool is_shown;           /* presented: the host alone writes it */
};

/* hvk_carry.c: bytes of memory without pages, out of it or into it, by its device. UNSUPPORTED: no
 * buffer can be laid over it, or its device copies nothing; TIMEOUT; DEVICE_LOST; NOMEM. */
enum sl_result hvk_carry(const struct hvk_device *device, const struct hvk_memory *memory,
                         uint64_t offset, void *bytes, size_t size, bool out) SL_MUST_USE;

/* Bit i: memory type i is shared with the guest. Found out at the first call, under the turn. */
uint32_t hvk_memory_shared_types(struct hvk_physical *physical);
/* What the guest is told: the others are not visible to it. */
void hvk_memory_filter(struct hvk_physical *physical, VkPhysicalDeviceMemoryProperties *properties);
/* Whether [offset, offset + size) lies in the memory of that id. *pages: borrowed,
 * nullable. */
bool hvk_memory_holds(const struct hvk_device *device, uint64_t id, uint64_t offset, uint64_t size,
                      struct hvk_pages **pages);

/* The same for what needs that much, so aligned, in memory of such types. */
bool hvk_memory_takes(const struct hvk_device *device, uint64_t id, uint64_t offset,
                      const VkMemoryRequirements *needs, struct hvk_pages **pages);

/* It holds what is presented. The blob by which the guest maps it; 0: not yet, or no memory of the
 * device's. */
uint64_t hvk_memory_show(const struct hvk_device *device, uint64_t id);

/* --- hvk_buffer.c, hvk_image.c --- */

struct hvk_buffer {
    struct hvk_object object;
    uint64_t size;
    VkMemoryRequirements requirements;
    bool is_bound;           /* or sparse: no driver survives the use of one that is not */
    struct hvk_pages *pages; /* bound, nullable */
    struct hvk_bond memory;
};

/* Can memory be bound piece by piece? Drivers that cannot do not refuse to make what would need it,
 * and find no memory there. */
static inline bool hvk_has_sparse(const struct hvk_physical *physical)
{
    bool has = false;
    for (uint32_t i = 0; i < physical->family_count; i++) {
        has = has || (physical->families[i].queueFlags & VK_QUEUE_SPARSE_BINDING_BIT) != 0;
    }
    return has;
}

/* The buffer that has this native handle; NULL. Under the turn. */
struct hvk_buffer *hvk_buffer_at(const struct hvk_device *device, VkBuffer native);

#define HVK_PLANES 3u

struct hvk_image {
    struct hvk_object object;
    VkMemoryRequirements requirements;
    VkImageType type;
    VkFormat format;
    VkExtent3D extent;
    VkImageTiling tiling; /* the guest's; natively LINEAR for a modifier without the extension */
    uint32_t mip_levels, array_layers;
    VkSampleCountFlagBits samples;
    VkImageCreateFlags flags;
    VkImageUsageFlags usage; /* natively */
    uint32_t bound;          /* 1 << plane; all ones: sparse */
    bool is_disjoint;
    bool is_external;
    bool takes_no_import; /* nor, therefore, what is shared with the guest */
    bool is_modifier_emulated;
    struct hvk_pages *pages[HVK_PLANES]; /* bound, nullable */
    struct hvk_bond memory[HVK_PLANES];
    VkDeviceMemory own_memory; /* of a replay's; or none */
};
/* A replay binds there what needs more here than while recording: to memory of its own. */
#define HVK_OWN_MEMORY UINT64_MAX

/* --- hvk_view.c --- */

/* A view of an image or a buffer, a sampler, a conversion. */
struct hvk_view {
    struct hvk_object object;
    struct hvk_object *of; /* a reference; NULL: of nothing else */
    /* Of an image's view: */
    VkFormat format;
    VkSampleCountFlagBits samples;
    uint32_t width, height, layers;
    uint32_t level, layer; /* the first ones; of a volume's slices: the slice */
};

/* --- hvk_format.c --- */

/* What a buffer holds of an image's format: blocks of so many texels. */
struct hvk_block {
    uint8_t size; /* bytes; 0: not known here */
    uint8_t width, height;
};
/* Of these aspects of it; 0: of colour, or depth. */
struct hvk_block hvk_block_of(VkFormat format, VkImageAspectFlags aspects);
bool hvk_is_depth_stencil(VkFormat format);
/* Those that there may be. */
VkImageAspectFlags hvk_aspects_of(VkFormat format);

/* --- hvk_bounds.c --- */

/* Does the device's buffer of that id have these bytes? The recording fails if not. */
bool hvk_reaches(struct hvk_recording *r, uint64_t buffer_id, uint64_t offset, uint64_t size);

/* --- hvk_command.c --- */

/* A command buffer that the queue's next submit names. Wait until it is not being recorded on
 * another ring, past its turn. id: the guest's. False: that does not end, or the context does, or
 * what it names is no more. */
bool hvk_command_buffer_ready(const struct hvk_call *call, struct hvk_queue *queue, uint64_t id);

/* It has another native one from now on, with nothing recorded; the old one stays as it is and ends
 * when the device is done with it. In turns. */
VkResult hvk_command_buffer_renew(struct hvk_command_buffer *b);
/* The guest names it no more. It ends when the device is done with it; until then it is none of its
 * pool's, but lies in the native one. In turns. */
void hvk_command_buffer_end(struct hvk_context *context, struct hvk_command_buffer *b);
/* Nothing is recorded in it. With its pool's lock held, or `natives` for writing. */
void hvk_command_buffer_forget(struct hvk_command_buffer *b);
/* hvk_command_pool.c. NULL: there is none. */
struct hvk_command_pool *hvk_command_pool_find(const struct hvk_context *context, uint64_t id);

/* What it holds is recorded again, natively in its place: the device is done with it. In turns. */
void hvk_command_again(struct hvk_command_buffer *b);

/* --- hvk_uses.c --- */

/* vk_unpack.named, user: the struct hvk_uses of the buffer that is recorded. */
void hvk_uses_note(struct vk_unpack *u, uint32_t kind, uint64_t id, uint64_t native);
/* The commands name these of a pool's queries. */
void hvk_uses_queries(struct vk_unpack *u, uint64_t pool_id, uint32_t first, uint32_t count);
/* The same of queries that are reset: a submit tells the pool. Whether this one is, so far. */
void hvk_uses_resets(struct vk_unpack *u, uint64_t pool_id, uint32_t first, uint32_t count);
/* The secondary command buffer that the i-th of them is; NULL: none. */
struct hvk_object *hvk_uses_executed(const struct hvk_uses *uses, uint32_t i,
                                     const struct hvk_context *context);
bool hvk_uses_is_reset(const struct hvk_uses *uses, uint64_t pool_id, uint32_t query);
void hvk_uses_forget(struct hvk_uses *uses);
void hvk_uses_finish(struct hvk_uses *uses);
/* Nothing of it has ended. Under the turn, while nobody records it. */
bool hvk_uses_alive(const struct hvk_context *context, struct hvk_uses *uses);
/* Serials of the births of what it names; writes at most room of them (0: one that is not known)
 * and returns how many there are. */
uint32_t hvk_uses_serials(const struct hvk_context *context, const struct hvk_uses *uses,
                          uint64_t *out, uint32_t room);
/* All of it is alive, and the queue's next submit uses it. Under the turn. */
void hvk_uses_give(const struct hvk_uses *uses, struct hvk_queue *queue);

/* --- hvk_sync.c --- */

/* A native fence. Counted: by the fence that it is the payload of, by who waits for it past the
 * turn, and by exports. A fence that is reset while others look at its payload gets a new one. */
struct hvk_payload {
    uint32_t refs; /* atomic */
    VkFence native;
    /* Atomic: a queue signals it, or has, since it was reset; under the turn. Until then it is the
     * submit's, and nobody else looks at it. */
    uint32_t is_submitted;
    struct hvk_queue *queue; /* to which it was submitted last, and when; under the turn */
    uint64_t serial;
    struct hvk_device *device; /* a reference */
};

struct hvk_payload *hvk_payload_ref(struct hvk_payload *payload);
void hvk_payload_unref(struct hvk_payload *payload); /* NULL allowed */

struct hvk_fence {
    struct hvk_object object;    /* its native is the payload's */
    struct hvk_payload *payload; /* changed with context->lock held */
    bool begins_signalled;
};

/* It was given to the queue with its last submit; 0: none was. False: it will not tell of that. */
bool hvk_fence_submitted(struct hvk_queue *queue, uint64_t id);
/* It is signalled from now on, and no queue has to do with it. False: it stays as it was, somebody
 * waits already for its signal. Under the turn. */
bool hvk_fence_signal(struct hvk_context *context, uint64_t id);
/* The queue has signalled it, with that submit of its or a later one. Under the turn. */
bool hvk_fence_is_done(const struct hvk_queue *queue, uint64_t id, uint64_t serial);

/* Has it signalled by the time that the driver's threads had the processor, if work is short? */
bool hvk_fence_soon(struct hvk_device *device, VkFence native);

struct hvk_semaphore {
    struct hvk_object object; /* holds a reference on its device */
    bool is_timeline;
    uint64_t initial;  /* of a timeline */
    bool is_signalled; /* a binary one, when all that was submitted is done; under the turn */
};

/* --- hvk_waiter.c --- */

/* When the payload has signalled, or else the timeline has reached that value, `value` is written
 * to that slot of the status page; or never, when there is no memory. Takes references. */
void hvk_waiter_watch(struct hvk_context *context, struct hvk_payload *payload,
                      struct hvk_semaphore *semaphore, uint64_t reached, struct hvk_pages *status,
                      uint32_t slot, uint32_t value);

/* A fence was submitted that somebody else has a reference on. */
void hvk_waiter_wake(struct hvk_context *context);

/* --- hvk_bound.c --- */

/* Is there a pipeline to draw with, and something to draw on? The recording fails if not. */
bool hvk_can_draw(struct hvk_recording *r);
/* The same, and are there indices? */
bool hvk_can_draw_indexed(struct hvk_recording *r);

/* --- hvk_address.c --- */

struct hvk_provider;
/* Takes the extensions away where nobody may have addresses. */
void hvk_addresses_hide(struct hvk_physical *physical, const struct hvk_provider *provider);
/* One struct of a driver's features: without those that are hidden. */
void hvk_addresses_filter(const struct hvk_physical *physical, VkBaseOutStructure *s);
/* Does the guest ask for them? Noted in the device. chain: of its features. */
bool hvk_addresses_asked(struct hvk_device *device, const void *chain);
/* Behind the loading of its functions: who did not ask is told none. */
void hvk_addresses_load(struct hvk_device *device);
/* Is it an instruction of SPIR-V that shaders with addresses alone have? count: of its words. */
bool hvk_addresses_in(uint32_t op, const uint32_t *words, size_t count);

/* --- hvk_private.c --- */

struct hvk_private_value {
    VkObjectType type;
    uint64_t handle, data;
};
/* What a slot has; at most room of them are written. Returns how many there are. */
uint32_t hvk_private_list(const struct hvk_object *slot, struct hvk_private_value *out,
                          uint32_t room);

/* --- hvk_shader.c --- */

/* Does code of that many bytes have the shape of SPIR-V? The device remembers what it can do. */
bool hvk_is_spirv(struct hvk_device *device, const uint32_t *words, size_t size);

struct hvk_clamped;
/* The same, and what a driver gets instead of it (hvk_clamp.h), which is the caller's.
 * ERROR_INVALID_SHADER_NV: it must not see it; OUT_OF_HOST_MEMORY. */
VkResult hvk_shader_code(struct hvk_device *device, const uint32_t *words, size_t size,
                         struct hvk_clamped *out);

struct hvk_interface;
struct hvk_shader {
    struct hvk_object object;
    struct hvk_interface *interface;
};

/* --- hvk_interface.c --- */

struct hvk_pipeline_layout;
/* Of code that has the shape of SPIR-V. The caller's; NULL: no memory, or there is no end to it. */
struct hvk_interface *hvk_interface_read(const uint32_t *words, size_t size);
void hvk_interface_free(struct hvk_interface *i); /* NULL allowed */
/* Is there such an entry point, and has the layout (NULL: none) all that it uses of sets? */
bool hvk_interface_fits(const struct hvk_interface *i, const VkPipelineShaderStageCreateInfo *stage,
                        const struct hvk_pipeline_layout *layout);

/* --- hvk_pipeline.c --- */

struct hvk_pipeline_facts {
    uint32_t points; /* 1 << VkPipelineBindPoint: where it may be bound; 0: it is a part */
    /* By shaders; its topology is patches; or is dynamic */
    bool tessellates, is_patches, has_any_topology;
};

struct hvk_pipeline {
    struct hvk_object object;
    struct hvk_pipeline_facts facts;
};

/* --- hvk_pipeline_state.c --- */

/* What it lacks is filled in, in the packet's memory. False: no driver should see it. ids: the same
 * with its handles as ids. facts: what is known of it by then. */
bool hvk_graphics_mend(struct hvk_call *call, const struct hvk_device *device,
                       VkGraphicsPipelineCreateInfo *info, const VkGraphicsPipelineCreateInfo *ids,
                       struct hvk_pipeline_facts *facts);

/* --- hvk_pass.c --- */

/* Does what the secondary buffer has recorded belong where the other one is? */
bool hvk_pass_executes(const struct hvk_command_buffer *b,
                       const struct hvk_command_buffer *secondary);

/* How many subpasses the pass of that id has; 0: there is none. */
uint32_t hvk_pass_subpasses(const struct hvk_context *context, VkRenderPass id);

/* `count` more of what a process has of something, atomic; false: that would be more than `most`.
 * Any thread. */
static inline bool hvk_take(uint64_t *total, uint64_t count, uint64_t most)
{
    if (sl_atomic_count_u64(total, count) + count <= most) {
        return true;
    }
    (void)sl_atomic_count_u64(total, -count);
    return false;
}

static inline void hvk_give_back(uint64_t *total, uint64_t count)
{
    (void)sl_atomic_count_u64(total, -count);
}

/* --- hvk_layout.c --- */

struct hvk_binding {
    uint32_t number;
    VkDescriptorType type;
    uint32_t count;         /* of inline blocks: bytes */
    uint32_t first;         /* its place in what a set holds: hvk_held.c */
    uint32_t first_dynamic; /* of a dynamic type: among those */
    VkShaderStageFlags stages;
};

/* What a set of a layout holds; by number. Counted: by the layout, its sets and pipeline layouts.
 */
struct hvk_bindings {
    uint32_t refs; /* atomic */
    uint32_t count;
    struct hvk_object **samplers; /* immutable ones, a reference each: drivers keep pointers */
    uint32_t sampler_count;
    uint32_t dynamic_count; /* descriptors with an offset that is given when they are bound */
    uint32_t places;        /* of all: hvk_held.c */
    bool is_variable;       /* the last one's count is the set's own */
    uint32_t *own;          /* places in the list of those with samplers that are not immutable */
    uint32_t own_count;
    struct hvk_binding list[];
};

struct hvk_pipeline_layout {
    struct hvk_object object;
    struct sl_list retired; /* hvk_device.layouts; empty while it lives */
    uint32_t set_count;
    struct hvk_bindings *sets[]; /* nullable */
};

static inline bool hvk_is_dynamic(VkDescriptorType type)
{
    return type == VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC ||
           type == VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC;
}

struct hvk_bindings *hvk_bindings_ref(struct hvk_bindings *bindings);
void hvk_bindings_unref(struct hvk_bindings *bindings); /* NULL allowed */
/* Of a set layout; borrowed, or NULL. Under the turn. */
struct hvk_bindings *hvk_bindings_of(const struct hvk_context *context, uint64_t layout_id);
/* NULL: there is no such binding. */
const struct hvk_binding *hvk_binding_find(const struct hvk_bindings *bindings, uint32_t number);
bool hvk_bindings_agree(const struct hvk_bindings *a, const struct hvk_bindings *b);
/* Are there `count` descriptors of one type from that element of a binding on? *type: that type if
 * `typed`, else any; then it is the one. variable: how many the last binding has where that is the
 * set's own. */
bool hvk_bindings_hold(const struct hvk_bindings *bindings, uint32_t variable, uint32_t number,
                       uint32_t element, uint32_t count, VkDescriptorType *type, bool typed);
/* A submit came: of the layouts that were destroyed the oldest go natively, when there are many. */
void hvk_layouts_trim(struct hvk_context *context, struct hvk_device *device);

/* --- hvk_sampler.c --- */

bool hvk_has_sampler(VkDescriptorType type);
/* One of ours, the device's; VK_NULL_HANDLE: it cannot be made. Under the turn. */
VkSampler hvk_any_sampler(struct hvk_device *device);
/* How many descriptors the last binding of a native set gets, where that is the set's own: of the
 * layout (nullable) for a guest that wants so many. */
uint32_t hvk_samplers_room(const struct hvk_device *device, const struct hvk_bindings *bindings,
                           uint32_t wanted);
/* A native set was allocated so; bindings nullable. */
void hvk_samplers_begin(const struct hvk_device *device, VkDescriptorSet native,
                        const struct hvk_bindings *bindings);
/* A write, in memory of ours, is about to be made. */
void hvk_samplers_mend(const struct hvk_device *device, const VkWriteDescriptorSet *write);

/* --- hvk_set_pool.c --- */

struct hvk_pool {
    struct hvk_object object;
    uint32_t max_sets;
    uint32_t name_count;
    uint64_t places;      /* atomic: that its native sets take of the process's */
    bool can_free;        /* sets one by one */
    struct sl_list sets;  /* struct hvk_set.link */
    struct hvk_work work; /* that its sets were submitted for */
    /* To make it again: */
    VkDescriptorPoolCreateFlags flags;
    uint32_t inline_bindings; /* 0: not said */
    bool has_more;            /* it was made of more than is kept here */
    uint32_t size_count;
    VkDescriptorPoolSize sizes[];
};

/* A descriptor set, or the name of one that is yet to be allocated. What the table has for its
 * native is the record, so that readers find that where a handle is named. */
struct hvk_set {
    struct hvk_object object;
    struct hvk_pool *pool;
    struct sl_list link;
    uint64_t native;               /* 0: there is none; changes while nobody records */
    uint64_t places;               /* that it takes of the pool's */
    struct hvk_bindings *bindings; /* of the set that is there */
    uint32_t variable;             /* descriptors of its last binding, where that is its own */
    /* Of its dynamic descriptors, what may be added to their offsets (atomic); each time that it
     * becomes less, what was recorded with the set is of no use any more */
    uint64_t *rooms;
    uint32_t generation; /* changes under the turn, while nobody records */
    struct hvk_work work;
    bool is_named; /* batched: the id belongs to the pool and outlives the set */
    bool is_owned; /* the native set is there and to be freed; else it goes with its pool */
    /* For a snapshot: */
    union hvk_descriptor *held; /* by place; what is there counts when is_held */
    uint64_t held_room;         /* places */
    uint64_t held_counted;      /* of them, by hvk_keep */
    bool is_held;
    struct sl_list holding; /* hvk_device.sets, when is_held */
    struct hvk_bond layout; /* of the set that is_named stands for */
};

/* Allocate the set that a name stands for; it has none. layout_id: of the native one. */
VkResult hvk_name_allocate(struct hvk_set *set, VkDescriptorSetLayout layout, uint64_t layout_id);

/* --- hvk_held.c --- */

/* One descriptor as it was written, its handles native; zeros: it was not. Of inline blocks: so
 * many of their bytes. */
union hvk_descriptor {
    VkDescriptorImageInfo image;
    VkDescriptorBufferInfo buffer;
    VkBufferView view;
    uint8_t bytes[24];
};
_Static_assert(sizeof(union hvk_descriptor) == 24, "descriptor");

/* Gives each binding its place, when they are in order. */
void hvk_held_place(struct hvk_bindings *bindings);
/* What a set holds now. Resolved, and found to agree with the sets' bindings. False: there is no
 * memory to keep it, and it must not be held. */
bool hvk_held_write(struct hvk_set *set, const VkWriteDescriptorSet *write);
bool hvk_held_copy(struct hvk_set *to, const struct hvk_set *from, const VkCopyDescriptorSet *copy);
/* The set's contents are gone; then the set is. */
void hvk_held_drop(struct hvk_set *set);
void hvk_held_end(struct hvk_set *set);
/* How many places a set has; those of a binding. */
uint64_t hvk_held_count(const struct hvk_set *set);
uint64_t hvk_held_size(const struct hvk_set *set, const struct hvk_binding *binding);

/* --- hvk_descriptor.c --- */

/* Makes of a write what the driver gets: its set becomes the native one. False: it names no set, or
 * lacks what a driver reads of it, reaches past the end of a buffer, or disagrees with the set's
 * layout. */
bool hvk_write_resolve(VkWriteDescriptorSet *write);

/* --- hvk_once.c --- */

/* Commands of the host's own, which run once. */
struct hvk_once {
    const struct hvk_device *device;
    struct hvk_queue *queue;
    VkCommandPool pool;
    VkCommandBuffer commands;
    VkFence fence;
};
/* They are recorded from now on, for a queue that has any of these flags. FEATURE_NOT_PRESENT:
 * there is none. Whatever it answers, hvk_once_end follows. */
VkResult hvk_once_begin(struct hvk_once *once, const struct hvk_device *device, VkQueueFlags any);
/* They are run, and waited for; behind TIMEOUT the device still has them, and nothing ends. */
VkResult hvk_once_run(struct hvk_once *once);
void hvk_once_end(struct hvk_once *once);

/* --- hvk_times.c: where a tool measures; else nothing is done --- */

/* Around a submit, with the queue's lock held. */
void hvk_time_begin(struct hvk_queue *queue, uint32_t opcode);
void hvk_time_end(struct hvk_queue *queue);

/* --- hvk_carry.c --- */

/* A buffer in memory that the host maps, for copies. */
struct hvk_staging {
    VkBuffer buffer;
    VkDeviceMemory memory;
    void *mapping;
};
/* What was made is in *out in either case. */
VkResult hvk_staging_make(const struct hvk_device *device, uint64_t size, struct hvk_staging *out);
void hvk_staging_end(const struct hvk_device *device, struct hvk_staging *staging);

#endif
