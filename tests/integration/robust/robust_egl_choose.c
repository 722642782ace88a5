/* Arguments of EGL's functions, and what they return and write. */
#include "tests/integration/robust/robust_egl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OUTPUTS = 8, OUTPUT = 1024, PATTERN = 0xab, PAIRS = 3, WORDS_SHOWN = 4 };

static union {
    uint8_t bytes[OUTPUT];
    int32_t words[OUTPUT / 4];
} outputs[OUTPUTS];
static bool is_compared[OUTPUTS];
static int output_count;

static EGLint narrow[2 * PAIRS + 1];
static EGLAttrib wide[2 * PAIRS + 1];
static EGLint rects[OUTPUT];

void *regl_proc(const char *name)
{
    return (void *)eglGetProcAddress(name);
}

/* --- handles --- */

/* The right one more often than not. */
static void *handle(struct regl *r, enum regl_kind kind)
{
    const struct regl_world *w = &regl_world;
    uint32_t i =
        robust_pick(&r->base, 3) != 0 ? 0 : robust_pick(&r->base, (uint32_t)w->counts[kind]);
    robust_note(&r->base, " %s", w->things[kind][i].name);
    return w->things[kind][i].handle;
}

EGLDisplay regl_display(struct regl *r)
{
    return handle(r, REGL_DISPLAY);
}

EGLConfig regl_config(struct regl *r)
{
    return handle(r, REGL_CONFIG);
}

EGLContext regl_context(struct regl *r)
{
    return handle(r, REGL_CONTEXT);
}

EGLSurface regl_surface(struct regl *r)
{
    return handle(r, REGL_SURFACE);
}

EGLSync regl_sync(struct regl *r)
{
    return handle(r, REGL_SYNC);
}

EGLImage regl_image(struct regl *r)
{
    return handle(r, REGL_IMAGE);
}

EGLDeviceEXT regl_device(struct regl *r)
{
    return handle(r, REGL_DEVICE);
}

EGLObjectKHR regl_object(struct regl *r)
{
    return handle(r, (enum regl_kind)robust_pick(&r->base, REGL_KINDS));
}

/* --- what is the platform's --- */

static uintptr_t number(struct regl *r, const uintptr_t *values, int count)
{
    uint32_t i = robust_pick(&r->base, (uint32_t)count);
    robust_note(&r->base, " #%u", i);
    return values[i];
}

EGLClientBuffer regl_client_buffer(struct regl *r)
{
    const uintptr_t values[] = {regl_world.texture, regl_world.texture + 1, 0, 9999};
    return (EGLClientBuffer)number(r, values, COUNT(values));
}

/* Nothing that is no display: a platform would look at it. */
void *regl_native_display(struct regl *r)
{
    const uintptr_t values[] = {0, (uintptr_t)regl_world.x11};
    return (void *)number(r, values, COUNT(values));
}

uintptr_t regl_native_window(struct regl *r)
{
    const uintptr_t values[] = {regl_world.free_window, regl_world.window, regl_world.pixmap, 0,
                                0x1234567};
    return number(r, values, COUNT(values));
}

uintptr_t regl_native_pixmap(struct regl *r)
{
    const uintptr_t values[] = {regl_world.pixmap, regl_world.window, 0, 0x1234567};
    return number(r, values, COUNT(values));
}

static void *pointer_to(uintptr_t value)
{
    static uint32_t place;
    place = (uint32_t)value;
    return value != 0 ? &place : NULL;
}

void *regl_native_window_pointer(struct regl *r)
{
    return pointer_to(regl_native_window(r));
}

void *regl_native_pixmap_pointer(struct regl *r)
{
    return pointer_to(regl_native_pixmap(r));
}

/* --- numbers and texts --- */

/* No longer: some syncs are never signalled. */
EGLTime regl_time(struct regl *r)
{
    return robust_pick(&r->base, 2);
}

const char *regl_text(struct regl *r)
{
    static const char *const texts[] = {"eglCreateImageKHR", "glClear", "eglNothing", ""};
    const char *text = texts[robust_pick(&r->base, COUNT(texts))];
    robust_note(&r->base, " \"%s\"", text);
    return text;
}

static EGLint noted(struct regl *r, EGLint value)
{
    robust_note(&r->base, value > 255 ? " %x" : " %d", (unsigned)value);
    return value;
}

static EGLint some_int(struct regl *r)
{
    static const EGLint values[] = {-1, 0, 1, 1, 2, 8, 64};
    return values[robust_pick(&r->base, COUNT(values))];
}

EGLint regl_int(struct regl *r)
{
    return noted(r, some_int(r));
}

static EGLint some_token(struct regl *r)
{
    return regl_tokens[robust_pick(&r->base, (uint32_t)regl_token_count)];
}

EGLint regl_enum(struct regl *r, const EGLint *enums, int count)
{
    static const EGLint wrong[] = {0, 1, -1, 0x1234, EGL_NONE, EGL_CONFIG_ID};
    return noted(r, robust_pick(&r->base, 3) != 0 ? enums[robust_pick(&r->base, (uint32_t)count)]
                                                  : wrong[robust_pick(&r->base, COUNT(wrong))]);
}

static EGLint some_key(struct regl *r, const EGLint *keys, int count)
{
    return robust_pick(&r->base, 3) != 0 ? keys[robust_pick(&r->base, (uint32_t)count)]
                                         : some_token(r);
}

EGLint regl_attribute(struct regl *r, const EGLint *keys, int count)
{
    return noted(r, some_key(r, keys, count));
}

static EGLint some_value(struct regl *r, const EGLint *values, int count)
{
    return robust_pick(&r->base, 2) != 0 ? values[robust_pick(&r->base, (uint32_t)count)]
                                         : some_int(r);
}

EGLint regl_value(struct regl *r, const EGLint *values, int count)
{
    return noted(r, some_value(r, values, count));
}

/* --- memory --- */

const EGLint *regl_ints(struct regl *r, const EGLint *keys, int key_count, const EGLint *values,
                        int value_count)
{
    int pairs = (int)robust_pick(&r->base, PAIRS + 2) - 1;
    robust_note(&r->base, pairs < 0 ? " no list" : " {");
    for (int i = 0; i < pairs; i++) {
        narrow[2 * i] = noted(r, some_key(r, keys, key_count));
        narrow[2 * i + 1] = noted(r, some_value(r, values, value_count));
    }
    if (pairs < 0) {
        return NULL;
    }
    robust_note(&r->base, " }");
    narrow[2 * pairs] = EGL_NONE;
    return narrow;
}

const EGLAttrib *regl_attribs(struct regl *r, const EGLint *keys, int key_count,
                              const EGLint *values, int value_count)
{
    if (regl_ints(r, keys, key_count, values, value_count) == NULL) {
        return NULL;
    }
    for (int i = 0; i < COUNT(wide); i++) {
        wide[i] = narrow[i];
    }
    return wide;
}

EGLint *regl_rects(struct regl *r)
{
    bool none = robust_pick(&r->base, 4) == 0;
    robust_note(&r->base, none ? " no rects" : " rects");
    return none ? NULL : rects;
}

static void *output(struct regl *r, bool compared)
{
    bool none = robust_pick(&r->base, 6) == 0;
    robust_note(&r->base, none ? " null" : " out");
    if (none) {
        return NULL;
    }
    is_compared[output_count] = compared;
    return outputs[output_count++].bytes;
}

void *regl_output(struct regl *r)
{
    return output(r, true);
}

void *regl_output_uncompared(struct regl *r)
{
    return output(r, false);
}

void regl_outputs_clear(void)
{
    memset(outputs, PATTERN, sizeof outputs);
    output_count = 0;
}

void regl_outputs_print(void)
{
    int32_t untouched;
    memset(&untouched, PATTERN, sizeof untouched);
    for (int i = 0; i < output_count; i++) {
        if (!is_compared[i]) {
            printf(outputs[i].words[0] != untouched ? " written" : " not");
            continue;
        }
        for (int word = 0; word < WORDS_SHOWN; word++) {
            if (outputs[i].words[word] == untouched) {
                printf(" -");
            } else {
                printf(" %x", (unsigned)outputs[i].words[word]);
            }
        }
    }
}

/* --- what is returned --- */

void regl_returned_number(struct regl *r, EGLint value)
{
    snprintf(r->returned, sizeof r->returned, "%x", (unsigned)value);
}

void regl_returned_pointer(struct regl *r, const void *value)
{
    snprintf(r->returned, sizeof r->returned, "%s", value != NULL ? "something" : "nothing");
}

void regl_returned_owned(struct regl *r, char *value)
{
    regl_returned_pointer(r, value);
    free(value);
}

static void returned_handle(struct regl *r, enum regl_kind kind, void *value)
{
    const struct regl_world *w = &regl_world;
    const char *name = "new";
    for (int i = 0; i < w->counts[kind]; i++) {
        if (w->things[kind][i].handle == value) {
            name = w->things[kind][i].name;
        }
    }
    snprintf(r->returned, sizeof r->returned, "%s", name);
    r->made_kind = kind;
    r->made = value;
}

void regl_returned_display(struct regl *r, EGLDisplay value)
{
    returned_handle(r, REGL_DISPLAY, value);
}

void regl_returned_context(struct regl *r, EGLContext value)
{
    returned_handle(r, REGL_CONTEXT, value);
}

void regl_returned_surface(struct regl *r, EGLSurface value)
{
    returned_handle(r, REGL_SURFACE, value);
}

void regl_returned_sync(struct regl *r, EGLSync value)
{
    returned_handle(r, REGL_SYNC, value);
}

void regl_returned_image(struct regl *r, EGLImage value)
{
    returned_handle(r, REGL_IMAGE, value);
}
