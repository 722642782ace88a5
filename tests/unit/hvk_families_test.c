/* The Vulkan families of the host on a native driver: packets as a stock guest sends them, fed to a
 * ring without a guest. */
#include "host/vulkan/hvk_provider.h"

#include "host/vulkan/hvk_family.h"
#include "tests/support/slt.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"
#include "wire/vk_pack.h"
#include "wire/vk_reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct hct_type hvk_vulkan_type;

/* data[i] = data[i] * 2 + push; set 0, binding 0: storage buffer. */
static const uint32_t double_spv[] = {
    0x7230203,  0x10000,    0x8000b,    0x25,    0x0,     0x20011, 0x1,     0x6000b, 0x1,
    0x4c534c47, 0x6474732e, 0x3035342e, 0x0,     0x3000e, 0x0,     0x1,     0x6000f, 0x5,
    0x4,        0x6e69616d, 0x0,        0xf,     0x60010, 0x4,     0x11,    0x1,     0x1,
    0x1,        0x40047,    0x7,        0x6,     0x4,     0x50048, 0x8,     0x0,     0x23,
    0x0,        0x30047,    0x8,        0x3,     0x40047, 0xa,     0x22,    0x0,     0x40047,
    0xa,        0x21,       0x0,        0x40047, 0xf,     0xb,     0x1c,    0x50048, 0x1b,
    0x0,        0x23,       0x0,        0x30047, 0x1b,    0x2,     0x40047, 0x24,    0xb,
    0x19,       0x20013,    0x2,        0x30021, 0x3,     0x2,     0x40015, 0x6,     0x20,
    0x0,        0x3001d,    0x7,        0x6,     0x3001e, 0x8,     0x7,     0x40020, 0x9,
    0x2,        0x8,        0x4003b,    0x9,     0xa,     0x2,     0x40015, 0xb,     0x20,
    0x1,        0x4002b,    0xb,        0xc,     0x0,     0x40017, 0xd,     0x6,     0x3,
    0x40020,    0xe,        0x1,        0xd,     0x4003b, 0xe,     0xf,     0x1,     0x4002b,
    0x6,        0x10,       0x0,        0x40020, 0x11,    0x1,     0x6,     0x40020, 0x16,
    0x2,        0x6,        0x4002b,    0x6,     0x19,    0x2,     0x3001e, 0x1b,    0x6,
    0x40020,    0x1c,       0x9,        0x1b,    0x4003b, 0x1c,    0x1d,    0x9,     0x40020,
    0x1e,       0x9,        0x6,        0x4002b, 0x6,     0x23,    0x1,     0x6002c, 0xd,
    0x24,       0x23,       0x23,       0x23,    0x50036, 0x2,     0x4,     0x0,     0x3,
    0x200f8,    0x5,        0x50041,    0x11,    0x12,    0xf,     0x10,    0x4003d, 0x6,
    0x13,       0x12,       0x60041,    0x16,    0x17,    0xa,     0xc,     0x13,    0x4003d,
    0x6,        0x18,       0x17,       0x50084, 0x6,     0x1a,    0x18,    0x19,    0x50041,
    0x1e,       0x1f,       0x1d,       0xc,     0x4003d, 0x6,     0x20,    0x1f,    0x50080,
    0x6,        0x21,       0x1a,       0x20,    0x3003e, 0x17,    0x21,    0x100fd, 0x10038,
};

struct world {
    struct hct_env env;
    struct hct_provider *provider;
    struct hct_context *base;
    struct hvk_context *context;
    struct hr_ring *ring;
    void *ring_state;
    struct vk_pack pack;
    struct sl_arena arena;
    uint8_t *reply;
    size_t reply_size;
    uint32_t turn;
    bool lost;
    char reason[256];
    uint64_t done; /* the last task */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    VkInstance instance;
    VkPhysicalDevice physical;
    VkDevice device;
    VkQueue queue;
};

/* --- the device and the guest --- */

static void on_task_done(void *user, uint64_t task)
{
    struct world *w = user;
    pthread_mutex_lock(&w->lock);
    w->done = task;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

static void on_lost(void *user, struct hr_ring *ring, const char *reason)
{
    struct world *w = user;
    (void)ring;
    w->lost = true;
    snprintf(w->reason, sizeof w->reason, "%s", reason);
}

static void on_reply(void *user, const void *reply, size_t size)
{
    struct world *w = user;
    uint8_t *more = realloc(w->reply, w->reply_size + size);
    SLT_ASSERT_TRUE(more != NULL);
    memcpy(more + w->reply_size, reply, size);
    w->reply = more;
    w->reply_size += size;
}

static void feed(struct world *w)
{
    SLT_ASSERT_TRUE(!w->pack.failed);
    w->reply_size = 0;
    (void)!hr_ring_feed(w->ring, w->pack.data, vk_pack_size(&w->pack));
}

static struct vk_unpack answer(struct world *w)
{
    sl_arena_reset(&w->arena);
    return vk_unpack_over(w->reply, w->reply_size, &w->arena, NULL);
}

/* One packet. */
#define SEND(w, X, ...)                                                                            \
    do {                                                                                           \
        vk_pack_reset(&(w)->pack);                                                                 \
        vk_pack_vk##X(&(w)->pack, ++(w)->turn, __VA_ARGS__);                                       \
        feed(w);                                                                                   \
    } while (0)
/* One packet, and its reply into the same arguments; the last one is the result's place. */
#define READ(w, X, ...)                                                                            \
    do {                                                                                           \
        struct vk_unpack u_ = answer(w);                                                           \
        SLT_ASSERT_TRUE(vk_read_reply_vk##X(&u_, __VA_ARGS__));                                    \
    } while (0)
static void world_open(struct world *w)
{
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->env = (struct hct_env){.user = w, .task_done = on_task_done};
    SLT_ASSERT_OK(hvk_vulkan_type.provider_create(&w->env, &(struct hct_options){0}, &w->provider));
    const struct hct_create_info info = {
        .ctx_id = 1, .name = "test", .env = &w->env, .provider = w->provider};
    SLT_ASSERT_OK(hvk_vulkan_type.create(&info, &w->base));
    w->context = (struct hvk_context *)(void *)w->base;
    struct hr_config config = {.name = "test"};
    SLT_ASSERT_OK(hvk_ring_new(w->context, &config, &w->ring_state));
    struct hr_binding binding = {config.bindings[0].family, config.bindings[0].user};
    config.bindings = &binding;
    config.user = w;
    config.lost = on_lost;
    config.reply = on_reply;
    SLT_ASSERT_OK(hr_ring_create_fed(&config, &w->ring));
    vk_pack_init(&w->pack, 64u << 20, false);
    sl_arena_init(&w->arena, 64u << 20);
    const VkApplicationInfo app = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
                                   .apiVersion = 0x403000};
    const VkInstanceCreateInfo create = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
                                         .pApplicationInfo = &app};
    VkResult r;
    SEND(w, CreateInstance, &create, NULL, &w->instance);
    READ(w, CreateInstance, &create, NULL, &w->instance, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    uint32_t count = 1;
    SEND(w, EnumeratePhysicalDevices, w->instance, &count, &w->physical);
    READ(w, EnumeratePhysicalDevices, w->instance, &count, &w->physical, &r);
    SLT_ASSERT_EQ(1u, count);
    const float priority = 1;
    const VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
                                           .queueCount = 1,
                                           .pQueuePriorities = &priority};
    const VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
        .timelineSemaphore = VK_TRUE};
    const VkDeviceCreateInfo device = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
                                       .pNext = &timeline,
                                       .queueCreateInfoCount = 1,
                                       .pQueueCreateInfos = &queue};
    SEND(w, CreateDevice, w->physical, &device, NULL, &w->device);
    READ(w, CreateDevice, w->physical, &device, NULL, &w->device, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    SEND(w, GetDeviceQueue, w->device, 0, 0, &w->queue);
    READ(w, GetDeviceQueue, w->device, 0, 0, &w->queue);
    SLT_ASSERT_TRUE(w->queue != VK_NULL_HANDLE);
}

static void world_close(struct world *w)
{
    if (w->ring != NULL) {
        (void)hr_ring_destroy(w->ring);
        hvk_ring_free(w->context, w->ring_state);
    }
    if (w->base != NULL) {
        w->base->ops->destroy(w->base);
    }
    if (w->provider != NULL) {
        w->provider->ops->destroy(w->provider);
    }
    vk_pack_finish(&w->pack);
    sl_arena_finish(&w->arena);
    free(w->reply);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
}

SLT_FIXTURE(hvk, struct world, world_open, world_close);

/* --- building blocks --- */

static VkResult allocate(struct world *w, uint64_t size, uint32_t type, uint64_t blob_id,
                         VkDeviceMemory *memory)
{
    const VkCreateBlobGOOGLE blob = {
        .sType = VK_STRUCTURE_TYPE_CREATE_BLOB_GOOGLE, .blobMem = 2, .blobId = blob_id};
    const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                       .pNext = blob_id != 0 ? &blob : NULL,
                                       .allocationSize = size,
                                       .memoryTypeIndex = type};
    VkResult r = VK_SUCCESS;
    *memory = VK_NULL_HANDLE;
    SEND(w, AllocateMemory, w->device, &info, NULL, memory);
    READ(w, AllocateMemory, w->device, &info, NULL, memory, &r);
    return r;
}

/* The guest's side of a blob: its pages. */
static void *map_blob(struct world *w, uint64_t blob_id, uint64_t size)
{
    const struct vgd_blob_args args = {.mem = VIRTGPU_BLOB_HOST3D,
                                       .flags = VIRTGPU_BLOB_MAPPABLE,
                                       .size = size,
                                       .blob_id = blob_id};
    struct hct_memory memory = {.fd = -1};
    void *pages = NULL;
    SLT_ASSERT_OK(w->base->ops->blob(w->base, blob_id, &args, &memory));
    SLT_EXPECT_EQ(0u, memory.offset);
    SLT_EXPECT_OK(sl_shm_map(memory.fd, size, &pages));
    close(memory.fd);
    return pages;
}

static VkBuffer buffer_make(struct world *w, uint64_t size, VkBufferUsageFlags usage,
                            VkMemoryRequirements *needs)
{
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO, .size = size, .usage = usage};
    VkBuffer buffer = VK_NULL_HANDLE;
    VkResult r;
    SEND(w, CreateBufferWithRequirementsGOOGLE, w->device, &info, NULL, &buffer, needs);
    READ(w, CreateBufferWithRequirementsGOOGLE, w->device, &info, NULL, &buffer, needs, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    SLT_ASSERT_LE(size, needs->size);
    return buffer;
}

static VkResult bind(struct world *w, VkBuffer buffer, VkDeviceMemory memory, uint64_t offset)
{
    VkResult r;
    SEND(w, BindBufferMemory, w->device, buffer, memory, offset);
    READ(w, BindBufferMemory, w->device, buffer, memory, offset, &r);
    return r;
}

/* A storage buffer of 64 words in memory that is mapped here. */
struct mapped {
    VkBuffer buffer;
    VkDeviceMemory memory;
    uint32_t *words;
};

static void mapped_make(struct world *w, uint64_t blob_id, struct mapped *m)
{
    VkMemoryRequirements needs;
    VkResult r;
    m->buffer = buffer_make(w, 256,
                            VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT |
                                VK_BUFFER_USAGE_TRANSFER_SRC_BIT,
                            &needs);
    SLT_ASSERT_EQ(VK_SUCCESS, allocate(w, 4096, 0, blob_id, &m->memory));
    SLT_ASSERT_EQ(VK_SUCCESS, bind(w, m->buffer, m->memory, 0));
    SEND(w, GetBlobGOOGLE, w->device, m->memory);
    READ(w, GetBlobGOOGLE, w->device, m->memory, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    m->words = map_blob(w, blob_id, 4096);
}

static void mapped_free(struct world *w, struct mapped *m)
{
    VkResult r;
    SEND(w, FreeMemorySyncGOOGLE, w->device, m->memory, NULL);
    READ(w, FreeMemorySyncGOOGLE, w->device, m->memory, NULL, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    sl_shm_unmap(m->words, 4096);
}

static VkCommandPool pool_make(struct world *w)
{
    const VkCommandPoolCreateInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO};
    VkCommandPool pool = VK_NULL_HANDLE;
    VkResult r;
    SEND(w, CreateCommandPool, w->device, &info, NULL, &pool);
    READ(w, CreateCommandPool, w->device, &info, NULL, &pool, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    return pool;
}

static void buffers_make(struct world *w, VkCommandPool pool, VkCommandBufferLevel level,
                         uint32_t count, VkCommandBuffer *out)
{
    const VkCommandBufferAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
                                              .commandPool = pool,
                                              .level = level,
                                              .commandBufferCount = count};
    VkResult r;
    memset(out, 0, count * sizeof *out);
    SEND(w, AllocateCommandBuffers, w->device, &info, out);
    READ(w, AllocateCommandBuffers, w->device, &info, out, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
}

static VkFence fence_make(struct world *w)
{
    /* Stock guests chain what they mean to export. */
    const VkExportFenceCreateInfo export = {.sType = VK_STRUCTURE_TYPE_EXPORT_FENCE_CREATE_INFO,
                                            .handleTypes =
                                                VK_EXTERNAL_FENCE_HANDLE_TYPE_SYNC_FD_BIT};
    const VkFenceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO, .pNext = &export};
    VkFence fence = VK_NULL_HANDLE;
    VkResult r;
    SEND(w, CreateFence, w->device, &info, NULL, &fence);
    READ(w, CreateFence, w->device, &info, NULL, &fence, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    return fence;
}

static VkResult wait(struct world *w, VkFence fence, uint64_t timeout)
{
    VkResult r;
    SEND(w, WaitForFences, w->device, 1, &fence, VK_TRUE, timeout);
    READ(w, WaitForFences, w->device, 1, &fence, VK_TRUE, timeout, &r);
    return r;
}

static void flush(struct world *w, VkCommandBuffer buffer, const struct vk_pack *recorded)
{
    SEND(w, QueueFlushCommandsGOOGLE, w->queue, buffer, vk_pack_size(recorded), recorded->data);
}

static void submit(struct world *w, VkCommandBuffer buffer, VkFence fence)
{
    const VkSubmitInfo info = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
                               .commandBufferCount = 1,
                               .pCommandBuffers = &buffer};
    SEND(w, QueueSubmitAsyncGOOGLE, w->queue, 1, &info, fence);
    SLT_ASSERT_TRUE(!w->lost);
    SLT_EXPECT_EQ(0u, w->reply_size);
}

static void begin(struct vk_pack *pack)
{
    const VkCommandBufferBeginInfo info = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
    vk_pack_init(pack, 1u << 20, false);
    vk_pack_vkBeginCommandBufferAsyncGOOGLE(pack, &info);
}

/* Fill a buffer's first 256 bytes; the fence signals. */
static void fill(struct world *w, VkCommandBuffer command_buffer, VkBuffer buffer, uint32_t value,
                 VkFence fence)
{
    struct vk_pack recorded;
    begin(&recorded);
    vk_pack_vkCmdFillBuffer(&recorded, buffer, 0, 256, value);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    flush(w, command_buffer, &recorded);
    vk_pack_finish(&recorded);
    submit(w, command_buffer, fence);
}

/* --- memory --- */

SLT_TEST_F(hvk, mapped_memory_is_the_buffers, w)
{
    struct mapped m;
    VkCommandBuffer cb;
    mapped_make(w, 1, &m);
    VkFence fence = fence_make(w);
    buffers_make(w, pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &cb);
    fill(w, cb, m.buffer, 0xabcd1234, fence);
    SLT_EXPECT_EQ(VK_SUCCESS, wait(w, fence, UINT64_MAX));
    for (uint32_t i = 0; i < 64; i++) {
        SLT_ASSERT_EQ(0xabcd1234u, m.words[i]);
    }
    mapped_free(w, &m);
    SLT_EXPECT_TRUE(!w->lost);
}

SLT_TEST_F(hvk, a_blob_is_created_once_and_no_larger_than_its_memory, w)
{
    VkDeviceMemory memory;
    VkResult r;
    struct hct_memory out = {.fd = -1};
    const struct vgd_blob_args args = {.size = 8192, .blob_id = 7};
    SLT_ASSERT_EQ(VK_SUCCESS, allocate(w, 4096, 0, 7, &memory));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, w->base->ops->blob(w->base, 7, &args, &out));
    SEND(w, GetBlobGOOGLE, w->device, memory);
    READ(w, GetBlobGOOGLE, w->device, memory, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    SLT_EXPECT_RESULT(SL_ERR_INVALID, w->base->ops->blob(w->base, 7, &args, &out));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, w->base->ops->blob(w->base, 7, &args, &out));
}

SLT_TEST_F(hvk, freed_memory_leaves_no_blob, w)
{
    VkDeviceMemory memory;
    VkResult r;
    struct hct_memory out = {.fd = -1};
    const struct vgd_blob_args args = {.size = 4096, .blob_id = 7};
    SLT_ASSERT_EQ(VK_SUCCESS, allocate(w, 4096, 0, 7, &memory));
    SEND(w, GetBlobGOOGLE, w->device, memory);
    READ(w, GetBlobGOOGLE, w->device, memory, &r);
    SEND(w, FreeMemory, w->device, memory, NULL);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, w->base->ops->blob(w->base, 7, &args, &out));
}

SLT_TEST_F(hvk, the_host_chooses_blob_ids_where_the_guest_does_not, w)
{
    VkDeviceMemory memory;
    VkResult r;
    uint64_t address = 1, size = 0, id = 0;
    SLT_ASSERT_EQ(VK_SUCCESS, allocate(w, 65536, 0, 0, &memory));
    SEND(w, GetMemoryHostAddressInfoGOOGLE, w->device, memory, &address, &size, &id);
    READ(w, GetMemoryHostAddressInfoGOOGLE, w->device, memory, &address, &size, &id, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    SLT_EXPECT_EQ(0u, address); /* the host's addresses are its own */
    SLT_EXPECT_EQ(65536u, size);
    SLT_ASSERT_TRUE(id != 0);
    sl_shm_unmap(map_blob(w, id, 65536), 65536);
}

SLT_TEST_F(hvk, memory_of_no_type_or_size_is_refused, w)
{
    VkDeviceMemory memory;
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, allocate(w, 4096, 31, 0, &memory));
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, allocate(w, 4096, UINT32_MAX, 0, &memory));
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, allocate(w, 0, 0, 0, &memory));
    SLT_EXPECT_EQ(VK_ERROR_OUT_OF_DEVICE_MEMORY, allocate(w, UINT64_MAX, 0, 0, &memory));
    SLT_EXPECT_TRUE(!w->lost);
}

SLT_TEST_F(hvk, buffers_are_bound_inside_their_memory, w)
{
    VkDeviceMemory memory;
    VkMemoryRequirements needs;
    SLT_ASSERT_EQ(VK_SUCCESS, allocate(w, 4096, 0, 0, &memory));
    VkBuffer buffer = buffer_make(w, 4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT, &needs);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, bind(w, buffer, memory, needs.alignment));
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, bind(w, buffer, memory, UINT64_MAX - 63));
    SLT_EXPECT_EQ(VK_SUCCESS, bind(w, buffer, memory, 0));
}

SLT_TEST_F(hvk, ranges_past_the_end_are_refused, w)
{
    VkDeviceMemory memory;
    VkResult r;
    VkMappedMemoryRange range = {.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
                                 .size = VK_WHOLE_SIZE};
    SLT_ASSERT_EQ(VK_SUCCESS, allocate(w, 4096, 0, 0, &memory));
    range.memory = memory;
    SEND(w, FlushMappedMemoryRanges, w->device, 1, &range);
    READ(w, FlushMappedMemoryRanges, w->device, 1, &range, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    range.size = 4097;
    SEND(w, InvalidateMappedMemoryRanges, w->device, 1, &range);
    READ(w, InvalidateMappedMemoryRanges, w->device, 1, &range, &r);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, r);
}

SLT_TEST_F(hvk, memory_is_imported_from_attached_resources_only, w)
{
    struct hct_memory shared = {.fd = -1, .size = 4096};
    VkImportBufferGOOGLE import = {.sType = VK_STRUCTURE_TYPE_IMPORT_BUFFER_GOOGLE, .buffer = 9};
    VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &import, .allocationSize = 4096};
    VkDeviceMemory memory = VK_NULL_HANDLE;
    VkMemoryRequirements needs;
    VkCommandBuffer cb;
    VkResult r;
    void *words;
    SEND(w, AllocateMemory, w->device, &info, NULL, &memory);
    READ(w, AllocateMemory, w->device, &info, NULL, &memory, &r);
    SLT_EXPECT_EQ(VK_ERROR_INVALID_EXTERNAL_HANDLE, r);
    SLT_ASSERT_OK(sl_shm_create("test", 4096, &shared.fd));
    SLT_ASSERT_OK(sl_shm_map(shared.fd, 4096, &words));
    SLT_ASSERT_OK(w->base->ops->attach(w->base, 9, &shared));
    close(shared.fd);
    info.allocationSize = 8192;
    SEND(w, AllocateMemory, w->device, &info, NULL, &memory);
    READ(w, AllocateMemory, w->device, &info, NULL, &memory, &r);
    SLT_EXPECT_EQ(VK_ERROR_INVALID_EXTERNAL_HANDLE, r);
    info.allocationSize = 4096;
    SEND(w, AllocateMemory, w->device, &info, NULL, &memory);
    READ(w, AllocateMemory, w->device, &info, NULL, &memory, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    w->base->ops->detach(w->base, 9);
    VkBuffer buffer = buffer_make(w, 256, VK_BUFFER_USAGE_TRANSFER_DST_BIT, &needs);
    SLT_ASSERT_EQ(VK_SUCCESS, bind(w, buffer, memory, 0));
    VkFence fence = fence_make(w);
    buffers_make(w, pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &cb);
    fill(w, cb, buffer, 77, fence);
    SLT_EXPECT_EQ(VK_SUCCESS, wait(w, fence, UINT64_MAX));
    SLT_EXPECT_EQ(77u, ((uint32_t *)words)[63]);
    sl_shm_unmap(words, 4096);
}

/* --- descriptors and pipelines --- */

struct compute {
    VkDescriptorSetLayout set_layout;
    VkPipelineLayout layout;
    VkPipeline pipeline;
    VkDescriptorPool pool;
};

static void compute_make(struct world *w, uint32_t max_sets, struct compute *c)
{
    const VkDescriptorSetLayoutBinding binding = {.descriptorType =
                                                      VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                                  .descriptorCount = 1,
                                                  .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
    const VkDescriptorSetLayoutCreateInfo set_layout = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
        .bindingCount = 1,
        .pBindings = &binding};
    VkResult r;
    *c = (struct compute){0};
    SEND(w, CreateDescriptorSetLayout, w->device, &set_layout, NULL, &c->set_layout);
    READ(w, CreateDescriptorSetLayout, w->device, &set_layout, NULL, &c->set_layout, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    const VkPushConstantRange push = {.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT, .size = 4};
    const VkPipelineLayoutCreateInfo layout = {.sType =
                                                   VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                               .setLayoutCount = 1,
                                               .pSetLayouts = &c->set_layout,
                                               .pushConstantRangeCount = 1,
                                               .pPushConstantRanges = &push};
    SEND(w, CreatePipelineLayout, w->device, &layout, NULL, &c->layout);
    READ(w, CreatePipelineLayout, w->device, &layout, NULL, &c->layout, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    const VkShaderModuleCreateInfo shader = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                             .codeSize = sizeof double_spv,
                                             .pCode = double_spv};
    VkShaderModule module = VK_NULL_HANDLE;
    SEND(w, CreateShaderModule, w->device, &shader, NULL, &module);
    READ(w, CreateShaderModule, w->device, &shader, NULL, &module, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    const VkComputePipelineCreateInfo pipeline = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = module,
                  .pName = "main"},
        .layout = c->layout};
    SEND(w, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &pipeline, NULL, &c->pipeline);
    READ(w, CreateComputePipelines, w->device, VK_NULL_HANDLE, 1, &pipeline, NULL, &c->pipeline,
         &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    const VkDescriptorPoolSize size = {.type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                       .descriptorCount = max_sets};
    const VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
                                             .flags =
                                                 VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT,
                                             .maxSets = max_sets,
                                             .poolSizeCount = 1,
                                             .pPoolSizes = &size};
    SEND(w, CreateDescriptorPool, w->device, &pool, NULL, &c->pool);
    READ(w, CreateDescriptorPool, w->device, &pool, NULL, &c->pool, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
}

static VkResult set_make(struct world *w, const struct compute *c, VkDescriptorSet *set)
{
    const VkDescriptorSetAllocateInfo info = {.sType =
                                                  VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
                                              .descriptorPool = c->pool,
                                              .descriptorSetCount = 1,
                                              .pSetLayouts = &c->set_layout};
    VkResult r;
    *set = VK_NULL_HANDLE;
    SEND(w, AllocateDescriptorSets, w->device, &info, set);
    READ(w, AllocateDescriptorSets, w->device, &info, set, &r);
    return r;
}

/* data[i] = data[i] * 2 + add, of 64 words. */
static void dispatch(struct world *w, const struct compute *c, VkDescriptorSet set, uint32_t add)
{
    VkCommandBuffer cb;
    struct vk_pack recorded;
    VkFence fence = fence_make(w);
    buffers_make(w, pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &cb);
    begin(&recorded);
    vk_pack_vkCmdBindPipeline(&recorded, VK_PIPELINE_BIND_POINT_COMPUTE, c->pipeline);
    vk_pack_vkCmdBindDescriptorSets(&recorded, VK_PIPELINE_BIND_POINT_COMPUTE, c->layout, 0, 1,
                                    &set, 0, NULL);
    vk_pack_vkCmdPushConstants(&recorded, c->layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, 4, &add);
    vk_pack_vkCmdDispatch(&recorded, 64, 1, 1);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    flush(w, cb, &recorded);
    vk_pack_finish(&recorded);
    if (!w->lost) {
        submit(w, cb, fence);
        SLT_EXPECT_EQ(VK_SUCCESS, wait(w, fence, UINT64_MAX));
    }
}

static void expect_words(const struct mapped *m, uint32_t want)
{
    for (uint32_t i = 0; i < 64; i++) {
        SLT_ASSERT_EQ(want, m->words[i]);
    }
}

static void set_words(struct mapped *m, uint32_t value)
{
    for (uint32_t i = 0; i < 64; i++) {
        m->words[i] = value;
    }
}

SLT_TEST_F(hvk, a_dispatch_computes_in_mapped_memory, w)
{
    struct mapped m;
    struct compute c;
    VkDescriptorSet set;
    mapped_make(w, 1, &m);
    compute_make(w, 4, &c);
    SLT_ASSERT_EQ(VK_SUCCESS, set_make(w, &c, &set));
    const VkDescriptorBufferInfo info = {.buffer = m.buffer, .range = VK_WHOLE_SIZE};
    const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        .dstSet = set,
                                        .descriptorCount = 1,
                                        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                        .pBufferInfo = &info};
    SEND(w, UpdateDescriptorSets, w->device, 1, &write, 0, NULL);
    set_words(&m, 21);
    dispatch(w, &c, set, 3);
    expect_words(&m, 45);
    mapped_free(w, &m);
}

SLT_TEST_F(hvk, templates_become_writes, w)
{
    struct mapped m;
    struct compute c;
    VkDescriptorSet set;
    VkResult r;
    mapped_make(w, 1, &m);
    compute_make(w, 4, &c);
    SLT_ASSERT_EQ(VK_SUCCESS, set_make(w, &c, &set));
    const VkDescriptorUpdateTemplateEntry entry = {
        .descriptorCount = 1,
        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
        .offset = 12345, /* of the application's data: nothing to the host */
        .stride = 24};
    const VkDescriptorUpdateTemplateCreateInfo create = {
        .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_UPDATE_TEMPLATE_CREATE_INFO,
        .descriptorUpdateEntryCount = 1,
        .pDescriptorUpdateEntries = &entry,
        .descriptorSetLayout = c.set_layout};
    VkDescriptorUpdateTemplate template = VK_NULL_HANDLE;
    SEND(w, CreateDescriptorUpdateTemplate, w->device, &create, NULL, &template);
    READ(w, CreateDescriptorUpdateTemplate, w->device, &create, NULL, &template, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    const VkDescriptorBufferInfo infos[2] = {{.buffer = m.buffer, .range = VK_WHOLE_SIZE},
                                             {.buffer = m.buffer, .range = VK_WHOLE_SIZE}};
    uint32_t entries[2] = {0, 0};
    /* More elements than the entry has, and an entry that is not there: refused, and survived. */
    SEND(w, UpdateDescriptorSetWithTemplateSized2GOOGLE, w->device, set, template, 0, 2, 0, 0, NULL,
         entries, NULL, NULL, infos, NULL, NULL);
    entries[0] = 5;
    SEND(w, UpdateDescriptorSetWithTemplateSized2GOOGLE, w->device, set, template, 0, 1, 0, 0, NULL,
         entries, NULL, NULL, infos, NULL, NULL);
    entries[0] = 0;
    SEND(w, UpdateDescriptorSetWithTemplateSized2GOOGLE, w->device, set, template, 0, 1, 0, 0, NULL,
         entries, NULL, NULL, infos, NULL, NULL);
    set_words(&m, 1);
    dispatch(w, &c, set, 0);
    expect_words(&m, 2);
    SEND(w, DestroyDescriptorUpdateTemplate, w->device, template, NULL);
    SLT_EXPECT_TRUE(!w->lost);
    mapped_free(w, &m);
}

/* One set by its name, with one write. */
static void commit(struct world *w, const struct compute *c, uint64_t name, uint32_t pending,
                   VkBuffer buffer)
{
    const VkDescriptorBufferInfo info = {.buffer = buffer, .range = VK_WHOLE_SIZE};
    const VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                        .dstSet = HVK_HANDLE(VkDescriptorSet, name),
                                        .descriptorCount = 1,
                                        .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
                                        .pBufferInfo = &info};
    const uint32_t zero = 0;
    SEND(w, QueueCommitDescriptorSetUpdatesGOOGLE, w->queue, 1, &c->pool, 1, &c->set_layout, &name,
         &zero, &pending, &zero, 1, &write);
    SLT_EXPECT_EQ(0u, w->reply_size);
}

SLT_TEST_F(hvk, batched_sets_live_under_their_pools_names, w)
{
    struct mapped m;
    struct compute c;
    VkResult r;
    uint32_t count = 4;
    uint64_t names[4];
    mapped_make(w, 1, &m);
    compute_make(w, 2, &c);
    SEND(w, CollectDescriptorPoolIdsGOOGLE, w->device, c.pool, &count, names);
    READ(w, CollectDescriptorPoolIdsGOOGLE, w->device, c.pool, &count, names);
    SLT_ASSERT_EQ(2u, count); /* no more than the pool has sets */
    SLT_EXPECT_TRUE(names[0] != 0 && names[0] != names[1]);
    commit(w, &c, names[1], 1, m.buffer);
    set_words(&m, 4);
    dispatch(w, &c, HVK_HANDLE(VkDescriptorSet, names[1]), 1);
    expect_words(&m, 9);
    /* The same name after the pool was reset, and after the set was freed. */
    SEND(w, ResetDescriptorPool, w->device, c.pool, 0);
    READ(w, ResetDescriptorPool, w->device, c.pool, 0, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    commit(w, &c, names[1], 1, m.buffer);
    const VkDescriptorSet set = HVK_HANDLE(VkDescriptorSet, names[1]);
    SEND(w, FreeDescriptorSets, w->device, c.pool, 1, &set);
    READ(w, FreeDescriptorSets, w->device, c.pool, 1, &set, &r);
    commit(w, &c, names[1], 1, m.buffer);
    dispatch(w, &c, set, 1);
    expect_words(&m, 19);
    SLT_EXPECT_TRUE(!w->lost);
    mapped_free(w, &m);
}

SLT_TEST_F(hvk, a_name_without_a_set_is_not_bound, w)
{
    struct compute c;
    uint32_t count = 1;
    uint64_t name;
    compute_make(w, 1, &c);
    SEND(w, CollectDescriptorPoolIdsGOOGLE, w->device, c.pool, &count, &name);
    READ(w, CollectDescriptorPoolIdsGOOGLE, w->device, c.pool, &count, &name);
    SLT_ASSERT_EQ(1u, count);
    dispatch(w, &c, HVK_HANDLE(VkDescriptorSet, name), 1);
    SLT_EXPECT_TRUE(w->lost);
}

SLT_TEST_F(hvk, a_pool_takes_its_sets_with_it, w)
{
    struct compute c;
    VkDescriptorSet sets[2];
    VkResult r;
    compute_make(w, 2, &c);
    uint32_t before = w->context->ids.live;
    for (int round = 0; round < 50; round++) {
        SLT_ASSERT_EQ(VK_SUCCESS, set_make(w, &c, &sets[0]));
        SLT_ASSERT_EQ(VK_SUCCESS, set_make(w, &c, &sets[1]));
        SEND(w, ResetDescriptorPool, w->device, c.pool, 0);
        READ(w, ResetDescriptorPool, w->device, c.pool, 0, &r);
        SLT_ASSERT_EQ(VK_SUCCESS, r);
    }
    SLT_EXPECT_EQ(before, w->context->ids.live);
    SLT_ASSERT_EQ(VK_SUCCESS, set_make(w, &c, &sets[0]));
    SEND(w, DestroyDescriptorPool, w->device, c.pool, NULL);
    SLT_EXPECT_EQ(before - 1, w->context->ids.live);
    SEND(w, FreeDescriptorSets, w->device, c.pool, 1, sets);
    SLT_EXPECT_TRUE(w->lost); /* neither is there any more */
}

SLT_TEST_F(hvk, layouts_outlive_their_destruction, w)
{
    struct mapped m;
    struct compute c;
    uint32_t count = 1;
    uint64_t name;
    mapped_make(w, 1, &m);
    compute_make(w, 1, &c);
    SEND(w, CollectDescriptorPoolIdsGOOGLE, w->device, c.pool, &count, &name);
    READ(w, CollectDescriptorPoolIdsGOOGLE, w->device, c.pool, &count, &name);
    commit(w, &c, name, 1, m.buffer);
    SEND(w, DestroyPipelineLayout, w->device, c.layout, NULL);
    SEND(w, DestroyPipelineLayout, w->device, c.layout, NULL); /* twice does not count */
    set_words(&m, 5);
    dispatch(w, &c, HVK_HANDLE(VkDescriptorSet, name), 1);
    SLT_ASSERT_TRUE(!w->lost);
    expect_words(&m, 11);
    mapped_free(w, &m);
}

SLT_TEST_F(hvk, not_all_destroyed_layouts_are_kept, w)
{
    const VkPipelineLayoutCreateInfo info = {.sType =
                                                 VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO};
    VkPipelineLayout layout;
    VkResult r;
    uint32_t before = w->context->ids.live;
    for (int i = 0; i < 2000; i++) {
        layout = VK_NULL_HANDLE;
        SEND(w, CreatePipelineLayout, w->device, &info, NULL, &layout);
        READ(w, CreatePipelineLayout, w->device, &info, NULL, &layout, &r);
        SLT_ASSERT_EQ(VK_SUCCESS, r);
        SEND(w, DestroyPipelineLayout, w->device, layout, NULL);
    }
    SEND(w, QueueSubmitAsyncGOOGLE, w->queue, 0, NULL, VK_NULL_HANDLE);
    SLT_EXPECT_LE(w->context->ids.live, before + 1000);
}

SLT_TEST_F(hvk, broken_shaders_are_refused, w)
{
    uint32_t code[sizeof double_spv / 4];
    VkShaderModule module = VK_NULL_HANDLE;
    VkResult r;
    VkShaderModuleCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                     .codeSize = sizeof code - 4,
                                     .pCode = code};
    memcpy(code, double_spv, sizeof code);
    code[0] = 0x03022307;
    for (int i = 0; i < 3; i++) {
        SEND(w, CreateShaderModule, w->device, &info, NULL, &module);
        READ(w, CreateShaderModule, w->device, &info, NULL, &module, &r);
        SLT_EXPECT_LT(r, 0);
        SLT_EXPECT_TRUE(module == VK_NULL_HANDLE);
        memcpy(code, double_spv, sizeof code);
        code[5] = i == 0 ? 0x00000011 : 0xffff0011; /* of no length, and longer than all */
    }
}
