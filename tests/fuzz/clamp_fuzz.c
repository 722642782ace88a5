/* SPIR-V of a stranger's: its shape, what it uses of layouts, and how its indices are cut to their
 * arrays. What has the shape keeps it, what is valid stays valid, and nothing changes but what the
 * cut is of. Input: {u8 module, u8 edits}, then rows of {u16 instruction, u8 word, u8 how, u32
 * value} that edit one of the modules here; or, from module 128 on, words of SPIR-V. */
#include "host/vulkan/hvk_clamp.h"
#include "host/vulkan/hvk_clamp_code.h"
#include "host/vulkan/hvk_core.h"
#include "host/vulkan/hvk_family.h"
#include "host/vulkan/spirv.h"
#include "tests/unit/hvk_used.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 4096, ROW = 8, RAW = 128, EDITS_MAX = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    const uint32_t *words;
    size_t count;
} modules[] = {{hvk_index_spv, HVK_INDEX_WORDS},
               {hvk_left_spv, HVK_LEFT_WORDS},
               {used_compute_spv, USED_COMPUTE_WORDS},
               {used_fragment_spv, USED_FRAGMENT_WORDS}};
#define MODULES (sizeof modules / sizeof modules[0])

struct module {
    uint32_t words[WORDS_MAX];
    size_t count;
};

static void quiet(void *user, enum sl_log_level level, const char *module, const char *text)
{
    (void)user, (void)level, (void)module, (void)text;
}

static size_t length_at(const uint32_t *words, size_t at)
{
    return words[at] >> 16 != 0 ? words[at] >> 16 : 1;
}

/* Where the instruction of that number begins; the end, where there are not as many. */
static size_t find(const struct module *m, uint32_t number)
{
    size_t at = CLAMP_HEADER;
    for (; number != 0 && at < m->count; number--) {
        at += length_at(m->words, at);
    }
    return at;
}

static void edit(struct module *m, const uint8_t *row)
{
    size_t at = find(m, sl_load_u32(row) & 0xffff);
    size_t length = at < m->count ? length_at(m->words, at) : 0;
    uint32_t value = sl_load_u32(row + 4);
    if (length == 0 || length > m->count - at) {
        return;
    }
    uint32_t *word = &m->words[at + row[2] % length];
    switch (row[3] % 5) {
    case 0: /* out */
        memmove(&m->words[at], &m->words[at + length], (m->count - at - length) * 4);
        m->count -= length;
        break;
    case 1: /* twice */
        if (length <= WORDS_MAX - m->count) {
            memmove(&m->words[at + length], &m->words[at], (m->count - at) * 4);
            m->count += length;
        }
        break;
    case 2:
        *word = value;
        break;
    case 3: /* another operation */
        m->words[at] = (m->words[at] & 0xffff0000) | (value & 0x1ff);
        break;
    default: /* another id */
        *word = value % (m->words[3] != 0 ? m->words[3] : 1);
        break;
    }
}

static void read_input(struct module *m, const uint8_t *data, size_t size)
{
    if (data[0] >= RAW) {
        m->count = (size - 2) / 4 < WORDS_MAX ? (size - 2) / 4 : WORDS_MAX;
        memcpy(m->words, data + 2, m->count * 4);
        return;
    }
    m->count = modules[data[0] % MODULES].count;
    memcpy(m->words, modules[data[0] % MODULES].words, m->count * 4);
    for (size_t i = 0; i < data[1] % EDITS_MAX && (i + 1) * ROW + 2 <= size; i++) {
        edit(m, data + 2 + i * ROW);
    }
}

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

/* How many words of an instruction the cut leaves as they are; 0: it may stand elsewhere. */
static size_t kept_of(const uint32_t *words, size_t at)
{
    size_t length = words[at] >> 16;
    switch (words[at] & 0xffff) {
    case CLAMP_TYPE_BOOL:
    case CLAMP_TYPE_INT:
        return 0;
    case CLAMP_TYPE_ARRAY:
        return 3;
    case CLAMP_ACCESS_CHAIN:
    case CLAMP_IN_BOUNDS_ACCESS_CHAIN:
        return length < 4 ? length : 4;
    default:
        return length;
    }
}

static bool is_same(const uint32_t *a, size_t kept, const uint32_t *b)
{
    bool becomes_longer =
        (a[0] & 0xffff) == CLAMP_VARIABLE && a[0] >> 16 == 4 && a[3] == CLAMP_WORKGROUP;
    uint32_t first = becomes_longer ? 5u << 16 | CLAMP_VARIABLE : a[0];
    return (b[0] == a[0] || b[0] == first) && memcmp(a + 1, b + 1, (kept - 1) * 4) == 0;
}

/* All instructions are there still, in their order. */
static void compare(const struct module *m, const struct hvk_clamped *out)
{
    size_t to = CLAMP_HEADER;
    for (size_t at = CLAMP_HEADER; at < m->count; at += m->words[at] >> 16) {
        size_t kept = kept_of(m->words, at);
        while (kept != 0 && to < out->count && !is_same(m->words + at, kept, out->words + to)) {
            to += out->words[to] >> 16;
        }
        if (to >= out->count) {
            fail("an instruction is missing");
        }
        to += kept != 0 ? out->words[to] >> 16 : 0;
    }
}

static void cut(struct hvk_device *device, const struct module *m, bool clears)
{
    struct hvk_clamped out;
    char text[300];
    const char *why = NULL;
    spirv_check is_valid = spirv_checker();
    enum sl_result result = hvk_clamp(m->words, m->count, clears, &out, &why);
    if (result == SL_ERR_UNSUPPORTED ? why == NULL : result != SL_OK) {
        fail("it says nothing");
    }
    if (result != SL_OK || out.words == NULL) {
        return;
    }
    if (!hvk_is_spirv(device, out.words, out.count * 4)) {
        fail("it has lost its shape");
    }
    compare(m, &out);
    if (is_valid != NULL && is_valid(m->words, m->count, text, sizeof text) &&
        !is_valid(out.words, out.count, text, sizeof text)) {
        fail(text);
    }
    sl_free(out.words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct module m;
    static bool told;
    struct hvk_provider provider = {.clamps_indices = true};
    struct hvk_context context = {.provider = &provider};
    struct hvk_device device = {.context = &context};
    uint64_t live = sl_alloc_live();
    if (!told) {
        sl_log_set_callback(quiet, NULL);
        told = true;
    }
    if (size < 2) {
        return 0;
    }
    read_input(&m, data, size);
    if (hvk_is_spirv(&device, m.words, m.count * 4)) {
        hvk_interface_free(hvk_interface_read(m.words, m.count * 4));
        cut(&device, &m, (data[1] & 0x80) != 0);
    }
    if (sl_alloc_live() != live) {
        fail("memory is left behind");
    }
    return 0;
}
