/* The writer's waits: for room, for replies, for staged commands, for a signal. */
#include "asg/writer_priv.h"

#include <string.h>

#define SLEEP_SHORT_NS (50 * 1000)
#define SLEEP_LONG_NS  (1000 * 1000)
#define ASK_NS         (10 * SL_NS_PER_MS)
/* From being told that replies are near to the last of them: a picture is drawn, and what is left
 * of reading it takes no longer. */
#define REPLY_NEAR_NS (200 * 1000)
/* From being told that a signal is near to the signal: what the rest of a picture's copy takes. */
#define SIGNAL_NEAR_NS (90 * 1000)

/* The host's words that say the ring is over. Stock hosts set them, too. */
static bool host_gave_up(const struct asg_page *page)
{
    uint32_t state = asg_ring_hint(&page->host_state);
    return asg_ring_hint(&page->in_error) != 0 || state == ASG_STATE_EXIT ||
           state == ASG_STATE_ERROR;
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
    if (slow->wake_ns != 0 && now >= slow->wake_ns && asg_writer_unread(w) != 0 &&
        asg_ring_hint(&w->page->host_state) == ASG_STATE_NEED_NOTIFY) {
        asg_writer_rouse(w);
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
        asg_writer_die(w, "the host gave up");
    } else if (!is_alive(w, now)) {
        asg_writer_die(w, "the host is gone");
    } else {
        wake_again(w, slow, now);
    }
    return !w->dead;
}

enum sl_result asg_writer_wait_taken(struct asg_writer *w, uint32_t allowed, int64_t timeout_ns)
{
    if (asg_writer_within(w, allowed)) {
        return w->dead ? SL_ERR_CLOSED : SL_OK;
    }
    uint64_t begin = timeout_ns >= 0 ? sl_clock_ns() : 0;
    /* Each nap's end takes a core from who works for us; where waits are long there are few. */
    struct slow slow = {.nap_ns = w->space_spin.expect_ns / 4};
    asg_spin_begin(&w->space_spin);
    while (asg_writer_unread(w) > allowed) {
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

enum sl_result asg_writer_drain(struct asg_writer *w, int64_t timeout_ns)
{
    asg_writer_flush(w);
    return w->dead ? SL_ERR_CLOSED : asg_writer_wait_taken(w, 0, timeout_ns);
}

/* One sleep of the wait for a word of the host's, which we saw as `seen`. True: somebody woke us.
 */
static bool sleep_for_word(struct asg_writer *w, enum asg_sleep sleep, const uint32_t *word,
                           uint32_t seen, uint64_t most_ns, struct slow *slow)
{
    if (!w->config.reply_futex) {
        nap(slow, most_ns);
        return false;
    }
    uint32_t ticket = asg_ring_ticket(&w->page->host_reply);
    asg_ring_announce(&w->page->guest_sleeping, sleep);
    if (asg_ring_see_again(word) == seen && !host_gave_up(w->page)) {
        asg_ring_sleep(&w->page->host_reply, ticket, (int64_t)most_ns);
    }
    asg_ring_tell(&w->page->guest_sleeping, ASG_SLEEP_NONE);
    return asg_ring_hint(&w->page->host_reply) != ticket;
}

/* What is asked, before it goes out: the packets that go with it; of packets that have gone the
 * next answer. Never 0. */
static void note_question(struct asg_writer *w)
{
    size_t size = (size_t)(w->pack.cur - w->start);
    bool goes = !w->dead && size >= sizeof(uint32_t);
    w->question = goes ? (sl_load_u32(w->start) * 31 + (uint32_t)size) | 1 : w->question + 2;
}

/* Replies are slept for until `need` bytes of them are there. Woken before: they are near, and it
 * is spun for them. */
static void sleep_for_replies(struct asg_writer *w, uint32_t need, uint64_t most_ns,
                              struct slow *slow)
{
    const struct asg_page *from_host = asg_writer_page(w, 2);
    uint32_t seen = asg_ring_see(&from_host->write_pos);
    if (seen - w->reply_read >= need) {
        return;
    }
    asg_ring_tell(&w->page->guest_replies, w->reply_read + need);
    bool woken = sleep_for_word(w, ASG_SLEEP_REPLIES, &from_host->write_pos, seen, most_ns, slow);
    if (woken && asg_ring_see(&from_host->write_pos) - w->reply_read < need) {
        w->reply_spin.end_ns = sl_clock_ns() + REPLY_NEAR_NS;
        asg_habit_told(&w->habits, w->question);
    }
}

/* The wait could not be bridged by pauses: most of it is slept where its end is foreseen. */
static void foresee(struct asg_writer *w, uint32_t need, struct slow *slow)
{
    struct asg_foreseen seen;
    struct asg_spin *spin = &w->reply_spin;
    if (!w->config.reply_futex || !asg_habit_foresee(&w->habits, w->question, &seen)) {
        return;
    }
    spin->end_ns = spin->begin_ns + seen.spin_ns;
    if (seen.sleep_ns != 0) {
        sleep_for_replies(w, need, seen.sleep_ns, slow);
        if (asg_ring_see(&asg_writer_page(w, 2)->write_pos) - w->reply_read >= need) {
            asg_habit_slept(&w->habits, w->question);
        }
    }
}

/* How many bytes of replies the next wait is for: those expected, or any. What has been read lies
 * behind, and not ahead again when positions wrap. */
static uint32_t needed(struct asg_writer *w)
{
    int32_t due = (int32_t)(w->reply_due - w->reply_read);
    if (due <= 0) {
        w->reply_due = w->reply_read;
    }
    return due > 1 ? (uint32_t)due : 1;
}

/* Bytes of replies that are there, at least 1, and those that are expected. */
static enum sl_result wait_for_reply(struct asg_writer *w, uint32_t *readable)
{
    const struct asg_page *from_host = asg_writer_page(w, 2);
    uint32_t need = needed(w);
    struct slow slow = {0};
    bool long_wait = false;
    asg_spin_begin(&w->reply_spin);
    for (;;) {
        uint32_t bytes = asg_ring_see(&from_host->write_pos) - w->reply_read;
        if (SL_UNLIKELY(bytes >= w->view_size)) {
            asg_writer_die(w, "the host's reply position is impossible");
            return SL_ERR_PROTOCOL;
        }
        if (bytes >= need) {
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
                foresee(w, need, &slow);
            }
            continue;
        }
        if (!host_is_there(w, &slow)) {
            return SL_ERR_CLOSED;
        }
        sleep_for_replies(w, need, w->config.sleep_ns, &slow);
    }
}

void asg_writer_expect(struct asg_writer *w, size_t size)
{
    if (size < w->view_size / 2) {
        w->reply_due = w->reply_read + (uint32_t)size;
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
            (void)sleep_for_word(w, ASG_SLEEP_STAGED, &w->page->host_staged, done,
                                 w->config.sleep_ns, &slow);
        }
    }
    return SL_ERR_CLOSED;
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
            asg_ring_publish(&asg_writer_page(w, 2)->read_pos, w->reply_read);
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

/* Until the host wakes us or a slice is over. */
static void sleep_for_signal(const struct asg_signal *signal, uint32_t seen, uint64_t most_ns,
                             struct asg_spin *spin, struct slow *slow)
{
    if (!signal->shared_futex) {
        nap(slow, most_ns);
        return;
    }
    asg_ring_sleep(&signal->page->host_signal, seen,
                   (int64_t)(most_ns < ASG_WRITER_SLEEP_NS ? most_ns : ASG_WRITER_SLEEP_NS));
    if (signal->eager) { /* woken, but for the value: then it is near */
        spin->expect_ns = SIGNAL_NEAR_NS;
        spin->keen = true;
        asg_spin_begin(spin);
    }
}

static enum sl_result signal_wait(const struct asg_signal *signal, uint32_t value,
                                  int64_t timeout_ns)
{
    struct asg_page *page = signal->page;
    struct asg_spin spin = {.peer_cpu = signal->shared_futex ? &page->host_cpu : NULL};
    uint64_t begin = sl_clock_ns();
    struct slow slow = {0};
    for (;;) {
        uint32_t now = asg_ring_see(&page->host_signal);
        if ((int32_t)(now - value) >= 0) {
            return SL_OK;
        }
        if (asg_spin_turn(&spin)) {
            continue;
        }
        if (host_gave_up(page) || (signal->alive != NULL && !signal->alive(signal->user))) {
            return SL_ERR_CLOSED;
        }
        uint64_t passed = sl_clock_ns() - begin;
        if (timeout_ns >= 0 && passed >= (uint64_t)timeout_ns) {
            return SL_ERR_TIMEOUT;
        }
        uint64_t left = timeout_ns >= 0 ? (uint64_t)timeout_ns - passed : UINT64_MAX;
        sleep_for_signal(signal, now, left, &spin, &slow);
    }
}

enum sl_result asg_signal_wait(const struct asg_signal *signal, uint32_t value, int64_t timeout_ns)
{
    if (!signal->eager || !signal->shared_futex) { /* or nobody can wake us */
        return signal_wait(signal, value, timeout_ns);
    }
    asg_ring_tell(&signal->page->guest_eager, 1);
    enum sl_result r = signal_wait(signal, value, timeout_ns);
    asg_ring_tell(&signal->page->guest_eager, 0);
    return r;
}
