/* host/abi function by function: what each does with wrong arguments, before init and after
 * teardown. The renderer is the real one; nothing is drawn here. */
#include "tests/abi/abi_monitor.h"
#include "transport/base/fd.h"
#include "transport/base/shm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

SLT_FIXTURE_AGAIN(abi_init, struct abi_monitor, abi_monitor_prepare, abi_monitor_finish,
                  abi_monitor_prepare_again);
SLT_FIXTURE_AGAIN(abi, struct abi_monitor, abi_monitor_init, abi_monitor_finish, abi_monitor_again);

/* ---- init ---- */

static const struct missing {
    const char *label;
    uint64_t key;
} missing[] = {{"user_data", STREAM_RENDERER_PARAM_USER_DATA},
               {"flags", STREAM_RENDERER_PARAM_RENDERER_FLAGS},
               {"fence_callback", STREAM_RENDERER_PARAM_FENCE_CALLBACK}};

SLT_TEST_FP(abi_init, wants_its_parameters, m, struct missing, missing, c)
{
    struct stream_renderer_param params[] = {
        {STREAM_RENDERER_PARAM_DEBUG_CALLBACK, (uintptr_t)abi_monitor_on_debug},
        {STREAM_RENDERER_PARAM_USER_DATA, (uintptr_t)m},
        {STREAM_RENDERER_PARAM_RENDERER_FLAGS, 0},
        {STREAM_RENDERER_PARAM_FENCE_CALLBACK, (uintptr_t)abi_monitor_on_fence},
    };
    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
        params[i].key = params[i].key == c->key ? STREAM_RENDERER_PARAM_NULL : params[i].key;
    }
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_init(params, sizeof params / sizeof params[0]));
    if (c->key != STREAM_RENDERER_PARAM_USER_DATA) {
        SLT_EXPECT_TRUE(strstr(m->message, "required parameter") != NULL);
        SLT_EXPECT_EQ((uint32_t)STREAM_RENDERER_DEBUG_ERROR, m->message_type);
    }
    stream_renderer_teardown();
}

SLT_TEST_F(abi_init, needs_no_more_than_those, m)
{
    struct stream_renderer_param params[] = {
        {STREAM_RENDERER_PARAM_USER_DATA, 0},
        {STREAM_RENDERER_PARAM_RENDERER_FLAGS, 0},
        {STREAM_RENDERER_PARAM_FENCE_CALLBACK, 0},
    };
    (void)m;
    SLT_EXPECT_EQ(0, stream_renderer_init(params, 3));
    const struct stream_renderer_fence fence = {.flags = 1, .fence_id = 1};
    SLT_EXPECT_EQ(0, stream_renderer_create_fence(&fence)); /* nobody is told */
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_context_create(1, 0, NULL, 3));
    stream_renderer_teardown();
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_init(NULL, 3));
}

static const struct features {
    const char *label;
    uint64_t flags;
    const char *text;
    int want;
} features[] = {
    {"one", VK, "VulkanRobustness:enabled", 0},
    {"empty_items", VK, ",GlDma:disabled,,YuvCache:enabled,", 0},
    {"nothing", VK, "", 0},
    {"unknown", VK, "VulkanEverything:enabled", -EINVAL},
    {"no_status", VK, "GlDma", -EINVAL},
    {"no_name", VK, ":enabled", -EINVAL},
    {"other_status", VK, "GlDma:on", -EINVAL},
    {"two_colons", VK, "GlDma:enabled:enabled", -EINVAL},
    {"part_of_a_name", VK, "Gl:enabled", -EINVAL},
    {"system_blob_alone", VK, "SystemBlob:enabled", -EINVAL},
    {"system_blob_flag_alone", VK | STREAM_RENDERER_FLAGS_USE_SYSTEM_BLOB, NULL, -EINVAL},
    {"system_blob", VK | EXTERNAL, "SystemBlob:enabled", 0},
    {"swapchain_alone", GLES, "VulkanNativeSwapchain:enabled", -EINVAL},
    {"swapchain_without", VK | STREAM_RENDERER_FLAGS_VULKAN_NATIVE_SWAPCHAIN, "Vulkan:disabled",
     -EINVAL},
    {"every_name", GLES | VK | EXTERNAL,
     "GlesDynamicVersion:enabled,HostComposition:enabled,NoDelayCloseColorBuffer:enabled,"
     "VirtioGpuFenceContexts:enabled,VirtioGpuNativeSync:enabled,VirtioGpuNext:enabled,"
     "VulkanBatchedDescriptorSetUpdate:enabled,VulkanIgnoredHandles:enabled,"
     "VulkanNullOptionalStrings:enabled,VulkanQueueSubmitWithCommands:enabled,"
     "VulkanShaderFloat16Int8:enabled,ExternalBlob:enabled,SystemBlob:disabled,"
     "VulkanExternalSync:disabled,Vulkan:enabled,GuestVulkanOnly:disabled,PlayStoreImage:enabled,"
     "VulkanNativeSwapchain:disabled,VulkanSnapshots:disabled,AsyncComposeSupport:enabled,"
     "GlAsyncSwap:enabled,GlDirectMem:enabled,GlDma:enabled,GlDma2:enabled,"
     "GlProgramBinaryLinkStatus:enabled,GlPipeChecksum:enabled,GrallocSync:enabled,"
     "HasSharedSlotsHostMemoryAllocator:enabled,HwcMultiConfigs:enabled,Minigbm:enabled,"
     "NativeTextureDecompression:enabled,RefCountPipe:enabled,"
     "BypassVulkanDeviceFeatureOverrides:enabled,VulkanAllocateDeviceMemoryOnly:enabled,"
     "VulkanAllocateHostMemory:enabled,VulkanUseDedicatedAhbMemoryType:enabled,"
     "Yuv420888ToNv21:enabled,YuvCache:enabled,VulkanDebugUtils:enabled,"
     "VulkanCommandBufferCheckpoints:enabled,VulkanVirtualQueue:enabled,VulkanRobustness:enabled",
     0},
};

SLT_TEST_FP(abi_init, reads_feature_strings, m, struct features, features, c)
{
    SLT_EXPECT_EQ(c->want, abi_monitor_start(m, HEADLESS | c->flags, c->text));
}

static uint32_t capset_size(uint32_t id)
{
    uint32_t version = 7, size = 0;
    stream_renderer_get_cap_set(id, &version, &size);
    SLT_EXPECT_EQ(7u, version);
    return size;
}

static const struct offer {
    const char *label;
    uint64_t flags;
    const char *features;
    bool vulkan, gles;
} offers[] = {
    {"both", GLES | VK, NULL, true, true},
    {"vulkan", VK, NULL, true, false},
    {"gles", GLES, NULL, false, true},
    {"guest_vulkan_only", GLES | VK, "GuestVulkanOnly:enabled", true, false},
    {"vulkan_disabled", GLES | VK, "Vulkan:disabled", false, true},
};

SLT_TEST_FP(abi_init, offers_what_was_asked_for, m, struct offer, offers, c)
{
    SLT_ASSERT_EQ(0, abi_monitor_start(m, HEADLESS | c->flags, c->features));
    SLT_EXPECT_EQ(c->vulkan, capset_size(3) >= 104);
    SLT_EXPECT_EQ(c->gles, capset_size(8) >= 16);
    SLT_EXPECT_EQ(c->gles, capset_size(9) >= 16);
    static const uint32_t others[] = {0, 1, 2, 4, 5, 6, 7, 10, UINT32_MAX};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        SLT_EXPECT_EQ(0u, capset_size(others[i]));
    }
    SLT_EXPECT_EQ(c->vulkan ? 0 : -EINVAL, stream_renderer_context_create(1, 0, NULL, 3));
    SLT_EXPECT_EQ(c->gles ? 0 : -EINVAL, stream_renderer_context_create(2, 0, NULL, 8));
}

/* Every function, as a VMM that does not know would call it. */
static void call_everything_in_vain(void)
{
    struct stream_renderer_resource_create_args args = {.handle = 1, .target = 2, .format = 1};
    struct stream_renderer_box box = {0, 0, 0, 1, 1, 1};
    struct stream_renderer_command command = {.ctx_id = 1};
    const struct stream_renderer_create_blob blob = {.blob_mem = 2, .size = 4096};
    const struct stream_renderer_fence fence = {.flags = 1};
    const struct stream_renderer_import_data data = {0};
    struct stream_renderer_handle handle = {.os_handle = -1};
    struct stream_renderer_resource_info info;
    struct stream_renderer_vulkan_info vulkan;
    uint32_t word = 7;
    uint64_t size = 7;
    void *at = NULL;
    int count = 7;
    struct iovec *iov = NULL;
    SLT_EXPECT_EQ(0u, capset_size(8));
    stream_renderer_fill_caps(8, 0, &word);
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_context_create(1, 1, "x", 8));
    stream_renderer_context_destroy(1);
    stream_renderer_ctx_attach_resource(1, 1);
    stream_renderer_ctx_detach_resource(1, 1);
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_submit_cmd(&command));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_create_fence(&fence));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_export_fence(1, &handle));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_create(&args, NULL, 0));
    stream_renderer_resource_unref(1);
    SLT_EXPECT_NE(0, stream_renderer_resource_attach_iov(1, NULL, 0));
    stream_renderer_resource_detach_iov(1, &iov, &count);
    SLT_EXPECT_NE(0, stream_renderer_transfer_read_iov(1, 0, 0, 0, 0, &box, 0, NULL, 0));
    SLT_EXPECT_NE(0, stream_renderer_transfer_write_iov(1, 0, 0, 0, 0, &box, 0, NULL, 0));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_create_blob(1, 1, &blob, NULL, 0, NULL));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_export_blob(1, &handle));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_import_resource(1, &handle, &data));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_map(1, &at, &size));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_unmap(1));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resource_map_info(1, &word));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_vulkan_info(1, &vulkan));
    SLT_EXPECT_NE(0, stream_renderer_resource_get_info(1, &info));
    stream_renderer_flush(1);
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_suspend());
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_resume());
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_snapshot("x"));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_restore("x"));
    SLT_EXPECT_TRUE(word == 7 && size == 7 && at == NULL && handle.os_handle == -1);
}

static uint32_t count_descriptors(void)
{
    uint32_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

SLT_TEST_F(abi_init, before_after_and_again, m)
{
    stream_renderer_teardown();
    call_everything_in_vain();
    uint32_t descriptors = 0;
    for (uint32_t life = 0; life < 4; life++) {
        SLT_ASSERT_EQ(0, abi_monitor_start(m, HEADLESS | GLES | VK, NULL));
        SLT_EXPECT_EQ(-EINVAL, abi_monitor_start(m, HEADLESS | GLES | VK, NULL)); /* there is one */
        const struct stream_renderer_create_blob blob = {
            .blob_mem = STREAM_BLOB_MEM_HOST3D, .blob_flags = 1, .size = 1 << 21};
        SLT_EXPECT_EQ(0, stream_renderer_context_create(1, 1, "x", 8));
        SLT_EXPECT_EQ(0, stream_renderer_context_create(2, 1, "x", 3));
        SLT_EXPECT_EQ(0, stream_renderer_create_blob(1, 1, &blob, NULL, 0, NULL));
        stream_renderer_ctx_attach_resource(1, 1);
        uint32_t words[] = {0x1001, 1};
        struct stream_renderer_command command = {1, sizeof words, (uint8_t *)words, 0, NULL};
        SLT_EXPECT_EQ(0, stream_renderer_submit_cmd(&command));
        const struct stream_renderer_fence shareable = {.flags = 5, .fence_id = 1};
        SLT_EXPECT_EQ(0, stream_renderer_create_fence(&shareable));
        void *at;
        uint64_t size;
        SLT_EXPECT_EQ(0, stream_renderer_resource_map(1, &at, &size));
        stream_renderer_teardown(); /* with all that is still there */
        stream_renderer_teardown();
        if (life == 1) {
            descriptors = count_descriptors(); /* the drivers' own are open by now */
        }
    }
    SLT_EXPECT_EQ(descriptors, count_descriptors());
    SLT_EXPECT_EQ(4u, m->fence_count);
    call_everything_in_vain();
}

/* ---- contexts ---- */

SLT_TEST_F(abi, contexts, m)
{
    (void)m;
    char name[70];
    memset(name, 'n', sizeof name); /* longer than is kept, without an end */
    SLT_EXPECT_EQ(0, stream_renderer_context_create(1, sizeof name, name, 8));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_context_create(1, 1, "x", 8));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_context_create(0, 1, "x", 8));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_context_create(2, 1, "x", 5));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_context_create(2, 1, "x", 0x108));
    SLT_EXPECT_EQ(0, stream_renderer_context_create(2, 0, NULL, 0));
    SLT_EXPECT_EQ(0, stream_renderer_context_create(UINT32_MAX, 3, "a\x1b", 9));
    stream_renderer_context_destroy(1);
    stream_renderer_context_destroy(1);
    SLT_EXPECT_EQ(0, stream_renderer_context_create(1, 1, "x", 3));
    stream_renderer_ctx_attach_resource(1, 99);
    stream_renderer_ctx_attach_resource(99, 1);
    stream_renderer_ctx_detach_resource(1, 99);
    stream_renderer_ctx_detach_resource(-1, -1);
}

SLT_TEST_F(abi, submits, m)
{
    (void)m;
    uint32_t words[300] = {0xf002};
    struct stream_renderer_command c = {1, 8, (uint8_t *)words, 0, NULL};
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_submit_cmd(&c)); /* no such context */
    SLT_ASSERT_EQ(0, stream_renderer_context_create(1, 1, "x", 8));
    SLT_EXPECT_EQ(0, stream_renderer_submit_cmd(&c));
    c.cmd_size = sizeof words; /* longer than most */
    SLT_EXPECT_EQ(0, stream_renderer_submit_cmd(&c));
    c.cmd_size = 3;
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_submit_cmd(&c));
    c.cmd_size = 0;
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_submit_cmd(&c));
    c.cmd_size = 8;
    c.cmd = NULL;
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_submit_cmd(&c));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_submit_cmd(NULL));
    c.cmd = (uint8_t *)words;
    words[0] = 0x1001; /* a ring on a resource that is not there, then without its word */
    words[1] = 5;
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_submit_cmd(&c));
    c.cmd_size = 4;
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_submit_cmd(&c));
    words[0] = 0x4711;
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_submit_cmd(&c));
}

/* ---- fences ---- */

static int create_fence(uint32_t flags, uint64_t id, uint32_t ctx_id, uint8_t ring)
{
    const struct stream_renderer_fence fence = {flags, id, ctx_id, ring};
    return stream_renderer_create_fence(&fence);
}

SLT_TEST_F(abi, fences, m)
{
    SLT_ASSERT_EQ(0, stream_renderer_context_create(1, 1, "x", 8));
    SLT_EXPECT_EQ(0, create_fence(1, 900, 7, 3)); /* global: context and ring are not looked at */
    SLT_ASSERT_EQ(1u, m->fence_count);
    SLT_EXPECT_TRUE(m->fences[0].flags == 1 && m->fences[0].fence_id == 900);
    SLT_EXPECT_EQ(0, create_fence(3, 5, 1, 63)); /* ids need not grow */
    SLT_ASSERT_EQ(2u, m->fence_count);
    SLT_EXPECT_TRUE(m->fences[1].flags == 3 && m->fences[1].fence_id == 5 &&
                    m->fences[1].ctx_id == 1 && m->fences[1].ring_idx == 63);
    SLT_EXPECT_EQ(0, create_fence(1, 900, 0, 0)); /* nor differ */
    SLT_EXPECT_EQ(0, create_fence(1, 0, 0, 0));
    SLT_EXPECT_EQ(4u, m->fence_count);
    SLT_EXPECT_EQ(-EINVAL, create_fence(3, 6, 2, 0));
    SLT_EXPECT_EQ(-EINVAL, create_fence(3, 6, 1, 64));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_create_fence(NULL));
    SLT_EXPECT_EQ(4u, m->fence_count);
}

SLT_TEST_F(abi, shareable_fences, m)
{
    struct stream_renderer_handle handle = {.os_handle = -1};
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_export_fence(5, &handle));
    SLT_EXPECT_EQ(0, create_fence(5, 5, 0, 0));
    SLT_EXPECT_EQ(1u, m->fences[0].flags);
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_export_fence(6, &handle));
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_export_fence(5, NULL));
    SLT_EXPECT_EQ(0, stream_renderer_export_fence(5, &handle));
    SLT_EXPECT_EQ((uint32_t)STREAM_HANDLE_TYPE_SIGNAL_EVENT_FD, handle.handle_type);
    struct pollfd done = {.fd = (int)handle.os_handle, .events = POLLIN};
    SLT_EXPECT_EQ(1, poll(&done, 1, 0));
    close(done.fd);
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_export_fence(5, &handle)); /* once */
    SLT_EXPECT_EQ(-EINVAL, create_fence(7, 8, 2, 0));                 /* no such context */
    SLT_EXPECT_EQ(-EINVAL, stream_renderer_export_fence(8, &handle));
    /* As many as nobody asks for; the limit holds. */
    uint32_t made = 0;
    while (made < 5000 && create_fence(5, 100 + made, 0, 0) == 0) {
        made++;
    }
    SLT_EXPECT_EQ(1024u, made);
    SLT_EXPECT_EQ(0, stream_renderer_export_fence(100, &handle));
    close((int)handle.os_handle);
    SLT_EXPECT_EQ(0, create_fence(5, 99999, 0, 0));
}

SLT_TEST_F(abi, callbacks_may_not_call, m)
{
    m->calls_back = true;
    SLT_EXPECT_EQ(0, create_fence(1, 1, 0, 0));
    SLT_EXPECT_EQ(-EINVAL, m->called_back);
    /* The log says the same thing five times in a while. */
    SLT_EXPECT_TRUE(m->is_repeat || strstr(m->message, "callback") != NULL);
    SLT_EXPECT_EQ(0, create_fence(1, 2, 0, 0)); /* and nothing is stuck */
}

/* ---- threads ---- */

static void *use_renderer(void *user)
{
    uint32_t first = (uint32_t)(uintptr_t)user;
    for (uint32_t i = 0; i < 50; i++) {
        uint32_t ctx = first + 1 + i % 3;
        uint32_t words[] = {0x1001, first + 10};
        struct stream_renderer_command command = {ctx, sizeof words, (uint8_t *)words, 0, NULL};
        const struct stream_renderer_create_blob blob = {STREAM_BLOB_MEM_HOST3D, 1, 0, 1 << 21};
        SLT_EXPECT_EQ(0, stream_renderer_context_create(ctx, 1, "t", i % 2 != 0 ? 8 : 3));
        SLT_EXPECT_EQ(0, stream_renderer_create_blob(ctx, first + 10, &blob, NULL, 0, NULL));
        stream_renderer_ctx_attach_resource((int)ctx, (int)first + 10);
        SLT_EXPECT_EQ(0, stream_renderer_submit_cmd(&command));
        SLT_EXPECT_EQ(0, create_fence(3, (uint64_t)first << 32 | i, ctx, 0));
        stream_renderer_ctx_detach_resource((int)ctx, (int)first + 10);
        stream_renderer_resource_unref(first + 10);
        stream_renderer_context_destroy(ctx);
    }
    return NULL;
}

SLT_TEST_F(abi, any_thread_may_call, m)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) {
        SLT_ASSERT_EQ(0, pthread_create(&threads[i], NULL, use_renderer, (void *)(i * 100)));
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    SLT_EXPECT_EQ(THREADS * 50u, m->fence_count);
}
