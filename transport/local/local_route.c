/* Connections that come from another process, or go to one: a server's feed, its router, and the
 * numbers that it shows. Server thread. */
#include "transport/local/local_priv.h"

#include "transport/base/atomic.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"

#include <sys/epoll.h>

#define FED_AT_ONCE 16

bool local_take_fed(struct local_server *server)
{
    for (uint32_t i = 0; i < FED_AT_ONCE; i++) {
        int fds[SL_SOCK_MAX_FDS];
        uint32_t fd_count = 0;
        uint8_t byte;
        size_t size = 0;
        enum sl_result r =
            sl_sock_recv(server->options.feed, &byte, sizeof byte, &size, fds, &fd_count);
        if (r == SL_ERR_AGAIN) {
            return true;
        }
        if (r == SL_ERR_PROTOCOL) { /* no descriptor left for it */
            sl_warn_limited("local", "a connection could not be taken; raise the limit of open "
                                     "files");
            continue;
        }
        if (r != SL_OK) {
            return false;
        }
        for (uint32_t k = 0; k < fd_count; k++) {
            if (local_client_create(server, fds[k]) != SL_OK) {
                (void)shutdown(fds[k], SHUT_RDWR);
                sl_fd_close(&fds[k]);
            }
        }
    }
    return true;
}

/* Only what the router can use is given away: everything else is answered here, as any hello. */
static bool is_for_router(const struct local_client *client, const struct local_hello *hello,
                          size_t size)
{
    bool is_program = hello->kind == LOCAL_KIND_CLIENT;
    bool wants_worker = hello->kind == LOCAL_KIND_CONTROL && hello->process != 0;
    return size == sizeof *hello && hello->head.verb == LOCAL_HELLO &&
           hello->magic == LOCAL_MAGIC && hello->version == LOCAL_VERSION &&
           (is_program || wants_worker) && client->refusal == SL_OK &&
           local_serves_user(client->server, client->uid);
}

bool local_route(struct local_client *client)
{
    struct local_server *server = client->server;
    const struct local_router *router = server->options.router;
    struct local_hello hello = {0};
    size_t size = 0;
    enum sl_result r = sl_sock_peek(client->fd, &hello, sizeof hello, &size);
    if (r != SL_OK || !is_for_router(client, &hello, size)) {
        return false;
    }
    local_copy_name(client->name, hello.name);
    const struct local_arrival arrival = {
        .fd = client->fd,
        .pid = client->pid,
        .uid = client->uid,
        .is_tool = hello.kind == LOCAL_KIND_CONTROL,
        .process = hello.process,
        .name = client->name,
    };
    void *tag = NULL;
    r = router->route(router->user, &arrival, &tag);
    if (r != SL_OK) {
        client->refusal = r;
        return false;
    }
    client->tag = tag;
    client->kind = (enum local_kind)hello.kind;
    server->clients += client->kind == LOCAL_KIND_CLIENT;
    if (local_client_watch(client, EPOLLRDHUP) != SL_OK) {
        local_client_leave(client);
    }
    return true;
}

void local_publish_counts(struct local_server *server)
{
    struct local_counts *c = server->options.counts;
    if (c == NULL) {
        return;
    }
    pthread_mutex_lock(&server->shared.lock);
    uint64_t lost = server->shared.contexts_lost;
    pthread_mutex_unlock(&server->shared.lock);
    /* Counters: each for itself, they order nothing. */
    sl_atomic_store_relaxed_u64(&c->contexts_created, local_server_contexts_created(server));
    sl_atomic_store_relaxed_u64(&c->contexts_lost, lost);
    sl_atomic_store_relaxed_u64(&c->resource_bytes, server->resource_bytes);
    sl_atomic_store_relaxed(&c->contexts, server->contexts);
    sl_atomic_store_relaxed(&c->resources, server->resources.live);
}
