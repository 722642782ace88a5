/* Memory as a file descriptor: exported, imported by a second device and by the same one, both
 * seeing one another's writes; what semaphores can. */
#include "tests/integration/vulkan/vx.h"

#include <stdio.h>

enum { SIZE = 1 << 16 };

struct shared {
    VkBuffer buffer;
    VkDeviceMemory memory;
    VkDeviceSize size; /* of the memory */
    uint32_t type;
};

static const VkExternalMemoryHandleTypeFlagBits kind = VK_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD_BIT;

/* next: what the allocation's chain holds. */
static struct shared make(struct vx *vx, const void *next)
{
    struct shared s;
    const VkExternalMemoryBufferCreateInfo external = {
        .sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO, .handleTypes = kind};
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .pNext = &external,
                                     .size = SIZE,
                                     .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                              VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    VX(vx, vkCreateBuffer(vx->device, &info, NULL, &s.buffer));
    VkMemoryRequirements needs;
    vkGetBufferMemoryRequirements(vx->device, s.buffer, &needs);
    s.size = needs.size;
    s.type =
        vx_memory_type(vx, needs.memoryTypeBits,
                       VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
    const VkMemoryAllocateInfo memory = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                         .pNext = next,
                                         .allocationSize = s.size,
                                         .memoryTypeIndex = s.type};
    VX(vx, vkAllocateMemory(vx->device, &memory, NULL, &s.memory));
    VX(vx, vkBindBufferMemory(vx->device, s.buffer, s.memory, 0));
    return s;
}

static void destroy(struct vx *vx, struct shared *s)
{
    vkDestroyBuffer(vx->device, s->buffer, NULL);
    vkFreeMemory(vx->device, s->memory, NULL);
}

static int export_fd(struct vx *vx, const struct shared *s)
{
    PFN_vkGetMemoryFdKHR get =
        (PFN_vkGetMemoryFdKHR)vkGetDeviceProcAddr(vx->device, "vkGetMemoryFdKHR");
    vx_need(get != NULL, "vkGetMemoryFdKHR");
    const VkMemoryGetFdInfoKHR info = {
        .sType = VK_STRUCTURE_TYPE_MEMORY_GET_FD_INFO_KHR, .memory = s->memory, .handleType = kind};
    int fd = -1;
    VX(vx, get(vx->device, &info, &fd));
    vx_need(fd >= 0, "a descriptor");
    return fd;
}

static void fill(struct vx *vx, VkBuffer buffer, uint32_t word)
{
    VkCommandBuffer commands = vx_begin(vx);
    vkCmdFillBuffer(commands, buffer, 0, SIZE / 2, word);
    vkCmdFillBuffer(commands, buffer, SIZE / 2, SIZE / 2, ~word);
    vx_memory_barrier(commands);
    vx_submit(vx, commands);
}

static void show(struct vx *vx, const char *name, const struct shared *s)
{
    void *map = NULL;
    VX(vx, vkMapMemory(vx->device, s->memory, 0, VK_WHOLE_SIZE, 0, &map));
    vx_show(vx, name, map, SIZE);
    vkUnmapMemory(vx->device, s->memory);
}

/* Importer's writes are seen by the exporter and back. */
static void exchange(struct vx *exporter, struct vx *importer, const char *name)
{
    const VkExportMemoryAllocateInfo exported = {
        .sType = VK_STRUCTURE_TYPE_EXPORT_MEMORY_ALLOCATE_INFO, .handleTypes = kind};
    struct shared first = make(exporter, &exported);
    const VkImportMemoryFdInfoKHR imported = {.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_FD_INFO_KHR,
                                              .handleType = kind,
                                              .fd = export_fd(exporter, &first)};
    struct shared second = make(importer, &imported); /* takes the descriptor */
    char text[64];
    fill(exporter, first.buffer, 0x01234567);
    snprintf(text, sizeof text, "%s.seen-by-importer", name);
    show(importer, text, &second);
    fill(importer, second.buffer, 0x89abcdef);
    snprintf(text, sizeof text, "%s.seen-by-exporter", name);
    show(exporter, text, &first);
    destroy(exporter, &first); /* the importer's outlives it */
    snprintf(text, sizeof text, "%s.after-free", name);
    show(importer, text, &second);
    destroy(importer, &second);
}

static void properties(struct vx *vx)
{
    static const VkExternalSemaphoreHandleTypeFlagBits kinds[] = {
        VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD_BIT,
        VK_EXTERNAL_SEMAPHORE_HANDLE_TYPE_SYNC_FD_BIT};
    for (int i = 0; i < 2; i++) {
        const VkPhysicalDeviceExternalSemaphoreInfo info = {
            .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_SEMAPHORE_INFO,
            .handleType = kinds[i]};
        VkExternalSemaphoreProperties can = {.sType =
                                                 VK_STRUCTURE_TYPE_EXTERNAL_SEMAPHORE_PROPERTIES};
        vkGetPhysicalDeviceExternalSemaphoreProperties(vx->physical, &info, &can);
        vx_show_text(vx, i == 0 ? "semaphore.opaque" : "semaphore.sync", "%x %x",
                     can.exportFromImportedHandleTypes, can.externalSemaphoreFeatures);
    }
}

int main(void)
{
    static const struct vx_wants wants = {.extensions = {VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME}};
    struct vx one, two;
    vx_open_instance(&one);
    properties(&one);
    const VkPhysicalDeviceExternalBufferInfo info = {
        .sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_EXTERNAL_BUFFER_INFO,
        .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT | VK_BUFFER_USAGE_TRANSFER_DST_BIT,
        .handleType = kind};
    VkExternalBufferProperties can = {.sType = VK_STRUCTURE_TYPE_EXTERNAL_BUFFER_PROPERTIES};
    vkGetPhysicalDeviceExternalBufferProperties(one.physical, &info, &can);
    const VkExternalMemoryFeatureFlags features =
        can.externalMemoryProperties.externalMemoryFeatures;
    vx_show_text(&one, "buffer.opaque", "%x", features);
    const VkExternalMemoryFeatureFlags both =
        VK_EXTERNAL_MEMORY_FEATURE_EXPORTABLE_BIT | VK_EXTERNAL_MEMORY_FEATURE_IMPORTABLE_BIT;
    if ((features & both) != both ||
        !vx_has_extension(&one, VK_KHR_EXTERNAL_MEMORY_FD_EXTENSION_NAME)) {
        vx_unsupported(&one, "exchange", "opaque descriptors are not exported and imported");
        vx_close(&one);
        return 0;
    }
    vx_open_device(&one, &wants);
    exchange(&one, &one, "same-device");
    vx_open(&two, &wants);
    exchange(&one, &two, "two-instances");
    vx_close(&two);
    vx_close(&one);
    return 0;
}
