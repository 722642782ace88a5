/* Snapshots of memory that only its device reaches: on the native driver, with memory that cannot
 * be shared (tests/support/private_vk.c). */
#include "host/vulkan/hvk_family.h"
#include "tests/support/vk_parts.h"
#include "tests/support/vk_saved.h"

#include <string.h>

enum { BYTES = 9 << 20, TOLD = 12345 * 4, FIRST = 8 << 20 };

static void pair_init(struct vk_pair *p)
{
    p->here.options.vulkan_library = p->there.options.vulkan_library = PRIVATE_VK;
    vk_pair_init(p);
}

static void recorded_init(struct vk_pair *p)
{
    p->here.options.is_recorded = true;
    pair_init(p);
}

SLT_FIXTURE(hvk_carry, struct vk_pair, pair_init, vk_pair_finish);
SLT_FIXTURE(hvk_carry_recorded, struct vk_pair, recorded_init, vk_pair_finish);

/* own: the memory is the buffer's alone. */
static VkDeviceMemory make_memory(struct vk_world *w, bool own, VkBuffer *buffer)
{
    VkMemoryRequirements needs;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    *buffer = vp_buffer_make(w, BYTES, VK_BUFFER_USAGE_TRANSFER_DST_BIT, &needs);
    const VkMemoryDedicatedAllocateInfo dedicated = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_DEDICATED_ALLOCATE_INFO, .buffer = *buffer};
    const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                       .pNext = own ? &dedicated : NULL,
                                       .allocationSize = needs.size};
    VkResult result = VK_ERROR_UNKNOWN;
    VK_SEND(&w->main, AllocateMemory, w->device, &info, NULL, &memory);
    VK_READ(&w->main, AllocateMemory, w->device, &info, NULL, &memory, &result);
    SLT_ASSERT_EQ(VK_SUCCESS, result);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_bind(w, *buffer, memory, 0));
    const struct hvk_memory *m =
        (const void *)hvk_find(vk_world_context(w), VK_KIND_VkDeviceMemory, HVK_U64(memory), NULL);
    SLT_ASSERT_TRUE(m != NULL && m->pages == NULL);
    return memory;
}

/* All of it is 0x5a, but for some bytes on both sides of where two packets meet. */
static void write_there(struct vk_world *w, VkBuffer buffer, const uint8_t *told)
{
    struct vk_pack recorded;
    VkCommandBuffer commands;
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &commands);
    vk_pack_init(&recorded, 1 << 20, false);
    vp_begin(&recorded);
    vk_pack_vkCmdFillBuffer(&recorded, buffer, 0, VK_WHOLE_SIZE, 0x5a5a5a5a);
    vk_pack_vkCmdUpdateBuffer(&recorded, buffer, FIRST - TOLD / 2, TOLD, told);
    vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
    vp_flush(w, commands, &recorded);
    vk_pack_finish(&recorded);
    VkFence fence = vp_fence_make(w);
    vp_submit(w, commands, fence);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
}

static bool is_in(const struct vk_saved *saved, const uint8_t *bytes, size_t size)
{
    return memmem(saved->bytes, saved->size, bytes, size) != NULL;
}

static void carries(struct vk_pair *p, bool own)
{
    uint8_t told[TOLD], around[64];
    VkBuffer buffer;
    for (uint32_t i = 0; i < TOLD; i++) {
        told[i] = (uint8_t)(i * 7 + i / 251);
    }
    (void)make_memory(&p->here, own, &buffer);
    write_there(&p->here, buffer, told);
    SLT_ASSERT_OK(vk_saved_take(&p->saved, &p->here));
    SLT_EXPECT_TRUE(is_in(&p->saved, told, TOLD / 2));
    SLT_EXPECT_TRUE(is_in(&p->saved, told + TOLD / 2, TOLD / 2));
    memset(around, 0x5a, sizeof around);
    SLT_EXPECT_TRUE(is_in(&p->saved, around, sizeof around));
    vk_saved_play(&p->saved, &p->there, p->here.turn);
    SLT_ASSERT_OK(vk_saved_take(&p->again, &p->there));
    vk_saved_compare(&p->saved, &p->again);
}

SLT_TEST_F(hvk_carry, what_only_the_device_reaches_is_there, p)
{
    carries(p, false);
}

SLT_TEST_F(hvk_carry, memory_of_one_object_is_refused_by_name, p)
{
    VkBuffer buffer;
    (void)make_memory(&p->here, true, &buffer);
    SLT_EXPECT_LOG("vulkan", "memory of one object");
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, vk_saved_take(&p->saved, &p->here));
}

SLT_TEST_F(hvk_carry_recorded, memory_of_one_object_is_there, p)
{
    carries(p, true);
}
