/* sluice record: a program through Sluice, with everything it asks of the host written down. */
#include "tools/sluice/host_options.h"
#include "tools/sluice/launch.h"
#include "tools/sluice/range.h"
#include "tools/sluice/record_attach.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "tools/sluice/verbs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    RECORD_OUTPUT,
    RECORD_ATTACH,
    RECORD_STOP,
    RECORD_FRAMES,
    RECORD_LEVEL,
    RECORD_MAX_SIZE,
    RECORD_SNAPSHOT_EVERY,
    RECORD_HASH,
    RECORD_DURABLE,
    RECORD_FORCE,
    RECORD_QUIT,
    RECORD_ALLOW_IDLE,
    RECORD_ZINK,
    RECORD_HOST
};

static const struct opt options[] = {
    [RECORD_OUTPUT] = {.name = "output",
                       .letter = 'o',
                       .kind = OPT_TEXT,
                       .value = "FILE",
                       .fallback = "%n-%t-%p.slc",
                       .help = "%n program, %t UTC time, %p process, %% itself"},
    [RECORD_ATTACH] = {.name = "attach",
                       .kind = OPT_TEXT,
                       .value = "SOCKET",
                       .help = "record a host that runs (serve, device) instead of a program"},
    [RECORD_STOP] = {.name = "stop",
                     .kind = OPT_TEXT,
                     .value = "SOCKET",
                     .help = "end what is recorded there"},
    [RECORD_FRAMES] = {.name = "frames",
                       .kind = OPT_TEXT,
                       .value = "A-B",
                       .help = "record these; the program runs on"},
    [RECORD_LEVEL] = {.name = "level",
                      .letter = 'l',
                      .kind = OPT_TEXT,
                      .value = "N",
                      .fallback = "1",
                      .help = "zstd level, -7 to 19; 0 packs nothing"},
    [RECORD_MAX_SIZE] = {.name = "max-size",
                         .kind = OPT_NUMBER,
                         .value = "BYTES",
                         .min = 4u << 20,
                         .max = UINT64_MAX / 2,
                         .help = "stop recording before the file is larger"},
    [RECORD_SNAPSHOT_EVERY] = {.name = "snapshot-every",
                               .kind = OPT_NUMBER,
                               .value = "N",
                               .min = 1,
                               .max = UINT32_MAX,
                               .help = "store the whole state every N frames, where replay can "
                                       "start; the program stands still meanwhile"},
    [RECORD_HASH] = {.name = "hash",
                     .help = "store a hash of every frame's picture: slower, replay compares them"},
    [RECORD_DURABLE] = {.name = "durable", .help = "write to the disk itself once a second"},
    [RECORD_FORCE] = {.name = "force", .letter = 'f', .help = "replace FILE"},
    [RECORD_QUIT] = {.name = "quit-when-done",
                     .help = "end the program when the last frame of --frames is recorded"},
    [RECORD_ALLOW_IDLE] = {.name = "allow-idle",
                           .help = "it is no failure when the program draws nothing"},
    [RECORD_ZINK] = {.name = "zink",
                     .help = "GL programs draw with Mesa's Zink above our Vulkan: desktop GL too"},
    HOST_OPTION_LIST(RECORD_HOST),
};

/* ---- the options ---- */

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

/* False: the reason is said. */
static bool make_name(const char *pattern, const char *program, char name[PATH_MAX])
{
    const char *slash = strrchr(program, '/');
    char part[128];
    size_t used = 0;
    for (const char *at = pattern; *at != '\0'; at++) {
        snprintf(part, sizeof part, "%c", *at);
        if (*at == '%') {
            switch (*++at) {
            case 'n':
                snprintf(part, sizeof part, "%.100s", slash != NULL ? slash + 1 : program);
                break;
            case 't':
                write_time(part, sizeof part);
                break;
            case 'p':
                snprintf(part, sizeof part, "%d", (int)getpid());
                break;
            case '%':
                break;
            default:
                say_error(
                    "--output is '%s', in which %%%s means nothing; %%n, %%t, %%p and %%%% do",
                    pattern, *at != '\0' ? (char[]){*at, '\0'} : "");
                return false;
            }
        }
        size_t size = strlen(part);
        if (used + size + sizeof ".part" > PATH_MAX) {
            say_error("--output is too long for a file's name");
            return false;
        }
        memcpy(name + used, part, size + 1);
        used += size;
    }
    return true;
}

static bool read_level(const char *text, int *level)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || value < -7 || value > 19) {
        say_error("--level is '%s'; it must be a number from -7 to 19", text);
        return false;
    }
    *level = (int)value;
    return true;
}

static bool read_frames(const char *text, struct host_record *record)
{
    struct range range;
    if (text == NULL) {
        return true;
    }
    if (!range_parse(text, &range) || range.count != 1 || range.parts[0].step != 1) {
        say_error("--frames is '%s'; it must be one range like 0-99", text);
        return false;
    }
    uint64_t first = range.parts[0].first, last = range.parts[0].last;
    record->skip = first;
    record->frames = last == UINT64_MAX ? 0 : last - first + 1;
    return true;
}

/* The name is free. False: the reason is said. */
static bool can_write(const char *path, bool force)
{
    struct stat there;
    if (stat(path, &there) == 0 && S_ISREG(there.st_mode) && !force) {
        say_error("%s is there already; choose another name, or replace it with --force", path);
        return false;
    }
    return true;
}

/* ---- hosts that run ---- */

/* The host has another directory. False: the reason was said. */
static bool make_absolute(char path[PATH_MAX])
{
    char directory[PATH_MAX], full[PATH_MAX];
    if (path[0] == '/') {
        return true;
    }
    if (getcwd(directory, sizeof directory) == NULL ||
        snprintf(full, sizeof full, "%s/%s", directory, path) >= PATH_MAX) {
        say_error("--output is too long for a file's name");
        return false;
    }
    memcpy(path, full, sizeof full);
    return true;
}

/* ---- the end ---- */

static void say_recorded(const char *path, const struct host_recorded *r)
{
    char calls[TRACE_NUMBER], range[64] = "none";
    double size = (double)r->file_size;
    if (r->frames != 0) {
        snprintf(range, sizeof range, "0-%llu", (unsigned long long)(r->frames - 1));
    }
    say_note("recorded frames %s  calls %s  streams %llu  memory %.1f MB (dedup %.1f MB)  -> %s  "
             "%.1f MB  %.1f B/call  tap %.1f %% of decode time",
             range, trace_number(r->calls, calls), (unsigned long long)r->streams,
             (double)r->memory_bytes / 1e6, (double)r->shared_bytes / 1e6, path, size / 1e6,
             r->calls != 0 ? size / (double)r->calls : 0.0,
             r->decode_ns != 0 ? 100.0 * (double)r->tap_ns / (double)r->decode_ns : 0.0);
    if (r->stall_ns >= 10000000) {
        say_note("the program waited %.2f s for the recording; a lower --level or a faster disk "
                 "helps",
                 (double)r->stall_ns / 1e9);
    }
}

/* The exit code when the recording itself did not go well; else the program's. */
static int judge(const char *path, const struct host_recorded *r, int code)
{
    if (!r->is_told) {
        say_error("the host ended before it could complete the recording; what was written is in "
                  "%s.part",
                  path);
        return SLUICE_EXIT_NOT_THROUGH_US;
    }
    say_recorded(path, r);
    if (r->reason == CAP_END_DISK) {
        say_note("warning: recording stopped at frame %llu: %s", (unsigned long long)r->frames,
                 r->error == ENOSPC ? "no space left" : strerror(r->error));
    } else if (r->reason == CAP_END_SIZE) {
        say_note("recording stopped at frame %llu: the file has the size it may have",
                 (unsigned long long)r->frames);
    }
    if (!r->has_name) {
        say_error("%s.part could not be given its name: %s", path, strerror(r->error));
    }
    return r->reason == CAP_END_DISK || !r->has_name ? SLUICE_EXIT_NOT_THROUGH_US : code;
}

/* What belongs to a program, or to hosts that run, is not given with the other. */
static bool is_sensible(const struct opt_set *set)
{
    bool attaches = opt_text(set, RECORD_ATTACH) != NULL,
         stops = opt_text(set, RECORD_STOP) != NULL;
    if (attaches && stops) {
        say_error("--attach begins a recording and --stop ends one; give one of them");
    } else if ((attaches || stops) && set->arg_count != 0) {
        say_error("--%s records no program of its own; leave %s out", attaches ? "attach" : "stop",
                  set->args[0]);
    } else if (!attaches && !stops && set->arg_count == 0) {
        say_error("there is nothing to record; give -- PROGRAM, or --attach SOCKET");
    } else {
        return true;
    }
    return false;
}

static int stop(const char *socket)
{
    struct host_recorded recorded = {0};
    int code = record_stop(socket, &recorded);
    if (code == SLUICE_EXIT_OK) {
        say_recorded("its file", &recorded);
    }
    return code;
}

static int record_verb(const struct opt_set *set)
{
    struct launch launch = {.argv = set->args,
                            .allow_idle = opt_on(set, RECORD_ALLOW_IDLE),
                            .zink = opt_on(set, RECORD_ZINK),
                            .quit_when_recorded = opt_on(set, RECORD_QUIT)};
    struct host_record *record = &launch.host.record;
    struct host_recorded recorded = {0};
    const char *socket = opt_text(set, RECORD_ATTACH);
    char path[PATH_MAX];
    if (!is_sensible(set)) {
        return SLUICE_EXIT_USAGE;
    }
    if (opt_text(set, RECORD_STOP) != NULL) {
        return stop(opt_text(set, RECORD_STOP));
    }
    host_options_read(set, RECORD_HOST, &launch.host);
    *record = (struct host_record){.path = path,
                                   .argv = set->args,
                                   .force = opt_on(set, RECORD_FORCE),
                                   .durable = opt_on(set, RECORD_DURABLE),
                                   .hashes = opt_on(set, RECORD_HASH),
                                   .max_size = opt_number(set, RECORD_MAX_SIZE),
                                   .snapshot_every = opt_number(set, RECORD_SNAPSHOT_EVERY)};
    if (!make_name(opt_text(set, RECORD_OUTPUT), socket != NULL ? socket : set->args[0], path) ||
        !read_level(opt_text(set, RECORD_LEVEL), &record->level) ||
        !read_frames(opt_text(set, RECORD_FRAMES), record) || !can_write(path, record->force)) {
        return SLUICE_EXIT_USAGE;
    }
    if (launch.quit_when_recorded && record->frames == 0) {
        say_error("--quit-when-done needs --frames A-B: without it the recording ends with the "
                  "program");
        return SLUICE_EXIT_USAGE;
    }
    if (socket != NULL) {
        int code =
            make_absolute(path) ? record_attach(socket, record, &recorded) : SLUICE_EXIT_USAGE;
        return recorded.was_begun && code == SLUICE_EXIT_OK ? judge(path, &recorded, code) : code;
    }
    int code = launch_program(&launch, &recorded);
    return recorded.was_begun ? judge(path, &recorded, code) : code;
}

const struct verb verb_record = {
    .name = "record",
    .summary = "record what one program draws",
    .usage = "-- PROGRAM [ARGS...] | --attach SOCKET | --stop SOCKET",
    .about =
        "Runs the program like run does, and writes all that it asks of the host to FILE, which "
        "replay draws again without it.\n"
        "The program keeps its input, output, signals and exit code. FILE is FILE.part until "
        "it is complete.\n"
        "--attach records what a running host draws, from the end of a frame to --stop or a "
        "signal.",
    .example = "sluice record -o build.slc -- glmark2-es2 -b build",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_min = 0,
    .args_max = SIZE_MAX,
    .starts_program = true,
    .exits = 1u << SLUICE_EXIT_USAGE,
    .passes_exit = true,
    .run = record_verb,
};
