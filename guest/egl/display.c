/* Displays: the process's registry, initialisation, strings. */
#include "guest/egl/api.h"
#include "guest/egl/gegl.h"
#include "guest/egl/gbm.h"
#include "guest/egl/host.h"
#include "guest/egl/wayland.h"
#include "guest/x11/gx.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

#include <string.h>

#define OBJECTS_MAX 65536u

/* Every display ever asked for; a process has a handful. */
static struct registry {
    pthread_mutex_t lock;
    struct sl_list displays; /* struct gegl_display.link */
    uint32_t count;
} registry = {PTHREAD_MUTEX_INITIALIZER, {&registry.displays, &registry.displays}, 0};

static struct gegl_display *find_locked(enum gegl_platform platform, const void *native, int screen)
{
    SL_LIST_FOR(item, &registry.displays)
    {
        struct gegl_display *display = SL_CONTAINER(item, struct gegl_display, link);
        if (display->platform == platform && display->native == native &&
            display->screen == screen) {
            return display;
        }
    }
    return NULL;
}

static struct gegl_display *add_locked(enum gegl_platform platform, void *native, int screen)
{
    struct gegl_display *display = sl_alloc(sizeof *display);
    if (display == NULL) {
        return NULL;
    }
    *display = (struct gegl_display){
        .index = ++registry.count, .platform = platform, .native = native, .screen = screen};
    pthread_mutex_init(&display->setup, NULL);
    pthread_mutex_init(&display->lock, NULL);
    sl_cond_init(&display->signals);
    sl_list_add(&registry.displays, &display->link);
    return display;
}

void gegl_displays_forked(void)
{
    pthread_mutex_init(&registry.lock, NULL);
    SL_LIST_FOR(item, &registry.displays)
    {
        struct gegl_display *display = SL_CONTAINER(item, struct gegl_display, link);
        /* The locks may have been held by threads that are not here; what they guard is the
         * parent's and is left alone. */
        pthread_mutex_init(&display->setup, NULL);
        pthread_mutex_init(&display->lock, NULL);
        sl_cond_init(&display->signals);
        display->initialized = false;
        display->device = NULL;
        display->x11 = NULL;
        display->wayland = NULL;
    }
}

struct gegl_display *gegl_display_find(EGLDisplay handle)
{
    struct gegl_display *found = NULL;
    pthread_mutex_lock(&registry.lock);
    SL_LIST_FOR(item, &registry.displays)
    {
        struct gegl_display *display = SL_CONTAINER(item, struct gegl_display, link);
        if (display == handle) {
            found = display;
        }
    }
    pthread_mutex_unlock(&registry.lock);
    return found;
}

bool gegl_display_ready(struct gegl_display *display)
{
    pthread_mutex_lock(&display->lock);
    bool initialized = display->initialized;
    pthread_mutex_unlock(&display->lock);
    return initialized;
}

struct gegl_display *gegl_display_enter(EGLDisplay handle)
{
    struct gegl_display *display = gegl_display_find(handle);
    bool ready = display != NULL && gegl_display_ready(display);
    if (!ready) {
        gegl_fail(display != NULL ? EGL_NOT_INITIALIZED : EGL_BAD_DISPLAY);
    }
    return ready ? display : NULL;
}

EGLDisplay gegl_display_of(enum gegl_platform platform, void *native, int screen)
{
    pthread_mutex_lock(&registry.lock);
    struct gegl_display *display = find_locked(platform, native, screen);
    if (display == NULL) {
        display = add_locked(platform, native, screen);
    }
    pthread_mutex_unlock(&registry.lock);
    gegl_fail(display != NULL ? EGL_SUCCESS : EGL_BAD_ALLOC);
    return display;
}

/* The host's table made configurations. Gives *configs (sl_free). */
static enum sl_result configs_ask(const struct gegl_display *display, const struct gegl_host *host,
                                  struct gs_stream *stream, struct gegl_config **configs,
                                  uint32_t *count)
{
    uint32_t *table, attribs, rows;
    enum sl_result r = gegl_host_configs(stream, host->floats, &table, &attribs, &rows);
    if (r != SL_OK) {
        return r;
    }
    /* Mesa lists no floats for devices that are CPUs, though it does without a platform. */
    bool hides_floats = display->platform == GEGL_PLATFORM_DEVICE &&
                        (stream->device->features & SLUICE_FEATURE_SOFTWARE) != 0;
    struct gegl_windows windows = {.has_ten_bits = host->ten_bits, .hides_floats = hides_floats};
    if (display->x11 != NULL) {
        windows.visual_count = gx_visuals(display->x11, &windows.visuals);
    } else if (display->wayland != NULL) {
        windows.formats = display->wayland->formats;
        windows.format_count = display->wayland->format_count;
        windows.format_min_interval = display->wayland->intervals.min;
        windows.format_max_interval = display->wayland->intervals.max;
    } else if (display->gbm != NULL) {
        windows.formats = gegl_gbm_formats;
        windows.format_count = GEGL_GBM_FORMATS;
        windows.format_max_interval = 1;
    }
    r = gegl_configs_read(table, attribs, rows, host->gles_version, &windows, configs, count);
    sl_free(table);
    return r;
}

static bool configs_same(const struct gegl_display *display, const struct gegl_config *configs,
                         uint32_t count)
{
    return display->config_count == count &&
           memcmp(display->configs, configs, count * sizeof *configs) == 0;
}

/* Those of the last initialisation stay if they are the same, so that handles and pointers into
 * them survive eglTerminate. */
static enum sl_result configs_load(struct gegl_display *display, struct gs_stream *stream)
{
    struct gegl_config *configs;
    uint32_t count;
    enum sl_result r = configs_ask(display, &display->host, stream, &configs, &count);
    if (r != SL_OK) {
        return r;
    }
    if (configs_same(display, configs, count)) {
        sl_free(configs);
    } else {
        sl_free(display->configs);
        display->configs = configs;
        display->config_count = count;
    }
    return SL_OK;
}

static void extensions_make(struct gegl_display *display)
{
    static const char always[] = "EGL_EXT_buffer_age EGL_EXT_create_context_robustness "
                                 "EGL_EXT_swap_buffers_with_damage EGL_KHR_config_attribs "
                                 "EGL_KHR_context_flush_control EGL_KHR_create_context "
                                 "EGL_KHR_create_context_no_error EGL_KHR_fence_sync "
                                 "EGL_KHR_get_all_proc_addresses EGL_KHR_gl_texture_2D_image "
                                 "EGL_KHR_image_base EGL_KHR_no_config_context "
                                 "EGL_KHR_partial_update EGL_KHR_reusable_sync "
                                 "EGL_KHR_surfaceless_context "
                                 "EGL_KHR_swap_buffers_with_damage EGL_MESA_configless_context "
                                 "EGL_MESA_query_driver";
    _Static_assert(sizeof always + 384 < sizeof display->extensions, "room for all extensions");
    const struct gegl_host *host = &display->host;
    strcpy(display->extensions, always);
    const struct {
        bool is_there;
        const char *name;
    } some[] = {{host->sync_status, " EGL_KHR_wait_sync"},
                {host->native_fence, " EGL_ANDROID_native_fence_sync"},
                {host->dma_buf, " EGL_EXT_image_dma_buf_import"},
                {host->dma_buf, " EGL_EXT_image_dma_buf_import_modifiers"},
                {host->dma_buf && display->gbm != NULL, " EGL_KHR_image EGL_KHR_image_pixmap"},
                {host->export, " EGL_MESA_image_dma_buf_export"},
                {host->colorspace, " EGL_KHR_gl_colorspace"},
                {host->floats, " EGL_EXT_pixel_format_float"},
                {host->image_renderbuffer, " EGL_KHR_gl_renderbuffer_image"},
                {host->image_3d, " EGL_KHR_gl_texture_3D_image"},
                {host->image_cube, " EGL_KHR_gl_texture_cubemap_image"}};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        strcat(display->extensions, some[i].is_there ? some[i].name : "");
    }
}

static enum sl_result windows_open(struct gegl_display *display)
{
    const struct gx_native native = gegl_native(display);
    switch (display->platform) {
    case GEGL_PLATFORM_X11:
    case GEGL_PLATFORM_XCB:
        return gx_open(&native, &display->x11); /* logs why not */
    case GEGL_PLATFORM_WAYLAND:
        return gegl_compositor_open(display->native, &display->wayland);
    case GEGL_PLATFORM_GBM:
        return display->gbm != NULL ? SL_OK : gegl_gbm_find(display->native, &display->gbm);
    default:
        return SL_OK;
    }
}

static void windows_close(struct gegl_display *display)
{
    gx_unref(display->x11);
    display->x11 = NULL;
    gegl_compositor_unref(display->wayland);
    display->wayland = NULL;
}

/* Returns the one before. */
static struct gs_device *device_set(struct gegl_display *display, struct gs_device *device)
{
    pthread_mutex_lock(&display->lock);
    struct gs_device *old = display->device;
    display->device = device;
    pthread_mutex_unlock(&display->lock);
    return old;
}

/* Everything an initialised display has, or nothing. */
static EGLint display_open(struct gegl_display *display)
{
    struct gs_device *device;
    enum sl_result r = gs_device_get(GS_GLES, &device); /* logs why not */
    if (r != SL_OK) {
        return r == SL_ERR_NOMEM ? EGL_BAD_ALLOC : EGL_NOT_INITIALIZED;
    }
    (void)device_set(display, device);
    struct gs_stream *stream;
    display->host = (struct gegl_host){0};
    EGLint error = gegl_stream_get(display, &stream);
    if (error != EGL_SUCCESS) { /* no loss, as there is nothing yet: eglInitialize has two errors */
        error = error == EGL_BAD_ALLOC ? EGL_BAD_ALLOC : EGL_NOT_INITIALIZED;
        goto fail_device;
    }
    r = gegl_host_ask(stream, &display->host);
    if (r == SL_OK) {
        r = windows_open(display);
    }
    if (r == SL_OK) {
        r = configs_load(display, stream);
    }
    if (r != SL_OK) {
        error = r == SL_ERR_NOMEM ? EGL_BAD_ALLOC : EGL_NOT_INITIALIZED;
        goto fail_windows;
    }
    extensions_make(display);
    sl_table_init(&display->objects, OBJECTS_MAX, 0);
    return EGL_SUCCESS;

fail_windows:
    windows_close(display);
fail_device:
    gegl_stream_drop(gegl_thread());
    gs_device_put(device_set(display, NULL));
    return error;
}

struct gs_device *gegl_display_device(struct gegl_display *display)
{
    pthread_mutex_lock(&display->lock);
    struct gs_device *device = display->device != NULL ? gs_device_ref(display->device) : NULL;
    pthread_mutex_unlock(&display->lock);
    return device;
}

/* Is the host behind the thread's new stream as the display's was? Other threads and the program
 * hold on to what they know of that. */
static EGLint host_compare(const struct gegl_display *display, struct gs_stream *stream)
{
    struct gegl_host host = {0};
    struct gegl_config *configs = NULL;
    uint32_t count;
    enum sl_result r = gegl_host_ask(stream, &host);
    if (r == SL_OK) {
        r = configs_ask(display, &host, stream, &configs, &count);
    }
    if (r != SL_OK) {
        return r == SL_ERR_NOMEM ? EGL_BAD_ALLOC : EGL_CONTEXT_LOST;
    }
    bool same =
        memcmp(&host, &display->host, sizeof host) == 0 && configs_same(display, configs, count);
    sl_free(configs);
    if (!same) {
        sl_warn("egl", "the host that serves now is another kind than the one that went: "
                       "the display has to be terminated and initialised");
    }
    return same ? EGL_SUCCESS : EGL_CONTEXT_LOST;
}

/* display->setup is held. */
static EGLint renew_locked(struct gegl_display *display, struct gegl_thread *thread)
{
    struct gs_device *device;
    enum sl_result r = gs_device_get(GS_GLES, &device); /* logs why not */
    if (r != SL_OK) {
        return r == SL_ERR_NOMEM ? EGL_BAD_ALLOC : EGL_CONTEXT_LOST;
    }
    if (device == display->device) { /* another thread was first */
        gs_device_put(device);
        return EGL_SUCCESS;
    }
    EGLint error = EGL_SUCCESS;
    if (thread->device != device) { /* else another display has it already */
        gegl_stream_drop(thread);
        error = thread->stream != NULL ? EGL_CONTEXT_LOST : gegl_stream_open(thread, device);
    }
    if (error == EGL_SUCCESS) {
        error = host_compare(display, thread->stream);
    }
    if (error == EGL_SUCCESS) {
        device = device_set(display, device);
    } else {
        gegl_stream_drop(thread);
    }
    gs_device_put(device);
    return error;
}

EGLint gegl_display_renew(struct gegl_display *display)
{
    struct gegl_thread *thread = gegl_thread();
    struct gs_device *device = gegl_display_device(display);
    EGLint error = thread == NULL ? EGL_BAD_ALLOC : EGL_SUCCESS;
    if (error == EGL_SUCCESS && device != NULL && gegl_device_gone(device)) {
        pthread_mutex_lock(&display->setup);
        error = display->initialized ? renew_locked(display, thread) : EGL_NOT_INITIALIZED;
        pthread_mutex_unlock(&display->setup);
    }
    gs_device_put(device);
    return error;
}

EGLBoolean gegl_Initialize(EGLDisplay handle, EGLint *major, EGLint *minor)
{
    struct gegl_display *display = gegl_display_find(handle);
    if (display == NULL) {
        return gegl_fail(EGL_BAD_DISPLAY);
    }
    if (gegl_thread() == NULL) {
        return EGL_FALSE;
    }
    EGLint error = EGL_SUCCESS;
    pthread_mutex_lock(&display->setup);
    if (!display->initialized) {
        error = display_open(display);
        pthread_mutex_lock(&display->lock);
        display->initialized = error == EGL_SUCCESS;
        pthread_mutex_unlock(&display->lock);
    }
    pthread_mutex_unlock(&display->setup);
    if (error != EGL_SUCCESS) {
        return gegl_fail(error);
    }
    if (major != NULL && minor != NULL) { /* one alone is not written, as drivers do */
        *major = 1;
        *minor = 5;
    }
    return gegl_done();
}

EGLBoolean gegl_Terminate(EGLDisplay handle)
{
    struct gegl_display *display = gegl_display_find(handle);
    if (display == NULL) {
        return gegl_fail(EGL_BAD_DISPLAY);
    }
    pthread_mutex_lock(&display->setup);
    pthread_mutex_lock(&display->lock);
    bool was = display->initialized;
    display->initialized = false;
    pthread_mutex_unlock(&display->lock);
    if (was) {
        gegl_object_remove_all(display);
        sl_table_finish(&display->objects);
        struct gegl_thread *thread = gegl_thread_peek();
        if (thread != NULL && thread->device == display->device) {
            gegl_stream_drop(thread);
        }
        windows_close(display);
        gs_device_put(device_set(display, NULL));
    }
    pthread_mutex_unlock(&display->setup);
    return gegl_done();
}

const char *gegl_QueryString(EGLDisplay handle, EGLint name)
{
    if (handle == EGL_NO_DISPLAY && name == EGL_EXTENSIONS) {
        gegl_done();
        return "EGL_EXT_client_extensions EGL_EXT_device_base EGL_EXT_device_enumeration "
               "EGL_EXT_device_query EGL_EXT_platform_base "
               "EGL_KHR_client_get_all_proc_addresses " GEGL_PLATFORM_EXTENSIONS;
    }
    if (handle == EGL_NO_DISPLAY && name == EGL_VERSION) {
        gegl_done();
        return "1.5";
    }
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return NULL;
    }
    gegl_done();
    switch (name) {
    case EGL_VENDOR:
        return "Sluice";
    case EGL_VERSION:
        return "1.5";
    case EGL_CLIENT_APIS:
        return "OpenGL_ES";
    case EGL_EXTENSIONS:
        return display->extensions;
    default:
        gegl_fail(EGL_BAD_PARAMETER);
        return NULL;
    }
}

/* How many of n fit where there is room for `size`. */
static uint32_t room_of(EGLint size, uint32_t n)
{
    return size <= 0 ? 0 : (uint32_t)size < n ? (uint32_t)size : n;
}

EGLBoolean gegl_GetConfigs(EGLDisplay handle, EGLConfig *configs, EGLint size, EGLint *count)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_FALSE;
    }
    if (count == NULL) {
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    uint32_t n = display->config_count;
    if (configs != NULL) {
        n = room_of(size, n);
        for (uint32_t i = 0; i < n; i++) {
            configs[i] = gegl_config_handle(display, i);
        }
    }
    *count = (EGLint)n;
    return gegl_done();
}

EGLBoolean gegl_ChooseConfig(EGLDisplay handle, const EGLint *attribs, EGLConfig *configs,
                             EGLint size, EGLint *count)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_FALSE;
    }
    if (count == NULL) {
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    uint32_t *order = sl_alloc_array(display->config_count, sizeof *order), n;
    if (order == NULL) {
        return gegl_fail(EGL_BAD_ALLOC);
    }
    EGLint error = gegl_configs_choose(display->configs, display->config_count, attribs, order, &n);
    if (error == EGL_SUCCESS) {
        if (configs != NULL) {
            n = room_of(size, n);
            for (uint32_t i = 0; i < n; i++) {
                configs[i] = gegl_config_handle(display, order[i]);
            }
        }
        *count = (EGLint)n;
    }
    sl_free(order);
    return error == EGL_SUCCESS ? gegl_done() : gegl_fail(error);
}

EGLBoolean gegl_GetConfigAttrib(EGLDisplay handle, EGLConfig config_handle, EGLint attrib,
                                EGLint *value)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_FALSE;
    }
    const struct gegl_config *config = gegl_config_find(display, config_handle);
    if (config == NULL) {
        return gegl_fail(EGL_BAD_CONFIG);
    }
    if (!gegl_config_has(attrib)) {
        return gegl_fail(EGL_BAD_ATTRIBUTE);
    }
    if (value == NULL) {
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    *value = gegl_config_get(config, attrib);
    return gegl_done();
}
