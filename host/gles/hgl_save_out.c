/* The packets of a snapshot on their way out. */
#include "host/gles/hgl_save.h"

#include "transport/base/log.h"
#include "wire/rc_pack.h"

#include <stdarg.h>
#include <stdio.h>

/* Packed before it is handed over. */
#define ENOUGH (256u << 10)

void hgl_save_refuse(struct hgl_save *s, const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (s->result == SL_OK) {
        sl_warn_limited("gles", "no %s of context %u: %s", s->to != NULL ? "snapshot" : "picture",
                        s->client->ctx_id, text);
        s->result = SL_ERR_UNSUPPORTED;
    }
}

bool hgl_save_failed(const struct hgl_save *s)
{
    return s->result != SL_OK;
}

void *hgl_save_alloc(struct hgl_save *s, size_t count, size_t size)
{
    void *p = sl_alloc_array(count != 0 ? count : 1, size);
    if (p == NULL && s->result == SL_OK) {
        s->result = SL_ERR_NOMEM;
    }
    return p;
}

/* reply: of the last packet. */
static void hand_over(struct hgl_save *s, const void *reply, size_t reply_size)
{
    const uint8_t *p = s->out.data;
    if (s->out.failed && s->result == SL_OK) {
        s->result = SL_ERR_NOMEM;
    }
    while (s->result == SL_OK && p != s->out.pack.cur) {
        uint32_t size = sl_load_u32(p + 4);
        bool last = p + size == s->out.pack.cur;
        s->result = s->to->packet(s->to->user, s->ring, p, size, last ? reply : NULL,
                                  last ? reply_size : 0);
        p += size;
    }
    if (!s->out.failed) {
        s->out.pack.cur = s->out.data;
    }
}

void hgl_save_flush(struct hgl_save *s)
{
    hand_over(s, NULL, 0);
}

void hgl_save_reply(struct hgl_save *s, const void *reply, size_t size)
{
    hand_over(s, reply, size);
}

static void tell(struct hgl_save *s, const struct vgd_about *about)
{
    if (hgl_save_is_whole(s) && s->result == SL_OK) {
        hgl_save_flush(s);
        s->result = s->result == SL_OK ? s->to->about(s->to->user, about) : s->result;
    }
}

static uint64_t of_group(const struct hgl_save *s, uint32_t id)
{
    return (uint64_t)(s->root != NULL ? s->root->handle : 0) << 32 | id;
}

/* A number that no other object has. */
static uint64_t serial_of(const struct hgl_save *s, uint32_t kind, uint32_t name)
{
    return (uint64_t)(kind + 1) << 56 ^ of_group(s, name);
}

void hgl_save_about(struct hgl_save *s, enum vgd_rule rule, uint32_t about, uint32_t id)
{
    bool is_held = about >= HGL_ABOUT_HELD && about < HGL_ABOUT_MADE_OF && id != 0;
    tell(s, &(struct vgd_about){.rule = rule,
                                .kind = about,
                                .id = of_group(s, id),
                                .serial = is_held ? serial_of(s, about - HGL_ABOUT_HELD, id) : 0});
}

void hgl_save_about_program(struct hgl_save *s, uint32_t about, uint32_t name)
{
    tell(s, &(struct vgd_about){.rule = VGD_FIXED,
                                .kind = about + HGL_PROGRAMS,
                                .id = of_group(s, name),
                                .serial = serial_of(s, HGL_PROGRAMS, name)});
}

void hgl_save_staying(struct hgl_save *s, enum hgl_kind kind)
{
    tell(s, &(struct vgd_about){.rule = VGD_ONCE,
                                .kind = HGL_ABOUT_NAMES + kind,
                                .id = of_group(s, 0),
                                .stays = !s->reuses_names});
}

/* A new program has no shaders. */
static void pack_detach(const struct hgl_save *s, struct sl_pack *out, uint32_t program)
{
    GLuint shaders[HGL_STAGES];
    GLsizei count = 0;
    if (s->gl->IsProgram(program)) {
        s->gl->GetAttachedShaders(program, HGL_STAGES, &count, shaders);
    }
    for (GLsizei i = 0; i < count; i++) {
        gles2_pack_glDetachShader(out, program, shaders[i]);
    }
}

static void pack_end(const struct hgl_save *s, struct sl_pack *out, enum hgl_kind kind,
                     uint32_t name)
{
    switch (kind) {
    case HGL_PROGRAMS: /* and shaders */
        pack_detach(s, out, name);
        break;
    case HGL_TEXTURES:
        gles2_pack_glDeleteTextures(out, 1, &name, 4);
        break;
    case HGL_BUFFERS:
        gles2_pack_glDeleteBuffers(out, 1, &name, 4);
        break;
    case HGL_RENDERBUFFERS:
        gles2_pack_glDeleteRenderbuffers(out, 1, &name, 4);
        break;
    case HGL_FRAMEBUFFERS:
        gles2_pack_glDeleteFramebuffers(out, 1, &name, 4);
        break;
    default: /* names that are not made up are made once */
        break;
    }
}

void hgl_save_makes(struct hgl_save *s, enum hgl_kind kind, uint32_t name, uint64_t state)
{
    struct sl_pack *out = &s->ending.pack;
    if (!hgl_save_is_whole(s)) {
        return;
    }
    out->cur = s->ending.data;
    rc_pack_rcMakeCurrentAsync(out, s->root->handle, s->root->draw != NULL ? s->root->draw->id : 0,
                               s->root->read != NULL ? s->root->read->id : 0);
    uint8_t *none = out->cur;
    pack_end(s, out, kind, name);
    if (s->ending.failed) {
        s->result = s->result == SL_OK ? SL_ERR_NOMEM : s->result;
        return;
    }
    bool ends = out->cur != none;
    tell(s, &(struct vgd_about){.rule = VGD_MAKES,
                                .kind = HGL_ABOUT_NAMES + kind,
                                .id = of_group(s, name),
                                .serial = serial_of(s, kind, name),
                                .state = state,
                                .stays = kind == HGL_PROGRAMS && !s->reuses_names,
                                .end_ring = s->ring,
                                .end = ends ? s->ending.data : NULL,
                                .end_size = ends ? (size_t)(out->cur - s->ending.data) : 0});
}

/* The last packet that was packed there is one that was done. */
static void tell_done(struct hgl_save *s, const void *reply, size_t reply_size)
{
    size_t size = (size_t)(s->ending.pack.cur - s->ending.data);
    if (!s->ending.failed) {
        s->to->did(s->to->user, s->doer, s->ending.data, size, reply, reply_size);
        s->ending.pack.cur = s->ending.data;
    } else if (s->result == SL_OK) {
        s->result = SL_ERR_NOMEM;
    }
}

void hgl_save_used(struct hgl_save *s, enum hgl_kind kind, uint32_t name)
{
    struct sl_pack *out = &s->ending.pack;
    if (s->to->is_last || s->reuses_names) {
        return;
    }
    hgl_named(s->root->state, kind, name);
    out->cur = s->ending.data;
    switch (kind) {
    case HGL_TEXTURES:
        gles2_pack_glGenTextures(out, 1, 4);
        break;
    case HGL_BUFFERS:
        gles2_pack_glGenBuffers(out, 1, 4);
        break;
    case HGL_FRAMEBUFFERS:
        gles2_pack_glGenFramebuffers(out, 1, 4);
        break;
    default:
        gles2_pack_glCreateShader(out, GL_VERTEX_SHADER);
        break;
    }
    tell_done(s, &name, 4);
    if (kind == HGL_PROGRAMS) {
        gles2_pack_glDeleteShader(out, name);
    } else {
        pack_end(s, out, kind, name);
    }
    tell_done(s, NULL, 0);
}

void hgl_save_raw(struct hgl_save *s, uint32_t opcode, const void *body, size_t size)
{
    if (s->out.data != NULL && (size_t)(s->out.pack.cur - s->out.data) > ENOUGH) {
        hgl_save_flush(s);
    }
    uint8_t *p = sl_pack_begin(&s->out.pack, 8 + size); /* small: state, never contents */
    sl_store_u32(p, opcode);
    sl_store_u32(p + 4, (uint32_t)(8 + size));
    memcpy(p + 8, body, size);
    sl_pack_end(&s->out.pack, p + 8 + size, (uint32_t)(8 + size));
}
