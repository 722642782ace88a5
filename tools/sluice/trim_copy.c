/* Records of traces into another one, without a driver. */
#include "tools/sluice/trim.h"
#include "tools/sluice/say.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct cap_start trim_start(const struct trim *t)
{
    return (struct cap_start){
        .path = t->out, .level = t->level, .force = true, .origin = &t->reader->header};
}

int trim_refused(const struct trim *t)
{
    say_error("%s: cannot be written: %s", t->name, strerror(errno));
    return SLUICE_EXIT_FILE;
}

const struct cap_merge_snapshot *trim_snapshot_before(const struct trim *t, uint64_t frame)
{
    const struct cap_merge_snapshot *found = NULL;
    for (uint32_t i = 0; i < t->snapshot_count; i++) {
        found = t->snapshots[i].mark.frame <= frame ? &t->snapshots[i] : found;
    }
    return found;
}

int trim_no_such_frame(const struct trim *t, uint64_t frames)
{
    say_error("--frames begins with %" PRIu64 ", but %s has %" PRIu64 " frames", t->shown, t->path,
              frames);
    return SLUICE_EXIT_USAGE;
}

/* --- records --- */

static bool is_dropped(const struct trim *t, const struct cap_event *event)
{
    if (event->kind == CAP_EVENT_FRAME) {
        return event->number < t->shown;
    }
    return (event->kind == CAP_EVENT_CALL || event->kind == CAP_EVENT_MEMORY) &&
           event->stream != 0 && !range_has(&t->streams, event->stream);
}

static int copy_failed(const struct trim *t, enum sl_result result, const struct cap_damage *damage,
                       uint64_t frame)
{
    if (result == SL_ERR_PROTOCOL) {
        trace_say_damage(damage, frame);
        return SLUICE_EXIT_DAMAGED;
    }
    return trace_failed(t->path, t->reader, result);
}

int trim_copy_frames(struct trim *t, struct cap_copy *copy, uint64_t frame)
{
    struct cap_event event;
    struct cap_damage damage = {0};
    uint64_t last_stamp = 0;
    bool copies = frame == t->first && !cap_merge_is_in_snapshot(copy->from);
    enum sl_result result = SL_OK;
    copy->cut = t->cut;
    while (frame <= t->last && (result = cap_merge_next(copy->from, &event, &damage)) == SL_OK) {
        if (!copies) {
            cap_copy_pass(copy, &event);
            last_stamp = event.stamp > last_stamp ? event.stamp : last_stamp;
        } else if (!is_dropped(t, &event)) {
            result = cap_copy_event(copy, &event);
        }
        frame += event.kind == CAP_EVENT_FRAME;
        progress_step(&t->progress, frame, event.stamp);
        if (result != SL_OK) {
            break;
        }
        if (!copies && frame == t->first) {
            copies = true;
            cap_copy_begin(copy, last_stamp);
        }
    }
    if (result != SL_OK && result != SL_ERR_NOTFOUND) {
        return copy_failed(t, result, &damage, frame);
    }
    bool is_all = t->first == 0 && t->last == UINT64_MAX; /* there may be no frames at all */
    if (frame < t->first || (frame == t->first && !is_all)) {
        return trim_no_such_frame(t, frame);
    }
    if (t->last != UINT64_MAX && frame <= t->last && !t->has_told_end) {
        t->has_told_end = true;
        say_note("warning: %s ends with frame %" PRIu64, t->path, frame - 1);
    }
    return SLUICE_EXIT_OK;
}

/* The next record, with the first one's stamp right behind the target's last. */
static enum sl_result copy_one(struct cap_copy *copy, const struct cap_event *event, bool *begun)
{
    if (!*begun) {
        cap_copy_begin(copy, event->stamp - 1);
        *begun = true;
    }
    return cap_copy_event(copy, event);
}

static bool skips_piece(void *user, uint32_t resource_id, const struct cap_piece *piece)
{
    return reach_drops_piece(user, resource_id, piece->offset, piece->size);
}

/* The records of a snapshot that lies where it is needed, or at the trace's head. */
static int copy_snapshot(struct trim *t, struct cap_copy *copy, enum cap_snapshot_reason reason)
{
    struct cap_event event;
    struct cap_damage damage = {0};
    enum sl_result result = SL_OK;
    bool begun = false;
    copy->skips = t->reach != NULL ? skips_piece : NULL;
    copy->user = t->reach;
    cap_copy_snapshot_begin(copy, reason);
    while (result == SL_OK && cap_merge_is_in_snapshot(copy->from)) {
        result = cap_merge_next(copy->from, &event, &damage);
        if (result == SL_OK && t->reach != NULL && reach_drops(t->reach, &event)) {
            copy->shift--; /* no hole is left in its stamps */
            continue;
        }
        result = result == SL_OK ? copy_one(copy, &event, &begun) : result;
    }
    cap_copy_snapshot_end(copy);
    copy->skips = NULL;
    return result == SL_OK ? SLUICE_EXIT_OK : copy_failed(t, result, &damage, t->first);
}

/* All before the first frame is a snapshot: it leads from nothing to the state there. *frame: the
 * next one's number. */
static int keep_before(struct trim *t, struct cap_copy *copy, uint64_t *frame)
{
    struct cap_event event;
    struct cap_damage damage = {0};
    enum sl_result result = SL_OK;
    bool begun = false;
    copy->cut = t->cut;
    cap_copy_snapshot_begin(copy, CAP_SNAPSHOT_TRIM);
    while (result == SL_OK && *frame < t->first) {
        result = cap_merge_next(copy->from, &event, &damage);
        bool is_kept = result == SL_OK && event.kind != CAP_EVENT_FRAME &&
                       event.kind != CAP_EVENT_TEXT && !is_dropped(t, &event);
        *frame += result == SL_OK && event.kind == CAP_EVENT_FRAME;
        result = is_kept ? copy_one(copy, &event, &begun) : result;
    }
    cap_copy_snapshot_end(copy);
    return result == SL_ERR_NOTFOUND ? trim_no_such_frame(t, *frame)
           : result == SL_OK         ? SLUICE_EXIT_OK
                                     : copy_failed(t, result, &damage, *frame);
}

/* --- whole files --- */

struct target {
    struct cap_memory memory;
    struct cap_recording *recording;
};

static int target_begin(struct trim *t, struct target *to)
{
    const struct cap_start start = trim_start(t);
    *to = (struct target){.recording = NULL};
    cap_memory_init(&to->memory);
    enum sl_result result = cap_recording_start(&start, &to->memory, &to->recording);
    if (result != SL_OK) {
        cap_memory_finish(&to->memory);
        return trim_refused(t);
    }
    return SLUICE_EXIT_OK;
}

static int target_end(const struct trim *t, struct target *to, int code)
{
    struct cap_writer_report report;
    cap_recording_end(to->recording);
    cap_writer_finish(to->recording->writer, CAP_END_TRIMMED, 0, &report);
    cap_recording_unref(to->recording);
    cap_memory_finish(&to->memory);
    if (code == SLUICE_EXIT_OK && !report.has_name) {
        say_error("%s: cannot be written: %s", t->name, strerror(report.error));
        return SLUICE_EXIT_FILE;
    }
    return code;
}

static enum sl_result merge_at(struct trim *t, const struct cap_merge_snapshot *at,
                               struct cap_merge **out)
{
    return at != NULL ? cap_merge_create_at(t->reader, at->begin, out)
                      : cap_merge_create(t->reader, out);
}

/* What the frames use of the snapshot that the merge begins with. NULL: there is none, or no
 * memory: then all of it is kept. */
static struct reach *find_reach(struct trim *t, const struct cap_merge_snapshot *from)
{
    struct cap_merge *merge = NULL;
    struct cap_event event;
    uint64_t frame = t->first;
    struct reach *reach = reach_create();
    if (reach == NULL || merge_at(t, from, &merge) != SL_OK || !cap_merge_is_in_snapshot(merge)) {
        cap_merge_destroy(merge);
        reach_destroy(reach);
        return NULL;
    }
    bool in_snapshot = true;
    while (frame <= t->last && cap_merge_next(merge, &event, NULL) == SL_OK) {
        reach_look(reach, &event, in_snapshot);
        in_snapshot = in_snapshot && cap_merge_is_in_snapshot(merge);
        frame += event.kind == CAP_EVENT_FRAME;
    }
    cap_merge_destroy(merge);
    return reach;
}

uint64_t trim_unused(struct trim *t)
{
    struct cap_merge *merge = NULL;
    struct cap_event event;
    struct reach *reach = find_reach(t, NULL);
    if (reach != NULL && merge_at(t, NULL, &merge) == SL_OK) {
        while (cap_merge_is_in_snapshot(merge) && cap_merge_next(merge, &event, NULL) == SL_OK) {
            struct cap_piece piece;
            while (event.kind == CAP_EVENT_MEMORY &&
                   cap_merge_piece(merge, &event.memory, &piece) == SL_OK) {
                (void)skips_piece(reach, event.memory.resource_id, &piece);
            }
            (void)reach_drops(reach, &event);
        }
    }
    uint64_t unused = reach != NULL ? reach_saved(reach) : 0;
    cap_merge_destroy(merge);
    reach_destroy(reach);
    return unused;
}

/* Head and frames. from: where the merge begins; keeps: what comes before the frames is kept. */
static int copy_into(struct trim *t, const struct cap_merge_snapshot *from, bool keeps)
{
    struct cap_merge *merge = NULL;
    struct target to;
    struct cap_copy copy;
    enum sl_result result = merge_at(t, from, &merge);
    if (result != SL_OK) {
        return trace_failed(t->path, t->reader, result);
    }
    t->reach = keeps ? NULL : find_reach(t, from);
    int code = target_begin(t, &to);
    if (code == SLUICE_EXIT_OK) {
        uint64_t frame = keeps ? (from != NULL ? from->mark.frame : 0) : t->first;
        result = cap_copy_head(to.recording, t->reader);
        cap_copy_init(&copy, to.recording, merge);
        code = result == SL_OK ? SLUICE_EXIT_OK : trace_failed(t->path, t->reader, result);
        if (code == SLUICE_EXIT_OK && keeps) {
            code = keep_before(t, &copy, &frame);
        } else if (code == SLUICE_EXIT_OK && cap_merge_is_in_snapshot(merge)) {
            code = copy_snapshot(t, &copy, CAP_SNAPSHOT_TRIM);
        }
        code = code == SLUICE_EXIT_OK ? trim_copy_frames(t, &copy, frame) : code;
        cap_copy_finish(&copy);
        code = target_end(t, &to, code);
    }
    cap_merge_destroy(merge);
    reach_destroy(t->reach);
    t->reach = NULL;
    return code;
}

int trim_copy(struct trim *t, const struct cap_merge_snapshot *at)
{
    return copy_into(t, at, false);
}

int trim_keep(struct trim *t, const struct cap_merge_snapshot *from)
{
    return copy_into(t, from, true);
}

/* One more trace behind what is there. */
static int join_one(struct trim *t, struct cap_recording *to, bool is_first)
{
    struct cap_merge *merge = NULL;
    struct cap_copy copy;
    enum sl_result result = cap_merge_create(t->reader, &merge);
    if (result != SL_OK) {
        return trace_failed(t->path, t->reader, result);
    }
    if (!is_first) {
        cap_copy_reset(to);
    }
    cap_copy_init(&copy, to, merge);
    copy.joins = !is_first;
    int code = SLUICE_EXIT_OK;
    if (cap_merge_is_in_snapshot(merge)) {
        code = copy_snapshot(t, &copy, is_first ? CAP_SNAPSHOT_TRIM : CAP_SNAPSHOT_JOINED);
    } else {
        cap_copy_begin(&copy, 0);
    }
    code = code == SLUICE_EXIT_OK ? trim_copy_frames(t, &copy, 0) : code;
    cap_copy_finish(&copy);
    cap_merge_destroy(merge);
    return code;
}

int trim_join(struct trim *t, struct cap_reader *const *others, char *const *paths, uint32_t count)
{
    struct target to;
    int code = target_begin(t, &to);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    enum sl_result result = cap_copy_head(to.recording, t->reader);
    code = result == SL_OK ? SLUICE_EXIT_OK : trace_failed(t->path, t->reader, result);
    for (uint32_t i = 0; code == SLUICE_EXIT_OK && i <= count; i++) {
        struct trim one = *t;
        if (i != 0) {
            one.reader = others[i - 1];
            one.path = paths[i - 1];
        }
        code = join_one(&one, to.recording, i == 0);
    }
    return target_end(t, &to, code);
}
