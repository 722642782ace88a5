#include "tools/sluice/filter.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "transport/base/bytes.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Lines of these kinds, those of recorded commands among them. */
static const struct {
    const char *name, *pattern;
} kinds[] = {
    {"draw", "^ *(gl(Multi)?Draw(Arrays|Elements|Range|Tex)|vkCmdDraw)"},
    {"compute", "^ *(glDispatch|vkCmdDispatch)"},
    {"clear", "^ *(glClear([^A-Za-z]|$|Buffer|Tex)|vkCmdClear)"},
    {"upload", "^ *(gl(Compressed)?Tex(Sub)?Image|glBuffer(Sub)?Data|"
               "vkCmd(CopyBuffer|UpdateBuffer|FillBuffer))"},
    {"memory",
     "^ *(vk(Allocate|Free|Map|Unmap|Bind)[A-Za-z]*Memory|"
     "vk(Flush|Invalidate)MappedMemory|gl(BufferData|Map|Unmap|TexStorage|Renderbuffer))"},
    {"sync", "^ *(vk[A-Za-z]*(Fence|Semaphore|Event|Wait|Barrier)|"
             "gl(Finish|Flush|Fence|ClientWait|Wait|MemoryBarrier)|rc[A-Za-z]*Sync)"},
    {"submit", "^ *(vkQueue(Submit|BindSparse)|glFlush)"},
    {"create", "^ *((vk|rc)Create|vkAllocate|gl(Gen|Create))"},
};

const char *filter_kind(size_t i)
{
    return i < sizeof kinds / sizeof kinds[0] ? kinds[i].name : NULL;
}

bool filter_compile_kind(const char *word, regex_t *out)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, word) == 0) {
            return regcomp(out, kinds[i].pattern, REG_EXTENDED | REG_NOSUB | REG_NEWLINE) == 0;
        }
    }
    return false;
}

bool filter_parse_set(const char *option, const char *text, struct range *range, const char **kind)
{
    char numbers[512];
    const char *slash = text != NULL ? strrchr(text, '/') : NULL;
    bool has_kind = slash != NULL && isalpha((unsigned char)slash[1]);
    *kind = has_kind ? slash + 1 : NULL;
    int size = has_kind ? (int)(slash - text) : text != NULL ? (int)strlen(text) : 0;
    bool fits = snprintf(numbers, sizeof numbers, "%.*s", size, text != NULL ? text : "") <
                (int)sizeof numbers;
    if (!fits || !range_parse(text != NULL ? numbers : NULL, range)) {
        say_error("--%s is '%s'; it should be numbers like 7,10-20,10-,30+3,0-100/10, or a kind "
                  "among them, 10-20/draw, */draw",
                  option, text);
        return false;
    }
    return true;
}

/* --- from options --- */

static int read_kind(struct filter *f, const struct opt_set *set, size_t first)
{
    const char *behind, *kind = opt_text(set, first + FILTER_KIND);
    if (!filter_parse_set("calls", opt_text(set, first + FILTER_CALLS), &f->calls, &behind)) {
        return SLUICE_EXIT_USAGE;
    }
    if (behind != NULL && (kind != NULL || !opt_is_choice(FILTER_KINDS, behind))) {
        say_error("--calls ends in /%s; %s", behind,
                  kind != NULL ? "--kind says another one: leave out either"
                               : "it should be one of " FILTER_KINDS);
        return SLUICE_EXIT_USAGE;
    }
    kind = kind != NULL ? kind : behind;
    f->has_kind = kind != NULL && filter_compile_kind(kind, &f->kind);
    if (kind != NULL && !f->has_kind) {
        say_error("no memory");
        return SLUICE_EXIT_INTERNAL;
    }
    return SLUICE_EXIT_OK;
}

static int read_grep(struct filter *f, const char *grep)
{
    int wrong = grep != NULL ? regcomp(&f->grep, grep, REG_EXTENDED | REG_NOSUB) : 0;
    if (wrong != 0) {
        char why[128];
        regerror(wrong, &f->grep, why, sizeof why);
        say_error("--grep is '%s'; it should be an extended regular expression: %s", grep, why);
        return SLUICE_EXIT_USAGE;
    }
    f->has_grep = grep != NULL;
    return SLUICE_EXIT_OK;
}

int filter_read(struct filter *f, const struct opt_set *set, size_t first, bool whole)
{
    *f = (struct filter){.has_grep = false};
    if (!range_option(set, first + FILTER_FRAMES, &f->frames) ||
        !range_option(set, first + FILTER_SUBMITS, &f->submits) ||
        !range_option_times(set, first + FILTER_TIME, &f->times) ||
        (whole && !range_option(set, first + FILTER_STREAM, &f->streams))) {
        return SLUICE_EXIT_USAGE;
    }
    int code = read_kind(f, set, first);
    return code == SLUICE_EXIT_OK && whole ? read_grep(f, opt_text(set, first + FILTER_GREP))
                                           : code;
}

void filter_finish(struct filter *f)
{
    if (f->has_grep) {
        regfree(&f->grep);
    }
    if (f->has_kind) {
        regfree(&f->kind);
    }
}

/* --- of a walk --- */

static bool is_in_span(const struct filter *f, const struct filter_place *place,
                       const struct cap_event *event)
{
    return range_has(&f->calls, event->stamp) && range_has(&f->frames, place->frame) &&
           range_has(&f->submits, place->submit) && range_has(&f->times, event->time);
}

bool filter_has(const struct filter *f, const struct filter_place *place, struct calls *calls,
                const struct cap_event *event)
{
    if (!is_in_span(f, place, event) || !range_has(&f->streams, event->stream)) {
        return false;
    }
    const char *text = f->has_grep || f->has_kind ? calls_text(calls, event) : "";
    return (!f->has_kind || regexec(&f->kind, text, 0, NULL, 0) == 0) &&
           (!f->has_grep || regexec(&f->grep, text, 0, NULL, 0) == 0);
}

bool filter_is_all(const struct filter *f)
{
    return f->calls.count + f->frames.count + f->submits.count + f->times.count +
                   f->streams.count ==
               0 &&
           !f->has_kind && !f->has_grep;
}

bool filter_has_name(const struct filter *f, const char *name)
{
    return !f->has_kind || (name != NULL && regexec(&f->kind, name, 0, NULL, 0) == 0);
}

void filter_pass(const struct filter *f, struct filter_place *place, const struct schema *schema,
                 const struct cap_event *event)
{
    if (event->kind == CAP_EVENT_FRAME) {
        place->frame++;
    } else if (event->kind == CAP_EVENT_CALL && f->submits.count != 0) {
        const char *name = schema_find(schema, sl_load_u32(event->call.packet)).name;
        place->submit += name != NULL && strncmp(name, "vkQueueSubmit", 13) == 0;
    }
}

bool filter_is_over(const struct filter *f, const struct filter_place *place,
                    const struct cap_event *event)
{
    return range_is_over(&f->calls, event->stamp) || range_is_over(&f->frames, place->frame);
}

/* --- as a span --- */

static enum sl_result find_span(const struct filter *f, struct cap_merge *merge,
                                struct filter_span *out)
{
    struct filter_place place = {0};
    struct cap_event event = {0};
    bool is_any = false;
    enum sl_result result;
    while ((result = cap_merge_next(merge, &event, NULL)) == SL_OK &&
           !filter_is_over(f, &place, &event)) {
        if (event.kind == CAP_EVENT_CALL && is_in_span(f, &place, &event)) {
            out->first_frame = is_any ? out->first_frame : place.frame;
            out->stop_call = event.stamp + 1;
            is_any = true;
        }
        filter_pass(f, &place, NULL, &event);
    }
    return result == SL_OK || result == SL_ERR_NOTFOUND ? is_any ? SL_OK : SL_ERR_NOTFOUND : result;
}

int filter_span(const struct filter *f, const char *path, struct cap_reader *reader,
                struct filter_span *out)
{
    *out = (struct filter_span){.first_frame = range_begin(&f->frames),
                                .stop_frame = range_end(&f->frames),
                                .stop_call = UINT64_MAX};
    if (f->calls.count + f->submits.count + f->times.count == 0) {
        return SLUICE_EXIT_OK;
    }
    struct cap_merge *merge = NULL;
    enum sl_result result = cap_merge_create(reader, &merge);
    result = result == SL_OK ? find_span(f, merge, out) : result;
    cap_merge_destroy(merge);
    if (result == SL_ERR_NOTFOUND) {
        say_error("%s: no call is meant by --calls, --frames, --submits and --time together", path);
        return SLUICE_EXIT_USAGE;
    }
    return result == SL_OK ? SLUICE_EXIT_OK : trace_failed(path, reader, result);
}
