/* Transform feedback: what it writes to, and its counters, inside their buffers; in order. Drivers
 * write where they are told to, and follow the places that no buffer is bound to. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/arith.h"

#define BYTES_OF_COUNTER 4u

/* Places of feedback that are there. */
static bool has_places(struct hvk_recording *r, uint32_t first, uint32_t count)
{
    if (sl_region_fits(first, count, HVK_FEEDBACK_BUFFERS)) {
        return true;
    }
    vk_unpack_fail(&r->in, "it fills places that are not there");
    return false;
}

static bool is_active(struct hvk_recording *r, bool want)
{
    if (((r->buffer->bound & HVK_BOUND_FEEDBACK) != 0) == want) {
        return true;
    }
    vk_unpack_fail(&r->in, want ? "it ends transform feedback that it has not begun"
                                : "it changes or begins transform feedback that it has begun");
    return false;
}

void hvk_vkCmdBindTransformFeedbackBuffersEXT(
    struct hvk_recording *r, struct vk_args_vkCmdBindTransformFeedbackBuffersEXT *a)
{
    struct vk_unpack again = hvk_body_again(r);
    struct vk_args_vkCmdBindTransformFeedbackBuffersEXT ids;
    if (!hvk_recorder_there(r, r->driver->CmdBindTransformFeedbackBuffersEXT != NULL) ||
        !has_places(r, a->firstBinding, a->bindingCount) || !is_active(r, false) ||
        !vk_unpack_vkCmdBindTransformFeedbackBuffersEXT(&again, &ids)) {
        return;
    }
    for (uint32_t i = 0; i < a->bindingCount; i++) {
        uint64_t size = a->pSizes != NULL && a->pSizes[i] != VK_WHOLE_SIZE ? a->pSizes[i] : 0;
        if (!hvk_reaches(r, HVK_U64(ids.pBuffers[i]), a->pOffsets[i], size)) {
            return;
        }
        r->buffer->bound |= HVK_BOUND_FEEDBACK_AT(a->firstBinding + i);
    }
    r->driver->CmdBindTransformFeedbackBuffersEXT(r->native, a->firstBinding, a->bindingCount,
                                                  a->pBuffers, a->pOffsets, a->pSizes);
}

/* The places that a driver looks at for the i-th counter of those from `first` on: drivers of the
 * CPU take the first one for the place 0. */
static uint32_t places_of(const struct hvk_recording *r, uint32_t first, uint32_t i)
{
    return HVK_BOUND_FEEDBACK_AT(first + i) |
           (hvk_is_cpu(r->device->physical) ? HVK_BOUND_FEEDBACK_AT(i) : 0);
}

/* Counters by id, of places that buffers are bound to. */
static bool counters_reach(struct hvk_recording *r, uint32_t first, uint32_t count,
                           const VkBuffer *buffers, const VkDeviceSize *offsets)
{
    bool ok = has_places(r, first, count);
    for (uint32_t i = 0; ok && buffers != NULL && i < count; i++) {
        if (buffers[i] == VK_NULL_HANDLE) {
            continue;
        }
        ok =
            hvk_reaches(r, HVK_U64(buffers[i]), offsets != NULL ? offsets[i] : 0, BYTES_OF_COUNTER);
        if (ok && (~r->buffer->bound & places_of(r, first, i)) != 0) {
            vk_unpack_fail(&r->in, "it counts transform feedback into no buffer");
            return false;
        }
    }
    return ok;
}

void hvk_vkCmdBeginTransformFeedbackEXT(struct hvk_recording *r,
                                        struct vk_args_vkCmdBeginTransformFeedbackEXT *a)
{
    struct vk_unpack again = hvk_body_again(r);
    struct vk_args_vkCmdBeginTransformFeedbackEXT ids;
    if (hvk_recorder_there(r, r->driver->CmdBeginTransformFeedbackEXT != NULL) &&
        is_active(r, false) && hvk_can_draw(r) &&
        vk_unpack_vkCmdBeginTransformFeedbackEXT(&again, &ids) &&
        counters_reach(r, a->firstCounterBuffer, a->counterBufferCount, ids.pCounterBuffers,
                       ids.pCounterBufferOffsets)) {
        r->buffer->bound |= HVK_BOUND_FEEDBACK;
        r->driver->CmdBeginTransformFeedbackEXT(r->native, a->firstCounterBuffer,
                                                a->counterBufferCount, a->pCounterBuffers,
                                                a->pCounterBufferOffsets);
    }
}

void hvk_vkCmdEndTransformFeedbackEXT(struct hvk_recording *r,
                                      struct vk_args_vkCmdEndTransformFeedbackEXT *a)
{
    struct vk_unpack again = hvk_body_again(r);
    struct vk_args_vkCmdEndTransformFeedbackEXT ids;
    if (hvk_recorder_there(r, r->driver->CmdEndTransformFeedbackEXT != NULL) &&
        is_active(r, true) && vk_unpack_vkCmdEndTransformFeedbackEXT(&again, &ids) &&
        counters_reach(r, a->firstCounterBuffer, a->counterBufferCount, ids.pCounterBuffers,
                       ids.pCounterBufferOffsets)) {
        r->buffer->bound &= ~HVK_BOUND_FEEDBACK;
        r->driver->CmdEndTransformFeedbackEXT(r->native, a->firstCounterBuffer,
                                              a->counterBufferCount, a->pCounterBuffers,
                                              a->pCounterBufferOffsets);
    }
}

/* Drivers divide by the stride. */
void hvk_vkCmdDrawIndirectByteCountEXT(struct hvk_recording *r,
                                       struct vk_args_vkCmdDrawIndirectByteCountEXT *a)
{
    if (!hvk_recorder_there(r, r->driver->CmdDrawIndirectByteCountEXT != NULL) ||
        !hvk_can_draw(r) ||
        !hvk_reaches(r, a->counterBuffer_id, a->counterBufferOffset, BYTES_OF_COUNTER)) {
        return;
    }
    if (a->vertexStride == 0) {
        vk_unpack_fail(&r->in, "it draws vertices of no size");
        return;
    }
    r->driver->CmdDrawIndirectByteCountEXT(r->native, a->instanceCount, a->firstInstance,
                                           a->counterBuffer, a->counterBufferOffset,
                                           a->counterOffset, a->vertexStride);
}
