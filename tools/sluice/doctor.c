/* sluice doctor: every step from the library to the pixel, with the mend for the one that fails. */
#include "tools/sluice/host.h"
#include "tools/sluice/host_options.h"
#include "tools/sluice/json.h"
#include "tools/sluice/place.h"
#include "tools/sluice/probe.h"
#include "tools/sluice/say.h"
#include "tools/sluice/verbs.h"
#include "tools/sluice/x_server.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/local/local_control.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOST_PATIENCE ((int64_t)(30 * SL_NS_PER_S))
#define PROBE_SECONDS 30u

enum { DOCTOR_HOST };

static const struct opt options[] = {HOST_OPTION_LIST(DOCTOR_HOST)};

enum step_state { STEP_NOT_REACHED, STEP_OK, STEP_FAILED, STEP_SKIPPED };

enum step_id {
    STEP_VENDOR_FILE,
    STEP_LIBRARY,
    STEP_HOST,
    STEP_DRIVER,
    STEP_SOCKET,
    STEP_GLVND,
    STEP_DISPLAY,
    STEP_CONTEXT,
    STEP_PIXEL,
    STEP_VK_FILE,
    STEP_VK_LIBRARY,
    STEP_VK_NATIVE,
    STEP_VK_LOADER,
    STEP_VK_DEVICE,
    STEP_VK_MEMORY,
    STEP_RING,
    STEP_X11,
    STEP_COUNT
};

static const struct {
    const char *name;
    const char *mend;
} steps[STEP_COUNT] = {
    [STEP_VENDOR_FILE] =
        {"vendor-file",
         "build the target EGL_sluice, or install the package with the guest library"},
    [STEP_LIBRARY] = {"library",
                      "install what the message names, or build the guest library again"},
    [STEP_HOST] =
        {"host",
         "set TMPDIR to a place that can be written and raise the limits the message names"},
    [STEP_DRIVER] = {"driver", "install a native EGL driver: on Debian libegl1 and libegl-mesa0 "
                               "(software rendering is enough)"},
    [STEP_SOCKET] = {"socket", "use host and tools of one build"},
    [STEP_GLVND] = {"glvnd", "install glvnd: on Debian libegl1 and libgles2"},
    [STEP_DISPLAY] = {"display", "run with SLUICE_LOG=debug and look at what guest and host say"},
    [STEP_CONTEXT] = {"context",
                      "run with SLUICE_LOG=debug; the native driver may lack OpenGL ES 2"},
    [STEP_PIXEL] = {"pixel",
                    "the native driver or this build draws wrongly: report it with this output"},
    [STEP_VK_FILE] = {"vk-file", "use a driver file and a library of one build"},
    [STEP_VK_LIBRARY] = {"vk-library",
                         "install what the message names, or build the guest library again"},
    [STEP_VK_NATIVE] = {"vk-native", "install a native Vulkan driver: on Debian libvulkan1 and "
                                     "mesa-vulkan-drivers (software rendering is enough)"},
    [STEP_VK_LOADER] = {"vk-loader", "install Vulkan's loader (Debian: libvulkan1) and run with "
                                     "SLUICE_LOG=debug VK_LOADER_DEBUG=error"},
    [STEP_VK_DEVICE] = {"vk-device", "name a device that vk-native lists with --gpu; else run with "
                                     "SLUICE_LOG=debug and look at what guest and host say"},
    [STEP_VK_MEMORY] = {"vk-memory", "report it with this output"},
    [STEP_RING] = {"ring", "report it with this output"},
    [STEP_X11] = {"x11",
                  "unset DISPLAY, or start the X server it names; on Debian install libxcb1"},
};

struct step {
    enum step_state state;
    char detail[512];
};

struct doctor {
    const struct opt_set *set;
    struct step steps[STEP_COUNT];
    struct host_process host;
    char vendor_file[PATH_MAX];
    char icd_file[PATH_MAX];
    char library[PATH_MAX];
};

static bool set_step(struct doctor *d, enum step_id id, enum step_state state, const char *format,
                     ...) SL_PRINTF(4, 5);
static bool set_step(struct doctor *d, enum step_id id, enum step_state state, const char *format,
                     ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(d->steps[id].detail, sizeof d->steps[id].detail, format, args);
    va_end(args);
    d->steps[id].state = state;
    return state == STEP_OK;
}

static bool check_library(struct doctor *d)
{
    enum sl_result result = place_vendor_file(d->vendor_file);
    if (result != SL_OK) {
        return set_step(d, STEP_VENDOR_FILE, STEP_FAILED, "%.400s: %s", d->vendor_file,
                        sl_result_name(result));
    }
    result = place_library(d->vendor_file, d->library);
    if (result != SL_OK) {
        return set_step(d, STEP_VENDOR_FILE, STEP_FAILED, "%.200s names %.200s: %s", d->vendor_file,
                        d->library, sl_result_name(result));
    }
    set_step(d, STEP_VENDOR_FILE, STEP_OK, "%.500s", d->vendor_file);
    void *library = dlopen(d->library, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return set_step(d, STEP_LIBRARY, STEP_FAILED, "%.500s", dlerror());
    }
    bool is_vendor = dlsym(library, "__egl_Main") != NULL;
    dlclose(library);
    return set_step(d, STEP_LIBRARY, is_vendor ? STEP_OK : STEP_FAILED, "%.400s%s", d->library,
                    is_vendor ? "" : " has no __egl_Main: it is no glvnd vendor library");
}

static bool check_host(struct doctor *d)
{
    struct host_options options_of_host = {0};
    host_options_read(d->set, DOCTOR_HOST, &options_of_host);
    if (host_start(&d->host, &options_of_host) != SL_OK ||
        host_wait(&d->host, HOST_LISTENING, HOST_PATIENCE) != SL_OK) {
        return set_step(d, STEP_HOST, STEP_FAILED, "the host process did not start to listen");
    }
    set_step(d, STEP_HOST, STEP_OK, "listens at %s", d->host.path);
    enum sl_result result = host_wait(&d->host, HOST_READY, HOST_PATIENCE);
    if (result != SL_OK) {
        return set_step(d, STEP_DRIVER, STEP_FAILED,
                        "the host did not get ready: %s; what it said is above",
                        sl_result_name(result));
    }
    set_step(d, STEP_DRIVER, STEP_OK, "%s", d->host.driver);
    struct local_control *control;
    result = local_control_open(d->host.path, &control);
    if (result != SL_OK) {
        return set_step(d, STEP_SOCKET, STEP_FAILED, "%s", sl_result_name(result));
    }
    local_control_close(control);
    return set_step(d, STEP_SOCKET, STEP_OK, "version %u", LOCAL_VERSION);
}

/* A probe, the steps it makes, and what it finds in its environment. */
struct probe_run {
    void (*probe)(int fd);
    enum step_id first, last;
    bool is_native; /* it is not to come through us */
};

/* "ok NAME DETAIL" */
static void take_probe_line(struct doctor *d, const struct probe_run *run, char *line)
{
    char *name = strchr(line, ' ');
    char *detail = name != NULL ? strchr(name + 1, ' ') : NULL;
    if (detail == NULL) {
        return;
    }
    *name++ = '\0';
    *detail++ = '\0';
    for (enum step_id i = run->first; i <= run->last; i++) {
        if (strcmp(steps[i].name, name) == 0) {
            set_step(d, i,
                     strcmp(line, "ok") == 0        ? STEP_OK
                     : strcmp(line, "skipped") == 0 ? STEP_SKIPPED
                                                    : STEP_FAILED,
                     "%s", detail);
        }
    }
}

/* What the probe's process did not get to is its failure: it crashed or hung. */
static bool judge_probe(struct doctor *d, const struct probe_run *run, int status)
{
    for (enum step_id i = run->first; i <= run->last; i++) {
        if (d->steps[i].state == STEP_NOT_REACHED) {
            if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
                set_step(d, i, STEP_FAILED, "no answer within %u s", PROBE_SECONDS);
            } else if (WIFSIGNALED(status)) {
                set_step(d, i, STEP_FAILED, "the process died: %s", strsignal(WTERMSIG(status)));
            } else {
                set_step(d, i, STEP_FAILED, "the process ended early");
            }
        }
        if (d->steps[i].state != STEP_OK) {
            return false;
        }
    }
    return true;
}

/* As sluice run sets it; for a native probe as if nobody had. */
static void set_environment(const struct doctor *d, bool is_native)
{
    if (is_native) {
        return;
    }
    setenv("SLUICE_SOCKET", d->host.path, 1);
    setenv("__EGL_VENDOR_LIBRARY_FILENAMES", d->vendor_file, 1);
    setenv("VK_DRIVER_FILES", d->icd_file, 1);
    setenv("VK_ICD_FILENAMES", d->icd_file, 1);
}

/* All its steps are ok. */
static bool run_probe(struct doctor *d, const struct probe_run *run)
{
    int pipe_fds[2];
    if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
        return set_step(d, run->first, STEP_FAILED, "no pipe: %s", strerror(errno));
    }
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        set_environment(d, run->is_native);
        close(pipe_fds[0]);
        alarm(PROBE_SECONDS);
        run->probe(pipe_fds[1]);
        _exit(0);
    }
    close(pipe_fds[1]);
    FILE *lines = fdopen(pipe_fds[0], "r");
    char line[600];
    while (lines != NULL && fgets(line, sizeof line, lines) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        take_probe_line(d, run, line);
    }
    if (lines != NULL) {
        fclose(lines);
    }
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return judge_probe(d, run, status);
}

static bool check_pixel(struct doctor *d)
{
    static const struct probe_run run = {probe_render, STEP_GLVND, STEP_PIXEL, false};
    return run_probe(d, &run);
}

static void skip_vulkan(struct doctor *d, enum step_id first, const char *why)
{
    for (enum step_id i = first; i <= STEP_VK_MEMORY; i++) {
        set_step(d, i, STEP_SKIPPED, "%.500s", why);
    }
}

static bool check_vulkan_library(struct doctor *d)
{
    char path[PATH_MAX];
    enum sl_result result = place_library(d->icd_file, path);
    if (result != SL_OK) {
        return set_step(d, STEP_VK_FILE, STEP_FAILED, "%.200s names %.200s: %s", d->icd_file, path,
                        sl_result_name(result));
    }
    set_step(d, STEP_VK_FILE, STEP_OK, "%.500s", d->icd_file);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return set_step(d, STEP_VK_LIBRARY, STEP_FAILED, "%.500s", dlerror());
    }
    bool is_driver = dlsym(library, "vk_icdGetInstanceProcAddr") != NULL;
    dlclose(library);
    return set_step(d, STEP_VK_LIBRARY, is_driver ? STEP_OK : STEP_FAILED, "%.400s%s", path,
                    is_driver ? "" : " has no vk_icdGetInstanceProcAddr: it is no Vulkan driver");
}

/* Sluice without Vulkan, or a machine without it, is no failure: those steps are skipped. */
static bool check_vulkan(struct doctor *d)
{
    static const struct probe_run native = {probe_vulkan_devices, STEP_VK_NATIVE, STEP_VK_NATIVE,
                                            true};
    static const struct probe_run ours = {probe_vulkan, STEP_VK_LOADER, STEP_VK_MEMORY, false};
    if (place_icd_file(d->icd_file) != SL_OK) {
        char why[PATH_MAX + 64];
        snprintf(why, sizeof why, "Vulkan is not built: no %s", d->icd_file);
        skip_vulkan(d, STEP_VK_FILE, why);
        return true;
    }
    if (!check_vulkan_library(d)) {
        return false;
    }
    bool has_devices = run_probe(d, &native);
    if (d->steps[STEP_VK_NATIVE].state == STEP_SKIPPED) {
        skip_vulkan(d, STEP_VK_LOADER, "there is no native Vulkan");
        return true;
    }
    return has_devices && run_probe(d, &ours);
}

static bool check_ring(struct doctor *d)
{
    host_finish(&d->host);
    if (d->host.state != HOST_ENDED || d->host.contexts == 0) {
        return set_step(d, STEP_RING, STEP_FAILED,
                        "the host saw %llu contexts: the picture came from elsewhere",
                        (unsigned long long)d->host.contexts);
    }
    return set_step(d, STEP_RING, STEP_OK, "%llu contexts, and the host ended cleanly",
                    (unsigned long long)d->host.contexts);
}

static bool check_x11(struct doctor *d)
{
    char detail[256];
    enum sl_result result = x_server_find(detail, sizeof detail);
    return set_step(d, STEP_X11,
                    result == SL_OK             ? STEP_OK
                    : result == SL_ERR_NOTFOUND ? STEP_SKIPPED
                                                : STEP_FAILED,
                    "%s%s", detail,
                    result == SL_ERR_NOTFOUND ? ": pbuffers and surfaceless only" : "");
}

static const char *const state_names[] = {"not reached", "ok", "failed", "skipped"};

static void print_text(const struct doctor *d)
{
    for (int i = 0; i < STEP_COUNT; i++) {
        printf("%-12s %-11s %s\n", steps[i].name, state_names[d->steps[i].state],
               d->steps[i].detail);
        if (d->steps[i].state == STEP_FAILED) {
            printf("%-12s %-11s %s\n", "", "mend:", steps[i].mend);
        }
    }
}

static void print_json(const struct doctor *d, bool ok)
{
    printf("{\"schema\": 1, \"ok\": %s, \"steps\": [", ok ? "true" : "false");
    for (int i = 0; i < STEP_COUNT; i++) {
        printf("%s\n  {\"name\": ", i == 0 ? "" : ",");
        json_text(stdout, steps[i].name);
        printf(", \"state\": ");
        json_text(stdout, state_names[d->steps[i].state]);
        printf(", \"detail\": ");
        json_text(stdout, d->steps[i].detail);
        printf(", \"mend\": ");
        json_text(stdout, d->steps[i].state == STEP_FAILED ? steps[i].mend : NULL);
        printf("}");
    }
    printf("\n]}\n");
}

static int run(const struct opt_set *set)
{
    struct doctor d = {.set = set, .host = {.status_fd = -1}};
    bool ok = check_library(&d) && check_host(&d) && check_pixel(&d) && check_vulkan(&d) &&
              check_ring(&d);
    host_finish(&d.host);
    check_x11(&d);
    ok = ok && d.steps[STEP_X11].state != STEP_FAILED;
    if (opt_common_on(set, COMMON_JSON)) {
        print_json(&d, ok);
    } else {
        print_text(&d);
    }
    for (int i = 0; i < STEP_COUNT; i++) {
        if (d.steps[i].state == STEP_FAILED) {
            say_error("step %s failed: %s; %s", steps[i].name, d.steps[i].detail, steps[i].mend);
        }
    }
    return ok ? SLUICE_EXIT_OK : SLUICE_EXIT_MISSING;
}

const struct verb verb_doctor = {
    .name = "doctor",
    .summary = "find out why it does not work",
    .usage = "",
    .about = "Goes every step from the guest libraries to a pixel drawn by the native driver and "
             "read back, by GL and by Vulkan, and\n"
             "names the one that fails, its reason and its mend.",
    .example = "sluice doctor --json",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .has_json = true,
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_USAGE | 1u << SLUICE_EXIT_FILE |
             1u << SLUICE_EXIT_MISSING,
    .run = run,
};
