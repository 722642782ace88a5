/* main: robust --version 1|2|3 --scene NAME [--rounds N] [--call NAME] [--without NAME,NAME]
 * [--died NUMBER,NUMBER]. */
#include "tests/integration/plain_egl.h"
#include "tests/integration/robust/robust.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than a first, or an index, and what comes to it: numbers in an input are below 1,000. */
enum { VERTICES = 2048 };
/* The most parameters that are enums; which of all enums a setter is tried with; calls of a mixed
 * world; functions that one world of a state lasts for. */
enum { ENUMS_MAX = 8, STEP = 16, MIXED = 1500, LASTING = 16 };

static float vertices[VERTICES][4];

/* What the calls are made in. */
struct scene {
    const char *name;
    int rounds; /* without --rounds */
    void (*run)(void);
    void (*change)(void); /* of each world, before it is called in; NULL: it is as it was made */
};

static struct {
    struct plain_egl egl;
    EGLSurface surface;
    EGLContext context, sister; /* sister: EGL_NO_CONTEXT: none */
    void (*change)(void);
    bool is_told; /* contexts are of the kind that is told of resets */
    int version, rounds;
    const char *only, *without, *died; /* NULL: of none */
    char extensions[16384];
} here;

/* --- which calls --- */

static bool has_word(const char *list, const char *word, size_t length, char between)
{
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += length) {
        bool begins = at == list || at[-1] == between;
        if (begins && (at[length] == 0 || at[length] == between)) {
            return true;
        }
    }
    return false;
}

static bool is_offered(const struct robust_call *c)
{
    const char *names = c->extensions;
    bool offered = names[0] == 0;
    while (names[0] != 0 && !offered) {
        char name[128];
        size_t length = strcspn(names, " ");
        snprintf(name, sizeof name, "%.*s", (int)length, names);
        offered = has_word(here.extensions, name, length, ' ');
        names += length + (names[length] != 0);
    }
    return offered;
}

bool robust_is_called(const struct robust_call *c)
{
    return c->call != NULL && is_offered(c) &&
           (here.only == NULL || strcmp(here.only, c->name) == 0) &&
           (here.without == NULL || !has_word(here.without, c->name, strlen(c->name), ','));
}

/* --- calling --- */

bool robust_may_go(struct robust *r)
{
    bool go = !r->is_not_made;
    for (const struct robust_left_out *l = robust_left_out; l->pattern != NULL; l++) {
        go = go && (r->is_harmless || fnmatch(l->pattern, r->arguments, 0) != 0);
    }
    printf("%s = ", r->arguments);
    fflush(stdout); /* a driver that dies leaves the call that it dies of */
    return go;
}

void robust_call_make(const struct robust_call *c, struct robust *r, bool asks)
{
    robust_outputs_clear();
    robust_note(r, "%s", c->name);
    c->call(r);
    printf("%llx: ", (unsigned long long)r->returned);
    if (asks) {
        printf("%x,", (unsigned)glGetError());
    } else {
        printf("-,");
    }
    robust_outputs_print();
    puts("");
}

void robust_errors_clear(void)
{
    for (int i = 0; i < 8 && glGetError() != GL_NO_ERROR; i++) {
    }
}

static void one_call(const struct robust_call *c, struct robust *r)
{
    robust_errors_clear();
    robust_call_make(c, r, true);
}

static void vertices_fill(void)
{
    for (int i = 0; i < VERTICES; i++) { /* drivers have died of vertices without a place */
        vertices[i][0] = (float)(i % 7) / 3.5f - 1;
        vertices[i][1] = (float)(i % 5) / 2.5f - 1;
        vertices[i][3] = 1;
    }
}

static EGLContext context_make(void)
{
    const EGLint told[] = {EGL_CONTEXT_CLIENT_VERSION,
                           here.version,
                           EGL_CONTEXT_OPENGL_ROBUST_ACCESS,
                           EGL_TRUE,
                           EGL_CONTEXT_OPENGL_RESET_NOTIFICATION_STRATEGY,
                           EGL_LOSE_CONTEXT_ON_RESET,
                           EGL_NONE};
    return here.is_told ? eglCreateContext(here.egl.display, here.egl.config, EGL_NO_CONTEXT, told)
                        : plain_egl_context(&here.egl, here.version, EGL_NO_CONTEXT);
}

void robust_world_begin(void)
{
    here.context = context_make();
    plain_egl_current(&here.egl, here.surface, here.context);
    robust_world(here.version, (const float(*)[4])vertices, robust_zeros());
    if (here.change != NULL) {
        here.change();
    }
}

void robust_world_end(void)
{
    if (robust_world_image != NULL) {
        eglDestroyImage(here.egl.display, robust_world_image);
        robust_world_image = NULL;
    }
    plain_egl_current(&here.egl, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglDestroyContext(here.egl.display, here.context);
    eglDestroyContext(here.egl.display, here.sister);
    eglGetError(); /* either may be gone */
    here.sister = EGL_NO_CONTEXT;
}

/* --- worlds that are not as they were made --- */

/* It can be named no more. */
static void destroyed(void)
{
    eglDestroyContext(here.egl.display, here.context);
}

static void surfaceless(void)
{
    plain_egl_current(&here.egl, EGL_NO_SURFACE, here.context);
}

/* Another context of the group is current: what a group has is there, and nothing else. */
static void shared(void)
{
    here.sister = plain_egl_context(&here.egl, here.version, here.context);
    plain_egl_current(&here.egl, here.surface, here.sister);
    robust_bind(here.version, (const float(*)[4])vertices);
}

/* ... and the first one deletes what is bound here. */
static void deleted(void)
{
    shared();
    plain_egl_current(&here.egl, here.surface, here.context);
    robust_delete(here.version);
    plain_egl_current(&here.egl, here.surface, here.sister);
}

/* A context of no group with the same names. */
static void stranger(void)
{
    here.sister = plain_egl_context(&here.egl, here.version, EGL_NO_CONTEXT);
    plain_egl_current(&here.egl, here.surface, here.sister);
    robust_bind(here.version, (const float(*)[4])vertices);
}

/* --- scenes --- */

/* Each function in a world of its own. */
static void fresh(void)
{
    for (int i = 0; i < robust_call_count; i++) {
        if (!robust_is_called(&robust_calls[i])) {
            continue;
        }
        robust_world_begin();
        for (int round = 0; round < here.rounds; round++) {
            struct robust r = {.seed = (uint64_t)i * 1000 + (uint64_t)round, .is_wide = true};
            one_call(&robust_calls[i], &r);
        }
        robust_world_end();
    }
}

/* No context is current. */
static void none(void)
{
    for (int i = 0; i < robust_call_count; i++) {
        for (int round = 0; round < here.rounds && robust_is_called(&robust_calls[i]); round++) {
            struct robust r = {.seed = (uint64_t)i * 1000 + (uint64_t)round, .is_wide = true};
            one_call(&robust_calls[i], &r);
        }
    }
}

static bool is_asked(const char *name)
{
    return strncmp(name, "glGet", 5) == 0 || strncmp(name, "glIs", 4) == 0;
}

/* One parameter that is an enum with each `step`th enum that there is. False: there are less. */
static bool sweep_at(int index, int at, int step)
{
    for (int k = step != 1 ? (index + at) % step : 0; k < robust_value_count; k += step) {
        for (int round = 0; round < here.rounds; round++) {
            struct robust r = {.seed = (uint64_t)(index * 1000 + k + round),
                               .swept_at = at,
                               .swept = robust_values[k]};
            one_call(&robust_calls[index], &r);
            if (r.enum_count < at) {
                return false;
            }
        }
    }
    return true;
}

static void sweep(bool asked, int step)
{
    for (int i = 0; i < robust_call_count; i++) {
        if (robust_is_called(&robust_calls[i]) && is_asked(robust_calls[i].name) == asked) {
            robust_world_begin();
            for (int at = 1; at <= ENUMS_MAX && sweep_at(i, at, step); at++) {
            }
            robust_world_end();
        }
    }
}

/* Each parameter of a query that is an enum with each enum that there is. */
static void asked(void)
{
    sweep(true, 1);
}

/* Of other functions with some of them. */
static void swept(void)
{
    sweep(false, STEP);
}

static void every(void)
{
    sweep(false, 1);
}

const struct robust_call *robust_call_any(struct robust *choice, uint64_t *tries)
{
    const struct robust_call *c;
    bool makes_names; /* they are the driver's choice, once others died */
    do {
        c = &robust_calls[robust_pick(choice, (uint32_t)robust_call_count)];
        ++*tries;
        makes_names = strncmp(c->name, "glGen", 5) == 0 || strncmp(c->name, "glCreate", 8) == 0;
    } while (makes_names || !robust_is_called(c));
    return c;
}

/* Any functions one behind the other. */
static void mixed(void)
{
    for (int world = 0; world < here.rounds; world++) {
        struct robust choice = {.seed = (uint64_t)world + 1};
        robust_world_begin();
        uint64_t tries = 0;
        for (int i = 0; i < MIXED; i++) {
            const struct robust_call *c = robust_call_any(&choice, &tries);
            struct robust r = {.seed = (uint64_t)world * 100000 + tries - 1};
            one_call(c, &r);
        }
        robust_world_end();
    }
}

static void list(void)
{
    for (int i = 0; i < robust_call_count; i++) {
        const struct robust_call *c = &robust_calls[i];
        if (is_offered(c)) {
            printf("%s %s %s\n", c->name, c->call != NULL ? "called" : "uncalled", c->extensions);
        }
    }
}

static void turns(void)
{
    robust_turns(&here.egl, here.surface, &here.context, &here.sister, here.rounds);
}

static void threads(void)
{
    robust_threads(&here.egl, here.surface, &here.context, &here.sister, here.rounds);
}

static void nulls(void)
{
    robust_nulls(here.rounds, here.died);
}

/* Of a context that ends with queries under way Mesa's threads die, if they still draw. */
static void settled_world_end(void)
{
    glFinish();
    robust_world_end();
}

/* Each function in the state, one world for some of them. */
static void calls_in(const struct robust_state *state, uint64_t seed)
{
    int calls = 0;
    for (int i = 0; i < robust_call_count; i++) {
        if (!robust_is_called(&robust_calls[i])) {
            continue;
        }
        if (calls != 0 && calls % LASTING == 0) {
            settled_world_end();
        }
        if (calls++ % LASTING == 0) {
            robust_world_begin();
        }
        robust_enter(state);
        for (int round = 0; round < here.rounds; round++) {
            struct robust r = {.seed = seed + (uint64_t)i * 1000 + (uint64_t)round,
                               .is_wide = true};
            one_call(&robust_calls[i], &r);
        }
    }
    if (calls != 0) {
        settled_world_end();
    }
}

static void states(void)
{
    for (int i = 0; i < robust_state_count; i++) {
        if (robust_states[i].version <= here.version) {
            printf("state %s = 0: 0,\n", robust_states[i].name);
            calls_in(&robust_states[i], (uint64_t)(i + 1) * 1000000);
        }
    }
}

static void prepared(void)
{
    robust_lost_prepare(here.version);
}

/* Each function in one world that was lost. */
static void lost(void)
{
    robust_world_begin();
    robust_lost(here.rounds);
    robust_world_end();
}

static const struct scene scenes[] = {
    {"fresh", 40, fresh, NULL},
    {"asked", 1, asked, NULL},
    {"swept", 1, swept, NULL},
    {"every", 1, every, NULL},
    {"mixed", 6, mixed, NULL},
    {"none", 4, none, NULL},
    {"list", 1, list, NULL},
    {"destroyed", 4, fresh, destroyed},
    {"surfaceless", 8, fresh, surfaceless},
    {"shared", 12, fresh, shared},
    {"deleted", 12, fresh, deleted},
    {"stranger", 8, fresh, stranger},
    {"turns", 6, turns, shared},
    {"threads", 4, threads, shared},
    {"nulls", 12, nulls, NULL},
    {"states", 6, states, NULL},
    {"lost", 8, lost, prepared},
};

static const struct scene *scene_find(const char *name)
{
    for (int i = 0; i < COUNT(scenes); i++) {
        if (strcmp(scenes[i].name, name) == 0) {
            return &scenes[i];
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    const struct scene *scene = &scenes[0];
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--version") == 0) {
            here.version = atoi(argv[i + 1]);
        } else if (strcmp(argv[i], "--scene") == 0) {
            scene = scene_find(argv[i + 1]);
        } else if (strcmp(argv[i], "--rounds") == 0) {
            here.rounds = atoi(argv[i + 1]);
        } else if (strcmp(argv[i], "--call") == 0) {
            here.only = argv[i + 1];
        } else if (strcmp(argv[i], "--without") == 0) {
            here.without = argv[i + 1];
        } else if (strcmp(argv[i], "--died") == 0) {
            here.died = argv[i + 1];
        }
    }
    if (here.version < 1 || here.version > 3 || scene == NULL) {
        fputs("usage: robust --version 1|2|3 --scene NAME [--rounds N] [--call NAME] "
              "[--without NAME,NAME] [--died NUMBER,NUMBER]; scenes:",
              stderr);
        for (int i = 0; i < COUNT(scenes); i++) {
            fprintf(stderr, " %s", scenes[i].name);
        }
        fputs("\n", stderr);
        return 2;
    }
    here.change = scene->change;
    here.is_told = scene->run == lost;
    here.rounds = here.rounds != 0 ? here.rounds : scene->rounds;
    setvbuf(stdout, NULL, _IOLBF, 0);
    robust_memory_fill();
    vertices_fill();
    plain_egl_open(&here.egl);
    here.surface = plain_egl_pbuffer(&here.egl, ROBUST_SIDE);
    robust_world_begin();
    snprintf(here.extensions, sizeof here.extensions, "%s",
             (const char *)glGetString(GL_EXTENSIONS));
    robust_world_end();
    scene->run();
    plain_egl_close(&here.egl);
    return 0;
}
