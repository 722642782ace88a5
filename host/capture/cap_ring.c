#include "host/capture/cap_ring.h"

#include <string.h>

enum { SHARE = 4 }; /* parts in what is asked for */

void cap_ring_begin(struct cap_ring *ring, uint64_t offset)
{
    ring->parts[0] = (struct cap_ring_part){.offset = offset, .data = offset};
    ring->count = 1;
}

void cap_ring_add(struct cap_ring *ring, const struct cap_ring_part *part)
{
    ring->snapshots++;
    if (ring->parts[ring->count - 1].offset == part->offset) { /* the recording begins with it */
        ring->count--;
    }
    if (ring->count < CAP_RING_PARTS) { /* else the last part is a longer one */
        ring->parts[ring->count++] = *part;
    }
}

bool cap_ring_is_due(const struct cap_ring *ring, uint64_t size, uint64_t time)
{
    if (ring->count == 0) {
        return false;
    }
    const struct cap_ring_part *last = &ring->parts[ring->count - 1];
    return size - last->data >= ring->bytes / SHARE ||
           (ring->ns != 0 && time - last->time >= ring->ns / SHARE);
}

bool cap_ring_next_free(const struct cap_ring *ring, uint64_t size, uint64_t time, uint64_t *from,
                        uint64_t *to)
{
    if (ring->count < 2) {
        return false;
    }
    const struct cap_ring_part *second = &ring->parts[1];
    *from = ring->parts[0].offset;
    *to = second->offset;
    return size - *from > ring->bytes || (ring->ns != 0 && time - second->time >= ring->ns);
}

void cap_ring_drop(struct cap_ring *ring)
{
    ring->count--;
    memmove(&ring->parts[0], &ring->parts[1], ring->count * sizeof ring->parts[0]);
}
