/* What the benchmarks share: one figure out of many measurements, and pairs of processors. Knows
 * nothing of Sluice, so that the ordinary programs among them may use it. */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

/* Sorts the values. part: 0 gives the least, 0.5 the median, 1 the greatest. count > 0. */
double bench_quantile(double *values, size_t count, double part);

static inline double bench_median(double *values, size_t count)
{
    return bench_quantile(values, count, 0.5);
}

#define BENCH_PAIRS 6

struct bench_pair {
    int a, b;
};

/* Of few processors each two, of many the first with those 1, 2, 4 ... behind it. How many. */
int bench_pairs(const cpu_set_t *allowed, struct bench_pair pairs[BENCH_PAIRS]);
/* The calling thread runs there alone; false: it may not. */
bool bench_stay_on(int cpu);

#endif
