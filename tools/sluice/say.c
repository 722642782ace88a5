#include "tools/sluice/say.h"
#include "transport/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    const char *verb;
    bool quiet;
    bool verbose;
    FILE *file;    /* nullable */
    bool has_line; /* say_line's is on the terminal, or may be another process's of ours */
} state;

void say_begin(const char *verb)
{
    state.verb = verb;
}

void say_set_level(bool quiet, bool verbose)
{
    state.quiet = quiet;
    state.verbose = verbose;
    if (verbose && getenv("SLUICE_LOG") == NULL) {
        (void)!sl_log_set_levels("capture=info"); /* a word that is right */
    }
}

static void log_to_file(void *user, enum sl_log_level level, const char *module, const char *text)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    fprintf(user, "%s: %s: %s\n", names[level], module, text);
    fflush(user);
}

enum sl_result say_to_file(const char *path)
{
    state.file = fopen(path, "ae");
    if (state.file == NULL) {
        return SL_ERR_IO;
    }
    sl_log_set_callback(log_to_file, state.file);
    return SL_OK;
}

enum sl_result say_end(void)
{
    return state.file == NULL || (fflush(state.file) == 0 && !ferror(state.file)) ? SL_OK
                                                                                  : SL_ERR_IO;
}

FILE *say_stream(void)
{
    return state.file != NULL ? state.file : stderr;
}

static void put(FILE *to, const char *format, va_list args)
{
    char text[2048];
    vsnprintf(text, sizeof text, format, args);
    fputs(state.has_line && to == stderr ? "\r\033[K" : "", to);
    fprintf(to, "sluice%s%s: %s\n", state.verb != NULL ? " " : "",
            state.verb != NULL ? state.verb : "", text);
    fflush(to);
}

void say_line(const char *format, ...)
{
    char text[256] = "";
    va_list args;
    va_start(args, format);
    if (format != NULL) {
        vsnprintf(text, sizeof text, format, args);
    }
    va_end(args);
    fprintf(stderr, "\r\033[K%s", text);
    fflush(stderr);
    state.has_line = format != NULL;
}

void say_clear_line(void)
{
    if (state.has_line) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}

bool say_output_is_written(void)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return true;
    }
    say_error("the result cannot be written: %s; make room or write elsewhere", strerror(errno));
    return false;
}

void say_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    put(stderr, format, args);
    va_end(args);
    if (state.file != NULL) {
        va_start(args, format);
        put(state.file, format, args);
        va_end(args);
    }
}

void say_note(const char *format, ...)
{
    if (state.quiet) {
        return;
    }
    va_list args;
    va_start(args, format);
    put(say_stream(), format, args);
    va_end(args);
}

void say_detail(const char *format, ...)
{
    if (!state.verbose) {
        return;
    }
    va_list args;
    va_start(args, format);
    put(say_stream(), format, args);
    va_end(args);
}
