/* Memory of the host's Vulkan on a native driver: shared, bound, imported. */
#include "tests/support/vk_parts.h"

#include "transport/base/shm.h"

#include <sys/resource.h>
#include <unistd.h>

SLT_FIXTURE(hvk_memory, struct vk_world, vk_world_init, vk_world_finish);

SLT_TEST_F(hvk_memory, mapped_memory_is_the_buffers, w)
{
    vk_world_device(w);
    struct vp_mapped m;
    VkCommandBuffer cb;
    vp_mapped_make(w, 1, &m);
    VkFence fence = vp_fence_make(w);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &cb);
    vp_fill(w, cb, m.buffer, 0xabcd1234, fence);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
    for (uint32_t i = 0; i < 64; i++) {
        SLT_ASSERT_EQ(0xabcd1234u, m.words[i]);
    }
    vp_mapped_free(w, &m);
    SLT_EXPECT_TRUE(!w->main.lost);
}

SLT_TEST_F(hvk_memory, a_blob_is_created_once_and_no_larger_than_its_memory, w)
{
    vk_world_device(w);
    VkDeviceMemory memory;
    VkResult r;
    struct hct_memory out = {.fd = -1};
    const struct vgd_blob_args args = {.size = 8192, .blob_id = 7};
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, 4096, 0, 7, &memory));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, w->context->ops->blob(w->context, 7, &args, &out));
    VK_SEND(&w->main, GetBlobGOOGLE, w->device, memory);
    VK_READ(&w->main, GetBlobGOOGLE, w->device, memory, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    SLT_EXPECT_RESULT(SL_ERR_INVALID, w->context->ops->blob(w->context, 7, &args, &out));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, w->context->ops->blob(w->context, 7, &args, &out));
}

SLT_TEST_F(hvk_memory, freed_memory_leaves_no_blob, w)
{
    vk_world_device(w);
    VkDeviceMemory memory;
    VkResult r;
    struct hct_memory out = {.fd = -1};
    const struct vgd_blob_args args = {.size = 4096, .blob_id = 7};
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, 4096, 0, 7, &memory));
    VK_SEND(&w->main, GetBlobGOOGLE, w->device, memory);
    VK_READ(&w->main, GetBlobGOOGLE, w->device, memory, &r);
    VK_SEND(&w->main, FreeMemory, w->device, memory, NULL);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, w->context->ops->blob(w->context, 7, &args, &out));
}

SLT_TEST_F(hvk_memory, the_host_chooses_blob_ids_where_the_guest_does_not, w)
{
    vk_world_device(w);
    VkDeviceMemory memory;
    VkResult r;
    uint64_t address = 1, size = 0, id = 0;
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, 65536, 0, 0, &memory));
    VK_SEND(&w->main, GetMemoryHostAddressInfoGOOGLE, w->device, memory, &address, &size, &id);
    VK_READ(&w->main, GetMemoryHostAddressInfoGOOGLE, w->device, memory, &address, &size, &id, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    SLT_EXPECT_EQ(0u, address); /* the host's addresses are its own */
    SLT_EXPECT_EQ(65536u, size);
    SLT_ASSERT_TRUE(id != 0);
    sl_shm_unmap(vp_map_blob(w, id, 65536), 65536);
}

SLT_TEST_F(hvk_memory, memory_of_no_type_or_size_is_refused, w)
{
    vk_world_device(w);
    VkDeviceMemory memory;
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, vp_allocate(w, 4096, 31, 0, &memory));
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, vp_allocate(w, 4096, UINT32_MAX, 0, &memory));
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, vp_allocate(w, 0, 0, 0, &memory));
    SLT_EXPECT_EQ(VK_ERROR_OUT_OF_DEVICE_MEMORY, vp_allocate(w, UINT64_MAX, 0, 0, &memory));
    SLT_EXPECT_TRUE(!w->main.lost);
}

/* A process may have as much as the heap says, however it is cut, and gets it back when it is freed
 * and nothing is bound to it any more. */
SLT_TEST_F(hvk_memory, a_process_has_no_more_than_its_heap, w)
{
    vk_world_device(w);
    VkPhysicalDeviceMemoryProperties properties = {0};
    VkDeviceMemory memory, first = VK_NULL_HANDLE;
    VkMemoryRequirements needs;
    uint64_t piece, given = 0;
    VkResult r = VK_SUCCESS;
    VK_SEND(&w->main, GetPhysicalDeviceMemoryProperties, w->physical, &properties);
    VK_READ(&w->main, GetPhysicalDeviceMemoryProperties, w->physical, &properties);
    piece = properties.memoryHeaps[properties.memoryTypes[0].heapIndex].size / 8 + 4096;
    for (; given < 10 && r == VK_SUCCESS; given++) {
        r = vp_allocate(w, piece, 0, 0, &memory);
        first = given == 0 ? memory : first;
    }
    SLT_EXPECT_EQ(VK_ERROR_OUT_OF_DEVICE_MEMORY, r);
    SLT_EXPECT_EQ(8u, given);
    VkBuffer buffer = vp_buffer_make(w, 4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT, &needs);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_bind(w, buffer, first, 0));
    VK_SEND(&w->main, FreeMemory, w->device, first, NULL);
    SLT_EXPECT_EQ(VK_ERROR_OUT_OF_DEVICE_MEMORY, vp_allocate(w, piece, 0, 0, &memory));
    VK_SEND(&w->main, DestroyBuffer, w->device, buffer, NULL);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_allocate(w, piece, 0, 0, &memory));
}

/* However small its pieces are: other processes want descriptors too. */
SLT_TEST_F(hvk_memory, a_process_has_no_more_than_its_part_of_the_descriptors, w)
{
    struct rlimit old, few;
    SLT_ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &old));
    few = old;
    few.rlim_cur = 256;
    SLT_ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &few));
    struct vk_world other = {0};
    vk_world_init(&other);
    (void)setrlimit(RLIMIT_NOFILE, &old);
    vk_world_device(&other);
    VkDeviceMemory memory;
    uint32_t given = 0;
    while (given < 1000 && vp_allocate(&other, 4096, 0, 0, &memory) == VK_SUCCESS) {
        given++;
    }
    vk_world_finish(&other);
    SLT_EXPECT_EQ(64u, given);
    vk_world_device(w);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_allocate(w, 4096, 0, 0, &memory));
}

SLT_TEST_F(hvk_memory, buffers_are_bound_inside_their_memory, w)
{
    vk_world_device(w);
    VkDeviceMemory memory;
    VkMemoryRequirements needs;
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, 4096, 0, 0, &memory));
    VkBuffer buffer = vp_buffer_make(w, 4096, VK_BUFFER_USAGE_TRANSFER_DST_BIT, &needs);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, vp_bind(w, buffer, memory, needs.alignment));
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, vp_bind(w, buffer, memory, UINT64_MAX - 63));
    SLT_EXPECT_EQ(VK_SUCCESS, vp_bind(w, buffer, memory, 0));
}

SLT_TEST_F(hvk_memory, ranges_past_the_end_are_refused, w)
{
    vk_world_device(w);
    VkDeviceMemory memory;
    VkResult r;
    VkMappedMemoryRange range = {.sType = VK_STRUCTURE_TYPE_MAPPED_MEMORY_RANGE,
                                 .size = VK_WHOLE_SIZE};
    SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, 4096, 0, 0, &memory));
    range.memory = memory;
    VK_SEND(&w->main, FlushMappedMemoryRanges, w->device, 1, &range);
    VK_READ(&w->main, FlushMappedMemoryRanges, w->device, 1, &range, &r);
    SLT_EXPECT_EQ(VK_SUCCESS, r);
    range.size = 4097;
    VK_SEND(&w->main, InvalidateMappedMemoryRanges, w->device, 1, &range);
    VK_READ(&w->main, InvalidateMappedMemoryRanges, w->device, 1, &range, &r);
    SLT_EXPECT_EQ(VK_ERROR_VALIDATION_FAILED, r);
}

SLT_TEST_F(hvk_memory, memory_is_imported_from_attached_resources_only, w)
{
    vk_world_device(w);
    struct hct_memory shared = {.fd = -1, .size = 4096};
    VkImportBufferGOOGLE import = {.sType = VK_STRUCTURE_TYPE_IMPORT_BUFFER_GOOGLE, .buffer = 9};
    VkMemoryAllocateInfo info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO, .pNext = &import, .allocationSize = 4096};
    VkDeviceMemory memory = VK_NULL_HANDLE;
    VkMemoryRequirements needs;
    VkCommandBuffer cb;
    VkResult r;
    void *words;
    VK_SEND(&w->main, AllocateMemory, w->device, &info, NULL, &memory);
    VK_READ(&w->main, AllocateMemory, w->device, &info, NULL, &memory, &r);
    SLT_EXPECT_EQ(VK_ERROR_INVALID_EXTERNAL_HANDLE, r);
    SLT_ASSERT_OK(sl_shm_create("test", 4096, &shared.fd));
    SLT_ASSERT_OK(sl_shm_map(shared.fd, 4096, &words));
    SLT_ASSERT_OK(w->context->ops->attach(w->context, 9, &shared));
    close(shared.fd);
    info.allocationSize = 8192;
    VK_SEND(&w->main, AllocateMemory, w->device, &info, NULL, &memory);
    VK_READ(&w->main, AllocateMemory, w->device, &info, NULL, &memory, &r);
    SLT_EXPECT_EQ(VK_ERROR_INVALID_EXTERNAL_HANDLE, r);
    info.allocationSize = 4096;
    VK_SEND(&w->main, AllocateMemory, w->device, &info, NULL, &memory);
    VK_READ(&w->main, AllocateMemory, w->device, &info, NULL, &memory, &r);
    SLT_ASSERT_EQ(VK_SUCCESS, r);
    w->context->ops->detach(w->context, 9);
    VkBuffer buffer = vp_buffer_make(w, 256, VK_BUFFER_USAGE_TRANSFER_DST_BIT, &needs);
    SLT_ASSERT_EQ(VK_SUCCESS, vp_bind(w, buffer, memory, 0));
    VkFence fence = vp_fence_make(w);
    vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &cb);
    vp_fill(w, cb, buffer, 77, fence);
    SLT_EXPECT_EQ(VK_SUCCESS, vp_wait(w, fence, UINT64_MAX));
    SLT_EXPECT_EQ(77u, ((uint32_t *)words)[63]);
    sl_shm_unmap(words, 4096);
}

/* Attack cases C16, E04: the number of a descriptor that the host's process has. */
SLT_TEST_F(hvk_memory, descriptors_of_the_host_are_nobodys, w)
{
    static const VkExternalSemaphoreHandleTypeFlagBits types[] = {
        VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT,
        VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT};
    int hosts[2];
    vk_world_device(w);
    SLT_ASSERT_EQ(0, pipe(hosts));
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        const VkImportSemaphoreFdInfoKHR info = {
            .sType = VK_STRUCTURE_TYPE_IMPORT_SEMAPHORE_FD_INFO_KHR,
            .semaphore = vp_semaphore_make(w, VK_SEMAPHORE_TYPE_BINARY, 0),
            .handleType = types[i],
            .fd = hosts[0]};
        VkResult r;
        VK_SEND(&w->main, ImportSemaphoreFdKHR, w->device, &info);
        VK_READ(&w->main, ImportSemaphoreFdKHR, w->device, &info, &r);
        SLT_EXPECT_EQ(VK_ERROR_INVALID_EXTERNAL_HANDLE, r);
    }
    SLT_EXPECT_EQ(1, write(hosts[1], "a", 1)); /* neither taken nor closed */
    char byte = 0;
    SLT_EXPECT_EQ(1, read(hosts[0], &byte, 1));
    close(hosts[0]);
    close(hosts[1]);
}

/* Attack case I04: memory that another process's had before. */
SLT_TEST_F(hvk_memory, memory_is_zeros_at_first, w)
{
    enum { SIZE = 65536, TIMES = 32 };
    struct vp_mapped m;
    VkDeviceMemory memory;
    VkMemoryRequirements needs;
    const VkBufferCopy all = {.size = 256};
    vk_world_device(w);
    vp_mapped_make(w, 7, &m);
    for (uint32_t i = 0; i < TIMES; i++) {
        VkCommandBuffer cb;
        struct vk_pack recorded;
        VkBuffer buffer = vp_buffer_make(
            w, SIZE, VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT, &needs);
        SLT_ASSERT_EQ(VK_SUCCESS, vp_allocate(w, needs.size, 0, 0, &memory));
        SLT_ASSERT_EQ(VK_SUCCESS, vp_bind(w, buffer, memory, 0));
        vp_buffers_make(w, vp_pool_make(w), VK_COMMAND_BUFFER_LEVEL_PRIMARY, 1, &cb);
        vp_begin(&recorded);
        vk_pack_vkCmdCopyBuffer(&recorded, buffer, m.buffer, 1, &all);
        vk_pack_vkCmdFillBuffer(&recorded, buffer, 0, SIZE, 0x5ec2e7 + i);
        vk_pack_vkEndCommandBufferAsyncGOOGLE(&recorded);
        vp_flush(w, cb, &recorded);
        vk_pack_finish(&recorded);
        SLT_ASSERT_EQ(VK_SUCCESS, vp_run(w, cb));
        for (uint32_t k = 0; k < 64; k++) {
            SLT_ASSERT_EQ(0u, m.words[k]);
        }
        VK_SEND(&w->main, DestroyBuffer, w->device, buffer, NULL);
        VK_SEND(&w->main, FreeMemory, w->device, memory, NULL);
    }
    vp_mapped_free(w, &m);
}
