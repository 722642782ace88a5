/* The server's life and its event loop: who connects, who leaves, whose turn it is. */
#include "transport/vhost/vhost_priv.h"

#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 16
#define POLL_MS        1 /* how often queues without a kick descriptor are looked at */

enum sl_result vhost_watch(struct vhost_server *server, int fd, uint32_t events, uint32_t tag)
{
    struct epoll_event event = {.events = events, .data.u32 = tag};
    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ||
        (errno == EEXIST && epoll_ctl(server->epoll, EPOLL_CTL_MOD, fd, &event) == 0)) {
        return SL_OK;
    }
    return errno == EPERM ? SL_ERR_PROTOCOL : sl_result_from_errno(errno);
}

void vhost_unwatch(struct vhost_server *server, int fd)
{
    /* By hand: others have the same open file, so that closing ours would leave it in the set. */
    (void)epoll_ctl(server->epoll, EPOLL_CTL_DEL, fd, NULL);
}

/* ---- sessions come and go ---- */

/* Out of descriptors: a connection that cannot be accepted would wake us for ever, so it is taken
 * with the spare one and dropped. Anything else: it went again by itself. */
static void turn_away(struct vhost_server *server, int error)
{
    if (error != EMFILE && error != ENFILE) {
        return;
    }
    sl_fd_close(&server->spare);
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    sl_warn_limited("vhost", "a virtual machine was turned away: no descriptors left; raise the "
                             "limit of open files");
    sl_fd_close(&fd);
    if (sl_fd_event(&server->spare) != SL_OK) {
        server->spare = -1;
    }
}

static void accept_front(struct vhost_server *server)
{
    int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) {
        turn_away(server, errno);
        return;
    }
    if (server->has_session) {
        sl_warn_limited("vhost", "a second virtual machine was turned away: one at a time");
        sl_fd_close(&fd);
        return;
    }
    enum sl_result r = vhost_session_begin(server, fd);
    if (r != SL_OK) {
        sl_warn_limited("vhost", "a virtual machine could not be let in: %s", sl_result_name(r));
    }
}

static void end_session(struct vhost_server *server, enum sl_result why)
{
    if (why == SL_ERR_CLOSED) {
        sl_info("vhost", "the virtual machine left");
    } else {
        sl_warn_limited("vhost", "the virtual machine is disconnected: %s", sl_result_name(why));
    }
    vhost_session_end(server);
}

/* Watches a channel for what it needs now. */
static enum sl_result watch_channel(struct vhost_server *server,
                                    const struct vhost_channel *channel, uint32_t *watched,
                                    uint32_t tag)
{
    bool full = vhost_channel_is_full(channel);
    /* Who asks without reading waits: nothing more is taken in until answers went out. */
    uint32_t wanted = full && tag == VHOST_TAG_FRONT ? EPOLLOUT
                      : full                         ? EPOLLIN | EPOLLOUT
                                                     : EPOLLIN;
    if (channel->fd < 0 || *watched == wanted) {
        return SL_OK;
    }
    *watched = wanted;
    return vhost_watch(server, channel->fd, wanted, tag);
}

static enum sl_result serve_channel(struct vhost_server *server, uint32_t tag, uint32_t events)
{
    struct vhost_channel *channel =
        tag == VHOST_TAG_FRONT ? &server->session.front : &server->session.back;
    enum sl_result r = SL_OK;
    if ((events & EPOLLOUT) != 0) {
        r = vhost_channel_flush(channel);
    }
    if (r == SL_OK && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        r = tag == VHOST_TAG_FRONT ? vhost_session_serve(server) : vhost_shmem_serve(server);
    }
    return r;
}

/* ---- the loop ---- */

static enum sl_result serve_event(struct vhost_server *server, const struct epoll_event *event,
                                  bool *stop)
{
    uint32_t tag = event->data.u32;
    if (tag == VHOST_TAG_STOP) {
        *stop = true;
    } else if (tag == VHOST_TAG_LISTENER) {
        accept_front(server);
    } else if (tag == VHOST_TAG_WAKE) {
        sl_fd_drain(server->wake);
        if (server->options.display.woken != NULL) {
            server->options.display.woken(server->options.display.user);
        }
    } else if (tag == VHOST_TAG_DEVICE) {
        server->device->ops->poll(server->device);
    } else if (tag >= VHOST_TAG_CONTROL) {
        vhost_control_serve(server->control, tag);
    } else if (server->has_session && (tag == VHOST_TAG_FRONT || tag == VHOST_TAG_BACK)) {
        return serve_channel(server, tag, event->events);
    } else if (server->has_session) {
        uint32_t index = tag - VHOST_TAG_KICK;
        struct vhost_queue *queue = &server->session.queues[index];
        if (queue->kick >= 0) {
            queue->counts.kicks += sl_fd_drain(queue->kick);
        }
        server->session.ready[index] = true;
    }
    return SL_OK;
}

/* How long the next wait may be. */
static int patience(const struct vhost_server *server, bool more)
{
    if (more) {
        return 0;
    }
    for (uint32_t i = 0; i < VGPU_QUEUES && server->has_session; i++) {
        const struct vhost_queue *queue = &server->session.queues[i];
        if (queue->polled && vhost_queue_runs(queue)) {
            return POLL_MS;
        }
    }
    return -1;
}

static enum sl_result serve_session(struct vhost_server *server, bool *more)
{
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        server->session.ready[i] |= server->session.queues[i].polled;
    }
    *more = vhost_rings_serve(server);
    enum sl_result r = watch_channel(server, &server->session.front, &server->session.front_events,
                                     VHOST_TAG_FRONT);
    if (r == SL_OK) {
        r = watch_channel(server, &server->session.back, &server->session.back_events,
                          VHOST_TAG_BACK);
    }
    return r;
}

static enum sl_result serve_events(struct vhost_server *server, bool *stop, bool *more)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(server->epoll, events, EVENTS_AT_ONCE, patience(server, *more));
    if (count < 0) {
        return errno == EINTR ? SL_OK : sl_result_from_errno(errno);
    }
    enum sl_result r = SL_OK;
    for (int i = 0; i < count && r == SL_OK; i++) {
        r = serve_event(server, &events[i], stop);
    }
    *more = false;
    if (server->has_session && r == SL_OK) {
        r = serve_session(server, more);
    }
    if (server->has_session && r != SL_OK) {
        end_session(server, r); /* what else was reported is reported again */
        *more = false;
    }
    return SL_OK;
}

enum sl_result vhost_server_run(struct vhost_server *server, int stop_fd)
{
    bool stop = false;
    bool more = false;
    enum sl_result r = vhost_watch(server, server->listener, EPOLLIN, VHOST_TAG_LISTENER);
    if (r == SL_OK) {
        r = vhost_watch(server, server->wake, EPOLLIN, VHOST_TAG_WAKE);
    }
    if (r == SL_OK) {
        r = vhost_watch(server, stop_fd, EPOLLIN, VHOST_TAG_STOP);
    }
    int poll_fd = server->device->ops->poll_fd(server->device);
    if (r == SL_OK && poll_fd >= 0) {
        r = vhost_watch(server, poll_fd, EPOLLIN, VHOST_TAG_DEVICE);
    }
    if (r == SL_OK && server->control != NULL) {
        r = vhost_control_watch(server->control);
    }
    while (r == SL_OK && !stop) {
        r = serve_events(server, &stop, &more);
    }
    if (r != SL_OK) {
        sl_error("vhost", "the event loop failed: %s", sl_result_name(r));
    }
    vhost_unwatch(server, stop_fd);
    if (poll_fd >= 0) {
        vhost_unwatch(server, poll_fd);
    }
    if (server->has_session) {
        vhost_session_end(server);
    }
    return r;
}

/* ---- life ---- */

static void on_fence_done(void *user, uint32_t ctx_id, uint32_t ring, uint64_t fence_id)
{
    (void)ctx_id;
    (void)ring;
    struct vhost_server *server = user;
    vgpu_fence_done(&server->gpu, fence_id);
}

static void on_wake(void *user)
{
    struct vhost_server *server = user;
    sl_fd_signal(server->wake);
}

/* The device said why; a stock guest learns of it by the errors that follow. */
static void on_ctx_lost(void *user, uint32_t ctx_id, const char *reason)
{
    (void)user;
    (void)ctx_id;
    (void)reason;
}

static void on_scanout(void *user, uint32_t scanout_id, uint32_t width_px, uint32_t height_px)
{
    const struct vhost_display *display = &((struct vhost_server *)user)->options.display;
    if (display->scanout != NULL) {
        display->scanout(display->user, scanout_id, width_px, height_px);
    }
}

static void on_damage(void *user, uint32_t scanout_id, const struct vg_box *box)
{
    const struct vhost_display *display = &((struct vhost_server *)user)->options.display;
    if (display->damage != NULL) {
        display->damage(display->user, scanout_id, box);
    }
}

static void on_cursor(void *user, uint32_t scanout_id, const struct vgd_cursor *cursor)
{
    const struct vhost_display *display = &((struct vhost_server *)user)->options.display;
    if (display->cursor != NULL) {
        display->cursor(display->user, scanout_id, cursor);
    }
}

struct vgd_sink vhost_server_sink(struct vhost_server *server)
{
    return (struct vgd_sink){
        .user = server,
        .fence_done = on_fence_done,
        .wake = on_wake,
        .ctx_lost = on_ctx_lost,
        .scanout = on_scanout,
        .damage = on_damage,
        .cursor = on_cursor,
    };
}

void vhost_server_set_device(struct vhost_server *server, struct vgd *device)
{
    server->device = device;
}

void vhost_server_set_tool(struct vhost_server *server, vhost_tool tool, void *user)
{
    server->tool = tool;
    server->tool_user = user;
}

enum sl_result vhost_server_read(struct vhost_server *server, uint32_t scanout_id, bool with_cursor,
                                 const struct vg_box *part, void *pixels, size_t size,
                                 uint32_t *width_px, uint32_t *height_px)
{
    return server->device->ops->scanout_read(server->device, scanout_id, with_cursor, part, pixels,
                                             size, width_px, height_px);
}

void vhost_server_wake(struct vhost_server *server)
{
    sl_fd_signal(server->wake);
}

enum sl_result vhost_server_plug(struct vhost_server *server, uint32_t scanout_id,
                                 uint32_t width_px, uint32_t height_px, bool enabled)
{
    if (scanout_id >= server->gpu.scanout_count ||
        (enabled && (width_px < VHOST_SIDE_MIN_PX || width_px > VHOST_SIDE_MAX_PX ||
                     height_px < VHOST_SIDE_MIN_PX || height_px > VHOST_SIDE_MAX_PX))) {
        return SL_ERR_INVALID;
    }
    struct vgpu_scanout *scanout = &server->gpu.scanouts[scanout_id];
    if (enabled) {
        scanout->width_px = width_px;
        scanout->height_px = height_px;
    }
    scanout->enabled = enabled;
    server->gpu.events |= VGPU_EVENT_DISPLAY;
    if (server->has_session) {
        vhost_config_changed(server);
    }
    return SL_OK;
}

static struct vhost_server_options with_defaults(const struct vhost_server_options *options)
{
    struct vhost_server_options o = *options;
    o.scanouts = o.scanouts == 0 ? 1 : o.scanouts == UINT32_MAX ? 0 : o.scanouts;
    o.width_px = o.width_px != 0 ? o.width_px : 1280;
    o.height_px = o.height_px != 0 ? o.height_px : 800;
    o.window_size = o.window_size != 0 ? o.window_size : (uint64_t)4 << 30;
    return o;
}

static enum sl_result open_descriptors(struct vhost_server *server)
{
    enum sl_result r =
        sl_sock_listen(server->options.path, SOCK_STREAM | SOCK_NONBLOCK, &server->listener);
    if (r == SL_ERR_INVALID) {
        sl_error("vhost",
                 "%s: somebody serves this socket already, or it is no name for one (107 bytes at "
                 "most, no other file)",
                 server->options.path);
        return r;
    }
    if (r == SL_OK) {
        server->epoll = epoll_create1(EPOLL_CLOEXEC);
        r = server->epoll >= 0 ? sl_fd_event(&server->wake) : sl_result_from_errno(errno);
    }
    if (r == SL_OK) {
        r = sl_fd_event(&server->spare);
    }
    if (r != SL_OK) {
        sl_error("vhost", "%s: cannot listen there: %s", server->options.path, sl_result_name(r));
        return r;
    }
    if (server->options.control_path != NULL) {
        r = vhost_control_create(server, server->options.control_path, &server->control);
    }
    return r;
}

enum sl_result vhost_server_create(const struct vhost_server_options *options,
                                   struct vhost_server **out)
{
    if (options->scanouts > VGD_SCANOUTS && options->scanouts != UINT32_MAX) {
        return SL_ERR_INVALID;
    }
    struct vhost_server *server = sl_alloc(sizeof *server);
    if (server == NULL) {
        return SL_ERR_NOMEM;
    }
    server->listener = -1;
    server->epoll = -1;
    server->wake = -1;
    server->spare = -1;
    server->options = with_defaults(options);
    server->options.path = sl_strdup(options->path);
    server->request = sl_alloc(VGPU_REQUEST_MAX);
    enum sl_result r = vgpu_init(&server->gpu, server);
    if (r == SL_OK) {
        r = server->options.path != NULL && server->request != NULL ? open_descriptors(server)
                                                                    : SL_ERR_NOMEM;
    }
    if (r != SL_OK) {
        vhost_server_destroy(server);
        return r;
    }
    *out = server;
    return SL_OK;
}

void vhost_server_destroy(struct vhost_server *server)
{
    if (server == NULL) {
        return;
    }
    if (server->listener >= 0) {
        (void)unlink(server->options.path);
    }
    vhost_control_destroy(server->control);
    sl_fd_close(&server->listener);
    sl_fd_close(&server->epoll);
    sl_fd_close(&server->wake);
    sl_fd_close(&server->spare);
    vgpu_finish(&server->gpu);
    sl_free(server->request);
    sl_free((char *)server->options.path);
    sl_free(server);
}
