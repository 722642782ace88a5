/* Sets of numbers as options give them: "7", "10-20", "10-", "10+3", "0-100/10", "*" for
 * all, and lists of these with commas between. Counting is from 0, ends are included. */
#ifndef SLUICE_RANGE_H
#define SLUICE_RANGE_H

#include "tools/sluice/opt.h"

#include <stdbool.h>
#include <stdint.h>

#define RANGE_PARTS 64u

struct range_part {
    uint64_t first, last; /* last UINT64_MAX: open */
    uint64_t step, width; /* `width` numbers of every `step` ones */
};

struct range {
    uint32_t count; /* 0: everything */
    struct range_part parts[RANGE_PARTS];
};

/* text NULL: everything. False: it is no set. */
bool range_parse(const char *text, struct range *out);
/* The same of seconds, "1.5-2.25", as nanoseconds. A number's last digit counts whole: 3 is the
 * second from 3 to 4, 0.5 the tenth from 0.5 to 0.6. */
bool range_parse_times(const char *text, struct range *out);
/* An option's; not given: everything. False: the reason was said. */
bool range_option(const struct opt_set *set, size_t index, struct range *out);
bool range_option_times(const struct opt_set *set, size_t index, struct range *out);
bool range_has(const struct range *range, uint64_t number);
/* The first number that is in it. */
uint64_t range_begin(const struct range *range);
/* One behind the last number that is in it; UINT64_MAX: there is none. */
uint64_t range_end(const struct range *range);
/* Nothing from this number on is in it. */
bool range_is_over(const struct range *range, uint64_t number);

#endif
