/* Recorded commands that reach into buffers and images: inside what those have.
 *
 * Drivers believe any region, and the memory behind it is the host's. Handles that a command's
 * structures carry come as native ones, so those commands are read a second time, as ids. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/arith.h"

static const struct hvk_buffer *buffer_find(const struct hvk_recording *r, uint64_t id)
{
    return (const struct hvk_buffer *)(const void *)hvk_find(r->device->context, VK_KIND_VkBuffer,
                                                             id, NULL);
}

static const struct hvk_image *image_find(const struct hvk_recording *r, uint64_t id)
{
    return (const struct hvk_image *)(const void *)hvk_find(r->device->context, VK_KIND_VkImage, id,
                                                            NULL);
}

bool hvk_reaches(struct hvk_recording *r, uint64_t buffer_id, uint64_t offset, uint64_t size)
{
    const struct hvk_buffer *buffer = buffer_find(r, buffer_id);
    if (buffer != NULL && sl_region_fits(offset, size, buffer->size)) {
        return true;
    }
    vk_unpack_fail(&r->in, "it reaches past the end of a buffer");
    return false;
}

/* --- buffers --- */

void hvk_vkCmdFillBuffer(struct hvk_recording *r, struct vk_args_vkCmdFillBuffer *a)
{
    uint64_t size = a->size == VK_WHOLE_SIZE ? 0 : a->size;
    if (hvk_reaches(r, a->dstBuffer_id, a->dstOffset, size)) {
        r->driver->CmdFillBuffer(r->native, a->dstBuffer, a->dstOffset, a->size, a->data);
    }
}

void hvk_vkCmdUpdateBuffer(struct hvk_recording *r, struct vk_args_vkCmdUpdateBuffer *a)
{
    if (hvk_reaches(r, a->dstBuffer_id, a->dstOffset, a->dataSize)) {
        r->driver->CmdUpdateBuffer(r->native, a->dstBuffer, a->dstOffset, a->dataSize, a->pData);
    }
}

void hvk_vkCmdCopyBuffer(struct hvk_recording *r, struct vk_args_vkCmdCopyBuffer *a)
{
    for (uint32_t i = 0; i < a->regionCount; i++) {
        const VkBufferCopy *c = &a->pRegions[i];
        if (!hvk_reaches(r, a->srcBuffer_id, c->srcOffset, c->size) ||
            !hvk_reaches(r, a->dstBuffer_id, c->dstOffset, c->size)) {
            return;
        }
    }
    r->driver->CmdCopyBuffer(r->native, a->srcBuffer, a->dstBuffer, a->regionCount, a->pRegions);
}

void hvk_vkCmdCopyBuffer2(struct hvk_recording *r, struct vk_args_vkCmdCopyBuffer2 *a)
{
    struct vk_unpack in = hvk_body_again(r);
    struct vk_args_vkCmdCopyBuffer2 ids;
    if (!hvk_recorder_there(r, r->driver->CmdCopyBuffer2 != NULL) ||
        !vk_unpack_vkCmdCopyBuffer2(&in, &ids)) {
        return;
    }
    const VkCopyBufferInfo2 *info = a->pCopyBufferInfo;
    for (uint32_t i = 0; i < info->regionCount; i++) {
        const VkBufferCopy2 *c = &info->pRegions[i];
        if (!hvk_reaches(r, HVK_U64(ids.pCopyBufferInfo->srcBuffer), c->srcOffset, c->size) ||
            !hvk_reaches(r, HVK_U64(ids.pCopyBufferInfo->dstBuffer), c->dstOffset, c->size)) {
            return;
        }
    }
    r->driver->CmdCopyBuffer2(r->native, info);
}

/* --- images --- */

struct box {
    VkImageSubresourceLayers layers;
    VkOffset3D offset;
    VkExtent3D extent;
};

static uint32_t level_side(uint32_t side, uint32_t level)
{
    return side >> level != 0 ? side >> level : 1;
}

/* A side of a level ends inside it; of compressed formats, inside its last block. */
static bool side_fits(int32_t offset, uint32_t size, uint32_t side, uint32_t block)
{
    uint64_t whole = ((uint64_t)side + block - 1) / block * block;
    return offset >= 0 && sl_region_fits((uint64_t)offset, size, whole);
}

static bool has_aspects(const struct hvk_image *image, VkImageAspectFlags aspects)
{
    return aspects != 0 && (aspects & ~hvk_aspects_of(image->format)) == 0;
}

/* Drivers take an extent's depth for layers where the image is flat: those must be there, too. */
static bool box_fits(const struct hvk_image *image, const struct box *box)
{
    if (image == NULL || !has_aspects(image, box->layers.aspectMask) ||
        box->layers.mipLevel >= image->mip_levels ||
        !sl_region_fits(box->layers.baseArrayLayer, box->layers.layerCount, image->array_layers)) {
        return false;
    }
    struct hvk_block block = hvk_block_of(image->format, box->layers.aspectMask);
    uint32_t level = box->layers.mipLevel;
    bool flat = image->type != VK_IMAGE_TYPE_3D;
    bool deep = flat ? box->offset.z >= 0 && sl_region_fits((uint64_t)box->layers.baseArrayLayer +
                                                                (uint32_t)box->offset.z,
                                                            box->extent.depth, image->array_layers)
                     : side_fits(box->offset.z, box->extent.depth,
                                 level_side(image->extent.depth, level), 1);
    return deep &&
           side_fits(box->offset.x, box->extent.width, level_side(image->extent.width, level),
                     block.width) &&
           side_fits(box->offset.y, box->extent.height, level_side(image->extent.height, level),
                     block.height);
}

static bool all_fits(struct hvk_recording *r, bool fits)
{
    if (!fits) {
        vk_unpack_fail(&r->in, "it reaches past the end of an image");
    }
    return fits;
}

/* The bytes from bufferOffset to the region's last texel. False: more than can be counted. */
static bool buffer_span(const struct hvk_image *image, const VkBufferImageCopy *c, uint64_t *out)
{
    struct hvk_block block = hvk_block_of(image->format, c->imageSubresource.aspectMask);
    uint64_t row = c->bufferRowLength != 0 ? c->bufferRowLength : c->imageExtent.width;
    uint64_t rows = c->bufferImageHeight != 0 ? c->bufferImageHeight : c->imageExtent.height;
    uint64_t depth = (uint64_t)c->imageExtent.depth * c->imageSubresource.layerCount;
    uint64_t width = ((uint64_t)c->imageExtent.width + block.width - 1) / block.width;
    uint64_t height = ((uint64_t)c->imageExtent.height + block.height - 1) / block.height;
    *out = 0;
    if (width == 0 || height == 0 || depth == 0) {
        return true;
    }
    row = (row + block.width - 1) / block.width;
    rows = (rows + block.height - 1) / block.height;
    uint64_t before, blocks;
    return sl_mul_u64(depth - 1, rows, &before) && sl_add_u64(before, height - 1, &before) &&
           sl_mul_u64(before, row, &blocks) && sl_add_u64(blocks, width, &blocks) &&
           sl_mul_u64(blocks, block.size, out);
}

/* Between a buffer and an image. */
static bool transfer_fits(struct hvk_recording *r, uint64_t buffer_id, uint64_t image_id,
                          const VkBufferImageCopy *c)
{
    const struct hvk_image *image = image_find(r, image_id);
    const struct box box = {c->imageSubresource, c->imageOffset, c->imageExtent};
    uint64_t span = UINT64_MAX;
    return all_fits(r, box_fits(image, &box)) &&
           hvk_reaches(r, buffer_id, c->bufferOffset,
                       buffer_span(image, c, &span) ? span : UINT64_MAX);
}

void hvk_vkCmdCopyBufferToImage(struct hvk_recording *r, struct vk_args_vkCmdCopyBufferToImage *a)
{
    for (uint32_t i = 0; i < a->regionCount; i++) {
        if (!transfer_fits(r, a->srcBuffer_id, a->dstImage_id, &a->pRegions[i])) {
            return;
        }
    }
    r->driver->CmdCopyBufferToImage(r->native, a->srcBuffer, a->dstImage, a->dstImageLayout,
                                    a->regionCount, a->pRegions);
}

void hvk_vkCmdCopyImageToBuffer(struct hvk_recording *r, struct vk_args_vkCmdCopyImageToBuffer *a)
{
    for (uint32_t i = 0; i < a->regionCount; i++) {
        if (!transfer_fits(r, a->dstBuffer_id, a->srcImage_id, &a->pRegions[i])) {
            return;
        }
    }
    r->driver->CmdCopyImageToBuffer(r->native, a->srcImage, a->srcImageLayout, a->dstBuffer,
                                    a->regionCount, a->pRegions);
}

static bool transfers_fit(struct hvk_recording *r, uint64_t buffer_id, uint64_t image_id,
                          const VkBufferImageCopy2 *regions, uint32_t count)
{
    bool fits = true;
    for (uint32_t i = 0; fits && i < count; i++) {
        const VkBufferImageCopy2 *c = &regions[i];
        const VkBufferImageCopy one = {c->bufferOffset,      c->bufferRowLength,
                                       c->bufferImageHeight, c->imageSubresource,
                                       c->imageOffset,       c->imageExtent};
        fits = transfer_fits(r, buffer_id, image_id, &one);
    }
    return fits;
}

void hvk_vkCmdCopyBufferToImage2(struct hvk_recording *r, struct vk_args_vkCmdCopyBufferToImage2 *a)
{
    struct vk_unpack in = hvk_body_again(r);
    struct vk_args_vkCmdCopyBufferToImage2 ids;
    const VkCopyBufferToImageInfo2 *info = a->pCopyBufferToImageInfo;
    if (hvk_recorder_there(r, r->driver->CmdCopyBufferToImage2 != NULL) &&
        vk_unpack_vkCmdCopyBufferToImage2(&in, &ids) &&
        transfers_fit(r, HVK_U64(ids.pCopyBufferToImageInfo->srcBuffer),
                      HVK_U64(ids.pCopyBufferToImageInfo->dstImage), info->pRegions,
                      info->regionCount)) {
        r->driver->CmdCopyBufferToImage2(r->native, info);
    }
}

void hvk_vkCmdCopyImageToBuffer2(struct hvk_recording *r, struct vk_args_vkCmdCopyImageToBuffer2 *a)
{
    struct vk_unpack in = hvk_body_again(r);
    struct vk_args_vkCmdCopyImageToBuffer2 ids;
    const VkCopyImageToBufferInfo2 *info = a->pCopyImageToBufferInfo;
    if (hvk_recorder_there(r, r->driver->CmdCopyImageToBuffer2 != NULL) &&
        vk_unpack_vkCmdCopyImageToBuffer2(&in, &ids) &&
        transfers_fit(r, HVK_U64(ids.pCopyImageToBufferInfo->dstBuffer),
                      HVK_U64(ids.pCopyImageToBufferInfo->srcImage), info->pRegions,
                      info->regionCount)) {
        r->driver->CmdCopyImageToBuffer2(r->native, info);
    }
}

/* An extent counts the source's texels: of the target as many blocks. */
static VkExtent3D extent_in(const struct hvk_image *to, const struct hvk_image *from,
                            VkExtent3D extent)
{
    struct hvk_block a = hvk_block_of(from->format, 0), b = hvk_block_of(to->format, 0);
    uint64_t width = ((uint64_t)extent.width + a.width - 1) / a.width * b.width;
    uint64_t height = ((uint64_t)extent.height + a.height - 1) / a.height * b.height;
    bool same = a.width == b.width && a.height == b.height;
    return (VkExtent3D){same                 ? extent.width
                        : width > UINT32_MAX ? UINT32_MAX
                                             : (uint32_t)width,
                        same                  ? extent.height
                        : height > UINT32_MAX ? UINT32_MAX
                                              : (uint32_t)height,
                        extent.depth};
}

/* A copy's texels are of one size, where it is known. */
static bool are_alike(const struct hvk_image *from, const struct hvk_image *to,
                      const VkImageCopy *c)
{
    uint32_t a = hvk_block_of(from->format, c->srcSubresource.aspectMask).size;
    uint32_t b = hvk_block_of(to->format, c->dstSubresource.aspectMask).size;
    return from->samples == to->samples && (a == b || a == 0 || b == 0);
}

/* Layers and slices are copied into each other, as many as any of the three counts says. */
static bool slices_fit(const struct hvk_image *image, const struct box *box, const VkImageCopy *c)
{
    uint32_t count = c->extent.depth;
    count = c->srcSubresource.layerCount > count ? c->srcSubresource.layerCount : count;
    count = c->dstSubresource.layerCount > count ? c->dstSubresource.layerCount : count;
    return image->type == VK_IMAGE_TYPE_3D
               ? side_fits(box->offset.z, count,
                           level_side(image->extent.depth, box->layers.mipLevel), 1)
               : sl_region_fits(box->layers.baseArrayLayer, count, image->array_layers);
}

static bool copy_fits(struct hvk_recording *r, uint64_t from_id, uint64_t to_id,
                      const VkImageCopy *c, bool resolves)
{
    const struct hvk_image *from = image_find(r, from_id), *to = image_find(r, to_id);
    const struct box source = {c->srcSubresource, c->srcOffset, c->extent};
    struct box target = {c->dstSubresource, c->dstOffset, c->extent};
    if (from != NULL && to != NULL) {
        target.extent = extent_in(to, from, c->extent);
    }
    return all_fits(r, box_fits(from, &source) && box_fits(to, &target) &&
                           slices_fit(from, &source, c) && slices_fit(to, &target, c) &&
                           (resolves || are_alike(from, to, c)));
}

void hvk_vkCmdCopyImage(struct hvk_recording *r, struct vk_args_vkCmdCopyImage *a)
{
    for (uint32_t i = 0; i < a->regionCount; i++) {
        if (!copy_fits(r, a->srcImage_id, a->dstImage_id, &a->pRegions[i], false)) {
            return;
        }
    }
    r->driver->CmdCopyImage(r->native, a->srcImage, a->srcImageLayout, a->dstImage,
                            a->dstImageLayout, a->regionCount, a->pRegions);
}

void hvk_vkCmdCopyImage2(struct hvk_recording *r, struct vk_args_vkCmdCopyImage2 *a)
{
    struct vk_unpack in = hvk_body_again(r);
    struct vk_args_vkCmdCopyImage2 ids;
    const VkCopyImageInfo2 *info = a->pCopyImageInfo;
    if (!hvk_recorder_there(r, r->driver->CmdCopyImage2 != NULL) ||
        !vk_unpack_vkCmdCopyImage2(&in, &ids)) {
        return;
    }
    for (uint32_t i = 0; i < info->regionCount; i++) {
        const VkImageCopy2 *c = &info->pRegions[i];
        const VkImageCopy one = {c->srcSubresource, c->srcOffset, c->dstSubresource, c->dstOffset,
                                 c->extent};
        if (!copy_fits(r, HVK_U64(ids.pCopyImageInfo->srcImage),
                       HVK_U64(ids.pCopyImageInfo->dstImage), &one, false)) {
            return;
        }
    }
    r->driver->CmdCopyImage2(r->native, info);
}

void hvk_vkCmdResolveImage(struct hvk_recording *r, struct vk_args_vkCmdResolveImage *a)
{
    for (uint32_t i = 0; i < a->regionCount; i++) {
        const VkImageResolve *c = &a->pRegions[i];
        const VkImageCopy one = {c->srcSubresource, c->srcOffset, c->dstSubresource, c->dstOffset,
                                 c->extent};
        if (!copy_fits(r, a->srcImage_id, a->dstImage_id, &one, true)) {
            return;
        }
    }
    r->driver->CmdResolveImage(r->native, a->srcImage, a->srcImageLayout, a->dstImage,
                               a->dstImageLayout, a->regionCount, a->pRegions);
}

void hvk_vkCmdResolveImage2(struct hvk_recording *r, struct vk_args_vkCmdResolveImage2 *a)
{
    struct vk_unpack in = hvk_body_again(r);
    struct vk_args_vkCmdResolveImage2 ids;
    const VkResolveImageInfo2 *info = a->pResolveImageInfo;
    if (!hvk_recorder_there(r, r->driver->CmdResolveImage2 != NULL) ||
        !vk_unpack_vkCmdResolveImage2(&in, &ids)) {
        return;
    }
    for (uint32_t i = 0; i < info->regionCount; i++) {
        const VkImageResolve2 *c = &info->pRegions[i];
        const VkImageCopy one = {c->srcSubresource, c->srcOffset, c->dstSubresource, c->dstOffset,
                                 c->extent};
        if (!copy_fits(r, HVK_U64(ids.pResolveImageInfo->srcImage),
                       HVK_U64(ids.pResolveImageInfo->dstImage), &one, true)) {
            return;
        }
    }
    r->driver->CmdResolveImage2(r->native, info);
}

/* Two corners in any order. */
static void span_between(int32_t a, int32_t b, int32_t *offset, uint32_t *size)
{
    *offset = a < b ? a : b;
    *size = (uint32_t)(a < b ? b : a) - (uint32_t)*offset;
}

static struct box box_between(VkImageSubresourceLayers layers, const VkOffset3D corners[2])
{
    struct box box = {.layers = layers};
    span_between(corners[0].x, corners[1].x, &box.offset.x, &box.extent.width);
    span_between(corners[0].y, corners[1].y, &box.offset.y, &box.extent.height);
    span_between(corners[0].z, corners[1].z, &box.offset.z, &box.extent.depth);
    return box;
}

static bool blit_fits(struct hvk_recording *r, uint64_t from_id, uint64_t to_id,
                      const VkImageBlit *c)
{
    const struct box source = box_between(c->srcSubresource, c->srcOffsets);
    const struct box target = box_between(c->dstSubresource, c->dstOffsets);
    return all_fits(r, box_fits(image_find(r, from_id), &source) &&
                           box_fits(image_find(r, to_id), &target));
}

void hvk_vkCmdBlitImage(struct hvk_recording *r, struct vk_args_vkCmdBlitImage *a)
{
    for (uint32_t i = 0; i < a->regionCount; i++) {
        if (!blit_fits(r, a->srcImage_id, a->dstImage_id, &a->pRegions[i])) {
            return;
        }
    }
    r->driver->CmdBlitImage(r->native, a->srcImage, a->srcImageLayout, a->dstImage,
                            a->dstImageLayout, a->regionCount, a->pRegions, a->filter);
}

void hvk_vkCmdBlitImage2(struct hvk_recording *r, struct vk_args_vkCmdBlitImage2 *a)
{
    struct vk_unpack in = hvk_body_again(r);
    struct vk_args_vkCmdBlitImage2 ids;
    const VkBlitImageInfo2 *info = a->pBlitImageInfo;
    if (!hvk_recorder_there(r, r->driver->CmdBlitImage2 != NULL) ||
        !vk_unpack_vkCmdBlitImage2(&in, &ids)) {
        return;
    }
    for (uint32_t i = 0; i < info->regionCount; i++) {
        const VkImageBlit2 *c = &info->pRegions[i];
        const VkImageBlit one = {c->srcSubresource,
                                 {c->srcOffsets[0], c->srcOffsets[1]},
                                 c->dstSubresource,
                                 {c->dstOffsets[0], c->dstOffsets[1]}};
        if (!blit_fits(r, HVK_U64(ids.pBlitImageInfo->srcImage),
                       HVK_U64(ids.pBlitImageInfo->dstImage), &one)) {
            return;
        }
    }
    r->driver->CmdBlitImage2(r->native, info);
}

/* --- clears --- */

/* aspects: what the clear is of; drivers know no other colours of blocks than their own. */
static bool ranges_fit(struct hvk_recording *r, uint64_t image_id,
                       const VkImageSubresourceRange *ranges, uint32_t count,
                       VkImageAspectFlags aspects)
{
    const struct hvk_image *image = image_find(r, image_id);
    bool fits = image != NULL && hvk_block_of(image->format, 0).width == 1;
    for (uint32_t i = 0; fits && i < count; i++) {
        const VkImageSubresourceRange *c = &ranges[i];
        uint32_t levels = c->levelCount == VK_REMAINING_MIP_LEVELS ? 1 : c->levelCount;
        uint32_t layers = c->layerCount == VK_REMAINING_ARRAY_LAYERS ? 1 : c->layerCount;
        fits = has_aspects(image, c->aspectMask) && (c->aspectMask & ~aspects) == 0 &&
               sl_region_fits(c->baseMipLevel, levels, image->mip_levels) &&
               sl_region_fits(c->baseArrayLayer, layers, image->array_layers);
    }
    return all_fits(r, fits);
}

void hvk_vkCmdClearColorImage(struct hvk_recording *r, struct vk_args_vkCmdClearColorImage *a)
{
    if (ranges_fit(r, a->image_id, a->pRanges, a->rangeCount, VK_IMAGE_ASPECT_COLOR_BIT)) {
        r->driver->CmdClearColorImage(r->native, a->image, a->imageLayout, a->pColor, a->rangeCount,
                                      a->pRanges);
    }
}

void hvk_vkCmdClearDepthStencilImage(struct hvk_recording *r,
                                     struct vk_args_vkCmdClearDepthStencilImage *a)
{
    if (ranges_fit(r, a->image_id, a->pRanges, a->rangeCount,
                   VK_IMAGE_ASPECT_DEPTH_BIT | VK_IMAGE_ASPECT_STENCIL_BIT)) {
        r->driver->CmdClearDepthStencilImage(r->native, a->image, a->imageLayout, a->pDepthStencil,
                                             a->rangeCount, a->pRanges);
    }
}
