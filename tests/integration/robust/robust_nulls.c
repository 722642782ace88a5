/* Calls with NULL where a place in memory is meant. */
#include "tests/integration/robust/robust.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* More of one function tell nothing, and cost a world each. */
enum { DEATHS = 3 };

static struct {
    sigjmp_buf back;
    volatile sig_atomic_t is_calling;
    const char *died; /* what is left of the list */
    int number;       /* of the next call */
    bool has_died;
} here;

static void fault(int signal_number)
{
    if (!here.is_calling) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
        return;
    }
    here.is_calling = 0;
    siglongjmp(here.back, 1);
}

/* Whether the next call is one that is not made. */
static bool is_fatal(void)
{
    char *end = NULL;
    if (here.died == NULL || strtol(here.died, &end, 10) != here.number || end == here.died) {
        return false;
    }
    here.died = *end == ',' ? end + 1 : end;
    return true;
}

/* False: the world is not fit for another call. */
static bool call_make(const struct robust_call *c, struct robust *r)
{
    r->is_not_made = is_fatal();
    here.number++;
    robust_errors_clear();
    if (sigsetjmp(here.back, 0) != 0) {
        here.has_died = true;
        puts("died: 0,");
        return false;
    }
    here.is_calling = 1;
    robust_call_make(c, r, true);
    here.is_calling = 0;
    return !r->is_not_made;
}

static void nulls_at(const struct robust_call *c, uint64_t seed, int at, int rounds)
{
    for (int round = 0, left = DEATHS; round < rounds && left != 0; round++) {
        struct robust r = {.seed = seed + (uint64_t)round, .null_at = at, .is_wide = true};
        if (!call_make(c, &r)) { /* the driver may hold locks of it: it does not end */
            left--;
            robust_world_begin();
        }
    }
}

void robust_nulls(int rounds, const char *died)
{
    struct sigaction action = {.sa_handler = fault, .sa_flags = SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    here.died = died;
    for (int i = 0; i < robust_call_count; i++) {
        const struct robust_call *c = &robust_calls[i];
        if (c->pointers == 0 || !robust_is_called(c)) {
            continue;
        }
        robust_world_begin();
        for (int at = c->pointers == 1 ? 1 : ROBUST_ALL; at <= c->pointers; at++) {
            if (at != 0) {
                nulls_at(c, (uint64_t)i * 1000 + (uint64_t)(at + 1) * 100, at, rounds);
            }
        }
        robust_world_end();
    }
    if (here.has_died) { /* the driver's end would wait for those locks */
        fflush(stdout);
        _exit(0);
    }
}
