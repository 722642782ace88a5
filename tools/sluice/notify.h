/* Tells the service manager that started us how we are: sd_notify's protocol, by the socket that
 * NOTIFY_SOCKET names. */
#ifndef SLUICE_NOTIFY_H
#define SLUICE_NOTIFY_H

#include "transport/base/result.h"

/* One message of at most 511 bytes, as "READY=1" or "STATUS=...". Does nothing where nobody asked,
 * and never blocks; what cannot be sent is said with -v. Any thread. */
void notify_send(const char *format, ...) SL_PRINTF(1, 2);

#endif
