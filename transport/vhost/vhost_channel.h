/* A vhost-user socket, one direction's protocol: whole messages with descriptors over a stream that
 * never blocks. Session thread.
 *
 * What the peer does not take is kept, up to VHOST_UNSENT_MAX messages; a peer that asks without
 * reading is the owner's to stop (`vhost_channel_is_full`). */
#ifndef VHOST_CHANNEL_H
#define VHOST_CHANNEL_H

#include "transport/base/list.h"
#include "transport/base/result.h"
#include "transport/vhost/vhost_wire.h"

#include <stdbool.h>

#define VHOST_FDS_MAX    8u
#define VHOST_UNSENT_MAX 1024u

struct vhost_channel {
    int fd; /* -1: closed */
    struct vhost_message in;
    size_t got; /* bytes of it */
    int fds[VHOST_FDS_MAX];
    uint32_t fd_count;
    struct sl_list unsent; /* struct vhost_unsent.link */
    uint32_t unsent_count;
};

void vhost_channel_init(struct vhost_channel *channel);
/* Takes fd, and makes it non-blocking. */
enum sl_result vhost_channel_open(struct vhost_channel *channel, int fd) SL_MUST_USE;
/* Closes it with all that is on its way. */
void vhost_channel_close(struct vhost_channel *channel);

/* The next message is in `in`, its descriptors in `fds`, both until vhost_channel_next. AGAIN;
 * CLOSED; PROTOCOL: version, size or descriptors are wrong. */
enum sl_result vhost_channel_recv(struct vhost_channel *channel) SL_MUST_USE;
/* Done with it; descriptors that nobody took (set to -1) are closed. */
void vhost_channel_next(struct vhost_channel *channel);
/* Sends, or keeps. fd: -1 or borrowed. PROTOCOL: too much is kept; CLOSED; NOMEM. */
enum sl_result vhost_channel_send(struct vhost_channel *channel, uint32_t request, uint32_t flags,
                                  const void *payload, uint32_t size, int fd) SL_MUST_USE;
/* Sends what was kept. OK also when some is left. */
enum sl_result vhost_channel_flush(struct vhost_channel *channel) SL_MUST_USE;
static inline bool vhost_channel_is_full(const struct vhost_channel *channel)
{
    return channel->unsent_count != 0;
}

#endif
