/* sluice device --window on an X server of the case's own: what stands on its root is what sluice
 * screenshot says, and who resizes the window resizes the guest's display. */
#include "tests/integration/kill_bed.h"
#include "tests/support/slt.h"
#include "tests/support/vguest.h"
#include "transport/base/fd.h"
#include "transport/virtgpu/proto.h"

#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <fcntl.h>
#include <png.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Within the X server's 320 x 240. */
enum { WIDE = 200, HIGH = 150, WIDER = 240, HIGHER = 180, CURSOR = 16 };
enum { PICTURE = 1, POINTER = 2, OTHER = 3 }; /* resources */
#define POINTER_AT (VGUEST_FREE + 0x100000)
#define PATIENCE   400 /* turns of 50 ms */

struct bed {
    struct kill_bed x;
    pid_t device;
    int status;
    char path[120], file[140];
    struct vguest guest;
    Display *display;
    Window window;
};

/* ---- the device ---- */

static void start_device(struct bed *t)
{
    int fds[2];
    char status[16], display[16];
    snprintf(t->path, sizeof t->path, "%s/gpu", SLT_TMPDIR());
    snprintf(t->file, sizeof t->file, "%s/shot.png", SLT_TMPDIR());
    snprintf(display, sizeof display, ":%d", t->x.x_number);
    SLT_ASSERT_EQ(0, pipe(fds));
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    snprintf(status, sizeof status, "%d", fds[1]);
    t->device = fork();
    if (t->device == 0) {
        setenv("DISPLAY", display, 1);
        unsetenv("WAYLAND_DISPLAY");
        execl(SLUICE_PROGRAM, "sluice", "device", "-q", "--socket", t->path, "--window", "--size",
              "200x150", "--types", "composer", "--status-fd", status, NULL);
        _exit(127);
    }
    close(fds[1]);
    t->status = fds[0];
    /* "listening", "ready ..." */
    for (uint32_t lines = 0; lines < 2;) {
        char byte = '\0';
        SLT_ASSERT_OK(sl_fd_wait(t->status, (int64_t)KILL_PATIENCE_NS));
        SLT_ASSERT_EQ(1, (int)read(t->status, &byte, 1));
        lines += byte == '\n';
    }
}

/* Its exit code; -1: it did not end. */
static int device_ending(struct bed *t)
{
    uint64_t taken_ns;
    int status = kill_bed_ending(&t->device, &taken_ns);
    return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static Window find_window(struct bed *t)
{
    Window root, parent, *children = NULL, found = None;
    unsigned count = 0;
    (void)XQueryTree(t->display, DefaultRootWindow(t->display), &root, &parent, &children, &count);
    for (unsigned i = 0; i < count; i++) {
        char *name = NULL;
        if (XFetchName(t->display, children[i], &name) != 0 && name != NULL) {
            found = strncmp(name, "sluice ", 7) == 0 ? children[i] : found;
            XFree(name);
        }
    }
    XFree(children);
    return found;
}

static void bed_init(struct bed *t)
{
    char display[16];
    kill_bed_x_start(&t->x);
    start_device(t);
    SLT_ASSERT_TRUE(vguest_start(&t->guest, t->path, 0));
    snprintf(display, sizeof display, ":%d", t->x.x_number);
    t->display = XOpenDisplay(display);
    SLT_ASSERT_TRUE(t->display != NULL);
    t->window = find_window(t);
    SLT_ASSERT_TRUE(t->window != None);
}

static void bed_finish(struct bed *t)
{
    vguest_stop(&t->guest);
    if (t->display != NULL) {
        XCloseDisplay(t->display);
    }
    if (t->device > 0) {
        kill(t->device, SIGTERM);
        SLT_EXPECT_EQ(0, device_ending(t));
        kill_bed_end(&t->device);
    }
    sl_fd_close(&t->status);
    (void)unlink(t->file);
    kill_bed_x_kill(&t->x);
}

SLT_FIXTURE(window, struct bed, bed_init, bed_finish);

/* ---- the guest ---- */

static void make_picture(struct bed *t, uint32_t id, uint32_t width, uint32_t height, uint32_t seed)
{
    struct vguest *g = &t->guest;
    uint8_t *at = g->ram + (id == POINTER ? POINTER_AT : VGUEST_FREE);
    for (uint32_t i = 0; i < width * height; i++) {
        const uint8_t bgra[4] = {(uint8_t)(i + seed), (uint8_t)(i / width), (uint8_t)(3 * i + seed),
                                 (uint8_t)(id == POINTER ? 0xff : i)};
        memcpy(at + (size_t)i * 4, bgra, 4);
    }
    struct vgpu_entry entry = {.addr = vguest_gpa(g, at), .length = width * height * 4};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_create_2d(g, id, VIRTGPU_FORMAT_B8G8R8A8, width, height));
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_attach(g, id, &entry, 1));
    SLT_ASSERT_EQ(VGPU_OK_NODATA,
                  vguest_transfer(g, id, (struct vgpu_rect){0, 0, width, height}, 0));
}

static void show_picture(struct bed *t, uint32_t id, uint32_t width, uint32_t height)
{
    SLT_ASSERT_EQ(VGPU_OK_NODATA,
                  vguest_set_scanout(&t->guest, 0, id, (struct vgpu_rect){0, 0, width, height}));
}

static void flush(struct bed *t, uint32_t id, struct vgpu_rect rect)
{
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_flush(&t->guest, id, rect));
}

static void point(struct bed *t, uint32_t type, uint32_t resource, uint32_t x, uint32_t y)
{
    struct vgpu_cursor q = {.head = {.type = type}, .x = x, .y = y, .resource_id = resource};
    uint16_t head = vguest_post(&t->guest, VGPU_QUEUE_CURSOR, &q, sizeof q, 24);
    SLT_ASSERT_EQ(24u, vguest_wait(&t->guest, VGPU_QUEUE_CURSOR, head, VGUEST_PATIENCE_MS));
}

/* ---- what is seen ---- */

struct picture {
    uint32_t width, height;
    uint8_t *rgb;
};

static struct picture screenshot(struct bed *t)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        execl(SLUICE_PROGRAM, "sluice", "screenshot", "--cursor", "--force", "-o", t->file, t->path,
              NULL);
        _exit(127);
    }
    SLT_ASSERT_EQ(child, waitpid(child, &status, 0));
    SLT_ASSERT_EQ(0, status);
    png_image image = {.version = PNG_IMAGE_VERSION};
    SLT_ASSERT_TRUE(png_image_begin_read_from_file(&image, t->file) != 0);
    image.format = PNG_FORMAT_RGB;
    struct picture p = {image.width, image.height, malloc(PNG_IMAGE_SIZE(image))};
    SLT_ASSERT_TRUE(png_image_finish_read(&image, NULL, p.rgb, 0, NULL) != 0);
    return p;
}

/* How many pixels of the root differ from the picture where the window is; UINT32_MAX: the window
 * has another size. */
static uint32_t differences(struct bed *t, const struct picture *p)
{
    XWindowAttributes a;
    Window root = DefaultRootWindow(t->display), child;
    int x, y;
    XSync(t->display, False);
    if (XGetWindowAttributes(t->display, t->window, &a) == 0 || (uint32_t)a.width != p->width ||
        (uint32_t)a.height != p->height ||
        XTranslateCoordinates(t->display, t->window, root, 0, 0, &x, &y, &child) == False) {
        return UINT32_MAX;
    }
    XImage *image = XGetImage(t->display, root, x, y, p->width, p->height, AllPlanes, ZPixmap);
    SLT_ASSERT_TRUE(image != NULL);
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->width * p->height; i++) {
        unsigned long got = XGetPixel(image, (int)(i % p->width), (int)(i / p->width)) & 0xffffff;
        const uint8_t *want = p->rgb + (size_t)i * 3;
        count += got != ((unsigned long)want[0] << 16 | (unsigned long)want[1] << 8 | want[2]);
    }
    XDestroyImage(image);
    return count;
}

static void expect_seen(struct bed *t, uint32_t width, uint32_t height)
{
    struct picture p = screenshot(t);
    SLT_EXPECT_EQ(width, p.width);
    SLT_EXPECT_EQ(height, p.height);
    uint32_t count = 1;
    for (uint32_t i = 0; i < PATIENCE && count != 0; i++) {
        usleep(i == 0 ? 0 : 50000);
        count = differences(t, &p);
    }
    free(p.rgb);
    SLT_EXPECT_EQ(0u, count);
}

SLT_TEST_F(window, shows_what_a_screenshot_shows, t)
{
    make_picture(t, PICTURE, WIDE, HIGH, 5);
    show_picture(t, PICTURE, WIDE, HIGH);
    flush(t, PICTURE, (struct vgpu_rect){0, 0, WIDE, HIGH});
    expect_seen(t, WIDE, HIGH);
    /* A part of it is new. */
    for (uint32_t y = 20; y < 30; y++) {
        memset(t->guest.ram + VGUEST_FREE + ((size_t)y * WIDE + 50) * 4, 0xe0 + (int)y, 60 * 4);
    }
    const struct vgpu_rect part = {50, 20, 60, 10};
    SLT_ASSERT_EQ(VGPU_OK_NODATA, vguest_transfer(&t->guest, PICTURE, part, (20 * WIDE + 50) * 4));
    flush(t, PICTURE, part);
    expect_seen(t, WIDE, HIGH);
}

SLT_TEST_F(window, shows_the_cursor_where_the_guest_put_it, t)
{
    make_picture(t, PICTURE, WIDE, HIGH, 5);
    make_picture(t, POINTER, CURSOR, CURSOR, 99);
    show_picture(t, PICTURE, WIDE, HIGH);
    flush(t, PICTURE, (struct vgpu_rect){0, 0, WIDE, HIGH});
    point(t, VGPU_UPDATE_CURSOR, POINTER, 30, 40);
    expect_seen(t, WIDE, HIGH);
    point(t, VGPU_MOVE_CURSOR, POINTER, WIDE - 5, (uint32_t)-3); /* half out of the picture */
    expect_seen(t, WIDE, HIGH);
    point(t, VGPU_UPDATE_CURSOR, 0, 0, 0);
    expect_seen(t, WIDE, HIGH);
}

SLT_TEST_F(window, follows_the_guests_sizes, t)
{
    make_picture(t, PICTURE, WIDE, HIGH, 5);
    show_picture(t, PICTURE, WIDE, HIGH);
    flush(t, PICTURE, (struct vgpu_rect){0, 0, WIDE, HIGH});
    expect_seen(t, WIDE, HIGH);
    make_picture(t, OTHER, WIDER, HIGHER, 70);
    show_picture(t, OTHER, WIDER, HIGHER);
    flush(t, OTHER, (struct vgpu_rect){0, 0, WIDER, HIGHER});
    expect_seen(t, WIDER, HIGHER);
    show_picture(t, 0, 0, 0); /* dark, and the first again */
    show_picture(t, PICTURE, WIDE, HIGH);
    expect_seen(t, WIDE, HIGH);
}

/* The size that the guest's display has, by GET_DISPLAY_INFO; its EDID says the same. */
static void expect_display(struct bed *t, uint32_t width, uint32_t height)
{
    struct vgpu_head q = {.type = VGPU_GET_DISPLAY_INFO};
    struct vgpu_id of = {.head = {.type = VGPU_GET_EDID}};
    struct {
        struct vgpu_head head;
        struct vgpu_display_info info;
    } a = {0};
    struct {
        struct vgpu_head head;
        struct vgpu_edid edid;
    } e;
    for (uint32_t i = 0; i < PATIENCE && a.info.scanouts[0].rect.width != width; i++) {
        vguest_pump(&t->guest, i == 0 ? 0 : 50);
        SLT_ASSERT_EQ(VGPU_OK_DISPLAY_INFO, vguest_command(&t->guest, &q, sizeof q, &a, sizeof a));
    }
    SLT_EXPECT_EQ(width, a.info.scanouts[0].rect.width);
    SLT_EXPECT_EQ(height, a.info.scanouts[0].rect.height);
    SLT_ASSERT_EQ(VGPU_OK_EDID, vguest_command(&t->guest, &of, sizeof of, &e, sizeof e));
    SLT_EXPECT_EQ(width, e.edid.bytes[56] | (e.edid.bytes[58] & 0xf0u) << 4);
    SLT_EXPECT_EQ(height, e.edid.bytes[59] | (e.edid.bytes[61] & 0xf0u) << 4);
}

SLT_TEST_F(window, resizing_it_resizes_the_display, t)
{
    make_picture(t, PICTURE, WIDE, HIGH, 5);
    show_picture(t, PICTURE, WIDE, HIGH);
    flush(t, PICTURE, (struct vgpu_rect){0, 0, WIDE, HIGH});
    expect_seen(t, WIDE, HIGH);
    expect_display(t, WIDE, HIGH);
    uint32_t changes = t->guest.config_changes;
    XResizeWindow(t->display, t->window, WIDER, HIGHER);
    XFlush(t->display);
    expect_display(t, WIDER, HIGHER);
    for (uint32_t i = 0; i < PATIENCE && t->guest.config_changes == changes; i++) {
        vguest_pump(&t->guest, 50);
    }
    SLT_EXPECT_LT(changes, t->guest.config_changes);
    make_picture(t, OTHER, WIDER, HIGHER, 70); /* as a guest follows */
    show_picture(t, OTHER, WIDER, HIGHER);
    flush(t, OTHER, (struct vgpu_rect){0, 0, WIDER, HIGHER});
    expect_seen(t, WIDER, HIGHER);
}

SLT_TEST_F(window, closing_it_ends_the_device, t)
{
    XEvent event = {.xclient = {.type = ClientMessage,
                                .window = t->window,
                                .message_type = XInternAtom(t->display, "WM_PROTOCOLS", False),
                                .format = 32}};
    event.xclient.data.l[0] = (long)XInternAtom(t->display, "WM_DELETE_WINDOW", False);
    SLT_ASSERT_TRUE(XSendEvent(t->display, t->window, False, NoEventMask, &event) != 0);
    XFlush(t->display);
    SLT_EXPECT_EQ(0, device_ending(t));
}
