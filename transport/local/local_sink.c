/* What the device tells the front, on whatever thread it happens: fences done, contexts lost,
 * packets of a live tap. */
#include "transport/local/local_priv.h"

#include "transport/base/atomic.h"
#include "transport/base/clock.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define TAP_WAIT_MS    20     /* how long a ring waits for a slow tool, once */
#define TAP_PACKET_MAX 32768u /* bytes of packet, and of reply, that are sent along */

void local_shared_init(struct local_shared *shared)
{
    *shared = (struct local_shared){0};
    pthread_mutex_init(&shared->lock, NULL);
    sl_list_init(&shared->clients);
}

void local_shared_finish(struct local_shared *shared)
{
    pthread_mutex_destroy(&shared->lock);
}

static void on_fence_done(void *user, uint32_t ctx_id, uint32_t ring, uint64_t fence_id)
{
    (void)ctx_id;
    (void)ring;
    struct local_server *server = user;
    vgd_fences_leave(&server->fences, fence_id, true);
}

/* ---- loss ---- */

static void on_ctx_lost(void *user, uint32_t ctx_id, const char *reason)
{
    struct local_server *server = user;
    pthread_mutex_lock(&server->shared.lock);
    server->shared.contexts_lost++;
    SL_LIST_FOR(link, &server->shared.clients)
    {
        struct local_client *client = SL_CONTAINER(link, struct local_client, link);
        if (client->ctx_id == ctx_id && client->page != NULL) {
            snprintf(client->page->reason, sizeof client->page->reason, "%s", reason);
            /* Pairs with the client's acquire load in local_alive: the reason is there before the
             * word. */
            sl_atomic_store_release(&client->page->lost, 1);
        }
    }
    pthread_mutex_unlock(&server->shared.lock);
}

/* ---- live tap ---- */

void local_tap_begin(struct local_client *client)
{
    struct local_shared *shared = &client->server->shared;
    pthread_mutex_lock(&shared->lock);
    client->is_tapping = true;
    shared->tappers++;
    pthread_mutex_unlock(&shared->lock);
}

void local_tap_end(struct local_client *client)
{
    struct local_shared *shared = &client->server->shared;
    pthread_mutex_lock(&shared->lock);
    if (client->is_tapping) {
        client->is_tapping = false;
        shared->tappers--;
    }
    pthread_mutex_unlock(&shared->lock);
}

static void send_packet_locked(struct local_client *client, struct local_packet *head,
                               uint8_t *message, size_t size)
{
    head->head.serial = client->tap_serial;
    head->dropped = client->tap_dropped;
    memcpy(message, head, sizeof *head);
    enum sl_result r = sl_sock_send(client->fd, message, size, NULL, 0);
    if (r == SL_ERR_AGAIN && !client->tap_behind) {
        /* A tool that keeps up on the whole gets everything; one that stopped reading costs each
         * ring this wait once. */
        struct pollfd p = {.fd = client->fd, .events = POLLOUT};
        (void)poll(&p, 1, TAP_WAIT_MS);
        r = sl_sock_send(client->fd, message, size, NULL, 0);
    }
    client->tap_behind = r != SL_OK;
    if (r == SL_OK) {
        client->tap_serial++;
    } else {
        client->tap_dropped++;
    }
}

static void on_packet(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t opcode,
                      const void *packet, size_t size, const void *reply, size_t reply_size)
{
    struct local_server *server = user;
    uint8_t message[LOCAL_MAX_MESSAGE];
    size_t packet_sent = size < TAP_PACKET_MAX - sizeof(struct local_packet)
                             ? size
                             : TAP_PACKET_MAX - sizeof(struct local_packet);
    size_t reply_sent = reply_size < TAP_PACKET_MAX ? reply_size : TAP_PACKET_MAX;
    struct local_packet head = {
        .head.verb = LOCAL_PACKET,
        .time_ns = sl_clock_ns(),
        .ctx_id = ctx_id,
        .ring_id = ring_id,
        .opcode = opcode,
        .packet_size = (uint32_t)size,
        .reply_size = (uint32_t)reply_size,
        .packet_sent = (uint32_t)packet_sent,
        .reply_sent = (uint32_t)reply_sent,
    };
    if (packet_sent != 0) {
        memcpy(message + sizeof head, packet, packet_sent);
    }
    if (reply_sent != 0) {
        memcpy(message + sizeof head + packet_sent, reply, reply_sent);
    }
    pthread_mutex_lock(&server->shared.lock);
    SL_LIST_FOR(link, &server->shared.clients)
    {
        struct local_client *client = SL_CONTAINER(link, struct local_client, link);
        if (client->is_tapping) {
            send_packet_locked(client, &head, message, sizeof head + packet_sent + reply_sent);
        }
    }
    pthread_mutex_unlock(&server->shared.lock);
}

struct vgd_sink local_server_sink(struct local_server *server)
{
    return (struct vgd_sink){
        .user = server,
        .fence_done = on_fence_done,
        .ctx_lost = on_ctx_lost,
        .packet = on_packet,
    };
}
