/* GLES 1: which function a name is, draws from client memory, what is answered here. */
#include "tests/support/ggl_script.h"
#include "tests/support/slt.h"

#include "guest/gles_entry.h"
#include "wire/gles1_opcodes.h"
#include "wire/gles2_opcodes.h"

#include <string.h>

static void init(struct ggl_script *s)
{
    ggl_script_init(s, 11, GGL_FEATURE_SLUICE | GGL_FEATURE_HOST_ERROR);
}
SLT_FIXTURE(ggl1, struct ggl_script, init, ggl_script_finish);

/* What an application calls. */
#define CALL(type, name) ((type)ggl_proc_find(name)->fn)
typedef void (*enum_uint)(GLenum, GLuint);
typedef void (*one_enum)(GLenum);
typedef GLenum (*get_error)(void);

/* The opcodes of what was packed are these. */
static bool packed(struct ggl_script *s, const uint32_t *wanted, size_t count)
{
    uint32_t got[16];
    return ggl_script_opcodes(s, got, 16) == count &&
           memcmp(got, wanted, count * sizeof *wanted) == 0;
}
#define PACKED(s, ...)                                                                             \
    packed(s, (const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4)

SLT_TEST_F(ggl1, a_name_is_of_the_current_context, s)
{
    struct ggl_script later;
    CALL(enum_uint, "glBindTexture")(GL_TEXTURE_2D, 3);
    CALL(one_enum, "glEnable")(GL_BLEND);
    CALL(one_enum, "glCullFace")(GL_BACK);
    SLT_EXPECT_TRUE(PACKED(s, GLES1_OP_glBindTexture, GLES1_OP_glEnable, GLES1_OP_glCullFace));
    ggl_script_init(&later, 30, GGL_FEATURE_SLUICE | GGL_FEATURE_HOST_ERROR);
    CALL(enum_uint, "glBindTexture")(GL_TEXTURE_2D, 3);
    CALL(one_enum, "glEnable")(GL_BLEND);
    CALL(one_enum, "glCullFace")(GL_BACK);
    SLT_EXPECT_TRUE(PACKED(&later, GLES2_OP_glBindTexture, GLES2_OP_glEnable, GLES2_OP_glCullFace));
    CALL(one_enum, "glShadeModel")(GL_FLAT); /* GLES 1's alone: an error, behind the host's */
    SLT_EXPECT_TRUE(PACKED(&later, GLES2_OP_glGetError));
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, CALL(get_error, "glGetError")());
    ggl_make_current(s->context, &s->stream);
    CALL(one_enum, "glUseProgram")(0); /* of GLES 2 alone */
    SLT_EXPECT_TRUE(PACKED(s, GLES1_OP_glGetError));
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, CALL(get_error, "glGetError")());
    CALL(one_enum, "glShadeModel")(GL_FLAT);
    SLT_EXPECT_TRUE(PACKED(s, GLES1_OP_glGetError, GLES1_OP_glShadeModel)); /* as it was asked */
    ggl_make_current(NULL, NULL);
    CALL(one_enum, "glEnable")(GL_BLEND);
    SLT_EXPECT_TRUE(PACKED(s));
    ggl_make_current(s->context, &s->stream);
    ggl_script_finish(&later);
}

SLT_TEST_F(ggl1, client_arrays_travel_with_the_draw, s)
{
    static const float places[12];
    ggl1_glEnableClientState(GL_VERTEX_ARRAY);
    ggl1_glVertexPointer(2, GL_FLOAT, 0, places);
    ggl1_glEnableClientState(GL_VERTEX_ARRAY); /* it is on */
    SLT_EXPECT_TRUE(PACKED(s, GLES1_OP_glEnableClientState));
    ggl1_glDrawArrays(GL_TRIANGLES, 3, 3);
    SLT_EXPECT_TRUE(PACKED(s, GLES1_OP_glVertexPointerData, GLES1_OP_glDrawArrays));
}

SLT_TEST_F(ggl1, an_array_in_a_buffer_moves_with_the_others, s)
{
    static const float places[12];
    ggl1_glEnableClientState(GL_VERTEX_ARRAY);
    ggl1_glVertexPointer(2, GL_FLOAT, 0, places);
    ggl1_glBindBuffer(GL_ARRAY_BUFFER, 5);
    ggl1_glClientActiveTexture(GL_TEXTURE1);
    ggl1_glEnableClientState(GL_TEXTURE_COORD_ARRAY);
    ggl1_glTexCoordPointer(2, GL_SHORT, 0, (void *)8);
    ggl1_glClientActiveTexture(GL_TEXTURE0);
    SLT_EXPECT_TRUE(PACKED(s, GLES1_OP_glEnableClientState, GLES1_OP_glBindBuffer,
                           GLES1_OP_glClientActiveTexture, GLES1_OP_glEnableClientState,
                           GLES1_OP_glTexCoordPointerOffset, GLES1_OP_glClientActiveTexture));
    ggl1_glDrawArrays(GL_TRIANGLES, 3, 3);
    SLT_EXPECT_TRUE(PACKED(s, GLES1_OP_glClientActiveTexture, GLES1_OP_glTexCoordPointerOffset,
                           GLES1_OP_glClientActiveTexture, GLES1_OP_glBindBuffer,
                           GLES1_OP_glVertexPointerData, GLES1_OP_glBindBuffer,
                           GLES1_OP_glDrawArrays, GLES1_OP_glClientActiveTexture,
                           GLES1_OP_glTexCoordPointerOffset, GLES1_OP_glClientActiveTexture));
}

SLT_TEST_F(ggl1, arrays_are_answered_here, s)
{
    static const float places[12];
    GLint value = 0;
    GLfixed fixed = 0;
    void *pointer = NULL;
    ggl1_glVertexPointer(3, GL_FLOAT, 20, places);
    ggl1_glGetIntegerv(GL_VERTEX_ARRAY_STRIDE, &value);
    SLT_EXPECT_EQ(20, value);
    ggl1_glGetFixedv(GL_VERTEX_ARRAY_SIZE, &fixed);
    SLT_EXPECT_EQ(3 * 65536, fixed);
    ggl1_glGetFixedv(GL_CLIENT_ACTIVE_TEXTURE, &fixed); /* more than 16.16 can say */
    SLT_EXPECT_EQ(INT32_MAX, fixed);
    ggl1_glGetPointerv(GL_VERTEX_ARRAY_POINTER, &pointer);
    SLT_EXPECT_TRUE(pointer == places);
    SLT_EXPECT_TRUE(ggl1_glIsEnabled(GL_VERTEX_ARRAY) == GL_FALSE);
    SLT_EXPECT_TRUE(PACKED(s));
}

SLT_TEST_F(ggl1, wrong_pointers_change_nothing, s)
{
    GLint value = 0;
    uint32_t opcodes[16];
    ggl1_glColorPointer(3, GL_UNSIGNED_BYTE, 0, NULL);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_VALUE, ggl_glGetError());
    ggl1_glColorPointer(4, GL_SHORT, 0, NULL);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_ENUM, ggl_glGetError());
    ggl1_glGetIntegerv(GL_COLOR_ARRAY_TYPE, &value);
    SLT_EXPECT_EQ(GL_FLOAT, value);
    size_t count = ggl_script_opcodes(s, opcodes, 16);
    for (size_t i = 0; i < count; i++) { /* the host is asked for the first error, and no more */
        SLT_EXPECT_EQ((uint32_t)GLES1_OP_glGetError, opcodes[i]);
    }
}

SLT_TEST_F(ggl1, a_map_reads_what_was_sent, s)
{
    static const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    ggl1_glBindBuffer(GL_ARRAY_BUFFER, 7);
    ggl_glBufferData(GL_ARRAY_BUFFER, sizeof bytes, bytes, GL_STATIC_DRAW);
    uint8_t *map = ggl_glMapBufferOES(GL_ARRAY_BUFFER, GL_WRITE_ONLY_OES);
    SLT_ASSERT_TRUE(map != NULL);
    SLT_EXPECT_TRUE(memcmp(map, bytes, sizeof bytes) == 0);
    SLT_EXPECT_TRUE(ggl_glUnmapBufferOES(GL_ARRAY_BUFFER) == GL_TRUE);
    SLT_EXPECT_TRUE(
        PACKED(s, GLES1_OP_glBindBuffer, GLES1_OP_glBufferData, GLES1_OP_glBufferSubData));
}
