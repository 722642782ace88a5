/* Logging: one line to stderr, or to a callback. Any thread.
 *
 * error: someone must act; warn: going on degraded; info: once per connection; debug: for
 * developers. SLUICE_LOG=warn,asg=debug sets the default level and the levels of single modules;
 * read at first use. Say what, which ids, which limit: "blob 7: size 4096 exceeds 1024 left in
 * window"; no trailing period. */
#ifndef SL_LOG_H
#define SL_LOG_H

#include "transport/base/result.h"

#include <stdbool.h>
#include <stdint.h>

enum sl_log_level { SL_LOG_ERROR, SL_LOG_WARN, SL_LOG_INFO, SL_LOG_DEBUG };

/* text: one line without newline. May be called from any thread, with no lock of ours held by the
 * caller. */
typedef void (*sl_log_fn)(void *user, enum sl_log_level level, const char *module,
                          const char *text);

/* NULL restores stderr. Call before threads start. */
void sl_log_set_callback(sl_log_fn fn, void *user);
/* "warn,asg=debug"; INVALID names an unknown level, nothing changes then. */
enum sl_result sl_log_set_levels(const char *spec) SL_MUST_USE;
bool sl_log_on(enum sl_log_level level, const char *module);
void sl_log(enum sl_log_level level, const char *module, const char *format, ...) SL_PRINTF(3, 4);

#define sl_error(module, ...) sl_log(SL_LOG_ERROR, module, __VA_ARGS__)
#define sl_warn(module, ...)  sl_log(SL_LOG_WARN, module, __VA_ARGS__)
#define sl_info(module, ...)  sl_log(SL_LOG_INFO, module, __VA_ARGS__)
#define sl_debug(module, ...)                                                                      \
    do {                                                                                           \
        if (sl_log_on(SL_LOG_DEBUG, module)) {                                                     \
            sl_log(SL_LOG_DEBUG, module, __VA_ARGS__);                                             \
        }                                                                                          \
    } while (0)

/* For what a peer can trigger: at most `burst` lines a second for each place, then one line that
 * counts the rest. */
struct sl_log_limit {
    uint64_t window_ns;
    uint32_t count;
    uint32_t dropped;
};
bool sl_log_limit_pass(struct sl_log_limit *limit, uint32_t burst);
#define sl_warn_limited(module, ...)                                                               \
    do {                                                                                           \
        static struct sl_log_limit sl_limit_here;                                                  \
        if (sl_log_limit_pass(&sl_limit_here, 5)) {                                                \
            sl_log(SL_LOG_WARN, module, __VA_ARGS__);                                              \
        }                                                                                          \
    } while (0)

#endif
