/* What became of objects after they were made: memory, contents, signals, recorded commands. */
#include "host/vulkan/hvk_save.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <stdlib.h>

#define HEADER 12u /* opcode, length, turn */
/* Bytes of memory in one packet. */
#define PIECE 65536u
/* The same of memory that only its device reaches. */
#define CARRIED (8u << 20)

static VkDevice device_id(const struct hvk_object *object)
{
    return HVK_HANDLE(VkDevice, object->device->object.id);
}

/* --- memory --- */

static int by_inode(const void *a, const void *b)
{
    const struct hvk_shared *x = a, *y = b;
    if (x->inode != y->inode) {
        return x->inode < y->inode ? -1 : 1;
    }
    return x->resource_id < y->resource_id ? -1 : x->resource_id > y->resource_id;
}

/* The first of those that lie over such pages; how many in *count. */
static const struct hvk_shared *shared_over(const struct hvk_save *s, const struct hvk_pages *pages,
                                            uint32_t *count)
{
    uint64_t inode = hvk_pages_inode(pages);
    uint32_t low = 0, high = s->shared_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->shared[middle].inode < inode) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (*count = 0; low + *count < s->shared_count && s->shared[low + *count].inode == inode;) {
        ++*count;
    }
    return &s->shared[low];
}

static void publish(struct hvk_save *s, VkDevice device, uint64_t memory, uint64_t blob_id)
{
    VkDeviceMemory id = HVK_HANDLE(VkDeviceMemory, memory);
    if (hvk_blob_is_own(blob_id)) {
        hvk_save_ids(s, (uint32_t)blob_id - 1, NULL, 0);
        s->guided_until = 0;
        uint64_t address = 0, size = 0, asked = 0;
        HVK_SAVE(s, GetMemoryHostAddressInfoGOOGLE, device, id, &address, &size, &asked);
    } else if (blob_id != 0) {
        HVK_SAVE(s, GetBlobGOOGLE, device, id);
    }
}

/* True: the device has brought it into being, and its bytes. */
static bool bring(struct hvk_save *s, uint32_t resource_id)
{
    enum sl_result result =
        s->result == SL_OK ? s->saver->resource(s->saver->user, resource_id) : SL_ERR_NOTFOUND;
    if (result != SL_OK && result != SL_ERR_NOTFOUND) {
        s->result = result;
    }
    return result == SL_OK;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

static void about_pages(struct hvk_save *s, const struct hvk_memory *m, uint64_t at)
{
    const struct hvk_birth *birth = hvk_birth_of(s->context, VK_KIND_VkDeviceMemory, m->object.id);
    const struct vgd_about about = {.rule = VGD_FILLS,
                                    .kind = HVK_ABOUT_PAGES,
                                    .id = m->object.id,
                                    .place = at,
                                    .serial = birth != NULL ? birth->serial : 0};
    hvk_save_about(s, &about);
}

/* New pages are zeros. */
static void write_bytes(struct hvk_save *s, const struct hvk_memory *m)
{
    const uint8_t *bytes = m->pages->pointer;
    for (uint64_t at = 0; at < m->size && s->result == SL_OK; at += PIECE) {
        size_t size = m->size - at < PIECE ? (size_t)(m->size - at) : PIECE;
        if (hvk_save_is_whole(s) || !is_zero(bytes + at, size)) {
            about_pages(s, m, at);
            HVK_SAVE(s, WriteMemorySLUICE, device_id(&m->object),
                     HVK_HANDLE(VkDeviceMemory, m->object.id), at, size, bytes + at);
        }
    }
}

/* The same where only the device reaches them. What new memory holds is anybody's guess: all of it
 * is written. */
static void carry_bytes(struct hvk_save *s, const struct hvk_memory *m)
{
    uint8_t *bytes = sl_alloc(CARRIED);
    if (bytes == NULL) {
        hvk_save_fail(s, SL_ERR_NOMEM, "no memory");
    }
    for (uint64_t at = 0; at < m->size && s->result == SL_OK; at += CARRIED) {
        size_t size = m->size - at < CARRIED ? (size_t)(m->size - at) : CARRIED;
        enum sl_result result = hvk_carry(m->object.device, m, at, bytes, size, true);
        if (result != SL_OK) {
            hvk_save_fail(s, result,
                          m->is_dedicated ? "memory of one object that only its device reaches"
                                          : "memory that only its device reaches cannot be read");
        }
        about_pages(s, m, at);
        HVK_SAVE(s, WriteMemorySLUICE, device_id(&m->object),
                 HVK_HANDLE(VkDeviceMemory, m->object.id), at, size, bytes);
    }
    sl_free(bytes);
}

void hvk_save_memory(struct hvk_save *s, const struct hvk_memory *m)
{
    if (m->pages == NULL) {
        carry_bytes(s, m);
        return;
    }
    if (m->pages->context == NULL) {
        return; /* imported: whose it is saves it */
    }
    uint32_t count;
    bool is_there = false;
    const struct hvk_shared *shared = shared_over(s, m->pages, &count);
    for (uint32_t i = 0; i < count; i++) {
        publish(s, device_id(&m->object), m->object.id, m->blob_id);
        is_there = bring(s, shared[i].resource_id) || is_there;
    }
    if (count == 0) {
        publish(s, device_id(&m->object), m->object.id,
                m->blob_id); /* its blob may wait, or be nobody's here */
    }
    /* What is presented is not taken from a trace's memory: the host alone writes there. */
    if (!is_there || (m->is_shown && !hvk_save_is_whole(s))) {
        write_bytes(s, m);
    }
}

void hvk_save_lost_memory(struct hvk_save *s, const struct hvk_birth *birth)
{
    const VkDevice device = HVK_HANDLE(VkDevice, sl_load_u64(birth->packet + HEADER));
    for (uint32_t i = 0; i < s->shared_count; i++) {
        if (s->shared[i].birth == birth) {
            publish(s, device, birth->made[0], s->shared[i].blob_id);
            (void)bring(s, s->shared[i].resource_id);
        }
    }
}

/* --- bonds --- */

static VkDeviceMemory memory_id(const struct hvk_bond *bond)
{
    return HVK_HANDLE(VkDeviceMemory, bond->to->made[0]);
}

void hvk_save_buffer_bond(struct hvk_save *s, const struct hvk_buffer *buffer)
{
    HVK_SAVE(s, BindBufferMemory, device_id(&buffer->object),
             HVK_HANDLE(VkBuffer, buffer->object.id), memory_id(&buffer->memory),
             buffer->memory.offset);
}

void hvk_save_image_bond(struct hvk_save *s, const struct hvk_image *image, uint32_t plane)
{
    const VkBindImagePlaneMemoryInfo which = {
        .sType = VK_STRUCTURE_TYPE_BIND_IMAGE_PLANE_MEMORY_INFO,
        .planeAspect = plane == 0   ? VK_IMAGE_ASPECT_PLANE_0_BIT
                       : plane == 1 ? VK_IMAGE_ASPECT_PLANE_1_BIT
                                    : VK_IMAGE_ASPECT_PLANE_2_BIT};
    const VkBindImageMemoryInfo info = {.sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO,
                                        .pNext = image->is_disjoint ? &which : NULL,
                                        .image = HVK_HANDLE(VkImage, image->object.id),
                                        .memory = memory_id(&image->memory[plane]),
                                        .memoryOffset = image->memory[plane].offset};
    HVK_SAVE(s, BindImageMemory2, device_id(&image->object), 1, &info);
}

/* A name gets its set again. */
void hvk_save_set_bond(struct hvk_save *s, const struct hvk_set *set)
{
    const struct hvk_queue *queue = hvk_save_queue(set->object.device);
    const VkDescriptorPool pool = HVK_HANDLE(VkDescriptorPool, set->pool->object.id);
    const VkDescriptorSetLayout layout = HVK_HANDLE(VkDescriptorSetLayout, set->layout.to->made[0]);
    const uint32_t zero = 0, one = 1;
    if (queue == NULL) {
        hvk_save_fail(s, SL_ERR_UNSUPPORTED, "its device has no queue");
        return;
    }
    HVK_SAVE(s, QueueCommitDescriptorSetUpdatesGOOGLE, HVK_HANDLE(VkQueue, queue->object.id), 1,
             &pool, 1, &layout, &set->object.id, &zero, &one, &zero, 0, NULL);
}

/* --- what descriptors hold --- */

static int by_native(const void *a, const void *b)
{
    const struct hvk_named *x = a, *y = b;
    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }
    return x->native < y->native ? -1 : x->native > y->native;
}

static bool is_held(uint32_t kind)
{
    return kind == VK_KIND_VkSampler || kind == VK_KIND_VkImageView || kind == VK_KIND_VkBuffer ||
           kind == VK_KIND_VkBufferView;
}

enum sl_result hvk_save_look(struct hvk_save *s)
{
    uint32_t cursor = 0, kind;
    uint64_t id, native;
    void *record;
    s->named = sl_alloc_array(s->context->ids.live + 1, sizeof *s->named);
    s->shared_count = hvk_blob_shared(s->context, NULL, 0);
    s->shared = sl_alloc_array(s->shared_count + 1, sizeof *s->shared);
    if (s->named == NULL || s->shared == NULL) {
        return SL_ERR_NOMEM;
    }
    while (sl_ids_next(&s->context->ids, &cursor, &kind, &id, &native, &record)) {
        if (is_held(kind)) {
            s->named[s->named_count++] = (struct hvk_named){kind, native, id};
        }
    }
    qsort(s->named, s->named_count, sizeof s->named[0], by_native);
    (void)hvk_blob_shared(s->context, s->shared,
                          s->shared_count); /* the device's thread: as many */
    qsort(s->shared, s->shared_count, sizeof s->shared[0], by_inode);
    return SL_OK;
}

/* The id of what a descriptor names. False: it is gone; the descriptor is worth nothing then. */
static bool name(const struct hvk_save *s, uint32_t kind, uint64_t native, uint64_t *id)
{
    *id = 0;
    if (native == 0) {
        return true;
    }
    const struct hvk_named wanted = {.kind = kind, .native = native};
    const struct hvk_named *found =
        bsearch(&wanted, s->named, s->named_count, sizeof s->named[0], by_native);
    if (found != NULL) {
        *id = found->id;
    }
    return found != NULL;
}

/* The driver may have given a buffer's handle to another one since. */
static bool buffer_has(const struct hvk_save *s, uint64_t id, const VkDescriptorBufferInfo *info)
{
    const struct hvk_buffer *b = (const void *)hvk_find(s->context, VK_KIND_VkBuffer, id, NULL);
    return b == NULL || (info->offset < b->size &&
                         (info->range == VK_WHOLE_SIZE || info->range <= b->size - info->offset));
}

/* The descriptor with ids for natives. False: nothing is there. */
static bool translate(const struct hvk_save *s, VkDescriptorType type,
                      const union hvk_descriptor *held, union hvk_descriptor *out)
{
    uint64_t id, other;
    *out = *held;
    if (is_zero(held->bytes, sizeof held->bytes)) {
        return false;
    }
    switch (type) {
    case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
    case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
    case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
    case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
        if (!name(s, VK_KIND_VkBuffer, HVK_U64(held->buffer.buffer), &id) ||
            !buffer_has(s, id, &held->buffer)) {
            return false;
        }
        out->buffer.buffer = HVK_HANDLE(VkBuffer, id);
        return true;
    case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
    case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
        if (!name(s, VK_KIND_VkBufferView, HVK_U64(held->view), &id)) {
            return false;
        }
        out->view = HVK_HANDLE(VkBufferView, id);
        return true;
    default:
        if (!name(s, VK_KIND_VkSampler, HVK_U64(held->image.sampler), &id) ||
            !name(s, VK_KIND_VkImageView, HVK_U64(held->image.imageView), &other)) {
            return false;
        }
        out->image.sampler = HVK_HANDLE(VkSampler, id);
        out->image.imageView = HVK_HANDLE(VkImageView, other);
        return true;
    }
}

/* One binding's elements from `first` on: as many as are there, as one write. */
static uint32_t write_run(struct hvk_save *s, const struct hvk_set *set,
                          const struct hvk_binding *b, uint32_t first, uint32_t end,
                          union hvk_descriptor *run, VkBufferView *views)
{
    uint32_t count = 0;
    while (first + count < end &&
           translate(s, b->type, &set->held[b->first + first + count], &run[count])) {
        views[count] = run[count].view;
        count++;
    }
    if (count != 0) {
        const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                            .dstSet = HVK_HANDLE(VkDescriptorSet, set->object.id),
                                            .dstBinding = b->number,
                                            .dstArrayElement = first,
                                            .descriptorCount = count,
                                            .descriptorType = b->type,
                                            .pImageInfo = &run->image,
                                            .pBufferInfo = &run->buffer,
                                            .pTexelBufferView = views};
        HVK_SAVE(s, UpdateDescriptorSets, device_id(&set->object), 1, &write, 0, NULL);
    }
    return count;
}

static void write_block(struct hvk_save *s, const struct hvk_set *set, const struct hvk_binding *b)
{
    bool own = set->bindings->is_variable && b == &set->bindings->list[set->bindings->count - 1];
    const VkWriteDescriptorSetInlineUniformBlock block = {
        .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK,
        .dataSize = own ? set->variable : b->count,
        .pData = set->held[b->first].bytes};
    const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        .pNext = &block,
                                        .dstSet = HVK_HANDLE(VkDescriptorSet, set->object.id),
                                        .dstBinding = b->number,
                                        .descriptorCount = block.dataSize,
                                        .descriptorType = b->type};
    if (block.dataSize != 0) {
        HVK_SAVE(s, UpdateDescriptorSets, device_id(&set->object), 1, &write, 0, NULL);
    }
}

static void save_set(struct hvk_save *s, const struct hvk_set *set)
{
    if (!set->is_held || set->native == 0 || s->result != SL_OK) {
        return;
    }
    uint64_t most = hvk_held_count(set);
    union hvk_descriptor *run = sl_alloc_array(most, sizeof *run);
    VkBufferView *views = sl_alloc_array(most, sizeof *views);
    for (uint32_t i = 0; run != NULL && views != NULL && i < set->bindings->count; i++) {
        const struct hvk_binding *b = &set->bindings->list[i];
        if (b->type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) {
            write_block(s, set, b);
            continue;
        }
        uint32_t end = (uint32_t)hvk_held_size(set, b);
        for (uint32_t at = 0; at < end;) {
            uint32_t count = write_run(s, set, b, at, end, run, views);
            at += count != 0 ? count : 1;
        }
    }
    if (run == NULL || views == NULL) {
        hvk_save_fail(s, SL_ERR_NOMEM, "no memory");
    }
    sl_free(run);
    sl_free(views);
}

/* --- signals --- */

static void save_fence(struct hvk_save *s, const struct hvk_fence *fence)
{
    const struct hvk_device *device = fence->object.device;
    const struct hvk_queue *queue = hvk_save_queue(device);
    VkFence id = HVK_HANDLE(VkFence, fence->object.id);
    bool is_signalled =
        device->driver.GetFenceStatus(hvk_native(device), fence->payload->native) == VK_SUCCESS;
    if (hvk_save_is_whole(s)) { /* as a submit wants it */
        HVK_SAVE(s, ResetFences, device_id(&fence->object), 1, &id);
        if (is_signalled && queue != NULL) {
            HVK_SAVE(s, QueueSubmitAsyncGOOGLE, HVK_HANDLE(VkQueue, queue->object.id), 0, NULL, id);
        }
        return;
    }
    if (is_signalled && !fence->begins_signalled && queue != NULL) {
        HVK_SAVE(s, QueueSubmitAsyncGOOGLE, HVK_HANDLE(VkQueue, queue->object.id), 0, NULL, id);
    } else if (!is_signalled && fence->begins_signalled) {
        HVK_SAVE(s, ResetFences, device_id(&fence->object), 1, &id);
    }
}

static void save_semaphore(struct hvk_save *s, const struct hvk_semaphore *semaphore)
{
    const struct hvk_device *device = semaphore->object.device;
    const struct hvk_queue *queue = hvk_save_queue(device);
    const VkSemaphore id = HVK_HANDLE(VkSemaphore, semaphore->object.id);
    if (semaphore->is_timeline) {
        VkSemaphoreSignalInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
                                      .semaphore = id};
        VkResult result = device->driver.GetSemaphoreCounterValue(
            hvk_native(device), HVK_HANDLE(VkSemaphore, semaphore->object.native), &info.value);
        if (result == VK_SUCCESS && info.value != semaphore->initial) {
            HVK_SAVE(s, SignalSemaphore, device_id(&semaphore->object), &info);
        }
    } else if (semaphore->is_signalled && queue != NULL) {
        const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                     .signalSemaphoreCount = 1,
                                     .pSignalSemaphores = &id};
        HVK_SAVE(s, QueueSubmitAsyncGOOGLE, HVK_HANDLE(VkQueue, queue->object.id), 1, &submit,
                 VK_NULL_HANDLE);
    }
}

uint64_t hvk_save_signal(struct hvk_save *s, const struct hvk_semaphore *semaphore)
{
    const struct hvk_device *device = semaphore->object.device;
    uint64_t value = semaphore->is_signalled;
    if (semaphore->is_timeline &&
        device->driver.GetSemaphoreCounterValue(hvk_native(device),
                                                HVK_HANDLE(VkSemaphore, semaphore->object.native),
                                                &value) != VK_SUCCESS) {
        hvk_save_fail(s, SL_ERR_DEVICE_LOST, "a semaphore has no value");
    }
    return value;
}

/* The driver tells of those alone that the host may look at. */
static bool is_of_device(struct hvk_save *s, uint64_t id)
{
    const struct hvk_birth *birth = hvk_birth_of(s->context, VK_KIND_VkEvent, id);
    struct sl_arena arena;
    struct vk_args_vkCreateEvent a;
    sl_arena_init(&arena, 65536);
    struct vk_unpack u = vk_unpack_over(birth->packet + HEADER, birth->size - HEADER, &arena, NULL);
    bool is = vk_unpack_vkCreateEvent(&u, &a) &&
              (a.pCreateInfo->flags & VK_EVENT_CREATE_DEVICE_ONLY_BIT) != 0;
    sl_arena_finish(&arena);
    return is;
}

static void save_event(struct hvk_save *s, const struct hvk_device *device, uint64_t native,
                       uint64_t id)
{
    if (is_of_device(s, id)) {
        return;
    }
    if (device->driver.GetEventStatus(hvk_native(device), HVK_HANDLE(VkEvent, native)) ==
        VK_EVENT_SET) {
        HVK_SAVE(s, SetEvent, HVK_HANDLE(VkDevice, device->object.id), HVK_HANDLE(VkEvent, id));
    } else if (hvk_save_is_whole(s)) {
        HVK_SAVE(s, ResetEvent, HVK_HANDLE(VkDevice, device->object.id), HVK_HANDLE(VkEvent, id));
    }
}

/* --- what was recorded --- */

/* Recorded again where it, or something that it names, was made again. */
static void about_commands(struct hvk_save *s, const struct hvk_command_buffer *b)
{
    const struct hvk_birth *birth = hvk_birth_of(s->context, VK_KIND_VkCommandBuffer, b->object.id);
    uint32_t count = hvk_uses_serials(s->context, &b->uses, NULL, 0);
    uint64_t *needs = hvk_save_is_whole(s) ? sl_alloc_array(count + 1, sizeof *needs) : NULL;
    if (needs == NULL) {
        return;
    }
    count = hvk_uses_serials(s->context, &b->uses, needs, count);
    const struct vgd_about about = {.rule = VGD_FILLS,
                                    .kind = HVK_ABOUT_STATE + VK_KIND_VkCommandBuffer,
                                    .id = b->object.id,
                                    .serial = birth != NULL ? birth->serial : 0,
                                    .needs = needs,
                                    .need_count = count};
    hvk_save_about(s, &about);
    sl_free(needs);
}

/* One that names what has ended can only be reset. */
static void save_commands(struct hvk_save *s, struct hvk_command_buffer *b)
{
    about_commands(s, b);
    const struct hvk_device *device = b->object.device;
    const struct hvk_queue *queue = hvk_save_queue(device);
    if (b->is_kept_short) {
        hvk_save_fail(s, SL_ERR_UNSUPPORTED, "what a command buffer holds was not kept");
    } else if (b->is_once && b->state == HVK_RECORDED && b->recorded_at == device->submits) {
        hvk_save_fail(s, SL_ERR_AGAIN, "a command buffer is about to be submitted");
    } else if (b->kept_size != 0 && queue != NULL && hvk_uses_alive(s->context, &b->uses)) {
        HVK_SAVE(s, QueueFlushCommandsGOOGLE, HVK_HANDLE(VkQueue, queue->object.id),
                 HVK_HANDLE(VkCommandBuffer, b->object.id), b->kept_size, b->kept);
    }
}

/* --- private data, status pages --- */

static int by_handle(const void *a, const void *b)
{
    const struct hvk_private_value *x = a, *y = b;
    if (x->handle != y->handle) {
        return x->handle < y->handle ? -1 : 1;
    }
    return x->type < y->type ? -1 : x->type > y->type;
}

static void save_private(struct hvk_save *s, const struct hvk_object *slot)
{
    uint32_t count = hvk_private_list(slot, NULL, 0);
    struct hvk_private_value *values = sl_alloc_array(count + 1, sizeof *values);
    if (values == NULL) {
        hvk_save_fail(s, SL_ERR_NOMEM, "no memory");
        return;
    }
    (void)hvk_private_list(slot, values, count);
    qsort(values, count, sizeof *values, by_handle);
    for (uint32_t i = 0; i < count; i++) {
        HVK_SAVE(s, SetPrivateData, device_id(slot), values[i].type, values[i].handle,
                 HVK_HANDLE(VkPrivateDataSlot, slot->id), values[i].data);
    }
    sl_free(values);
}

static void save_device(struct hvk_save *s, const struct hvk_device *device)
{
    const struct vgd_about place = {
        .rule = VGD_ONCE, .kind = HVK_ABOUT_PLACE, .id = device->object.id};
    const struct vgd_about waits = {
        .rule = VGD_LEADS, .kind = HVK_ABOUT_REST, .id = device->object.id};
    hvk_save_about(s, &place);
    if (device->status != NULL) {
        uint32_t count;
        const struct hvk_shared *shared = shared_over(s, device->status, &count);
        for (uint32_t i = 0; i < count || i == 0; i++) {
            HVK_SAVE(s, ShareStatusSLUICE, HVK_HANDLE(VkDevice, device->object.id),
                     device->status_blob);
            if (i < count) {
                (void)bring(s, shared[i].resource_id);
            }
        }
    }
    hvk_save_about(s, &waits);
    for (uint32_t i = 0; i < device->queue_count; i++) {
        if (device->queues[i].object.id != 0) { /* what was submitted to signal has done so */
            HVK_SAVE(s, QueueWaitIdle, HVK_HANDLE(VkQueue, device->queues[i].object.id));
        }
    }
}

/* --- all of them --- */

static void about_state(struct hvk_save *s, uint32_t kind, uint64_t id)
{
    const struct hvk_birth *birth = hvk_birth_of(s->context, kind, id);
    const struct vgd_about about = {.rule = VGD_FILLS,
                                    .kind = HVK_ABOUT_STATE + kind,
                                    .id = id,
                                    .serial = birth != NULL ? birth->serial : 0};
    hvk_save_about(s, &about);
}

static void save_state(struct hvk_save *s, uint32_t kind, uint64_t id, uint64_t native,
                       const void *record)
{
    const struct hvk_object *object = record;
    about_state(s, kind, id);
    if (kind == VK_KIND_VkDescriptorSet) {
        save_set(s, record);
    } else if (kind == VK_KIND_VkFence) {
        save_fence(s, record);
    } else if (kind == VK_KIND_VkSemaphore) {
        save_semaphore(s, record);
    } else if (kind == VK_KIND_VkEvent) {
        save_event(s, object->device, native, id);
    } else if (kind == VK_KIND_VkPrivateDataSlot) {
        save_private(s, object);
    } else if (kind == VK_KIND_VkQueryPool) { /* nothing sets results */
        sl_warn_limited(
            "vulkan",
            "context %u has queries: a snapshot has no results of theirs, a replay that "
            "begins with it finds none until they are made again",
            s->context->ctx_id);
    }
}

/* Command buffers of one level, or all but command buffers and devices, or devices. */
enum pass { STATES, SECONDARIES, PRIMARIES, DEVICES, PASSES };

void hvk_save_states(struct hvk_save *s)
{
    uint32_t cursor, kind;
    uint64_t id, native;
    void *record;
    for (uint32_t pass = STATES; pass < PASSES; pass++) {
        cursor = 0;
        while (s->result == SL_OK &&
               sl_ids_next(&s->context->ids, &cursor, &kind, &id, &native, &record)) {
            struct hvk_command_buffer *b = record;
            bool is_commands = kind == VK_KIND_VkCommandBuffer;
            bool is_second = is_commands && b->level == VK_COMMAND_BUFFER_LEVEL_SECONDARY;
            if (pass == STATES && !is_commands) {
                save_state(s, kind, id, native, record);
            } else if (pass == DEVICES && kind == VK_KIND_VkDevice) {
                save_device(s, record);
            } else if (is_commands && pass == (is_second ? SECONDARIES : PRIMARIES)) {
                save_commands(s, b);
            }
        }
    }
}
