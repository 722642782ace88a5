/* A monitor's side of host/abi: its callbacks and what they told, and a fixture for tests. */
#ifndef TESTS_ABI_MONITOR_H
#define TESTS_ABI_MONITOR_H

#include "host/abi/gfxstream/virtio-gpu-gfxstream-renderer-unstable.h"
#include "tests/support/slt.h"

#include <pthread.h>

enum { GLES = STREAM_RENDERER_FLAGS_USE_GLES, VK = STREAM_RENDERER_FLAGS_USE_VK };
enum { HEADLESS = STREAM_RENDERER_FLAGS_USE_EGL | STREAM_RENDERER_FLAGS_USE_SURFACELESS };
enum { EXTERNAL = STREAM_RENDERER_FLAGS_USE_EXTERNAL_BLOB };

#define FENCES_MAX 4096u

struct abi_monitor {
    pthread_mutex_t lock; /* guards all below */
    struct stream_renderer_fence fences[FENCES_MAX];
    uint32_t fence_count;
    char message[512]; /* the log's last */
    uint32_t message_type;
    bool calls_back; /* the fence callback calls the renderer */
    int called_back; /* what it got */
    bool is_repeat;
};

/* The renderer's callbacks; user: the monitor. */
void abi_monitor_on_fence(void *user, struct stream_renderer_fence *fence);
void abi_monitor_on_debug(void *user, struct stream_renderer_debug *debug);

/* stream_renderer_init with everything that it needs. features: nullable. */
int abi_monitor_start(struct abi_monitor *m, uint64_t flags, const char *features);

/* Fixtures: without a renderer, with one of both APIs; the end of both; what each is before a
 * repeat. */
void abi_monitor_prepare(struct abi_monitor *m);
void abi_monitor_init(struct abi_monitor *m);
void abi_monitor_finish(struct abi_monitor *m);
void abi_monitor_prepare_again(struct abi_monitor *m);
void abi_monitor_again(struct abi_monitor *m);

#endif
