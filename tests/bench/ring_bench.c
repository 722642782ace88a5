/* The ring between two processes against the least that memory between two processes can do: ns, as
 * one JSON object.
 *
 * messages: 32 bytes each, published by 128, copied out by the other side; through asg, and through
 * two counters and a buffer in this file. round trip: one such message and an answer of 4 bytes;
 * through asg, and by two words that both sides spin on. Both ways take turns, each round in a new
 * process, both sides wait as asg does (spin, then yield). All of it twice: quiet, and with a
 * spinning process for every core beside it. */
#include "asg/reader.h"
#include "asg/writer.h"
#include "transport/base/clock.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS     9
#define MESSAGE    32u
#define BATCH      128u
#define MESSAGES   (1u << 22)
#define CALLS      20000u
#define RAW_BUFFER (1u << 18)

struct raw {
    uint32_t write_pos;
    uint8_t pad0[60];
    uint32_t read_pos;
    uint8_t pad1[60];
    uint8_t buffer[RAW_BUFFER];
};

struct shared {
    uint8_t ring[ASG_BLOB_BYTES];
    struct raw raw;
    uint32_t stop;
};

static struct shared *memory_new(void)
{
    void *p = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                   -1, 0);
    if (p == MAP_FAILED) {
        perror("ring_bench: memory");
        exit(1);
    }
    memset(p, 0, sizeof(struct shared)); /* its pages are no part of the figures */
    return p;
}

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "ring_bench: %s\n", what);
        exit(1);
    }
}

/* Runs the other side in a process of its own; it ends by itself. */
static pid_t other_side(void (*run)(struct shared *s), struct shared *s)
{
    pid_t pid = fork();
    need(pid >= 0, "no process for the other side");
    if (pid == 0) {
        run(s);
        _exit(0);
    }
    return pid;
}

static void joined(pid_t pid)
{
    int status = 1;
    need(waitpid(pid, &status, 0) == pid && status == 0, "the other side failed");
}

/* --- two counters --- */

static uint32_t wait_raw(const uint32_t *word, uint32_t old)
{
    struct asg_spin spin = {0};
    uint32_t now;
    asg_spin_begin(&spin);
    while ((now = sl_atomic_load_acquire(word)) == old) { /* pairs with the other side's release */
        if (!asg_spin_turn(&spin)) {                      /* where asg would sleep */
            sched_yield();
        }
    }
    return now;
}

static void raw_take(struct shared *s)
{
    static uint8_t to[RAW_BUFFER];
    for (uint32_t read = 0; read != MESSAGES * MESSAGE;) {
        uint32_t ready = wait_raw(&s->raw.write_pos, read) - read;
        asg_view_copy_out(s->raw.buffer, RAW_BUFFER, read, to, ready);
        read += ready;
        sl_atomic_store_release(&s->raw.read_pos, read); /* pairs with the producer's look */
    }
}

static double raw_messages(struct shared *s)
{
    uint8_t message[MESSAGE] = {1};
    pid_t pid = other_side(raw_take, s);
    uint32_t write = 0, read = 0;
    uint64_t begin = sl_clock_ns();
    for (uint32_t i = 0; i < MESSAGES; i += BATCH) {
        while (write - read > RAW_BUFFER - BATCH * MESSAGE) {
            read = wait_raw(&s->raw.read_pos, read);
        }
        for (uint32_t k = 0; k < BATCH; k++) {
            memcpy(s->raw.buffer + (write & (RAW_BUFFER - 1)), message, MESSAGE);
            write += MESSAGE;
        }
        sl_atomic_store_release(&s->raw.write_pos, write); /* pairs with raw_take */
    }
    while (read != write) {
        read = wait_raw(&s->raw.read_pos, read);
    }
    uint64_t took = sl_clock_ns() - begin;
    joined(pid);
    return (double)took / MESSAGES;
}

static void raw_answer(struct shared *s)
{
    for (uint32_t i = 1; i <= CALLS; i++) {
        (void)wait_raw(&s->raw.write_pos, i - 1);
        sl_atomic_store_release(&s->raw.read_pos, i);
    }
}

static double raw_calls(struct shared *s)
{
    pid_t pid = other_side(raw_answer, s);
    uint64_t begin = sl_clock_ns();
    for (uint32_t i = 1; i <= CALLS; i++) {
        sl_atomic_store_release(&s->raw.write_pos, i);
        (void)wait_raw(&s->raw.read_pos, i - 1);
    }
    uint64_t took = sl_clock_ns() - begin;
    joined(pid);
    return (double)took / CALLS;
}

/* --- asg --- */

static void reader_make(struct asg_reader *r, struct shared *s)
{
    const struct asg_reader_config config = {.memory = s->ring,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .flush_interval = ASG_STEP_BYTES,
                                             .stop = &s->stop};
    need(asg_reader_init(r, &config) == SL_OK, "asg_reader_init");
}

static void writer_make(struct asg_writer *w, struct shared *s)
{
    const struct asg_writer_config config = {.memory = s->ring,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .shared_futex = true,
                                             .reply_futex = true};
    need(asg_writer_init(w, &config) == SL_OK, "asg_writer_init");
}

/* Takes until `total` bytes came; with answers, one for each message. */
static void asg_take(struct asg_reader *r, uint64_t total, bool answers)
{
    static uint8_t to[65536];
    static const uint8_t answer[4];
    while (total != 0) {
        size_t got = 0;
        enum sl_result result = asg_reader_take(r, to, sizeof to, &got);
        if (result == SL_ERR_AGAIN) {
            result = asg_reader_wait(r);
        }
        need(result == SL_OK, "the reader's end");
        total -= got;
        if (answers && got != 0) {
            need(asg_reader_reply(r, answer, sizeof answer) == SL_OK, "the answer");
        }
    }
}

static struct asg_reader reader; /* made before the fork: the guest's end needs its words */

static void asg_take_messages(struct shared *s)
{
    (void)s;
    asg_take(&reader, (uint64_t)MESSAGES * MESSAGE, false);
}

static void asg_answer(struct shared *s)
{
    (void)s;
    asg_take(&reader, (uint64_t)CALLS * MESSAGE, true);
}

static void asg_put(struct asg_writer *w)
{
    static const uint8_t message[MESSAGE] = {1};
    uint8_t *p = sl_pack_begin(&w->pack, MESSAGE);
    memcpy(p, message, MESSAGE);
    sl_pack_end(&w->pack, p + MESSAGE, MESSAGE);
}

static double asg_messages(struct shared *s)
{
    struct asg_writer w;
    reader_make(&reader, s);
    writer_make(&w, s);
    pid_t pid = other_side(asg_take_messages, s);
    uint64_t begin = sl_clock_ns();
    for (uint32_t i = 0; i < MESSAGES; i++) {
        asg_put(&w);
        if (i % BATCH == BATCH - 1) {
            asg_writer_flush(&w);
        }
    }
    need(asg_writer_drain(&w, -1) == SL_OK, "draining");
    uint64_t took = sl_clock_ns() - begin;
    joined(pid);
    asg_writer_finish(&w);
    return (double)took / MESSAGES;
}

static double asg_calls(struct shared *s)
{
    struct asg_writer w;
    uint32_t answer;
    reader_make(&reader, s);
    writer_make(&w, s);
    pid_t pid = other_side(asg_answer, s);
    uint64_t begin = sl_clock_ns();
    for (uint32_t i = 0; i < CALLS; i++) {
        asg_put(&w);
        need(asg_writer_read(&w, &answer, sizeof answer) == SL_OK, "reading an answer");
    }
    uint64_t took = sl_clock_ns() - begin;
    joined(pid);
    asg_writer_finish(&w);
    return (double)took / CALLS;
}

/* --- rounds --- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void rounds(const char *name, double (*raw)(struct shared *s),
                   double (*ours)(struct shared *s), const char *end)
{
    double limit[ROUNDS], asg[ROUNDS], ratio[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        struct shared *a = memory_new(), *b = memory_new();
        limit[i] = raw(a);
        asg[i] = ours(b);
        ratio[i] = asg[i] / limit[i];
        munmap(a, sizeof *a);
        munmap(b, sizeof *b);
    }
    qsort(limit, ROUNDS, sizeof limit[0], by_value);
    qsort(asg, ROUNDS, sizeof asg[0], by_value);
    qsort(ratio, ROUNDS, sizeof ratio[0], by_value);
    printf("  \"%s\": {\"native_ns\": %.2f, \"sluice_ns\": %.2f, \"ratio\": %.3f, \"min\": %.3f, "
           "\"max\": %.3f}%s\n",
           name, limit[ROUNDS / 2], asg[ROUNDS / 2], ratio[ROUNDS / 2], ratio[0], ratio[ROUNDS - 1],
           end);
}

static void both(const char *name, const char *end)
{
    printf("  \"%s\": {\n", name);
    fflush(stdout); /* before the next fork */
    rounds("messages", raw_messages, asg_messages, ",");
    fflush(stdout);
    rounds("round_trip", raw_calls, asg_calls, "");
    printf("  }%s\n", end);
    fflush(stdout);
}

#define SPINNERS_MAX 256

/* A process for every core that does nothing but run, until it is ended. */
static long spinners_start(pid_t pids[SPINNERS_MAX])
{
    pid_t parent = getpid();
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    count = count < SPINNERS_MAX ? count : SPINNERS_MAX;
    for (long i = 0; i < count; i++) {
        pids[i] = fork();
        need(pids[i] >= 0, "no process to spin");
        while (pids[i] == 0) {
            if (getppid() != parent) {
                _exit(0);
            }
        }
    }
    return count;
}

int main(void)
{
    pid_t pids[SPINNERS_MAX];
    printf("{\n  \"bench\": \"ring\", \"schema\": 1,\n");
    both("quiet", ",");
    long count = spinners_start(pids);
    both("loaded", "");
    for (long i = 0; i < count; i++) {
        kill(pids[i], SIGKILL);
        (void)waitpid(pids[i], NULL, 0);
    }
    printf("}\n");
    return 0;
}
