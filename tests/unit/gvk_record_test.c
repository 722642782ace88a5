/* The Vulkan guest without a host: what it records, cleans and sends. A stream of this file's own
 * stands in for guest/vulkan/gvk_stream.c and gvk_host.c; packets are kept, replies are scripted.
 */
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_batch.h"
#include "guest/vulkan/gvk_clean.h"
#include "guest/vulkan/gvk_command.h"
#include "guest/vulkan/gvk_descriptor.h"
#include "guest/vulkan/gvk_pipeline.h"
#include "guest/vulkan/gvk_query.h"
#include "guest/vulkan/gvk_sync.h"
#include "guest/vulkan/gvk_template.h"
#include "tests/support/slt.h"
#include "transport/base/fd.h"
#include "wire/vk_opcodes.h"
#include "wire/vk_pack.h"
#include "wire/vk_unpack.h"

#include <string.h>

#define PACKETS_MAX 32
#define GARBAGE     ((void *)0x10) /* any use of it ends the test */

/* ---- A host that takes everything ---- */

struct packet {
    uint32_t opcode;
    size_t size;
    uint8_t bytes[4096];
};

static struct world {
    struct gvk_host host;
    struct gvk_stream stream;
    struct gvk_device device;
    struct gvk_queue queue;
    struct packet packets[PACKETS_MAX];
    uint32_t packet_count;
    uint8_t reply[256];
    size_t reply_size;
    VkResult later; /* the answer of all calls but the first */
    bool has_later, answered;
    struct vg vg;
    struct gs_device gs;
    uint32_t words[8]; /* of the last submit to the device */
    int given;         /* its fence */
} * world;

struct gvk_stream *gvk_stream_peek(const struct gvk_host *host)
{
    (void)host;
    return &world->stream;
}

struct gvk_stream *gvk_begin(struct gvk_host *host)
{
    SLT_EXPECT_EQ(&world->host, host);
    vk_pack_reset(&world->stream.pack);
    return &world->stream;
}

bool gvk_send_with(struct gvk_stream *stream, const void *data, size_t size)
{
    size_t head = vk_pack_size(&stream->pack);
    SLT_EXPECT_TRUE(!stream->pack.failed);
    SLT_EXPECT_LT(world->packet_count, PACKETS_MAX);
    struct packet *packet = &world->packets[world->packet_count++];
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

struct vk_unpack *gvk_call(struct gvk_stream *stream)
{
    (void)gvk_send(stream);
    bool later = world->has_later && world->answered;
    world->answered = true;
    stream->reply = later ? vk_unpack_over(&world->later, sizeof world->later, NULL, NULL)
                          : vk_unpack_over(world->reply, world->reply_size, NULL, NULL);
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

static VkDevice device(void)
{
    return GVK_TO(VkDevice, &world->device);
}

static VkQueue queue(void)
{
    return GVK_TO(VkQueue, &world->queue);
}

static void dispatch_init(struct gvk_dispatch *dispatch, uint64_t id)
{
    dispatch->object.vk.id = id;
    dispatch->host = &world->host;
    dispatch->device = &world->device;
}

static void world_init(void *user)
{
    world = user;
    dispatch_init(&world->device.dispatch, 0xd0);
    dispatch_init(&world->queue.dispatch, 0xa0);
    vk_pack_init(&world->stream.pack, 1 << 20, true);
    gvk_descriptors_init(&world->device.descriptors, 0);
}

static void world_finish(void *user)
{
    (void)user;
    gvk_descriptors_finish(&world->device.descriptors);
    vk_pack_finish(&world->stream.pack);
    world = NULL;
}

SLT_FIXTURE(gvk_record, struct world, world_init, world_finish);

static void reply_put(const void *data, size_t size)
{
    memcpy(world->reply + world->reply_size, data, size);
    world->reply_size += size;
}

/* The next call's answer: `count` ids from `id` on, and success. */
static void answer(uint64_t id, uint32_t count)
{
    world->reply_size = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t word = id + i;
        reply_put(&word, 8);
    }
    uint32_t result = VK_SUCCESS;
    reply_put(&result, 4);
}

static void forget_packets(void)
{
    world->packet_count = 0;
}

static VkCommandPool pool_make(void)
{
    VkCommandPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    VkCommandPool pool = VK_NULL_HANDLE;
    answer(0xb0, 1);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkCreateCommandPool(device(), &info, NULL, &pool));
    return pool;
}

static VkCommandBuffer buffer_make(VkCommandPool pool, VkCommandBufferLevel level, uint64_t id)
{
    VkCommandBufferAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = pool,
        .level = level,
        .commandBufferCount = 1,
    };
    VkCommandBuffer buffer = NULL;
    answer(id, 1);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkAllocateCommandBuffers(device(), &info, &buffer));
    return buffer;
}

static void begin(VkCommandBuffer buffer)
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

static void submit(VkCommandBuffer buffer)
{
    VkSubmitInfo info = {
        .sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
        .commandBufferCount = 1,
        .pCommandBuffers = &buffer,
    };
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkQueueSubmit(queue(), 1, &info, VK_NULL_HANDLE));
}

/* Opcode `index` of the packets recorded in a flush; 0 past the end. */
static uint32_t recorded_opcode(const struct packet *flush, uint32_t index)
{
    size_t at = 36;
    for (uint32_t i = 0; at + 8 <= flush->size; i++) {
        if (i == index) {
            return sl_load_u32(flush->bytes + at);
        }
        at += sl_load_u32(flush->bytes + at + 4);
    }
    return 0;
}

static void expect_flush(const struct packet *packet, uint64_t buffer)
{
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkQueueFlushCommandsGOOGLE, packet->opcode);
    SLT_EXPECT_EQ(0xa0u, sl_load_u64(packet->bytes + 12));
    SLT_EXPECT_EQ(buffer, sl_load_u64(packet->bytes + 20));
    SLT_EXPECT_EQ(packet->size - 36, sl_load_u64(packet->bytes + 28));
}

/* ---- Recording and submitting ---- */

SLT_TEST_F(gvk_record, sends_secondaries_before_their_primary_and_nothing_twice, t)
{
    VkCommandPool pool = pool_make();
    VkCommandBuffer primary = buffer_make(pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 0xc0);
    VkCommandBuffer second = buffer_make(pool, VK_COMMAND_BUFFER_LEVEL_SECONDARY, 0xc1);
    begin(second);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkEndCommandBuffer(second));
    begin(primary);
    gvk_vkCmdExecuteCommands(primary, 1, &second);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkEndCommandBuffer(primary));
    forget_packets();

    submit(primary);
    SLT_ASSERT_EQ(3u, t->packet_count);
    expect_flush(&t->packets[0], 0xc1);
    expect_flush(&t->packets[1], 0xc0);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkBeginCommandBufferAsyncGOOGLE,
                  recorded_opcode(&t->packets[1], 0));
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkCmdExecuteCommands, recorded_opcode(&t->packets[1], 1));
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkEndCommandBufferAsyncGOOGLE,
                  recorded_opcode(&t->packets[1], 2));
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkQueueSubmitAsyncGOOGLE, t->packets[2].opcode);

    forget_packets();
    submit(primary);
    SLT_ASSERT_EQ(1u, t->packet_count);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkQueueSubmitAsyncGOOGLE, t->packets[0].opcode);
    gvk_vkDestroyCommandPool(device(), pool, NULL);
}

SLT_TEST_F(gvk_record, a_reset_voids_what_was_not_sent, t)
{
    VkCommandPool pool = pool_make();
    VkCommandBuffer buffer = buffer_make(pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 0xc0);
    begin(buffer);
    gvk_vkEndCommandBuffer(buffer);
    answer(0, 0);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkResetCommandPool(device(), pool, 0));
    begin(buffer);
    gvk_vkEndCommandBuffer(buffer);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkResetCommandBuffer(buffer, 0));
    begin(buffer);
    gvk_vkEndCommandBuffer(buffer);
    forget_packets();
    submit(buffer);
    SLT_ASSERT_EQ(2u, t->packet_count);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkEndCommandBufferAsyncGOOGLE,
                  recorded_opcode(&t->packets[0], 1));
    SLT_EXPECT_EQ(0u, recorded_opcode(&t->packets[0], 2));
    gvk_vkFreeCommandBuffers(device(), pool, 1, &buffer);
    gvk_vkDestroyCommandPool(device(), pool, NULL);
}

SLT_TEST_F(gvk_record, says_at_the_end_that_memory_ran_out, t)
{
    (void)t;
    VkCommandPool pool = pool_make();
    VkCommandBuffer buffer = buffer_make(pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 0xc0);
    begin(buffer);
    gvk_record(buffer)->max = vk_pack_size(gvk_record(buffer)) + 4;
    gvk_record(buffer)->limit = gvk_record(buffer)->cur;
    SLT_EXPECT_EQ(VK_ERROR_OUT_OF_HOST_MEMORY, gvk_vkEndCommandBuffer(buffer));
    gvk_vkDestroyCommandPool(device(), pool, NULL);
}

/* ---- Descriptors ---- */

struct sets {
    struct gvk_object sampler, view, buffer;
    VkDescriptorSetLayout layout;
    VkDescriptorPool pool;
    VkDescriptorSet set;
};

/* Binding 0: combined with immutable samplers, 1: combined, 2: sampled images, 3: samplers, 4:
 * uniform buffers. */
static void sets_make(struct sets *s)
{
    *s = (struct sets){.sampler.vk.id = 0x51, .view.vk.id = 0x52, .buffer.vk.id = 0x53};
    VkSampler immutable = GVK_TO(VkSampler, &s->sampler);
    VkDescriptorSetLayoutBinding bindings[] = {
        {4, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 1, VK_SHADER_STAGE_ALL, GARBAGE},
        {3, VK_DESCRIPTOR_TYPE_SAMPLER, 1, VK_SHADER_STAGE_ALL, NULL},
        {0, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1, VK_SHADER_STAGE_ALL, &immutable},
        {1, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, 1, VK_SHADER_STAGE_ALL, NULL},
        {2, VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE, 2, VK_SHADER_STAGE_ALL, GARBAGE},
    };
    VkDescriptorSetLayoutCreateInfo layout = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 5,
        .pBindings = bindings,
    };
    answer(0x60, 1);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkCreateDescriptorSetLayout(device(), &layout, NULL, &s->layout));
    VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                       .maxSets = 1};
    answer(0x61, 1);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkCreateDescriptorPool(device(), &pool, NULL, &s->pool));
    VkDescriptorSetAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
        .descriptorPool = s->pool,
        .descriptorSetCount = 1,
        .pSetLayouts = &s->layout,
    };
    answer(0x62, 1);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkAllocateDescriptorSets(device(), &info, &s->set));
}

static void sets_drop(struct sets *s)
{
    gvk_vkDestroyDescriptorSetLayout(device(), s->layout, NULL);
    gvk_vkDestroyDescriptorPool(device(), s->pool, NULL);
}

SLT_TEST_F(gvk_record, writes_wait_and_lose_what_their_type_ignores, t)
{
    struct sets s;
    sets_make(&s);
    VkSampler sampler = GVK_TO(VkSampler, &s.sampler);
    VkImageView view = GVK_TO(VkImageView, &s.view);
    VkDescriptorImageInfo infos[] = {
        {GARBAGE, view, VK_IMAGE_LAYOUT_GENERAL},
        {sampler, view, VK_IMAGE_LAYOUT_GENERAL},
        {GARBAGE, view, VK_IMAGE_LAYOUT_GENERAL},
        {sampler, GARBAGE, VK_IMAGE_LAYOUT_GENERAL},
    };
    static const VkDescriptorType types[] = {
        VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
        VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE, VK_DESCRIPTOR_TYPE_SAMPLER};
    static const uint64_t ids[4][2] = {{0, 0x52}, {0x51, 0x52}, {0, 0x52}, {0x51, 0}};
    forget_packets();
    for (uint32_t i = 0; i < 4; i++) {
        VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                      .dstSet = s.set,
                                      .dstBinding = i,
                                      .descriptorCount = 1,
                                      .descriptorType = types[i],
                                      .pImageInfo = &infos[i],
                                      .pBufferInfo = GARBAGE,
                                      .pTexelBufferView = GARBAGE};
        gvk_vkUpdateDescriptorSets(device(), 1, &write, 0, NULL);
    }
    SLT_EXPECT_EQ(0u, t->packet_count);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkQueueSubmit(queue(), 0, NULL, VK_NULL_HANDLE));
    SLT_ASSERT_EQ(2u, t->packet_count);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkUpdateDescriptorSets, t->packets[0].opcode);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkQueueSubmitAsyncGOOGLE, t->packets[1].opcode);
    const uint8_t *at = t->packets[0].bytes + 20;
    SLT_EXPECT_EQ(4u, sl_load_u32(at));
    at += 4;
    for (uint32_t i = 0; i < 4; i++) {
        SLT_SCOPE("write %u", i);
        SLT_EXPECT_EQ(0x62u, sl_load_u64(at + 8));
        SLT_EXPECT_EQ(i, sl_load_u32(at + 16));
        SLT_EXPECT_EQ(ids[i][0], sl_load_u64(at + 40));
        SLT_EXPECT_EQ(ids[i][1], sl_load_u64(at + 48));
        at += 76;
    }
    SLT_EXPECT_EQ(0u, sl_load_u32(at)); /* copies */
    SLT_EXPECT_EQ(at + 4, t->packets[0].bytes + t->packets[0].size);
    sets_drop(&s);
}

/* Only the set's last write is replaced, and only by one to the same place. */
SLT_TEST_F(gvk_record, a_write_replaces_the_last_one_to_the_same_place, t)
{
    static const struct {
        uint32_t binding, element;
        VkDescriptorType type;
        uint64_t offset;
        bool is_kept; /* else the next one replaces it */
    } writes[] = {
        {4, 0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 0, false},
        {4, 0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 256, true},
        {4, 1, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 512, true},
        {4, 0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 768, true},
        {4, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1024, true},
        {5, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1280, true},
        {2, 0, VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE, 0, true},
        {5, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1536, false},
        {5, 0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1792, true},
    };
    enum { WRITES = sizeof writes / sizeof writes[0] };
    struct sets s;
    sets_make(&s);
    const VkDescriptorImageInfo image = {VK_NULL_HANDLE, GVK_TO(VkImageView, &s.view),
                                         VK_IMAGE_LAYOUT_GENERAL};
    forget_packets();
    for (uint32_t round = 0; round < 2; round++) { /* what was sent is replaced by nothing */
        for (uint32_t i = 0; i < WRITES; i++) {
            const VkDescriptorBufferInfo info = {GVK_TO(VkBuffer, &s.buffer), writes[i].offset, 16};
            const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                                .dstSet = s.set,
                                                .dstBinding = writes[i].binding,
                                                .dstArrayElement = writes[i].element,
                                                .descriptorCount = 1,
                                                .descriptorType = writes[i].type,
                                                .pImageInfo = &image,
                                                .pBufferInfo = &info};
            gvk_vkUpdateDescriptorSets(device(), 1, &write, 0, NULL);
        }
        gvk_settle(&t->device);
        SLT_ASSERT_EQ(round + 1, t->packet_count);
        const uint8_t *at = t->packets[round].bytes + 20;
        SLT_EXPECT_EQ(WRITES - 2u, sl_load_u32(at));
        at += 4;
        for (uint32_t i = 0; i < WRITES; i++) {
            SLT_SCOPE("write %u", i);
            bool has_image = writes[i].type == VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE;
            if (writes[i].is_kept) {
                SLT_EXPECT_EQ(writes[i].binding, sl_load_u32(at + 16));
                SLT_EXPECT_EQ(writes[i].element, sl_load_u32(at + 20));
                SLT_EXPECT_EQ((uint32_t)writes[i].type, sl_load_u32(at + 28));
                SLT_EXPECT_EQ(has_image ? 0x52u : writes[i].offset,
                              sl_load_u64(at + (has_image ? 48 : 56)));
                at += has_image ? 76 : 80;
            }
        }
        SLT_EXPECT_EQ(at + 4, t->packets[round].bytes + t->packets[round].size);
    }
    sets_drop(&s);
}

struct write_case {
    const char *label;
    VkDescriptorType type;
    uint32_t count;
    bool has_buffer, has_others, has_chain;
};
static const struct write_case write_cases[] = {
    {"uniform", VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 1, true, false, false},
    {"storage", VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, true, false, false},
    {"dynamic_uniform", VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC, 1, true, false, false},
    {"dynamic_storage", VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC, 1, true, false, false},
    {"no_buffer", VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, false, false, false},
    {"other_pointers", VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, true, true, false},
    {"two", VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 2, true, false, false},
    {"none", VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 0, true, false, false},
    {"inline_block", VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK, 4, false, false, true},
    {"texels", VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER, 0, true, false, false},
};
SLT_TEST_P(gvk_write, packs_as_the_generated_code, struct write_case, write_cases, c)
{
    static const uint8_t bytes[4] = {1, 2, 3, 4};
    struct gvk_descriptor_set set = {.object.vk.id = 0x1122334455667788};
    struct gvk_object buffer = {.vk.id = 0x99};
    struct gvk_device writer = {.lost = 0};
    const VkWriteDescriptorSetInlineUniformBlock block = {
        .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK,
        .dataSize = sizeof bytes,
        .pData = bytes};
    const VkDescriptorBufferInfo infos[2] = {
        {c->has_buffer ? GVK_TO(VkBuffer, &buffer) : VK_NULL_HANDLE, 256, VK_WHOLE_SIZE},
        {VK_NULL_HANDLE, 0, 16}};
    const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        .pNext = c->has_chain ? &block : NULL,
                                        .dstSet = GVK_TO(VkDescriptorSet, &set),
                                        .dstBinding = 7,
                                        .dstArrayElement = 3,
                                        .descriptorCount = c->count,
                                        .descriptorType = c->type,
                                        .pImageInfo = c->has_others ? GARBAGE : NULL,
                                        .pBufferInfo = infos,
                                        .pTexelBufferView = c->has_others ? GARBAGE : NULL};
    struct vk_pack theirs;
    const struct vk_pack *ours = &writer.descriptors.pack;
    vk_pack_init(&theirs, 4096, true);
    gvk_descriptors_init(&writer.descriptors, 0);
    gvk_writes_add(&writer, &write);
    vk_pack_VkWriteDescriptorSet(&theirs, &write);
    SLT_EXPECT_EQ(1u, writer.descriptors.count);
    SLT_EXPECT_EQ(vk_pack_size(&theirs), vk_pack_size(ours));
    SLT_EXPECT_TRUE(vk_pack_size(ours) == vk_pack_size(&theirs) &&
                    memcmp(theirs.data, ours->data, vk_pack_size(ours)) == 0);
    gvk_descriptors_finish(&writer.descriptors);
    vk_pack_finish(&theirs);
}

/* The answer to vkCollectDescriptorPoolIdsGOOGLE for a pool of two. */
static void answer_names(uint64_t first)
{
    const uint8_t present[8] = {[7] = 1};
    uint32_t count = 2;
    uint64_t names[] = {first, first + 1};
    reply_put(&count, 4);
    reply_put(present, 8);
    reply_put(names, sizeof names);
}

SLT_TEST_F(gvk_record, commits_sets_by_name_where_the_host_wants_batches, t)
{
    t->host.batched_descriptors = true;
    t->device.queues = &t->queue;
    VkDescriptorSetLayoutBinding binding = {0, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 1,
                                            VK_SHADER_STAGE_ALL, NULL};
    VkDescriptorSetLayoutCreateInfo layout_info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 1,
        .pBindings = &binding,
    };
    VkDescriptorSetLayout layout = VK_NULL_HANDLE;
    answer(0x60, 1);
    SLT_ASSERT_EQ(VK_SUCCESS,
                  gvk_vkCreateDescriptorSetLayout(device(), &layout_info, NULL, &layout));
    struct gvk_descriptor_pool pool = {
        .object.vk.id = 0x61, .max_sets = 2, .sets_left = 2, .left = {[6] = 2}};
    sl_list_init(&pool.sets);
    world->reply_size = 0;
    answer_names(0x900);
    SLT_ASSERT_TRUE(gvk_batch_pool(&t->device, &pool));
    VkDescriptorSetLayout layouts[] = {layout, layout, layout};
    VkDescriptorSetAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                        .descriptorPool = GVK_TO(VkDescriptorPool, &pool),
                                        .descriptorSetCount = 3,
                                        .pSetLayouts = layouts};
    VkDescriptorSet sets[3];
    forget_packets();
    SLT_EXPECT_EQ(VK_ERROR_OUT_OF_POOL_MEMORY, gvk_vkAllocateDescriptorSets(device(), &info, sets));
    info.descriptorSetCount = 2;
    SLT_ASSERT_EQ(VK_SUCCESS, gvk_vkAllocateDescriptorSets(device(), &info, sets));
    struct gvk_object buffer = {.vk.id = 0x53};
    VkDescriptorBufferInfo what = {GVK_TO(VkBuffer, &buffer), 0, 16};
    for (uint32_t i = 0; i < 3; i++) {
        VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                      .dstSet = sets[i % 2],
                                      .descriptorCount = 1,
                                      .descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
                                      .pBufferInfo = &what};
        gvk_vkUpdateDescriptorSets(device(), 1, &write, 0, NULL);
    }
    SLT_EXPECT_EQ(0u, t->packet_count);
    gvk_settle(&t->device);
    SLT_ASSERT_EQ(1u, t->packet_count);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkQueueCommitDescriptorSetUpdatesGOOGLE, t->packets[0].opcode);
    struct sl_arena arena;
    sl_arena_init(&arena, 1 << 16);
    struct vk_unpack u =
        vk_unpack_over(t->packets[0].bytes + 12, t->packets[0].size - 12, &arena, NULL);
    struct vk_args_vkQueueCommitDescriptorSetUpdatesGOOGLE a;
    SLT_EXPECT_TRUE(vk_unpack_vkQueueCommitDescriptorSetUpdatesGOOGLE(&u, &a));
    SLT_EXPECT_EQ(1u, a.descriptorPoolCount);
    const uint64_t names[] = {0x901, 0x900, 0x901, 0x900, 0x901};
    const uint32_t allocates[] = {1, 1, 0, 0, 0}, starts[] = {0, 0, 0, 1, 2};
    SLT_EXPECT_EQ(5u, a.descriptorSetCount);
    SLT_EXPECT_MEMEQ(names, a.pDescriptorSetPoolIds, sizeof names);
    SLT_EXPECT_MEMEQ(allocates, a.pDescriptorSetPendingAllocation, sizeof allocates);
    SLT_EXPECT_MEMEQ(starts, a.pDescriptorWriteStartingIndices, sizeof starts);
    SLT_EXPECT_EQ(3u, a.pendingDescriptorWriteCount);
    sl_arena_finish(&arena);
    answer(0, 0);
    SLT_EXPECT_EQ(VK_SUCCESS,
                  gvk_vkFreeDescriptorSets(device(), GVK_TO(VkDescriptorPool, &pool), 2, sets));
    SLT_EXPECT_EQ(2u, pool.name_count);
    SLT_EXPECT_EQ(2u, pool.sets_left);
    sl_free(pool.names);
    gvk_vkDestroyDescriptorSetLayout(device(), layout, NULL);
    t->device.queues = NULL;
}

SLT_TEST_F(gvk_record, templates_write_what_plain_writes_would, t)
{
    struct sets s;
    sets_make(&s);
    struct application {
        uint64_t before;
        VkDescriptorImageInfo image;
        uint32_t between[3];
        VkDescriptorBufferInfo buffer;
    } data = {.image = {GARBAGE, GVK_TO(VkImageView, &s.view), VK_IMAGE_LAYOUT_GENERAL},
              .buffer = {GVK_TO(VkBuffer, &s.buffer), 16, 64}};
    VkDescriptorUpdateTemplateEntry entries[] = {
        {0, 0, 1, VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER, offsetof(struct application, image),
         0},
        {4, 0, 1, VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, offsetof(struct application, buffer), 0},
    };
    VkDescriptorUpdateTemplateCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO,
        .descriptorUpdateEntryCount = 2,
        .pDescriptorUpdateEntries = entries,
        .descriptorSetLayout = s.layout,
        .pipelineLayout = GARBAGE,
    };
    VkDescriptorUpdateTemplate template = VK_NULL_HANDLE;
    SLT_ASSERT_EQ(VK_SUCCESS,
                  gvk_vkCreateDescriptorUpdateTemplate(device(), &info, NULL, &template));
    forget_packets();
    gvk_vkUpdateDescriptorSetWithTemplate(device(), s.set, template, &data);
    gvk_settle(&t->device);
    VkWriteDescriptorSet writes[] = {
        {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
         .dstSet = s.set,
         .descriptorCount = 1,
         .descriptorType = VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
         .pImageInfo = &data.image},
        {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
         .dstSet = s.set,
         .dstBinding = 4,
         .descriptorCount = 1,
         .descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
         .pBufferInfo = &data.buffer},
    };
    gvk_vkUpdateDescriptorSets(device(), 2, writes, 0, NULL);
    gvk_settle(&t->device);
    SLT_ASSERT_EQ(2u, t->packet_count);
    SLT_ASSERT_EQ(t->packets[1].size, t->packets[0].size);
    SLT_EXPECT_MEMEQ(t->packets[1].bytes, t->packets[0].bytes, t->packets[0].size);
    gvk_vkDestroyDescriptorUpdateTemplate(device(), template, NULL);
    sets_drop(&s);
}

/* ---- Fences and timelines ---- */

SLT_TEST_F(gvk_record, asks_only_for_fences_that_were_submitted, t)
{
    VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    VkFence fence = VK_NULL_HANDLE;
    answer(0x80, 1);
    SLT_ASSERT_EQ(VK_SUCCESS, gvk_vkCreateFence(device(), &info, NULL, &fence));
    forget_packets();
    answer(0, 0);
    SLT_EXPECT_EQ(VK_NOT_READY, gvk_vkGetFenceStatus(device(), fence));
    SLT_EXPECT_EQ(0u, t->packet_count);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkQueueSubmit(queue(), 0, NULL, fence));
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkWaitForFences(device(), 1, &fence, VK_TRUE, UINT64_MAX));
    SLT_EXPECT_EQ(2u, t->packet_count);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkWaitForFences(device(), 1, &fence, VK_TRUE, UINT64_MAX));
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkGetFenceStatus(device(), fence));
    SLT_EXPECT_EQ(2u, t->packet_count);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkResetFences(device(), 1, &fence));
    SLT_EXPECT_EQ(VK_NOT_READY, gvk_vkGetFenceStatus(device(), fence));
    SLT_EXPECT_EQ(3u, t->packet_count);
    gvk_vkDestroyFence(device(), fence, NULL);
}

SLT_TEST_F(gvk_record, asks_no_second_time_for_a_value_that_was_reached, t)
{
    struct gvk_semaphore low = {.object.vk.id = 0x81};
    struct gvk_semaphore high = {.object.vk.id = 0x82, .reached = 9};
    VkSemaphore both[] = {GVK_TO(VkSemaphore, &low), GVK_TO(VkSemaphore, &high)};
    uint64_t values[] = {7, 9};
    VkSemaphoreWaitInfo info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
                                .semaphoreCount = 2,
                                .pSemaphores = both,
                                .pValues = values};
    answer(0, 0);
    info.flags = VK_SEMAPHORE_WAIT_ANY_BIT;
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkWaitSemaphores(device(), &info, 0));
    SLT_EXPECT_EQ(0u, t->packet_count);
    info.flags = 0;
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkWaitSemaphores(device(), &info, 0));
    SLT_EXPECT_EQ(1u, t->packet_count);
    values[0] = 6;
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkWaitSemaphores(device(), &info, 0));
    SLT_EXPECT_EQ(1u, t->packet_count);
}

/* ---- Sync files ---- */

static enum sl_result fake_submit(struct vg *vg, const struct vg_submit_args *args)
{
    SLT_EXPECT_EQ(&world->vg, vg);
    SLT_EXPECT_EQ(0u, args->ring);
    SLT_EXPECT_LE(args->size, sizeof world->words);
    memcpy(world->words, args->commands, args->size);
    SLT_EXPECT_OK(sl_fd_event(&world->given));
    *args->out_fence = world->given;
    return SL_OK;
}

static const struct vg_ops fake_ops = {.submit = fake_submit};

static void device_make(struct world *t)
{
    t->vg.ops = &fake_ops;
    t->gs.vg = &t->vg;
    t->host.gs = &t->gs;
}

SLT_TEST_F(gvk_record, exports_what_a_submit_will_signal_and_resets_the_fence, t)
{
    device_make(t);
    struct gvk_fence fence = {.object.vk.id = 0x1122334455, .state = GVK_FENCE_SUBMITTED};
    VkFenceGetFdInfoKHR info = {.sType = VK_STRUCTURE_TYPE_FENCE_GET_FD_INFO_KHR,
                                .fence = GVK_TO(VkFence, &fence),
                                .handleType = VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT};
    int fd = -1;
    uint32_t not_ready = VK_NOT_READY;
    world->reply_size = 0;
    reply_put(&not_ready, 4);
    t->has_later = true; /* VK_SUCCESS */
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkGetFenceFdKHR(device(), &info, &fd));
    SLT_EXPECT_EQ(t->given, fd);
    const uint32_t want[] = {GFXSTREAM_CREATE_EXPORT_SYNC_VK, 0xd0, 0, 0x22334455, 0x11};
    SLT_EXPECT_MEMEQ(want, t->words, sizeof want);
    SLT_ASSERT_EQ(2u, t->packet_count);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkGetFenceStatus, t->packets[0].opcode);
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkResetFences, t->packets[1].opcode);
    sl_fd_close(&fd);
}

/* ---- Queries ---- */

SLT_TEST_F(gvk_record, unavailable_results_leave_the_memory_alone, t)
{
    (void)t;
    struct gvk_query_pool pool = {.object.vk.id = 0x70, .values = 1};
    struct place {
        uint64_t value, available, own;
    } places[2];
    memset(places, 0x77, sizeof places);
    uint64_t results[2][2] = {{5, 1}, {9, 0}};
    uint32_t result = VK_NOT_READY;
    world->reply_size = 0;
    reply_put(results, sizeof results);
    reply_put(&result, sizeof result);
    SLT_EXPECT_EQ(
        VK_NOT_READY,
        gvk_vkGetQueryPoolResults(device(), GVK_TO(VkQueryPool, &pool), 0, 2, sizeof places, places,
                                  sizeof places[0],
                                  VK_QUERY_RESULT_64_BIT | VK_QUERY_RESULT_WITH_AVAILABILITY_BIT));
    SLT_EXPECT_EQ(5u, places[0].value);
    SLT_EXPECT_EQ(1u, places[0].available);
    SLT_EXPECT_EQ(0x7777777777777777u, places[0].own);
    SLT_EXPECT_EQ(0x7777777777777777u, places[1].value);
    SLT_EXPECT_EQ(0u, places[1].available);
}

/* ---- Pipelines ---- */

static const VkPipelineRasterizationStateCreateInfo rasterizes = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO};
static const VkPipelineRasterizationStateCreateInfo discards = {
    .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO,
    .rasterizerDiscardEnable = VK_TRUE};
static const VkDynamicState discard_dynamic[] = {VK_DYNAMIC_STATE_RASTERIZER_DISCARD_ENABLE};
static const VkDynamicState input_dynamic[] = {VK_DYNAMIC_STATE_VERTEX_INPUT_EXT};
static uint8_t no_depth[] = {GVK_SUBPASS_COLOR};
static struct gvk_render_pass color_pass = {.subpasses = no_depth, .subpass_count = 1};

enum {
    IS_VERTEX = 1,
    IS_VIEWPORT = 2,
    IS_SAMPLES = 4,
    IS_DEPTH = 8,
    IS_BLEND = 16,
    IS_ASSEMBLY = 32,
    IS_STAGES = 64,
    IS_PASS = 128,
};

static const struct pipeline_case {
    const char *label;
    const VkPipelineRasterizationStateCreateInfo *raster;
    const VkDynamicState *dynamic; /* nullable; one */
    VkFlags parts;                 /* 0: no library */
    bool pass;
    uint32_t want; /* IS_ bits */
} pipeline_cases[] = {
    {"full", &rasterizes, NULL, 0, true,
     IS_VERTEX | IS_VIEWPORT | IS_SAMPLES | IS_BLEND | IS_ASSEMBLY | IS_STAGES | IS_PASS},
    {"discard", &discards, NULL, 0, true, IS_VERTEX | IS_ASSEMBLY | IS_STAGES | IS_PASS},
    {"dynamic_discard", &discards, discard_dynamic, 0, true,
     IS_VERTEX | IS_VIEWPORT | IS_SAMPLES | IS_BLEND | IS_ASSEMBLY | IS_STAGES | IS_PASS},
    {"dynamic_vertex_input", &rasterizes, input_dynamic, 0, true,
     IS_VIEWPORT | IS_SAMPLES | IS_BLEND | IS_ASSEMBLY | IS_STAGES | IS_PASS},
    {"no_attachments", &rasterizes, NULL, 0, false,
     IS_VERTEX | IS_VIEWPORT | IS_SAMPLES | IS_ASSEMBLY | IS_STAGES},
    {"vertex_library", GARBAGE, NULL, VK_GRAPHICS_PIPELINE_LIBRARY_VERTEX_INPUT_INTERFACE_BIT_EXT,
     true, IS_VERTEX | IS_ASSEMBLY},
    {"output_library", GARBAGE, NULL,
     VK_GRAPHICS_PIPELINE_LIBRARY_FRAGMENT_OUTPUT_INTERFACE_BIT_EXT, true,
     IS_SAMPLES | IS_BLEND | IS_PASS},
};

SLT_TEST_P(gvk_graphics, keeps_what_counts, struct pipeline_case, pipeline_cases, c)
{
    /* Where the case keeps a member it must be followed safely, else it is garbage. */
    static const VkPipelineVertexInputStateCreateInfo vertex = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO};
    static const VkPipelineInputAssemblyStateCreateInfo assembly = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO};
    static const VkPipelineViewportStateCreateInfo viewport = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_VIEWPORT_STATE_CREATE_INFO};
    static const VkPipelineMultisampleStateCreateInfo samples = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_MULTISAMPLE_STATE_CREATE_INFO};
    static const VkPipelineDepthStencilStateCreateInfo depth = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_DEPTH_STENCIL_STATE_CREATE_INFO};
    static const VkPipelineColorBlendStateCreateInfo blend = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_COLOR_BLEND_STATE_CREATE_INFO};
    static const VkPipelineShaderStageCreateInfo stage = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
        .stage = VK_SHADER_STAGE_VERTEX_BIT,
        .pName = "main"};
    const VkGraphicsPipelineLibraryCreateInfoEXT library = {
        .sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_LIBRARY_CREATE_INFO_EXT, .flags = c->parts};
    const VkPipelineDynamicStateCreateInfo dynamic = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_DYNAMIC_STATE_CREATE_INFO,
        .dynamicStateCount = 1,
        .pDynamicStates = c->dynamic};
    bool pass_counts = (c->want & IS_PASS) != 0;
    const VkGraphicsPipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
        .pNext = c->parts != 0 ? &library : NULL,
        .flags = c->parts != 0 ? VK_PIPELINE_CREATE_LIBRARY_BIT_KHR : 0,
        .stageCount = 1,
        .pStages = (c->want & IS_STAGES) != 0 ? &stage : GARBAGE,
        .pVertexInputState = (c->want & IS_VERTEX) != 0 ? &vertex : GARBAGE,
        .pInputAssemblyState = (c->want & IS_ASSEMBLY) != 0 ? &assembly : GARBAGE,
        .pTessellationState = GARBAGE,
        .pViewportState = (c->want & IS_VIEWPORT) != 0 ? &viewport : GARBAGE,
        .pRasterizationState = c->raster,
        .pMultisampleState = (c->want & IS_SAMPLES) != 0 ? &samples : GARBAGE,
        .pDepthStencilState = (c->want & IS_DEPTH) != 0 ? &depth : GARBAGE,
        .pColorBlendState = (c->want & IS_BLEND) != 0 ? &blend : GARBAGE,
        .pDynamicState = c->dynamic != NULL ? &dynamic : NULL,
        .renderPass = !c->pass      ? VK_NULL_HANDLE
                      : pass_counts ? GVK_TO(VkRenderPass, &color_pass)
                                    : GARBAGE,
        .basePipelineHandle = GARBAGE,
    };
    struct sl_arena arena;
    sl_arena_init(&arena, 1 << 20);
    const VkGraphicsPipelineCreateInfo *clean = gvk_clean_graphics(&arena, 1, &info);
    uint32_t got = 0;
    got |= clean->pVertexInputState != NULL ? IS_VERTEX : 0;
    got |= clean->pInputAssemblyState != NULL ? IS_ASSEMBLY : 0;
    got |= clean->pViewportState != NULL ? IS_VIEWPORT : 0;
    got |= clean->pMultisampleState != NULL ? IS_SAMPLES : 0;
    got |= clean->pDepthStencilState != NULL ? IS_DEPTH : 0;
    got |= clean->pColorBlendState != NULL ? IS_BLEND : 0;
    got |= clean->stageCount != 0 ? IS_STAGES : 0;
    got |= clean->renderPass != VK_NULL_HANDLE ? IS_PASS : 0;
    SLT_EXPECT_EQ(c->want, got);
    SLT_EXPECT_NULL(clean->pTessellationState);
    SLT_EXPECT_TRUE(clean->basePipelineHandle == VK_NULL_HANDLE);
    struct vk_pack pack;
    vk_pack_init(&pack, 1 << 20, true);
    vk_pack_VkGraphicsPipelineCreateInfo(&pack, clean);
    SLT_EXPECT_TRUE(!pack.failed);
    vk_pack_finish(&pack);
    sl_arena_finish(&arena);
}

/* ---- Waits for imported payloads ---- */

SLT_TEST(gvk_waits, leaves_out_what_is_over)
{
    struct gvk_semaphore over = {.imported = {.set = true, .fd = -1}}, plain = {.reached = 0},
                         later = {.imported = {.set = true, .fd = 77}}; /* it is not looked at */
    const VkSemaphore semaphores[] = {GVK_TO(VkSemaphore, &plain), GVK_TO(VkSemaphore, &over),
                                      GVK_TO(VkSemaphore, &later)};
    const VkPipelineStageFlags stages[] = {1, 2, 4};
    const VkTimelineSemaphoreSubmitInfo values = {
        .sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO};
    VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                         .pNext = &values,
                         .waitSemaphoreCount = 3,
                         .pWaitSemaphores = semaphores,
                         .pWaitDstStageMask = stages,
                         .signalSemaphoreCount = 5};
    struct gvk_waits waits;
    SLT_EXPECT_EQ(&info, gvk_waits_drop(&waits, &info)); /* a chain has arrays beside these */
    SLT_EXPECT_TRUE(over.imported.set);
    info.pNext = NULL;
    const VkSubmitInfo *sent = gvk_waits_drop(&waits, &info);
    SLT_ASSERT_EQ(2u, sent->waitSemaphoreCount);
    SLT_EXPECT_EQ(semaphores[0], sent->pWaitSemaphores[0]);
    SLT_EXPECT_EQ(semaphores[2], sent->pWaitSemaphores[1]);
    SLT_EXPECT_EQ(4u, sent->pWaitDstStageMask[1]);
    SLT_EXPECT_EQ(5u, sent->signalSemaphoreCount);
    SLT_EXPECT_TRUE(!over.imported.set); /* the wait took it */
    SLT_EXPECT_TRUE(later.imported.set);
    SLT_EXPECT_EQ(&info, gvk_waits_drop(&waits, &info));
}

SLT_TEST(gvk_waits, leaves_out_what_is_over_of_the_second_form)
{
    struct gvk_semaphore over[GVK_WAITS_MAX + 1] = {{.reached = 0}};
    VkSemaphoreSubmitInfo waited[GVK_WAITS_MAX + 1];
    for (uint32_t i = 0; i <= GVK_WAITS_MAX; i++) {
        over[i].imported = (struct gvk_imported){.set = i != 3, .fd = -1};
        waited[i] = (VkSemaphoreSubmitInfo){.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SUBMIT_INFO,
                                            .semaphore = GVK_TO(VkSemaphore, &over[i]),
                                            .value = i};
    }
    VkSubmitInfo2 info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO_2,
                          .waitSemaphoreInfoCount = GVK_WAITS_MAX + 1,
                          .pWaitSemaphoreInfos = waited};
    struct gvk_waits2 waits;
    SLT_EXPECT_EQ(&info, gvk_waits_drop2(&waits, &info)); /* more than there is room for */
    SLT_EXPECT_TRUE(over[0].imported.set);
    info.waitSemaphoreInfoCount = GVK_WAITS_MAX;
    const VkSubmitInfo2 *sent = gvk_waits_drop2(&waits, &info);
    SLT_ASSERT_EQ(1u, sent->waitSemaphoreInfoCount);
    SLT_EXPECT_EQ(3u, sent->pWaitSemaphoreInfos[0].value);
    SLT_EXPECT_TRUE(!over[0].imported.set);
}
