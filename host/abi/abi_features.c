/* The feature string: names that embedders may give, most of them about what others' renderers do.
 */
#include "host/abi/abi.h"

#include "transport/base/log.h"

#include <string.h>

static const char *const known[] = {
    "AsyncComposeSupport",
    "BypassVulkanDeviceFeatureOverrides",
    "ExternalBlob",
    "GlAsyncSwap",
    "GlDirectMem",
    "GlDma",
    "GlDma2",
    "GlPipeChecksum",
    "GlProgramBinaryLinkStatus",
    "GlesDynamicVersion",
    "GrallocSync",
    "GuestVulkanOnly",
    "HasSharedSlotsHostMemoryAllocator",
    "HostComposition",
    "HwcMultiConfigs",
    "Minigbm",
    "NativeTextureDecompression",
    "NoDelayCloseColorBuffer",
    "PlayStoreImage",
    "RefCountPipe",
    "SluiceTrust",
    "SystemBlob",
    "VirtioGpuFenceContexts",
    "VirtioGpuNativeSync",
    "VirtioGpuNext",
    "Vulkan",
    "VulkanAllocateDeviceMemoryOnly",
    "VulkanAllocateHostMemory",
    "VulkanBatchedDescriptorSetUpdate",
    "VulkanCommandBufferCheckpoints",
    "VulkanDebugUtils",
    "VulkanExternalSync",
    "VulkanIgnoredHandles",
    "VulkanNativeSwapchain",
    "VulkanNullOptionalStrings",
    "VulkanQueueSubmitWithCommands",
    "VulkanRobustness",
    "VulkanShaderFloat16Int8",
    "VulkanSnapshots",
    "VulkanUseDedicatedAhbMemoryType",
    "VulkanVirtualQueue",
    "Yuv420888ToNv21",
    "YuvCache",
};

/* Those that mean something here. */
struct choice {
    struct abi_features features;
    bool system_blob;
    bool native_swapchain;
};

static bool is_word(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && memcmp(text, word, size) == 0;
}

static bool is_known(const char *name, size_t size)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (is_word(name, size, known[i])) {
            return true;
        }
    }
    return false;
}

static void choose(struct choice *choice, const char *name, size_t size, bool on)
{
    if (is_word(name, size, "Vulkan")) {
        choice->features.vulkan = on;
    } else if (is_word(name, size, "GuestVulkanOnly")) {
        choice->features.gles = choice->features.gles && !on;
    } else if (is_word(name, size, "ExternalBlob")) {
        choice->features.external_blob = on;
    } else if (is_word(name, size, "SystemBlob")) {
        choice->system_blob = on;
    } else if (is_word(name, size, "VulkanNativeSwapchain")) {
        choice->native_swapchain = on;
    } else if (is_word(name, size, "SluiceTrust")) {
        choice->features.trust = on;
    }
}

/* One "Name:enabled" of the string. */
static enum sl_result choose_item(struct choice *choice, const char *item, size_t size)
{
    const char *colon = memchr(item, ':', size);
    size_t name_size = colon != NULL ? (size_t)(colon - item) : size;
    const char *status = colon != NULL ? colon + 1 : "";
    size_t status_size = colon != NULL ? size - name_size - 1 : 0;
    bool on = is_word(status, status_size, "enabled");
    if (!is_known(item, name_size) || (!on && !is_word(status, status_size, "disabled"))) {
        sl_error("abi",
                 "feature '%.*s' is not understood; it should be NAME:enabled or "
                 "NAME:disabled",
                 (int)size, item);
        return SL_ERR_INVALID;
    }
    choose(choice, item, name_size, on);
    return SL_OK;
}

enum sl_result abi_features_choose(const struct abi_options *options, struct abi_features *features)
{
    struct choice choice = {
        .features = {.gles = (options->flags & STREAM_RENDERER_FLAGS_USE_GLES) != 0,
                     .vulkan = (options->flags & STREAM_RENDERER_FLAGS_USE_VK) != 0,
                     .external_blob =
                         (options->flags & STREAM_RENDERER_FLAGS_USE_EXTERNAL_BLOB) != 0},
        .system_blob = (options->flags & STREAM_RENDERER_FLAGS_USE_SYSTEM_BLOB) != 0,
        .native_swapchain = (options->flags & STREAM_RENDERER_FLAGS_VULKAN_NATIVE_SWAPCHAIN) != 0};
    for (const char *at = options->features; at != NULL && *at != '\0';) {
        size_t size = strcspn(at, ",");
        if (size != 0 && choose_item(&choice, at, size) != SL_OK) {
            return SL_ERR_INVALID;
        }
        at += size + (at[size] == ',');
    }
    if (choice.system_blob && !choice.features.external_blob) {
        sl_error("abi", "SystemBlob wants ExternalBlob");
        return SL_ERR_INVALID;
    }
    if (choice.native_swapchain && !choice.features.vulkan) {
        sl_error("abi", "VulkanNativeSwapchain wants Vulkan");
        return SL_ERR_INVALID;
    }
    choice.features.gles = choice.features.gles && !options->skip_gles;
    *features = choice.features;
    return SL_OK;
}
