/* The EDID of a scanout: one base block, version 1.4, whose preferred timing is the scanout's size.
 * Spec: VESA E-EDID release A, revision 2. */
#include "transport/vhost/vhost_priv.h"

#include <string.h>

#define CLOCK_MAX_10KHZ 65535u
#define H_BLANK_PX      160u /* as reduced blanking has it */
#define V_BLANK_LINES   32u

static uint8_t low(uint32_t value)
{
    return (uint8_t)(value & 0xff);
}

/* A detailed timing descriptor, 18 bytes. */
static void put_timing(uint8_t *d, uint32_t width, uint32_t height)
{
    uint32_t pixels = (width + H_BLANK_PX) * (height + V_BLANK_LINES);
    uint32_t clock = (uint32_t)((uint64_t)pixels * 60 / 10000);
    clock = clock < CLOCK_MAX_10KHZ ? clock : CLOCK_MAX_10KHZ; /* then it is less than 60 Hz */
    uint32_t width_mm = width * 254 / 960;
    uint32_t height_mm = height * 254 / 960;
    d[0] = low(clock);
    d[1] = low(clock >> 8);
    d[2] = low(width);
    d[3] = low(H_BLANK_PX);
    d[4] = (uint8_t)(width >> 8 << 4 | H_BLANK_PX >> 8);
    d[5] = low(height);
    d[6] = low(V_BLANK_LINES);
    d[7] = (uint8_t)(height >> 8 << 4 | V_BLANK_LINES >> 8);
    d[8] = 48; /* front porch and sync, in pixels */
    d[9] = 32;
    d[10] = 3 << 4 | 6; /* the same in lines */
    d[11] = 0;
    d[12] = low(width_mm);
    d[13] = low(height_mm);
    d[14] = (uint8_t)(width_mm >> 8 << 4 | height_mm >> 8);
    d[17] = 0x1e; /* separate digital sync, both positive */
}

void vgpu_edid_make(uint8_t edid[128], uint32_t scanout_id, uint32_t width_px, uint32_t height_px)
{
    static const uint8_t head[8] = {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
    static const uint8_t srgb[10] = {0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54};
    static const uint8_t name[18] = {0,   0,   0,    0xfc, 0,   'S', 'l', 'u', 'i',
                                     'c', 'e', 0x0a, ' ',  ' ', ' ', ' ', ' ', ' '};
    memset(edid, 0, 128);
    memcpy(edid, head, sizeof head);
    uint32_t maker = ('S' - '@') << 10 | ('L' - '@') << 5 | ('U' - '@');
    edid[8] = low(maker >> 8);
    edid[9] = low(maker);
    edid[10] = 1; /* product */
    edid[12] = low(scanout_id + 1);
    edid[16] = 1; /* week and year of manufacture */
    edid[17] = 2026 - 1990;
    edid[18] = 1;
    edid[19] = 4;
    edid[20] = 0xa5; /* digital, 8 bits a colour */
    edid[21] = low(width_px * 254 / 9600);
    edid[22] = low(height_px * 254 / 9600);
    edid[23] = 120;  /* gamma 2.2 */
    edid[24] = 0x06; /* sRGB; the first timing is the native one */
    memcpy(edid + 25, srgb, sizeof srgb);
    memset(edid + 38, 1, 16); /* no standard timings */
    put_timing(edid + 54, width_px, height_px);
    memcpy(edid + 72, name, sizeof name);
    edid[93] = 0x10; /* two dummy descriptors */
    edid[111] = 0x10;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < 127; i++) {
        sum += edid[i];
    }
    edid[127] = low(256 - (sum & 0xff));
}
