/* What the entry points of a shader module use of descriptor sets, and whether a pipeline layout
 * has that: drivers look it up there without asking. Counted is what SPIR-V calls static use: what
 * the functions name that an entry point leads to. Of the code only the shape is known to be right
 * (hvk_shader.c). */
#include "host/vulkan/hvk_family.h"

#include "transport/base/arith.h"
#include "transport/base/mem.h"

#define HEADER 5u
/* Words of code that are read for all entry points of a module, besides once each word. */
#define WORK_MAX (1u << 24)
/* Arrays in arrays. */
#define NESTED_MAX 16u
/* Bits of resource.types behind the core descriptor types. */
#define INLINE_BLOCK 31u
#define ANY_TYPE     UINT32_MAX

enum {
    OP_EXT_INST = 12,
    OP_ENTRY_POINT = 15,
    OP_TYPE_FIRST = 19,
    OP_TYPE_IMAGE = 25,
    OP_TYPE_SAMPLER = 26,
    OP_TYPE_SAMPLED_IMAGE = 27,
    OP_TYPE_ARRAY = 28,
    OP_TYPE_RUNTIME_ARRAY = 29,
    OP_TYPE_STRUCT = 30,
    OP_TYPE_POINTER = 32,
    OP_TYPE_LAST = 39,
    OP_CONSTANT = 43,
    OP_SPEC_CONSTANT = 50,
    OP_FUNCTION = 54,
    OP_FUNCTION_END = 56,
    OP_FUNCTION_CALL = 57,
    OP_VARIABLE = 59,
    OP_IMAGE_TEXEL_POINTER = 60,
    OP_LOAD = 61,
    OP_STORE = 62,
    OP_COPY_MEMORY = 63,
    OP_COPY_MEMORY_SIZED = 64,
    OP_ACCESS_CHAIN = 65,
    OP_ARRAY_LENGTH = 68,
    OP_IN_BOUNDS_PTR_ACCESS_CHAIN = 70,
    OP_DECORATE = 71,
    OP_GROUP_DECORATE = 74,
    OP_COPY_OBJECT = 83,
    OP_SELECT = 169,
    OP_ATOMIC_LOAD = 227,
    OP_ATOMIC_STORE = 228,
    OP_ATOMIC_XOR = 242,
    OP_PHI = 245,
    OP_RETURN_VALUE = 254,
};

enum { SPEC_ID = 1, BUFFER_BLOCK = 3, BINDING = 33, DESCRIPTOR_SET = 34 };
enum { UNIFORM_CONSTANT = 0, UNIFORM = 2, STORAGE_BUFFER = 12 };

/* What is known of an id. */
struct known {
    uint32_t at; /* the word where it is defined; 0: nowhere, or as nothing that matters here */
    uint32_t set, binding;
    uint32_t spec; /* of a constant: the number by which a pipeline chooses it */
    uint32_t seen; /* by the entry point of that number, from 1 */
    bool is_buffer_block;
};

struct code {
    const uint32_t *words;
    size_t count;
    struct known *ids;
    uint32_t bound;
    uint32_t *functions; /* to be read for the entry point */
    uint32_t function_count, function_room;
    uint64_t work;
};

struct use {
    uint32_t set, binding;
    uint32_t types; /* 1 << VkDescriptorType, INLINE_BLOCK: that fit */
    /* How many it is an array of, times what a pipeline chooses for that constant. */
    uint64_t count;
    uint32_t spec, chosen; /* the number, and what it is unless it is chosen */
    bool is_chosen;
};

struct entry {
    uint32_t model;
    uint32_t name; /* where in the names */
    uint32_t first, count;
};

struct hvk_interface {
    struct entry *entries;
    uint32_t entry_count;
    struct use *uses;
    uint32_t use_count, use_room;
    char *names;
    uint32_t name_size;
};

void hvk_interface_free(struct hvk_interface *i)
{
    if (i != NULL) {
        sl_free(i->entries);
        sl_free(i->uses);
        sl_free(i->names);
        sl_free(i);
    }
}

static struct known *known(const struct code *c, uint32_t id)
{
    return &c->ids[id < c->bound ? id : 0]; /* nobody has the id 0 */
}

static uint32_t op_at(const struct code *c, size_t at)
{
    return c->words[at] & 0xffff;
}

static uint32_t length_at(const struct code *c, size_t at)
{
    return c->words[at] >> 16;
}

/* A word of the instruction that defines an id, if that is there. */
static uint32_t word_of(const struct code *c, uint32_t id, uint32_t op, uint32_t index)
{
    uint32_t at = known(c, id)->at;
    return at != 0 && op_at(c, at) == op && index < length_at(c, at) ? c->words[at + index] : 0;
}

/* --- what the module declares --- */

static void decorate(struct known *to, uint32_t decoration, uint32_t value)
{
    to->set = decoration == DESCRIPTOR_SET ? value : to->set;
    to->binding = decoration == BINDING ? value : to->binding;
    to->spec = decoration == SPEC_ID ? value : to->spec;
    to->is_buffer_block = to->is_buffer_block || decoration == BUFFER_BLOCK;
}

static void declare(struct code *c, struct hvk_interface *out, size_t at)
{
    const uint32_t *w = c->words + at;
    uint32_t op = op_at(c, at), length = length_at(c, at);
    if (op == OP_ENTRY_POINT && length > 3) {
        out->entry_count++;
        out->name_size += length * 4;
    } else if (op == OP_DECORATE && length > 2) {
        decorate(known(c, w[1]), w[2], length > 3 ? w[3] : 0);
    } else if (op == OP_GROUP_DECORATE && length > 1) {
        const struct known *group = known(c, w[1]);
        for (uint32_t i = 2; i < length; i++) {
            struct known *to = known(c, w[i]);
            to->set = group->set;
            to->binding = group->binding;
            to->is_buffer_block = to->is_buffer_block || group->is_buffer_block;
        }
    } else if (op >= OP_TYPE_FIRST && op <= OP_TYPE_LAST && length > 1) {
        known(c, w[1])->at = (uint32_t)at;
    } else if (((op == OP_VARIABLE || op == OP_CONSTANT || op == OP_SPEC_CONSTANT) && length > 3) ||
               (op == OP_FUNCTION && length > 2)) {
        known(c, w[2])->at = (uint32_t)at;
        c->function_room += op == OP_FUNCTION;
    }
}

static uint32_t bit(VkDescriptorType type)
{
    return 1u << type;
}

enum { BUFFER = 5, SUBPASS = 6 }; /* dimensions */

/* An image and its sampler. Texel buffers have none, but are read by such, too. */
static uint32_t types_of_sampled(const struct code *c, uint32_t type)
{
    uint32_t image = word_of(c, type, OP_TYPE_SAMPLED_IMAGE, 2);
    return word_of(c, image, OP_TYPE_IMAGE, 3) == BUFFER
               ? bit(VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER)
               : bit(VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER);
}

static uint32_t types_of_image(const struct code *c, uint32_t type)
{
    uint32_t dimension = word_of(c, type, OP_TYPE_IMAGE, 3);
    uint32_t sampled = word_of(c, type, OP_TYPE_IMAGE, 7);
    uint32_t read = bit(VK_DESCRIPTOR_TYPE_SAMPLED_IMAGE) |
                    bit(VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER),
             written = bit(VK_DESCRIPTOR_TYPE_STORAGE_IMAGE);
    if (dimension == SUBPASS) {
        return bit(VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT);
    }
    if (dimension == BUFFER) {
        read = bit(VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER);
        written = bit(VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER);
    }
    return sampled == 1 ? read : sampled == 2 ? written : read | written;
}

/* The descriptor types that a variable may be of; 0: it is none of a set's. */
static uint32_t types_of(const struct code *c, uint32_t variable)
{
    uint32_t storage = word_of(c, variable, OP_VARIABLE, 3);
    uint32_t type = word_of(c, word_of(c, variable, OP_VARIABLE, 1), OP_TYPE_POINTER, 3);
    for (uint32_t i = 0; i < NESTED_MAX; i++) {
        uint32_t element = word_of(c, type, OP_TYPE_ARRAY, 2);
        element = element != 0 ? element : word_of(c, type, OP_TYPE_RUNTIME_ARRAY, 2);
        type = element != 0 ? element : type;
    }
    const uint32_t stored =
        bit(VK_DESCRIPTOR_TYPE_STORAGE_BUFFER) | bit(VK_DESCRIPTOR_TYPE_STORAGE_BUFFER_DYNAMIC);
    uint32_t at = known(c, type)->at;
    uint32_t op = at != 0 ? op_at(c, at) : 0;
    switch (storage) {
    case UNIFORM:
        return known(c, type)->is_buffer_block
                   ? stored
                   : bit(VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER) |
                         bit(VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER_DYNAMIC) | 1u << INLINE_BLOCK;
    case STORAGE_BUFFER:
        return stored;
    case UNIFORM_CONSTANT:
        return op == OP_TYPE_SAMPLER ? bit(VK_DESCRIPTOR_TYPE_SAMPLER) |
                                           bit(VK_DESCRIPTOR_TYPE_COMBINED_IMAGE_SAMPLER)
               : op == OP_TYPE_SAMPLED_IMAGE ? types_of_sampled(c, type)
               : op == OP_TYPE_IMAGE         ? types_of_image(c, type)
                                             : ANY_TYPE;
    default:
        return 0;
    }
}

/* Of how many descriptors a variable is. A length that is computed of chosen ones is not known
 * here: where indices are cut there is none (hvk_clamp.h). */
static void count_of(const struct code *c, uint32_t variable, struct use *out)
{
    uint32_t type = word_of(c, word_of(c, variable, OP_VARIABLE, 1), OP_TYPE_POINTER, 3);
    out->count = 1;
    for (uint32_t i = 0; i < NESTED_MAX && word_of(c, type, OP_TYPE_ARRAY, 3) != 0; i++) {
        uint32_t length = word_of(c, type, OP_TYPE_ARRAY, 3);
        uint32_t known_length = word_of(c, length, OP_CONSTANT, 3);
        if (known_length != 0) {
            out->count = out->count <= UINT32_MAX ? out->count * known_length : out->count;
        } else if (word_of(c, length, OP_SPEC_CONSTANT, 1) != 0 && !out->is_chosen) {
            out->is_chosen = true;
            out->spec = known(c, length)->spec;
            out->chosen = word_of(c, length, OP_SPEC_CONSTANT, 3);
        }
        type = word_of(c, type, OP_TYPE_ARRAY, 2);
    }
    if (word_of(c, type, OP_TYPE_ARRAY, 3) != 0) { /* deeper than anybody's: no layout has it */
        out->count = UINT64_MAX;
    }
}

/* --- what functions use --- */

/* An id that an instruction names, where that may be a variable or a function. */
static bool use_id(struct code *c, struct hvk_interface *out, uint32_t id, uint32_t entry)
{
    struct known *k = known(c, id);
    if (k->at == 0 || k->seen == entry) {
        return true;
    }
    if (op_at(c, k->at) == OP_FUNCTION) {
        k->seen = entry;
        c->functions[c->function_count++] = k->at; /* each at most once */
        return true;
    }
    uint32_t types = op_at(c, k->at) == OP_VARIABLE ? types_of(c, id) : 0;
    if (types == 0) {
        return true;
    }
    if (out->use_count == out->use_room) {
        uint32_t room = out->use_room != 0 ? out->use_room * 2 : 16;
        struct use *more = sl_realloc(out->uses, room * sizeof *more);
        if (more == NULL) {
            return false;
        }
        out->uses = more;
        out->use_room = room;
    }
    k->seen = entry;
    struct use *use = &out->uses[out->use_count++];
    *use = (struct use){.set = k->set, .binding = k->binding, .types = types};
    count_of(c, id, use);
    return true;
}

/* The words of an instruction that are ids of pointers, or may be: [*first, *end). */
static void pointers_of(uint32_t op, uint32_t length, uint32_t *first, uint32_t *end)
{
    bool at_three = op == OP_LOAD || (op >= OP_ACCESS_CHAIN && op <= OP_ARRAY_LENGTH) ||
                    op == OP_IN_BOUNDS_PTR_ACCESS_CHAIN || op == OP_IMAGE_TEXEL_POINTER ||
                    op == OP_COPY_OBJECT ||
                    (op >= OP_ATOMIC_LOAD && op <= OP_ATOMIC_XOR && op != OP_ATOMIC_STORE);
    bool at_one = op == OP_ATOMIC_STORE || op == OP_RETURN_VALUE;
    bool at_both = op == OP_STORE || op == OP_COPY_MEMORY || op == OP_COPY_MEMORY_SIZED;
    bool to_the_end = op == OP_FUNCTION_CALL || op == OP_SELECT || op == OP_PHI;
    *first = at_three || to_the_end ? 3 : at_one || at_both ? 1 : op == OP_EXT_INST ? 5 : length;
    *end = at_three || at_both ? *first + (at_three ? 1 : 2) : at_one ? 2 : length;
    *end = *end < length ? *end : length;
}

/* A function's code. */
static bool read_function(struct code *c, struct hvk_interface *out, size_t at, uint32_t entry)
{
    for (; at < c->count && op_at(c, at) != OP_FUNCTION_END; at += length_at(c, at)) {
        uint32_t first, end, length = length_at(c, at);
        c->work += length;
        pointers_of(op_at(c, at), length, &first, &end);
        for (uint32_t i = first; i < end; i++) {
            if (!use_id(c, out, c->words[at + i], entry)) {
                return false;
            }
        }
    }
    return c->work <= WORK_MAX + (uint64_t)c->count;
}

static bool read_entry(struct code *c, struct hvk_interface *out, size_t at, struct entry *entry,
                       uint32_t number)
{
    const uint32_t *w = c->words + at;
    size_t most = (length_at(c, at) - 3) * sizeof w[0];
    const char *name = (const char *)(w + 3);
    size_t size = strnlen(name, most);
    *entry = (struct entry){.model = w[1], .name = out->name_size, .first = out->use_count};
    memcpy(out->names + out->name_size, name, size);
    out->name_size += (uint32_t)size + 1; /* zeroed */
    c->function_count = 0;
    bool ok = known(c, w[2])->at != 0 && use_id(c, out, w[2], number);
    for (uint32_t i = 0; ok && i < c->function_count; i++) {
        ok = read_function(c, out, c->functions[i], number);
    }
    entry->count = out->use_count - entry->first;
    return ok;
}

static bool read_all(struct code *c, struct hvk_interface *out)
{
    uint32_t entry = 0;
    for (size_t at = HEADER; at < c->count; at += length_at(c, at)) {
        declare(c, out, at);
    }
    out->entries = sl_alloc_array((size_t)out->entry_count + 1, sizeof *out->entries);
    out->names = sl_alloc((size_t)out->name_size + 1);
    c->functions = sl_alloc_array((size_t)c->function_room + 1, sizeof *c->functions);
    out->name_size = 0;
    bool ok = out->entries != NULL && out->names != NULL && c->functions != NULL;
    for (size_t at = HEADER; ok && at < c->count && op_at(c, at) != OP_FUNCTION;
         at += length_at(c, at)) {
        if (op_at(c, at) == OP_ENTRY_POINT && length_at(c, at) > 3) {
            ok = read_entry(c, out, at, &out->entries[entry], entry + 1);
            entry++;
        }
    }
    out->entry_count = ok ? entry : 0;
    return ok;
}

struct hvk_interface *hvk_interface_read(const uint32_t *words, size_t size)
{
    struct code code = {.words = words, .count = size / 4, .bound = words[3]};
    struct hvk_interface *out = sl_alloc(sizeof *out);
    code.ids = sl_alloc_array((size_t)code.bound + 1, sizeof *code.ids);
    if (out == NULL || code.ids == NULL || !read_all(&code, out)) {
        hvk_interface_free(out);
        out = NULL;
    }
    sl_free(code.functions);
    sl_free(code.ids);
    return out;
}

/* --- what layouts have --- */

/* The stage of an execution model; 0: one that is none of a pipeline of stages. */
static VkShaderStageFlags stage_of(uint32_t model)
{
    enum { CORE = 6, TASK_NV = 5267, MESH_NV = 5268, TASK = 5364, MESH = 5365 };
    return model < CORE                        ? 1u << model
           : model == TASK_NV || model == TASK ? (VkShaderStageFlags)VK_SHADER_STAGE_TASK_BIT_EXT
           : model == MESH_NV || model == MESH ? (VkShaderStageFlags)VK_SHADER_STAGE_MESH_BIT_EXT
                                               : 0;
}

static uint64_t count_chosen(const struct use *use, const VkSpecializationInfo *info)
{
    uint64_t chosen = use->chosen;
    for (uint32_t i = 0; info != NULL && i < info->mapEntryCount; i++) {
        const VkSpecializationMapEntry *e = &info->pMapEntries[i]; /* in its data: hvk_pipeline.c */
        if (e->constantID == use->spec && e->size <= sizeof chosen) {
            chosen = 0;
            memcpy(&chosen, (const uint8_t *)info->pData + e->offset, e->size);
        }
    }
    return chosen;
}

/* Has the binding as many as it is an array of? Drivers look no further than the shader does. */
static bool has_all(const struct hvk_binding *b, const struct use *use,
                    const VkSpecializationInfo *info)
{
    uint64_t chosen = use->is_chosen ? count_chosen(use, info) : 1;
    return b->type == VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK ||
           (use->count <= b->count && chosen <= b->count && use->count * chosen <= b->count);
}

static bool layout_has(const struct hvk_pipeline_layout *layout, const struct use *use,
                       const VkPipelineShaderStageCreateInfo *info)
{
    VkShaderStageFlags stage = (VkShaderStageFlags)info->stage;
    const struct hvk_bindings *bindings =
        use->set < layout->set_count ? layout->sets[use->set] : NULL;
    const struct hvk_binding *b =
        bindings != NULL ? hvk_binding_find(bindings, use->binding) : NULL;
    if (b == NULL || b->count == 0 || (b->stages & stage) == 0 ||
        !has_all(b, use, info->pSpecializationInfo)) {
        return false;
    }
    switch (b->type) {
    case VK_DESCRIPTOR_TYPE_INLINE_UNIFORM_BLOCK:
        return (use->types >> INLINE_BLOCK & 1) != 0;
    case VK_DESCRIPTOR_TYPE_MUTABLE_EXT:
        return true;
    default: /* more are extensions' own: what is of such a type is not known here */
        return b->type > VK_DESCRIPTOR_TYPE_INPUT_ATTACHMENT ? use->types == ANY_TYPE
                                                             : (use->types >> b->type & 1) != 0;
    }
}

bool hvk_interface_fits(const struct hvk_interface *i, const VkPipelineShaderStageCreateInfo *stage,
                        const struct hvk_pipeline_layout *layout)
{
    for (uint32_t k = 0; k < i->entry_count; k++) {
        const struct entry *entry = &i->entries[k];
        if (stage_of(entry->model) != (VkShaderStageFlags)stage->stage ||
            strcmp(i->names + entry->name, stage->pName) != 0) {
            continue;
        }
        bool ok = true;
        for (uint32_t n = 0; ok && n < entry->count; n++) {
            ok = layout != NULL && layout_has(layout, &i->uses[entry->first + n], stage);
        }
        return ok;
    }
    return false;
}
