/* Contexts of one share group on several threads, each on its own stream: objects come and go under
 * everybody's hands. What is checked is that nothing breaks (run it under tsan and asan) and that
 * the group ends with its last context. */
#include "tests/support/ggl_script.h"
#include "tests/support/slt.h"

#include "transport/base/mem.h"
#include "transport/base/thread.h"

enum { THREADS = 4, CALLS = 20000 };

struct worker {
    pthread_t thread;
    struct ggl_context *first; /* whose group is shared */
    uint32_t seed;
    bool done;
};

static void call_something(uint32_t seed)
{
    static const float data[64];
    static const char *const text = "uniform samplerExternalOES t;";
    GLuint name = 1 + (seed >> 20) % 6;
    GLuint names[3];
    switch ((seed >> 10) % 12) {
    case 0:
        ggl_glBindBuffer(GL_ARRAY_BUFFER, name);
        break;
    case 1:
        ggl_glBufferData(GL_ARRAY_BUFFER, 64, data, GL_STATIC_DRAW);
        break;
    case 2:
        ggl_glDeleteBuffers(1, &name);
        break;
    case 3:
        (void)ggl_glMapBufferRange(GL_ARRAY_BUFFER, 0, 4, GL_MAP_WRITE_BIT);
        (void)ggl_glUnmapBuffer(GL_ARRAY_BUFFER);
        break;
    case 4:
        ggl_glShaderSource(name, 1, &text, NULL);
        break;
    case 5:
        ggl_glAttachShader(name, 7 - name);
        break;
    case 6:
        ggl_glLinkProgram(name);
        break;
    case 7:
        ggl_glUseProgram(name);
        break;
    case 8:
        ggl_glDeleteProgram(name);
        ggl_glDeleteShader(name);
        break;
    case 9:
        ggl_glBufferSubData(GL_ARRAY_BUFFER, 16, 32, data);
        break;
    case 10:
        ggl_glGenBuffers((GLsizei)(name % 3) + 1, names);
        ggl_glGenTextures((GLsizei)(name % 3) + 1, names);
        ggl_glGenRenderbuffers((GLsizei)(name % 3) + 1, names);
        ggl_glDeleteRenderbuffers(1, &name);
        break;
    default:
        ggl_glBindTexture(GL_TEXTURE_EXTERNAL_OES, name);
        ggl_glDeleteTextures(1, &name);
        ggl_glDrawArrays(GL_TRIANGLES, 0, 3);
        break;
    }
}

static void *work(void *user)
{
    struct worker *w = user;
    struct ggl_script script;
    ggl_script_init(&script, 30, 0);
    struct ggl_context *alone = script.context;
    const struct ggl_context_args args = {
        .version = 30, .features = GGL_FEATURE_SLUICE | GGL_FEATURE_ASYNC_UNMAP, .share = w->first};
    struct ggl_context *shared;
    if (ggl_context_create(&args, &shared) == SL_OK) {
        ggl_make_current(shared, &script.stream);
        for (uint32_t i = 0; i < CALLS; i++) {
            size_t size;
            w->seed = w->seed * 1664525u + 1013904223u;
            call_something(w->seed);
            (void)ggl_script_take(&script, &size);
        }
        ggl_context_destroy(shared);
        w->done = true;
    }
    script.context = alone;
    ggl_script_finish(&script);
    return NULL;
}

SLT_TEST(ggl_share, survives_every_order_of_calls)
{
    uint64_t live = sl_alloc_live();
    struct worker workers[THREADS];
    const struct ggl_context_args args = {.version = 30};
    struct ggl_context *first;
    SLT_ASSERT_OK(ggl_context_create(&args, &first));
    for (uint32_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.first = first, .seed = i + 1};
        SLT_ASSERT_OK(sl_thread_start(&workers[i].thread, "share", 1 << 20, work, &workers[i]));
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(workers[i].thread, NULL);
        SLT_EXPECT_TRUE(workers[i].done);
    }
    ggl_context_destroy(first);
    SLT_EXPECT_EQ(live, sl_alloc_live());
}
