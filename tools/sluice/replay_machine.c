#include "tools/sluice/replay_machine.h"
#include "tools/plan/vk_plan.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include "tables/vk_plan.h"
#include "wire/vk_opcodes.h"

#include <stdlib.h>
#include <string.h>
#include <vulkan/vulkan_core.h>

/* --- one answer --- */

struct listening {
    struct machine *to;
    uint32_t format, features; /* of a question about a format */
};

static void on_memory(void *user, const struct vk_plan_field *field, const uint8_t *bytes)
{
    struct machine *m = ((struct listening *)user)->to;
    uint32_t value = sl_load_u32(bytes);
    if (strcmp(field->name, "memoryTypeCount") == 0) {
        m->type_count = 0;
    } else if (strcmp(field->name, "propertyFlags") == 0 && m->type_count < MACHINE_TYPES) {
        m->types[m->type_count++] = value;
    }
}

static void on_family(void *user, const struct vk_plan_field *field, const uint8_t *bytes)
{
    struct machine *m = ((struct listening *)user)->to;
    uint32_t value = sl_load_u32(bytes);
    if (m->family_count >= MACHINE_FAMILIES) {
        return;
    }
    if (strcmp(field->name, "queueFlags") == 0) {
        m->families[m->family_count].flags = value;
    } else if (strcmp(field->name, "queueCount") == 0) {
        m->families[m->family_count++].count = value;
    }
}

static bool is_lacking(const struct machine *m, const char *feature)
{
    for (uint32_t i = 0; i < m->lack_count; i++) {
        if (strcmp(m->lacks[i], feature) == 0) {
            return true;
        }
    }
    return false;
}

static void on_feature(void *user, const struct vk_plan_field *field, const uint8_t *bytes)
{
    struct machine *m = ((struct listening *)user)->to;
    bool is_feature = field->size == 4 && (field->flags & VK_PLAN_FIXED) == 0;
    if (is_feature && sl_load_u32(bytes) == 0 && m->lack_count < MACHINE_FEATURES &&
        !is_lacking(m, field->name)) {
        m->lacks[m->lack_count++] = field->name;
    }
}

static void on_format(void *user, const struct vk_plan_field *field, const uint8_t *bytes)
{
    struct listening *l = user;
    if (strcmp(field->name, "format") == 0) {
        l->format = sl_load_u32(bytes);
    } else if (strcmp(field->name, "optimalTilingFeatures") == 0) {
        l->features = sl_load_u32(bytes);
    }
}

/* The names in what is printed of the answer. */
static void read_extensions(struct machine *m, const struct cap_event_call *call,
                            const uint8_t *reply, size_t size)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) {
        return;
    }
    vk_plan_print(&vk_plan, NULL, call->packet, call->size, reply, size, out);
    if (fclose(out) == 0 && strstr(text, "\"VK_") != NULL) {
        free(m->extensions);
        m->extensions = text;
    } else {
        free(text);
    }
}

/* Without its checksum. */
static uint32_t packet_size(const struct cap_event_call *call)
{
    return sl_load_u32(call->packet + 4) < call->size ? sl_load_u32(call->packet + 4) : call->size;
}

static void hear(struct listening *l, const struct cap_event_call *call, const uint8_t *reply,
                 size_t size, void (*number)(void *, const struct vk_plan_field *, const uint8_t *))
{
    const struct plan_style style = {.user = l, .number = number};
    vk_plan_tell(&vk_plan, &style, call->packet, packet_size(call), reply, size);
}

/* --- what stands for what --- */

static uint32_t bits(uint32_t v)
{
    return (uint32_t)__builtin_popcount(v);
}

/* The type of most likeness among those that can be mapped where that is wanted. */
static uint32_t choose_type(const struct machine *is, uint32_t wanted)
{
    const uint32_t must =
        wanted & (VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
    uint32_t best = MACHINE_NONE, least = UINT32_MAX;
    for (uint32_t i = 0; i < is->type_count; i++) {
        uint32_t has = is->types[i];
        uint32_t far = 4 * bits(wanted & ~has) + bits(has & ~wanted);
        if ((must & ~has) == 0 && far < least) {
            least = far;
            best = i;
        }
    }
    return best;
}

#define WORK (VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT)

static uint32_t choose_family(const struct machine *is, uint32_t wanted)
{
    uint32_t best = MACHINE_NONE, least = UINT32_MAX;
    for (uint32_t i = 0; i < is->family_count; i++) {
        uint32_t has = is->families[i].flags;
        uint32_t far = 4 * bits(wanted & ~has) + bits(has & ~wanted);
        if ((wanted & WORK & ~has) == 0 && far < least) {
            least = far;
            best = i;
        }
    }
    return best;
}

static void map_types(struct machine_pair *pair)
{
    for (uint32_t i = 0; i < pair->was.type_count; i++) {
        bool is_same = i < pair->is.type_count && pair->is.types[i] == pair->was.types[i];
        pair->types[i] = is_same ? i : choose_type(&pair->is, pair->was.types[i]);
    }
}

static void map_families(struct machine_pair *pair)
{
    for (uint32_t i = 0; i < pair->was.family_count; i++) {
        uint32_t flags = pair->was.families[i].flags;
        bool is_same = i < pair->is.family_count && pair->is.families[i].flags == flags;
        pair->families[i].family = is_same ? i : choose_family(&pair->is, flags);
    }
}

/* Of each of these pairs every driver has one. */
static uint32_t other_format(uint32_t format)
{
    switch (format) {
    case VK_FORMAT_D24_UNORM_S8_UINT:
        return VK_FORMAT_D32_SFLOAT_S8_UINT;
    case VK_FORMAT_D32_SFLOAT_S8_UINT:
        return VK_FORMAT_D24_UNORM_S8_UINT;
    case VK_FORMAT_X8_D24_UNORM_PACK32:
        return VK_FORMAT_D32_SFLOAT;
    case VK_FORMAT_D32_SFLOAT:
        return VK_FORMAT_X8_D24_UNORM_PACK32;
    default:
        return VK_FORMAT_UNDEFINED;
    }
}

static void learn_format(const struct cap_event_call *call, const uint8_t *reply, size_t size,
                         struct machine_format *format)
{
    struct listening was = {0}, is = {0};
    hear(&was, call, NULL, 0, on_format);
    is.format = was.format;
    hear(&was, call, call->reply, call->reply_size, on_format);
    hear(&is, call, reply, size, on_format);
    if ((was.features & ~is.features & VK_FORMAT_FEATURE_DEPTH_STENCIL_ATTACHMENT_BIT) != 0) {
        *format = (struct machine_format){.was = is.format, .is = other_format(is.format)};
    }
}

static void learn_both(struct machine_pair *pair, const struct cap_event_call *call,
                       const uint8_t *reply, size_t size,
                       void (*number)(void *, const struct vk_plan_field *, const uint8_t *))
{
    struct listening was = {.to = &pair->was}, is = {.to = &pair->is};
    hear(&was, call, call->reply, call->reply_size, number);
    hear(&is, call, reply, size, number);
}

bool machine_is_asked(uint32_t opcode)
{
    switch (opcode) {
    case VK_OP_vkGetPhysicalDeviceMemoryProperties:
    case VK_OP_vkGetPhysicalDeviceMemoryProperties2:
    case VK_OP_vkGetPhysicalDeviceMemoryProperties2KHR:
    case VK_OP_vkGetPhysicalDeviceQueueFamilyProperties:
    case VK_OP_vkGetPhysicalDeviceQueueFamilyProperties2:
    case VK_OP_vkGetPhysicalDeviceQueueFamilyProperties2KHR:
    case VK_OP_vkGetPhysicalDeviceFeatures:
    case VK_OP_vkGetPhysicalDeviceFeatures2:
    case VK_OP_vkGetPhysicalDeviceFeatures2KHR:
    case VK_OP_vkGetPhysicalDeviceFormatProperties:
    case VK_OP_vkGetPhysicalDeviceFormatProperties2:
    case VK_OP_vkGetPhysicalDeviceFormatProperties2KHR:
    case VK_OP_vkEnumerateDeviceExtensionProperties:
        return true;
    default:
        return false;
    }
}

bool machine_learn(struct machine_pair *pair, const struct cap_event_call *call,
                   const uint8_t *reply, size_t size, struct machine_format *format)
{
    *format = (struct machine_format){0};
    switch (sl_load_u32(call->packet)) {
    case VK_OP_vkGetPhysicalDeviceMemoryProperties:
    case VK_OP_vkGetPhysicalDeviceMemoryProperties2:
    case VK_OP_vkGetPhysicalDeviceMemoryProperties2KHR:
        learn_both(pair, call, reply, size, on_memory);
        map_types(pair);
        return true;
    case VK_OP_vkGetPhysicalDeviceQueueFamilyProperties:
    case VK_OP_vkGetPhysicalDeviceQueueFamilyProperties2:
    case VK_OP_vkGetPhysicalDeviceQueueFamilyProperties2KHR:
        pair->was.family_count = pair->is.family_count = 0;
        learn_both(pair, call, reply, size, on_family);
        map_families(pair);
        return true;
    case VK_OP_vkGetPhysicalDeviceFeatures:
    case VK_OP_vkGetPhysicalDeviceFeatures2:
    case VK_OP_vkGetPhysicalDeviceFeatures2KHR:
        learn_both(pair, call, reply, size, on_feature);
        return true;
    case VK_OP_vkGetPhysicalDeviceFormatProperties:
    case VK_OP_vkGetPhysicalDeviceFormatProperties2:
    case VK_OP_vkGetPhysicalDeviceFormatProperties2KHR:
        learn_format(call, reply, size, format);
        return true;
    case VK_OP_vkEnumerateDeviceExtensionProperties:
        read_extensions(&pair->was, call, call->reply, call->reply_size);
        read_extensions(&pair->is, call, reply, size);
        return true;
    default:
        return false;
    }
}

bool machine_lacks(const struct machine_pair *pair, const char *feature)
{
    return is_lacking(&pair->is, feature) && !is_lacking(&pair->was, feature);
}

static bool lists(const struct machine *m, const char *name)
{
    char quoted[VK_MAX_EXTENSION_NAME_SIZE + 3];
    snprintf(quoted, sizeof quoted, "\"%s\"", name);
    return m->extensions != NULL && strstr(m->extensions, quoted) != NULL;
}

bool machine_lacks_extension(const struct machine_pair *pair, const char *name)
{
    return lists(&pair->was, name) && pair->is.extensions != NULL && !lists(&pair->is, name);
}

void machine_finish(struct machine_pair *pair)
{
    free(pair->was.extensions);
    free(pair->is.extensions);
}
