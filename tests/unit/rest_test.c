/* Rings that come to rest: between two packets, asleep, while waiting for a turn; jobs on their
 * threads; and nothing lost by it. */
#include "host/ring/hr_turn.h"
#include "tests/support/ring_guest.h"
#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/thread.h"

enum { OP_FIRST = 100, OP_ADD = OP_FIRST, OP_ECHO, OP_TURN, OP_REST, OP_BLOCK, OP_LINGER, OP_END };
enum { RINGS = 2 };
#define JOB_NS (3 * SL_NS_PER_S)

struct world;
struct guest {
    struct ring_guest base; /* first */
    struct world *world;
    uint64_t sum;    /* of OP_ADD, by the ring's thread */
    uint32_t shown;  /* atomic: packets that the recorder was shown */
    uint32_t undone; /* atomic */
};

struct world {
    struct guest guests[RINGS];
    struct hr_turns turns;
    struct vgd_recorder recorder;
    uint32_t epoch; /* atomic */
    uint32_t stop;  /* of turns */
};

static void on_add(struct hr_call *call)
{
    ((struct guest *)call->user)->sum += sl_unpack_u32(&call->in);
}

static void on_turn(struct hr_call *call)
{
    struct guest *g = call->user;
    SLT_EXPECT_OK(
        hr_turn_take(&g->world->turns, call->ring, sl_unpack_u32(&call->in), &g->world->stop));
    g->sum += 1;
    hr_turn_pass(&g->world->turns);
}

/* As a frame's mark does: its own ring stops behind this very packet. */
static void on_rest(struct hr_call *call)
{
    struct guest *g = call->user;
    uint32_t epoch = sl_atomic_load_relaxed(&g->world->epoch);
    sl_atomic_store_seq(&g->world->epoch, epoch | VGD_EPOCH_REST);
}

static void on_linger(struct hr_call *call)
{
    hr_ring_linger_begin(call->ring);
    ring_guest_block(call);
    hr_ring_wait_end(call->ring);
}

static const hr_handler handlers[] = {on_add,  ring_guest_echo,  on_turn,
                                      on_rest, ring_guest_block, on_linger};

static const char *name_of(uint32_t opcode)
{
    (void)opcode;
    return "test";
}
static const struct hr_family family = {.name = "test",
                                        .first_opcode = OP_FIRST,
                                        .count = OP_END - OP_FIRST,
                                        .handlers = handlers,
                                        .opcode_name = name_of};

static void *rec_begin(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t preamble)
{
    struct world *w = user;
    (void)ctx_id;
    SLT_EXPECT_EQ(3u, preamble);
    return &w->guests[ring_id];
}
static void rec_packet(void *stream, const void *packet, size_t size, bool sum)
{
    (void)packet, (void)size, (void)sum;
    sl_atomic_add(&((struct guest *)stream)->shown, 1);
}
static void rec_outcome(void *stream, const struct vgd_outcome *outcome)
{
    (void)stream, (void)outcome;
}
static void rec_end(void *stream)
{
    (void)stream;
}

static void guest_init(struct world *w, uint32_t i)
{
    struct guest *g = &w->guests[i];
    g->world = w;
    const struct hr_binding binding = {&family, g};
    const struct hr_config config = {.name = "rest",
                                     .bindings = &binding,
                                     .binding_count = 1,
                                     .recorder = &w->recorder,
                                     .job_timeout_ns = JOB_NS,
                                     .ring_id = i};
    ring_guest_init(&g->base, config, 3);
}

static void world_init(struct world *w)
{
    hr_turns_init(&w->turns);
    w->recorder = (struct vgd_recorder){.user = w,
                                        .epoch = &w->epoch,
                                        .begin = rec_begin,
                                        .packet = rec_packet,
                                        .outcome = rec_outcome,
                                        .end = rec_end};
    for (uint32_t i = 0; i < RINGS; i++) {
        guest_init(w, i);
    }
}

static void world_finish(struct world *w)
{
    sl_atomic_store_seq(&w->stop, 1);
    for (uint32_t i = 0; i < RINGS; i++) {
        ring_guest_finish(&w->guests[i].base);
    }
}

SLT_FIXTURE(rest, struct world, world_init, world_finish);

static void put(struct guest *g, uint32_t opcode, uint32_t value)
{
    ring_guest_put(&g->base, opcode, 12, value);
}

static void echo(struct guest *g)
{
    SLT_EXPECT_EQ(77u, ring_guest_ask(&g->base, OP_ECHO, 77));
}

static bool all_rest(struct world *w)
{
    bool all = true;
    for (uint32_t i = 0; i < RINGS; i++) {
        if (!hr_ring_is_at_rest(w->guests[i].base.ring)) {
            hr_ring_rest(w->guests[i].base.ring);
            all = false;
        }
    }
    return all;
}

static bool rests_soon(struct world *w)
{
    sl_atomic_store_seq(&w->epoch, sl_atomic_load_seq(&w->epoch) | VGD_EPOCH_REST);
    for (int i = 0; i < 10000; i++) {
        if (all_rest(w)) {
            return true;
        }
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    return false;
}

static void go_on(struct world *w)
{
    sl_atomic_store_seq(&w->epoch, sl_atomic_load_seq(&w->epoch) & ~VGD_EPOCH_REST);
    for (uint32_t i = 0; i < RINGS; i++) {
        hr_ring_rest(w->guests[i].base.ring);
    }
}

SLT_TEST_F(rest, rings_that_sleep_and_rings_that_were_never_used, w)
{
    echo(&w->guests[0]);
    SLT_ASSERT_TRUE(rests_soon(w));
    put(&w->guests[0], OP_ADD, 5);
    asg_writer_flush(&w->guests[0].base.writer);
    sl_clock_sleep_ns(20 * SL_NS_PER_MS);
    SLT_EXPECT_EQ(0u, w->guests[0].sum); /* ours, while it rests */
    go_on(w);
    echo(&w->guests[0]);
    echo(&w->guests[1]);
    SLT_EXPECT_EQ(5u, w->guests[0].sum);
}

SLT_TEST_F(rest, behind_the_packet_that_asks_for_it, w)
{
    struct guest *g = &w->guests[0];
    sl_atomic_store_seq(&w->epoch, 1);
    put(g, OP_ADD, 1);
    put(g, OP_REST, 0);
    put(g, OP_ADD, 2);
    asg_writer_flush(&g->base.writer);
    while ((sl_atomic_load_acquire(&w->epoch) & VGD_EPOCH_REST) == 0) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_ASSERT_TRUE(rests_soon(w));
    SLT_EXPECT_EQ(1u, g->sum);
    SLT_EXPECT_EQ(2u, sl_atomic_load_acquire(&g->shown));
    go_on(w);
    echo(g);
    SLT_EXPECT_EQ(3u, g->sum);
}

static void note_thread(void *user)
{
    *(pthread_t *)user = pthread_self();
}

static enum sl_result run_note(struct guest *g, pthread_t *thread)
{
    return hr_ring_run(g->base.ring, &(struct hr_job){.run = note_thread, .user = thread});
}

SLT_TEST_F(rest, a_job_runs_on_the_rings_thread, w)
{
    pthread_t first = pthread_self(), again = pthread_self();
    SLT_EXPECT_RESULT(SL_ERR_AGAIN, run_note(&w->guests[0], &first));
    SLT_ASSERT_TRUE(rests_soon(w));
    SLT_ASSERT_OK(run_note(&w->guests[0], &first));
    SLT_ASSERT_OK(run_note(&w->guests[0], &again));
    SLT_EXPECT_TRUE(!pthread_equal(first, pthread_self()) && pthread_equal(first, again));
    go_on(w);
    echo(&w->guests[0]);
}

static void hang(void *user)
{
    ring_guest_hang(user);
}

static void undo(void *user)
{
    sl_atomic_store_release(&((struct guest *)user)->undone, 1);
}

/* As a driver that hangs does: the others go on, and so does its ring, when it comes back. */
SLT_TEST_F(rest, a_job_that_does_not_end_is_left_and_undone, w)
{
    struct guest *stuck = &w->guests[0], *other = &w->guests[1];
    const struct hr_job job = {hang, undo, stuck};
    pthread_t thread;
    SLT_ASSERT_TRUE(rests_soon(w));
    SLT_ASSERT_RESULT(SL_ERR_TIMEOUT, hr_ring_run(stuck->base.ring, &job));
    SLT_EXPECT_EQ(1u, sl_atomic_load_acquire(&stuck->base.blocked));
    SLT_EXPECT_TRUE(!hr_ring_is_at_rest(stuck->base.ring) && hr_ring_is_at_rest(other->base.ring));
    SLT_EXPECT_RESULT(SL_ERR_AGAIN, run_note(stuck, &thread));
    SLT_EXPECT_OK(run_note(other, &thread));
    go_on(w);
    echo(other);
    SLT_EXPECT_EQ(0u, sl_atomic_load_acquire(&stuck->undone));
    sl_atomic_store_release(&stuck->base.release, 1);
    echo(stuck);
    SLT_EXPECT_EQ(1u, sl_atomic_load_acquire(&stuck->undone));
    SLT_ASSERT_TRUE(rests_soon(w));
    SLT_EXPECT_OK(run_note(stuck, &thread));
    go_on(w);
}

SLT_TEST_F(rest, a_ring_that_waits_for_its_turn_rests_before_it, w)
{
    struct guest *late = &w->guests[0], *early = &w->guests[1];
    sl_atomic_store_seq(&w->epoch, 1);
    put(late, OP_TURN, 2);
    asg_writer_flush(&late->base.writer);
    while (sl_atomic_load_acquire(&late->shown) == 0) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_ASSERT_TRUE(rests_soon(w));
    SLT_EXPECT_RESULT(SL_ERR_AGAIN, run_note(late, &(pthread_t){0}));
    put(early, OP_TURN, 1);
    asg_writer_flush(&early->base.writer);
    sl_clock_sleep_ns(20 * SL_NS_PER_MS);
    SLT_EXPECT_EQ(0u, sl_atomic_load_acquire(&w->turns.passed));
    go_on(w);
    echo(late);
    SLT_EXPECT_EQ(2u, sl_atomic_load_acquire(&w->turns.passed));
}

/* Its packet was shown to nobody, or to a recording that is over: it cannot be told again. */
SLT_TEST_F(rest, a_wait_that_this_recording_has_not_seen_is_none, w)
{
    struct guest *late = &w->guests[0];
    put(late, OP_TURN, 2);
    asg_writer_flush(&late->base.writer);
    while (sl_atomic_load_acquire(&w->turns.sleepers) == 0) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    sl_atomic_store_seq(&w->epoch, 5 | VGD_EPOCH_REST);
    for (int i = 0; i < 50; i++) {
        SLT_EXPECT_TRUE(!all_rest(w));
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    go_on(w);
    put(&w->guests[1], OP_TURN, 1);
    echo(&w->guests[1]);
    echo(late);
}

static void block(struct guest *g, uint32_t opcode)
{
    put(g, opcode, 0);
    asg_writer_flush(&g->base.writer);
    while (sl_atomic_load_acquire(&g->base.blocked) == 0) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
}

/* One that its context tells of: whoever asks, and whenever it began. */
SLT_TEST_F(rest, a_ring_that_lingers_rests, w)
{
    struct guest *g = &w->guests[0];
    block(g, OP_LINGER);
    sl_atomic_store_seq(&w->epoch, 5);
    SLT_ASSERT_TRUE(rests_soon(w));
    SLT_EXPECT_RESULT(SL_ERR_AGAIN, run_note(g, &(pthread_t){0}));
    sl_atomic_store_release(&g->base.release, 1);
    put(g, OP_ADD, 5);
    asg_writer_flush(&g->base.writer);
    sl_clock_sleep_ns(20 * SL_NS_PER_MS);
    SLT_EXPECT_EQ(0u, g->sum); /* what it waited for came, and it rests */
    SLT_EXPECT_TRUE(all_rest(w));
    go_on(w);
    echo(g);
    SLT_EXPECT_EQ(5u, g->sum);
}

SLT_TEST_F(rest, a_ring_inside_a_packet_is_waited_for, w)
{
    block(&w->guests[0], OP_BLOCK);
    sl_atomic_store_seq(&w->epoch, VGD_EPOCH_REST);
    SLT_EXPECT_TRUE(!all_rest(w));
    sl_clock_sleep_ns(10 * SL_NS_PER_MS);
    SLT_EXPECT_TRUE(!all_rest(w));
    sl_atomic_store_release(&w->guests[0].base.release, 1);
    SLT_EXPECT_TRUE(rests_soon(w));
    go_on(w);
}

SLT_TEST_F(rest, a_ring_is_stopped_while_it_rests, w)
{
    SLT_ASSERT_TRUE(rests_soon(w)); /* and the fixture ends */
}

struct traffic {
    struct guest *guest;
    uint32_t count;
};

static void *run_traffic(void *user)
{
    struct traffic *t = user;
    for (uint32_t i = 1; i <= t->count; i++) {
        put(t->guest, OP_ADD, i);
        if (i % 1000 == 0) {
            echo(t->guest);
        }
    }
    echo(t->guest);
    return NULL;
}

SLT_TEST_F(rest, again_and_again_under_traffic_nothing_is_lost, w)
{
    enum { COUNT = 100000 };
    pthread_t threads[RINGS];
    struct traffic traffic[RINGS];
    for (uint32_t i = 0; i < RINGS; i++) {
        traffic[i] = (struct traffic){&w->guests[i], COUNT};
        SLT_ASSERT_OK(sl_thread_start(&threads[i], "guest", 0, run_traffic, &traffic[i]));
    }
    for (uint32_t i = 0; i < 100; i++) {
        SLT_ASSERT_TRUE(rests_soon(w));
        uint64_t sums = w->guests[0].sum + w->guests[1].sum;
        sl_clock_sleep_ns(100 * SL_NS_PER_US);
        SLT_EXPECT_EQ(sums, w->guests[0].sum + w->guests[1].sum);
        sl_atomic_store_seq(&w->epoch, (i + 1) | VGD_EPOCH_REST); /* recordings begin and end */
        go_on(w);
    }
    for (uint32_t i = 0; i < RINGS; i++) {
        pthread_join(threads[i], NULL);
        SLT_EXPECT_EQ((uint64_t)COUNT * (COUNT + 1) / 2, w->guests[i].sum);
    }
}
