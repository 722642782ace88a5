#include "tools/sluice/notify.h"
#include "tools/sluice/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A path, or with @ in front a name that no file has. False: it is neither. */
static bool address_of(const char *name, struct sockaddr_un *address, socklen_t *size)
{
    size_t length = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || length < 2 || length >= sizeof address->sun_path) {
        return false;
    }
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path, name, length);
    if (name[0] == '@') {
        address->sun_path[0] = '\0';
    }
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return true;
}

static bool send_to(const char *name, const char *text)
{
    struct sockaddr_un address;
    socklen_t size;
    errno = EINVAL;
    if (!address_of(name, &address, &size)) {
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return false;
    }
    ssize_t sent = sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
                          (const struct sockaddr *)&address, size);
    int error = errno;
    close(fd);
    errno = error;
    return sent >= 0;
}

void notify_send(const char *format, ...)
{
    const char *name = getenv("NOTIFY_SOCKET");
    char text[512];
    if (name == NULL || name[0] == '\0') {
        return;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!send_to(name, text)) {
        say_detail("NOTIFY_SOCKET is %s, which takes no messages: %s", name, strerror(errno));
    }
}
