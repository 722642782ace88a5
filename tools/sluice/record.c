/* sluice record: a program through Sluice, with everything it asks of the host written down. */
#include "tools/sluice/host_options.h"
#include "tools/sluice/launch.h"
#include "tools/sluice/range.h"
#include "tools/sluice/record_attach.h"
#include "tools/sluice/record_name.h"
#include "tools/sluice/say.h"
#include "tools/sluice/verbs.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What a flight recorder keeps that was asked for seconds. */
#define RING_BYTES ((uint64_t)1 << 30)
#define RING_LEAST ((uint64_t)4 << 20)

enum {
    RECORD_OUTPUT,
    RECORD_ATTACH,
    RECORD_STOP,
    RECORD_DUMP,
    RECORD_FRAMES,
    RECORD_SUBMITS,
    RECORD_TIME,
    RECORD_COUNT,
    RECORD_TRIGGER,
    RECORD_RING,
    RECORD_LEVEL,
    RECORD_MAX_SIZE,
    RECORD_SNAPSHOT_EVERY,
    RECORD_WRITES,
    RECORD_NO_RESOURCES,
    RECORD_HASH,
    RECORD_DURABLE,
    RECORD_FORCE,
    RECORD_QUIT,
    RECORD_ALLOW_IDLE,
    RECORD_ZINK,
    RECORD_PROGRESS,
    RECORD_HOST
};

static const struct opt options[] = {
    [RECORD_OUTPUT] = {.name = "output",
                       .letter = 'o',
                       .kind = OPT_TEXT,
                       .value = "FILE",
                       .fallback = "%n-%t-%p.slc",
                       .help = "%n program, %t UTC time, %p process, %i file's number, %% itself"},
    [RECORD_ATTACH] = {.name = "attach",
                       .kind = OPT_TEXT,
                       .value = "SOCKET",
                       .help = "record a host that runs (serve, device) instead of a program"},
    [RECORD_STOP] = {.name = "stop",
                     .kind = OPT_TEXT,
                     .value = "SOCKET",
                     .help = "end what is recorded there"},
    [RECORD_DUMP] = {.name = "dump",
                     .kind = OPT_TEXT,
                     .value = "SOCKET",
                     .help = "pull the trigger there; prints the name of a --ring's file"},
    [RECORD_FRAMES] = {.name = "frames",
                       .kind = OPT_TEXT,
                       .value = "RANGES",
                       .help = "record these, one file per range; the program runs on"},
    [RECORD_SUBMITS] = {.name = "submits",
                        .kind = OPT_TEXT,
                        .value = "RANGES",
                        .help = "the same by Vulkan's queue submits"},
    [RECORD_TIME] = {.name = "time",
                     .kind = OPT_TEXT,
                     .value = "RANGES",
                     .help = "the same by seconds since the host began"},
    [RECORD_COUNT] = {.name = "count",
                      .kind = OPT_NUMBER,
                      .value = "N",
                      .min = 1,
                      .max = UINT32_MAX,
                      .help = "record N frames, at each trigger where there is one"},
    [RECORD_TRIGGER] = {.name = "trigger",
                        .kind = OPT_CHOICE,
                        .value = "signal|socket|key",
                        .help = "begin and end at SIGUSR1 to sluice, at --dump, at a return key"},
    [RECORD_RING] = {.name = "ring",
                     .kind = OPT_TEXT,
                     .value = "30s|500M",
                     .help = "keep the last of it (1G at most), written at --trigger, crash, loss"},
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
                               .kind = OPT_TEXT,
                               .value = "300|2.5s",
                               .help = "store the whole state every so many frames, or seconds, "
                                       "where replay can start"},
    [RECORD_WRITES] = {.name = "writes",
                       .kind = OPT_CHOICE,
                       .value = "auto|compare",
                       .fallback = "auto",
                       .help = "find writes to mapped memory as the kernel tells them, where it "
                               "can; by comparing every page"},
    [RECORD_NO_RESOURCES] = {.name = "no-resources",
                             .help = "leave out what memory holds: structure, not to be replayed"},
    [RECORD_HASH] = {.name = "hash",
                     .help = "store a hash of every frame's picture: slower, replay compares them"},
    [RECORD_DURABLE] = {.name = "durable", .help = "write to the disk itself once a second"},
    [RECORD_FORCE] = {.name = "force", .letter = 'f', .help = "replace FILE"},
    [RECORD_QUIT] = {.name = "quit-when-done",
                     .help = "end the program when all that was asked for is recorded"},
    [RECORD_ALLOW_IDLE] = {.name = "allow-idle", .help = "it is no failure when nothing is drawn"},
    [RECORD_ZINK] = {.name = "zink",
                     .help = "GL programs draw with Mesa's Zink above our Vulkan: desktop GL too"},
    [RECORD_PROGRESS] = PROGRESS_OPTION,
    HOST_OPTION_LIST(RECORD_HOST),
};

/* ---- the options ---- */

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

/* Files follow one another. */
static bool is_in_order(const struct range *ranges)
{
    for (uint32_t i = 0; i < ranges->count; i++) {
        if (ranges->parts[i].step != 1 ||
            (i != 0 && ranges->parts[i].first <= ranges->parts[i - 1].last)) {
            return false;
        }
    }
    return true;
}

static bool read_ranges(const struct opt_set *set, struct host_record *record)
{
    static const struct {
        size_t option;
        enum cap_unit unit;
    } all[] = {{RECORD_FRAMES, CAP_UNIT_FRAMES},
               {RECORD_SUBMITS, CAP_UNIT_SUBMITS},
               {RECORD_TIME, CAP_UNIT_NS}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const char *name = options[all[i].option].name, *text = opt_text(set, all[i].option);
        if (text == NULL) {
            continue;
        }
        if (record->ranges.count != 0) {
            say_error("--%s and another kind of ranges cannot both be; give one of --frames, "
                      "--submits and --time",
                      name);
            return false;
        }
        bool is_time = all[i].unit == CAP_UNIT_NS;
        if (!(is_time ? range_parse_times : range_parse)(text, &record->ranges) ||
            !is_in_order(&record->ranges)) {
            say_error("--%s is '%s'; it must be ranges like 0-99 or %s, one behind the other", name,
                      text, is_time ? "1.5-2.5,10-" : "10-19,50-");
            return false;
        }
        record->unit = all[i].unit;
    }
    return true;
}

/* "30s", "500M". */
static bool read_ring(const struct opt_set *set, struct host_record *record)
{
    const char *text = opt_text(set, RECORD_RING);
    uint64_t number = 0;
    char *end = NULL;
    if (text == NULL) {
        return true;
    }
    errno = 0;
    number = text[0] >= '0' && text[0] <= '9' ? strtoull(text, &end, 10) : 0;
    const char *unit =
        end != NULL && end[0] != '\0' && end[1] == '\0' ? strchr("sKMG", end[0]) : NULL;
    if (unit == NULL || errno != 0 || number == 0 || number > UINT64_MAX >> 34) {
        say_error("--ring is '%s'; it must be seconds like 30s, or a size like 500M", text);
        return false;
    }
    uint64_t most = opt_number(set, RECORD_MAX_SIZE);
    record->max_size = 0;
    if (*unit == 's') {
        record->ring_ns = number * SL_NS_PER_S;
        record->ring_bytes = most != 0 ? most : RING_BYTES;
        return true;
    }
    record->ring_bytes = number << 10 * (strchr("KMG", *unit) - "KMG" + 1);
    record->ring_bytes = most != 0 && most < record->ring_bytes ? most : record->ring_bytes;
    if (record->ring_bytes < RING_LEAST || record->ring_bytes > UINT64_MAX / 4) {
        say_error("--ring is '%s'; it must be 4M or more", text);
        return false;
    }
    return true;
}

/* "300", frames, or "2.5s". */
static bool read_period(const struct opt_set *set, struct host_record *record)
{
    const char *text = opt_text(set, RECORD_SNAPSHOT_EVERY);
    char *end;
    double number = text != NULL && *text >= '0' && *text <= '9' ? strtod(text, &end) : 0;
    if (text == NULL) {
        return true;
    }
    if (number >= 1e-3 && number <= 1e9 && strcmp(end, "s") == 0) {
        record->snapshot_every_ns = (uint64_t)(number * 1e9);
        return true;
    }
    bool is_frames =
        number >= 1 && number <= UINT32_MAX && text[strspn(text, "0123456789")] == '\0';
    record->snapshot_every = is_frames ? (uint64_t)number : 0;
    if (!is_frames) {
        say_error("--snapshot-every is '%s'; it must be frames like 300, or seconds like 2.5s",
                  text);
    }
    return is_frames;
}

static enum record_trigger read_trigger(const struct opt_set *set)
{
    const char *text = opt_text(set, RECORD_TRIGGER);
    return text == NULL                  ? RECORD_NO_TRIGGER
           : strcmp(text, "signal") == 0 ? RECORD_SIGNAL
           : strcmp(text, "key") == 0    ? RECORD_KEY
                                         : RECORD_SOCKET;
}

/* The name is free. False: the reason is said. */
static bool can_write(const char *path, bool force)
{
    struct stat there;
    if (stat(path, &there) == 0 && S_ISREG(there.st_mode) && !force) {
        say_error("%s is there already; choose another name, or replace it with --force",
                  record_name_shown(path));
        return false;
    }
    return true;
}

/* ---- what goes together ---- */

/* What belongs to a program, or to hosts that run, is not given with the other. */
static bool is_one_thing(const struct opt_set *set)
{
    static const size_t others[] = {RECORD_ATTACH, RECORD_STOP, RECORD_DUMP};
    const char *chosen = NULL;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        const char *name = options[others[i]].name;
        if (opt_text(set, others[i]) == NULL) {
            continue;
        }
        if (chosen != NULL) {
            say_error("--attach begins a recording, --stop ends one, --dump pulls its trigger; "
                      "give one of them");
            return false;
        }
        chosen = name;
    }
    if (chosen != NULL && set->arg_count != 0) {
        say_error("--%s records no program of its own; leave %s out", chosen, set->args[0]);
        return false;
    }
    if (chosen == NULL && set->arg_count == 0) {
        say_error("there is nothing to record; give -- PROGRAM, or --attach SOCKET");
        return false;
    }
    return true;
}

static bool has_end(const struct host_record *record)
{
    const struct range *ranges = &record->ranges;
    return record->frames != 0 ||
           (ranges->count != 0 && ranges->parts[ranges->count - 1].last != UINT64_MAX);
}

/* False: the reason is said. */
static bool is_sensible(const struct opt_set *set, const struct host_record *record)
{
    bool has_trigger = opt_text(set, RECORD_TRIGGER) != NULL;
    bool has_parts = record->ranges.count != 0 || record->frames != 0;
    if (record->ring_bytes != 0 && (has_parts || opt_on(set, RECORD_QUIT))) {
        say_error("--ring keeps the last of all that comes; leave --%s out",
                  has_parts ? "frames, --submits, --time and --count" : "quit-when-done");
    } else if (record->ranges.count != 0 && (has_trigger || record->frames != 0)) {
        say_error("ranges are counted from the beginning; with --%s leave them out",
                  has_trigger ? "trigger" : "count");
    } else if (opt_on(set, RECORD_QUIT) && !has_end(record)) {
        say_error("--quit-when-done needs --count N or a range with an end: else the recording "
                  "ends with the program");
    } else {
        return true;
    }
    return false;
}

/* ---- the verb ---- */

struct paths {
    char pattern[PATH_MAX]; /* of the traces */
    char plan[PATH_MAX];    /* of what the host writes: them, or the store */
    char store[PATH_MAX];
};

/* A flight recorder's store lies beside its first trace. */
static bool make_names(const struct opt_set *set, const struct host_record *record,
                       struct paths *paths)
{
    const char *socket = opt_text(set, RECORD_ATTACH);
    char first[PATH_MAX], ring[PATH_MAX];
    if (!record_name_begin(opt_text(set, RECORD_OUTPUT), socket != NULL ? socket : set->args[0],
                           paths->pattern)) {
        return false;
    }
    bool ok = record_name_of_file(paths->pattern, 0, first);
    if (ok && record->ring_bytes != 0) {
        ok =
            snprintf(ring, sizeof ring, "%s.ring", first) < (int)sizeof ring &&
            record_name_quote(ring, paths->plan) &&
            snprintf(paths->store, sizeof paths->store, "%s.part", ring) < (int)sizeof paths->store;
    } else if (ok) {
        memcpy(paths->plan, paths->pattern, sizeof paths->plan);
    }
    if (!ok) {
        say_error("--output is too long for a file's name");
        return false;
    }
    return can_write(first, record->force);
}

/* Why a flight recorder writes a last trace. NULL: there is no reason. */
static const char *last_reason(const struct record_session *session, int code, char *text,
                               size_t size)
{
    static const int not_crashes[] = {SIGHUP, SIGINT, SIGPIPE, SIGTERM};
    if (session->begun > session->told) {
        return "the host ended";
    }
    for (size_t i = 0; i < sizeof not_crashes / sizeof not_crashes[0]; i++) {
        if (code == 128 + not_crashes[i]) {
            return NULL;
        }
    }
    if (code <= 128 || code > 128 + SIGRTMAX) {
        return NULL;
    }
    snprintf(text, size, "the program crashed (signal %d)", code - 128);
    return text;
}

static int record_program(const struct opt_set *set, struct record_session *session)
{
    struct launch launch = {.argv = set->args,
                            .allow_idle = opt_on(set, RECORD_ALLOW_IDLE),
                            .zink = opt_on(set, RECORD_ZINK),
                            .session = session,
                            .quit_when_recorded = opt_on(set, RECORD_QUIT)};
    char text[64];
    host_options_read(set, RECORD_HOST, &launch.host);
    launch.host.record = *session->plan;
    int code = launch_program(&launch);
    return record_session_end(session, last_reason(session, code, text, sizeof text), code);
}

static int record_files(const struct opt_set *set, struct record_said *said)
{
    struct host_record record = {.argv = set->args,
                                 .force = opt_on(set, RECORD_FORCE),
                                 .needs_calls = !opt_on(set, RECORD_ALLOW_IDLE),
                                 .durable = opt_on(set, RECORD_DURABLE),
                                 .hashes = opt_on(set, RECORD_HASH),
                                 .no_contents = opt_on(set, RECORD_NO_RESOURCES),
                                 .compares = strcmp(opt_text(set, RECORD_WRITES), "compare") == 0,
                                 .max_size = opt_number(set, RECORD_MAX_SIZE),
                                 .frames = opt_number(set, RECORD_COUNT)};
    struct record_session session = {.plan = &record, .trigger = read_trigger(set), .said = said};
    struct paths paths = {.pattern = ""};
    if (!read_level(opt_text(set, RECORD_LEVEL), &record.level) || !read_ranges(set, &record) ||
        !read_ring(set, &record) || !read_period(set, &record) || !is_sensible(set, &record) ||
        !make_names(set, &record, &paths)) {
        return SLUICE_EXIT_USAGE;
    }
    record.pattern = paths.plan;
    record.at_trigger = session.trigger != RECORD_NO_TRIGGER && record.ring_bytes == 0;
    session.ends_at_once = record.at_trigger && opt_on(set, RECORD_QUIT);
    session.pattern = paths.pattern;
    session.store = paths.store;
    int code = record_session_init(&session);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    bool attaches = opt_text(set, RECORD_ATTACH) != NULL;
    session.needs_calls = attaches && !opt_on(set, RECORD_ALLOW_IDLE);
    if (attaches || strcmp(opt_text(set, RECORD_PROGRESS), "json") == 0) {
        progress_begin(&session.progress, set, RECORD_PROGRESS, false);
    } /* else the terminal is the program's */
    code = attaches ? record_attach(opt_text(set, RECORD_ATTACH), &session)
                    : record_program(set, &session);
    progress_end(&session.progress);
    return code;
}

static int record_verb(const struct opt_set *set)
{
    const char *stop = opt_text(set, RECORD_STOP), *dump = opt_text(set, RECORD_DUMP);
    bool json = opt_common_on(set, COMMON_JSON);
    struct record_said said;
    if (!is_one_thing(set)) {
        return SLUICE_EXIT_USAGE;
    }
    if (dump != NULL) {
        return record_pull(dump, json);
    }
    int code = record_said_init(&said, json) ? SLUICE_EXIT_OK : SLUICE_EXIT_NOT_THROUGH_US;
    if (code == SLUICE_EXIT_OK) {
        code = stop != NULL ? record_stop(stop, &said) : record_files(set, &said);
    }
    record_said_finish(&said, code != SLUICE_EXIT_USAGE);
    return code;
}

const struct verb verb_record = {
    .name = "record",
    .summary = "record what one program draws",
    .usage = "-- PROGRAM [ARGS...] | --attach SOCKET | --stop SOCKET | --dump SOCKET",
    .about =
        "Runs the program like run does, and writes all that it asks of the host to FILE, which "
        "replay draws again without it.\n"
        "The program keeps its input, output, signals and exit code. FILE is FILE.part until "
        "it is complete.\n"
        "Where nothing is drawn there is no FILE, and one that --force would replace stays: "
        "125.\n"
        "--attach records what a running host draws, from the end of a frame to --stop or a "
        "signal;\n125 when that was nothing. Of serve --isolate one program: SOCKET@PROCESS, by "
        "its number.\n"
        "Of several files the second and the next have -1, -2 .. in names without %i and %t.\n"
        "--ring keeps the last seconds or bytes beside FILE, never more than --max-size bytes, "
        "and writes\nthem when a trigger, a crash or a lost context asks for it, as often as they "
        "do.\n"
        "With --json the last line on stdout, behind the program's own, says what was recorded.",
    .example = "sluice record -o build.slc -- glmark2-es2 -b build",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .args_min = 0,
    .args_max = SIZE_MAX,
    .starts_program = true,
    .has_json = true,
    .exits = 1u << SLUICE_EXIT_USAGE,
    .passes_exit = true,
    .copies = true,
    .run = record_verb,
};
