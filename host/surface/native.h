/* The native EGL and GLES as the host's rooms see them: function tables, the one display, and what
 * it can do.
 *
 * host/gles loads it (egl_driver.c) and owns it; surface and rc use it. Tests fill in functions of
 * their own. Everything here is constant once it is loaded; any thread. */
#ifndef HOST_NATIVE_H
#define HOST_NATIVE_H

#include "host/gl_driver.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define HS_EGL_CORE(X)                                                                             \
    X(BindAPI, BINDAPI)                                                                            \
    X(ChooseConfig, CHOOSECONFIG)                                                                  \
    X(CreateContext, CREATECONTEXT)                                                                \
    X(CreatePbufferSurface, CREATEPBUFFERSURFACE)                                                  \
    X(DestroyContext, DESTROYCONTEXT)                                                              \
    X(DestroySurface, DESTROYSURFACE)                                                              \
    X(GetConfigAttrib, GETCONFIGATTRIB)                                                            \
    X(GetConfigs, GETCONFIGS)                                                                      \
    X(GetCurrentContext, GETCURRENTCONTEXT) X(GetCurrentSurface, GETCURRENTSURFACE)                \
        X(GetDisplay, GETDISPLAY) X(GetError, GETERROR) X(GetProcAddress, GETPROCADDRESS)          \
            X(Initialize, INITIALIZE) X(MakeCurrent, MAKECURRENT) X(QueryString, QUERYSTRING)      \
                X(ReleaseThread, RELEASETHREAD) X(Terminate, TERMINATE)
/* May be NULL. */
#define HS_EGL_EXTRA(X)                                                                            \
    X(GetPlatformDisplayEXT, GETPLATFORMDISPLAYEXT)                                                \
    X(QueryDevicesEXT, QUERYDEVICESEXT)                                                            \
    X(CreateImageKHR, CREATEIMAGEKHR)                                                              \
    X(DestroyImageKHR, DESTROYIMAGEKHR)                                                            \
    X(CreateSyncKHR, CREATESYNCKHR)                                                                \
    X(DestroySyncKHR, DESTROYSYNCKHR)                                                              \
    X(ClientWaitSyncKHR, CLIENTWAITSYNCKHR)                                                        \
    X(GetSyncAttribKHR, GETSYNCATTRIBKHR) X(WaitSyncKHR, WAITSYNCKHR)

struct hs_egl {
#define HS_EGL_FIELD(name, upper) PFNEGL##upper##PROC name;
    HS_EGL_CORE(HS_EGL_FIELD)
    HS_EGL_EXTRA(HS_EGL_FIELD)
#undef HS_EGL_FIELD
};

/* The attributes that renderControl's table has. */
#define HS_CONFIG_ATTRIBUTES 34u
/* One config that guests see; its place in the list is the wire's config index. */
struct hs_config {
    EGLConfig config;
    int32_t values[HS_CONFIG_ATTRIBUTES]; /* in the order of hs_config_attributes */
    bool is_float;                        /* EGL_COLOR_COMPONENT_TYPE_FLOAT_EXT */
};

struct hs_native {
    struct hs_egl egl;
    EGLDisplay display;
    int32_t egl_major, egl_minor;
    const struct gl_driver *gl;  /* GLES 2 and later */
    const struct gl_driver *gl1; /* GLES 1; functions are NULL where there is none */
    const struct hs_config *configs;
    uint32_t config_count; /* those of float channels behind all others */
    uint32_t fixed_count;  /* the others: what stock guests see */
    EGLConfig helper_config;
    uint32_t gles_version; /* highest: 20, 30, 31 or 32 */
    bool surfaceless_context, no_config_context, fence_sync, wait_sync, image, robust, gles1;
    bool read_bgra, reverse_rows; /* GL_EXT_read_format_bgra, GL_ANGLE_pack_reverse_row_order in
                                     GLES 2+ contexts */
    bool software;                /* it draws by the CPU */
    pthread_mutex_t *ending;      /* nullable: held while a context ends */
};

/* The attribute enums of hs_config.values. */
extern const int32_t hs_config_attributes[HS_CONFIG_ATTRIBUTES];

/* eglDestroyContext, one at a time. The context is current nowhere. Any thread. */
void hs_context_destroy(const struct hs_native *native, EGLContext context);

/* Waits for what the context draws, before it ends with queries that still count: Mesa's CPU
 * drivers (22) free these with it and go on counting into them. The context is of GLES 2+ and
 * current nowhere. Any thread; what is current there stays so. timeout_ns: at most so long, where
 * there are fences; UINT64_MAX: without end. False, and a line in the log: it still draws, or that
 * is not known, and it must not end. */
bool hs_context_settle(const struct hs_native *native, EGLContext context, uint64_t timeout_ns);

/* Mesa (22) keeps the shaders that glDrawTex is drawn with for all contexts of the process: the
 * first to draw makes them, and any that ends frees them. So while a context draws so no other
 * ends, and behind it one that did nothing does: each draw makes its own. A thread with a GLES 1
 * context current. */
void hs_draw_tex_begin(const struct hs_native *native);
void hs_draw_tex_end(const struct hs_native *native);

/* What is current on a ring's thread, and its own helper context. Ring thread only. */
struct hs_thread {
    const struct hs_native *native; /* NULL: a ring without GLES */
    EGLContext context;
    EGLSurface draw, read;
    EGLContext helper;         /* made at first use */
    EGLSurface helper_surface; /* where contexts cannot do without */
    bool helper_failed;
};

void hs_thread_init(struct hs_thread *thread, const struct hs_native *native);
/* Releases everything; nothing is current afterwards. */
void hs_thread_finish(struct hs_thread *thread);
/* eglMakeCurrent, remembered. False: nothing changed. */
bool hs_thread_bind(struct hs_thread *thread, EGLContext context, EGLSurface draw, EGLSurface read);
/* Between these two the helper context is current: GLES 2+, sharing nothing. False: none to be had,
 * do not call end. The state that is set in between must be put back by who sets it. */
bool hs_helper_begin(struct hs_thread *thread);
void hs_helper_end(struct hs_thread *thread);
/* The helper context with the surfaces that are current; hs_helper_end also where it fails: a
 * driver's contexts may want surfaces of one configuration. */
bool hs_helper_borrow(struct hs_thread *thread);
/* The same with a context of the caller's, without surfaces (surfaceless_context). */
bool hs_visit_begin(struct hs_thread *thread, EGLContext context);
void hs_visit_end(struct hs_thread *thread);

#endif
