/* A trace as large as is wished, by the recorder itself: draws, uploads that do not pack, frames.
 *
 *   large_trace FILE MEBIBYTES */
#include "host/capture/cap_recording.h"
#include "transport/base/bytes.h"
#include "wire/gles2_opcodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 100, UPLOAD = 64 << 10, HEAD = 8 };

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void put(struct cap_stream *s, uint8_t *packet, uint32_t opcode, uint32_t size)
{
    sl_store_u32(packet, opcode);
    sl_store_u32(packet + 4, size);
    cap_stream_packet(s, packet, size, false);
}

static void frame(struct cap_stream *s, uint8_t *packet, uint64_t *state)
{
    memset(packet + HEAD, 0, 12);
    for (uint32_t i = 0; i < DRAWS; i++) {
        sl_store_u32(packet + HEAD + 8, 3);
        put(s, packet, GLES2_OP_glDrawArrays, HEAD + 12);
    }
    for (uint32_t i = HEAD; i < UPLOAD; i += 8) {
        sl_store_u64(packet + i, next(state));
    }
    /* target, offset, size, then the bytes behind their length */
    sl_store_u32(packet + HEAD, 0x8892);
    sl_store_u32(packet + HEAD + 4, 0);
    sl_store_u32(packet + HEAD + 8, UPLOAD - HEAD - 16);
    sl_store_u32(packet + HEAD + 12, UPLOAD - HEAD - 16);
    put(s, packet, GLES2_OP_glBufferSubData, UPLOAD);
    cap_stream_frame(s, &(struct vgd_frame){.kind = VGD_FRAME_FLUSH, .surface = 1});
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("large_trace: FILE and MEBIBYTES are missing\n", stderr);
        return 2;
    }
    const struct cap_start start = {.path = argv[1], .level = 1, .force = true};
    const struct cap_call_head head = {.ctx_id = 1, .ring_id = 1, .capset = 8};
    uint64_t frames = strtoull(argv[2], NULL, 10) * ((1u << 20) / UPLOAD), state = 1;
    uint8_t *packet = calloc(1, UPLOAD);
    struct cap_memory memory = {0};
    struct cap_recording *r = NULL;
    struct cap_writer_report report;
    cap_memory_init(&memory);
    if (packet == NULL || cap_recording_start(&start, &memory, &r) != SL_OK ||
        !cap_recording_chunk(r, CAP_KIND_META, "{}", 2)) {
        fprintf(stderr, "large_trace: %s cannot be written\n", argv[1]);
        return 1;
    }
    struct cap_stream *s = cap_stream_begin(r, &head);
    for (uint64_t i = 0; s != NULL && i < frames; i++) {
        frame(s, packet, &state);
    }
    if (s != NULL) {
        cap_stream_end(s);
    }
    cap_recording_end(r);
    cap_writer_finish(r->writer, CAP_END_ASKED, 0, &report);
    cap_recording_unref(r);
    cap_memory_finish(&memory);
    free(packet);
    return report.has_name && report.reason == CAP_END_ASKED ? 0 : 1;
}
