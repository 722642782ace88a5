#include "tools/sluice/window.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"
#include "tools/sluice/sdl.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PICTURE_BYTES_MAX ((uint64_t)256 << 20)
#define PIXEL_SIZE        4u
#define TITLE_SIZE        300u

/* ---- the windows ---- */

/* Rows [first, end); first == end: none. */
struct rows {
    uint32_t first, end;
};

struct view {
    SDL_Window *at; /* the window thread's */
    /* All below: window.lock's. */
    uint32_t width_px, height_px;           /* of the picture; 0 x 0: dark */
    uint8_t *pixels;                        /* the picture as last read: R, G, B, A; nullable */
    bool resized;                           /* the picture has a new size, its window not yet */
    struct rows dirty;                      /* to be read */
    struct rows fresh;                      /* read, to be shown */
    uint32_t wish_width_px, wish_height_px; /* the person's, while the guest has not followed */
    bool wish_is_new;                       /* the guest has not been told */
    int32_t cursor_y_px;
};

enum begin { BEGIN_PENDING, BEGIN_OK, BEGIN_FAILED };

struct window {
    struct sdl sdl;
    pthread_t thread;
    uint32_t look_event; /* SDL's number: there may be something to show, or the end */
    char title[TITLE_SIZE];
    uint32_t width_px, height_px; /* of each at first */
    pthread_mutex_t lock;
    pthread_cond_t begun;
    enum begin begin;
    bool look_pushed; /* and not taken yet: the queue holds one at most */
    bool end;
    char error[256];             /* why it failed */
    struct vhost_server *server; /* nullable before it runs */
    uint32_t view_count;
    struct view views[VGD_SCANOUTS];
};

static bool is_empty(struct rows rows)
{
    return rows.first >= rows.end;
}

static struct rows both(struct rows a, struct rows b)
{
    if (is_empty(a) || is_empty(b)) {
        return is_empty(a) ? b : a;
    }
    return (struct rows){a.first < b.first ? a.first : b.first, a.end > b.end ? a.end : b.end};
}

/* [first, first + count) as far as it lies in the picture. */
static struct rows clip(const struct view *view, int64_t first, int64_t count)
{
    int64_t end = first + count;
    first = first > 0 ? first : 0;
    end = end < view->height_px ? end : view->height_px;
    return first < end ? (struct rows){(uint32_t)first, (uint32_t)end} : (struct rows){0, 0};
}

/* ---- on the device thread ---- */

static void push_look_locked(struct window *window)
{
    if (!window->look_pushed) {
        SDL_Event event = {.type = window->look_event};
        window->look_pushed = window->sdl.PushEvent(&event) == 1;
    }
}

/* Reads what is dirty, unless the window has not shown the last yet: it asks when it has. */
static void read_locked(struct window *window, uint32_t id)
{
    struct view *view = &window->views[id];
    if (is_empty(view->dirty) || !is_empty(view->fresh) || view->pixels == NULL) {
        return;
    }
    struct rows rows = view->dirty;
    const struct vg_box part = {
        .y = rows.first, .width = view->width_px, .height = rows.end - rows.first, .depth = 1};
    size_t row = (size_t)view->width_px * PIXEL_SIZE;
    uint32_t width, height;
    view->dirty = (struct rows){0, 0};
    if (vhost_server_read(window->server, id, true, &part, view->pixels + rows.first * row,
                          part.height * row, &width, &height) == SL_OK) {
        view->fresh = rows;
        push_look_locked(window);
    }
}

static void on_scanout(void *user, uint32_t scanout_id, uint32_t width_px, uint32_t height_px)
{
    struct window *window = user;
    struct view *view = &window->views[scanout_id];
    uint64_t size = (uint64_t)width_px * height_px * PIXEL_SIZE;
    pthread_mutex_lock(&window->lock);
    sl_free(view->pixels);
    view->pixels = size != 0 && size <= PICTURE_BYTES_MAX ? sl_alloc((size_t)size) : NULL;
    view->width_px = view->pixels != NULL ? width_px : 0;
    view->height_px = view->pixels != NULL ? height_px : 0;
    view->resized = true;
    view->fresh = (struct rows){0, 0};
    view->dirty = (struct rows){0, view->height_px};
    read_locked(window, scanout_id);
    push_look_locked(window);
    pthread_mutex_unlock(&window->lock);
}

static void add_dirty(struct window *window, uint32_t id, int64_t first, int64_t count)
{
    struct view *view = &window->views[id];
    view->dirty = both(view->dirty, clip(view, first, count));
    read_locked(window, id);
}

static void on_damage(void *user, uint32_t scanout_id, const struct vg_box *box)
{
    struct window *window = user;
    pthread_mutex_lock(&window->lock);
    add_dirty(window, scanout_id, box->y, box->height);
    pthread_mutex_unlock(&window->lock);
}

static void on_cursor(void *user, uint32_t scanout_id, const struct vgd_cursor *cursor)
{
    struct window *window = user;
    pthread_mutex_lock(&window->lock);
    struct view *view = &window->views[scanout_id];
    view->dirty = both(view->dirty, clip(view, view->cursor_y_px, VGD_CURSOR_SIDE_PX));
    view->cursor_y_px = cursor->y_px;
    add_dirty(window, scanout_id, cursor->y_px, VGD_CURSOR_SIDE_PX);
    pthread_mutex_unlock(&window->lock);
}

static void on_woken(void *user)
{
    struct window *window = user;
    for (uint32_t i = 0; i < window->view_count; i++) {
        struct view *view = &window->views[i];
        pthread_mutex_lock(&window->lock);
        uint32_t width = view->wish_width_px, height = view->wish_height_px;
        bool is_new = view->wish_is_new;
        view->wish_is_new = false;
        read_locked(window, i);
        pthread_mutex_unlock(&window->lock);
        if (is_new) {
            (void)vhost_server_plug(window->server, i, width, height, true);
        }
    }
}

/* ---- on the window thread ---- */

/* The server reads again, or takes a new size. */
static void wake_locked(struct window *window)
{
    if (window->server != NULL) {
        vhost_server_wake(window->server);
    }
}

/* What of the picture's rows lies on the surface, and black around it. */
static void paint_locked(const struct window *window, const struct view *view, SDL_Surface *surface,
                         const SDL_Rect *rows)
{
    int width = (int)view->width_px < surface->w ? (int)view->width_px : surface->w;
    int end = rows->y + rows->h < (int)view->height_px ? rows->y + rows->h : (int)view->height_px;
    if (width < surface->w || end < rows->y + rows->h) {
        (void)window->sdl.FillRect(surface, rows, 0);
    }
    if (view->pixels != NULL && end > rows->y) {
        size_t row = (size_t)view->width_px * PIXEL_SIZE;
        (void)window->sdl.ConvertPixels(
            width, end - rows->y, SDL_PIXELFORMAT_RGBA32, view->pixels + (size_t)rows->y * row,
            (int)row, surface->format->format,
            (uint8_t *)surface->pixels + (size_t)rows->y * (size_t)surface->pitch, surface->pitch);
    }
}

/* Shows the fresh rows, or all of the window. */
static void show(struct window *window, struct view *view, bool all)
{
    pthread_mutex_lock(&window->lock);
    bool resized = view->resized;
    int width = (int)view->width_px, height = (int)view->height_px;
    view->resized = false;
    pthread_mutex_unlock(&window->lock);
    if (resized && width != 0) {
        window->sdl.SetWindowSize(view->at, width, height);
    }
    SDL_Surface *surface = window->sdl.GetWindowSurface(view->at);
    if (surface == NULL) {
        return; /* the window is going: its owner will say */
    }
    pthread_mutex_lock(&window->lock);
    struct rows rows = all || resized ? (struct rows){0, (uint32_t)surface->h} : view->fresh;
    rows.end = rows.end < (uint32_t)surface->h ? rows.end : (uint32_t)surface->h;
    const SDL_Rect rect = {0, (int)rows.first, surface->w, (int)rows.end - (int)rows.first};
    if (!is_empty(rows)) {
        paint_locked(window, view, surface, &rect);
    }
    view->fresh = (struct rows){0, 0};
    if (!is_empty(view->dirty)) {
        wake_locked(window);
    }
    pthread_mutex_unlock(&window->lock);
    if (!is_empty(rows)) {
        (void)window->sdl.UpdateWindowSurfaceRects(view->at, &rect, 1);
    }
}

static uint32_t side(int px)
{
    return px < (int)VHOST_SIDE_MIN_PX   ? VHOST_SIDE_MIN_PX
           : px > (int)VHOST_SIDE_MAX_PX ? VHOST_SIDE_MAX_PX
                                         : (uint32_t)px;
}

/* A size that the picture does not have is a person's wish, told once: a guest that rounds it and a
 * desktop that insists on it must not drive each other on. */
static void on_size(struct window *window, struct view *view, int width, int height)
{
    uint32_t width_px = side(width), height_px = side(height);
    pthread_mutex_lock(&window->lock);
    if (width == (int)view->width_px && height == (int)view->height_px) {
        view->wish_width_px = view->wish_height_px = 0;
    } else if (!view->resized &&
               (width_px != view->wish_width_px || height_px != view->wish_height_px)) {
        view->wish_width_px = width_px;
        view->wish_height_px = height_px;
        view->wish_is_new = true;
        wake_locked(window);
    }
    pthread_mutex_unlock(&window->lock);
}

static void on_window_event(struct window *window, const SDL_WindowEvent *event)
{
    for (uint32_t i = 0; i < window->view_count; i++) {
        struct view *view = &window->views[i];
        if (window->sdl.GetWindowID(view->at) != event->windowID) {
            continue;
        }
        if (event->event == SDL_WINDOWEVENT_SIZE_CHANGED) {
            on_size(window, view, event->data1, event->data2);
        }
        if (event->event == SDL_WINDOWEVENT_SIZE_CHANGED ||
            event->event == SDL_WINDOWEVENT_EXPOSED) {
            show(window, view, true);
        }
        if (event->event == SDL_WINDOWEVENT_CLOSE) {
            (void)kill(getpid(), SIGTERM); /* the device's loop waits for it */
        }
    }
}

/* False: it is over. */
static bool take(struct window *window, const SDL_Event *event)
{
    pthread_mutex_lock(&window->lock);
    window->look_pushed &= event->type != window->look_event;
    bool end = window->end;
    pthread_mutex_unlock(&window->lock);
    return !end;
}

static void serve_windows(struct window *window)
{
    SDL_Event event;
    while (window->sdl.WaitEvent(&event) == 1 && take(window, &event)) {
        if (event.type == window->look_event) {
            for (uint32_t i = 0; i < window->view_count; i++) {
                show(window, &window->views[i], false);
            }
        } else if (event.type == SDL_WINDOWEVENT) {
            on_window_event(window, &event.window);
        }
    }
}

/* False: window->error says why. */
static bool create_windows(struct window *window)
{
    const struct sdl *sdl = &window->sdl;
    /* Signals are the device's; pictures go through shared memory, without a GL driver. */
    (void)sdl->SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    (void)sdl->SetHint(SDL_HINT_FRAMEBUFFER_ACCELERATION, "0");
    (void)sdl->SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    if (sdl->Init(SDL_INIT_VIDEO) != 0) {
        snprintf(window->error, sizeof window->error, "%s", sdl->GetError());
        return false;
    }
    const char *driver = sdl->GetCurrentVideoDriver();
    if (getenv("SDL_VIDEODRIVER") == NULL && strcmp(driver, "x11") != 0 &&
        strcmp(driver, "wayland") != 0) { /* the console, or nowhere: not what was asked for */
        snprintf(window->error, sizeof window->error, "SDL offers '%s'", driver);
        return false;
    }
    window->look_event = sdl->RegisterEvents(1);
    for (uint32_t i = 0; i < window->view_count; i++) {
        char title[TITLE_SIZE + 32];
        snprintf(title, sizeof title, "%s display %u", window->title, i);
        SDL_Window *at =
            sdl->CreateWindow(title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                              (int)window->width_px, (int)window->height_px, SDL_WINDOW_RESIZABLE);
        if (at == NULL) {
            snprintf(window->error, sizeof window->error, "%s", sdl->GetError());
            return false;
        }
        window->views[i].at = at;
        sdl->SetWindowMinimumSize(at, VHOST_SIDE_MIN_PX, VHOST_SIDE_MIN_PX);
        sdl->SetWindowMaximumSize(at, VHOST_SIDE_MAX_PX, VHOST_SIDE_MAX_PX);
    }
    return true;
}

static void *window_thread(void *user)
{
    struct window *window = user;
    bool ok = create_windows(window);
    pthread_mutex_lock(&window->lock);
    window->begin = ok ? BEGIN_OK : BEGIN_FAILED;
    pthread_cond_signal(&window->begun);
    pthread_mutex_unlock(&window->lock);
    if (ok) {
        serve_windows(window);
    }
    for (uint32_t i = 0; i < window->view_count; i++) {
        if (window->views[i].at != NULL) {
            window->sdl.DestroyWindow(window->views[i].at);
        }
    }
    window->sdl.Quit();
    return NULL;
}

/* ---- life ---- */

static void window_free(struct window *window)
{
    for (uint32_t i = 0; i < window->view_count; i++) {
        sl_free(window->views[i].pixels);
    }
    pthread_cond_destroy(&window->begun);
    pthread_mutex_destroy(&window->lock);
    sl_free(window);
}

/* Waits until the windows are there, or are not. */
static int begin(struct window *window)
{
    int code = sdl_open(&window->sdl);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    if (sl_thread_start(&window->thread, "sluice-window", 8u << 20, window_thread, window) !=
        SL_OK) {
        say_error("--window: no thread for it; raise the limit of processes");
        return SLUICE_EXIT_MISSING;
    }
    pthread_mutex_lock(&window->lock);
    while (window->begin == BEGIN_PENDING) {
        pthread_cond_wait(&window->begun, &window->lock);
    }
    pthread_mutex_unlock(&window->lock);
    if (window->begin == BEGIN_FAILED) {
        pthread_join(window->thread, NULL);
        say_error("no X11 or Wayland display: %s; run without --window", window->error);
        return SLUICE_EXIT_MISSING;
    }
    return SLUICE_EXIT_OK;
}

int window_open(const char *name, uint32_t displays, uint32_t width_px, uint32_t height_px,
                struct window **out)
{
    struct window *window = sl_alloc(sizeof *window);
    if (window == NULL) {
        say_error("--window: out of memory");
        return SLUICE_EXIT_MISSING;
    }
    snprintf(window->title, sizeof window->title, "sluice %s", name);
    window->width_px = width_px;
    window->height_px = height_px;
    window->view_count = displays;
    pthread_mutex_init(&window->lock, NULL);
    pthread_cond_init(&window->begun, NULL);
    int code = begin(window);
    if (code != SLUICE_EXIT_OK) {
        window_free(window);
        return code;
    }
    *out = window;
    return SLUICE_EXIT_OK;
}

struct vhost_display window_display(struct window *window)
{
    return (struct vhost_display){.user = window,
                                  .scanout = on_scanout,
                                  .damage = on_damage,
                                  .cursor = on_cursor,
                                  .woken = on_woken};
}

void window_set_server(struct window *window, struct vhost_server *server)
{
    pthread_mutex_lock(&window->lock);
    window->server = server;
    pthread_mutex_unlock(&window->lock);
}

void window_close(struct window *window)
{
    if (window == NULL) {
        return;
    }
    pthread_mutex_lock(&window->lock);
    window->end = true;
    push_look_locked(window);
    pthread_mutex_unlock(&window->lock);
    pthread_join(window->thread, NULL);
    window_free(window);
}
