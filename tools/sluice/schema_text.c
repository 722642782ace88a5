/* PROT's JSON: positional, since it is in every trace.
 *
 *   {"schema": 1, "gl": [[opcode, name, value, prim, kind, trailing, [[name, c_type, step, kind,
 * prim, nullable], ..]], ..], "vulkan": [[opcode, name, layout], ..]}
 *
 * value: whether one is returned; prim, kind: of that value. step, kind and prim are numbers of
 * tools/plan/plan.h's enumerations. layout: 16 hexadecimal digits, XXH3-64 of all that decides what
 * the command's packets look like. */
#include "tables/plans.h"
#include "tools/sluice/json.h"
#include "tools/sluice/schema.h"
#include "tools/sluice/schema_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Structures that hold each other are followed so deep. */
#define LAYOUT_DEPTH 24u

static void put_field(FILE *out, const struct plan_field *f)
{
    fputc('[', out);
    json_text(out, f->name);
    fputc(',', out);
    json_text(out, f->c_type);
    fprintf(out, ",%u,%u,%u,%u]", f->step, f->kind, f->prim, f->nullable);
}

static void put_command(FILE *out, uint32_t opcode, const struct plan_command *c)
{
    fprintf(out, "[%" PRIu32 ",", opcode);
    json_text(out, c->name);
    fprintf(out, ",%u,%u,%u,%u,[", c->has_value, c->value_prim, c->value_kind, c->trailing);
    for (uint32_t i = 0; i < c->field_count; i++) {
        fputs(i != 0 ? "," : "", out);
        put_field(out, &c->fields[i]);
    }
    fputs("]]", out);
}

/* --- Vulkan --- */

static void add_number(XXH3_state_t *state, uint64_t number)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)(number >> 8 * i);
    }
    XXH3_64bits_update(state, bytes, sizeof bytes);
}

static void add_text(XXH3_state_t *state, const char *text)
{
    XXH3_64bits_update(state, text, strlen(text) + 1);
}

static void add_fields(XXH3_state_t *state, const struct vk_plan_field *fields, uint32_t count,
                       uint32_t depth);

static void add_field(XXH3_state_t *state, const struct vk_plan_field *f, uint32_t depth)
{
    add_text(state, f->name);
    add_number(state, (uint64_t)f->wire << 32 | f->flags);
    add_number(state, (uint64_t)f->size << 32 | f->count);
    add_number(state, (uint64_t)f->value << 8 | f->rule_count);
    for (uint32_t i = 0; i < f->rule_count; i++) {
        add_number(state, (uint64_t)f->rule[i].op << 32 | f->rule[i].operand);
    }
    if (f->condition != NULL) {
        add_number(state, (uint64_t)f->condition->test << 32 | f->condition->field);
        for (uint32_t i = 0; i < f->condition->count; i++) {
            add_number(state, f->condition->values[i]);
        }
    }
    if (f->inner != NULL && depth < LAYOUT_DEPTH) {
        add_text(state, f->inner->name);
        add_fields(state, f->inner->fields, f->inner->count, depth + 1);
    }
}

static void add_fields(XXH3_state_t *state, const struct vk_plan_field *fields, uint32_t count,
                       uint32_t depth)
{
    for (uint32_t i = 0; i < count; i++) {
        add_field(state, &fields[i], depth);
    }
}

uint64_t schema_layout(const struct vk_plan_command *command)
{
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    add_number(&state, (uint64_t)command->result_size << 8 | command->staged << 1 | command->reply);
    add_fields(&state, command->fields, command->count, 0);
    return XXH3_64bits_digest(&state);
}

/* --- all of it --- */

char *schema_text(size_t *size)
{
    char *text = NULL;
    const char *gap = "";
    FILE *out = open_memstream(&text, size);
    if (out == NULL) {
        return NULL;
    }
    fputs("{\"schema\":1,\"gl\":[", out);
    for (uint32_t i = 0; i < PLAN_APIS; i++) {
        const struct plan_api *api = plan_apis[i];
        for (uint32_t k = 0; k < api->count; k++) {
            if (api->commands[k].name != NULL) {
                fputs(gap, out);
                put_command(out, api->first_opcode + k, &api->commands[k]);
                gap = ",";
            }
        }
    }
    fputs("],\"vulkan\":[", out);
    for (uint32_t i = 0; i < vk_plan.command_count; i++) {
        const struct vk_plan_command *c = &vk_plan.commands[i];
        fprintf(out, "%s[%" PRIu32 ",", i != 0 ? "," : "", c->opcode);
        json_text(out, c->name);
        fprintf(out, ",\"%016" PRIx64 "\"]", schema_layout(c));
    }
    fputs("]}", out);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}
