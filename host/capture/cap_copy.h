/* Records of a trace into another one: what trim stands on. One thread.
 *
 * The target is a recording into which nobody else writes any more. Stamps follow one another in
 * it, whatever they were; contents are put anew, so only those that are referred to are there. */
#ifndef HOST_CAP_COPY_H
#define HOST_CAP_COPY_H

#include "host/capture/cap_merge.h"
#include "host/capture/cap_recording.h"
#include "transport/base/map.h"

struct cap_copy {
    struct cap_recording *to;
    struct cap_merge *from;
    struct sl_map streams; /* of the source, by number */
    struct cap_lane texts;
    struct cap_lane verbs, memory; /* of a snapshot that is being copied */
    struct cap_snapshot snapshot;
    bool in_snapshot;
    uint64_t shift; /* what is added to stamps, modulo 2^64 */
    /* The source's last stamp that is copied; UINT64_MAX: its own last. A call that was not over
     * then may have waited for what is not copied: what became of it is not told, as of a recording
     * that was switched off. */
    uint64_t cut;
    /* A piece of memory that is left out; nullable: none. */
    bool (*skips)(void *user, uint32_t resource_id, const struct cap_piece *piece);
    void *user;
    bool joins;  /* streams are new ones, whatever rings the target's have */
    bool failed; /* no memory */
};

/* to: a recording; its streams are found by their rings, unless `joins` is set then. */
void cap_copy_init(struct cap_copy *copy, struct cap_recording *to, struct cap_merge *from);
/* Closes what is open in the target. */
void cap_copy_finish(struct cap_copy *copy);
/* META, PROT and CAPS, as far as they are there. PROTOCOL: damage, NOMEM, IO. */
enum sl_result cap_copy_head(struct cap_recording *to, struct cap_reader *reader) SL_MUST_USE;
/* The last small picture that it has. NOTFOUND: it has none; as above. */
enum sl_result cap_copy_thumb(struct cap_recording *to, struct cap_reader *reader) SL_MUST_USE;
/* Learns of a record that is not copied. */
void cap_copy_pass(struct cap_copy *copy, const struct cap_event *event);
/* From now on records are copied, the next one with the stamp behind the target's last. before: the
 * source's last stamp that is not copied. */
void cap_copy_begin(struct cap_copy *copy, uint64_t before);
/* All that lives in the target is given up, as a device does that is reset: what is copied from now
 * on, by copies that join, leads from nothing to its own state. */
void cap_copy_reset(struct cap_recording *to);
/* Records up to cap_copy_snapshot_end are a snapshot's, which stands at the target's present frame.
 */
void cap_copy_snapshot_begin(struct cap_copy *copy, enum cap_snapshot_reason reason);
void cap_copy_snapshot_end(struct cap_copy *copy);
/* NOMEM; PROTOCOL: its contents are damaged. */
enum sl_result cap_copy_event(struct cap_copy *copy, const struct cap_event *event) SL_MUST_USE;

#endif
