/* One guest process's GLES context of the device: its rings, its renderControl client, and who
 * waits for its exported fences. */
#include "host/gles/hgl_group.h"
#include "host/gles/hgl_provider.h"
#include "host/gles/hgl_save.h"
#include "host/gles/hgl_times.h"

#include "host/gles1_dispatch.h"
#include "host/gles2_dispatch.h"
#include "host/glesx_dispatch.h"
#include "host/rc_dispatch.h"
#include "host/sl_dispatch.h"
#include "wire/sl_opcodes.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

#include <string.h>

/* Exported fences that wait at once. */
#define WAITS_MAX 4096u

struct wait {
    struct ho_object *sync; /* counted */
    uint64_t task;
};

struct hgl_context {
    struct hr_context hr; /* first */
    struct hgl_provider *provider;
    const struct hct_env *env;
    uint32_t ctx_id;
    bool composes; /* renderControl alone: a composer's context */
    uint32_t refs; /* atomic: the device, and each ring until it is gone */
    uint32_t stop; /* atomic: for the waiter */
    struct hrc_client client;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    pthread_t waiter;
    bool waiter_runs;
    struct wait *waits; /* ring of WAITS_MAX, made with the waiter */
    uint32_t first_wait, wait_count;
};

static struct hgl_context *context_of(struct hct_context *base)
{
    return (struct hgl_context *)(void *)base; /* first member */
}

static void context_unref(struct hgl_context *c)
{
    if (sl_atomic_add(&c->refs, UINT32_MAX) != 1) {
        return; /* the full barrier puts this one's uses before the last one's freeing */
    }
    hrc_client_finish(&c->client);
    struct hgl_provider *provider = c->provider;
    provider->driver.native.egl.ReleaseThread();
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    sl_free(c->waits);
    sl_free(c);
    hgl_provider_unref(provider);
}

/* --- renderControl's hooks --- */

static bool on_context_new(void *user, struct hrc_context *context)
{
    (void)user;
    const struct hrc_context *share = context->share != NULL ? context->share->value : NULL;
    context->state = hgl_state_new(share != NULL ? share->state : NULL);
    return context->state != NULL;
}

static bool on_context_ends(void *user, struct hrc_context *context)
{
    const struct hgl_context *c = user;
    const struct hgl_state *state = context->state;
    if (!state->has_counted ||
        hs_context_settle(&c->provider->driver.native, context->egl, HGL_SETTLE_NS)) {
        return true;
    }
    hgl_context_leave(c->provider, context->egl);
    return false;
}

static void on_context_free(void *user, struct hrc_context *context)
{
    (void)user;
    hgl_state_free(context->state);
}

/* --- what contexts take --- */

static void on_hands_over(struct hrc_thread *thread, uint32_t opcode, bool is_left)
{
    const struct hgl_ring *ring = thread->user;
    const struct hgl_api *api = ring->es1.state != NULL ? &ring->es1 : &ring->es2;
    const struct hgl_provider *p = ring->context->provider;
    if (p->times != NULL && api->state != NULL) {
        hgl_times_end(p->times, &p->driver.gl, api->state, opcode, is_left);
    }
}

static void on_goes_on(struct hrc_thread *thread)
{
    const struct hgl_ring *ring = thread->user;
    const struct hgl_api *api = ring->es1.state != NULL ? &ring->es1 : &ring->es2;
    const struct hgl_provider *p = ring->context->provider;
    if (p->times != NULL && api->state != NULL) {
        hgl_times_begin(p->times, &p->driver.gl, api->state, p->driver.native.software);
    }
}

static void on_current(struct hrc_thread *thread, struct hrc_context *context)
{
    struct hgl_ring *ring = thread->user;
    ring->es1.state = ring->es2.state = NULL;
    if (context != NULL) {
        struct hgl_state *state = context->state;
        state->gles_version = context->gles_version;
        *(context->is_gles1 ? &ring->es1.state : &ring->es2.state) = state;
        if (!context->is_gles1) {
            struct hgl_group *g = state->group;
            pthread_mutex_lock(&g->lock);
            g->has_gles2 = true;
            pthread_mutex_unlock(&g->lock);
        }
        on_goes_on(thread);
    }
}

static void on_bound(struct hrc_thread *thread, struct hs_buffer *buffer, bool renderbuffer)
{
    struct hgl_ring *ring = thread->user;
    struct hgl_api *api = ring->es1.state != NULL ? &ring->es1 : &ring->es2;
    if (api->state != NULL) {
        hgl_storage_set_buffer(api->gl, api->state, renderbuffer ? GL_RENDERBUFFER : GL_TEXTURE_2D,
                               buffer);
    }
}

static void on_imaged(struct hrc_context *context, struct hrc_image *image)
{
    struct hgl_state *state = context->state;
    if (state != NULL) {
        hgl_source_number(state->group, image);
    }
}

static void on_exported(struct hrc_context *context, const struct hrc_image *image,
                        struct hs_buffer *buffer)
{
    struct hgl_state *state = context->state;
    if (state != NULL) {
        hgl_storage_export(state->group, image->target == EGL_GL_RENDERBUFFER_KHR, image->name,
                           buffer);
    }
}

static void on_sync_free(void *user, void *sync)
{
    struct hgl_context *c = user;
    hgl_sync_free(&c->provider->driver.native, sync);
}

static const struct hrc_hooks hooks = {.context_new = on_context_new,
                                       .context_ends = on_context_ends,
                                       .context_free = on_context_free,
                                       .hands_over = on_hands_over,
                                       .goes_on = on_goes_on,
                                       .current = on_current,
                                       .bound = on_bound,
                                       .imaged = on_imaged,
                                       .exported = on_exported,
                                       .sync_free = on_sync_free};

/* --- rings --- */

static void ring_begin(void *user, struct hr_ring *ring)
{
    (void)ring;
    struct hgl_ring *r = user;
    hrc_thread_init(&r->rc, &r->context->client, r);
}

static void ring_end(void *user, struct hr_ring *ring)
{
    (void)ring;
    struct hgl_ring *r = user;
    hrc_thread_finish(&r->rc);
}

enum sl_result hgl_ring_new(void *user, struct hr_config *config, void **state)
{
    struct hgl_context *c = user;
    struct hgl_driver *driver = &c->provider->driver;
    struct {
        struct hgl_ring ring;
        struct hr_binding bindings[5];
    } *r = sl_alloc(sizeof *r);
    if (r == NULL) {
        return SL_ERR_NOMEM;
    }
    r->ring.context = c;
    r->ring.clamps = c->provider->clamps;
    r->ring.keeps = c->provider->is_saved;
    r->ring.es2 = (struct hgl_api){.gl = &driver->guest_gl, .ring = &r->ring};
    r->ring.es1 = (struct hgl_api){.gl = &driver->guest_gl1, .ring = &r->ring};
    uint32_t count = 0;
    if (!c->composes) {
        r->bindings[count++] = (struct hr_binding){&gles2_family, &r->ring.es2};
    }
    r->bindings[count++] = (struct hr_binding){&rc_family, &r->ring.rc};
    if (!c->composes) {
        r->bindings[count++] = (struct hr_binding){&gles1_family, &r->ring.es1};
    }
    if (!c->provider->stock) {
        r->bindings[count++] = (struct hr_binding){&sl_family, &r->ring.rc};
    }
    if (!c->provider->stock && !c->composes) {
        r->bindings[count++] = (struct hr_binding){&glesx_family, &r->ring.es2};
    }
    config->bindings = r->bindings;
    config->binding_count = count;
    config->staged_opcode = c->provider->stock ? 0 : SL_OP_slStaged;
    config->user = &r->ring;
    config->thread_begin = ring_begin;
    config->thread_end = ring_end;
    sl_atomic_add(&c->refs, 1); /* the caller has one; orders nothing */
    *state = r;
    return SL_OK;
}

void hgl_ring_free(void *user, void *state)
{
    sl_free(state);
    context_unref(user);
}

/* --- exported fences --- */

static bool waiter_stopping(void *user)
{
    const struct hgl_context *c = user;
    return sl_atomic_load_relaxed(&c->stop) !=
           0; /* pairs with the store in context_destroy; orders nothing */
}

static void *waiter_main(void *user)
{
    struct hgl_context *c = user;
    const struct hs_native *native = &c->provider->driver.native;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (c->wait_count == 0 && !waiter_stopping(c)) {
            pthread_cond_wait(&c->wake, &c->lock);
        }
        if (c->wait_count == 0) {
            break;
        }
        struct wait w = c->waits[c->first_wait];
        c->first_wait = (c->first_wait + 1) % WAITS_MAX;
        c->wait_count--;
        pthread_mutex_unlock(&c->lock);
        (void)hrc_sync_wait(native, w.sync->value, UINT64_MAX, waiter_stopping, c);
        ho_put(w.sync);
        c->env->task_done(c->env->user, w.task);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    native->egl.ReleaseThread();
    return NULL;
}

static enum sl_result start_waiter_locked(struct hgl_context *c)
{
    if (c->waiter_runs) {
        return SL_OK;
    }
    c->waits = c->waits != NULL ? c->waits : sl_alloc_array(WAITS_MAX, sizeof *c->waits);
    enum sl_result result = c->waits != NULL
                                ? sl_thread_start(&c->waiter, "gles-waiter", 0, waiter_main, c)
                                : SL_ERR_NOMEM;
    c->waiter_runs = result == SL_OK;
    return result;
}

static enum sl_result export_sync(void *user, uint64_t handle, uint64_t task)
{
    struct hgl_context *c = user;
    struct ho_object *sync =
        handle <= UINT32_MAX ? ho_get(&c->client.objects, HRC_EGL_SYNC, (uint32_t)handle) : NULL;
    if (sync == NULL) { /* it has signalled and gone */
        c->env->task_done(c->env->user, task);
        return SL_OK;
    }
    pthread_mutex_lock(&c->lock);
    enum sl_result result = c->wait_count < WAITS_MAX ? start_waiter_locked(c) : SL_ERR_NOMEM;
    if (result == SL_OK) {
        c->waits[(c->first_wait + c->wait_count++) % WAITS_MAX] =
            (struct wait){.sync = sync, .task = task};
        pthread_cond_signal(&c->wake);
    }
    pthread_mutex_unlock(&c->lock);
    if (result != SL_OK) {
        ho_put(sync);
    }
    return result;
}

static const struct hr_rings_ops rings_ops = {.ring_new = hgl_ring_new,
                                              .ring_free = hgl_ring_free,
                                              .export_sync = export_sync,
                                              .stages = true};

/* --- hct --- */

static void context_stop(struct hct_context *base)
{
    hr_rings_stop(&context_of(base)->hr.rings);
}

static void context_destroy(struct hct_context *base)
{
    struct hgl_context *c = context_of(base);
    hr_rings_finish(&c->hr.rings);
    sl_atomic_store_seq(&c->stop,
                        1); /* pairs with waiter_stopping; the signal below makes a sleeper look */
    pthread_mutex_lock(&c->lock);
    bool runs = c->waiter_runs;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    if (runs) {
        pthread_join(c->waiter, NULL); /* it waits in slices of milliseconds */
    }
    context_unref(c);
}

static enum sl_result context_attach(struct hct_context *base, uint32_t resource_id,
                                     const struct hct_memory *memory)
{
    struct hgl_context *c = context_of(base);
    enum sl_result result = hr_rings_attach(&c->hr.rings, resource_id, memory);
    if (result == SL_OK) {
        hrc_client_attach(&c->client, resource_id);
    }
    return result;
}

static void context_detach(struct hct_context *base, uint32_t resource_id)
{
    struct hgl_context *c = context_of(base);
    hrc_client_detach(&c->client, resource_id);
    hr_rings_detach(&c->hr.rings, resource_id);
}

static enum sl_result context_blob(struct hct_context *base, uint64_t blob_id,
                                   const struct vgd_blob_args *args, struct hct_memory *out)
{
    (void)args;
    (void)out;
    sl_warn_limited("gles", "context %u: blob id %llu: this type makes no blobs",
                    context_of(base)->ctx_id, (unsigned long long)blob_id);
    return SL_ERR_NOTFOUND;
}

/* --- snapshots --- */

/* A native context is current on one thread at most: the rings let go of theirs, and take them
 * again. */
static void let_go(void *user)
{
    const struct hs_thread *t = &((const struct hgl_ring *)user)->rc.gl;
    (void)t->native->egl.MakeCurrent(t->native->display, EGL_NO_SURFACE, EGL_NO_SURFACE,
                                     EGL_NO_CONTEXT);
}

static void take_again(void *user)
{
    const struct hs_thread *t = &((const struct hgl_ring *)user)->rc.gl;
    if (t->context != EGL_NO_CONTEXT &&
        !t->native->egl.MakeCurrent(t->native->display, t->draw, t->read, t->context)) {
        sl_warn("gles", "a ring's context is gone after a snapshot: EGL error 0x%x",
                (unsigned)t->native->egl.GetError());
    }
}

/* All rings of a context, while nothing is current on them. */
struct resting {
    struct hgl_ring_ref refs[HR_RINGS_MAX];
    struct hr_ring *rings[HR_RINGS_MAX];
    uint32_t count, gone; /* that have let go */
};

static enum sl_result rest_begin(struct hgl_context *c, struct resting *r)
{
    uint64_t after = 0;
    uint32_t id;
    void *state;
    enum sl_result result = SL_OK;
    r->count = r->gone = 0;
    while (r->count < HR_RINGS_MAX &&
           (r->rings[r->count] = hr_rings_next(&c->hr.rings, &after, &id, &state)) != NULL) {
        struct hgl_ring *ring = state; /* its first member */
        r->refs[r->count++] = (struct hgl_ring_ref){.id = id, .thread = &ring->rc};
    }
    if (c->provider->driver.guest_gl.Clear != c->provider->driver.gl.Clear) {
        sl_warn_limited("gles", "no snapshot of context %u: nothing is drawn here", c->ctx_id);
        result = SL_ERR_UNSUPPORTED;
    }
    while (r->gone < r->count && result == SL_OK) {
        const struct hr_job job = {let_go, take_again, r->refs[r->gone].thread->user};
        result = hr_ring_run(r->rings[r->gone], &job);
        r->gone += result == SL_OK ? 1 : 0;
    }
    if (result == SL_ERR_TIMEOUT) {
        sl_warn_limited("gles", "no snapshot of context %u: the driver does not let ring %u go",
                        c->ctx_id, r->refs[r->gone].id);
    }
    return result;
}

static void rest_end(struct resting *r)
{
    for (uint32_t i = 0; i < r->gone; i++) {
        const struct hr_job job = {take_again, NULL, r->refs[i].thread->user};
        (void)!hr_ring_run(r->rings[i], &job);
    }
}

static enum sl_result context_save(struct hct_context *base, const struct vgd_saver *to)
{
    struct hgl_context *c = context_of(base);
    struct resting r;
    enum sl_result result = rest_begin(c, &r);
    if (result == SL_OK) {
        result = hgl_save_client(&c->client, &c->provider->driver.gl, r.refs, r.count, to);
    }
    rest_end(&r);
    return result;
}

static enum sl_result context_drawn(struct hct_context *base, uint32_t ring_id,
                                    const struct vgd_viewer *viewer)
{
    struct hgl_context *c = context_of(base);
    struct resting r;
    enum sl_result result = rest_begin(c, &r);
    uint32_t i = 0;
    while (i < r.count && r.refs[i].id != ring_id) {
        i++;
    }
    if (result == SL_OK) {
        result = i < r.count
                     ? hgl_drawn(&c->client, &c->provider->driver.gl, r.refs[i].thread, viewer)
                     : SL_ERR_NOTFOUND;
    }
    rest_end(&r);
    return result;
}

static const struct hct_ops context_ops = {.stop = context_stop,
                                           .destroy = context_destroy,
                                           .attach = context_attach,
                                           .detach = context_detach,
                                           .blob = context_blob,
                                           .submit = hr_context_submit,
                                           .ring_stats = hr_context_ring_stats,
                                           .rest = hr_context_rest,
                                           .save = context_save,
                                           .drawn = context_drawn};

enum sl_result hgl_context_create(const struct hct_create_info *info, struct hct_context **out)
{
    struct hgl_provider *provider =
        (struct hgl_provider *)(void *)info->provider; /* of both types */
    struct hgl_context *c = sl_alloc(sizeof *c);
    if (c == NULL) {
        return SL_ERR_NOMEM;
    }
    *c = (struct hgl_context){.hr.base.ops = &context_ops,
                              .provider = provider,
                              .env = info->env,
                              .ctx_id = info->ctx_id,
                              .composes = info->capset == VIRTGPU_CAPSET_GFXSTREAM_COMPOSER,
                              .refs = 1};
    const struct hrc_config config = {.native = &provider->driver.native,
                                      .buffers = &provider->buffers,
                                      .hooks = &hooks,
                                      .user = c,
                                      .ctx_id = info->ctx_id,
                                      .stock = provider->stock,
                                      .restores = provider->restores};
    enum sl_result result = hrc_client_init(&c->client, &config);
    if (result != SL_OK) {
        sl_free(c);
        return result;
    }
    hgl_provider_ref(provider);
    pthread_mutex_init(&c->lock, NULL);
    sl_cond_init(&c->wake);
    hr_rings_init(&c->hr.rings, &rings_ops, c, info->env, info->ctx_id, info->name);
    *out = &c->hr.base;
    return SL_OK;
}
