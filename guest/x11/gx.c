#include "guest/x11/gx.h"

#include "guest/x11/gx_internal.h"
#include "transport/base/clock.h"
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

/* How long a wait looks away from what other threads take in. */
#define SLICE_NS ((int64_t)(50 * SL_NS_PER_MS))

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

struct xcb_connection_t *gx_native_connection(const struct gx_native *native)
{
    if (native->connection == NULL || !native->xlib) {
        return native->connection;
    }
    xcb_connection_t *connection = NULL;
    void *library = dlopen("libX11-xcb.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library != NULL) {
        xcb_connection_t *(*get)(Display *) =
            (xcb_connection_t * (*)(Display *)) dlsym(library, "XGetXCBConnection");
        connection = get != NULL ? get(native->connection) : NULL;
        dlclose(library); /* it stays: the program's libX11 is behind it */
    }
    return connection;
}

/* Everything the application has sent on its connection is done by the server when this returns. */
static void native_sync(const struct gx_native *native)
{
    xcb_connection_t *connection = gx_native_connection(native);
    if (connection != NULL) {
        free(xcb_get_input_focus_reply(connection, xcb_get_input_focus(connection), NULL));
        return;
    }
    void *library =
        native->connection != NULL ? dlopen("libX11.so.6", RTLD_NOW | RTLD_NOLOAD) : NULL;
    if (library != NULL) {
        int (*sync)(Display *, Bool) = (int (*)(Display *, Bool))dlsym(library, "XSync");
        if (sync != NULL) {
            sync(native->connection, False);
        }
        dlclose(library);
    }
}

static const char *server_name(const struct gx_native *native, char *room, size_t size)
{
    if (native->connection == NULL) {
        return NULL;
    }
    if (native->xlib) {
        return DisplayString((Display *)native->connection);
    }
    peer_name(xcb_get_file_descriptor(native->connection), room, size);
    return room[0] != '\0' ? room : NULL;
}

/* --- the connection --- */

static void visuals_read(struct gx *x11)
{
    for (xcb_depth_iterator_t d = xcb_screen_allowed_depths_iterator(x11->screen); d.rem != 0;
         xcb_depth_next(&d)) {
        uint32_t seen = 0; /* servers list dozens of equal ones: the first of each class does */
        for (xcb_visualtype_iterator_t v = xcb_depth_visuals_iterator(d.data); v.rem != 0;
             xcb_visualtype_next(&v)) {
            uint32_t class = 1u << (v.data->_class & 7);
            bool usable = v.data->_class == XCB_VISUAL_CLASS_TRUE_COLOR ||
                          v.data->_class == XCB_VISUAL_CLASS_DIRECT_COLOR;
            if (!usable || (seen & class) != 0 || x11->visual_count == GX_VISUALS_MAX) {
                continue;
            }
            seen |= class;
            x11->visuals[x11->visual_count++] = (struct gx_visual){.id = v.data->visual_id,
                                                                   .depth = d.data->depth,
                                                                   .type = v.data->_class,
                                                                   .red_mask = v.data->red_mask,
                                                                   .green_mask = v.data->green_mask,
                                                                   .blue_mask = v.data->blue_mask};
        }
    }
}

static bool shm_usable(xcb_connection_t *connection, uint8_t *completion)
{
    const xcb_query_extension_reply_t *extension = xcb_get_extension_data(connection, &xcb_shm_id);
    if (extension == NULL || !extension->present) {
        return false;
    }
    xcb_shm_query_version_reply_t *version =
        xcb_shm_query_version_reply(connection, xcb_shm_query_version(connection), NULL);
    bool usable = version != NULL && (version->major_version > 1 || version->minor_version >= 2);
    free(version);
    *completion = (uint8_t)(extension->first_event + XCB_SHM_COMPLETION);
    return usable;
}

static void image_units_read(struct gx *x11, const xcb_setup_t *setup)
{
    for (xcb_format_iterator_t f = xcb_setup_pixmap_formats_iterator(setup); f.rem != 0;
         xcb_format_next(&f)) {
        if (f.data->depth <= 32) {
            x11->image_unit_bits[f.data->depth] = f.data->bits_per_pixel;
        }
    }
}

enum sl_result gx_open(const struct gx_native *native, struct gx **out)
{
    char room[128];
    const char *name = server_name(native, room, sizeof room);
    const char *said = name != NULL ? name : getenv("DISPLAY");
    int screen = 0;
    xcb_connection_t *connection = xcb_connect(name, &screen);
    if (xcb_connection_has_error(connection)) {
        sl_error("x11", "no X server answers at display '%s'; set DISPLAY",
                 said != NULL ? said : "");
        xcb_disconnect(connection);
        return SL_ERR_NOTFOUND;
    }
    screen = native->screen >= 0 ? native->screen : screen;
    const xcb_setup_t *setup = xcb_get_setup(connection);
    xcb_screen_iterator_t at = xcb_setup_roots_iterator(setup);
    for (; screen > 0 && at.rem > 1; screen--) {
        xcb_screen_next(&at);
    }
    struct gx *x11 = sl_alloc(sizeof *x11);
    if (screen > 0 || at.rem == 0 || x11 == NULL) {
        sl_error("x11", "the X server at '%s' has no screen %d", said != NULL ? said : "",
                 native->screen);
        sl_free(x11);
        xcb_disconnect(connection);
        return x11 == NULL ? SL_ERR_NOMEM : SL_ERR_NOTFOUND;
    }
    *x11 = (struct gx){.connection = connection, .screen = at.data, .refs = 1};
    pthread_mutex_init(&x11->lock, NULL);
    sl_list_init(&x11->windows);
    sl_list_init(&x11->pictures);
    image_units_read(x11, setup);
    visuals_read(x11);
    x11->shm = shm_usable(connection, &x11->shm_completion);
    *out = x11;
    return SL_OK;
}

struct gx *gx_ref(struct gx *x11)
{
    pthread_mutex_lock(&x11->lock);
    x11->refs++;
    pthread_mutex_unlock(&x11->lock);
    return x11;
}

void gx_unref(struct gx *x11)
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

uint32_t gx_visuals(const struct gx *x11, const struct gx_visual **visuals)
{
    *visuals = x11->visuals;
    return x11->visual_count;
}

/* --- windows --- */

enum sl_result gx_window_begin(struct gx *x11, const struct gx_native *native, uint32_t xid,
                               struct gx_window *window)
{
    native_sync(native);
    xcb_connection_t *c = x11->connection;
    /* Watch first, then ask: no change of size can fall between. */
    xcb_change_window_attributes(c, xid, XCB_CW_EVENT_MASK,
                                 (const uint32_t[]){XCB_EVENT_MASK_STRUCTURE_NOTIFY});
    xcb_get_geometry_reply_t *geometry = xcb_get_geometry_reply(c, xcb_get_geometry(c, xid), NULL);
    if (geometry == NULL) {
        return xcb_connection_has_error(c) ? SL_ERR_CLOSED : SL_ERR_NOTFOUND;
    }
    *window = (struct gx_window){.xid = xid,
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

void gx_window_end(struct gx *x11, struct gx_window *window)
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

bool gx_window_taken(struct gx *x11, uint32_t xid)
{
    bool taken = false;
    pthread_mutex_lock(&x11->lock);
    SL_LIST_FOR(item, &x11->windows)
    {
        const struct gx_window *window = SL_CONTAINER(item, struct gx_window, link);
        taken = taken || (window->xid == xid && !window->gone);
    }
    pthread_mutex_unlock(&x11->lock);
    return taken;
}

static struct gx_window *find_locked(struct gx *x11, uint32_t xid)
{
    SL_LIST_FOR(item, &x11->windows)
    {
        struct gx_window *window = SL_CONTAINER(item, struct gx_window, link);
        if (window->xid == xid) {
            return window;
        }
    }
    return NULL;
}

static void event_locked(struct gx *x11, const xcb_generic_event_t *event)
{
    switch (event->response_type & 0x7f) {
    case XCB_CONFIGURE_NOTIFY: {
        const xcb_configure_notify_event_t *configure = (const void *)event;
        struct gx_window *window = find_locked(x11, configure->window);
        if (window != NULL) {
            window->width_px = configure->width;
            window->height_px = configure->height;
        }
        break;
    }
    case XCB_DESTROY_NOTIFY: {
        struct gx_window *window =
            find_locked(x11, ((const xcb_destroy_notify_event_t *)(const void *)event)->window);
        if (window != NULL) {
            window->gone = true;
        }
        break;
    }
    default: /* also errors of requests nobody waits for: the window went meanwhile, as told above
              */
        gx_picture_event_locked(x11, event);
        break;
    }
}

static bool events_take_locked(struct gx *x11)
{
    bool any = false;
    for (xcb_generic_event_t *event; (event = xcb_poll_for_event(x11->connection)) != NULL;
         free(event)) {
        event_locked(x11, event);
        any = true;
    }
    return any;
}

enum sl_result gx_window_size(struct gx *x11, struct gx_window *window, uint32_t *width_px,
                              uint32_t *height_px)
{
    pthread_mutex_lock(&x11->lock);
    (void)events_take_locked(x11);
    bool gone = window->gone;
    *width_px = window->width_px;
    *height_px = window->height_px;
    pthread_mutex_unlock(&x11->lock);
    return xcb_connection_has_error(x11->connection) ? SL_ERR_CLOSED
           : gone                                    ? SL_ERR_NOTFOUND
                                                     : SL_OK;
}

enum sl_result gx_wait(struct gx *x11, int wake_fd, int64_t timeout_ns)
{
    pthread_mutex_lock(&x11->lock);
    bool any = events_take_locked(x11);
    pthread_mutex_unlock(&x11->lock);
    if (!any && !xcb_connection_has_error(x11->connection)) {
        int64_t slice_ns = timeout_ns < SLICE_NS ? timeout_ns : SLICE_NS;
        enum sl_result r =
            sl_fd_wait_two(xcb_get_file_descriptor(x11->connection), wake_fd, slice_ns);
        if (r != SL_ERR_TIMEOUT) { /* also the end of the connection is read */
            pthread_mutex_lock(&x11->lock);
            (void)events_take_locked(x11);
            pthread_mutex_unlock(&x11->lock);
        }
    }
    return xcb_connection_has_error(x11->connection) ? SL_ERR_CLOSED : SL_OK;
}
