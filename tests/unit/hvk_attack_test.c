/* A hostile guest on a native driver: packets that no driver of a guest sends. In every case the
 * context is lost with a reason or says an error; the process goes on, and so does another context.
 * Which test is of which case: tests/attack_cases.md. */
#include "tests/support/vk_parts.h"

#include "transport/base/mem.h"
#include "transport/base/thread.h"
#include "wire/vk_opcodes.h"

#include <pthread.h>
#include <string.h>

SLT_FIXTURE(hvk_attack, struct vk_world, vk_world_init, vk_world_finish);

static void feed(struct vk_world *w, const void *bytes, size_t size)
{
    vk_pack_reset(&w->main.pack);
    vk_pack_bytes(&w->main.pack, bytes, size);
    vk_ring_feed(&w->main);
}

/* --- lengths --- */

struct length_case {
    const char *label;
    uint32_t size;
};
static const struct length_case length_cases[] = {
    {"none", 0}, {"less_than_a_head", 7}, {"a_head_alone", 8}, {"all_there_is", UINT32_MAX}};

SLT_TEST_FP(hvk_attack, a_packet_of_no_good_length_ends_the_ring, w, struct length_case,
            length_cases, c)
{
    vk_world_device(w);
    const uint32_t words[] = {VK_OP_vkDestroySampler, c->size, ++w->turn, 0, 0, 0, 0, 0, 0};
    feed(w, words, sizeof words);
    SLT_EXPECT_TRUE(w->main.lost);
}

/* Every length word of a packet says more than there is. */
static void corrupt_words(struct vk_world *w, const uint8_t *packet, size_t size)
{
    for (size_t at = 12; at + 4 <= size; at += 4) {
        struct vk_guest_ring ring;
        uint8_t *copy = sl_alloc(size);
        SLT_ASSERT_TRUE(copy != NULL);
        memcpy(copy, packet, size);
        memset(copy + at, 0xff, 4);
        /* A ring that stopped in front of its turn would hold up the others. */
        uint32_t turn = sl_load_u32(copy + 8);
        vk_world_context(w)->turns.passed = turn - 1;
        vk_ring_open(w, &ring, 0);
        vk_pack_bytes(&ring.pack, copy, size);
        vk_ring_feed(&ring);
        vk_ring_close(&ring);
        sl_free(copy);
    }
}

SLT_TEST_F(hvk_attack, counts_of_four_billion_are_not_believed, w)
{
    vk_world_device(w);
    struct vk_pack pack;
    VkFence fence = vp_fence_make(w);
    uint64_t live = sl_alloc_live();
    vk_pack_init(&pack, 1 << 20, false);
    const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO};
    const VkBufferCreateInfo buffer = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = 64};
    const VkShaderModuleCreateInfo shader = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                             .codeSize = sizeof vp_double_spv,
                                             .pCode = vp_double_spv};
    VkBuffer no_buffer = VK_NULL_HANDLE;
    VkShaderModule no_module = VK_NULL_HANDLE;
    const uint32_t turn = w->turn + 1;
    vk_pack_vkResetFences(&pack, turn, w->device, 1, &fence);
    corrupt_words(w, pack.data, vk_pack_size(&pack));
    vk_pack_reset(&pack);
    vk_pack_vkQueueSubmitAsyncGOOGLE(&pack, turn, w->queue, 1, &submit, fence);
    corrupt_words(w, pack.data, vk_pack_size(&pack));
    vk_pack_reset(&pack);
    vk_pack_vkCreateBuffer(&pack, turn, w->device, &buffer, NULL, &no_buffer);
    corrupt_words(w, pack.data, vk_pack_size(&pack));
    vk_pack_reset(&pack);
    vk_pack_vkCreateShaderModule(&pack, turn, w->device, &shader, NULL, &no_module);
    corrupt_words(w, pack.data, 96); /* the head; words of the code are the driver's */
    vk_pack_finish(&pack);
    /* What was made of the packets that still made sense; nothing near four billion of anything. */
    SLT_EXPECT_LT(sl_alloc_live(), live + 1000);
}

/* --- chains --- */

/* Where a chain of reduction modes says for the n-th time what a link is, as each does twice; 0:
 * nowhere. */
static size_t find_link(const struct vk_pack *pack, uint32_t n)
{
    for (size_t at = 12; at + 4 <= vk_pack_size(pack); at++) {
        if (sl_load_u32(pack->data + at) ==
                (uint32_t)VK_STRUCTURE_TYPE_SAMPLER_REDUCTION_MODE_CREATE_INFO &&
            n-- == 0) {
            return at;
        }
    }
    return 0;
}

/* A packet with the first link of a chain ten thousand times, each inside the one before. */
SLT_TEST_F(hvk_attack, a_chain_of_ten_thousand_ends_the_ring, w)
{
    enum { LINKS = 10000 };
    vk_world_device(w);
    struct vk_pack pack;
    const VkSamplerReductionModeCreateInfo second = {
        .sType = VK_STRUCTURE_TYPE_SAMPLER_REDUCTION_MODE_CREATE_INFO};
    const VkSamplerReductionModeCreateInfo first = {.sType = second.sType, .pNext = &second};
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
                                      .pNext = &first};
    VkSampler sampler = VK_NULL_HANDLE;
    vk_pack_init(&pack, 1 << 16, false);
    vk_pack_vkCreateSampler(&pack, ++w->turn, w->device, &info, NULL, &sampler);
    size_t link = find_link(&pack, 0) - 4, size = find_link(&pack, 2) - 4 - link;
    SLT_ASSERT_TRUE(find_link(&pack, 3) != 0);
    vk_pack_reset(&w->main.pack);
    vk_pack_bytes(&w->main.pack, pack.data, link);
    for (int i = 0; i < LINKS; i++) {
        vk_pack_bytes(&w->main.pack, pack.data + link, size);
    }
    vk_pack_bytes(&w->main.pack, pack.data + link, vk_pack_size(&pack) - link);
    sl_store_u32(w->main.pack.data + 4, (uint32_t)vk_pack_size(&w->main.pack));
    vk_ring_feed(&w->main);
    vk_pack_finish(&pack);
    SLT_SCOPE("%s", w->main.reason);
    SLT_EXPECT_TRUE(w->main.lost);
    SLT_EXPECT_TRUE(strstr(w->main.reason, "nested too deep") != NULL);
}

SLT_TEST_F(hvk_attack, an_unknown_struct_in_a_chain_ends_the_ring, w)
{
    vk_world_device(w);
    struct vk_pack pack;
    const VkSamplerReductionModeCreateInfo mode = {
        .sType = VK_STRUCTURE_TYPE_SAMPLER_REDUCTION_MODE_CREATE_INFO};
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO,
                                      .pNext = &mode};
    VkSampler sampler = VK_NULL_HANDLE;
    vk_pack_init(&pack, 1 << 16, false);
    vk_pack_vkCreateSampler(&pack, ++w->turn, w->device, &info, NULL, &sampler);
    size_t at = find_link(&pack, 0);
    SLT_ASSERT_TRUE(at != 0);
    sl_store_u32(pack.data + at, 0x7ffffff0);
    feed(w, pack.data, vk_pack_size(&pack));
    vk_pack_finish(&pack);
    SLT_EXPECT_TRUE(w->main.lost);
}

/* --- lives --- */

SLT_TEST_F(hvk_attack, memory_and_images_go_before_what_uses_them, w)
{
    vk_world_device(w);
    struct vp_mapped m;
    VkCommandBuffer commands;
    vp_mapped_make(w, 1, &m);
    VkCommandPool pool = vp_pool_make(w);
    VkFence fence = vp_fence_make(w);
    vp_buffers_make(w, pool, VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &commands);
    vp_fill(w, commands, m.buffer, 5, fence);
    VK_SEND(&w->main, FreeMemory, w->device, m.memory, NULL); /* while the buffer has it */
    VK_SEND(&w->main, DestroyBuffer, w->device, m.buffer, NULL);
    VK_SEND(&w->main, DestroyFence, w->device, fence, NULL);
    VK_SEND(&w->main, DestroyCommandPool, w->device, pool, NULL);
    SLT_EXPECT_TRUE(!w->main.lost);
    VK_SEND(&w->main, DestroyBuffer, w->device, m.buffer, NULL); /* twice */
    SLT_EXPECT_TRUE(w->main.lost);
}

SLT_TEST_F(hvk_attack, what_was_recorded_is_gone_when_it_comes, w)
{
    vk_world_device(w);
    struct vp_mapped m;
    struct vk_pack recorded;
    VkCommandBuffer commands;
    vp_mapped_make(w, 1, &m);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &commands);
    vp_begin(&recorded);
    vk_pack_vkCmdFillBuffer(&recorded, m.buffer, 0, 256, 1);
    VK_SEND(&w->main, DestroyBuffer, w->device, m.buffer, NULL);
    vp_flush(w, commands, &recorded);
    vk_pack_finish(&recorded);
    SLT_EXPECT_TRUE(w->main.lost);
}

/* --- turns --- */

SLT_TEST_F(hvk_attack, a_number_that_never_comes_loses_the_context, w)
{
    vk_world_device(w);
    vk_world_context(w)->turns.patience_ns = 1000 * 1000;
    w->turn += 5;
    VK_SEND(&w->main, DestroySampler, w->device, VK_NULL_HANDLE, NULL);
    SLT_EXPECT_TRUE(w->main.lost);
}

SLT_TEST_F(hvk_attack, numbers_wrap, w)
{
    vk_world_device(w);
    vk_world_context(w)->turns.passed = w->turn = UINT32_MAX - 3;
    for (int i = 0; i < 8; i++) {
        VK_SEND(&w->main, DestroySampler, w->device, VK_NULL_HANDLE, NULL);
    }
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* --- values that drivers believe --- */

struct constants_case {
    const char *label;
    uint32_t offset;
    size_t size;
};
static const struct constants_case constants_cases[] = {{"behind_the_data", 100, 4},
                                                        {"over_its_end", 6, 4},
                                                        {"wrapping", UINT32_MAX - 1, 4},
                                                        {"of_all_memory", 0, SIZE_MAX}};

SLT_TEST_FP(hvk_attack, constants_outside_their_data_are_refused, w, struct constants_case,
            constants_cases, c)
{
    vk_world_device(w);
    struct vp_compute compute;
    VkPipeline pipeline = VK_NULL_HANDLE;
    VkResult result = VK_SUCCESS;
    vp_compute_make(w, 1, &compute);
    const VkShaderModule module = vp_shader(w, vp_double_spv, sizeof vp_double_spv);
    const uint32_t data[2] = {1, 2};
    const VkSpecializationMapEntry entry = {.offset = c->offset, .size = c->size};
    const VkSpecializationInfo constants = {
        .mapEntryCount = 1, .pMapEntries = &entry, .dataSize = sizeof data, .pData = data};
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main",
                  .pSpecializationInfo = &constants},
        .layout = compute.layout};
    VK_SEND(&w->main, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline);
    if (!w->main.lost) {
        VK_READ(&w->main, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &info, NULL,
                &pipeline, &result);
        SLT_EXPECT_LT(result, 0);
    }
}

/* --- vertices from places that no device has --- */

/* void main() {} */
static const uint32_t empty_vertex_spv[] = {
    0x07230203, 0x00010000, 0, 5,          0, /* header, ids below 5 */
    0x00020011, 1,                            /* OpCapability Shader */
    0x0003000e, 0,          1,                /* OpMemoryModel Logical GLSL450 */
    0x0005000f, 0,          1, 0x6e69616d, 0, /* OpEntryPoint Vertex %1 "main" */
    0x00020013, 2,                            /* %2 = OpTypeVoid */
    0x00030021, 3,          2,                /* %3 = OpTypeFunction %2 */
    0x00050036, 2,          1, 0,          3, /* %1 = OpFunction %2 None %3 */
    0x000200f8, 4,                            /* %4 = OpLabel */
    0x000100fd, 0x00010038,                   /* OpReturn, OpFunctionEnd */
};

struct place_case {
    const char *name;
    uint32_t binding, attribute_binding, location;
    bool works;
};
static const struct place_case place_cases[] = {{"there", 0, 0, 0, true},
                                                {"location", 0, 0, 262145, false},
                                                {"binding", 262145, 0, 0, false},
                                                {"attribute_binding", 0, 262145, 0, false}};

SLT_TEST_FP(hvk_attack, vertices_from_nowhere_are_refused, w, struct place_case, place_cases, c)
{
    vk_world_device(w);
    struct vp_compute compute;
    VkRenderPass pass = VK_NULL_HANDLE;
    VkPipeline pipeline = VK_NULL_HANDLE;
    VkResult result = VK_SUCCESS;
    vp_compute_make(w, 1, &compute);
    const VkShaderModule module = vp_shader(w, empty_vertex_spv, sizeof empty_vertex_spv);
    const VkSubpassDescription subpass = {0};
    const VkRenderPassCreateInfo passes = {.sType = VK_STRUCTURE_TYPE_RENDER_PASS_CREATE_INFO,
                                           .subpassCount = 1,
                                           .pSubpasses = &subpass};
    VK_SEND(&w->main, CreateRenderPass, w->device, &passes, NULL, &pass);
    VK_READ(&w->main, CreateRenderPass, w->device, &passes, NULL, &pass, &result);
    SLT_ASSERT_EQ(VK_SUCCESS, result);

    const VkVertexInputBindingDescription binding = {.binding = c->binding, .stride = 16};
    const VkVertexInputAttributeDescription attribute = {
        .location = c->location, .binding = c->attribute_binding, .format = VK_FORMAT_R32_SFLOAT};
    const VkPipelineVertexInputStateCreateInfo input = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_VERTEX_INPUT_STATE_CREATE_INFO,
        .vertexBindingDescriptionCount = 1,
        .pVertexBindingDescriptions = &binding,
        .vertexAttributeDescriptionCount = 1,
        .pVertexAttributeDescriptions = &attribute};
    const VkPipelineInputAssemblyStateCreateInfo assembly = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_INPUT_ASSEMBLY_STATE_CREATE_INFO};
    const VkPipelineRasterizationStateCreateInfo raster = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_RASTERIZATION_STATE_CREATE_INFO,
        .rasterizerDiscardEnable = VK_TRUE,
        .lineWidth = 1};
    const VkPipelineShaderStageCreateInfo stage = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
        .stage = VK_SHADER_STAGE_VERTEX_BIT,
        .module = module,
        .pName = "main"};
    const VkGraphicsPipelineCreateInfo info = {.sType =
                                                   VK_STRUCTURE_TYPE_GRAPHICS_PIPELINE_CREATE_INFO,
                                               .stageCount = 1,
                                               .pStages = &stage,
                                               .pVertexInputState = &input,
                                               .pInputAssemblyState = &assembly,
                                               .pRasterizationState = &raster,
                                               .layout = compute.layout,
                                               .renderPass = pass};
    VK_SEND(&w->main, CreateGraphicsPipelines, w->device, VK_NULL_HANDLE, 1, &info, NULL,
            &pipeline);
    SLT_ASSERT_TRUE(!w->main.lost);
    VK_READ(&w->main, CreateGraphicsPipelines, w->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline,
            &result);
    SLT_EXPECT_EQ(c->works, result == VK_SUCCESS);
}

/* --- one command buffer, two rings --- */

struct flusher {
    struct vk_world *w;
    struct vk_guest_ring ring;
    pthread_mutex_t *turns;
    pthread_t thread;
    VkCommandBuffer buffer;
    VkBuffer target;
};

static void *flush_often(void *user)
{
    struct flusher *f = user;
    for (uint32_t i = 0; i < 40; i++) {
        struct vk_pack recorded;
        vp_begin(&recorded);
        for (uint32_t k = 0; k < 100; k++) {
            vk_pack_vkCmdFillBuffer(&recorded, f->target, 0, 256, k);
        }
        vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
        pthread_mutex_lock(f->turns);
        uint32_t turn = ++f->w->turn;
        pthread_mutex_unlock(f->turns);
        vk_pack_vkQueueFlushCommandsGOOGLE(&f->ring.pack, turn, f->w->queue, f->buffer,
                                           vk_pack_size(&recorded), recorded.data);
        vk_ring_feed(&f->ring);
        vk_pack_finish(&recorded);
    }
    return NULL;
}

SLT_TEST_F(hvk_attack, two_rings_record_into_one_command_buffer, w)
{
    vk_world_device(w);
    struct flusher flushers[2];
    struct vp_mapped m;
    VkCommandBuffer buffer;
    pthread_mutex_t turns = PTHREAD_MUTEX_INITIALIZER;
    vp_mapped_make(w, 1, &m);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &buffer);
    for (int i = 0; i < 2; i++) {
        flushers[i] =
            (struct flusher){.w = w, .turns = &turns, .buffer = buffer, .target = m.buffer};
        vk_ring_open(w, &flushers[i].ring, 0);
    }
    for (int i = 0; i < 2; i++) {
        SLT_ASSERT_OK(
            sl_thread_start(&flushers[i].thread, "flushes", 0, flush_often, &flushers[i]));
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(flushers[i].thread, NULL);
        vk_ring_close(&flushers[i].ring);
    }
    vp_mapped_free(w, &m);
    SLT_EXPECT_TRUE(!w->main.lost);
}
