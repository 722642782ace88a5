/* Exported images: a guest's texture and a resource's memory that are the same picture.
 *
 * The resource's buffer gets the texture's image. Who draws by GL, whatever context of whatever
 * program took the memory for such a picture, draws into that image, and says when the memory is to
 * have it (glStoreDrawnSLUICE). What somebody writes to the memory itself comes to the image when
 * it is bound the next time: nobody tells of that, so what memory held before is kept beside it. */
#include "host/surface/view.h"

#include "transport/base/mem.h"

#include <string.h>

#define FOURCC(a, b, c, d)                                                                         \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

/* By the internal format that GL tells. */
static const struct {
    uint32_t internal_format, fourcc;
} formats[] = {
    {GL_RGBA8, FOURCC('A', 'B', '2', '4')},    {GL_RGBA, FOURCC('A', 'B', '2', '4')},
    {GL_BGRA_EXT, FOURCC('A', 'R', '2', '4')}, {GL_BGRA8_EXT, FOURCC('A', 'R', '2', '4')},
    {GL_RGB8, FOURCC('X', 'B', '2', '4')},     {GL_RGB, FOURCC('X', 'B', '2', '4')},
    {GL_RGB565, FOURCC('R', 'G', '1', '6')},   {GL_R8, FOURCC('R', '8', ' ', ' ')},
    {GL_RED, FOURCC('R', '8', ' ', ' ')},      {GL_RG8, FOURCC('G', 'R', '8', '8')},
    {GL_RG, FOURCC('G', 'R', '8', '8')},
};

static uint32_t fourcc_of(GLint internal_format)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if ((GLint)formats[i].internal_format == internal_format) {
            return formats[i].fourcc;
        }
    }
    return 0;
}

bool hs_export_ask(struct hs_thread *thread, EGLImageKHR image, struct hs_export *out)
{
    const struct hs_native *n = thread->native;
    GLint width = 0, height = 0, format = 0;
    GLuint name = 0;
    if (n == NULL || n->gles_version < 31 || !hs_helper_begin(thread)) {
        return false;
    }
    n->gl->GenTextures(1, &name);
    n->gl->BindTexture(GL_TEXTURE_2D, name);
    n->gl->EGLImageTargetTexture2DOES(GL_TEXTURE_2D, image);
    n->gl->GetTexLevelParameteriv(GL_TEXTURE_2D, 0, GL_TEXTURE_WIDTH, &width);
    n->gl->GetTexLevelParameteriv(GL_TEXTURE_2D, 0, GL_TEXTURE_HEIGHT, &height);
    n->gl->GetTexLevelParameteriv(GL_TEXTURE_2D, 0, GL_TEXTURE_INTERNAL_FORMAT, &format);
    n->gl->DeleteTextures(1, &name);
    hs_helper_end(thread);
    *out = (struct hs_export){fourcc_of(format), (uint32_t)width, (uint32_t)height};
    return out->fourcc != 0 && width > 0 && height > 0;
}

bool hs_export_changed_locked(const struct hs_buffer *b)
{
    size_t row = (size_t)b->width * b->layout.bytes;
    for (uint32_t y = 0; y < b->height; y++) {
        if (memcmp(b->exported + y * row, b->mem + (size_t)y * b->stride, row) != 0) {
            return true;
        }
    }
    return false;
}

void hs_export_equal_locked(struct hs_buffer *b)
{
    size_t row = (size_t)b->width * b->layout.bytes;
    for (uint32_t y = 0; b->exported != NULL && y < b->height; y++) {
        memcpy(b->exported + y * row, b->mem + (size_t)y * b->stride, row);
    }
}

uint32_t hs_export_resource(struct hs_buffer *buffer)
{
    const struct hs_buffer *b = hs_view_origin(buffer);
    return b->exported != NULL ? b->handle : 0;
}

static bool is_alike(const struct hs_buffer *b, const struct hs_export *about)
{
    struct hs_layout l = hs_view_layout(about->fourcc);
    return b->width == about->width && b->height == about->height && b->layout.format == l.format &&
           b->layout.type == l.type && b->layout.opaque == l.opaque;
}

enum sl_result hs_export(struct hs_buffer *b, struct hs_thread *thread, EGLImageKHR image)
{
    struct hs_export about;
    if (b->kind != HS_COLOR || b->view != NULL || b->hold == NULL ||
        !hs_export_ask(thread, image, &about) || !is_alike(b, &about)) {
        return SL_ERR_INVALID;
    }
    enum sl_result result = SL_ERR_INVALID;
    pthread_mutex_lock(&b->lock);
    if (b->mem != NULL && b->image == EGL_NO_IMAGE_KHR) {
        b->exported = sl_alloc_array((size_t)b->width * b->height, b->layout.bytes);
        b->image = image;
        result = b->exported == NULL          ? SL_ERR_NOMEM
                 : hs_fetch_locked(b, thread) ? SL_OK
                                              : SL_ERR_IO;
    }
    if (result != SL_OK && b->image == image) {
        b->image = EGL_NO_IMAGE_KHR;
        sl_free(b->exported);
        b->exported = NULL;
    }
    pthread_mutex_unlock(&b->lock);
    return result;
}
