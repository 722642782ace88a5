#include "transport/vhost/vhost_queue.h"

#include "transport/base/fd.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

#include <string.h>

#define BUSY_WORDS (VIRTQ_SIZE_MAX / 32)

enum sl_result vhost_queue_init(struct vhost_queue *queue, uint32_t index)
{
    *queue = (struct vhost_queue){.index = index, .kick = -1, .call = -1, .err = -1};
    queue->busy = sl_alloc_array(BUSY_WORDS, sizeof *queue->busy);
    return queue->busy != NULL ? SL_OK : SL_ERR_NOMEM;
}

void vhost_queue_finish(struct vhost_queue *queue)
{
    if (queue->busy == NULL) {
        return; /* never set up */
    }
    sl_fd_close(&queue->kick);
    sl_fd_close(&queue->call);
    sl_fd_close(&queue->err);
    sl_free(queue->busy);
    queue->busy = NULL;
}

void vhost_queue_forget(struct vhost_queue *queue)
{
    memset(queue->busy, 0, BUSY_WORDS * sizeof *queue->busy);
    queue->in_flight = 0;
    queue->broken = false;
}

/* ---- where the rings are ---- */

bool vhost_queue_resolve(struct vhost_queue *queue, const struct vhost_memory *memory)
{
    queue->desc = NULL;
    queue->avail = NULL;
    queue->used = NULL;
    if (!queue->has_addr || queue->size == 0) {
        return false;
    }
    /* The event words behind the rings are there whether negotiated or not. */
    uint64_t n = queue->size;
    uint8_t *desc = vhost_memory_user(memory, queue->addr.desc, n * sizeof(struct virtq_desc));
    uint8_t *avail =
        vhost_memory_user(memory, queue->addr.avail, sizeof(struct virtq_avail) + n * 2 + 2);
    uint8_t *used =
        vhost_memory_user(memory, queue->addr.used,
                          sizeof(struct virtq_used) + n * sizeof(struct virtq_used_elem) + 2);
    if (desc == NULL || avail == NULL || used == NULL || (uintptr_t)desc % 16 != 0 ||
        (uintptr_t)avail % 2 != 0 || (uintptr_t)used % 4 != 0) {
        return false;
    }
    queue->desc = (struct virtq_desc *)(void *)desc;
    queue->avail = (struct virtq_avail *)(void *)avail;
    queue->used = (struct virtq_used *)(void *)used;
    return true;
}

bool vhost_queue_runs(const struct vhost_queue *queue)
{
    return queue->started && queue->enabled && !queue->broken && queue->desc != NULL;
}

/* Loads and stores of what the guest shares. */
static uint16_t load16(const uint16_t *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

/* Both sides write one word and then read another to see what the other wants: in one order for all
 * (Dekker), so sequentially consistent. Plain fences would do as well, but ThreadSanitizer does not
 * know them. */
static uint16_t load16_seq(const uint16_t *p)
{
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static void store16_seq(uint16_t *p, uint16_t value)
{
    __atomic_store_n(p, value, __ATOMIC_SEQ_CST);
}

static uint16_t *avail_event(const struct vhost_queue *queue)
{
    return (uint16_t *)(void *)&queue->used->ring[queue->size];
}

void vhost_queue_begin(struct vhost_queue *queue)
{
    queue->used_idx = load16(&queue->used->idx);
    queue->signalled = queue->used_idx;
}

void vhost_queue_break(struct vhost_queue *queue, const char *why)
{
    if (queue->broken) {
        return;
    }
    sl_warn_limited("vhost", "queue %u is stopped until the device is reset: %s", queue->index,
                    why);
    queue->broken = true;
    if (queue->err >= 0) {
        sl_fd_signal(queue->err);
    }
}

/* ---- taking ---- */

static bool busy_test(const struct vhost_queue *queue, uint16_t head)
{
    return (queue->busy[head / 32] & 1u << head % 32) != 0;
}

/* One descriptor of the guest's table: two loads, so that no check sees another value than its use.
 */
static struct virtq_desc load_desc(const struct virtq_desc *shared)
{
    const uint64_t *words = (const uint64_t *)(const void *)shared;
    uint64_t pair[2] = {__atomic_load_n(&words[0], __ATOMIC_RELAXED),
                        __atomic_load_n(&words[1], __ATOMIC_RELAXED)};
    struct virtq_desc desc;
    memcpy(&desc, pair, sizeof desc);
    return desc;
}

/* The pieces of [addr, addr + len). What breaks the rules, or NULL. */
static const char *add_piece(const struct vhost_memory *memory, const struct virtq_desc *desc,
                             struct vhost_chain *chain)
{
    bool is_out = (desc->flags & VIRTQ_DESC_WRITE) != 0;
    if (!is_out && chain->out_count != 0) {
        return "a chain's readable part is behind its writable one";
    }
    uint64_t gpa = desc->addr;
    for (uint32_t left = desc->len; left != 0;) {
        uint8_t *at = NULL;
        uint64_t size = left;
        enum sl_result r = vhost_memory_at(memory, gpa, left, &at, &size);
        if (r == SL_ERR_INVALID) {
            chain->in_window = true;
            return NULL;
        }
        if (r != SL_OK) {
            return "a descriptor lies outside of the guest's memory";
        }
        uint32_t *count = is_out ? &chain->out_count : &chain->in_count;
        struct vhost_piece *pieces = is_out ? chain->out : chain->in;
        if (*count == VHOST_CHAIN_MAX) {
            return "a chain has too many pieces";
        }
        pieces[(*count)++] = (struct vhost_piece){.at = at, .gpa = gpa, .size = (uint32_t)size};
        *(is_out ? &chain->out_size : &chain->in_size) += size;
        gpa += size;
        left -= (uint32_t)size;
    }
    return NULL;
}

static const char *copy_table(const struct vhost_memory *memory, const struct virtq_desc *desc,
                              struct vhost_chain *chain)
{
    if (desc->len == 0 || desc->len % sizeof *chain->table != 0 ||
        desc->len > sizeof chain->table) {
        return "an indirect table has a crooked size";
    }
    uint8_t *to = (uint8_t *)chain->table;
    uint64_t gpa = desc->addr;
    for (uint32_t left = desc->len; left != 0;) {
        uint8_t *at;
        uint64_t size;
        if (vhost_memory_at(memory, gpa, left, &at, &size) != SL_OK) {
            return "an indirect table lies outside of the guest's memory";
        }
        memcpy(to, at, (size_t)size);
        to += size;
        gpa += size;
        left -= (uint32_t)size;
    }
    return NULL;
}

static const char *walk_indirect(const struct vhost_queue *queue, const struct vhost_memory *memory,
                                 const struct virtq_desc *outer, struct vhost_chain *chain)
{
    if (!queue->indirect || (outer->flags & VIRTQ_DESC_NEXT) != 0) {
        return "an indirect descriptor where none may be";
    }
    const char *wrong = copy_table(memory, outer, chain);
    uint32_t count = outer->len / (uint32_t)sizeof *chain->table;
    uint32_t i = 0;
    for (uint32_t steps = 0; wrong == NULL; steps++) {
        const struct virtq_desc *desc = &chain->table[i];
        if (steps == count) {
            return "an indirect table has a loop";
        }
        if ((desc->flags & VIRTQ_DESC_INDIRECT) != 0) {
            return "an indirect table in an indirect table";
        }
        wrong = add_piece(memory, desc, chain);
        if (wrong != NULL || (desc->flags & VIRTQ_DESC_NEXT) == 0) {
            return wrong;
        }
        i = desc->next;
        if (i >= count) {
            return "an indirect table leads out of itself";
        }
    }
    return wrong;
}

static const char *walk(const struct vhost_queue *queue, const struct vhost_memory *memory,
                        uint16_t head, struct vhost_chain *chain)
{
    chain->head = head;
    chain->in_window = false;
    chain->in_count = chain->out_count = 0;
    chain->in_size = chain->out_size = 0;
    uint32_t i = head;
    for (uint32_t steps = 0; steps < queue->size; steps++) {
        struct virtq_desc desc = load_desc(&queue->desc[i]);
        if ((desc.flags & VIRTQ_DESC_INDIRECT) != 0) {
            return walk_indirect(queue, memory, &desc, chain);
        }
        const char *wrong = add_piece(memory, &desc, chain);
        if (wrong != NULL || (desc.flags & VIRTQ_DESC_NEXT) == 0) {
            return wrong;
        }
        i = desc.next;
        if (i >= queue->size) {
            return "a chain leads out of the table";
        }
    }
    return "a chain has a loop";
}

static void note_taken(struct vhost_queue *queue, uint16_t head)
{
    queue->busy[head / 32] |= 1u << head % 32;
    queue->in_flight++;
    queue->counts.chains++;
    if (queue->inflight != NULL) {
        struct vhost_inflight_desc *desc = &queue->inflight->desc[head];
        __atomic_store_n(&desc->counter, ++queue->inflight_counter, __ATOMIC_RELAXED);
        /* Release: who restarts after us finds the counter with the mark. */
        __atomic_store_n(&desc->inflight, 1, __ATOMIC_RELEASE);
    }
}

enum sl_result vhost_queue_take(struct vhost_queue *queue, const struct vhost_memory *memory,
                                uint16_t head, struct vhost_chain *chain)
{
    const char *wrong = "a head is out of the table";
    if (head < queue->size) {
        wrong = busy_test(queue, head) ? "a chain is available while it is in use"
                                       : walk(queue, memory, head, chain);
    }
    if (wrong != NULL) {
        vhost_queue_break(queue, wrong);
        return SL_ERR_PROTOCOL;
    }
    note_taken(queue, head);
    return SL_OK;
}

enum sl_result vhost_queue_pop(struct vhost_queue *queue, const struct vhost_memory *memory,
                               struct vhost_chain *chain)
{
    /* Pairs with the driver's barrier before it moves idx: the chain is there. */
    uint16_t idx = __atomic_load_n(&queue->avail->idx, __ATOMIC_ACQUIRE);
    uint16_t count = (uint16_t)(idx - queue->last_avail);
    if (count == 0) {
        return SL_ERR_AGAIN;
    }
    if (count > queue->size) {
        vhost_queue_break(queue, "the available index jumped by more than the ring");
        return SL_ERR_PROTOCOL;
    }
    uint16_t head = load16(&queue->avail->ring[queue->last_avail % queue->size]);
    enum sl_result r = vhost_queue_take(queue, memory, head, chain);
    if (r == SL_OK) {
        queue->last_avail++;
    }
    return r;
}

/* ---- giving back ---- */

void vhost_queue_push(struct vhost_queue *queue, uint16_t head, uint32_t written)
{
    if (!busy_test(queue, head)) {
        return; /* the queue was reset since it was taken */
    }
    queue->busy[head / 32] &= ~(1u << head % 32);
    queue->in_flight--;
    struct virtq_used_elem *element = &queue->used->ring[queue->used_idx % queue->size];
    __atomic_store_n(&element->id, head, __ATOMIC_RELAXED);
    __atomic_store_n(&element->len, written, __ATOMIC_RELAXED);
    if (queue->inflight != NULL) {
        __atomic_store_n(&queue->inflight->last_batch_head, head, __ATOMIC_RELAXED);
    }
    queue->used_idx++;
    /* Pairs with the driver's barrier after it read idx: element and response are there. */
    store16_seq(&queue->used->idx, queue->used_idx);
    if (queue->inflight != NULL) {
        __atomic_store_n(&queue->inflight->desc[head].inflight, 0, __ATOMIC_RELEASE);
        __atomic_store_n(&queue->inflight->used_idx, queue->used_idx, __ATOMIC_RELEASE);
    }
}

void vhost_queue_notify(struct vhost_queue *queue)
{
    if (queue->desc == NULL || queue->used_idx == queue->signalled) {
        return;
    }
    uint16_t old = queue->signalled;
    queue->signalled = queue->used_idx;
    /* Our index is out before the driver's wish is read: it looks the other way round. */
    if (queue->event_idx) {
        uint16_t event = load16_seq(&queue->avail->ring[queue->size]);
        if ((uint16_t)(queue->used_idx - event - 1) >= (uint16_t)(queue->used_idx - old)) {
            return;
        }
    } else if ((load16_seq(&queue->avail->flags) & VIRTQ_AVAIL_NO_INTERRUPT) != 0) {
        return;
    }
    if (queue->call >= 0) {
        queue->counts.interrupts++;
        sl_fd_signal(queue->call);
    }
}

bool vhost_queue_rest(struct vhost_queue *queue)
{
    if (queue->event_idx) {
        store16_seq(avail_event(queue), queue->last_avail);
    }
    /* Our wish is out before the index is looked at again. */
    return load16_seq(&queue->avail->idx) != queue->last_avail;
}

/* ---- bytes of a chain ---- */

void vhost_chain_read(const struct vhost_chain *chain, void *to, size_t size)
{
    uint8_t *out = to;
    for (uint32_t i = 0; size != 0; i++) {
        size_t here = chain->in[i].size < size ? chain->in[i].size : size;
        memcpy(out, chain->in[i].at, here);
        out += here;
        size -= here;
    }
}

uint32_t vhost_chain_write(const struct vhost_chain *chain, const void *from, size_t size)
{
    const uint8_t *in = from;
    uint32_t written = 0;
    for (uint32_t i = 0; i < chain->out_count && size != 0; i++) {
        size_t here = chain->out[i].size < size ? chain->out[i].size : size;
        memcpy(chain->out[i].at, in, here);
        in += here;
        size -= here;
        written += (uint32_t)here;
    }
    return written;
}
