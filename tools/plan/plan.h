/* The wire of an API as data: what the generator writes into tables/<api>_plan.c and this room's
 * interpreter walks. The table form is the reference of the straight-line code, and the printer's.
 *
 * Pure, any thread. Nothing here trusts a packet. */
#ifndef PLAN_H
#define PLAN_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PLAN_HEADER_SIZE 8u /* u32 opcode, u32 length of the whole packet */
#define PLAN_FIELDS_MAX  20u

/* A scalar's form on the wire. */
enum plan_prim {
    PLAN_U8,
    PLAN_I8,
    PLAN_U16,
    PLAN_I16,
    PLAN_U32,
    PLAN_I32,
    PLAN_U64,
    PLAN_I64,
    PLAN_F32,
};

enum plan_step {
    PLAN_SCALAR,     /* the parameter itself */
    PLAN_BYTES,      /* u32 length, then that many bytes */
    PLAN_OUT_LENGTH, /* u32 length of the reply part that this parameter asks for */
    PLAN_ADDRESS,    /* 8-byte address of a DMA parameter */
};

/* What the value means: how it is printed. */
enum plan_kind { PLAN_NUMBER, PLAN_ENUM, PLAN_FLAGS, PLAN_STRING, PLAN_ARRAY, PLAN_BLOB };

/* Names of values: sorted by value. */
struct plan_name {
    uint32_t value;
    const char *name;
};
struct plan_names {
    const struct plan_name *names;
    uint32_t count;
    const struct plan_names *rest; /* where values that are not here may be; nullable */
};

/* A length in bytes as the arguments say it, in postfix order. */
enum plan_rule_op {
    PLAN_RULE_NUMBER, /* operand */
    PLAN_RULE_FIELD,  /* the scalar with this index; a negative one counts as 0 */
    PLAN_RULE_CALL,   /* call(the scalar with this index) */
    PLAN_RULE_ADD,    /* the two before it; so do the others */
    PLAN_RULE_MULTIPLY,
    PLAN_RULE_SHIFT,
};
#define PLAN_RULE_DEPTH 4u
struct plan_rule {
    uint32_t op; /* enum plan_rule_op */
    uint32_t operand;
    uint64_t (*call)(uint32_t value);
};

struct plan_field {
    const char *name;
    const char *c_type;             /* as the API declares it */
    uint8_t step;                   /* enum plan_step */
    uint8_t kind;                   /* enum plan_kind */
    uint8_t prim;                   /* enum plan_prim: of the scalar, or of an array's elements */
    bool nullable;                  /* a length of 0 is NULL */
    const struct plan_names *names; /* of its values or elements; nullable */
    const struct plan_rule *rule;   /* its length; NULL: not known from the packet, or its text's */
    uint8_t rule_count;
};

struct plan_command {
    const char *name;
    const struct plan_field *fields; /* in wire order */
    uint8_t field_count;             /* at most PLAN_FIELDS_MAX */
    bool has_value;                  /* the reply ends with the returned value */
    uint8_t value_prim;
    uint8_t value_kind;
    const struct plan_names *value_names; /* nullable */
    uint8_t trailing; /* zero bytes behind the checksum that the packet's length includes */
};

struct plan_api {
    const char *name;
    uint32_t first_opcode;
    uint32_t count;
    const struct plan_command *commands; /* by opcode */
};

uint32_t plan_prim_size(enum plan_prim prim);
/* A scalar as plan_decode gives it: cut to its size on the wire, then extended. */
uint64_t plan_cut(uint64_t bits, enum plan_prim prim);
/* NULL when the opcode is not the API's. */
const struct plan_command *plan_find(const struct plan_api *api, uint32_t opcode);

/* The name of a value; NULL: none that is sure. names NULL: none. */
const char *plan_name_of(const struct plan_names *names, uint32_t value);

/* One field's value in a packet. */
struct plan_value {
    uint64_t bits;        /* scalars: zero- or sign-extended, floats as their bits; addresses */
    const uint8_t *bytes; /* PLAN_BYTES: in place; NULL when cut, or nullable and empty */
    uint32_t size;        /* PLAN_BYTES, PLAN_OUT_LENGTH: bytes */
};

/* The reference decoder. body: behind the header. Gives a value per field, and *used: bytes that
 * the fields take. PROTOCOL when the body is shorter. */
enum sl_result plan_decode(const struct plan_command *command, const void *body, size_t size,
                           struct plan_value values[PLAN_FIELDS_MAX], size_t *used) SL_MUST_USE;

/* The length that a pointer must have by its rule, from the other fields' values. False: it has no
 * rule. */
bool plan_length(const struct plan_command *command, uint8_t field, const struct plan_value *values,
                 uint64_t *size);

/* How a stream frames its packets: checksum v1 or none. */
struct plan_framing {
    uint32_t tail;  /* 0, or 8 */
    uint32_t count; /* checksums before this packet */
};

/* The reference encoder: a whole packet, written as far as it fits into `room` bytes; returns its
 * size. values: one per field; bytes NULL with a size stands for that many zeros. */
size_t plan_encode(const struct plan_api *api, uint32_t opcode, const struct plan_value *values,
                   const struct plan_framing *framing, uint8_t *out, size_t room);

/* Seeded test data: bytes of `vector->pool` are what the values point to. */
#define PLAN_POOL_SIZE 131072u
struct plan_vector {
    struct plan_value values[PLAN_FIELDS_MAX];
    uint8_t *pool; /* PLAN_POOL_SIZE bytes, the caller's */
};

/* Next number of a seeded sequence; state: any value but 0. */
uint64_t plan_random(uint64_t *state);
/* Values for a command: edge values often, lengths up to `longest` <= PLAN_POOL_SIZE, mostly short.
 * What a length says and what other fields say need not agree. */
void plan_vector_make(const struct plan_command *command, uint32_t longest, uint64_t *state,
                      struct plan_vector *vector);
/* Values that agree with each other: lengths are what rules say, texts end, enums are known, what
 * may be NULL is so at times. `longest` as above, where no rule speaks. */
void plan_vector_fit(const struct plan_command *command, uint32_t longest, uint64_t *state,
                     struct plan_vector *vector);
/* Damage a packet of `size` bytes in place, as a broken peer would: flip bits, set a word to an
 * edge value or a little up or down, copy a piece elsewhere, cut. Its length word is then made to
 * agree, or left alone. Returns the new size. */
size_t plan_mutate(uint8_t *packet, size_t size, uint64_t *state);

struct vk_plan_field;
/* What a printer's caller wants done its own way. Every function is nullable. */
struct plan_style {
    void *user;
    /* Before a value, instead of its name and what stands between values; name NULL: the value that
     * is returned. The call's name, parentheses and arrow are then left out too. */
    void (*value)(void *user, const char *name, FILE *out);
    /* Instead of a scalar's text, when it returns true. field NULL: the returned value. */
    bool (*scalar)(void *user, const struct plan_command *command, const struct plan_field *field,
                   uint64_t bits, FILE *out);
    /* Instead of a Vulkan handle's text. kind: VK_KIND_; made: the command makes it. out NULL:
     * nothing is printed, the handles are only told. */
    void (*handle)(void *user, uint32_t kind, uint64_t id, bool made, FILE *out);
    /* Of a Vulkan number of at most 8 bytes: where it lies. Text goes on as without. */
    void (*number)(void *user, const struct vk_plan_field *field, const uint8_t *bytes);
};

/* "name(arg = value, ...) -> result", without newline. packet and reply: what there is of them,
 * header included. Enums and bits go by name where one is known for sure, else as hexadecimals.
 * style: nullable. */
void plan_print(const struct plan_command *command, const struct plan_style *style,
                const void *packet, size_t size, const void *reply, size_t reply_size, FILE *out);

#endif
