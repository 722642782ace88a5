/* Shaders whose indices stay in their arrays. Drivers of the CPU bound those of buffers, images,
 * private and local arrays; indices of shared ones, of what stages of tessellation hand on, and of
 * what a fragment shader interpolates itself, reach what lies around in the host's memory.
 *
 * `name[e]` becomes `name[min(uint((e)>>0),uint(name.length()-1))]`, for what is in arrays,
 * structures, matrices and vectors alike: what a shader does whose index is not in there is
 * undefined, and all others do what they did. What is shared by a workgroup is zeros at first
 * (hgl_zeros.h). The text is without macros, comments and conditions
 * then, and its lines are where they were. */
#ifndef HOST_HGL_CLAMP_H
#define HOST_HGL_CLAMP_H

#include "transport/base/result.h"

#include <stddef.h>
#include <stdint.h>

struct hgl_clamped {
    char *text; /* the caller's, sl_free; ends with a NUL; NULL: nothing has to change */
    size_t size;
};

/* stage: GL_COMPUTE_SHADER and so on. extensions: of hgl_tokens_read. A text that was written here
 * stays as it is. Bounded by the size of the text. Any thread.
 * SL_OK; UNSUPPORTED: it is not understood, *why says in static text of what; NOMEM. */
enum sl_result hgl_clamp(uint32_t stage, const char *text, size_t size, const char *extensions,
                         struct hgl_clamped *out, const char **why);

#endif
