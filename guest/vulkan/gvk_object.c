/* Memory of objects, and the private data that applications hang on them. */
#include "guest/vulkan/gvk.h"

#include "guest/vk_hand.h"
#include "transport/base/atomic.h"
#include "transport/base/mem.h"

struct gvk_private {
    struct gvk_private *next;
    uint64_t slot; /* the slot's id: a later slot in the same memory has another */
    uint64_t data;
};

void *gvk_alloc(const struct gvk_allocator *parent, const VkAllocationCallbacks *callbacks,
                size_t size, VkSystemAllocationScope scope)
{
    if (callbacks == NULL && parent != NULL && parent->set) {
        callbacks = &parent->callbacks;
    }
    if (callbacks == NULL) {
        return sl_alloc(size);
    }
    void *memory = callbacks->pfnAllocation(callbacks->pUserData, size, 8, scope);
    if (memory != NULL) {
        memset(memory, 0, size);
    }
    return memory;
}

void gvk_free(const struct gvk_allocator *parent, const VkAllocationCallbacks *callbacks,
              void *memory)
{
    if (callbacks == NULL && parent != NULL && parent->set) {
        callbacks = &parent->callbacks;
    }
    if (callbacks == NULL) {
        sl_free(memory);
    } else if (memory != NULL) {
        callbacks->pfnFree(callbacks->pUserData, memory);
    }
}

void *gvk_object_new(struct gvk_device *device, const VkAllocationCallbacks *callbacks, size_t size)
{
    return gvk_alloc(&device->allocator, callbacks, size, VK_SYSTEM_ALLOCATION_SCOPE_OBJECT);
}

void gvk_object_free(struct gvk_device *device, const VkAllocationCallbacks *callbacks,
                     void *object)
{
    if (object != NULL) {
        gvk_private_clear(object);
        gvk_id_give(device->dispatch.host, ((struct gvk_object *)object)->vk.id);
        gvk_free(&device->allocator, callbacks, object);
    }
}

bool gvk_made_begin(struct gvk_made *made, uint32_t count, size_t size, struct gvk_device *device,
                    const VkAllocationCallbacks *callbacks, void *handles)
{
    *made = (struct gvk_made){.count = count};
    bool few = count <= sizeof made->few / sizeof made->few[0];
    made->objects = few ? made->few : sl_alloc_array(count, sizeof *made->objects);
    bool all = made->objects != NULL;
    for (uint32_t i = 0; i < count && all; i++) {
        made->objects[i] = gvk_object_new(device, callbacks, size);
        sl_store_u64((uint8_t *)handles + (size_t)i * 8, (uint64_t)(uintptr_t)made->objects[i]);
        all = made->objects[i] != NULL;
    }
    if (!all) {
        memset(handles, 0, (size_t)count * 8);
        gvk_made_end(made, device, callbacks, handles);
    }
    return all;
}

bool gvk_made_choose(struct gvk_made *made, struct gvk_host *host)
{
    for (uint32_t i = 0; i < made->count; i++) {
        if (!gvk_id_choose(host, made->objects[i])) {
            while (i-- != 0) { /* all or none */
                struct gvk_object *object = made->objects[i];
                gvk_id_give(host, object->vk.id);
                object->vk.id = 0;
            }
            return false;
        }
    }
    return made->count != 0;
}

void gvk_made_told(struct gvk_made *made, VkResult result, struct gvk_device *device,
                   const VkAllocationCallbacks *callbacks, void *handles)
{
    if (result != VK_SUCCESS) {
        memset(handles, 0, (size_t)made->count * 8);
        gvk_made_end(made, device, callbacks, handles);
    } else if (made->objects != made->few) {
        sl_free(made->objects);
    }
}

void gvk_made_end(struct gvk_made *made, struct gvk_device *device,
                  const VkAllocationCallbacks *callbacks, void *handles)
{
    for (uint32_t i = 0; i < made->count && made->objects != NULL; i++) {
        uint8_t *handle = (uint8_t *)handles + (size_t)i * 8;
        struct gvk_object *object = made->objects[i];
        uint64_t id = sl_load_u64(handle);
        if (object != NULL && id != 0) {
            object->vk.id = id;
        } else {
            gvk_object_free(device, callbacks, object);
            object = NULL;
        }
        sl_store_u64(handle, (uint64_t)(uintptr_t)object);
    }
    if (made->objects != made->few) {
        sl_free(made->objects);
    }
}

uint64_t gvk_local_id(void)
{
    static uint64_t last; /* atomic: a counter of the process, names nothing else */
    return GVK_LOCAL_ID | (sl_atomic_count_u64(&last, 1) + 1);
}

/* ---- Private data: never leaves the process ---- */

void gvk_private_clear(struct gvk_object *object)
{
    struct gvk_private *entry = object->private;
    object->private = NULL;
    while (entry != NULL) {
        struct gvk_private *next = entry->next;
        sl_free(entry);
        entry = next;
    }
}

VkResult gvk_vkCreatePrivateDataSlot(VkDevice device, const VkPrivateDataSlotCreateInfo *info,
                                     const VkAllocationCallbacks *callbacks, VkPrivateDataSlot *out)
{
    (void)info;
    struct gvk_object *slot = gvk_object_new(gvk_device_of(device), callbacks, sizeof *slot);
    if (slot == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    slot->vk.id = gvk_local_id();
    *out = GVK_TO(VkPrivateDataSlot, slot);
    return VK_SUCCESS;
}

/* Data of a slot that is gone stays with its objects until they go: no later slot has its id. */
void gvk_vkDestroyPrivateDataSlot(VkDevice device, VkPrivateDataSlot slot,
                                  const VkAllocationCallbacks *callbacks)
{
    gvk_object_free(gvk_device_of(device), callbacks, slot);
}

VkResult gvk_vkSetPrivateData(VkDevice device, VkObjectType type, uint64_t handle,
                              VkPrivateDataSlot slot, uint64_t data)
{
    (void)type;
    struct gvk_device *of = gvk_device_of(device);
    struct gvk_object *object = gvk_object_of(handle);
    uint64_t id = GVK_OBJECT(slot)->vk.id;
    VkResult result = VK_SUCCESS;
    pthread_mutex_lock(&of->lock);
    struct gvk_private *entry = object->private;
    while (entry != NULL && entry->slot != id) {
        entry = entry->next;
    }
    if (entry == NULL) {
        entry = sl_alloc(sizeof *entry);
        if (entry != NULL) {
            *entry = (struct gvk_private){.next = object->private, .slot = id};
            object->private = entry;
        }
    }
    if (entry != NULL) {
        entry->data = data;
    } else {
        result = VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    pthread_mutex_unlock(&of->lock);
    return result;
}

void gvk_vkGetPrivateData(VkDevice device, VkObjectType type, uint64_t handle,
                          VkPrivateDataSlot slot, uint64_t *data)
{
    (void)type;
    struct gvk_device *of = gvk_device_of(device);
    uint64_t id = GVK_OBJECT(slot)->vk.id;
    pthread_mutex_lock(&of->lock);
    const struct gvk_private *entry = gvk_object_of(handle)->private;
    while (entry != NULL && entry->slot != id) {
        entry = entry->next;
    }
    *data = entry != NULL ? entry->data : 0;
    pthread_mutex_unlock(&of->lock);
}
