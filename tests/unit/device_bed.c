#include "tests/unit/device_bed.h"

#include "transport/base/clock.h"
#include "transport/base/fd.h"

#include <string.h>

static void on_fence(void *user, uint32_t ctx_id, uint32_t ring, uint64_t id)
{
    (void)ctx_id, (void)ring;
    struct device_bed *t = user;
    pthread_mutex_lock(&t->lock);
    t->fences[t->fence_count++ % BED_FENCES_MAX] = id;
    pthread_mutex_unlock(&t->lock);
}

static void on_lost(void *user, uint32_t ctx_id, const char *reason)
{
    struct device_bed *t = user;
    pthread_mutex_lock(&t->lock);
    t->lost_count++;
    t->lost_ctx = ctx_id;
    strncpy(t->lost_reason, reason, sizeof t->lost_reason - 1);
    pthread_mutex_unlock(&t->lock);
}

static void on_packet(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t opcode,
                      const void *packet, size_t size, const void *reply, size_t reply_size)
{
    (void)ctx_id, (void)ring_id, (void)opcode, (void)packet, (void)size, (void)reply,
        (void)reply_size;
    ((struct device_bed *)user)->packets++;
}

enum sl_result bed_make(struct device_bed *t, const struct hct_type *const *types,
                        const struct dev_limits *limits)
{
    struct vgd_sink sink = {
        .user = t, .fence_done = on_fence, .ctx_lost = on_lost, .packet = on_packet};
    return dev_create(types, NULL, limits, &sink, &t->d);
}

const struct hct_type *const bed_echo_types[] = {&echo_type, &echo_tex_type, NULL};
const struct hct_type *const bed_plain_types[] = {&echo_type, NULL};

void bed_init(struct device_bed *t)
{
    pthread_mutex_init(&t->lock, NULL);
    SLT_ASSERT_OK(bed_make(t, bed_plain_types, NULL));
}

void bed_finish(struct device_bed *t)
{
    if (t->d != NULL) {
        t->d->ops->destroy(t->d);
    }
    pthread_mutex_destroy(&t->lock);
}

void bed_remake(struct device_bed *t, const struct hct_type *const *types,
                const struct dev_limits *limits)
{
    t->d->ops->destroy(t->d);
    t->d = NULL;
    SLT_ASSERT_OK(bed_make(t, types, limits));
}

enum sl_result bed_ctx(struct device_bed *t, uint32_t id)
{
    return t->d->ops->ctx_create(t->d, id, ECHO_CAPSET, "test");
}

enum sl_result bed_blob(struct device_bed *t, uint32_t ctx_id, uint32_t id, uint64_t size)
{
    return t->d->ops->res_create_blob(t->d, ctx_id, id,
                                      &(struct vgd_blob_args){.mem = VIRTGPU_BLOB_HOST3D,
                                                              .flags = VIRTGPU_BLOB_MAPPABLE,
                                                              .size = size});
}

static struct vg_tex_args tex_args(uint32_t format, uint32_t width, uint32_t height)
{
    return (struct vg_tex_args){.target = VIRTGPU_TARGET_2D,
                                .format = format,
                                .width_px = width,
                                .height_px = height,
                                .depth = 1,
                                .array_size = 1};
}

enum sl_result bed_tex(struct device_bed *t, uint32_t id, uint32_t format, uint32_t width,
                       uint32_t height)
{
    struct vg_tex_args args = tex_args(format, width, height);
    return t->d->ops->res_create_tex(t->d, id, &args);
}

enum sl_result bed_echo(struct device_bed *t, uint32_t ctx_id, uint32_t opcode, uint32_t a,
                        uint32_t b, uint32_t c, uint32_t d)
{
    struct echo_command command = {opcode, a, b, c, d};
    return t->d->ops->submit(t->d, ctx_id, &command, sizeof command);
}

enum sl_result bed_destroy(struct device_bed *t, uint32_t id)
{
    return t->d->ops->res_destroy(t->d, id);
}

enum sl_result bed_map_of(struct device_bed *t, uint32_t id, struct vgd_map *map)
{
    *map = (struct vgd_map){.fd = -1};
    enum sl_result r = t->d->ops->res_map(t->d, id, map);
    sl_fd_close(&map->fd);
    return r;
}

uint32_t bed_fence_count(struct device_bed *t)
{
    pthread_mutex_lock(&t->lock);
    uint32_t count = t->fence_count;
    pthread_mutex_unlock(&t->lock);
    return count;
}

uint32_t bed_lost_count(struct device_bed *t)
{
    pthread_mutex_lock(&t->lock);
    uint32_t count = t->lost_count;
    pthread_mutex_unlock(&t->lock);
    return count;
}

bool bed_soon(uint32_t (*count)(struct device_bed *), struct device_bed *t, uint32_t want)
{
    for (uint32_t i = 0; i < 20000 && count(t) < want; i++) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    return count(t) == want;
}
