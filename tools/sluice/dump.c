/* sluice dump: what a trace holds, or what a running host is doing: its state and rings, or its
 * calls as they happen. */
#include "tools/sluice/connect.h"
#include "tools/sluice/dump_trace.h"
#include "tools/sluice/json.h"
#include "tools/sluice/progress.h"
#include "tools/sluice/say.h"
#include "tools/sluice/verbs.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct opt options[] = {
    [DUMP_PRINT] = {.name = "print",
                    .letter = 'p',
                    .help = "of a host: every call from now on, until the host or a signal ends "
                            "it"},
    [DUMP_COUNT] = {.name = "count",
                    .letter = 'n',
                    .kind = OPT_NUMBER,
                    .value = "N",
                    .min = 1,
                    .max = UINT64_MAX,
                    .help = "end after N calls"},
    FILTER_LIST(DUMP_FILTER),
    [DUMP_FORMAT] = {.name = "format",
                     .kind = OPT_CHOICE,
                     .value = "text|jsonl|csv",
                     .fallback = "text",
                     .help = "how calls are written"},
    [DUMP_NAMES] = {.name = "names",
                    .fallback = "1",
                    .help = "handles by kind and number, buffer#12, not as they travelled"},
    [DUMP_ALL] = {.name = "all", .help = "device verbs, memory writes and frame marks too"},
    [DUMP_STATS] = {.name = "stats",
                    .kind = OPT_CHOICE,
                    .value = "name|frame|stream",
                    .help = "counts, bytes and shares instead of calls"},
    [DUMP_BLOBS] = {.name = "blobs",
                    .kind = OPT_TEXT,
                    .value = "DIR",
                    .help = "write shaders, textures and buffers there, named by their content"},
    [DUMP_FOLLOW] =
        {.name = "follow",
         .help = "a trace that is being recorded: wait for more until it, or its recorder, ends"},
    [DUMP_KEEP_GOING] = {.name = "keep-going", .help = "pass by what is damaged"},
    [DUMP_STRICT] = {.name = "strict", .help = "exit 6 when the recording was cut short"},
    [DUMP_PROGRESS] = PROGRESS_OPTION,
};

/* Calls until the count, a signal, or the host's end. */
static int print_calls(const struct opt_set *set, struct local_control *control)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    int stop_fd = signalfd(-1, &stop, SFD_CLOEXEC);
    struct tap tap;
    enum sl_result result = tap_begin(&tap, control, stdout);
    if (stop_fd < 0 || result != SL_OK) {
        say_error("the calls cannot be had: %s",
                  stop_fd < 0                    ? strerror(errno)
                  : result == SL_ERR_UNSUPPORTED ? "each program there has a worker of its own; "
                                                   "give SOCKET@PROCESS, without --print it lists "
                                                   "them"
                                                 : sl_result_name(result));
        return SLUICE_EXIT_INTERNAL;
    }
    uint64_t limit = opt_text(set, DUMP_COUNT) != NULL ? opt_number(set, DUMP_COUNT) : UINT64_MAX;
    bool stopped = false;
    while (result == SL_OK && !stopped && tap.printed < limit && !ferror(stdout)) {
        struct pollfd items[] = {{.fd = stop_fd, .events = POLLIN},
                                 {.fd = local_control_fd(control), .events = POLLIN}};
        fflush(stdout);
        (void)poll(items, 2, -1);
        stopped = items[0].revents != 0;
        if (items[1].revents != 0) {
            result = tap_print(&tap, limit - tap.printed, 0);
        }
    }
    close(stop_fd);
    if (result == SL_ERR_PROTOCOL) {
        say_error("the host sent what is no packet; use host and tools of one build");
        return SLUICE_EXIT_DAMAGED;
    }
    return SLUICE_EXIT_OK;
}

static void print_status(const struct local_status_reply *s, bool json)
{
    if (json) {
        printf("{\"schema\": 1, \"driver\": ");
        json_text(stdout, s->driver);
        printf(", \"clients\": %u, \"contexts\": %u, \"contexts_created\": %llu, "
               "\"contexts_lost\": %llu, \"resources\": %u, \"resource_bytes\": %llu, \"rings\": [",
               s->clients, s->contexts, (unsigned long long)s->contexts_created,
               (unsigned long long)s->contexts_lost, s->resources,
               (unsigned long long)s->resource_bytes);
        return;
    }
    printf("driver    %s\nclients   %u\ncontexts  %u (%llu made, %llu lost)\nresources %u (%llu "
           "bytes)\n",
           s->driver, s->clients, s->contexts, (unsigned long long)s->contexts_created,
           (unsigned long long)s->contexts_lost, s->resources,
           (unsigned long long)s->resource_bytes);
}

static void print_ring(const struct local_ring_reply *r, bool first, bool json)
{
    if (json) {
        printf("%s\n  {\"client\": ", first ? "" : ",");
        json_text(stdout, r->client);
        printf(", \"pid\": %u, \"context\": %u, \"ring\": %u, \"packets\": %llu, \"bytes\": %llu, "
               "\"replies\": %llu, \"wakeups\": %llu, \"sleeps\": %llu}",
               r->pid, r->ctx_id, r->ring_id, (unsigned long long)r->packets,
               (unsigned long long)r->bytes, (unsigned long long)r->replies,
               (unsigned long long)r->wakeups, (unsigned long long)r->sleeps);
        return;
    }
    printf("ring %u.%u  %s (process %u)  packets %llu  bytes %llu  replies %llu  wakeups %llu  "
           "sleeps %llu\n",
           r->ctx_id, r->ring_id, r->client, r->pid, (unsigned long long)r->packets,
           (unsigned long long)r->bytes, (unsigned long long)r->replies,
           (unsigned long long)r->wakeups, (unsigned long long)r->sleeps);
}

static void print_program(const struct local_program_reply *p, bool first, bool json)
{
    if (json) {
        printf("%s\n  {\"client\": ", first ? "" : ",");
        json_text(stdout, p->name);
        printf(
            ", \"pid\": %u, \"user\": %u, \"worker\": %u, \"connections\": %u, \"contexts\": %u, "
            "\"resources\": %u, \"resource_bytes\": %llu}",
            p->pid, p->uid, p->worker, p->connections, p->contexts, p->resources,
            (unsigned long long)p->resource_bytes);
        return;
    }
    printf("program %u  %s (user %u, worker %u)  connections %u  contexts %u  resources %u (%llu "
           "bytes)\n",
           p->pid, p->name, p->uid, p->worker, p->connections, p->contexts, p->resources,
           (unsigned long long)p->resource_bytes);
}

/* Of a server with workers: rings are theirs. NOTFOUND: they were all printed. */
static enum sl_result print_programs(struct local_control *control, bool json)
{
    enum sl_result result = SL_OK;
    printf("%s", json ? ", \"programs\": [" : "");
    for (uint32_t i = 0; result == SL_OK; i++) {
        struct local_program_reply program;
        result = local_control_program(control, i, &program);
        if (result == SL_OK) {
            print_program(&program, i == 0, json);
        }
    }
    printf("%s", json ? "\n]" : "");
    return result;
}

static int print_state(struct local_control *control, bool json)
{
    struct local_status_reply status;
    enum sl_result result = local_control_status(control, &status);
    if (result == SL_OK) {
        print_status(&status, json);
    }
    bool isolates = result == SL_OK && status.isolates != 0;
    for (uint32_t i = 0; result == SL_OK; i++) {
        struct local_ring_reply ring;
        result = local_control_ring(control, i, &ring);
        if (result == SL_OK) {
            print_ring(&ring, i == 0, json);
        }
    }
    if (json) {
        printf("\n]");
    }
    if (isolates && result == SL_ERR_NOTFOUND) {
        result = print_programs(control, json);
    }
    if (json) {
        puts("}");
    }
    if (result != SL_ERR_NOTFOUND) {
        say_error("the host stopped answering: %s", sl_result_name(result));
        return SLUICE_EXIT_LOST;
    }
    return SLUICE_EXIT_OK;
}

/* Options of a trace are no options of a host, and the other way round. False: it was said. */
static bool options_fit(const struct opt_set *set, bool is_socket)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        bool of_both = i == DUMP_COUNT;
        bool of_host = i == DUMP_PRINT;
        if (set->values[i].source == OPT_FROM_COMMAND_LINE && !of_both && of_host != is_socket) {
            say_error("--%s is for %s; %s is %s", options[i].name,
                      of_host ? "a running host's socket" : "a trace", set->args[0],
                      is_socket ? "a socket" : "none");
            return false;
        }
    }
    return true;
}

static int run(const struct opt_set *set)
{
    struct stat file;
    bool print = opt_on(set, DUMP_PRINT), is_there = stat(set->args[0], &file) == 0;
    bool is_socket = print || connect_is_socket(set->args[0]);
    if (print && opt_common_on(set, COMMON_JSON)) {
        say_error("--print has no JSON; leave out one of --print and --json");
        return SLUICE_EXIT_USAGE;
    }
    if (!options_fit(set, is_socket)) {
        return SLUICE_EXIT_USAGE;
    }
    if (!is_there && strcmp(set->args[0], "-") != 0 && !is_socket) {
        say_error("%s: there is no such trace, and there is no such socket either", set->args[0]);
        return SLUICE_EXIT_FILE;
    }
    if (is_there && S_ISDIR(file.st_mode)) {
        say_error("%s: is a folder; it is no trace and is no socket", set->args[0]);
        return SLUICE_EXIT_FILE;
    }
    if (!is_socket) {
        return dump_trace(set);
    }
    if (!print && opt_text(set, DUMP_COUNT) != NULL) {
        say_error("--count counts the calls of --print; give both, or neither");
        return SLUICE_EXIT_USAGE;
    }
    struct local_control *control;
    int code = connect_host(set->args[0], &control);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    code =
        print ? print_calls(set, control) : print_state(control, opt_common_on(set, COMMON_JSON));
    local_control_close(control);
    return code;
}

const struct verb verb_dump = {
    .name = "dump",
    .summary = "show a trace's calls, or what a running host is doing",
    .usage = "TRACE|SOCKET|SOCKET@PROCESS",
    .about = "Prints a trace's calls, a line each: number, context.stream, frame, name, arguments, "
             "and behind ->\n"
             "what came back. Of a running host: its driver, counts and rings; with --print its "
             "calls as they happen.\n"
             "Of serve --isolate: its programs; SOCKET@PROCESS is the worker of one of them.",
    .example = "sluice dump --frames 10-12 --grep 'glDraw' app.slc",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_min = 1,
    .args_max = 1,
    .has_json = true,
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_USAGE | 1u << SLUICE_EXIT_FILE |
             1u << SLUICE_EXIT_VERSION | 1u << SLUICE_EXIT_DAMAGED | 1u << SLUICE_EXIT_INCOMPLETE |
             1u << SLUICE_EXIT_LOST | 1u << SLUICE_EXIT_INTERNAL,
    .run = run,
};
