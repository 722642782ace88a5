/* How long work took a GPU, by that's own clock: what a tool asks context types to measure
 * (hct_options.times). Any thread; nothing of it is on a path that is not measured. */
#ifndef HOST_TIMES_H
#define HOST_TIMES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define HCT_TIMES 64u /* opcodes; what others do is not told */

struct hct_time {
    uint32_t opcode; /* of the packet that gave the work */
    uint64_t count, ns;
};

struct hct_tally {
    struct hct_time list[HCT_TIMES];
    uint32_t count;
    uint64_t untold; /* pieces of work whose time is not known */
    const char *why; /* of one of them; a literal, NULL: none */
};

struct hct_times {
    pthread_mutex_t lock; /* guards the tally */
    struct hct_tally tally;
};

static inline void hct_times_untold(struct hct_times *times, const char *why)
{
    pthread_mutex_lock(&times->lock);
    times->tally.untold++;
    times->tally.why = why;
    pthread_mutex_unlock(&times->lock);
}

static inline void hct_times_add(struct hct_times *times, uint32_t opcode, uint64_t ns)
{
    struct hct_tally *t = &times->tally;
    uint32_t i = 0;
    pthread_mutex_lock(&times->lock);
    while (i < t->count && t->list[i].opcode != opcode) {
        i++;
    }
    if (i < HCT_TIMES) {
        t->count = i == t->count ? i + 1 : t->count;
        t->list[i].opcode = opcode;
        t->list[i].count++;
        t->list[i].ns += ns;
    }
    pthread_mutex_unlock(&times->lock);
}

#endif
