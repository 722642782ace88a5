/* What lives behind the recorder, and how it came. Device thread. */
#include "host/capture/cap_device_priv.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"

/* Without memory it is not known, and what is asked of it is not recorded. */
void cap_seen_come(struct cap_device *d, struct sl_map *map, uint32_t id,
                   const struct cap_seen *what)
{
    struct cap_seen *copy = sl_alloc(sizeof *copy);
    if (copy == NULL) {
        return;
    }
    *copy = *what;
    copy->recording = d->recording != NULL ? d->recordings : 0;
    copy->order = ++d->order;
    pthread_mutex_lock(&d->lock);
    enum sl_result result = sl_map_add(map, id, copy);
    pthread_mutex_unlock(&d->lock);
    if (result != SL_OK) {
        sl_free(copy);
    }
}

void cap_seen_go(struct cap_device *d, struct sl_map *map, uint32_t id)
{
    pthread_mutex_lock(&d->lock);
    struct cap_seen *what = sl_map_remove(map, id);
    pthread_mutex_unlock(&d->lock);
    if (what != NULL && what->mapping != NULL) {
        sl_shm_unmap(what->mapping, what->mapping_size);
    }
    while (what != NULL && what->attached != NULL) {
        struct cap_attached *a = what->attached;
        what->attached = a->next;
        sl_free(a);
    }
    sl_free(what);
}

/* Takes (ctx, resource) out, and contexts that are gone. */
void cap_seen_detach(struct cap_device *d, struct cap_seen *what, uint32_t ctx_id)
{
    for (struct cap_attached **at = &what->attached; *at != NULL;) {
        struct cap_attached *a = *at;
        const struct cap_seen *context = sl_map_find(&d->contexts, a->ctx_id);
        if (a->ctx_id == ctx_id || context == NULL || context->order > a->order) {
            *at = a->next;
            sl_free(a);
        } else {
            at = &a->next;
        }
    }
}

void cap_seen_attach(struct cap_device *d, uint32_t ctx_id, uint32_t resource_id)
{
    struct cap_seen *what = sl_map_find(&d->resources, resource_id);
    struct cap_attached *a = what != NULL ? sl_alloc(sizeof *a) : NULL;
    if (a != NULL) {
        cap_seen_detach(d, what, ctx_id);
        *a = (struct cap_attached){.ctx_id = ctx_id, .order = ++d->order, .next = what->attached};
        what->attached = a;
    }
}

static void go_all(struct cap_device *d, struct sl_map *map)
{
    uint32_t cursor = 0;
    uint64_t id;
    while (sl_map_next(map, &cursor, &id) != NULL) {
        cap_seen_go(d, map, (uint32_t)id);
    }
}

void cap_seen_watch(struct cap_device *d, uint32_t resource_id, const struct cap_seen *what,
                    const void *bytes, uint64_t size)
{
    enum cap_watch when = what->kind == CAP_SEEN_TEX ? CAP_WATCH_TRANSFER : CAP_WATCH_SUBMIT;
    const struct cap_resource resource = {.id = resource_id,
                                          .ctx_id =
                                              what->kind == CAP_SEEN_BLOB ? what->blob.ctx_id : 0,
                                          .blob_id = cap_seen_blob_id(what)};
    if (cap_memory_watch(&d->memory, &resource, when, bytes, size) != SL_OK) {
        sl_warn_limited("capture", "resource %u: no memory: recordings lack writes to it",
                        resource_id);
    }
}

void cap_device_forget(struct cap_device *d)
{
    uint32_t cursor = 0;
    uint64_t id;
    while (sl_map_next(&d->resources, &cursor, &id) != NULL) {
        cap_memory_forget(&d->memory, (uint32_t)id);
    }
    go_all(d, &d->resources);
    go_all(d, &d->contexts);
    memset(d->scanouts, 0, sizeof d->scanouts);
    memset(d->cursors, 0, sizeof d->cursors);
}
