/* Update templates live in the guest alone: what they gather becomes plain writes. */
#ifndef GUEST_GVK_TEMPLATE_H
#define GUEST_GVK_TEMPLATE_H

#include "guest/vulkan/gvk_descriptor.h"

struct gvk_template {
    struct gvk_object object;
    uint32_t entry_count;
    VkDescriptorUpdateTemplateEntry *entries;
    VkPipelineBindPoint bind_point; /* of pushes */
    struct gvk_bindings *bindings;  /* of the set that it is for; NULL: unknown */
};

#endif
