/* A stream's replies under checksum v1: right ones pass, every wrong one ends the stream. The
 * host's end is played on the same thread: its reply lies there before it is read. */
#include "asg/reader.h"
#include "guest/stream/gs.h"
#include "tests/support/slt.h"

#include <stdlib.h>
#include <string.h>

struct world {
    uint8_t *memory;
    uint32_t stop;
    struct asg_reader reader;
    struct gs_stream stream;
};

static void world_init(struct world *w)
{
    w->memory = aligned_alloc(4096, (ASG_BLOB_BYTES + 4095) & ~4095u);
    const struct asg_reader_config host = {.memory = w->memory,
                                           .memory_size = ASG_BLOB_BYTES,
                                           .buffer_size = ASG_BUFFER_BYTES,
                                           .flush_interval = ASG_STEP_BYTES,
                                           .stop = &w->stop};
    const struct asg_writer_config guest = {
        .memory = w->memory, .memory_size = ASG_BLOB_BYTES, .buffer_size = ASG_BUFFER_BYTES};
    SLT_ASSERT_OK(asg_reader_init(&w->reader, &host));
    SLT_ASSERT_OK(asg_writer_init(&w->stream.ring, &guest));
}

static void world_finish(struct world *w)
{
    asg_writer_finish(&w->stream.ring);
    free(w->memory);
}

SLT_FIXTURE(stream, struct world, world_init, world_finish);

/* A reply of `size` bytes and the checksum words that a host would send, or other ones. */
static void answer(struct world *w, size_t size, uint32_t covered, uint32_t count)
{
    uint8_t reply[256] = {0};
    memset(reply, 7, size);
    sl_store_u32(reply + size, sl_sum_word(covered));
    sl_store_u32(reply + size + 4, count);
    SLT_ASSERT_OK(asg_reader_reply(&w->reader, reply, size + 8));
}

static void read_in_two(struct world *w, size_t size)
{
    uint8_t data[256];
    gs_read(&w->stream, data, size / 2);
    gs_read(&w->stream, data + size / 2, size - size / 2);
    gs_reply_end(&w->stream);
}

SLT_TEST_F(stream, without_checksum_nothing_more_is_read, w)
{
    uint8_t bytes[8] = {1};
    SLT_ASSERT_OK(asg_reader_reply(&w->reader, bytes, 8));
    gs_read(&w->stream, bytes, 8);
    gs_reply_end(&w->stream);
    SLT_EXPECT_TRUE(!gs_dead(&w->stream));
}

SLT_TEST_F(stream, right_checksums_pass_and_count, w)
{
    w->stream.ring.pack.tail = 8;
    for (uint32_t i = 0; i < 20; i++) {
        answer(w, 4 + i, 4 + i, i);
        read_in_two(w, 4 + i);
        SLT_ASSERT_TRUE(!gs_dead(&w->stream));
    }
}

struct wrong {
    const char *label;
    uint32_t covered, count;
};
static const struct wrong wrongs[] = {{"size", 13, 0}, {"counter", 12, 1}, {"both", 0, 9}};

SLT_TEST_FP(stream, a_wrong_checksum_ends_it, w, struct wrong, wrongs, c)
{
    w->stream.ring.pack.tail = 8;
    answer(w, 12, c->covered, c->count);
    read_in_two(w, 12);
    SLT_EXPECT_TRUE(gs_dead(&w->stream));
}

SLT_TEST(host, is_meant_where_it_is_named_or_the_machine_has_our_gpu)
{
    unsetenv("SLUICE_SOCKET");
    unsetenv("SLUICE_DRM");
    SLT_EXPECT_EQ(vg_drm_there(), gs_host_meant());
    setenv("SLUICE_DRM", "", 1);
    SLT_EXPECT_EQ(vg_drm_there(), gs_host_meant());
    setenv("SLUICE_DRM", "/dev/dri/renderD128", 1);
    SLT_EXPECT_TRUE(gs_host_meant());
    unsetenv("SLUICE_DRM");
    setenv("SLUICE_SOCKET", "/nowhere", 1);
    SLT_EXPECT_TRUE(gs_host_meant());
    unsetenv("SLUICE_SOCKET");
}
