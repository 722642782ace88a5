/* Surfaces made and ended: windows, pixmaps, pbuffers. */
#include "guest/egl/api.h"
#include "guest/egl/gegl.h"
#include "guest/egl/host.h"
#include "guest/egl/window.h"
#include "guest/rc_call.h"
#include "guest/sl_call.h"
#include "transport/base/mem.h"
#include "wire/rc_pack.h"

/* Attributes of a new surface, whatever its kind. */
struct surface_wish {
    EGLAttrib width, height;
    EGLint largest, texture_format, texture_target, mipmap, colorspace;
    EGLint vg_colorspace, vg_alpha_format, render_buffer;
};

static EGLint wish_read_one(struct surface_wish *wish, EGLint type, EGLAttrib attrib,
                            EGLAttrib value)
{
    switch (attrib) {
    case EGL_RENDER_BUFFER: /* a request; the back buffer is what there is */
        wish->render_buffer = (EGLint)value;
        return type == EGL_WINDOW_BIT && (value == EGL_BACK_BUFFER || value == EGL_SINGLE_BUFFER)
                   ? EGL_SUCCESS
                   : EGL_BAD_ATTRIBUTE;
    case EGL_GL_COLORSPACE:
        wish->colorspace = (EGLint)value;
        return value == EGL_GL_COLORSPACE_LINEAR || value == EGL_GL_COLORSPACE_SRGB
                   ? EGL_SUCCESS
                   : EGL_BAD_ATTRIBUTE;
    case EGL_VG_COLORSPACE: /* OpenVG's affair */
        wish->vg_colorspace = (EGLint)value;
        return value == EGL_VG_COLORSPACE_sRGB || value == EGL_VG_COLORSPACE_LINEAR
                   ? EGL_SUCCESS
                   : EGL_BAD_ATTRIBUTE;
    case EGL_VG_ALPHA_FORMAT:
        wish->vg_alpha_format = (EGLint)value;
        return value == EGL_VG_ALPHA_FORMAT_NONPRE || value == EGL_VG_ALPHA_FORMAT_PRE
                   ? EGL_SUCCESS
                   : EGL_BAD_ATTRIBUTE;
    default:
        break;
    }
    if (type != EGL_PBUFFER_BIT) {
        return EGL_BAD_ATTRIBUTE;
    }
    switch (attrib) {
    case EGL_WIDTH:
        wish->width = value;
        return value >= 0 ? EGL_SUCCESS : EGL_BAD_PARAMETER;
    case EGL_HEIGHT:
        wish->height = value;
        return value >= 0 ? EGL_SUCCESS : EGL_BAD_PARAMETER;
    case EGL_LARGEST_PBUFFER:
        wish->largest = value != 0;
        return EGL_SUCCESS;
    case EGL_MIPMAP_TEXTURE:
        wish->mipmap = value != 0;
        return EGL_SUCCESS;
    case EGL_TEXTURE_FORMAT:
        wish->texture_format = (EGLint)value;
        return value == EGL_NO_TEXTURE || value == EGL_TEXTURE_RGB || value == EGL_TEXTURE_RGBA
                   ? EGL_SUCCESS
                   : EGL_BAD_ATTRIBUTE;
    case EGL_TEXTURE_TARGET:
        wish->texture_target = (EGLint)value;
        return value == EGL_NO_TEXTURE || value == EGL_TEXTURE_2D ? EGL_SUCCESS : EGL_BAD_ATTRIBUTE;
    default:
        return EGL_BAD_ATTRIBUTE;
    }
}

/* Attribute lists come as EGLint or as EGLAttrib. */
static EGLint wish_read(struct surface_wish *wish, EGLint type, const EGLint *narrow,
                        const EGLAttrib *wide)
{
    *wish = (struct surface_wish){.texture_format = EGL_NO_TEXTURE,
                                  .texture_target = EGL_NO_TEXTURE,
                                  .colorspace = EGL_GL_COLORSPACE_LINEAR,
                                  .vg_colorspace = EGL_VG_COLORSPACE_sRGB,
                                  .vg_alpha_format = EGL_VG_ALPHA_FORMAT_NONPRE,
                                  .render_buffer =
                                      type == EGL_PIXMAP_BIT ? EGL_SINGLE_BUFFER : EGL_BACK_BUFFER};
    for (size_t i = 0;; i += 2) {
        EGLAttrib attrib = narrow != NULL ? narrow[i] : wide != NULL ? wide[i] : EGL_NONE;
        if (attrib == EGL_NONE) {
            return EGL_SUCCESS;
        }
        EGLint error =
            wish_read_one(wish, type, attrib, narrow != NULL ? narrow[i + 1] : wide[i + 1]);
        if (error != EGL_SUCCESS) {
            return error;
        }
    }
}

/* A surface without host side; type and configuration set. NULL: no memory. */
static struct gegl_surface *surface_alloc(const struct gegl_config *config, EGLint type,
                                          const struct surface_wish *wish)
{
    struct gegl_surface *surface = sl_alloc(sizeof *surface);
    bool keeps = type != EGL_WINDOW_BIT && gegl_config_preserves(config);
    if (surface != NULL) {
        *surface = (struct gegl_surface){.config = *config,
                                         .type = type,
                                         .texture_format = EGL_NO_TEXTURE,
                                         .texture_target = EGL_NO_TEXTURE,
                                         .colorspace = wish->colorspace,
                                         .vg_colorspace = wish->vg_colorspace,
                                         .vg_alpha_format = wish->vg_alpha_format,
                                         .render_buffer = wish->render_buffer,
                                         .swap_behavior =
                                             keeps ? EGL_BUFFER_PRESERVED : EGL_BUFFER_DESTROYED,
                                         .multisample_resolve = EGL_MULTISAMPLE_RESOLVE_DEFAULT};
    }
    return surface;
}

/* The surface's host side. EGL error. */
static EGLint host_make(struct gegl_display *display, struct gegl_surface *surface,
                        struct gs_stream *stream)
{
    /* A window can have no size; a host surface cannot. */
    uint32_t width_px = surface->width_px != 0 ? surface->width_px : 1,
             height_px = surface->height_px != 0 ? surface->height_px : 1;
    uint32_t config = surface->config.host_index;
    if (surface->colorspace == EGL_GL_COLORSPACE_LINEAR) {
        surface->host_id = rc_call_rcCreateWindowSurface(stream, config, width_px, height_px);
        return surface->host_id != 0 ? EGL_SUCCESS : EGL_BAD_ALLOC;
    }
    if (!display->host.colorspace) {
        return EGL_BAD_MATCH;
    }
    uint32_t id =
        sl_call_slCreateSurface(stream, config, width_px, height_px, (uint32_t)surface->colorspace);
    surface->host_id = id >= GEGL_HOST_IDS ? id : 0;
    return surface->host_id != 0 ? EGL_SUCCESS : (EGLint)id;
}

EGLint gegl_surface_renew(struct gegl_surface *surface, struct gegl_thread *thread)
{
    if (gegl_object_here(&surface->base, thread)) {
        return EGL_SUCCESS;
    }
    surface->host_id = 0; /* what there was went with the old host */
    surface->color_buffer = 0;
    surface->texture_bound = false;
    surface->buffer_age = 0;
    EGLint error =
        surface->window != NULL ? gegl_window_renew(surface->window, thread->device) : EGL_SUCCESS;
    if (error == EGL_SUCCESS) {
        error = host_make(surface->base.display, surface, thread->stream);
    }
    if (gs_dead(thread->stream)) {
        return EGL_CONTEXT_LOST;
    }
    if (error == EGL_SUCCESS) {
        surface->base.device = thread->device->serial;
    }
    return error;
}

/* Takes the surface: gives it host side and handle, or ends it. */
static EGLSurface surface_publish(struct gegl_display *display, struct gegl_surface *surface)
{
    struct gs_stream *stream;
    EGLint error = gegl_stream_get(display, &stream);
    if (error == EGL_SUCCESS && surface->window != NULL &&
        !gegl_window_is_on(surface->window, stream->device)) {
        error = EGL_CONTEXT_LOST;
    }
    if (error == EGL_SUCCESS) {
        surface->base.device = stream->device->serial;
        error = host_make(display, surface, stream);
        error = gs_dead(stream) ? EGL_CONTEXT_LOST : error;
    }
    surface->base.display = display;
    if (error == EGL_SUCCESS && gegl_object_add(display, &surface->base, GEGL_SURFACE) != SL_OK) {
        error = EGL_BAD_ALLOC;
    }
    gegl_fail(error);
    if (error != EGL_SUCCESS) {
        gegl_surface_end(surface);
        sl_free(surface);
        return EGL_NO_SURFACE;
    }
    return gegl_object_handle(&surface->base);
}

void gegl_surface_end(struct gegl_surface *surface)
{
    if (surface->window != NULL) {
        gegl_window_destroy(surface->window);
    }
    struct gs_stream *stream;
    if (surface->host_id != 0 && gegl_stream_of(&surface->base, &stream) == EGL_SUCCESS) {
        rc_pack_rcDestroyWindowSurface(gs_pack(stream), surface->host_id);
        if (surface->color_buffer != 0) {
            rc_pack_rcCloseColorBuffer(gs_pack(stream), surface->color_buffer);
        }
        gs_flush(stream);
    }
}

/* The display and configuration of a new surface. False: the error is set. */
static bool begin(EGLDisplay handle, EGLConfig config_handle, EGLint type,
                  struct gegl_display **display, const struct gegl_config **config)
{
    const struct gegl_display *found = gegl_display_find(handle);
    EGLint foreign = type == EGL_WINDOW_BIT   ? EGL_BAD_NATIVE_WINDOW
                     : type == EGL_PIXMAP_BIT ? EGL_BAD_NATIVE_PIXMAP
                                              : EGL_SUCCESS;
    bool windowless = found != NULL && (found->platform == GEGL_PLATFORM_SURFACELESS ||
                                        found->platform == GEGL_PLATFORM_DEVICE);
    if (foreign != EGL_SUCCESS && windowless) {
        return gegl_fail(foreign); /* before anything else is looked at, as drivers do */
    }
    *display = gegl_display_enter(handle);
    if (*display == NULL) {
        return false;
    }
    *config = gegl_config_find(*display, config_handle);
    if (*config == NULL) {
        return gegl_fail(EGL_BAD_CONFIG);
    }
    return (gegl_config_get(*config, EGL_SURFACE_TYPE) & type) != 0 || gegl_fail(EGL_BAD_MATCH);
}

/* type: EGL_WINDOW_BIT or EGL_PIXMAP_BIT. */
static EGLSurface drawable_create(EGLDisplay handle, EGLConfig config_handle, EGLint type,
                                  void *native, const EGLint *narrow, const EGLAttrib *wide)
{
    struct gegl_display *display = NULL;
    const struct gegl_config *config = NULL;
    if (type == EGL_WINDOW_BIT && native == NULL) { /* before all else, as drivers do */
        gegl_fail(EGL_BAD_NATIVE_WINDOW);
        return EGL_NO_SURFACE;
    }
    if (!begin(handle, config_handle, type, &display, &config)) {
        return EGL_NO_SURFACE;
    }
    struct surface_wish wish;
    EGLint error = native == NULL                       ? EGL_BAD_NATIVE_PIXMAP
                   : gegl_window_taken(display, native) ? EGL_BAD_ALLOC
                                                        : wish_read(&wish, type, narrow, wide);
    error = error == EGL_SUCCESS ? gegl_display_renew(display) : error;
    struct gegl_surface *surface = error == EGL_SUCCESS ? surface_alloc(config, type, &wish) : NULL;
    if (error == EGL_SUCCESS) {
        error = surface == NULL
                    ? EGL_BAD_ALLOC
                    : gegl_window_create(display, config, type, native, &surface->window);
    }
    if (error != EGL_SUCCESS) {
        sl_free(surface);
        gegl_fail(error);
        return EGL_NO_SURFACE;
    }
    if (gegl_window_size(surface->window, &surface->width_px, &surface->height_px) != SL_OK) {
        gegl_window_destroy(surface->window);
        sl_free(surface);
        gegl_fail(EGL_BAD_NATIVE_WINDOW);
        return EGL_NO_SURFACE;
    }
    return surface_publish(display, surface);
}

EGLSurface gegl_CreateWindowSurface(EGLDisplay handle, EGLConfig config, EGLNativeWindowType window,
                                    const EGLint *attribs)
{
    return drawable_create(handle, config, EGL_WINDOW_BIT, (void *)window, attribs, NULL);
}

/* Platform windows and pixmaps of X11 come by pointer: Xlib's are longs, xcb's u32. */
static void *platform_drawable(EGLDisplay handle, void *window)
{
    struct gegl_display *display = gegl_display_find(handle);
    if (display == NULL || window == NULL || !gegl_display_ready(display)) {
        return window;
    }
    switch (display->platform) {
    case GEGL_PLATFORM_XCB:
        return (void *)(uintptr_t) * (const uint32_t *)window;
    case GEGL_PLATFORM_X11:
        return (void *)(uintptr_t) * (const unsigned long *)window;
    default:
        return window;
    }
}

EGLSurface gegl_CreatePlatformWindowSurface(EGLDisplay handle, EGLConfig config, void *window,
                                            const EGLAttrib *attribs)
{
    void *native = platform_drawable(handle, window);
    return drawable_create(handle, config, EGL_WINDOW_BIT, native, NULL, attribs);
}

EGLSurface gegl_CreatePlatformWindowSurfaceEXT(EGLDisplay handle, EGLConfig config, void *window,
                                               const EGLint *attribs)
{
    void *native = platform_drawable(handle, window);
    return drawable_create(handle, config, EGL_WINDOW_BIT, native, attribs, NULL);
}

EGLSurface gegl_CreatePixmapSurface(EGLDisplay handle, EGLConfig config, EGLNativePixmapType pixmap,
                                    const EGLint *attribs)
{
    return drawable_create(handle, config, EGL_PIXMAP_BIT, (void *)pixmap, attribs, NULL);
}

EGLSurface gegl_CreatePlatformPixmapSurface(EGLDisplay handle, EGLConfig config, void *pixmap,
                                            const EGLAttrib *attribs)
{
    void *native = platform_drawable(handle, pixmap);
    return drawable_create(handle, config, EGL_PIXMAP_BIT, native, NULL, attribs);
}

EGLSurface gegl_CreatePlatformPixmapSurfaceEXT(EGLDisplay handle, EGLConfig config, void *pixmap,
                                               const EGLint *attribs)
{
    void *native = platform_drawable(handle, pixmap);
    return drawable_create(handle, config, EGL_PIXMAP_BIT, native, attribs, NULL);
}

/* EGL 1.5, 3.5.2: what pbuffers can be. EGL error. */
static EGLint pbuffer_check(const struct gegl_config *config, struct surface_wish *wish)
{
    if ((wish->texture_format == EGL_NO_TEXTURE) != (wish->texture_target == EGL_NO_TEXTURE)) {
        return EGL_BAD_MATCH;
    }
    EGLAttrib most_wide = gegl_config_get(config, EGL_MAX_PBUFFER_WIDTH),
              most_high = gegl_config_get(config, EGL_MAX_PBUFFER_HEIGHT);
    if (wish->largest) { /* else the host says what is too large */
        wish->width = most_wide > 0 && wish->width > most_wide ? most_wide : wish->width;
        wish->height = most_high > 0 && wish->height > most_high ? most_high : wish->height;
    }
    return wish->width <= INT32_MAX && wish->height <= INT32_MAX ? EGL_SUCCESS : EGL_BAD_ALLOC;
}

EGLSurface gegl_CreatePbufferSurface(EGLDisplay handle, EGLConfig config_handle,
                                     const EGLint *attribs)
{
    struct gegl_display *display;
    const struct gegl_config *config;
    if (!begin(handle, config_handle, EGL_PBUFFER_BIT, &display, &config)) {
        return EGL_NO_SURFACE;
    }
    struct surface_wish wish;
    EGLint error = wish_read(&wish, EGL_PBUFFER_BIT, attribs, NULL);
    if (error == EGL_SUCCESS) {
        error = pbuffer_check(config, &wish);
    }
    error = error == EGL_SUCCESS ? gegl_display_renew(display) : error;
    struct gegl_surface *surface =
        error == EGL_SUCCESS ? surface_alloc(config, EGL_PBUFFER_BIT, &wish) : NULL;
    if (surface == NULL) {
        gegl_fail(error != EGL_SUCCESS ? error : EGL_BAD_ALLOC);
        return EGL_NO_SURFACE;
    }
    surface->width_px = (uint32_t)wish.width;
    surface->height_px = (uint32_t)wish.height;
    surface->largest_pbuffer = wish.largest;
    surface->texture_format = wish.texture_format;
    surface->texture_target = wish.texture_target;
    surface->mipmap_texture = wish.mipmap;
    return surface_publish(display, surface);
}

EGLSurface gegl_CreatePbufferFromClientBuffer(EGLDisplay handle, EGLenum type,
                                              EGLClientBuffer buffer, EGLConfig config,
                                              const EGLint *attribs)
{
    (void)type;
    (void)buffer;
    (void)attribs;
    const struct gegl_display *display = gegl_display_enter(handle);
    if (display != NULL) { /* client buffers are OpenVG's; drivers say so by this error */
        gegl_fail(gegl_config_find(display, config) != NULL ? EGL_BAD_ALLOC : EGL_BAD_CONFIG);
    }
    return EGL_NO_SURFACE;
}

EGLBoolean gegl_DestroySurface(EGLDisplay handle, EGLSurface surface)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_FALSE;
    }
    return gegl_object_remove(display, GEGL_SURFACE, surface) ? gegl_done()
                                                              : gegl_fail(EGL_BAD_SURFACE);
}
