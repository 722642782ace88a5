#include "tools/sluice/trace_types.h"
#include "host/capture/cap_bytes.h"
#include "host/device/device.h"
#include "transport/virtgpu/proto.h"

#include <stddef.h>
#include <string.h>

#define ALL UINT64_MAX

/* One bit a capset. */
static uint64_t needed_by(enum cap_verb verb, const uint8_t *body, uint64_t size)
{
    struct cap_verb_ctx ctx;
    if (verb == CAP_VERB_TEX_CREATE) { /* whoever makes it, that driver has its texture */
        return UINT64_C(1) << VIRTGPU_CAPSET_GFXSTREAM_GLES;
    }
    if (verb != CAP_VERB_CTX_CREATE || size < sizeof ctx) {
        return 0;
    }
    memcpy(&ctx, body, sizeof ctx);
    return ctx.value < 64 ? UINT64_C(1) << ctx.value : 0;
}

static uint64_t needed_by_chunk(const struct cap_payload *payload)
{
    const uint8_t *at = payload->data, *end = at + payload->size;
    uint64_t needed = 0;
    while (at < end) {
        enum cap_verb verb = *at++;
        uint64_t stamp, size;
        if (!cap_varint_get(&at, end, &stamp) || !cap_varint_get(&at, end, &size) ||
            size > (uint64_t)(end - at)) {
            return ALL; /* whoever plays it says what is wrong */
        }
        needed |= needed_by(verb, at, size);
        at += size;
    }
    return needed;
}

void trace_types(struct cap_reader *reader, const struct hct_options *options,
                 const struct hct_type *types[TRACE_TYPES])
{
    struct cap_payload payload = {0};
    enum cap_damage_kind why;
    uint64_t needed = options->gpu != NULL ? ALL : 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < reader->chunk_count && needed != ALL; i++) {
        const struct cap_chunk *chunk = &reader->chunks[i];
        if (chunk->kind == CAP_KIND_VERB) {
            enum sl_result result = cap_reader_load(reader, chunk, &payload, &why);
            needed |= result == SL_OK ? needed_by_chunk(&payload) : ALL;
        }
    }
    cap_payload_finish(&payload);
    for (uint32_t i = 0; dev_all_types[i] != NULL && count < TRACE_TYPES - 1; i++) {
        if (needed == 0 || (needed >> dev_all_types[i]->capset & 1) != 0) {
            types[count++] = dev_all_types[i];
        }
    }
    types[count] = NULL;
}

bool trace_has_one_ring(const struct cap_reader *reader)
{
    uint32_t first = 0, count = 0;
    for (uint32_t i = 0; i < reader->chunk_count && count < 2; i++) {
        const struct cap_chunk *chunk = &reader->chunks[i];
        if (chunk->kind == CAP_KIND_CALL && (count == 0 || chunk->stream != first)) {
            first = chunk->stream;
            count++;
        }
    }
    return count < 2;
}
