#include "guest/gles/ggl_objects.h"

#include "transport/base/mem.h"

#include <string.h>

_Thread_local struct ggl_context *ggl_current_context
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
_Thread_local struct ggl_context *ggl1_current_context
    __attribute__((tls_model("initial-exec"), visibility("hidden")));
_Thread_local struct ggl_context *ggl_lost_context
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

static const struct {
    const char *word;
    uint32_t feature;
} feature_words[] = {
    {"ANDROID_EMU_sync_buffer_data", GGL_FEATURE_SYNC_BUFFER_DATA},
    {"ANDROID_EMU_async_unmap_buffer", GGL_FEATURE_ASYNC_UNMAP},
    {"ANDROID_EMU_gles_use_host_error", GGL_FEATURE_HOST_ERROR},
};

uint32_t ggl_features_parse(const char *words)
{
    uint32_t features = 0;
    while (*words) {
        size_t length = strcspn(words, " ");
        for (size_t i = 0; i < sizeof feature_words / sizeof *feature_words; i++) {
            const char *word = feature_words[i].word;
            if (strlen(word) == length && memcmp(word, words, length) == 0) {
                features |= feature_words[i].feature;
            }
        }
        words += length;
        words += strspn(words, " ");
    }
    return features;
}

void ggl_vertex_array_init(struct ggl_vertex_array *array, uint32_t name)
{
    *array =
        (struct ggl_vertex_array){.name = name, .client = name ? 0 : (1u << GGL_MAX_ATTRIBS) - 1};
    for (uint32_t i = 0; i < GGL_MAX_ATTRIBS; i++) {
        array->attribs[i] =
            (struct ggl_attrib){.size = 4, .type = GL_FLOAT, .element = 16, .pitch = 16};
    }
}

enum sl_result ggl_context_create(const struct ggl_context_args *args, struct ggl_context **out)
{
    struct ggl_context *c = sl_alloc(sizeof *c);
    if (!c) {
        return SL_ERR_NOMEM;
    }
    c->share = args->share ? ggl_share_ref(args->share->share) : ggl_share_create();
    if (!c->share) {
        sl_free(c);
        return SL_ERR_NOMEM;
    }
    sl_map_init(&c->vertex_arrays, SL_MAP_MOST);
    c->version = args->version;
    c->features = args->features;
    c->lose_on_reset = args->lose_on_reset;
    c->robust = args->robust;
    c->no_error = args->no_error;
    c->no_flush = args->no_flush;
    c->debug = args->debug;
    c->ops = args->ops;
    c->user = args->user;
    c->pack.alignment = 4;
    c->unpack.alignment = 4;
    ggl_vertex_array_init(&c->default_array, 0);
    if (ggl_fixed(c)) {
        for (uint32_t i = 0; i < GGL1_UNITS; i++) {
            c->fixed.texgen[i] = GL_REFLECTION_MAP_OES;
        }
    }
    c->vertex_array = &c->default_array;
    *out = c;
    return SL_OK;
}

/* Lost or not. */
static struct ggl_context *current_here(void)
{
    return ggl_current_context    ? ggl_current_context
           : ggl1_current_context ? ggl1_current_context
                                  : ggl_lost_context;
}

void ggl_context_destroy(struct ggl_context *c)
{
    if (!c) {
        return;
    }
    if (current_here() == c) {
        ggl_make_current(NULL, NULL);
    }
    uint32_t cursor = 0;
    for (void *array; (array = sl_map_next(&c->vertex_arrays, &cursor, NULL)) != NULL;) {
        sl_free(array);
    }
    sl_map_finish(&c->vertex_arrays);
    ggl_share_unref(c->share);
    for (size_t i = 0; i < sizeof c->strings / sizeof *c->strings; i++) {
        sl_free(c->strings[i]);
    }
    if (c->extensions != NULL) {
        /* Who kept a name finds it empty, and not what the memory holds next. */
        memset(c->extensions, 0, c->extensions_size);
    }
    sl_free(c->extensions);
    sl_free(c->extension_list);
    sl_free(c->scratch);
    sl_free(c);
}

/* The host's contexts are no debug ones, whose output begins enabled. */
static void debug_begin(struct ggl_context *c)
{
    c->debug_begun = true;
    if (!(c->features & GGL_FEATURE_SLUICE)) {
        return;
    }
    if (ggl_fixed(c)) {
        gles1_pack_glEnable(ggl_pack(c), GL_DEBUG_OUTPUT);
    } else {
        gles2_pack_glEnable(ggl_pack(c), GL_DEBUG_OUTPUT);
    }
}

void ggl_make_current(struct ggl_context *c, struct gs_stream *stream)
{
    struct ggl_context *old = current_here();
    if (old && old != c) {
        ggl_errors_take(old); /* the page is the stream's, whose next context has its own */
        old->stream = NULL;
    }
    if (c) {
        c->stream = stream;
        c->quiet = false;
        c->surface_answer_count = 0;
        ggl_order_enter(c);
    }
    bool fixed = c && ggl_fixed(c);
    ggl_current_context = fixed ? NULL : c;
    ggl1_current_context = fixed ? c : NULL;
    ggl_lost_context = NULL;
    if (c && c->debug && !c->debug_begun) {
        debug_begin(c);
    }
}

void ggl_surface_size(struct ggl_context *c, uint32_t width_px, uint32_t height_px)
{
    c->surface_width_px = width_px;
    c->surface_height_px = height_px;
}

bool ggl_context_lost(const struct ggl_context *c)
{
    return c->lost || (c->stream && gs_dead(c->stream));
}

void ggl_lose(struct ggl_context *c)
{
    if (c != NULL && current_here() == c && ggl_lost_context == NULL) {
        c->lost = true;
        c->error = GL_CONTEXT_LOST;
        ggl_current_context = NULL;
        ggl1_current_context = NULL;
        ggl_lost_context = c;
    }
}

void ggl_called_lost(void)
{
    if (ggl_lost_context != NULL) {
        ggl_lost_context->error = GL_CONTEXT_LOST;
    }
}

void *ggl_scratch(struct ggl_context *c, size_t size)
{
    if (size <= c->scratch_size) {
        return c->scratch;
    }
    if (size > GGL_SCRATCH_MAX) {
        return NULL;
    }
    size_t grown = c->scratch_size ? c->scratch_size : 4096;
    while (grown < size) {
        grown *= 2;
    }
    void *p = sl_realloc(c->scratch, grown);
    if (!p) {
        return NULL;
    }
    c->scratch = p;
    c->scratch_size = grown;
    return p;
}
