/* Little-endian loads and stores at any address, and the sticky reader. Pure, any thread.
 *
 * The reader never fails in the middle: a read past the end yields zeros and marks it; check
 * `failed` once per message. */
#ifndef SL_BYTES_H
#define SL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Hosts and guests are little-endian (design, section 11); a big-endian build stops here. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "little-endian machines only");

#define SL_BYTES_PAIR(name, type)                                                                  \
    static inline type sl_load_##name(const void *p)                                               \
    {                                                                                              \
        type value;                                                                                \
        memcpy(&value, p, sizeof value);                                                           \
        return value;                                                                              \
    }                                                                                              \
    static inline void sl_store_##name(void *p, type value)                                        \
    {                                                                                              \
        memcpy(p, &value, sizeof value);                                                           \
    }
SL_BYTES_PAIR(u8, uint8_t)
SL_BYTES_PAIR(u16, uint16_t)
SL_BYTES_PAIR(u32, uint32_t)
SL_BYTES_PAIR(u64, uint64_t)
SL_BYTES_PAIR(f32, float)
#undef SL_BYTES_PAIR

struct sl_reader {
    const uint8_t *cur;
    const uint8_t *end;
    bool failed; /* something was read that was not there */
};

static inline struct sl_reader sl_reader_over(const void *data, size_t size)
{
    const uint8_t *p = data;
    return (struct sl_reader){.cur = p, .end = p + size};
}

/* The next `size` bytes in place, or NULL and failed. */
static inline const uint8_t *sl_reader_take(struct sl_reader *r, size_t size)
{
    if (size > (size_t)(r->end - r->cur)) {
        r->failed = true;
        r->cur = r->end;
        return NULL;
    }
    const uint8_t *p = r->cur;
    r->cur += size;
    return p;
}

static inline uint32_t sl_reader_u32(struct sl_reader *r)
{
    const uint8_t *p = sl_reader_take(r, 4);
    return p ? sl_load_u32(p) : 0;
}

static inline uint64_t sl_reader_u64(struct sl_reader *r)
{
    const uint8_t *p = sl_reader_take(r, 8);
    return p ? sl_load_u64(p) : 0;
}

#endif
