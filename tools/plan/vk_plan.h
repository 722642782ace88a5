/* The Vulkan wire as data, and its interpreter: what the generator writes into tables/vk_plan.c.
 *
 * Reference of the straight-line code in tests, printer of dumps. Pure, any thread. Nothing here
 * trusts a packet; nesting is bounded by VK_PLAN_DEPTH. */
#ifndef VK_PLAN_H
#define VK_PLAN_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define VK_PLAN_DEPTH      512u
#define VK_PLAN_FIELDS_MAX 128u

enum vk_plan_wire {
    VK_PLAN_RAW,     /* `size` bytes, little-endian */
    VK_PLAN_BIG,     /* 8 bytes, big-endian */
    VK_PLAN_HANDLE,  /* 8 bytes */
    VK_PLAN_STRUCT,  /* `inner`; of a union its first member */
    VK_PLAN_STRING,  /* u32 big-endian length, bytes */
    VK_PLAN_STRINGS, /* u32 big-endian count, strings */
    VK_PLAN_PNEXT,
    VK_PLAN_BYTES,
};

/* How a RAW value is shown. */
enum vk_plan_show {
    VK_PLAN_NUMBER,
    VK_PLAN_SIGNED,
    VK_PLAN_FLOAT,
    VK_PLAN_TEXT,
    VK_PLAN_ENUM,
    VK_PLAN_FLAGS
};

enum {
    VK_PLAN_POINTER = 1,
    VK_PLAN_PRESENCE = 2,
    VK_PLAN_OUT = 4,        /* of a command: part of the reply */
    VK_PLAN_CREATES = 8,    /* handles that the host makes */
    VK_PLAN_REFUSED = 16,   /* its presence word must be 0 */
    VK_PLAN_FIXED = 32,     /* its value must be `value`: sType */
    VK_PLAN_COUNTS = 64,    /* arrays of the same scope are as long as it says */
    VK_PLAN_ARROWS = 128,   /* a length asks member `value` of the struct it points to */
    VK_PLAN_REQUIRED = 256, /* its presence word must not be 0 */
};

/* Names of values, sorted, each value once. */
struct vk_plan_name {
    int64_t value;
    const char *name;
};
struct vk_plan_names {
    const struct vk_plan_name *names;
    uint32_t count;
};

/* A length in postfix order. */
enum vk_plan_op {
    VK_PLAN_CONST,
    VK_PLAN_FIELD,
    VK_PLAN_ARROW,
    VK_PLAN_ADD,
    VK_PLAN_MUL,
    VK_PLAN_DIV
};
#define VK_PLAN_RULE_DEPTH 4u
struct vk_plan_rule {
    uint8_t op;
    uint32_t operand; /* CONST; FIELD: its index */
};

/* When content travels behind a presence word. */
enum vk_plan_test { VK_PLAN_ALWAYS, VK_PLAN_NONZERO, VK_PLAN_AMONG, VK_PLAN_LACKS };
struct vk_plan_condition {
    uint8_t test;
    uint8_t field; /* NONZERO: index of the leading word */
    uint16_t count;
    const uint32_t *values;
};

struct plan_style;
struct vk_plan_struct;
struct vk_plan_field {
    const char *name;
    uint8_t wire; /* enum vk_plan_wire */
    uint8_t show; /* enum vk_plan_show */
    uint16_t flags;
    uint16_t size;  /* of one element: RAW, BYTES */
    uint32_t count; /* elements that lie in the struct itself */
    uint32_t value; /* FIXED, ARROWS; of a handle its VK_KIND_ */
    uint8_t rule_count;
    const struct vk_plan_rule *rule; /* NULL: a pointer to one element */
    const struct vk_plan_condition *condition;
    const struct vk_plan_struct *inner;
    const struct vk_plan_names *names;
};

struct vk_plan_struct {
    const char *name;
    const struct vk_plan_field *fields;
    uint8_t count; /* of a union: 1 */
    uint8_t leading;
    bool answers; /* stands in outputs */
    uint16_t size_word;
    uint32_t stype; /* of one that is chained */
};

struct vk_plan_command {
    const char *name;
    const struct vk_plan_field *fields;
    uint8_t count;
    bool staged; /* no turn, and the first field does not travel */
    bool reply;
    bool refused;
    uint8_t result_size; /* bytes of the returned value */
    uint32_t opcode;
    const struct vk_plan_names *result_names;
};

struct vk_plan {
    const struct vk_plan_command *commands; /* sorted by opcode */
    uint32_t command_count;
    const struct vk_plan_struct *const *chained; /* sorted by stype */
    uint32_t chained_count;
};

/* NULL: unknown, or one whose packets cannot be read. */
const struct vk_plan_command *vk_plan_find(const struct vk_plan *plan, uint32_t opcode);
const struct vk_plan_struct *vk_plan_chained(const struct vk_plan *plan, uint32_t stype);

/* Where bytes go; size goes on counting past room. */
struct vk_plan_bytes {
    uint8_t *data;
    size_t room;
    size_t size;
};

/* Read a whole packet, header included, in its normal form: presence words 1, outputs zero but for
 * counts that an array asks for, leading size words those of the tables. out: gets it; nullable.
 * ERR_PROTOCOL, with *reason, when it is not what the tables say. */
enum sl_result vk_plan_normal(const struct vk_plan *plan, const void *packet, size_t size,
                              struct vk_plan_bytes *out, const char **reason) SL_MUST_USE;
/* Where made packets take their handles from; NULL: anything. */
struct vk_plan_handles {
    void *user;
    uint64_t (*one)(void *user, uint32_t kind); /* kind: VK_KIND_ */
};
/* Seeded packet of a command in normal form. Counts, chains and texts are short; numbers are
 * anything. */
void vk_plan_make(const struct vk_plan *plan, const struct vk_plan_command *command,
                  uint64_t *state, const struct vk_plan_handles *handles,
                  struct vk_plan_bytes *out);
/* A seeded reply to that packet. */
void vk_plan_make_reply(const struct vk_plan *plan, const void *packet, size_t size,
                        uint64_t *state, struct vk_plan_bytes *out);
/* "name(arg = value, ...) -> result", without newline; the commands that a flush carries follow, a
 * line each, behind "; " where style->value is. style: nullable; struct plan_style in plan.h. */
void vk_plan_print(const struct vk_plan *plan, const struct plan_style *style, const void *packet,
                   size_t size, const void *reply, size_t reply_size, FILE *out);
/* Tells style->handle and style->number, and prints nothing: of a packet and of the commands that a
 * flush carries, or, where there is a reply, of that alone. Ends where something makes no sense. */
void vk_plan_tell(const struct vk_plan *plan, const struct plan_style *style, const void *packet,
                  size_t size, const void *reply, size_t reply_size);

#endif
