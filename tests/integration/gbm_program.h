/* What the files of gbm_program share: buffers of GBM as images, and hashes of pictures. */
#ifndef GBM_PROGRAM_H
#define GBM_PROGRAM_H

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <gbm.h>
#include <stdint.h>

/* An EGLImage of a buffer's dma-buf, which has one plane. */
EGLImageKHR gbm_program_image(EGLDisplay display, int fd, EGLint width, EGLint height,
                              EGLint format, EGLint pitch);
/* Hash of the B, G, R of a buffer's memory, its first row first. A format of 8 bits a colour. */
uint32_t gbm_program_hash(struct gbm_bo *bo);

/* Draws pictures into buffers of every kind by EGLImages: a line for each, with what GLES reads and
 * what the buffer's memory has. A context is current. gbm: NULL: the same pictures into textures.
 */
void gbm_targets_draw(EGLDisplay display, struct gbm_device *gbm);

#endif
