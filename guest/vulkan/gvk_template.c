#include "guest/vulkan/gvk_template.h"

#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_command.h"
#include "wire/vk_pack.h"

#include <string.h>

static struct gvk_bindings *bindings_of(const VkDescriptorUpdateTemplateCreateInfo *info)
{
    if (info->templateType == VK_DESCRIPTOR_UPDATE_TEMPLATE_TYPE_DESCRIPTOR_SET) {
        return gvk_bindings_ref(GVK_FROM(gvk_set_layout, info->descriptorSetLayout)->bindings);
    }
    const struct gvk_pipeline_layout *layout = GVK_FROM(gvk_pipeline_layout, info->pipelineLayout);
    return layout != NULL && info->set < layout->set_count
               ? gvk_bindings_ref(layout->sets[info->set])
               : NULL;
}

VkResult gvk_vkCreateDescriptorUpdateTemplate(
    VkDevice device, const VkDescriptorUpdateTemplateCreateInfo *pCreateInfo,
    const VkAllocationCallbacks *pAllocator, VkDescriptorUpdateTemplate *pDescriptorUpdateTemplate)
{
    struct gvk_device *dev = gvk_device_of(device);
    uint32_t count = pCreateInfo->descriptorUpdateEntryCount;
    struct gvk_template *made = gvk_object_new(dev, pAllocator, sizeof *made);
    VkDescriptorUpdateTemplateEntry *entries = sl_alloc_array(count, sizeof *entries);
    if (made == NULL || entries == NULL) {
        sl_free(entries);
        gvk_object_free(dev, pAllocator, made);
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    memcpy(entries, pCreateInfo->pDescriptorUpdateEntries, count * sizeof *entries);
    made->object.vk.id = gvk_local_id();
    made->entries = entries;
    made->entry_count = count;
    made->bind_point = pCreateInfo->pipelineBindPoint;
    made->bindings = bindings_of(pCreateInfo);
    *pDescriptorUpdateTemplate = GVK_TO(VkDescriptorUpdateTemplate, made);
    return VK_SUCCESS;
}

void gvk_vkDestroyDescriptorUpdateTemplate(VkDevice device,
                                           VkDescriptorUpdateTemplate descriptorUpdateTemplate,
                                           const VkAllocationCallbacks *pAllocator)
{
    struct gvk_template *template = GVK_FROM(gvk_template, descriptorUpdateTemplate);
    if (template != NULL) {
        gvk_bindings_unref(template->bindings);
        sl_free(template->entries);
        gvk_object_free(gvk_device_of(device), pAllocator, template);
    }
}

/* ---- Gathering ---- */

/* What one entry writes may need of structs that hang from the write. */
struct hung {
    VkWriteDescriptorSetInlineUniformBlock block;
    VkWriteDescriptorSetAccelerationStructureKHR structures;
};

/* `count` elements of `size` bytes, each `stride` from the one before; in place where they are
 * packed. NULL: no memory. */
static const void *gather(struct sl_arena *arena, const uint8_t *from, uint32_t count,
                          size_t stride, size_t size)
{
    if (stride == size || count == 1) {
        return from;
    }
    uint8_t *to = sl_arena_get(arena, count * size);
    for (uint32_t i = 0; to != NULL && i < count; i++) {
        memcpy(to + i * size, from + i * stride, size);
    }
    return to;
}

/* The write that an entry stands for; `hung` and the arena must outlive it. */
static bool entry_write(struct sl_arena *arena, const VkDescriptorUpdateTemplateEntry *entry,
                        const void *data, struct hung *hung, VkWriteDescriptorSet *write)
{
    const uint8_t *from = (const uint8_t *)data + entry->offset;
    uint32_t count = entry->descriptorCount;
    const void *elements = from;
    *write = (VkWriteDescriptorSet){
        .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
        .dstBinding = entry->dstBinding,
        .dstArrayElement = entry->dstArrayElement,
        .descriptorCount = count,
        .descriptorType = entry->descriptorType,
    };
    switch ((uint32_t)entry->descriptorType) {
    case VK_DESCRIPTOR_TYPE_SAMPLER:
    case VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER:
    case VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE:
    case VK_DESCRIPTOR_TYPE_STORAGE_IMAGE:
    case VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT:
        elements = gather(arena, from, count, entry->stride, sizeof *write->pImageInfo);
        write->pImageInfo = elements;
        break;
    case VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER:
    case VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER:
        elements = gather(arena, from, count, entry->stride, sizeof *write->pTexelBufferView);
        write->pTexelBufferView = elements;
        break;
    case VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK:
        hung->block = (VkWriteDescriptorSetInlineUniformBlock){
            .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_INLINE_UNIFORM_BLOCK,
            .dataSize = count,
            .pData = from,
        };
        write->pNext = &hung->block;
        break;
    case VK_DESCRIPTOR_TYPE_ACCELERATION_STRUCTURE_KHR:
        elements = gather(arena, from, count, entry->stride, sizeof(VkAccelerationStructureKHR));
        hung->structures = (VkWriteDescriptorSetAccelerationStructureKHR){
            .sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET_ACCELERATION_STRUCTURE_KHR,
            .accelerationStructureCount = count,
            .pAccelerationStructures = elements,
        };
        write->pNext = &hung->structures;
        break;
    default:
        elements = gather(arena, from, count, entry->stride, sizeof *write->pBufferInfo);
        write->pBufferInfo = elements;
        break;
    }
    return elements != NULL;
}

void gvk_vkUpdateDescriptorSetWithTemplate(VkDevice device, VkDescriptorSet descriptorSet,
                                           VkDescriptorUpdateTemplate descriptorUpdateTemplate,
                                           const void *pData)
{
    struct gvk_device *dev = gvk_device_of(device);
    const struct gvk_template *template = GVK_FROM(gvk_template, descriptorUpdateTemplate);
    gvk_writes_begin(dev);
    for (uint32_t i = 0; i < template->entry_count; i++) {
        struct hung hung;
        VkWriteDescriptorSet write;
        if (entry_write(&dev->descriptors.arena, &template->entries[i], pData, &hung, &write)) {
            write.dstSet = descriptorSet;
            gvk_writes_add(dev, &write);
        }
    }
    gvk_writes_end(dev);
}

/* ---- Pushes ---- */

/* Writes ready to be recorded, on the command buffer's arena; NULL: no memory. */
static VkWriteDescriptorSet *push_clean(struct gvk_command_buffer *buffer,
                                        const struct gvk_bindings *bindings, uint32_t count,
                                        const VkWriteDescriptorSet *writes)
{
    VkWriteDescriptorSet *clean = sl_arena_get(&buffer->arena, count * sizeof *clean);
    for (uint32_t i = 0; clean != NULL && i < count; i++) {
        const VkWriteDescriptorSet *write =
            gvk_write_clean(&buffer->arena, bindings, &writes[i], &clean[i]);
        if (write == NULL) {
            return NULL;
        }
        if (write != &clean[i]) {
            clean[i] = *write;
        }
        clean[i].dstSet = VK_NULL_HANDLE;
    }
    return clean;
}

/* The writes that a template makes of data; NULL: no memory. */
static VkWriteDescriptorSet *push_gather(struct gvk_command_buffer *buffer,
                                         const struct gvk_template *template, const void *data)
{
    uint32_t count = template->entry_count;
    VkWriteDescriptorSet *writes = sl_arena_get(&buffer->arena, count * sizeof *writes);
    struct hung *hung = sl_arena_get(&buffer->arena, count * sizeof *hung);
    if (writes == NULL || hung == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!entry_write(&buffer->arena, &template->entries[i], data, &hung[i], &writes[i])) {
            return NULL;
        }
    }
    return push_clean(buffer, template->bindings, count, writes);
}

static void push(struct gvk_command_buffer *buffer, VkPipelineBindPoint bind_point,
                 VkPipelineLayout layout, uint32_t set, uint32_t count,
                 const VkWriteDescriptorSet *writes)
{
    if (writes == NULL) {
        buffer->recorder.pack.failed = true;
        return;
    }
    vk_pack_vkCmdPushDescriptorSet(&buffer->recorder.pack, bind_point, layout, set, count, writes);
}

void gvk_vkCmdPushDescriptorSet(VkCommandBuffer commandBuffer,
                                VkPipelineBindPoint pipelineBindPoint, VkPipelineLayout layout,
                                uint32_t set, uint32_t descriptorWriteCount,
                                const VkWriteDescriptorSet *pDescriptorWrites)
{
    struct gvk_command_buffer *buffer = gvk_recording(commandBuffer);
    const struct gvk_bindings *bindings =
        gvk_pipeline_layout_set(GVK_FROM(gvk_pipeline_layout, layout), set);
    push(buffer, pipelineBindPoint, layout, set, descriptorWriteCount,
         push_clean(buffer, bindings, descriptorWriteCount, pDescriptorWrites));
}

void gvk_vkCmdPushDescriptorSetWithTemplate(VkCommandBuffer commandBuffer,
                                            VkDescriptorUpdateTemplate descriptorUpdateTemplate,
                                            VkPipelineLayout layout, uint32_t set,
                                            const void *pData)
{
    struct gvk_command_buffer *buffer = gvk_recording(commandBuffer);
    const struct gvk_template *template = GVK_FROM(gvk_template, descriptorUpdateTemplate);
    push(buffer, template->bind_point, layout, set, template->entry_count,
         push_gather(buffer, template, pData));
}

static void push2(struct gvk_command_buffer *buffer, const VkPushDescriptorSetInfo *info,
                  const VkWriteDescriptorSet *writes)
{
    if (writes == NULL) {
        buffer->recorder.pack.failed = true;
        return;
    }
    VkPushDescriptorSetInfo clean = *info;
    clean.pDescriptorWrites = writes;
    vk_pack_vkCmdPushDescriptorSet2(&buffer->recorder.pack, &clean);
}

void gvk_vkCmdPushDescriptorSet2(VkCommandBuffer commandBuffer,
                                 const VkPushDescriptorSetInfo *pPushDescriptorSetInfo)
{
    const VkPushDescriptorSetInfo *info = pPushDescriptorSetInfo;
    struct gvk_command_buffer *buffer = gvk_recording(commandBuffer);
    const struct gvk_bindings *bindings =
        gvk_pipeline_layout_set(GVK_FROM(gvk_pipeline_layout, info->layout), info->set);
    push2(buffer, info,
          push_clean(buffer, bindings, info->descriptorWriteCount, info->pDescriptorWrites));
}

void gvk_vkCmdPushDescriptorSetWithTemplate2(
    VkCommandBuffer commandBuffer,
    const VkPushDescriptorSetWithTemplateInfo *pPushDescriptorSetWithTemplateInfo)
{
    const VkPushDescriptorSetWithTemplateInfo *from = pPushDescriptorSetWithTemplateInfo;
    struct gvk_command_buffer *buffer = gvk_recording(commandBuffer);
    const struct gvk_template *template = GVK_FROM(gvk_template, from->descriptorUpdateTemplate);
    VkPushDescriptorSetInfo info = {
        .sType = VK_STRUCTURE_TYPE_PUSH_DESCRIPTOR_SET_INFO,
        .pNext = from->pNext, /* the layout, where the handle is none */
        .stageFlags = template->bind_point == VK_PIPELINE_BIND_POINT_COMPUTE
                          ? VK_SHADER_STAGE_COMPUTE_BIT
                          : VK_SHADER_STAGE_ALL_GRAPHICS,
        .layout = from->layout,
        .set = from->set,
        .descriptorWriteCount = template->entry_count,
    };
    push2(buffer, &info, push_gather(buffer, template, from->pData));
}
