#include "host/capture/cap_thumb.h"

#include <string.h>

/* The mean of a block of pixels. */
static void mean(const uint8_t *pixels, uint32_t stride_px, uint32_t width_px, uint32_t height_px,
                 uint8_t rgb[3])
{
    uint64_t sums[3] = {0};
    for (uint32_t y = 0; y < height_px; y++) {
        const uint8_t *p = pixels + (size_t)y * stride_px * 4;
        for (uint32_t x = 0; x < width_px; x++, p += 4) {
            sums[0] += p[0];
            sums[1] += p[1];
            sums[2] += p[2];
        }
    }
    for (int i = 0; i < 3; i++) {
        rgb[i] = (uint8_t)(sums[i] / ((uint64_t)width_px * height_px));
    }
}

bool cap_thumb_make(const uint8_t *pixels, uint32_t width_px, uint32_t height_px, uint64_t frame,
                    struct cap_bytes *out)
{
    uint32_t longer = width_px > height_px ? width_px : height_px;
    uint32_t block = (longer + CAP_THUMB_SIDE - 1) / CAP_THUMB_SIDE;
    if (block == 0 || width_px < block || height_px < block) {
        return false;
    }
    const struct cap_thumb head = {
        .width_px = width_px / block, .height_px = height_px / block, .frame = frame};
    uint8_t *p = cap_bytes_more(out, sizeof head + (size_t)head.width_px * head.height_px * 3);
    if (p == NULL) {
        return false;
    }
    memcpy(p, &head, sizeof head);
    p += sizeof head;
    for (uint32_t y = 0; y < head.height_px; y++) {
        const uint8_t *row = pixels + (size_t)y * block * width_px * 4;
        for (uint32_t x = 0; x < head.width_px; x++, p += 3) {
            mean(row + (size_t)x * block * 4, width_px, block, block, p);
        }
    }
    return true;
}
