/* Private data: kept here, as some guests name their objects by their own addresses, which no
 * driver may be given. A slot is a map from that number and the object's type to a value. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/map.h"
#include "transport/base/mem.h"

/* Most values of one slot. */
#define VALUES_MAX (1u << 20)

struct slot {
    struct hvk_object object;
    struct sl_map values; /* struct hvk_private_value by type and handle, owned */
};

static void slot_release(struct hvk_object *object)
{
    struct slot *slot = (struct slot *)(void *)object;
    uint32_t cursor = 0;
    for (void *value; (value = sl_map_next(&slot->values, &cursor, NULL)) != NULL;) {
        sl_free(value);
    }
    sl_map_finish(&slot->values);
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
    sl_map_init(&slot->values, VALUES_MAX);
    enum sl_result added = hvk_add_object(call, &slot->object, &id);
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

VkResult hvk_vkSetPrivateData(struct hvk_call *call, struct vk_args_vkSetPrivateData *a)
{
    struct slot *slot = slot_find(call, a->privateDataSlot_id);
    if (slot == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    struct hvk_private_value *v = sl_map_find_in(&slot->values, a->objectType, a->objectHandle);
    if (v == NULL && (v = sl_alloc(sizeof *v)) != NULL) {
        *v = (struct hvk_private_value){.type = a->objectType, .handle = a->objectHandle};
        if (sl_map_add_in(&slot->values, a->objectType, a->objectHandle, v) != SL_OK) {
            sl_free(v);
            v = NULL;
        }
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
    uint32_t cursor = 0;
    const struct hvk_private_value *v;
    for (uint32_t i = 0; i < room && (v = sl_map_next(&slot->values, &cursor, NULL)) != NULL; i++) {
        out[i] = *v;
    }
    return slot->values.live;
}

void hvk_vkGetPrivateData(struct hvk_call *call, struct vk_args_vkGetPrivateData *a)
{
    const struct slot *slot = slot_find(call, a->privateDataSlot_id);
    const struct hvk_private_value *v =
        slot != NULL ? sl_map_find_in(&slot->values, a->objectType, a->objectHandle) : NULL;
    *a->pData = v != NULL ? v->data : 0;
}
