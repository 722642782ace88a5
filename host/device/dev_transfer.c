/* Guest pages of a resource, and boxes moved between them, the shared backing and the native
 * object. */
#include "host/device/dev.h"

#include "transport/base/arith.h"
#include "transport/base/mem.h"

#include <string.h>

#define BACKING_MAX_ENTRIES 16384u

/* ---- guest pages ---- */

enum sl_result dev_backing_copy(struct dev_resource *res, const struct iovec *iov, uint32_t count)
{
    if (iov == NULL || count == 0 || count > BACKING_MAX_ENTRIES) {
        return SL_ERR_INVALID;
    }
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (!sl_add_u64(total, iov[i].iov_len, &total)) {
            return SL_ERR_INVALID;
        }
    }
    struct iovec *copy = sl_alloc_array(count, sizeof *copy);
    if (copy == NULL) {
        return SL_ERR_NOMEM;
    }
    memcpy(copy, iov, count * sizeof *copy);
    res->iov = copy;
    res->iov_count = count;
    res->iov_size = total;
    return SL_OK;
}

void dev_backing_drop(struct dev_resource *res)
{
    sl_free(res->iov);
    res->iov = NULL;
    res->iov_count = 0;
    res->iov_size = 0;
}

enum sl_result dev_backing_attach(struct vgd *vgd, uint32_t resource_id, const struct iovec *iov,
                                  uint32_t count)
{
    struct dev_resource *res = sl_map_find(&dev_from(vgd)->resources, resource_id);
    if (res == NULL) {
        return SL_ERR_NOTFOUND;
    }
    return res->is_tex && res->iov == NULL ? dev_backing_copy(res, iov, count) : SL_ERR_INVALID;
}

enum sl_result dev_backing_detach(struct vgd *vgd, uint32_t resource_id)
{
    struct dev_resource *res = sl_map_find(&dev_from(vgd)->resources, resource_id);
    if (res == NULL) {
        return SL_ERR_NOTFOUND;
    }
    if (!res->is_tex || res->iov == NULL) {
        return SL_ERR_INVALID; /* a guest blob's pages go with the blob */
    }
    dev_backing_drop(res);
    return SL_OK;
}

/* ---- transfers ---- */

/* A box of rows: `row` bytes each, at `offset` in the guest's bytes and `image` in the backing. */
struct rows {
    uint64_t offset;
    uint64_t stride;
    uint64_t image;
    uint64_t image_stride;
    uint64_t row;
    uint32_t count;
};

/* Where in the scattered bytes we are: rows ascend, so nothing is walked twice. */
struct iov_cursor {
    const struct iovec *iov;
    uint32_t count;
    uint32_t index;
    uint64_t base; /* offset of iov[index] in all the bytes */
};

/* offset does not descend from call to call; [offset, offset + size) was checked against the total.
 */
static void iov_copy(struct iov_cursor *c, uint64_t offset, uint8_t *image, uint64_t size,
                     enum vg_direction direction)
{
    while (offset - c->base >= c->iov[c->index].iov_len) {
        c->base += c->iov[c->index++].iov_len;
    }
    uint32_t index = c->index;
    uint64_t skip = offset - c->base;
    while (size != 0) {
        uint64_t here = c->iov[index].iov_len - skip;
        here = here < size ? here : size;
        uint8_t *guest = (uint8_t *)c->iov[index].iov_base + skip;
        if (direction == VG_TO_HOST) {
            memcpy(image, guest, here);
        } else {
            memcpy(guest, image, here);
        }
        image += here;
        size -= here;
        skip = 0;
        index++;
    }
}

void dev_iov_read(const struct iovec *iov, uint64_t offset, void *bytes, uint64_t size)
{
    struct iov_cursor cursor = {.iov = iov};
    iov_copy(&cursor, offset, bytes, size, VG_TO_HOST);
}

/* Guest pages that overlap in the list make rows overwrite each other: harmless. */
static void copy_rows(const struct dev_resource *res, const struct rows *rows,
                      enum vg_direction direction)
{
    struct iov_cursor cursor = {.iov = res->iov, .count = res->iov_count};
    uint8_t *image = res->memory->view.pointer;
    for (uint32_t y = 0; y < rows->count; y++) {
        iov_copy(&cursor, rows->offset + y * rows->stride,
                 image + rows->image + y * rows->image_stride, rows->row, direction);
    }
}

/* Does the box lie in the resource, and do its rows lie in `limit` bytes? */
static enum sl_result plan_rows(const struct dev_resource *res, const struct vg_box *box,
                                uint64_t offset, uint32_t stride, uint64_t limit, struct rows *out)
{
    if (box->width == 0 || box->height == 0 || box->depth != 1 || box->z != 0 ||
        !sl_region_fits(box->x, box->width, res->tex.width_px) ||
        !sl_region_fits(box->y, box->height, res->tex.height_px)) {
        return SL_ERR_INVALID;
    }
    /* Sides are at most 2^32 - 1 and pixels 4 bytes: these products fit in 64 bits. */
    *out = (struct rows){
        .offset = offset,
        .stride = stride != 0 ? stride : res->stride,
        .image = (uint64_t)box->y * res->stride + (uint64_t)box->x * res->pixel_size,
        .image_stride = res->stride,
        .row = (uint64_t)box->width * res->pixel_size,
        .count = box->height,
    };
    if (box->height > 1 && out->stride < out->row) {
        return SL_ERR_INVALID;
    }
    uint64_t span = (box->height - 1) * out->stride + out->row;
    return sl_region_fits(offset, span, limit) ? SL_OK : SL_ERR_INVALID;
}

static void count_transfer(struct dev_device *d, uint64_t bytes)
{
    d->stats.transfers++;
    d->stats.transfer_bytes += bytes;
}

/* Between a blob's two memories: a box of bytes. */
static enum sl_result transfer_blob(struct dev_device *d, const struct dev_resource *res,
                                    const struct vg_box *box, uint64_t offset,
                                    enum vg_direction direction)
{
    if (res->memory == NULL || res->iov == NULL || box->width == 0 || box->height != 1 ||
        box->depth != 1 || box->y != 0 || box->z != 0 ||
        !sl_region_fits(box->x, box->width, res->size) ||
        !sl_region_fits(offset, box->width, res->iov_size)) {
        return SL_ERR_INVALID;
    }
    struct dev_reach reach;
    enum sl_result r = dev_memory_reach(res->memory, direction == VG_TO_HOST, &reach);
    if (r != SL_OK) {
        return r;
    }
    struct iov_cursor cursor = {.iov = res->iov, .count = res->iov_count};
    iov_copy(&cursor, offset, reach.at + box->x, box->width, direction);
    dev_memory_unreach(&reach);
    count_transfer(d, box->width);
    return SL_OK;
}

enum sl_result dev_transfer(struct vgd *vgd, uint32_t ctx_id, uint32_t resource_id,
                            const struct vg_box *box, uint32_t level, uint64_t offset,
                            uint32_t stride, uint32_t layer_stride, enum vg_direction direction)
{
    struct dev_device *d = dev_from(vgd);
    struct dev_resource *res = sl_map_find(&d->resources, resource_id);
    if (res == NULL || (ctx_id != 0 && sl_map_find(&d->contexts, ctx_id) == NULL)) {
        return SL_ERR_NOTFOUND;
    }
    if (!res->is_tex) {
        return transfer_blob(d, res, box, offset, direction);
    }
    if (level > res->tex.last_level) {
        return SL_ERR_INVALID;
    }
    struct iovec shared = {.iov_base = res->memory->view.pointer, .iov_len = res->size};
    const struct iovec *iov = res->iov;
    uint32_t iov_count = res->iov_count;
    uint64_t limit = res->iov_size;
    if (iov == NULL) {
        iov = &shared;
        iov_count = 1;
        limit = res->size;
        offset = (uint64_t)box->y * res->stride + (uint64_t)box->x * res->pixel_size;
        stride = res->stride;
    }
    struct rows rows;
    enum sl_result r = plan_rows(res, box, offset, stride, limit, &rows);
    if (r != SL_OK) {
        return r;
    }
    count_transfer(d, rows.row * rows.count);
    if (res->provider != NULL && res->provider->ops->tex_transfer != NULL) {
        return res->provider->ops->tex_transfer(res->provider, resource_id, box, level, iov,
                                                iov_count, offset, (uint32_t)rows.stride,
                                                layer_stride, direction);
    }
    if (res->iov != NULL) {
        copy_rows(res, &rows, direction);
    }
    return SL_OK; /* without guest pages both sides already share the backing */
}
