/* What a program sees of EGL, through glvnd: the same expectations hold for a native driver and for
 * Sluice.
 *
 * Run as it is (native), or by `sluice run --`. */
#include "tests/integration/egl_program.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

EGLConfig rig_config(EGLDisplay display, EGLint type, EGLint red)
{
    const EGLint want[] = {EGL_SURFACE_TYPE,
                           type,
                           EGL_RENDERABLE_TYPE,
                           EGL_OPENGL_ES2_BIT,
                           EGL_RED_SIZE,
                           red,
                           EGL_GREEN_SIZE,
                           red,
                           EGL_BLUE_SIZE,
                           red,
                           EGL_NONE};
    EGLConfig configs[256] = {NULL};
    EGLint count = 0;
    SLT_EXPECT_TRUE(eglChooseConfig(display, want, configs, 256, &count));
    for (EGLint i = 0; i < count; i++) {
        EGLint have = 0;
        eglGetConfigAttrib(display, configs[i], EGL_RED_SIZE, &have);
        if (have == red) {
            return configs[i];
        }
    }
    return NULL;
}

static EGLSurface pbuffer(const struct rig *rig, EGLint width, EGLint height)
{
    const EGLint size[] = {EGL_WIDTH, width, EGL_HEIGHT, height, EGL_NONE};
    return eglCreatePbufferSurface(rig->display, rig->config, size);
}

static void surfaceless_init(struct rig *rig)
{
    rig->display = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, NULL, NULL);
    SLT_ASSERT_TRUE(rig->display != EGL_NO_DISPLAY);
    EGLint major, minor;
    SLT_ASSERT_TRUE(eglInitialize(rig->display, &major, &minor));
    SLT_ASSERT_EQ(1, major);
    SLT_ASSERT_EQ(5, minor);
    eglBindAPI(EGL_OPENGL_ES_API);
    rig->config = rig_config(rig->display, EGL_PBUFFER_BIT, 8);
    SLT_ASSERT_TRUE(rig->config != NULL);
    rig->context = eglCreateContext(rig->display, rig->config, EGL_NO_CONTEXT, rig_es2);
    SLT_ASSERT_TRUE(rig->context != EGL_NO_CONTEXT);
    rig->surface = pbuffer(rig, 64, 32);
    SLT_ASSERT_TRUE(rig->surface != EGL_NO_SURFACE);
}

void rig_finish(struct rig *rig)
{
    if (rig->display != EGL_NO_DISPLAY) {
        eglMakeCurrent(rig->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
        eglTerminate(rig->display);
        eglReleaseThread();
    }
    if (rig->x != NULL) {
        XCloseDisplay(rig->x);
    }
}

bool rig_current(const struct rig *rig)
{
    return eglMakeCurrent(rig->display, rig->surface, rig->surface, rig->context);
}

static uint32_t pixel(int x, int y)
{
    uint8_t p[4] = {0};
    glReadPixels(x, y, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, p);
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

void rig_clear(float red, float green, float blue)
{
    glClearColor(red, green, blue, 1.0f);
    glClear(GL_COLOR_BUFFER_BIT);
}

SLT_FIXTURE(egl_pbuffer, struct rig, surfaceless_init, rig_finish);

SLT_TEST_F(egl_pbuffer, shows_what_was_drawn, rig)
{
    SLT_ASSERT_TRUE(rig_current(rig));
    GLint viewport[4];
    glGetIntegerv(GL_VIEWPORT, viewport);
    SLT_EXPECT_EQ(64, viewport[2]);
    SLT_EXPECT_EQ(32, viewport[3]);
    rig_clear(1, 0, 0);
    SLT_EXPECT_EQ(0xff0000u, pixel(63, 31));
    SLT_EXPECT_TRUE(eglSwapBuffers(rig->display, rig->surface));
    SLT_EXPECT_EQ(EGL_SUCCESS, eglGetError());
    SLT_EXPECT_TRUE(eglGetCurrentContext() == rig->context);
    SLT_EXPECT_TRUE(eglGetCurrentSurface(EGL_READ) == rig->surface);
}

/* Who redraws only what changed asks how old the picture is that it draws over. */
SLT_TEST_F(egl_pbuffer, keeps_its_picture_over_a_swap, rig)
{
    bool tells = strstr(eglQueryString(rig->display, EGL_EXTENSIONS), "EGL_EXT_buffer_age") != NULL;
    EGLint age = -1;
    SLT_ASSERT_TRUE(rig_current(rig));
    if (tells) {
        SLT_EXPECT_TRUE(eglQuerySurface(rig->display, rig->surface, EGL_BUFFER_AGE_EXT, &age));
        SLT_EXPECT_EQ(0, age);
    }
    rig_clear(1, 0, 0);
    SLT_EXPECT_TRUE(eglSwapBuffers(rig->display, rig->surface));
    if (tells) {
        SLT_EXPECT_TRUE(eglQuerySurface(rig->display, rig->surface, EGL_BUFFER_AGE_EXT, &age));
        SLT_EXPECT_EQ(1, age);
    }
    SLT_EXPECT_EQ(0xff0000u, pixel(1, 1));
}

SLT_TEST_F(egl_pbuffer, answers_its_attributes, rig)
{
    EGLint value = -7;
    SLT_EXPECT_TRUE(eglQuerySurface(rig->display, rig->surface, EGL_WIDTH, &value));
    SLT_EXPECT_EQ(64, value);
    SLT_EXPECT_TRUE(eglQuerySurface(rig->display, rig->surface, EGL_HEIGHT, &value));
    SLT_EXPECT_EQ(32, value);
    SLT_EXPECT_TRUE(eglQuerySurface(rig->display, rig->surface, EGL_TEXTURE_TARGET, &value));
    SLT_EXPECT_EQ(EGL_NO_TEXTURE, value);
    SLT_EXPECT_TRUE(!eglQuerySurface(rig->display, rig->surface, EGL_RED_SIZE, &value));
    SLT_EXPECT_EQ(EGL_BAD_ATTRIBUTE, eglGetError());
    SLT_EXPECT_TRUE(!eglQuerySurface(rig->display, (EGLSurface)rig, EGL_WIDTH, &value));
    SLT_EXPECT_EQ(EGL_BAD_SURFACE, eglGetError());
    SLT_EXPECT_TRUE(eglQueryContext(rig->display, rig->context, EGL_CONTEXT_CLIENT_TYPE, &value));
    SLT_EXPECT_EQ(EGL_OPENGL_ES_API, value);
}

SLT_TEST_F(egl_pbuffer, contexts_share_a_texture, rig)
{
    SLT_ASSERT_TRUE(rig_current(rig));
    GLuint texture;
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glFinish();
    EGLContext second = eglCreateContext(rig->display, rig->config, rig->context, rig_es2);
    SLT_ASSERT_TRUE(second != EGL_NO_CONTEXT);
    SLT_ASSERT_TRUE(eglMakeCurrent(rig->display, rig->surface, rig->surface, second));
    SLT_EXPECT_TRUE(glIsTexture(texture));
    EGLContext alone = eglCreateContext(rig->display, rig->config, EGL_NO_CONTEXT, rig_es2);
    SLT_ASSERT_TRUE(eglMakeCurrent(rig->display, rig->surface, rig->surface, alone));
    SLT_EXPECT_TRUE(!glIsTexture(texture));
}

SLT_TEST_F(egl_pbuffer, contexts_live_while_current, rig)
{
    SLT_ASSERT_TRUE(rig_current(rig));
    SLT_EXPECT_TRUE(eglDestroyContext(rig->display, rig->context));
    SLT_EXPECT_TRUE(eglDestroySurface(rig->display, rig->surface));
    rig_clear(0, 1, 0);
    SLT_EXPECT_EQ(0x00ff00u, pixel(1, 1));
    SLT_EXPECT_TRUE(eglMakeCurrent(rig->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT));
    SLT_EXPECT_TRUE(!rig_current(rig));
    EGLint error = eglGetError();
    SLT_EXPECT_TRUE(error == EGL_BAD_CONTEXT || error == EGL_BAD_SURFACE);
}

SLT_TEST_F(egl_pbuffer, surfaceless_context_draws_into_framebuffers, rig)
{
    SLT_ASSERT_TRUE(eglMakeCurrent(rig->display, EGL_NO_SURFACE, EGL_NO_SURFACE, rig->context));
    SLT_EXPECT_TRUE(eglGetCurrentSurface(EGL_DRAW) == EGL_NO_SURFACE);
    GLuint texture, framebuffer;
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 16, 16, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, texture, 0);
    SLT_EXPECT_EQ((GLenum)GL_FRAMEBUFFER_COMPLETE, glCheckFramebufferStatus(GL_FRAMEBUFFER));
    rig_clear(0, 0, 1);
    SLT_EXPECT_EQ(0x0000ffu, pixel(15, 15));
}

SLT_TEST_F(egl_pbuffer, a_context_without_config_goes_with_every_surface, rig)
{
    EGLContext context = eglCreateContext(rig->display, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT, rig_es2);
    SLT_ASSERT_TRUE(context != EGL_NO_CONTEXT);
    EGLConfig configs[256];
    EGLint count = 0, tried = 0;
    const EGLint want[] = {EGL_SURFACE_TYPE, EGL_PBUFFER_BIT, EGL_RENDERABLE_TYPE,
                           EGL_OPENGL_ES2_BIT, EGL_NONE};
    SLT_ASSERT_TRUE(eglChooseConfig(rig->display, want, configs, 256, &count));
    const EGLint size[] = {EGL_WIDTH, 8, EGL_HEIGHT, 8, EGL_NONE};
    for (EGLint i = 0; i < count; i += 7) {
        EGLint id = 0;
        eglGetConfigAttrib(rig->display, configs[i], EGL_CONFIG_ID, &id);
        SLT_SCOPE("config %d", id);
        EGLSurface surface = eglCreatePbufferSurface(rig->display, configs[i], size);
        SLT_ASSERT_TRUE(surface != EGL_NO_SURFACE);
        SLT_ASSERT_TRUE(eglMakeCurrent(rig->display, surface, surface, context));
        rig_clear(1, 0, 0);
        SLT_EXPECT_EQ(0xffu, pixel(7, 7) >> 16);
        SLT_EXPECT_TRUE(eglDestroySurface(rig->display, surface));
        tried++;
    }
    SLT_EXPECT_TRUE(tried > 0);
}

SLT_TEST_F(egl_pbuffer, mismatches_are_refused, rig)
{
    SLT_EXPECT_TRUE(!eglMakeCurrent(rig->display, rig->surface, EGL_NO_SURFACE, rig->context));
    SLT_EXPECT_EQ(EGL_BAD_MATCH, eglGetError());
    SLT_EXPECT_TRUE(!eglMakeCurrent(rig->display, rig->surface, rig->surface, EGL_NO_CONTEXT));
    SLT_EXPECT_EQ(EGL_BAD_MATCH, eglGetError());
    SLT_EXPECT_TRUE(!eglMakeCurrent(rig->display, rig->surface, rig->surface, (EGLContext)rig));
    SLT_EXPECT_EQ(EGL_BAD_CONTEXT, eglGetError());
    SLT_EXPECT_TRUE(!eglSwapBuffers(rig->display, (EGLSurface)rig));
    SLT_EXPECT_EQ(EGL_BAD_SURFACE, eglGetError());
    const EGLint v9[] = {EGL_CONTEXT_CLIENT_VERSION, 9, EGL_NONE},
                 odd[] = {EGL_RED_SIZE, 2, EGL_NONE};
    SLT_EXPECT_TRUE(eglCreateContext(rig->display, rig->config, EGL_NO_CONTEXT, v9) ==
                    EGL_NO_CONTEXT);
    SLT_EXPECT_TRUE(eglGetError() != EGL_SUCCESS);
    SLT_EXPECT_TRUE(eglCreateContext(rig->display, rig->config, EGL_NO_CONTEXT, odd) ==
                    EGL_NO_CONTEXT);
    SLT_EXPECT_EQ(EGL_BAD_ATTRIBUTE, eglGetError());
    SLT_EXPECT_TRUE(eglCreateContext(rig->display, rig->config, (EGLContext)rig, rig_es2) ==
                    EGL_NO_CONTEXT);
    SLT_EXPECT_EQ(EGL_BAD_CONTEXT, eglGetError());
}

/* --- threads --- */

struct visit {
    struct rig *rig;
    bool bound;
    EGLint error;
    uint32_t pixel;
    pthread_barrier_t *barrier;
};

static void *visit_take(void *user)
{
    struct visit *v = user;
    v->bound = eglMakeCurrent(v->rig->display, v->rig->surface, v->rig->surface, v->rig->context);
    v->error = eglGetError();
    if (v->bound) {
        v->pixel = pixel(2, 2);
        rig_clear(0, 0, 1);
        glFlush();
        eglMakeCurrent(v->rig->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    }
    return NULL; /* without eglReleaseThread: the thread's end does it */
}

SLT_TEST_F(egl_pbuffer, a_context_is_current_on_one_thread, rig)
{
    SLT_ASSERT_TRUE(rig_current(rig));
    struct visit v = {.rig = rig};
    pthread_t thread;
    SLT_ASSERT_EQ(0, pthread_create(&thread, NULL, visit_take, &v));
    pthread_join(thread, NULL);
    SLT_EXPECT_TRUE(!v.bound);
    SLT_EXPECT_EQ(EGL_BAD_ACCESS, v.error);
}

SLT_TEST_F(egl_pbuffer, a_context_moves_between_threads, rig)
{
    for (int i = 0; i < 50; i++) {
        SLT_ASSERT_TRUE(rig_current(rig));
        rig_clear(1, 0, 1);
        SLT_ASSERT_TRUE(
            eglMakeCurrent(rig->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT));
        struct visit v = {.rig = rig};
        pthread_t thread;
        SLT_ASSERT_EQ(0, pthread_create(&thread, NULL, visit_take, &v));
        pthread_join(thread, NULL);
        SLT_ASSERT_TRUE(v.bound);
        SLT_ASSERT_EQ(0xff00ffu, v.pixel);
        SLT_ASSERT_TRUE(rig_current(rig));
        SLT_ASSERT_EQ(0x0000ffu, pixel(3, 3));
    }
}

static void *own_context(void *user)
{
    struct visit *v = user;
    EGLContext context = eglCreateContext(v->rig->display, v->rig->config, EGL_NO_CONTEXT, rig_es2);
    EGLSurface surface = pbuffer(v->rig, 40, 40);
    v->bound = eglMakeCurrent(v->rig->display, surface, surface, context);
    v->error = eglGetError();
    for (int i = 0; v->bound && i < 200; i++) {
        pthread_barrier_wait(v->barrier);
        rig_clear((float)(v->pixel >> 16) / 255, 0, 0);
        v->bound = pixel(20, 20) == v->pixel;
    }
    eglMakeCurrent(v->rig->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglDestroySurface(v->rig->display, surface);
    eglDestroyContext(v->rig->display, context);
    eglReleaseThread();
    return NULL;
}

SLT_TEST_F(egl_pbuffer, threads_draw_at_the_same_time, rig)
{
    enum { THREADS = 4 };
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, THREADS);
    struct visit v[THREADS];
    pthread_t threads[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        v[i] = (struct visit){.rig = rig, .pixel = (40 * i + 15) << 16, .barrier = &barrier};
        SLT_ASSERT_EQ(0, pthread_create(&threads[i], NULL, own_context, &v[i]));
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        SLT_EXPECT_TRUE(v[i].bound);
    }
    pthread_barrier_destroy(&barrier);
}

/* --- syncs and images --- */

SLT_TEST_F(egl_pbuffer, fences_are_signalled, rig)
{
    SLT_ASSERT_TRUE(rig_current(rig));
    rig_clear(1, 1, 0);
    EGLSync sync = eglCreateSync(rig->display, EGL_SYNC_FENCE, NULL);
    SLT_ASSERT_TRUE(sync != EGL_NO_SYNC);
    SLT_EXPECT_EQ(EGL_CONDITION_SATISFIED,
                  eglClientWaitSync(rig->display, sync, EGL_SYNC_FLUSH_COMMANDS_BIT, EGL_FOREVER));
    EGLAttrib value = 0;
    SLT_EXPECT_TRUE(eglGetSyncAttrib(rig->display, sync, EGL_SYNC_STATUS, &value));
    SLT_EXPECT_EQ(EGL_SIGNALED, (EGLint)value);
    SLT_EXPECT_TRUE(eglGetSyncAttrib(rig->display, sync, EGL_SYNC_TYPE, &value));
    SLT_EXPECT_EQ(EGL_SYNC_FENCE, (EGLint)value);
    SLT_EXPECT_TRUE(eglWaitSync(rig->display, sync, 0));
    SLT_EXPECT_TRUE(eglDestroySync(rig->display, sync));
    SLT_EXPECT_TRUE(!eglDestroySync(rig->display, sync));
    SLT_EXPECT_EQ(EGL_BAD_PARAMETER, eglGetError());
    PFNEGLCREATESYNCKHRPROC create = (PFNEGLCREATESYNCKHRPROC)eglGetProcAddress("eglCreateSyncKHR");
    PFNEGLDESTROYSYNCKHRPROC destroy =
        (PFNEGLDESTROYSYNCKHRPROC)eglGetProcAddress("eglDestroySyncKHR");
    SLT_ASSERT_TRUE(create != NULL && destroy != NULL);
    sync = create(rig->display, EGL_SYNC_FENCE_KHR, NULL);
    SLT_EXPECT_TRUE(sync != EGL_NO_SYNC_KHR);
    SLT_EXPECT_TRUE(destroy(rig->display, sync));
}

SLT_TEST_F(egl_pbuffer, an_image_carries_a_texture_over, rig)
{
    SLT_ASSERT_TRUE(rig_current(rig));
    PFNEGLCREATEIMAGEKHRPROC create =
        (PFNEGLCREATEIMAGEKHRPROC)eglGetProcAddress("eglCreateImageKHR");
    PFNEGLDESTROYIMAGEKHRPROC destroy =
        (PFNEGLDESTROYIMAGEKHRPROC)eglGetProcAddress("eglDestroyImageKHR");
    PFNGLEGLIMAGETARGETTEXTURE2DOESPROC target =
        (PFNGLEGLIMAGETARGETTEXTURE2DOESPROC)eglGetProcAddress("glEGLImageTargetTexture2DOES");
    SLT_ASSERT_TRUE(create != NULL && destroy != NULL && target != NULL);
    uint8_t red[16 * 16 * 4];
    for (size_t i = 0; i < sizeof red; i++) {
        red[i] = i % 4 == 0 || i % 4 == 3 ? 255 : 0;
    }
    GLuint textures[2], framebuffer;
    glGenTextures(2, textures);
    glBindTexture(GL_TEXTURE_2D, textures[0]);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 16, 16, 0, GL_RGBA, GL_UNSIGNED_BYTE, red);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    EGLImageKHR image = create(rig->display, rig->context, EGL_GL_TEXTURE_2D_KHR,
                               (EGLClientBuffer)(uintptr_t)textures[0], NULL);
    SLT_ASSERT_TRUE(image != EGL_NO_IMAGE_KHR);
    EGLContext other = eglCreateContext(rig->display, rig->config, EGL_NO_CONTEXT, rig_es2);
    SLT_ASSERT_TRUE(eglMakeCurrent(rig->display, rig->surface, rig->surface, other));
    glGenTextures(1, &textures[1]);
    glBindTexture(GL_TEXTURE_2D, textures[1]);
    target(GL_TEXTURE_2D, image);
    glGenFramebuffers(1, &framebuffer);
    glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, textures[1], 0);
    SLT_EXPECT_EQ((GLenum)GL_FRAMEBUFFER_COMPLETE, glCheckFramebufferStatus(GL_FRAMEBUFFER));
    SLT_EXPECT_EQ(0xff0000u, pixel(8, 8));
    SLT_EXPECT_EQ((GLenum)GL_NO_ERROR, glGetError());
    SLT_EXPECT_TRUE(destroy(rig->display, image));
    SLT_EXPECT_TRUE(!destroy(rig->display, image));
    SLT_EXPECT_TRUE(create(rig->display, rig->context, EGL_GL_TEXTURE_2D_KHR,
                           (EGLClientBuffer)(uintptr_t)4711, NULL) == EGL_NO_IMAGE_KHR);
    SLT_EXPECT_EQ(EGL_BAD_PARAMETER, eglGetError());
}

SLT_TEST_F(egl_pbuffer, a_child_starts_anew, rig)
{
    SLT_ASSERT_TRUE(rig_current(rig));
    rig_clear(0, 1, 1);
    pid_t child = fork();
    if (child == 0) {
        /* Whatever a native driver would do here, ours refuses, and works again after
         * eglInitialize. */
        EGLint count, ok = 1;
        if (strcmp(eglQueryString(rig->display, EGL_VENDOR) != NULL
                       ? eglQueryString(rig->display, EGL_VENDOR)
                       : "Sluice",
                   "Sluice") == 0) {
            ok = !eglGetConfigs(rig->display, NULL, 0, &count) &&
                 eglGetError() == EGL_NOT_INITIALIZED;
            glClear(GL_COLOR_BUFFER_BIT);
            ok = ok && eglInitialize(rig->display, NULL, NULL) &&
                 eglGetConfigs(rig->display, NULL, 0, &count) && count > 0;
            ok = ok && eglTerminate(rig->display);
        }
        _exit(ok ? 0 : 1);
    }
    int status = -1;
    SLT_ASSERT_EQ(child, waitpid(child, &status, 0));
    SLT_EXPECT_EQ(0, status);
    SLT_EXPECT_EQ(0x00ffffu, pixel(5, 5));
}

SLT_TEST_F(egl_pbuffer, initialises_again_after_terminate, rig)
{
    SLT_ASSERT_TRUE(rig_current(rig));
    SLT_EXPECT_TRUE(eglMakeCurrent(rig->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT));
    SLT_EXPECT_TRUE(eglTerminate(rig->display));
    EGLint count;
    SLT_EXPECT_TRUE(!eglGetConfigs(rig->display, NULL, 0, &count));
    SLT_EXPECT_EQ(EGL_NOT_INITIALIZED, eglGetError());
    surfaceless_init(rig);
    SLT_ASSERT_TRUE(rig_current(rig));
    rig_clear(1, 1, 1);
    SLT_EXPECT_EQ(0xffffffu, pixel(0, 0));
}
