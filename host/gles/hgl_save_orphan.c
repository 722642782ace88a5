/* Textures and renderbuffers that were deleted while a framebuffer has them.
 *
 * Their names are nobody's, and no driver tells of them, but they can be drawn on as before. What a
 * framebuffer tells of its attachments and what can be read there makes another one, which is
 * attached and deleted in the same way. */
#include "host/gles/hgl_save.h"

#include "transport/base/mem.h"

#include <GLES2/gl2ext.h>

#include <string.h>

#define ORPHANS_MAX 256u
/* Of any pixel. */
#define PIXEL_MAX 16u

static GLint told(const struct hgl_save *s, GLenum attachment, GLenum what)
{
    GLint value = 0;
    s->gl->GetFramebufferAttachmentParameteriv(GL_READ_FRAMEBUFFER, attachment, what, &value);
    return value;
}

static bool is_same(const struct hgl_save *s, GLenum attachment, const struct hgl_orphan *o)
{
    return told(s, attachment, GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE) == (GLint)o->type &&
           (uint32_t)told(s, attachment, GL_FRAMEBUFFER_ATTACHMENT_OBJECT_NAME) == o->name;
}

/* --- its format --- */

/* NULL: none of ours. */
static const struct hgl_format *format_of(struct hgl_save *s, const struct hgl_orphan *o)
{
    static const GLenum bits[6] = {
        GL_FRAMEBUFFER_ATTACHMENT_RED_SIZE,   GL_FRAMEBUFFER_ATTACHMENT_GREEN_SIZE,
        GL_FRAMEBUFFER_ATTACHMENT_BLUE_SIZE,  GL_FRAMEBUFFER_ATTACHMENT_ALPHA_SIZE,
        GL_FRAMEBUFFER_ATTACHMENT_DEPTH_SIZE, GL_FRAMEBUFFER_ATTACHMENT_STENCIL_SIZE};
    struct hgl_likeness like = {0};
    bool color = o->attachment != GL_DEPTH_ATTACHMENT && o->attachment != GL_STENCIL_ATTACHMENT;
    for (uint32_t i = 0; i < 6; i++) {
        bool has = i < 4    ? color
                   : i == 4 ? o->attachment == GL_DEPTH_ATTACHMENT
                            : !color && is_same(s, GL_STENCIL_ATTACHMENT, o);
        like.sizes[i] = has ? told(s, i == 5 ? GL_STENCIL_ATTACHMENT : o->attachment, bits[i]) : 0;
    }
    if (o->attachment != GL_STENCIL_ATTACHMENT) {
        like.type = (GLenum)told(s, o->attachment, GL_FRAMEBUFFER_ATTACHMENT_COMPONENT_TYPE);
    }
    like.is_srgb =
        color && told(s, o->attachment, GL_FRAMEBUFFER_ATTACHMENT_COLOR_ENCODING) == GL_SRGB;
    return hgl_format_like(s, o->type == GL_RENDERBUFFER ? GL_RENDERBUFFER : GL_TEXTURE_2D, &like);
}

/* --- its size --- */

/* How many pixels of a row (or column) are written by reading it. */
static GLint count_pixels(struct hgl_save *s, const struct hgl_format *f, bool column)
{
    const GLint most = hgl_get(s, GL_MAX_TEXTURE_SIZE);
    const size_t size = (size_t)(most > 0 ? most : 0) * f->bytes;
    uint8_t *zeros = hgl_save_alloc(s, size, 1), *ones = hgl_save_alloc(s, size, 1);
    GLint count = 0;
    for (uint32_t i = 0; i < 2 && zeros != NULL && ones != NULL; i++) {
        uint8_t *to = i == 0 ? zeros : ones;
        memset(to, i == 0 ? 0 : 0xff, size);
        s->gl->ReadPixels(0, 0, column ? 1 : most, column ? most : 1, f->format, f->type, to);
    }
    while (zeros != NULL && ones != NULL && count < most &&
           memcmp(zeros + (size_t)count * f->bytes, ones + (size_t)count * f->bytes, f->bytes) ==
               0) {
        count++;
    }
    sl_free(zeros);
    sl_free(ones);
    return count;
}

void hgl_save_look_at_orphan(struct hgl_save *s, struct hgl_orphan *o)
{
    bool color = o->attachment != GL_DEPTH_ATTACHMENT && o->attachment != GL_STENCIL_ATTACHMENT;
    GLint read = hgl_get(s, GL_READ_BUFFER);
    o->format = format_of(s, o);
    if (o->format == NULL) {
        return;
    }
    if (color) {
        s->gl->ReadBuffer(o->attachment);
    }
    s->gl->PixelStorei(GL_PACK_ALIGNMENT, 1);
    (void)s->gl->GetError();
    o->width = count_pixels(s, o->format, false);
    o->height = count_pixels(s, o->format, true);
    if (s->gl->GetError() != GL_NO_ERROR) {
        o->format = NULL; /* of several samples, say */
    } else if (o->type == GL_TEXTURE && o->width > 0 && o->height > 0) {
        size_t count = (size_t)o->width * (size_t)o->height;
        o->pixels = hgl_save_alloc(s, count, o->format->bytes);
        if (o->pixels != NULL) {
            s->gl->ReadPixels(0, 0, o->width, o->height, o->format->format, o->format->type,
                              o->pixels);
            hgl_format_round(o->format, o->pixels, count);
        }
    }
    if (color) {
        s->gl->ReadBuffer((GLenum)read);
    }
}

/* --- all of them --- */

static bool is_alive(const struct hgl_save *s, GLint type, uint32_t name)
{
    return type == GL_TEXTURE ? s->gl->IsTexture(name) : s->gl->IsRenderbuffer(name);
}

static void find_at(struct hgl_save *s, uint32_t framebuffer, GLenum attachment)
{
    struct hgl_orphan o = {.type =
                               (GLenum)told(s, attachment, GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE),
                           .framebuffer = framebuffer,
                           .attachment = attachment};
    if (o.type != GL_TEXTURE && o.type != GL_RENDERBUFFER) {
        return;
    }
    o.name = (uint32_t)told(s, attachment, GL_FRAMEBUFFER_ATTACHMENT_OBJECT_NAME);
    if (is_alive(s, (GLint)o.type, o.name) || hgl_save_orphan(s, o.type, o.name) != NULL ||
        s->orphan_count == ORPHANS_MAX) {
        return;
    }
    if (o.type == GL_TEXTURE) {
        o.level = told(s, attachment, GL_FRAMEBUFFER_ATTACHMENT_TEXTURE_LEVEL);
        o.face = (GLenum)told(s, attachment, GL_FRAMEBUFFER_ATTACHMENT_TEXTURE_CUBE_MAP_FACE);
        if (told(s, attachment, GL_FRAMEBUFFER_ATTACHMENT_TEXTURE_LAYER) != 0 ||
            told(s, attachment, GL_FRAMEBUFFER_ATTACHMENT_LAYERED) != 0) {
            return; /* one of an array, of which the others cannot be read */
        }
    }
    if (s->orphans == NULL) {
        s->orphans = hgl_save_alloc(s, ORPHANS_MAX, sizeof *s->orphans);
    }
    if (s->orphans != NULL) {
        hgl_save_look_at_orphan(s, &o);
        if (o.format != NULL && o.width > 0 && o.height > 0) {
            s->orphans[s->orphan_count++] = o;
        } else {
            sl_free(o.pixels);
        }
    }
}

void hgl_save_find_orphans(struct hgl_save *s)
{
    uint8_t *alive = NULL;
    /* Who compares would see another object each time. */
    if (!s->shares_framebuffers || hgl_save_is_whole(s) || s->root->context->is_gles1) {
        return;
    }
    uint32_t top = hgl_save_names(s, s->root->state, HGL_FRAMEBUFFERS, &alive);
    GLint colors = hgl_get(s, GL_MAX_COLOR_ATTACHMENTS);
    for (uint32_t i = 1; i <= top && !hgl_save_failed(s); i++) {
        if (alive[i] == 0) {
            continue;
        }
        s->gl->BindFramebuffer(GL_READ_FRAMEBUFFER, i);
        if (s->gl->CheckFramebufferStatus(GL_READ_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE) {
            continue;
        }
        for (GLint k = 0; k < colors && k < 32; k++) {
            find_at(s, i, GL_COLOR_ATTACHMENT0 + (GLenum)k);
        }
        find_at(s, i, GL_DEPTH_ATTACHMENT);
        find_at(s, i, GL_STENCIL_ATTACHMENT);
    }
    s->gl->BindFramebuffer(GL_READ_FRAMEBUFFER, 0);
    sl_free(alive);
}

void hgl_save_orphans_finish(struct hgl_save *s)
{
    for (uint32_t i = 0; i < s->orphan_count; i++) {
        sl_free(s->orphans[i].pixels);
    }
    sl_free(s->orphans);
    s->orphans = NULL;
    s->orphan_count = 0;
}

const struct hgl_orphan *hgl_save_orphan(const struct hgl_save *s, GLenum type, uint32_t name)
{
    for (uint32_t i = 0; i < s->orphan_count; i++) {
        if (s->orphans[i].type == type && s->orphans[i].name == name) {
            return &s->orphans[i];
        }
    }
    return NULL;
}

/* --- in the replay --- */

void hgl_save_orphan_texture(struct hgl_save *s, const struct hgl_orphan *o)
{
    struct sl_pack *out = hgl_out(s);
    const struct hgl_format *f = o->format;
    const size_t size = (size_t)o->width * (size_t)o->height * f->bytes;
    const struct sl_gather pixels = sl_gather_flat(o->pixels, size);
    if (size > HR_PACKET_MAX / 2) {
        hgl_save_refuse(s, "a texture that was deleted has %zu bytes", size);
        return;
    }
    const GLenum target = o->face != 0 ? GL_TEXTURE_CUBE_MAP : GL_TEXTURE_2D;
    gles2_pack_glBindTexture(out, target, o->name);
    gles2_pack_glTexImage2D(out, o->face != 0 ? o->face : GL_TEXTURE_2D, o->level,
                            (GLint)f->internal, o->width, o->height, 0, f->format, f->type,
                            &pixels);
    if (o->level != 0) { /* else what it is attached to is not complete */
        gles2_pack_glTexParameteri(out, target, GL_TEXTURE_BASE_LEVEL, o->level);
        gles2_pack_glTexParameteri(out, target, GL_TEXTURE_MAX_LEVEL, o->level);
    }
    hgl_save_flush(s);
}

void hgl_save_delete_orphans(struct hgl_save *s)
{
    for (uint32_t i = 0; i < s->orphan_count; i++) {
        const struct hgl_orphan *o = &s->orphans[i];
        (o->type == GL_TEXTURE ? gles2_pack_glDeleteTextures
                               : gles2_pack_glDeleteRenderbuffers)(hgl_out(s), 1, &o->name, 4);
    }
    hgl_save_flush(s);
}
