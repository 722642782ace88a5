/* main: robust_egl_sweep --scene configs|choose [device|x11|wayland] |
 * contexts|surfaces|images|syncs | windows x11|wayland. */
#include "tests/integration/robust/robust_egl_sweep.h"

#include <GLES2/gl2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- lists --- */

void sweep_add(struct sweep_list *list, EGLint key, EGLint value)
{
    list->ints[2 * list->pairs] = key;
    list->ints[2 * list->pairs + 1] = value;
    list->pairs++;
    list->ints[2 * list->pairs] = EGL_NONE;
}

void sweep_say(const char *what, const struct sweep_list *list)
{
    printf("%s", what);
    for (int i = 0; i < list->pairs; i++) {
        EGLint value = list->ints[2 * i + 1];
        printf(value > 255 ? " %x=%x" : " %x=%d", (unsigned)list->ints[2 * i], (unsigned)value);
    }
    printf(" =");
    fflush(stdout); /* a driver that dies leaves the call that it dies of */
}

void sweep_end(void)
{
    printf(" : %x\n", (unsigned)eglGetError());
}

const struct regl_list *sweep_of(const char *function)
{
    for (int i = 0; i < regl_list_count; i++) {
        if (strcmp(regl_lists[i].function, function) == 0) {
            return &regl_lists[i];
        }
    }
    fprintf(stderr, "robust_egl_sweep: %s has no list\n", function);
    exit(1);
}

static const EGLint numbers[] = {-2, -1, 0, 1, 2, 3, 4, 5, 8, 16, 24, 32, 255, 4097, INT32_MAX};

static EGLint value_at(const struct regl_list *of, uint32_t i)
{
    return i < (uint32_t)COUNT(numbers) ? numbers[i] : of->values[i - (uint32_t)COUNT(numbers)];
}

void sweep_lists(const char *function, int count,
                 void (*call)(const struct plain_egl *egl, const struct sweep_list *list),
                 const struct plain_egl *egl)
{
    const struct regl_list *of = sweep_of(function);
    uint32_t values = (uint32_t)(COUNT(numbers) + of->value_count);
    for (int k = 0; k < of->key_count; k++) {
        for (uint32_t v = 0; v < values; v++) {
            struct sweep_list list = {0};
            sweep_add(&list, of->keys[k], value_at(of, v));
            call(egl, &list);
        }
    }
    for (int k = 0; k < regl_token_count; k++) {
        struct sweep_list list = {0};
        sweep_add(&list, regl_tokens[k], 1);
        call(egl, &list);
    }
    for (int i = 0; i < count; i++) {
        struct robust r = {.seed = (uint64_t)i};
        struct sweep_list list = {.ints = {EGL_NONE}};
        for (uint32_t pairs = robust_pick(&r, SWEEP_PAIRS) + 1; pairs != 0; pairs--) {
            EGLint key = of->keys[robust_pick(&r, (uint32_t)of->key_count)];
            sweep_add(&list, key, value_at(of, robust_pick(&r, values)));
        }
        call(egl, &list);
    }
}

/* --- configurations --- */

static EGLint config_get(const struct plain_egl *egl, EGLConfig config, EGLint attribute)
{
    EGLint value = -1;
    eglGetConfigAttrib(egl->display, config, attribute, &value);
    return value;
}

/* Each attribute that there is of each configuration. */
void sweep_configs(const struct plain_egl *egl)
{
    static EGLConfig configs[1024];
    EGLint count = 0;
    eglGetConfigs(egl->display, configs, COUNT(configs), &count);
    for (EGLint i = 0; i < count; i++) {
        for (int k = 0; k < regl_token_count; k++) {
            EGLint value = -1;
            EGLBoolean done = eglGetConfigAttrib(egl->display, configs[i], regl_tokens[k], &value);
            if (done || i == 0) { /* of those that there are not one is as good as all */
                printf("configuration %d %x = %x", i, (unsigned)regl_tokens[k], (unsigned)value);
                sweep_end();
            }
            eglGetError();
        }
    }
}

static void config_say(const struct plain_egl *egl, EGLConfig config)
{
    printf(" %d:%d.%d.%d.%d/%d.%d/%d/%x", config_get(egl, config, EGL_CONFIG_ID),
           config_get(egl, config, EGL_RED_SIZE), config_get(egl, config, EGL_GREEN_SIZE),
           config_get(egl, config, EGL_BLUE_SIZE), config_get(egl, config, EGL_ALPHA_SIZE),
           config_get(egl, config, EGL_DEPTH_SIZE), config_get(egl, config, EGL_STENCIL_SIZE),
           config_get(egl, config, EGL_SAMPLES),
           (unsigned)config_get(egl, config, EGL_NATIVE_VISUAL_ID));
}

static void choose(const struct plain_egl *egl, const struct sweep_list *list)
{
    EGLConfig configs[1024];
    EGLint count = -1;
    sweep_say("choose", list);
    EGLBoolean done = eglChooseConfig(egl->display, list->ints, configs, COUNT(configs), &count);
    EGLint error = eglGetError();
    for (EGLint i = 0; done && i < count; i++) {
        config_say(egl, configs[i]);
    }
    printf(" %d of %d : %x\n", (int)done, count, (unsigned)error);
}

/* Any order that sizes can bring about, with what is no size left as it is. */
static void choose_sizes(const struct plain_egl *egl)
{
    static const EGLint keys[] = {EGL_RED_SIZE,   EGL_GREEN_SIZE,   EGL_BLUE_SIZE,   EGL_ALPHA_SIZE,
                                  EGL_DEPTH_SIZE, EGL_STENCIL_SIZE, EGL_BUFFER_SIZE, EGL_SAMPLES};
    static const EGLint sizes[] = {0, 1, 2, 4, 5, 6, 8, 10, 16, 24, EGL_DONT_CARE};
    for (int i = 0; i < 400; i++) {
        struct robust r = {.seed = 7000 + (uint64_t)i};
        struct sweep_list list = {0};
        sweep_add(&list, EGL_SURFACE_TYPE, robust_pick(&r, 2) != 0 ? EGL_PBUFFER_BIT : 0);
        for (uint32_t pairs = robust_pick(&r, SWEEP_PAIRS - 1) + 1; pairs != 0; pairs--) {
            sweep_add(&list, keys[robust_pick(&r, COUNT(keys))],
                      sizes[robust_pick(&r, COUNT(sizes))]);
        }
        choose(egl, &list);
    }
}

void sweep_choose(const struct plain_egl *egl)
{
    sweep_lists("eglChooseConfig", 1500, choose, egl);
    choose_sizes(egl);
}

/* --- contexts --- */

static void context_say(const struct plain_egl *egl, EGLContext context)
{
    static const EGLint asked[] = {EGL_CONFIG_ID,
                                   EGL_CONTEXT_CLIENT_TYPE,
                                   EGL_CONTEXT_CLIENT_VERSION,
                                   EGL_RENDER_BUFFER,
                                   EGL_CONTEXT_PRIORITY_LEVEL_IMG,
                                   EGL_CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY_EXT};
    static const GLenum state[] = {0x821e /* CONTEXT_FLAGS */, 0x90f3 /* ROBUST_ACCESS */,
                                   0x8256 /* RESET_NOTIFICATION_STRATEGY */,
                                   0x82fb /* CONTEXT_RELEASE_BEHAVIOR */};
    for (int i = 0; i < COUNT(asked); i++) {
        EGLint value = -1;
        EGLBoolean done = eglQueryContext(egl->display, context, asked[i], &value);
        printf(" %d %x", (int)done, (unsigned)value);
    }
    eglGetError();
    printf(" current %d", eglMakeCurrent(egl->display, EGL_NO_SURFACE, EGL_NO_SURFACE, context));
    const char *version = (const char *)glGetString(GL_VERSION);
    printf(" %.16s", version != NULL ? version : "none");
    for (int i = 0; i < COUNT(state); i++) {
        GLint value = -1;
        glGetIntegerv(state[i], &value);
        printf(" %x %x", (unsigned)value, (unsigned)glGetError());
    }
    eglMakeCurrent(egl->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
}

/* Whom a context shares with. */
static struct {
    const char *name;
    EGLint list[5];
    EGLContext context;
} shares[] = {
    {"context", {EGL_NONE}, EGL_NO_CONTEXT},
    {"sister of plain", {EGL_CONTEXT_MAJOR_VERSION, 3, EGL_NONE}, EGL_NO_CONTEXT},
    {"sister of GLES 1", {EGL_CONTEXT_MAJOR_VERSION, 1, EGL_NONE}, EGL_NO_CONTEXT},
    {"sister of losing",
     {EGL_CONTEXT_MAJOR_VERSION, 3, EGL_CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY,
      EGL_LOSE_CONTEXT_ON_RESET, EGL_NONE},
     EGL_NO_CONTEXT},
    {"sister of no error",
     {EGL_CONTEXT_MAJOR_VERSION, 3, EGL_CONTEXT_OPENGL_NO_ERROR_KHR, EGL_TRUE, EGL_NONE},
     EGL_NO_CONTEXT},
    {"sister of robust",
     {EGL_CONTEXT_MAJOR_VERSION, 3, EGL_CONTEXT_OPENGL_ROBUST_ACCESS, EGL_TRUE, EGL_NONE},
     EGL_NO_CONTEXT},
};
static int share;

static void context_make(const struct plain_egl *egl, const struct sweep_list *list)
{
    sweep_say(shares[share].name, list);
    EGLContext context =
        eglCreateContext(egl->display, egl->config, shares[share].context, list->ints);
    EGLint error = eglGetError();
    if (context != EGL_NO_CONTEXT) {
        context_say(egl, context);
        eglDestroyContext(egl->display, context);
    }
    printf(" : %x\n", (unsigned)error);
}

/* Values that go with an attribute of a context. */
static const struct {
    EGLint key, values[5];
} fitting[] = {
    {EGL_CONTEXT_MAJOR_VERSION, {1, 2, 3, 3, 4}},
    {EGL_CONTEXT_MINOR_VERSION, {0, 1, 2, 3, 0}},
    {EGL_CONTEXT_FLAGS_KHR, {0, 1, 2, 4, -1}},
    {EGL_CONTEXT_OPENGL_DEBUG, {0, 1, 2, 1, 0}},
    {EGL_CONTEXT_OPENGL_ROBUST_ACCESS, {0, 1, 2, 1, 0}},
    {EGL_CONTEXT_OPENGL_ROBUST_ACCESS_EXT, {0, 1, 2, 1, 0}},
    {EGL_CONTEXT_OPENGL_NO_ERROR_KHR, {0, 1, 2, 1, 0}},
    {EGL_CONTEXT_OPENGL_FORWARD_COMPATIBLE, {0, 1, 2, 0, 0}},
    {EGL_CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY,
     {EGL_NO_RESET_NOTIFICATION, EGL_LOSE_CONTEXT_ON_RESET, 0, EGL_LOSE_CONTEXT_ON_RESET,
      EGL_NO_RESET_NOTIFICATION}},
    {EGL_CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY_EXT,
     {EGL_NO_RESET_NOTIFICATION, EGL_LOSE_CONTEXT_ON_RESET, 0, EGL_LOSE_CONTEXT_ON_RESET,
      EGL_NO_RESET_NOTIFICATION}},
    {EGL_CONTEXT_PRIORITY_LEVEL_IMG,
     {EGL_CONTEXT_PRIORITY_HIGH_IMG, EGL_CONTEXT_PRIORITY_MEDIUM_IMG, EGL_CONTEXT_PRIORITY_LOW_IMG,
      EGL_CONTEXT_PRIORITY_REALTIME_NV, 0}},
    {EGL_CONTEXT_RELEASE_BEHAVIOR_KHR,
     {EGL_CONTEXT_RELEASE_BEHAVIOR_FLUSH_KHR, EGL_CONTEXT_RELEASE_BEHAVIOR_NONE_KHR, 0,
      EGL_CONTEXT_RELEASE_BEHAVIOR_FLUSH_KHR, EGL_CONTEXT_RELEASE_BEHAVIOR_NONE_KHR}},
    {EGL_CONTEXT_OPENGL_PROFILE_MASK, {0, 1, 2, 1, 0}},
};

/* Lists that may go together. */
static void contexts_make(const struct plain_egl *egl, int count)
{
    for (int i = 0; i < count; i++) {
        struct robust r = {.seed = 9000 + (uint64_t)i};
        struct sweep_list list = {.ints = {EGL_NONE}};
        for (uint32_t pairs = robust_pick(&r, SWEEP_PAIRS); pairs != 0; pairs--) {
            uint32_t k = robust_pick(&r, robust_pick(&r, 3) != 0 ? COUNT(fitting) : 2);
            sweep_add(&list, fitting[k].key, fitting[k].values[robust_pick(&r, 5)]);
        }
        context_make(egl, &list);
    }
}

void sweep_contexts(const struct plain_egl *egl)
{
    sweep_lists("eglCreateContext", 300, context_make, egl);
    contexts_make(egl, 3000);
    for (share = 1; share < COUNT(shares); share++) {
        EGLContext *with = &shares[share].context;
        *with = eglCreateContext(egl->display, egl->config, EGL_NO_CONTEXT, shares[share].list);
        contexts_make(egl, 300);
        eglDestroyContext(egl->display, *with);
    }
}

/* --- surfaces --- */

enum { DRAWN_MAX = 4096 };

static EGLContext drawer;

/* A driver may die of drawing to a larger one. */
static bool drawable(const struct plain_egl *egl, EGLSurface surface)
{
    EGLint width = 0, height = 0;
    eglQuerySurface(egl->display, surface, EGL_WIDTH, &width);
    eglQuerySurface(egl->display, surface, EGL_HEIGHT, &height);
    return width <= DRAWN_MAX && height <= DRAWN_MAX;
}

void sweep_ask(const struct plain_egl *egl, EGLSurface surface)
{
    for (int k = 0; k < regl_token_count; k++) {
        EGLint value = -7;
        if (eglQuerySurface(egl->display, surface, regl_tokens[k], &value)) {
            printf(" %x:%x", (unsigned)regl_tokens[k], (unsigned)value);
        }
    }
    eglGetError();
}

static void surface_say(const struct plain_egl *egl, EGLSurface surface)
{
    sweep_ask(egl, surface);
    if (!drawable(egl, surface)) {
        return;
    }
    EGLBoolean done = eglMakeCurrent(egl->display, surface, surface, drawer);
    printf(" current %d %x", (int)done, (unsigned)eglGetError());
    if (done) {
        uint8_t pixel[4] = {0};
        glClearColor(0.5f, 0.25f, 0.75f, 1);
        glClear(GL_COLOR_BUFFER_BIT);
        glReadPixels(0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, pixel);
        printf(" %02x%02x%02x%02x %x swap %d %x", pixel[0], pixel[1], pixel[2], pixel[3],
               (unsigned)glGetError(), eglSwapBuffers(egl->display, surface),
               (unsigned)eglGetError());
    }
    eglMakeCurrent(egl->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
}

static void pbuffer(const struct plain_egl *egl, const struct sweep_list *list)
{
    sweep_say("pbuffer", list);
    EGLSurface surface = eglCreatePbufferSurface(egl->display, egl->config, list->ints);
    EGLint error = eglGetError();
    if (surface != EGL_NO_SURFACE) {
        surface_say(egl, surface);
        eglDestroySurface(egl->display, surface);
    }
    printf(" : %x\n", (unsigned)error);
}

void sweep_set(const struct plain_egl *egl, EGLSurface surface, const struct sweep_list *list)
{
    EGLint value = -7;
    sweep_say("set", list);
    EGLBoolean done = eglSurfaceAttrib(egl->display, surface, list->ints[0], list->ints[1]);
    EGLint error = eglGetError();
    EGLBoolean told = eglQuerySurface(egl->display, surface, list->ints[0], &value);
    printf(" %d %d %x %x : %x\n", (int)done, (int)told, (unsigned)value, (unsigned)eglGetError(),
           (unsigned)error);
}

static void set(const struct plain_egl *egl, const struct sweep_list *list)
{
    EGLSurface surface = plain_egl_pbuffer(egl, 4);
    sweep_set(egl, surface, list);
    eglDestroySurface(egl->display, surface);
}

void sweep_surfaces(const struct plain_egl *egl)
{
    drawer = plain_egl_context(egl, 3, EGL_NO_CONTEXT);
    sweep_lists("eglCreatePbufferSurface", 800, pbuffer, egl);
    sweep_lists("eglSurfaceAttrib", 0, set, egl);
    eglDestroyContext(egl->display, drawer);
}

/* --- scenes --- */

/* False: no such display. */
static bool plain_open(struct plain_egl *egl)
{
    plain_egl_open(egl);
    return true;
}

static bool x11_open(struct plain_egl *egl)
{
    egl->display = eglGetPlatformDisplay(EGL_PLATFORM_X11_KHR, EGL_DEFAULT_DISPLAY, NULL);
    return eglInitialize(egl->display, NULL, NULL) && eglBindAPI(EGL_OPENGL_ES_API);
}

static bool device_open(struct plain_egl *egl)
{
    PFNEGLQUERYDEVICESEXTPROC query =
        (PFNEGLQUERYDEVICESEXTPROC)eglGetProcAddress("eglQueryDevicesEXT");
    EGLDeviceEXT device;
    EGLint count = 0;
    if (query == NULL || !query(1, &device, &count) || count == 0) {
        return false;
    }
    egl->display = eglGetPlatformDisplay(EGL_PLATFORM_DEVICE_EXT, device, NULL);
    return eglInitialize(egl->display, NULL, NULL) && eglBindAPI(EGL_OPENGL_ES_API);
}

enum { PLAIN = 1, X11 = 2, WAYLAND = 4, DEVICE = 8 };

static const struct {
    int bit;
    const char *name;
    bool (*open)(struct plain_egl *egl);
} platforms[] = {
    {PLAIN, "surfaceless", plain_open},
    {X11, "x11", x11_open},
    {DEVICE, "device", device_open},
#ifdef SWEEP_WAYLAND
    {WAYLAND, "wayland", sweep_wayland_open},
#endif
};

static const struct {
    const char *name;
    void (*run)(const struct plain_egl *egl);
    int platforms;
} scenes[] = {
    {"configs", sweep_configs, PLAIN | X11 | WAYLAND | DEVICE},
    {"choose", sweep_choose, PLAIN | X11 | WAYLAND | DEVICE},
    {"contexts", sweep_contexts, PLAIN},
    {"surfaces", sweep_surfaces, PLAIN},
    {"images", sweep_images, PLAIN},
    {"syncs", sweep_syncs, PLAIN},
    {"windows", sweep_windows, X11},
#ifdef SWEEP_WAYLAND
    {"windows", sweep_wayland_windows, WAYLAND},
#endif
};

static bool scene_run(const char *name, const char *platform)
{
    struct plain_egl egl = {0};
    int p = 0;
    while (p < COUNT(platforms) && strcmp(platforms[p].name, platform) != 0) {
        p++;
    }
    for (int i = 0; p < COUNT(platforms) && i < COUNT(scenes); i++) {
        if (strcmp(name, scenes[i].name) == 0 && (scenes[i].platforms & platforms[p].bit) != 0) {
            if (!platforms[p].open(&egl)) {
                return false;
            }
            scenes[i].run(&egl);
            plain_egl_close(&egl);
            return true;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    if (argc >= 3 && argc <= 4 && strcmp(argv[1], "--scene") == 0 &&
        scene_run(argv[2], argc == 4 ? argv[3] : "surfaceless")) {
        return 0;
    }
    fputs("usage: robust_egl_sweep --scene configs|choose [x11|wayland] |"
          " contexts|surfaces|images|syncs | windows x11|wayland\n",
          stderr);
    return 2;
}
