/* EGLImages: textures and renderbuffers of the host under a name that all contexts know. */
#include "guest/egl/api.h"
#include "guest/egl/gegl.h"
#include "guest/egl/host.h"
#include "guest/rc_call.h"
#include "guest/sl_call.h"
#include "transport/base/mem.h"
#include "wire/rc_pack.h"

static bool image_find(void *user, void *handle, struct ggl_image *out)
{
    struct gegl_image *image = gegl_object_find(user, GEGL_IMAGE, handle);
    if (image == NULL) {
        return false;
    }
    bool here = gegl_object_here(&image->base, gegl_thread_peek());
    pthread_mutex_lock(&image->base.display->lock);
    *out = image->image;
    pthread_mutex_unlock(&image->base.display->lock);
    gegl_object_unref(&image->base);
    return here;
}

const struct ggl_egl_ops gegl_gles_ops = {.image_find = image_find};

/* What an image is of. */
struct image_wish {
    EGLenum target;
    uint32_t name;
    EGLAttrib level, layer;
};

static EGLint attribs_read(struct image_wish *wish, const EGLAttrib *attribs)
{
    if (wish->target == EGL_GL_RENDERBUFFER) {
        return EGL_SUCCESS; /* it has none, and drivers do not look */
    }
    for (; attribs != NULL && attribs[0] != EGL_NONE; attribs += 2) {
        switch (attribs[0]) {
        case EGL_GL_TEXTURE_LEVEL:
            wish->level = attribs[1];
            break;
        case EGL_GL_TEXTURE_ZOFFSET:
            wish->layer = attribs[1];
            break;
        case EGL_IMAGE_PRESERVED:
        case EGL_WIDTH: /* of other targets' images: drivers that have those let them pass */
        case EGL_HEIGHT:
            break;
        default:
            return EGL_BAD_PARAMETER;
        }
    }
    bool fits = wish->level == (EGLint)wish->level && wish->layer == (EGLint)wish->layer;
    return fits ? EGL_SUCCESS : EGL_BAD_PARAMETER;
}

/* Are there images of this kind? */
static bool target_known(const struct gegl_display *display, EGLenum target)
{
    switch (target) {
    case EGL_GL_TEXTURE_2D:
        return true;
    case EGL_GL_TEXTURE_3D:
        return display->host.image_3d;
    case EGL_GL_RENDERBUFFER:
        return display->host.image_renderbuffer;
    default:
        return display->host.image_cube && target >= EGL_GL_TEXTURE_CUBE_MAP_POSITIVE_X &&
               target <= EGL_GL_TEXTURE_CUBE_MAP_NEGATIVE_Z;
    }
}

/* The host's id of a new image. EGL error. */
static EGLint host_make(const struct gegl_context *context, const struct image_wish *wish,
                        struct gs_stream *stream, uint32_t *id)
{
    if ((stream->device->features & SLUICE_FEATURE_EGL) == 0) {
        if (wish->level != 0) { /* renderControl names whole textures by their first level */
            return EGL_BAD_MATCH;
        }
        *id = rc_call_rcCreateClientImage(stream, context->host_id, wish->target, wish->name);
        return *id != 0 ? EGL_SUCCESS : EGL_BAD_PARAMETER;
    }
    *id = sl_call_slCreateImage(stream, context->host_id, wish->target, wish->name,
                                (uint32_t)wish->level, (uint32_t)wish->layer);
    return *id >= GEGL_HOST_IDS ? EGL_SUCCESS : (EGLint)*id;
}

static EGLint image_make(struct gegl_display *display, struct gegl_context *context,
                         const struct image_wish *wish, struct gegl_image **out)
{
    struct gs_stream *stream;
    EGLint error = gegl_stream_of(&context->base, &stream);
    if (error != EGL_SUCCESS) {
        return error;
    }
    struct gegl_image *image = sl_alloc(sizeof *image);
    if (image == NULL) {
        return EGL_BAD_ALLOC;
    }
    uint32_t id = 0;
    error = host_make(context, wish, stream, &id);
    *image = (struct gegl_image){.image = {.kind = GGL_IMAGE_TEXTURE, .id = id},
                                 .host_id = id,
                                 .is_whole = wish->level == 0 && wish->layer == 0,
                                 .context = gegl_object_handle(&context->base),
                                 .target = wish->target,
                                 .name = wish->name};
    if (gs_dead(stream)) {
        error = EGL_CONTEXT_LOST;
    } else if (error == EGL_SUCCESS &&
               gegl_object_add(display, &image->base, GEGL_IMAGE) != SL_OK) {
        (void)rc_call_rcDestroyClientImage(stream, id);
        error = EGL_BAD_ALLOC;
    }
    if (error != EGL_SUCCESS) {
        sl_free(image);
        return error;
    }
    *out = image;
    return EGL_SUCCESS;
}

EGLImage gegl_CreateImage(EGLDisplay handle, EGLContext context_handle, EGLenum target,
                          EGLClientBuffer buffer, const EGLAttrib *attribs)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_NO_IMAGE;
    }
    if (target == EGL_LINUX_DMA_BUF_EXT && display->host.dma_buf) {
        return gegl_dma_buf_image(display, context_handle, buffer, attribs);
    }
    if (target == EGL_NATIVE_PIXMAP_KHR && display->host.dma_buf && display->gbm != NULL) {
        return gegl_pixmap_image(display, context_handle, buffer, attribs);
    }
    struct gegl_context *context = gegl_object_find(display, GEGL_CONTEXT, context_handle);
    if (context == NULL && context_handle != EGL_NO_CONTEXT) {
        gegl_fail(EGL_BAD_CONTEXT);
        return EGL_NO_IMAGE;
    }
    struct gegl_image *image = NULL;
    uintptr_t name = (uintptr_t)buffer;
    struct image_wish wish = {.target = target, .name = (uint32_t)name};
    EGLint error = !target_known(display, target) ? EGL_BAD_PARAMETER
                   : context == NULL              ? EGL_BAD_CONTEXT
                                                  : attribs_read(&wish, attribs);
    if (error == EGL_SUCCESS && (name == 0 || name > UINT32_MAX)) {
        error = EGL_BAD_PARAMETER;
    }
    if (error == EGL_SUCCESS) {
        error = image_make(display, context, &wish, &image);
    }
    if (context != NULL) {
        gegl_object_unref(&context->base);
    }
    gegl_fail(error);
    return image != NULL ? gegl_object_handle(&image->base) : EGL_NO_IMAGE;
}

EGLImageKHR gegl_CreateImageKHR(EGLDisplay handle, EGLContext context, EGLenum target,
                                EGLClientBuffer buffer, const EGLint *attribs)
{
    EGLAttrib wide[64];
    size_t n = 0;
    for (; attribs != NULL && attribs[n] != EGL_NONE; n += 2) {
        if (n + 2 >= sizeof wide / sizeof wide[0]) {
            gegl_fail(EGL_BAD_PARAMETER);
            return EGL_NO_IMAGE_KHR;
        }
        wide[n] = attribs[n];
        wide[n + 1] = attribs[n + 1];
    }
    wide[n] = EGL_NONE;
    return gegl_CreateImage(handle, context, target, buffer, wide);
}

void gegl_image_end(struct gegl_image *image)
{
    struct gs_stream *stream;
    bool reached = gegl_stream_of(&image->base, &stream) == EGL_SUCCESS;
    if (image->planes[0] != NULL) {
        if (reached && image->is_view) {
            rc_pack_rcCloseColorBuffer(gs_pack(stream), image->image.id);
        }
        if (reached) {
            gegl_host_catch_up(stream); /* it has read every packet that names the resources */
        }
        gegl_planes_end(image->planes);
    } else if (reached) {
        (void)rc_call_rcDestroyClientImage(stream, (EGLint)image->host_id);
    }
    ggl_export_put(image->exported);
}

EGLBoolean gegl_DestroyImage(EGLDisplay handle, EGLImage image)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return EGL_FALSE;
    }
    return gegl_object_remove(display, GEGL_IMAGE, image) ? gegl_done()
                                                          : gegl_fail(EGL_BAD_PARAMETER);
}
