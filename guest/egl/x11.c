#include "guest/egl/x11.h"

#include "guest/egl/gegl.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <X11/Xlib.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <xcb/shm.h>
#include <xcb/xcb.h>

#define VISUALS_MAX 16u

struct gegl_x11 {
    xcb_connection_t *connection;
    xcb_screen_t *screen;
    uint32_t image_unit_bits[33]; /* bits a pixel takes in images, by depth */
    struct gegl_visual visuals[VISUALS_MAX];
    uint32_t visual_count;
    bool shm;
    pthread_mutex_t lock; /* guards what follows */
    uint32_t refs;
    bool copy_said;
    struct sl_list windows; /* struct gegl_x11_window.link */
};

/* --- whose server it is --- */

/* The display string of the server at the other end of an application's connection; empty when it
 * cannot be told. */
static void peer_name(int fd, char *name, size_t size)
{
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_in in;
        struct sockaddr_storage room;
    } peer;
    socklen_t length = sizeof peer;
    name[0] = '\0';
    memset(&peer, 0, sizeof peer);
    if (fd < 0 || getpeername(fd, &peer.any, &length) != 0) {
        return;
    }
    if (peer.any.sa_family == AF_UNIX) {
        char path[sizeof peer.un.sun_path + 1] = {0};
        memcpy(path, peer.un.sun_path, sizeof peer.un.sun_path);
        const char *text = path[0] == '\0' ? path + 1 : path; /* abstract or file */
        const char *number = strrchr(text, 'X');
        if (number != NULL) {
            snprintf(name, size, ":%s", number + 1);
        }
    } else if (peer.any.sa_family == AF_INET) {
        const uint8_t *ip = (const uint8_t *)&peer.in.sin_addr;
        snprintf(name, size, "%u.%u.%u.%u:%u", ip[0], ip[1], ip[2], ip[3],
                 (unsigned)ntohs(peer.in.sin_port) - 6000);
    }
}

/* The application's connection seen as xcb; NULL when there is none or libX11 cannot say. */
static xcb_connection_t *native_connection(const struct gegl_display *display)
{
    if (display->native == NULL || display->platform == GEGL_PLATFORM_XCB) {
        return display->native;
    }
    xcb_connection_t *connection = NULL;
    void *library = dlopen("libX11-xcb.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library != NULL) {
        xcb_connection_t *(*get)(Display *) =
            (xcb_connection_t * (*)(Display *)) dlsym(library, "XGetXCBConnection");
        connection = get != NULL ? get(display->native) : NULL;
        dlclose(library); /* it stays: the program's libX11 is behind it */
    }
    return connection;
}

/* Everything the application has sent on its connection is done by the server when this returns. */
static void native_sync(const struct gegl_display *display)
{
    xcb_connection_t *connection = native_connection(display);
    if (connection != NULL) {
        free(xcb_get_input_focus_reply(connection, xcb_get_input_focus(connection), NULL));
        return;
    }
    void *library = display->native != NULL ? dlopen("libX11.so.6", RTLD_NOW | RTLD_NOLOAD) : NULL;
    if (library != NULL) {
        int (*sync)(Display *, Bool) = (int (*)(Display *, Bool))dlsym(library, "XSync");
        if (sync != NULL) {
            sync(display->native, False);
        }
        dlclose(library);
    }
}

static const char *server_name(const struct gegl_display *display, char *room, size_t size)
{
    if (display->native == NULL) {
        return NULL;
    }
    if (display->platform == GEGL_PLATFORM_X11) {
        return DisplayString((Display *)display->native);
    }
    peer_name(xcb_get_file_descriptor(display->native), room, size);
    return room[0] != '\0' ? room : NULL;
}

/* --- the connection --- */

static void visuals_read(struct gegl_x11 *x11)
{
    for (xcb_depth_iterator_t d = xcb_screen_allowed_depths_iterator(x11->screen); d.rem != 0;
         xcb_depth_next(&d)) {
        uint32_t seen = 0; /* servers list dozens of equal ones: the first of each class does */
        for (xcb_visualtype_iterator_t v = xcb_depth_visuals_iterator(d.data); v.rem != 0;
             xcb_visualtype_next(&v)) {
            uint32_t class = 1u << (v.data->_class & 7);
            bool usable = v.data->_class == XCB_VISUAL_CLASS_TRUE_COLOR ||
                          v.data->_class == XCB_VISUAL_CLASS_DIRECT_COLOR;
            if (!usable || (seen & class) != 0 || x11->visual_count == VISUALS_MAX) {
                continue;
            }
            seen |= class;
            x11->visuals[x11->visual_count++] =
                (struct gegl_visual){.id = v.data->visual_id,
                                     .depth = d.data->depth,
                                     .type = v.data->_class,
                                     .red_mask = v.data->red_mask,
                                     .green_mask = v.data->green_mask,
                                     .blue_mask = v.data->blue_mask};
        }
    }
}

static bool shm_usable(xcb_connection_t *connection)
{
    const xcb_query_extension_reply_t *extension = xcb_get_extension_data(connection, &xcb_shm_id);
    if (extension == NULL || !extension->present) {
        return false;
    }
    xcb_shm_query_version_reply_t *version =
        xcb_shm_query_version_reply(connection, xcb_shm_query_version(connection), NULL);
    bool usable = version != NULL && (version->major_version > 1 || version->minor_version >= 2);
    free(version);
    return usable;
}

static void image_units_read(struct gegl_x11 *x11, const xcb_setup_t *setup)
{
    for (xcb_format_iterator_t f = xcb_setup_pixmap_formats_iterator(setup); f.rem != 0;
         xcb_format_next(&f)) {
        if (f.data->depth <= 32) {
            x11->image_unit_bits[f.data->depth] = f.data->bits_per_pixel;
        }
    }
}

enum sl_result gegl_x11_open(const struct gegl_display *display, struct gegl_x11 **out)
{
    char room[128];
    const char *name = server_name(display, room, sizeof room);
    const char *said = name != NULL ? name : getenv("DISPLAY");
    int screen = 0;
    xcb_connection_t *connection = xcb_connect(name, &screen);
    if (xcb_connection_has_error(connection)) {
        sl_error("egl", "no X server answers at display '%s'; set DISPLAY",
                 said != NULL ? said : "");
        xcb_disconnect(connection);
        return SL_ERR_NOTFOUND;
    }
    screen = display->screen >= 0 ? display->screen : screen;
    const xcb_setup_t *setup = xcb_get_setup(connection);
    xcb_screen_iterator_t at = xcb_setup_roots_iterator(setup);
    for (; screen > 0 && at.rem > 1; screen--) {
        xcb_screen_next(&at);
    }
    struct gegl_x11 *x11 = sl_alloc(sizeof *x11);
    if (screen > 0 || at.rem == 0 || x11 == NULL) {
        sl_error("egl", "the X server at '%s' has no screen %d", said != NULL ? said : "",
                 display->screen);
        sl_free(x11);
        xcb_disconnect(connection);
        return x11 == NULL ? SL_ERR_NOMEM : SL_ERR_NOTFOUND;
    }
    *x11 = (struct gegl_x11){.connection = connection, .screen = at.data, .refs = 1};
    pthread_mutex_init(&x11->lock, NULL);
    sl_list_init(&x11->windows);
    image_units_read(x11, setup);
    visuals_read(x11);
    x11->shm = shm_usable(connection);
    *out = x11;
    return SL_OK;
}

struct gegl_x11 *gegl_x11_ref(struct gegl_x11 *x11)
{
    pthread_mutex_lock(&x11->lock);
    x11->refs++;
    pthread_mutex_unlock(&x11->lock);
    return x11;
}

void gegl_x11_unref(struct gegl_x11 *x11)
{
    if (x11 == NULL) {
        return;
    }
    pthread_mutex_lock(&x11->lock);
    bool last = --x11->refs == 0;
    pthread_mutex_unlock(&x11->lock);
    if (last) {
        xcb_disconnect(x11->connection);
        pthread_mutex_destroy(&x11->lock);
        sl_free(x11);
    }
}

uint32_t gegl_x11_visuals(const struct gegl_x11 *x11, const struct gegl_visual **visuals)
{
    *visuals = x11->visuals;
    return x11->visual_count;
}

/* --- windows --- */

enum sl_result gegl_x11_window_begin(struct gegl_x11 *x11, const struct gegl_display *display,
                                     uint32_t xid, struct gegl_x11_window *window)
{
    native_sync(display);
    xcb_connection_t *c = x11->connection;
    /* Watch first, then ask: no change of size can fall between. */
    xcb_change_window_attributes(c, xid, XCB_CW_EVENT_MASK,
                                 (const uint32_t[]){XCB_EVENT_MASK_STRUCTURE_NOTIFY});
    xcb_get_geometry_reply_t *geometry = xcb_get_geometry_reply(c, xcb_get_geometry(c, xid), NULL);
    if (geometry == NULL) {
        return xcb_connection_has_error(c) ? SL_ERR_CLOSED : SL_ERR_NOTFOUND;
    }
    *window = (struct gegl_x11_window){.xid = xid,
                                       .gc = xcb_generate_id(c),
                                       .depth = geometry->depth,
                                       .width_px = geometry->width,
                                       .height_px = geometry->height};
    free(geometry);
    xcb_create_gc(c, window->gc, xid, XCB_GC_GRAPHICS_EXPOSURES, (const uint32_t[]){0});
    pthread_mutex_lock(&x11->lock);
    sl_list_add(&x11->windows, &window->link);
    pthread_mutex_unlock(&x11->lock);
    return SL_OK;
}

void gegl_x11_window_end(struct gegl_x11 *x11, struct gegl_x11_window *window)
{
    pthread_mutex_lock(&x11->lock);
    sl_list_remove(&window->link);
    pthread_mutex_unlock(&x11->lock);
    xcb_free_gc(x11->connection, window->gc);
    if (!window->gone) {
        xcb_change_window_attributes(x11->connection, window->xid, XCB_CW_EVENT_MASK,
                                     (const uint32_t[]){0});
    }
    xcb_flush(x11->connection);
}

bool gegl_x11_window_taken(struct gegl_x11 *x11, uint32_t xid)
{
    bool taken = false;
    pthread_mutex_lock(&x11->lock);
    SL_LIST_FOR(item, &x11->windows)
    {
        const struct gegl_x11_window *window = SL_CONTAINER(item, struct gegl_x11_window, link);
        taken = taken || (window->xid == xid && !window->gone);
    }
    pthread_mutex_unlock(&x11->lock);
    return taken;
}

static struct gegl_x11_window *find_locked(struct gegl_x11 *x11, uint32_t xid)
{
    SL_LIST_FOR(item, &x11->windows)
    {
        struct gegl_x11_window *window = SL_CONTAINER(item, struct gegl_x11_window, link);
        if (window->xid == xid) {
            return window;
        }
    }
    return NULL;
}

static void event_locked(struct gegl_x11 *x11, const xcb_generic_event_t *event)
{
    switch (event->response_type & 0x7f) {
    case XCB_CONFIGURE_NOTIFY: {
        const xcb_configure_notify_event_t *configure = (const void *)event;
        struct gegl_x11_window *window = find_locked(x11, configure->window);
        if (window != NULL) {
            window->width_px = configure->width;
            window->height_px = configure->height;
        }
        break;
    }
    case XCB_DESTROY_NOTIFY: {
        struct gegl_x11_window *window =
            find_locked(x11, ((const xcb_destroy_notify_event_t *)(const void *)event)->window);
        if (window != NULL) {
            window->gone = true;
        }
        break;
    }
    default: /* errors of requests nobody waits for: the window went meanwhile, which is told above
              */
        break;
    }
}

enum sl_result gegl_x11_window_size(struct gegl_x11 *x11, struct gegl_x11_window *window,
                                    uint32_t *width_px, uint32_t *height_px)
{
    pthread_mutex_lock(&x11->lock);
    for (xcb_generic_event_t *event; (event = xcb_poll_for_event(x11->connection)) != NULL;
         free(event)) {
        event_locked(x11, event);
    }
    bool gone = window->gone;
    *width_px = window->width_px;
    *height_px = window->height_px;
    pthread_mutex_unlock(&x11->lock);
    return xcb_connection_has_error(x11->connection) ? SL_ERR_CLOSED
           : gone                                    ? SL_ERR_NOTFOUND
                                                     : SL_OK;
}

/* --- pictures --- */

static void copy_say(struct gegl_x11 *x11, const char *why)
{
    pthread_mutex_lock(&x11->lock);
    bool said = x11->copy_said;
    x11->copy_said = true;
    pthread_mutex_unlock(&x11->lock);
    if (!said) {
        sl_info("egl", "frames are copied through the X socket: %s", why);
    }
}

void gegl_x11_picture_begin(struct gegl_x11 *x11, struct gegl_x11_picture *picture, int fd)
{
    picture->segment = 0;
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

void gegl_x11_picture_end(struct gegl_x11 *x11, struct gegl_x11_picture *picture)
{
    if (picture->segment != 0) {
        xcb_shm_detach(x11->connection, picture->segment);
        picture->segment = 0;
    }
}

static enum sl_result checked(struct gegl_x11 *x11, xcb_void_cookie_t cookie)
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
        sl_warn_limited("egl", "the X server refuses a frame: error %u of request %u.%u",
                        error->error_code, error->major_code, error->minor_code);
    }
    free(error);
    return window_gone ? SL_ERR_NOTFOUND : SL_OK;
}

/* In strips that fit a request; rows go out as the server wants them, padded to 4 bytes. */
static enum sl_result put_copy(struct gegl_x11 *x11, const struct gegl_x11_window *window,
                               const struct gegl_x11_picture *picture)
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

enum sl_result gegl_x11_put(struct gegl_x11 *x11, const struct gegl_x11_window *window,
                            const struct gegl_x11_picture *picture)
{
    uint32_t unit = window->depth <= 32 ? x11->image_unit_bits[window->depth] / 8 : 0;
    if (picture->segment == 0 || unit == 0 || picture->stride % unit != 0 ||
        picture->stride / unit > UINT16_MAX) {
        return put_copy(x11, window, picture);
    }
    /* The segment's rows are `stride` long; only the window's width of them is shown. */
    return checked(x11,
                   xcb_shm_put_image_checked(
                       x11->connection, window->xid, window->gc, (uint16_t)(picture->stride / unit),
                       (uint16_t)picture->height_px, 0, 0, (uint16_t)picture->width_px,
                       (uint16_t)picture->height_px, 0, 0, (uint8_t)window->depth,
                       XCB_IMAGE_FORMAT_Z_PIXMAP, 0, picture->segment, 0));
}
