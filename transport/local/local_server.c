/* The server's life and event loop: who connects, who leaves, whose turn it is. Server thread. */
#include "transport/local/local_priv.h"

#include "transport/base/atomic.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENTS_AT_ONCE   64
#define REFUSED_AT_ONCE  64 /* connections above the limit that wait for their hello's answer */
#define REQUESTS_IN_TURN 16 /* of one client, before the next one has its turn */

static enum sl_result set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 ? SL_OK
                                                                     : sl_result_from_errno(errno);
}

/* tag: NULL for the stop descriptor, the server for the listener, else a client. */
static enum sl_result watch(struct local_server *server, int operation, int fd, uint32_t events,
                            void *tag)
{
    struct epoll_event event = {.events = events, .data.ptr = tag};
    return epoll_ctl(server->epoll, operation, fd, &event) == 0 ? SL_OK
                                                                : sl_result_from_errno(errno);
}

enum sl_result local_client_watch(struct local_client *client, uint32_t events)
{
    return watch(client->server, EPOLL_CTL_MOD, client->fd, events, client);
}

/* ---- clients come and go ---- */

/* It has an account. */
static enum sl_result let_in(struct local_client *client, bool is_welcome)
{
    struct local_server *server = client->server;
    enum sl_result r = SL_OK;
    if (!is_welcome) { /* a few are let in far enough to be told why */
        client->refusal = SL_ERR_NOMEM;
        r = server->connections < server->options.clients + REFUSED_AT_ONCE ? SL_OK : SL_ERR_NOMEM;
    }
    if (r == SL_OK) {
        r = watch(server, EPOLL_CTL_ADD, client->fd, EPOLLIN, client);
    }
    if (r != SL_OK) {
        local_account_leave(client);
    }
    return r;
}

enum sl_result local_client_create(struct local_server *server, int fd)
{
    struct local_client *client = sl_alloc(sizeof *client);
    if (client == NULL) {
        return SL_ERR_NOMEM;
    }
    client->server = server;
    client->fd = fd;
    sl_list_init(&client->link);
    sl_list_init(&client->resources);
    enum sl_result r = set_nonblocking(fd);
    if (r == SL_OK) {
        r = sl_sock_peer(fd, &client->pid, &client->uid);
    }
    if (r == SL_OK) {
        r = local_account_join(client);
    }
    if (r == SL_OK || r == SL_ERR_INVALID) {
        r = let_in(client, r == SL_OK);
    }
    if (r != SL_OK) {
        sl_free(client);
        return r;
    }
    server->connections++;
    pthread_mutex_lock(&server->shared.lock);
    sl_list_add(&server->shared.clients, &client->link);
    pthread_mutex_unlock(&server->shared.lock);
    return SL_OK;
}

/* Everything of the client goes now, its struct at the end of the event batch: a later event of the
 * batch may still name it. */
void local_client_leave(struct local_client *client)
{
    struct local_server *server = client->server;
    if (client->is_dead) {
        return;
    }
    client->is_dead = true;
    bool was_tapping = client->is_tapping;
    local_tap_end(client);
    if (was_tapping && server->shared.tappers == 0) {
        server->device->ops->tap(server->device, false);
    }
    /* Still in the list of clients: fences that settle now, and a loss, find it. */
    local_client_clear(client);
    pthread_mutex_lock(&server->shared.lock);
    sl_list_remove(&client->link);
    pthread_mutex_unlock(&server->shared.lock);
    sl_list_add(&server->graves, &client->link);
    /* By hand: a descriptor that a forked process has too would stay in the set, with a client that
     * is gone. */
    (void)epoll_ctl(server->epoll, EPOLL_CTL_DEL, client->fd, NULL);
    /* Another process may have the connection, too: where it is served, or where it was accepted.
     */
    (void)shutdown(client->fd, SHUT_RDWR);
    if (client->tag != NULL) {
        server->options.router->left(server->options.router->user, client->tag, client->fd);
    }
    sl_fd_close(&client->fd);
    if (client->unsent != NULL) {
        sl_fd_close(&client->unsent->fd);
        sl_free(client->unsent);
    }
    server->connections--;
    local_account_leave(client);
    if (client->kind == LOCAL_KIND_CLIENT) {
        sl_debug("local", "client %s (process %d) left", client->name, (int)client->pid);
        server->clients--;
        if (server->options.clients_changed != NULL) {
            server->options.clients_changed(server->options.user, server->clients);
        }
    }
    local_publish_counts(server);
}

void local_server_drop(struct local_server *server, const void *tag)
{
    SL_LIST_FOR_SAFE(link, &server->shared.clients)
    {
        struct local_client *client = SL_CONTAINER(link, struct local_client, link);
        if (client->tag == tag) {
            local_client_leave(client);
        }
    }
}

static void bury(struct local_server *server)
{
    SL_LIST_FOR_SAFE(link, &server->graves)
    {
        struct local_client *client = SL_CONTAINER(link, struct local_client, link);
        sl_list_remove(&client->link);
        sl_free(client);
    }
}

/* Out of descriptors: a connection that cannot be accepted would wake us for ever, so it is taken
 * with the spare one and dropped. */
static void turn_away(struct local_server *server)
{
    int fd = -1;
    sl_fd_close(&server->spare);
    if (sl_sock_accept(server->listener, &fd) == SL_OK) {
        sl_warn_limited(
            "local",
            "a connection was refused: no descriptors left; raise the limit of open files");
    }
    sl_fd_close(&fd);
    if (sl_fd_event(&server->spare) != SL_OK) {
        server->spare = -1;
    }
}

static void accept_clients(struct local_server *server)
{
    for (uint32_t i = 0; i < REQUESTS_IN_TURN; i++) {
        int fd;
        enum sl_result r = sl_sock_accept(server->listener, &fd);
        if (r == SL_ERR_AGAIN) {
            return;
        }
        if (r == SL_ERR_NOMEM) {
            turn_away(server);
            return;
        }
        if (r != SL_OK) {
            sl_warn_limited("local", "a connection could not be accepted: %s", sl_result_name(r));
            return;
        }
        if (local_client_create(server, fd) != SL_OK) {
            sl_fd_close(&fd);
        }
    }
}

/* ---- one client's turn ---- */

/* true: the answer is out, or waits for room; false: the client is gone. */
static bool send_answer(struct local_client *client, struct local_answer *answer)
{
    enum sl_result r =
        sl_sock_send(client->fd, &answer->body, answer->size, &answer->fd, answer->fd >= 0);
    if (r == SL_ERR_AGAIN) {
        /* It asks without reading: keep this one, read nothing more until it went out. */
        client->unsent = sl_alloc(sizeof *client->unsent);
        if (client->unsent != NULL && local_client_watch(client, EPOLLOUT) == SL_OK) {
            *client->unsent = *answer;
            return true;
        }
    }
    sl_fd_close(&answer->fd);
    return r == SL_OK;
}

static bool send_unsent(struct local_client *client)
{
    struct local_answer *answer = client->unsent;
    enum sl_result r =
        sl_sock_send(client->fd, &answer->body, answer->size, &answer->fd, answer->fd >= 0);
    if (r == SL_ERR_AGAIN) {
        return true;
    }
    sl_fd_close(&answer->fd);
    sl_free(answer);
    client->unsent = NULL;
    return r == SL_OK && local_client_watch(client, EPOLLIN) == SL_OK;
}

/* false: the client is gone, or broke the protocol. */
static bool serve_one(struct local_client *client, bool *idle)
{
    struct local_server *server = client->server;
    int fds[SL_SOCK_MAX_FDS];
    uint32_t fd_count = 0;
    size_t size = 0;
    enum sl_result r = sl_sock_recv(client->fd, server->message.bytes, sizeof server->message.bytes,
                                    &size, fds, &fd_count);
    if (r == SL_ERR_AGAIN) {
        *idle = true;
        return true;
    }
    if (r != SL_OK) {
        return false;
    }
    struct local_answer answer;
    bool stays = local_execute(client, size, fds, fd_count, &answer);
    for (uint32_t i = 0; i < fd_count; i++) {
        sl_fd_close(&fds[i]);
    }
    return send_answer(client, &answer) && stays;
}

static void serve_client(struct local_client *client, uint32_t events)
{
    bool stays = true;
    bool idle = false;
    if ((events & EPOLLOUT) != 0 && client->unsent != NULL) {
        stays = send_unsent(client);
    } else if ((events & EPOLLIN) != 0) {
        if (client->kind == 0 && client->server->options.router != NULL && local_route(client)) {
            return;
        }
        for (uint32_t i = 0; i < REQUESTS_IN_TURN && stays && !idle && client->unsent == NULL;
             i++) {
            stays = serve_one(client, &idle);
        }
    } else if ((events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0) {
        stays = false;
    }
    if (!stays) {
        local_client_leave(client);
    }
}

/* ---- the server ---- */

/* What is behind the server: its device, or its router. */
static int poll_fd_behind(const struct local_server *server)
{
    return server->device != NULL ? server->device->ops->poll_fd(server->device)
                                  : server->options.router->poll_fd;
}

static void poll_behind(struct local_server *server)
{
    if (server->device != NULL) {
        server->device->ops->poll(server->device);
    } else {
        server->options.router->poll(server->options.router->user);
    }
}

/* False: nobody can come any more. */
static bool take_arrivals(struct local_server *server)
{
    if (server->options.is_fed) {
        return local_take_fed(server);
    }
    accept_clients(server);
    return true;
}

static enum sl_result serve_events(struct local_server *server, bool *stop)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(server->epoll, events, EVENTS_AT_ONCE, -1);
    if (count < 0) {
        return errno == EINTR ? SL_OK : sl_result_from_errno(errno);
    }
    for (int i = 0; i < count; i++) {
        void *tag = events[i].data.ptr;
        if (tag == NULL) {
            *stop = true;
        } else if (tag == &server->device) {
            poll_behind(server);
        } else if (tag == server) {
            *stop = !take_arrivals(server) || *stop;
        } else if (!((struct local_client *)tag)->is_dead) {
            serve_client(tag, events[i].events);
        }
    }
    bury(server);
    return SL_OK;
}

enum sl_result local_server_run(struct local_server *server, int stop_fd)
{
    bool stop = false;
    int door = server->options.is_fed ? server->options.feed : server->listener;
    enum sl_result r = watch(server, EPOLL_CTL_ADD, door, EPOLLIN, server);
    if (r == SL_OK) {
        r = watch(server, EPOLL_CTL_ADD, stop_fd, EPOLLIN, NULL);
    }
    int poll_fd = poll_fd_behind(server);
    if (r == SL_OK && poll_fd >= 0) {
        r = watch(server, EPOLL_CTL_ADD, poll_fd, EPOLLIN, &server->device);
    }
    while (r == SL_OK && !stop) {
        r = serve_events(server, &stop);
    }
    if (r != SL_OK) {
        sl_error("local", "the event loop failed: %s", sl_result_name(r));
    }
    (void)epoll_ctl(server->epoll, EPOLL_CTL_DEL, stop_fd, NULL);
    if (poll_fd >= 0) {
        (void)epoll_ctl(server->epoll, EPOLL_CTL_DEL, poll_fd, NULL);
    }
    (void)epoll_ctl(server->epoll, EPOLL_CTL_DEL, door, NULL);
    SL_LIST_FOR_SAFE(link, &server->shared.clients)
    {
        local_client_leave(SL_CONTAINER(link, struct local_client, link));
    }
    bury(server);
    return r;
}

void local_server_set_device(struct local_server *server, struct vgd *device)
{
    server->device = device;
}

void local_server_set_tool(struct local_server *server, local_tool tool, void *user)
{
    server->tool = tool;
    server->tool_user = user;
}

uint32_t local_server_clients(const struct local_server *server)
{
    return server->clients;
}

uint64_t local_server_contexts_created(const struct local_server *server)
{
    return __atomic_load_n(&server->contexts_created,
                           __ATOMIC_RELAXED); /* a counter: orders nothing */
}

static struct local_server_options with_defaults(const struct local_server_options *options)
{
    struct local_server_options o = *options;
    o.clients = o.clients != 0 ? o.clients : 4096;
    o.clients_per_process = o.clients_per_process != 0 ? o.clients_per_process : 256;
    o.clients_per_user = o.clients_per_user != 0 ? o.clients_per_user : 1024;
    o.user_bytes = o.user_bytes != 0 ? o.user_bytes : (uint64_t)2 << 30;
    o.resources = o.resources != 0 ? o.resources : 8192;
    o.resource_bytes = o.resource_bytes != 0 ? o.resource_bytes : (uint64_t)2 << 30;
    o.fences = o.fences != 0 ? o.fences : 256;
    return o;
}

static enum sl_result listen_at_path(struct local_server *server)
{
    enum sl_result r =
        sl_sock_listen(server->options.path, SOCK_SEQPACKET | SOCK_NONBLOCK, &server->listener);
    if (r == SL_ERR_INVALID) {
        sl_error("local",
                 "%s: somebody serves this socket already, or it is no name for one (107 bytes at "
                 "most, no other file)",
                 server->options.path);
        return r;
    }
    if (r == SL_OK && server->options.any_user && chmod(server->options.path, 0666) != 0) {
        r = sl_result_from_errno(errno);
    }
    return r;
}

static enum sl_result open_descriptors(struct local_server *server)
{
    enum sl_result r = server->options.is_fed ? SL_OK : listen_at_path(server);
    if (r == SL_ERR_INVALID) {
        return r;
    }
    if (r == SL_OK) {
        server->epoll = epoll_create1(EPOLL_CLOEXEC);
        r = server->epoll >= 0 ? sl_fd_event(&server->spare) : sl_result_from_errno(errno);
    }
    if (r != SL_OK) {
        sl_error("local", "%s: cannot listen there: %s", server->options.path, sl_result_name(r));
    }
    return r;
}

enum sl_result local_server_create(const struct local_server_options *options,
                                   struct local_server **out)
{
    struct local_server *server = sl_alloc(sizeof *server);
    if (server == NULL) {
        return SL_ERR_NOMEM;
    }
    server->listener = -1;
    server->epoll = -1;
    server->spare = -1;
    local_shared_init(&server->shared);
    vgd_fences_init(&server->fences);
    sl_list_init(&server->graves);
    sl_list_init(&server->accounts);
    sl_table_init(&server->resources, 1u << 19, 0);
    server->options = with_defaults(options);
    server->options.path = sl_strdup(options->is_fed ? "the feed" : options->path);
    enum sl_result r = server->options.path != NULL ? open_descriptors(server) : SL_ERR_NOMEM;
    if (r != SL_OK) {
        local_server_destroy(server);
        return r;
    }
    *out = server;
    return SL_OK;
}

void local_server_destroy(struct local_server *server)
{
    if (server == NULL) {
        return;
    }
    if (server->listener >= 0) {
        (void)unlink(server->options.path);
    }
    sl_fd_close(&server->listener);
    sl_fd_close(&server->epoll);
    sl_fd_close(&server->spare);
    sl_table_finish(&server->resources);
    local_shared_finish(&server->shared);
    vgd_fences_finish(&server->fences);
    sl_free((char *)server->options.path);
    sl_free(server);
}
