#include "tools/sluice/flight.h"
#include "tools/sluice/record_link.h"
#include "tools/sluice/record_name.h"
#include "tools/sluice/say.h"
#include "tools/sluice/trace.h"
#include "host/capture/cap_copy.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STACK    (1024u * 1024)
#define WAITING  8u /* traces that are asked for while one is written; more are one */
#define WHY_SIZE 64u

struct flight {
    struct flight_options o;
    pthread_t thread;
    pthread_mutex_t lock; /* guards down to `ends` */
    pthread_cond_t changed;
    char why[WAITING][WHY_SIZE];
    uint32_t asked;
    bool ends;
    /* The thread's own, and flight_end's behind it. */
    uint64_t count; /* traces that were written */
    uint64_t names; /* that were used up */
    bool failed;
};

/* ---- one trace ---- */

/* The store, while nothing of it is given back. */
static int open_store(const char *path, struct cap_reader **reader)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    *reader = NULL;
    if (fd < 0 || fcntl(fd, F_OFD_SETLKW, &lock) != 0) {
        say_error("%s: the flight recorder's store cannot be read: %s", path, strerror(errno));
        sl_fd_close(&fd);
        return SLUICE_EXIT_FILE;
    }
    enum sl_result result = cap_reader_open(fd, reader);
    if (result == SL_OK) {
        result = cap_reader_scan(*reader);
    }
    return result == SL_OK ? SLUICE_EXIT_OK : trace_failed(path, *reader, result);
}

static uint64_t end_time(const struct cap_reader *reader)
{
    uint64_t time = 0;
    for (uint32_t i = 0; i < reader->chunk_count; i++) {
        time = reader->chunks[i].time > time ? reader->chunks[i].time : time;
    }
    return time;
}

/* From the last snapshot on that lies far enough back, else from the first thing that is there. */
static enum sl_result begin_merge(const struct flight *f, struct cap_reader *reader,
                                  struct cap_merge **merge)
{
    struct cap_merge_snapshot *all = NULL;
    const struct cap_merge_snapshot *at = NULL;
    uint32_t count = 0;
    uint64_t end = end_time(reader);
    enum sl_result result = cap_merge_snapshots(reader, &all, &count);
    for (uint32_t i = 0; f->o.ns != 0 && i < count; i++) {
        at = all[i].mark.time + f->o.ns <= end ? &all[i] : at;
    }
    if (result == SL_OK) {
        result = at != NULL ? cap_merge_create_at(reader, at->begin, merge)
                            : cap_merge_create(reader, merge);
    }
    sl_free(all);
    return result;
}

/* All that follows, up to what is damaged or was not written any more. */
static enum sl_result copy_all(struct cap_copy *copy)
{
    struct cap_event event;
    struct cap_damage damage;
    enum sl_result result = SL_OK;
    bool in_snapshot = cap_merge_is_in_snapshot(copy->from);
    if (in_snapshot) {
        cap_copy_snapshot_begin(copy, CAP_SNAPSHOT_TRIM);
    }
    while ((result = cap_merge_next(copy->from, &event, &damage)) == SL_OK) {
        if (in_snapshot && copy->shift == 0) {
            cap_copy_begin(copy, event.stamp - 1);
        }
        result = cap_copy_event(copy, &event);
        if (result != SL_OK) {
            break;
        }
        if (copy->in_snapshot && !cap_merge_is_in_snapshot(copy->from)) {
            cap_copy_snapshot_end(copy);
        }
    }
    if (copy->in_snapshot) {
        cap_copy_snapshot_end(copy);
    }
    if (result == SL_ERR_PROTOCOL) {
        trace_say_damage(&damage, copy->to->frame_count);
    }
    return result == SL_ERR_NOTFOUND || result == SL_ERR_PROTOCOL ? SL_OK : result;
}

static enum sl_result start_trace(const struct flight *f, const struct cap_reader *reader,
                                  const char *path, struct cap_memory *memory,
                                  struct cap_recording **out)
{
    const struct cap_start start = {.path = path,
                                    .level = f->o.level,
                                    .force = f->o.force,
                                    .needs_calls = f->o.needs_calls,
                                    .origin = &reader->header};
    enum sl_result result = cap_recording_start(&start, memory, out);
    if (result == SL_ERR_INVALID || result == SL_ERR_AGAIN) {
        say_error("%s or %s.part is there already; choose another name, or replace it with "
                  "--force",
                  path, path);
    } else if (result != SL_OK) {
        say_error("%s: cannot be written: %s", path, strerror(errno));
    }
    return result;
}

/* The recording is there: fills and ends it. False: the reason was said. */
static bool fill_trace(const struct flight *f, struct cap_reader *reader, const char *path,
                       struct cap_recording *r, bool program_ended)
{
    struct cap_merge *merge = NULL;
    struct cap_copy copy;
    struct cap_writer_report report;
    enum sl_result result = begin_merge(f, reader, &merge);
    if (result == SL_OK) {
        result = cap_copy_head(r, reader);
        (void)!cap_copy_thumb(r, reader); /* it may have none */
        cap_copy_init(&copy, r, merge);
        result = result == SL_OK ? copy_all(&copy) : result;
        cap_copy_finish(&copy);
        cap_merge_destroy(merge);
    }
    cap_recording_end(r);
    cap_writer_finish(r->writer, program_ended ? CAP_END_PROGRAM : CAP_END_ASKED, 0, &report);
    cap_recording_unref(r);
    if (result != SL_OK) {
        say_error("%s: the flight recorder's store: %s", path, sl_result_name(result));
        return false;
    }
    char line[HOST_RECORD_LINE];
    struct host_recorded recorded;
    host_record_line(&report, path, line, sizeof line);
    return host_record_take_line(&recorded, line) &&
           record_said_file(f->o.said, &recorded) == SLUICE_EXIT_OK;
}

/* False: the reason was said. */
static bool write_trace(struct flight *f, const char *path, bool program_ended)
{
    struct cap_memory memory = {.saves_all = false};
    struct cap_reader *reader;
    struct cap_recording *r = NULL;
    bool ok = open_store(f->o.store, &reader) == SLUICE_EXIT_OK;
    if (ok) {
        cap_memory_init(&memory);
        ok = start_trace(f, reader, path, &memory, &r) == SL_OK &&
             fill_trace(f, reader, path, r, program_ended);
        cap_memory_finish(&memory);
    }
    cap_reader_close(reader);
    return ok;
}

static void dump(struct flight *f, const char *why, struct record_link *link)
{
    char path[PATH_MAX], wish[PATH_MAX + 32], reply[LOCAL_TOOL_TEXT];
    bool is_served = link != NULL && record_link_ask(link, "record flush", true, reply,
                                                     sizeof reply) == SLUICE_EXIT_OK;
    say_note("flight recorder: %s", why);
    if (!record_name_of_file(f->o.pattern, f->names++, path)) {
        say_error("--output is too long for a file's name");
        f->failed = true;
        return;
    }
    bool ok = write_trace(f, path, link == NULL);
    f->count += ok;
    f->failed = f->failed || !ok;
    if (is_served && ok) {
        snprintf(wish, sizeof wish, "record dumped %s", path);
        (void)record_link_ask(link, wish, true, reply, sizeof reply);
    }
}

/* ---- the thread ---- */

static bool next(struct flight *f, char why[WHY_SIZE])
{
    pthread_mutex_lock(&f->lock);
    while (f->asked == 0 && !f->ends) {
        pthread_cond_wait(&f->changed, &f->lock);
    }
    bool is_asked = f->asked != 0;
    if (is_asked) {
        memcpy(why, f->why[0], WHY_SIZE);
        memmove(f->why[0], f->why[1], sizeof f->why - WHY_SIZE);
        f->asked--;
    }
    pthread_mutex_unlock(&f->lock);
    return is_asked;
}

static void *flight_main(void *user)
{
    struct flight *f = user;
    struct record_link link;
    char why[WHY_SIZE];
    bool is_linked = false;
    while (next(f, why)) {
        is_linked = is_linked || record_link_open(&link, f->o.socket) == SLUICE_EXIT_OK;
        dump(f, why, is_linked ? &link : NULL);
    }
    if (is_linked) {
        record_link_close(&link);
    }
    return NULL;
}

struct flight *flight_begin(const struct flight_options *options)
{
    struct flight *f = sl_alloc(sizeof *f);
    if (f != NULL) {
        f->o = *options;
        pthread_mutex_init(&f->lock, NULL);
        pthread_cond_init(&f->changed, NULL);
    }
    if (f == NULL || sl_thread_start(&f->thread, "flight", STACK, flight_main, f) != SL_OK) {
        say_error("no thread for the flight recorder: too many processes, or no memory");
        sl_free(f);
        return NULL;
    }
    return f;
}

void flight_pull(struct flight *f, const char *why)
{
    pthread_mutex_lock(&f->lock);
    if (f->asked < WAITING) {
        snprintf(f->why[f->asked++], WHY_SIZE, "%s", why);
    }
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

uint64_t flight_end(struct flight *f, const char *why, bool *ok)
{
    *ok = true;
    if (f == NULL) {
        return 0;
    }
    pthread_mutex_lock(&f->lock);
    f->ends = true;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->thread, NULL);
    if (why != NULL) {
        dump(f, why, NULL);
    }
    uint64_t count = f->count;
    *ok = !f->failed;
    if (*ok) {
        (void)unlink(f->o.store);
    } else {
        say_note("what the flight recorder holds is in %s", f->o.store);
    }
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    sl_free(f);
    return count;
}
