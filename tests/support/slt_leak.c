#include "tests/support/slt_leak.h"

#include <dirent.h>
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
    for (int tries = 0; tries < 100; tries++) {
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
