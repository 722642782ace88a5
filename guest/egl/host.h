/* The renderControl set-up of a stream (protocol facts: connection start-up). The stream's thread.
 */
#ifndef GUEST_EGL_HOST_H
#define GUEST_EGL_HOST_H

#include "guest/egl/gegl.h"

/* Ids of the host's objects begin here; what is less, where an error can be answered, is EGL's. */
#define GEGL_HOST_IDS 0x80000000u

/* What the feature words say. sluice: the host is ours. Pure. */
struct gegl_host gegl_host_parse(const char *words, bool sluice);

/* Asks the host who it is and what it can do, on the first stream of a display. CLOSED, PROTOCOL,
 * NOMEM. */
enum sl_result gegl_host_ask(struct gs_stream *stream, struct gegl_host *host) SL_MUST_USE;

/* The host's configuration table, as gegl_configs_read takes it; floats: with those of float
 * channels, which the host has to know. Gives *table (sl_free). CLOSED, PROTOCOL, NOMEM. */
enum sl_result gegl_host_configs(struct gs_stream *stream, bool floats, uint32_t **table,
                                 uint32_t *attrib_count, uint32_t *count) SL_MUST_USE;

/* What every further stream has to say first. */
void gegl_host_greet(struct gs_stream *stream, const struct gegl_host *host);
/* Waits until the host has done everything that was sent: before the stream closes, and before what
 * was named in it goes by another way. */
void gegl_host_catch_up(struct gs_stream *stream);

#endif
