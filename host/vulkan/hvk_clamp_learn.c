/* The types of a module: how large they are, which arrays a pipeline gives their length, and which
 * of them shaders hold beside buffers. */
#include "host/vulkan/hvk_clamp.h"
#include "host/vulkan/hvk_clamp_code.h"

#include "transport/base/arith.h"
#include "transport/base/mem.h"

enum { BLOCK = 2, BUFFER_BLOCK = 3 };

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t times(uint64_t a, uint64_t b)
{
    uint64_t product;
    return sl_mul_u64(a, b, &product) ? least(product, CLAMP_ENDLESS) : CLAMP_ENDLESS;
}

bool clamp_value(const struct clamp_code *c, uint32_t id, uint64_t *value)
{
    uint32_t op = clamp_op_of(c, id);
    uint32_t type = clamp_fact(c, id)->type;
    if (clamp_op_of(c, type) != CLAMP_TYPE_INT ||
        (op != CLAMP_CONSTANT && op != CLAMP_CONSTANT_NULL)) {
        return false;
    }
    uint32_t bits = clamp_word(c, type, 2);
    *value = 0;
    if (op == CLAMP_CONSTANT) {
        *value = clamp_word(c, id, 3) | (uint64_t)clamp_word(c, id, 4) << 32;
        *value &= bits < 64 ? ((uint64_t)1 << bits) - 1 : UINT64_MAX;
    }
    return true;
}

/* --- what is defined --- */

static void learn_type(struct clamp_code *c, size_t at, uint32_t op, uint32_t length)
{
    uint32_t id = c->words[at + 1];
    clamp_fact(c, id)->at = (uint32_t)at;
    c->types[c->type_count++] = (uint32_t)at;
    c->first_type = c->first_type == 0 ? (uint32_t)at : c->first_type;
    if (op == CLAMP_TYPE_BOOL) {
        c->bool_type = id;
    } else if (op == CLAMP_TYPE_INT && length > 3 && c->words[at + 2] <= 64 &&
               c->words[at + 3] == 0) {
        c->unsigned_of[c->words[at + 2]] = id;
    }
}

static void learn_decoration(struct clamp_code *c, size_t at, uint32_t op, uint32_t length)
{
    const uint32_t *w = c->words + at;
    if (op == CLAMP_DECORATE && length > 2 && (w[2] == BLOCK || w[2] == BUFFER_BLOCK)) {
        clamp_fact(c, w[1])->is_block = true;
    }
    for (uint32_t i = 2; op == CLAMP_GROUP_DECORATE && i < length; i++) {
        struct clamp_fact *to = clamp_fact(c, w[i]);
        to->is_block = to->is_block || clamp_fact(c, w[1])->is_block;
    }
}

/* Values of which it matters what they are: integers and pointers. */
static void learn_value(struct clamp_code *c, size_t at)
{
    uint32_t type = c->words[at + 1], op = clamp_op_of(c, type);
    if (op == CLAMP_TYPE_INT || op == CLAMP_TYPE_POINTER) {
        clamp_fact(c, c->words[at + 2])->type = type;
    }
}

static void learn(struct clamp_code *c, size_t at)
{
    uint32_t op = clamp_op_at(c, at), length = clamp_length_at(c, at);
    if (op >= CLAMP_TYPE_FIRST && op <= CLAMP_TYPE_LAST && length > 1) {
        learn_type(c, at, op, length);
    } else if (op == CLAMP_DECORATE || op == CLAMP_GROUP_DECORATE) {
        learn_decoration(c, at, op, length);
    } else if (length > 2) {
        if (op >= CLAMP_CONSTANT_FIRST && op <= CLAMP_SPEC_CONSTANT_OP) {
            clamp_fact(c, c->words[at + 2])->at = (uint32_t)at;
        }
        learn_value(c, at);
    }
}

/* --- which types are held --- */

static void hold(struct clamp_code *c, uint32_t type, uint64_t outside)
{
    struct clamp_fact *f = clamp_fact(c, type);
    f->outside = f->outside < outside ? outside : f->outside;
}

static uint64_t array_length(const struct clamp_code *c, size_t at)
{
    uint64_t length;
    return clamp_length_at(c, at) > 3 && clamp_value(c, c->words[at + 3], &length) ? length : 0;
}

/* A type stands behind what it is made of: so from the last to the first. */
static void hold_parts(struct clamp_code *c, size_t at)
{
    const uint32_t *w = c->words + at;
    uint32_t op = clamp_op_at(c, at), length = clamp_length_at(c, at);
    uint64_t outside = clamp_fact(c, w[1])->outside;
    if (outside == 0) {
        return;
    }
    if (op == CLAMP_TYPE_ARRAY && length > 3) {
        uint64_t known = array_length(c, at);
        hold(c, w[2], known > 1 ? times(outside, known) : outside);
    }
    for (uint32_t i = 2; op == CLAMP_TYPE_STRUCT && i < length; i++) {
        hold(c, w[i], outside);
    }
}

/* --- how large they are --- */

static uint64_t chosen_size(const struct clamp_fact *array, uint64_t element)
{
    if (element == 0) { /* of what is in no memory */
        return 0;
    }
    uint64_t room = HVK_CLAMP_CHOSEN / (array->outside != 0 ? array->outside : 1);
    return room > element ? room : element; /* one there always is */
}

static uint64_t size_of(struct clamp_code *c, size_t at)
{
    const uint32_t *w = c->words + at;
    uint32_t length = clamp_length_at(c, at);
    uint64_t sum = 0;
    switch (clamp_op_at(c, at)) {
    case CLAMP_TYPE_BOOL:
        return 4;
    case CLAMP_TYPE_INT:
    case CLAMP_TYPE_FLOAT:
        return length > 2 ? least(w[2] / 8, 8) : 0;
    case CLAMP_TYPE_VECTOR:
    case CLAMP_TYPE_MATRIX:
        return length > 3 ? times(clamp_fact(c, w[2])->size, w[3]) : 0;
    case CLAMP_TYPE_ARRAY:
        sum = length > 3 ? clamp_fact(c, w[2])->size : 0;
        return array_length(c, at) != 0 ? times(sum, array_length(c, at))
                                        : chosen_size(clamp_fact(c, w[1]), sum);
    case CLAMP_TYPE_STRUCT:
        for (uint32_t i = 2; i < length; i++) {
            /* Drivers align to no more than what is eight bytes long. */
            sum = least(sum + sl_round_up(clamp_fact(c, w[i])->size, 8), CLAMP_ENDLESS);
        }
        return sum;
    case CLAMP_TYPE_POINTER:
        return 8;
    default:
        return 0;
    }
}

static void types_measure(struct clamp_code *c)
{
    for (uint32_t i = 0; i < c->type_count; i++) {
        const uint32_t *w = c->words + c->types[i];
        struct clamp_fact *f = clamp_fact(c, w[1]);
        f->size = size_of(c, c->types[i]);
        if (clamp_length_at(c, c->types[i]) > 2 &&
            (clamp_op_at(c, c->types[i]) == CLAMP_TYPE_ARRAY ||
             clamp_op_at(c, c->types[i]) == CLAMP_TYPE_RUNTIME_ARRAY)) {
            f->is_block = clamp_fact(c, w[2])->is_block;
        }
    }
}

/* --- variables --- */

/* What a variable is; 0: it is none, or one of a buffer. */
static uint32_t held_by(const struct clamp_code *c, size_t at)
{
    if (clamp_op_at(c, at) != CLAMP_VARIABLE || clamp_length_at(c, at) < 4) {
        return 0;
    }
    uint32_t pointer = c->words[at + 1];
    return clamp_op_of(c, pointer) == CLAMP_TYPE_POINTER && !clamp_is_buffer(c->words[at + 3])
               ? clamp_word(c, pointer, 3)
               : 0;
}

#define EACH(c, at) for (size_t at = CLAMP_HEADER; at < (c)->count; at += clamp_length_at(c, at))

static void variables_measure(struct clamp_code *c)
{
    uint64_t shared = 0, own = 0;
    EACH(c, at)
    {
        uint32_t type = held_by(c, at);
        uint64_t size = type != 0 ? clamp_fact(c, type)->size : 0;
        uint64_t *sum = size != 0 && c->words[at + 3] == CLAMP_WORKGROUP ? &shared : &own;
        *sum = least(*sum + size, CLAMP_ENDLESS);
    }
    if (shared > HVK_CLAMP_SHARED) {
        c->why = "its shared variables are too large";
    } else if (own > HVK_CLAMP_OWN) {
        c->why = "its own variables are too large";
    }
}

/* Arrays of descriptors are cut to their length, and that is held against the layout
 * (hvk_interface.c): so it must be one that is known there. */
static void descriptors_look(struct clamp_code *c, size_t at)
{
    enum { NESTED_MAX = 16 };
    uint32_t storage = clamp_length_at(c, at) > 3 ? c->words[at + 3] : CLAMP_WORKGROUP;
    if (clamp_op_at(c, at) != CLAMP_VARIABLE ||
        (storage != CLAMP_UNIFORM_CONSTANT && storage != CLAMP_UNIFORM &&
         storage != CLAMP_STORAGE_BUFFER)) {
        return;
    }
    uint32_t type = clamp_word(c, c->words[at + 1], 3), deep = 0;
    for (; deep < NESTED_MAX && clamp_op_of(c, type) == CLAMP_TYPE_ARRAY; deep++) {
        uint64_t length;
        if (!clamp_value(c, clamp_word(c, type, 3), &length) &&
            clamp_op_of(c, clamp_word(c, type, 3)) != CLAMP_SPEC_CONSTANT) {
            c->why = "the length of an array of descriptors is computed";
        }
        type = clamp_word(c, type, 2);
    }
    if (clamp_op_of(c, type) == CLAMP_TYPE_RUNTIME_ARRAY || deep == NESTED_MAX) {
        c->why = "an array of descriptors has no length";
    }
}

bool clamp_learn(struct clamp_code *c)
{
    uint32_t types = 0;
    EACH(c, at)
    {
        types += clamp_op_at(c, at) >= CLAMP_TYPE_FIRST && clamp_op_at(c, at) <= CLAMP_TYPE_LAST;
    }
    c->ids = sl_alloc_array(c->bound != 0 ? c->bound : 1, sizeof *c->ids);
    c->types = sl_alloc_array(types + 1, sizeof *c->types);
    if (c->ids == NULL || c->types == NULL) {
        return false;
    }
    EACH(c, at)
    {
        learn(c, at);
    }
    EACH(c, at)
    {
        hold(c, held_by(c, at), 1);
    }
    c->ids[0].at = 0;
    for (uint32_t i = c->type_count; i-- != 0;) {
        hold_parts(c, c->types[i]);
    }
    types_measure(c);
    variables_measure(c);
    EACH(c, at)
    {
        descriptors_look(c, at);
    }
    return c->why == NULL;
}

void clamp_forget(struct clamp_code *c)
{
    sl_free(c->ids);
    sl_free(c->types);
}
