/* What the packets of a snapshot are about, for who compares one with another: what each object is,
 * with what it was made of, and the packets that end it. */
#include "host/vulkan/hvk_save.h"

#include "host/vk_destroy.h"
#include "transport/base/mem.h"

#define HEADER 12u /* opcode, length, turn */

void hvk_save_about(struct hvk_save *s, const struct vgd_about *about)
{
    if (hvk_save_is_whole(s) && s->result == SL_OK) {
        s->result = s->saver->about(s->saver->user, about);
    }
}

/* --- what ends one --- */

/* A layout that is destroyed stays for commands that still come; the second time it goes. */
uint32_t hvk_save_ends(uint32_t kind)
{
    return kind == VK_KIND_VkPipelineLayout ? 2 : 1;
}

/* False: nothing destroys it. */
bool hvk_save_pack_end(struct vk_pack *pack, const struct hvk_birth *birth, uint64_t id)
{
    uint32_t opcode = vk_destroy_opcode(birth->kind);
    if (opcode == 0) {
        return false;
    }
    size_t start = vk_pack_begin(pack, opcode);
    vk_pack_u32(pack, 0);                                   /* turn */
    vk_pack_u64(pack, sl_load_u64(birth->packet + HEADER)); /* its device */
    vk_pack_u64(pack, id);
    vk_pack_u64(pack, 0); /* no allocator */
    vk_pack_end(pack, start);
    return true;
}

/* --- what one is, for who compares --- */

/* Numbers made of others; two of one sum are the same, as far as anybody can tell. */
static uint64_t mixed(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * 0x9e3779b97f4a7c15ull;
    return sum ^ sum >> 29;
}

static uint64_t mixed_bond(uint64_t sum, const struct hvk_bond *bond)
{
    return bond->to != NULL ? mixed(sum, bond->serial) : sum;
}

/* What cannot be undone without making the object anew: bonds, signals, what a pool has given. */
static uint64_t state_of(struct hvk_save *s, uint32_t kind, const struct hvk_object *object)
{
    uint64_t sum = 0;
    if (kind == VK_KIND_VkBuffer) {
        return mixed_bond(sum, &((const struct hvk_buffer *)(const void *)object)->memory);
    }
    if (kind == VK_KIND_VkImage) {
        for (uint32_t i = 0; i < HVK_PLANES; i++) {
            sum = mixed_bond(sum, &((const struct hvk_image *)(const void *)object)->memory[i]);
        }
    } else if (kind == VK_KIND_VkSemaphore) {
        sum = hvk_save_signal(s, (const void *)object);
    } else if (kind == VK_KIND_VkDescriptorPool) {
        const struct hvk_pool *pool = (const void *)object;
        SL_LIST_FOR(item, &pool->sets)
        {
            const struct hvk_set *set = SL_CONTAINER(item, struct hvk_set, link);
            const struct hvk_birth *birth =
                hvk_birth_of(s->context, VK_KIND_VkDescriptorSet, set->object.id);
            sum += birth != NULL ? mixed_bond(mixed(set->object.id, birth->serial), &set->layout)
                                 : 0; /* in any order */
        }
    }
    return sum;
}

/* The packet that ends one goes behind those in s->ending, where it does not go with what it is of.
 */
static void pack_end_of(struct hvk_save *s, const struct hvk_birth *birth, uint64_t id,
                        const struct hvk_object *object)
{
    if (birth->kind == VK_KIND_VkCommandBuffer && object != NULL) {
        const struct hvk_command_buffer *b = (const void *)object;
        VkCommandBuffer buffer = HVK_HANDLE(VkCommandBuffer, id);
        vk_pack_vkFreeCommandBuffers(&s->ending, 0, HVK_HANDLE(VkDevice, object->device->object.id),
                                     HVK_HANDLE(VkCommandPool, b->pool->object.id), 1, &buffer);
    }
    const struct hvk_pipeline_layout *layout = (const void *)object;
    bool is_retired = birth->kind == VK_KIND_VkPipelineLayout && object != NULL &&
                      !sl_list_empty(&layout->retired);
    for (uint32_t i = is_retired ? 1 : 0; i < hvk_save_ends(birth->kind); i++) {
        (void)hvk_save_pack_end(&s->ending, birth, id);
    }
}

static const struct hvk_bond *bond_of(uint32_t kind, const struct hvk_object *object, uint32_t i)
{
    if (object != NULL && kind == VK_KIND_VkImage) {
        return &((const struct hvk_image *)(const void *)object)->memory[i];
    }
    return object != NULL && kind == VK_KIND_VkBuffer && i == 0
               ? &((const struct hvk_buffer *)(const void *)object)->memory
               : NULL;
}

/* What it is allocated from, which births do not name. NULL: nothing. */
static const struct hvk_birth *pool_birth(const struct hvk_save *s, uint32_t kind,
                                          const struct hvk_object *object)
{
    if (object != NULL && kind == VK_KIND_VkDescriptorSet) {
        const struct hvk_set *set = (const void *)object;
        return hvk_birth_of(s->context, VK_KIND_VkDescriptorPool, set->pool->object.id);
    }
    if (object != NULL && kind == VK_KIND_VkCommandBuffer) {
        const struct hvk_command_buffer *b = (const void *)object;
        return hvk_birth_of(s->context, VK_KIND_VkCommandPool, b->pool->object.id);
    }
    return NULL;
}

/* What a packet has made is about to come; the first that is still there gives it its name. */
void hvk_save_about_birth(struct hvk_save *s, const struct hvk_birth *birth)
{
    uint64_t *needs = sl_alloc_array(birth->need_count + HVK_PLANES + 1, sizeof *needs);
    if (needs == NULL) {
        hvk_save_fail(s, SL_ERR_NOMEM, "no memory");
        return;
    }
    struct vgd_about about = {.rule = VGD_MAKES,
                              .kind = birth->kind,
                              .id = birth->made[0],
                              .serial = birth->serial,
                              .passes = true,
                              .needs = needs,
                              .end_ring = s->ring_id};
    for (uint32_t i = 0; i < birth->need_count; i++) {
        needs[about.need_count++] = birth->needs[i]->serial;
    }
    vk_pack_reset(&s->ending);
    bool has_pool = false;
    for (uint32_t i = 0; i < birth->made_count; i++) {
        uint64_t id = birth->made[i];
        bool is_there = hvk_birth_of(s->context, birth->kind, id) == birth;
        const struct hvk_object *object =
            is_there ? hvk_find(s->context, birth->kind, id, NULL) : NULL;
        if (object != NULL && about.passes) {
            about.id = id;
            about.passes = false;
        }
        about.state = object != NULL ? mixed(about.state, state_of(s, birth->kind, object))
                                     : mixed(about.state, i + 1);
        const struct hvk_birth *pool = pool_birth(s, birth->kind, object);
        if (pool != NULL && !has_pool) {
            has_pool = true;
            needs[about.need_count++] = pool->serial;
        }
        for (uint32_t k = 0; i == 0 && k < HVK_PLANES; k++) {
            const struct hvk_bond *bond = bond_of(birth->kind, object, k);
            if (bond != NULL && bond->to != NULL) {
                needs[about.need_count++] = bond->to->serial;
            }
        }
        pack_end_of(s, birth, id, object);
    }
    about.end = s->ending.data;
    about.end_size = vk_pack_size(&s->ending);
    hvk_save_about(s, &about);
    sl_free(needs);
}

/* Made again with the object. */
void hvk_save_about_bond(struct hvk_save *s, uint32_t kind, const struct hvk_object *object,
                         uint32_t plane)
{
    const struct hvk_birth *birth = hvk_birth_of(s->context, kind, object->id);
    const struct vgd_about about = {.rule = VGD_FILLS,
                                    .kind = HVK_ABOUT_BOND + kind,
                                    .id = object->id,
                                    .place = plane,
                                    .serial = birth != NULL ? birth->serial : 0};
    hvk_save_about(s, &about);
}

void hvk_save_about_retired(struct hvk_save *s, uint64_t id)
{
    const struct hvk_birth *birth = hvk_birth_of(s->context, VK_KIND_VkPipelineLayout, id);
    const struct vgd_about about = {.rule = VGD_FILLS,
                                    .kind = HVK_ABOUT_STATE + VK_KIND_VkPipelineLayout,
                                    .id = id,
                                    .place = 1,
                                    .serial = birth != NULL ? birth->serial : 0};
    hvk_save_about(s, &about);
}
