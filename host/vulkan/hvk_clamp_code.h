/* What hvk_clamp.c knows of a module's ids before it writes (hvk_clamp_learn.c). */
#ifndef HOST_HVK_CLAMP_CODE_H
#define HOST_HVK_CLAMP_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLAMP_HEADER 5u
/* Of sizes: more than any shader may have. */
#define CLAMP_ENDLESS ((uint64_t)1 << 40)

enum clamp_op {
    CLAMP_UNDEF = 1,
    CLAMP_TYPE_FIRST = 19,
    CLAMP_TYPE_BOOL = 20,
    CLAMP_TYPE_INT = 21,
    CLAMP_TYPE_FLOAT = 22,
    CLAMP_TYPE_VECTOR = 23,
    CLAMP_TYPE_MATRIX = 24,
    CLAMP_TYPE_ARRAY = 28,
    CLAMP_TYPE_RUNTIME_ARRAY = 29,
    CLAMP_TYPE_STRUCT = 30,
    CLAMP_TYPE_POINTER = 32,
    CLAMP_TYPE_LAST = 39,
    CLAMP_CONSTANT_FIRST = 41,
    CLAMP_CONSTANT = 43,
    CLAMP_CONSTANT_NULL = 46,
    CLAMP_SPEC_CONSTANT = 50,
    CLAMP_SPEC_CONSTANT_OP = 52,
    CLAMP_FUNCTION = 54,
    CLAMP_VARIABLE = 59,
    CLAMP_ACCESS_CHAIN = 65,
    CLAMP_IN_BOUNDS_ACCESS_CHAIN = 66,
    CLAMP_PTR_ACCESS_CHAIN = 67,
    CLAMP_IN_BOUNDS_PTR_ACCESS_CHAIN = 70,
    CLAMP_DECORATE = 71,
    CLAMP_GROUP_DECORATE = 74,
    CLAMP_U_CONVERT = 113,
    CLAMP_I_SUB = 130,
    CLAMP_I_MUL = 132,
    CLAMP_U_DIV = 134,
    CLAMP_SELECT = 169,
    CLAMP_U_LESS_THAN = 176,
    CLAMP_BITWISE_AND = 199
};

enum clamp_storage {
    CLAMP_UNIFORM_CONSTANT = 0,
    CLAMP_UNIFORM = 2,
    CLAMP_WORKGROUP = 4,
    CLAMP_PRIVATE = 6,
    CLAMP_FUNCTION_STORAGE = 7,
    CLAMP_STORAGE_BUFFER = 12,
    CLAMP_PHYSICAL = 5349
};

/* What is known of an id. */
struct clamp_fact {
    uint32_t at;   /* the word where a type or constant is defined; 0: it is neither */
    uint32_t type; /* of a constant, of an integer and of a pointer; of `extent` */
    uint64_t size; /* of a type: bytes at most, where nothing is laid out */
    /* Of types that shaders hold beside buffers: as many of them stand in one of the outermost
     * arrays at most; 0: there are none. */
    uint64_t outside;
    uint32_t length; /* of an array with a length that is chosen: the id of one that is bounded */
    uint32_t extent; /* of what has such ones inside: the id of its bytes; 0: they are in `size` */
    bool is_block;   /* a struct with that decoration, or arrays of it */
};

struct clamp_code {
    const uint32_t *words;
    size_t count;
    struct clamp_fact *ids;
    uint32_t bound;
    uint32_t *types; /* where they are defined, in order */
    uint32_t type_count;
    uint32_t first_type;      /* where the first one is */
    uint32_t bool_type;       /* 0: there is none */
    uint32_t unsigned_of[65]; /* the unsigned type of that many bits; 0 */
    const char *why;          /* it can not be done */
};

/* Reads the module into *c, whose words, count and bound are set. False: no memory, or c->why.
 * Either way clamp_forget. */
bool clamp_learn(struct clamp_code *c);
void clamp_forget(struct clamp_code *c);

static inline uint32_t clamp_op_at(const struct clamp_code *c, size_t at)
{
    return c->words[at] & 0xffff;
}

static inline uint32_t clamp_length_at(const struct clamp_code *c, size_t at)
{
    return c->words[at] >> 16;
}

static inline struct clamp_fact *clamp_fact(const struct clamp_code *c, uint32_t id)
{
    return &c->ids[id < c->bound ? id : 0]; /* nobody has the id 0 */
}

/* A word of the instruction that defines a type or a constant; 0: it has none. */
static inline uint32_t clamp_word(const struct clamp_code *c, uint32_t id, uint32_t index)
{
    uint32_t at = clamp_fact(c, id)->at;
    return at != 0 && index < clamp_length_at(c, at) ? c->words[at + index] : 0;
}

/* What defines it; 0: nothing that is known. */
static inline uint32_t clamp_op_of(const struct clamp_code *c, uint32_t id)
{
    uint32_t at = clamp_fact(c, id)->at;
    return at != 0 ? clamp_op_at(c, at) : 0;
}

/* The value of an integer that no pipeline chooses. False: it is none. */
bool clamp_value(const struct clamp_code *c, uint32_t id, uint64_t *value);

/* Is what a pointer of that storage class leads to laid out in a buffer, where drivers look? */
static inline bool clamp_is_buffer(uint32_t storage)
{
    return storage == CLAMP_UNIFORM || storage == CLAMP_STORAGE_BUFFER || storage == CLAMP_PHYSICAL;
}

#endif
