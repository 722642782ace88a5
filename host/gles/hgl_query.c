/* Query objects: what each counts, which a snapshot must know, and results that a snapshot brought.
 *
 * Where contexts are measured (hgl_times.c) the driver's first names are ours, and the guest's are
 * counted from behind them.
 *
 * No driver takes results. In a replay they are kept beside the context until the query begins
 * again. One that was going on is ended and begun anew by the snapshot, here and there: what it had
 * counted by then is added to what it counts since. */
#include "host/gles/hgl_query.h"

#include "host/gles/hgl_group.h"
#include "host/gles/hgl_times.h"
#include "host/gles2_hand.h"
#include "host/glesx_hand.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <GLES2/gl2ext.h>

void hgl_queries_finish(struct hgl_state *s)
{
    uint32_t cursor = 0;
    struct hgl_result *result;
    while ((result = sl_map_next(&s->results, &cursor, NULL)) != NULL) {
        sl_free(result);
    }
    sl_map_finish(&s->results);
    sl_map_finish(&s->queries);
}

const struct hgl_result *hgl_query_result(const struct hgl_state *s, uint32_t name)
{
    return s->results.live != 0 ? sl_map_find(&s->results, name) : NULL;
}

static void forget(struct hgl_state *s, uint32_t name)
{
    if (s->results.live != 0) {
        sl_free(sl_map_remove(&s->results, name));
    }
}

bool hgl_query_keep(struct hgl_state *s, uint32_t name, uint64_t value, bool is_partial)
{
    struct hgl_result *result = sl_alloc(sizeof *result);
    forget(s, name);
    if (result != NULL && sl_map_add(&s->results, name, result) != SL_OK) {
        sl_free(result);
        result = NULL;
    }
    if (result != NULL) {
        *result = (struct hgl_result){value, is_partial};
    }
    return result != NULL;
}

uint64_t hgl_query_sum(const struct hgl_state *s, uint32_t name, uint64_t before, uint64_t since)
{
    GLenum target = (GLenum)(uintptr_t)sl_map_find(&s->queries, name);
    bool is_any = target == GL_ANY_SAMPLES_PASSED || target == GL_ANY_SAMPLES_PASSED_CONSERVATIVE;
    return is_any ? (before | since) != 0 : before + since;
}

/* --- names --- */

/* The driver's of a guest's. */
static GLuint native(const struct hgl_state *s, uint32_t name)
{
    return name != 0 ? name + hgl_times_names(s) : 0;
}

/* And back. */
static void take_off(const struct hgl_state *s, void *names, size_t count)
{
    uint32_t ours = hgl_times_names(s);
    for (size_t i = 0; i < count && ours != 0; i++) {
        uint8_t *at = (uint8_t *)names + 4 * i;
        uint32_t name = sl_load_u32(at);
        sl_store_u32(at, name > ours ? name - ours : 0);
    }
}

void hgl_glGenQueries(struct hr_call *call, const struct gles2_args_glGenQueries *a)
{
    const struct hgl_api *api = hgl_api_of(call);
    hgl_gen(call, api->gl->GenQueries, a->n, a->queries, a->queries_size, HGL_QUERIES);
    if (api->state != NULL && a->n > 0 && !call->refused) {
        take_off(api->state, a->queries, (size_t)a->n);
    }
}

void hgl_glDeleteQueries(struct hr_call *call, const struct gles2_args_glDeleteQueries *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || gl->DeleteQueries == NULL) {
        hr_call_refuse(call, "the native driver has no such function");
        return;
    }
    for (int32_t i = 0; i < a->n; i++) {
        uint32_t name = sl_load_u32((const uint8_t *)a->queries + 4 * (size_t)i);
        (void)sl_map_remove(&s->queries, name);
        forget(s, name);
    }
    if (a->n <= 0 || hgl_times_names(s) == 0) {
        gl->DeleteQueries(a->n, (const GLuint *)(uintptr_t)a->queries);
        return;
    }
    for (int32_t i = 0; i < a->n; i++) {
        GLuint name = native(s, sl_load_u32((const uint8_t *)a->queries + 4 * (size_t)i));
        gl->DeleteQueries(1, &name);
    }
}

uint8_t hgl_glIsQuery(struct hr_call *call, const struct gles2_args_glIsQuery *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    const struct hgl_state *s = hgl_state_of(call);
    if (s == NULL || gl->IsQuery == NULL) {
        hr_call_refuse(call, "the native driver has no such function");
        return GL_FALSE;
    }
    return gl->IsQuery(native(s, a->query));
}

/* --- begun --- */

static void begins(struct hgl_state *s, const struct gl_driver *gl, uint32_t name, uint32_t target)
{
    if (name == 0 || !gl->IsQuery(native(s, name))) {
        return;
    }
    uintptr_t counts = (uintptr_t)sl_map_find(&s->queries, name);
    if (counts != 0 && counts != target) {
        return; /* refused: what it counts is for good */
    }
    if (counts == 0) {
        (void)!sl_map_add(&s->queries, name, (void *)(uintptr_t)target);
    }
    forget(s, name);
}

void hgl_glBeginQuery(struct hr_call *call, const struct gles2_args_glBeginQuery *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s != NULL && gl->BeginQuery != NULL) {
        s->has_counted = true;
        gl->BeginQuery(a->target, native(s, a->query));
        begins(s, gl, a->query, a->target);
    }
}

void hgl_glQueryCounterEXT(struct hr_call *call, const struct glesx_args_glQueryCounterEXT *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s != NULL && gl->QueryCounterEXT != NULL) {
        gl->QueryCounterEXT(native(s, a->id), a->target);
        begins(s, gl, a->id, a->target);
    }
}

/* --- brought back --- */

void hgl_glQueryResultSLUICE(struct hr_call *call, const struct glesx_args_glQueryResultSLUICE *a)
{
    const struct hgl_api *api = hgl_api_of(call);
    struct hgl_state *s = hgl_state_of(call);
    if (s == NULL) {
        return;
    }
    if (!api->ring->rc.client->restores) {
        hr_call_refuse(call, "results are the driver's to tell");
    } else if (!api->gl->IsQuery(native(s, a->id)) ||
               !hgl_query_keep(s, a->id, a->result, a->partial != GL_FALSE)) {
        hr_call_refuse(call, "query %u takes no result", a->id);
    }
}

/* --- asked for --- */

/* What the driver said, or is to be said in its place. */
static uint64_t answer_of(const struct hgl_state *s, const struct hgl_result *kept, uint32_t name,
                          uint32_t what, uint64_t native)
{
    if (what != GL_QUERY_RESULT) {
        return kept->is_partial ? native : 1;
    }
    return kept->is_partial ? hgl_query_sum(s, name, kept->value, native) : kept->value;
}

static bool is_asked(uint32_t what)
{
    return what == GL_QUERY_RESULT || what == GL_QUERY_RESULT_AVAILABLE;
}

/* field: of the packet's name. Most is the largest number that the answer holds. */
#define GET(function, field, api, type, most)                                                      \
    void hgl_gl##function(struct hr_call *call, const struct api##_args_gl##function *a)           \
    {                                                                                              \
        const struct gl_driver *gl = hgl_api_of(call)->gl;                                         \
        struct hgl_state *s = hgl_state_of(call);                                                  \
        type value[ROOM] = {0};                                                                    \
        if (s == NULL || gl->function == NULL || a->params_size > sizeof value) {                  \
            hr_call_refuse(call, "the native driver has no such function, or no such answer");     \
            return;                                                                                \
        }                                                                                          \
        const struct hgl_result *kept = hgl_query_result(s, a->field);                             \
        bool known = kept != NULL && is_asked(a->pname) && gl->IsQuery(native(s, a->field));       \
        if (!known || kept->is_partial) {                                                          \
            gl->function(native(s, a->field), a->pname, value);                                    \
        }                                                                                          \
        if (known) {                                                                               \
            uint64_t all = answer_of(s, kept, a->field, a->pname, (uint64_t)value[0]);             \
            value[0] = all < (most) ? (type)all : (type)(most);                                    \
        }                                                                                          \
        memcpy(a->params, value, a->params_size);                                                  \
    }
/* Numbers that a driver may write, whatever is asked. */
#define ROOM 16u
GET(GetQueryObjectuiv, query, gles2, GLuint, UINT32_MAX)
GET(GetQueryObjectivEXT, id, glesx, GLint, INT32_MAX)
GET(GetQueryObjecti64vEXT, id, glesx, GLint64, INT64_MAX)
GET(GetQueryObjectui64vEXT, id, glesx, GLuint64, UINT64_MAX)
#undef GET

void hgl_glGetQueryiv(struct hr_call *call, const struct gles2_args_glGetQueryiv *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    GLint value[ROOM] = {0};
    if (s == NULL || gl->GetQueryiv == NULL || a->params_size > sizeof value) {
        hr_call_refuse(call, "the native driver has no such function, or no such answer");
        return;
    }
    gl->GetQueryiv(a->target, a->pname, value);
    if (a->pname == GL_CURRENT_QUERY) {
        take_off(s, value, 1);
    }
    memcpy(a->params, value, a->params_size);
}
