/* transport/vhost with a guest that shows something: pictures, blobs of its pages, cursors, as the
 * tools' socket sees them. */
#include "tests/support/slt.h"
#include "tests/support/vhost_world.h"
#include "transport/vhost/vhost_control_wire.h"
#include "transport/virtgpu/proto.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

SLT_FIXTURE(vhost_picture, struct vhost_world, vhost_world_begin, vhost_world_stop);

/* What scanout 0 shows, by the tools' socket. */
static void expect_picture(struct vhost_world *t, const uint32_t *want, uint32_t width,
                           uint32_t height, bool with_cursor)
{
    struct vhost_control_request q = vhost_world_request(VHOST_CONTROL_SHOT, 0);
    q.on = with_cursor;
    int fd = -1;
    struct vhost_control_reply reply = vhost_world_control(t, &q, &fd);
    SLT_ASSERT_EQ(SL_OK, reply.result);
    SLT_EXPECT_EQ(width, reply.width_px);
    SLT_EXPECT_EQ(height, reply.height_px);
    size_t size = (size_t)width * height * 4;
    void *pixels = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    SLT_ASSERT_TRUE(pixels != MAP_FAILED);
    SLT_EXPECT_MEMEQ(want, pixels, size);
    munmap(pixels, size);
}

SLT_TEST_F(vhost_picture, shows_a_2d_picture, t)
{
    vhost_world_picture(t, 5, VIRTGPU_FORMAT_R8G8B8A8, 0x11000000);
    SLT_ASSERT_EQ(VGPU_OK_NODATA,
                  vguest_set_scanout(&t->guest, 0, 5, (struct vgpu_rect){2, 1, 4, 2}));
    SLT_EXPECT_EQ(1u, vhost_world_shown(t).scanouts);
    SLT_EXPECT_EQ(4u, vhost_world_shown(t).width_px);
    SLT_ASSERT_EQ(VGPU_OK_NODATA,
                  vguest_flush(&t->guest, 5, (struct vgpu_rect){0, 0, VHOST_WORLD_WIDE, 2}));
    SLT_EXPECT_EQ(1u, vhost_world_shown(t).damages);
    SLT_EXPECT_EQ(1u, vhost_world_shown(t).box.height); /* what of it is seen */
    SLT_EXPECT_EQ(4u, vhost_world_shown(t).box.width);
    const uint32_t want[8] = {0x1100000a, 0x1100000b, 0x1100000c, 0x1100000d,
                              0x11000012, 0x11000013, 0x11000014, 0x11000015};
    expect_picture(t, want, 4, 2, false);
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_set_scanout(&t->guest, 0, 0, (struct vgpu_rect){0}));
    SLT_EXPECT_EQ(0u, vhost_world_shown(t).width_px);
    struct vhost_control_request q = vhost_world_request(VHOST_CONTROL_SHOT, 0);
    SLT_EXPECT_EQ(SL_ERR_NOTFOUND, vhost_world_control(t, &q, NULL).result);
}

SLT_TEST_F(vhost_picture, shows_a_blob_of_guest_pages, t)
{
    struct vguest *g = &t->guest;
    uint8_t *pages = g->ram + VGUEST_FREE;
    const uint32_t pixels[4] = {0xff0000ff, 0xff00ff00, 0xffff0000, 0xff112233};
    memcpy(pages + 64, pixels, 8);
    memcpy(pages + 64 + 32, pixels + 2, 8);
    struct {
        struct vgpu_create_blob q;
        struct vgpu_entry entry;
    } create = {.q = {.head = {.type = VGPU_RESOURCE_CREATE_BLOB},
                      .resource_id = 3,
                      .blob_mem = VIRTGPU_BLOB_GUEST,
                      .blob_flags = VIRTGPU_BLOB_SHAREABLE,
                      .entry_count = 1,
                      .size = 4096},
                .entry = {.addr = vguest_gpa(g, pages), .length = 4096}};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_command(g, &create, sizeof create, NULL, 24));
    struct vgpu_set_scanout_blob q = {.head = {.type = VGPU_SET_SCANOUT_BLOB},
                                      .rect = {0, 0, 2, 2},
                                      .resource_id = 3,
                                      .width = 2,
                                      .height = 2,
                                      .format = VIRTGPU_FORMAT_B8G8R8X8,
                                      .strides = {32},
                                      .offsets = {64}};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_command(g, &q, sizeof q, NULL, 24));
    const uint32_t want[4] = {0xffff0000, 0xff00ff00, 0xff0000ff, 0xff332211};
    expect_picture(t, want, 2, 2, false);
    q.offsets[0] = 4096 - 39; /* one byte too far */
    SLT_EXPECT_EQ(VGPU_ERR_INVALID_PARAMETER, vguest_command(g, &q, sizeof q, NULL, 24));
}

SLT_TEST_F(vhost_picture, draws_the_cursor_where_the_guest_put_it, t)
{
    struct vguest *g = &t->guest;
    vhost_world_picture(t, 5, VIRTGPU_FORMAT_R8G8B8A8, 0x00000000);
    SLT_ASSERT_EQ(VGPU_OK_NODATA,
                  vguest_set_scanout(&t->guest, 0, 5,
                                     (struct vgpu_rect){0, 0, VHOST_WORLD_WIDE, VHOST_WORLD_HIGH}));
    vhost_world_picture(t, 6, VIRTGPU_FORMAT_R8G8B8A8, 0xff808000);
    struct vgpu_cursor q = {.head = {.type = VGPU_UPDATE_CURSOR}, .x = 6, .y = 3, .resource_id = 6};
    uint16_t head = vguest_post(g, VGPU_QUEUE_CURSOR, &q, sizeof q, 0);
    SLT_EXPECT_EQ(0u, vguest_wait(g, VGPU_QUEUE_CURSOR, head, VGUEST_PATIENCE_MS));
    SLT_EXPECT_EQ(1u, vhost_world_shown(t).cursors);
    uint32_t want[VHOST_WORLD_WIDE * VHOST_WORLD_HIGH];
    for (uint32_t i = 0; i < VHOST_WORLD_WIDE * VHOST_WORLD_HIGH; i++) {
        want[i] = i;
    }
    want[30] = 0x00808000; /* the picture's alpha stays */
    want[31] = 0x00808001;
    expect_picture(t, want, VHOST_WORLD_WIDE, VHOST_WORLD_HIGH, true);
    q.head.type = VGPU_MOVE_CURSOR;
    q.x = (uint32_t)-7, q.y = 0; /* all but a column is left of it */
    head = vguest_post(g, VGPU_QUEUE_CURSOR, &q, sizeof q, 24);
    SLT_EXPECT_EQ(24u, vguest_wait(g, VGPU_QUEUE_CURSOR, head, VGUEST_PATIENCE_MS));
    want[30] = 30, want[31] = 31;
    for (uint32_t y = 0; y < VHOST_WORLD_HIGH; y++) {
        want[y * VHOST_WORLD_WIDE] = 0x00808007 + y * VHOST_WORLD_WIDE;
    }
    expect_picture(t, want, VHOST_WORLD_WIDE, VHOST_WORLD_HIGH, true);
}

/* A guest's kernel makes cursors' buffers in a format without alpha, and puts alpha there. */
SLT_TEST_F(vhost_picture, takes_a_cursors_alpha_whatever_its_format, t)
{
    struct vguest *g = &t->guest;
    uint32_t want[VHOST_WORLD_WIDE * VHOST_WORLD_HIGH];
    vhost_world_picture(t, 5, VIRTGPU_FORMAT_R8G8B8A8, 0x00000000);
    SLT_ASSERT_EQ(VGPU_OK_NODATA,
                  vguest_set_scanout(&t->guest, 0, 5,
                                     (struct vgpu_rect){0, 0, VHOST_WORLD_WIDE, VHOST_WORLD_HIGH}));
    vhost_world_picture(t, 6, VIRTGPU_FORMAT_R8G8B8X8, 0x00000000);
    struct vgpu_cursor q = {.head = {.type = VGPU_UPDATE_CURSOR}, .resource_id = 6};
    uint16_t head = vguest_post(g, VGPU_QUEUE_CURSOR, &q, sizeof q, 0);
    SLT_EXPECT_EQ(0u, vguest_wait(g, VGPU_QUEUE_CURSOR, head, VGUEST_PATIENCE_MS));
    for (uint32_t i = 0; i < VHOST_WORLD_WIDE * VHOST_WORLD_HIGH; i++) {
        want[i] = 2 * i; /* premultiplied: nothing of the picture is covered */
    }
    expect_picture(t, want, VHOST_WORLD_WIDE, VHOST_WORLD_HIGH, true);
}
