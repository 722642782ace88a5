/* Every byte of a trace changed, and the trace cut at every 4 KiB; a small one at every 64 bytes.
 *
 * usage: trace_faults TRACE
 * Each byte is changed in a copy. What notices it is asked first where it lies: the file's header,
 * or the header, payload and padding of its chunk; one byte in 1,009, and every one that was not
 * noticed there, is asked of the whole file. A cut file must give the frames whose marks, and all
 * calls and verbs up to them, lie before the cut. Prints counts; exit 1 when a fault went unnoticed
 * or a cut gave too little.
 */
#include "host/capture/cap_merge.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WHOLE_EACH = 1009, CUT = 4096, CHUNK_ALIGN = 64, SMALL = 128 << 10 };

struct trace {
    uint8_t *bytes;
    size_t size;
    int fd; /* a copy that is written to */
};

static void need(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(2);
    }
}

static void put(const struct trace *t, size_t at, uint8_t byte)
{
    need(pwrite(t->fd, &byte, 1, (off_t)at) == 1, "pwrite");
}

/* fd: borrowed. */
static struct cap_reader *open_copy(int fd, enum sl_result *result)
{
    struct cap_reader *reader = NULL;
    *result = cap_reader_open(dup(fd), &reader);
    need(reader != NULL, "cap_reader_open");
    return reader;
}

/* By reading all of it. */
static bool whole_notices(const struct trace *t)
{
    enum sl_result result;
    enum cap_damage_kind why;
    struct cap_payload payload = {0};
    struct cap_reader *reader = open_copy(t->fd, &result);
    bool noticed = result != SL_OK || cap_reader_scan(reader) != SL_OK ||
                   reader->damage_count != 0 || !reader->is_complete;
    for (uint32_t i = 0; !noticed && i < reader->chunk_count; i++) {
        noticed = cap_reader_load(reader, &reader->chunks[i], &payload, &why) != SL_OK;
    }
    cap_payload_finish(&payload);
    cap_reader_close(reader);
    return noticed;
}

/* By looking at the chunk alone. */
static bool chunk_notices(struct cap_reader *reader, const struct cap_chunk *chunk,
                          struct cap_payload *payload)
{
    struct cap_chunk now;
    enum cap_damage_kind why;
    return cap_reader_chunk_at(reader, chunk->offset, &now) != SL_OK ||
           cap_reader_load(reader, &now, payload, &why) != SL_OK;
}

static uint64_t change_all(const struct trace *t)
{
    enum sl_result result;
    struct cap_payload payload = {0};
    struct cap_reader *reader = open_copy(t->fd, &result);
    need(result == SL_OK && cap_reader_scan(reader) == SL_OK && reader->is_complete,
         "the trace is not whole");
    uint64_t unnoticed = 0, asked_whole = 0;
    uint32_t chunk = 0;
    for (size_t at = 0; at < t->size; at++) {
        while (chunk + 1 < reader->chunk_count && reader->chunks[chunk + 1].offset <= at) {
            chunk++;
        }
        put(t, at, t->bytes[at] ^ (uint8_t)(1u << at % 8));
        bool in_chunk = at >= reader->header.header_size;
        bool noticed = in_chunk && chunk_notices(reader, &reader->chunks[chunk], &payload);
        if (!noticed || at % WHOLE_EACH == 0) {
            asked_whole++;
            noticed = whole_notices(t);
        }
        put(t, at, t->bytes[at]);
        if (!noticed) {
            printf("byte %zu: unnoticed\n", at);
            unnoticed++;
        }
    }
    printf(
        "changed %zu bytes, one after the other (%llu asked of the whole file): %llu unnoticed\n",
        t->size, (unsigned long long)asked_whole, (unsigned long long)unnoticed);
    cap_payload_finish(&payload);
    cap_reader_close(reader);
    return unnoticed;
}

/* Frames and calls that a file gives; *ok: nothing but its end stopped it. */
static uint64_t frames_of(int fd, uint64_t *calls, bool *ok)
{
    enum sl_result result;
    struct cap_merge *merge = NULL;
    struct cap_event event;
    struct cap_reader *reader = open_copy(fd, &result);
    uint64_t frames = 0;
    *calls = 0;
    if (result == SL_OK) {
        result = cap_reader_scan(reader);
    }
    if (result == SL_OK) {
        result = cap_merge_create(reader, &merge);
    }
    while (result == SL_OK && (result = cap_merge_next(merge, &event, NULL)) == SL_OK) {
        frames += event.kind == CAP_EVENT_FRAME;
        *calls += event.kind == CAP_EVENT_CALL;
    }
    *ok = result == SL_ERR_NOTFOUND;
    cap_merge_destroy(merge);
    cap_reader_close(reader);
    return frames;
}

static bool is_whole(const struct cap_chunk *c, size_t size)
{
    return c->offset + 64 + (c->stored_size + 63u) / 64 * 64 <= size;
}

/* The least stamp that a call or verb in the chunk may have, with the one that it continues. */
static uint64_t least_stamp(const struct cap_reader *reader, uint32_t index)
{
    const struct cap_chunk *chunk = &reader->chunks[index], *first = chunk;
    for (uint32_t i = index; i-- != 0 && (first->flags & CAP_CHUNK_CONTINUED) != 0;) {
        const struct cap_chunk *before = &reader->chunks[i];
        if (before->kind == chunk->kind && before->stream == chunk->stream) {
            first = before;
        }
    }
    return first->first_stamp;
}

/* Marks in whole chunks before `size` that everything up to their stamp is there for. Chunks of
 * several streams need not lie in the order of their stamps. */
static uint64_t frames_before(struct cap_reader *reader, size_t size)
{
    uint64_t lost = UINT64_MAX, frames = 0;
    for (uint32_t i = 0; i < reader->chunk_count; i++) {
        const struct cap_chunk *c = &reader->chunks[i];
        bool counts = c->kind == CAP_KIND_CALL || c->kind == CAP_KIND_VERB;
        if (counts && !is_whole(c, size) && least_stamp(reader, i) < lost) {
            lost = least_stamp(reader, i);
        }
    }
    struct cap_payload payload = {0};
    for (uint32_t i = 0; i < reader->chunk_count; i++) {
        const struct cap_chunk *c = &reader->chunks[i];
        enum cap_damage_kind why;
        if (c->kind != CAP_KIND_FRAM || !is_whole(c, size)) {
            continue;
        }
        need(cap_reader_load(reader, c, &payload, &why) == SL_OK, "FRAM");
        for (size_t at = 0; at + sizeof(struct cap_frame) <= payload.size;
             at += sizeof(struct cap_frame)) {
            uint64_t stamp;
            memcpy(&stamp, payload.data + at, sizeof stamp);
            frames += stamp < lost;
        }
    }
    cap_payload_finish(&payload);
    return frames;
}

static uint64_t cut_all(const struct trace *t)
{
    enum sl_result result;
    struct cap_reader *reader = open_copy(t->fd, &result);
    need(result == SL_OK && cap_reader_scan(reader) == SL_OK, "scan");
    uint64_t wrong = 0, cuts = 0, last = 0;
    size_t step = t->size <= SMALL ? CHUNK_ALIGN : CUT;
    int fd = memfd_create("cut", MFD_CLOEXEC);
    need(fd >= 0, "memfd_create");
    for (size_t size = step; size < t->size; size += step, cuts++) {
        ssize_t put = pwrite(fd, t->bytes + size - step, step, (off_t)(size - step));
        need(put == (ssize_t)step, "pwrite");
        bool ok;
        uint64_t calls, frames = frames_of(fd, &calls, &ok), least = frames_before(reader, size);
        if (!ok || frames < least || frames < last) {
            printf("cut at %zu: %llu frames, at least %llu were there\n", size,
                   (unsigned long long)frames, (unsigned long long)least);
            wrong++;
        }
        last = frames;
    }
    close(fd);
    cap_reader_close(reader);
    printf("cut at %llu places, %llu frames at the last: %llu wrong\n", (unsigned long long)cuts,
           (unsigned long long)last, (unsigned long long)wrong);
    return wrong;
}

int main(int count, char **words)
{
    struct trace t = {0};
    struct stat file;
    int from = count == 2 ? open(words[1], O_RDONLY | O_CLOEXEC) : -1;
    need(from >= 0 && fstat(from, &file) == 0, "usage: trace_faults TRACE");
    t.size = (size_t)file.st_size;
    t.bytes = malloc(t.size);
    need(t.bytes != NULL && read(from, t.bytes, t.size) == (ssize_t)t.size, words[1]);
    close(from);
    t.fd = memfd_create("trace", MFD_CLOEXEC);
    need(t.fd >= 0 && write(t.fd, t.bytes, t.size) == (ssize_t)t.size, "memfd_create");
    uint64_t wrong = change_all(&t) + cut_all(&t);
    free(t.bytes);
    close(t.fd);
    return wrong != 0;
}
