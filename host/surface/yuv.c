/* Brightness and colours made red, green and blue (ITU-R BT.601, 709, 2020; narrow and full
 * ranges). */
#include "host/surface/surface.h"

/* Samples are in 16ths of a step of 8 bits, factors in 4096ths. */
enum { SAMPLE_BITS = 4, FACTOR_BITS = 12, SHIFT = SAMPLE_BITS + FACTOR_BITS };
enum { ZERO_COLOUR = 128 << SAMPLE_BITS, BLACK_NARROW = 16 << SAMPLE_BITS };

struct factors {
    int32_t y, red_v, green_u, green_v, blue_u, black;
};

/* red, blue: their shares of brightness. */
static struct factors factors_of(double red, double blue, bool full)
{
    double one = 1 << FACTOR_BITS;
    double bright = full ? one : one * 255 / 219, colour = full ? one : one * 255 / 224;
    double green = 1 - red - blue;
    return (struct factors){.y = (int32_t)(bright + 0.5),
                            .red_v = (int32_t)(2 * (1 - red) * colour + 0.5),
                            .green_u = (int32_t)(2 * (1 - blue) * blue / green * colour + 0.5),
                            .green_v = (int32_t)(2 * (1 - red) * red / green * colour + 0.5),
                            .blue_u = (int32_t)(2 * (1 - blue) * colour + 0.5),
                            .black = full ? 0 : BLACK_NARROW};
}

static uint8_t clamped(int32_t value)
{
    int32_t rounded = (value + (1 << (SHIFT - 1))) >> SHIFT; /* of negative ones: arithmetic */
    return (uint8_t)(rounded < 0 ? 0 : rounded > 255 ? 255 : rounded);
}

void hs_yuv_convert(uint8_t *rgba, const struct hs_yuv_row *row, uint32_t yuv)
{
    static const struct {
        double red, blue;
    } shares[] = {[HS_YUV_BT601] = {0.299, 0.114},
                  [HS_YUV_BT709] = {0.2126, 0.0722},
                  [HS_YUV_BT2020] = {0.2627, 0.0593},
                  [HS_YUV_STANDARD] = {0.299, 0.114}};
    uint32_t standard = yuv & HS_YUV_STANDARD;
    const struct factors f =
        factors_of(shares[standard].red, shares[standard].blue, (yuv & HS_YUV_FULL) != 0);
    for (uint32_t x = 0; x < row->count; x++) {
        int32_t y = (row->y[x] - f.black) * f.y;
        int32_t u = row->u[x] - ZERO_COLOUR, v = row->v[x] - ZERO_COLOUR;
        rgba[x * 4] = clamped(y + v * f.red_v);
        rgba[x * 4 + 1] = clamped(y - u * f.green_u - v * f.green_v);
        rgba[x * 4 + 2] = clamped(y + u * f.blue_u);
        rgba[x * 4 + 3] = 255;
    }
}
