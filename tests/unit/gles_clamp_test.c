/* Shaders whose indices stay in their arrays, as texts: what is written in place of what, what
 * stays as it is, and what is not understood. */
#include "host/gles/hgl_clamp.h"
#include "tests/support/long_text.h"
#include "tests/support/slt.h"
#include "transport/base/mem.h"

#include <GLES3/gl32.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char extensions[] = "GL_EXT_one GL_OES_two";

/* The text without spaces; lines stay. The caller's. */
static char *squeezed(const char *text)
{
    char *out = malloc(strlen(text) + 1), *p = out;
    for (; *text != '\0'; text++) {
        *p = *text;
        p += *text != ' ';
    }
    *p = '\0';
    return out;
}

/* --- what is written --- */

#define CUT(e, most)        "[min(uint((" e ")>>0)," most ")]"
#define CUT_ARRAY(e, array) CUT(e, "uint(" array ".length()-1)")
#define CUT_VERTEX(e)       CUT(e, "uint(gl_PatchVerticesIn-1)")

struct written_case {
    const char *label;
    uint32_t stage;
    const char *text, *want;
};
static const struct written_case written_cases[] = {
    {"an_array", GL_COMPUTE_SHADER, "shared float s[8];\nvoid g() { s[i] = 1.0; }\n",
     "shared float s[8];\nvoid g() { s" CUT_ARRAY("i", "s") " = 1.0; }\n"},
    {"an_effect_once", GL_COMPUTE_SHADER, "shared float s[8]; void g() { s[i++] += f(); }\n",
     "shared float s[8]; void g() { s" CUT_ARRAY("i++", "s") " += f(); }\n"},
    {"what_has_no_name_and_a_number", GL_COMPUTE_SHADER,
     "shared vec4 s[8]; void g() { t = (s[i] - s[1]).xy + (s[0])[1]; "
     "v = vec4(s[1])[i]; }\n",
     "shared vec4 s[8]; void g() { t = (s" CUT_ARRAY("i", "s") " - s[1]).xy + (s[0])[1]; "
                                                               "v = vec4(s[1])[i]; }\n"},
    {"a_number", GL_COMPUTE_SHADER, "shared float s[8]; void g() { s[3] = s[0]; }\n",
     "shared float s[8]; void g() { s[3] = s[0]; }\n"},
    {"arrays_of_arrays", GL_COMPUTE_SHADER, "shared int[4] s[2]; void g() { s[i][j] = 1; }\n",
     "shared int[4] s[2]; void g() { s" CUT_ARRAY("i", "s") CUT_ARRAY("j", "s[0]") " = 1; }\n"},
    {"one_in_another", GL_COMPUTE_SHADER, "shared int s[2], t[3]; void g() { s[t[i] + 1] = 1; }\n",
     "shared int s[2], t[3]; void g() { s" CUT_ARRAY("t" CUT_ARRAY("i", "t") " + 1",
                                                     "s") " = 1; }\n"},
    {"structures", GL_COMPUTE_SHADER,
     "struct P { vec3 v[2]; mat2x4 m; }; shared P p[4]; void g() { p[i].v[j][k] = "
     "p[1].m[i][j]; p[i].v[1].zy[k]++; }\n",
     "struct P { vec3 v[2]; mat2x4 m; }; shared P p[4]; void g() { p" CUT_ARRAY(
         "i", "p") ".v" CUT_ARRAY("j", "p[0].v") CUT("k", "2u") " = p[1].m" CUT("i", "1u")
         CUT("j", "3u") "; p" CUT_ARRAY("i", "p") ".v[1].zy" CUT("k", "1u") "++; }\n"},
    {"a_structure_without_a_name", GL_COMPUTE_SHADER,
     "shared struct { int a[3]; } x; void g() { x.a[i] = x.a.length(); }\n",
     "shared struct { int a[3]; } x; void g() { x.a" CUT_ARRAY("i", "x.a") " = x.a.length(); }\n"},
    {"members_of_that_name", GL_COMPUTE_SHADER,
     "uniform U { float s[3]; } u; struct L { int s; }; shared float s[8]; void g() { "
     "s[u.s[i]] = 1.0; }\n",
     "uniform U { float s[3]; } u; struct L { int s; }; shared float s[8]; void g() { "
     "s" CUT_ARRAY("u.s[i]", "s") " = 1.0; }\n"},
    {"macros", GL_COMPUTE_SHADER,
     "#define N 8\n#define AT(i, j) s[i + \\\n  (j)]\n#define V AT\nshared float s[N];\nvoid "
     "g() { V(1, N / 2)\n= AT(a[0], f(1, 2)); }\n",
     "\n\n\n\nshared float s[8];\nvoid g() { s" CUT_ARRAY("1 + (8 / 2)", "s") "\n= s" CUT_ARRAY(
         "a[0] + (f(1, 2))", "s") "; }\n"},
    {"a_macro_for_a_macro", GL_COMPUTE_SHADER,
     "#define CALL(m, a) m(a)\n#define AT(i) s[i]\n#define s s\nshared float s[8]; void g() { "
     "CALL(AT, x) = 1.0; }\n",
     "\n\n\nshared float s[8]; void g() { s" CUT_ARRAY("x", "s") " = 1.0; }\n"},
    {"conditions", GL_COMPUTE_SHADER,
     "#version 310 es\n#ifdef GL_EXT_one\nshared float s[8];\n#else\n#error not here\n#endif\n#if "
     "defined(NO) && NO > 1\n#elif __VERSION__ >= 310 && !defined GL_EXT_none // so\nvoid g() "
     "{ s[i] = 1.0; }\n#endif\n",
     "#version 310 es\n\nshared float s[8];\n\n\n\n\n\nvoid g() { s" CUT_ARRAY("i",
                                                                               "s") " = 1.0; }\n"},
    {"comments_and_joined_lines", GL_COMPUTE_SHADER,
     "sha\\\nred float s[8]; /* s[i]\n */ void g() {\n// s[i]\ns /**/ [ /* \n */ i] = 1.0; }\n",
     "shared float s[8]; void g() {\n\n\n\n s" CUT_ARRAY("i", "s") " = 1.0; }\n"},
    {"lines_of_the_compiler", GL_COMPUTE_SHADER,
     "#version 310 es\n#extension GL_EXT_one : enable\n#pragma optimize(on)\nshared float s;\n",
     "#version 310 es\n#extension GL_EXT_one : enable\n#pragma optimize(on)\nshared float s;\n"},
    {"lines_of_the_compiler_between", GL_COMPUTE_SHADER,
     "#version 310 es\nshared mat2 s\n#pragma a\n; void g()\n#pragma b\n{ s\n#line 7\n[u]\n"
     "#pragma c\n= vec2(s\n#pragma d\n[0][w]); }\n",
     "#version 310 es\nshared mat2 s\n#pragma a\n; void g()\n#pragma b\n{ s\n#line 7\n" CUT(
         "u", "1u") "\n#pragma c\n= vec2(s\n#pragma d\n[0]" CUT("w", "1u") "); }\n"},
    {"vertices_of_a_patch", GL_TESS_CONTROL_SHADER,
     "in vec4 v[]; out vec4 o[]; void main() { o[gl_InvocationID] = v[i] + o[j] + "
     "gl_in[gl_InvocationID].gl_Position; gl_out[gl_InvocationID].gl_Position = v[0]; }\n",
     "in vec4 v[]; out vec4 o[]; void main() { o[gl_InvocationID] = v" CUT_VERTEX(
         "i") " + o" CUT_ARRAY("j", "o") " + gl_in" CUT_VERTEX("gl_InvocationID") ".gl_Position; "
                                                                                  "gl_out[gl_"
                                                                                  "InvocationID]."
                                                                                  "gl_Position = "
                                                                                  "v[0]; }\n"},
    {"one_for_all_invocations", GL_TESS_CONTROL_SHADER,
     "patch out vec4 p[2]; void main() { p[gl_InvocationID] = gl_BoundingBox[gl_InvocationID]; }\n",
     "patch out vec4 p[2]; void main() { p" CUT_ARRAY(
         "gl_InvocationID", "p") " = gl_BoundingBox" CUT_ARRAY("gl_InvocationID",
                                                               "gl_BoundingBox") "; }\n"},
    {"of_a_patch", GL_TESS_EVALUATION_SHADER,
     "patch in vec4 p[3]; in B { mat3 m; vec4 a[2]; } b[]; patch in Q { vec4 q[2]; }; void main() "
     "{ f = p[i] + b[j].a[k] + q[i]; g = b[j].m[i]; }\n",
     "patch in vec4 p[3]; in B { mat3 m; vec4 a[2]; } b[]; patch in Q { vec4 q[2]; }; void main() "
     "{ f = p" CUT_ARRAY("i", "p") " + b" CUT_VERTEX("j") ".a" CUT_ARRAY(
         "k", "b[0].a") " + q" CUT_ARRAY("i",
                                         "q") "; g = b" CUT_VERTEX("j") ".m" CUT("i",
                                                                                 "2u") "; }\n"},
    {"interpolated", GL_FRAGMENT_SHADER,
     "in vec4 v[3]; in vec2 uv; void main() { vec2 uv; c = interpolateAtCentroid(v[i]); }\n",
     "in vec4 v[3]; in vec2 uv; void main() { vec2 uv; c = interpolateAtCentroid(v" CUT_ARRAY(
         "i", "v") "); }\n"},
    {"clip_distances", GL_FRAGMENT_SHADER,
     "in float gl_ClipDistance[4]; void main() { c = gl_ClipDistance[i]; }\n",
     "in float gl_ClipDistance[4]; void main() { c = gl_ClipDistance" CUT_ARRAY(
         "i", "gl_ClipDistance") "; }\n"},
    {"a_matrix_computed_with", GL_TESS_EVALUATION_SHADER,
     "patch in mat3 m; void main() { f = m * a[i]; }\n",
     "patch in mat3 m; void main() { f = m * a[i]; }\n"},
};

/* And what was written stays as it is. */
SLT_TEST_P(gles_clamp, indices_are_cut, struct written_case, written_cases, c)
{
    struct hgl_clamped once, twice;
    const char *why = NULL;
    SLT_ASSERT_OK(hgl_clamp(c->stage, c->text, strlen(c->text), extensions, &once, &why));
    SLT_ASSERT_TRUE(once.text != NULL);
    char *want = squeezed(c->want), *got = squeezed(once.text);
    SLT_EXPECT_STREQ(want, got);
    SLT_ASSERT_OK(hgl_clamp(c->stage, once.text, once.size, extensions, &twice, &why));
    SLT_ASSERT_TRUE(twice.text != NULL);
    SLT_EXPECT_STREQ(once.text, twice.text);
    free(want);
    free(got);
    sl_free(once.text);
    sl_free(twice.text);
}

/* --- what is shared, and zeros at first --- */

#define STEP "+=gl_WorkGroupSize.x*gl_WorkGroupSize.y*gl_WorkGroupSize.z){"
#define EACH(array)                                                                                \
    "for(uint sluice_0=gl_LocalInvocationIndex;sluice_0<uint(" array ".length());sluice_0" STEP
#define EVERY(n, array)                                                                            \
    "for(uint sluice_" n "=0u;sluice_" n "<uint(" array ".length());sluice_" n "+=1u){"
#define INNER EVERY("1", "a.q[sluice_0].v") "a.q[sluice_0].v[sluice_1]=vec2(0);}}"
#define LAST  "a.r.v[sluice_0]=vec2(0);}"

static const struct written_case zero_cases[] = {
    {"all_types", GL_COMPUTE_SHADER,
     "shared float a; shared uvec3 b[2]; shared mat2x3 c; shared bool d[4][2]; void "
     "main() { "
     "a = b[0] + c[0] + d[0]; }\n",
     "a=float(0);" EACH("b") "b[sluice_0]=uvec3(0);}c=mat2x3(0);" EACH("d")
         EVERY("1", "d[sluice_0]") "d[sluice_0][sluice_1]=bool(0);}}"},
    {"structures", GL_COMPUTE_SHADER,
     "struct Q { highp int i; vec2 v[3]; }; struct P { Q q[2], r; }; shared P a; void main() { "
     "f(a); }\n",
     EACH("a.q") "a.q[sluice_0].i=int(0);" INNER "a.r.i=int(0);" EACH("a.r.v") LAST},
    {"what_is_used", GL_COMPUTE_SHADER,
     "shared float a[9], b, c; void main(); void g() { b = 1.0; } void main(void) { "
     "g(); }\n",
     "b=float(0);"},
    {"nothing_is_used", GL_COMPUTE_SHADER, "shared float a[9]; void main() { g(); }\n", NULL},
};

/* What calls it, with them before it, stands behind it; and once, however often it is written. */
SLT_TEST_P(gles_clamp, what_is_shared_is_cleared, struct written_case, zero_cases, c)
{
    struct hgl_clamped once, twice;
    const char *why = NULL;
    SLT_ASSERT_OK(hgl_clamp(c->stage, c->text, strlen(c->text), extensions, &once, &why));
    SLT_ASSERT_TRUE(once.text != NULL);
    char *got = squeezed(once.text);
    const char *main_at = strstr(got, "voidmain(){");
    if (c->want == NULL) {
        SLT_EXPECT_TRUE(main_at != NULL && strstr(got, "sluice_") == NULL);
    } else {
        char text[1024];
        (void)snprintf(text, sizeof text, "void main(){%sbarrier();sluice_main();}\n", c->want);
        char *want = squeezed(text);
        SLT_EXPECT_STREQ(want, main_at);
        SLT_EXPECT_TRUE(strstr(got, "voidsluice_main(") != NULL);
        free(want);
    }
    free(got);
    SLT_ASSERT_OK(hgl_clamp(c->stage, once.text, once.size, extensions, &twice, &why));
    SLT_EXPECT_STREQ(once.text, twice.text);
    sl_free(once.text);
    sl_free(twice.text);
}

/* --- what stays --- */

struct kept_case {
    const char *label;
    uint32_t stage;
    const char *text;
};
static const struct kept_case kept_cases[] = {
    {"nothing_shared", GL_COMPUTE_SHADER, "#define X(a) a ## b\nvoid main() { a[i] = 1; }"},
    {"shared_in_a_comment", GL_COMPUTE_SHADER, "/* shared */ void main() { a[i] = 1; }"},
    {"no_interpolation", GL_FRAGMENT_SHADER, "in vec4 v[3]; void main() { c = v[i]; }"},
    {"a_layout", GL_VERTEX_SHADER,
     "layout(shared) uniform B { vec4 a[3]; }; void main() { a[i]; }"},
    {"geometry", GL_GEOMETRY_SHADER, "in vec4 v[]; void main() { v[i]; }"},
};

SLT_TEST_P(gles_clamp, others_stay_as_they_are, struct kept_case, kept_cases, c)
{
    struct hgl_clamped out;
    const char *why = NULL;
    SLT_ASSERT_OK(hgl_clamp(c->stage, c->text, strlen(c->text), extensions, &out, &why));
    SLT_EXPECT_TRUE(out.text == NULL);
}

/* --- what is not understood --- */

static const struct kept_case refused_cases[] = {
    {"a_name_that_hides", GL_COMPUTE_SHADER, "shared int s[4]; void main() { int s; s[i] = 1; }"},
    {"behind_a_comma", GL_COMPUTE_SHADER, "shared int s[4]; void main() { int a, s; s[i] = 1; }"},
    {"a_parameter", GL_COMPUTE_SHADER, "shared int s[4]; void f(int a, int s[9]) { s[i] = 1; }"},
    {"a_function", GL_COMPUTE_SHADER, "shared int s[4]; uint min(uint a, uint b) { return a; }"},
    {"the_number_of_an_invocation", GL_TESS_CONTROL_SHADER,
     "out vec4 t[]; void g(int gl_InvocationID) { t[gl_InvocationID] = vec4(1); }"},
    {"the_number_of_vertices", GL_TESS_CONTROL_SHADER,
     "in vec4 v[]; vec4 g(int i, int gl_PatchVerticesIn) { return v[i]; }"},
    {"in_parentheses", GL_COMPUTE_SHADER, "shared vec4 s; void main() { (s)[i] = 1.0; }"},
    {"a_choice", GL_COMPUTE_SHADER,
     "shared vec4 s; void main() { (true ? s : vec4(1))[i] = 1.0; }"},
    {"a_choice_of_structures", GL_COMPUTE_SHADER,
     "struct P { vec4 a[2]; }; shared P s; void main() { t = (b ? P(x) : s).a[0][i]; }"},
    {"a_value_that_was", GL_COMPUTE_SHADER, "shared mat4 s; void main() { t = (s)++[i]; }"},
    {"behind_else", GL_COMPUTE_SHADER,
     "shared vec4 s; void main() { if (a) b(); else (s)[i] = 1.0; }"},
    {"of_a_name_of_ours", GL_COMPUTE_SHADER, "shared int sluice_0; void main() { sluice_0 = 1; }"},
    {"in_a_function", GL_COMPUTE_SHADER, "void main() { shared int s[4]; s[i] = 1; }"},
    {"behind_a_type", GL_COMPUTE_SHADER, "int shared s[4]; void main() { s[i] = 1; }"},
    {"of_no_known_type", GL_COMPUTE_SHADER, "shared Foo s[4]; void main() { s[i] = 1; }"},
    {"of_no_member", GL_COMPUTE_SHADER,
     "struct P { int a; }; shared P s[4]; void main() { s[i].b[j] = 1; }"},
    {"of_an_unknown_member", GL_COMPUTE_SHADER,
     "struct P { Foo a; }; shared P s[4]; void main() { s[i].a.b = 1; }"},
    {"an_index_of_no_array", GL_COMPUTE_SHADER, "shared int s[4]; void main() { s[i][j] = 1; }"},
    {"behind_a_comment_in_a_pragma", GL_COMPUTE_SHADER,
     "#pragma x /*\nshared int s[4]; void main() { s[i] = 1; } // */"},
    {"behind_a_comment_in_an_extension", GL_COMPUTE_SHADER,
     "/**/ # /**/ extension all : warn /**/ /*\nshared int s[4]; void main() { s[i] = 1; }"},
    {"behind_a_comment_in_what_is_left_out", GL_COMPUTE_SHADER,
     "#if 0\n#error /*\n#endif\nshared int s[4]; void main() { s[i] = 1; } // */\n#endif"},
    {"behind_a_comment_in_a_longer_word", GL_FRAGMENT_SHADER,
     "#prag\\\nmatic/*\nin vec4 v[2]; void main() { c = interpolateAtCentroid(v[i]); }"},
    {"of_an_empty_structure", GL_COMPUTE_SHADER, "struct P { }; shared P s; void main() { s; }"},
    {"without_an_end", GL_COMPUTE_SHADER, "shared int s[4]; void main() { s[i"},
    {"joined_words", GL_COMPUTE_SHADER, "#define A(x) x##y\nshared int s[4];"},
    {"an_unknown_condition", GL_COMPUTE_SHADER, "#if A > 1\n#endif\nshared int s[4];"},
    {"conditions_without_an_end", GL_COMPUTE_SHADER, "#if 1\nshared int s[4];"},
    {"a_define_without_a_space", GL_COMPUTE_SHADER,
     "shared int s[4];\n#definex s\nvoid main() { x[i] = 1; }"},
    {"a_line_of_no_compiler", GL_COMPUTE_SHADER, "shared int s[4];\n#pragmatic\n"},
    {"a_version_that_is_none", GL_COMPUTE_SHADER, "#version\n__VERSION__ shared int s[4];"},
    {"a_line_behind_nothing", GL_COMPUTE_SHADER,
     "#define E\nshared int s[4], t[1];\nE #define L [\nE #define R ]\nvoid main() { s L i R; }"},
    {"lines_that_are_joined_then", GL_COMPUTE_SHADER,
     "shared int s[4]; void main() { s \\ \n[i] = 1; }"},
    {"a_condition_in_arguments", GL_COMPUTE_SHADER,
     "#define A(x) x\nshared int s[4]; void main() { A(s\n#if 1\n[i]\n#endif\n) = 1; }"},
    {"in_a_layout", GL_COMPUTE_SHADER, "shared int s[4]; layout(a = s[i]) in;"},
    {"copies", GL_TESS_EVALUATION_SHADER,
     "patch in vec4 p[4]; void main() { vec4 q[4] = p; f = q[i]; }"},
    {"copies_by_a_call", GL_TESS_EVALUATION_SHADER,
     "patch in mat4 p; vec4 g(mat4 q, int i) { return q[i]; } void main() { f = g(p, i); }"},
};

SLT_TEST_P(gles_clamp, others_are_not_understood, struct kept_case, refused_cases, c)
{
    struct hgl_clamped out;
    const char *why = NULL;
    SLT_EXPECT_EQ(SL_ERR_UNSUPPORTED,
                  hgl_clamp(c->stage, c->text, strlen(c->text), extensions, &out, &why));
    SLT_EXPECT_TRUE(why != NULL && out.text == NULL);
}

/* --- how long it takes --- */

static void long_words(struct long_text *t)
{
    long_text_add(t, "shared int s[4];\n#define M ", 1);
    long_text_add(t, "abcdefgh", 1 << 17);
    long_text_add(t, "\nvoid main() {", 1);
    long_text_add(t, " M;", 200000);
}
static void long_parameters_of_nothing(struct long_text *t)
{
    long_text_add(t, "shared int s[4];\n#define M(", 1);
    long_text_add(t, "abcdefgh", 1 << 17);
    long_text_add(t, ") ", 1);
    long_text_add(t, "abcdefgh", 1 << 17);
    long_text_add(t, "\nvoid main() {", 1);
    long_text_add(t, " M()", 200000);
}
static void parentheses_without_begins(struct long_text *t)
{
    long_text_add(t, "shared int s[4]; void main() {", 1);
    long_text_add(t, "{", 100000);
    long_text_add(t, ")[i];", 100000);
}
static void structures_that_double(struct long_text *t)
{
    long_text_add(t, "struct A0 { };\n", 1);
    long_text_add_numbered(t, "struct A%u { A%u a, b; };\n", 99);
    long_text_add(t, "shared A99 s; void main() { s; }", 1);
}

struct long_case {
    const char *label;
    void (*make)(struct long_text *);
};
static const struct long_case long_cases[] = {
    {"long_words", long_words},
    {"long_parameters_of_nothing", long_parameters_of_nothing},
    {"parentheses_without_begins", parentheses_without_begins},
    {"structures_that_double", structures_that_double},
};

/* Minutes to years, where nobody counts what is done. */
SLT_TEST_P(gles_clamp, comes_to_an_end, struct long_case, long_cases, c)
{
    struct long_text t = {NULL, 0};
    struct hgl_clamped out;
    const char *why = NULL;
    c->make(&t);
    SLT_EXPECT_EQ(SL_ERR_UNSUPPORTED,
                  hgl_clamp(GL_COMPUTE_SHADER, t.bytes, t.size, extensions, &out, &why));
    free(t.bytes);
}

/* Macros that double each other, and indices in each other, come to an end. */
SLT_TEST(gles_clamp, texts_are_bounded)
{
    char *text = malloc(1 << 16);
    struct hgl_clamped out;
    const char *why = NULL;
    int size = sprintf(text, "shared int s[4];\n#define A0 s[i]\n");
    for (int i = 1; i < 40; i++) {
        size += sprintf(text + size, "#define A%d A%d A%d\n", i, i - 1, i - 1);
    }
    size += sprintf(text + size, "void main() { A39 }");
    SLT_EXPECT_EQ(SL_ERR_UNSUPPORTED,
                  hgl_clamp(GL_COMPUTE_SHADER, text, (size_t)size, extensions, &out, &why));
    size = sprintf(text, "shared int s[4]; void main() { ");
    for (int i = 0; i < 1000; i++) {
        size += sprintf(text + size, "s[");
    }
    SLT_EXPECT_EQ(SL_ERR_UNSUPPORTED,
                  hgl_clamp(GL_COMPUTE_SHADER, text, (size_t)size, extensions, &out, &why));
    free(text);
}
