/* The formats that images of dma-bufs have. */
#ifndef DMABUF_FORMAT_H
#define DMABUF_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

struct gegl_dmabuf_format {
    uint32_t fourcc;  /* DRM's name */
    uint8_t planes;   /* 1 to GEGL_PLANES */
    uint8_t bytes[3]; /* of a plane's pixel, of one that stands for several in a row of all those */
    uint8_t across, down; /* pixels that one of the second plane stands for */
    bool is_yuv;          /* for external textures alone */
    uint32_t virtgpu;     /* of a 3D resource for it; 0: textures are not exported in it */
};

/* NULL: there is none. views: whether the host has slCreateView. */
const struct gegl_dmabuf_format *gegl_dmabuf_format_find(uint32_t fourcc, bool views);
/* The same by their place, from 0. */
const struct gegl_dmabuf_format *gegl_dmabuf_format_at(uint32_t index, bool views);
/* Bytes of a row of a plane, without a gap behind it, and how many rows a plane has. */
uint64_t gegl_dmabuf_row(const struct gegl_dmabuf_format *format, uint32_t plane, uint32_t width);
uint32_t gegl_dmabuf_rows(const struct gegl_dmabuf_format *format, uint32_t plane, uint32_t height);

#endif
