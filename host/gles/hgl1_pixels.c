/* GLES 1: uploads, reads and images. The same rules as for GLES 2 (hgl_pixels.c, hgl_compressed.c,
 * hgl_sync.c). */
#include "host/gles/hgl_group.h"

#include "host/gles1_hand.h"

#include <string.h>

void hgl1_glPixelStorei(struct hr_call *call, const struct gles1_args_glPixelStorei *a)
{
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || (a->pname != GL_PACK_ALIGNMENT && a->pname != GL_UNPACK_ALIGNMENT)) {
        hr_call_refuse(call, "pixel store 0x%x", a->pname);
        return;
    }
    hgl_api_of(call)->gl->PixelStorei(a->pname, a->param);
    s->pack.known = s->unpack.known = false;
}

static bool upload_ok(struct hr_call *call, uint32_t format, uint32_t type, int32_t width,
                      int32_t height, uint32_t size)
{
    struct hgl_state *s = hgl_state_of(call);
    uint64_t need = s != NULL ? hgl_pixel_span(hgl_unpack(hgl_api_of(call)->gl, s), format, type,
                                               width, height, 1, false)
                              : 0;
    if (s == NULL || (size != 0 && need > size)) {
        hr_call_refuse(call, "%dx%d, format 0x%x, type 0x%x: reads %llu of %u bytes", width, height,
                       format, type, (unsigned long long)need, size);
        return false;
    }
    return true;
}

/* How many pixels are left of a transfer without pixels, or in a format that is not known here: the
 * driver is to find what is wrong with it, and to touch no memory. */
static int32_t none(int32_t size)
{
    return size < 0 ? size : 0;
}

void hgl1_glTexImage2D(struct hr_call *call, const struct gles1_args_glTexImage2D *a)
{
    if (hgl_state_of(call) != NULL && hgl_pixel_bytes(a->format, a->type) == 0) {
        hgl_api_of(call)->gl->TexImage2D(a->target, a->level, a->internalformat, none(a->width),
                                         none(a->height), a->border, a->format, a->type, NULL);
        hgl1_size_forget(hgl_api_of(call), a->target);
    } else if (upload_ok(call, a->format, a->type, a->width, a->height, a->pixels_size)) {
        hgl_api_of(call)->gl->TexImage2D(a->target, a->level, a->internalformat, a->width,
                                         a->height, a->border, a->format, a->type,
                                         a->pixels_size != 0 ? a->pixels : NULL);
        hgl1_size_forget(hgl_api_of(call), a->target);
    }
}

void hgl1_glCopyTexImage2D(struct hr_call *call, const struct gles1_args_glCopyTexImage2D *a)
{
    if (hgl_state_of(call) != NULL) {
        hgl_api_of(call)->gl->CopyTexImage2D(a->target, a->level, a->internalformat, a->x, a->y,
                                             a->width, a->height, a->border);
        hgl1_size_forget(hgl_api_of(call), a->target);
    }
}

void hgl1_glTexSubImage2D(struct hr_call *call, const struct gles1_args_glTexSubImage2D *a)
{
    bool is_read = a->pixels_size != 0 && hgl_pixel_bytes(a->format, a->type) != 0;
    if (!is_read && hgl_state_of(call) != NULL) {
        hgl_api_of(call)->gl->TexSubImage2D(a->target, a->level, a->xoffset, a->yoffset,
                                            none(a->width), none(a->height), a->format, a->type,
                                            NULL);
    } else if (upload_ok(call, a->format, a->type, a->width, a->height, a->pixels_size)) {
        hgl_api_of(call)->gl->TexSubImage2D(a->target, a->level, a->xoffset, a->yoffset, a->width,
                                            a->height, a->format, a->type, a->pixels);
    }
}

void hgl1_glReadPixels(struct hr_call *call, const struct gles1_args_glReadPixels *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s != NULL && hgl_pixel_bytes(a->format, a->type) == 0) {
        gl->ReadPixels(a->x, a->y, none(a->width), none(a->height), a->format, a->type, NULL);
        return;
    }
    uint64_t need = s != NULL ? hgl_pixel_span(hgl_pack(gl, s), a->format, a->type, a->width,
                                               a->height, 1, false)
                              : 0;
    if (s == NULL || need > a->pixels_size) {
        hr_call_refuse(call, "%dx%d: writes %llu of %u bytes", a->width, a->height,
                       (unsigned long long)need, a->pixels_size);
        return;
    }
    gl->ReadPixels(a->x, a->y, a->width, a->height, a->format, a->type, a->pixels);
}

/* As in hgl_compressed.c. */
static bool compressed_ok(struct hr_call *call, int32_t image_size, uint32_t size,
                          const void **data)
{
    bool sent = data != NULL || size != 0;
    if (data != NULL && image_size > 0) {
        (void)hr_call_zeros(data, &size, (uint32_t)image_size);
    }
    /* Of a size below zero the driver reads nothing, and says what is wrong. */
    if (hgl_state_of(call) == NULL || (sent && image_size > 0 && (uint32_t)image_size > size)) {
        hr_call_refuse(call, "imageSize %d in %u bytes", image_size, size);
        return false;
    }
    return true;
}

void hgl1_glCompressedTexImage2D(struct hr_call *call,
                                 const struct gles1_args_glCompressedTexImage2D *a)
{
    if (compressed_ok(call, a->imageSize, a->data_size, NULL)) {
        hgl_api_of(call)->gl->CompressedTexImage2D(a->target, a->level, a->internalformat, a->width,
                                                   a->height, a->border, a->imageSize,
                                                   a->data_size != 0 ? a->data : NULL);
        hgl1_size_forget(hgl_api_of(call), a->target);
    }
}

void hgl1_glCompressedTexSubImage2D(struct hr_call *call,
                                    const struct gles1_args_glCompressedTexSubImage2D *a)
{
    const void *data = a->data;
    if (compressed_ok(call, a->imageSize, a->data_size, &data)) {
        hgl_api_of(call)->gl->CompressedTexSubImage2D(a->target, a->level, a->xoffset, a->yoffset,
                                                      a->width, a->height, a->format, a->imageSize,
                                                      data);
    }
}

void hgl1_glGetCompressedTextureFormats(struct hr_call *call,
                                        const struct gles1_args_glGetCompressedTextureFormats *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    GLint count = 0;
    if (hgl_state_of(call) == NULL) {
        return;
    }
    gl->GetIntegerv(GL_NUM_COMPRESSED_TEXTURE_FORMATS, &count);
    GLint *formats =
        count > 0 && count <= a->count && (uint64_t)(uint32_t)count * 4 <= a->formats_size
            ? sl_arena_get(call->in.arena, (size_t)count * 4)
            : NULL;
    if (formats != NULL) {
        memset(formats, 0, (size_t)count * 4);
        gl->GetIntegerv(GL_COMPRESSED_TEXTURE_FORMATS, formats);
        memcpy(a->formats, formats, (size_t)count * 4);
    }
}

int32_t hgl1_glFinishRoundTrip(struct hr_call *call, const struct gles1_args_glFinishRoundTrip *a)
{
    (void)a;
    if (hgl_state_of(call) != NULL) {
        hgl_api_of(call)->gl->Finish();
    }
    return 0;
}

void hgl1_glEGLImageTargetTexture2DOES(struct hr_call *call,
                                       const struct gles1_args_glEGLImageTargetTexture2DOES *a)
{
    hgl_image_target(call, hgl_api_of(call)->gl->EGLImageTargetTexture2DOES, a->target, a->image);
}

void hgl1_glEGLImageTargetRenderbufferStorageOES(
    struct hr_call *call, const struct gles1_args_glEGLImageTargetRenderbufferStorageOES *a)
{
    hgl_image_target(call, hgl_api_of(call)->gl->EGLImageTargetRenderbufferStorageOES, a->target,
                     a->image);
}
