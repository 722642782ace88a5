#include "tools/sluice/record_session.h"
#include "tools/sluice/record_name.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define BACKGROUND_NS (100 * SL_NS_PER_MS) /* between looks at a terminal that is not ours now */

/* ---- lines ---- */

/* A flight recorder's store is complete: only what went wrong is worth a word. */
static void take_store(struct record_session *s, const struct host_recorded *r)
{
    if (r->reason == CAP_END_DISK || r->reason == CAP_END_SIZE) {
        say_note("warning: the flight recorder stopped at frame %" PRIu64 ": %s", r->frames,
                 r->reason == CAP_END_SIZE ? "no new snapshot could be made in its bounds"
                                           : strerror(r->error));
        s->failed = s->failed || r->reason == CAP_END_DISK;
    }
}

void record_session_line(struct record_session *s, const char *line)
{
    struct host_recorded recorded;
    if (s->is_abandoned) {
        return;
    }
    if (strncmp(line, "recording ", 10) == 0) {
        s->begun++;
        snprintf(s->writing, sizeof s->writing, "%s", line + 10);
    } else if (strcmp(line, "over") == 0) {
        s->is_over = true;
    } else if (strncmp(line, "trigger ", 8) == 0 && s->flight != NULL) {
        flight_pull(s->flight, line + 8);
    } else if (strncmp(line, "unrecorded ", 11) == 0) {
        char *text;
        (void)strtol(line + 11, &text, 10);
        say_error("%s", text + (*text == ' '));
        s->failed = s->is_over = true;
    } else if (host_record_take_line(&recorded, line)) {
        s->told++;
        s->dropped += recorded.is_dropped;
        if (s->plan->ring_bytes != 0) {
            take_store(s, &recorded);
        } else {
            bool is_written = record_said_file(s->said, &recorded) == SLUICE_EXIT_OK;
            s->failed =
                !is_written || (s->needs_calls && record_said_is_empty(&recorded)) || s->failed;
        }
        s->is_over = s->is_over || s->ends_at_once;
    }
}

void record_session_abandon(struct record_session *s)
{
    s->is_abandoned = true;
    s->told = s->begun;
}

/* ---- triggers ---- */

static int open_signal(struct record_session *s)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->signal_fd < 0) {
        say_error("no descriptor for signals: %s; raise the limit of open files", strerror(errno));
        return SLUICE_EXIT_NOT_THROUGH_US;
    }
    return SLUICE_EXIT_OK;
}

static int open_key(struct record_session *s)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTTIN); /* a look from the background fails instead of stopping us */
    sigprocmask(SIG_BLOCK, &set, NULL);
    s->key_fd = open("/dev/tty", O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (s->key_fd < 0) {
        say_error("--trigger is key, but there is no terminal to read keys from; take signal or "
                  "socket");
        return SLUICE_EXIT_USAGE;
    }
    return SLUICE_EXIT_OK;
}

int record_session_init(struct record_session *s)
{
    s->signal_fd = s->key_fd = -1;
    switch (s->trigger) {
    case RECORD_SIGNAL:
        return open_signal(s);
    case RECORD_KEY:
        return open_key(s);
    default:
        return SLUICE_EXIT_OK;
    }
}

static void say_how(const struct record_session *s)
{
    const char *what =
        s->plan->ring_bytes != 0 ? "writes what happened last" : "begins and ends a recording";
    switch (s->trigger) {
    case RECORD_SIGNAL:
        say_note("kill -USR1 %d %s", (int)getpid(), what);
        break;
    case RECORD_SOCKET:
        say_note("sluice record --dump %s %s", s->path, what);
        break;
    case RECORD_KEY:
        say_note("the return key %s", what);
        break;
    case RECORD_NO_TRIGGER:
        break;
    }
}

int record_session_begin(struct record_session *s, const char *path)
{
    snprintf(s->path, sizeof s->path, "%s", path);
    if (s->trigger == RECORD_SIGNAL || s->trigger == RECORD_KEY) {
        int code = record_link_open(&s->link, s->path);
        s->is_linked = code == SLUICE_EXIT_OK;
        if (!s->is_linked) {
            return code;
        }
    }
    if (s->plan->ring_bytes != 0) {
        const struct flight_options options = {.socket = s->path,
                                               .store = s->store,
                                               .pattern = s->pattern,
                                               .said = s->said,
                                               .ns = s->plan->ring_ns,
                                               .level = s->plan->level,
                                               .force = s->plan->force,
                                               .needs_calls = s->plan->needs_calls};
        s->flight = flight_begin(&options);
        if (s->flight == NULL) {
            return SLUICE_EXIT_NOT_THROUGH_US;
        }
    }
    say_how(s);
    return SLUICE_EXIT_OK;
}

static void pull(struct record_session *s, const char *wish)
{
    char reply[LOCAL_TOOL_TEXT];
    if (s->is_linked) {
        (void)record_link_ask(&s->link, wish, false, reply, sizeof reply);
    }
}

void record_session_look(struct record_session *s)
{
    struct signalfd_siginfo info;
    char keys[256], part[PATH_MAX + 8];
    snprintf(part, sizeof part, "%s.part", s->writing);
    progress_written(&s->progress, s->begun > s->told ? part : NULL);
    while (s->signal_fd >= 0 && read(s->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        pull(s, "record trigger a signal");
    }
    ssize_t got = s->key_fd >= 0 ? read(s->key_fd, keys, sizeof keys) : 0;
    if (got < 0 && errno == EIO) {
        sl_clock_sleep_ns(BACKGROUND_NS);
    }
    for (ssize_t i = 0; i < got; i++) {
        if (keys[i] == '\n') {
            pull(s, "record trigger a key");
        }
    }
    if (s->key_fd >= 0 && got == 0) { /* the terminal went */
        sl_fd_close(&s->key_fd);
    }
}

/* ---- the end ---- */

static int judge_files(const struct record_session *s, int code)
{
    if (s->begun > s->told) {
        say_error("the host ended before it could complete the recording; what was written is in "
                  "%s.part",
                  s->writing);
        return SLUICE_EXIT_NOT_THROUGH_US;
    }
    bool is_nothing = s->told != 0 && s->dropped == s->told && code == SLUICE_EXIT_OK;
    return s->failed || is_nothing ? SLUICE_EXIT_NOT_THROUGH_US : code;
}

int record_session_end(struct record_session *s, const char *why, int code)
{
    bool ok = true;
    if (s->is_linked) {
        record_link_close(&s->link);
        s->is_linked = false;
    }
    sl_fd_close(&s->signal_fd);
    sl_fd_close(&s->key_fd);
    if (s->flight == NULL) {
        return judge_files(s, code);
    }
    uint64_t count = flight_end(s->flight, why, &ok);
    s->flight = NULL;
    if (count == 0 && ok) {
        say_note("flight recorder: nothing asked for what it held; no file was written");
    }
    return ok && !s->failed ? code : SLUICE_EXIT_NOT_THROUGH_US;
}
