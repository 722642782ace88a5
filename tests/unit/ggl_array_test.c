/* Draws from client memory: what is read, what is moved, what the host is told. */
#include "tests/support/ggl_script.h"
#include "tests/support/slt.h"

#include "wire/gles2_opcodes.h"

#include <stdlib.h>
#include <string.h>

static void init(struct ggl_script *s)
{
    ggl_script_init(s, 30, GGL_FEATURE_SLUICE | GGL_FEATURE_HOST_ERROR);
}
SLT_FIXTURE(ggl_array, struct ggl_script, init, ggl_script_finish);

/* A program whose attribute "a" (vec4) is at `location` is current; its table is fetched by the
 * next draw with client arrays. */
static void use_program(struct ggl_script *s, GLuint name)
{
    size_t size;
    ggl_script_reply(s, &name, sizeof name);
    ggl_glLinkProgram(ggl_glCreateProgram());
    ggl_glUseProgram(name);
    (void)ggl_script_take(s, &size);
}

static const uint8_t one_attribute_at_0[] = {1, 0, 0, 0,    1,    0, 0, 0,   2, 0, 0, 0, 1,
                                             0, 0, 0, 0x52, 0x8b, 0, 0, 'a', 0, 0, 0, 0, 0};

/* The packets left after the program's table was asked for. */
static const uint8_t *after_queries(struct ggl_script *s, size_t *size)
{
    const uint8_t *p = ggl_script_take(s, size);
    for (;;) {
        uint32_t header[2];
        memcpy(header, p, sizeof header);
        if (*size < 8 ||
            (header[0] != GLES2_OP_glGetProgramiv && header[0] != GLES2_OP_glGetActiveAttrib &&
             header[0] != GLES2_OP_glGetAttribLocation)) {
            return p;
        }
        p += header[1];
        *size -= header[1];
    }
}

static uint32_t word(const uint8_t *p, size_t index)
{
    uint32_t v;
    memcpy(&v, p + index * 4, 4);
    return v;
}

SLT_TEST_F(ggl_array, attributes_the_program_does_not_read_are_left_alone, s)
{
    size_t size;
    static const float position[4] = {1, 2, 3, 4};
    use_program(s, 3);
    ggl_script_reply(s, one_attribute_at_0, sizeof one_attribute_at_0);
    ggl_glEnableVertexAttribArray(0);
    ggl_glEnableVertexAttribArray(5);
    ggl_glVertexAttribPointer(0, 4, GL_FLOAT, GL_FALSE, 0, position);
    ggl_glVertexAttribPointer(5, 4, GL_FLOAT, GL_FALSE, 0, (const void *)16); /* nobody's memory */
    (void)ggl_script_take(s, &size);
    ggl_glDrawArrays(GL_POINTS, 0, 1);
    const uint8_t *p = after_queries(s, &size);
    SLT_EXPECT_EQ(8u + 21 + 4 + 16 + 4 + 20 - 4, size);
    SLT_EXPECT_EQ((uint32_t)GLES2_OP_glVertexAttribPointerData, word(p, 0));
    SLT_EXPECT_EQ(0u, word(p, 2));
}

SLT_TEST_F(ggl_array, the_table_of_a_program_is_asked_for_once, s)
{
    uint32_t opcodes[16];
    static const float position[16];
    use_program(s, 3);
    ggl_script_reply(s, one_attribute_at_0, sizeof one_attribute_at_0);
    ggl_glEnableVertexAttribArray(0);
    ggl_glVertexAttribPointer(0, 4, GL_FLOAT, GL_FALSE, 0, position);
    ggl_glDrawArrays(GL_POINTS, 0, 1);
    (void)ggl_script_opcodes(s, opcodes, 16);
    ggl_glDrawArrays(GL_POINTS, 0, 1);
    SLT_EXPECT_EQ(2u, ggl_script_opcodes(s, opcodes, 16));
    ggl_script_reply(s, one_attribute_at_0, sizeof one_attribute_at_0);
    ggl_glLinkProgram(3);
    ggl_glDrawArrays(GL_POINTS, 0, 1);
    SLT_EXPECT_EQ(1u + 5 + 2, ggl_script_opcodes(s, opcodes, 16));
}

/* The host refused the second program: the first one's attributes are read. */
SLT_TEST_F(ggl_array, a_program_that_was_never_linked_is_not_the_current_one, s)
{
    static const uint8_t used[] = {3, 0, 0, 0};
    static const float position[16];
    size_t size;
    use_program(s, 3);
    ggl_script_reply(s, one_attribute_at_0, sizeof one_attribute_at_0);
    ggl_glEnableVertexAttribArray(0);
    ggl_glVertexAttribPointer(0, 4, GL_FLOAT, GL_FALSE, 0, position);
    ggl_glDrawArrays(GL_POINTS, 0, 1);
    ggl_glUseProgram(9);
    (void)ggl_script_take(s, &size);
    ggl_script_reply(s, used, sizeof used);
    uint32_t opcodes[8];
    ggl_glDrawArrays(GL_POINTS, 0, 1);
    const uint32_t want[] = {GLES2_OP_glGetIntegerv, GLES2_OP_glVertexAttribPointerData,
                             GLES2_OP_glDrawArrays};
    SLT_ASSERT_EQ(3u, ggl_script_opcodes(s, opcodes, 8));
    SLT_EXPECT_MEMEQ(want, opcodes, sizeof want);
}

SLT_TEST_F(ggl_array, draws_from_buffers_need_no_table, s)
{
    uint32_t opcodes[8];
    use_program(s, 3);
    ggl_glBindBuffer(GL_ARRAY_BUFFER, 7);
    ggl_glVertexAttribPointer(0, 4, GL_FLOAT, GL_FALSE, 0, NULL);
    ggl_glEnableVertexAttribArray(0);
    ggl_glDrawArrays(GL_TRIANGLES, 9, 3);
    const uint32_t want[] = {GLES2_OP_glBindBuffer, GLES2_OP_glVertexAttribPointerOffset,
                             GLES2_OP_glEnableVertexAttribArray, GLES2_OP_glDrawArrays};
    SLT_ASSERT_EQ(4u, ggl_script_opcodes(s, opcodes, 8));
    SLT_EXPECT_MEMEQ(want, opcodes, sizeof want);
    SLT_EXPECT_EQ(0u, s->read);
}

/* gl_VertexID counts from the application's first vertex: nothing may be moved. */
SLT_TEST_F(ggl_array, shaders_that_read_the_vertex_number_see_the_applications, s)
{
    size_t size;
    static const float position[4][4] = {{0}, {0}, {1, 2, 3, 4}, {0}};
    const char *text = "void main(){gl_Position=vec4(float(gl_VertexID));}";
    ggl_glShaderSource(6, 1, &text, NULL);
    use_program(s, 3);
    ggl_script_reply(s, one_attribute_at_0, sizeof one_attribute_at_0);
    ggl_glEnableVertexAttribArray(0);
    ggl_glVertexAttribPointer(0, 4, GL_FLOAT, GL_FALSE, 0, position);
    (void)ggl_script_take(s, &size);
    ggl_glDrawArrays(GL_POINTS, 2, 1);
    const uint8_t *p = after_queries(s, &size);
    static const float want[3][4] = {{0}, {0}, {1, 2, 3, 4}};
    SLT_ASSERT_EQ(8u + 21 + 4 + 48 + 20, size);
    SLT_EXPECT_MEMEQ(want, p + 8 + 21, sizeof want); /* zeros stand for vertices 0 and 1 */
    SLT_EXPECT_EQ(2u, word(p + 81, 3));
}

SLT_TEST_F(ggl_array, a_divisor_reads_one_element_for_so_many_instances, s)
{
    size_t size;
    static const float colour[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    use_program(s, 3);
    ggl_script_reply(s, one_attribute_at_0, sizeof one_attribute_at_0);
    ggl_glEnableVertexAttribArray(0);
    ggl_glVertexAttribPointer(0, 4, GL_FLOAT, GL_FALSE, 0, colour);
    ggl_glVertexAttribDivisor(0, 3);
    (void)ggl_script_take(s, &size);
    ggl_glDrawArraysInstanced(GL_POINTS, 100, 1000, 4); /* two elements, whatever the vertices */
    const uint8_t *p = after_queries(s, &size);
    SLT_EXPECT_EQ(32u, word(p + 25, 0));
    SLT_EXPECT_MEMEQ(colour, p + 29, sizeof colour);
}

SLT_TEST_F(ggl_array, indices_in_a_buffer_are_fetched_when_there_is_no_copy, s)
{
    uint32_t opcodes[16];
    static const float position[64];
    static const uint8_t reply[sizeof one_attribute_at_0 + 6] = {
        1,    0,    0, 0, 1,   0, 0, 0, 2, 0, 0, 0, 1,  0, 0, 0,
        0x52, 0x8b, 0, 0, 'a', 0, 0, 0, 0, 0, 9, 8, 10, 9, 9, 9};
    use_program(s, 3);
    ggl_glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, 4);
    ggl_glBufferData(GL_ELEMENT_ARRAY_BUFFER, 6, "abcdef",
                     GL_STATIC_DRAW); /* before client arrays were used: no copy is kept */
    ggl_glEnableVertexAttribArray(0);
    ggl_glVertexAttribPointer(0, 4, GL_FLOAT, GL_FALSE, 0, position);
    (void)ggl_script_opcodes(s, opcodes, 16);
    ggl_script_reply(s, reply, sizeof reply);
    ggl_glDrawElements(GL_TRIANGLES, 3, GL_UNSIGNED_BYTE, NULL);
    const uint32_t want[] = {GLES2_OP_glGetProgramiv,
                             GLES2_OP_glGetProgramiv,
                             GLES2_OP_glGetProgramiv,
                             GLES2_OP_glGetActiveAttrib,
                             GLES2_OP_glGetAttribLocation,
                             GLES2_OP_glMapBufferRangeAEMU,
                             GLES2_OP_glVertexAttribPointerData,
                             GLES2_OP_glDrawElementsData};
    SLT_ASSERT_EQ(8u, ggl_script_opcodes(s, opcodes, 16));
    SLT_EXPECT_MEMEQ(want, opcodes, sizeof want);
    ggl_glDrawElements(GL_TRIANGLES, 3, GL_UNSIGNED_BYTE, NULL);
    SLT_EXPECT_EQ(2u, ggl_script_opcodes(s, opcodes, 16)); /* the copy is kept */
    ggl_glBufferSubData(GL_ELEMENT_ARRAY_BUFFER, 0, 1, "x");
    SLT_EXPECT_EQ(1u, ggl_script_opcodes(s, opcodes, 16)); /* it stays bound */
}

/* Buffer 4 with three indices is bound, and drawn with vertices of client memory. Nobody answers
 * any more. */
static void draw_indexed_client(struct ggl_script *s, const void *vertices)
{
    uint32_t opcodes[16];
    use_program(s, 3);
    ggl_script_reply(s, one_attribute_at_0, sizeof one_attribute_at_0);
    ggl_glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, 4);
    ggl_glBufferData(GL_ELEMENT_ARRAY_BUFFER, 3, "\0\1\2", GL_STATIC_DRAW);
    ggl_glEnableVertexAttribArray(0);
    ggl_glVertexAttribPointer(0, 4, GL_FLOAT, GL_FALSE, 0, vertices);
    ggl_glDrawElements(GL_TRIANGLES, 3, GL_UNSIGNED_BYTE, NULL);
    (void)ggl_script_opcodes(s, opcodes, 16);
    ggl_script_reply(s, NULL, 0);
}

/* A stock host takes the indices for an address only while no buffer is bound. */
SLT_TEST_F(ggl_array, a_stock_host_gets_its_index_buffer_back_when_it_matters, s)
{
    uint32_t opcodes[16];
    static const float position[16];
    draw_indexed_client(s, position);
    s->context->features &= ~(uint32_t)GGL_FEATURE_SLUICE;
    ggl_glDrawElements(GL_TRIANGLES, 3, GL_UNSIGNED_BYTE, NULL);
    SLT_EXPECT_EQ(0u, s->context->vertex_array->element_host);
    (void)ggl_script_opcodes(s, opcodes, 16);
    ggl_glBufferSubData(GL_ELEMENT_ARRAY_BUFFER, 0, 1, "x");
    SLT_EXPECT_EQ(2u, ggl_script_opcodes(s, opcodes, 16)); /* bound again first */
    SLT_EXPECT_EQ((uint32_t)GLES2_OP_glBindBuffer, opcodes[0]);
}

static void delete_elsewhere(struct ggl_script *s, GLuint buffer)
{
    uint32_t opcodes[16];
    static const uint8_t names[] = {5, 0, 0, 0};
    GLuint array;
    ggl_script_reply(s, names, sizeof names);
    ggl_glGenVertexArrays(1, &array);
    ggl_glBindVertexArray(array);
    ggl_glDeleteBuffers(1, &buffer);
    ggl_glBindVertexArray(0);
    (void)ggl_script_opcodes(s, opcodes, 16);
}

SLT_TEST_F(ggl_array, a_deleted_index_buffer_stays_bound_where_it_lives_on, s)
{
    uint32_t opcodes[16];
    static const float position[16];
    draw_indexed_client(s, position);
    delete_elsewhere(s, 4);
    ggl_glDisableVertexAttribArray(0);
    (void)ggl_script_opcodes(s, opcodes, 16);
    ggl_glDrawElements(GL_TRIANGLES, 3, GL_UNSIGNED_BYTE, NULL);
    SLT_EXPECT_EQ(1u, ggl_script_opcodes(s, opcodes, 16));
    SLT_EXPECT_EQ((uint32_t)GLES2_OP_glDrawElementsOffset, opcodes[0]);
}

/* The driver cannot bind it again: from a draw of client memory on its copy is drawn. */
SLT_TEST_F(ggl_array, a_deleted_index_buffer_is_drawn_from_its_copy_once_it_was_unbound, s)
{
    uint32_t opcodes[16];
    size_t size;
    static const float position[16];
    draw_indexed_client(s, position);
    delete_elsewhere(s, 4);
    ggl_script_reply(s, "\0\1\2", 3);
    ggl_glDrawElements(GL_TRIANGLES, 3, GL_UNSIGNED_BYTE, NULL);
    const uint32_t want[] = {GLES2_OP_glMapBufferRangeAEMU, GLES2_OP_glBindBuffer,
                             GLES2_OP_glVertexAttribPointerData, GLES2_OP_glDrawElementsData};
    SLT_ASSERT_EQ(4u, ggl_script_opcodes(s, opcodes, 16));
    SLT_EXPECT_MEMEQ(want, opcodes, sizeof want);
    ggl_glDisableVertexAttribArray(0);
    (void)ggl_script_opcodes(s, opcodes, 16);
    ggl_glDrawElements(GL_TRIANGLES, 5, GL_UNSIGNED_BYTE, (void *)1); /* of which two are there */
    const uint8_t *p = ggl_script_take(s, &size);
    SLT_EXPECT_EQ((uint32_t)GLES2_OP_glDrawElementsData, word(p, 0));
    SLT_EXPECT_EQ(2u, word(p, 3));
    SLT_EXPECT_MEMEQ("\1\2", p + 24, 2);
}

SLT_TEST_F(ggl_array, indices_without_client_arrays_go_as_they_are, s)
{
    size_t size;
    static const uint16_t indices[3] = {500, 501, 502};
    ggl_glDrawElements(GL_TRIANGLES, 3, GL_UNSIGNED_SHORT, indices);
    const uint8_t *p = ggl_script_take(s, &size);
    SLT_ASSERT_EQ(34u, size);
    SLT_EXPECT_MEMEQ(indices, p + 24, 6);
}

SLT_TEST_F(ggl_array, hostile_draws_end_in_errors, s)
{
    static const uint8_t index = 0;
    s->context->features &= ~(uint32_t)GGL_FEATURE_SLUICE; /* our own host finds some itself */
    ggl_glDrawElements(GL_TRIANGLES, -1, GL_UNSIGNED_BYTE, &index);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_VALUE, s->context->error);
    s->context->error = 0;
    ggl_glDrawElements(GL_TRIANGLES, 3, GL_FLOAT, &index);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_ENUM, s->context->error);
    s->context->error = 0;
    ggl_glVertexAttribPointer(16, 4, GL_FLOAT, GL_FALSE, 0, &index);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_VALUE, s->context->error);
    s->context->error = 0;
    ggl_glVertexAttribPointer(0, 5, GL_FLOAT, GL_FALSE, 0, &index);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_VALUE, s->context->error);
    ggl_glDrawElements(GL_TRIANGLES, 3, GL_UNSIGNED_BYTE, NULL);
    ggl_glDrawRangeElements(GL_TRIANGLES, 2, 1, 3, GL_UNSIGNED_BYTE, &index);
    ggl_glDeleteVertexArrays(-1, NULL);
    ggl_glGenVertexArrays(1 << 30, NULL);
}

/* A count no client array can have: refused, not read. */
SLT_TEST_F(ggl_array, draws_past_the_packet_limit_are_refused, s)
{
    static const float position[4];
    use_program(s, 3);
    ggl_script_reply(s, one_attribute_at_0, sizeof one_attribute_at_0);
    ggl_glEnableVertexAttribArray(0);
    ggl_glVertexAttribPointer(0, 4, GL_FLOAT, GL_FALSE, 0, position);
    ggl_glDrawArrays(GL_TRIANGLES, 0, INT32_MAX);
    SLT_EXPECT_EQ((GLenum)GL_OUT_OF_MEMORY, s->context->error);
}

SLT_TEST_F(ggl_array, a_named_vertex_array_takes_no_client_memory, s)
{
    uint32_t opcodes[8];
    static const uint8_t names[] = {5, 0, 0, 0};
    static const float position[4];
    GLuint array;
    ggl_script_reply(s, names, sizeof names);
    ggl_glGenVertexArrays(1, &array);
    ggl_glBindVertexArray(array);
    (void)ggl_script_opcodes(s, opcodes, 8);
    ggl_glVertexAttribPointer(0, 4, GL_FLOAT, GL_FALSE, 0, position);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, s->context->error);
    s->context->error = 0;
    ggl_glEnableVertexAttribArray(0);
    ggl_glDrawArrays(GL_TRIANGLES, 0, 3);
    (void)ggl_script_opcodes(s, opcodes, 8);
    ggl_glBindVertexArray(77);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, s->context->error);
    SLT_EXPECT_EQ(5u, s->context->vertex_array->name);
    ggl_glDeleteVertexArrays(1, &array);
    SLT_EXPECT_EQ(0u, s->context->vertex_array->name);
}

SLT_TEST_F(ggl_array, deleting_a_buffer_leaves_no_address_behind, s)
{
    size_t size;
    const GLuint name = 7;
    use_program(s, 3);
    ggl_script_reply(s, one_attribute_at_0, sizeof one_attribute_at_0);
    ggl_glBindBuffer(GL_ARRAY_BUFFER, name);
    ggl_glVertexAttribPointer(0, 4, GL_FLOAT, GL_FALSE, 0, (const void *)64);
    ggl_glEnableVertexAttribArray(0);
    ggl_glDeleteBuffers(1, &name);
    (void)ggl_script_take(s, &size);
    ggl_glDrawArrays(GL_TRIANGLES, 0, 3); /* the offset is not read as an address */
    (void)after_queries(s, &size);
    SLT_EXPECT_EQ(20u, size);
}
