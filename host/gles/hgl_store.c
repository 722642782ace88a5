/* What is drawn on a framebuffer of colour buffers comes to their memory, where others see it: a
 * display, another process, the guest. The guest says when, since only it knows when the program
 * has promised that (a flush, a fence). Ring threads. */
#include "host/gles/hgl_group.h"

#include "host/glesx_hand.h"
#include "host/surface/surface.h"

#define COLORS_MAX 8

static GLint attached(const struct gl_driver *gl, GLenum point, GLenum name)
{
    GLint value = 0;
    /* of the draw framebuffer, by either name */
    gl->GetFramebufferAttachmentParameteriv(GL_FRAMEBUFFER, point, name, &value);
    return value;
}

static void store(struct hr_call *call, struct hgl_state *s, GLenum point)
{
    const struct hgl_api *api = hgl_api_of(call);
    GLint type = attached(api->gl, point, GL_FRAMEBUFFER_ATTACHMENT_OBJECT_TYPE);
    if (type != GL_TEXTURE && type != GL_RENDERBUFFER) {
        return;
    }
    GLint name = attached(api->gl, point, GL_FRAMEBUFFER_ATTACHMENT_OBJECT_NAME);
    uint32_t handle;
    if (hgl_storage_of(s->group, type == GL_RENDERBUFFER, (uint32_t)name, &handle) !=
        HGL_STORAGE_BUFFER) {
        return;
    }
    struct hrc_thread *thread = &api->ring->rc;
    struct hs_buffer *b = hrc_buffer(thread->client, handle);
    if (b != NULL && !hs_store(b, &thread->gl)) { /* NULL: its resource went, and its memory */
        hr_call_refuse(call, "colour buffer 0x%x cannot be read", handle);
    }
    hs_put(b);
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
