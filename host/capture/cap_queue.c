#include "host/capture/cap_queue.h"

#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

#include <sys/mman.h>

/* A chunk closes before it has this much more than CAP_CHUNK_BYTES. */
#define BUFFER_SLACK ((size_t)4096)
#define BUFFER_USUAL (CAP_CHUNK_BYTES + BUFFER_SLACK)
#define SLAB_BUFFERS (CAP_QUEUE_SLAB / (BUFFER_USUAL + sizeof(struct cap_buffer)))
#define HELP_BYTES   (CAP_WRITER_BYTES / 4) /* on the way: two pack */
#define SPARE_LOW    (8 * BUFFER_USUAL)     /* more are made */

enum {
    LEVEL_FAST = -5,   /* when falling behind */
    LEVEL_LEAST = -20, /* when producers are about to wait: packs half as well, twice as fast */
};

static struct cap_buffer *buffer_new(size_t capacity)
{
    struct cap_buffer *b = sl_alloc(sizeof *b);
    if (b != NULL) {
        b->capacity = capacity;
        b->data = sl_realloc(NULL, capacity);
        if (b->data == NULL) {
            sl_free(b);
            return NULL;
        }
    }
    return b;
}

static void buffer_free(struct cap_buffer *b)
{
    if (b != NULL && !b->is_warm) {
        sl_free(b->data);
        sl_free(b);
    }
}

void cap_queue_init(struct cap_queue *q)
{
    *q = (struct cap_queue){.last = &q->first};
    pthread_mutex_init(&q->lock, NULL);
    sl_cond_init(&q->put);
    sl_cond_init(&q->taken);
    sl_cond_init(&q->help);
    sl_cond_init(&q->packed);
}

void cap_queue_finish(struct cap_queue *q)
{
    for (struct cap_buffer *b = q->spare, *next; b != NULL; b = next) {
        next = b->next;
        buffer_free(b);
    }
    for (uint32_t i = 0; i < q->slab_count; i++) {
        (void)munmap(q->slabs[i], CAP_QUEUE_SLAB);
    }
    pthread_cond_destroy(&q->put);
    pthread_cond_destroy(&q->taken);
    pthread_cond_destroy(&q->help);
    pthread_cond_destroy(&q->packed);
    pthread_mutex_destroy(&q->lock);
}

/* --- producers --- */

static void wait_for_room_locked(struct cap_queue *q)
{
    uint64_t begin = sl_clock_ns();
    if (q->waited++ == 0) {
        sl_warn("capture", "recording cannot keep up: what is recorded waits for it");
    }
    while (q->on_the_way > CAP_WRITER_BYTES && !q->ends) {
        pthread_cond_wait(&q->taken, &q->lock);
    }
    q->stalls++;
    q->stall_ns += sl_clock_ns() - begin;
}

static bool wants_warm_locked(const struct cap_queue *q)
{
    return q->spare_bytes < SPARE_LOW && q->slab_count < CAP_QUEUE_SLABS && !q->no_slabs;
}

struct cap_buffer *cap_queue_get(struct cap_queue *q, size_t size, bool is_writer)
{
    size_t capacity = size > BUFFER_USUAL ? size : BUFFER_USUAL;
    pthread_mutex_lock(&q->lock);
    if (q->on_the_way > CAP_WRITER_BYTES && !is_writer) {
        wait_for_room_locked(q);
    }
    struct cap_buffer *b = capacity == BUFFER_USUAL ? q->spare : NULL;
    if (b != NULL) {
        q->spare = b->next;
        q->spare_bytes -= b->capacity;
    }
    if (wants_warm_locked(q)) {
        pthread_cond_signal(&q->help);
    }
    pthread_mutex_unlock(&q->lock);
    if (b == NULL) {
        b = buffer_new(capacity);
    }
    if (b != NULL) {
        *b = (struct cap_buffer){.data = b->data,
                                 .capacity = b->capacity,
                                 .is_warm = b->is_warm,
                                 .opened_ns = sl_clock_ns()};
    }
    return b;
}

void cap_queue_put(struct cap_queue *q, struct cap_buffer *b)
{
    b->next = NULL;
    pthread_mutex_lock(&q->lock);
    *q->last = b;
    q->last = &b->next;
    q->on_the_way += b->capacity;
    q->put_count++;
    pthread_cond_signal(&q->put);
    if (q->packs && q->on_the_way > HELP_BYTES) {
        pthread_cond_signal(&q->help);
    }
    pthread_mutex_unlock(&q->lock);
}

void cap_queue_flush(struct cap_queue *q)
{
    pthread_mutex_lock(&q->lock);
    for (uint64_t until = q->put_count; q->done_count < until;) {
        pthread_cond_wait(&q->taken, &q->lock);
    }
    pthread_mutex_unlock(&q->lock);
}

/* --- the writer --- */

struct cap_buffer *cap_queue_take(struct cap_queue *q, uint64_t until_ns, bool *ends)
{
    pthread_mutex_lock(&q->lock);
    while (q->first == NULL && !q->ends &&
           sl_cond_wait_until(&q->put, &q->lock, until_ns) == SL_OK) {
    }
    struct cap_buffer *b = q->first;
    if (b != NULL) {
        q->first = b->next;
        q->last = q->first != NULL ? q->last : &q->first;
        while (b->state == CAP_BUFFER_CLAIMED) {
            pthread_cond_wait(&q->packed, &q->lock);
        }
    }
    *ends = b == NULL && q->ends;
    pthread_mutex_unlock(&q->lock);
    return b;
}

void cap_queue_done(struct cap_queue *q, struct cap_buffer *b)
{
    bool keep = b->capacity == BUFFER_USUAL;
    sl_free(b->packed);
    pthread_mutex_lock(&q->lock);
    q->on_the_way -= b->capacity;
    q->done_count++;
    keep = keep && (b->is_warm || q->spare_bytes < CAP_WRITER_BYTES / 2);
    if (keep) {
        b->next = q->spare;
        q->spare = b;
        q->spare_bytes += b->capacity;
    }
    pthread_cond_broadcast(&q->taken);
    pthread_mutex_unlock(&q->lock);
    if (!keep) {
        buffer_free(b);
    }
}

/* --- who helps --- */

/* The first one is left to the writer, which has it next. */
static struct cap_buffer *claim_locked(struct cap_queue *q)
{
    if (!q->packs || q->on_the_way <= HELP_BYTES || q->first == NULL) {
        return NULL;
    }
    struct cap_buffer *b = q->first->next;
    while (b != NULL && (b->state != CAP_BUFFER_RAW || b->kind == CAP_KIND_SNAP)) {
        b = b->next;
    }
    if (b != NULL) {
        b->state = CAP_BUFFER_CLAIMED;
    }
    return b;
}

bool cap_queue_help(struct cap_queue *q, struct cap_buffer **claimed)
{
    bool warms = false;
    *claimed = NULL;
    pthread_mutex_lock(&q->lock);
    for (;;) {
        warms = !q->ends && wants_warm_locked(q);
        *claimed = warms ? NULL : claim_locked(q);
        if (warms || *claimed != NULL || q->ends) {
            break;
        }
        pthread_cond_wait(&q->help, &q->lock);
    }
    pthread_mutex_unlock(&q->lock);
    return warms || *claimed != NULL;
}

void cap_queue_packed(struct cap_queue *q, struct cap_buffer *b, uint8_t *packed, size_t size)
{
    pthread_mutex_lock(&q->lock);
    b->packed = packed;
    b->packed_size = size;
    b->state = CAP_BUFFER_PACKED;
    pthread_cond_signal(&q->packed);
    pthread_mutex_unlock(&q->lock);
}

/* A slab at its size's border, so that it can be one page. NULL: no memory. */
static uint8_t *slab_new(void)
{
    const size_t size = CAP_QUEUE_SLAB;
    uint8_t *p = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }
    size_t before = (0 - (uintptr_t)p) & (size - 1);
    if (before != 0) {
        (void)munmap(p, before);
    }
    (void)munmap(p + before + size, size - before);
    p += before;
    (void)madvise(p, size, MADV_HUGEPAGE); /* else many pages */
    for (size_t at = 0; at < size; at += 4096) {
        *(volatile uint8_t *)(p + at) = 0;
    }
    return p;
}

void cap_queue_warm(struct cap_queue *q)
{
    uint8_t *slab = slab_new();
    pthread_mutex_lock(&q->lock);
    q->no_slabs = slab == NULL;
    if (slab != NULL) {
        q->slabs[q->slab_count++] = slab;
        struct cap_buffer *buffers = (struct cap_buffer *)(slab + SLAB_BUFFERS * BUFFER_USUAL);
        for (size_t i = 0; i < SLAB_BUFFERS; i++) {
            buffers[i] = (struct cap_buffer){.data = slab + i * BUFFER_USUAL,
                                             .capacity = BUFFER_USUAL,
                                             .is_warm = true,
                                             .next = q->spare};
            q->spare = &buffers[i];
            q->spare_bytes += BUFFER_USUAL;
        }
    }
    pthread_mutex_unlock(&q->lock);
}

/* --- any thread --- */

void cap_queue_end(struct cap_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->ends = true;
    pthread_cond_signal(&q->put);
    pthread_cond_signal(&q->help);
    pthread_mutex_unlock(&q->lock);
}

int cap_queue_level(struct cap_queue *q, int asked)
{
    pthread_mutex_lock(&q->lock);
    size_t waits = q->on_the_way;
    pthread_mutex_unlock(&q->lock);
    int least = waits > CAP_WRITER_BYTES / 4 * 3 ? LEVEL_LEAST : LEVEL_FAST;
    if (asked == 0 || waits <= CAP_WRITER_BYTES / 2 || asked <= least) {
        return asked;
    }
    if (sl_atomic_exchange(&q->level_fell, 1) == 0) {
        sl_info("capture", "recording falls behind: it packs less for a while");
    }
    return least;
}

void cap_queue_stalls(struct cap_queue *q, uint64_t *stalls, uint64_t *stall_ns)
{
    pthread_mutex_lock(&q->lock);
    *stalls = q->stalls;
    *stall_ns = q->stall_ns;
    pthread_mutex_unlock(&q->lock);
}
