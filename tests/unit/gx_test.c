/* The guest libraries' way to the X server, against a real one: windows that change and die,
 * pictures from shared memory and through the socket, waits. */
#include "guest/x11/gx.h"

#include "tests/support/slt.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/shm.h"

#include <stdlib.h>
#include <string.h>
#include <xcb/xcb.h>

#define WIDTH  24u
#define HEIGHT 16u
#define SIZE   (WIDTH * HEIGHT * 4u)

struct bed {
    xcb_connection_t *app; /* the application's */
    xcb_window_t window;
    struct gx *x11;
    struct gx_window native;
    struct gx_picture picture;
    uint32_t *pixels;
    bool watched, shown;
};

static void bed_init(struct bed *t)
{
    (void)t;
}

static void bed_finish(struct bed *t)
{
    if (t->shown) {
        gx_picture_end(t->x11, &t->picture);
        sl_shm_unmap(t->pixels, 4096 + SIZE);
    }
    if (t->watched) {
        gx_window_end(t->x11, &t->native);
    }
    gx_unref(t->x11);
    if (t->app != NULL) {
        xcb_disconnect(t->app);
    }
}

SLT_FIXTURE(gx, struct bed, bed_init, bed_finish);

static struct gx_native native_of(const struct bed *t)
{
    return (struct gx_native){.connection = t->app, .screen = -1};
}

static void bed_window(struct bed *t)
{
    SLT_NEED(SLT_X11);
    t->app = xcb_connect(NULL, NULL);
    SLT_ASSERT_EQ(0, xcb_connection_has_error(t->app));
    xcb_screen_t *screen = xcb_setup_roots_iterator(xcb_get_setup(t->app)).data;
    t->window = xcb_generate_id(t->app);
    xcb_create_window(t->app, screen->root_depth, t->window, screen->root, 0, 0, WIDTH, HEIGHT, 0,
                      XCB_WINDOW_CLASS_INPUT_OUTPUT, screen->root_visual, XCB_CW_OVERRIDE_REDIRECT,
                      (const uint32_t[]){1});
    xcb_map_window(t->app, t->window);
    const struct gx_native native = native_of(t);
    SLT_ASSERT_OK(gx_open(&native, &t->x11));
    /* Nothing was flushed: the watch sees to it that the window is there. */
    SLT_ASSERT_OK(gx_window_begin(t->x11, &native, t->window, &t->native));
    t->watched = true;
    SLT_ASSERT_EQ(WIDTH, t->native.width_px);
    SLT_ASSERT_EQ(HEIGHT, t->native.height_px);
}

/* A picture one page into its memory, `shared` with the server or not. */
static void bed_picture(struct bed *t, bool shared)
{
    int fd;
    void *mapping;
    SLT_ASSERT_OK(sl_shm_create("gx-test", 4096 + SIZE, &fd));
    SLT_ASSERT_OK(sl_shm_map(fd, 4096 + SIZE, &mapping));
    t->pixels = mapping;
    uint32_t *first = t->pixels + 1024;
    for (uint32_t i = 0; i < WIDTH * HEIGHT; i++) {
        first[i] = 0x010203u * (i % 80);
    }
    t->picture = (struct gx_picture){.pixels = (const uint8_t *)first,
                                     .stride = WIDTH * 4,
                                     .width_px = WIDTH,
                                     .height_px = HEIGHT,
                                     .offset = 4096};
    if (!shared) {
        sl_fd_close(&fd);
    }
    gx_picture_begin(t->x11, &t->picture, fd);
    t->shown = true;
    SLT_EXPECT_EQ(shared, t->picture.segment != 0);
}

static void expect_shown(struct bed *t)
{
    xcb_get_image_reply_t *image = xcb_get_image_reply(
        t->app,
        xcb_get_image(t->app, XCB_IMAGE_FORMAT_Z_PIXMAP, t->window, 0, 0, WIDTH, HEIGHT, ~0u),
        NULL);
    SLT_ASSERT_TRUE(image != NULL);
    bool large = xcb_get_image_data_length(image) >= (int)SIZE;
    SLT_EXPECT_TRUE(large);
    const uint32_t *got = (const void *)xcb_get_image_data(image);
    uint32_t wrong = 0;
    for (uint32_t i = 0; large && i < WIDTH * HEIGHT; i++) {
        wrong += (got[i] & 0xffffff) != t->pixels[1024 + i];
    }
    free(image);
    SLT_EXPECT_EQ(0u, wrong);
}

static void wait_idle(struct bed *t)
{
    uint64_t end = sl_clock_ns() + 20 * SL_NS_PER_S;
    while (gx_picture_busy(t->x11, &t->picture) && sl_clock_ns() < end) {
        SLT_ASSERT_OK(gx_wait(t->x11, -1, 20 * (int64_t)SL_NS_PER_S));
    }
    SLT_EXPECT_TRUE(!gx_picture_busy(t->x11, &t->picture));
}

SLT_TEST_F(gx, shows_shared_memory_and_learns_when_it_was_read, t)
{
    bed_window(t);
    bed_picture(t, true);
    SLT_ASSERT_OK(gx_put_begin(t->x11, &t->native, &t->picture));
    SLT_EXPECT_TRUE(gx_picture_busy(t->x11, &t->picture));
    wait_idle(t);
    expect_shown(t);
    t->pixels[1024] = 0x123456; /* it is our memory that the server reads, from its offset */
    SLT_ASSERT_OK(gx_put(t->x11, &t->native, &t->picture));
    expect_shown(t);
}

SLT_TEST_F(gx, copies_what_it_cannot_share, t)
{
    bed_window(t);
    bed_picture(t, false);
    SLT_ASSERT_OK(gx_put_begin(t->x11, &t->native, &t->picture));
    SLT_EXPECT_TRUE(!gx_picture_busy(t->x11, &t->picture));
    expect_shown(t);
}

SLT_TEST_F(gx, follows_a_window_that_changes_and_dies, t)
{
    uint32_t width_px, height_px;
    bed_window(t);
    bed_picture(t, true);
    xcb_configure_window(t->app, t->window, XCB_CONFIG_WINDOW_WIDTH | XCB_CONFIG_WINDOW_HEIGHT,
                         (const uint32_t[]){40, 50});
    free(xcb_get_input_focus_reply(t->app, xcb_get_input_focus(t->app), NULL));
    SLT_ASSERT_OK(gx_wait(t->x11, -1, 20 * (int64_t)SL_NS_PER_S));
    SLT_ASSERT_OK(gx_window_size(t->x11, &t->native, &width_px, &height_px));
    SLT_EXPECT_EQ(40u, width_px);
    SLT_EXPECT_EQ(50u, height_px);
    xcb_destroy_window(t->app, t->window);
    free(xcb_get_input_focus_reply(t->app, xcb_get_input_focus(t->app), NULL));
    SLT_ASSERT_OK(gx_wait(t->x11, -1, 20 * (int64_t)SL_NS_PER_S));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, gx_window_size(t->x11, &t->native, &width_px, &height_px));
    /* The server refuses the picture; nobody waits for it for ever. */
    SLT_ASSERT_OK(gx_put_begin(t->x11, &t->native, &t->picture));
    wait_idle(t);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, gx_put(t->x11, &t->native, &t->picture));
}

SLT_TEST_F(gx, gives_up_a_wait_in_time, t)
{
    bed_window(t);
    SLT_ASSERT_OK(gx_wait(t->x11, -1, 0));
    SLT_ASSERT_OK(gx_wait(t->x11, -1, (int64_t)SL_NS_PER_MS));
}
