/* Records copied into a recording whose lanes somebody else closes all the time. */
#include "host/capture/cap_copy.h"
#include "tests/unit/cap_bed.h"
#include "transport/base/atomic.h"
#include "transport/base/thread.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

enum { PACKETS = 6000, FRAME = 100, REST = 32 };

/* As the writer's thread does, but for ever, and without waiting until a chunk is old. */
struct sweeper {
    struct cap_recording *recording;
    uint32_t rounds, ends; /* atomic */
};

static void *sweep(void *user)
{
    struct sweeper *w = user;
    struct cap_recording *r = w->recording;
    while (sl_atomic_load_relaxed(&w->ends) == 0) {
        pthread_mutex_lock(&r->lock);
        SL_LIST_FOR(link, &r->streams)
        {
            struct cap_stream *s = SL_CONTAINER(link, struct cap_stream, link);
            cap_lane_sweep(&s->calls, UINT64_MAX);
            cap_lane_sweep(&s->memory, UINT64_MAX);
        }
        pthread_mutex_unlock(&r->lock);
        cap_lane_sweep(&r->verbs, UINT64_MAX);
        cap_lane_sweep(&r->verb_memory, UINT64_MAX);
        cap_lane_sweep(&r->blobs.lane, UINT64_MAX);
        cap_lane_sweep(&r->frames, UINT64_MAX);
        (void)sl_atomic_add(&w->rounds, 1);
    }
    return NULL;
}

/* The source: packets, of which every second has a reply, verbs and frames. */
static void record(struct bed *t)
{
    begin(t, &(struct cap_start){.level = 1});
    struct cap_stream *s = stream_new(t);
    for (uint32_t i = 0; i < PACKETS; i++) {
        packet(s, i, 16 + i % 5 * 4);
        cap_stream_outcome(s, &(struct vgd_outcome){.reply = &i, .reply_size = i % 2 * sizeof i});
        if (i % FRAME == FRAME - 1) {
            const struct cap_verb_ctx body = {.ctx_id = CONTEXT, .value = i};
            cap_stream_frame(s, &(struct vgd_frame){.kind = VGD_FRAME_FLUSH});
            (void)cap_recording_verb(t->recording, CAP_VERB_CTX_ATTACH, &body, sizeof body, NULL,
                                     0);
        }
    }
    cap_stream_end(s);
    SLT_EXPECT_EQ(PACKETS, end(t).totals.calls);
}

/* What the guest wrote before the event: one piece of four bytes. */
static void copy_memory(struct cap_copy *copy, const struct cap_event *before)
{
    static const uint8_t piece[] = {64, 4 << 1, 1, 2, 3, 4};
    const struct cap_event event = {
        .kind = CAP_EVENT_MEMORY,
        .stream = before->stream,
        .stamp = before->stamp,
        .time = before->time,
        .memory = {.resource_id = RESOURCE, .pieces = 1, .at = piece, .end = piece + sizeof piece}};
    SLT_ASSERT_OK(cap_copy_event(copy, &event));
}

/* The sweeper gets its turn on one processor as well. */
static void wait_for_sweep(struct sweeper *w)
{
    uint32_t rounds = sl_atomic_load_relaxed(&w->rounds);
    while (sl_atomic_load_relaxed(&w->rounds) == rounds) {
        sched_yield();
    }
}

static void copy_all(struct bed *from, struct cap_recording *to, struct sweeper *w)
{
    struct cap_copy copy;
    struct cap_event event;
    enum sl_result result;
    cap_copy_init(&copy, to, from->merge);
    for (uint32_t i = 0; (result = cap_merge_next(from->merge, &event, NULL)) == SL_OK; i++) {
        if (i % REST == 0) {
            wait_for_sweep(w);
            copy_memory(&copy, &event);
        }
        SLT_ASSERT_OK(cap_copy_event(&copy, &event));
    }
    SLT_EXPECT_EQ(SL_ERR_NOTFOUND, result);
    cap_copy_finish(&copy);
}

SLT_FIXTURE(cap_copy, struct bed, bed_init, bed_finish);

SLT_TEST_F(cap_copy, keeps_every_record_while_its_lanes_are_swept, t)
{
    SLT_TIMEOUT(120);
    struct bed to;
    struct sweeper sweeper = {0};
    pthread_t thread;
    bed_init(&to);
    snprintf(to.path, sizeof to.path, "%s/copy.slc", SLT_TMPDIR());
    record(t);
    read_back(t);
    begin(&to, &(struct cap_start){.level = 1});
    sweeper.recording = to.recording;
    SLT_ASSERT_OK(sl_thread_start(&thread, "sweep", 0, sweep, &sweeper));
    copy_all(t, to.recording, &sweeper);
    sl_atomic_store_relaxed(&sweeper.ends, 1);
    pthread_join(thread, NULL);
    struct cap_writer_report report = end(&to);
    SLT_EXPECT_EQ(PACKETS, report.totals.calls);
    SLT_EXPECT_EQ(PACKETS / 2, report.totals.replies);
    SLT_EXPECT_EQ(PACKETS / FRAME, report.totals.frames);
    SLT_EXPECT_LE(PACKETS / REST, report.totals.chunks);
    read_back(&to);
    struct cap_event e;
    uint32_t calls = 0, verbs = 0, writes = 0;
    while (cap_merge_next(to.merge, &e, NULL) == SL_OK) {
        if (e.kind == CAP_EVENT_CALL) {
            SLT_ASSERT_TRUE(is_packet(&e.call, calls));
            SLT_ASSERT_EQ(calls % 2 * sizeof calls, e.call.reply_size);
            calls++;
        }
        verbs += e.kind == CAP_EVENT_VERB && e.verb.verb == CAP_VERB_CTX_ATTACH;
        writes += e.kind == CAP_EVENT_MEMORY;
    }
    SLT_EXPECT_EQ(PACKETS, calls);
    SLT_EXPECT_EQ(PACKETS / FRAME, verbs);
    SLT_EXPECT_EQ(report.totals.writes, writes);
    bed_finish(&to);
}

/* --- on one processor, too: bytes that cannot be read yet stop the copy where it holds a lane ---
 */

enum { PAGE = 4096 };

/* Of the test that runs; the handler has no other way to know. */
static struct {
    uint8_t *page;         /* cannot be read until the handler was there */
    struct cap_lane *lane; /* where its bytes go */
    uint32_t met, free;    /* how often; how often the lane was not held */
} stopped;

static void on_fault(int number)
{
    if (mprotect(stopped.page, PAGE, PROT_READ | PROT_WRITE) != 0) {
        (void)signal(number, SIG_DFL);
    }
    stopped.met++;
    if (cap_lane_try(stopped.lane)) {
        stopped.free++;
        cap_lane_unlock(stopped.lane);
    }
}

/* Copies the event, whose bytes lie in the page, and stops at them. */
static void copy_stopped(struct cap_copy *copy, const struct cap_event *event,
                         struct cap_lane *lane)
{
    stopped.lane = lane;
    SLT_ASSERT_EQ(0, mprotect(stopped.page, PAGE, PROT_NONE));
    SLT_ASSERT_OK(cap_copy_event(copy, event));
}

SLT_TEST_F(cap_copy, holds_a_lane_while_it_copies_into_it, t)
{
    static const uint32_t words[4] = {OPCODE, sizeof words, 2, 3};
    const struct sigaction action = {.sa_handler = on_fault};
    struct sigaction before;
    struct cap_copy copy;
    struct cap_event event = {.kind = CAP_EVENT_CALL, .stream = 1, .stamp = 1};
    begin(t, &(struct cap_start){.level = 1});
    cap_copy_init(&copy, t->recording, NULL);
    event.call = (struct cap_event_call){
        .packet = (const uint8_t *)words, .size = sizeof words, .ring_id = 9};
    SLT_ASSERT_OK(cap_copy_event(&copy, &event));
    struct cap_stream *s = cap_recording_stream(t->recording, 9);
    SLT_ASSERT_TRUE(s != NULL);
    stopped.met = stopped.free = 0;
    stopped.page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SLT_ASSERT_TRUE(stopped.page != MAP_FAILED);
    SLT_ASSERT_EQ(0, sigaction(SIGSEGV, &action, &before));
    memcpy(stopped.page, words, sizeof words);
    event.stamp++;
    event.call.packet = stopped.page;
    copy_stopped(&copy, &event, &s->calls);
    event.stamp++;
    event.call.packet = (const uint8_t *)words;
    event.call.has_result = event.call.has_reply = true;
    event.call.reply = stopped.page;
    event.call.reply_size = sizeof words;
    copy_stopped(&copy, &event, &s->calls);
    event = (struct cap_event){.kind = CAP_EVENT_VERB,
                               .stamp = event.stamp + 1,
                               .verb = {.verb = CAP_VERB_CTX_ATTACH,
                                        .body = stopped.page,
                                        .size = sizeof(struct cap_verb_ctx)}};
    copy_stopped(&copy, &event, &t->recording->verbs);
    SLT_EXPECT_EQ(0, sigaction(SIGSEGV, &before, NULL));
    SLT_EXPECT_EQ(3u, stopped.met);
    SLT_EXPECT_EQ(0u, stopped.free);
    munmap(stopped.page, PAGE);
    cap_copy_finish(&copy);
    SLT_EXPECT_EQ(3u, end(t).totals.calls);
}
