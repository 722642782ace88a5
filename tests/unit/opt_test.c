/* The option tables: parser, help, man page, variables, completion and JSON agree, for every option
 * of every verb. */
#include "tests/support/slt.h"
#include "tools/sluice/maps.h"
#include "tools/sluice/near.h"
#include "tools/sluice/place.h"
#include "tools/sluice/json.h"
#include "tools/sluice/range.h"
#include "tools/sluice/say.h"
#include "tools/sluice/verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A printed text; freed by the caller. */
typedef void (*print_verb)(const struct verb *, FILE *);
typedef void (*print_all)(const struct verb *const *, FILE *);

static char *text_of(print_verb one, print_all all, const struct verb *verb)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (one != NULL) {
        one(verb, out);
    } else {
        all(verbs, out);
    }
    fclose(out);
    return text;
}

/* A value the option takes. */
static const char *sample(const struct opt *option)
{
    static char text[32];
    switch (option->kind) {
    case OPT_FLAG:
        return "1";
    case OPT_NUMBER:
        snprintf(text, sizeof text, "%llu", (unsigned long long)option->max);
        return text;
    case OPT_REAL:
        return "0.25";
    case OPT_CHOICE:
        snprintf(text, sizeof text, "%.*s", (int)strcspn(option->value, "|"), option->value);
        return text;
    case OPT_TEXT:
        break;
    }
    return "some-text";
}

static size_t index_of(const struct verb *verb, const char *name)
{
    size_t index = 0;
    while (strcmp(opt_at(verb, index)->name, name) != 0) {
        index++;
    }
    return index;
}

/* --help too, so that the number of plain arguments does not matter. */
static bool parse(const struct verb *verb, char *one, char *two, struct opt_set *set)
{
    char help[] = "--help";
    char *argv[] = {help, one, two, NULL};
    return opt_parse(verb, two != NULL ? 3 : one != NULL ? 2 : 1, argv, set);
}

static void parser_takes(const struct verb *verb, const struct opt *option, size_t index)
{
    char name[64], joined[128], variable[96], value[64];
    struct opt_set set;
    snprintf(value, sizeof value, "%s", sample(option));
    snprintf(name, sizeof name, "--%s", option->name);
    snprintf(joined, sizeof joined, "--%s=%s", option->name, value);
    opt_variable(verb, option, variable, sizeof variable);
    SLT_ASSERT_TRUE(parse(verb, name, option->kind == OPT_FLAG ? NULL : value, &set));
    SLT_EXPECT_STREQ(value, opt_text(&set, index));
    SLT_EXPECT_EQ(OPT_FROM_COMMAND_LINE, set.values[index].source);
    if (option->kind != OPT_FLAG) {
        SLT_ASSERT_TRUE(parse(verb, joined, NULL, &set));
        SLT_EXPECT_STREQ(value, opt_text(&set, index));
    }
    if (strcmp(option->name, "help") != 0) { /* parse() gives it itself */
        setenv(variable, value, 1);
        bool parsed = parse(verb, NULL, NULL, &set);
        unsetenv(variable);
        SLT_ASSERT_TRUE(parsed);
        SLT_EXPECT_STREQ(value, opt_text(&set, index));
        SLT_EXPECT_EQ(OPT_FROM_ENVIRONMENT, set.values[index].source);
    }
    if (option->letter != 0) {
        char letter[3] = {'-', option->letter, '\0'};
        SLT_ASSERT_TRUE(parse(verb, letter, option->kind == OPT_FLAG ? NULL : value, &set));
        SLT_EXPECT_STREQ(value, opt_text(&set, index));
    }
}

/* "--any-user" as troff has it. */
static void troff_name(const char *name, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "\\-\\-");
    for (; *name != '\0' && used + 3 < size; name++) {
        used += (size_t)snprintf(text + used, size - used, *name == '-' ? "\\-" : "%c", *name);
    }
}

static void texts_name(const struct verb *verb, const struct opt *option)
{
    char name[64], in_man[96], variable[96], in_json[128];
    snprintf(name, sizeof name, "--%s", option->name);
    troff_name(option->name, in_man, sizeof in_man);
    opt_variable(verb, option, variable, sizeof variable);
    snprintf(in_json, sizeof in_json, "\"variable\": \"%s\"", variable);
    char *help = text_of(opt_print_help, NULL, verb);
    char *man = text_of(opt_print_man, NULL, verb);
    char *completion = text_of(NULL, opt_print_completion, verb);
    char *json = text_of(NULL, opt_print_json, verb);
    SLT_EXPECT_TRUE(strstr(help, name) != NULL);
    SLT_EXPECT_TRUE(strstr(help, option->help) != NULL);
    SLT_EXPECT_TRUE(strstr(man, in_man) != NULL);
    SLT_EXPECT_TRUE(strstr(man, variable) != NULL);
    SLT_EXPECT_TRUE(strstr(completion, name) != NULL);
    SLT_EXPECT_TRUE(strstr(json, in_json) != NULL);
    free(help);
    free(man);
    free(completion);
    free(json);
}

SLT_TEST(options, every_table_agrees)
{
    for (const struct verb *const *v = verbs; *v != NULL; v++) {
        const struct opt *option;
        for (size_t i = 0; (option = opt_at(*v, i)) != NULL; i++) {
            SLT_SCOPE("sluice %s --%s", (*v)->name, option->name);
            SLT_ASSERT_LT(i, (size_t)OPT_MAX);
            parser_takes(*v, option, i);
            texts_name(*v, option);
        }
    }
}

SLT_TEST(options, names_and_letters_are_unique)
{
    for (const struct verb *const *v = verbs; *v != NULL; v++) {
        const struct opt *a, *b;
        for (size_t i = 0; (a = opt_at(*v, i)) != NULL; i++) {
            for (size_t j = i + 1; (b = opt_at(*v, j)) != NULL; j++) {
                SLT_SCOPE("sluice %s --%s --%s", (*v)->name, a->name, b->name);
                SLT_EXPECT_TRUE(strcmp(a->name, b->name) != 0);
                SLT_EXPECT_TRUE(a->letter == 0 || a->letter != b->letter);
            }
        }
    }
}

SLT_TEST(options, help_fits_a_screen)
{
    for (const struct verb *const *v = verbs; *v != NULL; v++) {
        SLT_SCOPE("sluice help %s", (*v)->name);
        char *help = text_of(opt_print_help, NULL, *v);
        unsigned lines = 0;
        for (char *line = help; *line != '\0'; line += strcspn(line, "\n") + 1, lines++) {
            SLT_EXPECT_LE(strcspn(line, "\n"), 132u);
        }
        SLT_EXPECT_LE(lines, 60u); /* eleven of them are exit codes */
        SLT_EXPECT_TRUE(strstr(help, (*v)->example) != NULL);
        free(help);
    }
}

SLT_TEST(options, command_line_beats_variable)
{
    struct opt_set set;
    char off[] = "--no-quiet";
    size_t quiet = index_of(&verb_serve, "quiet");
    setenv("SLUICE_SERVE_QUIET", "1", 1);
    bool parsed = parse(&verb_serve, off, NULL, &set);
    unsetenv("SLUICE_SERVE_QUIET");
    SLT_ASSERT_TRUE(parsed);
    SLT_EXPECT_TRUE(!opt_on(&set, quiet));
    SLT_EXPECT_EQ(OPT_FROM_COMMAND_LINE, set.values[quiet].source);
}

struct bad_case {
    const char *label;
    const char *one;
    const char *two;
};
static const struct bad_case bad_cases[] = {
    {"unknown_option", "--nope", NULL},
    {"unknown_letter", "-Z", NULL},
    {"part_of_a_name", "--client", "4"},
    {"value_missing", "--clients", NULL},
    {"no_number", "--clients", "many"},
    {"number_too_large", "--clients", "65537"},
    {"number_too_small", "--clients=0", NULL},
    {"negative", "--clients", "-1"},
    {"unknown_suffix", "--memory", "2T"},
    {"overflow", "--memory", "99999999999999999999"},
    {"shifted_out", "--memory", "18446744073709551615G"},
    {"flag_with_value", "--stock=1", NULL},
    {"empty_text", "--socket=", NULL},
    {"no_on_a_value", "--no-socket", NULL},
};

SLT_TEST_P(options, refuses, struct bad_case, bad_cases, c)
{
    struct opt_set set;
    char one[64], two[64];
    snprintf(one, sizeof one, "%s", c->one);
    snprintf(two, sizeof two, "%s", c->two != NULL ? c->two : "");
    SLT_EXPECT_TRUE(!parse(&verb_serve, one, c->two != NULL ? two : NULL, &set));
}

SLT_TEST(options, numbers_take_suffixes)
{
    struct opt_set set;
    char one[] = "--memory", two[] = "3G";
    SLT_ASSERT_TRUE(parse(&verb_serve, one, two, &set));
    SLT_EXPECT_EQ(3ull << 30, opt_number(&set, index_of(&verb_serve, "memory")));
}

SLT_TEST(options, a_program_keeps_its_own)
{
    struct opt_set set;
    char quiet[] = "-q", dashes[] = "--", program[] = "prog", option[] = "-v", again[] = "--";
    char *argv[] = {quiet, dashes, program, option, again, NULL};
    SLT_ASSERT_TRUE(opt_parse(&verb_run, 5, argv, &set));
    SLT_EXPECT_EQ(3u, set.arg_count);
    SLT_EXPECT_STREQ("prog", set.args[0]);
    SLT_EXPECT_STREQ("-v", set.args[1]);
    SLT_EXPECT_STREQ("--", set.args[2]);
    SLT_EXPECT_TRUE(!opt_common_on(&set, COMMON_VERBOSE));
    char *bare[] = {program, option, NULL};
    SLT_ASSERT_TRUE(opt_parse(&verb_run, 2, bare, &set));
    SLT_EXPECT_EQ(2u, set.arg_count);
    SLT_EXPECT_TRUE(!opt_parse(&verb_run, 0, bare, &set));
    SLT_EXPECT_TRUE(!opt_parse(&verb_serve, 1, bare, &set));
}

/* Options stand where they like, but behind -- or where a program's words begin. */
SLT_TEST(options, mix_with_arguments)
{
    struct opt_set set;
    char one[] = "a.slc", two[] = "b.slc", output[] = "-o", out[] = "c.slc", dashes[] = "--";
    char dash[] = "-x", input[] = "-";
    char *mixed[] = {one, output, out, two, NULL};
    SLT_ASSERT_TRUE(opt_parse(&verb_trim, 4, mixed, &set));
    SLT_ASSERT_EQ(2u, set.arg_count);
    SLT_EXPECT_STREQ("a.slc", set.args[0]);
    SLT_EXPECT_STREQ("b.slc", set.args[1]);
    SLT_EXPECT_STREQ("c.slc", opt_text(&set, index_of(&verb_trim, "output")));
    char *ended[] = {output, out, input, dashes, dash, NULL};
    SLT_ASSERT_TRUE(opt_parse(&verb_trim, 5, ended, &set));
    SLT_ASSERT_EQ(2u, set.arg_count);
    SLT_EXPECT_STREQ("-", set.args[0]);
    SLT_EXPECT_STREQ("-x", set.args[1]);
    char *missing[] = {one, output, NULL};
    SLT_EXPECT_TRUE(!opt_parse(&verb_trim, 2, missing, &set));
}

struct near_case {
    const char *label, *typed, *want;
};
static const struct near_case near_cases[] = {
    {"a_letter_less", "fram", "frames"},
    {"two_swapped", "fraems", "frames"},
    {"its_beginning", "out", "output"},
    {"the_nearest", "stop-aftr", "stop-after"},
    {"nothing_like_it", "wallpaper", NULL},
    {"too_short", "f", NULL},
    {"too_long", "a-word-of-many-letters-that-no-table-has", NULL},
};

SLT_TEST_P(options, says_what_may_be_meant, struct near_case, near_cases, c)
{
    static const char *const words[] = {"frames", "output", "stop-after", "skip", "force"};
    struct near near = {.word = c->typed, .size = strlen(c->typed)};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        near_offer(&near, words[i]);
    }
    char text[NEAR_TEXT], want[NEAR_TEXT] = "";
    if (c->want != NULL) {
        snprintf(want, sizeof want, "; did you mean --%s?", c->want);
    }
    SLT_EXPECT_STREQ(want, near_text(&near, "--", text));
}

#define TENTH 100000000ull /* of a second */

struct times_case {
    const char *label, *text;
    uint64_t in[2], out[2]; /* ns */
};
static const struct times_case times_cases[] = {
    {"a_second", "3", {30 * TENTH, 40 * TENTH - 1}, {30 * TENTH - 1, 40 * TENTH}},
    {"a_tenth", "0.5", {5 * TENTH, 6 * TENTH - 1}, {5 * TENTH - 1, 6 * TENTH}},
    {"from_to", "0.5-1.2", {5 * TENTH, 13 * TENTH - 1}, {4 * TENTH, 13 * TENTH}},
    {"whole_ones", "1-2", {10 * TENTH, 30 * TENTH - 1}, {9 * TENTH, 30 * TENTH}},
    {"so_many", "1+0.5", {10 * TENTH, 15 * TENTH - 1}, {9 * TENTH, 15 * TENTH}},
    {"open", "1.5-", {15 * TENTH, UINT64_MAX}, {14 * TENTH, 0}},
    {"steps", "0-10/5", {55 * TENTH, 100 * TENTH}, {45 * TENTH, 65 * TENTH}},
};

SLT_TEST_P(range, of_seconds, struct times_case, times_cases, c)
{
    struct range range;
    SLT_ASSERT_TRUE(range_parse_times(c->text, &range));
    for (int i = 0; i < 2; i++) {
        SLT_EXPECT_TRUE(range_has(&range, c->in[i]));
        SLT_EXPECT_TRUE(!range_has(&range, c->out[i]));
    }
}

SLT_TEST(range, refuses_what_is_none)
{
    static const char *const wrong[] = {"",    ",",   "-1",           "5-3",
                                        "1.",  "1.x", "0.0000000001", "1..2",
                                        "1+0", "1/0", "1e3",          "99999999999999"};
    struct range range;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        SLT_SCOPE("'%s'", wrong[i]);
        SLT_EXPECT_TRUE(!range_parse_times(wrong[i], &range));
    }
    SLT_EXPECT_TRUE(!range_parse("0.5", &range)); /* no frame is half of one */
    SLT_ASSERT_TRUE(range_parse("0-100/10,7", &range));
    SLT_EXPECT_TRUE(range_has(&range, 90) && range_has(&range, 7) && !range_has(&range, 91));
}

SLT_TEST(json, escapes_what_it_must)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    json_text(out, "a\"b\\c\n\x7f\xc3\xa4\xff\xc0\x80\xed\xa0\x80");
    fclose(out);
    SLT_EXPECT_STREQ(
        "\"a\\\"b\\\\c\\u000a\\u007f\xc3\xa4\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"", text);
    free(text);
}

struct driver_case {
    const char *label;
    const char *file;
    unsigned kinds; /* of which it is found */
};
static const struct driver_case driver_cases[] = {
    {"ours", "libEGL_sluice.so", 0},
    {"our_vulkan", "libvulkan_sluice.so", 0},
    {"mesa", "libEGL_mesa.so.0.0.0", MAPS_GL},
    {"glvnd", "libEGL.so.1.1.0", 0},
    {"glx", "libGLX.so.0.0.0", 0},
    {"swrast", "swrast_dri.so", MAPS_GL},
    {"gallium", "libgallium-24.so", MAPS_GL},
    {"nvidia", "libEGL_nvidia.so.0", MAPS_GL},
    {"extension", "libxcb-dri3.so.0", 0},
    {"versioned", "iris_dri.so.1", MAPS_GL},
    {"dispatch", "libGLdispatch.so.0.0.0", 0},
    {"lavapipe", "libvulkan_lvp.so", MAPS_VULKAN},
    {"loader", "libvulkan.so.1.3.239", 0},
    {"layer", "libVkLayer_MESA_device_select.so", 0},
};

SLT_TEST_P(maps, knows_drivers, struct driver_case, driver_cases, c)
{
    SLT_EXPECT_EQ((c->kinds & MAPS_GL) != 0, maps_is_driver(c->file, MAPS_GL));
    SLT_EXPECT_EQ((c->kinds & MAPS_VULKAN) != 0, maps_is_driver(c->file, MAPS_VULKAN));
    SLT_EXPECT_EQ(c->kinds != 0, maps_is_driver(c->file, MAPS_ALL));
}

SLT_TEST(place, vendor_library_is_read_from_its_file)
{
    char file[PATH_MAX], library[PATH_MAX], found[PATH_MAX];
    snprintf(file, sizeof file, "%s/v.json", SLT_TMPDIR());
    snprintf(library, sizeof library, "%s/l.so", SLT_TMPDIR());
    FILE *out = fopen(file, "w");
    fputs("{\"ICD\": {\"library_path\" : \"../", out);
    fputs(strrchr(SLT_TMPDIR(), '/') + 1, out);
    fputs("/l.so\"}}", out);
    fclose(out);
    SLT_EXPECT_RESULT(SL_ERR_NOTFOUND, place_library(file, found));
    fclose(fopen(library, "w"));
    SLT_ASSERT_OK(place_library(file, found));
    SLT_EXPECT_STREQ(library, found);
    out = fopen(file, "w");
    fputs("{\"ICD\": {\"library_path\" : 3}}", out);
    fclose(out);
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL, place_library(file, found));
}

SLT_TEST(place, private_directory_is_private)
{
    char path[PATH_MAX];
    struct stat info;
    SLT_ASSERT_OK(place_private_dir(path));
    SLT_ASSERT_EQ(0, stat(path, &info));
    SLT_EXPECT_EQ(0700u, info.st_mode & 0777u);
    SLT_EXPECT_EQ(0, remove(path));
}
