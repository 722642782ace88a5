#include "host/capture/cap_reader.h"

#include "host/capture/cap_bytes.h"
#include "transport/base/arith.h"
#include "transport/base/bytes.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#define CHUNKS_MAX   (1u << 27)
#define SEARCH_BYTES 65536u
#define MAKER_SIZE   64u

const char *cap_damage_name(enum cap_damage_kind kind)
{
    static const char *const names[] = {
        [CAP_DAMAGE_HEADER] = "no chunk header", [CAP_DAMAGE_CHECKSUM] = "checksum",
        [CAP_DAMAGE_LENGTH] = "length",          [CAP_DAMAGE_PADDING] = "padding",
        [CAP_DAMAGE_MISSING] = "missing",        [CAP_DAMAGE_RECORD] = "record"};
    return names[kind];
}

/* --- the file --- */

/* All of it, or as much as the file has. IO: errno. */
static enum sl_result read_at(const struct cap_reader *r, uint64_t offset, void *data, size_t size,
                              size_t *got)
{
    uint8_t *p = data;
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(r->fd, p + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return SL_ERR_IO;
        }
        if (n == 0) {
            break;
        }
        done += (size_t)n;
    }
    *got = done;
    return SL_OK;
}

static enum sl_result refuse(struct cap_reader *r, enum cap_refusal refusal, const char *format,
                             ...) SL_PRINTF(3, 4);
static enum sl_result refuse(struct cap_reader *r, enum cap_refusal refusal, const char *format,
                             ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(r->reason, sizeof r->reason, format, list);
    va_end(list);
    r->refusal = refusal;
    return refusal == CAP_REFUSED_FILE      ? SL_ERR_IO
           : refusal == CAP_REFUSED_DAMAGED ? SL_ERR_PROTOCOL
                                            : SL_ERR_UNSUPPORTED;
}

/* What other files begin with. */
static const char *looks_like(const uint8_t *bytes, size_t size)
{
    static const struct {
        const char *magic;
        size_t size;
        const char *what;
    } kinds[] = {{"PK", 2, "a zip file"},
                 {"\x1f\x8b", 2, "a gzip file"},
                 {"\x28\xb5\x2f\xfd", 4, "a zstd file"},
                 {"\x7f"
                  "ELF",
                  4, "a program"},
                 {"\x89PNG", 4, "a picture"},
                 {"GFXR", 4, "a gfxreconstruct capture"},
                 {"at\x05", 3, "an apitrace trace"},
                 {"SLC\n", 4, "a trace damaged by a text-mode copy"},
                 {"\x89SLC", 4, "a trace damaged by a text-mode copy"},
                 {"RDOC", 4, "a RenderDoc capture"},
                 {"{", 1, "JSON"},
                 {"#!", 2, "a script"}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (size >= kinds[i].size && memcmp(bytes, kinds[i].magic, kinds[i].size) == 0) {
            return kinds[i].what;
        }
    }
    return NULL;
}

static enum sl_result refuse_foreign(struct cap_reader *r, const uint8_t *bytes, size_t size)
{
    char found[4 * CAP_MAGIC_SIZE + 1] = "";
    size_t at = 0;
    for (size_t i = 0; i < size && i < 4; i++) {
        bool plain = bytes[i] > ' ' && bytes[i] < 0x7f && bytes[i] != '"';
        at += (size_t)snprintf(found + at, sizeof found - at, plain ? "%c" : "\\x%02x", bytes[i]);
    }
    const char *like = looks_like(bytes, size);
    return size == 0 ? refuse(r, CAP_REFUSED_FOREIGN, "not a sluice trace: the file is empty")
                     : refuse(r, CAP_REFUSED_FOREIGN,
                              "not a sluice trace: expected magic \"\\x89SLC\", found \"%s\"%s%s",
                              found, like != NULL ? "; looks like " : "", like != NULL ? like : "");
}

/* Who made a file of another version, as far as its first chunk is one that this version knows.
 * Empty: it does not say. */
static void read_maker(struct cap_reader *r, char maker[MAKER_SIZE])
{
    static const char member[] = "\"made_by\": \"";
    struct cap_chunk chunk;
    struct cap_payload payload = {0};
    enum cap_damage_kind why;
    size_t size = 0;
    if (cap_reader_chunk_at(r, r->header.header_size, &chunk) == SL_OK &&
        chunk.kind == CAP_KIND_META && cap_reader_load(r, &chunk, &payload, &why) == SL_OK) {
        const uint8_t *end = payload.data + payload.size;
        const uint8_t *p = memmem(payload.data, payload.size, member, sizeof member - 1);
        p = p != NULL ? p + sizeof member - 1 : end;
        for (; p < end && *p >= ' ' && *p < 0x7f && *p != '"' && size < MAKER_SIZE - 1; p++) {
            maker[size++] = (char)*p;
        }
    }
    maker[size] = '\0';
    cap_payload_finish(&payload);
}

/* Who made it and when: of another version, little else is understood. */
static enum sl_result refuse_version(struct cap_reader *r)
{
    char maker[MAKER_SIZE];
    const struct cap_file_header *h = &r->header;
    const time_t made = (time_t)(h->created_ns / 1000000000u);
    struct tm parts = {0};
    char date[32] = "an unknown day";
    if (gmtime_r(&made, &parts) != NULL) {
        (void)strftime(date, sizeof date, "%Y-%m-%d", &parts);
    }
    read_maker(r, maker);
    return refuse(r, CAP_REFUSED_VERSION,
                  "container %u.%u, this build reads %u.0 to %u.%u; made %s%s%son %s", h->major,
                  h->minor, CAP_MAJOR, CAP_MAJOR, CAP_MINOR, maker[0] != '\0' ? "by " : "", maker,
                  maker[0] != '\0' ? " " : "", date);
}

/* The file header's first 60 bytes are as they were written. */
static enum sl_result read_header(struct cap_reader *r)
{
    uint8_t bytes[sizeof r->header];
    size_t got = 0;
    if (read_at(r, 0, bytes, sizeof bytes, &got) != SL_OK) {
        return refuse(r, CAP_REFUSED_FILE, "cannot be read: %s", strerror(errno));
    }
    memcpy(&r->header, bytes, sizeof bytes);
    const struct cap_file_header *h = &r->header;
    if (got < CAP_MAGIC_SIZE || memcmp(bytes, CAP_MAGIC, CAP_MAGIC_SIZE) != 0) {
        return refuse_foreign(r, bytes, got);
    }
    if (got < sizeof bytes) {
        return refuse(r, CAP_REFUSED_DAMAGED, "damaged: the file ends inside its header");
    }
    if (h->crc != cap_crc32c(bytes, offsetof(struct cap_file_header, crc))) {
        return refuse(r, CAP_REFUSED_DAMAGED, "damaged: file header at byte 0: checksum");
    }
    if (h->major != CAP_MAJOR) {
        return refuse_version(r);
    }
    if (h->header_size < sizeof *h || h->header_size % CAP_ALIGN != 0 || h->header_size > 4096) {
        return refuse(r, CAP_REFUSED_DAMAGED, "damaged: file header at byte 0: length");
    }
    r->offset = h->header_size;
    return SL_OK;
}

enum sl_result cap_reader_open(int fd, struct cap_reader **out)
{
    struct cap_reader *r = sl_alloc(sizeof *r);
    if (r == NULL) {
        sl_fd_close(&fd);
        return SL_ERR_NOMEM;
    }
    r->fd = fd;
    *out = r;
    return read_header(r);
}

void cap_reader_close(struct cap_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    sl_fd_close(&reader->fd);
    ZSTD_freeDCtx(reader->unpack);
    sl_free(reader->stored);
    sl_free(reader->chunks);
    sl_free(reader->damages);
    sl_free(reader);
}

/* --- damage --- */

static void damage_add(struct cap_reader *r, const struct cap_damage *damage)
{
    if (r->damages == NULL) {
        r->damages = sl_alloc_array(CAP_DAMAGES_MAX, sizeof *r->damages);
    }
    if (r->damages == NULL || r->damage_count == CAP_DAMAGES_MAX) {
        r->damages_more++;
        return;
    }
    r->damages[r->damage_count++] = *damage;
}

struct cap_damage cap_damage_of(const struct cap_chunk *chunk, enum cap_damage_kind kind)
{
    return (struct cap_damage){.kind = kind,
                               .chunk = chunk->number,
                               .offset = chunk->offset,
                               .is_known = true,
                               .chunk_kind = chunk->kind,
                               .stream = chunk->stream,
                               .records = chunk->records,
                               .first_record = chunk->first_record,
                               .first_stamp = chunk->first_stamp};
}

void cap_reader_damaged(struct cap_reader *reader, struct cap_chunk *chunk,
                        enum cap_damage_kind why)
{
    if (chunk->is_damaged) {
        return;
    }
    chunk->is_damaged = true;
    const struct cap_damage damage = cap_damage_of(chunk, why);
    damage_add(reader, &damage);
}

/* --- chunk headers --- */

static bool is_known_kind(uint32_t kind)
{
    static const uint32_t kinds[] = {CAP_KIND_META, CAP_KIND_PROT, CAP_KIND_CAPS, CAP_KIND_CALL,
                                     CAP_KIND_VERB, CAP_KIND_MEMW, CAP_KIND_BLOB, CAP_KIND_FRAM,
                                     CAP_KIND_SNAP, CAP_KIND_INDX, CAP_KIND_END,  CAP_KIND_TEXT,
                                     CAP_KIND_THUM};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i] == kind) {
            return true;
        }
    }
    return false;
}

/* bytes: 64 of them. False: they are no chunk header. */
static bool parse_header(const uint8_t *bytes, uint64_t offset, struct cap_chunk *out)
{
    struct cap_chunk_header h;
    if (sl_load_u16(bytes) != CAP_SYNC) {
        return false;
    }
    memcpy(&h, bytes, sizeof h);
    const uint16_t known =
        CAP_CHUNK_ZSTD | CAP_CHUNK_SNAPSHOT | CAP_CHUNK_CONTINUED | CAP_CHUNK_SPILLS;
    if (h.crc != cap_crc32c(bytes, offsetof(struct cap_chunk_header, crc)) ||
        h.raw_size > CAP_PAYLOAD_MAX || h.stored_size > CAP_PAYLOAD_MAX ||
        ((h.flags & CAP_CHUNK_ZSTD) == 0 && h.raw_size != h.stored_size) ||
        (h.flags & ~known) != 0) {
        return false;
    }
    *out = (struct cap_chunk){.offset = offset,
                              .first_stamp = h.first_stamp,
                              .first_record = h.first_record,
                              .time = h.time,
                              .hash = h.hash,
                              .kind = h.kind,
                              .number = h.number,
                              .stream = h.stream,
                              .records = h.records,
                              .raw_size = h.raw_size,
                              .stored_size = h.stored_size,
                              .flags = h.flags,
                              .next = CAP_NO_CHUNK};
    return true;
}

/* Where the chunk behind it begins. */
static uint64_t chunk_end(const struct cap_chunk *chunk)
{
    return chunk->offset + sizeof(struct cap_chunk_header) +
           sl_round_up(chunk->stored_size, CAP_ALIGN);
}

enum sl_result cap_reader_chunk_at(struct cap_reader *reader, uint64_t offset,
                                   struct cap_chunk *out)
{
    uint8_t bytes[sizeof(struct cap_chunk_header)];
    size_t got = 0;
    if (offset > INT64_MAX - 2 * CAP_PAYLOAD_MAX) {
        return SL_ERR_PROTOCOL;
    }
    if (read_at(reader, offset, bytes, sizeof bytes, &got) != SL_OK) {
        return SL_ERR_IO;
    }
    if (got < sizeof bytes) {
        return SL_ERR_NOTFOUND;
    }
    return parse_header(bytes, offset, out) ? SL_OK : SL_ERR_PROTOCOL;
}

/* From `offset` on, the next header that holds. NOTFOUND: the file ends first. */
static enum sl_result search(struct cap_reader *r, uint64_t offset, struct cap_chunk *out)
{
    uint8_t *block = sl_alloc(SEARCH_BYTES);
    enum sl_result result = block != NULL ? SL_ERR_AGAIN : SL_ERR_NOMEM;
    while (result == SL_ERR_AGAIN) {
        size_t got = 0;
        result = read_at(r, offset, block, SEARCH_BYTES, &got);
        size_t at = 0;
        for (; result == SL_OK && at + CAP_ALIGN <= got; at += CAP_ALIGN) {
            if (parse_header(block + at, offset + at, out)) {
                break;
            }
        }
        if (result == SL_OK && at + CAP_ALIGN > got) {
            result = got < SEARCH_BYTES ? SL_ERR_NOTFOUND : SL_ERR_AGAIN;
            offset += SEARCH_BYTES;
        }
    }
    sl_free(block);
    return result;
}

enum sl_result cap_reader_add(struct cap_reader *r, const struct cap_chunk *chunk)
{
    bool is_optional = (chunk->kind & 0xff) >= 'a' && (chunk->kind & 0xff) <= 'z';
    bool is_known = is_known_kind(chunk->kind);
    if (!is_known && !is_optional) {
        return refuse(r, CAP_REFUSED_CRITICAL,
                      "chunk %u is of the kind \"%.4s\", which this build does not know and which "
                      "cannot be left out; a newer build made it",
                      chunk->number, (const char *)&chunk->kind);
    }
    if (r->chunk_count == r->chunk_capacity) {
        uint32_t capacity = r->chunk_capacity != 0 ? r->chunk_capacity * 2 : 256;
        struct cap_chunk *more =
            capacity <= CHUNKS_MAX ? sl_realloc(r->chunks, capacity * sizeof *more) : NULL;
        if (more == NULL) {
            return SL_ERR_NOMEM;
        }
        r->chunks = more;
        r->chunk_capacity = capacity;
    }
    r->chunks[r->chunk_count++] = *chunk;
    r->skipped += !is_known;
    r->skipped_kind = is_known ? r->skipped_kind : chunk->kind;
    return SL_OK;
}

/* A header that holds, at r->offset or found behind it. */
static enum sl_result accept(struct cap_reader *r, const struct cap_chunk *chunk)
{
    if (chunk->number != r->number) {
        const struct cap_damage damage = {
            .kind = CAP_DAMAGE_MISSING, .chunk = r->number, .offset = r->offset};
        damage_add(r, &damage);
    }
    enum sl_result result = cap_reader_add(r, chunk);
    if (result == SL_OK) {
        r->offset = chunk_end(chunk);
        r->number = chunk->number + 1;
        r->is_complete = chunk->kind == CAP_KIND_END;
    }
    return result;
}

/* Where something may be again: a ring's old chunks are one long hole. */
static uint64_t pass_hole(const struct cap_reader *r, uint64_t from)
{
    off_t data = lseek(r->fd, (off_t)from, SEEK_DATA);
    return data > (off_t)from ? (uint64_t)data / CAP_ALIGN * CAP_ALIGN : from;
}

/* What a ring gave back is no damage. */
static bool is_given_back(const struct cap_reader *r)
{
    for (uint32_t i = 0; i < r->chunk_count; i++) {
        uint32_t kind = r->chunks[i].kind;
        if (kind != CAP_KIND_META && kind != CAP_KIND_PROT && kind != CAP_KIND_CAPS) {
            return false;
        }
    }
    return (r->header.flags & CAP_FILE_RING) != 0;
}

/* No header where one should be: the next one, when there is any. NOTFOUND: not yet, or never. */
static enum sl_result pass_damage(struct cap_reader *r)
{
    struct cap_chunk chunk;
    uint64_t from = r->bad_offset > r->offset ? r->bad_offset : r->offset + CAP_ALIGN;
    from = pass_hole(r, from);
    enum sl_result result = search(r, from, &chunk);
    if (result == SL_OK && chunk_end(&chunk) > r->size) {
        result = SL_ERR_NOTFOUND; /* torn as well */
    }
    if (result == SL_ERR_NOTFOUND) {
        if (r->bad_offset == 0 && !is_given_back(r)) {
            const struct cap_damage damage = {
                .kind = CAP_DAMAGE_HEADER, .chunk = r->number, .offset = r->offset};
            damage_add(r, &damage);
        }
        r->bad_offset = r->size > CAP_ALIGN ? (r->size - CAP_ALIGN) / CAP_ALIGN * CAP_ALIGN : 1;
        return result;
    }
    if (result != SL_OK) {
        return result;
    }
    if (r->bad_offset == 0 && !is_given_back(r)) {
        const struct cap_damage damage = {
            .kind = CAP_DAMAGE_HEADER, .chunk = r->number, .offset = r->offset};
        damage_add(r, &damage);
    }
    r->bad_offset = 0;
    r->number = chunk.number; /* told already */
    return accept(r, &chunk);
}

enum sl_result cap_reader_scan(struct cap_reader *reader)
{
    struct stat file;
    if (fstat(reader->fd, &file) != 0) {
        return refuse(reader, CAP_REFUSED_FILE, "cannot be read: %s", strerror(errno));
    }
    reader->size = (uint64_t)file.st_size;
    reader->is_torn = false;
    enum sl_result result = SL_OK;
    while (result == SL_OK && !reader->is_complete && reader->offset < reader->size) {
        struct cap_chunk chunk;
        result = cap_reader_chunk_at(reader, reader->offset, &chunk);
        if (result == SL_OK && chunk_end(&chunk) > reader->size) {
            result = SL_ERR_NOTFOUND;
        }
        if (result == SL_ERR_NOTFOUND) {
            reader->is_torn = true;
            return SL_OK;
        }
        if (result == SL_OK) {
            result = accept(reader, &chunk);
        } else if (result == SL_ERR_PROTOCOL) {
            result = pass_damage(reader);
            if (result == SL_ERR_NOTFOUND) {
                return SL_OK;
            }
        }
    }
    if (result == SL_ERR_IO && reader->refusal == CAP_REFUSED_NOT) {
        return refuse(reader, CAP_REFUSED_FILE, "cannot be read: %s", strerror(errno));
    }
    if (reader->is_complete && reader->offset < reader->size && reader->bad_offset == 0) {
        const struct cap_damage damage = {
            .kind = CAP_DAMAGE_HEADER, .chunk = reader->number, .offset = reader->offset};
        damage_add(reader, &damage);
        reader->bad_offset = reader->offset; /* once */
    }
    return result;
}

/* --- payloads --- */

void cap_payload_finish(struct cap_payload *payload)
{
    sl_free(payload->data);
    *payload = (struct cap_payload){0};
}

static bool reserve(uint8_t **data, size_t *capacity, size_t size)
{
    if (size > *capacity) {
        uint8_t *more = sl_realloc(*data, size);
        if (more == NULL) {
            return false;
        }
        *data = more;
        *capacity = size;
    }
    return true;
}

static enum sl_result unpack(struct cap_reader *r, const struct cap_chunk *chunk,
                             struct cap_payload *payload, enum cap_damage_kind *why)
{
    if (r->unpack == NULL) {
        r->unpack = ZSTD_createDCtx();
        if (r->unpack == NULL) {
            return SL_ERR_NOMEM;
        }
    }
    /* The frame's own size is what the header says, or it is not touched. */
    *why = CAP_DAMAGE_LENGTH;
    if (ZSTD_getFrameContentSize(r->stored, chunk->stored_size) != chunk->raw_size ||
        ZSTD_findFrameCompressedSize(r->stored, chunk->stored_size) != chunk->stored_size) {
        return SL_ERR_PROTOCOL;
    }
    size_t size = ZSTD_decompressDCtx(r->unpack, payload->data, chunk->raw_size, r->stored,
                                      chunk->stored_size);
    return ZSTD_isError(size) || size != chunk->raw_size ? SL_ERR_PROTOCOL : SL_OK;
}

/* The header in the file is the one that the index tells of. */
static bool is_as_indexed(const struct cap_chunk *there, const struct cap_chunk *told)
{
    return there->kind == told->kind && there->number == told->number &&
           there->stream == told->stream && there->records == told->records &&
           there->flags == told->flags && there->raw_size == told->raw_size &&
           there->stored_size == told->stored_size && there->first_stamp == told->first_stamp &&
           there->first_record == told->first_record && there->time == told->time;
}

enum sl_result cap_reader_load(struct cap_reader *reader, const struct cap_chunk *chunk,
                               struct cap_payload *payload, enum cap_damage_kind *why)
{
    size_t padded = (size_t)sl_round_up(chunk->stored_size, CAP_ALIGN), got = 0;
    bool is_packed = (chunk->flags & CAP_CHUNK_ZSTD) != 0;
    uint64_t hash = chunk->hash;
    if (chunk->is_indexed) {
        struct cap_chunk there;
        enum sl_result found = cap_reader_chunk_at(reader, chunk->offset, &there);
        if (found == SL_ERR_PROTOCOL || (found == SL_OK && !is_as_indexed(&there, chunk))) {
            *why = CAP_DAMAGE_HEADER;
            return SL_ERR_PROTOCOL;
        }
        if (found != SL_OK) {
            return found;
        }
        hash = there.hash;
    }
    if (!reserve(&reader->stored, &reader->stored_capacity, padded + 1) ||
        !reserve(&payload->data, &payload->capacity, (size_t)chunk->raw_size + 1)) {
        return SL_ERR_NOMEM;
    }
    enum sl_result result = read_at(reader, chunk->offset + sizeof(struct cap_chunk_header),
                                    reader->stored, padded, &got);
    if (result != SL_OK || got < padded) {
        return result != SL_OK ? result : SL_ERR_NOTFOUND;
    }
    if (XXH3_64bits(reader->stored, chunk->stored_size) != hash) {
        *why = CAP_DAMAGE_CHECKSUM;
        return SL_ERR_PROTOCOL;
    }
    for (size_t i = chunk->stored_size; i < padded; i++) {
        if (reader->stored[i] != 0) {
            *why = CAP_DAMAGE_PADDING;
            return SL_ERR_PROTOCOL;
        }
    }
    payload->size = chunk->raw_size;
    if (is_packed) {
        return unpack(reader, chunk, payload, why);
    }
    memcpy(payload->data, reader->stored, chunk->raw_size);
    return SL_OK;
}
