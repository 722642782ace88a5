#include "asg/writer.h"

#include <limits.h>
#include <string.h>

#include "transport/base/clock.h"
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

/* So many between two looks at the clock. */
#define SPIN_LOOKS 16

#define SLEEP_SHORT_NS (50 * 1000)
#define SLEEP_LONG_NS  (1000 * 1000)
#define SLEEP_NS       (100 * SL_NS_PER_MS)
#define ASK_NS         (10 * SL_NS_PER_MS)

_Static_assert(LOOK_FUTEX >= SL_PACK_ROOM, "after bulk the limit leaves that much");

static struct asg_writer *writer_of(struct sl_pack *pack)
{
    return (struct asg_writer *)pack;
}

static struct asg_page *page_at(struct asg_writer *w, uint32_t index)
{
    return (struct asg_page *)((uint8_t *)w->page + (size_t)index * ASG_PAGE);
}

static void die(struct asg_writer *w, const char *why)
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
    die(w, NULL);
}

/* The host's words that say the ring is over. Stock hosts set them, too. */
static bool host_gave_up(const struct asg_page *page)
{
    uint32_t state = asg_ring_hint(&page->host_state);
    return asg_ring_hint(&page->in_error) != 0 || state == ASG_STATE_EXIT ||
           state == ASG_STATE_ERROR;
}

static void notify(struct asg_writer *w)
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

/* Bytes of descriptors that the host has not taken; dies and gives 0 when its position is
 * impossible. */
static uint32_t unread(struct asg_writer *w)
{
    uint32_t taken = asg_ring_see(&w->page->read_pos);
    uint32_t bytes = w->desc_write - taken;
    if (SL_UNLIKELY(bytes >= ASG_DESC_RING)) {
        die(w, "the host's read position is impossible");
        return 0;
    }
    w->desc_taken = taken;
    return bytes;
}

/* Are at most `allowed` bytes of descriptors unread? By what was seen last, if that will do: the
 * position's cache line is the host's, and costs both sides each time that we look. */
static bool host_within(struct asg_writer *w, uint32_t allowed)
{
    return w->desc_write - w->desc_taken <= allowed || unread(w) <= allowed;
}

/* The slow turns of a wait: spinning has not helped. */
struct slow {
    uint64_t nap_ns;  /* the last one, where nobody wakes us; half of the first one at the start */
    uint64_t wake_ns; /* when a host that sleeps all the same is woken again; 0: not known yet */
};

static void nap(struct slow *slow, uint64_t most_ns)
{
    slow->nap_ns = slow->nap_ns * 2 > SLEEP_LONG_NS    ? SLEEP_LONG_NS
                   : slow->nap_ns * 2 > SLEEP_SHORT_NS ? slow->nap_ns * 2
                                                       : SLEEP_SHORT_NS;
    sl_clock_sleep_ns(slow->nap_ns < most_ns ? slow->nap_ns : most_ns);
}

/* Never needed between correct peers: what is unread was published before the host slept, and it
 * was woken. Cures a ping that got lost. */
static void wake_again(struct asg_writer *w, struct slow *slow, uint64_t now)
{
    if (slow->wake_ns != 0 && now >= slow->wake_ns && unread(w) != 0 &&
        asg_ring_hint(&w->page->host_state) == ASG_STATE_NEED_NOTIFY) {
        notify(w);
        slow->wake_ns = 0;
    }
    if (slow->wake_ns == 0) {
        slow->wake_ns = now + w->config.sleep_ns;
    }
}

/* Asking is a syscall, so not in each of many short waits. */
static bool is_alive(struct asg_writer *w, uint64_t now)
{
    if (w->config.alive != NULL && now - w->asked_ns >= ASK_NS) {
        w->asked_ns = now;
        return w->config.alive(w->config.user);
    }
    return true;
}

/* A slow turn begins. false: the host is gone. */
static bool host_is_there(struct asg_writer *w, struct slow *slow)
{
    uint64_t now = sl_clock_ns();
    if (host_gave_up(w->page)) {
        die(w, "the host gave up");
    } else if (!is_alive(w, now)) {
        die(w, "the host is gone");
    } else {
        wake_again(w, slow, now);
    }
    return !w->dead;
}

/* Wait until at most `allowed` bytes of descriptors are unread. */
static enum sl_result wait_for_host(struct asg_writer *w, uint32_t allowed, int64_t timeout_ns)
{
    if (host_within(w, allowed)) {
        return w->dead ? SL_ERR_CLOSED : SL_OK;
    }
    uint64_t begin = timeout_ns >= 0 ? sl_clock_ns() : 0;
    /* Each nap's end takes a core from who works for us; where waits are long there are few. */
    struct slow slow = {.nap_ns = w->space_spin.expect_ns / 4};
    asg_spin_begin(&w->space_spin);
    while (unread(w) > allowed) {
        if (asg_spin_turn(&w->space_spin)) {
            continue;
        }
        if (!host_is_there(w, &slow)) {
            return SL_ERR_CLOSED;
        }
        if (timeout_ns >= 0 && sl_clock_ns() - begin >= (uint64_t)timeout_ns) {
            return SL_ERR_TIMEOUT;
        }
        nap(&slow, UINT64_MAX);
    }
    asg_spin_end(&w->space_spin);
    return w->dead ? SL_ERR_CLOSED : SL_OK;
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
    uint32_t bytes = unread(w);
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
    if (wait_for_host(w, slot_age(w, slot), -1) == SL_OK) {
        start_slot(w, slot);
    }
}

/* Publish the slot's bytes and go on behind them. After it the stream may be dead. */
static void commit(struct asg_writer *w)
{
    uint32_t size = (uint32_t)(w->pack.cur - w->start);
    uint32_t allowed = host_within(w, QUEUE_MAX) ? QUEUE_MAX : QUEUE_HALF;
    if (wait_for_host(w, allowed, -1) != SL_OK) {
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
        notify(w);
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
        (size > (size_t)(w->slot_end - pack->cur) || unread(w) < QUEUE_MIN)) {
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
        w->config.sleep_ns = SLEEP_NS;
    }
    w->reply_spin.none = w->space_spin.none = w->staged_spin.none = config->no_spin;
    w->reply_spin.keen = true;
    w->reply_spin.peer_cpu = config->shared_futex ? &w->page->host_cpu : NULL;
    w->staged_spin.peer_cpu = w->reply_spin.peer_cpu;
    w->look_size = config->shared_futex ? LOOK_FUTEX : LOOK_PING;
    w->view_size = asg_view_size(buffer_size);
    for (uint32_t i = 0; i < 3; i++) {
        init_page(page_at(w, i));
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

enum sl_result asg_writer_drain(struct asg_writer *w, int64_t timeout_ns)
{
    asg_writer_flush(w);
    return w->dead ? SL_ERR_CLOSED : wait_for_host(w, 0, timeout_ns);
}

/* One sleep of the wait for a word of the host's, which we saw as `seen`. */
static void sleep_for_word(struct asg_writer *w, enum asg_sleep sleep, const uint32_t *word,
                           uint32_t seen, uint64_t most_ns, struct slow *slow)
{
    if (!w->config.reply_futex) {
        nap(slow, most_ns);
        return;
    }
    uint32_t ticket = asg_ring_ticket(&w->page->host_reply);
    asg_ring_announce(&w->page->guest_sleeping, sleep);
    if (asg_ring_see_again(word) == seen && !host_gave_up(w->page)) {
        asg_ring_sleep(&w->page->host_reply, ticket, (int64_t)most_ns);
    }
    asg_ring_tell(&w->page->guest_sleeping, ASG_SLEEP_NONE);
}

/* What is asked, before it goes out: the packets that go with it; of packets that have gone the
 * next answer. Never 0. */
static void note_question(struct asg_writer *w)
{
    size_t size = (size_t)(w->pack.cur - w->start);
    bool goes = !w->dead && size >= sizeof(uint32_t);
    w->question = goes ? (sl_load_u32(w->start) * 31 + (uint32_t)size) | 1 : w->question + 2;
}

/* The wait could not be bridged by pauses: most of it is slept where its end is foreseen. */
static void foresee(struct asg_writer *w, struct slow *slow)
{
    struct asg_foreseen seen;
    struct asg_spin *spin = &w->reply_spin;
    if (!w->config.reply_futex || !asg_habit_foresee(&w->habits, w->question, &seen)) {
        return;
    }
    if (seen.sleep_ns != 0) {
        sleep_for_word(w, ASG_SLEEP_ANY, &page_at(w, 2)->write_pos, w->reply_read, seen.sleep_ns,
                       slow);
    }
    spin->end_ns = spin->begin_ns + seen.spin_ns;
}

/* Bytes of replies that are there, at least 1. */
static enum sl_result wait_for_reply(struct asg_writer *w, uint32_t *readable)
{
    const struct asg_page *from_host = page_at(w, 2);
    struct slow slow = {0};
    bool long_wait = false;
    asg_spin_begin(&w->reply_spin);
    for (;;) {
        uint32_t bytes = asg_ring_see(&from_host->write_pos) - w->reply_read;
        if (SL_UNLIKELY(bytes >= w->view_size)) {
            die(w, "the host's reply position is impossible");
            return SL_ERR_PROTOCOL;
        }
        if (bytes != 0) {
            if (long_wait) {
                asg_habit_learn(&w->habits, w->question, sl_clock_ns() - w->reply_spin.begin_ns);
            }
            asg_spin_end(&w->reply_spin);
            *readable = bytes;
            return SL_OK;
        }
        if (asg_spin_turn(&w->reply_spin)) {
            if (!long_wait && w->reply_spin.begin_ns != 0) {
                long_wait = true;
                foresee(w, &slow);
            }
            continue;
        }
        if (!host_is_there(w, &slow)) {
            return SL_ERR_CLOSED;
        }
        sleep_for_word(w, ASG_SLEEP_ANY, &from_host->write_pos, w->reply_read, w->config.sleep_ns,
                       &slow);
    }
}

uint32_t asg_writer_staged(const struct asg_writer *w)
{
    return asg_ring_see(&w->page->host_staged);
}

uint32_t asg_writer_error_take(struct asg_writer *w)
{
    uint32_t error = asg_ring_see(&w->page->host_error);
    if (error != 0) { /* the host writes there only when it is 0 again */
        asg_ring_publish(&w->page->host_error, 0);
    }
    return error;
}

enum sl_result asg_writer_wait_staged(struct asg_writer *w, uint32_t count)
{
    struct slow slow = {0};
    asg_writer_flush(w);
    asg_spin_begin(&w->staged_spin);
    while (!w->dead) {
        uint32_t done = asg_writer_staged(w);
        if ((int32_t)(done - count) >= 0) {
            asg_spin_end(&w->staged_spin);
            return SL_OK;
        }
        if (!asg_spin_turn(&w->staged_spin) && host_is_there(w, &slow)) {
            asg_ring_tell(&w->page->guest_staged, count); /* not to be woken for each before it */
            sleep_for_word(w, ASG_SLEEP_STAGED, &w->page->host_staged, done, w->config.sleep_ns,
                           &slow);
        }
    }
    return SL_ERR_CLOSED;
}

uint32_t asg_writer_spin_staged(struct asg_writer *w, uint32_t seen, uint64_t most_ns)
{
    asg_writer_flush(w);
    uint32_t done = asg_writer_staged(w);
    bool looks = !w->config.no_spin && !asg_spin_is_near(&w->staged_spin);
    uint64_t end = looks && done == seen ? sl_clock_ns() + most_ns : 0;
    while (done == seen && !w->dead && sl_clock_ns() < end) {
        for (int i = 0; i < SPIN_LOOKS && done == seen; i++) {
            sl_cpu_relax();
            done = asg_writer_staged(w);
        }
    }
    return done;
}

enum sl_result asg_writer_read_some(struct asg_writer *w, void *data, size_t least, size_t most,
                                    size_t *got)
{
    note_question(w);
    asg_writer_flush(w);
    enum sl_result r = w->dead ? SL_ERR_CLOSED : SL_OK;
    w->waits++;
    size_t done = 0;
    while (r == SL_OK && done < least) {
        uint32_t readable = 0;
        r = wait_for_reply(w, &readable);
        if (r == SL_OK) {
            size_t n = most - done < readable ? most - done : readable;
            asg_view_copy_out(w->buffer, w->view_size, w->reply_read, (uint8_t *)data + done, n);
            w->reply_read += (uint32_t)n;
            asg_ring_publish(&page_at(w, 2)->read_pos, w->reply_read);
            done += n;
        }
    }
    if (r == SL_OK) {
        *got = done;
    }
    return r;
}

enum sl_result asg_writer_read(struct asg_writer *w, void *data, size_t size)
{
    size_t got = 0;
    enum sl_result r = asg_writer_read_some(w, data, size, size, &got);
    if (r != SL_OK) {
        memset(data, 0, size);
    }
    return r;
}

enum sl_result asg_signal_wait(struct asg_page *page, uint32_t value, int64_t timeout_ns,
                               bool shared_futex, bool (*alive)(void *user), void *user)
{
    struct asg_spin spin = {.expect_ns = 0};
    uint64_t begin = sl_clock_ns();
    struct slow slow = {0};
    asg_spin_begin(&spin);
    for (;;) {
        uint32_t now = asg_ring_see(&page->host_signal);
        if ((int32_t)(now - value) >= 0) {
            return SL_OK;
        }
        if (asg_spin_turn(&spin)) {
            continue;
        }
        if (host_gave_up(page) || (alive != NULL && !alive(user))) {
            return SL_ERR_CLOSED;
        }
        uint64_t passed = sl_clock_ns() - begin;
        if (timeout_ns >= 0 && passed >= (uint64_t)timeout_ns) {
            return SL_ERR_TIMEOUT;
        }
        uint64_t left = timeout_ns >= 0 ? (uint64_t)timeout_ns - passed : UINT64_MAX;
        if (shared_futex) {
            asg_ring_sleep(&page->host_signal, now, (int64_t)(left < SLEEP_NS ? left : SLEEP_NS));
        } else {
            nap(&slow, left);
        }
    }
}
