/* Descriptor sets, plain and batched, and update templates, down to the packets that go out. */
#include "tests/support/gvk_sink.h"

#include "guest/vulkan/gvk_batch.h"
#include "wire/vk_pack.h"
#include "wire/vk_unpack.h"

#include <string.h>

SLT_FIXTURE(gvk_descriptor, struct gvk_sink, sink_init, sink_finish);

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
    sink_answer(0x60, 1);
    SLT_EXPECT_EQ(VK_SUCCESS,
                  gvk_vkCreateDescriptorSetLayout(sink_device(), &layout, NULL, &s->layout));
    VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                       .maxSets = 1};
    sink_answer(0x61, 1);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkCreateDescriptorPool(sink_device(), &pool, NULL, &s->pool));
    VkDescriptorSetAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
        .descriptorPool = s->pool,
        .descriptorSetCount = 1,
        .pSetLayouts = &s->layout,
    };
    sink_answer(0x62, 1);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkAllocateDescriptorSets(sink_device(), &info, &s->set));
}

static void sets_drop(struct sets *s)
{
    gvk_vkDestroyDescriptorSetLayout(sink_device(), s->layout, NULL);
    gvk_vkDestroyDescriptorPool(sink_device(), s->pool, NULL);
}

SLT_TEST_F(gvk_descriptor, writes_wait_and_lose_what_their_type_ignores, t)
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
    sink_forget();
    for (uint32_t i = 0; i < 4; i++) {
        VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                      .dstSet = s.set,
                                      .dstBinding = i,
                                      .descriptorCount = 1,
                                      .descriptorType = types[i],
                                      .pImageInfo = &infos[i],
                                      .pBufferInfo = GARBAGE,
                                      .pTexelBufferView = GARBAGE};
        gvk_vkUpdateDescriptorSets(sink_device(), 1, &write, 0, NULL);
    }
    SLT_EXPECT_EQ(0u, t->packet_count);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkQueueSubmit(sink_queue(), 0, NULL, VK_NULL_HANDLE));
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
SLT_TEST_F(gvk_descriptor, a_write_replaces_the_last_one_to_the_same_place, t)
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
    sink_forget();
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
            gvk_vkUpdateDescriptorSets(sink_device(), 1, &write, 0, NULL);
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
    sink_reply_put(&count, 4);
    sink_reply_put(present, 8);
    sink_reply_put(names, sizeof names);
}

SLT_TEST_F(gvk_descriptor, commits_sets_by_name_where_the_host_wants_batches, t)
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
    sink_answer(0x60, 1);
    SLT_ASSERT_EQ(VK_SUCCESS,
                  gvk_vkCreateDescriptorSetLayout(sink_device(), &layout_info, NULL, &layout));
    struct gvk_descriptor_pool pool = {
        .object.vk.id = 0x61, .max_sets = 2, .sets_left = 2, .left = {[6] = 2}};
    sl_list_init(&pool.sets);
    gvk_sink->reply_size = 0;
    answer_names(0x900);
    SLT_ASSERT_TRUE(gvk_batch_pool(&t->device, &pool));
    VkDescriptorSetLayout layouts[] = {layout, layout, layout};
    VkDescriptorSetAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                        .descriptorPool = GVK_TO(VkDescriptorPool, &pool),
                                        .descriptorSetCount = 3,
                                        .pSetLayouts = layouts};
    VkDescriptorSet sets[3];
    sink_forget();
    SLT_EXPECT_EQ(VK_ERROR_OUT_OF_POOL_MEMORY,
                  gvk_vkAllocateDescriptorSets(sink_device(), &info, sets));
    info.descriptorSetCount = 2;
    SLT_ASSERT_EQ(VK_SUCCESS, gvk_vkAllocateDescriptorSets(sink_device(), &info, sets));
    struct gvk_object buffer = {.vk.id = 0x53};
    VkDescriptorBufferInfo what = {GVK_TO(VkBuffer, &buffer), 0, 16};
    for (uint32_t i = 0; i < 3; i++) {
        VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                      .dstSet = sets[i % 2],
                                      .descriptorCount = 1,
                                      .descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
                                      .pBufferInfo = &what};
        gvk_vkUpdateDescriptorSets(sink_device(), 1, &write, 0, NULL);
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
    sink_answer(0, 0);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkFreeDescriptorSets(sink_device(),
                                                       GVK_TO(VkDescriptorPool, &pool), 2, sets));
    SLT_EXPECT_EQ(2u, pool.name_count);
    SLT_EXPECT_EQ(2u, pool.sets_left);
    sl_free(pool.names);
    gvk_vkDestroyDescriptorSetLayout(sink_device(), layout, NULL);
    t->device.queues = NULL;
}

SLT_TEST_F(gvk_descriptor, templates_write_what_plain_writes_would, t)
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
                  gvk_vkCreateDescriptorUpdateTemplate(sink_device(), &info, NULL, &template));
    sink_forget();
    gvk_vkUpdateDescriptorSetWithTemplate(sink_device(), s.set, template, &data);
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
    gvk_vkUpdateDescriptorSets(sink_device(), 2, writes, 0, NULL);
    gvk_settle(&t->device);
    SLT_ASSERT_EQ(2u, t->packet_count);
    SLT_ASSERT_EQ(t->packets[1].size, t->packets[0].size);
    SLT_EXPECT_MEMEQ(t->packets[1].bytes, t->packets[0].bytes, t->packets[0].size);
    gvk_vkDestroyDescriptorUpdateTemplate(sink_device(), template, NULL);
    sets_drop(&s);
}
