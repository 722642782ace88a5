/* The guest driver's memory: blocks, maps, buffers whose requirements are known before. */
#include "tests/support/gvk_world.h"

SLT_FIXTURE(gvk_memory, struct gvk_world, gw_init, gw_finish);

static VkDeviceMemory allocate(uint64_t size, uint32_t type, const void *next)
{
    const VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
        .pNext = next,
        .allocationSize = size,
        .memoryTypeIndex = type,
    };
    VkDeviceMemory memory = VK_NULL_HANDLE;
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkAllocateMemory(gw_device(), &info, NULL, &memory));
    return memory;
}

static uint64_t offset_of(VkDeviceMemory memory)
{
    return GVK_FROM(gvk_memory, memory)->offset;
}

static void cut_blocks(struct gvk_world *w)
{
    VkDeviceMemory memory[4];
    gw_answer_id(VK_OP_vkAllocateMemory, 0x100);
    for (uint32_t i = 0; i < 4; i++) {
        memory[i] = allocate(100000, 1, NULL);
        SLT_EXPECT_EQ(0x100u, GVK_OBJECT(memory[i])->vk.id);
        SLT_EXPECT_EQ((uint64_t)i * 2 * GVK_UNIT, offset_of(memory[i]));
    }
    gw_look();
    SLT_EXPECT_EQ(1u, w->packet_count); /* one allocation of the host's for all */
    gw_forget();
    gvk_vkFreeMemory(gw_device(), memory[1], NULL);
    memory[1] = allocate(GVK_UNIT, 1, NULL);
    SLT_EXPECT_EQ(2ull * GVK_UNIT, offset_of(memory[1])); /* the gap */

    struct gvk_buffer buffer = {.object.vk.id = 0x200};
    gw_answer_success(VK_OP_vkBindBufferMemory);
    SLT_EXPECT_EQ(VK_SUCCESS,
                  gvk_vkBindBufferMemory(gw_device(), GVK_TO(VkBuffer, &buffer), memory[2], 256));
    gw_look();
    const struct gw_packet *bind = &w->packets[0];
    SLT_EXPECT_EQ((uint32_t)VK_OP_vkBindBufferMemory, bind->opcode);
    SLT_EXPECT_EQ(4ull * GVK_UNIT + 256, sl_load_u64(bind->bytes + bind->size - 8));

    gw_forget();
    const VkMappedMemoryRange range = {
        .sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE, .memory = memory[0], .size = VK_WHOLE_SIZE};
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkFlushMappedMemoryRanges(gw_device(), 1, &range));
    for (uint32_t i = 0; i < 4; i++) {
        gvk_vkFreeMemory(gw_device(), memory[i], NULL);
    }
    gw_look();
    SLT_EXPECT_EQ(0u, w->packet_count); /* coherent memory, and the empty block is kept */
    gvk_blocks_finish(&w->device);
    gw_look();
    SLT_EXPECT_EQ(1u, gw_sent(VK_OP_vkFreeMemory));
}

SLT_TEST_F(gvk_memory, small_allocations_share_one_of_the_host, w)
{
    gw_on_thread(w, cut_blocks);
}

static void allocate_whole(struct gvk_world *w)
{
    struct gvk_buffer buffer = {.object.vk.id = 0x200};
    const VkMemoryDedicatedAllocateInfo dedicated = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO,
        .buffer = GVK_TO(VkBuffer, &buffer)};
    const VkMemoryAllocateFlagsInfo address = {.sType =
                                                   VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO,
                                               .flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT};
    VkDeviceMemory memory[5];
    for (uint32_t i = 0; i < 5; i++) {
        gw_answer_id(VK_OP_vkAllocateMemory, 0x100 + i);
    }
    memory[0] = allocate(GVK_PART_MAX + 1, 1, NULL); /* too large */
    memory[1] = allocate(4096, 0, NULL);             /* not to be mapped */
    memory[2] = allocate(4096, 1, &dedicated);
    memory[3] = allocate(4096, 1, NULL);
    memory[4] = allocate(4096, 1, &address); /* in a block with addresses */
    for (uint32_t i = 0; i < 5; i++) {
        SLT_EXPECT_EQ(0x100 + i, GVK_OBJECT(memory[i])->vk.id);
    }
    void *bytes;
    SLT_EXPECT_EQ(VK_ERROR_MEMORY_MAP_FAILED,
                  gvk_vkMapMemory(gw_device(), memory[1], 0, VK_WHOLE_SIZE, 0, &bytes));
    for (uint32_t i = 0; i < 5; i++) {
        gvk_vkFreeMemory(gw_device(), memory[i], NULL);
    }
    gw_look();
    SLT_EXPECT_EQ(3u, gw_sent(VK_OP_vkFreeMemory)); /* the two blocks are kept */
    gvk_blocks_finish(&w->device);
}

SLT_TEST_F(gvk_memory, special_allocations_are_the_hosts_own, w)
{
    gw_on_thread(w, allocate_whole);
}

static void map_twice(struct gvk_world *w)
{
    gw_answer_id(VK_OP_vkAllocateMemory, 0x100);
    VkDeviceMemory first = allocate(4096, 1, NULL), second = allocate(4096, 1, NULL);
    void *bytes[3];
    gw_answer_success(VK_OP_vkGetBlobGOOGLE);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkMapMemory(gw_device(), first, 0, VK_WHOLE_SIZE, 0, &bytes[0]));
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkMapMemory(gw_device(), second, 16, 32, 0, &bytes[1]));
    gvk_vkUnmapMemory(gw_device(), first);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkMapMemory(gw_device(), first, 0, VK_WHOLE_SIZE, 0, &bytes[2]));
    SLT_EXPECT_TRUE(bytes[0] == bytes[2]);
    SLT_EXPECT_TRUE((uint8_t *)bytes[0] + GVK_UNIT + 16 == bytes[1]);
    const struct gw_blob *blob = &w->blobs[w->blob_count - 1];
    SLT_EXPECT_EQ(1u, blob->blob_id);
    SLT_EXPECT_EQ(GVK_BLOCK_SIZE, blob->res.size);
    SLT_EXPECT_EQ((uint32_t)VIRTGPU_BLOB_MAPPABLE, blob->flags);
    gw_look();
    SLT_EXPECT_EQ(1u, gw_sent(VK_OP_vkGetBlobGOOGLE));
    gvk_vkFreeMemory(gw_device(), first, NULL);
    gvk_vkFreeMemory(gw_device(), second, NULL);
    SLT_EXPECT_TRUE(!blob->destroyed);
    gw_answer_success(VK_OP_vkFreeMemorySyncGOOGLE); /* the host lets go before the blob does */
    gvk_blocks_finish(&w->device);
    gw_look();
    SLT_EXPECT_EQ(1u, gw_sent(VK_OP_vkFreeMemorySyncGOOGLE));
    SLT_EXPECT_TRUE(blob->destroyed);
}

SLT_TEST_F(gvk_memory, a_block_is_mapped_once, w)
{
    gw_on_thread(w, map_twice);
}

/* A host that names the blob itself, when it is asked where the memory is. */
static void map_by_address(struct gvk_world *w)
{
    uint8_t reply[3 * 16 + 4] = {0};
    for (uint32_t i = 0; i < 3; i++) {
        sl_store_u64(reply + (size_t)i * 16, __builtin_bswap64(1));
        sl_store_u64(reply + (size_t)i * 16 + 8, 40 + i);
    }
    w->host.deferred_mapping = false;
    gw_answer_id(VK_OP_vkAllocateMemory, 0x100);
    VkDeviceMemory memory = allocate(4096, 1, NULL);
    void *bytes;
    gw_answer(VK_OP_vkGetMemoryHostAddressInfoGOOGLE, reply, sizeof reply);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkMapMemory(gw_device(), memory, 0, VK_WHOLE_SIZE, 0, &bytes));
    SLT_EXPECT_EQ(42u, w->blobs[w->blob_count - 1].blob_id);
    gw_look();
    SLT_EXPECT_EQ(0u, gw_sent(VK_OP_vkGetBlobGOOGLE));
    gvk_vkFreeMemory(gw_device(), memory, NULL);
    gw_answer_success(VK_OP_vkFreeMemorySyncGOOGLE);
    gvk_blocks_finish(&w->device);
}

SLT_TEST_F(gvk_memory, the_host_may_name_the_blob, w)
{
    gw_on_thread(w, map_by_address);
}

/* vkCreateBufferWithRequirementsGOOGLE's answer. */
static void answer_buffer(uint64_t id, uint64_t size, uint64_t alignment)
{
    uint8_t reply[8 + 20 + 4] = {0};
    sl_store_u64(reply, id);
    sl_store_u64(reply + 8, size);
    sl_store_u64(reply + 16, alignment);
    sl_store_u32(reply + 24, 3);
    gw_answer(VK_OP_vkCreateBufferWithRequirementsGOOGLE, reply, sizeof reply);
}

static VkBuffer make_buffer(uint64_t size, VkBufferUsageFlags usage)
{
    const VkBufferCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
        .size = size,
        .usage = usage,
        .queueFamilyIndexCount = 3, /* means nothing here, nor does the pointer */
        .pQueueFamilyIndices = (const uint32_t *)(uintptr_t)8,
    };
    VkBuffer buffer = VK_NULL_HANDLE;
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkCreateBuffer(gw_device(), &info, NULL, &buffer));
    return buffer;
}

static void expect_needs(VkBuffer buffer, uint64_t size)
{
    VkMemoryRequirements needs;
    gvk_vkGetBufferMemoryRequirements(gw_device(), buffer, &needs);
    SLT_EXPECT_EQ(size, needs.size);
    SLT_EXPECT_EQ(64u, needs.alignment);
    SLT_EXPECT_EQ(3u, needs.memoryTypeBits);
    gvk_vkDestroyBuffer(gw_device(), buffer, NULL);
}

static void foresee_buffers(struct gvk_world *w)
{
    w->host.guest_ids = true;
    answer_buffer(0x50, 128, 64);
    expect_needs(make_buffer(128, 1), 128);
    expect_needs(make_buffer(640, 1), 640); /* no answer needed: a multiple of the alignment */
    answer_buffer(0x51, 128, 64);
    expect_needs(make_buffer(100, 1), 128); /* asked: does this host round up? */
    expect_needs(make_buffer(130, 1), 192); /* it does */
    answer_buffer(0x52, 100, 64);
    expect_needs(make_buffer(100, 2), 100); /* another usage, another rule */
    expect_needs(make_buffer(101, 2), 101);
    gw_look();
    SLT_EXPECT_EQ(3u, gw_sent(VK_OP_vkCreateBufferWithRequirementsGOOGLE));
    SLT_EXPECT_EQ(3u, gw_sent(VK_OP_vkDestroyBuffer)); /* of the others the host never heard */
}

SLT_TEST_F(gvk_memory, like_buffers_have_like_requirements, w)
{
    gw_on_thread(w, foresee_buffers);
}

/* How the host comes to hear of a buffer whose requirements were known. */
static void tell_buffers(struct gvk_world *w)
{
    w->host.guest_ids = true;
    answer_buffer(0x50, 128, 64);
    gvk_vkDestroyBuffer(gw_device(), make_buffer(128, 1), NULL);
    VkBuffer buffers[4];
    for (uint32_t i = 0; i < 4; i++) {
        buffers[i] = make_buffer(128 + 64 * i, 1);
    }
    gw_answer_id(VK_OP_vkAllocateMemory, 0x100);
    VkDeviceMemory memory = allocate(4096, 1, NULL);
    gw_look();
    gw_forget();
    gw_answer_success(VK_OP_vkBindBufferMemory);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkBindBufferMemory(gw_device(), buffers[0], memory, 0));
    const VkBindBufferMemoryInfo bind = {
        .sType = VK_STRUCTURE_TYPE_BIND_BUFFER_MEMORY_INFO, .buffer = buffers[1], .memory = memory};
    gw_answer_success(VK_OP_vkBindBufferMemory2);
    SLT_EXPECT_EQ(VK_SUCCESS, gvk_vkBindBufferMemory2(gw_device(), 1, &bind));
    const VkMemoryDedicatedAllocateInfo dedicated = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .buffer = buffers[2]};
    gw_answer_id(VK_OP_vkAllocateMemory, 0x101);
    VkDeviceMemory own = allocate(4096, 1, &dedicated);
    const VkBufferMemoryRequirementsInfo2 asked = {
        .sType = VK_STRUCTURE_TYPE_BUFFER_MEMORY_REQUIREMENTS_INFO_2, .buffer = buffers[3]};
    VkMemoryDedicatedRequirements also = {.sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_REQUIREMENTS};
    VkMemoryRequirements2 needs = {.sType = VK_STRUCTURE_TYPE_MEMORY_REQUIREMENTS_2};
    gvk_vkGetBufferMemoryRequirements2(gw_device(), &asked, &needs);
    SLT_EXPECT_EQ(320u, needs.memoryRequirements.size);
    gw_look();
    SLT_EXPECT_EQ(6u, w->packet_count);
    static const uint32_t opcodes[] = {VK_OP_vkBindBufferMemory, VK_OP_vkBindBufferMemory2,
                                       VK_OP_vkAllocateMemory};
    for (uint32_t i = 0; i < 3; i++) {
        SLT_SCOPE("buffer %u", i);
        const struct gw_packet *made = &w->packets[2 * i];
        SLT_EXPECT_EQ((uint32_t)VK_OP_vkCreateBufferWithRequirementsGOOGLE, made->opcode);
        SLT_EXPECT_EQ(opcodes[i], w->packets[2 * i + 1].opcode);
        SLT_EXPECT_EQ(128 + 64ull * i, sl_load_u64(made->bytes + 12 + 8 + 12));
    }
    gw_forget();
    needs.pNext = &also;
    uint8_t reply[4 + 4 + 4 + 16 + 20] = {0}; /* type, the chained struct's size, type and itself */
    sl_store_u32(reply, needs.sType);
    sl_store_u32(reply + 4, __builtin_bswap32(sizeof also));
    sl_store_u32(reply + 8, also.sType);
    sl_store_u32(reply + 12, also.sType);
    reply[20] = 1; /* prefersDedicatedAllocation, behind an end of chain */
    gw_answer(VK_OP_vkGetBufferMemoryRequirements2, reply, sizeof reply);
    gvk_vkGetBufferMemoryRequirements2(gw_device(), &asked, &needs);
    SLT_EXPECT_EQ(1u, also.prefersDedicatedAllocation);
    gw_look();
    SLT_EXPECT_EQ(1u, gw_sent(VK_OP_vkCreateBufferWithRequirementsGOOGLE));
    for (uint32_t i = 0; i < 4; i++) {
        gvk_vkDestroyBuffer(gw_device(), buffers[i], NULL);
    }
    gw_look();
    SLT_EXPECT_EQ(4u, gw_sent(VK_OP_vkDestroyBuffer));
    gvk_vkFreeMemory(gw_device(), memory, NULL);
    gvk_vkFreeMemory(gw_device(), own, NULL);
    gvk_blocks_finish(&w->device);
}

SLT_TEST_F(gvk_memory, a_buffer_is_told_of_when_somebody_could_tell, w)
{
    gw_on_thread(w, tell_buffers);
}
