/* What lives now: asked of the device, context by context, and read out of the resources. */
#include "host/replay/rep_kept.h"

#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"
#include "transport/virtgpu/recorder.h"

#include <string.h>

#define REST_NS  (2 * SL_NS_PER_S)
#define SLICE_NS (100 * SL_NS_PER_US)

bool rep_grow(void **array, uint32_t *room, uint32_t count, size_t item)
{
    if (count < *room) {
        return true;
    }
    uint32_t more = *room * 2 + 64;
    void *grown = sl_realloc(*array, more * item);
    if (grown != NULL) {
        *array = grown;
        *room = more;
    }
    return grown != NULL;
}

size_t rep_kept_bytes(struct rep_kept *k, const void *bytes, size_t size)
{
    if (size > REP_KEPT_MAX - k->size) {
        return SIZE_MAX;
    }
    if (size > k->room - k->size) {
        size_t room = (k->size + size) * 2;
        uint8_t *more = sl_realloc(k->bytes, room);
        if (more == NULL) {
            return SIZE_MAX;
        }
        k->bytes = more;
        k->room = room;
    }
    size_t at = k->size;
    if (size != 0) {
        memcpy(k->bytes + at, bytes, size);
    }
    k->size += size;
    return at;
}

/* --- what a context's packets are --- */

static enum sl_result on_about(void *user, const struct vgd_about *about)
{
    struct rep_kept *k = user;
    struct rep_kept_part part = {
        .about = *about, .ctx_id = k->ctx_id, .needs = k->serial_count, .first = k->packet_count};
    part.end = rep_kept_bytes(k, about->end, about->end_size);
    if (part.end == SIZE_MAX || !REP_GROW(k->parts, k->part_room, k->part_count)) {
        return SL_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < about->need_count; i++) {
        if (!REP_GROW(k->serials, k->serial_room, k->serial_count)) {
            return SL_ERR_NOMEM;
        }
        k->serials[k->serial_count++] = about->needs[i];
    }
    k->has_staying = k->has_staying || about->stays;
    part.about.needs = NULL;
    part.about.end = NULL;
    k->parts[k->part_count++] = part;
    return SL_OK;
}

static enum sl_result add_packet(struct rep_kept *k, const struct rep_kept_packet *packet)
{
    if (k->part_count == 0 || k->parts[k->part_count - 1].ctx_id != k->ctx_id) {
        const struct vgd_about fixed = {.rule = VGD_FIXED};
        enum sl_result result = on_about(k, &fixed);
        if (result != SL_OK) {
            return result;
        }
    }
    if (!REP_GROW(k->packets, k->packet_room, k->packet_count)) {
        return SL_ERR_NOMEM;
    }
    k->packets[k->packet_count++] = *packet;
    k->parts[k->part_count - 1].count++;
    return SL_OK;
}

static enum sl_result on_packet(void *user, uint32_t ring_id, const void *packet, size_t size,
                                const void *reply, size_t reply_size)
{
    struct rep_kept *k = user;
    reply_size = reply != NULL ? reply_size : 0;
    size_t at = rep_kept_bytes(k, packet, size);
    if (at == SIZE_MAX || rep_kept_bytes(k, reply, reply_size) == SIZE_MAX) {
        return SL_ERR_NOMEM;
    }
    return add_packet(k, &(struct rep_kept_packet){.ring_id = ring_id,
                                                   .at = at,
                                                   .size = (uint32_t)size,
                                                   .reply_size = (uint32_t)reply_size});
}

static enum sl_result on_resource(void *user, uint32_t resource_id)
{
    struct rep_kept *k = user;
    if (rep_resource_find(k->rep, resource_id) == NULL) {
        return SL_ERR_NOTFOUND;
    }
    return add_packet(k, &(struct rep_kept_packet){.resource_id = resource_id});
}

static enum sl_result take_contexts(struct rep_kept *k)
{
    struct vgd *device = k->rep->device;
    const struct vgd_saver saver = {
        .user = k, .packet = on_packet, .resource = on_resource, .about = on_about};
    enum sl_result result = SL_OK;
    for (uint32_t i = 0; i < k->rep->context_count && result == SL_OK; i++) {
        k->ctx_id = k->rep->contexts[i];
        result = device->ops->ctx_save(device, k->ctx_id, &saver);
        result = result == SL_ERR_DEVICE_LOST ? SL_OK : result;
    }
    return result;
}

/* --- memory --- */

/* What the host keeps in it (a device's fences) is led by packets. */
static bool is_of_host(const struct rep_kept *k, uint32_t id)
{
    for (uint32_t i = 0; i < k->part_count; i++) {
        const struct rep_kept_part *part = &k->parts[i];
        for (uint32_t n = 0; part->about.rule == VGD_ONCE && n < part->count; n++) {
            const struct rep_kept_packet *packet = &k->packets[part->first + n];
            if (packet->ring_id == 0 && packet->resource_id == id) {
                return true;
            }
        }
    }
    return false;
}

static enum sl_result take_resources(struct rep_kept *k)
{
    uint32_t cursor = 0;
    uint64_t key;
    for (const struct rep_resource *r;
         (r = sl_map_next(&k->rep->resources, &cursor, &key)) != NULL;) {
        struct rep_kept_resource one = {.id = r->id,
                                        .serial = r->serial,
                                        .origin = r->origin,
                                        .is_mapped = r->map != NULL,
                                        .is_pages = r->pages != NULL,
                                        .has_ring = r->ring != NULL,
                                        .is_host = r->ring != NULL || is_of_host(k, r->id)};
        const void *bytes = one.is_pages ? r->pages : r->map;
        one.size = one.is_host || bytes == NULL ? 0 : one.is_pages ? r->pages_size : r->size;
        one.at = rep_kept_bytes(k, bytes, one.size);
        if (one.at == SIZE_MAX || !REP_GROW(k->resources, k->resource_room, k->resource_count)) {
            return SL_ERR_NOMEM;
        }
        k->resources[k->resource_count++] = one;
    }
    return SL_OK;
}

const struct rep_kept_resource *rep_kept_resource(const struct rep_kept *kept, uint32_t id)
{
    for (uint32_t i = 0; i < kept->resource_count; i++) {
        if (kept->resources[i].id == id) {
            return &kept->resources[i];
        }
    }
    return NULL;
}

/* --- all of it --- */

static bool come_to_rest(struct rep *rep)
{
    uint64_t begin = sl_clock_ns();
    (void)__atomic_fetch_or(&rep->epoch, VGD_EPOCH_REST, __ATOMIC_SEQ_CST);
    while (!rep->device->ops->rest(rep->device, true)) {
        if (sl_clock_ns() - begin > REST_NS) {
            return false;
        }
        sl_clock_sleep_ns(SLICE_NS);
    }
    return true;
}

enum sl_result rep_kept_take(struct rep_kept *kept, struct rep *rep)
{
    *kept = (struct rep_kept){.rep = rep};
    enum sl_result result = come_to_rest(rep) ? take_contexts(kept) : SL_ERR_AGAIN;
    if (result == SL_OK) {
        result = take_resources(kept);
    }
    (void)__atomic_fetch_and(&rep->epoch, ~VGD_EPOCH_REST, __ATOMIC_SEQ_CST);
    (void)rep->device->ops->rest(rep->device, false);
    return result;
}

void rep_kept_finish(struct rep_kept *kept)
{
    sl_free(kept->bytes);
    sl_free(kept->packets);
    sl_free(kept->parts);
    sl_free(kept->serials);
    sl_free(kept->resources);
    *kept = (struct rep_kept){0};
}
