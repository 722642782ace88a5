#include "host/surface/view.h"

#include "transport/base/atomic.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <stdlib.h>

#define BUFFERS_MAX 65536u

void hs_table_init(struct hs_table *table, const struct hs_native *native,
                   void (*release)(void *hold))
{
    *table = (struct hs_table){.release = release, .native = native};
    sl_handles_init(&table->handles, BUFFERS_MAX, HS_HANDLE_BASE);
    sl_map_init(&table->resources, BUFFERS_MAX);
}

void hs_table_finish(struct hs_table *table)
{
    if (table->handles.ids.live != 0 || table->resources.live != 0) {
        sl_warn("surface", "%u buffers and %u resources are left", table->handles.ids.live,
                table->resources.live);
    }
    sl_map_finish(&table->resources);
    sl_handles_finish(&table->handles);
}

struct hs_buffer *hs_buffer_new(struct hs_table *table, enum hs_kind kind, uint64_t size)
{
    struct hs_buffer *b = sl_alloc(sizeof *b);
    if (b != NULL) {
        *b = (struct hs_buffer){
            .kind = kind, .size = size, .table = table, .refs = 1, .image = EGL_NO_IMAGE_KHR};
        pthread_mutex_init(&b->lock, NULL);
    }
    return b;
}

static void buffer_free(struct hs_buffer *b)
{
    struct hs_table *table = b->table;
    if (b->image != EGL_NO_IMAGE_KHR) {
        table->native->egl.DestroyImageKHR(table->native->display, b->image);
    }
    if (b->hold != NULL && table->release != NULL) {
        table->release(b->hold);
    }
    hs_view_free(b->view);
    sl_free(b->exported);
    pthread_mutex_lock(&table->handles.lock);
    table->bytes -= b->size;
    pthread_mutex_unlock(&table->handles.lock);
    pthread_mutex_destroy(&b->lock);
    sl_free(b);
}

struct hs_buffer *hs_ref(struct hs_buffer *buffer)
{
    sl_atomic_add(&buffer->refs, 1); /* the caller has one already; orders nothing */
    return buffer;
}

void hs_put(struct hs_buffer *buffer)
{
    /* The last one frees: the full barrier of the subtraction puts all others' uses before it. */
    if (buffer != NULL && sl_atomic_add(&buffer->refs, UINT32_MAX) == 1) {
        buffer_free(buffer);
    }
}

enum sl_result hs_resource_add(struct hs_table *table, const struct hs_resource_args *args)
{
    if (args->resource_id == 0 || args->resource_id >= HS_HANDLE_BASE) {
        return SL_ERR_INVALID;
    }
    struct hs_layout layout = hs_layout_of(args->virtgpu_format);
    uint64_t row = (uint64_t)args->width * layout.bytes;
    bool fits = layout.bytes != 0 && args->stride >= row && args->stride % layout.bytes == 0 &&
                (uint64_t)args->stride * args->height <= args->mem_size;
    struct hs_buffer *b = hs_buffer_new(table, HS_COLOR, 0);
    if (b == NULL) {
        return SL_ERR_NOMEM;
    }
    b->handle = args->resource_id;
    b->width = args->width;
    b->height = args->height;
    b->internal_format = hs_internal_format(&layout);
    b->layout = layout;
    b->y0_top = args->y0_top;
    if (args->mem != NULL && fits) {
        b->mem = args->mem;
        b->mem_size = args->mem_size;
        b->stride = args->stride;
    }
    pthread_mutex_lock(&table->handles.lock);
    enum sl_result result = sl_map_add(&table->resources, args->resource_id, b);
    pthread_mutex_unlock(&table->handles.lock);
    if (result != SL_OK) {
        hs_put(b);
        return result;
    }
    b->hold = args->hold;
    return SL_OK;
}

void hs_resource_remove(struct hs_table *table, uint32_t resource_id)
{
    pthread_mutex_lock(&table->handles.lock);
    struct hs_buffer *b = sl_map_remove(&table->resources, resource_id);
    pthread_mutex_unlock(&table->handles.lock);
    if (b == NULL) {
        return;
    }
    if (b->hold == NULL) {
        /* The memory goes away with this call: wait for whoever copies at the moment. */
        pthread_mutex_lock(&b->lock);
        b->mem = NULL;
        pthread_mutex_unlock(&b->lock);
    }
    hs_put(b);
}

static uint32_t internal_bytes(uint32_t internal_format)
{
    switch (internal_format) {
    case GL_RGB565:
    case GL_RGBA4:
    case GL_RGB5_A1:
    case GL_RG8:
        return 2;
    case GL_R8:
    case GL_LUMINANCE:
    case GL_RED:
        return 1;
    case GL_RGB:
    case GL_RGB8:
    case GL_RGBA:
    case GL_RGBA8:
    case GL_BGRA_EXT:
    case GL_RGB10_A2:
    case GL_BGRA8_EXT:
        return 4;
    case GL_RGBA16F:
        return 8;
    default:
        return 0;
    }
}

enum sl_result hs_buffer_number(struct hs_table *table, struct hs_buffer *b)
{
    enum sl_result result = SL_ERR_NOMEM;
    pthread_mutex_lock(&table->handles.lock);
    if (b->size <= HS_BYTES_MAX - table->bytes) {
        result = sl_handles_add_locked(&table->handles, HS_COLOR, b, &b->handle);
    }
    if (result == SL_OK) {
        table->bytes += b->size;
        hs_ref(b); /* the table's; the first is the caller's */
    }
    pthread_mutex_unlock(&table->handles.lock);
    if (result != SL_OK) {
        b->size = 0; /* was never accounted for */
        hs_put(b);
    }
    return result;
}

enum sl_result hs_color_create(struct hs_table *table, uint32_t width, uint32_t height,
                               uint32_t internal_format, struct hs_buffer **out)
{
    uint32_t bytes = internal_bytes(internal_format);
    if (width == 0 || height == 0 || width > HS_SIDE_MAX || height > HS_SIDE_MAX || bytes == 0) {
        return SL_ERR_INVALID;
    }
    struct hs_buffer *b = hs_buffer_new(table, HS_COLOR, (uint64_t)width * height * bytes);
    if (b == NULL) {
        return SL_ERR_NOMEM;
    }
    b->width = width;
    b->height = height;
    b->internal_format = internal_format;
    enum sl_result result = hs_buffer_number(table, b);
    if (result == SL_OK) {
        *out = b;
    }
    return result;
}

enum sl_result hs_plain_create(struct hs_table *table, uint64_t size, struct hs_buffer **out)
{
    if (size == 0 || size > HS_BYTES_MAX) {
        return SL_ERR_INVALID;
    }
    struct hs_buffer *b = hs_buffer_new(table, HS_PLAIN, size);
    if (b == NULL) {
        return SL_ERR_NOMEM;
    }
    enum sl_result result = hs_buffer_number(table, b);
    if (result == SL_OK) {
        *out = b;
    }
    return result;
}

struct hs_buffer *hs_get(struct hs_table *table, uint32_t handle)
{
    pthread_mutex_lock(&table->handles.lock);
    struct hs_buffer *b = handle >= HS_HANDLE_BASE
                              ? sl_table_find(&table->handles.ids, HS_COLOR, handle)
                              : sl_map_find(&table->resources, handle);
    if (b != NULL) {
        hs_ref(b);
    }
    pthread_mutex_unlock(&table->handles.lock);
    return b;
}

bool hs_open(struct hs_table *table, uint32_t handle)
{
    pthread_mutex_lock(&table->handles.lock);
    struct hs_buffer *b = sl_table_find(&table->handles.ids, HS_COLOR, handle);
    if (b != NULL) {
        b->opens++;
    }
    pthread_mutex_unlock(&table->handles.lock);
    return b != NULL;
}

void hs_close(struct hs_table *table, uint32_t handle, uint32_t opens)
{
    pthread_mutex_lock(&table->handles.lock);
    struct hs_buffer *b = sl_table_find(&table->handles.ids, HS_COLOR, handle);
    if (b != NULL) {
        b->opens -= opens < b->opens ? opens : b->opens;
        if (b->opens == 0) {
            (void)sl_table_remove(&table->handles.ids, HS_COLOR, handle);
        } else {
            b = NULL;
        }
    }
    pthread_mutex_unlock(&table->handles.lock);
    hs_put(b);
}

bool hs_is_shared(struct hs_buffer *buffer, uint32_t opens)
{
    pthread_mutex_lock(&buffer->table->handles.lock);
    bool shared = buffer->opens > opens;
    pthread_mutex_unlock(&buffer->table->handles.lock);
    return shared;
}

bool hs_holds_image(struct hs_buffer *buffer)
{
    pthread_mutex_lock(&buffer->lock);
    bool has_own = buffer->mem == NULL && !hs_view_is_yuv(buffer->view);
    bool holds = buffer->image != EGL_NO_IMAGE_KHR && (has_own || buffer->image_newer);
    pthread_mutex_unlock(&buffer->lock);
    return holds;
}
