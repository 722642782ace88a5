/* Memory that a stream shares with its host for bulky data, so that the host's driver takes it from
 * where the guest put it: one copy less, and the guest's own on another core.
 *
 * Made at the stream's first use; hosts that do not offer it (SLUICE_FEATURE_STAGE), and guests in
 * another kernel, go on without. Packers marked `staged` use it by themselves (sl_pack_ops.stage).
 * A piece is a part of it that the caller holds. Thread: the stream's, but for gs_piece_give. */
#ifndef GUEST_GS_STAGE_H
#define GUEST_GS_STAGE_H

#include "guest/stream/gs.h"

/* What travels in bands of this size and more overlaps: the host works on one, the guest fills the
 * next. */
#define GS_STAGE_BAND 65536u
/* A driver looks at each band, 0.3 us of a part of a buffer and twice that of one of a picture; in
 * larger ones nothing is gained by that. */
#define GS_STAGE_BAND_MAX 524288u

/* Bytes of an slStaged in front of the packet that it holds. */
#define GS_STAGED_HEADER 28u

/* Bytes of the next band, when `sent` of them are sent and `left` are not: the host waits for the
 * first one and the guest for the last, so that these are short, and those between them long. */
static inline size_t gs_stage_band(size_t sent, size_t left)
{
    size_t band = sent < left / 2 ? sent : left / 2;
    band = band < GS_STAGE_BAND_MAX ? band : GS_STAGE_BAND_MAX;
    band = band > GS_STAGE_BAND ? band : GS_STAGE_BAND;
    return left < band ? left : band;
}

struct gs_piece {
    struct gs_stage *stage; /* NULL: none */
    uint8_t *data;
    size_t size;
};

/* Does the stream's host take staged data? */
static inline bool gs_stages(const struct gs_stream *stream)
{
    return stream->device->shared_futex && !stream->stage_failed &&
           (stream->device->features & SLUICE_FEATURE_STAGE) != 0;
}
/* Is a piece that a program writes to cheaper than a copy of what it wrote elsewhere? Not where
 * each line that the host has read comes from far (gs_way.h). Now and then false, so that a copy
 * shows it. */
bool gs_piece_pays(struct gs_stream *stream);
/* `size` bytes, not 0, with whatever a former piece left there. May wait for the host. False: there
 * is none, and *piece is empty. */
bool gs_piece_take(struct gs_stream *stream, size_t size, struct gs_piece *piece);
/* The caller is done with it; what was packed from it may still be on its way. Any thread, also
 * when the stream is gone. Takes an empty one, and leaves it empty. */
void gs_piece_give(struct gs_piece *piece);
/* Bulky data at `data`, inside a piece of this stream's that is not written any more, is sent
 * without a copy; from NULL on none is. */
void gs_piece_send(struct gs_stream *stream, const struct gs_piece *piece, const uint8_t *data);
/* The packet that is packed next, of `bytes` bytes, has a reply of the piece's size: it goes there,
 * and a u32 comes in its place: 0: it is not there. */
void gs_piece_reply(struct gs_stream *stream, const struct gs_piece *piece, uint32_t bytes);

#endif
