/* EGLImages of dma-bufs (EGL_EXT_image_dma_buf_import): parts of 3D resources' memory in the
 * virtual machine's GPU, such as libgbm's buffers, which can be named themselves on GBM
 * (EGL_KHR_image_pixmap).
 *
 * The host's texture is filled from that memory when it becomes a texture's storage; what is drawn
 * into it there goes to the memory when the program flushes (guest/gles/ggl_store.c). Images of
 * brightness and colours, and all of a host that cannot do that, are for external textures alone,
 * which nobody draws into, and say so (external_only of eglQueryDmaBufModifiersEXT). */
#include "guest/egl/api.h"
#include "guest/egl/dmabuf_format.h"
#include "guest/egl/gbm.h"
#include "guest/egl/gegl.h"
#include "guest/sl_call.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/virtgpu/vg.h"

#define MODIFIER_LINEAR 0

struct plane_wish {
    EGLAttrib fd, offset, pitch, modifier_low, modifier_high;
    uint32_t given; /* bit n: the n-th of these */
};
enum { ALL_OF_A_PLANE = 7, ALL_OF_A_PICTURE = 7, ATTRIB_PLANES = 4 };

struct image_wish {
    EGLAttrib width, height, format;
    uint32_t given; /* bit n: the n-th of these */
    uint32_t yuv;   /* slCreateView's: a standard (0 BT.601, 1 709, 2 2020), 4: the full range */
    struct plane_wish planes[ATTRIB_PLANES];
};

/* EGL error. */
static EGLint hint_read(struct image_wish *wish, EGLAttrib name, EGLAttrib value)
{
    switch (name) {
    case EGL_YUV_COLOR_SPACE_HINT_EXT:
        if (value < EGL_ITU_REC601_EXT || value > EGL_ITU_REC2020_EXT) {
            return EGL_BAD_ATTRIBUTE;
        }
        wish->yuv = (wish->yuv & 4) | (uint32_t)(value - EGL_ITU_REC601_EXT);
        return EGL_SUCCESS;
    case EGL_SAMPLE_RANGE_HINT_EXT:
        wish->yuv = (wish->yuv & 3) | (value == EGL_YUV_FULL_RANGE_EXT ? 4u : 0);
        return value == EGL_YUV_FULL_RANGE_EXT || value == EGL_YUV_NARROW_RANGE_EXT
                   ? EGL_SUCCESS
                   : EGL_BAD_ATTRIBUTE;
    case EGL_YUV_CHROMA_HORIZONTAL_SITING_HINT_EXT: /* drivers sample between them, as we do */
    case EGL_YUV_CHROMA_VERTICAL_SITING_HINT_EXT:
        return value == EGL_YUV_CHROMA_SITING_0_EXT || value == EGL_YUV_CHROMA_SITING_0_5_EXT
                   ? EGL_SUCCESS
                   : EGL_BAD_ATTRIBUTE;
    case EGL_IMAGE_PRESERVED:
        return EGL_SUCCESS;
    default:
        return EGL_BAD_ATTRIBUTE;
    }
}

/* Where the value of an attribute goes that is a number of a plane; NULL: it is none. */
static EGLAttrib *plane_attrib(struct image_wish *wish, EGLAttrib name)
{
    enum { FD, OFFSET, PITCH, LOW, HIGH };
    EGLAttrib plane = ATTRIB_PLANES, which = 0;
    if (name >= EGL_DMA_BUF_PLANE0_FD_EXT && name <= EGL_DMA_BUF_PLANE2_PITCH_EXT) {
        plane = (name - EGL_DMA_BUF_PLANE0_FD_EXT) / 3;
        which = (name - EGL_DMA_BUF_PLANE0_FD_EXT) % 3;
    } else if (name >= EGL_DMA_BUF_PLANE3_FD_EXT && name <= EGL_DMA_BUF_PLANE3_PITCH_EXT) {
        plane = 3;
        which = name - EGL_DMA_BUF_PLANE3_FD_EXT;
    } else if (name >= EGL_DMA_BUF_PLANE0_MODIFIER_LO_EXT &&
               name <= EGL_DMA_BUF_PLANE3_MODIFIER_HI_EXT) {
        plane = (name - EGL_DMA_BUF_PLANE0_MODIFIER_LO_EXT) / 2;
        which = LOW + (name - EGL_DMA_BUF_PLANE0_MODIFIER_LO_EXT) % 2;
    }
    if (plane == ATTRIB_PLANES) {
        return NULL;
    }
    struct plane_wish *p = &wish->planes[plane];
    EGLAttrib *const places[] = {[FD] = &p->fd,
                                 [OFFSET] = &p->offset,
                                 [PITCH] = &p->pitch,
                                 [LOW] = &p->modifier_low,
                                 [HIGH] = &p->modifier_high};
    p->given |= 1u << which;
    return places[which];
}

/* EGL error. */
static EGLint attrib_read(struct image_wish *wish, EGLAttrib name, EGLAttrib value)
{
    static const EGLint names[] = {EGL_WIDTH, EGL_HEIGHT, EGL_LINUX_DRM_FOURCC_EXT};
    EGLAttrib *const places[] = {&wish->width, &wish->height, &wish->format};
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i] == name) {
            *places[i] = value;
            wish->given |= 1u << i;
            return EGL_SUCCESS;
        }
    }
    EGLAttrib *place = plane_attrib(wish, name);
    if (place == NULL) {
        return hint_read(wish, name, value);
    }
    *place = value;
    return EGL_SUCCESS;
}

static const struct gegl_dmabuf_format *format_of(const struct gegl_display *display,
                                                  EGLAttrib name)
{
    return name >= 0 && name <= UINT32_MAX
               ? gegl_dmabuf_format_find((uint32_t)name, display->host.view)
               : NULL;
}

/* Is all there that the format has, and no more? EGL error. */
static EGLint planes_check(const struct image_wish *wish, const struct gegl_dmabuf_format *f,
                           bool views)
{
    for (uint32_t i = 0; i < ATTRIB_PLANES; i++) {
        const struct plane_wish *p = &wish->planes[i];
        if (i >= f->planes && p->given != 0) {
            return EGL_BAD_ATTRIBUTE;
        }
        if (i < f->planes && (p->given & ALL_OF_A_PLANE) != ALL_OF_A_PLANE) {
            return EGL_BAD_PARAMETER;
        }
    }
    for (uint32_t i = 0; i < f->planes; i++) {
        const struct plane_wish *p = &wish->planes[i];
        if (p->modifier_low != MODIFIER_LINEAR || p->modifier_high != 0) {
            return EGL_BAD_MATCH;
        }
        if (p->offset < 0 || p->offset > INT32_MAX || (!views && p->offset != 0) ||
            p->pitch > INT32_MAX ||
            p->pitch < (EGLAttrib)gegl_dmabuf_row(f, i, (uint32_t)wish->width)) {
            return EGL_BAD_ACCESS;
        }
    }
    return EGL_SUCCESS;
}

static EGLint wish_read(const struct gegl_display *display, struct image_wish *wish,
                        const EGLAttrib *attribs)
{
    for (; attribs != NULL && attribs[0] != EGL_NONE; attribs += 2) {
        EGLint error = attrib_read(wish, attribs[0], attribs[1]);
        if (error != EGL_SUCCESS) {
            return error;
        }
    }
    if (wish->given != ALL_OF_A_PICTURE || wish->width <= 0 || wish->height <= 0 ||
        wish->width > INT32_MAX || wish->height > INT32_MAX ||
        (wish->planes[0].given & ALL_OF_A_PLANE) != ALL_OF_A_PLANE) {
        return EGL_BAD_PARAMETER;
    }
    const struct gegl_dmabuf_format *f = format_of(display, wish->format);
    return f != NULL ? planes_check(wish, f, display->host.view) : EGL_BAD_MATCH;
}

void gegl_planes_end(struct vg_res *planes[GEGL_PLANES])
{
    for (uint32_t i = 0; i < GEGL_PLANES; i++) {
        vg_res_destroy(planes[i]);
        planes[i] = NULL;
    }
}

/* The planes' descriptors stay the program's. EGL error; then what was imported is there still. */
static EGLint import(struct gegl_display *display, const struct image_wish *wish,
                     const struct gegl_dmabuf_format *f, struct gegl_image *image)
{
    struct gs_stream *stream;
    EGLint error = gegl_stream_get(display, &stream);
    if (error != EGL_SUCCESS) {
        return error;
    }
    struct vg *vg = stream->device->vg;
    for (uint32_t i = 0; i < f->planes; i++) {
        const struct plane_wish *p = &wish->planes[i];
        int fd = -1;
        if (p->fd < 0 || p->fd > INT32_MAX || sl_fd_dup((int)p->fd, &fd) != SL_OK) {
            return EGL_BAD_PARAMETER;
        }
        uint32_t rows = gegl_dmabuf_rows(f, i, (uint32_t)wish->height);
        uint64_t size = (uint64_t)p->offset + (uint64_t)p->pitch * (rows - 1) +
                        gegl_dmabuf_row(f, i, (uint32_t)wish->width);
        enum sl_result r = vg->ops->res_import(vg, fd, size, &image->planes[i]);
        if (r != SL_OK) { /* another device's, or too small */
            return r == SL_ERR_NOMEM ? EGL_BAD_ALLOC : EGL_BAD_MATCH;
        }
    }
    image->fourcc = f->fourcc;
    for (uint32_t i = 0; i < f->planes; i++) {
        image->offsets[i] = (uint32_t)wish->planes[i].offset;
        image->pitches[i] = (uint32_t)wish->planes[i].pitch;
    }
    image->image = (struct ggl_image){
        .kind = GGL_IMAGE_COLOR_BUFFER, .id = image->planes[0]->id, .is_external = f->is_yuv};
    return EGL_SUCCESS;
}

/* The part of the resources' memory that the image is, as the host knows it. EGL error. */
static EGLint view_make(struct gegl_display *display, const struct image_wish *wish,
                        const struct gegl_dmabuf_format *f, struct gegl_image *image)
{
    uint32_t words[GEGL_PLANES * 3], size = f->planes * 3 * (uint32_t)sizeof words[0];
    struct gs_stream *stream;
    EGLint error = gegl_stream_get(display, &stream);
    if (error != EGL_SUCCESS) {
        return error;
    }
    for (uint32_t i = 0; i < f->planes; i++) {
        words[i * 3] = image->planes[i]->id;
        words[i * 3 + 1] = (uint32_t)wish->planes[i].offset;
        words[i * 3 + 2] = (uint32_t)wish->planes[i].pitch;
    }
    image->image.id = sl_call_slCreateView(stream, f->fourcc, (uint32_t)wish->width,
                                           (uint32_t)wish->height, wish->yuv, words, size, size);
    image->is_view = image->image.id != 0;
    return gs_dead(stream) ? EGL_CONTEXT_LOST : image->is_view ? EGL_SUCCESS : EGL_BAD_MATCH;
}

/* error: what came before. */
static EGLImage image_of(struct gegl_display *display, EGLint error, const struct image_wish *wish)
{
    struct gegl_image *image = error == EGL_SUCCESS ? sl_alloc(sizeof *image) : NULL;
    if (error == EGL_SUCCESS && image == NULL) {
        error = EGL_BAD_ALLOC;
    }
    if (error != EGL_SUCCESS) {
        gegl_fail(error);
        return EGL_NO_IMAGE;
    }
    const struct gegl_dmabuf_format *f = format_of(display, wish->format);
    *image = (struct gegl_image){.base.display = display};
    error = import(display, wish, f, image);
    if (error == EGL_SUCCESS && display->host.view) {
        error = view_make(display, wish, f, image);
    }
    if (error == EGL_SUCCESS && gegl_object_add(display, &image->base, GEGL_IMAGE) != SL_OK) {
        error = EGL_BAD_ALLOC;
    }
    gegl_fail(error);
    if (error != EGL_SUCCESS) {
        gegl_image_end(image);
        sl_free(image);
        return EGL_NO_IMAGE;
    }
    return gegl_object_handle(&image->base);
}

EGLImage gegl_dma_buf_image(struct gegl_display *display, EGLContext context,
                            EGLClientBuffer buffer, const EGLAttrib *attribs)
{
    struct image_wish wish = {0};
    EGLint error = context != EGL_NO_CONTEXT || buffer != NULL ? EGL_BAD_PARAMETER
                                                               : wish_read(display, &wish, attribs);
    return image_of(display, error, &wish);
}

EGLImage gegl_pixmap_image(struct gegl_display *display, EGLContext context, EGLClientBuffer buffer,
                           const EGLAttrib *attribs)
{
    struct gbm_bo *bo = (struct gbm_bo *)buffer;
    EGLint error = EGL_SUCCESS;
    for (; attribs != NULL && attribs[0] != EGL_NONE; attribs += 2) {
        error = attribs[0] == EGL_IMAGE_PRESERVED ? error : EGL_BAD_PARAMETER;
    }
    if (context != EGL_NO_CONTEXT || bo == NULL || !sluice_gbm_is_ours(bo->gbm)) {
        error = EGL_BAD_PARAMETER;
    }
    if (error == EGL_SUCCESS && format_of(display, bo->v0.format) == NULL) {
        error = EGL_BAD_MATCH;
    }
    int fd = error == EGL_SUCCESS ? bo->gbm->v0.bo_get_fd(bo) : -1;
    if (error == EGL_SUCCESS && fd < 0) {
        error = EGL_BAD_ALLOC;
    }
    struct image_wish wish = {0};
    if (error == EGL_SUCCESS) {
        wish = (struct image_wish){.width = bo->v0.width,
                                   .height = bo->v0.height,
                                   .format = bo->v0.format,
                                   .planes[0] = {.fd = fd, .pitch = bo->v0.stride}};
    }
    EGLImage image = image_of(display, error, &wish);
    sl_fd_close(&fd);
    return image;
}

/* How many of `count` a list of `most` takes; 0, 0: it is asked how many there are. False: the
 * error is set. */
static bool list_begin(EGLDisplay handle, EGLint most, const void *list, const EGLint *count)
{
    struct gegl_display *display = gegl_display_enter(handle);
    if (display == NULL) {
        return false;
    }
    if (!display->host.dma_buf || most < 0 || (most > 0 && list == NULL) || count == NULL) {
        gegl_fail(EGL_BAD_PARAMETER);
        return false;
    }
    return true;
}

EGLBoolean gegl_QueryDmaBufFormatsEXT(EGLDisplay handle, EGLint most, EGLint *list, EGLint *count)
{
    if (!list_begin(handle, most, list, count)) {
        return EGL_FALSE;
    }
    bool views = gegl_display_find(handle)->host.view;
    EGLint n = 0;
    for (const struct gegl_dmabuf_format *f;
         (most == 0 || n < most) && (f = gegl_dmabuf_format_at((uint32_t)n, views)) != NULL; n++) {
        if (most > 0) {
            list[n] = (EGLint)f->fourcc;
        }
    }
    *count = n;
    return gegl_done();
}

EGLBoolean gegl_QueryDmaBufModifiersEXT(EGLDisplay handle, EGLint format, EGLint most,
                                        EGLuint64KHR *modifiers, EGLBoolean *external_only,
                                        EGLint *count)
{
    if (!list_begin(handle, most, modifiers, count)) {
        return EGL_FALSE;
    }
    struct gegl_display *display = gegl_display_find(handle);
    const struct gegl_dmabuf_format *f = format_of(display, (uint32_t)format);
    if (f == NULL) {
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    if (most > 0) {
        modifiers[0] = MODIFIER_LINEAR;
    }
    if (most > 0 && external_only != NULL) {
        bool stores = (display->host.gles_features & GGL_FEATURE_STORE) != 0;
        external_only[0] = stores && !f->is_yuv ? EGL_FALSE : EGL_TRUE;
    }
    *count = 1;
    return gegl_done();
}
