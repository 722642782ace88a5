/* The trace's resources, and the bytes that guests wrote into them. */
#include "host/replay/rep_priv.h"

#include "transport/base/arith.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"

#include <string.h>
#include <sys/mman.h>

/* Most guest pages of one resource. */
#define PAGES_MAX (4ull << 30)

struct rep_resource *rep_resource_find(struct rep *rep, uint32_t id)
{
    return sl_map_find(&rep->resources, id);
}

struct rep_resource *rep_resource_add(struct rep *rep, uint32_t id)
{
    struct rep_resource *resource = rep_resource_find(rep, id);
    if (resource != NULL) {
        return resource;
    }
    resource = sl_alloc(sizeof *resource);
    if (resource == NULL || sl_map_add(&rep->resources, id, resource) != SL_OK) {
        sl_free(resource);
        return NULL;
    }
    resource->id = id;
    resource->serial = ++rep->last_serial;
    return resource;
}

enum sl_result rep_resource_map(struct rep *rep, struct rep_resource *resource)
{
    if (resource->map != NULL) {
        return SL_OK;
    }
    struct vgd_map map = {.fd = -1};
    enum sl_result result = rep->device->ops->res_map(rep->device, resource->id, &map);
    if (result != SL_OK) {
        return result;
    }
    resource->is_mapped = true;
    resource->size = map.size;
    resource->map = map.pointer;
    if (map.pointer == NULL) {
        void *at =
            mmap(NULL, map.size, PROT_READ | PROT_WRITE, MAP_SHARED, map.fd, (off_t)map.offset);
        resource->map = at != MAP_FAILED ? at : NULL;
        resource->is_ours = resource->map != NULL;
    }
    sl_fd_close(&map.fd);
    return resource->map != NULL ? SL_OK : SL_ERR_NOMEM;
}

void rep_resource_unmap(struct rep *rep, struct rep_resource *resource)
{
    if (resource->is_ours) {
        munmap(resource->map, resource->size);
    }
    if (resource->is_mapped) {
        (void)rep->device->ops->res_unmap(rep->device, resource->id);
    }
    resource->map = NULL;
    resource->is_ours = resource->is_mapped = false;
}

void rep_resource_free(struct rep *rep, struct rep_resource *resource)
{
    (void)sl_map_remove(&rep->resources, resource->id);
    if (resource->ring != NULL) {
        rep_ring_close(resource->ring);
    }
    if (resource->is_ours) {
        munmap(resource->map, resource->size);
    }
    if (resource->pages != NULL) {
        munmap(resource->pages, resource->pages_size);
    }
    sl_free(resource);
}

void *rep_resource_pages(struct rep_resource *resource, uint64_t size)
{
    if (resource->pages != NULL && resource->pages_size >= size) {
        return resource->pages;
    }
    if (resource->pages != NULL || size == 0 || size > PAGES_MAX) {
        return NULL;
    }
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) {
        return NULL;
    }
    resource->pages = pages;
    resource->pages_size = size;
    return pages;
}

static void look_at_mark(struct rep *rep, const struct cap_frame *mark)
{
    if (mark->kind != CAP_FRAME_PRESENT || mark->surface == 0 || rep->shown_count == REP_SHOWN) {
        return;
    }
    for (uint32_t i = 0; i < rep->shown_count; i++) {
        if (rep->shown[i].stream == mark->stream && rep->shown[i].blob_id == mark->surface) {
            return;
        }
    }
    rep->shown[rep->shown_count++] =
        (struct rep_shown){.stream = mark->stream, .blob_id = mark->surface};
}

enum sl_result rep_memory_look(struct rep *rep)
{
    struct cap_payload payload = {0};
    enum sl_result result = SL_OK;
    for (uint32_t i = 0; i < rep->reader->chunk_count && result == SL_OK; i++) {
        enum cap_damage_kind why;
        if (rep->reader->chunks[i].kind != CAP_KIND_FRAM) {
            continue;
        }
        result = cap_reader_load(rep->reader, &rep->reader->chunks[i], &payload, &why);
        size_t count = result == SL_OK ? payload.size / sizeof(struct cap_frame) : 0;
        rep->frame_end += count;
        for (size_t at = 0; at < count; at++) {
            struct cap_frame mark;
            memcpy(&mark, payload.data + at * sizeof mark, sizeof mark);
            look_at_mark(rep, &mark);
        }
        result = result == SL_ERR_NOMEM ? result : SL_OK; /* damage is met again on the way */
    }
    cap_payload_finish(&payload);
    return result;
}

void rep_memory_stream(struct rep *rep, uint32_t stream, uint32_t ctx_id)
{
    for (uint32_t i = 0; i < rep->shown_count; i++) {
        if (rep->shown[i].stream == stream) {
            rep->shown[i].ctx_id = ctx_id;
        }
    }
}

static bool is_shown(const struct rep *rep, const struct rep_resource *resource)
{
    for (uint32_t i = 0; i < rep->shown_count; i++) {
        if (rep->shown[i].blob_id == resource->blob_id &&
            rep->shown[i].ctx_id == resource->ctx_id) {
            return true;
        }
    }
    return false;
}

enum sl_result rep_memory_write(struct rep *rep, struct cap_event_memory *memory)
{
    struct rep_resource *resource = rep_resource_find(rep, memory->resource_id);
    uint8_t *to = NULL;
    uint64_t size = 0;
    bool is_whole = memory->source == CAP_MEMW_WHOLE; /* also what the host drew before */
    if (resource != NULL && resource->blob_id != 0 && !is_whole && is_shown(rep, resource)) {
        return SL_OK;
    }
    if (resource != NULL && resource->pages != NULL) {
        to = resource->pages;
        size = resource->pages_size;
    } else if (resource != NULL && resource->ring == NULL &&
               rep_resource_map(rep, resource) == SL_OK) {
        to = resource->map;
        size = resource->size;
    }
    struct cap_piece piece;
    enum sl_result result;
    while ((result = cap_merge_piece(rep->merge, memory, &piece)) == SL_OK) {
        if (to != NULL && sl_region_fits(piece.offset, piece.size, size)) {
            memcpy(to + piece.offset, piece.bytes, piece.size);
        }
    }
    return result == SL_ERR_NOTFOUND ? SL_OK : result;
}
