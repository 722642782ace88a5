/* A picture on the first display of a DRM device, drawn by GLES into a surface of GBM.
 *
 * usage: gbm_program [FRAMES [WIDTH HEIGHT]]
 *
 * Shows FRAMES pictures (default 10) that depend on their number alone, prints a hash of each as
 * GLES reads it and as the buffer's own memory has it, then of the last one as a texture that came
 * by its dma-buf, draws into buffers without a surface (gbm_targets.c), and says `shown` when it is
 * on the display, where it stays until stdin ends. With a size: without a display, the same
 * pictures of that size into memory. Ends with 1 and a line on
 * stderr where something cannot be had. */
#include "tests/integration/gbm_program.h"
#include "tests/integration/shown.h"

#include <GLES2/gl2ext.h>
#include <fcntl.h>
#include <gbm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

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
    shown_need(s->fd >= 0, "/dev/dri/card0");
    drmModeRes *resources = drmModeGetResources(s->fd);
    shown_need(resources != NULL && resources->count_connectors > 0, "no connector");
    drmModeConnector *connector = drmModeGetConnector(s->fd, resources->connectors[0]);
    shown_need(connector != NULL && connector->count_modes > 0, "no mode");
    s->connector = connector->connector_id;
    s->mode = connector->modes[0];
    s->crtc = resources->crtcs[0];
    s->gbm = gbm_create_device(s->fd);
    shown_need(s->gbm != NULL, "gbm_create_device");
    printf("backend %s, %ux%u\n", gbm_device_get_backend_name(s->gbm), s->mode.hdisplay,
           s->mode.vdisplay);
    s->surface = gbm_surface_create(s->gbm, s->mode.hdisplay, s->mode.vdisplay, GBM_FORMAT_XRGB8888,
                                    GBM_BO_USE_SCANOUT | GBM_BO_USE_RENDERING);
    shown_need(s->surface != NULL, "gbm_surface_create");
    shown_need(gbm_surface_lock_front_buffer(s->surface) == NULL, "a front buffer before a swap");
}

uint32_t gbm_program_hash(struct gbm_bo *bo)
{
    size_t width = gbm_bo_get_width(bo), height = gbm_bo_get_height(bo);
    uint32_t format = gbm_bo_get_format(bo);
    bool is_rgb = format == GBM_FORMAT_ABGR8888 || format == GBM_FORMAT_XBGR8888;
    uint8_t *all = malloc(width * height * 3), *to = all;
    uint32_t stride;
    void *map = NULL;
    const uint8_t *pixels = gbm_bo_map(bo, 0, 0, (uint32_t)width, (uint32_t)height,
                                       GBM_BO_TRANSFER_READ, &stride, &map);
    shown_need(all != NULL && pixels != NULL, "gbm_bo_map");
    for (size_t i = 0; i < width * height; i++, to += 3) {
        const uint8_t *from = pixels + i / width * stride + i % width * 4;
        to[0] = from[is_rgb ? 2 : 0];
        to[1] = from[1];
        to[2] = from[is_rgb ? 0 : 2];
    }
    gbm_bo_unmap(bo, map);
    uint32_t h = shown_hash(all, width * height * 3);
    free(all);
    return h;
}

/* What was swapped comes onto the display; what was there is free again. */
static struct gbm_bo *show(struct screen *s)
{
    struct gbm_bo *bo = gbm_surface_lock_front_buffer(s->surface);
    uint32_t framebuffer, handles[4] = {0}, strides[4] = {0}, offsets[4] = {0};
    shown_need(bo != NULL, "gbm_surface_lock_front_buffer");
    handles[0] = gbm_bo_get_handle(bo).u32;
    strides[0] = gbm_bo_get_stride(bo);
    shown_need(drmModeAddFB2(s->fd, gbm_bo_get_width(bo), gbm_bo_get_height(bo),
                             gbm_bo_get_format(bo), handles, strides, offsets, &framebuffer,
                             0) == 0,
               "drmModeAddFB2");
    shown_need(drmModeSetCrtc(s->fd, s->crtc, framebuffer, 0, 0, &s->connector, 1, &s->mode) == 0,
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

/* As the buffer's memory should have it: rows from the top, blue lowest. */
static uint32_t drawn_hash(int width, int height)
{
    size_t count = (size_t)width * (size_t)height;
    uint8_t *drawn = shown_read(width, height), *turned = malloc(count * 3);
    shown_need(turned != NULL, "memory");
    for (size_t i = 0; i < count; i++) {
        size_t x = i % (size_t)width, y = (size_t)height - 1 - i / (size_t)width;
        const uint8_t *from = drawn + (y * (size_t)width + x) * 4;
        turned[i * 3] = from[2];
        turned[i * 3 + 1] = from[1];
        turned[i * 3 + 2] = from[0];
    }
    uint32_t h = shown_hash(turned, count * 3);
    free(drawn);
    free(turned);
    return h;
}

/* Of eight bits a colour; eglChooseConfig has those with more first. */
static EGLConfig unshown_config(EGLDisplay display)
{
    static const EGLint wanted[] = {EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE,
                                    EGL_OPENGL_ES2_BIT, EGL_NONE};
    EGLConfig configs[256];
    EGLint count = 0, red = 0;
    shown_need(eglChooseConfig(display, wanted, configs, 256, &count), "eglChooseConfig");
    for (EGLint i = 0; i < count; i++) {
        if (eglGetConfigAttrib(display, configs[i], EGL_RED_SIZE, &red) && red == 8) {
            return configs[i];
        }
    }
    shown_need(false, "no config");
    return NULL;
}

/* Without a display. */
static void draw_unshown(unsigned long count, int width, int height)
{
    const EGLint size[] = {EGL_WIDTH, width, EGL_HEIGHT, height, EGL_NONE};
    struct shown s;
    s.display = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
    shown_need(eglInitialize(s.display, NULL, NULL), "eglInitialize");
    s.config = unshown_config(s.display);
    s.surface = eglCreatePbufferSurface(s.display, s.config, size);
    shown_current(&s);
    for (unsigned long n = 0; n < count; n++) {
        shown_draw((uint32_t)n, width, height);
        printf("frame %lu: drawn %08x\n", n, (unsigned)drawn_hash(width, height));
    }
    gbm_targets_draw(s.display, NULL);
    eglTerminate(s.display);
}

/* --- a buffer as a texture --- */

static GLuint shader_of(GLenum type, const char *text)
{
    GLuint shader = glCreateShader(type);
    GLint compiled = 0;
    glShaderSource(shader, 1, &text, NULL);
    glCompileShader(shader);
    glGetShaderiv(shader, GL_COMPILE_STATUS, &compiled);
    shown_need(compiled, "a shader");
    return shader;
}

/* Over the whole surface, the texture's first row at the top. */
static void draw_external(void)
{
    static const GLfloat corners[] = {-1, -1, 1, -1, -1, 1, 1, 1};
    GLuint program = glCreateProgram();
    glAttachShader(program,
                   shader_of(GL_VERTEX_SHADER,
                             "attribute vec2 p; varying vec2 t; void main() { t = vec2(p.x, -p.y) "
                             "* 0.5 + 0.5; gl_Position = vec4(p, 0.0, 1.0); }"));
    glAttachShader(program, shader_of(GL_FRAGMENT_SHADER,
                                      "#extension GL_OES_EGL_image_external : require\n"
                                      "precision mediump float; varying vec2 t; uniform "
                                      "samplerExternalOES s; void main() { gl_FragColor = "
                                      "texture2D(s, t); }"));
    glBindAttribLocation(program, 0, "p");
    glLinkProgram(program);
    glUseProgram(program);
    glBindBuffer(GL_ARRAY_BUFFER, 0);
    glVertexAttribPointer(0, 2, GL_FLOAT, GL_FALSE, 0, corners);
    glEnableVertexAttribArray(0);
    glDisable(GL_SCISSOR_TEST);
    glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
}

/* What cannot be an image, and what an image of a dma-buf cannot be. */
static void print_refusals(EGLDisplay display, struct gbm_bo *bo, int fd, EGLImageKHR image)
{
    const EGLint width = (EGLint)gbm_bo_get_width(bo), height = (EGLint)gbm_bo_get_height(bo);
    const EGLint pitch = (EGLint)gbm_bo_get_stride(bo);
    PFNGLEGLIMAGETARGETTEXTURE2DOESPROC target =
        (PFNGLEGLIMAGETARGETTEXTURE2DOESPROC)eglGetProcAddress("glEGLImageTargetTexture2DOES");
    struct {
        int fd;
        EGLint height, format, pitch;
    } wrong[] = {{-1, height, GBM_FORMAT_XRGB8888, pitch},
                 {fd, height, GBM_FORMAT_ARGB2101010, pitch},
                 {fd, height, GBM_FORMAT_XRGB8888, pitch - 64},
                 {fd, height * 9, GBM_FORMAT_XRGB8888, pitch}};
    printf("refused:");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        EGLImageKHR none = gbm_program_image(display, wrong[i].fd, width, wrong[i].height,
                                             wrong[i].format, wrong[i].pitch);
        printf(" %s%x", none != EGL_NO_IMAGE_KHR ? "image " : "", (unsigned)eglGetError());
    }
    target(GL_TEXTURE_CUBE_MAP, image);
    printf(" %x\n", glGetError());
}

static void import_shown(EGLDisplay display, struct gbm_bo *bo)
{
    PFNEGLDESTROYIMAGEKHRPROC end =
        (PFNEGLDESTROYIMAGEKHRPROC)eglGetProcAddress("eglDestroyImageKHR");
    PFNEGLQUERYDMABUFMODIFIERSEXTPROC query =
        (PFNEGLQUERYDMABUFMODIFIERSEXTPROC)eglGetProcAddress("eglQueryDmaBufModifiersEXT");
    PFNGLEGLIMAGETARGETTEXTURE2DOESPROC target =
        (PFNGLEGLIMAGETARGETTEXTURE2DOESPROC)eglGetProcAddress("glEGLImageTargetTexture2DOES");
    const uint32_t width = gbm_bo_get_width(bo), height = gbm_bo_get_height(bo);
    EGLuint64KHR modifier = 1;
    EGLBoolean external = EGL_FALSE;
    EGLint count = 0;
    GLuint texture;
    int fd = gbm_bo_get_fd(bo);
    shown_need(fd >= 0, "gbm_bo_get_fd");
    shown_need(query(display, GBM_FORMAT_XRGB8888, 1, &modifier, &external, &count) && count == 1,
               "eglQueryDmaBufModifiersEXT");
    EGLImageKHR image = gbm_program_image(display, fd, (EGLint)width, (EGLint)height,
                                          GBM_FORMAT_XRGB8888, (EGLint)gbm_bo_get_stride(bo));
    shown_need(image != EGL_NO_IMAGE_KHR, "eglCreateImageKHR");
    print_refusals(display, bo, fd, image);
    close(fd);
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_EXTERNAL_OES, texture);
    glTexParameteri(GL_TEXTURE_EXTERNAL_OES, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_EXTERNAL_OES, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    target(GL_TEXTURE_EXTERNAL_OES, image);
    glClear(GL_COLOR_BUFFER_BIT);
    draw_external();
    printf("imported %08x, modifier %u, external %u, error %x\n",
           (unsigned)drawn_hash((int)width, (int)height), (unsigned)modifier, external,
           glGetError());
    shown_need(end(display, image), "eglDestroyImageKHR");
    glDeleteTextures(1, &texture);
}

int main(int argc, char **argv)
{
    unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 10;
    struct shown window;
    if (argc > 3) {
        draw_unshown(count, atoi(argv[2]), atoi(argv[3]));
        return 0;
    }
    screen_open(&screen);
    shown_open(&window, EGL_PLATFORM_GBM_KHR, screen.gbm, screen.surface,
               (struct shown_bits){8, 0});
    shown_current(&window);
    int width = screen.mode.hdisplay, height = screen.mode.vdisplay;
    for (unsigned long n = 0; n < count; n++) {
        shown_draw((uint32_t)n, width, height);
        uint32_t drawn = drawn_hash(width, height);
        shown_need(eglSwapBuffers(window.display, window.surface), "eglSwapBuffers");
        struct gbm_bo *bo = show(&screen);
        printf("frame %lu: drawn %08x, in the buffer %08x\n", n, (unsigned)drawn,
               (unsigned)gbm_program_hash(bo));
    }
    import_shown(window.display, screen.shown);
    gbm_targets_draw(window.display, screen.gbm);
    shown_wait();
    shown_need(eglTerminate(window.display), "eglTerminate");
    eglMakeCurrent(window.display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglReleaseThread();
    gbm_surface_destroy(screen.surface);
    gbm_device_destroy(screen.gbm);
    close(screen.fd);
    return 0;
}
