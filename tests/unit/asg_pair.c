#include "tests/unit/asg_pair.h"

#include "tests/support/slt.h"
#include "transport/base/atomic.h"

#include <stdlib.h>
#include <string.h>

static void on_ping(void *user)
{
    struct asg_pair *p = user;
    sl_atomic_add(&p->pings, 1);
    asg_reader_wake(&p->reader);
}

void asg_pair_read(struct asg_pair *p, uint64_t sleep_ns)
{
    const struct asg_reader_config config = {.memory = p->memory,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .flush_interval = ASG_STEP_BYTES,
                                             .stop = &p->stop,
                                             .reply_timeout_ns = 30 * SL_NS_PER_MS,
                                             .sleep_ns = sleep_ns};
    SLT_ASSERT_OK(asg_reader_init(&p->reader, &config));
}

void asg_pair_init(struct asg_pair *p)
{
    p->memory = aligned_alloc(4096, (ASG_BLOB_BYTES + 4095) & ~4095u);
    memset(p->memory, 0xa5, ASG_BLOB_BYTES); /* nothing relies on zeroed memory */
    p->to_host = (struct asg_page *)(void *)p->memory;
    p->large = (struct asg_page *)(void *)(p->memory + ASG_PAGE);
    p->from_host = (struct asg_page *)(void *)(p->memory + 2 * ASG_PAGE);
    p->buffer = p->memory + ASG_RING_BYTES;
    p->data = malloc(3 * ASG_PAIR_VIEW);
    p->got = malloc(3 * ASG_PAIR_VIEW);
    for (uint32_t i = 0; i < 3 * ASG_PAIR_VIEW; i++) {
        p->data[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    asg_pair_read(p, ASG_PAIR_NEVER_NS);
}

void asg_pair_write(struct asg_pair *p, bool shared_futex)
{
    const struct asg_writer_config config = {.memory = p->memory,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .shared_futex = shared_futex,
                                             .reply_futex = shared_futex,
                                             .user = p,
                                             .ping = on_ping,
                                             .sleep_ns = SL_NS_PER_MS};
    SLT_ASSERT_OK(asg_writer_init(&p->writer, &config));
    p->writer_made = true;
}

void asg_pair_finish(struct asg_pair *p)
{
    if (p->writer_made) {
        asg_writer_finish(&p->writer);
    }
    free(p->memory);
    free(p->data);
    free(p->got);
}

size_t asg_pair_take(struct asg_pair *p, size_t size)
{
    size_t total = 0, n = 0;
    while (total < size) {
        enum sl_result result = asg_reader_take(&p->reader, p->got + total, size - total, &n);
        if (result == SL_ERR_AGAIN) {
            break;
        }
        SLT_ASSERT_OK(result);
        total += n;
    }
    return total;
}

bool asg_pair_stock(struct asg_pair *p, uint32_t offset, uint32_t size)
{
    uint32_t pos = p->to_host->write_pos;
    const struct asg_descriptor desc = {offset, size};
    memcpy(p->to_host->descriptors + (pos & (ASG_DESC_RING - 1)), &desc, sizeof desc);
    sl_atomic_store_release(&p->to_host->write_pos, pos + 8);
    return sl_atomic_load_acquire(&p->to_host->host_state) != ASG_STATE_RENDERING;
}
