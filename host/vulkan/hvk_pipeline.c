/* Pipelines: where drivers believe what they get. */
#include "host/vulkan/hvk_clamp.h"
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/atomic.h"
#include "transport/base/mem.h"

#include <string.h>

/* Drivers look into the module without asking whether there is one. */
static bool has_code(const VkPipelineShaderStageCreateInfo *stage)
{
    return stage->module != VK_NULL_HANDLE ||
           hvk_chain_find(stage->pNext, VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO) != NULL ||
           hvk_chain_find(
               stage->pNext,
               VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_MODULE_IDENTIFIER_CREATE_INFO_EXT) != NULL;
}

/* Specialization data that its map points past. */
static bool is_inside(const VkSpecializationInfo *info)
{
    for (uint32_t i = 0; info != NULL && i < info->mapEntryCount; i++) {
        const VkSpecializationMapEntry *e = &info->pMapEntries[i];
        if (e->offset > info->dataSize || e->size > info->dataSize - e->offset ||
            info->pData == NULL) {
            return false;
        }
    }
    return true;
}

/* Code that comes with its pipeline: has the layout what it uses? It becomes what the driver gets
 * instead, in the packet's memory. */
static bool code_fits(struct hvk_call *call, struct hvk_device *device,
                      const VkPipelineShaderStageCreateInfo *stage, VkShaderModuleCreateInfo *code,
                      const struct hvk_pipeline_layout *layout)
{
    struct hvk_clamped clamped;
    if (hvk_shader_code(device, code->pCode, code->codeSize, &clamped) != VK_SUCCESS) {
        return false;
    }
    struct hvk_interface *i = hvk_interface_read(code->pCode, code->codeSize);
    bool ok = i != NULL && hvk_interface_fits(i, stage, layout);
    hvk_interface_free(i);
    if (ok && clamped.words != NULL) {
        uint32_t *kept = vk_unpack_alloc(&call->in, clamped.count, sizeof *kept);
        ok = kept != NULL;
        if (ok) {
            memcpy(kept, clamped.words, clamped.count * sizeof *kept);
            code->pCode = kept;
            code->codeSize = clamped.count * sizeof *kept;
        }
    }
    sl_free(clamped.words);
    return ok;
}

/* Has the layout what the stage's code uses? module: its id. */
static bool fits(struct hvk_call *call, struct hvk_device *device,
                 const VkPipelineShaderStageCreateInfo *stage, const VkShaderModuleCreateInfo *code,
                 VkShaderModule module, const struct hvk_pipeline_layout *layout)
{
    if (code != NULL) {
        return code_fits(call, device, stage, (VkShaderModuleCreateInfo *)(uintptr_t)code, layout);
    }
    const struct hvk_object *object =
        hvk_find(device->context, VK_KIND_VkShaderModule, HVK_U64(module), NULL);
    return module == VK_NULL_HANDLE ||
           (object != NULL &&
            hvk_interface_fits(((const struct hvk_shader *)(const void *)object)->interface, stage,
                               layout));
}

/* ids: the same with its handles as ids. */
static bool is_stage(struct hvk_call *call, struct hvk_device *device,
                     const VkPipelineShaderStageCreateInfo *stage,
                     const VkPipelineShaderStageCreateInfo *ids, VkPipelineLayout layout_id)
{
    const VkShaderModuleCreateInfo *code =
        hvk_chain_find(stage->pNext, VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO);
    const struct hvk_pipeline_layout *layout =
        (const struct hvk_pipeline_layout *)(const void *)hvk_find(
            device->context, VK_KIND_VkPipelineLayout, HVK_U64(layout_id), NULL);
    if (stage->module == VK_NULL_HANDLE && code == NULL) { /* known by a number: it may be any */
        sl_atomic_store_relaxed(&device->tells_draws, 1);
    }
    return has_code(stage) && stage->pName != NULL && is_inside(stage->pSpecializationInfo) &&
           fits(call, device, stage, stage->module == VK_NULL_HANDLE ? code : NULL, ids->module,
                layout);
}

static void pipeline_release(struct hvk_object *object)
{
    object->device->driver.DestroyPipeline(hvk_native(object->device),
                                           HVK_HANDLE(VkPipeline, object->native), NULL);
    sl_free(object);
}

/* One of those that a call has made, or 0: each may be there whatever the result is. */
static void enter(struct hvk_call *call, struct hvk_device *device, uint64_t native,
                  const struct hvk_pipeline_facts *facts, VkResult *result, VkPipeline *slot)
{
    uint64_t id = HVK_U64(*slot);
    *slot = VK_NULL_HANDLE;
    if (native == 0) {
        return;
    }
    struct hvk_pipeline *pipeline = sl_alloc(sizeof *pipeline);
    if (pipeline == NULL) {
        device->driver.DestroyPipeline(hvk_native(device), HVK_HANDLE(VkPipeline, native), NULL);
        *result = VK_ERROR_OUT_OF_HOST_MEMORY;
        return;
    }
    hvk_object_init(&pipeline->object, VK_KIND_VkPipeline, native, device->object.instance, device,
                    pipeline_release);
    pipeline->facts = *facts;
    enum sl_result added = hvk_add_object(call, &pipeline->object, &id);
    hvk_unref(&pipeline->object);
    if (added == SL_OK) {
        *slot = HVK_HANDLE(VkPipeline, id);
    } else {
        *result = VK_ERROR_OUT_OF_HOST_MEMORY;
    }
}

VkResult hvk_vkCreateGraphicsPipelines(struct hvk_call *call,
                                       struct vk_args_vkCreateGraphicsPipelines *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkCreateGraphicsPipelines ids;
    VkPipeline *made = vk_unpack_alloc(&call->in, a->createInfoCount, sizeof *made);
    struct hvk_pipeline_facts *facts =
        vk_unpack_alloc(&call->in, a->createInfoCount, sizeof *facts);
    VkResult result =
        made != NULL && facts != NULL && vk_unpack_vkCreateGraphicsPipelines(&again, &ids)
            ? VK_SUCCESS
            : VK_ERROR_OUT_OF_HOST_MEMORY;
    for (uint32_t i = 0; result == VK_SUCCESS && i < a->createInfoCount; i++) {
        VkGraphicsPipelineCreateInfo *info =
            (VkGraphicsPipelineCreateInfo *)(uintptr_t)&a->pCreateInfos[i];
        bool part = (info->flags & VK_PIPELINE_CREATE_LIBRARY_BIT_KHR) != 0;
        facts[i].points = part ? 0 : 1u << VK_PIPELINE_BIND_POINT_GRAPHICS;
        if (!hvk_graphics_mend(call, device, info, &ids.pCreateInfos[i], &facts[i])) {
            result = VK_ERROR_VALIDATION_FAILED_EXT;
        }
        for (uint32_t j = 0; j < a->pCreateInfos[i].stageCount; j++) {
            if (!is_stage(call, device, &a->pCreateInfos[i].pStages[j],
                          &ids.pCreateInfos[i].pStages[j], ids.pCreateInfos[i].layout)) {
                result = VK_ERROR_INVALID_SHADER_NV;
            }
        }
    }
    if (result == VK_SUCCESS) {
        result = device->driver.CreateGraphicsPipelines(
            hvk_native(device), a->pipelineCache, a->createInfoCount, a->pCreateInfos, NULL, made);
    }
    for (uint32_t i = 0; i < a->createInfoCount; i++) {
        enter(call, device, made != NULL ? HVK_U64(made[i]) : 0, &facts[i], &result,
              &a->pPipelines[i]);
    }
    return hvk_device_result(device, result);
}

VkResult hvk_vkCreateComputePipelines(struct hvk_call *call,
                                      struct vk_args_vkCreateComputePipelines *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkCreateComputePipelines ids;
    VkPipeline *made = vk_unpack_alloc(&call->in, a->createInfoCount, sizeof *made);
    VkResult result = made != NULL && vk_unpack_vkCreateComputePipelines(&again, &ids)
                          ? VK_SUCCESS
                          : VK_ERROR_OUT_OF_HOST_MEMORY;
    for (uint32_t i = 0; result == VK_SUCCESS && i < a->createInfoCount; i++) {
        if (!is_stage(call, device, &a->pCreateInfos[i].stage, &ids.pCreateInfos[i].stage,
                      ids.pCreateInfos[i].layout) ||
            a->pCreateInfos[i].layout == VK_NULL_HANDLE) {
            result = VK_ERROR_INVALID_SHADER_NV;
        }
    }
    if (result == VK_SUCCESS) {
        result = device->driver.CreateComputePipelines(
            hvk_native(device), a->pipelineCache, a->createInfoCount, a->pCreateInfos, NULL, made);
    }
    const struct hvk_pipeline_facts facts = {.points = 1u << VK_PIPELINE_BIND_POINT_COMPUTE};
    for (uint32_t i = 0; i < a->createInfoCount; i++) {
        enter(call, device, made != NULL ? HVK_U64(made[i]) : 0, &facts, &result,
              &a->pPipelines[i]);
    }
    return hvk_device_result(device, result);
}
