/* main: robust_egl --platform surfaceless|x11 [--deadly yes] [--rounds N] [--call NAME]. */
#include "tests/integration/robust/robust_egl.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A new world takes its time. */
enum { ROUNDS = 40, ROUNDS_OF_CHANGES = 8 };

static const char *const scenes[REGL_SCENES] = {"nothing",    "current",   "surfaceless",
                                                "destroyed",  "elsewhere", "foreign",
                                                "terminated", "again",     "released"};

/* What others die of, by patterns of fnmatch for the call with its arguments: Mesa (these are made
 * with `--deadly yes`), and libEGL itself. */
static const struct {
    const char *pattern;
    bool always;
    const char *why;
} deadly[] = {
    {"eglBindTexImage (nothing) *", false, "it asks the current context for its screen"},
    {"eglCreate*PixmapSurface*) * #3 *", false,
     "it asks for the pixmap, and does not look whether there is one"},
    {"eglCreate*WindowSurface*) * #4 *", false, "as of a pixmap"},
    {"eglGetMscRateANGLE *", false, "its software windows cannot"},
    {"eglCreateImage*) * none *", false, "it looks into the context"},
    {"eglExportDRMImageMESA *", false, "its software driver cannot"},
    {"eglQueryDebugKHR * null", true, "libEGL writes there"},
    {"eglQuerySurface * null", false, "it writes there"},
};
static bool with_deadly;

bool regl_may_go(struct regl *r)
{
    bool go = true;
    for (int i = 0; i < COUNT(deadly); i++) {
        bool allowed = with_deadly && !deadly[i].always;
        go = go && (allowed || fnmatch(deadly[i].pattern, r->base.arguments, 0) != 0);
    }
    printf("%s = %s", r->base.arguments, go ? "" : "not called");
    fflush(stdout); /* a driver that dies leaves the call that it dies of */
    return go;
}

/* Messages of the call that is made. */
static char told[1024];

void EGLAPIENTRY regl_told(EGLenum error, const char *command, EGLint type, EGLLabelKHR thread,
                           EGLLabelKHR object, const char *message)
{
    size_t used = strlen(told);
    char one[256];
    (void)message; /* anybody's words */
    snprintf(one, sizeof one, " [%x %s %x %s %s]", (unsigned)error, command != NULL ? command : "-",
             (unsigned)type, regl_label_name(thread), regl_label_name(object));
    if (strstr(told, one) == NULL) { /* Mesa says some twice */
        snprintf(told + used, sizeof told - used, "%s", one);
    }
}

/* A new object on the display that it was made on, which may be either. */
static void unmake(const struct regl *r)
{
    for (int i = 0; i < 2; i++) {
        EGLDisplay display = regl_world.things[REGL_DISPLAY][i].handle;
        switch (r->made_kind) {
        case REGL_CONTEXT:
            eglDestroyContext(display, r->made);
            break;
        case REGL_SURFACE:
            eglDestroySurface(display, r->made);
            break;
        case REGL_SYNC:
            eglDestroySync(display, r->made);
            break;
        case REGL_IMAGE:
            eglDestroyImage(display, r->made);
            break;
        default:
            break;
        }
    }
    eglGetError();
}

/* False: the world is another one now. */
static bool one_call(const struct regl_call *c, enum regl_scene scene, uint64_t seed)
{
    struct regl r = {.base = {.seed = seed}};
    robust_note(&r.base, "%s (%s)", c->name, scenes[scene]);
    regl_outputs_clear();
    told[0] = 0;
    c->call(&r);
    EGLint error = eglGetError();
    bool made = c->makes && r.made != NULL; /* maybe where a destroyed one was */
    printf("%s: %x,", made ? "new" : r.returned, (unsigned)error);
    regl_outputs_print();
    puts(told);
    if (made) {
        unmake(&r);
    }
    return !(c->changes && error == EGL_SUCCESS);
}

static bool is_offered(const struct regl_call *c)
{
    return c->extension[0] == 0 || regl_offers(c->extension);
}

/* rounds: 0: the usual number. */
static void all_rounds(int index, enum regl_scene scene, int rounds)
{
    const struct regl_call *c = &regl_calls[index];
    uint64_t seed = ((uint64_t)index * REGL_SCENES + (uint64_t)scene) * 1000;
    rounds = rounds != 0 ? rounds : c->changes ? ROUNDS_OF_CHANGES : ROUNDS;
    for (int round = 0; round < rounds; round++) {
        if (!one_call(c, scene, seed + (uint64_t)round)) {
            regl_world_end();
            regl_world_make(scene);
        }
    }
}

int main(int argc, char **argv)
{
    int rounds = 0;
    const char *only = NULL, *platform = "";
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--platform") == 0) {
            platform = argv[i + 1];
        } else if (strcmp(argv[i], "--rounds") == 0) {
            rounds = atoi(argv[i + 1]);
        } else if (strcmp(argv[i], "--deadly") == 0) {
            with_deadly = true;
        } else if (strcmp(argv[i], "--call") == 0) {
            only = argv[i + 1];
        }
    }
    bool x11 = strcmp(platform, "x11") == 0;
    if (!x11 && strcmp(platform, "surfaceless") != 0) {
        fputs("usage: robust_egl --platform surfaceless|x11 [--deadly yes] [--rounds N] "
              "[--call NAME]\n",
              stderr);
        return 2;
    }
    if (!regl_open(x11 ? REGL_X11 : REGL_SURFACELESS)) {
        fputs("robust_egl: no X server\n", stderr);
        return 1;
    }
    for (int i = 0; i < regl_call_count; i++) {
        const struct regl_call *c = &regl_calls[i];
        if (is_offered(c)) {
            printf("offered %s %s %s\n", c->name, c->call != NULL ? "called" : "uncalled",
                   c->extension);
        }
    }
    for (int scene = 0; scene < REGL_SCENES; scene++) {
        regl_world_make((enum regl_scene)scene);
        for (int i = 0; i < regl_call_count; i++) {
            const struct regl_call *c = &regl_calls[i];
            if (c->call != NULL && is_offered(c) && (only == NULL || strcmp(only, c->name) == 0)) {
                all_rounds(i, (enum regl_scene)scene, rounds);
            }
        }
        regl_world_end();
    }
    regl_close();
    return 0;
}
