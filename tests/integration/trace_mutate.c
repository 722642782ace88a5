/* A trace with damage that no checksum shows, or of another build.
 *
 *   trace_mutate TRACE OUT SEED
 *   trace_mutate TRACE OUT NAME OTHER
 *
 * Writes TRACE anew with some bytes of its calls, verbs, memory and frame marks changed, or with a
 * name in its protocol's description, of the same length; headers and checksums hold. Without index
 * and end, so it reads as a recording that was cut short. */
#include "host/capture/cap_reader.h"
#include "tests/support/trace_maker.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHANGES  12u                          /* at most, of one file */
#define KIND_PAD CAP_KIND('p', 'a', 'd', 's') /* in an index's place: readers pass it by */

static void need(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(2);
    }
}

static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static bool is_target(uint32_t kind)
{
    return kind == CAP_KIND_CALL || kind == CAP_KIND_VERB || kind == CAP_KIND_MEMW ||
           kind == CAP_KIND_BLOB || kind == CAP_KIND_FRAM;
}

/* One byte flipped or set to an edge value, or a few copied from elsewhere. */
static void change(uint8_t *bytes, size_t size, uint64_t *state)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff};
    size_t at = next(state) % size, from = next(state) % size, count = next(state) % 16;
    switch (next(state) % 3) {
    case 0:
        bytes[at] ^= (uint8_t)(1u << next(state) % 8);
        break;
    case 1:
        bytes[at] = edges[next(state) % sizeof edges];
        break;
    default:
        count = count < size - at ? count : size - at;
        count = count < size - from ? count : size - from;
        memmove(bytes + at, bytes + from, count);
    }
}

/* In PROT: the first NAME in quotes becomes OTHER, and its hash another. */
static void rename_one(uint8_t *bytes, size_t size, char *const words[2])
{
    char quoted[64];
    size_t length = (size_t)snprintf(quoted, sizeof quoted, "\"%s\"", words[0]);
    uint8_t *at = memmem(bytes, size, quoted, length);
    need(at != NULL && strlen(words[0]) == strlen(words[1]), "no such name of that length");
    memcpy(at + 1, words[1], length - 2);
    bytes[0] ^= 1;
}

static void copy_chunk(struct trace_maker *maker, struct cap_reader *reader,
                       const struct cap_chunk *chunk, uint64_t *state, uint32_t changes,
                       char *const *names)
{
    struct cap_payload payload = {0};
    enum cap_damage_kind why;
    need(cap_reader_load(reader, chunk, &payload, &why) == SL_OK, "a chunk");
    uint8_t *bytes = malloc(payload.size + 1);
    need(bytes != NULL, "memory");
    memcpy(bytes, payload.data, payload.size);
    if (names != NULL && chunk->kind == CAP_KIND_PROT) {
        rename_one(bytes, payload.size, names);
    }
    for (uint32_t i = 0; i < changes && payload.size != 0; i++) {
        change(bytes, payload.size, state);
    }
    const struct trace_chunk copy = {.kind = chunk->kind == CAP_KIND_INDX ? KIND_PAD : chunk->kind,
                                     .stream = chunk->stream,
                                     .records = chunk->records,
                                     .flags = chunk->flags,
                                     .first_stamp = chunk->first_stamp,
                                     .first_record = chunk->first_record,
                                     .time = chunk->time};
    trace_put(maker, bytes, payload.size);
    trace_chunk(maker, &copy);
    free(bytes);
    cap_payload_finish(&payload);
}

int main(int count, char **words)
{
    struct cap_reader *reader = NULL;
    struct trace_maker maker;
    need(count == 4 || count == 5, "usage: trace_mutate TRACE OUT SEED|NAME OTHER");
    char *const *names = count == 5 ? words + 3 : NULL;
    uint64_t state = strtoull(words[3], NULL, 10) * 0x9e3779b97f4a7c15ull + 1;
    need(cap_reader_open(open(words[1], O_RDONLY | O_CLOEXEC), &reader) == SL_OK &&
             cap_reader_scan(reader) == SL_OK,
         words[1]);
    trace_maker_init(&maker);
    memcpy(maker.data, &reader->header, sizeof reader->header); /* its seed is that of the keys */
    uint32_t left = names != NULL ? 0 : 1 + (uint32_t)(next(&state) % CHANGES);
    for (uint32_t i = 0; i < reader->chunk_count && reader->chunks[i].kind != CAP_KIND_END; i++) {
        uint32_t some = is_target(reader->chunks[i].kind) ? (uint32_t)(next(&state) % 4) : 0;
        some = some < left ? some : left;
        left -= some;
        copy_chunk(&maker, reader, &reader->chunks[i], &state, some, names);
    }
    int fd = open(words[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    need(fd >= 0 && write(fd, maker.data, maker.size) == (ssize_t)maker.size, words[2]);
    close(fd);
    trace_maker_finish(&maker);
    cap_reader_close(reader);
    return 0;
}
