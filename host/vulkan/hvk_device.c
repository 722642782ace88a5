/* Devices: made with what the native driver has of the guest's wishes, ended when their work is
 * done; errors that no reply tells. */
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/atomic.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "wire/vk_extensions.h"
#include "wire/vk_names.h"

static struct hvk_device *device_of(struct hvk_object *object)
{
    return (struct hvk_device *)(void *)object; /* first member */
}

static void queue_release(struct hvk_object *object)
{
    (void)object; /* goes with its device */
}

static void device_release(struct hvk_object *object)
{
    struct hvk_device *device = device_of(object);
    for (uint32_t i = 0; i < device->queue_count; i++) {
        hvk_timer_finish(&device->queues[i]);
        pthread_mutex_destroy(&device->queues[i].own_lock);
    }
    VkDevice native = HVK_HANDLE(VkDevice, object->native);
    device->driver.DestroySampler(native, device->any_sampler, NULL);
    device->driver.DestroyDevice(native, NULL);
    hvk_unref(&object->instance->object);
    hvk_status_drop(device);
    sl_free(device->queues);
    sl_map_finish(&device->buffers);
    sl_free(device);
}

/* --- what the guest asks for --- */

/* Native extensions that are on wherever they are: the guest's memory and images are shared by
 * them, its window system submits by one, draws in a row are made by another, one has null
 * descriptors, and one clears what workgroups share. */
static const char *const always[] = {
    "VK_EXT_external_memory_host",
    "VK_KHR_external_memory",
    "VK_KHR_external_memory_fd",
    "VK_EXT_external_memory_dma_buf",
    "VK_EXT_image_drm_format_modifier",
    "VK_KHR_synchronization2",
    "VK_EXT_multi_draw",
    "VK_EXT_robustness2",
    "VK_KHR_zero_initialize_workgroup_memory",
};
#define ALWAYS (sizeof always / sizeof always[0])

static bool is_among(const char *const *names, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_known(const char *name)
{
    const struct vk_extension *known = vk_extension_find(name, strlen(name));
    return known != NULL && known->refused == NULL && !known->instance;
}

/* Stock guests forward names that they invented: what the driver does not have is left out. */
static uint32_t wanted(const struct hvk_physical *p, const VkDeviceCreateInfo *info,
                       const char **names)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < info->enabledExtensionCount; i++) {
        const char *name = info->ppEnabledExtensionNames[i];
        if (is_known(name) && hvk_extension_is_in(p->extensions, p->extension_count, name) &&
            strcmp(name, "VK_KHR_swapchain") != 0 && !is_among(names, count, name)) {
            names[count++] = name;
        }
    }
    for (uint32_t i = 0; i < ALWAYS; i++) {
        if (hvk_extension_is_in(p->extensions, p->extension_count, always[i]) &&
            !is_among(names, count, always[i])) {
            names[count++] = always[i];
        }
    }
    return count;
}

/* The chain without what is the guest's alone: callbacks, and devices by pointers of its own. */
static const void *chain_filter(const void *chain)
{
    const void *first = chain;
    const void **link = &first;
    while (*link != NULL) {
        const VkBaseInStructure *s = *link;
        if (s->sType == VK_STRUCTURE_TYPE_DEVICE_DEVICE_MEMORY_REPORT_CREATE_INFO_EXT ||
            s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DEVICE_MEMORY_REPORT_FEATURES_EXT ||
            s->sType == VK_STRUCTURE_TYPE_DEVICE_GROUP_DEVICE_CREATE_INFO) {
            *link = s->pNext;
        } else {
            link = (const void **)(uintptr_t)&s->pNext;
        }
    }
    return first;
}

static void *chain_find(const void *chain, VkStructureType type)
{
    for (const VkBaseInStructure *s = chain; s != NULL; s = s->pNext) {
        if (s->sType == type) {
            return (void *)(uintptr_t)s; /* read from the packet: ours to change */
        }
    }
    return NULL;
}

static bool has_synchronization2(const struct hvk_physical *p)
{
    const struct vk_driver_instance *driver = &p->object.instance->driver;
    VkPhysicalDeviceSynchronization2Features sync2 = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES};
    VkPhysicalDeviceFeatures2 features = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                          .pNext = &sync2};
    if (driver->GetPhysicalDeviceFeatures2 != NULL) {
        driver->GetPhysicalDeviceFeatures2(HVK_HANDLE(VkPhysicalDevice, p->object.native),
                                           &features);
    }
    return sync2.synchronization2;
}

/* A guest's window system submits by vkQueueSubmit2 whatever its application asked for. `own` is
 * linked in where the chain has no place for the feature. */
static const void *chain_synchronization2(const void *chain,
                                          VkPhysicalDeviceSynchronization2Features *own)
{
    VkPhysicalDeviceVulkan13Features *core =
        chain_find(chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES);
    VkPhysicalDeviceSynchronization2Features *one =
        chain_find(chain, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES);
    if (core != NULL) {
        core->synchronization2 = VK_TRUE;
    }
    if (one != NULL) {
        one->synchronization2 = VK_TRUE;
    }
    if (core != NULL || one != NULL) {
        return chain;
    }
    *own = (VkPhysicalDeviceSynchronization2Features){
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SYNCHRONIZATION_2_FEATURES,
        .pNext = (void *)(uintptr_t)chain,
        .synchronization2 = VK_TRUE};
    return own;
}

#define QUEUES_MAX 256u /* of a replay's family, and its families */

/* A replay's families may be one here, and ask for more queues together than it has. */
static bool families_are_there(const struct hvk_physical *p, const VkDeviceCreateInfo *info)
{
    for (uint32_t i = 0; i < info->queueCreateInfoCount; i++) {
        const VkDeviceQueueCreateInfo *q = &info->pQueueCreateInfos[i];
        if (q->queueFamilyIndex >= p->family_count || q->queueCount == 0 ||
            q->queueCount > QUEUES_MAX || p->families[q->queueFamilyIndex].queueCount == 0) {
            return false;
        }
    }
    return info->queueCreateInfoCount != 0 && info->queueCreateInfoCount <= QUEUES_MAX;
}

static bool families_exist(const struct hvk_physical *p, const VkDeviceCreateInfo *info)
{
    for (uint32_t i = 0; i < info->queueCreateInfoCount; i++) {
        const VkDeviceQueueCreateInfo *q = &info->pQueueCreateInfos[i];
        if (q->queueFamilyIndex >= p->family_count || q->queueCount == 0 ||
            q->queueCount > p->families[q->queueFamilyIndex].queueCount) {
            return false;
        }
        for (uint32_t k = 0; k < i; k++) {
            if (info->pQueueCreateInfos[k].queueFamilyIndex == q->queueFamilyIndex &&
                info->pQueueCreateInfos[k].flags == q->flags) {
                return false;
            }
        }
    }
    return info->queueCreateInfoCount != 0;
}

/* The place of that family among them; `count`: it is not there. */
static uint32_t family_at(const VkDeviceQueueCreateInfo *all, uint32_t count,
                          const VkDeviceQueueCreateInfo *q)
{
    uint32_t i = 0;
    while (i < count &&
           (all[i].queueFamilyIndex != q->queueFamilyIndex || all[i].flags != q->flags)) {
        i++;
    }
    return i;
}

/* For the driver: each family once, with no more queues than it has; in place of the guest's. */
static VkResult families_join(struct hvk_call *call, const struct hvk_physical *p,
                              VkDeviceCreateInfo *info)
{
    uint32_t count = 0;
    VkDeviceQueueCreateInfo *all =
        vk_unpack_alloc(&call->in, info->queueCreateInfoCount, sizeof *all);
    float *priorities = vk_unpack_alloc(&call->in, QUEUES_MAX, sizeof *priorities);
    if (all == NULL || priorities == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    for (uint32_t i = 0; i < QUEUES_MAX; i++) {
        priorities[i] = 1.0f;
    }
    for (uint32_t i = 0; i < info->queueCreateInfoCount; i++) {
        const VkDeviceQueueCreateInfo *q = &info->pQueueCreateInfos[i];
        VkDeviceQueueCreateInfo *to = &all[family_at(all, count, q)];
        if (to == &all[count]) {
            count++;
            *to = *q;
            to->queueCount = 0;
            to->pQueuePriorities = priorities;
        }
        uint32_t there = p->families[q->queueFamilyIndex].queueCount;
        to->queueCount += q->queueCount;
        to->queueCount = to->queueCount < there ? to->queueCount : there;
    }
    info->pQueueCreateInfos = all;
    info->queueCreateInfoCount = count;
    return VK_SUCCESS;
}

static VkQueue queue_get(const struct hvk_device *device, const VkDeviceQueueCreateInfo *info,
                         uint32_t index)
{
    VkDevice native = HVK_HANDLE(VkDevice, device->object.native);
    VkQueue queue = VK_NULL_HANDLE;
    if (info->flags == 0 || device->driver.GetDeviceQueue2 == NULL) {
        device->driver.GetDeviceQueue(native, info->queueFamilyIndex, index, &queue);
        return queue;
    }
    const VkDeviceQueueInfo2 info2 = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_INFO_2,
                                      .flags = info->flags,
                                      .queueFamilyIndex = info->queueFamilyIndex,
                                      .queueIndex = index};
    device->driver.GetDeviceQueue2(native, &info2, &queue);
    return queue;
}

/* Queues of its family that are made already. */
static uint32_t queues_before(const struct hvk_device *device, const VkDeviceQueueCreateInfo *info)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < device->queue_count; i++) {
        const struct hvk_queue *q = &device->queues[i];
        count += q->family == info->queueFamilyIndex && q->flags == info->flags;
    }
    return count;
}

/* That of the queue that is natively the same, or its own. */
static pthread_mutex_t *lock_of(const struct hvk_device *device, struct hvk_queue *queue)
{
    for (struct hvk_queue *q = device->queues; q != queue; q++) {
        if (q->object.native == queue->object.native) {
            return q->lock;
        }
    }
    return &queue->own_lock;
}

/* native: how many the driver was asked for. */
static bool queues_make(struct hvk_device *device, const VkDeviceCreateInfo *info,
                        const VkDeviceCreateInfo *native)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < info->queueCreateInfoCount; i++) {
        count += info->pQueueCreateInfos[i].queueCount;
    }
    device->queues = sl_alloc_array(count, sizeof *device->queues);
    if (device->queues == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < info->queueCreateInfoCount; i++) {
        const VkDeviceQueueCreateInfo *q = &info->pQueueCreateInfos[i];
        uint32_t before = queues_before(device, q);
        uint32_t at = family_at(native->pQueueCreateInfos, native->queueCreateInfoCount, q);
        uint32_t there = native->pQueueCreateInfos[at].queueCount;
        for (uint32_t k = 0; k < q->queueCount; k++) {
            struct hvk_queue *queue = &device->queues[device->queue_count++];
            hvk_object_init(&queue->object, VK_KIND_VkQueue,
                            HVK_U64(queue_get(device, q, (before + k) % there)),
                            device->object.instance, device, queue_release);
            queue->family = q->queueFamilyIndex;
            queue->index = before + k;
            queue->flags = q->flags;
            pthread_mutex_init(&queue->own_lock, NULL);
            queue->lock = lock_of(device, queue);
        }
    }
    return true;
}

/* The native device; what it has on is noted in `device`. */
static VkResult native_create(struct hvk_call *call, struct hvk_device *device,
                              const VkDeviceCreateInfo *asked, VkDevice *out)
{
    struct hvk_physical *p = device->physical;
    if (hvk_addresses_asked(device, asked->pNext) && p->hides_addresses) {
        return VK_ERROR_FEATURE_NOT_PRESENT;
    }
    const char **names =
        vk_unpack_alloc(&call->in, (uint64_t)asked->enabledExtensionCount + ALWAYS, sizeof *names);
    if (names == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkPhysicalDeviceSynchronization2Features own;
    VkPhysicalDeviceMultiDrawFeaturesEXT own_draws;
    VkPhysicalDeviceRobustness2FeaturesEXT own_nulls;
    VkPhysicalDeviceZeroInitializeWorkgroupMemoryFeatures own_shared;
    VkDeviceCreateInfo info = *asked;
    info.pNext = hvk_draws_enable(device, chain_filter(info.pNext), &own_draws);
    info.pNext = hvk_nulls_enable(device, info.pNext, &own_nulls);
    info.pNext = hvk_shared_enable(device, info.pNext, &own_shared);
    device->has_synchronization2 = has_synchronization2(p);
    if (device->has_synchronization2) {
        info.pNext = chain_synchronization2(info.pNext, &own);
    }
    info.enabledLayerCount = 0;
    info.ppEnabledLayerNames = NULL;
    info.enabledExtensionCount = wanted(p, asked, names);
    info.ppEnabledExtensionNames = names;
    device->has_external_memory_host =
        is_among(names, info.enabledExtensionCount, "VK_EXT_external_memory_host");
    device->has_external_memory_fd =
        is_among(names, info.enabledExtensionCount, "VK_KHR_external_memory_fd");
    device->has_dma_buf =
        is_among(names, info.enabledExtensionCount, "VK_EXT_external_memory_dma_buf");
    device->has_modifiers =
        is_among(names, info.enabledExtensionCount, "VK_EXT_image_drm_format_modifier");
    if (is_among(names, info.enabledExtensionCount, "VK_EXT_shader_object")) {
        device->draws_at_once = 0; /* nobody has looked into those shaders */
    }
    const struct vk_driver_instance *driver = &p->object.instance->driver;
    VkResult result =
        driver->CreateDevice(HVK_HANDLE(VkPhysicalDevice, p->object.native), &info, NULL, out);
    if (result == VK_SUCCESS) {
        vk_driver_device_load(&device->driver, *out, driver->GetDeviceProcAddr);
        hvk_addresses_load(device);
        if (call->context->provider->null) {
            vk_driver_device_null(&device->driver);
        }
    }
    return result;
}

VkResult hvk_vkCreateDevice(struct hvk_call *call, struct vk_args_vkCreateDevice *a)
{
    struct hvk_physical *physical = a->record; /* its first member */
    bool (*exist)(const struct hvk_physical *, const VkDeviceCreateInfo *) =
        call->context->provider->restores ? families_are_there : families_exist;
    if (!exist(physical, a->pCreateInfo)) {
        return VK_ERROR_INITIALIZATION_FAILED;
    }
    struct hvk_device *device = sl_alloc(sizeof *device);
    if (device == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    device->physical = physical;
    device->context = call->context;
    sl_map_init(&device->buffers, SL_MAP_MOST);
    sl_list_init(&device->layouts);
    sl_list_init(&device->graves);
    sl_list_init(&device->late_graves);
    sl_list_init(&device->sets);
    sl_list_init(&device->stale);
    VkDevice native = VK_NULL_HANDLE;
    VkDeviceCreateInfo info = *a->pCreateInfo;
    VkResult result =
        call->context->provider->restores ? families_join(call, physical, &info) : VK_SUCCESS;
    result = result == VK_SUCCESS ? native_create(call, device, &info, &native) : result;
    if (result != VK_SUCCESS) {
        sl_free(device);
        return result;
    }
    hvk_object_init(&device->object, VK_KIND_VkDevice, HVK_U64(native), physical->object.instance,
                    device, device_release);
    (void)hvk_ref(&physical->object.instance->object);
    hvk_samplers_enable(device);
    uint64_t id = 0;
    if (!queues_make(device, a->pCreateInfo, &info) ||
        hvk_add_object(call, &device->object, &id) != SL_OK) {
        result = VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    *a->pDevice = HVK_HANDLE(VkDevice, id);
    hvk_unref(&device->object);
    return result;
}

/* --- its end --- */

void hvk_vkDestroyDevice(struct hvk_call *call, struct vk_args_vkDestroyDevice *a)
{
    struct hvk_object *object = hvk_find(call->context, VK_KIND_VkDevice, a->device_id, NULL);
    if (object != NULL) {
        hvk_device_drain(device_of(object));
        hvk_destroy_children(call->context, object);
        hvk_destroy(call->context, VK_KIND_VkDevice, a->device_id);
    }
}

/* --- errors --- */

void hvk_device_fail(struct hvk_device *device, VkResult result, const char *what)
{
    uint32_t none = 0;
    /* Only the first counts; read by hvk_device_result on any ring, orders nothing else. */
    if (sl_atomic_cas(&device->error, &none, (uint32_t)-result)) {
        const char *name = vk_result_name(result);
        sl_warn("vulkan", "context %u: %s failed with %s, which no reply tells: device lost",
                device->context->ctx_id, what != NULL ? what : "a command",
                name != NULL ? name : "an unknown error");
    }
}

VkResult hvk_device_result(struct hvk_device *device, VkResult result)
{
    if (SL_UNLIKELY(result == VK_ERROR_DEVICE_LOST)) {
        hvk_device_fail(device, result, "the native driver");
    }
    return SL_UNLIKELY(sl_atomic_load_relaxed(&device->error) != 0) ? VK_ERROR_DEVICE_LOST : result;
}
