#include "tools/plan/plan.h"
#include "transport/base/bytes.h"

#define SIZE_OF_LENGTH 4u

uint32_t plan_prim_size(enum plan_prim prim)
{
    static const uint8_t sizes[] = {1, 1, 2, 2, 4, 4, 8, 8, 4};
    return sizes[prim];
}

const struct plan_command *plan_find(const struct plan_api *api, uint32_t opcode)
{
    uint32_t index = opcode - api->first_opcode; /* wraps past count below the first */
    return index < api->count ? &api->commands[index] : NULL;
}

const char *plan_name_of(const struct plan_names *names, uint32_t value)
{
    for (; names != NULL; names = names->rest) {
        uint32_t low = 0, high = names->count;
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            if (names->names[middle].value < value) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if (low < names->count && names->names[low].value == value) {
            return names->names[low].name;
        }
    }
    return NULL;
}

uint64_t plan_cut(uint64_t bits, enum plan_prim prim)
{
    switch (prim) {
    case PLAN_U8:
        return (uint8_t)bits;
    case PLAN_I8:
        return (uint64_t)(int64_t)(int8_t)bits;
    case PLAN_U16:
        return (uint16_t)bits;
    case PLAN_I16:
        return (uint64_t)(int64_t)(int16_t)bits;
    case PLAN_U32:
    case PLAN_F32:
        return (uint32_t)bits;
    case PLAN_I32:
        return (uint64_t)(int64_t)(int32_t)bits;
    case PLAN_U64:
    case PLAN_I64:
        return bits;
    }
    return 0;
}

static uint64_t scalar(struct sl_reader *r, enum plan_prim prim)
{
    size_t size = plan_prim_size(prim);
    const uint8_t *p = sl_reader_take(r, size);
    uint64_t bits = 0;
    if (p != NULL) {
        memcpy(&bits, p, size);
    }
    return plan_cut(bits, prim);
}

enum sl_result plan_decode(const struct plan_command *command, const void *body, size_t size,
                           struct plan_value values[PLAN_FIELDS_MAX], size_t *used)
{
    struct sl_reader r = sl_reader_over(body, size);
    for (uint8_t i = 0; i < command->field_count; i++) {
        const struct plan_field *field = &command->fields[i];
        values[i] = (struct plan_value){0};
        switch ((enum plan_step)field->step) {
        case PLAN_SCALAR:
            values[i].bits = scalar(&r, field->prim);
            break;
        case PLAN_BYTES:
            values[i].size = sl_reader_u32(&r);
            values[i].bytes = sl_reader_take(&r, values[i].size);
            if (values[i].size == 0 && field->nullable) {
                values[i].bytes = NULL;
            }
            break;
        case PLAN_OUT_LENGTH:
            values[i].size = sl_reader_u32(&r);
            break;
        case PLAN_ADDRESS:
            values[i].bits = sl_reader_u64(&r);
            break;
        }
    }
    *used = (size_t)(r.cur - (const uint8_t *)body);
    return r.failed ? SL_ERR_PROTOCOL : SL_OK;
}
