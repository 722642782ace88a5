/* A recorded GLES program, cut in two at many places: what was done up to there is saved, played
 * into a new host, and goes on there with the rest; its answers must be the recorded ones.
 *
 * The environment says what: CUTS_TRACE, a trace of few rings; CUTS_EVERY, packets between two
 * cuts. gles_cuts_test.py records programs and runs this. */
#include "host/capture/cap_merge.h"
#include "tests/support/gles_twin.h"
#include "tests/support/slt.h"
#include "transport/base/bytes.h"
#include "wire/gles1_names.h"
#include "wire/gles2_names.h"
#include "wire/glesx_names.h"
#include "wire/rc_names.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* Each part is played this many cuts far. */
#define SPANS         3u
#define PROVIDERS_MAX 1000u

struct cuts {
    struct twin_list calls; /* as recorded */
    struct twin whole, part;
    struct twin_list saved;
    bool part_lives;
    struct hct_provider *providers[PROVIDERS_MAX]; /* of the parts that are over */
    uint32_t provider_count;
};

static const char *name_of(const struct twin_packet *p)
{
    uint32_t opcode = sl_load_u32(p->bytes);
    const char *name = gles2_op_name(opcode);
    name = name != NULL ? name : glesx_op_name(opcode);
    name = name != NULL ? name : gles1_op_name(opcode);
    return name != NULL ? name : rc_op_name(opcode) != NULL ? rc_op_name(opcode) : "?";
}

/* Answers that tell what time it is, or so to speak. */
static bool is_settled(const struct twin_packet *p)
{
    static const char *const others[] = {
        "glGetQueryObjecti64vEXT", "glGetQueryObjectui64vEXT",   "glClientWaitSyncAEMU",
        "glGetSyncivAEMU",         "rcClientWaitSyncKHR",        "rcIsSyncSignaled",
        "glGetInteger64v",         "glGetProgramBinary",         "glDebugFetchSLUICE",
        "glGetDebugMessageLog",    "glGetProgramPipelineInfoLog"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(name_of(p), others[i]) == 0) {
            return false;
        }
    }
    return true;
}

static void load(struct cuts *c, const char *path)
{
    struct cap_reader *reader;
    struct cap_merge *merge;
    struct cap_event e;
    uint32_t rings[TWIN_RINGS] = {0}, count = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    SLT_ASSERT_GE(fd, 0);
    SLT_ASSERT_OK(cap_reader_open(fd, &reader));
    SLT_ASSERT_OK(cap_reader_scan(reader));
    SLT_ASSERT_OK(cap_merge_create(reader, &merge));
    while (cap_merge_next(merge, &e, NULL) == SL_OK) {
        if (e.kind == CAP_EVENT_CALL) {
            uint32_t ring = 0;
            while (ring < count && rings[ring] != e.call.ring_id) {
                ring++;
            }
            SLT_ASSERT_LT(ring, TWIN_RINGS);
            rings[ring] = e.call.ring_id;
            count += ring == count ? 1 : 0;
            twin_list_add(&c->calls, ring, e.call.packet, e.call.size, e.call.reply,
                          e.call.reply_size);
        }
    }
    cap_merge_destroy(merge);
    cap_reader_close(reader);
}

/* Runs the calls from `from` to `to`. */
static void run(struct twin *t, const struct twin_list *calls, size_t from, size_t to)
{
    for (size_t i = from; i < to && i < calls->count; i++) {
        const struct twin_packet *p = &calls->packets[i];
        SLT_SCOPE("call %zu, %s", i, name_of(p));
        twin_feed(t, p);
        if (is_settled(p)) {
            SLT_ASSERT_EQ(p->reply_size, t->reply_size);
            SLT_ASSERT_MEMEQ(p->reply_size != 0 ? p->reply : t->reply, t->reply,
                             t->reply_size < sizeof t->reply ? t->reply_size : sizeof t->reply);
        }
    }
}

/* The EGL display is the process's, and ends with the first provider. */
static void over(struct cuts *c)
{
    SLT_ASSERT_LT(c->provider_count, PROVIDERS_MAX);
    c->providers[c->provider_count++] = c->part.provider;
    c->part.provider = NULL;
    twin_finish(&c->part);
    c->part = (struct twin){0};
    c->part_lives = false;
}

/* What reads samples uses names up that were recorded: another one is saved, with which nobody goes
 * on. */
static bool has_samples(const struct cuts *c, size_t end)
{
    for (size_t i = 0; i < end; i++) {
        if (strstr(name_of(&c->calls.packets[i]), "Multisample") != NULL) {
            return true;
        }
    }
    return false;
}

static void cut_at(struct cuts *c, size_t at, size_t every)
{
    SLT_SCOPE("cut before call %zu", at);
    if (has_samples(c, at)) {
        twin_init(&c->part);
        c->part_lives = true;
        run(&c->part, &c->calls, 0, at);
        SLT_ASSERT_OK(twin_save(&c->part, &c->saved));
        over(c);
    } else {
        SLT_ASSERT_OK(twin_save(&c->whole, &c->saved));
    }
    twin_init(&c->part);
    c->part_lives = true;
    twin_play(&c->part, &c->saved);
    run(&c->part, &c->calls, at, at + SPANS * every);
    over(c);
    twin_list_finish(&c->saved);
}

static void cuts_init(struct cuts *c)
{
    (void)c;
}

static void cuts_finish(struct cuts *c)
{
    if (c->part_lives) {
        twin_finish(&c->part);
    }
    twin_finish(&c->whole);
    for (uint32_t i = 0; i < c->provider_count; i++) {
        c->providers[i]->ops->destroy(c->providers[i]);
    }
    twin_list_finish(&c->saved);
    twin_list_finish(&c->calls);
}

SLT_FIXTURE(gles_cuts, struct cuts, cuts_init, cuts_finish);

SLT_TEST_F(gles_cuts, go_on_as_recorded, c)
{
    const char *path = getenv("CUTS_TRACE"), *every_text = getenv("CUTS_EVERY");
    SLT_TIMEOUT(600);
    if (path == NULL || every_text == NULL) {
        SLT_FAIL("CUTS_TRACE and CUTS_EVERY are not set");
    }
    size_t every = strtoul(every_text, NULL, 10);
    load(c, path);
    SLT_ASSERT_GT(c->calls.count, 10u);
    every = every < c->calls.count / 3 ? every : c->calls.count / 3;
    twin_init(&c->whole);
    c->whole.goes_on = true;
    for (size_t at = 0; at < c->calls.count; at += every) {
        run(&c->whole, &c->calls, at, at + every);
        if (at + every < c->calls.count) {
            cut_at(c, at + every, every);
        }
    }
}
