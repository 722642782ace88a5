/* Who makes workers crash, and how long it has to wait for the next one. One thread. */
#ifndef SLUICE_BACKOFF_H
#define SLUICE_BACKOFF_H

#include <stdint.h>
#include <sys/types.h>

#define BACKOFF_ROOM 256

struct backoff_entry {
    uid_t uid;
    pid_t pid; /* 0: all processes of the user together */
    uint32_t crashes;
    uint64_t last_ns; /* 0: free */
};

struct backoff {
    struct backoff_entry entries[BACKOFF_ROOM]; /* who crashed longest ago makes room */
};

/* A worker of this process crashed. now_ns: sl_clock_ns(). */
void backoff_add(struct backoff *backoff, uid_t uid, pid_t pid, uint64_t now_ns);
/* From when on the process may have a worker: now_ns, or later. Three crashes of a process are
 * free, then each doubles the wait, up to 16 s; of all processes of a user thirty are, then each
 * start waits a second. A minute without a crash clears the account. */
uint64_t backoff_start_ns(const struct backoff *backoff, uid_t uid, pid_t pid, uint64_t now_ns);

#endif
