/* Ids given to a peer that many threads look up without a lock: 64 bits, with generations, never
 * pointers.
 *
 * An id is (generation << 32 | index + 1); a freed id is not found again until its generation
 * wraps at 2^24. Adding and removing is for one thread at a time (the owner locks); finding is for
 * any thread at any time and sees an entry whole or not at all. What a found entry stands for may
 * be removed a moment later: who dereferences `record` needs a rule of its own for its life. */
#ifndef SL_IDS_H
#define SL_IDS_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SL_IDS_CHUNK     1024u /* slots a chunk; chunks never move */
#define SL_IDS_CHUNKS    1024u
#define SL_IDS_MAX       (SL_IDS_CHUNK * SL_IDS_CHUNKS)
#define SL_IDS_KIND_BITS 8u
/* Indices from here on are for sl_ids_add_at, those below for sl_ids_add. */
#define SL_IDS_PEER_FIRST (SL_IDS_MAX / 2)

struct sl_ids_slot {
    uint64_t native; /* atomic */
    void *record;    /* atomic */
    uint32_t tag;    /* atomic: generation << 8 | kind; kind 0: free */
    uint32_t next_free;
    void *note; /* the owner's */
};

struct sl_ids {
    struct sl_ids_slot *chunks[SL_IDS_CHUNKS]; /* atomic; NULL: not there yet */
    uint32_t count;                            /* slots handed out so far by sl_ids_add */
    uint32_t live;
    uint32_t first_free; /* index + 1; 0: none */
    uint32_t max;
};

/* max: most live entries, of each of the two sorts at most SL_IDS_PEER_FIRST. */
void sl_ids_init(struct sl_ids *ids, uint32_t max);
/* No other thread uses it any more. */
void sl_ids_finish(struct sl_ids *ids);

/* kind: 1 to 255. native and record are what find gives; any value. NOMEM at max or without
 * memory. Owner's lock. */
enum sl_result sl_ids_add(struct sl_ids *ids, uint32_t kind, uint64_t native, void *record,
                          uint64_t *id) SL_MUST_USE;
/* Under an id that the peer chose: generation << 32 | index + 1, generation below 2^24, index in
 * [SL_IDS_PEER_FIRST, SL_IDS_MAX). PROTOCOL: it is no such id, or there is an entry at its index;
 * NOMEM. The peer may choose an id again that was taken out: who finds at the time may get the old
 * native value with the new record, unless it is kept out while entries are taken out. Owner's
 * lock. */
enum sl_result sl_ids_add_at(struct sl_ids *ids, uint32_t kind, uint64_t native, void *record,
                             uint64_t id) SL_MUST_USE;
/* Takes the entry out. False: unknown, stale or of another kind. Owner's lock. */
bool sl_ids_remove(struct sl_ids *ids, uint32_t kind, uint64_t id);
/* Change the native value, keeping id and record. False as above. Owner's lock. */
bool sl_ids_set_native(struct sl_ids *ids, uint32_t kind, uint64_t id, uint64_t native);
/* Walk: start with *cursor = 0; false at the end. Removing the entry just given is allowed. Owner's
 * lock. */
bool sl_ids_next(const struct sl_ids *ids, uint32_t *cursor, uint32_t *kind, uint64_t *id,
                 uint64_t *native, void **record);

/* What the owner keeps beside a living entry, NULL when it is added; NULL: there is no such entry.
 * Owner's lock. */
void **sl_ids_note(const struct sl_ids *ids, uint32_t kind, uint64_t id);
/* The state of the choice that sl_ids_add makes: how many slots it has handed out so far, and the
 * ids that it will give before it takes new ones, the next first. Writes at most room of them and
 * returns how many there are. Owner's lock. */
uint32_t sl_ids_free(const struct sl_ids *ids, uint32_t *slots, uint64_t *next, uint32_t room);
/* Go on from such a state: ids come as `next` says, then from slot number `slots` on; free slots
 * below that `next` does not name are not given. INVALID: an id of them lives, comes twice or is
 * not below `slots`, or a living one is not; NOMEM. Some are not given any more then. Owner's lock.
 */
enum sl_result sl_ids_restore(struct sl_ids *ids, uint32_t slots, const uint64_t *next,
                              uint32_t count) SL_MUST_USE;

/* Any thread, no lock. False: unknown, stale or of another kind; the outputs are untouched. */
static inline bool sl_ids_find(const struct sl_ids *ids, uint32_t kind, uint64_t id,
                               uint64_t *native, void **record)
{
    uint32_t index = (uint32_t)id - 1;
    if (index >= SL_IDS_MAX) {
        return false;
    }
    /* Pairs with the release in sl_ids_add that shows the chunk. */
    const struct sl_ids_slot *chunk =
        __atomic_load_n(&ids->chunks[index / SL_IDS_CHUNK], __ATOMIC_ACQUIRE);
    if (chunk == NULL) {
        return false;
    }
    const struct sl_ids_slot *slot = &chunk[index % SL_IDS_CHUNK];
    uint32_t want = (uint32_t)(id >> 32) << SL_IDS_KIND_BITS | kind;
    /* A sequence lock on the tag: acquire pairs with the writers' release, and the fence keeps the
     * second look behind the values. */
    if (id >> 56 != 0 || __atomic_load_n(&slot->tag, __ATOMIC_ACQUIRE) != want) {
        return false;
    }
    uint64_t value = __atomic_load_n(&slot->native, __ATOMIC_ACQUIRE);
    void *with = __atomic_load_n(&slot->record, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&slot->tag, __ATOMIC_RELAXED) != want) {
        return false;
    }
    *native = value;
    *record = with;
    return true;
}

#endif
