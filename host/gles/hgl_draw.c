/* Draws: none reads past the client arrays and indices that were sent, and no offset is taken for
 * an address. */
#include "host/gles/hgl.h"

#include "host/gles2_hand.h"
#include "host/glesx_hand.h"
#include "wire/gles2_unpack.h"

#include <string.h>

/* Vertices of one draw, instances included: more than any program draws, little enough to end. */
#define WORK_MAX (1ull << 32)

/* What a draw reads: elements [0, vertices), and those of its instances. */
struct reach {
    uint64_t vertices, instances;
    uint32_t first_instance;
    uint32_t mode;
    int64_t count; /* of vertices to draw; < 0: nobody sees them */
};

static uint64_t needed(const struct hgl_binding *b, const struct reach *reach)
{
    if (b->divisor == 0) {
        return reach->vertices;
    }
    return (reach->instances + b->divisor - 1) / b->divisor + reach->first_instance;
}

/* Client arrays are enabled: the long way. An array that is too short is the guest's fault when it
 * was sent for this draw; an old one that nobody uses any more (guests leave such enabled) is
 * switched off for the draw. */
static bool check_client(struct hr_call *call, struct hgl_state *s, const struct reach *reach,
                         uint32_t *off)
{
    struct hgl_vao *vao = s->vao;
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        uint32_t bit = 1u << i;
        const struct hgl_binding *b = &vao->bindings[vao->binding_of[i]];
        if ((vao->on & vao->client & bit) == 0 || needed(b, reach) <= b->elements) {
            continue;
        }
        if ((vao->fresh & bit) != 0 && reach->vertices != HGL_ANY_VERTEX) {
            hr_call_refuse(call, "attribute %u has %u elements, the draw reads %llu", i,
                           b->elements, (unsigned long long)needed(b, reach));
            return false;
        }
        *off |= bit;
    }
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    for (uint32_t i = 0; i < HGL_ARRAYS; i++) {
        if ((*off & 1u << i) != 0) {
            gl->DisableVertexAttribArray(i);
        }
    }
    vao->fresh = 0;
    return true;
}

/* Before a draw that reads so far. False: refused. *off: arrays that are switched off
 * for this draw, to be given to draw_end. */
static bool draw_begin(struct hr_call *call, struct hgl_state *s, struct reach reach, uint32_t *off)
{
    *off = 0;
    if (SL_LIKELY((s->vao->on & s->vao->client) == 0 && s->capture == NULL)) {
        return true;
    }
    if ((s->vao->on & s->vao->client) != 0 && !check_client(call, s, &reach, off)) {
        return false;
    }
    if (s->capture != NULL) {
        hgl_capture_draw(hgl_api_of(call)->gl, s, reach.mode, reach.count, reach.instances);
    }
    return true;
}

static void draw_end(const struct gl_driver *gl, struct hgl_state *s, uint32_t off)
{
    (void)s;
    for (uint32_t i = 0; off != 0; i++, off >>= 1) {
        if ((off & 1) != 0) {
            gl->EnableVertexAttribArray(i);
        }
    }
}

uint32_t hgl_index_bytes(uint32_t type)
{
    return type == GL_UNSIGNED_BYTE    ? 1
           : type == GL_UNSIGNED_SHORT ? 2
           : type == GL_UNSIGNED_INT   ? 4
                                       : 0;
}

static uint64_t highest(const void *indices, uint32_t count, uint32_t type, uint64_t skip)
{
    uint64_t top = 0; /* one more than the highest */
    for (uint32_t i = 0; i < count; i++) {
        uint64_t v = type == GL_UNSIGNED_BYTE ? ((const uint8_t *)indices)[i]
                     : type == GL_UNSIGNED_SHORT
                         ? sl_load_u16((const uint8_t *)indices + (size_t)i * 2)
                         : sl_load_u32((const uint8_t *)indices + (size_t)i * 4);
        top = v != skip && v + 1 > top ? v + 1 : top;
    }
    return top;
}

uint64_t hgl_index_end(const struct gl_driver *gl, const struct hgl_state *s, const void *indices,
                       uint32_t count, uint32_t type)
{
    uint64_t restart = type == GL_UNSIGNED_BYTE    ? 0xff
                       : type == GL_UNSIGNED_SHORT ? 0xffff
                                                   : 0xffffffff;
    uint64_t end = highest(indices, count, type, UINT64_MAX);
    if (end == restart + 1 && s->gles_version >= 30 &&
        gl->IsEnabled(GL_PRIMITIVE_RESTART_FIXED_INDEX)) {
        end = highest(indices, count, type, restart);
    }
    return end;
}

static bool work_ok(struct hr_call *call, int32_t count, int32_t instances)
{
    if (count > 0 && instances > 0 && (uint64_t)(uint32_t)count * (uint32_t)instances > WORK_MAX) {
        hr_call_refuse(call, "%d instances of %d vertices", instances, count);
        return false;
    }
    return true;
}

/* --- arrays --- */

static void draw_arrays(struct hr_call *call, uint32_t mode, int32_t first, int32_t count)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    uint32_t off;
    if (s == NULL) {
        return;
    }
    uint64_t end = first >= 0 && count > 0 ? (uint64_t)first + (uint64_t)count
                                           : 0; /* else GL refuses it, or draws nothing */
    if (draw_begin(call, s, (struct reach){end, 1, 0, mode, first >= 0 && count > 0 ? count : 0},
                   &off)) {
        gl->DrawArrays(mode, first, count);
        draw_end(gl, s, off);
    }
}

/* --- runs of draws --- */

/* Draws that come one behind the other, with nothing changed between them, go to the driver as one
 * call where that says the same: it looks at its state once. So many at most. */
#define RUN_MAX 64u

struct run {
    uint32_t mode, count;
    int32_t first[RUN_MAX], vertices[RUN_MAX];
};

bool hgl_has_word(const char *words, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = words; at != NULL && (at = strstr(at, word)) != NULL; at += size) {
        if (at[size] == ' ' || at[size] == '\0') {
            return true;
        }
    }
    return false;
}

/* Not while vertices are captured, which fails as a whole, and not for who counts the messages that
 * wrong draws give. */
static bool runs_allowed(const struct gl_driver *gl, struct hgl_state *s)
{
    if (s->runs == HGL_RUNS_UNKNOWN) {
        const char *words = (const char *)gl->GetString(GL_EXTENSIONS);
        s->runs = hgl_has_word(words, "GL_EXT_multi_draw_arrays") ? HGL_RUNS_OK : HGL_RUNS_NONE;
        s->debuggable = hgl_has_word(words, "GL_KHR_debug");
    }
    GLboolean captures = GL_FALSE;
    if (s->runs == HGL_RUNS_OK && s->gles_version >= 30) {
        gl->GetBooleanv(GL_TRANSFORM_FEEDBACK_ACTIVE, &captures);
    }
    return s->runs == HGL_RUNS_OK && !captures &&
           !(s->debuggable && gl->IsEnabled(GL_DEBUG_OUTPUT_KHR));
}

/* A draw that is wrong by its numbers is wrong alone. */
static bool run_add(struct run *run, const struct gles2_args_glDrawArrays *args)
{
    if (args->mode != run->mode || args->first < 0 || args->count < 0 || run->count == RUN_MAX) {
        return false;
    }
    run->first[run->count] = args->first;
    run->vertices[run->count++] = args->count;
    return true;
}

/* The draw and those behind it that can go with it; false: there are none, it goes alone. */
static bool draw_run(struct hr_call *call, struct hgl_state *s,
                     const struct gles2_args_glDrawArrays *args)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct sl_unpack body;
    struct gles2_args_glDrawArrays next;
    struct run run; /* large: its arrays stay as they are */
    run.mode = args->mode;
    run.count = 0;
    if ((s->vao->on & s->vao->client) != 0 || !hr_call_peek(call, &body) || !run_add(&run, args) ||
        gl->MultiDrawArraysEXT == NULL || !runs_allowed(gl, s)) {
        return false;
    }
    while (hr_call_peek(call, &body) && gles2_unpack_glDrawArrays(&body, &next) &&
           run_add(&run, &next)) {
        hr_call_join(call, &body);
    }
    hr_call_joined(call);
    gl->MultiDrawArraysEXT(run.mode, run.first, run.vertices, (GLsizei)run.count);
    return true;
}

void hgl_glDrawArrays(struct hr_call *call, const struct gles2_args_glDrawArrays *args)
{
    struct hgl_state *s = hgl_state_of(call);
    if (s != NULL && !draw_run(call, s, args)) {
        draw_arrays(call, args->mode, args->first, args->count);
    }
}

void hgl_glDrawArraysNullAEMU(struct hr_call *call,
                              const struct gles2_args_glDrawArraysNullAEMU *args)
{
    draw_arrays(call, args->mode, args->first, args->count);
}

void hgl_glDrawArraysInstanced(struct hr_call *call,
                               const struct gles2_args_glDrawArraysInstanced *args)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    uint32_t off;
    if (s == NULL || gl->DrawArraysInstanced == NULL ||
        !work_ok(call, args->count, args->primcount)) {
        return;
    }
    uint64_t end =
        args->first >= 0 && args->count > 0 ? (uint64_t)args->first + (uint64_t)args->count : 0;
    uint64_t instances = args->primcount > 0 ? (uint64_t)args->primcount : 0;
    if (draw_begin(call, s,
                   (struct reach){end, instances, 0, args->mode, end != 0 ? args->count : 0},
                   &off)) {
        gl->DrawArraysInstanced(args->mode, args->first, args->count, args->primcount);
        draw_end(gl, s, off);
    }
}

/* --- elements --- */

struct elements {
    uint32_t mode, type;
    int32_t count, instances; /* instances < 0: not instanced */
    int32_t base_vertex;
    uint32_t base_instance;
};

static void draw_elements(const struct gl_driver *gl, const struct elements *e, const void *indices)
{
    if (e->base_instance != 0) {
        gl->DrawElementsInstancedBaseVertexBaseInstanceEXT(
            e->mode, e->count, e->type, indices, e->instances, e->base_vertex, e->base_instance);
    } else if (e->base_vertex != 0 && e->instances >= 0) {
        gl->DrawElementsInstancedBaseVertex(e->mode, e->count, e->type, indices, e->instances,
                                            e->base_vertex);
    } else if (e->base_vertex != 0) {
        gl->DrawElementsBaseVertex(e->mode, e->count, e->type, indices, e->base_vertex);
    } else if (e->instances < 0) {
        gl->DrawElements(e->mode, e->count, e->type, indices);
    } else {
        gl->DrawElementsInstanced(e->mode, e->count, e->type, indices, e->instances);
    }
}

static struct reach reach_of(const struct elements *e, uint64_t end)
{
    uint64_t instances = e->instances < 0 ? 1 : (uint64_t)e->instances;
    return (struct reach){end, instances, e->base_instance, e->mode, -1};
}

static bool bases_ok(struct hr_call *call, const struct elements *e)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    if ((e->base_instance != 0 &&
         (e->instances < 0 || gl->DrawElementsInstancedBaseVertexBaseInstanceEXT == NULL)) ||
        (e->base_vertex != 0 &&
         (gl->DrawElementsInstancedBaseVertex == NULL || gl->DrawElementsBaseVertex == NULL))) {
        hr_call_refuse(call, "base vertex %d, base instance %u", e->base_vertex, e->base_instance);
        return false;
    }
    return true;
}

static bool elements_ok(struct hr_call *call, const struct elements *e)
{
    if (!bases_ok(call, e)) {
        return false;
    }
    return e->instances < 0 || (hgl_api_of(call)->gl->DrawElementsInstanced != NULL &&
                                work_ok(call, e->count, e->instances));
}

/* One more than the last vertex, when `end` is one more than the highest index. A base below zero
 * may put the first ones in front of the arrays. */
static uint64_t base_added(uint64_t end, int32_t base)
{
    return base < 0 ? HGL_ANY_VERTEX : end != 0 ? end + (uint32_t)base : 0;
}

static void elements_data(struct hr_call *call, const struct elements *e, const void *indices,
                          uint32_t size)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    uint32_t bytes = hgl_index_bytes(e->type), off;
    if (s == NULL || !elements_ok(call, e)) {
        return;
    }
    if (bytes == 0 || e->count < 0) { /* the driver reads nothing, and says what is wrong */
        draw_elements(gl, e, NULL);
        return;
    }
    if ((uint64_t)(uint32_t)e->count * bytes > size) {
        hr_call_refuse(call, "%d indices of type 0x%x in %u bytes", e->count, e->type, size);
        return;
    }
    uint64_t end = 0;
    if ((s->vao->on & s->vao->client) != 0) {
        end = hgl_index_end(gl, s, indices, (uint32_t)e->count, e->type);
        end = base_added(end, e->base_vertex);
    }
    if (!draw_begin(call, s, reach_of(e, end), &off)) {
        return;
    }
    uint32_t bound = hgl_element_buffer(gl, s);
    if (bound != 0) { /* else the address would be an offset into it */
        gl->BindBuffer(GL_ELEMENT_ARRAY_BUFFER, 0);
    }
    draw_elements(gl, e, indices);
    if (bound != 0) {
        gl->BindBuffer(GL_ELEMENT_ARRAY_BUFFER, bound);
    }
    draw_end(gl, s, off);
}

static void elements_offset(struct hr_call *call, const struct elements *e, uint32_t offset)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    uint32_t off;
    if (s == NULL || !elements_ok(call, e)) {
        return;
    }
    if (hgl_element_buffer(gl, s) == 0) {
        hr_call_refuse(call, "offset %u without an index buffer", offset);
        return;
    }
    if (draw_begin(call, s, reach_of(e, HGL_ANY_VERTEX), &off)) {
        draw_elements(gl, e, (const void *)(uintptr_t)offset);
        draw_end(gl, s, off);
    }
}

void hgl_glDrawElementsData(struct hr_call *call, const struct gles2_args_glDrawElementsData *args)
{
    const struct elements e = {args->mode, args->type, args->count, -1, 0, 0};
    elements_data(call, &e, args->data, args->data_size);
}

void hgl_glDrawElementsDataNullAEMU(struct hr_call *call,
                                    const struct gles2_args_glDrawElementsDataNullAEMU *args)
{
    const struct elements e = {args->mode, args->type, args->count, -1, 0, 0};
    elements_data(call, &e, args->data, args->data_size);
}

void hgl_glDrawRangeElementsDataAEMU(struct hr_call *call,
                                     const struct gles2_args_glDrawRangeElementsDataAEMU *args)
{
    const struct elements e = {args->mode, args->type, args->count, -1, 0, 0};
    elements_data(call, &e, args->indices, args->indices_size);
}

void hgl_glDrawElementsInstancedDataAEMU(
    struct hr_call *call, const struct gles2_args_glDrawElementsInstancedDataAEMU *args)
{
    const struct elements e = {
        args->mode, args->type, args->count, args->primcount < 0 ? 0 : args->primcount, 0, 0};
    elements_data(call, &e, args->indices, args->indices_size);
}

void hgl_glDrawElementsOffset(struct hr_call *call,
                              const struct gles2_args_glDrawElementsOffset *args)
{
    const struct elements e = {args->mode, args->type, args->count, -1, 0, 0};
    elements_offset(call, &e, args->offset);
}

void hgl_glDrawElementsOffsetNullAEMU(struct hr_call *call,
                                      const struct gles2_args_glDrawElementsOffsetNullAEMU *args)
{
    const struct elements e = {args->mode, args->type, args->count, -1, 0, 0};
    elements_offset(call, &e, args->offset);
}

void hgl_glDrawRangeElementsOffsetAEMU(struct hr_call *call,
                                       const struct gles2_args_glDrawRangeElementsOffsetAEMU *args)
{
    const struct elements e = {args->mode, args->type, args->count, -1, 0, 0};
    elements_offset(call, &e, args->offset);
}

void hgl_glDrawElementsInstancedOffsetAEMU(
    struct hr_call *call, const struct gles2_args_glDrawElementsInstancedOffsetAEMU *args)
{
    const struct elements e = {
        args->mode, args->type, args->count, args->primcount < 0 ? 0 : args->primcount, 0, 0};
    elements_offset(call, &e, args->offset);
}

/* --- with a base vertex or instance --- */

static struct elements with_base(uint32_t mode, uint32_t type, int32_t count, int32_t instances,
                                 int32_t base_vertex, uint32_t base_instance)
{
    return (struct elements){mode, type, count, instances, base_vertex, base_instance};
}

void hgl_glDrawElementsBaseDataSLUICE(struct hr_call *call,
                                      const struct glesx_args_glDrawElementsBaseDataSLUICE *a)
{
    const struct elements e =
        with_base(a->mode, a->type, a->count, a->instancecount, a->basevertex, a->baseinstance);
    elements_data(call, &e, a->indices, a->indices_size);
}

void hgl_glDrawElementsBaseOffsetSLUICE(struct hr_call *call,
                                        const struct glesx_args_glDrawElementsBaseOffsetSLUICE *a)
{
    const struct elements e =
        with_base(a->mode, a->type, a->count, a->instancecount, a->basevertex, a->baseinstance);
    elements_offset(call, &e, a->offset);
}

void hgl_glDrawArraysInstancedBaseInstanceEXT(
    struct hr_call *call, const struct glesx_args_glDrawArraysInstancedBaseInstanceEXT *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    uint32_t off;
    if (s == NULL || gl->DrawArraysInstancedBaseInstanceEXT == NULL ||
        !work_ok(call, a->count, a->instancecount)) {
        return;
    }
    uint64_t end = a->first >= 0 && a->count > 0 ? (uint64_t)a->first + (uint64_t)a->count : 0;
    uint64_t instances = a->instancecount > 0 ? (uint64_t)a->instancecount : 0;
    if (draw_begin(
            call, s,
            (struct reach){end, instances, a->baseinstance, a->mode, end != 0 ? a->count : 0},
            &off)) {
        gl->DrawArraysInstancedBaseInstanceEXT(a->mode, a->first, a->count, a->instancecount,
                                               a->baseinstance);
        draw_end(gl, s, off);
    }
}

/* --- indirect: the driver checks the offset against the buffer --- */

void hgl_glDrawArraysIndirectOffsetAEMU(
    struct hr_call *call, const struct gles2_args_glDrawArraysIndirectOffsetAEMU *args)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    uint32_t off;
    if (s == NULL || gl->DrawArraysIndirect == NULL || s->gles_version < 31 ||
        !hgl_bound(gl, GL_DRAW_INDIRECT_BUFFER_BINDING)) {
        hr_call_refuse(call, "no indirect buffer");
        return;
    }
    if (draw_begin(call, s, (struct reach){HGL_ANY_VERTEX, UINT32_MAX, 0, args->mode, -1}, &off)) {
        gl->DrawArraysIndirect(args->mode, (const void *)(uintptr_t)args->offset);
        draw_end(gl, s, off);
    }
}

void hgl_glDrawElementsIndirectOffsetAEMU(
    struct hr_call *call, const struct gles2_args_glDrawElementsIndirectOffsetAEMU *args)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    uint32_t off;
    if (s == NULL || gl->DrawElementsIndirect == NULL || s->gles_version < 31 ||
        !hgl_bound(gl, GL_DRAW_INDIRECT_BUFFER_BINDING) || hgl_element_buffer(gl, s) == 0) {
        hr_call_refuse(call, "no indirect or index buffer");
        return;
    }
    if (draw_begin(call, s, (struct reach){HGL_ANY_VERTEX, UINT32_MAX, 0, args->mode, -1}, &off)) {
        gl->DrawElementsIndirect(args->mode, args->type, (const void *)(uintptr_t)args->offset);
        draw_end(gl, s, off);
    }
}
