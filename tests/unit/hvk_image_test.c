/* Images of the host's Vulkan on a native driver: sizes, binding, layouts, modifiers, and what may
 * be exported. */
#include "tests/support/vk_parts.h"

SLT_FIXTURE(hvk_image, struct vk_world, vk_world_init, vk_world_finish);

static VkImageCreateInfo image_info(uint32_t width, uint32_t height, VkImageTiling tiling)
{
    VkImageCreateInfo info = vp_image_info(width, VK_IMAGE_USAGE_TRANSFER_DST_BIT);
    info.format = VK_FORMAT_B8G8R8A8_UNORM;
    info.extent.height = height;
    info.tiling = tiling;
    return info;
}

static VkSubresourceLayout layout_of(struct vk_world *w, VkImage image, VkImageAspectFlags aspect,
                                     uint32_t level)
{
    const VkImageSubresource which = {.aspectMask = aspect, .mipLevel = level};
    VkSubresourceLayout layout = {.rowPitch = 1};
    VK_SEND(&w->main, GetImageSubresourceLayout, w->device, image, &which, &layout);
    VK_READ(&w->main, GetImageSubresourceLayout, w->device, image, &which, &layout);
    return layout;
}

struct extreme {
    const char *label;
    VkImageType type;
    VkFormat format;
    VkExtent3D extent;
    uint32_t levels, layers;
    VkSampleCountFlagBits samples;
};
static const struct extreme extremes[] = {
    {"no_width", VK_IMAGE_TYPE_2D, VK_FORMAT_R8G8B8A8_UNORM, {0, 4, 1}, 1, 1, 1},
    {"huge", VK_IMAGE_TYPE_2D, VK_FORMAT_R32G32B32A32_SFLOAT, {1u << 30, 1u << 30, 1}, 1, 1, 1},
    {"all_ones", VK_IMAGE_TYPE_3D, VK_FORMAT_R8_UNORM, {~0u, ~0u, ~0u}, ~0u, ~0u, 1},
    {"no_layers", VK_IMAGE_TYPE_2D, VK_FORMAT_R8_UNORM, {4, 4, 1}, 1, 0, 1},
    {"many_layers", VK_IMAGE_TYPE_2D, VK_FORMAT_R8_UNORM, {4, 4, 1}, 1, 1u << 24, 1},
    {"many_levels", VK_IMAGE_TYPE_2D, VK_FORMAT_R8_UNORM, {4, 4, 1}, 64, 1, 1},
    {"odd_samples", VK_IMAGE_TYPE_2D, VK_FORMAT_R8G8B8A8_UNORM, {4, 4, 1}, 1, 1, 64},
    {"no_samples", VK_IMAGE_TYPE_2D, VK_FORMAT_R8G8B8A8_UNORM, {4, 4, 1}, 1, 1, 0},
    {"no_such_format", VK_IMAGE_TYPE_2D, (VkFormat)987654, {4, 4, 1}, 1, 1, 1},
    {"no_format", VK_IMAGE_TYPE_2D, VK_FORMAT_UNDEFINED, {4, 4, 1}, 1, 1, 1},
};
SLT_TEST_FP(hvk_image, extremes_are_refused, w, struct extreme, extremes, c)
{
    vk_world_device(w);
    VkImageCreateInfo info = image_info(0, 0, VK_IMAGE_TILING_OPTIMAL);
    VkMemoryRequirements needs = {0};
    VkImage image;
    info.imageType = c->type;
    info.format = c->format;
    info.extent = c->extent;
    info.mipLevels = c->levels;
    info.arrayLayers = c->layers;
    info.samples = c->samples;
    SLT_EXPECT_LT(vp_image_try(w, &info, &image, &needs), 0);
    SLT_EXPECT_TRUE(image == VK_NULL_HANDLE);
    SLT_EXPECT_TRUE(!w->main.lost);
}

SLT_TEST_F(hvk_image, images_are_bound_inside_their_memory, w)
{
    vk_world_device(w);
    const VkImageCreateInfo info = image_info(64, 64, VK_IMAGE_TILING_OPTIMAL);
    VkMemoryRequirements needs;
    VkDeviceMemory memory;
    VkImage image;
    VkResult r;
    SLT_ASSERT_EQ(VK_SUCCESS, vp_image_try(w, &info, &image, &needs));
    SLT_ASSERT_LE(64u * 64 * 4, needs.size);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, needs.size, 0, 0, &memory));
    VK_SEND(&w->main, BindImageMemory, w->device, image, memory, needs.alignment);
    VK_READ(&w->main, BindImageMemory, w->device, image, memory, needs.alignment, &r);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, r);
    const VkBindImageMemoryInfo bind = {
        .sType = VK_STRUCTURE_TYPE_BIND_IMAGE_MEMORY_INFO, .image = image, .memory = memory};
    VK_SEND(&w->main, BindImageMemory2, w->device, 1, &bind);
    VK_READ(&w->main, BindImageMemory2, w->device, 1, &bind, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    /* The pages stay as long as something is bound to them. */
    VK_SEND(&w->main, FreeMemory, w->device, memory, NULL);
    VK_SEND(&w->main, DestroyImage, w->device, image, NULL);
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* Stock guests ask for the plane of memory of linear images (wire facts, trap 24). */
SLT_TEST_F(hvk_image, planes_of_memory_are_answered, w)
{
    vk_world_device(w);
    const VkImageCreateInfo info = image_info(100, 10, VK_IMAGE_TILING_LINEAR);
    VkMemoryRequirements needs;
    VkImage image;
    SLT_ASSERT_EQ(VK_SUCCESS, vp_image_try(w, &info, &image, &needs));
    VkSubresourceLayout colour = layout_of(w, image, VK_IMAGE_ASPECT_COLOR_BIT, 0);
    VkSubresourceLayout plane = layout_of(w, image, VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT, 0);
    SLT_EXPECT_LE(400u, colour.rowPitch);
    SLT_EXPECT_EQ(colour.rowPitch, plane.rowPitch);
    SLT_EXPECT_EQ(0u, layout_of(w, image, VK_IMAGE_ASPECT_COLOR_BIT, 5).rowPitch);
    SLT_EXPECT_TRUE(!w->main.lost);
}

SLT_TEST_F(hvk_image, linear_is_a_modifier_everywhere, w)
{
    vk_world_device(w);
    const uint64_t linear = 0, other = 0x100000000000001;
    VkImageDrmFormatModifierListCreateInfoEXT list = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_LIST_CREATE_INFO_EXT,
        .drmFormatModifierCount = 1,
        .pDrmFormatModifiers = &other};
    const VkExternalMemoryImageCreateInfo external = {
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_IMAGE_CREATE_INFO,
        .pNext = &list,
        .handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT};
    VkImageCreateInfo info = image_info(64, 64, VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT);
    VkImageDrmFormatModifierPropertiesEXT properties = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_PROPERTIES_EXT,
        .drmFormatModifier = 77};
    VkMemoryRequirements needs;
    VkImage image;
    VkResult r;
    info.pNext = &external;
    SLT_EXPECT_LT(vp_image_try(w, &info, &image, &needs), 0);
    list.pDrmFormatModifiers = &linear;
    SLT_ASSERT_EQ(VK_SUCCESS, vp_image_try(w, &info, &image, &needs));
    VK_SEND(&w->main, GetImageDrmFormatModifierPropertiesEXT, w->device, image, &properties);
    VK_READ(&w->main, GetImageDrmFormatModifierPropertiesEXT, w->device, image, &properties, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    SLT_EXPECT_EQ(0u, properties.drmFormatModifier);
    SLT_EXPECT_LE(256u, layout_of(w, image, VK_IMAGE_ASPECT_MEMORY_PLANE_0_BIT_EXT, 0).rowPitch);
}

SLT_TEST_F(hvk_image, a_layout_that_is_not_the_images_is_refused, w)
{
    vk_world_device(w);
    VkSubresourceLayout plane = {.rowPitch = 100};
    const VkImageDrmFormatModifierExplicitCreateInfoEXT explicit_one = {
        .sType = VK_STRUCTURE_TYPE_IMAGE_DRM_FORMAT_MODIFIER_EXPLICIT_CREATE_INFO_EXT,
        .drmFormatModifierPlaneCount = 1,
        .pPlaneLayouts = &plane};
    VkImageCreateInfo info = image_info(64, 64, VK_IMAGE_TILING_DRM_FORMAT_MODIFIER_EXT);
    VkMemoryRequirements needs;
    VkImage image;
    info.pNext = &explicit_one;
    SLT_EXPECT_EQ(VK_ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT,
                  vp_image_try(w, &info, &image, &needs));
    plane.rowPitch = 256;
    SLT_EXPECT_EQ(VK_SUCCESS, vp_image_try(w, &info, &image, &needs));
}

SLT_TEST_F(hvk_image, formats_list_linear, w)
{
    vk_world_device(w);
    VkDrmFormatModifierPropertiesEXT one = {.drmFormatModifier = 5};
    VkDrmFormatModifierPropertiesListEXT list = {
        .sType = VK_STRUCTURE_TYPE_DRM_FORMAT_MODIFIER_PROPERTIES_LIST_EXT};
    VkFormatProperties2 properties = {.sType = VK_STRUCTURE_TYPE_FORMAT_PROPERTIES_2,
                                      .pNext = &list};
    VK_SEND(&w->main, GetPhysicalDeviceFormatProperties2, w->physical, VK_FORMAT_B8G8R8A8_UNORM,
            &properties);
    VK_READ(&w->main, GetPhysicalDeviceFormatProperties2, w->physical, VK_FORMAT_B8G8R8A8_UNORM,
            &properties);
    SLT_ASSERT_EQ(1u, list.drmFormatModifierCount);
    list.pDrmFormatModifierProperties = &one;
    VK_SEND(&w->main, GetPhysicalDeviceFormatProperties2, w->physical, VK_FORMAT_B8G8R8A8_UNORM,
            &properties);
    VK_READ(&w->main, GetPhysicalDeviceFormatProperties2, w->physical, VK_FORMAT_B8G8R8A8_UNORM,
            &properties);
    SLT_EXPECT_EQ(0u, one.drmFormatModifier);
    SLT_EXPECT_EQ(1u, one.drmFormatModifierPlaneCount);
}

SLT_TEST_F(hvk_image, memory_of_any_image_and_buffer_is_exported, w)
{
    vk_world_device(w);
    const struct {
        VkExternalMemoryHandleTypeFlagBits type;
        uint32_t features;
    } cases[] = {{VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT, 6},
                 {VK_EXTERNAL_MEMORY_HANDLE_TYPE_DMA_BUF_BIT_EXT, 6},
                 {VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT, 0},
                 {VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_WIN32_BIT, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const VkPhysicalDeviceExternalBufferInfo buffer = {
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
            .usage = VK_BUFFER_USAGE_TRANSFER_DST_BIT,
            .handleType = cases[i].type};
        VkExternalBufferProperties can = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
        VK_SEND(&w->main, GetPhysicalDeviceExternalBufferProperties, w->physical, &buffer, &can);
        VK_READ(&w->main, GetPhysicalDeviceExternalBufferProperties, w->physical, &buffer, &can);
        SLT_EXPECT_EQ(cases[i].features, can.externalMemoryProperties.externalMemoryFeatures);
        const VkPhysicalDeviceExternalImageFormatInfo external = {
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_IMAGE_FORMAT_INFO,
            .handleType = cases[i].type};
        const VkPhysicalDeviceImageFormatInfo2 image = {
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_IMAGE_FORMAT_INFO_2,
            .pNext = &external,
            .format = VK_FORMAT_B8G8R8A8_UNORM,
            .type = VK_IMAGE_TYPE_2D,
            .tiling = VK_IMAGE_TILING_LINEAR,
            .usage = VK_IMAGE_USAGE_TRANSFER_DST_BIT};
        VkExternalImageFormatProperties out = {
            .sType = VK_STRUCTURE_TYPE_EXTERNAL_IMAGE_FORMAT_PROPERTIES};
        VkImageFormatProperties2 properties = {.sType = VK_STRUCTURE_TYPE_IMAGE_FORMAT_PROPERTIES_2,
                                               .pNext = &out};
        VkResult r = VK_ERROR_UNKNOWN;
        VK_SEND(&w->main, GetPhysicalDeviceImageFormatProperties2, w->physical, &image,
                &properties);
        VK_READ(&w->main, GetPhysicalDeviceImageFormatProperties2, w->physical, &image, &properties,
                &r);
        SLT_EXPECT_EQ(cases[i].features != 0 ? VK_SUCCESS : VK_ERROR_FORMAT_NOT_SUPPORTED, r);
        SLT_EXPECT_EQ(cases[i].features, out.externalMemoryProperties.externalMemoryFeatures);
    }
}
