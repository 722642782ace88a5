/* Snapshots: client images (EGLImage), and the handles that objects of a replay get.
 *
 * An image is made anew of the texture or renderbuffer that it was made of. What has its storage
 * may be all that is left: where the guest has closed it, it is made for as long as that needs it;
 * where its texture was deleted, or its contexts are gone, a context of its own makes another one
 * of what the image shows, and goes again. */
#include "host/gles/hgl_save_image.h"

#include "transport/base/mem.h"
#include "wire/rc_pack.h"
#include "wire/sl_pack.h"

#include <GLES2/gl2ext.h>

#define CLOSED_MAX 4096u
/* Of the context that a lone image is made in. */
#define LONE_TEXTURE 1u
/* The wire's glVersion of GLES 3.2. */
#define GLES_32 5

void hgl_save_next_handle(struct hgl_save *s, enum hrc_table table, uint32_t handle)
{
    sl_pack_slNextHandle(hgl_out(s), table, handle);
    hgl_save_flush(s);
}

/* A context of the group that has what the image was made of; NULL: it is gone. */
static const struct hgl_saved *home_of(const struct hgl_save *s, const struct hrc_image *image)
{
    const struct hgl_saved *home = NULL;
    for (uint32_t i = 0; i < s->context_count; i++) {
        const struct hgl_saved *c = &s->contexts[i];
        bool is_it = c->context->gles_version != 0 && hgl_has_source(c->state->group, image);
        /* The one that it was made by, if it is there. */
        if (is_it && (home == NULL || c->handle == image->context)) {
            home = c;
        }
    }
    return home;
}

static void make_image(struct hgl_save *s, const struct hrc_image *image, uint32_t handle)
{
    const struct hgl_saved *home = home_of(s, image);
    hgl_save_next_handle(s, HRC_TABLE_OBJECTS, handle);
    if (image->level != 0 || image->layer != 0) {
        sl_pack_slCreateImage(hgl_out(s), home->handle, image->target, image->name, image->level,
                              image->layer);
    } else {
        rc_pack_rcCreateClientImage(hgl_out(s), home->handle, image->target, image->name);
    }
    hgl_save_reply(s, &handle, 4);
}

static void close_image(struct hgl_save *s, uint32_t handle)
{
    static const uint32_t done = 1;
    rc_pack_rcDestroyClientImage(hgl_out(s), (EGLint)handle);
    hgl_save_reply(s, &done, 4);
}

/* --- of what is there --- */

uint32_t hgl_save_image_depth(const struct hgl_save *s, bool renderbuffer, uint32_t name)
{
    struct hgl_group *group = s->root->state->group;
    uint32_t depth = 0;
    while (depth < HGL_IMAGE_DEPTHS) {
        struct ho_object *object = hgl_storage_image(group, renderbuffer, name);
        const struct hrc_image *image = object != NULL ? object->value : NULL;
        bool is_ours = image != NULL && hgl_has_source(group, image);
        renderbuffer = is_ours && image->target == EGL_GL_RENDERBUFFER_KHR;
        name = is_ours ? image->name : 0;
        depth += image != NULL ? 1 : 0;
        ho_put(object);
        if (!is_ours) {
            break;
        }
    }
    return depth;
}

void hgl_save_images(struct hgl_save *s, uint32_t depth)
{
    for (uint32_t i = 0; i < s->all.count && !hgl_save_failed(s); i++) {
        const struct ho_object *object = s->all.list[i];
        const struct hrc_image *image = object->kind == HRC_IMAGE ? object->value : NULL;
        if (image == NULL || s->images_done[i] != 0 ||
            !hgl_has_source(s->root->state->group, image)) {
            continue;
        }
        bool renderbuffer = image->target == EGL_GL_RENDERBUFFER_KHR;
        if (hgl_save_image_depth(s, renderbuffer, image->name) == depth) {
            hgl_save_flush(s);
            hgl_save_about(s, VGD_FIXED, HGL_ABOUT_HANDLE, object->id);
            make_image(s, image, object->id);
            s->images_done[i] = 1;
        }
    }
}

/* --- of what is gone --- */

/* What the image shows; its pixels are the caller's. False: it cannot be told. */
static bool look_at(struct hgl_save *s, const struct hrc_image *image, struct hgl_orphan *o)
{
    const struct gl_driver *gl = s->gl;
    GLuint texture = 0, framebuffer = 0;
    (void)gl->GetError();
    gl->GenTextures(1, &texture);
    gl->BindTexture(GL_TEXTURE_2D, texture);
    gl->EGLImageTargetTexture2DOES(GL_TEXTURE_2D, image->egl);
    gl->GenFramebuffers(1, &framebuffer);
    gl->BindFramebuffer(GL_READ_FRAMEBUFFER, framebuffer);
    *o = (struct hgl_orphan){.type = GL_TEXTURE,
                             .name = texture,
                             .framebuffer = framebuffer,
                             .attachment = GL_COLOR_ATTACHMENT0};
    gl->FramebufferTexture2D(GL_READ_FRAMEBUFFER, o->attachment, GL_TEXTURE_2D, texture, 0);
    if (gl->GetError() == GL_NO_ERROR &&
        gl->CheckFramebufferStatus(GL_READ_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE) {
        hgl_save_look_at_orphan(s, o);
    }
    gl->BindFramebuffer(GL_READ_FRAMEBUFFER, 0);
    gl->DeleteFramebuffers(1, &framebuffer);
    gl->DeleteTextures(1, &texture);
    o->name = LONE_TEXTURE;
    return o->pixels != NULL;
}

/* The reader, and in the replay the context that makes it, are current. */
static void save_lone(struct hgl_save *s, const struct hrc_image *image, uint32_t handle)
{
    struct hgl_orphan o;
    if (image->exported != NULL) {
        hgl_save_refuse(s, "an image was exported as resource %u, and its texture is gone",
                        image->exported->handle);
        return;
    }
    if (!look_at(s, image, &o)) {
        hgl_save_refuse(s, "an image cannot be read, and its texture %u is gone", image->name);
        return;
    }
    hgl_save_orphan_texture(s, &o);
    hgl_save_next_handle(s, HRC_TABLE_OBJECTS, handle);
    rc_pack_rcCreateClientImage(hgl_out(s), s->spare, EGL_GL_TEXTURE_2D_KHR, o.name);
    hgl_save_reply(s, &handle, 4);
    gles2_pack_glDeleteTextures(hgl_out(s), 1, &o.name, 4);
    hgl_save_flush(s);
    sl_free(o.pixels);
}

static bool is_lone(const struct hgl_save *s, const struct hgl_closed *closed)
{
    return home_of(s, closed->object->value) == NULL;
}

static uint32_t count_lone(const struct hgl_save *s)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->all.count; i++) {
        const struct ho_object *object = s->all.list[i];
        count += object->kind == HRC_IMAGE && home_of(s, object->value) == NULL ? 1 : 0;
    }
    for (uint32_t i = 0; i < s->closed_count; i++) {
        count += is_lone(s, &s->closed[i]) ? 1 : 0;
    }
    return count;
}

static void save_all_lone(struct hgl_save *s)
{
    s->gl->PixelStorei(GL_PACK_ALIGNMENT, 1);
    for (uint32_t i = 0; i < s->all.count && !hgl_save_failed(s); i++) {
        const struct ho_object *object = s->all.list[i];
        if (object->kind == HRC_IMAGE && home_of(s, object->value) == NULL) {
            save_lone(s, object->value, object->id);
            s->images_done[i] = 1;
        }
    }
    for (uint32_t i = 0; i < s->closed_count && !hgl_save_failed(s); i++) {
        if (is_lone(s, &s->closed[i])) {
            s->closed[i].handle = s->spare + 1 + i;
            save_lone(s, s->closed[i].object->value, s->closed[i].handle);
        }
    }
}

void hgl_save_lone_images(struct hgl_save *s)
{
    struct sl_pack *out = hgl_out(s);
    if (hgl_save_is_whole(s) || count_lone(s) == 0) {
        return; /* nothing leads back to what only an image shows */
    }
    const uint32_t config = s->context_count > 0 ? s->contexts[0].context->config : 0;
    if (hgl_save_reader_begin(s, config, EGL_NO_CONTEXT) && hgl_save_reading(s)) {
        hgl_save_next_handle(s, HRC_TABLE_OBJECTS, s->spare);
        rc_pack_rcCreateContext(out, config, 0, GLES_32);
        hgl_save_reply(s, &s->spare, 4);
        rc_pack_rcMakeCurrentAsync(out, s->spare, 0, 0);
        gles2_pack_glPixelStorei(out, GL_UNPACK_ALIGNMENT, 1);
        save_all_lone(s);
        rc_pack_rcMakeCurrentAsync(out, 0, 0, 0);
        rc_pack_rcDestroyContext(out, s->spare);
        hgl_save_flush(s);
    }
    hgl_save_reader_end(s);
}

/* --- closed ones --- */

static bool is_listed(const struct hgl_save *s, const struct ho_object *object)
{
    for (uint32_t i = 0; i < s->closed_count; i++) {
        if (s->closed[i].object == object) {
            return true;
        }
    }
    return false;
}

static void find_closed_in(struct hgl_save *s, struct hgl_group *group)
{
    struct ho_object *object;
    for (uint32_t cursor = 0; (object = hgl_next_image(group, &cursor)) != NULL;) {
        bool is_new = object->id == 0 && !is_listed(s, object);
        if (is_new && s->closed_count < CLOSED_MAX) {
            s->closed[s->closed_count++] = (struct hgl_closed){.object = object};
            continue; /* the reference is kept */
        }
        ho_put(object);
        if (is_new) {
            hgl_save_refuse(s, "more than %u images were closed that have textures", CLOSED_MAX);
            return;
        }
    }
}

void hgl_save_find_closed(struct hgl_save *s)
{
    s->closed = hgl_save_alloc(s, CLOSED_MAX, sizeof *s->closed);
    for (uint32_t i = 0; s->closed != NULL && i < s->context_count && !hgl_save_failed(s); i++) {
        find_closed_in(s, s->contexts[i].state->group);
    }
}

void hgl_save_closed_finish(struct hgl_save *s)
{
    for (uint32_t i = 0; i < s->closed_count; i++) {
        if (s->closed[i].handle != 0 && !hgl_save_failed(s)) {
            close_image(s, s->closed[i].handle);
        }
        ho_put(s->closed[i].object);
    }
    sl_free(s->closed);
}

/* --- what has their storage --- */

bool hgl_save_waits_for_image(const struct hgl_save *s, const struct hgl_saved *root)
{
    struct hgl_group *group = root->state->group;
    struct ho_object *object;
    bool waits = false;
    for (uint32_t cursor = 0; (object = hgl_next_image(group, &cursor)) != NULL;) {
        const struct hgl_saved *home = home_of(s, object->value);
        waits = waits || (home != NULL && home->state->group != group && !home->is_filled);
        ho_put(object);
    }
    return waits;
}

/* One that another texture's place was taken for is flat, whatever the texture was. */
static bool takes(const struct hgl_save *s, const struct hrc_image *image, GLenum target)
{
    return target == GL_TEXTURE_2D || target == GL_TEXTURE_EXTERNAL_OES ||
           target == GL_RENDERBUFFER || home_of(s, image) != NULL;
}

/* 0: none; the spare one: made for now. */
static uint32_t open_image(struct hgl_save *s, const struct ho_object *object)
{
    for (uint32_t i = 0; i < s->all.count && object->id != 0; i++) {
        if (s->all.list[i] == object) {
            return s->images_done[i] != 0 ? object->id : 0;
        }
    }
    for (uint32_t i = 0; i < s->closed_count; i++) {
        if (s->closed[i].object == object && s->closed[i].handle != 0) {
            return s->closed[i].handle;
        }
    }
    const struct hgl_saved *home = home_of(s, object->value);
    if (home == NULL || (home->state->group != s->root->state->group && !home->is_filled)) {
        return 0;
    }
    make_image(s, object->value, s->spare);
    return s->spare;
}

void hgl_save_image_storage(struct hgl_save *s, GLenum target, uint32_t name,
                            enum hgl_storage storage)
{
    bool renderbuffer = target == GL_RENDERBUFFER;
    struct ho_object *object = hgl_storage_image(s->root->state->group, renderbuffer, name);
    hgl_save_flush(s);
    uint32_t handle =
        object != NULL && takes(s, object->value, target) ? open_image(s, object) : 0;
    ho_put(object);
    if (handle == 0) {
        hgl_save_refuse(s, "%s %u is of an image whose texture is gone, or comes later",
                        renderbuffer ? "renderbuffer" : "texture", name);
        return;
    }
    if (storage == HGL_STORAGE_FIXED) {
        glesx_pack_glEGLImageTargetTexStorageSLUICE(hgl_out(s), target, handle);
    } else if (renderbuffer) {
        gles2_pack_glEGLImageTargetRenderbufferStorageOES(hgl_out(s), target, handle);
    } else {
        gles2_pack_glEGLImageTargetTexture2DOES(hgl_out(s), target, handle);
    }
    hgl_save_flush(s);
    if (handle == s->spare) {
        close_image(s, handle);
    }
}
