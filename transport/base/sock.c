#include "transport/base/sock.h"
#include "transport/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG       64
#define PEER_PIDFD    77 /* SO_PEERPIDFD, of kernels from 6.5 on */
#define LOCK_PAUSE_NS 5000000
#define LOCK_TURNS    1000 /* 5 s and a little */

static enum sl_result make_address(const char *path, struct sockaddr_un *address)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof address->sun_path) {
        return SL_ERR_INVALID;
    }
    memcpy(address->sun_path, path, size + 1);
    return SL_OK;
}

/* flags: SOCK_NONBLOCK or 0, which then never waits for room in the server's queue (AGAIN). */
static enum sl_result connect_to(const char *path, int flags, int *fd)
{
    struct sockaddr_un address;
    enum sl_result result = make_address(path, &address);
    if (result != SL_OK) {
        return result;
    }
    int made = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0);
    if (made < 0) {
        return sl_result_from_errno(errno);
    }
    int done;
    do {
        done = connect(made, (struct sockaddr *)&address, sizeof address);
    } while (done != 0 && errno == EINTR);
    if (done != 0) {
        int error = errno;
        sl_fd_close(&made);
        if (error == EPROTOTYPE) { /* somebody listens there with another kind of socket */
            return SL_ERR_INVALID;
        }
        return sl_result_from_errno(error);
    }
    *fd = made;
    return SL_OK;
}

enum sl_result sl_sock_connect(const char *path, int *fd)
{
    return connect_to(path, 0, fd);
}

/* Whoever looks for an abandoned file, takes it away and listens in its place is alone in the
 * folder until *lock is closed, by itself or by its end: a server that has its name already but
 * does not listen yet looks abandoned, too. */
static enum sl_result lock_folder(const char *path, int *lock)
{
    char folder[sizeof((struct sockaddr_un *)NULL)->sun_path] = ".";
    const char *slash = strrchr(path, '/');
    if (slash != NULL) {
        size_t size = slash == path ? 1 : (size_t)(slash - path);
        memcpy(folder, path, size); /* make_address found that the path fits */
        folder[size] = '\0';
    }
    int made = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (made < 0) {
        return sl_result_from_errno(errno);
    }
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    for (int turn = 0; flock(made, LOCK_EX | LOCK_NB) != 0; turn++) {
        int error = errno;
        if ((error != EWOULDBLOCK && error != EINTR) || turn == LOCK_TURNS) {
            sl_fd_close(&made);
            return error == EWOULDBLOCK ? SL_ERR_TIMEOUT : sl_result_from_errno(error);
        }
        (void)nanosleep(&pause, NULL);
    }
    *lock = made;
    return SL_OK;
}

/* A socket file nobody listens on is left over from a killed server: takes it away. */
static enum sl_result clear_abandoned(const char *path)
{
    struct stat info;
    if (lstat(path, &info) != 0) {
        return errno == ENOENT ? SL_OK : sl_result_from_errno(errno);
    }
    if (!S_ISSOCK(info.st_mode)) {
        return SL_ERR_INVALID;
    }
    int probe;
    enum sl_result result = connect_to(path, SOCK_NONBLOCK, &probe);
    if (result == SL_OK) {
        sl_fd_close(&probe);
        return SL_ERR_INVALID;
    }
    if (result == SL_ERR_AGAIN) { /* its server has more to do than it can */
        return SL_ERR_INVALID;
    }
    if (result != SL_ERR_CLOSED) {
        return result == SL_ERR_NOTFOUND ? SL_OK : result;
    }
    return unlink(path) == 0 || errno == ENOENT ? SL_OK : sl_result_from_errno(errno);
}

static enum sl_result bind_and_listen(const struct sockaddr_un *address, int type, int *fd)
{
    int made = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (made < 0) {
        return sl_result_from_errno(errno);
    }
    /* On Linux the new file takes the socket's own mode, so it is private before its name exists.
     */
    if (fchmod(made, 0600) != 0 ||
        bind(made, (const struct sockaddr *)address, sizeof *address) != 0 ||
        listen(made, BACKLOG) != 0) {
        int error = errno;
        sl_fd_close(&made);
        return error == EADDRINUSE ? SL_ERR_INVALID : sl_result_from_errno(error);
    }
    *fd = made;
    return SL_OK;
}

enum sl_result sl_sock_listen(const char *path, int type, int *fd)
{
    struct sockaddr_un address;
    int lock = -1;
    enum sl_result result = make_address(path, &address);
    if (result == SL_OK) {
        result = lock_folder(path, &lock);
    }
    if (result == SL_OK) {
        result = clear_abandoned(path);
    }
    if (result == SL_OK) {
        result = bind_and_listen(&address, type, fd);
    }
    sl_fd_close(&lock);
    return result;
}

enum sl_result sl_sock_accept(int listener, int *fd)
{
    int made;
    do {
        made = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    } while (made < 0 && (errno == EINTR || errno == ECONNABORTED));
    if (made < 0) {
        return sl_result_from_errno(errno);
    }
    *fd = made;
    return SL_OK;
}

enum sl_result sl_sock_pair(int fds[2])
{
    int made[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, made) != 0) {
        return sl_result_from_errno(errno);
    }
    fds[0] = made[0];
    fds[1] = made[1];
    return SL_OK;
}

enum sl_result sl_sock_peer(int fd, pid_t *pid, uid_t *uid)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
        return sl_result_from_errno(errno);
    }
    *pid = peer.pid;
    *uid = peer.uid;
    return SL_OK;
}

enum sl_result sl_sock_peer_process(int fd, pid_t pid, int *pidfd)
{
    int made = -1;
    socklen_t size = sizeof made;
    if (pid == 0) {
        return SL_ERR_UNSUPPORTED;
    }
    if (getsockopt(fd, SOL_SOCKET, PEER_PIDFD, &made, &size) != 0) {
        if (errno != ENOPROTOOPT) { /* it was reaped */
            return SL_ERR_NOTFOUND;
        }
        made = (int)syscall(SYS_pidfd_open, pid, 0);
        if (made < 0) {
            return errno == ESRCH ? SL_ERR_NOTFOUND : SL_ERR_UNSUPPORTED;
        }
    }
    *pidfd = made;
    return SL_OK;
}

enum sl_result sl_sock_peek(int fd, void *data, size_t capacity, size_t *size)
{
    ssize_t got;
    do {
        got = recv(fd, data, capacity, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return sl_result_from_errno(errno);
    }
    if (got == 0) {
        return SL_ERR_CLOSED;
    }
    *size = (size_t)got;
    return SL_OK;
}

/* Room for the descriptors of one message, aligned for its header. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(SL_SOCK_MAX_FDS * sizeof(int))];
};

void sl_sock_put_fds(struct msghdr *message, void *room, const int *fds, uint32_t count)
{
    memset(room, 0, CMSG_SPACE(count * sizeof(int)));
    message->msg_control = room;
    message->msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
}

enum sl_result sl_sock_send_some(int fd, const void *data, size_t size, int flags, const int *fds,
                                 uint32_t fd_count, size_t *sent)
{
    struct iovec part = {.iov_base = (void *)data, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    union control control;
    if (fd_count > SL_SOCK_MAX_FDS) {
        return SL_ERR_INVALID;
    }
    if (fd_count > 0) {
        sl_sock_put_fds(&message, &control, fds, fd_count);
    }
    ssize_t done;
    do {
        done = sendmsg(fd, &message, MSG_NOSIGNAL | flags);
    } while (done < 0 && errno == EINTR);
    if (done < 0) {
        return sl_result_from_errno(errno);
    }
    *sent = (size_t)done;
    return SL_OK;
}

enum sl_result sl_sock_send(int fd, const void *data, size_t size, const int *fds,
                            uint32_t fd_count)
{
    size_t sent = 0;
    enum sl_result result =
        size == 0 ? SL_ERR_INVALID : sl_sock_send_some(fd, data, size, 0, fds, fd_count, &sent);
    return result == SL_OK && sent != size ? SL_ERR_IO : result;
}

/* All descriptors of a message are taken out, so that none leaks. False: some were closed, or the
 * kernel cut them off. */
static bool take_fds(struct msghdr *message, int *fds, uint32_t room, uint32_t *count)
{
    bool fits = (message->msg_flags & MSG_CTRUNC) == 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < here; i++) {
            int taken;
            memcpy(&taken, CMSG_DATA(header) + i * sizeof taken, sizeof taken);
            if (*count < room) {
                fds[(*count)++] = taken;
            } else {
                fits = false;
                sl_fd_close(&taken);
            }
        }
    }
    return fits;
}

enum sl_result sl_sock_recv_some(int fd, int flags, struct sl_sock_part *part)
{
    struct iovec bytes = {.iov_base = part->data, .iov_len = part->capacity};
    union control control;
    struct msghdr message = {.msg_iov = &bytes,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t got;
    do {
        got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | flags);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return sl_result_from_errno(errno);
    }
    bool fits = take_fds(&message, part->fds, part->room, &part->fd_count);
    part->is_cut = !fits || (message.msg_flags & MSG_TRUNC) != 0;
    part->size = (size_t)got;
    return SL_OK;
}

enum sl_result sl_sock_recv(int fd, void *data, size_t capacity, size_t *size, int *fds,
                            uint32_t *fd_count)
{
    int taken[SL_SOCK_MAX_FDS];
    struct sl_sock_part part = {
        .data = data, .capacity = capacity, .fds = taken, .room = SL_SOCK_MAX_FDS};
    enum sl_result result = sl_sock_recv_some(fd, 0, &part);
    if (result != SL_OK) {
        return result;
    }
    if (part.size == 0 || part.is_cut) { /* no message of ours is empty: it is the end */
        for (uint32_t i = 0; i < part.fd_count; i++) {
            sl_fd_close(&taken[i]);
        }
        return part.is_cut ? SL_ERR_PROTOCOL : SL_ERR_CLOSED;
    }
    memcpy(fds, taken, part.fd_count * sizeof taken[0]);
    *fd_count = part.fd_count;
    *size = part.size;
    return SL_OK;
}
