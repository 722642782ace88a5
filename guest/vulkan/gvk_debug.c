/* Debug utils and debug report: callbacks, names and labels are the process's own affair. The
 * driver itself says nothing; what applications and layers submit reaches their callbacks. */
#include "guest/vulkan/gvk.h"

#include "guest/vk_hand.h"

struct gvk_messenger {
    struct gvk_object object;
    struct sl_list link; /* of the instance */
    bool report;         /* of debug report, else of debug utils */
    VkDebugUtilsMessengerCreateInfoEXT utils;
    VkDebugReportCallbackCreateInfoEXT reports;
};

static struct gvk_messenger *add(VkInstance handle, const VkAllocationCallbacks *callbacks)
{
    struct gvk_instance *instance = GVK_FROM(gvk_instance, handle);
    struct gvk_messenger *messenger = gvk_alloc(&instance->allocator, callbacks, sizeof *messenger,
                                                VK_SYSTEM_ALLOCATION_SCOPE_OBJECT);
    if (messenger != NULL) {
        messenger->object.vk.id = gvk_local_id();
    }
    return messenger;
}

static void show(VkInstance handle, struct gvk_messenger *messenger)
{
    struct gvk_instance *instance = GVK_FROM(gvk_instance, handle);
    pthread_mutex_lock(&instance->lock);
    sl_list_add(&instance->messengers, &messenger->link);
    pthread_mutex_unlock(&instance->lock);
}

static void take_out(VkInstance handle, struct gvk_messenger *messenger,
                     const VkAllocationCallbacks *callbacks)
{
    struct gvk_instance *instance = GVK_FROM(gvk_instance, handle);
    if (messenger != NULL) {
        pthread_mutex_lock(&instance->lock);
        sl_list_remove(&messenger->link);
        pthread_mutex_unlock(&instance->lock);
        gvk_free(&instance->allocator, callbacks, messenger);
    }
}

VkResult gvk_vkCreateDebugUtilsMessengerEXT(VkInstance instance,
                                            const VkDebugUtilsMessengerCreateInfoEXT *info,
                                            const VkAllocationCallbacks *callbacks,
                                            VkDebugUtilsMessengerEXT *out)
{
    struct gvk_messenger *messenger = add(instance, callbacks);
    if (messenger == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    messenger->utils = *info;
    show(instance, messenger);
    *out = GVK_TO(VkDebugUtilsMessengerEXT, messenger);
    return VK_SUCCESS;
}

void gvk_vkDestroyDebugUtilsMessengerEXT(VkInstance instance, VkDebugUtilsMessengerEXT handle,
                                         const VkAllocationCallbacks *callbacks)
{
    take_out(instance, GVK_FROM(gvk_messenger, handle), callbacks);
}

VkResult gvk_vkCreateDebugReportCallbackEXT(VkInstance instance,
                                            const VkDebugReportCallbackCreateInfoEXT *info,
                                            const VkAllocationCallbacks *callbacks,
                                            VkDebugReportCallbackEXT *out)
{
    struct gvk_messenger *messenger = add(instance, callbacks);
    if (messenger == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    messenger->report = true;
    messenger->reports = *info;
    show(instance, messenger);
    *out = GVK_TO(VkDebugReportCallbackEXT, messenger);
    return VK_SUCCESS;
}

void gvk_vkDestroyDebugReportCallbackEXT(VkInstance instance, VkDebugReportCallbackEXT handle,
                                         const VkAllocationCallbacks *callbacks)
{
    take_out(instance, GVK_FROM(gvk_messenger, handle), callbacks);
}

/* Callbacks run under the instance's lock: Vulkan forbids them to call Vulkan. */
void gvk_vkSubmitDebugUtilsMessageEXT(VkInstance handle,
                                      VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                      VkDebugUtilsMessageTypeFlagsEXT types,
                                      const VkDebugUtilsMessengerCallbackDataEXT *data)
{
    struct gvk_instance *instance = GVK_FROM(gvk_instance, handle);
    pthread_mutex_lock(&instance->lock);
    SL_LIST_FOR(item, &instance->messengers)
    {
        const struct gvk_messenger *one = SL_CONTAINER(item, struct gvk_messenger, link);
        if (!one->report && (one->utils.messageSeverity & severity) != 0 &&
            (one->utils.messageType & types) != 0) {
            one->utils.pfnUserCallback(severity, types, data, one->utils.pUserData);
        }
    }
    pthread_mutex_unlock(&instance->lock);
}

void gvk_vkDebugReportMessageEXT(VkInstance handle, VkDebugReportFlagsEXT flags,
                                 VkDebugReportObjectTypeEXT type, uint64_t object, size_t location,
                                 int32_t code, const char *layer, const char *text)
{
    struct gvk_instance *instance = GVK_FROM(gvk_instance, handle);
    pthread_mutex_lock(&instance->lock);
    SL_LIST_FOR(item, &instance->messengers)
    {
        const struct gvk_messenger *one = SL_CONTAINER(item, struct gvk_messenger, link);
        if (one->report && (one->reports.flags & flags) != 0) {
            one->reports.pfnCallback(flags, type, object, location, code, layer, text,
                                     one->reports.pUserData);
        }
    }
    pthread_mutex_unlock(&instance->lock);
}

/* ---- Names and labels: nobody in this driver shows them ---- */

VkResult gvk_vkSetDebugUtilsObjectNameEXT(VkDevice device,
                                          const VkDebugUtilsObjectNameInfoEXT *info)
{
    (void)device;
    (void)info;
    return VK_SUCCESS;
}
VkResult gvk_vkSetDebugUtilsObjectTagEXT(VkDevice device, const VkDebugUtilsObjectTagInfoEXT *info)
{
    (void)device;
    (void)info;
    return VK_SUCCESS;
}
void gvk_vkQueueBeginDebugUtilsLabelEXT(VkQueue queue, const VkDebugUtilsLabelEXT *label)
{
    (void)queue;
    (void)label;
}
void gvk_vkQueueEndDebugUtilsLabelEXT(VkQueue queue)
{
    (void)queue;
}
void gvk_vkQueueInsertDebugUtilsLabelEXT(VkQueue queue, const VkDebugUtilsLabelEXT *label)
{
    (void)queue;
    (void)label;
}
void gvk_vkCmdBeginDebugUtilsLabelEXT(VkCommandBuffer buffer, const VkDebugUtilsLabelEXT *label)
{
    (void)buffer;
    (void)label;
}
void gvk_vkCmdEndDebugUtilsLabelEXT(VkCommandBuffer buffer)
{
    (void)buffer;
}
void gvk_vkCmdInsertDebugUtilsLabelEXT(VkCommandBuffer buffer, const VkDebugUtilsLabelEXT *label)
{
    (void)buffer;
    (void)label;
}
