#include "host/vulkan/hvk_drawn.h"
#include "host/vulkan/hvk_provider.h"

#include "transport/base/atomic.h"
#include "transport/base/mem.h"

#define WAIT_NS   (10ull * 1000 * 1000 * 1000)
#define BYTES_MAX (1ull << 30) /* of one pass */
#define ALIGN     4u           /* of copies, beside their texels' sizes */

/* An attachment's aspect, and where its copy lies. */
struct part {
    struct hvk_target target; /* its view is only looked at while it is recorded */
    VkFormat format;
    uint32_t width, height;
    uint64_t offset, size;
    const char *why; /* it is not copied */
};

struct hvk_shot {
    uint32_t refs;             /* atomic */
    struct hvk_device *device; /* a reference */
    struct hvk_staging staging;
    uint64_t bytes; /* of it; counted in the context */
    uint32_t count;
    struct part parts[HVK_TARGETS_MAX];
};

/* --- lists of them --- */

static void shot_put(struct hvk_shot *shot)
{
    if (sl_atomic_add(&shot->refs, UINT32_MAX) != 1) {
        return;
    }
    for (uint32_t i = 0; i < shot->count; i++) { /* a pass that never ended */
        hvk_unref(shot->parts[i].target.view != NULL ? &shot->parts[i].target.view->object : NULL);
    }
    hvk_staging_end(shot->device, &shot->staging);
    (void)sl_atomic_count_u64(&shot->device->context->shot_bytes, 0 - shot->bytes);
    hvk_unref(&shot->device->object);
    sl_free(shot);
}

void hvk_shots_forget(struct hvk_shots *shots)
{
    for (uint32_t i = 0; i < shots->count; i++) {
        shot_put(shots->list[i]);
    }
    sl_free(shots->list);
    if (shots->open != NULL) {
        shot_put(shots->open);
    }
    *shots = (struct hvk_shots){.list = NULL};
}

/* Without memory it is not shown. */
static void add(struct hvk_shots *shots, struct hvk_shot *shot)
{
    if (shots->count == shots->room) {
        uint32_t room = shots->room != 0 ? shots->room * 2 : 4;
        struct hvk_shot **more = sl_realloc(shots->list, room * sizeof *more);
        if (more == NULL) {
            return;
        }
        shots->list = more;
        shots->room = room;
    }
    (void)sl_atomic_add(&shot->refs, 1);
    shots->list[shots->count++] = shot;
}

static void add_all(struct hvk_shots *shots, const struct hvk_shots *more)
{
    for (uint32_t i = 0; i < more->count; i++) {
        add(shots, more->list[i]);
    }
}

/* --- recording --- */

static const struct hvk_image *image_of(const struct hvk_view *view)
{
    return (const struct hvk_image *)(const void *)view->of;
}

static VkImageAspectFlagBits aspect_of(const struct part *p)
{
    return p->target.plane == VGD_PLANE_DEPTH     ? VK_IMAGE_ASPECT_DEPTH_BIT
           : p->target.plane == VGD_PLANE_STENCIL ? VK_IMAGE_ASPECT_STENCIL_BIT
                                                  : VK_IMAGE_ASPECT_COLOR_BIT;
}

static const char *why_not(const struct part *p, const struct hvk_image *image)
{
    bool is_color = p->target.plane == VGD_PLANE_COLOR;
    return image->samples != VK_SAMPLE_COUNT_1_BIT ? "has several samples a texel"
           : (image->usage & VK_IMAGE_USAGE_TRANSFER_SRC_BIT) == 0
               ? "is of an image that cannot be copied"
           : is_color && !hvk_texel_is_known(image->format) ? "has a format that is not shown"
           : p->size > BYTES_MAX                            ? "is too large"
                                                            : NULL;
}

static void part_add(struct hvk_shot *shot, const struct hvk_target *target)
{
    const struct hvk_image *image = image_of(target->view);
    struct part *p = &shot->parts[shot->count++];
    *p = (struct part){.target = *target,
                       .format = image->format,
                       .width = target->view->width,
                       .height = target->view->height};
    (void)hvk_ref(&target->view->object);
    const struct hvk_block block = hvk_block_of(image->format, aspect_of(p));
    p->size = (uint64_t)p->width * p->height * block.size;
    p->why = why_not(p, image);
}

/* Colours with several samples are not shown where their pass resolves any. */
static bool is_shown(const struct hvk_target *targets, uint32_t count, uint32_t which)
{
    const struct hvk_target *t = &targets[which];
    bool has_single = false;
    if (t->view == NULL || t->view->of == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        has_single = has_single || (targets[i].view != NULL && targets[i].plane == t->plane &&
                                    targets[i].view->samples == VK_SAMPLE_COUNT_1_BIT);
    }
    return t->view->samples == VK_SAMPLE_COUNT_1_BIT || !has_single;
}

/* Places them one behind the other, each at a multiple of its texel's size and of 4. */
static void place(struct hvk_shot *shot, uint64_t *bytes)
{
    uint64_t at = 0;
    for (uint32_t i = 0; i < shot->count; i++) {
        struct part *p = &shot->parts[i];
        uint64_t texel = p->size / ((uint64_t)p->width * p->height), step = texel * ALIGN;
        if (p->why == NULL && step != 0) {
            p->offset = (at + step - 1) / step * step;
            at = p->offset + p->size;
        }
    }
    *bytes = at;
}

void hvk_target_add(struct hvk_target *targets, uint32_t *count, struct hvk_view *view,
                    enum vgd_plane plane, uint32_t number, VkImageLayout layout)
{
    if (*count < HVK_TARGETS_MAX) {
        targets[(*count)++] = (struct hvk_target){view, plane, number, layout};
    }
}

/* Memory for the copies of a pass. What is wrong, or NULL. */
static const char *take_staging(struct hvk_shot *shot, uint64_t bytes)
{
    struct hvk_context *context = shot->device->context;
    if (bytes > BYTES_MAX) {
        return "is too large";
    }
    /* Counted first: other rings record, too. Orders nothing. */
    uint64_t others = sl_atomic_count_u64(&context->shot_bytes, bytes);
    shot->bytes = bytes;
    if (others > context->provider->watched_bytes ||
        bytes > context->provider->watched_bytes - others) {
        return "is one of more copies than --memory lets recorded passes have at once";
    }
    if (bytes != 0 && hvk_staging_make(shot->device, bytes, &shot->staging) != VK_SUCCESS) {
        return "is too large for the memory that there is";
    }
    return NULL;
}

void hvk_drawn_begin(struct hvk_recording *r, const struct hvk_target *targets, uint32_t count)
{
    struct hvk_shots *shots = &r->buffer->shots;
    uint32_t colors = 0;
    uint64_t bytes;
    struct hvk_shot *shot = sl_alloc(sizeof *shot);
    if (shot == NULL) {
        return;
    }
    *shot = (struct hvk_shot){.refs = 1, .device = r->device};
    (void)hvk_ref(&r->device->object);
    for (uint32_t i = 0; i < count && i < HVK_TARGETS_MAX; i++) {
        if (is_shown(targets, count, i)) {
            struct hvk_target t = targets[i];
            t.number = t.plane != VGD_PLANE_COLOR    ? 0
                       : t.number != HVK_TARGET_NEXT ? t.number
                                                     : colors;
            colors += t.plane == VGD_PLANE_COLOR;
            part_add(shot, &t);
        }
    }
    place(shot, &bytes);
    const char *why = take_staging(shot, bytes);
    if (why != NULL) {
        hvk_staging_end(r->device, &shot->staging);
        (void)sl_atomic_count_u64(&r->device->context->shot_bytes, 0 - shot->bytes);
        shot->bytes = 0;
    }
    for (uint32_t i = 0; why != NULL && i < shot->count; i++) {
        shot->parts[i].why = shot->parts[i].why != NULL ? shot->parts[i].why : why;
    }
    if (shots->open != NULL) {
        shot_put(shots->open);
    }
    shots->open = shot;
}

/* What it draws on, or resolves that to. info: the same with native handles, in the packet's
 * memory.
 */
static void rendering_add(const struct hvk_recording *r, const VkRenderingAttachmentInfo *ids,
                          const VkRenderingAttachmentInfo *info, enum vgd_plane plane,
                          uint32_t number, struct hvk_target *targets, uint32_t *count)
{
    if (ids == NULL || ids->imageView == VK_NULL_HANDLE) {
        return;
    }
    bool resolves = ids->resolveMode != VK_RESOLVE_MODE_NONE;
    VkImageView view = resolves ? ids->resolveImageView : ids->imageView;
    VkAttachmentStoreOp *op = (VkAttachmentStoreOp *)(uintptr_t)&info->storeOp;
    *op = VK_ATTACHMENT_STORE_OP_STORE;
    hvk_target_add(targets, count,
                   (struct hvk_view *)(void *)hvk_find(r->device->context, VK_KIND_VkImageView,
                                                       HVK_U64(view), NULL),
                   plane, number, resolves ? ids->resolveImageLayout : ids->imageLayout);
}

void hvk_drawn_begin_rendering(struct hvk_recording *r, const VkRenderingInfo *ids,
                               const VkRenderingInfo *info)
{
    struct hvk_target targets[HVK_TARGETS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < ids->colorAttachmentCount; i++) {
        rendering_add(r, &ids->pColorAttachments[i], &info->pColorAttachments[i], VGD_PLANE_COLOR,
                      i, targets, &count);
    }
    rendering_add(r, ids->pDepthAttachment, info->pDepthAttachment, VGD_PLANE_DEPTH, 0, targets,
                  &count);
    rendering_add(r, ids->pStencilAttachment, info->pStencilAttachment, VGD_PLANE_STENCIL, 0,
                  targets, &count);
    if ((info->flags & VK_RENDERING_SUSPENDING_BIT) == 0) { /* else it ends elsewhere */
        hvk_drawn_begin(r, targets, count);
    }
}

/* Depth and stencil of one image are transitioned together, unless their layouts differ. */
static VkImageAspectFlags transitioned(const struct hvk_shot *shot, uint32_t which)
{
    const struct part *p = &shot->parts[which];
    VkImageAspectFlags aspects = (VkImageAspectFlags)aspect_of(p);
    bool is_both = p->target.layout == VK_IMAGE_LAYOUT_GENERAL ||
                   p->target.layout == VK_IMAGE_LAYOUT_DEPTH_STENCIL_ATTACHMENT_OPTIMAL ||
                   p->target.layout == VK_IMAGE_LAYOUT_DEPTH_STENCIL_READ_ONLY_OPTIMAL;
    for (uint32_t i = 0; i < shot->count; i++) {
        const struct part *o = &shot->parts[i];
        if (i != which && o->target.view == p->target.view && o->why == NULL &&
            o->target.layout == p->target.layout) {
            if (i < which) {
                return 0; /* it was, with that one */
            }
            aspects |= (VkImageAspectFlags)aspect_of(o);
        }
    }
    return is_both && p->target.plane != VGD_PLANE_COLOR ? hvk_aspects_of(p->format) : aspects;
}

static bool is_volume(const struct part *p)
{
    return image_of(p->target.view)->type == VK_IMAGE_TYPE_3D;
}

/* All attachments from their layouts to that of a source, or back. */
static void transition(const struct hvk_recording *r, const struct hvk_shot *shot, bool back)
{
    const VkPipelineStageFlags all = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                               copy = VK_PIPELINE_STAGE_TRANSFER_BIT;
    const VkAccessFlags any = VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT;
    const VkMemoryBarrier host = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                  .srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT,
                                  .dstAccessMask = VK_ACCESS_HOST_READ_BIT};
    VkImageMemoryBarrier barriers[HVK_TARGETS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < shot->count; i++) {
        const struct part *p = &shot->parts[i];
        VkImageAspectFlags aspects = p->why == NULL ? transitioned(shot, i) : 0;
        if (aspects == 0) {
            continue;
        }
        const struct hvk_view *view = p->target.view;
        const VkImageLayout source = VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL;
        barriers[count++] = (VkImageMemoryBarrier){
            .sType = VK_STRUCTURE_TYPE_IMAGE_MEMORY_BARRIER,
            .srcAccessMask = back ? VK_ACCESS_TRANSFER_READ_BIT : VK_ACCESS_MEMORY_WRITE_BIT,
            .dstAccessMask = back ? any : VK_ACCESS_TRANSFER_READ_BIT,
            .oldLayout = back ? source : p->target.layout,
            .newLayout = back ? p->target.layout : source,
            .srcQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
            .dstQueueFamilyIndex = VK_QUEUE_FAMILY_IGNORED,
            .image = HVK_HANDLE(VkImage, view->of->native),
            .subresourceRange = {aspects, view->level, 1, is_volume(p) ? 0 : view->layer, 1}};
    }
    r->driver->CmdPipelineBarrier(r->native, back ? copy : all,
                                  back ? all | VK_PIPELINE_STAGE_HOST_BIT : copy, 0, back ? 1 : 0,
                                  &host, 0, NULL, count, barriers);
}

static void copy(const struct hvk_recording *r, const struct hvk_shot *shot, const struct part *p)
{
    const struct hvk_view *view = p->target.view;
    bool volume = is_volume(p);
    const VkBufferImageCopy region = {.bufferOffset = p->offset,
                                      .imageSubresource = {(VkImageAspectFlags)aspect_of(p),
                                                           view->level, volume ? 0 : view->layer,
                                                           1},
                                      .imageOffset = {0, 0, volume ? (int32_t)view->layer : 0},
                                      .imageExtent = {p->width, p->height, 1}};
    r->driver->CmdCopyImageToBuffer(r->native, HVK_HANDLE(VkImage, view->of->native),
                                    VK_IMAGE_LAYOUT_TRANSFER_SRC_OPTIMAL, shot->staging.buffer, 1,
                                    &region);
}

void hvk_drawn_end(struct hvk_recording *r)
{
    struct hvk_shots *shots = &r->buffer->shots;
    struct hvk_shot *shot = shots->open;
    bool is_any = false;
    if (shot == NULL) {
        return; /* it goes on elsewhere */
    }
    shots->open = NULL;
    for (uint32_t i = 0; i < shot->count; i++) {
        is_any = is_any || shot->parts[i].why == NULL;
    }
    if (is_any) {
        transition(r, shot, false);
        for (uint32_t i = 0; i < shot->count; i++) {
            if (shot->parts[i].why == NULL) {
                copy(r, shot, &shot->parts[i]);
            }
        }
        transition(r, shot, true);
    }
    for (uint32_t i = 0; i < shot->count; i++) {
        hvk_unref(&shot->parts[i].target.view->object);
        shot->parts[i].target.view = NULL;
    }
    add(shots, shot);
    shot_put(shot);
}

void hvk_drawn_execute(struct hvk_recording *r, const struct hvk_command_buffer *secondary)
{
    add_all(&r->buffer->shots, &secondary->shots);
}

/* --- submits --- */

void hvk_drawn_submit(struct hvk_context *context, struct hvk_queue *queue)
{
    hvk_shots_forget(&context->shots);
    context->shots_queue = queue;
}

void hvk_drawn_submitted(struct hvk_context *context, const struct hvk_command_buffer *b)
{
    add_all(&context->shots, &b->shots);
}

/* --- what is shown --- */

/* False: no memory for it. */
static bool convert(const struct hvk_shot *shot, const struct part *p, void *pixels)
{
    const uint8_t *texels = (const uint8_t *)shot->staging.mapping + p->offset;
    size_t count = (size_t)p->width * p->height;
    if (pixels == NULL) {
        return false;
    }
    if (p->target.plane == VGD_PLANE_COLOR) {
        hvk_texels_color(p->format, texels, count, pixels);
    } else if (p->target.plane == VGD_PLANE_DEPTH) {
        hvk_texels_depth(p->format, texels, count, pixels);
    } else {
        memcpy(pixels, texels, count);
    }
    return true;
}

static bool show(const struct hvk_shot *shot, const struct part *p, uint32_t pass,
                 const struct vgd_viewer *viewer)
{
    size_t bytes = p->target.plane == VGD_PLANE_STENCIL ? 1 : 4;
    void *pixels = p->why == NULL ? sl_alloc_array((size_t)p->width * p->height, bytes) : NULL;
    bool is_there = p->why == NULL && convert(shot, p, pixels);
    const struct vgd_attachment shown = {.plane = p->target.plane,
                                         .pass = pass,
                                         .number = p->target.number,
                                         .width_px = p->width,
                                         .height_px = p->height,
                                         .pixels = is_there ? pixels : NULL,
                                         .why = p->why != NULL ? p->why : "has no memory"};
    bool goes_on = viewer->attachment(viewer->user, &shown);
    sl_free(pixels);
    return goes_on;
}

enum sl_result hvk_drawn(struct hvk_context *context, const struct vgd_viewer *viewer)
{
    const struct hvk_shots *shots = &context->shots;
    bool goes_on = true;
    if (shots->count == 0) {
        return SL_OK;
    }
    VkResult idle = hvk_queue_idle(context->shots_queue, NULL, WAIT_NS);
    if (idle != VK_SUCCESS) {
        return idle == VK_TIMEOUT ? SL_ERR_AGAIN : SL_ERR_DEVICE_LOST;
    }
    for (uint32_t i = 0; goes_on && i < shots->count; i++) {
        const struct hvk_shot *shot = shots->list[i];
        for (uint32_t p = 0; goes_on && p < shot->count; p++) {
            goes_on = show(shot, &shot->parts[p], i, viewer);
        }
    }
    return SL_OK;
}
