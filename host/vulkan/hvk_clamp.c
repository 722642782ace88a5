#include "host/vulkan/hvk_clamp.h"
#include "host/vulkan/hvk_clamp_code.h"

#include "transport/base/mem.h"

#include <string.h>

/* A module grows by no more than that, and has no more ids. */
#define GROWTH_MAX 8u
#define GROWTH     1024u
#define BOUND_MAX  (1u << 23)
/* Constants that are found again. */
#define KEPT 64u

struct text {
    uint32_t *words;
    size_t count, room;
};

/* A module is written as its head, as it was; `front`, types of one word and constants of ours;
 * `rest`. */
struct writer {
    struct clamp_code c;
    struct text front, rest, chain;
    struct {
        uint32_t type, id;
        uint64_t value;
    } kept[KEPT];
    uint32_t next; /* id */
    bool clears_shared, changes, no_memory;
};

static void put(struct writer *w, struct text *t, const uint32_t *words, size_t count)
{
    size_t limit = w->c.count * GROWTH_MAX + GROWTH;
    if (w->no_memory || w->c.why != NULL) {
        return;
    }
    if (count > limit - t->count) {
        w->c.why = "it has too many indices";
        return;
    }
    if (count > t->room - t->count) {
        size_t room = t->room + t->room / 2 + count + GROWTH;
        uint32_t *more = sl_realloc(t->words, room * sizeof *more);
        if (more == NULL) {
            w->no_memory = true;
            return;
        }
        t->words = more;
        t->room = room;
    }
    memcpy(t->words + t->count, words, count * sizeof *words);
    t->count += count;
}

static uint32_t new_id(struct writer *w)
{
    if (w->next >= BOUND_MAX) {
        w->c.why = "it has too many ids";
        return 0;
    }
    w->changes = true;
    return w->next++;
}

#define WORD(op, length) ((uint32_t)(length) << 16 | (op))

/* --- types and constants --- */

static uint32_t bool_type(struct writer *w)
{
    if (w->c.bool_type == 0) {
        w->c.bool_type = new_id(w);
        const uint32_t made[] = {WORD(CLAMP_TYPE_BOOL, 2), w->c.bool_type};
        put(w, &w->front, made, 2);
    }
    return w->c.bool_type;
}

static uint32_t unsigned_type(struct writer *w, uint32_t bits)
{
    uint32_t *type = &w->c.unsigned_of[bits];
    if (*type == 0) {
        *type = new_id(w);
        const uint32_t made[] = {WORD(CLAMP_TYPE_INT, 4), *type, bits, 0};
        put(w, &w->front, made, 4);
    }
    return *type;
}

/* Of an integer type of that many bits; no value has the highest one. */
static uint32_t constant(struct writer *w, uint32_t type, uint32_t bits, uint64_t value)
{
    uint64_t mixed = (value ^ (uint64_t)type << 20) * 0x9e3779b97f4a7c15u;
    uint32_t slot = (uint32_t)(mixed >> 58);
    if (w->kept[slot].id == 0 || w->kept[slot].type != type || w->kept[slot].value != value) {
        w->kept[slot].type = type;
        w->kept[slot].value = value;
        w->kept[slot].id = new_id(w);
        uint32_t length = bits == 64 ? 5 : 4;
        const uint32_t made[] = {WORD(CLAMP_CONSTANT, length), type, w->kept[slot].id,
                                 (uint32_t)value, (uint32_t)(value >> 32)};
        put(w, &w->front, made, length);
    }
    return w->kept[slot].id;
}

static uint32_t most(uint32_t bits)
{
    return bits >= 32 ? INT32_MAX : (1u << (bits - 1)) - 1;
}

/* How many bits an integer type has; 0: it is none that indices and lengths have. */
static uint32_t bits_of(const struct writer *w, uint32_t type)
{
    uint32_t bits = clamp_op_of(&w->c, type) == CLAMP_TYPE_INT ? clamp_word(&w->c, type, 2) : 0;
    return bits == 8 || bits == 16 || bits == 32 || bits == 64 ? bits : 0;
}

/* --- indices --- */

/* An instruction of two operands, or one (b 0): the id of what it makes. */
static uint32_t make(struct writer *w, uint32_t op, uint32_t type, uint32_t a, uint32_t b)
{
    uint32_t id = new_id(w), length = b != 0 ? 5 : 4;
    const uint32_t made[] = {WORD(op, length), type, id, a, b};
    put(w, &w->rest, made, length);
    return id;
}

static uint32_t choose(struct writer *w, uint32_t type, uint32_t when, uint32_t a, uint32_t b)
{
    uint32_t id = new_id(w);
    const uint32_t made[] = {WORD(CLAMP_SELECT, 6), type, id, when, a, b};
    put(w, &w->rest, made, 6);
    return id;
}

/* How long an array, a vector or a matrix is. */
struct length {
    uint64_t known; /* 0: it is chosen */
    uint32_t id;    /* then it is this one's value */
    uint32_t type;  /* whose type that is */
};

/* The bits are cut first: what has no value at all has one from there on, and compilers no choice
 * of another for the use of it than for the comparison. Past the end is the last one: programs
 * that go too far by mistake mostly have room for what they need. */
static uint32_t guard(struct writer *w, uint32_t index, const struct length *length)
{
    uint32_t type = clamp_fact(&w->c, index)->type, bits = bits_of(w, type), limit, last;
    uint64_t value, known = length->known;
    if (bits == 0) {
        w->c.why = "an index is no integer";
        return index;
    }
    if (clamp_value(&w->c, index, &value) && (known != 0 ? value < known : value == 0)) {
        return index;
    }
    uint32_t cut = make(w, CLAMP_BITWISE_AND, type, index, constant(w, type, bits, most(bits)));
    if (known != 0 && known > most(bits)) {
        return cut;
    }
    if (known != 0) {
        limit = constant(w, type, bits, known);
        last = constant(w, type, bits, known - 1);
    } else {
        uint32_t of = bits_of(w, length->type);
        limit = length->id;
        if (of == 0) {
            w->c.why = "a length is no integer";
        } else if (of > bits) {
            type = unsigned_type(w, of);
            cut = make(w, CLAMP_U_CONVERT, type, cut, 0);
            bits = of;
        } else if (of < bits) {
            limit = make(w, CLAMP_U_CONVERT, unsigned_type(w, bits), limit, 0);
        }
        last = make(w, CLAMP_I_SUB, type, limit, constant(w, type, bits, 1));
    }
    uint32_t is_in = make(w, CLAMP_U_LESS_THAN, bool_type(w), cut, limit);
    return choose(w, type, is_in, cut, last);
}

/* What an index of it leads to; 0: to nothing that is looked at here. *length: all zeros where the
 * index need not be looked at. */
static uint32_t part_of(struct writer *w, uint32_t type, uint32_t index, bool is_buffer,
                        struct length *length)
{
    const struct clamp_code *c = &w->c;
    const struct clamp_fact *f = clamp_fact(c, type);
    uint64_t member;
    *length = (struct length){0};
    switch (clamp_op_of(c, type)) {
    case CLAMP_TYPE_VECTOR:
    case CLAMP_TYPE_MATRIX:
        length->known = is_buffer ? 0 : clamp_word(c, type, 3);
        return clamp_word(c, type, 2);
    case CLAMP_TYPE_ARRAY:
        if (is_buffer && !f->is_block) {
            return clamp_word(c, type, 2);
        }
        if (clamp_value(c, clamp_word(c, type, 3), &length->known)) {
            w->c.why = length->known == 0 ? "an array has no length" : w->c.why;
        } else {
            length->id = f->length != 0 ? f->length : clamp_word(c, type, 3);
            length->type = f->length != 0 ? f->type : clamp_fact(c, length->id)->type;
        }
        return clamp_word(c, type, 2);
    case CLAMP_TYPE_RUNTIME_ARRAY:
        return clamp_word(c, type, 2);
    case CLAMP_TYPE_STRUCT:
        if (is_buffer) {
            return 0;
        }
        if (!clamp_value(c, index, &member) || member > UINT16_MAX) {
            w->c.why = "a member has no number";
            return 0;
        }
        return clamp_word(c, type, (uint32_t)member + 2);
    default:
        w->c.why = "an index is of nothing that has parts";
        return 0;
    }
}

static void write_chain(struct writer *w, const uint32_t *words, uint32_t count)
{
    uint32_t pointer = count > 3 ? clamp_fact(&w->c, words[3])->type : 0;
    uint32_t type = clamp_word(&w->c, pointer, 3);
    bool is_buffer = clamp_is_buffer(clamp_word(&w->c, pointer, 2));
    if (clamp_op_of(&w->c, pointer) != CLAMP_TYPE_POINTER) {
        w->c.why = "an index is of no pointer";
        return;
    }
    w->chain.count = 0;
    put(w, &w->chain, words, count);
    for (uint32_t i = 4; i < count && type != 0 && w->c.why == NULL && !w->no_memory; i++) {
        struct length length;
        type = part_of(w, type, words[i], is_buffer, &length);
        if (length.known != 0 || length.id != 0) {
            w->chain.words[i] = guard(w, words[i], &length);
        }
    }
    put(w, &w->rest, w->chain.words, w->chain.count);
}

/* --- lengths --- */

/* What a pipeline's constants make of two, or of three; b, c: 0 where there are less. */
static uint32_t make_chosen(struct writer *w, uint32_t op, uint32_t type, const uint32_t operands[],
                            uint32_t count)
{
    uint32_t id = new_id(w);
    const uint32_t made[] = {WORD(CLAMP_SPEC_CONSTANT_OP, 4 + count), type, id, op};
    put(w, &w->rest, made, 4);
    put(w, &w->rest, operands, count);
    return id;
}

/* The length of an array that a pipeline chooses, or as many as there is room for: which are fewer
 * where its elements are such arrays and long. */
static void bound_length(struct writer *w, struct clamp_fact *array, uint32_t length,
                         const struct clamp_fact *element)
{
    uint32_t type = clamp_fact(&w->c, length)->type, bits = bits_of(w, type);
    if (bits == 0) {
        w->c.why = "a length is no integer";
        return;
    }
    uint64_t bytes = HVK_CLAMP_CHOSEN / array->outside, room = bytes / element->size;
    bool extends = element->extent != 0 && element->type == type;
    if (element->size > bytes) {
        w->c.why = "an array with a length that pipelines choose is too large";
        return;
    }
    bytes = bytes < most(bits) ? bytes : most(bits);
    room = room < 1 ? 1 : room < most(bits) ? room : most(bits);
    uint32_t one = constant(w, type, bits, 1), limit = constant(w, type, bits, room);
    if (extends) {
        const uint32_t shared[] = {constant(w, type, bits, bytes), element->extent};
        limit = make_chosen(w, CLAMP_U_DIV, type, shared, 2);
    }
    const uint32_t before[] = {length, one};
    const uint32_t compared[] = {make_chosen(w, CLAMP_I_SUB, type, before, 2), limit};
    const uint32_t either[] = {make_chosen(w, CLAMP_U_LESS_THAN, bool_type(w), compared, 2), length,
                               limit};
    array->length = make_chosen(w, CLAMP_SELECT, type, either, 3);
    const uint32_t sizes[] = {array->length,
                              extends ? element->extent
                                      : constant(w, type, bits, element->size & most(bits))};
    array->extent = make_chosen(w, CLAMP_I_MUL, type, sizes, 2);
    array->type = type;
}

static void write_array(struct writer *w, const uint32_t *words)
{
    struct clamp_fact *array = clamp_fact(&w->c, words[1]);
    const struct clamp_fact *element = clamp_fact(&w->c, words[2]);
    uint32_t made[4];
    uint64_t known;
    memcpy(made, words, sizeof made);
    if (array->outside != 0 && element->size != 0 && !clamp_value(&w->c, words[3], &known)) {
        bound_length(w, array, words[3], element);
        made[3] = array->length;
    } else if (element->extent != 0 && clamp_value(&w->c, words[3], &known)) {
        uint32_t bits = bits_of(w, element->type);
        const uint32_t sizes[] = {element->extent,
                                  constant(w, element->type, bits, known & most(bits))};
        array->extent = make_chosen(w, CLAMP_I_MUL, element->type, sizes, 2);
        array->type = element->type;
    }
    put(w, &w->rest, made, 4);
}

/* --- variables --- */

/* One of a workgroup's that begins as it was left becomes one that begins as zeros. */
static void write_variable(struct writer *w, const uint32_t *words, uint32_t length)
{
    uint32_t type = clamp_word(&w->c, words[1], 3);
    if (length != 4 || words[3] != CLAMP_WORKGROUP || !w->clears_shared || type == 0) {
        put(w, &w->rest, words, length);
        return;
    }
    uint32_t zeros = new_id(w);
    const uint32_t made[] = {WORD(CLAMP_CONSTANT_NULL, 3),
                             type,
                             zeros,
                             WORD(CLAMP_VARIABLE, 5),
                             words[1],
                             words[2],
                             CLAMP_WORKGROUP,
                             zeros};
    put(w, &w->rest, made, sizeof made / sizeof made[0]);
}

/* --- all of it --- */

static void write_one(struct writer *w, size_t at)
{
    const uint32_t *words = w->c.words + at;
    uint32_t op = clamp_op_at(&w->c, at), length = clamp_length_at(&w->c, at);
    switch (op) {
    case CLAMP_TYPE_BOOL:
    case CLAMP_TYPE_INT:
        return; /* in front */
    case CLAMP_TYPE_ARRAY:
        if (length == 4) {
            write_array(w, words);
            return;
        }
        break;
    case CLAMP_VARIABLE:
        write_variable(w, words, length);
        return;
    case CLAMP_ACCESS_CHAIN:
    case CLAMP_IN_BOUNDS_ACCESS_CHAIN:
        write_chain(w, words, length);
        return;
    case CLAMP_PTR_ACCESS_CHAIN:
    case CLAMP_IN_BOUNDS_PTR_ACCESS_CHAIN:
        if (length < 5 ||
            !clamp_is_buffer(clamp_word(&w->c, clamp_fact(&w->c, words[3])->type, 2))) {
            w->c.why = "it computes pointers that are not into buffers";
        }
        break;
    default:
        break;
    }
    put(w, &w->rest, words, length);
}

static void write_all(struct writer *w)
{
    const struct clamp_code *c = &w->c;
    for (uint32_t i = 0; i < c->type_count; i++) {
        uint32_t op = clamp_op_at(c, c->types[i]);
        if (op == CLAMP_TYPE_BOOL || op == CLAMP_TYPE_INT) {
            put(w, &w->front, c->words + c->types[i], clamp_length_at(c, c->types[i]));
        }
    }
    for (size_t at = c->first_type; at < c->count && c->why == NULL && !w->no_memory;
         at += clamp_length_at(c, at)) {
        write_one(w, at);
    }
}

static enum sl_result give(struct writer *w, struct hvk_clamped *out)
{
    size_t head = w->c.first_type, count = head + w->front.count + w->rest.count;
    uint32_t *words = sl_alloc_array(count, sizeof *words);
    if (words == NULL) {
        return SL_ERR_NOMEM;
    }
    memcpy(words, w->c.words, head * sizeof *words);
    memcpy(words + head, w->front.words, w->front.count * sizeof *words);
    memcpy(words + head + w->front.count, w->rest.words, w->rest.count * sizeof *words);
    words[3] = w->next;
    *out = (struct hvk_clamped){words, count};
    return SL_OK;
}

enum sl_result hvk_clamp(const uint32_t *words, size_t count, bool clears_shared,
                         struct hvk_clamped *out, const char **why)
{
    enum sl_result result = SL_ERR_NOMEM;
    struct writer w = {.c = {.words = words, .count = count, .bound = words[3]},
                       .next = words[3],
                       .clears_shared = clears_shared};
    bool ok = clamp_learn(&w.c);
    if (ok && w.c.first_type != 0) {
        write_all(&w);
    }
    if (w.c.why != NULL) {
        *why = w.c.why;
        result = SL_ERR_UNSUPPORTED;
    } else if (ok && !w.no_memory) {
        *out = (struct hvk_clamped){NULL, 0};
        result = w.changes ? give(&w, out) : SL_OK;
    }
    sl_free(w.front.words);
    sl_free(w.rest.words);
    sl_free(w.chain.words);
    clamp_forget(&w.c);
    return result;
}
