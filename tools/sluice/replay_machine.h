/* What a Vulkan driver said of its machine, while recording and here, and what of the one stands
 * for what of the other. Pure, one thread. */
#ifndef SLUICE_REPLAY_MACHINE_H
#define SLUICE_REPLAY_MACHINE_H

#include "tools/plan/plan.h"
#include "host/capture/cap_merge.h"

#define MACHINE_TYPES    32u /* VK_MAX_MEMORY_TYPES */
#define MACHINE_FAMILIES 16u
#define MACHINE_FEATURES 512u
#define MACHINE_FORMATS  4u
#define MACHINE_NONE     UINT32_MAX /* nothing here will do */

struct machine {
    uint32_t type_count, types[MACHINE_TYPES]; /* VkMemoryPropertyFlags */
    uint32_t family_count;
    struct {
        uint32_t flags, count; /* VkQueueFlags, queues */
    } families[MACHINE_FAMILIES];
    const char *lacks[MACHINE_FEATURES]; /* features */
    uint32_t lack_count;
    char *extensions; /* a text that has their names in quotes; NULL: not known */
};

/* One physical device. */
struct machine_pair {
    uint64_t physical; /* its id */
    struct machine was, is;
    uint32_t types[MACHINE_TYPES]; /* was -> is */
    struct {
        uint32_t family;
        uint32_t first; /* its queues are that one's from here on; once a device was made */
    } families[MACHINE_FAMILIES];
};

/* A format of depth that one driver has and the other has not, and the one in its place. */
struct machine_format {
    uint32_t was, is;
};

/* An answer that came while recording, and here, to one of the questions below. *format: of a
 * question about one, when it is to be another; was 0: it is not. False: it is no such question. */
bool machine_learn(struct machine_pair *pair, const struct cap_event_call *call,
                   const uint8_t *reply, size_t size, struct machine_format *format);
/* It is one of these questions. */
bool machine_is_asked(uint32_t opcode);
/* It is a feature that the recording's driver had and this one has not. */
bool machine_lacks(const struct machine_pair *pair, const char *feature);
/* The same of an extension. */
bool machine_lacks_extension(const struct machine_pair *pair, const char *name);
void machine_finish(struct machine_pair *pair);

#endif
