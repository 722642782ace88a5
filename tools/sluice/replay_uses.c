#include "tools/sluice/replay_uses.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"

#include <inttypes.h>
#include <string.h>

struct use *uses_note(struct uses *u, const char *kind, const char *was, const char *is,
                      uint64_t call, uint64_t frame)
{
    for (uint32_t i = 0; i < u->count; i++) {
        if (strcmp(u->list[i].kind, kind) == 0 && strcmp(u->list[i].was, was) == 0) {
            return &u->list[i];
        }
    }
    if (u->count == USES_MAX) {
        return NULL;
    }
    struct use *use = &u->list[u->count++];
    *use = (struct use){.kind = kind, .call = call, .frame = frame};
    snprintf(use->was, sizeof use->was, "%s", was);
    snprintf(use->is, sizeof use->is, "%s", is);
    return use;
}

static bool is_other(const struct use *use)
{
    return use->is[0] == '\0' || strcmp(use->was, use->is) != 0;
}

void uses_write_line(const struct uses *u, FILE *out)
{
    static const char *const kinds[][2] = {{"memory type", "; memory types remapped"},
                                           {"queue family", "; queue families remapped"},
                                           {"format", "; formats remapped"},
                                           {"feature", "; features left out"},
                                           {"extension", "; extensions left out"}};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        const char *before = kinds[k][1];
        for (uint32_t i = 0; i < u->count; i++) {
            const struct use *use = &u->list[i];
            if (strcmp(use->kind, kinds[k][0]) != 0 || !is_other(use)) {
                continue;
            }
            if (use->is_dropped) {
                fprintf(out, "%s %s", before, use->was);
            } else {
                fprintf(out, "%s %s→%s", before, use->was, use->is[0] != '\0' ? use->is : "none");
            }
            before = ",";
        }
    }
}

static void print_use(const struct use *use, bool json, bool is_first)
{
    if (json) {
        printf("%s{\"kind\": \"%s\", \"recorded\": \"%s\", \"here\": ", is_first ? "" : ", ",
               use->kind, use->was);
        printf(use->is[0] != '\0' ? "\"%s\"" : "null", use->is);
        printf(", \"call\": %" PRIu64 ", \"frame\": %" PRIu64 "}", use->call, use->frame);
    } else if (use->is_dropped) {
        printf("%s %s is left out: this driver has not got it\n", use->kind, use->was);
    } else if (use->is[0] != '\0') {
        printf("%s %s becomes %s\n", use->kind, use->was, use->is);
    } else {
        printf("%s %s is missing: nothing here can stand for it\n", use->kind, use->was);
    }
}

void uses_print_plan(const struct uses *u, bool json)
{
    fputs(json ? ", \"vulkan\": [" : "", stdout);
    for (uint32_t i = 0; i < u->count; i++) {
        print_use(&u->list[i], json, i == 0);
    }
    fputs(json ? "]" : "", stdout);
}

static bool lacks(const struct use *use, bool portable)
{
    return use->is[0] == '\0' && use->is_dropped != portable;
}

bool uses_are_missing(const struct uses *u, bool portable)
{
    for (uint32_t i = 0; i < u->count; i++) {
        if (lacks(&u->list[i], portable)) {
            return true;
        }
    }
    return false;
}

void uses_say_missing(const struct uses *u, bool portable)
{
    char number[TRACE_NUMBER];
    say_error("this driver lacks something that the trace needs:");
    say_note("  %-44s %-26s %-8s %s", "needed", "first use", "here", "remedy");
    for (uint32_t i = 0; i < u->count; i++) {
        const struct use *use = &u->list[i];
        char what[112], where[80];
        if (!lacks(use, portable)) {
            continue;
        }
        snprintf(what, sizeof what, "%s %s", use->kind, use->was);
        snprintf(where, sizeof where, "call %s, frame %" PRIu64, trace_number(use->call, number),
                 use->frame);
        say_note("  %-44s %-26s %-8s %s", what, where, "no",
                 use->is_dropped ? "--portable, if nothing uses it; another --gpu"
                                 : "another --gpu");
    }
}
