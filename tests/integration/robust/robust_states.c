/* What a context can be in the middle of, that functions refuse or that they must leave alone. */
#include "tests/integration/robust/robust.h"

enum { BUFFER = 256, MAPPED = 64 };

static void buffer_set(GLenum target, GLuint name)
{
    glBindBuffer(target, name);
    glUnmapBuffer(target);
    glBufferData(target, BUFFER, robust_zeros(), GL_DYNAMIC_DRAW);
}

static void programless(void)
{
    glUseProgram(0);
}

/* A framebuffer without an image. */
static void incomplete(void)
{
    glBindFramebuffer(GL_FRAMEBUFFER, 1);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, 0, 0);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_DEPTH_ATTACHMENT, GL_RENDERBUFFER, 0);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_STENCIL_ATTACHMENT, GL_RENDERBUFFER, 0);
}

/* One that draws into the texture that is read. */
static void drawn_to(void)
{
    glBindFramebuffer(GL_FRAMEBUFFER, 2);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, 1, 0);
}

/* Objects that were deleted where others hold them: a program in use, images of a framebuffer that
 * is not bound, an array's buffer. */
static void kept(void)
{
    const GLuint name = 3;
    glBindFramebuffer(GL_FRAMEBUFFER, 3);
    glBindTexture(GL_TEXTURE_2D, 3);
    glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, ROBUST_SIDE, ROBUST_SIDE, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                 robust_zeros());
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, 3, 0);
    glBindFramebuffer(GL_FRAMEBUFFER, 0);
    glDeleteTextures(1, &name);
    glBindFramebuffer(GL_FRAMEBUFFER, 3);
    glUseProgram(1);
    glDeleteProgram(1);
}

/* Each binding has a buffer that is mapped, an array as well. But indices, whose places are
 * addresses in most calls: Mesa dies of those. */
static void mapped(void)
{
    static const GLenum targets[] = {GL_PIXEL_PACK_BUFFER,       GL_PIXEL_UNPACK_BUFFER,
                                     GL_COPY_READ_BUFFER,        GL_COPY_WRITE_BUFFER,
                                     GL_UNIFORM_BUFFER,          GL_DRAW_INDIRECT_BUFFER,
                                     GL_DISPATCH_INDIRECT_BUFFER};
    buffer_set(GL_ARRAY_BUFFER, 1);
    glMapBufferRange(GL_ARRAY_BUFFER, 0, MAPPED, GL_MAP_WRITE_BIT | GL_MAP_FLUSH_EXPLICIT_BIT);
    glVertexAttribPointer(1, 4, GL_FLOAT, GL_FALSE, 0, NULL);
    glEnableVertexAttribArray(1);
    for (int i = 0; i < COUNT(targets); i++) {
        glBindBuffer(targets[i], 1);
    }
}

static void feedback(void)
{
    glUseProgram(1);
    buffer_set(GL_COPY_WRITE_BUFFER, 2);
    glBindBufferBase(GL_TRANSFORM_FEEDBACK_BUFFER, 0, 2);
    glBeginTransformFeedback(GL_POINTS);
}

static void paused(void)
{
    feedback();
    glPauseTransformFeedback();
}

static void queried(void)
{
    glBeginQuery(GL_ANY_SAMPLES_PASSED, 1);
    glBeginQuery(GL_TRANSFORM_FEEDBACK_PRIMITIVES_WRITTEN, 2);
}

/* Storage that can be made no other, and an image that no blending knows. */
static void immutable(void)
{
    GLuint name;
    glGenTextures(1, &name);
    glBindTexture(GL_TEXTURE_2D, name);
    glTexStorage2D(GL_TEXTURE_2D, 2, GL_RGBA8UI, ROBUST_SIDE, ROBUST_SIDE);
    glBindFramebuffer(GL_FRAMEBUFFER, 3);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, name, 0);
}

/* A pipeline that no stage has a program of. */
static void staged(void)
{
    glUseProgram(0);
    glBindProgramPipeline(1);
}

const struct robust_state robust_states[] = {
    {"programless", 2, programless}, {"incomplete", 2, incomplete},
    {"drawn to", 2, drawn_to},       {"kept", 2, kept},
    {"mapped", 3, mapped},           {"feedback", 3, feedback},
    {"paused", 3, paused},           {"queried", 3, queried},
    {"immutable", 3, immutable},     {"staged", 3, staged},
};
const int robust_state_count = COUNT(robust_states);

void robust_enter(const struct robust_state *state)
{
    state->enter();
    /* As the framebuffer is: Mesa dies of some reads where an earlier call took the image away. */
    glReadBuffer(GL_BACK);
    glReadBuffer(GL_COLOR_ATTACHMENT0);
}
