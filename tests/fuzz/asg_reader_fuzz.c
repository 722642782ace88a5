/* The ring's host end against a guest that writes what it likes into the shared pages, between any
 * two of our looks at them.
 *
 * An input begins with the ring's sizes, right ones or wrong; then it is a row of actions: poke a
 * word of the pages (the words that exist, mostly), add a descriptor, write a large transfer, fill
 * the buffer, take bytes, send a reply, wait. All memory is exactly as large as it should be, and
 * new for each input. */
#include "asg/reader.h"
#include "transport/base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { SIZES = 4, ACTION = 9, TAKE_MAX = 1 << 17, REPLY_MAX = 100000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t words[] = {0,    4,    8,    64,   2176, 2180, 2184, 2188,
                                 2192, 2196, 2200, 2204, 2560, 2624, 2688, 2692};

struct guest {
    struct asg_reader reader;
    uint8_t *memory;
    uint32_t buffer; /* bytes */
};

static void need(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void *new_bytes(size_t size)
{
    void *p = calloc(1, size != 0 ? size : 1);
    need(p != NULL);
    return p;
}

static void descriptor(struct guest *g, uint32_t offset, uint32_t length)
{
    uint32_t pos = sl_load_u32(g->memory + 8);
    uint8_t *at = g->memory + 128 + (pos & (ASG_DESC_RING - 8));
    sl_store_u32(at, offset);
    sl_store_u32(at + 4, length);
    sl_store_u32(g->memory + 8, pos + 8);
}

/* Type 3, or what looks like it: the mode, and so many bytes of the large ring more. */
static void large(struct guest *g, uint32_t mode, uint32_t length)
{
    uint8_t *write_pos = g->memory + ASG_PAGE + 8;
    sl_store_u32(g->memory + 2196, mode);
    sl_store_u32(write_pos, sl_load_u32(write_pos) + length);
}

static enum sl_result take(struct guest *g, uint32_t capacity)
{
    uint8_t *to = new_bytes(capacity);
    size_t got = 0;
    enum sl_result result = asg_reader_take(&g->reader, to, capacity, &got);
    need(got <= capacity && (result != SL_OK || got != 0));
    free(to);
    return result;
}

static enum sl_result reply(struct guest *g, uint32_t size)
{
    uint8_t *from = new_bytes(size);
    enum sl_result result = asg_reader_reply(&g->reader, from, size);
    free(from);
    return result;
}

/* False: the ring is over, as the reader says. */
static bool act(struct guest *g, const uint8_t *a)
{
    uint32_t x = sl_load_u32(a + 1), y = sl_load_u32(a + 5);
    enum sl_result result = SL_OK;
    switch (a[0] % 8) {
    case 0: /* small values are modes, states and flags */
        sl_store_u32(g->memory + (x >> 8) % 3 * ASG_PAGE + words[x % 16], x >> 31 ? y : y % 8);
        break;
    case 1:
        descriptor(g, x, y);
        break;
    case 2:
        descriptor(g, x % g->buffer, y % 4096);
        break;
    case 3:
        memset(g->memory + ASG_RING_BYTES + x % (g->buffer - 256), a[5], 256);
        break;
    case 4:
        result = take(g, y % TAKE_MAX);
        break;
    case 5:
        result = reply(g, y % REPLY_MAX);
        break;
    case 6:
        large(g, x % 4 == 0 ? x : x % 2 == 0 ? 1 : 3, y % g->buffer);
        break;
    case 7:
        result = asg_reader_wait(&g->reader); /* stop is set: it does not last */
        result = result == SL_ERR_CLOSED ? SL_OK : result;
        break;
    }
    return result == SL_OK || result == SL_ERR_AGAIN;
}

/* What asg_reader_init must say of such sizes. */
static bool sizes_fit(const struct asg_reader_config *c)
{
    bool power = c->buffer_size != 0 && (c->buffer_size & (c->buffer_size - 1)) == 0;
    return power && c->flush_interval != 0 && c->flush_interval <= c->buffer_size / 2 &&
           c->buffer_size % c->flush_interval == 0 &&
           c->memory_size >= (uint64_t)ASG_RING_BYTES + c->buffer_size;
}

/* From 4 KiB to 1 MiB, in 2 to 64 steps; with a high last byte, not quite. */
static struct asg_reader_config sizes_of(const uint8_t *data)
{
    uint32_t buffer = 4096u << data[0] % 9;
    struct asg_reader_config c = {.memory_size = (uint64_t)ASG_RING_BYTES + buffer,
                                  .buffer_size = buffer,
                                  .flush_interval = buffer >> (1 + data[1] % 6)};
    if (data[3] < 0xf0) {
        return c;
    }
    if ((data[3] & 1) != 0) {
        c.buffer_size += data[2];
    }
    if ((data[3] & 2) != 0) {
        c.flush_interval -= data[2];
    }
    if ((data[3] & 4) != 0) {
        c.memory_size -= data[2];
    }
    if ((data[3] & 8) != 0) {
        c.flush_interval *= 2;
    }
    return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t stop = 1; /* no wait lasts */
    struct guest g = {.memory = NULL};
    if (size < SIZES) {
        return 0;
    }
    struct asg_reader_config config = sizes_of(data);
    config.stop = &stop;
    g.buffer = config.buffer_size;
    g.memory = aligned_alloc(ASG_PAGE, (config.memory_size + ASG_PAGE - 1) / ASG_PAGE * ASG_PAGE);
    need(g.memory != NULL);
    config.memory = g.memory;
    enum sl_result made = asg_reader_init(&g.reader, &config);
    need((made == SL_OK) == sizes_fit(&config));
    data += SIZES;
    size -= SIZES;
    for (; made == SL_OK && size >= ACTION && act(&g, data); size -= ACTION) {
        data += ACTION;
    }
    free(g.memory);
    return 0;
}
