/* Pixel sizes, and uploads and reads with every pixel store, against a plain reference. */
#include "wire/gles2_opcodes.h"
#include "tests/support/ggl_script.h"
#include "tests/support/slt.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct pair {
    const char *label;
    GLenum format;
    GLenum type;
    uint32_t size;
};
static const struct pair pairs[] = {
    {"rgba_ubyte", GL_RGBA, GL_UNSIGNED_BYTE, 4},
    {"rgb_ubyte", GL_RGB, GL_UNSIGNED_BYTE, 3},
    {"rg_byte", GL_RG, GL_BYTE, 2},
    {"red_ubyte", GL_RED, GL_UNSIGNED_BYTE, 1},
    {"luminance_alpha", GL_LUMINANCE_ALPHA, GL_UNSIGNED_BYTE, 2},
    {"alpha_float", GL_ALPHA, GL_FLOAT, 4},
    {"bgra", GL_BGRA_EXT, GL_UNSIGNED_BYTE, 4},
    {"rgba_integer_int", GL_RGBA_INTEGER, GL_INT, 16},
    {"rgb_integer_short", GL_RGB_INTEGER, GL_SHORT, 6},
    {"rgba_half", GL_RGBA, GL_HALF_FLOAT, 8},
    {"rgb_half_oes", GL_RGB, GL_HALF_FLOAT_OES, 6},
    {"rgb_565", GL_RGB, GL_UNSIGNED_SHORT_5_6_5, 2},
    {"rgba_4444", GL_RGBA, GL_UNSIGNED_SHORT_4_4_4_4, 2},
    {"rgba_5551", GL_RGBA, GL_UNSIGNED_SHORT_5_5_5_1, 2},
    {"rgb_r11g11b10", GL_RGB, GL_UNSIGNED_INT_10F_11F_11F_REV, 4},
    {"rgb_rgb9e5", GL_RGB, GL_UNSIGNED_INT_5_9_9_9_REV, 4},
    {"rgba_1010102", GL_RGBA, GL_UNSIGNED_INT_2_10_10_10_REV, 4},
    {"depth_short", GL_DEPTH_COMPONENT, GL_UNSIGNED_SHORT, 2},
    {"depth_float", GL_DEPTH_COMPONENT, GL_FLOAT, 4},
    {"depth_stencil", GL_DEPTH_STENCIL, GL_UNSIGNED_INT_24_8, 4},
    {"depth_float_stencil", GL_DEPTH_STENCIL, GL_FLOAT_32_UNSIGNED_INT_24_8_REV, 8},
    {"no_format", GL_TEXTURE_2D, GL_UNSIGNED_BYTE, 0},
    {"no_type", GL_RGBA, GL_RGBA, 0},
};

SLT_TEST_P(ggl_pixel, knows_the_size_of, struct pair, pairs, c)
{
    SLT_EXPECT_EQ(c->size, ggl_pixel_size(c->format, c->type));
}

static uint64_t next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

struct layout {
    struct ggl_pixel_store store;
    GLsizei width, height, depth;
    uint32_t bytes; /* of a pixel */
    GLenum format, type;
};

static struct layout random_layout(uint64_t *seed)
{
    const struct pair *pair = &pairs[next(seed) % 21];
    return (struct layout){.store = {.alignment = 1u << next(seed) % 4,
                                     .row_length = next(seed) % 2 ? (uint32_t)next(seed) % 20 : 0,
                                     .image_height = next(seed) % 2 ? (uint32_t)next(seed) % 12 : 0,
                                     .skip_pixels = next(seed) % 3 ? 0 : (uint32_t)next(seed) % 5,
                                     .skip_rows = next(seed) % 3 ? 0 : (uint32_t)next(seed) % 5,
                                     .skip_images = next(seed) % 3 ? 0 : (uint32_t)next(seed) % 3},
                           .width = 1 + (GLsizei)(next(seed) % 12),
                           .height = 1 + (GLsizei)(next(seed) % 8),
                           .depth = 1 + (GLsizei)(next(seed) % 4),
                           .bytes = pair->size,
                           .format = pair->format,
                           .type = pair->type};
}

/* Where GL finds the pixel (x, y, z): the specification's formula. */
static size_t pixel_at(const struct layout *l, size_t x, size_t y, size_t z)
{
    size_t length = l->store.row_length ? l->store.row_length : (size_t)l->width;
    size_t pitch =
        (l->bytes * length + l->store.alignment - 1) / l->store.alignment * l->store.alignment;
    size_t rows = l->store.image_height ? l->store.image_height : (size_t)l->height;
    return ((l->store.skip_images + z) * rows + l->store.skip_rows + y) * pitch +
           (l->store.skip_pixels + x) * l->bytes;
}

/* The host must find every pixel where GL looks for it, and nothing behind the application's last
 * pixel may be read: it ends at a page that faults. */
SLT_TEST(ggl_pixel, uploads_carry_every_pixel_and_read_no_further)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t room = 64 * page;
    uint8_t *memory =
        mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SLT_ASSERT_TRUE(memory != MAP_FAILED);
    SLT_ASSERT_EQ(0, mprotect(memory + room, page, PROT_NONE));
    for (size_t i = 0; i < room; i++) {
        memory[i] = (uint8_t)(i * 7 + i / 251 + 1);
    }
    struct sl_pack_mem mem;
    sl_pack_mem_init(&mem);
    uint64_t seed = 42;
    for (int i = 0; i < 6000; i++) {
        struct layout l = random_layout(&seed);
        if (l.store.row_length && l.store.row_length < (uint32_t)l.width) {
            l.store.row_length = 0;
        }
        size_t last =
            pixel_at(&l, (size_t)l.width - 1, (size_t)l.height - 1, (size_t)l.depth - 1) + l.bytes;
        SLT_ASSERT_TRUE(last <= room);
        const uint8_t *data = memory + room - last;
        struct ggl_pixels p;
        SLT_ASSERT_TRUE(
            ggl_pixels_measure(&l.store, 3, l.width, l.height, l.depth, l.format, l.type, &p));
        struct sl_gather g = ggl_pixels_gather(&p, data);
        SLT_ASSERT_TRUE(p.size >= last && g.size == p.size);
        SLT_ASSERT_EQ(g.size, g.prefix + g.images * g.wire_image);
        mem.pack.cur = mem.data;
        uint8_t *at = sl_pack_begin(&mem.pack, SL_PACK_INLINE);
        size_t start = (size_t)(at - mem.data);
        mem.pack.cur = sl_pack_gather(&mem.pack, at, &g, true);
        const uint8_t *wire = mem.data + start;
        SLT_ASSERT_EQ(g.size, (size_t)(mem.pack.cur - wire));
        for (GLsizei z = 0; z < l.depth; z++) {
            for (GLsizei y = 0; y < l.height; y++) {
                size_t row = pixel_at(&l, 0, (size_t)y, (size_t)z);
                SLT_ASSERT_MEMEQ(data + row, wire + row, (size_t)l.width * l.bytes);
            }
        }
    }
    sl_pack_mem_finish(&mem);
    munmap(memory, room + page);
}

/* A row length below the width: rows overlap, and the last one is whole. */
SLT_TEST(ggl_pixel, rows_that_overlap_are_one_piece)
{
    const struct ggl_pixel_store store = {.alignment = 4, .row_length = 1, .skip_rows = 2};
    struct ggl_pixels p;
    SLT_ASSERT_TRUE(ggl_pixels_measure(&store, 2, 64, 3, 1, GL_RGBA, GL_UNSIGNED_BYTE, &p));
    SLT_EXPECT_EQ(8u, p.start);
    SLT_EXPECT_EQ(1u, p.rows);
    SLT_EXPECT_EQ(2u * 4 + 64 * 4, p.row);
    SLT_EXPECT_EQ(p.row, p.pitch);
    SLT_EXPECT_EQ(p.start + p.row, p.size);
}

SLT_TEST(ggl_pixel, two_dimensions_ignore_images)
{
    const struct ggl_pixel_store store = {.alignment = 4, .image_height = 100, .skip_images = 3};
    struct ggl_pixels p;
    SLT_ASSERT_TRUE(ggl_pixels_measure(&store, 2, 3, 2, 1, GL_RGB, GL_UNSIGNED_BYTE, &p));
    SLT_EXPECT_EQ(24u, p.size);
}

SLT_TEST(ggl_pixel, sizes_that_no_packet_holds_are_refused)
{
    const struct ggl_pixel_store plain = {.alignment = 4};
    const struct ggl_pixel_store far = {.alignment = 8,
                                        .row_length = INT32_MAX,
                                        .image_height = INT32_MAX,
                                        .skip_rows = INT32_MAX,
                                        .skip_images = INT32_MAX,
                                        .skip_pixels = INT32_MAX};
    struct ggl_pixels p;
    SLT_EXPECT_TRUE(!ggl_pixels_measure(&plain, 2, INT32_MAX, INT32_MAX, 1, GL_RGBA, GL_FLOAT, &p));
    SLT_EXPECT_TRUE(
        !ggl_pixels_measure(&far, 3, INT32_MAX, INT32_MAX, INT32_MAX, GL_RGBA, GL_FLOAT, &p));
    SLT_EXPECT_TRUE(!ggl_pixels_measure(&far, 3, 1, 1, 1, GL_RED, GL_UNSIGNED_BYTE, &p));
    SLT_EXPECT_TRUE(ggl_pixels_measure(&plain, 2, -1, 4, 1, GL_RGBA, GL_FLOAT, &p));
    SLT_EXPECT_EQ(0u, p.size);
}

static void init(struct ggl_script *s)
{
    ggl_script_init(s, 30, GGL_FEATURE_SLUICE | GGL_FEATURE_HOST_ERROR);
}
SLT_FIXTURE(ggl_upload, struct ggl_script, init, ggl_script_finish);

SLT_TEST_F(ggl_upload, sizes_a_driver_refuses_read_no_memory, s)
{
    size_t size;
    static const uint8_t limits[] = {0, 64, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0}; /* 16384, 2048, 2048 */
    ggl_script_reply(s, limits, sizeof limits);
    ggl_glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 1 << 20, 1 << 20, 0, GL_RGBA, GL_UNSIGNED_BYTE,
                     "small");
    (void)ggl_script_take(s, &size);
    SLT_EXPECT_EQ(3u * 16 + 44, size);
    ggl_glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA, 1 << 20, 1, 0, GL_RGBA, GL_UNSIGNED_BYTE, "small");
    (void)ggl_script_take(s, &size);
    SLT_EXPECT_EQ(44u, size);             /* the limits are known now */
    SLT_EXPECT_EQ(0u, s->context->error); /* the host's driver says what is wrong */
}

SLT_TEST_F(ggl_upload, an_unpack_buffer_makes_pointers_offsets, s)
{
    uint32_t opcode;
    ggl_glBindBuffer(GL_PIXEL_UNPACK_BUFFER, 3);
    (void)ggl_script_opcodes(s, &opcode, 1);
    ggl_glTexSubImage3D(GL_TEXTURE_3D, 0, 0, 0, 0, 4, 4, 4, GL_RGBA, GL_UNSIGNED_BYTE,
                        (const void *)64);
    SLT_EXPECT_EQ(1u, ggl_script_opcodes(s, &opcode, 1));
    SLT_EXPECT_EQ((uint32_t)GLES2_OP_glTexSubImage3DOffsetAEMU, opcode);
}

SLT_TEST_F(ggl_upload, reads_that_do_not_fit_their_room_are_refused, s)
{
    uint8_t pixels[16];
    ggl_glReadnPixelsEXT(0, 0, 2, 2, GL_RGBA, GL_UNSIGNED_BYTE, 15, pixels);
    SLT_EXPECT_EQ((GLenum)GL_INVALID_OPERATION, s->context->error);
    s->context->error = 0;
    ggl_glReadnPixelsEXT(0, 0, 2, 2, GL_RGBA, GL_UNSIGNED_BYTE, 16, pixels);
    SLT_EXPECT_EQ(0u, s->context->error);
}

/* The host says what is wrong with others. */
SLT_TEST_F(ggl_upload, alignments_are_powers_of_two_up_to_eight, s)
{
    size_t size;
    for (GLint i = -1; i <= 16; i++) {
        bool is_one = i == 1 || i == 2 || i == 4 || i == 8;
        SLT_SCOPE("alignment %d", i);
        uint32_t was = s->context->pack.alignment;
        ggl_glPixelStorei(GL_PACK_ALIGNMENT, i);
        SLT_EXPECT_EQ(is_one ? (uint32_t)i : was, s->context->pack.alignment);
        (void)ggl_script_take(s, &size);
    }
}
