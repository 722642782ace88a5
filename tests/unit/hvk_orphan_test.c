/* A hostile guest ends what something else is made of, or what a descriptor set says, and uses that
 * (attack case C07). The driver's freed memory is filled, so that whoever still looks into it
 * shows.
 */
#include "tests/unit/hvk_target.h"

SLT_FIXTURE(hvk_orphan, struct vk_world, target_init, vk_world_finish);

/* Others of the kind, so that the driver gives freed memory to somebody. */
static void fill_up(struct vk_world *w)
{
    for (int i = 0; i < 4; i++) {
        VkImageView view;
        VkImage image = vp_image_make(w, &plain_image);
        SLT_ASSERT_EQ(VK_SUCCESS, view_of(w, &plain_view, image, &view));
        VK_SEND(&w->main, DestroyImageView, w->device, view, NULL);
        VK_SEND(&w->main, DestroyImage, w->device, image, NULL);
    }
}

/* --- a framebuffer whose views, or their images, have ended --- */

struct orphan_case {
    const char *label;
    bool image, view, before; /* what ends, and when: before it is recorded */
};
static const struct orphan_case orphan_cases[] = {
    {"of_the_image_recorded_before", true, false, false}, {"of_the_image", true, false, true},
    {"of_the_view_recorded_before", false, true, false},  {"of_the_view", false, true, true},
    {"of_both_recorded_before", true, true, false},       {"of_both", true, true, true}};

SLT_TEST_FP(hvk_orphan, a_framebuffer_outlives_the_end, w, struct orphan_case, orphan_cases, c)
{
    struct target t;
    target_make(w, &t);
    uint64_t live = vk_world_context(w)->ids.live;
    if (!c->before) {
        target_clear(w, &t, t.pass);
    }
    if (c->image) {
        VK_SEND(&w->main, DestroyImage, w->device, t.image, NULL);
    }
    if (c->view) {
        VK_SEND(&w->main, DestroyImageView, w->device, t.view, NULL);
    }
    SLT_EXPECT_EQ(live - c->image - c->view, vk_world_context(w)->ids.live);
    fill_up(w);
    if (c->before) {
        target_clear(w, &t, t.pass);
    }
    SLT_EXPECT_EQ(VK_SUCCESS, vp_run(w, t.commands));
    VK_SEND(&w->main, DestroyFramebuffer, w->device, t.framebuffer, NULL);
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* --- immutable samplers --- */

SLT_TEST_F(hvk_orphan, a_set_outlives_its_layouts_samplers, w)
{
    const VkSamplerCreateInfo sampler_info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    VkSampler sampler = VK_NULL_HANDLE;
    struct hostile h;
    hostile_make(w, &h);
    sampler = VP_CREATE(w, Sampler, &sampler_info);
    const VkDescriptorSetLayoutBinding bindings[] = {
        {0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL},
        {1, VK_DESCRIPTOR_TYPE_SAMPLER, 1, VK_SHADER_STAGE_COMPUTE_BIT, &sampler}};
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 2,
        .pBindings = bindings};
    struct vp_compute c = h.c;
    c.set_layout = VP_CREATE(w, DescriptorSetLayout, &info);
    VK_SEND(&w->main, DestroySampler, w->device, sampler, NULL);
    fill_up(w);
    const VkDescriptorPoolSize sizes[] = {{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1},
                                          {VK_DESCRIPTOR_TYPE_SAMPLER, 1}};
    const VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .maxSets = 1,
                                             .poolSizeCount = 2,
                                             .pPoolSizes = sizes};
    c.pool = VP_CREATE(w, DescriptorPool, &pool);
    const VkPipelineLayoutCreateInfo layout = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
        .setLayoutCount = 1,
        .pSetLayouts = &c.set_layout,
        .pushConstantRangeCount = 1,
        .pPushConstantRanges = &(VkPushConstantRange){VK_SHADER_STAGE_COMPUTE_BIT, 0, 4}};
    c.layout = VP_CREATE(w, PipelineLayout, &layout);
    c.pipeline = vp_compute_pipeline(w, c.layout, vp_double_spv, sizeof vp_double_spv);
    VkDescriptorSet set;
    SLT_ASSERT_EQ(VK_SUCCESS, vp_set_make(w, &c, &set));
    vp_set_write(w, set, h.m.buffer);
    vp_set_words(&h.m, 3);
    vp_dispatch(w, &c, set, 1);
    vp_expect_words(&h.m, 7);
}

/* --- what descriptor sets say --- */

/* A dispatch with a set that says a buffer, recorded; the buffer is of so many bytes. */
struct said {
    struct hostile h;
    VkBuffer buffer;
    VkCommandBuffer commands;
};

static void said_make(struct vk_world *w, struct said *s, uint64_t size)
{
    VkMemoryRequirements needs;
    VkDeviceMemory memory;
    hostile_make(w, &s->h);
    s->buffer = vp_buffer_make(w, size, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, &needs);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, needs.size, 0, 0, &memory));
    SLT_ASSERT_EQ(VK_SUCCESS, vp_bind(w, s->buffer, memory, 0));
    vp_set_write(w, s->h.set, s->buffer);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &s->commands);
    vp_dispatch_record(w, &s->h.c, s->h.set, 1, s->commands);
}

static void said_end(struct vk_world *w, const struct said *s)
{
    VK_SEND(&w->main, DestroyBuffer, w->device, s->buffer, NULL);
    fill_up(w);
}

SLT_TEST_F(hvk_orphan, a_set_may_say_what_has_ended, w)
{
    struct said s;
    said_make(w, &s, 256);
    said_end(w, &s);
    SLT_EXPECT_LE(1u, target_device(w)->stale_count);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_run(w, s.commands));
    SLT_EXPECT_EQ(VK_SUCCESS, vp_run(w, s.commands));
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* Nothing says it any more. */
SLT_TEST_F(hvk_orphan, and_it_ends_with_the_set, w)
{
    struct said s;
    said_make(w, &s, 256);
    said_end(w, &s);
    SLT_EXPECT_LE(1u, target_device(w)->stale_count);
    VK_SEND(&w->main, DestroyDescriptorPool, w->device, s.h.c.pool, NULL);
    fill_up(w);
    SLT_EXPECT_EQ(0u, target_device(w)->stale_count);
}

/* Or when there is more of it: the buffer alone is said, the views of fill_up are not. */
SLT_TEST_F(hvk_orphan, and_only_what_is_said_stays, w)
{
    struct said s;
    said_make(w, &s, 256);
    said_end(w, &s);
    for (int i = 0; i < 100; i++) {
        fill_up(w);
        SLT_ASSERT_LE(target_device(w)->stale_count, 300u);
    }
    vp_set_write(w, s.h.set, s.h.m.buffer);
    for (int i = 0; i < 100; i++) {
        fill_up(w);
    }
    SLT_EXPECT_LE(target_device(w)->stale_count, 256u);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_run(w, s.commands));
}

/* More than is kept for sets: they say nothing in its place. */
SLT_TEST_F(hvk_orphan, a_set_keeps_no_more_than_there_is_room_for, w)
{
    struct said s;
    said_make(w, &s, 300ull << 20);
    SLT_ASSERT_TRUE(target_device(w)->has_null_descriptors);
    VK_SEND(&w->main, DestroyBuffer, w->device, s.buffer, NULL);
    SLT_EXPECT_EQ(0u, target_device(w)->stale_count);
    fill_up(w);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_run(w, s.commands));
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* A buffer without memory is not written into a set, in whatever way. */
typedef void set_writer(struct vk_world *w, const struct said *s, VkBuffer buffer);

static void plainly(struct vk_world *w, const struct said *s, VkBuffer buffer)
{
    vp_set_write(w, s->h.set, buffer);
}

static void by_template(struct vk_world *w, const struct said *s, VkBuffer buffer)
{
    const VkDescriptorBufferInfo info = {.buffer = buffer, .range = VK_WHOLE_SIZE};
    const uint32_t entry = 0;
    VK_SEND(&w->main, UpdateDescriptorSetWithTemplateSizedGOOGLE, w->device, s->h.set,
            vp_template_make(w, s->h.c.set_layout, 0), 0, 1, 0, NULL, &entry, NULL, NULL, &info,
            NULL);
}

static void by_template_2(struct vk_world *w, const struct said *s, VkBuffer buffer)
{
    const VkDescriptorBufferInfo info = {.buffer = buffer, .range = VK_WHOLE_SIZE};
    const uint32_t entry = 0;
    VK_SEND(&w->main, UpdateDescriptorSetWithTemplateSized2GOOGLE, w->device, s->h.set,
            vp_template_make(w, s->h.c.set_layout, 0), 0, 1, 0, 0, NULL, &entry, NULL, NULL, &info,
            NULL, NULL);
}

struct bare_case {
    const char *label;
    set_writer *write;
};
static const struct bare_case bare_cases[] = {
    {"plainly", plainly}, {"by_template", by_template}, {"by_template_2", by_template_2}};

SLT_TEST_FP(hvk_orphan, a_set_says_nothing_without_memory, w, struct bare_case, bare_cases, c)
{
    struct said s;
    VkMemoryRequirements needs;
    said_make(w, &s, 256);
    VkBuffer bare = vp_buffer_make(w, 256, VK_BUFFER_USAGE_STORAGE_BUFFER_BIT, &needs);
    c->write(w, &s, s.h.m.buffer); /* others are, meanwhile */
    c->write(w, &s, bare);
    vp_set_words(&s.h.m, 5);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_run(w, s.commands));
    vp_expect_words(&s.h.m, 11);
    SLT_EXPECT_TRUE(!w->main.lost);
}
