/* What the shim promises, for cases that pass. Those that must fail are in slt_failing.c. */
#include "tests/support/slt.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int evaluations;

static int counted(int value)
{
    evaluations++;
    return value;
}

SLT_TEST(check, evaluates_each_operand_once)
{
    evaluations = 0;
    SLT_EXPECT_EQ(3, counted(3));
    SLT_ASSERT_LE(counted(2), counted(3));
    SLT_EXPECT_EQ(3, evaluations);
}

SLT_TEST(check, compares_integers_by_value)
{
    SLT_EXPECT_LT(-1, 1u);
    SLT_EXPECT_NE(-1, UINT64_MAX);
    SLT_EXPECT_EQ((uint8_t)200, 200LL);
    SLT_EXPECT_GT(UINT64_MAX, INT64_MAX);
    SLT_EXPECT_LE(INT64_MIN, 0u);
}

SLT_TEST(check, knows_every_kind)
{
    int here = 0;
    SLT_EXPECT_EQ(&here, &here);
    SLT_EXPECT_NULL(NULL);
    SLT_EXPECT_TRUE(&here != NULL);
    SLT_EXPECT_EQ(0.5f, 0.5);
    SLT_EXPECT_NEAR(1.0, 1.05, 0.1);
    SLT_EXPECT_STREQ("sluice", "sluice");
    SLT_EXPECT_MEMEQ("abc", "abd", 2);
    SLT_EXPECT_OK(SL_OK);
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, SL_ERR_CLOSED);
    SLT_EXPECT_GE('b', 'a');
}

struct counter {
    int set_up;
};
static int torn_down;

static void counter_init(struct counter *c)
{
    c->set_up++;
}
static void counter_finish(struct counter *c)
{
    torn_down += c->set_up;
}
SLT_FIXTURE(fixture, struct counter, counter_init, counter_finish);

SLT_TEST_F(fixture, comes_zeroed_and_set_up, t)
{
    SLT_EXPECT_EQ(1, t->set_up);
}

static int suite_started;
static void start_suite(void)
{
    suite_started++;
}
static void stop_suite(void)
{
    suite_started--;
}
SLT_SUITE(suite, start_suite, stop_suite);

SLT_TEST(suite, is_started_once)
{
    SLT_EXPECT_EQ(1, suite_started);
}

struct double_case {
    const char *label;
    int in;
    int want;
};
static const struct double_case doubles[] = {{"one", 1, 2}, {"two", 2, 4}};

SLT_TEST_P(params, arrive_in_order, struct double_case, doubles, c)
{
    SLT_EXPECT_EQ(c->want, c->in * 2);
}

SLT_TEST_FP(fixture, takes_params_too, t, struct double_case, doubles, c)
{
    SLT_EXPECT_EQ(1, t->set_up);
    SLT_EXPECT_EQ(c->want, c->in * 2);
}

SLT_TEST(log, expected_errors_pass)
{
    SLT_EXPECT_LOG("shim", "offset 7");
    sl_error("shim", "bad offset %d", 7);
}

SLT_TEST(files, temporary_directory_is_there)
{
    struct stat info;
    SLT_ASSERT_EQ(0, stat(SLT_TMPDIR(), &info));
    SLT_EXPECT_TRUE(S_ISDIR(info.st_mode));
}

SLT_TEST(files, golden_text_is_compared)
{
    SLT_GOLDEN("slt/hello.txt", "hello\nworld\n");
}

SLT_TEST(alloc, fails_when_told)
{
    SLT_FAIL_ALLOC(1);
    void *p = sl_alloc(8);
    void *none = sl_alloc(8);
    SLT_FAIL_ALLOC(UINT64_MAX);
    SLT_EXPECT_TRUE(p != NULL);
    SLT_EXPECT_NULL(none);
    sl_free(p);
}

static void die(void *arg)
{
    (void)arg;
    abort();
}

SLT_TEST(death, is_seen)
{
    SLT_EXPECT_DEATH(die, NULL);
}

SLT_TEST(skip, has_a_reason)
{
    SLT_SKIP("the shim's own skip");
}
