/* sluice serve: a host for every program that finds its socket. */
#include "tools/sluice/host.h"
#include "tools/sluice/host_options.h"
#include "tools/sluice/place.h"
#include "tools/sluice/say.h"
#include "tools/sluice/serve_isolated.h"
#include "tools/sluice/verbs.h"
#include "tools/sluice/worker.h"

#include <stdio.h>
#include <unistd.h>

enum {
    SERVE_SOCKET,
    SERVE_ANY_USER,
    SERVE_ISOLATE,
    SERVE_WORKER_MEMORY,
    SERVE_WORKER_FD,
    SERVE_CLIENTS,
    SERVE_USER_CLIENTS,
    SERVE_USER_PROGRAMS,
    SERVE_USER_MEMORY,
    SERVE_TRUST,
    SERVE_SHADER_BYTES,
    SERVE_STATUS_FD,
    SERVE_HOST
};

static const struct opt options[] = {
    [SERVE_SOCKET] =
        {.name = "socket",
         .letter = 's',
         .kind = OPT_TEXT,
         .value = "PATH",
         .help = "listen there; default $XDG_RUNTIME_DIR/sluice.sock, else /tmp/sluice-UID.sock"},
    [SERVE_ANY_USER] = {.name = "any-user", .help = "serve other users' programs too"},
    [SERVE_ISOLATE] = {.name = "isolate",
                       .help = "a process of its own for each program; default with --any-user"},
    [SERVE_WORKER_MEMORY] =
        {.name = "worker-memory",
         .kind = OPT_NUMBER,
         .value = "BYTES",
         .max = (uint64_t)1 << 40,
         .fallback = "8G",
         .help = "most memory that such a process may take for itself; 0: no limit"},
    [SERVE_WORKER_FD] = {.name = "worker-fd",
                         .kind = OPT_NUMBER,
                         .value = "N",
                         .min = 3,
                         .max = 1048575,
                         .help = "be such a process: its server's socket; servers start them"},
    [SERVE_CLIENTS] = {.name = "clients",
                       .kind = OPT_NUMBER,
                       .value = "N",
                       .min = 1,
                       .max = 65536,
                       .fallback = "4096",
                       .help = "most connections at once"},
    [SERVE_USER_CLIENTS] = {.name = "user-clients",
                            .kind = OPT_NUMBER,
                            .value = "N",
                            .min = 1,
                            .max = 65536,
                            .fallback = "1024",
                            .help = "most connections of one other user; yours and root's count to "
                                    "--clients alone"},
    [SERVE_USER_PROGRAMS] = {.name = "user-programs",
                             .kind = OPT_NUMBER,
                             .value = "N",
                             .min = 1,
                             .max = 65536,
                             .fallback = "64",
                             .help = "most programs, and so workers, of such a user; with "
                                     "--isolate"},
    [SERVE_USER_MEMORY] = {.name = "user-memory",
                           .kind = OPT_NUMBER,
                           .value = "BYTES",
                           .min = 1u << 20,
                           .max = (uint64_t)1 << 40,
                           .fallback = "2G",
                           .help = "most memory of such a user's programs; with --isolate, who has "
                                   "more gets no further one"},
    [SERVE_TRUST] = HOST_TRUST,
    [SERVE_SHADER_BYTES] = HOST_SHADER_BYTES,
    [SERVE_STATUS_FD] =
        {.name = "status-fd",
         .kind = OPT_NUMBER,
         .value = "N",
         .min = 0,
         .max = 1048575,
         .help = "write \"listening\", \"ready DRIVER\", \"ended CONTEXTS\" there, a line each"},
    HOST_OPTION_LIST(SERVE_HOST),
};

static int be_worker(const struct opt_set *set, struct host_options *host)
{
    struct worker_host worker;
    int stop_fd = -1;
    int code = worker_begin(&worker, (int)opt_number(set, SERVE_WORKER_FD),
                            opt_number(set, SERVE_WORKER_MEMORY), !opt_on(set, SERVE_TRUST));
    if (code == SLUICE_EXIT_OK) {
        code = host_open_ends(-1, &stop_fd);
    }
    if (code == SLUICE_EXIT_OK) {
        host->worker = &worker;
        code = host_serve(host, stop_fd, -1);
    }
    fflush(NULL);
    _exit(code); /* a driver's exit handlers are not worth waiting for */
}

/* What its workers need not hear. */
static const int server_alone[] = {SERVE_SOCKET,        SERVE_ISOLATE,     SERVE_STATUS_FD,
                                   SERVE_USER_PROGRAMS, SERVE_USER_MEMORY, -1};

static int serve(const struct opt_set *set, const struct host_options *host, bool is_isolated,
                 int stop_fd, int status_fd)
{
    if (!is_isolated) {
        return host_serve(host, stop_fd, status_fd);
    }
    struct worker_command command;
    if (worker_command_make(&command, set, server_alone) != SL_OK) {
        say_error("no memory for the server");
        return SLUICE_EXIT_INTERNAL;
    }
    int code = serve_isolated(host, &command, stop_fd, status_fd);
    worker_command_free(&command);
    return code;
}

static int run(const struct opt_set *set)
{
    char place[PATH_MAX];
    place_socket(place);
    struct host_options host = {
        .path = opt_text(set, SERVE_SOCKET) != NULL ? opt_text(set, SERVE_SOCKET) : place,
        .any_user = opt_on(set, SERVE_ANY_USER),
        .clients = (uint32_t)opt_number(set, SERVE_CLIENTS),
        .user_clients = (uint32_t)opt_number(set, SERVE_USER_CLIENTS),
        .user_programs = (uint32_t)opt_number(set, SERVE_USER_PROGRAMS),
        .user_bytes = opt_number(set, SERVE_USER_MEMORY),
        .is_found = opt_text(set, SERVE_WORKER_FD) == NULL,
    };
    host_options_read(set, SERVE_HOST, &host);
    if (!opt_on(set, SERVE_TRUST)) { /* the user's own programs could look at the host anyway */
        host_options_check_shaders(&host, opt_number(set, SERVE_SHADER_BYTES));
        host.device.hides_addresses = host.any_user;
    }
    if (opt_text(set, SERVE_WORKER_FD) != NULL) {
        return be_worker(set, &host);
    }
    bool is_isolated = set->values[SERVE_ISOLATE].source == OPT_FROM_DEFAULT
                           ? host.any_user
                           : opt_on(set, SERVE_ISOLATE);
    int status_fd =
        opt_text(set, SERVE_STATUS_FD) != NULL ? (int)opt_number(set, SERVE_STATUS_FD) : -1;
    int stop_fd = -1;
    int ready = host_open_ends(status_fd, &stop_fd);
    if (ready != SLUICE_EXIT_OK) {
        return ready;
    }
    int code = serve(set, &host, is_isolated, stop_fd, status_fd);
    close(stop_fd);
    return code;
}

const struct verb verb_serve = {
    .name = "serve",
    .summary = "serve many programs from one host process",
    .usage = "",
    .about =
        "Listens on a local socket and draws for every program that connects, until it gets "
        "SIGINT, SIGTERM or SIGHUP.\n"
        "Programs connect at once and wait while the native driver is being loaded.\n"
        "With --isolate each program has a process of its own, a worker: a driver that crashes or "
        "hangs takes that program alone,\n"
        "and waits more and more often for the next worker. Tools name it SOCKET@PROCESS "
        "(sluice dump lists them).\n"
        "Otherwise programs are in one process with each other. Shaders are checked before the "
        "driver sees them.\n"
        "With --any-user a driver of the CPU gives nobody device addresses, which are the host's "
        "own. --trust leaves both out,\n"
        "and lets workers reach other processes.",
    .example = "sluice serve --socket /tmp/s.sock   # then: sluice run --socket /tmp/s.sock -- "
               "es2gears_x11",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_USAGE | 1u << SLUICE_EXIT_FILE |
             1u << SLUICE_EXIT_MISSING | 1u << SLUICE_EXIT_INTERNAL,
    .copies = true,
    .run = run,
};
