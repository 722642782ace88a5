/* EGLImages: textures of the host under a name that all contexts know. */
#include "guest/egl/api.h"
#include "guest/egl/gegl.h"
#include "guest/rc_call.h"
#include "transport/base/mem.h"

static bool image_find(void *user, void *handle, struct ggl_image *out)
{
    struct gegl_image *image = gegl_object_find(user, GEGL_IMAGE, handle);
    if (image == NULL) {
        return false;
    }
    *out = image->image;
    gegl_object_unref(&image->base);
    return true;
}

const struct ggl_egl_ops gegl_gles_ops = {.image_find = image_find};

static EGLint attribs_check(const EGLAttrib *attribs)
{
    for (; attribs != NULL && attribs[0] != EGL_NONE; attribs += 2) {
        if (attribs[0] == EGL_GL_TEXTURE_LEVEL) {
            if (attribs[1] != 0) { /* renderControl names whole textures by their first level */
                return EGL_BAD_MATCH;
            }
        } else if (attribs[0] != EGL_IMAGE_PRESERVED) {
            return EGL_BAD_PARAMETER;
        }
    }
    return EGL_SUCCESS;
}

static EGLint image_make(struct gegl_display *display, struct gegl_context *context,
                         uint32_t texture, struct gegl_image **out)
{
    struct gs_stream *stream;
    EGLint error = gegl_stream_get(display, &stream);
    if (error != EGL_SUCCESS) {
        return error;
    }
    struct gegl_image *image = sl_alloc(sizeof *image);
    if (image == NULL) {
        return EGL_BAD_ALLOC;
    }
    uint32_t id = rc_call_rcCreateClientImage(stream, context->host_id, EGL_GL_TEXTURE_2D, texture);
    image->image = (struct ggl_image){.kind = GGL_IMAGE_TEXTURE, .id = id};
    if (gs_dead(stream)) {
        error = EGL_CONTEXT_LOST;
    } else if (id == 0) { /* no such texture, or it is incomplete */
        error = EGL_BAD_PARAMETER;
    } else if (gegl_object_add(display, &image->base, GEGL_IMAGE) != SL_OK) {
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
    if (target != EGL_GL_TEXTURE_2D) {
        gegl_fail(EGL_BAD_PARAMETER);
        return EGL_NO_IMAGE;
    }
    struct gegl_context *context = gegl_object_find(display, GEGL_CONTEXT, context_handle);
    if (context == NULL) {
        gegl_fail(EGL_BAD_CONTEXT);
        return EGL_NO_IMAGE;
    }
    struct gegl_image *image = NULL;
    EGLint error = attribs_check(attribs);
    uintptr_t texture = (uintptr_t)buffer;
    if (error == EGL_SUCCESS && (texture == 0 || texture > UINT32_MAX)) {
        error = EGL_BAD_PARAMETER;
    }
    if (error == EGL_SUCCESS) {
        error = image_make(display, context, (uint32_t)texture, &image);
    }
    gegl_object_unref(&context->base);
    gegl_fail(error);
    return image != NULL ? gegl_object_handle(&image->base) : EGL_NO_IMAGE;
}

EGLImageKHR gegl_CreateImageKHR(EGLDisplay handle, EGLContext context, EGLenum target,
                                EGLClientBuffer buffer, const EGLint *attribs)
{
    EGLAttrib wide[16];
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
    if (gegl_stream_get(image->base.display, &stream) == EGL_SUCCESS) {
        (void)rc_call_rcDestroyClientImage(stream, (EGLint)image->image.id);
    }
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
