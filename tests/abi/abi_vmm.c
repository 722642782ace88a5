/* A virtual machine monitor without a machine: the local socket in front of libgfxstream_backend.
 *
 * usage: abi_vmm SOCKET [FLAGS [FEATURES]]
 * Says "up" when the renderer is there, serves programs until it reads a line, and says "down";
 * then the same again with a new renderer, until its input ends. FLAGS: of stream_renderer_init, as
 * 0x70.
 */
#include "tests/support/vgd_abi.h"
#include "transport/base/fd.h"
#include "transport/local/local_server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define FLAGS 0x79 /* EGL, surfaceless, GLES, Vulkan, external blobs */

struct life {
    int stop;
    bool ended; /* the input is */
};

static void *read_line(void *user)
{
    struct life *life = user;
    int c;
    do {
        c = getchar();
    } while (c != EOF && c != '\n');
    life->ended = c == EOF;
    sl_fd_signal(life->stop);
    return NULL;
}

static enum sl_result live(const char *path, const struct vgd_abi_options *options, bool *ended)
{
    struct local_server *server = NULL;
    struct vgd *device = NULL;
    struct life life = {.stop = -1};
    pthread_t reader;
    enum sl_result r = local_server_create(&(struct local_server_options){.path = path}, &server);
    if (r != SL_OK) {
        return r;
    }
    struct vgd_sink sink = local_server_sink(server);
    r = vgd_abi_create(options, &sink, &device);
    if (r == SL_OK) {
        r = sl_fd_event(&life.stop);
    }
    if (r == SL_OK && pthread_create(&reader, NULL, read_line, &life) == 0) {
        local_server_set_device(server, device);
        printf("up\n");
        fflush(stdout);
        r = local_server_run(server, life.stop);
        pthread_join(reader, NULL);
    }
    if (device != NULL) {
        device->ops->destroy(device);
    }
    local_server_destroy(server);
    sl_fd_close(&life.stop);
    *ended = life.ended;
    printf("down\n");
    fflush(stdout);
    return r;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: abi_vmm SOCKET [FLAGS [FEATURES]]\n");
        return 2;
    }
    const struct vgd_abi_options options = {.flags = argc > 2 ? strtoull(argv[2], NULL, 0) : FLAGS,
                                            .features = argc > 3 ? argv[3] : NULL};
    enum sl_result r = SL_OK;
    for (bool ended = false; !ended && r == SL_OK;) {
        r = live(argv[1], &options, &ended);
    }
    return r == SL_OK ? 0 : 1;
}
