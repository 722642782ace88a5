/* Recordings, made as rings and devices make them, and read back. */
#include "host/capture/cap_bytes.h"
#include "host/capture/cap_merge.h"
#include "host/capture/cap_recording.h"
#include "tests/support/slt.h"
#include "transport/base/bytes.h"
#include "transport/base/shm.h"
#include "transport/base/thread.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { OPCODE = 7000, RESOURCE = 40, CONTEXT = 3 };

struct bed {
    struct cap_memory memory;
    struct cap_recording *recording;
    struct cap_reader *reader;
    struct cap_merge *merge;
    char path[4096];
};

static void begin(struct bed *t, const struct cap_start *more)
{
    struct cap_start start = *more;
    start.path = t->path;
    SLT_ASSERT_OK(cap_recording_start(&start, &t->memory, &t->recording));
    SLT_ASSERT_TRUE(cap_recording_chunk(t->recording, CAP_KIND_META, "{}", 2));
}

static void bed_init(struct bed *t)
{
    snprintf(t->path, sizeof t->path, "%s/t.slc", SLT_TMPDIR());
    cap_memory_init(&t->memory);
}

static struct cap_writer_report end(struct bed *t)
{
    struct cap_writer_report report;
    cap_recording_end(t->recording);
    cap_writer_finish(t->recording->writer, CAP_END_ASKED, 0, &report);
    cap_recording_unref(t->recording);
    t->recording = NULL;
    return report;
}

static void bed_finish(struct bed *t)
{
    cap_merge_destroy(t->merge);
    if (t->reader != NULL) {
        cap_reader_close(t->reader);
    }
    cap_memory_finish(&t->memory);
}

SLT_FIXTURE(cap_writer, struct bed, bed_init, bed_finish);

static struct cap_stream *stream_new(struct bed *t)
{
    const struct cap_call_head head = {.ctx_id = CONTEXT, .ring_id = 9, .capset = 8, .preamble = 5};
    struct cap_stream *s = cap_stream_begin(t->recording, &head);
    SLT_ASSERT_TRUE(s != NULL);
    return s;
}

/* A packet of `size` bytes whose every word is known. */
static void packet(struct cap_stream *s, uint32_t number, uint32_t size)
{
    uint32_t *words = malloc(size + 4);
    words[0] = OPCODE;
    words[1] = size;
    for (uint32_t i = 2; i < size / 4; i++) {
        words[i] = number * 77 + i;
    }
    cap_stream_packet(s, words, size, false);
    free(words);
}

static bool is_packet(const struct cap_event_call *call, uint32_t number)
{
    const uint8_t *p = call->packet;
    bool is = sl_load_u32(p) == OPCODE && sl_load_u32(p + 4) == call->size;
    for (uint32_t i = 2; is && i < call->size / 4; i++) {
        is = sl_load_u32(p + 4 * (size_t)i) == number * 77 + i;
    }
    return is;
}

static void read_back(struct bed *t)
{
    int fd = open(t->path, O_RDONLY | O_CLOEXEC);
    SLT_ASSERT_TRUE(fd >= 0);
    SLT_ASSERT_OK(cap_reader_open(fd, &t->reader));
    SLT_ASSERT_OK(cap_reader_scan(t->reader));
    SLT_EXPECT_TRUE(t->reader->is_complete);
    SLT_EXPECT_EQ(0u, t->reader->damage_count);
    SLT_ASSERT_OK(cap_merge_create(t->reader, &t->merge));
}

/* The next event of this kind; false: there is none. */
static bool next(struct bed *t, enum cap_event_kind kind, struct cap_event *event)
{
    enum sl_result result;
    do {
        result = cap_merge_next(t->merge, event, NULL);
        SLT_EXPECT_TRUE(result == SL_OK || result == SL_ERR_NOTFOUND);
    } while (result == SL_OK && event->kind != kind);
    return result == SL_OK;
}

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

/* --- memory --- */

#define PAGES 48u
#define SHOWN (PAGES * CAP_PAGE - 100) /* no whole number of pages */

static void search(struct cap_stream *s, uint32_t number)
{
    packet(s, number, 16);
    cap_stream_memory(s);
    cap_stream_outcome(s, &(struct vgd_outcome){0});
}

/* Brings a copy of the memory up to date; how many pieces that took. */
static uint32_t apply_to(struct bed *t, uint8_t *copy, uint32_t size)
{
    struct cap_event e;
    struct cap_piece piece;
    uint32_t pieces = 0;
    SLT_ASSERT_TRUE(next(t, CAP_EVENT_MEMORY, &e));
    SLT_EXPECT_EQ(RESOURCE, e.memory.resource_id);
    while (cap_merge_piece(t->merge, &e.memory, &piece) == SL_OK) {
        SLT_ASSERT_TRUE(piece.offset + piece.size <= size);
        memcpy(copy + piece.offset, piece.bytes, piece.size);
        pieces++;
    }
    return pieces;
}

static uint32_t apply(struct bed *t, uint8_t *copy)
{
    return apply_to(t, copy, SHOWN);
}

SLT_TEST_F(cap_writer, finds_what_was_written_to_memory, t)
{
    static uint8_t memory[PAGES * CAP_PAGE], first[sizeof memory], copy[sizeof memory];
    uint32_t size = SHOWN;
    begin(t, &(struct cap_start){.level = 1});
    struct cap_stream *s = stream_new(t);
    const struct cap_resource resource = {.id = RESOURCE, .ctx_id = CONTEXT, .blob_id = 6};
    SLT_ASSERT_OK(cap_memory_watch(&t->memory, &resource, CAP_WATCH_SUBMIT, memory, size));
    memset(memory, 0, sizeof memory);
    search(s, 0); /* zeros, as it was made: nothing */
    memory[5] = 1;
    memory[20 * CAP_PAGE] = 2;
    memory[size - 1] = 3;
    search(s, 1);
    memcpy(first, memory, sizeof memory);
    search(s, 2); /* nothing */
    memset(memory, 7, size);
    search(s, 3);
    cap_memory_pass(&t->memory, CONTEXT, 6);
    memset(memory, 8, size);
    search(s, 4); /* the host's own doing */
    cap_stream_end(s);
    struct cap_writer_report report = end(t);
    SLT_EXPECT_EQ(2u, report.totals.writes);
    /* All of it is sevens: blobs of 64 KiB, one of what is left. */
    SLT_EXPECT_EQ(3u + 2, report.totals.blobs);
    SLT_EXPECT_EQ(2ull * CAP_PIECE_BYTES - CAP_PIECE_BYTES, report.totals.shared_bytes);
    read_back(t);
    SLT_EXPECT_EQ(3u, apply(t, copy));
    SLT_EXPECT_MEMEQ(first, copy, size);
    SLT_EXPECT_EQ(3u, apply(t, copy));
    memset(memory, 7, size);
    SLT_EXPECT_MEMEQ(memory, copy, size);
    struct cap_event e;
    SLT_EXPECT_TRUE(!next(t, CAP_EVENT_MEMORY, &e));
}

/* A guest that shows its writes: it has the memory at one place, the host at another. */
struct shown {
    struct sl_writes *writes;
    uint8_t *guest;
    const uint8_t *host;
    uint32_t size;
    bool is_seen; /* this kernel can */
};

static void map_shown(struct bed *t, struct shown *m, uint32_t size)
{
    int fd, fds[2];
    void *guest, *host;
    m->size = size;
    SLT_ASSERT_OK(sl_shm_create("shown", m->size, &fd));
    SLT_ASSERT_OK(sl_shm_map(fd, m->size, &guest));
    SLT_ASSERT_OK(sl_shm_map(fd, m->size, &host));
    m->guest = guest;
    m->host = host;
    const struct cap_resource resource = {.id = RESOURCE, .ctx_id = CONTEXT, .blob_id = 6};
    SLT_ASSERT_OK(cap_memory_watch(&t->memory, &resource, CAP_WATCH_SUBMIT, host, m->size));
    cap_memory_file(&t->memory, RESOURCE, fd, 0);
    close(fd);
    m->is_seen = sl_writes_open(fds) == SL_OK;
    if (m->is_seen) {
        SLT_ASSERT_OK(sl_writes_create(fds, &m->writes));
        cap_memory_place(&t->memory, RESOURCE, m->writes, (uintptr_t)guest);
        sl_writes_unref(m->writes); /* kept */
    }
}

static void unmap_shown(struct bed *t, struct shown *m)
{
    cap_memory_forget(&t->memory, RESOURCE);
    sl_shm_unmap(m->guest, m->size);
    sl_shm_unmap((void *)(uintptr_t)m->host, m->size);
}

SLT_TEST_F(cap_writer, finds_what_a_guest_shows_that_it_wrote, t)
{
    static uint8_t first[PAGES * CAP_PAGE], copy[sizeof first];
    struct shown m;
    map_shown(t, &m, SHOWN);
    begin(t, &(struct cap_start){.level = 1});
    struct cap_stream *s = stream_new(t);
    m.guest[5] = 1;
    search(s, 0);
    m.guest[m.size - 1] = 3;
    m.guest[20 * CAP_PAGE] = 2;
    ((uint8_t *)(uintptr_t)m.host)[30 * CAP_PAGE] = 9; /* the host's, which a replay's does, too */
    search(s, 1);
    search(s, 2); /* nothing */
    memcpy(first, m.host, m.size);
    first[30 * CAP_PAGE] = m.is_seen ? 0 : 9;
    cap_memory_share(&t->memory, RESOURCE);
    m.guest[40 * CAP_PAGE] = 4;
    search(s, 3); /* the first by comparison: all of it */
    ((uint8_t *)(uintptr_t)m.host)[31 * CAP_PAGE] = 8;
    search(s, 4);
    cap_stream_end(s);
    SLT_EXPECT_EQ(m.is_seen ? 1u : 0u, end(t).totals.scanned);
    read_back(t);
    memset(copy, 0, sizeof copy);
    SLT_EXPECT_EQ(1u, apply(t, copy));
    SLT_EXPECT_EQ(m.is_seen ? 2u : 3u, apply(t, copy));
    SLT_EXPECT_MEMEQ(first, copy, m.size);
    SLT_EXPECT_EQ(m.is_seen ? 3u : 1u, apply(t, copy));
    SLT_EXPECT_EQ(1u, apply(t, copy));
    SLT_EXPECT_MEMEQ(m.host, copy, m.size);
    unmap_shown(t, &m);
}

static uint64_t resident_pages(void *mapping, uint32_t size)
{
    static unsigned char pages[8u << 20 >> 12];
    uint64_t count = 0;
    SLT_ASSERT_EQ(0, mincore(mapping, size, pages));
    for (uint32_t i = 0; i < size / CAP_PAGE; i++) {
        count += pages[i] & 1;
    }
    return count;
}

/* A large memory of which little was ever touched: the first look finds that and makes no more of
 * it. */
SLT_TEST_F(cap_writer, does_not_touch_what_a_guest_never_touched, t)
{
    static uint8_t copy[8u << 20];
    const uint32_t size = sizeof copy, at[] = {0, 3u << 20, (3u << 20) + CAP_PAGE, size - 1};
    struct shown m;
    map_shown(t, &m, size);
    begin(t, &(struct cap_start){.level = 1});
    struct cap_stream *s = stream_new(t);
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        m.guest[at[i]] = (uint8_t)(i + 1);
    }
    search(s, 0);
    SLT_EXPECT_EQ(m.is_seen ? 4u : size / CAP_PAGE, resident_pages(m.guest, size));
    cap_stream_end(s);
    (void)end(t);
    read_back(t);
    (void)apply_to(t, copy, size);
    SLT_EXPECT_TRUE(memcmp(m.host, copy, size) == 0);
    unmap_shown(t, &m);
}

/* The guest may map something else there at any time; then nothing is missing. */
SLT_TEST_F(cap_writer, is_not_misled_by_a_guest_that_maps_anew, t)
{
    static uint8_t copy[PAGES * CAP_PAGE];
    struct shown m;
    map_shown(t, &m, SHOWN);
    begin(t, &(struct cap_start){.level = 1});
    struct cap_stream *s = stream_new(t);
    m.guest[0] = 1;
    search(s, 0);
    uint32_t looks = 1;
    for (uint8_t i = 2; i < 10; i++, looks++) {
        m.guest[i * CAP_PAGE] = i;
        m.guest[0] = 0;
        /* The same pages at the same place, protected no more. */
        SLT_ASSERT_TRUE(mremap((void *)(uintptr_t)m.host, 0, m.size, MREMAP_MAYMOVE | MREMAP_FIXED,
                               m.guest) == m.guest);
        m.guest[i * CAP_PAGE + 1] = i;
        search(s, i);
    }
    cap_stream_end(s);
    (void)end(t);
    read_back(t);
    memset(copy, 0, sizeof copy);
    while (looks-- != 0) {
        SLT_EXPECT_LE(1u, apply(t, copy));
    }
    SLT_EXPECT_MEMEQ(m.host, copy, m.size);
    unmap_shown(t, &m);
}

struct scribbler {
    struct shown *shown;
    uint32_t seed, stop; /* atomic */
};

static void *scribble(void *user)
{
    struct scribbler *w = user;
    for (uint32_t x = w->seed; sl_atomic_load_relaxed(&w->stop) == 0;) {
        x = x * 1664525u + 1013904223u;
        __atomic_store_n(&w->shown->guest[x % w->shown->size], (uint8_t)(x >> 24),
                         __ATOMIC_RELAXED);
    }
    return NULL;
}

/* Threads write while it is recorded, over and over; when they stand, the recording is complete. */
SLT_TEST_F(cap_writer, misses_no_write_of_any_thread, t)
{
    static uint8_t copy[PAGES * CAP_PAGE];
    struct shown m;
    map_shown(t, &m, SHOWN);
    for (uint32_t round = 0; round < 3; round++) {
        struct scribbler w[2] = {{&m, 7 + round, 0}, {&m, 99 + round, 0}};
        pthread_t threads[2];
        begin(t, &(struct cap_start){.level = 1, .force = true});
        struct cap_stream *s = stream_new(t);
        for (int i = 0; i < 2; i++) {
            SLT_ASSERT_OK(sl_thread_start(&threads[i], "scribble", 0, scribble, &w[i]));
        }
        for (uint32_t i = 0; i < 200; i++) {
            search(s, i);
        }
        for (int i = 0; i < 2; i++) {
            sl_atomic_store_relaxed(&w[i].stop, 1);
            pthread_join(threads[i], NULL);
        }
        search(s, 200);
        cap_stream_end(s);
        struct cap_writer_report report = end(t);
        cap_memory_restart(&t->memory);
        read_back(t);
        memset(copy, 0, sizeof copy);
        for (uint64_t i = 0; i < report.totals.writes; i++) {
            (void)apply(t, copy);
        }
        SLT_EXPECT_MEMEQ(m.host, copy, m.size);
        cap_merge_destroy(t->merge);
        cap_reader_close(t->reader);
        t->merge = NULL;
        t->reader = NULL;
    }
    unmap_shown(t, &m);
}

SLT_TEST_F(cap_writer, finds_what_was_written_to_scattered_pages, t)
{
    static uint8_t pages[3][6000], copy[sizeof pages];
    const struct iovec iov[] = {{pages[2], 6000}, {pages[0], 100}, {pages[1], 6000}};
    const struct cap_resource resource = {.id = RESOURCE};
    memset(pages, 0, sizeof pages);
    memset(copy, 0, sizeof copy);
    begin(t, &(struct cap_start){.level = 1});
    SLT_ASSERT_OK(cap_memory_watch(&t->memory, &resource, CAP_WATCH_TRANSFER, NULL, 0));
    cap_memory_backing(&t->memory, RESOURCE, iov, 3);
    pages[2][0] = 1;
    pages[0][99] = 2;
    pages[1][5999] = 3;
    const struct cap_verb_transfer body = {.resource_id = RESOURCE};
    uint64_t stamp =
        cap_recording_verb(t->recording, CAP_VERB_TRANSFER, &body, sizeof body, NULL, 0);
    cap_recording_search(t->recording, RESOURCE, stamp);
    SLT_EXPECT_EQ(1u, end(t).totals.writes);
    read_back(t);
    SLT_EXPECT_LE(1u, apply(t, copy));
    SLT_EXPECT_EQ(1u, copy[0]);
    SLT_EXPECT_EQ(2u, copy[6099]);
    SLT_EXPECT_EQ(3u, copy[12099]);
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
