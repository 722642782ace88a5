/* Snapshots of textures and renderbuffers, those that only a framebuffer has among them. */
#include "tests/support/gles_save_pair.h"
#include "tests/support/slt.h"
#include "wire/glesx_pack.h"
#include "wire/rc_pack.h"
#include "wire/sl_pack.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES2/gl2ext.h>
#include <string.h>

SLT_FIXTURE(gles_save_textures, struct save_pair, save_pair_init, save_pair_finish);

struct texel {
    const char *label;
    GLenum internal, format, type;
    uint32_t bytes;
    bool floats; /* the noise is finite numbers */
};
static const struct texel texels[] = {
    {"rgba", GL_RGBA, GL_RGBA, GL_UNSIGNED_BYTE, 4, false},
    {"rgba4444", GL_RGBA, GL_RGBA, GL_UNSIGNED_SHORT_4_4_4_4, 2, false},
    {"rgba5551", GL_RGBA, GL_RGBA, GL_UNSIGNED_SHORT_5_5_5_1, 2, false},
    {"rgb", GL_RGB, GL_RGB, GL_UNSIGNED_BYTE, 3, false},
    {"rgb565", GL_RGB, GL_RGB, GL_UNSIGNED_SHORT_5_6_5, 2, false},
    {"luminance", GL_LUMINANCE, GL_LUMINANCE, GL_UNSIGNED_BYTE, 1, false},
    {"luminance_alpha", GL_LUMINANCE_ALPHA, GL_LUMINANCE_ALPHA, GL_UNSIGNED_BYTE, 2, false},
    {"alpha", GL_ALPHA, GL_ALPHA, GL_UNSIGNED_BYTE, 1, false},
    {"alpha_half", GL_ALPHA, GL_ALPHA, GL_HALF_FLOAT_OES, 2, true},
    {"alpha_float", GL_ALPHA, GL_ALPHA, GL_FLOAT, 4, true},
    {"luminance_half", GL_LUMINANCE, GL_LUMINANCE, GL_HALF_FLOAT_OES, 2, true},
    {"luminance_float", GL_LUMINANCE, GL_LUMINANCE, GL_FLOAT, 4, true},
    {"luminance_alpha_half", GL_LUMINANCE_ALPHA, GL_LUMINANCE_ALPHA, GL_HALF_FLOAT_OES, 4, true},
    {"luminance_alpha_float", GL_LUMINANCE_ALPHA, GL_LUMINANCE_ALPHA, GL_FLOAT, 8, true},
    {"rgba_half", GL_RGBA, GL_RGBA, GL_HALF_FLOAT_OES, 8, true},
    {"bgra", GL_BGRA_EXT, GL_BGRA_EXT, GL_UNSIGNED_BYTE, 4, false},
    {"r8", GL_R8, GL_RED, GL_UNSIGNED_BYTE, 1, false},
    {"r8_snorm", GL_R8_SNORM, GL_RED, GL_BYTE, 1, false},
    {"rg8", GL_RG8, GL_RG, GL_UNSIGNED_BYTE, 2, false},
    {"rgb8", GL_RGB8, GL_RGB, GL_UNSIGNED_BYTE, 3, false},
    {"srgb8_alpha8", GL_SRGB8_ALPHA8, GL_RGBA, GL_UNSIGNED_BYTE, 4, false},
    {"rgb10_a2", GL_RGB10_A2, GL_RGBA, GL_UNSIGNED_INT_2_10_10_10_REV, 4, false},
    {"r32f", GL_R32F, GL_RED, GL_FLOAT, 4, true},
    {"rgba32f", GL_RGBA32F, GL_RGBA, GL_FLOAT, 16, true},
    {"rgba16f", GL_RGBA16F, GL_RGBA, GL_FLOAT, 16, true},
    {"r11f", GL_R11F_G11F_B10F, GL_RGB, GL_FLOAT, 12, true},
    {"rgb9_e5", GL_RGB9_E5, GL_RGB, GL_FLOAT, 12, true},
    {"r32ui", GL_R32UI, GL_RED_INTEGER, GL_UNSIGNED_INT, 4, false},
    {"rgba8i", GL_RGBA8I, GL_RGBA_INTEGER, GL_BYTE, 4, false},
    {"rgba16ui", GL_RGBA16UI, GL_RGBA_INTEGER, GL_UNSIGNED_SHORT, 8, false},
    {"depth16", GL_DEPTH_COMPONENT16, GL_DEPTH_COMPONENT, GL_UNSIGNED_SHORT, 2, false},
    {"depth24", GL_DEPTH_COMPONENT24, GL_DEPTH_COMPONENT, GL_UNSIGNED_INT, 4, false},
    {"depth32f", GL_DEPTH_COMPONENT32F, GL_DEPTH_COMPONENT, GL_FLOAT, 4, true},
    {"depth24_stencil8", GL_DEPTH24_STENCIL8, GL_DEPTH_STENCIL, GL_UNSIGNED_INT_24_8, 4, false},
    {"stencil8", GL_STENCIL_INDEX8, GL_STENCIL_INDEX, GL_UNSIGNED_BYTE, 1, false},
};

static void texel_data(const struct texel *x, uint8_t *data, size_t count)
{
    save_noise(data, count * x->bytes);
    for (size_t i = 0; x->floats && i < count * x->bytes / 4; i++) {
        float value = (float)data[i * 4] / 256.0f;
        memcpy(data + i * 4, &value, 4);
    }
}

SLT_TEST_FP(gles_save_textures, texels, p, struct texel, texels, x)
{
    enum { SIDE = 8 };
    uint8_t data[SIDE * SIDE * 16];
    struct sl_pack *o = twin_out(&p->one);
    texel_data(x, data, SIDE * SIDE);
    uint32_t name = save_gen(&p->one, gles2_pack_glGenTextures);
    const struct sl_gather pixels = sl_gather_flat(data, (size_t)SIDE * SIDE * x->bytes);
    const struct sl_gather small = sl_gather_flat(data + 5, (size_t)4 * 4 * x->bytes);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, name);
    gles2_pack_glPixelStorei(o, GL_UNPACK_ALIGNMENT, 1);
    gles2_pack_glTexImage2D(o, GL_TEXTURE_2D, 0, (GLint)x->internal, SIDE, SIDE, 0, x->format,
                            x->type, &pixels);
    if (!x->floats) {
        gles2_pack_glTexImage2D(o, GL_TEXTURE_2D, 1, (GLint)x->internal, 4, 4, 0, x->format,
                                x->type, &small);
    }
    gles2_pack_glTexParameteri(o, GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    SLT_EXPECT_EQ((GLint)name, save_get(&p->other, GL_TEXTURE_BINDING_2D));
}

struct shape {
    const char *label;
    GLenum target;
    bool layered;
    int32_t depth;
};
static const struct shape shapes[] = {{"flat", GL_TEXTURE_2D, false, 1},
                                      {"cube", GL_TEXTURE_CUBE_MAP, false, 1},
                                      {"deep", GL_TEXTURE_3D, true, 4},
                                      {"array", GL_TEXTURE_2D_ARRAY, true, 5},
                                      {"cubes", GL_TEXTURE_CUBE_MAP_ARRAY, true, 12}};

SLT_TEST_FP(gles_save_textures, textures_of_every_target, p, struct shape, shapes, x)
{
    enum { SIDE = 8 };
    uint8_t data[SIDE * SIDE * 12 * 4];
    struct sl_pack *o = twin_out(&p->one);
    save_noise(data, sizeof data);
    uint32_t name = save_gen(&p->one, gles2_pack_glGenTextures);
    bool cube = x->target == GL_TEXTURE_CUBE_MAP;
    gles2_pack_glActiveTexture(o, GL_TEXTURE3);
    gles2_pack_glBindTexture(o, x->target, name);
    if (x->layered) {
        gles2_pack_glTexStorage3D(o, x->target, 2, GL_RGBA8, SIDE, SIDE, x->depth);
    } else {
        gles2_pack_glTexStorage2D(o, x->target, 2, GL_RGBA8, SIDE, SIDE);
    }
    for (GLenum face = 0; face < (cube ? 6u : 1u); face++) {
        const struct sl_gather pixels =
            sl_gather_flat(data + face, (size_t)SIDE * SIDE * 4 * (uint32_t)x->depth);
        GLenum to = cube ? GL_TEXTURE_CUBE_MAP_POSITIVE_X + face : x->target;
        if (x->layered) {
            gles2_pack_glTexSubImage3D(o, to, 0, 0, 0, 0, SIDE, SIDE, x->depth, GL_RGBA,
                                       GL_UNSIGNED_BYTE, &pixels);
        } else {
            gles2_pack_glTexSubImage2D(o, to, 0, 0, 0, SIDE, SIDE, GL_RGBA, GL_UNSIGNED_BYTE,
                                       &pixels);
        }
    }
    gles2_pack_glGenerateMipmap(o, x->target);
    gles2_pack_glTexParameteri(o, x->target, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
    gles2_pack_glTexParameteri(o, x->target, GL_TEXTURE_SWIZZLE_G, GL_ALPHA);
    gles2_pack_glTexParameterf(o, x->target, GL_TEXTURE_MIN_LOD, -3.5f);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
}

SLT_TEST_F(gles_save_textures, compressed_textures, p)
{
    uint8_t data[64];
    struct sl_pack *o = twin_out(&p->one);
    save_noise(data, sizeof data);
    uint32_t name = save_gen(&p->one, gles2_pack_glGenTextures);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, name);
    gles2_pack_glCompressedTexImage2D(o, GL_TEXTURE_2D, 0, GL_COMPRESSED_RGB8_ETC2, 8, 8, 0, 32,
                                      data, 32);
    gles2_pack_glCompressedTexImage2D(o, GL_TEXTURE_2D, 1, GL_COMPRESSED_RGB8_ETC2, 4, 4, 0, 8,
                                      data + 3, 8);
    name = save_gen(&p->one, gles2_pack_glGenTextures);
    gles2_pack_glBindTexture(o, GL_TEXTURE_2D, name);
    gles2_pack_glCompressedTexImage2D(o, GL_TEXTURE_2D, 0, GL_COMPRESSED_RGBA8_ETC2_EAC, 8, 8, 0,
                                      64, data, 64);
    twin_send(&p->one);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
}

/* --- what was deleted while a framebuffer has it --- */

struct orphan {
    const char *label;
    GLenum internal, attachment;
    bool is_renderbuffer;
    GLint level;
};
static const struct orphan orphans[] = {
    {"rgba8", GL_RGBA8, GL_COLOR_ATTACHMENT0, false, 0},
    {"rgb565", GL_RGB565, GL_COLOR_ATTACHMENT0, false, 0},
    {"srgb8_alpha8", GL_SRGB8_ALPHA8, GL_COLOR_ATTACHMENT0, false, 0},
    {"rgba16f", GL_RGBA16F, GL_COLOR_ATTACHMENT0, false, 0},
    {"second_level", GL_RGBA8, GL_COLOR_ATTACHMENT0, false, 1},
    {"depth24_stencil8", GL_DEPTH24_STENCIL8, GL_DEPTH_STENCIL_ATTACHMENT, false, 0},
    {"depth16", GL_DEPTH_COMPONENT16, GL_DEPTH_ATTACHMENT, false, 0},
    {"renderbuffer_rgba8", GL_RGBA8, GL_COLOR_ATTACHMENT0, true, 0},
    {"renderbuffer_rgb10_a2", GL_RGB10_A2, GL_COLOR_ATTACHMENT0, true, 0},
    {"renderbuffer_depth24", GL_DEPTH_COMPONENT24, GL_DEPTH_ATTACHMENT, true, 0},
    {"renderbuffer_stencil8", GL_STENCIL_INDEX8, GL_STENCIL_ATTACHMENT, true, 0}};

/* Names 2 (of 3) are deleted while framebuffer 1 has what they stood for. */
static void make_orphan(struct twin *t, const struct orphan *x)
{
    struct sl_pack *o = twin_out(t);
    static const uint32_t name = 2;
    gles2_pack_glGenTextures(o, 3, 12);
    twin_send(t);
    gles2_pack_glGenRenderbuffers(o, 3, 12);
    twin_send(t);
    gles2_pack_glGenFramebuffers(o, 2, 8);
    twin_send(t);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 1);
    if (x->is_renderbuffer) {
        gles2_pack_glBindRenderbuffer(o, GL_RENDERBUFFER, name);
        gles2_pack_glRenderbufferStorage(o, GL_RENDERBUFFER, x->internal, 24, 16);
        gles2_pack_glFramebufferRenderbuffer(o, GL_FRAMEBUFFER, x->attachment, GL_RENDERBUFFER,
                                             name);
    } else {
        gles2_pack_glBindTexture(o, GL_TEXTURE_2D, name);
        gles2_pack_glTexStorage2D(o, GL_TEXTURE_2D, x->level + 1, x->internal, 24 << x->level,
                                  16 << x->level);
        gles2_pack_glFramebufferTexture2D(o, GL_FRAMEBUFFER, x->attachment, GL_TEXTURE_2D, name,
                                          x->level);
    }
    gles2_pack_glEnable(o, GL_SCISSOR_TEST);
    for (int i = 0; i < 3; i++) {
        gles2_pack_glScissor(o, i * 7, i * 5, 20, 20);
        gles2_pack_glClearColor(o, 0.25f, (float)i / 2, 0.75f, 0.5f);
        gles2_pack_glClearDepthf(o, 0.3f + (float)i / 4);
        gles2_pack_glClearStencil(o, 9 + i);
        gles2_pack_glClear(o, GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT | GL_STENCIL_BUFFER_BIT);
    }
    gles2_pack_glDisable(o, GL_SCISSOR_TEST);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 0);
    (x->is_renderbuffer ? gles2_pack_glDeleteRenderbuffers : gles2_pack_glDeleteTextures)(o, 1,
                                                                                          &name, 4);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 1);
    twin_send(t);
}

SLT_TEST_FP(gles_save_textures, what_only_a_framebuffer_has, p, struct orphan, orphans, x)
{
    make_orphan(&p->one, x);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    struct sl_pack *o = twin_out(&p->other);
    gles2_pack_glIsTexture(o, 2);
    twin_send(&p->other);
    SLT_EXPECT_EQ(0, p->other.reply[0]);
    gles2_pack_glIsRenderbuffer(o, 2);
    twin_send(&p->other);
    SLT_EXPECT_EQ(0, p->other.reply[0]);
    gles2_pack_glCheckFramebufferStatus(o, GL_FRAMEBUFFER);
    SLT_EXPECT_EQ((uint32_t)GL_FRAMEBUFFER_COMPLETE, twin_ask(&p->other));
    if (x->attachment == GL_COLOR_ATTACHMENT0 && x->internal == GL_RGBA8) {
        gles2_pack_glReadPixels(o, 23, 15, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, 4);
        SLT_EXPECT_EQ(0x80bfff40u, twin_ask(&p->other));
    }
    SLT_EXPECT_EQ(0u, save_error(&p->other));
}

/* --- exported textures and renderbuffers --- */

enum { RESOURCE = 9, SIDE = 4, EXPORT_BYTES = SIDE * SIDE * 4 };

static struct hct_hold *memory_hold(void *user, uint32_t resource_id)
{
    (void)resource_id;
    return user; /* any but NULL: the memory is the test's */
}

static void memory_release(struct hct_hold *hold)
{
    (void)hold;
}

static void resource_add(struct twin *t, uint8_t *pixels)
{
    const struct vg_tex_args args = {.target = VIRTGPU_TARGET_2D,
                                     .format = VIRTGPU_FORMAT_R8G8B8A8,
                                     .width_px = SIDE,
                                     .height_px = SIDE,
                                     .depth = 1,
                                     .array_size = 1,
                                     .flags = VIRTGPU_RESOURCE_Y_0_TOP};
    const struct hct_memory memory = {.fd = -1, .size = EXPORT_BYTES, .pointer = pixels};
    t->env.user = t;
    t->env.memory_hold = memory_hold;
    t->env.memory_release = memory_release;
    SLT_ASSERT_OK(t->provider->ops->tex_create(t->provider, RESOURCE, &args, &memory, SIDE * 4));
    SLT_ASSERT_OK(t->context->ops->attach(t->context, RESOURCE, NULL));
}

static void resource_remove(struct twin *t)
{
    t->context->ops->detach(t->context, RESOURCE);
    t->provider->ops->tex_destroy(t->provider, RESOURCE);
}

/* With the image that it was exported by, or without. */
struct closed {
    const char *label;
    bool is_closed, is_renderbuffer;
};
static const struct closed closeds[] = {{"image_open", false, false},
                                        {"image_closed", true, false},
                                        {"renderbuffer_image_open", false, true},
                                        {"renderbuffer_image_closed", true, true}};

/* Of name 1, with the framebuffer that a renderbuffer is drawn by. */
static void make_exported(struct twin *t, const struct closed *x)
{
    struct sl_pack *o = twin_out(t);
    if (!x->is_renderbuffer) {
        gles2_pack_glGenTextures(o, 1, 4);
        gles2_pack_glBindTexture(o, GL_TEXTURE_2D, 1);
        gles2_pack_glTexStorage2D(o, GL_TEXTURE_2D, 1, GL_RGBA8, SIDE, SIDE);
        return;
    }
    gles2_pack_glGenRenderbuffers(o, 1, 4);
    gles2_pack_glBindRenderbuffer(o, GL_RENDERBUFFER, 1);
    gles2_pack_glRenderbufferStorage(o, GL_RENDERBUFFER, GL_RGBA8, SIDE, SIDE);
    gles2_pack_glGenFramebuffers(o, 1, 4);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 1);
    gles2_pack_glFramebufferRenderbuffer(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER,
                                         1);
    gles2_pack_glClearColor(o, 1, 0, 1, 0);
    gles2_pack_glClear(o, GL_COLOR_BUFFER_BIT);
}

/* One texel, which goes to the resource's memory. */
static void draw_exported(struct twin *t, const struct closed *x, const uint8_t texel[4])
{
    struct sl_pack *o = twin_out(t);
    const struct sl_gather all = sl_gather_flat(texel, 4);
    if (x->is_renderbuffer) {
        gles2_pack_glScissor(o, 1, 1, 1, 1);
        gles2_pack_glEnable(o, GL_SCISSOR_TEST);
        gles2_pack_glClearColor(o, (float)texel[0] / 255, (float)texel[1] / 255,
                                (float)texel[2] / 255, (float)texel[3] / 255);
        gles2_pack_glClear(o, GL_COLOR_BUFFER_BIT);
    } else {
        gles2_pack_glTexSubImage2D(o, GL_TEXTURE_2D, 0, 1, 1, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE,
                                   &all);
    }
    glesx_pack_glStoreTargetSLUICE(o, x->is_renderbuffer ? GL_RENDERBUFFER : GL_TEXTURE_2D, 1,
                                   GL_FALSE);
    twin_send(t);
}

SLT_TEST_FP(gles_save_textures, exported_stay_a_resources_picture, p, struct closed, closeds, x)
{
    static uint8_t pixels[2][EXPORT_BYTES];
    struct sl_pack *o = twin_out(&p->one);
    memset(pixels, 0, sizeof pixels);
    resource_add(&p->one, pixels[0]);
    resource_add(&p->other, pixels[1]);
    make_exported(&p->one, x);
    sl_pack_slCreateImage(o, p->context,
                          x->is_renderbuffer ? EGL_GL_RENDERBUFFER_KHR : EGL_GL_TEXTURE_2D_KHR, 1,
                          0, 0);
    uint32_t image = twin_ask(&p->one);
    sl_pack_slExportImage(o, image, RESOURCE);
    SLT_ASSERT_EQ(1u, twin_ask(&p->one));
    if (x->is_closed) {
        rc_pack_rcDestroyClientImage(o, (EGLint)image);
        twin_send(&p->one);
    }
    save_expect_twins(p);
    const uint8_t texel[] = {1, 2, 3, 4};
    draw_exported(&p->other, x, texel);
    SLT_EXPECT_MEMEQ(texel, pixels[1] + (SIDE + 1) * 4, sizeof texel);
    if (x->is_renderbuffer) { /* what is beside it was drawn before */
        SLT_EXPECT_MEMEQ(((const uint8_t[]){255, 0, 255, 0}), pixels[1] + SIDE * 4, 4);
    }
    SLT_EXPECT_EQ(0u, save_error(&p->other));
    resource_remove(&p->one);
    resource_remove(&p->other);
}

/* --- views: textures that share storage --- */

struct viewed {
    const char *label;
    GLenum target; /* of the storage; its views are of the same texels */
    GLenum internal;
    GLenum view, view_internal;
    uint32_t min_level, min_layer, layers;
    bool is_deleted;
};
static const struct viewed vieweds[] = {
    {"layer", GL_TEXTURE_2D_ARRAY, GL_RGBA8, GL_TEXTURE_2D, GL_RGBA8, 0, 2, 1, false},
    {"layers_of_a_level", GL_TEXTURE_2D_ARRAY, GL_RGBA8, GL_TEXTURE_2D_ARRAY, GL_RGBA8, 1, 1, 2,
     false},
    {"other_format", GL_TEXTURE_2D_ARRAY, GL_RGBA8, GL_TEXTURE_2D, GL_SRGB8_ALPHA8, 0, 1, 1, false},
    {"cube", GL_TEXTURE_2D_ARRAY, GL_RGBA8, GL_TEXTURE_CUBE_MAP, GL_RGBA8, 0, 1, 6, false},
    {"deep", GL_TEXTURE_3D, GL_RGBA8, GL_TEXTURE_3D, GL_RGBA8, 1, 0, 1, false},
    {"of_a_deleted_one", GL_TEXTURE_2D_ARRAY, GL_RGBA8, GL_TEXTURE_2D, GL_RGBA8, 0, 2, 1, true},
    {"level_of_a_deleted_one", GL_TEXTURE_2D_ARRAY, GL_RGBA8, GL_TEXTURE_2D_ARRAY, GL_RGBA8, 1, 1,
     2, true},
    {"cube_of_a_deleted_one", GL_TEXTURE_2D_ARRAY, GL_RGBA8, GL_TEXTURE_CUBE_MAP, GL_RGBA8, 0, 1, 6,
     true},
    {"deep_of_a_deleted_one", GL_TEXTURE_3D, GL_RGBA8, GL_TEXTURE_3D, GL_RGBA8, 1, 0, 1, true},
};

/* The texture's level 0, layer or face 0. */
static void attach_first(struct sl_pack *o, GLenum target, uint32_t name)
{
    if (target == GL_TEXTURE_2D || target == GL_TEXTURE_CUBE_MAP) {
        GLenum face = target == GL_TEXTURE_2D ? target : GL_TEXTURE_CUBE_MAP_POSITIVE_X;
        gles2_pack_glFramebufferTexture2D(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, face, name, 0);
    } else {
        gles2_pack_glFramebufferTextureLayer(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, name, 0, 0);
    }
}

/* Texture 1 has 13x11 texels, 7 layers; 2 and 3 show the same part of it. A framebuffer is bound.
 */
static void make_views(struct twin *t, const struct viewed *x)
{
    enum { WIDTH = 13, HEIGHT = 11, DEPTH = 7 };
    static uint8_t noise[WIDTH * HEIGHT * DEPTH * 4];
    const struct sl_gather pixels = sl_gather_flat(noise, sizeof noise);
    struct sl_pack *o = twin_out(t);
    bool is_square = x->view == GL_TEXTURE_CUBE_MAP;
    save_noise(noise, sizeof noise);
    gles2_pack_glGenTextures(o, 3, 12);
    twin_send(t);
    gles2_pack_glBindTexture(o, x->target, 1);
    gles2_pack_glTexStorage3D(o, x->target, 3, x->internal, WIDTH, is_square ? WIDTH : HEIGHT,
                              DEPTH);
    gles2_pack_glTexSubImage3D(o, x->target, 0, 0, 0, 0, WIDTH, HEIGHT, DEPTH, GL_RGBA,
                               GL_UNSIGNED_BYTE, &pixels);
    gles2_pack_glGenerateMipmap(o, x->target);
    glesx_pack_glTextureViewEXT(o, 2, x->view, 1, x->view_internal, x->min_level, 2, x->min_layer,
                                x->layers);
    glesx_pack_glTextureViewEXT(o, 3, x->view, 2, x->internal, 0, 1, 0, x->layers);
    gles2_pack_glBindTexture(o, x->view, 3);
    gles2_pack_glTexParameteri(o, x->view, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    if (x->is_deleted) {
        gles2_pack_glDeleteTextures(o, 1, &(uint32_t){1}, 4);
    }
    gles2_pack_glGenFramebuffers(o, 1, 4);
    twin_send(t);
    gles2_pack_glBindFramebuffer(o, GL_FRAMEBUFFER, 1);
    attach_first(o, x->view, 3);
    twin_send(t);
}

SLT_TEST_FP(gles_save_textures, views_show_what_is_drawn_on_others, p, struct viewed, vieweds, x)
{
    make_views(&p->one, x);
    SLT_ASSERT_EQ(0u, save_error(&p->one));
    save_expect_twins(p);
    struct sl_pack *o = twin_out(&p->other);
    gles2_pack_glClearColor(o, 0.25f, 0.5f, 0.75f, 1);
    gles2_pack_glClear(o, GL_COLOR_BUFFER_BIT); /* of 3 */
    if (x->is_deleted || x->min_level != 0) {
        attach_first(o, x->view, 2);
    } else {
        gles2_pack_glFramebufferTextureLayer(o, GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, 1, 0,
                                             (GLint)x->min_layer);
    }
    gles2_pack_glReadPixels(o, 2, 1, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, 4);
    SLT_EXPECT_EQ(0xffbf8040u, twin_ask(&p->other));
    SLT_EXPECT_EQ(0u, save_error(&p->other));
    gles2_pack_glIsTexture(o, 1);
    twin_send(&p->other);
    SLT_EXPECT_EQ(x->is_deleted ? 0 : 1, p->other.reply[0]);
}
