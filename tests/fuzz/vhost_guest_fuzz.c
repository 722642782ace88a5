/* A hostile guest: each input is a row of commands, bare descriptor chains, writes to the rings and
 * answers to map requests, over a device that is set up as it should be (vhost_input.h). */
#include "tests/fuzz/vhost_input.h"
#include "tests/fuzz/vhost_stage.h"
#include "transport/base/bytes.h"
#include "transport/base/fd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX  64u
#define QUEUE_SIZE 32u
#define BODY_MAX   1024u
/* Places in RAM. */
#define RING_STRIDE 0x4000u
#define AVAIL_AT    0x1000u
#define USED_AT     0x2000u
#define TABLE_AT    0x10000u /* of indirect descriptors */
#define REQUEST_AT  0x18000u /* a slot for each head */
#define SLOT        0x1000u

static const uint32_t rooms[] = {24, 0, 23, 32, 40, 48, 408, 1088, 2048};
#define ROOMS (sizeof rooms / sizeof rooms[0])

struct driver {
    struct vhost_stage *stage;
    uint16_t avail[VGPU_QUEUES];
    uint64_t fence;
    uint32_t commands;
};

static uint32_t type_of(uint8_t place)
{
    if (place < 14) {
        return 0x100u + place;
    }
    return place < 24 ? 0x200u + place - 14 : place < 26 ? 0x300u + place - 24 : place * 257u;
}

static bool start_queue(struct driver *d, uint32_t index, uint16_t base)
{
    struct vhost_stage *stage = d->stage;
    struct vhost_vring_state num = {index, QUEUE_SIZE}, at = {index, base}, on = {index, 1};
    uint64_t user = STAGE_USER + index * RING_STRIDE, word = index;
    struct vhost_vring_addr addr = {
        .index = index, .desc = user, .avail = user + AVAIL_AT, .used = user + USED_AT};
    int event = -1;
    if (sl_fd_event(&event) != SL_OK) {
        return false;
    }
    vhost_stage_send(stage, VHOST_SET_VRING_NUM, 0, &num, sizeof num, NULL, 0);
    vhost_stage_send(stage, VHOST_SET_VRING_BASE, 0, &at, sizeof at, NULL, 0);
    vhost_stage_send(stage, VHOST_SET_VRING_ADDR, 0, &addr, sizeof addr, NULL, 0);
    vhost_stage_send(stage, VHOST_SET_VRING_ERR, 0, &word, sizeof word, &event, 1);
    vhost_stage_send(stage, VHOST_SET_VRING_CALL, 0, &word, sizeof word, &event, 1);
    vhost_stage_send(stage, VHOST_SET_VRING_KICK, 0, &word, sizeof word, &event, 1);
    vhost_stage_send(stage, VHOST_SET_VRING_ENABLE, 0, &on, sizeof on, NULL, 0);
    sl_fd_close(&event);
    d->avail[index] = base;
    return vhost_stage_turn(stage);
}

static bool start(struct driver *d)
{
    struct vhost_stage *stage = d->stage;
    int ends[2];
    uint64_t protocol = VHOST_PROTOCOL_REPLY_ACK | VHOST_PROTOCOL_BACKEND_REQ |
                        VHOST_PROTOCOL_BACKEND_FD | VHOST_PROTOCOL_CONFIG |
                        VHOST_PROTOCOL_MEM_SLOTS | VHOST_PROTOCOL_RESET_DEVICE |
                        VHOST_PROTOCOL_SHMEM;
    uint64_t features = vhost_features(stage->server);
    struct vhost_mem_region ram = {
        .region = {.gpa = STAGE_GPA, .size = STAGE_RAM, .user = STAGE_USER}};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        return false;
    }
    stage->back = ends[0];
    vhost_stage_send(stage, VHOST_SET_PROTOCOL_FEATURES, 0, &protocol, 8, NULL, 0);
    vhost_stage_send(stage, VHOST_SET_BACKEND_REQ_FD, 0, NULL, 0, &ends[1], 1);
    vhost_stage_send(stage, VHOST_SET_FEATURES, 0, &features, 8, NULL, 0);
    vhost_stage_send(stage, VHOST_ADD_MEM_REG, 0, &ram, sizeof ram, &stage->ram_fd, 1);
    sl_fd_close(&ends[1]);
    return vhost_stage_turn(stage) && start_queue(d, 0, 0) && start_queue(d, 1, 0);
}

static void offer(struct driver *d, uint32_t queue, uint16_t head)
{
    uint8_t *avail = d->stage->ram + queue * RING_STRIDE + AVAIL_AT;
    sl_store_u16(avail + 4 + d->avail[queue]++ % QUEUE_SIZE * 2, head);
    sl_store_u16(avail + 2, d->avail[queue]);
}

/* The request at `at`, `size` bytes, and `room` bytes behind it, as a table; its descriptors. */
static uint32_t make_table(struct virtq_desc *table, uint64_t at, uint32_t size, uint32_t room,
                           uint32_t piece)
{
    uint32_t count = 0;
    for (uint32_t done = 0; done < size + room; count++) {
        uint32_t left = done < size ? size - done : size + room - done;
        table[count] = (struct virtq_desc){
            .addr = at + done,
            .len = left < piece ? left : piece,
            .flags = done < size ? VIRTQ_DESC_NEXT : VIRTQ_DESC_NEXT | VIRTQ_DESC_WRITE,
            .next = (uint16_t)(count + 1)};
        done += table[count].len;
    }
    table[count - 1].flags &= (uint16_t)~VIRTQ_DESC_NEXT;
    return count;
}

static void command(struct driver *d, struct sl_reader *r)
{
    const uint8_t *how = sl_reader_take(r, 6);
    if (how == NULL) {
        return;
    }
    size_t left = (size_t)(r->end - r->cur);
    uint32_t body = sl_load_u16(how + 4) % BODY_MAX;
    body = body < left ? body : (uint32_t)left;
    uint32_t queue = (how[1] & GUEST_CURSOR) != 0 ? VGPU_QUEUE_CURSOR : VGPU_QUEUE_CONTROL;
    uint16_t head = (uint16_t)(d->commands++ % (QUEUE_SIZE / 2) * 2);
    uint32_t slot = REQUEST_AT + head / 2u * SLOT;
    struct vgpu_head request = {.type = type_of(how[0]), .ctx_id = how[3]};
    if ((how[1] & GUEST_FENCE) != 0) {
        request.flags =
            VGPU_FLAG_FENCE | ((how[1] & GUEST_RING) != 0 ? VGPU_FLAG_INFO_RING_IDX : 0);
        request.ring_idx = (how[1] & GUEST_RING) != 0;
        d->fence += (how[1] & GUEST_OLD_FENCE) == 0;
        request.fence_id = d->fence;
    }
    uint8_t *at = d->stage->ram + slot;
    memcpy(at, &request, sizeof request);
    if (body != 0) {
        memcpy(at + sizeof request, sl_reader_take(r, body), body);
    }
    uint32_t size = sizeof request + body;
    uint32_t room = rooms[how[2] % ROOMS];
    struct virtq_desc *ring = (void *)(d->stage->ram + queue * RING_STRIDE);
    if ((how[1] & GUEST_INDIRECT) != 0) {
        struct virtq_desc *table = (void *)(d->stage->ram + TABLE_AT);
        uint32_t count = make_table(table, STAGE_GPA + slot, size, room,
                                    (how[1] & GUEST_PIECES) != 0 ? 8 : 2048);
        ring[head] = (struct virtq_desc){.addr = STAGE_GPA + TABLE_AT,
                                         .len = count * (uint32_t)sizeof *table,
                                         .flags = VIRTQ_DESC_INDIRECT};
    } else {
        struct virtq_desc pair[4];
        uint32_t count = make_table(pair, STAGE_GPA + slot, size, room, 2048);
        for (uint32_t i = 0; i < count && i < 2; i++) {
            pair[i].next = (uint16_t)(head + 1);
            ring[head + i] = pair[i];
        }
    }
    offer(d, queue, head);
}

static void chain(struct driver *d, struct sl_reader *r)
{
    const uint8_t *how = sl_reader_take(r, 3);
    if (how == NULL) {
        return;
    }
    uint32_t queue = how[0] % VGPU_QUEUES;
    struct virtq_desc *ring = (void *)(d->stage->ram + queue * RING_STRIDE);
    for (uint32_t i = 0; i < how[2] % QUEUE_SIZE; i++) {
        const uint8_t *words = sl_reader_take(r, 12);
        if (words == NULL) {
            break;
        }
        ring[(how[1] + i) % QUEUE_SIZE] =
            (struct virtq_desc){.addr = STAGE_GPA + sl_load_u32(words),
                                .len = sl_load_u32(words + 4),
                                .flags = sl_load_u16(words + 8),
                                .next = sl_load_u16(words + 10)};
    }
    offer(d, queue, how[1]);
}

static void poke(const struct driver *d, struct sl_reader *r)
{
    uint32_t offset = sl_reader_u32(r) % (uint32_t)STAGE_RAM;
    const uint8_t *count = sl_reader_take(r, 1);
    const uint8_t *bytes = count != NULL ? sl_reader_take(r, *count) : NULL;
    if (bytes != NULL && offset + *count <= STAGE_RAM) {
        memcpy(d->stage->ram + offset, bytes, *count);
    }
}

/* As QEMU does it: the answer, then the window as memory, with a file of its own here. */
static void answer(const struct driver *d, struct sl_reader *r)
{
    struct vhost_head head;
    struct vhost_shmem_map map;
    const uint8_t *no = sl_reader_take(r, 1);
    if (no != NULL && vhost_stage_asked(d->stage, &head, &map)) {
        vhost_stage_answer(d->stage, head.request, *no & 1);
    }
}

static bool restart(struct driver *d, bool anew)
{
    if (anew) {
        memset(d->stage->ram, 0, VGPU_QUEUES * RING_STRIDE);
        vhost_stage_send(d->stage, VHOST_RESET_DEVICE, 0, NULL, 0, NULL, 0);
        d->fence = 0;
    }
    for (uint32_t i = 0; i < VGPU_QUEUES && !anew; i++) {
        struct vhost_vring_state state = {.index = i};
        vhost_stage_send(d->stage, VHOST_GET_VRING_BASE, 0, &state, sizeof state, NULL, 0);
    }
    return start_queue(d, 0, anew ? 0 : d->avail[0]) && start_queue(d, 1, anew ? 0 : d->avail[1]);
}

/* False: the server hung up. */
static bool step(struct driver *d, struct sl_reader *r)
{
    uint32_t op = *sl_reader_take(r, 1) % GUEST_OPS;
    switch (op) {
    case GUEST_COMMAND:
        command(d, r);
        break;
    case GUEST_CHAIN:
        chain(d, r);
        break;
    case GUEST_POKE:
        poke(d, r);
        break;
    case GUEST_ANSWER:
        answer(d, r);
        break;
    case GUEST_JUMP: {
        const uint8_t *words = sl_reader_take(r, 3);
        if (words != NULL) {
            d->avail[words[0] % VGPU_QUEUES] += sl_load_u16(words + 1);
            offer(d, words[0] % VGPU_QUEUES, 0);
        }
        break;
    }
    default:
        return restart(d, op == GUEST_RESET);
    }
    return vhost_stage_turn(d->stage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct driver d = {.stage = vhost_stage_get()};
    vhost_stage_enter(d.stage);
    if (!start(&d)) {
        abort(); /* what behaves is served */
    }
    struct sl_reader r = sl_reader_over(data, size);
    for (uint32_t i = 0; i < STEPS_MAX && r.cur < r.end && step(&d, &r); i++) {
    }
    vhost_stage_leave(d.stage);
    return 0;
}
