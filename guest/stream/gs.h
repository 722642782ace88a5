/* A thread's connection to the host: ring, pack target and replies; and the process's device.
 *
 * Guest libraries live in strangers' processes: no signal handlers, no exits, no aborts, every lock
 * small. gs_device: any thread; gs_stream: the thread that made it. */
#ifndef GUEST_GS_H
#define GUEST_GS_H

#include "asg/writer.h"
#include "transport/base/list.h"
#include "transport/base/result.h"
#include "transport/virtgpu/vg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A device has one context of one type: a process has one for each API that it uses. */
enum gs_kind { GS_GLES, GS_VULKAN };

/* The process's device and context of a kind, opened at first use. Counted. */
struct gs_device {
    struct vg *vg;
    enum gs_kind kind;
    union {
        struct virtgpu_gles_capset gles;
        struct virtgpu_vulkan_capset vulkan;
    } caps;
    uint32_t ring_size, buffer_size, blob_alignment; /* of the capset, checked */
    bool own;                                        /* our own host, not a stock one */
    bool shared_futex;
    bool coherent_tex;
    uint32_t features; /* SLUICE_FEATURE_* both sides have */
    uint32_t refs;
    uint32_t generation;    /* of forks: a device of another one belongs to the parent process */
    uint64_t serial;        /* from 1; no other device of the process has it */
    uint32_t lost;          /* atomic, a flag alone: who holds it found the host gone */
    struct sl_list streams; /* struct gs_stream.link; the registry's lock guards it */
    char error[256];        /* why opening failed; empty when open */
};

/* NOTFOUND: no SLUICE_SOCKET and no device; CLOSED: nobody serves it; UNSUPPORTED: it speaks
 * another version or does not offer the kind. The reason is logged once. A fork's child, and a
 * process whose host died or was found `lost`, get a new one. */
enum sl_result gs_device_get(enum gs_kind kind, struct gs_device **out) SL_MUST_USE;
/* Does the environment name a host, or is the machine a virtual one whose GPU offers our context
 * types? A driver beside others has nothing to say where neither is so. */
bool gs_host_meant(void);
/* For what outlives the stream it was made on: resources. */
struct gs_device *gs_device_ref(struct gs_device *device);
void gs_device_put(struct gs_device *device);

struct gs_stream {
    struct asg_writer ring; /* its first member is the struct sl_pack that generated code takes */
    struct gs_device *device;
    struct vg_res *blob;
    struct sl_list link;         /* in gs_device.streams */
    uint32_t signal;             /* the last number sent with slSignal */
    uint32_t reply_size;         /* with checksum on: bytes of the reply so far */
    uint32_t reply_count;        /* checksums of replies so far */
    struct sl_pack_ops pack_ops; /* the ring's, and gs_stage.c's */
    struct gs_stage *stage;      /* memory shared for bulky data; nullable */
    bool stage_failed;           /* it cannot be had */
};

/* client_flags: the stream's first word, 0 for a stock host. */
enum sl_result gs_stream_create(struct gs_device *device, uint32_t client_flags,
                                struct gs_stream **out) SL_MUST_USE;
/* Flushes, and waits (bounded) until the host has taken everything. */
void gs_stream_destroy(struct gs_stream *stream);

static inline struct sl_pack *gs_pack(struct gs_stream *stream)
{
    return &stream->ring.pack;
}
/* The next `size` bytes of packets (at most 1 KiB) reach the host at once. For packets of which
 * more than one is answered: answers come into the memory that packets are written to, so the host
 * must not see the first of them while the others are written. */
static inline void gs_pack_together(struct gs_stream *stream, size_t size)
{
    (void)sl_pack_begin(gs_pack(stream), size);
}
static inline void gs_flush(struct gs_stream *stream)
{
    asg_writer_flush(&stream->ring);
}
/* The replies to what is packed and not flushed, so many bytes, are waited for together. */
void gs_expect(struct gs_stream *stream, size_t size);
/* Flush and read reply bytes; zeros when the stream is dead. */
void gs_read(struct gs_stream *stream, void *data, size_t size);
/* Flush and read what is there of a reply, at least `least` bytes (not 0) and at most `most`; 0
 * when the stream is dead. For replies that say nowhere how long they are. */
size_t gs_read_some(struct gs_stream *stream, void *data, size_t least, size_t most);
/* Takes and checks the checksum of the reply that was read; a wrong one ends the stream, logged. */
void gs_reply_check(struct gs_stream *stream);
/* After the last part of a reply. */
static inline void gs_reply_end(struct gs_stream *stream)
{
    if (SL_UNLIKELY(stream->ring.pack.tail != 0)) {
        gs_reply_check(stream);
    }
}
static inline bool gs_dead(const struct gs_stream *stream)
{
    return asg_writer_dead(&stream->ring);
}

#endif
