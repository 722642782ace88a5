/* Calls in a context that is lost. */
#include "tests/integration/robust/robust.h"

#include <stdio.h>
#include <time.h>

static struct {
    int version;
    GLuint query; /* it was ended */
    GLsync sync;
} here;

/* From version 2 on: that of the core, or of the extension that it comes from. */
static GLenum status(void)
{
    GLenum (*ask)(void) = (GLenum(*)(void))robust_proc("glGetGraphicsResetStatusEXT");
    return ask();
}

void robust_lost_prepare(int version)
{
    here.version = version;
    if (version < 3) {
        return;
    }
    void (*gen)(GLsizei, GLuint *) = (void (*)(GLsizei, GLuint *))robust_proc("glGenQueries");
    void (*begin)(GLenum, GLuint) = (void (*)(GLenum, GLuint))robust_proc("glBeginQuery");
    void (*end)(GLenum) = (void (*)(GLenum))robust_proc("glEndQuery");
    GLsync (*fence)(GLenum, GLbitfield) = (GLsync(*)(GLenum, GLbitfield))robust_proc("glFenceSync");
    gen(1, &here.query);
    begin(GL_ANY_SAMPLES_PASSED, here.query);
    end(GL_ANY_SAMPLES_PASSED);
    here.sync = fence(GL_SYNC_GPU_COMMANDS_COMPLETE, 0);
}

/* Whoever reads this ends what draws, and says so. */
static void lose(void)
{
    char line[8];
    puts("lose");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL) {
        fputs("robust: nobody ends it\n", stderr);
    }
}

/* Nothing but the question is asked, until there is an answer. */
static void hear(void)
{
    GLenum first = 0;
    while (first == 0) {
        first = here.version == 1 ? glGetError() : status();
        if (here.version == 1) {
            glFinish();
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    printf("told %x, ", first);
    printf("then %x\n", here.version == 1 ? 0 : status());
    glFlush();
    printf("error %x, ", glGetError());
    printf("then %x\n", glGetError());
}

static void polls(void)
{
    GLint value = -1;
    GLsizei length = -1;
    GLuint available = 7;
    void (*get)(GLsync, GLenum, GLsizei, GLsizei *, GLint *) =
        (void (*)(GLsync, GLenum, GLsizei, GLsizei *, GLint *))robust_proc("glGetSynciv");
    GLenum (*wait)(GLsync, GLbitfield, GLuint64) =
        (GLenum(*)(GLsync, GLbitfield, GLuint64))robust_proc("glClientWaitSync");
    void (*result)(GLuint, GLenum, GLuint *) =
        (void (*)(GLuint, GLenum, GLuint *))robust_proc("glGetQueryObjectuiv");
    get(here.sync, GL_SYNC_STATUS, 1, &length, &value);
    printf("sync %x: %x\n", (unsigned)value, glGetError());
    printf("wait %x", wait(here.sync, GL_SYNC_FLUSH_COMMANDS_BIT, GL_TIMEOUT_IGNORED));
    printf(": %x\n", glGetError());
    result(here.query, GL_QUERY_RESULT_AVAILABLE, &available);
    printf("available %x: %x\n", available, glGetError());
    available = 7;
    result(here.query, GL_QUERY_RESULT, &available);
    printf("result %x: %x\n", available, glGetError());
}

void robust_lost(int rounds)
{
    lose();
    hear();
    for (int i = 0; i < robust_call_count; i++) {
        const struct robust_call *c = &robust_calls[i];
        for (int round = 0; round < rounds && robust_is_called(c); round++) {
            struct robust r = {
                .seed = (uint64_t)i * 1000 + (uint64_t)round, .is_wide = true, .is_harmless = true};
            (void)glGetError();
            robust_call_make(c, &r, true);
        }
    }
    if (here.version >= 3) {
        polls();
    }
    glFinish();
    glFlush();
    printf("finished %x\n", glGetError());
    printf("text %d", glGetString(GL_VERSION) != NULL);
    printf(": %x\n", glGetError());
}
