/* Private data: kept here, as some guests name their objects by their own addresses, which no
 * driver may be given. A slot is a map from that number and the object's type to a value. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/mem.h"

/* Most values of one slot. */
#define VALUES_MAX (1u << 20)
#define BUCKETS    256u

struct value {
    struct value *next;
    uint64_t handle, data;
    VkObjectType type;
};

struct slot {
    struct hvk_object object;
    uint32_t count;
    uint32_t bucket_count; /* power of two; doubles as the slot fills */
    struct value **buckets;
};

static void slot_release(struct hvk_object *object)
{
    struct slot *slot = (struct slot *)(void *)object;
    for (uint32_t i = 0; i < slot->bucket_count; i++) {
        while (slot->buckets[i] != NULL) {
            struct value *v = slot->buckets[i];
            slot->buckets[i] = v->next;
            sl_free(v);
        }
    }
    sl_free(slot->buckets);
    sl_free(slot);
}

VkResult hvk_vkCreatePrivateDataSlot(struct hvk_call *call,
                                     struct vk_args_vkCreatePrivateDataSlot *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    uint64_t id = HVK_U64(*a->pPrivateDataSlot);
    *a->pPrivateDataSlot = VK_NULL_HANDLE;
    struct slot *slot = sl_alloc(sizeof *slot);
    if (slot == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    hvk_object_init(&slot->object, VK_KIND_VkPrivateDataSlot, HVK_U64(slot),
                    device->object.instance, device, slot_release);
    slot->buckets = sl_alloc_array(BUCKETS, sizeof *slot->buckets);
    slot->bucket_count = slot->buckets != NULL ? BUCKETS : 0;
    enum sl_result added =
        slot->buckets != NULL ? hvk_add_object(call, &slot->object, &id) : SL_ERR_NOMEM;
    hvk_unref(&slot->object);
    if (added != SL_OK) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    *a->pPrivateDataSlot = HVK_HANDLE(VkPrivateDataSlot, id);
    return hvk_device_result(device, VK_SUCCESS);
}

static struct slot *slot_find(const struct hvk_call *call, uint64_t id)
{
    return (struct slot *)(void *)hvk_find(call->context, VK_KIND_VkPrivateDataSlot, id, NULL);
}

static struct value **bucket_of(const struct slot *slot, uint64_t handle)
{
    /* Fibonacci hashing: addresses and ids differ in their low bits. */
    uint64_t mixed = handle * 0x9e3779b97f4a7c15ull >> 32;
    return &slot->buckets[mixed & (slot->bucket_count - 1)];
}

static struct value *value_find(const struct slot *slot, VkObjectType type, uint64_t handle)
{
    struct value *v = *bucket_of(slot, handle);
    while (v != NULL && (v->handle != handle || v->type != type)) {
        v = v->next;
    }
    return v;
}

/* Twice as many buckets; without memory it stays as it is. */
static void grow(struct slot *slot)
{
    struct value **old = slot->buckets;
    uint32_t old_count = slot->bucket_count;
    struct value **more = sl_alloc_array((size_t)old_count * 2, sizeof *more);
    if (more == NULL) {
        return;
    }
    slot->buckets = more;
    slot->bucket_count = old_count * 2;
    for (uint32_t i = 0; i < old_count; i++) {
        while (old[i] != NULL) {
            struct value *v = old[i];
            old[i] = v->next;
            struct value **bucket = bucket_of(slot, v->handle);
            v->next = *bucket;
            *bucket = v;
        }
    }
    sl_free(old);
}

VkResult hvk_vkSetPrivateData(struct hvk_call *call, struct vk_args_vkSetPrivateData *a)
{
    struct slot *slot = slot_find(call, a->privateDataSlot_id);
    if (slot == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    struct value *v = value_find(slot, a->objectType, a->objectHandle);
    if (v == NULL && slot->count < VALUES_MAX && (v = sl_alloc(sizeof *v)) != NULL) {
        if (slot->count >= slot->bucket_count) {
            grow(slot);
        }
        struct value **bucket = bucket_of(slot, a->objectHandle);
        *v = (struct value){.next = *bucket, .handle = a->objectHandle, .type = a->objectType};
        *bucket = v;
        slot->count++;
    }
    if (v == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    v->data = a->data;
    return VK_SUCCESS;
}

uint32_t hvk_private_list(const struct hvk_object *object, struct hvk_private_value *out,
                          uint32_t room)
{
    const struct slot *slot = (const struct slot *)(const void *)object;
    uint32_t count = 0;
    for (uint32_t i = 0; i < slot->bucket_count; i++) {
        for (const struct value *v = slot->buckets[i]; v != NULL && count < room; v = v->next) {
            out[count++] = (struct hvk_private_value){v->type, v->handle, v->data};
        }
    }
    return slot->count;
}

void hvk_vkGetPrivateData(struct hvk_call *call, struct vk_args_vkGetPrivateData *a)
{
    const struct slot *slot = slot_find(call, a->privateDataSlot_id);
    const struct value *v = slot != NULL ? value_find(slot, a->objectType, a->objectHandle) : NULL;
    *a->pData = v != NULL ? v->data : 0;
}
