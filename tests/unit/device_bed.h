/* What the device's tests stand on: a device with the echo type, its events counted. */
#ifndef DEVICE_BED_H
#define DEVICE_BED_H

#include "host/device/device.h"
#include "tests/support/echo_type.h"
#include "tests/support/slt.h"

#include <pthread.h>

#define BED_FENCES_MAX 256u

struct device_bed {
    struct vgd *d;
    pthread_mutex_t lock; /* guards what the sink writes */
    uint64_t fences[BED_FENCES_MAX];
    uint32_t fence_count;
    uint32_t lost_count;
    uint32_t lost_ctx;
    char lost_reason[64];
    uint32_t packets;
};

extern const struct hct_type *const bed_echo_types[];
extern const struct hct_type *const bed_plain_types[];

void bed_init(struct device_bed *t);
void bed_finish(struct device_bed *t);
/* t->d; its fields are zero before. */
enum sl_result bed_make(struct device_bed *t, const struct hct_type *const *types,
                        const struct dev_limits *limits);
/* Another device than the one that bed_init has made. */
void bed_remake(struct device_bed *t, const struct hct_type *const *types,
                const struct dev_limits *limits);
enum sl_result bed_ctx(struct device_bed *t, uint32_t id);
enum sl_result bed_blob(struct device_bed *t, uint32_t ctx_id, uint32_t id, uint64_t size);
enum sl_result bed_tex(struct device_bed *t, uint32_t id, uint32_t format, uint32_t width,
                       uint32_t height);
enum sl_result bed_echo(struct device_bed *t, uint32_t ctx_id, uint32_t opcode, uint32_t a,
                        uint32_t b, uint32_t c, uint32_t d);
enum sl_result bed_destroy(struct device_bed *t, uint32_t id);
enum sl_result bed_map_of(struct device_bed *t, uint32_t id, struct vgd_map *map);
uint32_t bed_fence_count(struct device_bed *t);
uint32_t bed_lost_count(struct device_bed *t);
bool bed_soon(uint32_t (*count)(struct device_bed *), struct device_bed *t, uint32_t want);

#endif
