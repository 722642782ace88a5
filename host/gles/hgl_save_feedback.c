/* Transform feedbacks of a snapshot. One that goes on begins in the replay with as many vertices as
 * it has taken, whatever they are; then the buffers get their contents again, and it pauses until
 * the context's state is complete. */
#include "host/gles/hgl_save.h"

#include "transport/base/mem.h"

#define BUFFERS_MAX 16

/* Of one object; it is bound. */
struct feedback {
    uint32_t name;
    GLuint buffers[BUFFERS_MAX];
    uint32_t buffer_count;
    uint64_t room; /* vertices, of which each takes four bytes in every buffer at least */
};

static void save_buffer(struct hgl_save *s, struct feedback *f, GLuint i)
{
    const struct gl_driver *gl = s->gl;
    GLint buffer = 0, whole = 0;
    GLint64 start = 0, size = 0;
    gl->GetIntegeri_v(GL_TRANSFORM_FEEDBACK_BUFFER_BINDING, i, &buffer);
    gl->GetInteger64i_v(GL_TRANSFORM_FEEDBACK_BUFFER_START, i, &start);
    gl->GetInteger64i_v(GL_TRANSFORM_FEEDBACK_BUFFER_SIZE, i, &size);
    if (buffer != 0 && size != 0) {
        gles2_pack_glBindBufferRange(hgl_out(s), GL_TRANSFORM_FEEDBACK_BUFFER, i, (GLuint)buffer,
                                     start, size);
    } else if (buffer != 0 || hgl_save_is_whole(s)) {
        gles2_pack_glBindBufferBase(hgl_out(s), GL_TRANSFORM_FEEDBACK_BUFFER, i, (GLuint)buffer);
    }
    if (buffer == 0) {
        return;
    }
    if (size == 0) {
        gl->BindBuffer(GL_COPY_READ_BUFFER, (GLuint)buffer);
        gl->GetBufferParameteriv(GL_COPY_READ_BUFFER, GL_BUFFER_SIZE, &whole);
        size = whole;
    }
    uint64_t room = (uint64_t)size / 4 + 3; /* what has none is refused as a whole primitive */
    f->room = f->buffer_count == 0 || room < f->room ? room : f->room;
    f->buffers[f->buffer_count++] = (GLuint)buffer;
}

/* Does the program make primitives of its own? */
static bool makes_primitives(struct hgl_save *s, const struct hgl_saved *c, uint32_t program)
{
    const struct hgl_program *record = sl_map_find(&c->state->group->programs, program);
    bool makes = record == NULL || !record->linked || record->forgotten;
    for (uint32_t i = 0; !makes && i < record->stage_count; i++) {
        GLenum type = record->stages[i].type;
        makes = type == GL_GEOMETRY_SHADER || type == GL_TESS_CONTROL_SHADER ||
                type == GL_TESS_EVALUATION_SHADER;
    }
    (void)s;
    return makes;
}

static const char *why_not(struct hgl_save *s, const struct hgl_saved *c,
                           const struct hgl_capture *capture)
{
    return hgl_save_is_whole(s)                     ? "nothing leads back to it"
           : capture == NULL || capture->is_unknown ? "nobody knows how many vertices it has"
           : makes_primitives(s, c, capture->program)
               ? "its program makes primitives, or is a pipeline"
           : c->draw == NULL ? "there is no surface"
                             : NULL;
}

static void restart(struct hgl_save *s, const struct hgl_saved *c, const struct feedback *f)
{
    struct sl_pack *out = hgl_out(s);
    const struct hgl_capture *capture = sl_map_find(&c->state->captures, (uint64_t)f->name + 1);
    const char *why = why_not(s, c, capture);
    if (why != NULL) {
        hgl_save_refuse(s, "a transform feedback is going on, and %s", why);
        return;
    }
    uint64_t count = capture->vertices < f->room ? capture->vertices : f->room;
    gles2_pack_glUseProgram(out, capture->program);
    gles2_pack_glEnable(out, GL_RASTERIZER_DISCARD);
    gles2_pack_glBeginTransformFeedback(out, capture->mode);
    gles2_pack_glDrawArrays(out, capture->mode, 0, (GLsizei)count); /* of 2^31 bytes / 4 */
    gles2_pack_glPauseTransformFeedback(out);
    gles2_pack_glUseProgram(out, 0);
    if (hgl_save_reading(s)) {
        for (uint32_t i = 0; i < f->buffer_count; i++) {
            hgl_save_refill(s, f->buffers[i]);
        }
    }
    (void)hgl_save_current(s, c);
}

static void save_feedback(struct hgl_save *s, const struct hgl_saved *c, uint32_t name)
{
    struct feedback f = {.name = name};
    GLint count = hgl_get(s, GL_MAX_TRANSFORM_FEEDBACK_SEPARATE_ATTRIBS);
    s->gl->BindTransformFeedback(GL_TRANSFORM_FEEDBACK, name);
    gles2_pack_glBindTransformFeedback(hgl_out(s), GL_TRANSFORM_FEEDBACK, name);
    for (GLint i = 0; i < count && i < BUFFERS_MAX; i++) {
        save_buffer(s, &f, (GLuint)i);
    }
    if (hgl_get(s, GL_TRANSFORM_FEEDBACK_ACTIVE) != 0) {
        restart(s, c, &f);
    }
}

bool hgl_save_feedbacks(struct hgl_save *s, const struct hgl_saved *c)
{
    uint8_t *alive;
    if (c->context->gles_version < 30) {
        return false;
    }
    GLint bound = hgl_get(s, GL_TRANSFORM_FEEDBACK_BINDING),
          buffer = hgl_get(s, GL_TRANSFORM_FEEDBACK_BUFFER_BINDING),
          read = hgl_get(s, GL_COPY_READ_BUFFER_BINDING);
    bool runs = hgl_get(s, GL_TRANSFORM_FEEDBACK_ACTIVE) != 0 &&
                hgl_get(s, GL_TRANSFORM_FEEDBACK_PAUSED) == 0;
    uint32_t top = hgl_save_names(s, c->state, HGL_FEEDBACKS, &alive);
    if (runs) { /* others can be looked at while it pauses */
        s->gl->PauseTransformFeedback();
    }
    hgl_save_own_names(s, c, HGL_FEEDBACKS, top, alive);
    for (uint32_t name = 0; name <= top && !hgl_save_failed(s); name++) {
        if (name == 0 || alive[name] != 0) {
            save_feedback(s, c, name);
        }
    }
    s->gl->BindTransformFeedback(GL_TRANSFORM_FEEDBACK, (GLuint)bound);
    s->gl->BindBuffer(GL_COPY_READ_BUFFER, (GLuint)read);
    if (runs) {
        s->gl->ResumeTransformFeedback();
    }
    gles2_pack_glBindTransformFeedback(hgl_out(s), GL_TRANSFORM_FEEDBACK, (GLuint)bound);
    gles2_pack_glBindBuffer(hgl_out(s), GL_TRANSFORM_FEEDBACK_BUFFER, (GLuint)buffer);
    hgl_save_flush(s);
    sl_free(alive);
    return runs;
}
