/* Recorded commands that need a pipeline or a render pass, and those that fill numbered places:
 * drivers follow null pointers, and write behind their arrays. What is bound is remembered in the
 * command buffer, two words. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/arith.h"

#define GRAPHICS (1u << VK_PIPELINE_BIND_POINT_GRAPHICS)
#define COMPUTE  (1u << VK_PIPELINE_BIND_POINT_COMPUTE)

void hvk_vkCmdBindPipeline(struct hvk_recording *r, struct vk_args_vkCmdBindPipeline *a)
{
    const struct hvk_pipeline *pipeline = a->record;
    /* Pipelines of other sorts have no record of their own. */
    uint32_t points =
        pipeline->object.kind == VK_KIND_VkPipeline ? pipeline->points : ~(GRAPHICS | COMPUTE);
    if ((uint32_t)a->pipelineBindPoint < 32 && (points >> a->pipelineBindPoint & 1) == 0) {
        vk_unpack_fail(&r->in, "it binds a pipeline of another sort");
        return;
    }
    r->buffer->bound |= points & (GRAPHICS | COMPUTE);
    r->driver->CmdBindPipeline(r->native, a->pipelineBindPoint, a->pipeline);
}

/* --- draws and dispatches --- */

bool hvk_can_draw(struct hvk_recording *r)
{
    if (SL_LIKELY((r->buffer->bound & GRAPHICS) != 0 && r->buffer->in_pass)) {
        return true;
    }
    vk_unpack_fail(&r->in, "it draws without a pipeline or a render pass");
    return false;
}

static bool can_dispatch(struct hvk_recording *r)
{
    if (SL_LIKELY((r->buffer->bound & COMPUTE) != 0)) {
        return true;
    }
    vk_unpack_fail(&r->in, "it dispatches without a pipeline");
    return false;
}

static const VkPhysicalDeviceLimits *limits_of(const struct hvk_recording *r)
{
    return &r->device->physical->properties.limits;
}

static bool may_dispatch(struct hvk_recording *r, uint32_t x, uint32_t y, uint32_t z)
{
    const uint32_t *most = limits_of(r)->maxComputeWorkGroupCount;
    if (SL_UNLIKELY(x > most[0] || y > most[1] || z > most[2])) {
        vk_unpack_fail(&r->in, "it dispatches more groups than the device takes");
        return false;
    }
    return can_dispatch(r);
}

/* `count` parameters of `size` bytes, `stride` apart. */
static bool parameters(struct hvk_recording *r, uint64_t buffer_id, uint64_t offset, uint32_t count,
                       uint32_t stride, uint32_t size)
{
    uint64_t span = count == 0 ? 0 : (uint64_t)(count - 1) * stride + size;
    return hvk_can_draw(r) && hvk_reaches(r, buffer_id, offset, span);
}

void hvk_vkCmdDrawIndirect(struct hvk_recording *r, struct vk_args_vkCmdDrawIndirect *a)
{
    if (parameters(r, a->buffer_id, a->offset, a->drawCount, a->stride,
                   sizeof(VkDrawIndirectCommand))) {
        r->driver->CmdDrawIndirect(r->native, a->buffer, a->offset, a->drawCount, a->stride);
    }
}

void hvk_vkCmdDrawIndexedIndirect(struct hvk_recording *r,
                                  struct vk_args_vkCmdDrawIndexedIndirect *a)
{
    if (parameters(r, a->buffer_id, a->offset, a->drawCount, a->stride,
                   sizeof(VkDrawIndexedIndirectCommand))) {
        r->driver->CmdDrawIndexedIndirect(r->native, a->buffer, a->offset, a->drawCount, a->stride);
    }
}

void hvk_vkCmdDrawIndirectCount(struct hvk_recording *r, struct vk_args_vkCmdDrawIndirectCount *a)
{
    if (hvk_recorder_there(r, r->driver->CmdDrawIndirectCount != NULL) &&
        parameters(r, a->buffer_id, a->offset, a->maxDrawCount, a->stride,
                   sizeof(VkDrawIndirectCommand)) &&
        hvk_reaches(r, a->countBuffer_id, a->countBufferOffset, 4)) {
        r->driver->CmdDrawIndirectCount(r->native, a->buffer, a->offset, a->countBuffer,
                                        a->countBufferOffset, a->maxDrawCount, a->stride);
    }
}

void hvk_vkCmdDrawIndexedIndirectCount(struct hvk_recording *r,
                                       struct vk_args_vkCmdDrawIndexedIndirectCount *a)
{
    if (hvk_recorder_there(r, r->driver->CmdDrawIndexedIndirectCount != NULL) &&
        parameters(r, a->buffer_id, a->offset, a->maxDrawCount, a->stride,
                   sizeof(VkDrawIndexedIndirectCommand)) &&
        hvk_reaches(r, a->countBuffer_id, a->countBufferOffset, 4)) {
        r->driver->CmdDrawIndexedIndirectCount(r->native, a->buffer, a->offset, a->countBuffer,
                                               a->countBufferOffset, a->maxDrawCount, a->stride);
    }
}

void hvk_vkCmdDrawIndirectByteCountEXT(struct hvk_recording *r,
                                       struct vk_args_vkCmdDrawIndirectByteCountEXT *a)
{
    if (hvk_recorder_there(r, r->driver->CmdDrawIndirectByteCountEXT != NULL) && hvk_can_draw(r) &&
        hvk_reaches(r, a->counterBuffer_id, a->counterBufferOffset, 4)) {
        r->driver->CmdDrawIndirectByteCountEXT(r->native, a->instanceCount, a->firstInstance,
                                               a->counterBuffer, a->counterBufferOffset,
                                               a->counterOffset, a->vertexStride);
    }
}

void hvk_vkCmdDispatch(struct hvk_recording *r, struct vk_args_vkCmdDispatch *a)
{
    if (may_dispatch(r, a->groupCountX, a->groupCountY, a->groupCountZ)) {
        r->driver->CmdDispatch(r->native, a->groupCountX, a->groupCountY, a->groupCountZ);
    }
}

void hvk_vkCmdDispatchBase(struct hvk_recording *r, struct vk_args_vkCmdDispatchBase *a)
{
    if (hvk_recorder_there(r, r->driver->CmdDispatchBase != NULL) &&
        may_dispatch(r, a->groupCountX, a->groupCountY, a->groupCountZ)) {
        r->driver->CmdDispatchBase(r->native, a->baseGroupX, a->baseGroupY, a->baseGroupZ,
                                   a->groupCountX, a->groupCountY, a->groupCountZ);
    }
}

void hvk_vkCmdDispatchIndirect(struct hvk_recording *r, struct vk_args_vkCmdDispatchIndirect *a)
{
    if (can_dispatch(r) &&
        hvk_reaches(r, a->buffer_id, a->offset, sizeof(VkDispatchIndirectCommand))) {
        r->driver->CmdDispatchIndirect(r->native, a->buffer, a->offset);
    }
}

void hvk_vkCmdBindIndexBuffer(struct hvk_recording *r, struct vk_args_vkCmdBindIndexBuffer *a)
{
    if (hvk_reaches(r, a->buffer_id, a->offset, 0)) {
        r->driver->CmdBindIndexBuffer(r->native, a->buffer, a->offset, a->indexType);
    }
}

/* --- numbered places --- */

static bool has_places(struct hvk_recording *r, uint32_t first, uint32_t count, uint32_t there_are)
{
    if (SL_LIKELY(sl_region_fits(first, count, there_are))) {
        return true;
    }
    vk_unpack_fail(&r->in, "it fills places that are not there");
    return false;
}

void hvk_vkCmdSetViewport(struct hvk_recording *r, struct vk_args_vkCmdSetViewport *a)
{
    if (has_places(r, a->firstViewport, a->viewportCount, limits_of(r)->maxViewports)) {
        r->driver->CmdSetViewport(r->native, a->firstViewport, a->viewportCount, a->pViewports);
    }
}

void hvk_vkCmdSetScissor(struct hvk_recording *r, struct vk_args_vkCmdSetScissor *a)
{
    if (has_places(r, a->firstScissor, a->scissorCount, limits_of(r)->maxViewports)) {
        r->driver->CmdSetScissor(r->native, a->firstScissor, a->scissorCount, a->pScissors);
    }
}

void hvk_vkCmdSetViewportWithCount(struct hvk_recording *r,
                                   struct vk_args_vkCmdSetViewportWithCount *a)
{
    if (hvk_recorder_there(r, r->driver->CmdSetViewportWithCount != NULL) &&
        has_places(r, 0, a->viewportCount, limits_of(r)->maxViewports)) {
        r->driver->CmdSetViewportWithCount(r->native, a->viewportCount, a->pViewports);
    }
}

void hvk_vkCmdSetScissorWithCount(struct hvk_recording *r,
                                  struct vk_args_vkCmdSetScissorWithCount *a)
{
    if (hvk_recorder_there(r, r->driver->CmdSetScissorWithCount != NULL) &&
        has_places(r, 0, a->scissorCount, limits_of(r)->maxViewports)) {
        r->driver->CmdSetScissorWithCount(r->native, a->scissorCount, a->pScissors);
    }
}

void hvk_vkCmdBindVertexBuffers(struct hvk_recording *r, struct vk_args_vkCmdBindVertexBuffers *a)
{
    if (has_places(r, a->firstBinding, a->bindingCount, limits_of(r)->maxVertexInputBindings)) {
        r->driver->CmdBindVertexBuffers(r->native, a->firstBinding, a->bindingCount, a->pBuffers,
                                        a->pOffsets);
    }
}

void hvk_vkCmdBindVertexBuffers2(struct hvk_recording *r, struct vk_args_vkCmdBindVertexBuffers2 *a)
{
    if (hvk_recorder_there(r, r->driver->CmdBindVertexBuffers2 != NULL) &&
        has_places(r, a->firstBinding, a->bindingCount, limits_of(r)->maxVertexInputBindings)) {
        r->driver->CmdBindVertexBuffers2(r->native, a->firstBinding, a->bindingCount, a->pBuffers,
                                         a->pOffsets, a->pSizes, a->pStrides);
    }
}

void hvk_vkCmdSetVertexInputEXT(struct hvk_recording *r, struct vk_args_vkCmdSetVertexInputEXT *a)
{
    bool fits = hvk_recorder_there(r, r->driver->CmdSetVertexInputEXT != NULL);
    for (uint32_t i = 0; fits && i < a->vertexBindingDescriptionCount; i++) {
        fits = has_places(r, a->pVertexBindingDescriptions[i].binding, 1,
                          limits_of(r)->maxVertexInputBindings);
    }
    for (uint32_t i = 0; fits && i < a->vertexAttributeDescriptionCount; i++) {
        const VkVertexInputAttributeDescription2EXT *d = &a->pVertexAttributeDescriptions[i];
        fits = has_places(r, d->binding, 1, limits_of(r)->maxVertexInputBindings) &&
               has_places(r, d->location, 1, limits_of(r)->maxVertexInputAttributes);
    }
    if (fits) {
        r->driver->CmdSetVertexInputEXT(
            r->native, a->vertexBindingDescriptionCount, a->pVertexBindingDescriptions,
            a->vertexAttributeDescriptionCount, a->pVertexAttributeDescriptions);
    }
}

/* Drivers have four, and no more than that. */
#define FEEDBACK_BUFFERS 4u

void hvk_vkCmdBindTransformFeedbackBuffersEXT(
    struct hvk_recording *r, struct vk_args_vkCmdBindTransformFeedbackBuffersEXT *a)
{
    if (hvk_recorder_there(r, r->driver->CmdBindTransformFeedbackBuffersEXT != NULL) &&
        has_places(r, a->firstBinding, a->bindingCount, FEEDBACK_BUFFERS)) {
        r->driver->CmdBindTransformFeedbackBuffersEXT(r->native, a->firstBinding, a->bindingCount,
                                                      a->pBuffers, a->pOffsets, a->pSizes);
    }
}

void hvk_vkCmdBeginTransformFeedbackEXT(struct hvk_recording *r,
                                        struct vk_args_vkCmdBeginTransformFeedbackEXT *a)
{
    if (hvk_recorder_there(r, r->driver->CmdBeginTransformFeedbackEXT != NULL) &&
        has_places(r, a->firstCounterBuffer, a->counterBufferCount, FEEDBACK_BUFFERS)) {
        r->driver->CmdBeginTransformFeedbackEXT(r->native, a->firstCounterBuffer,
                                                a->counterBufferCount, a->pCounterBuffers,
                                                a->pCounterBufferOffsets);
    }
}

void hvk_vkCmdEndTransformFeedbackEXT(struct hvk_recording *r,
                                      struct vk_args_vkCmdEndTransformFeedbackEXT *a)
{
    if (hvk_recorder_there(r, r->driver->CmdEndTransformFeedbackEXT != NULL) &&
        has_places(r, a->firstCounterBuffer, a->counterBufferCount, FEEDBACK_BUFFERS)) {
        r->driver->CmdEndTransformFeedbackEXT(r->native, a->firstCounterBuffer,
                                              a->counterBufferCount, a->pCounterBuffers,
                                              a->pCounterBufferOffsets);
    }
}

void hvk_vkCmdSetColorBlendEnableEXT(struct hvk_recording *r,
                                     struct vk_args_vkCmdSetColorBlendEnableEXT *a)
{
    if (hvk_recorder_there(r, r->driver->CmdSetColorBlendEnableEXT != NULL) &&
        has_places(r, a->firstAttachment, a->attachmentCount, limits_of(r)->maxColorAttachments)) {
        r->driver->CmdSetColorBlendEnableEXT(r->native, a->firstAttachment, a->attachmentCount,
                                             a->pColorBlendEnables);
    }
}

void hvk_vkCmdSetColorBlendEquationEXT(struct hvk_recording *r,
                                       struct vk_args_vkCmdSetColorBlendEquationEXT *a)
{
    if (hvk_recorder_there(r, r->driver->CmdSetColorBlendEquationEXT != NULL) &&
        has_places(r, a->firstAttachment, a->attachmentCount, limits_of(r)->maxColorAttachments)) {
        r->driver->CmdSetColorBlendEquationEXT(r->native, a->firstAttachment, a->attachmentCount,
                                               a->pColorBlendEquations);
    }
}

void hvk_vkCmdSetColorWriteMaskEXT(struct hvk_recording *r,
                                   struct vk_args_vkCmdSetColorWriteMaskEXT *a)
{
    if (hvk_recorder_there(r, r->driver->CmdSetColorWriteMaskEXT != NULL) &&
        has_places(r, a->firstAttachment, a->attachmentCount, limits_of(r)->maxColorAttachments)) {
        r->driver->CmdSetColorWriteMaskEXT(r->native, a->firstAttachment, a->attachmentCount,
                                           a->pColorWriteMasks);
    }
}

void hvk_vkCmdPushConstants(struct hvk_recording *r, struct vk_args_vkCmdPushConstants *a)
{
    if (has_places(r, a->offset, a->size, limits_of(r)->maxPushConstantsSize)) {
        r->driver->CmdPushConstants(r->native, a->layout, a->stageFlags, a->offset, a->size,
                                    a->pValues);
    }
}
