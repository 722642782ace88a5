#include "tools/sluice/replay_shown.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/folder.h"
#include "tools/sluice/json.h"
#include "tools/sluice/picture.h"
#include "tools/sluice/say.h"
#include "transport/base/mem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
    uint32_t width_px, height_px;
    uint64_t hash[2];
    bool is_there, is_none; /* none: the frame has no picture */
};

struct shown {
    struct shown_options options;
    struct line *expected; /* by frame */
    uint64_t expected_count;
    uint64_t *times; /* of frames, ns */
    size_t time_count, time_capacity;
    uint64_t time_ns; /* their sum */
    uint64_t frames;  /* shown */
    uint64_t pictures;
    uint64_t compared, differing;
    uint64_t unknown, first_unknown; /* frames of which nothing is known to compare with */
};

/* --- what is expected --- */

static bool add_line(struct shown *s, uint64_t number, const struct line *line)
{
    if (number >= s->expected_count) {
        uint64_t count = number < 1024 ? 1024 : number * 2;
        struct line *more =
            count < UINT32_MAX ? sl_realloc(s->expected, count * sizeof *more) : NULL;
        if (more == NULL) {
            return false;
        }
        memset(more + s->expected_count, 0, (count - s->expected_count) * sizeof *more);
        s->expected = more;
        s->expected_count = count;
    }
    s->expected[number] = *line;
    return true;
}

/* A line as --hash prints it. */
static bool parse_line(const char *text, uint64_t *number, struct line *line)
{
    char hash[40];
    *line = (struct line){.is_there = true};
    if (sscanf(text, "%" SCNu64 " %" SCNu32 "x%" SCNu32 " %39s", number, &line->width_px,
               &line->height_px, hash) != 4) {
        return false;
    }
    line->is_none = strcmp(hash, "none") == 0;
    return line->is_none ||
           sscanf(hash, "%16" SCNx64 "%16" SCNx64, &line->hash[1], &line->hash[0]) == 2;
}

/* Such lines; others are passed by when they begin with "frames". */
static int read_expected(struct shown *s)
{
    const char *path = s->options.expect;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        say_error("--expect is '%s', which cannot be read: %s", path, strerror(errno));
        return SLUICE_EXIT_FILE;
    }
    char text[256];
    int code = SLUICE_EXIT_OK;
    for (uint64_t row = 1; code == SLUICE_EXIT_OK && fgets(text, sizeof text, file) != NULL;
         row++) {
        struct line line;
        uint64_t number;
        if (strncmp(text, "frames ", 7) == 0) {
            continue;
        }
        if (!parse_line(text, &number, &line) || !add_line(s, number, &line)) {
            say_error("--expect is '%s', whose line %" PRIu64 " is none that --hash prints", path,
                      row);
            code = SLUICE_EXIT_FILE;
        }
    }
    fclose(file);
    return code;
}

int shown_create(const struct shown_options *options, struct shown **out)
{
    struct shown *s = sl_alloc(sizeof *s);
    if (s == NULL) {
        say_error("no memory");
        return SLUICE_EXIT_INTERNAL;
    }
    s->options = *options;
    *out = s;
    if (options->shots != NULL) { /* before anything is played */
        char unused[PATH_MAX];
        int code = folder_path(unused, options->out, "", true);
        if (code != SLUICE_EXIT_OK) {
            return code;
        }
    }
    bool has_file = options->expect != NULL && strcmp(options->expect, "live") != 0;
    return has_file ? read_expected(s) : SLUICE_EXIT_OK;
}

void shown_destroy(struct shown *shown)
{
    if (shown != NULL) {
        sl_free(shown->expected);
        sl_free(shown->times);
        sl_free(shown);
    }
}

/* --- frames --- */

static int write_picture(const struct shown *s, const struct rep_frame *frame, const char *what)
{
    char name[64], path[PATH_MAX];
    if (frame->pixels == NULL) {
        say_error("frame %" PRIu64 " has no picture that can be had", frame->number);
        return SLUICE_EXIT_MISSING;
    }
    snprintf(name, sizeof name, "%s-%06" PRIu64 ".png", what, frame->number);
    int code = folder_path(path, s->options.out, name, true);
    return code != SLUICE_EXIT_OK ? code
                                  : picture_write(path, &s->options.pictures, frame->pixels,
                                                  frame->width_px, frame->height_px);
}

/* What the frame should be; false: nothing is known of it. */
static bool expected_of(const struct shown *s, const struct rep_frame *frame, struct line *line)
{
    const struct cap_frame *mark = frame->mark;
    if (strcmp(s->options.expect, "live") == 0) {
        *line = (struct line){.width_px = mark->width_px,
                              .height_px = mark->height_px,
                              .hash = {mark->hash[0], mark->hash[1]},
                              .is_there = (mark->flags & CAP_FRAME_HASH) != 0};
    } else {
        *line = frame->number < s->expected_count ? s->expected[frame->number] : (struct line){0};
    }
    return line->is_there;
}

static int compare(struct shown *s, const struct rep_frame *frame)
{
    struct line line;
    if (!expected_of(s, frame, &line)) {
        s->first_unknown = s->unknown++ == 0 ? frame->number : s->first_unknown;
        return SLUICE_EXIT_OK;
    }
    s->compared++;
    if (line.is_none ? !frame->has_hash
                     : frame->has_hash && line.width_px == frame->width_px &&
                           line.height_px == frame->height_px && line.hash[0] == frame->hash[0] &&
                           line.hash[1] == frame->hash[1]) {
        return SLUICE_EXIT_OK;
    }
    s->differing++;
    say_error("frame %" PRIu64 ": expected %" PRIu32 "x%" PRIu32 " %016" PRIx64 "%016" PRIx64
              ", got %" PRIu32 "x%" PRIu32 " %016" PRIx64 "%016" PRIx64,
              frame->number, line.width_px, line.height_px, line.hash[1], line.hash[0],
              frame->width_px, frame->height_px, frame->hash[1], frame->hash[0]);
    return frame->pixels != NULL ? write_picture(s, frame, "differs") : SLUICE_EXIT_OK;
}

static void add_time(struct shown *s, uint64_t ns)
{
    s->time_ns += ns;
    if (s->time_count == s->time_capacity) {
        size_t capacity = s->time_capacity != 0 ? s->time_capacity * 2 : 1024;
        uint64_t *more = sl_realloc(s->times, capacity * sizeof *more);
        if (more == NULL) {
            return;
        }
        s->times = more;
        s->time_capacity = capacity;
    }
    s->times[s->time_count++] = ns;
}

static void print_hash(const struct shown *s, const struct rep_frame *frame)
{
    if (s->options.json) {
        printf("{\"schema\": 1, \"frame\": %" PRIu64 ", \"width\": %" PRIu32
               ", \"height\": %" PRIu32 ", \"hash\": ",
               frame->number, frame->width_px, frame->height_px);
        if (frame->has_hash) {
            printf("\"%016" PRIx64 "%016" PRIx64 "\"}\n", frame->hash[1], frame->hash[0]);
        } else {
            fputs("null}\n", stdout);
        }
    } else if (frame->has_hash) {
        printf("%" PRIu64 " %" PRIu32 "x%" PRIu32 " %016" PRIx64 "%016" PRIx64 "\n", frame->number,
               frame->width_px, frame->height_px, frame->hash[1], frame->hash[0]);
    } else {
        printf("%" PRIu64 " %" PRIu32 "x%" PRIu32 " none\n", frame->number, frame->width_px,
               frame->height_px);
    }
}

int shown_frame(struct shown *shown, const struct rep_frame *frame)
{
    int code = SLUICE_EXIT_OK;
    add_time(shown, frame->end_ns > frame->begin_ns ? frame->end_ns - frame->begin_ns : 0);
    shown->frames++;
    if (shown->options.hash) {
        print_hash(shown, frame);
    }
    if (shown->options.expect != NULL) {
        code = compare(shown, frame);
    }
    if (code == SLUICE_EXIT_OK && shown->options.shots != NULL &&
        drawn_wants_frame(shown->options.shots, frame->number, frame->mark)) {
        code = write_picture(shown, frame, "frame");
        shown->pictures += code == SLUICE_EXIT_OK;
    }
    return code;
}

int shown_end(const struct shown *shown)
{
    if (shown->options.shots != NULL && shown->pictures == 0) {
        say_error("none of the frames that --shots names was played, and no picture written");
        return SLUICE_EXIT_USAGE;
    }
    if (shown->unknown != 0) {
        bool is_live = strcmp(shown->options.expect, "live") == 0;
        say_error("%s has no hash of %" PRIu64 " of %" PRIu64 " frames, the first of them frame "
                  "%" PRIu64 "; %s --hash",
                  is_live ? "the trace" : shown->options.expect, shown->unknown, shown->frames,
                  shown->first_unknown, is_live ? "record with" : "write it anew by replay");
    }
    if (shown->unknown != 0 && shown->compared == 0) {
        return SLUICE_EXIT_USAGE; /* no answer, thus no different one */
    }
    return shown->differing != 0 || shown->unknown != 0 ? SLUICE_EXIT_DIFFERENT : SLUICE_EXIT_OK;
}

/* --- the last line --- */

static int by_value(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;
    return *a < *b ? -1 : *a > *b;
}

static double percentile_ms(const struct shown *s, double part)
{
    size_t i = (size_t)((double)s->time_count * part);
    return s->time_count != 0 ? (double)s->times[i < s->time_count ? i : s->time_count - 1] / 1e6
                              : 0;
}

void shown_last_line(struct shown *shown, const struct rep_report *report, bool complete,
                     uint64_t load_ns, const char *device)
{
    if (shown->time_count != 0) {
        qsort(shown->times, shown->time_count, sizeof *shown->times, by_value);
    }
    say_clear_line();
    bool is_part = shown->frames != report->frames; /* others led to them */
    double seconds = (double)(is_part ? shown->time_ns : report->time_ns) / 1e9;
    double fps = seconds > 0 ? (double)shown->frames / seconds : 0;
    double p50 = percentile_ms(shown, 0.50), p95 = percentile_ms(shown, 0.95),
           p99 = percentile_ms(shown, 0.99), most = percentile_ms(shown, 1);
    if (shown->options.json) {
        printf("{\"schema\": 1, \"complete\": %s, \"frames\": %" PRIu64 ", \"played\": %" PRIu64
               ", \"calls\": %" PRIu64
               ", \"seconds\": %.6f, \"fps\": %.3f, \"frame_ms\": {\"p50\": %.4f, \"p95\": %.4f, "
               "\"p99\": %.4f, \"max\": %.4f}, \"load_seconds\": %.6f, \"differing\": %" PRIu64
               ", \"without_hash\": %" PRIu64 ", \"device\": ",
               complete ? "true" : "false", shown->frames, report->frames, report->calls, seconds,
               fps, p50, p95, p99, most, (double)load_ns / 1e9, shown->differing, shown->unknown);
        json_text(stdout, device);
        fputs("}\n", stdout);
        return;
    }
    if (is_part) {
        say_detail("%" PRIu64 " frames were played for %" PRIu64, report->frames, shown->frames);
    }
    printf("frames %" PRIu64 "  time %.3f s  fps %.1f  frame ms p50 %.1f p95 %.1f p99 %.1f max "
           "%.1f  load %.2f s  device \"%s\"\n",
           shown->frames, seconds, fps, p50, p95, p99, most, (double)load_ns / 1e9, device);
}
