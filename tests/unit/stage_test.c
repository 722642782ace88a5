/* Memory that a stream shares with its host (guest/stream/gs_stage.c): what is taken, sent and
 * given back. The host is a device that makes blobs of plain memory, and a reader on the same
 * thread. */
#include "asg/reader.h"
#include "guest/stream/gs_stage.h"
#include "guest/stream/gs_internal.h"
#include "tests/support/slt.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"
#include "wire/gles2_pack.h"
#include "wire/sl_pack.h"
#include "wire/sl_opcodes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

enum {
    STAGED_HEADER = 28,
    HEAD = 24, /* of glBufferSubData */
    BIG = 300000,
    SOME = 100000,
    FIRST = 262144, /* what copies begin with, and pieces leave to them */
    WINDOW = 208 * 16384
};

struct world {
    struct vg vg; /* first */
    struct gs_device device;
    struct gs_stream stream;
    struct vg_res ring;
    uint8_t *memory;
    uint32_t stop;
    struct asg_reader reader;
    uint32_t blobs, live, commands;
    enum sl_result blob_result;
    uint8_t data[BIG];
    uint8_t taken[2 * BIG];
};

struct blob {
    struct vg_res res; /* first */
    uint8_t *memory;
};

static enum sl_result blob_create(struct vg *vg, const struct vg_blob_args *args,
                                  struct vg_res **out)
{
    struct world *w = (struct world *)(void *)vg;
    struct blob *blob = sl_alloc(sizeof *blob);
    if (w->blob_result != SL_OK) {
        sl_free(blob);
        return w->blob_result;
    }
    *blob = (struct blob){.res = {.vg = vg, .id = 7 + w->blobs++, .size = args->size},
                          .memory = sl_alloc(args->size)};
    w->live++;
    *out = &blob->res;
    return SL_OK;
}

static enum sl_result res_map(struct vg_res *res, void **pointer)
{
    *pointer = ((struct blob *)(void *)res)->memory;
    return SL_OK;
}

static void res_destroy(struct vg_res *res)
{
    ((struct world *)(void *)res->vg)->live--;
    sl_free(((struct blob *)(void *)res)->memory);
    sl_free(res);
}

static enum sl_result submit(struct vg *vg, const struct vg_submit_args *args)
{
    struct world *w = (struct world *)(void *)vg;
    uint32_t words[3];
    SLT_EXPECT_EQ(sizeof words, args->size);
    memcpy(words, args->commands, sizeof words);
    SLT_EXPECT_EQ(SLUICE_CONTEXT_STAGE, words[0]);
    SLT_EXPECT_EQ(w->ring.id, words[1]);
    SLT_EXPECT_EQ(7u, words[2]);
    SLT_EXPECT_EQ(2u, args->resource_count);
    *args->out_fence = eventfd(1, EFD_CLOEXEC);
    w->commands++;
    return SL_OK;
}

static bool alive(struct vg *vg)
{
    (void)vg;
    return true;
}

static const struct vg_ops ops = {.blob_create = blob_create,
                                  .res_map = res_map,
                                  .res_destroy = res_destroy,
                                  .submit = submit,
                                  .alive = alive};

static void world_init(struct world *w)
{
    w->vg.ops = &ops;
    w->device = (struct gs_device){
        .vg = &w->vg, .shared_futex = true, .features = SLUICE_FEATURE_STAGE, .refs = 9};
    w->ring = (struct vg_res){.vg = &w->vg, .id = 3};
    w->memory = aligned_alloc(4096, (ASG_BLOB_BYTES + 4095) & ~4095u);
    const struct asg_reader_config host = {.memory = w->memory,
                                           .memory_size = ASG_BLOB_BYTES,
                                           .buffer_size = ASG_BUFFER_BYTES,
                                           .flush_interval = ASG_STEP_BYTES,
                                           .stop = &w->stop};
    const struct asg_writer_config guest = {.memory = w->memory,
                                            .memory_size = ASG_BLOB_BYTES,
                                            .buffer_size = ASG_BUFFER_BYTES,
                                            .shared_futex = true,
                                            .reply_futex = true};
    SLT_ASSERT_OK(asg_reader_init(&w->reader, &host));
    SLT_ASSERT_OK(asg_writer_init(&w->stream.ring, &guest));
    w->stream.device = &w->device;
    w->stream.blob = &w->ring;
    gs_stage_init(&w->stream);
    memset(w->data, 5, sizeof w->data);
}

static void world_finish(struct world *w)
{
    gs_stage_close(&w->stream);
    asg_writer_finish(&w->stream.ring);
    SLT_EXPECT_EQ(0u, w->live);
    free(w->memory);
}

SLT_FIXTURE(stage, struct world, world_init, world_finish);

/* All that the guest has sent. */
static size_t take(struct world *w)
{
    size_t all = 0, got = 0;
    gs_flush(&w->stream);
    while (all < sizeof w->taken &&
           asg_reader_take(&w->reader, w->taken + all, sizeof w->taken - all, &got) == SL_OK) {
        all += got;
    }
    return all;
}

static void sub_data(struct world *w, const void *data, uint32_t size)
{
    gles2_pack_glBufferSubData(gs_pack(&w->stream), 1, 2, size, data, size);
}

SLT_TEST_F(stage, is_made_for_bulky_data_alone, w)
{
    sub_data(w, w->data, 1000);
    SLT_EXPECT_EQ(0u, w->blobs);
    SLT_EXPECT_EQ(HEAD + 1000u, take(w));
    sub_data(w, w->data, SOME);
    sub_data(w, w->data, SOME);
    SLT_EXPECT_EQ(1u, w->blobs);
    SLT_EXPECT_EQ(1u, w->commands);
}

/* The bytes are those of the generated packer, and the data lies where they say. */
SLT_TEST_F(stage, a_packet_moves_into_another, w)
{
    struct sl_pack_mem inner, outer;
    sl_pack_mem_init(&inner);
    sl_pack_mem_init(&outer);
    gles2_pack_glBufferSubData(&inner.pack, 1, 2, SOME, w->data, SOME);
    uint32_t head = (uint32_t)(inner.pack.cur - inner.data) - SOME;
    sl_pack_slStaged(&outer.pack, 0, SOME, head, head, inner.data, head);
    sub_data(w, w->data, SOME);
    gles2_pack_glFlush(gs_pack(&w->stream));
    SLT_EXPECT_EQ((size_t)STAGED_HEADER + head + 8, take(w));
    SLT_EXPECT_MEMEQ(outer.data, w->taken, STAGED_HEADER + head);
    struct gs_piece piece;
    SLT_ASSERT_TRUE(gs_piece_take(&w->stream, 1, &piece)); /* pieces lie behind FIRST */
    SLT_EXPECT_MEMEQ(w->data, piece.data - FIRST, SOME);
    gs_piece_give(&piece);
    sl_pack_mem_finish(&inner);
    sl_pack_mem_finish(&outer);
}

static const struct rows {
    const char *label;
    size_t row;
} rows[] = {{"short", 700}, {"long", 4100}};

/* With the gaps between them, of all that a packer puts there. */
SLT_TEST_FP(stage, rows_lie_there_as_they_travel, w, struct rows, rows, c)
{
    struct sl_pack_mem plain;
    sl_pack_mem_init(&plain);
    for (size_t i = 0; i < sizeof w->data; i++) {
        w->data[i] = (uint8_t)(i * 7 + i / 251);
    }
    const uint32_t count = 20;
    const size_t pitch = c->row + 12;
    const struct sl_gather g = {.src = w->data + 3,
                                .prefix = 5,
                                .row = c->row,
                                .src_pitch = c->row + 33,
                                .wire_pitch = pitch,
                                .wire_image = count * pitch,
                                .rows = count,
                                .images = 1,
                                .size = 5 + count * pitch};
    gles2_pack_glTexSubImage2D(&plain.pack, 1, 2, 3, 4, 5, 6, 7, 8, &g);
    gles2_pack_glTexSubImage2D(gs_pack(&w->stream), 1, 2, 3, 4, 5, 6, 7, 8, &g);
    size_t all = (size_t)(plain.pack.cur - plain.data);
    SLT_EXPECT_EQ(STAGED_HEADER + all - g.size, take(w));
    uint32_t at = sl_load_u32(w->taken + 16); /* of the packet; the data stands there */
    struct gs_piece piece;
    SLT_ASSERT_TRUE(gs_piece_take(&w->stream, 1, &piece)); /* pieces lie behind FIRST */
    SLT_EXPECT_MEMEQ(plain.data + at, piece.data - FIRST, g.size);
    gs_piece_give(&piece);
    sl_pack_mem_finish(&plain);
}

/* Is memory at `data` taken again, at the latest when all other is held? */
static bool comes_round(struct world *w, const uint8_t *data)
{
    struct gs_piece pieces[64];
    bool met = false;
    size_t count = 0;
    while (!met && count < 64 && gs_piece_take(&w->stream, SOME, &pieces[count])) {
        met = pieces[count++].data == data;
    }
    while (count != 0) {
        gs_piece_give(&pieces[--count]);
    }
    return met;
}

SLT_TEST_F(stage, done_with_memory_is_used_again, w)
{
    struct gs_piece first, second;
    SLT_ASSERT_TRUE(gs_piece_take(&w->stream, SOME, &first));
    uint8_t *data = first.data;
    SLT_ASSERT_TRUE(gs_piece_take(&w->stream, SOME, &second));
    SLT_EXPECT_TRUE(second.data != data);
    gs_piece_send(&w->stream, &first, data);
    sub_data(w, data, SOME);
    gs_piece_send(&w->stream, &first, NULL);
    gs_piece_give(&first);
    SLT_EXPECT_NULL(first.stage);
    SLT_EXPECT_EQ((size_t)STAGED_HEADER + HEAD, take(w));
    SLT_EXPECT_EQ((uint32_t)FIRST, sl_load_u32(w->taken + 8)); /* sent as it lies: its offset */
    SLT_ASSERT_TRUE(gs_piece_take(&w->stream, SOME, &first));
    SLT_EXPECT_TRUE(first.data != data); /* on its way */
    gs_piece_give(&first);
    asg_reader_staged(&w->reader);
    SLT_EXPECT_TRUE(comes_round(w, data));
    gs_piece_give(&second);
}

SLT_TEST_F(stage, memory_of_the_programs_is_copied_though_it_lies_there, w)
{
    struct gs_piece piece;
    SLT_ASSERT_TRUE(gs_piece_take(&w->stream, SOME, &piece));
    sub_data(w, piece.data, SOME); /* the program may write to its map while this travels */
    (void)take(w);
    SLT_EXPECT_EQ(0u, sl_load_u32(w->taken + 8));
    gs_piece_give(&piece);
}

/* Where the last of the copies that are sent lies. */
static uint32_t sent_to(struct world *w, uint32_t size)
{
    sub_data(w, w->data, size);
    size_t all = take(w);
    return all < STAGED_HEADER + HEAD ? UINT32_MAX
                                      : sl_load_u32(w->taken + all - STAGED_HEADER - HEAD + 8);
}

SLT_TEST_F(stage, little_that_is_copied_touches_little_memory, w)
{
    for (uint32_t i = 0; i < 16; i++) {
        SLT_EXPECT_TRUE(sent_to(w, SOME) < FIRST + 2u * i * SOME / 8);
        asg_reader_staged(&w->reader);
    }
    SLT_EXPECT_TRUE(sent_to(w, BIG) < WINDOW);
}

/* Lines that the host has just read must be asked for before they are written again. */
SLT_TEST_F(stage, much_that_is_copied_goes_through_all_of_the_window, w)
{
    uint32_t last = 0;
    for (uint32_t moved = 0; moved < 16u * WINDOW; moved += SOME) {
        last = sent_to(w, SOME);
        asg_reader_staged(&w->reader);
    }
    for (uint32_t i = 1; i < WINDOW / (7 * 16384); i++) { /* 7 units hold SOME */
        uint32_t at = sent_to(w, SOME);
        SLT_EXPECT_TRUE(at != last && at < WINDOW);
        asg_reader_staged(&w->reader);
    }
}

SLT_TEST_F(stage, a_host_that_does_not_keep_up_gets_other_memory_at_once, w)
{
    uint32_t at[20];
    for (uint32_t i = 0; i < 20; i++) {
        at[i] = sent_to(w, SOME);
        SLT_EXPECT_TRUE(at[i] < WINDOW);
        for (uint32_t k = 0; k < i; k++) {
            SLT_EXPECT_TRUE(at[k] != at[i]);
        }
    }
}

static const struct bulk {
    const char *label;
    size_t size, count; /* of bands */
} bulks[] = {{"nothing", 0, 0},
             {"a_byte", 1, 1},
             {"a_band", GS_STAGE_BAND, 1},
             {"a_byte_more", GS_STAGE_BAND + 1, 2},
             {"a_mib", 1048576, 8},
             {"64_mib", 67108864, 134}};
SLT_TEST_P(stage, bands_grow_and_shrink, struct bulk, bulks, c)
{
    size_t sent = 0, count = 0, last = 0;
    while (sent < c->size) {
        last = gs_stage_band(sent, c->size - sent);
        SLT_ASSERT_TRUE(last != 0 && last <= c->size - sent);
        SLT_EXPECT_TRUE(last <= (sent > GS_STAGE_BAND ? sent : GS_STAGE_BAND));
        SLT_EXPECT_TRUE(last <= GS_STAGE_BAND_MAX);
        sent += last;
        count++;
    }
    SLT_EXPECT_TRUE(last <= GS_STAGE_BAND);
    SLT_EXPECT_EQ(c->count, count);
}

SLT_TEST_F(stage, where_all_is_held_the_ring_carries_it, w)
{
    struct gs_piece pieces[3];
    SLT_ASSERT_TRUE(gs_piece_take(&w->stream, 4 << 20, &pieces[0]));
    SLT_ASSERT_TRUE(gs_piece_take(&w->stream, 4 << 20, &pieces[1]));
    SLT_EXPECT_TRUE(!gs_piece_take(&w->stream, 1, &pieces[2]));
    SLT_EXPECT_NULL(pieces[2].stage);
    sub_data(w, w->data, 50000);
    SLT_EXPECT_EQ(HEAD + 50000u, take(w));
    gs_piece_give(&pieces[0]);
    gs_piece_give(&pieces[1]);
    SLT_EXPECT_TRUE(!gs_piece_take(&w->stream, (4 << 20) + 1, &pieces[2])); /* larger than any */
    SLT_EXPECT_TRUE(!gs_piece_take(&w->stream, 0, &pieces[2]));
}

SLT_TEST_F(stage, a_piece_outlives_its_stream, w)
{
    struct gs_piece piece;
    SLT_ASSERT_TRUE(gs_piece_take(&w->stream, SOME, &piece));
    gs_stage_close(&w->stream);
    SLT_EXPECT_EQ(1u, w->live);
    memset(piece.data, 1, piece.size);
    gs_piece_give(&piece);
    SLT_EXPECT_EQ(0u, w->live);
}

SLT_TEST_F(stage, a_host_without_memory_is_asked_once, w)
{
    struct gs_piece piece;
    w->blob_result = SL_ERR_NOMEM;
    SLT_EXPECT_LOG("stream", "no memory shared");
    SLT_EXPECT_TRUE(gs_stages(&w->stream));
    SLT_EXPECT_TRUE(!gs_piece_take(&w->stream, SOME, &piece));
    SLT_EXPECT_TRUE(!gs_stages(&w->stream));
    w->blob_result = SL_OK;
    sub_data(w, w->data, SOME);
    SLT_EXPECT_EQ(HEAD + SOME, take(w));
    SLT_EXPECT_EQ(0u, w->blobs);
}

SLT_TEST_F(stage, checksummed_streams_and_stock_hosts_do_without, w)
{
    w->stream.ring.pack.tail = 8;
    sub_data(w, w->data, SOME);
    SLT_EXPECT_EQ(HEAD + SOME + 8u, take(w));
    w->stream.ring.pack.tail = 0;
    w->device.features = 0;
    sub_data(w, w->data, SOME);
    SLT_EXPECT_EQ(HEAD + SOME, take(w));
    SLT_EXPECT_EQ(0u, w->blobs);
}

static void *host_late(void *user)
{
    struct world *w = user;
    sl_clock_sleep_ns(20 * SL_NS_PER_MS);
    asg_reader_staged(&w->reader);
    return NULL;
}

SLT_TEST_F(stage, the_guest_waits_for_the_host_when_all_is_on_its_way, w)
{
    struct gs_piece pieces[2], next;
    pthread_t host;
    for (int i = 0; i < 2; i++) {
        SLT_ASSERT_TRUE(gs_piece_take(&w->stream, 4 << 20, &pieces[i]));
    }
    uint8_t *data = pieces[0].data;
    gs_piece_send(&w->stream, &pieces[0], data);
    sub_data(w, data, 4 << 20);
    gs_piece_send(&w->stream, &pieces[0], NULL);
    gs_piece_give(&pieces[0]);
    SLT_ASSERT_EQ(0, pthread_create(&host, NULL, host_late, w));
    SLT_EXPECT_TRUE(gs_piece_take(&w->stream, 4 << 20, &next));
    SLT_EXPECT_TRUE(next.data == data);
    pthread_join(host, NULL);
    gs_piece_give(&next);
    gs_piece_give(&pieces[1]);
}

SLT_TEST_F(stage, a_sleeping_guest_is_woken_when_enough_is_done, w)
{
    struct asg_page *page = (struct asg_page *)(void *)w->memory;
    page->guest_sleeping = ASG_SLEEP_STAGED;
    page->guest_staged = 3;
    asg_reader_staged(&w->reader);
    asg_reader_staged(&w->reader);
    SLT_EXPECT_EQ(0u, page->host_reply);
    asg_reader_staged(&w->reader);
    SLT_EXPECT_EQ(1u, page->host_reply);
    page->guest_sleeping = ASG_SLEEP_ANY; /* guests before this one say no more than that */
    asg_reader_staged(&w->reader);
    SLT_EXPECT_EQ(2u, page->host_reply);
    page->guest_sleeping = ASG_SLEEP_NONE;
    asg_reader_staged(&w->reader);
    SLT_EXPECT_EQ(2u, page->host_reply);
}
