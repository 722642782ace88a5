/* The printer: one command and its reply as text. */
#include "tools/plan/plan.h"
#include "tools/plan/text.h"
#include "transport/base/bytes.h"

#include <inttypes.h>
#include <string.h>

#define ELEMENTS_MAX 8u
#define STRING_MAX   80u

/* How a scalar is shown, or an array's elements. */
struct look {
    enum plan_prim prim;
    enum plan_kind kind;
    const struct plan_names *names; /* nullable */
};

/* Known bits by name, the others as one number; 0 has no bits. */
static void print_flags(uint32_t bits, const struct plan_names *names, FILE *out)
{
    const struct plan_names own = {names != NULL ? names->names : NULL,
                                   names != NULL ? names->count : 0, NULL};
    const char *whole = plan_name_of(&own, bits);
    if (whole != NULL) {
        fputs(whole, out);
        return;
    }
    const char *between = "";
    for (uint32_t i = 0; i < own.count; i++) {
        uint32_t bit = own.names[i].value;
        if ((bit & (bit - 1)) == 0 && (bits & bit) != 0) {
            fputs(between, out);
            fputs(own.names[i].name, out);
            between = " | ";
            bits &= ~bit;
        }
    }
    if (bits != 0 || between[0] == '\0') {
        fprintf(out, bits != 0 ? "%s0x%04" PRIx32 : "%s%" PRIu32, between, bits);
    }
}

static void print_scalar(uint64_t bits, const struct look *look, FILE *out)
{
    enum plan_prim prim = look->prim;
    const char *name = look->kind != PLAN_FLAGS ? plan_name_of(look->names, (uint32_t)bits) : NULL;
    if (prim == PLAN_F32) {
        uint32_t word = (uint32_t)bits;
        fprintf(out, "%g", (double)sl_load_f32(&word));
    } else if (look->kind == PLAN_FLAGS) {
        print_flags((uint32_t)bits, look->names, out);
    } else if (name != NULL) {
        fputs(name, out);
    } else if (look->kind == PLAN_ENUM) {
        fprintf(out, "0x%04" PRIx64, bits & UINT32_MAX);
    } else if (prim == PLAN_I8 || prim == PLAN_I16 || prim == PLAN_I32 || prim == PLAN_I64) {
        plan_text_signed(out, (int64_t)bits);
    } else {
        plan_text_decimal(out, bits);
    }
}

static void print_string(const uint8_t *bytes, uint32_t size, FILE *out)
{
    fputc('"', out);
    uint32_t shown = size < STRING_MAX ? size : STRING_MAX;
    for (uint32_t i = 0; i < shown && bytes[i] != '\0'; i++) {
        if (bytes[i] == '\n') {
            fputs("\\n", out);
        } else if (bytes[i] == '"' || bytes[i] == '\\') {
            fprintf(out, "\\%c", bytes[i]);
        } else if (bytes[i] < 0x20 || bytes[i] >= 0x7f) {
            fprintf(out, "\\x%02x", bytes[i]);
        } else {
            fputc(bytes[i], out);
        }
    }
    fputs(shown < size ? "...\"" : "\"", out);
}

static uint64_t element(const uint8_t *p, enum plan_prim prim)
{
    /* A command of one scalar decodes it: signs and sizes are known in one place. */
    const struct plan_field field = {.step = PLAN_SCALAR, .prim = (uint8_t)prim};
    const struct plan_command one = {.fields = &field, .field_count = 1};
    struct plan_value value[PLAN_FIELDS_MAX];
    size_t used;
    return plan_decode(&one, p, plan_prim_size(prim), value, &used) == SL_OK ? value[0].bits : 0;
}

/* bytes NULL: they were cut off. */
static void print_bytes(const struct plan_field *field, const uint8_t *bytes, uint32_t size,
                        FILE *out)
{
    if (bytes == NULL || field->kind == PLAN_BLOB) {
        fprintf(out, "[%" PRIu32 " bytes]", size);
    } else if (field->kind == PLAN_STRING) {
        print_string(bytes, size, out);
    } else {
        const struct look elements = {field->prim, PLAN_NUMBER, field->names};
        uint32_t each = plan_prim_size(field->prim), count = size / each;
        fputc('{', out);
        for (uint32_t i = 0; i < count && i < ELEMENTS_MAX; i++) {
            fputs(i == 0 ? "" : ", ", out);
            print_scalar(element(bytes + (size_t)i * each, field->prim), &elements, out);
        }
        if (count > ELEMENTS_MAX) {
            fprintf(out, ", ... %" PRIu32 " in all", count);
        }
        fputc('}', out);
    }
}

static void print_field(const struct plan_field *field, const struct plan_value *value,
                        struct sl_reader *reply, FILE *out)
{
    const struct look look = {field->prim, field->kind, field->names};
    switch ((enum plan_step)field->step) {
    case PLAN_SCALAR:
        print_scalar(value->bits, &look, out);
        break;
    case PLAN_BYTES:
        if (value->size == 0) {
            fputs("{}", out);
        } else {
            print_bytes(field, value->bytes, value->size, out);
        }
        break;
    case PLAN_OUT_LENGTH:
        fputs("-> ", out);
        if (value->size == 0) {
            fputs("NULL", out);
        } else {
            print_bytes(field, sl_reader_take(reply, value->size), value->size, out);
        }
        break;
    case PLAN_ADDRESS:
        plan_text_hex(out, value->bits);
        break;
    }
}

static bool print_own(const struct plan_style *style, const struct plan_command *command,
                      const struct plan_field *field, uint64_t bits, FILE *out)
{
    return style->scalar != NULL && style->scalar(style->user, command, field, bits, out);
}

static void print_returned(const struct plan_command *command, const struct plan_style *style,
                           struct sl_reader *answer, FILE *out)
{
    if (style->value != NULL) {
        style->value(style->user, NULL, out);
    } else {
        fputs(" -> ", out);
    }
    const uint8_t *value = sl_reader_take(answer, plan_prim_size(command->value_prim));
    if (value == NULL) {
        fputs("(cut off)", out);
        return;
    }
    const struct look look = {command->value_prim, command->value_kind, command->value_names};
    uint64_t bits = element(value, command->value_prim);
    if (!print_own(style, command, NULL, bits, out)) {
        print_scalar(bits, &look, out);
    }
}

void plan_print(const struct plan_command *command, const struct plan_style *style,
                const void *packet, size_t size, const void *reply, size_t reply_size, FILE *out)
{
    static const struct plan_style plain;
    style = style != NULL ? style : &plain;
    struct plan_value values[PLAN_FIELDS_MAX];
    size_t used = 0;
    size_t body = size > PLAN_HEADER_SIZE ? size - PLAN_HEADER_SIZE : 0;
    enum sl_result result =
        plan_decode(command, (const uint8_t *)packet + (size - body), body, values, &used);
    struct sl_reader answer = sl_reader_over(reply, reply_size);
    if (style->value == NULL) {
        fputs(command->name, out);
        fputc('(', out);
    }
    for (uint8_t i = 0; i < command->field_count; i++) {
        const struct plan_field *field = &command->fields[i];
        if (style->value != NULL) {
            style->value(style->user, field->name, out);
        } else {
            plan_text_name(out, i == 0 ? "" : ", ", field->name);
        }
        if (field->step != PLAN_SCALAR || !print_own(style, command, field, values[i].bits, out)) {
            print_field(field, &values[i], &answer, out);
        }
    }
    if (style->value == NULL) {
        fputc(')', out);
    }
    if (result != SL_OK) {
        fputs(" (cut short)", out);
    }
    if (command->has_value) {
        print_returned(command, style, &answer, out);
    }
}
