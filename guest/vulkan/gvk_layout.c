/* Descriptor set layouts and pipeline layouts. */
#include "guest/vk_entry.h"
#include "guest/vk_hand.h"
#include "guest/vulkan/gvk_descriptor.h"
#include "transport/base/atomic.h"
#include "transport/base/mem.h"

#include <stdlib.h>

struct gvk_bindings *gvk_bindings_ref(struct gvk_bindings *bindings)
{
    if (bindings != NULL) {
        sl_atomic_add(&bindings->refs, 1);
    }
    return bindings;
}

void gvk_bindings_unref(struct gvk_bindings *bindings)
{
    /* The last one's decrement is behind all others' uses: sequentially consistent. */
    if (bindings != NULL && sl_atomic_add(&bindings->refs, (uint32_t)-1) == 1) {
        sl_free(bindings);
    }
}

static bool has_samplers(const VkDescriptorSetLayoutBinding *binding)
{
    return binding->descriptorCount != 0 &&
           (binding->descriptorType == VK_DESCRIPTOR_TYPE_SAMPLER ||
            binding->descriptorType == VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER);
}

static int by_number(const void *a, const void *b)
{
    uint32_t left = ((const struct gvk_binding *)a)->number;
    uint32_t right = ((const struct gvk_binding *)b)->number;
    return left < right ? -1 : left > right;
}

static struct gvk_bindings *bindings_of(const VkDescriptorSetLayoutCreateInfo *info)
{
    struct gvk_bindings *bindings =
        sl_alloc(sizeof *bindings + (size_t)info->bindingCount * sizeof bindings->list[0]);
    if (bindings == NULL) {
        return NULL;
    }
    bindings->refs = 1;
    bindings->count = info->bindingCount;
    for (uint32_t i = 0; i < info->bindingCount; i++) {
        const VkDescriptorSetLayoutBinding *binding = &info->pBindings[i];
        bindings->list[i] = (struct gvk_binding){
            .number = binding->binding,
            .immutable = has_samplers(binding) && binding->pImmutableSamplers != NULL,
        };
        if ((uint32_t)binding->descriptorType < GVK_TYPES) {
            bindings->needs[binding->descriptorType] += binding->descriptorCount;
        } else {
            bindings->unusual = true;
        }
    }
    if (bindings->count > 1) {
        qsort(bindings->list, bindings->count, sizeof bindings->list[0], by_number);
    }
    return bindings;
}

/* pImmutableSamplers counts for samplers alone. The copy's array is sl_alloc'ed; NULL: no memory.
 */
static VkDescriptorSetLayoutBinding *layout_clean(const VkDescriptorSetLayoutCreateInfo *info)
{
    VkDescriptorSetLayoutBinding *clean = sl_alloc_array(info->bindingCount, sizeof *clean);
    for (uint32_t i = 0; clean != NULL && i < info->bindingCount; i++) {
        clean[i] = info->pBindings[i];
        if (!has_samplers(&clean[i])) {
            clean[i].pImmutableSamplers = NULL;
        }
    }
    return clean;
}

VkResult gvk_vkCreateDescriptorSetLayout(VkDevice device,
                                         const VkDescriptorSetLayoutCreateInfo *pCreateInfo,
                                         const VkAllocationCallbacks *pAllocator,
                                         VkDescriptorSetLayout *pSetLayout)
{
    struct gvk_bindings *bindings = bindings_of(pCreateInfo);
    VkDescriptorSetLayoutBinding *array = layout_clean(pCreateInfo);
    VkResult result = VK_ERROR_OUT_OF_HOST_MEMORY;
    if (bindings != NULL && array != NULL) {
        VkDescriptorSetLayoutCreateInfo clean = *pCreateInfo;
        clean.pBindings = array;
        result = gvk_entry_vkCreateDescriptorSetLayout(device, &clean, pAllocator, pSetLayout);
    }
    sl_free(array);
    if (result == VK_SUCCESS) {
        GVK_FROM(gvk_set_layout, *pSetLayout)->bindings = bindings;
    } else {
        gvk_bindings_unref(bindings);
    }
    return result;
}

void gvk_vkDestroyDescriptorSetLayout(VkDevice device, VkDescriptorSetLayout descriptorSetLayout,
                                      const VkAllocationCallbacks *pAllocator)
{
    if (descriptorSetLayout != VK_NULL_HANDLE) {
        gvk_settle(gvk_device_of(device)); /* sets are not written after their layout's end */
        gvk_bindings_unref(GVK_FROM(gvk_set_layout, descriptorSetLayout)->bindings);
        gvk_entry_vkDestroyDescriptorSetLayout(device, descriptorSetLayout, pAllocator);
    }
}

void gvk_vkGetDescriptorSetLayoutSupport(VkDevice device,
                                         const VkDescriptorSetLayoutCreateInfo *pCreateInfo,
                                         VkDescriptorSetLayoutSupport *pSupport)
{
    VkDescriptorSetLayoutBinding *array = layout_clean(pCreateInfo);
    pSupport->supported = VK_FALSE;
    if (array != NULL) {
        VkDescriptorSetLayoutCreateInfo clean = *pCreateInfo;
        clean.pBindings = array;
        gvk_entry_vkGetDescriptorSetLayoutSupport(device, &clean, pSupport);
    }
    sl_free(array);
}

/* ---- Pipeline layouts ---- */

const struct gvk_bindings *gvk_pipeline_layout_set(const struct gvk_pipeline_layout *layout,
                                                   uint32_t set)
{
    return layout != NULL && set < layout->set_count ? layout->sets[set] : NULL;
}

VkResult gvk_vkCreatePipelineLayout(VkDevice device, const VkPipelineLayoutCreateInfo *pCreateInfo,
                                    const VkAllocationCallbacks *pAllocator,
                                    VkPipelineLayout *pPipelineLayout)
{
    uint32_t count = pCreateInfo->setLayoutCount;
    struct gvk_bindings **sets = sl_alloc_array(count, sizeof *sets);
    if (sets == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    VkResult result =
        gvk_entry_vkCreatePipelineLayout(device, pCreateInfo, pAllocator, pPipelineLayout);
    if (result != VK_SUCCESS) {
        sl_free(sets);
        return result;
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct gvk_set_layout *set = GVK_FROM(gvk_set_layout, pCreateInfo->pSetLayouts[i]);
        sets[i] = set != NULL ? gvk_bindings_ref(set->bindings) : NULL;
    }
    struct gvk_pipeline_layout *layout = GVK_FROM(gvk_pipeline_layout, *pPipelineLayout);
    layout->sets = sets;
    layout->set_count = count;
    return VK_SUCCESS;
}

void gvk_vkDestroyPipelineLayout(VkDevice device, VkPipelineLayout pipelineLayout,
                                 const VkAllocationCallbacks *pAllocator)
{
    struct gvk_pipeline_layout *layout = GVK_FROM(gvk_pipeline_layout, pipelineLayout);
    if (layout == NULL) {
        return;
    }
    for (uint32_t i = 0; i < layout->set_count; i++) {
        gvk_bindings_unref(layout->sets[i]);
    }
    sl_free(layout->sets);
    gvk_entry_vkDestroyPipelineLayout(device, pipelineLayout, pAllocator);
}
