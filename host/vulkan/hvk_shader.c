/* Shader modules: the shape of their code. What it means is the driver's to find out; what is seen
 * to here are the shapes that drivers do not survive. */
#include "host/vulkan/hvk_clamp.h"
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"

#include "host/vk_hand.h"
#include "transport/base/atomic.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#define SPIRV_MAGIC     0x07230203u
#define SPIRV_HEADER    5u
#define SPIRV_BOUND_MAX (1u << 22)

enum {
    OP_CAPABILITY = 17,
    OP_TYPE_VECTOR = 23,
    OP_TYPE_MATRIX = 24,
    OP_TYPE_ARRAY = 28,
    OP_TYPE_RUNTIME_ARRAY = 29,
    OP_TYPE_STRUCT = 30,
    OP_TYPE_POINTER = 32,
    OP_TYPE_FUNCTION = 33,
    OP_FUNCTION = 54,
    OP_FUNCTION_END = 56,
    OP_LABEL = 248,
    OP_BRANCH = 249,
    OP_UNREACHABLE = 255,
    OP_TERMINATE_INVOCATION = 4416,
    OP_IGNORE_INTERSECTION = 4448,
    OP_TERMINATE_RAY = 4449,
    OP_EMIT_MESH_TASKS = 5294,
};

/* Lets a shader know its draw's number, or its primitive's, of which hvk_draw.c must know. */
static bool tells_draws(uint32_t capability)
{
    enum {
        GEOMETRY = 2,
        TESSELLATION = 3,
        DRAW_PARAMETERS = 4427,
        MESH_SHADING_NV = 5266,
        MESH_SHADING_EXT = 5283
    };
    return capability == GEOMETRY || capability == TESSELLATION || capability == DRAW_PARAMETERS ||
           capability == MESH_SHADING_NV || capability == MESH_SHADING_EXT;
}

/* A type made of itself has no end to those who walk through it. words: of the instruction. */
static bool is_endless(uint32_t op, const uint32_t *words, size_t count)
{
    size_t first = op == OP_TYPE_POINTER ? 3 : 2;
    size_t end = op == OP_TYPE_STRUCT || op == OP_TYPE_FUNCTION ? count : first + 1;
    for (size_t i = first; i < end && i < count; i++) {
        if (words[i] == words[1]) {
            return true;
        }
    }
    return false;
}

static bool is_type(uint32_t op)
{
    return op == OP_TYPE_VECTOR || op == OP_TYPE_MATRIX || op == OP_TYPE_ARRAY ||
           op == OP_TYPE_RUNTIME_ARRAY || op == OP_TYPE_STRUCT || op == OP_TYPE_POINTER ||
           op == OP_TYPE_FUNCTION;
}

static bool ends_block(uint32_t op)
{
    return (op >= OP_BRANCH && op <= OP_UNREACHABLE) || op == OP_TERMINATE_INVOCATION ||
           op == OP_IGNORE_INTERSECTION || op == OP_TERMINATE_RAY || op == OP_EMIT_MESH_TASKS;
}

/* Where an instruction stands. */
struct place {
    bool in_function, in_block;
};

/* Functions and blocks begin and end in turn. */
static bool go_on(struct place *place, uint32_t op)
{
    if (op == OP_FUNCTION || op == OP_FUNCTION_END) {
        bool ok = !place->in_block && place->in_function == (op == OP_FUNCTION_END);
        place->in_function = op == OP_FUNCTION;
        return ok;
    }
    if (op == OP_LABEL) {
        bool ok = place->in_function && !place->in_block;
        place->in_block = true;
        return ok;
    }
    if (ends_block(op)) {
        bool ok = place->in_block;
        place->in_block = false;
        return ok;
    }
    return true;
}

/* The word of an instruction that says which id it makes, or one that is an id for sure; 0: not
 * known. */
static size_t id_at(uint32_t op)
{
    enum {
        TYPES = 19,
        TYPES_END = 39,
        CONSTANTS = 41,
        CONSTANTS_END = 52,
        PARAMETER = 55,
        VARIABLE = 59,
        LOAD = 61,
        CHAINS = 65,
        CHAINS_END = 70,
        COMPOSITES = 77,
        COMPOSITES_END = 84,
        ARITHMETIC = 109,
        ARITHMETIC_END = 215
    };
    if ((op >= TYPES && op <= TYPES_END) || op == OP_LABEL) {
        return 1;
    }
    bool second =
        (op >= CONSTANTS && op <= CONSTANTS_END) || op == OP_FUNCTION || op == PARAMETER ||
        op == VARIABLE || op == LOAD || (op >= CHAINS && op <= CHAINS_END) ||
        (op >= COMPOSITES && op <= COMPOSITES_END) || (op >= ARITHMETIC && op <= ARITHMETIC_END);
    return second ? 2 : 0;
}

static bool is_valid(const struct hvk_device *device, const uint32_t *words, size_t count)
{
    const struct hvk_provider *p = device->context->provider;
    char why[300];
    if (p->is_valid_spirv == NULL || p->is_valid_spirv(words, count, why, sizeof why)) {
        return true;
    }
    sl_warn_limited("vulkan", "context %u: a shader is refused: %s", device->context->ctx_id, why);
    return false;
}

bool hvk_is_spirv(struct hvk_device *device, const uint32_t *words, size_t size)
{
    size_t count = size / 4, at = SPIRV_HEADER;
    struct place place = {false, false};
    if (size % 4 != 0 || words == NULL || count < SPIRV_HEADER || words[0] != SPIRV_MAGIC ||
        words[3] > SPIRV_BOUND_MAX) {
        return false;
    }
    while (at < count) {
        size_t length = words[at] >> 16;
        uint32_t op = words[at] & 0xffff;
        size_t id = id_at(op);
        if (length == 0 || length > count - at || !go_on(&place, op) ||
            (id != 0 && (id >= length || words[at + id] >= words[3])) ||
            (is_type(op) && is_endless(op, words + at, length)) ||
            (!device->has_addresses && hvk_addresses_in(op, words + at, length))) {
            return false;
        }
        if (op == OP_CAPABILITY && length > 1 && tells_draws(words[at + 1])) {
            sl_atomic_store_relaxed(&device->tells_draws, 1);
        }
        at += length;
    }
    return !place.in_function && is_valid(device, words, count);
}

static bool is_long(const struct hvk_device *device, size_t size)
{
    uint64_t most = device->context->provider->shader_bytes;
    if (most == 0 || size <= most) {
        return false;
    }
    sl_warn_limited("vulkan", "context %u: a shader is refused: its code is of %zu bytes, of %llu",
                    device->context->ctx_id, size, (unsigned long long)most);
    return true;
}

VkResult hvk_shader_code(struct hvk_device *device, const uint32_t *words, size_t size,
                         struct hvk_clamped *out)
{
    const char *why = NULL;
    *out = (struct hvk_clamped){NULL, 0};
    if (is_long(device, size)) {
        return VK_ERROR_OUT_OF_HOST_MEMORY;
    }
    if (!hvk_is_spirv(device, words, size)) {
        return VK_ERROR_INVALID_SHADER_NV;
    }
    if (!device->context->provider->clamps_indices || !hvk_is_cpu(device->physical)) {
        return VK_SUCCESS;
    }
    enum sl_result result = hvk_clamp(words, size / 4, device->clears_shared, out, &why);
    if (result == SL_ERR_UNSUPPORTED) {
        sl_warn_limited("vulkan",
                        "context %u: a shader is refused, as its indices may leave its "
                        "arrays: %s",
                        device->context->ctx_id, why);
        return VK_ERROR_INVALID_SHADER_NV;
    }
    return result == SL_OK ? VK_SUCCESS : VK_ERROR_OUT_OF_HOST_MEMORY;
}

static void shader_release(struct hvk_object *object)
{
    object->device->driver.DestroyShaderModule(hvk_native(object->device),
                                               HVK_HANDLE(VkShaderModule, object->native), NULL);
    hvk_interface_free(((struct hvk_shader *)(void *)object)->interface);
    sl_free(object);
}

VkResult hvk_vkCreateShaderModule(struct hvk_call *call, struct vk_args_vkCreateShaderModule *a)
{
    struct hvk_device *device = hvk_device_of(a->record);
    const VkShaderModuleCreateInfo *info = a->pCreateInfo;
    uint64_t id = sl_load_u64((uint8_t *)a->pShaderModule);
    VkShaderModule native = VK_NULL_HANDLE;
    sl_store_u64((uint8_t *)a->pShaderModule, 0);
    VkShaderModuleCreateInfo for_driver = *info;
    struct hvk_clamped clamped;
    VkResult result = hvk_shader_code(device, info->pCode, info->codeSize, &clamped);
    if (result != VK_SUCCESS) {
        return hvk_device_result(device, result);
    }
    if (clamped.words != NULL) {
        for_driver.pCode = clamped.words;
        for_driver.codeSize = clamped.count * 4;
    }
    struct hvk_shader *shader = sl_alloc(sizeof *shader);
    struct hvk_interface *interface = hvk_interface_read(info->pCode, info->codeSize);
    result = shader != NULL && interface != NULL
                 ? device->driver.CreateShaderModule(hvk_native(device), &for_driver, NULL, &native)
                 : VK_ERROR_OUT_OF_HOST_MEMORY;
    sl_free(clamped.words);
    if (result != VK_SUCCESS) {
        sl_free(shader);
        hvk_interface_free(interface);
        return hvk_device_result(device, result);
    }
    hvk_object_init(&shader->object, VK_KIND_VkShaderModule, HVK_U64(native),
                    device->object.instance, device, shader_release);
    shader->interface = interface;
    sl_store_u64((uint8_t *)a->pShaderModule, id);
    return hvk_enter(call, &shader->object, a->pShaderModule);
}
