/* Packing, and the thread that helps the writer's: it keeps memory ready for producers, and packs
 * beside it when much is on the way. */
#ifndef HOST_CAP_HELPER_H
#define HOST_CAP_HELPER_H

#include "host/capture/cap_index_writer.h"
#include "host/capture/cap_queue.h"

struct ZSTD_CCtx_s;

/* One thread's. */
struct cap_pack {
    struct ZSTD_CCtx_s *context;
    int level; /* what it is set to */
    struct cap_bytes bytes;
};

/* False: no memory. Finish it then, too. */
bool cap_pack_init(struct cap_pack *pack);
void cap_pack_finish(struct cap_pack *pack);
/* What is stored of the payload, valid until the next call, and its size. level: zstd's; 0: none.
 * NULL: it is stored as it is. */
const uint8_t *cap_pack(struct cap_pack *pack, int level, const uint8_t *payload, size_t size,
                        size_t *stored);

struct cap_helper {
    struct cap_queue *queue;
    int level;
    struct cap_pack pack;
    pthread_t thread;
    bool runs;
};

/* Borrows the queue until the end. level: zstd's, as long as nothing falls behind. Where it cannot
 * start, the writer is alone. */
void cap_helper_start(struct cap_helper *helper, struct cap_queue *queue, int level);
/* After cap_queue_end. */
void cap_helper_end(struct cap_helper *helper);

#endif
