#include "tools/sluice/trace.h"
#include "tools/sluice/exit.h"
#include "tools/sluice/say.h"
#include "host/capture/cap_index.h"
#include "host/capture/cap_seek.h"
#include "transport/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *trace_number(uint64_t number, char *text)
{
    char digits[TRACE_NUMBER];
    int count = snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    char *to = text;
    for (int i = 0; i < count; i++) {
        if (i != 0 && (count - i) % 3 == 0) {
            *to++ = ',';
        }
        *to++ = digits[i];
    }
    *to = '\0';
    return text;
}

/* What comes through a pipe, as a file that can be sought in. */
static int spool(void)
{
    const char *folder = getenv("TMPDIR");
    folder = folder != NULL && folder[0] != '\0' ? folder : "/tmp";
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) { /* a file system without such files */
        FILE *copy = tmpfile();
        fd = copy != NULL ? fcntl(fileno(copy), F_DUPFD_CLOEXEC, 0) : -1;
        if (copy != NULL) {
            fclose(copy);
        }
    }
    char block[65536];
    ssize_t got = fd >= 0 ? 1 : -1;
    while (got > 0) {
        got = read(STDIN_FILENO, block, sizeof block);
        if (got < 0 && errno == EINTR) {
            got = 1;
            continue;
        }
        for (ssize_t at = 0; at < got;) {
            ssize_t put = write(fd, block + at, (size_t)(got - at));
            if (put < 0 && errno != EINTR) {
                got = -1;
                break;
            }
            at += put > 0 ? put : 0;
        }
    }
    if (got < 0) {
        int why = errno;
        sl_fd_close(&fd);
        errno = why;
    }
    return fd;
}

int trace_failed(const char *path, const struct cap_reader *reader, enum sl_result result)
{
    if (reader != NULL && reader->refusal != CAP_REFUSED_NOT) {
        say_error("%s: %s", path, reader->reason);
        return reader->refusal == CAP_REFUSED_FILE      ? SLUICE_EXIT_FILE
               : reader->refusal == CAP_REFUSED_DAMAGED ? SLUICE_EXIT_DAMAGED
                                                        : SLUICE_EXIT_VERSION;
    }
    if (result == SL_ERR_IO) {
        say_error("%s: cannot be read: %s", path, strerror(errno));
        return SLUICE_EXIT_FILE;
    }
    say_error("%s: %s", path, sl_result_name(result));
    return result == SL_ERR_PROTOCOL ? SLUICE_EXIT_DAMAGED : SLUICE_EXIT_INTERNAL;
}

/* Says why, and closes it. */
static int open_failed(const char *path, struct cap_reader **reader, enum sl_result result)
{
    int code = trace_failed(path, *reader, result);
    cap_reader_close(*reader);
    *reader = NULL;
    return code;
}

int trace_begin(const char *path, struct cap_reader **out)
{
    *out = NULL;
    bool is_input = strcmp(path, "-") == 0;
    if (is_input && isatty(STDIN_FILENO) == 1) {
        say_error("-: standard input is a terminal; pipe a trace into sluice");
        return SLUICE_EXIT_USAGE;
    }
    /* A FIFO would wait for its writer. */
    int fd = is_input ? spool() : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat file;
    if (fd >= 0 && fstat(fd, &file) == 0 && !S_ISREG(file.st_mode)) {
        bool is_folder = S_ISDIR(file.st_mode);
        sl_fd_close(&fd);
        say_error("%s: is a %s; %s", path, is_folder ? "folder" : "device or a pipe",
                  is_folder ? "name a file in it" : "give - and pipe a trace into sluice");
        return SLUICE_EXIT_FILE;
    }
    if (fd < 0) {
        say_error("%s: cannot be opened: %s", path, strerror(errno));
        return SLUICE_EXIT_FILE;
    }
    enum sl_result result = cap_reader_open(fd, out);
    return result == SL_OK ? SLUICE_EXIT_OK : open_failed(path, out, result);
}

int trace_open(const char *path, struct cap_reader **out)
{
    int code = trace_begin(path, out);
    enum sl_result result = code == SLUICE_EXIT_OK ? cap_reader_scan(*out) : SL_OK;
    return result == SL_OK ? code : open_failed(path, out, result);
}

int trace_open_to_seek(const char *path, struct cap_reader **out)
{
    int code = trace_begin(path, out);
    if (code != SLUICE_EXIT_OK) {
        return code;
    }
    enum sl_result result = cap_seek_all(*out);
    result = result == SL_ERR_NOTFOUND ? cap_reader_scan(*out) : result;
    return result == SL_OK ? SLUICE_EXIT_OK : open_failed(path, out, result);
}

int trace_preload(const char *path, const struct cap_reader *reader)
{
    char block[65536];
    off_t at = 0;
    ssize_t got;
    do {
        got = pread(reader->fd, block, sizeof block, at);
        at += got > 0 ? got : 0;
    } while (got > 0 || (got < 0 && errno == EINTR));
    return got == 0 ? SLUICE_EXIT_OK : trace_failed(path, reader, SL_ERR_IO);
}

int trace_schema(const char *path, struct cap_reader *reader, struct schema **out)
{
    enum sl_result result = schema_read(reader, out);
    if (result == SL_ERR_PROTOCOL) {
        say_error("%s: the protocol's description makes no sense", path);
        return SLUICE_EXIT_DAMAGED;
    }
    if (result != SL_OK) {
        return trace_failed(path, reader, result);
    }
    if (*out != NULL) {
        trace_say_schema(path, *out);
    }
    return SLUICE_EXIT_OK;
}

void trace_say_schema(const char *path, const struct schema *schema)
{
    const uint8_t *hash = schema_hash(schema);
    say_note("note: %s: protocol %02x%02x%02x%02x… is not this build's; using the schema in the "
             "file",
             path, hash[0], hash[1], hash[2], hash[3]);
}

void trace_say_damage(const struct cap_damage *damage, uint64_t frame)
{
    char byte[TRACE_NUMBER], first[TRACE_NUMBER], last[TRACE_NUMBER], where[48] = "";
    char lost[160] = "";
    if (frame != UINT64_MAX) {
        snprintf(where, sizeof where, " (frame %llu)", (unsigned long long)frame);
    }
    if (damage->is_known && damage->chunk_kind == CAP_KIND_CALL && damage->records != 0) {
        snprintf(lost, sizeof lost, "; lost calls %s-%s of stream %u%s",
                 trace_number(damage->first_record, first),
                 trace_number(damage->first_record + damage->records - 1, last), damage->stream,
                 where);
    } else if (damage->is_known) {
        snprintf(lost, sizeof lost, "; lost %s records of kind \"%.4s\", stream %u%s",
                 trace_number(damage->records, first), (const char *)&damage->chunk_kind,
                 damage->stream, where);
    } else if (frame != UINT64_MAX) {
        snprintf(lost, sizeof lost, "; lost something%s", where);
    }
    say_error("damaged: chunk %u at byte %s: %s%s", damage->chunk,
              trace_number(damage->offset, byte), cap_damage_name(damage->kind), lost);
}

void trace_say_cut(uint64_t frames, uint64_t calls)
{
    char number[TRACE_NUMBER];
    if (frames == 0) {
        say_note("warning: recording ended without an end mark (program killed?); %s calls of "
                 "frame 0 are complete",
                 trace_number(calls, number));
        return;
    }
    say_note("warning: recording ended without an end mark (program killed?); frames 0-%llu and %s "
             "calls of frame %llu are complete",
             (unsigned long long)frames - 1, trace_number(calls, number),
             (unsigned long long)frames);
}

bool trace_warn_cut(const char *path, const struct cap_reader *reader)
{
    bool is_cut = !reader->is_complete && reader->damage_count == 0;
    if (is_cut) {
        say_note("warning: %s: recording ended without an end mark (program killed?)", path);
    }
    return is_cut;
}

int trace_has_frames(const char *path, struct cap_reader *reader, const char *option,
                     const struct range *frames, bool has_rest)
{
    struct cap_payload payload = {0};
    struct cap_end end;
    bool is_told = frames->count != 0 && cap_index_end(reader, &payload, &end) == SL_OK;
    cap_payload_finish(&payload);
    uint64_t count = is_told ? end.totals.frames : UINT64_MAX;
    for (uint32_t i = 0; is_told && i < frames->count; i++) {
        uint64_t first = frames->parts[i].first;
        bool is_all = first == 0 && frames->parts[i].last == UINT64_MAX;
        if (first > count || (first == count && !has_rest && !is_all)) {
            say_error("--%s begins with %llu, but %s has %llu frames", option,
                      (unsigned long long)first, path, (unsigned long long)count);
            return SLUICE_EXIT_USAGE;
        }
    }
    return SLUICE_EXIT_OK;
}

void trace_say_unplayed(uint64_t first, uint64_t calls, uint64_t frames)
{
    char number[TRACE_NUMBER], count[TRACE_NUMBER];
    (frames != 0 ? say_note : say_detail)(
        "%scall %s waits for calls of other threads that were not recorded; it, %s more calls and "
        "%llu frames behind it are left out",
        frames != 0 ? "warning: " : "", trace_number(first, number), trace_number(calls - 1, count),
        (unsigned long long)frames);
}

void trace_say_skipped(const struct cap_reader *reader)
{
    if (reader->skipped != 0) {
        say_note("note: skipped %u chunks of optional kind \"%.4s\"", reader->skipped,
                 (const char *)&reader->skipped_kind);
    }
}

bool trace_is_same_file(const char *path, const char *other)
{
    struct stat a, b;
    return stat(path, &a) == 0 && stat(other, &b) == 0 &&
           (S_ISREG(a.st_mode) || S_ISSOCK(a.st_mode)) && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

bool trace_is_input(const char *out, char *const *inputs, size_t count)
{
    char part[PATH_MAX + 8];
    snprintf(part, sizeof part, "%s.part", out);
    for (size_t i = 0; i < count; i++) {
        if (trace_is_same_file(inputs[i], out) || trace_is_same_file(inputs[i], part)) {
            say_error("refusing to write onto an input file");
            return true;
        }
    }
    return false;
}
