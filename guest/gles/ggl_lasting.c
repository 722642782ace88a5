/* Maps that last over draws (GL_MAP_PERSISTENT_BIT): memory of the application's that stands for a
 * range of the host's buffer while both use it.
 *
 * The host's buffer is no memory that the guest could map, so the two are made equal where GL says
 * that one must see what the other wrote. Before a command that may read buffers, what differs from
 * the guest's copy (`shadow`, what the host has) goes to the host; after a wait for the host, what
 * the host changed comes back. Each direction carries only what its side wrote, so that neither
 * undoes the other. Every map that is not flushed explicitly is treated as coherent, as drivers do.
 * The host writes unsynchronized: that nobody reads the bytes meanwhile is the application's
 * affair. */
#include "guest/gles/ggl_objects.h"

#include "transport/base/mem.h"
#include "transport/base/writes.h"

#include <string.h>
#include <sys/mman.h>

#define PAGE 4096u
/* Maps larger than this are looked at where the kernel says that they were written to. */
#define WATCHED_FROM (16 * PAGE)
/* Differences are found in words. Words between two that are equal go along, if the host cannot
 * have written them. */
#define WORD 4u
#define GAP  64u
/* One answer of the host's. */
#define FETCH_PIECE (1u << 20)
#define RANGES      32

/* Of a share group, under its lock. */
struct ggl_lasting {
    struct ggl_lasting *next;
    struct ggl_share *share;
    struct ggl_buffer *buffer;
    uint32_t name;
    uint8_t *memory; /* whole pages; the map is inside */
    size_t bytes;
    bool watched; /* the kernel tells which pages were written to */
};

static void watch(struct ggl_share *share, struct ggl_lasting *l)
{
    int fds[2];
    if (l->bytes <= WATCHED_FROM) {
        return;
    }
    if (share->writes == NULL &&
        (sl_writes_open(fds) != SL_OK || sl_writes_create(fds, &share->writes) != SL_OK)) {
        share->writes = NULL;
        return;
    }
    l->watched = sl_writes_begin(share->writes, (uintptr_t)l->memory, l->bytes) == SL_OK;
}

bool ggl_lasting_begin_locked(struct ggl_context *c, struct ggl_buffer *b, uint32_t name,
                              uint64_t offset, uint64_t size)
{
    size_t skipped = offset % PAGE; /* the pointer is aligned as the offset is */
    struct ggl_lasting *l = sl_alloc(sizeof *l);
    if (l == NULL) {
        return false;
    }
    *l = (struct ggl_lasting){.next = c->share->lasting,
                              .share = c->share,
                              .buffer = b,
                              .name = name,
                              .bytes = (skipped + size + PAGE - 1) / PAGE * PAGE};
    l->memory = mmap(NULL, l->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (l->memory == MAP_FAILED) {
        sl_free(l);
        return false;
    }
    memcpy(l->memory + skipped, b->shadow + offset, size);
    watch(c->share, l);
    c->share->lasting = l;
    sl_atomic_store_relaxed(&c->share->has_lasting, 1); /* the application hands the map on */
    b->lasting = l;
    b->map = l->memory + skipped;
    return true;
}

void ggl_lasting_end_locked(struct ggl_buffer *b)
{
    struct ggl_lasting *l = b->lasting;
    if (l == NULL) {
        return;
    }
    for (struct ggl_lasting **at = &l->share->lasting; *at != NULL; at = &(*at)->next) {
        if (*at == l) {
            *at = l->next;
            break;
        }
    }
    /* A hint: under the lock the list says it. */
    sl_atomic_store_relaxed(&l->share->has_lasting, l->share->lasting != NULL);
    munmap(l->memory, l->bytes);
    sl_free(l);
    b->lasting = NULL;
    b->map = NULL;
}

/* Where buffers are bound to pass their bytes: GLES 1 has no target that nothing else uses. */
struct passage {
    GLenum target;
    uint32_t bound, name; /* the application's there; the buffer */
};

static struct passage passage_begin(struct ggl_context *c, GLenum target, uint32_t name)
{
    bool fixed = ggl_fixed(c);
    enum ggl_buffer_slot slot = fixed                            ? GGL_BUFFER_ARRAY
                                : target == GL_COPY_WRITE_BUFFER ? GGL_BUFFER_COPY_WRITE
                                                                 : GGL_BUFFER_COPY_READ;
    struct passage p = {fixed ? GL_ARRAY_BUFFER : target, c->buffers[slot], name};
    if (p.bound != name) {
        ggl_pack_bind_buffer(c, p.target, name);
    }
    return p;
}

static void passage_end(struct ggl_context *c, const struct passage *p)
{
    if (p->bound != p->name) {
        ggl_pack_bind_buffer(c, p->target, p->bound);
    }
}

/* --- to the host --- */

/* Bytes [begin, end) of the buffer, which differ, become the host's. */
static void send_run(struct ggl_context *c, struct ggl_buffer *b, uint64_t begin, uint64_t end)
{
    const GLbitfield access =
        GL_MAP_WRITE_BIT | GL_MAP_FLUSH_EXPLICIT_BIT | GL_MAP_UNSYNCHRONIZED_BIT;
    /* What is sent is what the copy says, whatever the application writes meanwhile. */
    memcpy(b->shadow + begin, b->map + (begin - b->map_offset), end - begin);
    struct passage p = passage_begin(c, GL_COPY_WRITE_BUFFER, b->lasting->name);
    while (begin < end) {
        uint64_t size = end - begin < GS_STAGE_BAND ? end - begin : GS_STAGE_BAND;
        gles2_pack_glFlushMappedBufferRangeAEMU2(ggl_pack(c), p.target, (GLintptr)begin,
                                                 (GLsizeiptr)size, access, b->shadow + begin,
                                                 (uint32_t)size);
        begin += size;
    }
    passage_end(c, &p);
}

static bool words_differ(const uint8_t *a, const uint8_t *b, uint64_t size)
{
    uint32_t x = 0, y = 0;
    if (size == WORD) { /* one load each */
        memcpy(&x, a, WORD);
        memcpy(&y, b, WORD);
        return x != y;
    }
    return memcmp(a, b, size) != 0;
}

static bool knows(const struct ggl_buffer *b, uint64_t begin, uint64_t end)
{
    return !b->gpu_written && begin >= b->valid_begin && end <= b->valid_end;
}

/* What differs in [begin, end), inside the map. True: something was sent. */
static bool send_differences(struct ggl_context *c, struct ggl_buffer *b, uint64_t begin,
                             uint64_t end)
{
    const uint8_t *live = b->map - b->map_offset; /* by the buffer's offsets */
    uint64_t gap = knows(b, begin, end) ? GAP : 0;
    uint64_t from = end, to = begin; /* the run; none yet: from > to */
    bool sent = false;
    for (uint64_t at = begin; at < end;) {
        uint64_t block = end - at < PAGE ? end - at : PAGE;
        if (at % PAGE == begin % PAGE && memcmp(live + at, b->shadow + at, block) == 0) {
            at += block;
            continue;
        }
        uint64_t word = end - at < WORD ? end - at : WORD;
        if (words_differ(live + at, b->shadow + at, word)) {
            if (from < to && at > to + gap) {
                send_run(c, b, from, to);
                from = end;
            }
            from = from < at ? from : at;
            to = at + word;
            sent = true;
        }
        at += word;
    }
    if (from < to) {
        send_run(c, b, from, to);
    }
    return sent;
}

/* [begin, end) of the buffer, cut to the map. */
static bool send_range(struct ggl_context *c, struct ggl_buffer *b, uint64_t begin, uint64_t end)
{
    uint64_t map_end = b->map_offset + b->map_size;
    begin = begin > b->map_offset ? begin : b->map_offset;
    end = end < map_end ? end : map_end;
    return begin < end && send_differences(c, b, begin, end);
}

/* Pages that were written to since the last look. False: the kernel does not tell any more. */
static bool send_written(struct ggl_context *c, struct ggl_lasting *l, bool *sent)
{
    struct ggl_buffer *b = l->buffer;
    uint64_t first = (uintptr_t)l->memory, at = first, end = first + l->bytes;
    uint64_t base = b->map_offset - (uint64_t)(b->map - l->memory); /* the memory's first byte */
    struct sl_written ranges[RANGES];
    uint32_t count;
    while (at < end) {
        if (sl_writes_next(c->share->writes, &at, end, ranges, RANGES, &count) != SL_OK) {
            return false;
        }
        for (uint32_t i = 0; i < count; i++) {
            *sent |=
                send_range(c, b, base + (ranges[i].begin - first), base + (ranges[i].end - first));
        }
    }
    return true;
}

void ggl_lasting_flush_locked(struct ggl_context *c, struct ggl_buffer *b, uint64_t begin,
                              uint64_t end)
{
    if (b->map_access & GL_MAP_WRITE_BIT) {
        bool sent = send_range(c, b, begin, end);
        if (sent) {
            ggl_settle(c);
        }
    }
}

static void send_locked(struct ggl_context *c)
{
    bool sent = false;
    for (struct ggl_lasting *l = c->share->lasting; l != NULL; l = l->next) {
        struct ggl_buffer *b = l->buffer;
        if (!(b->map_access & GL_MAP_WRITE_BIT) || b->map_access & GL_MAP_FLUSH_EXPLICIT_BIT) {
            continue;
        }
        if (l->watched && !send_written(c, l, &sent)) {
            l->watched = false;
        }
        if (!l->watched) {
            sent |= send_range(c, b, 0, b->size);
        }
    }
    if (sent) {
        ggl_settle(c);
    }
}

void ggl_lasting_send(struct ggl_context *c)
{
    pthread_mutex_lock(&c->share->lock);
    send_locked(c);
    pthread_mutex_unlock(&c->share->lock);
}

void ggl_lasting_write_locked(struct ggl_context *c, struct ggl_buffer *b, uint64_t offset,
                              const void *data, uint64_t size)
{
    uint64_t map_end = b->map_offset + b->map_size, end = offset + size;
    uint64_t from = offset > b->map_offset ? offset : b->map_offset,
             to = end < map_end ? end : map_end;
    ggl_lasting_flush_locked(c, b, offset, end);
    if (from < to) {
        memcpy(b->map + (from - b->map_offset), (const uint8_t *)data + (from - offset), to - from);
    }
}

/* --- from the host --- */

/* What the host has in [begin, end) becomes the copy's, and the map's where that was the copy's. */
static void merge(struct ggl_buffer *b, const uint8_t *host, uint64_t begin, uint64_t end)
{
    uint8_t *live = b->map - b->map_offset;
    if (memcmp(host, b->shadow + begin, end - begin) == 0) {
        return;
    }
    for (uint64_t at = begin; at < end; at++) {
        if (host[at - begin] != b->shadow[at]) {
            bool mapped = at >= b->map_offset && at - b->map_offset < b->map_size;
            if (mapped && live[at] == b->shadow[at]) {
                live[at] = host[at - begin];
            }
            b->shadow[at] = host[at - begin];
        }
    }
}

bool ggl_lasting_fetch_locked(struct ggl_context *c, struct ggl_buffer *b, uint64_t begin,
                              uint64_t end)
{
    uint8_t *host = sl_alloc(end - begin < FETCH_PIECE ? end - begin : FETCH_PIECE);
    if (host == NULL) {
        return false;
    }
    struct passage p = passage_begin(c, GL_COPY_READ_BUFFER, b->lasting->name);
    for (uint64_t at = begin; at < end && !gs_dead(c->stream);) {
        uint64_t size = end - at < FETCH_PIECE ? end - at : FETCH_PIECE;
        gles2_call_glMapBufferRangeAEMU(c->stream, p.target, (GLintptr)at, (GLsizeiptr)size,
                                        GL_MAP_READ_BIT, host, (uint32_t)size);
        if (!gs_dead(c->stream)) {
            merge(b, host, at, at + size);
        }
        at += size;
    }
    passage_end(c, &p);
    sl_free(host);
    return true;
}

void ggl_lasting_update(struct ggl_context *c)
{
    pthread_mutex_lock(&c->share->lock);
    send_locked(c);
    for (struct ggl_lasting *l = c->share->lasting; l != NULL; l = l->next) {
        struct ggl_buffer *b = l->buffer;
        uint64_t begin = b->map_offset, end = begin + b->map_size;
        if (!knows(b, begin, end) && ggl_lasting_fetch_locked(c, b, begin, end)) {
            ggl_buffer_known_locked(b, begin, end);
        }
    }
    pthread_mutex_unlock(&c->share->lock);
}
