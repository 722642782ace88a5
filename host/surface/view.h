/* What the files of host/surface share about buffers whose memory is a part of resources'. */
#ifndef HOST_VIEW_H
#define HOST_VIEW_H

#include "host/surface/surface.h"

/* One unaccounted, unnumbered buffer; NULL: no memory. The reference is the caller's. */
struct hs_buffer *hs_buffer_new(struct hs_table *table, enum hs_kind kind, uint64_t size);
/* Gives it a handle, which the table holds. Takes the caller's reference where it fails: NOMEM. */
enum sl_result hs_buffer_number(struct hs_table *table, struct hs_buffer *buffer) SL_MUST_USE;

void hs_view_free(struct hs_view *view); /* NULL allowed */
/* Is its picture made of brightness and colours? view: NULL allowed. */
bool hs_view_is_yuv(const struct hs_view *view);
/* width * height pixels of RGBA without gaps, the memory's first row first. False: no memory. */
bool hs_view_picture(const struct hs_buffer *buffer, uint8_t *rgba);

#endif
