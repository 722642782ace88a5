#include "guest/egl/config.h"

#include "transport/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* EGL 1.5, table 3.1: how eglChooseConfig compares, and what it assumes. */
enum criterion {
    CRITERION_NONE,
    CRITERION_EXACT,
    CRITERION_MASK,
    CRITERION_AT_LEAST,
    CRITERION_IGNORED
};
/* What values an application may give. */
enum kind {
    KIND_SIZE,
    KIND_NUMBER,
    KIND_BOOLEAN,
    KIND_CAVEAT,
    KIND_TRANSPARENT,
    KIND_BUFFER_TYPE,
    KIND_COMPONENT_TYPE,
    KIND_SURFACES,
    KIND_APIS,
    KIND_ID,
    KIND_ANY
};

struct attrib_rule {
    uint8_t criterion;
    uint8_t kind;
    bool must_care; /* EGL_DONT_CARE is an error */
    EGLint fallback;
};

#define AT(attrib) [(attrib)-GEGL_ATTRIB_FIRST]
static const struct attrib_rule rules[GEGL_ATTRIB_COUNT] = {
    AT(EGL_BUFFER_SIZE) = {CRITERION_AT_LEAST, KIND_SIZE, false, 0},
    AT(EGL_ALPHA_SIZE) = {CRITERION_AT_LEAST, KIND_SIZE, false, 0},
    AT(EGL_BLUE_SIZE) = {CRITERION_AT_LEAST, KIND_SIZE, false, 0},
    AT(EGL_GREEN_SIZE) = {CRITERION_AT_LEAST, KIND_SIZE, false, 0},
    AT(EGL_RED_SIZE) = {CRITERION_AT_LEAST, KIND_SIZE, false, 0},
    AT(EGL_DEPTH_SIZE) = {CRITERION_AT_LEAST, KIND_SIZE, false, 0},
    AT(EGL_STENCIL_SIZE) = {CRITERION_AT_LEAST, KIND_SIZE, false, 0},
    AT(EGL_CONFIG_CAVEAT) = {CRITERION_EXACT, KIND_CAVEAT, false, EGL_DONT_CARE},
    AT(EGL_CONFIG_ID) = {CRITERION_EXACT, KIND_ID, false, EGL_DONT_CARE},
    AT(EGL_LEVEL) = {CRITERION_EXACT, KIND_NUMBER, true, 0},
    AT(EGL_MAX_PBUFFER_HEIGHT) = {CRITERION_IGNORED, KIND_SIZE, false, 0},
    AT(EGL_MAX_PBUFFER_PIXELS) = {CRITERION_IGNORED, KIND_SIZE, false, 0},
    AT(EGL_MAX_PBUFFER_WIDTH) = {CRITERION_IGNORED, KIND_SIZE, false, 0},
    AT(EGL_NATIVE_RENDERABLE) = {CRITERION_EXACT, KIND_BOOLEAN, false, EGL_DONT_CARE},
    AT(EGL_NATIVE_VISUAL_ID) = {CRITERION_IGNORED, KIND_NUMBER, false, 0},
    AT(EGL_NATIVE_VISUAL_TYPE) = {CRITERION_EXACT, KIND_NUMBER, false, EGL_DONT_CARE},
    AT(EGL_SAMPLES) = {CRITERION_AT_LEAST, KIND_SIZE, false, 0},
    AT(EGL_SAMPLE_BUFFERS) = {CRITERION_AT_LEAST, KIND_SIZE, false, 0},
    AT(EGL_SURFACE_TYPE) = {CRITERION_MASK, KIND_SURFACES, false, EGL_WINDOW_BIT},
    AT(EGL_TRANSPARENT_TYPE) = {CRITERION_EXACT, KIND_TRANSPARENT, false, EGL_NONE},
    AT(EGL_TRANSPARENT_BLUE_VALUE) = {CRITERION_EXACT, KIND_SIZE, false, EGL_DONT_CARE},
    AT(EGL_TRANSPARENT_GREEN_VALUE) = {CRITERION_EXACT, KIND_SIZE, false, EGL_DONT_CARE},
    AT(EGL_TRANSPARENT_RED_VALUE) = {CRITERION_EXACT, KIND_SIZE, false, EGL_DONT_CARE},
    AT(EGL_BIND_TO_TEXTURE_RGB) = {CRITERION_EXACT, KIND_BOOLEAN, false, EGL_DONT_CARE},
    AT(EGL_BIND_TO_TEXTURE_RGBA) = {CRITERION_EXACT, KIND_BOOLEAN, false, EGL_DONT_CARE},
    AT(EGL_MIN_SWAP_INTERVAL) = {CRITERION_EXACT, KIND_SIZE, false, EGL_DONT_CARE},
    AT(EGL_MAX_SWAP_INTERVAL) = {CRITERION_EXACT, KIND_SIZE, false, EGL_DONT_CARE},
    AT(EGL_LUMINANCE_SIZE) = {CRITERION_AT_LEAST, KIND_SIZE, false, 0},
    AT(EGL_ALPHA_MASK_SIZE) = {CRITERION_AT_LEAST, KIND_SIZE, false, 0},
    AT(EGL_COLOR_BUFFER_TYPE) = {CRITERION_EXACT, KIND_BUFFER_TYPE, false, EGL_RGB_BUFFER},
    AT(EGL_RENDERABLE_TYPE) = {CRITERION_MASK, KIND_APIS, false, EGL_OPENGL_ES_BIT},
    AT(EGL_MATCH_NATIVE_PIXMAP) = {CRITERION_IGNORED, KIND_ANY, true, EGL_NONE},
    AT(EGL_CONFORMANT) = {CRITERION_MASK, KIND_APIS, false, 0},
    [GEGL_ATTRIB_RANGE] = {CRITERION_EXACT, KIND_COMPONENT_TYPE, false,
                           EGL_COLOR_COMPONENT_TYPE_FIXED_EXT},
};

/* Of EGL 1.5, whatever is there of them. */
static const EGLint surfaces = EGL_PBUFFER_BIT | EGL_PIXMAP_BIT | EGL_WINDOW_BIT |
                               EGL_VG_COLORSPACE_LINEAR_BIT | EGL_VG_ALPHA_FORMAT_PRE_BIT |
                               EGL_MULTISAMPLE_RESOLVE_BOX_BIT | EGL_SWAP_BEHAVIOR_PRESERVED_BIT;
static const EGLint apis =
    EGL_OPENGL_ES_BIT | EGL_OPENVG_BIT | EGL_OPENGL_ES2_BIT | EGL_OPENGL_ES3_BIT | EGL_OPENGL_BIT;

static const struct attrib_rule *rule_find(EGLint attrib)
{
    if (attrib != EGL_COLOR_COMPONENT_TYPE_EXT &&
        (attrib < GEGL_ATTRIB_FIRST || attrib > EGL_CONFORMANT)) {
        return NULL;
    }
    const struct attrib_rule *rule = &rules[gegl_attrib_slot(attrib)];
    return rule->criterion == CRITERION_NONE ? NULL : rule;
}

bool gegl_config_has(EGLint attrib)
{
    return attrib != EGL_MATCH_NATIVE_PIXMAP && rule_find(attrib) != NULL;
}

static bool value_allowed(const struct attrib_rule *rule, EGLint value)
{
    if (value == EGL_DONT_CARE) {
        return !rule->must_care;
    }
    switch (rule->kind) {
    case KIND_SIZE:
        return value >= 0;
    case KIND_BOOLEAN:
        return value == EGL_TRUE || value == EGL_FALSE;
    case KIND_CAVEAT:
        return value == EGL_NONE || value == EGL_SLOW_CONFIG || value == EGL_NON_CONFORMANT_CONFIG;
    case KIND_TRANSPARENT:
        return value == EGL_NONE || value == EGL_TRANSPARENT_RGB;
    case KIND_BUFFER_TYPE:
        return value == EGL_RGB_BUFFER || value == EGL_LUMINANCE_BUFFER;
    case KIND_COMPONENT_TYPE:
        return value == EGL_COLOR_COMPONENT_TYPE_FIXED_EXT ||
               value == EGL_COLOR_COMPONENT_TYPE_FLOAT_EXT;
    case KIND_SURFACES:
        return (value & ~surfaces) == 0;
    case KIND_APIS:
        return (value & ~apis) == 0;
    case KIND_ID:
        return value > 0;
    default:
        return true;
    }
}

struct wish {
    const struct gegl_config *configs;
    EGLint values[GEGL_ATTRIB_COUNT];
};

static EGLint wish_get(const struct wish *wish, EGLint attrib)
{
    return wish->values[gegl_attrib_slot(attrib)];
}

/* Of an attribute that is there twice the last value counts, also of those that are wrong. */
static EGLint wish_read(struct wish *wish, const EGLint *attribs)
{
    for (size_t i = 0; i < GEGL_ATTRIB_COUNT; i++) {
        wish->values[i] = rules[i].fallback;
    }
    for (; attribs != NULL && attribs[0] != EGL_NONE; attribs += 2) {
        if (rule_find(attribs[0]) == NULL) {
            return EGL_BAD_ATTRIBUTE;
        }
        wish->values[gegl_attrib_slot(attribs[0])] = attribs[1];
    }
    for (size_t i = 0; i < GEGL_ATTRIB_COUNT; i++) {
        if (rules[i].criterion != CRITERION_NONE && !value_allowed(&rules[i], wish->values[i])) {
            return EGL_BAD_ATTRIBUTE;
        }
    }
    if ((wish_get(wish, EGL_SURFACE_TYPE) & EGL_WINDOW_BIT) == 0) { /* visuals are windows' */
        wish->values[EGL_NATIVE_VISUAL_TYPE - GEGL_ATTRIB_FIRST] = EGL_DONT_CARE;
    }
    return EGL_SUCCESS;
}

/* They mean nothing unless the type is EGL_TRANSPARENT_RGB. */
static bool is_transparent_value(EGLint attrib)
{
    return attrib == EGL_TRANSPARENT_RED_VALUE || attrib == EGL_TRANSPARENT_GREEN_VALUE ||
           attrib == EGL_TRANSPARENT_BLUE_VALUE;
}

static bool matches_wish(const struct gegl_config *config, const struct wish *wish)
{
    if (wish_get(wish, EGL_CONFIG_ID) != EGL_DONT_CARE) {
        return gegl_config_get(config, EGL_CONFIG_ID) == wish_get(wish, EGL_CONFIG_ID);
    }
    bool no_transparency = wish_get(wish, EGL_TRANSPARENT_TYPE) != EGL_TRANSPARENT_RGB;
    for (size_t i = 0; i < GEGL_ATTRIB_COUNT; i++) {
        EGLint want = wish->values[i], have = config->values[i];
        bool ok = true;
        if (want == EGL_DONT_CARE ||
            (no_transparency && is_transparent_value((EGLint)i + GEGL_ATTRIB_FIRST))) {
            continue;
        }
        switch (rules[i].criterion) {
        case CRITERION_EXACT:
            ok = have == want;
            break;
        case CRITERION_MASK:
            ok = (have & want) == want;
            break;
        case CRITERION_AT_LEAST:
            ok = have >= want;
            break;
        default:
            break;
        }
        if (!ok) {
            return false;
        }
    }
    /* A pixmap's depth is looked at when a surface is made of it. */
    return wish_get(wish, EGL_MATCH_NATIVE_PIXMAP) == EGL_NONE ||
           (gegl_config_get(config, EGL_SURFACE_TYPE) & EGL_PIXMAP_BIT) != 0;
}

/* Sorting rule 3: bits of those colour components that were asked for. */
static EGLint color_bits(const struct gegl_config *config, const struct wish *wish)
{
    static const EGLint rgb[] = {EGL_RED_SIZE, EGL_GREEN_SIZE, EGL_BLUE_SIZE, EGL_ALPHA_SIZE};
    static const EGLint luminance[] = {EGL_LUMINANCE_SIZE, EGL_ALPHA_SIZE};
    bool is_rgb = gegl_config_get(config, EGL_COLOR_BUFFER_TYPE) == EGL_RGB_BUFFER;
    const EGLint *list = is_rgb ? rgb : luminance;
    size_t count = is_rgb ? 4 : 2;
    EGLint bits = 0;
    for (size_t i = 0; i < count; i++) {
        EGLint want = wish_get(wish, list[i]);
        if (want != 0 && want != EGL_DONT_CARE) {
            bits += gegl_config_get(config, list[i]);
        }
    }
    return bits;
}

static int caveat_rank(EGLint caveat)
{
    return caveat == EGL_NONE ? 0 : caveat == EGL_SLOW_CONFIG ? 1 : 2;
}

/* The order of section 3.4.1.2; never 0 for two different configurations. */
static int compare(const void *left, const void *right, void *user)
{
    static const EGLint smaller_first[] = {
        EGL_BUFFER_SIZE,     EGL_SAMPLE_BUFFERS,     EGL_SAMPLES,  EGL_DEPTH_SIZE, EGL_STENCIL_SIZE,
        EGL_ALPHA_MASK_SIZE, EGL_NATIVE_VISUAL_TYPE, EGL_CONFIG_ID};
    const struct wish *wish = user;
    const struct gegl_config *a = &wish->configs[*(const uint32_t *)left];
    const struct gegl_config *b = &wish->configs[*(const uint32_t *)right];
    int d = caveat_rank(gegl_config_get(a, EGL_CONFIG_CAVEAT)) -
            caveat_rank(gegl_config_get(b, EGL_CONFIG_CAVEAT));
    if (d == 0) { /* EGL_RGB_BUFFER 0x308E comes before EGL_LUMINANCE_BUFFER 0x308F */
        d = gegl_config_get(a, EGL_COLOR_BUFFER_TYPE) - gegl_config_get(b, EGL_COLOR_BUFFER_TYPE);
    }
    if (d == 0) {
        d = color_bits(b, wish) - color_bits(a, wish);
    }
    for (size_t i = 0; d == 0 && i < sizeof smaller_first / sizeof smaller_first[0]; i++) {
        EGLint x = gegl_config_get(a, smaller_first[i]), y = gegl_config_get(b, smaller_first[i]);
        d = (x > y) - (x < y);
    }
    return d;
}

EGLint gegl_configs_choose(const struct gegl_config *configs, uint32_t count, const EGLint *attribs,
                           uint32_t *order, uint32_t *matches)
{
    struct wish wish = {.configs = configs};
    EGLint error = wish_read(&wish, attribs);
    if (error != EGL_SUCCESS) {
        return error;
    }
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (matches_wish(&configs[i], &wish)) {
            order[n++] = i;
        }
    }
    qsort_r(order, n, sizeof *order, compare, &wish);
    *matches = n;
    return EGL_SUCCESS;
}

static uint32_t mask_bits(uint32_t mask)
{
    return (uint32_t)__builtin_popcount(mask);
}

/* The layouts that colour buffers can have in memory: blue lowest. */
static bool layout_fits(const struct gegl_windows *windows, uint32_t red, uint32_t green,
                        uint32_t blue, uint32_t red_mask)
{
    return (red == 8 && green == 8 && blue == 8 && red_mask == 0xff0000u) ||
           (red == 5 && green == 6 && blue == 5 && red_mask == 0xf800u) ||
           (windows->has_ten_bits && red == 10 && green == 10 && blue == 10 &&
            red_mask == 0x3ff00000u);
}

/* Is there one of this class that has no bits beside those of colours? */
static bool has_plain_visual(const struct gegl_windows *windows, int type, uint32_t depth)
{
    for (uint32_t v = 0; v < windows->visual_count; v++) {
        if (windows->visuals[v].type == type && windows->visuals[v].depth == depth) {
            return true;
        }
    }
    return false;
}

static bool visual_fits(const struct gegl_windows *windows, const struct gx_visual *visual,
                        const struct gegl_config *config)
{
    uint32_t red = (uint32_t)gegl_config_get(config, EGL_RED_SIZE),
             green = (uint32_t)gegl_config_get(config, EGL_GREEN_SIZE);
    uint32_t blue = (uint32_t)gegl_config_get(config, EGL_BLUE_SIZE),
             alpha = (uint32_t)gegl_config_get(config, EGL_ALPHA_SIZE);
    if (visual->blue_mask != (1u << mask_bits(visual->blue_mask)) - 1 ||
        mask_bits(visual->red_mask) != red || mask_bits(visual->green_mask) != green ||
        mask_bits(visual->blue_mask) != blue) {
        return false;
    }
    uint32_t color = red + green + blue;
    /* A visual without alpha shows a picture with alpha opaquely: what nearly every program wants.
     * One with alpha shows pictures without it where there is no other, as drivers list it. */
    return layout_fits(windows, red, green, blue, visual->red_mask) &&
           (visual->depth == color || (alpha != 0 && visual->depth == color + alpha) ||
            (alpha == 0 && visual->depth == 32 && !has_plain_visual(windows, visual->type, color)));
}

/* What a context of ours can do with a configuration, out of what the host says. */
static void narrow(struct gegl_config *config, uint32_t gles_version)
{
    EGLint ours =
        EGL_OPENGL_ES_BIT | EGL_OPENGL_ES2_BIT | (gles_version >= 30 ? EGL_OPENGL_ES3_BIT : 0);
    EGLint renderable = gegl_config_get(config, EGL_RENDERABLE_TYPE);
    EGLint conformant = gegl_config_get(config, EGL_CONFORMANT);
    if ((renderable & EGL_OPENGL_ES2_BIT) != 0 && gles_version >= 30) {
        renderable |= EGL_OPENGL_ES3_BIT; /* the host made 3.x of it */
        conformant |= (conformant & EGL_OPENGL_ES2_BIT) != 0 ? EGL_OPENGL_ES3_BIT : 0;
    }
    gegl_config_set(config, EGL_RENDERABLE_TYPE, renderable & ours);
    gegl_config_set(config, EGL_CONFORMANT, conformant & ours);
    gegl_config_set(config, EGL_SURFACE_TYPE,
                    gegl_config_get(config, EGL_SURFACE_TYPE) & EGL_PBUFFER_BIT);
    gegl_config_set(config, EGL_NATIVE_VISUAL_ID, 0);
    gegl_config_set(config, EGL_NATIVE_VISUAL_TYPE, EGL_NONE);
}

static enum sl_result host_configs_read(const uint32_t *table, uint32_t attrib_count,
                                        uint32_t count, uint32_t gles_version,
                                        struct gegl_config *out)
{
    for (uint32_t row = 0; row < count; row++) {
        struct gegl_config *config = &out[row];
        *config = (struct gegl_config){.host_index = row};
        for (size_t i = 0; i < GEGL_ATTRIB_COUNT; i++) {
            EGLint fallback = rules[i].fallback;
            config->values[i] = fallback == EGL_DONT_CARE ? 0 : fallback;
        }
        gegl_config_set(config, EGL_CONFIG_CAVEAT, EGL_NONE);
        gegl_config_set(config, EGL_RENDERABLE_TYPE, 0);
        for (uint32_t i = 0; i < attrib_count; i++) {
            EGLint attrib = (EGLint)table[i];
            if (rule_find(attrib) != NULL) {
                gegl_config_set(config, attrib,
                                (EGLint)table[(size_t)(row + 1) * attrib_count + i]);
            }
        }
        if (gegl_config_get(config, EGL_RED_SIZE) <= 0 ||
            gegl_config_get(config, EGL_RED_SIZE) > 32) {
            return SL_ERR_PROTOCOL;
        }
        narrow(config, gles_version);
    }
    return SL_OK;
}

/* One for each pair of a visual and a configuration that fit. */
static uint32_t visuals_pair(const struct gegl_windows *windows, const struct gegl_config *host,
                             uint32_t count, struct gegl_config *out)
{
    uint32_t n = 0;
    for (uint32_t v = 0; v < windows->visual_count; v++) {
        const struct gx_visual *visual = &windows->visuals[v];
        for (uint32_t i = 0; i < count; i++) {
            if (!visual_fits(windows, visual, &host[i])) {
                continue;
            }
            out[n] = host[i];
            out[n].depth = visual->depth;
            gegl_config_set(&out[n], EGL_SURFACE_TYPE,
                            gegl_config_get(&host[i], EGL_SURFACE_TYPE) | EGL_WINDOW_BIT |
                                EGL_PIXMAP_BIT | EGL_SWAP_BEHAVIOR_PRESERVED_BIT);
            gegl_config_set(&out[n], EGL_NATIVE_RENDERABLE, EGL_TRUE);
            gegl_config_set(&out[n], EGL_NATIVE_VISUAL_ID, (EGLint)visual->id);
            gegl_config_set(&out[n], EGL_NATIVE_VISUAL_TYPE, visual->type);
            n++;
        }
    }
    return n;
}

static bool format_fits(const struct gegl_windows *windows, const struct gegl_window_format *format,
                        const struct gegl_config *config)
{
    return (format->red != 10 || windows->has_ten_bits) &&
           gegl_config_get(config, EGL_RED_SIZE) == format->red &&
           gegl_config_get(config, EGL_GREEN_SIZE) == format->green &&
           gegl_config_get(config, EGL_BLUE_SIZE) == format->blue &&
           gegl_config_get(config, EGL_ALPHA_SIZE) == format->alpha;
}

/* The configurations that one of the formats shows. */
static uint32_t formats_pair(const struct gegl_windows *windows, const struct gegl_config *host,
                             uint32_t count, struct gegl_config *out)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t f = 0;
        while (f < windows->format_count && !format_fits(windows, &windows->formats[f], &host[i])) {
            f++;
        }
        if (f < windows->format_count) {
            out[n] = host[i];
            gegl_config_set(&out[n], EGL_SURFACE_TYPE, EGL_WINDOW_BIT);
            gegl_config_set(&out[n], EGL_BIND_TO_TEXTURE_RGB, EGL_FALSE);
            gegl_config_set(&out[n], EGL_BIND_TO_TEXTURE_RGBA, EGL_FALSE);
            gegl_config_set(&out[n], EGL_MIN_SWAP_INTERVAL, windows->format_min_interval);
            gegl_config_set(&out[n], EGL_MAX_SWAP_INTERVAL, windows->format_max_interval);
            gegl_config_set(&out[n], EGL_NATIVE_VISUAL_ID, windows->formats[f].visual_id);
            n++;
        }
    }
    return n;
}

enum sl_result gegl_configs_read(const uint32_t *table, uint32_t attrib_count, uint32_t count,
                                 uint32_t gles_version, const struct gegl_windows *windows,
                                 struct gegl_config **configs, uint32_t *config_count)
{
    if (count == 0 || attrib_count == 0) {
        return SL_ERR_PROTOCOL;
    }
    struct gegl_config *host = sl_alloc_array(count, sizeof *host);
    struct gegl_config *all =
        sl_alloc_array((size_t)count * (windows->visual_count + 1), sizeof *all);
    enum sl_result r = host == NULL || all == NULL
                           ? SL_ERR_NOMEM
                           : host_configs_read(table, attrib_count, count, gles_version, host);
    if (r != SL_OK) {
        sl_free(host);
        sl_free(all);
        return r;
    }
    uint32_t pbuffers = 0;
    uint32_t n = windows->format_count != 0 ? formats_pair(windows, host, count, all)
                                            : visuals_pair(windows, host, count, all);
    for (uint32_t i = 0; n == 0 && i < count; i++) { /* no windows: pbuffers */
        if (!windows->hides_floats || !gegl_config_is_float(&host[i])) {
            all[pbuffers++] = host[i];
        }
    }
    n += pbuffers;
    for (uint32_t i = 0; i < n; i++) {
        gegl_config_set(&all[i], EGL_CONFIG_ID, (EGLint)i + 1);
    }
    sl_free(host);
    *configs = all;
    *config_count = n;
    return SL_OK;
}
