/* The state that objects are in: signals, recorded commands, private data. */
#include "host/vulkan/hvk_query.h"
#include "host/vulkan/hvk_save.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <stdlib.h>

#define HEADER 12u /* opcode, length, turn */
/* Words of queries' results in one packet. */
#define QUERY_WORDS 8192u

static VkDevice device_id(const struct hvk_object *object)
{
    return HVK_HANDLE(VkDevice, object->device->object.id);
}

/* --- signals --- */

static void save_fence(struct hvk_save *s, const struct hvk_fence *fence)
{
    const struct hvk_device *device = fence->object.device;
    const struct hvk_queue *queue = hvk_save_queue(device);
    VkFence id = HVK_HANDLE(VkFence, fence->object.id);
    bool is_signalled =
        device->driver.GetFenceStatus(hvk_native(device), fence->payload->native) == VK_SUCCESS;
    if (hvk_save_is_whole(s)) { /* as a submit wants it */
        HVK_SAVE(s, ResetFences, device_id(&fence->object), 1, &id);
        if (is_signalled && queue != NULL) {
            HVK_SAVE(s, QueueSubmitAsyncGOOGLE, HVK_HANDLE(VkQueue, queue->object.id), 0, NULL, id);
        }
        return;
    }
    if (is_signalled && !fence->begins_signalled && queue != NULL) {
        HVK_SAVE(s, QueueSubmitAsyncGOOGLE, HVK_HANDLE(VkQueue, queue->object.id), 0, NULL, id);
    } else if (!is_signalled && fence->begins_signalled) {
        HVK_SAVE(s, ResetFences, device_id(&fence->object), 1, &id);
    }
}

static void save_semaphore(struct hvk_save *s, const struct hvk_semaphore *semaphore)
{
    const struct hvk_device *device = semaphore->object.device;
    const struct hvk_queue *queue = hvk_save_queue(device);
    const VkSemaphore id = HVK_HANDLE(VkSemaphore, semaphore->object.id);
    if (semaphore->is_timeline) {
        VkSemaphoreSignalInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO,
                                      .semaphore = id};
        VkResult result = device->driver.GetSemaphoreCounterValue(
            hvk_native(device), HVK_HANDLE(VkSemaphore, semaphore->object.native), &info.value);
        if (result == VK_SUCCESS && info.value != semaphore->initial) {
            HVK_SAVE(s, SignalSemaphore, device_id(&semaphore->object), &info);
        }
    } else if (semaphore->is_signalled && queue != NULL) {
        const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                     .signalSemaphoreCount = 1,
                                     .pSignalSemaphores = &id};
        HVK_SAVE(s, QueueSubmitAsyncGOOGLE, HVK_HANDLE(VkQueue, queue->object.id), 1, &submit,
                 VK_NULL_HANDLE);
    }
}

uint64_t hvk_save_signal(struct hvk_save *s, const struct hvk_semaphore *semaphore)
{
    const struct hvk_device *device = semaphore->object.device;
    uint64_t value = semaphore->is_signalled;
    if (semaphore->is_timeline &&
        device->driver.GetSemaphoreCounterValue(hvk_native(device),
                                                HVK_HANDLE(VkSemaphore, semaphore->object.native),
                                                &value) != VK_SUCCESS) {
        hvk_save_fail(s, SL_ERR_DEVICE_LOST, "a semaphore has no value");
    }
    return value;
}

/* The driver tells of those alone that the host may look at. */
static bool is_of_device(struct hvk_save *s, uint64_t id)
{
    const struct hvk_birth *birth = hvk_birth_of(s->context, VK_KIND_VkEvent, id);
    struct sl_arena arena;
    struct vk_args_vkCreateEvent a;
    sl_arena_init(&arena, 65536);
    struct vk_unpack u = vk_unpack_over(birth->packet + HEADER, birth->size - HEADER, &arena, NULL);
    bool is = vk_unpack_vkCreateEvent(&u, &a) &&
              (a.pCreateInfo->flags & VK_EVENT_CREATE_DEVICE_ONLY_BIT) != 0;
    sl_arena_finish(&arena);
    return is;
}

static void save_event(struct hvk_save *s, const struct hvk_device *device, uint64_t native,
                       uint64_t id)
{
    if (is_of_device(s, id)) {
        return;
    }
    if (device->driver.GetEventStatus(hvk_native(device), HVK_HANDLE(VkEvent, native)) ==
        VK_EVENT_SET) {
        HVK_SAVE(s, SetEvent, HVK_HANDLE(VkDevice, device->object.id), HVK_HANDLE(VkEvent, id));
    } else if (hvk_save_is_whole(s)) {
        HVK_SAVE(s, ResetEvent, HVK_HANDLE(VkDevice, device->object.id), HVK_HANDLE(VkEvent, id));
    }
}

/* --- what was recorded --- */

/* Recorded again where it, or something that it names, was made again. */
static void about_commands(struct hvk_save *s, const struct hvk_command_buffer *b)
{
    const struct hvk_birth *birth = hvk_birth_of(s->context, VK_KIND_VkCommandBuffer, b->object.id);
    uint32_t count = hvk_uses_serials(s->context, &b->uses, NULL, 0);
    uint64_t *needs = hvk_save_is_whole(s) ? sl_alloc_array(count + 1, sizeof *needs) : NULL;
    if (needs == NULL) {
        return;
    }
    count = hvk_uses_serials(s->context, &b->uses, needs, count);
    const struct vgd_about about = {.rule = VGD_FILLS,
                                    .kind = HVK_ABOUT_STATE + VK_KIND_VkCommandBuffer,
                                    .id = b->object.id,
                                    .serial = birth != NULL ? birth->serial : 0,
                                    .needs = needs,
                                    .need_count = count};
    hvk_save_about(s, &about);
    sl_free(needs);
}

/* One that names what has ended can only be reset. */
static void save_commands(struct hvk_save *s, struct hvk_command_buffer *b)
{
    about_commands(s, b);
    const struct hvk_device *device = b->object.device;
    const struct hvk_queue *queue = hvk_save_queue(device);
    if (b->is_kept_short) {
        hvk_save_fail(s, SL_ERR_UNSUPPORTED, "what a command buffer holds was not kept");
    } else if (b->is_once && b->state == HVK_RECORDED && b->recorded_at == device->submits) {
        hvk_save_fail(s, SL_ERR_AGAIN, "a command buffer is about to be submitted");
    } else if (b->kept_size != 0 && queue != NULL && hvk_uses_alive(s->context, &b->uses)) {
        HVK_SAVE(s, QueueFlushCommandsGOOGLE, HVK_HANDLE(VkQueue, queue->object.id),
                 HVK_HANDLE(VkCommandBuffer, b->object.id), b->kept_size, b->kept);
    }
}

/* --- queries --- */

/* words: the head, and as many of results. */
static void put_queries(struct hvk_save *s, const struct hvk_query_pool *pool, uint32_t first,
                        uint32_t count, uint64_t *words, uint32_t results)
{
    words[0] = pool->object.id;
    words[1] = first;
    words[2] = count;
    HVK_SAVE(s, RestoreSLUICE, HVK_RESTORE_QUERIES, s->turn + 1, 0, 0, HVK_QUERIES_HEAD + results,
             words);
}

/* Their results, in pieces, and that the others are reset: a driver takes neither from outside. */
static void save_queries(struct hvk_save *s, const struct hvk_query_pool *pool)
{
    uint32_t one = hvk_query_words(pool), step = QUERY_WORDS / one;
    if (!pool->is_used) {
        return;
    }
    if (!pool->tells) {
        sl_warn_limited("vulkan",
                        "context %u has queries whose results no snapshot has: a replay that "
                        "begins with it finds none until they are made again",
                        s->context->ctx_id);
        return;
    }
    uint64_t *words = sl_alloc_array(HVK_QUERIES_HEAD + QUERY_WORDS, sizeof *words);
    if (words == NULL) {
        hvk_save_fail(s, SL_ERR_NOMEM, "no memory");
        return;
    }
    if (!hvk_save_is_whole(s)) {
        put_queries(s, pool, 0, pool->count, words, 0);
    }
    for (uint32_t at = 0; at < pool->count && s->result == SL_OK; at += step) {
        uint32_t count = pool->count - at < step ? pool->count - at : step;
        uint64_t *results = words + HVK_QUERIES_HEAD;
        if (hvk_queries_read(pool, at, count, results) != VK_SUCCESS) {
            hvk_save_fail(s, SL_ERR_DEVICE_LOST, "its queries have no results");
        }
        if (hvk_save_is_whole(s) || !hvk_save_is_zero(results, (size_t)count * one * 8)) {
            put_queries(s, pool, at, count, words, count * one);
        }
    }
    sl_free(words);
}

/* --- private data, status pages --- */

static int by_handle(const void *a, const void *b)
{
    const struct hvk_private_value *x = a, *y = b;
    if (x->handle != y->handle) {
        return x->handle < y->handle ? -1 : 1;
    }
    return x->type < y->type ? -1 : x->type > y->type;
}

static void save_private(struct hvk_save *s, const struct hvk_object *slot)
{
    uint32_t count = hvk_private_list(slot, NULL, 0);
    struct hvk_private_value *values = sl_alloc_array(count + 1, sizeof *values);
    if (values == NULL) {
        hvk_save_fail(s, SL_ERR_NOMEM, "no memory");
        return;
    }
    (void)hvk_private_list(slot, values, count);
    qsort(values, count, sizeof *values, by_handle);
    for (uint32_t i = 0; i < count; i++) {
        HVK_SAVE(s, SetPrivateData, device_id(slot), values[i].type, values[i].handle,
                 HVK_HANDLE(VkPrivateDataSlot, slot->id), values[i].data);
    }
    sl_free(values);
}

static void save_device(struct hvk_save *s, const struct hvk_device *device)
{
    const struct vgd_about place = {
        .rule = VGD_ONCE, .kind = HVK_ABOUT_PLACE, .id = device->object.id};
    const struct vgd_about waits = {
        .rule = VGD_LEADS, .kind = HVK_ABOUT_REST, .id = device->object.id};
    hvk_save_about(s, &place);
    hvk_save_status(s, device);
    hvk_save_about(s, &waits);
    for (uint32_t i = 0; i < device->queue_count; i++) {
        if (device->queues[i].object.id != 0) { /* what was submitted to signal has done so */
            HVK_SAVE(s, QueueWaitIdle, HVK_HANDLE(VkQueue, device->queues[i].object.id));
        }
    }
}

/* --- all of them --- */

static void about_state(struct hvk_save *s, uint32_t kind, uint64_t id)
{
    const struct hvk_birth *birth = hvk_birth_of(s->context, kind, id);
    const struct vgd_about about = {.rule = VGD_FILLS,
                                    .kind = HVK_ABOUT_STATE + kind,
                                    .id = id,
                                    .serial = birth != NULL ? birth->serial : 0};
    hvk_save_about(s, &about);
}

static void save_state(struct hvk_save *s, uint32_t kind, uint64_t id, uint64_t native,
                       const void *record)
{
    const struct hvk_object *object = record;
    about_state(s, kind, id);
    if (kind == VK_KIND_VkDescriptorSet) {
        hvk_save_set(s, record);
    } else if (kind == VK_KIND_VkFence) {
        save_fence(s, record);
    } else if (kind == VK_KIND_VkSemaphore) {
        save_semaphore(s, record);
    } else if (kind == VK_KIND_VkEvent) {
        save_event(s, object->device, native, id);
    } else if (kind == VK_KIND_VkPrivateDataSlot) {
        save_private(s, object);
    } else if (kind == VK_KIND_VkQueryPool) {
        save_queries(s, record);
    }
}

/* Command buffers of one level, or all but command buffers and devices, or devices. */
enum pass { STATES, SECONDARIES, PRIMARIES, DEVICES, PASSES };

void hvk_save_states(struct hvk_save *s)
{
    uint32_t cursor, kind;
    uint64_t id, native;
    void *record;
    for (uint32_t pass = STATES; pass < PASSES; pass++) {
        cursor = 0;
        while (s->result == SL_OK &&
               sl_ids_next(&s->context->ids, &cursor, &kind, &id, &native, &record)) {
            struct hvk_command_buffer *b = record;
            bool is_commands = kind == VK_KIND_VkCommandBuffer;
            bool is_second = is_commands && b->level == VK_COMMAND_BUFFER_LEVEL_SECONDARY;
            if (pass == STATES && !is_commands) {
                save_state(s, kind, id, native, record);
            } else if (pass == DEVICES && kind == VK_KIND_VkDevice) {
                save_device(s, record);
            } else if (is_commands && pass == (is_second ? SECONDARIES : PRIMARIES)) {
                save_commands(s, b);
            }
        }
    }
}
