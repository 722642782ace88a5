#include "tests/support/vhost_message.h"

#include "transport/base/sock.h"
#include "transport/vhost/vhost_wire.h"

bool vhost_message_send(int to, uint32_t request, uint32_t flags, const void *payload,
                        uint32_t size, const int *fds, uint32_t fd_count)
{
    struct vhost_head head = {
        .request = request, .flags = VHOST_FLAG_VERSION | flags, .size = size};
    struct iovec parts[2] = {{&head, sizeof head}, {(void *)payload, size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = size != 0 ? 2 : 1};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(VHOST_MESSAGE_FDS * sizeof(int))];
    } control;
    if (fd_count > VHOST_MESSAGE_FDS) {
        return false;
    }
    if (fd_count != 0) {
        sl_sock_put_fds(&message, &control, fds, fd_count);
    }
    return sendmsg(to, &message, MSG_NOSIGNAL) == (ssize_t)(sizeof head + size);
}
