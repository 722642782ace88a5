/* What guests write into memory that they share with the host.
 *
 * Guests write without telling, and from processes whose page tables are not ours. One that shows
 * its page tables (transport/base/writes.h) is asked what it wrote; of others pages are compared
 * with a copy of what was recorded last. A resource is watched from its mapping on; what finds its
 * writes begins when it is first searched, and ends with the recording. Any thread; one lock. */
#ifndef HOST_CAP_MEMORY_H
#define HOST_CAP_MEMORY_H

#include "host/capture/cap_blobs.h"
#include "host/capture/cap_index_writer.h"
#include "transport/base/map.h"
#include "transport/base/writes.h"

#include <pthread.h>
#include <sys/uio.h>

#define CAP_PAGE        4096u
#define CAP_WATCHED_MAX (1u << 20)
#define CAP_WRITTEN_MAX 512u /* ranges of one look */

struct cap_memory {
    pthread_mutex_t lock;  /* guards the rest */
    struct sl_map watched; /* resource id -> struct cap_watched */
    struct cap_bytes pieces;
    uint8_t piece[CAP_PIECE_BYTES];
    struct sl_written written[CAP_WRITTEN_MAX];
    bool saves_all; /* snapshots have what is searched at transfers only, too */
    bool compares;  /* nothing is write-protected in the recording that runs */
};

/* When a resource is searched. */
enum cap_watch {
    CAP_WATCH_SUBMIT,   /* whenever its context is about to read memory */
    CAP_WATCH_TRANSFER, /* at transfers to the host only */
};

struct cap_resource {
    uint32_t id;
    uint32_t ctx_id;  /* who may read it; 0: every context */
    uint64_t blob_id; /* the context's; 0: none */
};

/* One recording's side of it. */
struct cap_memory_sink {
    struct cap_lane *lane; /* MEMW; locked here */
    struct cap_blobs *blobs;
    struct cap_writer_extra *extra;
    const uint32_t *over; /* atomic: not 0: the lanes are closed; looked at under the lock */
    uint64_t stamp;       /* before which the bytes must be there */
};

void cap_memory_init(struct cap_memory *memory);
void cap_memory_finish(struct cap_memory *memory);
/* bytes: of the resource, [size]; NULL: they are the guest's pages, to be given with
 * cap_memory_backing. A resource that is watched already is left as it is. NOMEM. */
enum sl_result cap_memory_watch(struct cap_memory *memory, const struct cap_resource *resource,
                                enum cap_watch when, const void *bytes, uint64_t size) SL_MUST_USE;
/* It is a file's, from `offset` on: what the file has nothing of is zeros, which need not be read
 * and with that be made. Borrows fd. */
void cap_memory_file(struct cap_memory *memory, uint32_t resource_id, int fd, uint64_t offset);
/* Its guest has it at that address, and is shown by `writes`, which is kept. */
void cap_memory_place(struct cap_memory *memory, uint32_t resource_id, struct sl_writes *writes,
                      uint64_t address);
/* Others may write to it, too, from now on. */
void cap_memory_share(struct cap_memory *memory, uint32_t resource_id);
/* Only the host writes to this blob from now on: it is not searched any more, and a snapshot has
 * what is in it then. */
void cap_memory_pass(struct cap_memory *memory, uint32_t ctx_id, uint64_t blob_id);
/* The guest's pages, borrowed until they are taken away with count 0. */
void cap_memory_backing(struct cap_memory *memory, uint32_t resource_id, const struct iovec *iov,
                        uint32_t count);
void cap_memory_forget(struct cap_memory *memory, uint32_t resource_id);
/* Returns when no search runs that began before. */
void cap_memory_settle(struct cap_memory *memory);
/* A recording begins. compares: it finds writes by comparison even where the guest could tell. */
void cap_memory_begin(struct cap_memory *memory, bool compares);
/* A recording is over: the next one knows nothing of what was recorded. */
void cap_memory_restart(struct cap_memory *memory);
/* Records what changed in all resources of a context that are searched at submits. */
void cap_memory_search(struct cap_memory *memory, uint32_t ctx_id,
                       const struct cap_memory_sink *sink);
/* The same of one resource. */
void cap_memory_search_one(struct cap_memory *memory, uint32_t resource_id,
                           const struct cap_memory_sink *sink);
/* The same of all that are searched at submits. */
void cap_memory_search_all(struct cap_memory *memory, const struct cap_memory_sink *sink);
/* Records a resource's bytes whole, but for zeros: what was recorded of them so far, or what is
 * there now where nothing was yet. */
void cap_memory_whole(struct cap_memory *memory, uint32_t resource_id,
                      const struct cap_memory_sink *sink);

#endif
