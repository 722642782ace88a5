/* Writes the seeds of vhost_user_fuzz and vhost_guest_fuzz: FOLDER/vhost_user/<n> and
 * FOLDER/vhost_guest/<n>, a walk through everything that a front end or a driver does, and cuts of
 * it. The same bytes each time. */
#include "tests/fuzz/vhost_input.h"
#include "tests/support/echo_type.h"
#include "transport/base/bytes.h"
#include "transport/vhost/vgpu_wire.h"
#include "transport/vhost/vhost_wire.h"
#include "transport/virtgpu/proto.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STEPS_MAX 64

struct walk {
    uint8_t bytes[8192];
    size_t size;
    size_t begins[STEPS_MAX]; /* of its steps */
    int steps;
};

static void put(struct walk *w, const void *bytes, size_t size)
{
    if (size != 0) {
        memcpy(w->bytes + w->size, bytes, size);
    }
    w->size += size;
}

static void begin(struct walk *w, uint8_t op)
{
    w->begins[w->steps++] = w->size;
    put(w, &op, 1);
}

static const struct vgpu_head bare; /* a request that is a header alone */

/* q: a whole request, whose header goes by itself. */
static void command(struct walk *w, uint32_t type, uint8_t how, uint8_t room, uint8_t ctx_id,
                    const void *q, size_t size)
{
    uint8_t place = (uint8_t)(type < 0x200   ? type - 0x100
                              : type < 0x300 ? type - 0x200 + 14
                                             : type - 0x300 + 24);
    size_t body = size - sizeof(struct vgpu_head);
    uint8_t head[6] = {place, how, room, ctx_id};
    sl_store_u16(head + 4, (uint16_t)body);
    begin(w, GUEST_COMMAND);
    put(w, head, sizeof head);
    put(w, (const uint8_t *)q + sizeof(struct vgpu_head), body);
}
#define COMMAND(w, type, how, room, ctx_id, ...)                                                   \
    command(w, type, how, room, ctx_id, &(__VA_ARGS__), sizeof(__VA_ARGS__))

static void answer(struct walk *w, uint8_t op)
{
    const uint8_t yes = 0;
    begin(w, op);
    put(w, &yes, 1);
}

/* ---- the guest ---- */

static void displays_and_pictures(struct walk *w)
{
    struct {
        struct vgpu_attach_backing q;
        struct vgpu_entry entries[2];
    } attach = {
        .q = {.resource_id = 1, .entry_count = 2},
        .entries = {{.addr = 0x40030000, .length = 513}, {.addr = 0x40032000, .length = 511}}};
    command(w, VGPU_GET_DISPLAY_INFO, 0, 6, 0, &bare, sizeof bare);
    COMMAND(w, VGPU_GET_EDID, GUEST_INDIRECT, 7, 0, (struct vgpu_id){.id = 1});
    COMMAND(w, VGPU_RESOURCE_CREATE_2D, 0, 0, 0,
            (struct vgpu_create_2d){
                .resource_id = 1, .format = VIRTGPU_FORMAT_B8G8R8X8, .width = 16, .height = 16});
    command(w, VGPU_RESOURCE_ATTACH_BACKING, GUEST_INDIRECT | GUEST_PIECES, 0, 0, &attach,
            sizeof attach);
    COMMAND(w, VGPU_TRANSFER_TO_HOST_2D, 0, 0, 0,
            (struct vgpu_transfer_2d){.rect = {0, 0, 16, 16}, .resource_id = 1});
    COMMAND(w, VGPU_SET_SCANOUT, 0, 0, 0,
            (struct vgpu_set_scanout){.rect = {0, 0, 16, 16}, .resource_id = 1});
    COMMAND(w, VGPU_RESOURCE_FLUSH, GUEST_FENCE, 0, 0,
            (struct vgpu_flush){.rect = {0, 0, 16, 16}, .resource_id = 1});
    COMMAND(w, VGPU_UPDATE_CURSOR, GUEST_CURSOR, 1, 0,
            (struct vgpu_cursor){.x = 3, .y = 4, .resource_id = 1});
    COMMAND(w, VGPU_MOVE_CURSOR, GUEST_CURSOR, 0, 0, (struct vgpu_cursor){.x = 5});
    COMMAND(w, VGPU_RESOURCE_ASSIGN_UUID, 0, 4, 0, (struct vgpu_id){.id = 1});
    COMMAND(w, VGPU_RESOURCE_DETACH_BACKING, 0, 0, 0, (struct vgpu_id){.id = 1});
    COMMAND(w, VGPU_RESOURCE_UNREF, 0, 0, 0, (struct vgpu_id){.id = 1});
}

static void contexts_and_blobs(struct walk *w)
{
    struct {
        struct vgpu_submit q;
        struct echo_command commands[2];
    } submit = {.q = {.size = 40}, .commands = {{ECHO_FILL, 2, 0, 16, 7}, {ECHO_TASK, 1, 0, 0, 0}}};
    struct {
        struct vgpu_create_blob q;
        struct vgpu_entry entry;
    } pages = {.q = {.resource_id = 3,
                     .blob_mem = VIRTGPU_BLOB_GUEST,
                     .blob_flags = VIRTGPU_BLOB_SHAREABLE,
                     .entry_count = 1,
                     .size = 4096},
               .entry = {.addr = 0x40034000, .length = 4096}};
    COMMAND(w, VGPU_GET_CAPSET_INFO, 0, 4, 0, (struct vgpu_id){.id = 0});
    COMMAND(w, VGPU_GET_CAPSET, 0, 8, 0,
            (struct vgpu_get_capset){.capset_id = ECHO_CAPSET, .version = 1});
    COMMAND(w, VGPU_CTX_CREATE, 0, 0, 1,
            (struct vgpu_ctx_create){.name_size = 4, .context_init = ECHO_CAPSET, .name = "fuzz"});
    COMMAND(w, VGPU_RESOURCE_CREATE_BLOB, 0, 0, 1,
            (struct vgpu_create_blob){.resource_id = 2,
                                      .blob_mem = VIRTGPU_BLOB_HOST3D,
                                      .blob_flags = VIRTGPU_BLOB_MAPPABLE,
                                      .size = 8192});
    command(w, VGPU_RESOURCE_CREATE_BLOB, 0, 0, 0, &pages, sizeof pages);
    COMMAND(w, VGPU_RESOURCE_MAP_BLOB, 0, 3, 0,
            (struct vgpu_map_blob){.resource_id = 2, .offset = 0x10000});
    answer(w, GUEST_ANSWER);
    COMMAND(w, VGPU_CTX_ATTACH_RESOURCE, 0, 0, 1, (struct vgpu_id){.id = 2});
    command(w, VGPU_SUBMIT_3D, GUEST_FENCE | GUEST_RING, 0, 1, &submit, sizeof submit);
    COMMAND(w, VGPU_RESOURCE_CREATE_3D, 0, 0, 0,
            (struct vgpu_create_3d){.resource_id = 4,
                                    .target = VIRTGPU_TARGET_2D,
                                    .format = VIRTGPU_FORMAT_R8G8B8A8,
                                    .width = 8,
                                    .height = 8,
                                    .depth = 1,
                                    .array_size = 1});
    COMMAND(w, VGPU_TRANSFER_FROM_HOST_3D, 0, 0, 1,
            (struct vgpu_transfer_3d){.width = 8, .height = 8, .depth = 1, .resource_id = 4});
    COMMAND(w, VGPU_SET_SCANOUT_BLOB, 0, 0, 0,
            (struct vgpu_set_scanout_blob){.rect = {0, 0, 8, 8},
                                           .resource_id = 3,
                                           .width = 8,
                                           .height = 8,
                                           .format = VIRTGPU_FORMAT_B8G8R8X8,
                                           .strides = {32}});
    COMMAND(w, VGPU_RESOURCE_UNMAP_BLOB, 0, 0, 0, (struct vgpu_id){.id = 2});
    answer(w, GUEST_ANSWER);
    begin(w, GUEST_PAUSE);
    COMMAND(w, VGPU_CTX_DETACH_RESOURCE, 0, 0, 1, (struct vgpu_id){.id = 2});
    command(w, VGPU_CTX_DESTROY, 0, 0, 1, &bare, sizeof bare);
    begin(w, GUEST_RESET);
}

/* ---- the front end ---- */

static void message(struct walk *w, uint8_t request, uint8_t fds, const void *payload, size_t size)
{
    const uint8_t how[2] = {VHOST_FLAG_NEED_REPLY, fds};
    begin(w, request);
    put(w, how, sizeof how);
    put(w, payload, size);
}
#define MESSAGE(w, request, fds, ...) message(w, request, fds, &(__VA_ARGS__), sizeof(__VA_ARGS__))

#define GPA  0x40000000ull
#define USER 0x7f0000000000ull
#define SIZE 0x40000u

static void queue(struct walk *w, uint32_t index)
{
    uint64_t user = USER + index * 0x4000u, word = index;
    MESSAGE(w, VHOST_SET_VRING_NUM, USER_NONE, (struct vhost_vring_state){index, 32});
    MESSAGE(w, VHOST_SET_VRING_BASE, USER_NONE, (struct vhost_vring_state){index, 0});
    MESSAGE(w, VHOST_SET_VRING_ADDR, USER_NONE,
            (struct vhost_vring_addr){
                .index = index, .desc = user, .avail = user + 0x1000, .used = user + 0x2000});
    message(w, VHOST_SET_VRING_ERR, USER_EVENT, &word, sizeof word);
    message(w, VHOST_SET_VRING_CALL, USER_EVENT, &word, sizeof word);
    message(w, VHOST_SET_VRING_KICK, USER_EVENT, &word, sizeof word);
    MESSAGE(w, VHOST_SET_VRING_ENABLE, USER_NONE, (struct vhost_vring_state){index, 1});
}

static void front_end(struct walk *w)
{
    const uint64_t features = VIRTIO_F_VERSION_1 | VIRTIO_RING_F_INDIRECT |
                              VIRTIO_RING_F_EVENT_IDX | VHOST_F_PROTOCOL_FEATURES;
    const uint64_t protocol = VHOST_PROTOCOL_REPLY_ACK | VHOST_PROTOCOL_BACKEND_REQ |
                              VHOST_PROTOCOL_CONFIG | VHOST_PROTOCOL_INFLIGHT_SHMFD |
                              VHOST_PROTOCOL_MEM_SLOTS | VHOST_PROTOCOL_SHMEM;
    const uint64_t status = VIRTIO_STATUS_DRIVER_OK;
    const struct vhost_region ram = {.gpa = GPA, .size = SIZE, .user = USER};
    const uint8_t config[32] = {0, 0, 0, 0, 20};
    const struct {
        uint32_t count, padding;
        struct vhost_region regions[2];
    } table = {.count = 1, .regions = {ram}};
    static const uint8_t plain[] = {
        VHOST_GET_FEATURES,      VHOST_GET_PROTOCOL_FEATURES, VHOST_GET_QUEUE_NUM, VHOST_SET_OWNER,
        VHOST_GET_MAX_MEM_SLOTS, VHOST_GET_SHMEM_CONFIG,      VHOST_GET_STATUS,
    };
    for (size_t i = 0; i < sizeof plain; i++) {
        message(w, plain[i], USER_NONE, NULL, 0);
    }
    message(w, VHOST_SET_PROTOCOL_FEATURES, USER_NONE, &protocol, sizeof protocol);
    message(w, VHOST_SET_BACKEND_REQ_FD, USER_SOCKET, NULL, 0);
    message(w, VHOST_GET_CONFIG, USER_NONE, config, sizeof config);
    message(w, VHOST_SET_CONFIG, USER_NONE, config, sizeof config);
    message(w, VHOST_SET_FEATURES, USER_NONE, &features, sizeof features);
    message(w, VHOST_SET_STATUS, USER_NONE, &status, sizeof status);
    MESSAGE(w, VHOST_GET_INFLIGHT_FD, USER_NONE,
            (struct vhost_inflight){.queue_count = 2, .queue_size = 32});
    MESSAGE(w, VHOST_SET_INFLIGHT_FD, USER_RAM,
            (struct vhost_inflight){.mmap_size = 4096, .queue_count = 2, .queue_size = 32});
    MESSAGE(w, VHOST_ADD_MEM_REG, USER_RAM, (struct vhost_mem_region){.region = ram});
    queue(w, 0);
    queue(w, 1);
    MESSAGE(w, VHOST_GET_VRING_BASE, USER_NONE, (struct vhost_vring_state){0, 0});
    MESSAGE(w, VHOST_GET_VRING_BASE, USER_NONE, (struct vhost_vring_state){1, 0});
    MESSAGE(w, VHOST_REM_MEM_REG, USER_NONE, (struct vhost_mem_region){.region = ram});
    message(w, VHOST_SET_MEM_TABLE, USER_RAM, &table, sizeof table);
    queue(w, 0);
    message(w, VHOST_RESET_DEVICE, USER_NONE, NULL, 0);
    answer(w, USER_ANSWER);
}

/* ---- files ---- */

static bool made(const char *folder)
{
    bool there = mkdir(folder, 0777) == 0 || errno == EEXIST;
    if (!there) {
        fprintf(stderr, "vhost_seeds: %s: %s\n", folder, strerror(errno));
    }
    return there;
}

static bool write_seed(const char *folder, int number, const uint8_t *bytes, size_t size)
{
    char path[4300];
    snprintf(path, sizeof path, "%s/%02d", folder, number);
    FILE *file = fopen(path, "wb");
    bool done = file != NULL && fwrite(bytes, 1, size, file) == size;
    done = file != NULL && fclose(file) == 0 && done;
    if (!done) {
        fprintf(stderr, "vhost_seeds: %s: %s\n", path, strerror(errno));
    }
    return done;
}

/* All of it, then what leads to a step or follows it. */
static bool write_walk(const char *root, const char *name, const struct walk *w)
{
    char folder[4200];
    snprintf(folder, sizeof folder, "%s/%s", root, name);
    bool ok = made(folder) && write_seed(folder, 0, w->bytes, w->size);
    for (int i = 1; i < w->steps && ok; i++) {
        size_t at = w->begins[i];
        ok = i % 2 == 0 ? write_seed(folder, i, w->bytes, at)
                        : write_seed(folder, i, w->bytes + at, w->size - at);
    }
    return ok;
}

int main(int count, char **words)
{
    struct walk user = {.size = 0}, guest = {.size = 0};
    if (count != 2) {
        fputs("usage: vhost_seeds FOLDER\n", stderr);
        return 2;
    }
    front_end(&user);
    displays_and_pictures(&guest);
    contexts_and_blobs(&guest);
    return made(words[1]) && write_walk(words[1], "vhost_user", &user) &&
                   write_walk(words[1], "vhost_guest", &guest)
               ? 0
               : 1;
}
