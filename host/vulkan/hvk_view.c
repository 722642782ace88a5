/* What is made of something else and points to it natively: views of images and of buffers,
 * samplers. Each keeps what it is made of, which ends natively behind it, whatever the guest ends
 * first; and none is made that reaches past it. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_destroy.h"
#include "host/vk_hand.h"
#include "transport/base/arith.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

static struct hvk_view *view_of(struct hvk_object *object)
{
    return (struct hvk_view *)(void *)object;
}

static void view_release(struct hvk_object *object)
{
    const struct vk_driver_device *driver = &object->device->driver;
    VkDevice device = hvk_native(object->device);
    switch (object->kind) {
    case VK_KIND_VkImageView:
        driver->DestroyImageView(device, HVK_HANDLE(VkImageView, object->native), NULL);
        break;
    case VK_KIND_VkBufferView:
        driver->DestroyBufferView(device, HVK_HANDLE(VkBufferView, object->native), NULL);
        break;
    case VK_KIND_VkSampler:
        driver->DestroySampler(device, HVK_HANDLE(VkSampler, object->native), NULL);
        break;
    default:
        driver->DestroySamplerYcbcrConversion(
            device, HVK_HANDLE(VkSamplerYcbcrConversion, object->native), NULL);
    }
    hvk_unref(view_of(object)->of);
    sl_free(object);
}

/* What was made natively, and what of (nullable), goes into the table, where the driver's `result`
 * is success; `facts`: the rest of its record. */
static VkResult enter(struct hvk_call *call, struct hvk_device *device, VkResult result,
                      uint32_t kind, uint64_t native, struct hvk_object *of,
                      const struct hvk_view *facts, void *slot)
{
    if (result != VK_SUCCESS) {
        sl_store_u64(slot, 0);
        return hvk_device_result(device, result);
    }
    struct hvk_view *view = sl_alloc(sizeof *view);
    if (view == NULL) {
        vk_destroy_native(kind, &device->driver, hvk_native(device), native);
        sl_store_u64(slot, 0);
        return hvk_device_result(device, VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    *view = *facts;
    view->of = of != NULL ? hvk_ref(of) : NULL;
    hvk_object_init(&view->object, kind, native, device->object.instance, device, view_release);
    return hvk_enter(call, &view->object, slot);
}

static VkResult refuse(const struct hvk_call *call, void *slot, const char *what)
{
    sl_warn_limited("vulkan", "context %u: %s", call->context->ctx_id, what);
    sl_store_u64(slot, 0);
    return VK_ERROR_VALIDATION_FAILED;
}

/* --- views of images --- */

static VkFormatProperties features_of(const struct hvk_device *device, VkFormat format)
{
    VkFormatProperties p = {0};
    device->object.instance->driver.GetPhysicalDeviceFormatProperties(
        HVK_HANDLE(VkPhysicalDevice, device->physical->object.native), format, &p);
    return p;
}

/* Another format than the image's: of as many bytes, and one that the driver knows. What a plane's
 * texels have is not known here. */
static bool format_fits(const struct hvk_image *image, const VkImageViewCreateInfo *info)
{
    if (info->format == image->format) {
        return true;
    }
    const VkImageAspectFlags color = VK_IMAGE_ASPECT_COLOR_BIT;
    const VkFormatProperties p = features_of(image->object.device, info->format);
    uint32_t size = hvk_block_of(image->format, color).size;
    return (image->flags & VK_IMAGE_CREATE_MUTABLE_FORMAT_BIT) != 0 &&
           !hvk_is_depth_stencil(image->format) && !hvk_is_depth_stencil(info->format) &&
           (p.linearTilingFeatures | p.optimalTilingFeatures) != 0 &&
           (size == 0 || size == hvk_block_of(info->format, color).size);
}

/* Of a view of that type on an image of that one, per layer of it; 0: it has no such view. */
static uint32_t dimensions_of(const struct hvk_image *image, VkImageViewType type)
{
    switch (type) {
    case VK_IMAGE_VIEW_TYPE_1D:
    case VK_IMAGE_VIEW_TYPE_1D_ARRAY:
        return image->type == VK_IMAGE_TYPE_1D ? 1 : 0;
    case VK_IMAGE_VIEW_TYPE_2D:
    case VK_IMAGE_VIEW_TYPE_2D_ARRAY:
        return image->type == VK_IMAGE_TYPE_2D ||
                       (image->type == VK_IMAGE_TYPE_3D &&
                        (image->flags & (VK_IMAGE_CREATE_2D_ARRAY_COMPATIBLE_BIT |
                                         VK_IMAGE_CREATE_2D_VIEW_COMPATIBLE_BIT_EXT)) != 0)
                   ? 2
                   : 0;
    case VK_IMAGE_VIEW_TYPE_3D:
        return image->type == VK_IMAGE_TYPE_3D ? 3 : 0;
    case VK_IMAGE_VIEW_TYPE_CUBE:
    case VK_IMAGE_VIEW_TYPE_CUBE_ARRAY:
        return (image->flags & VK_IMAGE_CREATE_CUBE_COMPATIBLE_BIT) != 0 ? 2 : 0;
    default:
        return 0;
    }
}

static bool layers_fit(VkImageViewType type, uint32_t layers)
{
    switch (type) {
    case VK_IMAGE_VIEW_TYPE_CUBE:
        return layers == 6;
    case VK_IMAGE_VIEW_TYPE_CUBE_ARRAY:
        return layers % 6 == 0;
    case VK_IMAGE_VIEW_TYPE_1D_ARRAY:
    case VK_IMAGE_VIEW_TYPE_2D_ARRAY:
        return true;
    default:
        return layers == 1;
    }
}

static uint32_t level_of(uint32_t size, uint32_t level)
{
    return level < 32 && size >> level != 0 ? size >> level : 1;
}

/* What is left of so many from `first` on, or a part of it; 0: none, or more than there is. */
static uint32_t part(uint32_t first, uint32_t count, uint32_t all)
{
    if (first >= all) {
        return 0;
    }
    uint32_t left = all - first;
    return count == UINT32_MAX ? left : count <= left ? count : 0;
}

/* Does the view fit? Fills what the record says of it. */
static bool image_view_fits(const struct hvk_image *image, const VkImageViewCreateInfo *info,
                            struct hvk_view *facts)
{
    const VkImageSubresourceRange *range = &info->subresourceRange;
    uint32_t dimensions = dimensions_of(image, info->viewType);
    uint32_t levels = part(range->baseMipLevel, range->levelCount, image->mip_levels);
    bool slices = dimensions == 2 && image->type == VK_IMAGE_TYPE_3D;
    if (levels == 0 || dimensions == 0 || range->aspectMask == 0 ||
        (range->aspectMask & ~hvk_aspects_of(image->format)) != 0 || !format_fits(image, info)) {
        return false;
    }
    uint32_t all =
        slices ? level_of(image->extent.depth, range->baseMipLevel) : image->array_layers;
    uint32_t layers = part(range->baseArrayLayer, range->layerCount, all);
    *facts = (struct hvk_view){
        .format = info->format,
        .samples = image->samples,
        .width = level_of(image->extent.width, range->baseMipLevel),
        .height = level_of(image->extent.height, range->baseMipLevel),
        .layers = dimensions == 3 ? level_of(image->extent.depth, range->baseMipLevel) : layers,
        .level = range->baseMipLevel,
        .layer = range->baseArrayLayer};
    return layers != 0 && layers_fit(info->viewType, layers);
}

VkResult hvk_vkCreateImageView(struct hvk_call *call, struct vk_args_vkCreateImageView *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkCreateImageView ids;
    struct hvk_object *object =
        vk_unpack_vkCreateImageView(&again, &ids)
            ? hvk_find(call->context, VK_KIND_VkImage, HVK_U64(ids.pCreateInfo->image), NULL)
            : NULL;
    const struct hvk_image *image = (const struct hvk_image *)(const void *)object;
    struct hvk_view facts;
    VkImageView native = VK_NULL_HANDLE;
    if (object == NULL || image->bound == 0 || !image_view_fits(image, a->pCreateInfo, &facts)) {
        return refuse(call, a->pView, "a view does not fit its image, or that has no memory");
    }
    VkResult result =
        device->driver.CreateImageView(hvk_native(device), a->pCreateInfo, NULL, &native);
    return enter(call, device, result, VK_KIND_VkImageView, HVK_U64(native), object, &facts,
                 a->pView);
}

/* --- views of buffers --- */

static bool buffer_view_fits(const struct hvk_buffer *buffer, const VkBufferViewCreateInfo *info)
{
    uint64_t size = info->range == VK_WHOLE_SIZE ? 0 : info->range;
    return info->offset < buffer->size && info->range != 0 &&
           sl_region_fits(info->offset, size, buffer->size) &&
           features_of(buffer->object.device, info->format).bufferFeatures != 0;
}

VkResult hvk_vkCreateBufferView(struct hvk_call *call, struct vk_args_vkCreateBufferView *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkCreateBufferView ids;
    struct hvk_object *object =
        vk_unpack_vkCreateBufferView(&again, &ids)
            ? hvk_find(call->context, VK_KIND_VkBuffer, HVK_U64(ids.pCreateInfo->buffer), NULL)
            : NULL;
    const struct hvk_buffer *buffer = (const struct hvk_buffer *)(const void *)object;
    VkBufferView native = VK_NULL_HANDLE;
    if (object == NULL || !buffer->is_bound || !buffer_view_fits(buffer, a->pCreateInfo)) {
        return refuse(call, a->pView, "a view does not fit its buffer, or that has no memory");
    }
    VkResult result =
        device->driver.CreateBufferView(hvk_native(device), a->pCreateInfo, NULL, &native);
    return enter(call, device, result, VK_KIND_VkBufferView, HVK_U64(native), object,
                 &(struct hvk_view){0}, a->pView);
}

/* --- samplers --- */

/* The conversion that a sampler's chain names, of a packet read for its ids. */
static struct hvk_object *conversion_of(const struct hvk_call *call, const VkSamplerCreateInfo *ids)
{
    const VkSamplerYcbcrConversionInfo *info =
        hvk_chain_find(ids->pNext, VK_STRUCTURE_TYPE_SAMPLER_YCBCR_CONVERSION_INFO);
    return info != NULL ? hvk_find(call->context, VK_KIND_VkSamplerYcbcrConversion,
                                   HVK_U64(info->conversion), NULL)
                        : NULL;
}

VkResult hvk_vkCreateSampler(struct hvk_call *call, struct vk_args_vkCreateSampler *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct hvk_object *conversion = NULL;
    VkSampler native = VK_NULL_HANDLE;
    VkResult result = VK_SUCCESS;
    if (a->pCreateInfo->pNext != NULL) {
        struct vk_unpack again = hvk_again(call);
        struct vk_args_vkCreateSampler ids;
        result = vk_unpack_vkCreateSampler(&again, &ids) ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
        conversion = result == VK_SUCCESS ? conversion_of(call, ids.pCreateInfo) : NULL;
    }
    if (result == VK_SUCCESS) {
        result = device->driver.CreateSampler(hvk_native(device), a->pCreateInfo, NULL, &native);
    }
    return enter(call, device, result, VK_KIND_VkSampler, HVK_U64(native), conversion,
                 &(struct hvk_view){0}, a->pSampler);
}

VkResult hvk_vkCreateSamplerYcbcrConversion(struct hvk_call *call,
                                            struct vk_args_vkCreateSamplerYcbcrConversion *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    VkSamplerYcbcrConversion native = VK_NULL_HANDLE;
    VkResult result = VK_ERROR_FEATURE_NOT_PRESENT;
    if (device->driver.CreateSamplerYcbcrConversion != NULL) {
        result = device->driver.CreateSamplerYcbcrConversion(hvk_native(device), a->pCreateInfo,
                                                             NULL, &native);
    }
    return enter(call, device, result, VK_KIND_VkSamplerYcbcrConversion, HVK_U64(native), NULL,
                 &(struct hvk_view){0}, a->pYcbcrConversion);
}
