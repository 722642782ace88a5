#include "transport/base/atomic.h"
#include "transport/base/clock.h"

#include <errno.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum sl_result sl_futex_wait(const uint32_t *word, uint32_t value, bool shared, int64_t timeout_ns)
{
    struct timespec timeout;
    if (timeout_ns >= 0) {
        timeout.tv_sec = (time_t)((uint64_t)timeout_ns / SL_NS_PER_S);
        timeout.tv_nsec = (long)((uint64_t)timeout_ns % SL_NS_PER_S);
    }
    long done = syscall(SYS_futex, word, shared ? FUTEX_WAIT : FUTEX_WAIT_PRIVATE, value,
                        timeout_ns >= 0 ? &timeout : NULL, NULL, 0);
    if (done == 0 || errno == EAGAIN || errno == EINTR) {
        return SL_OK;
    }
    return sl_result_from_errno(errno);
}

void sl_futex_wake(uint32_t *word, int count, bool shared)
{
    syscall(SYS_futex, word, shared ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}
