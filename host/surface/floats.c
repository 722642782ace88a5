/* Surfaces of float channels. */
#include "host/surface/view.h"

#include "transport/base/mem.h"

/* Drawn, as drivers clamp what is read of a surface. Several samples are read all the same: a blit
 * resolves those of one format alone. */
static void copy(const struct gl_driver *gl, GLuint texture, GLsizei width, GLsizei height,
                 void *scratch)
{
    GLint samples = 0;
    gl->GetIntegerv(GL_SAMPLES, &samples);
    if (samples > 0) {
        gl->PixelStorei(GL_PACK_ROW_LENGTH, 0);
        gl->ReadPixels(0, 0, width, height, GL_RGBA, GL_HALF_FLOAT, scratch);
        gl->TexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, width, height, GL_RGBA, GL_HALF_FLOAT, scratch);
        return;
    }
    GLuint fb = 0;
    gl->GenFramebuffers(1, &fb);
    gl->BindFramebuffer(GL_DRAW_FRAMEBUFFER, fb);
    gl->FramebufferTexture2D(GL_DRAW_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, texture, 0);
    gl->BlitFramebuffer(0, 0, width, height, 0, 0, width, height, GL_COLOR_BUFFER_BIT, GL_NEAREST);
    gl->BindFramebuffer(GL_DRAW_FRAMEBUFFER, 0);
    gl->DeleteFramebuffers(1, &fb);
}

/* By the helper context, as GLES 1 and 2 neither read floats nor draw them so. */
bool hs_floats_flush(struct hs_buffer *buffer, struct hs_thread *thread, uint32_t width,
                     uint32_t height)
{
    const struct gl_driver *gl = thread->native->gl;
    void *scratch = sl_alloc_array((size_t)width * height, 8);
    EGLImageKHR image = scratch != NULL ? hs_image(buffer, thread, true) : EGL_NO_IMAGE_KHR;
    if (image == EGL_NO_IMAGE_KHR) {
        sl_free(scratch);
        return false;
    }
    pthread_mutex_lock(&buffer->lock);
    bool ok = hs_helper_borrow(thread);
    if (ok) {
        GLuint name = 0;
        gl->GenTextures(1, &name);
        gl->BindTexture(GL_TEXTURE_2D, name);
        gl->EGLImageTargetTexture2DOES(GL_TEXTURE_2D, image);
        copy(gl, name, (GLsizei)width, (GLsizei)height, scratch);
        gl->DeleteTextures(1, &name);
        gl->Flush();
    }
    hs_helper_end(thread);
    pthread_mutex_unlock(&buffer->lock);
    sl_free(scratch);
    return ok;
}
