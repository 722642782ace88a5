/* Layouts of descriptor sets and of pipelines. Drivers believe that what is written to a set, and
 * bound for a pipeline, agrees with them: what they hold is kept, and compared.
 *
 * Pipeline layouts outlive their destruction: recorded commands arrive with the next submit, and
 * the guest may have destroyed the layouts that they name since (vulkan wire, trap 29). They keep
 * their ids until enough others were destroyed after them. */
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/arith.h"
#include "transport/base/atomic.h"
#include "transport/base/mem.h"

#include <stdlib.h>

/* Destroyed layouts of a device that stay. */
#define RETIRED_MAX 512u
/* Drivers make tables as long as the highest number, and add up what there is. */
#define NUMBER_MAX      (1u << 20)
#define DESCRIPTORS_MAX (1u << 24)

/* --- what a set holds --- */

struct hvk_bindings *hvk_bindings_ref(struct hvk_bindings *bindings)
{
    sl_atomic_add(&bindings->refs, 1); /* the caller has one already; orders nothing */
    return bindings;
}

void hvk_bindings_unref(struct hvk_bindings *bindings)
{
    if (bindings != NULL && sl_atomic_add(&bindings->refs, UINT32_MAX) == 1) {
        for (uint32_t i = 0; i < bindings->sampler_count; i++) {
            hvk_unref(bindings->samplers[i]);
        }
        sl_free(bindings->samplers);
        sl_free(bindings->own);
        sl_free(bindings);
    }
}

bool hvk_bindings_agree(const struct hvk_bindings *a, const struct hvk_bindings *b)
{
    return a == b || (a->count == b->count && a->is_variable == b->is_variable &&
                      memcmp(a->list, b->list, a->count * sizeof a->list[0]) == 0);
}

const struct hvk_binding *hvk_binding_find(const struct hvk_bindings *bindings, uint32_t number)
{
    /* Mostly they are numbered without gaps. */
    if (number < bindings->count && bindings->list[number].number == number) {
        return &bindings->list[number];
    }
    for (uint32_t i = 0; i < bindings->count; i++) {
        if (bindings->list[i].number == number) {
            return &bindings->list[i];
        }
    }
    return NULL;
}

static uint32_t size_of(const struct hvk_bindings *bindings, const struct hvk_binding *binding,
                        uint32_t variable)
{
    bool last = binding == &bindings->list[bindings->count - 1];
    return bindings->is_variable && last ? variable : binding->count;
}

bool hvk_bindings_hold(const struct hvk_bindings *bindings, uint32_t variable, uint32_t number,
                       uint32_t element, uint32_t count, VkDescriptorType *type, bool typed)
{
    const struct hvk_binding *b = hvk_binding_find(bindings, number);
    if (b == NULL || (typed && b->type != *type)) {
        return false;
    }
    *type = b->type;
    if (*type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK) {
        return sl_region_fits(element, count, size_of(bindings, b, variable)); /* bytes */
    }
    const struct hvk_binding *end = bindings->list + bindings->count;
    for (;; b++, element = 0) { /* what is too much for a binding goes to the next one */
        uint32_t size = size_of(bindings, b, variable);
        if (b->type != *type || element > size) {
            return false;
        }
        if (count <= size - element) {
            return true;
        }
        count -= size - element;
        if (b + 1 == end || b[1].number != b->number + 1) {
            return false;
        }
    }
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = ((const struct hvk_binding *)a)->number,
             y = ((const struct hvk_binding *)b)->number;
    return x < y ? -1 : x > y;
}

/* Types behind the core ones, and whose they are. */
static const struct {
    VkDescriptorType type;
    uint32_t version; /* where they are core; else UINT32_MAX */
    const char *extensions;
} more_types[] = {
    {VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK, VK_API_VERSION_1_3, "VK_EXT_inline_uniform_block"},
    {VK_DESCRIPTOR_TYPE_MUTABLE_EXT, UINT32_MAX,
     "VK_EXT_mutable_descriptor_type VK_VALVE_mutable_descriptor_type"},
    {VK_DESCRIPTOR_TYPE_SAMPLE_WEIGHT_IMAGE_QCOM, UINT32_MAX, "VK_QCOM_image_processing"},
    {VK_DESCRIPTOR_TYPE_BLOCK_MATCH_IMAGE_QCOM, UINT32_MAX, "VK_QCOM_image_processing"},
};

/* Drivers count by the types that they know. */
static bool types_are_known(const struct hvk_device *device,
                            const VkDescriptorSetLayoutCreateInfo *info)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < info->bindingCount; i++) {
        VkDescriptorType type = info->pBindings[i].descriptorType;
        ok = type <= VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT;
        for (size_t k = 0; !ok && k < sizeof more_types / sizeof more_types[0]; k++) {
            ok =
                type == more_types[k].type &&
                hvk_physical_has(device->physical, more_types[k].version, more_types[k].extensions);
        }
    }
    return ok;
}

/* How many immutable samplers are read of a binding. */
static uint32_t samplers_of(const VkDescriptorSetLayoutBinding *b)
{
    bool reads = b->pImmutableSamplers != NULL && hvk_has_sampler(b->descriptorType);
    return reads ? b->descriptorCount : 0;
}

/* Drivers look into every immutable sampler. */
static bool has_samplers(const VkDescriptorSetLayoutBinding *b)
{
    bool ok = true;
    for (uint32_t i = 0; ok && i < samplers_of(b); i++) {
        ok = b->pImmutableSamplers[i] != VK_NULL_HANDLE;
    }
    return ok;
}

/* They stay as long as the bindings do. */
static VkResult samplers_keep(struct hvk_call *call, struct hvk_bindings *bindings)
{
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkCreateDescriptorSetLayout ids;
    uint64_t count = 0;
    if (!vk_unpack_vkCreateDescriptorSetLayout(&again, &ids)) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    const VkDescriptorSetLayoutCreateInfo *info = ids.pCreateInfo;
    for (uint32_t i = 0; i < info->bindingCount; i++) {
        count += samplers_of(&info->pBindings[i]); /* all descriptors are fewer than 2^24 */
    }
    bindings->samplers = count != 0 ? sl_alloc_array(count, sizeof(void *)) : NULL;
    if (count != 0 && bindings->samplers == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    for (uint32_t i = 0; count != 0 && i < info->bindingCount; i++) {
        for (uint32_t j = 0; j < samplers_of(&info->pBindings[i]); j++) {
            struct hvk_object *sampler =
                hvk_find(call->context, VK_KIND_VkSampler,
                         HVK_U64(info->pBindings[i].pImmutableSamplers[j]), NULL);
            if (sampler == NULL) {
                return VK_ERROR_VALIDATION_FAILED;
            }
            bindings->samplers[bindings->sampler_count++] = hvk_ref(sampler);
        }
    }
    return VK_SUCCESS;
}

/* Which of them take samplers that are written. False: no memory. */
static bool own_find(struct hvk_bindings *bindings, const VkDescriptorSetLayoutCreateInfo *info)
{
    for (uint32_t i = 0; i < info->bindingCount; i++) {
        const VkDescriptorSetLayoutBinding *b = &info->pBindings[i];
        if (!hvk_has_sampler(b->descriptorType) || samplers_of(b) != 0) {
            continue;
        }
        if (bindings->own == NULL) {
            bindings->own = sl_alloc_array(info->bindingCount, sizeof bindings->own[0]);
        }
        if (bindings->own == NULL) {
            return false;
        }
        bindings->own[bindings->own_count++] =
            (uint32_t)(hvk_binding_find(bindings, b->binding) - bindings->list);
    }
    return true;
}

static VkResult bindings_make(const VkDescriptorSetLayoutCreateInfo *info,
                              struct hvk_bindings **out)
{
    const VkDescriptorSetLayoutBindingFlagsCreateInfo *flags = hvk_chain_find(
        info->pNext, VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_BINDING_FLAGS_CREATE_INFO);
    struct hvk_bindings *made =
        sl_alloc(sizeof *made + (size_t)info->bindingCount * sizeof made->list[0]);
    uint64_t all = 0;
    if (made == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    *made = (struct hvk_bindings){.refs = 1, .count = info->bindingCount};
    for (uint32_t i = 0; i < info->bindingCount; i++) {
        const VkDescriptorSetLayoutBinding *b = &info->pBindings[i];
        made->list[i] = (struct hvk_binding){.number = b->binding,
                                             .type = b->descriptorType,
                                             .count = b->descriptorCount,
                                             .stages = b->stageFlags};
        made->dynamic_count += hvk_is_dynamic(b->descriptorType) ? b->descriptorCount : 0;
        all += b->descriptorCount;
        if (b->binding > NUMBER_MAX || all > DESCRIPTORS_MAX || !has_samplers(b)) {
            sl_free(made);
            return VK_ERROR_VALIDATION_FAILED;
        }
        made->is_variable =
            made->is_variable ||
            (flags != NULL && i < flags->bindingCount &&
             (flags->pBindingFlags[i] & VK_DESCRIPTOR_BINDING_VARIABLE_DESCRIPTOR_COUNT_BIT) != 0);
    }
    qsort(made->list, made->count, sizeof made->list[0], by_number);
    for (uint32_t i = 1; i < made->count; i++) {
        if (made->list[i].number == made->list[i - 1].number) {
            sl_free(made);
            return VK_ERROR_VALIDATION_FAILED;
        }
    }
    hvk_held_place(made);
    *out = made;
    return VK_SUCCESS;
}

/* --- set layouts --- */

struct set_layout {
    struct hvk_object object;
    struct hvk_bindings *bindings;
};

static void set_layout_release(struct hvk_object *object)
{
    struct set_layout *layout = (struct set_layout *)(void *)object;
    if (object->native != 0) {
        object->device->driver.DestroyDescriptorSetLayout(
            hvk_native(object->device), HVK_HANDLE(VkDescriptorSetLayout, object->native), NULL);
    }
    hvk_bindings_unref(layout->bindings);
    sl_free(layout);
}

VkResult hvk_vkCreateDescriptorSetLayout(struct hvk_call *call,
                                         struct vk_args_vkCreateDescriptorSetLayout *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    uint64_t id = HVK_U64(*a->pSetLayout);
    VkDescriptorSetLayout native = VK_NULL_HANDLE;
    *a->pSetLayout = VK_NULL_HANDLE;
    struct set_layout *layout = sl_alloc(sizeof *layout);
    if (layout == NULL) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    hvk_object_init(&layout->object, VK_KIND_VkDescriptorSetLayout, 0, device->object.instance,
                    device, set_layout_release);
    layout->bindings = NULL;
    VkResult result = types_are_known(device, a->pCreateInfo)
                          ? bindings_make(a->pCreateInfo, &layout->bindings)
                          : VK_ERROR_VALIDATION_FAILED;
    result = result == VK_SUCCESS ? samplers_keep(call, layout->bindings) : result;
    if (result == VK_SUCCESS && !own_find(layout->bindings, a->pCreateInfo)) {
        result = VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    const VkPhysicalDeviceLimits *limits = &device->physical->properties.limits;
    if (result == VK_SUCCESS &&
        layout->bindings->dynamic_count > limits->maxDescriptorSetUniformBuffersDynamic +
                                              limits->maxDescriptorSetStorageBuffersDynamic) {
        result = VK_ERROR_VALIDATION_FAILED;
    }
    if (result == VK_SUCCESS) {
        result = device->driver.CreateDescriptorSetLayout(hvk_native(device), a->pCreateInfo, NULL,
                                                          &native);
        layout->object.native = HVK_U64(native);
    }
    if (result == VK_SUCCESS && hvk_add_object(call, &layout->object, &id) != SL_OK) {
        result = VK_ERROR_TOO_MANY_OBJECTS;
    }
    hvk_unref(&layout->object);
    if (result == VK_SUCCESS) {
        *a->pSetLayout = HVK_HANDLE(VkDescriptorSetLayout, id);
    }
    return hvk_device_result(device, result);
}

struct hvk_bindings *hvk_bindings_of(const struct hvk_context *context, uint64_t layout_id)
{
    const struct set_layout *layout = (const struct set_layout *)(void *)hvk_find(
        context, VK_KIND_VkDescriptorSetLayout, layout_id, NULL);
    return layout != NULL ? layout->bindings : NULL;
}

/* --- pipeline layouts --- */

static struct hvk_pipeline_layout *layout_of(struct hvk_object *object)
{
    return (struct hvk_pipeline_layout *)(void *)object;
}

static void layout_release(struct hvk_object *object)
{
    struct hvk_pipeline_layout *layout = layout_of(object);
    struct hvk_device *device = object->device;
    if (!sl_list_empty(&layout->retired)) {
        sl_list_remove(&layout->retired);
        device->layout_count--;
    }
    if (object->native != 0) {
        device->driver.DestroyPipelineLayout(hvk_native(device),
                                             HVK_HANDLE(VkPipelineLayout, object->native), NULL);
    }
    for (uint32_t i = 0; i < layout->set_count; i++) {
        hvk_bindings_unref(layout->sets[i]);
    }
    sl_free(layout);
}

VkResult hvk_vkCreatePipelineLayout(struct hvk_call *call, struct vk_args_vkCreatePipelineLayout *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct vk_unpack again = hvk_again(call);
    struct vk_args_vkCreatePipelineLayout ids;
    uint32_t count = a->pCreateInfo->setLayoutCount;
    uint64_t id = HVK_U64(*a->pPipelineLayout);
    VkPipelineLayout native = VK_NULL_HANDLE;
    *a->pPipelineLayout = VK_NULL_HANDLE;
    if (count > device->physical->properties.limits.maxBoundDescriptorSets) {
        return hvk_device_result(device, VK_ERROR_VALIDATION_FAILED);
    }
    struct hvk_pipeline_layout *layout = sl_alloc(sizeof *layout + count * sizeof layout->sets[0]);
    if (layout == NULL || !vk_unpack_vkCreatePipelineLayout(&again, &ids)) {
        sl_free(layout);
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    hvk_object_init(&layout->object, VK_KIND_VkPipelineLayout, 0, device->object.instance, device,
                    layout_release);
    sl_list_init(&layout->retired);
    layout->set_count = count;
    for (uint32_t i = 0; i < count; i++) {
        struct hvk_bindings *b =
            hvk_bindings_of(call->context, HVK_U64(ids.pCreateInfo->pSetLayouts[i]));
        layout->sets[i] = b != NULL ? hvk_bindings_ref(b) : NULL;
    }
    VkResult result =
        device->driver.CreatePipelineLayout(hvk_native(device), a->pCreateInfo, NULL, &native);
    layout->object.native = HVK_U64(native);
    if (result == VK_SUCCESS && hvk_add_object(call, &layout->object, &id) != SL_OK) {
        result = VK_ERROR_TOO_MANY_OBJECTS;
    }
    hvk_unref(&layout->object);
    if (result == VK_SUCCESS) {
        *a->pPipelineLayout = HVK_HANDLE(VkPipelineLayout, id);
    }
    return hvk_device_result(device, result);
}

void hvk_vkDestroyPipelineLayout(struct hvk_call *call, struct vk_args_vkDestroyPipelineLayout *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    struct hvk_pipeline_layout *layout =
        layout_of(hvk_find(call->context, VK_KIND_VkPipelineLayout, a->pipelineLayout_id, NULL));
    if (layout == NULL) {
        return;
    }
    if (sl_list_empty(&layout->retired)) {
        sl_list_add(&device->layouts, &layout->retired);
        device->layout_count++;
    } else if (call->context->is_restoring) {
        hvk_destroy(call->context, VK_KIND_VkPipelineLayout, a->pipelineLayout_id);
    }
}

void hvk_layouts_trim(struct hvk_context *context, struct hvk_device *device)
{
    while (device->layout_count > RETIRED_MAX) {
        const struct hvk_pipeline_layout *oldest =
            SL_CONTAINER(device->layouts.next, struct hvk_pipeline_layout, retired);
        hvk_destroy(context, VK_KIND_VkPipelineLayout, oldest->object.id);
    }
}
