/* vhost-user's messages, and split virtqueues: numbers and structs as they lie on the wire.
 * Spec: vhost-user protocol; virtio 1.3, 2.7 (split virtqueues), 4.1 (feature bits). */
#ifndef VHOST_WIRE_H
#define VHOST_WIRE_H

#include <stddef.h>
#include <stdint.h>

/* ---- messages ---- */

struct vhost_head {
    uint32_t request;
    uint32_t flags; /* VHOST_FLAG_* */
    uint32_t size;  /* of what follows */
};
_Static_assert(sizeof(struct vhost_head) == 12, "vhost-user header");

enum {
    VHOST_FLAG_VERSION = 1,
    VHOST_FLAG_VERSION_MASK = 3,
    VHOST_FLAG_REPLY = 4,
    VHOST_FLAG_NEED_REPLY = 8
};

/* Front end to back end. */
enum {
    VHOST_GET_FEATURES = 1,
    VHOST_SET_FEATURES = 2,
    VHOST_SET_OWNER = 3,
    VHOST_RESET_OWNER = 4,
    VHOST_SET_MEM_TABLE = 5,
    VHOST_SET_VRING_NUM = 8,
    VHOST_SET_VRING_ADDR = 9,
    VHOST_SET_VRING_BASE = 10,
    VHOST_GET_VRING_BASE = 11,
    VHOST_SET_VRING_KICK = 12,
    VHOST_SET_VRING_CALL = 13,
    VHOST_SET_VRING_ERR = 14,
    VHOST_GET_PROTOCOL_FEATURES = 15,
    VHOST_SET_PROTOCOL_FEATURES = 16,
    VHOST_GET_QUEUE_NUM = 17,
    VHOST_SET_VRING_ENABLE = 18,
    VHOST_SET_BACKEND_REQ_FD = 21,
    VHOST_GET_CONFIG = 24,
    VHOST_SET_CONFIG = 25,
    VHOST_GET_INFLIGHT_FD = 31,
    VHOST_SET_INFLIGHT_FD = 32,
    VHOST_GPU_SET_SOCKET = 33,
    VHOST_RESET_DEVICE = 34,
    VHOST_GET_MAX_MEM_SLOTS = 36,
    VHOST_ADD_MEM_REG = 37,
    VHOST_REM_MEM_REG = 38,
    VHOST_SET_STATUS = 39,
    VHOST_GET_STATUS = 40,
    VHOST_GET_SHMEM_CONFIG = 44,
};

/* Back end to front end. */
enum {
    VHOST_BACKEND_CONFIG_CHANGE = 2,
    VHOST_BACKEND_SHMEM_MAP = 9,
    VHOST_BACKEND_SHMEM_UNMAP = 10
};

/* Protocol features, as bits. */
#define VHOST_PROTOCOL_MQ             (1ull << 0)
#define VHOST_PROTOCOL_REPLY_ACK      (1ull << 3)
#define VHOST_PROTOCOL_BACKEND_REQ    (1ull << 5)
#define VHOST_PROTOCOL_CONFIG         (1ull << 9)
#define VHOST_PROTOCOL_BACKEND_FD     (1ull << 10)
#define VHOST_PROTOCOL_INFLIGHT_SHMFD (1ull << 12)
#define VHOST_PROTOCOL_RESET_DEVICE   (1ull << 13)
#define VHOST_PROTOCOL_MEM_SLOTS      (1ull << 15)
#define VHOST_PROTOCOL_STATUS         (1ull << 16)
#define VHOST_PROTOCOL_SHMEM          (1ull << 22)

/* A descriptor-carrying u64: the ring's number, and "no descriptor comes along". */
#define VHOST_VRING_INDEX 0xffull
#define VHOST_VRING_NO_FD (1ull << 8)

struct vhost_region {
    uint64_t gpa; /* guest-physical */
    uint64_t size;
    uint64_t user; /* front end's address, which SET_VRING_ADDR speaks in */
    uint64_t fd_offset;
};
_Static_assert(sizeof(struct vhost_region) == 32, "memory region");

#define VHOST_TABLE_REGIONS 8u
struct vhost_mem_table {
    uint32_t count;
    uint32_t padding;
    struct vhost_region regions[VHOST_TABLE_REGIONS];
};
_Static_assert(offsetof(struct vhost_mem_table, regions) == 8, "memory table");

struct vhost_mem_region {
    uint64_t padding;
    struct vhost_region region;
};
_Static_assert(sizeof(struct vhost_mem_region) == 40, "one memory region");

struct vhost_vring_state {
    uint32_t index;
    uint32_t value;
};

struct vhost_vring_addr {
    uint32_t index;
    uint32_t flags;
    uint64_t desc, used, avail, log;
};
_Static_assert(sizeof(struct vhost_vring_addr) == 40, "ring addresses");

#define VHOST_CONFIG_MAX 256u
struct vhost_config {
    uint32_t offset;
    uint32_t size;
    uint32_t flags;
    uint8_t bytes[VHOST_CONFIG_MAX];
};
_Static_assert(offsetof(struct vhost_config, bytes) == 12, "config space");

struct vhost_inflight {
    uint64_t mmap_size;
    uint64_t mmap_offset;
    uint16_t queue_count;
    uint16_t queue_size;
    uint32_t padding;
};
_Static_assert(sizeof(struct vhost_inflight) == 24, "inflight message");

struct vhost_shmem_config {
    uint32_t count;
    uint32_t padding;
    uint64_t sizes[256]; /* by shmid */
};
_Static_assert(sizeof(struct vhost_shmem_config) == 2056, "shared memory regions");

#define VHOST_SHMEM_WRITABLE 1ull
struct vhost_shmem_map {
    uint8_t shmid;
    uint8_t padding[7];
    uint64_t fd_offset;
    uint64_t shm_offset;
    uint64_t size;
    uint64_t flags;
};
_Static_assert(sizeof(struct vhost_shmem_map) == 40, "map request");

union vhost_payload {
    uint64_t u64;
    struct vhost_mem_table table;
    struct vhost_mem_region region;
    struct vhost_vring_state state;
    struct vhost_vring_addr addr;
    struct vhost_config config;
    struct vhost_inflight inflight;
    struct vhost_shmem_config shmem;
    struct vhost_shmem_map map;
    uint8_t bytes[1];
};

struct vhost_message {
    struct vhost_head head;
    uint32_t padding; /* keeps the payload aligned; not on the wire */
    union vhost_payload payload;
};

/* ---- inflight area (vhost-user: "Queue state for split virtqueue") ---- */

struct vhost_inflight_desc {
    uint8_t inflight;
    uint8_t padding[5];
    uint16_t next;
    uint64_t counter;
};
_Static_assert(sizeof(struct vhost_inflight_desc) == 16, "inflight descriptor");

struct vhost_inflight_queue {
    uint64_t features;
    uint16_t version;
    uint16_t desc_num;
    uint16_t last_batch_head;
    uint16_t used_idx;
    struct vhost_inflight_desc desc[];
};
_Static_assert(sizeof(struct vhost_inflight_queue) == 16, "inflight queue");

/* ---- split virtqueues ---- */

#define VIRTIO_RING_F_INDIRECT    (1ull << 28)
#define VIRTIO_RING_F_EVENT_IDX   (1ull << 29)
#define VHOST_F_PROTOCOL_FEATURES (1ull << 30)
#define VIRTIO_F_VERSION_1        (1ull << 32)
#define VIRTIO_F_RING_RESET       (1ull << 40)
#define VIRTIO_STATUS_NEEDS_RESET 0x40u
#define VIRTIO_STATUS_DRIVER_OK   0x04u
#define VIRTQ_SIZE_MAX            32768u

enum { VIRTQ_DESC_NEXT = 1, VIRTQ_DESC_WRITE = 2, VIRTQ_DESC_INDIRECT = 4 };
enum { VIRTQ_AVAIL_NO_INTERRUPT = 1, VIRTQ_USED_NO_NOTIFY = 1 };

struct virtq_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
};
_Static_assert(sizeof(struct virtq_desc) == 16, "descriptor");

struct virtq_avail {
    uint16_t flags;
    uint16_t idx;
    uint16_t ring[]; /* and used_event behind it */
};

struct virtq_used_elem {
    uint32_t id;
    uint32_t len;
};

struct virtq_used {
    uint16_t flags;
    uint16_t idx;
    struct virtq_used_elem ring[]; /* and avail_event behind it */
};

#endif
