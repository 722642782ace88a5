/* What guest/gles sends for a run of GL calls, against the bytes that the upstream encoder sent for
 * the same calls to a stock host (tests/data/golden/gles2-wrappers.jsonl). Every difference is
 * named with its reason; anything else must be equal byte for byte. */
#include "tests/support/slt.h"
#include "tests/unit/ggl_wrappers_steps.h"

#include <stdio.h>
#include <string.h>

#define MAX_BYTES 4096

struct bytes {
    uint8_t data[MAX_BYTES];
    size_t size;
};

SLT_FIXTURE(ggl_wrappers, struct ggl_run, ggl_run_init, ggl_run_finish);

static uint8_t hex_digit(char ch)
{
    return (uint8_t)(ch <= '9' ? ch - '0' : ch - 'a' + 10);
}

static void from_hex(const char *text, struct bytes *out)
{
    out->size = 0;
    while (text && text[0] && text[0] != '"' && out->size < MAX_BYTES) {
        out->data[out->size++] = (uint8_t)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
        text += 2;
    }
}

/* The text behind "key": " in a golden line; NULL. */
static const char *member(const char *line, const char *key)
{
    char pattern[32];
    snprintf(pattern, sizeof pattern, "\"%s\": \"", key);
    const char *at = strstr(line, pattern);
    return at ? at + strlen(pattern) : NULL;
}

static void run_step(struct ggl_run *r, const struct ggl_step *step, const char *line)
{
    struct bytes want, reply;
    size_t size;
    from_hex(member(line, "bytes"), &want);
    from_hex(member(line, "reply"), &reply);
    if (step->rule == OWN) {
        from_hex(step->own, &want);
    }
    ggl_script_reply(&r->script, reply.data, reply.size);
    step->run(r);
    size_t used = r->script.reply_used;
    const uint8_t *got = ggl_script_take(&r->script, &size);
    SLT_EXPECT_EQ(want.size, size);
    SLT_EXPECT_MEMEQ(want.data, got, want.size < size ? want.size : size);
    if (step->rule == SAME) { /* nothing of the answers is left over */
        SLT_EXPECT_EQ(reply.size, used);
    }
    if (step->has_result) {
        SLT_EXPECT_EQ(step->result, r->result);
    }
}

/* The steps depend on each other: one case runs them all, each in its own scope. */
SLT_TEST_F(ggl_wrappers, send_what_upstream_sends, r)
{
    FILE *file = fopen(SLT_DATA("golden/gles2-wrappers.jsonl"), "r");
    SLT_ASSERT_TRUE(file != NULL);
    char line[16384];
    for (size_t i = 0; i < ggl_step_count; i++) {
        const struct ggl_step *step = &ggl_steps[i];
        SLT_SCOPE("step %zu: %s", i, step->call);
        SLT_EXPECT_TRUE(fgets(line, sizeof line, file) != NULL);
        const char *call = member(line, "call");
        SLT_EXPECT_TRUE(call && strncmp(call, step->call, strlen(step->call)) == 0);
        SLT_EXPECT_EQ(step->rule == SAME, step->reason == NULL);
        run_step(r, step, line);
    }
    SLT_EXPECT_TRUE(fgets(line, sizeof line, file) == NULL);
    fclose(file);
}
