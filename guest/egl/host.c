#include "guest/egl/host.h"

#include "guest/stream/gs_stage.h"

#include "guest/rc_call.h"
#include "guest/sl_call.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "wire/rc_pack.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX      (1u << 20)
#define CONFIGS_MAX    4096u
#define ATTRIBS_MAX    256u
#define CHECKSUM_BYTES 8u

static bool has(const char *words, const char *word)
{
    return strstr(words, word) != NULL;
}

struct gegl_host gegl_host_parse(const char *words, bool sluice)
{
    struct gegl_host host = {.gles_features = ggl_features_parse(words), .gles_version = 20};
    /* Facts T13: words are matched as substrings, and the 2 wins. */
    if (!has(words, "ANDROID_EMU_gles_max_version_2")) {
        if (has(words, "ANDROID_EMU_gles_max_version_3_1") ||
            has(words, "ANDROID_EMU_gles_max_version_3_2")) {
            host.gles_version = 31;
        } else if (has(words, "ANDROID_EMU_gles_max_version_3_0")) {
            host.gles_version = 30;
        }
    }
    bool gpu_native = has(words, "ANDROID_EMU_virtio_gpu_native_sync");
    host.checksum = has(words, "ANDROID_EMU_CHECKSUM_HELPER_v1");
    host.sync = gpu_native || has(words, "ANDROID_EMU_native_sync_v") || sluice;
    host.sync_status = gpu_native || has(words, "ANDROID_EMU_native_sync_v4") || sluice;
    host.native_fence = gpu_native;
    host.frame_number = has(words, "ANDROID_EMU_host_side_tracing");
    if (sluice) {
        host.gles_features |= GGL_FEATURE_SLUICE;
    }
    return host;
}

static enum sl_result words_read(struct gs_stream *stream, char **words)
{
    uint32_t size = 1024;
    for (int i = 0; i < 2; i++) {
        char *text = sl_alloc(size + 1);
        if (text == NULL) {
            return SL_ERR_NOMEM;
        }
        int32_t answer = rc_call_rcGetHostExtensionsString(stream, (EGLint)size, text, size);
        if (!gs_dead(stream) && answer > 0) {
            text[size] = '\0';
            *words = text;
            return SL_OK;
        }
        sl_free(text);
        if (gs_dead(stream)) {
            return SL_ERR_CLOSED;
        }
        if (answer >= 0 || answer < -(int32_t)WORDS_MAX) {
            return SL_ERR_PROTOCOL;
        }
        size = (uint32_t)-answer + 1;
    }
    return SL_ERR_PROTOCOL;
}

static void checksum_select(struct gs_stream *stream)
{
    rc_pack_rcSelectChecksumHelper(gs_pack(stream), 1, 0);
    gs_pack(stream)->tail = CHECKSUM_BYTES;
}

/* What the host's own EGL has, as far as we pass it on. */
static void egl_ask(struct gs_stream *stream, struct gegl_host *host)
{
    char text[4096];
    GLint length = rc_call_rcQueryEGLString(stream, EGL_EXTENSIONS, text, sizeof text, sizeof text);
    text[length > 0 && (size_t)length < sizeof text ? (size_t)length : 0] = '\0';
    host->colorspace = has(text, "EGL_KHR_gl_colorspace");
    host->floats = host->floats && has(text, "EGL_EXT_pixel_format_float");
    host->image_3d = has(text, "EGL_KHR_gl_texture_3D_image");
    host->image_cube = has(text, "EGL_KHR_gl_texture_cubemap_image");
    host->image_renderbuffer = has(text, "EGL_KHR_gl_renderbuffer_image");
}

enum sl_result gegl_host_ask(struct gs_stream *stream, struct gegl_host *host)
{
    char *words;
    enum sl_result r = words_read(stream, &words);
    if (r != SL_OK) {
        return r;
    }
    *host = gegl_host_parse(words, stream->device->own);
    if ((stream->device->features & SLUICE_FEATURE_GLESX) != 0) {
        host->gles_features |= GGL_FEATURE_GLESX;
    }
    if ((stream->device->features & SLUICE_FEATURE_LOCATIONS) != 0) {
        host->gles_features |= GGL_FEATURE_LOCATIONS;
    }
    host->view = (stream->device->features & SLUICE_FEATURE_VIEW) != 0;
    host->ten_bits = (stream->device->features & SLUICE_FEATURE_TEN_BITS) != 0;
    if (host->view) {
        host->gles_features |= GGL_FEATURE_TARGETS;
    }
    if ((stream->device->features & SLUICE_FEATURE_SIGNAL) != 0) {
        host->gles_features |= GGL_FEATURE_SIGNAL;
    }
    if ((stream->device->features & SLUICE_FEATURE_STORE) != 0) {
        host->gles_features |= GGL_FEATURE_STORE;
    }
    const char *async = getenv("SLUICE_ASYNC_ERRORS");
    if ((stream->device->features & SLUICE_FEATURE_ERRORS) != 0 && async != NULL &&
        strcmp(async, "1") == 0) {
        host->gles_features |= GGL_FEATURE_ASYNC_ERRORS;
    }
    host->floats = (stream->device->features & SLUICE_FEATURE_FLOATS) != 0;
    if ((stream->device->features & SLUICE_FEATURE_EGL) != 0) {
        egl_ask(stream, host);
    }
    /* A fence of a host on the same kernel is a descriptor, but no sync file. */
    host->native_fence &= !stream->device->shared_futex;
    host->dma_buf = !stream->device->shared_futex;
    host->export = host->dma_buf && (stream->device->features & SLUICE_FEATURE_EXPORT) != 0;
    if (gs_stages(stream)) {
        host->gles_features |= GGL_FEATURE_STAGE;
    }
    if ((stream->device->features & SLUICE_FEATURE_GLES_32) != 0 && host->gles_version == 31) {
        host->gles_version = 32;
    }
    sl_debug("egl", "host announces: %s", words);
    sl_free(words);
    if (host->checksum && gs_pack(stream)->tail == 0) {
        checksum_select(stream);
    }
    GLint version = rc_call_rcGetRendererVersion(stream);
    if (gs_dead(stream)) {
        return SL_ERR_CLOSED;
    }
    if (version != 1) {
        sl_error("egl", "host speaks renderControl version %d, should be 1", version);
        return SL_ERR_PROTOCOL;
    }
    return SL_OK;
}

/* How many configurations there are, and of how many attributes each. False: the host is gone. */
static bool configs_count(struct gs_stream *stream, bool floats, uint32_t *attribs, EGLint *configs)
{
    *attribs = 0;
    *configs = rc_call_rcGetNumConfigs(stream, attribs, sizeof *attribs);
    if (floats && !gs_dead(stream) && *attribs < ATTRIBS_MAX) {
        uint32_t none, row = (*attribs + 1) * (uint32_t)sizeof(uint32_t); /* one column more */
        EGLint need = sl_call_slGetConfigs(stream, sizeof none, &none, sizeof none);
        *attribs += 1;
        *configs = need < 0 && need > INT32_MIN ? -need / (EGLint)row - 1 : 0;
    }
    return !gs_dead(stream);
}

enum sl_result gegl_host_configs(struct gs_stream *stream, bool floats, uint32_t **table,
                                 uint32_t *attrib_count, uint32_t *count)
{
    uint32_t attribs;
    EGLint configs;
    if (!configs_count(stream, floats, &attribs, &configs)) {
        return SL_ERR_CLOSED;
    }
    if (configs <= 0 || (uint32_t)configs > CONFIGS_MAX || attribs == 0 || attribs > ATTRIBS_MAX) {
        sl_error("egl", "host offers %d configurations of %u attributes", configs, attribs);
        return SL_ERR_PROTOCOL;
    }
    uint32_t size = ((uint32_t)configs + 1) * attribs * (uint32_t)sizeof(uint32_t);
    uint32_t *values = sl_alloc(size);
    if (values == NULL) {
        return SL_ERR_NOMEM;
    }
    EGLint got = floats ? sl_call_slGetConfigs(stream, size, values, size)
                        : rc_call_rcGetConfigs(stream, size, values, size);
    if (gs_dead(stream) || got != configs) {
        sl_free(values);
        return gs_dead(stream) ? SL_ERR_CLOSED : SL_ERR_PROTOCOL;
    }
    *table = values;
    *attrib_count = attribs;
    *count = (uint32_t)configs;
    return SL_OK;
}

void gegl_host_greet(struct gs_stream *stream, const struct gegl_host *host)
{
    if (host->checksum) {
        checksum_select(stream);
    }
}

void gegl_host_catch_up(struct gs_stream *stream)
{
    (void)rc_call_rcGetRendererVersion(stream);
}
