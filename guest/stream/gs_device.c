/* The process's devices, one a kind: opened at first use, shared by all threads, opened anew after
 * a fork and after the host died. */
#include "guest/stream/gs_internal.h"

#include "transport/base/atomic.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <errno.h>
#include <pthread.h>

/* A guest library's registry (style: the one exception to "no globals"). lock guards all of it. */
static struct {
    pthread_mutex_t lock;
    struct gs_device *devices[2]; /* by kind: the newest; nullable */
    uint32_t generation;
    uint64_t serial; /* the last device's */
    bool watches_forks;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

void gs_registry_lock(void)
{
    pthread_mutex_lock(&registry.lock);
}
void gs_registry_unlock(void)
{
    pthread_mutex_unlock(&registry.lock);
}

/* Runs in the child: what was inherited is the parent's. Its memory is never touched again. */
static void forked(void)
{
    registry.generation++;
    for (size_t kind = 0; kind < 2; kind++) {
        struct gs_device *device = registry.devices[kind];
        if (device != NULL) {
            SL_LIST_FOR(item, &device->streams)
            {
                asg_writer_kill(&SL_CONTAINER(item, struct gs_stream, link)->ring);
            }
        }
        registry.devices[kind] = NULL;
    }
    gs_registry_unlock();
}

static const struct {
    uint32_t capset;
    const char *name;
} kinds[] = {
    [GS_GLES] = {VIRTGPU_CAPSET_GFXSTREAM_GLES, "OpenGL ES"},
    [GS_VULKAN] = {VIRTGPU_CAPSET_GFXSTREAM_VULKAN, "Vulkan"},
};

/* What all kinds' capsets say, each in its own place. */
static enum sl_result take_caps(struct gs_device *device)
{
    const struct virtgpu_sluice_capset *ours;
    if (device->kind == GS_GLES) {
        const struct virtgpu_gles_capset *caps = &device->caps.gles;
        device->ring_size = caps->ring_size;
        device->buffer_size = caps->buffer_size;
        device->blob_alignment = caps->blob_alignment;
        ours = &caps->sluice;
    } else {
        const struct virtgpu_vulkan_capset *caps = &device->caps.vulkan;
        device->ring_size = caps->ring_size;
        device->buffer_size = caps->buffer_size;
        device->blob_alignment = caps->blob_alignment != 0 ? caps->blob_alignment : 4096;
        ours = &caps->sluice;
    }
    uint32_t alignment = device->blob_alignment;
    if (device->ring_size < ASG_RING_BYTES || device->ring_size > 1u << 20 ||
        device->buffer_size == 0 || device->buffer_size > 1u << 28 || alignment == 0 ||
        (alignment & (alignment - 1)) != 0) {
        sl_error("stream", "the host's capset makes no sense: ring %u, buffer %u, alignment %u",
                 device->ring_size, device->buffer_size, alignment);
        return SL_ERR_PROTOCOL;
    }
    device->own = ours->magic == VIRTGPU_SLUICE_MAGIC && ours->version != 0;
    device->features = device->own ? ours->features : 0;
    return SL_OK;
}

static enum sl_result open_device(struct gs_device *device)
{
    enum sl_result r = gs_open_backend(&device->vg);
    if (r != SL_OK) {
        return r;
    }
    struct vg *vg = device->vg;
    size_t used = 0;
    uint32_t capset = kinds[device->kind].capset;
    r = vg->ops->caps(vg, capset, &device->caps, sizeof device->caps, &used);
    if (r != SL_OK) {
        sl_error("stream", "the host offers no %s (capset %u): %s", kinds[device->kind].name,
                 capset, sl_result_name(r));
        return r == SL_ERR_NOTFOUND ? SL_ERR_UNSUPPORTED : r;
    }
    r = take_caps(device);
    if (r != SL_OK) {
        return r;
    }
    r = vg->ops->context_init(vg, capset, 2, program_invocation_short_name);
    if (r != SL_OK) {
        sl_error("stream", "the host gives no context: %s", sl_result_name(r));
        return r;
    }
    uint64_t value = 0;
    device->shared_futex = vg->ops->param(vg, VG_PARAM_SHARED_FUTEX, &value) == SL_OK && value != 0;
    bool coherent = vg->ops->param(vg, VG_PARAM_COHERENT_TEX, &value) == SL_OK && value != 0;
    if (!device->shared_futex) {
        device->features &= ~(uint32_t)SLUICE_FEATURE_REPLY_FUTEX;
    }
    device->coherent_tex = coherent && (device->features & SLUICE_FEATURE_COHERENT_TEX) != 0;
    return SL_OK;
}

static void close_device(struct gs_device *device)
{
    /* A parent's connection is left as it is: its descriptor is ours to close, its contexts are not
     * ours to end. */
    if (device->vg != NULL) {
        device->vg->ops->destroy(device->vg);
    }
    sl_free(device);
}

enum sl_result gs_device_get(enum gs_kind kind, struct gs_device **out)
{
    gs_registry_lock();
    if (!registry.watches_forks) {
        registry.watches_forks = pthread_atfork(gs_registry_lock, gs_registry_unlock, forked) == 0;
    }
    struct gs_device *device = registry.devices[kind];
    if (device != NULL &&
        (sl_atomic_load_relaxed(&device->lost) != 0 || !device->vg->ops->alive(device->vg))) {
        registry.devices[kind] = NULL; /* who holds it lets go in time */
        device = NULL;
    }
    enum sl_result r = SL_OK;
    if (device == NULL) {
        device = sl_alloc(sizeof *device);
        r = SL_ERR_NOMEM;
        if (device != NULL) {
            sl_list_init(&device->streams);
            device->kind = kind;
            device->generation = registry.generation;
            device->serial = ++registry.serial;
            r = open_device(device);
            if (r != SL_OK) {
                close_device(device);
            } else {
                registry.devices[kind] = device;
            }
        }
    }
    if (r == SL_OK) {
        device->refs++;
        *out = device;
    }
    gs_registry_unlock();
    return r;
}

struct gs_device *gs_device_ref(struct gs_device *device)
{
    gs_registry_lock();
    device->refs++;
    gs_registry_unlock();
    return device;
}

void gs_device_put(struct gs_device *device)
{
    if (device == NULL) {
        return;
    }
    gs_registry_lock();
    bool last = --device->refs == 0;
    if (last && registry.devices[device->kind] == device) {
        registry.devices[device->kind] = NULL;
    }
    gs_registry_unlock();
    if (last) {
        close_device(device);
    }
}
