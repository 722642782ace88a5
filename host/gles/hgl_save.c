/* A snapshot of one guest's context: renderControl's objects, then what their contexts hold. */
#include "host/gles/hgl_save_image.h"

#include "transport/base/log.h"
#include "transport/base/mem.h"
#include "wire/rc_pack.h"
#include "wire/sl_pack.h"

#include <GLES2/gl2ext.h>

/* --- objects by kind --- */

static struct hgl_objects all_objects(struct hgl_save *s)
{
    struct hgl_objects all = {.list = hgl_save_alloc(s, HRC_OBJECTS_MAX, sizeof *all.list)};
    uint32_t cursor = 0;
    struct ho_object *object;
    while (all.list != NULL && all.count < HRC_OBJECTS_MAX &&
           (object = ho_next(&s->client->objects, &cursor)) != NULL) {
        all.list[all.count++] = object;
    }
    return all;
}

static void put_objects(struct hgl_objects *all)
{
    for (uint32_t i = 0; i < all->count; i++) {
        ho_put(all->list[i]);
    }
    sl_free(all->list);
}

/* The table's free places come in this order. spare: a handle that no object has, above all. */
static void save_shape(struct hgl_save *s, enum hrc_table table, uint32_t *spare)
{
    struct sl_handles *handles = hrc_handles(s->client, table);
    size_t count = sl_handles_shape(handles, NULL, 0);
    uint32_t *words = hgl_save_alloc(s, count, sizeof *words);
    if (words == NULL) {
        return;
    }
    if (spare == NULL) {
        hgl_save_about(s, VGD_LEADS, HGL_ABOUT_SHAPE, (uint32_t)table);
    }
    size_t now = sl_handles_shape(handles, words, count);
    if (now == count && spare != NULL) {
        *spare = HRC_HANDLE_BASE | (words[0] + 1);
    } else if (now == count && (words[0] != 0 || hgl_save_is_whole(s))) {
        uint32_t bytes = (uint32_t)(count * 4);
        sl_pack_slHandles(hgl_out(s), table, words, bytes, bytes);
        hgl_save_flush(s);
    }
    sl_free(words);
}

/* --- buffers --- */

static void save_pixels(struct hgl_save *s, struct hs_thread *thread, struct hs_buffer *b)
{
    /* What a surface of float channels was copied to holds the same. */
    GLenum type = b->internal_format == GL_RGBA16F ? GL_HALF_FLOAT : GL_UNSIGNED_BYTE;
    size_t size = (size_t)b->width * b->height * hs_pixel_bytes(GL_RGBA, type);
    static const int32_t done = 0;
    if (size > HR_PACKET_MAX / 2) {
        hgl_save_refuse(s, "colour buffer 0x%x has %zu bytes", b->handle, size);
        return;
    }
    uint8_t *pixels = hgl_save_alloc(s, size, 1);
    if (pixels != NULL && hs_read(b, thread, 0, 0, (int32_t)b->width, (int32_t)b->height, GL_RGBA,
                                  type, pixels, size)) {
        rc_pack_rcUpdateColorBuffer(hgl_out(s), b->handle, 0, 0, (GLint)b->width, (GLint)b->height,
                                    GL_RGBA, type, pixels, (uint32_t)size);
        hgl_save_reply(s, &done, 4);
    }
    sl_free(pixels);
}

/* Made by this client, or opened by it: the first of the device's contexts that is saved makes it.
 */
static void save_buffer(struct hgl_save *s, struct hs_buffer *b, uint32_t opens)
{
    hgl_save_about(s, VGD_FIXED, HGL_ABOUT_HANDLE, b->handle);
    hgl_save_next_handle(s, HRC_TABLE_BUFFERS, b->handle);
    struct hs_view_args view;
    if (hs_view_describe(b, &view)) {
        hgl_save_view(s, &view);
    } else if (b->kind == HS_COLOR) {
        rc_pack_rcCreateColorBuffer(hgl_out(s), b->width, b->height, b->internal_format);
    } else {
        rc_pack_rcCreateBuffer2(hgl_out(s), b->size, 0);
    }
    hgl_save_reply(s, &b->handle, 4);
    for (uint32_t i = 0; i < opens; i++) {
        rc_pack_rcOpenColorBuffer(hgl_out(s), b->handle);
    }
    hgl_save_flush(s);
}

static void save_buffers(struct hgl_save *s)
{
    struct hrc_client *c = s->client;
    struct hs_thread thread;
    uint32_t cursor = 0;
    uint64_t handle;
    uintptr_t named;
    hs_thread_init(&thread, s->n);
    while ((named = (uintptr_t)sl_map_next(&c->named, &cursor, &handle)) != 0 &&
           !hgl_save_failed(s)) {
        struct hs_buffer *b = hs_get(c->buffers, (uint32_t)handle);
        uint32_t opens = (uint32_t)named - 1;
        if (b != NULL && handle >= HS_HANDLE_BASE && hs_is_shared(b, opens)) {
            hgl_save_refuse(s, "colour buffer 0x%x is open elsewhere too", (uint32_t)handle);
        } else if (b != NULL && handle >= HS_HANDLE_BASE) {
            save_buffer(s, b, opens);
        }
        if (b != NULL && hs_holds_image(b)) {
            hgl_save_about(s, VGD_FILLS, HGL_ABOUT_PIXELS, b->handle);
            save_pixels(s, &thread, b);
        }
        hs_put(b);
    }
    hs_thread_finish(&thread);
}

/* --- contexts and surfaces --- */

/* Any context of the group that the replay has made already. */
static uint32_t made_sibling(const struct hgl_save *s, const struct hgl_saved *c)
{
    for (uint32_t i = 0; i < s->context_count; i++) {
        const struct hgl_saved *o = &s->contexts[i];
        if (o->is_done && o->state->group == c->state->group) {
            return o->handle;
        }
    }
    return 0;
}

static void save_contexts(struct hgl_save *s)
{
    for (uint32_t i = 0; i < s->context_count; i++) {
        struct hgl_saved *c = &s->contexts[i];
        hgl_save_about(s, VGD_FIXED, HGL_ABOUT_HANDLE, c->handle);
        hgl_save_next_handle(s, HRC_TABLE_OBJECTS, c->handle);
        rc_pack_rcCreateContext(hgl_out(s), c->context->config, made_sibling(s, c),
                                c->context->version);
        hgl_save_reply(s, &c->handle, 4);
        c->is_done = true;
    }
}

static void save_window(struct hgl_save *s, const struct ho_object *object)
{
    const struct hrc_surface *surface = object->value;
    hgl_save_about(s, VGD_FIXED, HGL_ABOUT_HANDLE, object->id);
    hgl_save_next_handle(s, HRC_TABLE_OBJECTS, object->id);
    if (surface->colorspace != 0) {
        sl_pack_slCreateSurface(hgl_out(s), surface->config, surface->width, surface->height,
                                surface->colorspace);
    } else {
        rc_pack_rcCreateWindowSurface(hgl_out(s), surface->config, surface->width, surface->height);
    }
    hgl_save_reply(s, &object->id, 4);
    hgl_save_about(s, VGD_FILLS, HGL_ABOUT_TARGET, object->id);
    if (surface->target != NULL) {
        rc_pack_rcSetWindowColorBuffer(hgl_out(s), object->id, surface->target->handle);
        hgl_save_flush(s);
    }
}

/* --- groups --- */

/* Does the driver let contexts of a group see each other's framebuffers? Yes, as long as there is
 * none to look at. */
static bool shares_framebuffers(struct hgl_save *s)
{
    uint32_t name = 0;
    bool shared = true;
    uint8_t *alive;
    if (hgl_save_current(s, s->root)) {
        uint32_t top = hgl_save_names(s, s->root->state, HGL_FRAMEBUFFERS, &alive);
        for (uint32_t i = 1; i <= top && name == 0; i++) {
            name = alive[i] != 0 ? i : 0;
        }
        sl_free(alive);
    }
    if (hgl_save_reading(s) && name != 0) {
        shared = s->gl->IsFramebuffer(name);
    }
    return shared;
}

static void save_shared(struct hgl_save *s)
{
    static const enum hgl_kind kinds[] = {HGL_TEXTURES, HGL_BUFFERS, HGL_RENDERBUFFERS,
                                          HGL_SAMPLERS, HGL_FRAMEBUFFERS};
    hgl_save_find_orphans(s);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        uint8_t *alive;
        uint32_t top = hgl_save_names(s, s->root->state, kinds[i], &alive);
        sl_free(alive);
        hgl_save_about(s, VGD_ONCE, HGL_ABOUT_MADE_OF + kinds[i], 0);
        hgl_save_generate(s, kinds[i], top);
    }
    hgl_save_buffers(s);
    if (s->gles >= 30) {
        hgl_save_samplers(s);
        hgl_save_renderbuffers(s);
    }
    hgl_save_textures(s);
    if (s->gles >= 30) {
        hgl_save_image_renderbuffers(s);
    }
    hgl_save_programs(s);
    hgl_save_unnamed(s);
    hgl_save_about(s, VGD_LEADS, HGL_ABOUT_STATE, 1);
    hgl_save_labels(s, s->root->state, false);
}

/* GL's error is asked for by the guest alone: one that is pending is raised again, here and in the
 * replay. */
static GLenum take_error(const struct hgl_save *s)
{
    GLenum error = s->gl->GetError();
    while (error != GL_NO_ERROR && s->gl->GetError() != GL_NO_ERROR) {
    }
    return error;
}

static void raise_error(struct hgl_save *s, GLenum error)
{
    (void)take_error(s);
    if (error == GL_INVALID_ENUM) {
        s->gl->Enable(0);
        gles2_pack_glEnable(hgl_out(s), 0);
    } else if (error == GL_INVALID_VALUE) {
        s->gl->Clear(1);
        gles2_pack_glClear(hgl_out(s), 1);
    } else if (error == GL_INVALID_OPERATION) {
        s->gl->Uniform1i(INT32_MAX, 0);
        gles2_pack_glUniform1i(hgl_out(s), INT32_MAX, 0);
    } else if (error == GL_INVALID_FRAMEBUFFER_OPERATION) { /* while it is as wrong as it was */
        s->gl->Clear(0);
        gles2_pack_glClear(hgl_out(s), 0);
    }
    hgl_save_flush(s);
}

static void save_own(struct hgl_save *s, const struct hgl_saved *c)
{
    if (!hgl_save_current(s, c)) {
        return;
    }
    if (c->context->is_gles1) {
        hgl_save_about(s, VGD_FIXED, HGL_ABOUT_STATE, c->handle);
        hgl_save_play_current(s, c);
        hgl_save_gles1(s, c);
        return;
    }
    GLenum error = take_error(s);
    hgl_save_about(s, VGD_LEADS, HGL_ABOUT_STATE, c->handle);
    hgl_save_play_current(s, c);
    bool resumes = hgl_save_feedbacks(s, c);
    hgl_save_arrays(s, c);
    hgl_save_framebuffers(s, c);
    hgl_save_own_objects(s, c);
    hgl_save_about(s, VGD_LEADS, HGL_ABOUT_BOUND, c->handle);
    hgl_save_labels(s, c->state, true);
    hgl_save_state(s, c);
    if (resumes) {
        gles2_pack_glResumeTransformFeedback(hgl_out(s));
    }
    hgl_save_about(s, VGD_FIXED, HGL_ABOUT_ERROR, c->handle);
    raise_error(s, error);
}

/* GLES 1 says less of objects than drivers keep: in the replay a context of GLES 3.2 makes them. */
static void save_shared_gles1(struct hgl_save *s)
{
    struct sl_pack *out = hgl_out(s);
    hgl_save_about(s, VGD_LEADS, HGL_ABOUT_STATE, 2);
    hgl_save_next_handle(s, HRC_TABLE_OBJECTS, s->spare);
    rc_pack_rcCreateContext(out, s->root->context->config, s->root->handle, 5);
    hgl_save_reply(s, &s->spare, 4);
    rc_pack_rcMakeCurrentAsync(out, s->spare, 0, 0);
    save_shared(s);
    hgl_save_about(s, VGD_LEADS, HGL_ABOUT_STATE, 3);
    rc_pack_rcMakeCurrentAsync(out, 0, 0, 0);
    rc_pack_rcDestroyContext(out, s->spare);
    hgl_save_flush(s);
}

/* Where the guest could have made names of the group next; 0: nowhere. */
static uint32_t find_doer(const struct hgl_save *s)
{
    for (uint32_t i = 0; i < s->context_count && s->to->did != NULL; i++) {
        const struct hgl_saved *c = &s->contexts[i];
        if (c->ring != 0 && c->state->group == s->root->state->group && !c->context->is_gles1) {
            return c->ring;
        }
    }
    return 0;
}

static void save_group(struct hgl_save *s, struct hgl_saved *root)
{
    s->root = root;
    s->doer = find_doer(s);
    s->gles = root->context->is_gles1 ? 32 : root->context->gles_version;
    if (hgl_save_reader_begin(s, root->context->config, root->context->egl)) {
        s->shares_framebuffers = shares_framebuffers(s);
        hgl_save_about(s, VGD_LEADS, HGL_ABOUT_STATE, 4);
        hgl_save_play_current(s, root);
        if (hgl_save_current(s, root) && hgl_save_reading(s)) {
            (root->context->is_gles1 ? save_shared_gles1 : save_shared)(s);
        }
        for (uint32_t i = 0; i < s->context_count && !hgl_save_failed(s); i++) {
            struct hgl_saved *c = &s->contexts[i];
            if (c->state->group == root->state->group && c->context->gles_version != 0) {
                save_own(s, c);
            }
        }
        hgl_save_about(s, VGD_FIXED, HGL_ABOUT_MADE_OF + HGL_PROGRAMS, 0);
        if (!hgl_save_failed(s) && hgl_save_reading(s)) {
            hgl_save_deleted_programs(s);
        }
    }
    hgl_save_orphans_finish(s);
    hgl_save_samples_finish(s);
    hgl_save_reader_end(s);
    for (uint32_t i = 0; i < s->context_count; i++) {
        s->contexts[i].is_filled |= s->contexts[i].state->group == root->state->group;
    }
    s->root = NULL;
}

/* One that knows more than GLES 1 comes first. */
static bool is_root(const struct hgl_save *s, uint32_t which)
{
    const struct hgl_saved *c = &s->contexts[which];
    bool first = c->context->gles_version != 0;
    for (uint32_t i = 0; i < s->context_count; i++) {
        const struct hgl_saved *o = &s->contexts[i];
        bool is_other =
            i != which && o->state->group == c->state->group && o->context->gles_version != 0;
        bool same = o->context->is_gles1 == c->context->is_gles1;
        first = first && !(is_other && (same ? i < which : c->context->is_gles1));
    }
    return first;
}

static void save_groups(struct hgl_save *s)
{
    bool waits = true; /* those whose images are made in others come behind these */
    for (bool goes_on = true; goes_on;) {
        goes_on = false;
        for (uint32_t i = 0; i < s->context_count && !hgl_save_failed(s); i++) {
            struct hgl_saved *c = &s->contexts[i];
            if (!c->is_filled && is_root(s, i) && !(waits && hgl_save_waits_for_image(s, c))) {
                save_group(s, c);
                goes_on = true;
            }
        }
        if (!goes_on && waits && !hgl_save_failed(s)) {
            waits = false; /* in a ring: what cannot be made says so */
            goes_on = true;
        }
    }
}

/* --- fences --- */

static void about_sync(struct hgl_save *s, const struct ho_object *object)
{
    struct sl_pack *out = &s->ending.pack;
    if (!hgl_save_is_whole(s)) {
        return;
    }
    hgl_save_flush(s);
    out->cur = s->ending.data;
    if (object->kind == HRC_GL_SYNC) {
        gles2_pack_glDeleteSyncAEMU(out, object->id);
    } else {
        rc_pack_rcDestroySyncKHR(out, object->id);
    }
    const struct vgd_about about = {.rule = VGD_MAKES,
                                    .kind = HGL_ABOUT_SYNC,
                                    .id = object->id,
                                    .serial = (uint64_t)0xff << 56 | object->id,
                                    .end_ring = s->ring,
                                    .end = s->ending.data,
                                    .end_size = (size_t)(out->cur - s->ending.data)};
    if (s->result == SL_OK) {
        s->result = s->ending.failed ? SL_ERR_NOMEM : s->to->about(s->to->user, &about);
    }
}

static void save_sync(struct hgl_save *s, const struct ho_object *object, bool goes_by_itself)
{
    const uint64_t twice[2] = {object->id, object->id};
    about_sync(s, object);
    hgl_save_next_handle(s, HRC_TABLE_OBJECTS, object->id);
    if (object->kind == HRC_GL_SYNC) {
        gles2_pack_glFenceSyncAEMU(hgl_out(s), GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
        hgl_save_reply(s, twice, 8);
    } else {
        rc_pack_rcCreateSyncKHR(hgl_out(s), EGL_SYNC_FENCE_KHR, NULL, 0, 0, goes_by_itself, 8, 8);
        hgl_save_reply(s, twice, 16);
    }
}

static const struct hgl_ring_ref *keeper_of(const struct hgl_ring_ref *rings, uint32_t count,
                                            uint32_t handle)
{
    for (uint32_t r = 0; r < count; r++) {
        const struct hrc_thread *t = rings[r].thread;
        for (uint32_t i = 0; i < t->auto_count; i++) {
            if (t->auto_syncs[(t->auto_first + i) % HRC_AUTO_SYNCS] == handle) {
                return &rings[r];
            }
        }
    }
    return NULL;
}

static void save_syncs(struct hgl_save *s, const struct hgl_objects *all,
                       const struct hgl_ring_ref *rings, uint32_t ring_count)
{
    uint32_t first = s->ring;
    for (uint32_t i = 0; i < all->count && !hgl_save_failed(s); i++) {
        const struct ho_object *object = all->list[i];
        if (object->kind == HRC_EGL_SYNC || object->kind == HRC_GL_SYNC) {
            const struct hgl_ring_ref *keeper = keeper_of(rings, ring_count, object->id);
            s->ring = keeper != NULL ? keeper->id : first;
            save_sync(s, object, keeper != NULL);
            s->ring = first;
        } else if (object->kind == HRC_IMAGE && s->images_done[i] == 0) {
            hgl_save_refuse(s, "image 0x%x is of a texture that is gone, or of an image's",
                            object->id);
        }
    }
}

/* --- all of it --- */

static bool find_contexts(struct hgl_save *s, const struct hgl_objects *all,
                          const struct hgl_ring_ref *rings, uint32_t ring_count)
{
    s->contexts = hgl_save_alloc(s, all->count, sizeof *s->contexts);
    for (uint32_t i = 0; s->contexts != NULL && i < all->count; i++) {
        struct ho_object *object = all->list[i];
        if (object->kind != HRC_CONTEXT) {
            continue;
        }
        struct hrc_context *context = object->value;
        struct hgl_saved *c = &s->contexts[s->context_count++];
        *c = (struct hgl_saved){
            .object = object, .context = context, .state = context->state, .handle = object->id};
        for (uint32_t k = 0; k < all->count; k++) { /* where it was last, if nowhere now */
            const struct hrc_surface *surface =
                all->list[k]->kind == HRC_SURFACE ? all->list[k]->value : NULL;
            if (surface != NULL && surface->last == object) {
                c->draw = c->read = all->list[k];
            }
        }
    }
    for (uint32_t r = 0; r < ring_count; r++) {
        const struct hrc_thread *t = rings[r].thread;
        if ((t->context != NULL && t->context->id == 0) || (t->draw != NULL && t->draw->id == 0) ||
            (t->read != NULL && t->read->id == 0)) {
            hgl_save_refuse(s, "what is current on a ring was destroyed");
        }
        for (uint32_t i = 0; i < s->context_count; i++) {
            if (s->contexts[i].object == t->context) {
                s->contexts[i].ring = rings[r].id;
                s->contexts[i].draw = t->draw;
                s->contexts[i].read = t->read;
            }
        }
    }
    return !hgl_save_failed(s);
}

/* Which context a surface was last current with decides who may flush it. */
static void save_last(struct hgl_save *s, const struct hgl_objects *all)
{
    hgl_save_about(s, VGD_LEADS, HGL_ABOUT_STATE, 5);
    for (uint32_t i = 0; i < all->count; i++) {
        const struct ho_object *object = all->list[i];
        const struct hrc_surface *surface = object->kind == HRC_SURFACE ? object->value : NULL;
        if (surface != NULL && surface->last != NULL && surface->last->id != 0) {
            rc_pack_rcMakeCurrentAsync(hgl_out(s), surface->last->id, object->id, object->id);
        }
    }
    hgl_save_flush(s);
}

static void save_currents(struct hgl_save *s, const struct hgl_ring_ref *rings, uint32_t count)
{
    for (uint32_t r = 0; r < count; r++) {
        const struct hrc_thread *t = rings[r].thread;
        s->ring = rings[r].id;
        if (t->context != NULL || r == 0) {
            rc_pack_rcMakeCurrentAsync(hgl_out(s), t->context != NULL ? t->context->id : 0,
                                       t->draw != NULL ? t->draw->id : 0,
                                       t->read != NULL ? t->read->id : 0);
            hgl_save_flush(s);
        }
    }
}

static void save_everything(struct hgl_save *s, const struct hgl_objects *all,
                            const struct hgl_ring_ref *rings, uint32_t ring_count)
{
    save_buffers(s);
    save_contexts(s);
    for (uint32_t i = 0; i < all->count && !hgl_save_failed(s); i++) {
        if (all->list[i]->kind == HRC_SURFACE) {
            save_window(s, all->list[i]);
        }
    }
    save_shape(s, HRC_TABLE_OBJECTS, &s->spare);
    for (uint32_t i = 0; i < all->count && !hgl_save_failed(s); i++) {
        if (all->list[i]->kind == HRC_SURFACE) {
            hgl_save_about(s, VGD_FILLS, HGL_ABOUT_PIXELS, all->list[i]->id);
            hgl_save_surface(s, all->list[i]->id, all->list[i]->value, s->spare);
        }
    }
    hgl_save_find_closed(s);
    hgl_save_lone_images(s);
    save_groups(s);
    hgl_save_closed_finish(s);
    save_last(s, all);
    save_currents(s, rings, ring_count);
    s->ring = rings[0].id;
    save_syncs(s, all, rings, ring_count);
    save_shape(s, HRC_TABLE_OBJECTS, NULL);
    save_shape(s, HRC_TABLE_BUFFERS, NULL);
    hgl_save_about(s, VGD_ONCE, HGL_ABOUT_STATE, 6);
    if (s->client->puid != 0) {
        rc_pack_rcSetPuid(hgl_out(s), s->client->puid);
        hgl_save_flush(s);
    }
}

enum sl_result hgl_save_client(struct hrc_client *client, const struct gl_driver *gl,
                               const struct hgl_ring_ref *rings, uint32_t ring_count,
                               const struct vgd_saver *to)
{
    if (ring_count == 0) {
        return SL_OK; /* nobody has sent anything */
    }
    struct hgl_save s = {.to = to,
                         .client = client,
                         .n = client->native,
                         .gl = gl,
                         .ring = rings[0].id,
                         .reading = EGL_NO_CONTEXT,
                         .pbuffer = EGL_NO_SURFACE};
    sl_pack_mem_init(&s.out);
    sl_pack_mem_init(&s.ending);
    s.n->egl.BindAPI(EGL_OPENGL_ES_API);
    s.all = all_objects(&s);
    s.images_done = hgl_save_alloc(&s, s.all.count, 1);
    if (s.all.list != NULL && s.images_done != NULL &&
        find_contexts(&s, &s.all, rings, ring_count)) {
        memset(s.images_done, 0, s.all.count);
        save_everything(&s, &s.all, rings, ring_count);
    }
    (void)s.n->egl.MakeCurrent(s.n->display, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    sl_pack_mem_finish(&s.out);
    sl_pack_mem_finish(&s.ending);
    sl_free(s.contexts);
    put_objects(&s.all);
    sl_free(s.images_done);
    return s.result;
}
