/* transport/vhost with a guest that behaves: the handshake, displays, window, fences, pause,
 * reset, reconnection. */
#include "tests/support/echo_type.h"
#include "tests/support/slt.h"
#include "tests/support/vhost_world.h"
#include "transport/base/bytes.h"
#include "transport/base/clock.h"
#include "transport/vhost/vhost_control_wire.h"
#include "transport/virtgpu/proto.h"

#include <string.h>
#include <unistd.h>

SLT_FIXTURE(vhost, struct vhost_world, vhost_world_begin, vhost_world_stop);

/* ---- handshake ---- */

SLT_TEST_F(vhost, offers_what_a_driver_looks_for, t)
{
    const uint64_t wanted = VIRTIO_F_VERSION_1 | VIRTIO_RING_F_INDIRECT | VIRTIO_RING_F_EVENT_IDX |
                            VHOST_F_PROTOCOL_FEATURES | VGPU_F_VIRGL | VGPU_F_EDID |
                            VGPU_F_RESOURCE_UUID | VGPU_F_RESOURCE_BLOB | VGPU_F_CONTEXT_INIT;
    SLT_EXPECT_EQ(wanted, t->guest.features);
    SLT_EXPECT_TRUE((t->guest.protocol & VHOST_PROTOCOL_SHMEM) != 0);
    SLT_EXPECT_EQ(509u, vguest_ask_u64(&t->guest, VHOST_GET_MAX_MEM_SLOTS));
    struct vhost_shmem_config shmem = {0};
    SLT_ASSERT_TRUE(vguest_send(&t->guest, VHOST_GET_SHMEM_CONFIG, 0, NULL, 0, NULL, 0));
    SLT_ASSERT_EQ(sizeof shmem, vguest_recv(&t->guest, &shmem, sizeof shmem, NULL));
    SLT_EXPECT_EQ(1u, shmem.count);
    SLT_EXPECT_EQ(VHOST_WORLD_WINDOW, shmem.sizes[1]);
}

static size_t get_config(struct vhost_world *t, uint32_t offset, uint32_t size,
                         struct vhost_config *out)
{
    struct vhost_config q = {.offset = offset, .size = size};
    SLT_ASSERT_TRUE(vguest_send(&t->guest, VHOST_GET_CONFIG, 0, &q, 12 + size, NULL, 0));
    memset(out, 0, sizeof *out);
    return vguest_recv(&t->guest, out, sizeof *out, NULL);
}

SLT_TEST_F(vhost, shows_its_config_space, t)
{
    struct vhost_config c;
    SLT_ASSERT_EQ(12u + 20u, get_config(t, 0, 20, &c)); /* QEMU's own device asks for 20 */
    struct vgpu_config config;
    memcpy(&config, c.bytes, sizeof config);
    SLT_EXPECT_EQ(0u, config.events_read);
    SLT_EXPECT_EQ(2u, config.num_scanouts);
    SLT_EXPECT_EQ(1u, config.num_capsets);
    SLT_ASSERT_EQ(12u + 4u, get_config(t, 8, 4, &c));
    SLT_EXPECT_EQ(2, c.bytes[0]);
    SLT_EXPECT_EQ(0u, get_config(t, 250, 20, &c)); /* refused: an empty answer */
}

SLT_TEST_F(vhost, lists_capsets_and_hands_them_out, t)
{
    struct vgpu_id q = {.head = {.type = VGPU_GET_CAPSET_INFO}};
    struct {
        struct vgpu_head head;
        struct vgpu_capset_info info;
    } a;
    SLT_ASSERT_EQ(VGPU_OK_CAPSET_INFO, vguest_command(&t->guest, &q, sizeof q, &a, sizeof a));
    SLT_EXPECT_EQ(ECHO_CAPSET, a.info.id);
    SLT_EXPECT_EQ(1u, a.info.max_version);
    SLT_EXPECT_EQ(ECHO_CAPSET_BYTES, a.info.max_size);
    q.id = 1;
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_PARAMETER,
                  vguest_command(&t->guest, &q, sizeof q, &a, sizeof a));
    struct vgpu_get_capset get = {
        .head = {.type = VGPU_GET_CAPSET}, .capset_id = ECHO_CAPSET, .version = 1};
    uint8_t bytes[24 + 256];
    SLT_EXPECT_EQ(VGPU_OK_CAPSET, vguest_command(&t->guest, &get, sizeof get, bytes, sizeof bytes));
    get.capset_id = 99;
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_PARAMETER,
                  vguest_command(&t->guest, &get, sizeof get, bytes, sizeof bytes));
}

/* ---- displays ---- */

SLT_TEST_F(vhost, tells_of_its_displays, t)
{
    struct vgpu_head q = {.type = VGPU_GET_DISPLAY_INFO};
    struct {
        struct vgpu_head head;
        struct vgpu_display_info info;
    } a;
    SLT_ASSERT_EQ(VGPU_OK_DISPLAY_INFO, vguest_command(&t->guest, &q, sizeof q, &a, sizeof a));
    SLT_EXPECT_EQ(640u, a.info.scanouts[0].rect.width);
    SLT_EXPECT_EQ(1u, a.info.scanouts[0].enabled);
    SLT_EXPECT_EQ(640u, a.info.scanouts[1].rect.x); /* to the right of the first */
    SLT_EXPECT_EQ(0u, a.info.scanouts[2].enabled);
}

static uint32_t get_edid(struct vhost_world *t, uint32_t scanout, uint8_t edid[128])
{
    struct vgpu_id q = {.head = {.type = VGPU_GET_EDID}, .id = scanout};
    struct {
        struct vgpu_head head;
        struct vgpu_edid edid;
    } a;
    uint32_t type = vguest_command(&t->guest, &q, sizeof q, &a, sizeof a);
    if (type == VGPU_OK_EDID) {
        SLT_EXPECT_EQ(128u, a.edid.size);
        memcpy(edid, a.edid.bytes, 128);
    }
    return type;
}

SLT_TEST_F(vhost, describes_a_display_by_a_sound_edid, t)
{
    uint8_t edid[128] = {0};
    SLT_ASSERT_EQ(VGPU_OK_EDID, get_edid(t, 1, edid));
    uint32_t sum = 0;
    for (uint32_t i = 0; i < 128; i++) {
        sum += edid[i];
    }
    SLT_EXPECT_EQ(0u, sum & 0xff);
    SLT_EXPECT_EQ(640u, edid[56] | (edid[58] & 0xf0u) << 4);
    SLT_EXPECT_EQ(480u, edid[59] | (edid[61] & 0xf0u) << 4);
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_SCANOUT_ID, get_edid(t, 2, edid));
}

SLT_TEST_F(vhost, tells_the_guest_of_a_new_size, t)
{
    struct vhost_control_request q = vhost_world_request(VHOST_CONTROL_PLUG, 0);
    q.on = 1, q.width_px = 1024, q.height_px = 600;
    SLT_ASSERT_EQ(SL_OK, vhost_world_control(t, &q, NULL).result);
    for (uint32_t i = 0; i < 500 && t->guest.config_changes == 0; i++) {
        vguest_pump(&t->guest, 20);
    }
    SLT_EXPECT_EQ(1u, t->guest.config_changes);
    struct vhost_config c;
    SLT_ASSERT_EQ(16u, get_config(t, 0, 4, &c));
    SLT_EXPECT_EQ(VGPU_EVENT_DISPLAY, c.bytes[0]);
    uint8_t edid[128] = {0};
    SLT_ASSERT_EQ(VGPU_OK_EDID, get_edid(t, 0, edid));
    SLT_EXPECT_EQ(1024u, edid[56] | (edid[58] & 0xf0u) << 4);
    /* The driver saw it. */
    struct vhost_config clear = {.offset = 4, .size = 4, .bytes = {VGPU_EVENT_DISPLAY}};
    SLT_EXPECT_EQ(0u, vguest_ask(&t->guest, VHOST_SET_CONFIG, &clear, 16, NULL, 0));
    SLT_ASSERT_EQ(16u, get_config(t, 0, 4, &c));
    SLT_EXPECT_EQ(0, c.bytes[0]);
}

/* ---- window and fences ---- */

SLT_TEST_F(vhost, maps_forty_blobs_at_once, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    uint16_t heads[40];
    for (uint32_t i = 0; i < 40; i++) {
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 10 + i, 0, 8192));
    }
    for (uint32_t i = 0; i < 40; i++) { /* none is waited for */
        struct vgpu_map_blob q = {
            .head = {.type = VGPU_RESOURCE_MAP_BLOB}, .resource_id = 10 + i, .offset = i * 8192};
        heads[i] = vguest_post(g, 0, &q, sizeof q, 32);
    }
    for (uint32_t i = 0; i < 40; i++) {
        SLT_EXPECT_EQ(32u, vguest_wait(g, 0, heads[i], VGUEST_PATIENCE_MS));
        SLT_EXPECT_TRUE(vguest_mapped(g, i * 8192) != NULL);
    }
    for (uint32_t i = 0; i < 40; i++) { /* as Linux does it: the end follows the unmap at once */
        struct vgpu_id q = {.head = {.type = VGPU_RESOURCE_UNMAP_BLOB}, .id = 10 + i};
        struct vgpu_id unref = {.head = {.type = VGPU_RESOURCE_UNREF}, .id = 10 + i};
        uint16_t first = vguest_post(g, 0, &q, sizeof q, 24);
        uint16_t second = vguest_post(g, 0, &unref, sizeof unref, 24);
        SLT_EXPECT_EQ(24u, vguest_wait(g, 0, first, VGUEST_PATIENCE_MS));
        SLT_EXPECT_EQ(24u, vguest_wait(g, 0, second, VGUEST_PATIENCE_MS));
        SLT_EXPECT_EQ(VGPU_OK_NODATA, sl_load_u32(vguest_response_at(g, 0, second)));
    }
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost, moves_bytes_between_the_two_memories_of_a_blob, t)
{
    struct vguest *g = &t->guest;
    uint8_t *pages = g->ram + VGUEST_FREE;
    struct {
        struct vgpu_create_blob q;
        struct vgpu_entry entries[2];
    } create = {.q = {.head = {.type = VGPU_RESOURCE_CREATE_BLOB, .ctx_id = 1},
                      .resource_id = 3,
                      .blob_mem = VIRTGPU_BLOB_HOST3D_GUEST,
                      .blob_flags = VIRTGPU_BLOB_MAPPABLE,
                      .entry_count = 2,
                      .size = 8192},
                .entries = {{.addr = vguest_gpa(g, pages + 8192), .length = 4096},
                            {.addr = vguest_gpa(g, pages), .length = 4096}}};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_command(g, &create, sizeof create, NULL, 24));
    SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 3, 0));
    uint8_t *host = vguest_mapped(g, 0);
    SLT_ASSERT_TRUE(host != NULL);
    memset(pages, 2, 4096);
    memset(pages + 8192, 1, 4096);
    struct vgpu_transfer_3d q = {.head = {.type = VGPU_TRANSFER_TO_HOST_3D},
                                 .x = 100,
                                 .width = 200,
                                 .height = 1,
                                 .depth = 1,
                                 .offset = 4000,
                                 .resource_id = 3};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_command(g, &q, sizeof q, NULL, 24));
    SLT_EXPECT_EQ(0, host[99]);
    SLT_EXPECT_EQ(1, host[100]);
    SLT_EXPECT_EQ(2, host[299]); /* of the second page */
    SLT_EXPECT_EQ(0, host[300]);
    host[8191] = 7;
    q.head.type = VGPU_TRANSFER_FROM_HOST_3D;
    q.x = 8191, q.width = 1, q.offset = 8191;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_command(g, &q, sizeof q, NULL, 24));
    SLT_EXPECT_EQ(7, pages[4095]);
    q.width = 2; /* past both ends */
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_PARAMETER, vguest_command(g, &q, sizeof q, NULL, 24));
    q.width = 1, q.offset = 8192;
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_PARAMETER, vguest_command(g, &q, sizeof q, NULL, 24));
}

SLT_TEST_F(vhost, says_so_when_a_map_is_refused, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 10, 0, 4096));
    g->refuse_maps = true;
    SLT_EXPECT_EQ(VGPU_ERR_UNSPEC, vguest_map(g, 10, 0));
    g->refuse_maps = false;
    SLT_EXPECT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 10, 0)); /* it may be tried again */
}

SLT_TEST_F(vhost, gives_a_fenced_chain_back_when_the_work_is_done, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    struct echo_command begin = {ECHO_TASK, 2, 0, 0, 0}, end = {ECHO_DONE, 0, 0, 0, 0};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &begin, sizeof begin));
    uint16_t waits = vguest_submit_fenced(g, 1, 2, 1, NULL, 0);
    uint16_t other = vguest_submit_fenced(g, 1, 3, 2, NULL, 0);
    uint16_t global = vguest_submit_fenced(g, 1, UINT32_MAX, 3, NULL, 0);
    SLT_EXPECT_EQ(24u, vguest_wait(g, 0, other, VGUEST_PATIENCE_MS)); /* another ring */
    SLT_EXPECT_EQ(24u, vguest_wait(g, 0, global, VGUEST_PATIENCE_MS));
    SLT_EXPECT_EQ(UINT32_MAX, vguest_wait(g, 0, waits, 50));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &end, sizeof end));
    SLT_EXPECT_EQ(24u, vguest_wait(g, 0, waits, VGUEST_PATIENCE_MS));
    struct vgpu_head answer;
    memcpy(&answer, vguest_response_at(g, 0, waits), sizeof answer);
    SLT_EXPECT_EQ(VGPU_OK_NODATA, answer.type);
    SLT_EXPECT_EQ(VGPU_FLAG_FENCE | VGPU_FLAG_INFO_RING_IDX, answer.flags);
    SLT_EXPECT_EQ(1u, answer.fence_id);
    SLT_EXPECT_EQ(1u, answer.ctx_id);
    SLT_EXPECT_EQ(2, answer.ring_idx);
}

SLT_TEST_F(vhost, wakes_for_a_fence_done_on_another_thread, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    struct echo_command later[2] = {{ECHO_TASK, 0, 0, 0, 0}, {ECHO_LATER, 20000, 0, 0, 0}};
    uint16_t head = vguest_submit_fenced(g, 1, 0, 1, later, sizeof later);
    SLT_EXPECT_EQ(24u, vguest_wait(g, 0, head, VGUEST_PATIENCE_MS));
}

SLT_TEST_F(vhost, gives_each_resource_a_name_of_its_own, t)
{
    struct vguest *g = &t->guest;
    struct {
        struct vgpu_head head;
        struct vgpu_uuid uuid;
    } a, b;
    struct vgpu_id q = {.head = {.type = VGPU_RESOURCE_ASSIGN_UUID}, .id = 1};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_create_2d(g, 1, VIRTGPU_FORMAT_R8G8B8A8, 4, 4));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_create_2d(g, 2, VIRTGPU_FORMAT_R8G8B8A8, 4, 4));
    SLT_EXPECT_EQ(VGPU_OK_RESOURCE_UUID, vguest_command(g, &q, sizeof q, &a, sizeof a));
    q.id = 2;
    SLT_EXPECT_EQ(VGPU_OK_RESOURCE_UUID, vguest_command(g, &q, sizeof q, &b, sizeof b));
    SLT_EXPECT_TRUE(memcmp(&a.uuid, &b.uuid, sizeof a.uuid) != 0);
    q.id = 3;
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_RESOURCE_ID, vguest_command(g, &q, sizeof q, &b, sizeof b));
}

SLT_TEST_F(vhost, counts_what_the_guest_does, t)
{
    struct vguest *g = &t->guest;
    struct vhost_control_stats before = vhost_world_stats(t);
    SLT_EXPECT_EQ(1u, before.reply.connected);
    vhost_world_picture(t, 5, VIRTGPU_FORMAT_R8G8B8A8,
                        0x11000000); /* three commands, one of them a transfer */
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(g, 1, 1, 0, 4096));
    SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, 1, 0));
    uint16_t head = vguest_submit_fenced(g, 1, 0, 1, NULL, 0);
    SLT_ASSERT_EQ(24u, vguest_wait(g, 0, head, VGUEST_PATIENCE_MS));
    SLT_ASSERT_EQ(
        VGPU_OK_NODATA,
        vguest_flush(&t->guest, 5, (struct vgpu_rect){0, 0, VHOST_WORLD_WIDE, VHOST_WORLD_HIGH}));
    struct vhost_control_stats now = vhost_world_stats(t);
    SLT_EXPECT_EQ(8u, now.control.chains - before.control.chains);
    SLT_EXPECT_EQ(8u, now.control.kicks - before.control.kicks); /* each was waited for */
    SLT_EXPECT_EQ(8u, now.control.interrupts - before.control.interrupts);
    SLT_EXPECT_EQ(0u, now.cursor.chains);
    SLT_EXPECT_EQ(1u, now.submits);
    SLT_EXPECT_EQ(1u, now.fences);
    SLT_EXPECT_EQ(1u, now.maps);
    SLT_EXPECT_EQ(1u, now.flushes);
    SLT_EXPECT_EQ(1u, now.transfers);
    SLT_EXPECT_EQ(VHOST_WORLD_WIDE * VHOST_WORLD_HIGH * 4, now.transfer_bytes);
    SLT_EXPECT_EQ(1u, now.contexts);
    SLT_EXPECT_EQ(2u, now.resources);
    SLT_EXPECT_LE(4096u + VHOST_WORLD_WIDE * VHOST_WORLD_HIGH * 4, now.resource_bytes);
    SLT_EXPECT_LT(before.time_ns, now.time_ns);
    /* What was done stays counted when the machine goes; what lives does not. */
    vguest_stop(g);
    for (uint32_t i = 0; i < 3000 && now.reply.connected != 0; i++) {
        now = vhost_world_stats(t);
        sl_clock_sleep_ns(10 * SL_NS_PER_MS);
    }
    SLT_EXPECT_EQ(0u, now.reply.connected);
    SLT_EXPECT_EQ(before.control.chains + 8u, now.control.chains);
    SLT_EXPECT_EQ(0u, now.contexts + now.resources + now.resource_bytes);
}

/* ---- lives ---- */

SLT_TEST_F(vhost, keeps_everything_over_a_pause, t)
{
    struct vguest *g = &t->guest;
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    struct echo_command begin = {ECHO_TASK, 0, 0, 0, 0}, end = {ECHO_DONE, 0, 0, 0, 0};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &begin, sizeof begin));
    uint16_t waits = vguest_submit_fenced(g, 1, 0, 1, NULL, 0);
    SLT_ASSERT_EQ(UINT32_MAX, vguest_wait(g, 0, waits, 20));
    uint16_t at[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct vhost_vring_state state = {.index = i}, answer;
        SLT_ASSERT_TRUE(vguest_send(g, VHOST_GET_VRING_BASE, 0, &state, sizeof state, NULL, 0));
        SLT_ASSERT_EQ(sizeof answer, vguest_recv(g, &answer, sizeof answer, NULL));
        at[i] = (uint16_t)answer.value;
    }
    SLT_EXPECT_EQ(g->queues[0].next_avail, at[0]);
    SLT_ASSERT_TRUE(vguest_start_queue(g, 0, at[0]) && vguest_start_queue(g, 1, at[1]));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &end, sizeof end)); /* the context lives */
    SLT_EXPECT_EQ(24u, vguest_wait(g, 0, waits, VGUEST_PATIENCE_MS));
}

SLT_TEST_F(vhost, begins_anew_when_the_driver_does, t)
{
    struct vguest *g = &t->guest;
    for (uint32_t i = 0; i < 2; i++) { /* a reboot, by a front end without RESET_DEVICE */
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
        for (uint32_t j = 0; j < 2; j++) {
            struct vhost_vring_state state = {.index = j};
            SLT_ASSERT_TRUE(vguest_send(g, VHOST_GET_VRING_BASE, 0, &state, sizeof state, NULL, 0));
            SLT_ASSERT_EQ(sizeof state, vguest_recv(g, &state, sizeof state, NULL));
        }
        SLT_ASSERT_TRUE(vguest_start_queue(g, 0, 0) && vguest_start_queue(g, 1, 0));
    }
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost, takes_the_next_machine_when_one_is_gone, t)
{
    for (uint32_t i = 0; i < 3; i++) {
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(&t->guest, 1, ECHO_CAPSET));
        SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(&t->guest, 1, 1, 0, 4096));
        SLT_ASSERT_EQ(VGPU_OK_MAP_INFO, vguest_map(&t->guest, 1, 0));
        SLT_ASSERT_TRUE(vguest_start_soon(&t->guest, t->path, 0));
        vhost_world_expect_healthy(t);
    }
    struct vguest second = {0};
    SLT_EXPECT_TRUE(!vguest_start(&second, t->path, 0)); /* one at a time */
    vguest_stop(&second);
    vhost_world_expect_healthy(t);
}

SLT_TEST_F(vhost, works_without_window_and_slots, t)
{
    uint64_t without = VHOST_PROTOCOL_SHMEM | VHOST_PROTOCOL_BACKEND_REQ |
                       VHOST_PROTOCOL_MEM_SLOTS | VHOST_PROTOCOL_STATUS;
    SLT_ASSERT_TRUE(vguest_start_soon(&t->guest, t->path, without));
    vhost_world_picture(t, 5, VIRTGPU_FORMAT_R8G8B8A8, 0x22000000);
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(&t->guest, 1, ECHO_CAPSET));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_blob(&t->guest, 1, 1, 0, 4096));
    SLT_EXPECT_EQ(VGPU_ERR_UNSPEC, vguest_map(&t->guest, 1, 0));
}

SLT_TEST_F(vhost, takes_up_what_a_crashed_process_had_in_flight, t)
{
    struct vguest *g = &t->guest;
    struct vhost_inflight area = {.queue_count = 2, .queue_size = VGUEST_QUEUE_SIZE};
    int fd;
    SLT_ASSERT_TRUE(vguest_send(g, VHOST_GET_INFLIGHT_FD, 0, &area, sizeof area, NULL, 0));
    SLT_ASSERT_EQ(sizeof area, vguest_recv(g, &area, sizeof area, &fd));
    SLT_ASSERT_TRUE(fd >= 0);
    struct vhost_vring_state state = {.index = 0};
    SLT_ASSERT_TRUE(vguest_send(g, VHOST_GET_VRING_BASE, 0, &state, sizeof state, NULL, 0));
    SLT_ASSERT_EQ(sizeof state, vguest_recv(g, &state, sizeof state, NULL));
    state.index = 1;
    SLT_ASSERT_TRUE(vguest_send(g, VHOST_GET_VRING_BASE, 0, &state, sizeof state, NULL, 0));
    SLT_ASSERT_EQ(sizeof state, vguest_recv(g, &state, sizeof state, NULL));
    SLT_ASSERT_EQ(0u, vguest_ask(g, VHOST_SET_INFLIGHT_FD, &area, sizeof area, &fd, 1));
    SLT_ASSERT_TRUE(vguest_start_queue(g, 0, 0) && vguest_start_queue(g, 1, 0));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, 1, ECHO_CAPSET));
    struct echo_command begin = {ECHO_TASK, 0, 0, 0, 0};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_submit(g, 1, &begin, sizeof begin));
    uint16_t waits = vguest_submit_fenced(g, 1, 0, 1, NULL, 0);
    SLT_ASSERT_EQ(UINT32_MAX, vguest_wait(g, 0, waits, 20));
    /* The process dies: another connection with the same memory and area. */
    close(g->front);
    g->front = -1;
    struct vguest old = *g;
    for (uint32_t i = 0; i < 3000; i++) {
        struct vguest again = {0};
        if (vguest_connect(&again, t->path) && vguest_negotiate(&again, 0)) {
            g->front = again.front;
            close(g->back);
            g->back = again.back;
            again.front = again.back = -1;
            vguest_stop(&again);
            break;
        }
        vguest_stop(&again);
        sl_clock_sleep_ns(10 * SL_NS_PER_MS);
    }
    SLT_ASSERT_TRUE(g->front >= 0);
    SLT_ASSERT_TRUE(vguest_share_ram(g));
    SLT_ASSERT_EQ(0u, vguest_ask(g, VHOST_SET_INFLIGHT_FD, &area, sizeof area, &fd, 1));
    close(fd);
    SLT_ASSERT_TRUE(vguest_start_queue(g, 0, old.queues[0].used->idx));
    /* The context went with the process: an error, and the chain is back. */
    SLT_EXPECT_EQ(24u, vguest_wait(g, 0, waits, VGUEST_PATIENCE_MS));
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_CONTEXT_ID, sl_load_u32(vguest_response_at(g, 0, waits)));
    vhost_world_expect_healthy(t);
}
