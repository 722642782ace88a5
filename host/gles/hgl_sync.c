/* GL sync objects and client images behind validated ids; how far a driver falls behind. */
#include "host/gles/hgl_group.h"

#include "host/gles2_hand.h"
#include "host/glesx_hand.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"

#include <string.h>

#define SLICE_NS (5 * SL_NS_PER_MS)
/* A group's driver is at most twice as many flushes behind. */
#define FLUSHES_A_FENCE 16u

/* The sync object's last reference may go on any thread of the client; GL needs one where a context
 * of its share group is current. The driver frees it with the share group where there is none. */
void hgl_sync_free(void *user, void *sync)
{
    const struct hs_native *n = user;
    if (n->gl->DeleteSync != NULL) {
        n->gl->DeleteSync(sync);
    }
}

static struct ho_table *objects(struct hr_call *call)
{
    return &hgl_api_of(call)->ring->rc.client->objects;
}

struct ho_object *hgl_sync_get(struct hr_call *call, uint64_t handle)
{
    struct ho_object *object =
        handle <= UINT32_MAX ? ho_get(objects(call), HRC_GL_SYNC, (uint32_t)handle) : NULL;
    if (object == NULL) {
        hr_call_refuse(call, "unknown sync 0x%llx", (unsigned long long)handle);
    }
    return object;
}

uint64_t hgl_glFenceSyncAEMU(struct hr_call *call, const struct gles2_args_glFenceSyncAEMU *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    uint32_t id;
    if (hgl_state_of(call) == NULL || gl->FenceSync == NULL) {
        return 0;
    }
    GLsync sync = gl->FenceSync(a->condition, a->flags);
    if (sync == NULL) {
        return 0;
    }
    if (ho_add(objects(call), HRC_GL_SYNC, sync, NULL, &id) != SL_OK) {
        gl->DeleteSync(sync);
        hr_call_refuse(call, "too many objects");
        return 0;
    }
    return id;
}

/* In slices: a ring that is to end does. */
static GLenum wait_for(struct hr_call *call, GLsync sync, GLbitfield flags, uint64_t timeout_ns)
{
    uint64_t start = sl_clock_ns(), spent = 0;
    GLenum result;
    do {
        uint64_t left = timeout_ns - spent;
        result =
            hgl_api_of(call)->gl->ClientWaitSync(sync, flags, left < SLICE_NS ? left : SLICE_NS);
        spent = sl_clock_ns() - start;
    } while (result == GL_TIMEOUT_EXPIRED && spent < timeout_ns && !hr_ring_stopping(call->ring));
    return result;
}

GLenum hgl_glClientWaitSyncAEMU(struct hr_call *call,
                                const struct gles2_args_glClientWaitSyncAEMU *a)
{
    struct ho_object *object = hgl_state_of(call) != NULL ? hgl_sync_get(call, a->wait_on) : NULL;
    if (object == NULL) {
        return GL_WAIT_FAILED;
    }
    GLenum result = wait_for(call, object->value, a->flags, a->timeout);
    ho_put(object);
    return result;
}

void hgl_glWaitSyncAEMU(struct hr_call *call, const struct gles2_args_glWaitSyncAEMU *a)
{
    struct ho_object *object = hgl_state_of(call) != NULL ? hgl_sync_get(call, a->wait_on) : NULL;
    if (object != NULL) {
        hgl_api_of(call)->gl->WaitSync(object->value, a->flags, a->timeout);
        ho_put(object);
    }
}

void hgl_glDeleteSyncAEMU(struct hr_call *call, const struct gles2_args_glDeleteSyncAEMU *a)
{
    if (hgl_state_of(call) != NULL &&
        (a->to_delete > UINT32_MAX ||
         !ho_remove(objects(call), HRC_GL_SYNC, (uint32_t)a->to_delete))) {
        hr_call_refuse(call, "unknown sync 0x%llx", (unsigned long long)a->to_delete);
    }
}

GLboolean hgl_glIsSyncAEMU(struct hr_call *call, const struct gles2_args_glIsSyncAEMU *a)
{
    if (hgl_state_of(call) == NULL || a->sync > UINT32_MAX) {
        return GL_FALSE;
    }
    struct ho_object *object = ho_get(objects(call), HRC_GL_SYNC, (uint32_t)a->sync);
    ho_put(object);
    return object != NULL ? GL_TRUE : GL_FALSE;
}

void hgl_glGetSyncivAEMU(struct hr_call *call, const struct gles2_args_glGetSyncivAEMU *a)
{
    struct ho_object *object = hgl_state_of(call) != NULL ? hgl_sync_get(call, a->sync) : NULL;
    if (object == NULL) {
        return;
    }
    GLint values[4] = {0}; /* every property has one value */
    GLsizei length = 0;
    hgl_api_of(call)->gl->GetSynciv(object->value, a->pname, a->bufSize < 4 ? a->bufSize : 4,
                                    &length, values);
    uint32_t bytes = a->values_size < sizeof values ? a->values_size : (uint32_t)sizeof values;
    memcpy(a->values, values, bytes);
    if (a->length != NULL && a->length_size >= 4) {
        memcpy(a->length, &length, 4);
    }
    ho_put(object);
}

/* --- flushes --- */

/* A program's own calls take it longer than ours take us, so a driver that draws by the processor
 * stays close behind it, and not behind us. Mesa's (22) has 64 pictures under way; once it had as
 * many, each begins only when the one before is drawn, for as long as the context lives. */
static void hold_up(struct hr_call *call, struct hgl_group *g)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    GLsync here = gl->FenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    pthread_mutex_lock(&g->lock);
    GLsync before = g->behind;
    g->behind = here; /* the last one goes with the native group */
    pthread_mutex_unlock(&g->lock);
    if (before != NULL) {
        (void)wait_for(call, before, 0, UINT64_MAX);
        gl->DeleteSync(before);
    }
}

void hgl_glFlush(struct hr_call *call, const struct gles2_args_glFlush *a)
{
    const struct hgl_api *api = hgl_api_of(call);
    (void)a;
    api->gl->Flush();
    if (api->state == NULL || !api->ring->rc.client->native->software) {
        return;
    }
    struct hgl_group *g = api->state->group;
    bool has_fences = api->state->gles_version >= 30 && api->gl->FenceSync != NULL;
    if (has_fences && sl_atomic_add(&g->flushes, 1) % FLUSHES_A_FENCE == 0) {
        hold_up(call, g);
    }
}

/* --- client images --- */

/* The client image of an id, counted (ho_put); NULL, refused, when there is none. */
static struct ho_object *image_get(struct hr_call *call, uint64_t id)
{
    if (hgl_state_of(call) == NULL) {
        return NULL;
    }
    struct ho_object *object =
        id <= UINT32_MAX ? ho_get(objects(call), HRC_IMAGE, (uint32_t)id) : NULL;
    if (object == NULL) {
        hr_call_refuse(call, "unknown image 0x%llx", (unsigned long long)id);
    }
    return object;
}

void hgl_image_target(struct hr_call *call, void (*attach)(GLenum target, GLeglImageOES image),
                      uint32_t target, uint64_t id)
{
    struct ho_object *object = attach != NULL ? image_get(call, id) : NULL;
    if (object != NULL) {
        attach(target, ((const struct hrc_image *)object->value)->egl);
        hgl_storage_set_image(hgl_api_of(call)->gl, hgl_state_of_any(call), target,
                              HGL_STORAGE_IMAGE, object);
        ho_put(object);
    }
}

void hgl_glEGLImageTargetTexture2DOES(struct hr_call *call,
                                      const struct gles2_args_glEGLImageTargetTexture2DOES *a)
{
    hgl_image_target(call, hgl_api_of(call)->gl->EGLImageTargetTexture2DOES, a->target, a->image);
}

void hgl_glEGLImageTargetRenderbufferStorageOES(
    struct hr_call *call, const struct gles2_args_glEGLImageTargetRenderbufferStorageOES *a)
{
    hgl_image_target(call, hgl_api_of(call)->gl->EGLImageTargetRenderbufferStorageOES, a->target,
                     a->image);
}

/* The texture that is bound has storage for good. Of a target that has none the driver is not
 * asked: its error would come before that of the application's call. */
static bool is_fixed(struct hr_call *call, uint32_t target)
{
    bool has_storage = target == GL_TEXTURE_2D || target == GL_TEXTURE_2D_ARRAY ||
                       target == GL_TEXTURE_3D || target == GL_TEXTURE_CUBE_MAP;
    GLint fixed = 0;
    if (has_storage && hgl_state_of(call)->gles_version >= 30) {
        hgl_api_of(call)->gl->GetTexParameteriv(target, GL_TEXTURE_IMMUTABLE_FORMAT, &fixed);
    }
    return fixed != 0;
}

void hgl_glEGLImageTargetTexStorageSLUICE(
    struct hr_call *call, const struct glesx_args_glEGLImageTargetTexStorageSLUICE *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct ho_object *object =
        gl->EGLImageTargetTexStorageEXT != NULL ? image_get(call, a->image) : NULL;
    if (object != NULL) {
        bool was_fixed = is_fixed(call, a->target);
        gl->EGLImageTargetTexStorageEXT(a->target, ((const struct hrc_image *)object->value)->egl,
                                        NULL);
        if (!was_fixed && is_fixed(call, a->target)) { /* the driver took it */
            hgl_storage_set_image(gl, hgl_state_of(call), a->target, HGL_STORAGE_FIXED, object);
        }
        ho_put(object);
    }
}
