/* Length rules, evaluated. */
#include "tools/plan/plan.h"

static uint64_t operand(const struct plan_command *command, const struct plan_rule *rule,
                        const struct plan_value *values)
{
    if (rule->op == PLAN_RULE_NUMBER) {
        return rule->operand;
    }
    uint64_t bits = values[rule->operand].bits;
    if (rule->op == PLAN_RULE_CALL) {
        return rule->call((uint32_t)bits);
    }
    uint8_t prim = command->fields[rule->operand].prim;
    return (prim == PLAN_I32 || prim == PLAN_I64) && (int64_t)bits < 0 ? 0 : bits;
}

bool plan_length(const struct plan_command *command, uint8_t field, const struct plan_value *values,
                 uint64_t *size)
{
    const struct plan_field *f = &command->fields[field];
    uint64_t stack[PLAN_RULE_DEPTH] = {0};
    uint32_t depth = 0;
    for (uint8_t i = 0; i < f->rule_count; i++) {
        const struct plan_rule *rule = &f->rule[i];
        if (rule->op < PLAN_RULE_ADD) {
            stack[depth++ % PLAN_RULE_DEPTH] = operand(command, rule, values);
            continue;
        }
        uint64_t right = stack[--depth % PLAN_RULE_DEPTH];
        uint64_t *left = &stack[(depth - 1) % PLAN_RULE_DEPTH];
        *left = rule->op == PLAN_RULE_ADD        ? *left + right
                : rule->op == PLAN_RULE_MULTIPLY ? *left * right
                                                 : *left >> (right & 63);
    }
    *size = stack[0];
    return f->rule_count != 0;
}
