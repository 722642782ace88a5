/* What a front end or a driver may leave out, and what of the device the other tests do not need:
 * 3D resources, the default context type, interrupts that nobody wants. */
#include "tests/support/echo_type.h"
#include "tests/support/slt.h"
#include "tests/support/vhost_world.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/virtgpu/proto.h"

#include <poll.h>
#include <string.h>

static void bed_init(struct vhost_world *t)
{
    vhost_world_start(t, NULL);
}

SLT_FIXTURE(vhost_modes, struct vhost_world, bed_init, vhost_world_stop);

/* Without these features, and perhaps without kick descriptors. */
static void enter(struct vhost_world *t, uint64_t features, uint64_t protocol, bool polled)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_TRUE(vguest_connect(g, t->path));
    g->features_without = features;
    g->polled = polled;
    SLT_ASSERT_TRUE(vguest_negotiate(g, protocol) && vguest_share_ram(g) &&
                    vguest_start_queue(g, 0, 0) && vguest_start_queue(g, 1, 0));
}

SLT_TEST_F(vhost_modes, serves_queues_without_kick_descriptors, t)
{
    enter(t, 0, 0, true);
    vhost_world_expect_healthy(t);
    sl_clock_sleep_ns(20 * SL_NS_PER_MS); /* it looks again after a rest */
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost_modes, maps_for_a_front_end_that_acknowledges_nothing, t)
{
    enter(t, 0, VHOST_PROTOCOL_REPLY_ACK, false);
    for (uint32_t i = 0; i < 10; i++) {
        struct vguest *g = &t->guest;
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 1, 0, 4096));
        SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 1, 0x10000));
        for (uint32_t j = 0; j < 3000 && vguest_mapped(g, 0x10000) == NULL; j++) {
            vguest_pump(g, 10); /* the request may come behind its command */
        }
        SLT_ASSERT_TRUE(vguest_mapped(g, 0x10000) != NULL);
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, 1));
        for (uint32_t j = 0; j < 3000 && vguest_mapped(g, 0x10000) != NULL; j++) {
            vguest_pump(g, 10);
        }
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNREF, 0, 1));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_DESTROY, 1, 0));
    }
}

SLT_TEST_F(vhost_modes, knows_no_indirect_tables_where_none_were_agreed_on, t)
{
    enter(t, VIRTIO_RING_F_INDIRECT, 0, false);
    struct vguest *g = &t->guest;
    vhost_world_expect_healthy(t);
    struct virtq_desc *table = (void *)(g->ram + VGUEST_FREE);
    table[0] = (struct virtq_desc){.addr = VGUEST_GPA + VGUEST_FREE + 0x1000, .len = 24};
    g->queues[0].desc[200] = (struct virtq_desc){
        .addr = VGUEST_GPA + VGUEST_FREE, .len = 16, .flags = VIRTQ_DESC_INDIRECT};
    vguest_offer(g, 0, 200);
    vhost_world_expect_reset(t, 0);
}

/* ---- interrupts ---- */

/* Within so many milliseconds. */
static bool interrupted(struct vguest *g, uint32_t ms)
{
    struct pollfd item = {.fd = g->queues[0].call, .events = POLLIN};
    return poll(&item, 1, (int)ms) == 1;
}

/* A command, waited for by looking at the ring alone; its call descriptor is left as it is. */
static void look_for(struct vguest *g, uint16_t want)
{
    struct vgpu_head q = {.type = VGPU_GET_DISPLAY_INFO};
    (void)vguest_post(g, 0, &q, sizeof q, 408);
    for (uint32_t i = 0; i < VGUEST_PATIENCE_MS; i++) {
        if (__atomic_load_n(&g->queues[0].used->idx, __ATOMIC_ACQUIRE) == want) {
            break;
        }
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_ASSERT_EQ(want, g->queues[0].used->idx);
}

SLT_TEST_F(vhost_modes, interrupts_when_the_event_index_is_passed, t)
{
    enter(t, 0, 0, false);
    struct vguest *g = &t->guest;
    g->queues[0].avail->ring[VGUEST_QUEUE_SIZE] = 2; /* not before the third comes back */
    look_for(g, 1);
    SLT_EXPECT_TRUE(!interrupted(g, 5));
    look_for(g, 2);
    SLT_EXPECT_TRUE(!interrupted(g, 5));
    look_for(g, 3);
    SLT_EXPECT_TRUE(interrupted(g, VGUEST_PATIENCE_MS));
    /* And it says from where on it wants to be kicked. */
    const uint16_t *event = (const void *)&g->queues[0].used->ring[VGUEST_QUEUE_SIZE];
    SLT_EXPECT_EQ(3, __atomic_load_n(event, __ATOMIC_ACQUIRE));
}

SLT_TEST_F(vhost_modes, interrupts_unless_told_not_to, t)
{
    enter(t, VIRTIO_RING_F_EVENT_IDX, 0, false);
    struct vguest *g = &t->guest;
    g->queues[0].avail->ring[VGUEST_QUEUE_SIZE] = 77; /* means nothing now */
    g->queues[0].avail->flags = VIRTQ_AVAIL_NO_INTERRUPT;
    look_for(g, 1);
    SLT_EXPECT_TRUE(!interrupted(g, 5));
    g->queues[0].avail->flags = 0;
    look_for(g, 2);
    SLT_EXPECT_TRUE(interrupted(g, VGUEST_PATIENCE_MS));
}

/* ---- 3D resources, contexts ---- */

SLT_TEST_F(vhost_modes, moves_boxes_of_3d_resources_both_ways, t)
{
    enter(t, 0, 0, false);
    struct vguest *g = &t->guest;
    uint8_t *pages = g->ram + VGUEST_FREE;
    struct vgpu_create_3d create = {.head = {.type = VGPU_RESOURCE_CREATE_3D},
                                    .resource_id = 4,
                                    .target = VIRTGPU_TARGET_2D,
                                    .format = VIRTGPU_FORMAT_R8G8B8A8,
                                    .bind = VIRTGPU_BIND_RENDER_TARGET,
                                    .width = 8,
                                    .height = 4,
                                    .depth = 1,
                                    .array_size = 1};
    struct vgpu_entry entry = {.addr = VGUEST_GPA + VGUEST_FREE, .length = 4096};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_command(g, &create, sizeof create, NULL, 24));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_attach(g, 4, &entry, 1));
    for (uint32_t i = 0; i < 4096; i++) {
        pages[i] = (uint8_t)(i * 7);
    }
    /* Rows lie 48 bytes apart in the guest's pages, from 100 on. */
    struct vgpu_transfer_3d q = {.head = {.type = VGPU_TRANSFER_TO_HOST_3D},
                                 .x = 2,
                                 .y = 1,
                                 .width = 3,
                                 .height = 2,
                                 .depth = 1,
                                 .offset = 100,
                                 .resource_id = 4,
                                 .stride = 48};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_command(g, &q, sizeof q, NULL, 24));
    uint8_t want[2][12];
    memcpy(want[0], pages + 100, 12);
    memcpy(want[1], pages + 148, 12);
    memset(pages, 0xee, 4096);
    struct vgpu_transfer_3d all = {.head = {.type = VGPU_TRANSFER_FROM_HOST_3D},
                                   .width = 8,
                                   .height = 4,
                                   .depth = 1,
                                   .offset = 1000,
                                   .resource_id = 4};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_command(g, &all, sizeof all, NULL, 24));
    uint8_t picture[4 * 32] = {0};
    memcpy(picture + 1 * 32 + 8, want[0], 12);
    memcpy(picture + 2 * 32 + 8, want[1], 12);
    SLT_EXPECT_MEMEQ(picture, pages + 1000, sizeof picture);
    SLT_EXPECT_EQ(0xee, pages[999]);
    SLT_EXPECT_EQ(0xee, pages[1000 + sizeof picture]);
}

SLT_TEST_F(vhost_modes, keeps_a_buffer_resources_bytes, t)
{
    enter(t, 0, 0, false);
    struct vguest *g = &t->guest;
    struct vgpu_create_3d create = {.head = {.type = VGPU_RESOURCE_CREATE_3D},
                                    .resource_id = 4,
                                    .target = VIRTGPU_TARGET_BUFFER,
                                    .format = VIRTGPU_FORMAT_R8,
                                    .width = 600,
                                    .height = 1,
                                    .depth = 1,
                                    .array_size = 1};
    struct vgpu_entry entry = {.addr = VGUEST_GPA + VGUEST_FREE, .length = 4096};
    struct vgpu_transfer_3d q = {.head = {.type = VGPU_TRANSFER_TO_HOST_3D},
                                 .width = 600,
                                 .height = 1,
                                 .depth = 1,
                                 .resource_id = 4};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_command(g, &create, sizeof create, NULL, 24));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_attach(g, 4, &entry, 1));
    memset(g->ram + VGUEST_FREE, 0x42, 600);
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_command(g, &q, sizeof q, NULL, 24));
    memset(g->ram + VGUEST_FREE, 0, 4096);
    q.head.type = VGPU_TRANSFER_FROM_HOST_3D;
    q.x = 599, q.width = 1, q.offset = 7;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_command(g, &q, sizeof q, NULL, 24));
    SLT_EXPECT_EQ(0x42, g->ram[VGUEST_FREE + 7]);
    SLT_EXPECT_EQ(0, g->ram[VGUEST_FREE + 6]);
    SLT_EXPECT_EQ(0, g->ram[VGUEST_FREE + 8]);
}

SLT_TEST_F(vhost_modes, makes_a_context_of_the_first_type_when_none_is_named, t)
{
    enter(t, 0, 0, false);
    struct vguest *g = &t->guest;
    struct echo_command nothing = {ECHO_DONE, 0, 0, 0, 0};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, 0));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &nothing, sizeof nothing));
}

SLT_TEST_F(vhost_modes, shows_pictures_without_blobs_and_contexts, t)
{
    /* As QEMU's vhost-user-gpu: no blobs, no context types, no window, and a socket of its own for
     * the displays, of which we make no use. */
    enter(t, VGPU_F_RESOURCE_BLOB | VGPU_F_CONTEXT_INIT, VHOST_PROTOCOL_SHMEM, false);
    struct vguest *g = &t->guest;
    int displays = -1;
    SLT_ASSERT_OK(sl_fd_event(&displays));
    SLT_EXPECT_EQ(0u, vguest_ask(g, VHOST_GPU_SET_SOCKET, NULL, 0, &displays, 1));
    sl_fd_close(&displays);
    SLT_ASSERT_TRUE(vguest_make_backed(g, 1));
    const struct vgpu_rect all = {0, 0, 16, 16};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_transfer(g, 1, all, 0));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_set_scanout(g, 0, 1, all));
    SLT_EXPECT_EQ(16u, vhost_world_shown(t).width_px);
}
