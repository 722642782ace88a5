#include "transport/base/handles.h"

void sl_handles_init(struct sl_handles *handles, uint32_t max, uint32_t base)
{
    handles->next = 0;
    pthread_mutex_init(&handles->lock, NULL);
    sl_table_init(&handles->ids, max, base);
}

void sl_handles_finish(struct sl_handles *handles)
{
    sl_table_finish(&handles->ids);
    pthread_mutex_destroy(&handles->lock);
}

enum sl_result sl_handles_add_locked(struct sl_handles *handles, uint32_t kind, void *value,
                                     uint32_t *id)
{
    uint32_t next = handles->next;
    handles->next = 0;
    if (next == 0) {
        return sl_table_add(&handles->ids, kind, value, id);
    }
    enum sl_result result = sl_table_add_at(&handles->ids, kind, value, next);
    if (result == SL_OK) {
        *id = next;
    }
    return result;
}

void sl_handles_set_next(struct sl_handles *handles, uint32_t id)
{
    pthread_mutex_lock(&handles->lock);
    handles->next = id;
    pthread_mutex_unlock(&handles->lock);
}

size_t sl_handles_shape(struct sl_handles *handles, uint32_t *words, size_t max)
{
    pthread_mutex_lock(&handles->lock);
    size_t all = sl_table_shape(&handles->ids, words, max);
    pthread_mutex_unlock(&handles->lock);
    return all;
}

enum sl_result sl_handles_set_shape(struct sl_handles *handles, const uint32_t *words, size_t count)
{
    pthread_mutex_lock(&handles->lock);
    enum sl_result result = sl_table_set_shape(&handles->ids, words, count);
    pthread_mutex_unlock(&handles->lock);
    return result;
}
