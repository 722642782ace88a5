/* A trace with damage that no checksum shows, or of another build.
 *
 *   trace_mutate TRACE OUT SEED
 *   trace_mutate TRACE OUT arguments SEED
 *   trace_mutate TRACE OUT NAME OTHER
 *
 * Writes TRACE anew with some bytes of its calls, verbs, memory and frame marks changed, or some
 * arguments of Vulkan packets, or a name in its protocol's description, of the same length; headers
 * and checksums hold. Without index and end, so it reads as a recording that was cut short. */
#include "host/capture/cap_reader.h"
#include "tests/integration/trace_arguments.h"
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

enum damage { DAMAGE_BYTES, DAMAGE_ARGUMENTS, DAMAGE_NAME };

static bool is_target(uint32_t kind, enum damage damage)
{
    if (damage != DAMAGE_BYTES) {
        return damage == DAMAGE_ARGUMENTS && kind == CAP_KIND_CALL;
    }
    return kind == CAP_KIND_CALL || kind == CAP_KIND_VERB || kind == CAP_KIND_MEMW ||
           kind == CAP_KIND_BLOB || kind == CAP_KIND_FRAM;
}

/* One byte flipped or set to an edge value, or a few copied from elsewhere. */
static void change(uint8_t *bytes, size_t size, uint64_t *state)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff};
    size_t at = trace_random(state) % size, from = trace_random(state) % size,
           count = trace_random(state) % 16;
    switch (trace_random(state) % 3) {
    case 0:
        bytes[at] ^= (uint8_t)(1u << trace_random(state) % 8);
        break;
    case 1:
        bytes[at] = edges[trace_random(state) % sizeof edges];
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
                       enum damage damage, char *const *names)
{
    struct cap_payload payload = {0};
    enum cap_damage_kind why;
    need(cap_reader_load(reader, chunk, &payload, &why) == SL_OK, "a chunk");
    uint8_t *bytes = malloc(payload.size + 1);
    need(bytes != NULL, "memory");
    memcpy(bytes, payload.data, payload.size);
    if (damage == DAMAGE_NAME && chunk->kind == CAP_KIND_PROT) {
        rename_one(bytes, payload.size, names);
    }
    for (uint32_t i = 0; i < changes && payload.size != 0; i++) {
        if (damage == DAMAGE_ARGUMENTS) {
            trace_arguments_change(bytes, payload.size, state);
        } else {
            change(bytes, payload.size, state);
        }
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
    need(count == 4 || count == 5, "usage: trace_mutate TRACE OUT SEED|arguments SEED|NAME OTHER");
    enum damage damage = count == 4                           ? DAMAGE_BYTES
                         : strcmp(words[3], "arguments") == 0 ? DAMAGE_ARGUMENTS
                                                              : DAMAGE_NAME;
    uint64_t state = strtoull(words[count - 1], NULL, 10) * 0x9e3779b97f4a7c15ull + 1;
    need(cap_reader_open(open(words[1], O_RDONLY | O_CLOEXEC), &reader) == SL_OK &&
             cap_reader_scan(reader) == SL_OK,
         words[1]);
    trace_maker_init(&maker);
    memcpy(maker.data, &reader->header, sizeof reader->header); /* its seed is that of the keys */
    uint32_t left = 1 + (uint32_t)(trace_random(&state) % CHANGES);
    for (uint32_t i = 0; i < reader->chunk_count && reader->chunks[i].kind != CAP_KIND_END; i++) {
        uint32_t some = (uint32_t)(trace_random(&state) % 4) + (damage == DAMAGE_ARGUMENTS);
        some = is_target(reader->chunks[i].kind, damage) ? some : 0;
        some = some < left ? some : left;
        left -= some;
        copy_chunk(&maker, reader, &reader->chunks[i], &state, some, damage, words + 3);
    }
    int fd = open(words[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    need(fd >= 0 && write(fd, maker.data, maker.size) == (ssize_t)maker.size, words[2]);
    close(fd);
    trace_maker_finish(&maker);
    cap_reader_close(reader);
    return 0;
}
