/* The straight-line code and the table form agree: on a million random vectors over every command,
 * and on what they refuse of damaged packets. */
#include "tests/support/slt.h"
#include "tests/wire/apis.h"
#include "tests/wire/values.h"

#include <stdlib.h>
#include <string.h>

/* 802 of gfxstream's, 6 of renderControl of our own, 76 of GLES that have no upstream number. */
enum { COMMANDS = 802 + 10 + 80 };
enum { VECTORS = 1000000, MUTATIONS = 400000, SUM = 8 };

struct world {
    struct sl_pack_mem mem;
    struct sl_arena arena;
    struct plan_vector vector;
    uint8_t *encoded;
    size_t encoded_room;
    uint64_t state;
};

static void world_init(struct world *w)
{
    sl_pack_mem_init(&w->mem);
    sl_arena_init(&w->arena, 64u << 20);
    w->vector.pool = malloc(PLAN_POOL_SIZE);
    w->encoded_room = (size_t)PLAN_FIELDS_MAX * PLAN_POOL_SIZE;
    w->encoded = malloc(w->encoded_room);
    w->state = 20261121;
    for (size_t i = 0; i < PLAN_POOL_SIZE; i++) {
        w->vector.pool[i] = (uint8_t)plan_random(&w->state);
    }
}

static void world_finish(struct world *w)
{
    free(w->vector.pool);
    free(w->encoded);
    sl_arena_finish(&w->arena);
    sl_pack_mem_finish(&w->mem);
}

SLT_FIXTURE(agree, struct world, world_init, world_finish);

/* The n-th command of all; walks every API's every command in turn. */
static const struct wire_api *command_at(uint32_t n, uint32_t *index)
{
    for (int i = 0;; i = (i + 1) % WIRE_APIS) {
        if (n < wire_apis[i].plan->count) {
            *index = n;
            return &wire_apis[i];
        }
        n -= wire_apis[i].plan->count;
    }
}

static void one_vector(struct world *w, const struct wire_api *api, uint32_t index)
{
    const struct plan_command *c = &api->plan->commands[index];
    uint32_t opcode = api->plan->first_opcode + index;
    struct plan_framing framing = {.tail = w->state & 1 ? SUM : 0};
    SLT_SCOPE("%s, %s checksum", c->name, framing.tail != 0 ? "with" : "without");
    if (w->state & 2) {
        plan_vector_make(c, PLAN_POOL_SIZE, &w->state, &w->vector);
    } else {
        plan_vector_fit(c, PLAN_POOL_SIZE, &w->state, &w->vector);
    }
    framing.count = w->mem.pack.sum_count;
    w->mem.pack.cur = w->mem.data;
    w->mem.pack.tail = framing.tail;
    api->adapters[index].pack(&w->mem.pack, w->vector.values);
    size_t packed = (size_t)(w->mem.pack.cur - w->mem.data);
    size_t size =
        plan_encode(api->plan, opcode, w->vector.values, &framing, w->encoded, w->encoded_room);
    SLT_ASSERT_EQ(size, packed);
    SLT_ASSERT_MEMEQ(w->encoded, w->mem.data, size);

    struct plan_value values[PLAN_FIELDS_MAX];
    size_t used = 0, body = size - PLAN_HEADER_SIZE - framing.tail - c->trailing;
    SLT_ASSERT_OK(plan_decode(c, w->encoded + PLAN_HEADER_SIZE, body, values, &used));
    SLT_ASSERT_EQ(body, used);
    wire_expect_values(c, w->vector.values, values, "table");
    struct sl_unpack u = {.cur = w->encoded + PLAN_HEADER_SIZE,
                          .end = w->encoded + PLAN_HEADER_SIZE + body,
                          .arena = &w->arena};
    SLT_ASSERT_TRUE(api->adapters[index].unpack(&u, values));
    SLT_ASSERT_EQ(u.end, u.cur);
    wire_expect_values(c, w->vector.values, values, "straight line");
    sl_arena_reset(&w->arena);
}

SLT_TEST_F(agree, on_a_million_vectors_of_every_command, w)
{
    SLT_TIMEOUT(240);
    uint32_t commands = 0, index;
    for (int i = 0; i < WIRE_APIS; i++) {
        commands += wire_apis[i].plan->count;
    }
    SLT_ASSERT_EQ((uint32_t)COMMANDS, commands);
    for (uint32_t n = 0; n < VECTORS; n++) {
        const struct wire_api *api = command_at(n % commands, &index);
        one_vector(w, api, index);
    }
}

/* A body of its own allocation: a sanitizer sees the first byte read past it. */
static void one_damaged(struct world *w, const struct wire_api *api, uint32_t index)
{
    const struct plan_command *c = &api->plan->commands[index];
    static const struct plan_framing plain = {0};
    plan_vector_fit(c, 200, &w->state, &w->vector);
    size_t size = plan_encode(api->plan, api->plan->first_opcode + index, w->vector.values, &plain,
                              w->encoded, w->encoded_room);
    size = plan_mutate(w->encoded, size, &w->state);
    size_t body = size > PLAN_HEADER_SIZE ? size - PLAN_HEADER_SIZE : 0;
    uint8_t *exact = memcpy(malloc(body + 1), w->encoded + (size - body), body);
    exact = realloc(exact, body != 0 ? body : 1);
    struct plan_value table[PLAN_FIELDS_MAX], line[PLAN_FIELDS_MAX];
    size_t used = 0;
    struct sl_unpack u = {.cur = exact, .end = exact + body, .arena = &w->arena};
    bool by_table = plan_decode(c, exact, body, table, &used) == SL_OK;
    bool by_line = api->adapters[index].unpack(&u, line);
    SLT_SCOPE("%s, %zu bytes of body", c->name, body);
    SLT_EXPECT_EQ(by_table, by_line);
    if (by_table && by_line) {
        SLT_EXPECT_EQ(used, (size_t)(u.cur - exact));
        wire_expect_values(c, table, line, "damaged");
    }
    sl_arena_reset(&w->arena);
    free(exact);
}

SLT_TEST_F(agree, on_what_they_refuse, w)
{
    SLT_TIMEOUT(240);
    uint32_t index;
    for (uint32_t n = 0; n < MUTATIONS; n++) {
        const struct wire_api *api = command_at(n % COMMANDS, &index);
        one_damaged(w, api, index);
    }
}
