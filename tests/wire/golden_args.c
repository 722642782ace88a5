#include "tests/wire/golden_args.h"

#include "tests/support/slt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool golden_member(const char *line, const char *name, char *out)
{
    char key[32];
    snprintf(key, sizeof key, "\"%s\": \"", name);
    const char *p = strstr(line, key);
    if (p == NULL) {
        return false;
    }
    for (p += strlen(key); *p != '"' && *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0') {
            p++;
        }
        *out++ = *p;
    }
    *out = '\0';
    return true;
}

size_t golden_unhex(const char *text, size_t length, uint8_t *out)
{
    for (size_t i = 0; i < length / 2; i++) {
        unsigned byte = 0;
        SLT_ASSERT_EQ(1, sscanf(text + 2 * i, "%2x", &byte));
        out[i] = (uint8_t)byte;
    }
    return length / 2;
}

const char *golden_packets(const char *line)
{
    static const char key[] = "\"packets\": [";
    const char *p = strstr(line, key);
    return p != NULL ? p + sizeof key - 1 : NULL;
}

static bool taken(const char **p, const char *text)
{
    size_t length = strlen(text);
    bool there = strncmp(*p, text, length) == 0;
    *p += there ? length : 0;
    return there;
}

/* A text between quotes, without escapes. */
static const char *quoted(const char **p, size_t *length)
{
    SLT_ASSERT_TRUE(taken(p, "\""));
    const char *text = *p;
    *length = strcspn(text, "\"");
    *p = text + *length;
    SLT_ASSERT_TRUE(taken(p, "\""));
    return text;
}

/* As the packer takes it: not yet cut to its size on the wire. */
static uint64_t number(const char **p, const struct plan_field *field)
{
    char *end;
    uint64_t bits = 0;
    if (field->step == PLAN_SCALAR && field->prim == PLAN_F32) {
        float value = strtof(*p, &end);
        memcpy(&bits, &value, sizeof value);
    } else if (**p == '-') {
        bits = (uint64_t)strtoll(*p, &end, 10);
    } else {
        bits = strtoull(*p, &end, 10);
    }
    SLT_ASSERT_TRUE(end != *p);
    *p = end;
    return bits;
}

bool golden_next(const char **p, const struct plan_command *command, uint8_t *bytes,
                 struct plan_value *values)
{
    size_t length;
    taken(p, ", ");
    if (!taken(p, "[")) {
        SLT_ASSERT_TRUE(taken(p, "]"));
        return false;
    }
    const char *name = quoted(p, &length);
    SLT_ASSERT_EQ(strlen(command->name), length);
    SLT_ASSERT_MEMEQ(command->name, name, length);
    for (uint8_t i = 0; i < command->field_count; i++) {
        const struct plan_field *field = &command->fields[i];
        values[i] = (struct plan_value){0};
        SLT_ASSERT_TRUE(taken(p, ", "));
        if (field->step == PLAN_BYTES && !taken(p, "null")) {
            const char *text = quoted(p, &length);
            values[i].size = (uint32_t)golden_unhex(text, length, bytes);
            values[i].bytes = bytes;
            bytes += values[i].size;
        } else if (field->step == PLAN_OUT_LENGTH) {
            values[i].size = (uint32_t)number(p, field);
        } else if (field->step != PLAN_BYTES) {
            values[i].bits = number(p, field);
        }
    }
    SLT_ASSERT_TRUE(taken(p, "]"));
    return true;
}
