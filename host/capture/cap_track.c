#include "host/capture/cap_track.h"

#include "host/capture/cap_bytes.h"
#include "transport/base/arith.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <string.h>

enum parsed { PARSED, PARSED_TIME, PARSED_RESULT, PARSED_CUT, PARSED_BAD };

/* A number that is not there: cut off, unless so many bytes are that it makes no sense. */
static enum parsed no_number(const uint8_t *at, const uint8_t *end)
{
    return end - at >= (ptrdiff_t)CAP_VARINT_MAX ? PARSED_BAD : PARSED_CUT;
}

static size_t left(const uint8_t *at, const uint8_t *end)
{
    return (size_t)(end - at);
}

/* --- one record; *p moves behind it only when it is whole --- */

/* Calls are what there are millions of: they fill half of an event. */
static void begin_call(const struct cap_track *t, struct cap_event *event, uint64_t stamp)
{
    event->kind = CAP_EVENT_CALL;
    event->stream = t->stream;
    event->stamp = stamp;
    event->time = t->time;
    event->number = 0;
}

static enum parsed parse_packet(struct cap_track *t, const uint8_t **p, const uint8_t *end,
                                uint8_t tag, struct cap_event *event)
{
    const uint8_t *at = *p;
    uint64_t delta;
    if (!cap_varint_get(&at, end, &delta)) {
        return no_number(at, end);
    }
    if (left(at, end) < 8) {
        return PARSED_CUT;
    }
    uint32_t length = sl_load_u32(at + 4);
    uint64_t stamp;
    if (length < 8 || length > CAP_RECORD_MAX || !sl_add_u64(t->stamp, delta, &stamp)) {
        return PARSED_BAD;
    }
    if (left(at, end) < length) {
        return PARSED_CUT;
    }
    begin_call(t, event, stamp);
    event->call = (struct cap_event_call){.ctx_id = t->head.ctx_id,
                                          .ring_id = t->head.ring_id,
                                          .capset = t->head.capset,
                                          .preamble = t->head.preamble,
                                          .packet = at,
                                          .size = length,
                                          .has_sum = (tag & CAP_CALL_SUM) != 0,
                                          .index = t->index};
    t->stamp = stamp;
    *p = at + length;
    return PARSED;
}

static enum parsed parse_call_result(const uint8_t **p, const uint8_t *end, uint8_t tag,
                                     struct cap_event *event)
{
    const uint8_t *at = *p, *reply = NULL;
    uint64_t delta, size = 0;
    if (!cap_varint_get(&at, end, &delta)) {
        return no_number(at, end);
    }
    if ((tag & CAP_CALL_REPLY) != 0) {
        if (!cap_varint_get(&at, end, &size)) {
            return no_number(at, end);
        }
        if (size > CAP_RECORD_MAX) {
            return PARSED_BAD;
        }
        if (left(at, end) < size) {
            return PARSED_CUT;
        }
        reply = at;
        at += size;
    }
    event->call = (struct cap_event_call){.has_result = true,
                                          .has_reply = reply != NULL,
                                          .is_refused = (tag & CAP_CALL_REFUSED) != 0,
                                          .is_lost = (tag & CAP_CALL_LOST) != 0,
                                          .reply = reply,
                                          .reply_size = (uint32_t)size,
                                          .end_stamp = delta};
    *p = at;
    return PARSED_RESULT;
}

static enum parsed parse_call(struct cap_track *t, const uint8_t **p, const uint8_t *end,
                              struct cap_event *event)
{
    const uint8_t *at = *p;
    uint8_t tag = *at++;
    uint64_t delta, time;
    enum parsed parsed = PARSED_BAD;
    switch (tag & CAP_CALL_TYPE) {
    case CAP_CALL_PACKET:
        parsed = parse_packet(t, &at, end, tag, event);
        break;
    case CAP_CALL_RESULT:
        parsed = parse_call_result(&at, end, tag, event);
        break;
    case CAP_CALL_TIME:
        if (!cap_varint_get(&at, end, &delta)) {
            return no_number(at, end);
        }
        if (sl_add_u64(t->time, delta, &time)) {
            t->time = time;
            parsed = PARSED_TIME;
        }
        break;
    default:
        break;
    }
    *p = parsed < PARSED_CUT ? at : *p;
    return parsed;
}

/* Whether a record's body is there, and its stamp: so many behind the last one. */
static enum parsed body_fits(const struct cap_track *t, size_t room, uint64_t size, uint64_t delta,
                             uint64_t *stamp)
{
    if (size > CAP_PAYLOAD_MAX || !sl_add_u64(t->stamp, delta, stamp)) {
        return PARSED_BAD;
    }
    return room < size ? PARSED_CUT : PARSED;
}

static enum parsed parse_verb(struct cap_track *t, const uint8_t **p, const uint8_t *end,
                              struct cap_event *event)
{
    const uint8_t *at = *p;
    uint8_t verb = *at++;
    uint64_t delta, size, stamp;
    if (!cap_varint_get(&at, end, &delta) || !cap_varint_get(&at, end, &size)) {
        return no_number(at, end);
    }
    enum parsed fits = body_fits(t, left(at, end), size, delta, &stamp);
    if (fits != PARSED) {
        return fits;
    }
    *event = (struct cap_event){.kind = CAP_EVENT_VERB,
                                .stream = t->stream,
                                .stamp = stamp,
                                .time = t->time,
                                .verb = {.verb = verb, .body = at, .size = (uint32_t)size}};
    t->stamp = stamp;
    *p = at + size;
    if (verb != CAP_VERB_RESULT) {
        return PARSED;
    }
    if (size < sizeof(struct cap_verb_result)) {
        return PARSED_BAD;
    }
    event->verb.result = (int32_t)sl_load_u32(at);
    event->verb.value = sl_load_u64(at + offsetof(struct cap_verb_result, value));
    return PARSED_RESULT;
}

/* One piece of a memory record; *bytes NULL: by reference, *blob. */
static enum parsed parse_piece(const uint8_t **p, const uint8_t *end, uint64_t *offset,
                               struct cap_piece *piece, uint64_t *blob)
{
    const uint8_t *at = *p;
    uint64_t gap, size;
    if (!cap_varint_get(&at, end, &gap) || !cap_varint_get(&at, end, &size)) {
        return no_number(at, end);
    }
    bool by_reference = (size & 1) != 0;
    size >>= 1;
    uint64_t begin, behind;
    if (size == 0 || size > CAP_PIECE_BYTES || !sl_add_u64(*offset, gap, &begin) ||
        !sl_add_u64(begin, size, &behind)) {
        return PARSED_BAD;
    }
    *piece = (struct cap_piece){.offset = begin, .size = (uint32_t)size};
    if (by_reference) {
        if (!cap_varint_get(&at, end, blob)) {
            return no_number(at, end);
        }
    } else {
        if (left(at, end) < size) {
            return PARSED_CUT;
        }
        piece->bytes = at;
        at += size;
    }
    *offset = behind;
    *p = at;
    return PARSED;
}

bool cap_piece_get(const uint8_t **p, const uint8_t *end, uint64_t *offset, struct cap_piece *piece,
                   uint64_t *blob)
{
    return parse_piece(p, end, offset, piece, blob) == PARSED;
}

static enum parsed parse_memory(struct cap_track *t, const uint8_t **p, const uint8_t *end,
                                struct cap_event *event)
{
    const uint8_t *at = *p;
    uint64_t delta, resource, count, stamp, offset = 0, blob;
    if (!cap_varint_get(&at, end, &delta)) {
        return no_number(at, end);
    }
    if (at == end) {
        return PARSED_CUT;
    }
    uint8_t source = *at++;
    if (!cap_varint_get(&at, end, &resource) || !cap_varint_get(&at, end, &count)) {
        return no_number(at, end);
    }
    if (resource > UINT32_MAX || !sl_add_u64(t->stamp, delta, &stamp)) {
        return PARSED_BAD;
    }
    const uint8_t *pieces = at;
    for (uint64_t i = 0; i < count; i++) { /* each takes two bytes at least */
        struct cap_piece piece;
        enum parsed parsed = parse_piece(&at, end, &offset, &piece, &blob);
        if (parsed != PARSED) {
            return parsed;
        }
    }
    *event = (struct cap_event){.kind = CAP_EVENT_MEMORY,
                                .stream = t->stream,
                                .stamp = stamp,
                                .time = t->time,
                                .memory = {.resource_id = (uint32_t)resource,
                                           .source = source,
                                           .pieces = count,
                                           .at = pieces,
                                           .end = at}};
    t->stamp = stamp;
    *p = at;
    return PARSED;
}

static enum parsed parse_text(struct cap_track *t, const uint8_t **p, const uint8_t *end,
                              struct cap_event *event)
{
    const uint8_t *at = *p;
    uint64_t delta, size, stamp;
    if (!cap_varint_get(&at, end, &delta)) {
        return no_number(at, end);
    }
    if (at == end) {
        return PARSED_CUT;
    }
    uint8_t level = *at++;
    if (!cap_varint_get(&at, end, &size)) {
        return no_number(at, end);
    }
    enum parsed fits = body_fits(t, left(at, end), size, delta, &stamp);
    if (fits != PARSED) {
        return fits;
    }
    *event = (struct cap_event){.kind = CAP_EVENT_TEXT,
                                .stream = t->stream,
                                .stamp = stamp,
                                .time = t->time,
                                .text = {.level = level, .size = (uint32_t)size, .text = at}};
    t->stamp = stamp;
    *p = at + size;
    return PARSED;
}

static enum parsed parse_frame(struct cap_track *t, const uint8_t **p, const uint8_t *end,
                               struct cap_event *event)
{
    if (left(*p, end) < sizeof event->frame) {
        return PARSED_CUT;
    }
    *event = (struct cap_event){.kind = CAP_EVENT_FRAME, .stream = t->stream};
    memcpy(&event->frame, *p, sizeof event->frame);
    event->stamp = event->frame.stamp;
    event->time = event->frame.time;
    if (event->stamp < t->stamp) {
        return PARSED_BAD;
    }
    t->stamp = event->stamp;
    *p += sizeof event->frame;
    return PARSED;
}

static enum parsed parse(struct cap_track *t, struct cap_event *event)
{
    switch (t->kind) {
    case CAP_EVENT_CALL:
        return parse_call(t, &t->at, t->end, event);
    case CAP_EVENT_VERB:
        return parse_verb(t, &t->at, t->end, event);
    case CAP_EVENT_MEMORY:
        return parse_memory(t, &t->at, t->end, event);
    case CAP_EVENT_TEXT:
        return parse_text(t, &t->at, t->end, event);
    case CAP_EVENT_FRAME:
        break;
    }
    return parse_frame(t, &t->at, t->end, event);
}

/* --- chunk after chunk --- */

static uint32_t next_chunk(const struct cap_track *t, const struct cap_reader *reader)
{
    return t->chunk != CAP_NO_CHUNK ? reader->chunks[t->chunk].next : t->first;
}

static size_t head_size(const struct cap_track *t)
{
    return t->kind == CAP_EVENT_CALL ? sizeof t->head : 0;
}

/* The event that waits for its result points into memory that is about to be used again. */
static bool hold(struct cap_track *t)
{
    struct cap_event *e = &t->events[t->now];
    const uint8_t **bytes = t->kind == CAP_EVENT_CALL ? &e->call.packet : &e->verb.body;
    uint32_t size = t->kind == CAP_EVENT_CALL ? e->call.size : e->verb.size;
    if (!t->has_start || *bytes == t->held || size == 0) {
        return true;
    }
    if (size > t->held_capacity) {
        uint8_t *more = sl_realloc(t->held, size);
        if (more == NULL) {
            return false;
        }
        t->held = more;
        t->held_capacity = size;
    }
    memcpy(t->held, *bytes, size);
    *bytes = t->held;
    return true;
}

static void rebase(struct cap_track *t, const struct cap_chunk *chunk)
{
    t->stamp = chunk->first_stamp;
    t->time = chunk->time;
    t->index = chunk->first_record;
    t->rebase = false;
}

/* The next chunk's payload, its head looked at. NOTFOUND; PROTOCOL: it is *bad, and passed by. */
static enum sl_result load(struct cap_track *t, struct cap_reader *reader, bool joins,
                           uint32_t *bad)
{
    uint32_t index = next_chunk(t, reader);
    if (index == CAP_NO_CHUNK) {
        return SL_ERR_NOTFOUND;
    }
    struct cap_chunk *chunk = &reader->chunks[index];
    if (!hold(t)) {
        return SL_ERR_NOMEM;
    }
    bool follows = t->expected_record == chunk->first_record;
    bool is_rest = (chunk->flags & CAP_CHUNK_CONTINUED) != 0;
    enum cap_damage_kind why = CAP_DAMAGE_RECORD;
    enum sl_result result = cap_reader_load(reader, chunk, &t->payload, &why);
    if (result == SL_OK && (is_rest != joins || (joins && !follows))) {
        /* The other end of a record is lost, so this one cannot be read either. */
        why = CAP_DAMAGE_MISSING;
        result = SL_ERR_PROTOCOL;
    }
    if (result == SL_OK && head_size(t) != 0) {
        const struct cap_call_head *head = (const void *)t->payload.data;
        if (t->payload.size < sizeof *head || head->head_size < sizeof *head ||
            head->head_size > t->payload.size) {
            result = SL_ERR_PROTOCOL;
        }
    }
    if (result != SL_OK && result != SL_ERR_PROTOCOL) {
        return result;
    }
    t->chunk = index;
    t->expected_record = UINT64_MAX;
    t->at = t->end = NULL;
    if (result != SL_OK) {
        cap_reader_damaged(reader, chunk, why);
        *bad = index;
        return result;
    }
    t->expected_record = chunk->first_record + chunk->records;
    t->at = t->payload.data;
    t->end = t->at + t->payload.size;
    if (head_size(t) != 0) {
        memcpy(&t->head, t->at, sizeof t->head);
        t->at += t->head.head_size;
    }
    return SL_OK;
}

/* What is left of the window, and the next chunk behind it. */
static enum sl_result join(struct cap_track *t, struct cap_reader *reader, uint32_t *bad)
{
    size_t kept = left(t->at, t->end);
    uint32_t index = next_chunk(t, reader);
    if (index == CAP_NO_CHUNK) {
        return SL_ERR_NOTFOUND;
    }
    size_t more = reader->chunks[index].raw_size;
    if (kept + more > CAP_RECORD_MAX + CAP_PAYLOAD_MAX) {
        cap_reader_damaged(reader, &reader->chunks[index], CAP_DAMAGE_RECORD);
        *bad = t->chunk = index;
        t->at = t->end = NULL;
        return SL_ERR_PROTOCOL;
    }
    if (!hold(t)) {
        return SL_ERR_NOMEM;
    }
    bool is_carried =
        t->carry != NULL && t->at >= t->carry && t->at <= t->carry + t->carry_capacity;
    size_t offset = is_carried ? (size_t)(t->at - t->carry) : 0;
    if (kept + more > t->carry_capacity || offset != 0) {
        uint8_t *carry = sl_alloc((kept + more) * 2);
        if (carry == NULL) {
            return SL_ERR_NOMEM;
        }
        memcpy(carry, t->at, kept);
        sl_free(t->carry);
        t->carry = carry;
        t->carry_capacity = (kept + more) * 2;
    } else if (!is_carried) {
        memcpy(t->carry, t->at, kept);
    }
    enum sl_result result = load(t, reader, true, bad);
    if (result == SL_OK) {
        size_t fresh = left(t->at, t->end);
        memcpy(t->carry + kept, t->at, fresh);
        t->at = t->carry;
        t->end = t->carry + kept + fresh;
        t->rebase = true;
    }
    return result;
}

/* Chunks in which nothing begins are joined at once: a record is looked at twice, however many
 * chunks it fills. */
static enum sl_result join_all(struct cap_track *t, struct cap_reader *reader, uint32_t *bad)
{
    enum sl_result result;
    const struct cap_chunk *chunk;
    do {
        result = join(t, reader, bad);
        chunk = &reader->chunks[t->chunk];
    } while (result == SL_OK && chunk->records == 0 && (chunk->flags & CAP_CHUNK_SPILLS) != 0);
    return result;
}

/* The next record, whatever it is. *parsed: PARSED, PARSED_TIME or PARSED_RESULT. */
static enum sl_result next_record(struct cap_track *t, struct cap_reader *reader,
                                  struct cap_event *event, enum parsed *parsed, uint32_t *bad)
{
    for (;;) {
        enum sl_result result = SL_OK;
        if (t->at == t->end) {
            result = load(t, reader, false, bad);
            if (result != SL_OK) {
                return result;
            }
            rebase(t, &reader->chunks[t->chunk]);
            continue;
        }
        struct cap_chunk *chunk = &reader->chunks[t->chunk];
        *parsed = parse(t, event);
        if (*parsed == PARSED_CUT && (chunk->flags & CAP_CHUNK_SPILLS) != 0 &&
            !(t->rebase && chunk->records != 0)) {
            result = join_all(t, reader, bad);
            if (result != SL_OK) {
                return result;
            }
            continue;
        }
        if (*parsed >= PARSED_CUT) {
            cap_reader_damaged(reader, chunk, CAP_DAMAGE_RECORD);
            *bad = t->chunk;
            t->at = t->end = NULL;
            return SL_ERR_PROTOCOL;
        }
        t->index += *parsed == PARSED;
        if (t->rebase) {
            rebase(t, chunk);
        }
        return SL_OK;
    }
}

static void take_result(struct cap_event *event, const struct cap_event *result)
{
    if (event->kind == CAP_EVENT_CALL) {
        struct cap_event_call *call = &event->call;
        const struct cap_event_call *from = &result->call;
        call->has_result = true;
        call->has_reply = from->has_reply;
        call->is_refused = from->is_refused;
        call->is_lost = from->is_lost;
        call->reply = from->reply;
        call->reply_size = from->reply_size;
        uint64_t end;
        call->end_stamp = sl_add_u64(event->stamp, from->end_stamp, &end) ? end : 0;
    } else {
        event->verb.has_result = true;
        event->verb.result = result->verb.result;
        event->verb.value = result->verb.value;
    }
}

static bool has_results(const struct cap_track *t)
{
    return t->kind == CAP_EVENT_CALL || t->kind == CAP_EVENT_VERB;
}

enum sl_result cap_track_fill(struct cap_track *track, struct cap_reader *reader, bool is_last,
                              uint32_t *bad)
{
    if (track->has_peeked && !track->has_start) {
        track->now ^= 1;
        track->has_start = true;
        track->has_peeked = false;
    }
    while (!track->is_ready) {
        struct cap_event *found = &track->events[track->has_start ? track->now ^ 1 : track->now];
        enum parsed parsed = PARSED_BAD;
        enum sl_result result = next_record(track, reader, found, &parsed, bad);
        if (result == SL_ERR_NOTFOUND && track->has_start && is_last) {
            track->is_ready = true; /* nothing more will come */
        } else if (result == SL_ERR_PROTOCOL && track->has_start) {
            track->is_ready = true; /* its result is lost; *bad is told all the same */
            return result;
        } else if (result != SL_OK) {
            return result;
        } else if (parsed == PARSED_RESULT && track->has_start) {
            take_result(&track->events[track->now], found);
            track->is_ready = true;
        } else if (parsed == PARSED && track->has_start) {
            track->has_peeked = true;
            track->is_ready = true;
        } else if (parsed == PARSED) {
            track->has_start = has_results(track);
            track->is_ready = !track->has_start;
        }
    }
    return SL_OK;
}

uint64_t cap_track_bound(const struct cap_track *track, const struct cap_reader *reader)
{
    if (track->is_ready || track->has_start) {
        return track->events[track->now].stamp;
    }
    if (track->has_peeked) {
        return track->events[track->now ^ 1].stamp;
    }
    if (track->at != track->end) {
        return track->stamp;
    }
    uint32_t next = next_chunk(track, reader);
    return next != CAP_NO_CHUNK ? reader->chunks[next].first_stamp : UINT64_MAX;
}

void cap_track_finish(struct cap_track *track)
{
    cap_payload_finish(&track->payload);
    sl_free(track->carry);
    sl_free(track->held);
}
