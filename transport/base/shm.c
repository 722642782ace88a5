#include "transport/base/shm.h"
#include "transport/base/arith.h"
#include "transport/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum sl_result sl_shm_create(const char *name, uint64_t size, int *fd)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    if (size == 0 || size > INT64_MAX - page) {
        return SL_ERR_INVALID;
    }
    int made = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (made < 0) {
        return sl_result_from_errno(errno);
    }
    if (ftruncate(made, (off_t)sl_round_up(size, page)) != 0 ||
        fcntl(made, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
        int error = errno;
        sl_fd_close(&made);
        return error == EFBIG ? SL_ERR_NOMEM : sl_result_from_errno(error);
    }
    *fd = made;
    return SL_OK;
}

bool sl_shm_is_safe(int fd, uint64_t size)
{
    int seals = fcntl(fd, F_GET_SEALS);
    struct stat info;
    return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && fstat(fd, &info) == 0 &&
           info.st_size >= 0 && (uint64_t)info.st_size >= size;
}

/* place: NULL: anywhere; else over what is there. */
static enum sl_result map(int fd, uint64_t size, void *place, void **mapping)
{
    if (size == 0 || size > SIZE_MAX) {
        return SL_ERR_INVALID;
    }
    if (!sl_shm_is_safe(fd, size)) {
        return SL_ERR_PROTOCOL;
    }
    void *made = mmap(place, (size_t)size, PROT_READ | PROT_WRITE,
                      MAP_SHARED | (place != NULL ? MAP_FIXED : 0), fd, 0);
    if (made == MAP_FAILED) {
        return sl_result_from_errno(errno);
    }
    *mapping = made;
    return SL_OK;
}

enum sl_result sl_shm_map(int fd, uint64_t size, void **mapping)
{
    return map(fd, size, NULL, mapping);
}

enum sl_result sl_shm_reserve(uint64_t size, void **place)
{
    if (size == 0 || size > SIZE_MAX) {
        return SL_ERR_INVALID;
    }
    void *made =
        mmap(NULL, (size_t)size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (made == MAP_FAILED) {
        return sl_result_from_errno(errno);
    }
    *place = made;
    return SL_OK;
}

enum sl_result sl_shm_map_at(int fd, uint64_t size, void *place)
{
    return map(fd, size, place, &place);
}

void sl_shm_unmap(void *mapping, uint64_t size)
{
    if (mapping != NULL) {
        munmap(mapping, (size_t)size);
    }
}
