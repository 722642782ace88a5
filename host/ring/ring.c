#include "host/ring/ring_priv.h"

#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/thread.h"

#include <stdio.h>
#include <string.h>

enum {
    BUFFER_START = 64 * 1024,
    BUFFER_KEEP = 4 * 1024 * 1024, /* what a buffer grew past this is given back before a sleep */
    STACK = 8 * 1024 * 1024,
};
#define ARENA_MAX (512ull << 20)
#define JOIN_NS   (2 * SL_NS_PER_S)
/* Drivers finish what was drawn when a context is let go. */
#define JOB_NS (5 * SL_NS_PER_S)
/* Of what a guest left in its ring; a live one may go on filling it. */
#define DRAIN_NS  SL_NS_PER_S
#define DRAIN_MAX ((size_t)64 << 20)
/* A ping that was sent while the host slept is there by then, also by way of a virtual machine. */
#define PING_TRAVEL_NS (10 * SL_NS_PER_MS)

static void count_ping(uint64_t *p)
{
    /* As hr_set_u64, but of any thread. */
    __atomic_fetch_add(p, 1, __ATOMIC_RELAXED);
}

static void ring_free_parts(struct hr_ring *r)
{
    sl_arena_finish(&r->arena);
    sl_reply_finish(&r->reply);
    sl_free(r->data);
    sl_free(r->whole);
    sl_free(r);
}

static void ring_unref(struct hr_ring *r)
{
    if (sl_atomic_add(&r->refs, UINT32_MAX) != 1) {
        return;
    }
    void (*gone)(void *) = r->config.gone;
    void *user = r->config.user;
    ring_free_parts(r);
    if (gone != NULL) {
        gone(user);
    }
}

/* Make room behind `end`: move what is left to the front, grow when a packet fills the whole
 * buffer. Grows only by bytes that came. */
static bool make_room(struct hr_ring *r)
{
    if (r->begin == r->end) {
        r->begin = r->end = 0;
        return true;
    }
    if (r->begin != 0) {
        memmove(r->data, r->data + r->begin, r->end - r->begin);
        r->end -= r->begin;
        r->begin = 0;
    }
    if (r->end < r->capacity) {
        return true;
    }
    uint8_t *more = sl_realloc(r->data, r->capacity * 2);
    if (more == NULL) {
        hr_violation(r, "no memory for a packet of more than %zu bytes", r->capacity);
        return false;
    }
    r->data = more;
    r->capacity *= 2;
    return true;
}

/* asg_reader_config.before_sleep: a large packet's buffer goes back. Not sooner: the next packet
 * may be as large, and each page of fresh memory costs more than its copy. */
static void give_back(void *user)
{
    struct hr_ring *r = user;
    if (r->whole_capacity > BUFFER_START) {
        sl_free(r->whole);
        r->whole = NULL;
        r->whole_capacity = 0;
    }
    if (r->begin == r->end && r->capacity > BUFFER_KEEP) {
        uint8_t *small = sl_realloc(r->data, BUFFER_START);
        if (small != NULL) {
            r->data = small;
            r->capacity = BUFFER_START;
        }
    }
}

static bool read_preamble(struct hr_ring *r)
{
    if (!r->preamble_read && r->end - r->begin >= 4) {
        __atomic_store_n(&r->preamble, sl_load_u32(r->data + r->begin), __ATOMIC_RELAXED);
        r->begin += 4;
        r->preamble_read = true;
    }
    return r->preamble_read;
}

static void is_dry(const struct hr_ring *r)
{
    if (r->config.dry != NULL) {
        r->config.dry(r->config.user);
    }
}

/* One turn: take what is there and run it. False: the ring is over or stopped. */
static bool turn(struct hr_ring *r)
{
    size_t got = 0;
    if (!make_room(r)) {
        return false;
    }
    enum sl_result result =
        asg_reader_take(&r->reader, r->data + r->end, r->capacity - r->end, &got);
    if (result == SL_ERR_AGAIN) {
        hr_set_u64(&r->stats.wakeups, r->reader.wakeups);
        hr_set_u64(&r->stats.sleeps, r->reader.sleeps);
        is_dry(r);
        result = asg_reader_wait(&r->reader);
        if (result == SL_ERR_TIMEOUT) {
            hr_violation(r, "a large transfer was announced and does not come");
        } else if (result == SL_ERR_AGAIN) {
            hr_rest_here(&r->rest);
            result = SL_OK;
        } else if (result != SL_OK && result != SL_ERR_CLOSED) {
            hr_violation(r, "the guest broke the ring: %s", sl_result_name(result));
        }
        return result == SL_OK;
    }
    if (result != SL_OK) {
        hr_violation(r, "the guest broke the ring: %s", sl_result_name(result));
        return false;
    }
    r->end += got;
    hr_set_u64(&r->stats.bytes, r->stats.bytes + got);
    if (read_preamble(r)) {
        hr_run_batch(r);
    }
    return !r->over && !hr_ring_stopping(r);
}

static void report_lost(struct hr_ring *r)
{
    sl_warn_limited("ring", "%s: lost: %s", r->name, r->reason);
    if (r->config.lost != NULL) {
        r->config.lost(r->config.user, r, r->reason);
    }
}

/* A recording holds all that the guest has published, also of a guest that was killed. */
static void drain(struct hr_ring *r)
{
    uint64_t deadline = sl_clock_ns() + DRAIN_NS;
    size_t got = 0, drained = 0;
    while (r->stream != NULL && !r->over && drained < DRAIN_MAX && sl_clock_ns() < deadline &&
           make_room(r) &&
           asg_reader_take(&r->reader, r->data + r->end, r->capacity - r->end, &got) == SL_OK) {
        r->end += got;
        drained += got;
        if (read_preamble(r)) {
            hr_run_batch(r);
        }
    }
}

static void *ring_main(void *user)
{
    struct hr_ring *r = user;
    sl_thread_keep_time();
    if (r->config.thread_begin != NULL) {
        r->config.thread_begin(r->config.user, r);
    }
    while (!hr_ring_stopping(r) && turn(r)) {
    }
    drain(r);
    if (r->over) {
        asg_reader_fail(&r->reader);
        report_lost(r);
    }
    hr_look_at_recorder(r, true);
    if (r->config.thread_end != NULL) {
        r->config.thread_end(r->config.user, r);
    }
    hr_rest_end(&r->rest);
    /* Pairs with the load in hr_ring_destroy: what the thread did lies before it. */
    sl_atomic_store_release(&r->done, 1);
    sl_futex_wake(&r->done, 1, false);
    ring_unref(r);
    return NULL;
}

/* Everything but where bytes come from. */
static enum sl_result ring_new(const struct hr_config *config, struct hr_ring **out)
{
    if (config->binding_count > HR_BINDINGS || (config->tap_on != NULL && config->tap == NULL)) {
        return SL_ERR_INVALID;
    }
    struct hr_ring *r = sl_alloc(sizeof *r);
    if (r == NULL) {
        return SL_ERR_NOMEM;
    }
    r->config = *config;
    snprintf(r->name, sizeof r->name, "%s", config->name);
    for (uint32_t i = 0; i < config->binding_count; i++) {
        const struct hr_family *f = config->bindings[i].family;
        r->routes[i] = (struct hr_route){.first_opcode = f->first_opcode,
                                         .count = f->count,
                                         .find = f->find,
                                         .handlers = f->handlers,
                                         .user = config->bindings[i].user,
                                         .family = f};
    }
    r->config.bindings = NULL; /* the caller's */
    r->config.name = r->name;
    sl_arena_init(&r->arena, ARENA_MAX);
    sl_reply_init(&r->reply, HR_REPLY_MAX);
    r->capacity = BUFFER_START;
    r->data = sl_alloc(r->capacity);
    if (r->data == NULL) {
        ring_free_parts(r);
        return SL_ERR_NOMEM;
    }
    *out = r;
    return SL_OK;
}

enum sl_result hr_ring_create(const struct hr_config *config, struct hr_ring **out)
{
    struct hr_ring *r;
    enum sl_result result = ring_new(config, &r);
    if (result != SL_OK) {
        return result;
    }
    r->refs = 2;
    r->rest.epoch = config->recorder != NULL ? config->recorder->epoch : NULL;
    r->rest.stop = &r->stop;
    struct asg_reader_config reader = {.memory = config->memory,
                                       .memory_size = config->memory_size,
                                       .buffer_size = ASG_BUFFER_BYTES,
                                       .flush_interval = ASG_STEP_BYTES,
                                       .stop = &r->stop,
                                       .moves = true,
                                       .before_sleep = give_back,
                                       .user = r,
                                       .pause = r->rest.epoch,
                                       .large_timeout_ns = config->large_timeout_ns};
    result = asg_reader_init(&r->reader, &reader);
    if (result == SL_OK) {
        *out = r; /* before the thread runs: its callbacks may look for the ring */
        result =
            sl_thread_start(&r->thread, r->name,
                            config->stack_size != 0 ? config->stack_size : STACK, ring_main, r);
    }
    if (result != SL_OK) {
        *out = NULL;
        ring_free_parts(r);
    }
    return result;
}

enum sl_result hr_ring_create_fed(const struct hr_config *config, struct hr_ring **out)
{
    enum sl_result result = ring_new(config, out);
    if (result == SL_OK) {
        (*out)->fed = true;
        (*out)->preamble = config->preamble;
        (*out)->refs = 1;
    }
    return result;
}

bool hr_ring_feed(struct hr_ring *ring, const void *bytes, size_t size)
{
    const uint8_t *p = bytes;
    if (ring->over) {
        return false; /* it was told already */
    }
    while (size != 0 && !ring->over) {
        if (!make_room(ring)) {
            break;
        }
        size_t room = ring->capacity - ring->end;
        size_t part = size < room ? size : room;
        memcpy(ring->data + ring->end, p, part);
        ring->end += part;
        p += part;
        size -= part;
        hr_run_batch(ring);
    }
    is_dry(ring);
    if (ring->over) {
        report_lost(ring);
    }
    return !ring->over;
}

static void wake(struct hr_ring *ring)
{
    if (!ring->fed) {
        asg_reader_wake(&ring->reader);
    }
}

void hr_ring_rest(struct hr_ring *ring)
{
    wake(ring);
    hr_rest_ring(&ring->rest);
}

bool hr_ring_is_at_rest(const struct hr_ring *ring)
{
    return ring->fed || hr_rest_is(&ring->rest);
}

enum sl_result hr_ring_run(struct hr_ring *ring, const struct hr_job *job)
{
    if (ring->fed) {
        job->run(job->user);
        return SL_OK;
    }
    uint64_t limit_ns = ring->config.job_timeout_ns;
    return hr_rest_run(&ring->rest, job, limit_ns != 0 ? limit_ns : JOB_NS);
}

void hr_ring_wait_begin(struct hr_ring *ring)
{
    hr_rest_wait_begin(&ring->rest, ring->stream != NULL ? ring->epoch : 0);
}

void hr_ring_linger_begin(struct hr_ring *ring)
{
    hr_rest_linger_begin(&ring->rest);
}

void hr_ring_wait_end(struct hr_ring *ring)
{
    hr_rest_wait_end(&ring->rest);
}

void hr_ring_wake(struct hr_ring *ring)
{
    count_ping(&ring->stats.pings);
    uint64_t since = ring->fed ? 0 : asg_reader_awake_since_ns(&ring->reader);
    if (since != 0 && sl_clock_ns() - since >= PING_TRAVEL_NS) {
        count_ping(&ring->stats.pings_awake);
    }
    wake(ring);
}

void hr_ring_stop(struct hr_ring *ring)
{
    if (ring->stop_ns == 0) {
        ring->stop_ns = sl_clock_ns();
    }
    /* Pairs with the loads in the reader's waits and hr_ring_stopping; the wake-up that follows
     * makes a sleeper look. */
    sl_atomic_store_seq(&ring->stop, 1);
    wake(ring);
    hr_rest_ring(&ring->rest);
}

bool hr_ring_destroy(struct hr_ring *ring)
{
    if (ring == NULL) {
        return true;
    }
    if (ring->fed) {
        hr_look_at_recorder(ring, true);
        ring_unref(ring);
        return true;
    }
    hr_ring_stop(ring);
    uint64_t deadline = ring->stop_ns + JOIN_NS;
    /* Pairs with the store in ring_main. */
    while (sl_atomic_load_acquire(&ring->done) == 0) {
        uint64_t now = sl_clock_ns();
        if (now >= deadline) {
            sl_error("ring", "%s: its thread is stuck in the driver and is left behind",
                     ring->name);
            pthread_detach(ring->thread);
            ring_unref(ring);
            return false;
        }
        (void)sl_futex_wait(&ring->done, 0, false, (int64_t)(deadline - now));
    }
    pthread_join(ring->thread, NULL);
    ring_unref(ring);
    return true;
}

void hr_ring_stats(const struct hr_ring *ring, struct hr_stats *out)
{
    /* Pair with hr_set_u64; each counter is whole, together they are of about the same moment. */
    out->preamble = __atomic_load_n(&ring->preamble, __ATOMIC_RELAXED);
    out->packets = __atomic_load_n(&ring->stats.packets, __ATOMIC_RELAXED);
    out->bytes = __atomic_load_n(&ring->stats.bytes, __ATOMIC_RELAXED);
    out->replies = __atomic_load_n(&ring->stats.replies, __ATOMIC_RELAXED);
    out->wakeups = __atomic_load_n(&ring->stats.wakeups, __ATOMIC_RELAXED);
    out->sleeps = __atomic_load_n(&ring->stats.sleeps, __ATOMIC_RELAXED);
    out->pings = __atomic_load_n(&ring->stats.pings, __ATOMIC_RELAXED);
    out->pings_awake = __atomic_load_n(&ring->stats.pings_awake, __ATOMIC_RELAXED);
}
