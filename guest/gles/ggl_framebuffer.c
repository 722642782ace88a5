/* Framebuffer bindings, and renderbuffers' names. Bindings are kept here for queries that programs
 * make every frame, and because a host may have a surface behind framebuffer 0 even where the
 * application has none. */
#include "guest/gles/ggl_objects.h"

void ggl_glBindFramebuffer(GLenum target, GLuint framebuffer)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    ggl_order_use(c); /* for what is cleared and copied there */
    ggl_spare_use(c, GGL_SPARE_FRAMEBUFFER, framebuffer);
    if (target == GL_FRAMEBUFFER || (target == GL_DRAW_FRAMEBUFFER && c->version >= 30)) {
        ggl_store_leave(c);
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
    ggl_store_leave(c);
    gles2_pack_glDeleteFramebuffers(ggl_pack(c), n, framebuffers, (uint32_t)n * 4);
    for (GLsizei i = 0; i < n; i++) {
        ggl_spare_use(c, GGL_SPARE_FRAMEBUFFER, framebuffers[i]);
        c->draw_framebuffer = c->draw_framebuffer == framebuffers[i] ? 0 : c->draw_framebuffer;
        c->read_framebuffer = c->read_framebuffer == framebuffers[i] ? 0 : c->read_framebuffer;
    }
}

void ggl_glFramebufferTexture2D(GLenum target, GLenum attachment, GLenum textarget, GLuint texture,
                                GLint level)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        ggl_store_leave(c);
        gles2_pack_glFramebufferTexture2D(ggl_pack(c), target, attachment, textarget, texture,
                                          level);
    }
}

void ggl_glFramebufferRenderbuffer(GLenum target, GLenum attachment, GLenum renderbuffertarget,
                                   GLuint renderbuffer)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        ggl_store_leave(c);
        gles2_pack_glFramebufferRenderbuffer(ggl_pack(c), target, attachment, renderbuffertarget,
                                             renderbuffer);
    }
}

void ggl_glBindRenderbuffer(GLenum target, GLuint renderbuffer)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        ggl_spare_use(c, GGL_SPARE_RENDERBUFFER, renderbuffer);
        c->renderbuffer = target == GL_RENDERBUFFER ? renderbuffer : c->renderbuffer;
        gles2_pack_glBindRenderbuffer(ggl_pack(c), target, renderbuffer);
    }
}

void ggl1_glBindRenderbufferOES(GLenum target, GLuint renderbuffer)
{
    struct ggl_context *c = ggl1_current();
    if (c) {
        ggl_spare_use(c, GGL_SPARE_RENDERBUFFER, renderbuffer);
        c->renderbuffer = target == GL_RENDERBUFFER ? renderbuffer : c->renderbuffer;
        gles1_pack_glBindRenderbufferOES(ggl_pack(c), target, renderbuffer);
    }
}

static void renderbuffers_drop(struct ggl_context *c, GLsizei n, const GLuint *renderbuffers)
{
    for (GLsizei i = 0; i < n; i++) {
        c->renderbuffer = c->renderbuffer == renderbuffers[i] ? 0 : c->renderbuffer;
        ggl_spare_use(c, GGL_SPARE_RENDERBUFFER, renderbuffers[i]);
    }
}

void ggl_glDeleteRenderbuffers(GLsizei n, const GLuint *renderbuffers)
{
    struct ggl_context *c = ggl_current();
    if (c && ggl_names_given(c, n, renderbuffers)) {
        for (GLsizei i = 0; ggl_stores(c) && i < n; i++) {
            ggl_store_ends(c, GL_RENDERBUFFER, renderbuffers[i]);
        }
        gles2_pack_glDeleteRenderbuffers(ggl_pack(c), n, renderbuffers, (uint32_t)n * 4);
        renderbuffers_drop(c, n, renderbuffers);
    }
}

void ggl1_glDeleteRenderbuffersOES(GLsizei n, const GLuint *renderbuffers)
{
    struct ggl_context *c = ggl1_current();
    if (c && ggl_names_given(c, n, renderbuffers)) {
        gles1_pack_glDeleteRenderbuffersOES(ggl_pack(c), n, renderbuffers, (uint32_t)n * 4);
        renderbuffers_drop(c, n, renderbuffers);
    }
}

static void renderbuffer_respecify(struct ggl_context *c, GLenum target)
{
    if (ggl_stores(c) && target == GL_RENDERBUFFER) {
        ggl_store_ends(c, GL_RENDERBUFFER, c->renderbuffer);
    }
}

void ggl_glRenderbufferStorage(GLenum target, GLenum internalformat, GLsizei width, GLsizei height)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        renderbuffer_respecify(c, target);
        gles2_pack_glRenderbufferStorage(ggl_pack(c), target, internalformat, width, height);
        ggl_settle(c);
    }
}

void ggl_glRenderbufferStorageMultisample(GLenum target, GLsizei samples, GLenum internalformat,
                                          GLsizei width, GLsizei height)
{
    struct ggl_context *c = ggl_current();
    if (c) {
        renderbuffer_respecify(c, target);
        gles2_pack_glRenderbufferStorageMultisample(ggl_pack(c), target, samples, internalformat,
                                                    width, height);
        ggl_settle(c);
    }
}

/* The framebuffer bound to a target that this version has; the second: whether it has it. */
static uint32_t bound_to(const struct ggl_context *c, GLenum target, bool *known)
{
    *known = target == GL_FRAMEBUFFER ||
             (c->version >= 30 && (target == GL_DRAW_FRAMEBUFFER || target == GL_READ_FRAMEBUFFER));
    return target == GL_READ_FRAMEBUFFER ? c->read_framebuffer : c->draw_framebuffer;
}

/* Of framebuffer 0 the host is asked once while its surface is current: toolkits ask every frame.
 */
void ggl_glGetFramebufferAttachmentParameteriv(GLenum target, GLenum attachment, GLenum pname,
                                               GLint *params)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return;
    }
    bool known;
    bool kept = bound_to(c, target, &known) == 0 && known && params && !ggl_stock(c);
    for (uint32_t i = 0; kept && i < c->surface_answer_count; i++) {
        const struct ggl_surface_answer *a = &c->surface_answers[i];
        if (a->attachment == attachment && a->pname == pname) {
            *params = a->value;
            return;
        }
    }
    GLint value = 0;
    if (!gles2_ask_glGetFramebufferAttachmentParameteriv(c, target, attachment, pname, &value,
                                                         params ? sizeof value : 0) ||
        !params) {
        return;
    }
    *params = value;
    if (kept && !gs_dead(c->stream) && c->surface_answer_count < GGL_SURFACE_ANSWERS) {
        c->surface_answers[c->surface_answer_count++] =
            (struct ggl_surface_answer){attachment, pname, value};
    }
}

/* Without a surface framebuffer 0 is undefined; a host that needs one would call it complete. */
GLenum ggl_glCheckFramebufferStatus(GLenum target)
{
    struct ggl_context *c = ggl_current();
    if (!c) {
        return 0;
    }
    bool known;
    if (bound_to(c, target, &known) == 0 && known) {
        return c->surface_width_px == 0 ? GL_FRAMEBUFFER_UNDEFINED : GL_FRAMEBUFFER_COMPLETE;
    }
    return gles2_call_glCheckFramebufferStatus(c->stream, target);
}
