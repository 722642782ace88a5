/* EGL as the host needs it, without a driver: every object is a new number, everything succeeds. */
#include "check/fake_gl.h"
#include "tests/support/fed_gles.h"
#include "transport/base/mem.h"

static _Thread_local uintptr_t last_object = 0x1000;
static _Thread_local EGLContext current;

static void *object(void)
{
    return (void *)(last_object += 0x10); /* NOLINT: a handle, never followed */
}

static EGLBoolean fake_BindAPI(EGLenum api)
{
    return api == EGL_OPENGL_ES_API;
}

static EGLBoolean fake_ChooseConfig(EGLDisplay display, const EGLint *attribs, EGLConfig *configs,
                                    EGLint size, EGLint *count)
{
    (void)display, (void)attribs;
    if (configs != NULL && size > 0) {
        configs[0] = (EGLConfig)(uintptr_t)1;
    }
    *count = 1;
    return EGL_TRUE;
}

static EGLContext fake_CreateContext(EGLDisplay display, EGLConfig config, EGLContext share,
                                     const EGLint *attribs)
{
    (void)display, (void)config, (void)share, (void)attribs;
    return object();
}

static EGLSurface fake_CreatePbufferSurface(EGLDisplay display, EGLConfig config,
                                            const EGLint *attribs)
{
    (void)display, (void)config, (void)attribs;
    return object();
}

static EGLBoolean fake_DestroyContext(EGLDisplay display, EGLContext context)
{
    (void)display, (void)context;
    return EGL_TRUE;
}

static EGLBoolean fake_DestroySurface(EGLDisplay display, EGLSurface surface)
{
    (void)display, (void)surface;
    return EGL_TRUE;
}

static EGLBoolean fake_GetConfigAttrib(EGLDisplay display, EGLConfig config, EGLint name,
                                       EGLint *value)
{
    (void)display, (void)config, (void)name;
    *value = 8;
    return EGL_TRUE;
}

static EGLBoolean fake_GetConfigs(EGLDisplay display, EGLConfig *configs, EGLint size,
                                  EGLint *count)
{
    return fake_ChooseConfig(display, NULL, configs, size, count);
}

static EGLDisplay fake_GetDisplay(EGLNativeDisplayType native)
{
    (void)native;
    return (EGLDisplay)(uintptr_t)1;
}

static EGLint fake_GetError(void)
{
    return EGL_SUCCESS;
}

static __eglMustCastToProperFunctionPointerType fake_GetProcAddress(const char *name)
{
    (void)name;
    return NULL;
}

static EGLBoolean fake_Initialize(EGLDisplay display, EGLint *major, EGLint *minor)
{
    (void)display;
    *major = 1;
    *minor = 5;
    return EGL_TRUE;
}

static EGLBoolean fake_MakeCurrent(EGLDisplay display, EGLSurface draw, EGLSurface read,
                                   EGLContext context)
{
    (void)display, (void)draw, (void)read;
    current = context;
    return EGL_TRUE;
}

static EGLContext fake_GetCurrentContext(void)
{
    return current;
}

static EGLSurface fake_GetCurrentSurface(EGLint which)
{
    (void)which;
    return EGL_NO_SURFACE;
}

static const char *fake_QueryString(EGLDisplay display, EGLint name)
{
    (void)display, (void)name;
    return "fake";
}

static EGLBoolean fake_ReleaseThread(void)
{
    current = EGL_NO_CONTEXT;
    return EGL_TRUE;
}

static EGLBoolean fake_Terminate(EGLDisplay display)
{
    (void)display;
    return EGL_TRUE;
}

static EGLImageKHR fake_CreateImageKHR(EGLDisplay display, EGLContext context, EGLenum target,
                                       EGLClientBuffer buffer, const EGLint *attribs)
{
    (void)display, (void)context, (void)target, (void)buffer, (void)attribs;
    return object();
}

static EGLBoolean fake_DestroyImageKHR(EGLDisplay display, EGLImageKHR image)
{
    (void)display, (void)image;
    return EGL_TRUE;
}

static EGLSyncKHR fake_CreateSyncKHR(EGLDisplay display, EGLenum type, const EGLint *attribs)
{
    (void)display, (void)type, (void)attribs;
    return object();
}

static EGLBoolean fake_DestroySyncKHR(EGLDisplay display, EGLSyncKHR sync)
{
    (void)display, (void)sync;
    return EGL_TRUE;
}

static EGLint fake_ClientWaitSyncKHR(EGLDisplay display, EGLSyncKHR sync, EGLint flags,
                                     EGLTimeKHR timeout)
{
    (void)display, (void)sync, (void)flags, (void)timeout;
    return EGL_CONDITION_SATISFIED_KHR;
}

static EGLBoolean fake_GetSyncAttribKHR(EGLDisplay display, EGLSyncKHR sync, EGLint name,
                                        EGLint *value)
{
    (void)display, (void)sync, (void)name;
    *value = EGL_SIGNALED_KHR;
    return EGL_TRUE;
}

static EGLint fake_WaitSyncKHR(EGLDisplay display, EGLSyncKHR sync, EGLint flags)
{
    (void)display, (void)sync, (void)flags;
    return EGL_TRUE;
}

#define FAKE(name, upper) .name = fake_##name,
static const struct hs_egl fake_egl = {HS_EGL_CORE(FAKE).CreateImageKHR = fake_CreateImageKHR,
                                       .DestroyImageKHR = fake_DestroyImageKHR,
                                       .CreateSyncKHR = fake_CreateSyncKHR,
                                       .DestroySyncKHR = fake_DestroySyncKHR,
                                       .ClientWaitSyncKHR = fake_ClientWaitSyncKHR,
                                       .GetSyncAttribKHR = fake_GetSyncAttribKHR,
                                       .WaitSyncKHR = fake_WaitSyncKHR};

void fake_egl_fill(struct hgl_driver *d)
{
    *d = (struct hgl_driver){.description = "fake"};
    fake_gl_driver(&d->gl);
    fake_gl_driver(&d->gl1);
    d->guest_gl = d->gl;
    d->guest_gl1 = d->gl1;
    d->configs = sl_alloc(sizeof *d->configs);
    if (d->configs != NULL) {
        *d->configs = (struct hs_config){.config = (EGLConfig)(uintptr_t)1};
    }
    d->native = (struct hs_native){.egl = fake_egl,
                                   .display = (EGLDisplay)(uintptr_t)1,
                                   .egl_major = 1,
                                   .egl_minor = 5,
                                   .gl = &d->gl,
                                   .gl1 = &d->gl1,
                                   .configs = d->configs,
                                   .config_count = d->configs != NULL ? 1 : 0,
                                   .fixed_count = d->configs != NULL ? 1 : 0,
                                   .helper_config = (EGLConfig)(uintptr_t)1,
                                   .gles_version = 31,
                                   .surfaceless_context = true,
                                   .no_config_context = true,
                                   .fence_sync = true,
                                   .wait_sync = true,
                                   .image = true,
                                   .robust = true,
                                   .gles1 = true,
                                   .read_bgra = true};
}
