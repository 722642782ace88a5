/* The vhost-user front: a virtual machine's virtio-gpu device. `sluice device` owns one.
 *
 * A VMM (the front end of vhost-user) connects to the socket and hands over the guest's memory and
 * two virtqueues; the guest's commands become verbs of waist B. One VMM at a time: when it goes,
 * all of its guest goes, and the next may connect. Listening begins at create, before the device
 * exists. The thread that calls run is the device thread; it makes the device as well. */
#ifndef VHOST_H
#define VHOST_H

#include "transport/base/result.h"
#include "transport/virtgpu/vgd.h"

#include <stdbool.h>
#include <stdint.h>

#define VHOST_SIDE_MIN_PX 64u
#define VHOST_SIDE_MAX_PX 4095u /* what an EDID's timing can say */

struct vhost_server;

/* Where pictures go: told on the device thread, and may call vhost_server_read there. The first
 * three are those of struct vgd_sink; each is nullable. */
struct vhost_display {
    void *user;
    void (*scanout)(void *user, uint32_t scanout_id, uint32_t width_px, uint32_t height_px);
    void (*damage)(void *user, uint32_t scanout_id, const struct vg_box *box);
    void (*cursor)(void *user, uint32_t scanout_id, const struct vgd_cursor *cursor);
    /* Soon after each vhost_server_wake, and now and then besides. */
    void (*woken)(void *user);
};

/* 0 takes the value in brackets. */
struct vhost_server_options {
    const char *path;             /* of the socket; copied */
    const char *control_path;     /* for `sluice screenshot` and `sluice display`; NULL: none */
    uint32_t scanouts;            /* [1] at most VGD_SCANOUTS; UINT32_MAX: none */
    uint32_t width_px, height_px; /* [1280 x 800] of each at first */
    uint64_t window_size;         /* [4 GiB] host-visible memory; a power of two */
    struct vhost_display display; /* copied */
};

/* Listens. INVALID: the path cannot be one, or somebody serves it; IO; NOMEM. Logged with the
 * reason. */
enum sl_result vhost_server_create(const struct vhost_server_options *options,
                                   struct vhost_server **out) SL_MUST_USE;
/* What to hand to the device's constructor. The server outlives the device. */
struct vgd_sink vhost_server_sink(struct vhost_server *server);
/* Borrows the device until vhost_server_destroy; before run. */
void vhost_server_set_device(struct vhost_server *server, struct vgd *device);
/* Answers what a tool wants in words, on the server's thread: text and reply are terminated; the
 * reply is cut at size. */
typedef void (*vhost_tool)(void *user, const char *text, char *reply, size_t size);
/* Before run. */
void vhost_server_set_tool(struct vhost_server *server, vhost_tool tool, void *user);
/* Serves until stop_fd is readable (borrowed). OK; IO when the event loop itself fails. On return
 * the guest is gone from the device. */
enum sl_result vhost_server_run(struct vhost_server *server, int stop_fd) SL_MUST_USE;
void vhost_server_destroy(struct vhost_server *server); /* takes NULL */

/* Device thread, from a display's callback or while run does not run. */

/* Plugs, unplugs or resizes a scanout; the guest is told. INVALID: no such scanout, or a size out
 * of VHOST_SIDE_*. */
enum sl_result vhost_server_plug(struct vhost_server *server, uint32_t scanout_id,
                                 uint32_t width_px, uint32_t height_px, bool enabled);
/* vgd_ops.scanout_read. */
enum sl_result vhost_server_read(struct vhost_server *server, uint32_t scanout_id, bool with_cursor,
                                 const struct vg_box *part, void *pixels, size_t size,
                                 uint32_t *width_px, uint32_t *height_px);

/* Any thread: vhost_display.woken is called on the device thread. */
void vhost_server_wake(struct vhost_server *server);

#endif
