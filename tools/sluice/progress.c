#include "tools/sluice/progress.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "transport/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVERY_NS (100 * SL_NS_PER_MS)

/* A terminal that takes a line away: some, and logs of scripts, show the control codes instead. */
static bool can_write_over(void)
{
    const char *terminal = getenv("TERM");
    return terminal != NULL && terminal[0] != '\0' && strcmp(terminal, "dumb") != 0;
}

void progress_begin(struct progress *p, const struct opt_set *set, size_t option, bool prints)
{
    const char *word = opt_text(set, option);
    bool is_terminal = isatty(STDERR_FILENO) == 1 && !(prints && isatty(STDOUT_FILENO) == 1) &&
                       can_write_over() && !opt_common_on(set, COMMON_QUIET);
    *p = (struct progress){.begin_ns = sl_clock_ns(), .runs = 1};
    p->told_ns = p->begin_ns;
    p->mode = strcmp(word, "json") == 0                  ? PROGRESS_JSON
              : strcmp(word, "auto") == 0 && is_terminal ? PROGRESS_LINE
                                                         : PROGRESS_OFF;
    if (p->mode == PROGRESS_LINE) {
        say_line("%s", ""); /* a worker's talk takes away what its starter has written */
    }
}

void progress_through(struct progress *p, const struct cap_reader *reader, uint32_t runs)
{
    p->last_stamp = 0;
    for (uint32_t i = 0; p->mode != PROGRESS_OFF && i < reader->chunk_count; i++) {
        const struct cap_chunk *c = &reader->chunks[i];
        uint64_t stamp = c->first_stamp + c->records;
        p->last_stamp = stamp > p->last_stamp ? stamp : p->last_stamp;
    }
    p->bytes = reader->size;
    p->runs = runs;
}

/* How much of all of it; 0: not known. */
static double part_of(const struct progress *p)
{
    double part = p->last_stamp != 0 ? (double)p->stamp / (double)p->last_stamp : 0;
    return (p->run + (part < 1 ? part : 1)) / p->runs;
}

static void say(struct progress *p, uint64_t now, bool is_done)
{
    double seconds = (double)(now - p->begin_ns) / 1e9, part = is_done ? 1 : part_of(p);
    part = p->part = part > p->part ? part : p->part;
    double left = part > 0 ? seconds / part - seconds : -1;
    double run_part = part * p->runs - p->run;
    double bytes = (double)p->bytes * (run_part < 1 ? run_part : 1);
    char call[TRACE_NUMBER];
    if (p->mode == PROGRESS_JSON) {
        fprintf(stderr,
                "{\"schema\": 1, \"progress\": {\"frame\": %" PRIu64 ", \"call\": %" PRIu64
                ", \"bytes\": %.0f, \"bytes_total\": %" PRIu64 ", \"run\": %u, \"runs\": %u, "
                "\"part\": %.4f, \"seconds\": %.3f, \"seconds_left\": ",
                p->frame, p->stamp, bytes, p->bytes, p->run, p->runs, part, seconds);
        fprintf(stderr, left >= 0 ? "%.3f" : "null", left);
        fprintf(stderr, ", \"done\": %s}}\n", is_done ? "true" : "false");
    } else if (!is_done) {
        say_line("frame %" PRIu64 "  call %s  %.1f of %.1f MB  %.0f %%  %.0f s left", p->frame,
                 trace_number(p->stamp, call), bytes / 1e6, (double)p->bytes / 1e6, part * 100,
                 left >= 0 ? left : 0.0);
    }
    fflush(stderr);
}

static void say_written(const struct progress *p, uint64_t now, bool is_done)
{
    double seconds = (double)(now - p->begin_ns) / 1e9;
    if (p->mode == PROGRESS_JSON) {
        fprintf(stderr,
                "{\"schema\": 1, \"progress\": {\"bytes\": %" PRIu64
                ", \"seconds\": %.3f, \"done\": %s}}\n",
                p->bytes, seconds, is_done ? "true" : "false");
        fflush(stderr);
    } else {
        say_line("%.1f MB in %.0f s", (double)p->bytes / 1e6, seconds);
    }
}

void progress_look(struct progress *p, uint64_t frame, uint64_t stamp)
{
    uint64_t now = p->mode != PROGRESS_OFF ? sl_clock_ns() : 0;
    p->frame = frame;
    p->stamp = stamp;
    if (p->mode != PROGRESS_OFF && now - p->told_ns >= EVERY_NS) {
        p->told_ns = now;
        say(p, now, false);
    }
}

void progress_written(struct progress *p, const char *path)
{
    struct stat file;
    uint64_t now = p->mode != PROGRESS_OFF ? sl_clock_ns() : 0;
    p->writes = true;
    if (p->mode == PROGRESS_OFF || now - p->told_ns < EVERY_NS || path == NULL ||
        stat(path, &file) != 0) {
        return;
    }
    p->told_ns = now;
    p->bytes = (uint64_t)file.st_size;
    say_written(p, now, false);
}

void progress_end(struct progress *p)
{
    if (p->mode == PROGRESS_JSON && p->writes) {
        say_written(p, sl_clock_ns(), true);
        p->mode = PROGRESS_OFF;
    }
    if (p->mode == PROGRESS_JSON) {
        p->run = p->runs - 1;
        say(p, sl_clock_ns(), true);
    } else if (p->mode == PROGRESS_LINE) {
        say_line(NULL);
    }
    p->mode = PROGRESS_OFF;
}
