#include "tests/support/fed_vk.h"

#include "check/fake_vk.h"
#include "transport/base/mem.h"
#include "wire/vk_pack.h"

#include <dlfcn.h>

static void provider_destroy(struct hct_provider *provider)
{
    hvk_provider_end((struct hvk_provider *)(void *)provider); /* first member */
}

static const struct hct_provider_ops provider_ops = {.destroy = provider_destroy};

/* config.user is the ring's own: the fed ring is found by thread. */
static _Thread_local struct fed_vk *feeding;

static void on_reply(void *user, const void *reply, size_t size)
{
    (void)user;
    feeding->last_reply_size = size < FED_VK_REPLY ? size : FED_VK_REPLY;
    memcpy(feeding->last_reply, reply, feeding->last_reply_size);
    feeding->replies++;
}

static void on_lost(void *user, struct hr_ring *ring, const char *reason)
{
    (void)user, (void)ring, (void)reason;
    feeding->lost = true;
}

bool fed_vk_init(struct fed_vk *f)
{
    *f = (struct fed_vk){
        .env = {.user = f, .task_begin = task_count_begin, .task_done = task_count_done}};
    struct hvk_provider *p = sl_alloc(sizeof *p);
    f->last_reply = sl_alloc(FED_VK_REPLY);
    if (p == NULL || f->last_reply == NULL) {
        sl_free(p);
        sl_free(f->last_reply);
        return false;
    }
    *p = (struct hvk_provider){.base.ops = &provider_ops,
                               .env = &f->env,
                               .library = dlopen(NULL, RTLD_LAZY),
                               .get = fake_vk_instance_proc,
                               .api_version = VK_API_VERSION_1_3,
                               .refs = 1};
    vk_driver_global_load(&p->driver, p->get);
    f->provider = p;
    vk_pack_init(&f->pack, 1u << 20, false);
    const struct hct_create_info info = {
        .ctx_id = 1, .name = "fed", .env = &f->env, .provider = &p->base};
    f->config = (struct hr_config){.name = "fed", .lost = on_lost, .reply = on_reply};
    if (hvk_context_create(&info, &f->context) != SL_OK) {
        fed_vk_finish(f);
        return false;
    }
    f->vulkan = (struct hvk_context *)(void *)f->context; /* first member */
    if (hvk_ring_new(f->vulkan, &f->config, &f->state) != SL_OK ||
        hr_ring_create_fed(&f->config, &f->ring) != SL_OK) {
        fed_vk_finish(f);
        return false;
    }
    feeding = f;
    if (f->config.thread_begin != NULL) {
        f->config.thread_begin(f->config.user, f->ring);
    }
    return true;
}

bool fed_vk_packet(struct fed_vk *f, uint8_t *packet, size_t size, bool staged)
{
    if (!staged && size >= 12) {
        sl_store_u32(packet + 8, ++f->turn);
    }
    f->last_reply_size = 0;
    return hr_ring_feed(f->ring, packet, size);
}

bool fed_vk_send(struct fed_vk *f)
{
    bool ok = fed_vk_packet(f, f->pack.data, vk_pack_size(&f->pack), false);
    vk_pack_reset(&f->pack);
    return ok && !f->lost;
}

uint64_t fed_vk_some(struct fed_vk *f, uint32_t kind, uint32_t n)
{
    uint64_t found = 0, id, native;
    uint32_t cursor = 0, count = 0, of;
    void *record;
    while (sl_ids_next(&f->vulkan->ids, &cursor, &of, &id, &native, &record)) {
        count += of == kind;
    }
    uint32_t at = count != 0 ? n % count : 0;
    cursor = 0;
    while (count != 0 && sl_ids_next(&f->vulkan->ids, &cursor, &of, &id, &native, &record)) {
        if (of == kind && at-- == 0) {
            found = id;
            break;
        }
    }
    return found;
}

/* Handles are ids here. */
#define SOME(f, type) ((type)(uintptr_t)fed_vk_some(f, VK_KIND_##type, 0))

static bool make_device(struct fed_vk *f)
{
    VkInstance instance = NULL;
    VkPhysicalDevice physical = NULL;
    VkDevice device = NULL;
    VkQueue queue = NULL;
    uint32_t count = 1;
    const float priority = 1.0f;
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO};
    vk_pack_vkCreateInstance(&f->pack, 0, &info, NULL, &instance);
    bool ok = fed_vk_send(f);
    vk_pack_vkEnumeratePhysicalDevices(&f->pack, 0, SOME(f, VkInstance), &count, &physical);
    ok = ok && fed_vk_send(f);
    const VkDeviceQueueCreateInfo queues = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                            .queueCount = 1,
                                            .pQueuePriorities = &priority};
    const VkDeviceCreateInfo device_info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                            .queueCreateInfoCount = 1,
                                            .pQueueCreateInfos = &queues};
    vk_pack_vkCreateDevice(&f->pack, 0, SOME(f, VkPhysicalDevice), &device_info, NULL, &device);
    ok = ok && fed_vk_send(f);
    vk_pack_vkGetDeviceQueue(&f->pack, 0, SOME(f, VkDevice), 0, 0, &queue);
    return ok && fed_vk_send(f) && SOME(f, VkQueue) != NULL;
}

static bool make_commands(struct fed_vk *f, VkDevice device)
{
    VkCommandPool pool = NULL;
    VkCommandBuffer buffer = NULL;
    const VkCommandPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    vk_pack_vkCreateCommandPool(&f->pack, 0, device, &info, NULL, &pool);
    bool ok = fed_vk_send(f);
    const VkCommandBufferAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = SOME(f, VkCommandPool),
        .commandBufferCount = 1};
    vk_pack_vkAllocateCommandBuffers(&f->pack, 0, device, &allocate, &buffer);
    return ok && fed_vk_send(f) && SOME(f, VkCommandBuffer) != NULL;
}

static bool make_resources(struct fed_vk *f, VkDevice device)
{
    VkBuffer buffer = NULL;
    VkImage image = NULL;
    VkDeviceMemory memory = NULL;
    const VkBufferCreateInfo buffer_info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = 256, .usage = 1};
    vk_pack_vkCreateBuffer(&f->pack, 0, device, &buffer_info, NULL, &buffer);
    bool ok = fed_vk_send(f);
    const VkImageCreateInfo image_info = {.sType = VK_STRUCTURE_TYPE_IMAGE_CREATE_INFO,
                                          .imageType = VK_IMAGE_TYPE_2D,
                                          .format = VK_FORMAT_R8G8B8A8_UNORM,
                                          .extent = {4, 4, 1},
                                          .mipLevels = 1,
                                          .arrayLayers = 1,
                                          .samples = VK_SAMPLE_COUNT_1_BIT};
    vk_pack_vkCreateImage(&f->pack, 0, device, &image_info, NULL, &image);
    ok = ok && fed_vk_send(f);
    const VkMemoryAllocateInfo memory_info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                              .allocationSize = 4096};
    vk_pack_vkAllocateMemory(&f->pack, 0, device, &memory_info, NULL, &memory);
    return ok && fed_vk_send(f);
}

static bool make_rest(struct fed_vk *f, VkDevice device)
{
    VkFence fence = NULL;
    VkSemaphore semaphore = NULL;
    VkDescriptorSetLayout layout = NULL;
    VkDescriptorPool pool = NULL;
    VkDescriptorSet set = NULL;
    VkQueryPool queries = NULL;
    const VkFenceCreateInfo fence_info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO};
    vk_pack_vkCreateFence(&f->pack, 0, device, &fence_info, NULL, &fence);
    bool ok = fed_vk_send(f);
    const VkSemaphoreCreateInfo semaphore_info = {.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO};
    vk_pack_vkCreateSemaphore(&f->pack, 0, device, &semaphore_info, NULL, &semaphore);
    ok = ok && fed_vk_send(f);
    const VkDescriptorSetLayoutBinding binding = {.descriptorType =
                                                      VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER,
                                                  .descriptorCount = 1,
                                                  .stageFlags = VK_SHADER_STAGE_ALL};
    const VkDescriptorSetLayoutCreateInfo layout_info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 1,
        .pBindings = &binding};
    vk_pack_vkCreateDescriptorSetLayout(&f->pack, 0, device, &layout_info, NULL, &layout);
    ok = ok && fed_vk_send(f);
    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER, 16};
    const VkDescriptorPoolCreateInfo pool_info = {.sType =
                                                      VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                                  .maxSets = 16,
                                                  .poolSizeCount = 1,
                                                  .pPoolSizes = &size};
    vk_pack_vkCreateDescriptorPool(&f->pack, 0, device, &pool_info, NULL, &pool);
    ok = ok && fed_vk_send(f);
    layout = SOME(f, VkDescriptorSetLayout);
    const VkDescriptorSetAllocateInfo set_info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
        .descriptorPool = SOME(f, VkDescriptorPool),
        .descriptorSetCount = 1,
        .pSetLayouts = &layout};
    vk_pack_vkAllocateDescriptorSets(&f->pack, 0, device, &set_info, &set);
    ok = ok && fed_vk_send(f);
    const VkQueryPoolCreateInfo query_info = {.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO,
                                              .queryCount = 4};
    vk_pack_vkCreateQueryPool(&f->pack, 0, device, &query_info, NULL, &queries);
    return ok && fed_vk_send(f);
}

bool fed_vk_populate(struct fed_vk *f)
{
    if (!make_device(f)) {
        return false;
    }
    VkDevice device = SOME(f, VkDevice);
    return make_commands(f, device) && make_resources(f, device) && make_rest(f, device);
}

void fed_vk_finish(struct fed_vk *f)
{
    if (f->ring != NULL) {
        if (f->config.thread_end != NULL) {
            f->config.thread_end(f->config.user, f->ring);
        }
        hr_ring_destroy(f->ring);
    }
    if (f->state != NULL) {
        hvk_ring_free(f->vulkan, f->state);
    }
    if (f->context != NULL) {
        f->context->ops->destroy(f->context);
    }
    if (f->provider != NULL) {
        provider_destroy(&f->provider->base);
    }
    vk_pack_finish(&f->pack);
    sl_free(f->last_reply);
    fake_vk_finish();
    feeding = NULL;
}
