/* What a front end of vhost-user says, as bytes on its socket. */
#ifndef TESTS_VHOST_MESSAGE_H
#define TESTS_VHOST_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#define VHOST_MESSAGE_FDS 16u /* more than any message may have: for tests of that */

/* One message with its descriptors, which are borrowed. flags: besides the version. False: it did
 * not go out whole. */
bool vhost_message_send(int to, uint32_t request, uint32_t flags, const void *payload,
                        uint32_t size, const int *fds, uint32_t fd_count);

#endif
