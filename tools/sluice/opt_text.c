/* What is generated from the option tables: help, man pages, completion, JSON. */
#include "tools/sluice/json.h"
#include "tools/sluice/opt.h"

#include <ctype.h>
#include <string.h>

static const char *const exit_texts[] = {
    [SLUICE_EXIT_OK] = "done",
    [SLUICE_EXIT_DIFFERENT] = "done, and the answer is \"different\"",
    [SLUICE_EXIT_USAGE] = "usage: unknown option, bad value",
    [SLUICE_EXIT_FILE] = "file or socket: cannot open, read, write; disk full",
    [SLUICE_EXIT_VERSION] = "not a trace, or a version that this build does not speak",
    [SLUICE_EXIT_DAMAGED] =
        "damaged: a checksum or length is wrong, or what came breaks the protocol",
    [SLUICE_EXIT_INCOMPLETE] = "incomplete: with --strict, the recording was cut short",
    [SLUICE_EXIT_MISSING] = "this machine lacks something: driver, library, display",
    [SLUICE_EXIT_DIVERGED] = "diverged from the recording",
    [SLUICE_EXIT_LOST] = "device lost, hang, or time ran out",
    [SLUICE_EXIT_INTERNAL] = "internal error",
};

static const char *const launcher_texts[] = {
    "other  the program's own code; 128 + signal when one ended it",
    "125  the program did not render through Sluice, or no host could be started",
    "126  the program cannot be executed",
    "127  the program was not found",
};

#define LAUNCHER_TEXTS (sizeof launcher_texts / sizeof launcher_texts[0])

/* "-s, --socket PATH" */
static void head_of(const struct opt *option, char *text, size_t size)
{
    char letter[8] = "    ";
    if (option->letter != 0) {
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    }
    snprintf(text, size, "%s--%s%s%s", letter, option->name, option->value != NULL ? " " : "",
             option->value != NULL ? option->value : "");
}

void opt_print_help(const struct verb *verb, FILE *out)
{
    fprintf(out, "usage: sluice %s [options]%s%s\n\n%s\n\noptions:\n", verb->name,
            verb->usage[0] != '\0' ? " " : "", verb->usage, verb->about);
    const struct opt *option;
    for (size_t i = 0; (option = opt_at(verb, i)) != NULL; i++) {
        char head[96];
        head_of(option, head, sizeof head);
        fprintf(out, "  %-28s %s", head, option->help);
        if (option->fallback != NULL) {
            fprintf(out, " [%s]", option->fallback);
        }
        fputc('\n', out);
    }
    char variable[96];
    opt_variable(verb, opt_at(verb, 0), variable, sizeof variable);
    fprintf(out,
            "\nEach option is also a variable, %s for the first; the command line wins. --no-NAME "
            "turns a switch off.\n",
            variable);
    fprintf(out, "\nexit codes:\n");
    for (int code = 0; code <= SLUICE_EXIT_INTERNAL; code++) {
        if (verb->exits & 1u << code) {
            fprintf(out, "  %-4d %s\n", code, exit_texts[code]);
        }
    }
    for (size_t i = 0; verb->passes_exit && i < LAUNCHER_TEXTS; i++) {
        fprintf(out, "  %s\n", launcher_texts[i]);
    }
    fprintf(out, "\nexample:\n  %s\n", verb->example);
}

/* Text for troff: backslashes and dashes escaped, a leading dot or quote defused. */
static void put_troff(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'') {
        fputs("\\&", out);
    }
    for (; *text != '\0'; text++) {
        if (*text == '\\') {
            fputs("\\e", out);
        } else if (*text == '-') {
            fputs("\\-", out);
        } else {
            fputc(*text, out);
        }
    }
}

static void man_line(FILE *out, const char *before, const char *text, const char *after)
{
    fputs(before, out);
    put_troff(out, text);
    fputs(after, out);
}

static void man_exits(const struct verb *verb, FILE *out)
{
    fputs(".SH EXIT STATUS\n", out);
    for (int code = 0; code <= SLUICE_EXIT_INTERNAL; code++) {
        if (verb->exits & 1u << code) {
            fprintf(out, ".TP\n%d\n", code);
            man_line(out, "", exit_texts[code], "\n");
        }
    }
    for (size_t i = 0; verb->passes_exit && i < LAUNCHER_TEXTS; i++) {
        const char *gap = strchr(launcher_texts[i], ' ');
        fprintf(out, ".TP\n%.*s\n", (int)(gap - launcher_texts[i]), launcher_texts[i]);
        man_line(out, "", gap + strspn(gap, " "), "\n");
    }
}

void opt_print_man(const struct verb *verb, FILE *out)
{
    char title[64];
    snprintf(title, sizeof title, "sluice-%s", verb->name);
    man_line(out, ".TH \"", title, "\" 1 \"\" \"Sluice\" \"\"\n.SH NAME\n");
    put_troff(out, title);
    man_line(out, " \\- ", verb->summary, "\n.SH SYNOPSIS\n.B sluice ");
    man_line(out, "", verb->name, "\n[options] ");
    man_line(out, "", verb->usage, "\n.SH DESCRIPTION\n");
    man_line(out, "", verb->about, "\n.SH OPTIONS\n");
    const struct opt *option;
    for (size_t i = 0; (option = opt_at(verb, i)) != NULL; i++) {
        char head[96], variable[96];
        head_of(option, head, sizeof head);
        opt_variable(verb, option, variable, sizeof variable);
        man_line(out, ".TP\n.B ", head + strspn(head, " "), "\n");
        man_line(out, "", option->help, "");
        if (option->fallback != NULL) {
            man_line(out, "; default ", option->fallback, "");
        }
        man_line(out, ".\nVariable: ", variable, ".\n");
    }
    fputs(".PP\nThe command line beats a variable. \\-\\-no\\-NAME turns a switch off; in a "
          "variable, 1 is on and 0 is off.\n",
          out);
    man_exits(verb, out);
    man_line(out, ".SH EXAMPLES\n.nf\n", verb->example, "\n.fi\n.SH SEE ALSO\n.BR sluice (1)\n");
}

void opt_print_overview(const struct verb *const *verbs, FILE *out)
{
    fputs("usage: sluice VERB [options] ...\n\nSluice runs programs that call OpenGL ES or Vulkan "
          "against a host process, which draws with the native driver.\n\nverbs:\n",
          out);
    for (; *verbs != NULL; verbs++) {
        fprintf(out, "  %-10s %s\n", (*verbs)->name, (*verbs)->summary);
    }
    fputs("\nsluice help VERB, or sluice VERB --help, explains one. sluice --version tells what "
          "this build is.\n\n"
          "example:\n  sluice run -- es2gears_x11\n",
          out);
}

void opt_print_overview_man(const struct verb *const *verbs, FILE *out)
{
    fputs(".TH sluice 1 \"\" \"Sluice\" \"\"\n.SH NAME\nsluice \\- run OpenGL ES and Vulkan "
          "programs against a host process\n"
          ".SH SYNOPSIS\n.B sluice\nVERB [options] ...\n.SH DESCRIPTION\n"
          "Sluice carries a program's OpenGL ES and Vulkan calls through a shared\\-memory ring to "
          "a host process,\n"
          "which draws with the native driver.\n.SH VERBS\n",
          out);
    for (; *verbs != NULL; verbs++) {
        man_line(out, ".TP\n.BR sluice\\-", (*verbs)->name, " (1)\n");
        man_line(out, "", (*verbs)->summary, "\n");
    }
    fputs(".SH EXAMPLES\n.nf\nsluice run \\-\\- es2gears_x11\n.fi\n", out);
}

/* `--backend gpu|cpu` as a case of what stands before the cursor: "gpu cpu". */
static void put_choices(const struct verb *verb, FILE *out)
{
    const struct opt *option;
    for (size_t i = 0; (option = opt_at(verb, i)) != NULL; i++) {
        if (option->kind != OPT_CHOICE) {
            continue;
        }
        fprintf(out, "        '%s --%s') choices='", verb->name, option->name);
        for (const char *c = option->value; *c != '\0'; c++) {
            fputc(*c == '|' ? ' ' : *c, out);
        }
        fputs("' ;;\n", out);
    }
}

void opt_print_completion(const struct verb *const *verbs, FILE *out)
{
    fputs("# bash completion of sluice\n_sluice()\n{\n    local cur=${COMP_WORDS[COMP_CWORD]} "
          "before=${COMP_WORDS[COMP_CWORD - 1]} choices= words='",
          out);
    for (const struct verb *const *v = verbs; *v != NULL; v++) {
        fprintf(out, "%s%s", v == verbs ? "" : " ", (*v)->name);
    }
    fputs("' i\n"
          "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
          "        if [[ ${COMP_WORDS[i]} == -- ]]; then\n"
          "            _command_offset $((i + 1)) 2>/dev/null || COMPREPLY=($(compgen -c -- "
          "\"$cur\"))\n"
          "            return\n        fi\n    done\n"
          "    if ((COMP_CWORD > 1)); then\n        case ${COMP_WORDS[1]} in\n",
          out);
    for (const struct verb *const *v = verbs; *v != NULL; v++) {
        fprintf(out, "        %s) words='", (*v)->name);
        const struct opt *option;
        for (size_t i = 0; (option = opt_at(*v, i)) != NULL; i++) {
            fprintf(out, "%s--%s", i == 0 ? "" : " ", option->name);
        }
        fputs("' ;;\n", out);
    }
    fputs("        *) words= ;;\n        esac\n    fi\n"
          "    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    [[ $cur == = ]] && cur=\n"
          "    case \"${COMP_WORDS[1]} $before\" in\n",
          out);
    for (const struct verb *const *v = verbs; *v != NULL; v++) {
        put_choices(*v, out);
    }
    fputs("    esac\n"
          "    if [[ $choices ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$choices\" -- \"$cur\"))\n"
          "        return\n    fi\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
          "    [[ $cur == -* || COMP_CWORD -eq 1 ]] || COMPREPLY+=($(compgen -f -- \"$cur\"))\n}\n"
          "complete -F _sluice sluice\n",
          out);
}

static void json_option(const struct verb *verb, const struct opt *option, FILE *out)
{
    static const char *const kinds[] = {"flag", "text", "number", "real", "choice"};
    char variable[96], letter[2] = {option->letter};
    opt_variable(verb, option, variable, sizeof variable);
    fputs("{\"name\": ", out);
    json_text(out, option->name);
    fputs(", \"letter\": ", out);
    json_text(out, option->letter != 0 ? letter : NULL);
    fputs(", \"kind\": ", out);
    json_text(out, kinds[option->kind]);
    fputs(", \"value\": ", out);
    json_text(out, option->value);
    fputs(", \"default\": ", out);
    json_text(out, option->fallback);
    fputs(", \"variable\": ", out);
    json_text(out, variable);
    fputs(", \"help\": ", out);
    json_text(out, option->help);
    fputs("}", out);
}

void opt_print_json(const struct verb *const *verbs, FILE *out)
{
    fputs("{\"schema\": 1, \"verbs\": [", out);
    for (const struct verb *const *v = verbs; *v != NULL; v++) {
        fputs(v == verbs ? "\n  {\"name\": " : ",\n  {\"name\": ", out);
        json_text(out, (*v)->name);
        fputs(", \"summary\": ", out);
        json_text(out, (*v)->summary);
        fputs(", \"options\": [", out);
        const struct opt *option;
        for (size_t i = 0; (option = opt_at(*v, i)) != NULL; i++) {
            fputs(i == 0 ? "\n    " : ",\n    ", out);
            json_option(*v, option, out);
        }
        fputs("]}", out);
    }
    fputs("\n]}\n", out);
}
