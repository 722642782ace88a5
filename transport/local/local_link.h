/* A client's end of the socket: connect, hello, one request and its reply. What vg_local.c and
 * local_control.c stand on. */
#ifndef LOCAL_LINK_H
#define LOCAL_LINK_H

#include "transport/local/local_wire.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

struct local_link {
    int fd;
    uid_t server;         /* who serves */
    pthread_mutex_t lock; /* guards all below: one request and its reply at a time */
    uint32_t serial;
    uint8_t *scratch; /* a message with a tail is put together here; nullable */
};

/* One exchange. request and reply begin with struct local_request and struct local_reply, which the
 * link fills and checks. */
struct local_call {
    void *request;
    size_t request_size;
    const void *tail; /* goes behind the request; nullable */
    size_t tail_size;
    const int *in_fds; /* sent along, borrowed */
    uint32_t in_fd_count;
    void *reply;
    size_t reply_size;
    size_t reply_min; /* a shorter OK reply ends the link; 0: reply_size */
    int *out_fd; /* gives the descriptor that must come with an OK reply; NULL: none expected */
};

/* Connects and says hello. *page_fd (nullable for control): gives. NOTFOUND, CLOSED: nobody there;
 * UNSUPPORTED: another version, logged with both; INVALID: the server does not want this user;
 * NOMEM: it has no room. process: of a
 * tool, whose worker it wants, or 0; NOTFOUND: the server has none of it. */
enum sl_result local_link_open(struct local_link *link, const char *path, enum local_kind kind,
                               uint32_t process, struct local_hello_reply *hello,
                               int *page_fd) SL_MUST_USE;
void local_link_close(struct local_link *link);
/* The server's answer, or CLOSED (it went), TIMEOUT (30 s), PROTOCOL; the link is hung up then. Any
 * thread. */
enum sl_result local_link_call(struct local_link *link, const struct local_call *call) SL_MUST_USE;
/* Has the server not hung up? One system call. */
bool local_link_alive(struct local_link *link);

#endif
