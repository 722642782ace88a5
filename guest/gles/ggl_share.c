/* The objects that several contexts share, and how they die. */
#include "guest/gles/ggl_objects.h"

#include "guest/rc_call.h"
#include "transport/base/mem.h"
#include "transport/base/writes.h"

struct ggl_share *ggl_share_create(void)
{
    struct ggl_share *share = sl_alloc(sizeof *share);
    if (!share) {
        return NULL;
    }
    if (pthread_mutex_init(&share->lock, NULL) != 0) {
        sl_free(share);
        return NULL;
    }
    sl_atomic_store_relaxed(&share->refs, 1);
    sl_map_init(&share->buffers, SL_MAP_MOST);
    sl_map_init(&share->shaders, SL_MAP_MOST);
    sl_map_init(&share->programs, SL_MAP_MOST);
    sl_map_init(&share->syncs, SL_MAP_MOST);
    sl_map_init(&share->external_textures, SL_MAP_MOST);
    sl_map_init(&share->targets, SL_MAP_MOST);
    return share;
}

struct ggl_share *ggl_share_ref(struct ggl_share *share)
{
    sl_atomic_add(&share->refs, 1); /* the caller holds one already */
    return share;
}

static void finish_table(struct sl_map *names, void (*destroy)(void *))
{
    uint32_t cursor = 0;
    for (void *object; (object = sl_map_next(names, &cursor, NULL)) != NULL;) {
        if (destroy) {
            destroy(object);
        }
    }
    sl_map_finish(names);
}

void ggl_share_unref(struct ggl_share *share)
{
    /* The last holder sees everything the others did to the tables: release by each, acquire by the
     * last. */
    if (sl_atomic_add(&share->refs, UINT32_MAX) != 1) {
        return;
    }
    finish_table(&share->buffers, ggl_buffer_free);
    finish_table(&share->shaders, ggl_shader_free);
    finish_table(&share->programs, ggl_program_free);
    finish_table(&share->syncs, NULL);
    finish_table(&share->external_textures, NULL);
    ggl_targets_finish(share);
    sl_writes_unref(share->writes);
    pthread_mutex_destroy(&share->lock);
    sl_free(share);
}

void ggl_settle(struct ggl_context *c)
{
    if (SL_UNLIKELY(sl_atomic_load_relaxed(&c->share->refs) > 1)) { /* a hint */
        (void)rc_call_rcGetRendererVersion(c->stream);
    }
}
