#include "transport/vhost/vhost_channel.h"

#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

struct vhost_unsent {
    struct sl_list link; /* vhost_channel.unsent */
    int fd;
    size_t size, sent;
    uint8_t bytes[];
};

void vhost_channel_init(struct vhost_channel *channel)
{
    channel->fd = -1;
    channel->got = 0;
    channel->fd_count = 0;
    channel->unsent_count = 0;
    sl_list_init(&channel->unsent);
}

enum sl_result vhost_channel_open(struct vhost_channel *channel, int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
        enum sl_result r = sl_result_from_errno(errno);
        sl_fd_close(&fd);
        return r;
    }
    channel->fd = fd;
    return SL_OK;
}

static void unsent_free(struct vhost_channel *channel, struct vhost_unsent *unsent)
{
    sl_list_remove(&unsent->link);
    sl_fd_close(&unsent->fd);
    sl_free(unsent);
    channel->unsent_count--;
}

void vhost_channel_close(struct vhost_channel *channel)
{
    vhost_channel_next(channel);
    SL_LIST_FOR_SAFE(link, &channel->unsent)
    {
        unsent_free(channel, SL_CONTAINER(link, struct vhost_unsent, link));
    }
    sl_fd_close(&channel->fd);
}

/* ---- receiving ---- */

/* Up to `size` bytes to `to`. */
static enum sl_result receive(struct vhost_channel *channel, void *to, size_t size)
{
    struct sl_sock_part part = {.data = to,
                                .capacity = size,
                                .fds = channel->fds,
                                .room = VHOST_FDS_MAX,
                                .fd_count = channel->fd_count};
    enum sl_result r = sl_sock_recv_some(channel->fd, MSG_DONTWAIT, &part);
    if (r != SL_OK) {
        return r;
    }
    channel->fd_count = part.fd_count;
    channel->got += part.size;
    return part.is_cut ? SL_ERR_PROTOCOL : part.size == 0 ? SL_ERR_CLOSED : SL_OK;
}

enum sl_result vhost_channel_recv(struct vhost_channel *channel)
{
    struct vhost_head *head = &channel->in.head;
    while (channel->got < sizeof *head) {
        enum sl_result r =
            receive(channel, (uint8_t *)head + channel->got, sizeof *head - channel->got);
        if (r != SL_OK) {
            return r;
        }
    }
    if ((head->flags & VHOST_FLAG_VERSION_MASK) != VHOST_FLAG_VERSION ||
        head->size > sizeof channel->in.payload) {
        return SL_ERR_PROTOCOL;
    }
    while (channel->got < sizeof *head + head->size) {
        size_t have = channel->got - sizeof *head;
        enum sl_result r = receive(channel, channel->in.payload.bytes + have, head->size - have);
        if (r != SL_OK) {
            return r;
        }
    }
    return SL_OK;
}

void vhost_channel_next(struct vhost_channel *channel)
{
    for (uint32_t i = 0; i < channel->fd_count; i++) {
        sl_fd_close(&channel->fds[i]);
    }
    channel->fd_count = 0;
    channel->got = 0;
}

/* ---- sending ---- */

/* Bytes that went out, 0 when there is no room now. */
static enum sl_result transmit(int to, const uint8_t *bytes, size_t size, int fd, size_t *sent)
{
    *sent = 0;
    enum sl_result r = sl_sock_send_some(to, bytes, size, MSG_DONTWAIT, &fd, fd >= 0, sent);
    return r == SL_ERR_AGAIN ? SL_OK : r;
}

static enum sl_result keep(struct vhost_channel *channel, const uint8_t *bytes, size_t size,
                           size_t sent, int fd)
{
    if (channel->unsent_count == VHOST_UNSENT_MAX) {
        return SL_ERR_PROTOCOL;
    }
    struct vhost_unsent *unsent = sl_alloc(sizeof *unsent + size);
    if (unsent == NULL) {
        return SL_ERR_NOMEM;
    }
    *unsent = (struct vhost_unsent){.fd = -1, .size = size, .sent = sent};
    memcpy(unsent->bytes, bytes, size);
    if (fd >= 0 && sent == 0) { /* else it went with the first byte */
        enum sl_result r = sl_fd_dup(fd, &unsent->fd);
        if (r != SL_OK) {
            sl_free(unsent);
            return r;
        }
    }
    sl_list_add(&channel->unsent, &unsent->link);
    channel->unsent_count++;
    return SL_OK;
}

enum sl_result vhost_channel_send(struct vhost_channel *channel, uint32_t request, uint32_t flags,
                                  const void *payload, uint32_t size, int fd)
{
    struct vhost_head head = {
        .request = request, .flags = VHOST_FLAG_VERSION | flags, .size = size};
    uint8_t bytes[sizeof head + sizeof(union vhost_payload)];
    if (channel->fd < 0) {
        return SL_ERR_CLOSED;
    }
    if (size > sizeof bytes - sizeof head) {
        return SL_ERR_INVALID;
    }
    memcpy(bytes, &head, sizeof head);
    if (size != 0) {
        memcpy(bytes + sizeof head, payload, size);
    }
    size_t all = sizeof head + size;
    size_t sent = 0;
    if (channel->unsent_count == 0) {
        enum sl_result r = transmit(channel->fd, bytes, all, fd, &sent);
        if (r != SL_OK) {
            return r;
        }
    }
    return sent == all ? SL_OK : keep(channel, bytes, all, sent, fd);
}

enum sl_result vhost_channel_flush(struct vhost_channel *channel)
{
    while (!sl_list_empty(&channel->unsent)) {
        struct vhost_unsent *unsent = SL_CONTAINER(channel->unsent.next, struct vhost_unsent, link);
        size_t sent = 0;
        enum sl_result r = transmit(channel->fd, unsent->bytes + unsent->sent,
                                    unsent->size - unsent->sent, unsent->fd, &sent);
        if (r != SL_OK || sent == 0) {
            return r;
        }
        sl_fd_close(&unsent->fd);
        unsent->sent += sent;
        if (unsent->sent == unsent->size) {
            unsent_free(channel, unsent);
        }
    }
    return SL_OK;
}
