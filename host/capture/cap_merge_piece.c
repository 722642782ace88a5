/* The contents that memory records refer to: pieces in chunks of their own, some of which are kept
 * unpacked. */
#include "host/capture/cap_merge_priv.h"

#include "host/capture/cap_bytes.h"
#include "transport/base/arith.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

static enum sl_result index_blobs(struct cap_blobs_kept *b)
{
    uint32_t count = 0, capacity = 0;
    for (size_t at = 0; b->payload.size - at >= sizeof(struct cap_blob_head); count++) {
        uint32_t size = sl_load_u32(b->payload.data + at + offsetof(struct cap_blob_head, size));
        if (size == 0 || size > CAP_PIECE_BYTES ||
            size > b->payload.size - at - sizeof(struct cap_blob_head)) {
            return SL_ERR_PROTOCOL;
        }
        if (!cap_merge_room(&b->offsets, &capacity, count, sizeof *b->offsets)) {
            return SL_ERR_NOMEM;
        }
        b->offsets[count] = (uint32_t)at;
        at = sl_round_up(at + sizeof(struct cap_blob_head) + size, 8);
        if (at > b->payload.size) {
            count++;
            break;
        }
    }
    b->count = count;
    return SL_OK;
}

static enum sl_result load_blobs(struct cap_merge *m, uint32_t index, struct cap_blobs_kept **out)
{
    struct cap_blobs_kept *oldest = &m->blobs[0];
    for (uint32_t i = 0; i < CAP_BLOBS_KEPT; i++) {
        struct cap_blobs_kept *b = &m->blobs[i];
        if (b->chunk == index) {
            b->used = ++m->uses;
            *out = b;
            return SL_OK;
        }
        oldest = b->used < oldest->used ? b : oldest;
    }
    enum cap_damage_kind why = CAP_DAMAGE_RECORD;
    oldest->chunk = CAP_NO_CHUNK;
    sl_free(oldest->offsets);
    oldest->offsets = NULL;
    struct cap_chunk *chunk = &m->reader->chunks[index];
    enum sl_result result = cap_reader_load(m->reader, chunk, &oldest->payload, &why);
    if (result == SL_OK) {
        result = index_blobs(oldest);
    }
    if (result == SL_ERR_PROTOCOL) {
        cap_reader_damaged(m->reader, chunk, why);
    }
    if (result == SL_OK) {
        oldest->chunk = index;
        oldest->used = ++m->uses;
        *out = oldest;
    }
    return result;
}

static enum sl_result find_blob(struct cap_merge *m, uint64_t number, struct cap_piece *piece)
{
    uint32_t low = 0, high = m->blob_count;
    const struct cap_chunk *chunks = m->reader->chunks;
    while (low < high) { /* the last chunk that begins at the number or before */
        uint32_t middle = low + (high - low) / 2;
        if (chunks[m->blob_chunks[middle]].first_record <= number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return SL_ERR_PROTOCOL;
    }
    struct cap_blobs_kept *b = NULL;
    enum sl_result result = load_blobs(m, m->blob_chunks[low - 1], &b);
    if (result != SL_OK) {
        return result;
    }
    uint64_t place = number - chunks[b->chunk].first_record;
    if (place >= b->count) {
        return SL_ERR_PROTOCOL;
    }
    const uint8_t *head = b->payload.data + b->offsets[place];
    if (sl_load_u32(head + offsetof(struct cap_blob_head, size)) != piece->size) {
        return SL_ERR_PROTOCOL;
    }
    piece->bytes = head + sizeof(struct cap_blob_head);
    return SL_OK;
}

enum sl_result cap_merge_piece(struct cap_merge *merge, struct cap_event_memory *memory,
                               struct cap_piece *piece)
{
    if (memory->pieces == 0) {
        return SL_ERR_NOTFOUND;
    }
    uint64_t blob = CAP_NO_BLOB;
    if (!cap_piece_get(&memory->at, memory->end, &memory->offset, piece, &blob)) {
        return SL_ERR_PROTOCOL;
    }
    piece->blob = blob;
    memory->pieces--;
    return piece->bytes != NULL ? SL_OK : find_blob(merge, blob, piece);
}
