#include "host/replay/rep_tape.h"

#include "host/replay/rep_kept.h"
#include "transport/base/mem.h"

#include <string.h>

#define TAPE_MAX (2ull << 30) /* bytes; longer loops are played from the trace */
#define BLOCK    (1u << 20)

struct rep_block {
    struct rep_block *next;
    size_t size, used;
    _Alignas(16) uint8_t bytes[];
};

static const uint8_t *bytes_kept(struct rep_tape *t, const uint8_t *bytes, size_t size)
{
    if (bytes == NULL || size == 0) {
        return bytes;
    }
    struct rep_block *block = t->blocks;
    if (block == NULL || block->size - block->used < size) {
        size_t room = size > BLOCK ? size : BLOCK;
        block = t->bytes + room <= TAPE_MAX ? sl_alloc(sizeof *block + room) : NULL;
        if (block == NULL) {
            return NULL;
        }
        *block = (struct rep_block){.next = t->blocks, .size = room};
        t->blocks = block;
        t->bytes += room;
    }
    uint8_t *at = block->bytes + block->used;
    memcpy(at, bytes, size);
    block->used += size;
    return at;
}

bool rep_tape_add(struct rep_tape *t, const struct cap_event *event)
{
    struct cap_event e = *event;
    bool ok = true;
    switch (e.kind) {
    case CAP_EVENT_CALL:
        e.call.packet = bytes_kept(t, e.call.packet, e.call.size);
        e.call.reply = bytes_kept(t, e.call.reply, e.call.reply_size);
        ok = (e.call.packet != NULL || e.call.size == 0) &&
             (e.call.reply != NULL || event->call.reply == NULL);
        break;
    case CAP_EVENT_VERB:
        e.verb.body = bytes_kept(t, e.verb.body, e.verb.size);
        ok = e.verb.body != NULL || e.verb.size == 0;
        break;
    case CAP_EVENT_MEMORY: {
        size_t size = (size_t)(e.memory.end - e.memory.at);
        e.memory.at = bytes_kept(t, e.memory.at, size);
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

void rep_tape_take(struct rep_tape *t, uint32_t index, struct cap_event *event)
{
    *event = t->events[index];
    t->count--;
    memmove(&t->events[index], &t->events[index + 1], (t->count - index) * sizeof *event);
}

/* All but a block of the ordinary size. */
void rep_tape_clear(struct rep_tape *t)
{
    struct rep_block *kept = NULL, *next;
    for (struct rep_block *block = t->blocks; block != NULL; block = next) {
        next = block->next;
        if (kept == NULL && block->size == BLOCK) {
            kept = block;
        } else {
            sl_free(block);
        }
    }
    if (kept != NULL) {
        kept->next = NULL;
        kept->used = 0;
    }
    t->blocks = kept;
    t->bytes = kept != NULL ? BLOCK : 0;
    t->count = 0;
}

void rep_tape_finish(struct rep_tape *t)
{
    rep_tape_clear(t);
    sl_free(t->blocks);
    sl_free(t->events);
}
