/* Vulkan's values as text. */
#include "tools/plan/text.h"
#include "tools/plan/vk_walk.h"
#include "transport/base/bytes.h"

#include <inttypes.h>
#include <string.h>

#define TEXT_BYTES 32u /* of a blob that are shown */

static const char *name_of(const struct vk_plan_names *names, int64_t value)
{
    uint32_t low = 0, high = names != NULL ? names->count : 0;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (names->names[middle].value == value) {
            return names->names[middle].name;
        }
        if (names->names[middle].value < value) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static void flags(FILE *text, const struct vk_plan_names *names, uint64_t value)
{
    const char *between = "";
    for (uint32_t bit = 0; bit < 64 && value != 0; bit++) {
        uint64_t one = 1ull << bit;
        const char *name = (value & one) != 0 ? name_of(names, (int64_t)one) : NULL;
        if (name != NULL) {
            fputs(between, text);
            fputs(name, text);
            between = " | ";
            value &= ~one;
        }
    }
    if (value != 0 || *between == '\0') {
        fprintf(text, value != 0 ? "%s0x%" PRIx64 : "%s0", between, value);
    }
}

static uint64_t load(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, bytes, size < 8 ? size : 8);
    return value;
}

void vk_text_number(FILE *text, const struct vk_plan_field *f, const uint8_t *bytes)
{
    if (f->wire == VK_PLAN_HANDLE) {
        plan_text_hex(text, sl_load_u64(bytes));
        return;
    }
    if (f->wire == VK_PLAN_RAW && f->size > 8) {
        vk_text_bytes(text, bytes, f->size);
        return;
    }
    size_t size = f->wire == VK_PLAN_RAW ? f->size : 8;
    uint64_t value = load(bytes, size);
    int64_t as_signed = size == 4 ? (int32_t)value : (int64_t)value;
    const char *name = f->show == VK_PLAN_ENUM ? name_of(f->names, as_signed) : NULL;
    float single;
    double wide;
    if (name != NULL) {
        fputs(name, text);
    } else if (f->show == VK_PLAN_FLAGS) {
        flags(text, f->names, value);
    } else if (f->show == VK_PLAN_FLOAT && size == 4) {
        memcpy(&single, bytes, sizeof single);
        fprintf(text, "%g", (double)single);
    } else if (f->show == VK_PLAN_FLOAT) {
        memcpy(&wide, bytes, sizeof wide);
        fprintf(text, "%g", wide);
    } else if (f->show == VK_PLAN_NUMBER) {
        plan_text_decimal(text, value);
    } else {
        plan_text_signed(text, as_signed);
    }
}

/* A text that ends in the array is shown as text. */
void vk_text_bytes(FILE *text, const uint8_t *bytes, size_t size)
{
    size_t length = strnlen((const char *)bytes, size);
    bool plain = length != 0 && length < size;
    for (size_t i = 0; plain && i < length; i++) {
        plain = bytes[i] >= ' ' && bytes[i] < 0x7f;
    }
    if (plain) {
        fprintf(text, "\"%.*s\"", (int)length, (const char *)bytes);
        return;
    }
    fputc('<', text);
    for (size_t i = 0; i < size && i < TEXT_BYTES; i++) {
        fprintf(text, "%02x", bytes[i]);
    }
    fprintf(text, size > TEXT_BYTES ? "... %zu bytes>" : ">", size);
}
