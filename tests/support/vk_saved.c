#include "tests/support/vk_saved.h"

#include "wire/vk_names.h"

#include <stdlib.h>
#include <string.h>

static enum sl_result on_packet(void *user, uint32_t ring_id, const void *packet, size_t size,
                                const void *reply, size_t reply_size)
{
    struct vk_saved *saved = user;
    (void)ring_id, (void)reply, (void)reply_size;
    uint8_t *more = realloc(saved->bytes, saved->size + size);
    if (more == NULL) {
        return SL_ERR_NOMEM;
    }
    memcpy(more + saved->size, packet, size);
    saved->bytes = more;
    saved->size += size;
    saved->packets++;
    return SL_OK;
}

static enum sl_result on_resource(void *user, uint32_t resource_id)
{
    struct vk_saved *saved = user;
    return saved->resource != NULL ? saved->resource(saved->user, resource_id) : SL_ERR_NOTFOUND;
}

enum sl_result vk_saved_take(struct vk_saved *saved, struct vk_world *world)
{
    const struct vgd_saver saver = {.user = saved, .packet = on_packet, .resource = on_resource};
    vk_saved_finish(saved);
    return world->context->ops->save(world->context, &saver);
}

void vk_saved_play(const struct vk_saved *saved, struct vk_world *world, uint32_t turn)
{
    struct vk_guest_ring *ring = &world->main;
    for (size_t at = 0; at < saved->size;) {
        uint32_t size = sl_load_u32(saved->bytes + at + 4);
        SLT_SCOPE("%s", vk_op_name(sl_load_u32(saved->bytes + at)));
        vk_pack_reset(&ring->pack);
        vk_pack_bytes(&ring->pack, saved->bytes + at, size);
        vk_ring_feed(ring);
        SLT_EXPECT_STREQ("", ring->reason);
        SLT_ASSERT_TRUE(!ring->lost);
        at += size;
    }
    world->turn = turn;
}

void vk_saved_compare(const struct vk_saved *a, const struct vk_saved *b)
{
    size_t at = 0;
    while (at < a->size && at < b->size) {
        uint32_t opcode = sl_load_u32(a->bytes + at), size = sl_load_u32(a->bytes + at + 4);
        SLT_SCOPE("packet %u, %s", sl_load_u32(a->bytes + at + 8), vk_op_name(opcode));
        SLT_ASSERT_STREQ(vk_op_name(opcode), vk_op_name(sl_load_u32(b->bytes + at)));
        SLT_ASSERT_TRUE(size <= b->size - at && memcmp(a->bytes + at, b->bytes + at, size) == 0);
        at += size;
    }
    SLT_EXPECT_EQ(a->size, b->size);
}

void vk_saved_finish(struct vk_saved *saved)
{
    free(saved->bytes);
    saved->bytes = NULL;
    saved->size = 0;
    saved->packets = 0;
}

void vk_pair_init(struct vk_pair *pair)
{
    vk_world_init(&pair->here);
    vk_world_device(&pair->here);
    pair->there.options.restores = true;
    vk_world_init(&pair->there);
}

void vk_pair_finish(struct vk_pair *pair)
{
    vk_saved_finish(&pair->saved);
    vk_saved_finish(&pair->again);
    vk_world_finish(&pair->there);
    vk_world_finish(&pair->here);
}
