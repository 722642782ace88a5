/* What somebody outside waits for: exported fences, which the device is told of, and fences and
 * timelines that the guest watches in its status page.
 *
 * One thread a context, from the first of them on. It looks in slices, so that it sees what came
 * while it waits for older ones, and ends soon when it shall. A fence that is not submitted yet it
 * leaves alone: a submit has its fence to itself. */
#include "host/vulkan/hvk_family.h"

#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

/* Natively waited for at once, and how long before newer ones are looked at: fences alone or
 * timelines alone, and each of them in turn where there are both. */
#define BATCH         64u
#define SLICE_NS      (1000ull * 1000)
#define BOTH_SLICE_NS (100ull * 1000)
#define PENDING_MAX   65536u

struct item {
    struct sl_list link;
    struct hvk_payload *payload;     /* a reference; NULL: a timeline */
    struct hvk_semaphore *semaphore; /* a reference */
    uint64_t reached;                /* of the timeline */
    struct hvk_pages *status;        /* a reference; NULL: an export, whose task is */
    uint64_t task;
    uint32_t slot, value; /* what is written where */
};

/* hvk_context.waiter. */
struct waiter {
    struct hvk_context *context;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    struct sl_list items; /* struct item.link, the oldest first */
    uint32_t count;
    bool stop;
    bool rang; /* since the last batch was gathered */
};

/* One device's items that are waited for at once. */
struct batch {
    struct sl_list items;
    struct hvk_device *device;
    uint32_t count;
    uint32_t fences, semaphores; /* of them, those that may be looked at */
    VkFence fence[BATCH];
    VkSemaphore semaphore[BATCH];
    uint64_t reached[BATCH];
};

static struct hvk_device *device_of(const struct item *item)
{
    return item->payload != NULL ? item->payload->device : item->semaphore->object.device;
}

static void item_free(struct item *item)
{
    hvk_payload_unref(item->payload);
    hvk_unref(item->semaphore != NULL ? &item->semaphore->object : NULL);
    hvk_pages_unref(item->status);
    sl_free(item);
}

static bool is_to_come(const struct item *item)
{
    return item->payload != NULL && sl_atomic_load_acquire(&item->payload->is_submitted) == 0;
}

static void batch_add(struct batch *b, struct item *item)
{
    sl_list_remove(&item->link);
    sl_list_add(&b->items, &item->link);
    b->count++;
    if (is_to_come(item)) {
        return;
    }
    if (item->payload != NULL) {
        b->fence[b->fences++] = item->payload->native;
    } else {
        b->semaphore[b->semaphores] = HVK_HANDLE(VkSemaphore, item->semaphore->object.native);
        b->reached[b->semaphores++] = item->reached;
    }
}

/* The oldest items of one device. False: the end. */
static bool gather(struct waiter *w, struct batch *b)
{
    pthread_mutex_lock(&w->lock);
    while (sl_list_empty(&w->items) && !w->stop) {
        pthread_cond_wait(&w->wake, &w->lock);
    }
    bool go = !w->stop;
    w->rang = false;
    b->device = NULL;
    b->count = b->fences = b->semaphores = 0;
    if (go) {
        SL_LIST_FOR_SAFE(at, &w->items)
        {
            struct item *item = SL_CONTAINER(at, struct item, link);
            b->device = b->device != NULL ? b->device : device_of(item);
            if (device_of(item) == b->device && b->count < BATCH) {
                batch_add(b, item);
            }
        }
    }
    pthread_mutex_unlock(&w->lock);
    return go;
}

static void wait_some(struct waiter *w, const struct batch *b)
{
    if (b->fences + b->semaphores == 0) {
        pthread_mutex_lock(&w->lock);
        if (!w->stop && !w->rang) {
            (void)sl_cond_wait_until(&w->wake, &w->lock, sl_clock_ns() + SLICE_NS);
        }
        pthread_mutex_unlock(&w->lock);
        return;
    }
    const struct vk_driver_device *driver = &b->device->driver;
    uint64_t slice = b->fences != 0 && b->semaphores != 0 ? BOTH_SLICE_NS : SLICE_NS;
    if (b->fences != 0) {
        (void)driver->WaitForFences(hvk_native(b->device), b->fences, b->fence, VK_FALSE, slice);
    }
    if (b->semaphores != 0) {
        const VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                          .flags = VK_SEMAPHORE_WAIT_ANY_BIT,
                                          .semaphoreCount = b->semaphores,
                                          .pSemaphores = b->semaphore,
                                          .pValues = b->reached};
        (void)driver->WaitSemaphores(hvk_native(b->device), &info, slice);
    }
}

/* It has come to what it was waited for, or never will. */
static bool is_done(const struct item *item)
{
    struct hvk_device *device = device_of(item);
    if (sl_atomic_load_relaxed(&device->error) != 0) {
        return true;
    }
    if (is_to_come(item)) {
        return false;
    }
    if (item->payload != NULL) {
        VkResult status = device->driver.GetFenceStatus(hvk_native(device), item->payload->native);
        return status != VK_NOT_READY;
    }
    uint64_t value = 0;
    VkSemaphore native = HVK_HANDLE(VkSemaphore, item->semaphore->object.native);
    VkResult result = device->driver.GetSemaphoreCounterValue(hvk_native(device), native, &value);
    /* Nobody else's: the guest destroyed it. */
    bool orphan = sl_atomic_load_relaxed(&item->semaphore->object.refs) == 1;
    return result != VK_SUCCESS || value >= item->reached || orphan;
}

static void tell(const struct waiter *w, const struct item *item)
{
    if (item->status == NULL) {
        w->context->env->task_done(w->context->env->user, item->task);
        return;
    }
    uint32_t *slots = item->status->pointer;
    /* The guest's load acquires: what was waited for happened before. */
    sl_atomic_store_release(&slots[item->slot], item->value);
}

/* What is done is told; the rest goes behind what came meanwhile. */
static void settle(struct waiter *w, struct batch *b)
{
    SL_LIST_FOR_SAFE(at, &b->items)
    {
        struct item *item = SL_CONTAINER(at, struct item, link);
        bool done = is_done(item);
        sl_list_remove(&item->link);
        if (done) {
            tell(w, item);
            item_free(item);
        }
        pthread_mutex_lock(&w->lock);
        if (done) {
            w->count--;
        } else {
            sl_list_add(&w->items, &item->link);
        }
        pthread_mutex_unlock(&w->lock);
    }
}

static void *run(void *user)
{
    struct waiter *w = user;
    struct batch batch;
    sl_list_init(&batch.items);
    while (gather(w, &batch)) {
        wait_some(w, &batch);
        settle(w, &batch);
    }
    return NULL;
}

/* context->lock is held. NULL: no memory, or no thread. */
static struct waiter *waiter_locked(struct hvk_context *context)
{
    struct waiter *w = context->waiter;
    if (w != NULL) {
        return w;
    }
    w = sl_alloc(sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    *w = (struct waiter){.context = context};
    pthread_mutex_init(&w->lock, NULL);
    sl_cond_init(&w->wake);
    sl_list_init(&w->items);
    if (sl_thread_start(&w->thread, "vk-waiter", 0, run, w) != SL_OK) {
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
        sl_free(w);
        return NULL;
    }
    context->waiter = w;
    return w;
}

/* The fence's payload with a reference; NULL: no such fence of that device. */
static struct hvk_payload *payload_find(struct hvk_context *context, uint64_t device_id,
                                        uint64_t fence_id)
{
    struct hvk_payload *payload = NULL;
    uint64_t native;
    void *record;
    /* What is in the table while the lock is held is alive. */
    pthread_mutex_lock(&context->lock);
    if (sl_ids_find(&context->ids, VK_KIND_VkFence, fence_id, &native, &record)) {
        const struct hvk_fence *fence = record;
        if (fence->object.device->object.id == device_id) {
            payload = hvk_payload_ref(fence->payload);
        }
    }
    pthread_mutex_unlock(&context->lock);
    return payload;
}

/* Takes the item, whatever comes of it. */
static enum sl_result add(struct hvk_context *context, struct item *item)
{
    pthread_mutex_lock(&context->lock);
    struct waiter *w = waiter_locked(context);
    pthread_mutex_unlock(&context->lock);
    bool room = false;
    if (w != NULL) {
        pthread_mutex_lock(&w->lock);
        room = w->count < PENDING_MAX;
        if (room) {
            w->count++;
            sl_list_add(&w->items, &item->link);
            w->rang = true;
            pthread_cond_signal(&w->wake);
        }
        pthread_mutex_unlock(&w->lock);
    }
    if (!room) {
        sl_warn_limited("vulkan", "context %u: no room to wait for more than %u", context->ctx_id,
                        PENDING_MAX);
        item_free(item);
        return SL_ERR_NOMEM;
    }
    return SL_OK;
}

enum sl_result hvk_waiter_export(struct hvk_context *context, uint64_t device_id, uint64_t fence_id,
                                 uint64_t task)
{
    struct hvk_payload *payload = payload_find(context, device_id, fence_id);
    if (payload == NULL) {
        context->env->task_done(context->env->user, task);
        return SL_OK;
    }
    struct item *item = sl_alloc(sizeof *item);
    if (item == NULL) {
        hvk_payload_unref(payload);
        return SL_ERR_NOMEM;
    }
    *item = (struct item){.payload = payload, .task = task};
    return add(context, item);
}

void hvk_waiter_watch(struct hvk_context *context, struct hvk_payload *payload,
                      struct hvk_semaphore *semaphore, uint64_t reached, struct hvk_pages *status,
                      uint32_t slot, uint32_t value)
{
    struct item *item = sl_alloc(sizeof *item);
    if (item == NULL) {
        return; /* not told, the guest asks */
    }
    *item = (struct item){
        .reached = reached, .status = hvk_pages_ref(status), .slot = slot, .value = value};
    if (payload != NULL) {
        item->payload = hvk_payload_ref(payload);
    } else {
        (void)hvk_ref(&semaphore->object);
        item->semaphore = semaphore;
    }
    (void)add(context, item);
}

void hvk_waiter_wake(struct hvk_context *context)
{
    pthread_mutex_lock(&context->lock);
    struct waiter *w = context->waiter;
    pthread_mutex_unlock(&context->lock);
    if (w != NULL) {
        pthread_mutex_lock(&w->lock);
        w->rang = true;
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->lock);
    }
}

void hvk_waiter_stop(struct hvk_context *context)
{
    struct waiter *w = context->waiter;
    if (w != NULL) {
        pthread_mutex_lock(&w->lock);
        w->stop = true;
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->lock);
        pthread_join(w->thread, NULL);
    }
}

void hvk_waiter_finish(struct hvk_context *context)
{
    struct waiter *w = context->waiter;
    if (w == NULL) {
        return;
    }
    SL_LIST_FOR_SAFE(at, &w->items)
    {
        item_free(SL_CONTAINER(at, struct item, link));
    }
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    sl_free(w);
    context->waiter = NULL;
}
