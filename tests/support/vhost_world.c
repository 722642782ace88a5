#include "tests/support/vhost_world.h"

#include "tests/support/echo_type.h"
#include "tests/support/slt.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/sock.h"
#include "transport/base/thread.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void on_scanout(void *user, uint32_t scanout_id, uint32_t width_px, uint32_t height_px)
{
    (void)scanout_id;
    struct vhost_world *world = user;
    pthread_mutex_lock(&world->lock);
    world->shown.width_px = width_px;
    world->shown.height_px = height_px;
    world->shown.scanouts++;
    pthread_mutex_unlock(&world->lock);
}

static void on_damage(void *user, uint32_t scanout_id, const struct vg_box *box)
{
    (void)scanout_id;
    struct vhost_world *world = user;
    pthread_mutex_lock(&world->lock);
    world->shown.box = *box;
    world->shown.damages++;
    pthread_mutex_unlock(&world->lock);
}

static void on_cursor(void *user, uint32_t scanout_id, const struct vgd_cursor *cursor)
{
    (void)scanout_id;
    struct vhost_world *world = user;
    pthread_mutex_lock(&world->lock);
    world->shown.cursor = *cursor;
    world->shown.cursors++;
    pthread_mutex_unlock(&world->lock);
}

static void *serve(void *user)
{
    struct vhost_world *world = user;
    struct vgd_sink sink = vhost_server_sink(world->server);
    struct vgd *device = NULL;
    world->served = dev_create(world->types, NULL, &world->limits, &sink, &device);
    if (world->served == SL_OK) {
        vhost_server_set_device(world->server, device);
        world->served = vhost_server_run(world->server, world->stop);
        device->ops->destroy(device);
    }
    return NULL;
}

void vhost_world_start_types(struct vhost_world *world, const struct hct_type *const *types,
                             const struct dev_limits *limits)
{
    pthread_mutex_init(&world->lock, NULL);
    world->types = types;
    world->limits = limits != NULL ? *limits : (struct dev_limits){0};
    snprintf(world->path, sizeof world->path, "%s/gpu", SLT_TMPDIR());
    snprintf(world->control, sizeof world->control, "%s" VHOST_CONTROL_SUFFIX, world->path);
    world->stop = -1;
    SLT_ASSERT_OK(sl_fd_event(&world->stop));
    SLT_ASSERT_OK(
        vhost_server_create(&(struct vhost_server_options){.path = world->path,
                                                           .control_path = world->control,
                                                           .scanouts = 2,
                                                           .width_px = 640,
                                                           .height_px = 480,
                                                           .window_size = VHOST_WORLD_WINDOW,
                                                           .display = {.user = world,
                                                                       .scanout = on_scanout,
                                                                       .damage = on_damage,
                                                                       .cursor = on_cursor}},
                            &world->server));
    SLT_ASSERT_OK(sl_thread_start(&world->thread, "vhost", 8u << 20, serve, world));
    world->running = true;
}

void vhost_world_start(struct vhost_world *world, const struct dev_limits *limits)
{
    static const struct hct_type *const types[] = {&echo_type, NULL};
    vhost_world_start_types(world, types, limits);
}

void vhost_world_enter(struct vhost_world *world)
{
    SLT_ASSERT_TRUE(vguest_start(&world->guest, world->path, 0));
}

void vhost_world_begin(struct vhost_world *world)
{
    vhost_world_start(world, NULL);
    vhost_world_enter(world);
}

void vhost_world_stop(struct vhost_world *world)
{
    vguest_stop(&world->guest);
    if (world->running) {
        sl_fd_signal(world->stop);
        pthread_join(world->thread, NULL);
        SLT_EXPECT_OK(world->served);
    }
    vhost_server_destroy(world->server);
    sl_fd_close(&world->stop);
    pthread_mutex_destroy(&world->lock);
}

void vhost_world_again(struct vhost_world *world)
{
    struct vguest *g = &world->guest;
    SLT_ASSERT_TRUE(vguest_restart(g) || vguest_start_soon(g, world->path, 0));
    g->refuse_maps = g->silent_maps = false;
    g->config_changes = g->asked = 0;
    pthread_mutex_lock(&world->lock);
    world->shown = (struct vhost_shown){0};
    pthread_mutex_unlock(&world->lock);
}

struct vhost_shown vhost_world_shown(struct vhost_world *world)
{
    pthread_mutex_lock(&world->lock);
    struct vhost_shown shown = world->shown;
    pthread_mutex_unlock(&world->lock);
    return shown;
}

struct vhost_control_request vhost_world_request(uint32_t verb, uint32_t scanout)
{
    return (struct vhost_control_request){.magic = VHOST_CONTROL_MAGIC,
                                          .version = VHOST_CONTROL_VERSION,
                                          .verb = verb,
                                          .scanout_id = scanout};
}

void vhost_world_ask(struct vhost_world *world, const struct vhost_control_request *q, void *reply,
                     size_t size, int *fd)
{
    int tool, fds[SL_SOCK_MAX_FDS];
    uint32_t count = 0;
    size_t got = 0;
    SLT_ASSERT_OK(sl_sock_connect(world->control, &tool));
    enum sl_result r = sl_sock_send(tool, q, sizeof *q, NULL, 0);
    if (r == SL_OK) {
        r = sl_sock_recv(tool, reply, size, &got, fds, &count);
    }
    close(tool);
    SLT_ASSERT_OK(r);
    SLT_EXPECT_EQ(size, got);
    for (uint32_t i = 0; i < count; i++) {
        if (fd != NULL && i == 0) {
            *fd = fds[0];
        } else {
            close(fds[i]);
        }
    }
}

struct vhost_control_reply vhost_world_control(struct vhost_world *world,
                                               const struct vhost_control_request *q, int *fd)
{
    struct vhost_control_reply reply = {0};
    vhost_world_ask(world, q, &reply, sizeof reply, fd);
    return reply;
}

void vhost_world_picture(struct vhost_world *world, uint32_t id, uint32_t format, uint32_t value)
{
    struct vguest *g = &world->guest;
    uint8_t *pages = g->ram + VGUEST_FREE;
    for (uint32_t i = 0; i < VHOST_WORLD_WIDE * VHOST_WORLD_HIGH; i++) {
        uint32_t pixel = value + i;
        memcpy(pages + i * 4, &pixel, 4);
    }
    /* The second piece lies elsewhere. */
    memcpy(g->ram + VGUEST_FREE + 0x1000, pages + 42, VHOST_WORLD_WIDE * VHOST_WORLD_HIGH * 4 - 42);
    memset(pages + 42, 0xcc, VHOST_WORLD_WIDE * VHOST_WORLD_HIGH * 4 - 42);
    struct vgpu_entry entries[2] = {{.addr = vguest_gpa(g, pages), .length = 42},
                                    {.addr = vguest_gpa(g, pages + 0x1000),
                                     .length = VHOST_WORLD_WIDE * VHOST_WORLD_HIGH * 4 - 42}};
    SLT_ASSERT_EQ(VGPU_OK_NODATA,
                  vguest_create_2d(g, id, format, VHOST_WORLD_WIDE, VHOST_WORLD_HIGH));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_attach(g, id, entries, 2));
    SLT_ASSERT_EQ(
        VGPU_OK_NODATA,
        vguest_transfer(g, id, (struct vgpu_rect){0, 0, VHOST_WORLD_WIDE, VHOST_WORLD_HIGH}, 0));
}

struct vhost_control_stats vhost_world_stats(struct vhost_world *world)
{
    struct vhost_control_request q = vhost_world_request(VHOST_CONTROL_STATS, 0);
    struct vhost_control_stats stats = {0};
    vhost_world_ask(world, &q, &stats, sizeof stats, NULL);
    SLT_EXPECT_EQ(SL_OK, stats.reply.result);
    return stats;
}

/* Ids that no test uses. */
#define HEALTHY_CTX 0x7777u
#define HEALTHY_RES 0x7777u

void vhost_world_expect_healthy(struct vhost_world *world)
{
    struct vguest *g = &world->guest;
    uint64_t offset = VHOST_WORLD_WINDOW - 4096;
    struct echo_command fill = {ECHO_FILL, HEALTHY_RES, 0, 4096, 0x5a};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_ctx(g, HEALTHY_CTX, ECHO_CAPSET));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_blob(g, HEALTHY_CTX, HEALTHY_RES, 0, 4096));
    SLT_EXPECT_EQ(VGPU_OK_MAP_INFO, vguest_map(g, HEALTHY_RES, offset));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_ATTACH_RESOURCE, HEALTHY_CTX, HEALTHY_RES));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_submit(g, HEALTHY_CTX, &fill, sizeof fill));
    const uint8_t *seen = vguest_mapped(g, offset);
    SLT_ASSERT_TRUE(seen != NULL);
    SLT_EXPECT_EQ(0x5a, seen[4095]);
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNMAP_BLOB, 0, HEALTHY_RES));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_RESOURCE_UNREF, 0, HEALTHY_RES));
    SLT_EXPECT_EQ(VGPU_OK_NODATA, vguest_id(g, VGPU_CTX_DESTROY, HEALTHY_CTX, 0));
}

void vhost_world_expect_reset(struct vhost_world *world, uint32_t queue)
{
    SLT_ASSERT_TRUE(vguest_broke(&world->guest, queue));
    SLT_ASSERT_TRUE(vguest_restart(&world->guest));
    vhost_world_expect_healthy(world);
}
