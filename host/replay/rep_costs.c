/* What packets take, by their opcodes. */
#include "host/replay/rep_priv.h"

#include "transport/base/bytes.h"
#include "transport/base/clock.h"

static struct rep_cost *place_of(struct rep_cost *costs, uint32_t opcode)
{
    for (uint32_t i = 0; i < REP_COSTS; i++) {
        struct rep_cost *cost = &costs[(opcode * 2654435761u + i) % REP_COSTS];
        if (cost->count == 0 || cost->opcode == opcode) {
            return cost;
        }
    }
    return NULL;
}

static void add(struct rep_cost *costs, uint32_t opcode, uint64_t count, uint64_t ns)
{
    struct rep_cost *cost = place_of(costs, opcode);
    if (cost != NULL) {
        cost->opcode = opcode;
        cost->count += count;
        cost->ns += ns;
    }
}

void rep_cost_begin(struct rep_ring *ring, const void *packet)
{
    ring->opcode = sl_load_u32(packet);
    ring->began_ns = sl_clock_ns();
}

void rep_cost_end(struct rep_ring *ring)
{
    add(ring->costs, ring->opcode, 1, sl_clock_ns() - ring->began_ns);
}

uint32_t rep_costs(const struct rep *rep, struct rep_cost *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < REP_COSTS; i++) {
        out[i] = (struct rep_cost){.count = 0};
    }
    for (uint32_t i = 0; i < REP_RINGS; i++) {
        const struct rep_ring *ring = rep->rings[i];
        for (uint32_t k = 0; ring != NULL && ring->costs != NULL && k < REP_COSTS; k++) {
            if (ring->costs[k].count != 0) {
                add(out, ring->costs[k].opcode, ring->costs[k].count, ring->costs[k].ns);
            }
        }
    }
    for (uint32_t i = 0; i < REP_COSTS; i++) {
        if (out[i].count != 0) {
            out[count++] = out[i];
        }
    }
    return count;
}
