/* The options that every verb with a host of its own has: written once. */
#ifndef SLUICE_HOST_OPTIONS_H
#define SLUICE_HOST_OPTIONS_H

#include "host/vulkan/spirv.h"
#include "tools/sluice/host.h"
#include "tools/sluice/opt.h"
#include "tools/sluice/say.h"
#include "transport/base/clock.h"

enum {
    HOST_OPT_STOCK,
    HOST_OPT_GPU,
    HOST_OPT_EGL_LIBRARY,
    HOST_OPT_EGL_VENDOR,
    HOST_OPT_MEMORY,
    HOST_OPT_HANG,
    HOST_OPT_COUNT
};

/* Of hosts for programs that their starter does not choose. */
#define HOST_TRUST                                                                                 \
    {                                                                                              \
        .name = "trust",                                                                           \
        .help = "hand shaders to the driver unchecked, and device addresses to every program"      \
    }

/* Beside it. Those of games and browsers have some hundred kilobytes, of ray tracing some thousand.
 */
#define HOST_SHADER_BYTES                                                                          \
    {                                                                                              \
        .name = "shader-size", .kind = OPT_NUMBER, .value = "BYTES", .min = 1u << 10,              \
        .max = 1u << 30, .fallback = "4M",                                                         \
        .help = "most SPIR-V of one Vulkan shader; with --trust any"                               \
    }

/* Designated from `first` on, at the end of a verb's table. */
#define HOST_OPTION_LIST(first)                                                                    \
    [(first) +                                                                                     \
        HOST_OPT_STOCK] = {.name = "stock",                                                        \
                           .help = "offer guests nothing that upstream gfxstream does not"},       \
        [(first) + HOST_OPT_GPU] =                                                                 \
            {.name = "gpu",                                                                        \
             .kind = OPT_TEXT,                                                                     \
             .value = "NAME|INDEX|UUID",                                                           \
             .help = "draw on this device, as doctor lists it; part of its name will do"},         \
        [(first) + HOST_OPT_EGL_LIBRARY] = {.name = "egl-library",                                 \
                                            .kind = OPT_TEXT,                                      \
                                            .value = "PATH",                                       \
                                            .help = "native EGL library; default libEGL.so.1"},    \
        [(first) + HOST_OPT_EGL_VENDOR] =                                                          \
            {.name = "egl-vendor",                                                                 \
             .kind = OPT_TEXT,                                                                     \
             .value = "FILE",                                                                      \
             .help = "glvnd vendor file of the native driver; default glvnd's choice"},            \
        [(first) + HOST_OPT_MEMORY] = {.name = "memory",                                           \
                                       .kind = OPT_NUMBER,                                         \
                                       .value = "BYTES",                                           \
                                       .min = 1u << 20,                                            \
                                       .max = (uint64_t)1 << 40,                                   \
                                       .fallback = "2G",                                           \
                                       .help = "most memory that one program may have here"},      \
        [(first) + HOST_OPT_HANG] = {                                                              \
            .name = "hang-limit",                                                                  \
            .kind = OPT_NUMBER,                                                                    \
            .value = "SECONDS",                                                                    \
            .max = 86400,                                                                          \
            .fallback = "0",                                                                       \
            .help = "who waits longer for Vulkan work loses the device; 0: never"}

static inline void host_options_read(const struct opt_set *set, size_t first,
                                     struct host_options *host)
{
    host->device.stock = opt_on(set, first + HOST_OPT_STOCK);
    host->device.gpu = opt_text(set, first + HOST_OPT_GPU);
    host->device.egl_library = opt_text(set, first + HOST_OPT_EGL_LIBRARY);
    host->device.egl_vendor = opt_text(set, first + HOST_OPT_EGL_VENDOR);
    host->device.hang_ns = opt_number(set, first + HOST_OPT_HANG) * SL_NS_PER_S;
    host->resource_bytes = opt_number(set, first + HOST_OPT_MEMORY);
}

/* Shaders of programs that the host's starter does not choose are checked before a driver sees
 * them, where this build can. most_bytes: of HOST_SHADER_BYTES. */
static inline void host_options_check_shaders(struct host_options *host, uint64_t most_bytes)
{
    host->device.shader_bytes = most_bytes;
    host->device.is_valid_spirv = spirv_checker();
    host->device.clamps_indices = true;
    if (host->device.is_valid_spirv == NULL) {
        say_note("Vulkan's shaders are not checked: this was built without SPIRV-Tools");
    }
}

#endif
