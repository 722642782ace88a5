/* The reader of traces against files that an enemy made.
 *
 * An input's first byte chooses: the rest is a file as it is, or a row of chunks {kind, stream,
 * flags, records, size, payload} around which headers and checksums are made that hold, so that
 * what lies behind the checksums is reached. */
#include "host/capture/cap_index.h"
#include "host/capture/cap_merge.h"
#include "tests/support/trace_maker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_HEAD = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t kinds[] = {CAP_KIND_CALL, CAP_KIND_MEMW, CAP_KIND_VERB, CAP_KIND_BLOB,
                                 CAP_KIND_FRAM, CAP_KIND_SNAP, CAP_KIND_TEXT, CAP_KIND_META,
                                 CAP_KIND_PROT, CAP_KIND_INDX, CAP_KIND_END,  CAP_KIND_CAPS};

/* Bytes that a sum over all of them reads: a sanitizer sees the first one that is not there. */
static volatile uint32_t sum;

static void touch(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        sum += bytes[i];
    }
}

static void touch_event(struct cap_merge *merge, struct cap_event *e)
{
    struct cap_piece piece;
    switch (e->kind) {
    case CAP_EVENT_CALL:
        touch(e->call.packet, e->call.size);
        touch(e->call.reply, e->call.reply_size);
        break;
    case CAP_EVENT_VERB:
        touch(e->verb.body, e->verb.size);
        break;
    case CAP_EVENT_MEMORY:
        while (cap_merge_piece(merge, &e->memory, &piece) == SL_OK) {
            touch(piece.bytes, piece.size);
        }
        break;
    case CAP_EVENT_TEXT:
        touch(e->text.text, e->text.size);
        break;
    case CAP_EVENT_FRAME:
        break;
    }
}

static void read_all(const struct trace_maker *maker)
{
    struct cap_reader *reader = NULL;
    struct cap_merge *merge = NULL;
    struct cap_summary summary = {0};
    struct cap_damage damage;
    struct cap_event event;
    enum sl_result result = cap_reader_open(trace_maker_fd(maker), &reader);
    if (result == SL_OK) {
        result = cap_summary_read(reader, &summary, &damage);
        cap_summary_finish(&summary);
        result = result == SL_ERR_NOMEM ? result : cap_reader_scan(reader);
    }
    if (result == SL_OK && cap_merge_create(reader, &merge) == SL_OK) {
        do {
            result = cap_merge_next(merge, &event, &damage);
            if (result == SL_OK) {
                touch_event(merge, &event);
            }
        } while (result == SL_OK || result == SL_ERR_PROTOCOL);
    }
    cap_merge_destroy(merge);
    cap_reader_close(reader);
}

/* One chunk out of the input; what is used up. */
static size_t make_chunk(struct trace_maker *maker, const uint8_t *p, size_t left)
{
    size_t size = p[4] + (size_t)(p[5] & 15) * 256;
    size = size < left - CHUNK_HEAD ? size : left - CHUNK_HEAD;
    const struct trace_chunk chunk = {.kind = kinds[p[0] % (sizeof kinds / sizeof kinds[0])],
                                      .stream = p[1] & 3,
                                      .flags = p[2] & 15,
                                      .records = p[3] & 15,
                                      .first_stamp = p[3] >> 4,
                                      .first_record = p[2] >> 4};
    if (chunk.kind == CAP_KIND_CALL && (p[1] & 0x80) == 0) {
        trace_calls_begin(maker, chunk.first_stamp, 1, 9, 62);
    }
    trace_put(maker, p + CHUNK_HEAD, size);
    trace_chunk(maker, &chunk);
    return CHUNK_HEAD + size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace_maker maker;
    if (size == 0) {
        return 0;
    }
    trace_maker_init(&maker);
    if ((data[0] & 1) != 0) {
        if ((data[0] & 2) != 0) {
            maker.size = 0; /* the header, too, is the input's */
        }
        size_t at = maker.size;
        uint8_t *file = realloc(maker.data, at + size);
        if (file == NULL) {
            abort();
        }
        maker.data = file;
        memcpy(file + at, data + 1, size - 1);
        maker.size = at + size - 1;
    } else {
        for (size_t at = 1; size - at > CHUNK_HEAD;) {
            at += make_chunk(&maker, data + at, size - at);
        }
    }
    read_all(&maker);
    trace_maker_finish(&maker);
    return 0;
}
