#include "asg/reader.h"

#include <string.h>

#include "transport/base/arith.h"
#include "transport/base/clock.h"
#include "transport/base/thread.h"

/* A correct guest always wakes us; a stock guest's half of the store-buffer pattern is weaker than
 * ours on some CPUs (facts: asg, section 2), and a hostile one may forge the futex word: then this
 * much later we look anyway. */
#define SLEEP_NS (500 * SL_NS_PER_MS)
/* Between two pieces of a large transfer a stock guest wakes nobody: it is looked for. */
#define LARGE_NAP_NS (500 * SL_NS_PER_US)
#define REPLY_NAP_NS (50 * 1000)
/* A long reply goes out in pieces, so that both sides copy at the same time. */
#define REPLY_PIECE      65536u
#define REPLY_NAP_MAX_NS (1000 * 1000)
#define REPLY_TIMEOUT_NS (10 * SL_NS_PER_S)
#define LARGE_TIMEOUT_NS (60 * SL_NS_PER_S)
/* Long waits since its last reply for which a guest counts as one that waits for replies. */
#define TALKS 8u
/* A guest on our processor that asks so many times, after gaps so short that a spin would bridge
 * them, is answered sooner on another: two processors exchange words in 0.3 us, one changes
 * processes in 5. Where gaps are longer we would sleep, and to wake another processor takes 5 to
 * 30. */
#define NEAR_WAITS 8u
#define NEAR_NS    (200 * SL_NS_PER_US)
#define MOVE_NS    (500 * SL_NS_PER_US) /* between two moves, or attempts */
/* Taken before the guest is told so. */
#define UNTOLD_SPANS 32u
#define UNTOLD_BYTES 4096u

static struct asg_page *page_at(const struct asg_reader *r, uint32_t index)
{
    return (struct asg_page *)((uint8_t *)r->page + (size_t)index * ASG_PAGE);
}

/* Pairs with the store of whoever stops us, followed by asg_reader_wake. */
static bool stopped(const struct asg_reader *r)
{
    return asg_ring_see_again(r->config.stop) != 0;
}

enum sl_result asg_reader_init(struct asg_reader *r, const struct asg_reader_config *config)
{
    uint32_t size = config->buffer_size;
    uint32_t step = config->flush_interval;
    if (size == 0 || asg_view_size(size) != size || step == 0 || step > size / 2 ||
        size % step != 0 || config->memory_size < ASG_RING_BYTES ||
        config->memory_size - ASG_RING_BYTES < size) {
        return SL_ERR_INVALID;
    }
    *r = (struct asg_reader){.config = *config, .page = config->memory, .view_size = size};
    if (r->config.reply_timeout_ns == 0) {
        r->config.reply_timeout_ns = REPLY_TIMEOUT_NS;
    }
    if (r->config.large_timeout_ns == 0) {
        r->config.large_timeout_ns = LARGE_TIMEOUT_NS;
    }
    if (r->config.sleep_ns == 0) {
        r->config.sleep_ns = SLEEP_NS;
    }
    r->spin.none = config->no_spin;
    r->spin.peer_cpu = &r->page->guest_cpu;
    r->buffer = (uint8_t *)config->memory + ASG_RING_BYTES;
    memset(config->memory, 0, ASG_RING_BYTES);
    for (uint32_t i = 0; i < 3; i++) {
        page_at(r, i)->host_version = 1;
    }
    r->page->buffer_size = size;
    r->page->flush_interval = step;
    r->page->transfer_mode = ASG_MODE_SPANS;
    return SL_OK;
}

/* The mode word decides nothing: bytes of the large ring come first, whatever it says, since late
 * transfers end with the word at 1 while they are still read (spec: asg 4.3). But stock guests say
 * nothing besides 1 and 3, and 3 only between a drained ring and a drained ring: the reference
 * never gets past anything else, so whoever says it is no guest of ours. Read once a look. */
static uint32_t mode_of(const struct asg_reader *r)
{
    return asg_ring_hint(&r->page->transfer_mode);
}

/* Type 3: what there is in the large ring's view. transfer_size is the guest's private talk. */
static enum sl_result take_large(struct asg_reader *r, uint8_t *to, size_t capacity, size_t *got)
{
    struct asg_page *large = page_at(r, 1);
    uint32_t readable = asg_ring_see(&large->write_pos) - r->large_read;
    if (readable == 0) {
        return SL_OK;
    }
    if (readable >= r->view_size) {
        return SL_ERR_PROTOCOL;
    }
    size_t n = readable < capacity ? readable : capacity;
    asg_view_copy_out(r->buffer, r->view_size, r->large_read, to, n);
    r->large_read += (uint32_t)n;
    asg_ring_publish(&large->read_pos, r->large_read);
    r->large_since_ns = 0;
    *got = n;
    return SL_OK;
}

/* Look how far the guest has published descriptors. */
static enum sl_result look_for_spans(struct asg_reader *r)
{
    uint32_t seen = asg_ring_see(&r->page->write_pos);
    uint32_t readable = seen - r->desc_read;
    if (readable >= ASG_DESC_RING || readable % sizeof(struct asg_descriptor) != 0) {
        return SL_ERR_PROTOCOL;
    }
    /* Behind the position: the guest said 1 before it published a descriptor, and says nothing else
     * until we have taken it. */
    uint32_t mode = mode_of(r);
    if (mode != ASG_MODE_SPANS && (mode != ASG_MODE_LARGE || readable != 0)) {
        return SL_ERR_PROTOCOL;
    }
    r->desc_seen = seen;
    return SL_OK;
}

/* The next descriptor of those seen, copied, then checked, into span_*. Spec: asg 4.1, hazards 3,
 * 5, 6. */
static enum sl_result next_span(struct asg_reader *r)
{
    struct asg_descriptor desc;
    memcpy(&desc, r->page->descriptors + (r->desc_read & (ASG_DESC_RING - 1)), sizeof desc);
    /* The copy is what is checked: not to be fetched again from the page. */
    __asm__ volatile("" : "+m"(desc));
    if (!sl_region_fits(desc.offset, desc.size, r->config.buffer_size)) {
        return SL_ERR_PROTOCOL;
    }
    r->span_offset = desc.offset;
    r->span_left = desc.size;
    r->consumed += desc.size;
    return SL_OK;
}

/* What was taken is the guest's again. */
static void give_back(struct asg_reader *r)
{
    if (r->untold_spans != 0) {
        r->untold_spans = 0;
        r->untold_bytes = 0;
        asg_ring_publish(&r->page->read_pos, r->desc_read);
    }
}

/* The descriptor's bytes are ours. Short spans go back several at once, since each time takes the
 * position's cache line from the guest; but before a guest would wait for them. */
static void end_span(struct asg_reader *r, size_t size)
{
    r->desc_read += (uint32_t)sizeof(struct asg_descriptor);
    r->untold_spans++;
    r->untold_bytes += size;
    if (r->untold_spans >= UNTOLD_SPANS || r->untold_bytes >= UNTOLD_BYTES) {
        give_back(r);
    }
}

/* Bytes of the span begun, or of the next one seen. */
static enum sl_result take_span(struct asg_reader *r, uint8_t *to, size_t capacity, size_t *got)
{
    if (r->span_left == 0) {
        enum sl_result result = next_span(r);
        if (result != SL_OK) {
            return result;
        }
    }
    size_t n = r->span_left < capacity ? r->span_left : capacity;
    memcpy(to, r->buffer + r->span_offset, n);
    r->span_offset += (uint32_t)n;
    r->span_left -= (uint32_t)n;
    if (r->span_left == 0) {
        end_span(r, n);
    }
    *got = n;
    return SL_OK;
}

/* Spans seen and not taken. */
static bool spans_left(const struct asg_reader *r)
{
    return r->span_left != 0 || r->desc_read != r->desc_seen;
}

/* All that was seen, in one go, and no second look before it is used: a look takes the position's
 * cache line from the guest that writes it. Bounded by the descriptors that a ring holds. */
static enum sl_result take_spans(struct asg_reader *r, uint8_t *to, size_t capacity, size_t *got)
{
    size_t total = 0;
    while (total < capacity && spans_left(r)) {
        size_t n = 0;
        enum sl_result result = take_span(r, to + total, capacity - total, &n);
        if (result != SL_OK) {
            return result;
        }
        total += n;
    }
    give_back(r);
    *got = total;
    return SL_OK;
}

static void set_awake_since(struct asg_reader *r, uint64_t ns)
{
    /* Pairs with asg_reader_awake_since_ns; orders nothing, for counters only. */
    sl_atomic_store_relaxed_u64(&r->awake_since_ns, ns);
}

/* While we run we say so, without taking the word's cache line from the guest each time. The
 * guest's late initialisation may have cleared it. Spec: asg 1.5 and 3. */
static void say_running(struct asg_reader *r)
{
    if (asg_ring_hint(&r->page->host_state) != ASG_STATE_RENDERING) {
        asg_ring_tell(&r->page->host_state, ASG_STATE_RENDERING);
        set_awake_since(r, sl_clock_ns());
    }
}

enum sl_result asg_reader_take(struct asg_reader *r, void *data, size_t capacity, size_t *got)
{
    uint8_t *to = data;
    size_t large = 0, spans = 0;
    enum sl_result result = SL_OK;
    /* Spans seen are finished first; then the large ring, which a correct guest fills only while
     * the other is empty. */
    if (!spans_left(r)) {
        result = take_large(r, to, capacity, &large);
        if (result == SL_OK) {
            result = look_for_spans(r);
        }
    }
    if (result == SL_OK) {
        result = take_spans(r, to + large, capacity - large, &spans);
    }
    if (result != SL_OK) {
        return result;
    }
    if (large + spans == 0) {
        return SL_ERR_AGAIN;
    }
    r->bytes += large + spans;
    say_running(r);
    asg_ring_tell_cpu(&r->page->host_cpu, &r->cpu);
    *got = large + spans;
    return SL_OK;
}

/* Is there anything to look at? SEQ_CST loads: the sleeper's second look. */
static bool something_there(const struct asg_reader *r)
{
    return r->span_left != 0 || asg_ring_see_again(&page_at(r, 1)->write_pos) != r->large_read ||
           asg_ring_see_again(&r->page->write_pos) != r->desc_read;
}

/* How long a sleep may last by what the guest says it does. TIMEOUT, PROTOCOL. */
static enum sl_result longest_sleep(struct asg_reader *r, uint64_t *most_ns)
{
    uint32_t mode = mode_of(r);
    *most_ns = r->config.sleep_ns;
    if (mode == ASG_MODE_SPANS) {
        r->large_since_ns = 0;
        return SL_OK;
    }
    if (mode != ASG_MODE_LARGE) {
        return SL_ERR_PROTOCOL;
    }
    uint64_t now = sl_clock_ns();
    if (r->large_since_ns == 0) {
        r->large_since_ns = now;
    }
    *most_ns = *most_ns < LARGE_NAP_NS ? *most_ns : LARGE_NAP_NS;
    return now - r->large_since_ns < r->config.large_timeout_ns ? SL_OK : SL_ERR_TIMEOUT;
}

/* Pairs with the store of whoever pauses us, followed by asg_reader_wake. */
static bool paused(const struct asg_reader *r)
{
    return r->config.pause != NULL && asg_ring_see_again(r->config.pause) >> 31 != 0;
}

/* most_ns: and not longer than that. */
static enum sl_result sleep_for_guest(struct asg_reader *r, uint64_t most_ns)
{
    uint64_t most = 0;
    enum sl_result result = longest_sleep(r, &most);
    if (result != SL_OK) {
        return result;
    }
    most = most < most_ns ? most : most_ns;
    if (r->config.before_sleep != NULL) {
        r->config.before_sleep(r->config.user);
    }
    asg_ring_tell(&r->page->host_consumed_pos, r->consumed);
    uint32_t ticket = asg_ring_ticket(&r->page->guest_kick);
    set_awake_since(r, 0);
    asg_ring_announce(&r->page->host_state, ASG_STATE_NEED_NOTIFY);
    if (!something_there(r) && !stopped(r) && !paused(r)) {
        r->sleeps++;
        asg_ring_sleep(&r->page->guest_kick, ticket, (int64_t)most);
        r->wakeups += asg_ring_hint(&r->page->guest_kick) != ticket;
    }
    asg_ring_tell(&r->page->host_state, ASG_STATE_RENDERING);
    set_awake_since(r, sl_clock_ns());
    return SL_OK;
}

/* A guest that waits for answers shall not wait for us to wake up as well: of its gaps the long
 * ones say how long the next may be, whatever short ones lie between. One that only sends is not
 * worth a spinning processor. */
static void end_wait(struct asg_reader *r, bool slept)
{
    if (slept) {
        asg_gap_learn(&r->gap, sl_clock_ns() - r->spin.begin_ns);
    }
    if (r->talks == 0) {
        asg_spin_end(&r->spin);
        return;
    }
    asg_spin_end_long(&r->spin);
    r->talks -= r->spin.begin_ns != 0;
}

bool asg_reader_is_near(const struct asg_reader *r)
{
    return asg_spin_is_near(&r->spin);
}

/* To another processor, if there is one. */
static void leave(struct asg_reader *r)
{
    uint64_t now = sl_clock_ns();
    uint32_t cpu = asg_cpu();
    if (cpu != 0 && now - r->moved_ns > MOVE_NS) {
        sl_thread_leave_cpu(cpu - 1);
        r->moved_ns = now;
    }
}

/* Before a wait of a guest's that talks. */
static void part(struct asg_reader *r)
{
    if (!asg_spin_is_near(&r->spin) || r->spin.expect_ns >= NEAR_NS) {
        r->near_waits = 0;
        return;
    }
    if (++r->near_waits >= NEAR_WAITS) {
        leave(r);
        r->near_waits = 0;
    }
}

/* How long the first sleep of a wait may last: where the end of the guest's gap is foreseen it is
 * spun for, on another processor than the guest's, which shall find us awake. */
static uint64_t first_sleep(struct asg_reader *r)
{
    struct asg_foreseen seen;
    if (r->talks == 0 || r->config.no_spin || !asg_gap_foresee(&r->gap, &seen)) {
        return UINT64_MAX;
    }
    if (r->config.moves && asg_spin_is_near(&r->spin)) {
        leave(r);
    }
    if (asg_spin_is_near(&r->spin)) {
        return UINT64_MAX;
    }
    uint64_t spent = sl_clock_ns() - r->spin.begin_ns;
    r->spin.end_ns = r->spin.begin_ns + seen.spin_ns;
    return spent < seen.sleep_ns ? seen.sleep_ns - spent : 0;
}

enum sl_result asg_reader_wait(struct asg_reader *r)
{
    bool slept = false;
    say_running(r);
    r->spin.keen = r->talks != 0;
    if (r->config.moves && r->spin.keen) {
        part(r);
    }
    asg_spin_begin(&r->spin);
    while (!something_there(r)) {
        if (stopped(r)) {
            return SL_ERR_CLOSED;
        }
        if (!asg_spin_turn(&r->spin)) {
            enum sl_result result = sleep_for_guest(r, slept ? UINT64_MAX : first_sleep(r));
            slept = true;
            if (result != SL_OK) {
                return result;
            }
            if (paused(r)) {
                return SL_ERR_AGAIN;
            }
        }
    }
    end_wait(r, slept);
    return SL_OK;
}

void asg_reader_wake(struct asg_reader *r)
{
    asg_ring_kick(&r->page->guest_kick);
}

uint64_t asg_reader_awake_since_ns(const struct asg_reader *r)
{
    return sl_atomic_load_relaxed_u64(&r->awake_since_ns);
}

/* Bytes free in the replies' view, at least 1. */
static enum sl_result wait_for_room(struct asg_reader *r, uint32_t *room)
{
    const struct asg_page *from_host = page_at(r, 2);
    struct asg_spin spin = {.expect_ns = 0};
    uint64_t begin = 0;
    uint64_t nap = REPLY_NAP_NS;
    asg_spin_begin(&spin);
    for (;;) {
        uint32_t filled = r->reply_write - asg_ring_see(&from_host->read_pos);
        if (filled >= r->view_size) {
            return SL_ERR_PROTOCOL;
        }
        *room = r->view_size - 1 - filled;
        if (*room != 0) {
            return SL_OK;
        }
        if (stopped(r)) {
            return SL_ERR_CLOSED;
        }
        if (asg_spin_turn(&spin)) {
            continue;
        }
        uint64_t now = sl_clock_ns();
        begin = begin == 0 ? now : begin;
        if (now - begin >= r->config.reply_timeout_ns) {
            return SL_ERR_TIMEOUT;
        }
        sl_clock_sleep_ns(nap);
        nap = nap * 2 < REPLY_NAP_MAX_NS ? nap * 2 : REPLY_NAP_MAX_NS;
    }
}

void asg_reader_answered(struct asg_reader *r)
{
    r->talks = TALKS;
}

enum sl_result asg_reader_reply(struct asg_reader *r, const void *data, size_t size)
{
    /* Every request of the guest that waits has been taken: to_host.read_pos stands behind it.
     * Spec: asg 4.4. */
    struct asg_page *from_host = page_at(r, 2);
    const uint8_t *from = data;
    asg_reader_answered(r);
    while (size != 0) {
        uint32_t room = 0;
        enum sl_result result = wait_for_room(r, &room);
        if (result != SL_OK) {
            return result;
        }
        size_t n = size < REPLY_PIECE ? size : REPLY_PIECE;
        n = n < room ? n : room;
        asg_view_copy_in(r->buffer, r->view_size, r->reply_write, from, n);
        r->reply_write += (uint32_t)n;
        asg_ring_publish_loud(&from_host->write_pos, r->reply_write);
        uint32_t sleep = asg_ring_hint_loud(&r->page->guest_sleeping);
        bool enough = sleep != ASG_SLEEP_REPLIES ||
                      (int32_t)(r->reply_write - asg_ring_hint(&r->page->guest_replies)) >= 0;
        if (sleep != ASG_SLEEP_NONE && enough) {
            asg_ring_kick(&r->page->host_reply);
        }
        from += n;
        size -= n;
    }
    return SL_OK;
}

void asg_reader_reply_near(struct asg_reader *r)
{
    if (asg_ring_hint_loud(&r->page->guest_sleeping) == ASG_SLEEP_REPLIES &&
        !asg_reader_is_near(r)) { /* it would only take our processor */
        asg_ring_kick(&r->page->host_reply);
    }
}

void asg_reader_staged(struct asg_reader *r)
{
    asg_ring_publish_loud(&r->page->host_staged, ++r->staged);
    uint32_t sleep = asg_ring_hint_loud(&r->page->guest_sleeping);
    bool enough = sleep == ASG_SLEEP_ANY ||
                  (sleep == ASG_SLEEP_STAGED &&
                   (int32_t)(r->staged - asg_ring_hint(&r->page->guest_staged)) >= 0);
    if (enough) {
        asg_ring_kick(&r->page->host_reply);
    }
}

bool asg_reader_signal_awaited(const struct asg_reader *r)
{
    return asg_ring_hint(&r->page->guest_eager) != 0;
}

void asg_reader_signal_near(const struct asg_reader *r)
{
    asg_ring_wake(&r->page->host_signal);
}

void asg_reader_signal(struct asg_reader *r, uint32_t value)
{
    /* Once a frame; who sleeps there reads the word again, so only the value counts. */
    asg_ring_publish_loud(&r->page->host_signal, value);
    asg_ring_wake(&r->page->host_signal);
}

bool asg_reader_error_taken(const struct asg_reader *r)
{
    return asg_ring_see(&r->page->host_error) == 0;
}

void asg_reader_error(struct asg_reader *r, uint32_t error)
{
    asg_ring_publish(&r->page->host_error, error);
}

void asg_reader_fail(struct asg_reader *r)
{
    asg_ring_publish(&r->page->in_error, 1);
    asg_ring_publish(&r->page->host_state, ASG_STATE_ERROR);
    asg_ring_kick(&r->page->host_reply);
    asg_ring_wake(&r->page->host_signal);
}
