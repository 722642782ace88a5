#include "host/capture/cap_queue.h"

#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

enum {
    BUFFER_SLACK = 4096, /* a chunk closes before it has this much more than CAP_CHUNK_BYTES */
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
    if (b != NULL) {
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
}

void cap_queue_finish(struct cap_queue *q)
{
    for (struct cap_buffer *b = q->spare, *next; b != NULL; b = next) {
        next = b->next;
        buffer_free(b);
    }
    pthread_cond_destroy(&q->put);
    pthread_cond_destroy(&q->taken);
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

struct cap_buffer *cap_queue_get(struct cap_queue *q, size_t size, bool is_writer)
{
    size_t usual = CAP_CHUNK_BYTES + BUFFER_SLACK;
    size_t capacity = size > usual ? size : usual;
    pthread_mutex_lock(&q->lock);
    if (q->on_the_way > CAP_WRITER_BYTES && !is_writer) {
        wait_for_room_locked(q);
    }
    struct cap_buffer *b = capacity == usual ? q->spare : NULL;
    if (b != NULL) {
        q->spare = b->next;
        q->spare_bytes -= b->capacity;
    }
    pthread_mutex_unlock(&q->lock);
    if (b == NULL) {
        b = buffer_new(capacity);
    }
    if (b != NULL) {
        *b = (struct cap_buffer){
            .data = b->data, .capacity = b->capacity, .opened_ns = sl_clock_ns()};
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
    }
    *ends = b == NULL && q->ends;
    pthread_mutex_unlock(&q->lock);
    return b;
}

void cap_queue_done(struct cap_queue *q, struct cap_buffer *b)
{
    bool keep = b->capacity == CAP_CHUNK_BYTES + BUFFER_SLACK;
    pthread_mutex_lock(&q->lock);
    q->on_the_way -= b->capacity;
    q->done_count++;
    keep = keep && q->spare_bytes < CAP_WRITER_BYTES / 2;
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

void cap_queue_end(struct cap_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->ends = true;
    pthread_cond_signal(&q->put);
    pthread_mutex_unlock(&q->lock);
}

size_t cap_queue_waits(struct cap_queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t waits = q->on_the_way;
    pthread_mutex_unlock(&q->lock);
    return waits;
}

void cap_queue_stalls(struct cap_queue *q, uint64_t *stalls, uint64_t *stall_ns)
{
    pthread_mutex_lock(&q->lock);
    *stalls = q->stalls;
    *stall_ns = q->stall_ns;
    pthread_mutex_unlock(&q->lock);
}
