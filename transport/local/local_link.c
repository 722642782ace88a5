#include "transport/local/local_link.h"

#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/sock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#define REPLY_TIMEOUT_NS ((int64_t)(30 * SL_NS_PER_S))

static void close_fds(int *fds, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        sl_fd_close(&fds[i]);
    }
}

/* Checks what came back against what was asked; the one expected descriptor goes to *call->out_fd.
 */
static enum sl_result check_reply(const struct local_call *call,
                                  const struct local_request *request, size_t size, int *fds,
                                  uint32_t fd_count)
{
    const struct local_reply *reply = call->reply;
    size_t least = call->reply_min != 0 ? call->reply_min : call->reply_size;
    if (size < sizeof *reply || reply->verb != request->verb || reply->serial != request->serial ||
        reply->result > 0) {
        return SL_ERR_PROTOCOL;
    }
    if (reply->result != SL_OK) {
        return SL_OK;
    }
    if (size < least || (call->out_fd != NULL && fd_count == 0)) {
        return SL_ERR_PROTOCOL;
    }
    if (call->out_fd != NULL) {
        *call->out_fd = fds[0];
        fds[0] = -1;
    }
    return SL_OK;
}

static enum sl_result exchange_locked(struct local_link *link, const struct local_call *call)
{
    struct local_request *request = call->request;
    const void *message = request;
    request->serial = ++link->serial;
    if (call->tail_size != 0) {
        if (link->scratch == NULL && (link->scratch = sl_alloc(LOCAL_MAX_MESSAGE)) == NULL) {
            return SL_ERR_NOMEM;
        }
        memcpy(link->scratch, request, call->request_size);
        memcpy(link->scratch + call->request_size, call->tail, call->tail_size);
        message = link->scratch;
    }
    int fds[SL_SOCK_MAX_FDS];
    uint32_t fd_count = 0;
    size_t size = 0;
    enum sl_result r = sl_sock_send(link->fd, message, call->request_size + call->tail_size,
                                    call->in_fds, call->in_fd_count);
    if (r == SL_OK) {
        r = sl_fd_wait(link->fd, REPLY_TIMEOUT_NS);
    }
    if (r == SL_OK) {
        r = sl_sock_recv(link->fd, call->reply, call->reply_size, &size, fds, &fd_count);
    }
    if (r == SL_OK) {
        r = check_reply(call, request, size, fds, fd_count);
        close_fds(fds, fd_count);
    }
    if (r != SL_OK) {
        /* The two ends are out of step: hang up, so that every later call and local_link_alive see
         * it. */
        (void)shutdown(link->fd, SHUT_RDWR);
        return r;
    }
    return (enum sl_result)((const struct local_reply *)call->reply)->result;
}

enum sl_result local_link_call(struct local_link *link, const struct local_call *call)
{
    if (call->request_size + call->tail_size > LOCAL_MAX_MESSAGE) {
        return SL_ERR_INVALID;
    }
    pthread_mutex_lock(&link->lock);
    enum sl_result r = exchange_locked(link, call);
    pthread_mutex_unlock(&link->lock);
    return r;
}

bool local_link_alive(struct local_link *link)
{
    struct pollfd p = {.fd = link->fd, .events = POLLRDHUP};
    return poll(&p, 1, 0) >= 0 && (p.revents & (POLLHUP | POLLRDHUP | POLLERR | POLLNVAL)) == 0;
}

static enum sl_result say_hello(struct local_link *link, const char *path, enum local_kind kind,
                                uint32_t process, struct local_hello_reply *hello, int *page_fd)
{
    struct local_hello request = {.head.verb = LOCAL_HELLO,
                                  .magic = LOCAL_MAGIC,
                                  .version = LOCAL_VERSION,
                                  .kind = kind,
                                  .process = process};
    size_t length = strlen(program_invocation_short_name);
    memcpy(request.name, program_invocation_short_name,
           length < sizeof request.name ? length : sizeof request.name);
    struct local_call call = {
        .request = &request,
        .request_size = sizeof request,
        .reply = hello,
        .reply_size = sizeof *hello,
        .out_fd = page_fd,
    };
    *hello = (struct local_hello_reply){0};
    enum sl_result r = local_link_call(link, &call);
    if (r == SL_ERR_UNSUPPORTED && hello->magic == LOCAL_MAGIC) {
        sl_error("local",
                 "%s: the server speaks version %u of the local protocol, this library version %u; "
                 "use the libraries "
                 "and the program of one installation",
                 path, hello->version, LOCAL_VERSION);
    } else if (r == SL_ERR_INVALID) {
        sl_error("local", "%s: the server belongs to another user and does not serve this one",
                 path);
    } else if (r == SL_ERR_NOMEM) {
        sl_error("local", "%s: the server has no room for another client", path);
    } else if (r == SL_ERR_PROTOCOL || (r == SL_OK && hello->magic != LOCAL_MAGIC)) {
        sl_error("local", "%s: whoever listens there is no Sluice server", path);
        r = SL_ERR_PROTOCOL;
    }
    return r;
}

/* A program hears this way only why it has no display; a tool says it itself, or waits for its
 * host. */
static void say_unreachable(const char *path, enum sl_result r)
{
    if (r == SL_ERR_NOTFOUND || r == SL_ERR_CLOSED) {
        sl_error("local",
                 "%s: %s; start 'sluice serve --socket' there, or the program with 'sluice run --'",
                 path,
                 r == SL_ERR_NOTFOUND ? "there is no such socket" : "nobody serves this socket");
    } else if (r == SL_ERR_INVALID) {
        sl_error("local", "%s: this is no socket of a Sluice server; set SLUICE_SOCKET to one",
                 path);
    } else {
        sl_error(
            "local",
            "%s: cannot connect: %s; raise the limit of open files, or look at the socket's rights",
            path, sl_result_name(r));
    }
}

enum sl_result local_link_open(struct local_link *link, const char *path, enum local_kind kind,
                               uint32_t process, struct local_hello_reply *hello, int *page_fd)
{
    *link = (struct local_link){.fd = -1};
    enum sl_result r = sl_sock_connect(path, &link->fd);
    pid_t pid;
    if (r == SL_OK && (r = sl_sock_peer(link->fd, &pid, &link->server)) != SL_OK) {
        sl_fd_close(&link->fd);
    }
    if (r != SL_OK) {
        if (kind == LOCAL_KIND_CLIENT) {
            say_unreachable(path, r);
        }
        return r;
    }
    pthread_mutex_init(&link->lock, NULL);
    int fd = -1;
    r = say_hello(link, path, kind, process, hello, page_fd != NULL ? &fd : NULL);
    if (r != SL_OK) {
        sl_fd_close(&fd);
        local_link_close(link);
        return r;
    }
    if (page_fd != NULL) {
        *page_fd = fd;
    }
    return SL_OK;
}

void local_link_close(struct local_link *link)
{
    sl_fd_close(&link->fd);
    sl_free(link->scratch);
    pthread_mutex_destroy(&link->lock);
    *link = (struct local_link){.fd = -1};
}
