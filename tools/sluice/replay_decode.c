#include "tools/sluice/replay_decode.h"
#include "tables/plans.h"
#include "tables/vk_plan.h"
#include "tools/plan/plan.h"
#include "tools/sluice/calls.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"

#include <inttypes.h>
#include <stdio.h>

/* NULL: it is what the tables say; else why it is not. */
static const char *wrong_with(const struct cap_event_call *call)
{
    uint32_t opcode = sl_load_u32(call->packet);
    uint32_t sum = call->has_sum && call->size >= 16 ? 8 : 0;
    const char *reason = NULL;
    const struct plan_command *command = plan_find_any(opcode);
    if (command != NULL) {
        struct plan_value values[PLAN_FIELDS_MAX];
        size_t used, body = call->size - sum - PLAN_HEADER_SIZE;
        return plan_decode(command, call->packet + PLAN_HEADER_SIZE, body, values, &used) == SL_OK
                   ? NULL
                   : "it is shorter than its fields";
    }
    if (vk_plan_find(&vk_plan, opcode) == NULL) {
        return "its opcode is unknown";
    }
    return vk_plan_normal(&vk_plan, call->packet, call->size - sum, NULL, &reason) == SL_OK
               ? NULL
               : reason;
}

struct decoded {
    const struct range *asked;
    uint64_t at; /* the frame that goes on */
    uint64_t frames, calls, calls_behind, bytes, wrong;
    bool is_damaged;
};

static void take(struct decoded *d, const struct cap_event *event)
{
    if (event->kind == CAP_EVENT_FRAME) {
        d->frames += range_has(d->asked, d->at++);
        d->calls_behind = 0;
        return;
    }
    if (event->kind != CAP_EVENT_CALL) {
        return;
    }
    d->calls_behind++;
    if (!range_has(d->asked, d->at)) {
        return;
    }
    d->calls++;
    d->bytes += event->call.size;
    const char *wrong = wrong_with(&event->call);
    if (wrong != NULL && !event->call.is_refused && !event->call.is_lost) {
        const char *name = call_name(sl_load_u32(event->call.packet));
        char number[TRACE_NUMBER];
        say_error("diverged at call %s (frame %" PRIu64 ") %s: %s",
                  trace_number(event->stamp, number), d->at, name != NULL ? name : "unknown",
                  wrong);
        d->wrong++;
    }
}

int replay_decode(const char *path, struct cap_reader *reader, const struct range *frames,
                  bool strict, bool json)
{
    struct cap_merge *merge;
    struct cap_event event;
    struct cap_damage damage;
    struct decoded d = {.asked = frames};
    uint64_t begin = sl_clock_ns();
    enum sl_result result = cap_merge_create(reader, &merge);
    if (result != SL_OK) {
        return trace_failed(path, reader, result);
    }
    while (!range_is_over(frames, d.at) &&
           (result = cap_merge_next(merge, &event, &damage)) == SL_OK) {
        take(&d, &event);
    }
    cap_merge_destroy(merge);
    if (result == SL_ERR_PROTOCOL) {
        trace_say_damage(&damage, d.at);
        d.is_damaged = true;
    } else if (result != SL_ERR_NOTFOUND && result != SL_OK) {
        return trace_failed(path, reader, result);
    }
    bool is_cut = !reader->is_complete && !d.is_damaged && result != SL_OK;
    if (is_cut) {
        trace_say_cut(d.at, d.calls_behind);
    }
    double seconds = (double)(sl_clock_ns() - begin) / 1e9;
    double rate = seconds > 0 ? (double)d.calls / seconds : 0;
    if (json) {
        printf("{\"schema\": 1, \"complete\": %s, ",
               reader->is_complete && !d.is_damaged ? "true" : "false");
    }
    printf(json ? "\"frames\": %" PRIu64 ", \"calls\": %" PRIu64 ", \"bytes\": %" PRIu64
                  ", \"seconds\": %.6f, \"calls_per_second\": %.0f}\n"
                : "frames %" PRIu64 "  calls %" PRIu64 "  bytes %" PRIu64
                  "  time %.3f s  %.0f calls/s\n",
           d.frames, d.calls, d.bytes, seconds, rate);
    return d.is_damaged       ? SLUICE_EXIT_DAMAGED
           : d.wrong != 0     ? SLUICE_EXIT_DIVERGED
           : is_cut && strict ? SLUICE_EXIT_INCOMPLETE
                              : SLUICE_EXIT_OK;
}
