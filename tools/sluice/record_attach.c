#include "tools/sluice/record_attach.h"
#include "tools/sluice/connect.h"
#include "tools/sluice/host.h"
#include "tools/sluice/machine.h"
#include "tools/sluice/say.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS    50
#define PATIENT_NS (3 * SL_NS_PER_S) /* then we say that there is no snapshot yet */

/* A running host: one of the two. */
struct host_link {
    const char *path;
    struct local_control *control; /* nullable */
    int machine;                   /* -1: none */
};

static bool is_machine(const char *path)
{
    char control[LOCAL_TEXT];
    struct stat file;
    return snprintf(control, sizeof control, "%s" VHOST_CONTROL_SUFFIX, path) <
               (int)sizeof control &&
           stat(control, &file) == 0 && S_ISSOCK(file.st_mode);
}

static int link_open(struct host_link *link, const char *path)
{
    *link = (struct host_link){.path = path, .machine = -1};
    return is_machine(path) ? machine_connect(path, &link->machine)
                            : connect_host(path, &link->control);
}

static void link_close(struct host_link *link)
{
    local_control_close(link->control);
    sl_fd_close(&link->machine);
}

/* A wish and its answer. Returns an exit code; the reason was said. */
static int ask(struct host_link *link, const char *wish, char *reply, size_t size)
{
    enum sl_result result = link->control != NULL
                                ? local_control_tool(link->control, wish, reply, size)
                                : machine_ask_tool(link->machine, wish, reply, size);
    if (result == SL_ERR_INVALID) {
        say_error("%s: belongs to another user, who alone may record there", link->path);
        return SLUICE_EXIT_FILE;
    }
    if (result != SL_OK) {
        say_error("%s: the host does not answer: %s", link->path, sl_result_name(result));
        return SLUICE_EXIT_FILE;
    }
    if (strncmp(reply, "error ", 6) == 0) {
        char *text;
        int code = (int)strtol(reply + 6, &text, 10);
        say_error("%s:%s", link->path, text);
        return code > 0 && code < 128 ? code : SLUICE_EXIT_INTERNAL;
    }
    return SLUICE_EXIT_OK;
}

int record_stop(const char *socket, struct host_recorded *recorded)
{
    struct host_link link;
    char reply[LOCAL_TOOL_TEXT];
    int code = link_open(&link, socket);
    if (code == SLUICE_EXIT_OK) {
        code = ask(&link, "record stop", reply, sizeof reply);
    }
    link_close(&link);
    if (code == SLUICE_EXIT_OK && !host_record_take_line(recorded, reply)) {
        say_error("%s: nothing is being recorded there", socket);
        code = SLUICE_EXIT_USAGE;
    }
    return code;
}

/* Until it is over. reply: the host's last word. */
static int watch(struct host_link *link, int stop_fd, char *reply, size_t size)
{
    uint64_t begin = sl_clock_ns();
    bool was_said = false;
    for (;;) {
        struct pollfd item = {.fd = stop_fd, .events = POLLIN};
        bool ends = poll(&item, 1, LOOK_MS) > 0;
        int code = ask(link, ends ? "record stop" : "record status", reply, size);
        if (code != SLUICE_EXIT_OK || strncmp(reply, "recorded ", 9) == 0 ||
            strcmp(reply, "none") == 0) {
            return code;
        }
        if (strncmp(reply, "over ", 5) == 0) {
            return ask(link, "record stop", reply, size);
        }
        if (!was_said && strncmp(reply, "waiting ", 8) == 0 && sl_clock_ns() - begin > PATIENT_NS) {
            was_said = true;
            say_note("%s: its state could not be taken so far; it is tried again after each frame",
                     link->path);
        }
    }
}

int record_attach(const char *socket, const struct host_record *record,
                  struct host_recorded *recorded)
{
    struct host_link link;
    char wish[LOCAL_TOOL_TEXT], reply[LOCAL_TOOL_TEXT];
    int stop_fd = -1;
    if (!host_record_wish(record, wish, sizeof wish)) {
        say_error("--output is too long for a host to be asked");
        return SLUICE_EXIT_USAGE;
    }
    int code = host_open_ends(-1, &stop_fd);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    code = link_open(&link, socket);
    if (code == SLUICE_EXIT_OK) {
        code = ask(&link, wish, reply, sizeof reply);
    }
    if (code == SLUICE_EXIT_OK) {
        recorded->was_begun = true;
        code = watch(&link, stop_fd, reply, sizeof reply);
    }
    link_close(&link);
    sl_fd_close(&stop_fd);
    if (code == SLUICE_EXIT_OK && !host_record_take_line(recorded, reply)) {
        say_error("%s: the recording was ended by somebody who began another", socket);
        code = SLUICE_EXIT_FILE;
    }
    return code;
}
