#include "host/gles/hgl_provider.h"

#include "transport/base/atomic.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <string.h>

static struct hgl_provider *provider_of(struct hct_provider *base)
{
    return (struct hgl_provider *)(void *)base; /* first member */
}

struct hgl_provider *hgl_provider_ref(struct hgl_provider *provider)
{
    sl_atomic_add(&provider->refs, 1); /* the caller has one already; orders nothing */
    return provider;
}

void hgl_provider_unref(struct hgl_provider *provider)
{
    /* The last one frees: the full barrier puts all others' uses before it. */
    if (sl_atomic_add(&provider->refs, UINT32_MAX) == 1) {
        hs_table_finish(&provider->buffers);
        hgl_driver_close(&provider->driver);
        sl_free(provider);
    }
}

static void provider_destroy(struct hct_provider *base)
{
    hgl_provider_unref(provider_of(base));
}

static const char *provider_describe(struct hct_provider *base)
{
    return provider_of(base)->driver.description;
}

static enum sl_result tex_create(struct hct_provider *base, uint32_t resource_id,
                                 const struct vg_tex_args *args, const struct hct_memory *memory,
                                 uint32_t stride)
{
    struct hgl_provider *p = provider_of(base);
    if (args->target != VIRTGPU_TARGET_2D) {
        return SL_OK; /* a buffer: nothing for GL to show */
    }
    struct hct_hold *hold =
        p->env->memory_hold != NULL ? p->env->memory_hold(p->env->user, resource_id) : NULL;
    const struct hs_resource_args resource = {.resource_id = resource_id,
                                              .virtgpu_format = args->format,
                                              .width = args->width_px,
                                              .height = args->height_px,
                                              .mem = memory->pointer,
                                              .mem_size = memory->size,
                                              .stride = stride,
                                              .y0_top =
                                                  (args->flags & VIRTGPU_RESOURCE_Y_0_TOP) != 0,
                                              .hold = hold};
    enum sl_result result = hs_resource_add(&p->buffers, &resource);
    if (result != SL_OK && hold != NULL) {
        p->env->memory_release(hold);
    }
    return result;
}

static void tex_destroy(struct hct_provider *base, uint32_t resource_id)
{
    hs_resource_remove(&provider_of(base)->buffers, resource_id);
}

static const struct hct_provider_ops provider_ops = {.destroy = provider_destroy,
                                                     .describe = provider_describe,
                                                     .tex_create = tex_create,
                                                     .tex_destroy = tex_destroy};

static enum sl_result provider_create(const struct hct_env *env, const struct hct_options *options,
                                      struct hct_provider **out)
{
    struct hgl_provider *p = sl_alloc(sizeof *p);
    if (p == NULL) {
        return SL_ERR_NOMEM;
    }
    *p = (struct hgl_provider){.base.ops = &provider_ops,
                               .env = env,
                               .stock = options != NULL && options->stock,
                               .restores = options != NULL && options->restores,
                               .is_saved = options != NULL && options->is_saved,
                               .times = options != NULL ? options->times : NULL,
                               .refs = 1};
    enum sl_result result = hgl_driver_open(&p->driver, options);
    if (result != SL_OK) {
        sl_free(p);
        return result;
    }
    p->clamps = options != NULL && options->clamps_indices && p->driver.native.software;
    hs_table_init(&p->buffers, &p->driver.native, (void (*)(void *))NULL);
    p->buffers.release =
        env->memory_release != NULL ? (void (*)(void *))(void *)env->memory_release : NULL;
    *out = &p->base;
    return SL_OK;
}

static size_t fill_capset(struct hct_provider *base, void *data, size_t size)
{
    const struct hgl_provider *p = provider_of(base);
    struct virtgpu_gles_capset caps = {
        .protocol_version = 1, .ring_size = 12288, .buffer_size = 1048576, .blob_alignment = 4096};
    size_t all = offsetof(struct virtgpu_gles_capset, upstream);
    if (!p->stock) {
        caps.sluice = (struct virtgpu_sluice_capset){
            .magic = VIRTGPU_SLUICE_MAGIC,
            .version = 1,
            .features = SLUICE_FEATURE_SIGNAL | SLUICE_FEATURE_REPLY_FUTEX |
                        SLUICE_FEATURE_COHERENT_TEX | SLUICE_FEATURE_GLESX | SLUICE_FEATURE_STAGE |
                        SLUICE_FEATURE_LOCATIONS | SLUICE_FEATURE_EGL | SLUICE_FEATURE_ERRORS |
                        SLUICE_FEATURE_STORE | SLUICE_FEATURE_VIEW | SLUICE_FEATURE_EXPORT |
                        SLUICE_FEATURE_TEN_BITS};
        if (p->driver.native.gles_version >= 32) {
            caps.sluice.features |= SLUICE_FEATURE_GLES_32;
        }
        if (p->driver.native.gles_version >= 30) { /* reads what is in such surfaces */
            caps.sluice.features |= SLUICE_FEATURE_FLOATS;
        }
        if (p->driver.native.software) {
            caps.sluice.features |= SLUICE_FEATURE_SOFTWARE;
        }
        all = sizeof caps;
    }
    if (size != 0) { /* only asked how many there are */
        memcpy(data, &caps, size < all ? size : all);
    }
    return all;
}

const struct hct_type hgl_gles_type = {
    .name = "gles",
    .capset = VIRTGPU_CAPSET_GFXSTREAM_GLES,
    .provider = "gfxstream",
    .provider_create = provider_create,
    .fill_capset = fill_capset,
    .create = hgl_context_create,
};

/* A compositor's context: the same buffers and fences, and of the commands renderControl's alone.
 */
const struct hct_type hgl_composer_type = {
    .name = "composer",
    .capset = VIRTGPU_CAPSET_GFXSTREAM_COMPOSER,
    .provider = "gfxstream",
    .provider_create = provider_create,
    .fill_capset = fill_capset,
    .create = hgl_context_create,
};
