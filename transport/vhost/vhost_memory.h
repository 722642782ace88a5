/* The guest's memory as the front end describes it: regions of guest-physical addresses, each a
 * mapping of a descriptor. Session thread.
 *
 * Mappings are counted: a resource whose backing lies in one holds it, so that pages stay valid
 * when the front end takes a region away. A region of memory that the guest sees through the
 * host-visible window (a blob of our own, handed back to us) is known but not mapped. */
#ifndef VHOST_MEMORY_H
#define VHOST_MEMORY_H

#include "transport/base/result.h"
#include "transport/vhost/vhost_wire.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define VHOST_MEMORY_SLOTS 509u

struct vhost_mapping;

struct vhost_slot {
    struct vhost_region region;
    struct vhost_mapping *mapping; /* NULL: a blob of ours in the window */
    uint8_t *base;                 /* host address of region.gpa */
};

struct vhost_memory {
    struct vhost_slot slots[VHOST_MEMORY_SLOTS];
    uint32_t count;
    uint32_t mappings; /* live ones, held by slots or resources */
    bool cut;          /* a mapping was cut by its owner */
    /* Is this file a blob that the window shows? */
    bool (*is_window)(void *user, const struct stat *info);
    void *user;
};

void vhost_memory_init(struct vhost_memory *memory,
                       bool (*is_window)(void *user, const struct stat *info), void *user);
/* No resource holds anything any more. */
void vhost_memory_finish(struct vhost_memory *memory);
/* All regions anew; fds are borrowed. PROTOCOL: not as it must be (nothing is left then); NOMEM. */
enum sl_result vhost_memory_set(struct vhost_memory *memory, const struct vhost_region *regions,
                                const int *fds, uint32_t count) SL_MUST_USE;
/* One more. fd: borrowed. PROTOCOL: overlaps, wraps, no regular file or too short; NOMEM. */
enum sl_result vhost_memory_add(struct vhost_memory *memory, const struct vhost_region *region,
                                int fd) SL_MUST_USE;
/* PROTOCOL: there is no such region. */
enum sl_result vhost_memory_remove(struct vhost_memory *memory,
                                   const struct vhost_region *region) SL_MUST_USE;

/* The host address of guest-physical gpa, good for *size bytes, at most `want`. PROTOCOL: no guest
 * memory; INVALID: it is the window. */
enum sl_result vhost_memory_at(const struct vhost_memory *memory, uint64_t gpa, uint64_t want,
                               uint8_t **at, uint64_t *size);
/* A front-end address, `size` bytes in one piece; NULL when they are not. */
void *vhost_memory_user(const struct vhost_memory *memory, uint64_t user, uint64_t size);
/* Looks whether a mapping was cut since; sets `cut`. */
bool vhost_memory_was_cut(struct vhost_memory *memory);

/* What a resource's backing holds. */
struct vhost_hold {
    struct vhost_mapping **mappings;
    uint32_t count;
};
/* Guest pages, `count` entries of {gpa, size}, as host addresses: gives *iov (sl_free) and holds
 * what they lie in. PROTOCOL: outside of guest memory; INVALID: in the window; NOMEM. */
struct vgpu_entry;
enum sl_result vhost_memory_pages(struct vhost_memory *memory, const struct vgpu_entry *entries,
                                  uint32_t count, struct iovec **iov, uint32_t *iov_count,
                                  struct vhost_hold *hold) SL_MUST_USE;
void vhost_memory_release(struct vhost_memory *memory, struct vhost_hold *hold);

#endif
