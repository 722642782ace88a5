#include "host/capture/cap_part.h"

#include "transport/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

/* What a writer that is no more has left. AGAIN: it is still there. */
static enum sl_result remove_stale(const char *part)
{
    int fd = open(part, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return errno == ENOENT ? SL_OK : SL_ERR_IO;
    }
    bool is_stale = flock(fd, LOCK_EX | LOCK_NB) == 0;
    enum sl_result result = !is_stale ? SL_ERR_AGAIN : unlink(part) == 0 ? SL_OK : SL_ERR_IO;
    sl_fd_close(&fd);
    return result;
}

enum sl_result cap_part_open(const char *part, bool force, int *out)
{
    enum sl_result result = force ? remove_stale(part) : SL_OK;
    if (result != SL_OK) {
        return result;
    }
    int fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST) {
        int other = open(part, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        bool is_live = other >= 0 && flock(other, LOCK_EX | LOCK_NB) != 0;
        sl_fd_close(&other);
        return is_live ? SL_ERR_AGAIN : SL_ERR_INVALID;
    }
    if (fd < 0) {
        return SL_ERR_IO;
    }
    (void)flock(fd, LOCK_EX | LOCK_NB);
    *out = fd;
    return SL_OK;
}

enum sl_result cap_part_name(const char *part, const char *name, bool replaces)
{
    int renamed =
        replaces ? rename(part, name) : renameat2(AT_FDCWD, part, AT_FDCWD, name, RENAME_NOREPLACE);
    if (renamed != 0 && !replaces && errno == EINVAL) { /* a file system without it */
        renamed = link(part, name) == 0 ? unlink(part) : -1;
    }
    return renamed == 0 ? SL_OK : SL_ERR_IO;
}
