/* What the host says about itself: versions, strings, feature words, configs. */
#include "host/rc/hrc_internal.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <stdio.h>
#include <string.h>

/* Every word is true of this host; each ends in a space, as the guest's splitter loses a last word
 * without one. */
char *hrc_feature_words(const struct hs_native *native, bool stock)
{
    char words[1024];
    if (native == NULL) {
        return sl_strdup("");
    }
    const char *version = native->gles_version >= 31   ? "ANDROID_EMU_gles_max_version_3_1 "
                          : native->gles_version == 30 ? "ANDROID_EMU_gles_max_version_3_0 "
                                                       : "ANDROID_EMU_gles_max_version_2 ";
    snprintf(words, sizeof words, "%s%s%s%s%s", version,
             "ANDROID_EMU_sync_buffer_data ANDROID_EMU_async_unmap_buffer "
             "ANDROID_EMU_async_frame_commands "
             "ANDROID_EMU_host_composition_v1 ANDROID_EMU_host_composition_v2 "
             "ANDROID_EMU_host_side_tracing ",
             native->fence_sync ? "ANDROID_EMU_virtio_gpu_native_sync " : "",
             stock ? "" : "ANDROID_EMU_gles_use_host_error ",
             native->gles_version >= 30 ? "GL_OES_EGL_image_external_essl3 " : "");
    return sl_strdup(words);
}

/* Bytes of an output that the guest sized: `text` with its NUL when it fits. The wire's result: n,
 * or -n when more is needed. */
static int32_t put_text(void *out, uint32_t out_size, int32_t said_size, const char *text,
                        size_t length)
{
    int32_t need = (int32_t)length + 1;
    if (said_size < need || out_size < (uint32_t)need) {
        return -need;
    }
    memcpy(out, text, length);
    ((char *)out)[length] = '\0';
    return need;
}

int32_t hrc_rcGetRendererVersion(struct hr_call *call,
                                 const struct rc_args_rcGetRendererVersion *args)
{
    (void)call;
    (void)args;
    return 1;
}

int32_t hrc_rcGetEGLVersion(struct hr_call *call, const struct rc_args_rcGetEGLVersion *args)
{
    const struct hs_native *n = hrc_thread_of(call)->client->native;
    if (n == NULL) {
        return EGL_FALSE;
    }
    sl_store_u32(args->major, (uint32_t)n->egl_major);
    sl_store_u32(args->minor, (uint32_t)n->egl_minor);
    return EGL_TRUE;
}

int32_t hrc_rcQueryEGLString(struct hr_call *call, const struct rc_args_rcQueryEGLString *args)
{
    const struct hs_native *n = hrc_thread_of(call)->client->native;
    const char *text = NULL;
    if (n != NULL && (args->name == EGL_VENDOR || args->name == EGL_VERSION ||
                      args->name == EGL_EXTENSIONS || args->name == EGL_CLIENT_APIS)) {
        text = n->egl.QueryString(n->display, (EGLint)args->name);
    }
    return text == NULL
               ? 0
               : put_text(args->buffer, args->buffer_size, args->bufferSize, text, strlen(text));
}

/* "OpenGL ES M.m rest" says what gles_max_version says, or what was asked for; everything else
 * stays. */
static size_t rewrite_version(const struct hs_native *n, bool is_gles32, const char *text,
                              char *out, size_t size)
{
    static const char start[] = "OpenGL ES ";
    const char *number = text + sizeof start - 1;
    const char *rest = strncmp(text, start, sizeof start - 1) == 0 ? strchr(number, ' ') : NULL;
    int length;
    if (rest == NULL || strncmp(text, "OpenGL ES-CM", 12) == 0) {
        length = snprintf(out, size, "%s", text);
    } else {
        uint32_t most = is_gles32 ? 32 : 31;
        uint32_t v = n->gles_version > most ? most : n->gles_version;
        length = snprintf(out, size, "OpenGL ES %u.%u%s", v / 10, v % 10, rest);
    }
    return length < 0 ? 0 : (size_t)length < size ? (size_t)length : size - 1;
}

int32_t hrc_rcGetGLString(struct hr_call *call, const struct rc_args_rcGetGLString *args)
{
    struct hrc_thread *thread = hrc_thread_of(call);
    const struct hrc_client *c = thread->client;
    const struct hrc_context *context = hrc_current(thread);
    const char *text = NULL;
    if (context != NULL) {
        const struct gl_driver *gl = context->is_gles1 ? c->native->gl1 : c->native->gl;
        text = (const char *)gl->GetString(args->name);
    }
    text = text != NULL ? text : "";
    size_t length = strlen(text), words = strlen(c->words);
    size_t size = length + words + 64;
    char *all = sl_arena_get(call->in.arena, size);
    if (all == NULL) {
        return 0;
    }
    if (args->name == GL_EXTENSIONS) {
        bool space = length > 0 && text[length - 1] != ' ';
        length = (size_t)snprintf(all, size, "%s%s%s", text, space ? " " : "", c->words);
    } else if (args->name == GL_VERSION && context != NULL) {
        length = rewrite_version(c->native, context->is_gles32, text, all, size);
    } else {
        memcpy(all, text, length + 1);
    }
    return put_text(args->buffer, args->buffer_size, args->bufferSize, all, length);
}

int32_t hrc_rcGetHostExtensionsString(struct hr_call *call,
                                      const struct rc_args_rcGetHostExtensionsString *args)
{
    const char *words = hrc_thread_of(call)->client->words;
    uint32_t said = args->bufferSize > INT32_MAX ? INT32_MAX : args->bufferSize;
    return put_text(args->buffer, args->buffer_size, (int32_t)said, words, strlen(words));
}

int32_t hrc_rcGetNumConfigs(struct hr_call *call, const struct rc_args_rcGetNumConfigs *args)
{
    const struct hs_native *n = hrc_thread_of(call)->client->native;
    sl_store_u32(args->numAttribs, HS_CONFIG_ATTRIBUTES);
    return n != NULL ? (int32_t)n->fixed_count : 0;
}

int32_t hrc_rcGetConfigs(struct hr_call *call, const struct rc_args_rcGetConfigs *args)
{
    const struct hs_native *n = hrc_thread_of(call)->client->native;
    const uint32_t row = sizeof hs_config_attributes;
    uint32_t count = n != NULL ? n->fixed_count : 0;
    uint32_t need = (count + 1) * row;
    if (args->bufSize < need || args->buffer_size < need) {
        return -(int32_t)need;
    }
    uint8_t *out = args->buffer;
    memcpy(out, hs_config_attributes, row);
    for (uint32_t i = 0; i < count; i++) {
        memcpy(out + (size_t)(i + 1) * row, n->configs[i].values, row);
    }
    return (int32_t)count;
}

/* The same table with all configs and one column more: whether channels are float. */
int32_t hrc_slGetConfigs(struct hr_call *call, const struct sl_args_slGetConfigs *args)
{
    const struct hs_native *n = hrc_thread_of(call)->client->native;
    const uint32_t names = sizeof hs_config_attributes, row = names + 4;
    uint32_t count = n != NULL ? n->config_count : 0;
    uint32_t need = (count + 1) * row;
    if (args->bufSize < need || args->buffer_size < need) {
        return -(int32_t)need;
    }
    uint8_t *out = args->buffer;
    memcpy(out, hs_config_attributes, names);
    sl_store_u32(out + names, EGL_COLOR_COMPONENT_TYPE_EXT);
    for (uint32_t i = 0; i < count; i++) {
        out += row;
        memcpy(out, n->configs[i].values, names);
        sl_store_u32(out + names, n->configs[i].is_float ? EGL_COLOR_COMPONENT_TYPE_FLOAT_EXT
                                                         : EGL_COLOR_COMPONENT_TYPE_FIXED_EXT);
    }
    return (int32_t)count;
}

#define CHOOSE_PAIRS 64u

/* The guest's wishes as the native display understands them: windows are pbuffers here. */
static bool choose_attribs(const void *data, uint32_t size, EGLint out[CHOOSE_PAIRS * 2 + 3])
{
    const uint8_t *p = data;
    uint32_t words = size / 4, n = 0;
    bool surface = false;
    for (uint32_t i = 0; i + 1 < words && n < CHOOSE_PAIRS * 2; i += 2) {
        EGLint name = (EGLint)sl_load_u32(p + (size_t)i * 4),
               value = (EGLint)sl_load_u32(p + (size_t)i * 4 + 4);
        if (name == EGL_NONE) {
            break;
        }
        if (name == EGL_SURFACE_TYPE) {
            value = EGL_PBUFFER_BIT;
            surface = true;
        }
        out[n++] = name;
        out[n++] = value;
    }
    if (!surface) {
        out[n++] = EGL_SURFACE_TYPE;
        out[n++] = EGL_PBUFFER_BIT;
    }
    out[n] = EGL_NONE;
    return words <= CHOOSE_PAIRS * 2 + 1;
}

static int32_t config_index(const struct hs_native *n, EGLConfig config)
{
    for (uint32_t i = 0; i < n->fixed_count; i++) {
        if (n->configs[i].config == config) {
            return (int32_t)i;
        }
    }
    return -1;
}

int32_t hrc_rcChooseConfig(struct hr_call *call, const struct rc_args_rcChooseConfig *args)
{
    const struct hs_native *n = hrc_thread_of(call)->client->native;
    EGLint attribs[CHOOSE_PAIRS * 2 + 3], found = 0;
    if (n == NULL || !choose_attribs(args->attribs, args->attribs_size, attribs)) {
        hr_call_refuse(call, "%u bytes of attributes", args->attribs_size);
        return -EGL_BAD_ATTRIBUTE;
    }
    EGLConfig configs[256];
    if (!n->egl.ChooseConfig(n->display, attribs, configs, 256, &found)) {
        EGLint error = n->egl.GetError();
        return -(error != EGL_SUCCESS ? error : EGL_BAD_ATTRIBUTE);
    }
    uint32_t count = 0, room = args->configs != NULL ? args->configs_size : 0;
    for (EGLint i = 0; i < found; i++) {
        int32_t index = config_index(n, configs[i]);
        if (index < 0) {
            continue;
        }
        if (room != 0 && count >= room) {
            break;
        }
        if (room != 0) {
            sl_store_u32((uint8_t *)args->configs + (size_t)count * 4, (uint32_t)index);
        }
        count++;
    }
    return (int32_t)count;
}

void hrc_rcSelectChecksumHelper(struct hr_call *call,
                                const struct rc_args_rcSelectChecksumHelper *args)
{
    if (args->newProtocol > 1) {
        hr_call_violate(call, "checksum version %u", args->newProtocol);
        return;
    }
    hr_ring_set_checksum(call->ring, args->newProtocol);
}

void hrc_rcSetPuid(struct hr_call *call, const struct rc_args_rcSetPuid *args)
{
    struct hrc_client *c = hrc_thread_of(call)->client;
    if (args->puid !=
        UINT64_MAX) { /* all ones: the virtio-gpu context is the process, as it is here anyway */
        pthread_mutex_lock(&c->lock);
        c->puid = args->puid;
        pthread_mutex_unlock(&c->lock);
    }
}

void hrc_rcSetTracingForPuid(struct hr_call *call, const struct rc_args_rcSetTracingForPuid *args)
{
    (void)call;
    (void)args;
}

void hrc_rcSetProcessMetadata(struct hr_call *call, const struct rc_args_rcSetProcessMetadata *args)
{
    char name[64];
    const char *value = args->valuePtr;
    size_t n = 0;
    for (; n < args->valuePtr_size && n + 1 < sizeof name && value[n] != '\0'; n++) {
        name[n] = value[n] >= ' ' && value[n] <= '~' ? value[n] : '?';
    }
    name[n] = '\0';
    sl_debug("rc", "context %u: process %s", hrc_thread_of(call)->client->ctx_id, name);
}
