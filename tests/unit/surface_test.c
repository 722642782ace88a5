/* host/surface without a driver: layouts of pixels, what is made and counted. */
#include "host/surface/surface.h"
#include "tests/support/slt.h"
#include "transport/virtgpu/proto.h"

#include <string.h>

/* --- rows --- */

/* Red, half transparent; green; blue, clear: as each layout has them. */
struct row {
    const char *label;
    struct hs_layout layout;
    uint8_t bytes[12];
    uint8_t alphas[3]; /* as what is read of it has them */
};
static const struct row rows[] = {
    {"rgba",
     {GL_RGBA, GL_UNSIGNED_BYTE, 4, false},
     {255, 0, 0, 128, 0, 255, 0, 255, 0, 0, 255, 0},
     {128, 255, 0}},
    {"bgra",
     {GL_BGRA_EXT, GL_UNSIGNED_BYTE, 4, false},
     {0, 0, 255, 128, 0, 255, 0, 255, 255, 0, 0, 0},
     {128, 255, 0}},
    {"rgbx",
     {GL_RGBA, GL_UNSIGNED_BYTE, 4, true},
     {255, 0, 0, 7, 0, 255, 0, 7, 0, 0, 255, 7},
     {255, 255, 255}},
    {"bgrx",
     {GL_BGRA_EXT, GL_UNSIGNED_BYTE, 4, true},
     {0, 0, 255, 7, 0, 255, 0, 7, 255, 0, 0, 7},
     {255, 255, 255}},
    {"rgb",
     {GL_RGB, GL_UNSIGNED_BYTE, 3, true},
     {255, 0, 0, 0, 255, 0, 0, 0, 255},
     {255, 255, 255}},
    {"rgb565",
     {GL_RGB, GL_UNSIGNED_SHORT_5_6_5, 2, true},
     {0, 0xf8, 0xe0, 0x07, 0x1f, 0},
     {255, 255, 255}},
};
enum { ROWS = sizeof rows / sizeof rows[0], PIXELS = 3 };

SLT_TEST_P(surface, converts_rows_to_every_layout_from, struct row, rows, from)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        const struct row *to = &rows[i];
        SLT_SCOPE("to %s", to->label);
        uint8_t got[16], want[16];
        memset(got, 0xee, sizeof got);
        memset(want, 0xee, sizeof want); /* nothing behind the row is written */
        memcpy(want, to->bytes, PIXELS * to->layout.bytes);
        for (uint32_t k = 0; to->layout.bytes == 4 && k < PIXELS; k++) {
            want[4 * k + 3] = from->alphas[k];
        }
        SLT_ASSERT_TRUE(hs_convert_row(got, &to->layout, from->bytes, &from->layout, PIXELS));
        for (uint32_t k = 0; to->layout.opaque && to->layout.bytes == 4 && k < PIXELS; k++) {
            got[4 * k + 3] = want[4 * k + 3]; /* filler: may be anything */
        }
        SLT_EXPECT_MEMEQ(want, got, sizeof want);
    }
}

SLT_TEST_P(surface, converts_rows_where_they_are_from, struct row, rows, from)
{
    for (uint32_t i = 0; i < ROWS; i++) {
        const struct row *to = &rows[i];
        uint8_t apart[12] = {0}, got[12] = {0};
        if (to->layout.bytes != from->layout.bytes) {
            continue;
        }
        SLT_SCOPE("to %s", to->label);
        memcpy(got, from->bytes, PIXELS * from->layout.bytes);
        SLT_ASSERT_TRUE(hs_convert_row(apart, &to->layout, from->bytes, &from->layout, PIXELS));
        SLT_ASSERT_TRUE(hs_convert_row(got, &to->layout, got, &from->layout, PIXELS));
        SLT_EXPECT_MEMEQ(apart, got, sizeof got);
    }
}

SLT_TEST(surface, every_565_pixel_comes_back)
{
    const struct hs_layout rgb565 = hs_layout_of(VIRTGPU_FORMAT_B5G6R5),
                           rgba = hs_layout_of(VIRTGPU_FORMAT_R8G8B8A8);
    for (uint32_t v = 0; v <= UINT16_MAX; v++) {
        const uint8_t pixel[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
        uint8_t wide[4], back[2];
        SLT_ASSERT_TRUE(hs_convert_row(wide, &rgba, pixel, &rgb565, 1));
        SLT_ASSERT_TRUE(hs_convert_row(back, &rgb565, wide, &rgba, 1));
        SLT_ASSERT_MEMEQ(pixel, back, 2);
    }
}

static uint32_t ten(uint32_t alpha, uint32_t high, uint32_t middle, uint32_t low)
{
    return alpha << 30 | high << 20 | middle << 10 | low;
}

SLT_TEST(surface, ten_bits_survive_the_other_order)
{
    const struct hs_layout rgba = {GL_RGBA, GL_UNSIGNED_INT_2_10_10_10_REV, 4, false},
                           bgra = hs_layout_of(VIRTGPU_FORMAT_B10G10R10A2);
    const uint32_t from[] = {ten(0, 1, 2, 1023), ten(1, 341, 682, 5), ten(2, 1022, 0, 512)},
                   want[] = {ten(0, 1023, 2, 1), ten(1, 5, 682, 341), ten(2, 512, 0, 1022)};
    uint32_t got[3] = {0};
    SLT_ASSERT_TRUE(hs_convert_row(got, &bgra, from, &rgba, 3));
    SLT_EXPECT_MEMEQ(want, got, sizeof got);
    SLT_ASSERT_TRUE(hs_convert_row(got, &rgba, got, &bgra, 3)); /* where they are */
    SLT_EXPECT_MEMEQ(from, got, sizeof got);
}

SLT_TEST(surface, eight_bits_survive_ten_bits)
{
    const struct hs_layout rgba = hs_layout_of(VIRTGPU_FORMAT_R8G8B8A8),
                           bgra10 = hs_layout_of(VIRTGPU_FORMAT_B10G10R10A2);
    for (uint32_t v = 0; v < 256; v++) {
        const uint8_t pixel[4] = {(uint8_t)v, (uint8_t)(255 - v), (uint8_t)(v * 7),
                                  (uint8_t)(v % 4 * 85)};
        uint8_t deep[4], back[4];
        SLT_ASSERT_TRUE(hs_convert_row(deep, &bgra10, pixel, &rgba, 1));
        SLT_ASSERT_TRUE(hs_convert_row(back, &rgba, deep, &bgra10, 1));
        SLT_ASSERT_MEMEQ(pixel, back, 4);
    }
    const uint32_t ends[] = {ten(3, 1023, 0, 0), ten(0, 0, 1023, 2)};
    const uint8_t want[] = {255, 0, 0, 255, 0, 255, 0, 0}; /* the nearest one */
    uint8_t got[8];
    SLT_ASSERT_TRUE(hs_convert_row(got, &rgba, ends, &bgra10, 2));
    SLT_EXPECT_MEMEQ(want, got, sizeof got);
}

SLT_TEST(surface, layouts_that_are_not_copied_are_refused)
{
    const struct hs_layout none = hs_layout_of(UINT32_MAX), half = {GL_RGBA, GL_HALF_FLOAT, 8, 0};
    uint8_t to[16] = {0};
    const uint8_t zeros[16] = {0};
    SLT_EXPECT_EQ(0u, none.bytes);
    SLT_EXPECT_TRUE(!hs_convert_row(to, &none, rows[0].bytes, &rows[0].layout, 1));
    SLT_EXPECT_TRUE(!hs_convert_row(to, &rows[0].layout, rows[0].bytes, &half, 1));
    SLT_EXPECT_MEMEQ(zeros, to, sizeof to);
}

SLT_TEST(surface, knows_the_bytes_of_a_pixel)
{
    SLT_EXPECT_EQ(4u, hs_pixel_bytes(GL_RGBA, GL_UNSIGNED_BYTE));
    SLT_EXPECT_EQ(3u, hs_pixel_bytes(GL_RGB, GL_UNSIGNED_BYTE));
    SLT_EXPECT_EQ(2u, hs_pixel_bytes(GL_RGB, GL_UNSIGNED_SHORT_5_6_5));
    SLT_EXPECT_EQ(4u, hs_pixel_bytes(GL_RG, GL_HALF_FLOAT));
    SLT_EXPECT_EQ(16u, hs_pixel_bytes(GL_RGBA, GL_FLOAT));
    SLT_EXPECT_EQ(0u, hs_pixel_bytes(GL_DEPTH_COMPONENT, GL_UNSIGNED_BYTE));
    SLT_EXPECT_EQ(0u, hs_pixel_bytes(GL_RGBA, GL_INT));
}

/* --- buffers --- */

static void table_init(struct hs_table *t)
{
    hs_table_init(t, NULL, NULL);
}

SLT_FIXTURE(surface_table, struct hs_table, table_init, hs_table_finish);

/* Nothing of a plain buffer is there until it is written: only its size counts. */
SLT_TEST_F(surface_table, counts_bytes_up_to_the_limit, t)
{
    struct hs_buffer *all = NULL, *more = NULL;
    SLT_EXPECT_RESULT(SL_ERR_INVALID, hs_plain_create(t, 0, &more));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, hs_plain_create(t, HS_BYTES_MAX + 1, &more));
    SLT_ASSERT_OK(hs_plain_create(t, HS_BYTES_MAX, &all));
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, hs_plain_create(t, 1, &more));
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, hs_color_create(t, 1, 1, GL_RGBA8, &more));
    SLT_EXPECT_NULL(more);
    SLT_EXPECT_TRUE(hs_open(t, all->handle));
    hs_close(t, all->handle, 1);
    hs_put(all);
    SLT_EXPECT_EQ(0u, t->bytes);
}

SLT_TEST_F(surface_table, a_handle_lives_as_long_as_it_is_open, t)
{
    struct hs_buffer *b = NULL;
    SLT_ASSERT_OK(hs_color_create(t, 2, 3, GL_RGB565, &b));
    uint32_t handle = b->handle;
    SLT_EXPECT_EQ(12u, t->bytes);
    hs_put(b);
    for (int i = 0; i < 3; i++) {
        SLT_EXPECT_TRUE(hs_open(t, handle));
    }
    hs_close(t, handle, 2);
    b = hs_get(t, handle);
    SLT_ASSERT_TRUE(b != NULL);
    SLT_EXPECT_TRUE(!hs_is_shared(b, 1) && hs_is_shared(b, 0));
    hs_put(b);
    hs_close(t, handle, 5); /* more than there are */
    SLT_EXPECT_NULL(hs_get(t, handle));
    SLT_EXPECT_TRUE(!hs_open(t, handle));
    SLT_EXPECT_EQ(0u, t->bytes);
}

SLT_TEST_F(surface_table, refuses_what_cannot_be_a_picture, t)
{
    struct hs_buffer *b = NULL;
    SLT_EXPECT_RESULT(SL_ERR_INVALID, hs_color_create(t, 0, 1, GL_RGBA8, &b));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, hs_color_create(t, 1, HS_SIDE_MAX + 1, GL_RGBA8, &b));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, hs_color_create(t, 1, 1, GL_DEPTH_COMPONENT16, &b));
    SLT_EXPECT_NULL(b);
    SLT_ASSERT_OK(hs_color_create(t, HS_SIDE_MAX, 1, GL_R8, &b));
    SLT_EXPECT_TRUE(hs_open(t, b->handle));
    hs_close(t, b->handle, 1);
    hs_put(b);
}

/* --- what a snapshot asks of a buffer --- */

struct holds_case {
    const char *label;
    bool has_image, has_mem, is_newer, holds;
};
static const struct holds_case holds_cases[] = {
    {"nothing", false, false, false, false},
    {"memory_alone", false, true, false, false},
    {"memory_that_is_up_to_date", true, true, false, false},
    {"memory_that_is_old", true, true, true, true},
    {"an_image_alone", true, false, false, true},
    {"an_image_alone_that_was_drawn", true, false, true, true}};

SLT_TEST_P(surface, an_image_holds_what_no_memory_has, struct holds_case, holds_cases, c)
{
    uint8_t mem[4] = {0};
    struct hs_buffer buffer = {.lock = PTHREAD_MUTEX_INITIALIZER,
                               .mem = c->has_mem ? mem : NULL,
                               .image = c->has_image ? (EGLImageKHR)mem : EGL_NO_IMAGE_KHR,
                               .image_newer = c->is_newer};
    SLT_EXPECT_EQ(c->holds, hs_holds_image(&buffer));
}

/* --- contexts that end amid their draws --- */

/* An EGL of one thread. */
static struct fake_egl {
    bool refuses, is_current, is_endless;
    uint64_t waited_ns;
    uint32_t syncs;
} fake;

static EGLContext fake_context(void)
{
    return EGL_NO_CONTEXT;
}
static EGLSurface fake_surface(EGLint which)
{
    (void)which;
    return EGL_NO_SURFACE;
}
static EGLBoolean fake_make(EGLDisplay display, EGLSurface draw, EGLSurface read,
                            EGLContext context)
{
    (void)display, (void)draw, (void)read;
    fake.is_current = context != EGL_NO_CONTEXT && !fake.refuses;
    return context == EGL_NO_CONTEXT || !fake.refuses;
}
static EGLint fake_error(void)
{
    return EGL_BAD_MATCH;
}
static EGLSyncKHR fake_sync(EGLDisplay display, EGLenum type, const EGLint *attribs)
{
    (void)display, (void)type, (void)attribs;
    fake.syncs++;
    return (EGLSyncKHR)&fake;
}
static EGLint fake_wait(EGLDisplay display, EGLSyncKHR sync, EGLint flags, EGLTimeKHR timeout)
{
    (void)display, (void)sync;
    SLT_EXPECT_EQ(EGL_SYNC_FLUSH_COMMANDS_BIT_KHR, flags);
    fake.waited_ns = timeout;
    return fake.is_endless ? EGL_TIMEOUT_EXPIRED_KHR : EGL_CONDITION_SATISFIED_KHR;
}
static EGLBoolean fake_sync_end(EGLDisplay display, EGLSyncKHR sync)
{
    (void)display, (void)sync;
    fake.syncs--;
    return EGL_TRUE;
}

struct settle_case {
    const char *label;
    bool refuses, is_endless, settles;
    const char *says;
};
static const struct settle_case settle_cases[] = {
    {"at_its_end", false, false, true, NULL},
    {"without_end", false, true, false, "still draws after 7 ms"},
    {"that_is_refused", true, false, false, "can not be waited for: EGL error 0x3009"}};

SLT_TEST_P(surface, waits_at_most_so_long_for_a_context, struct settle_case, settle_cases, c)
{
    const struct hs_native native = {.egl = {.GetCurrentContext = fake_context,
                                             .GetCurrentSurface = fake_surface,
                                             .MakeCurrent = fake_make,
                                             .GetError = fake_error,
                                             .CreateSyncKHR = fake_sync,
                                             .ClientWaitSyncKHR = fake_wait,
                                             .DestroySyncKHR = fake_sync_end},
                                     .fence_sync = true,
                                     .software = true};
    fake = (struct fake_egl){.refuses = c->refuses, .is_endless = c->is_endless};
    if (c->says != NULL) {
        SLT_EXPECT_LOG("surface", c->says);
    }
    SLT_EXPECT_EQ(c->settles, hs_context_settle(&native, (EGLContext)&fake, 7000000));
    SLT_EXPECT_EQ(c->refuses ? 0u : 7000000u, fake.waited_ns);
    SLT_EXPECT_EQ(0u, fake.syncs);
    SLT_EXPECT_TRUE(!fake.is_current);
}
