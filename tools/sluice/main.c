/* sluice VERB [options] ...: finds the verb, reads its options, runs it. */
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "tools/sluice/tuned.h"
#include "tools/sluice/verbs.h"
#include "tools/sluice/version.h"
#include "transport/base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What a driver's compiler makes of a shader may have larger variables than a thread's stack: so
 * much of arrays beyond it ends the process instead of reaching other threads' memory. */
#define GUARD ((size_t)256 << 20)

/* A closed 0, 1 or 2 would be the next descriptor that is opened, and talk would go into a socket.
 */
static void fill_standard_descriptors(void)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
            _exit(SLUICE_EXIT_FILE);
        }
    }
}

/* What was printed must have arrived, also when it says that something differs: a full disk is a
 * failure. */
static int end_output(const struct verb *verb, int code)
{
    bool is_done = code == SLUICE_EXIT_OK || (code == SLUICE_EXIT_DIFFERENT && !verb->passes_exit);
    return is_done && !say_output_is_written() ? SLUICE_EXIT_FILE : code;
}

/* Without a verb. */
static int end_text(int code)
{
    return say_output_is_written() ? code : SLUICE_EXIT_FILE;
}

/* So must what was to be logged, the calls of --print above all. */
static int end_log(const struct verb *verb, int code)
{
    if (say_end() != SL_OK && code == SLUICE_EXIT_OK) {
        say_error(
            "--log-file cannot be written; make room there (is the disk full?) or log elsewhere");
        return verb->passes_exit ? SLUICE_EXIT_NOT_THROUGH_US : SLUICE_EXIT_FILE;
    }
    return code;
}

/* The log is appended to a file that is nothing else here. False: it was said. */
static bool is_log_alone(const struct opt_set *set, const char *log_file)
{
    const struct opt *option;
    for (size_t i = 0; i < set->verb->option_count && (option = opt_at(set->verb, i)); i++) {
        const char *text = opt_text(set, i);
        bool is_file = option->kind == OPT_TEXT && (strncmp(option->value, "FILE", 4) == 0 ||
                                                    strcmp(option->value, "OUT") == 0 ||
                                                    strcmp(option->value, "OLD.json") == 0);
        if (is_file && text != NULL &&
            (strcmp(text, log_file) == 0 || trace_is_same_file(text, log_file))) {
            say_error("--log-file and --%s are one file; name another for the log", option->name);
            return false;
        }
    }
    return !trace_is_input(log_file, set->args, set->verb->starts_program ? 0 : set->arg_count);
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
    struct opt_set set;
    say_begin(verb->name);
    if (!opt_parse(verb, argc, argv, &set)) {
        return SLUICE_EXIT_USAGE;
    }
    if (opt_common_on(&set, COMMON_HELP)) {
        opt_print_help(verb, stdout);
        return end_text(SLUICE_EXIT_OK);
    }
    say_set_level(opt_common_on(&set, COMMON_QUIET), opt_common_on(&set, COMMON_VERBOSE));
    const char *log_file = opt_common_text(&set, COMMON_LOG_FILE);
    if (log_file != NULL && !is_log_alone(&set, log_file)) {
        return SLUICE_EXIT_USAGE;
    }
    if (log_file != NULL && say_to_file(log_file) != SL_OK) {
        say_error("--log-file is '%s', which cannot be written: %s", log_file, strerror(errno));
        return SLUICE_EXIT_FILE;
    }
    opt_say_settings(&set);
    return end_log(verb, end_output(verb, verb->run(&set)));
}

static int run_main(int argc, char **argv)
{
    if (argc < 2) {
        opt_print_overview(verbs, stderr);
        return SLUICE_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        opt_print_overview(verbs, stdout);
        return end_text(SLUICE_EXIT_OK);
    }
    if (strcmp(argv[1], "--version") == 0) {
        return end_text(version_print());
    }
    const struct verb *verb = verb_find(argv[1]);
    if (verb == NULL) {
        verb_say_unknown(argv[1]);
        return SLUICE_EXIT_USAGE;
    }
    if (verb->copies) {
        tuned_start(argv);
    }
    return run_verb(verb, argc - 2, argv + 2);
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a failed write */
    (void)signal(SIGCHLD, SIG_DFL); /* who started us may have left it ignored; we wait for ours */
    if (sl_thread_guard(GUARD) != SL_OK) {
        say_error("out of memory");
        return SLUICE_EXIT_INTERNAL;
    }
    return run_main(argc, argv);
}
