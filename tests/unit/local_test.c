/* The local socket beyond waist A's contract: versions, other users, garbage, tools. */
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

static const struct hct_type *const types[] = {&echo_type, &echo_tex_type, NULL};

SLT_FIXTURE(local, struct local_bed, local_bed_init, local_bed_finish);

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
    SLT_ASSERT_OK(sl_sock_listen(path, SOCK_SEQPACKET, &fd));
    close(fd); /* as a killed server leaves it */
    SLT_EXPECT_LOG("local", "nobody serves this socket");
    SLT_EXPECT_RESULT(SL_ERR_CLOSED, vg_local_open(path, &vg));
}

SLT_TEST_F(local, refuses_another_version_by_name, t)
{
    local_bed_start(t, (struct local_server_options){0});
    int fd = local_bed_connect(t, 0);
    struct local_hello_reply reply = {0};
    uint32_t hello[4] = {LOCAL_HELLO, 1, LOCAL_MAGIC,
                         LOCAL_VERSION +
                             1}; /* a later hello may have any size behind these words */
    SLT_ASSERT_OK(sl_sock_send(fd, hello, sizeof hello, NULL, 0));
    SLT_ASSERT_EQ(sizeof reply, local_bed_recv(fd, &reply, sizeof reply));
    SLT_EXPECT_EQ(SL_ERR_UNSUPPORTED, reply.head.result);
    SLT_EXPECT_EQ(LOCAL_VERSION, reply.version);
    SLT_EXPECT_EQ(0u, local_bed_recv(fd, &reply, sizeof reply)); /* hung up */
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
    if (sl_sock_accept(a->listener, &fd) == SL_OK &&
        local_bed_recv(fd, &hello, sizeof hello) != 0) {
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
    SLT_ASSERT_OK(sl_sock_listen(path, SOCK_SEQPACKET, &a.listener));
    SLT_ASSERT_OK(sl_thread_start(&thread, "other", 0, answer_hello, &a));
    SLT_EXPECT_LOG("local",
                   "the server speaks version 7 of the local protocol, this library version 2");
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
    SLT_ASSERT_OK(sl_sock_listen(path, SOCK_SEQPACKET, &a.listener));
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
    local_bed_open(t, &t->vg); /* connects at once, is answered later */
    local_bed_expect_healthy(t->vg);
}

SLT_TEST_F(local, does_not_serve_one_socket_twice, t)
{
    struct local_server *second;
    local_bed_start(t, (struct local_server_options){0});
    SLT_EXPECT_LOG("local", "somebody serves this socket already");
    SLT_EXPECT_RESULT(
        SL_ERR_INVALID,
        local_server_create(&(struct local_server_options){.path = t->world.path}, &second));
    local_bed_open(t, &t->vg);
    local_bed_expect_healthy(t->vg);
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
    local_bed_start(t, (struct local_server_options){.any_user = c->any_user});
    char directory[108];
    snprintf(directory, sizeof directory, "%s", t->world.path);
    *strrchr(directory, '/') = '\0';
    SLT_ASSERT_EQ(0, chmod(directory, 0755));
    if (c->open_file) {
        SLT_ASSERT_EQ(0, chmod(t->world.path, 0666));
    }
    SLT_EXPECT_EQ(0, connect_as_nobody(t->world.path, c->want));
    local_bed_open(t, &t->vg);
    local_bed_expect_healthy(t->vg);
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
    local_bed_start(t, (struct local_server_options){0});
    local_bed_open(t, &t->vg);
    int fd = local_bed_connect(t, 0);
    if (c->after_hello) {
        local_bed_hello(fd);
    }
    uint8_t bytes[128] = {0};
    memcpy(bytes, c->words, sizeof c->words);
    SLT_ASSERT_OK(sl_sock_send(fd, bytes, c->size, NULL, 0));
    size_t size = local_bed_recv(fd, reply, sizeof reply);
    SLT_EXPECT_GE(size, sizeof(struct local_reply)); /* answered all the same */
    struct local_reply head;
    memcpy(&head, reply, sizeof head);
    SLT_EXPECT_EQ(SL_ERR_PROTOCOL, head.result);
    SLT_EXPECT_EQ(0u, local_bed_recv(fd, reply, sizeof reply));
    local_bed_expect_healthy(t->vg);
}

/* Random requests, right in size more often than not, with descriptors where none belong. */
SLT_TEST_F(local, survives_twenty_thousand_random_messages, t)
{
    static const uint32_t sizes[] = {8, 88, 16, 80, 32, 48, 16, 16, 16, 16, 40, 16};
    uint64_t state = 2;
    int fd = -1;
    SLT_TIMEOUT(60);
    local_bed_start(t, (struct local_server_options){.resource_bytes = 64u << 20});
    local_bed_open(t, &t->vg);
    for (uint32_t i = 0; i < 20000; i++) {
        uint8_t bytes[256] = {0};
        uint8_t reply[LOCAL_MAX_MESSAGE];
        if (fd < 0) {
            fd = local_bed_connect(t, 0);
            local_bed_hello(fd);
        }
        uint32_t verb = (uint32_t)(sl_test_random(&state) % 13);
        size_t size =
            sl_test_random(&state) % 8 != 0 ? sizes[verb % 12] : 1 + sl_test_random(&state) % 200;
        for (size_t k = 8; k < size; k += 4) {
            uint64_t r = sl_test_random(&state);
            uint32_t word = r % 3 == 0   ? (uint32_t)(r >> 8)
                            : r % 3 == 1 ? (uint32_t)(r >> 8) % 8
                                         : 4096u << (r >> 8) % 12;
            memcpy(bytes + k, &word, 4);
        }
        memcpy(bytes, &verb, 4);
        int extra[2] = {fd, t->world.stop};
        if (sl_sock_send(fd, bytes, size, extra, sl_test_random(&state) % 16 == 0 ? 2 : 0) !=
                SL_OK ||
            local_bed_recv(fd, reply, sizeof reply) == 0) {
            close(fd);
            t->raw[0] = 0;
            fd = -1;
        }
    }
    local_bed_expect_healthy(t->vg);
}

/* ---- tools ---- */

SLT_TEST_F(local, tells_tools_how_it_is, t)
{
    struct local_status_reply status;
    struct local_ring_reply ring;
    struct vg_res *res;
    local_bed_start(t, (struct local_server_options){0});
    local_bed_open(t, &t->vg);
    SLT_ASSERT_OK(local_bed_blob(t->vg, 8192, &res));
    SLT_ASSERT_OK(local_bed_echo(t->vg, ECHO_RING, res->id, 0, 0, 0));
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
    local_bed_start(t, (struct local_server_options){0});
    local_bed_open(t, &t->vg);
    SLT_ASSERT_OK(local_bed_echo(t->vg, ECHO_PACKET, 5, 1111, 0, 0)); /* nobody listens */
    SLT_ASSERT_OK(local_control_open(t->world.path, &t->control));
    SLT_ASSERT_OK(local_control_tap(t->control));
    SLT_EXPECT_RESULT(SL_ERR_TIMEOUT, local_control_packet(t->control, 0, &head, &packet, &reply));
    for (uint32_t i = 0; i < 1000; i++) {
        SLT_ASSERT_OK(local_bed_echo(t->vg, ECHO_PACKET, 5, 2088 + i, 0, 0));
        SLT_ASSERT_OK(
            local_control_packet(t->control, 20 * (int64_t)SL_NS_PER_S, &head, &packet, &reply));
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
    local_bed_start(t, (struct local_server_options){0});
    local_bed_open(t, &t->vg);
    SLT_ASSERT_OK(local_control_open(t->world.path, &t->control));
    SLT_ASSERT_OK(local_control_tap(t->control));
    uint64_t begin = sl_clock_ns();
    for (uint32_t i = 0; i < 4000; i++) {
        SLT_ASSERT_OK(local_bed_echo(t->vg, ECHO_PACKET, 5, i, 0, 0));
    }
    SLT_EXPECT_LT(sl_clock_ns() - begin, 40 * SL_NS_PER_S);
    struct local_packet head;
    const void *packet, *reply;
    while (local_control_packet(t->control, 0, &head, &packet, &reply) == SL_OK) {
    }
    SLT_ASSERT_OK(local_bed_echo(t->vg, ECHO_PACKET, 5, 1, 0, 0));
    SLT_ASSERT_OK(
        local_control_packet(t->control, 20 * (int64_t)SL_NS_PER_S, &head, &packet, &reply));
    SLT_EXPECT_EQ(4000u, head.head.serial + head.dropped); /* every packet is accounted for */
}

SLT_TEST_F(local, stops_tapping_when_the_last_tool_leaves, t)
{
    local_bed_start(t, (struct local_server_options){0});
    local_bed_open(t, &t->vg);
    SLT_ASSERT_OK(local_control_open(t->world.path, &t->control));
    SLT_ASSERT_OK(local_control_tap(t->control));
    local_control_close(t->control);
    t->control = NULL;
    local_bed_expect_healthy(t->vg);
    SLT_ASSERT_OK(local_bed_echo(t->vg, ECHO_PACKET, 5, 1, 0, 0));
    local_bed_expect_healthy(t->vg);
}
