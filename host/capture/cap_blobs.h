/* Contents that were written before: equal pieces of memory are stored once. Any thread; its lane's
 * lock guards it. */
#ifndef HOST_CAP_BLOBS_H
#define HOST_CAP_BLOBS_H

#include "host/capture/cap_lane.h"

/* Keys that are remembered; in sets of CAP_BLOBS_WAYS, the oldest of a set goes first. */
#define CAP_BLOBS_KEYS (1u << 20)
#define CAP_BLOBS_WAYS 4u

struct cap_blob_key {
    uint64_t low, high;
    uint64_t number; /* of the blob, + 1; 0: free */
};

struct cap_blobs {
    struct cap_lane lane;
    struct cap_blob_key *keys; /* [CAP_BLOBS_KEYS], made with the first */
    uint64_t seed;
};

void cap_blobs_finish(struct cap_blobs *blobs);
/* What was written so far is not referred to any more. */
void cap_blobs_restart(struct cap_blobs *blobs);
/* The number of a blob with these bytes (1 to CAP_PIECE_BYTES), which is written unless it is
 * known. stamp: of what refers to it. False: no memory. */
bool cap_blobs_put(struct cap_blobs *blobs, const void *bytes, uint32_t size, uint64_t stamp,
                   uint64_t *number, bool *is_new);

#endif
