/* Configurations: the host's table made EGL's, matching and sorting (EGL 1.5, 3.4.1). Pure
 * functions, any thread. */
#ifndef GUEST_EGL_CONFIG_H
#define GUEST_EGL_CONFIG_H

#include "guest/x11/gx.h"
#include "transport/base/result.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Attributes of a configuration lie in one range, EGL_BUFFER_SIZE .. EGL_CONFORMANT, but for
 * EGL_COLOR_COMPONENT_TYPE_EXT, which comes behind them. */
#define GEGL_ATTRIB_FIRST EGL_BUFFER_SIZE
#define GEGL_ATTRIB_RANGE (EGL_CONFORMANT - EGL_BUFFER_SIZE + 1)
#define GEGL_ATTRIB_COUNT (GEGL_ATTRIB_RANGE + 1)

struct gegl_config {
    uint32_t host_index; /* row of the host's table: what renderControl calls a config */
    uint32_t depth;      /* of the X visual, in bits; 0 without visual */
    EGLint values[GEGL_ATTRIB_COUNT];
};

/* Where an attribute's value lies; it is one of a configuration. */
static inline EGLint gegl_attrib_slot(EGLint attrib)
{
    return attrib == EGL_COLOR_COMPONENT_TYPE_EXT ? GEGL_ATTRIB_RANGE : attrib - GEGL_ATTRIB_FIRST;
}
static inline EGLint gegl_config_get(const struct gegl_config *config, EGLint attrib)
{
    return config->values[gegl_attrib_slot(attrib)];
}
/* The host surface keeps its picture over a swap; configurations say so where drivers' do. */
static inline bool gegl_config_preserves(const struct gegl_config *config)
{
    return (gegl_config_get(config, EGL_SURFACE_TYPE) & EGL_SWAP_BEHAVIOR_PRESERVED_BIT) != 0;
}
static inline void gegl_config_set(struct gegl_config *config, EGLint attrib, EGLint value)
{
    config->values[gegl_attrib_slot(attrib)] = value;
}
static inline bool gegl_config_is_float(const struct gegl_config *config)
{
    return gegl_config_get(config, EGL_COLOR_COMPONENT_TYPE_EXT) ==
           EGL_COLOR_COMPONENT_TYPE_FLOAT_EXT;
}

/* Is it an attribute that eglGetConfigAttrib answers? */
bool gegl_config_has(EGLint attrib);

/* A layout of pixels that a window system without visuals shows. */
struct gegl_window_format {
    uint8_t red, green, blue, alpha; /* bits */
    EGLint visual_id;                /* EGL_NATIVE_VISUAL_ID */
};

/* What windows can have: visuals of an X screen, or formats; neither: there are no windows. */
struct gegl_windows {
    const struct gx_visual *visuals;
    uint32_t visual_count;
    const struct gegl_window_format *formats;
    uint32_t format_count;
    EGLint format_min_interval; /* EGL_MIN_SWAP_INTERVAL with formats */
    EGLint format_max_interval; /* EGL_MAX_SWAP_INTERVAL with formats */
    bool has_ten_bits;          /* colour buffers can have 10 bits a channel */
    bool hides_floats;          /* pbuffers of float channels are not listed */
};

/* The host's table (row 0: attribute names; rows 1..count: values) as EGL configurations with ids
 * from 1. With visuals: one for each pair that fits by channel sizes, visuals outermost; with
 * formats: those that fit one, for windows only; both as native drivers list them. When nothing
 * fits, or there are no windows, all, for pbuffers only. gles_version: highest context version.
 * Gives *configs (sl_free). PROTOCOL: the table misses what we need; NOMEM. */
enum sl_result gegl_configs_read(const uint32_t *table, uint32_t attrib_count, uint32_t count,
                                 uint32_t gles_version, const struct gegl_windows *windows,
                                 struct gegl_config **configs, uint32_t *config_count) SL_MUST_USE;

/* eglChooseConfig's rules. attribs: nullable, ends with EGL_NONE. order: room for `count` indices.
 * EGL error. */
EGLint gegl_configs_choose(const struct gegl_config *configs, uint32_t count, const EGLint *attribs,
                           uint32_t *order, uint32_t *matches);

#endif
