/* host/gles on the native driver, through packets: what is drawn, and what a hostile
 * guest gets (attack cases D). */
#include "host/ring/ring.h"
#include "tests/support/gles_world.h"
#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "wire/gles2_opcodes.h"
#include "wire/rc_opcodes.h"

#include <stdlib.h>
#include <string.h>

SLT_FIXTURE(gles, struct gles_one, gles_one_init, gles_one_finish);

/* A triangle over everything. */
static const float cover[] = {-1, -1, 0, 1, 3, -1, 0, 1, -1, 3, 0, 1};
static const float red[] = {1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1};

static void pointer(struct gles_guest *g, uint32_t index, const void *data, uint32_t size)
{
    gles_send(g, GLES2_OP_glVertexAttribPointerData, "uiubidu", index, 4, GL_FLOAT, 0, 0, data,
              size, size);
}

static void arrays(struct gles_guest *g)
{
    gles_program(g);
    gles_send(g, GLES2_OP_glEnableVertexAttribArray, "u", 0);
    gles_send(g, GLES2_OP_glEnableVertexAttribArray, "u", 1);
    pointer(g, 0, cover, sizeof cover);
    pointer(g, 1, red, sizeof red);
}

SLT_TEST_F(gles, a_flush_lands_in_the_resource_top_row_first, t)
{
    struct gles_guest *g = t->g;
    gles_send(g, GLES2_OP_glClearColor, "ffff", 0.0, 1.0, 0.0, 1.0);
    gles_send(g, GLES2_OP_glClear, "u", GL_COLOR_BUFFER_BIT);
    gles_send(g, GLES2_OP_glEnable, "u", GL_SCISSOR_TEST);
    gles_send(g, GLES2_OP_glScissor, "iiii", 0, 0, 8, 8); /* lower left corner */
    gles_send(g, GLES2_OP_glClearColor, "ffff", 1.0, 0.0, 0.0, 1.0);
    gles_send(g, GLES2_OP_glClear, "u", GL_COLOR_BUFFER_BIT);
    SLT_EXPECT_EQ(0xff0000u, gles_window_pixel(g, 0, WORLD_HEIGHT - 1));
    SLT_EXPECT_EQ(0x00ff00u, gles_window_pixel(g, 0, 0));
    SLT_EXPECT_EQ(0x00ff00u, gles_window_pixel(g, WORLD_WIDTH - 1, WORLD_HEIGHT - 1));
    SLT_EXPECT_EQ(0u, gles_error(g));
}

SLT_TEST_F(gles, a_flush_leaves_the_state_alone, t)
{
    struct gles_guest *g = t->g;
    uint32_t buffer, fb;
    gles_send(g, GLES2_OP_glGenBuffers, "iu", 1, 4);
    gles_read(g, &buffer, 4);
    gles_send(g, GLES2_OP_glGenFramebuffers, "iu", 1, 4);
    gles_read(g, &fb, 4);
    gles_send(g, GLES2_OP_glBindBuffer, "uu", GL_PIXEL_PACK_BUFFER, buffer);
    gles_send(g, GLES2_OP_glBufferData, "uidu", GL_PIXEL_PACK_BUFFER, 4, "abcd", 4, GL_STATIC_DRAW);
    gles_send(g, GLES2_OP_glBindFramebuffer, "uu", GL_FRAMEBUFFER, fb);
    gles_send(g, GLES2_OP_glPixelStorei, "ui", GL_PACK_ALIGNMENT, 8);
    gles_send(g, GLES2_OP_glPixelStorei, "ui", GL_PACK_ROW_LENGTH, 100);
    gles_send(g, GLES2_OP_glPixelStorei, "ui", GL_PACK_SKIP_ROWS, 3);
    (void)gles_window_pixel(g, 0, 0);
    static const struct {
        uint32_t name, value;
    } kept[] = {{GL_PACK_ALIGNMENT, 8},
                {GL_PACK_ROW_LENGTH, 100},
                {GL_PACK_SKIP_ROWS, 3},
                {GL_PACK_SKIP_PIXELS, 0}};
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        SLT_EXPECT_EQ(kept[i].value, gles_call(g, GLES2_OP_glGetIntegerv, "uu", kept[i].name, 4));
    }
    SLT_EXPECT_EQ(buffer,
                  gles_call(g, GLES2_OP_glGetIntegerv, "uu", GL_PIXEL_PACK_BUFFER_BINDING, 4));
    SLT_EXPECT_EQ(fb, gles_call(g, GLES2_OP_glGetIntegerv, "uu", GL_READ_FRAMEBUFFER_BINDING, 4));
    SLT_EXPECT_EQ(0u, gles_error(g));
}

SLT_TEST_F(gles, client_arrays_draw, t)
{
    arrays(t->g);
    gles_send(t->g, GLES2_OP_glDrawArrays, "uii", GL_TRIANGLES, 0, 3);
    SLT_EXPECT_EQ(0xff0000ffu, gles_pixel(t->g, 5, 5));
    SLT_EXPECT_EQ(0u, gles_error(t->g));
}

/* Cells of 8 x 8 pixels over the window, each with a triangle over its middle. */
enum { CELLS_X = WORLD_WIDTH / 8, CELLS = CELLS_X * (WORLD_HEIGHT / 8) };

static void cells_buffer(struct gles_guest *g)
{
    static float corners[CELLS * 3][8]; /* position, colour */
    for (uint32_t i = 0; i < CELLS * 3; i++) {
        static const float at[3][2] = {{0.5f, 0.5f}, {7.5f, 0.5f}, {4, 7.5f}};
        float x = (float)(i / 3 % CELLS_X * 8) + at[i % 3][0],
              y = (float)(i / 3 / CELLS_X * 8) + at[i % 3][1];
        const float corner[8] = {
            x / WORLD_WIDTH * 2 - 1, y / WORLD_HEIGHT * 2 - 1, 0, 1, 1, 0, 0, 1};
        memcpy(corners[i], corner, sizeof corner);
    }
    gles_program(g);
    gles_send(g, GLES2_OP_glBindBuffer, "uu", GL_ARRAY_BUFFER, 7);
    gles_send(g, GLES2_OP_glBufferData, "uudu", GL_ARRAY_BUFFER, (uint32_t)sizeof corners, corners,
              (uint32_t)sizeof corners, GL_STATIC_DRAW);
    for (uint32_t i = 0; i < 2; i++) {
        gles_send(g, GLES2_OP_glVertexAttribPointerOffset, "uiubiu", i, 4, GL_FLOAT, 0, 32, i * 16);
        gles_send(g, GLES2_OP_glEnableVertexAttribArray, "u", i);
    }
}

static bool cell_drawn(struct gles_guest *g, uint32_t cell)
{
    return gles_pixel(g, (int32_t)(cell % CELLS_X * 8 + 4), (int32_t)(cell / CELLS_X * 8 + 3)) ==
           0xff0000ffu;
}

/* They may reach the driver as one. */
SLT_TEST_F(gles, draws_in_a_row_are_all_drawn, t)
{
    struct gles_guest *g = t->g;
    cells_buffer(g);
    for (uint32_t i = 0; i < CELLS; i += 2) {
        gles_send(g, GLES2_OP_glDrawArrays, "uii", GL_TRIANGLES, (int32_t)i * 3, 3);
    }
    for (uint32_t i = 0; i < CELLS; i++) {
        SLT_ASSERT_EQ(i % 2 == 0, cell_drawn(g, i));
    }
    SLT_EXPECT_EQ((uint32_t)GL_NO_ERROR, gles_error(g));
}

SLT_TEST_F(gles, a_wrong_draw_in_a_row_is_wrong_alone, t)
{
    struct gles_guest *g = t->g;
    cells_buffer(g);
    for (uint32_t i = 0; i < CELLS; i++) {
        bool wrong = i == 5 || i == 6 || i == 20;
        gles_send(g, GLES2_OP_glDrawArrays, "uii", GL_TRIANGLES, (int32_t)i * 3, wrong ? -1 : 3);
    }
    for (uint32_t i = 0; i < CELLS; i++) {
        SLT_ASSERT_EQ(i != 5 && i != 6 && i != 20, cell_drawn(g, i));
    }
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_VALUE, gles_error(g));
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

SLT_TEST_F(gles, client_indices_draw, t)
{
    static const uint16_t indices[] = {2, 1, 0};
    arrays(t->g);
    gles_send(t->g, GLES2_OP_glDrawElementsData, "uiudu", GL_TRIANGLES, 3, GL_UNSIGNED_SHORT,
              indices, 6, 6);
    SLT_EXPECT_EQ(0xff0000ffu, gles_pixel(t->g, 5, 5));
    SLT_EXPECT_EQ(0u, gles_error(t->g));
}

/* D01: a draw never reads past the client arrays that were sent for it. */
SLT_TEST_F(gles, d01_refuses_draws_past_the_arrays, t)
{
    static const uint32_t far[] = {0, 1, 0x7fffffff};
    struct gles_guest *g = t->g;
    arrays(g);
    gles_send(g, GLES2_OP_glDrawArrays, "uii", GL_TRIANGLES, 1, 3);
    pointer(g, 0, cover, sizeof cover);
    gles_send(g, GLES2_OP_glDrawArrays, "uii", GL_TRIANGLES, 0x7ffffff0, 0x7ffffff0);
    pointer(g, 0, cover, sizeof cover);
    gles_send(g, GLES2_OP_glDrawElementsData, "uiudu", GL_TRIANGLES, 3, GL_UNSIGNED_INT, far, 12,
              12);
    pointer(g, 0, cover, sizeof cover);
    gles_send(g, GLES2_OP_glDrawElementsData, "uiudu", GL_TRIANGLES, 300, GL_UNSIGNED_INT, far, 12,
              12);
    gles_send(g, GLES2_OP_glDrawArraysInstanced, "uiii", GL_TRIANGLES, 0, 3, INT32_MAX);
    gles_send(g, GLES2_OP_glDrawArraysInstanced, "uiii", GL_TRIANGLES, 0, 3, INT32_MIN);
    SLT_EXPECT_EQ(0x000000ffu, gles_pixel(g, 5, 5)); /* nothing of it was drawn */
    SLT_EXPECT_TRUE(gles_guest_alive(g));
    pointer(g, 0, cover, sizeof cover);
    gles_send(g, GLES2_OP_glDrawArrays, "uii", GL_TRIANGLES, 0, 3);
    SLT_EXPECT_EQ(0xff0000ffu, gles_pixel(g, 5, 5));
}

SLT_TEST_F(gles, an_old_short_array_is_switched_off_for_the_draw, t)
{
    static const float six[] = {-1, -1, 0, 1, 1, -1, 0, 1, -1, 1, 0, 1,
                                -1, 1,  0, 1, 1, -1, 0, 1, 1,  1, 0, 1};
    static const float green[] = {0, 1, 0, 1};
    struct gles_guest *g = t->g;
    arrays(g);
    gles_send(g, GLES2_OP_glDrawArrays, "uii", GL_TRIANGLES, 0, 3);
    gles_send(g, GLES2_OP_glVertexAttrib4fv, "ud", 1, green, sizeof green);
    pointer(g, 0, six,
            sizeof six); /* attribute 1 stays enabled with three elements of the draw before */
    gles_send(g, GLES2_OP_glDrawArrays, "uii", GL_TRIANGLES, 0, 6);
    SLT_EXPECT_EQ(0x00ff00ffu, gles_pixel(g, 5, 5));
    SLT_EXPECT_EQ(0u, gles_error(g));
}

/* An offset is never an address: none of these may touch memory, the context lives. */
SLT_TEST_F(gles, refuses_offsets_without_a_buffer, t)
{
    struct gles_guest *g = t->g;
    arrays(g);
    gles_send(g, GLES2_OP_glVertexAttribPointerOffset, "uiubiu", 0, 4, GL_FLOAT, 0, 16,
              0x41414140u);
    gles_send(g, GLES2_OP_glDrawElementsOffset, "uiuu", GL_TRIANGLES, 3, GL_UNSIGNED_INT,
              0x41414140u);
    gles_send(g, GLES2_OP_glReadPixelsOffsetAEMU, "iiiiuuu", 0, 0, 4, 4, GL_RGBA, GL_UNSIGNED_BYTE,
              0x41414140u);
    gles_send(g, GLES2_OP_glTexImage2DOffsetAEMU, "uiiiiiuuu", GL_TEXTURE_2D, 0, GL_RGBA, 4, 4, 0,
              GL_RGBA, GL_UNSIGNED_BYTE, 0x41414140u);
    gles_send(g, GLES2_OP_glDrawArraysIndirectOffsetAEMU, "uu", GL_TRIANGLES, 0x41414140u);
    SLT_EXPECT_TRUE(gles_guest_alive(g));
    SLT_EXPECT_EQ(0u, gles_error(g));
}

/* GL takes the buffer out of the bound vertex array and leaves the offset behind: it must not
 * become an address. */
SLT_TEST_F(gles, a_deleted_buffer_leaves_no_address_behind, t)
{
    struct gles_guest *g = t->g;
    uint32_t buffer;
    static uint8_t big[4096];
    gles_program(g);
    gles_send(g, GLES2_OP_glGenBuffers, "iu", 1, 4);
    gles_read(g, &buffer, 4);
    gles_send(g, GLES2_OP_glBindBuffer, "uu", GL_ARRAY_BUFFER, buffer);
    gles_send(g, GLES2_OP_glBufferData, "uidu", GL_ARRAY_BUFFER, 4096, big, 4096, GL_STATIC_DRAW);
    gles_send(g, GLES2_OP_glVertexAttribPointerOffset, "uiubiu", 0, 4, GL_FLOAT, 0, 16, 1024);
    gles_send(g, GLES2_OP_glEnableVertexAttribArray, "u", 0);
    gles_send(g, GLES2_OP_glDrawArrays, "uii", GL_TRIANGLES, 0, 3);
    gles_send(g, GLES2_OP_glDeleteBuffers, "id", 1, &buffer, 4);
    gles_send(g, GLES2_OP_glDrawArrays, "uii", GL_TRIANGLES, 0, 3);
    SLT_EXPECT_TRUE(gles_guest_alive(g));
    SLT_EXPECT_EQ(0u, gles_error(g));
}

/* The driver tells what it finds wrong before it would read an input that is not there. */
SLT_TEST_F(gles, takes_zeros_for_an_input_of_which_nothing_came, t)
{
    static const int32_t counts[] = {2, 2000, (int32_t)(HR_ZEROS_MAX / 16)};
    struct gles_guest *g = t->g;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        gles_send(g, GLES2_OP_glUniform4fv, "iid", 0, counts[i], NULL, 0);
        SLT_EXPECT_EQ((uint32_t)GL_INVALID_OPERATION, gles_error(g)); /* there is no program */
    }
    gles_send(g, GLES2_OP_glUniform4fv, "iid", 0, counts[2] + 1, NULL, 0);
    gles_send(g, GLES2_OP_glUniform4fv, "iid", 0, INT32_MAX, NULL, 0);
    SLT_EXPECT_EQ(0u, gles_error(g));
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

/* D02: unpack state that makes GL read past the bytes that came. */
SLT_TEST_F(gles, d02_refuses_uploads_past_the_data, t)
{
    struct gles_guest *g = t->g;
    uint32_t texture;
    uint8_t data[64];
    memset(data, 255, sizeof data);
    gles_send(g, GLES2_OP_glGenTextures, "iu", 1, 4);
    gles_read(g, &texture, 4);
    gles_send(g, GLES2_OP_glBindTexture, "uu", GL_TEXTURE_2D, texture);
    static const struct {
        uint32_t name;
        int32_t value;
    } skips[] = {{GL_UNPACK_SKIP_ROWS, 1},
                 {GL_UNPACK_SKIP_PIXELS, 1},
                 {GL_UNPACK_ROW_LENGTH, 1 << 20},
                 {GL_UNPACK_SKIP_ROWS, INT32_MAX}};
    for (size_t i = 0; i < sizeof skips / sizeof skips[0]; i++) {
        gles_send(g, GLES2_OP_glPixelStorei, "ui", skips[i].name, skips[i].value);
        gles_send(g, GLES2_OP_glTexImage2D, "uiiiiiuud", GL_TEXTURE_2D, 0, GL_RGBA, 4, 4, 0,
                  GL_RGBA, GL_UNSIGNED_BYTE, data, 64);
        gles_send(g, GLES2_OP_glPixelStorei, "ui", skips[i].name, 0);
    }
    gles_send(g, GLES2_OP_glTexImage2D, "uiiiiiuud", GL_TEXTURE_2D, 0, GL_RGBA, 1 << 14, 1 << 14, 0,
              GL_RGBA, GL_UNSIGNED_BYTE, data, 64);
    SLT_EXPECT_TRUE(gles_guest_alive(g));
    SLT_EXPECT_EQ(0u, gles_error(g)); /* none of them reached GL */
    gles_send(g, GLES2_OP_glTexImage2D, "uiiiiiuud", GL_TEXTURE_2D, 0, GL_RGBA, 4, 4, 0, GL_RGBA,
              GL_UNSIGNED_BYTE, data, 64);
    SLT_EXPECT_EQ(0u, gles_error(g));
}

/* D03: reads that do not fit, into client memory and into a buffer. */
SLT_TEST_F(gles, d03_refuses_reads_that_do_not_fit, t)
{
    struct gles_guest *g = t->g;
    uint32_t buffer;
    uint8_t out[60], zeros[60] = {0};
    gles_send(g, GLES2_OP_glClearColor, "ffff", 1.0, 1.0, 1.0, 1.0);
    gles_send(g, GLES2_OP_glClear, "u", GL_COLOR_BUFFER_BIT);
    gles_send(g, GLES2_OP_glReadPixels, "iiiiuuu", 0, 0, 4, 4, GL_RGBA, GL_UNSIGNED_BYTE, 60);
    gles_read(g, out, 60);
    SLT_EXPECT_MEMEQ(zeros, out, 60);
    gles_send(g, GLES2_OP_glGenBuffers, "iu", 1, 4);
    gles_read(g, &buffer, 4);
    gles_send(g, GLES2_OP_glBindBuffer, "uu", GL_PIXEL_PACK_BUFFER, buffer);
    gles_send(g, GLES2_OP_glBufferData, "uidu", GL_PIXEL_PACK_BUFFER, 48, zeros, 48,
              GL_STREAM_READ); /* one row short of 4x4 */
    gles_send(g, GLES2_OP_glReadPixelsOffsetAEMU, "iiiiuuu", 0, 0, 4, 4, GL_RGBA, GL_UNSIGNED_BYTE,
              0);
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_OPERATION, gles_error(g));
    gles_send(g, GLES2_OP_glReadPixels, "iiiiuuu", 0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE,
              4); /* an address, with a buffer bound */
    gles_read(g, out, 4);
    SLT_EXPECT_MEMEQ(zeros, out, 4);
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

/* D03 continued: from no buffer at all, which the driver here does not survive. */
SLT_TEST_F(gles, d03_refuses_reads_of_no_buffer, t)
{
    struct gles_guest *g = t->g;
    uint32_t names[2];
    uint8_t out[4], zeros[4] = {0};
    gles_send(g, GLES2_OP_glGenTextures, "iu", 1, 4);
    gles_read(g, &names[0], 4);
    gles_send(g, GLES2_OP_glBindTexture, "uu", GL_TEXTURE_2D, names[0]);
    gles_send(g, GLES2_OP_glReadBuffer, "u", GL_NONE);
    gles_send(g, GLES2_OP_glReadPixels, "iiiiuuu", 0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, 4);
    gles_read(g, out, 4);
    SLT_EXPECT_MEMEQ(zeros, out, 4);
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_OPERATION, gles_error(g));
    gles_send(g, GLES2_OP_glCopyTexImage2D, "uiuiiiii", GL_TEXTURE_2D, 0, GL_RGBA, 0, 0, 4, 4, 0);
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_OPERATION, gles_error(g));
    gles_send(g, GLES2_OP_glGenBuffers, "iu", 1, 4);
    gles_read(g, &names[1], 4);
    gles_send(g, GLES2_OP_glBindBuffer, "uu", GL_PIXEL_PACK_BUFFER, names[1]);
    gles_send(g, GLES2_OP_glBufferData, "uidu", GL_PIXEL_PACK_BUFFER, 4, zeros, 4, GL_STREAM_READ);
    gles_send(g, GLES2_OP_glReadPixelsOffsetAEMU, "iiiiuuu", 0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE,
              0);
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_OPERATION, gles_error(g));
    gles_send(g, GLES2_OP_glReadBuffer, "u", GL_BACK);
    gles_send(g, GLES2_OP_glReadPixelsOffsetAEMU, "iiiiuuu", 0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE,
              0);
    SLT_EXPECT_EQ((uint32_t)GL_NO_ERROR, gles_error(g));
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

/* D04: source that no compiler should be asked to read, and source that strains one. */
SLT_TEST_F(gles, d04_bears_hostile_shaders, t)
{
    struct gles_guest *g = t->g;
    uint32_t shader = gles_call(g, GLES2_OP_glCreateShader, "u", GL_FRAGMENT_SHADER);
    uint32_t size = 16u << 20;
    char *text = calloc(1, size);
    memset(text, ' ', size);
    gles_send(g, GLES2_OP_glShaderString, "udu", shader, text, size, size);
    static const char head[] = "precision mediump float; void main() { gl_FragColor = vec4(";
    size_t n = sizeof head - 1;
    memcpy(text, head, n);
    memset(text + n, '(', 10000);
    text[n + 10000] = '1';
    memset(text + n + 10001, ')', 10000);
    memcpy(text + n + 20001, "); }", 5);
    uint32_t used = (uint32_t)n + 20001 + 5;
    gles_send(g, GLES2_OP_glShaderString, "udu", shader, text, used, used);
    gles_send(g, GLES2_OP_glCompileShader, "u", shader);
    free(text);
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

/* D04: source that ends Mesa's compiler, and its process, is never given to it. */
SLT_TEST_F(gles, d04_bears_sums_of_any_length, t)
{
    struct gles_guest *g = t->g;
    static const char head[] = "precision mediump float; void main() { float f = 1.0; f = f";
    for (uint32_t terms = 1000; terms <= 100000; terms *= 100) {
        uint32_t shader = gles_call(g, GLES2_OP_glCreateShader, "u", GL_FRAGMENT_SHADER);
        uint32_t used = sizeof head - 1;
        char *text = malloc(used + terms * 2 + 3);
        memcpy(text, head, used);
        for (uint32_t i = 0; i < terms; i++, used += 2) {
            memcpy(text + used, "+f", 2);
        }
        memcpy(text + used, "; }", 3);
        used += 3;
        gles_send(g, GLES2_OP_glShaderString, "udu", shader, text, used, used);
        gles_send(g, GLES2_OP_glCompileShader, "u", shader);
        SLT_EXPECT_EQ(terms == 1000 ? 1u : 0u,
                      gles_call(g, GLES2_OP_glGetShaderiv, "uuu", shader, GL_COMPILE_STATUS, 4));
        free(text);
    }
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

/* D05: program binaries that are not: garbage, truncated, of another format. */
SLT_TEST_F(gles, d05_bears_false_program_binaries, t)
{
    struct gles_guest *g = t->g;
    uint32_t program = gles_program(g);
    uint32_t size =
        gles_call(g, GLES2_OP_glGetProgramiv, "uuu", program, GL_PROGRAM_BINARY_LENGTH, 4);
    uint32_t length = 0, format = 0;
    uint8_t *binary = calloc(1, size + 16);
    gles_send(g, GLES2_OP_glGetProgramBinary, "uiuuu", program, size, 4, 4, size);
    gles_read(g, &length, 4);
    gles_read(g, &format, 4);
    gles_read(g, binary, size);
    uint32_t other = gles_call(g, GLES2_OP_glCreateProgram, "");
    for (uint32_t cut = 0; cut < 4; cut++) {
        uint32_t n = size * cut / 4;
        gles_send(g, GLES2_OP_glProgramBinary, "uudi", other, format, binary, n, n);
        gles_send(g, GLES2_OP_glProgramBinary, "uudi", other, format + 1, binary, n, n);
    }
    for (uint32_t i = 0; i < size; i += size / 16 + 1) {
        binary[i] ^= 0x5a;
        gles_send(g, GLES2_OP_glProgramBinary, "uudi", other, format, binary, size, size);
        binary[i] ^= 0x5a;
    }
    gles_send(g, GLES2_OP_glProgramBinary, "uudi", other, format, binary, 4,
              1 << 30); /* says more than it sends */
    free(binary);
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

/* D06: compressed data one block short, and an imageSize that lies. */
SLT_TEST_F(gles, d06_refuses_short_compressed_data, t)
{
    struct gles_guest *g = t->g;
    uint32_t texture;
    uint8_t blocks[64] = {0};
    gles_send(g, GLES2_OP_glGenTextures, "iu", 1, 4);
    gles_read(g, &texture, 4);
    gles_send(g, GLES2_OP_glBindTexture, "uu", GL_TEXTURE_2D, texture);
    gles_send(g, GLES2_OP_glCompressedTexImage2D, "uiuiiiid", GL_TEXTURE_2D, 0,
              GL_COMPRESSED_RGB8_ETC2, 8, 8, 0, 24, blocks, 24);
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_VALUE, gles_error(g));
    gles_send(g, GLES2_OP_glCompressedTexImage2D, "uiuiiiid", GL_TEXTURE_2D, 0,
              GL_COMPRESSED_RGB8_ETC2, 8, 8, 0, 32, blocks, 24);
    SLT_EXPECT_EQ(0u, gles_error(g)); /* it did not reach GL */
    gles_send(g, GLES2_OP_glCompressedTexImage2D, "uiuiiiid", GL_TEXTURE_2D, 0,
              GL_COMPRESSED_RGB8_ETC2, 8, 8, 0, -32, blocks, 32);
    SLT_EXPECT_EQ((uint32_t)GL_INVALID_VALUE, gles_error(g)); /* GL read nothing */
    gles_send(g, GLES2_OP_glCompressedTexImage2D, "uiuiiiid", GL_TEXTURE_2D, 0,
              GL_COMPRESSED_RGB8_ETC2, 8, 8, 0, 32, blocks, 32);
    SLT_EXPECT_EQ(0u, gles_error(g));
}

SLT_TEST_F(gles, maps_read_and_write_buffers, t)
{
    struct gles_guest *g = t->g;
    uint32_t buffer;
    uint8_t out[8], ok = 0;
    gles_send(g, GLES2_OP_glGenBuffers, "iu", 1, 4);
    gles_read(g, &buffer, 4);
    gles_send(g, GLES2_OP_glBindBuffer, "uu", GL_ARRAY_BUFFER, buffer);
    gles_send(g, GLES2_OP_glBufferDataSyncAEMU, "uidu", GL_ARRAY_BUFFER, 8, "abcdefgh", 8,
              GL_STATIC_DRAW);
    gles_read(g, &ok, 1);
    SLT_EXPECT_EQ(1u, ok);
    gles_send(g, GLES2_OP_glUnmapBufferAEMU, "uiiudu", GL_ARRAY_BUFFER, 2, 3, GL_MAP_WRITE_BIT,
              "XYZ", 3, 1);
    gles_read(g, &ok, 1);
    SLT_EXPECT_EQ(1u, ok);
    gles_send(g, GLES2_OP_glMapBufferRangeAEMU, "uiiuu", GL_ARRAY_BUFFER, 0, 8, GL_MAP_READ_BIT, 8);
    gles_read(g, out, 8);
    SLT_EXPECT_MEMEQ("abXYZfgh", out, 8);
    gles_send(g, GLES2_OP_glMapBufferRangeAEMU, "uiiuu", GL_ARRAY_BUFFER, 4, 1 << 20,
              GL_MAP_READ_BIT, 8); /* past its end and the reply's */
    gles_read(g, out, 8);
    SLT_EXPECT_TRUE(gles_guest_alive(g));
}

/* A context that counts samples and draws; then it ends, which a driver may not survive. */
static void count_and_end(struct gles_guest *g)
{
    uint32_t name, any = 0xffffffff; /* of configs */
    uint32_t context = gles_call(g, RC_OP_rcCreateContext, "uuu", any, 0, 3);
    SLT_ASSERT_EQ(1u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", context, g->surface, g->surface));
    (void)gles_target(g, 1024);
    arrays(g);
    gles_send(g, GLES2_OP_glGenQueries, "iu", 1, 4);
    gles_read(g, &name, 4);
    gles_send(g, GLES2_OP_glBeginQuery, "uu", GL_ANY_SAMPLES_PASSED, name);
    for (int i = 0; i < 20; i++) {
        gles_send(g, GLES2_OP_glDrawArrays, "uii", GL_TRIANGLES, 0, 3);
    }
    SLT_ASSERT_EQ(1u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", 0, 0, 0));
    gles_send(g, RC_OP_rcDestroyContext, "u", context);
}

SLT_TEST_F(gles, contexts_that_count_end, t)
{
    struct gles_guest *g = t->g;
    for (int i = 0; i < 40; i++) {
        count_and_end(g);
    }
    SLT_EXPECT_EQ(1u, gles_call(g, RC_OP_rcMakeCurrent, "uuu", g->gl, g->surface, g->surface));
    arrays(g);
    gles_send(g, GLES2_OP_glDrawArrays, "uii", GL_TRIANGLES, 0, 3);
    SLT_EXPECT_EQ(0xff0000u, gles_window_pixel(g, 5, 5));
}

/* Two guests at once; one breaks the protocol; the other does not notice. */
SLT_TEST_F(gles, a_lost_guest_leaves_the_others_alone, t)
{
    struct gles_guest *bad = gles_guest_open(&t->world);
    gles_guest_start(bad, 2);
    gles_send(bad, 9999, "u", 0);
    asg_writer_flush(&bad->writer);
    for (int i = 0; i < 1000 && sl_atomic_load_acquire(&bad->lost) == 0; i++) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_EXPECT_TRUE(strstr(bad->reason, "unknown opcode 9999") != NULL);
    arrays(t->g);
    gles_send(t->g, GLES2_OP_glDrawArrays, "uii", GL_TRIANGLES, 0, 3);
    SLT_EXPECT_EQ(0xff0000u, gles_window_pixel(t->g, 5, 5));
    SLT_EXPECT_TRUE(gles_guest_alive(t->g));
}
