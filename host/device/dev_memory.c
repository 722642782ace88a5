#include "host/device/dev.h"

#include "transport/base/arith.h"
#include "transport/base/atomic.h"
#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/shm.h"

#include <sys/mman.h>
#include <unistd.h>

enum sl_result dev_memory_create(const char *name, uint64_t size, struct dev_memory **out)
{
    struct hct_memory view = {.fd = -1, .size = size, .map_info = VIRTGPU_MAP_CACHED};
    enum sl_result r = sl_shm_create(name, size, &view.fd);
    return r == SL_OK ? dev_memory_wrap(&view, true, out) : r;
}

enum sl_result dev_memory_wrap(const struct hct_memory *view, bool map, struct dev_memory **out)
{
    int fd = view->fd;
    struct dev_memory *memory = sl_alloc(sizeof *memory);
    if (memory == NULL) {
        sl_fd_close(&fd);
        return SL_ERR_NOMEM;
    }
    *memory = (struct dev_memory){.refs = 1, .view = *view};
    if (map) {
        enum sl_result r = sl_shm_map(fd, view->size, &memory->view.pointer);
        if (r != SL_OK) {
            sl_fd_close(&fd);
            sl_free(memory);
            return r;
        }
        memory->mapped = true;
    }
    *out = memory;
    return SL_OK;
}

struct dev_memory *dev_memory_ref(struct dev_memory *memory)
{
    (void)sl_atomic_add(&memory->refs, 1);
    return memory;
}

void dev_memory_unref(struct dev_memory *memory)
{
    /* Sequentially consistent: every use before another's unref happens before the unmap here. */
    if (memory == NULL || sl_atomic_add(&memory->refs, UINT32_MAX) != 1) {
        return;
    }
    if (memory->mapped) {
        sl_shm_unmap(memory->view.pointer, memory->view.size);
    }
    sl_fd_close(&memory->view.fd);
    sl_free(memory);
}

enum sl_result dev_memory_reach(const struct dev_memory *memory, bool write, struct dev_reach *out)
{
    const struct hct_memory *view = &memory->view;
    *out = (struct dev_reach){.at = view->pointer};
    if (view->pointer != NULL) {
        return SL_OK;
    }
    uint64_t skip = view->offset % (uint64_t)sysconf(_SC_PAGESIZE);
    void *mapping = MAP_FAILED;
    if (view->fd >= 0) {
        mapping =
            mmap(NULL, (size_t)(view->size + skip), write ? PROT_READ | PROT_WRITE : PROT_READ,
                 MAP_SHARED, view->fd, (off_t)(view->offset - skip));
    }
    if (mapping == MAP_FAILED) {
        return SL_ERR_UNSUPPORTED;
    }
    *out = (struct dev_reach){.at = (uint8_t *)mapping + skip,
                              .mapping = mapping,
                              .mapping_size = (size_t)(view->size + skip)};
    return SL_OK;
}

void dev_memory_unreach(struct dev_reach *reach)
{
    if (reach->mapping != NULL) {
        munmap(reach->mapping, reach->mapping_size);
    }
}
