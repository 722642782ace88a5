/* A guest's shader that does not end (attack case C19): nothing stops it natively. What is
 * promised: with a limit the guest that waits for it loses its device, its end is not held up, and
 * other guests of the same host go on. */
#include "tests/support/vk_parts.h"

#include "transport/base/clock.h"

#include <string.h>

#define HANG_NS (2 * SL_NS_PER_S)
/* Far below never, far above what any machine needs. */
#define SOON_NS (40 * SL_NS_PER_S)

/* Lavapipe ends a shader's loops after 65,535 turns in all, so there are many shaders: hours of
 * work on any machine. */
#define GROUPS 4096u

/* Four loops in each other: data[0]++ until data[1] != 0. */
static const uint32_t endless_spv[] = {
    0x7230203,  0x10300,    0x8000b,    0x2e,    0x0,     0x20011, 0x1,     0x6000b, 0x1,
    0x4c534c47, 0x6474732e, 0x3035342e, 0x0,     0x3000e, 0x0,     0x1,     0x5000f, 0x5,
    0x4,        0x6e69616d, 0x0,        0x60010, 0x4,     0x11,    0x1,     0x1,     0x1,
    0x40047,    0x17,       0x6,        0x4,     0x40048, 0x18,    0x0,     0x17,    0x40048,
    0x18,       0x0,        0x15,       0x40048, 0x18,    0x0,     0x17,    0x50048, 0x18,
    0x0,        0x23,       0x0,        0x30047, 0x18,    0x2,     0x40047, 0x1a,    0x22,
    0x0,        0x40047,    0x1a,       0x21,    0x0,     0x40047, 0x2d,    0xb,     0x19,
    0x20013,    0x2,        0x30021,    0x3,     0x2,     0x40015, 0x16,    0x20,    0x0,
    0x3001d,    0x17,       0x16,       0x3001e, 0x18,    0x17,    0x40020, 0x19,    0xc,
    0x18,       0x4003b,    0x19,       0x1a,    0xc,     0x40015, 0x1b,    0x20,    0x1,
    0x4002b,    0x1b,       0x1c,       0x0,     0x4002b, 0x16,    0x1d,    0x1,     0x40020,
    0x1e,       0xc,        0x16,       0x4002b, 0x1b,    0x23,    0x1,     0x4002b, 0x16,
    0x26,       0x0,        0x20014,    0x27,    0x40017, 0x2c,    0x16,    0x3,     0x6002c,
    0x2c,       0x2d,       0x1d,       0x1d,    0x1d,    0x50036, 0x2,     0x4,     0x0,
    0x3,        0x200f8,    0x5,        0x200f9, 0x6,     0x200f8, 0x6,     0x400f6, 0x8,
    0x9,        0x0,        0x200f9,    0x7,     0x200f8, 0x7,     0x200f9, 0xa,     0x200f8,
    0xa,        0x400f6,    0xc,        0xd,     0x0,     0x200f9, 0xb,     0x200f8, 0xb,
    0x200f9,    0xe,        0x200f8,    0xe,     0x400f6, 0x10,    0x11,    0x0,     0x200f9,
    0xf,        0x200f8,    0xf,        0x200f9, 0x12,    0x200f8, 0x12,    0x400f6, 0x14,
    0x15,       0x0,        0x200f9,    0x13,    0x200f8, 0x13,    0x60041, 0x1e,    0x1f,
    0x1a,       0x1c,       0x1c,       0x4003d, 0x16,    0x20,    0x1f,    0x50080, 0x16,
    0x21,       0x20,       0x1d,       0x60041, 0x1e,    0x22,    0x1a,    0x1c,    0x1c,
    0x3003e,    0x22,       0x21,       0x60041, 0x1e,    0x24,    0x1a,    0x1c,    0x23,
    0x4003d,    0x16,       0x25,       0x24,    0x500ab, 0x27,    0x28,    0x25,    0x26,
    0x300f7,    0x2a,       0x0,        0x400fa, 0x28,    0x29,    0x2a,    0x200f8, 0x29,
    0x100fd,    0x200f8,    0x2a,       0x200f9, 0x15,    0x200f8, 0x15,    0x200f9, 0x12,
    0x200f8,    0x14,       0x100ff,    0x200f8, 0x11,    0x200f9, 0xe,     0x200f8, 0x10,
    0x100ff,    0x200f8,    0xd,        0x200f9, 0xa,     0x200f8, 0xc,     0x100ff, 0x200f8,
    0x9,        0x200f9,    0x6,        0x200f8, 0x8,     0x100ff, 0x10038};

static void begin(struct vk_world *w)
{
    w->options.hang_ns = HANG_NS;
    vk_world_init(w);
}

SLT_FIXTURE(hvk_endless, struct vk_world, begin, vk_world_finish);

/* The fence that its end would signal. */
static VkFence run_endless(struct vk_world *w, struct vp_mapped *m)
{
    struct vp_compute c;
    struct vk_pack recorded;
    VkCommandBuffer commands;
    vk_world_device(w);
    vp_mapped_make(w, 1, m);
    vp_compute_make(w, 1, &c);
    VkPipeline pipeline = vp_compute_pipeline(w, c.layout, endless_spv, sizeof endless_spv);
    VkDescriptorSet set;
    SLT_EXPECT_EQ(VK_SUCCESS, vp_set_make(w, &c, &set));
    vp_set_write(w, set, m->buffer);
    VkFence fence = vp_fence_make(w);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &commands);
    vp_set_words(m, 0);
    vp_begin(&recorded);
    vk_pack_vkCmdBindPipeline(&recorded, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline);
    vk_pack_vkCmdBindDescriptorSets(&recorded, VK_PIPELINE_BIND_POINT_COMPUTE, c.layout, 0, 1, &set,
                                    0, NULL);
    vk_pack_vkCmdDispatch(&recorded, 65535, GROUPS, 1);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    vp_flush(w, commands, &recorded);
    vk_pack_finish(&recorded);
    vp_submit(w, commands, fence);
    return fence;
}

/* Does the shader count on within that time? */
static bool counts_within(const struct vp_mapped *m, uint64_t ns)
{
    const volatile uint32_t *count = m->words;
    uint32_t before = *count;
    for (uint64_t end = sl_clock_ns() + ns; *count == before && sl_clock_ns() < end;) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    return *count != before;
}

static bool is_at_work(const struct vp_mapped *m)
{
    return counts_within(m, SOON_NS);
}

/* A guest of the same host beside it. */
static void another_works(struct vk_world *w)
{
    extern const struct hct_type hvk_vulkan_type;
    struct vk_world other = {.env = w->env, .provider = w->provider};
    const struct hct_create_info info = {.ctx_id = 2,
                                         .capset = VIRTGPU_CAPSET_GFXSTREAM_VULKAN,
                                         .name = "other",
                                         .env = &w->env,
                                         .provider = w->provider};
    struct vp_mapped m;
    struct vp_compute c;
    SLT_ASSERT_OK(hvk_vulkan_type.create(&info, &other.context));
    vk_ring_open(&other, &other.main, 0);
    vk_world_device(&other);
    vp_mapped_make(&other, 1, &m);
    vp_compute_make(&other, 1, &c);
    VkDescriptorSet set;
    SLT_EXPECT_EQ(VK_SUCCESS, vp_set_make(&other, &c, &set));
    vp_set_write(&other, set, m.buffer);
    vp_set_words(&m, 5);
    vp_dispatch(&other, &c, set, 1);
    vp_expect_words(&m, 11);
    vp_mapped_free(&other, &m);
    vk_ring_close(&other.main);
    other.context->ops->destroy(other.context);
}

/* Of LeakSanitizer, where it is there: what the endless work holds stays. */
void __lsan_disable(void) __attribute__((weak));

SLT_TEST_F(hvk_endless, the_guest_loses_its_device_and_others_go_on, w)
{
    SLT_TIMEOUT(240);
    SLT_EXPECT_LOG("vulkan", "it is left behind");
    if (__lsan_disable != NULL) {
        __lsan_disable();
    }
    struct vp_mapped m;
    VkFence fence = run_endless(w, &m);
    SLT_ASSERT_TRUE(is_at_work(&m));
    SLT_EXPECT_EQ(VK_TIMEOUT, vp_wait(w, fence, SL_NS_PER_MS)); /* short waits are just that */
    uint64_t since = sl_clock_ns();
    SLT_EXPECT_EQ(VK_ERROR_DEVICE_LOST, vp_wait(w, fence, UINT64_MAX));
    SLT_EXPECT_LT(sl_clock_ns() - since, SOON_NS);
    SLT_EXPECT_TRUE(is_at_work(&m)); /* nobody can stop it */
    another_works(w);
    /* Its process is killed: what the host has of it goes, but for what the driver works with. */
    since = sl_clock_ns();
    vk_ring_close(&w->main);
    w->context->ops->destroy(w->context);
    w->context = NULL;
    SLT_EXPECT_LT(sl_clock_ns() - since, SOON_NS);
    SLT_EXPECT_TRUE(is_at_work(&m));
    another_works(w);
}
