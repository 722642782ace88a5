/* Arithmetic on numbers that a peer sent: every sum and product says whether it fits. Pure, any
 * thread. */
#ifndef SL_ARITH_H
#define SL_ARITH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* true and *out set when the result fits; false and *out untouched when not. */
static inline bool sl_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        return false;
    }
    *out = sum;
    return true;
}

static inline bool sl_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    uint64_t product;
    if (__builtin_mul_overflow(a, b, &product)) {
        return false;
    }
    *out = product;
    return true;
}

static inline bool sl_mul_size(size_t a, size_t b, size_t *out)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product)) {
        return false;
    }
    *out = product;
    return true;
}

/* Does [offset, offset + size) lie inside [0, limit)? An empty range at limit does. */
static inline bool sl_region_fits(uint64_t offset, uint64_t size, uint64_t limit)
{
    return offset <= limit && size <= limit - offset;
}

static inline uint64_t sl_round_up(uint64_t value, uint64_t power_of_two)
{
    return (value + power_of_two - 1) & ~(power_of_two - 1);
}

#endif
