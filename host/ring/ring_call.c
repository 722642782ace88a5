/* What a handler may ask of its ring: refusing, peeking, telling a recorder. */
#include "host/ring/ring_priv.h"

#include "transport/base/atomic.h"
#include "transport/base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>

static void violate(struct hr_ring *r, const char *format, va_list list)
{
    if (!r->over) {
        r->over = true;
        vsnprintf(r->reason, sizeof r->reason, format, list);
    }
}

void hr_violation(struct hr_ring *r, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    violate(r, format, list);
    va_end(list);
}

static const char *opcode_name(const struct hr_ring *r, uint32_t opcode)
{
    uint32_t index;
    const struct hr_route *route = hr_route_of(r, opcode, &index);
    return route != NULL ? route->family->opcode_name(opcode) : "unknown opcode";
}

void hr_call_refuse(struct hr_call *call, const char *format, ...)
{
    static struct sl_log_limit limit;
    call->refused = true;
    if (sl_log_limit_pass(&limit, 5)) {
        char text[192];
        va_list list;
        va_start(list, format);
        vsnprintf(text, sizeof text, format, list);
        va_end(list);
        sl_warn("ring", "%s: %s refused: %s", call->ring->name,
                opcode_name(call->ring, call->opcode), text);
    }
}

void hr_call_violate(struct hr_call *call, const char *format, ...)
{
    char text[160];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    hr_violation(call->ring, "%s: %s", opcode_name(call->ring, call->opcode), text);
}

/* Addresses that are read as zeros: one page of the kernel's, and what points at it. */
static void *many_zeros;

static void map_zeros(void)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    many_zeros = mmap(NULL, HR_ZEROS_MAX, PROT_READ, flags, -1, 0);
    if (many_zeros == MAP_FAILED) {
        many_zeros = NULL;
    }
}

bool hr_call_zeros(const void **data, uint32_t *size, uint64_t wanted)
{
    static const uint8_t few[16384];
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const void *zeros = few;
    if (*size != 0 || wanted > HR_ZEROS_MAX) {
        return false;
    }
    if (wanted > sizeof few) {
        pthread_once(&once, map_zeros);
        zeros = many_zeros;
        if (zeros == NULL) {
            return false;
        }
    }
    *data = zeros;
    *size = (uint32_t)wanted;
    return true;
}

bool hr_call_peek(const struct hr_call *call, struct sl_unpack *body)
{
    size_t there = (size_t)(call->more - call->next);
    if (there < HR_HEADER || sl_load_u32(call->next) != call->opcode) {
        return false;
    }
    uint32_t length = sl_load_u32(call->next + 4);
    if (length < HR_HEADER || length > there) {
        return false; /* the packet loop says what is wrong with it, or waits */
    }
    *body = (struct sl_unpack){
        .cur = call->next + HR_HEADER, .end = call->next + length, .arena = call->in.arena};
    return true;
}

void hr_call_joined(const struct hr_call *call)
{
    const struct hr_ring *r = call->ring;
    if (r->stream != NULL) {
        r->config.recorder->packets(r->stream, call->in.end, (size_t)(call->next - call->in.end));
    }
}

void hr_ring_reply_near(struct hr_ring *ring)
{
    if (!ring->fed) {
        asg_reader_reply_near(&ring->reader);
    }
}

void hr_ring_await(struct hr_ring *ring, const struct hr_work *work)
{
    hr_await(&ring->await, ring->stats.bytes, work);
}

bool hr_ring_signal_awaited(const struct hr_ring *ring)
{
    return !ring->fed && asg_reader_signal_awaited(&ring->reader);
}

void hr_ring_signal_near(const struct hr_ring *ring)
{
    asg_reader_signal_near(&ring->reader);
}

void hr_ring_signal(struct hr_ring *ring, uint32_t value)
{
    if (!ring->fed) {
        asg_reader_signal(&ring->reader, value);
    }
}

bool hr_ring_error_taken(const struct hr_ring *ring)
{
    return !ring->fed && asg_reader_error_taken(&ring->reader);
}

void hr_ring_error(struct hr_ring *ring, uint32_t error)
{
    asg_reader_error(&ring->reader, error);
}

void hr_ring_set_checksum(struct hr_ring *ring, uint32_t version)
{
    ring->checksum = version == 1;
    ring->sums_in = 0;
    ring->sums_out = 0;
}

bool hr_ring_stopping(const struct hr_ring *ring)
{
    /* Pairs with the store in hr_ring_stop; orders nothing. */
    return sl_atomic_load_relaxed(&ring->stop) != 0;
}

bool hr_ring_is_near(const struct hr_ring *ring)
{
    return !ring->fed && asg_reader_is_near(&ring->reader);
}

void hr_ring_answered(struct hr_ring *ring)
{
    if (!ring->fed) {
        asg_reader_answered(&ring->reader);
    }
}

uint32_t hr_ring_preamble(const struct hr_ring *ring)
{
    return ring->preamble;
}

/* --- for a recorder --- */

void hr_ring_memory(struct hr_ring *ring)
{
    if (ring->stream != NULL) {
        ring->config.recorder->memory(ring->stream);
    }
}

bool hr_ring_wants_frame(const struct hr_ring *ring, bool *pixels)
{
    /* Orders nothing: a frame late is fine. */
    *pixels =
        ring->stream != NULL && sl_atomic_load_relaxed(ring->config.recorder->wants_pixel) != 0;
    return ring->stream != NULL;
}

void hr_ring_frame(struct hr_ring *ring, const struct vgd_frame *frame)
{
    if (ring->stream != NULL) {
        ring->config.recorder->frame(ring->stream, frame);
    }
}
