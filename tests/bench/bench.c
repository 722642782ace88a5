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

int bench_pairs(const cpu_set_t *allowed, struct bench_pair pairs[BENCH_PAIRS])
{
    int cpus[CPU_SETSIZE], count = 0, found = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, allowed)) {
            cpus[count++] = cpu;
        }
    }
    for (int a = 0; a < (count <= 4 ? count : 1); a++) {
        for (int b = a + 1; b < count && found < BENCH_PAIRS; b = count <= 4 ? b + 1 : 2 * b) {
            pairs[found++] = (struct bench_pair){cpus[a], cpus[b]};
        }
    }
    return found;
}

bool bench_stay_on(int cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof one, &one) == 0;
}
