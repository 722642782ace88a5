/* A program in the foreground, drawing through Sluice: what run and record have in common. Main
 * thread. */
#ifndef SLUICE_LAUNCH_H
#define SLUICE_LAUNCH_H

#include "tools/sluice/host.h"
#include "tools/sluice/record_session.h"

/* Mesa's, without which Zink takes no CPU for a device. */
#define ZINK_ON_CPU "LIBGL_ALWAYS_SOFTWARE"

struct launch {
    char *const *argv;  /* NULL-terminated */
    const char *socket; /* of a running host; NULL: a private one, with these options */
    struct host_options host;
    bool print;      /* every call on stderr, or in --log-file */
    bool allow_idle; /* drawing nothing is no failure */
    bool zink;
    bool async_errors;              /* glGetError waits for nothing */
    struct record_session *session; /* what the private host records; nullable */
    bool quit_when_recorded;        /* ends the program when all that is to be recorded is there */
};

/* Runs it to its end, and the private host too. Returns its exit code, or that of what went wrong,
 * which was said. */
int launch_program(const struct launch *launch);

#endif
