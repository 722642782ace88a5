/* The client side of OpenGL ES 1.1 to 3.2: what a context keeps in the guest, and how EGL makes,
 * binds and ends one.
 *
 * Callers: guest/egl (everything below) and generated entry points (ggl_current, the error
 * functions). A context is used by the one thread it is current on; a share group by all threads of
 * its contexts, under its own lock. A dead stream turns every call into a no-op: packets go to
 * scratch, replies are zeros, and the context reports itself lost (ggl_lose). */
#ifndef GUEST_GLES_GGL_H
#define GUEST_GLES_GGL_H

#include "guest/stream/gs.h"

#include <stdbool.h>
#include <stdint.h>

struct ggl_context;

/* What the host announced in its feature words, as far as GLES cares (protocol: feature strings).
 */
enum {
    GGL_FEATURE_SYNC_BUFFER_DATA = 1 << 0, /* glBufferData travels with a reply */
    GGL_FEATURE_ASYNC_UNMAP =
        1 << 1, /* glUnmapBufferAsyncAEMU and glFlushMappedBufferRangeAEMU2 exist */
    GGL_FEATURE_HOST_ERROR = 1 << 2, /* glGetError may ask the host */
    GGL_FEATURE_SLUICE =
        1
        << 3, /* the host is ours (capset): link tables and limits are fetched when first needed */
    GGL_FEATURE_ASYNC_ERRORS = 1 << 7, /* errors come when they come: nobody waits (capset, and
                                          who started the program wants it so) */
    GGL_FEATURE_LOCATIONS = 1 << 6,    /* a link's locations come in one answer (capset) */
    GGL_FEATURE_STAGE = 1 << 5,        /* bulky data may travel in shared memory (gs_stage.h) */
    GGL_FEATURE_STORE = 1 << 8,   /* it brings what is drawn to a colour buffer's memory (capset) */
    GGL_FEATURE_TARGETS = 1 << 9, /* and what is written there otherwise (capset) */
    GGL_FEATURE_SIGNAL = 1 << 10, /* slSignal (capset) */
    GGL_FEATURE_GLESX = 1 << 4,   /* it knows the commands without an upstream number (capset) */
};

/* The GGL_FEATURE_* bits of a space separated list of feature words (rcGetHostExtensionsString). */
uint32_t ggl_features_parse(const char *words);

/* What an EGLImage is on the host. Without GGL_FEATURE_STORE a colour buffer can be an external
 * texture alone. */
enum ggl_image_kind { GGL_IMAGE_TEXTURE, GGL_IMAGE_COLOR_BUFFER };
struct ggl_image {
    enum ggl_image_kind kind;
    uint32_t id;      /* client image id, or colour buffer handle */
    bool is_external; /* it can be an external texture alone, whatever the host can */
};

/* The resource that a texture was exported as. Counted: whoever may export it again, and the share
 * group, as long as the texture is there and the host writes to that memory. */
struct ggl_export {
    uint32_t refs; /* atomic */
    struct vg_res *res;
    uint32_t width_px, height_px;
};
/* Takes the resource; the caller's reference. NULL: no memory, and the resource is gone. */
struct ggl_export *ggl_export_new(struct vg_res *res, uint32_t width_px, uint32_t height_px);
/* What the host's memory of it has comes to the guest's own pages, which dma-bufs map. */
void ggl_export_show(const struct ggl_export *e);
void ggl_export_put(struct ggl_export *e); /* NULL allowed; the host has done what names it */

/* What GLES asks of EGL. Called on the thread that makes the GL call. */
struct ggl_egl_ops {
    /* The EGLImage an application passed to glEGLImageTarget*; false when it is none. */
    bool (*image_find)(void *user, void *image, struct ggl_image *out);
};

struct ggl_context_args {
    uint32_t version;              /* 11, 20, 30, 31, 32: what the host context was made as */
    uint32_t features;             /* GGL_FEATURE_* */
    struct ggl_context *share;     /* nullable: whose objects are shared */
    bool lose_on_reset;            /* EGL_LOSE_CONTEXT_ON_RESET was asked for */
    bool robust;                   /* EGL_CONTEXT_OPENGL_ROBUST_ACCESS was asked for */
    bool debug;                    /* a debug context was asked for */
    bool no_error;                 /* EGL_CONTEXT_OPENGL_NO_ERROR_KHR was asked for */
    bool no_flush;                 /* EGL_CONTEXT_RELEASE_BEHAVIOR_NONE_KHR was asked for */
    const struct ggl_egl_ops *ops; /* nullable; borrowed for the context's life */
    void *user;                    /* handed to ops */
};

/* The context current on this thread, or NULL: of GLES 2 and later, of GLES 1, and of either once
 * it is lost. At most one of them is there, so that a function whose name both have finds GLES 1's
 * where it finds none of its own, that one of a lost context does what it does without any, and
 * GLES 2 pays nothing. */
extern _Thread_local struct ggl_context *ggl_current_context
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
extern _Thread_local struct ggl_context *ggl1_current_context
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
extern _Thread_local struct ggl_context *ggl_lost_context
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* A function of GL found none of its contexts: an error where that is so because it is lost. */
void ggl_called_lost(void) __attribute__((cold));

/* For functions of GL that do nothing without a context. */
static inline struct ggl_context *ggl_current(void)
{
    struct ggl_context *c = ggl_current_context;
    if (SL_UNLIKELY(c == NULL)) {
        ggl_called_lost();
    }
    return c;
}

static inline struct ggl_context *ggl1_current(void)
{
    struct ggl_context *c = ggl1_current_context;
    if (SL_UNLIKELY(c == NULL)) {
        ggl_called_lost();
    }
    return c;
}

/* Of whatever version. */
static inline struct ggl_context *ggl_any(void)
{
    struct ggl_context *c = ggl_current_context;
    return SL_LIKELY(c != NULL) ? c : ggl1_current();
}

/* A context that is not current anywhere; the host's context was made by the caller. ERR_NOMEM. */
enum sl_result ggl_context_create(const struct ggl_context_args *args,
                                  struct ggl_context **out) SL_MUST_USE;
/* Takes NULL. Not while it is current on another thread; when it is current on this one, it is
 * unbound first. */
void ggl_context_destroy(struct ggl_context *context);

/* Make `context` (NULL: none) current on this thread. stream: the thread's stream, borrowed while
 * current; the host was told before. Sends nothing. */
void ggl_make_current(struct ggl_context *context, struct gs_stream *stream);

/* The host has done what came by the context's stream, which may go. Context of this thread. */
void ggl_order_leave(struct ggl_context *context);

/* Framebuffer 0 now has this size in pixels; 0 by 0: there is no surface, and the framebuffer is
 * undefined whatever the host has. */
void ggl_surface_size(struct ggl_context *context, uint32_t width_px, uint32_t height_px);

/* Waits until the host has executed everything of the context's stream. Context of this thread. */
void ggl_finish(struct ggl_context *context);

/* What the context drew on colour buffers is where others see it when this returns. Before the
 * program is told, or tells others, that it is done. Context of this thread. */
void ggl_store_drawn(struct ggl_context *context);
/* What the group's texture (or renderbuffer, by its target) was exported as, a reference; NULL: it
 * was not, or has another storage by now. Any thread, as the next. */
struct ggl_export *ggl_export_find(struct ggl_context *context, uint32_t target, uint32_t name);
/* It was just now: what is drawn on it goes to that memory from now on. False: no memory. */
bool ggl_export_begins(struct ggl_context *context, uint32_t target, uint32_t name,
                       struct ggl_export *e);
/* Nothing was drawn since ggl_store_drawn. Context of this thread. */
void ggl_store_kept(struct ggl_context *context);

/* The application waited until the host had executed what it asked for. Context of this thread. */
void ggl_waited(struct ggl_context *context);

/* A frame ends: the application's debug function, if it gave one, is called with what the driver
 * said. Context of this thread. */
void ggl_frame_end(struct ggl_context *context);

/* True when the host is gone: EGL reports EGL_CONTEXT_LOST. */
bool ggl_context_lost(const struct ggl_context *context);
/* It is, and the program shall see it: from here on the context's functions do nothing but to raise
 * GL_CONTEXT_LOST, and who polls is told that it is over. Context of this thread; again: nothing.
 */
void ggl_lose(struct ggl_context *context);

/* The thread's stream as the context has it; NULL when it is not current. The stream is the
 * struct's first member (ggl_state.h asserts it), so that generated entry points need not know the
 * rest. */
static inline struct gs_stream *ggl_context_stream(const struct ggl_context *context)
{
    return *(struct gs_stream *const *)(const void *)context;
}

/* Record an error unless one is pending: the first one wins until glGetError. */
void ggl_error(struct ggl_context *context, uint32_t error);
/* What stands where the current context, whatever its version, has no function: GL's error for
 * that. Without a context: nothing. Returns 0, for functions of any type. */
uint64_t ggl_absent(void);
/* Where the current context puts the few values of a query whose place for them is NULL: nobody
 * reads them, and the query's own error is the application's. NULL without a context. */
void *ggl_nowhere(void);

/* A query, and whether our own host refused it, in one round trip: error queries travel before it
 * (for errors of earlier calls) and behind it (for its own), and both errors are the application's.
 * begin and end pack these, the query itself goes in between; the replies are read in their order:
 * earlier, the query's own, answered (false: refused). Other hosts are sent nothing more, and have
 * always answered. Thread: the context's. */
struct ggl_question {
    bool watched;
    bool earlier; /* an error query went before */
};
struct ggl_question ggl_question_begin(struct ggl_context *context);
void ggl_question_end(struct ggl_context *context, const struct ggl_question *question);
void ggl_question_earlier(struct ggl_context *context, const struct ggl_question *question);
bool ggl_question_answered(struct ggl_context *context, const struct ggl_question *question);

#endif
