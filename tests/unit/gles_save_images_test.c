/* Snapshots of client images (EGLImage): of what they were made, and what has their storage, in
 * all orders in which guests let go of these. */
#include "tests/support/gles_save_pair.h"
#include "tests/support/slt.h"
#include "wire/rc_pack.h"
#include "wire/sl_pack.h"

#include <GLES2/gl2ext.h>
#include <string.h>

SLT_FIXTURE(gles_save_images, struct save_pair, save_pair_init, save_pair_finish);

enum { SIDE = 8, BYTES = SIDE * SIDE * 16, SOURCE = 2, FIRST = 1, SECOND = 3, NAMES = 4 };

enum let_go { CLOSED = 1, DELETED = 2, USED_ANEW = 4, UNBOUND = 8 };
struct imaged {
    const char *label;
    GLenum internal;
    GLint level;
    unsigned let_go;
    bool is_fixed; /* glEGLImageTargetTexStorageEXT */
};
static const struct imaged imageds[] = {
    {"of_a_texture", GL_RGBA8, 0, 0, false},
    {"closed", GL_RGBA8, 0, CLOSED, false},
    {"of_a_deleted_one", GL_RGBA8, 0, DELETED, false},
    {"of_a_deleted_one_closed", GL_RGBA8, 0, DELETED | CLOSED, false},
    {"of_a_name_that_is_used_anew", GL_RGBA8, 0, DELETED | USED_ANEW, false},
    {"that_nothing_shows", GL_RGBA8, 0, DELETED | UNBOUND, false},
    {"of_a_level", GL_RGBA8, 1, CLOSED, false},
    {"of_a_deleted_ones_level", GL_RGBA8, 2, DELETED, false},
    {"of_floats", GL_RGBA16F, 0, DELETED | CLOSED, false},
    {"of_565", GL_RGB565, 0, DELETED, false},
    {"fixed", GL_RGBA8, 0, 0, true},
    {"fixed_closed", GL_RGBA8, 0, CLOSED, true},
    {"fixed_of_a_deleted_one", GL_RGBA8, 0, DELETED | CLOSED, true}};

static void read_texture(struct twin *t, uint32_t name, bool floats, uint8_t pixels[BYTES])
{
    struct sl_pack *o = twin_out(t);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 77);
    gles2_pack_glFramebufferTexture2D(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, name,
                                      0);
    const uint32_t size = floats ? BYTES : BYTES / 4;
    gles2_pack_glReadPixels(o, 0, 0, SIDE, SIDE, GL_RGBA, floats ? GL_FLOAT : GL_UNSIGNED_BYTE,
                            size);
    twin_send(t);
    SLT_ASSERT_EQ((size_t)size, t->reply_size);
    memset(pixels, 0, BYTES);
    memcpy(pixels, t->reply, size);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 0);
    gles2_pack_glDeleteFramebuffers(o, 1, &(uint32_t){77}, 4);
    twin_send(t);
}

/* Colours in stripes: cleared, as that is possible in all formats. */
static void fill_texture(struct twin *t, uint32_t name, GLint level, GLfloat red)
{
    struct sl_pack *o = twin_out(t);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 78);
    gles2_pack_glFramebufferTexture2D(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, name,
                                      level);
    gles2_pack_glEnable(o, GL_SCISSOR_TEST);
    for (int i = 0; i < SIDE; i++) {
        gles2_pack_glScissor(o, i, 0, 1, SIDE - i);
        gles2_pack_glClearColor(o, red, (float)i / SIDE, 0.5f, 1 - (float)i / SIDE);
        gles2_pack_glClear(o, GL_COLOR_BUFFER_BIT);
    }
    gles2_pack_glDisable(o, GL_SCISSOR_TEST);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 0);
    gles2_pack_glDeleteFramebuffers(o, 1, &(uint32_t){78}, 4);
    twin_send(t);
}

static void target(struct twin *t, uint32_t name, uint32_t image, bool is_fixed)
{
    struct sl_pack *o = twin_out(t);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, name);
    if (is_fixed) {
        glesx_pack_glEGLImageTargetTexStorageSLUICE(o, GL_TEXTURE_2D, image);
    } else {
        gles2_pack_glEGLImageTargetTexture2DOES(o, GL_TEXTURE_2D, image);
    }
    gles2_pack_glTexParameteri(o, GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_LINEAR);
    twin_send(t);
}

static uint32_t make_image(struct save_pair *p, const struct imaged *x)
{
    struct sl_pack *o = twin_out(&p->one);
    gles2_pack_glGenTextures(o, NAMES, NAMES * 4);
    twin_send(&p->one);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, SOURCE);
    gles2_pack_glTexStorage2D(o, GL_TEXTURE_2D, x->level + 1, x->internal, SIDE << x->level,
                              SIDE << x->level);
    fill_texture(&p->one, SOURCE, x->level, 0.25f);
    sl_pack_slCreateImage(o, p->context, EGL_GL_TEXTURE_2D_KHR, SOURCE, (uint32_t)x->level, 0);
    uint32_t image = twin_ask(&p->one);
    SLT_ASSERT_GE(image, 0x10000u);
    if ((x->let_go & UNBOUND) == 0) {
        target(&p->one, FIRST, image, x->is_fixed);
        target(&p->one, SECOND, image, x->is_fixed);
    }
    return image;
}

static void let_go(struct save_pair *p, const struct imaged *x, uint32_t image)
{
    struct sl_pack *o = twin_out(&p->one);
    if ((x->let_go & CLOSED) != 0) {
        rc_pack_rcDestroyClientImage(o, (EGLint)image);
        SLT_EXPECT_EQ(1u, twin_ask(&p->one));
    }
    if ((x->let_go & DELETED) != 0) {
        gles2_pack_glDeleteTextures(o, 1, &(uint32_t){SOURCE}, 4);
    }
    if ((x->let_go & USED_ANEW) != 0) {
        gles2_pack_glBindTexture(o, GL_TEXTURE_2D, SOURCE);
        gles2_pack_glTexStorage2D(o, GL_TEXTURE_2D, 1, GL_RGBA8, SIDE, SIDE);
    }
    twin_send(&p->one);
}

/* What one shows, the other does, here and there, and what was drawn since. */
static void expect_shared(struct save_pair *p, uint32_t a, uint32_t b, const struct imaged *x)
{
    uint8_t want[BYTES], got[BYTES], was[BYTES];
    const bool floats = x->internal == GL_RGBA16F;
    read_texture(&p->one, a, floats, want);
    read_texture(&p->other, a, floats, got);
    SLT_EXPECT_MEMEQ(want, got, BYTES);
    memcpy(was, got, BYTES);
    fill_texture(&p->other, a, 0, 0.75f);
    fill_texture(&p->one, a, 0, 0.75f);
    read_texture(&p->other, a, floats, want);
    read_texture(&p->other, b, floats, got);
    SLT_EXPECT_MEMEQ(want, got, BYTES);
    SLT_EXPECT_NE(0, memcmp(was, got, BYTES));
}

SLT_TEST_FP(gles_save_images, stay_shared, p, struct imaged, imageds, x)
{
    uint32_t image = make_image(p, x);
    let_go(p, x, image);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    if ((x->let_go & UNBOUND) != 0) {
        target(&p->one, FIRST, image, x->is_fixed);
        target(&p->one, SECOND, image, x->is_fixed);
        target(&p->other, FIRST, image, x->is_fixed);
        target(&p->other, SECOND, image, x->is_fixed);
    }
    expect_shared(p, FIRST, SECOND, x);
    if ((x->let_go & DELETED) == 0 && x->level == 0) {
        fill_texture(&p->one, FIRST, 0, 0.5f);
        fill_texture(&p->other, FIRST, 0, 0.5f);
        expect_shared(p, SOURCE, FIRST, x);
    }
    SLT_EXPECT_EQ(0u, save_error(&p->other));
}

/* --- another image in their place --- */

struct replaced {
    const char *label;
    uint32_t name; /* SOURCE, or FIRST: which of those that show it */
    enum { BY_PIXELS, BY_BUFFER, BY_COPY, BY_BLOCKS } how;
};
static const struct replaced replaceds[] = {
    {"source_by_pixels", SOURCE, BY_PIXELS}, {"source_by_a_buffer", SOURCE, BY_BUFFER},
    {"source_by_a_copy", SOURCE, BY_COPY},   {"source_by_blocks", SOURCE, BY_BLOCKS},
    {"one_by_pixels", FIRST, BY_PIXELS},     {"one_by_a_buffer", FIRST, BY_BUFFER},
    {"one_by_a_copy", FIRST, BY_COPY},       {"one_by_blocks", FIRST, BY_BLOCKS}};

/* An image of twice the size. */
static void replace(struct twin *t, const struct replaced *x)
{
    enum { WIDE = 2 * SIDE };
    struct sl_pack *o = twin_out(t);
    uint8_t data[WIDE * WIDE * 4];
    const struct sl_gather pixels = sl_gather_flat(data, sizeof data);
    save_noise(data, sizeof data);
    if (x->how == BY_BUFFER) {
        (void)save_buffer(t, GL_PIXEL_UNPACK_BUFFER, sizeof data, GL_STATIC_DRAW);
    }
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, x->name);
    switch (x->how) {
    case BY_PIXELS:
        gles2_pack_glTexImage2D(o, GL_TEXTURE_2D, 0, GL_RGBA8, WIDE, WIDE, 0, GL_RGBA,
                                GL_UNSIGNED_BYTE, &pixels);
        break;
    case BY_BUFFER:
        gles2_pack_glTexImage2DOffsetAEMU(o, GL_TEXTURE_2D, 0, GL_RGBA8, WIDE, WIDE, 0, GL_RGBA,
                                          GL_UNSIGNED_BYTE, 0);
        gles2_pack_glBindBuffer(o, GL_PIXEL_UNPACK_BUFFER, 0);
        break;
    case BY_COPY:
        gles2_pack_glClearColor(o, 1, 0.5f, 0.25f, 1);
        gles2_pack_glClear(o, GL_COLOR_BUFFER_BIT);
        gles2_pack_glCopyTexImage2D(o, GL_TEXTURE_2D, 0, GL_RGBA8, 0, 0, WIDE, WIDE, 0);
        break;
    case BY_BLOCKS:
        gles2_pack_glCompressedTexImage2D(o, GL_TEXTURE_2D, 0, GL_COMPRESSED_RGBA8_ETC2_EAC, WIDE,
                                          WIDE, 0, WIDE * WIDE, data, WIDE * WIDE);
        break;
    }
    twin_send(t);
    SLT_ASSERT_EQ(0u, save_error(t));
}

static uint32_t width_of(struct twin *t, uint32_t name)
{
    gles2_pack_glBindTexture(twin_out(t), GL_TEXTURE_2D, name);
    gles2_pack_glGetTexLevelParameteriv(twin_out(t), GL_TEXTURE_2D, 0, GL_TEXTURE_WIDTH, 4);
    return twin_ask(t);
}

/* The images go on being of what they were of; who got another one is alone with it. */
SLT_TEST_FP(gles_save_images, are_left_alone, p, struct replaced, replaceds, x)
{
    static const struct imaged kind = {.internal = GL_RGBA8};
    uint8_t want[BYTES], got[BYTES];
    struct sl_pack *o = twin_out(&p->one);
    const struct sl_gather nothing = sl_gather_flat("", 0);
    gles2_pack_glGenTextures(o, NAMES, NAMES * 4);
    twin_send(&p->one);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, SOURCE);
    gles2_pack_glTexImage2D(o, GL_TEXTURE_2D, 0, GL_RGBA8, SIDE, SIDE, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                            &nothing);
    fill_texture(&p->one, SOURCE, 0, 0.25f);
    rc_pack_rcCreateClientImage(o, p->context, EGL_GL_TEXTURE_2D_KHR, SOURCE);
    uint32_t image = twin_ask(&p->one);
    target(&p->one, FIRST, image, false);
    target(&p->one, SECOND, image, false);
    replace(&p->one, x);
    save_expect_twins(p);
    SLT_EXPECT_EQ(2u * SIDE, width_of(&p->one, x->name));
    SLT_EXPECT_EQ(2u * SIDE, width_of(&p->other, x->name));
    expect_shared(p, SECOND, x->name == SOURCE ? FIRST : SOURCE, &kind);
    if (x->how != BY_BLOCKS) { /* which are not drawn on; saved again they were the same */
        read_texture(&p->one, x->name, false, want);
        read_texture(&p->other, x->name, false, got);
        SLT_EXPECT_MEMEQ(want, got, BYTES);
    }
    SLT_EXPECT_EQ(0u, save_error(&p->other));
}

/* --- between contexts that share nothing --- */

/* A context that shares nothing, and an image of its texture of this name, its last one. The first
 * context is current. */
static uint32_t lone_context(struct save_pair *p, uint32_t name, uint32_t *image)
{
    struct sl_pack *o = twin_out(&p->one);
    rc_pack_rcCreateContext(o, 0xffffffff, 0, 5);
    uint32_t context = twin_ask(&p->one);
    rc_pack_rcMakeCurrent(o, context, 0, 0);
    SLT_ASSERT_EQ(1u, twin_ask(&p->one));
    gles2_pack_glGenTextures(o, (GLsizei)name, name * 4);
    twin_send(&p->one);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, name);
    gles2_pack_glTexStorage2D(o, GL_TEXTURE_2D, 1, GL_RGBA8, SIDE, SIDE);
    fill_texture(&p->one, name, 0, 0.25f);
    rc_pack_rcCreateClientImage(o, context, EGL_GL_TEXTURE_2D_KHR, name);
    *image = twin_ask(&p->one);
    rc_pack_rcMakeCurrent(o, p->context, 0, 0);
    SLT_ASSERT_EQ(1u, twin_ask(&p->one));
    return context;
}

/* Of a texture in the other context's group, and of one in the first's. */
SLT_TEST_F(gles_save_images, of_a_group_that_comes_later, p)
{
    static const struct imaged x = {.internal = GL_RGBA8};
    struct sl_pack *o = twin_out(&p->one);
    uint32_t image, second = lone_context(p, SOURCE, &image);
    gles2_pack_glGenTextures(o, NAMES, NAMES * 4);
    twin_send(&p->one);
    target(&p->one, FIRST, image, false);
    target(&p->one, SECOND, image, false);
    rc_pack_rcDestroyClientImage(o, (EGLint)image);
    SLT_EXPECT_EQ(1u, twin_ask(&p->one));
    save_expect_twins(p);
    expect_shared(p, FIRST, SECOND, &x);
    uint8_t want[BYTES], got[BYTES];
    read_texture(&p->other, FIRST, false, want);
    o = twin_out(&p->other);
    gles2_pack_glFinish(o);
    rc_pack_rcMakeCurrent(o, second, 0, 0);
    SLT_ASSERT_EQ(1u, twin_ask(&p->other));
    read_texture(&p->other, SOURCE, false, got);
    SLT_EXPECT_MEMEQ(want, got, BYTES);
}

SLT_TEST_F(gles_save_images, of_a_context_that_is_gone, p)
{
    static const struct imaged x = {.internal = GL_RGBA8};
    struct sl_pack *o = twin_out(&p->one);
    uint32_t image, second = lone_context(p, 1, &image);
    rc_pack_rcDestroyContext(o, second);
    gles2_pack_glGenTextures(o, NAMES, NAMES * 4);
    twin_send(&p->one);
    target(&p->one, FIRST, image, false);
    target(&p->one, SECOND, image, true);
    save_expect_twins(p);
    expect_shared(p, FIRST, SECOND, &x);
}

/* --- images of images, renderbuffers --- */

SLT_TEST_F(gles_save_images, of_an_images_texture, p)
{
    static const struct imaged x = {.internal = GL_RGBA8, .let_go = CLOSED};
    struct sl_pack *o = twin_out(&p->one);
    let_go(p, &x, make_image(p, &x));
    rc_pack_rcCreateClientImage(o, p->context, EGL_GL_TEXTURE_2D_KHR, SECOND);
    uint32_t image = twin_ask(&p->one);
    target(&p->one, 4, image, false);
    save_expect_twins(p);
    expect_shared(p, FIRST, 4, &x);
}

struct rendered {
    const char *label;
    bool to_renderbuffer;
    unsigned let_go;
};
static const struct rendered rendereds[] = {{"to_a_texture", false, 0},
                                            {"to_a_texture_closed", false, CLOSED},
                                            {"to_a_texture_deleted", false, DELETED},
                                            {"to_a_renderbuffer", true, 0},
                                            {"to_a_renderbuffer_closed", true, CLOSED},
                                            {"to_a_renderbuffer_deleted", true, CLOSED | DELETED}};

static void fill_renderbuffer(struct twin *t, uint32_t framebuffer, uint32_t name)
{
    struct sl_pack *o = twin_out(t);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, framebuffer);
    gles2_pack_glFramebufferRenderbuffer(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER,
                                         name);
    gles2_pack_glClearColor(o, 1, 0, 1, 0);
    gles2_pack_glClear(o, GL_COLOR_BUFFER_BIT);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 0);
    twin_send(t);
}

/* A texture, or a renderbuffer, over a renderbuffer's image. */
SLT_TEST_FP(gles_save_images, of_a_renderbuffer, p, struct rendered, rendereds, x)
{
    static const uint32_t names[2] = {1, 2};
    struct sl_pack *o = twin_out(&p->one);
    gles2_pack_glGenTextures(o, 1, 4);
    (void)twin_ask(&p->one);
    gles2_pack_glGenRenderbuffers(o, 2, 8);
    (void)twin_ask(&p->one);
    gles2_pack_glGenFramebuffers(o, 2, 8);
    (void)twin_ask(&p->one);
    gles2_pack_glBindRenderbuffer(o, GL_RENDERBUFFER, names[0]);
    gles2_pack_glRenderbufferStorage(o, GL_RENDERBUFFER, GL_RGBA8, SIDE, SIDE);
    fill_renderbuffer(&p->one, 1, names[0]);
    rc_pack_rcCreateClientImage(o, p->context, EGL_GL_RENDERBUFFER_KHR, names[0]);
    uint32_t image = twin_ask(&p->one);
    if (x->to_renderbuffer) {
        gles2_pack_glBindRenderbuffer(o, GL_RENDERBUFFER, names[1]);
        gles2_pack_glEGLImageTargetRenderbufferStorageOES(o, GL_RENDERBUFFER, image);
    } else {
        target(&p->one, 1, image, false);
    }
    if ((x->let_go & CLOSED) != 0) {
        rc_pack_rcDestroyClientImage(o, (EGLint)image);
        SLT_EXPECT_EQ(1u, twin_ask(&p->one));
    }
    if ((x->let_go & DELETED) != 0) {
        gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 1);
        gles2_pack_glDeleteRenderbuffers(o, 1, &names[0], 4);
        gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 0);
    }
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    o = twin_out(&p->other);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 2);
    if (x->to_renderbuffer) {
        gles2_pack_glFramebufferRenderbuffer(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0,
                                             GL_RENDERBUFFER, names[1]);
    } else {
        gles2_pack_glFramebufferTexture2D(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_TEXTURE_2D, 1,
                                          0);
    }
    gles2_pack_glReadPixels(o, 3, 3, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, 4);
    SLT_EXPECT_EQ(0x00ff00ffu, twin_ask(&p->other));
    SLT_EXPECT_EQ(0u, save_error(&p->other));
}
