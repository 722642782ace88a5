/* Between the files of this room. */
#ifndef GUEST_GS_INTERNAL_H
#define GUEST_GS_INTERNAL_H

#include "guest/stream/gs.h"

/* The one place that names backends. NOTFOUND: the environment names none. */
enum sl_result gs_open_backend(struct vg **out) SL_MUST_USE;
/* The lock of the process's devices and their streams. */
void gs_registry_lock(void);
void gs_registry_unlock(void);
/* gs_stream.c: a context command, waited for: the host is done with it. */
enum sl_result gs_stream_command(struct gs_stream *stream, const uint32_t *words, size_t size,
                                 struct vg_res *const *resources, uint32_t resource_count);
/* gs_stage.c: the stream's packers may stage from now on; no more. */
void gs_stage_init(struct gs_stream *stream);
void gs_stage_close(struct gs_stream *stream);

#endif
