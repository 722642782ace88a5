#include "transport/vhost/vhost_memory.h"

#include "transport/base/arith.h"
#include "transport/base/bytes.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/vhost/vgpu_wire.h"
#include "transport/vhost/vhost_guard.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAPPINGS_MAX 1024u  /* slots and those that resources still hold */
#define PAGES_MAX    65536u /* pieces of one resource's pages */

struct vhost_mapping {
    uint32_t refs;
    uint32_t guard;
    void *base;
    size_t size;
};

static void mapping_unref(struct vhost_memory *memory, struct vhost_mapping *mapping)
{
    if (mapping == NULL || --mapping->refs != 0) {
        return;
    }
    vhost_guard_remove(mapping->guard);
    munmap(mapping->base, mapping->size);
    sl_free(mapping);
    memory->mappings--;
}

/* Maps [fd_offset, fd_offset + size) of the file. */
static enum sl_result mapping_make(struct vhost_memory *memory, int fd, uint64_t fd_offset,
                                   uint64_t size, struct vhost_mapping **out, uint8_t **at)
{
    uint64_t skip = fd_offset % (uint64_t)sysconf(_SC_PAGESIZE);
    if (memory->mappings >= MAPPINGS_MAX || size + skip > SIZE_MAX) {
        return SL_ERR_NOMEM;
    }
    struct vhost_mapping *mapping = sl_alloc(sizeof *mapping);
    if (mapping == NULL) {
        return SL_ERR_NOMEM;
    }
    *mapping = (struct vhost_mapping){.refs = 1, .size = (size_t)(size + skip)};
    mapping->base = mmap(NULL, mapping->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                         fd, (off_t)(fd_offset - skip));
    if (mapping->base == MAP_FAILED) {
        enum sl_result r = errno == ENOMEM ? SL_ERR_NOMEM : SL_ERR_PROTOCOL;
        sl_free(mapping);
        return r;
    }
    (void)madvise(mapping->base, mapping->size, MADV_DONTDUMP); /* only the guest's business */
    enum sl_result r = vhost_guard_add(mapping->base, mapping->size, &mapping->guard);
    if (r != SL_OK) {
        munmap(mapping->base, mapping->size);
        sl_free(mapping);
        return r;
    }
    memory->mappings++;
    *out = mapping;
    *at = (uint8_t *)mapping->base + skip;
    return SL_OK;
}

void vhost_memory_init(struct vhost_memory *memory,
                       bool (*is_window)(void *user, const struct stat *info), void *user)
{
    *memory = (struct vhost_memory){.is_window = is_window, .user = user};
}

static void clear(struct vhost_memory *memory)
{
    while (memory->count != 0) {
        mapping_unref(memory, memory->slots[--memory->count].mapping);
    }
}

void vhost_memory_finish(struct vhost_memory *memory)
{
    clear(memory);
}

/* Does the region make sense, and is it apart from all others? */
static bool region_is_sound(const struct vhost_memory *memory, const struct vhost_region *region)
{
    uint64_t end;
    if (region->size == 0 || !sl_add_u64(region->gpa, region->size, &end) ||
        !sl_add_u64(region->user, region->size, &end) ||
        !sl_add_u64(region->fd_offset, region->size, &end) || end > INT64_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < memory->count; i++) {
        const struct vhost_region *other = &memory->slots[i].region;
        if (region->gpa < other->gpa + other->size && other->gpa < region->gpa + region->size) {
            return false;
        }
    }
    return true;
}

enum sl_result vhost_memory_add(struct vhost_memory *memory, const struct vhost_region *region,
                                int fd)
{
    struct stat info;
    if (memory->count == VHOST_MEMORY_SLOTS) {
        return SL_ERR_NOMEM;
    }
    if (!region_is_sound(memory, region)) {
        sl_warn_limited("vhost", "memory region at 0x%llx, 0x%llx bytes: overlaps or wraps",
                        (unsigned long long)region->gpa, (unsigned long long)region->size);
        return SL_ERR_PROTOCOL;
    }
    struct vhost_slot slot = {.region = *region};
    if (fstat(fd, &info) != 0) {
        return SL_ERR_PROTOCOL;
    }
    if (!memory->is_window(memory->user, &info)) {
        if (!S_ISREG(info.st_mode) || info.st_size < 0 ||
            !sl_region_fits(region->fd_offset, region->size, (uint64_t)info.st_size)) {
            sl_warn_limited("vhost",
                            "memory region at 0x%llx, 0x%llx bytes: no file, or one too short",
                            (unsigned long long)region->gpa, (unsigned long long)region->size);
            return SL_ERR_PROTOCOL;
        }
        enum sl_result r =
            mapping_make(memory, fd, region->fd_offset, region->size, &slot.mapping, &slot.base);
        if (r != SL_OK) {
            return r;
        }
    }
    memory->slots[memory->count++] = slot;
    return SL_OK;
}

enum sl_result vhost_memory_set(struct vhost_memory *memory, const struct vhost_region *regions,
                                const int *fds, uint32_t count)
{
    clear(memory);
    enum sl_result r = SL_OK;
    for (uint32_t i = 0; i < count && r == SL_OK; i++) {
        r = vhost_memory_add(memory, &regions[i], fds[i]);
    }
    if (r != SL_OK) {
        clear(memory);
    }
    return r;
}

enum sl_result vhost_memory_remove(struct vhost_memory *memory, const struct vhost_region *region)
{
    for (uint32_t i = 0; i < memory->count; i++) {
        struct vhost_slot *slot = &memory->slots[i];
        if (slot->region.gpa == region->gpa && slot->region.size == region->size &&
            slot->region.user == region->user) {
            mapping_unref(memory, slot->mapping);
            *slot = memory->slots[--memory->count];
            return SL_OK;
        }
    }
    return SL_ERR_PROTOCOL;
}

enum sl_result vhost_memory_at(const struct vhost_memory *memory, uint64_t gpa, uint64_t want,
                               uint8_t **at, uint64_t *size)
{
    for (uint32_t i = 0; i < memory->count; i++) {
        const struct vhost_slot *slot = &memory->slots[i];
        if (gpa >= slot->region.gpa && gpa - slot->region.gpa < slot->region.size) {
            uint64_t offset = gpa - slot->region.gpa;
            uint64_t left = slot->region.size - offset;
            if (slot->mapping == NULL) {
                return SL_ERR_INVALID;
            }
            *at = slot->base + offset;
            *size = want < left ? want : left;
            return SL_OK;
        }
    }
    return SL_ERR_PROTOCOL;
}

void *vhost_memory_user(const struct vhost_memory *memory, uint64_t user, uint64_t size)
{
    for (uint32_t i = 0; i < memory->count; i++) {
        const struct vhost_slot *slot = &memory->slots[i];
        if (slot->mapping != NULL && user >= slot->region.user &&
            sl_region_fits(user - slot->region.user, size, slot->region.size)) {
            return slot->base + (user - slot->region.user);
        }
    }
    return NULL;
}

bool vhost_memory_was_cut(struct vhost_memory *memory)
{
    for (uint32_t i = 0; i < memory->count && !memory->cut; i++) {
        const struct vhost_mapping *mapping = memory->slots[i].mapping;
        if (mapping != NULL && vhost_guard_hit(mapping->guard)) {
            memory->cut = true;
            sl_warn("vhost", "guest memory at 0x%llx was cut by its owner",
                    (unsigned long long)memory->slots[i].region.gpa);
        }
    }
    return memory->cut;
}

/* ---- pages of resources ---- */

static enum sl_result hold_mapping(struct vhost_hold *hold, struct vhost_mapping *mapping)
{
    for (uint32_t i = 0; i < hold->count; i++) {
        if (hold->mappings[i] == mapping) {
            return SL_OK;
        }
    }
    struct vhost_mapping **more =
        sl_realloc(hold->mappings, (hold->count + 1) * sizeof *hold->mappings);
    if (more == NULL) {
        return SL_ERR_NOMEM;
    }
    hold->mappings = more;
    hold->mappings[hold->count++] = mapping;
    mapping->refs++;
    return SL_OK;
}

static struct vhost_mapping *mapping_of(const struct vhost_memory *memory, const uint8_t *at)
{
    for (uint32_t i = 0; i < memory->count; i++) {
        const struct vhost_slot *slot = &memory->slots[i];
        if (slot->mapping != NULL && at >= slot->base && at < slot->base + slot->region.size) {
            return slot->mapping;
        }
    }
    return NULL;
}

/* One entry, which may cross regions, into pieces. */
static enum sl_result add_entry(struct vhost_memory *memory, const struct vgpu_entry *entry,
                                struct iovec *iov, uint32_t room, uint32_t *used,
                                struct vhost_hold *hold)
{
    uint64_t gpa = entry->addr;
    for (uint64_t left = entry->length; left != 0;) {
        uint8_t *at;
        uint64_t size;
        enum sl_result r = vhost_memory_at(memory, gpa, left, &at, &size);
        if (r == SL_OK) {
            r = *used < room ? hold_mapping(hold, mapping_of(memory, at)) : SL_ERR_NOMEM;
        }
        if (r != SL_OK) {
            return r;
        }
        iov[(*used)++] = (struct iovec){.iov_base = at, .iov_len = (size_t)size};
        gpa += size;
        left -= size;
    }
    return SL_OK;
}

enum sl_result vhost_memory_pages(struct vhost_memory *memory, const struct vgpu_entry *entries,
                                  uint32_t count, struct iovec **iov, uint32_t *iov_count,
                                  struct vhost_hold *hold)
{
    *hold = (struct vhost_hold){0};
    if (count == 0 || count > PAGES_MAX) {
        return SL_ERR_INVALID;
    }
    uint32_t room = count + memory->count; /* an entry is cut once for each region it crosses */
    struct iovec *list = sl_alloc_array(room, sizeof *list);
    if (list == NULL) {
        return SL_ERR_NOMEM;
    }
    uint32_t used = 0;
    enum sl_result r = SL_OK;
    for (uint32_t i = 0; i < count && r == SL_OK; i++) {
        struct vgpu_entry entry;
        memcpy(&entry, (const uint8_t *)entries + (size_t)i * sizeof entry, sizeof entry);
        r = add_entry(memory, &entry, list, room, &used, hold);
    }
    if (r == SL_OK && used == 0) {
        r = SL_ERR_INVALID; /* nothing but empty entries */
    }
    if (r != SL_OK) {
        vhost_memory_release(memory, hold);
        sl_free(list);
        return r;
    }
    *iov = list;
    *iov_count = used;
    return SL_OK;
}

void vhost_memory_release(struct vhost_memory *memory, struct vhost_hold *hold)
{
    for (uint32_t i = 0; i < hold->count; i++) {
        mapping_unref(memory, hold->mappings[i]);
    }
    sl_free(hold->mappings);
    *hold = (struct vhost_hold){0};
}
