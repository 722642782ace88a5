/* Vertex arrays of a snapshot: what the driver has, and the client arrays that are kept here. */
#include "host/gles/hgl_kept.h"
#include "host/gles/hgl_save.h"

#include "transport/base/mem.h"

#include <GLES2/gl2ext.h>

struct attribute {
    GLint size, type, normalized, integer, stride, buffer, divisor, binding, relative;
    void *offset;
};

static GLint attribute_get(const struct hgl_save *s, uint32_t index, GLenum name)
{
    GLint value[4] = {0};
    s->gl->GetVertexAttribiv(index, name, value);
    return value[0];
}

static struct attribute attribute_of(const struct hgl_save *s, uint32_t i, uint32_t gles)
{
    struct attribute a = {.size = attribute_get(s, i, GL_VERTEX_ATTRIB_ARRAY_SIZE),
                          .type = attribute_get(s, i, GL_VERTEX_ATTRIB_ARRAY_TYPE),
                          .normalized = attribute_get(s, i, GL_VERTEX_ATTRIB_ARRAY_NORMALIZED),
                          .stride = attribute_get(s, i, GL_VERTEX_ATTRIB_ARRAY_STRIDE),
                          .buffer = attribute_get(s, i, GL_VERTEX_ATTRIB_ARRAY_BUFFER_BINDING),
                          .binding = (GLint)i};
    s->gl->GetVertexAttribPointerv(i, GL_VERTEX_ATTRIB_ARRAY_POINTER, &a.offset);
    if (gles >= 30) {
        a.integer = attribute_get(s, i, GL_VERTEX_ATTRIB_ARRAY_INTEGER);
        a.divisor = attribute_get(s, i, GL_VERTEX_ATTRIB_ARRAY_DIVISOR);
    }
    if (gles >= 31) {
        a.binding = attribute_get(s, i, GL_VERTEX_ATTRIB_BINDING);
        a.relative = attribute_get(s, i, GL_VERTEX_ATTRIB_RELATIVE_OFFSET);
    }
    return a;
}

static GLint binding_get(const struct hgl_save *s, uint32_t binding, GLenum name)
{
    GLint value = 0;
    s->gl->GetIntegeri_v(name, binding, &value);
    return value;
}

/* Is it as glVertexAttribPointer leaves it? */
static bool is_plain(const struct hgl_save *s, uint32_t i, const struct attribute *a)
{
    GLint stride =
        a->stride != 0 ? a->stride : (GLint)hgl_element_bytes((uint32_t)a->type, (uint32_t)a->size);
    GLint64 offset = 0;
    s->gl->GetInteger64i_v(GL_VERTEX_BINDING_OFFSET, i, &offset);
    return a->binding == (GLint)i && a->relative == 0 && offset == (GLint64)(intptr_t)a->offset &&
           binding_get(s, i, GL_VERTEX_BINDING_STRIDE) == stride;
}

/* --- buffers that were deleted --- */

#define USES_MAX 4096u

/* A vertex array has a buffer whose name is nobody's. */
struct use {
    uint32_t vao, buffer;
};

/* One context's. */
struct arrays {
    struct hgl_save *s;
    const struct hgl_saved *c;
    struct use *uses; /* owned; nullable */
    uint32_t use_count;
};

static bool is_used(const struct arrays *a, uint32_t vao, uint32_t buffer)
{
    for (uint32_t i = 0; i < a->use_count; i++) {
        if (a->uses[i].buffer == buffer && a->uses[i].vao == vao) {
            return true;
        }
    }
    return false;
}

static bool is_made(const struct arrays *a, uint32_t buffer)
{
    for (uint32_t i = 0; i < a->use_count; i++) {
        if (a->uses[i].buffer == buffer) {
            return true;
        }
    }
    return false;
}

/* The replay has it from now on, until all are deleted. */
static bool use_kept(struct arrays *a, const struct hgl_vao *vao, uint32_t buffer,
                     const struct hgl_kept *kept)
{
    if (a->uses == NULL) {
        a->uses = hgl_save_alloc(a->s, USES_MAX, sizeof *a->uses);
    }
    if (kept == NULL || a->uses == NULL || a->use_count == USES_MAX) {
        return false;
    }
    if (!is_made(a, buffer)) {
        hgl_save_flush(a->s);
        hgl_save_kept_buffer(a->s, buffer, kept);
    }
    if (!is_used(a, vao->name, buffer)) {
        a->uses[a->use_count++] = (struct use){vao->name, buffer};
    }
    return true;
}

/* In the replay there is such a buffer. */
static bool has_buffer(struct arrays *a, const struct hgl_vao *vao, uint32_t i, GLint buffer)
{
    if (buffer != 0 && a->s->gl->IsBuffer((GLuint)buffer)) {
        return true;
    }
    /* Nothing leads back to one that has no name. */
    bool is_there =
        buffer != 0 && !hgl_save_is_whole(a->s) &&
        use_kept(a, vao, (uint32_t)buffer, sl_map_find(&a->c->state->kept, (uint32_t)buffer));
    if (!is_there && (vao->enabled & 1u << i) != 0) {
        hgl_save_refuse(a->s, "vertex array %u reads buffer %d, which was deleted", vao->name,
                        buffer);
    }
    return is_there;
}

/* Indices can be read where they are bound. */
static void save_elements(struct arrays *a, const struct hgl_vao *vao)
{
    struct hgl_save *s = a->s;
    GLint elements = hgl_get(s, GL_ELEMENT_ARRAY_BUFFER_BINDING);
    if (elements != 0 && !s->gl->IsBuffer((GLuint)elements)) {
        struct hgl_kept *kept = a->c->context->gles_version >= 30 && !hgl_save_is_whole(s)
                                    ? hgl_kept_read(s->gl, GL_ELEMENT_ARRAY_BUFFER, HR_PACKET_MAX)
                                    : NULL;
        if (!use_kept(a, vao, (uint32_t)elements, kept)) {
            hgl_save_refuse(s, "vertex array %u has indices in buffer %d, which was deleted",
                            vao->name, elements);
        }
        sl_free(kept);
    }
    gles2_pack_glBindBuffer(hgl_out(s), GL_ELEMENT_ARRAY_BUFFER, (GLuint)elements);
}

/* While one is bound that does not have it, as then it stays where it is. */
static bool delete_beside(struct arrays *a, const struct hgl_vao *vao, uint32_t buffer)
{
    bool is_beside = a->s->gl->IsVertexArray(vao->name) || vao->name == 0;
    if (!is_beside || is_used(a, vao->name, buffer)) {
        return false;
    }
    gles2_pack_glBindVertexArray(hgl_out(a->s), vao->name);
    gles2_pack_glDeleteBuffers(hgl_out(a->s), 1, &buffer, 4);
    return true;
}

static void delete_again(struct arrays *a)
{
    const struct hgl_state *state = a->c->state;
    for (uint32_t i = 0; i < a->use_count; i++) {
        const uint32_t buffer = a->uses[i].buffer;
        const struct hgl_vao *vao = &state->zero;
        uint32_t cursor = 0;
        bool was_there = false;
        for (uint32_t k = 0; k < i && !was_there; k++) {
            was_there = a->uses[k].buffer == buffer;
        }
        while (!was_there && vao != NULL && !delete_beside(a, vao, buffer)) {
            vao = sl_map_next(&state->vaos, &cursor, NULL);
        }
        if (vao == NULL) {
            hgl_save_refuse(a->s, "all vertex arrays have buffer %u, which was deleted", buffer);
        }
    }
    sl_free(a->uses);
}

/* --- attributes --- */

static void save_pointer(struct arrays *all, const struct hgl_vao *vao, uint32_t i,
                         const struct attribute *a)
{
    struct hgl_save *s = all->s;
    const struct hgl_binding *b = &vao->bindings[i];
    struct sl_pack *out = hgl_out(s);
    if (b->source == HGL_CLIENT) {
        uint32_t bytes = b->elements * hgl_element_bytes(b->type, b->size);
        const struct sl_gather data = sl_gather_flat(b->data, bytes);
        if (b->integer) {
            gles2_pack_glVertexAttribIPointerDataAEMU(out, i, (GLint)b->size, b->type, 0, &data,
                                                      bytes);
        } else {
            gles2_pack_glVertexAttribPointerData(out, i, (GLint)b->size, b->type,
                                                 (GLboolean)b->normalized, 0, &data, bytes);
        }
    } else if (b->source == HGL_BUFFER && has_buffer(all, vao, i, a->buffer)) {
        gles2_pack_glBindBuffer(out, GL_ARRAY_BUFFER, (GLuint)a->buffer);
        uint32_t offset = (uint32_t)(uintptr_t)a->offset;
        if (a->integer) {
            gles2_pack_glVertexAttribIPointerOffsetAEMU(out, i, a->size, (GLenum)a->type, a->stride,
                                                        offset);
        } else {
            gles2_pack_glVertexAttribPointerOffset(out, i, a->size, (GLenum)a->type,
                                                   (GLboolean)a->normalized, a->stride, offset);
        }
    }
    if (a->divisor != 0 || (hgl_save_is_whole(s) && s->gles >= 30)) {
        gles2_pack_glVertexAttribDivisor(out, i, (GLuint)a->divisor);
    }
    hgl_save_flush(s);
}

/* Formats and binding points apart, as GLES 3.1 has them. */
static void save_apart(struct arrays *all, const struct hgl_vao *vao,
                       const struct attribute attributes[HGL_ARRAYS])
{
    struct hgl_save *s = all->s;
    struct sl_pack *out = hgl_out(s);
    for (uint32_t k = 0; k < HGL_ARRAYS; k++) {
        GLint buffer = binding_get(s, k, GL_VERTEX_BINDING_BUFFER);
        GLint64 offset = 0;
        s->gl->GetInteger64i_v(GL_VERTEX_BINDING_OFFSET, k, &offset);
        if (vao->bindings[k].source == HGL_BUFFER && has_buffer(all, vao, k, buffer)) {
            gles2_pack_glBindVertexBuffer(out, k, (GLuint)buffer, offset,
                                          binding_get(s, k, GL_VERTEX_BINDING_STRIDE));
        }
        gles2_pack_glVertexBindingDivisor(out, k,
                                          (GLuint)binding_get(s, k, GL_VERTEX_BINDING_DIVISOR));
    }
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        const struct attribute *a = &attributes[i];
        if (a->integer) {
            gles2_pack_glVertexAttribIFormat(out, i, a->size, (GLenum)a->type, (GLuint)a->relative);
        } else {
            gles2_pack_glVertexAttribFormat(out, i, a->size, (GLenum)a->type,
                                            (GLboolean)a->normalized, (GLuint)a->relative);
        }
        gles2_pack_glVertexAttribBinding(out, i, (GLuint)a->binding);
    }
}

static void save_array(struct arrays *all, const struct hgl_vao *vao)
{
    struct hgl_save *s = all->s;
    const struct hgl_saved *c = all->c;
    uint32_t gles = c->context->gles_version;
    struct attribute attributes[HGL_ARRAYS];
    bool plain = true;
    if (gles >= 30) {
        s->gl->BindVertexArray(vao->name);
        gles2_pack_glBindVertexArray(hgl_out(s), vao->name);
    }
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        attributes[i] = attribute_of(s, i, gles);
        plain = plain && (gles < 31 || vao == &c->state->zero || vao->client != 0 ||
                          is_plain(s, i, &attributes[i]));
    }
    for (uint32_t i = 0; plain && i < HGL_ARRAYS; i++) {
        save_pointer(all, vao, i, &attributes[i]);
    }
    if (!plain) {
        save_apart(all, vao, attributes);
    }
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        if ((vao->enabled & 1u << i) != 0) {
            gles2_pack_glEnableVertexAttribArray(hgl_out(s), i);
        } else if (hgl_save_is_whole(s)) {
            gles2_pack_glDisableVertexAttribArray(hgl_out(s), i);
        }
    }
    save_elements(all, vao);
    /* Arrays that no draw has looked at since they came are refused where they are short, old ones
     * are left out: this draw, of nothing, makes them old. */
    if ((vao->on & vao->client) != 0 && vao->fresh == 0 && c->draw != NULL) {
        gles2_pack_glDrawArrays(hgl_out(s), GL_POINTS, 0, 0);
    }
    hgl_save_flush(s);
}

void hgl_save_arrays(struct hgl_save *s, const struct hgl_saved *c)
{
    struct arrays all = {.s = s, .c = c};
    const struct hgl_state *state = c->state;
    uint32_t top = c->context->gles_version >= 30 ? hgl_top(state, HGL_VERTEX_ARRAYS) : 0;
    hgl_save_about(s, VGD_ONCE, HGL_ABOUT_MADE_OF + HGL_VERTEX_ARRAYS, c->handle);
    hgl_save_generate(s, HGL_VERTEX_ARRAYS, top);
    for (uint32_t name = 1; hgl_save_is_whole(s) && name <= top; name++) {
        if (s->gl->IsVertexArray(name)) {
            hgl_save_about(s, VGD_FIXED, HGL_ABOUT_NAMES + HGL_VERTEX_ARRAYS,
                           c->handle ^ name << 12);
        }
    }
    hgl_save_about(s, VGD_LEADS, HGL_ABOUT_HELD + HGL_VERTEX_ARRAYS, c->handle);
    save_array(&all, &state->zero);
    for (uint32_t name = 1; name <= top && !hgl_save_failed(s); name++) {
        const struct hgl_vao *vao = sl_map_find(&state->vaos, name);
        if (vao != NULL && s->gl->IsVertexArray(name)) {
            save_array(&all, vao);
        }
    }
    delete_again(&all);
    if (c->context->gles_version >= 30) {
        s->gl->BindVertexArray(state->vao->name);
        gles2_pack_glBindVertexArray(hgl_out(s), state->vao->name);
    }
    hgl_save_flush(s);
}
