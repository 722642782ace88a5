#include "host/capture/cap_memory.h"

#include "transport/base/arith.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <errno.h>
#include <unistd.h>

/* A guest that lets go of its mapping and maps it anew may be protected as often in a recording. */
#define PROTECT_MAX 4u
/* To know a resource's holes takes a descriptor: not worth it for less. */
#define HOLES_MIN (UINT64_C(1) << 20)

/* How writes are found, in the recording that runs. */
enum method { NOT_YET, BY_COMPARE, BY_PROTECT };

struct cap_watched {
    struct cap_resource resource;
    enum cap_watch when;
    const uint8_t *bytes; /* nullable: then iov */
    struct iovec *iov;    /* ours; nullable */
    uint32_t iov_count;
    uint64_t size;
    int file; /* what `bytes` map, from `offset` on; -1: not known */
    uint64_t offset;
    struct sl_writes *writes; /* of the guest, which has it at `address`; nullable */
    uint64_t address;
    enum method method;
    uint32_t protections; /* times, in the recording that runs */
    uint8_t *seen;        /* BY_COMPARE: what was recorded last, [size] */
    bool is_hidden;       /* no memory for `seen` */
    bool is_passed;       /* only the host writes it */
    bool is_shared;       /* other processes may map it */
};

void cap_memory_init(struct cap_memory *memory)
{
    pthread_mutex_init(&memory->lock, NULL);
    sl_map_init(&memory->watched, CAP_WATCHED_MAX);
}

/* Nothing was searched, as far as the next recording knows. */
static void let_go(struct cap_watched *w)
{
    if (w->method == BY_PROTECT) {
        sl_writes_end(w->writes, w->address, sl_round_up(w->size, CAP_PAGE));
    }
    w->method = NOT_YET;
    sl_free(w->seen);
    w->seen = NULL;
}

static void watched_free(struct cap_watched *w)
{
    if (w != NULL) {
        let_go(w);
        sl_writes_unref(w->writes);
        sl_fd_close(&w->file);
        sl_free(w->iov);
        sl_free(w);
    }
}

void cap_memory_finish(struct cap_memory *memory)
{
    uint32_t cursor = 0;
    for (struct cap_watched *w; (w = sl_map_next(&memory->watched, &cursor, NULL)) != NULL;) {
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
                .resource = *resource, .when = when, .bytes = bytes, .size = size, .file = -1};
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
        let_go(w);
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
    uint32_t cursor = 0;
    pthread_mutex_lock(&memory->lock);
    for (struct cap_watched *w; (w = sl_map_next(&memory->watched, &cursor, NULL)) != NULL;) {
        if (w->resource.ctx_id == ctx_id && w->resource.blob_id == blob_id) {
            w->when = CAP_WATCH_TRANSFER;
            w->is_passed = true;
            let_go(w);
        }
    }
    pthread_mutex_unlock(&memory->lock);
}

void cap_memory_place(struct cap_memory *memory, uint32_t resource_id, struct sl_writes *writes,
                      uint64_t address)
{
    pthread_mutex_lock(&memory->lock);
    struct cap_watched *w = sl_map_find(&memory->watched, resource_id);
    if (w != NULL && w->writes == NULL && w->method == NOT_YET) {
        w->writes = sl_writes_ref(writes);
        w->address = address;
    }
    pthread_mutex_unlock(&memory->lock);
}

void cap_memory_file(struct cap_memory *memory, uint32_t resource_id, int fd, uint64_t offset)
{
    pthread_mutex_lock(&memory->lock);
    struct cap_watched *w = sl_map_find(&memory->watched, resource_id);
    if (w != NULL && w->file < 0 && w->size >= HOLES_MIN && sl_fd_dup(fd, &w->file) == SL_OK) {
        w->offset = offset; /* without it all is read */
    }
    pthread_mutex_unlock(&memory->lock);
}

void cap_memory_share(struct cap_memory *memory, uint32_t resource_id)
{
    pthread_mutex_lock(&memory->lock);
    struct cap_watched *w = sl_map_find(&memory->watched, resource_id);
    if (w != NULL) {
        w->is_shared = true;
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

void cap_memory_begin(struct cap_memory *memory, bool compares)
{
    pthread_mutex_lock(&memory->lock);
    memory->compares = compares;
    pthread_mutex_unlock(&memory->lock);
}

void cap_memory_restart(struct cap_memory *memory)
{
    uint32_t cursor = 0;
    pthread_mutex_lock(&memory->lock);
    for (struct cap_watched *w; (w = sl_map_next(&memory->watched, &cursor, NULL)) != NULL;) {
        let_go(w);
        w->protections = 0;
        w->is_hidden = false;
    }
    pthread_mutex_unlock(&memory->lock);
}

/* --- pieces --- */

/* One record of MEMW that is being put together in cap_memory.pieces. */
struct found {
    uint64_t last_end; /* of the piece before */
    uint64_t count;
};

/* bytes: at `begin`, private. Does not cross a multiple of CAP_PIECE_BYTES. */
static bool put_piece(struct cap_memory *memory, const struct cap_memory_sink *sink,
                      const uint8_t *bytes, uint64_t begin, uint32_t size, struct found *found)
{
    bool by_reference = size >= CAP_PIECE_INLINE;
    bool is_new = false;
    uint64_t number = 0;
    if (by_reference && !cap_blobs_put(sink->blobs, bytes, size, sink->stamp, &number, &is_new)) {
        return false;
    }
    uint8_t *start = cap_bytes_more(&memory->pieces, 3 * CAP_VARINT_MAX + CAP_PIECE_INLINE);
    if (start == NULL) {
        return false;
    }
    uint8_t *p = cap_varint_put(start, begin - found->last_end);
    p = cap_varint_put(p, (uint64_t)size << 1 | by_reference);
    if (by_reference) {
        p = cap_varint_put(p, number);
    } else {
        memcpy(p, bytes, size);
        p += size;
    }
    memory->pieces.size = (size_t)(p - memory->pieces.data);
    (void)sl_atomic_count_u64(&sink->extra->write_bytes, size);
    (void)sl_atomic_count_u64(is_new ? &sink->extra->blobs : &sink->extra->shared_bytes,
                              is_new         ? 1
                              : by_reference ? size
                                             : 0);
    (void)sl_atomic_count_u64(&sink->extra->blob_bytes, is_new ? size : 0);
    found->count++;
    found->last_end = begin + size;
    return true;
}

/* Bytes that no guest can change any more: what was compared, else a copy, until the next one. */
static const uint8_t *private_bytes(struct cap_memory *memory, const struct cap_watched *w,
                                    uint64_t at, size_t size)
{
    if (w->method == BY_COMPARE) {
        return w->seen + at;
    }
    memcpy(memory->piece, w->bytes + at, size);
    return memory->piece;
}

/* How much of [at, end) is in the piece that `at` is in. */
static uint32_t piece_size(uint64_t at, uint64_t end)
{
    uint64_t cut = (at / CAP_PIECE_BYTES + 1) * CAP_PIECE_BYTES;
    return (uint32_t)((cut < end ? cut : end) - at);
}

static bool put_run(struct cap_memory *memory, const struct cap_watched *w,
                    const struct cap_memory_sink *sink, uint64_t begin, uint64_t end,
                    struct found *found)
{
    while (begin < end) {
        uint32_t size = piece_size(begin, end);
        if (!put_piece(memory, sink, private_bytes(memory, w, begin, size), begin, size, found)) {
            return false;
        }
        begin += size;
    }
    return true;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* The next place that may be other than zero, a multiple of `unit`, `at` or behind it. The file's
 * position is its guest's, too, and nobody goes by it. */
static uint64_t skip_hole(const struct cap_watched *w, uint64_t at, uint32_t unit)
{
    off_t next = w->file >= 0 ? lseek(w->file, (off_t)(w->offset + at), SEEK_DATA) : -1;
    if (next < 0) {
        return w->file >= 0 && errno == ENXIO ? w->size : at;
    }
    uint64_t found = (uint64_t)next - w->offset;
    return found - found % unit > at ? found - found % unit : at;
}

/* The next hole in such units, or the end of all. */
static uint64_t find_hole(const struct cap_watched *w, uint64_t at, uint32_t unit)
{
    off_t next = w->file >= 0 ? lseek(w->file, (off_t)(w->offset + at), SEEK_HOLE) : -1;
    uint64_t end = next >= 0 ? sl_round_up((uint64_t)next - w->offset, unit) : w->size;
    return end > at && end < w->size ? end : w->size;
}

/* All that is not zero, in units of so many bytes that divide a piece. */
static bool put_non_zero(struct cap_memory *memory, const struct cap_watched *w,
                         const struct cap_memory_sink *sink, uint32_t unit, struct found *found)
{
    for (uint64_t at = skip_hole(w, 0, unit); at < w->size; at = skip_hole(w, at, unit)) {
        uint32_t size = piece_size(at, find_hole(w, at, unit));
        const uint8_t *bytes = private_bytes(memory, w, at, size);
        for (uint32_t i = 0, run = 0; i < size; i += unit) {
            uint32_t end = i + unit < size ? i + unit : size;
            bool ends = is_zero(bytes + i, end - i);
            uint32_t last = ends ? i : end;
            if ((ends || end == size) && run < last &&
                !put_piece(memory, sink, bytes + run, at + run, last - run, found)) {
                return false;
            }
            run = ends ? end : run;
        }
        at += size;
    }
    return true;
}

/* --- the search --- */

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
    (void)sl_atomic_count_u64(&sink->extra->scanned, source == CAP_MEMW_PROTECT);
}

/* A copy to compare with: zeros, as the memory was when it was made. */
static bool make_seen(struct cap_watched *w)
{
    w->seen = sl_alloc((size_t)w->size);
    if (w->seen == NULL) {
        w->is_hidden = true;
        sl_warn("capture",
                "resource %u: no memory to find writes to its %llu bytes: the recording lacks them",
                w->resource.id, (unsigned long long)w->size);
    }
    return w->seen != NULL;
}

static bool can_protect(const struct cap_memory *memory, const struct cap_watched *w)
{
    return !memory->compares && w->writes != NULL && w->bytes != NULL && !w->is_shared &&
           w->protections < PROTECT_MAX;
}

/* From now on writes are found. False: they are not. */
static bool begin(const struct cap_memory *memory, struct cap_watched *w)
{
    if (can_protect(memory, w) &&
        sl_writes_begin(w->writes, w->address, sl_round_up(w->size, CAP_PAGE)) == SL_OK) {
        w->method = BY_PROTECT;
        w->protections++;
    } else if (make_seen(w)) {
        w->method = BY_COMPARE;
    } else {
        return false;
    }
    sl_info("capture", "resource %u: writes to its %llu bytes are found by %s", w->resource.id,
            (unsigned long long)w->size,
            w->method == BY_PROTECT ? "write protection" : "comparison");
    return true;
}

static bool compare(struct cap_memory *memory, struct cap_watched *w,
                    const struct cap_memory_sink *sink, struct found *found)
{
    uint64_t run = 0;
    bool ok = true, in_run = false;
    for (uint64_t at = 0; at < w->size && ok; at += CAP_PAGE) {
        size_t size = w->size - at < CAP_PAGE ? (size_t)(w->size - at) : CAP_PAGE;
        bool changed = page_changed(w, at, size);
        if (changed && !in_run) {
            run = at;
        } else if (!changed && in_run) {
            ok = put_run(memory, w, sink, run, at, found);
        }
        in_run = changed;
    }
    return ok && (!in_run || put_run(memory, w, sink, run, w->size, found));
}

/* Brings all of `seen` up to date. */
static void see_all(struct cap_watched *w)
{
    for (uint64_t at = 0; w->method == BY_COMPARE && at < w->size; at += CAP_PAGE) {
        (void)page_changed(w, at, w->size - at < CAP_PAGE ? (size_t)(w->size - at) : CAP_PAGE);
    }
}

/* False: no memory. *is_lost: the guest has not what we protected any more. */
static bool scan(struct cap_memory *memory, struct cap_watched *w,
                 const struct cap_memory_sink *sink, struct found *found, bool *is_lost)
{
    uint64_t end = w->address + sl_round_up(w->size, CAP_PAGE);
    bool ok = true;
    for (uint64_t at = w->address; at < end && ok;) {
        uint32_t count = 0;
        if (sl_writes_next(w->writes, &at, end, memory->written, CAP_WRITTEN_MAX, &count) !=
            SL_OK) {
            *is_lost = true;
            return true;
        }
        for (uint32_t i = 0; i < count && ok; i++) {
            uint64_t last = memory->written[i].end - w->address;
            ok = put_run(memory, w, sink, memory->written[i].begin - w->address,
                         last < w->size ? last : w->size, found);
        }
    }
    return ok;
}

/* What was protected is told whole, and watched anew. */
static bool start_again(struct cap_memory *memory, struct cap_watched *w,
                        const struct cap_memory_sink *sink, struct found *found)
{
    let_go(w);
    if (!begin(memory, w)) {
        return true; /* which was said */
    }
    *found = (struct found){0};
    memory->pieces.size = 0;
    see_all(w);
    return put_run(memory, w, sink, 0, w->size, found);
}

static void search(struct cap_memory *memory, struct cap_watched *w,
                   const struct cap_memory_sink *sink)
{
    /* Pairs with the store before cap_memory_settle. */
    if (sl_atomic_load_relaxed(sink->over) != 0 || w->is_passed || w->is_hidden ||
        (w->bytes == NULL && w->iov == NULL)) {
        return;
    }
    bool is_first = w->method == NOT_YET;
    if (is_first && !begin(memory, w)) {
        return;
    }
    struct found found = {0};
    enum cap_memw_source source = CAP_MEMW_COMPARE;
    bool ok = true, is_lost = w->method == BY_PROTECT && w->is_shared;
    memory->pieces.size = 0;
    if (w->method == BY_COMPARE) {
        ok = compare(memory, w, sink, &found);
    } else if (is_first) {
        ok = put_non_zero(memory, w, sink, CAP_PAGE, &found);
    } else if (!is_lost) {
        source = CAP_MEMW_PROTECT;
        ok = scan(memory, w, sink, &found, &is_lost);
    }
    if (is_lost) {
        ok = start_again(memory, w, sink, &found);
    }
    if (!ok) {
        sl_warn_limited("capture", "resource %u: no memory: the recording lacks writes to it",
                        w->resource.id);
    }
    if (found.count != 0) {
        put_record(memory, w, sink, source, found.count);
    }
}

void cap_memory_search(struct cap_memory *memory, uint32_t ctx_id,
                       const struct cap_memory_sink *sink)
{
    uint32_t cursor = 0;
    pthread_mutex_lock(&memory->lock);
    for (struct cap_watched *w; (w = sl_map_next(&memory->watched, &cursor, NULL)) != NULL;) {
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
    uint32_t cursor = 0;
    pthread_mutex_lock(&memory->lock);
    for (struct cap_watched *w; (w = sl_map_next(&memory->watched, &cursor, NULL)) != NULL;) {
        if (w->when == CAP_WATCH_SUBMIT) {
            search(memory, w, sink);
        }
    }
    pthread_mutex_unlock(&memory->lock);
}

/* --- all of it --- */

/* Whether a snapshot tells it: then its bytes can be read. */
static bool is_told(const struct cap_memory *memory, struct cap_watched *w, bool all)
{
    if (w->method != NOT_YET) {
        return true;
    }
    if (w->is_passed || w->is_hidden) {
        return w->bytes != NULL;
    }
    if ((w->when != CAP_WATCH_SUBMIT && !all) || (w->bytes == NULL && w->iov == NULL) ||
        !begin(memory, w)) {
        return false;
    }
    see_all(w);
    return true;
}

void cap_memory_whole(struct cap_memory *memory, uint32_t resource_id,
                      const struct cap_memory_sink *sink)
{
    pthread_mutex_lock(&memory->lock);
    struct cap_watched *w = sl_map_find(&memory->watched, resource_id);
    struct found found = {0};
    memory->pieces.size = 0;
    if (w != NULL && is_told(memory, w, memory->saves_all) &&
        !put_non_zero(memory, w, sink, CAP_PIECE_BYTES, &found)) {
        sl_warn("capture", "resource %u: no memory: the snapshot lacks its contents", resource_id);
    }
    if (found.count != 0) {
        put_record(memory, w, sink, CAP_MEMW_WHOLE, found.count);
    }
    pthread_mutex_unlock(&memory->lock);
}
