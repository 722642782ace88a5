/* Instances: a native one of our own making behind each of the guest's. */
#include "host/vulkan/hvk_core.h"

#include "host/vk_hand.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

static struct hvk_instance *instance_of(struct hvk_object *object)
{
    return (struct hvk_instance *)(void *)object; /* first member */
}

static void instance_release(struct hvk_object *object)
{
    struct hvk_instance *instance = instance_of(object);
    for (uint32_t i = 0; i < instance->physical_count; i++) {
        hvk_physical_finish(&instance->physicals[i]);
    }
    sl_free(instance->physicals);
    instance->driver.DestroyInstance(HVK_HANDLE(VkInstance, object->native), NULL);
    sl_free(instance);
}

/* Physical devices are found once; the guest asks as often as it likes. */
static VkResult find_physicals(struct hvk_instance *instance, const struct hvk_provider *provider)
{
    VkPhysicalDevice natives[HVK_GPUS_MAX];
    uint32_t count = 0;
    VkResult result = hvk_native_physicals(provider, &instance->driver,
                                           HVK_HANDLE(VkInstance, instance->object.native), natives,
                                           HVK_GPUS_MAX, &count);
    if (result != VK_SUCCESS) {
        return result;
    }
    instance->physicals = sl_alloc_array(count, sizeof *instance->physicals);
    if (instance->physicals == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    for (uint32_t i = 0; i < count && result == VK_SUCCESS; i++) {
        result = hvk_physical_init(&instance->physicals[i], instance, natives[i], provider);
        instance->physical_count++;
    }
    if (count == 0) {
        sl_warn_limited("vulkan", "no Vulkan device%s%s", provider->gpu != NULL ? " like " : "",
                        provider->gpu != NULL ? provider->gpu : "");
    }
    return result;
}

/* Names of the guest's list that the native loader has, or 0 of them. */
static uint32_t wanted(const struct hvk_provider *provider, const VkInstanceCreateInfo *info,
                       const char **names)
{
    VkExtensionProperties *native = NULL;
    uint32_t native_count = 0, count = 0;
    if (hvk_extension_list(provider, NULL, VK_NULL_HANDLE, &native, &native_count) != VK_SUCCESS) {
        return 0;
    }
    for (uint32_t i = 0; i < info->enabledExtensionCount; i++) {
        VkExtensionProperties e = {.specVersion = 0};
        const char *name = info->ppEnabledExtensionNames[i];
        if (strlen(name) >= sizeof e.extensionName) {
            continue;
        }
        memcpy(e.extensionName, name, strlen(name) + 1);
        if (hvk_extension_offered(&e, true) && hvk_extension_is_in(native, native_count, name)) {
            names[count++] = name;
        }
    }
    sl_free(native);
    return count;
}

VkResult hvk_vkCreateInstance(struct hvk_call *call, struct vk_args_vkCreateInstance *a)
{
    struct hvk_provider *provider = call->context->provider;
    const VkInstanceCreateInfo *asked = a->pCreateInfo;
    const char **names = vk_unpack_alloc(&call->in, asked->enabledExtensionCount, sizeof *names);
    struct hvk_instance *instance = sl_alloc(sizeof *instance);
    if (names == NULL || instance == NULL) {
        sl_free(instance);
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    /* The newest version, whatever the application asked for: what the guest needs to know of
     * devices goes beyond it, and older applications do not see the difference. */
    VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO};
    if (asked->pApplicationInfo != NULL) {
        application = *asked->pApplicationInfo;
        application.pNext = NULL;
    }
    application.apiVersion = provider->api_version;
    const VkInstanceCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
        .pApplicationInfo = &application,
        .enabledExtensionCount = wanted(provider, asked, names),
        .ppEnabledExtensionNames = names,
    };
    VkInstance native = VK_NULL_HANDLE;
    VkResult result = hvk_native_instance(provider, &info, &instance->driver, &native);
    if (result != VK_SUCCESS) {
        sl_free(instance);
        return result;
    }
    hvk_object_init(&instance->object, VK_KIND_VkInstance, HVK_U64(native), instance, NULL,
                    instance_release);
    instance->api_version = provider->api_version;
    result = find_physicals(instance, provider);
    uint64_t id = 0;
    if (result == VK_SUCCESS && hvk_add_object(call, &instance->object, &id) != SL_OK) {
        result = VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    *a->pInstance = HVK_HANDLE(VkInstance, id);
    hvk_unref(&instance->object);
    return result;
}

void hvk_vkDestroyInstance(struct hvk_call *call, struct vk_args_vkDestroyInstance *a)
{
    struct hvk_object *object = hvk_find(call->context, VK_KIND_VkInstance, a->instance_id, NULL);
    if (object != NULL) {
        hvk_devices_drain(call->context, instance_of(object));
        hvk_destroy_children(call->context, object);
        hvk_destroy(call->context, VK_KIND_VkInstance, a->instance_id);
    }
}

VkResult hvk_vkEnumerateInstanceVersion(struct hvk_call *call,
                                        struct vk_args_vkEnumerateInstanceVersion *a)
{
    *a->pApiVersion = hvk_version(call, call->context->provider->api_version);
    return VK_SUCCESS;
}

VkResult
hvk_vkEnumerateInstanceExtensionProperties(struct hvk_call *call,
                                           struct vk_args_vkEnumerateInstanceExtensionProperties *a)
{
    VkExtensionProperties *native = NULL;
    uint32_t count = 0;
    VkResult result = VK_ERROR_LAYER_NOT_PRESENT;
    if (a->pLayerName == NULL) {
        result = hvk_extension_list(call->context->provider, NULL, VK_NULL_HANDLE, &native, &count);
    }
    if (result != VK_SUCCESS) {
        *a->pPropertyCount = 0;
        return result;
    }
    result = hvk_extension_answer(native, count, true, NULL, 0, a->pPropertyCount, a->pProperties);
    sl_free(native);
    return result;
}

VkResult
hvk_vkEnumerateInstanceLayerProperties(struct hvk_call *call,
                                       struct vk_args_vkEnumerateInstanceLayerProperties *a)
{
    (void)call;
    *a->pPropertyCount = 0;
    return VK_SUCCESS;
}

/* Ids of physical devices, each given when it is asked for first. */
static uint64_t physical_id(struct hvk_call *call, struct hvk_physical *physical)
{
    uint64_t id = physical->object.id;
    if (id == 0 && hvk_add_object(call, &physical->object, &id) != SL_OK) {
        return 0;
    }
    return id;
}

VkResult hvk_vkEnumeratePhysicalDevices(struct hvk_call *call,
                                        struct vk_args_vkEnumeratePhysicalDevices *a)
{
    struct hvk_instance *instance = hvk_instance_of(a->record);
    VkResult result =
        hvk_fit(a->pPhysicalDeviceCount, a->pPhysicalDevices != NULL, instance->physical_count);
    for (uint32_t i = 0; a->pPhysicalDevices != NULL && i < *a->pPhysicalDeviceCount; i++) {
        uint64_t id = physical_id(call, &instance->physicals[i]);
        a->pPhysicalDevices[i] = HVK_HANDLE(VkPhysicalDevice, id);
        result = id != 0 ? result : VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    return result;
}

VkResult hvk_vkEnumeratePhysicalDeviceGroups(struct hvk_call *call,
                                             struct vk_args_vkEnumeratePhysicalDeviceGroups *a)
{
    /* Each device is a group of its own: devices made of several do not travel. */
    struct hvk_instance *instance = hvk_instance_of(a->record);
    VkPhysicalDeviceGroupProperties *groups = a->pPhysicalDeviceGroupProperties;
    VkResult result =
        hvk_fit(a->pPhysicalDeviceGroupCount, groups != NULL, instance->physical_count);
    for (uint32_t i = 0; groups != NULL && i < *a->pPhysicalDeviceGroupCount; i++) {
        uint64_t id = physical_id(call, &instance->physicals[i]);
        groups[i].physicalDeviceCount = 1;
        groups[i].physicalDevices[0] = HVK_HANDLE(VkPhysicalDevice, id);
        groups[i].subsetAllocation = VK_FALSE;
        result = id != 0 ? result : VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    return result;
}
