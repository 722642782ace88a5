/* A hostile guest's shaders use descriptors that were never written, or that say nothing: of each
 * kind, whichever way the set came to hold nothing. Drivers may read what they like then, but the
 * host goes on (attack case C07). */
#include "tests/unit/hvk_scene.h"
#include "tests/unit/hvk_used.h"

#include "host/vulkan/hvk.h"

SLT_FIXTURE(hvk_unwritten, struct vk_world, scene_init, vk_world_finish);

#define BINDINGS 12u
#define SETS     3u
#define OUTPUT   10u
#define MANY     4u /* in the last one */

struct used {
    struct scene s;
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkDescriptorPool pool;
    VkDescriptorSet set;
    VkPipeline compute, graphics;
    VkImageView view;
};

static const VkDescriptorType types[BINDINGS] = {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
                                                 VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER,
                                                 VK_DESCRIPTOR_TYPE_SAMPLER,
                                                 VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE,
                                                 VK_DESCRIPTOR_TYPE_STORAGE_IMAGE,
                                                 VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER,
                                                 VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER,
                                                 VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
                                                 VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                                 VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT,
                                                 VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                                 VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER};

/* --- what the shaders run with --- */

static void layouts_make(struct vk_world *w, struct used *u, bool pushes)
{
    VkDescriptorSetLayoutBinding bindings[BINDINGS];
    VkDescriptorPoolSize sizes[BINDINGS];
    VkDescriptorBindingFlags flags[BINDINGS] = {0};
    for (uint32_t i = 0; i < BINDINGS; i++) {
        uint32_t count = i == BINDINGS - 1 ? MANY : 1;
        bindings[i] = (VkDescriptorSetLayoutBinding){i, types[i], count, VK_SHADER_STAGE_ALL, NULL};
        sizes[i] = (VkDescriptorPoolSize){types[i], SETS * count};
    }
    flags[BINDINGS - 1] = pushes ? 0 : VK_DESCRIPTOR_BINDING_VARIABLE_DESCRIPTOR_COUNT_BIT;
    const VkDescriptorSetLayoutBindingFlagsCreateInfo more = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO,
        .bindingCount = BINDINGS,
        .pBindingFlags = flags};
    const VkDescriptorSetLayoutCreateInfo set = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .pNext = &more,
        .flags = pushes ? VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT : 0,
        .bindingCount = BINDINGS,
        .pBindings = bindings};
    u->set_layout = VP_CREATE(w, DescriptorSetLayout, &set);
    const VkPipelineLayoutCreateInfo layout = {.sType =
                                                   VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                               .setLayoutCount = 1,
                                               .pSetLayouts = &u->set_layout};
    u->layout = VP_CREATE(w, PipelineLayout, &layout);
    const VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .maxSets = SETS,
                                             .poolSizeCount = BINDINGS,
                                             .pPoolSizes = sizes};
    u->pool = VP_CREATE(w, DescriptorPool, &pool);
}

static VkDescriptorSet set_make(struct vk_world *w, const struct used *u)
{
    const uint32_t many = MANY;
    const VkDescriptorSetVariableDescriptorCountAllocateInfo variable = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_VARIABLE_DESCRIPTOR_COUNT_ALLOCATE_INFO,
        .descriptorSetCount = 1,
        .pDescriptorCounts = &many};
    const VkDescriptorSetAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                              .pNext = &variable,
                                              .descriptorPool = u->pool,
                                              .descriptorSetCount = 1,
                                              .pSetLayouts = &u->set_layout};
    VkDescriptorSet set = VK_NULL_HANDLE;
    VkResult r;
    VK_SEND(&w->main, AllocateDescriptorSets, w->device, &info, &set);
    VK_READ(&w->main, AllocateDescriptorSets, w->device, &info, &set, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    return set;
}

/* One whose shaders use what the number says. */
static void used_make(struct vk_world *w, struct used *u, uint32_t which, bool pushes)
{
    const VkSpecializationMapEntry entry = {.size = 4};
    const VkSpecializationInfo constants = {
        .mapEntryCount = 1, .pMapEntries = &entry, .dataSize = 4, .pData = &which};
    struct scene_pipeline p;
    VkResult r;
    *u = (struct used){0};
    scene_make(w, &u->s);
    layouts_make(w, u, pushes);
    u->view = vp_view_make(w, u->s.h.image, VK_FORMAT_R8G8B8A8_UNORM, VK_IMAGE_ASPECT_COLOR_BIT);
    scene_pipeline_fill(&u->s, &p);
    p.stages[1].module = vp_shader(w, used_fragment_spv, sizeof used_fragment_spv);
    p.stages[1].pSpecializationInfo = &constants;
    p.info.layout = u->layout;
    SLT_ASSERT_EQ(VK_SUCCESS, scene_pipeline_make(w, &p, &u->graphics));
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = vp_shader(w, used_compute_spv, sizeof used_compute_spv),
                  .pName = "main",
                  .pSpecializationInfo = &constants},
        .layout = u->layout};
    VK_SEND(&w->main, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &info, NULL,
            &u->compute);
    VK_READ(&w->main, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &info, NULL,
            &u->compute, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    u->set = pushes ? VK_NULL_HANDLE : set_make(w, u);
}

/* --- what the set says --- */

static VkWriteDescriptorSet write_of(const struct used *u, uint32_t binding)
{
    return (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                  .dstSet = u->set,
                                  .dstBinding = binding,
                                  .descriptorCount = 1,
                                  .descriptorType = types[binding]};
}

/* What vertex shaders read, and compute shaders write to. */
static void buffers_write(struct vk_world *w, const struct used *u)
{
    const VkDescriptorBufferInfo info = {.buffer = u->s.h.m.buffer, .range = VK_WHOLE_SIZE};
    VkWriteDescriptorSet writes[2] = {write_of(u, 0), write_of(u, OUTPUT)};
    writes[0].pBufferInfo = writes[1].pBufferInfo = &info;
    VK_SEND(&w->main, UpdateDescriptorSets, w->device, 2, writes, 0, NULL);
}

/* Of all others: that image, and nothing of another kind. */
static void image_writes(const struct used *u, const VkDescriptorImageInfo *image,
                         VkWriteDescriptorSet *writes)
{
    static const VkDescriptorBufferInfo buffer = {.range = VK_WHOLE_SIZE};
    static const VkBufferView view = VK_NULL_HANDLE;
    for (uint32_t i = 1; i < BINDINGS; i++) {
        writes[i - 1] = write_of(u, i);
        writes[i - 1].pImageInfo = image;
        writes[i - 1].pBufferInfo = &buffer;
        writes[i - 1].pTexelBufferView = &view;
    }
}

static void images_write(struct vk_world *w, const struct used *u,
                         const VkDescriptorImageInfo *image)
{
    VkWriteDescriptorSet writes[BINDINGS - 1];
    image_writes(u, image, writes);
    VK_SEND(&w->main, UpdateDescriptorSets, w->device, BINDINGS - 1, writes, 0, NULL);
}

typedef void contents(struct vk_world *w, struct used *u);

static void nothing(struct vk_world *w, struct used *u)
{
    (void)w;
    (void)u;
}

static void nulls(struct vk_world *w, struct used *u)
{
    images_write(w, u, &(VkDescriptorImageInfo){0});
}

static void images_without_samplers(struct vk_world *w, struct used *u)
{
    images_write(
        w, u,
        &(VkDescriptorImageInfo){.imageView = u->view, .imageLayout = VK_IMAGE_LAYOUT_GENERAL});
}

static void samplers_without_images(struct vk_world *w, struct used *u)
{
    images_write(w, u, &(VkDescriptorImageInfo){.sampler = u->s.sampler});
}

static void a_copy_of_nothing(struct vk_world *w, struct used *u)
{
    const VkDescriptorSet other = set_make(w, u);
    samplers_without_images(w, u);
    for (uint32_t i = 1; i < BINDINGS; i++) {
        const VkCopyDescriptorSet copy = {.sType = VK_STRUCTURE_TYPE_COPY_DESCRIPTOR_SET,
                                          .srcSet = other,
                                          .srcBinding = i,
                                          .dstSet = u->set,
                                          .dstBinding = i,
                                          .descriptorCount = i == BINDINGS - 1 ? MANY : 1};
        VK_SEND(&w->main, UpdateDescriptorSets, w->device, 0, NULL, 1, &copy);
    }
}

/* What it held before is gone with the reset. */
static void nothing_any_more(struct vk_world *w, struct used *u)
{
    VkResult r;
    samplers_without_images(w, u);
    VK_SEND(&w->main, ResetDescriptorPool, w->device, u->pool, 0);
    VK_READ(&w->main, ResetDescriptorPool, w->device, u->pool, 0, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    u->set = set_make(w, u);
}

/* As batched guests name it. */
static void nothing_under_a_name(struct vk_world *w, struct used *u)
{
    uint32_t count = 1;
    const uint32_t zero = 0, one = 1;
    uint64_t name;
    VK_SEND(&w->main, CollectDescriptorPoolIdsGOOGLE, w->device, u->pool, &count, &name);
    VK_READ(&w->main, CollectDescriptorPoolIdsGOOGLE, w->device, u->pool, &count, &name);
    SLT_ASSERT_EQ(1u, count);
    VK_SEND(&w->main, QueueCommitDescriptorSetUpdatesGOOGLE, w->queue, 1, &u->pool, 1,
            &u->set_layout, &name, &zero, &one, &zero, 0, NULL);
    u->set = HVK_HANDLE(VkDescriptorSet, name);
}

static contents *const all_contents[] = {nothing,
                                         nulls,
                                         images_without_samplers,
                                         samplers_without_images,
                                         a_copy_of_nothing,
                                         nothing_any_more,
                                         nothing_under_a_name};

/* --- the tests --- */

struct use_case {
    const char *label;
    uint32_t which;
};
static const struct use_case use_cases[] = {{"an_image", 0},
                                            {"an_image_and_a_sampler", 1},
                                            {"an_array", 2},
                                            {"an_image_gathered", 3},
                                            {"a_texel_of_a_sampled_image", 4},
                                            {"a_texel", 5},
                                            {"a_size", 6},
                                            {"a_stored_image", 7},
                                            {"a_stored_image_written", 8},
                                            {"a_texel_buffer", 9},
                                            {"a_stored_texel_buffer", 10},
                                            {"a_stored_texel_buffer_written", 11},
                                            {"a_uniform_buffer", 12},
                                            {"a_buffer", 13},
                                            {"a_buffer_written", 14},
                                            {"an_input_attachment", 15}};

static void draw(struct vk_world *w, const struct used *u)
{
    struct vk_pack recorded;
    vp_begin(&recorded);
    scene_pass_begin(&recorded, &u->s);
    scene_bind(&recorded, &u->s, u->graphics);
    vk_pack_vkCmdBindDescriptorSets(&recorded, VK_PIPELINE_BIND_POINT_GRAPHICS, u->layout, 0, 1,
                                    &u->set, 0, NULL);
    scene_triangle(&recorded);
    scene_done(&recorded);
    scene_survives(w, &u->s, &recorded);
}

static void dispatch(struct vk_world *w, const struct used *u)
{
    struct vk_pack recorded;
    vp_begin(&recorded);
    vk_pack_vkCmdBindPipeline(&recorded, VK_PIPELINE_BIND_POINT_COMPUTE, u->compute);
    vk_pack_vkCmdBindDescriptorSets(&recorded, VK_PIPELINE_BIND_POINT_COMPUTE, u->layout, 0, 1,
                                    &u->set, 0, NULL);
    vk_pack_vkCmdDispatch(&recorded, 8, 1, 1);
    scene_survives(w, &u->s, &recorded);
}

static void run(struct vk_world *w, const struct use_case *c,
                void (*shade)(struct vk_world *w, const struct used *u))
{
    struct used u;
    used_make(w, &u, c->which, false);
    for (size_t i = 0; i < sizeof all_contents / sizeof all_contents[0]; i++) {
        all_contents[i](w, &u);
        buffers_write(w, &u);
        shade(w, &u);
        SLT_EXPECT_TRUE(!w->main.lost);
    }
}

SLT_TEST_FP(hvk_unwritten, in_a_dispatch, w, struct use_case, use_cases, c)
{
    run(w, c, dispatch);
}

SLT_TEST_FP(hvk_unwritten, in_a_draw, w, struct use_case, use_cases, c)
{
    run(w, c, draw);
}

/* --- pushed --- */

static void push(struct vk_pack *p, const struct used *u, VkPipelineBindPoint point,
                 const VkDescriptorImageInfo *image)
{
    const VkDescriptorBufferInfo info = {.buffer = u->s.h.m.buffer, .range = VK_WHOLE_SIZE};
    VkWriteDescriptorSet writes[BINDINGS + 1];
    uint32_t count = 0;
    if (image != NULL) {
        image_writes(u, image, writes);
        count = BINDINGS - 1;
    }
    writes[count] = write_of(u, 0);
    writes[count++].pBufferInfo = &info;
    writes[count] = write_of(u, OUTPUT);
    writes[count++].pBufferInfo = &info;
    vk_pack_vkCmdPushDescriptorSet(p, point, u->layout, 0, count, writes);
}

SLT_TEST_FP(hvk_unwritten, as_it_is_pushed, w, struct use_case, use_cases, c)
{
    struct used u;
    struct vk_pack recorded;
    used_make(w, &u, c->which, true);
    const VkDescriptorImageInfo none = {0}, image = {.imageView = u.view,
                                                     .imageLayout = VK_IMAGE_LAYOUT_GENERAL};
    const VkDescriptorImageInfo *const images[] = {NULL, &none, &image};
    for (size_t i = 0; i < sizeof images / sizeof images[0]; i++) {
        vp_begin(&recorded);
        vk_pack_vkCmdBindPipeline(&recorded, VK_PIPELINE_BIND_POINT_COMPUTE, u.compute);
        push(&recorded, &u, VK_PIPELINE_BIND_POINT_COMPUTE, images[i]);
        vk_pack_vkCmdDispatch(&recorded, 8, 1, 1);
        scene_pass_begin(&recorded, &u.s);
        scene_bind(&recorded, &u.s, u.graphics);
        push(&recorded, &u, VK_PIPELINE_BIND_POINT_GRAPHICS, images[i]);
        scene_triangle(&recorded);
        scene_done(&recorded);
        scene_survives(w, &u.s, &recorded);
        SLT_ASSERT_TRUE(!w->main.lost);
    }
}
