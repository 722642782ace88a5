/* sluice help: every text is generated from the option tables. */
#include "tools/sluice/say.h"
#include "tools/sluice/verbs.h"

#include <string.h>

enum { HELP_MAN, HELP_COMPLETION };

static const struct opt options[] = {
    [HELP_MAN] = {.name = "man", .help = "print the man page's source"},
    [HELP_COMPLETION] = {.name = "completion",
                         .kind = OPT_CHOICE,
                         .value = "bash",
                         .help = "print the shell's completion script"},
};

static int run(const struct opt_set *set)
{
    const struct verb *verb = set->arg_count > 0 ? verb_find(set->args[0]) : NULL;
    if (set->arg_count > 0 && verb == NULL) {
        verb_say_unknown(set->args[0]);
        return SLUICE_EXIT_USAGE;
    }
    if (opt_common_on(set, COMMON_JSON)) {
        opt_print_json(verbs, stdout);
    } else if (opt_text(set, HELP_COMPLETION) != NULL) {
        opt_print_completion(verbs, stdout);
    } else if (opt_on(set, HELP_MAN)) {
        if (verb != NULL) {
            opt_print_man(verb, stdout);
        } else {
            opt_print_overview_man(verbs, stdout);
        }
    } else if (verb != NULL) {
        opt_print_help(verb, stdout);
    } else {
        opt_print_overview(verbs, stdout);
    }
    return SLUICE_EXIT_OK;
}

const struct verb verb_help = {
    .name = "help",
    .summary = "explain a verb",
    .usage = "[VERB]",
    .about = "Prints a verb's help, its man page, the shell completion, or with --json the tables "
             "all of these are made from.",
    .example = "sluice help run",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_max = 1,
    .has_json = true,
    .exits = 1u << SLUICE_EXIT_OK | 1u << SLUICE_EXIT_USAGE | 1u << SLUICE_EXIT_FILE,
    .run = run,
};
