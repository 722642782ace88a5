/* Command buffers, and the bytes that the guest recorded into them.
 *
 * A flush is an early command: after its turn was passed it runs beside other rings' commands. What
 * keeps that safe: it has context->natives for reading (nothing is destroyed natively meanwhile),
 * its pool's lock (a native pool is externally synchronised), and it is counted in its command
 * buffer's `flushing`, on which submits and executions of that command buffer wait. Locks are
 * taken in this order: natives, pool->lock. */
#include "host/vulkan/hvk_drawn.h"
#include "host/vulkan/hvk_provider.h"
#include "host/vulkan/hvk_query.h"

#include "host/vk_dispatch.h"
#include "host/vk_hand.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"
#include "wire/vk_names.h"

/* A flush that runs longer than this while another waits for it is waiting for that other one. */
#define SETTLE_NS       (10 * SL_NS_PER_S)
#define KEPT_START      256u
#define RECORDED_HEADER 8u /* opcode, length */

static struct hvk_command_buffer *buffer_of(struct hvk_object *object)
{
    return (struct hvk_command_buffer *)(void *)object;
}

static struct hvk_command_buffer *buffer_find(const struct hvk_context *context, uint64_t id)
{
    return buffer_of(hvk_find(context, VK_KIND_VkCommandBuffer, id, NULL));
}

/* --- what a snapshot records again --- */

void hvk_command_buffer_forget(struct hvk_command_buffer *b)
{
    b->state = HVK_INITIAL;
    hvk_uses_forget(&b->uses);
    hvk_shots_forget(&b->shots);
    b->kept_size = 0;
    b->is_kept_short = false;
}

static bool kept_room(struct hvk_command_buffer *b, size_t size)
{
    if (size <= b->kept_room) {
        return true;
    }
    size_t room = b->kept_room != 0 ? b->kept_room : KEPT_START;
    while (room < size) { /* at most a packet's size more than there was */
        room *= 2;
    }
    struct hvk_context *context = b->object.device->context;
    uint8_t *more =
        hvk_keep(context, (int64_t)(room - b->kept_room)) ? sl_realloc(b->kept, room) : NULL;
    if (more == NULL) {
        return false;
    }
    b->kept = more;
    b->kept_room = room;
    return true;
}

/* Commands have been recorded: from recording->kept on they are what makes the buffer's state. */
static void keep(const struct hvk_recording *recording)
{
    struct hvk_command_buffer *b = recording->buffer;
    size_t size = (size_t)(recording->end - recording->kept);
    if (b->state == HVK_INITIAL || (b->is_once && !b->copies_queries && b->state == HVK_RECORDED)) {
        b->kept_size = 0;
    } else if (kept_room(b, b->kept_size + size)) {
        memcpy(b->kept + b->kept_size, recording->kept, size);
        b->kept_size += size;
    } else {
        b->is_kept_short = true;
    }
}

/* --- command buffers that the device has yet to run --- */

static void buffer_release(struct hvk_object *object)
{
    struct hvk_command_buffer *b = buffer_of(object);
    struct hvk_command_pool *pool = b->pool;
    VkCommandBuffer native = HVK_HANDLE(VkCommandBuffer, object->native);
    pthread_mutex_lock(&pool->lock);
    sl_list_remove(&b->link);
    object->device->driver.FreeCommandBuffers(
        hvk_native(object->device), HVK_HANDLE(VkCommandPool, pool->object.native), 1, &native);
    pthread_mutex_unlock(&pool->lock);
    (void)hvk_keep(object->device->context, -(int64_t)b->kept_room);
    sl_free(b->kept);
    hvk_uses_finish(&b->uses);
    hvk_shots_forget(&b->shots);
    sl_free(b);
    hvk_unref(&pool->object);
}

VkResult hvk_command_buffer_renew(struct hvk_command_buffer *b)
{
    struct hvk_device *device = b->object.device;
    struct hvk_context *context = device->context;
    const VkCommandBufferAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = HVK_HANDLE(VkCommandPool, b->pool->object.native),
        .level = b->level,
        .commandBufferCount = 1};
    VkCommandBuffer native = VK_NULL_HANDLE;
    struct hvk_command_buffer *old = sl_alloc(sizeof *old);
    if (old == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    pthread_mutex_lock(&b->pool->lock);
    VkResult result = device->driver.AllocateCommandBuffers(hvk_native(device), &info, &native);
    pthread_mutex_unlock(&b->pool->lock);
    if (result != VK_SUCCESS) {
        sl_free(old);
        return result;
    }
    hvk_object_init(&old->object, VK_KIND_VkCommandBuffer, b->object.native, b->object.instance,
                    device, buffer_release);
    old->pool = b->pool;
    (void)hvk_ref(&b->pool->object);
    sl_list_init(&old->link);
    /* Recorded commands that run now may name it, or be its own. */
    pthread_rwlock_wrlock(&context->natives);
    b->object.native = HVK_U64(native);
    bool set =
        sl_ids_set_native(&context->ids, VK_KIND_VkCommandBuffer, b->object.id, b->object.native);
    old->shots = b->shots; /* they are copied into as it was recorded */
    b->shots = (struct hvk_shots){.list = NULL};
    hvk_command_buffer_forget(b);
    hvk_work_join(device, &b->pool->work, &b->work);
    b->work = (struct hvk_work){0};
    context->ended++;
    pthread_rwlock_unlock(&context->natives);
    hvk_bury(VK_KIND_VkCommandBuffer, old->object.native, &old->object);
    return set ? VK_SUCCESS : VK_ERROR_UNKNOWN;
}

void hvk_command_buffer_end(struct hvk_context *context, struct hvk_command_buffer *b)
{
    hvk_work_join(b->object.device, &b->pool->work, &b->work);
    pthread_mutex_lock(&b->pool->lock);
    sl_list_remove(&b->link);
    sl_list_init(&b->link);
    pthread_mutex_unlock(&b->pool->lock);
    hvk_destroy(context, VK_KIND_VkCommandBuffer, b->object.id);
}

static void end_all(struct hvk_context *context, uint32_t count, const VkCommandBuffer *ids)
{
    for (uint32_t i = 0; i < count; i++) {
        struct hvk_command_buffer *b = buffer_find(context, HVK_U64(ids[i]));
        if (b != NULL) {
            hvk_command_buffer_end(context, b);
        }
    }
}

static bool is_idle(const struct hvk_command_buffer *b)
{
    return hvk_work_is_done(b->object.device, &b->work);
}

/* --- command buffers --- */

/* One native command buffer as an object; it is freed when that fails. */
static VkResult enter(struct hvk_call *call, struct hvk_device *device,
                      struct hvk_command_pool *pool, VkCommandBufferLevel level,
                      VkCommandBuffer native, VkCommandBuffer *slot)
{
    uint64_t id = HVK_U64(*slot);
    struct hvk_command_buffer *b = sl_alloc(sizeof *b);
    *slot = VK_NULL_HANDLE;
    if (b == NULL) {
        device->driver.FreeCommandBuffers(
            hvk_native(device), HVK_HANDLE(VkCommandPool, pool->object.native), 1, &native);
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    hvk_object_init(&b->object, VK_KIND_VkCommandBuffer, HVK_U64(native), device->object.instance,
                    device, buffer_release);
    b->pool = pool;
    b->level = level;
    (void)hvk_ref(&pool->object);
    pthread_mutex_lock(&pool->lock);
    sl_list_add(&pool->buffers, &b->link);
    pthread_mutex_unlock(&pool->lock);
    enum sl_result added = hvk_add_object(call, &b->object, &id);
    hvk_unref(&b->object);
    if (added != SL_OK) {
        return VK_ERROR_TOO_MANY_OBJECTS;
    }
    *slot = HVK_HANDLE(VkCommandBuffer, id);
    return VK_SUCCESS;
}

VkResult hvk_vkAllocateCommandBuffers(struct hvk_call *call,
                                      struct vk_args_vkAllocateCommandBuffers *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkAllocateCommandBuffers ids;
    uint32_t count = a->pAllocateInfo->commandBufferCount;
    VkCommandBuffer *natives = vk_unpack_alloc(&call->in, count, sizeof *natives);
    struct hvk_command_pool *pool =
        natives != NULL && vk_unpack_vkAllocateCommandBuffers(&again, &ids)
            ? hvk_command_pool_find(call->context, HVK_U64(ids.pAllocateInfo->commandPool))
            : NULL;
    VkResult result = VK_ERROR_VALIDATION_FAILED;
    if (pool != NULL && count != 0) {
        pthread_mutex_lock(&pool->lock);
        result =
            device->driver.AllocateCommandBuffers(hvk_native(device), a->pAllocateInfo, natives);
        pthread_mutex_unlock(&pool->lock);
    }
    if (result != VK_SUCCESS) {
        memset(a->pCommandBuffers, 0, count * sizeof *a->pCommandBuffers);
        return hvk_device_result(device, result);
    }
    for (uint32_t i = 0; i < count; i++) {
        VkResult one =
            enter(call, device, pool, a->pAllocateInfo->level, natives[i], &a->pCommandBuffers[i]);
        result = result == VK_SUCCESS ? one : result;
    }
    if (result != VK_SUCCESS) {
        end_all(call->context, count, a->pCommandBuffers);
        memset(a->pCommandBuffers, 0, count * sizeof *a->pCommandBuffers);
    }
    return hvk_device_result(device, result);
}

void hvk_vkFreeCommandBuffers(struct hvk_call *call, struct vk_args_vkFreeCommandBuffers *a)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkFreeCommandBuffers ids;
    (void)a;
    if (vk_unpack_vkFreeCommandBuffers(&again, &ids) && ids.pCommandBuffers != NULL) {
        end_all(call->context, ids.commandBufferCount, ids.pCommandBuffers);
    }
}

/* --- what was recorded --- */

/* Until nobody records into b on another ring. */
static bool settle(const struct hvk_context *context, const struct hvk_command_buffer *b)
{
    uint64_t end = 0;
    for (uint32_t tries = 0;; tries++) {
        /* Pairs with the last subtraction in flush: what was recorded is seen. */
        if (sl_atomic_load_acquire(&b->flushing) == 0) {
            return true;
        }
        if (sl_atomic_load_relaxed(&context->stop) != 0) {
            return false;
        }
        if (tries < 200) {
            sl_cpu_relax();
            continue;
        }
        uint64_t now = sl_clock_ns();
        end = end != 0 ? end : now + SETTLE_NS;
        if (now > end) {
            return false;
        }
        sl_clock_sleep_ns(20 * SL_NS_PER_US);
    }
}

bool hvk_command_buffer_ready(const struct hvk_call *call, struct hvk_queue *queue, uint64_t id)
{
    const struct hvk_context *context = call->context;
    bool recording = sl_atomic_load_acquire(&context->flushes) != 0;
    struct hvk_command_buffer *b = buffer_find(context, id);
    if (b == NULL || (recording && !settle(context, b)) || !hvk_uses_alive(context, &b->uses)) {
        return false;
    }
    if (b->copies_queries) {
        hvk_queries_settle(b);
    }
    hvk_work_give(&b->work, queue);
    hvk_uses_give(&b->uses, queue);
    hvk_drawn_submitted(call->context, b);
    return true;
}

/* Whoever executes it has looked at what was recorded before, and is not submitted again. */
static void new_generation(struct hvk_context *context, struct hvk_command_buffer *b)
{
    pthread_rwlock_wrlock(&context->natives);
    sl_atomic_store_relaxed(&b->is_executed, 0);
    b->generation++;
    context->ended++;
    pthread_rwlock_unlock(&context->natives);
}

/* The reason why not all of it was taken; NULL: it was. With `natives` and the pool's lock held. */
static const char *record(struct hvk_command_buffer *b, struct sl_arena *arena, const void *data,
                          size_t size, uint32_t *opcode)
{
    struct hvk_device *device = b->object.device;
    struct hvk_recording recording = {.driver = &device->driver,
                                      .native = HVK_HANDLE(VkCommandBuffer, b->object.native),
                                      .buffer = b,
                                      .device = device,
                                      .kept = data,
                                      .in = vk_unpack_over(NULL, 0, arena, &device->context->ids)};
    recording.in.named = hvk_uses_note;
    recording.in.user = &b->uses;
    const char *reason = vk_sub_decode(&recording, data, size);
    keep(&recording);
    *opcode = recording.opcode;
    return reason;
}

void hvk_command_again(struct hvk_command_buffer *b)
{
    struct hvk_context *context = b->object.device->context;
    struct sl_arena arena;
    uint32_t opcode;
    size_t size = b->kept_size;
    uint8_t *bytes = b->is_kept_short || size == 0 ? NULL : sl_alloc(size);
    if (bytes == NULL) {
        return; /* it stays as it is */
    }
    memcpy(bytes, b->kept, size);
    sl_arena_init(&arena, HR_PACKET_MAX);
    pthread_rwlock_rdlock(&context->natives);
    pthread_mutex_lock(&b->pool->lock);
    (void)record(b, &arena, bytes, size, &opcode);
    pthread_mutex_unlock(&b->pool->lock);
    pthread_rwlock_unlock(&context->natives);
    sl_arena_finish(&arena);
    sl_free(bytes);
}

void hvk_vkQueueFlushCommandsGOOGLE(struct hvk_call *call,
                                    struct vk_args_vkQueueFlushCommandsGOOGLE *a)
{
    struct hvk_context *context = call->context;
    struct hvk_command_buffer *b = buffer_find(context, a->commandBuffer_id);
    if (b == NULL) {
        return; /* the reader has found it: cannot be */
    }
    struct hvk_device *device = b->object.device;
    struct sl_arena *arena = &call->ring->arena;
    VkResult renewed = is_idle(b) ? VK_SUCCESS : hvk_command_buffer_renew(b);
    if (renewed != VK_SUCCESS) {
        hvk_device_fail(device, renewed, "a command buffer in use");
        return;
    }
    /* Whoever runs now may be about to execute it. */
    if (b->level == VK_COMMAND_BUFFER_LEVEL_SECONDARY &&
        (sl_atomic_load_relaxed(&b->is_executed) != 0 ||
         sl_atomic_load_acquire(&context->flushes) != 0)) {
        new_generation(context, b);
    }
    /* What was recorded may have lost an object since: then it is of no use there either. */
    bool is_restoring = context->is_restoring;
    (void)hvk_ref(&b->object);
    /* Sequentially consistent, before the turn is passed: submits of later turns see them. */
    (void)sl_atomic_add(&b->flushing, 1);
    (void)sl_atomic_add(&context->flushes, 1);
    pthread_rwlock_rdlock(&context->natives);
    pthread_mutex_lock(&b->pool->lock); /* in turns: what one pool records is in order */
    b->recorded_at = device->submits;
    hvk_pass(call);
    uint32_t opcode = 0;
    const char *reason = record(b, arena, a->pData, a->dataSize, &opcode);
    pthread_mutex_unlock(&b->pool->lock);
    pthread_rwlock_unlock(&context->natives);
    (void)sl_atomic_add(&b->flushing, UINT32_MAX);
    (void)sl_atomic_add(&context->flushes, UINT32_MAX);
    hvk_unref(&b->object);
    if (reason != NULL && !is_restoring) {
        const char *name = vk_op_name(opcode);
        hr_call_violate(call->hr, "%s: %s", name != NULL ? name : "a recorded command", reason);
    }
}

/* --- recorded commands that are not the driver's alone --- */

static void begin(struct hvk_recording *r, const VkCommandBufferBeginInfo *info)
{
    if (r->buffer->level == VK_COMMAND_BUFFER_LEVEL_SECONDARY && info->pInheritanceInfo == NULL) {
        vk_unpack_fail(&r->in, "a secondary command buffer inherits nothing");
        return;
    }
    r->buffer->bound = 0;
    r->buffer->counting_count = 0;
    r->buffer->resets_queries = false;
    r->buffer->copies_queries = false;
    r->buffer->cleared_layers = 0;
    r->buffer->is_rendering = false;
    r->buffer->inherits_pass =
        r->buffer->level == VK_COMMAND_BUFFER_LEVEL_SECONDARY &&
        (info->flags & VK_COMMAND_BUFFER_USAGE_RENDER_PASS_CONTINUE_BIT) != 0;
    r->buffer->in_pass = r->buffer->inherits_pass;
    r->buffer->subpasses_left = 0;
    hvk_command_buffer_forget(r->buffer);
    r->buffer->state = HVK_RECORDING;
    r->buffer->is_once = (info->flags & VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT) != 0;
    r->kept = r->body - RECORDED_HEADER;
    hvk_recorded(r, r->driver->BeginCommandBuffer(r->native, info), "vkBeginCommandBuffer");
}

void hvk_vkBeginCommandBuffer(struct hvk_recording *r, struct vk_args_vkBeginCommandBuffer *a)
{
    begin(r, a->pBeginInfo);
}

void hvk_vkBeginCommandBufferAsyncGOOGLE(struct hvk_recording *r,
                                         struct vk_args_vkBeginCommandBufferAsyncGOOGLE *a)
{
    begin(r, a->pBeginInfo);
}

static void end(struct hvk_recording *r)
{
    if (r->buffer->counting_count != 0) {
        vk_unpack_fail(&r->in, "it ends before a query of its own");
        return;
    }
    r->buffer->state = HVK_RECORDED;
    hvk_recorded(r, r->driver->EndCommandBuffer(r->native), "vkEndCommandBuffer");
}

void hvk_vkEndCommandBuffer(struct hvk_recording *r, struct vk_args_vkEndCommandBuffer *a)
{
    (void)a;
    end(r);
}

void hvk_vkEndCommandBufferAsyncGOOGLE(struct hvk_recording *r,
                                       struct vk_args_vkEndCommandBufferAsyncGOOGLE *a)
{
    (void)a;
    end(r);
}

static void reset(struct hvk_recording *r, VkCommandBufferResetFlags flags)
{
    hvk_command_buffer_forget(r->buffer);
    r->kept = r->end;
    hvk_recorded(r, r->driver->ResetCommandBuffer(r->native, flags), "vkResetCommandBuffer");
}

void hvk_vkResetCommandBuffer(struct hvk_recording *r, struct vk_args_vkResetCommandBuffer *a)
{
    reset(r, a->flags);
}

void hvk_vkResetCommandBufferAsyncGOOGLE(struct hvk_recording *r,
                                         struct vk_args_vkResetCommandBufferAsyncGOOGLE *a)
{
    reset(r, a->flags);
}

void hvk_vkCommandBufferHostSyncGOOGLE(struct hvk_recording *r,
                                       struct vk_args_vkCommandBufferHostSyncGOOGLE *a)
{
    (void)r, (void)a; /* streams without turns order themselves by it: ours have turns */
}

/* Drivers follow executed command buffers without end when they lead back to themselves. */
void hvk_vkCmdExecuteCommands(struct hvk_recording *r, struct vk_args_vkCmdExecuteCommands *a)
{
    struct hvk_context *context = r->device->context;
    const uint8_t *ids = r->in.end - (size_t)a->commandBufferCount * 8;
    if (r->buffer->level != VK_COMMAND_BUFFER_LEVEL_PRIMARY) {
        vk_unpack_fail(&r->in, "a secondary command buffer executes others");
        return;
    }
    for (uint32_t i = 0; i < a->commandBufferCount; i++) {
        struct hvk_command_buffer *b = buffer_find(context, sl_load_u64(ids + (size_t)i * 8));
        if (b == NULL || b->level != VK_COMMAND_BUFFER_LEVEL_SECONDARY || !settle(context, b) ||
            (b->resets_queries && r->buffer->counting_count != 0) ||
            !hvk_pass_executes(r->buffer, b)) {
            vk_unpack_fail(
                &r->in, "it executes what is no secondary command buffer, or resets what counts");
            return;
        }
        sl_atomic_store_relaxed(&b->is_executed, 1);
        hvk_queries_execute(r->buffer, b);
        hvk_drawn_execute(r, b);
    }
    r->driver->CmdExecuteCommands(r->native, a->commandBufferCount, a->pCommandBuffers);
}
