#include "tools/sluice/connect.h"
#include "tools/sluice/calls.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#define SOCKET_NAME_MAX (sizeof((struct sockaddr_un *)0)->sun_path - 1)

static bool is_socket(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && S_ISSOCK(file.st_mode);
}

/* SOCKET@PROCESS, where there is no file of that whole name. */
static bool split(const char *path, char socket[PATH_MAX], uint32_t *process)
{
    const char *at = strrchr(path, '@');
    struct stat file;
    char *end;
    if (at == NULL || at[1] < '1' || at[1] > '9' || (size_t)(at - path) >= PATH_MAX ||
        stat(path, &file) == 0) {
        return false;
    }
    unsigned long number = strtoul(at + 1, &end, 10);
    memcpy(socket, path, (size_t)(at - path));
    socket[at - path] = '\0';
    *process = (uint32_t)number;
    return *end == '\0' && number <= INT32_MAX;
}

bool connect_is_socket(const char *path)
{
    char socket[PATH_MAX];
    uint32_t process;
    return is_socket(path) || (split(path, socket, &process) && is_socket(socket));
}

int connect_host(const char *path, struct local_control **out)
{
    char socket[PATH_MAX];
    uint32_t process;
    if (!split(path, socket, &process) || !is_socket(socket)) {
        return connect_server(path, out);
    }
    switch (local_control_open_worker(socket, process, out)) {
    case SL_OK:
        return SLUICE_EXIT_OK;
    case SL_ERR_NOTFOUND:
        say_error("%s: no worker there is process %u's; sluice dump %s lists the programs that "
                  "have one",
                  socket, process, socket);
        return SLUICE_EXIT_FILE;
    case SL_ERR_INVALID:
        say_error("%s: process %u is another user's, who alone may look at it", socket, process);
        return SLUICE_EXIT_FILE;
    default: /* nothing of the worker: the server says the same, or it is the worker that ended */
        break;
    }
    int code = connect_server(socket, out);
    if (code == SLUICE_EXIT_OK) {
        local_control_close(*out);
        say_error("%s: the worker of process %u has ended", socket, process);
        code = SLUICE_EXIT_LOST;
    }
    return code;
}

int connect_server(const char *path, struct local_control **out)
{
    struct stat file;
    if (stat(path, &file) == 0 && !S_ISSOCK(file.st_mode)) {
        say_error("%s: is no socket; give the one that sluice serve --socket listens at", path);
        return SLUICE_EXIT_FILE;
    }
    if (path[0] == '\0' || strlen(path) > SOCKET_NAME_MAX) {
        say_error("%s: a socket's name has 1 to %zu bytes; give another", path, SOCKET_NAME_MAX);
        return SLUICE_EXIT_FILE;
    }
    enum sl_result result = local_control_open(path, out);
    switch (result) {
    case SL_OK:
        return SLUICE_EXIT_OK;
    case SL_ERR_NOTFOUND:
        say_error("%s: there is no such socket; start sluice serve --socket there", path);
        return SLUICE_EXIT_FILE;
    case SL_ERR_CLOSED:
        say_error("%s: nobody serves it; start sluice serve --socket there", path);
        return SLUICE_EXIT_FILE;
    case SL_ERR_UNSUPPORTED:
        say_error("%s: speaks another version than %u; use host and tools of one build", path,
                  LOCAL_VERSION);
        return SLUICE_EXIT_VERSION;
    case SL_ERR_INVALID:
        say_error(
            "%s: does not take this user (serve with --any-user), or another program's socket "
            "(give that of sluice serve)",
            path);
        return SLUICE_EXIT_FILE;
    case SL_ERR_NOMEM:
        say_error("%s: %s; raise the limit of open files, or serve with more --clients", path,
                  sl_result_name(result));
        return SLUICE_EXIT_FILE;
    default:
        say_error("%s: %s; sluice doctor looks for the reason", path, sl_result_name(result));
        return SLUICE_EXIT_FILE;
    }
}

enum sl_result tap_begin(struct tap *tap, struct local_control *control, FILE *out)
{
    *tap = (struct tap){.control = control, .out = out};
    return local_control_tap(control);
}

static void print_packet(struct tap *tap, const struct local_packet *head, const void *packet,
                         const void *reply)
{
    if (head->dropped > tap->dropped) {
        fprintf(tap->out, "... %llu calls left out: the reader was too slow\n",
                (unsigned long long)(head->dropped - tap->dropped));
        tap->dropped = head->dropped;
    }
    fprintf(tap->out, "%u.%u ", head->ctx_id, head->ring_id);
    if (call_name(head->opcode) != NULL) {
        call_print_packet(head->opcode, packet, head->packet_sent, reply, head->reply_sent,
                          tap->out);
    } else {
        fprintf(tap->out, "opcode %u: %u bytes", head->opcode, head->packet_size);
    }
    fputc('\n', tap->out);
    tap->printed++;
}

enum sl_result tap_print(struct tap *tap, uint64_t limit, int64_t timeout_ns)
{
    for (uint64_t i = 0; i < limit; i++) {
        struct local_packet head;
        const void *packet = NULL, *reply = NULL;
        enum sl_result result =
            local_control_packet(tap->control, i == 0 ? timeout_ns : 0, &head, &packet, &reply);
        if (result != SL_OK) {
            return result == SL_ERR_TIMEOUT ? SL_OK : result;
        }
        print_packet(tap, &head, packet, reply);
    }
    return SL_OK;
}
