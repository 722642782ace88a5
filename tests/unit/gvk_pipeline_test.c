/* What is taken out of pipelines and waits before they are packed. */
#include "guest/vulkan/gvk_clean.h"
#include "guest/vulkan/gvk_pipeline.h"
#include "guest/vulkan/gvk_sync.h"
#include "tests/support/gvk_sink.h"
#include "wire/vk_pack.h"

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
