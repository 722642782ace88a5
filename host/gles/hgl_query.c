/* Query objects: what each counts, which a snapshot must know. */
#include "host/gles/hgl.h"

#include "host/gles2_hand.h"
#include "host/glesx_hand.h"

static void keep_target(struct hgl_state *s, const struct gl_driver *gl, uint32_t name,
                        uint32_t target)
{
    if (name != 0 && (uintptr_t)sl_map_find(&s->queries, name) != target && gl->IsQuery(name)) {
        (void)sl_map_remove(&s->queries, name);
        (void)!sl_map_add(&s->queries, name, (void *)(uintptr_t)target);
    }
}

void hgl_glBeginQuery(struct hr_call *call, const struct gles2_args_glBeginQuery *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s != NULL && gl->BeginQuery != NULL) {
        gl->BeginQuery(a->target, a->query);
        keep_target(s, gl, a->query, a->target);
    }
}

void hgl_glQueryCounterEXT(struct hr_call *call, const struct glesx_args_glQueryCounterEXT *a)
{
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    if (s != NULL && gl->QueryCounterEXT != NULL) {
        gl->QueryCounterEXT(a->id, a->target);
        keep_target(s, gl, a->id, a->target);
    }
}
