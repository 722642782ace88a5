/* Whether programs with windows find an X server. Any thread; loads libxcb for the time of the
 * call. */
#ifndef SLUICE_X_SERVER_H
#define SLUICE_X_SERVER_H

#include "transport/base/result.h"

#include <stddef.h>

/* text: what was found, in words. OK; NOTFOUND: DISPLAY is not set; CLOSED: nobody answers there;
 * UNSUPPORTED: no libxcb. */
enum sl_result x_server_find(char *text, size_t size);

#endif
