/* The frame of every handler: turn, answer, ids of what is made. */
#include "host/vulkan/hvk.h"
#include "host/vulkan/hvk_birth.h"
#include "host/vulkan/hvk_provider.h"

#include "host/vk_destroy.h"
#include "transport/base/atomic.h"
#include "wire/vk_names.h"

#define HEADER 8u /* opcode, length */

bool hvk_begin(struct hvk_call *call, struct hr_call *hr)
{
    struct hvk_ring *ring = hr->user;
    struct hvk_context *context = ring->context;
    size_t size = (size_t)(hr->in.end - hr->in.cur);
    if (SL_UNLIKELY(size < 4)) {
        hr_call_violate(hr, "it has no number");
        return false;
    }
    uint32_t number = sl_load_u32(hr->in.cur);
    /* Not the ring's stop: a thread that ended has sent what others' turns wait for. */
    enum sl_result result = hr_turn_take(&context->turns, hr->ring, number, &context->stop);
    if (SL_UNLIKELY(result != SL_OK)) {
        if (result != SL_ERR_CLOSED) {
            hr_call_violate(hr, "its number %u %s", number,
                            result == SL_ERR_PROTOCOL ? "was there already"
                                                      : "does not come up: one before is missing");
        }
        return false;
    }
    *call = (struct hvk_call){
        .hr = hr,
        .context = context,
        .ring = ring,
        .packet = hr->in.cur - HEADER,
        .in = vk_unpack_over(hr->in.cur + 4, size - 4, hr->in.arena, &context->ids),
    };
    call->in.owner_at = offsetof(struct hvk_object, device);
    return true;
}

void hvk_pass(struct hvk_call *call)
{
    if (!call->passed) {
        call->passed = true;
        hr_turn_pass(&call->context->turns);
    }
}

void hvk_end(struct hvk_call *call)
{
    if (SL_UNLIKELY(call->in.failed)) {
        hr_call_violate(call->hr, "%s", call->in.reason);
    }
    if (SL_UNLIKELY(call->birth != NULL)) {
        hvk_birth_end(call);
    }
    hvk_pass(call);
}

void hvk_reply(struct hvk_call *call)
{
    struct vk_pack *pack = &call->ring->reply;
    size_t size = vk_pack_size(pack);
    uint8_t *room = pack->failed ? NULL : sl_reply_room(call->hr->reply, size);
    if (room == NULL) {
        hr_call_violate(call->hr, "a reply of this size is not to be had");
    } else if (size != 0) {
        memcpy(room, pack->data, size);
    }
    vk_pack_reset(pack);
}

void hvk_makes(struct hvk_call *call)
{
    call->ring->need_count = 0;
    call->in.named = hvk_birth_named;
    call->in.user = call->ring;
}

bool hvk_stopping(const struct hvk_call *call)
{
    /* Pairs with the store in the context's destroy; orders nothing. */
    return hr_ring_stopping(call->hr->ring) || sl_atomic_load_relaxed(&call->context->stop) != 0;
}

bool hvk_is_own(const struct hvk_call *call)
{
    return !call->context->provider->stock && hr_ring_preamble(call->hr->ring) != 0;
}

bool hvk_is_quiet(const struct hvk_call *call)
{
    return hvk_is_own(call) && (hr_ring_preamble(call->hr->ring) & SLUICE_FEATURE_VK_QUIET) != 0;
}

void hvk_wishes(struct hvk_call *call, void *slots, uint64_t count, bool allowed)
{
    uint8_t *slot = slots;
    if (slot == NULL || count == 0) {
        return;
    }
    uint32_t features = hr_ring_preamble(call->hr->ring);
    if (!allowed || !hvk_is_own(call) || (features & SLUICE_FEATURE_VK_IDS) == 0) {
        memset(slot, 0, count * 8); /* a stock guest's leftovers */
        return;
    }
    call->silent = sl_load_u64(slot) != 0;
    for (uint64_t i = 1; i < count; i++) {
        if ((sl_load_u64(slot + i * 8) != 0) != call->silent) {
            hr_call_violate(call->hr, "it chooses some of its ids, not all");
        }
    }
}

void hvk_unanswered(struct hvk_call *call, void *record, VkResult result)
{
    if (result < 0) {
        hvk_device_fail(hvk_device_of(record), result, vk_op_name(call->hr->opcode));
    }
}

void hvk_made_some(struct hvk_call *call, uint32_t kind, uint64_t native, struct hvk_device *device,
                   VkResult *result, void *slot)
{
    uint64_t id = sl_load_u64(slot);
    if (native == 0) {
        id = 0;
    } else if (hvk_add(call, kind, native, device, &id) != SL_OK) {
        vk_destroy_native(kind, &device->driver, HVK_HANDLE(VkDevice, device->object.native),
                          native);
        *result = VK_ERROR_OUT_OF_HOST_MEMORY;
        id = 0;
    }
    sl_store_u64(slot, id);
}

void hvk_made(struct hvk_call *call, uint32_t kind, uint64_t native, struct hvk_device *device,
              VkResult *result, void *slot)
{
    hvk_made_some(call, kind, *result >= 0 ? native : 0, device, result, slot);
}

void hvk_absent(struct hvk_call *call, const char *name)
{
    hr_call_refuse(call->hr, "the native driver has no %s", name);
}

bool hvk_recorder_there(struct hvk_recording *recording, bool has_function)
{
    if (SL_UNLIKELY(!has_function)) {
        vk_unpack_fail(&recording->in, "the native driver has no such function");
    }
    return has_function;
}

void hvk_recorded(struct hvk_recording *recording, VkResult result, const char *name)
{
    if (result < 0) {
        hvk_device_fail(recording->device, result, name);
    }
}
