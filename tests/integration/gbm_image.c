/* Buffers of one plane as images. */
#include "tests/integration/gbm_program.h"

EGLImageKHR gbm_program_image(EGLDisplay display, int fd, EGLint width, EGLint height,
                              EGLint format, EGLint pitch)
{
    PFNEGLCREATEIMAGEKHRPROC make =
        (PFNEGLCREATEIMAGEKHRPROC)eglGetProcAddress("eglCreateImageKHR");
    const EGLint attribs[] = {EGL_WIDTH,
                              width,
                              EGL_HEIGHT,
                              height,
                              EGL_LINUX_DRM_FOURCC_EXT,
                              format,
                              EGL_DMA_BUF_PLANE0_FD_EXT,
                              fd,
                              EGL_DMA_BUF_PLANE0_OFFSET_EXT,
                              0,
                              EGL_DMA_BUF_PLANE0_PITCH_EXT,
                              pitch,
                              EGL_NONE};
    return make(display, EGL_NO_CONTEXT, EGL_LINUX_DMA_BUF_EXT, NULL, attribs);
}
