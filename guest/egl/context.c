#include "guest/egl/api.h"
#include "guest/egl/gegl.h"
#include "guest/rc_call.h"
#include "transport/base/mem.h"
#include "wire/rc_pack.h"

/* rcCreateContext's config for "any", where the host is ours. */
#define HOST_ANY_CONFIG 0xffffffffu

/* Of EGL_CONTEXT_FLAGS_KHR: OpenGL's, and those that there are not. */
#define OPENGL_FLAGS                                                                               \
    (EGL_CONTEXT_OPENGL_FORWARD_COMPATIBLE_BIT_KHR | EGL_CONTEXT_OPENGL_ROBUST_ACCESS_BIT_KHR)
#define NO_FLAGS (~(OPENGL_FLAGS | EGL_CONTEXT_OPENGL_DEBUG_BIT_KHR))

/* What eglCreateContext was asked for. */
struct context_wish {
    EGLint major, minor;
    EGLenum reset_strategy;
    EGLint flags;
    bool robust, debug, forward, no_error, no_flush;
};

/* What is no boolean counts as false. */
static EGLint wish_read_one(struct context_wish *wish, EGLint attrib, EGLint value)
{
    switch (attrib) {
    case EGL_CONTEXT_MAJOR_VERSION: /* also EGL_CONTEXT_CLIENT_VERSION */
        wish->major = value;
        return EGL_SUCCESS;
    case EGL_CONTEXT_MINOR_VERSION:
        wish->minor = value;
        return EGL_SUCCESS;
    case EGL_CONTEXT_FLAGS_KHR:
        if ((value & OPENGL_FLAGS) != 0) {
            return EGL_BAD_ATTRIBUTE;
        }
        wish->flags |= value;
        wish->debug |= (value & EGL_CONTEXT_OPENGL_DEBUG_BIT_KHR) != 0;
        return EGL_SUCCESS;
    case EGL_CONTEXT_OPENGL_DEBUG:
        wish->debug |= value == EGL_TRUE;
        return EGL_SUCCESS;
    case EGL_CONTEXT_OPENGL_FORWARD_COMPATIBLE:
        wish->forward |= value == EGL_TRUE;
        return EGL_SUCCESS;
    case EGL_CONTEXT_OPENGL_NO_ERROR_KHR:
        if (value == EGL_TRUE && wish->major < 2) { /* by what was read so far */
            return EGL_BAD_ATTRIBUTE;
        }
        wish->no_error = value != 0;
        return EGL_SUCCESS;
    case EGL_CONTEXT_OPENGL_ROBUST_ACCESS:
    case EGL_CONTEXT_OPENGL_ROBUST_ACCESS_EXT:
        wish->robust |= value == EGL_TRUE;
        return EGL_SUCCESS;
    case EGL_CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY:
    case EGL_CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY_EXT:
        wish->reset_strategy = (EGLenum)value;
        return EGL_SUCCESS;
    case EGL_CONTEXT_PRIORITY_LEVEL_IMG: /* a hint */
        return value == EGL_CONTEXT_PRIORITY_HIGH_IMG || value == EGL_CONTEXT_PRIORITY_MEDIUM_IMG ||
                       value == EGL_CONTEXT_PRIORITY_LOW_IMG
                   ? EGL_SUCCESS
                   : EGL_BAD_ATTRIBUTE;
    case EGL_CONTEXT_RELEASE_BEHAVIOR_KHR:
        wish->no_flush = value == EGL_CONTEXT_RELEASE_BEHAVIOR_NONE_KHR;
        return value == EGL_CONTEXT_RELEASE_BEHAVIOR_FLUSH_KHR ||
                       value == EGL_CONTEXT_RELEASE_BEHAVIOR_NONE_KHR
                   ? EGL_SUCCESS
                   : EGL_BAD_ATTRIBUTE;
    default: /* profiles are OpenGL's */
        return EGL_BAD_ATTRIBUTE;
    }
}

/* Versions there are. 3.x's end at what the host has. */
static bool version_exists(const struct context_wish *wish)
{
    return (wish->major == 1 && wish->minor >= 0 && wish->minor <= 1) ||
           (wish->major == 2 && wish->minor == 0) || (wish->major == 3 && wish->minor >= 0);
}

/* Reading ends at the first attribute that is wrong; of what else is wrong the last one counts, as
 * it does in drivers. */
static EGLint wish_read(struct context_wish *wish, const EGLint *attribs)
{
    EGLint error = EGL_SUCCESS;
    *wish = (struct context_wish){.major = 1, .reset_strategy = EGL_NO_RESET_NOTIFICATION};
    for (; error == EGL_SUCCESS && attribs != NULL && attribs[0] != EGL_NONE; attribs += 2) {
        error = wish_read_one(wish, attribs[0], attribs[1]);
    }
    if (!version_exists(wish)) {
        error = EGL_BAD_MATCH;
    }
    if (wish->reset_strategy != EGL_NO_RESET_NOTIFICATION &&
        wish->reset_strategy != EGL_LOSE_CONTEXT_ON_RESET) {
        error = EGL_BAD_ATTRIBUTE;
    }
    if (wish->no_error && (wish->debug || wish->robust)) {
        error = EGL_BAD_MATCH;
    }
    return (wish->flags & NO_FLAGS) != 0 ? EGL_BAD_ATTRIBUTE : error;
}

/* A context is of the highest version of its kind that the host has: each is backward
 * compatible. Forward compatibility is OpenGL's. */
static EGLint version_check(const struct gegl_display *display, const struct gegl_config *config,
                            const struct context_wish *wish)
{
    if (wish->minor > 2 || wish->forward ||
        (uint32_t)(wish->major * 10 + wish->minor) > display->host.gles_version) {
        return EGL_BAD_MATCH;
    }
    EGLint need = wish->major == 1   ? EGL_OPENGL_ES_BIT
                  : wish->major == 2 ? EGL_OPENGL_ES2_BIT
                                     : EGL_OPENGL_ES3_BIT;
    return config == NULL || (gegl_config_get(config, EGL_RENDERABLE_TYPE) & need) != 0
               ? EGL_SUCCESS
               : EGL_BAD_MATCH;
}

/* renderControl's number for a version. */
static uint32_t host_version(uint32_t gles_version)
{
    return gles_version >= 32   ? 5
           : gles_version == 31 ? 4
           : gles_version == 30 ? 3
           : gles_version == 20 ? 2
                                : 1;
}

/* The host's id of a new context, 0 when it refuses. Without a configuration: one that goes with
 * all, which only hosts of ours can make, else one of the first configuration. */
static uint32_t host_context(struct gegl_display *display, struct gs_stream *stream,
                             struct gegl_context *context, uint32_t gles_version, uint32_t share)
{
    bool any = gegl_config_get(&context->config, EGL_CONFIG_ID) == 0;
    uint32_t version = host_version(gles_version), id = 0;
    if (any && (display->host.gles_features & GGL_FEATURE_SLUICE) != 0) {
        id = rc_call_rcCreateContext(stream, HOST_ANY_CONFIG, share, version);
    }
    return id != 0 ? id : rc_call_rcCreateContext(stream, context->surface_config, share, version);
}

static EGLint host_make(struct gegl_display *display, struct gegl_context *context,
                        const struct gegl_context *share, const struct context_wish *wish)
{
    struct gs_stream *stream;
    EGLint error = gegl_stream_get(display, &stream);
    if (error != EGL_SUCCESS) {
        return error;
    }
    if (share != NULL && !gegl_object_here(&share->base, gegl_thread_peek())) {
        return EGL_CONTEXT_LOST;
    }
    uint32_t version = wish->major == 1 ? 11 : display->host.gles_version;
    context->host_id =
        host_context(display, stream, context, version, share != NULL ? share->host_id : 0);
    if (gs_dead(stream)) {
        return EGL_CONTEXT_LOST;
    }
    if (context->host_id == 0) {
        return EGL_BAD_ALLOC;
    }
    const struct ggl_context_args args = {.version = version,
                                          .features = display->host.gles_features,
                                          .share = share != NULL ? share->ggl : NULL,
                                          .lose_on_reset =
                                              wish->reset_strategy == EGL_LOSE_CONTEXT_ON_RESET,
                                          .robust = wish->robust,
                                          .debug = wish->debug,
                                          .no_error = wish->no_error,
                                          .no_flush = wish->no_flush,
                                          .ops = &gegl_gles_ops,
                                          .user = display};
    if (ggl_context_create(&args, &context->ggl) != SL_OK) {
        rc_pack_rcDestroyContext(gs_pack(stream), context->host_id);
        return EGL_BAD_ALLOC;
    }
    return EGL_SUCCESS;
}

/* share: nullable, counted by the caller. */
static EGLint context_make(struct gegl_display *display, const struct gegl_config *config,
                           const struct gegl_context *share, const struct context_wish *wish,
                           struct gegl_context **out)
{
    struct gegl_context *context = sl_alloc(sizeof *context);
    if (context == NULL) {
        return EGL_BAD_ALLOC;
    }
    if (config != NULL) {
        context->config = *config;
    }
    context->surface_config = config != NULL ? config->host_index : display->configs[0].host_index;
    context->client_version = wish->major;
    context->reset_strategy = wish->reset_strategy;
    context->no_error = wish->no_error;
    EGLint error = host_make(display, context, share, wish);
    if (error != EGL_SUCCESS) {
        sl_free(context);
        return error;
    }
    if (gegl_object_add(display, &context->base, GEGL_CONTEXT) != SL_OK) {
        context->base.display = display;
        context->base.device = gegl_thread_peek()->device->serial;
        gegl_context_end(context);
        sl_free(context);
        return EGL_BAD_ALLOC;
    }
    *out = context;
    return EGL_SUCCESS;
}

EGLContext gegl_CreateContext(EGLDisplay handle, EGLConfig config_handle, EGLContext share_handle,
                              const EGLint *attribs)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_NO_CONTEXT;
    }
    const struct gegl_config *config = NULL;
    if (config_handle != EGL_NO_CONFIG_KHR &&
        (config = gegl_config_find(display, config_handle)) == NULL) {
        gegl_fail(EGL_BAD_CONFIG);
        return EGL_NO_CONTEXT;
    }
    struct gegl_context *share = NULL, *context;
    if (share_handle != EGL_NO_CONTEXT) {
        share = gegl_object_find(display, GEGL_CONTEXT, share_handle);
        if (share == NULL) {
            gegl_fail(EGL_BAD_CONTEXT);
            return EGL_NO_CONTEXT;
        }
    }
    struct context_wish wish;
    EGLint error = wish_read(&wish, attribs);
    if (error == EGL_SUCCESS) {
        error = version_check(display, config, &wish);
    }
    if (error == EGL_SUCCESS && share != NULL &&
        (share->reset_strategy != wish.reset_strategy || share->no_error != wish.no_error)) {
        error = EGL_BAD_MATCH;
    }
    if (error == EGL_SUCCESS) {
        error = gegl_display_renew(display);
    }
    if (error == EGL_SUCCESS) {
        error = context_make(display, config, share, &wish, &context);
    }
    if (share != NULL) {
        gegl_object_unref(&share->base);
    }
    gegl_fail(error);
    return error == EGL_SUCCESS ? gegl_object_handle(&context->base) : EGL_NO_CONTEXT;
}

void gegl_context_end(struct gegl_context *context)
{
    struct gs_stream *stream;
    if (gegl_stream_of(&context->base, &stream) == EGL_SUCCESS) {
        rc_pack_rcDestroyContext(gs_pack(stream), context->host_id);
        if (context->placeholder != 0) {
            rc_pack_rcDestroyWindowSurface(gs_pack(stream), context->placeholder);
        }
        gs_flush(stream);
    }
    ggl_context_destroy(context->ggl);
}

EGLBoolean gegl_DestroyContext(EGLDisplay handle, EGLContext context)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_FALSE;
    }
    return gegl_object_remove(display, GEGL_CONTEXT, context) ? gegl_done()
                                                              : gegl_fail(EGL_BAD_CONTEXT);
}

/* Whatever thread it is current on. */
static EGLint render_buffer(const struct gegl_context *context)
{
    struct gegl_display *display = context->base.display;
    pthread_mutex_lock(&display->lock);
    EGLint buffer = context->thread != NULL ? context->render_buffer : EGL_NONE;
    pthread_mutex_unlock(&display->lock);
    return buffer;
}

EGLBoolean gegl_QueryContext(EGLDisplay handle, EGLContext context_handle, EGLint attrib,
                             EGLint *value)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_FALSE;
    }
    struct gegl_context *context = gegl_object_find(display, GEGL_CONTEXT, context_handle);
    if (context == NULL) {
        return gegl_fail(EGL_BAD_CONTEXT);
    }
    EGLint error = EGL_SUCCESS, answer = 0;
    switch (attrib) {
    case EGL_CONFIG_ID:
        answer = gegl_config_get(&context->config, EGL_CONFIG_ID);
        break;
    case EGL_CONTEXT_CLIENT_TYPE:
        answer = EGL_OPENGL_ES_API;
        break;
    case EGL_CONTEXT_CLIENT_VERSION:
        answer = context->client_version;
        break;
    case EGL_RENDER_BUFFER:
        answer = render_buffer(context);
        break;
    case EGL_CONTEXT_PRIORITY_LEVEL_IMG:
        answer = EGL_CONTEXT_PRIORITY_MEDIUM_IMG;
        break;
    default:
        error = EGL_BAD_ATTRIBUTE;
        break;
    }
    gegl_object_unref(&context->base);
    if (value == NULL) {
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    if (error != EGL_SUCCESS) {
        return gegl_fail(error);
    }
    *value = answer;
    return gegl_done();
}
