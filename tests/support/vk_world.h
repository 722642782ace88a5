/* A guest process's Vulkan context of the host on the native driver, its rings fed with packets by
 * the test: no device, no transport. One thread per ring. */
#ifndef VK_WORLD_H
#define VK_WORLD_H

#include "host/vulkan/hvk_provider.h"
#include "tests/support/slt.h"
#include "tests/support/task_count.h"
#include "wire/vk_pack.h"
#include "wire/vk_reply.h"

struct vk_world;

struct vk_guest_ring {
    struct vk_world *world;
    struct hr_ring *ring;
    void *state; /* the context's */
    struct vk_pack pack;
    struct sl_arena arena;
    uint8_t *reply; /* of the packet fed last */
    size_t reply_size;
    uint32_t replies; /* since the ring was opened */
    bool lost;
    char reason[256];
};

struct vk_world {
    struct task_count tasks;    /* first: hct_env's user */
    struct hct_options options; /* set before vk_world_open */
    struct hct_env env;
    struct hct_provider *provider;
    struct hct_context *context;
    struct vk_guest_ring main;
    uint32_t turn; /* the last number given */
    bool wants_more; /* of the device: extensions that draw, and their features. Set before it */
    /* vk_world_device: ids */
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice device;
    VkQueue queue;
};

/* Fixture: the provider with default options, a context and its first ring. Skips without Vulkan.
 */
void vk_world_init(struct vk_world *world);
void vk_world_finish(struct vk_world *world);
/* preamble: the stream's first word. */
void vk_ring_open(struct vk_world *world, struct vk_guest_ring *ring, uint32_t preamble);
void vk_ring_close(struct vk_guest_ring *ring);
/* Feed what is packed. */
void vk_ring_feed(struct vk_guest_ring *ring);
struct vk_unpack vk_ring_answer(struct vk_guest_ring *ring);
/* Instance, first physical device, device with one queue of family 0, queue. */
void vk_world_device(struct vk_world *world);

static inline struct hvk_context *vk_world_context(struct vk_world *world)
{
    return (struct hvk_context *)(void *)world->context; /* first member */
}

/* One packet with the next number. */
#define VK_SEND(ring_, X, ...)                                                                     \
    do {                                                                                           \
        struct vk_guest_ring *r_ = (ring_);                                                        \
        vk_pack_reset(&r_->pack);                                                                  \
        vk_pack_vk##X(&r_->pack, ++r_->world->turn, __VA_ARGS__);                                  \
        vk_ring_feed(r_);                                                                          \
    } while (0)
/* Its reply, all of it, into the same arguments; behind them the result's place where there is one.
 */
#define VK_READ(ring_, X, ...)                                                                     \
    do {                                                                                           \
        struct vk_unpack u_ = vk_ring_answer(ring_);                                               \
        SLT_ASSERT_TRUE(vk_read_reply_vk##X(&u_, __VA_ARGS__));                                    \
    } while (0)

#endif
