#include "tests/bench/bench.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

double bench_quantile(double *values, size_t count, double part)
{
    size_t at = (size_t)((double)count * part);
    qsort(values, count, sizeof values[0], by_value);
    return values[at < count ? at : count - 1];
}
