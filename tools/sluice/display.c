/* sluice display: a virtual machine's displays, listed, plugged, resized. */
#include "tools/sluice/machine.h"
#include "tools/sluice/opt.h"
#include "tools/sluice/say.h"
#include "tools/sluice/verbs.h"
#include "transport/base/fd.h"
#include "transport/base/result.h"
#include "transport/virtgpu/vgd.h"

#include <stdio.h>

enum { DISPLAY_DISPLAY, DISPLAY_SIZE, DISPLAY_UNPLUG };

static const struct opt options[] = {
    [DISPLAY_DISPLAY] = {.name = "display",
                         .kind = OPT_NUMBER,
                         .value = "N",
                         .min = 0,
                         .max = VGD_SCANOUTS - 1,
                         .fallback = "0",
                         .help = "which one, counted from 0"},
    [DISPLAY_SIZE] = {.name = "size",
                      .kind = OPT_TEXT,
                      .value = "WxH",
                      .help = "plug it in with this size, in pixels"},
    [DISPLAY_UNPLUG] = {.name = "unplug", .help = "take it away"},
};

static int say_refused(const char *path, uint32_t display, const struct vhost_control_reply *reply)
{
    if (display >= reply->scanouts) {
        say_error("--display is %u, but the machine at %s has %u", display, path, reply->scanouts);
        return SLUICE_EXIT_USAGE;
    }
    say_error("display %u of %s: %s", display, path, sl_result_name((enum sl_result)reply->result));
    return SLUICE_EXIT_INTERNAL;
}

static int list(int socket, const char *path, bool json)
{
    struct vhost_control_reply reply = {0};
    uint32_t count = 1;
    for (uint32_t i = 0; i < count; i++) {
        struct vhost_control_request request = {.verb = VHOST_CONTROL_LIST, .scanout_id = i};
        int code = machine_ask(socket, path, &request, &reply, NULL);
        if (code != SLUICE_EXIT_OK) {
            return code;
        }
        count = reply.scanouts;
        if (json && i == 0) {
            printf("{\"schema\": 1, \"connected\": %s, \"displays\": [",
                   reply.connected ? "true" : "false");
        }
        if (count == 0) {
            break; /* a machine without displays */
        }
        if (json) {
            printf("%s{\"display\": %u, \"plugged\": %s, \"width\": %u, \"height\": %u}",
                   i != 0 ? ", " : "", i, reply.on ? "true" : "false", reply.width_px,
                   reply.height_px);
        } else {
            printf("%u  %ux%u  %s\n", i, reply.width_px, reply.height_px,
                   reply.on ? "plugged in" : "unplugged");
        }
    }
    if (json) {
        printf("]}\n");
    }
    return SLUICE_EXIT_OK;
}

static int plug(int socket, const char *path, struct vhost_control_request *request)
{
    struct vhost_control_reply reply = {0};
    int code = machine_ask(socket, path, request, &reply, NULL);
    if (code == SLUICE_EXIT_OK && reply.result != SL_OK) {
        code = say_refused(path, request->scanout_id, &reply);
    }
    return code;
}

static int run(const struct opt_set *set)
{
    const char *path = set->args[0];
    const char *size = opt_text(set, DISPLAY_SIZE);
    bool unplug = opt_on(set, DISPLAY_UNPLUG);
    struct vhost_control_request request = {.verb = VHOST_CONTROL_PLUG,
                                            .scanout_id =
                                                (uint32_t)opt_number(set, DISPLAY_DISPLAY),
                                            .on = !unplug};
    if (size != NULL && unplug) {
        say_error("--size and --unplug do not go together; give one of them");
        return SLUICE_EXIT_USAGE;
    }
    if (size != NULL && !device_size(size, &request.width_px, &request.height_px)) {
        return SLUICE_EXIT_USAGE;
    }
    int socket = -1;
    int code = machine_connect(path, &socket);
    if (code == SLUICE_EXIT_OK) {
        code = size != NULL || unplug ? plug(socket, path, &request)
                                      : list(socket, path, opt_common_on(set, COMMON_JSON));
    }
    sl_fd_close(&socket);
    return code;
}

const struct verb verb_display = {
    .name = "display",
    .summary = "list, plug and resize a virtual machine's displays",
    .usage = "SOCKET",
    .about = "Without --size or --unplug: lists the displays of sluice device, a line each. With "
             "them, the guest is told as by a cable.\n"
             "SOCKET: as given to sluice device.",
    .example = "sluice display --size 1920x1080 /tmp/gpu.sock",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_min = 1,
    .args_max = 1,
    .has_json = true,
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_USAGE | 1u << SLUICE_EXIT_FILE |
             1u << SLUICE_EXIT_VERSION | 1u << SLUICE_EXIT_INTERNAL,
    .run = run,
};
