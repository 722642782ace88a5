/* What a recorder supplies to a device: the packets of every ring, before and after they run, and
 * what contexts tell about them.
 *
 * Who calls: ring threads (host/ring), with a stream of their own each, so that nothing here locks
 * against another ring but `order`. Who implements: host/capture. A ring looks at `epoch` once a
 * batch; while it is 0 that load is all it costs. The struct lives as long as the device. */
#ifndef VIRTGPU_RECORDER_H
#define VIRTGPU_RECORDER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vgd_frame_kind { VGD_FRAME_FLUSH = 1, VGD_FRAME_PRESENT = 2 };

/* A picture is complete: the packet that is being executed ends a frame. */
struct vgd_frame {
    enum vgd_frame_kind kind;
    uint32_t surface; /* the colour buffer's handle; 0: none */
    /* The context's blob that holds the picture, which no guest writes to; 0: none. */
    uint64_t blob_id;
    uint32_t width_px, height_px;
    const uint8_t *pixels; /* rows of R, G, B, A without gaps, top row first; NULL unless wanted */
};

/* What became of a packet. */
struct vgd_outcome {
    const void *reply; /* as it is sent, without its checksum */
    size_t reply_size; /* 0: none */
    bool refused;      /* the arguments were refused, the ring goes on */
    bool lost;         /* the ring is over */
};

/* Set in the epoch: every ring comes to rest between two packets (before a packet that waits for
 * others), and stands until it is cleared. vgd_ops.rest wakes those that sleep. */
#define VGD_EPOCH_REST (1u << 31)
#define VGD_EPOCH_MAX  ((1u << 29) - 1)

struct vgd_recorder {
    void *user;
    /* Atomic: 0: off; else another number in each recording, at most VGD_EPOCH_MAX. Beside either
     * of them VGD_EPOCH_REST. */
    const uint32_t *epoch;
    const uint32_t *wants_pixel; /* atomic: not 0: frames come with their pixels */
    /* Held from before `packet` until it was executed, of commands that name what contexts share:
     * the order in which they are told is then the order in which they were done. Nullable. */
    pthread_mutex_t *order;
    /* A ring is recorded from its next packet on; returns its stream, or NULL: it is not. */
    void *(*begin)(void *user, uint32_t ctx_id, uint32_t ring_id, uint32_t preamble);
    /* The packet is about to be decoded. sum: its last 8 bytes are a checksum. */
    void (*packet)(void *stream, const void *packet, size_t size, bool sum);
    /* Those behind it run along: whole packets without checksums, of which none has a reply or is
     * refused; they are over when it is. Nullable: each runs by itself. */
    void (*packets)(void *stream, const void *first, size_t size);
    /* It is over. */
    void (*outcome)(void *stream, const struct vgd_outcome *outcome);
    /* Inside a packet: what the guest wrote to its mapped memory up to now must be there before it
     * is executed. */
    void (*memory)(void *stream);
    void (*frame)(void *stream, const struct vgd_frame *frame);
    /* The recording or the ring is over; the stream is not used any more. */
    void (*end)(void *stream);
};

#endif
