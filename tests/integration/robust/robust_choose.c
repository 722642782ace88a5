/* Arguments of GL's functions, and what they write. */
#include "tests/integration/robust/robust.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PATTERN = 0xab };
/* Inputs: a texture of the largest sizes that are chosen. */
enum { INPUT = 64 * 64 * 64 * 16, OUTPUT = 256 * 1024, TEXTS = 128, TEXT = 4096, ADDRESSES = 16 };

static uint8_t zeros[INPUT], numbers[INPUT], output[OUTPUT];
static char texts[3][TEXT];
static const GLchar *lists[TEXTS];
static const void *inputs[TEXTS];
static void *addresses[ADDRESSES];
static size_t output_used;
static bool has_address;

void *robust_proc(const char *name)
{
    return (void *)eglGetProcAddress(name);
}

/* --- numbers --- */

/* Of the sweep, the one that it is about. */
static bool is_swept(struct robust *r)
{
    return ++r->enum_count == r->swept_at;
}

GLenum robust_enum(struct robust *r, const GLenum *enums, int count)
{
    static const GLenum wrong[] = {0x1234, 0xffffffff, GL_TEXTURE_2D, GL_FLOAT};
    GLenum value = count != 0 && robust_pick(r, 4) != 0 ? enums[robust_pick(r, (uint32_t)count)]
                                                        : wrong[robust_pick(r, COUNT(wrong))];
    value = is_swept(r) ? r->swept : value;
    robust_note(r, " %x", value);
    return value;
}

GLint robust_near(struct robust *r)
{
    static const GLint values[] = {-1, 0, 0, 1, 2, 5, 64};
    GLint value = values[robust_pick(r, COUNT(values))];
    robust_note(r, " %d", value);
    return value;
}

GLint robust_int(struct robust *r)
{
    static const GLint values[] = {INT32_MAX, INT32_MIN, 0x10000, 0x8000, -64};
    if (!r->is_wide || robust_pick(r, 4) != 0) {
        return robust_near(r);
    }
    GLint value = values[robust_pick(r, COUNT(values))];
    robust_note(r, " %d", value);
    return value;
}

GLsizei robust_size(struct robust *r)
{
    if (robust_pick(r, 16) != 0) {
        return robust_near(r);
    }
    robust_note(r, " least");
    return INT32_MIN;
}

GLuint robust_name(struct robust *r)
{
    static const GLuint values[] = {0, 1, 1, 2, 3, ROBUST_DELETED, 9999, 0xffffffff};
    GLuint value = values[robust_pick(r, COUNT(values))];
    robust_note(r, " %u", value);
    return value;
}

GLfloat robust_float(struct robust *r)
{
    static const GLfloat values[] = {-1, 0, 0.5f, 1, 7, 1e30f, -INFINITY};
    GLfloat value = values[robust_pick(r, COUNT(values))];
    robust_note(r, " %g", (double)value);
    return value;
}

int32_t robust_fixed(struct robust *r)
{
    static const int32_t values[] = {-0x10000, 0, 1, 0x8000, 0x10000, 0x70000, 0x1d01};
    int32_t value = values[robust_pick(r, COUNT(values))];
    robust_note(r, " %d", value);
    return value;
}

GLbitfield robust_bits(struct robust *r, const GLenum *bits, int count)
{
    static const GLbitfield values[] = {0, 1, GL_COLOR_BUFFER_BIT, GL_MAP_READ_BIT, 0x7fffffff};
    GLbitfield value = 0;
    if (count == 0 || robust_pick(r, 4) == 0) {
        value = values[robust_pick(r, COUNT(values))];
    }
    for (uint32_t i = count != 0 ? robust_pick(r, 4) : 0; i != 0; i--) {
        value |= bits[robust_pick(r, (uint32_t)count)];
    }
    robust_note(r, " %x", value);
    return value;
}

/* --- objects --- */

GLsync robust_sync(struct robust *r)
{
    bool none = robust_pick(r, 2) != 0;
    robust_note(r, " %s", none ? "no sync" : "a wrong sync");
    return none ? NULL : (GLsync)(void *)texts;
}

void *robust_image(struct robust *r)
{
    uint32_t choice = robust_pick(r, 3);
    robust_note(r, choice == 0 ? " no image" : choice == 1 ? " a wrong image" : " image");
    return choice == 0 ? NULL : choice == 1 ? (void *)texts : robust_world_image;
}

static void GL_APIENTRY told(GLenum source, GLenum type, GLuint id, GLenum severity, GLsizei length,
                             const GLchar *message, const void *user)
{
    (void)source, (void)type, (void)id, (void)severity, (void)length, (void)message, (void)user;
}

GLDEBUGPROC robust_told(struct robust *r)
{
    bool none = robust_pick(r, 2) != 0;
    robust_note(r, none ? " no function" : " a function");
    return none ? NULL : told;
}

/* --- memory --- */

/* Whether this place is to be none; says so. */
static bool is_null(struct robust *r)
{
    bool is = ++r->pointer_count == r->null_at || r->null_at == ROBUST_ALL;
    if (is) {
        robust_note(r, " NULL");
    }
    return is;
}

const void *robust_input(struct robust *r)
{
    if (is_null(r)) {
        return NULL;
    }
    bool zero = robust_pick(r, 2) != 0;
    robust_note(r, " %s", zero ? "zeros" : "numbers");
    return zero ? zeros : numbers;
}

/* Each output of a call has its own part. */
void *robust_output(struct robust *r)
{
    if (is_null(r)) {
        return NULL;
    }
    robust_note(r, " out");
    void *part = output + output_used;
    output_used += OUTPUT / 16;
    return part;
}

void **robust_address(struct robust *r)
{
    if (is_null(r)) {
        return NULL;
    }
    robust_note(r, " address");
    has_address = true;
    return addresses;
}

const void *const *robust_inputs(struct robust *r)
{
    if (is_null(r)) {
        return NULL;
    }
    robust_note(r, " inputs");
    return inputs;
}

const GLchar *robust_text(struct robust *r)
{
    if (is_null(r)) {
        return NULL;
    }
    uint32_t i = robust_pick(r, COUNT(texts));
    robust_note(r, " \"%s\"", texts[i]);
    return texts[i];
}

const GLchar *const *robust_texts(struct robust *r)
{
    if (is_null(r)) {
        return NULL;
    }
    robust_note(r, " texts");
    return lists;
}

void robust_returned(struct robust *r, uint64_t value)
{
    r->returned = value;
}

void robust_memory_fill(void)
{
    static const char *const words[] = {"shade", "color", "none"};
    for (uint32_t i = 0; i < INPUT / 4; i++) {
        const uint32_t values[] = {1, 2, 3, 0, 7, 999};
        memcpy(numbers + (size_t)i * 4, &values[i % 6], 4);
    }
    for (int i = 0; i < COUNT(texts); i++) {
        snprintf(texts[i], sizeof texts[i], "%s", words[i]);
    }
    for (int i = 0; i < TEXTS; i++) {
        lists[i] = texts[i % COUNT(texts)];
        inputs[i] = i % 2 == 0 ? zeros : numbers;
    }
}

const void *robust_zeros(void)
{
    return zeros;
}

/* --- what was written --- */

void robust_outputs_clear(void)
{
    memset(output, PATTERN, sizeof output);
    memset(addresses, PATTERN, sizeof addresses);
    output_used = 0;
    has_address = false;
}

static uint64_t hash(const uint8_t *bytes, size_t size)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < size; i++) {
        h = (h ^ bytes[i]) * 1099511628211u;
    }
    return h;
}

static size_t touched(void)
{
    size_t end = sizeof output;
    while (end != 0 && output[end - 1] == PATTERN) {
        end--;
    }
    return end;
}

/* Of the program's own memory, where; the driver's is anywhere. */
static void address_print(void)
{
    static const struct {
        const char *name;
        const uint8_t *memory;
        size_t size;
    } known[] = {{"zeros", zeros, sizeof zeros}, {"numbers", numbers, sizeof numbers}};
    void *untouched;
    memset(&untouched, PATTERN, sizeof untouched);
    const uint8_t *address = addresses[0];
    if (addresses[0] == untouched) {
        return;
    }
    if ((uintptr_t)address < sizeof zeros) {
        printf(" %zx", (size_t)(uintptr_t)address);
        return;
    }
    for (int i = 0; i < COUNT(known); i++) {
        if (address >= known[i].memory && address < known[i].memory + known[i].size) {
            printf(" %s+%td", known[i].name, address - known[i].memory);
            return;
        }
    }
    printf(address == (const uint8_t *)(uintptr_t)told ? " the function" : " somewhere");
}

void robust_outputs_print(void)
{
    size_t size = touched();
    if (size != 0) {
        printf(" %zu bytes %llx", size, (unsigned long long)hash(output, size));
    }
    if (has_address) {
        address_print();
    }
}
