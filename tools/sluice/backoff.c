#include "tools/sluice/backoff.h"
#include "transport/base/clock.h"

#include <stddef.h>

#define CLEAR_NS      (60 * SL_NS_PER_S)
#define FREE_OF_ONE   3
#define FREE_OF_USER  30
#define STEP_NS       (250 * SL_NS_PER_MS)
#define STEPS         6 /* doublings: 16 s */
#define USER_WAITS_NS SL_NS_PER_S
#define ALL_PROCESSES 0

static const struct backoff_entry *find(const struct backoff *backoff, uid_t uid, pid_t pid,
                                        uint64_t now_ns)
{
    for (size_t i = 0; i < BACKOFF_ROOM; i++) {
        const struct backoff_entry *e = &backoff->entries[i];
        if (e->last_ns != 0 && e->uid == uid && e->pid == pid && now_ns - e->last_ns < CLEAR_NS) {
            return e;
        }
    }
    return NULL;
}

static void count(struct backoff *backoff, uid_t uid, pid_t pid, uint64_t now_ns)
{
    struct backoff_entry *e = (struct backoff_entry *)find(backoff, uid, pid, now_ns);
    if (e == NULL) {
        e = &backoff->entries[0];
        for (size_t i = 1; i < BACKOFF_ROOM; i++) {
            e = backoff->entries[i].last_ns < e->last_ns ? &backoff->entries[i] : e;
        }
        *e = (struct backoff_entry){.uid = uid, .pid = pid};
    }
    e->crashes += e->crashes < UINT32_MAX;
    e->last_ns = now_ns;
}

void backoff_add(struct backoff *backoff, uid_t uid, pid_t pid, uint64_t now_ns)
{
    count(backoff, uid, pid, now_ns);
    count(backoff, uid, ALL_PROCESSES, now_ns);
}

uint64_t backoff_start_ns(const struct backoff *backoff, uid_t uid, pid_t pid, uint64_t now_ns)
{
    const struct backoff_entry *own = find(backoff, uid, pid, now_ns);
    const struct backoff_entry *all = find(backoff, uid, ALL_PROCESSES, now_ns);
    uint64_t start = now_ns;
    if (own != NULL && own->crashes > FREE_OF_ONE) {
        uint32_t steps = own->crashes - FREE_OF_ONE - 1;
        start = own->last_ns + (STEP_NS << (steps < STEPS ? steps : STEPS));
    }
    if (all != NULL && all->crashes > FREE_OF_USER && all->last_ns + USER_WAITS_NS > start) {
        start = all->last_ns + USER_WAITS_NS;
    }
    return start > now_ns ? start : now_ns;
}
