/* What the files of host/surface share about buffers whose memory is a part of resources'. */
#ifndef HOST_VIEW_H
#define HOST_VIEW_H

#include "host/surface/surface.h"

/* One unaccounted, unnumbered buffer; NULL: no memory. The reference is the caller's. */
struct hs_buffer *hs_buffer_new(struct hs_table *table, enum hs_kind kind, uint64_t size);
/* Gives it a handle, which the table holds. Takes the caller's reference where it fails: NOMEM. */
enum sl_result hs_buffer_number(struct hs_table *table, struct hs_buffer *buffer) SL_MUST_USE;

/* The exported buffer that a view is all of, in its format; else the buffer itself. Borrowed. */
struct hs_buffer *hs_view_origin(struct hs_buffer *buffer);
/* The layout that DRM's name of a format means; its format is 0: none that we copy. */
struct hs_layout hs_view_layout(uint32_t fourcc);
/* copy.c: the image's pixels come to mem. The buffer's lock is held. */
bool hs_fetch_locked(struct hs_buffer *buffer, struct hs_thread *thread);
/* floats.c: hs_flush of a surface of floats to a buffer that holds them. */
bool hs_floats_flush(struct hs_buffer *buffer, struct hs_thread *thread, uint32_t width,
                     uint32_t height);
/* export.c: mem is not what it was when it and the image were equal last. */
bool hs_export_changed_locked(const struct hs_buffer *buffer);
void hs_export_equal_locked(struct hs_buffer *buffer);

void hs_view_free(struct hs_view *view); /* NULL allowed */
/* Is its picture made of brightness and colours? view: NULL allowed. */
bool hs_view_is_yuv(const struct hs_view *view);
/* width * height pixels of RGBA without gaps, the memory's first row first. False: no memory. */
bool hs_view_picture(const struct hs_buffer *buffer, uint8_t *rgba);

#endif
