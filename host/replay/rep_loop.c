/* The same frames again and again: what was played is kept on a tape, and behind its end what lives
 * is led back to where it began (rep_back.c). */
#include "host/replay/rep_kept.h"

#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"

#include <stdio.h>
#include <string.h>

struct loop {
    struct rep *rep;
    struct rep_tape tape;
    struct rep_kept begin;
    struct rep_gpu_known *fences;
    struct rep_back back;
    bool has_back;
    uint32_t changes;      /* rep.changes at its begin */
    uint64_t first, end;   /* frames; end: the first one that is not of it */
    uint64_t first_behind; /* rep.calls_behind at its begin */
    uint64_t last_stamp;   /* of what was played last */
};

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

/* The event is the first one of the loop. */
static void begin(struct loop *l, uint64_t stamp)
{
    struct rep *rep = l->rep;
    l->first = rep->frame;
    l->first_behind = rep->calls_behind;
    l->changes = rep->changes;
    if (rep->options.portable) {
        refuse(l, "what is re-chosen for another driver is not led back");
    } else if (rep->frame > rep->options.first_frame) {
        refuse(l, "its first frame was over before the one before it");
    } else if (rep->context_count == 0) {
        rep->report->loop.is_from_nothing = true;
        refuse(l, "it begins with nothing");
    } else if (!rep_is_still(rep, stamp)) {
        refuse(l, "something waits at its begin");
    } else {
        enum sl_result result = rep_kept_take(&l->begin, rep);
        l->fences = rep_gpu_keep(rep);
        rep->keeps_staying = l->begin.has_staying;
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
    return rep_is_behind(l->rep, l->end);
}

static void play(struct loop *l, struct cap_event *event)
{
    l->last_stamp = event->stamp;
    rep_play(l->rep, event);
    rep_close_frame(l->rep, false);
}

static bool names_once(const struct rep *rep, const struct cap_event *event)
{
    uint32_t opcode = sl_load_u32(event->call.packet);
    return rep_names_once(opcode) || (!rep->keeps_staying && rep_makes_staying(opcode));
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
        result = rep_order_next(rep, event);
        if (result != SL_OK || rep_is_stop(rep, event)) {
            break;
        }
        if (!has_begun && rep_is_behind(rep, rep->options.first_frame) && !is_led) {
            has_begun = true;
            rep_close_frame(rep, true);
            begin(l, event->stamp);
            begin_ns = rep->frame_begin_ns = sl_clock_ns();
        }
        if (has_begun && event->kind == CAP_EVENT_CALL && names_once(rep, event)) {
            refuse(l, "it makes objects whose names a driver gives out once");
        }
        if (has_begun && !is_refused(l) && !rep_tape_add(&l->tape, event)) {
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
    } else if (!rep_is_still(rep, l->last_stamp)) {
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
    uint64_t begin_ns = rep->frame_begin_ns = sl_clock_ns();
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
    rep_tape_finish(&l->tape);
    rep_kept_finish(&l->begin);
    rep_back_finish(&l->back);
    rep_gpu_known_free(l->fences);
    sl_free(l);
    return result;
}
