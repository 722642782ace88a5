/* A thread's stream: its ring blob, made known to the host, and the writer on it. */
#include "guest/stream/gs_internal.h"

#include "transport/base/arith.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/log.h"

#include <string.h>

#define SETUP_TIMEOUT_NS                                                                           \
    (30 * (int64_t)SL_NS_PER_S) /* the host may still be loading its driver                        \
                                 */
#define DRAIN_TIMEOUT_NS (2 * (int64_t)SL_NS_PER_S)

static bool alive(void *user)
{
    struct gs_stream *stream = user;
    return stream->device->vg->ops->alive(stream->device->vg);
}

static void ping(void *user)
{
    struct gs_stream *stream = user;
    const uint32_t words[2] = {GFXSTREAM_CONTEXT_PING, stream->blob->id};
    const struct vg_submit_args args = {
        .commands = words, .size = sizeof words, .ring = VIRTGPU_RING_GLOBAL, .in_fence = -1};
    (void)vg_submit(stream->device->vg, &args);
}

enum sl_result gs_stream_command(struct gs_stream *stream, const uint32_t *words, size_t size,
                                 struct vg_res *const *resources, uint32_t resource_count)
{
    int fence = -1;
    const struct vg_submit_args args = {.commands = words,
                                        .size = size,
                                        .ring = VIRTGPU_RING_GLOBAL,
                                        .in_fence = -1,
                                        .out_fence = &fence,
                                        .resources = resources,
                                        .resource_count = resource_count};
    enum sl_result r = vg_submit(stream->device->vg, &args);
    if (r == SL_OK) {
        uint64_t end = sl_clock_ns() + (uint64_t)SETUP_TIMEOUT_NS;
        do {
            r = sl_fd_wait(fence, 100 * (int64_t)SL_NS_PER_MS);
        } while (r == SL_ERR_TIMEOUT && alive(stream) && sl_clock_ns() < end);
        sl_fd_close(&fence);
    }
    return r;
}

/* The host makes its end; the config words are in the page when the command is done (facts: asg
 * 1.3). */
static enum sl_result announce(struct gs_stream *stream)
{
    const uint32_t words[2] = {GFXSTREAM_CONTEXT_CREATE, stream->blob->id};
    struct vg_res *const resources[] = {stream->blob};
    return gs_stream_command(stream, words, sizeof words, resources, 1);
}

static enum sl_result set_up(struct gs_stream *stream, uint32_t client_flags)
{
    const struct gs_device *device = stream->device;
    uint64_t size =
        sl_round_up((uint64_t)device->ring_size + device->buffer_size, device->blob_alignment);
    struct vg_blob_args blob = {
        .mem = VIRTGPU_BLOB_HOST3D, .flags = VIRTGPU_BLOB_MAPPABLE, .size = size};
    enum sl_result r = vg_blob_create(device->vg, &blob, &stream->blob);
    if (r != SL_OK) {
        return r;
    }
    void *memory;
    r = vg_res_map(stream->blob, &memory);
    if (r == SL_OK) {
        r = announce(stream);
    }
    if (r != SL_OK) {
        return r;
    }
    struct asg_writer_config config = {
        .memory = memory,
        .memory_size = size,
        .buffer_size = device->buffer_size,
        .shared_futex = device->shared_futex,
        .reply_futex = (device->features & SLUICE_FEATURE_REPLY_FUTEX) != 0,
        .user = stream,
        .ping = ping,
        .alive = alive,
    };
    r = asg_writer_init(&stream->ring, &config);
    if (r == SL_OK) {
        gs_stage_init(stream);
        asg_writer_raw(&stream->ring, &client_flags, sizeof client_flags);
        asg_writer_flush(&stream->ring);
    }
    return r;
}

enum sl_result gs_stream_create(struct gs_device *device, uint32_t client_flags,
                                struct gs_stream **out)
{
    struct gs_stream *stream = sl_alloc(sizeof *stream);
    if (stream == NULL) {
        return SL_ERR_NOMEM;
    }
    stream->device = device;
    enum sl_result r = set_up(stream, client_flags);
    if (r != SL_OK) {
        sl_error("stream", "no ring to the host: %s", sl_result_name(r));
        vg_res_destroy(stream->blob);
        sl_free(stream);
        return r;
    }
    gs_registry_lock();
    sl_list_add(&device->streams, &stream->link);
    gs_registry_unlock();
    *out = stream;
    return SL_OK;
}

void gs_stream_destroy(struct gs_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    if (!gs_dead(stream)) {
        (void)asg_writer_drain(&stream->ring, DRAIN_TIMEOUT_NS);
    }
    gs_registry_lock();
    sl_list_remove(&stream->link);
    gs_registry_unlock();
    asg_writer_finish(&stream->ring);
    gs_stage_close(stream);
    vg_res_destroy(stream->blob);
    sl_free(stream);
}

void gs_expect(struct gs_stream *stream, size_t size)
{
    asg_writer_expect(&stream->ring, size);
}

void gs_read(struct gs_stream *stream, void *data, size_t size)
{
    (void)asg_writer_read(&stream->ring, data, size); /* zeros when it fails, and gs_dead says so */
    if (stream->ring.pack.tail != 0) {
        stream->reply_size += (uint32_t)size;
    }
}

size_t gs_read_some(struct gs_stream *stream, void *data, size_t least, size_t most)
{
    size_t got = 0;
    return asg_writer_read_some(&stream->ring, data, least, most, &got) == SL_OK ? got : 0;
}

void gs_reply_check(struct gs_stream *stream)
{
    uint32_t sum[2] = {0};
    uint32_t want[2] = {sl_sum_word(stream->reply_size), stream->reply_count++};
    if (asg_writer_read(&stream->ring, sum, sizeof sum) == SL_OK &&
        (sum[0] != want[0] || sum[1] != want[1])) {
        sl_warn_limited("stream", "checksum of reply %u: %08x %u, not %08x %u: the stream is over",
                        want[1], sum[0], sum[1], want[0], want[1]);
        asg_writer_kill(&stream->ring);
    }
    stream->reply_size = 0;
}
