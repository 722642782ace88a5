/* Ids that the guest chooses (SLUICE_FEATURE_VK_IDS): each thread has a few of its own, so that
 * most objects are made and freed without a lock; the rest is the host connection's.
 *
 * An id is generation << 32 | index + 1. Who gives one back has sent the packet that ends its
 * object, and who takes it sends a later one: turns keep them in order. */
#include "guest/vulkan/gvk.h"

#include "transport/base/ids.h"
#include "transport/base/mem.h"

#define BATCH      64u /* ids that a thread takes and gives back at once */
#define GENERATION 0xffffffull

static bool push(struct gvk_ids *ids, uint64_t id)
{
    if (ids->count == ids->capacity) {
        size_t capacity = ids->capacity == 0 ? (size_t)2 * BATCH : ids->capacity * 2;
        uint64_t *spare = sl_realloc(ids->spare, capacity * sizeof *spare);
        if (spare == NULL) {
            return false;
        }
        ids->spare = spare;
        ids->capacity = capacity;
    }
    ids->spare[ids->count++] = id;
    return true;
}

void gvk_ids_finish(struct gvk_ids *ids)
{
    sl_free(ids->spare);
    *ids = (struct gvk_ids){.count = 0};
}

void gvk_ids_move(struct gvk_ids *to, struct gvk_ids *from)
{
    while (from->count != 0 && push(to, from->spare[from->count - 1])) {
        from->count--;
    }
}

/* One of the connection's; 0: there is none. */
static uint64_t take_locked(struct gvk_host *host)
{
    struct gvk_ids *ids = &host->ids;
    if (ids->count != 0) {
        return ids->spare[--ids->count];
    }
    return ids->fresh < SL_IDS_MAX - SL_IDS_PEER_FIRST ? SL_IDS_PEER_FIRST + 1 + ids->fresh++ : 0;
}

uint64_t gvk_id_take(struct gvk_host *host)
{
    if (!host->guest_ids) {
        return 0;
    }
    struct gvk_stream *stream = gvk_stream_peek(host);
    if (SL_LIKELY(stream != NULL && stream->ids.count != 0)) {
        return stream->ids.spare[--stream->ids.count];
    }
    pthread_mutex_lock(&host->id_lock);
    uint64_t taken = take_locked(host);
    for (uint32_t i = 1; i < BATCH && stream != NULL && taken != 0; i++) {
        uint64_t more = take_locked(host);
        if (more == 0 || !push(&stream->ids, more)) {
            if (more != 0) {
                (void)push(&host->ids, more); /* else it is not used again: no harm */
            }
            break;
        }
    }
    pthread_mutex_unlock(&host->id_lock);
    return taken;
}

void gvk_id_give(struct gvk_host *host, uint64_t id)
{
    uint32_t index = (uint32_t)id - 1;
    if (!host->guest_ids || index < SL_IDS_PEER_FIRST || index >= SL_IDS_MAX ||
        (id & GVK_LOCAL_ID) != 0) {
        return;
    }
    uint64_t next = (((id >> 32) + 1) & GENERATION) << 32 | (uint32_t)id;
    struct gvk_stream *stream = gvk_stream_peek(host);
    if (SL_LIKELY(stream != NULL) && push(&stream->ids, next)) {
        if (stream->ids.count < (size_t)2 * BATCH) {
            return;
        }
        pthread_mutex_lock(&host->id_lock);
        for (uint32_t i = 0; i < BATCH; i++) {
            (void)push(&host->ids, stream->ids.spare[--stream->ids.count]);
        }
        pthread_mutex_unlock(&host->id_lock);
        return;
    }
    pthread_mutex_lock(&host->id_lock);
    (void)push(&host->ids, next);
    pthread_mutex_unlock(&host->id_lock);
}
