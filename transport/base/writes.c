#include "transport/base/writes.h"

#include "transport/base/atomic.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Of newer kernel headers than we build with. */
#define FEATURE_WP_UNPOPULATED ((uint64_t)1 << 13)
#define FEATURE_WP_ASYNC       ((uint64_t)1 << 15)

#define FEATURES (UFFD_FEATURE_WP_HUGETLBFS_SHMEM | FEATURE_WP_UNPOPULATED | FEATURE_WP_ASYNC)

struct scan {
    uint64_t size, flags;
    uint64_t start, end, walk_end;
    uint64_t ranges, ranges_max;
    uint64_t pages_max;
    uint64_t category_inverted, category_mask, category_any, return_mask;
};
_Static_assert(sizeof(struct scan) == 96, "struct pm_scan_arg");
_Static_assert(sizeof(struct sl_written) == 24, "struct page_region");
#define SCAN              _IOWR('f', 16, struct scan)
#define SCAN_PROTECTS     ((uint64_t)1 << 0)
#define SCAN_CHECKS_ASYNC ((uint64_t)1 << 1)
#define IS_WRITTEN        ((uint64_t)1 << 1)

struct sl_writes {
    uint32_t refs; /* atomic */
    int faults, pages;
};

/* A filter may kill for a call that it does not know: only a process without one is tried. */
static bool is_filtered(void)
{
    char line[128];
    bool is_free = false;
    FILE *status = fopen("/proc/thread-self/status", "re");
    if (status == NULL) {
        return true;
    }
    while (!is_free && fgets(line, sizeof line, status) != NULL) {
        is_free = strncmp(line, "Seccomp:\t0", 10) == 0;
    }
    fclose(status);
    return !is_free;
}

enum sl_result sl_writes_open(int fds[2])
{
    if (is_filtered()) {
        return SL_ERR_UNSUPPORTED;
    }
    int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    struct uffdio_api api = {.api = UFFD_API, .features = FEATURES};
    if (faults < 0 || ioctl(faults, UFFDIO_API, &api) != 0) {
        sl_fd_close(&faults);
        return SL_ERR_UNSUPPORTED;
    }
    int pages = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (pages < 0) {
        sl_fd_close(&faults);
        return SL_ERR_UNSUPPORTED;
    }
    fds[0] = faults;
    fds[1] = pages;
    return SL_OK;
}

bool sl_writes_exist(void)
{
    int fds[2];
    if (sl_writes_open(fds) != SL_OK) {
        return false;
    }
    sl_fd_close(&fds[0]);
    sl_fd_close(&fds[1]);
    return true;
}

/* What the kernel calls an open file; it must end with `ending`. */
static bool is_called(int fd, const char *ending)
{
    char path[64], name[128];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(path, name, sizeof name);
    size_t length = strlen(ending);
    return size >= (ssize_t)length && memcmp(name + size - length, ending, length) == 0;
}

static bool is_of_proc(int fd)
{
    struct statfs info;
    return fstatfs(fd, &info) == 0 && info.f_type == PROC_SUPER_MAGIC;
}

enum sl_result sl_writes_create(int fds[2], struct sl_writes **out)
{
    struct sl_writes *writes = NULL;
    enum sl_result result = SL_ERR_INVALID;
    if (is_called(fds[0], "anon_inode:[userfaultfd]") && is_called(fds[1], "/pagemap") &&
        is_of_proc(fds[1])) {
        writes = sl_alloc(sizeof *writes);
        result = writes != NULL ? SL_OK : SL_ERR_NOMEM;
    }
    if (result != SL_OK) {
        sl_fd_close(&fds[0]);
        sl_fd_close(&fds[1]);
        return result;
    }
    *writes = (struct sl_writes){.refs = 1, .faults = fds[0], .pages = fds[1]};
    fds[0] = fds[1] = -1;
    *out = writes;
    return SL_OK;
}

struct sl_writes *sl_writes_ref(struct sl_writes *writes)
{
    (void)sl_atomic_add(&writes->refs, 1);
    return writes;
}

void sl_writes_unref(struct sl_writes *writes)
{
    /* Sequentially consistent: every use happens before the last one's close. */
    if (writes != NULL && sl_atomic_add(&writes->refs, UINT32_MAX) == 1) {
        sl_fd_close(&writes->faults);
        sl_fd_close(&writes->pages);
        sl_free(writes);
    }
}

enum sl_result sl_writes_begin(struct sl_writes *writes, uint64_t address, uint64_t size)
{
    struct uffdio_register mark = {.range = {address, size}, .mode = UFFDIO_REGISTER_MODE_WP};
    const struct uffdio_writeprotect protect = {.range = {address, size},
                                                .mode = UFFDIO_WRITEPROTECT_MODE_WP};
    if (ioctl(writes->faults, UFFDIO_REGISTER, &mark) != 0) {
        return SL_ERR_IO;
    }
    if (ioctl(writes->faults, UFFDIO_WRITEPROTECT, &protect) != 0) {
        sl_writes_end(writes, address, size);
        return SL_ERR_IO;
    }
    return SL_OK;
}

void sl_writes_end(struct sl_writes *writes, uint64_t address, uint64_t size)
{
    const struct uffdio_range range = {address, size};
    (void)ioctl(writes->faults, UFFDIO_UNREGISTER, &range); /* it may be gone */
}

/* Where nothing is mapped a scan finds nothing written, as when the process is gone: whoever still
 * has it now had it during the scan. */
static bool is_mapped(const struct sl_writes *writes, uint64_t address)
{
    uint64_t entry = 0; /* protected pages have one, touched or not */
    off_t place = (off_t)(address / (uint64_t)getpagesize() * sizeof entry);
    return pread(writes->pages, &entry, sizeof entry, place) == (ssize_t)sizeof entry && entry != 0;
}

enum sl_result sl_writes_next(struct sl_writes *writes, uint64_t *at, uint64_t end,
                              struct sl_written *ranges, uint32_t max, uint32_t *count)
{
    struct scan scan = {.size = sizeof scan,
                        .flags = SCAN_PROTECTS | SCAN_CHECKS_ASYNC,
                        .start = *at,
                        .end = end,
                        .ranges = (uintptr_t)ranges,
                        .ranges_max = max,
                        .category_mask = IS_WRITTEN,
                        .return_mask = IS_WRITTEN};
    int found = ioctl(writes->pages, SCAN, &scan);
    if (found < 0 || scan.walk_end <= *at || scan.walk_end > end || !is_mapped(writes, *at)) {
        return SL_ERR_IO;
    }
    *at = scan.walk_end;
    *count = (uint32_t)found;
    return SL_OK;
}
