/* What objects hold: memory its bytes, buffers and images their memory, sets their descriptors. */
#include "host/vulkan/hvk_save.h"

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

bool hvk_save_is_zero(const void *data, size_t size)
{
    const uint8_t *bytes = data;
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
        if (hvk_save_is_whole(s) || !hvk_save_is_zero(bytes + at, size)) {
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

void hvk_save_status(struct hvk_save *s, const struct hvk_device *device)
{
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
    if (hvk_save_is_zero(held->bytes, sizeof held->bytes)) {
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

void hvk_save_set(struct hvk_save *s, const struct hvk_set *set)
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
