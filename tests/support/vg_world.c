#include "tests/support/vg_world.h"

#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/thread.h"

#include <stdio.h>

static enum sl_result make_device(void *user, const struct vgd_sink *sink, struct vgd **out)
{
    const struct world *world = user;
    return dev_create(world->config.types, NULL, &world->config.limits, sink, out);
}

static void *serve(void *user)
{
    struct world *world = user;
    struct vgd_sink sink = local_server_sink(world->server);
    struct vgd *device = NULL;
    sl_clock_sleep_ns(world->config.driver_delay_ns);
    world->served = make_device(world, &sink, &device);
    if (world->served == SL_OK) {
        local_server_set_device(world->server, device);
        world->served = local_server_run(world->server, world->stop);
        device->ops->destroy(device);
    }
    return NULL;
}

static enum sl_result start_local(struct world *world)
{
    struct local_server_options options = world->config.server;
    snprintf(world->path, sizeof world->path, "%s/world", world->config.directory);
    options.path = world->path;
    enum sl_result r = sl_fd_event(&world->stop);
    if (r != SL_OK) {
        return r;
    }
    r = local_server_create(&options, &world->server);
    if (r == SL_OK) {
        r = sl_thread_start(&world->thread, "world", 8u << 20, serve, world);
    }
    if (r != SL_OK) {
        local_server_destroy(world->server);
        world->server = NULL;
        sl_fd_close(&world->stop);
    }
    return r;
}

enum sl_result world_start(struct world *world, const struct world_config *config)
{
    *world = (struct world){.config = *config, .stop = -1};
    return config->backend == WORLD_LOOP ? loop_create(make_device, world, &world->loop)
                                         : start_local(world);
}

void world_stop(struct world *world)
{
    loop_destroy(world->loop);
    if (world->server != NULL) {
        sl_fd_signal(world->stop);
        pthread_join(world->thread, NULL);
        local_server_destroy(world->server);
        sl_fd_close(&world->stop);
    }
    world->loop = NULL;
    world->server = NULL;
}

enum sl_result world_open(struct world *world, struct vg **out)
{
    return world->loop != NULL ? vg_loop_open(world->loop, out) : vg_local_open(world->path, out);
}
