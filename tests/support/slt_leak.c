#include "tests/support/slt_leak.h"

#include "transport/base/mem.h"

#include <dirent.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned count_threads(void)
{
    unsigned count = 0;
    DIR *dir = opendir("/proc/self/task");
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return count;
}

void slt_census_take(struct slt_census *census)
{
    memset(census, 0, sizeof *census);
    DIR *dir = opendir("/proc/self/fd");
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        int fd = atoi(entry->d_name);
        if (entry->d_name[0] == '.' || fd == dirfd(dir)) {
            continue;
        }
        census->fd_count++;
        if (fd < SLT_CENSUS_FDS) {
            census->open[fd] = true;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    census->thread_count = count_threads();
}

static size_t describe(const struct slt_census *before, const struct slt_census *after, char *text,
                       size_t size)
{
    int used = 0;
    for (int fd = 0; fd < SLT_CENSUS_FDS && used >= 0 && (size_t)used < size; fd++) {
        if (before->open[fd] == after->open[fd]) {
            continue;
        }
        char link[64], target[128] = "closed, not by its owner";
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        if (after->open[fd]) {
            ssize_t length = readlink(link, target, sizeof target - 1);
            target[length > 0 ? length : 0] = '\0';
        }
        used += snprintf(text + used, size - (size_t)used, "\n  descriptor %d: %s", fd, target);
    }
    return used > 0 ? (size_t)used : 0;
}

bool slt_census_differs(const struct slt_census *before, char *text, size_t size)
{
    struct slt_census after;
    for (int tries = 0; tries < 300; tries++) {
        slt_census_take(&after);
        if (after.thread_count <= before->thread_count &&
            memcmp(after.open, before->open, sizeof after.open) == 0 &&
            after.fd_count == before->fd_count) {
            return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
    }
    int used =
        snprintf(text, size, "left over by the case: descriptors %u, were %u; threads %u, were %u",
                 after.fd_count, before->fd_count, after.thread_count, before->thread_count);
    if (used > 0 && (size_t)used < size) {
        describe(before, &after, text + used, size - (size_t)used);
    }
    return true;
}

/* ---- growth ---- */

/* What may be more for other reasons, whatever was repeated. After 10,000 times a leak of 8 bytes
 * of the heap is more than that, and so is one of a page of anything else; what malloc keeps for
 * threads that ended is not. */
#define HEAP_SLACK    (64u << 10)
#define PRIVATE_SLACK (8u << 20)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_ALLOCATOR 1 /* which keeps what was freed, and finds leaks itself */
#else
#define OWN_ALLOCATOR 0
#endif

static uint64_t private_memory(void)
{
    uint64_t sum = 0;
    char line[256];
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        uint64_t kib;
        if (sscanf(line, "Private_Clean: %" SCNu64, &kib) == 1 ||
            sscanf(line, "Private_Dirty: %" SCNu64, &kib) == 1) {
            sum += kib * 1024;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return sum;
}

void slt_growth_begin(struct slt_growth *growth)
{
    slt_census_take(&growth->census);
    growth->allocations = sl_alloc_live();
    growth->heap = OWN_ALLOCATOR ? 0 : mallinfo2().uordblks;
    growth->private_memory = OWN_ALLOCATOR ? 0 : private_memory();
}

static bool has_grown(const struct slt_growth *before, const struct slt_growth *after)
{
    return after->census.fd_count > before->census.fd_count ||
           after->census.thread_count > before->census.thread_count ||
           after->allocations > before->allocations || after->heap > before->heap + HEAP_SLACK ||
           after->private_memory > before->private_memory + PRIVATE_SLACK;
}

bool slt_growth_end(const struct slt_growth *before, unsigned long repeats, char *text, size_t size)
{
    struct slt_growth after;
    slt_growth_begin(&after);
    for (int tries = 0; tries < 1000 && has_grown(before, &after); tries++) {
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
        slt_growth_begin(&after); /* what was on its way out has some seconds */
    }
    snprintf(text, size,
             "%lu repeats: descriptors %u, were %u; threads %u, were %u; allocations %" PRIu64
             ", were %" PRIu64 "; heap %" PRIu64 ", was %" PRIu64 "; private memory %" PRIu64
             ", was %" PRIu64,
             repeats, after.census.fd_count, before->census.fd_count, after.census.thread_count,
             before->census.thread_count, after.allocations, before->allocations, after.heap,
             before->heap, after.private_memory, before->private_memory);
    fprintf(stderr, "%s\n", text);
    return has_grown(before, &after);
}
