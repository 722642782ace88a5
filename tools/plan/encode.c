/* The reference encoder. */
#include "tools/plan/plan.h"
#include "transport/base/bytes.h"

#include <string.h>

#define SUM_SIZE 8u

struct sink {
    uint8_t *out;
    size_t room, size;
};

static void put(struct sink *s, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++, s->size++) {
        if (s->size < s->room) {
            s->out[s->size] = data != NULL ? ((const uint8_t *)data)[i] : 0;
        }
    }
}

static void put_bits(struct sink *s, uint64_t bits, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(bits >> 8 * i);
        put(s, &byte, 1);
    }
}

static uint32_t reversed(uint32_t value)
{
    uint32_t result = 0;
    for (int i = 0; i < 32; i++) {
        result = result << 1 | (value >> i & 1);
    }
    return result;
}

static void put_field(struct sink *s, const struct plan_field *field,
                      const struct plan_value *value)
{
    switch ((enum plan_step)field->step) {
    case PLAN_SCALAR:
        put_bits(s, value->bits, plan_prim_size(field->prim));
        break;
    case PLAN_BYTES:
        put_bits(s, value->size, 4);
        put(s, value->bytes, value->size);
        break;
    case PLAN_OUT_LENGTH:
        put_bits(s, value->size, 4);
        break;
    case PLAN_ADDRESS:
        put_bits(s, value->bits, 8);
        break;
    }
}

size_t plan_encode(const struct plan_api *api, uint32_t opcode, const struct plan_value *values,
                   const struct plan_framing *framing, uint8_t *out, size_t room)
{
    const struct plan_command *command = plan_find(api, opcode);
    struct sink s = {.out = out, .room = room};
    put_bits(&s, opcode, 4);
    put_bits(&s, 0, 4);
    for (uint8_t i = 0; i < command->field_count; i++) {
        put_field(&s, &command->fields[i], &values[i]);
    }
    if (framing->tail != 0) {
        put_bits(&s, reversed((uint32_t)s.size), SUM_SIZE / 2);
        put_bits(&s, framing->count, SUM_SIZE / 2);
    }
    put(&s, NULL, command->trailing);
    if (room >= PLAN_HEADER_SIZE) {
        sl_store_u32(out + 4, (uint32_t)s.size);
    }
    return s.size;
}
