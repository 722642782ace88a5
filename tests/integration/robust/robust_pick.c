#include "tests/integration/robust/robust_pick.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void robust_note(struct robust *r, const char *format, ...)
{
    size_t used = strlen(r->arguments);
    va_list list;
    va_start(list, format);
    vsnprintf(r->arguments + used, sizeof r->arguments - used, format, list);
    va_end(list);
}

uint32_t robust_pick(struct robust *r, uint32_t most)
{
    r->seed = r->seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(r->seed >> 33) % most;
}
