/* Draws that start at a base vertex or instance, several draws in one call, and draws and
 * dispatches whose arguments lie in a buffer. A host of ours alone knows the first; the second
 * travel one by one. */
#include "guest/gles/ggl_objects.h"

/* The context, for a draw of `instances` that has a base; NULL, with the error recorded, when it
 * cannot be. */
static struct ggl_context *begin(GLsizei instances)
{
    struct ggl_context *c = ggl_current();
    if (!c || !ggl_own(c)) {
        return NULL;
    }
    if (instances < 0) {
        ggl_error(c, GL_INVALID_VALUE);
        return NULL;
    }
    ggl_lasting_use(c);
    return c;
}

void ggl_glDrawElementsBaseVertex(GLenum mode, GLsizei count, GLenum type, const void *indices,
                                  GLint base)
{
    struct ggl_context *c = begin(0);
    if (c) {
        const struct ggl_draw d = {
            .mode = mode, .count = count, .type = type, .instances = -1, .base_vertex = base};
        ggl_draw_elements(c, &d, indices);
    }
}

/* The range is a hint, except that a driver refuses one that ends before it starts. */
void ggl_glDrawRangeElementsBaseVertex(GLenum mode, GLuint start, GLuint end, GLsizei count,
                                       GLenum type, const void *indices, GLint base)
{
    struct ggl_context *c = begin(0);
    if (c && end < start) {
        ggl_error(c, GL_INVALID_VALUE);
    } else if (c) {
        ggl_glDrawElementsBaseVertex(mode, count, type, indices, base);
    }
}

void ggl_glDrawElementsInstancedBaseVertexBaseInstanceEXT(GLenum mode, GLsizei count, GLenum type,
                                                          const void *indices, GLsizei instances,
                                                          GLint base, GLuint base_instance)
{
    struct ggl_context *c = begin(instances);
    if (c) {
        const struct ggl_draw d = {.mode = mode,
                                   .count = count,
                                   .type = type,
                                   .instances = instances,
                                   .base_vertex = base,
                                   .base_instance = base_instance};
        ggl_draw_elements(c, &d, indices);
    }
}

void ggl_glDrawElementsInstancedBaseVertex(GLenum mode, GLsizei count, GLenum type,
                                           const void *indices, GLsizei instances, GLint base)
{
    ggl_glDrawElementsInstancedBaseVertexBaseInstanceEXT(mode, count, type, indices, instances,
                                                         base, 0);
}

void ggl_glDrawElementsInstancedBaseInstanceEXT(GLenum mode, GLsizei count, GLenum type,
                                                const void *indices, GLsizei instances,
                                                GLuint base_instance)
{
    ggl_glDrawElementsInstancedBaseVertexBaseInstanceEXT(mode, count, type, indices, instances, 0,
                                                         base_instance);
}

void ggl_glDrawArraysInstancedBaseInstanceEXT(GLenum mode, GLint first, GLsizei count,
                                              GLsizei instances, GLuint base_instance)
{
    struct ggl_context *c = begin(instances);
    if (c) {
        const struct ggl_draw d = {
            .mode = mode, .count = count, .instances = instances, .base_instance = base_instance};
        ggl_draw_arrays(c, &d, first);
    }
}

/* Whether every draw of a list may be made. A count below zero spoils them all; where one of the
 * lists is missing there are no draws. */
static bool list_ok(const GLsizei *counts, bool is_given, GLsizei *draws)
{
    struct ggl_context *c = ggl_any();
    bool ok = *draws >= 0;
    if (!counts || !is_given) {
        *draws = ok ? 0 : *draws;
    }
    for (GLsizei i = 0; i < *draws && ok; i++) {
        ok = counts[i] >= 0;
    }
    if (c && !ok) {
        ggl_error(c, GL_INVALID_VALUE);
    }
    return c && ok;
}

void ggl_glMultiDrawArraysEXT(GLenum mode, const GLint *first, const GLsizei *count, GLsizei draws)
{
    if (!list_ok(count, first, &draws)) {
        return;
    }
    if (draws == 0) { /* the host still finds errors */
        ggl_glDrawArrays(mode, 0, 0);
    }
    for (GLsizei i = 0; i < draws; i++) {
        ggl_glDrawArrays(mode, first[i], count[i]);
    }
}

void ggl_glMultiDrawElementsEXT(GLenum mode, const GLsizei *count, GLenum type,
                                const void *const *indices, GLsizei draws)
{
    if (!list_ok(count, indices, &draws)) {
        return;
    }
    if (draws == 0) {
        ggl_glDrawElements(mode, 0, type, "");
    }
    for (GLsizei i = 0; i < draws; i++) {
        ggl_glDrawElements(mode, count[i], type, indices[i]);
    }
}

void ggl_glMultiDrawElementsBaseVertexEXT(GLenum mode, const GLsizei *count, GLenum type,
                                          const void *const *indices, GLsizei draws,
                                          const GLint *base)
{
    if (!list_ok(count, indices && base, &draws)) {
        return;
    }
    if (draws == 0) {
        ggl_glDrawElementsBaseVertex(mode, 0, type, "", 0);
    }
    for (GLsizei i = 0; i < draws; i++) {
        ggl_glDrawElementsBaseVertex(mode, count[i], type, indices[i], base[i]);
    }
}

/* ES has no indirect draws from client memory. What drivers raise first without a buffer. */
static GLenum indirect_error(const struct ggl_context *c, GLenum mode)
{
    const struct ggl_vertex_array *va = c->vertex_array;
    bool first = mode <= GL_TRIANGLE_FAN || (mode >= GL_LINES_ADJACENCY && mode <= GL_PATCHES);
    for (uint32_t mask = va->enabled; mask != 0 && !first;) {
        first = va->attribs[ggl_first_bit(&mask)].buffer == 0;
    }
    return first || va->name == 0 ? GL_INVALID_OPERATION : GL_INVALID_ENUM;
}

void ggl_glDrawArraysIndirect(GLenum mode, const void *indirect)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    ggl_lasting_use(c);
    if (!c->buffers[GGL_BUFFER_DRAW_INDIRECT]) {
        ggl_error(c, indirect_error(c, mode));
        return;
    }
    gles2_pack_glDrawArraysIndirectOffsetAEMU(ggl_pack(c), mode, (GLuint)(uintptr_t)indirect);
}

void ggl_glDrawElementsIndirect(GLenum mode, GLenum type, const void *indirect)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    ggl_lasting_use(c);
    if (!c->buffers[GGL_BUFFER_DRAW_INDIRECT] || !c->vertex_array->element_buffer) {
        ggl_error(c, ggl_index_size(type) == 0              ? GL_INVALID_ENUM
                     : c->vertex_array->element_buffer == 0 ? GL_INVALID_OPERATION
                                                            : indirect_error(c, mode));
        return;
    }
    ggl_element_sync(c);
    gles2_pack_glDrawElementsIndirectOffsetAEMU(ggl_pack(c), mode, type,
                                                (GLuint)(uintptr_t)indirect);
}

void ggl_glDispatchCompute(GLuint x, GLuint y, GLuint z)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        ggl_lasting_use(c);
        gles2_pack_glDispatchCompute(ggl_pack(c), x, y, z);
    }
}

void ggl_glDispatchComputeIndirect(GLintptr indirect)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        ggl_lasting_use(c);
        gles2_pack_glDispatchComputeIndirect(ggl_pack(c), indirect);
    }
}
