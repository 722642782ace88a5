#include "tests/wire/values.h"

#include "tests/support/slt.h"

#include <string.h>

static bool same_bytes(const void *a, const void *b, size_t size)
{
    return size == 0 || memcmp(a, b, size) == 0;
}

static bool same(const struct plan_field *field, const struct plan_value *want,
                 const struct plan_value *got)
{
    return field->step == PLAN_BYTES
               ? want->size == got->size && same_bytes(want->bytes, got->bytes, want->size) &&
                     (got->bytes == NULL) == (field->nullable && got->size == 0)
               : want->bits == got->bits && want->size == got->size;
}

void wire_expect_values(const struct plan_command *command, const struct plan_value *want,
                        const struct plan_value *got, const char *who)
{
    for (uint8_t i = 0; i < command->field_count; i++) {
        if (!same(&command->fields[i], &want[i], &got[i])) {
            SLT_SCOPE("%s: %s.%s: want bits %llx size %u", who, command->name,
                      command->fields[i].name, (unsigned long long)want[i].bits, want[i].size);
            SLT_EXPECT_EQ(want[i].bits, got[i].bits);
            SLT_ASSERT_EQ(want[i].size, got[i].size);
            SLT_ASSERT_TRUE(!"the bytes differ");
        }
    }
}
