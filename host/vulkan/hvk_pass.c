/* Render passes, framebuffers, and the commands that begin, go through and end a pass: what those
 * name must be there, and in that order. Dynamic rendering is a pass of one subpass. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/arith.h"
#include "transport/base/mem.h"

struct pass {
    struct hvk_object object;
    uint32_t subpass_count, attachment_count;
};

struct framebuffer {
    struct hvk_object object;
    uint32_t attachment_count, width, height;
    bool is_imageless;
};

static void pass_release(struct hvk_object *object)
{
    object->device->driver.DestroyRenderPass(hvk_native(object->device),
                                             HVK_HANDLE(VkRenderPass, object->native), NULL);
    sl_free(object);
}

static void framebuffer_release(struct hvk_object *object)
{
    object->device->driver.DestroyFramebuffer(hvk_native(object->device),
                                              HVK_HANDLE(VkFramebuffer, object->native), NULL);
    sl_free(object);
}

/* The record in the table under the slot's id; on failure it is released. */
static VkResult enter(struct hvk_call *call, struct hvk_object *object, void *slot)
{
    uint64_t id = sl_load_u64(slot);
    enum sl_result added = hvk_add_object(call, object, &id);
    hvk_unref(object);
    sl_store_u64(slot, added == SL_OK ? id : 0);
    return hvk_device_result(object->device,
                             added == SL_OK ? VK_SUCCESS : VK_ERROR_TOO_MANY_OBJECTS);
}

/* --- render passes --- */

static bool refers(uint32_t attachment, uint32_t count)
{
    return attachment < count || attachment == VK_ATTACHMENT_UNUSED;
}

static bool all_refer(const VkAttachmentReference *refs, uint32_t n, uint32_t count)
{
    bool ok = true;
    for (uint32_t i = 0; refs != NULL && ok && i < n; i++) {
        ok = refers(refs[i].attachment, count);
    }
    return ok;
}

static bool all_refer_2(const VkAttachmentReference2 *refs, uint32_t n, uint32_t count)
{
    bool ok = true;
    for (uint32_t i = 0; refs != NULL && ok && i < n; i++) {
        ok = refers(refs[i].attachment, count);
    }
    return ok;
}

static bool is_subpass(const VkSubpassDescription *s, uint32_t count)
{
    return all_refer(s->pInputAttachments, s->inputAttachmentCount, count) &&
           all_refer(s->pColorAttachments, s->colorAttachmentCount, count) &&
           all_refer(s->pResolveAttachments, s->colorAttachmentCount, count) &&
           all_refer(s->pDepthStencilAttachment, 1, count);
}

static bool is_subpass_2(const VkSubpassDescription2 *s, uint32_t count)
{
    const VkSubpassDescriptionDepthStencilResolve *resolve =
        hvk_chain_find(s->pNext, VK_STRUCTURE_TYPE_SUBPASS_DESCRIPTION_DEPTH_STENCIL_RESOLVE);
    return all_refer_2(s->pInputAttachments, s->inputAttachmentCount, count) &&
           all_refer_2(s->pColorAttachments, s->colorAttachmentCount, count) &&
           all_refer_2(s->pResolveAttachments, s->colorAttachmentCount, count) &&
           all_refer_2(s->pDepthStencilAttachment, 1, count) &&
           (resolve == NULL || all_refer_2(resolve->pDepthStencilResolveAttachment, 1, count));
}

static VkResult pass_make(struct hvk_call *call, struct hvk_device *device, VkResult result,
                          VkRenderPass native, const struct pass *counts, void *slot)
{
    struct pass *pass = result == VK_SUCCESS ? sl_alloc(sizeof *pass) : NULL;
    if (pass == NULL) {
        sl_store_u64(slot, 0);
        if (result == VK_SUCCESS) {
            device->driver.DestroyRenderPass(hvk_native(device), native, NULL);
            result = VK_ERROR_OUT_OF_HOST_MEMORY;
        }
        return hvk_device_result(device, result);
    }
    *pass = *counts;
    hvk_object_init(&pass->object, VK_KIND_VkRenderPass, HVK_U64(native), device->object.instance,
                    device, pass_release);
    return enter(call, &pass->object, slot);
}

VkResult hvk_vkCreateRenderPass(struct hvk_call *call, struct vk_args_vkCreateRenderPass *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    const VkRenderPassCreateInfo *info = a->pCreateInfo;
    VkRenderPass native = VK_NULL_HANDLE;
    bool ok = info->subpassCount != 0;
    for (uint32_t i = 0; ok && i < info->subpassCount; i++) {
        ok = is_subpass(&info->pSubpasses[i], info->attachmentCount);
    }
    VkResult result =
        !ok ? VK_ERROR_VALIDATION_FAILED
            : device->driver.CreateRenderPass(hvk_native(device), info, NULL, &native);
    const struct pass counts = {.subpass_count = info->subpassCount,
                                .attachment_count = info->attachmentCount};
    return pass_make(call, device, result, native, &counts, a->pRenderPass);
}

VkResult hvk_vkCreateRenderPass2(struct hvk_call *call, struct vk_args_vkCreateRenderPass2 *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    const VkRenderPassCreateInfo2 *info = a->pCreateInfo;
    VkRenderPass native = VK_NULL_HANDLE;
    VkResult result = VK_ERROR_FEATURE_NOT_PRESENT;
    bool ok = info->subpassCount != 0;
    for (uint32_t i = 0; ok && i < info->subpassCount; i++) {
        ok = is_subpass_2(&info->pSubpasses[i], info->attachmentCount);
    }
    if (!ok) {
        result = VK_ERROR_VALIDATION_FAILED;
    } else if (device->driver.CreateRenderPass2 != NULL) {
        result = device->driver.CreateRenderPass2(hvk_native(device), info, NULL, &native);
    }
    const struct pass counts = {.subpass_count = info->subpassCount,
                                .attachment_count = info->attachmentCount};
    return pass_make(call, device, result, native, &counts, a->pRenderPass);
}

VkResult hvk_vkCreateFramebuffer(struct hvk_call *call, struct vk_args_vkCreateFramebuffer *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    const VkFramebufferCreateInfo *info = a->pCreateInfo;
    bool imageless = (info->flags & VK_FRAMEBUFFER_CREATE_IMAGELESS_BIT) != 0;
    VkFramebuffer native = VK_NULL_HANDLE;
    VkResult result = VK_ERROR_VALIDATION_FAILED;
    struct framebuffer *f = sl_alloc(sizeof *f);
    bool ok = info->renderPass != VK_NULL_HANDLE;
    for (uint32_t i = 0; ok && !imageless && i < info->attachmentCount; i++) {
        ok = info->pAttachments != NULL && info->pAttachments[i] != VK_NULL_HANDLE;
    }
    if (f == NULL) {
        result = VK_ERROR_OUT_OF_HOST_MEMORY;
    } else if (ok) {
        result = device->driver.CreateFramebuffer(hvk_native(device), info, NULL, &native);
    }
    if (result != VK_SUCCESS) {
        sl_free(f);
        sl_store_u64((uint8_t *)a->pFramebuffer, 0);
        return hvk_device_result(device, result);
    }
    *f = (struct framebuffer){.attachment_count = info->attachmentCount,
                              .width = info->width,
                              .height = info->height,
                              .is_imageless = imageless};
    hvk_object_init(&f->object, VK_KIND_VkFramebuffer, HVK_U64(native), device->object.instance,
                    device, framebuffer_release);
    return enter(call, &f->object, a->pFramebuffer);
}

/* --- recorded --- */

static bool area_fits(const VkRect2D *area, uint32_t width, uint32_t height)
{
    return area->offset.x >= 0 && area->offset.y >= 0 &&
           sl_region_fits((uint64_t)area->offset.x, area->extent.width, width) &&
           sl_region_fits((uint64_t)area->offset.y, area->extent.height, height);
}

static bool fail(struct hvk_recording *r, const char *why)
{
    vk_unpack_fail(&r->in, why);
    return false;
}

static void begin_in(struct hvk_command_buffer *b, uint32_t subpasses, const VkRect2D *area)
{
    b->in_pass = true;
    b->subpasses_left = subpasses - 1;
    b->area = *area;
}

static const struct hvk_object *object_find(const struct hvk_recording *r, uint32_t kind, void *id)
{
    return hvk_find(r->device->context, kind, HVK_U64(id), NULL);
}

/* ids: the same with its handles as ids. */
static bool begin(struct hvk_recording *r, const VkRenderPassBeginInfo *info,
                  const VkRenderPassBeginInfo *ids)
{
    const struct pass *pass = (const struct pass *)(const void *)object_find(
        r, VK_KIND_VkRenderPass, (void *)ids->renderPass);
    const struct framebuffer *f = (const struct framebuffer *)(const void *)object_find(
        r, VK_KIND_VkFramebuffer, (void *)ids->framebuffer);
    const VkRenderPassAttachmentBeginInfo *views =
        hvk_chain_find(info->pNext, VK_STRUCTURE_TYPE_RENDER_PASS_ATTACHMENT_BEGIN_INFO);
    if (pass == NULL || f == NULL || r->buffer->in_pass) {
        return fail(r, "it begins no render pass, or one in another");
    }
    uint32_t there = f->attachment_count;
    if (f->is_imageless) {
        there = views != NULL ? views->attachmentCount : 0;
        for (uint32_t i = 0; i < there; i++) {
            there = views->pAttachments[i] != VK_NULL_HANDLE ? there : 0;
        }
    }
    if (there < pass->attachment_count || !area_fits(&info->renderArea, f->width, f->height)) {
        return fail(r, "its framebuffer is smaller than its render pass");
    }
    begin_in(r->buffer, pass->subpass_count, &info->renderArea);
    return true;
}

void hvk_vkCmdBeginRenderPass(struct hvk_recording *r, struct vk_args_vkCmdBeginRenderPass *a)
{
    struct vk_unpack in = hvk_body_again(r);
    struct vk_args_vkCmdBeginRenderPass ids;
    if (vk_unpack_vkCmdBeginRenderPass(&in, &ids) &&
        begin(r, a->pRenderPassBegin, ids.pRenderPassBegin)) {
        r->driver->CmdBeginRenderPass(r->native, a->pRenderPassBegin, a->contents);
    }
}

void hvk_vkCmdBeginRenderPass2(struct hvk_recording *r, struct vk_args_vkCmdBeginRenderPass2 *a)
{
    struct vk_unpack in = hvk_body_again(r);
    struct vk_args_vkCmdBeginRenderPass2 ids;
    if (hvk_recorder_there(r, r->driver->CmdBeginRenderPass2 != NULL) &&
        vk_unpack_vkCmdBeginRenderPass2(&in, &ids) &&
        begin(r, a->pRenderPassBegin, ids.pRenderPassBegin)) {
        r->driver->CmdBeginRenderPass2(r->native, a->pRenderPassBegin, a->pSubpassBeginInfo);
    }
}

static bool next(struct hvk_recording *r)
{
    if (!r->buffer->in_pass || r->buffer->subpasses_left == 0) {
        return fail(r, "there is no next subpass");
    }
    r->buffer->subpasses_left--;
    return true;
}

void hvk_vkCmdNextSubpass(struct hvk_recording *r, struct vk_args_vkCmdNextSubpass *a)
{
    if (next(r)) {
        r->driver->CmdNextSubpass(r->native, a->contents);
    }
}

void hvk_vkCmdNextSubpass2(struct hvk_recording *r, struct vk_args_vkCmdNextSubpass2 *a)
{
    if (hvk_recorder_there(r, r->driver->CmdNextSubpass2 != NULL) && next(r)) {
        r->driver->CmdNextSubpass2(r->native, a->pSubpassBeginInfo, a->pSubpassEndInfo);
    }
}

/* A secondary command buffer ends no pass: it has not begun it. */
static bool end(struct hvk_recording *r)
{
    if (!r->buffer->in_pass || r->buffer->inherits_pass) {
        return fail(r, "it ends no render pass");
    }
    r->buffer->in_pass = false;
    return true;
}

void hvk_vkCmdEndRenderPass(struct hvk_recording *r, struct vk_args_vkCmdEndRenderPass *a)
{
    (void)a;
    if (end(r)) {
        r->driver->CmdEndRenderPass(r->native);
    }
}

void hvk_vkCmdEndRenderPass2(struct hvk_recording *r, struct vk_args_vkCmdEndRenderPass2 *a)
{
    if (hvk_recorder_there(r, r->driver->CmdEndRenderPass2 != NULL) && end(r)) {
        r->driver->CmdEndRenderPass2(r->native, a->pSubpassEndInfo);
    }
}

void hvk_vkCmdBeginRendering(struct hvk_recording *r, struct vk_args_vkCmdBeginRendering *a)
{
    const VkRenderingInfo *info = a->pRenderingInfo;
    if (!hvk_recorder_there(r, r->driver->CmdBeginRendering != NULL)) {
        return;
    }
    if (r->buffer->in_pass ||
        info->colorAttachmentCount > r->device->physical->properties.limits.maxColorAttachments) {
        fail(r, "it begins a render pass in another, or with too many attachments");
        return;
    }
    begin_in(r->buffer, 1, &info->renderArea);
    r->driver->CmdBeginRendering(r->native, info);
}

void hvk_vkCmdEndRendering(struct hvk_recording *r, struct vk_args_vkCmdEndRendering *a)
{
    (void)a;
    if (hvk_recorder_there(r, r->driver->CmdEndRendering != NULL) && end(r)) {
        r->driver->CmdEndRendering(r->native);
    }
}

/* What a secondary command buffer clears is known to who executes it alone. */
void hvk_vkCmdClearAttachments(struct hvk_recording *r, struct vk_args_vkCmdClearAttachments *a)
{
    const struct hvk_command_buffer *b = r->buffer;
    bool ok = b->in_pass;
    for (uint32_t i = 0; ok && !b->inherits_pass && i < a->rectCount; i++) {
        const VkRect2D *rect = &a->pRects[i].rect;
        const VkOffset2D *from = &b->area.offset;
        VkRect2D moved = {{0, 0}, rect->extent};
        ok = rect->offset.x >= from->x && rect->offset.y >= from->y;
        moved.offset.x = ok ? rect->offset.x - from->x : 0;
        moved.offset.y = ok ? rect->offset.y - from->y : 0;
        ok = ok && area_fits(&moved, b->area.extent.width, b->area.extent.height);
    }
    for (uint32_t i = 0; ok && i < a->attachmentCount; i++) {
        ok = (a->pAttachments[i].aspectMask & VK_IMAGE_ASPECT_COLOR_BIT) == 0 ||
             refers(a->pAttachments[i].colorAttachment,
                    r->device->physical->properties.limits.maxColorAttachments);
    }
    if (ok) {
        r->driver->CmdClearAttachments(r->native, a->attachmentCount, a->pAttachments, a->rectCount,
                                       a->pRects);
    } else {
        fail(r, "it clears what its render pass has not");
    }
}
