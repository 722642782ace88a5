/* EGL_MESA_image_dma_buf_export: an image's memory as dma-bufs, in a virtual machine.
 *
 * The host's textures have no memory in the guest. The first export makes a 3D resource of the
 * texture's size and format, which the host takes for the texture's picture from then on: what is
 * drawn there goes to it when others may look (guest/gles/ggl_store.c), and who takes the resource
 * for an image of that format has the same texture. It is kept as long as the texture is. Images of
 * dma-bufs are what they were made of. */
#include "guest/egl/api.h"
#include "guest/egl/dmabuf_format.h"
#include "guest/egl/gegl.h"
#include "guest/egl/host.h"
#include "guest/sl_call.h"
#include "transport/base/fd.h"
#include "transport/virtgpu/vg.h"

#define MODIFIER_LINEAR 0

/* What the host says of an image. */
struct about {
    uint32_t fourcc, width, height;
};

/* The format of a resource for it; 0: it is not exported. */
static uint32_t format_of(const struct about *about)
{
    const struct gegl_dmabuf_format *format = gegl_dmabuf_format_find(about->fourcc, true);
    return format != NULL ? format->virtgpu : 0;
}

static bool about_read(struct gegl_image *image, struct about *about)
{
    struct gs_stream *stream;
    return image->is_whole && gegl_stream_of(&image->base, &stream) == EGL_SUCCESS &&
           sl_call_slAskImage(stream, image->host_id, about, sizeof *about, sizeof *about) == 1 &&
           format_of(about) != 0;
}

/* Counted; NULL: the error is set. */
static struct gegl_image *image_find(EGLDisplay handle, EGLImageKHR image_handle)
{
    struct gegl_display *display = gegl_display_enter(handle);
    struct gegl_image *image = NULL;
    if (display != NULL && display->host.export) {
        image = gegl_object_find(display, GEGL_IMAGE, image_handle);
    }
    if (display != NULL && image == NULL) {
        gegl_fail(EGL_BAD_PARAMETER);
    }
    return image;
}

static uint32_t plane_count(const struct gegl_image *image)
{
    uint32_t count = 0;
    while (count < GEGL_PLANES && image->planes[count] != NULL) {
        count++;
    }
    return count != 0 ? count : 1;
}

EGLBoolean gegl_ExportDMABUFImageQueryMESA(EGLDisplay handle, EGLImageKHR image_handle, int *fourcc,
                                           int *planes, EGLuint64KHR *modifiers)
{
    struct gegl_image *image = image_find(handle, image_handle);
    if (image == NULL) {
        return EGL_FALSE;
    }
    struct about about = {.fourcc = image->fourcc};
    bool known = image->planes[0] != NULL || about_read(image, &about);
    uint32_t count = plane_count(image);
    gegl_object_unref(&image->base);
    gegl_done(); /* drivers say no without an error */
    if (!known) {
        return EGL_FALSE;
    }
    if (fourcc != NULL) {
        *fourcc = (int)about.fourcc;
    }
    if (planes != NULL) {
        *planes = (int)count;
    }
    for (uint32_t i = 0; modifiers != NULL && i < count; i++) {
        modifiers[i] = MODIFIER_LINEAR;
    }
    return EGL_TRUE;
}

/* A resource that the host has made the picture of the image. NULL: it cannot be. */
static struct ggl_export *resource_make(struct gegl_image *image, const struct about *about)
{
    const struct vg_tex_args args = {.target = VIRTGPU_TARGET_2D,
                                     .format = format_of(about),
                                     .bind = VIRTGPU_BIND_RENDER_TARGET | VIRTGPU_BIND_SAMPLER_VIEW,
                                     .width_px = about->width,
                                     .height_px = about->height,
                                     .depth = 1,
                                     .array_size = 1,
                                     .flags = VIRTGPU_RESOURCE_Y_0_TOP};
    struct vg_res *res;
    struct gs_stream *stream;
    if (gegl_stream_of(&image->base, &stream) != EGL_SUCCESS ||
        vg_tex_create(stream->device->vg, &args, &res) != SL_OK) {
        return NULL;
    }
    if (sl_call_slExportImage(stream, image->host_id, res->id) != 1) {
        vg_res_destroy(res);
        return NULL;
    }
    struct ggl_export *e = ggl_export_new(res, about->width, about->height);
    if (e != NULL) {
        ggl_export_show(e);
    }
    return e;
}

/* What the image's texture is exported as, exported now where it was not. A reference; NULL. */
static struct ggl_export *export_of(struct gegl_image *image, struct gegl_context *context)
{
    GLenum target = image->target == EGL_GL_RENDERBUFFER ? GL_RENDERBUFFER : GL_TEXTURE_2D;
    struct gegl_thread *thread = gegl_thread_peek();
    struct about about;
    struct ggl_export *e = ggl_export_find(context->ggl, target, image->name);
    if (e != NULL) {
        return e;
    }
    if (thread != NULL && thread->context != NULL) {
        ggl_store_drawn(thread->context->ggl);
    }
    e = about_read(image, &about) ? resource_make(image, &about) : NULL;
    if (e != NULL && !ggl_export_begins(context->ggl, target, image->name, e)) {
        ggl_export_put(e);
        return NULL;
    }
    return e;
}

/* As gegl_image.exported, which it becomes. The image's lock is the display's. */
static bool texture_export(struct gegl_image *image)
{
    struct gegl_display *display = image->base.display;
    struct gegl_context *context = gegl_object_find(display, GEGL_CONTEXT, image->context);
    struct ggl_export *e = context != NULL ? export_of(image, context) : NULL, *spare = e;
    if (context != NULL) {
        gegl_object_unref(&context->base);
    }
    pthread_mutex_lock(&display->lock);
    if (image->exported == NULL && e != NULL) {
        image->exported = e;
        image->image = (struct ggl_image){.kind = GGL_IMAGE_COLOR_BUFFER, .id = e->res->id};
        spare = NULL;
    }
    pthread_mutex_unlock(&display->lock);
    ggl_export_put(spare);
    return e != NULL;
}

static bool plane_export(struct vg_res *res, uint32_t offset, uint32_t pitch, uint32_t at, int *fds,
                         EGLint *strides, EGLint *offsets)
{
    if (fds != NULL && res->vg->ops->res_export(res, &fds[at]) != SL_OK) {
        return false;
    }
    if (strides != NULL) {
        strides[at] = (EGLint)pitch;
    }
    if (offsets != NULL) {
        offsets[at] = (EGLint)offset;
    }
    return true;
}

/* What was exported already is shown at once: the program has finished what it drew. */
EGLBoolean gegl_ExportDMABUFImageMESA(EGLDisplay handle, EGLImageKHR image_handle, int *fds,
                                      EGLint *strides, EGLint *offsets)
{
    struct gegl_image *image = image_find(handle, image_handle);
    if (image == NULL) {
        return EGL_FALSE;
    }
    bool is_ours = image->planes[0] == NULL, ok = true;
    uint32_t done = 0, count = plane_count(image);
    if (is_ours) {
        pthread_mutex_lock(&image->base.display->lock);
        struct ggl_export *e = image->exported;
        pthread_mutex_unlock(&image->base.display->lock);
        ok = e != NULL || texture_export(image);
        ok = ok && plane_export(image->exported->res, 0, image->exported->res->stride, 0, fds,
                                strides, offsets);
    }
    for (; !is_ours && ok && done < count; done += ok) {
        ok = plane_export(image->planes[done], image->offsets[done], image->pitches[done], done,
                          fds, strides, offsets);
    }
    while (!ok && fds != NULL && done-- > 0) {
        sl_fd_close(&fds[done]);
    }
    gegl_object_unref(&image->base);
    gegl_done();
    return ok ? EGL_TRUE : EGL_FALSE;
}
