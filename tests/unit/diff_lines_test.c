/* Two lists of lines: which of them differ. */
#include "tests/support/slt.h"
#include "tools/sluice/diff_lines.h"

#include <stdio.h>
#include <string.h>

struct told {
    char text[256];
};

static void on_line(void *user, char sign, const struct line_of *line, const char *text)
{
    struct told *told = user;
    size_t used = strlen(told->text);
    snprintf(told->text + used, sizeof told->text - used, "%c%u %s;", sign, line->stream, text);
}

/* Lines are separated by '|'; all of stream 1. */
static void fill(struct lines *lines, const char *text)
{
    while (*text != '\0') {
        char line[64];
        size_t size = strcspn(text, "|");
        snprintf(line, sizeof line, "%.*s", (int)size, text);
        SLT_ASSERT_TRUE(lines_add(lines, 1, 0, line));
        text += size + (text[size] == '|');
    }
}

static const char *compare(const char *first, const char *second, double eps)
{
    static struct told told;
    struct lines a = {.count = 0}, b = {.count = 0};
    told.text[0] = '\0';
    fill(&a, first);
    fill(&b, second);
    SLT_EXPECT_TRUE(lines_compare(&a, &b, eps, on_line, &told));
    lines_finish(&a);
    lines_finish(&b);
    return told.text;
}

SLT_TEST(diff_lines, the_longest_common_run_stays)
{
    SLT_EXPECT_STREQ("", compare("a|b|c", "a|b|c", 0));
    SLT_EXPECT_STREQ("-1 b;", compare("a|b|c", "a|c", 0));
    SLT_EXPECT_STREQ("-1 a;+1 d;", compare("a|b|c", "b|c|d", 0));
}

SLT_TEST(diff_lines, floats_may_be_near)
{
    SLT_EXPECT_STREQ("-1 f(x = 1.5);+1 f(x = 1.51);", compare("f(x = 1.5)", "f(x = 1.51)", 0));
    SLT_EXPECT_STREQ("-1 f(x = 1.5);+1 f(x = 1.51);", compare("f(x = 1.5)", "f(x = 1.51)", 0.005));
    SLT_EXPECT_STREQ("", compare("f(x = 1.5)", "f(x = 1.51)", 0.02));
    SLT_EXPECT_STREQ("", compare("f(x = 1)", "f(x = 0.99)", 0.02));
    SLT_EXPECT_STREQ("", compare("f(-1e-09, 2)", "f(1e-09, 2)", 0.02));
    SLT_EXPECT_STREQ("", compare("f({1, 0.5, -2.25})", "f({1, 0.505, -2.245})", 0.02));
}

SLT_TEST(diff_lines, what_is_no_float_must_be_equal)
{
    SLT_EXPECT_STREQ("-1 f(x = 1);+1 f(x = 2);", compare("f(x = 1)", "f(x = 2)", 5));
    SLT_EXPECT_STREQ("-1 f(0x1e2);+1 f(0x1e3);", compare("f(0x1e2)", "f(0x1e3)", 5));
    SLT_EXPECT_STREQ("-1 buffer#1;+1 buffer#2;", compare("buffer#1", "buffer#2", 5));
    SLT_EXPECT_STREQ("-1 f2(0.5);+1 f3(0.5);", compare("f2(0.5)", "f3(0.5)", 5));
    SLT_EXPECT_STREQ("-1 f(0.5);+1 f(0.5, 1);", compare("f(0.5)", "f(0.5, 1)", 5));
}
