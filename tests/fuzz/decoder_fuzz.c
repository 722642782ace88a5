/* A decoder, from the packet loop to the driver's door: generated handlers, hand-written ones and
 * renderControl's objects, over drivers that draw nothing. Built once per API (DECODER_API). */
#include "check/fake_gl.h"
#include "tests/fuzz/decoder_input.h"
#include "tests/support/fed_gles.h"
#include "tests/wire/apis.h"
#include "transport/base/bytes.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void quiet(void *user, enum sl_log_level level, const char *module, const char *text)
{
    (void)user, (void)level, (void)module, (void)text;
}

/* The packet's bytes in `packet`, and their number. */
static size_t packet_of(uint16_t command, const uint8_t *body, size_t size, uint8_t *packet)
{
    const struct plan_api *api =
        wire_apis[decoder_kind(command) == DECODER_RC ? WIRE_RC : DECODER_API].plan;
    if (decoder_kind(command) == DECODER_RAW) {
        memcpy(packet, body, size);
        return size;
    }
    sl_store_u32(packet, api->first_opcode + (command & DECODER_INDEX_MASK) % api->count);
    sl_store_u32(packet + 4, (uint32_t)(PLAN_HEADER_SIZE + size));
    memcpy(packet + PLAN_HEADER_SIZE, body, size);
    return PLAN_HEADER_SIZE + size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t packet[PLAN_HEADER_SIZE + DECODER_BODY_MAX];
    static bool told;
    if (!told) {
        sl_log_set_callback(quiet, NULL);
        told = true;
    }
    uint64_t live = sl_alloc_live();
    struct fed_gles fed;
    if (!fed_gles_init(&fed) || !fed_gles_current(&fed, DECODER_API == WIRE_GLES1)) {
        abort();
    }
    fake_gl = (struct fake_gl){.result = 1, .fill = size != 0 ? data[size - 1] & 7 : 0};
    bool alive = true;
    while (alive && size >= DECODER_HEADER_SIZE) {
        uint16_t command = (uint16_t)(data[0] | data[1] << 8);
        size_t body = (size_t)(data[2] | data[3] << 8) % DECODER_BODY_MAX;
        data += DECODER_HEADER_SIZE;
        size -= DECODER_HEADER_SIZE;
        body = body < size ? body : size;
        size_t whole = packet_of(command, data, body, packet);
        alive = hr_ring_feed(fed.ring, packet, whole);
        data += body;
        size -= body;
    }
    fed_gles_finish(&fed);
    if (sl_alloc_live() != live) {
        fprintf(stderr, "%llu blocks are left behind\n",
                (unsigned long long)(sl_alloc_live() - live));
        abort();
    }
    return 0;
}
