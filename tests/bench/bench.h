/* What the benchmarks share: one figure out of many measurements. Knows nothing of Sluice, so that
 * the ordinary programs among them may use it. */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stddef.h>

/* Sorts the values. part: 0 gives the least, 0.5 the median, 1 the greatest. count > 0. */
double bench_quantile(double *values, size_t count, double part);

static inline double bench_median(double *values, size_t count)
{
    return bench_quantile(values, count, 0.5);
}

#endif
