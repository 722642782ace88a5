#include "tools/sluice/schema.h"
#include "tables/plans.h"
#include "tools/sluice/schema_priv.h"
#include "transport/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define COMMANDS_MAX 65536u
#define FIELDS_MAX   (COMMANDS_MAX * 4)

struct entry {
    uint32_t opcode;
    bool is_vulkan;
    bool is_known;            /* Vulkan's: laid out as in this build */
    struct plan_command plan; /* its fields come once all are read */
    uint32_t first_field;
};

struct schema {
    uint8_t hash[16];
    struct entry *entries; /* sorted by opcode */
    uint32_t count, capacity;
    struct plan_field *fields;
    uint32_t field_count, field_capacity;
    char *texts; /* one behind the other, in the room of the JSON */
    size_t text_size;
};

/* --- reading --- */

struct parser {
    const char *at, *end;
    bool failed;
    struct schema *schema;
};

static void skip(struct parser *p, char wanted)
{
    while (p->at < p->end && strchr(" \t\r\n", *p->at) != NULL && *p->at != '\0') {
        p->at++;
    }
    if (p->at < p->end && *p->at == wanted) {
        p->at++;
    } else {
        p->failed = true;
    }
}

/* Another element of a list comes; false: its end, which is passed. */
static bool more(struct parser *p, bool is_first)
{
    while (p->at < p->end && strchr(" \t\r\n", *p->at) != NULL && *p->at != '\0') {
        p->at++;
    }
    if (p->failed || p->at >= p->end) {
        p->failed = true;
        return false;
    }
    if (*p->at == ']') {
        p->at++;
        return false;
    }
    if (!is_first) {
        skip(p, ',');
    }
    return !p->failed;
}

static uint32_t number(struct parser *p, uint32_t most)
{
    uint64_t value = 0;
    bool any = false;
    while (p->at < p->end && *p->at >= '0' && *p->at <= '9' && value <= most) {
        value = value * 10 + (uint64_t)(*p->at++ - '0');
        any = true;
    }
    p->failed = p->failed || !any || value > most;
    return p->failed ? 0 : (uint32_t)value;
}

/* Names of identifiers and types: no escapes. Kept in the schema. */
static const char *text(struct parser *p)
{
    skip(p, '"');
    const char *begin = p->at;
    while (p->at < p->end && *p->at != '"' && *p->at >= ' ' && *p->at != '\\') {
        p->at++;
    }
    size_t size = (size_t)(p->at - begin);
    skip(p, '"');
    if (p->failed) {
        return "";
    }
    char *kept = p->schema->texts + p->schema->text_size;
    memcpy(kept, begin, size);
    kept[size] = '\0';
    p->schema->text_size += size + 1; /* no more than its two quotes and itself take */
    return kept;
}

static bool grow(void **array, uint32_t *capacity, uint32_t count, uint32_t most, size_t size)
{
    if (count < *capacity) {
        return true;
    }
    uint32_t larger = *capacity != 0 ? *capacity * 2 : 1024;
    void *block = count < most ? sl_realloc(*array, (size_t)larger * size) : NULL;
    if (block != NULL) {
        *array = block;
        *capacity = larger;
    }
    return block != NULL;
}

static struct entry *add_entry(struct parser *p)
{
    struct schema *s = p->schema;
    if (!grow((void **)&s->entries, &s->capacity, s->count, COMMANDS_MAX, sizeof *s->entries)) {
        p->failed = true;
        return NULL;
    }
    struct entry *e = &s->entries[s->count++];
    *e = (struct entry){.first_field = s->field_count};
    return e;
}

static void read_field(struct parser *p)
{
    struct schema *s = p->schema;
    struct plan_field field = {.name = NULL};
    skip(p, '[');
    field.name = text(p);
    skip(p, ',');
    field.c_type = text(p);
    skip(p, ',');
    field.step = (uint8_t)number(p, PLAN_ADDRESS);
    skip(p, ',');
    field.kind = (uint8_t)number(p, PLAN_BLOB);
    skip(p, ',');
    field.prim = (uint8_t)number(p, PLAN_F32);
    skip(p, ',');
    field.nullable = number(p, 1) != 0;
    skip(p, ']');
    if (!p->failed && grow((void **)&s->fields, &s->field_capacity, s->field_count, FIELDS_MAX,
                           sizeof *s->fields)) {
        s->fields[s->field_count++] = field;
    } else {
        p->failed = true;
    }
}

/* The opcode and the name, which both kinds begin with; NULL: no memory. */
static struct entry *entry_begin(struct parser *p)
{
    struct entry *e = add_entry(p);
    if (e != NULL) {
        skip(p, '[');
        e->opcode = number(p, UINT32_MAX - 1);
        skip(p, ',');
        e->plan.name = text(p);
        skip(p, ',');
    }
    return e;
}

static void read_gl(struct parser *p)
{
    struct entry *e = entry_begin(p);
    if (e == NULL) {
        return;
    }
    e->plan.has_value = number(p, 1) != 0;
    skip(p, ',');
    e->plan.value_prim = (uint8_t)number(p, PLAN_F32);
    skip(p, ',');
    e->plan.value_kind = (uint8_t)number(p, PLAN_BLOB);
    skip(p, ',');
    e->plan.trailing = (uint8_t)number(p, 64);
    skip(p, ',');
    skip(p, '[');
    uint32_t count = 0;
    for (; more(p, count == 0) && count < PLAN_FIELDS_MAX; count++) {
        read_field(p);
    }
    p->failed = p->failed || count == PLAN_FIELDS_MAX;
    e->plan.field_count = (uint8_t)count;
    skip(p, ']');
}

static void read_vulkan(struct parser *p)
{
    struct entry *e = entry_begin(p);
    if (e == NULL) {
        return;
    }
    const char *layout = text(p);
    skip(p, ']');
    const struct vk_plan_command *own = vk_plan_find(&vk_plan, e->opcode);
    uint64_t here;
    e->is_vulkan = true;
    e->is_known = own != NULL && strcmp(own->name, e->plan.name) == 0 &&
                  schema_layout(own, &here) && strtoull(layout, NULL, 16) == here;
}

static int by_opcode(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    return a->opcode < b->opcode ? -1 : a->opcode > b->opcode;
}

/* A key of the object: exactly this one comes. */
static void key(struct parser *p, const char *name)
{
    size_t size = strlen(name);
    skip(p, '"');
    if (!p->failed && (size_t)(p->end - p->at) > size && memcmp(p->at, name, size) == 0) {
        p->at += size;
    } else {
        p->failed = true;
    }
    skip(p, '"');
    skip(p, ':');
}

static void read_list(struct parser *p, const char *name, void (*read)(struct parser *))
{
    key(p, name);
    skip(p, '[');
    for (bool is_first = true; more(p, is_first); is_first = false) {
        read(p);
    }
}

/* Names of values are this build's, where it has that command with a field of that name. */
static void name_values(struct schema *s, struct entry *e)
{
    const struct plan_command *own = plan_find_any(e->opcode);
    struct plan_field *fields = s->fields + e->first_field;
    e->plan.fields = fields;
    if (own == NULL || strcmp(own->name, e->plan.name) != 0) {
        return;
    }
    e->plan.value_names = e->plan.value_kind == own->value_kind ? own->value_names : NULL;
    for (uint32_t i = 0; i < e->plan.field_count && i < own->field_count; i++) {
        bool is_same = strcmp(fields[i].name, own->fields[i].name) == 0 &&
                       fields[i].kind == own->fields[i].kind;
        fields[i].names = is_same ? own->fields[i].names : NULL;
    }
}

enum sl_result schema_parse(const char *json, size_t size, struct schema **out)
{
    struct schema *s = sl_alloc(sizeof *s);
    struct parser p = {.at = json, .end = json + size, .schema = s};
    if (s != NULL) {
        s->texts = sl_alloc(size + 1);
    }
    if (s == NULL || s->texts == NULL) {
        schema_destroy(s);
        return SL_ERR_NOMEM;
    }
    XXH128_hash_t hash = XXH3_128bits(json, size);
    memcpy(s->hash, &hash, sizeof s->hash);
    skip(&p, '{');
    key(&p, "schema");
    p.failed = number(&p, UINT32_MAX - 1) != 1 || p.failed;
    skip(&p, ',');
    read_list(&p, "gl", read_gl);
    skip(&p, ',');
    read_list(&p, "vulkan", read_vulkan);
    skip(&p, '}');
    if (p.failed) {
        schema_destroy(s);
        return SL_ERR_PROTOCOL;
    }
    for (uint32_t i = 0; i < s->count; i++) {
        name_values(s, &s->entries[i]);
    }
    if (s->count != 0) {
        qsort(s->entries, s->count, sizeof *s->entries, by_opcode);
    }
    *out = s;
    return SL_OK;
}

bool schema_own_hash(uint8_t hash[16])
{
    size_t size;
    char *own = schema_text(&size);
    XXH128_hash_t found = own != NULL ? XXH3_128bits(own, size) : (XXH128_hash_t){0};
    memcpy(hash, &found, sizeof found);
    sl_free(own);
    return own != NULL;
}

static bool is_own(const uint8_t hash[16])
{
    uint8_t own[16];
    return schema_own_hash(own) && memcmp(own, hash, sizeof own) == 0;
}

static enum sl_result take(const struct cap_payload *payload, struct schema **out)
{
    struct cap_prot_head head;
    if (payload->size < sizeof head) {
        return SL_ERR_PROTOCOL;
    }
    memcpy(&head, payload->data, sizeof head);
    if (head.json_size > payload->size - sizeof head) {
        return SL_ERR_PROTOCOL;
    }
    return is_own(head.hash)
               ? SL_OK
               : schema_parse((const char *)payload->data + sizeof head, head.json_size, out);
}

enum sl_result schema_read(struct cap_reader *reader, struct schema **out)
{
    struct cap_payload payload = {0};
    enum cap_damage_kind why;
    enum sl_result result = SL_OK;
    *out = NULL;
    /* It is among the first three, or there is none. */
    for (uint32_t i = 0; i < reader->chunk_count && i < 3; i++) {
        if (reader->chunks[i].kind == CAP_KIND_PROT) {
            result = cap_reader_load(reader, &reader->chunks[i], &payload, &why);
            result = result == SL_OK ? take(&payload, out) : result;
        }
    }
    cap_payload_finish(&payload);
    return result;
}

void schema_destroy(struct schema *schema)
{
    if (schema != NULL) {
        sl_free(schema->entries);
        sl_free(schema->fields);
        sl_free(schema->texts);
        sl_free(schema);
    }
}

const uint8_t *schema_hash(const struct schema *schema)
{
    return schema->hash;
}

/* --- asking --- */

static struct schema_command find_own(uint32_t opcode)
{
    const struct plan_command *plan = plan_find_any(opcode);
    const struct vk_plan_command *vk = plan == NULL ? vk_plan_find(&vk_plan, opcode) : NULL;
    return (struct schema_command){.name = plan != NULL ? plan->name
                                           : vk != NULL ? vk->name
                                                        : NULL,
                                   .plan = plan,
                                   .vk = vk != NULL ? &vk_plan : NULL};
}

struct schema_command schema_find(const struct schema *schema, uint32_t opcode)
{
    if (schema == NULL) {
        return find_own(opcode);
    }
    const struct entry wanted = {.opcode = opcode};
    const struct entry *e =
        bsearch(&wanted, schema->entries, schema->count, sizeof wanted, by_opcode);
    if (e == NULL) {
        return (struct schema_command){.name = NULL};
    }
    return (struct schema_command){.name = e->plan.name,
                                   .plan = e->is_vulkan ? NULL : &e->plan,
                                   .vk = e->is_vulkan && e->is_known ? &vk_plan : NULL};
}

bool schema_is_same(const struct schema *schema, uint32_t opcode)
{
    struct schema_command theirs = schema_find(schema, opcode), ours = find_own(opcode);
    if (schema == NULL || theirs.vk != NULL) {
        return true;
    }
    const struct plan_command *a = theirs.plan, *b = ours.plan;
    if (a == NULL || b == NULL || strcmp(a->name, b->name) != 0 ||
        a->field_count != b->field_count || a->has_value != b->has_value ||
        (a->has_value && a->value_prim != b->value_prim) || a->trailing != b->trailing) {
        return false;
    }
    for (uint32_t i = 0; i < a->field_count; i++) {
        if (a->fields[i].step != b->fields[i].step || a->fields[i].prim != b->fields[i].prim) {
            return false;
        }
    }
    return true;
}
