/* Medians, and between what they lie. */
#include "tests/support/slt.h"
#include "tools/sluice/bench_figures.h"

static struct bench_figure of(size_t count)
{
    double values[100];
    for (size_t i = 0; i < count; i++) {
        values[i] = (double)(count - i); /* count .. 1 */
    }
    return bench_figure_of(values, count);
}

SLT_TEST(bench_figures, medians)
{
    SLT_EXPECT_EQ(1.0, of(1).median);
    SLT_EXPECT_EQ(1.5, of(2).median);
    SLT_EXPECT_EQ(3.0, of(5).median);
    SLT_EXPECT_EQ(5.5, of(10).median);
}

/* The ranks that tables of the sign test give for 95 %. */
SLT_TEST(bench_figures, intervals_are_ranks)
{
    static const struct {
        size_t count, low;
    } ranks[] = {{1, 1},  {5, 1},  {6, 1},  {8, 1},   {9, 2},
                 {10, 2}, {12, 3}, {20, 6}, {50, 18}, {100, 40}};
    for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++) {
        struct bench_figure figure = of(ranks[i].count);
        SLT_EXPECT_EQ((double)ranks[i].low, figure.low);
        SLT_EXPECT_EQ((double)(ranks[i].count + 1 - ranks[i].low), figure.high);
    }
}
