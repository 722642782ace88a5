/* The local socket beyond waist A's contract: quotas, foreign ids, clients that die or never read,
 * servers that die. */
#include "tests/support/echo_type.h"
#include "tests/support/local_bed.h"
#include "tests/support/random.h"
#include "tests/support/slt.h"
#include "tests/support/vg_world.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"
#include "transport/base/sock.h"
#include "transport/base/thread.h"
#include "transport/base/writes.h"
#include "transport/local/local_control.h"
#include "transport/local/local_link.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct hct_type *const types[] = {&echo_type, &echo_tex_type, NULL};

SLT_FIXTURE(local_limits, struct local_bed, local_bed_init, local_bed_finish);

/* ---- quotas ---- */

SLT_TEST_F(local_limits, keeps_a_client_within_its_quotas, t)
{
    struct vg_res *res[5] = {0};
    struct vg_res *more;
    int fds[3];
    local_bed_start(
        t, (struct local_server_options){.resources = 4, .resource_bytes = 1u << 20, .fences = 2});
    local_bed_open(t, &t->vg);
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, local_bed_blob(t->vg, (1u << 20) + 4096, &more));
    SLT_EXPECT_RESULT(SL_ERR_NOMEM,
                      vg_tex_create(t->vg,
                                    &(struct vg_tex_args){.target = VIRTGPU_TARGET_2D,
                                                          .format = VIRTGPU_FORMAT_R8G8B8A8,
                                                          .width_px = 1024,
                                                          .height_px = 1024},
                                    &more));
    for (uint32_t i = 0; i < 4; i++) {
        SLT_ASSERT_OK(local_bed_blob(t->vg, 4096, &res[i]));
    }
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, local_bed_blob(t->vg, 4096, &more));
    SLT_ASSERT_OK(local_bed_echo(t->vg, ECHO_TASK, 0, 0, 0, 0));
    for (uint32_t i = 0; i < 3; i++) {
        struct vg_submit_args args = {.ring = 0, .in_fence = -1, .out_fence = &fds[i]};
        SLT_EXPECT_RESULT(i < 2 ? SL_OK : SL_ERR_NOMEM, vg_submit(t->vg, &args));
    }
    SLT_ASSERT_OK(local_bed_echo(t->vg, ECHO_DONE, 0, 0, 0, 0));
    SLT_EXPECT_OK(sl_fd_wait(fds[1], 20 * (int64_t)SL_NS_PER_S));
    close(fds[0]);
    close(fds[1]);
    local_bed_open(t, &t->bad); /* another client has its own */
    local_bed_expect_healthy(t->bad);
    for (uint32_t i = 0; i < 4; i++) {
        vg_res_destroy(res[i]);
    }
    local_bed_expect_healthy(t->vg);
}

SLT_TEST_F(local_limits, tells_a_client_that_there_is_no_room, t)
{
    struct vg *more;
    local_bed_start(t, (struct local_server_options){.clients_per_process = 1});
    local_bed_open(t, &t->vg);
    SLT_EXPECT_LOG("local", "has no room for another client");
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, vg_local_open(t->world.path, &more));
    t->vg->ops->destroy(t->vg);
    t->vg = NULL;
    for (uint32_t i = 0; i < 10000 && t->vg == NULL; i++) {
        (void)!vg_local_open(t->world.path, &t->vg); /* the server comes round to the end */
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_EXPECT_TRUE(t->vg != NULL);
}

/* Another connection is no other quota. */
SLT_TEST_F(local_limits, i02_counts_a_process_over_all_its_connections, t)
{
    struct vg_res *res, *more;
    local_bed_start(t, (struct local_server_options){.resource_bytes = 1u << 20});
    local_bed_open(t, &t->vg);
    local_bed_open(t, &t->bad);
    SLT_ASSERT_OK(local_bed_blob(t->vg, 640u << 10, &res));
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, local_bed_blob(t->bad, 640u << 10, &more));
    vg_res_destroy(res);
    SLT_ASSERT_OK(local_bed_blob(t->bad, 640u << 10, &more));
    t->bad->ops->destroy(t->bad); /* with what it has: to the server that was all of it */
    t->bad = NULL;
    sl_free(more);
    enum sl_result r = SL_ERR_NOMEM;
    for (uint32_t i = 0; i < 10000 && r == SL_ERR_NOMEM; i++) { /* the server comes round to it */
        r = local_bed_blob(t->vg, 640u << 10, &res);
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_ASSERT_OK(r);
    vg_res_destroy(res);
}

/* ---- one user's ---- */

#define NOBODY 65534

/* This thread alone: the server's is still what it was. What connects meanwhile is nobody's. */
static void be_user(uid_t uid)
{
    SLT_ASSERT_EQ(0, syscall(SYS_setresuid, -1, uid, -1));
}

static void start_for_nobody(struct local_bed *t, struct local_server_options options)
{
    char directory[108];
    options.any_user = true;
    local_bed_start(t, options);
    snprintf(directory, sizeof directory, "%s", t->world.path);
    *strrchr(directory, '/') = '\0';
    SLT_ASSERT_EQ(0, chmod(directory, 0755));
}

static enum sl_result hello_of_nobody(struct local_bed *t, uint32_t index)
{
    const struct local_hello hello = {.head = {LOCAL_HELLO, 1},
                                      .magic = LOCAL_MAGIC,
                                      .version = LOCAL_VERSION,
                                      .kind = LOCAL_KIND_CLIENT};
    struct local_hello_reply reply = {.head.result = SL_ERR_IO};
    be_user(NOBODY);
    int fd = local_bed_connect(t, index);
    be_user(0);
    SLT_ASSERT_OK(sl_sock_send(fd, &hello, sizeof hello, NULL, 0));
    SLT_EXPECT_NE(0u, local_bed_recv(fd, &reply, sizeof reply));
    return (enum sl_result)reply.head.result;
}

SLT_TEST_F(local_limits, bounds_the_connections_of_another_user, t)
{
    if (geteuid() != 0) {
        SLT_SKIP("needs root to become another user");
    }
    start_for_nobody(t, (struct local_server_options){.clients_per_user = 3});
    for (uint32_t i = 0; i < 3; i++) {
        SLT_EXPECT_OK(hello_of_nobody(t, i));
    }
    SLT_EXPECT_LOG("local", "another user 3");
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, hello_of_nobody(t, 3));
    local_bed_open(t, &t->vg); /* the server's own user has room */
    local_bed_expect_healthy(t->vg);
}

SLT_TEST_F(local_limits, i02_bounds_the_memory_of_another_user, t)
{
    struct vg_res *res, *more, *own;
    if (geteuid() != 0) {
        SLT_SKIP("needs root to become another user");
    }
    start_for_nobody(t, (struct local_server_options){.user_bytes = 1u << 20});
    be_user(NOBODY);
    local_bed_open(t, &t->bad);
    be_user(0);
    local_bed_open(t, &t->vg);
    SLT_ASSERT_OK(local_bed_blob(t->bad, 1u << 20, &res));
    SLT_EXPECT_LOG("local", "its user 1048576 of 1048576");
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, local_bed_blob(t->bad, 4096, &more));
    SLT_ASSERT_OK(local_bed_blob(t->vg, 2u << 20, &own)); /* another one has what it had */
    vg_res_destroy(own);
    vg_res_destroy(res);
}

/* ---- foreign ids ---- */

SLT_TEST_F(local_limits, b10_reaches_no_resource_but_its_own, t)
{
    struct vg_res *res;
    local_bed_start(t, (struct local_server_options){0});
    local_bed_open(t, &t->vg);
    SLT_ASSERT_OK(local_bed_blob(t->vg, 4096, &res));
    int fd = local_bed_connect(t, 0);
    local_bed_hello(fd);
    static const uint32_t verbs[] = {LOCAL_RES_MAP, LOCAL_RES_EXPORT, LOCAL_RES_DESTROY};
    uint32_t ids[] = {res->id, 0, res->id + 1, res->id + (1u << 20), UINT32_MAX};
    for (uint32_t v = 0; v < 3; v++) {
        for (uint32_t i = 0; i < 5; i++) {
            struct local_res_map request = {.head = {verbs[v], v}, .resource_id = ids[i]};
            size_t size = verbs[v] == LOCAL_RES_MAP ? sizeof request : sizeof(struct local_res);
            struct local_map_reply reply;
            SLT_ASSERT_OK(sl_sock_send(fd, &request, size, NULL, 0));
            SLT_ASSERT_EQ(sizeof(struct local_reply), local_bed_recv(fd, &reply, sizeof reply));
            SLT_EXPECT_EQ(SL_ERR_NOTFOUND, reply.head.result);
        }
    }
    struct local_res_transfer transfer = {.head = {LOCAL_RES_TRANSFER, 9}, .resource_id = res->id};
    struct local_reply reply;
    SLT_ASSERT_OK(sl_sock_send(fd, &transfer, sizeof transfer, NULL, 0));
    SLT_ASSERT_EQ(sizeof reply, local_bed_recv(fd, &reply, sizeof reply));
    SLT_EXPECT_EQ(SL_ERR_NOTFOUND, reply.result);
    vg_res_destroy(res);
}

/* Two descriptors beside a map request are what shows a process's writes, or nothing. */
SLT_TEST_F(local_limits, takes_no_other_descriptors_for_a_look_at_its_client, t)
{
    int fds[2] = {-1, -1};
    struct local_res_map request = {.head = {LOCAL_RES_MAP, 1}, .resource_id = 77};
    struct local_reply reply;
    local_bed_start(t, (struct local_server_options){0});
    int fd = local_bed_connect(t, 0);
    local_bed_hello(fd);
    SLT_ASSERT_OK(sl_fd_event(&fds[0]));
    SLT_ASSERT_OK(sl_fd_event(&fds[1]));
    SLT_EXPECT_LOG("local", "its writes cannot be seen");
    for (uint32_t count = 2; count != 0; count--) { /* one says nothing */
        SLT_ASSERT_OK(sl_sock_send(fd, &request, sizeof request, fds, count));
        SLT_ASSERT_EQ(sizeof reply, local_bed_recv(fd, &reply, sizeof reply));
        SLT_EXPECT_EQ(SL_ERR_NOTFOUND, reply.result);
    }
    sl_fd_close(&fds[0]);
    sl_fd_close(&fds[1]);
    if (sl_writes_open(fds) == SL_OK) {
        SLT_ASSERT_OK(sl_sock_send(fd, &request, sizeof request, fds, 2));
        SLT_ASSERT_EQ(sizeof reply, local_bed_recv(fd, &reply, sizeof reply));
        SLT_EXPECT_EQ(SL_ERR_NOTFOUND, reply.result);
        sl_fd_close(&fds[0]);
        sl_fd_close(&fds[1]);
    }
}

/* Asks without reading until nothing more fits: the server waits for it, and serves the others. */
SLT_TEST_F(local_limits, is_not_held_up_by_a_client_that_never_reads, t)
{
    local_bed_start(t, (struct local_server_options){0});
    local_bed_open(t, &t->vg);
    int fd = local_bed_connect(t, 0);
    local_bed_hello(fd);
    SLT_ASSERT_EQ(0, fcntl(fd, F_SETFL, O_NONBLOCK));
    struct local_caps caps = {.head = {LOCAL_CAPS, 0}, .capset = ECHO_CAPSET};
    uint32_t sent = 0;
    for (uint32_t idle = 0; idle < 50;) {
        caps.head.serial = sent;
        if (sl_sock_send(fd, &caps, sizeof caps, NULL, 0) == SL_OK) {
            sent++;
            idle = 0;
        } else {
            sl_clock_sleep_ns(SL_NS_PER_MS);
            idle++;
        }
        SLT_ASSERT_LT(sent, 1000000u); /* it does take effect */
    }
    local_bed_expect_healthy(t->vg);
    SLT_ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
    for (uint32_t i = 0; i < sent; i++) { /* now it reads: each is answered, in order */
        struct local_caps_reply reply;
        SLT_ASSERT_EQ(24u + ECHO_CAPSET_BYTES, local_bed_recv(fd, &reply, sizeof reply));
        SLT_ASSERT_EQ(i, reply.head.serial);
    }
}

/* ---- processes that die ---- */

static _Noreturn void render_for_ever(const char *path)
{
    struct vg *vg;
    while (vg_local_open(path, &vg) == SL_OK &&
           vg->ops->context_init(vg, ECHO_CAPSET, 2, "mortal") == SL_OK) {
        for (uint32_t i = 0; i < 20; i++) {
            struct vg_res *res;
            void *p;
            int fd;
            if (local_bed_blob(vg, 65536, &res) != SL_OK) {
                break;
            }
            (void)!vg_res_map(res, &p);
            (void)!local_bed_echo(vg, ECHO_RING, res->id, 0, 0, 0);
            (void)!local_bed_echo(vg, ECHO_TASK, 0, i, 0, 0);
            struct vg_submit_args args = {.ring = 0,
                                          .resources = &res,
                                          .resource_count = 1,
                                          .in_fence = -1,
                                          .out_fence = &fd};
            if (vg_submit(vg, &args) == SL_OK) {
                close(fd);
            }
            (void)!local_bed_echo(vg, ECHO_LATER, 100, i, 0, 0);
            if (i % 2 == 0) {
                vg_res_destroy(res);
            }
        }
        vg->ops->destroy(vg);
    }
    _exit(1);
}

SLT_TEST_F(local_limits, cleans_up_after_clients_killed_at_random_points, t)
{
    uint64_t state = 7;
    uint32_t fds = 0;
    uint64_t blocks = 0;
    SLT_TIMEOUT(120);
    local_bed_start(t, (struct local_server_options){0});
    local_bed_open(t, &t->vg);
    for (uint32_t i = 0; i < 200; i++) {
        t->child = fork();
        if (t->child == 0) {
            render_for_ever(t->world.path);
        }
        sl_clock_sleep_ns(sl_test_random(&state) % (10 * SL_NS_PER_MS));
        local_bed_end_child(t);
        local_bed_expect_healthy(t->vg);
        if (i == 20 || i == 199) {
            for (uint32_t k = 0; k < 20000 && echo_live() > 1; k++) {
                sl_clock_sleep_ns(SL_NS_PER_MS);
            }
            SLT_ASSERT_EQ(1u, echo_live());
        }
        if (i == 20) {
            /* The context is gone a moment before the last client's connection is. */
            sl_clock_sleep_ns(50 * SL_NS_PER_MS);
            fds = local_bed_descriptors();
            blocks = sl_alloc_live();
        }
    }
    for (uint32_t k = 0; k < 20000 && (local_bed_descriptors() > fds || sl_alloc_live() > blocks);
         k++) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_EXPECT_LE(local_bed_descriptors(), fds);
    SLT_EXPECT_LE(sl_alloc_live(), blocks);
}

/* A process that was forked with the server's end of a connection open: what the server closes
 * lives on in it, and must not bring events of a client that is gone. */
SLT_TEST_F(local_limits, forgets_clients_whose_connection_a_fork_keeps_open, t)
{
    local_bed_start(t, (struct local_server_options){0});
    local_bed_open(t, &t->vg);
    int fd = local_bed_connect(t, 0);
    local_bed_hello(fd);
    t->child = fork();
    if (t->child == 0) {
        close(fd);
        sl_clock_sleep_ns(
            30 * SL_NS_PER_S); /* it is killed; or ends itself, should the test have died */
        _exit(0);
    }
    close(fd);
    t->raw[0] = 0;
    for (int i = 0; i < 50; i++) {
        local_bed_expect_healthy(t->vg);
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
}

/* The server in a process of its own, to be killed. */
static void start_child_server(struct local_bed *t, uint32_t max_fds)
{
    int ready[2];
    snprintf(t->world.path, sizeof t->world.path, "%s/world", SLT_TMPDIR());
    struct world_config config = {
        .backend = WORLD_LOCAL, .types = types, .directory = SLT_TMPDIR()};
    SLT_ASSERT_EQ(0, pipe(ready));
    t->child = fork();
    if (t->child == 0) {
        struct world world;
        struct rlimit limit = {max_fds, max_fds};
        if ((max_fds != 0 && setrlimit(RLIMIT_NOFILE, &limit) != 0) ||
            world_start(&world, &config) != SL_OK) {
            _exit(1);
        }
        close(ready[1]);
        for (;;) {
            pause();
        }
    }
    close(ready[1]);
    char byte;
    (void)!read(ready[0], &byte, 1); /* the end: it listens, or is gone */
    close(ready[0]);
}

static void *kill_later(void *user)
{
    sl_clock_sleep_ns(100 * SL_NS_PER_MS);
    kill(*(pid_t *)user, SIGKILL);
    return NULL;
}

/* How long a client waits on once its server is killed. */
static uint64_t server_dies(struct local_bed *t)
{
    struct vg_res *res;
    pthread_t killer;
    int fd = -1;
    start_child_server(t, 0);
    local_bed_open(t, &t->vg);
    SLT_ASSERT_OK(local_bed_blob(t->vg, 4096, &res));
    SLT_ASSERT_OK(local_bed_echo(t->vg, ECHO_TASK, 0, 0, 0, 0));
    struct vg_submit_args args = {
        .ring = 0, .resources = &res, .resource_count = 1, .in_fence = -1, .out_fence = &fd};
    SLT_ASSERT_OK(vg_submit(t->vg, &args));
    SLT_ASSERT_OK(sl_thread_start(&killer, "killer", 0, kill_later, &t->child));
    uint64_t begin = sl_clock_ns();
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, t->vg->ops->res_wait(res, -1));
    uint64_t took = sl_clock_ns() - begin;
    SLT_EXPECT_TRUE(!t->vg->ops->alive(t->vg));
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, local_bed_echo(t->vg, ECHO_TASK, 0, 0, 0, 0));
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, local_bed_blob(t->vg, 4096, &res));
    pthread_join(killer, NULL);
    vg_res_destroy(res);
    close(fd);
    t->vg->ops->destroy(t->vg);
    t->vg = NULL;
    local_bed_end_child(t);
    return took;
}

SLT_TEST_F(local_limits, notices_within_a_second_that_the_server_died, t)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 10 && least >= SL_NS_PER_S; i++) { /* a busy machine may stop us */
        uint64_t took = server_dies(t);
        least = took < least ? took : least;
    }
    SLT_EXPECT_LT(least, SL_NS_PER_S);
}

SLT_TEST_F(local_limits, stands_having_no_descriptors_left, t)
{
    struct local_control *control;
    start_child_server(t, 32);
    for (uint32_t i = 0; i < 64; i++) {
        (void)local_bed_connect(t, i);
    }
    uint32_t turned_away = 0;
    for (uint32_t tries = 0; tries < 20000 && turned_away < 32; tries++) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
        turned_away = 0;
        for (uint32_t i = 0; i < 64; i++) {
            struct pollfd p = {.fd = t->raw[i] - 1, .events = POLLIN};
            turned_away += poll(&p, 1, 0) == 1;
        }
    }
    SLT_EXPECT_GE(turned_away, 32u);
    for (uint32_t i = 0; i < 64; i++) {
        close(t->raw[i] - 1);
        t->raw[i] = 0;
    }
    for (uint32_t i = 0; i < 10000 && t->vg == NULL; i++) {
        (void)!vg_local_open(t->world.path, &t->vg);
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_ASSERT_TRUE(t->vg != NULL);
    SLT_ASSERT_OK(t->vg->ops->context_init(t->vg, ECHO_CAPSET, 1, "after"));
    local_bed_expect_healthy(t->vg);
    SLT_EXPECT_OK(local_control_open(t->world.path, &control));
    local_control_close(control);
}
