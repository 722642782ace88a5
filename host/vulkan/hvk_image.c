/* Images: creation with requirements, external memory and DRM modifiers, binding within the
 * memory's bounds, layouts.
 *
 * External images are exported by sharing the pages of their memory: the native driver is told of
 * the one handle type by which it gets those. A driver without VK_EXT_image_drm_format_modifier
 * still does LINEAR: such images are linear ones natively. */
#include "host/vulkan/hvk_family.h"
#include "host/vulkan/hvk_provider.h"

#include "host/vk_hand.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#define MODIFIER_LINEAR 0u

static struct hvk_image *image_of(struct hvk_object *object)
{
    return (struct hvk_image *)(void *)object;
}

static struct hvk_image *image_find(const struct hvk_call *call, uint64_t id)
{
    return image_of(hvk_find(call->context, VK_KIND_VkImage, id, NULL));
}

static void image_release(struct hvk_object *object)
{
    struct hvk_image *image = image_of(object);
    if (object->native != 0) {
        object->device->driver.DestroyImage(hvk_native(object->device),
                                            HVK_HANDLE(VkImage, object->native), NULL);
    }
    object->device->driver.FreeMemory(hvk_native(object->device), image->own_memory, NULL);
    for (uint32_t i = 0; i < HVK_PLANES; i++) {
        hvk_pages_unref(image->pages[i]);
        hvk_bond_end(&image->memory[i]);
    }
    sl_free(image);
}

/* --- creation --- */

static bool offers_linear(const VkImageDrmFormatModifierListCreateInfoEXT *list,
                          const VkImageDrmFormatModifierExplicitCreateInfoEXT *explicit_one)
{
    if (explicit_one != NULL) {
        return explicit_one->drmFormatModifier == MODIFIER_LINEAR &&
               explicit_one->drmFormatModifierPlaneCount == 1;
    }
    for (uint32_t i = 0; list != NULL && i < list->drmFormatModifierCount; i++) {
        if (list->pDrmFormatModifiers[i] == MODIFIER_LINEAR) {
            return true;
        }
    }
    return false;
}

/* Memory that the guest shares is imported, and an image must say from the start that it may lie in
 * such. One that keeps what its memory holds has no way to say so. */
static bool says_import(const struct hvk_device *device, const VkImageCreateInfo *info)
{
    return device->has_external_memory_host &&
           device->object.instance->driver.GetPhysicalDeviceImageFormatProperties2 != NULL &&
           info->initialLayout == VK_IMAGE_LAYOUT_UNDEFINED &&
           (info->flags & VK_IMAGE_CREATE_SPARSE_BINDING_BIT) == 0;
}

static VkResult limits_of(const struct hvk_device *device, const VkImageCreateInfo *info,
                          VkImageFormatProperties *out)
{
    return device->object.instance->driver.GetPhysicalDeviceImageFormatProperties(
        HVK_HANDLE(VkPhysicalDevice, device->physical->object.native), info->format,
        info->imageType, info->tiling, info->usage, info->flags, out);
}

/* Of images that lie in imported memory; false: there are none of that kind. */
static bool limits_of_imported(const struct hvk_device *device, const VkImageCreateInfo *info,
                               VkImageFormatProperties *out)
{
    const VkPhysicalDeviceExternalImageFormatInfo external = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
        .handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT};
    const VkPhysicalDeviceImageFormatInfo2 which = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
        .pNext = &external,
        .format = info->format,
        .type = info->imageType,
        .tiling = info->tiling,
        .usage = info->usage,
        .flags = info->flags};
    VkExternalImageFormatProperties can = {.sType =
                                               VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES};
    VkImageFormatProperties2 answer = {.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
                                       .pNext = &can};
    VkResult result = device->object.instance->driver.GetPhysicalDeviceImageFormatProperties2(
        HVK_HANDLE(VkPhysicalDevice, device->physical->object.native), &which, &answer);
    *out = answer.imageFormatProperties;
    return result == VK_SUCCESS && (can.externalMemoryProperties.externalMemoryFeatures &
                                    VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT) != 0;
}

static bool fits(const VkImageCreateInfo *info, const VkImageFormatProperties *p)
{
    return info->extent.width <= p->maxExtent.width && info->extent.height <= p->maxExtent.height &&
           info->extent.depth <= p->maxExtent.depth && info->mipLevels <= p->maxMipLevels &&
           info->arrayLayers <= p->maxArrayLayers &&
           ((uint32_t)info->samples & p->sampleCounts) != 0;
}

/* Would the driver make such an image at all, and of imported memory? Drivers believe what they are
 * given; this is the question that they answer for any values. */
static VkResult check_limits(const struct hvk_device *device, const VkImageCreateInfo *info,
                             bool *imports)
{
    VkImageFormatProperties p;
    *imports = false;
    if (info->mipLevels == 0 || info->arrayLayers == 0 || info->extent.width == 0 ||
        info->extent.height == 0 || info->extent.depth == 0) {
        return VK_ERROR_VALIDATION_FAILED;
    }
    if (info->tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT) {
        return VK_SUCCESS; /* the native extension's to judge */
    }
    *imports = says_import(device, info) && limits_of_imported(device, info, &p) && fits(info, &p);
    if (*imports) {
        return VK_SUCCESS;
    }
    VkResult result = limits_of(device, info, &p);
    return result != VK_SUCCESS || fits(info, &p) ? result : VK_ERROR_VALIDATION_FAILED;
}

/* What passes draw on can be copied, where the driver makes such images. */
static void make_copyable(const struct hvk_device *device, VkImageCreateInfo *info, bool *imports)
{
    const VkImageUsageFlags drawn_on =
        VK_IMAGE_USAGE_COLOR_ATTACHMENT_BIT | VK_IMAGE_USAGE_DEPTH_STENCIL_ATTACHMENT_BIT;
    VkImageCreateInfo more = *info;
    bool may_import;
    more.usage |= VK_IMAGE_USAGE_TRANSFER_SRC_BIT;
    if ((info->usage & drawn_on) != 0 &&
        (info->usage & VK_IMAGE_USAGE_TRANSIENT_ATTACHMENT_BIT) == 0 &&
        check_limits(device, &more, &may_import) == VK_SUCCESS && may_import == *imports) {
        info->usage = more.usage;
    }
}

/* What a driver gets for a guest's create info. */
struct native_image {
    VkImageCreateInfo info;
    VkExternalMemoryImageCreateInfo external; /* chained where it is true */
    const VkImageDrmFormatModifierExplicitCreateInfoEXT *explicit_one;
};

/* Fills what the record says of it too. */
static VkResult native_info(const struct hvk_device *device, const VkImageCreateInfo *asked,
                            struct hvk_image *image, struct native_image *out)
{
    static const VkStructureType drops[] = {
        VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO_NV,
        VK_STRUCTURE_TYPE_IMAGE_SWAPCHAIN_CREATE_INFO_KHR,
        VK_STRUCTURE_TYPE_DEDICATED_ALLOCATION_IMAGE_CREATE_INFO_NV};
    VkImageCreateInfo info = *asked;
    *image = (struct hvk_image){
        .type = asked->imageType,
        .format = asked->format,
        .extent = asked->extent,
        .tiling = asked->tiling,
        .mip_levels = asked->mipLevels,
        .array_layers = asked->arrayLayers,
        .samples = asked->samples,
        .flags = asked->flags,
        .bound = (asked->flags & VK_IMAGE_CREATE_SPARSE_BINDING_BIT) != 0 ? UINT32_MAX : 0,
        .is_disjoint = (asked->flags & VK_IMAGE_CREATE_DISJOINT_BIT) != 0};
    hvk_chain_drop(&info.pNext, drops, sizeof drops / sizeof drops[0]);
    const VkExternalMemoryImageCreateInfo *external =
        hvk_chain_take(&info.pNext, VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO);
    image->is_external = external != NULL && external->handleTypes != 0;
    if (info.tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT &&
        device->driver.GetImageDrmFormatModifierPropertiesEXT == NULL) {
        const VkImageDrmFormatModifierListCreateInfoEXT *list = hvk_chain_take(
            &info.pNext, VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT);
        out->explicit_one = hvk_chain_take(
            &info.pNext, VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT);
        if (!offers_linear(list, out->explicit_one)) {
            return VK_ERROR_VALIDATION_FAILED;
        }
        info.tiling = VK_IMAGE_TILING_LINEAR;
        image->is_modifier_emulated = true;
    }
    bool imports;
    VkResult result = check_limits(device, &info, &imports);
    if (result == VK_SUCCESS && device->context->provider->is_watched) {
        make_copyable(device, &info, &imports);
    }
    image->usage = info.usage;
    image->takes_no_import = !imports && says_import(device, &info) &&
                             info.tiling != VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT;
    out->info = info;
    if (imports) {
        out->external = (VkExternalMemoryImageCreateInfo){
            .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
            .pNext = info.pNext,
            .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT};
        out->info.pNext = &out->external;
    }
    return result;
}

/* The layout that the guest demands of a linear image must be the one that it has. */
static bool layout_agrees(const struct hvk_device *device, VkImage native,
                          const VkImageDrmFormatModifierExplicitCreateInfoEXT *explicit_one)
{
    const VkImageSubresource first = {.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT};
    VkSubresourceLayout layout;
    if (explicit_one == NULL) {
        return true;
    }
    device->driver.GetImageSubresourceLayout(hvk_native(device), native, &first, &layout);
    const VkSubresourceLayout *want = &explicit_one->pPlaneLayouts[0];
    return want->offset == layout.offset && want->rowPitch == layout.rowPitch;
}

static void requirements_of(const struct hvk_device *device, const struct hvk_image *image,
                            VkMemoryRequirements *requirements)
{
    uint32_t shared = hvk_memory_shared_types(device->physical);
    if (image->is_external) {
        /* Exported memory is shared pages, whatever else the image could lie in. */
        requirements->memoryTypeBits &= shared;
    } else if (image->takes_no_import && (requirements->memoryTypeBits & ~shared) != 0) {
        requirements->memoryTypeBits &= ~shared;
    }
}

static VkResult create_native(struct hvk_device *device, const VkImageCreateInfo *asked,
                              struct hvk_image *image)
{
    struct native_image want = {0};
    VkImage native = VK_NULL_HANDLE;
    if ((asked->flags & VK_IMAGE_CREATE_SPARSE_BINDING_BIT) != 0 &&
        !hvk_has_sparse(device->physical)) {
        return VK_ERROR_VALIDATION_FAILED;
    }
    VkResult result = native_info(device, asked, image, &want);
    if (result != VK_SUCCESS) {
        return result;
    }
    result = device->driver.CreateImage(hvk_native(device), &want.info, NULL, &native);
    if (result != VK_SUCCESS) {
        return result;
    }
    if (!layout_agrees(device, native, want.explicit_one)) {
        device->driver.DestroyImage(hvk_native(device), native, NULL);
        return VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT;
    }
    hvk_object_init(&image->object, VK_KIND_VkImage, HVK_U64(native), device->object.instance,
                    device, image_release);
    if (!image->is_disjoint) {
        device->driver.GetImageMemoryRequirements(hvk_native(device), native, &image->requirements);
        requirements_of(device, image, &image->requirements);
    }
    return VK_SUCCESS;
}

static VkResult create(struct hvk_call *call, struct hvk_device *device,
                       const VkImageCreateInfo *asked, VkImage *slot,
                       VkMemoryRequirements *requirements)
{
    uint64_t id = HVK_U64(*slot);
    *slot = VK_NULL_HANDLE;
    struct hvk_image *image = sl_alloc(sizeof *image);
    if (image == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkResult result = create_native(device, asked, image);
    if (result != VK_SUCCESS) {
        sl_free(image);
        return result;
    }
    if (requirements != NULL) {
        *requirements = image->requirements;
    }
    enum sl_result added = hvk_add_object(call, &image->object, &id);
    hvk_unref(&image->object);
    if (added != SL_OK) {
        return VK_ERROR_TOO_MANY_OBJECTS;
    }
    *slot = HVK_HANDLE(VkImage, id);
    return VK_SUCCESS;
}

VkResult hvk_vkCreateImage(struct hvk_call *call, struct vk_args_vkCreateImage *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    return hvk_device_result(device, create(call, device, a->pCreateInfo, a->pImage, NULL));
}

VkResult
hvk_vkCreateImageWithRequirementsGOOGLE(struct hvk_call *call,
                                        struct vk_args_vkCreateImageWithRequirementsGOOGLE *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    return hvk_device_result(
        device, create(call, device, a->pCreateInfo, a->pImage, a->pMemoryRequirements));
}

/* --- requirements and layouts --- */

void hvk_vkGetImageMemoryRequirements(struct hvk_call *call,
                                      struct vk_args_vkGetImageMemoryRequirements *a)
{
    const struct hvk_device *device = hvk_device_of(a->record);
    const struct hvk_image *image = image_find(call, a->image_id);
    device->driver.GetImageMemoryRequirements(hvk_native(device), a->image, a->pMemoryRequirements);
    if (image != NULL) {
        requirements_of(device, image, a->pMemoryRequirements);
    }
}

void hvk_vkGetImageSparseMemoryRequirements2(struct hvk_call *call,
                                             struct vk_args_vkGetImageSparseMemoryRequirements2 *a)
{
    const struct hvk_device *device = hvk_device_of(a->record);
    if (device->driver.GetImageSparseMemoryRequirements2 == NULL ||
        a->pInfo->image == VK_NULL_HANDLE) {
        hr_call_refuse(call->hr, "it names no image, or the native driver cannot tell");
        *a->pSparseMemoryRequirementCount = 0;
        return;
    }
    device->driver.GetImageSparseMemoryRequirements2(hvk_native(device), a->pInfo,
                                                     a->pSparseMemoryRequirementCount,
                                                     a->pSparseMemoryRequirements);
}

void hvk_vkGetImageMemoryRequirements2(struct hvk_call *call,
                                       struct vk_args_vkGetImageMemoryRequirements2 *a)
{
    const struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkGetImageMemoryRequirements2 ids;
    if (a->pInfo->image == VK_NULL_HANDLE) {
        hr_call_refuse(call->hr, "it names no image");
        return;
    }
    device->driver.GetImageMemoryRequirements2(hvk_native(device), a->pInfo,
                                               a->pMemoryRequirements);
    const struct hvk_image *image = vk_unpack_vkGetImageMemoryRequirements2(&again, &ids)
                                        ? image_find(call, HVK_U64(ids.pInfo->image))
                                        : NULL;
    if (image != NULL) {
        requirements_of(device, image, &a->pMemoryRequirements->memoryRequirements);
    }
}

/* Of an image that is not made: as if it were. */
void hvk_vkGetDeviceImageMemoryRequirements(struct hvk_call *call,
                                            struct vk_args_vkGetDeviceImageMemoryRequirements *a)
{
    const struct hvk_device *device = hvk_device_of(a->record);
    VkDeviceImageMemoryRequirements info = *a->pInfo;
    struct native_image want = {0};
    struct hvk_image image;
    (void)call;
    if (device->driver.GetDeviceImageMemoryRequirements == NULL ||
        native_info(device, info.pCreateInfo, &image, &want) != VK_SUCCESS) {
        return; /* zeros */
    }
    info.pCreateInfo = &want.info;
    device->driver.GetDeviceImageMemoryRequirements(hvk_native(device), &info,
                                                    a->pMemoryRequirements);
    requirements_of(device, &image, &a->pMemoryRequirements->memoryRequirements);
}

void hvk_vkGetImageSubresourceLayout(struct hvk_call *call,
                                     struct vk_args_vkGetImageSubresourceLayout *a)
{
    const struct hvk_device *device = hvk_device_of(a->record);
    const struct hvk_image *image = image_find(call, a->image_id);
    VkImageSubresource which = *a->pSubresource;
    if (image == NULL || which.mipLevel >= image->mip_levels ||
        which.arrayLayer >= image->array_layers) {
        sl_warn_limited("vulkan", "context %u: no level %u, layer %u in that image",
                        call->context->ctx_id, which.mipLevel, which.arrayLayer);
        return; /* zeros */
    }
    bool native_modifier =
        image->tiling == VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT && !image->is_modifier_emulated;
    if (which.aspectMask == VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT && !native_modifier) {
        which.aspectMask = VK_IMAGE_ASPECT_COLOR_BIT; /* stock guests ask so of any image */
    }
    device->driver.GetImageSubresourceLayout(hvk_native(device), a->image, &which, a->pLayout);
}

VkResult hvk_vkGetImageDrmFormatModifierPropertiesEXT(
    struct hvk_call *call, struct vk_args_vkGetImageDrmFormatModifierPropertiesEXT *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    const struct hvk_image *image = image_find(call, a->image_id);
    VkResult result = VK_SUCCESS;
    if (image == NULL || image->tiling != VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT) {
        result = VK_ERROR_VALIDATION_FAILED;
    } else if (image->is_modifier_emulated) {
        a->pProperties->drmFormatModifier = MODIFIER_LINEAR;
    } else {
        result = device->driver.GetImageDrmFormatModifierPropertiesEXT(hvk_native(device), a->image,
                                                                       a->pProperties);
    }
    return hvk_device_result(device, result);
}

/* --- binding --- */

/* The plane that a bind is about: its index among the image's, and what it needs. */
static uint32_t plane_of(const struct hvk_device *device, const struct hvk_image *image,
                         const VkBindImageMemoryInfo *native, VkMemoryRequirements *needs)
{
    const VkBindImagePlaneMemoryInfo *plane =
        hvk_chain_find(native->pNext, VK_STRUCTURE_TYPE_BIND_IMAGE_PLANE_MEMORY_INFO);
    if (!image->is_disjoint || plane == NULL) {
        *needs = image->requirements;
        return 0;
    }
    VkImagePlaneMemoryRequirementsInfo which = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_PLANE_MEMORY_REQUIREMENTS_INFO,
        .planeAspect = plane->planeAspect};
    VkImageMemoryRequirementsInfo2 info = {.sType =
                                               VK_STRUCTURE_TYPE_IMAGE_MEMORY_REQUIREMENTS_INFO_2,
                                           .pNext = &which,
                                           .image = native->image};
    VkMemoryRequirements2 answer = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
    device->driver.GetImageMemoryRequirements2(hvk_native(device), &info, &answer);
    *needs = answer.memoryRequirements;
    requirements_of(device, image, needs);
    return plane->planeAspect == VK_IMAGE_ASPECT_PLANE_1_BIT   ? 1
           : plane->planeAspect == VK_IMAGE_ASPECT_PLANE_2_BIT ? 2
                                                               : 0;
}

/* A replay's image that needs more here than its memory has. */
static VkResult bind_own(struct hvk_device *device, struct hvk_image *image)
{
    const VkPhysicalDeviceMemoryProperties *memory = &device->physical->memory;
    VkImage native = HVK_HANDLE(VkImage, image->object.native);
    VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                 .allocationSize = image->requirements.size};
    uint32_t bits = image->requirements.memoryTypeBits, local = 0;
    for (uint32_t i = 0; i < memory->memoryTypeCount; i++) {
        bool is_local =
            (memory->memoryTypes[i].propertyFlags & VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT) != 0;
        local |= is_local ? bits & 1u << i : 0;
    }
    bits = local != 0 ? local : bits;
    if (image->is_disjoint || image->bound != 0 || image->requirements.size == 0 || bits == 0) {
        return VK_ERROR_VALIDATION_FAILED;
    }
    info.memoryTypeIndex = (uint32_t)__builtin_ctz(bits);
    VkResult result =
        device->driver.AllocateMemory(hvk_native(device), &info, NULL, &image->own_memory);
    if (result == VK_SUCCESS) {
        result = device->driver.BindImageMemory(hvk_native(device), native, image->own_memory, 0);
    }
    image->bound = result == VK_SUCCESS ? 1 : 0;
    return result;
}

static VkResult bind(struct hvk_call *call, struct hvk_device *device,
                     const VkBindImageMemoryInfo *ids, const VkBindImageMemoryInfo *native)
{
    static const VkStructureType drops[] = {VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_SWAPCHAIN_INFO_KHR,
                                            VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_DEVICE_GROUP_INFO};
    struct hvk_image *image = image_find(call, HVK_U64(ids->image));
    struct hvk_pages *pages = NULL;
    VkMemoryRequirements needs = {0};
    bool wants_own = call->context->provider->restores && ids->memoryOffset == HVK_OWN_MEMORY;
    if (wants_own && image != NULL && image->object.device == device) {
        return bind_own(device, image);
    }
    uint32_t plane = image != NULL ? plane_of(device, image, native, &needs) : 0;
    if (image == NULL || (image->bound >> plane & 1) != 0 ||
        !hvk_memory_takes(device, HVK_U64(ids->memory), ids->memoryOffset, &needs, &pages)) {
        sl_warn_limited("vulkan",
                        "context %u: an image of %llu bytes does not fit its memory, or has some",
                        call->context->ctx_id, (unsigned long long)needs.size);
        return VK_ERROR_VALIDATION_FAILED;
    }
    VkBindImageMemoryInfo info = *native;
    hvk_chain_drop(&info.pNext, drops, sizeof drops / sizeof drops[0]);
    VkResult result = info.pNext == NULL
                          ? device->driver.BindImageMemory(hvk_native(device), info.image,
                                                           info.memory, info.memoryOffset)
                          : device->driver.BindImageMemory2(hvk_native(device), 1, &info);
    if (result == VK_SUCCESS) {
        struct hvk_pages *old = image->pages[plane];
        image->bound |= 1u << plane;
        image->pages[plane] = pages != NULL ? hvk_pages_ref(pages) : NULL;
        hvk_pages_unref(old);
        hvk_bond_make(call->context, &image->memory[plane], VK_KIND_VkDeviceMemory,
                      HVK_U64(ids->memory), ids->memoryOffset);
    }
    return result;
}

VkResult hvk_vkBindImageMemory(struct hvk_call *call, struct vk_args_vkBindImageMemory *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    VkBindImageMemoryInfo ids = {.image = HVK_HANDLE(VkImage, a->image_id),
                                 .memory = HVK_HANDLE(VkDeviceMemory, a->memory_id),
                                 .memoryOffset = a->memoryOffset};
    VkBindImageMemoryInfo native = {
        .image = a->image, .memory = a->memory, .memoryOffset = a->memoryOffset};
    return hvk_device_result(device, bind(call, device, &ids, &native));
}

VkResult hvk_vkBindImageMemory2(struct hvk_call *call, struct vk_args_vkBindImageMemory2 *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkBindImageMemory2 ids;
    VkResult result =
        vk_unpack_vkBindImageMemory2(&again, &ids) ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
    for (uint32_t i = 0; result == VK_SUCCESS && i < a->bindInfoCount; i++) {
        result = bind(call, device, &ids.pBindInfos[i], &a->pBindInfos[i]);
    }
    return hvk_device_result(device, result);
}
