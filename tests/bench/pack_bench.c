/* What the wire's code costs: packing and unpacking a packet of every command, ns, as one JSON
 * object.
 *
 * Through the adapters of build/gen/check, so that one loop drives all; their call is in the
 * figures. Data of 64 bytes at most. */
#include "tests/bench/bench.h"
#include "tests/wire/apis.h"
#include "transport/base/clock.h"
#include "transport/base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS   5
#define TURNS    2000u
#define DATA     64u
#define COMMANDS 4096u
#define HEADER   8u

struct bench {
    struct sl_pack_mem mem;
    struct sl_arena arena;
    struct plan_vector vector;
    uint64_t state;
    double pack_ns[COMMANDS], unpack_ns[COMMANDS], both_ns[COMMANDS];
    uint32_t count;
    const char *slowest;
    double slowest_ns;
};

static double pack_round(struct bench *b, const struct plan_adapter *adapter)
{
    uint64_t begin = sl_clock_ns();
    for (uint32_t i = 0; i < TURNS; i++) {
        b->mem.pack.cur = b->mem.data;
        adapter->pack(&b->mem.pack, b->vector.values);
    }
    return (double)(sl_clock_ns() - begin) / TURNS;
}

static double unpack_round(struct bench *b, const struct plan_adapter *adapter,
                           const struct plan_command *command)
{
    struct plan_value values[PLAN_FIELDS_MAX];
    const uint8_t *end = b->mem.pack.cur - command->trailing;
    uint64_t begin = sl_clock_ns();
    for (uint32_t i = 0; i < TURNS; i++) {
        struct sl_unpack body = {.cur = b->mem.data + HEADER, .end = end, .arena = &b->arena};
        if (!adapter->unpack(&body, values)) {
            fprintf(stderr, "pack_bench: %s does not take its own packet\n", command->name);
            exit(1);
        }
        if (b->arena.total != 0) {
            sl_arena_reset(&b->arena);
        }
    }
    return (double)(sl_clock_ns() - begin) / TURNS;
}

/* The best round of each: what disturbs it only adds. */
static void bench_command(struct bench *b, const struct plan_adapter *adapter,
                          const struct plan_command *command)
{
    double pack = 1e12, unpack = 1e12;
    plan_vector_fit(command, DATA, &b->state, &b->vector);
    for (int round = 0; round < ROUNDS; round++) {
        double ns = pack_round(b, adapter);
        pack = ns < pack ? ns : pack;
        ns = unpack_round(b, adapter, command);
        unpack = ns < unpack ? ns : unpack;
    }
    b->pack_ns[b->count] = pack;
    b->unpack_ns[b->count] = unpack;
    b->both_ns[b->count++] = pack + unpack;
    if (pack + unpack > b->slowest_ns) {
        b->slowest_ns = pack + unpack;
        b->slowest = command->name;
    }
}

int main(void)
{
    static struct bench b = {.state = 20261121};
    sl_pack_mem_init(&b.mem);
    sl_arena_init(&b.arena, 1u << 20);
    b.vector.pool = calloc(1, PLAN_POOL_SIZE);
    if (b.vector.pool == NULL) {
        return 1;
    }
    for (int api = 0; api < WIRE_APIS; api++) {
        const struct plan_api *plan = wire_apis[api].plan;
        for (uint32_t i = 0; i < plan->count && b.count < COMMANDS; i++) {
            bench_command(&b, &wire_apis[api].adapters[i], &plan->commands[i]);
        }
    }
    printf("{\n  \"bench\": \"pack\", \"schema\": 1, \"commands\": %u,\n", b.count);
    printf("  \"pack_ns\": %.2f, \"unpack_ns\": %.2f, \"both_ns\": %.2f,\n",
           bench_median(b.pack_ns, b.count), bench_median(b.unpack_ns, b.count),
           bench_median(b.both_ns, b.count));
    printf("  \"slowest\": \"%s\", \"slowest_ns\": %.2f\n}\n", b.slowest, b.slowest_ns);
    sl_pack_mem_finish(&b.mem);
    sl_arena_finish(&b.arena);
    free(b.vector.pool);
    return 0;
}
