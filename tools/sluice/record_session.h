/* A recording seen from its starter: what its host tells of it, what pulls its triggers, and the
 * exit code that comes of it. Main thread, unless said. */
#ifndef SLUICE_RECORD_SESSION_H
#define SLUICE_RECORD_SESSION_H

#include "tools/sluice/flight.h"
#include "tools/sluice/host_record.h"
#include "tools/sluice/progress.h"
#include "tools/sluice/record_link.h"
#include "tools/sluice/record_said.h"

#include <stdbool.h>
#include <stdint.h>

enum record_trigger { RECORD_NO_TRIGGER, RECORD_SIGNAL, RECORD_SOCKET, RECORD_KEY };

struct record_session {
    const struct host_record *plan; /* borrowed, as the rest */
    const char *pattern;            /* of the traces' names */
    const char *store;              /* a flight recorder's; else unused */
    struct record_said *said;
    enum record_trigger trigger;
    bool ends_at_once;       /* with the first file, where files begin at triggers */
    bool needs_calls;        /* a file without any is a failure */
    int signal_fd;           /* SIGUSR1; -1: none */
    int key_fd;              /* the terminal; -1: none */
    struct record_link link; /* open while is_linked */
    bool is_linked;
    struct flight *flight;  /* nullable */
    char path[LOCAL_TEXT];  /* of the host's socket */
    uint64_t begun, told;   /* files */
    uint64_t dropped;       /* of them: nothing was in them */
    char writing[PATH_MAX]; /* the last of them that was begun */
    struct progress progress;
    bool is_over; /* all that was asked for is there */
    bool failed;
    bool is_abandoned;
};

/* The trigger's descriptors. Before there are threads. Returns an exit code; the reason was said.
 */
int record_session_init(struct record_session *session);
/* The host is at `path`, and was asked or will begin by itself. Returns an exit code; the reason
 * was said. */
int record_session_begin(struct record_session *session, const char *path);
/* A line of host_record.h's. */
void record_session_line(struct record_session *session, const char *line);
/* The program never ran: there will be no file, and what is told of one is not heard. */
void record_session_abandon(struct record_session *session);
/* One of the descriptors is readable: pulls the trigger. */
void record_session_look(struct record_session *session);
/* The host is over. why: of a flight recorder's last trace; NULL: none is wanted. code: what it
 * ended with so far. Returns the exit code. */
int record_session_end(struct record_session *session, const char *why, int code);

#endif
