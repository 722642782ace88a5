#include "tools/sluice/info_needs.h"
#include "tools/sluice/calls.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/json.h"
#include "tools/sluice/say.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NEEDS_MAX 4096u
#define TEXT_MAX  96u

struct need {
    const char *kind;
    char text[TEXT_MAX];
    uint64_t call, frame; /* that names it first */
};

struct needs {
    struct need *list;
    uint32_t count;
    uint64_t call, frame; /* where the walk is */
};

static void add(struct needs *n, const char *kind, const char *text, size_t size)
{
    char copy[TEXT_MAX];
    snprintf(copy, sizeof copy, "%.*s", (int)size, text);
    for (uint32_t i = 0; i < n->count; i++) {
        if (n->list[i].kind == kind && strcmp(n->list[i].text, copy) == 0) {
            return;
        }
    }
    if (n->count < NEEDS_MAX) {
        struct need *need = &n->list[n->count++];
        *need = (struct need){.kind = kind, .call = n->call, .frame = n->frame};
        memcpy(need->text, copy, sizeof copy);
    }
}

static size_t word_size(const char *text)
{
    size_t size = 0;
    while (isalnum((unsigned char)text[size]) || text[size] == '_') {
        size++;
    }
    return size;
}

/* Its name says whose extension it is of. */
static bool is_of_extension(const char *name)
{
    static const char *const ends[] = {"KHR", "EXT",  "OES",     "NV",    "AMD",  "ARM",
                                       "IMG", "QCOM", "ANDROID", "INTEL", "APPLE"};
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        size_t end = strlen(ends[i]);
        if (size > end && strcmp(name + size - end, ends[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* A member's value behind "name = ". */
static const struct {
    const char *before, *kind;
} members[] = {{"memoryTypeIndex = ", "memory type"},
               {"queueFamilyIndex = ", "queue family"},
               {"internalformat = ", "format"},
               {"internalFormat = ", "format"},
               {"glVersion = ", "context version"}};

/* What is only asked for is not needed. */
static bool is_question(const char *name)
{
    return strncmp(name, "vkGetPhysicalDevice", 19) == 0 || strncmp(name, "vkEnumerate", 11) == 0;
}

static void look_at(struct needs *n, const char *name, const char *text)
{
    if (is_question(name)) {
        return;
    }
    if ((strncmp(name, "gl", 2) == 0 || strncmp(name, "vk", 2) == 0) && is_of_extension(name)) {
        add(n, "command", name, strlen(name));
    }
    for (const char *at = text; (at = strstr(at, "VK_FORMAT_")) != NULL; at += word_size(at)) {
        if (strncmp(at, "VK_FORMAT_FEATURE_", 18) != 0) {
            add(n, "format", at, word_size(at));
        }
    }
    bool creates = strcmp(name, "vkCreateInstance") == 0 || strcmp(name, "vkCreateDevice") == 0;
    for (const char *at = text; creates && (at = strstr(at, "\"VK_")) != NULL; at += 4) {
        add(n, "extension enabled", at + 1, word_size(at + 1));
    }
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const char *at = strstr(text, members[i].before);
        for (; at != NULL; at = strstr(at, members[i].before)) {
            at += strlen(members[i].before);
            add(n, members[i].kind, at, word_size(at));
        }
    }
}

static int walk(const char *path, struct cap_reader *reader, struct needs *n, struct calls *calls,
                const struct schema *schema)
{
    struct cap_merge *merge;
    struct cap_event event;
    struct cap_damage damage;
    enum sl_result result = cap_merge_create(reader, &merge);
    calls_set_schema(calls, schema);
    while (result == SL_OK && (result = cap_merge_next(merge, &event, &damage)) == SL_OK) {
        if (event.kind == CAP_EVENT_FRAME) {
            n->frame++;
        } else if (event.kind == CAP_EVENT_CALL) {
            const char *name = schema_find(schema, sl_load_u32(event.call.packet)).name;
            n->call = event.stamp;
            look_at(n, name != NULL ? name : "", calls_text(calls, &event));
        }
    }
    cap_merge_destroy(merge);
    if (result == SL_ERR_PROTOCOL) {
        trace_say_damage(&damage, n->frame);
        return SLUICE_EXIT_DAMAGED;
    }
    return result == SL_ERR_NOTFOUND ? SLUICE_EXIT_OK : trace_failed(path, reader, result);
}

static int by_kind(const void *left, const void *right)
{
    const struct need *a = left, *b = right;
    int order = strcmp(a->kind, b->kind);
    return order != 0 ? order : strcmp(a->text, b->text);
}

static void print(struct needs *n, bool json)
{
    if (n->count != 0) {
        qsort(n->list, n->count, sizeof *n->list, by_kind);
    }
    fputs(json ? "{\"schema\": 1, \"needs\": [" : "", stdout);
    for (uint32_t i = 0; i < n->count; i++) {
        const struct need *need = &n->list[i];
        if (!json) {
            printf("%-18s %-48s call %" PRIu64 ", frame %" PRIu64 "\n", need->kind, need->text,
                   need->call, need->frame);
            continue;
        }
        printf("%s\n  {\"kind\": \"%s\", \"name\": ", i != 0 ? "," : "", need->kind);
        json_text(stdout, need->text);
        printf(", \"call\": %" PRIu64 ", \"frame\": %" PRIu64 "}", need->call, need->frame);
    }
    fputs(json ? "]}\n" : "", stdout);
}

int info_needs(const char *path, struct cap_reader *reader, bool json)
{
    struct needs n = {.list = sl_alloc_array(NEEDS_MAX, sizeof *n.list)};
    struct calls *calls = calls_create(CALLS_TEXT, true, stdout);
    struct schema *schema = NULL;
    enum sl_result result =
        n.list != NULL && calls != NULL ? cap_reader_scan(reader) : SL_ERR_NOMEM;
    int code =
        result == SL_OK ? trace_schema(path, reader, &schema) : trace_failed(path, reader, result);
    if (code == SLUICE_EXIT_OK) {
        code = walk(path, reader, &n, calls, schema);
        print(&n, json);
    }
    schema_destroy(schema);
    calls_destroy(calls);
    sl_free(n.list);
    return code;
}
