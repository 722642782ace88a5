#include "guest/egl/wayland.h"

#include "transport/base/atomic.h"
#include "transport/base/mem.h"

#include <stdlib.h>
#include <string.h>

struct gegl_compositor *gegl_compositor_ref(struct gegl_compositor *compositor)
{
    sl_atomic_add(&compositor->refs, 1);
    return compositor;
}

void gegl_compositor_unref(struct gegl_compositor *compositor)
{
    if (compositor == NULL || sl_atomic_add(&compositor->refs, UINT32_MAX) != 1) {
        return;
    }
    if (compositor->is_ours && compositor->display != NULL) {
        compositor->wl.display_disconnect(compositor->display);
    }
    gw_unload(&compositor->wl);
    sl_free(compositor);
}

/* The formats of colour buffers that it can show. False: it cannot be asked. */
static bool formats_ask(struct gegl_compositor *compositor)
{
    static const struct {
        uint32_t wl;
        struct gegl_window_format format;
    } known[GEGL_WAYLAND_FORMATS] = {{GW_ARGB2101010, {10, 10, 10, 2, 0}},
                                     {GW_XRGB2101010, {10, 10, 10, 0, 0}},
                                     {GW_ARGB8888, {8, 8, 8, 8, 0}},
                                     {GW_XRGB8888, {8, 8, 8, 0, 0}},
                                     {GW_RGB565, {5, 6, 5, 0, 0}}};
    struct gw_shm shm;
    if (!gw_shm_open(&compositor->wl, compositor->display, &shm)) {
        return false;
    }
    for (uint32_t i = 0; i < GEGL_WAYLAND_FORMATS; i++) {
        if (gw_shm_has(&shm, known[i].wl)) {
            compositor->formats[compositor->format_count++] = known[i].format;
        }
    }
    gw_shm_close(&shm);
    return compositor->format_count != 0;
}

/* The user's word on swap intervals, as Mesa's drivers obey it on Wayland: 0 never waits, 3 always
 * does, with 1 and 2 programs choose, and those that do not wait with 2 alone. Anything else is as
 * if nothing was said. */
static struct gegl_intervals intervals_of(const char *vblank_mode)
{
    static const struct gegl_intervals known[] = {{0, 0, 0}, {0, 1, 0}, {0, 1, 1}, {1, 1, 1}};
    static const long usual = 2;
    const char *said = vblank_mode != NULL ? vblank_mode : "";
    char *end;
    long mode = strtol(said, &end, 0);
    bool is_number = end != said && end[strspn(end, " \f\n\r\t\v")] == '\0';
    return known[is_number && mode >= 0 && mode <= 3 ? mode : usual];
}

enum sl_result gegl_compositor_open(void *native, struct gegl_compositor **out)
{
    struct gegl_compositor *compositor = sl_alloc(sizeof *compositor);
    if (compositor == NULL) {
        return SL_ERR_NOMEM;
    }
    *compositor = (struct gegl_compositor){.display = native,
                                           .is_ours = native == NULL,
                                           .refs = 1,
                                           .intervals = intervals_of(getenv("vblank_mode"))};
    bool ok = gw_load(&compositor->wl);
    if (ok && compositor->is_ours) {
        compositor->display = compositor->wl.display_connect(NULL);
    }
    if (!ok || compositor->display == NULL || !formats_ask(compositor)) {
        gegl_compositor_unref(compositor);
        return SL_ERR_NOTFOUND;
    }
    *out = compositor;
    return SL_OK;
}
