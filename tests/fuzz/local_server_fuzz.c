/* The local socket's messages, past the socket: each input is a row of requests of two clients of
 * one server with an echo device.
 *
 * A request is an operation byte and its bytes: the low bits choose a verb, whose size is then
 * right and whose words come from the input, or raw bytes of any size; bits say which client speaks
 * and whether a descriptor comes along, and of which kind. */
#include "host/device/device.h"
#include "tests/support/echo_type.h"
#include "transport/base/bytes.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"
#include "transport/local/local_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUESTS_MAX 64u

struct shape {
    uint32_t verb;
    uint32_t size;
};
static const struct shape shapes[] = {
    {LOCAL_HELLO, sizeof(struct local_hello)},
    {LOCAL_CAPS, sizeof(struct local_caps)},
    {LOCAL_CTX_INIT, sizeof(struct local_ctx_init)},
    {LOCAL_BLOB_CREATE, sizeof(struct local_blob_create)},
    {LOCAL_TEX_CREATE, sizeof(struct local_tex_create)},
    {LOCAL_RES_IMPORT, sizeof(struct local_res_import)},
    {LOCAL_RES_EXPORT, sizeof(struct local_res)},
    {LOCAL_RES_MAP, sizeof(struct local_res_map)},
    {LOCAL_RES_DESTROY, sizeof(struct local_res)},
    {LOCAL_RES_TRANSFER, sizeof(struct local_res_transfer)},
    {LOCAL_SUBMIT, sizeof(struct local_submit) + sizeof(struct echo_command)},
    {LOCAL_STATUS, sizeof(struct local_request)},
    {LOCAL_RING, sizeof(struct local_ring)},
    {LOCAL_TAP, sizeof(struct local_request)},
};
#define SHAPES (sizeof shapes / sizeof shapes[0])

/* Made once: what an input leaves behind is a finding. */
struct stage {
    struct local_server *server;
    struct vgd *device;
};

static void quiet(void *user, enum sl_log_level level, const char *module, const char *text)
{
    (void)user, (void)level, (void)module, (void)text;
}

static void set_stage(struct stage *stage)
{
    static const struct hct_type *const types[] = {&echo_type, &echo_tex_type, NULL};
    char path[64];
    snprintf(path, sizeof path, "/tmp/sluice-fuzz-%d", (int)getpid());
    sl_log_set_callback(quiet, NULL);
    struct local_server_options options = {
        .path = path, .resources = 32, .resource_bytes = 16u << 20, .fences = 8};
    struct dev_limits limits = {
        .contexts = 4, .resources = 48, .resource_bytes = 32u << 20, .pending = 32};
    if (local_server_create(&options, &stage->server) != SL_OK) {
        abort();
    }
    (void)unlink(path);
    struct vgd_sink sink = local_server_sink(stage->server);
    if (dev_create(types, NULL, &limits, &sink, &stage->device) != SL_OK) {
        abort();
    }
    local_server_set_device(stage->server, stage->device);
}

static void client_begin(struct local_server *server, struct local_client *client)
{
    *client = (struct local_client){.server = server, .fd = -1, .pid = getpid(), .uid = geteuid()};
    sl_list_init(&client->resources);
    if (local_account_join(client) != SL_OK) {
        abort();
    }
    sl_list_add(&server->shared.clients, &client->link);
}

static void client_end(struct local_client *client)
{
    struct local_server *server = client->server;
    local_tap_end(client);
    local_client_clear(client);
    sl_list_remove(&client->link);
    if (client->process->connections == 1 && client->process->resource_bytes != 0) {
        abort(); /* nobody is left whose they could be */
    }
    local_account_leave(client);
    server->clients -= client->kind == LOCAL_KIND_CLIENT;
    if (client->fences != 0) {
        abort(); /* a fence that nobody will tell any more */
    }
}

static int make_fd(uint32_t kind)
{
    int fd = -1;
    if (kind == 1) {
        (void)!sl_shm_create("fuzz", 8192, &fd);
    } else if (kind == 2) {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    } else if (kind == 3) {
        (void)!sl_fd_event(&fd);
    }
    return fd;
}

/* The next request into the server's message; its size. */
static size_t next_request(struct sl_reader *r, uint32_t op, union local_message *message)
{
    memset(message, 0, 256);
    if (op % 16 < SHAPES) {
        const struct shape *shape = &shapes[op % 16];
        size_t left = (size_t)(r->end - r->cur);
        size_t given = shape->size - 8 < left ? shape->size - 8 : left;
        memcpy(message->bytes + 8, sl_reader_take(r, given), given);
        message->head.verb = shape->verb;
        if (shape->verb == LOCAL_HELLO && op < 128) {
            message->hello.magic = LOCAL_MAGIC;
            message->hello.version = LOCAL_VERSION;
        }
        return shape->size;
    }
    const uint8_t *count = sl_reader_take(r, 1);
    size_t left = (size_t)(r->end - r->cur);
    size_t size = count != NULL && *count < left ? *count : left;
    size = size < sizeof message->bytes ? size : sizeof message->bytes;
    if (size != 0) {
        memcpy(message->bytes, sl_reader_take(r, size), size);
    }
    return size;
}

static void one_request(struct local_client *client, struct sl_reader *r, uint32_t op)
{
    struct local_server *server = client->server;
    size_t size = next_request(r, op, &server->message);
    int fds[SL_SOCK_MAX_FDS];
    uint32_t fd_count = 0;
    fds[0] = make_fd(op >> 5 & 3);
    fd_count = fds[0] >= 0;
    struct local_answer answer;
    bool stays = local_execute(client, size, fds, fd_count, &answer);
    if (answer.size < sizeof answer.body.head || answer.size > sizeof answer.body ||
        (answer.body.head.result != SL_OK && answer.fd >= 0)) {
        abort();
    }
    sl_fd_close(&answer.fd);
    if (fd_count != 0) {
        sl_fd_close(&fds[0]);
    }
    if (!stays) {
        client_end(client);
        client_begin(server, client);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stage stage;
    if (stage.server == NULL) {
        set_stage(&stage);
    }
    struct local_client clients[2];
    client_begin(stage.server, &clients[0]);
    client_begin(stage.server, &clients[1]);
    struct sl_reader r = sl_reader_over(data, size);
    for (uint32_t i = 0; i < REQUESTS_MAX && r.cur < r.end; i++) {
        uint32_t op = *sl_reader_take(&r, 1);
        one_request(&clients[op >> 4 & 1], &r, op);
    }
    client_end(&clients[0]);
    client_end(&clients[1]);
    if (echo_live() != 0 || echo_tex_count() != 0 || stage.server->resources.live != 0 ||
        stage.server->contexts != 0 || stage.server->resource_bytes != 0) {
        abort(); /* something outlived its client */
    }
    return 0;
}
