/* The inside of a merge: what cap_merge.c and cap_merge_piece.c share. */
#ifndef HOST_CAP_MERGE_PRIV_H
#define HOST_CAP_MERGE_PRIV_H

#include "host/capture/cap_merge.h"

#include "host/capture/cap_track.h"
#include "transport/base/map.h"

#define CAP_BLOBS_KEPT 8u

/* A chunk of contents, unpacked. */
struct cap_blobs_kept {
    uint32_t chunk; /* CAP_NO_CHUNK: none */
    uint64_t used;  /* when it was last */
    struct cap_payload payload;
    uint32_t *offsets; /* of each head in the payload */
    uint32_t count;
};

struct cap_merge {
    struct cap_reader *reader;
    struct sl_map by_kind[CAP_EVENT_KINDS]; /* stream + 1 -> struct cap_track */
    struct cap_track **tracks;
    struct cap_track **heap; /* those that may have something, the earliest first */
    uint32_t track_count, track_capacity, heap_count;
    uint32_t linked; /* chunks of the reader that are in tracks */
    uint32_t
        snapshot; /* the begin mark that was linked last, when its end was not; else NO_CHUNK */
    bool began;   /* something outside of snapshots came */
    struct cap_span {
        uint64_t before, last; /* stamps of snapshots that are passed by: (before, last] */
    } * passed;
    uint32_t passed_count, passed_capacity;
    bool holds, is_holding; /* see cap_merge_hold */
    uint64_t head;          /* the last stamp of the snapshot that is played; 0: none */
    uint64_t last;          /* stamp of the last verb or call */
    uint64_t frames;        /* marks so far */
    uint32_t damages;       /* of the reader's that were told */
    uint32_t *blob_chunks;  /* in file order */
    uint32_t blob_count, blob_capacity;
    struct cap_blobs_kept blobs[CAP_BLOBS_KEPT];
    uint64_t uses;
};

/* cap_merge.c: the array takes one more than `count` elements of that size. False: no memory. */
bool cap_merge_room(void *array, uint32_t *capacity, uint32_t count, size_t size);

#endif
