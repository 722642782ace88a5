/* The triangle that a monitor's guest and a native program both draw. */
#ifndef TESTS_ABI_TRIANGLE_H
#define TESTS_ABI_TRIANGLE_H

#include <stdint.h>
#include <stdio.h>

enum { TRIANGLE_WIDTH = 160, TRIANGLE_HEIGHT = 120 };

#define TRIANGLE_VERTEX                                                                            \
    "attribute vec4 p; attribute vec4 c; varying vec4 k;"                                          \
    "void main() { gl_Position = p; k = c; }"
#define TRIANGLE_FRAGMENT                                                                          \
    "precision mediump float; varying vec4 k; void main() { gl_FragColor = k; }"

static const float triangle_places[] = {-0.9f, -0.8f, 0, 1, 0.7f, -0.5f, 0, 1, 0.1f, 0.9f, 0, 1};
static const float triangle_colours[] = {1, 0, 0.25f, 1, 0, 1, 0.5f, 1, 0.125f, 0, 1, 1};
static const float triangle_background[] = {0.1f, 0.2f, 0.3f, 1};

/* One line: the hash (FNV-1a) of all pixels' red, green and blue, top row first, and how many of
 * them the triangle covers. pixels: 4 bytes each, of which r, g, b are the places of the colours.
 */
static inline void triangle_print(const uint8_t *pixels, int r, int g, int b, int upside_down)
{
    uint64_t hash = 0xcbf29ce484222325ull;
    unsigned covered = 0;
    for (int row = 0; row < TRIANGLE_HEIGHT; row++) {
        int y = upside_down ? TRIANGLE_HEIGHT - 1 - row : row;
        for (int x = 0; x < TRIANGLE_WIDTH; x++) {
            const uint8_t *p = pixels + ((size_t)y * TRIANGLE_WIDTH + (size_t)x) * 4;
            const uint8_t colours[] = {p[r], p[g], p[b]};
            for (int i = 0; i < 3; i++) {
                hash = (hash ^ colours[i]) * 0x100000001b3ull;
            }
            covered += p[r] != pixels[r] || p[g] != pixels[g] || p[b] != pixels[b];
        }
    }
    printf("triangle %016llx covers %u\n", (unsigned long long)hash, covered);
}

#endif
