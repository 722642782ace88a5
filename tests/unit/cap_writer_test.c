/* Recordings, made as rings and devices make them, and read back. */
#include "host/capture/cap_bytes.h"
#include "tests/unit/cap_bed.h"
#include "transport/base/thread.h"

#include <string.h>
#include <unistd.h>

SLT_FIXTURE(cap_writer, struct bed, bed_init, bed_finish);

SLT_TEST_F(cap_writer, keeps_packets_that_run_along, t)
{
    uint32_t words[3 * 1000];
    begin(t, &(struct cap_start){.level = 1});
    struct cap_stream *s = stream_new(t);
    packet(s, 0, 12);
    for (uint32_t i = 0; i < 1000; i++) {
        const uint32_t one[] = {OPCODE, 12, (i + 1) * 77 + 2};
        memcpy(&words[3 * i], one, sizeof one);
    }
    cap_stream_packets(s, words, sizeof words);
    cap_stream_outcome(s, &(struct vgd_outcome){0});
    packet(s, 1001, 12);
    cap_stream_outcome(s, &(struct vgd_outcome){0});
    cap_stream_end(s);
    SLT_EXPECT_EQ(1002u, end(t).totals.calls);
    read_back(t);
    struct cap_event e;
    for (uint64_t i = 0, stamp = 0; i <= 1001; i++, stamp = e.stamp) {
        SLT_ASSERT_TRUE(next(t, CAP_EVENT_CALL, &e));
        SLT_EXPECT_TRUE(is_packet(&e.call, (uint32_t)i));
        SLT_EXPECT_TRUE(e.stamp > stamp);
    }
}

struct size_case {
    const char *label;
    uint32_t packet, reply;
};
static const struct size_case size_cases[] = {
    {"small", 16, 4},
    {"of_a_chunk", CAP_CHUNK_BYTES, CAP_CHUNK_BYTES},
    {"a_little_less", CAP_CHUNK_BYTES - 48, CAP_CHUNK_BYTES + 4000},
    {"more_than_a_chunk", 3u << 20, 5u << 20},
    {"all_that_a_payload_holds", CAP_PAYLOAD_MAX - 64, CAP_PAYLOAD_MAX},
    {"over_several_chunks", 40u << 20, 37u << 20},
};
SLT_TEST_FP(cap_writer, keeps_packets_and_replies, t, struct size_case, size_cases, c)
{
    SLT_TIMEOUT(60);
    begin(t, &(struct cap_start){.level = 1});
    struct cap_stream *s = stream_new(t);
    uint8_t *reply = malloc(c->reply);
    memset(reply, 0x5a, c->reply);
    for (uint32_t i = 0; i < 3; i++) {
        packet(s, i, c->packet);
        cap_stream_outcome(s, &(struct vgd_outcome){.reply = reply, .reply_size = c->reply});
        packet(s, 100 + i, 12);
        cap_stream_outcome(s, &(struct vgd_outcome){.refused = true});
    }
    cap_stream_end(s);
    struct cap_writer_report report = end(t);
    SLT_EXPECT_EQ(6u, report.totals.calls);
    SLT_EXPECT_EQ(3ull * (c->packet + 12), report.totals.call_bytes);
    SLT_EXPECT_EQ(3u, report.totals.replies);
    read_back(t);
    struct cap_event e;
    for (uint32_t i = 0; i < 3; i++) {
        SLT_ASSERT_TRUE(next(t, CAP_EVENT_CALL, &e));
        SLT_EXPECT_EQ(c->packet, e.call.size);
        SLT_EXPECT_TRUE(is_packet(&e.call, i));
        SLT_ASSERT_EQ(c->reply, e.call.reply_size);
        SLT_EXPECT_MEMEQ(reply, e.call.reply, c->reply);
        SLT_EXPECT_EQ(e.stamp, e.call.end_stamp);
        SLT_ASSERT_TRUE(next(t, CAP_EVENT_CALL, &e));
        SLT_EXPECT_TRUE(is_packet(&e.call, 100 + i));
        SLT_EXPECT_TRUE(e.call.is_refused);
        SLT_EXPECT_EQ(5u, e.call.preamble);
    }
    SLT_EXPECT_TRUE(!next(t, CAP_EVENT_CALL, &e));
    free(reply);
}

enum { THREADS = 4, PACKETS = 20000 };

struct worker {
    struct bed *t;
    struct cap_stream *stream;
    uint32_t first;
};

static void *work(void *user)
{
    struct worker *w = user;
    for (uint32_t i = 0; i < PACKETS; i++) {
        packet(w->stream, w->first + i, 16 + i % 5 * 4);
        cap_stream_outcome(w->stream, &(struct vgd_outcome){0});
        if (i % 1000 == 999) {
            cap_stream_frame(w->stream, &(struct vgd_frame){.kind = VGD_FRAME_FLUSH});
        }
    }
    cap_stream_end(w->stream);
    return NULL;
}

SLT_TEST_F(cap_writer, puts_the_packets_of_threads_in_one_order, t)
{
    SLT_TIMEOUT(60);
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    uint32_t seen[THREADS] = {0};
    begin(t, &(struct cap_start){.level = 1});
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){t, stream_new(t), i * PACKETS};
        SLT_ASSERT_OK(sl_thread_start(&threads[i], "work", 0, work, &workers[i]));
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    struct cap_writer_report report = end(t);
    SLT_EXPECT_EQ((uint64_t)THREADS * PACKETS, report.totals.calls);
    SLT_EXPECT_EQ((uint64_t)THREADS * PACKETS / 1000, report.totals.frames);
    SLT_EXPECT_EQ(THREADS, report.totals.streams);
    read_back(t);
    struct cap_event e;
    uint64_t last = 0;
    while (next(t, CAP_EVENT_CALL, &e)) {
        SLT_ASSERT_TRUE(e.stamp > last);
        last = e.stamp;
        uint32_t thread = e.stream - 1; /* they were begun in this order */
        SLT_ASSERT_TRUE(thread < THREADS);
        SLT_ASSERT_TRUE(is_packet(&e.call, thread * PACKETS + seen[thread]++));
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        SLT_EXPECT_EQ(PACKETS, seen[i]);
    }
}

enum { FRAMES = 20000 };

static void *end_frames(void *user)
{
    struct worker *w = user;
    for (uint32_t i = 0; i < FRAMES; i++) {
        packet(w->stream, i, 16);
        cap_stream_frame(w->stream, &(struct vgd_frame){.kind = VGD_FRAME_FLUSH});
    }
    sl_atomic_store_release(&w->first, 1);
    return NULL;
}

/* The list of streams and the frames are locked in one order: neither waits for the other. */
SLT_TEST_F(cap_writer, closes_all_while_frames_end, t)
{
    SLT_TIMEOUT(60);
    pthread_t thread;
    begin(t, &(struct cap_start){.level = 1});
    struct worker w = {.t = t, .stream = stream_new(t)};
    SLT_ASSERT_OK(sl_thread_start(&thread, "frames", 0, end_frames, &w));
    while (sl_atomic_load_acquire(&w.first) == 0) {
        cap_recording_close_all(t->recording);
    }
    pthread_join(thread, NULL);
    cap_stream_end(w.stream);
    SLT_EXPECT_EQ((uint64_t)FRAMES, end(t).totals.frames);
}

SLT_TEST_F(cap_writer, keeps_verbs_with_their_results, t)
{
    begin(t, &(struct cap_start){.level = 1});
    const struct cap_verb_ctx body = {.ctx_id = 4, .value = 8};
    const struct cap_verb_result result = {.result = SL_ERR_NOMEM, .value = 12};
    uint64_t stamp =
        cap_recording_verb(t->recording, CAP_VERB_CTX_CREATE, &body, sizeof body, "name", 4);
    (void)cap_recording_verb(t->recording, CAP_VERB_RESULT, &result, sizeof result, NULL, 0);
    SLT_EXPECT_EQ(1u, end(t).totals.verbs);
    read_back(t);
    struct cap_event e;
    SLT_ASSERT_TRUE(next(t, CAP_EVENT_VERB, &e));
    SLT_EXPECT_EQ(stamp, e.stamp);
    SLT_EXPECT_EQ(CAP_VERB_CTX_CREATE, e.verb.verb);
    SLT_ASSERT_EQ(sizeof body + 4, e.verb.size);
    SLT_EXPECT_MEMEQ(&body, e.verb.body, sizeof body);
    SLT_EXPECT_MEMEQ("name", e.verb.body + sizeof body, 4);
    SLT_EXPECT_EQ(SL_ERR_NOMEM, e.verb.result);
    SLT_EXPECT_EQ(12u, e.verb.value);
}

/* --- ends --- */

SLT_TEST_F(cap_writer, stops_after_the_frames_that_are_asked_for, t)
{
    begin(t, &(struct cap_start){.frames = 2});
    struct cap_stream *s = stream_new(t);
    for (uint32_t i = 0; i < 5; i++) {
        packet(s, i, 16);
        cap_stream_frame(s, &(struct vgd_frame){.kind = VGD_FRAME_FLUSH, .surface = 70 + i});
    }
    SLT_EXPECT_TRUE(cap_recording_is_over(t->recording));
    cap_stream_end(s);
    struct cap_writer_report report = end(t);
    SLT_EXPECT_EQ(2u, report.totals.frames);
    SLT_EXPECT_EQ(2u, report.totals.calls);
    read_back(t);
    struct cap_event e;
    for (uint32_t i = 0; i < 2; i++) {
        SLT_ASSERT_TRUE(next(t, CAP_EVENT_FRAME, &e));
        SLT_EXPECT_EQ(70u + i, e.frame.surface);
    }
}

SLT_TEST_F(cap_writer, ends_a_file_that_may_not_grow, t)
{
    begin(t, &(struct cap_start){.max_size = 6u << 20});
    struct cap_stream *s = stream_new(t);
    for (uint32_t i = 0; i < 40; i++) {
        packet(s, i, 1u << 20);
    }
    cap_stream_end(s);
    struct cap_writer_report report = end(t);
    SLT_EXPECT_EQ(CAP_END_SIZE, report.reason);
    SLT_EXPECT_TRUE(report.has_end && report.has_name);
    SLT_EXPECT_LE(report.file_size, 6u << 20);
    read_back(t);
    struct cap_event e;
    uint32_t count = 0;
    for (; next(t, CAP_EVENT_CALL, &e); count++) {
        SLT_EXPECT_TRUE(is_packet(&e.call, count));
    }
    SLT_EXPECT_EQ(report.totals.calls, count);
    SLT_EXPECT_GE(count, 2u);
    SLT_EXPECT_LE(count, 5u);
}

/* A stream whose ring is slow to notice: what comes after the end is taken by nobody. */
SLT_TEST_F(cap_writer, streams_outlive_their_recording, t)
{
    begin(t, &(struct cap_start){.level = 1});
    struct cap_stream *s = stream_new(t);
    packet(s, 0, 16);
    SLT_EXPECT_EQ(1u, end(t).totals.calls);
    packet(s, 1, 16);
    cap_stream_memory(s);
    cap_stream_outcome(s, &(struct vgd_outcome){.refused = true});
    cap_stream_frame(s, &(struct vgd_frame){.kind = VGD_FRAME_FLUSH});
    cap_stream_end(s);
    read_back(t);
    struct cap_event e;
    SLT_EXPECT_TRUE(next(t, CAP_EVENT_CALL, &e));
    SLT_EXPECT_TRUE(!next(t, CAP_EVENT_CALL, &e));
}
