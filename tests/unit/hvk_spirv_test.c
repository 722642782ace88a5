/* Shaders by what they mean: a host that checks them survives damaged ones, and nobody has device
 * addresses who did not ask, or whom a host on the CPU does not trust with them. */
#include "host/vulkan/hvk_clamp.h"
#include "host/vulkan/spirv.h"
#include "tests/unit/hvk_scene.h"
#include "tests/unit/hvk_used.h"
#include "transport/base/mem.h"

#include <string.h>

/* --- damaged modules (attack case C14) --- */

#define WORDS_MAX 1024u
#define OPS_MAX   256u
#define ROUNDS    300u

struct damage {
    uint64_t state;
    uint32_t words[WORDS_MAX];
    size_t count;
    size_t ops[OPS_MAX]; /* where instructions begin */
    uint32_t op_count;
};

static uint32_t any(struct damage *d, uint32_t below)
{
    d->state ^= d->state << 13;
    d->state ^= d->state >> 7;
    d->state ^= d->state << 17;
    return below == 0 ? 0 : (uint32_t)(d->state >> 11) % below;
}

static void find_ops(struct damage *d)
{
    d->op_count = 0;
    for (size_t at = 5; at < d->count && d->op_count < OPS_MAX;) {
        d->ops[d->op_count++] = at;
        at += d->words[at] >> 16 != 0 ? d->words[at] >> 16 : 1;
    }
}

/* One word or instruction is another: mostly another id, since what is no SPIR-V by its shape is
 * refused anyway. */
static void damage_once(struct damage *d)
{
    find_ops(d);
    size_t at = d->ops[any(d, d->op_count)];
    uint32_t length = d->words[at] >> 16;
    if (length < 2 || at + length > d->count) {
        return;
    }
    uint32_t *word = &d->words[at + 1 + any(d, length - 1)];
    switch (any(d, 6)) {
    case 0:
        *word ^= 1u << any(d, 32);
        break;
    case 1:
        *word = any(d, 16);
        break;
    case 2:
        memmove(&d->words[at], &d->words[at + length], (d->count - at - length) * 4);
        d->count -= length;
        break;
    default:
        *word = 1 + any(d, d->words[3]);
        break;
    }
}

static void damage_make(struct damage *d, const uint32_t *words, size_t count, uint32_t seed)
{
    d->state = (seed + 1) * 0x9e3779b97f4a7c15ull;
    d->count = count;
    memcpy(d->words, words, count * 4);
    for (uint32_t n = 1 + any(d, 3); n != 0; n--) {
        damage_once(d);
    }
}

static void begin(struct vk_world *w)
{
    w->options.is_valid_spirv = spirv_checker();
    if (w->options.is_valid_spirv == NULL) {
        SLT_SKIP("built without SPIRV-Tools");
    }
    scene_init(w);
}

SLT_FIXTURE(hvk_spirv, struct vk_world, begin, vk_world_finish);

static VkShaderModule module_of(struct vk_world *w, const uint32_t *words, size_t size)
{
    const VkShaderModuleCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .codeSize = size, .pCode = words};
    VkShaderModule module = VK_NULL_HANDLE;
    VkResult r;
    VK_SEND(&w->main, CreateShaderModule, w->device, &info, NULL, &module);
    if (!w->main.lost) {
        VK_READ(&w->main, CreateShaderModule, w->device, &info, NULL, &module, &r);
    }
    return module;
}

/* A scene's stage of damaged code: whatever is left of it draws. */
static void stage_survives(struct vk_world *w, const struct scene *s, uint32_t stage,
                           const uint32_t *words, size_t count)
{
    uint32_t taken = 0;
    struct damage d;
    for (uint32_t seed = 0; seed < ROUNDS && !w->main.lost; seed++) {
        SLT_SCOPE("stage %u seed %u", stage, seed);
        damage_make(&d, words, count, seed);
        VkShaderModule module = module_of(w, d.words, d.count * 4);
        if (module == VK_NULL_HANDLE) {
            continue;
        }
        taken++;
        struct scene_pipeline p;
        VkPipeline pipeline;
        scene_pipeline_fill(s, &p);
        p.stages[stage].module = module;
        if (scene_pipeline_make(w, &p, &pipeline) == VK_SUCCESS) {
            scene_draw(w, s, pipeline, false);
        }
    }
    SLT_EXPECT_TRUE(!w->main.lost);
    SLT_EXPECT_LT(0u, taken); /* not everything is wrong */
    SLT_EXPECT_LT(taken, ROUNDS / 2);
}

SLT_TEST_F(hvk_spirv, damaged_shaders_are_refused_or_draw, w)
{
    struct scene s;
    SLT_TIMEOUT(120);
    vk_world_device(w);
    scene_make(w, &s);
    for (uint32_t stage = 0; stage < 2; stage++) {
        size_t size;
        const uint32_t *words = scene_code(stage, &size);
        SLT_ASSERT_LE(size / 4, WORDS_MAX);
        stage_survives(w, &s, stage, words, size / 4);
    }
    vp_mapped_free(w, &s.h.m);
}

SLT_TEST_F(hvk_spirv, says_what_is_wrong, w)
{
    uint32_t words[VP_DOUBLE_WORDS];
    vk_world_device(w);
    SLT_EXPECT_TRUE(module_of(w, vp_double_spv, sizeof vp_double_spv) != VK_NULL_HANDLE);
    memcpy(words, vp_double_spv, sizeof words);
    words[1] = 0x7f0000; /* a version that there is not */
    SLT_EXPECT_TRUE(module_of(w, words, sizeof words) == VK_NULL_HANDLE);
}

/* What is valid still is where its indices stay in their arrays, or it is refused. */
SLT_TEST(hvk_clamp, valid_shaders_stay_valid)
{
    spirv_check is_valid = spirv_checker();
    uint32_t valid = 0, changed = 0;
    struct damage d;
    char text[300];
    SLT_TIMEOUT(60);
    if (is_valid == NULL) {
        SLT_SKIP("built without SPIRV-Tools");
    }
    for (uint32_t seed = 0; seed < 2000; seed++) {
        struct hvk_clamped out;
        const char *why;
        SLT_SCOPE("seed %u", seed);
        damage_make(&d, hvk_index_spv, HVK_INDEX_WORDS, seed);
        if (!is_valid(d.words, d.count, text, sizeof text)) {
            continue;
        }
        valid++;
        if (hvk_clamp(d.words, d.count, true, &out, &why) == SL_OK && out.words != NULL) {
            changed++;
            SLT_EXPECT_TRUE(is_valid(out.words, out.count, text, sizeof text));
            sl_free(out.words);
        }
    }
    SLT_EXPECT_LT(20u, valid);
    SLT_EXPECT_LT(valid / 2, changed);
}

/* --- device addresses --- */

struct addresses_case {
    const char *label;
    bool hides, asks;
};
static const struct addresses_case addresses_cases[] = {{"hidden", true, false},
                                                        {"hidden_and_asked", true, true},
                                                        {"not_asked", false, false},
                                                        {"asked", false, true}};

static bool lists(struct vk_world *w, const char *name)
{
    VkExtensionProperties all[256];
    uint32_t count = 256;
    VkResult r;
    VK_SEND(&w->main, EnumerateDeviceExtensionProperties, w->physical, NULL, &count, all);
    VK_READ(&w->main, EnumerateDeviceExtensionProperties, w->physical, NULL, &count, all, &r);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(all[i].extensionName, name) == 0) {
            return true;
        }
    }
    return false;
}

/* As the guest is told. */
static bool has_feature(struct vk_world *w)
{
    VkPhysicalDeviceVulkan12Features core = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES};
    VkPhysicalDeviceBufferDeviceAddressFeatures one = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES, .pNext = &core};
    VkPhysicalDeviceFeatures2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                     .pNext = &one};
    VK_SEND(&w->main, GetPhysicalDeviceFeatures2, w->physical, &all);
    VK_READ(&w->main, GetPhysicalDeviceFeatures2, w->physical, &all);
    SLT_EXPECT_EQ(core.bufferDeviceAddress, one.bufferDeviceAddress);
    SLT_EXPECT_TRUE(core.timelineSemaphore); /* its neighbours stay */
    return one.bufferDeviceAddress;
}

static VkResult device_make(struct vk_world *w, bool asks)
{
    const VkPhysicalDeviceBufferDeviceAddressFeatures feature = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES,
        .bufferDeviceAddress = VK_TRUE};
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     .pNext = asks ? &feature : NULL,
                                     .queueCreateInfoCount = 1,
                                     .pQueueCreateInfos = &queue};
    VkResult r;
    VK_SEND(&w->main, CreateDevice, w->physical, &info, NULL, &w->device);
    VK_READ(&w->main, CreateDevice, w->physical, &info, NULL, &w->device, &r);
    return r;
}

static void physical_find(struct vk_world *w)
{
    const VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                   .apiVersion = VK_API_VERSION_1_2};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pApplicationInfo = &app};
    VkPhysicalDeviceProperties properties;
    uint32_t count = 1;
    VkResult r;
    VK_SEND(&w->main, CreateInstance, &info, NULL, &w->instance);
    VK_READ(&w->main, CreateInstance, &info, NULL, &w->instance, &r);
    VK_SEND(&w->main, EnumeratePhysicalDevices, w->instance, &count, &w->physical);
    VK_READ(&w->main, EnumeratePhysicalDevices, w->instance, &count, &w->physical, &r);
    SLT_ASSERT_TRUE(w->physical != VK_NULL_HANDLE);
    VK_SEND(&w->main, GetPhysicalDeviceProperties, w->physical, &properties);
    VK_READ(&w->main, GetPhysicalDeviceProperties, w->physical, &properties);
    if (properties.deviceType != VK_PHYSICAL_DEVICE_TYPE_CPU ||
        properties.apiVersion < VK_API_VERSION_1_2) {
        SLT_SKIP("the native driver is none of the CPU, or has no Vulkan 1.2");
    }
}

static VkDeviceAddress address_of_a_buffer(struct vk_world *w)
{
    VkMemoryRequirements needs;
    VkDeviceMemory memory;
    VkBuffer buffer = vp_buffer_make(w, 4096, VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT, &needs);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, needs.size, 0, 0, &memory));
    SLT_ASSERT_EQ(VK_SUCCESS, vp_bind(w, buffer, memory, 0));
    const VkBufferDeviceAddressInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO,
                                            .buffer = buffer};
    VkDeviceAddress address = 1;
    VK_SEND(&w->main, GetBufferDeviceAddress, w->device, &info);
    VK_READ(&w->main, GetBufferDeviceAddress, w->device, &info, &address);
    return address;
}

/* The shader in three ways that shaders with addresses alone have. */
static bool takes_addresses(struct vk_world *w)
{
    static const struct {
        uint32_t op, at, word;
    } ways[] = {{17, 1, 5347}, {14, 1, 5348}, {32, 2, 5349}};
    bool takes = false;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct damage d;
        bool done = false;
        memcpy(d.words, vp_double_spv, sizeof vp_double_spv);
        d.count = VP_DOUBLE_WORDS;
        find_ops(&d);
        for (uint32_t k = 0; k < d.op_count && !done; k++) {
            if ((d.words[d.ops[k]] & 0xffff) == ways[i].op) {
                d.words[d.ops[k] + ways[i].at] = ways[i].word;
                done = true;
            }
        }
        SLT_ASSERT_TRUE(done);
        takes = module_of(w, d.words, d.count * 4) != VK_NULL_HANDLE || takes;
    }
    return takes;
}

static void begin_plain(struct vk_world *w)
{
    (void)w; /* the case says how it is made */
}

SLT_FIXTURE(hvk_addresses, struct vk_world, begin_plain, vk_world_finish);

SLT_TEST_FP(hvk_addresses, are_for_who_may_and_asks, w, struct addresses_case, addresses_cases, c)
{
    w->options.hides_addresses = c->hides;
    vk_world_init(w);
    physical_find(w);
    SLT_EXPECT_EQ(!c->hides, lists(w, "VK_KHR_buffer_device_address"));
    SLT_EXPECT_EQ(!c->hides, has_feature(w));
    SLT_EXPECT_EQ(c->hides && c->asks ? VK_ERROR_FEATURE_NOT_PRESENT : VK_SUCCESS,
                  device_make(w, c->asks));
    if (w->device == VK_NULL_HANDLE) {
        return;
    }
    SLT_EXPECT_EQ(c->asks, address_of_a_buffer(w) != 0);
    SLT_EXPECT_EQ(c->asks, takes_addresses(w));
}
