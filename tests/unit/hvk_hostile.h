/* What the tests of hostile guests use: one of everything, and tables of recorded commands. */
#ifndef HVK_HOSTILE_H
#define HVK_HOSTILE_H

#include "tests/support/vk_parts.h"

#define SIDE 16u /* of the image */

struct hostile {
    struct vp_mapped m; /* 256 bytes */
    struct vp_compute c;
    VkDescriptorSet set;
    VkImage image; /* SIDE x SIDE, 4 bytes each */
    VkQueryPool queries;
};

void hostile_make(struct vk_world *w, struct hostile *h);

/* Commands that a case records. */
struct recorded_case {
    const char *label;
    void (*record)(struct vk_pack *p, const struct hostile *h);
};
#define RECORD(name) static void name(struct vk_pack *p, const struct hostile *h)
#define ROW(name)                                                                                  \
    {                                                                                              \
#name, name                                                                                \
    }

#endif
