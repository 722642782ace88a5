/* A picture on the first display of a DRM device, drawn by GLES into a surface of GBM.
 *
 * usage: gbm_program [FRAMES]
 *
 * Shows FRAMES pictures (default 10) that depend on their number alone, prints a hash of each as
 * GLES reads it and as the buffer's own memory has it, and `shown` when the last one is on the
 * display, where it stays until stdin ends. Ends with 1 and a line on stderr where something cannot
 * be had. */
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <errno.h>
#include <fcntl.h>
#include <gbm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

static void need(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "gbm_program: %s: EGL error 0x%x, %s\n", what, (unsigned)eglGetError(),
                strerror(errno));
        exit(1);
    }
}

/* --- the display --- */

static struct screen {
    int fd;
    uint32_t connector, crtc;
    drmModeModeInfo mode;
    struct gbm_device *gbm;
    struct gbm_surface *surface;
    struct gbm_bo *shown;
    uint32_t framebuffer;
} screen;

static void screen_open(struct screen *s)
{
    s->fd = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
    need(s->fd >= 0, "/dev/dri/card0");
    drmModeRes *resources = drmModeGetResources(s->fd);
    need(resources != NULL && resources->count_connectors > 0, "no connector");
    drmModeConnector *connector = drmModeGetConnector(s->fd, resources->connectors[0]);
    need(connector != NULL && connector->count_modes > 0, "no mode");
    s->connector = connector->connector_id;
    s->mode = connector->modes[0];
    s->crtc = resources->crtcs[0];
    s->gbm = gbm_create_device(s->fd);
    need(s->gbm != NULL, "gbm_create_device");
    printf("backend %s, %ux%u\n", gbm_device_get_backend_name(s->gbm), s->mode.hdisplay,
           s->mode.vdisplay);
    s->surface = gbm_surface_create(s->gbm, s->mode.hdisplay, s->mode.vdisplay, GBM_FORMAT_XRGB8888,
                                    GBM_BO_USE_SCANOUT | GBM_BO_USE_RENDERING);
    need(s->surface != NULL, "gbm_surface_create");
    need(gbm_surface_lock_front_buffer(s->surface) == NULL, "a front buffer before a swap");
}

/* Hash of B, G, R of all pixels. */
static uint32_t hash(const uint8_t *pixels, size_t count)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < count * 4; i++) {
        h = i % 4 == 3 ? h : (h ^ pixels[i]) * 16777619u;
    }
    return h;
}

/* What lies in the buffer's memory. */
static uint32_t buffer_hash(const struct screen *s, struct gbm_bo *bo)
{
    size_t width = s->mode.hdisplay, height = s->mode.vdisplay;
    uint8_t *all = malloc(width * height * 4);
    uint32_t stride;
    void *map = NULL;
    const uint8_t *pixels = gbm_bo_map(bo, 0, 0, (uint32_t)width, (uint32_t)height,
                                       GBM_BO_TRANSFER_READ, &stride, &map);
    need(all != NULL && pixels != NULL, "gbm_bo_map");
    for (size_t y = 0; y < height; y++) {
        memcpy(all + y * width * 4, pixels + y * stride, width * 4);
    }
    gbm_bo_unmap(bo, map);
    uint32_t h = hash(all, width * height);
    free(all);
    return h;
}

/* What was swapped comes onto the display; what was there is free again. */
static struct gbm_bo *show(struct screen *s)
{
    struct gbm_bo *bo = gbm_surface_lock_front_buffer(s->surface);
    uint32_t framebuffer, handles[4] = {0}, strides[4] = {0}, offsets[4] = {0};
    need(bo != NULL, "gbm_surface_lock_front_buffer");
    handles[0] = gbm_bo_get_handle(bo).u32;
    strides[0] = gbm_bo_get_stride(bo);
    need(drmModeAddFB2(s->fd, gbm_bo_get_width(bo), gbm_bo_get_height(bo), gbm_bo_get_format(bo),
                       handles, strides, offsets, &framebuffer, 0) == 0,
         "drmModeAddFB2");
    need(drmModeSetCrtc(s->fd, s->crtc, framebuffer, 0, 0, &s->connector, 1, &s->mode) == 0,
         "drmModeSetCrtc");
    if (s->shown != NULL) {
        drmModeRmFB(s->fd, s->framebuffer);
        gbm_surface_release_buffer(s->surface, s->shown);
    }
    s->shown = bo;
    s->framebuffer = framebuffer;
    return bo;
}

/* --- pictures --- */

static void draw(uint32_t n, int width, int height)
{
    glViewport(0, 0, width, height);
    glDisable(GL_SCISSOR_TEST);
    glClearColor((float)(n % 7) / 6.0f, 0.25f, 0.5f, 1.0f);
    glClear(GL_COLOR_BUFFER_BIT);
    glEnable(GL_SCISSOR_TEST);
    for (uint32_t i = 0; i < 6; i++) {
        glScissor((int)(n * 13 + i * 97) % width, (int)(n * 29 + i * 61) % height, width / 5,
                  height / 7);
        glClearColor((float)i / 5.0f, (float)(n % 5) / 4.0f, 1.0f - (float)i / 5.0f, 1.0f);
        glClear(GL_COLOR_BUFFER_BIT);
    }
}

/* As the buffer's memory should have it: rows from the top, blue lowest. */
static uint32_t drawn_hash(int width, int height)
{
    size_t count = (size_t)width * (size_t)height;
    uint8_t *read = malloc(count * 4), *turned = malloc(count * 4);
    need(read != NULL && turned != NULL, "memory");
    glReadPixels(0, 0, width, height, GL_RGBA, GL_UNSIGNED_BYTE, read);
    for (size_t i = 0; i < count; i++) {
        size_t x = i % (size_t)width, y = (size_t)height - 1 - i / (size_t)width;
        const uint8_t *from = read + (y * (size_t)width + x) * 4;
        turned[i * 4] = from[2];
        turned[i * 4 + 1] = from[1];
        turned[i * 4 + 2] = from[0];
    }
    uint32_t h = hash(turned, count);
    free(read);
    free(turned);
    return h;
}

int main(int argc, char **argv)
{
    static const EGLint config_attribs[] = {EGL_SURFACE_TYPE,
                                            EGL_WINDOW_BIT,
                                            EGL_RED_SIZE,
                                            8,
                                            EGL_GREEN_SIZE,
                                            8,
                                            EGL_BLUE_SIZE,
                                            8,
                                            EGL_RENDERABLE_TYPE,
                                            EGL_OPENGL_ES2_BIT,
                                            EGL_NONE};
    static const EGLint context_attribs[] = {EGL_CONTEXT_CLIENT_VERSION, 2, EGL_NONE};
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 10;
    EGLConfig config;
    EGLint found;
    screen_open(&screen);
    EGLDisplay display = eglGetPlatformDisplay(EGL_PLATFORM_GBM_KHR, screen.gbm, NULL);
    need(eglInitialize(display, NULL, NULL), "eglInitialize");
    need(eglChooseConfig(display, config_attribs, &config, 1, &found) && found == 1, "no config");
    EGLSurface surface = eglCreatePlatformWindowSurface(display, config, screen.surface, NULL);
    need(surface != EGL_NO_SURFACE, "eglCreatePlatformWindowSurface");
    EGLContext context = eglCreateContext(display, config, EGL_NO_CONTEXT, context_attribs);
    need(eglMakeCurrent(display, surface, surface, context), "eglMakeCurrent");
    int width = screen.mode.hdisplay, height = screen.mode.vdisplay;
    for (unsigned long n = 0; n < count; n++) {
        draw((uint32_t)n, width, height);
        uint32_t drawn = drawn_hash(width, height);
        need(eglSwapBuffers(display, surface), "eglSwapBuffers");
        struct gbm_bo *bo = show(&screen);
        printf("frame %lu: drawn %08x, in the buffer %08x\n", n, (unsigned)drawn,
               (unsigned)buffer_hash(&screen, bo));
    }
    puts("shown");
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    need(eglTerminate(display), "eglTerminate");
    eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglReleaseThread();
    gbm_surface_destroy(screen.surface);
    gbm_device_destroy(screen.gbm);
    close(screen.fd);
    return 0;
}
