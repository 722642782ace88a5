/* sluice run: a program against a private host, or against one that runs already. */
#include "tools/sluice/host_options.h"
#include "tools/sluice/launch.h"
#include "tools/sluice/say.h"
#include "tools/sluice/verbs.h"

enum { RUN_SOCKET, RUN_PRINT, RUN_STATS, RUN_ALLOW_IDLE, RUN_ZINK, RUN_ASYNC_ERRORS, RUN_HOST };

static const struct opt options[] = {
    [RUN_SOCKET] = {.name = "socket",
                    .letter = 's',
                    .kind = OPT_TEXT,
                    .value = "PATH",
                    .help = "use the host that serves there instead of a private one"},
    [RUN_PRINT] = {.name = "print",
                   .letter = 'p',
                   .help = "print every call on stderr, or in --log-file"},
    [RUN_STATS] = {.name = "stats",
                   .help = "say at the end what the program waited for, by call and frame, there "
                           "too"},
    [RUN_ALLOW_IDLE] = {.name = "allow-idle",
                        .help = "it is no failure when the program draws nothing"},
    [RUN_ZINK] = {.name = "zink",
                  .help = "GL, desktop GL too, by Mesa's Zink above our Vulkan; with " ZINK_ON_CPU
                          "=1 for a CPU"},
    [RUN_ASYNC_ERRORS] = {.name = "async-errors",
                          .help = "glGetError does not wait for the host: errors come later, with "
                                  "glFinish at the latest"},
    HOST_OPTION_LIST(RUN_HOST),
};

static int run_verb(const struct opt_set *set)
{
    struct launch launch = {.argv = set->args,
                            .socket = opt_text(set, RUN_SOCKET),
                            .print = opt_on(set, RUN_PRINT),
                            .allow_idle = opt_on(set, RUN_ALLOW_IDLE),
                            .zink = opt_on(set, RUN_ZINK),
                            .async_errors = opt_on(set, RUN_ASYNC_ERRORS)};
    host_options_read(set, RUN_HOST, &launch.host);
    launch.host.stats = opt_on(set, RUN_STATS);
    if (launch.host.stats && launch.socket != NULL) {
        say_error("--stats counts on a private host; leave --socket away");
        return SLUICE_EXIT_USAGE;
    }
    return launch_program(&launch);
}

const struct verb verb_run = {
    .name = "run",
    .summary = "run one program through Sluice",
    .usage = "-- PROGRAM [ARGS...]",
    .about = "Starts a private host, runs the program against it and ends with the program's own "
             "exit code. The program keeps its\n"
             "input, output and signals; only its environment differs. When it did not render "
             "through Sluice, that is a failure.",
    .example = "sluice run -- glmark2-es2 -b build",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_min = 1,
    .args_max = SIZE_MAX,
    .starts_program = true,
    .exits = 1u << SLUICE_EXIT_USAGE,
    .passes_exit = true,
    .copies = true,
    .run = run_verb,
};
