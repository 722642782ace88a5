#include "asg/writer_priv.h"

#include <string.h>

#include "transport/base/log.h"

/* A span of bulk data: small enough that the copies of guest and host run at the same time and the
 * spans in flight stay in the cache, large enough that a publication is lost in it. */
#define BULK_SPAN 65536u
/* How many bytes are written before the writer looks whether the host idles: few at first, more
 * while they keep coming, as each look waits for lines that the host's cache has. Where a wake-up
 * is a virtqueue kick, that look is rarer: it may end in one. */
#define LOOK_FUTEX     4096u
#define LOOK_FUTEX_MAX 16384u
#define LOOK_PING      32768u
/* A slot is one or more of the host's steps and holds the largest packet written in one piece.
 * Spans follow each other in it, so that a short one costs no more of the buffer than its bytes; a
 * descriptor may name any bytes. Spec: asg 4.1. */
#define SLOT_MIN (SL_PACK_INLINE + SL_PACK_ROOM)
/* Spans begin on a cache line of their own: the host reads the line before while we write on. */
#define SPAN_ALIGN 64u
/* While fewer descriptors are unread, what is written goes out at the next look: the host shall not
 * run dry. */
#define QUEUE_MIN (2u * (uint32_t)sizeof(struct asg_descriptor))
/* Of the ring's descriptors one place stays free. Spec: asg 2. A writer that finds none free waits
 * for half of them: place by place each side would wait for the other at every span. */
#define QUEUE_MAX    (ASG_DESC_RING - 2u * (uint32_t)sizeof(struct asg_descriptor))
#define QUEUE_HALF   (ASG_DESC_RING / 2)
#define SCRATCH_SIZE (SL_PACK_INLINE + SL_PACK_ROOM)

_Static_assert(LOOK_FUTEX >= SL_PACK_ROOM, "after bulk the limit leaves that much");

static struct asg_writer *writer_of(struct sl_pack *pack)
{
    return (struct asg_writer *)pack;
}

void asg_writer_die(struct asg_writer *w, const char *why)
{
    if (w->dead) {
        return;
    }
    w->dead = true;
    w->pack.cur = w->scratch;
    w->pack.limit = w->scratch + SCRATCH_SIZE;
    if (why != NULL) {
        sl_debug("asg", "stream over: %s", why);
    }
}

void asg_writer_kill(struct asg_writer *w)
{
    asg_writer_die(w, NULL);
}

void asg_writer_rouse(struct asg_writer *w)
{
    if (w->config.shared_futex &&
        !asg_ring_rouse(&w->page->host_state, ASG_STATE_NEED_NOTIFY, ASG_STATE_RENDERING)) {
        return;
    }
    w->wakeups++;
    if (w->config.shared_futex) {
        asg_ring_kick(&w->page->guest_kick);
    } else if (w->config.ping != NULL) {
        w->config.ping(w->config.user);
    }
}

uint32_t asg_writer_unread(struct asg_writer *w)
{
    uint32_t taken = asg_ring_see(&w->page->read_pos);
    uint32_t bytes = w->desc_write - taken;
    if (SL_UNLIKELY(bytes >= ASG_DESC_RING)) {
        asg_writer_die(w, "the host's read position is impossible");
        return 0;
    }
    w->desc_taken = taken;
    return bytes;
}

bool asg_writer_within(struct asg_writer *w, uint32_t allowed)
{
    return w->desc_write - w->desc_taken <= allowed || asg_writer_unread(w) <= allowed;
}

/* begin() asks room() again after look_size bytes, or when `size` do not fit before. cur and size:
 * inside the slot. */
static void set_limit(struct asg_writer *w, size_t size)
{
    size_t left = (size_t)(w->slot_end - w->pack.cur);
    size_t ahead = size > w->look_size ? size : w->look_size;
    w->pack.limit = w->pack.cur + (ahead < left ? ahead : left);
}

static void start_slot(struct asg_writer *w, uint32_t slot)
{
    w->slot = slot;
    w->start = w->buffer + (size_t)slot * w->slot_size;
    w->slot_end = w->start + w->slot_size;
    w->pack.cur = w->start;
    set_limit(w, 0);
}

/* Descriptors' bytes that were written since the slot's last one; a guess that is too low where a
 * slot was not used for 2^32 of them. */
static uint32_t slot_age(const struct asg_writer *w, uint32_t slot)
{
    return w->desc_write - w->slot_last[slot];
}

/* A slot that the host has taken all of, the first of those: while the host keeps up the same few
 * are used, and stay in both sides' caches. If there is none yet, the one that will be the next. */
static uint32_t best_slot(struct asg_writer *w)
{
    uint32_t bytes = asg_writer_unread(w);
    uint32_t oldest = 0;
    for (uint32_t i = 0; i < w->slot_count; i++) {
        if (bytes <= slot_age(w, i)) {
            return i;
        }
        if (slot_age(w, i) > slot_age(w, oldest)) {
            oldest = i;
        }
    }
    return oldest;
}

/* Another slot, as soon as the host has taken all that was in it. Nothing is unpublished. After it
 * the stream may be dead. */
static void next_slot(struct asg_writer *w)
{
    uint32_t slot = best_slot(w);
    if (asg_writer_wait_taken(w, slot_age(w, slot), -1) == SL_OK) {
        start_slot(w, slot);
    }
}

/* Publish the slot's bytes and go on behind them. After it the stream may be dead. */
static void commit(struct asg_writer *w)
{
    uint32_t size = (uint32_t)(w->pack.cur - w->start);
    uint32_t allowed = asg_writer_within(w, QUEUE_MAX) ? QUEUE_MAX : QUEUE_HALF;
    if (asg_writer_wait_taken(w, allowed, -1) != SL_OK) {
        return;
    }
    struct asg_descriptor desc = {.offset = (uint32_t)(w->start - w->buffer), .size = size};
    memcpy(w->page->descriptors + (w->desc_write & (ASG_DESC_RING - 1)), &desc, sizeof desc);
    if (w->config.shared_futex) {
        asg_ring_tell_cpu(&w->page->guest_cpu, &w->cpu);
    }
    w->desc_write += (uint32_t)sizeof desc;
    w->slot_last[w->slot] = w->desc_write;
    asg_ring_publish_loud(&w->page->write_pos, w->desc_write);
    if (asg_ring_hint_loud(&w->page->host_state) != ASG_STATE_RENDERING) {
        asg_writer_rouse(w);
    }
    w->published += size;
    w->spans++;
    size_t gap = -(size_t)(w->pack.cur - w->buffer) & (SPAN_ALIGN - 1),
           left = (size_t)(w->slot_end - w->pack.cur);
    w->start = w->pack.cur + (gap < left ? gap : left);
    w->pack.cur = w->start;
    set_limit(w, 0);
}

/* sl_pack_ops.room */
static uint8_t *writer_room(struct sl_pack *pack, size_t size)
{
    struct asg_writer *w = writer_of(pack);
    if (!w->dead && pack->cur != w->start &&
        (size > (size_t)(w->slot_end - pack->cur) || asg_writer_unread(w) < QUEUE_MIN)) {
        w->look_size = w->look_size < LOOK_FUTEX_MAX ? w->look_size * 2 : w->look_size;
        commit(w);
    }
    if (!w->dead && size > (size_t)(w->slot_end - pack->cur)) {
        next_slot(w);
    }
    if (w->dead) {
        pack->cur = w->scratch;
        return w->scratch;
    }
    set_limit(w, size);
    return pack->cur;
}

/* sl_pack_ops.bulk. Consecutive type-1 spans: to the host they are one byte stream, and unlike a
 * type-3 transfer they need no drained ring before and after. */
static uint8_t *writer_bulk(struct sl_pack *pack, uint8_t *p, const void *data, size_t size)
{
    struct asg_writer *w = writer_of(pack);
    const uint8_t *from = data;
    if (!w->dead) {
        pack->cur = p;
    }
    while (size != 0 && !w->dead) {
        size_t used = (size_t)(pack->cur - w->start), left = (size_t)(w->slot_end - pack->cur);
        if (used >= BULK_SPAN || (left == 0 && used != 0)) {
            commit(w);
            continue;
        }
        if (left == 0) {
            next_slot(w);
            continue;
        }
        size_t n = size < BULK_SPAN - used ? size : BULK_SPAN - used;
        n = n < left ? n : left;
        if (from != NULL) {
            memcpy(pack->cur, from, n);
            from += n;
        } else {
            memset(pack->cur, 0, n);
        }
        pack->cur += n;
        size -= n;
    }
    if (!w->dead && (size_t)(w->slot_end - pack->cur) < SL_PACK_ROOM) {
        if (pack->cur != w->start) {
            commit(w);
        }
        if (!w->dead && (size_t)(w->slot_end - pack->cur) < SL_PACK_ROOM) {
            next_slot(w);
        }
    }
    if (w->dead) {
        pack->cur = w->scratch;
        return w->scratch;
    }
    set_limit(w, SL_PACK_ROOM);
    return pack->cur;
}

static const struct sl_pack_ops writer_ops = {.room = writer_room, .bulk = writer_bulk};

/* What the guest's ring_buffer_init does to one page. Spec: asg 1.5. */
static void init_page(struct asg_page *page)
{
    page->host_version = 1;
    page->read_live_count = 0;
    page->read_yield_count = 0;
    page->read_sleep_us_count = 0;
    asg_ring_tell(&page->write_pos, 0);
    asg_ring_tell(&page->read_pos, 0);
}

enum sl_result asg_writer_init(struct asg_writer *w, const struct asg_writer_config *config)
{
    *w = (struct asg_writer){.config = *config, .page = config->memory};
    if (config->memory_size < ASG_RING_BYTES ||
        config->memory_size - ASG_RING_BYTES < config->buffer_size) {
        return SL_ERR_INVALID;
    }
    /* Read once; the host never changes them afterwards. */
    uint32_t buffer_size = asg_ring_hint(&w->page->buffer_size);
    uint32_t flush_interval = asg_ring_hint(&w->page->flush_interval);
    if (buffer_size != config->buffer_size || flush_interval == 0 ||
        buffer_size % flush_interval != 0) {
        return SL_ERR_PROTOCOL;
    }
    uint64_t least =
        buffer_size / ASG_WRITER_SLOTS > SLOT_MIN ? buffer_size / ASG_WRITER_SLOTS : SLOT_MIN;
    uint64_t slot_size = (least + flush_interval - 1) / flush_interval * flush_interval;
    if (slot_size > buffer_size / 2) {
        return SL_ERR_PROTOCOL;
    }
    w->scratch = sl_alloc(SCRATCH_SIZE);
    if (w->scratch == NULL) {
        return SL_ERR_NOMEM;
    }
    w->buffer = (uint8_t *)config->memory + ASG_RING_BYTES;
    w->slot_size = (uint32_t)slot_size;
    w->slot_count = buffer_size / w->slot_size;
    if (w->config.sleep_ns == 0) {
        w->config.sleep_ns = ASG_WRITER_SLEEP_NS;
    }
    w->reply_spin.none = w->space_spin.none = w->staged_spin.none = config->no_spin;
    w->reply_spin.keen = true;
    w->reply_spin.peer_cpu = config->shared_futex ? &w->page->host_cpu : NULL;
    w->staged_spin.peer_cpu = w->reply_spin.peer_cpu;
    w->look_size = config->shared_futex ? LOOK_FUTEX : LOOK_PING;
    w->view_size = asg_view_size(buffer_size);
    for (uint32_t i = 0; i < 3; i++) {
        init_page(asg_writer_page(w, i));
    }
    asg_ring_tell(&w->page->transfer_mode, ASG_MODE_SPANS);
    asg_ring_tell(&w->page->host_consumed_pos, 0);
    asg_ring_tell(&w->page->guest_write_pos, 0);
    asg_ring_tell(&w->page->guest_sleeping, ASG_SLEEP_NONE);
    asg_ring_tell(&w->page->host_state, ASG_STATE_NEED_NOTIFY);
    w->pack.ops = &writer_ops;
    start_slot(w, 0);
    return SL_OK;
}

void asg_writer_finish(struct asg_writer *w)
{
    sl_free(w->scratch);
    *w = (struct asg_writer){.dead = true};
}

void asg_writer_flush(struct asg_writer *w)
{
    w->look_size = w->config.shared_futex ? LOOK_FUTEX : LOOK_PING;
    if (!w->dead && w->pack.cur != w->start) {
        commit(w);
    }
}

void asg_writer_raw(struct asg_writer *w, const void *data, size_t size)
{
    w->pack.cur = writer_bulk(&w->pack, w->pack.cur, data, size);
}
