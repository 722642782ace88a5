/* Colour buffers, plain buffers and images by handle. */
#include "host/rc/hrc_internal.h"

#include "transport/base/mem.h"

#include <string.h>

static uint32_t color_create(struct hr_call *call, uint32_t width, uint32_t height,
                             uint32_t internal_format)
{
    struct hrc_client *c = hrc_thread_of(call)->client;
    struct hs_buffer *b;
    enum sl_result result = hs_color_create(c->buffers, width, height, internal_format, &b);
    if (result != SL_OK) {
        hr_call_refuse(call, "%ux%u, format 0x%x: %s", width, height, internal_format,
                       sl_result_name(result));
        return 0;
    }
    uint32_t handle = b->handle;
    if (!hrc_name_add(c, handle, 0)) {
        hs_close(c->buffers, handle, 0);
        handle = 0;
        hr_call_refuse(call, "too many buffers");
    }
    hs_put(b);
    return handle;
}

uint32_t hrc_rcCreateColorBuffer(struct hr_call *call,
                                 const struct rc_args_rcCreateColorBuffer *args)
{
    return color_create(call, args->width, args->height, args->internalFormat);
}

uint32_t hrc_rcCreateColorBufferDMA(struct hr_call *call,
                                    const struct rc_args_rcCreateColorBufferDMA *args)
{
    if (args->frameworkFormat != 0) {
        hr_call_refuse(call, "framework format %d has no GL layout", args->frameworkFormat);
        return 0;
    }
    return color_create(call, args->width, args->height, args->internalFormat);
}

void hrc_rcCreateColorBufferWithHandle(struct hr_call *call,
                                       const struct rc_args_rcCreateColorBufferWithHandle *args)
{
    /* Upstream's own host makes such buffers for virtio-gpu resources; here every resource has its
     * buffer already. */
    hr_call_refuse(call, "handle %u: handles are chosen by the host", args->handle);
}

/* planes: a resource, an offset and a pitch each. */
uint32_t hrc_slCreateView(struct hr_call *call, const struct sl_args_slCreateView *args)
{
    enum { WORDS = 3 };
    struct hrc_client *c = hrc_thread_of(call)->client;
    struct hs_view_args view = {.fourcc = args->format,
                                .width = args->width,
                                .height = args->height,
                                .yuv = args->yuv,
                                .plane_count = args->planes_size / (WORDS * 4)};
    struct hs_buffer *b = NULL;
    uint32_t handle = 0;
    for (uint32_t i = 0; i < view.plane_count && i < HS_PLANES_MAX; i++) {
        const uint32_t *words = (const uint32_t *)args->planes + (size_t)i * WORDS;
        view.planes[i] = (struct hs_plane){hrc_buffer(c, words[0]), words[1], words[2]};
    }
    if (hs_view_create(c->buffers, &view, &b) == SL_OK && hrc_name_add(c, b->handle, 0)) {
        handle = b->handle;
    } else {
        hr_call_refuse(call, "no view of %ux%u, format 0x%x, %u planes", args->width, args->height,
                       args->format, view.plane_count);
    }
    if (b != NULL && handle == 0) {
        hs_close(c->buffers, b->handle, 0);
    }
    hs_put(b);
    for (uint32_t i = 0; i < HS_PLANES_MAX; i++) {
        hs_put(view.planes[i].of);
    }
    return handle;
}

static int open_buffer(struct hr_call *call, uint32_t handle)
{
    struct hrc_client *c = hrc_thread_of(call)->client;
    if (handle < HS_HANDLE_BASE) {
        struct hs_buffer *b =
            hrc_buffer(c, handle); /* resources are attached, not opened: nothing to count */
        hs_put(b);
        if (b != NULL) {
            return 0;
        }
    } else if (hs_open(c->buffers, handle)) {
        if (hrc_name_add(c, handle, 1)) {
            return 0;
        }
        hs_close(c->buffers, handle, 1);
    }
    hr_call_refuse(call, "unknown colour buffer 0x%x", handle);
    return -1;
}

void hrc_rcOpenColorBuffer(struct hr_call *call, const struct rc_args_rcOpenColorBuffer *args)
{
    (void)open_buffer(call, args->colorbuffer);
}

int32_t hrc_rcOpenColorBuffer2(struct hr_call *call, const struct rc_args_rcOpenColorBuffer2 *args)
{
    return open_buffer(call, args->colorbuffer);
}

static void close_buffer(struct hr_call *call, uint32_t handle)
{
    struct hrc_client *c = hrc_thread_of(call)->client;
    uint32_t opens;
    if (handle < HS_HANDLE_BASE) {
        return; /* a resource: the guest kernel owns its life */
    }
    if (!hrc_name_take(c, handle, &opens)) {
        hr_call_refuse(call, "0x%x is not open here", handle);
        return;
    }
    hs_close(c->buffers, handle, opens);
}

void hrc_rcCloseColorBuffer(struct hr_call *call, const struct rc_args_rcCloseColorBuffer *args)
{
    close_buffer(call, args->colorbuffer);
}

static uint32_t plain_create(struct hr_call *call, uint64_t size)
{
    struct hrc_client *c = hrc_thread_of(call)->client;
    struct hs_buffer *b;
    enum sl_result result = hs_plain_create(c->buffers, size, &b);
    if (result != SL_OK) {
        hr_call_refuse(call, "%llu bytes: %s", (unsigned long long)size, sl_result_name(result));
        return 0;
    }
    uint32_t handle = b->handle;
    if (!hrc_name_add(c, handle, 0)) {
        hs_close(c->buffers, handle, 0);
        handle = 0;
    }
    hs_put(b);
    return handle;
}

uint32_t hrc_rcCreateBuffer(struct hr_call *call, const struct rc_args_rcCreateBuffer *args)
{
    return plain_create(call, args->size);
}

uint32_t hrc_rcCreateBuffer2(struct hr_call *call, const struct rc_args_rcCreateBuffer2 *args)
{
    return plain_create(call, args->size);
}

void hrc_rcCloseBuffer(struct hr_call *call, const struct rc_args_rcCloseBuffer *args)
{
    close_buffer(call, args->buffer);
}

int32_t hrc_rcMapGpaToBufferHandle(struct hr_call *call,
                                   const struct rc_args_rcMapGpaToBufferHandle *args)
{
    hr_call_refuse(call, "buffer %u: no guest memory is reachable by address", args->bufferHandle);
    return -1;
}

int32_t hrc_rcMapGpaToBufferHandle2(struct hr_call *call,
                                    const struct rc_args_rcMapGpaToBufferHandle2 *args)
{
    hr_call_refuse(call, "buffer %u: no guest memory is reachable by address", args->bufferHandle);
    return -1;
}

/* A colour buffer by its wire handle, or NULL with the reason logged. */
static struct hs_buffer *color(struct hr_call *call, uint32_t handle)
{
    struct hs_buffer *b = hrc_buffer(hrc_thread_of(call)->client, handle);
    if (b == NULL || b->kind != HS_COLOR) {
        hr_call_refuse(call, "unknown colour buffer 0x%x", handle);
        hs_put(b);
        return NULL;
    }
    return b;
}

void hrc_rcReadColorBuffer(struct hr_call *call, const struct rc_args_rcReadColorBuffer *args)
{
    struct hs_buffer *b = color(call, args->colorbuffer);
    if (b != NULL &&
        !hs_read(b, &hrc_thread_of(call)->gl, args->x, args->y, args->width, args->height,
                 args->format, args->type, args->pixels, args->pixels_size)) {
        hr_call_refuse(call, "%d,%d %dx%d, format 0x%x, type 0x%x", args->x, args->y, args->width,
                       args->height, args->format, args->type);
    }
    hs_put(b);
}

int32_t hrc_rcUpdateColorBuffer(struct hr_call *call,
                                const struct rc_args_rcUpdateColorBuffer *args)
{
    struct hs_buffer *b = color(call, args->colorbuffer);
    bool ok = b != NULL &&
              hs_write(b, &hrc_thread_of(call)->gl, args->x, args->y, args->width, args->height,
                       args->format, args->type, args->pixels, args->pixels_size);
    if (b != NULL && !ok) {
        hr_call_refuse(call, "%d,%d %dx%d, format 0x%x, type 0x%x", args->x, args->y, args->width,
                       args->height, args->format, args->type);
    }
    hs_put(b);
    return ok ? 0 : -1;
}

void hrc_rcReadColorBufferYUV(struct hr_call *call, const struct rc_args_rcReadColorBufferYUV *args)
{
    hr_call_refuse(call, "colour buffer 0x%x has no YUV layout", args->colorbuffer);
}

int32_t hrc_rcUpdateColorBufferDMA(struct hr_call *call,
                                   const struct rc_args_rcUpdateColorBufferDMA *args)
{
    hr_call_refuse(call, "colour buffer 0x%x: no guest memory is reachable by address",
                   args->colorbuffer);
    return -1;
}

int32_t hrc_rcReadColorBufferDMA(struct hr_call *call,
                                 const struct rc_args_rcReadColorBufferDMA *args)
{
    hr_call_refuse(call, "colour buffer 0x%x: no guest memory is reachable by address",
                   args->colorbuffer);
    return -1;
}

int32_t hrc_rcColorBufferCacheFlush(struct hr_call *call,
                                    const struct rc_args_rcColorBufferCacheFlush *args)
{
    struct hs_buffer *b = color(call, args->colorbuffer);
    bool ok = b != NULL;
    hs_put(b);
    return ok ? 0 : -1;
}

int32_t hrc_rcSetColorBufferVulkanMode(struct hr_call *call,
                                       const struct rc_args_rcSetColorBufferVulkanMode *args)
{
    struct hs_buffer *b = color(call, args->colorBuffer);
    bool ok = b != NULL && args->mode == 0;
    hs_put(b);
    return ok ? 0 : -1;
}

int32_t hrc_rcSetColorBufferVulkanMode2(struct hr_call *call,
                                        const struct rc_args_rcSetColorBufferVulkanMode2 *args)
{
    struct hs_buffer *b = color(call, args->colorBuffer);
    bool ok = b != NULL && args->mode == 0;
    hs_put(b);
    return ok ? 0 : -1;
}

/* The image of a colour buffer becomes the storage of what is bound in the current context. */
static void bind_image(struct hr_call *call, uint32_t handle, bool renderbuffer)
{
    struct hrc_thread *thread = hrc_thread_of(call);
    const struct hs_native *n = thread->client->native;
    const struct hrc_context *context = hrc_current(thread);
    if (context == NULL) {
        hr_call_refuse(call, "no context is current");
        return;
    }
    const struct gl_driver *gl = context->is_gles1 ? n->gl1 : n->gl;
    struct hs_buffer *b = color(call, handle);
    EGLImageKHR image = b != NULL ? hs_image(b, &thread->gl, renderbuffer) : EGL_NO_IMAGE_KHR;
    if (image == EGL_NO_IMAGE_KHR) {
        hr_call_refuse(call, "colour buffer 0x%x has no image", handle);
    } else if (renderbuffer && gl->EGLImageTargetRenderbufferStorageOES != NULL) {
        gl->EGLImageTargetRenderbufferStorageOES(GL_RENDERBUFFER, image);
    } else if (!renderbuffer && gl->EGLImageTargetTexture2DOES != NULL) {
        gl->EGLImageTargetTexture2DOES(GL_TEXTURE_2D, image);
    }
    if (image != EGL_NO_IMAGE_KHR && thread->client->hooks->bound != NULL) {
        thread->client->hooks->bound(thread, b, renderbuffer);
    }
    hs_put(b);
}

void hrc_rcBindTexture(struct hr_call *call, const struct rc_args_rcBindTexture *args)
{
    bind_image(call, args->colorBuffer, false);
}

void hrc_rcBindRenderbuffer(struct hr_call *call, const struct rc_args_rcBindRenderbuffer *args)
{
    bind_image(call, args->colorBuffer, true);
}

/* The native image of what `image` says; EGL_NO_IMAGE_KHR and *error: none. */
static EGLImageKHR native_image(const struct hs_native *n, const struct hrc_context *context,
                                const struct hrc_image *image, EGLint *error)
{
    const EGLint attribs[] = {
        image->target != EGL_GL_RENDERBUFFER_KHR ? EGL_GL_TEXTURE_LEVEL_KHR : EGL_NONE,
        (EGLint)image->level,
        image->target == EGL_GL_TEXTURE_3D_KHR ? EGL_GL_TEXTURE_ZOFFSET_KHR : EGL_NONE,
        (EGLint)image->layer, EGL_NONE};
    EGLImageKHR egl = n->egl.CreateImageKHR(n->display, context->egl, image->target,
                                            (EGLClientBuffer)(uintptr_t)image->name, attribs);
    *error = egl != EGL_NO_IMAGE_KHR ? EGL_SUCCESS : n->egl.GetError();
    return egl;
}

static void number_source(struct hrc_client *c, struct hrc_context *context,
                          struct hrc_image *image)
{
    pthread_mutex_lock(&c->lock);
    image->source = ++c->source_count;
    pthread_mutex_unlock(&c->lock);
    if (c->hooks->imaged != NULL) {
        c->hooks->imaged(context, image);
    }
}

/* 0: refused; *error: EGL's. what: of an image, but for its native one. */
static uint32_t image_create(struct hr_call *call, const struct hrc_image *what, EGLint *error)
{
    struct hrc_client *c = hrc_thread_of(call)->client;
    const struct hs_native *n = c->native;
    struct ho_object *object = ho_get(&c->objects, HRC_CONTEXT, what->context);
    struct hrc_image *image = object != NULL && n->image ? sl_alloc(sizeof *image) : NULL;
    uint32_t id = 0;
    *error = object != NULL ? EGL_BAD_ALLOC : EGL_BAD_CONTEXT;
    if (image != NULL) {
        *image = *what;
        image->egl = native_image(n, object->value, what, error);
        if (image->egl == EGL_NO_IMAGE_KHR) {
            sl_free(image);
            image = NULL;
        } else {
            number_source(c, object->value, image);
        }
        if (image != NULL && ho_add(&c->objects, HRC_IMAGE, image, NULL, &id) != SL_OK) {
            n->egl.DestroyImageKHR(n->display, image->egl);
            sl_free(image);
            *error = EGL_BAD_ALLOC;
        }
    }
    if (id == 0) {
        hr_call_refuse(call, "context 0x%x, target 0x%x, name %u: EGL error 0x%x", what->context,
                       what->target, what->name, (unsigned)*error);
    }
    ho_put(object);
    return id;
}

uint32_t hrc_rcCreateClientImage(struct hr_call *call,
                                 const struct rc_args_rcCreateClientImage *args)
{
    EGLint error;
    return image_create(
        call,
        &(struct hrc_image){.context = args->context, .target = args->target, .name = args->buffer},
        &error);
}

uint32_t hrc_slCreateImage(struct hr_call *call, const struct sl_args_slCreateImage *args)
{
    EGLint error;
    uint32_t id = image_create(call,
                               &(struct hrc_image){.context = args->context,
                                                   .target = args->target,
                                                   .name = args->name,
                                                   .level = args->level,
                                                   .layer = args->layer},
                               &error);
    return id != 0 ? id : (uint32_t)error;
}

int32_t hrc_rcDestroyClientImage(struct hr_call *call,
                                 const struct rc_args_rcDestroyClientImage *args)
{
    struct hrc_client *c = hrc_thread_of(call)->client;
    if (!ho_remove(&c->objects, HRC_IMAGE, args->image)) {
        hr_call_refuse(call, "unknown image 0x%x", args->image);
        return EGL_FALSE;
    }
    return EGL_TRUE;
}

static struct ho_object *image_get(struct hr_call *call, uint32_t id)
{
    struct ho_object *object = ho_get(&hrc_thread_of(call)->client->objects, HRC_IMAGE, id);
    if (object == NULL) {
        hr_call_refuse(call, "unknown image 0x%x", id);
    }
    return object;
}

/* about: DRM's name of its format, its width and height. 0: it cannot be exported. */
uint32_t hrc_slAskImage(struct hr_call *call, const struct sl_args_slAskImage *args)
{
    struct hs_export about;
    const uint32_t words[] = {0, 0, 0};
    struct ho_object *object = image_get(call, args->image);
    bool ok = object != NULL && args->about_size >= sizeof words &&
              hs_export_ask(&hrc_thread_of(call)->gl,
                            ((const struct hrc_image *)object->value)->egl, &about);
    if (ok) {
        memcpy(args->about, (const uint32_t[]){about.fourcc, about.width, about.height},
               sizeof words);
    }
    ho_put(object);
    return ok ? 1 : 0;
}

/* One at a time: client.exporting is held. */
static bool image_export(struct hrc_thread *thread, struct hrc_image *image, struct hs_buffer *b)
{
    struct hrc_client *c = thread->client;
    struct ho_object *context = ho_get(&c->objects, HRC_CONTEXT, image->context);
    bool ok =
        context != NULL && image->exported == NULL && image->level == 0 &&
        (image->target == EGL_GL_TEXTURE_2D_KHR || image->target == EGL_GL_RENDERBUFFER_KHR) &&
        hs_export(b, &thread->gl, image->egl) == SL_OK;
    if (ok) {
        image->exported = hs_ref(b);
        if (c->hooks->exported != NULL) {
            c->hooks->exported(context->value, image, b);
        }
    }
    ho_put(context);
    return ok;
}

uint32_t hrc_slExportImage(struct hr_call *call, const struct sl_args_slExportImage *args)
{
    struct hrc_thread *thread = hrc_thread_of(call);
    struct hrc_client *c = thread->client;
    struct ho_object *object = image_get(call, args->image);
    struct hs_buffer *b = object != NULL ? color(call, args->resource) : NULL;
    bool ok = false;
    if (b != NULL) {
        pthread_mutex_lock(&c->exporting);
        ok = image_export(thread, object->value, b);
        pthread_mutex_unlock(&c->exporting);
    }
    if (b != NULL && !ok) {
        hr_call_refuse(call, "image 0x%x cannot be resource %u", args->image, args->resource);
    }
    hs_put(b);
    ho_put(object);
    return ok ? 1 : 0;
}
