/* Compressed uploads: imageSize must lie within the bytes that came; the driver checks it against
 * the format. */
#include "host/gles/hgl_group.h"

#include "host/gles2_hand.h"

/* data: of an image that there is; NULL: a whole one may come without its contents. */
static bool size_ok(struct hr_call *call, int32_t image_size, uint32_t size, const void **data)
{
    const struct hgl_state *s = hgl_state_of(call);
    /* Of a size below zero the driver reads nothing, and says what is wrong. */
    bool sent = data != NULL || size != 0;
    if (data != NULL && image_size > 0) {
        (void)hr_call_zeros(data, &size, (uint32_t)image_size);
    }
    if (s == NULL || (sent && image_size > 0 && (uint32_t)image_size > size)) {
        hr_call_refuse(call, "imageSize %d in %u bytes", image_size, size);
        return false;
    }
    if (s->gles_version >= 30 && hgl_bound(hgl_api_of(call)->gl, GL_PIXEL_UNPACK_BUFFER_BINDING)) {
        hr_call_refuse(call,
                       "an unpack buffer is bound"); /* the address would be an offset into it */
        return false;
    }
    return true;
}

static const void *at(uint32_t offset)
{
    return (const void *)(uintptr_t)offset;
}

void hgl_glCompressedTexImage2D(struct hr_call *call,
                                const struct gles2_args_glCompressedTexImage2D *a)
{
    if (size_ok(call, a->imageSize, a->data_size, NULL)) {
        const struct gl_driver *gl = hgl_api_of(call)->gl;
        struct hgl_state *s = hgl_state_of(call);
        const struct hgl_image_look before = hgl_image_look(gl, s, a->target, a->level);
        gl->CompressedTexImage2D(a->target, a->level, a->internalformat, a->width, a->height,
                                 a->border, a->imageSize, a->data_size != 0 ? a->data : NULL);
        hgl_image_replaced(gl, s, a->target, &before);
    }
}

void hgl_glCompressedTexSubImage2D(struct hr_call *call,
                                   const struct gles2_args_glCompressedTexSubImage2D *a)
{
    const void *data = a->data;
    if (size_ok(call, a->imageSize, a->data_size, &data)) {
        hgl_api_of(call)->gl->CompressedTexSubImage2D(a->target, a->level, a->xoffset, a->yoffset,
                                                      a->width, a->height, a->format, a->imageSize,
                                                      data);
    }
}

void hgl_glCompressedTexImage3D(struct hr_call *call,
                                const struct gles2_args_glCompressedTexImage3D *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (gl->CompressedTexImage3D != NULL && size_ok(call, a->imageSize, a->data_size, NULL)) {
        gl->CompressedTexImage3D(a->target, a->level, a->internalformat, a->width, a->height,
                                 a->depth, a->border, a->imageSize,
                                 a->data_size != 0 ? a->data : NULL);
    }
}

void hgl_glCompressedTexSubImage3D(struct hr_call *call,
                                   const struct gles2_args_glCompressedTexSubImage3D *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    const void *data = a->data;
    if (gl->CompressedTexSubImage3D != NULL && size_ok(call, a->imageSize, a->data_size, &data)) {
        gl->CompressedTexSubImage3D(a->target, a->level, a->xoffset, a->yoffset, a->zoffset,
                                    a->width, a->height, a->depth, a->format, a->imageSize, data);
    }
}

void hgl_glCompressedTexImage3DOES(struct hr_call *call,
                                   const struct gles2_args_glCompressedTexImage3DOES *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if (gl->CompressedTexImage3DOES != NULL && size_ok(call, a->imageSize, a->data_size, NULL)) {
        gl->CompressedTexImage3DOES(a->target, a->level, a->internalformat, a->width, a->height,
                                    a->depth, a->border, a->imageSize,
                                    a->data_size != 0 ? a->data : NULL);
    }
}

void hgl_glCompressedTexSubImage3DOES(struct hr_call *call,
                                      const struct gles2_args_glCompressedTexSubImage3DOES *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    const void *data = a->data;
    if (gl->CompressedTexSubImage3DOES != NULL &&
        size_ok(call, a->imageSize, a->data_size, &data)) {
        gl->CompressedTexSubImage3DOES(a->target, a->level, a->xoffset, a->yoffset, a->zoffset,
                                       a->width, a->height, a->depth, a->format, a->imageSize,
                                       data);
    }
}

void hgl_glCompressedTexImage2DOffsetAEMU(
    struct hr_call *call, const struct gles2_args_glCompressedTexImage2DOffsetAEMU *a)
{
    if (hgl_pixel_buffer_needed(call, GL_PIXEL_UNPACK_BUFFER_BINDING)) {
        const struct gl_driver *gl = hgl_api_of(call)->gl;
        struct hgl_state *s = hgl_state_of(call);
        const struct hgl_image_look before = hgl_image_look(gl, s, a->target, a->level);
        gl->CompressedTexImage2D(a->target, a->level, a->internalformat, a->width, a->height,
                                 a->border, a->imageSize, at(a->offset));
        hgl_image_replaced(gl, s, a->target, &before);
    }
}

void hgl_glCompressedTexSubImage2DOffsetAEMU(
    struct hr_call *call, const struct gles2_args_glCompressedTexSubImage2DOffsetAEMU *a)
{
    if (hgl_pixel_buffer_needed(call, GL_PIXEL_UNPACK_BUFFER_BINDING)) {
        hgl_api_of(call)->gl->CompressedTexSubImage2D(a->target, a->level, a->xoffset, a->yoffset,
                                                      a->width, a->height, a->format, a->imageSize,
                                                      at(a->offset));
    }
}

void hgl_glCompressedTexImage3DOffsetAEMU(
    struct hr_call *call, const struct gles2_args_glCompressedTexImage3DOffsetAEMU *a)
{
    if (hgl_pixel_buffer_needed(call, GL_PIXEL_UNPACK_BUFFER_BINDING)) {
        hgl_api_of(call)->gl->CompressedTexImage3D(a->target, a->level, a->internalformat, a->width,
                                                   a->height, a->depth, a->border, a->imageSize,
                                                   at(a->offset));
    }
}

void hgl_glCompressedTexSubImage3DOffsetAEMU(
    struct hr_call *call, const struct gles2_args_glCompressedTexSubImage3DOffsetAEMU *a)
{
    if (hgl_pixel_buffer_needed(call, GL_PIXEL_UNPACK_BUFFER_BINDING)) {
        hgl_api_of(call)->gl->CompressedTexSubImage3D(a->target, a->level, a->xoffset, a->yoffset,
                                                      a->zoffset, a->width, a->height, a->depth,
                                                      a->format, a->imageSize, at(a->data));
    }
}
