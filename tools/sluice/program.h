/* A program in the foreground: started, its signals passed on, its end waited for. One at a time,
 * main thread. */
#ifndef SLUICE_PROGRAM_H
#define SLUICE_PROGRAM_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <sys/types.h>

struct program {
    pid_t pid;
    int signal_fd; /* readable: call program_serve_signals */
    bool ended;
    int exit_code; /* once ended: its own, or 128 + signal */
};

/* A name and a value (NULL: without it) for the program's environment alone. */
struct program_setting {
    const char *name;
    const char *value;
};

/* Blocks the signals that are passed on from now until the process ends. Before anything else
 * starts. kept: one that is not passed on and left alone; 0: none. */
enum sl_result program_prepare(struct program *program, int kept) SL_MUST_USE;
/* What `question` says in a process of its own with these settings; false as well when that process
 * crashes, or takes longer than so many seconds. */
bool program_ask(const struct program_setting *settings, bool (*question)(void), unsigned seconds);
/* It is neither a path nor a name on PATH. */
bool program_is_missing(const char *name);
/* argv: NULL-terminated. settings: until name is NULL. NOTFOUND: no such program; IO: it cannot be
 * executed, errno says why. */
enum sl_result program_start(struct program *program, char *const *argv,
                             const struct program_setting *settings) SL_MUST_USE;
/* Passes on what came and notices its end; never blocks. */
void program_serve_signals(struct program *program);

#endif
