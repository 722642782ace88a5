/* What contexts of OpenGL ES take the GPU (hct_options.times): hgl_times.c. The thread of the ring
 * where the context is current. */
#ifndef HOST_HGL_TIMES_H
#define HOST_HGL_TIMES_H

#include "host/gles/hgl.h"
#include "host/times.h"

/* Of a context; NULL: nothing is measured. */
struct hgl_clock;

/* What the context does counts from here. It is current, and the first time nothing was asked of it
 * yet. software: the driver draws by threads of its own. */
void hgl_times_begin(struct hct_times *times, const struct gl_driver *gl, struct hgl_state *s,
                     bool software);
/* Up to here, for a packet of that opcode. is_left: another context becomes current, so that what
 * is still on its way is waited for. */
void hgl_times_end(struct hct_times *times, const struct gl_driver *gl, struct hgl_state *s,
                   uint32_t opcode, bool is_left);
/* Names of queries that are ours: the guest's follow them. */
uint32_t hgl_times_names(const struct hgl_state *s);

#endif
