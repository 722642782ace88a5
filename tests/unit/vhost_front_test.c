/* Hostile front ends: attack cases G01 to G03. */
#include "tests/support/echo_type.h"
#include "tests/support/slt.h"
#include "tests/support/vhost_world.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/virtgpu/proto.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

SLT_FIXTURE_AGAIN(vhost_front, struct vhost_world, vhost_world_begin, vhost_world_stop,
                  vhost_world_again);

/* Another guest gets in once the one before is cut off. */
static void expect_next(struct vhost_world *t)
{
    SLT_ASSERT_TRUE(vguest_start_soon(&t->guest, t->path, 0));
    vhost_world_expect_healthy(t);
}

struct message_case {
    const char *label;
    uint32_t request;
    uint32_t size;
    uint64_t words[5];
    uint32_t fds; /* copies of RAM's descriptor */
};
#define PAIR(low, high) ((uint64_t)(high) << 32 | (low))
static const struct message_case message_cases[] = {
    {"g01_unknown", 99, 0, {0}, 0},
    {"g01_short_payload", VHOST_SET_FEATURES, 4, {0}, 0},
    {"g01_features_not_offered", VHOST_SET_FEATURES, 8, {UINT64_MAX}, 0},
    {"g01_protocol_not_offered", VHOST_SET_PROTOCOL_FEATURES, 8, {UINT64_MAX}, 0},
    {"g01_size_while_running", VHOST_SET_VRING_NUM, 8, {PAIR(0, 128)}, 0},
    {"g01_base_while_running", VHOST_SET_VRING_BASE, 8, {PAIR(0, 0)}, 0},
    {"g01_rings_while_running", VHOST_SET_VRING_ADDR, 40, {0}, 0},
    {"g01_queue_2", VHOST_SET_VRING_ENABLE, 8, {PAIR(2, 1)}, 0},
    {"g01_queue_max", VHOST_GET_VRING_BASE, 8, {PAIR(UINT32_MAX, 0)}, 0},
    {"g01_enable_7", VHOST_SET_VRING_ENABLE, 8, {PAIR(0, 7)}, 0},
    {"g01_no_memory_while_running", VHOST_SET_MEM_TABLE, 8, {0}, 0},
    {"g01_nine_regions", VHOST_SET_MEM_TABLE, 40, {9}, 0},
    {"g01_regions_not_sent", VHOST_SET_MEM_TABLE, 40, {2, VGUEST_GPA, 4096, 0, 0}, 2},
    {"g01_same_region_again",
     VHOST_ADD_MEM_REG,
     40,
     {0, VGUEST_GPA, VGUEST_RAM, VGUEST_USER, 0},
     1},
    {"g01_region_overlaps", VHOST_ADD_MEM_REG, 40, {0, VGUEST_GPA + 4096, 4096, 0, 0}, 1},
    {"g01_region_wraps", VHOST_ADD_MEM_REG, 40, {0, UINT64_MAX - 4095, 8192, 0, 0}, 1},
    {"g01_empty_region", VHOST_ADD_MEM_REG, 40, {0, 0x1000, 0, 0, 0}, 1},
    {"g01_region_not_there", VHOST_REM_MEM_REG, 40, {0, 0x1000, 4096, 0, 0}, 0},
    {"g02_no_descriptor", VHOST_ADD_MEM_REG, 40, {0, 0x1000, 4096, 0, 0}, 0},
    {"g02_two_descriptors", VHOST_ADD_MEM_REG, 40, {0, 0x1000, 4096, 0, 0}, 2},
    {"g02_file_too_short", VHOST_ADD_MEM_REG, 40, {0, 0x1000, 4096, 0, VGUEST_RAM}, 1},
    {"g02_file_offset_wraps", VHOST_ADD_MEM_REG, 40, {0, 0x1000, 4096, 0, UINT64_MAX - 7}, 1},
    {"g02_kick_without_descriptor", VHOST_SET_VRING_KICK, 8, {0}, 0},
    {"g02_kick_that_is_a_file", VHOST_SET_VRING_KICK, 8, {0}, 1},
    {"g02_no_descriptor_but_one_sent", VHOST_SET_VRING_CALL, 8, {VHOST_VRING_NO_FD}, 1},
    {"g02_back_channel_without_descriptor", VHOST_SET_BACKEND_REQ_FD, 0, {0}, 0},
    {"g02_inflight_of_nothing", VHOST_SET_INFLIGHT_FD, 24, {0}, 1},
};

SLT_TEST_FP(vhost_front, hangs_up_on, t, struct message_case, message_cases, c)
{
    int fds[2] = {t->guest.ram_fd, t->guest.ram_fd};
    SLT_ASSERT_TRUE(
        vguest_send(&t->guest, c->request, VHOST_FLAG_NEED_REPLY, c->words, c->size, fds, c->fds));
    SLT_ASSERT_TRUE(vguest_is_cut_off(&t->guest));
    expect_next(t);
}

SLT_TEST_F(vhost_front, g01_hangs_up_on_a_message_that_is_none, t)
{
    static const struct vhost_head heads[] = {
        {.request = VHOST_GET_FEATURES, .flags = 0},             /* no version */
        {.request = VHOST_GET_FEATURES, .flags = 2},             /* another one */
        {.request = VHOST_SET_CONFIG, .flags = 1, .size = 4096}, /* too long */
        {.request = VHOST_SET_CONFIG, .flags = 1, .size = UINT32_MAX},
    };
    for (uint32_t i = 0; i < 4; i++) {
        SLT_ASSERT_TRUE(send(t->guest.front, &heads[i], sizeof heads[i], MSG_NOSIGNAL) > 0);
        SLT_ASSERT_TRUE(vguest_is_cut_off(&t->guest));
        expect_next(t);
    }
    /* On the other socket: an answer to nothing, and something that is no answer. */
    uint64_t zero = 0;
    uint8_t bytes[20];
    for (uint32_t i = 0; i < 2; i++) {
        struct vhost_head head = {.request = VHOST_BACKEND_SHMEM_MAP,
                                  .flags = VHOST_FLAG_VERSION | (i == 0 ? VHOST_FLAG_REPLY : 0),
                                  .size = 8};
        memcpy(bytes, &head, 12);
        memcpy(bytes + 12, &zero, 8);
        SLT_ASSERT_TRUE(vguest_answer_back(&t->guest, bytes, sizeof bytes));
        SLT_ASSERT_TRUE(vguest_is_cut_off(&t->guest));
        expect_next(t);
    }
}

SLT_TEST_F(vhost_front, g01_does_not_read_one_that_never_reads, t)
{
    /* Answers pile up in its socket, then nothing more is taken in: no growth, and others are
     * served once it goes. */
    struct vhost_head head = {.request = VHOST_GET_SHMEM_CONFIG, .flags = VHOST_FLAG_VERSION};
    uint64_t before = sl_alloc_live();
    ssize_t sent = 1;
    for (uint32_t i = 0; i < 200000 && sent > 0; i++) {
        sent = send(t->guest.front, &head, sizeof head, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            sl_clock_sleep_ns(20 * SL_NS_PER_MS);
            sent = send(t->guest.front, &head, sizeof head, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
    }
    SLT_EXPECT_TRUE(sent < 0);
    SLT_EXPECT_LE(sl_alloc_live(), before + 2);
    expect_next(t);
}

SLT_TEST_F(vhost_front, g02_takes_no_pipe_for_memory, t)
{
    int pipes[2];
    SLT_ASSERT_EQ(0, pipe2(pipes, O_CLOEXEC));
    struct vhost_mem_region region = {.region = {.gpa = 0x1000, .size = 4096, .user = 1}};
    bool sent = vguest_send(&t->guest, VHOST_ADD_MEM_REG, 0, &region, sizeof region, pipes, 1);
    close(pipes[0]);
    close(pipes[1]);
    SLT_ASSERT_TRUE(sent);
    SLT_ASSERT_TRUE(vguest_is_cut_off(&t->guest));
    expect_next(t);
}

SLT_TEST_F(vhost_front, g02_survives_memory_that_is_cut, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_TRUE(vguest_make_backed(g, 1));
    /* A piece of a request, and the backing, are gone; the rings are still there. */
    struct vgpu_transfer_2d q = {
        .head = {.type = VGPU_TRANSFER_TO_HOST_2D}, .rect = {0, 0, 16, 16}, .resource_id = 1};
    SLT_ASSERT_EQ(0, ftruncate(g->ram_fd, VGUEST_FREE));
    (void)vguest_post(g, 0, &q, sizeof q, 24);
    SLT_ASSERT_TRUE(vguest_broke(g, 0));
    /* Everything, rings and all. */
    expect_next(t);
    g = &t->guest;
    SLT_ASSERT_EQ(0, ftruncate(g->ram_fd, 0));
    sl_fd_signal(g->queues[0].kick);
    SLT_ASSERT_TRUE(vguest_broke(g, 0));
    expect_next(t);
}

SLT_TEST_F(vhost_front, g03_a_machine_that_vanishes_leaves_nothing, t)
{
    uint64_t before = 0;
    for (uint32_t round = 0; round < 30; round++) {
        struct vguest *g = &t->guest;
        struct echo_command begin = {ECHO_TASK, 0, 0, 0, 0};
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 1, 0, 4096));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 2, 0, 4096));
        SLT_ASSERT_TRUE(vguest_make_backed(g, 3));
        SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 1, 0));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &begin, sizeof begin));
        (void)vguest_submit_fenced(g, 1, 0, 1, NULL, 0);
        struct vgpu_map_blob map = {
            .head = {.type = VGPU_RESOURCE_MAP_BLOB}, .resource_id = 2, .offset = 8192};
        (void)vguest_post(g, 0, &map, sizeof map, 32); /* and does not answer */
        expect_next(t);
        before = round == 1 ? sl_alloc_live() : before;
    }
    SLT_EXPECT_EQ(before, sl_alloc_live());
}

/* Every request, as the first thing that a connection says, with a payload of nothing but 0: an
 * answer or the end, and the next one is served. */
SLT_TEST_F(vhost_front, g01_bears_any_request_out_of_order, t)
{
    for (uint32_t request = 0; request < 50; request++) {
        uint8_t nothing[40] = {0};
        SLT_SCOPE("request %u", request);
        vguest_stop(&t->guest);
        bool in = false;
        for (uint32_t i = 0; i < VGUEST_PATIENCE_MS && !in; i++) {
            in = vguest_connect(&t->guest, t->path) &&
                 vguest_ask_u64(&t->guest, VHOST_GET_FEATURES) != UINT64_MAX;
            if (!in) {
                vguest_stop(&t->guest);
                sl_clock_sleep_ns(SL_NS_PER_MS);
            }
        }
        SLT_ASSERT_TRUE(in);
        (void)vguest_send(&t->guest, request, VHOST_FLAG_NEED_REPLY, nothing, sizeof nothing, NULL,
                          0);
        (void)vguest_send(&t->guest, VHOST_GET_QUEUE_NUM, 0, NULL, 0, NULL, 0);
    }
    expect_next(t);
}

SLT_TEST_F(vhost_front, g01_takes_the_same_memory_table_again, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_TRUE(vguest_start_soon(g, t->path, VHOST_PROTOCOL_MEM_SLOTS));
    for (uint32_t i = 0; i < 20; i++) {
        SLT_ASSERT_TRUE(vguest_share_ram(g));
        struct vgpu_head q = {.type = VGPU_GET_DISPLAY_INFO};
        SLT_ASSERT_EQ(VGPU_OK_DISPLAY_INFO, vguest_command(g, &q, sizeof q, NULL, 408));
    }
    vhost_world_expect_healthy(t);
    /* The same with overlaps in it. */
    struct vhost_region region = {.gpa = VGUEST_GPA, .size = VGUEST_RAM, .user = VGUEST_USER};
    struct vhost_mem_table table = {.count = 2, .regions = {region, region}};
    int fds[2] = {g->ram_fd, g->ram_fd};
    SLT_ASSERT_TRUE(vguest_send(g, VHOST_SET_MEM_TABLE, 0, &table, 8 + 2 * sizeof region, fds, 2));
    SLT_ASSERT_TRUE(vguest_is_cut_off(g));
    expect_next(t);
}

SLT_TEST_F(vhost_front, g01_hangs_up_when_memory_shrinks_under_the_rings, t)
{
    struct vguest *g = &t->guest;
    /* Of the two rings the second one is left without memory. */
    struct vhost_region part = {.gpa = VGUEST_GPA, .size = 0x4000, .user = VGUEST_USER};
    struct vhost_mem_table table = {.count = 1, .regions = {part}};
    SLT_ASSERT_TRUE(vguest_make_backed(g, 1)); /* its pages go too, and stay mapped */
    SLT_ASSERT_TRUE(vguest_send(g, VHOST_SET_MEM_TABLE, VHOST_FLAG_NEED_REPLY, &table,
                                8 + sizeof part, &g->ram_fd, 1));
    SLT_ASSERT_TRUE(vguest_is_cut_off(g));
    expect_next(t);
}

SLT_TEST_F(vhost_front, g01_rests_while_its_memory_is_away, t)
{
    struct vguest *g = &t->guest;
    struct vhost_mem_region all = {
        .region = {.gpa = VGUEST_GPA, .size = VGUEST_RAM, .user = VGUEST_USER}};
    struct vgpu_head q = {.type = VGPU_GET_DISPLAY_INFO};
    SLT_ASSERT_TRUE(vguest_make_backed(g, 1));
    for (uint32_t i = 0; i < 20; i++) {
        SLT_ASSERT_EQ(0u, vguest_ask(g, VHOST_REM_MEM_REG, &all, sizeof all, NULL, 0));
        uint16_t head = vguest_post(g, 0, &q, sizeof q, 408);
        SLT_ASSERT_EQ(UINT32_MAX, vguest_wait(g, 0, head, 1));
        SLT_ASSERT_TRUE(vguest_share_ram(g));
        SLT_ASSERT_EQ(408u, vguest_wait(g, 0, head, VGUEST_PATIENCE_MS));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_transfer(g, 1, (struct vgpu_rect){0, 0, 16, 16}, 0));
    }
    vhost_world_expect_healthy(t);
}
