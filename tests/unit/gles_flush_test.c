/* A driver that draws by the CPU is not let fall far behind a guest that flushes and never waits.
 */
#include "tests/support/gles_world.h"
#include "tests/support/slt.h"
#include "wire/gles2_opcodes.h"

#define PICTURES 60u /* fewer than Mesa has under way at once: 64 */
#define BEHIND   32u /* of them */

static void init(struct gles_one *t)
{
    t->world.options.software = true;
    gles_one_init(t);
}

SLT_FIXTURE(gles_flush, struct gles_one, init, gles_one_finish);

/* A picture that takes milliseconds, handed over; its fence. */
static uint64_t draw_slowly(struct gles_guest *g)
{
    uint64_t fence = 0;
    gles_send(g, GLES2_OP_glDrawArrays, "uii", GL_TRIANGLES, 0, 3);
    gles_send(g, GLES2_OP_glFlush, "");
    gles_send(g, GLES2_OP_glFenceSyncAEMU, "uu", GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
    gles_read(g, &fence, 8);
    return fence;
}

static bool is_drawn(struct gles_guest *g, uint64_t fence)
{
    return gles_call(g, GLES2_OP_glClientWaitSyncAEMU, "quq", fence, 0, 0ull) != GL_TIMEOUT_EXPIRED;
}

SLT_TEST_F(gles_flush, leaves_few_pictures_undrawn, t)
{
    uint64_t fences[PICTURES];
    uint32_t most = 0, first = 0;
    gles_program_of(t->g,
                    "#version 300 es\nvoid main() { gl_Position = vec4(gl_VertexID == 1 ? 3 : -1, "
                    "gl_VertexID == 2 ? 3 : -1, 0, 1); }",
                    "#version 300 es\nprecision highp float; out vec4 o; void main() { float x = "
                    "gl_FragCoord.x; for (int i = 0; i < 5000; i++) { x = fract(x * 1.1 + 0.3); } "
                    "o = vec4(x); }");
    for (uint32_t i = 0; i < PICTURES; i++) {
        fences[i] = draw_slowly(t->g);
        SLT_ASSERT_NE(0u, fences[i]);
        while (first <= i && is_drawn(t->g, fences[first])) {
            first++;
        }
        most = i + 1 - first > most ? i + 1 - first : most;
    }
    SLT_EXPECT_LE(most, BEHIND);
    SLT_EXPECT_EQ(0u, gles_error(t->g));
    SLT_EXPECT_TRUE(gles_guest_alive(t->g));
}
