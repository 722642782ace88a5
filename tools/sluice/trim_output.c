#include "tools/sluice/trim_output.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/folder.h"
#include "tools/sluice/say.h"
#include "host/capture/cap_part.h"
#include "transport/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what is left of it --- */

enum { WORKS = 4, SIGNALS = 3 };

static const int signals[SIGNALS] = {SIGINT, SIGTERM, SIGHUP};

/* For the signals' handler. */
static struct {
    char works[WORKS][PATH_MAX + 32];
    char folder[PATH_MAX];
    struct sigaction before[SIGNALS];
} begun;

static void remove_works(void)
{
    for (int i = 0; i < WORKS; i++) {
        (void)unlink(begun.works[i]);
    }
    if (begun.folder[0] != '\0') {
        (void)rmdir(begun.folder);
    }
}

static void on_signal(int number)
{
    remove_works();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static void guard(const struct trim_output *o)
{
    static const char *const ends[WORKS] = {"", ".part", TRIM_OUTPUT_REACHED,
                                            TRIM_OUTPUT_REACHED ".part"};
    struct sigaction action = {.sa_handler = on_signal};
    for (int i = 0; i < WORKS; i++) {
        snprintf(begun.works[i], sizeof begun.works[i], "%s%s", o->work, ends[i]);
    }
    memcpy(begun.folder, o->folder, sizeof begun.folder);
    for (int i = 0; i < SIGNALS; i++) {
        (void)sigaction(signals[i], NULL, &begun.before[i]);
        if (begun.before[i].sa_handler != SIG_IGN) {
            (void)sigaction(signals[i], &action, NULL);
        }
    }
}

static void unguard(void)
{
    remove_works();
    for (int i = 0; i < SIGNALS; i++) {
        (void)sigaction(signals[i], &begun.before[i], NULL);
    }
}

/* --- its beginning --- */

/* An empty one says that the name is taken. */
static int reserve(const struct trim_output *o)
{
    int fd;
    switch (cap_part_open(o->work, o->replaces, &fd)) {
    case SL_OK:
        sl_fd_close(&fd);
        return SLUICE_EXIT_OK;
    case SL_ERR_AGAIN:
        say_error("%s is being written by somebody else; choose another name", o->work);
        return SLUICE_EXIT_USAGE;
    case SL_ERR_INVALID:
        say_error("%s is there already; choose another name, or replace it with --force", o->work);
        return SLUICE_EXIT_USAGE;
    default:
        say_error("%s: cannot be written: %s", o->name, strerror(errno));
        return SLUICE_EXIT_FILE;
    }
}

static int begin_stream(struct trim_output *o)
{
    if (strcmp(o->name, "-") == 0 && isatty(STDOUT_FILENO) == 1) {
        say_error("standard output is a terminal; name a file, or pipe it somewhere");
        return SLUICE_EXIT_USAGE;
    }
    int code = folder_temporary(o->folder);
    return code == SLUICE_EXIT_OK ? folder_path(o->work, o->folder, "out.slc", false) : code;
}

int trim_output_begin(struct trim_output *o, const char *name, bool replaces)
{
    struct stat there;
    *o = (struct trim_output){.name = name, .replaces = replaces};
    bool exists = stat(name, &there) == 0;
    o->is_stream = strcmp(name, "-") == 0 || (exists && !S_ISREG(there.st_mode));
    if (exists && S_ISDIR(there.st_mode)) {
        say_error("%s: is a folder; name a file in it", name);
        return SLUICE_EXIT_FILE;
    }
    if (exists && !o->is_stream && !replaces) {
        say_error("%s is there already; choose another name, or replace it with --force", name);
        return SLUICE_EXIT_USAGE;
    }
    int code;
    if (o->is_stream) {
        code = begin_stream(o);
    } else if (strlen(name) + sizeof ".part" TRIM_OUTPUT_REACHED ".part" > sizeof o->work) {
        say_error("--output is too long for a file's name");
        code = SLUICE_EXIT_USAGE;
    } else {
        snprintf(o->work, sizeof o->work, "%s.part", name);
        code = reserve(o);
    }
    if (code == SLUICE_EXIT_OK) {
        guard(o);
    }
    return code;
}

/* --- its end --- */

static bool copy_all(int from, int to)
{
    char block[65536];
    for (ssize_t got; (got = read(from, block, sizeof block)) != 0;) {
        if (got < 0 && errno != EINTR) {
            return false;
        }
        for (ssize_t at = 0; at < got;) {
            ssize_t put = write(to, block + at, (size_t)(got - at));
            if (put < 0 && errno != EINTR) {
                return false;
            }
            at += put > 0 ? put : 0;
        }
    }
    return true;
}

static bool give_stream(const struct trim_output *o)
{
    int from = open(o->work, O_RDONLY | O_CLOEXEC);
    bool is_output = strcmp(o->name, "-") == 0;
    int to = is_output ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                       : open(o->name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    bool done = from >= 0 && to >= 0 && copy_all(from, to);
    int error = errno;
    sl_fd_close(&from);
    if (to >= 0) {
        done = close(to) == 0 && done;
        error = done ? error : errno;
    }
    errno = error;
    return done;
}

int trim_output_end(struct trim_output *o, int code, uint64_t *size)
{
    struct stat file;
    if (code == SLUICE_EXIT_OK) {
        *size = stat(o->work, &file) == 0 ? (uint64_t)file.st_size : 0;
        if (!(o->is_stream ? give_stream(o)
                           : cap_part_name(o->work, o->name, o->replaces) == SL_OK)) {
            say_error("%s: cannot be written: %s", o->name, strerror(errno));
            code = SLUICE_EXIT_FILE;
        }
    }
    unguard();
    return code;
}
