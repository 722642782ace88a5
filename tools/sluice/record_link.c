#include "tools/sluice/record_link.h"
#include "tools/sluice/connect.h"
#include "tools/sluice/machine.h"
#include "tools/sluice/say.h"
#include "transport/base/fd.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_machine(const char *path)
{
    char control[LOCAL_TEXT];
    struct stat file;
    return snprintf(control, sizeof control, "%s" VHOST_CONTROL_SUFFIX, path) <
               (int)sizeof control &&
           stat(control, &file) == 0 && S_ISSOCK(file.st_mode);
}

int record_link_open(struct record_link *link, const char *path)
{
    *link = (struct record_link){.path = path, .machine = -1};
    return is_machine(path) ? machine_connect(path, &link->machine)
                            : connect_host(path, &link->control);
}

void record_link_close(struct record_link *link)
{
    local_control_close(link->control);
    sl_fd_close(&link->machine);
}

int record_link_ask(struct record_link *link, const char *wish, bool is_quiet, char *reply,
                    size_t size)
{
    enum sl_result result = link->control != NULL
                                ? local_control_tool(link->control, wish, reply, size)
                                : machine_ask_tool(link->machine, wish, reply, size);
    if (result == SL_ERR_INVALID) {
        say_error("%s: belongs to another user, who alone may record there", link->path);
        return SLUICE_EXIT_FILE;
    }
    if (result != SL_OK && is_quiet) {
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
