/* What a command buffer names must live when it is submitted: drivers keep pointers to it, and die
 * of those that something has ended behind.
 *
 * While commands are recorded each handle that they name is noted, with the native one that was
 * found for it: an id may be chosen again. A submit looks whether all of them are still what they
 * were, at most once for each end of something. The notes belong to who holds the pool's lock, or
 * has the turn while nobody records. */
#include "host/vulkan/hvk_birth.h"
#include "host/vulkan/hvk_query.h"

#include "transport/base/mem.h"

#define ROOM_START 32u
#define ROOM_MAX   (1u << 24)

/* Kinds of our own: queries of a pool, whose id it is, and of them those that are reset; `native`
 * is first << 32 | count. */
#define QUERIES 255u
#define RESETS  254u
_Static_assert(VK_KIND_END <= RESETS, "kinds");

/* Kinds that drivers keep nothing of behind the command that names them. */
static bool is_consumed(uint32_t kind)
{
    switch (kind) {
    case VK_KIND_VkPipelineLayout:
    case VK_KIND_VkDescriptorUpdateTemplate:
        return true;
    default:
        return false;
    }
}

/* The native object that an id stands for now, and which of its states; for a set's the table has
 * its record. object: nullable. */
static uint64_t native_of(uint32_t kind, uint64_t native, const struct hvk_object *object)
{
    uint32_t generation = 0;
    if (kind == VK_KIND_VkDescriptorSet) {
        const struct hvk_set *set = (const struct hvk_set *)(uintptr_t)native;
        native = set->native;
        generation = set->generation;
    } else if (kind == VK_KIND_VkCommandBuffer && object != NULL) {
        generation = SL_CONTAINER(object, struct hvk_command_buffer, object)->generation;
    }
    return native != 0 ? native ^ (uint64_t)generation << 48 : 0;
}

/* Kinds that are reset, and must know what they were submitted for. */
static bool has_work(uint32_t kind)
{
    return kind == VK_KIND_VkCommandBuffer || kind == VK_KIND_VkDescriptorSet || kind >= RESETS;
}

static bool make_room(struct hvk_uses *uses)
{
    if (uses->count < uses->room) {
        return true;
    }
    uint32_t room = uses->room != 0 ? uses->room * 2 : ROOM_START;
    struct hvk_use *more = room <= ROOM_MAX ? sl_realloc(uses->list, room * sizeof *more) : NULL;
    if (more == NULL) {
        return false;
    }
    uses->list = more;
    uses->room = room;
    return true;
}

void hvk_uses_note(struct vk_unpack *u, uint32_t kind, uint64_t id, uint64_t native)
{
    struct hvk_uses *uses = u->user;
    struct hvk_object *object = NULL;
    uint64_t found;
    void *record;
    if (kind == VK_KIND_VkCommandBuffer && sl_ids_find(u->ids, kind, id, &found, &record)) {
        object = record;
    }
    const struct hvk_use use = {.name = (uint64_t)kind << 56 | id,
                                .native = is_consumed(kind) ? 0 : native_of(kind, native, object)};
    uint32_t *recent = &uses->recent[id % HVK_USES_RECENT];
    if (use.native == 0 || (*recent < uses->count && uses->list[*recent].name == use.name &&
                            uses->list[*recent].native == use.native)) {
        return;
    }
    if (!make_room(uses)) {
        vk_unpack_fail(u, "no memory for what it names");
        return;
    }
    uses->has_work = uses->has_work || has_work(kind);
    uses->list[uses->count] = use;
    *recent = uses->count++;
    uses->alive_at = 0;
}

void hvk_uses_queries(struct vk_unpack *u, uint64_t pool_id, uint32_t first, uint32_t count)
{
    hvk_uses_note(u, QUERIES, pool_id, (uint64_t)first << 32 | count);
}

void hvk_uses_resets(struct vk_unpack *u, uint64_t pool_id, uint32_t first, uint32_t count)
{
    hvk_uses_note(u, RESETS, pool_id, (uint64_t)first << 32 | count);
}

bool hvk_uses_is_reset(const struct hvk_uses *uses, uint64_t pool_id, uint32_t query)
{
    for (uint32_t i = 0; i < uses->count; i++) {
        const struct hvk_use *use = &uses->list[i];
        if (use->name == ((uint64_t)RESETS << 56 | pool_id) &&
            query - (uint32_t)(use->native >> 32) < (uint32_t)use->native) {
            return true;
        }
    }
    return false;
}

void hvk_uses_forget(struct hvk_uses *uses)
{
    uses->count = 0;
    uses->has_work = false;
    uses->alive_at = 0;
}

void hvk_uses_finish(struct hvk_uses *uses)
{
    sl_free(uses->list);
    *uses = (struct hvk_uses){0};
}

/* The memory that was bound; where its birth was not kept there is nothing to say. */
static bool memory_lives(const struct hvk_context *context, const struct hvk_bond *bond)
{
    return bond->to == NULL ||
           hvk_birth_of(context, VK_KIND_VkDeviceMemory, bond->to->made[0]) == bond->to;
}

/* Of buffers and images: all they need is bound, and there. */
static bool memories_live(const struct hvk_context *context, uint32_t kind,
                          const struct hvk_object *object)
{
    bool live = true;
    if (kind == VK_KIND_VkBuffer) {
        const struct hvk_buffer *buffer = SL_CONTAINER(object, struct hvk_buffer, object);
        live = buffer->is_bound && memory_lives(context, &buffer->memory);
    } else if (kind == VK_KIND_VkImage) {
        const struct hvk_image *image = SL_CONTAINER(object, struct hvk_image, object);
        live = image->bound != 0;
        for (uint32_t i = 0; i < HVK_PLANES; i++) {
            live = live && memory_lives(context, &image->memory[i]);
        }
    }
    return live;
}

static bool is_alive(const struct hvk_context *context, const struct hvk_use *use)
{
    uint32_t kind = (uint32_t)(use->name >> 56);
    uint64_t native;
    if (kind >= RESETS) {
        return true; /* the pool is named, too */
    }
    const struct hvk_object *object =
        hvk_find(context, kind, use->name & 0xffffffffffffffull, &native);
    return object != NULL && native_of(kind, native, object) == use->native &&
           memories_live(context, kind, object);
}

static bool all_alive(const struct hvk_context *context, struct hvk_uses *uses)
{
    for (uint32_t i = 0; i < uses->count; i++) {
        if (!is_alive(context, &uses->list[i])) {
            return false;
        }
    }
    return true;
}

/* Of the buffers that it executes: they may have been recorded anew. */
static bool executed_alive(const struct hvk_context *context, const struct hvk_uses *uses)
{
    for (uint32_t i = 0; i < uses->count; i++) {
        if (uses->list[i].name >> 56 == VK_KIND_VkCommandBuffer) {
            struct hvk_object *object = hvk_uses_executed(uses, i, context);
            struct hvk_command_buffer *b = (struct hvk_command_buffer *)(void *)object;
            if (b == NULL || !all_alive(context, &b->uses)) {
                return false;
            }
        }
    }
    return true;
}

bool hvk_uses_alive(const struct hvk_context *context, struct hvk_uses *uses)
{
    if (uses->alive_at == context->ended + 1) {
        return true;
    }
    if (!all_alive(context, uses) || !executed_alive(context, uses)) {
        return false;
    }
    uses->alive_at = context->ended + 1;
    return true;
}

struct hvk_object *hvk_uses_executed(const struct hvk_uses *uses, uint32_t i,
                                     const struct hvk_context *context)
{
    const struct hvk_use *use = &uses->list[i];
    return use->name >> 56 == VK_KIND_VkCommandBuffer
               ? hvk_find(context, VK_KIND_VkCommandBuffer, use->name & 0xffffffffffffffull, NULL)
               : NULL;
}

static void give(struct hvk_object *object, struct hvk_queue *queue)
{
    if (object == NULL) {
        return;
    }
    if (object->kind == VK_KIND_VkDescriptorSet) {
        struct hvk_set *set = SL_CONTAINER(object, struct hvk_set, object);
        hvk_work_give(&set->work, queue);
        hvk_work_give(&set->pool->work, queue);
    } else if (object->kind == VK_KIND_VkCommandBuffer) {
        struct hvk_command_buffer *b = SL_CONTAINER(object, struct hvk_command_buffer, object);
        hvk_work_give(&b->work, queue);
        if (b->level == VK_COMMAND_BUFFER_LEVEL_SECONDARY) { /* executes no others */
            hvk_uses_give(&b->uses, queue);
        }
    }
}

void hvk_uses_give(const struct hvk_uses *uses, struct hvk_queue *queue)
{
    const struct hvk_context *context = queue->object.device->context;
    for (uint32_t i = 0; uses->has_work && i < uses->count; i++) {
        const struct hvk_use *use = &uses->list[i];
        uint32_t kind = (uint32_t)(use->name >> 56);
        uint64_t id = use->name & 0xffffffffffffffull;
        uint32_t first = (uint32_t)(use->native >> 32), count = (uint32_t)use->native;
        if (kind == QUERIES) {
            struct hvk_object *pool = hvk_find(context, VK_KIND_VkQueryPool, id, NULL);
            hvk_queries_give((struct hvk_query_pool *)(void *)pool, first, count, queue);
        } else if (kind == RESETS) {
            struct hvk_query_pool *pool = hvk_queries_find(context, id, first, count);
            if (pool != NULL) {
                hvk_queries_forget(pool, first, count);
            }
        } else if (has_work(kind)) {
            give(hvk_find(context, kind, id, NULL), queue);
        }
    }
}

uint32_t hvk_uses_serials(const struct hvk_context *context, const struct hvk_uses *uses,
                          uint64_t *out, uint32_t room)
{
    for (uint32_t i = 0; i < uses->count && i < room; i++) {
        uint32_t kind = (uint32_t)(uses->list[i].name >> 56);
        const struct hvk_birth *birth =
            hvk_birth_of(context, kind >= RESETS ? VK_KIND_VkQueryPool : kind,
                         uses->list[i].name & ((1ull << 56) - 1));
        out[i] = birth != NULL ? birth->serial : 0;
    }
    return uses->count;
}
