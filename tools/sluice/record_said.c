#include "tools/sluice/record_said.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/json.h"
#include "tools/sluice/record_name.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "transport/base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say_recorded(const struct host_recorded *r)
{
    char calls[TRACE_NUMBER], range[64] = "none", tap[64] = "", snapshots[64] = "";
    double size = (double)r->file_size;
    if (r->frames != 0) {
        snprintf(range, sizeof range, "0-%" PRIu64, r->frames - 1);
    }
    if (r->decode_ns != 0) { /* a flight recorder's traces are not measured */
        snprintf(tap, sizeof tap, "  tap %.1f %% of decode time",
                 100.0 * (double)r->tap_ns / (double)r->decode_ns);
    }
    if (r->snapshots != 0) {
        snprintf(snapshots, sizeof snapshots, "  snapshots %" PRIu64 " in %.1f ms", r->snapshots,
                 (double)r->snapshot_ns / 1e6);
    }
    say_note("recorded frames %s  calls %s  streams %" PRIu64
             "  memory %.1f MB (dedup %.1f MB)  -> %s  %.1f MB  %.1f B/call%s%s",
             range, trace_number(r->calls, calls), r->streams, (double)r->memory_bytes / 1e6,
             (double)r->shared_bytes / 1e6, record_name_shown(r->path), size / 1e6,
             r->calls != 0 ? size / (double)r->calls : 0.0, tap, snapshots);
    if (r->stall_ns >= 10 * SL_NS_PER_MS) {
        say_note("the program waited %.2f s for the recording; a lower --level or a faster disk "
                 "helps",
                 (double)r->stall_ns / 1e9);
    }
}

static void say_dropped(const struct host_recorded *r)
{
    const char *name = record_name_shown(r->path);
    if (access(r->path, F_OK) == 0) {
        say_note("recorded frames none  calls 0  -> no file; %s stays as it was", name);
    } else {
        say_note("recorded frames none  calls 0  -> no file");
    }
}

bool record_said_is_empty(const struct host_recorded *r)
{
    return r->frames == 0 && r->calls == 0;
}

/* All that could be recorded, under its name. */
static bool is_written(const struct host_recorded *r)
{
    return r->reason != CAP_END_DISK && (r->has_name || r->is_dropped);
}

/* A file's part of the document. */
static void put_file(struct record_said *said, const struct host_recorded *r)
{
    pthread_mutex_lock(&said->lock);
    FILE *out = said->out;
    fputs(said->count++ != 0 ? ", " : "", out);
    fputs("{\"path\": ", out);
    json_text(out, r->path);
    fprintf(out,
            ", \"complete\": %s, \"frames\": %" PRIu64 ", \"calls\": %" PRIu64
            ", \"streams\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"memory_bytes\": %" PRIu64
            ", \"shared_bytes\": %" PRIu64 ", \"tap_ns\": %" PRIu64 ", \"decode_ns\": %" PRIu64
            ", \"stall_ns\": %" PRIu64 ", \"snapshots\": %" PRIu64 ", \"snapshot_ns\": %" PRIu64
            "}",
            is_written(r) && r->reason != CAP_END_SIZE ? "true" : "false", r->frames, r->calls,
            r->streams, r->file_size, r->memory_bytes, r->shared_bytes, r->tap_ns, r->decode_ns,
            r->stall_ns, r->snapshots, r->snapshot_ns);
    pthread_mutex_unlock(&said->lock);
}

int record_said_file(struct record_said *said, const struct host_recorded *r)
{
    if (r->is_dropped) {
        say_dropped(r);
    } else {
        say_recorded(r);
    }
    if (said->out != NULL && !r->is_dropped) {
        put_file(said, r);
    }
    if (r->reason == CAP_END_DISK) {
        say_note("warning: recording stopped at frame %" PRIu64 ": %s", r->frames,
                 r->error == ENOSPC ? "no space left" : strerror(r->error));
    } else if (r->reason == CAP_END_SIZE) {
        say_note("recording stopped at frame %" PRIu64 ": the file has the size it may have",
                 r->frames);
    }
    if (record_said_is_empty(r)) {
        say_note("warning: nothing was recorded: the program did not come so far, or its state "
                 "could not be taken in time");
    }
    if (!r->has_name && !r->is_dropped) {
        say_error("%s.part could not be given its name: %s", r->path, strerror(r->error));
    }
    return is_written(r) ? SLUICE_EXIT_OK : SLUICE_EXIT_NOT_THROUGH_US;
}

/* ---- the document ---- */

bool record_said_init(struct record_said *said, bool json)
{
    *said = (struct record_said){.out = NULL};
    pthread_mutex_init(&said->lock, NULL);
    if (json) {
        said->out = open_memstream(&said->text, &said->size);
        if (said->out == NULL) {
            say_error("no memory for what --json prints");
        }
    }
    return !json || said->out != NULL;
}

void record_said_finish(struct record_said *said, bool prints)
{
    if (said->out != NULL && fclose(said->out) == 0 && prints) {
        printf("{\"schema\": 1, \"files\": [%s]}\n", said->text);
    }
    free(said->text);
    pthread_mutex_destroy(&said->lock);
}
