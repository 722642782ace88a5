/* What tools ask a running server, and its own starter. Server thread. */
#include "transport/local/local_priv.h"

#include <string.h>

enum sl_result local_handle_status(struct local_task *q)
{
    struct local_server *server = q->server;
    struct local_status_reply *reply = &q->answer->body.status;
    q->answer->size = sizeof *reply;
    if (server->options.router != NULL) {
        server->options.router->status(server->options.router->user, reply);
        return SL_OK;
    }
    q->device->ops->describe(q->device, reply->driver, sizeof reply->driver);
    reply->contexts_created = local_server_contexts_created(server);
    reply->contexts = server->contexts;
    reply->clients = server->clients;
    reply->resources = server->resources.live;
    reply->resource_bytes = server->resource_bytes;
    pthread_mutex_lock(&server->shared.lock);
    reply->contexts_lost = server->shared.contexts_lost;
    pthread_mutex_unlock(&server->shared.lock);
    return SL_OK;
}

enum sl_result local_handle_program(struct local_task *q)
{
    const struct local_router *router = q->server->options.router;
    q->answer->size = sizeof q->answer->body.program;
    return router != NULL
               ? router->program(router->user, q->message->program.index, &q->answer->body.program)
               : SL_ERR_UNSUPPORTED;
}

enum sl_result local_handle_ring(struct local_task *q)
{
    struct local_ring_reply *reply = &q->answer->body.ring;
    uint32_t left = q->message->ring.index;
    /* Only this thread changes the list; the lock is for the others. */
    SL_LIST_FOR(link, &q->server->shared.clients)
    {
        const struct local_client *client = SL_CONTAINER(link, struct local_client, link);
        struct vgd_ring_stats stats;
        for (uint32_t i = 0; client->ctx_id != 0; i++) {
            if (q->device->ops->ring_stats(q->device, client->ctx_id, i, &stats) != SL_OK) {
                break;
            }
            if (left-- != 0) {
                continue;
            }
            memcpy(reply->client, client->name, LOCAL_NAME - 1);
            reply->pid = (uint32_t)client->pid;
            reply->ctx_id = client->ctx_id;
            reply->ring_id = stats.resource_id;
            reply->packets = stats.packets;
            reply->bytes = stats.bytes;
            reply->replies = stats.replies;
            reply->wakeups = stats.wakeups;
            reply->sleeps = stats.sleeps;
            q->answer->size = sizeof *reply;
            return SL_OK;
        }
    }
    return SL_ERR_NOTFOUND;
}

enum sl_result local_handle_tap(struct local_task *q)
{
    if (q->client->is_tapping) {
        return SL_ERR_INVALID;
    }
    if (q->device == NULL) {
        return SL_ERR_UNSUPPORTED;
    }
    local_tap_begin(q->client);
    q->device->ops->tap(q->device, true);
    return SL_OK;
}

enum sl_result local_handle_tool(struct local_task *q)
{
    struct local_tool_reply *reply = &q->answer->body.tool;
    char text[LOCAL_TOOL_TEXT];
    size_t size = q->size - sizeof(struct local_request);
    if (q->server->tool == NULL) {
        return SL_ERR_UNSUPPORTED;
    }
    if (size >= sizeof text || !local_is_own_user(q->client->uid)) {
        return SL_ERR_INVALID;
    }
    memcpy(text, q->message->bytes + sizeof(struct local_request), size);
    text[size] = '\0';
    q->server->tool(q->server->tool_user, text, reply->text, sizeof reply->text);
    reply->size = (uint32_t)strnlen(reply->text, sizeof reply->text);
    q->answer->size = offsetof(struct local_tool_reply, text) + reply->size;
    return SL_OK;
}
