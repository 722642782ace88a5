/* Bytes of memory that only its device reaches, for snapshots: a buffer is laid over all of the
 * memory, and the device copies between it and memory that the host maps.
 *
 * What lies there is the driver's own arrangement; it is carried as it is. The device is idle, or
 * replays what nobody else submits to. */
#include "host/vulkan/hvk_family.h"

#include <string.h>

struct carrier {
    const struct hvk_device *device;
    VkDevice native;
    VkBuffer there; /* laid over the memory */
    struct hvk_staging here;
    struct hvk_once once;
};

static VkResult make_buffer(const struct hvk_device *device, uint64_t size, VkBuffer *buffer,
                            VkMemoryRequirements *needs)
{
    const struct vk_driver_device *d = &device->driver;
    const VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
                                     .size = size,
                                     .usage = VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                                              VK_BUFFER_USAGE_TRANSFER_DST_BIT};
    VkResult result = d->CreateBuffer(hvk_native(device), &info, NULL, buffer);
    if (result == VK_SUCCESS) {
        d->GetBufferMemoryRequirements(hvk_native(device), *buffer, needs);
    }
    return result;
}

/* Over all of the memory, or as much of it as a buffer may take: a little at its end lies between
 * two alignments, where nothing can be bound. */
static VkResult lay_over(struct carrier *c, const struct hvk_memory *memory, uint64_t end)
{
    const struct vk_driver_device *d = &c->device->driver;
    VkMemoryRequirements needs;
    uint64_t size = memory->size;
    VkResult result = make_buffer(c->device, size, &c->there, &needs);
    if (result == VK_SUCCESS && needs.size > memory->size) {
        d->DestroyBuffer(c->native, c->there, NULL);
        c->there = VK_NULL_HANDLE;
        size = size > needs.alignment ? size - size % needs.alignment : 0;
        result = size >= end ? make_buffer(c->device, size, &c->there, &needs)
                             : VK_ERROR_FEATURE_NOT_PRESENT;
    }
    if (result == VK_SUCCESS &&
        (needs.size > memory->size || (needs.memoryTypeBits >> memory->type & 1) == 0)) {
        result = VK_ERROR_FEATURE_NOT_PRESENT;
    }
    return result == VK_SUCCESS
               ? d->BindBufferMemory(c->native, c->there,
                                     HVK_HANDLE(VkDeviceMemory, memory->object.native), 0)
               : result;
}

VkResult hvk_staging_make(const struct hvk_device *device, uint64_t size, struct hvk_staging *out)
{
    const VkMemoryPropertyFlags wanted =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    const struct vk_driver_device *d = &device->driver;
    const VkPhysicalDeviceMemoryProperties *types = &device->physical->memory;
    VkMemoryRequirements needs;
    *out = (struct hvk_staging){.mapping = NULL};
    VkResult result = make_buffer(device, size, &out->buffer, &needs);
    uint32_t type = 0;
    while (result == VK_SUCCESS && type < types->memoryTypeCount &&
           ((needs.memoryTypeBits >> type & 1) == 0 ||
            (types->memoryTypes[type].propertyFlags & wanted) != wanted)) {
        type++;
    }
    if (result != VK_SUCCESS || type == types->memoryTypeCount) {
        return result != VK_SUCCESS ? result : VK_ERROR_FEATURE_NOT_PRESENT;
    }
    const VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
                                       .allocationSize = needs.size,
                                       .memoryTypeIndex = type};
    result = d->AllocateMemory(hvk_native(device), &info, NULL, &out->memory);
    if (result == VK_SUCCESS) {
        result = d->BindBufferMemory(hvk_native(device), out->buffer, out->memory, 0);
    }
    return result == VK_SUCCESS
               ? d->MapMemory(hvk_native(device), out->memory, 0, VK_WHOLE_SIZE, 0, &out->mapping)
               : result;
}

void hvk_staging_end(const struct hvk_device *device, struct hvk_staging *staging)
{
    if (!device->abandoned) {
        device->driver.DestroyBuffer(hvk_native(device), staging->buffer, NULL);
        device->driver.FreeMemory(hvk_native(device), staging->memory, NULL);
    }
    *staging = (struct hvk_staging){.mapping = NULL};
}

static VkResult run(struct carrier *c, const VkBufferCopy *copy, bool out)
{
    const uint32_t copies = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT | VK_QUEUE_TRANSFER_BIT;
    const struct vk_driver_device *d = &c->device->driver;
    /* What ran before, and what the host wrote and reads. */
    const VkMemoryBarrier all = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
                                 .srcAccessMask = VK_ACCESS_MEMORY_WRITE_BIT,
                                 .dstAccessMask =
                                     VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT};
    const VkPipelineStageFlags stages = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
    VkResult result = hvk_once_begin(&c->once, c->device, copies);
    if (result != VK_SUCCESS) {
        return result;
    }
    VkCommandBuffer commands = c->once.commands;
    d->CmdPipelineBarrier(commands, stages | VK_PIPELINE_STAGE_HOST_BIT, stages, 0, 1, &all, 0,
                          NULL, 0, NULL);
    d->CmdCopyBuffer(commands, out ? c->there : c->here.buffer, out ? c->here.buffer : c->there, 1,
                     copy);
    d->CmdPipelineBarrier(commands, stages, stages | VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &all, 0,
                          NULL, 0, NULL);
    return hvk_once_run(&c->once);
}

static void end(struct carrier *c)
{
    if (c->once.device != NULL) {
        hvk_once_end(&c->once);
    }
    c->device->driver.DestroyBuffer(c->native, c->there, NULL);
    hvk_staging_end(c->device, &c->here);
}

enum sl_result hvk_carry(const struct hvk_device *device, const struct hvk_memory *memory,
                         uint64_t offset, void *bytes, size_t size, bool out)
{
    struct carrier c = {.device = device, .native = hvk_native(device)};
    const VkBufferCopy copy = {
        .srcOffset = out ? offset : 0, .dstOffset = out ? 0 : offset, .size = size};
    if (memory->is_dedicated) {
        return SL_ERR_UNSUPPORTED;
    }
    VkResult result = lay_over(&c, memory, offset + size);
    if (result == VK_SUCCESS) {
        result = hvk_staging_make(device, size, &c.here);
    }
    if (result == VK_SUCCESS && !out) {
        memcpy(c.here.mapping, bytes, size);
    }
    if (result == VK_SUCCESS) {
        result = run(&c, &copy, out);
    }
    if (result == VK_TIMEOUT) {
        return SL_ERR_TIMEOUT; /* the device still has all of it */
    }
    if (result == VK_SUCCESS && out) {
        memcpy(bytes, c.here.mapping, size);
    }
    end(&c);
    return result == VK_SUCCESS                     ? SL_OK
           : result == VK_ERROR_FEATURE_NOT_PRESENT ? SL_ERR_UNSUPPORTED
           : result == VK_ERROR_DEVICE_LOST         ? SL_ERR_DEVICE_LOST
                                                    : SL_ERR_NOMEM;
}
