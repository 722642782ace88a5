/* Buffers: which binds are sent, and what a map shows after whom wrote where. */
#include "tests/support/ggl_script.h"
#include "tests/support/slt.h"

#include "wire/gles2_opcodes.h"

#include <string.h>

static void init(struct ggl_script *s)
{
    ggl_script_init(s, 30, GGL_FEATURE_SLUICE | GGL_FEATURE_HOST_ERROR | GGL_FEATURE_ASYNC_UNMAP);
    ggl_glBindBuffer(GL_ARRAY_BUFFER, 4);
}
SLT_FIXTURE(ggl_buffer, struct ggl_script, init, ggl_script_finish);

static void forget(struct ggl_script *s)
{
    size_t size;
    (void)ggl_script_take(s, &size);
}

static size_t sent(struct ggl_script *s, uint32_t *first)
{
    uint32_t opcodes[8] = {0};
    size_t count = ggl_script_opcodes(s, opcodes, 8);
    *first = opcodes[0];
    return count;
}

SLT_TEST_F(ggl_buffer, a_bound_name_is_not_bound_again_until_names_die, s)
{
    uint32_t first;
    const GLuint other = 9;
    forget(s);
    ggl_glBindBuffer(GL_ARRAY_BUFFER, 4);
    SLT_EXPECT_EQ(0u, sent(s, &first));
    ggl_glDeleteBuffers(1, &other);
    forget(s);
    ggl_glBindBuffer(GL_ARRAY_BUFFER, 4); /* may be another buffer of the same name by now */
    SLT_EXPECT_EQ(1u, sent(s, &first));
    ggl_glBindBuffer(GL_ARRAY_BUFFER, 4);
    SLT_EXPECT_EQ(0u, sent(s, &first));
}

SLT_TEST_F(ggl_buffer, a_map_without_invalidation_shows_what_the_host_has, s)
{
    uint32_t first;
    ggl_glBufferData(GL_ARRAY_BUFFER, 16, "0123456789abcdef", GL_STATIC_DRAW);
    forget(s);
    ggl_script_reply(s, "4567", 4);
    char *map = ggl_glMapBufferRange(GL_ARRAY_BUFFER, 4, 4, GL_MAP_WRITE_BIT);
    SLT_ASSERT_TRUE(map != NULL);
    SLT_EXPECT_EQ(4u, s->read);
    SLT_EXPECT_MEMEQ("4567", map, 4);
    map[0] = 'x';
    SLT_EXPECT_EQ(GL_TRUE, ggl_glUnmapBuffer(GL_ARRAY_BUFFER));
    SLT_EXPECT_EQ(2u, sent(s, &first));
    map = ggl_glMapBufferRange(GL_ARRAY_BUFFER, 5, 2, GL_MAP_READ_BIT); /* inside what is known */
    SLT_EXPECT_EQ(0u, sent(s, &first));
    SLT_EXPECT_MEMEQ("56", map, 2);
    (void)ggl_glUnmapBuffer(GL_ARRAY_BUFFER);
    ggl_script_reply(s, "cd", 2);
    map = ggl_glMapBufferRange(GL_ARRAY_BUFFER, 12, 2, GL_MAP_READ_BIT); /* outside */
    SLT_EXPECT_EQ(1u, sent(s, &first));
    SLT_EXPECT_MEMEQ("cd", map, 2);
}

SLT_TEST_F(ggl_buffer, writes_behind_the_guests_back_are_fetched, s)
{
    uint32_t first;
    ggl_glBufferData(GL_ARRAY_BUFFER, 4, NULL, GL_STATIC_DRAW);
    forget(s);
    const char *map = ggl_glMapBufferRange(GL_ARRAY_BUFFER, 0, 4, GL_MAP_READ_BIT);
    SLT_EXPECT_EQ(0u, sent(s, &first)); /* new storage: anything goes */
    (void)ggl_glUnmapBuffer(GL_ARRAY_BUFFER);
    ggl_glBindBuffer(GL_COPY_READ_BUFFER, 5);
    ggl_glCopyBufferSubData(GL_COPY_READ_BUFFER, GL_ARRAY_BUFFER, 0, 0, 4);
    forget(s);
    ggl_script_reply(s, "copy", 4);
    map = ggl_glMapBufferRange(GL_ARRAY_BUFFER, 0, 4, GL_MAP_READ_BIT);
    SLT_EXPECT_MEMEQ("copy", map, 4);
    (void)ggl_glUnmapBuffer(GL_ARRAY_BUFFER);
    ggl_glBindBufferBase(GL_TRANSFORM_FEEDBACK_BUFFER, 0, 4);
    ggl_script_reply(s, "fed1fed2", 8);
    map = ggl_glMapBufferRange(GL_ARRAY_BUFFER, 0, 4, GL_MAP_READ_BIT);
    SLT_EXPECT_MEMEQ("fed1", map, 4);
    (void)ggl_glUnmapBuffer(GL_ARRAY_BUFFER);
    map = ggl_glMapBufferRange(GL_ARRAY_BUFFER, 0, 4, GL_MAP_READ_BIT); /* and every time after */
    SLT_EXPECT_MEMEQ("fed2", map, 4);
}

SLT_TEST_F(ggl_buffer, sub_data_reaches_a_copy_that_is_kept, s)
{
    uint32_t first;
    ggl_glBufferData(GL_ARRAY_BUFFER, 4, NULL, GL_STATIC_DRAW);
    char *map = ggl_glMapBufferRange(GL_ARRAY_BUFFER, 0, 4,
                                     GL_MAP_WRITE_BIT | GL_MAP_INVALIDATE_BUFFER_BIT);
    memcpy(map, "wxyz", 4);
    (void)ggl_glUnmapBuffer(GL_ARRAY_BUFFER);
    ggl_glBufferSubData(GL_ARRAY_BUFFER, 1, 2, "XY");
    forget(s);
    map = ggl_glMapBufferRange(GL_ARRAY_BUFFER, 0, 4, GL_MAP_READ_BIT);
    SLT_EXPECT_EQ(0u, sent(s, &first));
    SLT_EXPECT_MEMEQ("wXYz", map, 4);
}

struct map_case {
    const char *label;
    GLintptr offset;
    GLsizeiptr length;
    GLbitfield access;
    GLenum want;
};
static const struct map_case map_cases[] = {
    {"negative_offset", -1, 4, GL_MAP_READ_BIT, GL_INVALID_VALUE},
    {"negative_length", 0, -4, GL_MAP_READ_BIT, GL_INVALID_VALUE},
    {"past_the_end", 13, 4, GL_MAP_READ_BIT, GL_INVALID_VALUE},
    {"wrapping", INTPTR_MAX, INTPTR_MAX, GL_MAP_READ_BIT, GL_INVALID_VALUE},
    {"nothing", 0, 0, GL_MAP_READ_BIT, GL_INVALID_OPERATION},
    {"no_access", 0, 4, 0, GL_INVALID_OPERATION},
    {"unknown_access", 0, 4, 0x8000 | GL_MAP_READ_BIT, GL_INVALID_VALUE},
    {"read_invalidated", 0, 4, GL_MAP_READ_BIT | GL_MAP_INVALIDATE_RANGE_BIT, GL_INVALID_OPERATION},
    {"read_unsynchronized", 0, 4, GL_MAP_READ_BIT | GL_MAP_UNSYNCHRONIZED_BIT,
     GL_INVALID_OPERATION},
    {"flush_without_write", 0, 4, GL_MAP_READ_BIT | GL_MAP_FLUSH_EXPLICIT_BIT,
     GL_INVALID_OPERATION},
};

SLT_TEST_FP(ggl_buffer, refuses_maps_as_a_driver_does, s, struct map_case, map_cases, c)
{
    ggl_glBufferData(GL_ARRAY_BUFFER, 16, NULL, GL_STATIC_DRAW);
    SLT_EXPECT_NULL(ggl_glMapBufferRange(GL_ARRAY_BUFFER, c->offset, c->length, c->access));
    SLT_EXPECT_EQ(c->want, s->context->error);
}

SLT_TEST_F(ggl_buffer, a_mapped_buffer_is_left_alone, s)
{
    void *pointer = NULL;
    GLint value = 0;
    ggl_glBufferData(GL_ARRAY_BUFFER, 16, NULL, GL_STATIC_DRAW);
    char *map = ggl_glMapBufferRange(GL_ARRAY_BUFFER, 4, 8, GL_MAP_WRITE_BIT);
    ggl_glGetBufferPointerv(GL_ARRAY_BUFFER, GL_BUFFER_MAP_POINTER, &pointer);
    SLT_EXPECT_TRUE(pointer == map);
    ggl_glGetBufferParameteriv(GL_ARRAY_BUFFER, GL_BUFFER_MAP_LENGTH, &value);
    SLT_EXPECT_EQ(8, value);
    ggl_glBufferSubData(GL_ARRAY_BUFFER, 0, 1, "x");
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, s->context->error);
    s->context->error = 0;
    SLT_EXPECT_NULL(ggl_glMapBufferRange(GL_ARRAY_BUFFER, 0, 1, GL_MAP_READ_BIT));
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, s->context->error);
    s->context->error = 0;
    ggl_glBufferData(GL_ARRAY_BUFFER, 16, NULL, GL_STATIC_DRAW); /* unmaps */
    SLT_EXPECT_EQ(GL_FALSE, ggl_glUnmapBuffer(GL_ARRAY_BUFFER));
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, s->context->error);
}

SLT_TEST_F(ggl_buffer, share_groups_see_one_buffer, s)
{
    struct ggl_script other = *s;
    const struct ggl_context_args args = {
        .version = 30, .features = GGL_FEATURE_SLUICE, .share = s->context};
    GLint size = 0;
    ggl_glBufferData(GL_ARRAY_BUFFER, 24, NULL, GL_STATIC_DRAW);
    SLT_ASSERT_OK(ggl_context_create(&args, &other.context));
    ggl_make_current(other.context, &s->stream);
    ggl_glBindBuffer(GL_COPY_WRITE_BUFFER, 4);
    ggl_glGetBufferParameteriv(GL_COPY_WRITE_BUFFER, GL_BUFFER_SIZE, &size);
    SLT_EXPECT_EQ(24, size);
    ggl_context_destroy(other.context);
    ggl_make_current(s->context, &s->stream);
}

SLT_TEST_F(ggl_buffer, what_is_noted_of_a_buffer_ends_with_any_change_of_it, s)
{
    uint32_t first;
    ggl_glBufferData(GL_ARRAY_BUFFER, 8, NULL, GL_STATIC_DRAW);
    for (int i = 0; i < 3; i++) { /* from the second on it is known to be plain */
        forget(s);
        ggl_glBufferSubData(GL_ARRAY_BUFFER, 0, 4, "host");
        SLT_EXPECT_EQ(1u, sent(s, &first));
    }
    ggl_script_reply(s, "hostfile", 8);
    char *map = ggl_glMapBufferRange(GL_ARRAY_BUFFER, 0, 8, GL_MAP_READ_BIT);
    SLT_ASSERT_TRUE(map != NULL);
    forget(s);
    ggl_glBufferSubData(GL_ARRAY_BUFFER, 0, 4, "lost");
    uint32_t opcodes[4] = {0};
    size_t count = ggl_script_opcodes(s, opcodes, 4);
    for (size_t i = 0; i < count; i++) {
        SLT_EXPECT_TRUE(opcodes[i] != GLES2_OP_glBufferSubData);
    }
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_OPERATION, s->context->error);
    (void)ggl_glUnmapBuffer(GL_ARRAY_BUFFER);
    ggl_glBufferSubData(GL_ARRAY_BUFFER, 0, 4, "copy");
    map = ggl_glMapBufferRange(GL_ARRAY_BUFFER, 0, 8, GL_MAP_READ_BIT);
    SLT_EXPECT_MEMEQ("copyfile", map, 8);
    (void)ggl_glUnmapBuffer(GL_ARRAY_BUFFER);
}
