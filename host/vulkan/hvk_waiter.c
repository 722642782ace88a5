/* Exported fences: a thread that tells the device when they have signalled.
 *
 * One thread a context, from the first export on. It looks in slices, so that it sees exports that
 * came while it waits for older ones, and ends soon when it shall. */
#include "host/vulkan/hvk_family.h"

#include "transport/base/atomic.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

/* Natively waited for at once, and how long before newer exports are looked at. */
#define BATCH       64u
#define SLICE_NS    (2ull * 1000 * 1000)
#define PENDING_MAX 65536u

struct item {
    struct sl_list link;
    struct hvk_payload *payload; /* a reference */
    uint64_t task;
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
};

static void item_free(struct item *item)
{
    hvk_payload_unref(item->payload);
    sl_free(item);
}

/* The oldest items of one device, moved to `batch`; their natives. False: the end. */
static bool gather(struct waiter *w, struct sl_list *batch, VkFence *natives, uint32_t *count)
{
    pthread_mutex_lock(&w->lock);
    while (sl_list_empty(&w->items) && !w->stop) {
        pthread_cond_wait(&w->wake, &w->lock);
    }
    bool go = !w->stop;
    const struct hvk_device *device = NULL;
    *count = 0;
    if (go) {
        SL_LIST_FOR_SAFE(at, &w->items)
        {
            struct item *item = SL_CONTAINER(at, struct item, link);
            device = device != NULL ? device : item->payload->device;
            if (item->payload->device == device && *count < BATCH) {
                sl_list_remove(&item->link);
                sl_list_add(batch, &item->link);
                natives[(*count)++] = item->payload->native;
            }
        }
    }
    pthread_mutex_unlock(&w->lock);
    return go;
}

/* What has signalled is done; the rest goes behind what came meanwhile. */
static void settle(struct waiter *w, struct sl_list *batch)
{
    const struct hct_env *env = w->context->env;
    SL_LIST_FOR_SAFE(at, batch)
    {
        struct item *item = SL_CONTAINER(at, struct item, link);
        struct hvk_device *device = item->payload->device;
        VkResult status = device->driver.GetFenceStatus(hvk_native(device), item->payload->native);
        bool done = status != VK_NOT_READY || sl_atomic_load_relaxed(&device->error) != 0;
        sl_list_remove(&item->link);
        if (done) {
            env->task_done(env->user, item->task);
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
    VkFence natives[BATCH];
    struct sl_list batch;
    uint32_t count;
    sl_list_init(&batch);
    while (gather(w, &batch, natives, &count)) {
        const struct item *first = SL_CONTAINER(batch.next, struct item, link);
        struct hvk_device *device = first->payload->device;
        (void)device->driver.WaitForFences(hvk_native(device), count, natives, VK_FALSE, SLICE_NS);
        settle(w, &batch);
    }
    return NULL;
}

/* Device thread. NULL: no memory, or no thread. */
static struct waiter *waiter_of(struct hvk_context *context)
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

enum sl_result hvk_waiter_export(struct hvk_context *context, uint64_t device_id, uint64_t fence_id,
                                 uint64_t task)
{
    struct hvk_payload *payload = payload_find(context, device_id, fence_id);
    if (payload == NULL) {
        context->env->task_done(context->env->user, task);
        return SL_OK;
    }
    struct waiter *w = waiter_of(context);
    struct item *item = w != NULL ? sl_alloc(sizeof *item) : NULL;
    if (item == NULL) {
        hvk_payload_unref(payload);
        return SL_ERR_NOMEM;
    }
    *item = (struct item){.payload = payload, .task = task};
    pthread_mutex_lock(&w->lock);
    bool room = w->count < PENDING_MAX;
    if (room) {
        w->count++;
        sl_list_add(&w->items, &item->link);
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->lock);
    if (!room) {
        sl_warn_limited("vulkan", "context %u: more than %u exported fences pending",
                        context->ctx_id, PENDING_MAX);
        item_free(item);
        return SL_ERR_NOMEM;
    }
    return SL_OK;
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
