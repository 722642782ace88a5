/* How much there is to shaders' texts: those that end compilers are told from those that programs
 * have. */
#include "host/gles/hgl_lengths.h"
#include "host/gles/hgl_source.h"
#include "host/gles/hgl_tokens.h"
#include "tests/support/long_text.h"
#include "tests/support/slt.h"
#include "transport/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void nothing(struct long_text *t)
{
    long_text_add(t, "", 1);
}
static void a_table(struct long_text *t)
{
    long_text_add(t, "const float a[9000] = float[9000](0.5", 1);
    long_text_add(t, ", -0.5 * 3.0", 8999);
    long_text_add(t, ");", 1);
}
static void many_statements(struct long_text *t)
{
    long_text_add(t, "x = a.x * b[3] + (c - d) / 2.0;\n", 20000);
}
static void many_conditions(struct long_text *t)
{
    long_text_add(t, "#if defined(A) && B > 3 && !C\n#endif\n", 9000);
}
static void macros_in_each_other(struct long_text *t)
{
    long_text_add(t, "#define MAD(a, b, c) ((a) * (b) + (c))\nx = ", 1);
    long_text_add(t, "MAD(y, 2.0, ", 30);
    long_text_add(t, "z", 1);
    long_text_add(t, ")", 30);
}
static void names_for_each_other(struct long_text *t)
{
    long_text_add(
        t, "#ifdef A\n#define texture texture2D\n#else\n#define texture2D texture\n#endif\n", 1);
    long_text_add(t, "x = texture(s, t) + texture2D(s, t);", 500);
}
static void a_macro_with_half_a_call(struct long_text *t)
{
    long_text_add(t, "#define END )\nvoid f() { x = g(1.0 END; }\n", 1);
    long_text_add(t, "void f() { x = a + b + c; }\n", 5000);
}
static void lists(struct long_text *t)
{
    long_text_add(t, "float a = 1.0", 1);
    long_text_add(t, ", b = c + d", 300);
    long_text_add(t, ";\nfor (i = 0, j = 0; i < n; i++, j++) { x = mix(a, b, c), y = x; }\n", 300);
    long_text_add(t, "#define VALUES 0.1, 0.2, 0.3, 0.4\nfloat t[] = float[](VALUES", 1);
    long_text_add(t, ", VALUES", 4000);
    long_text_add(t, ");\n", 1);
}
static void a_long_comment(struct long_text *t)
{
    long_text_add(t, "/* a + b", 9000);
    long_text_add(t, "*/ // a + b", 1);
    long_text_add(t, "+ c", 9000);
}
static void comments_in_lines(struct long_text *t)
{
    long_text_add(t, "#define A /* of\n two lines */ f\n#pragma x /* of one */ // and /*\n", 1);
    long_text_add(t, "#if A /*\n*/\n#endif /* A\n */\n#extension all : warn // so", 1);
}
static void a_long_define(struct long_text *t)
{
    long_text_add(t, "#define UNUSED a \\\n", 1);
    long_text_add(t, " + b \\\n", 9000);
    long_text_add(t, "\nx = y;", 1);
}

/* What ends compilers. */
static void a_sum(struct long_text *t)
{
    long_text_add(t, "x = 0.0", 1);
    long_text_add(t, " + f", 20000);
}
static void a_sum_behind_commas(struct long_text *t)
{
    long_text_add(t, "x = f(", 1);
    long_text_add(t, "a, b + g(", 5000);
}
static void a_row(struct long_text *t)
{
    long_text_add(t, "x = 1", 1);
    long_text_add(t, ", y = 2", 2000);
}
static void a_row_in_parentheses(struct long_text *t)
{
    long_text_add(t, "return (x", 1);
    long_text_add(t, ", y", 2000);
    long_text_add(t, ")", 1);
}
static void a_row_behind_a_macro(struct long_text *t)
{
    long_text_add(t, "#define R return\nR (x", 1);
    long_text_add(t, ", y", 2000);
    long_text_add(t, ")", 1);
}
static void a_row_of_macros(struct long_text *t)
{
    long_text_add(t, "#define S ", 1);
    long_text_add(t, "y, ", 90);
    long_text_add(t, "y\nx = f(S", 1);
    long_text_add(t, " + S", 90);
    long_text_add(t, ")", 1);
}
static void rows(struct long_text *t)
{
    for (uint32_t i = 0; i < 100; i++) {
        long_text_add(t, "x = 1", 1);
        long_text_add(t, ", y = 2", 200);
        long_text_add(t, ";\n", 1);
    }
}
static void many_of_one_name(struct long_text *t)
{
    long_text_add(t, "#define A\n", 50000);
    long_text_add(t, "A ", 50000);
}
static void a_sum_of_sums(struct long_text *t)
{
    long_text_add(t, "x = 0.0", 1);
    for (uint32_t i = 0; i < 100; i++) {
        long_text_add(t, " + (0.0", 1);
        long_text_add(t, " + f", 100);
    }
}
static void doubling(struct long_text *t)
{
    long_text_add(t, "#define A0 f\n", 1);
    long_text_add_numbered(t, "#define A%u A%u A%u\n", 30);
    long_text_add(t, "A30", 1);
}
static void doubling_backwards(struct long_text *t)
{
    for (uint32_t i = 30; i != 0; i--) {
        char line[64];
        snprintf(line, sizeof line, "#define A%u A%u A%u\n", i, i - 1, i - 1);
        long_text_add(t, line, 1);
    }
    long_text_add(t, "A30", 1);
}
static void doubling_in_conditions(struct long_text *t)
{
    long_text_add(t, "#define A0 1\n", 1);
    long_text_add_numbered(t, "#define A%u A%u A%u\n", 30);
    long_text_add(t, "#if A30\n#endif\n", 1);
}
static void doubling_arguments(struct long_text *t)
{
    long_text_add(t, "#define A(x) x x\n", 1);
    long_text_add(t, "A(", 30);
    long_text_add(t, "f", 1);
    long_text_add(t, ")", 30);
}
static void doubling_in_a_circle(struct long_text *t)
{
    long_text_add(t, "#define A ", 1);
    long_text_add(t, "B ", 2000);
    long_text_add(t, "\n#define B ", 1);
    long_text_add(t, "A ", 2000);
    long_text_add(t, "\nA B", 1);
}
static void a_sum_of_macros(struct long_text *t)
{
    long_text_add(t, "#define S f", 1);
    long_text_add(t, " + f", 100);
    long_text_add(t, "\nx = S", 1);
    long_text_add(t, " + S", 100);
}
static void a_sum_behind_a_pragma(struct long_text *t)
{
    long_text_add(t, "#pragma x /*\nx = 0.0", 1);
    long_text_add(t, " + f", 20000);
    long_text_add(t, "; // */\n", 1);
}
static void doubling_in_joined_lines(struct long_text *t)
{
    long_text_add(t, "#def\\\nine A0 f\n", 1);
    long_text_add_numbered(t, "#def\\\nine A%u A%u A%u\n", 30);
    long_text_add(t, "A3\\\r\n0", 1);
}
static void parentheses_in_each_other(struct long_text *t)
{
    long_text_add(t, "(f + ", 1000);
    long_text_add(t, "f", 1);
    long_text_add(t, ")", 1000);
}
/* What stood in front of the outer ones counts behind the inner ones. */
static void sums_around_parentheses(struct long_text *t)
{
    long_text_add(t, "(f + f + f + f + f + ", 500);
    long_text_add(t, "f", 1);
    long_text_add(t, " + f + f + f + f + f)", 500);
}
static void deep_parentheses(struct long_text *t)
{
    long_text_add(t, "(", 100000);
}
static void macros_a_hundred_deep(struct long_text *t)
{
    long_text_add(t, "#define A0 f\n", 1);
    long_text_add_numbered(t, "#define A%u A%u\n", 100);
    long_text_add(t, "A100", 1);
}

struct source_case {
    const char *label;
    void (*make)(struct long_text *);
    bool fits;
};
#define FITS(name)                                                                                 \
    {                                                                                              \
#name, name, true                                                                          \
    }
#define IS_TOO_MUCH(name)                                                                          \
    {                                                                                              \
#name, name, false                                                                         \
    }
static const struct source_case source_cases[] = {
    FITS(nothing),
    FITS(a_table),
    FITS(many_statements),
    FITS(many_conditions),
    FITS(macros_in_each_other),
    FITS(names_for_each_other),
    FITS(a_macro_with_half_a_call),
    FITS(lists),
    FITS(a_long_comment),
    FITS(a_long_define),
    FITS(comments_in_lines),
    FITS(parentheses_in_each_other),
    IS_TOO_MUCH(a_sum),
    IS_TOO_MUCH(a_sum_behind_commas),
    IS_TOO_MUCH(a_row),
    IS_TOO_MUCH(a_row_in_parentheses),
    IS_TOO_MUCH(a_row_behind_a_macro),
    IS_TOO_MUCH(a_row_of_macros),
    IS_TOO_MUCH(rows),
    IS_TOO_MUCH(many_of_one_name),
    IS_TOO_MUCH(a_sum_of_sums),
    IS_TOO_MUCH(doubling),
    IS_TOO_MUCH(doubling_backwards),
    IS_TOO_MUCH(doubling_in_conditions),
    IS_TOO_MUCH(doubling_arguments),
    IS_TOO_MUCH(doubling_in_a_circle),
    IS_TOO_MUCH(a_sum_of_macros),
    IS_TOO_MUCH(a_sum_behind_a_pragma),
    IS_TOO_MUCH(doubling_in_joined_lines),
    IS_TOO_MUCH(sums_around_parentheses),
    IS_TOO_MUCH(deep_parentheses),
    IS_TOO_MUCH(macros_a_hundred_deep),
};

typedef bool (*look_fn)(const char *text, size_t size, const char **why);

/* As hosts look: without comments. */
static bool looks_well(look_fn look, const char *text, size_t size, const char **why)
{
    char *clean = hgl_text_clean(text, size, &size, why);
    bool is_so = clean != NULL && look(clean, size, why);
    sl_free(clean);
    return is_so;
}

SLT_TEST_P(gles_source, is_weighed, struct source_case, source_cases, c)
{
    struct long_text t = {NULL, 0};
    const char *why = NULL;
    c->make(&t);
    SLT_EXPECT_EQ(c->fits, looks_well(hgl_source_fits, t.bytes, t.size, &why));
    SLT_EXPECT_EQ(c->fits, why == NULL);
    free(t.bytes);
}

/* --- how long its arrays are --- */

struct lengths_case {
    const char *label, *text;
    bool fits;
};
static const struct lengths_case lengths_cases[] = {
    {"none", "", true},
    {"a_usual_one", "float a[1000];\nvoid main() { a[999] = 1.0; }", true},
    {"an_index_of_a_hash", "x = hash[uint(i) * 1103515245u & 255u];", true},
    {"a_difference", "float a[100000000 - 99999990];", true},
    {"of_a_program", "layout(std430) buffer B { float a[33554432]; } b;", true},
    {"structures", "struct S { float a[2000]; }; S b[2000]; S c[2000];", true},
    {"a_macro_of_itself", "#define A A\nfloat a[A];", true},
    {"a_circle", "#define A B B\n#define B A A\nfloat a[A];", true},
    {"long", "float a[100000000];", false},
    {"long_by_its_type", "float[1 << 27] a;", false},
    {"long_in_hex", "float a[0x7ffffffu];", false},
    {"long_as_a_float", "float a[int(1e8)];", false},
    {"long_by_a_complement", "float a[~(-100000000)];", false},
    {"long_over_lines", "float a[ /* x */ 100000 // y\n * 1000];", false},
    {"long_by_a_macro", "#define N 100000000\nfloat a[N];", false},
    {"long_by_the_last_macro", "#define N M * M\n#define M 10000\n#define N 1\nfloat a[N];", false},
    {"long_by_a_long_macro", "#define N \\\n 100000000\nfloat a[N];", false},
    {"long_by_a_macro_of_joined_lines", "#def\\\nine N 100000000\nfloat a[N];", false},
    {"long_behind_a_pragma", "#pragma x /*\nfloat a[100000000]; // */", false},
    {"long_by_constants", "const int n = 10000; const highp int m = n * n; float a[m];", false},
    {"arrays_of_arrays", "float a[10000][10000];", false},
    {"arrays_of_structures", "struct S { float a[2000]; }; S b[3000];", false},
    {"structures_of_structures", "struct S { float a[1000]; }; struct T { S s[1000]; }; T t[1000];",
     false},
    {"many", "float a[1000000], b[1000000], c[1000000], d[1000000], e[1000000];", false},
    {"in_an_index", "a[b[100000000]]", false},
    {"behind_a_word_of_storage", "int buffer; float a[100000000];", false},
    {"behind_a_word_for_storage", "#define buffer struct\nbuffer B { float a[100000000]; }; B b;",
     false},
    {"in_a_function_of_storage", "void f(int buffer) { float a[100000000]; }", false},
};

SLT_TEST_P(gles_source, arrays_are_counted, struct lengths_case, lengths_cases, c)
{
    const char *why = NULL;
    SLT_EXPECT_EQ(c->fits, looks_well(hgl_lengths_fit, c->text, strlen(c->text), &why));
    SLT_EXPECT_EQ(c->fits, why == NULL);
}

/* A usual text wants no memory; one that does, and gets none, is refused. */
SLT_TEST(gles_source, memory_is_for_what_is_deep)
{
    const char *why = NULL, *usual = "void main() { x = f(g(1)); float a[4]; }";
    struct long_text deep = {NULL, 0}, named = {NULL, 0};
    parentheses_in_each_other(&deep);
    long_text_add_numbered(&named, "const int n%u = %u;\n", 40);
    long_text_add(&named, "float a[n40];", 1);
    sl_alloc_fail_after(0);
    bool usual_fits =
        hgl_source_fits(usual, strlen(usual), &why) && hgl_lengths_fit(usual, strlen(usual), &why);
    bool deep_fits = hgl_source_fits(deep.bytes, deep.size, &why);
    bool named_fits = hgl_lengths_fit(named.bytes, named.size, &why);
    sl_alloc_fail_after(UINT64_MAX);
    SLT_EXPECT_TRUE(usual_fits);
    SLT_EXPECT_TRUE(!deep_fits);
    SLT_EXPECT_TRUE(!named_fits);
    SLT_EXPECT_TRUE(hgl_lengths_fit(named.bytes, named.size, &why));
    free(deep.bytes);
    free(named.bytes);
}

/* Whatever bytes there are: it comes back, and reads none behind them. */
SLT_TEST(gles_source, any_bytes_are_weighed)
{
    static const char parts[] = "#define A(x)B/*\\\n//(){},;+*/\"'\r \t09_[]<-~.ex";
    uint32_t state = 1;
    for (uint32_t i = 0; i < 20000; i++) {
        size_t size = i % 40;
        char *bytes = malloc(size + 1);
        for (size_t k = 0; k < size; k++) {
            state = state * 1664525u + 1013904223u;
            bytes[k] = parts[(state >> 16) % (sizeof parts - 1)];
        }
        char *exact = realloc(bytes, size != 0 ? size : 1);
        const char *why;
        (void)looks_well(hgl_source_fits, exact, size, &why);
        (void)hgl_source_fits(exact, size, &why);
        (void)looks_well(hgl_lengths_fit, exact, size, &why);
        (void)hgl_lengths_fit(exact, size, &why);
        free(exact);
    }
}
