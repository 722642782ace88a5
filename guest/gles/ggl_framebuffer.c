/* Framebuffer bindings. They are kept here for queries that programs make every frame, and because
 * a host may have a surface behind framebuffer 0 even where the application has none. */
#include "guest/gles/ggl_objects.h"

void ggl_glBindFramebuffer(GLenum target, GLuint framebuffer)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    if (target == GL_FRAMEBUFFER || (target == GL_DRAW_FRAMEBUFFER && c->version >= 30)) {
        c->draw_framebuffer = framebuffer;
    }
    if (target == GL_FRAMEBUFFER || (target == GL_READ_FRAMEBUFFER && c->version >= 30)) {
        c->read_framebuffer = framebuffer;
    }
    gles2_pack_glBindFramebuffer(ggl_pack(c), target, framebuffer);
}

void ggl_glDeleteFramebuffers(GLsizei n, const GLuint *framebuffers)
{
    struct ggl_context *c = ggl_current();
    if (!c || !ggl_names_given(c, n, framebuffers)) {
        return;
    }
    gles2_pack_glDeleteFramebuffers(ggl_pack(c), n, framebuffers, (uint32_t)n * 4);
    for (GLsizei i = 0; i < n; i++) {
        c->draw_framebuffer = c->draw_framebuffer == framebuffers[i] ? 0 : c->draw_framebuffer;
        c->read_framebuffer = c->read_framebuffer == framebuffers[i] ? 0 : c->read_framebuffer;
    }
}

/* Without a surface framebuffer 0 is undefined; a host that needs one would call it complete. */
GLenum ggl_glCheckFramebufferStatus(GLenum target)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return 0;
    }
    uint32_t bound = target == GL_READ_FRAMEBUFFER ? c->read_framebuffer : c->draw_framebuffer;
    bool known =
        target == GL_FRAMEBUFFER ||
        (c->version >= 30 && (target == GL_DRAW_FRAMEBUFFER || target == GL_READ_FRAMEBUFFER));
    if (known && bound == 0) {
        return c->surface_width_px == 0 ? GL_FRAMEBUFFER_UNDEFINED : GL_FRAMEBUFFER_COMPLETE;
    }
    return gles2_call_glCheckFramebufferStatus(c->stream, target);
}
