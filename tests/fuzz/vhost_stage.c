#include "tests/fuzz/vhost_stage.h"

#include "host/device/device.h"
#include "tests/support/echo_type.h"
#include "tests/support/vhost_message.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"
#include "transport/base/sock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURNS_MAX 64u /* of one input's step; a queue may hold more */

static void quiet(void *user, enum sl_log_level level, const char *module, const char *text)
{
    (void)user, (void)level, (void)module, (void)text;
}

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "vhost_stage: %s\n", what);
        abort();
    }
}

struct vhost_stage *vhost_stage_get(void)
{
    static struct vhost_stage stage = {.front = -1, .back = -1};
    static const struct hct_type *const types[] = {&echo_type, &echo_tex_type, NULL};
    if (stage.server != NULL) {
        return &stage;
    }
    char path[64];
    snprintf(path, sizeof path, "/tmp/sluice-fuzz-vhost-%d", (int)getpid());
    sl_log_set_callback(quiet, NULL);
    struct dev_limits limits = {
        .contexts = 4, .resources = 32, .resource_bytes = 8u << 20, .pending = 64};
    need(vhost_server_create(&(struct vhost_server_options){.path = path,
                                                            .scanouts = 2,
                                                            .window_size = STAGE_WINDOW},
                             &stage.server) == SL_OK,
         "no server");
    (void)unlink(path);
    struct vgd_sink sink = vhost_server_sink(stage.server);
    need(dev_create(types, NULL, &limits, &sink, &stage.device) == SL_OK, "no device");
    vhost_server_set_device(stage.server, stage.device);
    need(sl_shm_create("fuzz-ram", STAGE_RAM, &stage.ram_fd) == SL_OK, "no memory");
    void *ram;
    need(sl_shm_map(stage.ram_fd, STAGE_RAM, &ram) == SL_OK, "no mapping");
    stage.ram = ram;
    return &stage;
}

void vhost_stage_enter(struct vhost_stage *stage)
{
    int ends[2];
    need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0, "sockets");
    memset(stage->ram, 0, STAGE_RAM);
    stage->front = ends[0];
    need(vhost_session_begin(stage->server, ends[1]) == SL_OK, "no session");
}

void vhost_stage_leave(struct vhost_stage *stage)
{
    if (stage->server->has_session) {
        vhost_session_end(stage->server);
    }
    sl_fd_close(&stage->front);
    sl_fd_close(&stage->back);
    struct vgd_stats stats;
    stage->device->ops->stats(stage->device, &stats);
    need(stats.contexts == 0 && stats.resources == 0 && stats.resource_bytes == 0 &&
             stage->server->gpu.window_count == 0 && stage->server->gpu.resources.live == 0 &&
             echo_live() == 0 && echo_tex_count() == 0,
         "something outlived its machine");
}

bool vhost_stage_turn(struct vhost_stage *stage)
{
    struct vhost_server *server = stage->server;
    if (!server->has_session) {
        return false;
    }
    enum sl_result r = vhost_session_serve(server);
    if (r == SL_OK && server->session.back.fd >= 0) {
        r = vhost_shmem_serve(server);
    }
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        server->session.ready[i] = true;
    }
    for (uint32_t i = 0; i < TURNS_MAX && r == SL_OK && vhost_rings_serve(server); i++) {
    }
    if (r != SL_OK) {
        vhost_session_end(server);
    }
    return r == SL_OK;
}

void vhost_stage_send(const struct vhost_stage *stage, uint32_t request, uint32_t flags,
                      const void *payload, uint32_t size, const int *fds, uint32_t fd_count)
{
    /* a server that does not read any more is one too */
    (void)vhost_message_send(stage->front, request, flags, payload, size, fds, fd_count);
    uint8_t answers[4096]; /* nobody looks at them, but they must not fill the socket */
    while (recv(stage->front, answers, sizeof answers, MSG_DONTWAIT) > 0) {
    }
}

bool vhost_stage_asked(const struct vhost_stage *stage, struct vhost_head *head,
                       struct vhost_shmem_map *map)
{
    struct sl_sock_part part = {.data = head, .capacity = sizeof *head}; /* closes descriptors */
    *map = (struct vhost_shmem_map){0};
    if (stage->back < 0 || sl_sock_recv_some(stage->back, MSG_DONTWAIT, &part) != SL_OK ||
        part.size != sizeof *head) {
        return false;
    }
    need(head->size <= sizeof *map &&
             recv(stage->back, map, head->size, MSG_DONTWAIT) == (ssize_t)head->size,
         "half a request");
    return true;
}

void vhost_stage_answer(const struct vhost_stage *stage, uint32_t request, uint64_t value)
{
    uint8_t bytes[sizeof(struct vhost_head) + sizeof value];
    struct vhost_head head = {
        .request = request, .flags = VHOST_FLAG_VERSION | VHOST_FLAG_REPLY, .size = sizeof value};
    memcpy(bytes, &head, sizeof head);
    memcpy(bytes + sizeof head, &value, sizeof value);
    ssize_t sent = send(stage->back, bytes, sizeof bytes, MSG_NOSIGNAL);
    (void)sent;
}
