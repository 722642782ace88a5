/* Snapshots of vertex arrays, and buffers that only they have. */
#include "tests/support/gles_save_pair.h"
#include "tests/support/slt.h"
#include "wire/rc_pack.h"

#include <GLES2/gl2ext.h>
#include <string.h>

SLT_FIXTURE(gles_save_arrays, struct save_pair, save_pair_init, save_pair_finish);

enum { ARRAY = 1, OTHER = 2, PLACES = 1, COLORS = 2, INDICES = 3, OF_OTHER = 4 };

struct array {
    const char *label;
    bool deletes_places, deletes_colors, deletes_indices;
    bool is_apart;  /* formats and buffers by themselves (GLES 3.1) */
    bool is_fixed;  /* storage for good */
    bool is_shared; /* by another vertex array */
    bool is_bound;  /* when it is saved */
};
static const struct array arrays[] = {
    {"apart", false, false, false, true, false, false, false},
    {"places", true, false, false, false, false, false, false},
    {"indices", false, false, true, false, false, false, false},
    {"all", true, true, true, false, false, false, false},
    {"all_of_a_bound_one", true, true, true, false, false, false, true},
    {"all_apart", true, true, true, true, false, false, true},
    {"all_fixed", true, true, true, false, true, false, false},
    {"of_two", true, true, true, false, false, true, true},
    {"of_two_apart", true, true, true, true, false, true, false}};

static void fill(struct twin *t, GLenum target, uint32_t name, const void *data, uint32_t size,
                 bool is_fixed)
{
    struct sl_pack *o = twin_out(t);
    gles2_pack_glBindBuffer(o, target, name);
    if (is_fixed) {
        glesx_pack_glBufferStorageEXT(o, target, size, data, size, GL_MAP_READ_BIT);
    } else {
        gles2_pack_glBufferData(o, target, size, data, size, GL_STATIC_DRAW);
    }
}

static void point(struct twin *t, const struct array *x)
{
    struct sl_pack *o = twin_out(t);
    for (uint32_t i = 0; i < 2; i++) {
        const uint32_t buffer = i == 0 ? PLACES : COLORS;
        const GLint size = i == 0 ? 2 : 4;
        if (x->is_apart) {
            gles2_pack_glBindVertexBuffer(o, i, buffer, 8, size * 4);
            gles2_pack_glVertexAttribFormat(o, i, size, GL_FLOAT, GL_FALSE, 0);
            gles2_pack_glVertexAttribBinding(o, i, i);
        } else {
            gles2_pack_glBindBuffer(o, GL_ARRAY_BUFFER, buffer);
            gles2_pack_glVertexAttribPointerOffset(o, i, size, GL_FLOAT, GL_FALSE, 0, 8);
        }
        gles2_pack_glEnableVertexAttribArray(o, i);
    }
    gles2_pack_glBindBuffer(o, GL_ELEMENT_ARRAY_BUFFER, INDICES);
}

static void delete_buffers(struct twin *t, const struct array *x)
{
    const uint32_t names[] = {PLACES, COLORS, INDICES};
    const bool deletes[] = {x->deletes_places, x->deletes_colors, x->deletes_indices};
    struct sl_pack *o = twin_out(t);
    gles2_pack_glBindVertexArray(o, 0);
    for (uint32_t i = 0; i < 3; i++) {
        if (deletes[i]) {
            gles2_pack_glDeleteBuffers(o, 1, &names[i], 4);
        }
    }
    gles2_pack_glBindVertexArray(o, x->is_bound ? ARRAY : 0);
    twin_send(t);
}

static void make_array(struct twin *t, const struct array *x)
{
    static const GLfloat places[] = {9, 9, -0.8f, -0.7f, 0.6f, -0.5f, 0.1f, 0.9f, -0.9f, 0.4f};
    static const GLfloat colors[] = {9, 9, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 1, 1, 0, 1};
    static const uint16_t indices[] = {0, 1, 2, 0, 2, 3};
    static const char vertex[] =
        "#version 310 es\nlayout(location = 0) in vec2 p; layout(location = 1) in vec4 c;\n"
        "out vec4 v; void main() { v = c; gl_Position = vec4(p, 0.0, 1.0); }";
    static const char fragment[] =
        "#version 310 es\nprecision highp float; in vec4 v; out vec4 o; void main() { o = v; }";
    struct sl_pack *o = twin_out(t);
    uint32_t v = twin_shader(t, GL_VERTEX_SHADER, vertex),
             f = twin_shader(t, GL_FRAGMENT_SHADER, fragment);
    gles2_pack_glCreateProgram(o);
    uint32_t program = twin_ask(t);
    gles2_pack_glAttachShader(o, program, v);
    gles2_pack_glAttachShader(o, program, f);
    gles2_pack_glLinkProgram(o, program);
    gles2_pack_glUseProgram(o, program);
    gles2_pack_glGenBuffers(o, OF_OTHER, OF_OTHER * 4);
    twin_send(t);
    gles2_pack_glGenVertexArrays(o, 2, 8);
    twin_send(t);
    fill(t, GL_ARRAY_BUFFER, PLACES, places, sizeof places, x->is_fixed);
    fill(t, GL_ARRAY_BUFFER, COLORS, colors, sizeof colors, x->is_fixed);
    for (uint32_t array = ARRAY; array <= (x->is_shared ? OTHER : ARRAY); array++) {
        gles2_pack_glBindVertexArray(o, array);
        if (array == ARRAY) {
            fill(t, GL_ELEMENT_ARRAY_BUFFER, INDICES, indices, sizeof indices, x->is_fixed);
        }
        point(t, x);
    }
    gles2_pack_glBindBuffer(o, GL_ARRAY_BUFFER, OF_OTHER);
    twin_send(t);
    delete_buffers(t, x);
    SLT_ASSERT_EQ(0u, save_error(t));
}

enum { WIDTH = 64, HEIGHT = 48, BYTES = WIDTH * HEIGHT * 4 };

static void draw(struct twin *t, uint32_t array, uint8_t pixels[BYTES])
{
    struct sl_pack *o = twin_out(t);
    gles2_pack_glBindVertexArray(o, array);
    gles2_pack_glClear(o, GL_COLOR_BUFFER_BIT);
    gles2_pack_glDrawElementsOffset(o, GL_TRIANGLES, 6, GL_UNSIGNED_SHORT, 0);
    gles2_pack_glReadPixels(o, 0, 0, WIDTH, HEIGHT, GL_RGBA, GL_UNSIGNED_BYTE, BYTES);
    twin_send(t);
    SLT_ASSERT_EQ((size_t)BYTES, t->reply_size);
    memcpy(pixels, t->reply, BYTES);
}

SLT_TEST_FP(gles_save_arrays, draw_as_before, p, struct array, arrays, x)
{
    static uint8_t want[BYTES], got[BYTES], nothing[BYTES];
    make_array(&p->one, x);
    save_expect_twins(p);
    for (uint32_t array = ARRAY; array <= (x->is_shared ? OTHER : ARRAY); array++) {
        draw(&p->one, array, want);
        draw(&p->other, array, got);
        SLT_EXPECT_MEMEQ(want, got, BYTES);
        SLT_EXPECT_NE(0, memcmp(nothing, got, BYTES));
    }
    gles2_pack_glIsBuffer(twin_out(&p->other), PLACES);
    twin_send(&p->other);
    SLT_EXPECT_EQ(x->deletes_places ? 0 : 1, p->other.reply[0]);
    SLT_EXPECT_EQ((GLint)OF_OTHER, save_get(&p->other, GL_ARRAY_BUFFER_BINDING));
    SLT_EXPECT_EQ(0u, save_error(&p->other));
}
