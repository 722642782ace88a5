/* What a guest ended while descriptor sets still say it.
 *
 * A set may go on saying what has ended as long as nothing uses it; but drivers follow all that a
 * bound set says. So natively such objects stay as long as a set of the device says them. They
 * gather, and one walk over what the sets hold (hvk_held.c) tells which of them end: no write of a
 * descriptor pays for it, nor a draw. Where sets keep too much so, it is taken out of them, if the
 * device has null descriptors, and while it has nothing to do.
 *
 * All of it runs in turns, or when no ring runs any more. */
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/map.h"
#include "transport/base/mem.h"

/* So many, or so many bytes of what they are of, gather between two walks. */
#define GATHER_COUNT 256u
#define GATHER_BYTES (32ull << 20)
/* More is not kept for sets that still say it. */
#define KEEP_COUNT 16384u
#define KEEP_BYTES (256ull << 20)

struct stale {
    struct sl_list link;
    struct hvk_object *record; /* with the table's reference */
    uint64_t bytes;
    bool is_said;
};

/* One walk over what a device's sets hold. */
struct walk {
    struct hvk_device *device;
    struct sl_map ended; /* struct stale by kind and native handle */
    bool takes_out;      /* of the sets */
};

/* --- which ones --- */

static bool may_be_said(uint32_t kind)
{
    return kind == VK_KIND_VkBuffer || kind == VK_KIND_VkBufferView ||
           kind == VK_KIND_VkImageView || kind == VK_KIND_VkSampler;
}

/* What stays with it that the guest may think is free. */
static uint64_t bytes_of(const struct hvk_object *object)
{
    if (object->kind == VK_KIND_VkBuffer) {
        return SL_CONTAINER(object, struct hvk_buffer, object)->requirements.size;
    }
    if (object->kind == VK_KIND_VkSampler) {
        return 0;
    }
    const struct hvk_object *of = SL_CONTAINER(object, struct hvk_view, object)->of;
    return object->kind == VK_KIND_VkImageView
               ? SL_CONTAINER(of, struct hvk_image, object)->requirements.size
               : 0; /* its buffer counts itself */
}

bool hvk_stale_add(struct hvk_object *object)
{
    struct hvk_device *device = object->device;
    if (!may_be_said(object->kind) || device->context->is_ending || sl_list_empty(&device->sets)) {
        return false;
    }
    struct stale *stale = sl_alloc(sizeof *stale);
    if (stale == NULL) {
        hvk_device_fail(device, VK_ERROR_OUT_OF_HOST_MEMORY, "the end of an object");
        return true; /* it is left behind */
    }
    *stale = (struct stale){.record = object, .bytes = bytes_of(object)};
    sl_list_add(&device->stale, &stale->link);
    device->stale_count++;
    device->stale_bytes += stale->bytes;
    return true;
}

static void end(struct hvk_device *device, struct stale *stale)
{
    sl_list_remove(&stale->link);
    device->stale_count--;
    device->stale_bytes -= stale->bytes;
    hvk_unref(stale->record);
    sl_free(stale);
}

void hvk_stale_end(struct hvk_device *device)
{
    SL_LIST_FOR_SAFE(item, &device->stale)
    {
        end(device, SL_CONTAINER(item, struct stale, link));
    }
}

/* --- looking for them --- */

static bool walk_begin(struct walk *walk, struct hvk_device *device, bool takes_out)
{
    *walk = (struct walk){.device = device, .takes_out = takes_out};
    sl_map_init(&walk->ended, SL_MAP_MOST);
    SL_LIST_FOR(item, &device->stale)
    {
        struct stale *stale = SL_CONTAINER(item, struct stale, link);
        if (sl_map_set_in(&walk->ended, stale->record->kind, stale->record->native, stale) !=
            SL_OK) {
            sl_map_finish(&walk->ended);
            return false;
        }
        stale->is_said = false;
    }
    return true;
}

static struct stale *find(const struct walk *walk, uint32_t kind, uint64_t native)
{
    return native != 0 ? sl_map_find_in(&walk->ended, kind, native) : NULL;
}

/* --- what sets say --- */

/* Where the object that a kind of descriptor says stands in it. */
struct said {
    uint32_t kind; /* 0: nothing */
    size_t offset;
};

static struct said object_of(VkDescriptorType type)
{
    switch (type) {
    case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER:
    case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER:
    case VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC:
    case VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC:
        return (struct said){VK_KIND_VkBuffer, offsetof(union hvk_descriptor, buffer.buffer)};
    case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
    case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
        return (struct said){VK_KIND_VkBufferView, offsetof(union hvk_descriptor, view)};
    case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
    case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
    case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
    case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
        return (struct said){VK_KIND_VkImageView, offsetof(union hvk_descriptor, image.imageView)};
    default:
        return (struct said){0, 0};
    }
}

/* Takes what has ended out of a descriptor, as it is kept and natively. False: it stays. */
static bool take_out(const struct walk *walk, const struct hvk_set *set,
                     const struct hvk_binding *binding, uint32_t element,
                     union hvk_descriptor *held, bool object, bool sampler)
{
    const struct hvk_device *device = walk->device;
    VkDescriptorType type = binding->type;
    if (!walk->takes_out || (object && type == VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT) ||
        (sampler && hvk_any_sampler(walk->device) == VK_NULL_HANDLE)) {
        return false;
    }
    if (object) {
        memset(held->bytes + object_of(type).offset, 0, sizeof(uint64_t));
    }
    if (sampler) {
        held->image.sampler = device->any_sampler;
    }
    if (object && object_of(type).kind == VK_KIND_VkBuffer) {
        held->buffer.offset = 0;
        held->buffer.range = VK_WHOLE_SIZE;
    }
    const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        .dstSet = HVK_HANDLE(VkDescriptorSet, set->native),
                                        .dstBinding = binding->number,
                                        .dstArrayElement = element,
                                        .descriptorCount = 1,
                                        .descriptorType = type,
                                        .pImageInfo = &held->image,
                                        .pBufferInfo = &held->buffer,
                                        .pTexelBufferView = &held->view};
    device->driver.UpdateDescriptorSets(hvk_native(device), 1, &write, 0, NULL);
    return true;
}

static void look(const struct walk *walk, const struct hvk_set *set,
                 const struct hvk_binding *binding, uint32_t element)
{
    union hvk_descriptor *held = &set->held[binding->first + element];
    const struct said said = object_of(binding->type);
    struct stale *object =
        said.kind != 0 ? find(walk, said.kind, sl_load_u64(held->bytes + said.offset)) : NULL;
    struct stale *sampler = hvk_has_sampler(binding->type)
                                ? find(walk, VK_KIND_VkSampler, HVK_U64(held->image.sampler))
                                : NULL;
    if ((object == NULL && sampler == NULL) ||
        take_out(walk, set, binding, element, held, object != NULL, sampler != NULL)) {
        return;
    }
    if (object != NULL) {
        object->is_said = true;
    }
    if (sampler != NULL) {
        sampler->is_said = true;
    }
}

static void look_at_set(const struct walk *walk, const struct hvk_set *set)
{
    for (uint32_t i = 0; i < set->bindings->count; i++) {
        const struct hvk_binding *binding = &set->bindings->list[i];
        uint64_t count = binding->type != VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK
                             ? hvk_held_size(set, binding)
                             : 0;
        for (uint32_t j = 0; j < count; j++) {
            look(walk, set, binding, j);
        }
    }
}

static void walk_all(struct hvk_device *device, bool takes_out)
{
    struct walk walk;
    if (!walk_begin(&walk, device, takes_out)) {
        return; /* they stay until the next time */
    }
    SL_LIST_FOR(item, &device->sets)
    {
        look_at_set(&walk, SL_CONTAINER(item, struct hvk_set, holding));
    }
    SL_LIST_FOR_SAFE(item, &device->stale)
    {
        struct stale *stale = SL_CONTAINER(item, struct stale, link);
        if (!stale->is_said) {
            end(device, stale);
        }
    }
    sl_map_finish(&walk.ended);
    device->stale_seen = device->stale_count;
    device->stale_seen_bytes = device->stale_bytes;
}

void hvk_stale_settle(struct hvk_device *device)
{
    if (sl_list_empty(&device->stale)) {
        return;
    }
    if (sl_list_empty(&device->sets)) {
        hvk_stale_end(device);
    } else if (device->stale_count >= device->stale_seen + GATHER_COUNT ||
               device->stale_bytes >= device->stale_seen_bytes + GATHER_BYTES) {
        bool takes_out = device->has_null_descriptors &&
                         (device->stale_count > KEEP_COUNT || device->stale_bytes > KEEP_BYTES);
        walk_all(device, takes_out && hvk_graves_wait(device));
    }
}

/* --- null descriptors --- */

const void *hvk_nulls_enable(struct hvk_device *device, const void *chain,
                             VkPhysicalDeviceRobustness2FeaturesEXT *own)
{
    const struct hvk_physical *p = device->physical;
    const struct vk_driver_instance *driver = &p->object.instance->driver;
    VkPhysicalDeviceRobustness2FeaturesEXT has = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT};
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                          .pNext = &has};
    VkPhysicalDeviceRobustness2FeaturesEXT *there =
        (VkPhysicalDeviceRobustness2FeaturesEXT *)(uintptr_t)hvk_chain_find(chain, has.sType);
    if (driver->GetPhysicalDeviceFeatures2 != NULL &&
        hvk_extension_is_in(p->extensions, p->extension_count, "VK_EXT_robustness2")) {
        driver->GetPhysicalDeviceFeatures2(HVK_HANDLE(VkPhysicalDevice, p->object.native),
                                           &features);
    }
    device->has_null_descriptors = has.nullDescriptor != VK_FALSE;
    if (!device->has_null_descriptors) {
        return chain;
    }
    if (there != NULL) {
        there->nullDescriptor = VK_TRUE;
        return chain;
    }
    *own = (VkPhysicalDeviceRobustness2FeaturesEXT){
        .sType = has.sType, .pNext = (void *)(uintptr_t)chain, .nullDescriptor = VK_TRUE};
    return own;
}
