/* Errors: the first one wins, whether the guest or the host found it.
 *
 * Asynchronously (GGL_FEATURE_ASYNC_ERRORS) nobody waits for the host's: a packet asks it to leave
 * its error in the ring page, and what lies there is taken whenever the program asks. */
#include "guest/gles/ggl_objects.h"

#include "transport/base/clock.h"

static bool quiet(const struct ggl_context *c)
{
    return c->quiet && c->quiet_cur == gs_pack(c->stream)->cur &&
           c->quiet_published == c->stream->ring.published;
}

static void mark_quiet(struct ggl_context *c)
{
    c->quiet = true;
    c->quiet_cur = gs_pack(c->stream)->cur;
    c->quiet_published = c->stream->ring.published;
}

void ggl_errors_report(struct ggl_context *c)
{
    if (ggl_has(c, GGL_FEATURE_ASYNC_ERRORS) && !quiet(c) && !gs_dead(c->stream)) {
        glesx_pack_glReportErrorSLUICE(ggl_pack(c));
        mark_quiet(c);
    }
}

void ggl_errors_take(struct ggl_context *c)
{
    if (ggl_has(c, GGL_FEATURE_ASYNC_ERRORS) && c->stream != NULL) {
        GLenum error = asg_writer_error_take(&c->stream->ring);
        c->error = c->error ? c->error : error;
    }
}

/* The host's error, fetched and cleared there; GL_NO_ERROR when it cannot be asked. */
static GLenum host_error(struct ggl_context *c)
{
    if (!ggl_has(c, GGL_FEATURE_HOST_ERROR) || quiet(c) || gs_dead(c->stream)) {
        return GL_NO_ERROR;
    }
    GLenum error =
        ggl_fixed(c) ? gles1_call_glGetError(c->stream) : gles2_call_glGetError(c->stream);
    mark_quiet(c);
    return error;
}

static void error_pack(struct ggl_context *c)
{
    if (ggl_fixed(c)) {
        gles1_pack_glGetError(ggl_pack(c));
    } else {
        gles2_pack_glGetError(ggl_pack(c));
    }
}

/* The reply to a packed glGetError: the application's, unless one is pending. */
static GLenum error_read(struct ggl_context *c)
{
    GLenum error;
    gs_read(c->stream, &error, sizeof error);
    gs_reply_end(c->stream);
    c->error = c->error ? c->error : error;
    return error;
}

/* Bytes of two questions for errors and the packets between them that answer too. */
#define QUESTION_ROOM 512u

struct ggl_question ggl_question_begin(struct ggl_context *c)
{
    struct ggl_question q = {.watched = !ggl_stock(c) && ggl_has(c, GGL_FEATURE_HOST_ERROR)};
    q.earlier = q.watched && !quiet(c);
    if (q.watched) { /* no answer may come while what follows is packed */
        gs_pack_together(c->stream, QUESTION_ROOM);
    }
    if (q.earlier) {
        error_pack(c);
    }
    return q;
}

void ggl_question_end(struct ggl_context *c, const struct ggl_question *q)
{
    if (q->watched) {
        error_pack(c);
    }
}

void ggl_question_earlier(struct ggl_context *c, const struct ggl_question *q)
{
    if (q->earlier) {
        (void)error_read(c);
    }
}

bool ggl_question_answered(struct ggl_context *c, const struct ggl_question *q)
{
    GLenum error = q->watched ? error_read(c) : GL_NO_ERROR;
    if (gs_dead(c->stream)) {
        ggl_lose(c);
        return false;
    }
    if (q->watched) {
        mark_quiet(c);
    }
    return error == GL_NO_ERROR;
}

/* An error that the host found earlier is the first one. */
void ggl_error(struct ggl_context *c, uint32_t error)
{
    if (c->error == GL_NO_ERROR) {
        GLenum earlier = ggl_has(c, GGL_FEATURE_ASYNC_ERRORS) ? GL_NO_ERROR : host_error(c);
        c->error = earlier ? earlier : error;
    }
}

uint64_t ggl_absent(void)
{
    struct ggl_context *c = ggl_any();
    if (c != NULL) {
        ggl_error(c, GL_INVALID_OPERATION);
    }
    return 0;
}

void *ggl_nowhere(void)
{
    struct ggl_context *c = ggl_any();
    return c != NULL ? c->nowhere : NULL;
}

/* The context that is current, and whether it is lost is seen now: for what works in a lost one. */
static struct ggl_context *in_use(void)
{
    if (ggl_lost_context == NULL) {
        struct ggl_context *c = ggl_any();
        if (c == NULL || !ggl_context_lost(c)) {
            return c;
        }
        ggl_lose(c);
    }
    return ggl_lost_context;
}

GLenum ggl_glGetError(void)
{
    struct ggl_context *c = in_use();
    if (!c) {
        return GL_NO_ERROR;
    }
    if (c == ggl_lost_context) {
        /* Once for everything called since the last time, so that a loop "until no error" ends. */
        GLenum lost = c->error;
        c->error = GL_NO_ERROR;
        return lost;
    }
    GLenum host = GL_NO_ERROR;
    if (ggl_has(c, GGL_FEATURE_ASYNC_ERRORS)) {
        ggl_errors_report(c);
        ggl_errors_take(c);
    } else {
        host = host_error(c);
    }
    GLenum error = c->error ? c->error : host;
    c->error = GL_NO_ERROR;
    ggl_messages_tell(c);
    return c->no_error && error != GL_OUT_OF_MEMORY ? GL_NO_ERROR : error;
}

/* Who asks for nothing else would never hear of it. Asked at most every 100 ms. */
static void look_for_host(struct ggl_context *c)
{
    uint64_t now = sl_clock_ns();
    if (now - c->alive_checked_ns > 100 * SL_NS_PER_MS) {
        c->alive_checked_ns = now;
        struct vg *vg = c->stream->device->vg;
        if (!vg->ops->alive(vg)) {
            ggl_lose(c);
        }
    }
}

/* The host's driver is not asked: a reset there ends the stream. Who did not ask to be told is not;
 * who did is told once, since what was lost does not come back in this context. */
GLenum ggl_glGetGraphicsResetStatusEXT(void)
{
    struct ggl_context *c = in_use();
    if (c && c->lose_on_reset && !ggl_context_lost(c)) {
        look_for_host(c);
        c = in_use();
    }
    if (!c || !c->lose_on_reset || c != ggl_lost_context || c->reset_reported) {
        return GL_NO_ERROR;
    }
    c->reset_reported = true;
    return GL_UNKNOWN_CONTEXT_RESET_EXT;
}

bool ggl_names_given(struct ggl_context *c, GLsizei n, const GLuint *names)
{
    if (n < 0 || (uint32_t)n > UINT32_MAX / 8) {
        ggl_error(c, GL_INVALID_VALUE);
        return false;
    }
    return n != 0 && names;
}

bool ggl_size_travels(struct ggl_context *c, int64_t size)
{
    bool travels = size >= 0 || !ggl_stock(c);
    if (!travels) {
        ggl_error(c, GL_INVALID_VALUE);
    }
    return travels;
}
