/* What the machine leaves to any design where the driver runs in another process: bytes that one
 * processor copies to shared memory and another one out of it, against one copy by the first (the
 * writer goes through its caches or around them, what is quicker then is the limit); how long who
 * sleeps takes to run after he was woken, against the same on one processor; and how long a word
 * takes to another processor and back, against the pair that lies nearest. Nothing of Sluice is
 * measured. Two processes, on pairs of processors.
 *
 *   limit_bench
 *
 * Prints one JSON object: by figure native_ns (one processor; of words, the nearest pair),
 * sluice_ns (two), the medians over the pairs, and their ratio (of copies the other way round, so
 * that more is better) with the least and the greatest. Empty where there is one processor. Exit 1:
 * something failed. */
#include "tests/bench/bench.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/copy.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define MIB      1048576u
#define WINDOW   3407872u /* bytes that are written again and again: guest/stream/gs_stage.c */
#define PART     65536u   /* handed over at once */
#define MOVED    (48 * MIB)
#define ROUNDS   9
#define WAKES    20
#define ASLEEP   (300 * SL_NS_PER_US)
#define GIVE_UP  (5 * SL_NS_PER_S)
#define LINE     128u
#define COPIES   3
#define WAKE     COPIES
#define WORD     (COPIES + 1)
#define MEASURES (COPIES + 2)
#define MOST     (4 * MIB) /* of what is copied */
#define TURNS    300u      /* of words, timed together */
#define TAKES    12        /* of turns: the quickest one, as others had to wait for the processor */

enum way { THROUGH, AROUND };

static const struct {
    const char *name;
    uint32_t size; /* 0: it is no copy */
} measures[MEASURES] = {
    {"copy_16k", 16384}, {"copy_1m", MIB}, {"copy_4m", MOST}, {"wake", 0}, {"word", 0}};

/* What both processes see; each word is one side's alone. */
struct shared {
    _Alignas(LINE) uint32_t filled;
    _Alignas(LINE) uint32_t taken;
    uint32_t ready;               /* the other process is, and its memory is its own */
    _Alignas(LINE) uint32_t rung; /* a futex */
    uint64_t rung_ns;
    _Alignas(LINE) uint32_t woken;
    uint64_t late_ns;
    _Alignas(4096) uint8_t window[WINDOW];
};

static uint8_t *from, *to; /* MOST bytes each */

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "limit_bench: %s\n", what);
        exit(1);
    }
}

/* Until the word is no longer `old`; pairs with the other side's release. */
static uint32_t other_than(const uint32_t *word, uint32_t old)
{
    uint32_t now;
    uint64_t end = 0;
    for (uint32_t turn = 1; (now = sl_atomic_load_acquire(word)) == old; turn++) {
        sl_cpu_relax();
        if (turn % 65536 == 0) {
            end = end == 0 ? sl_clock_ns() + GIVE_UP : end;
            need(sl_clock_ns() < end, "the other side is gone");
        }
    }
    return now;
}

static uint32_t part_of(uint32_t size)
{
    return size < PART ? size : PART;
}

/* The other process: takes all parts. */
static void take_parts(struct shared *s, uint32_t size)
{
    uint32_t part = part_of(size), count = MOVED / part, filled = 0;
    memset(to, s->window[0], MOST);
    for (uint32_t i = 0; i < WINDOW; i += 4096) {
        to[0] ^= s->window[i]; /* mapped before anything is timed */
    }
    sl_atomic_store_release(&s->ready, 1); /* pairs with hand_over */
    for (uint32_t i = 0; i < count; i++) {
        filled = filled == i ? other_than(&s->filled, i) : filled;
        sl_copy_shared(to + (size_t)i * part % size, s->window + (size_t)i * part % WINDOW, part);
        sl_atomic_store_release(&s->taken, i + 1);
    }
}

/* `size`: of whole lines. */
static void put(uint8_t *window, const uint8_t *data, uint32_t size, enum way way)
{
#if defined(__SSE2__)
    for (uint32_t i = 0; way == AROUND && i < size; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(data + i));
        _mm_stream_si128((__m128i *)(void *)(window + i), v);
    }
    _mm_sfence();
    if (way == AROUND) {
        return;
    }
#else
    (void)way; /* there are no stores around the caches to choose */
#endif
    sl_copy_shared(window, data, size);
}

/* ns of `size` bytes that go through the window. */
static double hand_over(struct shared *s, uint32_t size, enum way way)
{
    uint32_t part = part_of(size), count = MOVED / part, taken = 0;
    (void)other_than(&s->ready, 0);
    uint64_t begin = sl_clock_ns();
    for (uint32_t i = 0; i < count; i++) {
        taken = i - taken == WINDOW / part ? other_than(&s->taken, taken) : taken;
        put(s->window + (size_t)i * part % WINDOW, from + (size_t)i * part % size, part, way);
        sl_atomic_store_release(&s->filled, i + 1);
    }
    while (taken != count) {
        taken = other_than(&s->taken, taken);
    }
    return (double)(sl_clock_ns() - begin) * size / MOVED;
}

/* The same by one copy. */
static double copy(uint32_t size)
{
    memset(to, 2, MOST); /* a fork has left it to be copied */
    uint64_t begin = sl_clock_ns();
    for (uint32_t moved = 0; moved < MOVED; moved += size) {
        memcpy(to, from, size);
        __asm__ volatile("" : : "r"(to) : "memory");
    }
    return (double)(sl_clock_ns() - begin) * size / MOVED;
}

/* The other process: sleeps, and says how late it was. */
static void be_woken(struct shared *s)
{
    for (uint32_t i = 0; i < WAKES; i++) {
        while (sl_atomic_load_acquire(&s->rung) == i) { /* pairs with wake_up */
            (void)sl_futex_wait(&s->rung, i, true, (int64_t)GIVE_UP);
        }
        s->late_ns = sl_clock_ns() - s->rung_ns;
        sl_atomic_store_release(&s->woken, i + 1); /* pairs with wake_up */
    }
}

/* The median ns from the call that wakes to the sleeper's first step. */
static double wake_up(struct shared *s)
{
    double late[WAKES];
    for (uint32_t i = 0; i < WAKES; i++) {
        sl_clock_sleep_ns(ASLEEP);
        s->rung_ns = sl_clock_ns();
        sl_atomic_store_release(&s->rung, i + 1); /* pairs with be_woken */
        sl_futex_wake(&s->rung, 1, true);
        while (sl_atomic_load_acquire(&s->woken) == i) { /* pairs with be_woken */
            sl_clock_sleep_ns(SL_NS_PER_US);             /* it may need this processor */
        }
        late[i] = (double)s->late_ns;
    }
    return bench_median(late, WAKES);
}

/* The other process: says each word again. */
static void say_again(struct shared *s)
{
    for (uint32_t i = 0; i < TURNS * TAKES; i++) {
        sl_atomic_store_release(&s->taken, other_than(&s->filled, i));
    }
}

/* ns of a word there and back. */
static double say(struct shared *s)
{
    double best = 0;
    for (uint32_t take = 0; take < TAKES; take++) {
        uint64_t begin = sl_clock_ns();
        for (uint32_t i = take * TURNS; i < (take + 1) * TURNS; i++) {
            sl_atomic_store_release(&s->filled, i + 1);
            (void)other_than(&s->taken, i);
        }
        double ns = (double)(sl_clock_ns() - begin) / TURNS;
        best = take == 0 || ns < best ? ns : best;
    }
    return best;
}

static void be_other(struct shared *s, int measure)
{
    if (measure < COPIES) {
        take_parts(s, measures[measure].size);
    } else {
        (measure == WAKE ? be_woken : say_again)(s);
    }
}

static double be_one(struct shared *s, int measure, enum way way)
{
    return measure < COPIES ? hand_over(s, measures[measure].size, way)
                            : (measure == WAKE ? wake_up : say)(s);
}

/* One measurement with a process on `cpu` at the other end; we have a processor of our own. */
static double beside(int cpu, int measure, enum way way)
{
    struct shared *s =
        mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need(s != MAP_FAILED, "no memory to share");
    memset(s->window, 0, WINDOW);
    pid_t child = fork();
    need(child >= 0, "no process");
    if (child == 0) {
        need(bench_stay_on(cpu), "no such processor");
        be_other(s, measure);
        _exit(0);
    }
    double ns = be_one(s, measure, way);
    int status = 0;
    need(waitpid(child, &status, 0) == child && status == 0, "the other side failed");
    munmap(s, sizeof *s);
    return ns;
}

struct figures {
    double one[BENCH_PAIRS], two[BENCH_PAIRS], ratio[BENCH_PAIRS];
};

static void on_pair(const struct bench_pair *pair, int measure, struct figures *f, int i)
{
    double one[ROUNDS], two[ROUNDS], ratio[ROUNDS];
    need(bench_stay_on(pair->a), "no such processor");
    for (int round = 0; round < ROUNDS; round++) {
        if (measure < COPIES) {
            one[round] = copy(measures[measure].size);
            double through = beside(pair->b, measure, THROUGH);
            double around = beside(pair->b, measure, AROUND);
            two[round] = through < around ? through : around;
        } else {
            two[round] = beside(pair->b, measure, THROUGH);
            one[round] = measure == WAKE ? beside(pair->a, measure, THROUGH) : two[round];
        }
        ratio[round] = measure < COPIES ? one[round] / two[round] : two[round] / one[round];
    }
    f->one[i] = bench_median(one, ROUNDS);
    f->two[i] = bench_median(two, ROUNDS);
    f->ratio[i] = bench_median(ratio, ROUNDS);
}

/* A word has no processor of its own to be compared with: the nearest pair is. */
static void hold_against_nearest(struct figures *f, int count)
{
    double nearest = f->two[0];
    for (int i = 1; i < count; i++) {
        nearest = f->two[i] < nearest ? f->two[i] : nearest;
    }
    for (int i = 0; i < count; i++) {
        f->one[i] = nearest;
        f->ratio[i] = f->two[i] / nearest;
    }
}

int main(void)
{
    cpu_set_t allowed;
    struct bench_pair pairs[BENCH_PAIRS];
    need(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "no affinity");
    int count = bench_pairs(&allowed, pairs);
    from = malloc(MOST);
    to = malloc(MOST);
    need(from != NULL && to != NULL, "no memory");
    memset(from, 1, MOST);
    memset(to, 2, MOST);
    printf("{");
    for (int measure = 0; count != 0 && measure < MEASURES; measure++) {
        struct figures f;
        for (int i = 0; i < count; i++) {
            on_pair(&pairs[i], measure, &f, i);
        }
        if (measure == WORD) {
            hold_against_nearest(&f, count);
        }
        size_t n = (size_t)count;
        printf("%s\n  \"%s\": {\"native_ns\": %.1f, \"sluice_ns\": %.1f, \"ratio\": %.3f, "
               "\"min\": %.3f, \"max\": %.3f}",
               measure == 0 ? "" : ",", measures[measure].name, bench_median(f.one, n),
               bench_median(f.two, n), bench_median(f.ratio, n), bench_quantile(f.ratio, n, 0),
               bench_quantile(f.ratio, n, 1));
        fflush(stdout); /* before the next fork */
    }
    printf("\n}\n");
    free(from);
    free(to);
    return 0;
}
