#include "tests/support/vguest.h"

#include "tests/support/vhost_message.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/sock.h"
#include "transport/virtgpu/proto.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- the sockets ---- */

static bool readable(int fd, uint32_t ms)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    return poll(&item, 1, (int)ms) == 1;
}

/* Exactly size bytes; the first descriptor that comes along goes to *fd. */
static bool receive(int from, void *to, size_t size, int *fd)
{
    uint8_t *at = to;
    while (size != 0) {
        bool wanted = fd != NULL && *fd < 0; /* what is not is closed */
        struct sl_sock_part part = {.data = at, .capacity = size, .fds = fd, .room = wanted};
        if (!readable(from, VGUEST_PATIENCE_MS) || sl_sock_recv_some(from, 0, &part) != SL_OK ||
            part.size == 0) {
            return false;
        }
        at += part.size;
        size -= part.size;
    }
    return true;
}

bool vguest_send(struct vguest *g, uint32_t request, uint32_t flags, const void *payload,
                 uint32_t size, const int *fds, uint32_t fd_count)
{
    return vhost_message_send(g->front, request, flags, payload, size, fds, fd_count);
}

size_t vguest_recv(struct vguest *g, void *payload, size_t capacity, int *fd)
{
    struct vhost_head head;
    uint8_t bytes[4096];
    if (fd != NULL) {
        *fd = -1;
    }
    if (!receive(g->front, &head, sizeof head, fd) || head.size > sizeof bytes ||
        (head.flags & VHOST_FLAG_REPLY) == 0 || !receive(g->front, bytes, head.size, fd)) {
        return SIZE_MAX;
    }
    memcpy(payload, bytes, head.size < capacity ? head.size : capacity);
    return head.size;
}

uint64_t vguest_ask(struct vguest *g, uint32_t request, const void *payload, uint32_t size,
                    const int *fds, uint32_t fd_count)
{
    uint64_t answer;
    if (g->protocol != 0 && (g->protocol & VHOST_PROTOCOL_REPLY_ACK) == 0) {
        return vguest_send(g, request, 0, payload, size, fds, fd_count) ? 0 : UINT64_MAX;
    }
    if (!vguest_send(g, request, VHOST_FLAG_NEED_REPLY, payload, size, fds, fd_count) ||
        vguest_recv(g, &answer, sizeof answer, NULL) != sizeof answer) {
        return UINT64_MAX;
    }
    return answer;
}

uint64_t vguest_ask_u64(struct vguest *g, uint32_t request)
{
    uint64_t answer;
    return vguest_send(g, request, 0, NULL, 0, NULL, 0) &&
                   vguest_recv(g, &answer, sizeof answer, NULL) == sizeof answer
               ? answer
               : UINT64_MAX;
}

bool vguest_answer_back(struct vguest *g, const void *bytes, size_t size)
{
    return send(g->back, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

bool vguest_is_cut_off(struct vguest *g)
{
    char byte;
    uint64_t end = sl_clock_ns() + VGUEST_PATIENCE_MS * SL_NS_PER_MS;
    while (sl_clock_ns() < end) {
        if (readable(g->front, VGUEST_PATIENCE_MS) && recv(g->front, &byte, 1, MSG_DONTWAIT) <= 0) {
            return true;
        }
    }
    return false;
}

/* ---- starting ---- */

bool vguest_connect(struct vguest *g, const char *path)
{
    *g = (struct vguest){.front = -1, .back = -1, .ram_fd = -1};
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        g->queues[i].kick = g->queues[i].call = g->queues[i].err = -1;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    g->front = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g->ram_fd = memfd_create("vguest-ram", MFD_CLOEXEC);
    if (g->front < 0 || g->ram_fd < 0 || ftruncate(g->ram_fd, (off_t)VGUEST_RAM) != 0 ||
        connect(g->front, (struct sockaddr *)&address, sizeof address) != 0) {
        return false;
    }
    void *ram = mmap(NULL, VGUEST_RAM, PROT_READ | PROT_WRITE, MAP_SHARED, g->ram_fd, 0);
    g->ram = ram != MAP_FAILED ? ram : NULL;
    return g->ram != NULL;
}

bool vguest_negotiate(struct vguest *g, uint64_t without)
{
    int pair[2];
    g->features = vguest_ask_u64(g, VHOST_GET_FEATURES);
    if (g->features == UINT64_MAX) {
        return false;
    }
    g->features &= ~g->features_without;
    g->protocol = vguest_ask_u64(g, VHOST_GET_PROTOCOL_FEATURES) & ~without;
    if (!vguest_send(g, VHOST_SET_PROTOCOL_FEATURES, 0, &g->protocol, 8, NULL, 0) ||
        vguest_ask_u64(g, VHOST_GET_QUEUE_NUM) != VGPU_QUEUES) {
        return false;
    }
    if ((g->protocol & VHOST_PROTOCOL_BACKEND_REQ) != 0) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
            return false;
        }
        g->back = pair[0];
        uint64_t answer = vguest_ask(g, VHOST_SET_BACKEND_REQ_FD, NULL, 0, &pair[1], 1);
        close(pair[1]);
        if (answer != 0) {
            return false;
        }
    }
    return vguest_send(g, VHOST_SET_OWNER, 0, NULL, 0, NULL, 0) &&
           vguest_ask(g, VHOST_SET_FEATURES, &g->features, 8, NULL, 0) == 0;
}

bool vguest_share_ram(struct vguest *g)
{
    struct vhost_region region = {.gpa = VGUEST_GPA, .size = VGUEST_RAM, .user = VGUEST_USER};
    if ((g->protocol & VHOST_PROTOCOL_MEM_SLOTS) != 0) {
        struct vhost_mem_region message = {.region = region};
        return vguest_ask(g, VHOST_ADD_MEM_REG, &message, sizeof message, &g->ram_fd, 1) == 0;
    }
    struct vhost_mem_table table = {.count = 1, .regions = {region}};
    return vguest_ask(g, VHOST_SET_MEM_TABLE, &table, 8 + sizeof region, &g->ram_fd, 1) == 0;
}

/* Hands an event descriptor over, making it when it is not there. */
static bool give_event(struct vguest *g, uint32_t request, uint32_t queue, int *fd)
{
    uint64_t index = queue;
    if (request == VHOST_SET_VRING_KICK && g->polled) {
        index |= VHOST_VRING_NO_FD;
        return vguest_ask(g, request, &index, 8, NULL, 0) == 0;
    }
    if (*fd < 0 && sl_fd_event(fd) != SL_OK) {
        return false;
    }
    return vguest_ask(g, request, &index, 8, fd, 1) == 0;
}

bool vguest_start_queue(struct vguest *g, uint32_t queue, uint16_t base)
{
    struct vguest_queue *q = &g->queues[queue];
    q->offset = queue * 0x4000;
    q->desc = (void *)(g->ram + q->offset);
    q->avail = (void *)(g->ram + q->offset + 0x1000);
    q->used = (void *)(g->ram + q->offset + 0x2000);
    if (base == 0) {
        memset(g->ram + q->offset, 0, 0x4000);
        q->next_avail = q->last_used = 0;
        memset(q->done, 0, sizeof q->done);
    }
    struct vhost_vring_state num = {queue, VGUEST_QUEUE_SIZE}, at = {queue, base}, on = {queue, 1};
    struct vhost_vring_addr addr = {.index = queue,
                                    .desc = VGUEST_USER + q->offset,
                                    .avail = VGUEST_USER + q->offset + 0x1000,
                                    .used = VGUEST_USER + q->offset + 0x2000};
    return vguest_ask(g, VHOST_SET_VRING_NUM, &num, sizeof num, NULL, 0) == 0 &&
           vguest_ask(g, VHOST_SET_VRING_BASE, &at, sizeof at, NULL, 0) == 0 &&
           vguest_ask(g, VHOST_SET_VRING_ADDR, &addr, sizeof addr, NULL, 0) == 0 &&
           give_event(g, VHOST_SET_VRING_ERR, queue, &q->err) &&
           give_event(g, VHOST_SET_VRING_CALL, queue, &q->call) &&
           give_event(g, VHOST_SET_VRING_KICK, queue, &q->kick) &&
           vguest_ask(g, VHOST_SET_VRING_ENABLE, &on, sizeof on, NULL, 0) == 0;
}

bool vguest_start(struct vguest *g, const char *path, uint64_t without)
{
    return vguest_connect(g, path) && vguest_negotiate(g, without) && vguest_share_ram(g) &&
           vguest_start_queue(g, 0, 0) && vguest_start_queue(g, 1, 0);
}

bool vguest_start_soon(struct vguest *g, const char *path, uint64_t without)
{
    uint64_t end = sl_clock_ns() + VGUEST_PATIENCE_MS * SL_NS_PER_MS;
    vguest_stop(g);
    while (!vguest_start(g, path, without)) {
        vguest_stop(g);
        if (sl_clock_ns() >= end) {
            return false;
        }
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    return true;
}

void vguest_stop(struct vguest *g)
{
    if (g->ram_fd == 0) {
        return; /* never started */
    }
    for (uint32_t i = 0; i < VGUEST_MAPS; i++) {
        if (g->maps[i].at != NULL) {
            munmap(g->maps[i].at, g->maps[i].size);
        }
    }
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        sl_fd_close(&g->queues[i].kick);
        sl_fd_close(&g->queues[i].call);
        sl_fd_close(&g->queues[i].err);
    }
    sl_fd_close(&g->front);
    sl_fd_close(&g->back);
    sl_fd_close(&g->ram_fd);
    if (g->ram != NULL) {
        munmap(g->ram, VGUEST_RAM);
    }
    *g = (struct vguest){0};
}

/* ---- what the device asks ---- */

static uint64_t map_request(struct vguest *g, const struct vhost_shmem_map *map, int fd,
                            struct vguest_map **out)
{
    if (g->refuse_maps || fd < 0 || map->shmid != VGPU_SHM_HOST_VISIBLE ||
        map->flags != VHOST_SHMEM_WRITABLE) {
        return 1;
    }
    for (uint32_t i = 0; i < VGUEST_MAPS; i++) {
        struct vguest_map *m = &g->maps[i];
        if (m->at == NULL) {
            void *at = mmap(NULL, map->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
                            (off_t)map->fd_offset);
            if (at == MAP_FAILED) {
                return 1;
            }
            *m = (struct vguest_map){.offset = map->shm_offset, .size = map->size, .at = at};
            *out = m;
            return 0;
        }
    }
    return 1;
}

static uint64_t unmap_request(struct vguest *g, const struct vhost_shmem_map *map)
{
    for (uint32_t i = 0; i < VGUEST_MAPS; i++) {
        struct vguest_map *m = &g->maps[i];
        if (m->at != NULL && m->offset == map->shm_offset && m->size == map->size) {
            munmap(m->at, m->size);
            m->at = NULL;
            return 0;
        }
    }
    return 1;
}

/* QEMU's way: the answer first, then the region as memory, waited for. */
static void announce(struct vguest *g, uint64_t offset, uint64_t size, uint32_t request, int fd)
{
    if ((g->protocol & VHOST_PROTOCOL_MEM_SLOTS) == 0) {
        return;
    }
    struct vhost_mem_region message = {.region = {.gpa = VGUEST_WINDOW_GPA + offset,
                                                  .size = size,
                                                  .user = VGUEST_USER + 0x100000000ull + offset}};
    (void)vguest_ask(g, request, &message, sizeof message, &fd, fd >= 0);
}

bool vguest_restart(struct vguest *g)
{
    for (uint32_t i = 0; i < VGUEST_MAPS; i++) { /* a VMM drops them at a reset */
        struct vguest_map *m = &g->maps[i];
        if (m->at != NULL) {
            munmap(m->at, m->size);
            m->at = NULL;
            announce(g, m->offset, m->size, VHOST_REM_MEM_REG, -1);
        }
    }
    return vguest_ask(g, VHOST_RESET_DEVICE, NULL, 0, NULL, 0) == 0 &&
           vguest_start_queue(g, 0, 0) && vguest_start_queue(g, 1, 0);
}

static void serve_back(struct vguest *g)
{
    struct vhost_head head;
    struct vhost_shmem_map map = {0};
    int fd = -1;
    if (!receive(g->back, &head, sizeof head, &fd) || head.size > sizeof map ||
        !receive(g->back, &map, head.size, &fd)) {
        sl_fd_close(&g->back);
        return;
    }
    if (head.request == VHOST_BACKEND_CONFIG_CHANGE) {
        g->config_changes++;
        return;
    }
    g->asked++;
    if (!g->silent_maps) {
        struct vguest_map *made = NULL;
        bool is_map = head.request == VHOST_BACKEND_SHMEM_MAP;
        uint64_t answer = is_map ? map_request(g, &map, fd, &made) : unmap_request(g, &map);
        if ((head.flags & VHOST_FLAG_NEED_REPLY) != 0) {
            (void)vhost_message_send(g->back, head.request, VHOST_FLAG_REPLY, &answer,
                                     sizeof answer, NULL, 0);
        }
        if (answer == 0) {
            announce(g, map.shm_offset, map.size, is_map ? VHOST_ADD_MEM_REG : VHOST_REM_MEM_REG,
                     is_map ? fd : -1);
        }
    }
    sl_fd_close(&fd);
}

/* ---- the driver ---- */

#define CONTROL_HEADS 64u /* two descriptors each */
#define CURSOR_HEADS  16u

static uint8_t *request_at(struct vguest *g, uint32_t queue, uint32_t head)
{
    return g->ram + VGUEST_SLOTS + (size_t)(head / 2 + queue * CONTROL_HEADS) * VGUEST_SLOT;
}

uint8_t *vguest_response_at(struct vguest *g, uint32_t queue, uint32_t head)
{
    return request_at(g, queue, head) + VGUEST_SLOT / 2;
}

void vguest_offer(struct vguest *g, uint32_t queue, uint16_t head)
{
    struct vguest_queue *q = &g->queues[queue];
    q->done[head] = false;
    q->avail->ring[q->next_avail % VGUEST_QUEUE_SIZE] = head;
    q->next_avail++;
    __atomic_store_n(&q->avail->idx, q->next_avail, __ATOMIC_SEQ_CST);
    sl_fd_signal(q->kick);
}

uint16_t vguest_post(struct vguest *g, uint32_t queue, const void *request, size_t size,
                     size_t room)
{
    struct vguest_queue *q = &g->queues[queue];
    uint16_t head = (uint16_t)(2 * (q->next_head++ % (queue == 0 ? CONTROL_HEADS : CURSOR_HEADS)));
    uint8_t *in = request_at(g, queue, head);
    memcpy(in, request, size);
    memset(in + VGUEST_SLOT / 2, 0xee, room + 64 < VGUEST_SLOT / 2 ? room + 64 : VGUEST_SLOT / 2);
    q->desc[head] = (struct virtq_desc){.addr = vguest_gpa(g, in),
                                        .len = (uint32_t)size,
                                        .flags = room != 0 ? VIRTQ_DESC_NEXT : 0,
                                        .next = (uint16_t)(head + 1)};
    q->desc[head + 1] = (struct virtq_desc){.addr = vguest_gpa(g, in + VGUEST_SLOT / 2),
                                            .len = (uint32_t)room,
                                            .flags = VIRTQ_DESC_WRITE};
    vguest_offer(g, queue, head);
    return head;
}

static void look_at_used(struct vguest *g)
{
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        struct vguest_queue *q = &g->queues[i];
        if (q->used == NULL) {
            continue;
        }
        uint16_t idx = __atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE);
        while (q->last_used != idx) {
            const struct virtq_used_elem *e = &q->used->ring[q->last_used % VGUEST_QUEUE_SIZE];
            if (e->id < VGUEST_QUEUE_SIZE) {
                q->done[e->id] = true;
                q->used_len[e->id] = e->len;
            }
            q->last_used++;
            q->returned++;
            /* The next one interrupts too. */
            q->avail->ring[VGUEST_QUEUE_SIZE] = q->last_used;
        }
    }
}

void vguest_pump(struct vguest *g, uint32_t ms)
{
    struct pollfd items[3] = {{.fd = g->back, .events = POLLIN},
                              {.fd = g->queues[0].call, .events = POLLIN},
                              {.fd = g->queues[1].call, .events = POLLIN}};
    look_at_used(g);
    if (poll(items, 3, (int)ms) <= 0) {
        look_at_used(g);
        return;
    }
    for (uint32_t i = 0; i < VGPU_QUEUES; i++) {
        if (items[1 + i].revents != 0) {
            sl_fd_drain(g->queues[i].call);
        }
    }
    if (items[0].revents != 0) {
        serve_back(g);
    }
    look_at_used(g);
}

uint32_t vguest_wait(struct vguest *g, uint32_t queue, uint16_t head, uint32_t ms)
{
    uint64_t end = sl_clock_ns() + ms * SL_NS_PER_MS;
    look_at_used(g);
    while (!g->queues[queue].done[head]) {
        if (sl_clock_ns() >= end) {
            return UINT32_MAX;
        }
        vguest_pump(g, 20);
    }
    return g->queues[queue].used_len[head];
}

uint32_t vguest_command(struct vguest *g, const void *request, size_t size, void *response,
                        size_t room)
{
    uint16_t head = vguest_post(g, 0, request, size, room);
    uint32_t written = vguest_wait(g, 0, head, VGUEST_PATIENCE_MS);
    struct vgpu_head answer;
    if (written == UINT32_MAX || written < sizeof answer) {
        return 0;
    }
    const uint8_t *from = vguest_response_at(g, 0, head);
    memcpy(&answer, from, sizeof answer);
    if (response != NULL) {
        memcpy(response, from, written < room ? written : room);
    }
    return answer.type;
}

bool vguest_broke(struct vguest *g, uint32_t queue)
{
    if (!readable(g->queues[queue].err, VGUEST_PATIENCE_MS)) {
        return false;
    }
    sl_fd_drain(g->queues[queue].err);
    return (vguest_ask_u64(g, VHOST_GET_STATUS) & VIRTIO_STATUS_NEEDS_RESET) != 0;
}

/* ---- commands ---- */

static struct vgpu_head head_of(uint32_t type, uint32_t ctx_id)
{
    return (struct vgpu_head){.type = type, .ctx_id = ctx_id};
}

static uint32_t plain(struct vguest *g, const void *request, size_t size)
{
    return vguest_command(g, request, size, NULL, sizeof(struct vgpu_head));
}

uint32_t vguest_ctx(struct vguest *g, uint32_t ctx_id, uint32_t capset)
{
    struct vgpu_ctx_create q = {.head = head_of(VGPU_CTX_CREATE, ctx_id),
                                .name_size = 6,
                                .context_init = capset,
                                .name = "vguest"};
    return plain(g, &q, sizeof q);
}

uint32_t vguest_id(struct vguest *g, uint32_t type, uint32_t ctx_id, uint32_t id)
{
    struct vgpu_id q = {.head = head_of(type, ctx_id), .id = id};
    return plain(g, &q, sizeof q);
}

uint32_t vguest_blob(struct vguest *g, uint32_t ctx_id, uint32_t id, uint64_t blob_id,
                     uint64_t size)
{
    struct vgpu_create_blob q = {.head = head_of(VGPU_RESOURCE_CREATE_BLOB, ctx_id),
                                 .resource_id = id,
                                 .blob_mem = 2,
                                 .blob_flags = 1,
                                 .blob_id = blob_id,
                                 .size = size};
    return plain(g, &q, sizeof q);
}

uint32_t vguest_map(struct vguest *g, uint32_t id, uint64_t offset)
{
    struct vgpu_map_blob q = {
        .head = head_of(VGPU_RESOURCE_MAP_BLOB, 0), .resource_id = id, .offset = offset};
    return vguest_command(g, &q, sizeof q, NULL,
                          sizeof(struct vgpu_head) + sizeof(struct vgpu_map_info));
}

void *vguest_mapped(struct vguest *g, uint64_t offset)
{
    for (uint32_t i = 0; i < VGUEST_MAPS; i++) {
        const struct vguest_map *m = &g->maps[i];
        if (m->at != NULL && m->offset <= offset && offset < m->offset + m->size) {
            return (uint8_t *)m->at + (offset - m->offset);
        }
    }
    return NULL;
}

uint32_t vguest_create_2d(struct vguest *g, uint32_t id, uint32_t format, uint32_t width,
                          uint32_t height)
{
    struct vgpu_create_2d q = {.head = head_of(VGPU_RESOURCE_CREATE_2D, 0),
                               .resource_id = id,
                               .format = format,
                               .width = width,
                               .height = height};
    return plain(g, &q, sizeof q);
}

uint32_t vguest_attach(struct vguest *g, uint32_t id, const struct vgpu_entry *entries,
                       uint32_t count)
{
    uint8_t bytes[4096];
    struct vgpu_attach_backing q = {
        .head = head_of(VGPU_RESOURCE_ATTACH_BACKING, 0), .resource_id = id, .entry_count = count};
    memcpy(bytes, &q, sizeof q);
    memcpy(bytes + sizeof q, entries, count * sizeof *entries);
    return plain(g, bytes, sizeof q + count * sizeof *entries);
}

bool vguest_make_backed(struct vguest *g, uint32_t id)
{
    struct vgpu_entry entry = {.addr = VGUEST_GPA + VGUEST_FREE, .length = 16 * 16 * 4};
    return vguest_create_2d(g, id, VIRTGPU_FORMAT_R8G8B8A8, 16, 16) == VGPU_OK_NODATA &&
           vguest_attach(g, id, &entry, 1) == VGPU_OK_NODATA;
}

uint32_t vguest_transfer(struct vguest *g, uint32_t id, struct vgpu_rect rect, uint64_t offset)
{
    struct vgpu_transfer_2d q = {.head = head_of(VGPU_TRANSFER_TO_HOST_2D, 0),
                                 .rect = rect,
                                 .offset = offset,
                                 .resource_id = id};
    return plain(g, &q, sizeof q);
}

uint32_t vguest_set_scanout(struct vguest *g, uint32_t scanout, uint32_t id, struct vgpu_rect rect)
{
    struct vgpu_set_scanout q = {.head = head_of(VGPU_SET_SCANOUT, 0),
                                 .rect = rect,
                                 .scanout_id = scanout,
                                 .resource_id = id};
    return plain(g, &q, sizeof q);
}

uint32_t vguest_flush(struct vguest *g, uint32_t id, struct vgpu_rect rect)
{
    struct vgpu_flush q = {
        .head = head_of(VGPU_RESOURCE_FLUSH, 0), .rect = rect, .resource_id = id};
    return plain(g, &q, sizeof q);
}

uint32_t vguest_submit(struct vguest *g, uint32_t ctx_id, const void *commands, uint32_t size)
{
    uint8_t bytes[4096];
    struct vgpu_submit q = {.head = head_of(VGPU_SUBMIT_3D, ctx_id), .size = size};
    memcpy(bytes, &q, sizeof q);
    memcpy(bytes + sizeof q, commands, size);
    return plain(g, bytes, sizeof q + size);
}

uint16_t vguest_submit_fenced(struct vguest *g, uint32_t ctx_id, uint32_t ring, uint64_t fence,
                              const void *commands, uint32_t size)
{
    uint8_t bytes[4096];
    struct vgpu_submit q = {.head = head_of(VGPU_SUBMIT_3D, ctx_id), .size = size};
    q.head.flags = VGPU_FLAG_FENCE | (ring != UINT32_MAX ? VGPU_FLAG_INFO_RING_IDX : 0);
    q.head.ring_idx = (uint8_t)ring;
    q.head.fence_id = fence;
    memcpy(bytes, &q, sizeof q);
    if (size != 0) {
        memcpy(bytes + sizeof q, commands, size);
    }
    return vguest_post(g, 0, bytes, sizeof q + size, sizeof(struct vgpu_head));
}
