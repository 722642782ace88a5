/* Time. Monotonic, nanoseconds. Any thread. */
#ifndef SL_CLOCK_H
#define SL_CLOCK_H

#include <stdint.h>

#define SL_NS_PER_US 1000ull
#define SL_NS_PER_MS 1000000ull
#define SL_NS_PER_S  1000000000ull

uint64_t sl_clock_ns(void);
/* The same clock some milliseconds late, for a fifth of the price. */
uint64_t sl_clock_coarse_ns(void);
/* The time that lies so far ahead; UINT64_MAX, which is never, where that is none. */
uint64_t sl_clock_ahead_ns(uint64_t ns);
void sl_clock_sleep_ns(uint64_t ns);
/* CPU time of the whole process, and of the calling thread. */
uint64_t sl_clock_process_cpu_ns(void);
uint64_t sl_clock_thread_cpu_ns(void);

#endif
