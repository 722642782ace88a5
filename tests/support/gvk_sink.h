/* The guest driver above a stream that takes every packet and gives the answers that a test has
 * prepared: gvk_stream.c and gvk_host.c are not taken from the library. One at a time. */
#ifndef GVK_SINK_H
#define GVK_SINK_H

#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_command.h"
#include "guest/vulkan/gvk_descriptor.h"
#include "tests/support/slt.h"
#include "wire/vk_opcodes.h"

#define SINK_PACKETS_MAX 32
#define GARBAGE          ((void *)0x10) /* any use of it ends the test */

struct gvk_sink_packet {
    uint32_t opcode;
    size_t size;
    uint8_t bytes[4096];
};

struct gvk_sink {
    struct gvk_host host;
    struct gvk_stream stream;
    struct gvk_device device;
    struct gvk_queue queue;
    struct gvk_sink_packet packets[SINK_PACKETS_MAX];
    uint32_t packet_count;
    uint8_t reply[256];
    size_t reply_size;
    VkResult later; /* the answer of all calls but the first */
    bool has_later, answered;
    struct vg vg;
    struct gs_device gs;
    uint32_t words[8]; /* of the last submit to the device */
    int given;         /* its fence */
};

extern struct gvk_sink *gvk_sink; /* the case's */

void sink_init(void *user);
void sink_finish(void *user);
VkDevice sink_device(void);
VkQueue sink_queue(void);
/* More of the next call's answer. */
void sink_reply_put(const void *data, size_t size);
/* The next call's answer: `count` ids from `id` on, and success. */
void sink_answer(uint64_t id, uint32_t count);
void sink_forget(void);
VkCommandPool sink_pool(void);
VkCommandBuffer sink_buffer(VkCommandPool pool, VkCommandBufferLevel level, uint64_t id);
void sink_begin(VkCommandBuffer buffer);
void sink_submit(VkCommandBuffer buffer);

#endif
