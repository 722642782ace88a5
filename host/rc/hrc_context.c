/* Contexts and make-current. */
#include "host/rc/hrc_internal.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "wire/rc_opcodes.h"

#include <stdio.h>
#include <string.h>

/* A context for surfaces of every config. Ours: stock guests name a config. */
#define HRC_ANY_CONFIG 0xffffffffu

/* The wire's glVersion: 1 = ES 1.x, 2, 3 = 3.0, 4 = 3.1, 5 = 3.2. */
static bool context_attribs(const struct hs_native *n, uint32_t version, EGLint attribs[9])
{
    static const EGLint major[] = {1, 2, 3, 3, 3}, minor[] = {1, 0, 0, 1, 2};
    uint32_t i = 0;
    if (version < 1 || version > 5 || (version == 1 && !n->gles1)) {
        return false;
    }
    if (version < 3) {
        attribs[i++] = EGL_CONTEXT_CLIENT_VERSION;
        attribs[i++] = major[version - 1];
    } else {
        attribs[i++] = EGL_CONTEXT_MAJOR_VERSION;
        attribs[i++] = major[version - 1];
        attribs[i++] = EGL_CONTEXT_MINOR_VERSION;
        attribs[i++] = minor[version - 1];
    }
    if (n->robust && version > 1) {
        attribs[i++] = EGL_CONTEXT_OPENGL_ROBUST_ACCESS_EXT;
        attribs[i++] = EGL_TRUE;
    }
    attribs[i] = EGL_NONE;
    return true;
}

void hrc_context_destroy(struct hrc_client *client, struct hrc_context *context)
{
    const struct hs_native *n = client->native;
    if (client->hooks->context_ends == NULL || client->hooks->context_ends(client->user, context)) {
        hs_context_destroy(n, context->egl);
    }
    if (client->hooks->context_free != NULL) {
        client->hooks->context_free(client->user, context);
    }
    ho_put(context->share);
    sl_free(context);
}

static uint32_t context_create(struct hr_call *call, uint32_t config, struct ho_object *share,
                               uint32_t version)
{
    struct hrc_client *c = hrc_thread_of(call)->client;
    const struct hs_native *n = c->native;
    EGLint attribs[9];
    bool any = config == HRC_ANY_CONFIG && n != NULL && n->no_config_context;
    if (n == NULL || (config >= n->config_count && !any) || !context_attribs(n, version, attribs)) {
        hr_call_refuse(call, "config %u, version %u", config, version);
        return 0;
    }
    struct hrc_context *context = sl_alloc(sizeof *context);
    if (context == NULL) {
        return 0;
    }
    *context = (struct hrc_context){
        .config = config, .version = version, .is_gles1 = version == 1, .is_gles32 = version == 5};
    const struct hrc_context *with = share != NULL ? share->value : NULL;
    context->egl =
        n->egl.CreateContext(n->display, any ? EGL_NO_CONFIG_KHR : n->configs[config].config,
                             with != NULL ? with->egl : EGL_NO_CONTEXT, attribs);
    if (context->egl == EGL_NO_CONTEXT) {
        hr_call_refuse(call, "EGL error 0x%x", (unsigned)n->egl.GetError());
        sl_free(context);
        return 0;
    }
    context->share = share != NULL ? ho_ref(share) : NULL;
    if (c->hooks->context_new != NULL && !c->hooks->context_new(c->user, context)) {
        hs_context_destroy(n, context->egl);
        ho_put(share);
        sl_free(context);
        return 0;
    }
    uint32_t id;
    if (ho_add(&c->objects, HRC_CONTEXT, context, NULL, &id) != SL_OK) {
        hrc_context_destroy(c, context);
        hr_call_refuse(call, "too many objects");
        return 0;
    }
    return id;
}

uint32_t hrc_rcCreateContext(struct hr_call *call, const struct rc_args_rcCreateContext *args)
{
    struct hrc_client *c = hrc_thread_of(call)->client;
    struct ho_object *share = NULL;
    if (args->share != 0) {
        share = ho_get(&c->objects, HRC_CONTEXT, args->share);
        if (share == NULL) {
            hr_call_refuse(call, "unknown share context 0x%x", args->share);
            return 0;
        }
    }
    uint32_t id = context_create(call, args->config, share, args->glVersion);
    ho_put(share);
    return id;
}

void hrc_rcDestroyContext(struct hr_call *call, const struct rc_args_rcDestroyContext *args)
{
    struct hrc_client *c = hrc_thread_of(call)->client;
    if (!ho_remove(&c->objects, HRC_CONTEXT, args->context)) {
        hr_call_refuse(call, "unknown context 0x%x", args->context);
    }
}

/* Which GLES the native context really is: known once it was current. */
static void learn_version(const struct hs_native *n, struct hrc_context *context)
{
    unsigned major = 0, minor = 0;
    if (context->gles_version != 0) {
        return;
    }
    const char *text = context->is_gles1 ? NULL : (const char *)n->gl->GetString(GL_VERSION);
    if (context->is_gles1) {
        context->gles_version = 10;
    } else if (text != NULL && sscanf(text, "OpenGL ES %u.%u", &major, &minor) == 2 && major >= 2 &&
               major < 10 && minor < 10) {
        context->gles_version = major * 10 + minor;
    } else {
        context->gles_version = 20;
    }
}

static void bind_surface(struct hrc_thread *thread, struct ho_object *object,
                         struct ho_object *context)
{
    struct hrc_surface *s = object->value;
    struct ho_object *old = NULL;
    pthread_mutex_lock(&thread->client->lock);
    s->bound = thread;
    if (s->last != context) {
        old = s->last;
        s->last = ho_ref(context);
    }
    pthread_mutex_unlock(&thread->client->lock);
    ho_put(old);
}

static void unbind_surface(struct hrc_thread *thread, struct ho_object *object)
{
    if (object != NULL) {
        struct hrc_surface *s = object->value;
        pthread_mutex_lock(&thread->client->lock);
        s->bound = s->bound == thread ? NULL : s->bound;
        pthread_mutex_unlock(&thread->client->lock);
    }
}

bool hrc_make_current(struct hrc_thread *thread, struct ho_object *context, struct ho_object *draw,
                      struct ho_object *read)
{
    struct hrc_client *c = thread->client;
    struct hrc_context *value = context != NULL ? context->value : NULL;
    struct hrc_surface *d = draw != NULL ? draw->value : NULL,
                       *r = read != NULL ? read->value : NULL;
    if (context == NULL && thread->context == NULL) {
        return true;
    }
    if (thread->context != NULL && c->hooks->hands_over != NULL) {
        c->hooks->hands_over(thread, RC_OP_rcMakeCurrent, true);
    }
    if (draw != NULL) {
        (void)hrc_surface_fit(thread, d);
    }
    if (!hs_thread_bind(&thread->gl, value != NULL ? value->egl : EGL_NO_CONTEXT,
                        d != NULL ? d->egl : EGL_NO_SURFACE, r != NULL ? r->egl : EGL_NO_SURFACE)) {
        return false;
    }
    unbind_surface(thread, thread->draw);
    unbind_surface(thread, thread->read);
    struct ho_object *old[] = {thread->context, thread->draw, thread->read};
    thread->context = context != NULL ? ho_ref(context) : NULL;
    thread->draw = draw != NULL ? ho_ref(draw) : NULL;
    thread->read = read != NULL ? ho_ref(read) : NULL;
    if (draw != NULL) {
        bind_surface(thread, draw, context);
    }
    if (read != NULL && read != draw) {
        bind_surface(thread, read, context);
    }
    if (value != NULL) {
        learn_version(c->native, value);
    }
    if (c->hooks->current != NULL) {
        c->hooks->current(thread, value);
    }
    for (uint32_t i = 0; i < 3; i++) {
        ho_put(old[i]);
    }
    return true;
}

/* A context without surfaces is ours: our guest tries it first, and brings a surface when the
 * answer is no, so that nothing is refused. */
static bool make_current(struct hr_call *call, uint32_t context, uint32_t draw, uint32_t read)
{
    struct hrc_thread *thread = hrc_thread_of(call);
    struct ho_table *objects = &thread->client->objects;
    const struct hs_native *native = thread->client->native;
    if (context == 0 && draw == 0 && read == 0) {
        return hrc_make_current(thread, NULL, NULL, NULL);
    }
    bool surfaceless = draw == 0 && read == 0;
    struct ho_object *c = ho_get(objects, HRC_CONTEXT, context);
    struct ho_object *d = ho_get(objects, HRC_SURFACE, draw),
                     *r = ho_get(objects, HRC_SURFACE, read);
    bool ok = c != NULL && (surfaceless || (d != NULL && r != NULL));
    if (ok && surfaceless && !native->surfaceless_context) {
        ok = false;
    } else if (!ok) {
        hr_call_refuse(call, "context 0x%x, surfaces 0x%x and 0x%x: unknown", context, draw, read);
    } else {
        ok = hrc_make_current(thread, c, d, r);
        if (!ok) {
            hr_call_refuse(call, "EGL error 0x%x",
                           (unsigned)thread->client->native->egl.GetError());
        }
    }
    ho_put(r);
    ho_put(d);
    ho_put(c);
    return ok;
}

int32_t hrc_rcMakeCurrent(struct hr_call *call, const struct rc_args_rcMakeCurrent *args)
{
    return make_current(call, args->context, args->drawSurf, args->readSurf) ? EGL_TRUE : EGL_FALSE;
}

void hrc_rcMakeCurrentAsync(struct hr_call *call, const struct rc_args_rcMakeCurrentAsync *args)
{
    (void)make_current(call, args->context, args->drawSurf, args->readSurf);
}
