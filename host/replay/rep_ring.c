/* The guest's end of the rings, and what their threads tell. */
#include "host/replay/rep_priv.h"

#include "transport/base/atomic.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SPINS       2000u
#define SLICE_NS    (2 * SL_NS_PER_MS)
#define PATIENCE_NS (60 * SL_NS_PER_S)
#define LINGER_NS   SL_NS_PER_S

/* --- by id; any thread finds, the replay's adds --- */

static uint32_t place_of(uint32_t ring_id, uint32_t step)
{
    return (ring_id * 2654435761u + step) % REP_RINGS;
}

struct rep_ring *rep_ring_find(struct rep *rep, uint32_t ring_id)
{
    for (uint32_t i = 0; i < REP_RINGS; i++) {
        /* Pairs with the store in rep_ring_open: the ring is whole. */
        struct rep_ring *ring =
            __atomic_load_n(&rep->rings[place_of(ring_id, i)], __ATOMIC_ACQUIRE);
        if (ring == NULL) {
            return NULL;
        }
        if (ring->ring_id == ring_id && sl_atomic_load_relaxed(&ring->is_gone) == 0) {
            return ring;
        }
    }
    return NULL;
}

/* --- what the ring's thread tells --- */

static void *on_begin(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t preamble)
{
    (void)ctx_id, (void)preamble;
    return rep_ring_find(user, ring_id);
}

static void on_packet(void *stream, const void *packet, size_t size, bool sum)
{
    struct rep_ring *ring = stream;
    ring->packet_size = size;
    ring->packet_sum = sum;
    /* Pairs with the load in rep_settle: a look, no more. */
    __atomic_store_n(&ring->packet, packet, __ATOMIC_RELEASE);
    if (SL_UNLIKELY(ring->costs != NULL)) {
        rep_cost_begin(ring, packet);
    }
}

/* They are over when the packet is that they run along with, and none is answered. */
static void on_packets(void *stream, const void *first, size_t size)
{
    struct rep_ring *ring = stream;
    const uint8_t *end = (const uint8_t *)first + size;
    for (const uint8_t *p = first; p != end; p += sl_load_u32(p + 4)) {
        ring->along++;
    }
}

static void keep_reply(struct rep_ring *ring, const struct vgd_outcome *outcome)
{
    if (outcome->reply_size > ring->reply_capacity) {
        uint8_t *more = sl_realloc(ring->reply, outcome->reply_size);
        if (more == NULL) {
            ring->reply_size = 0;
            return;
        }
        ring->reply = more;
        ring->reply_capacity = outcome->reply_size;
    }
    if (outcome->reply_size != 0) {
        memcpy(ring->reply, outcome->reply, outcome->reply_size);
    }
    ring->reply_size = outcome->reply_size;
    ring->is_refused = outcome->refused;
}

static void wake(struct rep_ring *ring)
{
    (void)sl_atomic_add(&ring->wakes, 1);
    sl_futex_wake(&ring->wakes, 1, false);
}

static void on_outcome(void *stream, const struct vgd_outcome *outcome)
{
    struct rep_ring *ring = stream;
    uint32_t first = sl_atomic_load_relaxed(&ring->done) + 1; /* only this thread writes */
    uint32_t number = first + ring->along;
    ring->along = 0;
    __atomic_store_n(&ring->packet, NULL, __ATOMIC_RELAXED); /* as above */
    if (SL_UNLIKELY(ring->costs != NULL)) {
        rep_cost_end(ring);
    }
    if (SL_UNLIKELY(outcome->lost)) {
        sl_atomic_store_release(&ring->is_lost, 1); /* read with `done` */
    }
    /* Set before the packet was published. */
    if (SL_UNLIKELY(sl_atomic_load_relaxed(&ring->expected) - first <= number - first)) {
        keep_reply(ring, outcome);
    } else if (SL_UNLIKELY(outcome->reply_size != 0)) {
        (void)sl_atomic_add(&ring->stray, (uint32_t)outcome->reply_size);
    }
    /* Sequentially consistent with the sleeper's announcement: one of the two sees the other.
     * Releases the reply. */
    sl_atomic_store_seq(&ring->done, number);
    if (SL_UNLIKELY(sl_atomic_load_seq(&ring->sleeps) != 0) &&
        sl_atomic_load_relaxed(&ring->awaited) - first <= number - first) {
        wake(ring);
    }
}

static void on_memory(void *stream)
{
    (void)stream;
}

static void on_frame(void *stream, const struct vgd_frame *frame)
{
    struct rep_ring *ring = stream;
    size_t size = (size_t)frame->width_px * frame->height_px * 4;
    struct rep_picture picture = {.number = sl_atomic_load_relaxed(&ring->done) + 1,
                                  .frame = *frame,
                                  .end_ns = sl_clock_ns()};
    picture.frame.pixels = NULL;
    if (frame->pixels != NULL) {
        XXH128_hash_t hash = XXH3_128bits(frame->pixels, size);
        picture.hash[0] = hash.low64;
        picture.hash[1] = hash.high64;
        picture.has_hash = true;
        picture.pixels = ring->rep->options.wants_pixels ? sl_alloc(size) : NULL;
        if (picture.pixels != NULL) {
            memcpy(picture.pixels, frame->pixels, size);
            picture.frame.pixels = picture.pixels;
        }
    }
    pthread_mutex_lock(&ring->lock);
    struct rep_picture *place = &ring->pictures[ring->next_picture++ % REP_PICTURES];
    sl_free(place->pixels);
    *place = picture;
    pthread_mutex_unlock(&ring->lock);
}

static void on_end(void *stream)
{
    struct rep_ring *ring = stream;
    sl_atomic_store_release(&ring->is_lost, 1);
    wake(ring);
}

struct vgd_recorder rep_ring_recorder(struct rep *rep)
{
    return (struct vgd_recorder){.user = rep,
                                 .epoch = &rep->epoch,
                                 .wants_pixel = &rep->wants_pixel,
                                 .begin = on_begin,
                                 .packet = on_packet,
                                 /* Each is measured by itself. */
                                 .packets = rep->options.wants_costs ? NULL : on_packets,
                                 .outcome = on_outcome,
                                 .memory = on_memory,
                                 .frame = on_frame,
                                 .end = on_end};
}

/* --- a ring's life --- */

uint64_t rep_patience_ns(const struct rep *rep)
{
    return rep->options.patience_ns != 0 ? rep->options.patience_ns : PATIENCE_NS;
}

/* The writer's `alive`: packets are done now and then. A damaged trace may wait for a reply that no
 * host gives. Who looked long ago looks for another wait. */
static bool goes_on(void *user)
{
    struct rep_ring *ring = user;
    uint64_t now = sl_clock_ns();
    uint32_t done = sl_atomic_load_acquire(&ring->done);
    if (done != ring->seen_done || now - ring->looked_ns > SL_NS_PER_S) {
        ring->seen_done = done;
        ring->unmoved_ns = now;
    }
    ring->looked_ns = now;
    if (now - ring->unmoved_ns > rep_patience_ns(ring->rep)) {
        rep_stuck(ring->rep, ring->last_stamp);
        return false;
    }
    return true;
}

enum sl_result rep_ring_open(struct rep *rep, uint32_t ctx_id, struct rep_resource *resource)
{
    enum sl_result result = rep_resource_map(rep, resource);
    if (result != SL_OK || rep_ring_find(rep, resource->id) != NULL) {
        return result;
    }
    struct rep_ring *ring = rep->ring_count < REP_RINGS - 1 ? sl_alloc(sizeof *ring) : NULL;
    if (ring == NULL) {
        return SL_ERR_NOMEM;
    }
    *ring = (struct rep_ring){.rep = rep, .ring_id = resource->id, .ctx_id = ctx_id};
    const struct asg_page *page = resource->map;
    const struct asg_writer_config config = {
        .memory = resource->map,
        .memory_size = resource->size,
        .buffer_size = resource->size >= ASG_RING_BYTES ? page->buffer_size : 0,
        .shared_futex = true,
        .reply_futex = true,
        .user = ring,
        .alive = goes_on,
    };
    result = asg_writer_init(&ring->writer, &config);
    if (result != SL_OK) {
        sl_free(ring);
        return result;
    }
    ring->has_writer = true;
    if (rep->options.wants_costs) { /* without memory its packets are not counted */
        ring->costs = sl_alloc_array(REP_COSTS, sizeof *ring->costs);
    }
    pthread_mutex_init(&ring->lock, NULL);
    uint32_t at = 0;
    for (const struct rep_ring *other;
         (other = rep->rings[place_of(resource->id, at)]) != NULL && other != &rep->no_ring;) {
        at++;
    }
    /* Pairs with the load in rep_ring_find. The ring's thread looks after its first bytes came. */
    __atomic_store_n(&rep->rings[place_of(resource->id, at)], ring, __ATOMIC_RELEASE);
    rep->ring_count++;
    resource->ring = ring;
    return SL_OK;
}

void rep_ring_close(struct rep_ring *ring)
{
    asg_writer_finish(&ring->writer);
    ring->has_writer = false;
    sl_atomic_store_relaxed(&ring->is_gone, 1);
}

/* Their threads ended with their resources. */
void rep_rings_sweep(struct rep *rep)
{
    sl_atomic_store_relaxed(&rep->no_ring.is_gone, 1);
    for (uint32_t i = 0; i < REP_RINGS; i++) {
        struct rep_ring *ring = rep->rings[i];
        if (ring != NULL && ring != &rep->no_ring && sl_atomic_load_relaxed(&ring->is_gone) != 0) {
            rep->rings[i] = &rep->no_ring;
            rep->ring_count--;
            rep_ring_free(ring);
        }
    }
}

void rep_ring_free(struct rep_ring *ring)
{
    if (ring->has_writer) {
        asg_writer_finish(&ring->writer);
    }
    pthread_mutex_destroy(&ring->lock);
    for (uint32_t i = 0; i < REP_PICTURES; i++) {
        sl_free(ring->pictures[i].pixels);
    }
    sl_free(ring->pending.packet);
    sl_free(ring->pending.reply);
    sl_free(ring->reply);
    sl_free(ring->costs);
    sl_free(ring);
}

/* --- waiting --- */

bool rep_ring_is_done(const struct rep_ring *ring, uint32_t number)
{
    return (int32_t)(sl_atomic_load_acquire(&ring->done) - number) >= 0;
}

/* Replies that nobody expected fill the ring's buffer, and its thread would wait for room. */
void rep_ring_drain(struct rep_ring *ring)
{
    uint32_t stray = sl_atomic_exchange(&ring->stray, 0);
    uint8_t block[4096];
    while (stray != 0 && !asg_writer_dead(&ring->writer)) {
        uint32_t n = stray < sizeof block ? stray : (uint32_t)sizeof block;
        if (asg_writer_read(&ring->writer, block, n) != SL_OK) {
            return;
        }
        stray -= n;
    }
}

/* A slice at most: what else the wait is for is looked at between them. */
static void sleep_until(struct rep_ring *ring, uint32_t number)
{
    uint32_t seen = sl_atomic_load_acquire(&ring->wakes);
    sl_atomic_store_relaxed(&ring->awaited, number);
    sl_atomic_store_seq(&ring->sleeps, 1);
    if ((int32_t)(sl_atomic_load_seq(&ring->done) - number) < 0) {
        (void)sl_futex_wait(&ring->wakes, seen, false, (int64_t)SLICE_NS);
    }
    sl_atomic_store_relaxed(&ring->sleeps, 0);
}

bool rep_ring_wait(struct rep_ring *ring, uint32_t number)
{
    struct rep *rep = ring->rep;
    if (ring->has_writer) {
        asg_writer_flush(&ring->writer);
    }
    for (uint32_t i = 0; i < SPINS; i++) {
        if (rep_ring_is_done(ring, number)) {
            return true;
        }
        sl_cpu_relax();
    }
    /* What it waits for may lie in another ring's end of ours. */
    rep_flush_all(rep);
    uint64_t patience = rep_patience_ns(rep);
    uint64_t begin = sl_clock_ns();
    while (!rep_ring_is_done(ring, number)) {
        if (sl_atomic_load_acquire(&ring->is_lost) != 0 || asg_writer_dead(&ring->writer)) {
            return false;
        }
        if (sl_clock_ns() - begin > patience) {
            rep_stuck(rep, ring->last_stamp);
            return false;
        }
        sleep_until(ring, number);
        rep_ring_drain(ring);
        rep->device->ops->poll(rep->device);
    }
    return true;
}

void rep_ring_linger(struct rep_ring *ring, uint32_t number, uint64_t begin)
{
    rep_flush_all(ring->rep);
    while (!rep_ring_is_done(ring, number) && sl_clock_ns() - begin < LINGER_NS &&
           sl_atomic_load_acquire(&ring->is_lost) == 0 &&
           sl_atomic_load_relaxed(&ring->is_gone) == 0) {
        sleep_until(ring, number);
        rep_ring_drain(ring);
        ring->rep->device->ops->poll(ring->rep->device);
    }
}

/* Packets of the ring that were over before `stamp` while recording. What waits for nobody is over
 * by then also where that was told later. */
static uint32_t over_before(const struct rep_ring *ring, uint64_t stamp)
{
    bool waits = ring->capset == VIRTGPU_CAPSET_GFXSTREAM_VULKAN || ring->may_block;
    bool is_over = !waits || (ring->last_end != 0 && ring->last_end < stamp);
    return is_over || ring->fed == 0 ? ring->fed : ring->fed - 1;
}

void rep_ring_catch_up(struct rep_ring *ring, uint64_t stamp)
{
    if (sl_atomic_load_relaxed(&ring->is_gone) != 0 || ring->fed == 0) {
        return;
    }
    uint32_t number = over_before(ring, stamp);
    if (rep_ring_wait(ring, number) && ring->pending.is_there && number == ring->fed) {
        rep_ring_settle(ring);
    }
}

void rep_catch_up_all(struct rep *rep, uint64_t stamp)
{
    for (uint32_t i = 0; i < REP_RINGS && !rep->stop; i++) {
        if (rep->rings[i] != NULL) {
            rep_ring_catch_up(rep->rings[i], stamp);
        }
    }
}

void rep_flush_all(struct rep *rep)
{
    for (uint32_t i = 0; i < REP_RINGS; i++) {
        if (rep->rings[i] != NULL && rep->rings[i]->has_writer) {
            asg_writer_flush(&rep->rings[i]->writer);
        }
    }
}

/* --- answers --- */

static const uint8_t *keep(uint8_t **block, size_t *capacity, const uint8_t *bytes, size_t size)
{
    if (size > *capacity) {
        uint8_t *more = sl_realloc(*block, size);
        if (more == NULL) {
            return NULL;
        }
        *block = more;
        *capacity = size;
    }
    if (size != 0) {
        memcpy(*block, bytes, size);
    }
    return *block;
}

/* The bytes are in the ring, or will be in a moment: the outcome is told before they are sent. */
static void read_reply(struct rep_ring *ring)
{
    size_t left = ring->reply_size + (ring->pending.event.call.has_sum ? 8 : 0);
    uint8_t block[4096];
    while (left != 0 && sl_atomic_load_acquire(&ring->is_lost) == 0) {
        size_t n = left < sizeof block ? left : sizeof block;
        if (asg_writer_read(&ring->writer, block, n) != SL_OK) {
            return;
        }
        left -= n;
    }
}

static bool is_same(const struct rep_ring *ring, const struct cap_event_call *call)
{
    bool has_bytes =
        call->reply_size == ring->reply_size &&
        (call->reply_size == 0 || memcmp(call->reply, ring->reply, call->reply_size) == 0);
    return call->is_refused == ring->is_refused &&
           (has_bytes || rep_portable_configs(call, ring->reply, ring->reply_size));
}

/* Our own: behind a snapshot the count is another. */
static void put_sum(struct rep_ring *ring, uint32_t size)
{
    uint8_t sum[REP_SUM];
    sl_store_u32(sum, sl_sum_word(size));
    sl_store_u32(sum + 4, ring->sums++);
    asg_writer_raw(&ring->writer, sum, sizeof sum);
}

/* packet: the call's, or what is fed in its place; size: without a checksum. */
static void put_packet(struct rep_ring *ring, const struct cap_event_call *call,
                       const uint8_t *packet, uint32_t size)
{
    struct asg_writer *w = &ring->writer;
    if (size <= SL_PACK_INLINE) {
        uint8_t *p = sl_pack_begin(&w->pack, size);
        memcpy(p, packet, size);
        w->pack.cur = p + size;
    } else {
        asg_writer_raw(w, packet, size);
    }
    if (call->has_sum) {
        put_sum(ring, size);
    }
    ring->fed++;
}

/* Until it is over, with its answer. False: the ring is lost, or the replay ends. */
static bool take_answer(struct rep_ring *ring)
{
    uint8_t patched[REP_PATCH];
    const struct cap_event_call *call = &ring->pending.event.call;
    for (;;) {
        if (!rep_ring_wait(ring, ring->fed)) {
            ring->reply_size = 0;
            return false;
        }
        read_reply(ring);
        if (!rep_portable_lower(ring->rep, call, ring->is_refused, patched)) {
            return true;
        }
        sl_atomic_store_relaxed(&ring->expected, ring->fed + 1); /* published with the packet */
        put_packet(ring, call, patched, call->size - (call->has_sum ? REP_SUM : 0));
    }
}

void rep_ring_settle(struct rep_ring *ring)
{
    struct rep *rep = ring->rep;
    struct rep_pending *p = &ring->pending;
    if (!p->is_there) {
        return;
    }
    bool is_over = take_answer(ring);
    p->is_there = false;
    const struct cap_event_call *call = &p->event.call;
    rep_portable_answer(rep, call, ring->reply, ring->reply_size);
    bool is_lost = sl_atomic_load_acquire(&ring->is_lost) != 0 || !is_over;
    const struct rep_answer answer = {.event = &p->event,
                                      .frame = p->frame,
                                      .reply = ring->reply_size != 0 ? ring->reply : NULL,
                                      .reply_size = ring->reply_size,
                                      .is_refused = ring->is_refused,
                                      .is_lost = is_lost};
    /* What it teaches is wanted also of answers that differ from run to run. */
    bool is_ported = !is_lost && rep_portable_same(rep, &answer);
    if (rep->stop || rep->options.no_compare || !rep_is_deterministic(call->packet, call->size)) {
        return;
    }
    rep->report->compared++;
    ring->is_loss_told = ring->is_loss_told || is_lost;
    bool same = is_ported && (rep->options.portable || is_same(ring, call));
    if (is_lost != call->is_lost || (!is_lost && !same)) {
        rep_diverged(rep, &answer);
    }
}

static void set_pending(struct rep_ring *ring, const struct cap_event *event)
{
    struct rep_pending *p = &ring->pending;
    p->event = *event;
    p->frame = ring->rep->frame;
    p->event.call.packet =
        keep(&p->packet, &p->packet_capacity, event->call.packet, event->call.size);
    p->event.call.reply =
        keep(&p->reply, &p->reply_capacity, event->call.reply, event->call.reply_size);
    p->is_there = p->event.call.packet != NULL &&
                  (p->event.call.reply != NULL || event->call.reply_size == 0);
    /* Published with the packet. */
    sl_atomic_store_relaxed(&ring->expected, ring->fed + 1);
}

/* Replies go through the memory that packets lie in: one that nobody waits for would be written
 * over those that are fed meanwhile. */
static void await_stray(struct rep_ring *ring)
{
    ring->may_stray = false;
    (void)rep_ring_wait(ring, ring->fed);
    rep_ring_drain(ring);
}

void rep_ring_feed(struct rep_ring *ring, const struct cap_event *event, bool is_saved)
{
    const struct cap_event_call *call = &event->call;
    struct asg_writer *w = &ring->writer;
    rep_ring_settle(ring);
    if (SL_UNLIKELY(ring->may_stray)) {
        await_stray(ring);
    }
    if (sl_atomic_load_acquire(&ring->is_lost) != 0 && !ring->is_loss_told) {
        const struct rep_answer answer = {
            .event = event, .frame = ring->rep->frame, .is_lost = true};
        ring->is_loss_told = true;
        rep_diverged(ring->rep, &answer);
    }
    if (!ring->has_writer || asg_writer_dead(w) || ring->rep->stop) {
        return;
    }
    if (!ring->has_preamble) {
        asg_writer_raw(w, &call->preamble, sizeof call->preamble);
        ring->has_preamble = true;
        ring->capset = call->capset;
        ring->preamble = call->preamble;
        struct rep_resource *resource = rep_resource_find(ring->rep, ring->ring_id);
        if (resource != NULL) {
            resource->origin.ring_capset = call->capset;
            resource->origin.ring_preamble = call->preamble;
        }
    }
    if (call->has_reply || call->is_refused || call->is_lost) {
        set_pending(ring, event);
    }
    uint32_t size;
    const uint8_t *packet = rep_portable_packet(ring->rep, event, &size);
    put_packet(ring, call, packet, size);
    ring->last_stamp = event->stamp;
    ring->last_stream = event->stream;
    ring->last_end = call->end_stamp;
    ring->may_block = rep_may_block(sl_load_u32(call->packet));
    ring->may_stray =
        is_saved && !call->has_reply && call->capset == VIRTGPU_CAPSET_GFXSTREAM_VULKAN;
    if (ring->pending.is_there) {
        asg_writer_flush(w);
    }
    if (SL_UNLIKELY(sl_atomic_load_relaxed(&ring->stray) != 0)) {
        rep_ring_drain(ring);
    }
}
