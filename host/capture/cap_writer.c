#include "host/capture/cap_writer.h"

#include "host/capture/cap_bytes.h"
#include "host/capture/cap_file.h"
#include "host/capture/cap_helper.h"
#include "host/capture/cap_index_writer.h"
#include "host/capture/cap_queue.h"
#include "host/capture/cap_ring.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

#define XXH_INLINE_ALL
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    LEVEL_FAST = -5,   /* when falling behind */
    LEVEL_LEAST = -20, /* when producers are about to wait: packs half as well, twice as fast */
    STACK = 512 * 1024,
};
#define SWEEP_NS     (15 * SL_NS_PER_MS)
#define DURABLE_NS   SL_NS_PER_S
#define INDEX_NS     (5 * SL_NS_PER_S)
#define INDEX_BYTES  ((uint64_t)64 << 20)
#define READER_NS    (30 * SL_NS_PER_S)
#define READER_LOOKS (5 * SL_NS_PER_MS)

struct cap_writer {
    struct cap_writer_options options;
    struct cap_file file;
    uint64_t begin_ns; /* sl_clock_ns() of time 0 */
    pthread_t thread;
    uint32_t stopped; /* atomic: errno of the file's end */

    struct cap_queue queue;
    struct cap_helper helper;

    pthread_mutex_t lock;    /* guards `frames` */
    struct cap_bytes frames; /* struct cap_index_frame, for the index */

    /* The thread's own. */
    struct cap_pack pack;
    struct cap_index_writer index;
    XXH3_state_t *hashes; /* of all chunks */
    uint32_t chunk_number;
    uint64_t index_ns, index_size, sync_ns, sweep_ns;
    uint64_t index_offset;
    uint64_t snapshot_begin; /* file offset of the last begin mark */
    struct cap_ring ring;
    uint64_t reader_ns; /* waited for the store's reader so far; 0 when something was given back */
    bool full;          /* the file cannot grow */
};

uint64_t cap_writer_time(const struct cap_writer *w)
{
    return sl_clock_ns() - w->begin_ns;
}

int cap_writer_stopped(const struct cap_writer *w)
{
    return (int)sl_atomic_load_relaxed(&w->stopped); /* a flag; orders nothing */
}

/* --- producers --- */

struct cap_buffer *cap_writer_get(struct cap_writer *w, size_t size)
{
    struct cap_buffer *b = cap_queue_get(&w->queue, size, pthread_equal(pthread_self(), w->thread));
    if (b != NULL) {
        b->time = b->opened_ns - w->begin_ns;
    }
    return b;
}

void cap_writer_put(struct cap_writer *w, struct cap_buffer *b)
{
    cap_queue_put(&w->queue, b);
}

void cap_writer_flush(struct cap_writer *w)
{
    cap_queue_flush(&w->queue);
}

void cap_writer_frame(struct cap_writer *w, const struct cap_index_frame *frame)
{
    pthread_mutex_lock(&w->lock);
    uint8_t *p = cap_bytes_more(&w->frames, sizeof *frame);
    if (p != NULL) { /* else the index lacks it; the FRAM chunk has it */
        memcpy(p, frame, sizeof *frame);
    }
    pthread_mutex_unlock(&w->lock);
}

/* --- the thread --- */

static void stop(struct cap_writer *w)
{
    w->full = true;
    int error = w->file.error != 0 ? w->file.error : EIO;
    sl_atomic_store_relaxed(&w->stopped, (uint32_t)error); /* a flag; orders nothing */
}

static const uint8_t *pack(struct cap_writer *w, const uint8_t *payload, size_t size,
                           size_t *stored)
{
    return cap_pack(&w->pack, cap_queue_level(&w->queue, w->options.level), payload, size, stored);
}

/* Writes a chunk; `c` has everything but number, sizes, hash and sums. `packed`: of `payload`, and
 * then `stored` bytes; else NULL. end: it may take the room kept for the end. */
static bool write_chunk(struct cap_writer *w, struct cap_chunk_header *c, const uint8_t *payload,
                        size_t size, const uint8_t *packed, size_t stored, bool end)
{
    static const uint8_t zeros[CAP_ALIGN];
    const uint8_t *bytes = packed != NULL ? packed : payload;
    stored = packed != NULL ? stored : size;
    c->flags = (uint16_t)(c->flags | (packed != NULL ? CAP_CHUNK_ZSTD : 0));
    c->sync = CAP_SYNC;
    c->number = w->chunk_number;
    c->raw_size = (uint32_t)size;
    c->stored_size = (uint32_t)stored;
    c->hash = XXH3_64bits(bytes, stored);
    c->crc = cap_crc32c(c, offsetof(struct cap_chunk_header, crc));
    const struct iovec pieces[] = {
        {.iov_base = c, .iov_len = sizeof *c},
        {.iov_base = (void *)(uintptr_t)bytes, .iov_len = stored},
        {.iov_base = (void *)(uintptr_t)zeros, .iov_len = (0 - stored) & (CAP_ALIGN - 1)}};
    if (cap_file_append(&w->file, pieces, 3, end) != SL_OK) {
        return false;
    }
    w->chunk_number++;
    (void)XXH3_64bits_update(w->hashes, &c->hash, sizeof c->hash);
    return true;
}

/* --- a ring --- */

bool cap_writer_wants_snapshot(const struct cap_writer *w, uint64_t made)
{
    return made == w->ring.snapshots && cap_ring_is_due(&w->ring, w->file.size, cap_writer_time(w));
}

/* Gives back what is too old. A store that somebody reads grows meanwhile; when it is half as large
 * again, the reader is waited for, but not for ever: it may have stopped. */
static void turn_ring(struct cap_writer *w)
{
    uint64_t from, to;
    while (cap_ring_next_free(&w->ring, w->file.size, cap_writer_time(w), &from, &to)) {
        enum sl_result result = cap_file_free(&w->file, from, to);
        if (result == SL_ERR_AGAIN && w->file.size - from > w->ring.bytes / 2 * 3 &&
            w->reader_ns < w->options.reader_ns) {
            uint64_t begin = sl_clock_ns();
            sl_clock_sleep_ns(READER_LOOKS);
            w->reader_ns += sl_clock_ns() - begin;
            continue;
        }
        if (result != SL_OK) { /* what cannot be freed will meet the file's limit */
            return;
        }
        w->reader_ns = 0;
        cap_ring_drop(&w->ring);
    }
}

static bool is_of_head(uint32_t kind)
{
    return kind == CAP_KIND_META || kind == CAP_KIND_PROT || kind == CAP_KIND_CAPS;
}

/* --- chunks --- */

/* A snapshot's mark, which says where the other one is. */
static void place_snapshot(struct cap_writer *w, struct cap_buffer *b)
{
    struct cap_snapshot mark;
    memcpy(&mark, b->data, sizeof mark);
    if (mark.mark == CAP_SNAPSHOT_BEGIN) {
        w->snapshot_begin = w->file.size;
        return;
    }
    mark.begin = w->snapshot_begin;
    memcpy(b->data, &mark, sizeof mark);
    if (mark.mark == CAP_SNAPSHOT_END) {
        cap_index_writer_snapshot(&w->index, &mark, w->file.size);
        if (w->ring.bytes != 0) {
            cap_ring_add(&w->ring, &(struct cap_ring_part){mark.begin, w->file.size, mark.time});
        }
    }
}

static void write_buffer(struct cap_writer *w, struct cap_buffer *b)
{
    struct cap_chunk_header c = {.flags = (uint16_t)b->flags,
                                 .kind = b->kind,
                                 .stream = b->stream,
                                 .records = b->records,
                                 .first_stamp = b->first_stamp,
                                 .first_record = b->first_record,
                                 .time = b->time};
    uint64_t offset = w->file.size;
    if (w->full) {
        return;
    }
    if (w->ring.bytes != 0 && w->ring.count == 0 && !is_of_head(b->kind)) {
        cap_ring_begin(&w->ring, offset);
    }
    if (b->kind == CAP_KIND_SNAP) {
        place_snapshot(w, b);
    }
    size_t stored = b->packed_size;
    const uint8_t *packed = b->packed;
    if (b->state != CAP_BUFFER_PACKED && b->kind != CAP_KIND_SNAP) {
        packed = pack(w, b->data, b->used, &stored);
    }
    if (!write_chunk(w, &c, b->data, b->used, packed, stored, false)) {
        stop(w);
        return;
    }
    cap_index_writer_chunk(&w->index, &c, offset, b->last_stamp);
    if (b->kind == CAP_KIND_CALL && (b->flags & CAP_CHUNK_SNAPSHOT) == 0) {
        cap_index_writer_calls(&w->index, &c, b->data, b->head, b->last_stamp, b->ends_stream);
    }
    turn_ring(w);
}

static void bring_totals_up(struct cap_writer *w, bool end)
{
    struct cap_totals *t = &w->index.totals;
    const struct cap_writer_extra *extra = w->options.extra;
    if (extra != NULL) {
        t->verbs = sl_atomic_load_relaxed_u64(&extra->verbs);
        t->shared_bytes = sl_atomic_load_relaxed_u64(&extra->shared_bytes);
        t->writes = sl_atomic_load_relaxed_u64(&extra->writes);
        t->scanned = sl_atomic_load_relaxed_u64(&extra->scanned);
        t->write_bytes = sl_atomic_load_relaxed_u64(&extra->write_bytes);
        t->blobs = sl_atomic_load_relaxed_u64(&extra->blobs);
        t->blob_bytes = sl_atomic_load_relaxed_u64(&extra->blob_bytes);
        t->tap_ns = sl_atomic_load_relaxed_u64(&extra->tap_ns);
        t->decode_ns = sl_atomic_load_relaxed_u64(&extra->decode_ns);
        t->snapshots = sl_atomic_load_relaxed_u64(&extra->snapshots);
        t->snapshot_ns = sl_atomic_load_relaxed_u64(&extra->snapshot_ns);
    }
    t->time = cap_writer_time(w);
    cap_queue_stalls(&w->queue, &t->stalls, &t->stall_ns);
    pthread_mutex_lock(&w->lock);
    struct cap_index_frame frame;
    size_t at = 0;
    for (; at < w->frames.size; at += sizeof frame) {
        memcpy(&frame, w->frames.data + at, sizeof frame);
        if (!end && frame.mark.stamp > w->index.last_stamp) { /* its chunks are on their way */
            break;
        }
        cap_index_writer_frame(&w->index, &frame);
    }
    w->frames.size -= at;
    if (at != 0) {
        memmove(w->frames.data, w->frames.data + at, w->frames.size);
    }
    pthread_mutex_unlock(&w->lock);
}

static void write_index(struct cap_writer *w, bool end)
{
    struct cap_bytes payload = {0};
    struct cap_chunk_header c = {.kind = CAP_KIND_INDX, .records = 1, .time = cap_writer_time(w)};
    uint64_t offset = w->file.size;
    bring_totals_up(w, end);
    if ((w->full && !end) || (!cap_index_writer_is_due(&w->index) && !end)) {
        return;
    }
    if (cap_index_writer_segment(&w->index, offset, &payload) == SL_OK &&
        payload.size <= CAP_PAYLOAD_MAX) {
        c.first_record = w->index.segment_count - 1;
        size_t stored = 0;
        const uint8_t *packed = pack(w, payload.data, payload.size, &stored);
        if (write_chunk(w, &c, payload.data, payload.size, packed, stored, end)) {
            w->index_offset = offset;
            w->index.totals.chunks++; /* in the next segment's CHUNKS it has no place */
        } else {
            stop(w);
        }
    }
    cap_bytes_finish(&payload);
    w->index_ns = sl_clock_ns();
    w->index_size = w->file.size;
}

/* What is due besides the buffers. */
static void do_rounds(struct cap_writer *w)
{
    uint64_t now = sl_clock_ns();
    if (w->options.sweep != NULL && now - w->sweep_ns >= SWEEP_NS) {
        w->sweep_ns = now;
        w->options.sweep(w->options.user);
    }
    if (now - w->index_ns >= INDEX_NS || w->file.size - w->index_size >= INDEX_BYTES) {
        write_index(w, false);
    }
    if (w->options.durable && now - w->sync_ns >= DURABLE_NS) {
        w->sync_ns = now;
        (void)!fdatasync(w->file.fd); /* what fails will fail for a write, too */
    }
}

static void *writer_main(void *user)
{
    struct cap_writer *w = user;
    for (bool ends = false; !ends;) {
        struct cap_buffer *b = cap_queue_take(&w->queue, sl_clock_ns() + SWEEP_NS, &ends);
        if (b != NULL) {
            write_buffer(w, b);
            cap_queue_done(&w->queue, b);
        }
        if (!ends) {
            do_rounds(w);
        }
    }
    return NULL;
}

/* --- its life --- */

static void writer_free(struct cap_writer *w)
{
    cap_queue_finish(&w->queue);
    cap_pack_finish(&w->pack);
    XXH3_freeState(w->hashes);
    cap_bytes_finish(&w->frames);
    cap_index_writer_finish(&w->index);
    pthread_mutex_destroy(&w->lock);
    sl_free(w);
}

/* A UUID of random bytes, version 4. */
static void make_session(uint8_t session[16])
{
    if (getrandom(session, 16, 0) != 16) {
        uint64_t now = sl_clock_ns();
        memcpy(session, &now, sizeof now);
    }
    session[6] = (uint8_t)((session[6] & 0x0f) | 0x40);
    session[8] = (uint8_t)((session[8] & 0x3f) | 0x80);
}

static enum sl_result write_header(struct cap_writer *w)
{
    struct timespec now;
    struct cap_file_header h = {.major = CAP_MAJOR,
                                .minor = CAP_MINOR,
                                .header_size = sizeof h,
                                .flags = w->options.file_flags |
                                         (w->ring.bytes != 0 ? CAP_FILE_RING : 0),
                                .seed = w->options.seed};
    clock_gettime(CLOCK_REALTIME, &now);
    memcpy(h.magic, CAP_MAGIC, CAP_MAGIC_SIZE);
    make_session(h.session);
    h.created_ns = (uint64_t)now.tv_sec * SL_NS_PER_S + (uint64_t)now.tv_nsec;
    if (w->options.origin != NULL) {
        memcpy(h.session, w->options.origin->session, sizeof h.session);
        h.created_ns = w->options.origin->created_ns;
    }
    h.crc = cap_crc32c(&h, offsetof(struct cap_file_header, crc));
    return cap_file_append(&w->file, &(struct iovec){.iov_base = &h, .iov_len = sizeof h}, 1,
                           false);
}

enum sl_result cap_writer_create(const struct cap_writer_options *options, struct cap_writer **out)
{
    struct cap_writer *w = sl_alloc(sizeof *w);
    if (w == NULL) {
        return SL_ERR_NOMEM;
    }
    w->options = *options;
    w->options.reader_ns = options->reader_ns != 0 ? options->reader_ns : READER_NS;
    w->ring = (struct cap_ring){.bytes = options->ring_bytes, .ns = options->ring_ns};
    w->begin_ns = w->index_ns = w->sweep_ns = w->sync_ns = sl_clock_ns();
    pthread_mutex_init(&w->lock, NULL);
    cap_queue_init(&w->queue);
    w->hashes = XXH3_createState();
    enum sl_result result = cap_pack_init(&w->pack) && w->hashes != NULL ? SL_OK : SL_ERR_NOMEM;
    if (result == SL_OK) {
        (void)XXH3_64bits_reset(w->hashes);
        result = cap_file_open(&w->file, options->path,
                               options->ring_bytes != 0 ? 2 * options->ring_bytes + CAP_FILE_ROOM
                                                        : options->max_size,
                               options->force);
    }
    if (result == SL_OK && options->ring_bytes != 0 && cap_file_make_store(&w->file) != SL_OK) {
        int error = errno;
        cap_file_abandon(&w->file);
        errno = error;
        result = SL_ERR_IO;
    }
    if (result != SL_OK) {
        int error = errno;
        writer_free(w);
        errno = error;
        return result;
    }
    result = write_header(w);
    if (result == SL_OK) {
        result = sl_thread_start(&w->thread, "capture", STACK, writer_main, w);
    }
    if (result != SL_OK) {
        int error = errno;
        cap_file_abandon(&w->file);
        writer_free(w);
        errno = error;
        return result;
    }
    cap_helper_start(&w->helper, &w->queue, w->options.level);
    *out = w;
    return SL_OK;
}

static enum cap_end_reason reason_of(const struct cap_writer *w, enum cap_end_reason asked)
{
    return !w->full ? asked : w->file.is_limited ? CAP_END_SIZE : CAP_END_DISK;
}

static bool write_end(struct cap_writer *w, struct cap_end *end)
{
    struct cap_chunk_header c = {.kind = CAP_KIND_END,
                                 .records = 1,
                                 .first_stamp = w->index.last_stamp,
                                 .time = w->index.totals.time};
    end->totals = w->index.totals;
    end->index = w->index_offset;
    end->chunks_hash = XXH3_64bits_digest(w->hashes);
    memcpy(end->magic, CAP_MAGIC, CAP_MAGIC_SIZE);
    return write_chunk(w, &c, (const uint8_t *)end, sizeof *end, NULL, 0, true);
}

static void end_threads(struct cap_writer *w)
{
    cap_queue_end(&w->queue);
    pthread_join(w->thread, NULL);
    cap_helper_end(&w->helper);
}

void cap_writer_abandon(struct cap_writer *w)
{
    end_threads(w);
    cap_file_abandon(&w->file);
    writer_free(w);
}

/* What a recording of nothing would replace may be worth something. */
static bool is_to_drop(const struct cap_writer *w)
{
    const struct cap_totals *t = &w->index.totals;
    return w->options.needs_calls && w->file.is_regular && !w->file.is_store && t->calls == 0 &&
           t->frames == 0 && w->snapshot_begin == 0;
}

void cap_writer_finish(struct cap_writer *w, enum cap_end_reason reason, uint32_t exit_status,
                       struct cap_writer_report *report)
{
    end_threads(w);
    struct cap_end end = {.reason = (uint32_t)reason_of(w, reason),
                          .exit_status = exit_status,
                          .error = (uint32_t)w->file.error};
    write_index(w, true);
    bool has_end = write_end(w, &end);
    bool is_dropped = is_to_drop(w);
    if (is_dropped) {
        cap_file_abandon(&w->file);
    }
    bool has_name = !is_dropped && cap_file_close(&w->file) == SL_OK;
    *report = (struct cap_writer_report){.totals = w->index.totals,
                                         .file_size = w->file.size,
                                         .reason = (enum cap_end_reason)end.reason,
                                         .error = w->file.error,
                                         .has_end = has_end,
                                         .has_name = has_name,
                                         .is_dropped = is_dropped};
    writer_free(w);
}
