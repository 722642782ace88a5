/* Names in reserve, of each kind that has one; and what is asked of a surface once. */
#include "tests/support/ggl_script.h"
#include "tests/support/slt.h"

#include "transport/base/bytes.h"

static void init(struct ggl_script *s)
{
    ggl_script_init(s, 30, GGL_FEATURE_SLUICE | GGL_FEATURE_HOST_ERROR);
}
SLT_FIXTURE(ggl_spare, struct ggl_script, init, ggl_script_finish);

static void bind_texture(GLuint name)
{
    ggl_glBindTexture(GL_TEXTURE_2D, name);
}

static void bind_buffer(GLuint name)
{
    ggl_glBindBuffer(GL_ARRAY_BUFFER, name);
}

static void bind_renderbuffer(GLuint name)
{
    ggl_glBindRenderbuffer(GL_RENDERBUFFER, name);
}

static void bind_framebuffer(GLuint name)
{
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, name);
}

struct kind {
    const char *name;
    void (*gen)(GLsizei n, GLuint *names);
    void (*end)(GLsizei n, const GLuint *names);
    void (*bind)(GLuint name); /* one that was not given, too; NULL: that is an error */
};
static const struct kind kinds[] = {
    {"textures", ggl_glGenTextures, ggl_glDeleteTextures, bind_texture},
    {"buffers", ggl_glGenBuffers, ggl_glDeleteBuffers, bind_buffer},
    {"renderbuffers", ggl_glGenRenderbuffers, ggl_glDeleteRenderbuffers, bind_renderbuffer},
    {"framebuffers", ggl_glGenFramebuffers, ggl_glDeleteFramebuffers, bind_framebuffer},
    {"vertex arrays", ggl_glGenVertexArrays, ggl_glDeleteVertexArrays, NULL},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* glGen* with the host's answer; how many names it was asked for. */
static uint32_t gen(struct ggl_script *s, const struct kind *kind, GLsizei n, GLuint first,
                    GLuint *out)
{
    GLuint answer[GGL_SPARES];
    size_t size;
    for (GLuint i = 0; i < GGL_SPARES; i++) {
        answer[i] = first + i;
    }
    (void)ggl_script_take(s, &size);
    ggl_script_reply(s, answer, sizeof answer);
    kind->gen(n, out);
    const uint8_t *packet = ggl_script_take(s, &size);
    return size != 0 ? sl_load_u32(packet + 8) : 0;
}

SLT_TEST_F(ggl_spare, names_are_asked_for_in_growing_numbers, s)
{
    for (int i = 0; i < KINDS; i++) {
        const struct kind *k = &kinds[i];
        GLuint names[GGL_SPARES + 1] = {0};
        SLT_EXPECT_EQ(1u, gen(s, k, 1, 11, names));
        SLT_EXPECT_EQ(11u, names[0]);
        SLT_EXPECT_EQ(2u, gen(s, k, 1, 12, names));
        SLT_EXPECT_EQ(0u, gen(s, k, 1, 99, names));
        SLT_EXPECT_EQ(13u, names[0]);
        SLT_EXPECT_EQ(5u, gen(s, k, 5, 14, names));
        SLT_EXPECT_EQ(10u, gen(s, k, 3, 19, names));
        SLT_EXPECT_EQ(20u, gen(s, k, 10, 29, names)); /* seven are there */
        SLT_EXPECT_EQ(22u, names[0]);
        SLT_EXPECT_EQ(28u, names[6]);
        SLT_EXPECT_EQ(29u, names[7]);
        SLT_EXPECT_EQ(GGL_SPARES + 1u, gen(s, k, GGL_SPARES + 1, 70, names));
    }
}

SLT_TEST_F(ggl_spare, nobody_waits_for_names_that_have_no_place, s)
{
    for (int i = 0; kinds[i].bind != NULL; i++) { /* vertex arrays look themselves */
        const struct kind *k = &kinds[i];
        GLuint name = 0;
        SLT_EXPECT_EQ(3u, gen(s, k, 3, 5, NULL)); /* the host says what is wrong with it */
        SLT_EXPECT_EQ(0u, gen(s, k, 0, 5, &name));
        SLT_EXPECT_EQ((uint32_t)-1, gen(s, k, -1, 5, &name));
        SLT_EXPECT_EQ(0u, name);
        SLT_EXPECT_EQ(1u, gen(s, k, 1, 11, &name));
        SLT_EXPECT_EQ(11u, name);
    }
}

SLT_TEST_F(ggl_spare, a_name_that_an_application_takes_by_itself_is_no_spare_one, s)
{
    for (int i = 0; i < KINDS; i++) {
        const struct kind *k = &kinds[i];
        GLuint name;
        const GLuint dead = 17;
        SLT_EXPECT_EQ(1u, gen(s, k, 1, 11, &name));
        SLT_EXPECT_EQ(2u, gen(s, k, 1, 12, &name));
        SLT_EXPECT_EQ(0u, gen(s, k, 1, 99, &name));
        SLT_EXPECT_EQ(4u, gen(s, k, 1, 14, &name)); /* 15 to 17 are left */
        if (k->bind != NULL) {
            k->bind(15);
            SLT_EXPECT_EQ(0u, gen(s, k, 1, 99, &name));
            SLT_EXPECT_EQ(16u, name);
        }
        k->end(1, &dead);
        SLT_EXPECT_EQ(8u, gen(s, k, 1, 18, &name));
        SLT_EXPECT_EQ(18u, name);
    }
}

SLT_TEST_F(ggl_spare, a_vertex_array_in_reserve_is_none, s)
{
    GLuint name;
    (void)gen(s, &kinds[KINDS - 1], 1, 11, &name);
    (void)gen(s, &kinds[KINDS - 1], 1, 12, &name); /* 13 is left */
    ggl_script_reply(s, "\0\0\0\0", 4);
    ggl_glBindVertexArray(13);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, ggl_glGetError());
    SLT_EXPECT_EQ(0u, gen(s, &kinds[KINDS - 1], 1, 99, &name));
    SLT_EXPECT_EQ(13u, name);
}

SLT_TEST_F(ggl_spare, a_contexts_own_are_not_the_groups, s)
{
    struct ggl_context *other;
    const struct ggl_context_args args = {
        .version = 30, .features = GGL_FEATURE_SLUICE, .share = s->context};
    GLuint name;
    SLT_ASSERT_OK(ggl_context_create(&args, &other));
    for (int i = 0; i < KINDS; i++) {
        bool shared = i < 3;
        (void)gen(s, &kinds[i], 1, 11, &name);
        (void)gen(s, &kinds[i], 1, 12, &name); /* 13 is left */
        ggl_make_current(other, &s->stream);
        SLT_EXPECT_EQ(shared ? 0u : 1u, gen(s, &kinds[i], 1, 99, &name));
        SLT_EXPECT_EQ(shared ? 13u : 99u, name);
        ggl_make_current(s->context, &s->stream);
    }
    ggl_context_destroy(other);
}

SLT_TEST_F(ggl_spare, a_host_that_is_gone_gives_no_names, s)
{
    for (int i = 0; i < KINDS; i++) {
        const struct kind *k = &kinds[i];
        GLuint names[3] = {1, 1, 1};
        ggl_script_reply(s, NULL, 0); /* zeros */
        k->gen(3, names);
        SLT_EXPECT_EQ(0u, names[0] | names[1] | names[2]);
        SLT_EXPECT_EQ(6u, gen(s, k, 1, 21, names)); /* none of those zeros is kept */
        SLT_EXPECT_EQ(21u, names[0]);
    }
}

/* --- framebuffer 0 --- */

static GLint red_bits(struct ggl_script *s, GLint answer)
{
    const uint32_t words[] = {GL_NO_ERROR, (uint32_t)answer, GL_NO_ERROR};
    GLint value = -1;
    size_t size;
    (void)ggl_script_take(s, &size);
    ggl_script_reply(s, words, sizeof words);
    ggl_glGetFramebufferAttachmentParameteriv(GL_FRAMEBUFFER, GL_BACK,
                                              GL_FRAMEBUFFER_ATTACHMENT_RED_SIZE, &value);
    return value;
}

SLT_TEST_F(ggl_spare, a_surface_is_asked_about_once, s)
{
    SLT_EXPECT_EQ(8, red_bits(s, 8));
    SLT_EXPECT_EQ(8, red_bits(s, 5));
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 3); /* one of the program's may change */
    SLT_EXPECT_EQ(5, red_bits(s, 5));
    SLT_EXPECT_EQ(4, red_bits(s, 4));
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 0);
    SLT_EXPECT_EQ(8, red_bits(s, 5));
    ggl_make_current(s->context, &s->stream); /* with another surface */
    SLT_EXPECT_EQ(5, red_bits(s, 5));
}
