/* glGet*, errors, and a context whose host is gone. */
#include "guest/gles/ggl_query.h"
#include "tests/support/ggl_script.h"
#include "tests/support/slt.h"

#include "wire/gles2_opcodes.h"
#include "wire/glesx_opcodes.h"

#include <string.h>

static void init(struct ggl_script *s)
{
    ggl_script_init(s, 30, GGL_FEATURE_SLUICE | GGL_FEATURE_HOST_ERROR);
}
SLT_FIXTURE(ggl_query, struct ggl_script, init, ggl_script_finish);

SLT_TEST(ggl_parameters, are_sorted_and_counted)
{
    SLT_EXPECT_TRUE(ggl_parameters_sorted());
    SLT_EXPECT_EQ(4u, ggl_parameter_count(GL_VIEWPORT));
    SLT_EXPECT_EQ(2u, ggl_parameter_count(GL_MAX_VIEWPORT_DIMS));
    SLT_EXPECT_EQ(4u, ggl_parameter_count(GL_COLOR_WRITEMASK));
    SLT_EXPECT_EQ(1u, ggl_parameter_count(GL_MAX_TEXTURE_SIZE));
}

SLT_TEST_F(ggl_query, driver_constants_are_asked_once, s)
{
    uint32_t opcodes[4];
    GLint value = 0;
    GLfloat real = 0;
    ggl_script_reply(s, "\0\x20\0\0", 4);
    ggl_glGetIntegerv(GL_MAX_TEXTURE_SIZE, &value);
    SLT_EXPECT_EQ(8192, value);
    SLT_EXPECT_EQ(1u, ggl_script_opcodes(s, opcodes, 4));
    ggl_glGetFloatv(GL_MAX_TEXTURE_SIZE, &real);
    SLT_EXPECT_NEAR(8192.0, real, 0.0);
    SLT_EXPECT_EQ(0u, ggl_script_opcodes(s, opcodes, 4));
}

SLT_TEST_F(ggl_query, unknown_parameters_write_nothing, s)
{
    GLint value = 77;
    ggl_script_reply(s,
                     "\0\0\0\0"
                     "\1\1\1\1"
                     "\0\5\0\0",
                     12); /* no error; a value; GL_INVALID_ENUM */
    ggl_glGetIntegerv(0x1234, &value);
    SLT_EXPECT_EQ(77, value);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_ENUM, ggl_glGetError());
    ggl_script_reply(s,
                     "\1\0\0\0"
                     "\0\0\0\0",
                     8); /* nothing was called since the last error query */
    ggl_glGetIntegerv(0x1235, &value);
    SLT_EXPECT_EQ(1, value);
    SLT_EXPECT_EQ((GLenum)GL_NO_ERROR, ggl_glGetError());
}

SLT_TEST_F(ggl_query, parameters_of_later_versions_are_left_to_the_host, s)
{
    size_t size;
    GLint value = 77;
    s->context->version = 20;
    ggl_script_reply(s,
                     "\0\0\0\0"
                     "\1\1\1\1"
                     "\0\5\0\0",
                     12);
    ggl_glGetIntegerv(GL_MAX_3D_TEXTURE_SIZE, &value);
    SLT_EXPECT_EQ(77, value);
    (void)ggl_script_take(s, &size);
    SLT_EXPECT_EQ(8u + 16 + 8, size);
}

SLT_TEST_F(ggl_query, refused_queries_write_nothing, s)
{
    uint32_t opcodes[8];
    GLint value = 77;
    ggl_script_reply(s,
                     "\1\5\0\0"
                     "\1\1\1\1"
                     "\0\5\0\0",
                     12); /* an error of before; a value; GL_INVALID_ENUM */
    ggl_glGetShaderiv(1, 0x1234, &value);
    SLT_EXPECT_EQ(77, value);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_VALUE, ggl_glGetError());
    SLT_EXPECT_EQ((GLenum)GL_NO_ERROR, ggl_glGetError());
    SLT_EXPECT_EQ(3u, ggl_script_opcodes(s, opcodes, 8));
    SLT_EXPECT_EQ((uint32_t)GLES2_OP_glGetError, opcodes[0]);
    SLT_EXPECT_EQ((uint32_t)GLES2_OP_glGetShaderiv, opcodes[1]);
    SLT_EXPECT_EQ((uint32_t)GLES2_OP_glGetError, opcodes[2]);
}

SLT_TEST_F(ggl_query, refused_reads_write_nothing, s)
{
    uint32_t opcodes[16];
    uint8_t pixel[4] = {7, 7, 7, 7};
    ggl_script_reply(s,
                     "\0\0\0\0"
                     "\2\5\0\0"
                     "\1\1\1\1"
                     "\2\5\0\0",
                     16); /* no error; GL_INVALID_OPERATION of no pixels; pixels; and again */
    ggl_glReadPixels(0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, pixel);
    SLT_EXPECT_MEMEQ("\7\7\7\7", pixel, 4);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, ggl_glGetError());
    SLT_EXPECT_EQ((GLenum)GL_NO_ERROR, ggl_glGetError());
    ggl_script_reply(s, "\0\0\0\0\1\2\3\4", 8);
    ggl_glReadPixels(0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, pixel);
    SLT_EXPECT_MEMEQ("\1\2\3\4", pixel, 4);
    SLT_EXPECT_EQ(5u + 4, ggl_script_opcodes(s, opcodes, 16)); /* nothing came between */
}

SLT_TEST_F(ggl_query, a_read_ends_its_reply, s)
{
    uint8_t pixel[4];
    s->context->features = 0;
    ggl_pack(s->context)->tail = 8;
    ggl_glReadPixels(0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, pixel);
    SLT_EXPECT_EQ(1u, s->checks);
}

SLT_TEST_F(ggl_query, the_first_error_wins, s)
{
    size_t size;
    ggl_script_reply(s, "\1\5\0\0", 4); /* the host found GL_INVALID_VALUE earlier */
    gles2_pack_glClear(ggl_pack(s->context), 0xffff);
    ggl_error(s->context, GL_INVALID_ENUM);
    ggl_error(s->context, GL_INVALID_OPERATION);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_VALUE, ggl_glGetError());
    SLT_EXPECT_EQ((GLenum)GL_NO_ERROR, ggl_glGetError());
    (void)ggl_script_take(s, &size);
    s->context->quiet = false;
    ggl_script_reply(s, "\0\0\0\0", 4);
    ggl_error(s->context, GL_INVALID_ENUM);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_ENUM, ggl_glGetError());
}

SLT_TEST_F(ggl_query, no_error_is_asked_for_twice, s)
{
    uint32_t opcodes[4];
    gles2_pack_glClear(ggl_pack(s->context), 0);
    (void)ggl_glGetError();
    (void)ggl_glGetError();
    (void)ggl_glGetError();
    SLT_EXPECT_EQ(2u, ggl_script_opcodes(s, opcodes, 4));
}

SLT_TEST_F(ggl_query, features_are_whole_words, s)
{
    (void)s;
    SLT_EXPECT_EQ(0u, ggl_features_parse(""));
    SLT_EXPECT_EQ(
        0u, ggl_features_parse("ANDROID_EMU_async_unmap_buffers xANDROID_EMU_async_unmap_buffer"));
    SLT_EXPECT_EQ(
        (uint32_t)(GGL_FEATURE_ASYNC_UNMAP | GGL_FEATURE_HOST_ERROR),
        ggl_features_parse("GL_x  ANDROID_EMU_async_unmap_buffer ANDROID_EMU_gles_use_host_error"));
}

SLT_TEST_F(ggl_query, a_lost_context_says_so_and_hangs_nobody, s)
{
    GLuint available = 0;
    GLint status = 0;
    static const uint8_t handle[8] = {1};
    ggl_script_reply(s, handle, 8);
    GLsync sync = ggl_glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    s->stream.ring.dead = true;
    SLT_EXPECT_TRUE(ggl_context_lost(s->context));
    SLT_EXPECT_EQ((GLenum)GL_CONTEXT_LOST, ggl_glGetError());
    int more = 0;
    while (ggl_glGetError() != GL_NO_ERROR && more < 10) {
        more++;
    }
    SLT_EXPECT_LT(more, 10);
    SLT_EXPECT_EQ((GLenum)GL_ALREADY_SIGNALED, ggl_glClientWaitSync(sync, 0, 1000));
    ggl_glGetSynciv(sync, GL_SYNC_STATUS, 1, NULL, &status);
    SLT_EXPECT_EQ(GL_SIGNALED, status);
    ggl_glGetQueryObjectuiv(1, GL_QUERY_RESULT_AVAILABLE, &available);
    SLT_EXPECT_EQ(1u, available);
    SLT_EXPECT_EQ((GLenum)GL_NO_ERROR, ggl_glGetGraphicsResetStatusEXT()); /* it did not ask */
    s->context->lose_on_reset = true;
    SLT_EXPECT_EQ((GLenum)GL_UNKNOWN_CONTEXT_RESET_EXT, ggl_glGetGraphicsResetStatusEXT());
    SLT_EXPECT_EQ((GLenum)GL_NO_ERROR, ggl_glGetGraphicsResetStatusEXT());
    ggl_glFinish();
    ggl_glLinkProgram(4);
    (void)ggl_glGetString(GL_VENDOR);
    SLT_EXPECT_EQ((GLenum)GL_CONTEXT_LOST, ggl_glGetError()); /* for the calls since */
}

SLT_TEST_F(ggl_query, strings_are_cut_to_known_extensions, s)
{
    static const char text[] = "ANDROID_EMU_native_sync GL_OES_depth24 GL_OES_rgb8_rgba8 ";
    uint8_t reply[4 + sizeof text + 4];
    int32_t need = -(int32_t)sizeof text, got = sizeof text;
    memcpy(reply, &need, 4);
    memcpy(reply + 4, text, sizeof text);
    memcpy(reply + 4 + sizeof text, &got, 4);
    ggl_script_reply(s, reply, sizeof reply);
    SLT_EXPECT_STREQ("GL_OES_depth24 GL_OES_rgb8_rgba8 ",
                     (const char *)ggl_glGetString(GL_EXTENSIONS));
    GLint count = 0;
    ggl_glGetIntegerv(GL_NUM_EXTENSIONS, &count);
    SLT_EXPECT_EQ(2, count);
    SLT_EXPECT_STREQ("GL_OES_rgb8_rgba8", (const char *)ggl_glGetStringi(GL_EXTENSIONS, 1));
    SLT_EXPECT_NULL(ggl_glGetStringi(GL_EXTENSIONS, 2));
    SLT_EXPECT_EQ((GLenum)GL_INVALID_VALUE, s->context->error);
}

SLT_TEST_F(ggl_query, stray_syncs_never_reach_the_host, s)
{
    uint32_t opcodes[4];
    GLsync stray = (GLsync)(uintptr_t)0xdead;
    SLT_EXPECT_EQ((GLenum)GL_WAIT_FAILED, ggl_glClientWaitSync(stray, 0, 0));
    ggl_glDeleteSync(stray);
    ggl_glWaitSync(stray, 0, GL_TIMEOUT_IGNORED);
    SLT_EXPECT_EQ(GL_FALSE, ggl_glIsSync(stray));
    ggl_glDeleteSync(NULL);
    size_t count = ggl_script_opcodes(s, opcodes, 4);
    for (size_t i = 0; i < count; i++) {
        SLT_EXPECT_EQ((uint32_t)GLES2_OP_glGetError, opcodes[i]);
    }
    SLT_EXPECT_EQ((GLenum)GL_INVALID_VALUE, ggl_glGetError());
}

SLT_TEST_F(ggl_query, framebuffer_bindings_cost_nothing, s)
{
    size_t size;
    GLint name = 0;
    const GLuint five = 5;
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 5);
    ggl_glBindFramebuffer(GL_READ_FRAMEBUFFER, 6);
    (void)ggl_script_take(s, &size);
    ggl_glGetIntegerv(GL_FRAMEBUFFER_BINDING, &name);
    SLT_EXPECT_EQ(5, name);
    ggl_glGetIntegerv(GL_READ_FRAMEBUFFER_BINDING, &name);
    SLT_EXPECT_EQ(6, name);
    (void)ggl_script_take(s, &size);
    SLT_EXPECT_EQ(0u, size);
    ggl_glDeleteFramebuffers(1, &five);
    ggl_glGetIntegerv(GL_FRAMEBUFFER_BINDING, &name);
    SLT_EXPECT_EQ(0, name);
}

SLT_TEST_F(ggl_query, framebuffer_0_needs_a_surface, s)
{
    ggl_surface_size(s->context, 0, 0);
    SLT_EXPECT_EQ((GLenum)GL_FRAMEBUFFER_UNDEFINED, ggl_glCheckFramebufferStatus(GL_FRAMEBUFFER));
    ggl_surface_size(s->context, 64, 64);
    SLT_EXPECT_EQ((GLenum)GL_FRAMEBUFFER_COMPLETE, ggl_glCheckFramebufferStatus(GL_FRAMEBUFFER));
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 5);
    ggl_script_reply(s, "\xd6\x8c\0\0", 4);
    SLT_EXPECT_EQ((GLenum)GL_FRAMEBUFFER_INCOMPLETE_ATTACHMENT,
                  ggl_glCheckFramebufferStatus(GL_FRAMEBUFFER));
}

static void init_async(struct ggl_script *s)
{
    ggl_script_init(s, 30, GGL_FEATURE_SLUICE | GGL_FEATURE_HOST_ERROR | GGL_FEATURE_ASYNC_ERRORS);
}
SLT_FIXTURE(ggl_async_errors, struct ggl_script, init_async, ggl_script_finish);

SLT_TEST_F(ggl_async_errors, nobody_waits_and_the_host_is_told_once_for_each_call, s)
{
    uint32_t opcodes[4];
    SLT_EXPECT_EQ((GLenum)GL_NO_ERROR, ggl_glGetError());
    SLT_EXPECT_EQ((GLenum)GL_NO_ERROR, ggl_glGetError());
    SLT_EXPECT_EQ(1u, ggl_script_opcodes(s, opcodes, 4));
    SLT_EXPECT_EQ((uint32_t)GLESX_OP_glReportErrorSLUICE, opcodes[0]);
    ggl_glEnable(GL_BLEND);
    SLT_EXPECT_EQ((GLenum)GL_NO_ERROR, ggl_glGetError());
    SLT_EXPECT_EQ(2u, ggl_script_opcodes(s, opcodes, 4));
    SLT_EXPECT_EQ(0u, s->read);
    SLT_EXPECT_EQ(0u, s->flushes);
}

SLT_TEST_F(ggl_async_errors, what_the_host_left_comes_once, s)
{
    s->error = GL_INVALID_ENUM;
    SLT_EXPECT_EQ((GLenum)GL_INVALID_ENUM, ggl_glGetError());
    SLT_EXPECT_EQ((GLenum)GL_NO_ERROR, ggl_glGetError());
}

SLT_TEST_F(ggl_async_errors, the_guests_own_come_at_once, s)
{
    ggl_glDeleteBuffers(-1, NULL);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_VALUE, ggl_glGetError());
    SLT_EXPECT_EQ(0u, s->read);
}

SLT_TEST_F(ggl_async_errors, one_that_was_left_stays_with_its_context, s)
{
    struct ggl_context *other;
    const struct ggl_context_args args = {.version = 30, .features = GGL_FEATURE_ASYNC_ERRORS};
    SLT_ASSERT_OK(ggl_context_create(&args, &other));
    s->error = GL_INVALID_ENUM;
    ggl_make_current(other, &s->stream);
    SLT_EXPECT_EQ((GLenum)GL_NO_ERROR, ggl_glGetError());
    ggl_make_current(s->context, &s->stream);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_ENUM, ggl_glGetError());
    ggl_context_destroy(other);
}

SLT_TEST_F(ggl_async_errors, finishing_brings_all, s)
{
    uint32_t opcodes[4];
    ggl_glEnable(GL_BLEND);
    ggl_glFinish();
    SLT_EXPECT_EQ(3u, ggl_script_opcodes(s, opcodes, 4));
    SLT_EXPECT_EQ((uint32_t)GLESX_OP_glReportErrorSLUICE, opcodes[1]);
    SLT_EXPECT_EQ((uint32_t)GLES2_OP_glFinishRoundTrip, opcodes[2]);
}
