/* A device with a door to it: what every test of waist A stands on, whichever the backend. */
#ifndef TESTS_VG_WORLD_H
#define TESTS_VG_WORLD_H

#include "host/device/device.h"
#include "transport/local/local_server.h"
#include "transport/loop/loop.h"

#include <pthread.h>

enum world_backend { WORLD_LOOP, WORLD_LOCAL };

struct world_config {
    enum world_backend backend;
    const struct hct_type *const *types;
    struct dev_limits limits;
    struct local_server_options server; /* WORLD_LOCAL: `path` is the world's own */
    const char *directory;              /* WORLD_LOCAL: where the socket goes */
    uint64_t driver_delay_ns; /* WORLD_LOCAL: the device is made so long after the socket listens */
};

struct world {
    struct world_config config;
    struct loop *loop;           /* WORLD_LOOP */
    struct local_server *server; /* WORLD_LOCAL */
    pthread_t thread;            /* WORLD_LOCAL: makes the device and serves */
    enum sl_result served;       /* how that ended */
    int stop;
    char path[108];
};

/* The socket listens when it returns. On failure nothing is left. */
enum sl_result world_start(struct world *world, const struct world_config *config) SL_MUST_USE;
/* Ends it with all that clients still have there. Takes a zeroed world. */
void world_stop(struct world *world);
enum sl_result world_open(struct world *world, struct vg **out) SL_MUST_USE;

#endif
