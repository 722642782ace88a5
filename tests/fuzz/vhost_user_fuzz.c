/* A hostile front end: each input is a row of vhost-user messages on the main socket and answers on
 * the other one.
 *
 * The guest's memory holds a ring with a command, so that a queue that gets to run has something to
 * do (vhost_input.h). Whoever is hung up on connects again. */
#include "tests/fuzz/vhost_input.h"
#include "tests/fuzz/vhost_stage.h"
#include "transport/base/bytes.h"
#include "transport/base/fd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 64u
#define FDS_MAX   3u

/* Bytes of a request's payload. */
static const uint8_t sizes[USER_ANSWER] = {
    [VHOST_SET_FEATURES] = 8,          [VHOST_SET_MEM_TABLE] = 72,   [VHOST_SET_VRING_NUM] = 8,
    [VHOST_SET_VRING_ADDR] = 40,       [VHOST_SET_VRING_BASE] = 8,   [VHOST_GET_VRING_BASE] = 8,
    [VHOST_SET_VRING_KICK] = 8,        [VHOST_SET_VRING_CALL] = 8,   [VHOST_SET_VRING_ERR] = 8,
    [VHOST_SET_PROTOCOL_FEATURES] = 8, [VHOST_SET_VRING_ENABLE] = 8, [VHOST_GET_CONFIG] = 32,
    [VHOST_SET_CONFIG] = 32,           [VHOST_GET_INFLIGHT_FD] = 24, [VHOST_SET_INFLIGHT_FD] = 24,
    [VHOST_ADD_MEM_REG] = 40,          [VHOST_REM_MEM_REG] = 40,     [VHOST_SET_STATUS] = 8,
};

/* One command for each queue, at the places that the seeds name. */
static void write_rings(uint8_t *ram)
{
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        uint8_t *at = ram + i * 0x4000;
        struct virtq_desc desc[2] = {
            {.addr = STAGE_GPA + 0x10000, .len = 64, .flags = VIRTQ_DESC_NEXT, .next = 1},
            {.addr = STAGE_GPA + 0x11000, .len = 512, .flags = VIRTQ_DESC_WRITE}};
        const uint16_t avail[3] = {0, 1, 0};
        memcpy(at, desc, sizeof desc);
        memcpy(at + 0x1000, avail, sizeof avail);
    }
    sl_store_u32(ram + 0x10000, VGPU_GET_DISPLAY_INFO);
}

static int make_fd(struct vhost_stage *stage, uint32_t kind)
{
    int fd = -1, ends[2];
    switch (kind) {
    case USER_RAM:
        (void)!sl_fd_dup(stage->ram_fd, &fd);
        break;
    case USER_EVENT:
        (void)!sl_fd_event(&fd);
        break;
    case USER_SOCKET:
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0) {
            sl_fd_close(&stage->back);
            stage->back = ends[0];
            fd = ends[1];
        }
        break;
    case USER_DEVICE:
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        break;
    default:
        break;
    }
    return fd;
}

static void send_one(struct vhost_stage *stage, struct sl_reader *r, uint32_t op)
{
    uint8_t payload[512] = {0};
    const uint8_t *how = sl_reader_take(r, 2);
    uint32_t size = op < USER_ANSWER ? sizes[op] : sl_reader_u32(r) % sizeof payload;
    uint32_t request = op < USER_ANSWER ? op : sl_reader_u32(r) % 64;
    size_t left = (size_t)(r->end - r->cur);
    size_t given = size < left ? size : left;
    if (given != 0) {
        memcpy(payload, sl_reader_take(r, given), given);
    }
    uint32_t count = how != NULL && how[1] != 0 ? 1 + (how[1] >> 4) % FDS_MAX : 0;
    int fds[FDS_MAX] = {-1, -1, -1};
    uint32_t made = 0;
    while (made < count && (fds[made] = make_fd(stage, how[1] & 7)) >= 0) {
        made++;
    }
    vhost_stage_send(stage, request, how != NULL ? how[0] & 12 : 0, payload, size, fds, made);
    while (made != 0) {
        sl_fd_close(&fds[--made]);
    }
}

static void answer_one(const struct vhost_stage *stage, struct sl_reader *r)
{
    struct vhost_head head;
    struct vhost_shmem_map map;
    const uint8_t *how = sl_reader_take(r, 1);
    bool asked = vhost_stage_asked(stage, &head, &map);
    if (stage->back >= 0 && how != NULL && (asked || *how > 128)) {
        vhost_stage_answer(stage, asked ? head.request : *how & 15, *how & 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vhost_stage *stage = vhost_stage_get();
    vhost_stage_enter(stage);
    write_rings(stage->ram);
    struct sl_reader r = sl_reader_over(data, size);
    for (uint32_t i = 0; i < STEPS_MAX && r.cur < r.end; i++) {
        uint32_t op = *sl_reader_take(&r, 1) % USER_OPS;
        if (op == USER_ANSWER) {
            answer_one(stage, &r);
        } else {
            send_one(stage, &r, op);
        }
        if (!vhost_stage_turn(stage)) {
            vhost_stage_leave(stage);
            vhost_stage_enter(stage);
            write_rings(stage->ram);
        }
    }
    vhost_stage_leave(stage);
    return 0;
}
