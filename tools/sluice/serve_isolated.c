#include "tools/sluice/serve_isolated.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/notify.h"
#include "tools/sluice/say.h"
#include "tools/sluice/workers.h"
#include "transport/local/local_server.h"

#include <stdio.h>
#include <sys/prctl.h>

/* Wishes are for one program's worker. */
static void on_tool(void *user, const char *text, char *reply, size_t size)
{
    (void)user;
    (void)text;
    snprintf(
        reply, size,
        "error %d each program there has a worker of its own; give SOCKET@PROCESS, sluice dump "
        "lists them",
        SLUICE_EXIT_USAGE);
}

/* With the server made; it outlives the workers. */
static int serve(struct workers *workers, struct local_server *server, int stop_fd, int status_fd)
{
    const char *driver;
    int code = SLUICE_EXIT_INTERNAL;
    workers_set_server(workers, server);
    enum sl_result result = workers_begin(workers, stop_fd, &driver, &code);
    if (result == SL_OK) {
        host_tell(status_fd, "ready %s", driver);
        say_detail("ready: %s", driver);
        notify_send("STATUS=draws on %s", driver);
        local_server_set_tool(server, on_tool, NULL);
        result = local_server_run(server, stop_fd);
        notify_send("STOPPING=1");
        code = result == SL_OK ? SLUICE_EXIT_OK : SLUICE_EXIT_INTERNAL;
    } else if (result == SL_ERR_CLOSED) { /* a signal came first */
        code = SLUICE_EXIT_OK;
    } else if (result != SL_ERR_UNSUPPORTED) {
        say_error("no worker could be started: %s; raise the limits of processes and open files",
                  sl_result_name(result));
        code = SLUICE_EXIT_MISSING;
    }
    workers_end(workers);
    if (code == SLUICE_EXIT_OK) {
        host_tell(status_fd, "ended %llu", (unsigned long long)workers_contexts_created(workers));
    }
    return code > 0 ? code : code == SLUICE_EXIT_OK ? SLUICE_EXIT_OK : SLUICE_EXIT_INTERNAL;
}

static int listen_and_serve(const struct host_options *options, struct workers *workers,
                            int stop_fd, int status_fd)
{
    struct local_server_options server_options = {
        .path = options->path,
        .any_user = options->any_user,
        .clients = options->clients,
        .clients_per_user = options->user_clients,
        .router = workers_router(workers),
    };
    struct local_server *server = NULL;
    enum sl_result result = local_server_create(&server_options, &server);
    if (result != SL_OK) {
        return host_cannot_listen(options->path, result);
    }
    host_listening(options, status_fd);
    int code = serve(workers, server, stop_fd, status_fd);
    local_server_destroy(server);
    return code;
}

int serve_isolated(const struct host_options *options, struct worker_command *command, int stop_fd,
                   int status_fd)
{
    const struct workers_options workers_options = {.start = worker_start_process,
                                                    .user = command,
                                                    .programs_per_user = options->user_programs,
                                                    .user_bytes = options->user_bytes};
    struct workers *workers = NULL;
    host_prepare();
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* no worker looks into us */
    int code = SLUICE_EXIT_MISSING;
    if (workers_create(&workers_options, &workers) == SL_OK) {
        code = listen_and_serve(options, workers, stop_fd, status_fd);
        workers_destroy(workers);
    } else {
        say_error("no descriptors for workers; raise the limit of open files");
    }
    if (code != SLUICE_EXIT_OK) {
        host_tell(status_fd, "failed %d", code);
    }
    return code;
}
