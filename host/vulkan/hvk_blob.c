/* Memory that crosses to the guest: pages, the blobs that wait to be created over them, and the
 * resources that a guest may import.
 *
 * Pages are memfds sealed against every change of size, mapped here once. Drivers get them as
 * imported host memory (hvk_memory.c), the guest as the blob's descriptor. */
#include "host/vulkan/hvk_family.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include "transport/base/arith.h"
#include "transport/base/atomic.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/map.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"

#define PAGE_SIZE 4096u
/* Blob ids of ours, when the guest leaves their choice to the host. */
#define OWN_IDS 0x80000000u
/* Most blobs announced and not created, and most resources attached. */
#define WAITING_MAX  65536u
#define ATTACHED_MAX 65536u
/* Blobs whose resources are not attached yet. */
#define CREATED 16u
/* Most memory objects of a context that have pages, and the part of the process's descriptors that
 * they may be: each has one, its blob another, and its resource a third. */
#define PIECES_MAX  16384u
#define PIECES_PART 4u

struct attached {
    int fd;
    uint64_t offset, size;
    /* A blob of ours, also when its memory object is gone: */
    uint32_t blob_id;
    struct hvk_birth *birth; /* a reference; nullable */
};

/* A blob that became a resource, until that is attached. */
struct created {
    uint64_t inode;
    uint32_t blob_id;
    struct hvk_birth *birth; /* a reference; NULL: free */
};

/* hvk_context.blobs. Ring threads publish and import, the device thread takes and attaches. */
struct blobs {
    pthread_mutex_t lock;   /* guards all below */
    struct sl_map waiting;  /* blob id -> struct hvk_pages, a reference each */
    struct sl_map attached; /* resource id -> struct attached */
    uint32_t last_own;
    struct created created[CREATED]; /* the latest */
    uint32_t next_created;
    /* What the context's own pages come to, in host pages and in pieces. Atomic. */
    uint32_t page_count, piece_count;
    uint32_t pieces_max;
};

static uint64_t inode_of(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) == 0 ? (uint64_t)stat.st_ino : 0;
}

/* --- pages --- */

static enum sl_result pages_over(int fd, uint64_t size, struct hvk_pages **out)
{
    struct hvk_pages *pages = sl_alloc(sizeof *pages);
    if (pages == NULL) {
        sl_fd_close(&fd);
        return SL_ERR_NOMEM;
    }
    *pages = (struct hvk_pages){.refs = 1, .fd = fd, .size = size};
    enum sl_result result = sl_shm_map(fd, size, &pages->pointer);
    if (result != SL_OK) {
        sl_fd_close(&pages->fd);
        sl_free(pages);
        return result == SL_ERR_PROTOCOL ? SL_ERR_INVALID : result;
    }
    *out = pages;
    return SL_OK;
}

static void refund(struct hvk_context *context, uint64_t size)
{
    if (context != NULL) {
        struct blobs *b = context->blobs;
        (void)sl_atomic_add(&b->page_count, 0u - (uint32_t)(size / PAGE_SIZE));
        (void)sl_atomic_add(&b->piece_count, UINT32_MAX);
    }
}

/* Whether `size` more bytes are still the context's share; then they are counted. */
static bool charge(struct hvk_context *context, uint64_t size, uint64_t limit)
{
    if (context == NULL) {
        return true;
    }
    struct blobs *b = context->blobs;
    limit = limit / PAGE_SIZE < UINT32_MAX / 2 ? limit / PAGE_SIZE : UINT32_MAX / 2;
    if (size / PAGE_SIZE > limit) {
        return false;
    }
    /* Under the turn: only refunds happen meanwhile. */
    uint32_t before = sl_atomic_add(&b->page_count, (uint32_t)(size / PAGE_SIZE));
    uint32_t pieces = sl_atomic_add(&b->piece_count, 1);
    if (before + (uint32_t)(size / PAGE_SIZE) > limit || pieces >= b->pieces_max) {
        refund(context, size);
        return false;
    }
    return true;
}

enum sl_result hvk_pages_create(struct hvk_context *context, uint64_t size, uint64_t limit,
                                struct hvk_pages **out)
{
    int fd = -1;
    if (size == 0 || size > INT64_MAX - PAGE_SIZE) {
        return SL_ERR_INVALID;
    }
    size = sl_round_up(size, PAGE_SIZE);
    if (!charge(context, size, limit)) {
        return SL_ERR_NOMEM;
    }
    enum sl_result result = sl_shm_create("sluice-vulkan", size, &fd);
    if (result == SL_OK) {
        result = pages_over(fd, size, out);
    }
    if (result == SL_OK) {
        (*out)->context = context;
    } else {
        refund(context, size);
    }
    return result;
}

struct hvk_pages *hvk_pages_ref(struct hvk_pages *pages)
{
    (void)sl_atomic_add(&pages->refs, 1);
    return pages;
}

void hvk_pages_unref(struct hvk_pages *pages)
{
    /* Sequentially consistent: every use before another's unref happens before the unmap here. */
    if (pages == NULL || sl_atomic_add(&pages->refs, UINT32_MAX) != 1) {
        return;
    }
    refund(pages->context, pages->size);
    hvk_birth_unref(pages->birth);
    sl_shm_unmap(pages->pointer, pages->size);
    sl_fd_close(&pages->fd);
    sl_free(pages);
}

/* --- blobs that wait --- */

enum sl_result hvk_blobs_init(struct hvk_context *context)
{
    struct blobs *b = sl_alloc(sizeof *b);
    if (b == NULL) {
        return SL_ERR_NOMEM;
    }
    struct rlimit limit;
    b->pieces_max = PIECES_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / PIECES_PART < PIECES_MAX) {
        b->pieces_max = (uint32_t)(limit.rlim_cur / PIECES_PART);
    }
    pthread_mutex_init(&b->lock, NULL);
    sl_map_init(&b->waiting, WAITING_MAX);
    sl_map_init(&b->attached, ATTACHED_MAX);
    context->blobs = b;
    return SL_OK;
}

static void attached_free(struct attached *a)
{
    if (a != NULL) {
        sl_fd_close(&a->fd);
        hvk_birth_unref(a->birth);
        sl_free(a);
    }
}

void hvk_blobs_finish(struct hvk_context *context)
{
    struct blobs *b = context->blobs;
    if (b == NULL) {
        return;
    }
    uint32_t cursor = 0;
    struct hvk_pages *pages;
    while ((pages = sl_map_next(&b->waiting, &cursor, NULL)) != NULL) {
        hvk_pages_unref(pages);
    }
    cursor = 0;
    struct attached *a;
    while ((a = sl_map_next(&b->attached, &cursor, NULL)) != NULL) {
        attached_free(a);
    }
    for (uint32_t i = 0; i < CREATED; i++) {
        hvk_birth_unref(b->created[i].birth);
    }
    sl_map_finish(&b->waiting);
    sl_map_finish(&b->attached);
    pthread_mutex_destroy(&b->lock);
    sl_free(b);
    context->blobs = NULL;
}

uint64_t hvk_blob_id_new(struct hvk_context *context)
{
    struct blobs *b = context->blobs;
    pthread_mutex_lock(&b->lock);
    b->last_own = (b->last_own + 1) & ~OWN_IDS;
    uint32_t id = OWN_IDS | b->last_own;
    pthread_mutex_unlock(&b->lock);
    return id;
}

bool hvk_blob_is_own(uint64_t blob_id)
{
    return (blob_id & OWN_IDS) != 0;
}

uint32_t hvk_blob_last(struct hvk_context *context)
{
    struct blobs *b = context->blobs;
    pthread_mutex_lock(&b->lock);
    uint32_t last = b->last_own;
    pthread_mutex_unlock(&b->lock);
    return last;
}

void hvk_blob_go_on(struct hvk_context *context, uint32_t last)
{
    struct blobs *b = context->blobs;
    pthread_mutex_lock(&b->lock);
    b->last_own = last & ~OWN_IDS;
    pthread_mutex_unlock(&b->lock);
}

uint64_t hvk_pages_inode(const struct hvk_pages *pages)
{
    return inode_of(pages->fd);
}

uint32_t hvk_blob_shared(struct hvk_context *context, struct hvk_shared *out, uint32_t room)
{
    struct blobs *b = context->blobs;
    uint32_t count = 0, cursor = 0;
    uint64_t key;
    const struct attached *a;
    pthread_mutex_lock(&b->lock);
    while ((a = sl_map_next(&b->attached, &cursor, &key)) != NULL) {
        if (count < room) {
            out[count] = (struct hvk_shared){.inode = inode_of(a->fd),
                                             .resource_id = (uint32_t)key,
                                             .blob_id = a->blob_id,
                                             .birth = a->birth};
        }
        count++;
    }
    pthread_mutex_unlock(&b->lock);
    return count;
}

enum sl_result hvk_blob_publish(struct hvk_context *context, uint64_t blob_id,
                                struct hvk_pages *pages)
{
    struct blobs *b = context->blobs;
    if (blob_id == 0 || blob_id > UINT32_MAX) {
        return SL_ERR_INVALID;
    }
    pthread_mutex_lock(&b->lock);
    const struct hvk_pages *there = sl_map_find(&b->waiting, (uint32_t)blob_id);
    enum sl_result result = SL_OK;
    if (there == NULL) {
        result = sl_map_add(&b->waiting, (uint32_t)blob_id, pages);
        if (result == SL_OK) {
            (void)hvk_pages_ref(pages);
        }
    } else if (there != pages) {
        result = SL_ERR_INVALID;
    }
    pthread_mutex_unlock(&b->lock);
    return result;
}

/* Gives the map's reference. */
static struct hvk_pages *take_waiting(struct blobs *b, uint64_t blob_id,
                                      const struct hvk_pages *only)
{
    struct hvk_pages *pages = NULL;
    pthread_mutex_lock(&b->lock);
    if (blob_id <= UINT32_MAX) {
        pages = sl_map_find(&b->waiting, (uint32_t)blob_id);
        if (pages != NULL && (only == NULL || pages == only)) {
            (void)sl_map_remove(&b->waiting, (uint32_t)blob_id);
        } else {
            pages = NULL;
        }
    }
    pthread_mutex_unlock(&b->lock);
    return pages;
}

void hvk_blob_withdraw(struct hvk_context *context, uint64_t blob_id, const struct hvk_pages *pages)
{
    hvk_pages_unref(take_waiting(context->blobs, blob_id, pages));
}

static void note_created(struct blobs *b, uint32_t blob_id, const struct hvk_pages *pages)
{
    if (pages->birth == NULL) {
        return;
    }
    pthread_mutex_lock(&b->lock);
    struct created *c = &b->created[b->next_created++ % CREATED];
    hvk_birth_unref(c->birth);
    *c = (struct created){
        .inode = inode_of(pages->fd), .blob_id = blob_id, .birth = hvk_birth_ref(pages->birth)};
    pthread_mutex_unlock(&b->lock);
}

/* The lock is held. The resource is one of those blobs: what is known of it goes with it. */
static void claim_created(struct blobs *b, struct attached *a)
{
    uint64_t inode = inode_of(a->fd);
    for (uint32_t i = 0; i < CREATED; i++) {
        struct created *c = &b->created[i];
        if (c->birth != NULL && c->inode == inode) {
            a->blob_id = c->blob_id;
            a->birth = c->birth;
            c->birth = NULL;
            return;
        }
    }
}

enum sl_result hvk_blob_take(struct hvk_context *context, uint64_t blob_id,
                             const struct vgd_blob_args *args, struct hct_memory *out)
{
    struct hvk_pages *pages = take_waiting(context->blobs, blob_id, NULL);
    if (pages == NULL) {
        sl_warn_limited("vulkan", "context %u: no memory waits for blob %llu", context->ctx_id,
                        (unsigned long long)blob_id);
        return SL_ERR_NOTFOUND;
    }
    struct hct_memory memory = {.fd = -1, .size = pages->size, .map_info = VIRTGPU_MAP_CACHED};
    enum sl_result result = SL_ERR_INVALID;
    if (args->size <= pages->size) {
        result = sl_fd_dup(pages->fd, &memory.fd);
    } else {
        sl_warn_limited("vulkan", "context %u: blob %llu: size %llu exceeds the memory's %llu",
                        context->ctx_id, (unsigned long long)blob_id,
                        (unsigned long long)args->size, (unsigned long long)pages->size);
    }
    if (result == SL_OK) {
        *out = memory;
        note_created(context->blobs, (uint32_t)blob_id, pages);
    }
    hvk_pages_unref(pages);
    return result;
}

/* --- resources to import --- */

enum sl_result hvk_resource_attach(struct hvk_context *context, uint32_t resource_id,
                                   const struct hct_memory *memory)
{
    struct blobs *b = context->blobs;
    if (memory == NULL || memory->fd < 0) {
        return SL_OK; /* guest pages: nothing that a driver could be given */
    }
    struct attached *a = sl_alloc(sizeof *a);
    if (a == NULL) {
        return SL_ERR_NOMEM;
    }
    *a = (struct attached){.fd = -1, .offset = memory->offset, .size = memory->size};
    enum sl_result result = sl_fd_dup(memory->fd, &a->fd);
    if (result == SL_OK) {
        pthread_mutex_lock(&b->lock);
        result = sl_map_add(&b->attached, resource_id, a);
        if (result == SL_OK) {
            claim_created(b, a);
        }
        pthread_mutex_unlock(&b->lock);
    }
    if (result != SL_OK) {
        attached_free(a);
    }
    return result == SL_ERR_INVALID ? SL_OK : result; /* attached twice */
}

void hvk_resource_detach(struct hvk_context *context, uint32_t resource_id)
{
    struct blobs *b = context->blobs;
    pthread_mutex_lock(&b->lock);
    struct attached *a = sl_map_remove(&b->attached, resource_id);
    pthread_mutex_unlock(&b->lock);
    attached_free(a);
}

enum sl_result hvk_resource_pages(struct hvk_context *context, uint32_t resource_id, uint64_t size,
                                  struct hvk_pages **out)
{
    struct blobs *b = context->blobs;
    enum sl_result result = SL_ERR_NOTFOUND;
    int fd = -1;
    uint64_t have = 0;
    pthread_mutex_lock(&b->lock);
    const struct attached *a = sl_map_find(&b->attached, resource_id);
    if (a != NULL) {
        /* Imported memory begins with its descriptor's first byte. */
        have = a->offset == 0 ? sl_round_up(a->size, PAGE_SIZE) : 0;
        result = size <= have ? sl_fd_dup(a->fd, &fd) : SL_ERR_INVALID;
    }
    pthread_mutex_unlock(&b->lock);
    return result == SL_OK ? pages_over(fd, have, out) : result;
}
