/* Surfaces in use: what they answer, pbuffers as textures, frames. */
#include "guest/egl/api.h"
#include "guest/egl/gegl.h"
#include "guest/egl/window.h"
#include "guest/rc_call.h"
#include "wire/rc_pack.h"

#include <GLES3/gl3.h>

/* The surface behind a handle, counted; NULL and the error set. Every function here begins so. */
static struct gegl_surface *surface_enter(EGLDisplay handle, EGLSurface surface_handle)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return NULL;
    }
    struct gegl_surface *surface = gegl_object_find(display, GEGL_SURFACE, surface_handle);
    if (surface == NULL) {
        gegl_fail(EGL_BAD_SURFACE);
    }
    return surface;
}

/* ... and ends so. */
static EGLBoolean surface_leave(struct gegl_surface *surface, EGLint error)
{
    gegl_object_unref(&surface->base);
    return error == EGL_SUCCESS ? gegl_done() : gegl_fail(error);
}

/* EGL error; EGL_SUCCESS with *value untouched where a pbuffer's attribute is asked of a window. */
static EGLint surface_query(struct gegl_surface *surface, EGLint attrib, EGLint *value)
{
    bool pbuffer = surface->type == EGL_PBUFFER_BIT;
    switch (attrib) {
    case EGL_WIDTH:
        *value = (EGLint)surface->width_px;
        return EGL_SUCCESS;
    case EGL_HEIGHT:
        *value = (EGLint)surface->height_px;
        return EGL_SUCCESS;
    case EGL_CONFIG_ID:
        *value = gegl_config_get(&surface->config, EGL_CONFIG_ID);
        return EGL_SUCCESS;
    case EGL_BUFFER_AGE_EXT:
        if (surface->thread != gegl_thread_peek() || surface->thread->draw != surface) {
            return EGL_BAD_SURFACE;
        }
        surface->age_read = true;
        *value = surface->buffer_age;
        return EGL_SUCCESS;
    case EGL_LARGEST_PBUFFER:
        *value = pbuffer ? surface->largest_pbuffer : *value;
        return EGL_SUCCESS;
    case EGL_TEXTURE_FORMAT:
        *value = pbuffer ? surface->texture_format : *value;
        return EGL_SUCCESS;
    case EGL_TEXTURE_TARGET:
        *value = pbuffer ? surface->texture_target : *value;
        return EGL_SUCCESS;
    case EGL_MIPMAP_TEXTURE:
        *value = pbuffer ? surface->mipmap_texture : *value;
        return EGL_SUCCESS;
    case EGL_MIPMAP_LEVEL:
        *value = pbuffer ? surface->mipmap_level : *value;
        return EGL_SUCCESS;
    case EGL_RENDER_BUFFER:
        *value = surface->render_buffer;
        return EGL_SUCCESS;
    case EGL_SWAP_BEHAVIOR:
        *value = surface->swap_behavior;
        return EGL_SUCCESS;
    case EGL_MULTISAMPLE_RESOLVE:
        *value = surface->multisample_resolve;
        return EGL_SUCCESS;
    case EGL_HORIZONTAL_RESOLUTION:
    case EGL_VERTICAL_RESOLUTION:
    case EGL_PIXEL_ASPECT_RATIO:
        *value = EGL_UNKNOWN;
        return EGL_SUCCESS;
    case EGL_GL_COLORSPACE:
        *value = surface->colorspace;
        return EGL_SUCCESS;
    case EGL_VG_COLORSPACE:
        *value = surface->vg_colorspace;
        return EGL_SUCCESS;
    case EGL_VG_ALPHA_FORMAT:
        *value = surface->vg_alpha_format;
        return EGL_SUCCESS;
    default:
        return EGL_BAD_ATTRIBUTE;
    }
}

EGLBoolean gegl_QuerySurface(EGLDisplay handle, EGLSurface surface_handle, EGLint attrib,
                             EGLint *value)
{
    struct gegl_surface *surface = surface_enter(handle, surface_handle);
    if (surface == NULL) {
        return EGL_FALSE;
    }
    EGLint error = value == NULL ? EGL_BAD_PARAMETER : surface_query(surface, attrib, value);
    return surface_leave(surface, error);
}

static EGLint surface_set(struct gegl_surface *surface, EGLint attrib, EGLint value)
{
    switch (attrib) {
    case EGL_MIPMAP_LEVEL:
        surface->mipmap_level = value;
        return EGL_SUCCESS;
    case EGL_MULTISAMPLE_RESOLVE:
        if (value == EGL_MULTISAMPLE_RESOLVE_DEFAULT) {
            surface->multisample_resolve = value;
            return EGL_SUCCESS;
        }
        return value == EGL_MULTISAMPLE_RESOLVE_BOX ? EGL_BAD_MATCH : EGL_BAD_ATTRIBUTE;
    case EGL_SWAP_BEHAVIOR:
        if (value == EGL_BUFFER_DESTROYED ||
            (value == EGL_BUFFER_PRESERVED && gegl_config_preserves(&surface->config))) {
            surface->swap_behavior = value;
            return EGL_SUCCESS;
        }
        return value == EGL_BUFFER_PRESERVED ? EGL_BAD_MATCH : EGL_BAD_ATTRIBUTE;
    default:
        return EGL_BAD_ATTRIBUTE;
    }
}

EGLBoolean gegl_SurfaceAttrib(EGLDisplay handle, EGLSurface surface_handle, EGLint attrib,
                              EGLint value)
{
    struct gegl_surface *surface = surface_enter(handle, surface_handle);
    if (surface == NULL) {
        return EGL_FALSE;
    }
    EGLint error = surface_set(surface, attrib, value);
    return surface_leave(surface, error);
}

/* --- pbuffers as textures --- */

/* The surface's picture becomes the storage of the bound texture, by way of a colour buffer. EGL
 * error. */
static EGLint texture_bind(struct gegl_surface *surface, struct gegl_thread *thread)
{
    struct gs_stream *stream = thread->stream;
    if (!gegl_object_here(&surface->base, thread)) {
        return EGL_CONTEXT_LOST; /* with the host that had it */
    }
    if (surface->color_buffer == 0) {
        GLenum format = gegl_config_is_float(&surface->config) ? GL_RGBA16F : GL_RGBA;
        surface->color_buffer =
            rc_call_rcCreateColorBuffer(stream, surface->width_px, surface->height_px, format);
        if (surface->color_buffer == 0) {
            return gs_dead(stream) ? EGL_CONTEXT_LOST : EGL_BAD_ALLOC;
        }
        rc_pack_rcOpenColorBuffer(gs_pack(stream), surface->color_buffer);
        rc_pack_rcSetWindowColorBuffer(gs_pack(stream), surface->host_id, surface->color_buffer);
    }
    (void)rc_call_rcFlushWindowColorBuffer(stream, surface->host_id);
    rc_pack_rcBindTexture(gs_pack(stream), surface->color_buffer);
    return gs_dead(stream) ? EGL_CONTEXT_LOST : EGL_SUCCESS;
}

static EGLint texture_surface_check(const struct gegl_surface *surface, EGLint buffer)
{
    if (surface->type != EGL_PBUFFER_BIT) {
        return EGL_BAD_SURFACE;
    }
    if (surface->texture_format == EGL_NO_TEXTURE) {
        return EGL_BAD_MATCH;
    }
    return buffer == EGL_BACK_BUFFER ? EGL_SUCCESS : EGL_BAD_PARAMETER;
}

EGLBoolean gegl_BindTexImage(EGLDisplay handle, EGLSurface surface_handle, EGLint buffer)
{
    struct gegl_surface *surface = surface_enter(handle, surface_handle);
    if (surface == NULL) {
        return EGL_FALSE;
    }
    struct gegl_thread *thread = gegl_thread_peek();
    EGLint error = texture_surface_check(surface, buffer);
    if (error == EGL_SUCCESS && surface->texture_bound) {
        error = EGL_BAD_ACCESS;
    }
    /* Without a current context there is no texture to bind to: nothing happens, says EGL. */
    if (error == EGL_SUCCESS && thread != NULL && thread->context != NULL) {
        error = texture_bind(surface, thread);
        surface->texture_bound = error == EGL_SUCCESS;
    }
    return surface_leave(surface, error);
}

EGLBoolean gegl_ReleaseTexImage(EGLDisplay handle, EGLSurface surface_handle, EGLint buffer)
{
    struct gegl_surface *surface = surface_enter(handle, surface_handle);
    if (surface == NULL) {
        return EGL_FALSE;
    }
    if (!surface->texture_bound) {
        return surface_leave(surface, EGL_SUCCESS); /* there is nothing to do, whatever it is */
    }
    EGLint error = texture_surface_check(surface, buffer);
    if (error == EGL_SUCCESS) {
        /* The texture keeps the picture; the surface's is undefined from here. */
        surface->texture_bound = false;
        surface->buffer_age = 0;
    }
    return surface_leave(surface, error);
}

/* --- swapping --- */

/* The host surface keeps its picture: what is in it is the last frame's, until its size changes. */
static void frame_next(struct gegl_surface *surface, uint32_t width_px, uint32_t height_px)
{
    bool kept = surface->width_px == width_px && surface->height_px == height_px;
    surface->buffer_age = kept ? 1 : 0;
    surface->age_read = false;
    surface->damaged = false;
}

EGLBoolean gegl_SetDamageRegionKHR(EGLDisplay handle, EGLSurface surface_handle, EGLint *rects,
                                   EGLint count)
{
    struct gegl_surface *surface = surface_enter(handle, surface_handle);
    if (surface == NULL) {
        return EGL_FALSE;
    }
    const struct gegl_thread *thread = gegl_thread_peek();
    EGLint error = EGL_SUCCESS;
    if (thread == NULL || thread->draw != surface || surface->type != EGL_WINDOW_BIT ||
        surface->swap_behavior != EGL_BUFFER_DESTROYED) {
        error = EGL_BAD_MATCH;
    } else if (surface->damaged || !surface->age_read) {
        error = EGL_BAD_ACCESS;
    } else if (count < 0 || (count > 0 && rects == NULL)) {
        error = EGL_BAD_PARAMETER;
    } else {
        surface->damaged = true; /* a hint: the host surface keeps all of its picture */
    }
    return surface_leave(surface, error);
}

/* damage: NULL: everything changed. */
static EGLBoolean swap(EGLDisplay handle, EGLSurface surface_handle,
                       const struct gegl_damage *damage)
{
    struct gegl_surface *surface = surface_enter(handle, surface_handle);
    if (surface == NULL) {
        return EGL_FALSE;
    }
    struct gegl_thread *thread = gegl_thread_peek();
    EGLint error = EGL_SUCCESS;
    if (thread == NULL || thread->draw != surface) {
        error = EGL_BAD_SURFACE;
    } else if (surface->type == EGL_WINDOW_BIT) {
        ggl_store_drawn(thread->context->ggl);
        uint32_t width_px = surface->width_px, height_px = surface->height_px;
        error = gegl_window_frame_end(surface, thread, damage);
        frame_next(surface, width_px, height_px);
    } else { /* the others have one buffer: nothing to swap */
        ggl_store_drawn(thread->context->ggl);
        gs_flush(thread->stream);
        error = gegl_stream_lost(thread, surface->base.display) ? EGL_CONTEXT_LOST : EGL_SUCCESS;
        if (surface->type == EGL_PBUFFER_BIT) { /* in a pixmap others draw, too */
            frame_next(surface, surface->width_px, surface->height_px);
        }
    }
    if (error == EGL_CONTEXT_LOST) { /* whoever found out: a buffer's maker, a wait */
        gegl_stream_lose(thread, surface->base.display);
    }
    EGLBoolean done = surface_leave(surface, error);
    if (thread != NULL && thread->context != NULL) {
        ggl_frame_end(thread->context->ggl); /* may call the application */
    }
    return done;
}

EGLBoolean gegl_SwapBuffers(EGLDisplay handle, EGLSurface surface)
{
    return swap(handle, surface, NULL);
}

EGLBoolean gegl_SwapBuffersWithDamage(EGLDisplay handle, EGLSurface surface, const EGLint *rects,
                                      EGLint count)
{
    if (gegl_display_enter(handle) == NULL) {
        return EGL_FALSE;
    }
    if (count < 0 || (count > 0 && rects == NULL)) {
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    const struct gegl_damage damage = {rects, count};
    return swap(handle, surface, count > 0 ? &damage : NULL);
}

EGLBoolean gegl_SwapInterval(EGLDisplay handle, EGLint interval)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_FALSE;
    }
    const struct gegl_thread *thread = gegl_thread_peek();
    if (thread == NULL || thread->context == NULL || thread->context->base.display != display ||
        !gegl_object_alive(&thread->context->base)) {
        return gegl_fail(EGL_BAD_CONTEXT);
    }
    struct gegl_surface *surface = thread->draw;
    if (surface == NULL || !gegl_object_alive(&surface->base)) {
        return gegl_fail(EGL_BAD_SURFACE);
    }
    if (surface->window != NULL) {
        EGLint least = gegl_config_get(&surface->config, EGL_MIN_SWAP_INTERVAL),
               most = gegl_config_get(&surface->config, EGL_MAX_SWAP_INTERVAL);
        gegl_window_interval(surface->window, interval < least  ? least
                                              : interval > most ? most
                                                                : interval);
    }
    return gegl_done();
}

EGLBoolean gegl_CopyBuffers(EGLDisplay handle, EGLSurface surface_handle,
                            EGLNativePixmapType target)
{
    struct gegl_surface *surface = surface_enter(handle, surface_handle);
    if (surface == NULL) {
        return EGL_FALSE;
    }
    struct gegl_thread *thread = gegl_thread_peek();
    if (surface->base.display->x11 == NULL) {
        return surface_leave(surface, EGL_BAD_NATIVE_PIXMAP);
    }
    if (thread == NULL || thread->draw != surface) { /* whose stream has what was drawn */
        return surface_leave(surface, EGL_BAD_SURFACE);
    }
    return surface_leave(surface, gegl_pixmap_copy(surface, thread, (uint32_t)target));
}
