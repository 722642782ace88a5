/* Fences: the embedder's, each behind one of the device's, and descriptors of those to be exported.
 */
#include "host/abi/abi.h"

#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#define WAITING_MAX 65536u
#define EXPORTS_MAX 1024u /* made to be exported, and not asked for yet */

struct abi_fence {
    struct stream_renderer_fence out; /* for the callback */
    int event;                        /* -1: nobody will have it */
};

struct abi_export {
    struct sl_list link; /* abi_fences.exports */
    uint64_t fence_id;   /* the embedder's */
    int event;
};

void abi_fences_init(struct abi_fences *fences)
{
    *fences = (struct abi_fences){0};
    pthread_mutex_init(&fences->lock, NULL);
    sl_map_init(&fences->waiting, WAITING_MAX);
    sl_list_init(&fences->exports);
}

static void export_free(struct abi_fences *fences, struct abi_export *export)
{
    sl_list_remove(&export->link);
    fences->export_count--;
    sl_fd_close(&export->event);
    sl_free(export);
}

void abi_fences_finish(struct abi_fences *fences)
{
    while (!sl_list_empty(&fences->exports)) {
        export_free(fences, SL_CONTAINER(fences->exports.next, struct abi_export, link));
    }
    sl_map_finish(&fences->waiting);
    pthread_mutex_destroy(&fences->lock);
}

static struct abi_fence *take(struct abi_fences *fences, uint64_t device_id)
{
    pthread_mutex_lock(&fences->lock);
    struct abi_fence *fence = sl_map_remove(&fences->waiting, (uint32_t)device_id);
    pthread_mutex_unlock(&fences->lock);
    return fence;
}

void abi_fence_done(struct abi *abi, uint64_t device_id)
{
    struct abi_fence *fence = take(&abi->fences, device_id);
    if (fence == NULL) {
        return;
    }
    if (fence->event >= 0) {
        sl_fd_signal(fence->event);
        sl_fd_close(&fence->event);
    }
    if (abi->options.fence_callback != NULL) {
        abi->options.fence_callback(abi->options.user, &fence->out);
    }
    sl_free(fence);
}

/* An eventfd for who exports the fence, and another descriptor of it for who signals it. */
static enum sl_result make_export(struct abi_fences *fences, uint64_t fence_id, int *signal,
                                  struct abi_export **out)
{
    if (fences->export_count >= EXPORTS_MAX) {
        sl_warn_limited("abi", "fence %llu: %u shareable fences were never exported",
                        (unsigned long long)fence_id, EXPORTS_MAX);
        return SL_ERR_NOMEM;
    }
    struct abi_export *export = sl_alloc(sizeof *export);
    if (export == NULL) {
        return SL_ERR_NOMEM;
    }
    *export = (struct abi_export){.fence_id = fence_id, .event = -1};
    enum sl_result r = sl_fd_event(&export->event);
    if (r == SL_OK) {
        r = sl_fd_dup(export->event, signal);
    }
    if (r != SL_OK) {
        sl_fd_close(&export->event);
        sl_free(export);
        return r;
    }
    sl_list_add(&fences->exports, &export->link);
    fences->export_count++;
    *out = export;
    return SL_OK;
}

static enum sl_result enqueue(struct abi *abi, const struct stream_renderer_fence *fence, int event)
{
    struct abi_fences *fences = &abi->fences;
    bool on_ring = (fence->flags & STREAM_RENDERER_FENCE_FLAG_RING_IDX) != 0;
    struct abi_fence *entry = sl_alloc(sizeof *entry);
    if (entry == NULL) {
        sl_fd_close(&event);
        return SL_ERR_NOMEM;
    }
    *entry = (struct abi_fence){.out = *fence, .event = event};
    entry->out.flags &= ~(uint32_t)STREAM_RENDERER_FENCE_FLAG_SHAREABLE;
    uint64_t id = ++fences->last_id;
    pthread_mutex_lock(&fences->lock);
    enum sl_result r = sl_map_add(&fences->waiting, (uint32_t)id, entry);
    pthread_mutex_unlock(&fences->lock);
    if (r == SL_OK) {
        r = abi->device->ops->fence(abi->device, on_ring ? fence->ctx_id : 0,
                                    on_ring ? fence->ring_idx : VIRTGPU_RING_GLOBAL, id);
        if (r != SL_OK) {
            (void)take(fences, id);
        }
    }
    if (r != SL_OK) {
        sl_fd_close(&entry->event);
        sl_free(entry);
    }
    return r;
}

static enum sl_result create(struct abi *abi, const struct stream_renderer_fence *fence)
{
    struct abi_export *export = NULL;
    int event = -1;
    if ((fence->flags & STREAM_RENDERER_FENCE_FLAG_SHAREABLE) != 0) {
        enum sl_result r = make_export(&abi->fences, fence->fence_id, &event, &export);
        if (r != SL_OK) {
            return r;
        }
    }
    enum sl_result r = enqueue(abi, fence, event);
    if (r != SL_OK && export != NULL) {
        export_free(&abi->fences, export);
    }
    return r;
}

VG_EXPORT int stream_renderer_create_fence(const struct stream_renderer_fence *fence)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return -EINVAL;
    }
    enum sl_result r = fence != NULL ? create(abi, fence) : SL_ERR_INVALID;
    abi_leave();
    return abi_status(r);
}

VG_EXPORT int stream_renderer_export_fence(uint64_t fence_id, struct stream_renderer_handle *handle)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return -EINVAL;
    }
    int status = -EINVAL;
    SL_LIST_FOR(link, &abi->fences.exports)
    {
        struct abi_export *export = SL_CONTAINER(link, struct abi_export, link);
        if (handle != NULL && export->fence_id == fence_id) {
            *handle = (struct stream_renderer_handle){
                .os_handle = export->event, .handle_type = STREAM_HANDLE_TYPE_SIGNAL_EVENT_FD};
            export->event = -1;
            export_free(&abi->fences, export);
            status = 0;
            break;
        }
    }
    abi_leave();
    return status;
}
