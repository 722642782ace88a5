#include "host/capture/cap_merge_priv.h"

#include "host/capture/cap_bytes.h"
#include "transport/base/mem.h"

#include <string.h>

/* --- tracks --- */

bool cap_merge_room(void *array, uint32_t *capacity, uint32_t count, size_t size)
{
    if (count < *capacity) {
        return true;
    }
    uint32_t more = *capacity != 0 ? *capacity * 2 : 16;
    void **at = array;
    void *block = sl_realloc(*at, more * size);
    if (block != NULL) {
        *at = block;
        *capacity = more;
    }
    return block != NULL;
}

static struct cap_track *track_get(struct cap_merge *m, enum cap_event_kind kind, uint32_t stream)
{
    uint32_t key = stream + 1 != 0 ? stream + 1 : 1;
    struct cap_track *track = sl_map_find(&m->by_kind[kind], key);
    if (track != NULL) {
        return track;
    }
    uint32_t heap_capacity = m->track_capacity;
    if (!cap_merge_room(&m->tracks, &m->track_capacity, m->track_count,
                        sizeof(struct cap_track *)) ||
        (heap_capacity != m->track_capacity &&
         !cap_merge_room(&m->heap, &heap_capacity, heap_capacity, sizeof(struct cap_track *)))) {
        return NULL;
    }
    track = sl_alloc(sizeof *track);
    if (track == NULL || sl_map_add(&m->by_kind[kind], key, track) != SL_OK) {
        sl_free(track);
        return NULL;
    }
    *track = (struct cap_track){.kind = kind,
                                .stream = stream,
                                .first = CAP_NO_CHUNK,
                                .last = CAP_NO_CHUNK,
                                .chunk = CAP_NO_CHUNK,
                                .expected_record = UINT64_MAX};
    m->tracks[m->track_count++] = track;
    return track;
}

static bool event_kind_of(uint32_t chunk_kind, enum cap_event_kind *kind)
{
    switch (chunk_kind) {
    case CAP_KIND_CALL:
        *kind = CAP_EVENT_CALL;
        return true;
    case CAP_KIND_VERB:
        *kind = CAP_EVENT_VERB;
        return true;
    case CAP_KIND_MEMW:
        *kind = CAP_EVENT_MEMORY;
        return true;
    case CAP_KIND_TEXT:
        *kind = CAP_EVENT_TEXT;
        return true;
    case CAP_KIND_FRAM:
        *kind = CAP_EVENT_FRAME;
        return true;
    default:
        return false;
    }
}

/* *mark is zeros where it cannot be read. */
static enum sl_result read_mark(struct cap_reader *reader, uint32_t index,
                                struct cap_snapshot *mark)
{
    struct cap_payload payload = {0};
    enum cap_damage_kind why;
    struct cap_chunk *chunk = &reader->chunks[index];
    enum sl_result result = cap_reader_load(reader, chunk, &payload, &why);
    *mark = (struct cap_snapshot){.mark = CAP_SNAPSHOT_FAILED};
    if (result == SL_OK) {
        memcpy(mark, payload.data, payload.size < sizeof *mark ? payload.size : sizeof *mark);
    } else if (result == SL_ERR_PROTOCOL || result == SL_ERR_NOTFOUND) {
        cap_reader_damaged(reader, chunk, result == SL_ERR_PROTOCOL ? why : CAP_DAMAGE_MISSING);
        result = SL_OK;
    }
    cap_payload_finish(&payload);
    return result;
}

static enum sl_result link_events(struct cap_merge *m, uint32_t index, enum cap_event_kind kind)
{
    struct cap_chunk *chunks = m->reader->chunks;
    struct cap_chunk *chunk = &chunks[index];
    struct cap_track *track = track_get(m, kind, chunk->stream);
    if (track == NULL) {
        return SL_ERR_NOMEM;
    }
    chunk->next = CAP_NO_CHUNK;
    if (track->last == CAP_NO_CHUNK) {
        track->first = index;
    } else {
        chunks[track->last].next = index;
    }
    track->last = index;
    return SL_OK;
}

static bool is_of_snapshot(const struct cap_chunk *chunk)
{
    return (chunk->flags & CAP_CHUNK_SNAPSHOT) != 0;
}

/* The records between the two marks. */
static enum sl_result link_records(struct cap_merge *m, uint32_t begin, uint32_t end)
{
    enum sl_result result = SL_OK;
    for (uint32_t i = begin; result == SL_OK && i < end; i++) {
        enum cap_event_kind kind;
        const struct cap_chunk *chunk = &m->reader->chunks[i];
        if (is_of_snapshot(chunk) && event_kind_of(chunk->kind, &kind)) {
            result = link_events(m, i, kind);
        }
    }
    return result;
}

/* A snapshot at the head is the trace's beginning, a joined one another file's; others only serve
 * those who seek. */
static enum sl_result link_mark(struct cap_merge *m, uint32_t index)
{
    struct cap_snapshot mark;
    enum sl_result result = read_mark(m->reader, index, &mark);
    if (result != SL_OK) {
        return result;
    }
    uint32_t begin = m->snapshot;
    m->snapshot = mark.mark == CAP_SNAPSHOT_BEGIN ? index : CAP_NO_CHUNK;
    if (mark.mark == CAP_SNAPSHOT_BEGIN) {
        return SL_OK;
    }
    bool is_whole = mark.mark == CAP_SNAPSHOT_END && begin != CAP_NO_CHUNK;
    if (is_whole && m->began && mark.reason == CAP_SNAPSHOT_JOINED) {
        return link_records(m, begin, index);
    }
    if (is_whole && !m->began) {
        m->began = true;
        m->head = mark.stamp;
        return link_records(m, begin, index);
    }
    if (!cap_merge_room(&m->passed, &m->passed_capacity, m->passed_count, sizeof *m->passed)) {
        return SL_ERR_NOMEM;
    }
    m->passed[m->passed_count++] = (struct cap_span){mark.stamp_before, mark.stamp};
    return SL_OK;
}

static enum sl_result link_chunk(struct cap_merge *m, uint32_t index)
{
    const struct cap_chunk *chunk = &m->reader->chunks[index];
    enum cap_event_kind kind;
    if (chunk->kind == CAP_KIND_SNAP) {
        return link_mark(m, index);
    }
    if (chunk->kind == CAP_KIND_BLOB) { /* numbered over the whole file */
        if (!cap_merge_room(&m->blob_chunks, &m->blob_capacity, m->blob_count,
                            sizeof *m->blob_chunks)) {
            return SL_ERR_NOMEM;
        }
        m->blob_chunks[m->blob_count++] = index;
        return SL_OK;
    }
    if (!event_kind_of(chunk->kind, &kind) || is_of_snapshot(chunk)) {
        return SL_OK;
    }
    m->began = true;
    return link_events(m, index, kind);
}

/* --- the heap --- */

static bool is_before(const struct cap_merge *m, const struct cap_track *a,
                      const struct cap_track *b)
{
    uint64_t left = cap_track_bound(a, m->reader), right = cap_track_bound(b, m->reader);
    if (left != right) {
        return left < right;
    }
    return a->kind != b->kind ? a->kind < b->kind : a->stream < b->stream;
}

static void sift_down(struct cap_merge *m, uint32_t i)
{
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= m->heap_count) {
            return;
        }
        if (child + 1 < m->heap_count && is_before(m, m->heap[child + 1], m->heap[child])) {
            child++;
        }
        if (!is_before(m, m->heap[child], m->heap[i])) {
            return;
        }
        struct cap_track *swap = m->heap[i];
        m->heap[i] = m->heap[child];
        m->heap[child] = swap;
        i = child;
    }
}

enum sl_result cap_merge_grow(struct cap_merge *merge)
{
    enum sl_result result = SL_OK;
    while (result == SL_OK && merge->linked < merge->reader->chunk_count) {
        result = link_chunk(merge, merge->linked);
        merge->linked += result == SL_OK;
    }
    merge->heap_count = 0;
    for (uint32_t i = 0; i < merge->track_count; i++) {
        if (cap_track_bound(merge->tracks[i], merge->reader) != UINT64_MAX) {
            merge->heap[merge->heap_count++] = merge->tracks[i];
        }
    }
    for (uint32_t i = merge->heap_count / 2; i-- != 0;) {
        sift_down(merge, i);
    }
    return result;
}

static struct cap_merge *merge_new(struct cap_reader *reader)
{
    struct cap_merge *m = sl_alloc(sizeof *m);
    if (m == NULL) {
        return NULL;
    }
    m->reader = reader;
    m->snapshot = CAP_NO_CHUNK;
    for (uint32_t i = 0; i < CAP_EVENT_KINDS; i++) {
        sl_map_init(&m->by_kind[i], SL_MAP_MOST); /* each has a chunk, whose count is bounded */
    }
    for (uint32_t i = 0; i < CAP_BLOBS_KEPT; i++) {
        m->blobs[i].chunk = CAP_NO_CHUNK;
    }
    return m;
}

/* Gives the merge, or takes it apart. */
static enum sl_result merge_begin(struct cap_merge *m, enum sl_result result,
                                  struct cap_merge **out)
{
    if (result == SL_OK) {
        result = cap_merge_grow(m);
    }
    if (result != SL_OK) {
        cap_merge_destroy(m);
        return result;
    }
    *out = m;
    return SL_OK;
}

enum sl_result cap_merge_create(struct cap_reader *reader, struct cap_merge **out)
{
    struct cap_merge *m = merge_new(reader);
    return m != NULL ? merge_begin(m, SL_OK, out) : SL_ERR_NOMEM;
}

/* Contents are everybody's; other chunks before the snapshot are nobody's. */
static enum sl_result link_before(struct cap_merge *m, uint32_t begin)
{
    enum sl_result result = SL_OK;
    for (uint32_t i = 0; result == SL_OK && i < begin; i++) {
        if (m->reader->chunks[i].kind == CAP_KIND_BLOB) {
            result = link_chunk(m, i);
        }
    }
    m->linked = begin;
    return result;
}

enum sl_result cap_merge_create_at(struct cap_reader *reader, uint32_t begin,
                                   struct cap_merge **out)
{
    struct cap_merge *m = merge_new(reader);
    if (m == NULL) {
        return SL_ERR_NOMEM;
    }
    while (m->damages < reader->damage_count &&
           reader->damages[m->damages].chunk < reader->chunks[begin].number) {
        m->damages++; /* nothing of it is missed here */
    }
    /* Records first, though chunks that belong behind may lie between them. */
    enum sl_result result = link_before(m, begin);
    uint32_t end = begin + 1;
    while (end < reader->chunk_count && reader->chunks[end].kind != CAP_KIND_SNAP) {
        end++;
    }
    struct cap_snapshot mark = {0};
    if (result == SL_OK) {
        result = end < reader->chunk_count ? read_mark(reader, end, &mark) : SL_ERR_NOTFOUND;
    }
    if (result == SL_OK) {
        m->began = true;
        m->head = mark.stamp;
        m->last = mark.stamp_before;
        m->frames = mark.frame;
        result = link_records(m, begin, end);
    }
    for (uint32_t i = begin + 1; result == SL_OK && i < end; i++) {
        result = link_chunk(m, i);
    }
    m->linked = result == SL_OK ? end + 1 : m->linked;
    return merge_begin(m, result, out);
}

enum sl_result cap_merge_snapshots(struct cap_reader *reader, struct cap_merge_snapshot **out,
                                   uint32_t *count)
{
    struct cap_merge_snapshot *all = NULL;
    uint32_t capacity = 0, begin = CAP_NO_CHUNK;
    enum sl_result result = SL_OK;
    *count = 0;
    for (uint32_t i = 0; result == SL_OK && i < reader->chunk_count; i++) {
        if (reader->chunks[i].kind != CAP_KIND_SNAP) {
            continue;
        }
        struct cap_snapshot mark;
        result = read_mark(reader, i, &mark);
        if (result == SL_OK && mark.mark == CAP_SNAPSHOT_END && begin != CAP_NO_CHUNK) {
            result = cap_merge_room(&all, &capacity, *count, sizeof *all) ? SL_OK : SL_ERR_NOMEM;
            if (result == SL_OK) {
                all[(*count)++] = (struct cap_merge_snapshot){begin, i, mark};
            }
        }
        begin = mark.mark == CAP_SNAPSHOT_BEGIN ? i : CAP_NO_CHUNK;
    }
    if (result != SL_OK) {
        sl_free(all);
        all = NULL;
    }
    *out = all;
    return result;
}

void cap_merge_destroy(struct cap_merge *merge)
{
    if (merge == NULL) {
        return;
    }
    for (uint32_t i = 0; i < merge->track_count; i++) {
        cap_track_finish(merge->tracks[i]);
        sl_free(merge->tracks[i]);
    }
    for (uint32_t i = 0; i < CAP_EVENT_KINDS; i++) {
        sl_map_finish(&merge->by_kind[i]);
    }
    for (uint32_t i = 0; i < CAP_BLOBS_KEPT; i++) {
        cap_payload_finish(&merge->blobs[i].payload);
        sl_free(merge->blobs[i].offsets);
    }
    sl_free(merge->tracks);
    sl_free(merge->heap);
    sl_free(merge->blob_chunks);
    sl_free(merge->passed);
    sl_free(merge);
}

/* --- in order --- */

/* The stamps of verbs and calls follow one another from 1, and a frame's mark has the last one's: a
 * hole means that something is missing. True: nothing behind it can be placed, *damage is the
 * reason or there is none but the file's end. */
static bool is_hole(const struct cap_merge *m, const struct cap_event *event)
{
    bool is_frame = event->kind == CAP_EVENT_FRAME;
    bool counts = is_frame || event->kind == CAP_EVENT_CALL || event->kind == CAP_EVENT_VERB;
    uint64_t before = event->stamp - !is_frame; /* all up to here must have been */
    /* The snapshot that it begins with is whole, whatever its stamps are. */
    uint64_t last = m->last < m->head ? m->head : m->last;
    if (!counts || before <= last) {
        return false;
    }
    for (uint32_t i = 0; i < m->passed_count; i++) {
        last = last >= m->passed[i].before && last < m->passed[i].last ? m->passed[i].last : last;
    }
    return before > last;
}

/* A chunk whose header is lost stood before what comes now. */
static bool is_behind_damage(const struct cap_merge *m, const struct cap_track *track)
{
    if (m->damages == m->reader->damage_count || track->chunk == CAP_NO_CHUNK) {
        return false;
    }
    const struct cap_damage *d = &m->reader->damages[m->damages];
    return !d->is_known && d->chunk < m->reader->chunks[track->chunk].number;
}

static enum sl_result tell_damage(struct cap_merge *m, struct cap_damage *damage)
{
    const struct cap_damage *found = &m->reader->damages[m->damages++];
    if (damage != NULL) {
        *damage = *found;
    }
    return SL_ERR_PROTOCOL;
}

static enum sl_result end_of(struct cap_merge *m, struct cap_damage *damage)
{
    return m->damages < m->reader->damage_count ? tell_damage(m, damage) : SL_ERR_NOTFOUND;
}

/* Calls are what there are millions of, and less than others. */
static void give(struct cap_event *event, const struct cap_event *found)
{
    if (SL_UNLIKELY(found->kind != CAP_EVENT_CALL)) {
        *event = *found;
        return;
    }
    event->kind = CAP_EVENT_CALL;
    event->stream = found->stream;
    event->stamp = found->stamp;
    event->time = found->time;
    event->number = found->number;
    event->call = found->call;
}

enum sl_result cap_merge_next(struct cap_merge *merge, struct cap_event *event,
                              struct cap_damage *damage)
{
    const struct cap_reader *reader = merge->reader;
    bool is_whole = reader->is_complete;
    merge->is_holding = false;
    for (;;) {
        if (merge->heap_count == 0) {
            return end_of(merge, damage);
        }
        struct cap_track *track = merge->heap[0];
        if (!track->is_ready) {
            uint32_t bad = CAP_NO_CHUNK;
            bool is_call = track->kind == CAP_EVENT_CALL;
            enum sl_result result = cap_track_fill(track, merge->reader, is_whole, &bad);
            if (result == SL_ERR_NOTFOUND && !track->has_start) {
                merge->heap[0] = merge->heap[--merge->heap_count];
            } else if (result == SL_ERR_NOTFOUND && merge->holds && is_call) {
                merge->is_holding = true;
                return result;
            } else if (result == SL_ERR_NOTFOUND) {
                /* Its result may not have been written; nothing else of the stream comes. */
                track->is_ready = true;
            } else if (result == SL_ERR_PROTOCOL) {
                sift_down(merge, 0);
                return end_of(merge, damage);
            } else if (result != SL_OK) {
                return result;
            }
            sift_down(merge, 0);
            continue;
        }
        if (is_behind_damage(merge, track)) {
            return tell_damage(merge, damage);
        }
        if (is_hole(merge, &track->events[track->now])) {
            if (merge->damages < reader->damage_count) {
                return tell_damage(merge, damage);
            }
            if (!is_whole && reader->damage_count == 0) {
                return SL_ERR_NOTFOUND;
            }
        }
        give(event, &track->events[track->now]);
        if (event->kind == CAP_EVENT_CALL || event->kind == CAP_EVENT_VERB) {
            merge->last = event->stamp > merge->last ? event->stamp : merge->last;
        }
        if (event->kind == CAP_EVENT_FRAME) {
            event->number = merge->frames++;
        }
        track->is_ready = track->has_start = false;
        return SL_OK;
    }
}

void cap_merge_hold(struct cap_merge *merge, bool holds)
{
    merge->holds = holds;
}

bool cap_merge_is_holding(const struct cap_merge *merge)
{
    return merge->is_holding;
}

bool cap_merge_is_in_snapshot(const struct cap_merge *merge)
{
    return merge->last < merge->head;
}

bool cap_merge_is_of_snapshot(const struct cap_merge *merge, uint64_t stamp)
{
    return stamp <= merge->head;
}
