/* Views: buffers whose memory is a part of resources' memory, in a format and rows of their own.
 *
 * A format is three components that each lie somewhere in a plane. Of those of red, green and blue
 * copy.c knows the layout; YUV pictures are put together here, colours between two samples by both,
 * as a sampler does that filters. The guest may write to the memory meanwhile: it reads what it
 * wrote. */
#include "host/surface/view.h"

#include "transport/base/arith.h"
#include "transport/base/mem.h"
#include "transport/virtgpu/proto.h"

#include <string.h>

#define FOURCC(a, b, c, d)                                                                         \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

/* Where a component's samples lie: every `step` bytes of a plane's row, from `at` on. */
struct component {
    uint8_t plane, at, step;
};
struct yuv_format {
    uint32_t fourcc;
    uint8_t planes;
    uint8_t bytes;            /* of a sample; of 2: the lower one first */
    uint8_t shift_x, shift_y; /* a sample of the colours is for 1 << shift pixels */
    struct component y, u, v;
};
static const struct yuv_format yuv_formats[] = {
    {FOURCC('N', 'V', '1', '2'), 2, 1, 1, 1, {0, 0, 1}, {1, 0, 2}, {1, 1, 2}},
    {FOURCC('N', 'V', '2', '1'), 2, 1, 1, 1, {0, 0, 1}, {1, 1, 2}, {1, 0, 2}},
    {FOURCC('N', 'V', '1', '6'), 2, 1, 1, 0, {0, 0, 1}, {1, 0, 2}, {1, 1, 2}},
    {FOURCC('N', 'V', '6', '1'), 2, 1, 1, 0, {0, 0, 1}, {1, 1, 2}, {1, 0, 2}},
    {FOURCC('N', 'V', '2', '4'), 2, 1, 0, 0, {0, 0, 1}, {1, 0, 2}, {1, 1, 2}},
    {FOURCC('N', 'V', '4', '2'), 2, 1, 0, 0, {0, 0, 1}, {1, 1, 2}, {1, 0, 2}},
    {FOURCC('P', '0', '1', '0'), 2, 2, 1, 1, {0, 0, 2}, {1, 0, 4}, {1, 2, 4}},
    {FOURCC('P', '0', '1', '2'), 2, 2, 1, 1, {0, 0, 2}, {1, 0, 4}, {1, 2, 4}},
    {FOURCC('P', '0', '1', '6'), 2, 2, 1, 1, {0, 0, 2}, {1, 0, 4}, {1, 2, 4}},
    {FOURCC('Y', 'U', '1', '2'), 3, 1, 1, 1, {0, 0, 1}, {1, 0, 1}, {2, 0, 1}},
    {FOURCC('Y', 'V', '1', '2'), 3, 1, 1, 1, {0, 0, 1}, {2, 0, 1}, {1, 0, 1}},
    {FOURCC('Y', 'U', '1', '6'), 3, 1, 1, 0, {0, 0, 1}, {1, 0, 1}, {2, 0, 1}},
    {FOURCC('Y', 'V', '1', '6'), 3, 1, 1, 0, {0, 0, 1}, {2, 0, 1}, {1, 0, 1}},
    {FOURCC('Y', 'U', '2', '4'), 3, 1, 0, 0, {0, 0, 1}, {1, 0, 1}, {2, 0, 1}},
    {FOURCC('Y', 'V', '2', '4'), 3, 1, 0, 0, {0, 0, 1}, {2, 0, 1}, {1, 0, 1}},
    {FOURCC('Y', 'U', 'Y', 'V'), 1, 1, 1, 0, {0, 0, 2}, {0, 1, 4}, {0, 3, 4}},
    {FOURCC('Y', 'V', 'Y', 'U'), 1, 1, 1, 0, {0, 0, 2}, {0, 3, 4}, {0, 1, 4}},
    {FOURCC('U', 'Y', 'V', 'Y'), 1, 1, 1, 0, {0, 1, 2}, {0, 0, 4}, {0, 2, 4}},
    {FOURCC('V', 'Y', 'U', 'Y'), 1, 1, 1, 0, {0, 1, 2}, {0, 2, 4}, {0, 0, 4}},
    {FOURCC('X', 'Y', 'U', 'V'), 1, 1, 0, 0, {0, 2, 4}, {0, 1, 4}, {0, 0, 4}},
};
static const struct {
    uint32_t fourcc, virtgpu_format;
} plain_formats[] = {{FOURCC('A', 'R', '2', '4'), VIRTGPU_FORMAT_B8G8R8A8},
                     {FOURCC('X', 'R', '2', '4'), VIRTGPU_FORMAT_B8G8R8X8},
                     {FOURCC('A', 'B', '2', '4'), VIRTGPU_FORMAT_R8G8B8A8},
                     {FOURCC('X', 'B', '2', '4'), VIRTGPU_FORMAT_R8G8B8X8},
                     {FOURCC('R', 'G', '1', '6'), VIRTGPU_FORMAT_B5G6R5},
                     {FOURCC('R', '8', ' ', ' '), VIRTGPU_FORMAT_R8},
                     {FOURCC('G', 'R', '8', '8'), VIRTGPU_FORMAT_R8G8}};

/* A plane in the host's memory. */
struct placed {
    uint8_t *mem;
    uint32_t pitch;
};
struct hs_view {
    const struct yuv_format *format; /* NULL: the buffer's mem, stride and layout say all */
    struct hs_view_args args;        /* its planes are references; their holds keep the memory */
    struct placed placed[HS_PLANES_MAX];
};

void hs_view_free(struct hs_view *view)
{
    for (uint32_t i = 0; view != NULL && i < HS_PLANES_MAX; i++) {
        hs_put(view->args.planes[i].of);
    }
    sl_free(view);
}

bool hs_view_describe(const struct hs_buffer *buffer, struct hs_view_args *args)
{
    if (buffer->view != NULL) {
        *args = buffer->view->args;
    }
    return buffer->view != NULL;
}

struct hs_buffer *hs_view_origin(struct hs_buffer *b)
{
    const struct hs_view *view = b->view;
    struct hs_buffer *of = view != NULL ? view->args.planes[0].of : NULL;
    bool all = of != NULL && view->format == NULL && of->exported != NULL && b->mem == of->mem &&
               b->stride == of->stride && b->width == of->width && b->height == of->height &&
               b->layout.format == of->layout.format && b->layout.type == of->layout.type &&
               b->layout.opaque == of->layout.opaque;
    return all ? of : b;
}

bool hs_view_is_yuv(const struct hs_view *view)
{
    return view != NULL && view->format != NULL;
}

static const struct yuv_format *yuv_find(uint32_t fourcc)
{
    for (size_t i = 0; i < sizeof yuv_formats / sizeof yuv_formats[0]; i++) {
        if (yuv_formats[i].fourcc == fourcc) {
            return &yuv_formats[i];
        }
    }
    return NULL;
}

struct hs_layout hs_view_layout(uint32_t fourcc)
{
    for (size_t i = 0; i < sizeof plain_formats / sizeof plain_formats[0]; i++) {
        if (plain_formats[i].fourcc == fourcc) {
            return hs_layout_of(plain_formats[i].virtgpu_format);
        }
    }
    return (struct hs_layout){0};
}

/* How many samples of the colours a number of pixels has. */
static uint32_t samples(uint32_t pixels, uint32_t shift)
{
    return (pixels + (1u << shift) - 1) >> shift;
}

/* Where a plane lies in its resource's memory as the host has it. Guests know rows without gaps:
 * where ours have some, a plane must have those rows. False: it does not lie in there. */
static bool place(const struct hs_plane *p, uint64_t row_bytes, uint32_t rows, struct placed *out)
{
    const struct hs_buffer *b = p->of;
    if (b == NULL || b->kind != HS_COLOR || b->view != NULL || b->hold == NULL || b->mem == NULL ||
        row_bytes > p->pitch) {
        return false;
    }
    uint64_t row = (uint64_t)b->width * b->layout.bytes, offset = p->offset;
    uint32_t pitch = p->pitch;
    if (b->stride != row) {
        if (pitch != row || offset % row + row_bytes > row) {
            return false;
        }
        offset = offset / row * b->stride + offset % row; /* all below 2^32, but the product */
        pitch = b->stride;
    }
    if (!sl_region_fits(offset, (uint64_t)pitch * (rows - 1) + row_bytes, b->mem_size)) {
        return false;
    }
    *out = (struct placed){b->mem + offset, pitch};
    return true;
}

static bool plain_place(const struct hs_view_args *a, const struct hs_layout *layout,
                        struct placed placed[HS_PLANES_MAX])
{
    return a->plane_count == 1 && a->planes[0].pitch % layout->bytes == 0 &&
           place(&a->planes[0], (uint64_t)a->width * layout->bytes, a->height, &placed[0]);
}

/* Bytes that a row of `count` samples takes. */
static uint64_t row_of(const struct yuv_format *f, const struct component *c, uint32_t count)
{
    return (uint64_t)(count - 1) * c->step + c->at + f->bytes;
}

static bool component_place(const struct hs_view_args *a, const struct yuv_format *f,
                            const struct component *c, uint32_t width, uint32_t height,
                            struct placed placed[HS_PLANES_MAX])
{
    return place(&a->planes[c->plane], row_of(f, c, width), height, &placed[c->plane]);
}

static bool yuv_place(const struct hs_view_args *a, const struct yuv_format *f,
                      struct placed placed[HS_PLANES_MAX])
{
    uint32_t width = samples(a->width, f->shift_x), height = samples(a->height, f->shift_y);
    return a->plane_count == f->planes && a->yuv <= (HS_YUV_BT2020 | HS_YUV_FULL) &&
           (a->yuv & HS_YUV_STANDARD) <= HS_YUV_BT2020 &&
           component_place(a, f, &f->y, a->width, a->height, placed) &&
           component_place(a, f, &f->u, width, height, placed) &&
           component_place(a, f, &f->v, width, height, placed);
}

enum sl_result hs_view_create(struct hs_table *table, const struct hs_view_args *args,
                              struct hs_buffer **out)
{
    const struct yuv_format *format = yuv_find(args->fourcc);
    struct hs_layout layout = hs_view_layout(args->fourcc);
    bool sized = args->width != 0 && args->height != 0 && args->width <= HS_SIDE_MAX &&
                 args->height <= HS_SIDE_MAX && args->plane_count <= HS_PLANES_MAX;
    struct placed placed[HS_PLANES_MAX] = {{NULL, 0}};
    if (!sized || (format == NULL && layout.bytes == 0) ||
        !(format != NULL ? yuv_place(args, format, placed) : plain_place(args, &layout, placed))) {
        return SL_ERR_INVALID;
    }
    struct hs_buffer *b = hs_buffer_new(table, HS_COLOR, (uint64_t)args->width * args->height * 4);
    struct hs_view *view = b != NULL ? sl_alloc(sizeof *view) : NULL;
    if (view == NULL) {
        if (b != NULL) {
            b->size = 0; /* was never accounted for */
        }
        hs_put(b);
        return SL_ERR_NOMEM;
    }
    *view = (struct hs_view){.format = format, .args = *args};
    memcpy(view->placed, placed, sizeof placed);
    for (uint32_t i = 0; i < HS_PLANES_MAX; i++) {
        view->args.planes[i].of = i < args->plane_count ? hs_ref(args->planes[i].of) : NULL;
    }
    b->view = view;
    b->width = args->width;
    b->height = args->height;
    b->internal_format = format != NULL ? GL_RGBA8 : hs_internal_format(&layout);
    b->layout = layout;
    b->y0_top = true; /* as pictures of dma-bufs are */
    if (format == NULL) {
        b->mem = placed[0].mem;
        b->stride = placed[0].pitch;
    }
    enum sl_result result = hs_buffer_number(table, b);
    if (result == SL_OK) {
        *out = b;
    }
    return result;
}

/* --- pictures of brightness and colours --- */

/* Samples in 16ths of a step of 8 bits. */
enum { ONE = 16 };

/* One row of a component: its samples from `a` and `b`, three times as much of `a`. */
static void samples_read(uint16_t *to, const struct component *c, const uint8_t *a,
                         const uint8_t *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t at = (size_t)i * c->step + c->at;
        to[i] = (uint16_t)((a[at] * 3 + b[at]) * (ONE / 4));
    }
}

/* The same of samples of 16 bits. */
static void samples_read_wide(uint16_t *to, const struct component *c, const uint8_t *a,
                              const uint8_t *b, uint32_t count)
{
    const uint32_t most = 65535 * 4;
    for (uint32_t i = 0; i < count; i++) {
        size_t at = (size_t)i * c->step + c->at;
        uint32_t sum = ((uint32_t)a[at] | (uint32_t)a[at + 1] << 8) * 3 +
                       ((uint32_t)b[at] | (uint32_t)b[at + 1] << 8);
        to[i] = (uint16_t)((sum * (255 * ONE / 16) + most / 32) / (most / 16));
    }
}

/* A row of half as many samples, from `half` to `to`: pixel 2n lies a quarter before sample n,
 * pixel 2n + 1 a quarter behind it. */
static void samples_spread(uint16_t *to, const uint16_t *half, uint32_t width)
{
    uint32_t last = samples(width, 1) - 1;
    for (uint32_t x = 0; x < width; x++) {
        uint32_t n = x / 2, other = x % 2 == 0 ? (n > 0 ? n - 1 : 0) : (n < last ? n + 1 : last);
        to[x] = (uint16_t)((half[n] * 3 + half[other] + 2) / 4);
    }
}

/* The samples of a component for row y of the picture. */
static void colour_row(const struct hs_buffer *b, const struct component *c, uint32_t y,
                       uint16_t *to, uint16_t *scratch)
{
    const struct hs_view *view = b->view;
    const struct yuv_format *f = view->format;
    uint32_t near = y >> f->shift_y, far = near, last = samples(b->height, f->shift_y) - 1;
    if (f->shift_y != 0 && y % 2 == 0 && near > 0) {
        far = near - 1;
    } else if (f->shift_y != 0 && y % 2 == 1 && near < last) {
        far = near + 1;
    }
    const uint8_t *mem = view->placed[c->plane].mem;
    size_t pitch = view->placed[c->plane].pitch;
    bool spread = f->shift_x != 0;
    (f->bytes == 2 ? samples_read_wide : samples_read)(spread ? scratch : to, c, mem + near * pitch,
                                                       mem + far * pitch,
                                                       samples(b->width, f->shift_x));
    if (spread) {
        samples_spread(to, scratch, b->width);
    }
}

bool hs_view_picture(const struct hs_buffer *b, uint8_t *rgba)
{
    const struct hs_view *view = b->view;
    const struct yuv_format *f = view->format;
    uint16_t *rows = sl_alloc_array((size_t)b->width * 4, sizeof *rows);
    if (rows == NULL) {
        return false;
    }
    struct hs_yuv_row row = {rows, rows + b->width, rows + (size_t)b->width * 2, b->width};
    uint16_t *scratch = rows + (size_t)b->width * 3;
    for (uint32_t y = 0; y < b->height; y++) {
        const struct placed *plane = &view->placed[f->y.plane];
        const uint8_t *bright = plane->mem + (size_t)y * plane->pitch;
        (f->bytes == 2 ? samples_read_wide : samples_read)(row.y, &f->y, bright, bright, b->width);
        colour_row(b, &f->u, y, row.u, scratch);
        colour_row(b, &f->v, y, row.v, scratch);
        hs_yuv_convert(rgba + (size_t)y * b->width * 4, &row, view->args.yuv);
    }
    sl_free(rows);
    return true;
}
