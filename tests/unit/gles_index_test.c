/* A stranger's shaders with indices far past their arrays, on the native driver: what Mesa's
 * software driver dies of, or tells of the host's memory, is not done; and what is in its arrays
 * does what it did. */
#include "tests/support/gles_world.h"
#include "tests/support/slt.h"
#include "wire/gles2_opcodes.h"
#include "wire/glesx_opcodes.h"

#include <GLES3/gl32.h>
#include <stdlib.h>
#include <string.h>

enum { STAGES = 4, ROOM = 1024 };

static void init(struct gles_one *t)
{
    t->world.options.clamps_indices = true;
    gles_world_init(&t->world);
    t->g = gles_guest_open(&t->world);
    gles_guest_start(t->g, 5);
}

SLT_FIXTURE(gles_index, struct gles_one, init, gles_one_finish);

struct stage {
    uint32_t type;
    const char *text;
};

struct compiled {
    uint32_t name;
    bool is_ok;
    char log[ROOM];
};

static struct compiled compiled(struct gles_guest *g, const struct stage *s)
{
    uint32_t size = (uint32_t)strlen(s->text), length = 0;
    struct compiled c = {.name = gles_call(g, GLES2_OP_glCreateShader, "u", s->type)};
    gles_send(g, GLES2_OP_glShaderString, "udu", c.name, s->text, size + 1, size);
    gles_send(g, GLES2_OP_glCompileShader, "u", c.name);
    c.is_ok = gles_call(g, GLES2_OP_glGetShaderiv, "uuu", c.name, GL_COMPILE_STATUS, 4) == 1;
    gles_send(g, GLES2_OP_glGetShaderInfoLog, "uiuu", c.name, ROOM, 4, ROOM);
    gles_read(g, &length, 4);
    gles_read(g, c.log, ROOM);
    c.log[ROOM - 1] = '\0';
    return c;
}

static uint32_t linked(struct gles_guest *g, const struct stage *stages)
{
    uint32_t program = gles_call(g, GLES2_OP_glCreateProgram, "");
    for (size_t i = 0; i < STAGES && stages[i].text != NULL; i++) {
        const struct compiled c = compiled(g, &stages[i]);
        SLT_SCOPE("stage %zu: %s", i, c.log);
        SLT_EXPECT_TRUE(c.is_ok);
        gles_send(g, GLES2_OP_glAttachShader, "uu", program, c.name);
    }
    gles_send(g, GLES2_OP_glLinkProgram, "u", program);
    SLT_ASSERT_EQ(1u, gles_call(g, GLES2_OP_glGetProgramiv, "uuu", program, GL_LINK_STATUS, 4));
    gles_send(g, GLES2_OP_glUseProgram, "u", program);
    return program;
}

/* Of 4 by 4, and image 0. */
static void make_target(struct gles_guest *g)
{
    gles_send(g, GLES2_OP_glBindImageTexture, "uuibiuu", 0, gles_target(g, 4), 0, 0, 0,
              GL_WRITE_ONLY, GL_RGBA8);
}

/* 0xRRGGBBAA that the program, of its uniforms u and w, has left in the corner. */
static uint32_t run(struct gles_guest *g, uint32_t program, bool is_compute, bool has_patches,
                    int32_t u, int32_t w)
{
    int32_t at[2];
    for (uint32_t i = 0; i < 2; i++) {
        at[i] = (int32_t)gles_call(g, GLES2_OP_glGetUniformLocation, "ud", program,
                                   i == 0 ? "u" : "w", 2);
    }
    gles_send(g, GLES2_OP_glUniform1i, "ii", at[0], u);
    gles_send(g, GLES2_OP_glUniform1i, "ii", at[1], w);
    if (is_compute) {
        gles_send(g, GLES2_OP_glDispatchCompute, "uuu", 1, 1, 1);
        gles_send(g, GLES2_OP_glMemoryBarrier, "u", GL_ALL_BARRIER_BITS);
    } else {
        gles_send(g, GLESX_OP_glPatchParameteri, "ui", GL_PATCH_VERTICES, 3);
        gles_send(g, GLES2_OP_glDrawArrays, "uii", has_patches ? GL_PATCHES : GL_TRIANGLES, 0, 3);
    }
    return gles_pixel(g, 1, 1);
}

/* --- past their arrays --- */

#define HEAD "#version 320 es\nprecision highp float;\nprecision highp int;\nuniform int u, w;\n"
#define COMPUTE(declared, does)                                                                    \
    {                                                                                              \
        {                                                                                          \
            GL_COMPUTE_SHADER,                                                                     \
                HEAD "layout(local_size_x = 4) in;\nlayout(rgba8, binding = 0) uniform writeonly " \
                     "highp "                                                                      \
                     "image2D o;\n" declared "\nvoid main() { vec4 c = vec4(0);\n" does            \
                     "\nimageStore(o, ivec2(1), c); }"                                             \
        }                                                                                          \
    }
#define CORNERS "vec4(gl_VertexID == 1 ? 3. : -1., gl_VertexID == 2 ? 3. : -1., 0, 1)"
#define VERTEX(declared, does)                                                                     \
    {                                                                                              \
        GL_VERTEX_SHADER, HEAD declared "\nvoid main() { gl_Position = " CORNERS ";\n" does " }"   \
    }
#define CONTROL(declared, does)                                                                    \
    {                                                                                              \
        GL_TESS_CONTROL_SHADER,                                                                    \
            HEAD "layout(vertices = 3) out;\nin vec4 v[];\nout vec4 t[];\n" declared               \
                 "\nvoid main() {\ngl_TessLevelOuter[0] = gl_TessLevelOuter[1] = "                 \
                 "gl_TessLevelOuter[2] = 1.;\ngl_TessLevelInner[0] = "                             \
                 "1.;\ngl_out[gl_InvocationID].gl_Position = "                                     \
                 "gl_in[gl_InvocationID].gl_Position;\nt[gl_InvocationID] = v[0];\n" does "\n}"    \
    }
#define EVALUATION(declared, does)                                                                 \
    {                                                                                              \
        GL_TESS_EVALUATION_SHADER,                                                                 \
            HEAD "layout(triangles) in;\nin vec4 t[];\nout vec4 f;\n" declared                     \
                 "\nvoid main() {\ngl_Position = gl_TessCoord.x * gl_in[0].gl_Position + "         \
                 "gl_TessCoord.y * gl_in[1].gl_Position + gl_TessCoord.z * "                       \
                 "gl_in[2].gl_Position;\nf = t[0];\n" does "\n}"                                   \
    }
#define FRAGMENT(extra, declared, does)                                                            \
    {                                                                                              \
        GL_FRAGMENT_SHADER,                                                                        \
            "#version 320 es\n" extra "precision highp float;\nprecision highp int;\nuniform "     \
            "int u, w;\nlayout(location = 0) out vec4 c;\n" declared "\nvoid main() {\n" does      \
            "\n}"                                                                                  \
    }
#define PATCHES(control_declares, control_does, evaluation_declares, evaluation_does)              \
    {                                                                                              \
        VERTEX("out vec4 v;", "v = vec4(1);"), CONTROL(control_declares, control_does),            \
            EVALUATION(evaluation_declares, evaluation_does), FRAGMENT("", "in vec4 f;", "c = f;") \
    }
#define CLIP "#extension GL_EXT_clip_cull_distance : enable\n"
#define DISTANCES(kind)                                                                            \
    {                                                                                              \
        {GL_VERTEX_SHADER,                                                                         \
         "#version 320 es\n" CLIP "out float gl_" kind "Distance[4];\nvoid main() { "              \
         "gl_Position = " CORNERS "; gl_" kind "Distance[0] = gl_" kind "Distance[1] = "           \
         "gl_" kind "Distance[2] = gl_" kind "Distance[3] = 1.; }"},                               \
            FRAGMENT(CLIP, "in float gl_" kind "Distance[4];",                                     \
                     "c = vec4(gl_" kind "Distance[u] + gl_" kind "Distance[w]);")                 \
    }

struct index_case {
    const char *label;
    struct stage stages[STAGES];
};
static const struct index_case index_cases[] = {
    {"reads_a_shared_array",
     COMPUTE("shared vec4 s[8];", "s[w & 7] = vec4(1); barrier(); c = s[u];")},
    {"writes_a_shared_array",
     COMPUTE("shared vec4 s[4][8];", "s[u][w] = s[w][u] = vec4(1); barrier(); c = s[0][0];")},
    {"counts_in_a_shared_array",
     COMPUTE("shared uint s[8];", "c = vec4(atomicAdd(s[u], 1u) + atomicMax(s[w], 3u));")},
    {"shared_vectors",
     COMPUTE("shared vec4 s; shared mat4 m;",
             "s[u] = 1.; m[u][w] = 1.; s.xy[w] = 1.; barrier(); c = m[w] * s[u];")},
    {"shared_structures", COMPUTE("struct S { vec4 a[4]; float z; }; shared S s[3];",
                                  "s[1].a[u] = vec4(1); s[w].z = 1.; barrier(); c = s[u].a[w];")},
    {"shared_macros", COMPUTE("#define S s\n#define AT(i) \\\n S[i]\nshared vec4 S[8];",
                              "AT(u) = vec4(1); barrier(); c = AT(AT(w).x > 1. ? 0 : u);")},
    {"copies_of_what_is_shared",
     COMPUTE("shared vec4 s[8]; shared mat4 m; vec4 g(in vec4 a[8], mat4 b, int i) { return a[i] * "
             "b[i]; } void h(inout vec4 a[8], int i) { a[i] = vec4(1); }",
             "h(s, u); h(s, w); vec4 q[8] = s; mat4 n = m; q[u] = n[w]; s = q; c = q[w] + g(s, m, "
             "u) + n[u];")},
    {"vertices_of_a_patch",
     PATCHES("", "t[gl_InvocationID] = v[u] + gl_in[w].gl_Position + v[w];", "", "")},
    {"what_others_wrote",
     PATCHES("", "barrier(); t[gl_InvocationID] += t[u] + gl_out[w].gl_Position;", "", "")},
    {"vertices_of_an_evaluation", PATCHES("", "", "", "f = t[u] + gl_in[w].gl_Position + t[w];")},
    {"of_a_patch",
     PATCHES("patch out vec4 p[4]; patch out mat4 m;",
             "p[u] = m[w] = vec4(1); barrier(); m[w][u] = p[u].x;",
             "patch in vec4 p[4]; patch in mat4 m;", "f = p[u] + m[w] + vec4(m[u][w]);")},
    {"blocks_of_a_patch",
     PATCHES("patch out B { vec4 k[3]; } b; patch out C { vec4 l[3]; };",
             "b.k[u] = l[w] = vec4(1);", "patch in B { vec4 k[3]; } b; patch in C { vec4 l[3]; };",
             "f = b.k[w] + l[u];")},
    {"interpolated",
     {VERTEX("out vec4 v[8]; out mat4 m;",
             "for (int i = 0; i < 8; i++) v[i] = vec4(1); m = mat4(1);"),
      FRAGMENT("", "in vec4 v[8]; in mat4 m;",
               "c = interpolateAtCentroid(v[u]) + interpolateAtOffset(v[w], vec2(0)) + "
               "interpolateAtSample(m[u], 0);")}},
    {"clip_distances", DISTANCES("Clip")},
    {"cull_distances", DISTANCES("Cull")},
};

SLT_TEST_FP(gles_index, is_survived, t, struct index_case, index_cases, c)
{
    struct gles_guest *g = t->g;
    static const int32_t far[] = {8,          32,      1000,      4096,     65536,  1 << 20,
                                  1 << 24,    -1,      -1000,     -4096,    -65536, -(1 << 20),
                                  -(1 << 24), 1 << 28, INT32_MAX, INT32_MIN};
    uint32_t program = linked(g, c->stages);
    bool is_compute = c->stages[0].type == GL_COMPUTE_SHADER;
    bool has_patches = c->stages[1].type == GL_TESS_CONTROL_SHADER;
    make_target(g);
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        (void)run(g, program, is_compute, has_patches, far[i], 1);
        (void)run(g, program, is_compute, has_patches, 1, far[i]);
    }
    SLT_EXPECT_EQ((uint32_t)GL_NO_ERROR, gles_error(g));
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

/* --- in their arrays --- */

static const struct index_case fine_cases[] = {
    {"shared",
     {{GL_COMPUTE_SHADER,
       HEAD "layout(local_size_x = 8) in;\nlayout(rgba8, binding = 0) uniform writeonly highp "
            "image2D o;\n"
            "#define N 8\n#if defined(GL_ES) && N > 4\nshared uint s[2][gl_WorkGroupSize.x];\n"
            "#endif\n#define AT(i, j) s[i][(j) & uint(N - 1)]\nstruct P { uvec4 v[2]; mat2 m; };\n"
            "shared P p[N];\nvoid main() { uint i = gl_LocalInvocationIndex, at = 0u;\n"
            "AT(0, i) = i + 1u; p[i].v[i & 1u][i & 3u] = i; p[i].m[0][1] = 1.;\nbarrier();\n"
            "for (uint k = 1u; k < uint(N); k *= 2u) { AT(1u - at, i) = s[at][i] + (i >= k ? "
            "s[at][i - k] : 0u); at = 1u - at; barrier(); }\n"
            "if (i == 0u) imageStore(o, ivec2(1), vec4(float(s[at][N - 1]), float(p[5].v[1][1]), "
            "p[7].m[u][w] * 9., s[at][s[0].length() - 7]) / 255.); }"}}},
    {"a_patch",
     {VERTEX("out vec4 v;", "v = vec4(float(gl_VertexID)) / 255.;"),
      CONTROL("patch out vec4 p[2];", "p[w] = v[2 - u]; p[u] = vec4(7. / 255.);"),
      EVALUATION("patch in vec4 p[2];", "f = vec4(p[u].x, p[w].y, t[w + 1].x, 3. / 255.);"),
      FRAGMENT("", "in vec4 f;", "c = f;")}},
    {"interpolated",
     {VERTEX("out vec4 v[3];", "v[0] = vec4(9. / 255.); v[1] = vec4(5. / 255.); v[2] = vec4(1);"),
      FRAGMENT("", "in vec4 v[3];",
               "c = vec4(interpolateAtCentroid(v[u]).xy, interpolateAtSample(v[w], 0).zw);")}},
};
static const uint32_t fine_wants[] = {0x24050903, 0x07020003, 0x09090505};

SLT_TEST_FP(gles_index, what_is_inside_does_what_it_did, t, struct index_case, fine_cases, c)
{
    bool is_compute = c->stages[0].type == GL_COMPUTE_SHADER;
    bool has_patches = c->stages[1].type == GL_TESS_CONTROL_SHADER;
    uint32_t program = linked(t->g, c->stages);
    make_target(t->g);
    SLT_EXPECT_EQ(fine_wants[c - fine_cases], run(t->g, program, is_compute, has_patches, 0, 1));
}

/* --- what others left --- */

/* Looks at all of it, and leaves other things there. */
static const struct stage leaves[STAGES] = {
    {GL_COMPUTE_SHADER, HEAD
     "layout(local_size_x = 4, local_size_y = 2) in;\n"
     "layout(rgba8, binding = 0) uniform writeonly highp image2D o;\n"
     "struct P { uint a[6][5]; mat2 m; };\nshared P p[7];\nshared uint found;\n"
     "void main() {\nuint i = gl_LocalInvocationIndex % 7u;\n"
     "for (int k = 0; k < 30; k++) atomicOr(found, p[i].a[k / 5][k % 5]);\n"
     "if (p[i].m != mat2(0)) atomicOr(found, 1u);\nbarrier();\n"
     "if (i == 3u) imageStore(o, ivec2(1), vec4(found == 0u ? 1. : 0., 0, 0, 1));\nbarrier();\n"
     "for (int k = 0; k < 30; k++) p[i].a[(k / 5 + w) % 6][(k + u) % 5] = 0x7fffffffu;\n"
     "p[i].m[u][w] = 5.; }"}};

SLT_TEST_F(gles_index, what_is_shared_is_zeros, t)
{
    make_target(t->g);
    uint32_t program = linked(t->g, leaves);
    for (int i = 0; i < 50; i++) {
        SLT_EXPECT_EQ(0xff0000ffu, run(t->g, program, true, false, 0, 1));
    }
}

/* --- what is told --- */

SLT_TEST_F(gles_index, a_refused_shader_says_why, t)
{
    const struct compiled c =
        compiled(t->g, &(struct stage){GL_COMPUTE_SHADER,
                                       "#version 310 es\nlayout(local_size_x = 1) in;\nshared "
                                       "int s[4];\nvoid main() { int s[2]; s[0] = 1; }\n"});
    SLT_EXPECT_TRUE(!c.is_ok && strstr(c.log, "a name that hides another") != NULL);
}

SLT_TEST_F(gles_index, errors_are_in_their_lines, t)
{
    const struct compiled c = compiled(
        t->g, &(struct stage){GL_COMPUTE_SHADER,
                              "#version 310 es\n#define A(x) \\\n s[x]\nlayout(local_size_x = 1) "
                              "in;\nshared int s[4]; /* two\n lines */\nvoid main() {\nA(u) = "
                              "1;\n}\n"});
    SLT_SCOPE("%s", c.log);
    SLT_EXPECT_TRUE(!c.is_ok && strstr(c.log, "0:8(") != NULL &&
                    strstr(c.log, "`u' undeclared") != NULL);
}

/* --- past the texts --- */

/* A binary that another host has made is of a text that nobody has looked at here. */
SLT_TEST_F(gles_index, binaries_are_not_linked, t)
{
    struct gles_guest *g = t->g;
    uint32_t length = 0, format = 0, program = linked(g, fine_cases[0].stages);
    uint32_t size =
        gles_call(g, GLES2_OP_glGetProgramiv, "uuu", program, GL_PROGRAM_BINARY_LENGTH, 4);
    uint8_t *binary = calloc(1, size + 1);
    gles_send(g, GLES2_OP_glGetProgramBinary, "uiuuu", program, size, 4, 4, size);
    gles_read(g, &length, 4);
    gles_read(g, &format, 4);
    gles_read(g, binary, size);
    uint32_t other = gles_call(g, GLES2_OP_glCreateProgram, "");
    gles_send(g, GLES2_OP_glProgramBinary, "uudi", other, format, binary, size, size);
    SLT_EXPECT_EQ((uint32_t)GL_NO_ERROR, gles_error(g));
    SLT_EXPECT_EQ(0u, gles_call(g, GLES2_OP_glGetProgramiv, "uuu", other, GL_LINK_STATUS, 4));
    gles_send(g, GLES2_OP_glProgramBinary, "uudi", other, format, binary, 0, -1);
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_VALUE, gles_error(g));
    free(binary);
}
