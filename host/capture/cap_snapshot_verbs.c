/* The verbs of a snapshot, which bring contexts and resources into being in the order in which they
 * came. */
#include "host/capture/cap_snapshot_priv.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <stdlib.h>

static bool is_context_there(const struct cap_device *d, uint32_t ctx_id, uint64_t order)
{
    const struct cap_seen *context = sl_map_find(&d->contexts, ctx_id);
    return context != NULL && context->order < order;
}

/* Its memory comes from what its context's packets make. */
static bool is_of_packets(const struct cap_seen *what)
{
    return what->kind == CAP_SEEN_BLOB && what->blob.blob_id != 0 &&
           what->blob.mem != VIRTGPU_BLOB_GUEST;
}

static void make_resource(struct cap_saving *s, uint32_t id, const struct cap_seen *what)
{
    const struct cap_verb_res backing = {.resource_id = id, .value = what->pages};
    switch (what->kind) {
    case CAP_SEEN_TEX:
        cap_saving_verb(s, CAP_VERB_TEX_CREATE, &what->tex, sizeof what->tex, NULL, 0);
        break;
    case CAP_SEEN_BLOB:
        cap_saving_verb(s, CAP_VERB_BLOB_CREATE, &what->blob, sizeof what->blob, NULL, 0);
        break;
    case CAP_SEEN_IMPORT:
        cap_saving_verb(s, CAP_VERB_RES_IMPORT, &what->import, sizeof what->import, NULL, 0);
        break;
    case CAP_SEEN_CONTEXT:
        return;
    }
    if (what->pages != 0 && what->kind != CAP_SEEN_BLOB) {
        cap_saving_verb(s, CAP_VERB_BACKING_ATTACH, &backing, sizeof backing, NULL, 0);
    }
}

static void attach(struct cap_saving *s, uint32_t ctx_id, uint32_t resource_id)
{
    const struct cap_verb_ctx body = {.ctx_id = ctx_id, .value = resource_id};
    cap_saving_verb(s, CAP_VERB_CTX_ATTACH, &body, sizeof body, NULL, 0);
}

static void make_ring(struct cap_saving *s, uint32_t ctx_id, uint32_t resource_id)
{
    uint8_t command[8];
    sl_store_u32(command, GFXSTREAM_CONTEXT_CREATE);
    sl_store_u32(command + 4, resource_id);
    const struct cap_verb_ctx body = {.ctx_id = ctx_id, .value = sizeof command};
    cap_saving_verb(s, CAP_VERB_SUBMIT, &body, sizeof body, command, sizeof command);
}

void cap_saving_whole(struct cap_saving *s, uint32_t id, struct cap_seen *what)
{
    what->is_saved = true;
    make_resource(s, id, what);
    cap_saving_memory(s, id);
    for (const struct cap_attached *a = what->attached; a != NULL; a = a->next) {
        if (is_context_there(s->device, a->ctx_id, a->order)) {
            attach(s, a->ctx_id, id);
        }
    }
}

static bool add_step(struct cap_steps *steps, const struct cap_step *step)
{
    if (steps->count == steps->capacity) {
        size_t more = steps->capacity * 2 + 64;
        struct cap_step *items = sl_realloc(steps->items, more * sizeof *items);
        if (items == NULL) {
            return false;
        }
        steps->items = items;
        steps->capacity = more;
    }
    steps->items[steps->count++] = *step;
    return true;
}

static bool add_resource(struct cap_device *d, struct cap_steps *steps, uint32_t id,
                         struct cap_seen *what)
{
    what->is_saved = !is_of_packets(what);
    if (!what->is_saved) {
        return true;
    }
    bool ok = add_step(steps, &(struct cap_step){.order = what->order,
                                                 .kind = CAP_STEP_RESOURCE,
                                                 .resource_id = id,
                                                 .what = what});
    for (const struct cap_attached *a = what->attached; ok && a != NULL; a = a->next) {
        if (is_context_there(d, a->ctx_id, a->order)) {
            ok = add_step(steps, &(struct cap_step){.order = a->order,
                                                    .kind = CAP_STEP_ATTACH,
                                                    .ctx_id = a->ctx_id,
                                                    .resource_id = id});
        }
    }
    if (ok && what->ring_ctx != 0 && is_context_there(d, what->ring_ctx, what->ring_order)) {
        ok = add_step(steps, &(struct cap_step){.order = what->ring_order,
                                                .kind = CAP_STEP_RING,
                                                .ctx_id = what->ring_ctx,
                                                .resource_id = id});
    }
    return ok;
}

static int by_order(const void *left, const void *right)
{
    const struct cap_step *a = left, *b = right;
    return a->order < b->order ? -1 : a->order > b->order;
}

bool cap_steps_gather(struct cap_device *d, struct cap_steps *steps)
{
    uint32_t cursor = 0;
    uint64_t id;
    struct cap_seen *what;
    while ((what = sl_map_next(&d->contexts, &cursor, &id)) != NULL) {
        if (!add_step(steps, &(struct cap_step){.order = what->order,
                                                .kind = CAP_STEP_CONTEXT,
                                                .ctx_id = (uint32_t)id,
                                                .what = what})) {
            return false;
        }
    }
    cursor = 0;
    while ((what = sl_map_next(&d->resources, &cursor, &id)) != NULL) {
        if (!add_resource(d, steps, (uint32_t)id, what)) {
            return false;
        }
    }
    if (steps->count != 0) {
        qsort(steps->items, steps->count, sizeof *steps->items, by_order);
    }
    return true;
}

void cap_step_do(struct cap_saving *s, const struct cap_step *step)
{
    switch (step->kind) {
    case CAP_STEP_CONTEXT: {
        const struct cap_verb_ctx body = {.ctx_id = step->ctx_id,
                                          .value = step->what->context.capset};
        cap_saving_verb(s, CAP_VERB_CTX_CREATE, &body, sizeof body, step->what->context.name,
                        strlen(step->what->context.name));
        break;
    }
    case CAP_STEP_RESOURCE:
        make_resource(s, step->resource_id, step->what);
        cap_saving_memory(s, step->resource_id);
        break;
    case CAP_STEP_ATTACH:
        attach(s, step->ctx_id, step->resource_id);
        break;
    case CAP_STEP_RING:
        make_ring(s, step->ctx_id, step->resource_id);
        break;
    }
}
