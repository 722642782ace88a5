/* guest/gles: when what is drawn on colour buffers is sent to their memory, and who waits for it.
 */
#include "tests/support/ggl_script.h"
#include "tests/support/slt.h"
#include "wire/gles2_opcodes.h"
#include "wire/glesx_opcodes.h"
#include "wire/rc_opcodes.h"

enum { BUFFER = 7, MOST = 8 };

static bool is_external; /* images found are */

static bool find_image(void *user, void *image, struct ggl_image *out)
{
    (void)user;
    *out = (struct ggl_image){
        .kind = GGL_IMAGE_COLOR_BUFFER, .id = BUFFER, .is_external = is_external};
    return image != NULL;
}
static const struct ggl_egl_ops ops = {.image_find = find_image};
static int image;

static void init_with(struct ggl_script *s, uint32_t features)
{
    ggl_script_init(s, 30, features | GGL_FEATURE_SLUICE | GGL_FEATURE_GLESX);
    s->context->ops = &ops;
}

static void init_storing(struct ggl_script *s)
{
    init_with(s, GGL_FEATURE_STORE | GGL_FEATURE_TARGETS);
}
SLT_FIXTURE(ggl_store, struct ggl_script, init_storing, ggl_script_finish);

static void make_target(struct ggl_script *s)
{
    size_t size;
    ggl_glBindRenderbuffer(GL_RENDERBUFFER, 3);
    ggl_glEGLImageTargetRenderbufferStorageOES(GL_RENDERBUFFER, &image);
    (void)ggl_script_take(s, &size);
}

static void expect(struct ggl_script *s, const uint32_t *opcodes, size_t count)
{
    uint32_t got[MOST];
    SLT_ASSERT_EQ(count, ggl_script_opcodes(s, got, MOST));
    for (size_t i = 0; i < count; i++) {
        SLT_EXPECT_EQ(opcodes[i], got[i]);
    }
}
#define EXPECT(s, ...)                                                                             \
    expect(s, (const uint32_t[]){__VA_ARGS__},                                                     \
           sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

SLT_TEST_F(ggl_store, a_flush_stores_and_waits, s)
{
    make_target(s);
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 5);
    ggl_glFlush();
    EXPECT(s, GLES2_OP_glBindFramebuffer, GLESX_OP_glStoreDrawnSLUICE, GLES2_OP_glFinishRoundTrip,
           GLES2_OP_glFlush);
}

SLT_TEST_F(ggl_store, a_fence_stores_before_it, s)
{
    make_target(s);
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 5);
    (void)ggl_glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    EXPECT(s, GLES2_OP_glBindFramebuffer, GLESX_OP_glStoreDrawnSLUICE, GLES2_OP_glFinishRoundTrip,
           GLES2_OP_glFenceSyncAEMU);
}

SLT_TEST_F(ggl_store, what_was_stored_is_not_stored_again, s)
{
    make_target(s);
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 5);
    (void)ggl_glFenceSync(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    ggl_glFlush();
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 0);
    ggl_glFlush();
    EXPECT(s, GLES2_OP_glBindFramebuffer, GLESX_OP_glStoreDrawnSLUICE, GLES2_OP_glFinishRoundTrip,
           GLES2_OP_glFenceSyncAEMU, GLES2_OP_glFlush, GLES2_OP_glBindFramebuffer,
           GLES2_OP_glFlush);
}

/* Nobody waits before the program has flushed. */
SLT_TEST_F(ggl_store, leaving_a_framebuffer_stores_and_the_flush_waits, s)
{
    make_target(s);
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 5);
    ggl_glBindFramebuffer(GL_READ_FRAMEBUFFER, 6); /* is still drawn on */
    ggl_glBindFramebuffer(GL_DRAW_FRAMEBUFFER, 0);
    EXPECT(s, GLES2_OP_glBindFramebuffer, GLES2_OP_glBindFramebuffer, GLESX_OP_glStoreDrawnSLUICE,
           GLES2_OP_glBindFramebuffer);
    SLT_EXPECT_EQ(0u, s->read);
    ggl_glFlush();
    EXPECT(s, GLES2_OP_glFinishRoundTrip, GLES2_OP_glFlush);
    ggl_glFlush();
    EXPECT(s, GLES2_OP_glFlush);
}

SLT_TEST_F(ggl_store, another_attachment_stores_the_one_before, s)
{
    make_target(s);
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 5);
    ggl_glFramebufferTexture2D(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, 4, 0);
    EXPECT(s, GLES2_OP_glBindFramebuffer, GLESX_OP_glStoreDrawnSLUICE,
           GLES2_OP_glFramebufferTexture2D);
    ggl_glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, 3);
    EXPECT(s, GLESX_OP_glStoreDrawnSLUICE, GLES2_OP_glFramebufferRenderbuffer);
}

SLT_TEST_F(ggl_store, programs_without_targets_pay_nothing, s)
{
    ggl_glBindTexture(GL_TEXTURE_EXTERNAL_OES, 4);
    ggl_glEGLImageTargetTexture2DOES(GL_TEXTURE_EXTERNAL_OES, &image);
    size_t size;
    (void)ggl_script_take(s, &size);
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 5);
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 0);
    ggl_glFlush();
    EXPECT(s, GLES2_OP_glBindFramebuffer, GLES2_OP_glBindFramebuffer, GLES2_OP_glFlush);
}

SLT_TEST_F(ggl_store, a_texture_can_be_a_target, s)
{
    ggl_glBindTexture(GL_TEXTURE_2D, 4);
    ggl_glEGLImageTargetTexture2DOES(GL_TEXTURE_2D, &image);
    EXPECT(s, GLES2_OP_glBindTexture, RC_OP_rcBindTexture);
    ggl_glEGLImageTargetTexture2DOES(GL_TEXTURE_CUBE_MAP, &image);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_ENUM, s->context->error);
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 5);
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 0);
    EXPECT(s, GLES2_OP_glBindFramebuffer, GLESX_OP_glStoreDrawnSLUICE, GLES2_OP_glBindFramebuffer);
}

/* --- written otherwise than by drawing --- */

static void make_texture_target(struct ggl_script *s)
{
    size_t size;
    ggl_glBindTexture(GL_TEXTURE_2D, 4);
    ggl_glEGLImageTargetTexture2DOES(GL_TEXTURE_2D, &image);
    (void)ggl_script_take(s, &size);
}

static void upload(void)
{
    static const uint8_t pixel[4];
    ggl_glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, pixel);
}

SLT_TEST_F(ggl_store, uploads_to_a_target_are_stored_once, s)
{
    make_texture_target(s);
    upload();
    upload();
    ggl_glCopyTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, 0, 0, 1, 1);
    ggl_glFlush();
    EXPECT(s, GLES2_OP_glTexSubImage2D, GLES2_OP_glTexSubImage2D, GLES2_OP_glCopyTexSubImage2D,
           GLESX_OP_glStoreTargetSLUICE, GLES2_OP_glFinishRoundTrip, GLES2_OP_glFlush);
    ggl_glFlush();
    EXPECT(s, GLES2_OP_glFlush);
}

SLT_TEST_F(ggl_store, uploads_to_other_textures_are_not, s)
{
    make_texture_target(s);
    ggl_glBindTexture(GL_TEXTURE_2D, 5);
    upload();
    ggl_glFlush();
    EXPECT(s, GLES2_OP_glBindTexture, GLES2_OP_glTexSubImage2D, GLES2_OP_glFlush);
}

SLT_TEST_F(ggl_store, more_targets_than_are_noted_are_stored_at_once, s)
{
    for (uint32_t i = 0; i <= GGL_WRITTEN; i++) {
        ggl_glBindTexture(GL_TEXTURE_2D, 20 + i);
        ggl_glEGLImageTargetTexture2DOES(GL_TEXTURE_2D, &image);
    }
    size_t size;
    (void)ggl_script_take(s, &size);
    for (uint32_t i = 0; i < GGL_WRITTEN; i++) {
        ggl_glClearTexImageEXT(20 + i, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    }
    (void)ggl_script_take(s, &size);
    ggl_glClearTexImageEXT(20 + GGL_WRITTEN, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    EXPECT(s, GLESX_OP_glStoreTargetSLUICE, GLESX_OP_glStoreTargetSLUICE,
           GLESX_OP_glStoreTargetSLUICE, GLESX_OP_glStoreTargetSLUICE, GLESX_OP_glClearTexImageEXT);
    ggl_glFlush();
    EXPECT(s, GLESX_OP_glStoreTargetSLUICE, GLES2_OP_glFinishRoundTrip, GLES2_OP_glFlush);
}

/* What was written before is the image's, what comes after is the texture's own. */
SLT_TEST_F(ggl_store, a_texture_with_its_own_storage_is_no_target, s)
{
    make_texture_target(s);
    upload();
    ggl_glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 1, 1, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    EXPECT(s, GLES2_OP_glTexSubImage2D, GLESX_OP_glStoreTargetSLUICE, GLESX_OP_glStoreTargetSLUICE,
           GLES2_OP_glTexImage2D);
    upload();
    ggl_glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 1, 1, 0, GL_RGBA, GL_UNSIGNED_BYTE, NULL);
    EXPECT(s, GLES2_OP_glTexSubImage2D, GLES2_OP_glTexImage2D);
}

SLT_TEST_F(ggl_store, what_was_drawn_is_stored_before_its_target_goes, s)
{
    make_target(s);
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 5);
    ggl_glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA4, 1, 1);
    EXPECT(s, GLES2_OP_glBindFramebuffer, GLESX_OP_glStoreDrawnSLUICE, GLESX_OP_glStoreTargetSLUICE,
           GLES2_OP_glRenderbufferStorage);
    ggl_glEGLImageTargetRenderbufferStorageOES(GL_RENDERBUFFER, &image);
    const uint32_t name = 3;
    ggl_glDeleteRenderbuffers(1, &name);
    EXPECT(s, RC_OP_rcBindRenderbuffer, GLESX_OP_glStoreDrawnSLUICE, GLESX_OP_glStoreTargetSLUICE,
           GLES2_OP_glDeleteRenderbuffers);
}

SLT_TEST_F(ggl_store, an_external_image_is_no_target, s)
{
    is_external = true;
    ggl_glBindTexture(GL_TEXTURE_2D, 4);
    ggl_glEGLImageTargetTexture2DOES(GL_TEXTURE_2D, &image);
    ggl_glEGLImageTargetRenderbufferStorageOES(GL_RENDERBUFFER, &image);
    is_external = false;
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, s->context->error);
    EXPECT(s, GLES2_OP_glBindTexture);
}

static void init_not_storing(struct ggl_script *s)
{
    init_with(s, 0);
}
SLT_FIXTURE(ggl_no_store, struct ggl_script, init_not_storing, ggl_script_finish);

SLT_TEST_F(ggl_no_store, a_host_that_cannot_store_has_no_targets, s)
{
    size_t size;
    ggl_glEGLImageTargetRenderbufferStorageOES(GL_RENDERBUFFER, &image);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, s->context->error);
    s->context->error = 0;
    ggl_glEGLImageTargetTexture2DOES(GL_TEXTURE_2D, &image);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, s->context->error);
    (void)ggl_script_take(s, &size);
    SLT_EXPECT_EQ(0u, size);
}
