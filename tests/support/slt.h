/* The test shim: test cases in C that run under googletest. Everything below is called on the
 * test's own thread unless it says otherwise; a test file includes this and links sluice::slt
 * (sluice_test does).
 *
 * SLT_TEST(bytes, zero_fills_after_end) { ... }
 * SLT_FIXTURE(ring, struct ring_pair, ring_pair_init, ring_pair_finish);
 * SLT_TEST_F(ring, wraps_at_the_end, t) { SLT_EXPECT_EQ(7u, t->pos); }
 *
 * Parameters: an array of structs whose first field is const char *label.
 *
 * static const struct pad_case pads[] = {{"one", 1, 4}, {"five", 5, 8}};
 * SLT_TEST_P(pad, rounds_up, struct pad_case, pads, c) { SLT_EXPECT_EQ(c->want, pad4(c->in)); }
 * SLT_TEST_FP(ring, carries, t, struct pad_case, pads, c) { ... }
 *
 * A case that can be run again and again, as new by `again`; see SLUICE_REPEAT below:
 *
 * SLT_FIXTURE_AGAIN(ring, struct ring_pair, ring_pair_init, ring_pair_finish, ring_pair_again);
 *
 * Around the suite's selected cases:
 *
 * SLT_SUITE(ring, start_server_once, stop_server);
 *
 * A fixture is zeroed, set up, passed typed, and torn down even after a failure. SLT_ASSERT_* and
 * SLT_SKIP leave the case by longjmp: cleanup attributes are skipped, so resources belong in the
 * fixture. Off the test's thread use SLT_EXPECT_*; an ASSERT there ends the process. After each
 * case the shim fails it for descriptors and threads left over, and for error lines in the log
 * that no SLT_EXPECT_LOG announced. */
#ifndef SLT_H
#define SLT_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct slt_fixture {
    size_t size;
    void (*init)(void *t);
    void (*finish)(void *t);
    void (*again)(void *t); /* nullable */
};

struct slt_case {
    const char *suite;
    const char *name;
    const char *file;
    int line;
    const struct slt_fixture *fixture; /* nullable */
    const void *params; /* nullable; array of param_count elements that start with a label */
    size_t param_size;
    size_t param_count;
    void (*run)(void *t, const void *param);
    struct slt_case *next;
};

struct slt_suite {
    const char *name;
    void (*start)(void);
    void (*stop)(void);
    struct slt_suite *next;
};

void slt_add_case(struct slt_case *c);
void slt_add_suite(struct slt_suite *s);

#ifdef __cplusplus
}
#else

#define SLT_CASE_(s, n, fix, par, psize, pcount)                                                   \
    static void slt_run_##s##_##n(void *, const void *);                                           \
    static struct slt_case slt_case_##s##_##n = {#s,  #n,    __FILE__, __LINE__,          fix,     \
                                                 par, psize, pcount,   slt_run_##s##_##n, NULL};   \
    __attribute__((constructor)) static void slt_link_##s##_##n(void)                              \
    {                                                                                              \
        slt_add_case(&slt_case_##s##_##n);                                                         \
    }

#define SLT_TEST(s, n)                                                                             \
    SLT_CASE_(s, n, NULL, NULL, 0, 0)                                                              \
    static void slt_body_##s##_##n(void);                                                          \
    static void slt_run_##s##_##n(void *t_, const void *p_)                                        \
    {                                                                                              \
        (void)t_, (void)p_;                                                                        \
        slt_body_##s##_##n();                                                                      \
    }                                                                                              \
    static void slt_body_##s##_##n(void)

#define SLT_FIXTURE(s, type, init_fn, finish_fn)                                                   \
    SLT_FIXTURE_PARTS_(s, type, init_fn, finish_fn)                                                \
    static const struct slt_fixture slt_fixture_##s = {sizeof(type), slt_fixture_init_##s,         \
                                                       slt_fixture_finish_##s, NULL}

#define SLT_FIXTURE_AGAIN(s, type, init_fn, finish_fn, again_fn)                                   \
    SLT_FIXTURE_PARTS_(s, type, init_fn, finish_fn)                                                \
    static void slt_fixture_again_##s(void *t_)                                                    \
    {                                                                                              \
        again_fn(t_);                                                                              \
    }                                                                                              \
    static const struct slt_fixture slt_fixture_##s = {                                            \
        sizeof(type), slt_fixture_init_##s, slt_fixture_finish_##s, slt_fixture_again_##s}

#define SLT_FIXTURE_PARTS_(s, type, init_fn, finish_fn)                                            \
    typedef type slt_fixture_type_##s;                                                             \
    static void slt_fixture_init_##s(void *t_)                                                     \
    {                                                                                              \
        init_fn(t_);                                                                               \
    }                                                                                              \
    static void slt_fixture_finish_##s(void *t_)                                                   \
    {                                                                                              \
        finish_fn(t_);                                                                             \
    }

#define SLT_TEST_F(s, n, t)                                                                        \
    SLT_CASE_(s, n, &slt_fixture_##s, NULL, 0, 0)                                                  \
    static void slt_body_##s##_##n(slt_fixture_type_##s *);                                        \
    static void slt_run_##s##_##n(void *t_, const void *p_)                                        \
    {                                                                                              \
        (void)p_;                                                                                  \
        slt_body_##s##_##n(t_);                                                                    \
    }                                                                                              \
    static void slt_body_##s##_##n(slt_fixture_type_##s *t)

#define SLT_TEST_P(s, n, type, array, c)                                                           \
    SLT_CASE_(s, n, NULL, array, sizeof(type), sizeof(array) / sizeof(type))                       \
    static void slt_body_##s##_##n(const type *);                                                  \
    static void slt_run_##s##_##n(void *t_, const void *p_)                                        \
    {                                                                                              \
        (void)t_;                                                                                  \
        slt_body_##s##_##n(p_);                                                                    \
    }                                                                                              \
    static void slt_body_##s##_##n(const type *c)

#define SLT_TEST_FP(s, n, t, type, array, c)                                                       \
    SLT_CASE_(s, n, &slt_fixture_##s, array, sizeof(type), sizeof(array) / sizeof(type))           \
    static void slt_body_##s##_##n(slt_fixture_type_##s *, const type *);                          \
    static void slt_run_##s##_##n(void *t_, const void *p_)                                        \
    {                                                                                              \
        slt_body_##s##_##n(t_, p_);                                                                \
    }                                                                                              \
    static void slt_body_##s##_##n(slt_fixture_type_##s *t, const type *c)

#define SLT_SUITE(s, start_fn, stop_fn)                                                            \
    static struct slt_suite slt_suite_##s = {#s, start_fn, stop_fn, NULL};                         \
    __attribute__((constructor)) static void slt_link_suite_##s(void)                              \
    {                                                                                              \
        slt_add_suite(&slt_suite_##s);                                                             \
    }                                                                                              \
    struct slt_suite /* takes the semicolon */

/* Operands are boxed once, so each is evaluated once; signed and unsigned are compared by value. */
enum slt_kind { SLT_SIGNED, SLT_UNSIGNED, SLT_FLOAT, SLT_POINTER };
struct slt_value {
    enum slt_kind kind;
    union {
        long long i;
        unsigned long long u;
        double f;
        const volatile void *p;
    };
};
static inline struct slt_value slt_box_i(long long v)
{
    return (struct slt_value){SLT_SIGNED, {.i = v}};
}
static inline struct slt_value slt_box_u(unsigned long long v)
{
    return (struct slt_value){SLT_UNSIGNED, {.u = v}};
}
static inline struct slt_value slt_box_f(double v)
{
    return (struct slt_value){SLT_FLOAT, {.f = v}};
}
static inline struct slt_value slt_box_p(const volatile void *v)
{
    return (struct slt_value){SLT_POINTER, {.p = v}};
}
/* clang-format off */
#define SLT_BOX_(x)                                                                                \
    _Generic((x), char: slt_box_i, signed char: slt_box_i, short: slt_box_i, int: slt_box_i,       \
             long: slt_box_i, long long: slt_box_i, bool: slt_box_u, unsigned char: slt_box_u,     \
             unsigned short: slt_box_u, unsigned: slt_box_u, unsigned long: slt_box_u,             \
             unsigned long long: slt_box_u, float: slt_box_f, double: slt_box_f,                   \
             default: slt_box_p)(x)
/* clang-format on */

struct slt_site {
    const char *file;
    int line;
    bool fatal;
};
#define SLT_SITE_(fatal) (&(const struct slt_site){__FILE__, __LINE__, fatal})

enum slt_op { SLT_OP_EQ, SLT_OP_NE, SLT_OP_LT, SLT_OP_LE, SLT_OP_GT, SLT_OP_GE };
void slt_compare(const struct slt_site *site, enum slt_op op, const char *a_text,
                 const char *b_text, struct slt_value a, struct slt_value b);
void slt_true(const struct slt_site *site, const char *text, bool value);
void slt_null(const struct slt_site *site, const char *text, const volatile void *value);
void slt_streq(const struct slt_site *site, const char *text, const char *want, const char *got);
void slt_memeq(const struct slt_site *site, const char *text, const void *want, const void *got,
               size_t size);
void slt_near(const struct slt_site *site, const char *text, double want, double got,
              double distance);
void slt_result(const struct slt_site *site, const char *text, enum sl_result want,
                enum sl_result got);
void slt_death(const struct slt_site *site, const char *text, void (*fn)(void *arg), void *arg);
void slt_golden(const struct slt_site *site, const char *name, const char *text);
/* A failure in your own words. Any thread when not fatal. */
void slt_fail(const struct slt_site *site, const char *format, ...) SL_PRINTF(2, 3);

#define SLT_EXPECT_EQ(want, got)                                                                   \
    slt_compare(SLT_SITE_(false), SLT_OP_EQ, #want, #got, SLT_BOX_(want), SLT_BOX_(got))
#define SLT_EXPECT_NE(a, b)                                                                        \
    slt_compare(SLT_SITE_(false), SLT_OP_NE, #a, #b, SLT_BOX_(a), SLT_BOX_(b))
#define SLT_EXPECT_LT(a, b)                                                                        \
    slt_compare(SLT_SITE_(false), SLT_OP_LT, #a, #b, SLT_BOX_(a), SLT_BOX_(b))
#define SLT_EXPECT_LE(a, b)                                                                        \
    slt_compare(SLT_SITE_(false), SLT_OP_LE, #a, #b, SLT_BOX_(a), SLT_BOX_(b))
#define SLT_EXPECT_GT(a, b)                                                                        \
    slt_compare(SLT_SITE_(false), SLT_OP_GT, #a, #b, SLT_BOX_(a), SLT_BOX_(b))
#define SLT_EXPECT_GE(a, b)                                                                        \
    slt_compare(SLT_SITE_(false), SLT_OP_GE, #a, #b, SLT_BOX_(a), SLT_BOX_(b))
#define SLT_EXPECT_TRUE(x)                slt_true(SLT_SITE_(false), #x, (x))
#define SLT_EXPECT_NULL(x)                slt_null(SLT_SITE_(false), #x, (x))
#define SLT_EXPECT_STREQ(want, got)       slt_streq(SLT_SITE_(false), #got, (want), (got))
#define SLT_EXPECT_MEMEQ(want, got, size) slt_memeq(SLT_SITE_(false), #got, (want), (got), (size))
#define SLT_EXPECT_NEAR(want, got, distance)                                                       \
    slt_near(SLT_SITE_(false), #got, (want), (got), (distance))
#define SLT_EXPECT_RESULT(want, expr) slt_result(SLT_SITE_(false), #expr, (want), (expr))
#define SLT_EXPECT_OK(expr)           SLT_EXPECT_RESULT(SL_OK, expr)
/* fn(arg), in a child process, must end it by a signal or a non-zero exit. */
#define SLT_EXPECT_DEATH(fn, arg)     slt_death(SLT_SITE_(false), #fn, (fn), (arg))

#define SLT_ASSERT_EQ(want, got)                                                                   \
    slt_compare(SLT_SITE_(true), SLT_OP_EQ, #want, #got, SLT_BOX_(want), SLT_BOX_(got))
#define SLT_ASSERT_NE(a, b)                                                                        \
    slt_compare(SLT_SITE_(true), SLT_OP_NE, #a, #b, SLT_BOX_(a), SLT_BOX_(b))
#define SLT_ASSERT_LT(a, b)                                                                        \
    slt_compare(SLT_SITE_(true), SLT_OP_LT, #a, #b, SLT_BOX_(a), SLT_BOX_(b))
#define SLT_ASSERT_LE(a, b)                                                                        \
    slt_compare(SLT_SITE_(true), SLT_OP_LE, #a, #b, SLT_BOX_(a), SLT_BOX_(b))
#define SLT_ASSERT_GT(a, b)                                                                        \
    slt_compare(SLT_SITE_(true), SLT_OP_GT, #a, #b, SLT_BOX_(a), SLT_BOX_(b))
#define SLT_ASSERT_GE(a, b)                                                                        \
    slt_compare(SLT_SITE_(true), SLT_OP_GE, #a, #b, SLT_BOX_(a), SLT_BOX_(b))
#define SLT_ASSERT_TRUE(x)                slt_true(SLT_SITE_(true), #x, (x))
#define SLT_ASSERT_NULL(x)                slt_null(SLT_SITE_(true), #x, (x))
#define SLT_ASSERT_STREQ(want, got)       slt_streq(SLT_SITE_(true), #got, (want), (got))
#define SLT_ASSERT_MEMEQ(want, got, size) slt_memeq(SLT_SITE_(true), #got, (want), (got), (size))
#define SLT_ASSERT_NEAR(want, got, distance)                                                       \
    slt_near(SLT_SITE_(true), #got, (want), (got), (distance))
#define SLT_ASSERT_RESULT(want, expr) slt_result(SLT_SITE_(true), #expr, (want), (expr))
#define SLT_ASSERT_OK(expr)           SLT_ASSERT_RESULT(SL_OK, expr)
#define SLT_FAIL(...)                 slt_fail(SLT_SITE_(true), __VA_ARGS__)

/* A context line for every failure until the end of the block. Any thread; nests SLT_SCOPES_MAX
 * deep. */
#define SLT_SCOPES_MAX                8
struct slt_scope {
    bool pushed;
};
struct slt_scope slt_scope_push(const char *format, ...) SL_PRINTF(1, 2);
void slt_scope_pop(struct slt_scope *scope);
#define SLT_CAT2_(a, b)               a##b
#define SLT_CAT_(a, b)                SLT_CAT2_(a, b)
#define SLT_SCOPE(...)                                                                             \
    __attribute__((cleanup(slt_scope_pop), unused)) struct slt_scope SLT_CAT_(                     \
        slt_scope_, __LINE__) = slt_scope_push(__VA_ARGS__)

/* Leaves the case as skipped. tests/expected-skips.txt lists the ones CI puts up with. */
void slt_skip(const struct slt_site *site, const char *format, ...) SL_PRINTF(2, 3);
#define SLT_SKIP(...)                slt_skip(SLT_SITE_(true), __VA_ARGS__)
enum slt_need {
    SLT_GPU = 1,    /* a render node that opens */
    SLT_VULKAN = 2, /* the Vulkan loader */
    SLT_KVM = 4,    /* /dev/kvm opens */
    SLT_EGL = 8,    /* the native EGL library */
    SLT_X11 = 16,   /* DISPLAY is set */
};
void slt_need(const struct slt_site *site, unsigned needs);
#define SLT_NEED(needs)              slt_need(SLT_SITE_(true), (needs))

/* Before or after the line comes: an error (or warning) of this module whose text contains `text`
 * is part of the case. What another thread says may come up to 3 s behind its end. */
void slt_expect_log(const struct slt_site *site, const char *module, const char *text);
#define SLT_EXPECT_LOG(module, text) slt_expect_log(SLT_SITE_(false), (module), (text))

/* A case may run 60 s, counted from here on `seconds`; none under a debugger, four times as long
 * under a sanitizer. */
void slt_timeout(unsigned seconds);
#define SLT_TIMEOUT(seconds)         slt_timeout(seconds)
/* How long a case that only gets better with time shall run: --seconds N of the program, or
 * `usual`. */
unsigned slt_seconds(unsigned usual);
/* SLUICE_REPEAT=N in the environment runs each case whose fixture can begin again N times, or for
 * --seconds (60): descriptors, threads, our own allocations and the process's private memory must
 * not be more at the end than after the first tenth. */

/* This case may leave threads and descriptors: a native driver's, which it keeps until the process
 * ends. */
void slt_allow_leaks(const char *reason);
#define SLT_ALLOW_LEAKS(reason)      slt_allow_leaks(reason)

/* A directory of the case's own, removed with all it holds afterwards. */
const char *slt_tmpdir(void);
#define SLT_TMPDIR()                 slt_tmpdir()
/* tests/data/NAME; valid until four more were asked for. */
const char *slt_data(const char *name);
#define SLT_DATA(name)               slt_data(name)
/* text must be the contents of tests/data/golden/NAME; SLUICE_UPDATE_GOLDEN=1 writes it instead. */
#define SLT_GOLDEN(name, text)       slt_golden(SLT_SITE_(false), (name), (text))
/* From here on only n more allocations through sl_alloc succeed, until the case ends or
 * SLT_FAIL_ALLOC(UINT64_MAX). */
void slt_fail_alloc(uint64_t n);
#define SLT_FAIL_ALLOC(n)            slt_fail_alloc(n)

#endif
#endif
