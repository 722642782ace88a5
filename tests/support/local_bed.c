#include "tests/support/local_bed.h"

#include "tests/support/echo_type.h"
#include "tests/support/slt.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/sock.h"
#include "transport/local/local_link.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct hct_type *const types[] = {&echo_type, &echo_tex_type, NULL};

void local_bed_end_child(struct local_bed *t)
{
    if (t->child > 0) {
        kill(t->child, SIGKILL);
        waitpid(t->child, NULL, 0);
        t->child = 0;
    }
}

void local_bed_finish(struct local_bed *t)
{
    local_bed_end_child(t);
    for (uint32_t i = 0; i < LOCAL_BED_RAW; i++) {
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

void local_bed_start(struct local_bed *t, struct local_server_options options)
{
    SLT_ASSERT_OK(world_start(&t->world, &(struct world_config){.backend = WORLD_LOCAL,
                                                                .types = types,
                                                                .server = options,
                                                                .directory = SLT_TMPDIR()}));
}

void local_bed_open(struct local_bed *t, struct vg **vg)
{
    SLT_ASSERT_OK(world_open(&t->world, vg));
    SLT_ASSERT_OK((*vg)->ops->context_init(*vg, ECHO_CAPSET, 4, "test"));
}

enum sl_result local_bed_blob(struct vg *vg, uint64_t size, struct vg_res **out)
{
    return vg_blob_create(vg,
                          &(struct vg_blob_args){.mem = VIRTGPU_BLOB_HOST3D,
                                                 .flags = VIRTGPU_BLOB_MAPPABLE,
                                                 .size = size},
                          out);
}

enum sl_result local_bed_echo(struct vg *vg, uint32_t opcode, uint32_t a, uint32_t b, uint32_t c,
                              uint32_t d)
{
    struct echo_command command = {opcode, a, b, c, d};
    return vg_submit(vg, &(struct vg_submit_args){.commands = &command,
                                                  .size = sizeof command,
                                                  .ring = VIRTGPU_RING_GLOBAL,
                                                  .in_fence = -1});
}

void local_bed_expect_healthy(struct vg *vg)
{
    struct vg_res *res;
    void *p;
    SLT_ASSERT_TRUE(vg->ops->alive(vg));
    SLT_ASSERT_OK(local_bed_blob(vg, 4096, &res));
    SLT_EXPECT_OK(vg_res_map(res, &p));
    SLT_EXPECT_OK(local_bed_echo(vg, ECHO_FILL, res->id, 0, 4096, 0x77));
    SLT_EXPECT_EQ(0x77, ((uint8_t *)p)[4095]);
    vg_res_destroy(res);
}

int local_bed_connect(struct local_bed *t, uint32_t index)
{
    int fd;
    SLT_ASSERT_OK(sl_sock_connect(t->world.path, &fd));
    t->raw[index] = fd + 1;
    return fd;
}

size_t local_bed_recv(int fd, void *data, size_t capacity)
{
    int fds[SL_SOCK_MAX_FDS];
    uint32_t count = 0;
    size_t size = 0;
    if (sl_fd_wait(fd, 20 * (int64_t)SL_NS_PER_S) != SL_OK ||
        sl_sock_recv(fd, data, capacity, &size, fds, &count) != SL_OK) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        close(fds[i]);
    }
    return size;
}

void local_bed_hello(int fd)
{
    struct local_hello hello = {.head = {LOCAL_HELLO, 1},
                                .magic = LOCAL_MAGIC,
                                .version = LOCAL_VERSION,
                                .kind = LOCAL_KIND_CLIENT};
    struct local_hello_reply reply = {0};
    SLT_ASSERT_OK(sl_sock_send(fd, &hello, sizeof hello, NULL, 0));
    SLT_ASSERT_EQ(sizeof reply, local_bed_recv(fd, &reply, sizeof reply));
    SLT_ASSERT_EQ(0, reply.head.result);
}

uint32_t local_bed_descriptors(void)
{
    uint32_t count = 0;
    for (int fd = 0; fd < 4096; fd++) {
        count += fcntl(fd, F_GETFD) != -1;
    }
    return count;
}
