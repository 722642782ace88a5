#include "transport/base/fd.h"
#include "transport/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

void sl_fd_close(int *fd)
{
    if (*fd >= 0) {
        int saved = errno;
        close(*fd);
        errno = saved;
        *fd = -1;
    }
}

enum sl_result sl_fd_dup(int fd, int *copy)
{
    int made = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (made < 0) {
        return sl_result_from_errno(errno);
    }
    *copy = made;
    return SL_OK;
}

enum sl_result sl_fd_event(int *fd)
{
    int made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made < 0) {
        return sl_result_from_errno(errno);
    }
    *fd = made;
    return SL_OK;
}

void sl_fd_signal(int fd)
{
    uint64_t one = 1;
    ssize_t done;
    do {
        done = write(fd, &one, sizeof one);
    } while (done < 0 && errno == EINTR);
    /* EAGAIN: the counter is full, so it is readable already. */
}

uint64_t sl_fd_drain(int fd)
{
    uint64_t count;
    ssize_t done;
    do {
        done = read(fd, &count, sizeof count);
    } while (done < 0 && errno == EINTR);
    return done == sizeof count ? count : 0;
}

/* What poll() may wait for the rest of the time, in milliseconds rounded up. */
static int poll_ms(uint64_t deadline)
{
    uint64_t now = sl_clock_ns();
    if (now >= deadline) {
        return 0;
    }
    uint64_t ms = (deadline - now + SL_NS_PER_MS - 1) / SL_NS_PER_MS;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

enum sl_result sl_fd_wait(int fd, int64_t timeout_ns)
{
    return sl_fd_wait_two(fd, -1, timeout_ns);
}

enum sl_result sl_fd_wait_two(int fd, int other, int64_t timeout_ns)
{
    uint64_t deadline = timeout_ns < 0 ? 0 : sl_clock_ns() + (uint64_t)timeout_ns;
    struct pollfd items[] = {{.fd = fd, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    for (;;) {
        int count = poll(items, 2, timeout_ns < 0 ? -1 : poll_ms(deadline));
        if (count < 0) {
            if (errno == EINTR) {
                continue;
            }
            return sl_result_from_errno(errno);
        }
        if (count > 0) {
            if ((items[0].revents & POLLIN) != 0 || items[0].revents == 0) {
                return SL_OK;
            }
            return items[0].revents & POLLHUP ? SL_ERR_CLOSED : SL_ERR_IO;
        }
        if (sl_clock_ns() >= deadline) {
            return SL_ERR_TIMEOUT;
        }
    }
}
