#include "guest/x11/gx_internal.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <xcb/shm.h>

static void copy_say(struct gx *x11, const char *why)
{
    pthread_mutex_lock(&x11->lock);
    bool said = x11->copy_said;
    x11->copy_said = true;
    pthread_mutex_unlock(&x11->lock);
    if (!said) {
        sl_info("x11", "frames are copied through the X socket: %s", why);
    }
}

void gx_picture_begin(struct gx *x11, struct gx_picture *picture, int fd)
{
    picture->segment = 0;
    picture->busy = false;
    pthread_mutex_lock(&x11->lock);
    sl_list_add(&x11->pictures, &picture->link);
    pthread_mutex_unlock(&x11->lock);
    if (!x11->shm || fd < 0) {
        copy_say(x11, fd < 0 ? "the device gives no descriptor of its memory"
                             : "the server has no MIT-SHM 1.2");
        sl_fd_close(&fd);
        return;
    }
    uint32_t segment = xcb_generate_id(x11->connection);
    xcb_generic_error_t *error = xcb_request_check(
        x11->connection, xcb_shm_attach_fd_checked(x11->connection, segment, fd, 1));
    if (error != NULL || xcb_connection_has_error(x11->connection)) {
        copy_say(x11, "the server cannot attach our memory");
        free(error);
        return;
    }
    picture->segment = segment;
}

void gx_picture_end(struct gx *x11, struct gx_picture *picture)
{
    pthread_mutex_lock(&x11->lock);
    sl_list_remove(&picture->link);
    pthread_mutex_unlock(&x11->lock);
    if (picture->segment != 0) {
        xcb_shm_detach(x11->connection, picture->segment);
        picture->segment = 0;
    }
}

static enum sl_result checked(struct gx *x11, xcb_void_cookie_t cookie)
{
    xcb_generic_error_t *error = xcb_request_check(x11->connection, cookie);
    if (xcb_connection_has_error(x11->connection)) {
        free(error);
        return SL_ERR_CLOSED;
    }
    if (error == NULL) {
        return SL_OK;
    }
    bool window_gone = error->error_code == XCB_DRAWABLE || error->error_code == XCB_WINDOW ||
                       error->error_code == XCB_G_CONTEXT;
    if (!window_gone) {
        sl_warn_limited("x11", "the X server refuses a frame: error %u of request %u.%u",
                        error->error_code, error->major_code, error->minor_code);
    }
    free(error);
    return window_gone ? SL_ERR_NOTFOUND : SL_OK;
}

/* In strips that fit a request; rows go out as the server wants them, padded to 4 bytes. */
static enum sl_result put_copy(struct gx *x11, const struct gx_window *window,
                               const struct gx_picture *picture)
{
    uint32_t unit = window->depth <= 32 ? x11->image_unit_bits[window->depth] / 8 : 0;
    uint32_t row = (picture->width_px * unit + 3) & ~3u;
    uint64_t request = (uint64_t)xcb_get_maximum_request_length(x11->connection) * 4;
    uint32_t strip = row == 0 || request < 64 + row ? 0 : (uint32_t)((request - 64) / row);
    if (strip == 0) {
        return SL_OK; /* an empty picture, or a row larger than the server's largest request */
    }
    strip = strip > picture->height_px ? picture->height_px : strip;
    uint8_t *packed = row == picture->stride ? NULL : sl_alloc_array(strip, row);
    if (row != picture->stride && packed == NULL) {
        return SL_OK;
    }
    enum sl_result r = SL_OK;
    for (uint32_t y = 0; y < picture->height_px && r == SL_OK; y += strip) {
        uint32_t rows = picture->height_px - y < strip ? picture->height_px - y : strip;
        const uint8_t *data = picture->pixels + (size_t)y * picture->stride;
        for (uint32_t i = 0; packed != NULL && i < rows; i++) {
            memcpy(packed + (size_t)i * row, data + (size_t)i * picture->stride,
                   (size_t)picture->width_px * unit);
        }
        r = checked(x11, xcb_put_image_checked(
                             x11->connection, XCB_IMAGE_FORMAT_Z_PIXMAP, window->xid, window->gc,
                             (uint16_t)picture->width_px, (uint16_t)rows, 0, (int16_t)y, 0,
                             (uint8_t)window->depth, rows * row, packed != NULL ? packed : data));
    }
    sl_free(packed);
    return r;
}

/* Pixels in a row of the picture's segment; 0: there is none that the server can read. */
static uint16_t segment_width(const struct gx *x11, const struct gx_window *window,
                              const struct gx_picture *picture)
{
    uint32_t unit = window->depth <= 32 ? x11->image_unit_bits[window->depth] / 8 : 0;
    if (picture->segment == 0 || unit == 0 || picture->stride % unit != 0 ||
        picture->stride / unit > UINT16_MAX) {
        return 0;
    }
    return (uint16_t)(picture->stride / unit);
}

enum sl_result gx_put(struct gx *x11, const struct gx_window *window,
                      const struct gx_picture *picture)
{
    uint16_t row_px = segment_width(x11, window, picture);
    if (row_px == 0) {
        return put_copy(x11, window, picture);
    }
    /* The segment's rows are `stride` long; only the window's width of them is shown. */
    return checked(x11, xcb_shm_put_image_checked(
                            x11->connection, window->xid, window->gc, row_px,
                            (uint16_t)picture->height_px, 0, 0, (uint16_t)picture->width_px,
                            (uint16_t)picture->height_px, 0, 0, (uint8_t)window->depth,
                            XCB_IMAGE_FORMAT_Z_PIXMAP, 0, picture->segment, picture->offset));
}

enum sl_result gx_put_begin(struct gx *x11, const struct gx_window *window,
                            struct gx_picture *picture)
{
    uint16_t row_px = segment_width(x11, window, picture);
    if (row_px == 0) {
        return put_copy(x11, window, picture);
    }
    pthread_mutex_lock(&x11->lock); /* no answer is taken in before it can be matched */
    picture->busy = true;
    picture->sequence =
        xcb_shm_put_image(x11->connection, window->xid, window->gc, row_px,
                          (uint16_t)picture->height_px, 0, 0, (uint16_t)picture->width_px,
                          (uint16_t)picture->height_px, 0, 0, (uint8_t)window->depth,
                          XCB_IMAGE_FORMAT_Z_PIXMAP, 1, picture->segment, picture->offset)
            .sequence;
    xcb_flush(x11->connection);
    pthread_mutex_unlock(&x11->lock);
    return xcb_connection_has_error(x11->connection) ? SL_ERR_CLOSED : SL_OK;
}

bool gx_picture_busy(struct gx *x11, const struct gx_picture *picture)
{
    pthread_mutex_lock(&x11->lock);
    bool busy = picture->busy;
    pthread_mutex_unlock(&x11->lock);
    return busy;
}

void gx_picture_event_locked(struct gx *x11, const xcb_generic_event_t *event)
{
    bool error = event->response_type == 0;
    if (!error && (!x11->shm || (event->response_type & 0x7f) != x11->shm_completion)) {
        return;
    }
    SL_LIST_FOR(item, &x11->pictures)
    {
        struct gx_picture *picture = SL_CONTAINER(item, struct gx_picture, link);
        bool meant = error ? picture->sequence == event->full_sequence
                           : picture->segment ==
                                 ((const xcb_shm_completion_event_t *)(const void *)event)->shmseg;
        if (picture->busy && meant) {
            picture->busy = false;
        }
    }
}
