/* The context types on offer, and the providers they share by name. */
#include "host/device/dev.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <stdio.h>
#include <string.h>

#define CAPSET_MAX_BYTES 4096u

/* Another type before asked for the same provider. */
static bool was_asked_for(const struct hct_type *const *types, const struct hct_type *type)
{
    for (; *types != type && type->provider != NULL; types++) {
        if ((*types)->provider != NULL && strcmp((*types)->provider, type->provider) == 0) {
            return true;
        }
    }
    return false;
}

static enum sl_result provider_get(struct dev_device *d, const struct hct_type *const *types,
                                   const struct hct_type *type, struct hct_provider **out)
{
    for (uint32_t i = 0; i < d->provider_count && type->provider != NULL; i++) {
        if (d->providers[i].name != NULL && strcmp(d->providers[i].name, type->provider) == 0) {
            *out = d->providers[i].provider;
            return SL_OK;
        }
    }
    if (type->provider_create == NULL) {
        *out = NULL;
        return SL_OK;
    }
    if (was_asked_for(types, type)) {
        return SL_ERR_NOTFOUND; /* what is not there has said why, once */
    }
    struct hct_provider *provider = NULL;
    enum sl_result r = type->provider_create(&d->env, &d->options, &provider);
    if (r == SL_ERR_NOTFOUND) {
        return r; /* it said why */
    }
    if (r != SL_OK) {
        sl_error("device", "context type %s: its driver could not be set up: %s", type->name,
                 sl_result_name(r));
        return r;
    }
    d->providers[d->provider_count++] =
        (struct dev_provider){.name = type->provider, .provider = provider};
    *out = provider;
    return SL_OK;
}

enum sl_result dev_types_init(struct dev_device *d, const struct hct_type *const *types)
{
    uint32_t count = 0;
    while (types[count] != NULL) {
        count++;
    }
    d->types = sl_alloc_array(count, sizeof *d->types);
    d->providers = sl_alloc_array(count, sizeof *d->providers);
    if (d->types == NULL || d->providers == NULL) {
        return SL_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct hct_provider *provider;
        enum sl_result r = provider_get(d, types, types[i], &provider);
        if (r == SL_ERR_NOTFOUND) {
            continue; /* not offered on this machine */
        }
        if (r != SL_OK) {
            return r;
        }
        d->types[d->type_count++] = (struct dev_type){.type = types[i], .provider = provider};
    }
    if (d->type_count == 0 && count != 0) {
        return SL_ERR_NOTFOUND; /* each said why */
    }
    return SL_OK;
}

void dev_types_finish(struct dev_device *d)
{
    while (d->provider_count != 0) {
        struct hct_provider *provider = d->providers[--d->provider_count].provider;
        provider->ops->destroy(provider);
    }
    sl_free(d->providers);
    sl_free(d->types);
}

const struct dev_type *dev_type_find(const struct dev_device *d, uint32_t capset)
{
    for (uint32_t i = 0; i < d->type_count; i++) {
        if (d->types[i].type->capset == capset) {
            return &d->types[i];
        }
    }
    return NULL;
}

uint32_t dev_capset_count(struct vgd *vgd)
{
    return dev_from(vgd)->type_count;
}

enum sl_result dev_capset_info(struct vgd *vgd, uint32_t index, struct vgd_capset_info *info)
{
    const struct dev_device *d = dev_from(vgd);
    if (index >= d->type_count) {
        return SL_ERR_NOTFOUND;
    }
    const struct dev_type *t = &d->types[index];
    *info = (struct vgd_capset_info){
        .id = t->type->capset,
        .max_version = 1,
        .max_size = (uint32_t)t->type->fill_capset(t->provider, NULL, 0),
    };
    return SL_OK;
}

enum sl_result dev_capset_get(struct vgd *vgd, uint32_t id, uint32_t version, void *data,
                              size_t size, size_t *used)
{
    (void)version; /* the types have one each, and longer structs only grow at their end */
    const struct dev_type *t = dev_type_find(dev_from(vgd), id);
    if (t == NULL) {
        return SL_ERR_NOTFOUND;
    }
    /* A type may write less than it was given room for: no stale byte of ours may reach the guest.
     */
    uint8_t bytes[CAPSET_MAX_BYTES] = {0};
    size_t room = size < sizeof bytes ? size : sizeof bytes;
    *used = t->type->fill_capset(t->provider, bytes, room);
    if (*used != 0 && room != 0) {
        memcpy(data, bytes, *used < room ? *used : room);
    }
    return SL_OK;
}

void dev_describe(struct vgd *vgd, char *text, size_t size)
{
    const struct dev_device *d = dev_from(vgd);
    size_t used = 0;
    if (size == 0) {
        return;
    }
    text[0] = '\0';
    for (uint32_t i = 0; i < d->provider_count; i++) {
        struct hct_provider *provider = d->providers[i].provider;
        if (provider->ops->describe == NULL || used >= size) {
            continue;
        }
        int n = snprintf(text + used, size - used, "%s%s", used != 0 ? "; " : "",
                         provider->ops->describe(provider));
        used += n > 0 ? (size_t)n : 0;
    }
}
