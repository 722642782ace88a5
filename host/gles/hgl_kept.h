/* Buffers that were deleted while a vertex array has them: they are read on as before, and nobody
 * can ask for them any more. Where a snapshot will be wanted (hct_options.is_saved) their contents
 * are kept. The thread of the ring where the context is current, or the device thread while all
 * rings stand. */
#ifndef HOST_HGL_KEPT_H
#define HOST_HGL_KEPT_H

#include "host/gles/hgl.h"

struct hgl_kept {
    int32_t size, usage, immutable, flags; /* GL's of a buffer */
    uint8_t data[];
};

void hgl_kept_init(struct hgl_state *s);
void hgl_kept_finish(struct hgl_state *s);
/* Before these are deleted: names as they came. */
void hgl_kept_deletes(const struct gl_driver *gl, struct hgl_state *s, const uint8_t *names,
                      uint32_t count);
/* The buffer that is bound at the target, for sl_free. NULL: it has more than `most` bytes, or
 * cannot be read. No error stays in GL. */
struct hgl_kept *hgl_kept_read(const struct gl_driver *gl, GLenum target, size_t most);

#endif
