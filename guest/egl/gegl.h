/* EGL 1.5 over renderControl: what a process keeps of displays, contexts, surfaces, images and
 * syncs.
 *
 * Callers: glvnd's libEGL through the table in procs.c; any thread. Handles an application holds
 * are ids into the display's table, never pointers (the display itself excepted: glvnd maps those),
 * so that stale and foreign ones are found out. Objects are counted: one for the handle, one for
 * each thread they are current on; counts and the table are under the display's lock, which is
 * never held while waiting for the host or the X server. Lock order: process registry, display, X11
 * connection, window. */
#ifndef GUEST_EGL_GEGL_H
#define GUEST_EGL_GEGL_H

#include "guest/egl/config.h"
#include "guest/gles/ggl.h"
#include "guest/stream/gs.h"
#include "transport/base/list.h"
#include "transport/base/table.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2.h>
#include <pthread.h>

struct gbm_device;
struct gegl_compositor;
struct gegl_window;

enum gegl_kind { GEGL_CONTEXT = 1, GEGL_SURFACE, GEGL_SYNC, GEGL_IMAGE };

/* What the host announced, as far as EGL cares (protocol: feature strings). */
struct gegl_host {
    uint32_t gles_features; /* GGL_FEATURE_* */
    uint32_t gles_version;  /* highest context version: 20, 30, 31, 32 */
    bool checksum;          /* checksum v1 is to be selected on every stream */
    bool sync;              /* rcCreateSyncKHR, rcClientWaitSyncKHR, rcDestroySyncKHR */
    bool sync_status;       /* rcWaitSyncKHR, rcIsSyncSignaled */
    bool native_fence;      /* fences as sync files of the guest's own kernel */
    bool frame_number;      /* rcFlushWindowColorBufferAsyncWithFrameNumber */
    bool colorspace;        /* sRGB surfaces: slCreateSurface */
    bool ten_bits;          /* windows of 10 bits a channel */
    bool image_3d, image_cube, image_renderbuffer; /* slCreateImage */
    bool dma_buf;      /* the guest's kernel has dma-bufs of the host's resources */
    bool view;         /* slCreateView: images of any part of such a resource's memory */
    bool export;       /* slAskImage, slExportImage: such resources for the host's textures */
    bool floats;       /* slGetConfigs: surfaces of float channels */
    uint8_t unused[2]; /* 0: hosts are compared byte by byte */
};
_Static_assert(sizeof(struct gegl_host) == 24, "no padding");

enum gegl_platform {
    GEGL_PLATFORM_SURFACELESS,
    GEGL_PLATFORM_X11,
    GEGL_PLATFORM_XCB,
    GEGL_PLATFORM_WAYLAND,
    GEGL_PLATFORM_GBM,
    GEGL_PLATFORM_DEVICE,
};

struct gegl_display {
    struct sl_list link; /* struct registry.displays; never freed: applications may hold the pointer
                            for ever */
    uint32_t index;      /* from 1; upper half of every handle */
    enum gegl_platform platform;
    void *native; /* the application's display, as the platform has it; NULL: default */
    int screen;   /* X screen asked for, -1 the default */

    pthread_mutex_t setup; /* one eglInitialize or eglTerminate at a time; held while they wait */
    pthread_mutex_t lock;  /* guards what follows; configs and host stand still while initialized */
    bool initialized;
    struct gs_device *device; /* NULL: not initialized; gegl_display_device */
    struct gegl_host host;
    struct gegl_config *configs;
    uint32_t config_count;
    struct sl_table objects;
    pthread_cond_t signals;          /* with lock: a reusable sync was signalled or destroyed */
    struct gx *x11;                  /* NULL but on X11; counted */
    struct gegl_compositor *wayland; /* NULL but on Wayland; counted */
    struct gbm_device *gbm;          /* NULL but on GBM; the program's, or never destroyed */
    EGLLabelKHR label;
    char extensions[1024];
};

static inline struct gx_native gegl_native(const struct gegl_display *display)
{
    return (struct gx_native){.connection = display->native,
                              .xlib = display->platform == GEGL_PLATFORM_X11,
                              .screen = display->screen};
}

/* First member of every object. */
struct gegl_object {
    struct gegl_display *display;
    enum gegl_kind kind;
    uint32_t id; /* in display->objects; 0 once the handle is destroyed */
    uint32_t refs;
    uint64_t device;   /* serial number of the one that it was made on: what the host has of it */
    EGLLabelKHR label; /* display's lock */
};

struct gegl_thread;

struct gegl_context {
    struct gegl_object base;
    struct gegl_config config; /* copy; id 0: made without config */
    uint32_t host_id;
    uint32_t surface_config; /* the host's config for the placeholder */
    EGLint client_version;   /* major version asked for */
    EGLenum reset_strategy;
    bool no_error; /* it was asked for */
    struct ggl_context *ggl;
    uint32_t placeholder;       /* host surface for binding without surface; 0 none yet */
    struct gegl_thread *thread; /* where it is current; NULL nowhere. Display's lock */
    EGLint render_buffer;       /* of what it draws to while it is current. Display's lock */
};

struct gegl_surface {
    struct gegl_object base;
    struct gegl_config config; /* copy */
    EGLint type;               /* EGL_WINDOW_BIT, EGL_PBUFFER_BIT or EGL_PIXMAP_BIT */
    uint32_t host_id;
    uint32_t width_px, height_px; /* written by the thread it is current on, or at creation */
    EGLint texture_format, texture_target, mipmap_texture, mipmap_level, largest_pbuffer;
    EGLint render_buffer; /* as the program wishes; the back buffer is what windows have */
    EGLint swap_behavior, multisample_resolve, colorspace, vg_colorspace, vg_alpha_format;
    EGLint buffer_age;      /* frames since the picture that is there now was drawn; 0: undefined */
    bool age_read, damaged; /* in this frame: EGL_BUFFER_AGE_EXT, eglSetDamageRegionKHR */
    uint32_t color_buffer; /* pbuffer bound as texture: its colour buffer on the host; 0 none yet */
    bool texture_bound;
    struct gegl_window *window; /* NULL for pbuffers */
    bool size_checked;          /* in this frame */
    struct gegl_thread *thread; /* where it is current; NULL nowhere. Display's lock */
};

struct gegl_sync {
    struct gegl_object base;
    EGLenum type;      /* EGL_SYNC_FENCE_KHR, _REUSABLE_KHR or _NATIVE_FENCE_ANDROID */
    uint64_t host_id;  /* of a fence; 0: it was signalled when it was made, or is another's */
    int fd;            /* of a native fence */
    uint32_t signaled; /* atomic: known to be; of a reusable one: changed under display->lock */
    bool destroyed;    /* a reusable one: whoever waits goes on; display->lock */
};

enum { GEGL_PLANES = 3 };
struct gegl_image {
    struct gegl_object base;
    struct ggl_image image;
    struct vg_res *planes[GEGL_PLANES]; /* of dma-bufs; NULL: the host's image */
    bool is_view;                       /* of these: image.id is the host's to close */
    uint32_t fourcc;                    /* of dma-bufs, and of what was asked for that; 0: none */
    uint32_t offsets[GEGL_PLANES], pitches[GEGL_PLANES]; /* the planes' */
    /* Of the host's image: */
    uint32_t host_id;   /* what it has of the texture's; also when it was exported */
    bool is_whole;      /* its first level */
    EGLContext context; /* whose texture or renderbuffer it is */
    EGLenum target;
    uint32_t name;
    struct ggl_export *exported; /* nullable, counted; with `image`: display's lock */
};

/* What a thread has. Made at the first call, ended with the thread or by eglReleaseThread. Its own
 * thread only. */
struct gegl_thread {
    EGLint error;
    EGLLabelKHR label;
    EGLenum api;
    struct gs_device *device; /* of the stream; counted */
    struct gs_stream *stream; /* nullable */
    uint64_t alive_checked_ns;
    struct gegl_context *context; /* nullable, counted; as draw and read */
    struct gegl_surface *draw;
    struct gegl_surface *read;
    void (*viewport)(GLint x, GLint y, GLsizei width,
                     GLsizei height); /* guest/gles' glViewport; NULL before the first binding */
    void (*finish)(void), (*flush)(void); /* its glFinish and glFlush; likewise */
};

/* --- thread.c --- */

/* The calling thread's state. NULL without memory. */
struct gegl_thread *gegl_thread(void);
/* The calling thread's state if it has any. */
struct gegl_thread *gegl_thread_peek(void);
/* Sets the thread's error, which a program that listens is told; returns EGL_FALSE. No locks are
 * held: the program's function runs. */
EGLBoolean gegl_fail(EGLint error);
/* EGL_SUCCESS, EGL_TRUE. */
EGLBoolean gegl_done(void);
/* EGL's error for a result of ours. */
EGLint gegl_error_of(enum sl_result result);
/* The calling thread's stream to the display's host, made (with its handshake) when there is none
 * or it is dead. EGL error. */
EGLint gegl_stream_get(struct gegl_display *display, struct gs_stream **out);
/* The same for what the host has of an object: EGL_CONTEXT_LOST also where that was lost with
 * another host. */
EGLint gegl_stream_of(const struct gegl_object *object, struct gs_stream **out);
/* Gives a thread that has none a stream on the device. EGL_BAD_ALLOC, EGL_CONTEXT_LOST. */
EGLint gegl_stream_open(struct gegl_thread *thread, struct gs_device *device);
/* Has the device no host any more? Asks it. */
bool gegl_device_gone(struct gs_device *device);
/* Ends the thread's stream, if nothing is current. */
void gegl_stream_drop(struct gegl_thread *thread);
/* Is the host behind the thread's stream gone? Asks the device at most every 100 ms; marks it. */
bool gegl_stream_lost(struct gegl_thread *thread, struct gegl_display *display);
/* It is gone: EGL_CONTEXT_LOST is about to be answered. */
void gegl_stream_lose(struct gegl_thread *thread, struct gegl_display *display);
/* From __egl_Main: each time that a program loads EGL, which unloads nothing of ours. NOMEM. */
enum sl_result gegl_threads_init(void) SL_MUST_USE;

/* --- platform.c --- */

EGLDisplay gegl_platform_display(EGLenum platform, void *native, const EGLAttrib *attribs);

/* --- device.c --- */

/* The one EGL device. */
EGLDeviceEXT gegl_device(void);

/* --- display.c --- */

/* The display for these, made when it is new. screen: of X, -1 the default. EGL_NO_DISPLAY and the
 * error set without memory. */
EGLDisplay gegl_display_of(enum gegl_platform platform, void *native, int screen);
/* In a fork's child: every display is the parent's and has to be initialised anew. */
void gegl_displays_forked(void);
/* The display behind a handle, initialised or not; NULL when there is none. */
struct gegl_display *gegl_display_find(EGLDisplay handle);
bool gegl_display_ready(struct gegl_display *display);
/* The display's device now, a reference; NULL: it is not initialised. */
struct gs_device *gegl_display_device(struct gegl_display *display);
/* Before something is made: if the display's host is gone, it has whatever host there is now, of
 * the same kind. What was made before stays lost. EGL_CONTEXT_LOST: there is none, or something of
 * the one that is gone is current on the thread. */
EGLint gegl_display_renew(struct gegl_display *display);
/* The display behind a handle, initialised; otherwise NULL and the error set. */
struct gegl_display *gegl_display_enter(EGLDisplay handle);
/* A configuration's handle: its place, from 1, with the display's number above. */
static inline EGLConfig gegl_config_handle(const struct gegl_display *display, uint32_t index)
{
    return (EGLConfig)((uintptr_t)display->index << 32 | ((uintptr_t)index + 1));
}
static inline const struct gegl_config *gegl_config_find(const struct gegl_display *display,
                                                         EGLConfig handle)
{
    uintptr_t index = (uintptr_t)handle - (uintptr_t)gegl_config_handle(display, 0);
    return index < display->config_count ? &display->configs[index] : NULL;
}

/* --- object.c --- */

/* Gives the object its handle and first count. The caller's struct is filled from here on. NOMEM.
 */
enum sl_result gegl_object_add(struct gegl_display *display, struct gegl_object *object,
                               enum gegl_kind kind) SL_MUST_USE;
void *gegl_object_handle(const struct gegl_object *object);
/* Counted; NULL for what is no living handle of this kind and display. */
void *gegl_object_find(struct gegl_display *display, enum gegl_kind kind, const void *handle);
void gegl_object_unref(struct gegl_object *object);
/* Whether the program can still name it: what is current outlives its handle. */
bool gegl_object_alive(const struct gegl_object *object);
/* Has the host of the thread's stream what was made of it? */
bool gegl_object_here(const struct gegl_object *object, const struct gegl_thread *thread);
/* Takes the handle away; the object goes when nobody has it current. False: no such handle. */
bool gegl_object_remove(struct gegl_display *display, enum gegl_kind kind, const void *handle);
/* All handles of the display; at eglTerminate. */
void gegl_object_remove_all(struct gegl_display *display);

/* Ends of the kinds, called without locks when the last count is gone. The stream may be dead. */
void gegl_context_end(struct gegl_context *context);
void gegl_surface_end(struct gegl_surface *surface);
void gegl_sync_end(struct gegl_sync *sync);
void gegl_image_end(struct gegl_image *image);

/* --- surface.c --- */

/* The surface is this thread's, and may be of a host that is gone: that of the thread's stream gets
 * one like it, whose picture is undefined. EGL error. */
EGLint gegl_surface_renew(struct gegl_surface *surface, struct gegl_thread *thread);

/* --- image.c --- */
extern const struct ggl_egl_ops gegl_gles_ops;

/* --- image_dmabuf.c --- */

/* eglCreateImage for EGL_LINUX_DMA_BUF_EXT where display->host.dma_buf. */
EGLImage gegl_dma_buf_image(struct gegl_display *display, EGLContext context,
                            EGLClientBuffer buffer, const EGLAttrib *attribs);

/* The memory of an image of dma-bufs goes. */
void gegl_planes_end(struct vg_res *planes[GEGL_PLANES]);

/* eglCreateImage for EGL_NATIVE_PIXMAP_KHR where display->gbm and host.dma_buf: of a gbm_bo. */
EGLImage gegl_pixmap_image(struct gegl_display *display, EGLContext context, EGLClientBuffer buffer,
                           const EGLAttrib *attribs);

/* --- current.c --- */

/* Unbind whatever is current on this thread. */
void gegl_unbind(struct gegl_thread *thread);
/* glViewport, as programs get it: the first in a frame looks whether the window has another size by
 * now, since a program that draws only when something changes sets it right before. */
void gegl_viewport(GLint x, GLint y, GLsizei width, GLsizei height);
/* glFinish and glFlush, as programs get them: a pixmap that is drawn to has the picture then. */
void gegl_finish(void);
void gegl_flush(void);
/* The surface got another size (window resized): tell GLES. Thread it is current on. */
void gegl_surface_resized(struct gegl_surface *surface, uint32_t width_px, uint32_t height_px);

#endif
