/* Scanouts: which resource each shows, where its pixels lie, and the picture as a display wants it.
 * Device thread. */
#include "host/device/dev.h"

#include "transport/base/arith.h"
#include "transport/base/mem.h"

#include <string.h>

/* Which byte of a pixel holds red, green, blue, alpha; alpha 4: none, opaque. */
struct order {
    uint32_t format;
    uint8_t r, g, b, a;
};
static const struct order orders[] = {
    {VIRTGPU_FORMAT_B8G8R8A8, 2, 1, 0, 3}, {VIRTGPU_FORMAT_B8G8R8X8, 2, 1, 0, 4},
    {VIRTGPU_FORMAT_A8R8G8B8, 1, 2, 3, 0}, {VIRTGPU_FORMAT_X8R8G8B8, 1, 2, 3, 4},
    {VIRTGPU_FORMAT_R8G8B8A8, 0, 1, 2, 3}, {VIRTGPU_FORMAT_X8B8G8R8, 3, 2, 1, 4},
    {VIRTGPU_FORMAT_A8B8G8R8, 3, 2, 1, 0}, {VIRTGPU_FORMAT_R8G8B8X8, 0, 1, 2, 4},
};
#define PIXEL_SIZE 4u

/* A cursor's resource is made as a dumb buffer, whose format leaves alpha out: what lies there is
 * alpha all the same. */
static uint32_t cursor_format(uint32_t format)
{
    switch (format) {
    case VIRTGPU_FORMAT_B8G8R8X8:
        return VIRTGPU_FORMAT_B8G8R8A8;
    case VIRTGPU_FORMAT_X8R8G8B8:
        return VIRTGPU_FORMAT_A8R8G8B8;
    case VIRTGPU_FORMAT_X8B8G8R8:
        return VIRTGPU_FORMAT_A8B8G8R8;
    case VIRTGPU_FORMAT_R8G8B8X8:
        return VIRTGPU_FORMAT_R8G8B8A8;
    default:
        return format;
    }
}

static const struct order *order_find(uint32_t format)
{
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        if (orders[i].format == format) {
            return &orders[i];
        }
    }
    return NULL;
}

/* A resource's bytes as an image. */
struct image {
    const struct order *order;
    uint32_t width_px, height_px, stride;
    uint64_t offset;         /* of the first pixel in the bytes below */
    const struct iovec *iov; /* NULL: at reach.at */
    struct dev_reach reach;
};

static void image_close(struct image *image)
{
    dev_memory_unreach(&image->reach);
}

/* The image that `shown` says lies in the resource, checked. open: reach its bytes as well, until
 * image_close. */
static enum sl_result image_open(const struct dev_resource *res, const struct vgd_scanout *shown,
                                 bool open, struct image *image)
{
    *image = (struct image){.order = order_find(res->is_tex ? res->tex.format : shown->format)};
    image->width_px = res->is_tex ? res->tex.width_px : shown->image_width_px;
    image->height_px = res->is_tex ? res->tex.height_px : shown->image_height_px;
    image->stride = res->is_tex ? res->stride : shown->stride;
    image->offset = res->is_tex ? 0 : shown->offset;
    if (image->order == NULL || (res->is_tex && res->tex.target != VIRTGPU_TARGET_2D)) {
        return SL_ERR_UNSUPPORTED;
    }
    uint64_t row = (uint64_t)image->width_px * PIXEL_SIZE;
    if (image->width_px == 0 || image->height_px == 0 || image->stride < row ||
        !sl_region_fits(image->offset, (uint64_t)(image->height_px - 1) * image->stride + row,
                        res->size)) {
        return SL_ERR_INVALID;
    }
    if (!open) {
        return SL_OK;
    }
    if (res->memory == NULL) {
        image->iov = res->iov;
        return SL_OK;
    }
    return dev_memory_reach(res->memory, false, &image->reach);
}

/* A row's part as R, G, B, A bytes. [x, x + width) and y lie in the image. */
static void image_row(const struct image *image, uint32_t x, uint32_t y, uint32_t width,
                      uint8_t *out)
{
    uint64_t at = image->offset + (uint64_t)y * image->stride + (uint64_t)x * PIXEL_SIZE;
    const struct order *order = image->order;
    if (image->iov != NULL) {
        dev_iov_read(image->iov, at, out, (uint64_t)width * PIXEL_SIZE);
    } else {
        memcpy(out, image->reach.at + at, (size_t)width * PIXEL_SIZE);
    }
    for (uint32_t i = 0; i < width; i++, out += PIXEL_SIZE) {
        const uint8_t in[PIXEL_SIZE + 1] = {out[0], out[1], out[2], out[3], 0xff};
        out[0] = in[order->r];
        out[1] = in[order->g];
        out[2] = in[order->b];
        out[3] = in[order->a];
    }
}

/* ---- the verbs ---- */

static void tell_scanout(struct dev_device *d, uint32_t scanout_id)
{
    const struct vgd_scanout *shown = &d->scanouts[scanout_id].shown;
    if (d->sink.scanout != NULL) {
        bool on = shown->resource_id != 0;
        d->sink.scanout(d->sink.user, scanout_id, on ? shown->width_px : 0,
                        on ? shown->height_px : 0);
    }
}

static void scanout_off(struct dev_device *d, uint32_t scanout_id)
{
    struct vgd_scanout *shown = &d->scanouts[scanout_id].shown;
    if (shown->resource_id != 0) {
        *shown = (struct vgd_scanout){0};
        tell_scanout(d, scanout_id);
    }
}

enum sl_result dev_scanout_set(struct vgd *vgd, uint32_t scanout_id,
                               const struct vgd_scanout *scanout)
{
    struct dev_device *d = dev_from(vgd);
    if (scanout_id >= VGD_SCANOUTS) {
        return SL_ERR_INVALID;
    }
    if (scanout->resource_id == 0) {
        scanout_off(d, scanout_id);
        return SL_OK;
    }
    const struct dev_resource *res = sl_map_find(&d->resources, scanout->resource_id);
    if (res == NULL) {
        return SL_ERR_NOTFOUND;
    }
    struct image image;
    enum sl_result r = image_open(res, scanout, false, &image);
    if (r != SL_OK) {
        return r;
    }
    if (scanout->width_px == 0 || scanout->height_px == 0 ||
        !sl_region_fits(scanout->x_px, scanout->width_px, image.width_px) ||
        !sl_region_fits(scanout->y_px, scanout->height_px, image.height_px)) {
        return SL_ERR_INVALID;
    }
    struct vgd_scanout *shown = &d->scanouts[scanout_id].shown;
    bool resized = shown->resource_id == 0 || shown->width_px != scanout->width_px ||
                   shown->height_px != scanout->height_px;
    *shown = *scanout;
    if (resized) {
        tell_scanout(d, scanout_id);
    }
    return SL_OK;
}

/* The common part of [a, a + a_size) and [b, b + b_size), seen from b. False: none. */
static bool overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size, uint32_t *at,
                    uint32_t *size)
{
    uint64_t begin = a > b ? a : b;
    uint64_t a_end = (uint64_t)a + a_size;
    uint64_t b_end = (uint64_t)b + b_size;
    uint64_t end = a_end < b_end ? a_end : b_end;
    if (begin >= end) {
        return false;
    }
    *at = (uint32_t)(begin - b);
    *size = (uint32_t)(end - begin);
    return true;
}

enum sl_result dev_flush(struct vgd *vgd, uint32_t resource_id, const struct vg_box *box)
{
    struct dev_device *d = dev_from(vgd);
    const struct dev_resource *res = sl_map_find(&d->resources, resource_id);
    if (res == NULL) {
        return SL_ERR_NOTFOUND;
    }
    if (res->is_tex && (!sl_region_fits(box->x, box->width, res->tex.width_px) ||
                        !sl_region_fits(box->y, box->height, res->tex.height_px))) {
        return SL_ERR_INVALID;
    }
    for (uint32_t i = 0; i < VGD_SCANOUTS && d->sink.damage != NULL; i++) {
        const struct vgd_scanout *shown = &d->scanouts[i].shown;
        struct vg_box part = {.depth = 1};
        if (shown->resource_id == resource_id &&
            overlap(box->x, box->width, shown->x_px, shown->width_px, &part.x, &part.width) &&
            overlap(box->y, box->height, shown->y_px, shown->height_px, &part.y, &part.height)) {
            d->sink.damage(d->sink.user, i, &part);
        }
    }
    return SL_OK;
}

/* ---- the cursor ---- */

static enum sl_result cursor_copy(struct dev_scanout *scanout, const struct dev_resource *res)
{
    struct image image;
    if (!res->is_tex) {
        return SL_ERR_UNSUPPORTED;
    }
    enum sl_result r = image_open(res, &(struct vgd_scanout){0}, true, &image);
    if (r != SL_OK) {
        return r;
    }
    image.order = order_find(cursor_format(res->tex.format));
    uint8_t *pixels = NULL;
    if (image.width_px > VGD_CURSOR_SIDE_PX || image.height_px > VGD_CURSOR_SIDE_PX) {
        r = SL_ERR_INVALID;
    } else {
        pixels = sl_alloc((size_t)image.width_px * image.height_px * PIXEL_SIZE);
        r = pixels != NULL ? SL_OK : SL_ERR_NOMEM;
    }
    for (uint32_t y = 0; r == SL_OK && y < image.height_px; y++) {
        image_row(&image, 0, y, image.width_px, pixels + (size_t)y * image.width_px * PIXEL_SIZE);
    }
    image_close(&image);
    if (r == SL_OK) {
        sl_free(scanout->cursor_pixels);
        scanout->cursor_pixels = pixels;
        scanout->cursor_width_px = image.width_px;
        scanout->cursor_height_px = image.height_px;
    }
    return r;
}

enum sl_result dev_cursor_set(struct vgd *vgd, uint32_t scanout_id, const struct vgd_cursor *cursor,
                              bool move)
{
    struct dev_device *d = dev_from(vgd);
    if (scanout_id >= VGD_SCANOUTS) {
        return SL_ERR_INVALID;
    }
    struct dev_scanout *scanout = &d->scanouts[scanout_id];
    if (move) {
        scanout->cursor.x_px = cursor->x_px;
        scanout->cursor.y_px = cursor->y_px;
    } else {
        if (cursor->resource_id != 0) {
            const struct dev_resource *res = sl_map_find(&d->resources, cursor->resource_id);
            enum sl_result r = res != NULL ? cursor_copy(scanout, res) : SL_ERR_NOTFOUND;
            if (r != SL_OK) {
                return r;
            }
        }
        scanout->cursor = *cursor;
    }
    if (d->sink.cursor != NULL) {
        d->sink.cursor(d->sink.user, scanout_id, &scanout->cursor);
    }
    return SL_OK;
}

/* Over this part of the picture; the cursor's colours are premultiplied, as X11 and Wayland hand
 * them on. */
static void cursor_draw(const struct dev_scanout *scanout, const struct vg_box *part,
                        uint8_t *pixels)
{
    const uint8_t *from = scanout->cursor_pixels;
    for (uint32_t y = 0; y < scanout->cursor_height_px; y++) {
        for (uint32_t x = 0; x < scanout->cursor_width_px; x++, from += PIXEL_SIZE) {
            int64_t at_x = (int64_t)scanout->cursor.x_px + x - part->x;
            int64_t at_y = (int64_t)scanout->cursor.y_px + y - part->y;
            if (at_x < 0 || at_y < 0 || at_x >= part->width || at_y >= part->height) {
                continue;
            }
            uint8_t *to = pixels + ((size_t)at_y * part->width + (size_t)at_x) * PIXEL_SIZE;
            for (uint32_t c = 0; c < 3; c++) {
                uint32_t sum = from[c] + to[c] * (255u - from[3]) / 255u;
                to[c] = (uint8_t)(sum < 255 ? sum : 255);
            }
        }
    }
}

/* ---- reading ---- */

enum sl_result dev_scanout_read(struct vgd *vgd, uint32_t scanout_id, bool with_cursor,
                                const struct vg_box *part, void *pixels, size_t size,
                                uint32_t *width_px, uint32_t *height_px)
{
    struct dev_device *d = dev_from(vgd);
    if (scanout_id >= VGD_SCANOUTS) {
        return SL_ERR_INVALID;
    }
    const struct dev_scanout *scanout = &d->scanouts[scanout_id];
    const struct vgd_scanout *shown = &scanout->shown;
    const struct dev_resource *res =
        shown->resource_id != 0 ? sl_map_find(&d->resources, shown->resource_id) : NULL;
    if (res == NULL) {
        return SL_ERR_NOTFOUND;
    }
    const struct vg_box all = {.width = shown->width_px, .height = shown->height_px};
    part = part != NULL ? part : &all;
    if (part->width == 0 || part->height == 0 ||
        !sl_region_fits(part->x, part->width, shown->width_px) ||
        !sl_region_fits(part->y, part->height, shown->height_px)) {
        return SL_ERR_INVALID;
    }
    *width_px = shown->width_px;
    *height_px = shown->height_px;
    size_t row = (size_t)part->width * PIXEL_SIZE;
    if (pixels == NULL || size / row < part->height) {
        return SL_OK;
    }
    struct image image;
    enum sl_result r = image_open(res, shown, true, &image);
    if (r != SL_OK) {
        return r;
    }
    for (uint32_t y = 0; y < part->height; y++) {
        image_row(&image, shown->x_px + part->x, shown->y_px + part->y + y, part->width,
                  (uint8_t *)pixels + y * row);
    }
    image_close(&image);
    if (with_cursor && scanout->cursor.resource_id != 0) {
        cursor_draw(scanout, part, pixels);
    }
    return SL_OK;
}

/* ---- ends ---- */

void dev_scanouts_forget(struct dev_device *d, uint32_t resource_id)
{
    for (uint32_t i = 0; i < VGD_SCANOUTS; i++) {
        if (d->scanouts[i].shown.resource_id == resource_id) {
            scanout_off(d, i);
        }
    }
}

void dev_scanouts_clear(struct dev_device *d)
{
    for (uint32_t i = 0; i < VGD_SCANOUTS; i++) {
        scanout_off(d, i);
        sl_free(d->scanouts[i].cursor_pixels);
        d->scanouts[i] = (struct dev_scanout){0};
    }
}
