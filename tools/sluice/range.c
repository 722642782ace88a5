#include "tools/sluice/range.h"
#include "tools/sluice/say.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* A decimal number at *text, which moves behind it. */
static bool number_at(const char **text, uint64_t *out)
{
    char *end;
    if (!isdigit((unsigned char)**text)) {
        return false;
    }
    errno = 0;
    *out = strtoull(*text, &end, 10);
    *text = end;
    return errno == 0;
}

static bool part_at(const char **text, uint64_t *first, uint64_t *last, uint64_t *step)
{
    bool is_all = **text == '*';
    *step = 1;
    *first = 0;
    *text += is_all;
    if (!is_all && !number_at(text, first)) {
        return false;
    }
    *last = is_all ? UINT64_MAX : *first;
    if (!is_all && **text == '-') {
        ++*text;
        *last = UINT64_MAX;
        if (isdigit((unsigned char)**text) && !number_at(text, last)) {
            return false;
        }
    } else if (!is_all && **text == '+') {
        ++*text;
        uint64_t count;
        if (!number_at(text, &count) || count == 0 || count - 1 > UINT64_MAX - *first) {
            return false;
        }
        *last = *first + count - 1;
    }
    if (**text == '/') {
        ++*text;
        if (!number_at(text, step) || *step == 0) {
            return false;
        }
    }
    return *last >= *first;
}

bool range_parse(const char *text, struct range *out)
{
    *out = (struct range){0};
    if (text == NULL) {
        return true;
    }
    for (;;) {
        uint32_t i = out->count;
        if (i == RANGE_PARTS ||
            !part_at(&text, &out->parts[i].first, &out->parts[i].last, &out->parts[i].step)) {
            return false;
        }
        out->count++;
        if (*text == '\0') {
            return true;
        }
        if (*text++ != ',') {
            return false;
        }
    }
}

bool range_option(const struct opt_set *set, size_t index, struct range *out)
{
    if (!range_parse(opt_text(set, index), out)) {
        say_error("--%s is '%s'; it should be numbers like 7,10-20,10-,30+3,0-100/10",
                  set->verb->options[index].name, opt_text(set, index));
        return false;
    }
    return true;
}

bool range_has(const struct range *range, uint64_t number)
{
    for (uint32_t i = 0; i < range->count; i++) {
        if (number >= range->parts[i].first && number <= range->parts[i].last &&
            (number - range->parts[i].first) % range->parts[i].step == 0) {
            return true;
        }
    }
    return range->count == 0;
}

uint64_t range_begin(const struct range *range)
{
    uint64_t first = range->count != 0 ? UINT64_MAX : 0;
    for (uint32_t i = 0; i < range->count; i++) {
        first = range->parts[i].first < first ? range->parts[i].first : first;
    }
    return first;
}

uint64_t range_end(const struct range *range)
{
    uint64_t last = 0;
    for (uint32_t i = 0; i < range->count; i++) {
        last = range->parts[i].last > last ? range->parts[i].last : last;
    }
    return range->count != 0 && last != UINT64_MAX ? last + 1 : UINT64_MAX;
}

bool range_is_over(const struct range *range, uint64_t number)
{
    for (uint32_t i = 0; i < range->count; i++) {
        if (number <= range->parts[i].last) {
            return false;
        }
    }
    return range->count != 0;
}
