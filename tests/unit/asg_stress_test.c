/* Both ends of a ring at full speed and with random pauses, as two processes and as two threads
 * (which TSan sees): every byte arrives in order, every reply too, and no wake-up is lost.
 *
 * What cures a lost wake-up is set to a day here, so that one is a hang: for STILL_S nothing moves
 * on either side, a watchdog says so with the ring's words and ends both. Where a wrong memory
 * order loses one is a window of some 10 ns: one end looks a last time before it sleeps while the
 * other publishes. An end that never spins ("asleep") stands there after each message, and the
 * other publishes a random moment of that length after it saw the message taken, or came by it.
 *
 * --seconds N sets how long each case runs. */
#include "asg/reader.h"
#include "asg/writer.h"
#include "tests/support/random.h"
#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGE_MAX = 1500000, MESSAGE_MAX = 600000, REPLY_MAX = 300000, STILL_S = 20 };
#define NEVER_NS (86400 * SL_NS_PER_S)

struct message {
    uint32_t number;
    uint32_t size;  /* bytes that follow */
    uint32_t reply; /* bytes of the reply; 0: none */
    uint32_t last;
};

/* What both processes see. */
struct shared {
    uint8_t ring[ASG_BLOB_BYTES];
    uint32_t guest_steps,
        host_steps; /* atomic: messages written and done; the watchdog reads them */
};

struct ends {
    struct shared *shared;
    struct asg_page *page;
    uint64_t run_ns;
    bool shared_futex;
    bool guest_asleep, host_asleep; /* that end never spins */
    uint32_t stop;
    uint32_t over; /* atomic and futex: the watchdog may go */
    struct asg_reader reader;
    char trouble[128]; /* of the host; empty: none */
    char still[256];   /* of the watchdog; empty: something moved all the time */
};

static struct asg_page *page_at(const struct ends *e, uint32_t index)
{
    return (struct asg_page *)(void *)(e->shared->ring + (size_t)index * ASG_PAGE);
}

/* Mostly small, sometimes larger than a step. */
static uint32_t random_size(uint64_t *state, uint32_t longest)
{
    uint64_t r = sl_test_random(state);
    return r % 1024 == 0 ? (uint32_t)(r >> 32) % longest : (uint32_t)(r >> 32) % 300;
}

/* Of any length up to some us, short ones as likely as long ones. */
static void random_moment(uint64_t *state)
{
    uint64_t r = sl_test_random(state);
    for (uint64_t turns = (r >> 32) & ((1u << r % 13) - 1); turns != 0; turns--) {
        __asm__ volatile("" : "+r"(turns));
    }
}

static void random_pause(uint64_t *state)
{
    static const uint32_t pauses_us[] = {10, 50, 300, 1000, 3000};
    uint64_t r = sl_test_random(state);
    if (r % 4096 == 0) {
        sl_clock_sleep_ns(pauses_us[(r >> 32) % 5] * SL_NS_PER_US);
    }
}

static void fill(uint8_t *data, size_t size, uint32_t number)
{
    for (size_t i = 0; i < size; i++) {
        data[i] = (uint8_t)(number * 31 + i * 7);
    }
}

static bool filled(const uint8_t *data, size_t size, uint32_t number)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] != (uint8_t)(number * 31 + i * 7)) {
            return false;
        }
    }
    return true;
}

/* --- the guest's end --- */

enum guest_result { GUEST_DONE, GUEST_NO_RING, GUEST_BAD_REPLY, GUEST_NOT_TAKEN };

struct guest {
    struct asg_writer w;
    struct ends *e;
    uint64_t random;
    uint32_t large_write; /* our copy of to_host_large.write_pos */
    uint8_t *data;
};

static void on_ping(void *user)
{
    asg_reader_wake(&((struct ends *)user)->reader);
}

/* A stock guest's: before the first piece CAN_CONSUME is enough. Spec: asg 3. */
static void stock_ping(struct guest *g, bool first)
{
    uint32_t state = asg_ring_hint_loud(&g->e->page->host_state);
    if (state != ASG_STATE_RENDERING && !(first && state == ASG_STATE_CAN_CONSUME)) {
        on_ping(g->e);
    }
}

/* Until at most `most` bytes of the large ring are unread. false: the ring is over. */
static bool large_taken(struct guest *g, uint32_t most)
{
    const struct asg_page *large = page_at(g->e, 1);
    while (g->large_write - asg_ring_see(&large->read_pos) > most) {
        if (asg_ring_hint(&g->e->page->in_error) != 0) {
            return false;
        }
        sched_yield();
    }
    return true;
}

/* Type 3, as stock guests write what is larger than a step: rings drained, the mode, pieces into
 * the view, the mode again; late: it is 1 while the host still reads. Spec: asg 4.3. */
static bool send_large(struct guest *g, uint32_t size, bool late)
{
    struct asg_page *page = g->e->page;
    const uint32_t view = ASG_BUFFER_BYTES, piece = late ? view / 2 : view / 4;
    if (asg_writer_drain(&g->w, -1) != SL_OK) {
        return false;
    }
    asg_ring_tell(&page->transfer_size, size);
    asg_ring_tell(&page->transfer_mode, ASG_MODE_LARGE);
    for (uint32_t done = 0; done < size;) {
        uint32_t n = size - done < piece ? size - done : piece;
        if (!large_taken(g, view - 1 - n)) {
            return false;
        }
        asg_view_copy_in(g->e->shared->ring + ASG_RING_BYTES, view, g->large_write, g->data + done,
                         n);
        g->large_write += n;
        asg_ring_publish_loud(&page_at(g->e, 1)->write_pos, g->large_write);
        if (done == 0) {
            stock_ping(g, true);
        }
        done += n;
    }
    stock_ping(g, false);
    if (late) {
        asg_ring_tell(&page->transfer_mode, ASG_MODE_SPANS);
    }
    bool taken = large_taken(g, 0);
    asg_ring_tell(&page->transfer_mode, ASG_MODE_SPANS);
    return taken;
}

static enum guest_result send_message(struct guest *g, const struct message *m, bool large)
{
    fill(g->data, m->size, m->number);
    asg_writer_raw(&g->w, m, sizeof *m);
    if (!large) {
        asg_writer_raw(&g->w, g->data, m->size);
    } else if (!send_large(g, m->size, m->number % 2 == 0)) {
        return GUEST_NOT_TAKEN;
    }
    if (m->reply != 0) { /* a moment later the reply is just coming */
        asg_writer_flush(&g->w);
        random_moment(&g->random);
    }
    if (m->reply != 0 && (asg_writer_read(&g->w, g->data, m->reply) != SL_OK ||
                          !filled(g->data, m->reply, ~m->number))) {
        return GUEST_BAD_REPLY;
    }
    return GUEST_DONE;
}

/* Go on a moment after the host took all there is: about when it looks a last time. A host that
 * does not come by soon is not waited for. */
static void chase(struct guest *g)
{
    const struct asg_page *page = g->e->page;
    uint32_t written = asg_ring_hint(&page->write_pos);
    for (uint32_t turns = 0; turns < 5000 && asg_ring_see(&page->read_pos) != written; turns++) {
        sl_cpu_relax();
    }
    random_moment(&g->random);
}

static enum guest_result send_all(struct guest *g)
{
    uint64_t end = sl_clock_ns() + g->e->run_ns;
    struct message m = {0};
    while (!m.last && !asg_writer_dead(&g->w)) {
        bool large = sl_test_random(&g->random) % 2048 == 0;
        m.size = large ? (uint32_t)sl_test_random(&g->random) % LARGE_MAX
                       : random_size(&g->random, MESSAGE_MAX);
        m.reply = sl_test_random(&g->random) % 4 == 0 ? random_size(&g->random, REPLY_MAX) : 0;
        m.last = sl_clock_ns() >= end;
        enum guest_result result = send_message(g, &m, large);
        if (result != GUEST_DONE) {
            return result;
        }
        if (sl_test_random(&g->random) % 2 == 0) {
            asg_writer_flush(&g->w);
            chase(g);
        }
        random_pause(&g->random);
        m.number++;
        sl_atomic_add(&g->e->shared->guest_steps, 1);
    }
    return asg_writer_drain(&g->w, -1) == SL_OK ? GUEST_DONE : GUEST_NOT_TAKEN;
}

static enum guest_result guest_run(struct ends *e)
{
    const struct asg_writer_config config = {.memory = e->shared->ring,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .shared_futex = e->shared_futex,
                                             .reply_futex = e->shared_futex,
                                             .user = e,
                                             .ping = on_ping,
                                             .sleep_ns = NEVER_NS,
                                             .no_spin = e->guest_asleep};
    struct guest g = {.e = e, .random = 0x9e3779b97f4a7c15ull, .data = malloc(LARGE_MAX)};
    enum guest_result result =
        g.data == NULL || asg_writer_init(&g.w, &config) != SL_OK ? GUEST_NO_RING : send_all(&g);
    asg_writer_finish(&g.w);
    free(g.data);
    return result;
}

/* --- the host's end --- */

struct stream {
    uint8_t *data;
    size_t begin, end;
};

/* At least `size` bytes in the stream. */
static enum sl_result host_need(struct ends *e, struct stream *s, size_t size)
{
    memmove(s->data, s->data + s->begin, s->end - s->begin);
    s->end -= s->begin;
    s->begin = 0;
    while (s->end < size) {
        size_t got = 0;
        enum sl_result result = asg_reader_take(&e->reader, s->data + s->end, size - s->end, &got);
        if (result == SL_ERR_AGAIN) {
            result = asg_reader_wait(&e->reader);
        }
        if (result != SL_OK) {
            return result;
        }
        s->end += got;
    }
    return SL_OK;
}

static void host_messages(struct ends *e, struct stream *s, uint8_t *reply)
{
    uint64_t state = 88172645463325252ull;
    struct message m = {0};
    for (uint32_t number = 0; !m.last; number++) {
        enum sl_result result = host_need(e, s, sizeof m);
        if (result == SL_OK) {
            memcpy(&m, s->data, sizeof m);
            s->begin += sizeof m;
            if (m.number != number || m.size > LARGE_MAX || m.reply > REPLY_MAX) {
                snprintf(e->trouble, sizeof e->trouble, "message %u says it is %u", number,
                         m.number);
                return;
            }
            result = host_need(e, s, m.size);
        }
        if (result != SL_OK) {
            snprintf(e->trouble, sizeof e->trouble, "message %u: %s", number,
                     sl_result_name(result));
            return;
        }
        if (!filled(s->data, m.size, number)) {
            snprintf(e->trouble, sizeof e->trouble, "message %u: its bytes are wrong", number);
            return;
        }
        s->begin += m.size;
        random_pause(&state);
        random_moment(&state);
        if (m.reply != 0) {
            fill(reply, m.reply, ~number);
            result = asg_reader_reply(&e->reader, reply, m.reply);
        }
        sl_atomic_add(&e->shared->host_steps, 1);
    }
}

static void *host_main(void *user)
{
    struct ends *e = user;
    struct stream s = {.data = malloc(LARGE_MAX + sizeof(struct message))};
    uint8_t *reply = malloc(REPLY_MAX);
    if (s.data != NULL && reply != NULL) {
        host_messages(e, &s, reply);
    }
    free(s.data);
    free(reply);
    return NULL;
}

/* --- the watchdog --- */

/* Nothing moved: says where both ends stand and sends them home. */
static void end_both(struct ends *e)
{
    const struct asg_page *page = e->page, *large = page_at(e, 1), *from_host = page_at(e, 2);
    snprintf(e->still, sizeof e->still,
             "nothing moved for %d s after %u messages: host state %u, descriptors %u of %u taken, "
             "large %u of %u, replies %u of %u read, guest_sleeping %u",
             STILL_S, sl_atomic_load_seq(&e->shared->host_steps), asg_ring_hint(&page->host_state),
             asg_ring_see(&page->read_pos), asg_ring_see(&page->write_pos),
             asg_ring_see(&large->read_pos), asg_ring_see(&large->write_pos),
             asg_ring_see(&from_host->read_pos), asg_ring_see(&from_host->write_pos),
             asg_ring_hint(&page->guest_sleeping));
    sl_atomic_store_seq(&e->stop, 1);
    asg_reader_fail(&e->reader);
    asg_reader_wake(&e->reader);
}

static void *watch_main(void *user)
{
    struct ends *e = user;
    uint64_t since = sl_clock_ns();
    uint32_t guest = 0, host = 0;
    while (sl_atomic_load_acquire(&e->over) == 0) { /* pairs with the store in expect_all */
        (void)sl_futex_wait(&e->over, 0, false, (int64_t)(100 * SL_NS_PER_MS));
        uint32_t guest_now = sl_atomic_load_seq(&e->shared->guest_steps);
        uint32_t host_now = sl_atomic_load_seq(&e->shared->host_steps);
        if (guest_now != guest || host_now != host) {
            since = sl_clock_ns();
            guest = guest_now;
            host = host_now;
        } else if (sl_clock_ns() - since > STILL_S * SL_NS_PER_S) {
            end_both(e);
            break;
        }
    }
    return NULL;
}

/* --- cases --- */

static void ends_init(struct ends *e)
{
    e->run_ns = slt_seconds(1) * SL_NS_PER_S;
    SLT_TIMEOUT(slt_seconds(1) + 4 * STILL_S);
    e->shared =
        mmap(NULL, sizeof *e->shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    SLT_ASSERT_TRUE(e->shared != MAP_FAILED);
    e->page = page_at(e, 0);
}

static void ends_finish(struct ends *e)
{
    munmap(e->shared, sizeof *e->shared);
}

SLT_FIXTURE(asg_stress, struct ends, ends_init, ends_finish);

static void open_reader(struct ends *e)
{
    const struct asg_reader_config config = {.memory = e->shared->ring,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .flush_interval = ASG_STEP_BYTES,
                                             .stop = &e->stop,
                                             .reply_timeout_ns = NEVER_NS,
                                             .sleep_ns = NEVER_NS,
                                             .no_spin = e->host_asleep};
    SLT_ASSERT_OK(asg_reader_init(&e->reader, &config));
}

static enum guest_result guest_process_end(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? (enum guest_result)WEXITSTATUS(status) : GUEST_NO_RING;
}

/* child 0: the guest is this thread. */
static void expect_all(struct ends *e, pid_t child)
{
    static const char *const results[] = {"", "it has no ring", "a reply was wrong or did not come",
                                          "not everything was taken"};
    pthread_t host, watch;
    SLT_ASSERT_OK(sl_thread_start(&watch, "watch", 0, watch_main, e));
    SLT_ASSERT_OK(sl_thread_start(&host, "host", 0, host_main, e));
    enum guest_result guest = child != 0 ? guest_process_end(child) : guest_run(e);
    if (guest != GUEST_DONE) { /* the host waits for what will not come */
        sl_atomic_store_seq(&e->stop, 1);
        asg_reader_wake(&e->reader);
    }
    pthread_join(host, NULL);
    sl_atomic_store_release(&e->over, 1); /* pairs with the watchdog's look */
    sl_futex_wake(&e->over, 1, false);
    pthread_join(watch, NULL);
    SLT_EXPECT_STREQ("", e->still);
    SLT_EXPECT_STREQ("", e->trouble);
    SLT_EXPECT_STREQ("", results[guest]);
    SLT_EXPECT_GT(e->shared->host_steps, 100u);
}

struct way {
    const char *label;
    bool futex;
    bool guest_asleep, host_asleep;
};
static const struct way ways[] = {
    {"by_futex", true, false, false},
    {"by_futex_guest_asleep", true, true, false},
    {"by_futex_host_asleep", true, false, true},
    {"by_futex_both_asleep", true, true, true},
    {"by_ping_host_asleep", false, false, true},
};

static void ends_open(struct ends *e, const struct way *way)
{
    e->shared_futex = way->futex;
    e->guest_asleep = way->guest_asleep;
    e->host_asleep = way->host_asleep;
    open_reader(e);
}

SLT_TEST_FP(asg_stress, two_processes, e, struct way, ways, c)
{
    ends_open(e, c);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit((int)guest_run(e));
    }
    SLT_ASSERT_GT(child, 0);
    expect_all(e, child);
}

SLT_TEST_FP(asg_stress, two_threads, e, struct way, ways, c)
{
    ends_open(e, c);
    expect_all(e, 0);
}
