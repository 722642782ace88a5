/* Figures of many runs. Pure. */
#ifndef SLUICE_BENCH_FIGURES_H
#define SLUICE_BENCH_FIGURES_H

#include <stddef.h>

/* A median, and between what it lies with 95 % confidence: two of the values, by their ranks, so
 * that nothing is supposed of how they are spread. Of fewer than six values these are the least and
 * the greatest, whose confidence is less. */
struct bench_figure {
    double median, low, high;
};

/* Sorts the values; count > 0. */
struct bench_figure bench_figure_of(double *values, size_t count);

#endif
