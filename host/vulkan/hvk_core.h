/* What the files of instances, physical devices and devices share. */
#ifndef HOST_HVK_CORE_H
#define HOST_HVK_CORE_H

#include "host/vulkan/hvk_provider.h"

/* --- hvk_extension.c --- */

/* May a guest be told of it? It travels, and it is not a matter of the guest's own process. */
bool hvk_extension_offered(const VkExtensionProperties *extension, bool instance);
/* Among `count` extensions sorted by name. */
bool hvk_extension_is_in(const VkExtensionProperties *extensions, uint32_t count, const char *name);
/* The native extensions of an instance or a device, sorted; *out is the caller's (sl_free). */
VkResult hvk_extension_list(const struct hvk_provider *provider,
                            const struct vk_driver_instance *driver, VkPhysicalDevice physical,
                            VkExtensionProperties **out, uint32_t *count);
/* Those of a physical device, by number; what its version has of others is theirs, too. */
void hvk_extensions_number(struct hvk_physical *physical);
/* Does the native driver know an enumerator of that value? One that there is. */
bool hvk_extension_knows(const struct hvk_physical *physical, int32_t value);
/* Answer a pair of count and array: the offered ones, and `more` (nullable, `more_count` names that
 * we do ourselves). */
VkResult hvk_extension_answer(const VkExtensionProperties *extensions, uint32_t count,
                              bool instance, const VkExtensionProperties *more, uint32_t more_count,
                              uint32_t *out_count, VkExtensionProperties *out);

/* --- hvk_physical.c --- */

/* Fill in what the driver says of one; `out` is zeroed. */
VkResult hvk_physical_init(struct hvk_physical *out, struct hvk_instance *instance,
                           VkPhysicalDevice native, const struct hvk_provider *provider);
void hvk_physical_finish(struct hvk_physical *physical);

/* --- hvk_drain.c --- */

/* Wait for all queues of a device before its objects are taken away; work that waits for what
 * nobody will signal is let go. When it does not end even so, the device is abandoned. */
void hvk_device_drain(struct hvk_device *device);
/* The same for all devices of an instance; NULL: of the context. */
/* hvk_times.c: all that is done is told; before the native device ends. */
void hvk_timer_finish(struct hvk_queue *queue);
void hvk_devices_drain(struct hvk_context *context, const struct hvk_instance *instance);
/* Has a device of the context work that does not end within a moment? No ring runs any more. */
bool hvk_devices_busy(struct hvk_context *context);

/* --- hvk_draw.c --- */

/* The chain of a native device that makes draws in a row by one call, where it can; `own` is linked
 * in where the chain has no place for the feature. */
const void *hvk_draws_enable(struct hvk_device *device, const void *chain,
                             VkPhysicalDeviceMultiDrawFeaturesEXT *own);

/* --- hvk_stale.c --- */

/* The chain of a native device that has null descriptors on, where it can; `own` as above. */
const void *hvk_nulls_enable(struct hvk_device *device, const void *chain,
                             VkPhysicalDeviceRobustness2FeaturesEXT *own);

/* --- hvk_shared.c --- */

/* The chain of a native device whose shaders may have shared memory cleared, where that is wanted
 * and it can; `own` as above. */
const void *hvk_shared_enable(struct hvk_device *device, const void *chain,
                              VkPhysicalDeviceZeroInitializeWorkgroupMemoryFeatures *own);

/* --- hvk_sampler.c --- */

/* The native device is there: do its sets begin with samplers of ours? */
void hvk_samplers_enable(struct hvk_device *device);

/* Entries of an output array that may be written: *count becomes how many there are, or fit. */
static inline VkResult hvk_fit(uint32_t *count, bool has_array, uint32_t there)
{
    VkResult result = has_array && *count < there ? VK_INCOMPLETE : VK_SUCCESS;
    if (!has_array || *count > there) {
        *count = there;
    }
    return result;
}

#endif
