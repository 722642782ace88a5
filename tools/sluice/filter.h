/* Which calls of a trace are meant: the selectors that the verbs of traces share, written once.
 * Main thread. */
#ifndef SLUICE_FILTER_H
#define SLUICE_FILTER_H

#include "tools/sluice/calls.h"
#include "tools/sluice/range.h"

#include <regex.h>

#define FILTER_KINDS "draw|compute|clear|upload|memory|sync|submit|create"

/* Behind the first one's place in a verb's table. */
enum {
    FILTER_CALLS,
    FILTER_FRAMES,
    FILTER_SUBMITS,
    FILTER_TIME,
    FILTER_KIND,
    FILTER_SPANS, /* so many say a span of the trace, or a kind */
    FILTER_STREAM = FILTER_SPANS,
    FILTER_GREP,
    FILTER_COUNT
};

/* Designated from `first` on. */
#define FILTER_SPAN_LIST(first)                                                                    \
    [(first) +                                                                                     \
        FILTER_CALLS] = {.name = "calls",                                                          \
                         .kind = OPT_TEXT,                                                         \
                         .value = "RANGE[/KIND]",                                                  \
                         .help = "calls by number, 7,10-20,30+3,0-100/10, or those of a "          \
                                 "kind among them, 10-20/draw"},                                   \
        [(first) + FILTER_FRAMES] = {.name = "frames",                                             \
                                     .kind = OPT_TEXT,                                             \
                                     .value = "RANGE",                                             \
                                     .help = "calls of these frames, counted from 0"},             \
        [(first) + FILTER_SUBMITS] = {.name = "submits",                                           \
                                      .kind = OPT_TEXT,                                            \
                                      .value = "RANGE",                                            \
                                      .help = "calls up to these of Vulkan's queue submits, "      \
                                              "counted from 0"},                                   \
        [(first) +                                                                                 \
            FILTER_TIME] = {.name = "time",                                                        \
                            .kind = OPT_TEXT,                                                      \
                            .value = "RANGE",                                                      \
                            .help =                                                                \
                                "calls of these seconds since the recording began: 3, 0.5-1.25"},  \
        [(first) + FILTER_KIND] = {                                                                \
            .name = "kind",                                                                        \
            .kind = OPT_CHOICE,                                                                    \
            .value = FILTER_KINDS,                                                                 \
            .help = "calls of this kind, and what carries recorded commands of it"}

#define FILTER_LIST(first)                                                                         \
    FILTER_SPAN_LIST(first),                                                                       \
        [(first) + FILTER_STREAM] = {.name = "stream",                                             \
                                     .kind = OPT_TEXT,                                             \
                                     .value = "RANGE",                                             \
                                     .help = "calls of these streams"},                            \
                   [(first) + FILTER_GREP] = {                                                     \
                       .name = "grep",                                                             \
                       .kind = OPT_TEXT,                                                           \
                       .value = "RE",                                                              \
                       .help = "calls whose line matches the extended regular expression"}

struct filter {
    struct range calls, frames, submits, times, streams;
    regex_t grep, kind;
    bool has_grep, has_kind;
};

/* Where a walk through a trace is: the numbers of the frame and of the submit that come next. */
struct filter_place {
    uint64_t frame, submit;
};

/* first: of the list; whole: the list is FILTER_LIST, else FILTER_SPAN_LIST. Returns an exit code;
 * the reason was said. filter_finish in either case. */
int filter_read(struct filter *filter, const struct opt_set *set, size_t first, bool whole);
void filter_finish(struct filter *filter);
/* calls: prints the event, where that is needed. */
bool filter_has(const struct filter *filter, const struct filter_place *place, struct calls *calls,
                const struct cap_event *event);
/* Nothing is left out. */
bool filter_is_all(const struct filter *filter);
/* Its kind alone: of a command by its name; NULL: none. */
bool filter_has_name(const struct filter *filter, const char *name);
/* The walk goes on behind the event. schema: nullable. */
void filter_pass(const struct filter *filter, struct filter_place *place,
                 const struct schema *schema, const struct cap_event *event);
/* Nothing that comes from this event on is meant. */
bool filter_is_over(const struct filter *filter, const struct filter_place *place,
                    const struct cap_event *event);

/* What is meant as a span: played from that frame on, up to the call before `stop_call`. */
struct filter_span {
    uint64_t first_frame, stop_frame, stop_call; /* UINT64_MAX: to the end */
};
/* Goes through the trace where frames alone do not say it. Returns an exit code; USAGE: nothing is
 * meant. path: for messages. */
int filter_span(const struct filter *filter, const char *path, struct cap_reader *reader,
                struct filter_span *out);

/* "10-20/draw": cuts the kind off; *kind: NULL where there is none. option: for messages. False:
 * the reason was said. */
bool filter_parse_set(const char *option, const char *text, struct range *range, const char **kind);
/* The words of FILTER_KINDS by number; NULL: there are no more. */
const char *filter_kind(size_t i);
/* A kind's pattern, for the beginning of lines; `kinds`: as FILTER_KINDS. */
bool filter_compile_kind(const char *word, regex_t *out);

#endif
