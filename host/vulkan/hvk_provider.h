/* What all Vulkan contexts of a device share: the loader's library, and which GPUs are shown. */
#ifndef HOST_HVK_PROVIDER_H
#define HOST_HVK_PROVIDER_H

#include "host/times.h"
#include "host/vulkan/hvk.h"

struct hvk_provider {
    struct hct_provider base; /* first */
    const struct hct_env *env;
    /* hct_options': */
    bool (*is_valid_spirv)(const uint32_t *words, size_t count, char *why, size_t size);
    uint64_t hang_ns, shader_bytes;
    bool hides_addresses, clamps_indices;
    bool stock;    /* offer nothing that upstream does not */
    bool software; /* only devices that are CPUs */
    bool null;     /* what command buffers hold is neither recorded nor submitted */
    bool restores; /* its guests are replays */
    bool is_recorded;
    bool is_watched; /* what their passes draw on is copied: hvk_drawn.c */
    uint64_t watched_bytes;
    struct hct_times *times; /* borrowed; NULL: nothing is measured */
    const char *gpu;         /* borrowed: a name, an index or a UUID; NULL: all */
    void *library;
    PFN_vkGetInstanceProcAddr get;
    struct vk_driver_global driver;
    uint32_t api_version; /* the loader's */
    uint32_t pinned;      /* atomic: drivers were loaded once and stay */
    char description[256];
    /* The device, each context, and each ring that was left behind. Atomic. */
    uint32_t refs;
    uint32_t reapers; /* atomic: threads that take contexts apart */
};

struct hvk_provider *hvk_provider_ref(struct hvk_provider *provider);
void hvk_provider_unref(struct hvk_provider *provider);
/* Give up the device's reference, when no context is being taken apart any more, as the process may
 * end next and drivers must not be at work then. Bounded: past that the provider stays. */
void hvk_provider_end(struct hvk_provider *provider);

/* Newest version that a guest is told of. */
uint32_t hvk_version(const struct hvk_call *call, uint32_t native);

/* A native instance with the extensions named; its driver functions are loaded. */
VkResult hvk_native_instance(struct hvk_provider *provider, const VkInstanceCreateInfo *info,
                             struct vk_driver_instance *driver, VkInstance *out);
/* Every physical device that `gpu` selects, the first `capacity` of them; how many in *count. */
VkResult hvk_native_physicals(const struct hvk_provider *provider,
                              const struct vk_driver_instance *driver, VkInstance instance,
                              VkPhysicalDevice *out, uint32_t capacity, uint32_t *count);
/* Most GPUs of one instance. */
#define HVK_GPUS_MAX 16u

/* hvk_context.c */
enum sl_result hvk_context_create(const struct hct_create_info *info, struct hct_context **out);
/* The hr_rings_ops of the same names; user: the context. Here for rings that are fed, not asked for
 * by a guest. */
enum sl_result hvk_ring_new(void *user, struct hr_config *config, void **state);
void hvk_ring_free(void *user, void *state);

#endif
