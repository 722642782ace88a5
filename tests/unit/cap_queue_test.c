/* Buffers between producers, the writer and who helps it. */
#include "host/capture/cap_helper.h"
#include "host/capture/cap_reader.h"
#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static struct cap_buffer *put(struct cap_queue *q, uint32_t kind)
{
    struct cap_buffer *b = cap_queue_get(q, 1, false);
    SLT_ASSERT_TRUE(b != NULL);
    b->kind = kind;
    cap_queue_put(q, b);
    return b;
}

static struct cap_buffer *take(struct cap_queue *q)
{
    bool ends;
    return cap_queue_take(q, sl_clock_ns() + 20 * SL_NS_PER_S, &ends);
}

struct helper {
    struct cap_queue q;
    uint32_t claimed;
};

/* Packs what it is given until there is nothing more. */
static void *help(void *user)
{
    struct helper *h = user;
    struct cap_queue *q = &h->q;
    struct cap_buffer *b;
    while (cap_queue_help(q, &b)) {
        if (b == NULL) {
            cap_queue_warm(q);
            continue;
        }
        sl_atomic_store_release(&h->claimed, 1); /* the case begins to take then */
        sl_clock_sleep_ns(2 * SL_NS_PER_MS);     /* the writer comes to it meanwhile */
        uint8_t *packed = sl_realloc(NULL, sizeof b->first_stamp);
        SLT_ASSERT_TRUE(packed != NULL);
        memcpy(packed, &b->first_stamp, sizeof b->first_stamp);
        cap_queue_packed(q, b, packed, sizeof b->first_stamp);
    }
    return NULL;
}

/* Nothing is claimed as long as the writer keeps up; then all but its next one and marks, whose
 * bytes it still changes. */
SLT_TEST(cap_queue, two_pack_when_much_is_on_the_way)
{
    struct cap_queue q;
    cap_queue_init(&q);
    q.packs = true;
    q.no_slabs = true; /* nothing else is there to do */
    size_t each = 0;
    struct cap_buffer *first = put(&q, CAP_KIND_CALL);
    each = first->capacity;
    struct cap_buffer *mark = put(&q, CAP_KIND_SNAP), *third = put(&q, CAP_KIND_CALL), *b;
    for (size_t on_the_way = 3 * each; on_the_way <= CAP_WRITER_BYTES / 4; on_the_way += each) {
        SLT_EXPECT_EQ(third->state, CAP_BUFFER_RAW);
        put(&q, CAP_KIND_CALL);
    }
    SLT_ASSERT_TRUE(cap_queue_help(&q, &b));
    SLT_EXPECT_TRUE(b == third);
    SLT_EXPECT_EQ(third->state, CAP_BUFFER_CLAIMED);
    SLT_EXPECT_EQ(first->state, CAP_BUFFER_RAW);
    SLT_EXPECT_EQ(mark->state, CAP_BUFFER_RAW);
    cap_queue_packed(&q, third, NULL, 0);
    cap_queue_end(&q);
    while ((b = take(&q)) != NULL) {
        cap_queue_done(&q, b);
    }
    SLT_EXPECT_TRUE(!cap_queue_help(&q, &b));
    cap_queue_finish(&q);
}

/* The writer has all in order, and what was claimed once it is packed. */
SLT_TEST(cap_queue, what_is_claimed_is_waited_for)
{
    enum { COUNT = 150 };
    struct helper h = {.claimed = 0};
    struct cap_queue *q = &h.q;
    pthread_t thread;
    uint32_t packed = 0;
    cap_queue_init(q);
    q->packs = true;
    for (uint64_t i = 0; i < COUNT; i++) {
        struct cap_buffer *b = cap_queue_get(q, 1, false);
        SLT_ASSERT_TRUE(b != NULL);
        b->first_stamp = i;
        cap_queue_put(q, b);
    }
    SLT_ASSERT_OK(sl_thread_start(&thread, "help", 0, help, &h));
    while (sl_atomic_load_acquire(&h.claimed) == 0) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    for (uint64_t i = 0; i < COUNT; i++) {
        struct cap_buffer *b = take(q);
        SLT_ASSERT_TRUE(b != NULL);
        SLT_EXPECT_EQ(b->first_stamp, i);
        SLT_EXPECT_NE(b->state, CAP_BUFFER_CLAIMED);
        if (b->state == CAP_BUFFER_PACKED) {
            SLT_EXPECT_EQ(memcmp(b->packed, &i, sizeof i), 0);
            packed++;
        }
        sl_clock_sleep_ns(SL_NS_PER_MS / 2);
        cap_queue_done(q, b);
    }
    cap_queue_end(q);
    pthread_join(thread, NULL);
    SLT_EXPECT_GT(packed, 0u);
    cap_queue_finish(q);
}

/* Memory is there before producers come, again when they took most, and within its bound. */
SLT_TEST(cap_queue, producers_find_warm_memory)
{
    struct cap_queue q;
    struct cap_buffer *b, *taken = NULL;
    cap_queue_init(&q);
    while (q.slab_count < CAP_QUEUE_SLABS) {
        SLT_ASSERT_TRUE(cap_queue_help(&q, &b));
        SLT_ASSERT_TRUE(b == NULL);
        cap_queue_warm(&q);
        while (q.spare != NULL) {
            b = cap_queue_get(&q, 1, false);
            SLT_ASSERT_TRUE(b != NULL);
            SLT_EXPECT_TRUE(b->is_warm);
            memset(b->data, 0x5a, b->capacity); /* all of it is there */
            b->next = taken;
            taken = b;
        }
    }
    b = cap_queue_get(&q, 1, false);
    SLT_ASSERT_TRUE(b != NULL);
    SLT_EXPECT_TRUE(!b->is_warm);
    cap_queue_put(&q, b);
    while ((b = taken) != NULL) {
        taken = b->next;
        cap_queue_put(&q, b);
    }
    cap_queue_end(&q);
    SLT_EXPECT_TRUE(!cap_queue_help(&q, &b));
    while ((b = take(&q)) != NULL) {
        cap_queue_done(&q, b);
    }
    SLT_EXPECT_LE(q.spare_bytes, CAP_WRITER_BYTES / 2);
    cap_queue_finish(&q);
}

/* More than one thread packs in time: the file has all of it, each piece at its place. */
SLT_TEST(cap_queue, a_file_that_two_packed_is_whole)
{
    enum { COUNT = 120, LEVEL = 9 };
    char path[4096];
    struct cap_writer *w;
    struct cap_writer_report report;
    snprintf(path, sizeof path, "%s/two.slc", SLT_TMPDIR());
    SLT_ASSERT_OK(
        cap_writer_create(&(struct cap_writer_options){.path = path, .level = LEVEL}, &w));
    for (uint32_t i = 0; i < COUNT; i++) {
        struct cap_buffer *b = cap_writer_get(w, CAP_CHUNK_BYTES);
        SLT_ASSERT_TRUE(b != NULL);
        for (uint32_t at = 0; at < CAP_CHUNK_BYTES; at += sizeof at) {
            uint32_t word = i + at % 4093 * (at >> 12);
            memcpy(b->data + at, &word, sizeof word);
        }
        b->used = CAP_CHUNK_BYTES;
        b->kind = CAP_KIND_TEXT;
        b->records = 1;
        b->first_record = i;
        cap_writer_put(w, b);
    }
    cap_writer_finish(w, CAP_END_ASKED, 0, &report);
    SLT_ASSERT_TRUE(report.has_end && report.has_name);
    SLT_EXPECT_LT(report.file_size, (uint64_t)COUNT * CAP_CHUNK_BYTES / 4 * 3);

    struct cap_reader *reader;
    struct cap_payload payload = {0};
    enum cap_damage_kind why;
    uint32_t found = 0;
    SLT_ASSERT_OK(cap_reader_open(open(path, O_RDONLY | O_CLOEXEC), &reader));
    SLT_ASSERT_OK(cap_reader_scan(reader));
    for (uint32_t i = 0; i < reader->chunk_count; i++) {
        if (reader->chunks[i].kind != CAP_KIND_TEXT) {
            continue;
        }
        uint32_t word;
        SLT_ASSERT_OK(cap_reader_load(reader, &reader->chunks[i], &payload, &why));
        SLT_EXPECT_EQ(payload.size, CAP_CHUNK_BYTES);
        memcpy(&word, payload.data, sizeof word);
        SLT_EXPECT_EQ(word, found);
        SLT_EXPECT_EQ(reader->chunks[i].first_record, found);
        found++;
    }
    SLT_EXPECT_EQ(found, COUNT);
    cap_payload_finish(&payload);
    cap_reader_close(reader);
}
