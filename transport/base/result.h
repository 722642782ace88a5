/* The one result type: what a call inside Sluice answers.
 *
 * Used by every room, on every thread. errno, VkResult, EGL and GL errors and virtio response codes
 * stay outside: each border owns one table that translates. */
#ifndef SL_RESULT_H
#define SL_RESULT_H

enum sl_result {
    SL_OK = 0,
    SL_ERR_INVALID = -1,     /* the caller's argument is wrong */
    SL_ERR_PROTOCOL = -2,    /* the peer broke the protocol: its fault, its end */
    SL_ERR_NOMEM = -3,       /* memory, descriptors or a quota ran out */
    SL_ERR_NOTFOUND = -4,    /* no such id, name or file */
    SL_ERR_UNSUPPORTED = -5, /* known, but not to be had here */
    SL_ERR_AGAIN = -6,       /* nothing now; ask again */
    SL_ERR_TIMEOUT = -7,     /* the time given ran out */
    SL_ERR_CLOSED = -8,      /* the peer is gone */
    SL_ERR_DEVICE_LOST = -9, /* the native driver lost its device */
    SL_ERR_IO = -10,         /* the system said no; errno says why at the place that logs it */
};

#define SL_MUST_USE          __attribute__((warn_unused_result))
#define SL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define SL_LIKELY(x)         __builtin_expect(!!(x), 1)
#define SL_UNLIKELY(x)       __builtin_expect(!!(x), 0)

/* "ok", "invalid", "protocol", ...; "unknown result" for any other value. Never NULL, never freed.
 */
const char *sl_result_name(enum sl_result result);

/* The nearest result for a positive errno; SL_OK for 0. */
enum sl_result sl_result_from_errno(int error);

#endif
