/* What the files of a ring share. */
#ifndef HOST_RING_PRIV_H
#define HOST_RING_PRIV_H

#include "host/ring/hr_await.h"
#include "host/ring/hr_rest.h"
#include "host/ring/hr_touch.h"
#include "host/ring/ring.h"

#include "asg/reader.h"

#include <pthread.h>

enum {
    HR_HEADER = 8, /* {u32 opcode, u32 length} */
    HR_SUM = 8,    /* checksum v1 */
};

/* A binding, with what the packet loop needs of its family beside it. */
struct hr_route {
    uint32_t first_opcode, count;
    uint32_t (*find)(uint32_t opcode); /* nullable */
    const hr_handler *handlers;
    void *user;
    const struct hr_family *family;
};

struct hr_ring {
    /* The packet loop looks at these for each packet, while the driver between two of them empties
     * the cache: few lines, side by side. */
    struct sl_reply reply;
    bool over; /* a violation: no packet runs after it */
    bool checksum;
    struct sl_arena arena;
    struct hr_route routes[HR_BINDINGS];
    struct hr_config config;
    char name[32];
    struct asg_reader reader;
    /* Private copy of the stream: [begin, end) is not decoded yet. */
    uint8_t *data;
    size_t begin, end, capacity;
    bool fed; /* no guest, no thread: neither reader nor thread are there */
    bool preamble_read;
    uint32_t preamble; /* upstream's clientFlags, 0 by now; ours: see SLUICE_FEATURE_VK_IDS */
    bool is_tapped;    /* this batch goes to the live tap */
    bool is_cut;       /* the batch was left between two packets */
    uint32_t sums_in, sums_out; /* checksums checked and sent */
    char reason[192];
    pthread_t thread;
    uint64_t stop_ns; /* when it was first asked to end; 0: it was not; the owner's */
    uint32_t stop;    /* atomic: handed to the reader */
    uint32_t done;    /* atomic and futex: the thread has left its loop and called thread_end */
    uint32_t refs;    /* atomic: the creator and the thread */
    uint32_t epoch;   /* the recording that `stream` belongs to; 0: none */
    void *stream;     /* the recorder's; NULL: this ring is not recorded */
    struct hr_rest rest;
    struct hr_await await;
    /* Memory that the guest shares for bulky data; atomic, set once: size before memory. */
    uint8_t *stage;
    uint64_t stage_size;
    struct hr_touch touch; /* its thread's */
    uint8_t *whole;        /* a staged packet put together for the tap and the recorder; nullable */
    size_t whole_capacity;
    /* Whole words, relaxed; written by the ring thread, the pings by any. */
    struct hr_stats stats;
};

static inline void hr_set_u64(uint64_t *p, uint64_t v)
{
    /* Pairs with hr_ring_stats' loads; orders nothing, counters only. */
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}

/* Where a packet goes, and its handler's place there; NULL: no binding has the opcode. */
static inline const struct hr_route *hr_route_of(const struct hr_ring *r, uint32_t opcode,
                                                 uint32_t *index)
{
    const struct hr_route *route = r->routes, *last = r->routes + r->config.binding_count;
    for (; route < last; route++) {
        *index = route->find != NULL ? route->find(opcode) : opcode - route->first_opcode;
        if (*index < route->count) {
            return route;
        }
    }
    return NULL;
}

/* For the recorder: a packet is about to run. */
static inline void hr_before_packet(struct hr_ring *r, const uint8_t *packet, uint32_t length,
                                    bool sum)
{
    if (r->stream != NULL) {
        r->config.recorder->packet(r->stream, packet, length, sum);
    }
}

/* Follows the recorder's switch; once a batch. over: the ring is. */
void hr_look_at_recorder(struct hr_ring *r, bool over);
/* Runs the packets that are complete in [begin, end). */
void hr_run_batch(struct hr_ring *r);
/* For recorder and tap: it ran, and its reply lies in r->reply. */
void hr_tell_packet(struct hr_ring *r, const struct hr_call *call, const uint8_t *packet,
                    uint32_t length);
/* The ring is over, for this reason; the first one counts. */
void hr_violation(struct hr_ring *r, const char *format, ...) SL_PRINTF(2, 3);
void hr_send_reply(struct hr_ring *r, bool sum);
/* Everything about a packet that most packets do not have: reply, checksum, tap. sum_alone: a
 * checksum is sent even where the reply has no bytes. */
void hr_after_packet(struct hr_ring *r, struct hr_call *call, bool sum_alone, const uint8_t *packet,
                     uint32_t length, bool sum, bool tapped);

#endif
