#include "transport/base/copy.h"

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define LINE 64u

void sl_copy_shared(void *to, const void *from, size_t size)
{
    uint8_t *d = to;
    const uint8_t *s = from;
#if defined(__SSE2__)
    for (; size >= LINE; size -= LINE, d += LINE, s += LINE) {
        const __m128i *in = (const __m128i *)(const void *)s;
        __m128i *out = (__m128i *)(void *)d;
        __m128i a = _mm_loadu_si128(in), b = _mm_loadu_si128(in + 1);
        __m128i c = _mm_loadu_si128(in + 2), e = _mm_loadu_si128(in + 3);
        _mm_storeu_si128(out, a);
        _mm_storeu_si128(out + 1, b);
        _mm_storeu_si128(out + 2, c);
        _mm_storeu_si128(out + 3, e);
        __asm__ volatile("" : : : "memory"); /* or a compiler makes it memcpy */
    }
#endif
    memcpy(d, s, size);
}

void sl_touch_shared(const void *p, size_t size)
{
    const volatile uint8_t *bytes = p;
    for (size_t at = 0; at < size; at += LINE) {
        (void)bytes[at];
    }
}
