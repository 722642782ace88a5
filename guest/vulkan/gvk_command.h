/* Command pools and command buffers. While it is recorded a command buffer belongs to one thread,
 * with its pool: Vulkan's rule of external synchronisation. Submits have no such rule: the same
 * command buffer may go to two queues on two threads, and one of them sends what was recorded. */
#ifndef GUEST_GVK_COMMAND_H
#define GUEST_GVK_COMMAND_H

#include "guest/vulkan/gvk.h"
#include "transport/base/mem.h"

/* Recorded bytes of one command buffer that the host has not yet. */
#define GVK_RECORDING_MAX ((size_t)256 << 20)
/* Memory for what is made ready for packing, in one command. */
#define GVK_CLEAN_MAX ((size_t)256 << 20)

struct gvk_command_pool {
    struct gvk_object object;
    struct sl_list buffers;     /* struct gvk_command_buffer.link */
    pthread_mutex_t flush_lock; /* held while what was recorded in a buffer is sent */
};

struct gvk_command_buffer {
    struct gvk_recorder recorder; /* pack: what was recorded since the last flush */
    uint32_t unsent;              /* atomic: it holds a whole recording */
    struct gvk_command_pool *pool;
    struct sl_list link;   /* in the pool's buffers */
    struct sl_arena arena; /* copies that a command is packed from */
    bool primary;
    /* Executed by this recording: alive as long as it may be submitted (Vulkan's rule), looked at
     * then alone. */
    struct gvk_command_buffer **secondaries;
    uint32_t secondary_count;
    uint32_t secondary_capacity;
};

/* The command buffer that a hand-written command records in, its arena empty. */
static inline struct gvk_command_buffer *gvk_recording(VkCommandBuffer handle)
{
    struct gvk_command_buffer *buffer = GVK_FROM(gvk_command_buffer, handle);
    sl_arena_reset(&buffer->arena);
    return buffer;
}

/* Sends what was recorded and is not with the host yet, executed command buffers first. Nothing
 * new: no packet. False: no memory when it was recorded, or the host is gone. */
bool gvk_command_flush(struct gvk_queue *queue, struct gvk_command_buffer *buffer);

#endif
