#include "host/capture/cap_seek.h"

#include "host/capture/cap_bytes.h"
#include "host/capture/cap_index.h"
#include "transport/base/arith.h"
#include "transport/base/bytes.h"
#include "transport/base/map.h"
#include "transport/base/mem.h"

#include <string.h>
#include <sys/stat.h>

#define NODES_MAX   65536u /* segments of a trace: 4 TiB of it */
#define HEAD_CHUNKS 3u     /* META, PROT, CAPS */
#define AHEAD       8u     /* segments behind the wanted ones that are looked into for a result */

/* A segment whose head was read. */
struct node {
    uint32_t number, late;
    uint64_t offset, previous, skip, last_stamp, first_frame;
};

/* A chunk as a segment tells of it. */
struct found {
    struct cap_chunk chunk;
    uint64_t last_stamp;
    bool is_wanted;
};

struct seek {
    struct cap_reader *reader;
    struct cap_payload payload; /* of the segment that was loaded last */
    uint64_t loaded;            /* its offset; 0: none */
    uint64_t last;              /* offset of the last segment; 0: not known yet */
    struct node *nodes;         /* descending numbers, since all links lead back */
    uint32_t node_count, node_capacity;
    struct found *found;
    uint32_t found_count, found_capacity;
    uint64_t *marks; /* stamps of frames in the gathered segments */
    uint32_t mark_count, mark_capacity;
};

static bool grow(void *array, uint32_t *capacity, uint32_t count, size_t size)
{
    void **at = array;
    if (count < *capacity) {
        return true;
    }
    uint32_t more = *capacity != 0 ? *capacity * 2 : 64;
    void *block = more > count ? sl_realloc(*at, more * size) : NULL;
    if (block != NULL) {
        *at = block;
        *capacity = more;
    }
    return block != NULL;
}

static void seek_finish(struct seek *s)
{
    cap_payload_finish(&s->payload);
    sl_free(s->nodes);
    sl_free(s->found);
    sl_free(s->marks);
}

/* What the index tells wrongly is as good as not told. */
static enum sl_result not_told(enum sl_result result)
{
    return result == SL_ERR_PROTOCOL ? SL_ERR_NOTFOUND : result;
}

/* --- segments --- */

static enum sl_result load(struct seek *s, uint64_t offset, struct cap_index_walk *walk)
{
    struct cap_chunk chunk;
    struct cap_damage why;
    enum sl_result result = SL_OK;
    if (offset == 0) {
        return SL_ERR_NOTFOUND;
    }
    if (s->loaded != offset) {
        s->loaded = 0;
        result = cap_index_load(s->reader, offset, CAP_KIND_INDX, &chunk, &s->payload, &why);
    }
    if (result == SL_OK && !cap_index_walk_begin(walk, &s->payload)) {
        result = SL_ERR_PROTOCOL;
    }
    s->loaded = result == SL_OK ? offset : 0;
    return not_told(result);
}

/* Its head, kept from then on. A link that does not lead back is none. */
static enum sl_result visit(struct seek *s, uint64_t offset, struct node *out)
{
    uint32_t place = 0;
    while (place < s->node_count && s->nodes[place].offset > offset) {
        place++;
    }
    if (place < s->node_count && s->nodes[place].offset == offset) {
        *out = s->nodes[place];
        return SL_OK;
    }
    struct cap_index_walk walk;
    enum sl_result result = s->node_count < NODES_MAX ? load(s, offset, &walk) : SL_ERR_NOTFOUND;
    if (result != SL_OK) {
        return result;
    }
    const struct cap_index_head *h = &walk.head;
    bool above = place == 0 || s->nodes[place - 1].number > h->segment;
    bool below = place == s->node_count || s->nodes[place].number < h->segment;
    if (!above || !below || h->previous >= offset || h->skip >= offset) {
        return SL_ERR_NOTFOUND;
    }
    if (!grow(&s->nodes, &s->node_capacity, s->node_count, sizeof *s->nodes)) {
        return SL_ERR_NOMEM;
    }
    memmove(s->nodes + place + 1, s->nodes + place, (s->node_count - place) * sizeof *s->nodes);
    s->node_count++;
    *out = s->nodes[place] = (struct node){.number = h->segment,
                                           .late = h->late,
                                           .offset = offset,
                                           .previous = h->previous,
                                           .skip = h->skip,
                                           .last_stamp = h->last_stamp,
                                           .first_frame = h->first_frame};
    return SL_OK;
}

static enum sl_result visit_last(struct seek *s, struct node *out)
{
    if ((s->reader->header.flags & CAP_FILE_RING) != 0) {
        return SL_ERR_NOTFOUND; /* its index tells of chunks that are gone */
    }
    struct cap_end end;
    enum sl_result result = SL_OK;
    if (s->last == 0) {
        s->loaded = 0;
        result = cap_index_end(s->reader, &s->payload, &end);
        s->last = result == SL_OK ? end.index : 0;
    }
    return result == SL_OK ? visit(s, s->last, out) : result;
}

/* What a segment must have to be at or behind the one that is looked for. */
struct wanted {
    enum { BY_STAMP, BY_NUMBER, BY_FRAME } by;
    uint64_t value;
};

static bool is_behind(const struct node *n, const struct wanted *w)
{
    switch (w->by) {
    case BY_STAMP:
        return n->last_stamp >= w->value;
    case BY_NUMBER:
        return n->number >= w->value;
    case BY_FRAME:
        break;
    }
    return n->first_frame > w->value;
}

/* The first segment that is_behind; NOTFOUND: none is. */
static enum sl_result descend(struct seek *s, const struct wanted *w, struct node *out)
{
    enum sl_result result = visit_last(s, out);
    if (result == SL_OK && !is_behind(out, w)) {
        return SL_ERR_NOTFOUND;
    }
    while (result == SL_OK && out->number != 0) {
        struct node next;
        result = visit(s, out->skip, &next);
        if (result == SL_OK && !is_behind(&next, w)) {
            result = visit(s, out->previous, &next);
        }
        if (result != SL_OK || !is_behind(&next, w)) {
            break;
        }
        *out = next;
    }
    return result;
}

/* --- chunks --- */

/* Each counts records of its own; the first five are events. */
enum {
    LANE_CALL,
    LANE_VERB,
    LANE_MEMW,
    LANE_TEXT,
    LANE_FRAM,
    LANE_BLOB,
    LANE_SNAP,
    LANE_META,
    LANE_PROT,
    LANE_CAPS,
    LANE_OTHER, /* kinds that are not loaded */
    LANES
};

static uint32_t lane_of(uint32_t kind)
{
    static const uint32_t kinds[] = {
        [LANE_CALL] = CAP_KIND_CALL, [LANE_VERB] = CAP_KIND_VERB, [LANE_MEMW] = CAP_KIND_MEMW,
        [LANE_TEXT] = CAP_KIND_TEXT, [LANE_FRAM] = CAP_KIND_FRAM, [LANE_BLOB] = CAP_KIND_BLOB,
        [LANE_SNAP] = CAP_KIND_SNAP, [LANE_META] = CAP_KIND_META, [LANE_PROT] = CAP_KIND_PROT,
        [LANE_CAPS] = CAP_KIND_CAPS,
    };
    uint32_t i = 0;
    while (i < LANE_OTHER && kinds[i] != kind) {
        i++;
    }
    return i;
}

/* Which record each stream's next chunk begins with, in one segment. */
struct lanes {
    struct sl_map by_stream; /* stream + 1 -> uint64_t[LANES] */
};

static uint64_t *lanes_next(struct lanes *l, uint32_t stream, uint32_t kind)
{
    uint32_t key = stream + 1 != 0 ? stream + 1 : 1;
    uint64_t *next = sl_map_find(&l->by_stream, key);
    if (next == NULL) {
        next = sl_alloc_array(LANES, sizeof *next);
        if (next == NULL || sl_map_add(&l->by_stream, key, next) != SL_OK) {
            sl_free(next);
            return NULL;
        }
    }
    return &next[lane_of(kind)];
}

static void lanes_finish(struct lanes *l)
{
    uint32_t cursor = 0;
    for (void *next; (next = sl_map_next(&l->by_stream, &cursor, NULL)) != NULL;) {
        sl_free(next);
    }
    sl_map_finish(&l->by_stream);
}

/* Sums along a segment. */
struct running {
    uint64_t offset, stamp, time;
    uint32_t number;
};

/* One entry of CAP_SECTION_CHUNKS. PROTOCOL: it makes no sense. */
static enum sl_result read_entry(const uint8_t **at, const uint8_t *end, struct running *sum,
                                 struct lanes *lanes, struct found *out)
{
    enum { STORED, RAW, FLAGS, STREAM, RECORDS, STAMP, SPAN, FIRST, TIME, VALUES };
    uint64_t v[VALUES];
    uint32_t kind = 0;
    for (int i = 0; i < VALUES; i++) {
        if (i == FLAGS) {
            if (end - *at < 4) {
                return SL_ERR_PROTOCOL;
            }
            kind = sl_load_u32(*at);
            *at += 4;
        }
        if (!cap_varint_get(at, end, &v[i])) {
            return SL_ERR_PROTOCOL;
        }
    }
    if (v[STORED] > CAP_PAYLOAD_MAX || v[RAW] > CAP_PAYLOAD_MAX || v[FLAGS] > UINT16_MAX ||
        v[STREAM] > UINT32_MAX || v[RECORDS] > UINT32_MAX ||
        sum->offset > INT64_MAX - 2 * CAP_PAYLOAD_MAX) {
        return SL_ERR_PROTOCOL;
    }
    uint64_t *next = lanes_next(lanes, (uint32_t)v[STREAM], kind);
    if (next == NULL) {
        return SL_ERR_NOMEM;
    }
    sum->stamp += (uint64_t)cap_signed(v[STAMP]);
    sum->time += (uint64_t)cap_signed(v[TIME]);
    uint64_t first_record = *next + (uint64_t)cap_signed(v[FIRST]);
    *next = first_record + v[RECORDS];
    *out = (struct found){.chunk = {.offset = sum->offset,
                                    .first_stamp = sum->stamp,
                                    .first_record = first_record,
                                    .time = sum->time,
                                    .kind = kind,
                                    .number = sum->number++,
                                    .stream = (uint32_t)v[STREAM],
                                    .records = (uint32_t)v[RECORDS],
                                    .raw_size = (uint32_t)v[RAW],
                                    .stored_size = (uint32_t)v[STORED],
                                    .flags = (uint16_t)v[FLAGS],
                                    .is_indexed = true,
                                    .next = CAP_NO_CHUNK}};
    if (!sl_add_u64(sum->stamp, v[SPAN], &out->last_stamp)) {
        return SL_ERR_PROTOCOL;
    }
    sum->offset += sizeof(struct cap_chunk_header) + sl_round_up(v[STORED], CAP_ALIGN);
    return SL_OK;
}

static enum sl_result read_chunks(struct seek *s, const struct cap_index_head *head,
                                  const uint8_t *at, uint32_t size)
{
    struct running sum = {.offset = head->first_chunk_offset, .number = head->first_chunk};
    struct lanes lanes;
    enum sl_result result = SL_OK;
    const uint8_t *end = at + size;
    sl_map_init(&lanes.by_stream, SL_MAP_MOST); /* each has an entry of `size` bytes */
    uint32_t count = 0;
    for (; result == SL_OK && at < end; count++) {
        struct found one;
        result = read_entry(&at, end, &sum, &lanes, &one);
        if (result == SL_OK && !grow(&s->found, &s->found_capacity, s->found_count, sizeof one)) {
            result = SL_ERR_NOMEM;
        }
        if (result == SL_OK) {
            s->found[s->found_count++] = one;
        }
    }
    lanes_finish(&lanes);
    return result == SL_OK && count != head->chunks ? SL_ERR_PROTOCOL : result;
}

static enum sl_result read_marks(struct seek *s, const uint8_t *at, uint32_t size)
{
    for (; size >= sizeof(struct cap_index_frame); size -= sizeof(struct cap_index_frame)) {
        if (!grow(&s->marks, &s->mark_capacity, s->mark_count, sizeof *s->marks)) {
            return SL_ERR_NOMEM;
        }
        s->marks[s->mark_count++] = sl_load_u64(at + offsetof(struct cap_frame, stamp));
        at += sizeof(struct cap_index_frame);
    }
    return size == 0 ? SL_OK : SL_ERR_PROTOCOL;
}

/* The chunks and frames of a segment, behind those that are there. */
static enum sl_result gather(struct seek *s, uint64_t offset)
{
    struct cap_index_walk walk;
    struct cap_index_section section;
    const uint8_t *bytes;
    enum sl_result result = load(s, offset, &walk);
    while (result == SL_OK && cap_index_walk_next(&walk, &section, &bytes)) {
        if (section.section == CAP_SECTION_CHUNKS) {
            result = read_chunks(s, &walk.head, bytes, section.size);
        } else if (section.section == CAP_SECTION_FRAMES) {
            result = read_marks(s, bytes, section.size);
        }
    }
    return not_told(result == SL_OK && walk.failed ? SL_ERR_PROTOCOL : result);
}

/* --- what the reader has then --- */

/* Those that are wanted, into the reader's list. */
static enum sl_result take(struct seek *s)
{
    enum sl_result result = SL_OK;
    for (uint32_t i = 0; result == SL_OK && i < s->found_count; i++) {
        if (s->found[i].is_wanted) {
            result = cap_reader_add(s->reader, &s->found[i].chunk);
        }
    }
    return result;
}

/* All is taken, or nothing. */
static enum sl_result end_take(struct seek *s, enum sl_result result)
{
    struct cap_reader *r = s->reader;
    struct stat file = {.st_size = 0};
    if (result == SL_OK && fstat(r->fd, &file) != 0) {
        result = SL_ERR_IO;
    }
    r->is_complete = result == SL_OK;
    r->size = (uint64_t)file.st_size;
    if (result != SL_OK) {
        r->chunk_count = r->skipped = 0;
    }
    seek_finish(s);
    return result;
}

enum sl_result cap_seek_all(struct cap_reader *reader)
{
    struct seek s = {.reader = reader};
    struct node node;
    enum sl_result result = visit_last(&s, &node);
    while (result == SL_OK && node.number != 0) {
        result = visit(&s, node.previous, &node);
    }
    for (uint32_t i = s.node_count; result == SL_OK && i-- != 0;) {
        s.found_count = s.mark_count = 0;
        result = gather(&s, s.nodes[i].offset);
        for (uint32_t k = 0; k < s.found_count; k++) {
            s.found[k].is_wanted = true;
        }
        result = result == SL_OK ? take(&s) : result;
    }
    return end_take(&s, result);
}

/* --- around some stamps --- */

static bool is_of_lane(const struct found *f, const struct found *other)
{
    return f->chunk.kind == other->chunk.kind && f->chunk.stream == other->chunk.stream &&
           ((f->chunk.flags ^ other->chunk.flags) & CAP_CHUNK_SNAPSHOT) == 0;
}

static struct found *before(struct seek *s, const struct found *f)
{
    for (struct found *at = &s->found[f - s->found]; at-- != s->found;) {
        if (is_of_lane(at, f)) {
            return at;
        }
    }
    return NULL;
}

static struct found *behind(struct seek *s, const struct found *f)
{
    for (struct found *at = &s->found[f - s->found] + 1; at < s->found + s->found_count; at++) {
        if (is_of_lane(at, f)) {
            return at;
        }
    }
    return NULL;
}

static bool has_results(const struct found *f)
{
    return f->chunk.kind == CAP_KIND_CALL || f->chunk.kind == CAP_KIND_VERB;
}

/* Marks the chunks with such stamps, those that their first records began in, and those that their
 * last records, or these's results, end in. is_last: the trace has no more. AGAIN: what follows
 * must be gathered, too; NOTFOUND: what is before. */
static enum sl_result choose(struct seek *s, uint64_t first, uint64_t last, bool is_last)
{
    for (uint32_t i = 0; i < s->found_count; i++) {
        struct found *f = &s->found[i];
        f->is_wanted = lane_of(f->chunk.kind) <= LANE_FRAM &&
                       (f->chunk.flags & CAP_CHUNK_SNAPSHOT) == 0 && f->chunk.first_stamp <= last &&
                       f->last_stamp >= first;
    }
    for (uint32_t i = s->found_count; i-- != 0;) {
        struct found *f = &s->found[i];
        if (f->is_wanted && (f->chunk.flags & CAP_CHUNK_CONTINUED) != 0) {
            f = before(s, f);
            if (f == NULL) {
                return SL_ERR_NOTFOUND;
            }
            f->is_wanted = true;
        }
    }
    uint32_t end = s->found_count;
    for (uint32_t i = 0; i < end; i++) {
        struct found *f = &s->found[i];
        bool spills = (f->chunk.flags & CAP_CHUNK_SPILLS) != 0;
        bool in_range = f->chunk.first_stamp <= last && f->last_stamp >= first;
        if (!f->is_wanted || !(spills || (has_results(f) && in_range))) {
            continue;
        }
        f = behind(s, f);
        if (f == NULL && !is_last) {
            return SL_ERR_AGAIN;
        }
        if (f != NULL) {
            f->is_wanted = true;
        }
    }
    return SL_OK;
}

/* The head lies in the first segment, whose chunks are not gathered: its headers are read. */
static enum sl_result take_head(struct seek *s)
{
    uint64_t offset = s->reader->header.header_size;
    for (uint32_t i = 0; i < HEAD_CHUNKS; i++) {
        struct cap_chunk chunk;
        enum sl_result result = cap_reader_chunk_at(s->reader, offset, &chunk);
        bool is_head =
            result == SL_OK && (chunk.kind == CAP_KIND_META || chunk.kind == CAP_KIND_PROT ||
                                chunk.kind == CAP_KIND_CAPS);
        if (result == SL_OK && is_head) {
            result = cap_reader_add(s->reader, &chunk);
        }
        if (result != SL_OK || !is_head) {
            return not_told(result);
        }
        offset += sizeof(struct cap_chunk_header) + sl_round_up(chunk.stored_size, CAP_ALIGN);
    }
    return SL_OK;
}

/* The same of the segment with this number. */
static enum sl_result gather_number(struct seek *s, uint32_t number)
{
    struct node node;
    enum sl_result result = descend(s, &(struct wanted){BY_NUMBER, number}, &node);
    if (result == SL_OK && node.number != number) {
        result = SL_ERR_NOTFOUND;
    }
    return result == SL_OK ? gather(s, node.offset) : result;
}

/* Segments one behind the other from number `from` on, to `to` and as many more as something may
 * come late, then until what is looked for is there. */
static enum sl_result gather_around(struct seek *s, uint32_t from, uint32_t to, uint64_t first,
                                    uint64_t last)
{
    struct node node = {0};
    enum sl_result result = visit_last(s, &node);
    uint32_t end = node.number;
    to = node.late < UINT32_MAX - to ? to + node.late : UINT32_MAX;
    for (uint32_t i = from; result == SL_OK && i <= end; i++) {
        result = gather_number(s, i);
        if (result == SL_OK && i >= to) {
            result = choose(s, first, last, i == end);
            if (result != SL_ERR_AGAIN) {
                return result;
            }
            result = i - to < AHEAD ? SL_OK : SL_ERR_NOTFOUND;
        }
    }
    return result == SL_OK ? choose(s, first, last, true) : result;
}

enum sl_result cap_seek_stamps(struct cap_reader *reader, uint64_t first, uint64_t last,
                               uint64_t *frame)
{
    struct seek s = {.reader = reader};
    struct node from = {0}, to = {0};
    uint64_t frames = 0;
    enum sl_result result = descend(&s, &(struct wanted){BY_STAMP, first}, &from);
    if (result == SL_OK && descend(&s, &(struct wanted){BY_STAMP, last}, &to) != SL_OK) {
        result = visit_last(&s, &to); /* it ends before */
    }
    if (result == SL_OK && from.number != 0) { /* the first record may have begun there */
        result = visit(&s, from.previous, &from);
    }
    if (result == SL_OK) {
        result = gather_around(&s, from.number, to.number, first, last);
    }
    for (uint32_t i = 0; result == SL_OK && i < s.mark_count; i++) {
        frames += s.marks[i] < first;
    }
    result = result == SL_OK ? take_head(&s) : result;
    result = result == SL_OK ? take(&s) : result;
    *frame = from.first_frame + frames;
    return end_take(&s, result);
}

enum sl_result cap_seek_frame(struct cap_reader *reader, uint64_t frame, uint64_t *first,
                              uint64_t *last)
{
    struct seek s = {.reader = reader};
    struct node to = {0}, from = {0};
    /* The last segment that begins with this frame, or with one before it, and the one before. */
    enum sl_result result = descend(&s, &(struct wanted){BY_FRAME, frame}, &to);
    result = result == SL_OK             ? visit(&s, to.previous, &to)
             : result == SL_ERR_NOTFOUND ? visit_last(&s, &to)
                                         : result;
    from = to;
    while (result == SL_OK && from.number != 0 && from.first_frame >= frame) {
        result = visit(&s, from.previous, &from);
    }
    for (uint32_t i = from.number; result == SL_OK && i <= to.number; i++) {
        result = gather_number(&s, i);
    }
    uint64_t at = frame - from.first_frame; /* 0: the frame before is not told of */
    if (result == SL_OK &&
        (frame < from.first_frame || at >= s.mark_count || (at == 0 && frame != 0))) {
        result = SL_ERR_NOTFOUND;
    }
    if (result == SL_OK) {
        *first = frame != 0 ? s.marks[at - 1] + 1 : 1;
        *last = s.marks[at];
    }
    seek_finish(&s);
    return result;
}
