/* Timelines: one lane for each (context, ring); what was enqueued leaves it in order. A fence
 * leaves when it is in front, a task when it is in front and done. The device-wide timeline needs
 * no lane: no task ever stands on it. */
#include "host/device/dev.h"

#include "transport/base/mem.h"

struct dev_item {
    struct sl_list link; /* dev_lanes.lane[] */
    struct dev_lanes *lanes;
    uint64_t id;
    uint32_t ring;
    bool is_task;
    bool done; /* tasks */
};

struct dev_lanes {
    uint32_t ctx_id;
    bool lost;
    uint32_t pending;
    struct sl_list lane[VIRTGPU_MAX_RINGS]; /* struct dev_item.link */
};

void dev_timelines_init(struct dev_timelines *t, const struct vgd_sink *sink, uint32_t pending_max)
{
    *t = (struct dev_timelines){.sink = *sink, .pending_max = pending_max};
    sl_map_init(&t->contexts, SL_MAP_MOST);
    sl_map_init(&t->tasks, SL_MAP_MOST);
    pthread_mutex_init(&t->lock, NULL);
}

void dev_timelines_finish(struct dev_timelines *t)
{
    sl_map_finish(&t->contexts);
    sl_map_finish(&t->tasks);
    pthread_mutex_destroy(&t->lock);
}

enum sl_result dev_timelines_ctx_add(struct dev_timelines *t, uint32_t ctx_id)
{
    struct dev_lanes *lanes = sl_alloc(sizeof *lanes);
    if (lanes == NULL) {
        return SL_ERR_NOMEM;
    }
    lanes->ctx_id = ctx_id;
    for (uint32_t i = 0; i < VIRTGPU_MAX_RINGS; i++) {
        sl_list_init(&lanes->lane[i]);
    }
    pthread_mutex_lock(&t->lock);
    enum sl_result r = sl_map_add(&t->contexts, ctx_id, lanes);
    pthread_mutex_unlock(&t->lock);
    if (r != SL_OK) {
        sl_free(lanes);
    }
    return r;
}

static void tell_fence(struct dev_timelines *t, uint32_t ctx_id, uint32_t ring, uint64_t id)
{
    if (t->sink.fence_done != NULL) {
        t->sink.fence_done(t->sink.user, ctx_id, ring, id);
    }
}

static void item_leave_locked(struct dev_timelines *t, struct dev_item *item)
{
    sl_list_remove(&item->link);
    item->lanes->pending--;
    if (item->is_task) {
        (void)sl_map_remove(&t->tasks, (uint32_t)item->id);
    } else {
        tell_fence(t, item->lanes->ctx_id, item->ring, item->id);
    }
    sl_free(item);
}

static void lane_retire_locked(struct dev_timelines *t, struct sl_list *lane)
{
    while (!sl_list_empty(lane)) {
        struct dev_item *item = SL_CONTAINER(lane->next, struct dev_item, link);
        if (item->is_task && !item->done) {
            return;
        }
        item_leave_locked(t, item);
    }
}

static void lanes_settle_locked(struct dev_timelines *t, struct dev_lanes *lanes)
{
    for (uint32_t i = 0; i < VIRTGPU_MAX_RINGS; i++) {
        while (!sl_list_empty(&lanes->lane[i])) {
            item_leave_locked(t, SL_CONTAINER(lanes->lane[i].next, struct dev_item, link));
        }
    }
}

void dev_timelines_ctx_remove(struct dev_timelines *t, uint32_t ctx_id)
{
    pthread_mutex_lock(&t->lock);
    struct dev_lanes *lanes = sl_map_remove(&t->contexts, ctx_id);
    if (lanes != NULL) {
        lanes_settle_locked(t, lanes);
    }
    pthread_mutex_unlock(&t->lock);
    sl_free(lanes);
}

void dev_timelines_ctx_lose(struct dev_timelines *t, uint32_t ctx_id, const char *reason)
{
    pthread_mutex_lock(&t->lock);
    struct dev_lanes *lanes = sl_map_find(&t->contexts, ctx_id);
    if (lanes != NULL && !lanes->lost) {
        lanes->lost = true;
        lanes_settle_locked(t, lanes);
        if (t->sink.ctx_lost != NULL) {
            t->sink.ctx_lost(t->sink.user, ctx_id, reason);
        }
    }
    pthread_mutex_unlock(&t->lock);
}

bool dev_timelines_ctx_is_lost(struct dev_timelines *t, uint32_t ctx_id)
{
    pthread_mutex_lock(&t->lock);
    const struct dev_lanes *lanes = sl_map_find(&t->contexts, ctx_id);
    bool lost = lanes != NULL && lanes->lost;
    pthread_mutex_unlock(&t->lock);
    return lost;
}

static enum sl_result item_add_locked(struct dev_timelines *t, struct dev_lanes *lanes,
                                      const struct dev_item *values)
{
    if (lanes->pending >= t->pending_max) {
        return SL_ERR_NOMEM;
    }
    struct dev_item *item = sl_alloc(sizeof *item);
    if (item == NULL) {
        return SL_ERR_NOMEM;
    }
    *item = *values;
    item->lanes = lanes;
    if (item->is_task) {
        enum sl_result r = sl_map_add(&t->tasks, (uint32_t)item->id, item);
        if (r != SL_OK) {
            sl_free(item);
            return r;
        }
    }
    sl_list_add(&lanes->lane[item->ring], &item->link);
    lanes->pending++;
    return SL_OK;
}

enum sl_result dev_timelines_task_begin(struct dev_timelines *t, uint32_t ctx_id, uint32_t ring,
                                        uint64_t *task)
{
    if (ring >= VIRTGPU_MAX_RINGS) {
        return SL_ERR_INVALID;
    }
    pthread_mutex_lock(&t->lock);
    enum sl_result r = SL_ERR_NOTFOUND;
    struct dev_lanes *lanes = sl_map_find(&t->contexts, ctx_id);
    if (lanes != NULL && lanes->lost) {
        r = SL_ERR_DEVICE_LOST;
    } else if (lanes != NULL) {
        do {
            t->next_task++;
        } while (t->next_task == 0 || sl_map_find(&t->tasks, t->next_task) != NULL);
        uint64_t id = (uint64_t)ctx_id << 32 | t->next_task;
        r = item_add_locked(t, lanes, &(struct dev_item){.id = id, .ring = ring, .is_task = true});
        if (r == SL_OK) {
            *task = id;
        }
    }
    pthread_mutex_unlock(&t->lock);
    return r;
}

void dev_timelines_task_done(struct dev_timelines *t, uint64_t task)
{
    pthread_mutex_lock(&t->lock);
    struct dev_item *item = sl_map_find(&t->tasks, (uint32_t)task);
    if (item != NULL && item->id == task) {
        item->done = true;
        lane_retire_locked(t, &item->lanes->lane[item->ring]);
    }
    pthread_mutex_unlock(&t->lock);
}

enum sl_result dev_timelines_fence(struct dev_timelines *t, uint32_t ctx_id, uint32_t ring,
                                   uint64_t id)
{
    bool is_global = ctx_id == 0 && ring == VIRTGPU_RING_GLOBAL;
    if (!is_global && ring >= VIRTGPU_MAX_RINGS) {
        return SL_ERR_INVALID;
    }
    pthread_mutex_lock(&t->lock);
    enum sl_result r = SL_OK;
    struct dev_lanes *lanes = is_global ? NULL : sl_map_find(&t->contexts, ctx_id);
    if (!is_global && lanes == NULL) {
        r = SL_ERR_NOTFOUND;
    } else if (id <= t->last_fence) {
        r = SL_ERR_INVALID;
    } else if (lanes == NULL || lanes->lost || sl_list_empty(&lanes->lane[ring])) {
        tell_fence(t, ctx_id, ring, id);
    } else {
        r = item_add_locked(t, lanes, &(struct dev_item){.id = id, .ring = ring});
    }
    if (r == SL_OK) {
        t->last_fence = id;
    }
    pthread_mutex_unlock(&t->lock);
    return r;
}

void dev_timelines_reset(struct dev_timelines *t)
{
    pthread_mutex_lock(&t->lock);
    t->last_fence = 0;
    pthread_mutex_unlock(&t->lock);
}
