/* Buffers, samplers, framebuffers, pipelines and queries of a snapshot. */
#include "host/gles/hgl_kept.h"
#include "host/gles/hgl_query.h"
#include "host/gles/hgl_save.h"

#include "transport/base/mem.h"

#include <GLES2/gl2ext.h>

/* Of one packet; larger buffers follow in pieces. */
#define PIECE (64u << 20)

/* --- buffers --- */

/* A buffer's storage as it was made. */
struct storage {
    GLint size, usage, immutable, flags;
};

static struct storage storage_of(const struct hgl_save *s, GLenum at)
{
    struct storage storage = {.usage = GL_STATIC_DRAW};
    s->gl->GetBufferParameteriv(at, GL_BUFFER_SIZE, &storage.size);
    s->gl->GetBufferParameteriv(at, GL_BUFFER_USAGE, &storage.usage);
    if (hgl_has(s, "GL_EXT_buffer_storage")) {
        s->gl->GetBufferParameteriv(at, GL_BUFFER_IMMUTABLE_STORAGE_EXT, &storage.immutable);
        s->gl->GetBufferParameteriv(at, GL_BUFFER_STORAGE_FLAGS_EXT, &storage.flags);
    }
    return storage;
}

/* Where buffers are made. Mesa takes the target for what the buffer is for, and its software
 * drivers do not wait for a shader that writes to one that is for vertices alone. */
static GLenum made_at(const struct hgl_save *s)
{
    return s->gles >= 31 ? GL_SHADER_STORAGE_BUFFER : GL_ARRAY_BUFFER;
}

/* data: `bytes` of them are all of the contents; NULL: they follow. */
static void save_storage(struct hgl_save *s, const struct storage *storage, const void *data,
                         uint32_t bytes)
{
    struct sl_pack *out = hgl_out(s);
    if (storage->immutable == 0) {
        gles2_pack_glBufferData(out, made_at(s), storage->size, data, bytes,
                                (GLenum)storage->usage);
        return;
    }
    if (data == NULL && (storage->flags & GL_DYNAMIC_STORAGE_BIT_EXT) == 0) {
        hgl_save_refuse(s, "a buffer of %d bytes cannot be written to", storage->size);
    }
    glesx_pack_glBufferStorageEXT(out, made_at(s), storage->size, data, bytes,
                                  (GLbitfield)storage->flags);
}

/* A number that is another one for other contents. */
static uint64_t hold_of(struct hgl_save *s, GLenum at, GLint size)
{
    uint32_t piece = (uint32_t)size < PIECE ? (uint32_t)size : PIECE;
    uint64_t sum = (uint32_t)size;
    uint8_t *data = hgl_save_is_whole(s) ? hgl_save_alloc(s, piece, 1) : NULL;
    for (uint32_t offset = 0; data != NULL && offset < (uint32_t)size; offset += piece) {
        uint32_t bytes = (uint32_t)size - offset < piece ? (uint32_t)size - offset : piece;
        s->reader.GetBufferSubData(at, offset, bytes, data);
        for (uint32_t i = 0; i < bytes; i++) {
            sum = (sum ^ data[i]) * 0x100000001b3ull;
        }
    }
    sl_free(data);
    return sum;
}

/* What is bound in the replay is made. kept: its contents; NULL: those of what is bound at `at`. */
static void save_contents(struct hgl_save *s, GLenum at, const struct storage *storage,
                          const uint8_t *kept)
{
    const uint32_t size = storage->size > 0 ? (uint32_t)storage->size : 0,
                   first = size < PIECE ? size : PIECE;
    uint8_t *read = kept == NULL && size > 0 ? hgl_save_alloc(s, first, 1) : NULL;
    for (uint32_t offset = 0; (kept != NULL || read != NULL) && offset < size;) {
        uint32_t bytes = size - offset < first ? size - offset : first;
        const uint8_t *data = kept != NULL ? kept + offset : read;
        if (kept == NULL) {
            s->reader.GetBufferSubData(at, offset, bytes, read);
        }
        if (offset == 0 && bytes == size) {
            save_storage(s, storage, data, bytes);
        } else {
            if (offset == 0) {
                save_storage(s, storage, NULL, 0);
            }
            gles2_pack_glBufferSubData(hgl_out(s), made_at(s), offset, bytes, data, bytes);
        }
        hgl_save_flush(s);
        offset += bytes;
    }
    sl_free(read);
}

static void save_buffer(struct hgl_save *s, uint32_t name)
{
    const GLenum at = GL_COPY_READ_BUFFER; /* the reader's own binding */
    s->gl->BindBuffer(at, name);
    const struct storage storage = storage_of(s, at);
    const GLint size = storage.size;
    /* A size that cannot change is made with what it holds. */
    hgl_save_makes(s, HGL_BUFFERS, name, storage.immutable != 0 ? hold_of(s, at, size) : 0);
    if (storage.immutable == 0) {
        hgl_save_about(s, VGD_FILLS, HGL_ABOUT_HELD + HGL_BUFFERS, name);
    }
    gles2_pack_glBindBuffer(hgl_out(s), made_at(s), name);
    save_contents(s, at, &storage, NULL);
}

void hgl_save_kept_buffer(struct hgl_save *s, uint32_t name, const struct hgl_kept *kept)
{
    const struct storage storage = {kept->size, kept->usage, kept->immutable, kept->flags};
    gles2_pack_glBindBuffer(hgl_out(s), made_at(s), name);
    save_contents(s, 0, &storage, kept->data);
}

void hgl_save_buffers(struct hgl_save *s)
{
    uint8_t *alive;
    uint32_t top = hgl_save_names(s, s->root->state, HGL_BUFFERS, &alive);
    for (uint32_t name = 1; name <= top && !hgl_save_failed(s); name++) {
        if (alive[name] != 0) {
            save_buffer(s, name);
        }
    }
    hgl_save_about(s, VGD_ONCE, HGL_ABOUT_MADE_OF + HGL_BUFFERS, 1);
    hgl_save_delete_holes(s, HGL_BUFFERS, top, alive);
    sl_free(alive);
}

void hgl_save_samplers(struct hgl_save *s)
{
    uint8_t *alive;
    uint32_t top = hgl_save_names(s, s->root->state, HGL_SAMPLERS, &alive);
    for (uint32_t name = 1; name <= top && !hgl_save_failed(s); name++) {
        if (alive[name] != 0) {
            hgl_save_makes(s, HGL_SAMPLERS, name, 0);
            hgl_save_about(s, VGD_FILLS, HGL_ABOUT_HELD + HGL_SAMPLERS, name);
            hgl_save_parameters(s, 0, name);
        }
    }
    hgl_save_about(s, VGD_ONCE, HGL_ABOUT_MADE_OF + HGL_SAMPLERS, 1);
    hgl_save_delete_holes(s, HGL_SAMPLERS, top, alive);
    sl_free(alive);
}

void hgl_save_refill(struct hgl_save *s, uint32_t name)
{
    const GLenum at = GL_COPY_READ_BUFFER;
    s->gl->BindBuffer(at, name);
    const struct storage storage = storage_of(s, at);
    const uint32_t size = storage.size > 0 ? (uint32_t)storage.size : 0,
                   most = size < PIECE ? size : PIECE;
    uint8_t *data = hgl_save_alloc(s, most, 1);
    if (storage.immutable != 0 && (storage.flags & GL_DYNAMIC_STORAGE_BIT_EXT) == 0) {
        hgl_save_refuse(s, "buffer %u cannot be written to", name);
    }
    gles2_pack_glBindBuffer(hgl_out(s), GL_ARRAY_BUFFER, name);
    for (uint32_t offset = 0, bytes; data != NULL && offset < size; offset += bytes) {
        bytes = size - offset < most ? size - offset : most;
        s->reader.GetBufferSubData(at, offset, bytes, data);
        gles2_pack_glBufferSubData(hgl_out(s), GL_ARRAY_BUFFER, offset, bytes, data, bytes);
        hgl_save_flush(s);
    }
    sl_free(data);
}

void hgl_save_own_names(struct hgl_save *s, const struct hgl_saved *c, enum hgl_kind kind,
                        uint32_t top, const uint8_t *alive)
{
    hgl_save_about(s, VGD_ONCE, HGL_ABOUT_MADE_OF + kind, c->handle);
    hgl_save_generate(s, kind, top);
    for (uint32_t name = 1; hgl_save_is_whole(s) && name <= top; name++) {
        if (alive[name] != 0) {
            hgl_save_about(s, VGD_FIXED, HGL_ABOUT_NAMES + kind, c->handle ^ name << 12);
        }
    }
    hgl_save_about(s, VGD_LEADS, HGL_ABOUT_HELD + kind, c->handle);
}

/* --- framebuffers --- */

static GLint attached(const struct hgl_save *s, GLenum attachment, GLenum name)
{
    GLint value = 0;
    s->gl->GetFramebufferAttachmentParameteriv(GL_READ_FRAMEBUFFER, attachment, name, &value);
    return value;
}

static bool is_cube_face(GLint face)
{
    return face >= GL_TEXTURE_CUBE_MAP_POSITIVE_X && face <= GL_TEXTURE_CUBE_MAP_NEGATIVE_Z;
}

static void save_attached_texture(struct hgl_save *s, GLenum attachment, uint32_t texture,
                                  GLenum target, uint32_t gles)
{
    struct sl_pack *out = hgl_out(s);
    GLint level = attached(s, attachment, GL_FRAMEBUFFER_ATTACHMENT_TEXTURE_LEVEL);
    GLint face = attached(s, attachment, GL_FRAMEBUFFER_ATTACHMENT_TEXTURE_CUBE_MAP_FACE);
    bool layered = gles >= 32 && attached(s, attachment, GL_FRAMEBUFFER_ATTACHMENT_LAYERED) != 0;
    if (layered) {
        glesx_pack_glFramebufferTexture(out, GL_FRAMEBUFFER, attachment, texture, level);
    } else if (is_cube_face(face)) {
        gles2_pack_glFramebufferTexture2D(out, GL_FRAMEBUFFER, attachment, (GLenum)face, texture,
                                          level);
    } else if (target == GL_TEXTURE_2D || target == GL_TEXTURE_2D_MULTISAMPLE) {
        gles2_pack_glFramebufferTexture2D(out, GL_FRAMEBUFFER, attachment, target, texture, level);
    } else {
        gles2_pack_glFramebufferTextureLayer(
            out, GL_FRAMEBUFFER, attachment, texture, level,
            attached(s, attachment, GL_FRAMEBUFFER_ATTACHMENT_TEXTURE_LAYER));
    }
}

static void save_attachment(struct hgl_save *s, uint32_t framebuffer, GLenum attachment,
                            const uint32_t *targets, uint32_t target_count, uint32_t gles)
{
    GLint type = attached(s, attachment, GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE);
    if (type != GL_TEXTURE && type != GL_RENDERBUFFER) {
        if (hgl_save_is_whole(s)) {
            gles2_pack_glFramebufferRenderbuffer(hgl_out(s), GL_FRAMEBUFFER, attachment,
                                                 GL_RENDERBUFFER, 0);
        }
        return;
    }
    uint32_t name = (uint32_t)attached(s, attachment, GL_FRAMEBUFFER_ATTACHMENT_OBJECT_NAME);
    if (type == GL_RENDERBUFFER) {
        if (!s->gl->IsRenderbuffer(name) && hgl_save_orphan(s, GL_RENDERBUFFER, name) == NULL) {
            hgl_save_refuse(s, "framebuffer %u has a renderbuffer that was deleted", framebuffer);
        }
        gles2_pack_glFramebufferRenderbuffer(hgl_out(s), GL_FRAMEBUFFER, attachment,
                                             GL_RENDERBUFFER, name);
    } else if (hgl_save_orphan(s, GL_TEXTURE, name) != NULL) {
        save_attached_texture(s, attachment, name, GL_TEXTURE_2D, gles);
    } else if (name >= target_count || targets[name] == 0) {
        hgl_save_refuse(s, "framebuffer %u has a texture that was deleted", framebuffer);
    } else {
        save_attached_texture(s, attachment, name, targets[name], gles);
    }
}

static void save_buffers_of(struct hgl_save *s, uint32_t gles)
{
    GLint count = hgl_get(s, GL_MAX_DRAW_BUFFERS);
    GLenum draw[32];
    if (gles < 30) {
        return;
    }
    count = count < 32 ? count : 32;
    GLint used = 0;
    for (GLint i = 0; i < count; i++) {
        draw[i] = (GLenum)hgl_get(s, GL_DRAW_BUFFER0 + (GLenum)i);
        used = draw[i] != GL_NONE ? i + 1 : used;
    }
    used = used != 0 ? used : 1;
    gles2_pack_glDrawBuffers(hgl_out(s), used, draw, (uint32_t)used * 4);
    gles2_pack_glReadBuffer(hgl_out(s), (GLenum)hgl_get(s, GL_READ_BUFFER));
}

static const GLenum framebuffer_defaults[] = {
    GL_FRAMEBUFFER_DEFAULT_WIDTH, GL_FRAMEBUFFER_DEFAULT_HEIGHT, GL_FRAMEBUFFER_DEFAULT_SAMPLES,
    GL_FRAMEBUFFER_DEFAULT_FIXED_SAMPLE_LOCATIONS};

static void save_defaults(struct hgl_save *s, uint32_t gles)
{
    GLint value = 0;
    if (hgl_has(s, "GL_MESA_framebuffer_flip_y")) {
        s->gl->GetFramebufferParameterivMESA(GL_FRAMEBUFFER, GL_FRAMEBUFFER_FLIP_Y_MESA, &value);
        glesx_pack_glFramebufferParameteriMESA(hgl_out(s), GL_FRAMEBUFFER,
                                               GL_FRAMEBUFFER_FLIP_Y_MESA, value);
    }
    if (gles < 31) {
        return;
    }
    for (size_t i = 0; i < sizeof framebuffer_defaults / sizeof framebuffer_defaults[0]; i++) {
        s->gl->GetFramebufferParameteriv(GL_DRAW_FRAMEBUFFER, framebuffer_defaults[i], &value);
        gles2_pack_glFramebufferParameteri(hgl_out(s), GL_FRAMEBUFFER, framebuffer_defaults[i],
                                           value);
    }
    if (gles >= 32) {
        s->gl->GetFramebufferParameteriv(GL_DRAW_FRAMEBUFFER, GL_FRAMEBUFFER_DEFAULT_LAYERS,
                                         &value);
        gles2_pack_glFramebufferParameteri(hgl_out(s), GL_FRAMEBUFFER,
                                           GL_FRAMEBUFFER_DEFAULT_LAYERS, value);
    }
}

static void save_framebuffer(struct hgl_save *s, uint32_t name, const uint32_t *targets,
                             uint32_t target_count, uint32_t gles)
{
    GLint colors = gles >= 30 ? hgl_get(s, GL_MAX_COLOR_ATTACHMENTS) : 1;
    s->gl->BindFramebuffer(GL_FRAMEBUFFER, name);
    hgl_save_makes(s, HGL_FRAMEBUFFERS, name, 0);
    gles2_pack_glBindFramebuffer(hgl_out(s), GL_FRAMEBUFFER, name);
    hgl_save_about(s, VGD_LEADS, HGL_ABOUT_HELD + HGL_FRAMEBUFFERS, name);
    gles2_pack_glBindFramebuffer(hgl_out(s), GL_FRAMEBUFFER, name);
    for (GLint i = 0; i < colors && i < 32; i++) {
        save_attachment(s, name, GL_COLOR_ATTACHMENT0 + (GLenum)i, targets, target_count, gles);
    }
    save_attachment(s, name, GL_DEPTH_ATTACHMENT, targets, target_count, gles);
    save_attachment(s, name, GL_STENCIL_ATTACHMENT, targets, target_count, gles);
    save_buffers_of(s, gles);
    save_defaults(s, gles);
    hgl_save_flush(s);
}

/* What every texture is: asked before, as only the desktop context can tell. */
static uint32_t *texture_targets(struct hgl_save *s, const struct hgl_saved *c, uint32_t *count)
{
    uint8_t *alive = NULL;
    uint32_t *targets = NULL;
    *count = 0;
    if (hgl_save_reading(s)) {
        uint32_t top = hgl_save_names(s, c->state, HGL_TEXTURES, &alive);
        targets = hgl_save_alloc(s, (size_t)top + 1, sizeof *targets);
        for (uint32_t name = 0; targets != NULL && name <= top; name++) {
            targets[name] = name != 0 && alive[name] != 0 ? hgl_save_target(s, name) : 0;
        }
        *count = targets != NULL ? top + 1 : 0;
    }
    sl_free(alive);
    if (!hgl_save_current(s, c)) {
        *count = 0;
    }
    return targets;
}

void hgl_save_framebuffers(struct hgl_save *s, const struct hgl_saved *c)
{
    const struct gl_driver *gl = s->gl;
    uint32_t gles = c->context->gles_version, target_count;
    uint8_t *alive;
    uint32_t *targets = texture_targets(s, c, &target_count);
    uint32_t top = hgl_save_names(s, c->state, HGL_FRAMEBUFFERS, &alive);
    const GLenum bindings[2] = {gles >= 30 ? GL_DRAW_FRAMEBUFFER : GL_FRAMEBUFFER,
                                GL_READ_FRAMEBUFFER};
    GLint bound[2] = {hgl_get(s, GL_FRAMEBUFFER_BINDING), 0};
    uint32_t binding_count = gles >= 30 ? 2 : 1;
    bound[1] = gles >= 30 ? hgl_get(s, GL_READ_FRAMEBUFFER_BINDING) : bound[0];
    bool others = !s->shares_framebuffers || c == s->root; /* else they were written already */
    for (uint32_t name = 1; name <= top && others && !hgl_save_failed(s); name++) {
        if (alive[name] != 0) {
            save_framebuffer(s, name, targets, target_count, gles);
        }
    }
    if (others) {
        hgl_save_about(s, VGD_ONCE, HGL_ABOUT_MADE_OF + HGL_FRAMEBUFFERS, c->handle);
        hgl_save_delete_holes(s, HGL_FRAMEBUFFERS, top, alive);
    }
    hgl_save_about(s, VGD_LEADS, HGL_ABOUT_OTHERS, c->handle);
    gl->BindFramebuffer(GL_FRAMEBUFFER, 0);
    gles2_pack_glBindFramebuffer(hgl_out(s), GL_FRAMEBUFFER, 0);
    if (others) {
        hgl_save_delete_orphans(s);
    }
    if (c->draw != NULL) {
        save_buffers_of(s, gles);
    }
    for (uint32_t i = 0; i < binding_count; i++) {
        gl->BindFramebuffer(bindings[i], (GLuint)bound[i]);
        gles2_pack_glBindFramebuffer(hgl_out(s), bindings[i], (GLuint)bound[i]);
    }
    hgl_save_flush(s);
    sl_free(alive);
    sl_free(targets);
}

/* --- pipelines, queries --- */

static const struct {
    GLenum name;
    GLbitfield stage;
    uint8_t gles;
} stages[] = {{GL_VERTEX_SHADER, GL_VERTEX_SHADER_BIT, 31},
              {GL_FRAGMENT_SHADER, GL_FRAGMENT_SHADER_BIT, 31},
              {GL_COMPUTE_SHADER, GL_COMPUTE_SHADER_BIT, 31},
              {GL_GEOMETRY_SHADER, GL_GEOMETRY_SHADER_BIT, 32},
              {GL_TESS_CONTROL_SHADER, GL_TESS_CONTROL_SHADER_BIT, 32},
              {GL_TESS_EVALUATION_SHADER, GL_TESS_EVALUATION_SHADER_BIT, 32}};

static void save_pipelines(struct hgl_save *s, const struct hgl_saved *c)
{
    uint8_t *alive;
    uint32_t top = hgl_save_names(s, c->state, HGL_PIPELINES, &alive);
    hgl_save_own_names(s, c, HGL_PIPELINES, top, alive);
    for (uint32_t name = 1; name <= top && !hgl_save_failed(s); name++) {
        GLint program = 0;
        if (alive[name] == 0) {
            continue;
        }
        gles2_pack_glBindProgramPipeline(hgl_out(s), name);
        for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
            if (c->context->gles_version >= stages[i].gles) {
                s->gl->GetProgramPipelineiv(name, stages[i].name, &program);
                gles2_pack_glUseProgramStages(hgl_out(s), name, stages[i].stage, (GLuint)program);
            }
        }
        s->gl->GetProgramPipelineiv(name, GL_ACTIVE_PROGRAM, &program);
        gles2_pack_glActiveShaderProgram(hgl_out(s), name, (GLuint)program);
    }
    gles2_pack_glBindProgramPipeline(hgl_out(s), (GLuint)hgl_get(s, GL_PROGRAM_PIPELINE_BINDING));
    hgl_save_flush(s);
    sl_free(alive);
}

static bool is_going_on(const struct hgl_save *s, GLenum target, uint32_t name)
{
    GLint current = 0;
    if (target != GL_TIMESTAMP_EXT) {
        s->gl->GetQueryiv(target, GL_CURRENT_QUERY, &current);
    }
    return (uint32_t)current == name;
}

/* What it has counted; one that is going on is ended. It is waited for. */
static uint64_t result_of(const struct hgl_save *s, const struct hgl_saved *c, uint32_t name,
                          GLenum target, bool on)
{
    const struct hgl_result *kept = hgl_query_result(c->state, name);
    GLuint64 value = 0;
    GLuint half = 0;
    if (on) {
        s->gl->EndQuery(target);
    }
    if (kept != NULL && !kept->is_partial) {
        return kept->value;
    }
    if (hgl_has(s, "GL_EXT_disjoint_timer_query")) {
        s->gl->GetQueryObjectui64vEXT(name, GL_QUERY_RESULT, &value);
    } else {
        s->gl->GetQueryObjectuiv(name, GL_QUERY_RESULT, &half);
        value = half;
    }
    return kept != NULL ? hgl_query_sum(c->state, name, kept->value, value) : value;
}

/* One that is going on begins anew, here and there, and what it had counted is kept. */
static void save_result(struct hgl_save *s, const struct hgl_saved *c, uint32_t name, GLenum target,
                        bool on)
{
    if (on && hgl_save_is_whole(s)) {
        return; /* nothing leads back to it */
    }
    uint64_t value = result_of(s, c, name, target, on);
    if (on) {
        s->gl->BeginQuery(target, name);
        if (!hgl_query_keep(c->state, name, value, true)) {
            hgl_save_refuse(s, "no memory for what query %u has counted", name);
        }
    }
    glesx_pack_glQueryResultSLUICE(hgl_out(s), name, value, on);
}

/* What a query has counted can be told, but not set: it is kept there. */
static void save_queries(struct hgl_save *s, const struct hgl_saved *c)
{
    uint8_t *alive;
    struct sl_pack *out = hgl_out(s);
    uint32_t top = hgl_save_names(s, c->state, HGL_QUERIES, &alive);
    hgl_save_own_names(s, c, HGL_QUERIES, top, alive);
    for (uint32_t turn = 0; turn < 2; turn++) { /* those that are over first */
        for (uint32_t name = 1; name <= top && !hgl_save_failed(s); name++) {
            GLenum target = (GLenum)(uintptr_t)sl_map_find(&c->state->queries, name);
            bool on = target != 0 && alive[name] != 0 && is_going_on(s, target, name);
            if (target == 0 || alive[name] == 0 || on != (turn == 1)) {
                continue;
            }
            hgl_save_about(s, on ? VGD_FIXED : VGD_FILLS, HGL_ABOUT_COUNTED,
                           c->handle ^ name << 12);
            if (target == GL_TIMESTAMP_EXT) {
                glesx_pack_glQueryCounterEXT(out, name, target);
            } else {
                gles2_pack_glBeginQuery(out, target, name);
            }
            if (!on && target != GL_TIMESTAMP_EXT) {
                gles2_pack_glEndQuery(out, target);
            }
            save_result(s, c, name, target, on);
        }
    }
    hgl_save_flush(s);
    sl_free(alive);
}

void hgl_save_own_objects(struct hgl_save *s, const struct hgl_saved *c)
{
    if (c->context->gles_version >= 30 || hgl_top(c->state, HGL_QUERIES) != 0) {
        save_queries(s, c); /* of GLES 2, by an extension */
    }
    if (c->context->gles_version >= 31) {
        save_pipelines(s, c);
    }
}
