/* What ends Mesa's software driver natively does not end the host: arguments that the generated
 * handlers look at (`guard` in codegen/policy/host.csv). The packets pass by a guest's own checks.
 */
#include "tests/support/gles_world.h"
#include "tests/support/slt.h"
#include "wire/gles2_opcodes.h"
#include "wire/glesx_opcodes.h"

#include <GLES3/gl32.h>
#include <string.h>

static void init(struct gles_one *t)
{
    gles_world_init(&t->world);
    t->g = gles_guest_open(&t->world);
    gles_guest_start(t->g, 4);
}

SLT_FIXTURE(gles_guard, struct gles_one, init, gles_one_finish);

static uint32_t shader(struct gles_guest *g, uint32_t type, const char *text)
{
    uint32_t name = gles_call(g, GLES2_OP_glCreateShader, "u", type), size = (uint32_t)strlen(text);
    gles_send(g, GLES2_OP_glShaderString, "udu", name, text, size + 1, size);
    gles_send(g, GLES2_OP_glCompileShader, "u", name);
    return name;
}

/* The program, linked and in use. */
static uint32_t used(struct gles_guest *g, uint32_t program)
{
    gles_send(g, GLES2_OP_glLinkProgram, "u", program);
    SLT_ASSERT_EQ(1u, gles_call(g, GLES2_OP_glGetProgramiv, "uuu", program, GL_LINK_STATUS, 4));
    gles_send(g, GLES2_OP_glUseProgram, "u", program);
    return program;
}

/* Mesa numbers the members of Room among the uniforms, and keeps no values of them. */
static uint32_t program_of_blocks(struct gles_guest *g)
{
    uint32_t program = gles_call(g, GLES2_OP_glCreateProgram, "");
    gles_send(g, GLES2_OP_glAttachShader, "uu", program,
              shader(g, GL_VERTEX_SHADER,
                     "#version 300 es\nin vec4 p; uniform mat4 turn[2]; layout(std140) uniform "
                     "Room { vec4 wall; mat3 roof[2]; uint u; } room; void main() { gl_Position = "
                     "turn[1] * p + room.wall + room.roof[1][0].xyzz * float(room.u); }"));
    gles_send(g, GLES2_OP_glAttachShader, "uu", program,
              shader(g, GL_FRAGMENT_SHADER,
                     "#version 300 es\nprecision highp float; uniform vec4 color[3]; uniform ivec2 "
                     "a; out vec4 o; void main() { o = color[1] + color[2] + vec4(a, a); }"));
    return used(g, program);
}

/* ... and those of buffers, and counters. */
static uint32_t program_of_buffers(struct gles_guest *g)
{
    uint32_t program = gles_call(g, GLES2_OP_glCreateProgram, "");
    gles_send(g, GLES2_OP_glAttachShader, "uu", program,
              shader(g, GL_COMPUTE_SHADER,
                     "#version 310 es\nlayout(local_size_x = 1) in; layout(std430, binding = 0) "
                     "buffer Room { vec4 wall; mat3 roof[2]; uint u[3]; }; layout(binding = 0) "
                     "uniform atomic_uint n; uniform uint one; void main() { wall.x += "
                     "roof[1][0].x; u[1] += one + atomicCounterIncrement(n); }"));
    return used(g, program);
}

static int32_t location(struct gles_guest *g, uint32_t program, const char *name)
{
    return (int32_t)gles_call(g, GLES2_OP_glGetUniformLocation, "ud", program, name,
                              (uint32_t)strlen(name) + 1);
}

/* The places of the uniforms that have values: an answer each. */
static void active(struct gles_guest *g, uint32_t program, bool has[16])
{
    static const char *const names[] = {"turn[0]",  "turn[1]",  "color[0]",
                                        "color[1]", "color[2]", "a"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        int32_t at = location(g, program, names[i]);
        SLT_ASSERT_TRUE(at >= 0 && at < 16 && !has[at]);
        has[at] = true;
    }
    SLT_EXPECT_EQ(-1, location(g, program, "Room.wall"));
}

static const struct reads {
    const char *label;
    uint32_t opcode;
    bool sized;
} reads[] = {{"fv", GLES2_OP_glGetUniformfv, false},     {"iv", GLES2_OP_glGetUniformiv, false},
             {"uiv", GLES2_OP_glGetUniformuiv, false},   {"nfv", GLES2_OP_glGetnUniformfvEXT, true},
             {"niv", GLES2_OP_glGetnUniformivEXT, true}, {"nuiv", GLESX_OP_glGetnUniformuiv, true}};

static uint32_t read_error(struct gles_guest *g, const struct reads *p, uint32_t program,
                           int32_t at)
{
    uint8_t out[64];
    if (p->sized) {
        gles_send(g, p->opcode, "uiiu", program, at, 64, 64);
    } else {
        gles_send(g, p->opcode, "uiu", program, at, 64);
    }
    gles_read(g, out, sizeof out);
    return gles_error(g);
}

SLT_TEST_FP(gles_guard, reads_no_member_of_a_block, t, struct reads, reads, p)
{
    struct gles_guest *g = t->g;
    uint32_t program = program_of_blocks(g);
    bool has[16] = {false};
    active(g, program, has);
    for (int32_t at = -1; at < 16; at++) {
        SLT_SCOPE("location %d", at);
        SLT_EXPECT_EQ((uint32_t)(at >= 0 && has[at] ? GL_NO_ERROR : GL_INVALID_OPERATION),
                      read_error(g, p, program, at));
    }
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

SLT_TEST_FP(gles_guard, reads_no_member_of_a_buffer, t, struct reads, reads, p)
{
    uint32_t program = program_of_buffers(t->g);
    int32_t has = location(t->g, program, "one");
    for (int32_t at = -1; at < 16; at++) {
        SLT_SCOPE("location %d", at);
        SLT_EXPECT_EQ((uint32_t)(at == has ? GL_NO_ERROR : GL_INVALID_OPERATION),
                      read_error(t->g, p, program, at));
    }
    SLT_EXPECT_TRUE(gles_guest_alive(t->g));
}

/* Names of no program, of another kind, and of one that does not link: GL's errors as they are. */
SLT_TEST_FP(gles_guard, reads_of_other_names_are_errors, t, struct reads, reads, p)
{
    struct gles_guest *g = t->g;
    uint32_t names[] = {0x7ffffff0, shader(g, GL_VERTEX_SHADER, "void main() {}"),
                        gles_call(g, GLES2_OP_glCreateProgram, "")};
    static const uint32_t errors[] = {GL_INVALID_VALUE, GL_INVALID_OPERATION, GL_INVALID_OPERATION};
    for (size_t i = 0; i < 3; i++) {
        SLT_EXPECT_EQ(errors[i], read_error(g, p, names[i], 0));
        SLT_EXPECT_EQ((uint32_t)GL_NO_ERROR, gles_error(g));
    }
}

/* Writes to those places are not the driver's death: nothing guards them. */
static void write_all(struct gles_guest *g, uint32_t program)
{
    static const uint8_t values[144];
    static const struct {
        uint32_t used, named, bytes;
        bool matrix;
    } writes[] = {
        {GLES2_OP_glUniform4fv, GLES2_OP_glProgramUniform4fv, 16, false},
        {GLES2_OP_glUniform1uiv, GLES2_OP_glProgramUniform1uiv, 4, false},
        {GLES2_OP_glUniformMatrix3fv, GLES2_OP_glProgramUniformMatrix3fv, 36, true},
    };
    for (uint32_t i = 0; i < sizeof writes / sizeof writes[0]; i++) {
        for (int32_t at = 0; at < 16; at++) {
            uint32_t size = writes[i].bytes * 2;
            if (writes[i].matrix) {
                gles_send(g, writes[i].used, "iibd", at, 2, 0, values, size);
                gles_send(g, writes[i].named, "uiibd", program, at, 2, 0, values, size);
            } else {
                gles_send(g, writes[i].used, "iid", at, 2, values, size);
                gles_send(g, writes[i].named, "uiid", program, at, 2, values, size);
            }
            (void)gles_error(g);
        }
    }
}

SLT_TEST_F(gles_guard, writes_to_members_are_borne, t)
{
    write_all(t->g, program_of_blocks(t->g));
    write_all(t->g, program_of_buffers(t->g));
    SLT_EXPECT_TRUE(gles_guest_alive(t->g));
}

static const struct lists {
    const char *label;
    uint32_t opcode, element;
} lists[] = {{"viewports", GLESX_OP_glViewportArrayvOES, 16},
             {"scissors", GLESX_OP_glScissorArrayvOES, 16},
             {"ranges", GLESX_OP_glDepthRangeArrayfvOES, 8}};

/* first + count goes past 2^32, and comes to little. */
SLT_TEST_FP(gles_guard, lists_do_not_wrap, t, struct lists, lists, p)
{
    struct gles_guest *g = t->g;
    static const uint8_t values[64 * 16];
    static const struct {
        uint32_t first;
        int32_t count;
        uint32_t error;
    } asked[] = {{0, 16, GL_NO_ERROR},
                 {15, 1, GL_NO_ERROR},
                 {0, 17, GL_INVALID_VALUE},
                 {16, 1, GL_INVALID_VALUE},
                 {UINT32_MAX, 1, GL_INVALID_VALUE},
                 {UINT32_MAX, 2, GL_INVALID_VALUE},
                 {UINT32_MAX, 16, GL_INVALID_VALUE},
                 {UINT32_MAX - 3, 4, GL_INVALID_VALUE},
                 {0x80000000u, 1, GL_INVALID_VALUE},
                 {UINT32_MAX - 40, 64, GL_INVALID_VALUE}};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        SLT_SCOPE("%u, %d", asked[i].first, asked[i].count);
        gles_send(g, p->opcode, "uid", asked[i].first, asked[i].count, values,
                  (uint32_t)asked[i].count * p->element);
        SLT_EXPECT_EQ(asked[i].error, gles_error(g));
    }
    gles_send(g, p->opcode, "uid", 5, -3, values, p->element); /* a count below zero */
    (void)gles_error(g);
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

/* One of the family, by its index. */
SLT_TEST_F(gles_guard, indices_past_the_last_are_errors, t)
{
    struct gles_guest *g = t->g;
    static const uint8_t values[16];
    static const uint32_t wrong[] = {16, 0x0fffffff, 0x80000000u, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        SLT_SCOPE("%u", wrong[i]);
        gles_send(g, GLESX_OP_glViewportIndexedfOES, "uffff", wrong[i], 0., 0., 1., 1.);
        SLT_EXPECT_EQ((uint32_t)GL_INVALID_VALUE, gles_error(g));
        gles_send(g, GLESX_OP_glViewportIndexedfvOES, "ud", wrong[i], values, 16);
        SLT_EXPECT_EQ((uint32_t)GL_INVALID_VALUE, gles_error(g));
        gles_send(g, GLESX_OP_glScissorIndexedOES, "uiiii", wrong[i], 0, 0, 1, 1);
        SLT_EXPECT_EQ((uint32_t)GL_INVALID_VALUE, gles_error(g));
        gles_send(g, GLESX_OP_glScissorIndexedvOES, "ud", wrong[i], values, 16);
        SLT_EXPECT_EQ((uint32_t)GL_INVALID_VALUE, gles_error(g));
        gles_send(g, GLESX_OP_glDepthRangeIndexedfOES, "uff", wrong[i], 0., 1.);
        SLT_EXPECT_EQ((uint32_t)GL_INVALID_VALUE, gles_error(g));
    }
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}
