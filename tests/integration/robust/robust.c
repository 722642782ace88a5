/* main: robust --version 1|2|3 --scene fresh|asked|swept|every|mixed|none|list [--rounds N] [--call
 * NAME]
 * [--without NAME,NAME]. */
#include "tests/integration/plain_egl.h"
#include "tests/integration/robust/robust.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than a first, or an index, and what comes to it: numbers in an input are below 1,000. */
enum { VERTICES = 2048 };
/* The most parameters that are enums; which of all enums a setter is tried with; calls of a mixed
 * world. */
enum { ENUMS_MAX = 8, STEP = 16, MIXED = 1500 };

static float vertices[VERTICES][4];

/* What the calls are made in. */
struct scene {
    const char *name;
    int rounds; /* without --rounds */
    void (*run)(void);
};

static struct {
    struct plain_egl egl;
    EGLSurface surface;
    EGLContext context;
    int version, rounds;
    const char *only, *without; /* NULL: of none */
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

static bool is_called(const struct robust_call *c)
{
    return c->call != NULL && is_offered(c) &&
           (here.only == NULL || strcmp(here.only, c->name) == 0) &&
           (here.without == NULL || !has_word(here.without, c->name, strlen(c->name), ','));
}

/* --- calling --- */

bool robust_may_go(struct robust *r)
{
    bool go = true;
    for (const struct robust_left_out *l = robust_left_out; l->pattern != NULL; l++) {
        go = go && fnmatch(l->pattern, r->arguments, 0) != 0;
    }
    printf("%s = ", r->arguments);
    fflush(stdout); /* a driver that dies leaves the call that it dies of */
    return go;
}

static void one_call(const struct robust_call *c, struct robust *r)
{
    for (int i = 0; i < 8 && glGetError() != GL_NO_ERROR; i++) {
    }
    robust_outputs_clear();
    robust_note(r, "%s", c->name);
    c->call(r);
    GLenum error = glGetError();
    printf("%llx: %x,", (unsigned long long)r->returned, error);
    robust_outputs_print();
    puts("");
}

static void vertices_fill(void)
{
    for (int i = 0; i < VERTICES; i++) { /* drivers have died of vertices without a place */
        vertices[i][0] = (float)(i % 7) / 3.5f - 1;
        vertices[i][1] = (float)(i % 5) / 2.5f - 1;
        vertices[i][3] = 1;
    }
}

static void world_begin(void)
{
    here.context = plain_egl_context(&here.egl, here.version, EGL_NO_CONTEXT);
    plain_egl_current(&here.egl, here.surface, here.context);
    robust_world(here.version, (const float(*)[4])vertices, robust_zeros());
}

static void world_end(void)
{
    if (robust_world_image != NULL) {
        eglDestroyImage(here.egl.display, robust_world_image);
        robust_world_image = NULL;
    }
    plain_egl_current(&here.egl, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    eglDestroyContext(here.egl.display, here.context);
}

/* --- scenes --- */

/* Each function in a world of its own. */
static void fresh(void)
{
    for (int i = 0; i < robust_call_count; i++) {
        if (!is_called(&robust_calls[i])) {
            continue;
        }
        world_begin();
        for (int round = 0; round < here.rounds; round++) {
            struct robust r = {.seed = (uint64_t)i * 1000 + (uint64_t)round, .is_wide = true};
            one_call(&robust_calls[i], &r);
        }
        world_end();
    }
}

/* No context is current. */
static void none(void)
{
    for (int i = 0; i < robust_call_count; i++) {
        for (int round = 0; round < here.rounds && is_called(&robust_calls[i]); round++) {
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
        if (is_called(&robust_calls[i]) && is_asked(robust_calls[i].name) == asked) {
            world_begin();
            for (int at = 1; at <= ENUMS_MAX && sweep_at(i, at, step); at++) {
            }
            world_end();
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

/* Names that come to life are the driver's choice, once others died. */
static bool makes_names(const char *name)
{
    return strncmp(name, "glGen", 5) == 0 || strncmp(name, "glCreate", 8) == 0;
}

/* Any functions one behind the other. */
static void mixed(void)
{
    for (int world = 0; world < here.rounds; world++) {
        struct robust choice = {.seed = (uint64_t)world + 1};
        world_begin();
        for (int i = 0, called = 0; called < MIXED; i++) {
            const struct robust_call *c =
                &robust_calls[robust_pick(&choice, (uint32_t)robust_call_count)];
            struct robust r = {.seed = (uint64_t)world * 100000 + (uint64_t)i};
            if (is_called(c) && !makes_names(c->name)) {
                one_call(c, &r);
                called++;
            }
        }
        world_end();
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

static const struct scene scenes[] = {
    {"fresh", 40, fresh}, {"asked", 1, asked}, {"swept", 1, swept}, {"every", 1, every},
    {"mixed", 6, mixed},  {"none", 4, none},   {"list", 1, list},
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
        }
    }
    if (here.version < 1 || here.version > 3 || scene == NULL) {
        fputs("usage: robust --version 1|2|3 --scene fresh|asked|swept|every|mixed|none|list "
              "[--rounds N] "
              "[--call NAME] [--without NAME,NAME]\n",
              stderr);
        return 2;
    }
    here.rounds = here.rounds != 0 ? here.rounds : scene->rounds;
    setvbuf(stdout, NULL, _IOLBF, 0);
    robust_memory_fill();
    vertices_fill();
    plain_egl_open(&here.egl);
    here.surface = plain_egl_pbuffer(&here.egl, ROBUST_SIDE);
    world_begin();
    snprintf(here.extensions, sizeof here.extensions, "%s",
             (const char *)glGetString(GL_EXTENSIONS));
    world_end();
    scene->run();
    plain_egl_close(&here.egl);
    return 0;
}
