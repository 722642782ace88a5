/* EGLImages of dma-bufs (EGL_EXT_image_dma_buf_import): 3D resources of the virtual machine's GPU,
 * such as libgbm's buffers, which can be named themselves on GBM (EGL_KHR_image_pixmap).
 *
 * The host's texture is filled from the resource when it becomes a texture's storage; what is
 * drawn into it there goes to the resource when the program flushes (guest/gles/ggl_store.c). On a
 * host that cannot do that these images are for external textures alone, which nobody draws into,
 * and say so (external_only of eglQueryDmaBufModifiersEXT). */
#include "guest/egl/api.h"
#include "guest/egl/gbm.h"
#include "guest/egl/gegl.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/virtgpu/vg.h"

/* DRM's names: fourcc codes, lowest byte first. */
#define FOURCC(a, b, c, d)                                                                         \
    ((EGLint)((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24))
static const EGLint formats[] = {FOURCC('A', 'R', '2', '4'), FOURCC('X', 'R', '2', '4'),
                                 FOURCC('A', 'B', '2', '4'), FOURCC('X', 'B', '2', '4')};
enum { FORMATS = sizeof formats / sizeof formats[0], PIXEL_BYTES = 4 };
#define MODIFIER_LINEAR 0

struct plane_wish {
    EGLAttrib width, height, format, fd, offset, pitch, modifier_low, modifier_high;
    uint32_t given; /* bit n: rows[n] below */
};

/* EGL error. */
static EGLint attrib_read(struct plane_wish *wish, EGLAttrib name, EGLAttrib value)
{
    EGLAttrib *const places[] = {&wish->width, &wish->height, &wish->format,
                                 &wish->fd,    &wish->offset, &wish->pitch};
    static const EGLint names[] = {EGL_WIDTH,
                                   EGL_HEIGHT,
                                   EGL_LINUX_DRM_FOURCC_EXT,
                                   EGL_DMA_BUF_PLANE0_FD_EXT,
                                   EGL_DMA_BUF_PLANE0_OFFSET_EXT,
                                   EGL_DMA_BUF_PLANE0_PITCH_EXT};
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (names[i] == name) {
            *places[i] = value;
            wish->given |= 1u << i;
            return EGL_SUCCESS;
        }
    }
    switch (name) {
    case EGL_DMA_BUF_PLANE0_MODIFIER_LO_EXT:
        wish->modifier_low = value;
        return EGL_SUCCESS;
    case EGL_DMA_BUF_PLANE0_MODIFIER_HI_EXT:
        wish->modifier_high = value;
        return EGL_SUCCESS;
    case EGL_YUV_COLOR_SPACE_HINT_EXT: /* of formats that are not here */
    case EGL_SAMPLE_RANGE_HINT_EXT:
    case EGL_YUV_CHROMA_HORIZONTAL_SITING_HINT_EXT:
    case EGL_YUV_CHROMA_VERTICAL_SITING_HINT_EXT:
    case EGL_IMAGE_PRESERVED:
        return EGL_SUCCESS;
    default:
        return EGL_BAD_ATTRIBUTE;
    }
}

static bool has_format(EGLAttrib format)
{
    bool has = false;
    for (int i = 0; i < FORMATS; i++) {
        has = has || formats[i] == format;
    }
    return has;
}

static EGLint wish_read(struct plane_wish *wish, const EGLAttrib *attribs)
{
    *wish = (struct plane_wish){0};
    for (; attribs != NULL && attribs[0] != EGL_NONE; attribs += 2) {
        EGLint error = attrib_read(wish, attribs[0], attribs[1]);
        if (error != EGL_SUCCESS) {
            return error;
        }
    }
    if (wish->given != 0x3f || wish->width <= 0 || wish->height <= 0 || wish->width > INT32_MAX ||
        wish->height > INT32_MAX) {
        return EGL_BAD_PARAMETER;
    }
    if (!has_format(wish->format) || wish->modifier_low != MODIFIER_LINEAR ||
        wish->modifier_high != 0) {
        return EGL_BAD_MATCH;
    }
    bool rows =
        wish->offset == 0 && wish->pitch <= INT32_MAX && wish->pitch >= wish->width * PIXEL_BYTES;
    return rows ? EGL_SUCCESS : EGL_BAD_ACCESS;
}

/* Takes fd. EGL error. */
static EGLint import(struct gegl_display *display, int fd, uint64_t size, struct gegl_image *image)
{
    struct vg *vg = display->device->vg;
    enum sl_result r = vg->ops->res_import(vg, fd, size, &image->res);
    if (r != SL_OK) { /* another device's, or too small */
        return r == SL_ERR_NOMEM ? EGL_BAD_ALLOC : EGL_BAD_MATCH;
    }
    image->image = (struct ggl_image){.kind = GGL_IMAGE_COLOR_BUFFER, .id = image->res->id};
    return EGL_SUCCESS;
}

/* An image of `size` bytes behind fd, which it takes. error: what came before. */
static EGLImage image_of(struct gegl_display *display, EGLint error, int fd, uint64_t size)
{
    struct gegl_image *image = error == EGL_SUCCESS ? sl_alloc(sizeof *image) : NULL;
    if (error == EGL_SUCCESS && image == NULL) {
        error = EGL_BAD_ALLOC;
    }
    if (error == EGL_SUCCESS) {
        *image = (struct gegl_image){0};
        error = import(display, fd, size, image);
    } else {
        sl_fd_close(&fd);
    }
    if (error == EGL_SUCCESS && gegl_object_add(display, &image->base, GEGL_IMAGE) != SL_OK) {
        vg_res_destroy(image->res);
        error = EGL_BAD_ALLOC;
    }
    gegl_fail(error);
    if (error != EGL_SUCCESS) {
        sl_free(image);
        return EGL_NO_IMAGE;
    }
    return gegl_object_handle(&image->base);
}

EGLImage gegl_dma_buf_image(struct gegl_display *display, EGLContext context,
                            EGLClientBuffer buffer, const EGLAttrib *attribs)
{
    struct plane_wish wish = {0};
    int fd = -1;
    EGLint error =
        context != EGL_NO_CONTEXT || buffer != NULL ? EGL_BAD_PARAMETER : wish_read(&wish, attribs);
    if (error == EGL_SUCCESS &&
        (wish.fd < 0 || wish.fd > INT32_MAX || sl_fd_dup((int)wish.fd, &fd) != SL_OK)) {
        error = EGL_BAD_PARAMETER;
    }
    return image_of(display, error, fd, (uint64_t)wish.pitch * (uint64_t)wish.height);
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
    if (error == EGL_SUCCESS && !has_format(bo->v0.format)) {
        error = EGL_BAD_MATCH;
    }
    int fd = error == EGL_SUCCESS ? bo->gbm->v0.bo_get_fd(bo) : -1;
    if (error == EGL_SUCCESS && fd < 0) {
        error = EGL_BAD_ALLOC;
    }
    uint64_t size = error == EGL_SUCCESS ? (uint64_t)bo->v0.stride * bo->v0.height : 0;
    return image_of(display, error, fd, size);
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
    for (EGLint i = 0; i < most && i < FORMATS; i++) {
        list[i] = formats[i];
    }
    *count = most > 0 && most < FORMATS ? most : FORMATS;
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
    if (!has_format(format)) {
        return gegl_fail(EGL_BAD_PARAMETER);
    }
    if (most > 0) {
        modifiers[0] = MODIFIER_LINEAR;
    }
    if (most > 0 && external_only != NULL) {
        bool stores = (display->host.gles_features & GGL_FEATURE_STORE) != 0;
        external_only[0] = stores ? EGL_FALSE : EGL_TRUE;
    }
    *count = 1;
    return gegl_done();
}
