/* The loop over a scripted device: which verbs of waist B a guest's calls become, and how failures
 * come back. */
#include "tests/support/recording_device.h"
#include "tests/support/slt.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/loop/loop.h"

#include <string.h>
#include <unistd.h>

struct bed {
    struct recording *recording;
    struct loop *loop;
    struct vg *vg;
    struct vg_res *res;
};

static enum sl_result fill(void *user, struct recording *recording, uint32_t ctx_id,
                           const void *commands, size_t size)
{
    (void)user, (void)ctx_id;
    uint32_t words[2];
    uint64_t bytes = 0;
    if (size != sizeof words) {
        return SL_OK;
    }
    memcpy(words, commands, sizeof words);
    void *memory = recording_memory(recording, words[1], &bytes);
    if (memory == NULL) {
        return SL_ERR_NOTFOUND;
    }
    memset(memory, (int)words[0], bytes);
    return SL_OK;
}

static void bed_init(struct bed *t)
{
    struct recording_config config = {
        .capset = 8, .capset_data = "capset", .capset_size = 6, .on_submit = fill};
    SLT_ASSERT_OK(recording_create(&config, &t->recording));
    SLT_ASSERT_OK(loop_create(recording_make, t->recording, &t->loop));
    SLT_ASSERT_OK(vg_loop_open(t->loop, &t->vg));
    SLT_ASSERT_OK(t->vg->ops->context_init(t->vg, 8, 2, "guest"));
    SLT_ASSERT_STREQ("ctx_create 1 capset 8 guest\n", recording_text(t->recording));
}

static void bed_finish(struct bed *t)
{
    vg_res_destroy(t->res);
    if (t->vg != NULL) {
        t->vg->ops->destroy(t->vg);
    }
    loop_destroy(t->loop);
    recording_destroy(t->recording);
}

SLT_FIXTURE(loop, struct bed, bed_init, bed_finish);

static enum sl_result blob(struct bed *t)
{
    return vg_blob_create(t->vg,
                          &(struct vg_blob_args){.mem = VIRTGPU_BLOB_HOST3D,
                                                 .flags = VIRTGPU_BLOB_MAPPABLE,
                                                 .size = 4096},
                          &t->res);
}

SLT_TEST_F(loop, asks_for_a_blob_and_a_map_as_the_kernel_does, t)
{
    void *p;
    SLT_ASSERT_OK(blob(t));
    SLT_ASSERT_OK(vg_res_map(t->res, &p));
    SLT_EXPECT_STREQ("blob 1 ctx 1 mem 2 flags 1 size 4096 id 0\nattach 1 1\nmap 1\n",
                     recording_text(t->recording));
    vg_res_destroy(t->res);
    t->res = NULL;
    SLT_EXPECT_STREQ("unmap 1\ndestroy 1\n", recording_text(t->recording));
}

SLT_TEST_F(loop, asks_for_a_texture_with_its_stride, t)
{
    SLT_ASSERT_OK(vg_tex_create(
        t->vg, &(struct vg_tex_args){.target = 2, .format = 67, .width_px = 20, .height_px = 3},
        &t->res));
    SLT_EXPECT_EQ(128u, t->res->stride);
    SLT_EXPECT_EQ(384u, t->res->size);
    SLT_EXPECT_STREQ("tex 1 target 2 format 67 size 20x3\nmap 1\nunmap 1\nattach 1 1\n",
                     recording_text(t->recording));
    struct vg_box box = {.x = 1, .y = 2, .width = 3, .height = 1, .depth = 1};
    SLT_EXPECT_OK(t->vg->ops->res_transfer(t->res, &box, VG_FROM_HOST));
    SLT_EXPECT_STREQ("transfer 1 x 1 y 2 3x1 from\n", recording_text(t->recording));
}

SLT_TEST_F(loop, submits_and_fences_and_shares_memory, t)
{
    void *p;
    SLT_ASSERT_OK(blob(t));
    SLT_ASSERT_OK(vg_res_map(t->res, &p));
    (void)recording_text(t->recording);
    uint32_t words[2] = {0x77, 1};
    SLT_ASSERT_OK(vg_submit(t->vg, &(struct vg_submit_args){.commands = words,
                                                            .size = sizeof words,
                                                            .ring = VIRTGPU_RING_GLOBAL,
                                                            .resources = &t->res,
                                                            .resource_count = 1,
                                                            .in_fence = -1}));
    SLT_EXPECT_STREQ("submit 1 00000077 00000001\nfence 0 global\n", recording_text(t->recording));
    SLT_EXPECT_EQ(0x77, ((uint8_t *)p)[4095]);
    SLT_EXPECT_OK(t->vg->ops->res_wait(t->res, 0));
}

SLT_TEST_F(loop, waits_while_the_script_holds_the_fence, t)
{
    SLT_ASSERT_OK(blob(t));
    recording_hold_fences(t->recording, true);
    SLT_ASSERT_OK(vg_submit(
        t->vg, &(struct vg_submit_args){
                   .ring = 1, .resources = &t->res, .resource_count = 1, .in_fence = -1}));
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, t->vg->ops->res_wait(t->res, (int64_t)SL_NS_PER_MS));
    recording_hold_fences(t->recording, false);
    SLT_EXPECT_OK(t->vg->ops->res_wait(t->res, 0));
}

SLT_TEST_F(loop, ends_a_wait_when_the_context_is_lost, t)
{
    SLT_ASSERT_OK(blob(t));
    recording_hold_fences(t->recording, true);
    SLT_ASSERT_OK(vg_submit(
        t->vg, &(struct vg_submit_args){
                   .ring = 1, .resources = &t->res, .resource_count = 1, .in_fence = -1}));
    recording_lose(t->recording, 1, "script");
    SLT_EXPECT_TRUE(!t->vg->ops->alive(t->vg));
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, t->vg->ops->res_wait(t->res, -1));
    recording_hold_fences(t->recording, false);
}

struct fail_case {
    const char *label;
    const char *verb;
};
static const struct fail_case fail_cases[] = {{"blob", "blob"}, {"attach", "attach"}};
SLT_TEST_FP(loop, undoes_a_creation_that_fails, t, struct fail_case, fail_cases, c)
{
    recording_fail(t->recording, c->verb, SL_ERR_NOMEM, 1);
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, blob(t));
    SLT_EXPECT_TRUE(strcmp(c->verb, "attach") != 0 ||
                    strstr(recording_text(t->recording), "destroy 1\n") != NULL);
    SLT_EXPECT_OK(blob(t));
}

SLT_TEST_F(loop, gives_no_fence_for_a_failed_submit, t)
{
    uint32_t words[1] = {5};
    int fd = -1;
    recording_fail(t->recording, "submit", SL_ERR_INVALID, 1);
    SLT_EXPECT_RESULT(SL_ERR_INVALID,
                      vg_submit(t->vg, &(struct vg_submit_args){.commands = words,
                                                                .size = sizeof words,
                                                                .ring = 0,
                                                                .in_fence = -1,
                                                                .out_fence = &fd}));
    SLT_EXPECT_EQ(-1, fd);
}

static enum sl_result no_device(void *user, const struct vgd_sink *sink, struct vgd **out)
{
    (void)user, (void)sink, (void)out;
    return SL_ERR_UNSUPPORTED;
}

SLT_TEST_F(loop, passes_on_why_there_is_no_device, t)
{
    struct loop *loop;
    (void)t;
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, loop_create(no_device, NULL, &loop));
}
