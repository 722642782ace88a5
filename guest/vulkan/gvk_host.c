/* The process's connection to the host: opened at first use, kept while a thread or an instance
 * needs it, opened anew after a fork and after the host died. */
#include "guest/vulkan/gvk.h"

#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

/* How long no second try is made to find a host. */
#define RETRY_NS (1 * SL_NS_PER_S)

/* The library's registry (style: the one exception to "no globals"). lock guards all of it. */
static struct {
    pthread_mutex_t lock;
    struct gvk_host *host; /* the newest; nullable */
    bool watches_forks;
    uint64_t failed_ns; /* when none could be opened; 0: not so */
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void before_fork(void)
{
    pthread_mutex_lock(&registry.lock);
}
static void after_fork(void)
{
    pthread_mutex_unlock(&registry.lock);
}

/* Runs in the child: objects and rings stayed with the parent, what was inherited of them is
 * lost. */
static void forked(void)
{
    if (registry.host != NULL) {
        sl_atomic_store_relaxed(&registry.host->lost, 1);
        registry.host = NULL;
    }
    gvk_streams_forked();
    pthread_mutex_unlock(&registry.lock);
}

bool gvk_host_lost(const struct gvk_host *host)
{
    /* A flag alone, nothing is published with it. */
    return sl_atomic_load_relaxed(&host->lost) != 0;
}

void gvk_host_lose(struct gvk_host *host)
{
    if (sl_atomic_exchange(&host->lost, 1) == 0) {
        sl_warn("vulkan", "the host is gone: its devices are lost");
    }
}

bool gvk_host_look(struct gvk_host *host)
{
    if (!gvk_host_lost(host) && !host->gs->vg->ops->alive(host->gs->vg)) {
        gvk_host_lose(host);
    }
    return !gvk_host_lost(host);
}

static struct gvk_host *host_open(void)
{
    struct gvk_host *host = sl_alloc(sizeof *host);
    if (host == NULL) {
        return NULL;
    }
    if (gs_device_get(GS_VULKAN, &host->gs) != SL_OK) {
        sl_free(host);
        return NULL;
    }
    const struct virtgpu_vulkan_capset *caps = &host->gs->caps.vulkan;
    if (caps->protocol_version == 0) {
        sl_error("vulkan", "the host speaks an old form of the protocol, without packet numbers");
        gs_device_put(host->gs);
        sl_free(host);
        return NULL;
    }
    pthread_mutex_init(&host->id_lock, NULL);
    pthread_mutex_init(&host->lock, NULL);
    host->own = host->gs->own;
    host->peers = host->own ? 0 : VK_KNOWN_HOST_2025;
    host->deferred_mapping = caps->deferred_mapping != 0;
    host->batched_descriptors = caps->batched_descriptor_set_update != 0;
    host->guest_ids = (host->gs->features & SLUICE_FEATURE_VK_IDS) != 0;
    host->quiet = (host->gs->features & SLUICE_FEATURE_VK_QUIET) != 0;
    host->tells = (host->gs->features & SLUICE_FEATURE_VK_TELL) != 0;
    host->wants_frames = (host->gs->features & SLUICE_FEATURE_VK_FRAME) != 0;
    host->has_status = (host->gs->features & SLUICE_FEATURE_VK_STATUS) != 0;
    return host;
}

/* Loaders ask all drivers there are, several times: one that is installed and not meant is quiet,
 * and one that finds no host says so once. */
static bool may_open_locked(void)
{
    return (registry.failed_ns == 0 || sl_clock_ns() - registry.failed_ns > RETRY_NS) &&
           gs_host_meant();
}

struct gvk_host *gvk_host_get(void)
{
    pthread_mutex_lock(&registry.lock);
    if (!registry.watches_forks) {
        registry.watches_forks = pthread_atfork(before_fork, after_fork, forked) == 0;
    }
    struct gvk_host *host = registry.host;
    if (host != NULL && !gvk_host_look(host)) {
        registry.host = host = NULL; /* who holds it lets go in time */
    }
    if (host == NULL && may_open_locked()) {
        host = registry.host = host_open();
        registry.failed_ns = host == NULL ? sl_clock_ns() : 0;
    }
    if (host != NULL) {
        host->refs++;
    }
    pthread_mutex_unlock(&registry.lock);
    return host;
}

struct gvk_host *gvk_host_ref(struct gvk_host *host)
{
    pthread_mutex_lock(&registry.lock);
    host->refs++;
    pthread_mutex_unlock(&registry.lock);
    return host;
}

void gvk_host_put(struct gvk_host *host)
{
    if (host == NULL) {
        return;
    }
    pthread_mutex_lock(&registry.lock);
    bool last = --host->refs == 0;
    if (last && registry.host == host) {
        registry.host = NULL;
    }
    pthread_mutex_unlock(&registry.lock);
    if (last) {
        gs_device_put(host->gs);
        gvk_ids_finish(&host->ids);
        pthread_mutex_destroy(&host->id_lock);
        gvk_extensions_finish(&host->instance_extensions);
        pthread_mutex_destroy(&host->lock);
        sl_free(host);
    }
}
