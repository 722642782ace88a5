/* The kernel's ioctls for buffers that a CPU writes, as any display driver has them. */
#ifndef GUEST_GBM_KMS_H
#define GUEST_GBM_KMS_H

#include <stdint.h>
#include <sys/ioctl.h>

struct kms_dumb_request {
    uint32_t height, width, bits, flags;
    uint32_t handle, stride; /* out */
    uint64_t size;           /* out */
};
struct kms_map_request {
    uint32_t handle, pad;
    uint64_t offset; /* out: for mmap */
};

#define KMS_DUMB     _IOWR('d', 0xb2, struct kms_dumb_request)
#define KMS_MAP_DUMB _IOWR('d', 0xb3, struct kms_map_request)

#endif
