/* Samplers for descriptors that have none.
 *
 * A descriptor may be bound that was never written, or without a sampler, as long as no shader uses
 * it. Drivers of the CPU look into the samplers of all that is bound, as many as the layout says.
 * So sets of theirs are as large as that, begin with a sampler of ours wherever they take one, and
 * get it with what is written without: in their memory, not in what is kept of them (hvk_held.c).
 */
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"

/* Descriptors of one native write. */
#define AT_ONCE 64u

bool hvk_has_sampler(VkDescriptorType type)
{
    return type == VK_DESCRIPTOR_TYPE_SAMPLER || type == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER;
}

VkSampler hvk_any_sampler(struct hvk_device *device)
{
    const VkSamplerCreateInfo info = {.sType = VK_STRUCTURE_TYPE_SAMPLER_CREATE_INFO};
    if (device->any_sampler == VK_NULL_HANDLE &&
        device->driver.CreateSampler(hvk_native(device), &info, NULL, &device->any_sampler) !=
            VK_SUCCESS) {
        device->any_sampler = VK_NULL_HANDLE;
    }
    return device->any_sampler;
}

void hvk_samplers_enable(struct hvk_device *device)
{
    /* They come without images: those are null descriptors. */
    device->fills_sets = hvk_is_cpu(device->physical) && device->has_null_descriptors &&
                         hvk_any_sampler(device) != VK_NULL_HANDLE;
}

uint32_t hvk_samplers_room(const struct hvk_device *device, const struct hvk_bindings *bindings,
                           uint32_t wanted)
{
    bool fills = device->fills_sets && bindings != NULL && bindings->is_variable;
    return fills ? bindings->list[bindings->count - 1].count : wanted;
}

void hvk_samplers_begin(const struct hvk_device *device, VkDescriptorSet native,
                        const struct hvk_bindings *bindings)
{
    VkDescriptorImageInfo images[AT_ONCE];
    if (bindings == NULL || bindings->own_count == 0 || !device->fills_sets) {
        return;
    }
    for (uint32_t i = 0; i < AT_ONCE; i++) {
        images[i] = (VkDescriptorImageInfo){.sampler = device->any_sampler};
    }
    for (uint32_t i = 0; i < bindings->own_count; i++) {
        const struct hvk_binding *binding = &bindings->list[bindings->own[i]];
        VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
                                      .dstSet = native,
                                      .dstBinding = binding->number,
                                      .descriptorType = binding->type,
                                      .pImageInfo = images};
        for (; write.dstArrayElement < binding->count;
             write.dstArrayElement += write.descriptorCount) {
            uint32_t left = binding->count - write.dstArrayElement;
            write.descriptorCount = left < AT_ONCE ? left : AT_ONCE;
            device->driver.UpdateDescriptorSets(hvk_native(device), 1, &write, 0, NULL);
        }
    }
}

void hvk_samplers_mend(const struct hvk_device *device, const VkWriteDescriptorSet *write)
{
    if (!device->fills_sets || !hvk_has_sampler(write->descriptorType)) {
        return;
    }
    VkDescriptorImageInfo *images = (VkDescriptorImageInfo *)(uintptr_t)write->pImageInfo;
    for (uint32_t i = 0; i < write->descriptorCount; i++) {
        if (images[i].sampler == VK_NULL_HANDLE) {
            images[i].sampler = device->any_sampler;
        }
    }
}
