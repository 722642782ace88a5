/* Query pools. */
#ifndef GUEST_GVK_QUERY_H
#define GUEST_GVK_QUERY_H

#include "guest/vulkan/gvk.h"

struct gvk_query_pool {
    struct gvk_object object;
    uint32_t values; /* numbers that a query has; 0: not known */
};

#endif
