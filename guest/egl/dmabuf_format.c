/* The formats that images of dma-bufs have: those that the host's views have, or, of a host without
 * views, those of its resources. */
#include "guest/egl/dmabuf_format.h"

#include "transport/virtgpu/proto.h"

#include <stddef.h>

#define FOURCC(a, b, c, d)                                                                         \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)

/* Hosts without views have the first PLAIN. */
enum { PLAIN = 4 };
static const struct gegl_dmabuf_format formats[] = {
    {FOURCC('A', 'R', '2', '4'), 1, {4}, 1, 1, false, VIRTGPU_FORMAT_B8G8R8A8},
    {FOURCC('X', 'R', '2', '4'), 1, {4}, 1, 1, false, 0},
    {FOURCC('A', 'B', '2', '4'), 1, {4}, 1, 1, false, VIRTGPU_FORMAT_R8G8B8A8},
    {FOURCC('X', 'B', '2', '4'), 1, {4}, 1, 1, false, VIRTGPU_FORMAT_R8G8B8X8},
    {FOURCC('R', 'G', '1', '6'), 1, {2}, 1, 1, false, VIRTGPU_FORMAT_B5G6R5},
    {FOURCC('R', '8', ' ', ' '), 1, {1}, 1, 1, false, VIRTGPU_FORMAT_R8},
    {FOURCC('G', 'R', '8', '8'), 1, {2}, 1, 1, false, VIRTGPU_FORMAT_R8G8},
    {FOURCC('N', 'V', '1', '2'), 2, {1, 2}, 2, 2, true, 0},
    {FOURCC('N', 'V', '2', '1'), 2, {1, 2}, 2, 2, true, 0},
    {FOURCC('N', 'V', '1', '6'), 2, {1, 2}, 2, 1, true, 0},
    {FOURCC('N', 'V', '6', '1'), 2, {1, 2}, 2, 1, true, 0},
    {FOURCC('N', 'V', '2', '4'), 2, {1, 2}, 1, 1, true, 0},
    {FOURCC('N', 'V', '4', '2'), 2, {1, 2}, 1, 1, true, 0},
    {FOURCC('P', '0', '1', '0'), 2, {2, 4}, 2, 2, true, 0},
    {FOURCC('P', '0', '1', '2'), 2, {2, 4}, 2, 2, true, 0},
    {FOURCC('P', '0', '1', '6'), 2, {2, 4}, 2, 2, true, 0},
    {FOURCC('Y', 'U', '1', '2'), 3, {1, 1, 1}, 2, 2, true, 0},
    {FOURCC('Y', 'V', '1', '2'), 3, {1, 1, 1}, 2, 2, true, 0},
    {FOURCC('Y', 'U', '1', '6'), 3, {1, 1, 1}, 2, 1, true, 0},
    {FOURCC('Y', 'V', '1', '6'), 3, {1, 1, 1}, 2, 1, true, 0},
    {FOURCC('Y', 'U', '2', '4'), 3, {1, 1, 1}, 1, 1, true, 0},
    {FOURCC('Y', 'V', '2', '4'), 3, {1, 1, 1}, 1, 1, true, 0},
    {FOURCC('Y', 'U', 'Y', 'V'), 1, {2}, 1, 1, true, 0},
    {FOURCC('Y', 'V', 'Y', 'U'), 1, {2}, 1, 1, true, 0},
    {FOURCC('U', 'Y', 'V', 'Y'), 1, {2}, 1, 1, true, 0},
    {FOURCC('V', 'Y', 'U', 'Y'), 1, {2}, 1, 1, true, 0},
    {FOURCC('X', 'Y', 'U', 'V'), 1, {4}, 1, 1, true, 0},
};

const struct gegl_dmabuf_format *gegl_dmabuf_format_at(uint32_t index, bool views)
{
    uint32_t count = views ? sizeof formats / sizeof formats[0] : PLAIN;
    return index < count ? &formats[index] : NULL;
}

const struct gegl_dmabuf_format *gegl_dmabuf_format_find(uint32_t fourcc, bool views)
{
    const struct gegl_dmabuf_format *f;
    for (uint32_t i = 0; (f = gegl_dmabuf_format_at(i, views)) != NULL; i++) {
        if (f->fourcc == fourcc) {
            return f;
        }
    }
    return NULL;
}

uint64_t gegl_dmabuf_row(const struct gegl_dmabuf_format *format, uint32_t plane, uint32_t width)
{
    uint64_t across = plane > 0 ? format->across : 1;
    return (width + across - 1) / across * format->bytes[plane];
}

uint32_t gegl_dmabuf_rows(const struct gegl_dmabuf_format *format, uint32_t plane, uint32_t height)
{
    uint64_t down = plane > 0 ? format->down : 1;
    return (uint32_t)((height + down - 1) / down);
}
