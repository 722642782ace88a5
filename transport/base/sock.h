/* Unix sockets that carry whole messages with descriptors (SOCK_SEQPACKET). Any thread; one reader,
 * one writer at a time. */
#ifndef SL_SOCK_H
#define SL_SOCK_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#define SL_SOCK_MAX_FDS 8

/* Listens at path: mode 0600, an abandoned socket file there is replaced, a served one is not
 * (INVALID), also when several processes listen there at once. The folder must be readable; it is
 * locked (flock) meanwhile, TIMEOUT: by another for 5 s. type: SOCK_SEQPACKET, which the other
 * functions expect, or SOCK_STREAM, with SOCK_NONBLOCK or without. Gives *fd. */
enum sl_result sl_sock_listen(const char *path, int type, int *fd) SL_MUST_USE;
/* NOTFOUND: no such file; CLOSED: nobody serves it. Gives *fd. */
enum sl_result sl_sock_connect(const char *path, int *fd) SL_MUST_USE;
enum sl_result sl_sock_accept(int listener, int *fd) SL_MUST_USE;
enum sl_result sl_sock_pair(int fds[2]) SL_MUST_USE;
enum sl_result sl_sock_peer(int fd, pid_t *pid, uid_t *uid) SL_MUST_USE;
/* Gives a pidfd of the process that connected, whose number may be another's by now; kernels before
 * 6.5 can only be asked for the number's owner. pid: as sl_sock_peer says. NOTFOUND: it has ended;
 * UNSUPPORTED: a kernel before 5.3, or a process that this one does not see (pid 0). */
enum sl_result sl_sock_peer_process(int fd, pid_t pid, int *pidfd) SL_MUST_USE;

/* Sends one message. Borrows fds. AGAIN: non-blocking socket is full; CLOSED; IO. */
enum sl_result sl_sock_send(int fd, const void *data, size_t size, const int *fds,
                            uint32_t fd_count) SL_MUST_USE;
/* Receives one message of at most `capacity` bytes; gives up to SL_SOCK_MAX_FDS descriptors,
 * close-on-exec. PROTOCOL when it was cut or carried more descriptors (all closed then). AGAIN,
 * CLOSED, IO. */
enum sl_result sl_sock_recv(int fd, void *data, size_t capacity, size_t *size, int *fds,
                            uint32_t *fd_count) SL_MUST_USE;

/* The first bytes of the next message, which stays where it is with its descriptors. size: of the
 * whole message. Never blocks. AGAIN, CLOSED, IO. */
enum sl_result sl_sock_peek(int fd, void *data, size_t capacity, size_t *size) SL_MUST_USE;

/* What one read of a socket that carries a stream, or messages, gives. */
struct sl_sock_part {
    void *data; /* room for `capacity` bytes */
    size_t capacity;
    int *fds; /* room for `room` descriptors, of which the first fd_count are in use */
    uint32_t room, fd_count;
    size_t size; /* bytes that came; 0: the end */
    bool is_cut; /* bytes of a message are lost, or descriptors, which are closed then */
};
/* flags: MSG_DONTWAIT or 0. Descriptors come close-on-exec, behind those that are there. AGAIN,
 * CLOSED, IO. */
enum sl_result sl_sock_recv_some(int fd, int flags, struct sl_sock_part *part) SL_MUST_USE;
/* As sl_sock_send, of what a stream takes now: *sent bytes, with the descriptors. flags:
 * MSG_DONTWAIT or 0. */
enum sl_result sl_sock_send_some(int fd, const void *data, size_t size, int flags, const int *fds,
                                 uint32_t fd_count, size_t *sent) SL_MUST_USE;
/* Puts descriptors into a message that goes to sendmsg. room: aligned as a struct cmsghdr, at least
 * CMSG_SPACE(count * sizeof(int)) bytes, which the message points to from then on. Borrows fds. */
void sl_sock_put_fds(struct msghdr *message, void *room, const int *fds, uint32_t count);

#endif
