#include "tools/sluice/host_stats.h"

#include "tools/sluice/calls.h"
#include "transport/base/map.h"
#include "transport/base/mem.h"
#include "wire/rc_opcodes.h"
#include "wire/vk_opcodes.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

#define CALLS_MAX 4096u

/* Replies to one command. */
struct waits {
    uint32_t opcode;
    uint64_t all;
    uint64_t pending; /* since the last frame */
    uint64_t steady;  /* in frames of the steady state */
    uint64_t frames;  /* so many of those */
};

struct host_stats {
    struct vgd_sink front;
    pthread_mutex_t lock; /* guards what follows */
    uint64_t frames;
    struct waits sum;    /* of all commands */
    struct sl_map calls; /* opcode -> struct waits, owned */
};

struct host_stats *host_stats_create(const struct vgd_sink *front)
{
    struct host_stats *s = sl_alloc(sizeof *s);
    if (s != NULL) {
        *s = (struct host_stats){.front = *front};
        pthread_mutex_init(&s->lock, NULL);
        sl_map_init(&s->calls, CALLS_MAX);
    }
    return s;
}

void host_stats_destroy(struct host_stats *s)
{
    if (s == NULL) {
        return;
    }
    uint32_t cursor = 0;
    struct waits *waits;
    while ((waits = sl_map_next(&s->calls, &cursor, NULL)) != NULL) {
        sl_free(waits);
    }
    sl_map_finish(&s->calls);
    pthread_mutex_destroy(&s->lock);
    sl_free(s);
}

static bool ends_frame(uint32_t opcode)
{
    return opcode == RC_OP_rcFlushWindowColorBuffer ||
           opcode == RC_OP_rcFlushWindowColorBufferAsync ||
           opcode == RC_OP_rcFlushWindowColorBufferAsyncWithFrameNumber ||
           opcode == VK_OP_vkQueueFrameSLUICE;
}

static struct waits *waits_of(struct host_stats *s, uint32_t opcode)
{
    struct waits *waits = sl_map_find(&s->calls, opcode);
    if (waits == NULL) {
        waits = sl_alloc(sizeof *waits);
        if (waits == NULL) {
            return NULL;
        }
        waits->opcode = opcode;
        if (sl_map_add(&s->calls, opcode, waits) != SL_OK) {
            sl_free(waits);
            return NULL;
        }
    }
    return waits;
}

static void count(struct waits *waits)
{
    waits->all++;
    waits->pending++;
}

static void count_frame(struct waits *waits, bool steady)
{
    if (steady && waits->pending != 0) {
        waits->steady += waits->pending;
        waits->frames++;
    }
    waits->pending = 0;
}

/* What waited since the last frame was this one's. What waits behind the last is nobody's. */
static void end_frame(struct host_stats *s)
{
    bool steady = s->frames >= HOST_STATS_WARM;
    s->frames++;
    if (s->sum.pending == 0) {
        return;
    }
    uint32_t cursor = 0;
    struct waits *waits;
    count_frame(&s->sum, steady);
    while ((waits = sl_map_next(&s->calls, &cursor, NULL)) != NULL) {
        count_frame(waits, steady);
    }
}

static void on_packet(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t opcode,
                      const void *packet, size_t size, const void *reply, size_t reply_size)
{
    struct host_stats *s = user;
    bool frame = ends_frame(opcode);
    if (frame || reply_size != 0) {
        pthread_mutex_lock(&s->lock);
        struct waits *waits = reply_size != 0 ? waits_of(s, opcode) : NULL;
        if (reply_size != 0) {
            count(&s->sum);
        }
        if (waits != NULL) {
            count(waits);
        }
        if (frame) {
            end_frame(s);
        }
        pthread_mutex_unlock(&s->lock);
    }
    s->front.packet(s->front.user, ctx_id, ring_id, opcode, packet, size, reply, reply_size);
}

static void on_fence_done(void *user, uint32_t ctx_id, uint32_t ring, uint64_t fence_id)
{
    struct host_stats *s = user;
    s->front.fence_done(s->front.user, ctx_id, ring, fence_id);
}

static void on_ctx_lost(void *user, uint32_t ctx_id, const char *reason)
{
    struct host_stats *s = user;
    s->front.ctx_lost(s->front.user, ctx_id, reason);
}

struct vgd_sink host_stats_sink(struct host_stats *s)
{
    /* As the local server, which knows neither displays nor poll(). */
    return (struct vgd_sink){
        .user = s, .fence_done = on_fence_done, .ctx_lost = on_ctx_lost, .packet = on_packet};
}

static int by_steady(const void *a, const void *b)
{
    const struct waits *x = *(const struct waits *const *)a, *y = *(const struct waits *const *)b;
    if (x->steady != y->steady) {
        return x->steady < y->steady ? 1 : -1;
    }
    return x->all < y->all ? 1 : x->all > y->all ? -1 : x->opcode < y->opcode ? -1 : 1;
}

static void print_calls(struct host_stats *s, FILE *out)
{
    struct waits **sorted = sl_alloc_array(s->calls.live, sizeof(struct waits *));
    uint32_t cursor = 0, n = 0;
    if (sorted == NULL) {
        return;
    }
    while ((sorted[n] = sl_map_next(&s->calls, &cursor, NULL)) != NULL && ++n < s->calls.live) {
    }
    qsort(sorted, n, sizeof *sorted, by_steady);
    for (uint32_t i = 0; i < n; i++) {
        const struct waits *w = sorted[i];
        const char *name = call_name(w->opcode);
        fprintf(out, "  %-32s %8" PRIu64 " %8" PRIu64 " in %" PRIu64 " frames\n",
                name != NULL ? name : "?", w->all, w->steady, w->frames);
    }
    sl_free(sorted);
}

void host_stats_report(struct host_stats *s, FILE *out)
{
    uint64_t steady = s->frames > HOST_STATS_WARM ? s->frames - HOST_STATS_WARM : 0;
    fprintf(out, "%" PRIu64 " frames, %" PRIu64 " round trips\n", s->frames, s->sum.all);
    fprintf(out, "steady state (from frame %u on): %" PRIu64 " frames, %.3f round trips a frame\n",
            HOST_STATS_WARM + 1, steady,
            steady != 0 ? (double)s->sum.steady / (double)steady : 0.0);
    if (s->calls.live != 0) {
        fprintf(out, "  %-32s %8s %8s\n", "call that waited", "all", "steady");
        print_calls(s, out);
    }
    (void)fflush(out);
}
