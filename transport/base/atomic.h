/* Atomics and futexes. Every use says in a comment what it pairs with and what it orders. */
#ifndef SL_ATOMIC_H
#define SL_ATOMIC_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <stdint.h>

static inline uint32_t sl_atomic_load_relaxed(const uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}
static inline uint32_t sl_atomic_load_acquire(const uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
static inline uint32_t sl_atomic_load_seq(const uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}
static inline void sl_atomic_store_relaxed(uint32_t *p, uint32_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}
static inline void sl_atomic_store_release(uint32_t *p, uint32_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}
static inline void sl_atomic_store_seq(uint32_t *p, uint32_t v)
{
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST);
}
static inline uint32_t sl_atomic_add(uint32_t *p, uint32_t v)
{
    return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);
}
/* A counter that orders nothing but itself. Gives the value before. */
static inline uint64_t sl_atomic_count_u64(uint64_t *p, uint64_t v)
{
    return __atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}
static inline void sl_atomic_store_relaxed_u64(uint64_t *p, uint64_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}
static inline uint64_t sl_atomic_load_relaxed_u64(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}
static inline uint64_t sl_atomic_load_acquire_u64(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}
static inline uint64_t sl_atomic_add_u64(uint64_t *p, uint64_t v)
{
    return __atomic_fetch_add(p, v, __ATOMIC_SEQ_CST);
}
/* To `v`, where it is less. RELEASE, also for who finds it there already: of several that raise,
 * each says what is true. */
static inline void sl_atomic_raise_u64(uint64_t *p, uint64_t v)
{
    uint64_t old = __atomic_load_n(p, __ATOMIC_RELAXED);
    while (old < v &&
           !__atomic_compare_exchange_n(p, &old, v, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
    }
}
static inline uint32_t sl_atomic_exchange(uint32_t *p, uint32_t v)
{
    return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}
static inline bool sl_atomic_cas(uint32_t *p, uint32_t *expected, uint32_t v)
{
    return __atomic_compare_exchange_n(p, expected, v, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
static inline void sl_atomic_fence(void)
{
#ifdef __SANITIZE_THREAD__ /* knows no fences; a locked operation is one to the processor, too */
    uint32_t word = 0;
    (void)__atomic_exchange_n(&word, 1, __ATOMIC_SEQ_CST);
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* One pause of a spin loop. */
static inline void sl_cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#endif
}

/* Sleeps while *word == value, across processes when `shared`. timeout_ns < 0: for ever. OK (woken,
 * or *word differs, or for no reason: look again), TIMEOUT. */
enum sl_result sl_futex_wait(const uint32_t *word, uint32_t value, bool shared, int64_t timeout_ns);
/* Wakes up to `count` sleepers. */
void sl_futex_wake(uint32_t *word, int count, bool shared);

#endif
