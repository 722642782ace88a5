#include "tools/sluice/drawn.h"
#include "tools/sluice/calls.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/filter.h"
#include "tools/sluice/folder.h"
#include "tools/sluice/json.h"
#include "tools/sluice/picture.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

struct drawn {
    struct drawn_options options;
    regex_t kind;
    bool has_kind;
    uint64_t frame;   /* of the last call of the kind */
    uint64_t ordinal; /* among those of its frame; the next one's */
    uint64_t shown;   /* of the call that is shown now */
    uint64_t pictures;
    int code; /* the first failure */
};

/* --- which calls --- */

bool drawn_set_read(const char *shots, const char *kind, const char *attachments,
                    struct drawn_set *out)
{
    const char *behind;
    *out = (struct drawn_set){.attachments = attachments};
    if (!filter_parse_set("shots", shots, &out->range, &behind)) {
        return false;
    }
    if (behind != NULL && (kind != NULL || !opt_is_choice(DRAWN_KINDS, behind))) {
        say_error("--shots ends in /%s; %s", behind,
                  kind != NULL ? "--kind says another one: leave out either"
                               : "it should be one of " DRAWN_KINDS);
        return false;
    }
    out->is_of_calls = behind != NULL;
    kind = kind != NULL ? kind : behind;
    out->kind = kind != NULL && strcmp(kind, "frame") != 0 ? kind : NULL;
    return true;
}

bool drawn_wants_frame(const struct drawn_set *set, uint64_t frame, const struct cap_frame *mark)
{
    return set->kind == NULL && range_has(&set->range, set->is_of_calls ? mark->stamp : frame);
}

int drawn_create(const struct drawn_options *options, struct drawn **out)
{
    struct drawn *d = sl_alloc(sizeof *d);
    if (d != NULL) {
        *d = (struct drawn){.options = *options, .frame = UINT64_MAX};
        d->has_kind = filter_compile_kind(options->set->kind, &d->kind);
    }
    if (d == NULL || !d->has_kind) {
        drawn_destroy(d);
        say_error("no memory");
        return SLUICE_EXIT_INTERNAL;
    }
    *out = d;
    char unused[PATH_MAX];
    return folder_path(unused, options->out, "", true); /* before anything is played */
}

void drawn_destroy(struct drawn *drawn)
{
    if (drawn != NULL) {
        if (drawn->has_kind) {
            regfree(&drawn->kind);
        }
        sl_free(drawn);
    }
}

void drawn_restart(struct drawn *drawn)
{
    drawn->frame = UINT64_MAX;
}

/* Vulkan's commands run when they are submitted. */
static bool is_of_kind(const struct drawn *d, const struct cap_event_call *call)
{
    const char *name = call_name(sl_load_u32(call->packet));
    if (name == NULL) {
        return false;
    }
    return call->capset == VIRTGPU_CAPSET_GFXSTREAM_VULKAN
               ? strncmp(name, "vkQueueSubmit", 13) == 0
               : regexec(&d->kind, name, 0, NULL, 0) == 0;
}

bool drawn_wants(void *user, const struct cap_event *event, uint64_t frame)
{
    struct drawn *d = user;
    const struct drawn_set *set = d->options.set;
    if (!is_of_kind(d, &event->call)) {
        return false;
    }
    d->ordinal = d->frame == frame ? d->ordinal : 0;
    d->frame = frame;
    d->shown = d->ordinal++;
    return range_has(&set->range, set->is_of_calls ? event->stamp : frame);
}

/* --- pictures --- */

static const char *const planes[] = {
    [VGD_PLANE_COLOR] = "color", [VGD_PLANE_DEPTH] = "depth", [VGD_PLANE_STENCIL] = "stencil"};

/* "draw-0003-pass1-color0" */
static void name_of(const struct drawn *d, const struct rep_drawn *taken, char *name, size_t size)
{
    const struct vgd_attachment *a = taken->drawn_on;
    char pass[24] = "", number[16] = "";
    if (taken->call->call.capset == VIRTGPU_CAPSET_GFXSTREAM_VULKAN) {
        snprintf(pass, sizeof pass, "-pass%" PRIu32, a->pass);
    }
    if (a->plane == VGD_PLANE_COLOR) {
        snprintf(number, sizeof number, "%" PRIu32, a->number);
    }
    snprintf(name, size, "frame-%06" PRIu64 "-%s-%04" PRIu64 "%s-%s%s.png", taken->frame,
             d->options.set->kind, d->shown, pass, planes[a->plane], number);
}

/* Grey of 16 bits; the range that it stands for. NULL: no memory. */
static uint16_t *grey_of(const float *depth, size_t count, double *low, double *high)
{
    uint16_t *grey = sl_alloc_array(count, sizeof *grey);
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; grey != NULL && i < count; i++) {
        if (isfinite(depth[i])) {
            *low = depth[i] < *low ? (double)depth[i] : *low;
            *high = depth[i] > *high ? (double)depth[i] : *high;
        }
    }
    if (*low > *high) { /* none of it is a number */
        *low = *high = 0;
    }
    for (size_t i = 0; grey != NULL && i < count; i++) {
        double part = *high > *low ? ((double)depth[i] - *low) / (*high - *low) : 0;
        grey[i] = part >= 1 ? UINT16_MAX : part > 0 ? (uint16_t)lround(part * UINT16_MAX) : 0;
    }
    return grey;
}

static void print_line(const struct drawn *d, const struct rep_drawn *taken, const char *name,
                       const char *call, const char *range)
{
    const struct vgd_attachment *a = taken->drawn_on;
    char number[TRACE_NUMBER];
    if (d->options.is_quiet) {
        return;
    }
    if (!d->options.json) {
        printf("%s  call %s %s  %" PRIu32 "x%" PRIu32 "%s%s\n", name,
               trace_number(taken->call->stamp, number), call, a->width_px, a->height_px,
               *range != '\0' ? "  depth " : "", range);
        return;
    }
    printf("{\"schema\": 1, \"picture\": ");
    json_text(stdout, name);
    printf(", \"call\": %" PRIu64 ", \"name\": \"%s\", \"frame\": %" PRIu64 ", \"pass\": %" PRIu32
           ", \"attachment\": \"%s\", \"number\": %" PRIu32 ", \"width\": %" PRIu32
           ", \"height\": %" PRIu32 ", \"depth\": ",
           taken->call->stamp, call, taken->frame, a->pass, planes[a->plane], a->number,
           a->width_px, a->height_px);
    const char *gap = strchr(range, ' ');
    if (gap != NULL) {
        printf("[%.*s, %s]}\n", (int)(gap - range), range, gap + 1);
    } else {
        fputs("null}\n", stdout);
    }
}

static int write_one(struct drawn *d, const struct rep_drawn *taken, const char *call)
{
    static const enum picture_kind kinds[] = {[VGD_PLANE_COLOR] = PICTURE_RGBA,
                                              [VGD_PLANE_DEPTH] = PICTURE_GREY16,
                                              [VGD_PLANE_STENCIL] = PICTURE_GREY8};
    const struct vgd_attachment *a = taken->drawn_on;
    char name[128], path[PATH_MAX], range[64] = "", said[160];
    uint16_t *grey = NULL;
    if (a->plane == VGD_PLANE_DEPTH) {
        double low, high;
        grey = grey_of(a->pixels, (size_t)a->width_px * a->height_px, &low, &high);
        snprintf(range, sizeof range, "%.9g %.9g", low, high);
        if (grey == NULL) {
            say_error("no memory");
            return SLUICE_EXIT_INTERNAL;
        }
    }
    name_of(d, taken, name, sizeof name);
    snprintf(said, sizeof said, "%" PRIu64 " %s", taken->call->stamp, call);
    const struct picture_content content = {.kind = kinds[a->plane],
                                            .pixels = grey != NULL ? (const void *)grey : a->pixels,
                                            .width_px = a->width_px,
                                            .height_px = a->height_px,
                                            .call = said,
                                            .depth_range = *range != '\0' ? range : NULL};
    int code = folder_path(path, d->options.out, name, true);
    code = code == SLUICE_EXIT_OK ? picture_write_as(path, &d->options.pictures, &content) : code;
    if (code == SLUICE_EXIT_OK) {
        d->pictures++;
        print_line(d, taken, name, call, range);
    }
    sl_free(grey);
    return code;
}

static bool is_asked_for(const struct drawn *d, const struct vgd_attachment *a)
{
    const char *wanted = d->options.set->attachments;
    return strcmp(wanted, "all") == 0 || strcmp(wanted, planes[a->plane]) == 0;
}

bool drawn_take(void *user, const struct rep_drawn *taken, enum sl_result result)
{
    struct drawn *d = user;
    const struct vgd_attachment *a = taken->drawn_on;
    const char *call = call_name(sl_load_u32(taken->call->call.packet));
    char number[TRACE_NUMBER];
    int code = SLUICE_EXIT_OK;
    trace_number(taken->call->stamp, number);
    if (a == NULL && result == SL_OK) {
        return true; /* such a call may draw on nothing: a submit of copies alone */
    }
    if (a == NULL) {
        say_error("call %s (frame %" PRIu64 ") %s: what it has drawn on cannot be read: %s", number,
                  taken->frame, call,
                  result == SL_ERR_AGAIN ? "its work does not end; it may wait for later calls"
                                         : sl_result_name(result));
        code = SLUICE_EXIT_MISSING;
    } else if (is_asked_for(d, a) && a->pixels == NULL) {
        say_error("call %s (frame %" PRIu64 ") %s: attachment %s%" PRIu32 " %s; choose others with "
                  "--attachments",
                  number, taken->frame, call, planes[a->plane], a->number, a->why);
        code = SLUICE_EXIT_MISSING;
    } else if (is_asked_for(d, a)) {
        code = write_one(d, taken, call);
    }
    d->code = d->code != SLUICE_EXIT_OK ? d->code : code;
    return code == SLUICE_EXIT_OK;
}

int drawn_end(const struct drawn *drawn)
{
    if (drawn->code == SLUICE_EXIT_OK && drawn->pictures == 0) {
        say_error("no call of kind %s that is asked for draws on anything; dump --kind %s lists "
                  "such calls",
                  drawn->options.set->kind, drawn->options.set->kind);
        return SLUICE_EXIT_MISSING;
    }
    return drawn->code;
}
