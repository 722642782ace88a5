/* Cases that must fail; check_failing.py knows the text each one must fail with. */
#include "tests/support/slt.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/thread.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

SLT_TEST(fails, eq)
{
    SLT_EXPECT_EQ(7u, 3 + 5);
}
SLT_TEST(fails, order)
{
    SLT_EXPECT_LT(2, 1u);
}
SLT_TEST(fails, text)
{
    SLT_EXPECT_STREQ("want", "got");
}
SLT_TEST(fails, text_null)
{
    SLT_EXPECT_STREQ("want", NULL);
}
SLT_TEST(fails, bytes)
{
    SLT_EXPECT_MEMEQ("0123456789abcdefghij", "0123456789abXdefghij", 20);
}
SLT_TEST(fails, distance)
{
    SLT_EXPECT_NEAR(1.0, 2.0, 0.5);
}
SLT_TEST(fails, result)
{
    SLT_EXPECT_OK(SL_ERR_CLOSED);
}
SLT_TEST(fails, truth)
{
    SLT_EXPECT_TRUE(1 == 2);
}
SLT_TEST(fails, null)
{
    SLT_EXPECT_NULL("x");
}
SLT_TEST(fails, golden)
{
    SLT_GOLDEN("slt/hello.txt", "hello\nWorld\n");
}

SLT_TEST(fails, scope_is_told)
{
    SLT_SCOPE("packet %u", 12);
    SLT_EXPECT_EQ(1, 2);
}

static void helper(void)
{
    SLT_ASSERT_EQ(1, 2);
}

SLT_TEST(fails, assert_ends_the_case)
{
    SLT_SCOPE("outer scope");
    helper();
    puts("NEVER PRINTED");
}

struct thing {
    int unused;
};
static void thing_init(struct thing *t)
{
    (void)t;
}
static void thing_finish(struct thing *t)
{
    (void)t, puts("fixture torn down");
}
SLT_FIXTURE(fails, struct thing, thing_init, thing_finish);
SLT_TEST_F(fails, after_assert_fixture_ends, t)
{
    SLT_ASSERT_EQ(1, t->unused);
}

SLT_TEST(fails, descriptor_left)
{
    int fd = -1;
    SLT_ASSERT_OK(sl_fd_event(&fd));
}

static void *sleep_for_ever(void *user)
{
    int fd = *(int *)user;
    enum sl_result result = sl_fd_wait(fd, -1);
    (void)result;
    return NULL;
}

SLT_TEST(fails, thread_left)
{
    static int fd = -1;
    static pthread_t thread;
    SLT_ASSERT_OK(sl_fd_event(&fd));
    SLT_ASSERT_OK(sl_thread_start(&thread, "sleeper", 0, sleep_for_ever, &fd));
}

SLT_TEST(fails, error_logged)
{
    sl_error("shim", "something broke");
}
SLT_TEST(fails, log_missing)
{
    SLT_EXPECT_LOG("shim", "never said");
}
SLT_TEST(fails, strict_skip)
{
    SLT_SKIP("nobody expects this");
}

static void live_on(void *arg)
{
    (void)arg;
}
SLT_TEST(fails, no_death)
{
    SLT_EXPECT_DEATH(live_on, NULL);
}

SLT_TEST(dies, timeout)
{
    SLT_TIMEOUT(1);
    for (;;) {
        poll(NULL, 0, 100);
    }
}

static void *assert_here(void *user)
{
    (void)user;
    SLT_ASSERT_EQ(1, 2);
    return NULL;
}

SLT_TEST(dies, assert_off_thread)
{
    pthread_t thread;
    SLT_ASSERT_OK(sl_thread_start(&thread, "other", 0, assert_here, NULL));
    pthread_join(thread, NULL);
}
