/* sluice device: the GPU of one virtual machine, over vhost-user. */
#include "host/device/device.h"
#include "tools/sluice/host_options.h"
#include "tools/sluice/notify.h"
#include "tools/sluice/say.h"
#include "tools/sluice/verbs.h"
#include "tools/sluice/window.h"
#include "transport/vhost/vhost.h"
#include "transport/vhost/vhost_control_wire.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TYPES_MAX 16u

enum {
    DEVICE_SOCKET,
    DEVICE_TYPES,
    DEVICE_DISPLAYS,
    DEVICE_SIZE,
    DEVICE_WINDOW,
    DEVICE_HOST_VISIBLE,
    DEVICE_TRUST,
    DEVICE_SHADER_BYTES,
    DEVICE_STATUS_FD,
    DEVICE_HOST
};

static const struct opt options[] = {
    [DEVICE_SOCKET] = {.name = "socket",
                       .letter = 's',
                       .kind = OPT_TEXT,
                       .value = "PATH",
                       .help = "listen there for the virtual machine; tools at PATH.control"},
    [DEVICE_TYPES] = {.name = "types",
                      .kind = OPT_TEXT,
                      .value = "LIST",
                      .help = "context types to offer, with commas between; default all"},
    [DEVICE_DISPLAYS] = {.name = "displays",
                         .kind = OPT_NUMBER,
                         .value = "N",
                         .min = 0,
                         .max = VGD_SCANOUTS,
                         .fallback = "1",
                         .help = "displays that the guest has"},
    [DEVICE_SIZE] = {.name = "size",
                     .kind = OPT_TEXT,
                     .value = "WxH",
                     .fallback = "1280x800",
                     .help = "of each display, in pixels"},
    [DEVICE_WINDOW] = {.name = "window",
                       .letter = 'w',
                       .help = "show each display in a window; resizing it resizes the display, "
                               "closing it ends the device"},
    [DEVICE_HOST_VISIBLE] = {.name = "host-visible",
                             .kind = OPT_NUMBER,
                             .value = "BYTES",
                             .min = 1u << 20,
                             .max = (uint64_t)1 << 40,
                             .fallback = "4G",
                             .help = "room for host memory that the guest maps; a power of two"},
    [DEVICE_TRUST] = HOST_TRUST,
    [DEVICE_SHADER_BYTES] = HOST_SHADER_BYTES,
    [DEVICE_STATUS_FD] = {.name = "status-fd",
                          .kind = OPT_NUMBER,
                          .value = "N",
                          .min = 0,
                          .max = 1048575,
                          .help = "write \"listening\", \"ready DRIVER\", \"ended\" there, a line "
                                  "each"},
    HOST_OPTION_LIST(DEVICE_HOST),
};

/* The types that --types names, in the order of host/types.def. False: the reason is said. */
static bool choose_types(const char *list, const struct hct_type *chosen[TYPES_MAX + 1])
{
    size_t count = 0;
    size_t known = 0;
    char names[256] = "";
    for (; dev_all_types[known] != NULL && known < TYPES_MAX; known++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", known != 0 ? ", " : "",
                 dev_all_types[known]->name);
    }
    bool named[TYPES_MAX] = {false};
    for (const char *at = list; at != NULL;) {
        size_t length = strcspn(at, ",");
        size_t i = 0;
        while (i < known && (strncmp(dev_all_types[i]->name, at, length) != 0 ||
                             dev_all_types[i]->name[length] != '\0')) {
            i++;
        }
        if (i == known) {
            say_error("--types is '%s', but there is no type '%.*s'; there are %s", list,
                      (int)length, at, names);
            return false;
        }
        named[i] = true;
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    for (size_t i = 0; i < known; i++) {
        if (list == NULL || named[i]) {
            chosen[count++] = dev_all_types[i];
        }
    }
    chosen[count] = NULL;
    return true;
}

bool device_size(const char *text, uint32_t *width_px, uint32_t *height_px)
{
    unsigned width, height;
    char end;
    if (sscanf(text, "%5ux%5u%c", &width, &height, &end) != 2 || width < VHOST_SIDE_MIN_PX ||
        width > VHOST_SIDE_MAX_PX || height < VHOST_SIDE_MIN_PX || height > VHOST_SIDE_MAX_PX) {
        say_error("--size is '%s'; it must be like 1280x800, each side from %u to %u", text,
                  VHOST_SIDE_MIN_PX, VHOST_SIDE_MAX_PX);
        return false;
    }
    *width_px = width;
    *height_px = height;
    return true;
}

static int serve(struct vhost_server *server, const struct hct_type *const *types,
                 const struct host_options *host, int stop_fd, int status_fd)
{
    struct vgd_sink front = vhost_server_sink(server);
    struct dev_limits limits = {.resource_bytes = host->resource_bytes};
    struct host_recorder tools = {.status_fd = -1};
    struct vgd *device = NULL;
    int code = host_make_recorded(types, &host->device, &limits, &front, &tools.recorder, &device);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    host_ready(device, status_fd, true);
    tools.device = device;
    vhost_server_set_device(server, device);
    vhost_server_set_tool(server, host_record_tool, &tools);
    enum sl_result result = vhost_server_run(server, stop_fd);
    notify_send("STOPPING=1");
    host_record_end(&tools, CAP_END_PROGRAM);
    device->ops->destroy(device);
    host_record_finish(&tools);
    return result == SL_OK ? SLUICE_EXIT_OK : SLUICE_EXIT_INTERNAL;
}

/* Takes window, nullable: it goes before the server that it asks. */
static int listen_and_serve(const struct vhost_server_options *server_options,
                            const struct hct_type *const *types, const struct host_options *host,
                            struct window *window, int stop_fd, int status_fd)
{
    struct vhost_server *server = NULL;
    enum sl_result result = vhost_server_create(server_options, &server);
    if (result != SL_OK) {
        window_close(window);
        return host_cannot_listen(server_options->path, result);
    }
    if (window != NULL) {
        window_set_server(window, server);
    }
    host_tell(status_fd, "listening");
    notify_send("READY=1");
    say_note("the virtual machine's GPU is at %s; qemu: -chardev socket,id=gpu,path=... -device "
             "vhost-user-test-device-pci,chardev=gpu,virtio-id=16,num_vqs=2,vq_size=256,"
             "config_size=16",
             server_options->path);
    int code = serve(server, types, host, stop_fd, status_fd);
    window_close(window);
    vhost_server_destroy(server);
    return code;
}

/* The windows that --window asks for; NULL without it. Returns an exit code. */
static int open_window(const struct opt_set *set, struct vhost_server_options *server,
                       struct window **out)
{
    uint32_t displays = (uint32_t)opt_number(set, DEVICE_DISPLAYS);
    *out = NULL;
    if (!opt_on(set, DEVICE_WINDOW)) {
        return SLUICE_EXIT_OK;
    }
    if (displays == 0) {
        say_error("--window needs a display, and --displays is 0; leave one of them out");
        return SLUICE_EXIT_USAGE;
    }
    int code = window_open(server->path, displays, server->width_px, server->height_px, out);
    if (code == SLUICE_EXIT_OK) {
        server->display = window_display(*out);
    }
    return code;
}

static int run(const struct opt_set *set)
{
    struct host_options host = {.path = opt_text(set, DEVICE_SOCKET)};
    host_options_read(set, DEVICE_HOST, &host);
    if (!opt_on(set, DEVICE_TRUST)) {
        host_options_check_shaders(&host, opt_number(set, DEVICE_SHADER_BYTES));
        host.device.hides_addresses = true;
    }
    const struct hct_type *types[TYPES_MAX + 1];
    char control[PATH_MAX];
    struct vhost_server_options server = {
        .path = host.path,
        .control_path = control,
        .scanouts = opt_number(set, DEVICE_DISPLAYS) != 0
                        ? (uint32_t)opt_number(set, DEVICE_DISPLAYS)
                        : UINT32_MAX,
        .window_size = opt_number(set, DEVICE_HOST_VISIBLE),
    };
    if (host.path == NULL) {
        say_error("--socket is missing; name the socket that the virtual machine connects to");
        return SLUICE_EXIT_USAGE;
    }
    if ((server.window_size & (server.window_size - 1)) != 0) {
        say_error("--host-visible is %llu, which is no power of two; take 1G, 2G, 4G ...",
                  (unsigned long long)server.window_size);
        return SLUICE_EXIT_USAGE;
    }
    if (!choose_types(opt_text(set, DEVICE_TYPES), types) ||
        !device_size(opt_text(set, DEVICE_SIZE), &server.width_px, &server.height_px)) {
        return SLUICE_EXIT_USAGE;
    }
    snprintf(control, sizeof control, "%s" VHOST_CONTROL_SUFFIX, host.path);
    int status_fd =
        opt_text(set, DEVICE_STATUS_FD) != NULL ? (int)opt_number(set, DEVICE_STATUS_FD) : -1;
    int stop_fd = -1;
    int ready = host_open_ends(status_fd, &stop_fd);
    if (ready != SLUICE_EXIT_OK) {
        return ready;
    }
    host_prepare();
    struct window *window;
    int code = open_window(set, &server, &window);
    if (code == SLUICE_EXIT_OK) {
        code = listen_and_serve(&server, types, &host, window, stop_fd, status_fd);
    }
    if (code == SLUICE_EXIT_OK) {
        host_tell(status_fd, "ended");
    } else {
        host_tell(status_fd, "failed %d", code);
    }
    close(stop_fd);
    return code;
}

const struct verb verb_device = {
    .name = "device",
    .summary = "be the GPU of a virtual machine, over vhost-user",
    .usage = "",
    .about = "Is the virtio-gpu device of one virtual machine at a time (QEMU from 11.1 on, "
             "crosvm) until it gets SIGINT, SIGTERM or SIGHUP.\n"
             "The guest's memory must be shared: -object memory-backend-memfd,share=on. When the "
             "machine goes, the next may connect.\n"
             "Shaders are checked before the driver sees them, and a driver of the CPU "
             "gives nobody device\n"
             "addresses, which are the host's own. --trust leaves both out.",
    .example = "sluice device --socket /tmp/gpu.sock --size 1920x1080",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_USAGE | 1u << SLUICE_EXIT_FILE |
             1u << SLUICE_EXIT_MISSING | 1u << SLUICE_EXIT_INTERNAL,
    .copies = true,
    .run = run,
};
