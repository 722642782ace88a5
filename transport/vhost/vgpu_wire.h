/* virtio-gpu's commands as they lie in a virtqueue. Spec: virtio 1.3, 5.7.6. Numbers that the
 * waists share are in transport/virtgpu/proto.h. */
#ifndef VGPU_WIRE_H
#define VGPU_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define VGPU_DEVICE_ID        16u
#define VGPU_MAX_SCANOUTS     16u
#define VGPU_SHM_HOST_VISIBLE 1u
#define VGPU_EVENT_DISPLAY    1u

enum { VGPU_QUEUE_CONTROL = 0, VGPU_QUEUE_CURSOR = 1, VGPU_QUEUES = 2 };

#define VGPU_F_VIRGL         (1ull << 0)
#define VGPU_F_EDID          (1ull << 1)
#define VGPU_F_RESOURCE_UUID (1ull << 2)
#define VGPU_F_RESOURCE_BLOB (1ull << 3)
#define VGPU_F_CONTEXT_INIT  (1ull << 4)

struct vgpu_config {
    uint32_t events_read;
    uint32_t events_clear;
    uint32_t num_scanouts;
    uint32_t num_capsets;
};
_Static_assert(sizeof(struct vgpu_config) == 16, "config space without blob alignment");

enum {
    VGPU_GET_DISPLAY_INFO = 0x100,
    VGPU_RESOURCE_CREATE_2D,
    VGPU_RESOURCE_UNREF,
    VGPU_SET_SCANOUT,
    VGPU_RESOURCE_FLUSH,
    VGPU_TRANSFER_TO_HOST_2D,
    VGPU_RESOURCE_ATTACH_BACKING,
    VGPU_RESOURCE_DETACH_BACKING,
    VGPU_GET_CAPSET_INFO,
    VGPU_GET_CAPSET,
    VGPU_GET_EDID,
    VGPU_RESOURCE_ASSIGN_UUID,
    VGPU_RESOURCE_CREATE_BLOB,
    VGPU_SET_SCANOUT_BLOB,

    VGPU_CTX_CREATE = 0x200,
    VGPU_CTX_DESTROY,
    VGPU_CTX_ATTACH_RESOURCE,
    VGPU_CTX_DETACH_RESOURCE,
    VGPU_RESOURCE_CREATE_3D,
    VGPU_TRANSFER_TO_HOST_3D,
    VGPU_TRANSFER_FROM_HOST_3D,
    VGPU_SUBMIT_3D,
    VGPU_RESOURCE_MAP_BLOB,
    VGPU_RESOURCE_UNMAP_BLOB,

    VGPU_UPDATE_CURSOR = 0x300,
    VGPU_MOVE_CURSOR,

    VGPU_OK_NODATA = 0x1100,
    VGPU_OK_DISPLAY_INFO,
    VGPU_OK_CAPSET_INFO,
    VGPU_OK_CAPSET,
    VGPU_OK_EDID,
    VGPU_OK_RESOURCE_UUID,
    VGPU_OK_MAP_INFO,

    VGPU_ERR_UNSPEC = 0x1200,
    VGPU_ERR_OUT_OF_MEMORY,
    VGPU_ERR_INVALID_SCANOUT_ID,
    VGPU_ERR_INVALID_RESOURCE_ID,
    VGPU_ERR_INVALID_CONTEXT_ID,
    VGPU_ERR_INVALID_PARAMETER,
};

enum { VGPU_FLAG_FENCE = 1, VGPU_FLAG_INFO_RING_IDX = 2 };

struct vgpu_head {
    uint32_t type;
    uint32_t flags;
    uint64_t fence_id;
    uint32_t ctx_id;
    uint8_t ring_idx;
    uint8_t padding[3];
};
_Static_assert(sizeof(struct vgpu_head) == 24, "control header");

struct vgpu_rect {
    uint32_t x, y, width, height;
};

struct vgpu_display_info {
    struct {
        struct vgpu_rect rect;
        uint32_t enabled;
        uint32_t flags;
    } scanouts[VGPU_MAX_SCANOUTS];
};
_Static_assert(sizeof(struct vgpu_display_info) == 384, "display info");

/* Commands that name a resource and nothing else; GET_CAPSET_INFO and GET_EDID look the same. */
struct vgpu_id {
    struct vgpu_head head;
    uint32_t id;
    uint32_t padding;
};

struct vgpu_create_2d {
    struct vgpu_head head;
    uint32_t resource_id, format, width, height;
};

struct vgpu_set_scanout {
    struct vgpu_head head;
    struct vgpu_rect rect;
    uint32_t scanout_id, resource_id;
};

struct vgpu_flush {
    struct vgpu_head head;
    struct vgpu_rect rect;
    uint32_t resource_id, padding;
};

struct vgpu_transfer_2d {
    struct vgpu_head head;
    struct vgpu_rect rect;
    uint64_t offset;
    uint32_t resource_id, padding;
};

struct vgpu_entry {
    uint64_t addr;
    uint32_t length;
    uint32_t padding;
};

struct vgpu_attach_backing {
    struct vgpu_head head;
    uint32_t resource_id, entry_count; /* struct vgpu_entry behind it */
};

struct vgpu_capset_info {
    uint32_t id, max_version, max_size, padding;
};

struct vgpu_get_capset {
    struct vgpu_head head;
    uint32_t capset_id, version;
};

#define VGPU_EDID_MAX 1024u
struct vgpu_edid {
    uint32_t size, padding;
    uint8_t bytes[VGPU_EDID_MAX];
};

struct vgpu_uuid {
    uint8_t bytes[16];
};

struct vgpu_create_blob {
    struct vgpu_head head;
    uint32_t resource_id, blob_mem, blob_flags, entry_count;
    uint64_t blob_id, size; /* struct vgpu_entry behind it */
};

struct vgpu_set_scanout_blob {
    struct vgpu_head head;
    struct vgpu_rect rect;
    uint32_t scanout_id, resource_id, width, height, format, padding;
    uint32_t strides[4], offsets[4];
};

struct vgpu_ctx_create {
    struct vgpu_head head;
    uint32_t name_size, context_init;
    char name[64];
};

struct vgpu_create_3d {
    struct vgpu_head head;
    uint32_t resource_id, target, format, bind, width, height, depth, array_size, last_level,
        nr_samples, flags, padding;
};

struct vgpu_transfer_3d {
    struct vgpu_head head;
    uint32_t x, y, z, width, height, depth;
    uint64_t offset;
    uint32_t resource_id, level, stride, layer_stride;
};

struct vgpu_submit {
    struct vgpu_head head;
    uint32_t size, padding; /* command bytes behind it */
};

struct vgpu_map_blob {
    struct vgpu_head head;
    uint32_t resource_id, padding;
    uint64_t offset;
};

struct vgpu_map_info {
    uint32_t map_info, padding;
};

struct vgpu_cursor {
    struct vgpu_head head;
    uint32_t scanout_id, x, y, padding;
    uint32_t resource_id, hot_x, hot_y, padding2;
};

_Static_assert(sizeof(struct vgpu_id) == 32, "id command");
_Static_assert(sizeof(struct vgpu_create_2d) == 40, "RESOURCE_CREATE_2D");
_Static_assert(sizeof(struct vgpu_set_scanout) == 48, "SET_SCANOUT");
_Static_assert(sizeof(struct vgpu_flush) == 48, "RESOURCE_FLUSH");
_Static_assert(sizeof(struct vgpu_transfer_2d) == 56, "TRANSFER_TO_HOST_2D");
_Static_assert(sizeof(struct vgpu_attach_backing) == 32, "RESOURCE_ATTACH_BACKING");
_Static_assert(sizeof(struct vgpu_create_blob) == 56, "RESOURCE_CREATE_BLOB");
_Static_assert(sizeof(struct vgpu_set_scanout_blob) == 96, "SET_SCANOUT_BLOB");
_Static_assert(sizeof(struct vgpu_ctx_create) == 96, "CTX_CREATE");
_Static_assert(sizeof(struct vgpu_create_3d) == 72, "RESOURCE_CREATE_3D");
_Static_assert(sizeof(struct vgpu_transfer_3d) == 72, "TRANSFER_TO_HOST_3D");
_Static_assert(sizeof(struct vgpu_submit) == 32, "SUBMIT_3D");
_Static_assert(sizeof(struct vgpu_map_blob) == 40, "RESOURCE_MAP_BLOB");
_Static_assert(sizeof(struct vgpu_cursor) == 56, "UPDATE_CURSOR");

#endif
