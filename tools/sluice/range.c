#include "tools/sluice/range.h"
#include "tools/sluice/say.h"
#include "transport/base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* What numbers are: counts, or seconds with a fraction or none. */
enum scale { COUNTS, SECONDS };

/* A decimal number at *text, which moves behind it. SECONDS: as nanoseconds; *width: one of its
 * last digit, 1 of a count. */
static bool number_at(const char **text, enum scale scale, uint64_t *out, uint64_t *width)
{
    char *end;
    *width = scale == SECONDS ? SL_NS_PER_S : 1;
    if (!isdigit((unsigned char)**text)) {
        return false;
    }
    errno = 0;
    uint64_t whole = strtoull(*text, &end, 10);
    if (errno != 0 || whole > UINT64_MAX / *width - 1) {
        return false;
    }
    *out = whole * *width;
    *text = end;
    if (scale != SECONDS || **text != '.') {
        return true;
    }
    for (++*text; isdigit((unsigned char)**text) && *width > 1; ++*text) {
        *width /= 10;
        *out += *width * (uint64_t)(**text - '0');
    }
    return *width < SL_NS_PER_S && !isdigit((unsigned char)**text);
}

/* The last one, behind the first at *text. */
static bool end_at(const char **text, enum scale scale, uint64_t first, uint64_t width,
                   uint64_t *last)
{
    char sign = **text;
    *last = first + width - 1;
    if (sign != '-' && sign != '+') {
        return true;
    }
    ++*text;
    if (sign == '-' && !isdigit((unsigned char)**text)) {
        *last = UINT64_MAX;
        return true;
    }
    uint64_t number;
    if (!number_at(text, scale, &number, &width)) {
        return false;
    }
    if (sign == '-') {
        *last = number + width - 1;
        return number >= first;
    }
    *last = first + number - 1;
    return number != 0 && number - 1 <= UINT64_MAX - first;
}

static bool part_at(const char **text, enum scale scale, struct range_part *part)
{
    uint64_t unused;
    *part = (struct range_part){.last = UINT64_MAX, .step = 1, .width = 1};
    if (**text == '*') {
        ++*text;
    } else if (!number_at(text, scale, &part->first, &part->width) ||
               !end_at(text, scale, part->first, part->width, &part->last)) {
        return false;
    }
    if (**text != '/') {
        part->width = 1;
        return true;
    }
    ++*text;
    return number_at(text, scale, &part->step, &unused) && part->step != 0;
}

static bool parse(const char *text, enum scale scale, struct range *out)
{
    *out = (struct range){0};
    if (text == NULL) {
        return true;
    }
    for (;;) {
        if (out->count == RANGE_PARTS || !part_at(&text, scale, &out->parts[out->count])) {
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

bool range_parse(const char *text, struct range *out)
{
    return parse(text, COUNTS, out);
}

bool range_parse_times(const char *text, struct range *out)
{
    return parse(text, SECONDS, out);
}

bool range_option_times(const struct opt_set *set, size_t index, struct range *out)
{
    if (!range_parse_times(opt_text(set, index), out)) {
        say_error("--%s is '%s'; it should be seconds like 7,1.5-2.25,10-,30+0.5,0-100/10",
                  set->verb->options[index].name, opt_text(set, index));
        return false;
    }
    return true;
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
            (number - range->parts[i].first) % range->parts[i].step < range->parts[i].width) {
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
