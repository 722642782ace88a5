/* Waist A's contract: one list of tests, run against every backend. A new backend adds a line to
 * `backends`. */
#include "tests/support/echo_type.h"
#include "tests/support/slt.h"
#include "tests/support/vg_world.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"
#include "transport/base/thread.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#define GUESTS 8u

struct bed {
    struct world world;
    struct vg *vg[GUESTS]; /* open ones */
    struct vg_res *res[GUESTS];
};

struct backend {
    const char *label;
    enum world_backend backend;
};
static const struct backend backends[] = {{"loop", WORLD_LOOP}, {"local", WORLD_LOCAL}};

static const struct hct_type *const types[] = {&echo_type, &echo_tex_type, NULL};

static void bed_init(struct bed *t)
{
    (void)t;
}

static void bed_finish(struct bed *t)
{
    for (uint32_t i = 0; i < GUESTS; i++) {
        vg_res_destroy(t->res[i]);
    }
    for (uint32_t i = 0; i < GUESTS; i++) {
        if (t->vg[i] != NULL) {
            t->vg[i]->ops->destroy(t->vg[i]);
        }
    }
    world_stop(&t->world);
}

SLT_FIXTURE(vg, struct bed, bed_init, bed_finish);

/* Starts the world with `guests` of them, each with an echo context of 4 rings. */
static void start(struct bed *t, const struct backend *c, uint32_t guests)
{
    SLT_ASSERT_OK(world_start(
        &t->world,
        &(struct world_config){.backend = c->backend, .types = types, .directory = SLT_TMPDIR()}));
    for (uint32_t i = 0; i < guests; i++) {
        SLT_ASSERT_OK(world_open(&t->world, &t->vg[i]));
        SLT_ASSERT_OK(t->vg[i]->ops->context_init(t->vg[i], ECHO_CAPSET, 4, "test"));
    }
}

static enum sl_result blob(struct vg *vg, uint64_t size, struct vg_res **out)
{
    return vg_blob_create(vg,
                          &(struct vg_blob_args){.mem = VIRTGPU_BLOB_HOST3D,
                                                 .flags = VIRTGPU_BLOB_MAPPABLE,
                                                 .size = size},
                          out);
}

static enum sl_result tex(struct vg *vg, uint32_t width, uint32_t height, struct vg_res **out)
{
    return vg_tex_create(vg,
                         &(struct vg_tex_args){.target = VIRTGPU_TARGET_2D,
                                               .format = VIRTGPU_FORMAT_R8G8B8A8,
                                               .width_px = width,
                                               .height_px = height,
                                               .depth = 1,
                                               .array_size = 1},
                         out);
}

static enum sl_result echo(struct vg *vg, uint32_t opcode, uint32_t a, uint32_t b, uint32_t c,
                           uint32_t d)
{
    struct echo_command command = {opcode, a, b, c, d};
    return vg_submit(vg, &(struct vg_submit_args){.commands = &command,
                                                  .size = sizeof command,
                                                  .ring = VIRTGPU_RING_GLOBAL,
                                                  .in_fence = -1});
}

static enum sl_result fence(struct vg *vg, uint32_t ring, struct vg_res *res, int *fd)
{
    struct vg_res *list[1] = {res};
    return vg_submit(vg, &(struct vg_submit_args){.ring = ring,
                                                  .resources = list,
                                                  .resource_count = res != NULL,
                                                  .in_fence = -1,
                                                  .out_fence = fd});
}

SLT_TEST_FP(vg, offers_its_types_capsets, t, struct backend, backends, c)
{
    uint8_t bytes[64];
    size_t used = 0;
    uint64_t value = 0;
    start(t, c, 1);
    struct vg *vg = t->vg[0];
    SLT_EXPECT_OK(vg->ops->param(vg, VG_PARAM_CAPSET_MASK, &value));
    SLT_EXPECT_EQ((uint64_t)3 << ECHO_CAPSET, value);
    SLT_EXPECT_OK(vg->ops->param(vg, VG_PARAM_SHARED_FUTEX, &value));
    SLT_EXPECT_EQ(1u, value);
    SLT_EXPECT_OK(vg->ops->param(vg, VG_PARAM_COHERENT_TEX, &value));
    SLT_EXPECT_EQ(1u, value);
    SLT_EXPECT_RESULT(SL_ERR_INVALID, vg->ops->param(vg, (enum vg_param)99, &value));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, vg->ops->caps(vg, 8, bytes, sizeof bytes, &used));
    memset(bytes, 0xaa, sizeof bytes);
    SLT_ASSERT_OK(vg->ops->caps(vg, ECHO_CAPSET, bytes, 2, &used));
    SLT_EXPECT_EQ(ECHO_CAPSET_BYTES, used);
    SLT_EXPECT_EQ('c', bytes[1]);
    SLT_EXPECT_EQ(0xaa, bytes[2]);
}

SLT_TEST_FP(vg, has_one_context, t, struct backend, backends, c)
{
    start(t, c, 1);
    SLT_EXPECT_RESULT(SL_ERR_INVALID,
                      t->vg[0]->ops->context_init(t->vg[0], ECHO_CAPSET, 1, "again"));
    SLT_ASSERT_OK(world_open(&t->world, &t->vg[1]));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, echo(t->vg[1], ECHO_TASK, 0, 0, 0, 0)); /* none yet */
    SLT_EXPECT_RESULT(SL_ERR_INVALID,
                      t->vg[1]->ops->context_init(t->vg[1], ECHO_CAPSET, 0, "no ring"));
    SLT_EXPECT_RESULT(SL_ERR_INVALID,
                      t->vg[1]->ops->context_init(t->vg[1], ECHO_CAPSET, 65, "rings"));
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, t->vg[1]->ops->context_init(t->vg[1], 8, 1, "gles"));
    SLT_EXPECT_OK(t->vg[1]->ops->context_init(t->vg[1], ECHO_CAPSET, 64, "good"));
}

SLT_TEST_FP(vg, maps_blobs_shared_with_the_host, t, struct backend, backends, c)
{
    void *p, *again;
    start(t, c, 1);
    SLT_ASSERT_OK(blob(t->vg[0], 1060864, &t->res[0]));
    SLT_EXPECT_EQ(1060864u, t->res[0]->size);
    SLT_EXPECT_EQ(0u, t->res[0]->stride);
    SLT_ASSERT_OK(vg_res_map(t->res[0], &p));
    SLT_ASSERT_OK(vg_res_map(t->res[0], &again));
    SLT_EXPECT_TRUE(p == again);
    SLT_EXPECT_EQ(0, ((uint8_t *)p)[1060863]);
    SLT_ASSERT_OK(echo(t->vg[0], ECHO_FILL, t->res[0]->id, 1060863, 1, 0x5a));
    SLT_EXPECT_EQ(0x5a, ((uint8_t *)p)[1060863]);
}

SLT_TEST_FP(vg, refuses_bad_blobs_and_lives, t, struct backend, backends, c)
{
    struct vg_res *res;
    struct vg_blob_args args = {.mem = VIRTGPU_BLOB_GUEST, .flags = 1, .size = 4096};
    start(t, c, 1);
    SLT_EXPECT_RESULT(SL_ERR_INVALID, blob(t->vg[0], 0, &res));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, blob(t->vg[0], 4097, &res));
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, blob(t->vg[0], (uint64_t)1 << 62, &res));
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, t->vg[0]->ops->blob_create(t->vg[0], &args, &res));
    SLT_EXPECT_OK(blob(t->vg[0], 4096, &t->res[0]));
}

SLT_TEST_FP(vg, takes_a_contexts_own_blobs, t, struct backend, backends, c)
{
    struct vg_blob_args args = {
        .mem = VIRTGPU_BLOB_HOST3D, .flags = VIRTGPU_BLOB_MAPPABLE, .size = 8192, .blob_id = 77};
    void *p;
    start(t, c, 1);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, vg_blob_create(t->vg[0], &args, &t->res[0]));
    SLT_ASSERT_OK(echo(t->vg[0], ECHO_OFFER, 77, 8192, 0, 0));
    SLT_ASSERT_OK(vg_blob_create(t->vg[0], &args, &t->res[0]));
    SLT_ASSERT_OK(vg_res_map(t->res[0], &p));
    memset(p, 1, 8192);
}

SLT_TEST_FP(vg, makes_textures_with_a_shared_backing, t, struct backend, backends, c)
{
    void *p;
    start(t, c, 1);
    SLT_ASSERT_OK(tex(t->vg[0], 100, 30, &t->res[0]));
    SLT_EXPECT_EQ(448u, t->res[0]->stride);
    SLT_EXPECT_EQ(448u * 30u, t->res[0]->size);
    SLT_ASSERT_OK(vg_res_map(t->res[0], &p));
    SLT_EXPECT_EQ(0, ((uint8_t *)p)[448 * 30 - 1]);
    SLT_ASSERT_OK(echo(t->vg[0], ECHO_FILL, t->res[0]->id, 448 * 30 - 1, 1, 9));
    SLT_EXPECT_EQ(9, ((uint8_t *)p)[448 * 30 - 1]);
    struct vg_box box = {.x = 10, .y = 29, .width = 90, .height = 1, .depth = 1};
    uint32_t transfers = echo_tex_transfers();
    SLT_EXPECT_OK(t->res[0]->vg->ops->res_transfer(t->res[0], &box, VG_FROM_HOST));
    SLT_EXPECT_OK(t->res[0]->vg->ops->res_transfer(t->res[0], &box, VG_TO_HOST));
    SLT_EXPECT_EQ(transfers + 2, echo_tex_transfers());
    box.width = 91;
    SLT_EXPECT_RESULT(SL_ERR_INVALID,
                      t->res[0]->vg->ops->res_transfer(t->res[0], &box, VG_FROM_HOST));
}

SLT_TEST_FP(vg, refuses_transfers_of_blobs, t, struct backend, backends, c)
{
    struct vg_box box = {.width = 1, .height = 1, .depth = 1};
    start(t, c, 1);
    SLT_ASSERT_OK(blob(t->vg[0], 4096, &t->res[0]));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->vg[0]->ops->res_transfer(t->res[0], &box, VG_TO_HOST));
}

SLT_TEST_FP(vg, shares_memory_by_export_and_import, t, struct backend, backends, c)
{
    void *a, *b;
    int fd = -1;
    start(t, c, 2);
    SLT_ASSERT_OK(blob(t->vg[0], 8192, &t->res[0]));
    SLT_ASSERT_OK(t->vg[0]->ops->res_export(t->res[0], &fd));
    SLT_ASSERT_OK(t->vg[1]->ops->res_import(t->vg[1], fd, 8192, &t->res[1]));
    SLT_ASSERT_OK(vg_res_map(t->res[0], &a));
    SLT_ASSERT_OK(vg_res_map(t->res[1], &b));
    memset(a, 0x33, 8192);
    SLT_EXPECT_MEMEQ(a, b, 8192);
    vg_res_destroy(t->res[0]);
    t->res[0] = NULL;
    SLT_EXPECT_EQ(0x33, ((uint8_t *)b)[8191]);
}

SLT_TEST_FP(vg, refuses_to_import_unsealed_memory, t, struct backend, backends, c)
{
    struct vg_res *res;
    int fds[2];
    int small;
    start(t, c, 1);
    SLT_ASSERT_EQ(0, pipe(fds));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->vg[0]->ops->res_import(t->vg[0], fds[0], 4096, &res));
    close(fds[1]);
    SLT_ASSERT_OK(sl_shm_create("small", 4096, &small));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, t->vg[0]->ops->res_import(t->vg[0], small, 8192, &res));
    SLT_EXPECT_TRUE(t->vg[0]->ops->alive(t->vg[0]));
}

SLT_TEST_FP(vg, cannot_reach_a_neighbours_resource, t, struct backend, backends, c)
{
    start(t, c, 2);
    SLT_ASSERT_OK(blob(t->vg[0], 4096, &t->res[0]));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, echo(t->vg[1], ECHO_FILL, t->res[0]->id, 0, 1, 1));
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, echo(t->vg[1], ECHO_RING, t->res[0]->id, 0, 0, 0));
}

SLT_TEST_FP(vg, signals_fences_when_the_work_is_done, t, struct backend, backends, c)
{
    int first = -1, second = -1, other = -1, global = -1;
    start(t, c, 1);
    struct vg *vg = t->vg[0];
    SLT_ASSERT_OK(echo(vg, ECHO_TASK, 2, 0, 0, 0));
    SLT_ASSERT_OK(fence(vg, 2, NULL, &first));
    SLT_ASSERT_OK(fence(vg, 2, NULL, &second));
    SLT_ASSERT_OK(fence(vg, 3, NULL, &other));
    SLT_ASSERT_OK(fence(vg, VIRTGPU_RING_GLOBAL, NULL, &global));
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, sl_fd_wait(first, 10 * (int64_t)SL_NS_PER_MS));
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, sl_fd_wait(second, 0));
    SLT_EXPECT_OK(sl_fd_wait(other, 0));
    SLT_EXPECT_OK(sl_fd_wait(global, 0));
    SLT_ASSERT_OK(echo(vg, ECHO_LATER, 1000, 0, 0, 0));
    SLT_EXPECT_OK(sl_fd_wait(second, 20 * (int64_t)SL_NS_PER_S));
    SLT_EXPECT_OK(sl_fd_wait(first, 0));
    sl_fd_close(&first);
    sl_fd_close(&second);
    sl_fd_close(&other);
    sl_fd_close(&global);
}

SLT_TEST_FP(vg, e01_refuses_fences_on_rings_it_has_not, t, struct backend, backends, c)
{
    int fd = -1;
    start(t, c, 1);
    SLT_EXPECT_RESULT(SL_ERR_INVALID, fence(t->vg[0], 4, NULL, &fd));
    SLT_EXPECT_RESULT(SL_ERR_INVALID, fence(t->vg[0], 0xfffffffe, NULL, &fd));
    SLT_EXPECT_EQ(-1, fd);
}

SLT_TEST_FP(vg, waits_for_a_resources_last_submits, t, struct backend, backends, c)
{
    start(t, c, 1);
    struct vg *vg = t->vg[0];
    SLT_ASSERT_OK(blob(vg, 4096, &t->res[0]));
    SLT_EXPECT_OK(vg->ops->res_wait(t->res[0], 0)); /* never submitted */
    SLT_ASSERT_OK(echo(vg, ECHO_TASK, 0, 0, 0, 0));
    SLT_ASSERT_OK(echo(vg, ECHO_TASK, 1, 1, 0, 0));
    SLT_ASSERT_OK(fence(vg, 0, t->res[0], NULL));
    SLT_ASSERT_OK(fence(vg, 1, t->res[0], NULL));
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, vg->ops->res_wait(t->res[0], 5 * (int64_t)SL_NS_PER_MS));
    SLT_ASSERT_OK(echo(vg, ECHO_DONE, 0, 0, 0, 0));
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, vg->ops->res_wait(t->res[0], 5 * (int64_t)SL_NS_PER_MS));
    SLT_ASSERT_OK(echo(vg, ECHO_LATER, 1000, 1, 0, 0));
    SLT_EXPECT_OK(vg->ops->res_wait(t->res[0], -1));
}

SLT_TEST_FP(vg, begins_no_work_before_its_in_fence, t, struct backend, backends, c)
{
    void *p;
    int fd = -1;
    start(t, c, 1);
    struct vg *vg = t->vg[0];
    SLT_ASSERT_OK(blob(vg, 4096, &t->res[0]));
    SLT_ASSERT_OK(vg_res_map(t->res[0], &p));
    SLT_ASSERT_OK(echo(vg, ECHO_TASK, 0, 0, 0, 0));
    SLT_ASSERT_OK(fence(vg, 0, NULL, &fd));
    uint64_t begin = sl_clock_ns();
    SLT_ASSERT_OK(echo(vg, ECHO_LATER, 20000, 0, 0, 0));
    struct echo_command fill = {ECHO_FILL, t->res[0]->id, 0, 1, 1};
    SLT_EXPECT_OK(vg_submit(vg, &(struct vg_submit_args){.commands = &fill,
                                                         .size = sizeof fill,
                                                         .ring = VIRTGPU_RING_GLOBAL,
                                                         .in_fence = fd}));
    SLT_EXPECT_GE(sl_clock_ns() - begin, 20 * SL_NS_PER_MS);
    sl_fd_close(&fd);
}

SLT_TEST_FP(vg, dies_with_its_context_alone, t, struct backend, backends, c)
{
    int fd = -1;
    start(t, c, 2);
    struct vg *vg = t->vg[0];
    SLT_ASSERT_OK(blob(vg, 4096, &t->res[0]));
    SLT_ASSERT_OK(echo(vg, ECHO_TASK, 0, 0, 0, 0));
    SLT_ASSERT_OK(fence(vg, 0, t->res[0], &fd));
    SLT_EXPECT_TRUE(vg->ops->alive(vg));
    SLT_EXPECT_LOG("device", "is lost: echo was told to");
    SLT_ASSERT_OK(echo(vg, ECHO_LOSE, 0, 0, 0, 0));
    for (uint32_t i = 0; i < 20000 && vg->ops->alive(vg); i++) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    if (c->backend == WORLD_LOCAL) {
        SLT_EXPECT_LOG("local", "the host ended this context: echo was told to");
    }
    SLT_EXPECT_TRUE(!vg->ops->alive(vg));
    SLT_EXPECT_OK(sl_fd_wait(fd, 0)); /* settled: nobody waits for the dead */
    SLT_EXPECT_OK(vg->ops->res_wait(t->res[0], -1));
    SLT_EXPECT_RESULT(SL_ERR_DEVICE_LOST, echo(vg, ECHO_TASK, 0, 0, 0, 0));
    SLT_EXPECT_TRUE(t->vg[1]->ops->alive(t->vg[1]));
    SLT_EXPECT_OK(echo(t->vg[1], ECHO_TASK, 0, 0, 0, 0));
    sl_fd_close(&fd);
}

/* ---- many at once ---- */

struct worker {
    struct vg *vg;
    uint32_t rounds;
    uint32_t failures;
};

static void *work(void *user)
{
    struct worker *w = user;
    for (uint32_t i = 0; i < w->rounds; i++) {
        struct vg_res *res;
        void *p;
        if (blob(w->vg, 4096, &res) != SL_OK) {
            w->failures++;
            continue;
        }
        uint8_t byte = (uint8_t)(i + 1);
        if (vg_res_map(res, &p) != SL_OK || echo(w->vg, ECHO_FILL, res->id, 17, 1, byte) != SL_OK ||
            ((uint8_t *)p)[17] != byte || fence(w->vg, 0, res, NULL) != SL_OK ||
            w->vg->ops->res_wait(res, -1) != SL_OK || !w->vg->ops->alive(w->vg)) {
            w->failures++;
        }
        vg_res_destroy(res);
    }
    return NULL;
}

SLT_TEST_FP(vg, serves_four_threads_of_two_guests, t, struct backend, backends, c)
{
    struct worker workers[4];
    pthread_t threads[4];
    SLT_TIMEOUT(60);
    start(t, c, 2);
    for (uint32_t i = 0; i < 4; i++) {
        workers[i] = (struct worker){.vg = t->vg[i / 2], .rounds = 250};
        SLT_ASSERT_OK(sl_thread_start(&threads[i], "worker", 0, work, &workers[i]));
    }
    for (uint32_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        SLT_EXPECT_EQ(0u, workers[i].failures);
    }
}

SLT_TEST_FP(vg, does_not_grow_in_ten_thousand_resources, t, struct backend, backends, c)
{
    SLT_TIMEOUT(120);
    start(t, c, 1);
    struct worker warm = {.vg = t->vg[0], .rounds = 100};
    struct worker long_run = {.vg = t->vg[0], .rounds = 10000};
    (void)work(&warm);
    uint64_t before = sl_alloc_live();
    (void)work(&long_run);
    SLT_EXPECT_EQ(0u, long_run.failures);
    SLT_EXPECT_EQ(before, sl_alloc_live());
}

SLT_TEST_FP(vg, leaves_nothing_behind, t, struct backend, backends, c)
{
    start(t, c, 1);
    uint64_t before = 0;
    for (uint32_t i = 0; i < 300; i++) {
        struct vg *vg;
        struct vg_res *res;
        if (i == 10) {
            before = sl_alloc_live();
        }
        SLT_ASSERT_OK(world_open(&t->world, &vg));
        SLT_ASSERT_OK(vg->ops->context_init(vg, ECHO_CAPSET, 1, "short"));
        SLT_ASSERT_OK(blob(vg, 4096, &res));
        SLT_ASSERT_OK(echo(vg, ECHO_RING, res->id, 0, 0, 0));
        vg_res_destroy(res);
        vg->ops->destroy(vg);
    }
    /* The server notices the last ones when it comes round to them. */
    for (uint32_t i = 0; i < 20000 && (sl_alloc_live() > before || echo_live() > 1); i++) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_EXPECT_EQ(1u, echo_live());
    SLT_EXPECT_LE(sl_alloc_live(), before);
}
