#include "host/capture/cap_index.h"

#include "host/capture/cap_bytes.h"
#include "transport/base/arith.h"
#include "transport/base/bytes.h"
#include "transport/base/mem.h"

#include <string.h>
#include <sys/stat.h>

#define END_BYTES (sizeof(struct cap_chunk_header) + sizeof(struct cap_end))

enum sl_result cap_index_load(struct cap_reader *reader, uint64_t offset, uint32_t kind,
                              struct cap_chunk *chunk, struct cap_payload *payload,
                              struct cap_damage *why)
{
    enum sl_result result = cap_reader_chunk_at(reader, offset, chunk);
    if (result == SL_ERR_PROTOCOL) {
        *why = (struct cap_damage){.kind = CAP_DAMAGE_HEADER, .offset = offset};
        return result;
    }
    if (result != SL_OK || chunk->kind != kind) {
        return result == SL_OK ? SL_ERR_NOTFOUND : result;
    }
    enum cap_damage_kind kind_of = CAP_DAMAGE_RECORD;
    result = cap_reader_load(reader, chunk, payload, &kind_of);
    if (result == SL_ERR_PROTOCOL) {
        *why = cap_damage_of(chunk, kind_of);
    }
    return result;
}

/* --- sections of an index segment --- */

static bool read_calls(struct cap_summary *s, const uint8_t *at, const uint8_t *end)
{
    size_t most = (size_t)(end - at) / 4; /* four varints each */
    s->calls = sl_alloc_array(most + 1, sizeof *s->calls);
    while (s->calls != NULL && at < end) {
        uint64_t v[4];
        for (int i = 0; i < 4; i++) {
            if (!cap_varint_get(&at, end, &v[i])) {
                return false;
            }
        }
        s->calls[s->call_count++] = (struct cap_index_call){
            .capset = (uint32_t)v[0], .opcode = (uint32_t)v[1], .count = v[2], .bytes = v[3]};
    }
    return s->calls != NULL;
}

/* An array of whole elements. */
static bool read_array(const uint8_t *at, size_t size, size_t each, void *out, uint32_t *count)
{
    void **array = out;
    void *block = size % each == 0 ? sl_alloc(size) : NULL;
    if (block == NULL) {
        return false;
    }
    memcpy(block, at, size);
    *array = block;
    *count = (uint32_t)(size / each);
    return true;
}

static bool read_section(struct cap_summary *s, uint32_t section, const uint8_t *at, uint32_t size)
{
    switch (section) {
    case CAP_SECTION_TOTALS:
        memcpy(&s->totals, at, size < sizeof s->totals ? size : sizeof s->totals);
        return size >= sizeof s->totals;
    case CAP_SECTION_CALLS:
        return s->calls == NULL && read_calls(s, at, at + size);
    case CAP_SECTION_STREAMS:
        return s->streams == NULL &&
               read_array(at, size, sizeof *s->streams, &s->streams, &s->stream_count);
    case CAP_SECTION_SNAPSHOTS:
        return s->snapshots == NULL &&
               read_array(at, size, sizeof *s->snapshots, &s->snapshots, &s->snapshot_count);
    default:
        return true;
    }
}

bool cap_index_walk_begin(struct cap_index_walk *walk, const struct cap_payload *payload)
{
    *walk = (struct cap_index_walk){.failed = true};
    if (payload->size < sizeof walk->head) {
        return false;
    }
    memcpy(&walk->head, payload->data, sizeof walk->head);
    if (walk->head.head_size < sizeof walk->head || walk->head.head_size > payload->size) {
        return false;
    }
    walk->at = payload->data + walk->head.head_size;
    walk->end = payload->data + payload->size;
    walk->left = walk->head.sections;
    walk->failed = false;
    return true;
}

bool cap_index_walk_next(struct cap_index_walk *walk, struct cap_index_section *section,
                         const uint8_t **bytes)
{
    if (walk->failed || walk->left == 0) {
        return false;
    }
    walk->left--;
    walk->failed = (size_t)(walk->end - walk->at) < sizeof *section;
    if (!walk->failed) {
        memcpy(section, walk->at, sizeof *section);
        *bytes = walk->at + sizeof *section;
        walk->failed = section->size > (size_t)(walk->end - *bytes);
        walk->at = walk->failed ? walk->end : *bytes + section->size;
    }
    return !walk->failed;
}

static bool read_segment(struct cap_summary *s, const struct cap_payload *payload)
{
    struct cap_index_walk walk;
    struct cap_index_section section;
    const uint8_t *bytes;
    if (!cap_index_walk_begin(&walk, payload)) {
        return false;
    }
    s->first_chunk = walk.head.first_chunk;
    s->first_chunk_offset = walk.head.first_chunk_offset;
    s->chunks = walk.head.chunks;
    bool is_sound = true;
    while (is_sound && cap_index_walk_next(&walk, &section, &bytes)) {
        is_sound = read_section(s, section.section, bytes, section.size);
    }
    return is_sound && !walk.failed;
}

static enum sl_result read_index(struct cap_reader *reader, struct cap_summary *s, uint64_t offset,
                                 struct cap_payload *payload, struct cap_damage *why)
{
    struct cap_chunk chunk;
    enum sl_result result = cap_index_load(reader, offset, CAP_KIND_INDX, &chunk, payload, why);
    if (result == SL_OK && !read_segment(s, payload)) {
        *why = cap_damage_of(&chunk, CAP_DAMAGE_RECORD);
        result = SL_ERR_PROTOCOL;
    } else if (result == SL_ERR_NOTFOUND) {
        *why = (struct cap_damage){.kind = CAP_DAMAGE_MISSING, .offset = offset};
        result = SL_ERR_PROTOCOL;
    }
    s->index_offset = offset;
    s->has_index = result == SL_OK;
    return result;
}

/* --- head and end --- */

/* META and PROT, as far as they are there. */
static enum sl_result read_head(struct cap_reader *reader, struct cap_summary *s,
                                struct cap_payload *payload, struct cap_damage *why)
{
    struct cap_chunk chunk;
    uint64_t offset = reader->header.header_size;
    enum sl_result result = cap_index_load(reader, offset, CAP_KIND_META, &chunk, payload, why);
    if (result != SL_OK) {
        return result == SL_ERR_NOTFOUND ? SL_OK : result;
    }
    s->meta = sl_alloc(payload->size + 1);
    if (s->meta == NULL) {
        return SL_ERR_NOMEM;
    }
    memcpy(s->meta, payload->data, payload->size);
    offset += sizeof(struct cap_chunk_header) + sl_round_up(chunk.stored_size, CAP_ALIGN);
    result = cap_index_load(reader, offset, CAP_KIND_PROT, &chunk, payload, why);
    if (result == SL_OK && payload->size >= sizeof(struct cap_prot_head)) {
        const size_t head = sizeof(struct cap_prot_head);
        memcpy(s->protocol, payload->data, sizeof s->protocol);
        s->has_protocol = true;
        s->schema_size = payload->size - head;
        s->schema = sl_alloc(s->schema_size);
        if (s->schema == NULL) {
            return SL_ERR_NOMEM;
        }
        memcpy(s->schema, payload->data + head, s->schema_size);
    }
    return result == SL_ERR_NOTFOUND ? SL_OK : result;
}

enum sl_result cap_index_end(struct cap_reader *reader, struct cap_payload *payload,
                             struct cap_end *end)
{
    struct stat file;
    struct cap_chunk chunk;
    struct cap_damage why;
    if (fstat(reader->fd, &file) != 0) {
        return SL_ERR_IO;
    }
    uint64_t size = (uint64_t)file.st_size;
    if (size < reader->header.header_size + END_BYTES) {
        return SL_ERR_NOTFOUND;
    }
    enum sl_result result =
        cap_index_load(reader, size - END_BYTES, CAP_KIND_END, &chunk, payload, &why);
    if (result == SL_ERR_PROTOCOL || (result == SL_OK && payload->size < sizeof *end)) {
        return SL_ERR_NOTFOUND;
    }
    if (result == SL_OK) {
        memcpy(end, payload->data, sizeof *end);
    }
    return result;
}

/* The last segment of a file without an end. 0: none. */
static enum sl_result last_index(struct cap_reader *reader, uint64_t *offset)
{
    enum sl_result result = cap_reader_scan(reader);
    *offset = 0;
    for (uint32_t i = reader->chunk_count; result == SL_OK && i-- != 0 && *offset == 0;) {
        if (reader->chunks[i].kind == CAP_KIND_INDX) {
            *offset = reader->chunks[i].offset;
        }
    }
    return result;
}

enum sl_result cap_summary_read(struct cap_reader *reader, struct cap_summary *out,
                                struct cap_damage *why)
{
    struct cap_payload payload = {0};
    uint64_t offset = 0;
    *out = (struct cap_summary){0};
    enum sl_result head = read_head(reader, out, &payload, why);
    if (head != SL_OK && head != SL_ERR_PROTOCOL) {
        cap_payload_finish(&payload);
        return head;
    }
    enum sl_result result = cap_index_end(reader, &payload, &out->end);
    out->has_end = result == SL_OK;
    if (result == SL_OK) {
        offset = out->end.index;
    } else if (result == SL_ERR_NOTFOUND) {
        result = last_index(reader, &offset);
    }
    if (result == SL_OK && offset != 0) {
        result = read_index(reader, out, offset, &payload, why);
    }
    if (out->has_end) {
        out->totals = out->end.totals;
    }
    cap_payload_finish(&payload);
    return result == SL_OK ? head : result;
}

void cap_summary_finish(struct cap_summary *summary)
{
    sl_free(summary->calls);
    sl_free(summary->streams);
    sl_free(summary->snapshots);
    sl_free(summary->meta);
    sl_free(summary->schema);
    *summary = (struct cap_summary){0};
}
