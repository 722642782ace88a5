/* Each thread's ring to the host: packets out, replies in. */
#include "guest/vulkan/gvk_status.h"

#include "guest/vk_call.h"
#include "transport/base/atomic.h"
#include "transport/base/clock.h"
#include "transport/base/log.h"
#include "transport/base/mem.h"

/* Packets carry what applications hand over at once: shaders, pipeline caches, recorded commands.
 */
#define PACKET_MAX  ((size_t)1 << 30)
#define REPLY_FIRST 4096u
#define REPLY_MAX   ((size_t)1 << 30)
/* How old news of the host's life may be. */
#define LOOK_NS (100 * SL_NS_PER_MS)
/* What a thread keeps of its buffers between calls. */
#define KEEP_MAX ((size_t)1 << 20)

/* The calling thread's streams, the one used last first: one, unless hosts died or were many. */
static _Thread_local struct gvk_stream *streams;

/* Ends a thread's streams at its exit. */
static pthread_key_t exit_key;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static bool exit_key_made;

static void stream_destroy(struct gvk_stream *stream)
{
    gs_stream_destroy(stream->gs);
    pthread_mutex_lock(&stream->host->id_lock);
    gvk_ids_move(&stream->host->ids, &stream->ids);
    pthread_mutex_unlock(&stream->host->id_lock);
    gvk_ids_finish(&stream->ids);
    gvk_host_put(stream->host);
    vk_pack_finish(&stream->pack);
    sl_free(stream->reply_data);
    sl_free(stream);
}

/* What was sent may still wait for its turn; a ring that goes before then leaves a hole in the
 * numbers, which every other ring waits for. */
static void hear_last(struct gvk_stream *stream)
{
    uint32_t version = 0;
    if (stream->unanswered && !gvk_host_lost(stream->host)) {
        (void)gvk_call_vkEnumerateInstanceVersion(stream->host, &version);
    }
}

static void thread_end(void *user)
{
    (void)user;
    while (streams != NULL) {
        hear_last(streams);
        struct gvk_stream *stream = streams;
        streams = stream->next;
        stream_destroy(stream);
    }
}

static void make_key(void)
{
    exit_key_made = pthread_key_create(&exit_key, thread_end) == 0;
}

/* The child's only thread: its rings are the parent's. Their memory is left alone: the parent's
 * host writes to some of it. */
void gvk_streams_forked(void)
{
    streams = NULL;
}

static struct gvk_stream *stream_create(struct gvk_host *host)
{
    pthread_once(&exit_once, make_key);
    struct gvk_stream *stream = exit_key_made ? sl_alloc(sizeof *stream) : NULL;
    if (stream == NULL) {
        return NULL;
    }
    uint32_t client_flags = (host->guest_ids ? SLUICE_FEATURE_VK_IDS : 0u) |
                            (host->quiet ? SLUICE_FEATURE_VK_QUIET : 0u);
    if (gs_stream_create(host->gs, client_flags, &stream->gs) != SL_OK) {
        sl_free(stream);
        (void)gvk_host_look(host);
        return NULL;
    }
    vk_pack_init(&stream->pack, PACKET_MAX, true);
    stream->pack.peers = host->peers;
    stream->host = gvk_host_ref(host);
    stream->next = streams;
    streams = stream;
    (void)pthread_setspecific(exit_key, stream); /* any value that is not NULL */
    return stream;
}

/* Streams of hosts that are gone serve nobody: their objects are lost. */
static void drop_lost(void)
{
    struct gvk_stream **link = &streams;
    while (*link != NULL) {
        struct gvk_stream *stream = *link;
        if (gvk_host_lost(stream->host)) {
            *link = stream->next;
            stream_destroy(stream);
        } else {
            link = &stream->next;
        }
    }
}

static struct gvk_stream *find_or_create(struct gvk_host *host)
{
    drop_lost();
    for (struct gvk_stream **link = &streams; *link != NULL; link = &(*link)->next) {
        struct gvk_stream *stream = *link;
        if (stream->host == host) {
            *link = stream->next;
            stream->next = streams;
            streams = stream;
            return stream;
        }
    }
    return stream_create(host);
}

struct gvk_stream *gvk_stream_peek(const struct gvk_host *host)
{
    struct gvk_stream *stream = streams;
    while (stream != NULL && stream->host != host) {
        stream = stream->next;
    }
    return stream;
}

struct gvk_stream *gvk_begin(struct gvk_host *host)
{
    if (SL_UNLIKELY(gvk_host_lost(host))) {
        return NULL;
    }
    struct gvk_stream *stream = streams;
    if (SL_UNLIKELY(stream == NULL || stream->host != host)) {
        stream = find_or_create(host);
        if (stream == NULL) {
            return NULL;
        }
    }
    if (SL_UNLIKELY(stream->pack.failed || vk_pack_size(&stream->pack) > KEEP_MAX)) {
        vk_pack_finish(&stream->pack);
    }
    vk_pack_reset(&stream->pack);
    return stream;
}

/* A program that waits for nothing would not notice that the host died. */
static bool host_lives(struct gvk_stream *stream)
{
    uint64_t now = sl_clock_coarse_ns();
    if (SL_UNLIKELY(now - stream->looked_ns > LOOK_NS)) {
        stream->looked_ns = now;
        return gvk_host_look(stream->host);
    }
    return true;
}

/* `size` bytes go on the ring in one piece or, past what fits there, in several. */
static void put(struct gvk_stream *stream, const void *data, size_t size)
{
    struct sl_pack *ring = gs_pack(stream->gs);
    bool small = size <= SL_PACK_INLINE;
    uint8_t *p = sl_pack_begin(ring, small ? size : SL_PACK_ROOM);
    ring->cur = sl_pack_data(ring, p, data, size, small);
}

/* The packet with its number, on the ring but not published. */
static bool post_with(struct gvk_stream *stream, const void *data, size_t size)
{
    struct vk_pack *pack = &stream->pack;
    size_t head = vk_pack_size(pack);
    if (pack->failed || head < 12 || size > UINT32_MAX - head || !host_lives(stream)) {
        return false;
    }
    sl_store_u32(pack->data + 4, (uint32_t)(head + size));
    /* SEQ_CST: numbers follow the application's own order between threads. */
    sl_store_u32(pack->data + 8, sl_atomic_add(&stream->host->turn, 1) + 1);
    put(stream, pack->data, head);
    if (size != 0) {
        put(stream, data, size);
    }
    stream->unanswered = true;
    return true;
}

static bool flushed(struct gvk_stream *stream)
{
    gs_flush(stream->gs);
    if (SL_UNLIKELY(gs_dead(stream->gs))) {
        gvk_host_lose(stream->host);
        return false;
    }
    return true;
}

bool gvk_send_with(struct gvk_stream *stream, const void *data, size_t size)
{
    return post_with(stream, data, size) && flushed(stream);
}

bool gvk_post(struct gvk_stream *stream)
{
    return post_with(stream, NULL, 0);
}

bool gvk_send(struct gvk_stream *stream)
{
    return gvk_send_with(stream, NULL, 0);
}

/* vk_unpack.more */
static bool read_more(struct vk_unpack *u, size_t size)
{
    struct gvk_stream *stream = u->user;
    size_t left = vk_unpack_left(u);
    if (left != 0) {
        memmove(stream->reply_data, u->cur, left);
    }
    if (size > stream->reply_capacity) {
        size_t capacity = size > REPLY_FIRST ? size : REPLY_FIRST;
        uint8_t *data = size <= REPLY_MAX ? sl_realloc(stream->reply_data, capacity) : NULL;
        if (data == NULL) {
            return false;
        }
        stream->reply_data = data;
        stream->reply_capacity = capacity;
    }
    size_t got = gs_read_some(stream->gs, stream->reply_data + left, size - left,
                              stream->reply_capacity - left);
    u->cur = stream->reply_data;
    u->end = u->cur + left + got;
    return got != 0;
}

struct vk_unpack *gvk_call(struct gvk_stream *stream)
{
    if (!gvk_send(stream)) {
        return NULL;
    }
    if (SL_UNLIKELY(stream->reply_capacity > KEEP_MAX)) {
        sl_free(stream->reply_data);
        stream->reply_data = NULL;
        stream->reply_capacity = 0;
    }
    stream->reply = vk_unpack_over(stream->reply_data, 0, NULL, NULL);
    stream->reply.peers = stream->host->peers;
    stream->reply.more = read_more;
    stream->reply.user = stream;
    return &stream->reply;
}

bool gvk_done(struct gvk_stream *stream, bool read)
{
    if (SL_LIKELY(read)) {
        stream->unanswered = false;
        gvk_status_heard(stream->host);
        return true;
    }
    /* Where the next reply begins is not known any more. */
    if (!gs_dead(stream->gs)) {
        sl_error("vulkan", "a reply makes no sense: %s",
                 stream->reply.reason != NULL ? stream->reply.reason : "it has bytes left over");
        asg_writer_kill(&stream->gs->ring);
    }
    gvk_host_lose(stream->host);
    return false;
}

VkResult gvk_failure(const struct gvk_host *host)
{
    return gvk_host_lost(host) ? VK_ERROR_DEVICE_LOST : VK_ERROR_OUT_OF_HOST_MEMORY;
}
