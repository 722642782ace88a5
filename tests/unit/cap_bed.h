/* A recording made as rings and devices make it, and read back. */
#ifndef CAP_BED_H
#define CAP_BED_H

#include "host/capture/cap_merge.h"
#include "host/capture/cap_recording.h"
#include "tests/support/slt.h"
#include "transport/base/bytes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPCODE = 7000, RESOURCE = 40, CONTEXT = 3 };

struct bed {
    struct cap_memory memory;
    struct cap_recording *recording;
    struct cap_reader *reader;
    struct cap_merge *merge;
    char path[4096];
};

static inline void begin(struct bed *t, const struct cap_start *more)
{
    struct cap_start start = *more;
    start.path = t->path;
    SLT_ASSERT_OK(cap_recording_start(&start, &t->memory, &t->recording));
    SLT_ASSERT_TRUE(cap_recording_chunk(t->recording, CAP_KIND_META, "{}", 2));
}

static inline void bed_init(struct bed *t)
{
    snprintf(t->path, sizeof t->path, "%s/t.slc", SLT_TMPDIR());
    cap_memory_init(&t->memory);
}

static inline struct cap_writer_report end(struct bed *t)
{
    struct cap_writer_report report;
    cap_recording_end(t->recording);
    cap_writer_finish(t->recording->writer, CAP_END_ASKED, 0, &report);
    cap_recording_unref(t->recording);
    t->recording = NULL;
    return report;
}

static inline void bed_finish(struct bed *t)
{
    cap_merge_destroy(t->merge);
    if (t->reader != NULL) {
        cap_reader_close(t->reader);
    }
    cap_memory_finish(&t->memory);
}

static inline struct cap_stream *stream_new(struct bed *t)
{
    const struct cap_call_head head = {.ctx_id = CONTEXT, .ring_id = 9, .capset = 8, .preamble = 5};
    struct cap_stream *s = cap_stream_begin(t->recording, &head);
    SLT_ASSERT_TRUE(s != NULL);
    return s;
}

/* A packet of `size` bytes whose every word is known. */
static inline void packet(struct cap_stream *s, uint32_t number, uint32_t size)
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

static inline bool is_packet(const struct cap_event_call *call, uint32_t number)
{
    const uint8_t *p = call->packet;
    bool is = sl_load_u32(p) == OPCODE && sl_load_u32(p + 4) == call->size;
    for (uint32_t i = 2; is && i < call->size / 4; i++) {
        is = sl_load_u32(p + 4 * (size_t)i) == number * 77 + i;
    }
    return is;
}

static inline void read_back(struct bed *t)
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
static inline bool next(struct bed *t, enum cap_event_kind kind, struct cap_event *event)
{
    enum sl_result result;
    do {
        result = cap_merge_next(t->merge, event, NULL);
        SLT_EXPECT_TRUE(result == SL_OK || result == SL_ERR_NOTFOUND);
    } while (result == SL_OK && event->kind != kind);
    return result == SL_OK;
}

#endif
