/* The tools' socket: pictures of what the guest shows, its displays plugged and resized, counters.
 */
#include "transport/vhost/vhost_control_wire.h"
#include "transport/vhost/vhost_priv.h"

#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"
#include "transport/base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TOOLS_MAX     8u
#define PICTURE_BYTES ((uint64_t)256 << 20)

struct vhost_control {
    struct vhost_server *server;
    char *path;
    int listener;
    int tools[TOOLS_MAX]; /* -1: free */
};

static enum sl_result set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? SL_OK
                                                                     : sl_result_from_errno(errno);
}

enum sl_result vhost_control_create(struct vhost_server *server, const char *path,
                                    struct vhost_control **out)
{
    struct vhost_control *control = sl_alloc(sizeof *control);
    if (control == NULL) {
        return SL_ERR_NOMEM;
    }
    control->server = server;
    control->listener = -1;
    for (uint32_t i = 0; i < TOOLS_MAX; i++) {
        control->tools[i] = -1;
    }
    control->path = sl_strdup(path);
    enum sl_result r = control->path != NULL ? sl_sock_listen(path, SOCK_SEQPACKET | SOCK_NONBLOCK,
                                                              &control->listener)
                                             : SL_ERR_NOMEM;
    if (r != SL_OK) {
        sl_error("vhost", "%s: cannot listen there: %s", path, sl_result_name(r));
        vhost_control_destroy(control);
        return r;
    }
    *out = control;
    return SL_OK;
}

void vhost_control_destroy(struct vhost_control *control)
{
    if (control == NULL) {
        return;
    }
    if (control->listener >= 0) {
        (void)unlink(control->path);
    }
    for (uint32_t i = 0; i < TOOLS_MAX; i++) {
        sl_fd_close(&control->tools[i]);
    }
    sl_fd_close(&control->listener);
    sl_free(control->path);
    sl_free(control);
}

enum sl_result vhost_control_watch(struct vhost_control *control)
{
    return vhost_watch(control->server, control->listener, EPOLLIN, VHOST_TAG_CONTROL);
}

static void accept_tool(struct vhost_control *control)
{
    int fd;
    if (sl_sock_accept(control->listener, &fd) != SL_OK) {
        return;
    }
    for (uint32_t i = 0; i < TOOLS_MAX; i++) {
        if (control->tools[i] < 0 && set_nonblocking(fd) == SL_OK &&
            vhost_watch(control->server, fd, EPOLLIN, VHOST_TAG_TOOL + i) == SL_OK) {
            control->tools[i] = fd;
            return;
        }
    }
    sl_fd_close(&fd); /* as many as there may be: it comes back */
}

/* Gives *fd: the picture. */
static enum sl_result take_picture(struct vhost_server *server,
                                   const struct vhost_control_request *q,
                                   struct vhost_control_reply *reply, int *fd)
{
    enum sl_result r = vhost_server_read(server, q->scanout_id, q->on != 0, NULL, NULL, 0,
                                         &reply->width_px, &reply->height_px);
    if (r != SL_OK) {
        return r;
    }
    uint64_t size = (uint64_t)reply->width_px * reply->height_px * 4;
    if (size > PICTURE_BYTES) {
        return SL_ERR_NOMEM;
    }
    void *pixels;
    int made;
    r = sl_shm_create("sluice-picture", size, &made);
    if (r != SL_OK) {
        return r;
    }
    r = sl_shm_map(made, size, &pixels);
    if (r == SL_OK) {
        r = vhost_server_read(server, q->scanout_id, q->on != 0, NULL, pixels, (size_t)size,
                              &reply->width_px, &reply->height_px);
        sl_shm_unmap(pixels, size);
    }
    if (r != SL_OK) {
        sl_fd_close(&made);
        return r;
    }
    *fd = made;
    return SL_OK;
}

static struct vhost_control_queue count_queue(const struct vhost_server *server, uint32_t index)
{
    struct vhost_queue_counts sum = server->counts[index];
    if (server->has_session) {
        vhost_queue_counts_add(&sum, &server->session.queues[index].counts);
    }
    return (struct vhost_control_queue){
        .kicks = sum.kicks, .chains = sum.chains, .interrupts = sum.interrupts};
}

/* All but the reply's head. */
static void take_counters(struct vhost_server *server, struct vhost_control_stats *out)
{
    const struct vgpu_counts *commands = &server->gpu.counts;
    struct vgd_stats device;
    server->device->ops->stats(server->device, &device);
    struct vhost_control_reply reply = out->reply;
    *out = (struct vhost_control_stats){.reply = reply,
                                        .time_ns = sl_clock_ns(),
                                        .control = count_queue(server, VGPU_QUEUE_CONTROL),
                                        .cursor = count_queue(server, VGPU_QUEUE_CURSOR),
                                        .submits = commands->submits,
                                        .fences = commands->fences,
                                        .maps = commands->maps,
                                        .flushes = commands->flushes,
                                        .transfers = device.transfers,
                                        .transfer_bytes = device.transfer_bytes,
                                        .contexts = device.contexts,
                                        .resources = device.resources,
                                        .rings = device.rings,
                                        .resource_bytes = device.resource_bytes,
                                        .packets = device.all.packets,
                                        .bytes = device.all.bytes,
                                        .replies = device.all.replies,
                                        .sleeps = device.all.sleeps,
                                        .wakeups = device.all.wakeups,
                                        .pings = device.all.pings,
                                        .pings_awake = device.all.pings_awake};
}

/* What a request may be, and what an answer. */
struct asked {
    struct vhost_control_request request;
    char text[VHOST_CONTROL_TEXT + 1];
};
union answer {
    struct vhost_control_stats stats;
    struct {
        struct vhost_control_reply reply;
        char text[VHOST_CONTROL_TEXT];
    } tool;
};

static enum sl_result ask_host(struct vhost_server *server, int tool, struct asked *asked,
                               size_t text_size, union answer *answer)
{
    pid_t pid;
    uid_t uid;
    if (server->tool == NULL) {
        return SL_ERR_UNSUPPORTED;
    }
    if (text_size > VHOST_CONTROL_TEXT || sl_sock_peer(tool, &pid, &uid) != SL_OK ||
        (uid != 0 && uid != geteuid())) {
        return SL_ERR_INVALID;
    }
    asked->text[text_size] = '\0';
    server->tool(server->tool_user, asked->text, answer->tool.text, sizeof answer->tool.text);
    return SL_OK;
}

static enum sl_result execute(struct vhost_server *server, const struct vhost_control_request *q,
                              struct vhost_control_stats *answer, int *fd)
{
    struct vhost_control_reply *reply = &answer->reply;
    if (q->magic != VHOST_CONTROL_MAGIC) {
        return SL_ERR_PROTOCOL;
    }
    if (q->version != VHOST_CONTROL_VERSION) {
        return SL_ERR_UNSUPPORTED;
    }
    if (q->verb == VHOST_CONTROL_STATS) {
        take_counters(server, answer);
        return SL_OK;
    }
    if (q->scanout_id >= server->gpu.scanout_count) {
        return SL_ERR_INVALID;
    }
    const struct vgpu_scanout *scanout = &server->gpu.scanouts[q->scanout_id];
    switch (q->verb) {
    case VHOST_CONTROL_SHOT:
        return take_picture(server, q, reply, fd);
    case VHOST_CONTROL_PLUG:
        return vhost_server_plug(server, q->scanout_id, q->width_px, q->height_px, q->on != 0);
    case VHOST_CONTROL_LIST:
        reply->on = scanout->enabled;
        reply->width_px = scanout->width_px;
        reply->height_px = scanout->height_px;
        return SL_OK;
    default:
        return SL_ERR_UNSUPPORTED;
    }
}

/* False: the tool is gone, or does not listen to its answers. */
static bool serve_tool(struct vhost_control *control, int tool)
{
    struct asked asked;
    const struct vhost_control_request *request = &asked.request;
    int fds[SL_SOCK_MAX_FDS];
    uint32_t fd_count = 0;
    size_t size = 0;
    enum sl_result r = sl_sock_recv(tool, &asked, sizeof asked, &size, fds, &fd_count);
    if (r == SL_ERR_AGAIN) {
        return true;
    }
    if (r != SL_OK) {
        return false;
    }
    for (uint32_t i = 0; i < fd_count; i++) {
        sl_fd_close(&fds[i]);
    }
    union answer answer = {.stats.reply = {.magic = VHOST_CONTROL_MAGIC,
                                           .version = VHOST_CONTROL_VERSION,
                                           .scanouts = control->server->gpu.scanout_count,
                                           .connected = control->server->has_session}};
    int fd = -1;
    size_t answer_size = sizeof answer.tool.reply;
    if (size > sizeof *request && request->magic == VHOST_CONTROL_MAGIC &&
        request->version == VHOST_CONTROL_VERSION && request->verb == VHOST_CONTROL_TOOL) {
        r = ask_host(control->server, tool, &asked, size - sizeof *request, &answer);
        answer_size += r == SL_OK ? strnlen(answer.tool.text, sizeof answer.tool.text) : 0;
    } else {
        r = size == sizeof *request ? execute(control->server, request, &answer.stats, &fd)
                                    : SL_ERR_PROTOCOL;
        answer_size =
            r == SL_OK && request->verb == VHOST_CONTROL_STATS ? sizeof answer.stats : answer_size;
    }
    answer.stats.reply.result = r;
    enum sl_result sent = sl_sock_send(tool, &answer, answer_size, &fd, fd >= 0);
    sl_fd_close(&fd);
    return sent == SL_OK && r != SL_ERR_PROTOCOL;
}

void vhost_control_serve(struct vhost_control *control, uint32_t tag)
{
    if (tag == VHOST_TAG_CONTROL) {
        accept_tool(control);
        return;
    }
    int *tool = &control->tools[tag - VHOST_TAG_TOOL];
    if (*tool >= 0 && !serve_tool(control, *tool)) {
        vhost_unwatch(control->server, *tool);
        sl_fd_close(tool);
    }
}
