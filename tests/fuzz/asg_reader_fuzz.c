/* The ring's host end against a guest that writes what it likes into the shared pages, between any
 * two of our looks at them.
 *
 * An input is a row of actions: poke a word of the pages (the words that exist, mostly), add a
 * descriptor, fill the buffer, take bytes, send a reply. */
#include "asg/reader.h"
#include "transport/base/bytes.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint32_t words[] = {0,    4,    8,    64,   2176, 2180, 2184, 2188,
                                 2192, 2196, 2200, 2204, 2560, 2624, 2688, 2692};

static void descriptor(uint8_t *memory, uint32_t offset, uint32_t length)
{
    uint32_t pos = sl_load_u32(memory + 8);
    uint8_t *at = memory + 128 + (pos & (ASG_DESC_RING - 8));
    sl_store_u32(at, offset);
    sl_store_u32(at + 4, length);
    sl_store_u32(memory + 8, pos + 8);
}

/* One action of nine bytes. False: the ring is over, as the reader says. */
static bool act(struct asg_reader *r, uint8_t *memory, uint8_t *scratch, const uint8_t *a)
{
    uint32_t x = sl_load_u32(a + 1), y = sl_load_u32(a + 5);
    size_t got = 0;
    enum sl_result result = SL_OK;
    switch (a[0] % 6) {
    case 0:
        sl_store_u32(memory + (x >> 8) % 3 * ASG_PAGE + words[x % 16], y);
        break;
    case 1:
        descriptor(memory, x, y);
        break;
    case 2:
        descriptor(memory, x % ASG_BUFFER_BYTES, y % 4096);
        break;
    case 3:
        memset(memory + ASG_RING_BYTES + x % (ASG_BUFFER_BYTES - 256), a[5], 256);
        break;
    case 4:
        result = asg_reader_take(r, scratch, y % ASG_BUFFER_BYTES, &got);
        if (got > y % ASG_BUFFER_BYTES) {
            abort();
        }
        break;
    case 5:
        result = asg_reader_reply(r, scratch, y % 100000);
        break;
    }
    return result == SL_OK || result == SL_ERR_AGAIN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint32_t stop = 1; /* no wait lasts */
    static uint8_t scratch[ASG_BUFFER_BYTES];
    /* Exactly the blob: a byte past it is seen. */
    static uint8_t *memory;
    memory = memory != NULL ? memory : aligned_alloc(4096, ASG_BLOB_BYTES);
    const struct asg_reader_config config = {.memory = memory,
                                             .memory_size = ASG_BLOB_BYTES,
                                             .buffer_size = ASG_BUFFER_BYTES,
                                             .flush_interval = ASG_STEP_BYTES,
                                             .stop = &stop};
    struct asg_reader reader;
    if (memory == NULL || asg_reader_init(&reader, &config) != SL_OK) {
        abort();
    }
    for (; size >= 9 && act(&reader, memory, scratch, data); size -= 9) {
        data += 9;
    }
    return 0;
}
