/* One table per verb: it drives the parser, --help, the man page, the environment variables and the
 * completion.
 *
 * An option's value comes from the command line, else from SLUICE_<VERB>_<OPTION>, else it is the
 * table's default. Main thread. */
#ifndef SLUICE_OPT_H
#define SLUICE_OPT_H

#include "tools/sluice/exit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define OPT_MAX 48 /* options of one verb, common ones included */

enum opt_kind {
    OPT_FLAG,   /* --name, --no-name; in the environment 1 or 0 */
    OPT_TEXT,   /* --name VALUE */
    OPT_NUMBER, /* decimal, with K, M or G for 2^10, 2^20, 2^30 */
    OPT_REAL,   /* decimal, with a fraction or not; not negative */
    OPT_CHOICE, /* one of the words in `value`, separated by | */
};

struct opt {
    const char *name;
    const char *value;    /* what --help calls the value; NULL for flags */
    const char *help;     /* one line */
    const char *fallback; /* the default; NULL: none (flags: off) */
    uint64_t min, max;    /* numbers */
    enum opt_kind kind;
    char letter; /* 0 none */
};

struct opt_set;

struct verb {
    const char *name;
    const char *summary; /* one line */
    const char *usage;   /* behind the options: "-- PROGRAM [ARGS]" */
    const char *about;   /* a short paragraph */
    const char *example; /* one command line */
    const struct opt *options;
    size_t option_count;
    size_t args_min, args_max;
    bool starts_program; /* everything from the first plain argument on belongs to a program */
    bool has_json;       /* --json makes sense */
    uint32_t exits;      /* bits: which codes of enum sluice_exit up to 10 it can end with */
    bool passes_exit;    /* the program's own code, and 125 to 127 */
    bool copies;         /* a native driver copies here what another process wrote: tuned.h */
    int (*run)(const struct opt_set *set);
};

/* Behind a verb's own options: index = option_count + one of these. */
enum opt_common {
    COMMON_HELP,
    COMMON_QUIET,
    COMMON_VERBOSE,
    COMMON_LOG_FILE,
    COMMON_JSON,
    COMMON_COUNT
};

enum opt_source { OPT_FROM_DEFAULT, OPT_FROM_ENVIRONMENT, OPT_FROM_COMMAND_LINE };

struct opt_value {
    const char *text; /* NULL: not given and no default. Flags: "1" or "0" */
    uint64_t number;
    double real; /* OPT_REAL */
    enum opt_source source;
};

struct opt_set {
    const struct verb *verb;
    struct opt_value values[OPT_MAX];
    char *const *args; /* what is not an option; borrowed */
    size_t arg_count;
};

/* argv: behind the verb's name. Options may stand behind plain arguments, which are moved to argv's
 * start, but for a verb that starts a program: from the first of them on all is the program's.
 * False: the reason is said (exit 2). --help is just another flag: look at it first; then the
 * number of arguments is not checked. */
bool opt_parse(const struct verb *verb, int argc, char **argv, struct opt_set *set);
const char *opt_text(const struct opt_set *set, size_t index); /* nullable */
uint64_t opt_number(const struct opt_set *set, size_t index);
double opt_real(const struct opt_set *set, size_t index);
bool opt_on(const struct opt_set *set, size_t index);
bool opt_common_on(const struct opt_set *set, enum opt_common which);
const char *opt_common_text(const struct opt_set *set, enum opt_common which);
/* One of the words of an OPT_CHOICE, separated by |. */
bool opt_is_choice(const char *choices, const char *text);
/* Every setting and where it came from, with say_detail. */
void opt_say_settings(const struct opt_set *set);

/* Option `index` of a verb, its own ones first, then the common ones it has; NULL past the last. */
const struct opt *opt_at(const struct verb *verb, size_t index);
/* "SLUICE_SERVE_ANY_USER" */
void opt_variable(const struct verb *verb, const struct opt *option, char *text, size_t size);

/* What is generated from the tables; all to `out`. */
void opt_print_help(const struct verb *verb, FILE *out);
void opt_print_man(const struct verb *verb, FILE *out);
void opt_print_overview(const struct verb *const *verbs, FILE *out);
void opt_print_overview_man(const struct verb *const *verbs, FILE *out);
void opt_print_completion(const struct verb *const *verbs, FILE *out);
void opt_print_json(const struct verb *const *verbs, FILE *out);

#endif
