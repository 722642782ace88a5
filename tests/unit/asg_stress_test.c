/* Both ends of a ring at full speed and with random pauses, as two processes and as two threads
 * (which TSan sees): every byte arrives in order, every reply too, and no wake-up is lost: a lost
 * one is half a second of silence, of which a correct run has none.
 *
 * SLUICE_STRESS_SECONDS sets how long each case runs. */
#include "asg/reader.h"
#include "asg/writer.h"
#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE_MAX = 600000, REPLY_MAX = 300000, SILENCE_MS = 400 };

struct message {
    uint32_t number;
    uint32_t size;  /* bytes that follow */
    uint32_t reply; /* bytes of the reply; 0: none */
    uint32_t last;
};

struct ends {
    uint8_t *memory;
    uint64_t run_ns;
    bool shared_futex;
    uint32_t stop;
    struct asg_reader reader;
    uint64_t messages; /* of the host */
    char trouble[128]; /* of the host; empty: none */
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Mostly small, sometimes larger than a step. */
static uint32_t random_size(uint64_t *state, uint32_t longest)
{
    uint64_t r = next_random(state);
    return r % 64 == 0 ? (uint32_t)(r >> 32) % longest : (uint32_t)(r >> 32) % 300;
}

static void random_pause(uint64_t *state)
{
    static const uint32_t pauses_us[] = {10, 50, 300, 1000, 3000};
    uint64_t r = next_random(state);
    if (r % 512 == 0) {
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

/* --- the guest's end; 0 or the step that failed --- */

static void on_ping(void *user)
{
    asg_reader_wake(&((struct ends *)user)->reader);
}

static int guest_messages(struct asg_writer *w, struct ends *e, uint8_t *data)
{
    uint64_t state = 0x9e3779b97f4a7c15ull, end = sl_clock_ns() + e->run_ns;
    struct message m = {0};
    while (!m.last) {
        m.size = random_size(&state, MESSAGE_MAX);
        m.reply = next_random(&state) % 8 == 0 ? random_size(&state, REPLY_MAX) : 0;
        m.last = sl_clock_ns() >= end;
        fill(data, m.size, m.number);
        asg_writer_raw(w, &m, sizeof m);
        asg_writer_raw(w, data, m.size);
        if (m.reply != 0) {
            uint64_t begin = sl_clock_ns();
            if (asg_writer_read(w, data, m.reply) != SL_OK || !filled(data, m.reply, ~m.number)) {
                return 3;
            }
            if (sl_clock_ns() - begin > SILENCE_MS * SL_NS_PER_MS) {
                return 4;
            }
        } else if (next_random(&state) % 4 == 0) {
            asg_writer_flush(w);
        }
        random_pause(&state);
        m.number++;
    }
    return asg_writer_drain(w, 5ll * (int64_t)SL_NS_PER_S) == SL_OK ? 0 : 5;
}

static int guest_run(struct ends *e)
{
    const struct asg_writer_config config = {.memory = e->memory,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .shared_futex = e->shared_futex,
                                             .reply_futex = e->shared_futex,
                                             .user = e,
                                             .ping = on_ping};
    struct asg_writer w;
    uint8_t *data = malloc(MESSAGE_MAX);
    int result =
        data == NULL || asg_writer_init(&w, &config) != SL_OK ? 2 : guest_messages(&w, e, data);
    asg_writer_finish(&w);
    free(data);
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
            if (m.number != number || m.size > MESSAGE_MAX || m.reply > REPLY_MAX) {
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
        if (m.reply != 0) {
            fill(reply, m.reply, ~number);
            result = asg_reader_reply(&e->reader, reply, m.reply);
        }
        random_pause(&state);
        e->messages++;
    }
}

static void *host_main(void *user)
{
    struct ends *e = user;
    struct stream s = {.data = malloc(MESSAGE_MAX + sizeof(struct message))};
    uint8_t *reply = malloc(REPLY_MAX);
    if (s.data != NULL && reply != NULL) {
        host_messages(e, &s, reply);
    }
    free(s.data);
    free(reply);
    return NULL;
}

static void ends_init(struct ends *e)
{
    const char *seconds = getenv("SLUICE_STRESS_SECONDS");
    e->run_ns = (seconds != NULL ? strtoull(seconds, NULL, 10) : 1) * SL_NS_PER_S;
    e->memory =
        mmap(NULL, ASG_BLOB_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    SLT_ASSERT_TRUE(e->memory != MAP_FAILED);
    const struct asg_reader_config config = {.memory = e->memory,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .flush_interval = ASG_STEP_BYTES,
                                             .stop = &e->stop};
    SLT_ASSERT_OK(asg_reader_init(&e->reader, &config));
}

static void ends_finish(struct ends *e)
{
    munmap(e->memory, ASG_BLOB_BYTES);
}

SLT_FIXTURE(asg_stress, struct ends, ends_init, ends_finish);

static void expect_all(struct ends *e, pthread_t host, int guest)
{
    if (guest != 0) { /* the host waits for what will not come */
        sl_atomic_store_seq(&e->stop, 1);
        asg_reader_wake(&e->reader);
    }
    pthread_join(host, NULL);
    SLT_EXPECT_STREQ("", e->trouble);
    SLT_EXPECT_EQ(0, guest); /* 3: a reply was wrong, 4: half a second of silence, 5: not drained */
    SLT_EXPECT_GT(e->messages, 100u);
}

SLT_TEST_F(asg_stress, two_processes, e)
{
    SLT_TIMEOUT(3600);
    e->shared_futex = true;
    pid_t child = fork();
    if (child == 0) {
        _exit(guest_run(e));
    }
    SLT_ASSERT_GT(child, 0);
    pthread_t host;
    SLT_ASSERT_OK(sl_thread_start(&host, "host", 0, host_main, e));
    int status = 0;
    waitpid(child, &status, 0);
    expect_all(e, host, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

struct waker {
    const char *label;
    bool futex;
};
static const struct waker wakers[] = {{"by_futex", true}, {"by_ping", false}};

SLT_TEST_FP(asg_stress, two_threads, e, struct waker, wakers, c)
{
    SLT_TIMEOUT(3600);
    e->shared_futex = c->futex;
    pthread_t host;
    SLT_ASSERT_OK(sl_thread_start(&host, "host", 0, host_main, e));
    int guest = guest_run(e);
    expect_all(e, host, guest);
}
