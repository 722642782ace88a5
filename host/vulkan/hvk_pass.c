/* Render passes, framebuffers, and the commands that begin, go through and end a pass: what those
 * name must be there, and in that order. Dynamic rendering is a pass of one subpass. */
#include "host/vulkan/hvk_drawn.h"
#include "host/vulkan/hvk_provider.h"

#include "host/vk_hand.h"
#include "transport/base/arith.h"
#include "transport/base/mem.h"

/* What a pass wants of an attachment. */
struct attachment {
    VkFormat format;
    VkSampleCountFlagBits samples;
    VkImageLayout last, last_stencil; /* at the pass's end */
};

struct pass {
    struct hvk_object object;
    uint32_t subpass_count, attachment_count;
    struct attachment attachments[];
};

struct framebuffer {
    struct hvk_object object;
    uint32_t attachment_count, width, height, layers;
    uint32_t view_count;      /* 0: it is imageless */
    struct hvk_view *views[]; /* a reference each */
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
    struct framebuffer *f = (struct framebuffer *)(void *)object;
    for (uint32_t i = 0; i < f->view_count; i++) {
        hvk_unref(&f->views[i]->object);
    }
    sl_free(f);
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

static bool is_watched(const struct hvk_device *device)
{
    return device->context->provider->is_watched;
}

/* In the packet's memory: what is shown must be there when the pass has ended. */
static void store_all(const struct hvk_device *device, VkAttachmentStoreOp *op,
                      VkAttachmentStoreOp *stencil)
{
    if (is_watched(device)) {
        *op = *stencil = VK_ATTACHMENT_STORE_OP_STORE;
    }
}

/* A record that is not in the table yet; NULL: no memory. */
static struct pass *pass_new(uint32_t subpasses, uint32_t attachments)
{
    struct pass *pass = sl_alloc(sizeof *pass + attachments * sizeof pass->attachments[0]);
    if (pass != NULL) {
        pass->subpass_count = subpasses;
        pass->attachment_count = attachments;
    }
    return pass;
}

/* Takes the record. */
static VkResult pass_enter(struct hvk_call *call, struct hvk_device *device, VkResult result,
                           VkRenderPass native, struct pass *pass, void *slot)
{
    if (result != VK_SUCCESS) {
        sl_free(pass);
        sl_store_u64(slot, 0);
        return hvk_device_result(device, result);
    }
    hvk_object_init(&pass->object, VK_KIND_VkRenderPass, HVK_U64(native), device->object.instance,
                    device, pass_release);
    return hvk_enter(call, &pass->object, slot);
}

VkResult hvk_vkCreateRenderPass(struct hvk_call *call, struct vk_args_vkCreateRenderPass *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    const VkRenderPassCreateInfo *info = a->pCreateInfo;
    VkRenderPass native = VK_NULL_HANDLE;
    struct pass *pass = pass_new(info->subpassCount, info->attachmentCount);
    bool ok = info->subpassCount != 0;
    for (uint32_t i = 0; ok && i < info->subpassCount; i++) {
        ok = is_subpass(&info->pSubpasses[i], info->attachmentCount);
    }
    VkResult result = pass == NULL ? VK_ERROR_OUT_OF_HOST_MEMORY
                      : !ok        ? VK_ERROR_VALIDATION_FAILED
                                   : VK_SUCCESS;
    for (uint32_t i = 0; result == VK_SUCCESS && i < info->attachmentCount; i++) {
        VkAttachmentDescription *at = (VkAttachmentDescription *)(uintptr_t)&info->pAttachments[i];
        pass->attachments[i] =
            (struct attachment){at->format, at->samples, at->finalLayout, at->finalLayout};
        store_all(device, &at->storeOp, &at->stencilStoreOp);
    }
    if (result == VK_SUCCESS) {
        result = device->driver.CreateRenderPass(hvk_native(device), info, NULL, &native);
    }
    return pass_enter(call, device, result, native, pass, a->pRenderPass);
}

VkResult hvk_vkCreateRenderPass2(struct hvk_call *call, struct vk_args_vkCreateRenderPass2 *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    const VkRenderPassCreateInfo2 *info = a->pCreateInfo;
    VkRenderPass native = VK_NULL_HANDLE;
    struct pass *pass = pass_new(info->subpassCount, info->attachmentCount);
    bool ok = info->subpassCount != 0;
    for (uint32_t i = 0; ok && i < info->subpassCount; i++) {
        ok = is_subpass_2(&info->pSubpasses[i], info->attachmentCount);
    }
    VkResult result = pass == NULL                               ? VK_ERROR_OUT_OF_HOST_MEMORY
                      : !ok                                      ? VK_ERROR_VALIDATION_FAILED
                      : device->driver.CreateRenderPass2 == NULL ? VK_ERROR_FEATURE_NOT_PRESENT
                                                                 : VK_SUCCESS;
    for (uint32_t i = 0; result == VK_SUCCESS && i < info->attachmentCount; i++) {
        VkAttachmentDescription2 *at =
            (VkAttachmentDescription2 *)(uintptr_t)&info->pAttachments[i];
        const VkAttachmentDescriptionStencilLayout *stencil =
            hvk_chain_find(at->pNext, VK_STRUCTURE_TYPE_ATTACHMENT_DESCRIPTION_STENCIL_LAYOUT);
        pass->attachments[i] =
            (struct attachment){at->format, at->samples, at->finalLayout,
                                stencil != NULL ? stencil->stencilFinalLayout : at->finalLayout};
        store_all(device, &at->storeOp, &at->stencilStoreOp);
    }
    if (result == VK_SUCCESS) {
        result = device->driver.CreateRenderPass2(hvk_native(device), info, NULL, &native);
    }
    return pass_enter(call, device, result, native, pass, a->pRenderPass);
}

uint32_t hvk_pass_subpasses(const struct hvk_context *context, VkRenderPass id)
{
    const struct hvk_object *object = hvk_find(context, VK_KIND_VkRenderPass, HVK_U64(id), NULL);
    return object != NULL ? ((const struct pass *)(const void *)object)->subpass_count : 0;
}

/* --- framebuffers --- */

static struct hvk_view *view_find(const struct hvk_context *context, VkImageView id)
{
    return (struct hvk_view *)(void *)hvk_find(context, VK_KIND_VkImageView, HVK_U64(id), NULL);
}

static bool view_holds(const struct hvk_view *view, const struct framebuffer *f)
{
    return view != NULL && view->width >= f->width && view->height >= f->height &&
           view->layers >= f->layers;
}

/* The framebuffer's own views, by their ids. */
static bool views_keep(const struct hvk_call *call, struct framebuffer *f,
                       const VkFramebufferCreateInfo *ids)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < f->attachment_count; i++) {
        struct hvk_view *view = view_find(call->context, ids->pAttachments[i]);
        ok = view_holds(view, f);
        if (ok) {
            (void)hvk_ref(&view->object);
            f->views[f->view_count++] = view;
        }
    }
    return ok;
}

VkResult hvk_vkCreateFramebuffer(struct hvk_call *call, struct vk_args_vkCreateFramebuffer *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    const VkFramebufferCreateInfo *info = a->pCreateInfo;
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkCreateFramebuffer ids;
    bool imageless = (info->flags & VK_FRAMEBUFFER_CREATE_IMAGELESS_BIT) != 0;
    uint32_t room = imageless || info->pAttachments == NULL ? 0 : info->attachmentCount;
    uint64_t id = sl_load_u64((uint8_t *)a->pFramebuffer);
    VkFramebuffer native = VK_NULL_HANDLE;
    struct framebuffer *f = sl_alloc(sizeof *f + room * sizeof f->views[0]);
    sl_store_u64((uint8_t *)a->pFramebuffer, 0);
    if (f == NULL || !vk_unpack_vkCreateFramebuffer(&again, &ids)) {
        sl_free(f);
        return hvk_device_result(device, VK_ERROR_OUT_OF_HOST_MEMORY);
    }
    *f = (struct framebuffer){.attachment_count = info->attachmentCount,
                              .width = info->width,
                              .height = info->height,
                              .layers = info->layers};
    hvk_object_init(&f->object, VK_KIND_VkFramebuffer, 0, device->object.instance, device,
                    framebuffer_release);
    VkResult result = VK_ERROR_VALIDATION_FAILED;
    if (info->renderPass != VK_NULL_HANDLE && (imageless || room == info->attachmentCount) &&
        (imageless || views_keep(call, f, ids.pCreateInfo))) {
        result = device->driver.CreateFramebuffer(hvk_native(device), info, NULL, &native);
    }
    f->object.native = HVK_U64(native);
    if (result != VK_SUCCESS) {
        hvk_unref(&f->object);
        return hvk_device_result(device, result);
    }
    sl_store_u64((uint8_t *)a->pFramebuffer, id);
    return hvk_enter(call, &f->object, a->pFramebuffer);
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

static void begin_in(struct hvk_command_buffer *b, uint32_t subpasses, const VkRect2D *area,
                     uint32_t layers, bool rendering)
{
    b->layers = layers;
    b->in_pass = true;
    b->is_rendering = rendering;
    b->subpasses_left = subpasses - 1;
    b->area = *area;
}

static const struct hvk_object *object_find(const struct hvk_recording *r, uint32_t kind, void *id)
{
    return hvk_find(r->device->context, kind, HVK_U64(id), NULL);
}

/* Is there a view of the right sort for each of the pass's attachments? named: with ids, of a
 * framebuffer without views of its own. */
static bool has_views(const struct hvk_recording *r, const struct pass *pass,
                      const struct framebuffer *f, const VkRenderPassAttachmentBeginInfo *named)
{
    bool own = f->view_count == f->attachment_count;
    uint32_t there = own ? f->view_count : named != NULL ? named->attachmentCount : 0;
    bool ok = there >= pass->attachment_count;
    for (uint32_t i = 0; ok && i < pass->attachment_count; i++) {
        const struct hvk_view *view =
            own ? f->views[i] : view_find(r->device->context, named->pAttachments[i]);
        ok = view_holds(view, f) && view->format == pass->attachments[i].format &&
             view->samples == pass->attachments[i].samples;
    }
    return ok;
}

/* A pass's attachments, in their order; as has_views. */
static void watch(struct hvk_recording *r, const struct pass *pass, const struct framebuffer *f,
                  const VkRenderPassAttachmentBeginInfo *named)
{
    struct hvk_target targets[HVK_TARGETS_MAX];
    bool own = f->view_count == f->attachment_count;
    uint32_t count = 0;
    for (uint32_t i = 0; i < pass->attachment_count; i++) {
        const struct attachment *at = &pass->attachments[i];
        struct hvk_view *view =
            own ? f->views[i] : view_find(r->device->context, named->pAttachments[i]);
        VkImageAspectFlags aspects = hvk_aspects_of(at->format);
        if ((aspects & VK_IMAGE_ASPECT_COLOR_BIT) != 0) {
            hvk_target_add(targets, &count, view, VGD_PLANE_COLOR, HVK_TARGET_NEXT, at->last);
        }
        if ((aspects & VK_IMAGE_ASPECT_DEPTH_BIT) != 0) {
            hvk_target_add(targets, &count, view, VGD_PLANE_DEPTH, 0, at->last);
        }
        if ((aspects & VK_IMAGE_ASPECT_STENCIL_BIT) != 0) {
            hvk_target_add(targets, &count, view, VGD_PLANE_STENCIL, 0, at->last_stencil);
        }
    }
    hvk_drawn_begin(r, targets, count);
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
        hvk_chain_find(ids->pNext, VK_STRUCTURE_TYPE_RENDER_PASS_ATTACHMENT_BEGIN_INFO);
    if (pass == NULL || f == NULL || r->buffer->in_pass) {
        return fail(r, "it begins no render pass, or one in another");
    }
    if (!area_fits(&info->renderArea, f->width, f->height) || !has_views(r, pass, f, views)) {
        return fail(r, "its framebuffer does not fit its render pass");
    }
    begin_in(r->buffer, pass->subpass_count, &info->renderArea, f->layers, false);
    if (is_watched(r->device)) {
        watch(r, pass, f, views);
    }
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
static bool end(struct hvk_recording *r, bool rendering)
{
    if (!r->buffer->in_pass || r->buffer->inherits_pass || r->buffer->is_rendering != rendering) {
        return fail(r, "it ends no render pass");
    }
    r->buffer->in_pass = false;
    return true;
}

void hvk_vkCmdEndRenderPass(struct hvk_recording *r, struct vk_args_vkCmdEndRenderPass *a)
{
    (void)a;
    if (end(r, false)) {
        r->driver->CmdEndRenderPass(r->native);
        hvk_drawn_end(r);
    }
}

void hvk_vkCmdEndRenderPass2(struct hvk_recording *r, struct vk_args_vkCmdEndRenderPass2 *a)
{
    if (hvk_recorder_there(r, r->driver->CmdEndRenderPass2 != NULL) && end(r, false)) {
        r->driver->CmdEndRenderPass2(r->native, a->pSubpassEndInfo);
        hvk_drawn_end(r);
    }
}

/* What dynamic rendering draws on: *samples is what the others have, 0 at first. */
static bool holds(const struct hvk_recording *r, const VkRenderingInfo *info,
                  const VkRenderingAttachmentInfo *at, VkSampleCountFlagBits *samples)
{
    if (at == NULL || at->imageView == VK_NULL_HANDLE) {
        return true;
    }
    const struct hvk_view *view = view_find(r->device->context, at->imageView);
    const struct hvk_view *to = at->resolveMode != VK_RESOLVE_MODE_NONE
                                    ? view_find(r->device->context, at->resolveImageView)
                                    : NULL;
    uint32_t layers =
        info->viewMask != 0 ? 32 - (uint32_t)__builtin_clz(info->viewMask) : info->layerCount;
    bool ok = view != NULL && area_fits(&info->renderArea, view->width, view->height) &&
              view->layers >= layers && (*samples == 0 || *samples == view->samples);
    if (ok && at->resolveMode != VK_RESOLVE_MODE_NONE) {
        ok = to != NULL && area_fits(&info->renderArea, to->width, to->height) &&
             to->layers >= layers && to->format == view->format;
    }
    *samples = ok ? view->samples : 0;
    return ok;
}

/* ids: its handles are ids. */
static bool all_hold(const struct hvk_recording *r, const VkRenderingInfo *ids)
{
    VkSampleCountFlagBits samples = 0;
    bool ok = true;
    for (uint32_t i = 0; ok && i < ids->colorAttachmentCount; i++) {
        ok = holds(r, ids, &ids->pColorAttachments[i], &samples);
    }
    return ok && holds(r, ids, ids->pDepthAttachment, &samples) &&
           holds(r, ids, ids->pStencilAttachment, &samples);
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
    struct vk_unpack in = hvk_body_again(r);
    struct vk_args_vkCmdBeginRendering ids;
    if (!vk_unpack_vkCmdBeginRendering(&in, &ids) || !all_hold(r, ids.pRenderingInfo)) {
        fail(r, "an attachment does not fit where it renders");
        return;
    }
    begin_in(r->buffer, 1, &info->renderArea, info->viewMask != 0 ? 1 : info->layerCount, true);
    if (is_watched(r->device)) {
        hvk_drawn_begin_rendering(r, ids.pRenderingInfo, info);
    }
    r->driver->CmdBeginRendering(r->native, info);
}

void hvk_vkCmdEndRendering(struct hvk_recording *r, struct vk_args_vkCmdEndRendering *a)
{
    (void)a;
    if (hvk_recorder_there(r, r->driver->CmdEndRendering != NULL) && end(r, true)) {
        r->driver->CmdEndRendering(r->native);
        hvk_drawn_end(r);
    }
}

static bool area_holds(const VkRect2D *area, const VkOffset2D *from, const VkOffset2D *to)
{
    int64_t right = (int64_t)area->offset.x + area->extent.width;
    int64_t bottom = (int64_t)area->offset.y + area->extent.height;
    return from->x >= area->offset.x && from->y >= area->offset.y && to->x <= right &&
           to->y <= bottom;
}

static int32_t at_most(int64_t value)
{
    return value > INT32_MAX ? INT32_MAX : (int32_t)value;
}

/* What a buffer clears that inherits its pass, for those who execute it. */
static void cleared_add(struct hvk_command_buffer *b, const VkOffset2D *from, const VkOffset2D *to,
                        uint32_t layers)
{
    bool first = b->cleared_layers == 0;
    b->cleared_from.x = first || from->x < b->cleared_from.x ? from->x : b->cleared_from.x;
    b->cleared_from.y = first || from->y < b->cleared_from.y ? from->y : b->cleared_from.y;
    b->cleared_to.x = first || to->x > b->cleared_to.x ? to->x : b->cleared_to.x;
    b->cleared_to.y = first || to->y > b->cleared_to.y ? to->y : b->cleared_to.y;
    b->cleared_layers = layers > b->cleared_layers ? layers : b->cleared_layers;
}

bool hvk_pass_executes(const struct hvk_command_buffer *b,
                       const struct hvk_command_buffer *secondary)
{
    return secondary->inherits_pass == b->in_pass &&
           (secondary->cleared_layers == 0 ||
            (secondary->cleared_layers <= b->layers &&
             area_holds(&b->area, &secondary->cleared_from, &secondary->cleared_to)));
}

static bool may_clear(struct hvk_command_buffer *b, const VkClearRect *clear)
{
    uint64_t layers = (uint64_t)clear->baseArrayLayer + clear->layerCount;
    const VkRect2D *rect = &clear->rect;
    const VkOffset2D to = {at_most((int64_t)rect->offset.x + rect->extent.width),
                           at_most((int64_t)rect->offset.y + rect->extent.height)};
    if (clear->layerCount == 0 || layers > UINT32_MAX) {
        return false;
    }
    if (b->inherits_pass) {
        cleared_add(b, &rect->offset, &to, (uint32_t)layers);
        return true;
    }
    return layers <= b->layers && area_holds(&b->area, &rect->offset, &to);
}

void hvk_vkCmdClearAttachments(struct hvk_recording *r, struct vk_args_vkCmdClearAttachments *a)
{
    bool ok = r->buffer->in_pass;
    for (uint32_t i = 0; ok && i < a->rectCount; i++) {
        ok = may_clear(r->buffer, &a->pRects[i]);
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
