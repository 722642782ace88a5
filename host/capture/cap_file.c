#include "host/capture/cap_file.h"
#include "host/capture/cap_part.h"

#include "transport/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define AHEAD ((uint64_t)16 << 20) /* allocated at once */

static enum sl_result fail(struct cap_file *file, int error)
{
    if (file->error == 0) {
        file->error = error;
    }
    errno = error;
    return SL_ERR_IO;
}

static enum sl_result open_part(struct cap_file *file, bool force)
{
    if (snprintf(file->part, sizeof file->part, "%s.part", file->name) >= (int)sizeof file->part) {
        errno = ENAMETOOLONG;
        return SL_ERR_IO;
    }
    return cap_part_open(file->part, force, &file->fd);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

enum sl_result cap_file_open(struct cap_file *file, const char *name, uint64_t limit, bool force)
{
    struct stat there;
    struct rlimit own;
    *file =
        (struct cap_file){.fd = -1, .limit = limit != 0 ? limit : UINT64_MAX, .most = UINT64_MAX};
    if (snprintf(file->name, sizeof file->name, "%s", name) >= (int)sizeof file->name) {
        errno = ENAMETOOLONG;
        return SL_ERR_IO;
    }
    bool exists = stat(name, &there) == 0;
    if (exists && !S_ISREG(there.st_mode)) {
        file->fd = open(name, O_WRONLY | O_CLOEXEC);
        return file->fd >= 0 ? SL_OK : SL_ERR_IO;
    }
    if (exists && !force) {
        return SL_ERR_INVALID;
    }
    if (getrlimit(RLIMIT_FSIZE, &own) == 0 && own.rlim_cur != RLIM_INFINITY) {
        file->most = own.rlim_cur;
    }
    file->is_regular = true;
    file->has_room = true;
    file->replaces = force;
    return open_part(file, force);
}

/* There is room for `size` bytes and for the end behind them. */
static enum sl_result make_room(struct cap_file *file, uint64_t size)
{
    uint64_t need = file->size + size + CAP_FILE_ROOM;
    file->is_limited = need - file->freed > file->limit;
    if (file->is_limited || need > file->most) {
        return fail(file, EFBIG);
    }
    if (!file->has_room || need <= file->extent) {
        return SL_OK;
    }
    uint64_t limit = file->limit != UINT64_MAX ? file->limit + file->freed : UINT64_MAX;
    uint64_t until = smaller(need + AHEAD, smaller(limit, file->most));
    for (uint64_t want = until;; want = need) { /* a disk that is nearly full: only what it takes */
        if (fallocate(file->fd, FALLOC_FL_KEEP_SIZE, (off_t)file->size,
                      (off_t)(want - file->size)) == 0) {
            file->extent = want;
            return SL_OK;
        }
        if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL) {
            file->has_room = false;
            return SL_OK;
        }
        if (want == need) {
            return fail(file, errno);
        }
    }
}

enum sl_result cap_file_append(struct cap_file *file, const struct iovec *pieces, int count,
                               bool end)
{
    struct iovec left[4];
    uint64_t size = 0, done = 0;
    if (count > (int)(sizeof left / sizeof left[0])) {
        return SL_ERR_INVALID;
    }
    for (int i = 0; i < count; i++) {
        left[i] = pieces[i];
        size += pieces[i].iov_len;
    }
    if (file->is_regular && !end) {
        enum sl_result result = file->error != 0 ? SL_ERR_IO : make_room(file, size);
        if (result != SL_OK) {
            return result;
        }
    }
    for (struct iovec *first = left; done < size;) {
        ssize_t got = writev(file->fd, first, count - (int)(first - left));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            int error = errno;
            if (done != 0 && file->is_regular) { /* no half of it stays */
                (void)!ftruncate(file->fd, (off_t)file->size);
                (void)lseek(file->fd, (off_t)file->size, SEEK_SET);
            }
            return fail(file, error);
        }
        done += (uint64_t)got;
        for (size_t part = (size_t)got; part != 0;) {
            size_t take = part < first->iov_len ? part : first->iov_len;
            first->iov_base = (uint8_t *)first->iov_base + take;
            first->iov_len -= take;
            part -= take;
            first += first->iov_len == 0;
        }
    }
    file->size += size;
    return SL_OK;
}

enum sl_result cap_file_make_store(struct cap_file *file)
{
    if (!file->is_regular ||
        fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, CAP_FILE_ROOM) != 0) {
        errno = EOPNOTSUPP;
        return SL_ERR_UNSUPPORTED;
    }
    file->is_store = true;
    return SL_OK;
}

static int lock_first(const struct cap_file *file, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_len = 1};
    return fcntl(file->fd, F_OFD_SETLK, &lock);
}

enum sl_result cap_file_free(struct cap_file *file, uint64_t from, uint64_t to)
{
    if (lock_first(file, F_WRLCK) != 0) {
        return SL_ERR_AGAIN;
    }
    int failed = fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from,
                           (off_t)(to - from));
    (void)lock_first(file, F_UNLCK); /* what was locked can be unlocked */
    if (failed != 0) {
        return SL_ERR_IO;
    }
    file->freed += to - from;
    return SL_OK;
}

enum sl_result cap_file_close(struct cap_file *file)
{
    enum sl_result result = SL_OK;
    if (file->fd < 0) {
        return SL_OK;
    }
    if (file->is_regular && ftruncate(file->fd, (off_t)file->size) != 0) { /* the room goes back */
        result = fail(file, errno);
    }
    if (file->is_regular && !file->is_store) {
        if (cap_part_name(file->part, file->name, file->replaces) != SL_OK) {
            result = fail(file, errno);
        }
    }
    if (close(file->fd) != 0) {
        result = fail(file, errno);
    }
    file->fd = -1;
    return result;
}

void cap_file_abandon(struct cap_file *file)
{
    if (file->is_regular && file->fd >= 0) {
        (void)unlink(file->part);
    }
    sl_fd_close(&file->fd);
}
