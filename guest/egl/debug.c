#include "guest/egl/debug.h"

#include "guest/egl/api.h"
#include "transport/base/atomic.h"

/* In bits of enabled. */
#define BIT_OF(type) (1u << ((uint32_t)(type)-EGL_DEBUG_MSG_CRITICAL_KHR))
#define USUAL        (BIT_OF(EGL_DEBUG_MSG_CRITICAL_KHR) | BIT_OF(EGL_DEBUG_MSG_ERROR_KHR))

/* Process-wide, as the extension has it. */
static struct {
    pthread_mutex_t lock; /* guards what follows */
    EGLDEBUGPROCKHR callback;
    uint32_t enabled; /* BIT_OF */
    uint32_t on;      /* atomic: there is a callback */
} listener = {.lock = PTHREAD_MUTEX_INITIALIZER, .enabled = USUAL};

static _Thread_local struct {
    const char *name;
    enum gegl_label of;
    EGLDisplay display;
    const void *object;
} call;

bool gegl_debug_on(void)
{
    return sl_atomic_load_relaxed(&listener.on) !=
           0; /* pairs with control's store; the lock orders the rest */
}

void gegl_debug_enter(const char *name, enum gegl_label of, EGLDisplay display, const void *object)
{
    call.name = name;
    call.of = of;
    call.display = display;
    call.object = object;
}

/* --- labels --- */

static enum gegl_kind kind_of(enum gegl_label of)
{
    static const enum gegl_kind kinds[] = {[GEGL_LABEL_CONTEXT] = GEGL_CONTEXT,
                                           [GEGL_LABEL_SURFACE] = GEGL_SURFACE,
                                           [GEGL_LABEL_SYNC] = GEGL_SYNC,
                                           [GEGL_LABEL_IMAGE] = GEGL_IMAGE};
    return kinds[of];
}

static bool label_of_type(EGLenum type, enum gegl_label *of)
{
    static const struct {
        EGLenum type;
        enum gegl_label of;
    } rows[] = {
        {EGL_OBJECT_DISPLAY_KHR, GEGL_LABEL_DISPLAY}, {EGL_OBJECT_CONTEXT_KHR, GEGL_LABEL_CONTEXT},
        {EGL_OBJECT_SURFACE_KHR, GEGL_LABEL_SURFACE}, {EGL_OBJECT_SYNC_KHR, GEGL_LABEL_SYNC},
        {EGL_OBJECT_IMAGE_KHR, GEGL_LABEL_IMAGE},     {EGL_OBJECT_THREAD_KHR, GEGL_LABEL_THREAD}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].type == type) {
            *of = rows[i].of;
            return true;
        }
    }
    return false;
}

/* The label of an object of the display; set: it is `label` from now on. False: there is no such
 * object. */
static bool label_at(struct gegl_display *display, enum gegl_label of, const void *handle, bool set,
                     EGLLabelKHR *label)
{
    struct gegl_object *object = of != GEGL_LABEL_DISPLAY && gegl_display_ready(display)
                                     ? gegl_object_find(display, kind_of(of), handle)
                                     : NULL;
    if (of != GEGL_LABEL_DISPLAY && object == NULL) {
        return false;
    }
    pthread_mutex_lock(&display->lock);
    EGLLabelKHR *place = object != NULL ? &object->label : &display->label;
    *(set ? place : label) = *(set ? label : place);
    pthread_mutex_unlock(&display->lock);
    if (object != NULL) {
        gegl_object_unref(object);
    }
    return true;
}

EGLint gegl_LabelObjectKHR(EGLDisplay handle, EGLenum type, EGLObjectKHR object, EGLLabelKHR label)
{
    struct gegl_display *display = gegl_display_find(handle);
    struct gegl_thread *thread = gegl_thread();
    enum gegl_label of;
    EGLint error = EGL_SUCCESS;
    if (!label_of_type(type, &of)) {
        error = display != NULL ? EGL_BAD_PARAMETER : EGL_BAD_DISPLAY;
    } else if (of == GEGL_LABEL_THREAD) {
        error = thread != NULL ? EGL_SUCCESS : EGL_BAD_ALLOC;
        if (thread != NULL) {
            thread->label = label;
        }
    } else if (display == NULL) {
        error = EGL_BAD_DISPLAY;
    } else if ((of == GEGL_LABEL_DISPLAY && object != handle) ||
               !label_at(display, of, object, true, &label)) {
        error = EGL_BAD_PARAMETER;
    }
    gegl_fail(error);
    return error;
}

/* --- messages --- */

static const char *words_of(EGLint error)
{
    static const char *const words[] = {
        "no display was initialised",
        "something cannot be reached from this thread",
        "there is no memory, or no room",
        "an attribute or its value is not known",
        "there is no such configuration",
        "there is no such context",
        "the current surface is not valid any more",
        "there is no such display",
        "arguments do not go together",
        "there is no such native pixmap",
        "there is no such native window",
        "an argument is wrong",
        "there is no such surface",
        "the context is lost",
    };
    uint32_t i = (uint32_t)error - EGL_NOT_INITIALIZED;
    return error == EGL_BAD_DEVICE_EXT          ? "there is no such device"
           : i < sizeof words / sizeof words[0] ? words[i]
                                                : NULL;
}

/* Of what is current even if the program cannot name it any more. */
static EGLLabelKHR label_of_current(const struct gegl_object *object)
{
    EGLLabelKHR label = NULL;
    if (object != NULL) {
        pthread_mutex_lock(&object->display->lock);
        label = object->label;
        pthread_mutex_unlock(&object->display->lock);
    }
    return label;
}

/* thread: nullable. */
static EGLLabelKHR label_of_call(const struct gegl_thread *thread)
{
    struct gegl_display *display = gegl_display_find(call.display);
    EGLLabelKHR label = NULL;
    switch (call.of) {
    case GEGL_LABEL_NONE:
        return NULL;
    case GEGL_LABEL_THREAD:
        return thread != NULL ? thread->label : NULL;
    case GEGL_LABEL_CURRENT:
        return thread != NULL && thread->context != NULL ? label_of_current(&thread->context->base)
                                                         : NULL;
    case GEGL_LABEL_DRAWN:
        return thread != NULL && thread->draw != NULL ? label_of_current(&thread->draw->base)
                                                      : NULL;
    default:
        if (display != NULL) {
            (void)label_at(display, call.of, call.object, false, &label);
        }
        return label;
    }
}

void gegl_debug_report(EGLint error)
{
    const struct gegl_thread *thread = gegl_thread_peek();
    EGLint type = error == EGL_BAD_ALLOC ? EGL_DEBUG_MSG_CRITICAL_KHR : EGL_DEBUG_MSG_ERROR_KHR;
    pthread_mutex_lock(&listener.lock);
    EGLDEBUGPROCKHR callback = (listener.enabled & BIT_OF(type)) != 0 ? listener.callback : NULL;
    pthread_mutex_unlock(&listener.lock);
    if (callback == NULL) {
        return;
    }
    callback((EGLenum)error, call.name, type, thread != NULL ? thread->label : NULL,
             label_of_call(thread), words_of(error));
}

/* The bits that a list leaves enabled. False: it has a wrong attribute. */
static bool list_read(const EGLAttrib *attribs, uint32_t *enabled)
{
    for (; attribs != NULL && attribs[0] != EGL_NONE; attribs += 2) {
        if (attribs[0] < EGL_DEBUG_MSG_CRITICAL_KHR || attribs[0] > EGL_DEBUG_MSG_INFO_KHR) {
            return false;
        }
        uint32_t bit = BIT_OF(attribs[0]);
        *enabled = attribs[1] != 0 ? *enabled | bit : *enabled & ~bit;
    }
    return true;
}

EGLint gegl_DebugMessageControlKHR(EGLDEBUGPROCKHR callback, const EGLAttrib *attribs)
{
    pthread_mutex_lock(&listener.lock);
    uint32_t enabled = listener.enabled;
    bool read = list_read(attribs, &enabled);
    if (read) {
        listener.callback = callback;
        listener.enabled = callback != NULL ? enabled : USUAL;
        sl_atomic_store_relaxed(&listener.on,
                                callback != NULL); /* pairs with gegl_debug_on's load */
    }
    pthread_mutex_unlock(&listener.lock);
    return read ? EGL_SUCCESS : EGL_BAD_ATTRIBUTE;
}
