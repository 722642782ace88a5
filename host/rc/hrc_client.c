#include "host/rc/hrc_internal.h"

#include "transport/base/mem.h"

static void object_destroy(void *user, uint32_t kind, void *value)
{
    struct hrc_client *c = user;
    const struct hs_native *n = c->native;
    switch ((enum hrc_kind)kind) {
    case HRC_CONTEXT:
        hrc_context_destroy(c, value);
        break;
    case HRC_SURFACE:
        hrc_surface_destroy(c, value);
        break;
    case HRC_IMAGE: {
        struct hrc_image *image = value;
        if (image->exported == NULL) {
            n->egl.DestroyImageKHR(n->display, image->egl);
        }
        hs_put(image->exported);
        sl_free(image);
        break;
    }
    case HRC_EGL_SYNC:
        n->egl.DestroySyncKHR(n->display, (EGLSyncKHR)value);
        break;
    case HRC_GL_SYNC:
        if (c->hooks->sync_free != NULL) {
            c->hooks->sync_free(c->user, value);
        }
        break;
    }
}

enum sl_result hrc_client_init(struct hrc_client *client, const struct hrc_config *config)
{
    *client = (struct hrc_client){.native = config->native,
                                  .buffers = config->buffers,
                                  .hooks = config->hooks,
                                  .user = config->user,
                                  .ctx_id = config->ctx_id,
                                  .restores = config->restores};
    client->words = hrc_feature_words(config->native, config->stock);
    if (client->words == NULL) {
        return SL_ERR_NOMEM;
    }
    ho_table_init(&client->objects, HRC_OBJECTS_MAX, HRC_HANDLE_BASE, object_destroy, client);
    pthread_mutex_init(&client->lock, NULL);
    pthread_mutex_init(&client->exporting, NULL);
    sl_map_init(&client->named, HRC_OBJECTS_MAX);
    return SL_OK;
}

void hrc_client_finish(struct hrc_client *client)
{
    ho_table_clear(&client->objects);
    uint32_t cursor = 0;
    uint64_t handle;
    uintptr_t opens;
    while ((opens = (uintptr_t)sl_map_next(&client->named, &cursor, &handle)) != 0) {
        hs_close(client->buffers, (uint32_t)handle, (uint32_t)opens - 1);
    }
    sl_map_finish(&client->named);
    ho_table_finish(&client->objects);
    pthread_mutex_destroy(&client->lock);
    pthread_mutex_destroy(&client->exporting);
    sl_free(client->words);
}

/* Names of buffers that others closed since are of no use: makes room for new ones. */
static void forget_stale_locked(struct hrc_client *client)
{
    uint32_t cursor = 0;
    uint64_t handle;
    while (sl_map_next(&client->named, &cursor, &handle) != NULL) {
        struct hs_buffer *b = hs_get(client->buffers, (uint32_t)handle);
        if (b == NULL) {
            (void)sl_map_remove(&client->named, handle);
        }
        hs_put(b);
    }
}

bool hrc_name_add(struct hrc_client *client, uint32_t handle, uint32_t opens)
{
    bool ok;
    pthread_mutex_lock(&client->lock);
    uintptr_t old = (uintptr_t)sl_map_remove(&client->named, handle);
    uintptr_t now = (old != 0 ? old : 1) + opens;
    ok = sl_map_add(&client->named, handle, (void *)now) == SL_OK;
    if (!ok) {
        forget_stale_locked(client);
        ok = sl_map_add(&client->named, handle, (void *)now) == SL_OK;
    }
    pthread_mutex_unlock(&client->lock);
    return ok;
}

bool hrc_name_take(struct hrc_client *client, uint32_t handle, uint32_t *opens)
{
    pthread_mutex_lock(&client->lock);
    uintptr_t old = (uintptr_t)sl_map_remove(&client->named, handle);
    if (old > 2) {
        /* Removing has just made the room: adding cannot fail, and would only forget a name if it
         * did. */
        (void)!sl_map_add(&client->named, handle, (void *)(old - 1));
    }
    pthread_mutex_unlock(&client->lock);
    *opens = old >= 2 ? 1 : 0;
    return old != 0;
}

void hrc_client_attach(struct hrc_client *client, uint32_t resource_id)
{
    if (resource_id < HS_HANDLE_BASE) {
        (void)hrc_name_add(client, resource_id, 0);
    }
}

void hrc_client_detach(struct hrc_client *client, uint32_t resource_id)
{
    uint32_t opens;
    if (resource_id < HS_HANDLE_BASE) {
        (void)hrc_name_take(client, resource_id, &opens);
    }
}

struct hs_buffer *hrc_buffer(struct hrc_client *client, uint32_t handle)
{
    pthread_mutex_lock(&client->lock);
    bool named = sl_map_find(&client->named, handle) != NULL;
    pthread_mutex_unlock(&client->lock);
    return named ? hs_get(client->buffers, handle) : NULL;
}

void hrc_thread_init(struct hrc_thread *thread, struct hrc_client *client, void *user)
{
    *thread = (struct hrc_thread){.client = client, .user = user};
    hs_thread_init(&thread->gl, client->native);
    if (client->native != NULL) {
        client->native->egl.BindAPI(EGL_OPENGL_ES_API);
    }
}

void hrc_thread_finish(struct hrc_thread *thread)
{
    (void)hrc_make_current(thread, NULL, NULL, NULL);
    hs_thread_finish(&thread->gl);
}

/* --- a replay's --- */

struct sl_handles *hrc_handles(struct hrc_client *client, uint32_t table)
{
    switch (table) {
    case HRC_TABLE_OBJECTS:
        return &client->objects.handles;
    case HRC_TABLE_BUFFERS:
        return &client->buffers->handles;
    default:
        return NULL;
    }
}

static bool restores(struct hr_call *call)
{
    bool ok = hrc_thread_of(call)->client->restores;
    if (!ok) {
        hr_call_refuse(call, "handles are the host's to choose");
    }
    return ok;
}

void hrc_slNextHandle(struct hr_call *call, const struct sl_args_slNextHandle *args)
{
    struct sl_handles *handles = hrc_handles(hrc_thread_of(call)->client, args->table);
    if (restores(call) && handles != NULL) {
        sl_handles_set_next(handles, args->handle);
    }
}

void hrc_slHandles(struct hr_call *call, const struct sl_args_slHandles *args)
{
    struct sl_handles *handles = hrc_handles(hrc_thread_of(call)->client, args->table);
    size_t count = args->words_size / 4;
    if (!restores(call)) {
        return;
    }
    enum sl_result result =
        handles != NULL ? sl_handles_set_shape(handles, args->words, count) : SL_ERR_INVALID;
    if (result != SL_OK) {
        hr_call_refuse(call, "table %u, %zu words: %s", args->table, count, sl_result_name(result));
    }
}
