/* A flight recorder's store, as its writer keeps it. */
#include "host/capture/cap_writer.h"
#include "tests/support/slt.h"
#include "transport/base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void put_chunk(struct cap_writer *w, uint32_t kind, const void *bytes, size_t size)
{
    struct cap_buffer *b = cap_writer_get(w, size);
    SLT_ASSERT_TRUE(b != NULL);
    memcpy(b->data, bytes, size);
    b->used = size;
    b->kind = kind;
    b->records = 1;
    cap_writer_put(w, b);
}

/* Whoever reads a flight recorder's store and never ends holds it up once, not at every chunk. */
SLT_TEST(cap_store, waits_for_its_reader_once)
{
    enum { RING = 256 << 10, CHUNK = 8 << 10, PATIENCE_MS = 400 };
    static const uint8_t bytes[CHUNK];
    const struct cap_snapshot begin = {.mark = CAP_SNAPSHOT_BEGIN},
                              end = {.mark = CAP_SNAPSHOT_END};
    char path[4096], store[4200];
    struct cap_writer *w;
    struct cap_writer_report report;
    snprintf(path, sizeof path, "%s/store.slc", SLT_TMPDIR());
    SLT_ASSERT_OK(cap_writer_create(
        &(struct cap_writer_options){
            .path = path, .ring_bytes = RING, .reader_ns = PATIENCE_MS * SL_NS_PER_MS},
        &w));
    snprintf(store, sizeof store, "%s.part", path);
    int reader = open(store, O_RDONLY | O_CLOEXEC);
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};
    SLT_ASSERT_TRUE(reader >= 0 && fcntl(reader, F_OFD_SETLK, &lock) == 0);
    put_chunk(w, CAP_KIND_TEXT, bytes, CHUNK);
    put_chunk(w, CAP_KIND_SNAP, &begin, sizeof begin);
    put_chunk(w, CAP_KIND_SNAP, &end, sizeof end);
    uint64_t began = sl_clock_ns();
    for (uint32_t written = 0; written < 2 * RING - 2 * CHUNK; written += CHUNK) {
        put_chunk(w, CAP_KIND_TEXT, bytes, CHUNK);
    }
    cap_writer_flush(w);
    uint64_t took = sl_clock_ns() - began;
    SLT_EXPECT_LE(PATIENCE_MS * SL_NS_PER_MS, took);
    SLT_EXPECT_LE(took, 8 * PATIENCE_MS * SL_NS_PER_MS); /* 13 chunks find it too large */
    close(reader);
    cap_writer_finish(w, CAP_END_ASKED, 0, &report);
    SLT_EXPECT_TRUE(report.has_end);
    unlink(store);
}
