/* What Vulkan 1.4 has in its core: memory mapped and unmapped by structures, pushed descriptors and
 * constants, sets bound by structures, features and limits. A line a result as in vx.h; where the
 * driver has no 1.4, one line that says so. On types of our own, as Debian 12's headers end before;
 * the loader is the machine's. */
#include "wire/vk_types.h"

#include "compute_comp.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 1000, WORDS = 1 + COUNT };

struct push {
    uint32_t count, rounds;
};

struct core {
    PFN_vkGetInstanceProcAddr get;
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice device;
    VkQueue queue;
    VkCommandPool pool;
    VkBuffer buffers[2];
    VkDeviceMemory memories[2];
    VkDescriptorSetLayout pushed, kept; /* the same bindings */
    VkPipelineLayout pushed_layout, kept_layout;
    VkPipeline pushed_pipeline, kept_pipeline;
    VkDescriptorSet set;
};

static void need(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}

#define GET(c, name)       ((PFN_##name)(c)->get((c)->instance, #name))
#define MUST(c, name, ...) need(GET(c, name)(__VA_ARGS__) == VK_SUCCESS, #name)

static void show(const char *name, const void *data, size_t size)
{
    const uint8_t *p = data;
    uint64_t hash = 0xcbf29ce484222325ull;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ p[i]) * 0x100000001b3ull;
    }
    printf("%s %016llx\n", name, (unsigned long long)hash);
}

/* False: the driver is older. */
static int open_instance(struct core *c)
{
    void *loader = dlopen("libvulkan.so.1", RTLD_NOW);
    need(loader != NULL, "a Vulkan loader");
    c->get = (PFN_vkGetInstanceProcAddr)dlsym(loader, "vkGetInstanceProcAddr");
    const VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                           .apiVersion = VK_API_VERSION_1_4};
    const VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                       .pApplicationInfo = &application};
    VkPhysicalDeviceProperties properties;
    uint32_t count = 1;
    MUST(c, vkCreateInstance, &info, NULL, &c->instance);
    need(GET(c, vkEnumeratePhysicalDevices)(c->instance, &count, &c->physical) >= 0 && count == 1,
         "a physical device");
    GET(c, vkGetPhysicalDeviceProperties)(c->physical, &properties);
    if (properties.apiVersion < VK_API_VERSION_1_4) {
        printf("core14 unsupported: the driver has Vulkan 1.%u\n",
               VK_API_VERSION_MINOR(properties.apiVersion));
    }
    return properties.apiVersion >= VK_API_VERSION_1_4;
}

/* Host copies of images go by addresses of the program: not through us (vulkaninfo's list). */
static void open_device(struct core *c)
{
    VkPhysicalDeviceVulkan14Features features = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_4_FEATURES};
    VkPhysicalDeviceFeatures2 all = {.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
                                     .pNext = &features};
    GET(c, vkGetPhysicalDeviceFeatures2)(c->physical, &all);
    need(features.pushDescriptor && features.maintenance6, "what 1.4 requires");
    features.hostImageCopy = VK_FALSE;
    show("features", &features.globalPriorityQuery,
         sizeof features - offsetof(VkPhysicalDeviceVulkan14Features, globalPriorityQuery));
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                     .pNext = &features,
                                     .queueCreateInfoCount = 1,
                                     .pQueueCreateInfos = &queue};
    const VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    MUST(c, vkCreateDevice, c->physical, &info, NULL, &c->device);
    GET(c, vkGetDeviceQueue)(c->device, 0, 0, &c->queue);
    MUST(c, vkCreateCommandPool, c->device, &pool, NULL, &c->pool);
}

static void *map(struct core *c, int i)
{
    const VkMemoryMapInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_MAP_INFO,
                                  .memory = c->memories[i],
                                  .size = VK_WHOLE_SIZE};
    void *words = NULL;
    MUST(c, vkMapMemory2, c->device, &info, &words);
    return words;
}

static void unmap(struct core *c, int i)
{
    const VkMemoryUnmapInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_UNMAP_INFO,
                                    .memory = c->memories[i]};
    MUST(c, vkUnmapMemory2, c->device, &info);
}

static void make_buffers(struct core *c)
{
    for (int i = 0; i < 2; i++) {
        const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                         .size = WORDS * sizeof(uint32_t),
                                         .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT};
        VkMemoryRequirements needs;
        MUST(c, vkCreateBuffer, c->device, &info, NULL, &c->buffers[i]);
        GET(c, vkGetBufferMemoryRequirements)(c->device, c->buffers[i], &needs);
        const VkMemoryAllocateInfo allocate = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                               .allocationSize = needs.size};
        MUST(c, vkAllocateMemory, c->device, &allocate, NULL, &c->memories[i]);
        MUST(c, vkBindBufferMemory, c->device, c->buffers[i], c->memories[i], 0);
    }
    uint32_t *words = map(c, 0);
    for (uint32_t i = 0; i < WORDS; i++) {
        words[i] = i * 2654435761u;
    }
    unmap(c, 0);
}

static VkDescriptorSetLayout set_layout(struct core *c, VkDescriptorSetLayoutCreateFlags flags)
{
    const VkDescriptorSetLayoutBinding bindings[2] = {
        {0, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL},
        {1, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL}};
    const VkDescriptorSetLayoutCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .flags = flags,
        .bindingCount = 2,
        .pBindings = bindings};
    VkDescriptorSetLayout layout;
    MUST(c, vkCreateDescriptorSetLayout, c->device, &info, NULL, &layout);
    return layout;
}

static VkPipeline make_pipeline(struct core *c, VkDescriptorSetLayout set, VkPipelineLayout *layout)
{
    const VkPushConstantRange range = {VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(struct push)};
    const VkPipelineLayoutCreateInfo layout_info = {
        .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
        .setLayoutCount = 1,
        .pSetLayouts = &set,
        .pushConstantRangeCount = 1,
        .pPushConstantRanges = &range};
    const VkShaderModuleCreateInfo code = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                           .codeSize = sizeof compute_comp,
                                           .pCode = compute_comp};
    VkPipeline pipeline;
    MUST(c, vkCreatePipelineLayout, c->device, &layout_info, NULL, layout);
    /* 1.4 takes the code where its module stood. */
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .pNext = &code,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .pName = "main"},
        .layout = *layout};
    MUST(c, vkCreateComputePipelines, c->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline);
    return pipeline;
}

static void writes_of(const struct core *c, VkDescriptorBufferInfo *infos,
                      VkWriteDescriptorSet *writes)
{
    for (uint32_t i = 0; i < 2; i++) {
        infos[i] = (VkDescriptorBufferInfo){c->buffers[i], 0, VK_WHOLE_SIZE};
        writes[i] = (VkWriteDescriptorSet){.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                           .dstSet = c->set,
                                           .dstBinding = i,
                                           .descriptorCount = 1,
                                           .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                           .pBufferInfo = &infos[i]};
    }
}

static void make_pipelines(struct core *c)
{
    VkDescriptorBufferInfo infos[2];
    VkWriteDescriptorSet writes[2];
    c->pushed = set_layout(c, VK_DESCRIPTOR_SET_LAYOUT_CREATE_PUSH_DESCRIPTOR_BIT);
    c->kept = set_layout(c, 0);
    c->pushed_pipeline = make_pipeline(c, c->pushed, &c->pushed_layout);
    c->kept_pipeline = make_pipeline(c, c->kept, &c->kept_layout);
    const VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 2};
    const VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .maxSets = 1,
                                             .poolSizeCount = 1,
                                             .pPoolSizes = &size};
    VkDescriptorPool made;
    MUST(c, vkCreateDescriptorPool, c->device, &pool, NULL, &made);
    const VkDescriptorSetAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                              .descriptorPool = made,
                                              .descriptorSetCount = 1,
                                              .pSetLayouts = &c->kept};
    MUST(c, vkAllocateDescriptorSets, c->device, &info, &c->set);
    writes_of(c, infos, writes);
    GET(c, vkUpdateDescriptorSets)(c->device, 2, writes, 0, NULL);
}

enum way { PUSH, PUSH_2, BIND_2 };

static void set_descriptors(struct core *c, VkCommandBuffer commands, enum way way)
{
    VkDescriptorBufferInfo infos[2];
    VkWriteDescriptorSet writes[2];
    writes_of(c, infos, writes);
    if (way == PUSH) {
        GET(c, vkCmdPushDescriptorSet)
        (commands, VK_PIPELINE_BIND_POINT_COMPUTE, c->pushed_layout, 0, 2, writes);
    } else if (way == PUSH_2) {
        const VkPushDescriptorSetInfo info = {.sType = VK_STRUCTURE_TYPE_PUSH_DESCRIPTOR_SET_INFO,
                                              .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
                                              .layout = c->pushed_layout,
                                              .descriptorWriteCount = 2,
                                              .pDescriptorWrites = writes};
        GET(c, vkCmdPushDescriptorSet2)(commands, &info);
    } else {
        const VkBindDescriptorSetsInfo info = {.sType = VK_STRUCTURE_TYPE_BIND_DESCRIPTOR_SETS_INFO,
                                               .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
                                               .layout = c->kept_layout,
                                               .descriptorSetCount = 1,
                                               .pDescriptorSets = &c->set};
        GET(c, vkCmdBindDescriptorSets2)(commands, &info);
    }
}

static void dispatch(struct core *c, const char *name, enum way way, uint32_t rounds)
{
    memset(map(c, 1), 0, WORDS * sizeof(uint32_t));
    unmap(c, 1);
    const VkCommandBufferAllocateInfo allocate = {
        .sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
        .commandPool = c->pool,
        .commandBufferCount = 1};
    const VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    const struct push push = {COUNT, rounds};
    const VkPushConstantsInfo constants = {.sType = VK_STRUCTURE_TYPE_PUSH_CONSTANTS_INFO,
                                           .layout =
                                               way == BIND_2 ? c->kept_layout : c->pushed_layout,
                                           .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
                                           .size = sizeof push,
                                           .pValues = &push};
    VkCommandBuffer commands;
    MUST(c, vkAllocateCommandBuffers, c->device, &allocate, &commands);
    MUST(c, vkBeginCommandBuffer, commands, &begin);
    GET(c, vkCmdBindPipeline)
    (commands, VK_PIPELINE_BIND_POINT_COMPUTE,
     way == BIND_2 ? c->kept_pipeline : c->pushed_pipeline);
    set_descriptors(c, commands, way);
    GET(c, vkCmdPushConstants2)(commands, &constants);
    GET(c, vkCmdDispatch)(commands, (COUNT + 63) / 64, 1, 1);
    MUST(c, vkEndCommandBuffer, commands);
    const VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                                 .commandBufferCount = 1,
                                 .pCommandBuffers = &commands};
    MUST(c, vkQueueSubmit, c->queue, 1, &submit, VK_NULL_HANDLE);
    MUST(c, vkQueueWaitIdle, c->queue);
    show(name, map(c, 1), WORDS * sizeof(uint32_t));
    unmap(c, 1);
}

int main(void)
{
    static struct core c;
    if (!open_instance(&c)) {
        return 0;
    }
    open_device(&c);
    make_buffers(&c);
    make_pipelines(&c);
    dispatch(&c, "push", PUSH, 1);
    dispatch(&c, "push_2", PUSH_2, 2);
    dispatch(&c, "bind_2", BIND_2, 3);
    GET(&c, vkDestroyDevice)(c.device, NULL);
    GET(&c, vkDestroyInstance)(c.instance, NULL);
    return 0;
}
