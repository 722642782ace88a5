/* The local socket beyond waist A's contract: versions, garbage, quotas, clients that die or never
 * read, servers that die, tools. */
#include "tests/support/echo_type.h"
#include "tests/support/slt.h"
#include "tests/support/vg_world.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"
#include "transport/base/sock.h"
#include "transport/base/thread.h"
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
#include <sys/wait.h>
#include <unistd.h>

#define RAW_MAX 128u

static const struct hct_type *const types[] = {&echo_type, &echo_tex_type, NULL};

struct bed {
    struct world world;
    struct vg *vg;    /* a well-behaved client */
    struct vg *bad;   /* another one */
    int raw[RAW_MAX]; /* sockets without a library, + 1; 0: none */
    struct local_control *control;
    pid_t child;
};

static void bed_init(struct bed *t)
{
    (void)t;
}

static void end_child(struct bed *t)
{
    if (t->child > 0) {
        kill(t->child, SIGKILL);
        waitpid(t->child, NULL, 0);
        t->child = 0;
    }
}

static void bed_finish(struct bed *t)
{
    end_child(t);
    for (uint32_t i = 0; i < RAW_MAX; i++) {
        if (t->raw[i] != 0) {
            close(t->raw[i] - 1);
        }
    }
    local_control_close(t->control);
    if (t->vg != NULL) {
        t->vg->ops->destroy(t->vg);
    }
    if (t->bad != NULL) {
        t->bad->ops->destroy(t->bad);
    }
    world_stop(&t->world);
}

SLT_FIXTURE(local, struct bed, bed_init, bed_finish);

static void start(struct bed *t, struct local_server_options options)
{
    SLT_ASSERT_OK(world_start(&t->world, &(struct world_config){.backend = WORLD_LOCAL,
                                                                .types = types,
                                                                .server = options,
                                                                .directory = SLT_TMPDIR()}));
}

static void open_client(struct bed *t, struct vg **vg)
{
    SLT_ASSERT_OK(world_open(&t->world, vg));
    SLT_ASSERT_OK((*vg)->ops->context_init(*vg, ECHO_CAPSET, 4, "test"));
}

static enum sl_result blob(struct vg *vg, uint64_t size, struct vg_res **out)
{
    return vg_blob_create(vg,
                          &(struct vg_blob_args){.mem = VIRTGPU_BLOB_HOST3D,
                                                 .flags = VIRTGPU_BLOB_MAPPABLE,
                                                 .size = size},
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

/* One round of everything: the client is as well as ever. */
static void expect_healthy(struct vg *vg)
{
    struct vg_res *res;
    void *p;
    SLT_ASSERT_TRUE(vg->ops->alive(vg));
    SLT_ASSERT_OK(blob(vg, 4096, &res));
    SLT_EXPECT_OK(vg_res_map(res, &p));
    SLT_EXPECT_OK(echo(vg, ECHO_FILL, res->id, 0, 4096, 0x77));
    SLT_EXPECT_EQ(0x77, ((uint8_t *)p)[4095]);
    vg_res_destroy(res);
}

static int raw_connect(struct bed *t, uint32_t index)
{
    int fd;
    SLT_ASSERT_OK(sl_sock_connect(t->world.path, &fd));
    t->raw[index] = fd + 1;
    return fd;
}

/* Waits for one message, or for the end. The size; 0 for the end. */
static size_t raw_recv(int fd, void *data, size_t capacity)
{
    int fds[SL_SOCK_MAX_FDS];
    uint32_t count = 0;
    size_t size = 0;
    if (sl_fd_wait(fd, 5 * (int64_t)SL_NS_PER_S) != SL_OK ||
        sl_sock_recv(fd, data, capacity, &size, fds, &count) != SL_OK) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        close(fds[i]);
    }
    return size;
}

static void raw_hello(int fd)
{
    struct local_hello hello = {.head = {LOCAL_HELLO, 1},
                                .magic = LOCAL_MAGIC,
                                .version = LOCAL_VERSION,
                                .kind = LOCAL_KIND_CLIENT};
    struct local_hello_reply reply = {0};
    SLT_ASSERT_OK(sl_sock_send(fd, &hello, sizeof hello, NULL, 0));
    SLT_ASSERT_EQ(sizeof reply, raw_recv(fd, &reply, sizeof reply));
    SLT_ASSERT_EQ(0, reply.head.result);
}

static uint32_t open_fds(void)
{
    uint32_t count = 0;
    for (int fd = 0; fd < 4096; fd++) {
        count += fcntl(fd, F_GETFD) != -1;
    }
    return count;
}

/* ---- hello ---- */

SLT_TEST_F(local, says_who_is_not_there, t)
{
    char path[128];
    struct vg *vg;
    (void)t;
    snprintf(path, sizeof path, "%s/nobody", SLT_TMPDIR());
    SLT_EXPECT_LOG("local", "there is no such socket");
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, vg_local_open(path, &vg));
    int fd;
    SLT_ASSERT_OK(sl_sock_listen(path, &fd));
    close(fd); /* as a killed server leaves it */
    SLT_EXPECT_LOG("local", "nobody serves this socket");
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, vg_local_open(path, &vg));
}

SLT_TEST_F(local, refuses_another_version_by_name, t)
{
    start(t, (struct local_server_options){0});
    int fd = raw_connect(t, 0);
    struct local_hello_reply reply = {0};
    uint32_t hello[4] = {LOCAL_HELLO, 1, LOCAL_MAGIC,
                         LOCAL_VERSION +
                             1}; /* a later hello may have any size behind these words */
    SLT_ASSERT_OK(sl_sock_send(fd, hello, sizeof hello, NULL, 0));
    SLT_ASSERT_EQ(sizeof reply, raw_recv(fd, &reply, sizeof reply));
    SLT_EXPECT_EQ(SL_ERR_UNSUPPORTED, reply.head.result);
    SLT_EXPECT_EQ(LOCAL_VERSION, reply.version);
    SLT_EXPECT_EQ(0u, raw_recv(fd, &reply, sizeof reply)); /* hung up */
}

struct answerer {
    int listener;
    struct local_hello_reply reply;
};

static void *answer_hello(void *user)
{
    struct answerer *a = user;
    struct local_hello hello;
    int fd = -1;
    if (sl_sock_accept(a->listener, &fd) == SL_OK && raw_recv(fd, &hello, sizeof hello) != 0) {
        (void)!sl_sock_send(fd, &a->reply, sizeof a->reply, NULL, 0);
    }
    sl_fd_close(&fd);
    return NULL;
}

SLT_TEST_F(local, names_both_versions_to_the_user, t)
{
    struct answerer a = {.reply = {.head = {LOCAL_HELLO, 1, SL_ERR_UNSUPPORTED, 0},
                                   .magic = LOCAL_MAGIC,
                                   .version = 7}};
    pthread_t thread;
    char path[128];
    struct vg *vg;
    (void)t;
    snprintf(path, sizeof path, "%s/other", SLT_TMPDIR());
    SLT_ASSERT_OK(sl_sock_listen(path, &a.listener));
    SLT_ASSERT_OK(sl_thread_start(&thread, "other", 0, answer_hello, &a));
    SLT_EXPECT_LOG("local",
                   "the server speaks version 7 of the local protocol, this library version 1");
    SLT_EXPECT_RESULT(SL_ERR_UNSUPPORTED, vg_local_open(path, &vg));
    pthread_join(thread, NULL);
    close(a.listener);
}

SLT_TEST_F(local, notices_that_a_listener_is_no_server, t)
{
    struct answerer a = {.reply = {.head = {99, 1, SL_OK, 0}}};
    pthread_t thread;
    char path[128];
    struct vg *vg;
    (void)t;
    snprintf(path, sizeof path, "%s/foreign", SLT_TMPDIR());
    SLT_ASSERT_OK(sl_sock_listen(path, &a.listener));
    SLT_ASSERT_OK(sl_thread_start(&thread, "foreign", 0, answer_hello, &a));
    SLT_EXPECT_LOG("local", "is no Sluice server");
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, vg_local_open(path, &vg));
    pthread_join(thread, NULL);
    close(a.listener);
}

SLT_TEST_F(local, lets_clients_wait_for_a_slow_driver, t)
{
    SLT_ASSERT_OK(
        world_start(&t->world, &(struct world_config){.backend = WORLD_LOCAL,
                                                      .types = types,
                                                      .directory = SLT_TMPDIR(),
                                                      .driver_delay_ns = 200 * SL_NS_PER_MS}));
    open_client(t, &t->vg); /* connects at once, is answered later */
    expect_healthy(t->vg);
}

SLT_TEST_F(local, does_not_serve_one_socket_twice, t)
{
    struct local_server *second;
    start(t, (struct local_server_options){0});
    SLT_EXPECT_LOG("local", "somebody serves this socket already");
    SLT_EXPECT_RESULT(
        SL_ERR_INVALID,
        local_server_create(&(struct local_server_options){.path = t->world.path}, &second));
    open_client(t, &t->vg);
    expect_healthy(t->vg);
}

/* In a child of another user: 0 when it was answered `want`. */
static int connect_as_nobody(const char *path, enum sl_result want)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct vg *vg;
        if (setgid(65534) != 0 || setuid(65534) != 0) {
            _exit(2);
        }
        _exit(vg_local_open(path, &vg) == want ? 0 : 1);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    return status;
}

struct user_case {
    const char *label;
    bool any_user;
    bool open_file; /* the file alone would let everybody in */
    enum sl_result want;
};
static const struct user_case user_cases[] = {
    {"by_the_file", false, false, SL_ERR_IO},
    {"by_credentials", false, true, SL_ERR_INVALID},
    {"unless_asked_to", true, false, SL_OK},
};
SLT_TEST_FP(local, keeps_other_users_out, t, struct user_case, user_cases, c)
{
    if (geteuid() != 0) {
        SLT_SKIP("needs root to become another user");
    }
    start(t, (struct local_server_options){.any_user = c->any_user});
    char directory[108];
    snprintf(directory, sizeof directory, "%s", t->world.path);
    *strrchr(directory, '/') = '\0';
    SLT_ASSERT_EQ(0, chmod(directory, 0755));
    if (c->open_file) {
        SLT_ASSERT_EQ(0, chmod(t->world.path, 0666));
    }
    SLT_EXPECT_EQ(0, connect_as_nobody(t->world.path, c->want));
    open_client(t, &t->vg);
    expect_healthy(t->vg);
}

/* ---- garbage ---- */

struct garbage_case {
    const char *label;
    uint32_t words[8];
    size_t size;
    bool after_hello;
};
static const struct garbage_case garbage_cases[] = {
    {"one_byte", {1}, 1, false},
    {"seven_bytes", {1, 1}, 7, false},
    {"no_magic", {LOCAL_HELLO, 1, 2, 3}, 16, false},
    {"short_hello", {LOCAL_HELLO, 1, LOCAL_MAGIC, LOCAL_VERSION}, 16, false},
    {"before_hello", {LOCAL_CTX_INIT, 1}, sizeof(struct local_ctx_init), false},
    {"status_before_hello", {LOCAL_STATUS, 1}, 8, false},
    {"second_hello", {LOCAL_HELLO, 1, LOCAL_MAGIC, LOCAL_VERSION, 1}, 32, true},
    {"verb_0", {0, 1}, 8, true},
    {"verb_max", {UINT32_MAX, 1}, 8, true},
    {"tool_verb_from_a_client", {LOCAL_STATUS, 1}, 8, true},
    {"packet_from_a_client", {LOCAL_PACKET, 1}, 32, true},
    {"blob_short", {LOCAL_BLOB_CREATE, 1}, sizeof(struct local_blob_create) - 1, true},
    {"map_long", {LOCAL_RES_MAP, 1}, sizeof(struct local_res) + 1, true},
    {"submit_short", {LOCAL_SUBMIT, 1}, sizeof(struct local_submit) - 1, true},
};
SLT_TEST_FP(local, hangs_up_on_garbage, t, struct garbage_case, garbage_cases, c)
{
    uint8_t reply[256];
    start(t, (struct local_server_options){0});
    open_client(t, &t->vg);
    int fd = raw_connect(t, 0);
    if (c->after_hello) {
        raw_hello(fd);
    }
    uint8_t bytes[128] = {0};
    memcpy(bytes, c->words, sizeof c->words);
    SLT_ASSERT_OK(sl_sock_send(fd, bytes, c->size, NULL, 0));
    size_t size = raw_recv(fd, reply, sizeof reply);
    SLT_EXPECT_GE(size, sizeof(struct local_reply)); /* answered all the same */
    struct local_reply head;
    memcpy(&head, reply, sizeof head);
    SLT_EXPECT_EQ(SL_ERR_PROTOCOL, head.result);
    SLT_EXPECT_EQ(0u, raw_recv(fd, reply, sizeof reply));
    expect_healthy(t->vg);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 24;
}

/* Random requests, right in size more often than not, with descriptors where none belong. */
SLT_TEST_F(local, survives_twenty_thousand_random_messages, t)
{
    static const uint32_t sizes[] = {8, 88, 16, 80, 32, 48, 16, 16, 16, 16, 40, 16};
    uint64_t state = 2;
    int fd = -1;
    SLT_TIMEOUT(60);
    start(t, (struct local_server_options){.resource_bytes = 64u << 20});
    open_client(t, &t->vg);
    for (uint32_t i = 0; i < 20000; i++) {
        uint8_t bytes[256] = {0};
        uint8_t reply[LOCAL_MAX_MESSAGE];
        if (fd < 0) {
            fd = raw_connect(t, 0);
            raw_hello(fd);
        }
        uint32_t verb = (uint32_t)(next_random(&state) % 13);
        size_t size =
            next_random(&state) % 8 != 0 ? sizes[verb % 12] : 1 + next_random(&state) % 200;
        for (size_t k = 8; k < size; k += 4) {
            uint64_t r = next_random(&state);
            uint32_t word = r % 3 == 0   ? (uint32_t)(r >> 8)
                            : r % 3 == 1 ? (uint32_t)(r >> 8) % 8
                                         : 4096u << (r >> 8) % 12;
            memcpy(bytes + k, &word, 4);
        }
        memcpy(bytes, &verb, 4);
        int extra[2] = {fd, t->world.stop};
        if (sl_sock_send(fd, bytes, size, extra, next_random(&state) % 16 == 0 ? 2 : 0) != SL_OK ||
            raw_recv(fd, reply, sizeof reply) == 0) {
            close(fd);
            t->raw[0] = 0;
            fd = -1;
        }
    }
    expect_healthy(t->vg);
}

/* ---- quotas and foreign ids ---- */

SLT_TEST_F(local, keeps_a_client_within_its_quotas, t)
{
    struct vg_res *res[5] = {0};
    struct vg_res *more;
    int fds[3];
    start(t,
          (struct local_server_options){.resources = 4, .resource_bytes = 1u << 20, .fences = 2});
    open_client(t, &t->vg);
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, blob(t->vg, (1u << 20) + 4096, &more));
    SLT_EXPECT_RESULT(SL_ERR_NOMEM,
                      vg_tex_create(t->vg,
                                    &(struct vg_tex_args){.target = VIRTGPU_TARGET_2D,
                                                          .format = VIRTGPU_FORMAT_R8G8B8A8,
                                                          .width_px = 1024,
                                                          .height_px = 1024},
                                    &more));
    for (uint32_t i = 0; i < 4; i++) {
        SLT_ASSERT_OK(blob(t->vg, 4096, &res[i]));
    }
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, blob(t->vg, 4096, &more));
    SLT_ASSERT_OK(echo(t->vg, ECHO_TASK, 0, 0, 0, 0));
    for (uint32_t i = 0; i < 3; i++) {
        struct vg_submit_args args = {.ring = 0, .in_fence = -1, .out_fence = &fds[i]};
        SLT_EXPECT_RESULT(i < 2 ? SL_OK : SL_ERR_NOMEM, vg_submit(t->vg, &args));
    }
    SLT_ASSERT_OK(echo(t->vg, ECHO_DONE, 0, 0, 0, 0));
    SLT_EXPECT_OK(sl_fd_wait(fds[1], (int64_t)SL_NS_PER_S));
    close(fds[0]);
    close(fds[1]);
    open_client(t, &t->bad); /* another client has its own */
    expect_healthy(t->bad);
    for (uint32_t i = 0; i < 4; i++) {
        vg_res_destroy(res[i]);
    }
    expect_healthy(t->vg);
}

SLT_TEST_F(local, tells_a_client_that_there_is_no_room, t)
{
    struct vg *more;
    start(t, (struct local_server_options){.clients_per_process = 1});
    open_client(t, &t->vg);
    SLT_EXPECT_LOG("local", "has no room for another client");
    SLT_EXPECT_RESULT(SL_ERR_NOMEM, vg_local_open(t->world.path, &more));
    t->vg->ops->destroy(t->vg);
    t->vg = NULL;
    for (uint32_t i = 0; i < 100 && t->vg == NULL;
         i++) { /* the server sees the end when it comes round to it */
        (void)!vg_local_open(t->world.path, &t->vg);
    }
    SLT_EXPECT_TRUE(t->vg != NULL);
}

SLT_TEST_F(local, b10_reaches_no_resource_but_its_own, t)
{
    struct vg_res *res;
    start(t, (struct local_server_options){0});
    open_client(t, &t->vg);
    SLT_ASSERT_OK(blob(t->vg, 4096, &res));
    int fd = raw_connect(t, 0);
    raw_hello(fd);
    static const uint32_t verbs[] = {LOCAL_RES_MAP, LOCAL_RES_EXPORT, LOCAL_RES_DESTROY};
    uint32_t ids[] = {res->id, 0, res->id + 1, res->id + (1u << 20), UINT32_MAX};
    for (uint32_t v = 0; v < 3; v++) {
        for (uint32_t i = 0; i < 5; i++) {
            struct local_res request = {.head = {verbs[v], v}, .resource_id = ids[i]};
            struct local_map_reply reply;
            SLT_ASSERT_OK(sl_sock_send(fd, &request, sizeof request, NULL, 0));
            SLT_ASSERT_EQ(sizeof(struct local_reply), raw_recv(fd, &reply, sizeof reply));
            SLT_EXPECT_EQ(SL_ERR_NOTFOUND, reply.head.result);
        }
    }
    struct local_res_transfer transfer = {.head = {LOCAL_RES_TRANSFER, 9}, .resource_id = res->id};
    struct local_reply reply;
    SLT_ASSERT_OK(sl_sock_send(fd, &transfer, sizeof transfer, NULL, 0));
    SLT_ASSERT_EQ(sizeof reply, raw_recv(fd, &reply, sizeof reply));
    SLT_EXPECT_EQ(SL_ERR_NOTFOUND, reply.result);
    vg_res_destroy(res);
}

/* Asks without reading until nothing more fits: the server waits for it, and serves the others. */
SLT_TEST_F(local, is_not_held_up_by_a_client_that_never_reads, t)
{
    start(t, (struct local_server_options){0});
    open_client(t, &t->vg);
    int fd = raw_connect(t, 0);
    raw_hello(fd);
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
    expect_healthy(t->vg);
    SLT_ASSERT_EQ(0, fcntl(fd, F_SETFL, 0));
    for (uint32_t i = 0; i < sent; i++) { /* now it reads: each is answered, in order */
        struct local_caps_reply reply;
        SLT_ASSERT_EQ(24u + ECHO_CAPSET_BYTES, raw_recv(fd, &reply, sizeof reply));
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
            if (blob(vg, 65536, &res) != SL_OK) {
                break;
            }
            (void)!vg_res_map(res, &p);
            (void)!echo(vg, ECHO_RING, res->id, 0, 0, 0);
            (void)!echo(vg, ECHO_TASK, 0, i, 0, 0);
            struct vg_submit_args args = {.ring = 0,
                                          .resources = &res,
                                          .resource_count = 1,
                                          .in_fence = -1,
                                          .out_fence = &fd};
            if (vg_submit(vg, &args) == SL_OK) {
                close(fd);
            }
            (void)!echo(vg, ECHO_LATER, 100, i, 0, 0);
            if (i % 2 == 0) {
                vg_res_destroy(res);
            }
        }
        vg->ops->destroy(vg);
    }
    _exit(1);
}

SLT_TEST_F(local, cleans_up_after_clients_killed_at_random_points, t)
{
    uint64_t state = 7;
    uint32_t fds = 0;
    uint64_t blocks = 0;
    SLT_TIMEOUT(120);
    start(t, (struct local_server_options){0});
    open_client(t, &t->vg);
    for (uint32_t i = 0; i < 200; i++) {
        t->child = fork();
        if (t->child == 0) {
            render_for_ever(t->world.path);
        }
        sl_clock_sleep_ns(next_random(&state) % (10 * SL_NS_PER_MS));
        end_child(t);
        expect_healthy(t->vg);
        if (i == 20 || i == 199) {
            for (uint32_t k = 0; k < 2000 && echo_live() > 1; k++) {
                sl_clock_sleep_ns(SL_NS_PER_MS);
            }
            SLT_ASSERT_EQ(1u, echo_live());
        }
        if (i == 20) {
            /* The context is gone a moment before the last client's connection is. */
            sl_clock_sleep_ns(50 * SL_NS_PER_MS);
            fds = open_fds();
            blocks = sl_alloc_live();
        }
    }
    for (uint32_t k = 0; k < 2000 && (open_fds() > fds || sl_alloc_live() > blocks); k++) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_EXPECT_LE(open_fds(), fds);
    SLT_EXPECT_LE(sl_alloc_live(), blocks);
}

/* A process that was forked with the server's end of a connection open: what the server closes
 * lives on in it, and must not bring events of a client that is gone. */
SLT_TEST_F(local, forgets_clients_whose_connection_a_fork_keeps_open, t)
{
    start(t, (struct local_server_options){0});
    open_client(t, &t->vg);
    int fd = raw_connect(t, 0);
    raw_hello(fd);
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
        expect_healthy(t->vg);
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
}

/* The server in a process of its own, to be killed. */
static void start_child_server(struct bed *t, uint32_t max_fds)
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

SLT_TEST_F(local, notices_within_a_second_that_the_server_died, t)
{
    struct vg_res *res;
    pthread_t killer;
    int fd = -1;
    start_child_server(t, 0);
    open_client(t, &t->vg);
    SLT_ASSERT_OK(blob(t->vg, 4096, &res));
    SLT_ASSERT_OK(echo(t->vg, ECHO_TASK, 0, 0, 0, 0));
    struct vg_submit_args args = {
        .ring = 0, .resources = &res, .resource_count = 1, .in_fence = -1, .out_fence = &fd};
    SLT_ASSERT_OK(vg_submit(t->vg, &args));
    SLT_ASSERT_OK(sl_thread_start(&killer, "killer", 0, kill_later, &t->child));
    uint64_t begin = sl_clock_ns();
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, t->vg->ops->res_wait(res, -1));
    SLT_EXPECT_LT(sl_clock_ns() - begin, SL_NS_PER_S);
    SLT_EXPECT_TRUE(!t->vg->ops->alive(t->vg));
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, echo(t->vg, ECHO_TASK, 0, 0, 0, 0));
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, blob(t->vg, 4096, &res));
    pthread_join(killer, NULL);
    vg_res_destroy(res);
    close(fd);
}

SLT_TEST_F(local, stands_having_no_descriptors_left, t)
{
    struct local_control *control;
    start_child_server(t, 32);
    for (uint32_t i = 0; i < 64; i++) {
        (void)raw_connect(t, i);
    }
    uint64_t cpu_free = 0;
    for (uint32_t i = 0; i < 64; i++) {
        struct pollfd p = {.fd = t->raw[i] - 1, .events = POLLIN};
        cpu_free += poll(&p, 1, i == 0 ? 200 : 0) == 1; /* turned away */
    }
    SLT_EXPECT_GE(cpu_free, 32u);
    for (uint32_t i = 0; i < 64; i++) {
        close(t->raw[i] - 1);
        t->raw[i] = 0;
    }
    for (uint32_t i = 0; i < 100 && t->vg == NULL; i++) {
        (void)!vg_local_open(t->world.path, &t->vg);
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    SLT_ASSERT_TRUE(t->vg != NULL);
    SLT_ASSERT_OK(t->vg->ops->context_init(t->vg, ECHO_CAPSET, 1, "after"));
    expect_healthy(t->vg);
    SLT_EXPECT_OK(local_control_open(t->world.path, &control));
    local_control_close(control);
}

/* ---- tools ---- */

SLT_TEST_F(local, tells_tools_how_it_is, t)
{
    struct local_status_reply status;
    struct local_ring_reply ring;
    struct vg_res *res;
    start(t, (struct local_server_options){0});
    open_client(t, &t->vg);
    SLT_ASSERT_OK(blob(t->vg, 8192, &res));
    SLT_ASSERT_OK(echo(t->vg, ECHO_RING, res->id, 0, 0, 0));
    SLT_ASSERT_OK(local_control_open(t->world.path, &t->control));
    SLT_ASSERT_OK(local_control_status(t->control, &status));
    SLT_EXPECT_STREQ("echo textures", status.driver);
    SLT_EXPECT_EQ(1u, status.contexts_created);
    SLT_EXPECT_EQ(1u, status.contexts);
    SLT_EXPECT_EQ(1u, status.clients);
    SLT_EXPECT_EQ(1u, status.resources);
    SLT_EXPECT_EQ(8192u, status.resource_bytes);
    SLT_EXPECT_EQ(0u, status.contexts_lost);
    SLT_ASSERT_OK(local_control_ring(t->control, 0, &ring));
    SLT_EXPECT_STREQ("local_test", ring.client);
    SLT_EXPECT_EQ((uint32_t)getpid(), ring.pid);
    SLT_EXPECT_EQ(res->id, ring.ring_id);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, local_control_ring(t->control, 1, &ring));
    vg_res_destroy(res);
}

SLT_TEST_F(local, brings_packets_to_a_tool_that_listens, t)
{
    struct local_packet head;
    const void *packet, *reply;
    start(t, (struct local_server_options){0});
    open_client(t, &t->vg);
    SLT_ASSERT_OK(echo(t->vg, ECHO_PACKET, 5, 1111, 0, 0)); /* nobody listens */
    SLT_ASSERT_OK(local_control_open(t->world.path, &t->control));
    SLT_ASSERT_OK(local_control_tap(t->control));
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, local_control_packet(t->control, 0, &head, &packet, &reply));
    for (uint32_t i = 0; i < 1000; i++) {
        SLT_ASSERT_OK(echo(t->vg, ECHO_PACKET, 5, 2088 + i, 0, 0));
        SLT_ASSERT_OK(
            local_control_packet(t->control, (int64_t)SL_NS_PER_S, &head, &packet, &reply));
        struct echo_command want = {ECHO_PACKET, 5, 2088 + i, 0, 0};
        SLT_ASSERT_EQ(2088 + i, head.opcode);
        SLT_ASSERT_EQ(i, head.head.serial);
        SLT_ASSERT_EQ(sizeof want, head.packet_sent);
        SLT_ASSERT_EQ(sizeof want, head.packet_size);
        SLT_ASSERT_MEMEQ(&want, packet, sizeof want);
        SLT_ASSERT_EQ(2u, head.reply_sent);
        SLT_ASSERT_MEMEQ("ok", reply, 2);
        SLT_ASSERT_EQ(0u, head.dropped);
    }
}

SLT_TEST_F(local, does_not_wait_for_a_tool_that_stopped_reading, t)
{
    start(t, (struct local_server_options){0});
    open_client(t, &t->vg);
    SLT_ASSERT_OK(local_control_open(t->world.path, &t->control));
    SLT_ASSERT_OK(local_control_tap(t->control));
    uint64_t begin = sl_clock_ns();
    for (uint32_t i = 0; i < 20000; i++) {
        SLT_ASSERT_OK(echo(t->vg, ECHO_PACKET, 5, i, 0, 0));
    }
    SLT_EXPECT_LT(sl_clock_ns() - begin, 8 * SL_NS_PER_S);
    struct local_packet head;
    const void *packet, *reply;
    while (local_control_packet(t->control, 0, &head, &packet, &reply) == SL_OK) {
    }
    SLT_ASSERT_OK(echo(t->vg, ECHO_PACKET, 5, 1, 0, 0));
    SLT_ASSERT_OK(local_control_packet(t->control, (int64_t)SL_NS_PER_S, &head, &packet, &reply));
    SLT_EXPECT_EQ(20000u, head.head.serial + head.dropped); /* every packet is accounted for */
}

SLT_TEST_F(local, stops_tapping_when_the_last_tool_leaves, t)
{
    start(t, (struct local_server_options){0});
    open_client(t, &t->vg);
    SLT_ASSERT_OK(local_control_open(t->world.path, &t->control));
    SLT_ASSERT_OK(local_control_tap(t->control));
    local_control_close(t->control);
    t->control = NULL;
    expect_healthy(t->vg);
    SLT_ASSERT_OK(echo(t->vg, ECHO_PACKET, 5, 1, 0, 0));
    expect_healthy(t->vg);
}
