/* Upstream's bytes. Every packet of the golden files is packed by the generated code from the
 * arguments that upstream was asked to send, to exactly those bytes, and read back by the generated
 * readers and by table to exactly those arguments. What upstream's own wrappers made of a program's
 * calls (gles2-wrappers) names no arguments: it is read and packed again. What was read is kept as
 * text beside the call, for people to compare. */
#include "tests/support/slt.h"
#include "tests/wire/apis.h"
#include "tests/wire/golden_args.h"
#include "tests/wire/values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1 << 16, SUM = 8 };

struct golden_file {
    const char *label;
    bool args;                       /* it names its packets' arguments */
    uint32_t lines, packets, broken; /* as many as it must have, so that none is passed over */
};

static const struct golden_file golden_files[] = {{"gles1", true, 18, 31, 0},
                                                  {"gles2", true, 74, 74, 0},
                                                  {"rendercontrol", true, 54, 54, 0},
                                                  {"gles2-wrappers", false, 77, 144, 1}};

/* The one packet that upstream breaks: of a depth-1 upload with an image height it declares more
 * pixel bytes than it sends (facts, T11), so that the next packet is taken for pixels. */
static const char broken_packet[] =
    "glTexImage3D(GL_TEXTURE_3D, 0, GL_RGBA8, 2, 2, depth 1, ...) [row length 3, image height 3: "
    "upstream declares 36 pixel bytes but sends 24 -- broken packet, do not copy]";

struct world {
    struct sl_pack_mem mem;
    struct sl_arena arena;
    char *line, *call, *hex;
    uint8_t *bytes, *reply, *encoded, *inputs;
    FILE *in, *out;
    char *text;
    size_t text_size;
    uint32_t packets, broken;
};

static void world_init(struct world *w)
{
    sl_pack_mem_init(&w->mem);
    sl_arena_init(&w->arena, 1u << 20);
    w->line = malloc(LINE_MAX_BYTES);
    w->call = malloc(LINE_MAX_BYTES);
    w->hex = malloc(LINE_MAX_BYTES);
    w->bytes = malloc(LINE_MAX_BYTES);
    w->reply = malloc(LINE_MAX_BYTES);
    w->encoded = malloc(LINE_MAX_BYTES);
    w->inputs = malloc(LINE_MAX_BYTES);
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
    free(w->hex);
    free(w->bytes);
    free(w->reply);
    free(w->encoded);
    free(w->inputs);
    sl_arena_finish(&w->arena);
    sl_pack_mem_finish(&w->mem);
}

SLT_FIXTURE(golden, struct world, world_init, world_finish);

/* One packet, its checksum included, and what is known of its arguments. */
struct packet {
    uint8_t *bytes;
    size_t size;
    const struct wire_api *api;
    const struct plan_command *command;
    const struct plan_adapter *adapter;
    const struct plan_value *args; /* NULL: unknown */
};

static struct packet packet_at(uint8_t *bytes, size_t left)
{
    SLT_ASSERT_LE((size_t)PLAN_HEADER_SIZE, left);
    struct packet p = {.bytes = bytes, .size = sl_load_u32(bytes + 4)};
    uint32_t opcode = sl_load_u32(bytes);
    p.api = wire_api_of(opcode);
    SLT_ASSERT_TRUE(p.api != NULL);
    p.command = plan_find(p.api->plan, opcode);
    p.adapter = &p.api->adapters[opcode - p.api->plan->first_opcode];
    return p;
}

/* Arguments as a reader gives them: cut to their size on the wire. */
static void cut_args(const struct plan_command *c, const struct plan_value *args,
                     struct plan_value *cut)
{
    for (uint8_t i = 0; i < c->field_count; i++) {
        cut[i] = args[i];
        if (c->fields[i].step == PLAN_SCALAR) {
            cut[i].bits = plan_cut(args[i].bits, c->fields[i].prim);
        }
    }
}

static void check_packet(struct world *w, const struct packet *p, struct plan_framing *framing)
{
    const struct plan_command *c = p->command;
    SLT_SCOPE("%s, %zu bytes", c->name, p->size);
    size_t body = p->size - PLAN_HEADER_SIZE - framing->tail - c->trailing;
    /* Upstream never writes these bytes, though it counts them: what lay in its buffer goes out. */
    memset(p->bytes + p->size - c->trailing, 0, c->trailing);

    struct plan_value line[PLAN_FIELDS_MAX], table[PLAN_FIELDS_MAX], cut[PLAN_FIELDS_MAX];
    size_t used = 0;
    struct sl_unpack u = {.cur = p->bytes + PLAN_HEADER_SIZE,
                          .end = p->bytes + PLAN_HEADER_SIZE + body,
                          .arena = &w->arena};
    SLT_ASSERT_TRUE(p->adapter->unpack(&u, line));
    SLT_EXPECT_EQ(u.end, u.cur); /* nothing is left over */
    SLT_ASSERT_OK(plan_decode(c, p->bytes + PLAN_HEADER_SIZE, body, table, &used));
    SLT_EXPECT_EQ(body, used);
    const struct plan_value *args = p->args != NULL ? p->args : line;
    cut_args(c, args, cut);
    wire_expect_values(c, cut, line, "straight line");
    wire_expect_values(c, cut, table, "table");

    w->mem.pack.cur = w->mem.data;
    w->mem.pack.tail = framing->tail;
    w->mem.pack.sum_count = framing->count;
    p->adapter->pack(&w->mem.pack, args);
    SLT_ASSERT_EQ(p->size, (size_t)(w->mem.pack.cur - w->mem.data));
    SLT_ASSERT_MEMEQ(p->bytes, w->mem.data, p->size);
    SLT_ASSERT_EQ(p->size, plan_encode(p->api->plan, sl_load_u32(p->bytes), args, framing,
                                       w->encoded, LINE_MAX_BYTES));
    SLT_ASSERT_MEMEQ(p->bytes, w->encoded, p->size);
    sl_arena_reset(&w->arena);
    w->packets++;
}

/* Bytes of the reply that the packet asks for. */
static size_t reply_size(const struct plan_command *c, const struct plan_value *values,
                         const struct plan_framing *framing)
{
    size_t size = c->has_value ? plan_prim_size(c->value_prim) : 0;
    bool replies = c->has_value;
    for (uint8_t i = 0; i < c->field_count; i++) {
        replies = replies || c->fields[i].step == PLAN_OUT_LENGTH;
        size += c->fields[i].step == PLAN_OUT_LENGTH ? values[i].size : 0;
    }
    return size + (replies ? framing->tail : 0);
}

/* Prints the packet with its part of the reply; returns the bytes of that. */
static size_t print_packet(struct world *w, const struct packet *p,
                           const struct plan_framing *framing, const uint8_t *reply, size_t given)
{
    struct plan_value values[PLAN_FIELDS_MAX];
    size_t used, size = p->size - framing->tail - p->command->trailing;
    fputs("  ", w->out);
    plan_print(p->command, NULL, p->bytes, size, reply, given, w->out);
    fputc('\n', w->out);
    SLT_ASSERT_OK(plan_decode(p->command, p->bytes + PLAN_HEADER_SIZE, size - PLAN_HEADER_SIZE,
                              values, &used));
    return reply_size(p->command, values, framing);
}

/* Nobody takes it: neither reader finds the bytes that it declares. */
static void check_broken(struct world *w, const struct packet *p, size_t left)
{
    struct plan_value values[PLAN_FIELDS_MAX];
    size_t used, body = left - PLAN_HEADER_SIZE;
    SLT_EXPECT_LT(left, p->size);
    struct sl_unpack u = {
        .cur = p->bytes + PLAN_HEADER_SIZE, .end = p->bytes + left, .arena = &w->arena};
    SLT_EXPECT_TRUE(!p->adapter->unpack(&u, values));
    SLT_EXPECT_RESULT(SL_ERR_PROTOCOL,
                      plan_decode(p->command, p->bytes + PLAN_HEADER_SIZE, body, values, &used));
    fputs("  ", w->out);
    plan_print(p->command, NULL, p->bytes, left, NULL, 0, w->out);
    fputc('\n', w->out);
    w->broken++;
}

/* The packets of a line, which take its whole reply between them. */
static void check_packets(struct world *w, size_t size, struct plan_framing *framing, size_t given)
{
    const char *packets = golden_packets(w->line);
    size_t at = 0, answered = 0;
    struct plan_value args[PLAN_FIELDS_MAX];
    while (at < size) {
        struct packet p = packet_at(w->bytes + at, size - at);
        if (strcmp(w->call, broken_packet) == 0) {
            check_broken(w, &p, size - at);
            return;
        }
        SLT_ASSERT_LE(at + p.size, size);
        if (packets != NULL) {
            SLT_ASSERT_TRUE(golden_next(&packets, p.command, w->inputs, args));
            p.args = args;
        }
        check_packet(w, &p, framing);
        answered += print_packet(w, &p, framing, w->reply + answered, given - answered);
        SLT_ASSERT_LE(answered, given);
        at += p.size;
    }
    SLT_EXPECT_EQ(given, answered);
    if (packets != NULL) {
        SLT_EXPECT_TRUE(!golden_next(&packets, NULL, NULL, NULL));
    }
}

static void check_line(struct world *w)
{
    struct plan_framing framing = {0};
    SLT_ASSERT_TRUE(golden_member(w->line, "call", w->call));
    SLT_SCOPE("%s", w->call);
    fprintf(w->out, "%s\n", w->call);
    if (strstr(w->call, "[checksum v1") != NULL) {
        SLT_ASSERT_EQ(1,
                      sscanf(strstr(w->call, "write counter"), "write counter %u", &framing.count));
        framing.tail = SUM;
    }
    size_t given = 0;
    if (golden_member(w->line, "reply", w->hex)) {
        given = golden_unhex(w->hex, strlen(w->hex), w->reply);
    }
    SLT_ASSERT_TRUE(golden_member(w->line, "bytes", w->hex));
    check_packets(w, golden_unhex(w->hex, strlen(w->hex), w->bytes), &framing, given);
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
        SLT_ASSERT_EQ(file->args, golden_packets(w->line) != NULL);
        check_line(w);
    }
    SLT_EXPECT_EQ(file->lines, lines);
    SLT_EXPECT_EQ(file->packets, w->packets);
    SLT_EXPECT_EQ(file->broken, w->broken);
    fflush(w->out);
    snprintf(name, sizeof name, "%s.txt", file->label);
    SLT_GOLDEN(name, w->text);
}
