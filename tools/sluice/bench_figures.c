#include "tools/sluice/bench_figures.h"

#include <stdlib.h>

static int by_value(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

/* The largest number k of values below which, and above which, the median lies with at most 5 % in
 * all: of `count` values each is below the median with probability 1/2. */
static size_t outer(size_t count)
{
    double probability = 1, below = 0;
    for (size_t i = 0; i < count; i++) {
        probability /= 2;
    }
    size_t k = 0;
    for (; k < count; k++) { /* probability: of exactly k below */
        below += probability;
        if (2 * below > 0.05) {
            break;
        }
        probability *= (double)(count - k) / (double)(k + 1);
    }
    return k;
}

struct bench_figure bench_figure_of(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    size_t k = outer(count);
    size_t low = k > 0 ? k - 1 : 0;
    double median =
        count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
    return (struct bench_figure){
        .median = median, .low = values[low], .high = values[count - 1 - low]};
}
