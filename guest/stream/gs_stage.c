#include "guest/stream/gs_internal.h"
#include "guest/stream/gs_stage.h"
#include "guest/stream/gs_way.h"

#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#define STAGE_BYTES 8388608u
#define UNIT        16384u
#define UNITS       (STAGE_BYTES / UNIT)
/* What is not very large lies in so much of it: more than both ends' own caches hold, since of
 * lines that the other core has in its own each must be asked for before it is written, and little
 * enough to stay in the cache that both share. The rest is touched when this is held, or for what
 * is larger. */
#define WINDOW 208u
/* Fresh memory costs more than any copy. So copies begin with the first units, that pieces leave to
 * them, and come by one more for each so many units copied, or by as many again when all are on
 * their way. */
#define FIRST    16u
#define GROW_FOR 8u
/* Larger data goes by the ring: other data shall find room beside it. */
#define PIECE_MAX (STAGE_BYTES / 2)
/* Small data is published several at once. */
#define UNSENT_MAX 65536u

/* slStaged (codegen/spec/sl.csv) up to the packet that it holds; a test holds them together. */
enum { OP_STAGED = 15003, STAGED_HEADER = GS_STAGED_HEADER };
/* More than the fields of any command in front of its data. */
#define HEAD_MAX 512u

struct gs_stage {
    struct gs_device *device; /* counted */
    struct vg_res *blob;
    uint8_t *memory;
    uint8_t *sent;          /* data here is sent as it lies; nullable */
    uint32_t refs;          /* atomic: the stream, and each piece */
    uint32_t count;         /* slStaged sent */
    uint32_t done;          /* of them the host had done with so many when we looked */
    uint32_t next[2];       /* unit behind what was used last, for pieces and for copies */
    uint32_t window;        /* the units that copies go through */
    uint32_t copied;        /* units since that grew */
    struct gs_way way;      /* how copies get there */
    size_t unsent;          /* bytes copied here since packets were published for them */
    uint32_t ticket[UNITS]; /* the last slStaged that names the unit */
    bool flying[UNITS];     /* the host may not have done with that */
    uint32_t held[UNITS];   /* atomic: in a piece */
};

static void unref(struct gs_stage *stage)
{
    /* The last one frees: release and acquire put all others' uses before it. */
    if (sl_atomic_add(&stage->refs, UINT32_MAX) == 1) {
        vg_res_destroy(stage->blob);
        gs_device_put(stage->device);
        sl_free(stage);
    }
}

void gs_stage_close(struct gs_stream *stream)
{
    if (stream->stage != NULL) {
        unref(stream->stage);
        stream->stage = NULL;
    }
}

static enum sl_result announce(struct gs_stream *stream, const struct gs_stage *stage)
{
    const uint32_t words[] = {SLUICE_CONTEXT_STAGE, stream->blob->id, stage->blob->id};
    struct vg_res *const resources[] = {stream->blob, stage->blob};
    return gs_stream_command(stream, words, sizeof words, resources, 2);
}

static enum sl_result open(struct gs_stream *stream, struct gs_stage *stage)
{
    const struct vg_blob_args args = {
        .mem = VIRTGPU_BLOB_HOST3D, .flags = VIRTGPU_BLOB_MAPPABLE, .size = STAGE_BYTES};
    void *memory;
    enum sl_result r = vg_blob_create(stream->device->vg, &args, &stage->blob);
    r = r == SL_OK ? vg_res_map(stage->blob, &memory) : r;
    r = r == SL_OK ? announce(stream, stage) : r;
    if (r == SL_OK) {
        stage->memory = memory;
    }
    return r;
}

/* The stream's, made when it is first asked for; NULL: there is none. */
static struct gs_stage *stage_of(struct gs_stream *stream)
{
    if (stream->stage != NULL || stream->stage_failed || !gs_stages(stream)) {
        return stream->stage;
    }
    struct gs_stage *stage = sl_alloc(sizeof *stage);
    if (stage == NULL) {
        return NULL;
    }
    enum sl_result r = open(stream, stage);
    if (r != SL_OK) {
        sl_warn("stream", "no memory shared for bulky data: %s", sl_result_name(r));
        vg_res_destroy(stage->blob);
        sl_free(stage);
        stream->stage_failed = true;
        return NULL;
    }
    stage->window = FIRST;
    stage->device = gs_device_ref(stream->device);
    sl_atomic_store_relaxed(&stage->refs, 1);
    stream->stage = stage;
    return stage;
}

static bool unit_free(struct gs_stage *stage, uint32_t unit)
{
    if (stage->flying[unit] && (int32_t)(stage->done - stage->ticket[unit]) >= 0) {
        stage->flying[unit] = false;
    }
    /* Pairs with gs_piece_give: what was done with the piece lies before. */
    return !stage->flying[unit] && sl_atomic_load_acquire(&stage->held[unit]) == 0;
}

/* The first of `count` units in a row that are free in [unit, end); UNITS: there are none. */
static uint32_t row_free(struct gs_stage *stage, uint32_t unit, uint32_t end, uint32_t count)
{
    for (uint32_t run = 0; unit < end; unit++) {
        run = unit_free(stage, unit) ? run + 1 : 0;
        if (run == count) {
            return unit + 1 - count;
        }
    }
    return UNITS;
}

/* Copies go through more memory from now on; false: through all that they may. */
static bool grow(struct gs_stage *stage, uint32_t units)
{
    if (stage->window >= WINDOW) {
        return false;
    }
    stage->window = stage->window + units < WINDOW ? stage->window + units : WINDOW;
    stage->copied = 0;
    return true;
}

/* The same where such data lies, behind what was used last. */
static uint32_t row_next(struct gs_stage *stage, uint32_t count, bool copy)
{
    bool large = count > WINDOW / 2;
    uint32_t from = copy || large ? 0 : FIRST;
    uint32_t end = large ? UNITS : copy && count <= stage->window ? stage->window : WINDOW;
    uint32_t next = stage->next[copy];
    uint32_t unit = row_free(stage, next > from ? next : from, end, count);
    return unit != UNITS ? unit : row_free(stage, from, end, count);
}

/* Is any unit on its way? *most: the slStaged with which half of them come back. To wait for the
 * oldest alone would be to wait again for each, to wait for all to leave the host without work. */
static bool any_flying(struct gs_stage *stage, uint32_t *most)
{
    uint32_t oldest = stage->count;
    bool any = false;
    for (uint32_t unit = 0; unit < UNITS; unit++) {
        (void)unit_free(stage, unit);
        if (stage->flying[unit]) {
            any = true;
            oldest = (int32_t)(stage->ticket[unit] - oldest) < 0 ? stage->ticket[unit] : oldest;
        }
    }
    *most = oldest + (stage->count - oldest) / 2;
    return any;
}

static uint32_t units_of(size_t size)
{
    return (uint32_t)((size + UNIT - 1) / UNIT);
}

/* Memory that nobody uses, waited for; NULL: there is none. `copy`: not for a piece. May publish
 * what was packed. */
static uint8_t *find(struct gs_stream *stream, struct gs_stage *stage, size_t size, bool copy)
{
    if (size == 0 || size > PIECE_MAX) {
        return NULL;
    }
    uint32_t count = units_of(size), most;
    stage->copied += copy ? count : 0;
    if (stage->copied >= GROW_FOR) {
        (void)grow(stage, stage->copied / GROW_FOR);
    }
    uint32_t unit = row_next(stage, count, copy);
    while (unit == UNITS) {
        stage->done = asg_writer_staged(&stream->ring);
        unit = row_next(stage, count, copy);
        if (unit != UNITS || (copy && grow(stage, FIRST))) {
            continue;
        }
        if (!any_flying(stage, &most)) {
            unit = row_free(stage, 0, UNITS, count); /* the window is held */
            if (unit == UNITS) {
                return NULL;
            }
        } else if (asg_writer_wait_staged(&stream->ring, most) != SL_OK) {
            return NULL;
        }
    }
    stage->next[copy] = unit + count;
    return stage->memory + (size_t)unit * UNIT;
}

static uint32_t first_unit(const struct gs_stage *stage, const uint8_t *data)
{
    return (uint32_t)((size_t)(data - stage->memory) / UNIT);
}

/* The next slStaged names these bytes. */
static void fly(struct gs_stage *stage, const uint8_t *data, size_t size)
{
    uint32_t last = first_unit(stage, data + size - 1);
    stage->count++;
    for (uint32_t unit = first_unit(stage, data); unit <= last; unit++) {
        stage->ticket[unit] = stage->count;
        stage->flying[unit] = true;
    }
}

/* slStaged up to its packet of `bytes` bytes. */
static uint8_t *put_header(uint8_t *p, const struct gs_stage *stage, const uint8_t *data,
                           size_t size, size_t at, uint32_t bytes)
{
    const uint32_t words[] = {
        OP_STAGED,      STAGED_HEADER + bytes, (uint32_t)(data - stage->memory),
        (uint32_t)size, (uint32_t)at,          bytes,
        bytes};
    _Static_assert(sizeof words == STAGED_HEADER, "slStaged's fields");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        sl_store_u32(p + 4 * i, words[i]);
    }
    return p + STAGED_HEADER;
}

/* sl_pack_ops.stage: the packet begun moves into an slStaged. */
static uint8_t *pack_stage(struct sl_pack *pack, uint8_t *p, const void *data, size_t size,
                           uint8_t **to)
{
    struct gs_stream *stream = (struct gs_stream *)(void *)pack;
    size_t at = (size_t)(p - pack->cur);
    struct gs_stage *stage =
        pack->tail == 0 && at <= HEAD_MAX && !gs_dead(stream) ? stage_of(stream) : NULL;
    if (stage == NULL) {
        return p;
    }
    uint8_t head[HEAD_MAX];
    memcpy(head, pack->cur, at);
    stage->unsent += size;
    if (stage->unsent > UNSENT_MAX) { /* the host has work while this is copied */
        stage->unsent = size;
        gs_flush(stream);
    }
    uint8_t *piece =
        data != NULL && data == stage->sent ? stage->sent : find(stream, stage, size, true);
    p = pack->ops->room(pack, STAGED_HEADER + HEAD_MAX + SL_PACK_ROOM);
    if (piece != NULL) {
        fly(stage, piece, size);
        p = put_header(p, stage, piece, size, at, sl_load_u32(head + 4) - (uint32_t)size);
        *to = piece;
    }
    memcpy(p, head, at);
    return p + at;
}

/* sl_pack_ops.fill */
static void pack_fill(struct sl_pack *pack, uint8_t *to, const void *data, size_t size)
{
    gs_way_copy(&((struct gs_stream *)(void *)pack)->stage->way, to, data, size);
}

void gs_stage_init(struct gs_stream *stream)
{
    stream->pack_ops = *stream->ring.pack.ops;
    stream->pack_ops.stage = pack_stage;
    stream->pack_ops.fill = pack_fill;
    stream->ring.pack.ops = &stream->pack_ops;
}

bool gs_piece_pays(struct gs_stream *stream)
{
    const struct gs_stage *stage = stage_of(stream);
    return stage != NULL && gs_way_is_near(&stage->way, sl_clock_ns());
}

bool gs_piece_take(struct gs_stream *stream, size_t size, struct gs_piece *piece)
{
    *piece = (struct gs_piece){0};
    struct gs_stage *stage =
        gs_pack(stream)->tail == 0 && !gs_dead(stream) ? stage_of(stream) : NULL;
    uint8_t *data = stage != NULL ? find(stream, stage, size, false) : NULL;
    if (data == NULL) {
        return false;
    }
    uint32_t first = first_unit(stage, data);
    for (uint32_t unit = first; unit < first + units_of(size); unit++) {
        sl_atomic_store_relaxed(&stage->held[unit], 1); /* ours to set */
    }
    sl_atomic_add(&stage->refs, 1); /* we have one already */
    *piece = (struct gs_piece){.stage = stage, .data = data, .size = size};
    return true;
}

void gs_piece_give(struct gs_piece *piece)
{
    struct gs_stage *stage = piece->stage;
    if (stage == NULL) {
        return;
    }
    uint32_t first = first_unit(stage, piece->data);
    for (uint32_t unit = first; unit < first + units_of(piece->size); unit++) {
        /* Pairs with unit_free. */
        sl_atomic_store_release(&stage->held[unit], 0);
    }
    *piece = (struct gs_piece){0};
    unref(stage);
}

void gs_piece_send(struct gs_stream *stream, const struct gs_piece *piece, const uint8_t *data)
{
    if (stream->stage != NULL && (data == NULL || piece->stage == stream->stage)) {
        stream->stage->sent = data != NULL ? piece->data + (data - piece->data) : NULL;
    }
}

void gs_piece_reply(struct gs_stream *stream, const struct gs_piece *piece, uint32_t bytes)
{
    uint8_t *p = sl_pack_begin(gs_pack(stream), STAGED_HEADER);
    fly(piece->stage, piece->data, piece->size);
    gs_pack(stream)->cur = put_header(p, piece->stage, piece->data, piece->size, 0, bytes);
}
