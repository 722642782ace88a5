#include "guest/vulkan/gvk_status.h"

#include "guest/vk_call.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"

#define SLOTS 16384u
/* The clock is looked at each so many polls; the host is asked after so long, alive or not. */
#define POLLS     8u
#define BELIEF_NS (20ull * SL_NS_PER_MS)

/* gvk_device.status, guarded by its lock; `words` is set once. */
struct gvk_status_page {
    struct vg_res *blob;
    uint32_t *words;
    uint32_t last_value;
    uint32_t next; /* slots are used in turn: what is written late hits one that nobody has */
    uint64_t used[SLOTS / 64];
};

bool gvk_status_believe(const struct gvk_host *host, struct gvk_watch *watch)
{
    uint32_t polls = sl_atomic_load_relaxed(&watch->polls) + 1; /* may miss another thread's */
    sl_atomic_store_relaxed(&watch->polls, polls);
    if (polls % POLLS != 0) {
        return !gvk_host_lost(host);
    }
    uint64_t asked = sl_atomic_load_relaxed_u64(&watch->asked_ns);
    return !gvk_host_lost(host) && sl_clock_ns() - asked < BELIEF_NS;
}

enum gvk_status gvk_status_look(struct gvk_device *device, struct gvk_watch *watch)
{
    const struct gvk_host *host = device->dispatch.host;
    uint32_t value = sl_atomic_load_acquire(&watch->value);
    if (value < 2 || !gvk_status_believe(host, watch)) {
        return GVK_STATUS_ASK;
    }
    /* Pairs with the host's release: what was waited for happened before. */
    if (sl_atomic_load_acquire(&device->status->words[watch->slot - 1]) == value) {
        return GVK_STATUS_CAME;
    }
    bool heard = gvk_status_ask(host) != sl_atomic_load_relaxed_u64(&watch->heard);
    return heard ? GVK_STATUS_ASK : GVK_STATUS_NOT_YET;
}

/* ---- The page ---- */

static void page_free(struct gvk_status_page *page)
{
    if (page->blob != NULL) {
        vg_res_destroy(page->blob);
    }
    sl_free(page);
}

/* The device's lock is held. A page without words: there is none, and nobody asks again. */
static void open_locked(struct gvk_device *device)
{
    struct gvk_host *host = device->dispatch.host;
    struct gvk_status_page *page = sl_alloc(sizeof *page);
    if (page == NULL) {
        return;
    }
    const struct vg_blob_args args = {.mem = VIRTGPU_BLOB_HOST3D,
                                      .flags = VIRTGPU_BLOB_MAPPABLE,
                                      .size = SLOTS * sizeof(uint32_t),
                                      .blob_id = sl_atomic_count_u64(&host->last_blob, 1) + 1};
    void *words = NULL;
    if (host->has_status &&
        gvk_call_vkShareStatusSLUICE(host, GVK_TO(VkDevice, device), args.blob_id) == VK_SUCCESS &&
        vg_blob_create(host->gs->vg, &args, &page->blob) == SL_OK &&
        vg_res_map(page->blob, &words) == SL_OK) {
        page->words = words;
    }
    device->status = page;
}

/* 0: there is none. */
static uint32_t slot_new(struct gvk_status_page *page)
{
    for (uint32_t n = 0; n < SLOTS; n++) {
        uint32_t slot = page->next++ % SLOTS;
        uint64_t bit = 1ull << slot % 64;
        if ((page->used[slot / 64] & bit) == 0) {
            page->used[slot / 64] |= bit;
            return slot + 1;
        }
    }
    return 0;
}

/* A value that no slot of the device has had, and a slot for the watch; 0: there is no page. */
static uint32_t value_new(struct gvk_device *device, struct gvk_watch *watch)
{
    uint32_t value = 0;
    pthread_mutex_lock(&device->lock);
    if (device->status == NULL) {
        open_locked(device);
    }
    struct gvk_status_page *page = device->status;
    if (page != NULL && page->words != NULL) {
        watch->slot = watch->slot != 0 ? watch->slot : slot_new(page);
        page->last_value = page->last_value < 2 ? 2 : page->last_value + 1;
        value = watch->slot != 0 ? page->last_value : 0;
    }
    pthread_mutex_unlock(&device->lock);
    return value;
}

uint32_t gvk_status_tell(struct gvk_device *device, struct gvk_watch *watch, uint32_t *slot)
{
    uint32_t value = device->dispatch.host->tells ? value_new(device, watch) : 0;
    *slot = watch->slot - 1;
    /* Whoever asks for the fence is ordered behind its submit by the application. */
    sl_atomic_store_relaxed(&watch->told, value);
    return value;
}

bool gvk_status_told(const struct gvk_device *device, const struct gvk_watch *watch)
{
    uint32_t value = sl_atomic_load_relaxed(&watch->told);
    /* Pairs with the host's release. */
    return value != 0 && sl_atomic_load_acquire(&device->status->words[watch->slot - 1]) == value;
}

uint32_t gvk_status_asked(struct gvk_device *device, struct gvk_watch *watch, uint64_t heard,
                          uint32_t *slot)
{
    sl_atomic_store_relaxed_u64(&watch->asked_ns, sl_clock_ns());
    /* The answer itself was heard; if more was, the next look asks again. */
    sl_atomic_store_relaxed_u64(&watch->heard, heard + 1);
    uint32_t none = 0;
    if (sl_atomic_load_relaxed(&watch->value) != 0 || !sl_atomic_cas(&watch->value, &none, 1)) {
        return 0;
    }
    uint32_t value = value_new(device, watch);
    *slot = watch->slot - 1;
    return value; /* without a page the watch stays as if it were being sent: asked each time */
}

void gvk_status_sent(struct gvk_watch *watch, uint32_t value)
{
    sl_atomic_store_release(&watch->value, value);
}

void gvk_status_drop(struct gvk_device *device, struct gvk_watch *watch)
{
    if (watch->slot != 0) {
        pthread_mutex_lock(&device->lock);
        device->status->used[(watch->slot - 1) / 64] &= ~(1ull << (watch->slot - 1) % 64);
        pthread_mutex_unlock(&device->lock);
    }
    *watch = (struct gvk_watch){0};
}

void gvk_status_finish(struct gvk_device *device)
{
    if (device->status != NULL) {
        page_free(device->status);
    }
}
