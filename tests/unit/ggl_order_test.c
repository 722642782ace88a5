/* guest/gles: who tells the others of its share group what it wrote, and who waits for that. */
#include "tests/support/ggl_script.h"
#include "tests/support/slt.h"
#include "wire/gles2_opcodes.h"
#include "wire/sl_opcodes.h"

enum { MOST = 8 };

struct two {
    struct ggl_script one, other; /* of one group, each with its thread's stream */
    struct gs_device device;
    struct asg_page pages[2];
};

static void make_current(struct ggl_script *s)
{
    ggl_make_current(NULL, NULL);
    ggl_make_current(s->context, &s->stream);
}

static void share(struct two *t, uint32_t features)
{
    const struct ggl_context_args args = {
        .version = 30, .features = features, .share = t->one.context};
    ggl_context_destroy(t->other.context);
    SLT_ASSERT_OK(ggl_context_create(&args, &t->other.context));
    t->one.stream.device = t->other.stream.device = &t->device;
    t->one.stream.ring.page = &t->pages[0];
    t->other.stream.ring.page = &t->pages[1];
    make_current(&t->one);
}

static void init_with(struct two *t, uint32_t features)
{
    *t = (struct two){.device.own = true};
    ggl_script_init(&t->one, 30, features);
    ggl_script_init(&t->other, 30, features);
    share(t, features);
}

static void init(struct two *t)
{
    init_with(t, GGL_FEATURE_SLUICE | GGL_FEATURE_SIGNAL);
}

static void finish(struct two *t)
{
    ggl_script_finish(&t->other);
    ggl_script_finish(&t->one);
}
SLT_FIXTURE(ggl_order, struct two, init, finish);

static void init_unsignalled(struct two *t)
{
    init_with(t, GGL_FEATURE_SLUICE);
}
SLT_FIXTURE(ggl_order_unsignalled, struct two, init_unsignalled, finish);

static uint32_t last_opcode(struct ggl_script *s)
{
    uint32_t got[MOST] = {0};
    size_t count = ggl_script_opcodes(s, got, MOST);
    return count != 0 && count <= MOST ? got[count - 1] : 0;
}

static void upload(void)
{
    static const uint8_t pixel[4];
    ggl_glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, pixel);
}

static void fill_buffer(void)
{
    ggl_glBufferData(GL_ARRAY_BUFFER, 4, "abc", GL_STATIC_DRAW);
}

static void fill_part(void)
{
    ggl_glBufferSubData(GL_ARRAY_BUFFER, 0, 4, "abc");
}

static void draw(void)
{
    ggl_glDrawArrays(GL_TRIANGLES, 0, 3);
}

static void read_pixel(void)
{
    uint8_t pixel[4];
    ggl_glReadPixels(0, 0, 1, 1, GL_RGBA, GL_UNSIGNED_BYTE, pixel);
}

static void bind_framebuffer(void)
{
    ggl_glBindFramebuffer(GL_FRAMEBUFFER, 0);
}

struct call {
    const char *label;
    void (*make)(void);
};
static const struct call writers[] = {{"flush", ggl_glFlush},
                                      {"upload", upload},
                                      {"buffer", fill_buffer},
                                      {"part_of_a_buffer", fill_part}};
static const struct call users[] = {{"draw", draw},
                                    {"read", read_pixel},
                                    {"upload", upload},
                                    {"part_of_a_buffer", fill_part},
                                    {"framebuffer", bind_framebuffer}};

SLT_TEST_FP(ggl_order, is_told_of, t, struct call, writers, c)
{
    make_current(&t->other); /* on a thread of its own */
    make_current(&t->one);
    c->make();
    SLT_EXPECT_EQ((uint32_t)SL_OP_slSignal, last_opcode(&t->one));
    SLT_EXPECT_EQ(1u, t->one.stream.signal);
    SLT_EXPECT_LE(1u, t->one.flushes);
}

SLT_TEST_FP(ggl_order, is_waited_for_once, t, struct call, users, c)
{
    ggl_glFlush();
    ggl_glFlush();
    ggl_make_current(NULL, NULL); /* another thread's stream from here on; no one left */
    ggl_make_current(t->other.context, &t->other.stream);
    c->make();
    SLT_EXPECT_EQ(2u, t->pages[0].host_signal);
    t->pages[0].host_signal = 0;
    draw();
    SLT_EXPECT_EQ(0u, t->pages[0].host_signal);
}

SLT_TEST_F(ggl_order, is_not_waited_for_on_the_same_stream, t)
{
    ggl_glFlush();
    draw();
    SLT_EXPECT_EQ(0u, t->pages[0].host_signal);
    make_current(&t->other);
    t->other.context->stream = &t->one.stream;
    draw();
    SLT_EXPECT_EQ(0u, t->pages[0].host_signal);
    t->other.context->stream = &t->other.stream;
}

SLT_TEST_F(ggl_order, of_a_stream_that_left_is_not_waited_for, t)
{
    ggl_glFlush();
    ggl_order_leave(t->one.context);
    make_current(&t->other);
    draw();
    SLT_EXPECT_EQ(0u, t->pages[0].host_signal);
}

SLT_TEST_F(ggl_order, is_for_groups_of_several_contexts, t)
{
    ggl_context_destroy(t->other.context);
    t->other.context = NULL;
    make_current(&t->one);
    ggl_glFlush();
    SLT_EXPECT_EQ((uint32_t)GLES2_OP_glFlush, last_opcode(&t->one));
    SLT_EXPECT_EQ(0u, t->one.stream.signal);
}

/* Each call would go out by itself. */
SLT_TEST_F(ggl_order, of_one_thread_alone_tells_of_flushes, t)
{
    upload();
    SLT_EXPECT_EQ((uint32_t)GLES2_OP_glTexSubImage2D, last_opcode(&t->one));
    ggl_glFlush();
    SLT_EXPECT_EQ((uint32_t)SL_OP_slSignal, last_opcode(&t->one));
}

/* More streams than there is room for: who has none waits for the host itself. */
SLT_TEST_F(ggl_order, waits_where_nothing_can_be_told, t)
{
    static struct asg_page more[GGL_TOLD];
    for (uint32_t i = 0; i < GGL_TOLD; i++) {
        t->one.stream.ring.page = &more[i];
        ggl_glFlush();
    }
    t->one.stream.ring.page = &t->pages[0];
    t->one.read = 0;
    ggl_glFlush();
    SLT_EXPECT_LT(0u, t->one.read);
}

SLT_TEST_F(ggl_order_unsignalled, is_waited_for_by_the_writer, t)
{
    t->one.read = 0;
    ggl_glFlush();
    SLT_EXPECT_LT(0u, t->one.read);
}
