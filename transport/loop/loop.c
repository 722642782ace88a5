/* The loop's device and its thread: one call at a time is handed over and waited for. */
#include "transport/loop/loop_priv.h"

#include "transport/base/mem.h"
#include "transport/base/thread.h"

static void on_fence_done(void *user, uint32_t ctx_id, uint32_t ring, uint64_t fence_id)
{
    (void)ctx_id;
    (void)ring;
    struct loop *loop = user;
    vgd_fences_leave(&loop->fences, fence_id, true);
}

static void on_ctx_lost(void *user, uint32_t ctx_id, const char *reason)
{
    (void)reason; /* the device logged it */
    struct loop *loop = user;
    pthread_mutex_lock(&loop->guests_lock);
    SL_LIST_FOR (link, &loop->guests) {
        struct loop_vg *guest = SL_CONTAINER(link, struct loop_vg, link);
        if (guest->ctx_id == ctx_id) {
            guest->is_lost = true;
        }
    }
    pthread_mutex_unlock(&loop->guests_lock);
}

static void *device_thread(void *user)
{
    struct loop *loop = user;
    struct vgd_sink sink = {.user = loop, .fence_done = on_fence_done, .ctx_lost = on_ctx_lost};
    enum sl_result made = loop->make(loop->make_user, &sink, &loop->device);
    pthread_mutex_lock(&loop->lock);
    loop->made = made;
    loop->is_up = true;
    pthread_cond_broadcast(&loop->changed);
    while (made == SL_OK && !loop->stop) {
        if (loop->call == NULL) {
            pthread_cond_wait(&loop->changed, &loop->lock);
            continue;
        }
        struct loop_call *call = loop->call;
        pthread_mutex_unlock(&loop->lock);
        call->fn(loop->device, call->user);
        pthread_mutex_lock(&loop->lock);
        loop->call = NULL;
        call->done = true;
        pthread_cond_broadcast(&loop->changed);
    }
    pthread_mutex_unlock(&loop->lock);
    if (made == SL_OK) {
        loop->device->ops->destroy(loop->device);
    }
    return NULL;
}

void loop_call(struct loop *loop, void (*fn)(struct vgd *device, void *user), void *user)
{
    struct loop_call call = {.fn = fn, .user = user};
    pthread_mutex_lock(&loop->lock);
    while (loop->call != NULL) {
        pthread_cond_wait(&loop->changed, &loop->lock);
    }
    loop->call = &call;
    pthread_cond_broadcast(&loop->changed);
    while (!call.done) {
        pthread_cond_wait(&loop->changed, &loop->lock);
    }
    pthread_mutex_unlock(&loop->lock);
}

static void finish(struct loop *loop)
{
    vgd_fences_finish(&loop->fences);
    pthread_cond_destroy(&loop->changed);
    pthread_mutex_destroy(&loop->guests_lock);
    pthread_mutex_destroy(&loop->lock);
    sl_free(loop);
}

enum sl_result loop_create(loop_make_fn make, void *user, struct loop **out)
{
    struct loop *loop = sl_alloc(sizeof *loop);
    if (loop == NULL) {
        return SL_ERR_NOMEM;
    }
    loop->make = make;
    loop->make_user = user;
    pthread_mutex_init(&loop->lock, NULL);
    pthread_mutex_init(&loop->guests_lock, NULL);
    pthread_cond_init(&loop->changed, NULL);
    vgd_fences_init(&loop->fences);
    sl_list_init(&loop->guests);
    enum sl_result r = sl_thread_start(&loop->thread, "sluice-loop", 8u << 20, device_thread, loop);
    if (r == SL_OK) {
        pthread_mutex_lock(&loop->lock);
        while (!loop->is_up) {
            pthread_cond_wait(&loop->changed, &loop->lock);
        }
        r = loop->made;
        pthread_mutex_unlock(&loop->lock);
        if (r == SL_OK) {
            *out = loop;
            return SL_OK;
        }
        pthread_join(loop->thread, NULL);
    }
    finish(loop);
    return r;
}

void loop_destroy(struct loop *loop)
{
    if (loop == NULL) {
        return;
    }
    pthread_mutex_lock(&loop->lock);
    loop->stop = true;
    pthread_cond_broadcast(&loop->changed);
    pthread_mutex_unlock(&loop->lock);
    pthread_join(loop->thread, NULL);
    finish(loop);
}
