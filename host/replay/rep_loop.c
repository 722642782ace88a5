/* The same frames again and again: what was played is kept on a tape, and behind its end what lives
 * is led back to where it began (rep_back.c). */
#include "host/replay/rep_kept.h"

#include "transport/base/atomic.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"
#include "wire/vk_opcodes.h"

#include <stdio.h>
#include <string.h>

#define TAPE_MAX (2ull << 30) /* bytes; longer loops are played from the trace */
#define BLOCK    (1u << 20)
#define REST_S   5u
#define HELD_MAX 4096u

struct block {
    struct block *next;
    size_t size, used;
    _Alignas(16) uint8_t bytes[];
};

/* Events with all that they point to. */
struct tape {
    struct cap_event *events;
    uint32_t count, room;
    struct block *blocks;
    uint64_t bytes;
};

/* Vulkan's packets come by when they began; some wait for the turns of others that came later. */
struct held {
    struct tape tape;
    struct {
        uint32_t ctx_id, next;
    } contexts[REP_CONTEXTS];
    uint32_t context_count;
};

struct loop {
    struct rep *rep;
    struct tape tape;
    struct held held;
    struct rep_kept begin;
    struct rep_gpu_known *fences;
    struct rep_back back;
    bool has_back;
    uint32_t changes;      /* rep.changes at its begin */
    uint64_t first, end;   /* frames; end: the first one that is not of it */
    uint64_t first_behind; /* rep.calls_behind at its begin */
};

/* --- the tape --- */

static const uint8_t *tape_bytes(struct tape *t, const uint8_t *bytes, size_t size)
{
    if (bytes == NULL || size == 0) {
        return bytes;
    }
    struct block *block = t->blocks;
    if (block == NULL || block->size - block->used < size) {
        size_t room = size > BLOCK ? size : BLOCK;
        block = t->bytes + room <= TAPE_MAX ? sl_alloc(sizeof *block + room) : NULL;
        if (block == NULL) {
            return NULL;
        }
        *block = (struct block){.next = t->blocks, .size = room};
        t->blocks = block;
        t->bytes += room;
    }
    uint8_t *at = block->bytes + block->used;
    memcpy(at, bytes, size);
    block->used += size;
    return at;
}

/* False: no memory, or it is too long. */
static bool tape_add(struct tape *t, const struct cap_event *event)
{
    struct cap_event e = *event;
    bool ok = true;
    switch (e.kind) {
    case CAP_EVENT_CALL:
        e.call.packet = tape_bytes(t, e.call.packet, e.call.size);
        e.call.reply = tape_bytes(t, e.call.reply, e.call.reply_size);
        ok = (e.call.packet != NULL || e.call.size == 0) &&
             (e.call.reply != NULL || event->call.reply == NULL);
        break;
    case CAP_EVENT_VERB:
        e.verb.body = tape_bytes(t, e.verb.body, e.verb.size);
        ok = e.verb.body != NULL || e.verb.size == 0;
        break;
    case CAP_EVENT_MEMORY: {
        size_t size = (size_t)(e.memory.end - e.memory.at);
        e.memory.at = tape_bytes(t, e.memory.at, size);
        ok = e.memory.at != NULL || size == 0;
        e.memory.end = ok ? e.memory.at + size : NULL;
        break;
    }
    case CAP_EVENT_TEXT:
        return true; /* nobody plays it */
    case CAP_EVENT_FRAME:
        break;
    }
    if (!ok || !REP_GROW(t->events, t->room, t->count)) {
        return false;
    }
    t->events[t->count++] = e;
    return true;
}

static void tape_finish(struct tape *t)
{
    while (t->blocks != NULL) {
        struct block *next = t->blocks->next;
        sl_free(t->blocks);
        t->blocks = next;
    }
    sl_free(t->events);
}

/* --- in the order of turns --- */

static uint32_t *turn_after(struct held *h, uint32_t ctx_id)
{
    for (uint32_t i = 0; i < h->context_count; i++) {
        if (h->contexts[i].ctx_id == ctx_id) {
            return &h->contexts[i].next;
        }
    }
    if (h->context_count == REP_CONTEXTS) {
        return NULL;
    }
    h->contexts[h->context_count].ctx_id = ctx_id;
    return &h->contexts[h->context_count++].next; /* 0: not known */
}

static uint32_t turn_of(const struct cap_event *event)
{
    bool has = event->kind == CAP_EVENT_CALL && event->call.size >= 12 &&
               event->call.capset == VIRTGPU_CAPSET_GFXSTREAM_VULKAN;
    return has ? sl_load_u32(event->call.packet + 8) : 0;
}

/* Its context waits for an earlier one. */
static bool comes_early(struct held *h, const struct cap_event *event)
{
    uint32_t turn = turn_of(event);
    const uint32_t *next = turn != 0 ? turn_after(h, event->call.ctx_id) : NULL;
    return next != NULL && *next != 0 && (int32_t)(turn - *next) > 0;
}

static void pass(struct held *h, const struct cap_event *event)
{
    uint32_t turn = turn_of(event);
    uint32_t *next = turn != 0 ? turn_after(h, event->call.ctx_id) : NULL;
    if (next == NULL) {
        return;
    }
    /* The last packet of a snapshot says how they go on. */
    bool jumps = event->call.size >= 20 &&
                 sl_load_u32(event->call.packet) == VK_OP_vkRestoreSLUICE &&
                 sl_load_u32(event->call.packet + 12) != 0;
    uint32_t last = jumps ? sl_load_u32(event->call.packet + 16) : turn;
    if (jumps || *next == 0 || (int32_t)(last + 1 - *next) > 0) {
        *next = last + 1;
    }
}

static bool is_of(const struct cap_event *event, uint32_t stream)
{
    return (event->kind == CAP_EVENT_CALL && event->stream == stream) ||
           (event->kind == CAP_EVENT_FRAME && event->frame.stream == stream);
}

static bool has_stream(const struct held *h, const struct cap_event *event)
{
    uint32_t stream = event->kind == CAP_EVENT_FRAME ? event->frame.stream : event->stream;
    bool has = false;
    for (uint32_t i = 0; !has && i < h->tape.count; i++) {
        has = is_of(&h->tape.events[i], stream);
    }
    return has && is_of(event, stream);
}

/* One that waits no more, the oldest of its stream. */
static bool take_held(struct held *h, struct cap_event *event)
{
    struct tape *t = &h->tape;
    for (uint32_t i = 0; i < t->count; i++) {
        const struct cap_event *e = &t->events[i];
        uint32_t stream = e->kind == CAP_EVENT_FRAME ? e->frame.stream : e->stream;
        bool is_first = true;
        for (uint32_t k = 0; is_first && k < i; k++) {
            is_first = !is_of(&t->events[k], stream);
        }
        if (is_first && !comes_early(h, e)) {
            *event = *e;
            memmove(&t->events[i], &t->events[i + 1], (--t->count - i) * sizeof *e);
            pass(h, event);
            return true;
        }
    }
    return false;
}

/* The next record that waits for none behind it: where a frame ends, nothing is under way. */
static enum sl_result next(struct loop *l, struct cap_event *event)
{
    struct held *h = &l->held;
    if (take_held(h, event)) {
        return SL_OK;
    }
    for (;;) {
        enum sl_result result = cap_merge_next(l->rep->merge, event, &l->rep->report->damage);
        if (result != SL_OK) {
            return result;
        }
        if (h->tape.count == HELD_MAX || (!has_stream(h, event) && !comes_early(h, event))) {
            pass(h, event);
            return SL_OK;
        }
        if (!tape_add(&h->tape, event)) {
            return SL_ERR_NOMEM;
        }
    }
}

/* --- where it begins and ends --- */

static void refuse(struct loop *l, const char *reason)
{
    struct rep_report *report = l->rep->report;
    if (report->loop.reason[0] == '\0') {
        snprintf(report->loop.reason, sizeof report->loop.reason, "%s", reason);
    }
}

static bool is_refused(const struct loop *l)
{
    return l->rep->report->loop.reason[0] != '\0';
}

/* All that was fed is over. What has begun may still be at it: it is waited for, for a while. */
static bool is_still(struct rep *rep)
{
    rep_catch_up_all(rep, UINT64_MAX);
    rep_settle(rep);
    for (uint32_t i = 0; i < REP_RINGS; i++) {
        struct rep_ring *ring = rep->rings[i];
        if (ring == NULL || sl_atomic_load_relaxed(&ring->is_gone) != 0) {
            continue;
        }
        for (uint32_t tries = 0; tries < REST_S && !rep_ring_is_done(ring, ring->fed); tries++) {
            rep_ring_linger(ring, ring->fed, REP_LINGER_NS);
        }
        if (!rep_ring_is_done(ring, ring->fed) || sl_atomic_load_acquire(&ring->is_lost) != 0) {
            return false;
        }
        rep_ring_settle(ring);
        rep_ring_drain(ring);
    }
    rep_gpu_idle(rep);
    return !rep->stop;
}

/* The event is the first one of the loop. */
static void begin(struct loop *l)
{
    struct rep *rep = l->rep;
    l->first = rep->frame;
    l->first_behind = rep->calls_behind;
    l->changes = rep->changes;
    if (rep->options.portable) {
        refuse(l, "what is re-chosen for another driver is not led back");
    } else if (rep->context_count == 0) {
        rep->report->loop.is_from_nothing = true;
        refuse(l, "it begins with nothing");
    } else if (!is_still(rep)) {
        refuse(l, "something waits at its begin");
    } else {
        enum sl_result result = rep_kept_take(&l->begin, rep);
        l->fences = rep_gpu_keep(rep);
        if (result != SL_OK || l->fences == NULL) {
            char reason[64];
            snprintf(reason, sizeof reason, "what lives at its begin cannot be kept: %s",
                     sl_result_name(result));
            refuse(l, reason);
        }
    }
    if (is_refused(l)) {
        l->end = rep->options.stop_frame; /* also what is behind the last frame */
    }
}

static bool is_over(const struct loop *l)
{
    return l->rep->frame >= l->end;
}

static void play(struct loop *l, struct cap_event *event)
{
    rep_play(l->rep, event);
    rep_close_frame(l->rep, false);
}

/* Up to the loop's begin, then its frames for the first time. */
static enum sl_result play_first(struct loop *l, struct cap_event *event)
{
    struct rep *rep = l->rep;
    enum sl_result result = SL_OK;
    bool has_begun = false;
    uint64_t begin_ns = 0;
    while (!rep->stop && !is_over(l)) {
        bool is_led = cap_merge_is_in_snapshot(rep->merge);
        result = next(l, event);
        if (result != SL_OK || event->stamp >= rep->options.stop_call) {
            break;
        }
        if (!has_begun && rep->frame >= rep->options.first_frame && !is_led) {
            has_begun = true;
            rep_close_frame(rep, true);
            begin(l);
            begin_ns = sl_clock_ns();
        }
        if (has_begun && event->kind == CAP_EVENT_CALL &&
            rep_names_once(sl_load_u32(event->call.packet))) {
            refuse(l, "it makes objects whose names a driver gives out once");
        }
        if (has_begun && !is_refused(l) && !tape_add(&l->tape, event)) {
            refuse(l, "it is too long to be kept");
        }
        play(l, event);
    }
    rep_close_frame(rep, true);
    rep->report->loop.time_ns += has_begun ? sl_clock_ns() - begin_ns : 0;
    rep->report->loop.rounds += has_begun && is_over(l) && !rep->stop;
    return result;
}

/* --- the way back --- */

static bool has_time_ended(struct loop *l, uint64_t begin_ns, uint64_t *sum)
{
    *sum += sl_clock_ns() - begin_ns;
    return !l->rep->stop;
}

/* Which it is, after the first round. */
static bool find_back(struct loop *l)
{
    struct rep_report *report = l->rep->report;
    struct rep_kept now;
    enum sl_result result = rep_kept_take(&now, l->rep);
    if (result == SL_OK) {
        result = rep_back_find(&l->back, &l->begin, &now, l->rep, report->loop.reason);
        l->has_back = result == SL_OK;
    }
    rep_kept_finish(&now);
    if (result == SL_OK) {
        report->loop.reason[0] = '\0';
        report->loop.bytes = l->back.bytes;
        report->loop.ended = l->back.ended;
        report->loop.made = l->back.made;
        report->loop.filled = l->back.filled;
        report->loop.pieces = l->back.piece_count;
    } else if (report->loop.reason[0] == '\0') {
        char reason[64];
        snprintf(reason, sizeof reason, "what lives at its end cannot be told: %s",
                 sl_result_name(result));
        refuse(l, reason);
    }
    return result == SL_OK;
}

/* Once: whether it leads where it should. */
static void check_back(struct loop *l)
{
    struct rep_kept now;
    char reason[REP_REASON];
    enum sl_result result = rep_kept_take(&now, l->rep);
    if (result != SL_OK || !rep_kept_same(&l->begin, &now, reason)) {
        refuse(l, result == SL_OK ? reason : "what it was led back to cannot be told");
    }
    rep_kept_finish(&now);
}

static bool go_back(struct loop *l)
{
    struct rep *rep = l->rep;
    struct rep_report *report = rep->report;
    uint64_t begin_ns = sl_clock_ns();
    bool is_first = !l->has_back;
    if (rep->changes != l->changes) {
        refuse(l, "contexts came or went in it");
    } else if (!is_still(rep)) {
        refuse(l, "something waits at its end");
    }
    if (is_refused(l) || (is_first && !find_back(l)) ||
        !has_time_ended(l, begin_ns, is_first ? &report->loop.find_ns : &report->loop.back_ns)) {
        return false;
    }
    begin_ns = sl_clock_ns();
    rep->current = NULL;
    rep->open_frame.ring = NULL;
    if (!rep_back_play(&l->back, rep)) {
        refuse(l, "it could not be led back");
    }
    rep_gpu_recall(rep, l->fences);
    rep->current = NULL;
    rep_rings_sweep(rep);
    (void)has_time_ended(l, begin_ns, &report->loop.back_ns);
    begin_ns = sl_clock_ns();
    if (is_first && !is_refused(l)) {
        check_back(l);
        report->loop.find_ns += sl_clock_ns() - begin_ns;
    }
    report->loop.frames += report->frames - l->first;
    report->frames = rep->frame = l->first;
    rep->calls_behind = l->first_behind;
    return !is_refused(l) && !rep->stop;
}

/* --- all of it --- */

static void play_again(struct loop *l)
{
    struct rep *rep = l->rep;
    uint64_t begin_ns = sl_clock_ns();
    rep_choose_pixels(rep);
    /* Drivers give no name out twice: the recorded ones are made by their use. */
    rep->is_again = true;
    for (uint32_t i = 0; i < l->tape.count && !rep->stop; i++) {
        struct cap_event event = l->tape.events[i]; /* pieces of memory move on */
        play(l, &event);
    }
    rep_close_frame(rep, true);
    rep->report->loop.time_ns += sl_clock_ns() - begin_ns;
    rep->report->loop.rounds += !rep->stop;
}

enum sl_result rep_loop(struct rep *rep, struct cap_event *event)
{
    struct loop *l = sl_alloc(sizeof *l);
    if (l == NULL) {
        return SL_ERR_NOMEM;
    }
    l->rep = rep;
    l->end = rep->frame_end < rep->options.stop_frame ? rep->frame_end : rep->options.stop_frame;
    struct rep_report *report = rep->report;
    enum sl_result result = play_first(l, event);
    while (report->loop.rounds != 0 && !rep->stop && rep->options.again(rep->options.user)) {
        report->loop.is_refused = !go_back(l);
        if (report->loop.is_refused || rep->stop) {
            break;
        }
        play_again(l);
    }
    tape_finish(&l->tape);
    tape_finish(&l->held.tape);
    rep_kept_finish(&l->begin);
    rep_back_finish(&l->back);
    rep_gpu_known_free(l->fences);
    sl_free(l);
    return result;
}
