/* Sync objects, flushes and query results. A GLsync is the host's 64-bit handle; the share group
 * knows the live ones, so that a stray pointer never reaches a host that would follow it. */
#include "guest/gles/ggl_objects.h"

#include <string.h>

static char live;

static uint64_t handle_of(GLsync sync)
{
    return (uint64_t)(uintptr_t)sync;
}

static bool is_live(struct ggl_context *c, GLsync sync)
{
    pthread_mutex_lock(&c->share->lock);
    bool known = sl_map_find(&c->share->syncs, handle_of(sync)) != NULL;
    pthread_mutex_unlock(&c->share->lock);
    return known;
}

/* False, with the error recorded, for anything that is no sync. */
static bool check(struct ggl_context *c, GLsync sync)
{
    bool known = is_live(c, sync);
    if (!known) {
        ggl_error(c, GL_INVALID_VALUE);
    }
    return known;
}

GLsync ggl_glFenceSync(GLenum condition, GLbitfield flags)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return NULL;
    }
    ggl_store_drawn(c);
    uint64_t handle = gles2_call_glFenceSyncAEMU(c->stream, condition, flags);
    ggl_store_kept(c);
    if (handle == 0) {
        return NULL;
    }
    pthread_mutex_lock(&c->share->lock);
    bool kept = sl_map_set(&c->share->syncs, handle, &live) == SL_OK;
    pthread_mutex_unlock(&c->share->lock);
    if (!kept) {
        gles2_pack_glDeleteSyncAEMU(ggl_pack(c), handle);
        ggl_error(c, GL_OUT_OF_MEMORY);
        return NULL;
    }
    return (GLsync)(uintptr_t)handle;
}

GLboolean ggl_glIsSync(GLsync sync)
{
    struct ggl_context *c = ggl_current();
    return c && is_live(c, sync) ? GL_TRUE : GL_FALSE;
}

void ggl_glDeleteSync(GLsync sync)
{
    struct ggl_context *c = ggl_current();
    if (!c || !sync) {
        return;
    }
    pthread_mutex_lock(&c->share->lock);
    bool known = sl_map_remove(&c->share->syncs, handle_of(sync)) != NULL;
    pthread_mutex_unlock(&c->share->lock);
    if (known) {
        gles2_pack_glDeleteSyncAEMU(ggl_pack(c), handle_of(sync));
    } else {
        ggl_error(c, GL_INVALID_VALUE);
    }
}

/* A lost context's syncs are signalled: nobody waits for a host that is gone. */
GLenum ggl_glClientWaitSync(GLsync sync, GLbitfield flags, GLuint64 timeout)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return ggl_lost_context ? GL_ALREADY_SIGNALED : GL_WAIT_FAILED;
    }
    if (!check(c, sync)) {
        return GL_WAIT_FAILED;
    }
    GLenum result = gles2_call_glClientWaitSyncAEMU(c->stream, handle_of(sync), flags, timeout);
    if (result == GL_ALREADY_SIGNALED || result == GL_CONDITION_SATISFIED) {
        ggl_lasting_waited(c);
    }
    return gs_dead(c->stream) ? GL_ALREADY_SIGNALED : result;
}

void ggl_glWaitSync(GLsync sync, GLbitfield flags, GLuint64 timeout)
{
    struct ggl_context *c = ggl_current();
    if (!c || !check(c, sync)) {
        return;
    }
    if (flags != 0 || timeout != GL_TIMEOUT_IGNORED) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    gles2_pack_glWaitSyncAEMU(ggl_pack(c), handle_of(sync), flags, timeout);
}

/* Of any sync, so that nobody polls for ever. */
static void status_lost(GLenum pname, GLsizei room, GLint *value)
{
    if (ggl_lost_context && pname == GL_SYNC_STATUS && value && room > 0) {
        *value = GL_SIGNALED;
    }
}

void ggl_glGetSynciv(GLsync sync, GLenum pname, GLsizei room, GLsizei *length, GLint *values)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        status_lost(pname, room, values);
        return;
    }
    if (!check(c, sync)) {
        return;
    }
    if (room < 0 && ggl_stock(c)) {
        ggl_error(c, GL_INVALID_VALUE);
        return;
    }
    GLint value = 0;
    GLsizei got = 0, asked = ggl_stock(c) || room > 1 ? 1 : room; /* each parameter is one value */
    if (!gles2_ask_glGetSyncivAEMU(c, handle_of(sync), pname, asked, &got, 4, &value, 4)) {
        status_lost(pname, room, values);
        return;
    }
    if (pname == GL_SYNC_STATUS && value == GL_SIGNALED) {
        ggl_lasting_waited(c);
    }
    got = got > 0 && (room > 0 || !ggl_stock(c)) ? 1 : 0;
    if (values && got && room > 0) {
        *values = value;
    }
    if (length) {
        *length = got;
    }
}

/* A lost context's queries are available, so that nobody polls for ever. */
#define QUERY_RESULT(Name, type, api, CAN)                                                         \
    void ggl_gl##Name(GLuint query, GLenum pname, type *params)                                    \
    {                                                                                              \
        struct ggl_context *c = ggl_current();                                                     \
        type value = 0;                                                                            \
        if (c && params && CAN && api##_ask_gl##Name(c, query, pname, &value, sizeof value)) {     \
            *params = value;                                                                       \
        } else if (params && ggl_lost_context && pname == GL_QUERY_RESULT_AVAILABLE) {             \
            *params = GL_TRUE;                                                                     \
        }                                                                                          \
    }
QUERY_RESULT(GetQueryObjectuiv, GLuint, gles2, true)
QUERY_RESULT(GetQueryObjectivEXT, GLint, glesx, ggl_own(c))
QUERY_RESULT(GetQueryObjecti64vEXT, GLint64, glesx, ggl_own(c))
QUERY_RESULT(GetQueryObjectui64vEXT, GLuint64, glesx, ggl_own(c))

void ggl_waited(struct ggl_context *c)
{
    ggl_lasting_waited(c);
}

void ggl_finish(struct ggl_context *c)
{
    ggl_errors_report(c);
    if (ggl_fixed(c)) {
        (void)gles1_call_glFinishRoundTrip(c->stream);
    } else {
        (void)gles2_call_glFinishRoundTrip(c->stream);
    }
    ggl_lasting_waited(c);
}

void ggl_glFinish(void)
{
    struct ggl_context *c = ggl_any();
    if (c) {
        ggl_store_drawn(c);
        ggl_finish(c);
        ggl_store_kept(c);
        ggl_messages_tell(c);
    }
}

void ggl_glFlush(void)
{
    struct ggl_context *c = ggl_any();
    if (c) {
        ggl_store_drawn(c);
        if (ggl_fixed(c)) {
            gles1_pack_glFlush(ggl_pack(c));
        } else {
            gles2_pack_glFlush(ggl_pack(c));
        }
        gs_flush(c->stream);
        ggl_order_tell(c);
        ggl_store_kept(c);
        ggl_messages_tell(c);
    }
}
