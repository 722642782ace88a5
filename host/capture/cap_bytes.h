/* The two encodings of a trace that are nowhere else: varints and CRC-32C. Pure, any thread. */
#ifndef HOST_CAP_BYTES_H
#define HOST_CAP_BYTES_H

#include "host/capture/format.h"

#include <stdbool.h>

/* A varint at *p, which moves behind it. False: there is none before `end`, and *p stays. */
static inline bool cap_varint_get(const uint8_t **p, const uint8_t *end, uint64_t *value)
{
    const uint8_t *at = *p;
    uint64_t sum = 0;
    for (unsigned shift = 0; at < end && shift < 70; shift += 7) {
        uint64_t bits = *at & 0x7f;
        if (shift == 63 && bits > 1) {
            return false;
        }
        sum |= bits << shift;
        if ((*at++ & 0x80) == 0) {
            *p = at;
            *value = sum;
            return true;
        }
    }
    return false;
}

/* Writes at most CAP_VARINT_MAX bytes; returns the place behind them. */
static inline uint8_t *cap_varint_put(uint8_t *p, uint64_t value)
{
    while (value >= 0x80) {
        *p++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *p++ = (uint8_t)value;
    return p;
}

static inline int64_t cap_signed(uint64_t value)
{
    return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

/* Of chunk headers: 60 bytes, so small matters more than fast. */
uint32_t cap_crc32c(const void *data, size_t size);

#endif
