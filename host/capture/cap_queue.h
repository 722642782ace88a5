/* Buffers on their way from producers to the writer's thread, and back. Inside cap_writer.c, which
 * says what its users see of it. */
#ifndef HOST_CAP_QUEUE_H
#define HOST_CAP_QUEUE_H

#include "host/capture/cap_writer.h"

#include <pthread.h>

#define CAP_QUEUE_SLAB  ((size_t)2 << 20)
#define CAP_QUEUE_SLABS ((uint32_t)(CAP_WRITER_BYTES / 2 / CAP_QUEUE_SLAB))

struct cap_queue {
    pthread_mutex_t lock; /* guards all of it */
    pthread_cond_t put, taken, help, packed;
    struct cap_buffer *first, **last;
    struct cap_buffer *spare;       /* of the usual size */
    size_t on_the_way;              /* capacity of what was put and is not written */
    uint64_t put_count, done_count; /* buffers */
    size_t spare_bytes;
    void *slabs[CAP_QUEUE_SLABS]; /* of spares */
    uint32_t slab_count;
    bool no_slabs; /* there is no memory for more */
    bool packs;    /* who helps does so */
    bool ends;
    uint64_t stalls, stall_ns;
    uint32_t waited;     /* said once */
    uint32_t level_fell; /* atomic: likewise */
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

/* Who helps, a thread of its own: waits for something to do. False: nothing more. *claimed is to be
 * packed and given back to cap_queue_packed; NULL: cap_queue_warm is due. */
bool cap_queue_help(struct cap_queue *queue, struct cap_buffer **claimed);
/* `packed` is sl_alloc's and becomes the buffer's; NULL: it stays as it is. */
void cap_queue_packed(struct cap_queue *queue, struct cap_buffer *buffer, uint8_t *packed,
                      size_t size);
/* More spares, of memory that is there: producers that take memory from the system pay for each
 * page, and together for one another's. */
void cap_queue_warm(struct cap_queue *queue);

/* Nothing more is put. Any thread. */
void cap_queue_end(struct cap_queue *queue);
/* The level to pack at now, of the one that was asked for. Any thread. */
int cap_queue_level(struct cap_queue *queue, int asked);
/* How often producers waited, and for how long in all. Any thread. */
void cap_queue_stalls(struct cap_queue *queue, uint64_t *stalls, uint64_t *stall_ns);

#endif
