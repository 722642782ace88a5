/* Hostile guests at the virtqueues: attack cases A01 to A11. */
#include "tests/support/echo_type.h"
#include "tests/support/slt.h"
#include "tests/support/vhost_world.h"
#include "transport/base/atomic.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/thread.h"
#include "transport/virtgpu/proto.h"

#include <string.h>

SLT_FIXTURE_AGAIN(vhost_queue, struct vhost_world, vhost_world_begin, vhost_world_stop,
                  vhost_world_again);

/* A chain of one readable descriptor at head 200, which the cases bend. */
#define HEAD 200u

static struct virtq_desc *bend(struct vhost_world *t)
{
    struct virtq_desc *desc = t->guest.queues[0].desc;
    struct vgpu_head *request = (void *)(t->guest.ram + VGUEST_FREE);
    *request = (struct vgpu_head){.type = VGPU_GET_DISPLAY_INFO};
    desc[HEAD] = (struct virtq_desc){
        .addr = vguest_gpa(&t->guest, request), .len = 24, .flags = 0, .next = 0};
    return &desc[HEAD];
}

/* ---- what breaks the queue ---- */

struct broken_case {
    const char *label;
    struct virtq_desc desc; /* addr: added to RAM's begin */
    struct virtq_desc table[3];
};

#define TABLE_AT (VGUEST_FREE + 0x1000)
static const struct broken_case broken_cases[] = {
    {"a01_loop", {.addr = VGUEST_FREE, .len = 24, .flags = VIRTQ_DESC_NEXT, .next = HEAD}, {{0}}},
    {"a01_next_out_of_table",
     {.addr = VGUEST_FREE, .len = 24, .flags = VIRTQ_DESC_NEXT, .next = 256},
     {{0}}},
    {"a01_loop_in_indirect",
     {.addr = TABLE_AT, .len = 32, .flags = VIRTQ_DESC_INDIRECT},
     {{.addr = VGUEST_FREE, .len = 24, .flags = VIRTQ_DESC_NEXT, .next = 1},
      {.addr = VGUEST_FREE, .len = 24, .flags = VIRTQ_DESC_NEXT, .next = 0}}},
    {"a02_outside", {.addr = VGUEST_RAM, .len = 24}, {{0}}},
    {"a02_straddles_the_end", {.addr = VGUEST_RAM - 8, .len = 24}, {{0}}},
    {"a02_wraps", {.addr = (uint64_t)-8 - VGUEST_GPA, .len = 24}, {{0}}},
    {"a02_far_too_long", {.addr = VGUEST_FREE, .len = UINT32_MAX}, {{0}}},
    {"a02_response_outside",
     {.addr = VGUEST_RAM + 4096, .len = 24, .flags = VIRTQ_DESC_WRITE},
     {{0}}},
    {"a03_table_in_table",
     {.addr = TABLE_AT, .len = 16, .flags = VIRTQ_DESC_INDIRECT},
     {{.addr = TABLE_AT, .len = 16, .flags = VIRTQ_DESC_INDIRECT}}},
    {"a03_crooked_size", {.addr = TABLE_AT, .len = 24, .flags = VIRTQ_DESC_INDIRECT}, {{0}}},
    {"a03_empty_table", {.addr = TABLE_AT, .len = 0, .flags = VIRTQ_DESC_INDIRECT}, {{0}}},
    {"a03_huge_table", {.addr = TABLE_AT, .len = 0x100000, .flags = VIRTQ_DESC_INDIRECT}, {{0}}},
    {"a03_table_outside", {.addr = VGUEST_RAM - 8, .len = 16, .flags = VIRTQ_DESC_INDIRECT}, {{0}}},
    {"a03_table_and_next",
     {.addr = TABLE_AT, .len = 16, .flags = VIRTQ_DESC_INDIRECT | VIRTQ_DESC_NEXT},
     {{0}}},
    {"a03_leads_out_of_the_table",
     {.addr = TABLE_AT, .len = 16, .flags = VIRTQ_DESC_INDIRECT},
     {{.addr = VGUEST_FREE, .len = 24, .flags = VIRTQ_DESC_NEXT, .next = 1}}},
    {"a05_readable_behind_writable",
     {.addr = TABLE_AT, .len = 32, .flags = VIRTQ_DESC_INDIRECT},
     {{.addr = VGUEST_FREE, .len = 24, .flags = VIRTQ_DESC_NEXT | VIRTQ_DESC_WRITE, .next = 1},
      {.addr = VGUEST_FREE, .len = 24}}},
};

SLT_TEST_FP(vhost_queue, asks_for_a_reset_on, t, struct broken_case, broken_cases, c)
{
    for (uint32_t round = 0; round < 3; round++) {
        struct virtq_desc *desc = bend(t);
        *desc = c->desc;
        desc->addr += VGUEST_GPA;
        struct virtq_desc *table = (void *)(t->guest.ram + TABLE_AT);
        for (uint32_t i = 0; i < 3; i++) {
            table[i] = c->table[i];
            table[i].addr += VGUEST_GPA;
        }
        vguest_offer(&t->guest, 0, HEAD);
        vhost_world_expect_reset(t, 0);
    }
}

SLT_TEST_F(vhost_queue, a04_asks_for_a_reset_when_the_index_jumps, t)
{
    struct vguest_queue *q = &t->guest.queues[0];
    __atomic_store_n(&q->avail->idx, (uint16_t)(q->next_avail + 257), __ATOMIC_SEQ_CST);
    sl_fd_signal(q->kick);
    vhost_world_expect_reset(t, 0);
    /* A head that is no descriptor, and one that is in use already. */
    q->avail->ring[q->next_avail % 256] = 256;
    __atomic_store_n(&q->avail->idx, (uint16_t)(q->next_avail + 1), __ATOMIC_SEQ_CST);
    sl_fd_signal(q->kick);
    vhost_world_expect_reset(t, 0);
    struct echo_command begin = {ECHO_TASK, 0, 0, 0, 0};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(&t->guest, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(&t->guest, 1, &begin, sizeof begin));
    uint16_t head = vguest_submit_fenced(&t->guest, 1, 0, 1, NULL, 0);
    SLT_ASSERT_EQ(UINT32_MAX, vguest_wait(&t->guest, 0, head, 20));
    vguest_offer(&t->guest, 0, head);
    vhost_world_expect_reset(t, 0);
}

SLT_TEST_F(vhost_queue, a_broken_queue_leaves_the_other_one_working, t)
{
    struct virtq_desc *desc = bend(t);
    desc->flags = VIRTQ_DESC_NEXT;
    desc->next = HEAD;
    vguest_offer(&t->guest, 0, HEAD);
    SLT_ASSERT_TRUE(vguest_broke(&t->guest, 0));
    struct vgpu_cursor q = {.head = {.type = VGPU_MOVE_CURSOR}};
    uint16_t head = vguest_post(&t->guest, 1, &q, sizeof q, 24);
    SLT_EXPECT_EQ(24u, vguest_wait(&t->guest, 1, head, VGUEST_PATIENCE_MS));
}

/* ---- what is answered by an error ---- */

SLT_TEST_F(vhost_queue, a05_survives_responses_without_room, t)
{
    struct vguest *g = &t->guest;
    struct vgpu_head q = {.type = VGPU_GET_DISPLAY_INFO};
    static const uint32_t rooms[] = {0, 1, 23, 24, 100, 407};
    for (uint32_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        uint16_t head = vguest_post(g, 0, &q, sizeof q, rooms[i]);
        uint32_t want = rooms[i] < 24 ? rooms[i] : 24;
        SLT_EXPECT_EQ(want, vguest_wait(g, 0, head, VGUEST_PATIENCE_MS));
        if (rooms[i] >= 24) {
            SLT_EXPECT_EQ(VGPU_ERR_INVALID_PARAMETER, sl_load_u32(vguest_response_at(g, 0, head)));
            SLT_EXPECT_EQ(0xee, vguest_response_at(g, 0, head)[24]); /* not a byte more */
        }
    }
    /* A writable piece of no bytes, and a response that may only be read. */
    static const uint16_t flags[] = {VIRTQ_DESC_WRITE, 0};
    for (uint32_t i = 0; i < 2; i++) {
        struct virtq_desc *desc = bend(t);
        memset(g->ram + VGUEST_FREE + 0x1000, 0xee, 24);
        desc[0].flags = VIRTQ_DESC_NEXT;
        desc[0].next = HEAD + 1;
        desc[1] = (struct virtq_desc){
            .addr = VGUEST_GPA + VGUEST_FREE + 0x1000, .len = i == 0 ? 0 : 408, .flags = flags[i]};
        vguest_offer(g, 0, HEAD);
        SLT_EXPECT_EQ(0u, vguest_wait(g, 0, HEAD, VGUEST_PATIENCE_MS));
        SLT_EXPECT_EQ(0xeeeeeeeeu, sl_load_u32(g->ram + VGUEST_FREE + 0x1000));
    }
    /* Nothing was made by a command that could not be answered. */
    struct vgpu_create_2d create = {.head = {.type = VGPU_RESOURCE_CREATE_2D},
                                    .resource_id = 9,
                                    .format = VIRTGPU_FORMAT_R8G8B8A8,
                                    .width = 4,
                                    .height = 4};
    uint16_t head = vguest_post(g, 0, &create, sizeof create, 0);
    SLT_EXPECT_EQ(0u, vguest_wait(g, 0, head, VGUEST_PATIENCE_MS));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_create_2d(g, 9, VIRTGPU_FORMAT_R8G8B8A8, 4, 4));
    vhost_world_expect_healthy(t);
}

/* Another processor that rewrites a request. */
struct rewriter {
    pthread_t thread;
    uint32_t stop; /* atomic */
    uint32_t *word;
    uint32_t a, b;
};

static void *rewrite(void *user)
{
    struct rewriter *r = user;
    while (sl_atomic_load_seq(&r->stop) == 0) {
        sl_atomic_store_relaxed(r->word, r->a);
        sl_atomic_store_relaxed(r->word, r->b);
    }
    return NULL;
}

SLT_TEST_F(vhost_queue, a06_reads_a_request_once, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 7, 0, 4096));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_ATTACH_RESOURCE, 1, 7));
    /* The same request at head 200 again and again; its size changes under the reader. */
    struct {
        struct vgpu_submit q;
        struct echo_command fill;
    } *at = (void *)(g->ram + VGUEST_FREE);
    uint8_t *answer = g->ram + VGUEST_FREE + 0x1000;
    at->q = (struct vgpu_submit){.head = {.type = VGPU_SUBMIT_3D, .ctx_id = 1}};
    at->fill = (struct echo_command){ECHO_FILL, 7, 0, 16, 1};
    struct rewriter r = {.word = &at->q.size, .a = sizeof at->fill, .b = UINT32_MAX};
    SLT_ASSERT_OK(sl_thread_start(&r.thread, "rewriter", 0, rewrite, &r));
    struct virtq_desc *desc = g->queues[0].desc;
    desc[HEAD] = (struct virtq_desc){
        .addr = vguest_gpa(g, at), .len = sizeof *at, .flags = VIRTQ_DESC_NEXT, .next = HEAD + 1};
    desc[HEAD + 1] =
        (struct virtq_desc){.addr = vguest_gpa(g, answer), .len = 24, .flags = VIRTQ_DESC_WRITE};
    uint32_t strange = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        vguest_offer(g, 0, HEAD);
        strange += vguest_wait(g, 0, HEAD, VGUEST_PATIENCE_MS) != 24;
        uint32_t type = sl_load_u32(answer);
        strange += type != VGPU_OK_NODATA && type != VGPU_ERR_INVALID_PARAMETER;
    }
    sl_atomic_store_seq(&r.stop, 1);
    pthread_join(r.thread, NULL);
    SLT_EXPECT_EQ(0u, strange);
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_queue, a07_answers_every_unknown_type_by_an_error, t)
{
    struct vguest *g = &t->guest;
    uint16_t heads[64];
    uint32_t wrong = 0;
    for (uint32_t first = 0; first < 65536; first += 64) {
        for (uint32_t i = 0; i < 64; i++) {
            uint8_t q[24 + 64] = {0};
            sl_store_u32(q, first + i);
            heads[i] = vguest_post(g, 0, q, 24 + (first + i) % 65, 24);
        }
        for (uint32_t i = 0; i < 64; i++) {
            uint32_t type = first + i;
            bool known = (type >= 0x100 && type <= 0x10d) || (type >= 0x200 && type <= 0x209);
            wrong += vguest_wait(g, 0, heads[i], VGUEST_PATIENCE_MS) != 24;
            wrong += !known && sl_load_u32(vguest_response_at(g, 0, heads[i])) != VGPU_ERR_UNSPEC;
        }
    }
    SLT_EXPECT_EQ(0u, wrong);
    vhost_world_expect_healthy(t);
}

struct short_case {
    const char *label;
    uint32_t type;
    uint32_t size;
};
static const struct short_case short_cases[] = {
    {"display_info", VGPU_GET_DISPLAY_INFO, 24},
    {"create_2d", VGPU_RESOURCE_CREATE_2D, 40},
    {"unref", VGPU_RESOURCE_UNREF, 32},
    {"set_scanout", VGPU_SET_SCANOUT, 48},
    {"flush", VGPU_RESOURCE_FLUSH, 48},
    {"transfer_2d", VGPU_TRANSFER_TO_HOST_2D, 56},
    {"attach", VGPU_RESOURCE_ATTACH_BACKING, 32},
    {"detach", VGPU_RESOURCE_DETACH_BACKING, 32},
    {"capset_info", VGPU_GET_CAPSET_INFO, 32},
    {"capset", VGPU_GET_CAPSET, 32},
    {"edid", VGPU_GET_EDID, 32},
    {"uuid", VGPU_RESOURCE_ASSIGN_UUID, 32},
    {"create_blob", VGPU_RESOURCE_CREATE_BLOB, 56},
    {"set_scanout_blob", VGPU_SET_SCANOUT_BLOB, 96},
    {"ctx_create", VGPU_CTX_CREATE, 96},
    {"ctx_destroy", VGPU_CTX_DESTROY, 24},
    {"ctx_attach", VGPU_CTX_ATTACH_RESOURCE, 32},
    {"ctx_detach", VGPU_CTX_DETACH_RESOURCE, 32},
    {"create_3d", VGPU_RESOURCE_CREATE_3D, 72},
    {"to_3d", VGPU_TRANSFER_TO_HOST_3D, 72},
    {"from_3d", VGPU_TRANSFER_FROM_HOST_3D, 72},
    {"submit", VGPU_SUBMIT_3D, 32},
    {"map", VGPU_RESOURCE_MAP_BLOB, 40},
    {"unmap", VGPU_RESOURCE_UNMAP_BLOB, 32},
};

SLT_TEST_FP(vhost_queue, a08_refuses_a_command_one_byte_short, t, struct short_case, short_cases, c)
{
    /* Wherever its end falls: one piece, or a byte to each descriptor of an indirect table. */
    uint8_t q[96] = {0};
    sl_store_u32(q, c->type);
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_PARAMETER,
                  vguest_command(&t->guest, q, c->size - 1, NULL, 2048));
    struct virtq_desc *desc = bend(t);
    struct virtq_desc *table = (void *)(t->guest.ram + TABLE_AT);
    uint8_t *at = t->guest.ram + VGUEST_FREE;
    uint8_t *answer = t->guest.ram + VGUEST_FREE + 0x4000;
    memcpy(at, q, sizeof q);
    memset(answer, 0, 24);
    for (uint32_t i = 0; i < c->size; i++) {
        table[i] = (struct virtq_desc){.addr = vguest_gpa(&t->guest, at + i),
                                       .len = 1,
                                       .flags = VIRTQ_DESC_NEXT,
                                       .next = (uint16_t)(i + 1)};
    }
    table[c->size - 1] = (struct virtq_desc){
        .addr = vguest_gpa(&t->guest, answer), .len = 2048, .flags = VIRTQ_DESC_WRITE};
    *desc = (struct virtq_desc){
        .addr = VGUEST_GPA + TABLE_AT, .len = c->size * 16, .flags = VIRTQ_DESC_INDIRECT};
    vguest_offer(&t->guest, 0, HEAD);
    SLT_EXPECT_EQ(24u, vguest_wait(&t->guest, 0, HEAD, VGUEST_PATIENCE_MS));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_PARAMETER, sl_load_u32(answer));
}

/* What stands behind the fixed part, and the cursor's queue, whose commands have no response. */
SLT_TEST_F(vhost_queue, a08_refuses_lists_one_byte_short, t)
{
    struct vguest *g = &t->guest;
    struct {
        struct vgpu_attach_backing q;
        struct vgpu_entry entries[2];
    } attach = {
        .q = {.head = {.type = VGPU_RESOURCE_ATTACH_BACKING}, .resource_id = 1, .entry_count = 2},
        .entries = {{.addr = VGUEST_GPA + VGUEST_FREE, .length = 512},
                    {.addr = VGUEST_GPA + VGUEST_FREE, .length = 512}}};
    struct {
        struct vgpu_create_blob q;
        struct vgpu_entry entry;
    } blob = {.q = {.head = {.type = VGPU_RESOURCE_CREATE_BLOB},
                    .resource_id = 2,
                    .blob_mem = VIRTGPU_BLOB_GUEST,
                    .entry_count = 1,
                    .size = 4096},
              .entry = {.addr = VGUEST_GPA + VGUEST_FREE, .length = 4096}};
    struct {
        struct vgpu_submit q;
        struct echo_command fill;
    } submit = {.q = {.head = {.type = VGPU_SUBMIT_3D, .ctx_id = 1}, .size = sizeof submit.fill}};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_create_2d(g, 1, VIRTGPU_FORMAT_R8G8B8A8, 16, 16));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_PARAMETER,
                  vguest_command(g, &attach, sizeof attach - 1, NULL, 24));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_PARAMETER, vguest_command(g, &blob, sizeof blob - 1, NULL, 24));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_PARAMETER,
                  vguest_command(g, &submit, sizeof submit - 1, NULL, 24));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_command(g, &attach, sizeof attach, NULL, 24));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_command(g, &blob, sizeof blob, NULL, 24));
    for (uint32_t type = VGPU_UPDATE_CURSOR; type <= VGPU_MOVE_CURSOR + 1; type++) {
        struct vgpu_cursor q = {.head = {.type = type}};
        uint16_t head = vguest_post(g, VGPU_QUEUE_CURSOR, &q, sizeof q - 1, 24);
        SLT_EXPECT_EQ(24u, vguest_wait(g, VGPU_QUEUE_CURSOR, head, VGUEST_PATIENCE_MS));
        SLT_EXPECT_TRUE(
            vguest_is_error(sl_load_u32(vguest_response_at(g, VGPU_QUEUE_CURSOR, head))));
        head = vguest_post(g, VGPU_QUEUE_CURSOR, &q, sizeof q - 1, 0);
        SLT_EXPECT_EQ(0u, vguest_wait(g, VGPU_QUEUE_CURSOR, head, VGUEST_PATIENCE_MS));
    }
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_queue, a09_queues_that_start_anew_settle_what_is_in_flight, t)
{
    struct vguest *g = &t->guest;
    for (uint32_t round = 0; round < 20; round++) {
        struct echo_command begin = {ECHO_TASK, 0, 0, 0, 0};
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &begin, sizeof begin));
        for (uint32_t i = 0; i < 64; i++) {
            (void)vguest_submit_fenced(g, 1, 0, 1 + i, NULL, 0);
        }
        for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
            struct vhost_vring_state state = {.index = i};
            SLT_ASSERT_TRUE(vguest_send(g, VHOST_GET_VRING_BASE, 0, &state, sizeof state, NULL, 0));
            SLT_ASSERT_EQ(sizeof state, vguest_recv(g, &state, sizeof state, NULL));
        }
        SLT_ASSERT_TRUE(vguest_start_queue(g, 0, 0) && vguest_start_queue(g, 1, 0));
        SLT_EXPECT_EQ(0, g->queues[0].used->idx);
        vhost_world_expect_healthy(t);
        uint16_t fence = vguest_submit_fenced(g, 0, UINT32_MAX, 1, NULL, 0);
        SLT_EXPECT_EQ(24u, vguest_wait(g, 0, fence, VGUEST_PATIENCE_MS));
        SLT_ASSERT_TRUE(vguest_restart(g)); /* the fences' ids begin again */
    }
}

SLT_TEST_F(vhost_queue, a09_a_reset_settles_what_is_in_flight, t)
{
    struct vguest *g = &t->guest;
    for (uint32_t round = 0; round < 20; round++) {
        struct echo_command begin = {ECHO_TASK, 0, 0, 0, 0};
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 1, 0, 4096));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &begin, sizeof begin));
        for (uint32_t i = 0; i < 63; i++) {
            (void)vguest_submit_fenced(g, 1, 0, 1 + i, NULL, 0);
        }
        uint32_t asked = g->asked;
        g->silent_maps = true; /* and one that waits for the front end */
        struct vgpu_map_blob map = {.head = {.type = VGPU_RESOURCE_MAP_BLOB}, .resource_id = 1};
        (void)vguest_post(g, 0, &map, sizeof map, 32);
        for (uint32_t i = 0; i < 500 && g->asked == asked; i++) {
            vguest_pump(g, 20);
        }
        SLT_ASSERT_EQ(asked + 1, g->asked);
        SLT_ASSERT_TRUE(vguest_restart(g));
        g->silent_maps = false;
        /* The answer that was still out comes now, and is for nobody. */
        uint64_t no = 1;
        struct vhost_head head = {.request = VHOST_BACKEND_SHMEM_MAP,
                                  .flags = VHOST_FLAG_VERSION | VHOST_FLAG_REPLY,
                                  .size = 8};
        uint8_t bytes[20];
        memcpy(bytes, &head, 12);
        memcpy(bytes + 12, &no, 8);
        SLT_EXPECT_TRUE(vguest_answer_back(g, bytes, sizeof bytes));
        SLT_EXPECT_EQ(0, g->queues[0].used->idx);
        vhost_world_expect_healthy(t);
        uint16_t fence = vguest_submit_fenced(g, 0, UINT32_MAX, 1, NULL, 0);
        SLT_EXPECT_EQ(24u, vguest_wait(g, 0, fence, VGUEST_PATIENCE_MS)); /* ids begin again too */
    }
}

SLT_TEST_F(vhost_queue, a10_does_not_read_or_write_through_its_own_window, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 1, 0, 4096));
    SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 1, 0x10000));
    struct vgpu_head *request = vguest_mapped(g, 0x10000);
    SLT_ASSERT_TRUE(request != NULL);
    *request = (struct vgpu_head){.type = VGPU_GET_DISPLAY_INFO};
    uint8_t *answer = g->ram + VGUEST_FREE;
    struct virtq_desc *desc = bend(t);
    desc[0] = (struct virtq_desc){
        .addr = VGUEST_WINDOW_GPA + 0x10000, .len = 24, .flags = VIRTQ_DESC_NEXT, .next = HEAD + 1};
    desc[1] =
        (struct virtq_desc){.addr = vguest_gpa(g, answer), .len = 2048, .flags = VIRTQ_DESC_WRITE};
    vguest_offer(g, 0, HEAD);
    SLT_EXPECT_EQ(24u, vguest_wait(g, 0, HEAD, VGUEST_PATIENCE_MS));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_PARAMETER, sl_load_u32(answer));
    /* The response into the window. */
    bend(t);
    desc[0].flags = VIRTQ_DESC_NEXT;
    desc[0].next = HEAD + 1;
    desc[1].addr = VGUEST_WINDOW_GPA + 0x10000;
    memset(request, 0x33, 24);
    vguest_offer(g, 0, HEAD);
    SLT_EXPECT_EQ(0u, vguest_wait(g, 0, HEAD, VGUEST_PATIENCE_MS));
    SLT_EXPECT_EQ(0x33333333u, request->type);
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_queue, a11_a_storm_of_kicks_holds_nobody_up, t)
{
    struct vguest *g = &t->guest;
    uint64_t end = sl_clock_ns() + 300 * SL_NS_PER_MS;
    uint32_t answered = 0;
    while (sl_clock_ns() < end) {
        for (uint32_t i = 0; i < 1000; i++) {
            sl_fd_signal(g->queues[0].kick);
            sl_fd_signal(g->queues[1].kick);
        }
        struct vgpu_head q = {.type = VGPU_GET_DISPLAY_INFO};
        answered += vguest_command(g, &q, sizeof q, NULL, 408) == VGPU_OK_DISPLAY_INFO;
    }
    SLT_EXPECT_LT(0u, answered);
    vhost_world_expect_healthy(t);
}
