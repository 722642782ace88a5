/* Numbers as text, without printf's reading of a format: a dump has millions of them. */
#ifndef PLAN_TEXT_H
#define PLAN_TEXT_H

#include <stdint.h>
#include <stdio.h>

static inline void plan_text_decimal(FILE *out, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    fwrite(digits + at, 1, sizeof digits - at, out);
}

static inline void plan_text_signed(FILE *out, int64_t value)
{
    if (value < 0) {
        fputc('-', out);
    }
    plan_text_decimal(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* With 0x before it. */
static inline void plan_text_hex(FILE *out, uint64_t value)
{
    char digits[18];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value != 0);
    digits[--at] = 'x';
    digits[--at] = '0';
    fwrite(digits + at, 1, sizeof digits - at, out);
}

/* name = , behind what stands between it and the one before. */
static inline void plan_text_name(FILE *out, const char *between, const char *name)
{
    fputs(between, out);
    fputs(name, out);
    fputs(" = ", out);
}

#endif
