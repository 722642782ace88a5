/* Vulkan packets of a recording for another driver: memory types, queue families and formats of
 * depth by what each driver said it has, images that need more, features and extensions that are
 * not there. Main thread. */
#ifndef SLUICE_REPLAY_REMAP_H
#define SLUICE_REPLAY_REMAP_H

#include "tools/sluice/replay_uses.h"
#include "host/replay/rep.h"

struct remap;

struct remap_options {
    bool portable; /* else what differs is only found */
    void *user;
    /* An image that needs more here: as dumps number it. Nullable. */
    void (*grown)(void *user, uint32_t image, uint64_t here, uint64_t recorded, bool rebound);
};

/* NULL: no memory. */
struct remap *remap_create(const struct remap_options *options);
void remap_destroy(struct remap *remap);
const struct rep_port *remap_port(struct remap *remap);
/* A call that is not played: what it uses, once a replay has said what there is. */
void remap_look(struct remap *remap, const struct cap_event *event, uint64_t frame);

const struct uses *remap_uses(const struct remap *remap);

#endif
