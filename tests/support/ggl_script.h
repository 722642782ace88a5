/* A stream without a host for tests of guest/gles: packets land in memory, replies are what the
 * test wrote down. It stands in for guest/stream and the ring writer, so link one or the other. */
#ifndef TESTS_GGL_SCRIPT_H
#define TESTS_GGL_SCRIPT_H

#include "guest/gles/ggl_objects.h"

struct ggl_script {
    struct gs_stream stream; /* first */
    struct sl_pack_mem mem;
    const uint8_t *reply;
    size_t reply_size;
    size_t reply_used;
    size_t read; /* bytes read since the last take, replies that were not there included */
    uint32_t flushes;
    uint32_t error;  /* what the host left in the ring page */
    uint32_t checks; /* replies that ended on a stream with checksums */
    struct ggl_context *context;
};

/* A current context of this version on a fresh stream. */
void ggl_script_init(struct ggl_script *script, uint32_t version, uint32_t features);
void ggl_script_finish(struct ggl_script *script);
/* What the host answers from now on; borrowed. Zeros follow. */
void ggl_script_reply(struct ggl_script *script, const void *data, size_t size);
/* Packets written since the last call, valid until the next packet; forgets them. */
const uint8_t *ggl_script_take(struct ggl_script *script, size_t *size);
/* Their opcodes: at most `max`; the count of all. Forgets them. */
size_t ggl_script_opcodes(struct ggl_script *script, uint32_t *opcodes, size_t max);

#endif
