#include "host/replay/rep_order.h"

#include "host/replay/rep_priv.h"
#include "transport/base/bytes.h"
#include "wire/vk_opcodes.h"

#include <string.h>

#define HELD_MAX 4096u
#define TURN     8u /* where a packet has its turn */

/* --- turns --- */

/* Of a packet of a context that is known; NULL. *turn: its own. */
static struct rep_turns *turns_of(struct rep_order *o, const struct cap_event *event,
                                  uint32_t *turn)
{
    const struct cap_event_call *call = &event->call;
    if (event->kind != CAP_EVENT_CALL || call->capset != VIRTGPU_CAPSET_GFXSTREAM_VULKAN ||
        call->size < TURN + 4) {
        return NULL;
    }
    *turn = sl_load_u32(call->packet + TURN);
    if (o->last < o->context_count && o->contexts[o->last].ctx_id == call->ctx_id) {
        return &o->contexts[o->last];
    }
    for (uint32_t i = 0; i < o->context_count; i++) {
        if (o->contexts[i].ctx_id == call->ctx_id) {
            o->last = i;
            return &o->contexts[i];
        }
    }
    return NULL;
}

/* Its context waits for an earlier one. */
static bool comes_early(struct rep_order *o, const struct cap_event *event)
{
    uint32_t turn = 0;
    const struct rep_turns *t = turns_of(o, event, &turn);
    return t != NULL && (int32_t)(turn - t->next) > 0;
}

static void pass_call(struct rep_order *o, const struct cap_event *event)
{
    uint32_t last = 0;
    struct rep_turns *t = turns_of(o, event, &last);
    if (t == NULL) {
        return;
    }
    /* The last packet of a snapshot says how they go on. */
    const struct cap_event_call *call = &event->call;
    bool jumps = sl_load_u32(call->packet) == VK_OP_vkRestoreSLUICE && call->size >= 20 &&
                 sl_load_u32(call->packet + 12) != 0;
    last = jumps ? sl_load_u32(call->packet + 16) : last;
    if (jumps || (int32_t)(last + 1 - t->next) > 0) {
        t->next = last + 1;
    }
}

static void forget_context(struct rep_order *o, uint32_t ctx_id)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < o->context_count; i++) {
        if (o->contexts[i].ctx_id != ctx_id) {
            o->contexts[kept++] = o->contexts[i];
        }
    }
    o->context_count = kept;
}

/* Guests count from 1 in each context. */
static void pass_verb(struct rep_order *o, const struct cap_event_verb *verb)
{
    uint32_t ctx_id = verb->size >= 4 ? sl_load_u32(verb->body) : 0;
    if (verb->verb == CAP_VERB_RESET) {
        o->context_count = 0;
    } else if (verb->verb == CAP_VERB_CTX_CREATE || verb->verb == CAP_VERB_CTX_DESTROY) {
        forget_context(o, ctx_id);
        if (verb->verb == CAP_VERB_CTX_CREATE && o->context_count < REP_CONTEXTS) {
            o->contexts[o->context_count++] = (struct rep_turns){.ctx_id = ctx_id, .next = 1};
        }
    }
}

static void pass(struct rep_order *o, const struct cap_event *event)
{
    if (event->kind == CAP_EVENT_CALL) {
        pass_call(o, event);
    } else if (event->kind == CAP_EVENT_VERB) {
        pass_verb(o, &event->verb);
    }
}

/* --- what never comes --- */

static bool is_cut(const struct rep_order *o, uint32_t stream)
{
    bool is = false;
    for (uint32_t i = 0; !is && i < o->cut_count; i++) {
        is = o->cut[i] == stream;
    }
    return is;
}

/* It is not played, nor is what follows it in its stream. */
static void drop(struct rep *rep, const struct cap_event *event)
{
    struct rep_order *o = &rep->order;
    struct rep_report *report = rep->report;
    if (event->kind == CAP_EVENT_FRAME) {
        report->unplayed.frames++;
        return;
    }
    if (report->unplayed.calls++ == 0) {
        report->unplayed.first_call = event->stamp;
    }
    if (!is_cut(o, event->stream) && o->cut_count < REP_CUT) {
        o->cut[o->cut_count++] = event->stream;
    }
}

/* Of what is held: packets of that context (NULL: of any), whose turns never come. */
static void give_up(struct rep *rep, struct rep_turns *of)
{
    struct rep_order *o = &rep->order;
    struct cap_event event;
    uint32_t turn;
    if (of != NULL) {
        of->is_cut = true;
    }
    for (uint32_t i = 0; i < o->held.count;) {
        const struct cap_event *e = &o->held.events[i];
        bool goes = of == NULL || turns_of(o, e, &turn) == of ||
                    (e->kind == CAP_EVENT_FRAME && is_cut(o, e->frame.stream));
        if (goes) {
            rep_tape_take(&o->held, i, &event);
            drop(rep, &event);
        } else {
            i++;
        }
    }
}

/* --- what is held --- */

/* A packet of the stream is, before that place. */
static bool holds_stream(const struct rep_order *o, uint32_t stream, uint32_t end)
{
    bool holds = false;
    for (uint32_t i = 0; !holds && i < end; i++) {
        const struct cap_event *e = &o->held.events[i];
        holds = e->kind == CAP_EVENT_CALL && e->stream == stream;
    }
    return holds;
}

/* One that waits no more. */
static bool take_held(struct rep_order *o, struct cap_event *event)
{
    for (uint32_t i = 0; i < o->held.count; i++) {
        const struct cap_event *e = &o->held.events[i];
        bool waits =
            e->kind == CAP_EVENT_FRAME ? holds_stream(o, e->frame.stream, i) : comes_early(o, e);
        if (!waits || o->ends_here) {
            rep_tape_take(&o->held, i, event);
            return true;
        }
    }
    return false;
}

/* The verb ends the packet's ring; is_lost: with its context, and no turn comes any more. */
static bool is_ended_by(const struct cap_event *event, const struct cap_event_verb *verb,
                        bool *is_lost)
{
    uint32_t first = verb->size >= 4 ? sl_load_u32(verb->body) : 0,
             second = verb->size >= 8 ? sl_load_u32(verb->body + 4) : 0;
    const struct cap_event_call *call = &event->call;
    if (event->kind != CAP_EVENT_CALL) {
        return false;
    }
    bool is_of_context = first == call->ctx_id;
    *is_lost =
        verb->verb == CAP_VERB_RESET || (verb->verb == CAP_VERB_CTX_DESTROY && is_of_context);
    return *is_lost || (verb->verb == CAP_VERB_RES_DESTROY && first == call->ring_id) ||
           (verb->verb == CAP_VERB_CTX_DETACH && is_of_context && second == call->ring_id);
}

/* A ring's last packet, which is fed before the verb that ends the ring: its thread goes on waiting
 * for the turn, as it did while recording. */
static bool take_ended(struct rep *rep, struct cap_event *event)
{
    struct rep_order *o = &rep->order;
    for (uint32_t i = 0; i < o->held.count;) {
        bool is_lost = false;
        if (!is_ended_by(&o->held.events[i], &o->verb.verb, &is_lost)) {
            i++;
            continue;
        }
        rep_tape_take(&o->held, i, event);
        if (!is_lost) {
            return true;
        }
        drop(rep, event);
    }
    return false;
}

/* --- all of it --- */

enum fate { PLAYS, WAITS, GOES };

static enum fate fate_of_call(struct rep *rep, const struct cap_event *event)
{
    struct rep_order *o = &rep->order;
    uint32_t turn = 0;
    struct rep_turns *t = turns_of(o, event, &turn);
    if (t == NULL || (int32_t)(turn - t->next) <= 0) {
        return PLAYS;
    }
    /* While recording its ring came to this packet, so the one before it had its turn: whatever had
     * the turns before that began earlier than this one, and is not in the trace. */
    bool is_late =
        !t->is_cut && (holds_stream(o, event->stream, o->held.count) || o->held.count == HELD_MAX);
    if (is_late) {
        give_up(rep, t);
    }
    return t->is_cut ? GOES : WAITS;
}

static enum fate fate_of(struct rep *rep, const struct cap_event *event)
{
    struct rep_order *o = &rep->order;
    if (event->kind == CAP_EVENT_CALL) {
        return fate_of_call(rep, event);
    }
    if (event->kind != CAP_EVENT_FRAME) {
        return PLAYS;
    }
    bool is_held = holds_stream(o, event->frame.stream, o->held.count);
    bool goes = is_cut(o, event->frame.stream) || (is_held && o->held.count == HELD_MAX);
    return goes ? GOES : is_held ? WAITS : PLAYS;
}

/* What need not be read. False: there is nothing. */
static bool take_there(struct rep *rep, struct cap_event *event)
{
    struct rep_order *o = &rep->order;
    if (take_held(o, event)) {
        return true;
    }
    if (o->has_verb) {
        if (!take_ended(rep, event)) {
            o->has_verb = false;
            *event = o->verb;
        }
        return true;
    }
    if (o->held.count == 0) {
        rep_tape_clear(&o->held); /* what was played last pointed into it */
        o->holds = false;
    }
    return false;
}

static enum sl_result keep(struct rep *rep, const struct cap_event *event)
{
    struct rep_order *o = &rep->order;
    o->holds = true;
    return rep_tape_add(&o->held, event) ? SL_OK : SL_ERR_NOMEM;
}

enum sl_result rep_order_next(struct rep *rep, struct cap_event *event)
{
    struct rep_order *o = &rep->order;
    enum sl_result result = SL_OK;
    while (result == SL_OK) {
        if (SL_UNLIKELY(o->holds) && take_there(rep, event)) {
            pass(o, event);
            return SL_OK;
        }
        result = cap_merge_next(rep->merge, event, &rep->report->damage);
        if (result != SL_OK) {
            give_up(rep, NULL);
            break;
        }
        if (SL_UNLIKELY(o->holds) && event->kind == CAP_EVENT_VERB) {
            o->verb = *event; /* what it points to stays until something else is read */
            o->has_verb = true;
            continue;
        }
        enum fate fate = fate_of(rep, event);
        if (rep->options.ends_at_mark && event->kind == CAP_EVENT_FRAME &&
            event->number + 1 == rep->options.stop_frame && o->held.count != 0) {
            o->ends_here = true;
            fate = WAITS;
        }
        if (SL_LIKELY(fate == PLAYS)) {
            pass(o, event);
            return SL_OK;
        }
        if (fate == WAITS) {
            result = keep(rep, event);
        } else {
            drop(rep, event);
        }
    }
    return result;
}

bool rep_order_holds_call(const struct rep_order *o, uint64_t stamp)
{
    bool holds = false;
    for (uint32_t i = 0; !holds && i < o->held.count; i++) {
        holds = o->held.events[i].kind == CAP_EVENT_CALL && o->held.events[i].stamp < stamp;
    }
    return holds;
}

bool rep_order_holds_frame(const struct rep_order *o, uint64_t number)
{
    bool holds = false;
    for (uint32_t i = 0; !holds && i < o->held.count; i++) {
        const struct cap_event *e = &o->held.events[i];
        holds = e->kind == CAP_EVENT_FRAME && e->number < number;
    }
    return holds;
}

void rep_order_finish(struct rep_order *o)
{
    rep_tape_finish(&o->held);
}
