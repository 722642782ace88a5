/* What a program sees of EGL's windows. They need an X server; without one the cases are skipped.
 */
#include "tests/integration/egl_program.h"

#include <stdlib.h>
#include <string.h>

/* Errors of X requests are what some cases provoke; Xlib's own handler would end the program. */
static int x_error(Display *x, XErrorEvent *event)
{
    (void)x;
    (void)event;
    return 0;
}

static void window_init(struct rig *rig)
{
    XSetErrorHandler(x_error);
    if (getenv("DISPLAY") == NULL || (rig->x = XOpenDisplay(NULL)) == NULL) {
        SLT_SKIP("no X display");
    }
    rig->display = eglGetPlatformDisplay(EGL_PLATFORM_X11_KHR, rig->x, NULL);
    SLT_ASSERT_TRUE(eglInitialize(rig->display, NULL, NULL));
    eglBindAPI(EGL_OPENGL_ES_API);
    rig->config = rig_config(rig->display, EGL_WINDOW_BIT, 8);
    SLT_ASSERT_TRUE(rig->config != NULL);
    rig->context = eglCreateContext(rig->display, rig->config, EGL_NO_CONTEXT, rig_es2);
    rig->window = XCreateSimpleWindow(rig->x, DefaultRootWindow(rig->x), 0, 0, 160, 90, 0, 0, 0);
    XMapWindow(rig->x, rig->window);
    rig->surface = eglCreateWindowSurface(rig->display, rig->config, rig->window, NULL);
    SLT_ASSERT_TRUE(rig->surface != EGL_NO_SURFACE);
    SLT_ASSERT_TRUE(rig_current(rig));
}

SLT_FIXTURE(egl_window, struct rig, window_init, rig_finish);

/* What the X server has there. */
static uint32_t has(const struct rig *rig, Drawable drawable, int x, int y)
{
    XImage *image = XGetImage(rig->x, drawable, x, y, 1, 1, AllPlanes, ZPixmap);
    uint32_t value = image != NULL ? (uint32_t)XGetPixel(image, 0, 0) & 0xffffff : 0xdeadbeef;
    if (image != NULL) {
        XDestroyImage(image);
    }
    return value;
}

static uint32_t shown(const struct rig *rig, int x, int y)
{
    eglWaitClient();
    return has(rig, rig->window, x, y);
}

/* Lower half green, upper half red. */
static void flag(int width, int height)
{
    glViewport(0, 0, width, height);
    rig_clear(1, 0, 0);
    glEnable(GL_SCISSOR_TEST);
    glScissor(0, 0, width, height / 2);
    rig_clear(0, 1, 0);
    glDisable(GL_SCISSOR_TEST);
}

SLT_TEST_F(egl_window, shows_the_picture_upright, rig)
{
    flag(160, 90);
    SLT_ASSERT_TRUE(eglSwapBuffers(rig->display, rig->surface));
    SLT_EXPECT_EQ(0xff0000u, shown(rig, 0, 0));
    SLT_EXPECT_EQ(0xff0000u, shown(rig, 159, 44));
    SLT_EXPECT_EQ(0x00ff00u, shown(rig, 0, 45));
    SLT_EXPECT_EQ(0x00ff00u, shown(rig, 159, 89));
}

SLT_TEST_F(egl_window, frames_come_in_order, rig)
{
    for (uint32_t i = 0; i < 100; i++) {
        rig_clear((float)i / 255, 0, 0);
        SLT_ASSERT_TRUE(eglSwapBuffers(rig->display, rig->surface));
        if (i % 10 == 9) {
            SLT_ASSERT_EQ(i << 16, shown(rig, 80, 45));
        }
    }
}

SLT_TEST_F(egl_window, follows_the_windows_size, rig)
{
    flag(160, 90);
    SLT_ASSERT_TRUE(eglSwapBuffers(rig->display, rig->surface));
    static const int sizes[][2] = {{200, 100}, {33, 17}, {1, 1}, {640, 480}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int width = sizes[i][0], height = sizes[i][1];
        XResizeWindow(rig->x, rig->window, (unsigned)width, (unsigned)height);
        XSync(rig->x, False);
        for (int frame = 0; frame < 3; frame++) {
            flag(width, height);
            SLT_ASSERT_TRUE(eglSwapBuffers(rig->display, rig->surface));
        }
        EGLint value = 0;
        SLT_EXPECT_TRUE(eglQuerySurface(rig->display, rig->surface, EGL_WIDTH, &value));
        SLT_EXPECT_EQ(width, value);
        SLT_EXPECT_TRUE(eglQuerySurface(rig->display, rig->surface, EGL_HEIGHT, &value));
        SLT_EXPECT_EQ(height, value);
        SLT_EXPECT_EQ(height > 1 ? 0xff0000u : 0xff0000u, shown(rig, 0, 0));
        if (height > 1) {
            SLT_EXPECT_EQ(0x00ff00u, shown(rig, width - 1, height - 1));
        }
    }
}

/* A program that draws once when told of a new size. */
SLT_TEST_F(egl_window, one_frame_after_a_new_size_is_of_that_size, rig)
{
    flag(160, 90);
    SLT_ASSERT_TRUE(eglSwapBuffers(rig->display, rig->surface));
    XResizeWindow(rig->x, rig->window, 300, 200);
    XSync(rig->x, False);
    flag(300, 200);
    SLT_ASSERT_TRUE(eglSwapBuffers(rig->display, rig->surface));
    SLT_EXPECT_EQ(0xff0000u, shown(rig, 299, 0));
    SLT_EXPECT_EQ(0xff0000u, shown(rig, 299, 99));
    SLT_EXPECT_EQ(0x00ff00u, shown(rig, 299, 199));
}

/* --- damage --- */

static EGLint age(const struct rig *rig)
{
    EGLint value = -1;
    SLT_EXPECT_TRUE(eglQuerySurface(rig->display, rig->surface, EGL_BUFFER_AGE_EXT, &value));
    return value;
}

static PFNEGLSETDAMAGEREGIONKHRPROC set_damage;
static PFNEGLSWAPBUFFERSWITHDAMAGEKHRPROC swap_damage;

static void need_damage(const struct rig *rig)
{
    const char *has = eglQueryString(rig->display, EGL_EXTENSIONS);
    set_damage = (PFNEGLSETDAMAGEREGIONKHRPROC)eglGetProcAddress("eglSetDamageRegionKHR");
    swap_damage =
        (PFNEGLSWAPBUFFERSWITHDAMAGEKHRPROC)eglGetProcAddress("eglSwapBuffersWithDamageKHR");
    if (strstr(has, "EGL_KHR_partial_update") == NULL ||
        strstr(has, "EGL_KHR_swap_buffers_with_damage") == NULL) {
        SLT_SKIP("no EGL_KHR_partial_update and EGL_KHR_swap_buffers_with_damage");
    }
}

/* What is not drawn again is what the last frame had there. */
SLT_TEST_F(egl_window, updates_a_part, rig)
{
    need_damage(rig);
    EGLint part[] = {80, 45, 80, 45}; /* the upper right quarter */
    SLT_EXPECT_EQ(0, age(rig));
    flag(160, 90);
    SLT_ASSERT_TRUE(swap_damage(rig->display, rig->surface, NULL, 0)); /* all of it */
    SLT_EXPECT_EQ(0xff0000u, shown(rig, 159, 0));
    SLT_EXPECT_EQ(1, age(rig));
    SLT_EXPECT_TRUE(set_damage(rig->display, rig->surface, part, 1));
    glEnable(GL_SCISSOR_TEST);
    glScissor(part[0], part[1], part[2], part[3]);
    rig_clear(0, 0, 1);
    glDisable(GL_SCISSOR_TEST);
    SLT_ASSERT_TRUE(swap_damage(rig->display, rig->surface, part, 1));
    SLT_EXPECT_EQ(0x0000ffu, shown(rig, 159, 0));
    SLT_EXPECT_EQ(0x0000ffu, shown(rig, 80, 44));
    SLT_EXPECT_EQ(0xff0000u, shown(rig, 79, 44));
    SLT_EXPECT_EQ(0x00ff00u, shown(rig, 80, 45));
    XResizeWindow(rig->x, rig->window, 200, 100);
    XSync(rig->x, False);
    SLT_ASSERT_TRUE(eglSwapBuffers(rig->display, rig->surface));
    SLT_EXPECT_EQ(0, age(rig)); /* nothing of that size was drawn yet */
}

/* EGL_KHR_partial_update's errors, in their order. */
SLT_TEST_F(egl_window, damage_has_its_time, rig)
{
    need_damage(rig);
    static const EGLint small[] = {EGL_WIDTH, 4, EGL_HEIGHT, 4, EGL_NONE};
    EGLint part[] = {0, 0, 1, 1};
    EGLSurface pbuffer = eglCreatePbufferSurface(rig->display, rig->config, small);
#define REFUSED(error, surface, rects, count)                                                      \
    SLT_EXPECT_TRUE(!set_damage(rig->display, surface, rects, count));                             \
    SLT_EXPECT_EQ(error, eglGetError())
    REFUSED(EGL_BAD_SURFACE, EGL_NO_SURFACE, part, 1);
    REFUSED(EGL_BAD_MATCH, pbuffer, part, 1);       /* not current */
    REFUSED(EGL_BAD_ACCESS, rig->surface, part, 1); /* its age was not asked for */
    (void)age(rig);
    REFUSED(EGL_BAD_PARAMETER, rig->surface, part, -1);
    REFUSED(EGL_BAD_PARAMETER, rig->surface, NULL, 1);
    SLT_EXPECT_TRUE(set_damage(rig->display, rig->surface, NULL, 0));
    REFUSED(EGL_BAD_ACCESS, rig->surface, part, 1); /* twice a frame */
    SLT_ASSERT_TRUE(eglSwapBuffers(rig->display, rig->surface));
    REFUSED(EGL_BAD_ACCESS, rig->surface, part, 1);
    (void)age(rig);
    if (eglSurfaceAttrib(rig->display, rig->surface, EGL_SWAP_BEHAVIOR, EGL_BUFFER_PRESERVED)) {
        REFUSED(EGL_BAD_MATCH, rig->surface, part, 1);
        eglSurfaceAttrib(rig->display, rig->surface, EGL_SWAP_BEHAVIOR, EGL_BUFFER_DESTROYED);
    }
    SLT_EXPECT_TRUE(set_damage(rig->display, rig->surface, part, 1));
    SLT_ASSERT_TRUE(eglMakeCurrent(rig->display, pbuffer, pbuffer, rig->context));
    REFUSED(EGL_BAD_MATCH, rig->surface, part, 1);
    REFUSED(EGL_BAD_MATCH, pbuffer, part, 1); /* nothing that is shown */
#undef REFUSED
}

SLT_TEST_F(egl_window, a_swap_with_damage_may_be_refused, rig)
{
    need_damage(rig);
    EGLint part[] = {0, 0, 1, 1};
    SLT_EXPECT_TRUE(!swap_damage(rig->display, rig->surface, part, -1));
    SLT_EXPECT_EQ(EGL_BAD_PARAMETER, eglGetError());
    SLT_EXPECT_TRUE(!swap_damage(rig->display, rig->surface, NULL, 1));
    SLT_EXPECT_EQ(EGL_BAD_PARAMETER, eglGetError());
    eglMakeCurrent(rig->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    SLT_EXPECT_TRUE(!swap_damage(rig->display, rig->surface, part, 1));
    SLT_EXPECT_EQ(EGL_BAD_SURFACE, eglGetError());
}

SLT_TEST_F(egl_window, two_windows_keep_apart, rig)
{
    Window second = XCreateSimpleWindow(rig->x, DefaultRootWindow(rig->x), 200, 0, 50, 60, 0, 0, 0);
    XMapWindow(rig->x, second);
    EGLSurface surface = eglCreateWindowSurface(rig->display, rig->config, second, NULL);
    SLT_ASSERT_TRUE(surface != EGL_NO_SURFACE);
    for (int i = 0; i < 20; i++) {
        SLT_ASSERT_TRUE(rig_current(rig));
        rig_clear(1, 0, 0);
        SLT_ASSERT_TRUE(eglSwapBuffers(rig->display, rig->surface));
        SLT_ASSERT_TRUE(eglMakeCurrent(rig->display, surface, surface, rig->context));
        rig_clear(0, 0, 1);
        SLT_ASSERT_TRUE(eglSwapBuffers(rig->display, surface));
    }
    struct rig other = *rig;
    other.window = second;
    SLT_EXPECT_EQ(0x0000ffu, shown(&other, 49, 59));
    SLT_ASSERT_TRUE(rig_current(rig));
    SLT_EXPECT_EQ(0xff0000u, shown(rig, 159, 89));
    SLT_EXPECT_TRUE(eglDestroySurface(rig->display, surface));
}

SLT_TEST_F(egl_window, bad_windows_are_refused, rig)
{
    SLT_EXPECT_TRUE(eglCreateWindowSurface(rig->display, rig->config, rig->window, NULL) ==
                    EGL_NO_SURFACE);
    SLT_EXPECT_EQ(EGL_BAD_ALLOC, eglGetError());
    const EGLint odd[] = {EGL_WIDTH, 2, EGL_NONE};
    SLT_EXPECT_TRUE(eglCreateWindowSurface(rig->display, rig->config, rig->window, odd) ==
                    EGL_NO_SURFACE);
    SLT_EXPECT_TRUE(eglGetError() != EGL_SUCCESS);
}

/* Native drivers crash on windows that are not there, or say nothing. */
static bool ours(const struct rig *rig)
{
    return strcmp(eglQueryString(rig->display, EGL_VENDOR), "Sluice") == 0;
}

SLT_TEST_F(egl_window, an_unknown_window_is_refused, rig)
{
    if (!ours(rig)) {
        SLT_SKIP("not of a native driver");
    }
    SLT_EXPECT_TRUE(eglCreateWindowSurface(rig->display, rig->config, 0x7ffffff, NULL) ==
                    EGL_NO_SURFACE);
    SLT_EXPECT_EQ(EGL_BAD_NATIVE_WINDOW, eglGetError());
}

SLT_TEST_F(egl_window, a_destroyed_window_does_no_harm, rig)
{
    if (!ours(rig)) {
        SLT_SKIP("not of a native driver");
    }
    flag(160, 90);
    SLT_ASSERT_TRUE(eglSwapBuffers(rig->display, rig->surface));
    XDestroyWindow(rig->x, rig->window);
    XSync(rig->x, False);
    EGLint error = EGL_SUCCESS;
    for (int i = 0; i < 100 && error == EGL_SUCCESS; i++) {
        rig_clear(0, 0, 1);
        error = eglSwapBuffers(rig->display, rig->surface) ? EGL_SUCCESS : eglGetError();
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_EXPECT_TRUE(error == EGL_BAD_NATIVE_WINDOW || error == EGL_BAD_SURFACE);
    SLT_EXPECT_TRUE(eglMakeCurrent(rig->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT));
    SLT_EXPECT_TRUE(eglDestroySurface(rig->display, rig->surface));
}

SLT_TEST_F(egl_window, platform_windows_come_by_pointer, rig)
{
    Window second = XCreateSimpleWindow(rig->x, DefaultRootWindow(rig->x), 200, 0, 50, 60, 0, 0, 0);
    EGLSurface surface = eglCreatePlatformWindowSurface(rig->display, rig->config, &second, NULL);
    SLT_ASSERT_TRUE(surface != EGL_NO_SURFACE);
    EGLint value = 0;
    SLT_EXPECT_TRUE(eglQuerySurface(rig->display, surface, EGL_WIDTH, &value));
    SLT_EXPECT_EQ(50, value);
    SLT_EXPECT_TRUE(eglSwapInterval(rig->display, 0));
    SLT_EXPECT_TRUE(eglDestroySurface(rig->display, surface));
}

/* --- buffers that no frame was drawn into --- */

/* The host must not hear of a buffer that is gone: `sluice run` would warn (egl_program.sluice). */
SLT_TEST_F(egl_window, a_size_that_no_frame_had_leaves_nothing_behind, rig)
{
    for (int i = 0; i < 10; i++) {
        XResizeWindow(rig->x, rig->window, 200 + (unsigned)i, 100);
        XSync(rig->x, False);
        flag(200 + i, 100);
        SLT_ASSERT_TRUE(eglSwapBuffers(rig->display, rig->surface));
        XResizeWindow(rig->x, rig->window, 200 + (unsigned)i, 140);
        XSync(rig->x, False);
        flag(200 + i, 140);
    }
    SLT_ASSERT_TRUE(eglSwapBuffers(rig->display, rig->surface));
    SLT_EXPECT_EQ(0x00ff00u, shown(rig, 208, 139));
}

/* A program deletes there what it has. */
SLT_TEST_F(egl_window, a_window_that_is_gone_becomes_current, rig)
{
    Window pair[2];
    EGLSurface surfaces[2];
    for (int i = 0; i < 2; i++) {
        pair[i] = XCreateSimpleWindow(rig->x, DefaultRootWindow(rig->x), 0, 0, 50, 60, 0, 0, 0);
        surfaces[i] = eglCreateWindowSurface(rig->display, rig->config, pair[i], NULL);
    }
    XDestroyWindow(rig->x, pair[1]);
    XSync(rig->x, False);
    SLT_EXPECT_TRUE(eglMakeCurrent(rig->display, surfaces[0], surfaces[1], rig->context));
    SLT_EXPECT_TRUE(eglMakeCurrent(rig->display, surfaces[1], surfaces[1], rig->context));
    GLuint texture;
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    SLT_EXPECT_TRUE(glIsTexture(texture));
    glDeleteTextures(1, &texture);
    SLT_EXPECT_EQ(GL_NO_ERROR, (GLint)glGetError());
    SLT_EXPECT_TRUE(eglMakeCurrent(rig->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT));
    SLT_EXPECT_TRUE(eglDestroySurface(rig->display, surfaces[0]));
    SLT_EXPECT_TRUE(eglDestroySurface(rig->display, surfaces[1]));
}

/* --- pixmaps --- */

static Pixmap pixmap_make(const struct rig *rig)
{
    XWindowAttributes window;
    XGetWindowAttributes(rig->x, rig->window, &window);
    return XCreatePixmap(rig->x, rig->window, 64, 32, (unsigned)window.depth);
}

static void expect_flag(const struct rig *rig, Pixmap pixmap)
{
    SLT_EXPECT_EQ(has(rig, pixmap, 10, 4), 0xff0000);
    SLT_EXPECT_EQ(has(rig, pixmap, 10, 28), 0x00ff00);
    SLT_EXPECT_EQ(has(rig, pixmap, 63, 31), 0x00ff00);
}

SLT_TEST_F(egl_window, pixmap_has_the_picture_when_the_program_waits, rig)
{
    Pixmap pixmap = pixmap_make(rig);
    EGLSurface surface = eglCreatePixmapSurface(rig->display, rig->config, pixmap, NULL);
    SLT_ASSERT_TRUE(surface != EGL_NO_SURFACE);
    SLT_ASSERT_TRUE(eglMakeCurrent(rig->display, surface, surface, rig->context));
    EGLint width = 0;
    SLT_EXPECT_TRUE(eglQuerySurface(rig->display, surface, EGL_WIDTH, &width));
    SLT_EXPECT_EQ(width, 64);
    flag(64, 32);
    glFinish();
    expect_flag(rig, pixmap);
    rig_clear(0, 0, 1);
    SLT_EXPECT_TRUE(eglSwapBuffers(rig->display, surface)); /* of no effect */
    eglWaitClient();
    SLT_EXPECT_EQ(has(rig, pixmap, 10, 28), 0x0000ff);
    SLT_EXPECT_TRUE(rig_current(rig));
    SLT_EXPECT_TRUE(eglDestroySurface(rig->display, surface));
    XFreePixmap(rig->x, pixmap);
}

SLT_TEST_F(egl_window, pixmap_gets_a_copy, rig)
{
    Pixmap pixmap = pixmap_make(rig), other = pixmap_make(rig);
    const EGLint attribs[] = {EGL_WIDTH, 64, EGL_HEIGHT, 32, EGL_NONE};
    EGLSurface pbuffer = eglCreatePbufferSurface(rig->display, rig->config, attribs);
    SLT_ASSERT_TRUE(eglMakeCurrent(rig->display, pbuffer, pbuffer, rig->context));
    flag(64, 32);
    SLT_EXPECT_TRUE(eglCopyBuffers(rig->display, pbuffer, pixmap));
    expect_flag(rig, pixmap);
    SLT_EXPECT_TRUE(eglCopyBuffers(rig->display, pbuffer, other)); /* the picture is still there */
    expect_flag(rig, other);
    SLT_ASSERT_TRUE(rig_current(rig));
    rig_clear(0, 0, 1);
    SLT_EXPECT_TRUE(eglCopyBuffers(rig->display, rig->surface, pixmap));
    SLT_EXPECT_EQ(has(rig, pixmap, 10, 4), 0x0000ff);
    rig_clear(0, 1, 1);
    SLT_EXPECT_TRUE(eglSwapBuffers(rig->display, rig->surface));
    SLT_EXPECT_EQ(shown(rig, 10, 4), 0x00ffff);
    SLT_EXPECT_EQ(has(rig, pixmap, 10, 4), 0x0000ff);
    SLT_EXPECT_TRUE(eglDestroySurface(rig->display, pbuffer));
    XFreePixmap(rig->x, pixmap);
    XFreePixmap(rig->x, other);
}

SLT_TEST_F(egl_window, pixmap_must_be_one, rig)
{
    SLT_EXPECT_TRUE(eglCreatePixmapSurface(rig->display, rig->config, 1, NULL) == EGL_NO_SURFACE);
    SLT_EXPECT_EQ(eglGetError(), EGL_BAD_NATIVE_PIXMAP);
    SLT_EXPECT_TRUE(!eglCopyBuffers(rig->display, rig->surface, 1));
    SLT_EXPECT_EQ(eglGetError(), EGL_BAD_NATIVE_PIXMAP);
}
