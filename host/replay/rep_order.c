/* Vulkan's packets in the order of their turns. */
#include "host/replay/rep_tape.h"

#include "transport/base/bytes.h"
#include "wire/vk_opcodes.h"

#include <string.h>

#define HELD_MAX 4096u

static uint32_t *turn_after(struct rep_order *h, uint32_t ctx_id)
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
static bool comes_early(struct rep_order *h, const struct cap_event *event)
{
    uint32_t turn = turn_of(event);
    const uint32_t *next = turn != 0 ? turn_after(h, event->call.ctx_id) : NULL;
    return next != NULL && *next != 0 && (int32_t)(turn - *next) > 0;
}

static void pass(struct rep_order *h, const struct cap_event *event)
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

static bool has_stream(const struct rep_order *h, const struct cap_event *event)
{
    uint32_t stream = event->kind == CAP_EVENT_FRAME ? event->frame.stream : event->stream;
    bool has = false;
    for (uint32_t i = 0; !has && i < h->tape.count; i++) {
        has = is_of(&h->tape.events[i], stream);
    }
    return has && is_of(event, stream);
}

/* One that waits no more, the oldest of its stream. */
static bool take_held(struct rep_order *h, struct cap_event *event)
{
    struct rep_tape *t = &h->tape;
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

enum sl_result rep_order_next(struct rep_order *h, struct rep *rep, struct cap_event *event)
{
    if (take_held(h, event)) {
        return SL_OK;
    }
    for (;;) {
        enum sl_result result = cap_merge_next(rep->merge, event, &rep->report->damage);
        if (result != SL_OK) {
            return result;
        }
        if (h->tape.count == HELD_MAX || (!has_stream(h, event) && !comes_early(h, event))) {
            pass(h, event);
            return SL_OK;
        }
        if (!rep_tape_add(&h->tape, event)) {
            return SL_ERR_NOMEM;
        }
    }
}
