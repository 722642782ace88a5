/* PROT's JSON: positional, since it is in every trace.
 *
 *   {"schema": 1, "gl": [[opcode, name, value, prim, kind, trailing, [[name, c_type, step, kind,
 * prim, nullable], ..]], ..], "vulkan": [[opcode, name, layout], ..]}
 *
 * value: whether one is returned; prim, kind: of that value. step, kind and prim are numbers of
 * tools/plan/plan.h's enumerations. layout: 16 hexadecimal digits, XXH3-64 of all that decides what
 * the command's packets look like. */
#include "tables/plans.h"
#include "tools/sluice/schema.h"
#include "tools/sluice/schema_priv.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Structures that hold each other are followed so deep. */
#define LAYOUT_DEPTH 24u

/* Bytes that grow: every trace begins with the text, and every one that is read is held against it.
 */
struct bytes {
    char *data;
    size_t size, capacity;
    bool failed;
};

static char *more(struct bytes *out, size_t size)
{
    if (size > out->capacity - out->size && !out->failed) {
        size_t capacity = 2 * out->capacity + size + 65536;
        char *data = sl_realloc(out->data, capacity);
        out->failed = data == NULL;
        out->data = data != NULL ? data : out->data;
        out->capacity = data != NULL ? capacity : out->capacity;
    }
    if (out->failed) {
        return NULL;
    }
    out->size += size;
    return out->data + out->size - size;
}

static void put(struct bytes *out, const char *text, size_t size)
{
    char *place = more(out, size);
    if (place != NULL) {
        memcpy(place, text, size);
    }
}

/* A literal. */
#define PUT(out, text) put(out, text, sizeof(text) - 1)

/* Names of identifiers and types: no escapes. */
static void put_name(struct bytes *out, const char *name)
{
    PUT(out, "\"");
    put(out, name, strlen(name));
    PUT(out, "\"");
}

static void put_number(struct bytes *out, uint32_t number)
{
    char digits[10];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    put(out, digits + at, sizeof digits - at);
}

/* A comma before each. */
static void put_numbers(struct bytes *out, const uint8_t *numbers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        PUT(out, ",");
        put_number(out, numbers[i]);
    }
}

static void put_field(struct bytes *out, const struct plan_field *f)
{
    const uint8_t numbers[] = {f->step, f->kind, f->prim, f->nullable};
    PUT(out, "[");
    put_name(out, f->name);
    PUT(out, ",");
    put_name(out, f->c_type);
    put_numbers(out, numbers, sizeof numbers);
    PUT(out, "]");
}

static void put_command(struct bytes *out, uint32_t opcode, const struct plan_command *c)
{
    const uint8_t numbers[] = {c->has_value, c->value_prim, c->value_kind, c->trailing};
    PUT(out, "[");
    put_number(out, opcode);
    PUT(out, ",");
    put_name(out, c->name);
    put_numbers(out, numbers, sizeof numbers);
    PUT(out, ",[");
    for (uint32_t i = 0; i < c->field_count; i++) {
        put(out, ",", i != 0);
        put_field(out, &c->fields[i]);
    }
    PUT(out, "]]");
}

/* --- Vulkan --- */

static void add_number(struct bytes *out, uint64_t number)
{
    char *place = more(out, sizeof number);
    if (place != NULL) {
        sl_store_u64(place, number);
    }
}

static void add_text(struct bytes *out, const char *text)
{
    put(out, text, strlen(text) + 1);
}

static void add_fields(struct bytes *out, const struct vk_plan_field *fields, uint32_t count,
                       uint32_t depth);

static void add_field(struct bytes *out, const struct vk_plan_field *f, uint32_t depth)
{
    add_text(out, f->name);
    add_number(out, (uint64_t)f->wire << 32 | f->flags);
    add_number(out, (uint64_t)f->size << 32 | f->count);
    add_number(out, (uint64_t)f->value << 8 | f->rule_count);
    for (uint32_t i = 0; i < f->rule_count; i++) {
        add_number(out, (uint64_t)f->rule[i].op << 32 | f->rule[i].operand);
    }
    if (f->condition != NULL) {
        add_number(out, (uint64_t)f->condition->test << 32 | f->condition->field);
        for (uint32_t i = 0; i < f->condition->count; i++) {
            add_number(out, f->condition->values[i]);
        }
    }
    if (f->inner != NULL && depth < LAYOUT_DEPTH) {
        add_text(out, f->inner->name);
        add_fields(out, f->inner->fields, f->inner->count, depth + 1);
    }
}

static void add_fields(struct bytes *out, const struct vk_plan_field *fields, uint32_t count,
                       uint32_t depth)
{
    for (uint32_t i = 0; i < count; i++) {
        add_field(out, &fields[i], depth);
    }
}

/* scratch: its bytes are overwritten. */
static uint64_t layout_of(const struct vk_plan_command *command, struct bytes *scratch)
{
    scratch->size = 0;
    add_number(scratch,
               (uint64_t)command->result_size << 8 | command->staged << 1 | command->reply);
    add_fields(scratch, command->fields, command->count, 0);
    return scratch->failed ? 0 : XXH3_64bits(scratch->data, scratch->size);
}

bool schema_layout(const struct vk_plan_command *command, uint64_t *layout)
{
    struct bytes scratch = {.size = 0};
    *layout = layout_of(command, &scratch);
    sl_free(scratch.data);
    return !scratch.failed;
}

static void put_vulkan(struct bytes *out, const struct vk_plan_command *c, struct bytes *scratch)
{
    static const char digits[] = "0123456789abcdef";
    char text[16];
    uint64_t layout = layout_of(c, scratch);
    for (uint32_t i = sizeof text; i-- != 0; layout >>= 4) {
        text[i] = digits[layout & 15];
    }
    PUT(out, "[");
    put_number(out, c->opcode);
    PUT(out, ",");
    put_name(out, c->name);
    PUT(out, ",\"");
    put(out, text, sizeof text);
    PUT(out, "\"]");
}

/* --- all of it --- */

char *schema_text(size_t *size)
{
    struct bytes out = {.size = 0}, scratch = {.size = 0};
    bool is_first = true;
    PUT(&out, "{\"schema\":1,\"gl\":[");
    for (uint32_t i = 0; i < PLAN_APIS; i++) {
        const struct plan_api *api = plan_apis[i];
        for (uint32_t k = 0; k < api->count; k++) {
            if (api->commands[k].name != NULL) {
                put(&out, ",", !is_first);
                put_command(&out, api->first_opcode + k, &api->commands[k]);
                is_first = false;
            }
        }
    }
    PUT(&out, "],\"vulkan\":[");
    for (uint32_t i = 0; i < vk_plan.command_count; i++) {
        put(&out, ",", i != 0);
        put_vulkan(&out, &vk_plan.commands[i], &scratch);
    }
    put(&out, "]}", sizeof "]}"); /* with its zero */
    sl_free(scratch.data);
    if (out.failed || scratch.failed) {
        sl_free(out.data);
        return NULL;
    }
    *size = out.size - 1;
    return out.data;
}
