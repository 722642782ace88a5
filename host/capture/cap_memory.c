#include "host/capture/cap_memory.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"

struct cap_watched {
    struct cap_resource resource;
    enum cap_watch when;
    const uint8_t *bytes; /* nullable: then iov */
    struct iovec *iov;    /* ours; nullable */
    uint32_t iov_count;
    uint64_t size;
    uint8_t *seen;  /* what was recorded last, [size]; NULL: not searched yet */
    bool is_hidden; /* no memory for `seen` */
    bool is_passed; /* only the host writes it */
};

void cap_memory_init(struct cap_memory *memory)
{
    pthread_mutex_init(&memory->lock, NULL);
    sl_map_init(&memory->watched, CAP_WATCHED_MAX);
}

static void watched_free(struct cap_watched *w)
{
    if (w != NULL) {
        sl_free(w->seen);
        sl_free(w->iov);
        sl_free(w);
    }
}

void cap_memory_finish(struct cap_memory *memory)
{
    uint32_t cursor = 0, id;
    for (struct cap_watched *w; (w = sl_map_next(&memory->watched, &cursor, &id)) != NULL;) {
        watched_free(w);
    }
    sl_map_finish(&memory->watched);
    cap_bytes_finish(&memory->pieces);
    pthread_mutex_destroy(&memory->lock);
}

enum sl_result cap_memory_watch(struct cap_memory *memory, const struct cap_resource *resource,
                                enum cap_watch when, const void *bytes, uint64_t size)
{
    enum sl_result result = SL_OK;
    pthread_mutex_lock(&memory->lock);
    if (sl_map_find(&memory->watched, resource->id) == NULL) {
        struct cap_watched *w = sl_alloc(sizeof *w);
        result = SL_ERR_NOMEM;
        if (w != NULL) {
            *w = (struct cap_watched){
                .resource = *resource, .when = when, .bytes = bytes, .size = size};
            result = sl_map_add(&memory->watched, resource->id, w);
        }
        if (result != SL_OK) {
            sl_free(w);
        }
    }
    pthread_mutex_unlock(&memory->lock);
    return result;
}

void cap_memory_backing(struct cap_memory *memory, uint32_t resource_id, const struct iovec *iov,
                        uint32_t count)
{
    pthread_mutex_lock(&memory->lock);
    struct cap_watched *w = sl_map_find(&memory->watched, resource_id);
    if (w != NULL && w->bytes == NULL) {
        uint64_t size = 0;
        sl_free(w->iov);
        sl_free(w->seen);
        w->seen = NULL;
        w->iov = count != 0 ? sl_alloc_array(count, sizeof *iov) : NULL;
        w->iov_count = w->iov != NULL ? count : 0;
        for (uint32_t i = 0; i < w->iov_count; i++) {
            w->iov[i] = iov[i];
            size += iov[i].iov_len;
        }
        w->size = size;
    }
    pthread_mutex_unlock(&memory->lock);
}

void cap_memory_pass(struct cap_memory *memory, uint32_t ctx_id, uint64_t blob_id)
{
    uint32_t cursor = 0, id;
    pthread_mutex_lock(&memory->lock);
    for (struct cap_watched *w; (w = sl_map_next(&memory->watched, &cursor, &id)) != NULL;) {
        if (w->resource.ctx_id == ctx_id && w->resource.blob_id == blob_id) {
            w->when = CAP_WATCH_TRANSFER;
            w->is_passed = true;
        }
    }
    pthread_mutex_unlock(&memory->lock);
}

void cap_memory_forget(struct cap_memory *memory, uint32_t resource_id)
{
    pthread_mutex_lock(&memory->lock);
    watched_free(sl_map_remove(&memory->watched, resource_id));
    pthread_mutex_unlock(&memory->lock);
}

void cap_memory_settle(struct cap_memory *memory)
{
    pthread_mutex_lock(&memory->lock);
    pthread_mutex_unlock(&memory->lock);
}

void cap_memory_restart(struct cap_memory *memory)
{
    uint32_t cursor = 0, id;
    pthread_mutex_lock(&memory->lock);
    for (struct cap_watched *w; (w = sl_map_next(&memory->watched, &cursor, &id)) != NULL;) {
        sl_free(w->seen);
        w->seen = NULL;
        w->is_hidden = false;
    }
    pthread_mutex_unlock(&memory->lock);
}

/* --- the search --- */

/* Pages [begin, end) of `bytes`, as one or more pieces. */
static bool put_run(struct cap_memory *memory, const uint8_t *bytes,
                    const struct cap_memory_sink *sink, uint64_t begin, uint64_t end,
                    uint64_t *last_end, uint64_t *count)
{
    while (begin < end) {
        uint64_t cut = (begin / CAP_PIECE_BYTES + 1) * CAP_PIECE_BYTES;
        uint32_t size = (uint32_t)((cut < end ? cut : end) - begin);
        bool by_reference = size >= CAP_PIECE_INLINE;
        bool is_new = false;
        uint64_t number = 0;
        if (by_reference &&
            !cap_blobs_put(sink->blobs, bytes + begin, size, sink->stamp, &number, &is_new)) {
            return false;
        }
        uint8_t *start = cap_bytes_more(&memory->pieces, 3 * CAP_VARINT_MAX + CAP_PIECE_INLINE);
        if (start == NULL) {
            return false;
        }
        uint8_t *p = cap_varint_put(start, begin - *last_end);
        p = cap_varint_put(p, (uint64_t)size << 1 | by_reference);
        if (by_reference) {
            p = cap_varint_put(p, number);
        } else {
            memcpy(p, bytes + begin, size);
            p += size;
        }
        memory->pieces.size = (size_t)(p - memory->pieces.data);
        (void)sl_atomic_count_u64(&sink->extra->write_bytes, size);
        (void)sl_atomic_count_u64(is_new ? &sink->extra->blobs : &sink->extra->shared_bytes,
                                  is_new         ? 1
                                  : by_reference ? size
                                                 : 0);
        (void)sl_atomic_count_u64(&sink->extra->blob_bytes, is_new ? size : 0);
        (*count)++;
        begin += size;
        *last_end = begin;
    }
    return true;
}

static void copy_iov(const struct cap_watched *w, uint64_t offset, uint8_t *to, size_t size)
{
    for (uint32_t i = 0; i < w->iov_count && size != 0; i++) {
        size_t length = w->iov[i].iov_len;
        if (offset >= length) {
            offset -= length;
            continue;
        }
        size_t part = length - (size_t)offset < size ? length - (size_t)offset : size;
        memcpy(to, (const uint8_t *)w->iov[i].iov_base + offset, part);
        to += part;
        size -= part;
        offset = 0;
    }
}

/* Brings a page of `seen` up to date; true when it was not. The guest may write meanwhile: what is
 * recorded is the copy. */
static bool page_changed(struct cap_watched *w, uint64_t offset, size_t size)
{
    uint8_t *seen = w->seen + offset;
    uint8_t page[CAP_PAGE];
    const uint8_t *now = page;
    if (w->bytes != NULL) {
        now = w->bytes + offset;
    } else {
        copy_iov(w, offset, page, size);
    }
    if (memcmp(seen, now, size) == 0) {
        return false;
    }
    memcpy(seen, now, size);
    return true;
}

static void put_record(struct cap_memory *memory, const struct cap_watched *w,
                       const struct cap_memory_sink *sink, enum cap_memw_source source,
                       uint64_t count)
{
    struct cap_lane *lane = sink->lane;
    size_t size = memory->pieces.size;
    cap_lane_lock(lane);
    uint8_t *p = cap_lane_begin(
        lane, size < CAP_LANE_RECORD_MAX ? size + CAP_LANE_PREFIX : CAP_LANE_RECORD_MAX,
        sink->stamp);
    if (p != NULL) {
        p = cap_varint_put(p, sink->stamp - lane->stamp);
        *p++ = (uint8_t)source;
        p = cap_varint_put(p, w->resource.id);
        p = cap_varint_put(p, count);
        if (size <= (size_t)(lane->open->capacity - (size_t)(p - lane->open->data))) {
            memcpy(p, memory->pieces.data, size);
            cap_lane_end(lane, p + size, sink->stamp, 1);
        } else {
            (void)cap_lane_spill(lane, p, memory->pieces.data, size, sink->stamp, 1);
        }
    }
    cap_lane_unlock(lane);
    (void)sl_atomic_count_u64(&sink->extra->writes, 1);
}

/* A copy to compare with: zeros, as the memory was when it was made. */
static bool make_seen(struct cap_watched *w)
{
    if (w->seen == NULL) {
        w->seen = sl_alloc((size_t)w->size);
    }
    if (w->seen == NULL) {
        w->is_hidden = true;
        sl_warn("capture",
                "resource %u: no memory to find writes to its %llu bytes: the recording lacks them",
                w->resource.id, (unsigned long long)w->size);
    }
    return w->seen != NULL;
}

static void search(struct cap_memory *memory, struct cap_watched *w,
                   const struct cap_memory_sink *sink)
{
    /* Pairs with the store before cap_memory_settle. */
    if (sl_atomic_load_relaxed(sink->over) != 0 || w->is_hidden ||
        (w->bytes == NULL && w->iov == NULL)) {
        return;
    }
    if (!make_seen(w)) {
        return;
    }
    uint64_t last_end = 0, count = 0, run = 0;
    bool ok = true, in_run = false;
    memory->pieces.size = 0;
    for (uint64_t at = 0; at < w->size && ok; at += CAP_PAGE) {
        size_t size = w->size - at < CAP_PAGE ? (size_t)(w->size - at) : CAP_PAGE;
        bool changed = page_changed(w, at, size);
        if (changed && !in_run) {
            run = at;
        } else if (!changed && in_run) {
            ok = put_run(memory, w->seen, sink, run, at, &last_end, &count);
        }
        in_run = changed;
    }
    if (ok && in_run) {
        ok = put_run(memory, w->seen, sink, run, w->size, &last_end, &count);
    }
    if (!ok) {
        sl_warn_limited("capture", "resource %u: no memory: the recording lacks writes to it",
                        w->resource.id);
    }
    if (count != 0) {
        put_record(memory, w, sink, CAP_MEMW_COMPARE, count);
    }
}

void cap_memory_search(struct cap_memory *memory, uint32_t ctx_id,
                       const struct cap_memory_sink *sink)
{
    uint32_t cursor = 0, id;
    pthread_mutex_lock(&memory->lock);
    for (struct cap_watched *w; (w = sl_map_next(&memory->watched, &cursor, &id)) != NULL;) {
        if (w->when == CAP_WATCH_SUBMIT &&
            (w->resource.ctx_id == ctx_id || w->resource.ctx_id == 0)) {
            search(memory, w, sink);
        }
    }
    pthread_mutex_unlock(&memory->lock);
}

void cap_memory_search_one(struct cap_memory *memory, uint32_t resource_id,
                           const struct cap_memory_sink *sink)
{
    pthread_mutex_lock(&memory->lock);
    struct cap_watched *w = sl_map_find(&memory->watched, resource_id);
    if (w != NULL) {
        search(memory, w, sink);
    }
    pthread_mutex_unlock(&memory->lock);
}

void cap_memory_search_all(struct cap_memory *memory, const struct cap_memory_sink *sink)
{
    uint32_t cursor = 0, id;
    pthread_mutex_lock(&memory->lock);
    for (struct cap_watched *w; (w = sl_map_next(&memory->watched, &cursor, &id)) != NULL;) {
        if (w->when == CAP_WATCH_SUBMIT) {
            search(memory, w, sink);
        }
    }
    pthread_mutex_unlock(&memory->lock);
}

/* --- all of it --- */

static bool is_zero(const uint8_t *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* The bytes that a snapshot tells; NULL: none. */
static const uint8_t *bytes_to_save(struct cap_watched *w, bool all)
{
    if (w->is_passed || w->is_hidden) {
        return w->bytes;
    }
    bool is_read = w->when == CAP_WATCH_SUBMIT || all;
    if (w->seen != NULL || !is_read || (w->bytes == NULL && w->iov == NULL) || !make_seen(w)) {
        return w->seen;
    }
    for (uint64_t at = 0; at < w->size; at += CAP_PAGE) {
        (void)page_changed(w, at, w->size - at < CAP_PAGE ? (size_t)(w->size - at) : CAP_PAGE);
    }
    return w->seen;
}

void cap_memory_whole(struct cap_memory *memory, uint32_t resource_id,
                      const struct cap_memory_sink *sink)
{
    pthread_mutex_lock(&memory->lock);
    struct cap_watched *w = sl_map_find(&memory->watched, resource_id);
    const uint8_t *bytes = w != NULL ? bytes_to_save(w, memory->saves_all) : NULL;
    uint64_t last_end = 0, count = 0;
    bool ok = true;
    memory->pieces.size = 0;
    for (uint64_t at = 0; bytes != NULL && at < w->size && ok; at += CAP_PIECE_BYTES) {
        uint64_t end = w->size - at < CAP_PIECE_BYTES ? w->size : at + CAP_PIECE_BYTES;
        if (!is_zero(bytes + at, (size_t)(end - at))) {
            ok = put_run(memory, bytes, sink, at, end, &last_end, &count);
        }
    }
    if (!ok) {
        sl_warn("capture", "resource %u: no memory: the snapshot lacks its contents", resource_id);
    }
    if (count != 0) {
        put_record(memory, w, sink, CAP_MEMW_WHOLE, count);
    }
    pthread_mutex_unlock(&memory->lock);
}
