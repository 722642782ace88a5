/* Recorded commands that need a pipeline or a render pass, and those that fill numbered places:
 * drivers follow null pointers, and write behind their arrays. What is bound is remembered in the
 * command buffer, two words. */
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/arith.h"

#define GRAPHICS (1u << VK_PIPELINE_BIND_POINT_GRAPHICS)
#define COMPUTE  (1u << VK_PIPELINE_BIND_POINT_COMPUTE)

static const VkPhysicalDeviceLimits *limits_of(const struct hvk_recording *r)
{
    return &r->device->physical->properties.limits;
}

/* Drivers divide by the points of a patch, of which a pipeline that takes no patches has none. */
static void topology_bind(struct hvk_command_buffer *b, const struct hvk_pipeline_facts *facts)
{
    uint32_t bits = facts->has_any_topology ? b->bound & HVK_BOUND_PATCHES
                    : facts->is_patches     ? HVK_BOUND_PATCHES
                                            : 0;
    bits |= facts->tessellates ? HVK_BOUND_TESSELLATES : 0;
    b->bound = (b->bound & ~(HVK_BOUND_PATCHES | HVK_BOUND_TESSELLATES)) | bits;
}

void hvk_vkCmdSetPrimitiveTopology(struct hvk_recording *r,
                                   struct vk_args_vkCmdSetPrimitiveTopology *a)
{
    if (!hvk_recorder_there(r, r->driver->CmdSetPrimitiveTopology != NULL)) {
        return;
    }
    bool patches = a->primitiveTopology == VK_PRIMITIVE_TOPOLOGY_PATCH_LIST;
    r->buffer->bound = (r->buffer->bound & ~HVK_BOUND_PATCHES) | (patches ? HVK_BOUND_PATCHES : 0);
    r->driver->CmdSetPrimitiveTopology(r->native, a->primitiveTopology);
}

void hvk_vkCmdSetPatchControlPointsEXT(struct hvk_recording *r,
                                       struct vk_args_vkCmdSetPatchControlPointsEXT *a)
{
    if (!hvk_recorder_there(r, r->driver->CmdSetPatchControlPointsEXT != NULL)) {
        return;
    }
    if (a->patchControlPoints == 0 ||
        a->patchControlPoints > limits_of(r)->maxTessellationPatchSize) {
        vk_unpack_fail(&r->in, "its patches have no points, or too many");
        return;
    }
    r->driver->CmdSetPatchControlPointsEXT(r->native, a->patchControlPoints);
}

void hvk_vkCmdBindPipeline(struct hvk_recording *r, struct vk_args_vkCmdBindPipeline *a)
{
    const struct hvk_pipeline *pipeline = a->record;
    /* Pipelines of other sorts have no record of their own. */
    uint32_t points = pipeline->object.kind == VK_KIND_VkPipeline ? pipeline->facts.points
                                                                  : ~(GRAPHICS | COMPUTE);
    if ((uint32_t)a->pipelineBindPoint < 32 && (points >> a->pipelineBindPoint & 1) == 0) {
        vk_unpack_fail(&r->in, "it binds a pipeline of another sort");
        return;
    }
    r->buffer->bound |= points & (GRAPHICS | COMPUTE);
    if ((points & GRAPHICS) != 0) {
        topology_bind(r->buffer, &pipeline->facts);
    }
    r->driver->CmdBindPipeline(r->native, a->pipelineBindPoint, a->pipeline);
}

/* --- draws and dispatches --- */

bool hvk_can_draw(struct hvk_recording *r)
{
    const uint32_t sort = GRAPHICS | HVK_BOUND_PATCHES | HVK_BOUND_TESSELLATES;
    uint32_t bound = r->buffer->bound & sort;
    if (SL_LIKELY((bound == GRAPHICS || bound == sort) && r->buffer->in_pass)) {
        return true;
    }
    if (r->buffer->in_pass && bound == (GRAPHICS | HVK_BOUND_TESSELLATES)) {
        return true; /* of other primitives */
    }
    vk_unpack_fail(&r->in, "it draws without a pipeline for that or a render pass");
    return false;
}

bool hvk_can_draw_indexed(struct hvk_recording *r)
{
    if (SL_UNLIKELY((r->buffer->bound & HVK_BOUND_INDICES) == 0)) {
        vk_unpack_fail(&r->in, "it draws by indices, and there are none");
        return false;
    }
    return hvk_can_draw(r);
}

static bool can_dispatch(struct hvk_recording *r)
{
    if (SL_LIKELY((r->buffer->bound & COMPUTE) != 0)) {
        return true;
    }
    vk_unpack_fail(&r->in, "it dispatches without a pipeline");
    return false;
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

/* `count` parameters of `size` bytes, `stride` apart: no more than there are in the buffer. */
static bool parameters(struct hvk_recording *r, uint64_t buffer_id, uint64_t offset, uint32_t count,
                       uint32_t stride, uint32_t size)
{
    uint64_t span = count == 0 ? 0 : (uint64_t)(count - 1) * stride + size;
    bool indexed = size == sizeof(VkDrawIndexedIndirectCommand);
    if (count > 1 && stride < size) {
        vk_unpack_fail(&r->in, "its draws lie over each other");
        return false;
    }
    return (indexed ? hvk_can_draw_indexed(r) : hvk_can_draw(r)) &&
           hvk_reaches(r, buffer_id, offset, span);
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

static bool is_index_type(const struct hvk_recording *r, VkIndexType type)
{
    return type == VK_INDEX_TYPE_UINT16 || type == VK_INDEX_TYPE_UINT32 ||
           (type == VK_INDEX_TYPE_UINT8_EXT && hvk_extension_knows(r->device->physical, type));
}

void hvk_vkCmdBindIndexBuffer(struct hvk_recording *r, struct vk_args_vkCmdBindIndexBuffer *a)
{
    if (!is_index_type(r, a->indexType)) {
        vk_unpack_fail(&r->in, "it binds indices of no type");
    } else if (hvk_reaches(r, a->buffer_id, a->offset, 0)) {
        r->buffer->bound |= HVK_BOUND_INDICES;
        r->driver->CmdBindIndexBuffer(r->native, a->buffer, a->offset, a->indexType);
    }
}

/* --- events --- */

static bool are_events(struct hvk_recording *r, uint32_t count, const VkEvent *events)
{
    for (uint32_t i = 0; i < count; i++) {
        if (events[i] == VK_NULL_HANDLE) {
            vk_unpack_fail(&r->in, "it waits for no event");
            return false;
        }
    }
    return true;
}

void hvk_vkCmdWaitEvents(struct hvk_recording *r, struct vk_args_vkCmdWaitEvents *a)
{
    if (are_events(r, a->eventCount, a->pEvents)) {
        r->driver->CmdWaitEvents(r->native, a->eventCount, a->pEvents, a->srcStageMask,
                                 a->dstStageMask, a->memoryBarrierCount, a->pMemoryBarriers,
                                 a->bufferMemoryBarrierCount, a->pBufferMemoryBarriers,
                                 a->imageMemoryBarrierCount, a->pImageMemoryBarriers);
    }
}

void hvk_vkCmdWaitEvents2(struct hvk_recording *r, struct vk_args_vkCmdWaitEvents2 *a)
{
    if (hvk_recorder_there(r, r->driver->CmdWaitEvents2 != NULL) &&
        are_events(r, a->eventCount, a->pEvents)) {
        r->driver->CmdWaitEvents2(r->native, a->eventCount, a->pEvents, a->pDependencyInfos);
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

/* Drivers look for an attribute's binding until they find it. */
static bool has_binding(struct hvk_recording *r, const struct vk_args_vkCmdSetVertexInputEXT *a,
                        uint32_t binding)
{
    for (uint32_t i = 0; i < a->vertexBindingDescriptionCount; i++) {
        if (a->pVertexBindingDescriptions[i].binding == binding) {
            return true;
        }
    }
    vk_unpack_fail(&r->in, "its vertices have an attribute of no binding");
    return false;
}

void hvk_vkCmdSetVertexInputEXT(struct hvk_recording *r, struct vk_args_vkCmdSetVertexInputEXT *a)
{
    bool fits =
        hvk_recorder_there(r, r->driver->CmdSetVertexInputEXT != NULL) &&
        has_places(r, 0, a->vertexBindingDescriptionCount, limits_of(r)->maxVertexInputBindings) &&
        has_places(r, 0, a->vertexAttributeDescriptionCount,
                   limits_of(r)->maxVertexInputAttributes);
    for (uint32_t i = 0; fits && i < a->vertexBindingDescriptionCount; i++) {
        fits = has_places(r, a->pVertexBindingDescriptions[i].binding, 1,
                          limits_of(r)->maxVertexInputBindings);
    }
    for (uint32_t i = 0; fits && i < a->vertexAttributeDescriptionCount; i++) {
        const VkVertexInputAttributeDescription2EXT *d = &a->pVertexAttributeDescriptions[i];
        fits = has_binding(r, a, d->binding) &&
               has_places(r, d->location, 1, limits_of(r)->maxVertexInputAttributes);
    }
    if (fits) {
        r->driver->CmdSetVertexInputEXT(
            r->native, a->vertexBindingDescriptionCount, a->pVertexBindingDescriptions,
            a->vertexAttributeDescriptionCount, a->pVertexAttributeDescriptions);
    }
}

void hvk_vkCmdBeginConditionalRenderingEXT(struct hvk_recording *r,
                                           struct vk_args_vkCmdBeginConditionalRenderingEXT *a)
{
    struct vk_unpack again = hvk_body_again(r);
    struct vk_args_vkCmdBeginConditionalRenderingEXT ids;
    if (hvk_recorder_there(r, r->driver->CmdBeginConditionalRenderingEXT != NULL) &&
        vk_unpack_vkCmdBeginConditionalRenderingEXT(&again, &ids) &&
        hvk_reaches(r, HVK_U64(ids.pConditionalRenderingBegin->buffer),
                    ids.pConditionalRenderingBegin->offset, 4)) {
        r->driver->CmdBeginConditionalRenderingEXT(r->native, a->pConditionalRenderingBegin);
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
