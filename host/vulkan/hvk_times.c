/* What submits take the GPU (hct_options.times).
 *
 * Before and behind a submit of the guest's another one of ours writes a timestamp, on the same
 * queue and with its lock held: from when the queue came to the submit, with what it waits for, to
 * when it was done with it. A fence of ours tells when both are there. */
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"
#include "host/vulkan/hvk_provider.h"

#include "transport/base/mem.h"

#define SLOTS   64u /* submits of one queue that are measured at once */
#define WAIT_NS (1000ull * 1000 * 1000)

struct slot {
    VkCommandBuffer begin, end;
    VkFence fence;
    uint32_t opcode;
    bool is_out;
};

struct hvk_timer {
    VkQueryPool queries; /* two of a slot */
    VkCommandPool pool;
    struct slot slots[SLOTS];
    uint32_t next;
    struct slot *open; /* its begin was submitted; NULL: this submit is not measured */
    uint64_t mask;     /* of the bits that count */
    double ns;         /* of a tick */
    const char *why;   /* nothing is measured; a literal */
};

static struct hct_times *times_of(const struct hvk_queue *queue)
{
    return queue->object.device->context->provider->times;
}

/* --- making --- */

static VkResult record(const struct vk_driver_device *d, const struct hvk_timer *t,
                       VkCommandBuffer commands, uint32_t query, bool first)
{
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    VkResult result = d->BeginCommandBuffer(commands, &begin);
    if (result != VK_SUCCESS) {
        return result;
    }
    if (first) {
        d->CmdResetQueryPool(commands, t->queries, query, 2);
    }
    d->CmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, t->queries, query);
    return d->EndCommandBuffer(commands);
}

static VkResult make_slot(const struct hvk_device *device, struct hvk_timer *t, uint32_t which)
{
    const struct vk_driver_device *d = &device->driver;
    struct slot *slot = &t->slots[which];
    VkCommandBuffer both[2];
    const VkCommandBufferAllocateInfo two = {.sType =
                                                 VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                             .commandPool = t->pool,
                                             .level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
                                             .commandBufferCount = 2};
    const VkFenceCreateInfo fence = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkResult result = d->AllocateCommandBuffers(hvk_native(device), &two, both);
    if (result != VK_SUCCESS) {
        return result;
    }
    slot->begin = both[0];
    slot->end = both[1];
    result = d->CreateFence(hvk_native(device), &fence, NULL, &slot->fence);
    if (result == VK_SUCCESS) {
        result = record(d, t, slot->begin, 2 * which, true);
    }
    return result == VK_SUCCESS ? record(d, t, slot->end, 2 * which + 1, false) : result;
}

static VkResult make(const struct hvk_queue *queue, struct hvk_timer *t)
{
    const struct hvk_device *device = queue->object.device;
    const struct vk_driver_device *d = &device->driver;
    const VkQueryPoolCreateInfo queries = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                           .queryType = VK_QUERY_TYPE_TIMESTAMP,
                                           .queryCount = 2 * SLOTS};
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
                                          .queueFamilyIndex = queue->family};
    VkResult result = d->CreateQueryPool(hvk_native(device), &queries, NULL, &t->queries);
    if (result == VK_SUCCESS) {
        result = d->CreateCommandPool(hvk_native(device), &pool, NULL, &t->pool);
    }
    for (uint32_t i = 0; result == VK_SUCCESS && i < SLOTS; i++) {
        result = make_slot(device, t, i);
    }
    return result;
}

static const char *why_not(const struct hvk_queue *queue)
{
    const struct hvk_physical *physical = queue->object.device->physical;
    if (queue->flags != 0) {
        return "a protected queue runs no others' commands";
    }
    if (queue->family >= physical->family_count ||
        physical->families[queue->family].timestampValidBits == 0 ||
        physical->properties.limits.timestampPeriod <= 0) {
        return "the driver has no timestamps for this family of queues";
    }
    return NULL;
}

/* NULL: no memory. */
static struct hvk_timer *timer_of(struct hvk_queue *queue)
{
    if (queue->timer != NULL) {
        return queue->timer;
    }
    struct hvk_timer *t = queue->timer = sl_alloc(sizeof *t);
    if (t == NULL) {
        return NULL;
    }
    *t = (struct hvk_timer){.why = why_not(queue)};
    if (t->why == NULL) {
        const struct hvk_physical *physical = queue->object.device->physical;
        uint32_t bits = physical->families[queue->family].timestampValidBits;
        t->mask = bits < 64 ? ((uint64_t)1 << bits) - 1 : UINT64_MAX;
        t->ns = (double)physical->properties.limits.timestampPeriod;
        t->why = make(queue, t) == VK_SUCCESS ? NULL : "the driver has no room for timestamps";
    }
    return t;
}

/* --- around a submit --- */

static VkResult run(const struct hvk_queue *queue, const VkCommandBuffer *commands, VkFence fence)
{
    const VkSubmitInfo one = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                              .commandBufferCount = 1,
                              .pCommandBuffers = commands};
    return queue->object.device->driver.QueueSubmit(HVK_HANDLE(VkQueue, queue->object.native), 1,
                                                    &one, fence);
}

/* What a slot's submit took. False: it is not done. */
static bool collect(const struct hvk_queue *queue, struct hvk_timer *t, struct slot *slot,
                    uint64_t wait_ns)
{
    const struct hvk_device *device = queue->object.device;
    uint64_t at[2];
    uint32_t first = (uint32_t)(slot - t->slots) * 2;
    if (!slot->is_out) {
        return true;
    }
    if (device->driver.WaitForFences(hvk_native(device), 1, &slot->fence, VK_TRUE, wait_ns) !=
        VK_SUCCESS) {
        return false;
    }
    slot->is_out = false;
    VkResult result =
        device->driver.GetQueryPoolResults(hvk_native(device), t->queries, first, 2, sizeof at, at,
                                           sizeof at[0], VK_QUERY_RESULT_64_BIT);
    if (result == VK_SUCCESS) {
        uint64_t ticks = (at[1] - at[0]) & t->mask;
        hct_times_add(times_of(queue), slot->opcode, (uint64_t)((double)ticks * t->ns));
    } else {
        hct_times_untold(times_of(queue), "the driver tells no times");
    }
    return true;
}

void hvk_time_begin(struct hvk_queue *queue, uint32_t opcode)
{
    struct hct_times *times = times_of(queue);
    const struct hvk_device *device = queue->object.device;
    if (SL_LIKELY(times == NULL)) {
        return;
    }
    struct hvk_timer *t = timer_of(queue);
    if (t == NULL || t->why != NULL) {
        hct_times_untold(times, t != NULL ? t->why : "there is no memory");
        return;
    }
    struct slot *slot = &t->slots[t->next % SLOTS];
    if (!collect(queue, t, slot, 0)) {
        hct_times_untold(times, "more submits were on their way than are measured at once");
        return;
    }
    slot->opcode = opcode;
    if (device->driver.ResetFences(hvk_native(device), 1, &slot->fence) == VK_SUCCESS &&
        run(queue, &slot->begin, VK_NULL_HANDLE) == VK_SUCCESS) {
        t->open = slot;
    }
}

void hvk_time_end(struct hvk_queue *queue)
{
    struct hvk_timer *t = queue->timer;
    struct slot *slot = t != NULL ? t->open : NULL;
    if (SL_LIKELY(slot == NULL)) {
        return;
    }
    t->open = NULL;
    t->next++;
    slot->is_out = run(queue, &slot->end, slot->fence) == VK_SUCCESS;
    if (!slot->is_out) {
        hct_times_untold(times_of(queue), "a submit failed");
    }
}

void hvk_timer_finish(struct hvk_queue *queue)
{
    struct hvk_timer *t = queue->timer;
    const struct hvk_device *device = queue->object.device;
    const struct vk_driver_device *d = &device->driver;
    if (t == NULL) {
        return;
    }
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (!collect(queue, t, &t->slots[i], WAIT_NS)) {
            hct_times_untold(times_of(queue), "a submit did not end");
        }
        d->DestroyFence(hvk_native(device), t->slots[i].fence, NULL);
    }
    d->DestroyCommandPool(hvk_native(device), t->pool, NULL);
    d->DestroyQueryPool(hvk_native(device), t->queries, NULL);
    sl_free(t);
    queue->timer = NULL;
}
