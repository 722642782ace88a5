#include "host/capture/cap_lane.h"

#include "transport/base/clock.h"

void cap_lane_wait(struct cap_lane *lane)
{
    for (uint32_t turns = 0; !cap_lane_try(lane); turns++) {
        if (turns < 100) {
            sl_cpu_relax();
        } else { /* its holder waits for the writer */
            sl_clock_sleep_ns(50 * SL_NS_PER_US);
        }
    }
}

static void put_open(struct cap_lane *lane)
{
    struct cap_buffer *b = lane->open;
    if (b != NULL) {
        lane->open = NULL;
        cap_writer_put(lane->writer, b);
    }
}

void cap_lane_close(struct cap_lane *lane)
{
    if (lane->open != NULL && lane->refers != NULL) {
        cap_lane_lock(lane->refers);
        put_open(lane->refers);
        cap_lane_unlock(lane->refers);
    }
    put_open(lane);
}

bool cap_lane_open(struct cap_lane *lane, size_t size, uint64_t stamp)
{
    cap_lane_close(lane);
    struct cap_buffer *b = cap_writer_get(lane->writer, lane->head_size + size + CAP_LANE_PREFIX);
    if (b == NULL) {
        return false;
    }
    b->kind = lane->kind;
    b->stream = lane->stream;
    b->flags = lane->flags;
    b->first_stamp = b->last_stamp = stamp;
    b->first_record = lane->records;
    if (lane->head_size != 0) {
        memcpy(b->data, lane->head, lane->head_size);
    }
    b->used = b->head = lane->head_size;
    lane->open = b;
    lane->stamp = stamp;
    lane->time = b->time;
    return true;
}

bool cap_lane_spill(struct cap_lane *lane, const uint8_t *p, const void *bytes, size_t size,
                    uint64_t stamp, uint32_t count)
{
    const uint8_t *from = bytes;
    cap_lane_end(lane, p, stamp, count);
    for (;;) {
        struct cap_buffer *b = lane->open;
        size_t room = b->capacity - b->used;
        size_t part = size < room ? size : room;
        memcpy(b->data + b->used, from, part);
        b->used += part;
        from += part;
        size -= part;
        if ((b->flags & CAP_CHUNK_CONTINUED) != 0) {
            b->head = b->used;
        }
        if (size == 0) {
            return true;
        }
        b->flags |= CAP_CHUNK_SPILLS;
        if (!cap_lane_open(lane, size < CAP_LANE_RECORD_MAX ? size : CAP_LANE_RECORD_MAX, stamp)) {
            return false;
        }
        lane->open->flags |= CAP_CHUNK_CONTINUED;
    }
}

void cap_lane_sweep(struct cap_lane *lane, uint64_t opened_before)
{
    /* This is the writer's thread: whoever holds a lane may be waiting for it. */
    if (!cap_lane_try(lane)) {
        return;
    }
    bool is_due = lane->open != NULL && lane->open->opened_ns < opened_before;
    if (is_due && lane->refers != NULL) {
        is_due = cap_lane_try(lane->refers);
        if (is_due) {
            put_open(lane->refers);
            cap_lane_unlock(lane->refers);
        }
    }
    if (is_due) {
        put_open(lane);
    }
    cap_lane_unlock(lane);
}
