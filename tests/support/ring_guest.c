#include "tests/support/ring_guest.h"

#include "tests/support/slt.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"

#include <stdlib.h>
#include <string.h>

static void on_lost(void *user, struct hr_ring *ring, const char *reason)
{
    struct ring_guest *g = user;
    (void)ring;
    strncpy(g->reason, reason, sizeof g->reason - 1);
    (void)sl_atomic_add(&g->lost, 1);
}

static void on_gone(void *user)
{
    (void)sl_atomic_add(&((struct ring_guest *)user)->gone, 1);
}

static void wake(void *user)
{
    hr_ring_wake(((struct ring_guest *)user)->ring);
}

bool ring_guest_alive(void *user)
{
    return sl_atomic_load_acquire(&((struct ring_guest *)user)->lost) == 0;
}

void ring_guest_init(struct ring_guest *g, struct hr_config config, uint32_t preamble)
{
    g->memory = aligned_alloc(4096, ASG_BLOB_BYTES);
    memset(g->memory, 0, ASG_BLOB_BYTES);
    config.memory = g->memory;
    config.memory_size = ASG_BLOB_BYTES;
    config.user = g;
    config.lost = on_lost;
    config.gone = on_gone;
    SLT_ASSERT_OK(hr_ring_create(&config, &g->ring));
    const struct asg_writer_config writer = {.memory = g->memory,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .user = g,
                                             .ping = wake,
                                             .alive = ring_guest_alive};
    SLT_ASSERT_OK(asg_writer_init(&g->writer, &writer));
    asg_writer_raw(&g->writer, &preamble, 4);
}

void ring_guest_finish(struct ring_guest *g)
{
    sl_atomic_store_release(&g->release, 1);
    SLT_EXPECT_TRUE(hr_ring_destroy(g->ring));
    SLT_EXPECT_EQ(1u, sl_atomic_load_acquire(&g->gone));
    asg_writer_finish(&g->writer);
    free(g->memory);
}

void ring_guest_put(struct ring_guest *g, uint32_t opcode, uint32_t length, uint32_t value)
{
    uint8_t *p = sl_pack_begin(&g->writer.pack, 32);
    sl_store_u32(p, opcode);
    sl_store_u32(p + 4, length);
    sl_store_u32(p + 8, value);
    sl_pack_end(&g->writer.pack, p + 12, 12);
}

uint32_t ring_guest_ask(struct ring_guest *g, uint32_t opcode, uint32_t value)
{
    uint32_t got = 0;
    ring_guest_put(g, opcode, 12, value);
    SLT_EXPECT_OK(asg_writer_read(&g->writer, &got, 4));
    return got;
}

bool ring_guest_soon(const uint32_t *flag)
{
    for (int i = 0; i < 10000 && sl_atomic_load_acquire(flag) == 0; i++) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
    return sl_atomic_load_acquire(flag) != 0;
}

void ring_guest_echo(struct hr_call *call)
{
    uint32_t v = sl_unpack_u32(&call->in);
    sl_store_u32(sl_reply_room(call->reply, 4), v);
}

void ring_guest_hang(struct ring_guest *g)
{
    sl_atomic_store_release(&g->blocked, 1);
    while (sl_atomic_load_acquire(&g->release) == 0) {
        sl_clock_sleep_ns(SL_NS_PER_MS);
    }
}

void ring_guest_block(struct hr_call *call)
{
    ring_guest_hang(call->user);
}
