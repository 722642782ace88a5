/* A small picture of a frame, for people who look for a trace. Any thread. */
#ifndef HOST_CAP_THUMB_H
#define HOST_CAP_THUMB_H

#include "host/capture/cap_index_writer.h"

/* thum's payload. pixels: rows of R, G, B, A without gaps, top row first. False: no memory, or
 * there is nothing to see. */
bool cap_thumb_make(const uint8_t *pixels, uint32_t width_px, uint32_t height_px, uint64_t frame,
                    struct cap_bytes *out);

#endif
