#include "tools/sluice/info_check.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* An index counts no packets and verbs of snapshots. */
static void count_event(struct info_count *count, const struct cap_merge *merge,
                        const struct cap_event *event)
{
    bool is_lasting = event->kind != CAP_EVENT_CALL && event->kind != CAP_EVENT_VERB;
    if (is_lasting || !cap_merge_is_of_snapshot(merge, event->stamp)) {
        info_count_event(count, event);
    }
}

int trace_walk_all(const char *path, struct cap_reader *reader, struct trace_walk *walk,
                   struct progress *progress)
{
    struct cap_merge *merge;
    struct cap_event event;
    struct cap_damage damage;
    enum sl_result result = cap_merge_create(reader, &merge);
    if (result != SL_OK) {
        return trace_failed(path, reader, result);
    }
    while (result == SL_OK || result == SL_ERR_PROTOCOL) {
        result = cap_merge_next(merge, &event, &damage);
        progress_step(progress, walk->frames, result == SL_OK ? event.stamp : progress->stamp);
        if (result == SL_OK && walk->count != NULL) {
            count_event(walk->count, merge, &event);
        }
        if (result == SL_ERR_PROTOCOL) {
            trace_say_damage(&damage, walk->frames);
            walk->damages++;
        } else if (result == SL_OK && event.kind == CAP_EVENT_CALL) {
            walk->calls++;
            walk->calls_behind++;
        } else if (result == SL_OK && event.kind == CAP_EVENT_FRAME) {
            walk->frames++;
            walk->calls_behind = 0;
        } else if (result == SL_OK && event.kind == CAP_EVENT_MEMORY) {
            struct cap_piece piece;
            enum sl_result found = SL_OK;
            while (found == SL_OK) {
                found = cap_merge_piece(merge, &event.memory, &piece);
                if (found == SL_OK && walk->count != NULL) {
                    info_count_piece(walk->count, &piece);
                }
            }
            if (found == SL_ERR_PROTOCOL) {
                say_error("damaged: memory written before call %" PRIu64
                          " is not there (frame %" PRIu64 ")",
                          event.stamp, walk->frames);
                walk->damages++;
            } else if (found != SL_ERR_NOTFOUND) {
                result = found;
            }
        }
    }
    cap_merge_destroy(merge);
    if (result != SL_ERR_NOTFOUND) {
        return trace_failed(path, reader, result);
    }
    return walk->damages != 0 ? SLUICE_EXIT_DAMAGED : SLUICE_EXIT_OK;
}

/* The end's hash over all other chunks' hashes, and its totals of chunks. */
static bool end_agrees(const struct cap_reader *reader, const struct cap_payload *payload,
                       XXH3_state_t *state)
{
    struct cap_end end;
    if (payload->size < sizeof end) {
        return false;
    }
    memcpy(&end, payload->data, sizeof end);
    return end.chunks_hash == XXH3_64bits_digest(state) &&
           end.totals.chunks + 1 == reader->chunk_count &&
           memcmp(end.magic, CAP_MAGIC, CAP_MAGIC_SIZE) == 0;
}

/* All payloads. Returns an exit code. */
static int check_chunks(const char *path, struct cap_reader *reader, struct progress *progress)
{
    struct cap_payload payload = {0};
    enum sl_result result = SL_OK;
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    for (uint32_t i = 0; result == SL_OK && i < reader->chunk_count; i++) {
        struct cap_chunk *chunk = &reader->chunks[i];
        progress_look(progress, 0, chunk->first_stamp);
        enum cap_damage_kind why = CAP_DAMAGE_RECORD;
        result = cap_reader_load(reader, chunk, &payload, &why);
        if (result == SL_OK && chunk->kind == CAP_KIND_END &&
            !end_agrees(reader, &payload, &state)) {
            result = SL_ERR_PROTOCOL;
        }
        if (result == SL_ERR_PROTOCOL) {
            cap_reader_damaged(reader, chunk, why);
            result = SL_OK;
        }
        XXH3_64bits_update(&state, &chunk->hash, sizeof chunk->hash);
    }
    cap_payload_finish(&payload);
    return result == SL_OK ? SLUICE_EXIT_OK : trace_failed(path, reader, result);
}

static void print_damages(const struct cap_reader *reader)
{
    fputs(", \"damages\": [", stdout);
    for (uint32_t i = 0; i < reader->damage_count; i++) {
        const struct cap_damage *d = &reader->damages[i];
        printf("%s\n  {\"chunk\": %u, \"byte\": %" PRIu64 ", \"what\": \"%s\"", i != 0 ? "," : "",
               d->chunk, d->offset, cap_damage_name(d->kind));
        if (d->is_known) {
            printf(", \"kind\": \"%.4s\", \"stream\": %u, \"first_record\": %" PRIu64
                   ", \"records\": %u",
                   (const char *)&d->chunk_kind, d->stream, d->first_record, d->records);
        }
        fputc('}', stdout);
    }
    fputc(']', stdout);
}

int info_check(const char *path, struct cap_reader *reader, bool strict, bool json,
               struct progress *progress)
{
    char chunks[TRACE_NUMBER], damaged[TRACE_NUMBER];
    enum sl_result result = cap_reader_scan(reader);
    if (result != SL_OK) {
        return trace_failed(path, reader, result);
    }
    progress_through(progress, reader, 2);
    int code = check_chunks(path, reader, progress);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    struct trace_walk walk = {0};
    progress->run = 1;
    code = trace_walk_all(path, reader, &walk, progress);
    progress_end(progress);
    if (code != SLUICE_EXIT_OK && code != SLUICE_EXIT_DAMAGED) {
        return code;
    }
    uint64_t bad = reader->damage_count + reader->damages_more;
    bool is_damaged = bad != 0 || code == SLUICE_EXIT_DAMAGED;
    if (!reader->is_complete && !is_damaged) {
        trace_say_cut(walk.frames, walk.calls_behind);
    }
    trace_say_skipped(reader);
    if (json) {
        printf("{\"schema\": 1, \"ok\": %s, \"complete\": %s, \"chunks\": %u, \"frames\": %" PRIu64
               ", \"calls\": %" PRIu64,
               is_damaged ? "false" : "true", reader->is_complete ? "true" : "false",
               reader->chunk_count, walk.frames, walk.calls);
        print_damages(reader);
        fputs("}\n", stdout);
    } else {
        printf("%s: %s chunks, %s damaged\n", is_damaged ? "damaged" : "ok",
               trace_number(reader->chunk_count, chunks), trace_number(bad, damaged));
    }
    return is_damaged                       ? SLUICE_EXIT_DAMAGED
           : !reader->is_complete && strict ? SLUICE_EXIT_INCOMPLETE
                                            : SLUICE_EXIT_OK;
}
