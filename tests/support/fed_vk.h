/* A Vulkan context of the host whose native driver does nothing and whose ring is fed with bytes:
 * every decoder and hand-written handler, on the caller's thread, without Mesa. For fuzzers and
 * tests. */
#ifndef FED_VK_H
#define FED_VK_H

#include "host/ring/ring.h"
#include "host/vulkan/hvk_provider.h"
#include "tests/support/task_count.h"

struct fed_vk {
    struct task_count tasks; /* first: hct_env's user */
    struct hct_env env;
    struct hvk_provider *provider;
    struct hct_context *context;
    struct hvk_context *vulkan; /* the same */
    struct hr_config config;
    void *state;
    struct hr_ring *ring;
    uint32_t turn; /* of the packet fed last */
    struct vk_pack pack;
    uint8_t *last_reply; /* at most FED_VK_REPLY bytes of it are kept */
    size_t last_reply_size;
    uint64_t replies;
    bool lost;
};
#define FED_VK_REPLY 65536u

/* The provider, a context and its ring; nothing made in it. False: no memory. */
bool fed_vk_init(struct fed_vk *fed);
/* Feeds what is in fed->pack, one packet with its turn word still to be written, and empties it.
 * False: the ring is over. */
bool fed_vk_send(struct fed_vk *fed);
/* Some bytes as one packet, its turn written where it has one. */
bool fed_vk_packet(struct fed_vk *fed, uint8_t *packet, size_t size, bool staged);
/* Makes an instance, a device with a queue, and one or two of most kinds, by packets. */
bool fed_vk_populate(struct fed_vk *fed);
/* The id of a living object of that kind, the n-th modulo how many there are; 0: none. */
uint64_t fed_vk_some(struct fed_vk *fed, uint32_t kind, uint32_t n);
void fed_vk_finish(struct fed_vk *fed);

#endif
