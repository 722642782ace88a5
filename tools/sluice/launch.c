#include "tools/sluice/launch.h"

#include "tools/sluice/connect.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/host.h"
#include "tools/sluice/maps.h"
#include "tools/sluice/place.h"
#include "tools/sluice/probe.h"
#include "tools/sluice/program.h"
#include "tools/sluice/say.h"
#include "tools/sluice/x_server.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST_PATIENCE ((int64_t)(30 * SL_NS_PER_S))
#define ASK_SECONDS   30u

struct run {
    const struct launch *launch;
    struct program program;
    struct host_process host;      /* pid 0: a host of somebody else's */
    struct local_control *control; /* to a host of somebody else's; nullable */
    struct local_control *tapped;  /* brings the calls of --print; nullable */
    struct tap tap;
    uint64_t contexts_before; /* on the host, when the program starts */
    bool zink_on_cpu;
    char socket[LOCAL_TEXT];
    char vendor_file[PATH_MAX];
    char icd_file[PATH_MAX];
    char other_driver[128]; /* empty: none seen */
    bool asked_to_end;      /* by us: that it ended so is no failure */
};

/* It ended with its own line about it, which needs no second one. */
static bool host_said_why(const struct host_process *host)
{
    return host->state == HOST_FAILED &&
           (host->exit_code == SLUICE_EXIT_FILE || host->exit_code == SLUICE_EXIT_MISSING ||
            host->exit_code == SLUICE_EXIT_USAGE);
}

static void on_told(void *user, const char *line)
{
    record_session_line(user, line);
}

/* A host is there, or its reason was said. */
static bool get_private_host(struct run *run)
{
    struct host_options options = run->launch->host;
    if (run->launch->session != NULL) {
        options.told = on_told;
        options.told_user = run->launch->session;
    }
    if (host_start(&run->host, &options) != SL_OK) {
        return false;
    }
    enum sl_result result = host_wait(&run->host, HOST_LISTENING, HOST_PATIENCE);
    if (result != SL_OK) {
        if (!host_said_why(&run->host)) {
            say_error("the private host did not start: %s; sluice doctor looks for the reason",
                      sl_result_name(result));
        }
        return false;
    }
    snprintf(run->socket, sizeof run->socket, "%s", run->host.path);
    return run->launch->session == NULL ||
           record_session_begin(run->launch->session, run->socket) == SLUICE_EXIT_OK;
}

static bool get_running_host(struct run *run, const char *path)
{
    struct local_status_reply status;
    if (connect_server(path, &run->control) != SLUICE_EXIT_OK) {
        return false;
    }
    enum sl_result result = local_control_status(run->control, &status);
    if (result != SL_OK) {
        say_error("%s: the host does not answer: %s", path, sl_result_name(result));
        return false;
    }
    run->contexts_before = status.contexts_created;
    char *full = realpath(path, NULL); /* the program may change its directory */
    snprintf(run->socket, sizeof run->socket, "%s", full != NULL ? full : path);
    free(full);
    return true;
}

/* The calls of --print. They come from the whole host: with --socket from all its programs. */
static bool begin_print(struct run *run)
{
    if (run->host.pid > 0) { /* it answers once its driver is loaded */
        enum sl_result result = host_wait(&run->host, HOST_READY, HOST_PATIENCE);
        if (result != SL_OK) {
            if (!host_said_why(&run->host)) {
                say_error("the private host did not get ready: %s; sluice doctor looks for the "
                          "reason",
                          sl_result_name(result));
            }
            return false;
        }
    }
    if (connect_server(run->socket, &run->tapped) != SLUICE_EXIT_OK) {
        return false;
    }
    enum sl_result result = tap_begin(&run->tap, run->tapped, say_stream());
    if (result != SL_OK) {
        say_error("the calls cannot be had: %s%s", sl_result_name(result),
                  result == SL_ERR_UNSUPPORTED ? "; each program there has a worker of its own: "
                                                 "sluice dump --print SOCKET@PROCESS"
                                               : "");
        return false;
    }
    return true;
}

static void print_waiting(struct run *run)
{
    if (run->tapped != NULL && tap_print(&run->tap, 1000, 0) != SL_OK) {
        local_control_close(run->tapped);
        run->tapped = NULL;
    }
}

#define SETTINGS 8

/* guest/egl's. */
#define ASYNC_ERRORS "SLUICE_ASYNC_ERRORS"

/* What differs in the program's environment. */
static void fill_settings(const struct run *run, struct program_setting settings[SETTINGS])
{
    bool zink = run->launch->zink;
    const struct program_setting all[SETTINGS] = {
        {"SLUICE_SOCKET", run->socket},
        {ASYNC_ERRORS, run->launch->async_errors ? "1" : getenv(ASYNC_ERRORS)},
        /* Nobody else may be picked: Vulkan sees our driver alone (older loaders know the second
         * name), EGL our vendor, GLX a vendor that does not exist. */
        {"VK_DRIVER_FILES", run->icd_file},
        {"VK_ICD_FILENAMES", run->icd_file},
        {"__EGL_VENDOR_LIBRARY_FILENAMES", zink ? NULL : run->vendor_file},
        {"__GLX_VENDOR_LIBRARY_NAME", zink ? "mesa" : "sluice"},
        {zink ? "MESA_LOADER_DRIVER_OVERRIDE" : NULL, "zink"},
        {run->zink_on_cpu ? ZINK_ON_CPU : NULL, "1"},
    };
    memcpy(settings, all, sizeof all);
}

/* Whether Zink has to be told that a CPU will do. What asking makes on the host is not the
 * program's. False: the reason was said. */
static bool ask_for_zink(struct run *run)
{
    if (getenv(ZINK_ON_CPU) != NULL) {
        return true;
    }
    struct program_setting settings[SETTINGS + 1] = {{NULL, NULL}};
    fill_settings(run, settings);
    run->zink_on_cpu = program_ask(settings, probe_vulkan_is_cpu, ASK_SECONDS);
    say_detail("the host's device is %s", run->zink_on_cpu ? "a CPU: " ZINK_ON_CPU "=1" : "no CPU");
    struct local_control *control = run->control;
    struct local_status_reply status;
    if (control == NULL && connect_server(run->socket, &control) != SLUICE_EXIT_OK) {
        return false;
    }
    enum sl_result result = local_control_status(control, &status);
    if (result == SL_OK) {
        run->contexts_before = status.contexts_created;
    } else {
        say_error("%s: the host does not answer: %s", run->socket, sl_result_name(result));
    }
    if (control != run->control) {
        local_control_close(control);
    }
    return result == SL_OK;
}

static int say_missing(const char *name)
{
    say_error("%s: no such program; give a path or a name on PATH", name);
    return SLUICE_EXIT_NOT_FOUND;
}

/* Starts it; returns 0 or the exit code that says why not. */
static int start_program(struct run *run)
{
    struct program_setting settings[SETTINGS + 1] = {{NULL, NULL}};
    fill_settings(run, settings);
    char *const *argv = run->launch->argv;
    switch (program_start(&run->program, argv, settings)) {
    case SL_OK:
        return 0;
    case SL_ERR_NOTFOUND:
        return say_missing(argv[0]);
    case SL_ERR_IO:
        say_error("%s: cannot be executed: %s", argv[0], strerror(errno));
        return SLUICE_EXIT_CANNOT_EXECUTE;
    default:
        say_error("%s: no process for it: too many processes or open files", argv[0]);
        return SLUICE_EXIT_NOT_THROUGH_US;
    }
}

/* Until the program ended: its signals, the host's status, and now and then a look at what it has
 * mapped. */
static void attend(struct run *run)
{
    static const int look_after_ms[] = {20, 80, 400, 1000};
    size_t look = 0;
    struct record_session *session = run->launch->session;
    while (!run->program.ended) {
        struct pollfd items[] = {
            {.fd = session != NULL ? session->signal_fd : -1, .events = POLLIN},
            {.fd = session != NULL ? session->key_fd : -1, .events = POLLIN},
            {.fd = run->program.signal_fd, .events = POLLIN},
            {.fd = run->host.pid > 0 ? run->host.status_fd : -1, .events = POLLIN},
            {.fd = run->tapped != NULL ? local_control_fd(run->tapped) : -1, .events = POLLIN}};
        int ready = poll(items, 5, run->other_driver[0] == '\0' ? look_after_ms[look] : -1);
        print_waiting(run);
        program_serve_signals(&run->program);
        if (run->host.pid > 0) {
            host_read_status(&run->host);
        }
        if (session != NULL) {
            record_session_look(session);
        }
        if (run->launch->quit_when_recorded && session->is_over && !run->asked_to_end) {
            run->asked_to_end = true;
            kill(run->program.pid, SIGTERM);
        }
        if (ready == 0 && !run->program.ended) {
            maps_other_driver(run->program.pid, run->launch->zink ? MAPS_VULKAN : MAPS_ALL,
                              run->other_driver, sizeof run->other_driver);
            look += look + 1 < sizeof look_after_ms / sizeof look_after_ms[0];
        }
    }
}

/* How many contexts the program's run brought. False: nobody can tell, as a host that did not end
 * by itself was killed. */
static bool count_contexts(struct run *run, uint64_t *count)
{
    *count = 0;
    if (run->host.pid > 0) {
        host_read_status(&run->host);
        bool failed = run->host.state == HOST_FAILED;
        host_finish(&run->host);
        bool ended = run->host.state == HOST_ENDED;
        *count = !failed && ended ? run->host.contexts - run->contexts_before : 0;
        return failed || ended;
    }
    struct local_status_reply status;
    if (local_control_status(run->control, &status) != SL_OK) {
        run->host.state = HOST_FAILED;
        return true;
    }
    *count = status.contexts_created - run->contexts_before;
    return true;
}

/* The likeliest reason is a window that could not be had. */
static void say_idle(void)
{
    char x[256];
    if (x_server_find(x, sizeof x) != SL_OK) {
        say_error("the program made no context through Sluice, and it has no X display: %s; start "
                  "an X server (xvfb-run starts one), or accept it with --allow-idle",
                  x);
    } else {
        say_error("the program made no context through Sluice; it must use EGL through glvnd, or "
                  "Vulkan through its loader (--allow-idle accepts this)");
    }
}

static int verdict(struct run *run)
{
    int code =
        run->asked_to_end && run->program.exit_code == 128 + SIGTERM ? 0 : run->program.exit_code;
    uint64_t contexts;
    bool told = count_contexts(run, &contexts), none = told && contexts == 0;
    if (run->other_driver[0] != '\0' && none) {
        say_error("the program used another driver: %s; what it drew there did not come through "
                  "Sluice",
                  run->other_driver);
        return code != 0 ? code : SLUICE_EXIT_NOT_THROUGH_US;
    }
    if (run->other_driver[0] != '\0') { /* browsers and overlays only look what there is */
        say_note("warning: the program loaded another driver as well: %s; what it drew there, if "
                 "it did, did not come through Sluice",
                 run->other_driver);
    }
    if (run->host.state == HOST_FAILED) {
        if (!host_said_why(&run->host)) {
            say_error("the host ended before the program did; sluice doctor looks for the reason");
        }
        return SLUICE_EXIT_NOT_THROUGH_US;
    }
    if (none && !run->launch->allow_idle) {
        say_idle();
        return code != 0 ? code : SLUICE_EXIT_NOT_THROUGH_US;
    }
    if (told) {
        say_detail("contexts made: %llu", (unsigned long long)contexts);
    }
    return code;
}

static int run_program(struct run *run)
{
    const char *path = run->launch->socket;
    if (!(path != NULL ? get_running_host(run, path) : get_private_host(run))) {
        return SLUICE_EXIT_NOT_THROUGH_US;
    }
    if ((run->launch->zink && !ask_for_zink(run)) || (run->launch->print && !begin_print(run))) {
        return SLUICE_EXIT_NOT_THROUGH_US;
    }
    int code = start_program(run);
    if (code != 0) {
        run->host.is_abandoned = true;
        if (run->launch->session != NULL) {
            record_session_abandon(run->launch->session);
        }
        return code;
    }
    attend(run);
    print_waiting(run);
    return verdict(run);
}

int launch_program(const struct launch *launch)
{
    struct run run = {.launch = launch};
    run.host.status_fd = -1;
    if (program_is_missing(launch->argv[0])) { /* no host begins a file for it */
        return say_missing(launch->argv[0]);
    }
    enum sl_result result = place_vendor_file(run.vendor_file);
    if (result != SL_OK) {
        say_error("%s: the vendor file is missing: %s; build or install the guest library",
                  run.vendor_file, sl_result_name(result));
        return SLUICE_EXIT_NOT_THROUGH_US;
    }
    result = place_icd_file(run.icd_file);
    if (result != SL_OK) { /* it is named all the same: no other driver may take its place */
        say_detail("%s: Vulkan's driver file is missing: %s", run.icd_file, sl_result_name(result));
    }
    result = program_prepare(
        &run.program,
        launch->session != NULL && launch->session->trigger == RECORD_SIGNAL ? SIGUSR1 : 0);
    if (result != SL_OK) {
        say_error("no descriptor for signals: %s; raise the limit of open files",
                  sl_result_name(result));
        return SLUICE_EXIT_NOT_THROUGH_US;
    }
    int code = run_program(&run);
    host_finish(&run.host);
    local_control_close(run.control);
    local_control_close(run.tapped);
    sl_fd_close(&run.program.signal_fd);
    return code;
}
