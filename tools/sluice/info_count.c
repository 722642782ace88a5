#include "tools/sluice/info_count.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <string.h>

#define COMMANDS_MAX  65536u      /* rows; what others do is in the totals alone */
#define BLOB_BITS_MAX (32u << 20) /* contents that are known again; later ones count as new */

void info_count_init(struct info_count *count)
{
    *count = (struct info_count){.failed = false};
    sl_map_init(&count->commands, COMMANDS_MAX);
    sl_map_init(&count->streams, SL_MAP_MOST); /* each has a chunk, whose count is bounded */
}

void info_count_finish(struct info_count *count)
{
    sl_map_finish(&count->commands);
    sl_map_finish(&count->streams);
    sl_free(count->calls);
    sl_free(count->blobs);
    *count = (struct info_count){.failed = false};
}

/* NULL: there are too many, or no memory. */
static struct cap_index_call *row_of(struct info_count *count, uint32_t capset, uint32_t opcode)
{
    uintptr_t place = (uintptr_t)sl_map_find_in(&count->commands, capset, opcode);
    if (place != 0) {
        return &count->calls[place - 1];
    }
    uint32_t used = count->call_count;
    if (used == COMMANDS_MAX) {
        return NULL;
    }
    if ((used & (used - 1)) == 0) { /* full: room for twice as many */
        size_t room = used != 0 ? 2 * (size_t)used : 1;
        struct cap_index_call *calls = sl_realloc(count->calls, room * sizeof *calls);
        count->calls = calls != NULL ? calls : count->calls;
        count->failed = count->failed || calls == NULL;
    }
    if (count->failed || sl_map_add_in(&count->commands, capset, opcode,
                                       (void *)(uintptr_t)(used + 1)) != SL_OK) {
        count->failed = true;
        return NULL;
    }
    count->calls[used] = (struct cap_index_call){.capset = capset, .opcode = opcode};
    count->call_count++;
    return &count->calls[used];
}

static void count_call(struct info_count *count, const struct cap_event *event)
{
    const struct cap_event_call *call = &event->call;
    struct cap_totals *t = &count->totals;
    struct cap_index_call *row = row_of(count, call->capset, sl_load_u32(call->packet));
    if (row != NULL) {
        row->count++;
        row->bytes += call->size;
    }
    t->calls++;
    t->call_bytes += call->size;
    t->replies += call->has_reply;
    t->reply_bytes += call->reply_size;
    if (sl_map_find(&count->streams, event->stream) == NULL) {
        t->streams++;
        count->failed = sl_map_add(&count->streams, event->stream, count) != SL_OK || count->failed;
    }
}

void info_count_event(struct info_count *count, const struct cap_event *event)
{
    struct cap_totals *t = &count->totals;
    switch (event->kind) {
    case CAP_EVENT_CALL:
        count_call(count, event);
        break;
    case CAP_EVENT_VERB:
        t->verbs++;
        break;
    case CAP_EVENT_MEMORY:
        t->writes++;
        t->scanned += event->memory.source == CAP_MEMW_PROTECT;
        break;
    case CAP_EVENT_FRAME:
        t->frames++;
        break;
    case CAP_EVENT_TEXT:
        break;
    }
    t->time = event->time > t->time ? event->time : t->time;
}

/* Whether it is the first time that this one is referred to. */
static bool is_new(struct info_count *count, uint64_t blob)
{
    if (blob >= BLOB_BITS_MAX) {
        return true;
    }
    size_t place = (size_t)blob / 8;
    if (place >= count->blob_bytes) {
        size_t size = 2 * place + 4096;
        uint8_t *bits = sl_realloc(count->blobs, size);
        if (bits == NULL) {
            count->failed = true;
            return true;
        }
        memset(bits + count->blob_bytes, 0, size - count->blob_bytes);
        count->blobs = bits;
        count->blob_bytes = size;
    }
    uint8_t bit = (uint8_t)(1u << blob % 8);
    bool was = (count->blobs[place] & bit) != 0;
    count->blobs[place] |= bit;
    return !was;
}

void info_count_piece(struct info_count *count, const struct cap_piece *piece)
{
    struct cap_totals *t = &count->totals;
    t->write_bytes += piece->size;
    if (piece->blob == CAP_NO_BLOB) {
        return;
    }
    if (is_new(count, piece->blob)) {
        t->blobs++;
        t->blob_bytes += piece->size;
    } else {
        t->shared_bytes += piece->size;
    }
}

/* As the writer counts them: its index is in none of the bytes. */
static void count_chunks(struct cap_totals *t, const struct cap_reader *reader)
{
    for (uint32_t i = 0; i < reader->chunk_count; i++) {
        const struct cap_chunk *chunk = &reader->chunks[i];
        bool counts = chunk->kind != CAP_KIND_INDX && chunk->kind != CAP_KIND_END;
        t->chunks += chunk->kind != CAP_KIND_END;
        t->raw_bytes += counts ? chunk->raw_size : 0;
        t->stored_bytes += counts ? chunk->stored_size : 0;
        t->time = chunk->time > t->time ? chunk->time : t->time;
    }
}

bool info_count_give(struct info_count *count, struct cap_reader *reader,
                     struct cap_summary *summary)
{
    struct cap_merge_snapshot *snapshots = NULL;
    uint32_t snapshot_count = 0;
    if (count->failed || cap_merge_snapshots(reader, &snapshots, &snapshot_count) != SL_OK) {
        return false;
    }
    sl_free(snapshots);
    sl_free(summary->calls);
    count_chunks(&count->totals, reader);
    summary->totals = count->totals;
    summary->calls = count->calls;
    summary->call_count = count->call_count;
    summary->snapshot_count = snapshot_count;
    summary->has_index = true;
    count->calls = NULL;
    count->call_count = 0;
    return true;
}
