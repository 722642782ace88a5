#include "tools/sluice/opt.h"
#include "tools/sluice/near.h"
#include "tools/sluice/say.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct opt common[COMMON_COUNT] = {
    [COMMON_HELP] = {.name = "help", .letter = 'h', .help = "show this text"},
    [COMMON_QUIET] = {.name = "quiet", .letter = 'q', .help = "say nothing but errors"},
    [COMMON_VERBOSE] = {.name = "verbose",
                        .letter = 'v',
                        .help = "say every setting and where it came from, and each step"},
    [COMMON_LOG_FILE] = {.name = "log-file",
                         .kind = OPT_TEXT,
                         .value = "FILE",
                         .help = "append log and talk to FILE"},
    [COMMON_JSON] = {.name = "json", .help = "print the result as one JSON document"},
};

const struct opt *opt_at(const struct verb *verb, size_t index)
{
    if (index < verb->option_count) {
        return &verb->options[index];
    }
    index -= verb->option_count;
    size_t count = verb->has_json ? COMMON_COUNT : COMMON_JSON; /* it is the last */
    return index < count ? &common[index] : NULL;
}

void opt_variable(const struct verb *verb, const struct opt *option, char *text, size_t size)
{
    snprintf(text, size, "SLUICE_%s_%s", verb->name, option->name);
    for (char *c = text; *c != '\0'; c++) {
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    }
}

static bool parse_number(const char *text, uint64_t *out)
{
    if (!isdigit((unsigned char)text[0])) {
        return false;
    }
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    static const char suffixes[] = "KMG";
    const char *suffix = *end != '\0' ? strchr(suffixes, *end) : NULL;
    unsigned shift = suffix != NULL ? 10 * (unsigned)(suffix - suffixes + 1) : 0;
    if (errno != 0 || number > UINT64_MAX >> shift || (suffix != NULL ? end[1] : *end) != '\0') {
        return false;
    }
    *out = number << shift;
    return true;
}

/* is_percent: 3% is 3. */
static bool parse_real(const char *text, bool is_percent, double *out)
{
    char *end;
    const char *behind = text + strspn(text, "0123456789.");
    bool is_over = *behind == '\0' || (is_percent && strcmp(behind, "%") == 0);
    if (!is_over || strpbrk(text, "0123456789") == NULL) {
        return false;
    }
    *out = strtod(text, &end);
    return end == behind && *out <= 1e15;
}

bool opt_is_choice(const char *choices, const char *text)
{
    size_t size = strlen(text);
    for (const char *c = choices; *c != '\0';) {
        size_t here = strcspn(c, "|");
        if (here == size && memcmp(c, text, size) == 0) {
            return true;
        }
        c += here + (c[here] == '|');
    }
    return false;
}

/* "4M" where nothing is lost by it. */
static const char *short_number(uint64_t number, char text[24])
{
    static const char *const suffixes[] = {"", "K", "M", "G"};
    size_t i = 0;
    for (; number != 0 && number % 1024 == 0 && i < 3; i++) {
        number /= 1024;
    }
    snprintf(text, 24, "%llu%s", (unsigned long long)number, suffixes[i]);
    return text;
}

static void say_number(const struct opt *option, const char *where, const char *text)
{
    char min[24], max[24];
    if (option->max >= INT64_MAX) {
        say_error("%s is '%s'; it should be a number from %s on", where, text,
                  short_number(option->min, min));
    } else {
        say_error("%s is '%s'; it should be a number from %s to %s", where, text,
                  short_number(option->min, min), short_number(option->max, max));
    }
}

/* where: "--clients" or the variable's name, for the message. */
static bool set_value(const struct opt *option, const char *where, const char *text,
                      enum opt_source source, struct opt_value *value)
{
    uint64_t number = 0;
    double real = 0;
    switch (option->kind) {
    case OPT_FLAG:
        if (strcmp(text, "1") != 0 && strcmp(text, "0") != 0) {
            say_error("%s is '%s'; it should be 1 or 0", where, text);
            return false;
        }
        number = text[0] == '1';
        break;
    case OPT_TEXT:
        if (text[0] == '\0') {
            say_error("%s is empty; it should be %s", where, option->value);
            return false;
        }
        break;
    case OPT_NUMBER:
        if (!parse_number(text, &number) || number < option->min || number > option->max) {
            say_number(option, where, text);
            return false;
        }
        break;
    case OPT_REAL:
        if (!parse_real(text, strcmp(option->value, "PERCENT") == 0, &real)) {
            say_error("%s is '%s'; it should be a number like 0.5", where, text);
            return false;
        }
        break;
    case OPT_CHOICE:
        if (!opt_is_choice(option->value, text)) {
            say_error("%s is '%s'; it should be one of %s", where, text, option->value);
            return false;
        }
        break;
    }
    *value = (struct opt_value){.text = text, .number = number, .real = real, .source = source};
    return true;
}

static bool set_defaults(const struct verb *verb, struct opt_set *set)
{
    const struct opt *option;
    for (size_t i = 0; (option = opt_at(verb, i)) != NULL; i++) {
        assert(i < OPT_MAX);
        const char *text = option->fallback != NULL   ? option->fallback
                           : option->kind == OPT_FLAG ? "0"
                                                      : NULL;
        if (text != NULL &&
            !set_value(option, option->name, text, OPT_FROM_DEFAULT, &set->values[i])) {
            return false;
        }
        char variable[96];
        opt_variable(verb, option, variable, sizeof variable);
        const char *from_environment = getenv(variable);
        if (from_environment != NULL &&
            !set_value(option, variable, from_environment, OPT_FROM_ENVIRONMENT, &set->values[i])) {
            return false;
        }
    }
    return true;
}

/* Finds "--name", "--no-name" or "-x" (size bytes of text); *negated tells the second. */
static const struct opt *find(const struct verb *verb, const char *text, size_t size, size_t *index,
                              bool *negated)
{
    const struct opt *option;
    for (size_t i = 0; (option = opt_at(verb, i)) != NULL; i++) {
        size_t name_size = strlen(option->name);
        *index = i;
        *negated = false;
        if (text[1] != '-') {
            if (size == 2 && option->letter == text[1]) {
                return option;
            }
            continue;
        }
        if (size == name_size + 2 && memcmp(text + 2, option->name, name_size) == 0) {
            return option;
        }
        if (option->kind == OPT_FLAG && size == name_size + 5 && memcmp(text, "--no-", 5) == 0 &&
            memcmp(text + 5, option->name, name_size) == 0) {
            *negated = true;
            return option;
        }
    }
    return NULL;
}

static void say_unknown(const struct verb *verb, const char *text, size_t size)
{
    bool is_long = size > 2 && text[1] == '-';
    struct near near = {.word = text + 2, .size = is_long ? size - 2 : 0};
    char meant[NEAR_TEXT];
    const struct opt *option;
    for (size_t i = 0; (option = opt_at(verb, i)) != NULL; i++) {
        near_offer(&near, option->name);
    }
    say_error("unknown option '%.*s'%s; see sluice %s --help", (int)size, text,
              near_text(&near, "--", meant), verb->name);
}

/* One option at argv[*at]; moves *at behind it. */
static bool parse_one(const struct verb *verb, int argc, char **argv, int *at, struct opt_set *set)
{
    const char *text = argv[(*at)++];
    size_t size = strcspn(text, "=");
    size_t index;
    bool negated;
    const struct opt *option = find(verb, text, size, &index, &negated);
    if (option == NULL) {
        say_unknown(verb, text, size);
        return false;
    }
    char where[64];
    snprintf(where, sizeof where, "--%s", option->name);
    const char *value = text[size] == '=' ? text + size + 1 : NULL;
    if (option->kind == OPT_FLAG) {
        if (value != NULL) {
            say_error("%s takes no value, '%s' was given", where, value);
            return false;
        }
        value = negated ? "0" : "1";
    } else if (value == NULL) {
        if (*at >= argc) {
            say_error("%s needs a value: %s", where, option->value);
            return false;
        }
        value = argv[(*at)++];
    }
    return set_value(option, where, value, OPT_FROM_COMMAND_LINE, &set->values[index]);
}

static bool check_args(const struct opt_set *set)
{
    const struct verb *verb = set->verb;
    if (set->arg_count < verb->args_min) {
        say_error("something is missing: sluice %s [options] %s", verb->name, verb->usage);
        return false;
    }
    if (set->arg_count > verb->args_max) {
        say_error("unexpected argument '%s': sluice %s [options] %s", set->args[verb->args_max],
                  verb->name, verb->usage);
        return false;
    }
    return true;
}

static bool is_option(const char *text)
{
    return text[0] == '-' && text[1] != '\0';
}

bool opt_parse(const struct verb *verb, int argc, char **argv, struct opt_set *set)
{
    *set = (struct opt_set){.verb = verb, .args = argv};
    if (!set_defaults(verb, set)) {
        return false;
    }
    int at = 0, kept = 0;
    while (at < argc && strcmp(argv[at], "--") != 0) {
        if (is_option(argv[at])) {
            if (!parse_one(verb, argc, argv, &at, set)) {
                return false;
            }
        } else if (verb->starts_program) {
            break;
        } else {
            argv[kept++] = argv[at++];
        }
    }
    at += at < argc && strcmp(argv[at], "--") == 0;
    if (verb->starts_program) { /* its words, and the NULL behind them */
        set->args = argv + at;
        set->arg_count = (size_t)(argc - at);
    } else {
        while (at < argc) {
            argv[kept++] = argv[at++];
        }
        set->arg_count = (size_t)kept;
    }
    return opt_common_on(set, COMMON_HELP) || check_args(set);
}

const char *opt_text(const struct opt_set *set, size_t index)
{
    return set->values[index].text;
}

uint64_t opt_number(const struct opt_set *set, size_t index)
{
    return set->values[index].number;
}

double opt_real(const struct opt_set *set, size_t index)
{
    return set->values[index].real;
}

bool opt_on(const struct opt_set *set, size_t index)
{
    return set->values[index].number != 0;
}

bool opt_common_on(const struct opt_set *set, enum opt_common which)
{
    return opt_on(set, set->verb->option_count + which);
}

const char *opt_common_text(const struct opt_set *set, enum opt_common which)
{
    return opt_text(set, set->verb->option_count + which);
}

void opt_say_settings(const struct opt_set *set)
{
    static const char *const sources[] = {"default", "environment", "command line"};
    const struct opt *option;
    for (size_t i = 0; (option = opt_at(set->verb, i)) != NULL; i++) {
        const struct opt_value *value = &set->values[i];
        say_detail("setting %s = %s (%s)", option->name, value->text != NULL ? value->text : "none",
                   sources[value->source]);
    }
}
