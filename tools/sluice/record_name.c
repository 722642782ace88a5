#include "tools/sluice/record_name.h"
#include "tools/sluice/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Behind what a name has, ".part" follows. */
#define NAME_MOST (PATH_MAX - sizeof ".ring.part")

static bool append(char out[PATH_MAX], size_t *used, const char *part)
{
    size_t size = strlen(part);
    if (*used + size > NAME_MOST) {
        return false;
    }
    memcpy(out + *used, part, size + 1);
    *used += size;
    return true;
}

/* "20261120T233025.512Z" */
static void write_time(char *text, size_t size)
{
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    size_t used = strftime(text, size, "%Y%m%dT%H%M%S", &parts);
    snprintf(text + used, size - used, ".%03ldZ", now.tv_nsec / 1000000);
}

static bool is_known(const char *pattern)
{
    for (const char *at = strchr(pattern, '%'); at != NULL; at = strchr(at + 2, '%')) {
        if (at[1] == '\0' || strchr("ntpi%", at[1]) == NULL) {
            say_error("--output is '%s', in which %%%.1s means nothing; %%n, %%t, %%p, %%i and "
                      "%%%% do",
                      pattern, at + 1);
            return false;
        }
    }
    return true;
}

bool record_name_quote(const char *path, char out[PATH_MAX])
{
    size_t used = 0;
    out[0] = '\0';
    bool ok = true;
    for (; ok && *path != '\0'; path++) {
        const char part[] = {*path, *path == '%' ? '%' : '\0', '\0'};
        ok = append(out, &used, part);
    }
    return ok;
}

/* The host has another directory. */
static bool put_directory(const char *pattern, char out[PATH_MAX])
{
    char directory[PATH_MAX];
    size_t used;
    out[0] = '\0';
    if (pattern[0] == '/') {
        return true;
    }
    if (getcwd(directory, sizeof directory) == NULL || !record_name_quote(directory, out)) {
        return false;
    }
    used = strlen(out);
    return append(out, &used, "/");
}

/* What a program is called may be anything. */
static void write_program(const char *program, char *name, size_t size)
{
    const char *slash = strrchr(program, '/');
    snprintf(name, size, "%.100s", slash != NULL ? slash + 1 : program);
    for (char *at = strchr(name, '\n'); at != NULL; at = strchr(at, '\n')) {
        *at = '_';
    }
}

bool record_name_begin(const char *pattern, const char *program, char out[PATH_MAX])
{
    if (strcmp(pattern, "-") == 0) {
        say_error("--output is '-', but standard output is the program's own; name a file or a "
                  "FIFO");
        return false;
    }
    if (!is_known(pattern)) {
        return false;
    }
    bool ok = put_directory(pattern, out);
    size_t used = strlen(out);
    for (const char *at = pattern; ok && *at != '\0'; at++) {
        char part[PATH_MAX] = {*at, '\0'}, name[128];
        char letter = *at == '%' ? *++at : '\0';
        if (letter == 'n') {
            write_program(program, name, sizeof name);
            ok = record_name_quote(name, part);
        } else if (letter == 'p') {
            snprintf(part, sizeof part, "%d", (int)getpid());
        } else if (letter != '\0') { /* for record_name_of_file */
            part[1] = letter;
            part[2] = '\0';
        }
        ok = ok && append(out, &used, part);
    }
    if (!ok) {
        say_error("--output is too long for a file's name");
    } else if (strchr(out, '\n') != NULL) { /* hosts tell of files a line each */
        say_error("--output, or the folder that it is in, has a line break in its name");
        ok = false;
    }
    return ok;
}

/* Before the suffix of its last part. */
static bool insert_number(char out[PATH_MAX], uint64_t index)
{
    char number[32], suffix[PATH_MAX] = "";
    char *slash = strrchr(out, '/'), *dot = strrchr(out, '.');
    if (dot != NULL && (slash == NULL || dot > slash + 1)) {
        snprintf(suffix, sizeof suffix, "%s", dot);
        *dot = '\0';
    }
    size_t used = strlen(out);
    snprintf(number, sizeof number, "-%" PRIu64, index);
    return append(out, &used, number) && append(out, &used, suffix);
}

bool record_name_of_file(const char *pattern, uint64_t index, char out[PATH_MAX])
{
    size_t used = 0;
    bool differs = index == 0, ok = true;
    out[0] = '\0';
    for (const char *at = pattern; ok && *at != '\0'; at++) {
        char part[64] = {*at, '\0'};
        if (*at == '%' && at[1] == 't') {
            write_time(part, sizeof part);
            differs = true;
        } else if (*at == '%' && at[1] == 'i') {
            snprintf(part, sizeof part, "%" PRIu64, index);
            differs = true;
        }
        at += *at == '%' && at[1] != '\0';
        ok = append(out, &used, part);
    }
    return ok && (differs || insert_number(out, index));
}

const char *record_name_shown(const char *path)
{
    char directory[PATH_MAX];
    size_t size = getcwd(directory, sizeof directory) != NULL ? strlen(directory) : 0;
    return size > 1 && strncmp(path, directory, size) == 0 && path[size] == '/' ? path + size + 1
                                                                                : path;
}
