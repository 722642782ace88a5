/* sluice screenshot: what a virtual machine shows, as a PNG. */
#include "tools/sluice/machine.h"
#include "tools/sluice/opt.h"
#include "tools/sluice/picture.h"
#include "tools/sluice/say.h"
#include "tools/sluice/verbs.h"
#include "transport/base/fd.h"
#include "transport/base/shm.h"
#include "transport/virtgpu/vgd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SHOT_OUTPUT, SHOT_DISPLAY, SHOT_CURSOR, SHOT_FORCE };

static const struct opt options[] = {
    [SHOT_OUTPUT] = {.name = "output",
                     .letter = 'o',
                     .kind = OPT_TEXT,
                     .value = "FILE",
                     .fallback = "screenshot.png",
                     .help = "write there; - is standard output"},
    [SHOT_DISPLAY] = {.name = "display",
                      .kind = OPT_NUMBER,
                      .value = "N",
                      .min = 0,
                      .max = VGD_SCANOUTS - 1,
                      .fallback = "0",
                      .help = "which one, counted from 0"},
    [SHOT_CURSOR] = {.name = "cursor", .help = "with the cursor drawn in"},
    [SHOT_FORCE] = {.name = "force", .help = "overwrite the file"},
};

static int say_no_picture(const char *path, uint32_t display,
                          const struct vhost_control_reply *reply)
{
    if (reply->result == SL_ERR_INVALID) {
        say_error("--display is %u, but the machine at %s has %u", display, path, reply->scanouts);
        return SLUICE_EXIT_USAGE;
    }
    if (reply->result == SL_ERR_NOTFOUND) {
        say_error("display %u of %s is dark: %s", display, path,
                  reply->connected ? "the guest shows nothing there yet"
                                   : "no virtual machine is connected");
        return SLUICE_EXIT_MISSING;
    }
    say_error("display %u of %s cannot be read: %s", display, path,
              sl_result_name((enum sl_result)reply->result));
    return SLUICE_EXIT_MISSING;
}

static int run(const struct opt_set *set)
{
    const char *path = set->args[0];
    struct vhost_control_request request = {.verb = VHOST_CONTROL_SHOT,
                                            .scanout_id = (uint32_t)opt_number(set, SHOT_DISPLAY),
                                            .on = opt_on(set, SHOT_CURSOR)};
    struct vhost_control_reply reply = {0};
    const struct picture_rules rules = {
        .force = opt_on(set, SHOT_FORCE), .inputs = set->args, .input_count = set->arg_count};
    int socket = -1;
    int fd = -1;
    int code = machine_connect(path, &socket);
    if (code == SLUICE_EXIT_OK) {
        code = machine_ask(socket, path, &request, &reply, &fd);
    }
    sl_fd_close(&socket);
    if (code == SLUICE_EXIT_OK && (reply.result != SL_OK || fd < 0)) {
        code = say_no_picture(path, request.scanout_id, &reply);
    }
    uint64_t size = (uint64_t)reply.width_px * reply.height_px * 4;
    void *pixels = NULL;
    if (code == SLUICE_EXIT_OK && sl_shm_map(fd, size, &pixels) != SL_OK) {
        say_error("%s: the picture cannot be mapped: %s", path, strerror(errno));
        code = SLUICE_EXIT_INTERNAL;
    }
    if (code == SLUICE_EXIT_OK) {
        code = picture_write(opt_text(set, SHOT_OUTPUT), &rules, pixels, reply.width_px,
                             reply.height_px);
        say_detail("%u x %u pixels", reply.width_px, reply.height_px);
    }
    sl_shm_unmap(pixels, size);
    sl_fd_close(&fd);
    return code;
}

const struct verb verb_screenshot = {
    .name = "screenshot",
    .summary = "what a virtual machine shows, as a PNG",
    .usage = "SOCKET",
    .about = "Writes what the guest of sluice device shows on a display now. SOCKET: as given to "
             "sluice device.",
    .example = "sluice screenshot --cursor -o console.png /tmp/gpu.sock",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_min = 1,
    .args_max = 1,
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_USAGE | 1u << SLUICE_EXIT_FILE |
             1u << SLUICE_EXIT_VERSION | 1u << SLUICE_EXIT_MISSING | 1u << SLUICE_EXIT_INTERNAL,
    .run = run,
};
