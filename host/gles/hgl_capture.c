/* Transform feedbacks: how many vertices each has taken, which no driver tells, and a snapshot must
 * know to go on where it stopped. */
#include "host/gles/hgl.h"

#include "host/gles2_hand.h"
#include "transport/base/mem.h"

void hgl_captures_finish(struct hgl_state *s)
{
    uint32_t cursor = 0;
    struct hgl_capture *capture;
    while ((capture = sl_map_next(&s->captures, &cursor, NULL)) != NULL) {
        sl_free(capture);
    }
    sl_map_finish(&s->captures);
}

static GLint asked(const struct gl_driver *gl, GLenum name)
{
    GLint value = 0;
    gl->GetIntegerv(name, &value);
    return value;
}

static uint64_t bound(const struct gl_driver *gl)
{
    return (uint64_t)(uint32_t)asked(gl, GL_TRANSFORM_FEEDBACK_BINDING) + 1;
}

/* The driver has taken a command that may begin, end or change what vertices go to. */
static void look(const struct gl_driver *gl, struct hgl_state *s)
{
    s->capture = NULL;
    if (s->captures.live != 0 && asked(gl, GL_TRANSFORM_FEEDBACK_ACTIVE) != 0 &&
        asked(gl, GL_TRANSFORM_FEEDBACK_PAUSED) == 0) {
        s->capture = sl_map_find(&s->captures, bound(gl));
    }
}

static void begins(const struct gl_driver *gl, struct hgl_state *s, uint32_t mode)
{
    struct hgl_capture *capture = sl_map_find(&s->captures, bound(gl));
    if (capture == NULL) {
        capture = sl_alloc(sizeof *capture);
        if (capture != NULL && sl_map_add(&s->captures, bound(gl), capture) != SL_OK) {
            sl_free(capture);
            capture = NULL;
        }
    }
    if (capture != NULL) { /* else a snapshot is refused */
        *capture =
            (struct hgl_capture){.mode = mode, .program = (uint32_t)asked(gl, GL_CURRENT_PROGRAM)};
    }
}

/* NULL: refused. */
static struct hgl_state *state_of(struct hr_call *call)
{
    struct hgl_state *s = hgl_state_of(call);
    if (s != NULL &&
        (s->gles_version < 30 || hgl_api_of(call)->gl->BeginTransformFeedback == NULL)) {
        hr_call_refuse(call, "the context has no transform feedback");
        return NULL;
    }
    return s;
}

void hgl_glBeginTransformFeedback(struct hr_call *call,
                                  const struct gles2_args_glBeginTransformFeedback *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = state_of(call);
    if (s != NULL) {
        bool was = asked(gl, GL_TRANSFORM_FEEDBACK_ACTIVE) != 0;
        gl->BeginTransformFeedback(a->primitiveMode);
        if (!was && asked(gl, GL_TRANSFORM_FEEDBACK_ACTIVE) != 0) {
            begins(gl, s, a->primitiveMode);
        }
        look(gl, s);
    }
}

#define CHANGES(function, ...)                                                                     \
    void hgl_gl##function(struct hr_call *call, const struct gles2_args_gl##function *a)           \
    {                                                                                              \
        const struct gl_driver *gl = hgl_api_of(call)->gl;                                         \
        struct hgl_state *s = state_of(call);                                                      \
        (void)a;                                                                                   \
        if (s != NULL) {                                                                           \
            gl->function(__VA_ARGS__);                                                             \
            look(gl, s);                                                                           \
        }                                                                                          \
    }
CHANGES(EndTransformFeedback, )
CHANGES(PauseTransformFeedback, )
CHANGES(ResumeTransformFeedback, )
CHANGES(BindTransformFeedback, a->target, a->id)
#undef CHANGES

void hgl_glDeleteTransformFeedbacks(struct hr_call *call,
                                    const struct gles2_args_glDeleteTransformFeedbacks *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = state_of(call);
    if (s == NULL || (a->n > 0 && (uint64_t)(uint32_t)a->n * 4 > a->ids_size)) {
        hr_call_refuse(call, "%d names in %u bytes", a->n, a->ids_size);
        return;
    }
    gl->DeleteTransformFeedbacks(a->n, a->ids);
    for (int32_t i = 0; i < a->n && s->captures.live != 0; i++) {
        uint32_t name = sl_load_u32((const uint8_t *)a->ids + (size_t)i * 4);
        if (name != 0 && !gl->IsTransformFeedback(name)) {
            sl_free(sl_map_remove(&s->captures, (uint64_t)name + 1));
        }
    }
    look(gl, s);
}

/* --- draws --- */

/* What a draw of so many vertices gives. 0: the feedback takes none of this mode. */
static uint64_t taken(uint32_t takes, uint32_t mode, uint64_t count)
{
    const uint64_t corners = takes == GL_POINTS ? 1 : takes == GL_LINES ? 2 : 3;
    if (mode == takes) {
        return count / corners * corners;
    }
    switch (mode) {
    case GL_LINE_LOOP:
        return takes == GL_LINES && count >= 2 ? count * 2 : 0;
    case GL_LINE_STRIP:
        return takes == GL_LINES && count >= 2 ? (count - 1) * 2 : 0;
    case GL_TRIANGLE_STRIP:
    case GL_TRIANGLE_FAN:
        return takes == GL_TRIANGLES && count >= 3 ? (count - 2) * 3 : 0;
    default:
        return 0; /* only geometry shaders make something of it */
    }
}

void hgl_capture_draw(const struct gl_driver *gl, struct hgl_state *s, uint32_t mode, int64_t count,
                      uint64_t instances)
{
    struct hgl_capture *c = s->capture;
    if (count < 0) {
        c->is_unknown = true;
        return;
    }
    uint64_t vertices = taken(c->mode, mode, (uint64_t)count);
    /* What the driver refuses takes no vertices. */
    if (vertices == 0 ||
        gl->CheckFramebufferStatus(GL_DRAW_FRAMEBUFFER) != GL_FRAMEBUFFER_COMPLETE) {
        return;
    }
    /* Where there are no geometry shaders some drivers take strips and some refuse them. */
    c->is_unknown = c->is_unknown || (mode != c->mode && s->gles_version < 32);
    vertices = vertices < UINT32_MAX ? vertices * instances : UINT64_MAX;
    c->vertices = vertices < UINT64_MAX - c->vertices ? c->vertices + vertices : UINT64_MAX;
}
