/* Upstream's bytes: every packet of the golden files is taken apart by the generated readers, put
 * together again by the generated packers, and the same by table; what the readers saw is printed
 * and kept beside what upstream was asked to send, for people to compare. */
#include "tests/support/slt.h"
#include "tests/wire/apis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1 << 16, SUM = 8 };

struct golden_file {
    const char *label;
    uint32_t lines, packets; /* as many as it must have, so that none is passed over */
};

static const struct golden_file golden_files[] = {
    {"gles1", 18, 31}, {"gles2", 74, 74}, {"rendercontrol", 54, 54}};

struct world {
    struct sl_pack_mem mem;
    struct sl_arena arena;
    char *line, *call;
    uint8_t *bytes, *encoded;
    FILE *in, *out;
    char *text;
    size_t text_size;
    uint32_t packets;
};

static void world_init(struct world *w)
{
    sl_pack_mem_init(&w->mem);
    sl_arena_init(&w->arena, 1u << 20);
    w->line = malloc(LINE_MAX_BYTES);
    w->call = malloc(LINE_MAX_BYTES);
    w->bytes = malloc(LINE_MAX_BYTES);
    w->encoded = malloc(LINE_MAX_BYTES);
    w->out = open_memstream(&w->text, &w->text_size);
}

static void world_finish(struct world *w)
{
    if (w->in != NULL) {
        fclose(w->in);
    }
    fclose(w->out);
    free(w->text);
    free(w->line);
    free(w->call);
    free(w->bytes);
    free(w->encoded);
    sl_arena_finish(&w->arena);
    sl_pack_mem_finish(&w->mem);
}

SLT_FIXTURE(golden, struct world, world_init, world_finish);

/* The text of a member of the line's object, without its escapes; false: it has none. */
static bool member(const char *line, const char *name, char *out)
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

static size_t unhex(const char *text, uint8_t *out)
{
    size_t size = strlen(text) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;
        SLT_ASSERT_EQ(1, sscanf(text + 2 * i, "%2x", &byte));
        out[i] = (uint8_t)byte;
    }
    return size;
}

/* Reply bytes that the packet asks for, without a checksum. */
static size_t reply_size(const struct plan_command *c, const struct plan_value *values)
{
    size_t size = c->has_value ? plan_prim_size(c->value_prim) : 0;
    for (uint8_t i = 0; i < c->field_count; i++) {
        size += c->fields[i].step == PLAN_OUT_LENGTH ? values[i].size : 0;
    }
    return size;
}

/* One packet of `size` bytes, its checksum included. */
static void check_packet(struct world *w, uint8_t *packet, size_t size,
                         const struct plan_framing *framing)
{
    uint32_t opcode = sl_load_u32(packet);
    const struct wire_api *api = wire_api_of(opcode);
    SLT_SCOPE("opcode %u, %zu bytes", opcode, size);
    SLT_ASSERT_TRUE(api != NULL);
    const struct plan_command *c = plan_find(api->plan, opcode);
    const struct plan_adapter *adapter = &api->adapters[opcode - api->plan->first_opcode];
    size_t body = size - PLAN_HEADER_SIZE - framing->tail - c->trailing;
    memset(packet + size - c->trailing, 0, c->trailing); /* never written by upstream either */

    struct plan_value line[PLAN_FIELDS_MAX], table[PLAN_FIELDS_MAX];
    size_t used = 0;
    struct sl_unpack u = {.cur = packet + PLAN_HEADER_SIZE,
                          .end = packet + PLAN_HEADER_SIZE + body,
                          .arena = &w->arena};
    SLT_ASSERT_TRUE(adapter->unpack(&u, line));
    SLT_EXPECT_EQ(u.end, u.cur); /* nothing is left over */
    SLT_ASSERT_OK(plan_decode(c, packet + PLAN_HEADER_SIZE, body, table, &used));
    SLT_EXPECT_EQ(body, used);

    w->mem.pack.cur = w->mem.data;
    w->mem.pack.tail = framing->tail;
    w->mem.pack.sum_count = framing->count;
    adapter->pack(&w->mem.pack, line);
    SLT_ASSERT_EQ(size, (size_t)(w->mem.pack.cur - w->mem.data));
    SLT_ASSERT_MEMEQ(packet, w->mem.data, size);
    SLT_ASSERT_EQ(size, plan_encode(api->plan, opcode, table, framing, w->encoded, LINE_MAX_BYTES));
    SLT_ASSERT_MEMEQ(packet, w->encoded, size);
    w->packets++;
}

static void print_packet(struct world *w, const uint8_t *packet, size_t size,
                         const struct plan_framing *framing, const uint8_t *reply, size_t given)
{
    const struct plan_command *c =
        plan_find(wire_api_of(sl_load_u32(packet))->plan, sl_load_u32(packet));
    fputs("  ", w->out);
    plan_print(c, packet, size - framing->tail - c->trailing, reply, given, w->out);
    fputc('\n', w->out);
}

/* The reply is as long as the request says, its checksum aside. */
static void check_reply(const uint8_t *packet, const struct plan_framing *framing, size_t given)
{
    uint32_t opcode = sl_load_u32(packet);
    const struct plan_command *c = plan_find(wire_api_of(opcode)->plan, opcode);
    struct plan_value values[PLAN_FIELDS_MAX];
    size_t used;
    SLT_ASSERT_OK(plan_decode(c, packet + PLAN_HEADER_SIZE,
                              sl_load_u32(packet + 4) - PLAN_HEADER_SIZE, values, &used));
    size_t want = reply_size(c, values);
    SLT_EXPECT_EQ(want + (given != 0 ? framing->tail : 0), given);
}

static void check_line(struct world *w)
{
    SLT_ASSERT_TRUE(member(w->line, "call", w->call));
    SLT_SCOPE("%s", w->call);
    fprintf(w->out, "%s\n", w->call);
    struct plan_framing framing = {0};
    if (strstr(w->call, "[checksum v1") != NULL) {
        SLT_ASSERT_EQ(1,
                      sscanf(strstr(w->call, "write counter"), "write counter %u", &framing.count));
        framing.tail = SUM;
    }
    char *text = w->call; /* no longer needed as such; large enough for both */
    uint8_t *reply = w->bytes + LINE_MAX_BYTES / 2;
    bool replies = member(w->line, "reply", text);
    size_t given = replies ? unhex(text, reply) : 0;
    SLT_ASSERT_TRUE(member(w->line, "bytes", text));
    size_t size = unhex(text, w->bytes), at = 0;
    while (at < size) {
        SLT_ASSERT_LE(at + PLAN_HEADER_SIZE, size);
        uint32_t length = sl_load_u32(w->bytes + at + 4);
        SLT_ASSERT_LE(at + length, size);
        check_packet(w, w->bytes + at, length, &framing);
        print_packet(w, w->bytes + at, length, &framing, reply, given);
        at += length;
    }
    if (replies) {
        check_reply(w->bytes, &framing, given);
    }
}

SLT_TEST_FP(golden, bytes_are_upstreams, w, struct golden_file, golden_files, file)
{
    char name[64];
    snprintf(name, sizeof name, "golden/%s.jsonl", file->label);
    w->in = fopen(SLT_DATA(name), "r");
    SLT_ASSERT_TRUE(w->in != NULL);
    uint32_t lines = 0;
    while (fgets(w->line, LINE_MAX_BYTES, w->in) != NULL) {
        lines++;
        check_line(w);
    }
    SLT_EXPECT_EQ(file->lines, lines);
    SLT_EXPECT_EQ(file->packets, w->packets);
    fflush(w->out);
    snprintf(name, sizeof name, "%s.txt", file->label);
    SLT_GOLDEN(name, w->text);
}
