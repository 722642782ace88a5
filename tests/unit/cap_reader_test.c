/* Traces as they come from disks: whole, cut, damaged, and made by an enemy. */
#include "host/capture/cap_bytes.h"
#include "host/capture/cap_index.h"
#include "host/capture/cap_merge.h"
#include "tests/support/slt.h"
#include "tests/support/trace_maker.h"
#include "transport/base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CAPSET = 62, OPCODE = 30000 };

/* Everything that a trace gives, as text. */
struct story {
    char *text;
    size_t size;
    uint32_t damages;
    uint64_t calls;
    enum sl_result result; /* why it ended */
};

static void tell_event(FILE *out, struct cap_merge *merge, struct cap_event *e, struct story *s)
{
    struct cap_piece piece;
    switch (e->kind) {
    case CAP_EVENT_CALL:
        s->calls++;
        fprintf(out, "%llu call %u of %u bytes", (unsigned long long)e->stamp,
                sl_load_u32(e->call.packet), e->call.size);
        if (e->call.has_result) {
            fprintf(out, " -> %u bytes by %llu%s", e->call.reply_size,
                    (unsigned long long)e->call.end_stamp, e->call.is_refused ? " refused" : "");
        }
        break;
    case CAP_EVENT_VERB:
        fprintf(out, "%llu verb %u -> %d", (unsigned long long)e->stamp, e->verb.verb,
                e->verb.result);
        break;
    case CAP_EVENT_MEMORY:
        fprintf(out, "%llu memory %u:", (unsigned long long)e->stamp, e->memory.resource_id);
        while (cap_merge_piece(merge, &e->memory, &piece) == SL_OK) {
            fprintf(out, " %llu+%u=%02x", (unsigned long long)piece.offset, piece.size,
                    piece.bytes[0]);
        }
        break;
    case CAP_EVENT_FRAME:
        fprintf(out, "%llu frame", (unsigned long long)e->stamp);
        break;
    case CAP_EVENT_TEXT:
        fprintf(out, "%llu text", (unsigned long long)e->stamp);
        break;
    }
    fputc('\n', out);
}

/* fd: taken. The file's own refusal is a result, too. */
static struct story story_of(int fd)
{
    struct story s = {0};
    FILE *out = open_memstream(&s.text, &s.size);
    struct cap_reader *reader = NULL;
    struct cap_merge *merge = NULL;
    struct cap_event event;
    struct cap_damage damage;
    s.result = cap_reader_open(fd, &reader);
    if (s.result == SL_OK) {
        s.result = cap_reader_scan(reader);
    }
    if (s.result == SL_OK) {
        s.result = cap_merge_create(reader, &merge);
    }
    while (s.result == SL_OK) {
        s.result = cap_merge_next(merge, &event, &damage);
        if (s.result == SL_OK) {
            tell_event(out, merge, &event, &s);
        } else if (s.result == SL_ERR_PROTOCOL) {
            s.damages++;
            s.result = SL_OK;
        }
    }
    cap_merge_destroy(merge);
    cap_reader_close(reader);
    fclose(out);
    return s;
}

#define EXPECT_STORY(maker, want)                                                                  \
    do {                                                                                           \
        struct story s_ = story_of(trace_maker_fd(maker));                                         \
        SLT_EXPECT_STREQ(want, s_.text);                                                           \
        SLT_EXPECT_EQ(0u, s_.damages);                                                             \
        free(s_.text);                                                                             \
    } while (0)

SLT_FIXTURE(trace, struct trace_maker, trace_maker_init, trace_maker_finish);

static const struct trace_chunk calls_of_1 = {.kind = CAP_KIND_CALL, .stream = 1, .records = 2};

/* Two streams, a verb, a frame, memory by value and by reference; packed and not. */
static void make_some(struct trace_maker *m, bool ends)
{
    const uint32_t body[2] = {1, 2};
    struct trace_chunk chunk = {.kind = CAP_KIND_VERB, .records = 1, .first_stamp = 1};
    const struct cap_verb_ctx ctx = {.ctx_id = 1, .value = CAPSET};
    trace_verbs_begin(m, 1);
    trace_verb(m, 1, CAP_VERB_CTX_CREATE, &ctx, sizeof ctx);
    trace_chunk(m, &chunk);

    const struct cap_blob_head head = {.key = {1, 2}, .size = 5};
    trace_put(m, &head, sizeof head);
    trace_put(m, "\xaa\xaa\xaa\xaa\xaa\0\0\0", 8);
    trace_put(m, &head, sizeof head);
    trace_put(m, "\xbb\xbb\xbb\xbb\xbb\0\0\0", 8);
    trace_chunk(m, &(struct trace_chunk){.kind = CAP_KIND_BLOB, .records = 2});

    trace_put_varint(m, 0); /* stamp 4 */
    trace_put_u8(m, CAP_MEMW_COMPARE);
    trace_put_varint(m, 9);
    trace_put_varint(m, 2);
    trace_put_varint(m, 16);
    trace_put_varint(m, 3 << 1);
    trace_put(m, "\xcc\xcc\xcc", 3);
    trace_put_varint(m, 81);
    trace_put_varint(m, 5 << 1 | 1);
    trace_put_varint(m, 1);
    trace_chunk(m, &(struct trace_chunk){
                       .kind = CAP_KIND_MEMW, .stream = 2, .records = 1, .first_stamp = 4});

    trace_calls_begin(m, 2, 1, 9, CAPSET);
    trace_call(m, 2, OPCODE, body, 8);
    trace_call(m, 5, OPCODE + 1, body, 4);
    trace_result(m, 0, 6, body, 8);
    chunk = calls_of_1;
    chunk.flags = CAP_CHUNK_ZSTD;
    chunk.first_stamp = 2;
    trace_chunk(m, &chunk);

    trace_calls_begin(m, 3, 1, 10, CAPSET);
    trace_call(m, 3, OPCODE + 2, NULL, 0);
    trace_call(m, 4, OPCODE + 3, NULL, 0);
    trace_result(m, CAP_CALL_REFUSED, 4, NULL, 0);
    trace_chunk(m, &(struct trace_chunk){
                       .kind = CAP_KIND_CALL, .stream = 2, .records = 2, .first_stamp = 3});
    trace_frame(m, 4, 2, 0);
    if (ends) {
        trace_end(m);
    }
}

static const char some[] = "1 verb 1 -> 0\n"
                           "2 call 30000 of 16 bytes\n"
                           "3 call 30002 of 8 bytes\n"
                           "4 memory 9: 16+3=cc 100+5=bb\n"
                           "4 call 30003 of 8 bytes -> 0 bytes by 4 refused\n"
                           "4 frame\n"
                           "5 call 30001 of 12 bytes -> 8 bytes by 6\n";

SLT_TEST_F(trace, streams_are_merged_by_stamp, m)
{
    make_some(m, true);
    EXPECT_STORY(m, some);
}

SLT_TEST_F(trace, a_recording_without_an_end_is_read_too, m)
{
    make_some(m, false);
    EXPECT_STORY(m, some);
}

/* A frame's mark and a stream's calls may be written before the verbs that they follow. */
SLT_TEST_F(trace, a_cut_beginning_gives_nothing, m)
{
    trace_frame(m, 3, 2, 0);
    EXPECT_STORY(m, "");
    trace_calls_begin(m, 2, 1, 9, CAPSET);
    trace_call(m, 2, OPCODE, NULL, 0);
    trace_call(m, 3, OPCODE + 1, NULL, 0);
    struct trace_chunk chunk = calls_of_1;
    chunk.first_stamp = 2;
    trace_chunk(m, &chunk);
    EXPECT_STORY(m, "");
    const struct cap_verb_ctx ctx = {.ctx_id = 1, .value = CAPSET};
    trace_verbs_begin(m, 1);
    trace_verb(m, 1, CAP_VERB_CTX_CREATE, &ctx, sizeof ctx);
    trace_chunk(m, &(struct trace_chunk){.kind = CAP_KIND_VERB, .records = 1, .first_stamp = 1});
    EXPECT_STORY(m, "1 verb 1 -> 0\n"
                    "2 call 30000 of 8 bytes\n"
                    "3 call 30001 of 8 bytes\n"
                    "3 frame\n");
}

SLT_TEST_F(trace, a_packet_spills_over_chunks, m)
{
    uint8_t body[1000];
    memset(body, 0x5a, sizeof body);
    for (uint32_t i = 0; i < 4; i++) {
        trace_calls_begin(m, 7, 1, 9, CAPSET);
        if (i == 0) {
            trace_call(m, 7, OPCODE, NULL, 0);
            trace_put_u8(m, CAP_CALL_PACKET);
            trace_put_varint(m, 1);
            trace_put_u32(m, OPCODE + 1);
            trace_put_u32(m, 3008);
            trace_put_u8(m, body[0]);
        } else {
            trace_put(m, body, i == 3 ? 999 : 1000);
        }
        if (i == 3) {
            trace_result(m, 0, 9, "abcd", 4);
            m->stamp = 9; /* what this chunk counts from */
            trace_call(m, 9, OPCODE + 2, NULL, 0);
        }
        const struct trace_chunk chunk = {.kind = CAP_KIND_CALL,
                                          .stream = 1,
                                          .records = i == 0   ? 2
                                                     : i == 3 ? 1
                                                              : 0,
                                          .first_stamp = i == 0 ? 7 : 9,
                                          .first_record = i == 0 ? 0 : 2,
                                          .flags = (uint16_t)((i != 0 ? CAP_CHUNK_CONTINUED : 0) |
                                                              (i != 3 ? CAP_CHUNK_SPILLS : 0))};
        trace_chunk(m, &chunk);
    }
    trace_end(m); /* whole: the stamps before the first are nobody's */
    struct story s = story_of(trace_maker_fd(m));
    SLT_EXPECT_STREQ("7 call 30000 of 8 bytes\n"
                     "8 call 30001 of 3008 bytes -> 4 bytes by 10\n"
                     "9 call 30002 of 8 bytes\n",
                     s.text);
    free(s.text);
}

/* Of one copy of the file with byte `at` changed. */
static bool is_noticed(const struct trace_maker *m, size_t at, uint8_t change)
{
    m->data[at] ^= change;
    int fd = trace_maker_fd(m);
    m->data[at] ^= change;
    struct cap_reader *reader = NULL;
    struct cap_payload payload = {0};
    enum cap_damage_kind why;
    bool noticed = cap_reader_open(fd, &reader) != SL_OK || cap_reader_scan(reader) != SL_OK ||
                   reader->damage_count != 0 || !reader->is_complete;
    for (uint32_t i = 0; !noticed && i < reader->chunk_count; i++) {
        noticed = cap_reader_load(reader, &reader->chunks[i], &payload, &why) != SL_OK;
    }
    cap_payload_finish(&payload);
    cap_reader_close(reader);
    return noticed;
}

SLT_TEST_F(trace, every_changed_byte_is_noticed, m)
{
    make_some(m, true);
    for (size_t at = 0; at < m->size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            if (!is_noticed(m, at, (uint8_t)(1u << bit))) {
                SLT_SCOPE("byte %zu, bit %u", at, bit);
                SLT_EXPECT_TRUE(false);
            }
        }
    }
    SLT_EXPECT_TRUE(!is_noticed(m, 0, 0));
}

SLT_TEST_F(trace, a_cut_file_gives_what_lies_before, m)
{
    make_some(m, true);
    size_t whole = m->size;
    for (m->size = 0; m->size < whole; m->size++) {
        struct story s = story_of(trace_maker_fd(m));
        SLT_SCOPE("%zu of %zu bytes", m->size, whole);
        SLT_EXPECT_EQ(0u, s.damages);
        /* A prefix, as far as stamps show that nothing is missing. */
        bool is_refused = m->size < sizeof(struct cap_file_header);
        SLT_EXPECT_EQ(is_refused, s.result != SL_ERR_NOTFOUND);
        const char *line = s.text;
        for (const char *next; (next = strchr(line, '\n')) != NULL; line = next + 1) {
            char one[128];
            snprintf(one, sizeof one, "%.*s", (int)(next - line), line);
            char *what = strstr(one, " ->"); /* its result may be lost */
            one[what != NULL ? (size_t)(what - one) : strlen(one)] = '\0';
            SLT_EXPECT_TRUE(strstr(some, one) != NULL);
        }
        free(s.text);
    }
    m->size = whole;
}

SLT_TEST_F(trace, a_damaged_chunk_costs_itself, m)
{
    make_some(m, true);
    struct cap_reader *reader = NULL;
    SLT_ASSERT_OK(cap_reader_open(trace_maker_fd(m), &reader));
    SLT_ASSERT_OK(cap_reader_scan(reader));
    for (uint32_t i = 0; i < reader->chunk_count; i++) {
        for (int in_payload = 0; in_payload < 2; in_payload++) {
            size_t at = reader->chunks[i].offset + (in_payload ? 64 : 20);
            m->data[at] ^= 1;
            struct story s = story_of(trace_maker_fd(m));
            m->data[at] ^= 1;
            SLT_SCOPE("chunk %u, %s", i, in_payload ? "payload" : "header");
            uint32_t kind = reader->chunks[i].kind;
            bool is_walked = kind != CAP_KIND_INDX && kind != CAP_KIND_END;
            SLT_EXPECT_TRUE(s.damages != 0 ||
                            (in_payload && (!is_walked || kind == CAP_KIND_BLOB)));
            SLT_EXPECT_GE(s.calls, kind == CAP_KIND_CALL ? 2u : 4u);
            free(s.text);
        }
    }
    cap_reader_close(reader);
}

SLT_TEST_F(trace, a_file_that_grows_gives_more, m)
{
    make_some(m, false);
    size_t whole = m->size;
    int fd = memfd_create("trace", MFD_CLOEXEC);
    struct cap_reader *reader = NULL;
    struct cap_merge *merge = NULL;
    struct cap_event event;
    SLT_ASSERT_EQ(64, write(fd, m->data, 64));
    SLT_ASSERT_OK(cap_reader_open(dup(fd), &reader));
    SLT_ASSERT_OK(cap_reader_scan(reader));
    SLT_ASSERT_OK(cap_merge_create(reader, &merge));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, cap_merge_next(merge, &event, NULL));
    for (size_t at = 64; at < whole; at += 100) {
        size_t more = whole - at < 100 ? whole - at : 100;
        SLT_ASSERT_EQ((ssize_t)more, write(fd, m->data + at, more));
        SLT_EXPECT_OK(cap_reader_scan(reader));
        SLT_EXPECT_EQ(0u, reader->damage_count);
    }
    SLT_EXPECT_OK(cap_merge_grow(merge));
    uint32_t events = 0;
    while (cap_merge_next(merge, &event, NULL) == SL_OK) {
        events++;
    }
    SLT_EXPECT_EQ(7u, events);
    cap_merge_destroy(merge);
    cap_reader_close(reader);
    close(fd);
}

/* The packet is in one chunk of the stream, its result in the next one. */
SLT_TEST_F(trace, a_call_is_held_until_its_result_is_there, m)
{
    const uint32_t body[2] = {1, 2};
    struct trace_chunk chunk = calls_of_1;
    int fd = memfd_create("trace", MFD_CLOEXEC);
    struct cap_reader *reader = NULL;
    struct cap_merge *merge = NULL;
    struct cap_event event;
    chunk.records = chunk.first_stamp = 1;
    trace_calls_begin(m, 1, 1, 9, CAPSET);
    trace_call(m, 1, OPCODE, body, 8);
    trace_chunk(m, &chunk);
    size_t cut = m->size;
    chunk.records = 0;
    chunk.first_record = 1;
    trace_calls_begin(m, 1, 1, 9, CAPSET);
    trace_result(m, 0, 6, body, 8);
    trace_chunk(m, &chunk);
    SLT_ASSERT_EQ((ssize_t)cut, write(fd, m->data, cut));
    SLT_ASSERT_OK(cap_reader_open(dup(fd), &reader));
    SLT_ASSERT_OK(cap_reader_scan(reader));
    SLT_ASSERT_OK(cap_merge_create(reader, &merge));
    cap_merge_hold(merge, true);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, cap_merge_next(merge, &event, NULL));
    SLT_EXPECT_TRUE(cap_merge_is_holding(merge));
    SLT_ASSERT_EQ((ssize_t)(m->size - cut), write(fd, m->data + cut, m->size - cut));
    SLT_EXPECT_OK(cap_reader_scan(reader));
    SLT_EXPECT_OK(cap_merge_grow(merge));
    SLT_ASSERT_OK(cap_merge_next(merge, &event, NULL));
    SLT_EXPECT_TRUE(event.call.has_reply);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, cap_merge_next(merge, &event, NULL));
    SLT_EXPECT_TRUE(!cap_merge_is_holding(merge));
    cap_merge_destroy(merge);
    cap_reader_close(reader);
    close(fd);
}

static const struct refused_case {
    const char *label;
    size_t offset;
    const char *bytes;
    size_t size;
    bool keeps_crc;
    enum cap_refusal want;
    const char *says;
} refused_cases[] = {
    {"zip", 0, "PK\3\4", 4, false, CAP_REFUSED_FOREIGN,
     "not a sluice trace: expected magic \"\\x89SLC\", found \"PK\\x03\\x04\"; looks like a zip "
     "file"},
    {"newer_major_without_maker", 8, "\3\0", 2, true, CAP_REFUSED_VERSION,
     "container 3.0, this build reads 1.0 to 1.0; made on 1970-01-01"},
    {"flipped", 24, "x", 1, false, CAP_REFUSED_DAMAGED, "damaged: file header at byte 0: checksum"},
    {"header_size", 12, "\1\0\0\0", 4, true, CAP_REFUSED_DAMAGED,
     "damaged: file header at byte 0: length"},
};

SLT_TEST_P(trace_header, is_refused, struct refused_case, refused_cases, c)
{
    struct trace_maker m;
    trace_maker_init(&m);
    memcpy(m.data + c->offset, c->bytes, c->size);
    if (c->keeps_crc) {
        uint32_t crc = cap_crc32c(m.data, 60);
        memcpy(m.data + 60, &crc, sizeof crc);
    }
    struct cap_reader *reader = NULL;
    SLT_EXPECT_NE(SL_OK, cap_reader_open(trace_maker_fd(&m), &reader));
    SLT_EXPECT_EQ(c->want, reader->refusal);
    SLT_EXPECT_STREQ(c->says, reader->reason);
    cap_reader_close(reader);
    trace_maker_finish(&m);
}

SLT_TEST(trace_header, of_another_version_says_who_made_it)
{
    static const char meta[] = "{\"schema\": 1, \"made_by\": \"sluice 1.9\", \"pid\": 2}";
    struct trace_maker m;
    struct cap_reader *reader = NULL;
    trace_maker_init(&m);
    trace_put(&m, meta, sizeof meta - 1);
    trace_chunk(&m, &(struct trace_chunk){.kind = CAP_KIND_META, .flags = CAP_CHUNK_ZSTD});
    m.data[8] = 3;
    uint32_t crc = cap_crc32c(m.data, 60);
    memcpy(m.data + 60, &crc, sizeof crc);
    SLT_EXPECT_NE(SL_OK, cap_reader_open(trace_maker_fd(&m), &reader));
    SLT_EXPECT_EQ(CAP_REFUSED_VERSION, reader->refusal);
    SLT_EXPECT_STREQ("container 3.0, this build reads 1.0 to 1.0; made by sluice 1.9 on 1970-01-01",
                     reader->reason);
    cap_reader_close(reader);
    trace_maker_finish(&m);
}

SLT_TEST_F(trace, may_have_more_streams_than_16_bits_count, m)
{
    enum { STREAMS = 66000 };
    for (uint32_t i = 1; i <= STREAMS; i++) {
        trace_calls_begin(m, i, 1, 9, CAPSET);
        trace_call(m, i, OPCODE, NULL, 0);
        trace_chunk(m, &(struct trace_chunk){
                           .kind = CAP_KIND_CALL, .stream = i, .records = 1, .first_stamp = i});
    }
    trace_end(m);
    struct story s = story_of(trace_maker_fd(m));
    SLT_EXPECT_EQ(SL_ERR_NOTFOUND, s.result);
    SLT_EXPECT_EQ((uint64_t)STREAMS, s.calls);
    SLT_EXPECT_EQ(0u, s.damages);
    free(s.text);
}

SLT_TEST_F(trace, unknown_kinds_are_critical_or_skipped, m)
{
    struct cap_reader *reader = NULL;
    trace_chunk(m, &(struct trace_chunk){.kind = CAP_KIND('n', 'e', 'w', '!')});
    SLT_ASSERT_OK(cap_reader_open(trace_maker_fd(m), &reader));
    SLT_EXPECT_OK(cap_reader_scan(reader));
    SLT_EXPECT_EQ(1u, reader->skipped);
    cap_reader_close(reader);
    trace_chunk(m, &(struct trace_chunk){.kind = CAP_KIND('N', 'E', 'W', '!')});
    SLT_ASSERT_OK(cap_reader_open(trace_maker_fd(m), &reader));
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, cap_reader_scan(reader));
    SLT_EXPECT_EQ(CAP_REFUSED_CRITICAL, reader->refusal);
    cap_reader_close(reader);
}

SLT_TEST_F(trace, records_that_make_no_sense_are_damage, m)
{
    static const struct {
        const char *what;
        uint32_t kind;
        uint8_t bytes[16];
        size_t size;
    } cases[] = {
        {"a tag that is unknown", CAP_KIND_CALL, {0x0f}, 1},
        {"a packet shorter than its header", CAP_KIND_CALL, {1, 0, 0, 0, 0, 0, 7, 0, 0, 0}, 10},
        {"a packet larger than its chunk", CAP_KIND_CALL, {1, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 10},
        {"a number without end",
         CAP_KIND_CALL,
         {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
         12},
        {"a verb whose body is not there", CAP_KIND_VERB, {1, 0, 100}, 3},
        {"pieces that are not there", CAP_KIND_MEMW, {0, 3, 1, 0x7f}, 4},
        {"a piece of no bytes", CAP_KIND_MEMW, {0, 3, 1, 1, 0, 0}, 6},
        {"half a frame", CAP_KIND_FRAM, {1}, 16},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct trace_maker one;
        trace_maker_init(&one);
        if (cases[i].kind == CAP_KIND_CALL) {
            trace_calls_begin(&one, 0, 1, 9, CAPSET);
        }
        trace_put(&one, cases[i].bytes, cases[i].size);
        trace_chunk(&one, &(struct trace_chunk){.kind = cases[i].kind, .records = 1});
        trace_end(&one);
        struct story s = story_of(trace_maker_fd(&one));
        SLT_SCOPE("%s", cases[i].what);
        SLT_EXPECT_EQ(1u, s.damages);
        SLT_EXPECT_STREQ("", s.text);
        free(s.text);
        trace_maker_finish(&one);
    }
    (void)m;
}

SLT_TEST_F(trace, a_bomb_is_not_unpacked, m)
{
    uint8_t *zeros = calloc(1, CAP_PAYLOAD_MAX);
    trace_put(m, zeros, CAP_PAYLOAD_MAX);
    trace_chunk(m, &(struct trace_chunk){.kind = CAP_KIND_TEXT, .flags = CAP_CHUNK_ZSTD});
    free(zeros);
    struct cap_chunk_header header;
    memcpy(&header, m->data + m->last, sizeof header);
    header.raw_size = 64; /* says little, unpacks to much */
    header.crc = cap_crc32c(&header, offsetof(struct cap_chunk_header, crc));
    memcpy(m->data + m->last, &header, sizeof header);
    struct cap_reader *reader = NULL;
    struct cap_payload payload = {0};
    enum cap_damage_kind why = CAP_DAMAGE_HEADER;
    SLT_ASSERT_OK(cap_reader_open(trace_maker_fd(m), &reader));
    SLT_ASSERT_OK(cap_reader_scan(reader));
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, cap_reader_load(reader, &reader->chunks[0], &payload, &why));
    SLT_EXPECT_EQ(CAP_DAMAGE_LENGTH, why);
    cap_payload_finish(&payload);
    cap_reader_close(reader);
}

SLT_TEST_F(trace, the_end_answers_without_a_scan, m)
{
    make_some(m, true);
    struct cap_reader *reader = NULL;
    struct cap_summary summary;
    struct cap_damage damage;
    SLT_ASSERT_OK(cap_reader_open(trace_maker_fd(m), &reader));
    SLT_EXPECT_OK(cap_summary_read(reader, &summary, &damage));
    SLT_EXPECT_TRUE(summary.has_end);
    SLT_EXPECT_TRUE(summary.has_index);
    SLT_EXPECT_EQ(0u, reader->chunk_count);
    cap_summary_finish(&summary);
    cap_reader_close(reader);
}
