/* Pictures as PNG files. Main thread. */
#ifndef SLUICE_PICTURE_H
#define SLUICE_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What pictures may take the place of. */
struct picture_rules {
    bool force;          /* of older files */
    char *const *inputs; /* of these never */
    size_t input_count;
};

/* pixels: R, G, B and a byte that is left out, rows without gaps. path: "-" is standard output;
 * written as path.part first (cap_part.h), so that nobody sees half a picture. Returns an exit
 * code; the reason was said. */
int picture_write(const char *path, const struct picture_rules *rules, const uint8_t *pixels,
                  uint32_t width, uint32_t height);

/* PICTURE_RGB: R, G, B and a byte that is left out. GREY16: a uint16_t a pixel. */
enum picture_kind { PICTURE_RGB, PICTURE_RGBA, PICTURE_GREY8, PICTURE_GREY16 };
struct picture_content {
    enum picture_kind kind;
    const void *pixels; /* rows without gaps */
    uint32_t width_px, height_px;
    const char *call;        /* the PNG's text "Call"; nullable */
    const char *depth_range; /* "Depth-Range"; nullable */
};
/* The same of any kind. */
int picture_write_as(const char *path, const struct picture_rules *rules,
                     const struct picture_content *content);

struct picture {
    uint8_t *pixels; /* R, G, B, A, rows without gaps; of a deep one the upper halves as grey */
    uint16_t *deep;  /* of a PNG of one channel of 16 bits: that; else NULL */
    uint32_t width_px, height_px;
};

#define PICTURE_SIDE_MAX 16384u

/* A PNG of any kind, at most PICTURE_SIDE_MAX wide and high. Returns an exit code; the reason was
 * said, and then there is nothing to free. */
int picture_read(const char *path, struct picture *out);
void picture_free(struct picture *picture);

#endif
