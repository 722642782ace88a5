/* The requests: checked for size and kind, then translated to waist B. Server thread. */
#include "transport/local/local_priv.h"

#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- hello ---- */

bool local_is_own_user(uid_t uid)
{
    return uid == geteuid() || uid == 0;
}

bool local_serves_user(const struct local_server *server, uid_t uid)
{
    return server->options.any_user || local_is_own_user(uid);
}

void local_copy_name(char out[LOCAL_NAME + 1], const char in[LOCAL_NAME])
{
    uint32_t i = 0;
    for (; i < LOCAL_NAME && in[i] != '\0'; i++) {
        out[i] = in[i] >= ' ' && in[i] <= '~' ? in[i] : '?';
    }
    out[i] = '\0';
}

static uint64_t capset_mask(struct vgd *device)
{
    uint64_t mask = 0;
    for (uint32_t i = 0; i < device->ops->capset_count(device); i++) {
        struct vgd_capset_info info;
        if (device->ops->capset_info(device, i, &info) == SL_OK && info.id < 64) {
            mask |= (uint64_t)1 << info.id;
        }
    }
    return mask;
}

static enum sl_result make_page(struct local_client *client, int *fd)
{
    void *page;
    int page_fd;
    enum sl_result r = sl_shm_create("sluice-client", sizeof *client->page, &page_fd);
    if (r != SL_OK) {
        return r;
    }
    r = sl_shm_map(page_fd, sizeof *client->page, &page);
    if (r != SL_OK) {
        sl_fd_close(&page_fd);
        return r;
    }
    client->page = page;
    *fd = page_fd;
    return SL_OK;
}

static enum sl_result handle_hello(struct local_task *q)
{
    const struct local_hello *hello = &q->message->hello;
    struct local_hello_reply *reply = &q->answer->body.hello;
    struct local_client *client = q->client;
    reply->magic = LOCAL_MAGIC;
    reply->version = LOCAL_VERSION;
    q->answer->size = sizeof *reply;
    if (hello->magic != LOCAL_MAGIC) {
        return SL_ERR_PROTOCOL;
    }
    if (hello->version != LOCAL_VERSION) {
        sl_warn_limited(
            "local",
            "process %d speaks version %u of the local protocol, this server version %u: refused",
            (int)client->pid, hello->version, LOCAL_VERSION);
        return SL_ERR_UNSUPPORTED;
    }
    if (q->size != sizeof *hello || client->kind != 0 ||
        (hello->kind != LOCAL_KIND_CLIENT && hello->kind != LOCAL_KIND_CONTROL)) {
        return SL_ERR_PROTOCOL;
    }
    if (!local_serves_user(q->server, client->uid)) {
        sl_warn_limited("local", "process %d belongs to user %u: refused", (int)client->pid,
                        (unsigned)client->uid);
        return SL_ERR_INVALID;
    }
    if (client->refusal != SL_OK) {
        return client->refusal;
    }
    if (hello->process != 0 && !q->server->options.is_fed) {
        return SL_ERR_NOTFOUND; /* no workers here */
    }
    local_copy_name(client->name, hello->name);
    if (hello->kind == LOCAL_KIND_CLIENT) {
        enum sl_result r = make_page(client, &q->answer->fd);
        if (r != SL_OK) {
            return r;
        }
        q->server->clients++;
        if (q->server->options.clients_changed != NULL) {
            q->server->options.clients_changed(q->server->options.user, q->server->clients);
        }
    }
    client->kind = (enum local_kind)hello->kind;
    reply->capset_mask = q->device != NULL ? capset_mask(q->device) : 0;
    reply->shared_futex = 1;
    reply->coherent_tex = 1;
    sl_info("local", "%s %s (process %d)", client->kind == LOCAL_KIND_CLIENT ? "client" : "tool",
            client->name, (int)client->pid);
    return SL_OK;
}

/* ---- the context ---- */

static enum sl_result handle_caps(struct local_task *q)
{
    struct local_caps_reply *reply = &q->answer->body.caps;
    size_t used = 0;
    enum sl_result r = q->device->ops->capset_get(q->device, q->message->caps.capset, 1,
                                                  reply->data, sizeof reply->data, &used);
    if (r == SL_OK) {
        used = used < sizeof reply->data ? used : sizeof reply->data;
        reply->size = (uint32_t)used;
        q->answer->size = offsetof(struct local_caps_reply, data) + used;
    }
    return r;
}

static void set_context(struct local_client *client, uint32_t ctx_id, uint32_t ring_count)
{
    /* The sink looks for a context's client on other threads. */
    pthread_mutex_lock(&client->server->shared.lock);
    client->ctx_id = ctx_id;
    client->ring_count = ring_count;
    pthread_mutex_unlock(&client->server->shared.lock);
}

static enum sl_result attach_all(struct local_task *q, uint32_t ctx_id)
{
    SL_LIST_FOR(link, &q->client->resources)
    {
        const struct local_resource *res = SL_CONTAINER(link, struct local_resource, link);
        enum sl_result r = q->device->ops->ctx_attach(q->device, ctx_id, res->id);
        if (r != SL_OK) {
            return r;
        }
    }
    return SL_OK;
}

static enum sl_result handle_ctx_init(struct local_task *q)
{
    const struct local_ctx_init *init = &q->message->ctx_init;
    struct local_server *server = q->server;
    if (q->client->ctx_id != 0 || init->ring_count == 0 || init->ring_count > VIRTGPU_MAX_RINGS) {
        return SL_ERR_INVALID;
    }
    char name[2 * LOCAL_NAME + 2];
    char own_name[LOCAL_NAME + 1];
    local_copy_name(own_name, init->name);
    snprintf(name, sizeof name, "%s:%s", q->client->name, own_name);
    uint32_t ctx_id = 0;
    enum sl_result r = SL_ERR_INVALID;
    /* The counter comes round after 2^32 contexts: step over those that live. */
    for (uint32_t tries = 0; tries <= server->contexts && r == SL_ERR_INVALID; tries++) {
        ctx_id = ++server->next_ctx != 0 ? server->next_ctx : ++server->next_ctx;
        r = q->device->ops->ctx_create(q->device, ctx_id, init->capset, name);
    }
    if (r != SL_OK) {
        return r;
    }
    r = attach_all(q, ctx_id);
    if (r != SL_OK) {
        (void)q->device->ops->ctx_destroy(q->device, ctx_id);
        return r;
    }
    set_context(q->client, ctx_id, init->ring_count);
    server->contexts++;
    __atomic_fetch_add(&server->contexts_created, 1,
                       __ATOMIC_RELAXED); /* a counter: orders nothing */
    return SL_OK;
}

/* ---- resources ---- */

static struct local_resource *own_resource(struct local_task *q, uint32_t id)
{
    struct local_resource *res = sl_table_find(&q->server->resources, LOCAL_KIND_RESOURCE, id);
    return res != NULL && res->client == q->client ? res : NULL;
}

/* An entry in the table, with its quotas, before the device is asked: its id is the device's. */
static enum sl_result reserve(struct local_task *q, uint64_t size, struct local_resource **out)
{
    struct local_client *client = q->client;
    const struct local_server_options *o = &q->server->options;
    if (client->resource_count >= o->resources) {
        sl_warn_limited("local", "client %s (process %d): more than %u resources", client->name,
                        (int)client->pid, o->resources);
        return SL_ERR_NOMEM;
    }
    if (!local_account_fits(client, size)) {
        return SL_ERR_NOMEM;
    }
    struct local_resource *res = sl_alloc(sizeof *res);
    if (res == NULL) {
        return SL_ERR_NOMEM;
    }
    *res = (struct local_resource){.client = client, .size = size};
    enum sl_result r = sl_table_add(&q->server->resources, LOCAL_KIND_RESOURCE, res, &res->id);
    if (r != SL_OK) {
        sl_free(res);
        return r;
    }
    *out = res;
    return SL_OK;
}

static void unreserve(struct local_task *q, struct local_resource *res)
{
    (void)sl_table_remove(&q->server->resources, LOCAL_KIND_RESOURCE, res->id);
    sl_free(res);
}

/* The device made it: attach it to the context and count it. */
static enum sl_result settle(struct local_task *q, struct local_resource *res)
{
    if (q->client->ctx_id != 0) {
        enum sl_result r = q->device->ops->ctx_attach(q->device, q->client->ctx_id, res->id);
        if (r != SL_OK) {
            (void)q->device->ops->res_destroy(q->device, res->id);
            unreserve(q, res);
            return r;
        }
    }
    sl_list_add(&q->client->resources, &res->link);
    q->client->resource_count++;
    local_account_add(q->client, res->size);
    struct local_res_reply *reply = &q->answer->body.res;
    reply->resource_id = res->id;
    reply->stride = res->stride;
    reply->size = res->size;
    q->answer->size = sizeof *reply;
    return SL_OK;
}

static void destroy_resource(struct local_resource *res)
{
    struct local_client *client = res->client;
    struct local_server *server = client->server;
    if (res->is_mapped) {
        (void)server->device->ops->res_unmap(server->device, res->id);
    }
    (void)server->device->ops->res_destroy(server->device, res->id);
    (void)sl_table_remove(&server->resources, LOCAL_KIND_RESOURCE, res->id);
    sl_list_remove(&res->link);
    client->resource_count--;
    local_account_take(client, res->size);
    sl_free(res);
}

static enum sl_result handle_blob_create(struct local_task *q)
{
    const struct local_blob_create *b = &q->message->blob_create;
    if (b->mem != VIRTGPU_BLOB_HOST3D) {
        return SL_ERR_UNSUPPORTED; /* a local client has no guest pages: it exports and imports */
    }
    struct local_resource *res;
    enum sl_result r = reserve(q, b->size, &res);
    if (r != SL_OK) {
        return r;
    }
    r = q->device->ops->res_create_blob(
        q->device, q->client->ctx_id, res->id,
        &(struct vgd_blob_args){
            .mem = b->mem, .flags = b->flags, .size = b->size, .blob_id = b->blob_id});
    if (r != SL_OK) {
        unreserve(q, res);
        return r;
    }
    return settle(q, res);
}

/* The size is known only to the device: mapping tells it, and the quota is checked after. */
static enum sl_result measure(struct local_task *q, struct local_resource *res)
{
    struct vgd_map map;
    enum sl_result r = q->device->ops->res_map(q->device, res->id, &map);
    if (r != SL_OK) {
        return r;
    }
    sl_fd_close(&map.fd);
    (void)q->device->ops->res_unmap(q->device, res->id);
    res->size = map.size;
    res->stride = map.stride;
    return local_account_fits(q->client, map.size) ? SL_OK : SL_ERR_NOMEM;
}

static enum sl_result handle_tex_create(struct local_task *q)
{
    struct local_resource *res;
    enum sl_result r = reserve(q, 0, &res);
    if (r != SL_OK) {
        return r;
    }
    r = q->device->ops->res_create_tex(q->device, res->id, &q->message->tex_create.args);
    if (r != SL_OK) {
        unreserve(q, res);
        return r;
    }
    res->is_tex = true;
    r = measure(q, res);
    if (r != SL_OK) {
        (void)q->device->ops->res_destroy(q->device, res->id);
        unreserve(q, res);
        return r;
    }
    return settle(q, res);
}

static enum sl_result handle_res_import(struct local_task *q)
{
    if (q->fd_count == 0) {
        return SL_ERR_INVALID;
    }
    struct local_resource *res;
    enum sl_result r = reserve(q, q->message->res_import.size, &res);
    if (r != SL_OK) {
        return r;
    }
    int fd = q->fds[0];
    q->fds[0] = -1;
    r = q->device->ops->res_import(q->device, res->id, fd, res->size);
    if (r != SL_OK) {
        unreserve(q, res);
        return r;
    }
    return settle(q, res);
}

static enum sl_result handle_res_export(struct local_task *q)
{
    const struct local_resource *res = own_resource(q, q->message->res.resource_id);
    return res != NULL ? q->device->ops->res_export(q->device, res->id, &q->answer->fd)
                       : SL_ERR_NOTFOUND;
}

/* A client's descriptors are looked into: only one that could look into us gets that far. */
static void take_writes(struct local_task *q)
{
    struct local_client *client = q->client;
    if (q->fd_count == 2 && client->writes == NULL && local_is_own_user(client->uid) &&
        sl_writes_create(q->fds, &client->writes) != SL_OK) {
        sl_warn_limited("local", "client %s (process %d): its writes cannot be seen", client->name,
                        (int)client->pid);
    }
}

static enum sl_result handle_res_map(struct local_task *q)
{
    const struct local_res_map *m = &q->message->res_map;
    struct local_resource *res = own_resource(q, m->resource_id);
    take_writes(q);
    if (res == NULL) {
        return SL_ERR_NOTFOUND;
    }
    struct vgd_map map;
    enum sl_result r = q->device->ops->res_map(q->device, res->id, &map);
    if (r != SL_OK) {
        return r;
    }
    res->is_mapped = true;
    if (map.fd < 0) {
        return SL_ERR_UNSUPPORTED;
    }
    q->answer->fd = map.fd;
    q->answer->body.map.offset = map.offset;
    q->answer->body.map.size = map.size;
    q->answer->size = sizeof q->answer->body.map;
    if (q->client->writes != NULL && m->address != 0 && q->device->ops->res_place != NULL) {
        q->device->ops->res_place(q->device, res->id, q->client->writes, m->address);
    }
    return SL_OK;
}

static enum sl_result handle_res_destroy(struct local_task *q)
{
    struct local_resource *res = own_resource(q, q->message->res.resource_id);
    if (res == NULL) {
        return SL_ERR_NOTFOUND;
    }
    destroy_resource(res);
    return SL_OK;
}

static enum sl_result handle_res_transfer(struct local_task *q)
{
    const struct local_res_transfer *t = &q->message->res_transfer;
    const struct local_resource *res = own_resource(q, t->resource_id);
    if (res == NULL) {
        return SL_ERR_NOTFOUND;
    }
    if (!res->is_tex || t->direction > VG_FROM_HOST) {
        return SL_ERR_INVALID;
    }
    /* No guest pages here: the client maps the shared backing itself. */
    return q->device->ops->transfer(q->device, q->client->ctx_id, res->id, &t->box, 0, 0, 0, 0,
                                    (enum vg_direction)t->direction);
}

/* ---- submit ---- */

static enum sl_result handle_submit(struct local_task *q)
{
    const struct local_submit *s = &q->message->submit;
    struct local_client *client = q->client;
    bool is_global = s->ring == VIRTGPU_RING_GLOBAL;
    if (client->ctx_id == 0 || (!is_global && s->ring >= client->ring_count)) {
        return SL_ERR_INVALID;
    }
    uint64_t fence = 0;
    if (s->want_fence != 0) {
        fence = ++q->server->next_fence;
        enum sl_result r = vgd_fences_add(&q->server->fences, fence, &client->fences,
                                          q->server->options.fences, &q->answer->fd);
        if (r != SL_OK) {
            return r;
        }
    }
    enum sl_result r = q->device->ops->submit(q->device, client->ctx_id,
                                              q->message->bytes + sizeof *s, q->size - sizeof *s);
    if (r == SL_OK && s->want_fence != 0) {
        r = q->device->ops->fence(q->device, is_global ? 0 : client->ctx_id, s->ring, fence);
    }
    if (r != SL_OK && s->want_fence != 0) {
        vgd_fences_leave(&q->server->fences, fence, false);
    }
    return r;
}

/* ---- which request is what ---- */

struct verb {
    enum sl_result (*handle)(struct local_task *q);
    uint32_t verb;
    uint32_t size;        /* of the request; with has_tail: at least */
    enum local_kind kind; /* who may ask; 0: anyone, before hello too */
    bool has_tail;
};

static const struct verb verbs[] = {
    /* Only what never changes is checked here: a hello of another version may have another size. */
    {handle_hello, LOCAL_HELLO, 16, 0, true},
    {handle_caps, LOCAL_CAPS, sizeof(struct local_caps), LOCAL_KIND_CLIENT, false},
    {handle_ctx_init, LOCAL_CTX_INIT, sizeof(struct local_ctx_init), LOCAL_KIND_CLIENT, false},
    {handle_blob_create, LOCAL_BLOB_CREATE, sizeof(struct local_blob_create), LOCAL_KIND_CLIENT,
     false},
    {handle_tex_create, LOCAL_TEX_CREATE, sizeof(struct local_tex_create), LOCAL_KIND_CLIENT,
     false},
    {handle_res_import, LOCAL_RES_IMPORT, sizeof(struct local_res_import), LOCAL_KIND_CLIENT,
     false},
    {handle_res_export, LOCAL_RES_EXPORT, sizeof(struct local_res), LOCAL_KIND_CLIENT, false},
    {handle_res_map, LOCAL_RES_MAP, sizeof(struct local_res_map), LOCAL_KIND_CLIENT, false},
    {handle_res_destroy, LOCAL_RES_DESTROY, sizeof(struct local_res), LOCAL_KIND_CLIENT, false},
    {handle_res_transfer, LOCAL_RES_TRANSFER, sizeof(struct local_res_transfer), LOCAL_KIND_CLIENT,
     false},
    {handle_submit, LOCAL_SUBMIT, sizeof(struct local_submit), LOCAL_KIND_CLIENT, true},
    {local_handle_status, LOCAL_STATUS, sizeof(struct local_request), LOCAL_KIND_CONTROL, false},
    {local_handle_ring, LOCAL_RING, sizeof(struct local_ring), LOCAL_KIND_CONTROL, false},
    {local_handle_tap, LOCAL_TAP, sizeof(struct local_request), LOCAL_KIND_CONTROL, false},
    {local_handle_program, LOCAL_PROGRAM, sizeof(struct local_program), LOCAL_KIND_CONTROL, false},
    {local_handle_tool, LOCAL_TOOL, sizeof(struct local_request), LOCAL_KIND_CONTROL, true},
};

static const struct verb *find_verb(const struct local_client *client,
                                    const struct local_request *head, size_t size)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        const struct verb *v = &verbs[i];
        if (v->verb != head->verb) {
            continue;
        }
        bool size_is_right = v->has_tail ? size >= v->size : size == v->size;
        return size_is_right && (v->kind == 0 || v->kind == client->kind) ? v : NULL;
    }
    return NULL;
}

bool local_execute(struct local_client *client, size_t size, int *fds, uint32_t fd_count,
                   struct local_answer *answer)
{
    struct local_server *server = client->server;
    memset(answer, 0, sizeof *answer);
    answer->fd = -1;
    answer->size = sizeof answer->body.head;
    if (size < sizeof(struct local_request)) {
        answer->body.head.result = SL_ERR_PROTOCOL;
        return false;
    }
    struct local_task q = {
        .client = client,
        .server = server,
        .device = server->device,
        .message = &server->message,
        .size = size,
        .fds = fds,
        .fd_count = fd_count,
        .answer = answer,
    };
    const struct verb *v = find_verb(client, &server->message.head, size);
    enum sl_result r = v != NULL ? v->handle(&q) : SL_ERR_PROTOCOL;
    answer->body.head.verb = server->message.head.verb;
    answer->body.head.serial = server->message.head.serial;
    answer->body.head.result = r;
    local_publish_counts(server);
    if (r == SL_OK) {
        return true;
    }
    sl_fd_close(&answer->fd);
    bool is_hello = v != NULL && v->handle == handle_hello;
    answer->size = is_hello ? sizeof answer->body.hello : sizeof answer->body.head;
    if (v == NULL) {
        sl_warn_limited(
            "local",
            "client %s (process %d): request %u of %zu bytes is none of this protocol: hung up",
            client->name, (int)client->pid, server->message.head.verb, size);
    }
    return v != NULL && !is_hello;
}

void local_client_clear(struct local_client *client)
{
    struct local_server *server = client->server;
    uint32_t ctx_id = client->ctx_id;
    if (ctx_id != 0) {
        /* The context first: it stops its rings in one go, and settles the client's fences. */
        (void)server->device->ops->ctx_destroy(server->device, ctx_id);
        set_context(client, 0, 0);
        server->contexts--;
    }
    while (!sl_list_empty(&client->resources)) {
        destroy_resource(SL_CONTAINER(client->resources.next, struct local_resource, link));
    }
    if (client->page != NULL) {
        sl_shm_unmap(client->page, sizeof *client->page);
        client->page = NULL;
    }
    sl_writes_unref(client->writes);
    client->writes = NULL;
}
