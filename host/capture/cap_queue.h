/* Buffers on their way from producers to the writer's thread, and back. Inside cap_writer.c, which
 * says what its users see of it. */
#ifndef HOST_CAP_QUEUE_H
#define HOST_CAP_QUEUE_H

#include "host/capture/cap_writer.h"

#include <pthread.h>

struct cap_queue {
    pthread_mutex_t lock; /* guards all of it */
    pthread_cond_t put, taken;
    struct cap_buffer *first, **last;
    struct cap_buffer *spare;       /* of the usual size */
    size_t on_the_way;              /* capacity of what was put and is not written */
    uint64_t put_count, done_count; /* buffers */
    size_t spare_bytes;
    bool ends;
    uint64_t stalls, stall_ns;
    uint32_t waited; /* said once */
};

void cap_queue_init(struct cap_queue *queue);
/* Nobody uses it any more; all that was put is done. */
void cap_queue_finish(struct cap_queue *queue);

/* As cap_writer_get, but for the time; is_writer: it does not wait. */
struct cap_buffer *cap_queue_get(struct cap_queue *queue, size_t size, bool is_writer);
/* As cap_writer_put and cap_writer_flush. */
void cap_queue_put(struct cap_queue *queue, struct cap_buffer *buffer);
void cap_queue_flush(struct cap_queue *queue);

/* The writer's thread: what was put first; it is done with it at cap_queue_done. NULL: there was
 * nothing until then (sl_clock_ns()), or, with *ends, there will be nothing more. */
struct cap_buffer *cap_queue_take(struct cap_queue *queue, uint64_t until_ns, bool *ends);
void cap_queue_done(struct cap_queue *queue, struct cap_buffer *buffer);

/* Nothing more is put. Any thread. */
void cap_queue_end(struct cap_queue *queue);
/* Bytes of buffers that were put and are not done. Any thread. */
size_t cap_queue_waits(struct cap_queue *queue);
/* How often producers waited, and for how long in all. Any thread. */
void cap_queue_stalls(struct cap_queue *queue, uint64_t *stalls, uint64_t *stall_ns);

#endif
