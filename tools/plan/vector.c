/* Seeded values and damaged packets for tests, benches and fuzzers. */
#include "tools/plan/plan.h"
#include "transport/base/bytes.h"

#include <string.h>

uint64_t plan_random(uint64_t *state)
{
    /* xorshift64*: short and the same everywhere. */
    uint64_t x = *state;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    *state = x;
    return x * 0x2545f4914f6cdd1dull;
}

static uint64_t edge(uint64_t *state)
{
    static const uint64_t edges[] = {
        0,   1,    UINT64_MAX, 0x7fffffff,         0x80000000,        0xffff, 0x10000, 255,
        256, 4096, 2,          0x7fffffffffffffff, 0x8000000000000000};
    return edges[plan_random(state) % (sizeof edges / sizeof edges[0])];
}

/* A NaN may lose its signalling bit in a register: floats are finite. */
static uint64_t as_finite(uint64_t bits, enum plan_prim prim)
{
    return prim == PLAN_F32 && (bits & 0x7f800000u) == 0x7f800000u ? bits & 0x80ffffffu : bits;
}

static uint32_t length(uint32_t longest, uint64_t *state)
{
    uint64_t r = plan_random(state);
    if (r % 512 == 0) {
        return (uint32_t)(r >> 16) % (longest + 1);
    }
    uint32_t shorter = r % 4 == 0 ? 0 : (uint32_t)(r >> 16) % 72;
    return shorter < longest ? shorter : longest;
}

void plan_vector_make(const struct plan_command *command, uint32_t longest, uint64_t *state,
                      struct plan_vector *vector)
{
    for (uint8_t i = 0; i < command->field_count; i++) {
        const struct plan_field *field = &command->fields[i];
        struct plan_value *value = &vector->values[i];
        *value = (struct plan_value){0};
        uint64_t r = plan_random(state);
        switch ((enum plan_step)field->step) {
        case PLAN_SCALAR:
            r = r % 3 == 0 ? edge(state) : r % 3 == 1 ? (r >> 8) % 16 : r >> 8;
            value->bits = as_finite(plan_cut(r, field->prim), field->prim);
            break;
        case PLAN_BYTES:
            value->size = length(longest, state);
            value->bytes =
                value->size != 0 ? vector->pool + r % (PLAN_POOL_SIZE - value->size + 1) : NULL;
            break;
        case PLAN_OUT_LENGTH:
            value->size = length(longest, state);
            break;
        case PLAN_ADDRESS:
            value->bits = r;
            break;
        }
    }
}

/* Fields whose values lengths are made of, as bits. */
static uint32_t measured(const struct plan_command *command)
{
    uint32_t fields = 0;
    for (uint8_t i = 0; i < command->field_count; i++) {
        for (uint8_t j = 0; j < command->fields[i].rule_count; j++) {
            const struct plan_rule *rule = &command->fields[i].rule[j];
            fields |= rule->op == PLAN_RULE_FIELD ? 1u << rule->operand : 0;
        }
    }
    return fields;
}

static uint64_t fitting_scalar(const struct plan_field *field, bool measure, uint64_t *state)
{
    uint64_t r = plan_random(state);
    if (measure) {
        return r % 4 == 0 ? r >> 8 & 3 : (r >> 8) % 48;
    }
    if (field->prim == PLAN_F32) {
        float number = (float)((int)(r % 65) - 32) / 8.0f;
        uint32_t bits;
        memcpy(&bits, &number, sizeof bits);
        return bits;
    }
    if (field->names != NULL && r % 8 != 0) {
        const struct plan_names *names = field->names;
        while (names->rest != NULL && (r >> 4) % 2 == 0) {
            names = names->rest;
        }
        return plan_cut(names->names[(r >> 8) % names->count].value, field->prim);
    }
    return plan_cut(r % 16 == 0 ? edge(state) : (r >> 8) % 16, field->prim);
}

/* A text of `size` bytes, its NUL included. */
static const uint8_t *text_of(uint32_t size, uint64_t *state, uint8_t *pool)
{
    uint8_t *text = pool + plan_random(state) % (PLAN_POOL_SIZE - size + 1);
    for (uint32_t i = 0; i + 1 < size; i++) {
        text[i] = text[i] != 0 ? text[i] : 'a';
    }
    text[size - 1] = 0;
    return text;
}

static void fit_pointer(const struct plan_command *command, uint8_t i, uint32_t longest,
                        uint64_t *state, struct plan_vector *vector)
{
    const struct plan_field *field = &command->fields[i];
    struct plan_value *value = &vector->values[i];
    uint64_t size;
    bool ruled = plan_length(command, i, vector->values, &size);
    if (!ruled || size > PLAN_POOL_SIZE) {
        size = length(longest, state);
    }
    if (field->nullable && plan_random(state) % 8 == 0) {
        size = 0;
    }
    bool text = field->kind == PLAN_STRING && field->step == PLAN_BYTES && !ruled;
    value->size = (uint32_t)size + (text && size == 0 && !field->nullable ? 1 : 0);
    if (field->step == PLAN_BYTES && value->size != 0) {
        value->bytes = text
                           ? text_of(value->size, state, vector->pool)
                           : vector->pool + plan_random(state) % (PLAN_POOL_SIZE - value->size + 1);
    }
}

void plan_vector_fit(const struct plan_command *command, uint32_t longest, uint64_t *state,
                     struct plan_vector *vector)
{
    uint32_t measures = measured(command);
    for (uint8_t i = 0; i < command->field_count; i++) {
        vector->values[i] = (struct plan_value){0};
        if (command->fields[i].step == PLAN_SCALAR) {
            vector->values[i].bits =
                fitting_scalar(&command->fields[i], (measures >> i & 1) != 0, state);
        } else if (command->fields[i].step == PLAN_ADDRESS) {
            vector->values[i].bits = plan_random(state);
        }
    }
    for (uint8_t i = 0; i < command->field_count; i++) {
        if (command->fields[i].step == PLAN_BYTES || command->fields[i].step == PLAN_OUT_LENGTH) {
            fit_pointer(command, i, longest, state, vector);
        }
    }
}

/* Copies a piece of the packet's body over another one. */
static void splice(uint8_t *packet, size_t size, uint64_t *state)
{
    size_t body = size - PLAN_HEADER_SIZE;
    uint64_t r = plan_random(state);
    size_t from = (size_t)(r & 0xffff) % body, to = (size_t)(r >> 16 & 0xffff) % body;
    size_t most = body - (from > to ? from : to);
    memmove(packet + PLAN_HEADER_SIZE + to, packet + PLAN_HEADER_SIZE + from,
            1 + (size_t)(r >> 32) % most);
}

size_t plan_mutate(uint8_t *packet, size_t size, uint64_t *state)
{
    uint64_t r = plan_random(state);
    size_t at = size != 0 ? (size_t)(r >> 32) % size : 0;
    size_t word = at + 4 < size ? at & ~(size_t)3 : size >= 4 ? size - 4 : 0;
    switch (r % 6) {
    case 0:
        size = at;
        break;
    case 1:
        if (size != 0) {
            packet[at] ^= (uint8_t)(1u << (r >> 8) % 8);
        }
        break;
    case 2:
        if (size > PLAN_HEADER_SIZE) {
            splice(packet, size, state);
        }
        break;
    case 3:
        if (size >= 4) {
            sl_store_u32(packet + word, sl_load_u32(packet + word) + (r & 64 ? 1u : UINT32_MAX));
        }
        break;
    default:
        if (size >= 4) {
            sl_store_u32(packet + word, (uint32_t)edge(state));
        }
        break;
    }
    if (r >> 60 != 0 && size >= PLAN_HEADER_SIZE) {
        sl_store_u32(packet + 4, (uint32_t)size);
    }
    return size;
}
