#include "tools/sluice/record_attach.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/host.h"
#include "tools/sluice/json.h"
#include "tools/sluice/say.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS    50
#define PATIENT_NS (3 * SL_NS_PER_S)  /* then we say that there is no snapshot yet */
#define TRACE_NS   (60 * SL_NS_PER_S) /* how long a flight recorder's trace may take */

int record_stop(const char *socket, struct record_said *said)
{
    struct record_link link;
    struct host_recorded recorded;
    char reply[LOCAL_TOOL_TEXT];
    int code = record_link_open(&link, socket);
    if (code == SLUICE_EXIT_OK) {
        code = record_link_ask(&link, "record stop", false, reply, sizeof reply);
    }
    record_link_close(&link);
    if (code == SLUICE_EXIT_OK && strcmp(reply, "none") == 0) {
        say_error("%s: nothing is being recorded there", socket);
        return SLUICE_EXIT_USAGE;
    }
    if (code == SLUICE_EXIT_OK && host_record_take_line(&recorded, reply)) {
        (void)record_said_file(said, &recorded); /* what went wrong is its starter's */
    }
    return code;
}

/* ---- one that goes on ---- */

struct watched {
    struct record_link *link;
    struct record_session *session;
    uint64_t line, triggers; /* that were seen */
    uint64_t begin_ns;
    bool was_said; /* that there is no snapshot yet */
};

static void take_status(struct watched *w, const char *reply)
{
    uint64_t triggers = 0;
    int at = 0;
    const char *text = strstr(reply, " triggers ");
    if (text != NULL && sscanf(text, " triggers %" SCNu64 " %n", &triggers, &at) == 1 && at != 0) {
        if (triggers > w->triggers && w->session->flight != NULL) {
            flight_pull(w->session->flight, text + at);
        }
        w->triggers = triggers;
    }
    if (!w->was_said && strncmp(reply, "waiting ", 8) == 0 &&
        sl_clock_ns() - w->begin_ns > PATIENT_NS && w->session->plan->ranges.count == 0) {
        w->was_said = true;
        say_note("%s: its state could not be taken so far; it is tried again after each frame",
                 w->link->path);
    }
}

/* All that is new. False: it is over; *code: why. */
static bool look(struct watched *w, int *code)
{
    char wish[64], reply[LOCAL_TOOL_TEXT];
    for (;;) {
        snprintf(wish, sizeof wish, "record status %" PRIu64, w->line);
        *code = record_link_ask(w->link, wish, false, reply, sizeof reply);
        if (*code != SLUICE_EXIT_OK || strncmp(reply, "line ", 5) != 0) {
            break;
        }
        w->line++;
        record_session_line(w->session, reply + 5);
        if (w->session->is_over) {
            return false;
        }
    }
    if (*code == SLUICE_EXIT_OK) {
        take_status(w, reply);
    }
    return *code == SLUICE_EXIT_OK && strncmp(reply, "none", 4) != 0;
}

/* Until it is over. */
static int watch(struct watched *w, int stop_fd)
{
    struct record_session *s = w->session;
    char reply[LOCAL_TOOL_TEXT];
    int code = SLUICE_EXIT_OK;
    while (look(w, &code)) {
        struct pollfd items[] = {{.fd = stop_fd, .events = POLLIN},
                                 {.fd = s->signal_fd, .events = POLLIN},
                                 {.fd = s->key_fd, .events = POLLIN}};
        (void)poll(items, 3, LOOK_MS);
        record_session_look(s);
        if (items[0].revents != 0) {
            code = record_link_ask(w->link, "record stop", false, reply, sizeof reply);
            stop_fd = -1;
        }
        if (code != SLUICE_EXIT_OK) {
            break;
        }
    }
    if (code == SLUICE_EXIT_OK && s->ends_at_once) { /* it would take the next trigger, too */
        code = record_link_ask(w->link, "record stop", false, reply, sizeof reply);
    }
    return code;
}

/* The host was asked and will record. */
static int attend(struct watched *w, const char *reply, int stop_fd)
{
    (void)sscanf(reply, "ok %" SCNu64, &w->line);
    w->begin_ns = sl_clock_ns();
    int code = record_session_begin(w->session, w->link->path);
    return code == SLUICE_EXIT_OK ? watch(w, stop_fd) : code;
}

int record_attach(const char *socket, struct record_session *session)
{
    struct record_link link = {.machine = -1};
    struct watched w = {.link = &link, .session = session};
    char wish[LOCAL_TOOL_TEXT], reply[LOCAL_TOOL_TEXT];
    int stop_fd = -1;
    if (!host_record_wish(session->plan, wish, sizeof wish)) {
        say_error("--output is too long for a host to be asked");
        return SLUICE_EXIT_USAGE;
    }
    int code = host_open_ends(-1, &stop_fd);
    if (code == SLUICE_EXIT_OK) {
        code = record_link_open(&link, socket);
    }
    if (code == SLUICE_EXIT_OK) {
        code = record_link_ask(&link, wish, false, reply, sizeof reply);
    }
    bool was_begun = code == SLUICE_EXIT_OK;
    if (was_begun) {
        code = attend(&w, reply, stop_fd);
    }
    record_link_close(&link);
    sl_fd_close(&stop_fd);
    return was_begun
               ? record_session_end(session, code != SLUICE_EXIT_OK ? "the host ended" : NULL, code)
               : code;
}

/* ---- triggers ---- */

/* The trace that is being written. */
static int wait_for_trace(struct record_link *link, uint64_t before, bool json)
{
    char wish[64], reply[LOCAL_TOOL_TEXT];
    snprintf(wish, sizeof wish, "record dumps %" PRIu64, before);
    for (uint64_t begin = sl_clock_ns(); sl_clock_ns() - begin < TRACE_NS;) {
        int code = record_link_ask(link, wish, false, reply, sizeof reply);
        if (code != SLUICE_EXIT_OK || strcmp(reply, "none") == 0) {
            return code;
        }
        if (strncmp(reply, "dumped ", 7) == 0) {
            if (json) {
                fputs("{\"schema\": 1, \"path\": ", stdout);
                json_text(stdout, reply + 7);
                puts("}");
            } else {
                puts(reply + 7);
            }
            return SLUICE_EXIT_OK;
        }
        sl_clock_sleep_ns(LOOK_MS * SL_NS_PER_MS);
    }
    say_error("%s: no trace was written within a minute; its recorder says why", link->path);
    return SLUICE_EXIT_FILE;
}

int record_pull(const char *socket, bool json)
{
    struct record_link link;
    char reply[LOCAL_TOOL_TEXT];
    uint64_t before = 0;
    int code = record_link_open(&link, socket);
    if (code == SLUICE_EXIT_OK) {
        code = record_link_ask(&link, "record trigger a tool", false, reply, sizeof reply);
    }
    if (code == SLUICE_EXIT_OK && sscanf(reply, "ok %" SCNu64, &before) == 1) {
        code = wait_for_trace(&link, before, json);
    }
    record_link_close(&link);
    return code;
}
