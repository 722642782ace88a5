#include "tools/sluice/trim_reach_priv.h"
#include "tools/plan/plan.h"
#include "tools/plan/vk_plan.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"
#include "transport/virtgpu/proto.h"

#include "tables/vk_plan.h"
#include "wire/vk_kinds.h"
#include "wire/vk_opcodes.h"

#include <string.h>
#include <vulkan/vulkan_core.h>

/* --- objects --- */

/* NULL: no memory. */
static struct node *node_of(struct reach *r, enum sort sort, uint32_t ctx, uint64_t id)
{
    uint64_t space = (uint64_t)ctx << 32 | sort;
    struct node *node = sl_map_find_in(&r->by_id, space, id);
    if (node != NULL) {
        return node;
    }
    node = r->has_failed || r->by_id.live == NODES ? NULL : &r->nodes[r->by_id.live];
    if (node == NULL || sl_map_add_in(&r->by_id, space, id, node) != SL_OK) {
        r->has_failed = true;
        return NULL;
    }
    return node;
}

void reach_use(struct reach *r, enum sort sort, uint32_t ctx, uint64_t id)
{
    struct node *node = id != 0 ? node_of(r, sort, ctx, id) : NULL;
    if (node != NULL) {
        node->is_used = true;
    }
}

bool reach_is_used(struct reach *r, enum sort sort, uint32_t ctx, uint64_t id)
{
    const struct node *node = node_of(r, sort, ctx, id);
    return node == NULL || node->is_used;
}

static void need(struct reach *r, uint64_t who, uint64_t what)
{
    if (r->edge_count == r->edge_capacity) {
        uint32_t more = r->edge_capacity != 0 ? 2 * r->edge_capacity : 4096;
        struct edge *edges = more < EDGES ? sl_realloc(r->edges, more * sizeof *edges) : NULL;
        if (edges == NULL) {
            r->has_failed = true;
            return;
        }
        r->edges = edges;
        r->edge_capacity = more;
    }
    struct node *from = node_of(r, SORT_VULKAN, r->ctx, who);
    struct node *to = node_of(r, SORT_VULKAN, r->ctx, what);
    if (from != NULL && to != NULL) {
        r->edges[r->edge_count++] = (struct edge){from, to};
    }
}

/* What those that are used need. */
static void settle(struct reach *r)
{
    bool changed = !r->is_settled;
    r->is_settled = true;
    while (changed) {
        changed = false;
        for (uint32_t i = 0; i < r->edge_count; i++) {
            const struct edge *edge = &r->edges[i];
            if (edge->from->is_used && !edge->to->is_used) {
                edge->to->is_used = changed = true;
            }
        }
    }
}

/* --- Vulkan --- */

/* What all lies in, or goes through: it tells nothing. */
static bool is_common(uint32_t kind)
{
    return kind == VK_KIND_VkInstance || kind == VK_KIND_VkPhysicalDevice ||
           kind == VK_KIND_VkDevice || kind == VK_KIND_VkQueue || kind == VK_KIND_VkCommandPool ||
           kind == VK_KIND_VkDescriptorPool || kind == VK_KIND_VkPipelineCache;
}

static void on_handle(void *user, uint32_t kind, uint64_t id, bool made, FILE *out)
{
    struct reach *r = user;
    (void)out;
    if (made && id == 0 && r->in_request) { /* the host's choice, of which vkRestoreSLUICE told */
        id = r->next_id < r->id_count ? r->ids[r->next_id] : 0;
        r->has_failed = r->has_failed || r->next_id++ >= r->id_count;
    }
    if (id == 0 || is_common(kind)) {
        return;
    }
    uint32_t *count = made ? &r->made_count : &r->named_count;
    if (*count == HANDLES) {
        r->has_failed = true;
        return;
    }
    (made ? r->made : r->named)[(*count)++] = id;
}

/* A binding of the two objects that were named last: the object, its memory. */
static void lay(struct reach *r, uint64_t offset)
{
    if (r->named_count < 2 || r->place_count == PLACES) {
        r->has_failed = r->has_failed || r->place_count == PLACES;
        return;
    }
    uint64_t object = r->named[r->named_count - 2], memory = r->named[r->named_count - 1];
    const struct node *node = node_of(r, SORT_VULKAN, r->ctx, object);
    uint64_t size = node != NULL ? node->size : 0;
    r->places[r->place_count++] = (struct place){.memory = memory,
                                                 .object = object,
                                                 .offset = offset,
                                                 .size = size != 0 ? size : UINT64_MAX,
                                                 .ctx = r->ctx};
}

static void on_number(void *user, const struct vk_plan_field *field, const uint8_t *place)
{
    struct reach *r = user;
    if (field->size == 8 && strcmp(field->name, "blobId") == 0) {
        r->blob_id = sl_load_u64(place);
    } else if (field->size == 8 && strcmp(field->name, "memoryOffset") == 0) {
        lay(r, sl_load_u64(place));
    } else if (field->size == 8 && strcmp(field->name, "size") == 0) {
        r->size = r->size == 0 ? sl_load_u64(place) : r->size; /* what is asked for comes later */
    } else if (strcmp(field->name, "pIds") == 0) {
        r->has_failed = r->has_failed || r->id_count == HANDLES;
        r->ids[r->id_count < HANDLES ? r->id_count++ : 0] = sl_load_u64(place);
    } else if (field->size == 4 && strcmp(field->name, "usage") == 0 &&
               (sl_load_u32(place) & VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT) != 0) {
        r->has_address = true;
    } else if (strcmp(field->name, "dataSize") == 0) {
        r->size_place = place;
    }
}

static void walk(struct reach *r, const struct cap_event_call *call, bool in_snapshot)
{
    const struct plan_style style = {.user = r, .handle = on_handle, .number = on_number};
    uint32_t size =
        sl_load_u32(call->packet + 4) < call->size ? sl_load_u32(call->packet + 4) : call->size;
    r->ctx = call->ctx_id;
    r->made_count = r->named_count = 0;
    r->blob_id = r->size = 0;
    r->has_address = false;
    r->size_place = NULL;
    if (sl_load_u32(call->packet) == VK_OP_vkRestoreSLUICE) {
        r->id_count = r->next_id = 0;
    }
    r->in_request = in_snapshot;
    vk_plan_tell(&vk_plan, &style, call->packet, size, NULL, 0);
    r->in_request = false;
    if (call->reply_size != 0) {
        vk_plan_tell(&vk_plan, &style, call->packet, size, call->reply, call->reply_size);
    }
}

static void remember_size(struct reach *r)
{
    struct node *node = r->made_count != 0 ? node_of(r, SORT_VULKAN, r->ctx, r->made[0]) : NULL;
    if (node != NULL && r->size != 0) {
        node->size = r->size;
    }
}

static void remember_memory(struct reach *r)
{
    if (r->blob_id == 0 || r->made_count == 0 || r->memory_count == RESOURCES) {
        return;
    }
    r->memories[r->memory_count++] =
        (struct memory){.blob_id = r->blob_id, .id = r->made[0], .ctx = r->ctx};
}

static bool binds_memory(uint32_t opcode)
{
    return opcode == VK_OP_vkBindBufferMemory || opcode == VK_OP_vkBindBufferMemory2 ||
           opcode == VK_OP_vkBindBufferMemory2KHR || opcode == VK_OP_vkBindImageMemory ||
           opcode == VK_OP_vkBindImageMemory2 || opcode == VK_OP_vkBindImageMemory2KHR;
}

/* A packet of the snapshot: what is made needs what it is made of; what is put together belongs
 * together. */
static void relate(struct reach *r, uint32_t opcode)
{
    for (uint32_t i = 0; i < r->made_count; i++) {
        for (uint32_t k = 0; k < r->named_count; k++) {
            need(r, r->made[i], r->named[k]);
        }
    }
    if (binds_memory(opcode)) { /* an object and its memory, and so on */
        for (uint32_t i = 0; i + 1 < r->named_count; i += 2) {
            need(r, r->named[i], r->named[i + 1]);
        }
        return;
    }
    for (uint32_t i = 1; r->made_count == 0 && i < r->named_count; i++) {
        need(r, r->named[0], r->named[i]);
        if (opcode != VK_OP_vkQueueFlushCommandsGOOGLE) { /* whose first is the buffer */
            need(r, r->named[i], r->named[0]);
        }
    }
}

static void look_vulkan(struct reach *r, const struct cap_event_call *call, bool in_snapshot)
{
    uint32_t opcode = sl_load_u32(call->packet);
    walk(r, call, in_snapshot);
    if (in_snapshot) {
        relate(r, opcode);
        if (r->has_address && r->made_count != 0) {
            reach_use(r, SORT_VULKAN, r->ctx, r->made[0]);
        }
        if (opcode == VK_OP_vkAllocateMemory) {
            remember_memory(r);
        } else if (opcode == VK_OP_vkCreateBuffer ||
                   opcode == VK_OP_vkCreateBufferWithRequirementsGOOGLE) {
            remember_size(r);
        }
        return;
    }
    for (uint32_t i = 0; i < r->named_count; i++) {
        reach_use(r, SORT_VULKAN, r->ctx, r->named[i]);
    }
    for (uint32_t i = 0; i < r->made_count; i++) {
        reach_use(r, SORT_VULKAN, r->ctx, r->made[i]);
    }
    for (uint32_t i = 0; r->blob_id != 0 && i < r->memory_count; i++) { /* what is presented */
        const struct memory *m = &r->memories[i];
        if (m->blob_id == r->blob_id && m->ctx == r->ctx) {
            reach_use(r, SORT_VULKAN, r->ctx, m->id);
        }
    }
}

/* --- all records --- */

static bool is_vulkan(const struct cap_event_call *call)
{
    return call->capset == VIRTGPU_CAPSET_GFXSTREAM_VULKAN;
}

/* The memory that a blob is; NULL: none of Vulkan's. */
static const struct memory *memory_of_blob(const struct reach *r, const struct cap_verb_blob *blob)
{
    for (uint32_t i = r->memory_count; i-- != 0;) {
        if (r->memories[i].blob_id == blob->blob_id && r->memories[i].ctx == blob->ctx_id) {
            return &r->memories[i];
        }
    }
    return NULL;
}

static void look_verb(struct reach *r, const struct cap_event_verb *verb)
{
    struct cap_verb_blob blob;
    if (verb->verb != CAP_VERB_BLOB_CREATE || verb->size < sizeof blob) {
        return;
    }
    memcpy(&blob, verb->body, sizeof blob);
    const struct memory *memory = blob.blob_id != 0 ? memory_of_blob(r, &blob) : NULL;
    if (memory != NULL && sl_map_find(&r->resources, blob.resource_id) == NULL &&
        sl_map_add(&r->resources, blob.resource_id, (void *)(uintptr_t)memory) != SL_OK) {
        r->has_failed = true;
    }
}

void reach_look(struct reach *r, const struct cap_event *event, bool in_snapshot)
{
    if (event->kind == CAP_EVENT_VERB && in_snapshot) {
        look_verb(r, &event->verb);
    } else if (event->kind == CAP_EVENT_CALL && is_vulkan(&event->call)) {
        look_vulkan(r, &event->call, in_snapshot);
    } else if (event->kind == CAP_EVENT_CALL) {
        reach_look_gles(r, event->stream, &event->call, in_snapshot);
    }
}

/* Its turn is counted: it stays, with nothing to write. */
static void empty(struct reach *r, struct cap_event_call *call)
{
    uint64_t size = r->size_place != NULL ? sl_load_u64(r->size_place) : 0;
    if (size == 0 || size > call->size || call->size - size > PACKET || call->has_sum) {
        return;
    }
    uint32_t kept = call->size - (uint32_t)size, at = (uint32_t)(r->size_place - call->packet);
    if (at + 8 > kept) {
        return;
    }
    memcpy(r->packet, call->packet, kept);
    sl_store_u32(r->packet + 4, kept);
    sl_store_u64(r->packet + at, 0);
    call->packet = r->packet;
    call->size = kept;
    r->saved += size;
}

bool reach_drops(struct reach *r, struct cap_event *event)
{
    settle(r);
    if (r->has_failed) {
        return false;
    }
    if (event->kind != CAP_EVENT_CALL) {
        return false;
    }
    if (!is_vulkan(&event->call)) {
        return reach_drops_gles(r, event->stream, &event->call);
    }
    if (sl_load_u32(event->call.packet) == VK_OP_vkWriteMemorySLUICE) {
        walk(r, &event->call, false);
        if (r->named_count != 0 && !reach_is_used(r, SORT_VULKAN, r->ctx, r->named[0])) {
            empty(r, &event->call);
        }
    }
    return false;
}

/* It lies in buffers that are not used, and in nothing else that is known. */
static bool is_of_unused(struct reach *r, const struct memory *m, uint64_t offset, uint32_t size)
{
    bool inside = false;
    for (uint32_t i = 0; i < r->place_count; i++) {
        const struct place *p = &r->places[i];
        uint64_t end = p->size > UINT64_MAX - p->offset ? UINT64_MAX : p->offset + p->size;
        if (p->memory != m->id || p->ctx != m->ctx || offset >= end || offset + size <= p->offset) {
            continue;
        }
        if (reach_is_used(r, SORT_VULKAN, p->ctx, p->object)) {
            return false;
        }
        inside = inside || (offset >= p->offset && offset + size <= end);
    }
    return inside;
}

bool reach_drops_piece(struct reach *r, uint32_t resource_id, uint64_t offset, uint32_t size)
{
    settle(r);
    const struct memory *m = r->has_failed ? NULL : sl_map_find(&r->resources, resource_id);
    bool drops = m != NULL && (!reach_is_used(r, SORT_VULKAN, m->ctx, m->id) ||
                               is_of_unused(r, m, offset, size));
    r->saved += drops ? size : 0;
    return drops;
}

uint64_t reach_saved(const struct reach *r)
{
    return r->saved;
}

/* --- life --- */

struct reach *reach_create(void)
{
    struct reach *r = sl_alloc(sizeof *r);
    if (r == NULL) {
        return NULL;
    }
    *r = (struct reach){.nodes = sl_alloc_array(NODES, sizeof *r->nodes),
                        .memories = sl_alloc_array(RESOURCES, sizeof *r->memories),
                        .places = sl_alloc_array(PLACES, sizeof *r->places)};
    sl_map_init(&r->resources, RESOURCES);
    sl_map_init(&r->by_id, NODES);
    if (r->nodes == NULL || r->memories == NULL || r->places == NULL) {
        reach_destroy(r);
        return NULL;
    }
    return r;
}

void reach_destroy(struct reach *r)
{
    if (r != NULL) {
        sl_map_finish(&r->resources);
        sl_map_finish(&r->by_id);
        sl_free(r->places);
        sl_free(r->nodes);
        sl_free(r->edges);
        sl_free(r->memories);
        sl_free(r);
    }
}
