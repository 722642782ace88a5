#include "tests/support/gvk_sink.h"

#include <string.h>

struct gvk_sink *gvk_sink;

struct gvk_stream *gvk_stream_peek(const struct gvk_host *host)
{
    (void)host;
    return &gvk_sink->stream;
}

struct gvk_stream *gvk_begin(struct gvk_host *host)
{
    SLT_EXPECT_EQ(&gvk_sink->host, host);
    vk_pack_reset(&gvk_sink->stream.pack);
    return &gvk_sink->stream;
}

bool gvk_send_with(struct gvk_stream *stream, const void *data, size_t size)
{
    size_t head = vk_pack_size(&stream->pack);
    SLT_EXPECT_TRUE(!stream->pack.failed);
    SLT_EXPECT_LT(gvk_sink->packet_count, SINK_PACKETS_MAX);
    struct gvk_sink_packet *packet = &gvk_sink->packets[gvk_sink->packet_count++];
    SLT_EXPECT_LE(head + size, sizeof packet->bytes);
    packet->opcode = sl_load_u32(stream->pack.data);
    packet->size = head + size;
    memcpy(packet->bytes, stream->pack.data, head);
    if (size != 0) {
        memcpy(packet->bytes + head, data, size);
    }
    return true;
}

bool gvk_send(struct gvk_stream *stream)
{
    return gvk_send_with(stream, NULL, 0);
}

bool gvk_post(struct gvk_stream *stream)
{
    return gvk_send(stream);
}

struct vk_unpack *gvk_call(struct gvk_stream *stream)
{
    (void)gvk_send(stream);
    bool later = gvk_sink->has_later && gvk_sink->answered;
    gvk_sink->answered = true;
    stream->reply = later ? vk_unpack_over(&gvk_sink->later, sizeof gvk_sink->later, NULL, NULL)
                          : vk_unpack_over(gvk_sink->reply, gvk_sink->reply_size, NULL, NULL);
    return &stream->reply;
}

bool gvk_done(struct gvk_stream *stream, bool read)
{
    (void)stream;
    SLT_EXPECT_TRUE(read);
    return read;
}

VkResult gvk_failure(const struct gvk_host *host)
{
    (void)host;
    return VK_ERROR_DEVICE_LOST;
}

bool gvk_host_lost(const struct gvk_host *host)
{
    (void)host;
    return false;
}

bool gvk_host_look(struct gvk_host *host)
{
    (void)host;
    return true;
}

/* ---- The world around a test ---- */

VkDevice sink_device(void)
{
    return GVK_TO(VkDevice, &gvk_sink->device);
}

VkQueue sink_queue(void)
{
    return GVK_TO(VkQueue, &gvk_sink->queue);
}

static void dispatch_init(struct gvk_dispatch *dispatch, uint64_t id)
{
    dispatch->object.vk.id = id;
    dispatch->host = &gvk_sink->host;
    dispatch->device = &gvk_sink->device;
}

void sink_init(void *user)
{
    gvk_sink = user;
    dispatch_init(&gvk_sink->device.dispatch, 0xd0);
    dispatch_init(&gvk_sink->queue.dispatch, 0xa0);
    vk_pack_init(&gvk_sink->stream.pack, 1 << 20, true);
    gvk_descriptors_init(&gvk_sink->device.descriptors, 0);
}

void sink_finish(void *user)
{
    (void)user;
    gvk_descriptors_finish(&gvk_sink->device.descriptors);
    vk_pack_finish(&gvk_sink->stream.pack);
    gvk_sink = NULL;
}

void sink_reply_put(const void *data, size_t size)
{
    memcpy(gvk_sink->reply + gvk_sink->reply_size, data, size);
    gvk_sink->reply_size += size;
}

void sink_answer(uint64_t id, uint32_t count)
{
    gvk_sink->reply_size = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t word = id + i;
        sink_reply_put(&word, 8);
    }
    uint32_t result = VK_SUCCESS;
    sink_reply_put(&result, 4);
}

void sink_forget(void)
{
    gvk_sink->packet_count = 0;
}

VkCommandPool sink_pool(void)
{
    VkCommandPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    VkCommandPool pool = VK_NULL_HANDLE;
    sink_answer(0xb0, 1);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkCreateCommandPool(sink_device(), &info, NULL, &pool));
    return pool;
}

VkCommandBuffer sink_buffer(VkCommandPool pool, VkCommandBufferLevel level, uint64_t id)
{
    VkCommandBufferAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = pool,
        .level = level,
        .commandBufferCount = 1,
    };
    VkCommandBuffer buffer = NULL;
    sink_answer(id, 1);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkAllocateCommandBuffers(sink_device(), &info, &buffer));
    return buffer;
}

void sink_begin(VkCommandBuffer buffer)
{
    VkCommandBufferInheritanceInfo inherited = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_INHERITANCE_INFO,
        .renderPass = GARBAGE,
        .framebuffer = GARBAGE,
    };
    VkCommandBufferBeginInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
        .pInheritanceInfo =
            GVK_FROM(gvk_command_buffer, buffer)->primary ? GARBAGE : (const void *)&inherited,
    };
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkBeginCommandBuffer(buffer, &info));
}

void sink_submit(VkCommandBuffer buffer)
{
    VkSubmitInfo info = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .commandBufferCount = 1,
        .pCommandBuffers = &buffer,
    };
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkQueueSubmit(sink_queue(), 1, &info, VK_NULL_HANDLE));
}
