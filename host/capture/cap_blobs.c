#include "host/capture/cap_blobs.h"

#include "transport/base/mem.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

void cap_blobs_finish(struct cap_blobs *blobs)
{
    sl_free(blobs->keys);
    blobs->keys = NULL;
}

void cap_blobs_restart(struct cap_blobs *blobs)
{
    cap_lane_lock(&blobs->lane);
    cap_blobs_finish(blobs);
    cap_lane_unlock(&blobs->lane);
}

/* The known key, or the place for a new one. */
static struct cap_blob_key *find(struct cap_blobs *blobs, XXH128_hash_t key)
{
    struct cap_blob_key *set =
        &blobs->keys[(key.low64 & (CAP_BLOBS_KEYS / CAP_BLOBS_WAYS - 1)) * CAP_BLOBS_WAYS];
    struct cap_blob_key *oldest = set;
    for (uint32_t i = 0; i < CAP_BLOBS_WAYS; i++) {
        if (set[i].number != 0 && set[i].low == key.low64 && set[i].high == key.high64) {
            return &set[i];
        }
        oldest = set[i].number < oldest->number ? &set[i] : oldest;
    }
    oldest->number = 0;
    return oldest;
}

static bool write_blob(struct cap_blobs *blobs, XXH128_hash_t key, const void *bytes, uint32_t size,
                       uint64_t stamp, uint64_t *number)
{
    const struct cap_blob_head head = {.key = {key.low64, key.high64}, .size = size};
    struct cap_lane *lane = &blobs->lane;
    uint8_t *p = cap_lane_begin(lane, sizeof head + size, stamp);
    if (p == NULL) {
        return false;
    }
    *number = lane->records;
    memcpy(p, &head, sizeof head);
    memcpy(p + sizeof head, bytes, size);
    p += sizeof head + size;
    for (; (p - lane->open->data) % 8 != 0; p++) { /* at most 7: the prefix's room */
        *p = 0;
    }
    cap_lane_end(lane, p, stamp, 1);
    return true;
}

bool cap_blobs_put(struct cap_blobs *blobs, const void *bytes, uint32_t size, uint64_t stamp,
                   uint64_t *number, bool *is_new)
{
    XXH128_hash_t key = XXH3_128bits_withSeed(bytes, size, blobs->seed);
    bool ok = true;
    *is_new = false;
    cap_lane_lock(&blobs->lane);
    if (blobs->keys == NULL) {
        blobs->keys = sl_alloc_array(CAP_BLOBS_KEYS, sizeof *blobs->keys);
    }
    if (blobs->keys == NULL) {
        ok = false;
    } else {
        struct cap_blob_key *at = find(blobs, key);
        if (at->number == 0) {
            *is_new = true;
            ok = write_blob(blobs, key, bytes, size, stamp, number);
            *at = ok ? (struct cap_blob_key){key.low64, key.high64, *number + 1}
                     : (struct cap_blob_key){0};
        } else {
            *number = at->number - 1;
        }
    }
    cap_lane_unlock(&blobs->lane);
    return ok;
}
