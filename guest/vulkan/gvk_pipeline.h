/* Render passes: what pipelines have to know of them. */
#ifndef GUEST_GVK_PIPELINE_H
#define GUEST_GVK_PIPELINE_H

#include "guest/vulkan/gvk.h"

/* What a subpass draws to. */
enum {
    GVK_SUBPASS_COLOR = 1,
    GVK_SUBPASS_DEPTH_STENCIL = 2,
};

struct gvk_render_pass {
    struct gvk_object object;
    uint8_t *subpasses; /* subpass_count; GVK_SUBPASS_ bits */
    uint32_t subpass_count;
};

#endif
