/* Texts of many parts, for tests of what is long. */
#ifndef TESTS_LONG_TEXT_H
#define TESTS_LONG_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct long_text {
    char *bytes; /* NULL: none; free it. One byte is room for a zero. */
    size_t size;
};

static inline void long_text_add(struct long_text *t, const char *part, size_t times)
{
    size_t length = strlen(part);
    t->bytes = realloc(t->bytes, t->size + length * times + 1);
    for (size_t i = 0; i < times; i++) {
        memcpy(t->bytes + t->size, part, length);
        t->size += length;
    }
}

/* format: of a number from 1 to count and the one before, twice. */
static inline void long_text_add_numbered(struct long_text *t, const char *format, uint32_t count)
{
    char line[128];
    for (uint32_t i = 1; i <= count; i++) {
        snprintf(line, sizeof line, format, i, i - 1, i - 1);
        long_text_add(t, line, 1);
    }
}

#endif
