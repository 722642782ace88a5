/* A server of transport/vhost with a device, on a thread of its own, and a guest at it: what every
 * test of that front stands on. */
#ifndef TESTS_VHOST_WORLD_H
#define TESTS_VHOST_WORLD_H

#include "host/device/device.h"
#include "tests/support/vguest.h"
#include "transport/vhost/vhost.h"
#include "transport/vhost/vhost_control_wire.h"

#include <pthread.h>

#define VHOST_WORLD_WINDOW ((uint64_t)64 << 20)
#define VHOST_WORLD_EVENTS 64u

/* What a display was told. */
struct vhost_shown {
    uint32_t scanouts, damages, cursors; /* how often */
    uint32_t width_px, height_px;        /* of the last scanout */
    struct vg_box box;                   /* of the last damage */
    struct vgd_cursor cursor;
};

struct vhost_world {
    struct vhost_server *server;
    const struct hct_type *const *types;
    struct dev_limits limits;
    pthread_t thread;
    bool running;
    int stop;
    char path[108];
    char control[120];
    enum sl_result served;
    pthread_mutex_t lock; /* guards shown */
    struct vhost_shown shown;
    struct vguest guest;
};

/* Listens, with the echo type and a display of 640 x 480; limits: nullable. */
void vhost_world_start(struct vhost_world *world, const struct dev_limits *limits);
void vhost_world_start_types(struct vhost_world *world, const struct hct_type *const *types,
                             const struct dev_limits *limits);
/* A guest, started, at it. */
void vhost_world_enter(struct vhost_world *world);
/* Both. */
void vhost_world_begin(struct vhost_world *world);
void vhost_world_stop(struct vhost_world *world);
/* As new: the device reset, or another guest at it when the one before was cut off. */
void vhost_world_again(struct vhost_world *world);

/* What the display was told so far. */
struct vhost_shown vhost_world_shown(struct vhost_world *world);
/* What the tools' socket answers: exactly `size` bytes to *reply. fd: nullable; gives a descriptor
 * that came along, else it is left. */
void vhost_world_ask(struct vhost_world *world, const struct vhost_control_request *q, void *reply,
                     size_t size, int *fd);
struct vhost_control_reply vhost_world_control(struct vhost_world *world,
                                               const struct vhost_control_request *q, int *fd);
struct vhost_control_request vhost_world_request(uint32_t verb, uint32_t scanout_id);
struct vhost_control_stats vhost_world_stats(struct vhost_world *world);
#define VHOST_WORLD_WIDE 8u
#define VHOST_WORLD_HIGH 4u
/* A 2D resource of that size and virtio-gpu format, backed by pages whose pieces end in the middle
 * of a pixel; pixel i is value + i. */
void vhost_world_picture(struct vhost_world *world, uint32_t id, uint32_t format, uint32_t value);
/* The guest is as well as ever, and so is the server: one round of everything. */
void vhost_world_expect_healthy(struct vhost_world *world);
/* The queue asks for a reset; after one all is well. */
void vhost_world_expect_reset(struct vhost_world *world, uint32_t queue);

#endif
