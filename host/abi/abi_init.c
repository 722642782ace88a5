/* The renderer's life: parameters, the device, the log's way out, the end. */
#include "host/abi/abi.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <stdio.h>
#include <string.h>

/* ---- the one renderer ---- */

/* Checks its owner, so that a call from a callback is refused instead of waiting for itself. */
static pthread_mutex_t abi_lock = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static struct abi *renderer; /* abi_lock's; NULL: not up */

static bool enter(void)
{
    if (pthread_mutex_lock(&abi_lock) != 0) {
        sl_warn_limited("abi", "a callback called the renderer: refused");
        return false;
    }
    return true;
}

struct abi *abi_enter(void)
{
    if (!enter()) {
        return NULL;
    }
    if (renderer == NULL) {
        sl_warn_limited("abi", "called before stream_renderer_init: refused");
        abi_leave();
        return NULL;
    }
    return renderer;
}

void abi_leave(void)
{
    pthread_mutex_unlock(&abi_lock);
}

/* ---- the log ---- */

static struct {
    pthread_mutex_t lock; /* guards the rest; never held while the callback runs */
    stream_renderer_debug_callback callback;
    void *user;
} listener = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_log(void *user, enum sl_log_level level, const char *module, const char *text)
{
    (void)user;
    static const uint32_t types[] = {
        [SL_LOG_ERROR] = STREAM_RENDERER_DEBUG_ERROR,
        [SL_LOG_WARN] = STREAM_RENDERER_DEBUG_WARN,
        [SL_LOG_INFO] = STREAM_RENDERER_DEBUG_INFO,
        [SL_LOG_DEBUG] = STREAM_RENDERER_DEBUG_DEBUG,
    };
    pthread_mutex_lock(&listener.lock);
    stream_renderer_debug_callback callback = listener.callback;
    void *callback_user = listener.user;
    pthread_mutex_unlock(&listener.lock);
    if (callback == NULL) {
        return; /* torn down just now */
    }
    char message[1200];
    snprintf(message, sizeof message, "%s: %s", module, text);
    callback(callback_user,
             &(struct stream_renderer_debug){.debug_type = types[level], .message = message});
}

/* Both NULL: to stderr again. */
static void listen_to_log(stream_renderer_debug_callback callback, void *user)
{
    pthread_mutex_lock(&listener.lock);
    listener.callback = callback;
    listener.user = user;
    pthread_mutex_unlock(&listener.lock);
    sl_log_set_callback(callback != NULL ? on_log : NULL, NULL);
}

/* ---- parameters ---- */

static void *pointer_of(uint64_t value)
{
    return (void *)(uintptr_t)value;
}

/* False: not known. */
static bool read_param(struct abi_options *options, const struct stream_renderer_param *param)
{
    void *pointer = pointer_of(param->value);
    switch (param->key) {
    case STREAM_RENDERER_PARAM_USER_DATA:
        options->user = pointer;
        return true;
    case STREAM_RENDERER_PARAM_RENDERER_FLAGS:
        options->flags = param->value;
        return true;
    case STREAM_RENDERER_PARAM_FENCE_CALLBACK:
        memcpy(&options->fence_callback, &pointer, sizeof pointer);
        return true;
    case STREAM_RENDERER_PARAM_DEBUG_CALLBACK:
        memcpy(&options->debug_callback, &pointer, sizeof pointer);
        return true;
    case STREAM_RENDERER_PARAM_SKIP_OPENGLES_INIT:
        options->skip_gles = param->value != 0;
        return true;
    case STREAM_RENDERER_PARAM_RENDERER_FEATURES:
        options->features = pointer;
        return true;
    case STREAM_RENDERER_PARAM_NULL:
    case STREAM_RENDERER_PARAM_WIN0_WIDTH:
    case STREAM_RENDERER_PARAM_WIN0_HEIGHT:
        return true;
    default:
        return param->key >= STREAM_RENDERER_PARAM_METRICS_CALLBACK_ADD_INSTANT_EVENT &&
               param->key <= STREAM_RENDERER_PARAM_METRICS_CALLBACK_ABORT;
    }
}

static bool has_param(const struct stream_renderer_param *params, uint64_t count, uint64_t key)
{
    for (uint64_t i = 0; i < count; i++) {
        if (params[i].key == key) {
            return true;
        }
    }
    return false;
}

static enum sl_result read_params(struct abi_options *options,
                                  const struct stream_renderer_param *params, uint64_t count)
{
    static const struct {
        uint64_t key;
        const char *name;
    } required[] = {{STREAM_RENDERER_PARAM_USER_DATA, "USER_DATA"},
                    {STREAM_RENDERER_PARAM_RENDERER_FLAGS, "RENDERER_FLAGS"},
                    {STREAM_RENDERER_PARAM_FENCE_CALLBACK, "FENCE_CALLBACK"}};
    *options = (struct abi_options){0};
    count = params != NULL ? count : 0;
    /* Twice: what is to be said about the others needs the listener, which may be the last. */
    for (uint64_t i = 0; i < count; i++) {
        (void)read_param(options, &params[i]);
    }
    listen_to_log(options->debug_callback, options->user);
    for (uint64_t i = 0; i < count; i++) {
        if (!read_param(options, &params[i])) {
            sl_warn("abi", "parameter %llu is not known: ignored",
                    (unsigned long long)params[i].key);
        }
    }
    for (size_t i = 0; i < sizeof required / sizeof required[0]; i++) {
        if (!has_param(params, count, required[i].key)) {
            sl_error("abi", "the required parameter %s is missing", required[i].name);
            return SL_ERR_INVALID;
        }
    }
    return SL_OK;
}

/* ---- up and down ---- */

static void on_fence_done(void *user, uint32_t ctx_id, uint32_t ring, uint64_t fence_id)
{
    (void)ctx_id;
    (void)ring;
    abi_fence_done(user, fence_id);
}

/* Waist B's sinks that an embedder has no ear for: the device said why a context is lost. */
static void on_wake(void *user)
{
    (void)user;
}

static void on_ctx_lost(void *user, uint32_t ctx_id, const char *reason)
{
    (void)user;
    (void)ctx_id;
    (void)reason;
}

/* Of one shader of a stranger's. */
#define SHADER_BYTES (4u << 20)

static enum sl_result make_device(struct abi *abi)
{
    bool trusts = abi->features.trust;
    const struct hct_type *types[16] = {NULL};
    size_t count = 0;
    for (size_t i = 0; dev_all_types[i] != NULL && count + 1 < sizeof types / sizeof types[0];
         i++) {
        bool is_vulkan = dev_all_types[i]->capset == VIRTGPU_CAPSET_GFXSTREAM_VULKAN;
        if (is_vulkan ? abi->features.vulkan : abi->features.gles) {
            types[count++] = dev_all_types[i];
        }
    }
    const struct vgd_sink sink = {
        .user = abi, .fence_done = on_fence_done, .wake = on_wake, .ctx_lost = on_ctx_lost};
    const struct hct_options device = {.hides_addresses = !trusts,
                                       .clamps_indices = !trusts,
                                       .shader_bytes = trusts ? 0 : SHADER_BYTES};
    if (!trusts && abi->features.vulkan) {
        sl_warn("abi", "shaders of Vulkan are not validated: a damaged one may end this process "
                       "where the driver is one of the CPU");
    }
    return dev_create(types, &device, NULL, &sink, &abi->device);
}

static enum sl_result start(const struct abi_options *options, struct abi **out)
{
    struct abi_features features;
    enum sl_result r = abi_features_choose(options, &features);
    if (r != SL_OK) {
        return r;
    }
    struct abi *abi = sl_alloc(sizeof *abi);
    if (abi == NULL) {
        return SL_ERR_NOMEM;
    }
    abi->options = *options;
    abi->options.features = NULL; /* the embedder's, for the call */
    abi->features = features;
    sl_map_init(&abi->resources, SL_MAP_MOST); /* the device limits them */
    abi_fences_init(&abi->fences);
    r = make_device(abi);
    if (r != SL_OK) {
        sl_error("abi", "the renderer cannot start: %s", sl_result_name(r));
        abi_fences_finish(&abi->fences);
        sl_free(abi);
        return r;
    }
    *out = abi;
    return SL_OK;
}

VG_EXPORT int stream_renderer_init(struct stream_renderer_param *params, uint64_t num_params)
{
    if (!enter()) {
        return -EINVAL;
    }
    enum sl_result r = SL_ERR_INVALID;
    if (renderer != NULL) {
        sl_error("abi", "there is a renderer already: stream_renderer_teardown first");
    } else {
        struct abi_options options;
        r = read_params(&options, params, num_params);
        r = r == SL_OK ? start(&options, &renderer) : r;
        if (r != SL_OK) {
            listen_to_log(NULL, NULL);
        }
    }
    abi_leave();
    return abi_status(r);
}

VG_EXPORT void stream_renderer_teardown(void)
{
    if (!enter()) {
        return;
    }
    struct abi *abi = renderer;
    renderer = NULL;
    if (abi != NULL) {
        abi_resources_clear(abi);
        abi->device->ops->destroy(abi->device);
        abi_fences_finish(&abi->fences);
        sl_map_finish(&abi->resources);
        sl_free(abi);
        listen_to_log(NULL, NULL);
    }
    abi_leave();
}

VG_EXPORT int stream_renderer_suspend(void)
{
    struct abi *abi = abi_enter();
    if (abi == NULL) {
        return -EINVAL;
    }
    abi_leave();
    return 0;
}

VG_EXPORT int stream_renderer_resume(void)
{
    return stream_renderer_suspend();
}

VG_EXPORT int stream_renderer_snapshot(const char *dir)
{
    (void)dir;
    return -EINVAL;
}

VG_EXPORT int stream_renderer_restore(const char *dir)
{
    (void)dir;
    return -EINVAL;
}
