/* A trace of several index segments: what the index finds of it is what a scan finds. */
#include "host/capture/cap_bytes.h"
#include "host/capture/cap_merge.h"
#include "host/capture/cap_recording.h"
#include "host/capture/cap_seek.h"
#include "tests/support/slt.h"
#include "transport/base/bytes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { OPCODE = 7000, LARGE = 3 << 20, ROUNDS = 48, FRAMES = ROUNDS / 4 };

struct bed {
    struct cap_memory memory;
    struct cap_recording *recording;
    char path[4096];
    uint64_t calls;
};

static void bed_init(struct bed *t)
{
    snprintf(t->path, sizeof t->path, "%s/t.slc", SLT_TMPDIR());
    cap_memory_init(&t->memory);
}

static void bed_finish(struct bed *t)
{
    cap_memory_finish(&t->memory);
}

SLT_FIXTURE(cap_seek, struct bed, bed_init, bed_finish);

static struct cap_stream *stream_new(struct bed *t, uint32_t ring)
{
    const struct cap_call_head head = {.ctx_id = 1, .ring_id = ring, .capset = 8, .preamble = 5};
    struct cap_stream *s = cap_stream_begin(t->recording, &head);
    SLT_ASSERT_TRUE(s != NULL);
    return s;
}

static void small_call(struct cap_stream *s, uint32_t *packet)
{
    packet[1] = 16;
    cap_stream_packet(s, packet, packet[1], false);
    cap_stream_outcome(s, &(struct vgd_outcome){.reply = packet, .reply_size = 12});
}

/* A call in a chunk that no sweep can close from then on: the lane is locked. */
static void begin_busy(struct cap_stream *s, uint32_t *packet)
{
    for (;;) {
        small_call(s, packet);
        cap_lane_lock(&s->calls);
        if (s->calls.open != NULL) {
            return;
        }
        cap_lane_unlock(&s->calls);
    }
}

/* Larger than a chunk, so that records spill; other streams' chunks lie between. is_busy: stream 1
 * has one call at the beginning, whose chunk comes segments late, and one at the end. */
static void record_busy(struct bed *t, bool is_busy)
{
    struct cap_start start = {.path = t->path, .level = 0};
    struct cap_writer_report report;
    uint32_t *packet = calloc(1, LARGE);
    SLT_ASSERT_TRUE(packet != NULL);
    SLT_ASSERT_OK(cap_recording_start(&start, &t->memory, &t->recording));
    SLT_ASSERT_TRUE(cap_recording_chunk(t->recording, CAP_KIND_META, "{}", 2));
    SLT_ASSERT_TRUE(cap_recording_chunk(t->recording, CAP_KIND_PROT, "{}", 2));
    struct cap_stream *streams[] = {stream_new(t, 9), stream_new(t, 10)};
    packet[0] = OPCODE;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        packet[2] = i;
        if (!is_busy || i + 1 == ROUNDS) {
            small_call(streams[1], packet);
        } else if (i == 0) {
            begin_busy(streams[1], packet);
        } else if (i + 2 == ROUNDS) {
            cap_lane_unlock(&streams[1]->calls);
        }
        packet[1] = LARGE;
        cap_stream_packet(streams[0], packet, packet[1], false);
        cap_stream_outcome(streams[0], &(struct vgd_outcome){.reply = packet, .reply_size = 8});
        if (i % 4 == 3) {
            cap_stream_frame(streams[0], &(struct vgd_frame){.kind = VGD_FRAME_FLUSH});
        }
    }
    cap_stream_end(streams[0]);
    cap_stream_end(streams[1]);
    free(packet);
    cap_recording_end(t->recording);
    cap_writer_finish(t->recording->writer, CAP_END_ASKED, 0, &report);
    cap_recording_unref(t->recording);
    t->calls = report.totals.calls;
    SLT_EXPECT_GE(t->calls, (is_busy ? 1u : 2u) * ROUNDS);
    SLT_EXPECT_EQ((uint64_t)FRAMES, report.totals.frames);
}

static void record(struct bed *t)
{
    record_busy(t, false);
}

static struct cap_reader *open_it(const struct bed *t)
{
    struct cap_reader *reader = NULL;
    int fd = open(t->path, O_RDONLY | O_CLOEXEC);
    SLT_ASSERT_TRUE(fd >= 0);
    SLT_ASSERT_OK(cap_reader_open(fd, &reader));
    return reader;
}

SLT_TEST_F(cap_seek, gives_all_chunks_that_a_scan_gives, t)
{
    SLT_TIMEOUT(60);
    record(t);
    struct cap_reader *scanned = open_it(t), *sought = open_it(t);
    SLT_ASSERT_OK(cap_reader_scan(scanned));
    SLT_ASSERT_OK(cap_seek_all(sought));
    struct cap_payload payload = {0};
    enum cap_damage_kind why;
    uint32_t at = 0, segments = 0;
    for (uint32_t i = 0; i < scanned->chunk_count; i++) {
        const struct cap_chunk *want = &scanned->chunks[i];
        segments += want->kind == CAP_KIND_INDX;
        if (want->kind == CAP_KIND_INDX || want->kind == CAP_KIND_END) {
            continue;
        }
        SLT_ASSERT_TRUE(at < sought->chunk_count);
        const struct cap_chunk *got = &sought->chunks[at++];
        SLT_EXPECT_EQ(want->offset, got->offset);
        SLT_EXPECT_EQ(want->number, got->number);
        SLT_EXPECT_EQ(want->kind, got->kind);
        SLT_EXPECT_EQ(want->stream, got->stream);
        SLT_EXPECT_EQ(want->flags, got->flags);
        SLT_EXPECT_EQ(want->records, got->records);
        SLT_EXPECT_EQ(want->first_record, got->first_record);
        SLT_EXPECT_EQ(want->first_stamp, got->first_stamp);
        SLT_EXPECT_EQ(want->time, got->time);
        SLT_EXPECT_EQ(want->raw_size, got->raw_size);
        SLT_EXPECT_EQ(want->stored_size, got->stored_size);
        SLT_EXPECT_OK(cap_reader_load(sought, got, &payload, &why));
    }
    cap_payload_finish(&payload);
    SLT_EXPECT_EQ(sought->chunk_count, at);
    SLT_EXPECT_GE(segments, 3u);
    cap_reader_close(scanned);
    cap_reader_close(sought);
}

/* The call with this stamp, and how many frames end before it. */
struct one {
    uint32_t stream, size, reply_size;
    uint64_t frame, end_stamp;
};

static bool find(struct cap_reader *reader, uint64_t stamp, uint64_t frame, struct one *out)
{
    struct cap_merge *merge = NULL;
    struct cap_event e;
    bool found = false;
    SLT_ASSERT_OK(cap_merge_create(reader, &merge));
    while (cap_merge_next(merge, &e, NULL) == SL_OK && !found) {
        frame += e.kind == CAP_EVENT_FRAME && e.stamp < stamp;
        found = e.kind == CAP_EVENT_CALL && e.stamp == stamp;
        if (found) {
            *out = (struct one){e.stream, e.call.size, e.call.reply_size, frame, e.call.end_stamp};
        }
    }
    SLT_EXPECT_EQ(0u, reader->damage_count);
    cap_merge_destroy(merge);
    return found;
}

static void expect_each_call_found(const struct bed *t)
{
    struct cap_reader *scanned = open_it(t);
    SLT_ASSERT_OK(cap_reader_scan(scanned));
    const uint64_t last = t->calls + 4; /* streams' verbs have stamps, too */
    for (uint64_t stamp = 1; stamp <= last; stamp += stamp < 8 || stamp + 8 > last ? 1 : 7) {
        struct cap_reader *sought = open_it(t);
        struct one want = {0}, got = {0};
        uint64_t frame = 0;
        bool is_call = find(scanned, stamp, 0, &want);
        if (cap_seek_stamps(sought, stamp, stamp, &frame) == SL_OK) {
            struct cap_merge *merge = NULL;
            struct cap_event e;
            bool found = false;
            SLT_ASSERT_OK(cap_merge_create(sought, &merge));
            while (!found && cap_merge_next(merge, &e, NULL) == SL_OK) {
                found = e.kind == CAP_EVENT_CALL && e.stamp == stamp;
                if (found) {
                    got = (struct one){e.stream, e.call.size, e.call.reply_size, frame,
                                       e.call.end_stamp};
                }
            }
            SLT_EXPECT_EQ(is_call, found);
            SLT_EXPECT_LE(sought->chunk_count, 60u); /* of some 580 */
            SLT_EXPECT_EQ(0u, sought->damage_count);
            cap_merge_destroy(merge);
        } else {
            SLT_EXPECT_TRUE(!is_call);
        }
        SLT_EXPECT_EQ(want.stream, got.stream);
        SLT_EXPECT_EQ(want.size, got.size);
        SLT_EXPECT_EQ(want.reply_size, got.reply_size);
        SLT_EXPECT_EQ(want.frame, got.frame);
        SLT_EXPECT_EQ(want.end_stamp, got.end_stamp);
        cap_reader_close(sought);
    }
    cap_reader_close(scanned);
}

SLT_TEST_F(cap_seek, finds_one_call_of_many, t)
{
    SLT_TIMEOUT(60);
    record(t);
    expect_each_call_found(t);
}

/* A stream whose chunk stays open while others fill segments. */
SLT_TEST_F(cap_seek, finds_calls_that_come_segments_late, t)
{
    SLT_TIMEOUT(60);
    record_busy(t, true);
    expect_each_call_found(t);
}

SLT_TEST_F(cap_seek, finds_frames, t)
{
    SLT_TIMEOUT(60);
    record(t);
    struct cap_reader *reader = open_it(t);
    uint64_t first = 0, last = 0, before = 0;
    for (uint64_t frame = 0; frame < FRAMES; frame++) {
        SLT_ASSERT_OK(cap_seek_frame(reader, frame, &first, &last));
        SLT_EXPECT_EQ(before + 1, first);
        SLT_EXPECT_LE(first + 7, last);
        before = last;
    }
    SLT_EXPECT_EQ(SL_ERR_NOTFOUND, cap_seek_frame(reader, FRAMES, &first, &last));
    SLT_EXPECT_EQ(SL_ERR_NOTFOUND, cap_seek_stamps(reader, before + 100, before + 100, &first));
    cap_reader_close(reader);
}

/* An index that tells of another chunk than the one that lies there. */
SLT_TEST_F(cap_seek, damage_behind_the_index_is_seen, t)
{
    SLT_TIMEOUT(60);
    record(t);
    struct cap_reader *reader = open_it(t);
    SLT_ASSERT_OK(cap_seek_all(reader));
    int fd = open(t->path, O_RDWR | O_CLOEXEC);
    const struct cap_chunk *first = &reader->chunks[5], *second = &reader->chunks[6];
    struct cap_payload payload = {0};
    enum cap_damage_kind why = CAP_DAMAGE_RECORD;
    uint8_t header[64];
    SLT_ASSERT_OK(cap_reader_load(reader, first, &payload, &why));
    SLT_ASSERT_EQ(64, pread(fd, header, 64, (off_t)second->offset));
    SLT_ASSERT_EQ(64, pwrite(fd, header, 64, (off_t)first->offset));
    SLT_EXPECT_EQ(SL_ERR_PROTOCOL, cap_reader_load(reader, first, &payload, &why));
    SLT_EXPECT_EQ(CAP_DAMAGE_HEADER, why);
    header[20] ^= 1;
    SLT_ASSERT_EQ(64, pwrite(fd, header, 64, (off_t)second->offset));
    SLT_EXPECT_EQ(SL_ERR_PROTOCOL, cap_reader_load(reader, second, &payload, &why));
    SLT_EXPECT_EQ(CAP_DAMAGE_HEADER, why);
    close(fd);
    cap_payload_finish(&payload);
    cap_reader_close(reader);
}

/* The head of an index segment's payload, changed as a liar would: the sums match. */
static void change_head(const struct bed *t, const struct cap_chunk *chunk,
                        void (*change)(struct cap_index_head *head))
{
    int fd = open(t->path, O_RDWR | O_CLOEXEC);
    off_t at = (off_t)chunk->offset, behind = at + (off_t)sizeof(struct cap_chunk_header);
    uint8_t *payload = malloc(chunk->stored_size);
    struct cap_chunk_header header;
    struct cap_index_head head;
    SLT_ASSERT_TRUE(fd >= 0 && payload != NULL);
    SLT_ASSERT_EQ((ssize_t)sizeof header, pread(fd, &header, sizeof header, at));
    SLT_ASSERT_EQ((ssize_t)chunk->stored_size, pread(fd, payload, chunk->stored_size, behind));
    memcpy(&head, payload, sizeof head);
    change(&head);
    memcpy(payload, &head, sizeof head);
    header.hash = XXH3_64bits(payload, chunk->stored_size);
    header.crc = cap_crc32c(&header, offsetof(struct cap_chunk_header, crc));
    SLT_ASSERT_EQ((ssize_t)sizeof header, pwrite(fd, &header, sizeof header, at));
    SLT_ASSERT_EQ((ssize_t)chunk->stored_size, pwrite(fd, payload, chunk->stored_size, behind));
    free(payload);
    close(fd);
}

/* Changes the first segment, or the last. */
static void lie(const struct bed *t, bool last, void (*change)(struct cap_index_head *head))
{
    struct cap_reader *reader = open_it(t);
    const struct cap_chunk *found = NULL;
    SLT_ASSERT_OK(cap_reader_scan(reader));
    for (uint32_t i = 0; i < reader->chunk_count && (last || found == NULL); i++) {
        found = reader->chunks[i].kind == CAP_KIND_INDX ? &reader->chunks[i] : found;
    }
    SLT_ASSERT_TRUE(found != NULL && (found->flags & CAP_CHUNK_ZSTD) == 0);
    change_head(t, found, change);
    cap_reader_close(reader);
}

static void begin_late(struct cap_index_head *head)
{
    head->first_frame = 1;
}

/* The first segment says that there were frames before it, of which nothing is told. */
SLT_TEST_F(cap_seek, a_frame_behind_frames_that_no_segment_has_is_not_found, t)
{
    SLT_TIMEOUT(60);
    record(t);
    lie(t, false, begin_late);
    struct cap_reader *reader = open_it(t);
    uint64_t first = 0, last = 0;
    SLT_EXPECT_EQ(SL_ERR_NOTFOUND, cap_seek_frame(reader, 0, &first, &last));
    SLT_EXPECT_EQ(SL_ERR_NOTFOUND, cap_seek_frame(reader, 1, &first, &last));
    cap_reader_close(reader);
}

static void number_high(struct cap_index_head *head)
{
    head->segment = UINT32_MAX;
}

/* The last segment says that there are four thousand million before it. */
SLT_TEST_F(cap_seek, segments_that_are_not_there_are_not_gathered, t)
{
    SLT_TIMEOUT(60);
    record(t);
    lie(t, true, number_high);
    struct cap_reader *reader = open_it(t);
    uint64_t frame = 0;
    SLT_EXPECT_EQ(SL_ERR_NOTFOUND, cap_seek_stamps(reader, 1, UINT64_MAX, &frame));
    cap_reader_close(reader);
}
