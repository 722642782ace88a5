#include "tools/sluice/blobs.h"
#include "tables/plans.h"
#include "tools/plan/plan.h"
#include "tools/sluice/calls.h"
#include "tools/sluice/say.h"
#include "host/capture/cap_part.h"
#include "transport/base/bytes.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "wire/vk_opcodes.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define SPIRV_MAGIC 0x07230203u

struct blobs_out {
    const char *dir;
    bool json;
};

struct blobs_out *blobs_out_create(const char *dir, bool json)
{
    struct blobs_out *out = sl_alloc(sizeof *out);
    if (out != NULL) {
        out->dir = dir;
        out->json = json;
    }
    return out;
}

void blobs_out_destroy(struct blobs_out *out)
{
    sl_free(out);
}

static bool say_failed(const char *path)
{
    say_error("%s: cannot be written: %s", path, strerror(errno));
    return false;
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size != 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        bytes += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return true;
}

/* One file, unless it is there: its name is its content. */
static bool put(const struct blobs_out *out, const struct cap_event *event, const void *bytes,
                size_t size, const char *suffix)
{
    XXH128_hash_t hash = XXH3_128bits(bytes, size);
    char name[64], path[PATH_MAX], part[PATH_MAX];
    int fd = -1;
    snprintf(name, sizeof name, "%016" PRIx64 "%016" PRIx64 ".%s", hash.high64, hash.low64, suffix);
    if (mkdir(out->dir, 0777) != 0 && errno != EEXIST) {
        return say_failed(out->dir);
    }
    snprintf(path, sizeof path, "%s/%s", out->dir, name);
    if (snprintf(part, sizeof part, "%s/%s.part", out->dir, name) >= (int)sizeof part) {
        errno = ENAMETOOLONG;
        return say_failed(out->dir);
    }
    if (access(path, F_OK) == 0) {
        return true;
    }
    enum sl_result result = cap_part_open(part, true, &fd);
    if (result == SL_ERR_AGAIN) {
        return true; /* somebody else is at the same content */
    }
    if (result != SL_OK) {
        return say_failed(path);
    }
    bool done = write_all(fd, bytes, size) &&
                (cap_part_name(part, path, false) == SL_OK || errno == EEXIST);
    if (!done) {
        (void)say_failed(path);
        (void)unlink(part);
        sl_fd_close(&fd);
        return false;
    }
    sl_fd_close(&fd);
    printf(out->json ? "{\"schema\": 1, \"call\": %" PRIu64 ", \"blob\": \"%s\", \"bytes\": %zu}\n"
                     : "%" PRIu64 " %s %zu\n",
           event->stamp, name, size);
    return true;
}

static bool put_spirv(const struct blobs_out *out, const struct cap_event *event)
{
    /* codeSize stands as a big-endian number before the words. */
    const uint8_t *p = event->call.packet;
    for (size_t at = 8; at + 20 <= event->call.size; at += 4) {
        uint64_t size = __builtin_bswap64(sl_load_u64(p + at - 8));
        if (sl_load_u32(p + at) == SPIRV_MAGIC && size <= event->call.size - at) {
            return put(out, event, p + at, (size_t)size, "spv");
        }
    }
    return true;
}

/* What the input bytes of a GL command are; NULL: nothing to keep. */
static const char *suffix_of(const char *command)
{
    static const struct {
        const char *start, *suffix;
    } kinds[] = {
        {"glShaderString", "glsl"},    {"glShaderSource", "glsl"},     {"glTexImage", "texture"},
        {"glTexSubImage", "texture"},  {"glCompressedTex", "texture"}, {"glBufferData", "buffer"},
        {"glBufferSubData", "buffer"}, {"glProgramBinary", "program"}, {"glUnmapBuffer", "buffer"}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strncmp(command, kinds[i].start, strlen(kinds[i].start)) == 0) {
            return kinds[i].suffix;
        }
    }
    return NULL;
}

static bool put_gl(const struct blobs_out *out, const struct cap_event *event,
                   const struct plan_command *command)
{
    const char *suffix = suffix_of(command->name);
    struct plan_value values[PLAN_FIELDS_MAX];
    size_t used;
    if (suffix == NULL || event->call.size < PLAN_HEADER_SIZE ||
        plan_decode(command, event->call.packet + PLAN_HEADER_SIZE,
                    event->call.size - PLAN_HEADER_SIZE, values, &used) != SL_OK) {
        return true;
    }
    bool ok = true;
    for (uint8_t i = 0; ok && i < command->field_count; i++) {
        if (command->fields[i].step == PLAN_BYTES && values[i].size != 0 &&
            values[i].bytes != NULL && command->fields[i].kind != PLAN_ARRAY) {
            ok = put(out, event, values[i].bytes, values[i].size, suffix);
        }
    }
    return ok;
}

bool blobs_out_take(struct blobs_out *out, struct cap_merge *merge, struct cap_event *event)
{
    struct cap_piece piece;
    bool ok = true;
    if (event->kind == CAP_EVENT_MEMORY) {
        while (ok && cap_merge_piece(merge, &event->memory, &piece) == SL_OK) {
            ok = put(out, event, piece.bytes, piece.size, "memory");
        }
        return ok;
    }
    if (event->kind != CAP_EVENT_CALL) {
        return true;
    }
    uint32_t opcode = sl_load_u32(event->call.packet);
    if (opcode == VK_OP_vkCreateShaderModule) {
        return put_spirv(out, event);
    }
    const struct plan_command *command = plan_find_any(opcode);
    return command == NULL || put_gl(out, event, command);
}
