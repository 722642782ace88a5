#include "tests/abi/abi_monitor.h"

#include <string.h>

void abi_monitor_on_fence(void *user, struct stream_renderer_fence *fence)
{
    struct abi_monitor *m = user;
    pthread_mutex_lock(&m->lock);
    if (m->fence_count < FENCES_MAX) {
        m->fences[m->fence_count++] = *fence;
    }
    bool calls = m->calls_back;
    m->calls_back = false;
    pthread_mutex_unlock(&m->lock);
    if (calls) {
        m->called_back = stream_renderer_resource_unmap(1);
    }
}

void abi_monitor_on_debug(void *user, struct stream_renderer_debug *debug)
{
    struct abi_monitor *m = user;
    if (m == NULL) {
        return; /* whose user data is missing */
    }
    pthread_mutex_lock(&m->lock);
    strncpy(m->message, debug->message, sizeof m->message - 1);
    m->message_type = debug->debug_type;
    pthread_mutex_unlock(&m->lock);
}

int abi_monitor_start(struct abi_monitor *m, uint64_t flags, const char *features)
{
    struct stream_renderer_param params[] = {
        {STREAM_RENDERER_PARAM_NULL, 0},
        {STREAM_RENDERER_PARAM_USER_DATA, (uintptr_t)m},
        {STREAM_RENDERER_PARAM_RENDERER_FLAGS, flags},
        {STREAM_RENDERER_PARAM_FENCE_CALLBACK, (uintptr_t)abi_monitor_on_fence},
        {STREAM_RENDERER_PARAM_RENDERER_FEATURES, (uintptr_t)features},
        {STREAM_RENDERER_PARAM_DEBUG_CALLBACK, (uintptr_t)abi_monitor_on_debug},
    };
    return stream_renderer_init(params, sizeof params / sizeof params[0]);
}

void abi_monitor_prepare(struct abi_monitor *m)
{
    SLT_NEED(SLT_EGL | SLT_VULKAN);
    SLT_ALLOW_LEAKS("the native drivers keep threads and files");
    pthread_mutex_init(&m->lock, NULL);
}

void abi_monitor_init(struct abi_monitor *m)
{
    abi_monitor_prepare(m);
    SLT_ASSERT_EQ(0, abi_monitor_start(m, HEADLESS | GLES | VK, NULL));
}

void abi_monitor_finish(struct abi_monitor *m)
{
    stream_renderer_teardown();
    pthread_mutex_destroy(&m->lock);
}

void abi_monitor_prepare_again(struct abi_monitor *m)
{
    stream_renderer_teardown();
    pthread_mutex_lock(&m->lock);
    m->fence_count = 0;
    m->message[0] = '\0';
    m->message_type = 0;
    m->calls_back = false;
    m->called_back = 0;
    m->is_repeat = true;
    pthread_mutex_unlock(&m->lock);
}

void abi_monitor_again(struct abi_monitor *m)
{
    abi_monitor_prepare_again(m);
    SLT_ASSERT_EQ(0, abi_monitor_start(m, HEADLESS | GLES | VK, NULL));
}
