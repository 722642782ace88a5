#include "tests/integration/trace_arguments.h"
#include "host/capture/cap_bytes.h"
#include "transport/base/bytes.h"
#include "transport/virtgpu/proto.h"
#include "wire/vk_opcodes.h"

#include <stdbool.h>
#include <string.h>

#define PACKETS_MAX 4096u
#define BODY        12u /* behind opcode, length and number */

struct packet {
    uint8_t *bytes;
    uint32_t size;
};

struct packets {
    uint32_t count;
    struct packet list[PACKETS_MAX];
};

/* Behind a record's tag: moves over the record; *packet: of a PACKET. False: the end. */
static bool pass(const uint8_t **at, const uint8_t *end, uint8_t tag, struct packet *packet)
{
    uint64_t value, bytes = 0;
    if (!cap_varint_get(at, end, &value)) {
        return false;
    }
    if ((tag & CAP_CALL_TYPE) == CAP_CALL_PACKET && end - *at >= 8) {
        packet->bytes = (uint8_t *)(uintptr_t)*at;
        packet->size = sl_load_u32(*at + 4);
        bytes = packet->size + ((tag & CAP_CALL_SUM) != 0 ? 8 : 0);
    } else if ((tag & CAP_CALL_TYPE) == CAP_CALL_RESULT && (tag & CAP_CALL_REPLY) != 0 &&
               !cap_varint_get(at, end, &bytes)) {
        return false;
    }
    if (bytes > (uint64_t)(end - *at)) {
        return false; /* it goes on in the next chunk */
    }
    *at += bytes;
    return true;
}

static void collect(uint8_t *payload, size_t size, struct packets *out)
{
    const struct cap_call_head *head = (const void *)payload;
    out->count = 0;
    if (size < sizeof *head || head->capset != VIRTGPU_CAPSET_GFXSTREAM_VULKAN) {
        return;
    }
    const uint8_t *at = payload + head->head_size, *end = payload + size;
    while (at < end && out->count < PACKETS_MAX) {
        struct packet packet = {0};
        uint8_t tag = *at++;
        if (!pass(&at, end, tag, &packet)) {
            return;
        }
        if (packet.size >= BODY + 8 && sl_load_u32(packet.bytes) != VK_OP_vkCreateShaderModule) {
            out->list[out->count++] = packet;
        }
    }
}

/* A place for so many bytes among its words. */
static uint8_t *place(const struct packet *p, size_t bytes, uint64_t *state)
{
    return p->bytes + BODY + trace_random(state) % ((p->size - BODY - bytes) / 4 + 1) * 4;
}

/* Does it look like an id that our guest chooses? */
static bool is_handle(const uint8_t *at)
{
    uint64_t value = sl_load_u64(at);
    uint32_t index = (uint32_t)value;
    return value >> 32 != 0 && value >> 32 < 4096 && index > 1u << 19 && index < 1u << 20;
}

/* Some handle that the packet names; NULL: it seems to have none. */
static uint8_t *handle(const struct packet *p, uint64_t *state)
{
    uint32_t words = (p->size - BODY) / 4 - 1, first = (uint32_t)(trace_random(state) % words);
    for (uint32_t i = 0; i < words; i++) {
        uint8_t *at = p->bytes + BODY + (first + i) % words * 4;
        if (is_handle(at)) {
            return at;
        }
    }
    return NULL;
}

static const struct packet *any(const struct packets *packets, uint64_t *state)
{
    return &packets->list[trace_random(state) % packets->count];
}

/* Another of the same command; or any. */
static const struct packet *sibling(const struct packets *packets, const struct packet *of,
                                    uint64_t *state)
{
    uint32_t first = (uint32_t)(trace_random(state) % packets->count);
    for (uint32_t i = 0; i < packets->count; i++) {
        const struct packet *p = &packets->list[(first + i) % packets->count];
        if (p != of && sl_load_u32(p->bytes) == sl_load_u32(of->bytes)) {
            return p;
        }
    }
    return any(packets, state);
}

static void change_word(const struct packet *p, uint64_t *state)
{
    static const uint32_t edges[] = {0,          1,          2,          3,         4,      7,
                                     8,          16,         64,         255,       0xffff, 0x10000,
                                     0x7fffffff, 0x80000000, 0xfffffffe, UINT32_MAX};
    uint8_t *at = place(p, 4, state);
    uint32_t word = sl_load_u32(at);
    switch (trace_random(state) % 3) {
    case 0:
        word = edges[trace_random(state) % (sizeof edges / sizeof edges[0])];
        break;
    case 1:
        word ^= 1u << trace_random(state) % 32;
        break;
    default:
        word += trace_random(state) % 2 == 0 ? 1u : UINT32_MAX;
    }
    sl_store_u32(at, word);
}

void trace_arguments_change(uint8_t *payload, size_t size, uint64_t *state)
{
    static struct packets packets; /* large; one thread */
    collect(payload, size, &packets);
    if (packets.count == 0) {
        return;
    }
    const struct packet *p = any(&packets, state), *other = sibling(&packets, p, state);
    uint8_t *at, *from;
    switch (trace_random(state) % 4) {
    case 0:
        at = place(p, 8, state);
        memmove(at, place(other, 8, state), 8);
        break;
    case 1:
        other = trace_random(state) % 2 == 0 ? any(&packets, state) : other;
        at = handle(p, state);
        from = handle(other, state);
        if (at != NULL && from != NULL) {
            memmove(at, from, 8);
        }
        break;
    default:
        change_word(p, state);
    }
}
