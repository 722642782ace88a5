/* What contexts of OpenGL ES take the GPU: what is told, and that guests see nothing of it. */
#include "host/rc/rc.h"
#include "host/times.h"
#include "tests/support/gles_world.h"
#include "tests/support/slt.h"
#include "wire/gles1_opcodes.h"
#include "wire/gles2_opcodes.h"
#include "wire/glesx_opcodes.h"
#include "wire/rc_opcodes.h"

#include <GLES2/gl2ext.h>
#include <string.h>

#define FRAMES 100u /* more than are on their way at once */

struct timed {
    struct hct_times times;
    struct gles_one one;
};

static void timed_init(struct timed *t)
{
    pthread_mutex_init(&t->times.lock, NULL);
    t->one.world.options.times = &t->times;
    gles_one_init(&t->one);
}

/* The same machine, which nobody measures. There is one at a time. */
static void measure_nothing(struct timed *t)
{
    gles_one_finish(&t->one);
    t->one = (struct gles_one){0};
    gles_one_init(&t->one);
}

static void timed_finish(struct timed *t)
{
    gles_one_finish(&t->one);
    pthread_mutex_destroy(&t->times.lock);
}
SLT_FIXTURE(gles_times, struct timed, timed_init, timed_finish);

static struct hct_time told(struct timed *t, uint32_t opcode)
{
    struct hct_time found = {.opcode = opcode};
    pthread_mutex_lock(&t->times.lock);
    for (uint32_t i = 0; i < t->times.tally.count; i++) {
        found = t->times.tally.list[i].opcode == opcode ? t->times.tally.list[i] : found;
    }
    pthread_mutex_unlock(&t->times.lock);
    return found;
}

static void show(struct gles_guest *g)
{
    gles_send(g, GLES2_OP_glClear, "u", GL_COLOR_BUFFER_BIT);
    SLT_ASSERT_EQ(0u, gles_call(g, RC_OP_rcFlushWindowColorBuffer, "u", g->surface));
}

static void let_go(struct gles_guest *g)
{
    SLT_ASSERT_EQ(1u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", 0, 0, 0));
}

SLT_TEST_F(gles_times, tells_what_each_picture_takes, t)
{
    struct gles_guest *g = t->one.g;
    for (uint32_t i = 0; i < FRAMES; i++) {
        show(g);
    }
    let_go(g);
    struct hct_time shown = told(t, RC_OP_rcFlushWindowColorBuffer);
    SLT_EXPECT_EQ(FRAMES, shown.count);
    SLT_EXPECT_GT(shown.ns, FRAMES * 100);
    SLT_EXPECT_LT(shown.ns, 60ull * 1000 * 1000 * 1000);
    SLT_EXPECT_EQ(1u, told(t, RC_OP_rcMakeCurrent).count); /* the rest */
    SLT_EXPECT_EQ(0u, t->times.tally.untold);
}

/* --- guests' own queries --- */

struct answers {
    uint32_t names[3], current, result, error;
    uint8_t is[6];
};

static uint8_t is_query(struct gles_guest *g, uint32_t name)
{
    uint8_t is;
    gles_send(g, GLES2_OP_glIsQuery, "u", name);
    gles_read(g, &is, 1);
    return is;
}

/* One that counts while pictures are shown, and what is said of all. */
static struct answers ask(struct gles_guest *g, uint32_t target)
{
    struct answers a = {0};
    gles_send(g, GLES2_OP_glGenQueries, "iu", 3, 12);
    gles_read(g, a.names, 12);
    gles_send(g, GLES2_OP_glBeginQuery, "uu", target, a.names[1]);
    gles_send(g, GLES2_OP_glGetQueryiv, "uuu", target, GL_CURRENT_QUERY, 4);
    gles_read(g, &a.current, 4);
    show(g);
    show(g);
    gles_send(g, GLES2_OP_glEndQuery, "u", target);
    gles_send(g, GLES2_OP_glGetQueryObjectuiv, "uuu", a.names[1], GL_QUERY_RESULT, 4);
    gles_read(g, &a.result, 4);
    gles_send(g, GLES2_OP_glDeleteQueries, "idu", 1, &a.names[1], 4, 4);
    for (uint32_t i = 0; i < 5; i++) {
        a.is[i] = is_query(g, i);
    }
    a.is[5] = is_query(g, 100); /* no name of the guest's */
    a.error = gles_error(g);
    return a;
}

struct target_case {
    const char *label;
    uint32_t target;
};
static const struct target_case target_cases[] = {{"samples", GL_ANY_SAMPLES_PASSED},
                                                  {"time", GL_TIME_ELAPSED_EXT}};

SLT_TEST_FP(gles_times, leaves_the_guests_queries_alone, t, struct target_case, target_cases, c)
{
    struct answers got = ask(t->one.g, c->target);
    let_go(t->one.g);
    SLT_EXPECT_EQ(2u, told(t, RC_OP_rcFlushWindowColorBuffer).count);
    measure_nothing(t);
    struct answers want = ask(t->one.g, c->target);
    if (c->target == GL_TIME_ELAPSED_EXT) {
        want.result = got.result;
    }
    SLT_EXPECT_MEMEQ(&want, &got, sizeof want);
    SLT_EXPECT_EQ(want.names[1], want.current);
    SLT_EXPECT_EQ(0u, want.error);
    SLT_EXPECT_EQ(2u, told(t, RC_OP_rcFlushWindowColorBuffer).count);
}

SLT_TEST_F(gles_times, says_why_it_knows_nothing_of_gles_1, t)
{
    struct gles_guest *g = t->one.g;
    uint32_t any = 0xffffffff; /* of configs */
    uint32_t context = gles_call(g, RC_OP_rcCreateContext, "uuu", any, 0, 1);
    SLT_ASSERT_EQ(1u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", context, g->surface, g->surface));
    SLT_ASSERT_EQ(0u, gles_call(g, RC_OP_rcFlushWindowColorBuffer, "u", g->surface));
    SLT_EXPECT_EQ(1u, t->times.tally.untold);
    SLT_EXPECT_STREQ("OpenGL ES 1 has no timestamps", t->times.tally.why);
    let_go(g);
}
