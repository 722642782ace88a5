#include "transport/base/result.h"

#include <errno.h>
#include <stddef.h>

static const struct {
    enum sl_result result;
    int error;
    const char *name;
} results[] = {
    {SL_OK, 0, "ok"},
    {SL_ERR_INVALID, EINVAL, "invalid"},
    {SL_ERR_PROTOCOL, EPROTO, "protocol"},
    {SL_ERR_NOMEM, ENOMEM, "out of memory, descriptors or space"},
    {SL_ERR_NOTFOUND, ENOENT, "not found"},
    {SL_ERR_UNSUPPORTED, EOPNOTSUPP, "unsupported"},
    {SL_ERR_AGAIN, EAGAIN, "again"},
    {SL_ERR_TIMEOUT, ETIMEDOUT, "timeout"},
    {SL_ERR_CLOSED, EPIPE, "closed"},
    {SL_ERR_DEVICE_LOST, ENODEV, "device lost"},
    {SL_ERR_IO, EIO, "input/output error"},
};

#define RESULT_COUNT (sizeof results / sizeof results[0])

const char *sl_result_name(enum sl_result result)
{
    for (size_t i = 0; i < RESULT_COUNT; i++) {
        if (results[i].result == result) {
            return results[i].name;
        }
    }
    return "unknown result";
}

enum sl_result sl_result_from_errno(int error)
{
    switch (error) {
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case EDQUOT:
        return SL_ERR_NOMEM;
    case ECONNRESET:
    case ENOTCONN:
    case ESHUTDOWN:
    case ECONNREFUSED:
        return SL_ERR_CLOSED;
    case ENXIO:
    case ESRCH:
        return SL_ERR_NOTFOUND;
    case ENOSYS:
    case ENOTTY:
        return SL_ERR_UNSUPPORTED;
    default:
        break;
    }
    for (size_t i = 0; i < RESULT_COUNT; i++) {
        if (results[i].error == error) {
            return results[i].result;
        }
    }
    return SL_ERR_IO;
}
