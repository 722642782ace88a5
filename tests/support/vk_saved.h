/* What a context saves, kept and played to another one. */
#ifndef VK_SAVED_H
#define VK_SAVED_H

#include "tests/support/vk_world.h"

struct vk_saved {
    uint8_t *bytes; /* packets, one behind the other */
    size_t size;
    uint32_t packets;
    /* What the device answers when a resource is named; NULL: NOTFOUND. */
    enum sl_result (*resource)(void *user, uint32_t resource_id);
    void *user;
};

/* The world's context as packets; what was in `saved` goes. */
enum sl_result vk_saved_take(struct vk_saved *saved, struct vk_world *world);
/* Feeds them to the world's main ring; the world's turns go on as the saved context's did. */
void vk_saved_play(const struct vk_saved *saved, struct vk_world *world, uint32_t turn);
/* Fails the case where they differ, and says at which packet. */
void vk_saved_compare(const struct vk_saved *a, const struct vk_saved *b);
void vk_saved_finish(struct vk_saved *saved);

/* A host whose context is saved, with a device, and one that it is played to. */
struct vk_pair {
    struct vk_world here, there;
    struct vk_saved saved, again;
};

/* What is in the worlds' options stays. */
void vk_pair_init(struct vk_pair *pair);
void vk_pair_finish(struct vk_pair *pair);

#endif
