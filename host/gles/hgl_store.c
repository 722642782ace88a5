/* What is drawn on a framebuffer of colour buffers comes to their memory, where others see it: a
 * display, another process, the guest. The guest says when, since only it knows when the program
 * has promised that (a flush, a fence). Ring threads. */
#include "host/gles/hgl_group.h"

#include "host/glesx_hand.h"
#include "host/surface/surface.h"

#include <string.h>

#define COLORS_MAX 8

static GLint attached(const struct gl_driver *gl, GLenum point, GLenum name)
{
    GLint value = 0;
    /* of the draw framebuffer, by either name */
    gl->GetFramebufferAttachmentParameteriv(GL_FRAMEBUFFER, point, name, &value);
    return value;
}

static void note(struct hgl_ring *ring, uint32_t resource)
{
    uint32_t at = 0, count = ring->stored_count;
    while (at < count && at < HGL_STORED && ring->stored[at] != resource) {
        at++;
    }
    if (at < HGL_STORED) {
        ring->stored[at] = resource;
    }
    ring->stored_count = at < count ? count : at + 1;
}

/* Resources, in words: as many as there are, or, of more than we note, HGL_STORED + 1. */
GLuint hgl_glStoredSLUICE(struct hr_call *call, const struct glesx_args_glStoredSLUICE *a)
{
    struct hgl_ring *ring = hgl_api_of(call)->ring;
    uint32_t count = ring->stored_count, most = count < HGL_STORED ? count : HGL_STORED;
    memcpy(a->list, ring->stored, most * 4 < a->list_size ? most * 4 : a->list_size);
    ring->stored_count = 0;
    return count;
}

/* What the driver has of a colour buffer comes to its memory. */
static void store_named(struct hr_call *call, struct hgl_group *group, bool renderbuffer,
                        uint32_t name)
{
    struct hs_buffer *b = hgl_storage_buffer(group, renderbuffer, name);
    if (b != NULL && !hs_store(b, &hgl_api_of(call)->ring->rc.gl)) {
        hr_call_refuse(call, "colour buffer 0x%x cannot be read", b->handle);
    } else if (b != NULL && hs_export_resource(b) != 0) {
        note(hgl_api_of(call)->ring, hs_export_resource(b));
    }
    hs_put(b);
}

static void store(struct hr_call *call, struct hgl_state *s, GLenum point)
{
    const struct hgl_api *api = hgl_api_of(call);
    GLint type = attached(api->gl, point, GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE);
    if (type == GL_TEXTURE || type == GL_RENDERBUFFER) {
        GLint name = attached(api->gl, point, GL_FRAMEBUFFER_ATTACHMENT_OBJECT_NAME);
        store_named(call, s->group, type == GL_RENDERBUFFER, (uint32_t)name);
    }
}

/* A texture or renderbuffer that was written to by name, or has its own storage from now on. */
void hgl_glStoreTargetSLUICE(struct hr_call *call, const struct glesx_args_glStoreTargetSLUICE *a)
{
    struct hgl_state *s = hgl_state_of(call);
    bool renderbuffer = a->target == GL_RENDERBUFFER;
    if (s != NULL && a->ends) {
        hgl_storage_drop(s->group, renderbuffer, a->name);
    } else if (s != NULL) {
        store_named(call, s->group, renderbuffer, a->name);
    }
}

void hgl_glStoreDrawnSLUICE(struct hr_call *call, const struct glesx_args_glStoreDrawnSLUICE *a)
{
    (void)a;
    const struct gl_driver *gl = hgl_api_of(call)->gl;
    struct hgl_state *s = hgl_state_of(call);
    GLint framebuffer = 0, colors = 1;
    if (s == NULL) {
        return;
    }
    gl->GetIntegerv(GL_FRAMEBUFFER_BINDING, &framebuffer);
    if (framebuffer == 0) {
        return;
    }
    if (s->gles_version >= 30) {
        gl->GetIntegerv(GL_MAX_COLOR_ATTACHMENTS, &colors);
    }
    for (GLint i = 0; i < colors && i < COLORS_MAX; i++) {
        store(call, s, GL_COLOR_ATTACHMENT0 + (GLenum)i);
    }
}
