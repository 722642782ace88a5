#include "transport/vhost/vhost_guard.h"

#include "transport/base/atomic.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

/* base 0: free. size and hit are written before base, which the handler reads first. */
struct guard {
    uintptr_t base; /* atomic */
    size_t size;
    uint32_t hit; /* atomic */
};

static struct guard guards[VHOST_GUARDS];
static pthread_mutex_t guards_lock = PTHREAD_MUTEX_INITIALIZER; /* guards adding and removing */
static struct sigaction before;
static bool installed;

static void on_bus_error(int number, siginfo_t *info, void *context)
{
    (void)context;
    int saved = errno;
    uintptr_t at = (uintptr_t)info->si_addr;
    for (uint32_t i = 0; i < VHOST_GUARDS; i++) {
        /* Pairs with the release in vhost_guard_add: the size belongs to this base. */
        uintptr_t base = __atomic_load_n(&guards[i].base, __ATOMIC_ACQUIRE);
        if (base != 0 && at >= base && at - base < guards[i].size) {
            void *made = mmap((void *)base, guards[i].size, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
            sl_atomic_store_seq(&guards[i].hit, 1);
            if (made != MAP_FAILED) {
                errno = saved;
                return;
            }
        }
    }
    /* Not ours: what was there before takes the next fault, which comes at once. */
    (void)sigaction(number, &before, NULL);
    errno = saved;
}

static enum sl_result install_locked(void)
{
    if (installed) {
        return SL_OK;
    }
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGBUS, &action, &before) != 0) {
        return sl_result_from_errno(errno);
    }
    installed = true;
    return SL_OK;
}

/* Our threads begin with all signals blocked, and a blocked fault kills. */
static void unblock(void)
{
    sigset_t bus;
    sigemptyset(&bus);
    sigaddset(&bus, SIGBUS);
    (void)pthread_sigmask(SIG_UNBLOCK, &bus, NULL);
}

enum sl_result vhost_guard_add(void *base, size_t size, uint32_t *guard)
{
    unblock();
    pthread_mutex_lock(&guards_lock);
    enum sl_result r = install_locked();
    uint32_t i = 0;
    while (r == SL_OK && i < VHOST_GUARDS && guards[i].base != 0) {
        i++;
    }
    if (r == SL_OK && i == VHOST_GUARDS) {
        r = SL_ERR_NOMEM;
    }
    if (r == SL_OK) {
        guards[i].size = size;
        sl_atomic_store_seq(&guards[i].hit, 0);
        /* Pairs with the acquire in the handler. */
        __atomic_store_n(&guards[i].base, (uintptr_t)base, __ATOMIC_RELEASE);
        *guard = i;
    }
    pthread_mutex_unlock(&guards_lock);
    return r;
}

void vhost_guard_remove(uint32_t guard)
{
    pthread_mutex_lock(&guards_lock);
    __atomic_store_n(&guards[guard].base, (uintptr_t)0, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&guards_lock);
}

bool vhost_guard_hit(uint32_t guard)
{
    /* Written by a signal handler of this thread or another: orders nothing. */
    return sl_atomic_load_relaxed(&guards[guard].hit) != 0;
}
