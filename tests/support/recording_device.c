#include "tests/support/recording_device.h"

#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FENCES      256u
#define WORDS_SHOWN 16u

struct recorded_resource {
    uint32_t id; /* 0: free */
    int fd;
    void *pointer;
    uint64_t size;
    uint32_t stride;
};

struct held_fence {
    uint32_t ctx_id, ring;
    uint64_t id;
};

struct recording {
    struct vgd vgd; /* first */
    struct recording_config config;
    struct vgd_sink sink;
    pthread_mutex_t lock; /* guards all below; the sink is called without it */
    char text[RECORDING_TEXT];
    size_t text_size;
    char told[RECORDING_TEXT]; /* what recording_text gave last */
    char fail_verb[16];
    enum sl_result fail_result;
    uint32_t fail_count;
    struct recorded_resource resources[RECORDING_RESOURCES];
    bool hold;
    struct held_fence fences[FENCES];
    uint32_t fence_count;
};

static struct recording *from(struct vgd *vgd)
{
    return (struct recording *)(void *)vgd;
}

/* Writes a line down; the result that the script wants for it. */
static enum sl_result note(struct recording *r, const char *format, ...) SL_PRINTF(2, 3);
static enum sl_result note(struct recording *r, const char *format, ...)
{
    char line[256];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    pthread_mutex_lock(&r->lock);
    size_t left = sizeof r->text - r->text_size;
    int n = snprintf(r->text + r->text_size, left, "%s\n", line);
    r->text_size += n > 0 && (size_t)n < left ? (size_t)n : 0;
    enum sl_result result = SL_OK;
    size_t verb = strlen(r->fail_verb);
    if (r->fail_count != 0 && strncmp(line, r->fail_verb, verb) == 0 &&
        (line[verb] == ' ' || line[verb] == '\0')) {
        r->fail_count--;
        result = r->fail_result;
    }
    pthread_mutex_unlock(&r->lock);
    return result;
}

/* ---- resources ---- */

static struct recorded_resource *find_locked(struct recording *r, uint32_t id)
{
    for (uint32_t i = 0; i < RECORDING_RESOURCES; i++) {
        if (r->resources[i].id == id) {
            return &r->resources[i];
        }
    }
    return NULL;
}

/* fd: taken; -1: memory is made. */
static enum sl_result add_resource(struct recording *r, uint32_t id, int fd, uint64_t size,
                                   uint32_t stride)
{
    struct recorded_resource res = {.id = id, .fd = fd, .size = size, .stride = stride};
    enum sl_result result = fd >= 0 ? SL_OK : sl_shm_create("recorded", size, &res.fd);
    if (result == SL_OK) {
        result = sl_shm_map(res.fd, size, &res.pointer);
    }
    if (result == SL_OK) {
        pthread_mutex_lock(&r->lock);
        struct recorded_resource *place = find_locked(r, 0);
        if (place != NULL) {
            *place = res;
        } else {
            result = SL_ERR_NOMEM;
        }
        pthread_mutex_unlock(&r->lock);
    }
    if (result != SL_OK) {
        sl_shm_unmap(res.pointer, size);
        sl_fd_close(&res.fd);
    }
    return result;
}

static void drop_resource(struct recorded_resource *res)
{
    sl_shm_unmap(res->pointer, res->size);
    sl_fd_close(&res->fd);
    *res = (struct recorded_resource){0};
}

static enum sl_result rec_create_blob(struct vgd *vgd, uint32_t ctx_id, uint32_t id,
                                      const struct vgd_blob_args *args)
{
    enum sl_result r =
        note(from(vgd), "blob %u ctx %u mem %u flags %u size %llu id %llu", id, ctx_id, args->mem,
             args->flags, (unsigned long long)args->size, (unsigned long long)args->blob_id);
    return r == SL_OK ? add_resource(from(vgd), id, -1, args->size, 0) : r;
}

static enum sl_result rec_create_tex(struct vgd *vgd, uint32_t id, const struct vg_tex_args *args)
{
    uint32_t stride = (args->width_px * 4 + 63) / 64 * 64; /* wide enough for every format */
    enum sl_result r = note(from(vgd), "tex %u target %u format %u size %ux%u", id, args->target,
                            args->format, args->width_px, args->height_px);
    return r == SL_OK ? add_resource(from(vgd), id, -1, (uint64_t)stride * args->height_px, stride)
                      : r;
}

static enum sl_result rec_import(struct vgd *vgd, uint32_t id, int fd, uint64_t size)
{
    enum sl_result r = note(from(vgd), "import %u size %llu", id, (unsigned long long)size);
    if (r != SL_OK) {
        sl_fd_close(&fd);
        return r;
    }
    return add_resource(from(vgd), id, fd, size, 0);
}

static enum sl_result rec_destroy_resource(struct vgd *vgd, uint32_t id)
{
    struct recording *r = from(vgd);
    enum sl_result result = note(r, "destroy %u", id);
    pthread_mutex_lock(&r->lock);
    struct recorded_resource *res = find_locked(r, id);
    if (res != NULL && result == SL_OK) {
        drop_resource(res);
    }
    pthread_mutex_unlock(&r->lock);
    return result;
}

static enum sl_result rec_map(struct vgd *vgd, uint32_t id, struct vgd_map *out)
{
    struct recording *r = from(vgd);
    enum sl_result result = note(r, "map %u", id);
    pthread_mutex_lock(&r->lock);
    const struct recorded_resource *res = find_locked(r, id);
    if (result == SL_OK && res == NULL) {
        result = SL_ERR_NOTFOUND;
    }
    if (result == SL_OK) {
        *out = (struct vgd_map){.fd = -1,
                                .size = res->size,
                                .pointer = res->pointer,
                                .stride = res->stride,
                                .map_info = VIRTGPU_MAP_CACHED};
    }
    pthread_mutex_unlock(&r->lock);
    return result;
}

static enum sl_result rec_unmap(struct vgd *vgd, uint32_t id)
{
    return note(from(vgd), "unmap %u", id);
}

static enum sl_result rec_export(struct vgd *vgd, uint32_t id, int *fd)
{
    struct recording *r = from(vgd);
    enum sl_result result = note(r, "export %u", id);
    pthread_mutex_lock(&r->lock);
    const struct recorded_resource *res = find_locked(r, id);
    if (result == SL_OK) {
        result = res != NULL ? sl_fd_dup(res->fd, fd) : SL_ERR_NOTFOUND;
    }
    pthread_mutex_unlock(&r->lock);
    return result;
}

static enum sl_result rec_transfer(struct vgd *vgd, uint32_t ctx_id, uint32_t id,
                                   const struct vg_box *box, uint32_t level, uint64_t offset,
                                   uint32_t stride, uint32_t layer_stride,
                                   enum vg_direction direction)
{
    (void)ctx_id, (void)level, (void)offset, (void)stride, (void)layer_stride;
    return note(from(vgd), "transfer %u x %u y %u %ux%u %s", id, box->x, box->y, box->width,
                box->height, direction == VG_FROM_HOST ? "from" : "to");
}

static enum sl_result rec_backing_attach(struct vgd *vgd, uint32_t id, const struct iovec *iov,
                                         uint32_t count)
{
    (void)iov;
    return note(from(vgd), "backing %u entries %u", id, count);
}

static enum sl_result rec_backing_detach(struct vgd *vgd, uint32_t id)
{
    return note(from(vgd), "unback %u", id);
}

/* ---- contexts ---- */

static uint32_t rec_capset_count(struct vgd *vgd)
{
    (void)vgd;
    return 1;
}

static enum sl_result rec_capset_info(struct vgd *vgd, uint32_t index, struct vgd_capset_info *info)
{
    const struct recording *r = from(vgd);
    if (index != 0) {
        return SL_ERR_NOTFOUND;
    }
    *info = (struct vgd_capset_info){.id = r->config.capset,
                                     .max_size = (uint32_t)r->config.capset_size};
    return SL_OK;
}

static enum sl_result rec_capset_get(struct vgd *vgd, uint32_t id, uint32_t version, void *data,
                                     size_t size, size_t *used)
{
    (void)version;
    const struct recording *r = from(vgd);
    if (id != r->config.capset) {
        return SL_ERR_NOTFOUND;
    }
    *used = r->config.capset_size;
    size_t here = *used < size ? *used : size;
    if (here != 0) {
        memcpy(data, r->config.capset_data, here);
    }
    return SL_OK;
}

static enum sl_result rec_ctx_create(struct vgd *vgd, uint32_t ctx_id, uint32_t capset,
                                     const char *name)
{
    enum sl_result r = note(from(vgd), "ctx_create %u capset %u %s", ctx_id, capset, name);
    return r == SL_OK && capset != from(vgd)->config.capset ? SL_ERR_UNSUPPORTED : r;
}

static enum sl_result rec_ctx_destroy(struct vgd *vgd, uint32_t ctx_id)
{
    return note(from(vgd), "ctx_destroy %u", ctx_id);
}

static enum sl_result rec_attach(struct vgd *vgd, uint32_t ctx_id, uint32_t id)
{
    return note(from(vgd), "attach %u %u", ctx_id, id);
}

static enum sl_result rec_detach(struct vgd *vgd, uint32_t ctx_id, uint32_t id)
{
    return note(from(vgd), "detach %u %u", ctx_id, id);
}

static enum sl_result rec_submit(struct vgd *vgd, uint32_t ctx_id, const void *commands,
                                 size_t size)
{
    struct recording *r = from(vgd);
    char words[WORDS_SHOWN * 9 + 1] = "";
    for (size_t i = 0; i < size / 4 && i < WORDS_SHOWN; i++) {
        uint32_t word;
        memcpy(&word, (const uint8_t *)commands + 4 * i, sizeof word);
        snprintf(words + 9 * i, sizeof words - 9 * i, " %08x", word);
    }
    enum sl_result result = note(r, "submit %u%s", ctx_id, words);
    if (result == SL_OK && r->config.on_submit != NULL) {
        result = r->config.on_submit(r->config.user, r, ctx_id, commands, size);
    }
    return result;
}

static enum sl_result rec_fence(struct vgd *vgd, uint32_t ctx_id, uint32_t ring, uint64_t id)
{
    struct recording *r = from(vgd);
    enum sl_result result = ring == VIRTGPU_RING_GLOBAL ? note(r, "fence %u global", ctx_id)
                                                        : note(r, "fence %u ring %u", ctx_id, ring);
    pthread_mutex_lock(&r->lock);
    bool holds = r->hold && r->fence_count < FENCES;
    if (result == SL_OK && holds) {
        r->fences[r->fence_count++] = (struct held_fence){.ctx_id = ctx_id, .ring = ring, .id = id};
    }
    pthread_mutex_unlock(&r->lock);
    if (result == SL_OK && !holds) {
        r->sink.fence_done(r->sink.user, ctx_id, ring, id);
    }
    return result;
}

static enum sl_result rec_ring_stats(struct vgd *vgd, uint32_t ctx_id, uint32_t index,
                                     struct vgd_ring_stats *out)
{
    (void)vgd, (void)ctx_id, (void)index, (void)out;
    return SL_ERR_NOTFOUND;
}

static void rec_stats(struct vgd *vgd, struct vgd_stats *out)
{
    (void)vgd;
    *out = (struct vgd_stats){0};
}

static void rec_describe(struct vgd *vgd, char *text, size_t size)
{
    (void)vgd;
    snprintf(text, size, "recording");
}

static void rec_tap(struct vgd *vgd, bool on)
{
    (void)note(from(vgd), "tap %s", on ? "on" : "off");
}

static int rec_poll_fd(struct vgd *vgd)
{
    (void)vgd;
    return -1;
}

static void rec_nothing(struct vgd *vgd)
{
    (void)vgd; /* poll: there is nothing to do; destroy: the recording stays the test's */
}

static void rec_reset(struct vgd *vgd)
{
    struct recording *r = from(vgd);
    (void)note(r, "reset");
    pthread_mutex_lock(&r->lock);
    for (uint32_t i = 0; i < RECORDING_RESOURCES; i++) {
        if (r->resources[i].id != 0) {
            drop_resource(&r->resources[i]);
        }
    }
    pthread_mutex_unlock(&r->lock);
}

static const struct vgd_ops recording_ops = {
    .capset_count = rec_capset_count,
    .capset_info = rec_capset_info,
    .capset_get = rec_capset_get,
    .ctx_create = rec_ctx_create,
    .ctx_destroy = rec_ctx_destroy,
    .ctx_attach = rec_attach,
    .ctx_detach = rec_detach,
    .submit = rec_submit,
    .res_create_tex = rec_create_tex,
    .res_create_blob = rec_create_blob,
    .res_import = rec_import,
    .res_destroy = rec_destroy_resource,
    .backing_attach = rec_backing_attach,
    .backing_detach = rec_backing_detach,
    .transfer = rec_transfer,
    .res_map = rec_map,
    .res_unmap = rec_unmap,
    .res_export = rec_export,
    .fence = rec_fence,
    .describe = rec_describe,
    .ring_stats = rec_ring_stats,
    .stats = rec_stats,
    .tap = rec_tap,
    .poll_fd = rec_poll_fd,
    .poll = rec_nothing,
    .reset = rec_reset,
    .destroy = rec_nothing,
};

/* ---- the test's side ---- */

enum sl_result recording_create(const struct recording_config *config, struct recording **out)
{
    struct recording *r = sl_alloc(sizeof *r);
    if (r == NULL) {
        return SL_ERR_NOMEM;
    }
    r->vgd.ops = &recording_ops;
    r->config = *config;
    pthread_mutex_init(&r->lock, NULL);
    *out = r;
    return SL_OK;
}

void recording_destroy(struct recording *recording)
{
    if (recording == NULL) {
        return;
    }
    rec_reset(&recording->vgd);
    pthread_mutex_destroy(&recording->lock);
    sl_free(recording);
}

enum sl_result recording_make(void *recording, const struct vgd_sink *sink, struct vgd **out)
{
    struct recording *r = recording;
    r->sink = *sink;
    *out = &r->vgd;
    return SL_OK;
}

const char *recording_text(struct recording *recording)
{
    pthread_mutex_lock(&recording->lock);
    memcpy(recording->told, recording->text, recording->text_size);
    recording->told[recording->text_size] = '\0';
    recording->text_size = 0;
    pthread_mutex_unlock(&recording->lock);
    return recording->told;
}

void recording_fail(struct recording *recording, const char *verb, enum sl_result result,
                    uint32_t count)
{
    pthread_mutex_lock(&recording->lock);
    snprintf(recording->fail_verb, sizeof recording->fail_verb, "%s", verb);
    recording->fail_result = result;
    recording->fail_count = count;
    pthread_mutex_unlock(&recording->lock);
}

void *recording_memory(struct recording *recording, uint32_t resource_id, uint64_t *size)
{
    void *pointer = NULL;
    pthread_mutex_lock(&recording->lock);
    const struct recorded_resource *res =
        resource_id != 0 ? find_locked(recording, resource_id) : NULL;
    if (res != NULL) {
        pointer = res->pointer;
        *size = res->size;
    }
    pthread_mutex_unlock(&recording->lock);
    return pointer;
}

void recording_hold_fences(struct recording *recording, bool hold)
{
    struct held_fence fences[FENCES];
    uint32_t count = 0;
    pthread_mutex_lock(&recording->lock);
    recording->hold = hold;
    if (!hold) {
        count = recording->fence_count;
        memcpy(fences, recording->fences, count * sizeof fences[0]);
        recording->fence_count = 0;
    }
    pthread_mutex_unlock(&recording->lock);
    for (uint32_t i = 0; i < count; i++) {
        recording->sink.fence_done(recording->sink.user, fences[i].ctx_id, fences[i].ring,
                                   fences[i].id);
    }
}

void recording_lose(struct recording *recording, uint32_t ctx_id, const char *reason)
{
    recording->sink.ctx_lost(recording->sink.user, ctx_id, reason);
}
