/* The ring between two processes against the least that memory between two processes can do: ns, as
 * one JSON object.
 *
 * each, by_16, by_128: messages of 32 bytes, published so many at a time and copied out by the
 * other side; through asg, and through two counters and a buffer in this file. A round's figure is
 * the median of its SEGMENTS, each drained at its end. call: one such message and an answer of 4
 * bytes, both sides awake; through asg, and by two words that both sides look at. idle_call: the
 * same after 1 ms of nothing; through asg, and by two futexes. A call's figures hold two looks at
 * the clock.
 *
 * Both ways take turns, each round in a new process, both sides wait as asg does: streams spin,
 * then yield; calls spin, then sleep, at once for a side on the same processor, and the side that
 * answers leaves it. by_128_pairs: the same as by_128 with the side that writes kept on one
 * processor and the side that reads on another, the same two for both ways, pair after pair. All of
 * it twice: quiet, and with a spinning process for every core beside it.
 */
#include "asg/reader.h"
#include "asg/writer.h"
#include "tests/bench/bench.h"
#include "transport/base/clock.h"
#include "transport/base/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS     9
#define PLACED     5 /* rounds on each pair of processors */
#define MESSAGE    32u
#define SEGMENT    65536u /* messages */
#define SEGMENTS   16u
#define CALLS      20000u
#define IDLE_CALLS 100u
#define RAW_BUFFER (1u << 18)
#define NEAR       8u /* questions from one processor before the side that answers leaves it */

/* One round of one way. */
struct taken {
    uint32_t batch;   /* of messages */
    uint32_t calls;   /* of calls */
    bool idle;        /* 1 ms before each call */
    size_t count;     /* of ns */
    double ns[CALLS]; /* a segment's per message, or a call's */
};

static struct taken taken; /* by the round that runs */

static void take(double ns)
{
    taken.ns[taken.count++] = ns;
}

/* The processors of the two sides; -1: where the scheduler puts them. */
struct places {
    int writer, reader;
};

static struct places places = {-1, -1}; /* of the round that runs */

/* What one side writes. */
struct side {
    uint32_t pos;
    uint32_t cpu;    /* asg_cpu() */
    uint32_t asleep; /* until the other side's position moves */
    uint8_t pad[52];
};

struct raw {
    struct side writer, reader;
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

static void stay_on(int cpu)
{
    need(cpu < 0 || bench_stay_on(cpu), "no such processor");
}

/* Runs the other side in a process of its own; it ends by itself. */
static pid_t other_side(void (*run)(struct shared *s), struct shared *s)
{
    pid_t pid = fork();
    need(pid >= 0, "no process for the other side");
    if (pid == 0) {
        stay_on(places.reader);
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
    for (uint32_t read = 0; read != SEGMENTS * SEGMENT * MESSAGE;) {
        uint32_t ready = wait_raw(&s->raw.writer.pos, read) - read;
        asg_view_copy_out(s->raw.buffer, RAW_BUFFER, read, to, ready);
        read += ready;
        sl_atomic_store_release(&s->raw.reader.pos, read); /* pairs with the producer's look */
    }
}

/* One segment from position `write` on; gives the position behind it. */
static uint32_t raw_segment(struct raw *raw, uint32_t write)
{
    static const uint8_t message[MESSAGE] = {1};
    uint32_t read = write, bytes = taken.batch * MESSAGE;
    for (uint32_t i = 0; i < SEGMENT; i += taken.batch) {
        while (write - read > RAW_BUFFER - bytes) {
            read = wait_raw(&raw->reader.pos, read);
        }
        for (uint32_t k = 0; k < taken.batch; k++) {
            memcpy(raw->buffer + (write & (RAW_BUFFER - 1)), message, MESSAGE);
            write += MESSAGE;
        }
        sl_atomic_store_release(&raw->writer.pos, write); /* pairs with raw_take */
    }
    while (read != write) {
        read = wait_raw(&raw->reader.pos, read);
    }
    return write;
}

static void raw_messages(struct shared *s)
{
    pid_t pid = other_side(raw_take, s);
    uint32_t write = 0;
    for (uint32_t i = 0; i < SEGMENTS; i++) {
        uint64_t begin = sl_clock_ns();
        write = raw_segment(&s->raw, write);
        take((double)(sl_clock_ns() - begin) / SEGMENT);
    }
    joined(pid);
}

/* One side of calls. After idling its wait is the least one by futex: no look but the one before
 * the sleep. */
struct caller {
    struct side *own;
    struct side *peer;
    struct asg_spin spin;
    uint32_t said, near;
};

static struct caller caller_of(struct side *own, struct side *peer)
{
    return (struct caller){.own = own,
                           .peer = peer,
                           .spin = {.none = taken.idle, .keen = true, .peer_cpu = &peer->cpu}};
}

static void wait_peer(struct caller *c, uint32_t old)
{
    asg_spin_begin(&c->spin);
    while (asg_ring_see(&c->peer->pos) == old) {
        if (!asg_spin_turn(&c->spin)) {
            asg_ring_announce(&c->own->asleep, 1);
            if (asg_ring_see_again(&c->peer->pos) == old) {
                (void)sl_futex_wait(&c->peer->pos, old, true, -1);
            }
            asg_ring_tell(&c->own->asleep, 0);
        }
    }
    asg_spin_end(&c->spin);
}

static void tell_peer(struct caller *c, uint32_t value)
{
    asg_ring_tell_cpu(&c->own->cpu, &c->said);
    asg_ring_publish_loud(&c->own->pos, value);
    if (asg_ring_hint_loud(&c->peer->asleep) != 0) {
        asg_ring_wake(&c->own->pos);
    }
}

static void raw_answer(struct shared *s)
{
    struct caller c = caller_of(&s->raw.reader, &s->raw.writer);
    for (uint32_t i = 1; i <= taken.calls; i++) {
        c.near = !taken.idle && asg_spin_is_near(&c.spin) ? c.near + 1 : 0;
        if (c.near == NEAR) {
            sl_thread_leave_cpu(asg_cpu() - 1);
        }
        wait_peer(&c, i - 1);
        tell_peer(&c, i);
    }
}

static void idle(void)
{
    if (taken.idle) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
}

static void raw_calls(struct shared *s)
{
    struct caller c = caller_of(&s->raw.writer, &s->raw.reader);
    pid_t pid = other_side(raw_answer, s);
    for (uint32_t i = 1; i <= taken.calls; i++) {
        idle();
        uint64_t begin = sl_clock_ns();
        tell_peer(&c, i);
        wait_peer(&c, i - 1);
        take((double)(sl_clock_ns() - begin));
    }
    joined(pid);
}

/* --- asg --- */

static void reader_make(struct asg_reader *r, struct shared *s)
{
    const struct asg_reader_config config = {.memory = s->ring,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .flush_interval = ASG_STEP_BYTES,
                                             .stop = &s->stop,
                                             .moves = true};
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
    asg_take(&reader, (uint64_t)SEGMENTS * SEGMENT * MESSAGE, false);
}

static void asg_answer(struct shared *s)
{
    (void)s;
    asg_take(&reader, (uint64_t)taken.calls * MESSAGE, true);
}

static void asg_put(struct asg_writer *w)
{
    static const uint8_t message[MESSAGE] = {1};
    uint8_t *p = sl_pack_begin(&w->pack, MESSAGE);
    memcpy(p, message, MESSAGE);
    sl_pack_end(&w->pack, p + MESSAGE, MESSAGE);
}

static void asg_messages(struct shared *s)
{
    struct asg_writer w;
    reader_make(&reader, s);
    writer_make(&w, s);
    pid_t pid = other_side(asg_take_messages, s);
    for (uint32_t i = 0; i < SEGMENTS; i++) {
        uint64_t begin = sl_clock_ns();
        for (uint32_t k = 0; k < SEGMENT; k += taken.batch) {
            for (uint32_t m = 0; m < taken.batch; m++) {
                asg_put(&w);
            }
            asg_writer_flush(&w);
        }
        need(asg_writer_drain(&w, -1) == SL_OK, "draining");
        take((double)(sl_clock_ns() - begin) / SEGMENT);
    }
    joined(pid);
    asg_writer_finish(&w);
}

static void asg_calls(struct shared *s)
{
    struct asg_writer w;
    uint32_t answer;
    reader_make(&reader, s);
    writer_make(&w, s);
    pid_t pid = other_side(asg_answer, s);
    for (uint32_t i = 0; i < taken.calls; i++) {
        idle();
        uint64_t begin = sl_clock_ns();
        asg_put(&w);
        need(asg_writer_read(&w, &answer, sizeof answer) == SL_OK, "reading an answer");
        take((double)(sl_clock_ns() - begin));
    }
    joined(pid);
    asg_writer_finish(&w);
}

/* --- rounds --- */

#define PARTS 2

static const struct kind {
    void (*raw)(struct shared *s);
    void (*asg)(struct shared *s);
    uint32_t batch, calls;
    bool idle;
    struct {
        const char *name; /* NULL: no more */
        double part;
    } figures[PARTS];
} kinds[] = {
    {raw_messages, asg_messages, 1, 0, false, {{"each", 0.5}}},
    {raw_messages, asg_messages, 16, 0, false, {{"by_16", 0.5}}},
    {raw_messages, asg_messages, 128, 0, false, {{"by_128", 0.5}}},
    {raw_calls, asg_calls, 0, CALLS, false, {{"call_p50", 0.5}, {"call_p99", 0.99}}},
    {raw_calls, asg_calls, 0, IDLE_CALLS, true, {{"idle_call_p50", 0.5}}},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static const struct kind placed_kind = {raw_messages, asg_messages,     128, 0,
                                        false,        {{"by_128", 0.5}}};

/* A figure of one kind: of so many rounds, or of so many pairs' figures. */
struct figures {
    size_t count;
    double raw[ROUNDS], asg[ROUNDS], ratio[ROUNDS];
};
_Static_assert(PLACED <= ROUNDS && BENCH_PAIRS <= ROUNDS, "either fits");

static void figures_add(struct figures *f, double raw, double asg, double ratio)
{
    f->raw[f->count] = raw;
    f->asg[f->count] = asg;
    f->ratio[f->count++] = ratio;
}

/* The members of a JSON object, without its end. */
static void figures_print(struct figures *f, const char *name)
{
    printf("\"%s\": {\"native_ns\": %.2f, \"sluice_ns\": %.2f, \"ratio\": %.3f, "
           "\"min\": %.3f, \"max\": %.3f",
           name, bench_median(f->raw, f->count), bench_median(f->asg, f->count),
           bench_median(f->ratio, f->count), bench_quantile(f->ratio, f->count, 0),
           bench_quantile(f->ratio, f->count, 1));
}

/* One way's round; its figures. */
static void measure(const struct kind *kind, void (*way)(struct shared *s), double out[PARTS])
{
    struct shared *s = memory_new();
    taken.batch = kind->batch;
    taken.calls = kind->calls;
    taken.idle = kind->idle;
    taken.count = 0;
    way(s);
    munmap(s, sizeof *s);
    for (int i = 0; i < PARTS && kind->figures[i].name != NULL; i++) {
        out[i] = bench_quantile(taken.ns, taken.count, kind->figures[i].part);
    }
}

static void rounds(const struct kind *kind, int count, struct figures out[PARTS])
{
    memset(out, 0, PARTS * sizeof *out);
    for (int round = 0; round < count; round++) {
        double raw[PARTS] = {0}, ours[PARTS] = {0};
        measure(kind, kind->raw, raw);
        measure(kind, kind->asg, ours);
        for (int i = 0; i < PARTS && kind->figures[i].name != NULL; i++) {
            figures_add(&out[i], raw[i], ours[i], ours[i] / raw[i]);
        }
    }
}

static void everywhere(const struct kind *kind)
{
    struct figures figures[PARTS];
    rounds(kind, ROUNDS, figures);
    for (int i = 0; i < PARTS && kind->figures[i].name != NULL; i++) {
        printf("  ");
        figures_print(&figures[i], kind->figures[i].name);
        printf("},\n");
    }
    fflush(stdout); /* before the next fork */
}

/* Where there are two processors. */
static void on_pairs(void)
{
    cpu_set_t allowed;
    struct bench_pair pairs[BENCH_PAIRS];
    struct figures all = {0}, each[BENCH_PAIRS][PARTS];
    need(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "no affinity");
    int count = bench_pairs(&allowed, pairs);
    for (int i = 0; i < count; i++) {
        places = (struct places){pairs[i].a, pairs[i].b};
        stay_on(places.writer);
        rounds(&placed_kind, PLACED, each[i]);
        figures_add(&all, bench_median(each[i]->raw, PLACED), bench_median(each[i]->asg, PLACED),
                    bench_median(each[i]->ratio, PLACED));
    }
    places = (struct places){-1, -1};
    need(sched_setaffinity(0, sizeof allowed, &allowed) == 0, "the processors allowed before");
    if (count == 0) {
        return;
    }
    printf("  ");
    figures_print(&all, "by_128_pairs");
    printf(", \"pairs\": {");
    for (int i = 0; i < count; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d,%d", pairs[i].a, pairs[i].b);
        printf("%s\n    ", i == 0 ? "" : ",");
        figures_print(each[i], name);
        printf("}");
    }
    printf("}},\n");
    fflush(stdout);
}

static void all(const char *name, const char *end)
{
    printf("  \"%s\": {\n", name);
    fflush(stdout);
    for (size_t i = 0; i < KINDS; i++) {
        everywhere(&kinds[i]);
    }
    on_pairs();
    printf("  \"message_bytes\": %u\n  }%s\n", MESSAGE, end);
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
    printf("{\n  \"bench\": \"ring\", \"schema\": 3,\n");
    all("quiet", ",");
    long count = spinners_start(pids);
    all("loaded", "");
    for (long i = 0; i < count; i++) {
        kill(pids[i], SIGKILL);
        (void)waitpid(pids[i], NULL, 0);
    }
    printf("}\n");
    return 0;
}
