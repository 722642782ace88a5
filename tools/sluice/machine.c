#include "tools/sluice/machine.h"
#include "tools/sluice/say.h"
#include "transport/base/clock.h"
#include "transport/base/fd.h"
#include "transport/base/sock.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#define PATIENCE (10 * (int64_t)SL_NS_PER_S)

int machine_connect(const char *path, int *fd)
{
    char control[sizeof((struct sockaddr_un *)0)->sun_path];
    struct stat file;
    if (snprintf(control, sizeof control, "%s" VHOST_CONTROL_SUFFIX, path) >= (int)sizeof control) {
        say_error("%s: a socket's name has 1 to %zu bytes; give another", path,
                  sizeof control - sizeof VHOST_CONTROL_SUFFIX);
        return SLUICE_EXIT_FILE;
    }
    if (stat(path, &file) == 0 && !S_ISSOCK(file.st_mode)) {
        say_error("%s: is no socket; give the one that sluice device --socket listens at", path);
        return SLUICE_EXIT_FILE;
    }
    enum sl_result result = sl_sock_connect(control, fd);
    switch (result) {
    case SL_OK:
        return SLUICE_EXIT_OK;
    case SL_ERR_NOTFOUND:
        say_error("%s: no device listens there; start sluice device --socket there", path);
        return SLUICE_EXIT_FILE;
    case SL_ERR_CLOSED:
        say_error("%s: nobody serves it; start sluice device --socket there", path);
        return SLUICE_EXIT_FILE;
    default:
        say_error("%s: %s; is it the socket of a sluice device of this user?", path,
                  sl_result_name(result));
        return SLUICE_EXIT_FILE;
    }
}

/* One request, one answer of `capacity` bytes. */
static int ask(int socket, const char *path, struct vhost_control_request *request, void *answer,
               size_t capacity, int *fd)
{
    int fds[SL_SOCK_MAX_FDS];
    uint32_t count = 0;
    size_t size = 0;
    request->magic = VHOST_CONTROL_MAGIC;
    request->version = VHOST_CONTROL_VERSION;
    enum sl_result result = sl_sock_send(socket, request, sizeof *request, NULL, 0);
    if (result == SL_OK) {
        result = sl_fd_wait(socket, PATIENCE);
    }
    if (result == SL_OK) {
        result = sl_sock_recv(socket, answer, capacity, &size, fds, &count);
    }
    if (result != SL_OK) {
        say_error("%s: the device does not answer: %s; is it busy, or gone?", path,
                  sl_result_name(result));
        return SLUICE_EXIT_FILE;
    }
    if (fd != NULL) {
        *fd = count != 0 ? fds[0] : -1;
    }
    for (uint32_t i = fd != NULL ? 1 : 0; i < count; i++) {
        sl_fd_close(&fds[i]);
    }
    struct vhost_control_reply head = {0};
    memcpy(&head, answer, size < sizeof head ? size : sizeof head);
    if (size != capacity || head.magic != VHOST_CONTROL_MAGIC ||
        head.version != VHOST_CONTROL_VERSION) {
        if (fd != NULL) {
            sl_fd_close(fd);
        }
        say_error("%s: speaks another version than %u; use device and tools of one build", path,
                  VHOST_CONTROL_VERSION);
        return SLUICE_EXIT_VERSION;
    }
    return SLUICE_EXIT_OK;
}

int machine_ask(int socket, const char *path, struct vhost_control_request *request,
                struct vhost_control_reply *reply, int *fd)
{
    return ask(socket, path, request, reply, sizeof *reply, fd);
}

int machine_ask_stats(int socket, const char *path, struct vhost_control_stats *out)
{
    struct vhost_control_request request = {.verb = VHOST_CONTROL_STATS};
    return ask(socket, path, &request, out, sizeof *out, NULL);
}

enum sl_result machine_ask_tool(int socket, const char *text, char *reply, size_t size)
{
    struct {
        struct vhost_control_request head;
        char text[VHOST_CONTROL_TEXT];
    } request = {.head = {.magic = VHOST_CONTROL_MAGIC,
                          .version = VHOST_CONTROL_VERSION,
                          .verb = VHOST_CONTROL_TOOL}};
    struct {
        struct vhost_control_reply head;
        char text[VHOST_CONTROL_TEXT];
    } answer;
    int fds[SL_SOCK_MAX_FDS];
    uint32_t count = 0;
    size_t length = strlen(text), got = 0;
    if (length > sizeof request.text) {
        return SL_ERR_INVALID;
    }
    memcpy(request.text, text, length);
    enum sl_result result = sl_sock_send(socket, &request, sizeof request.head + length, NULL, 0);
    if (result == SL_OK) {
        result = sl_fd_wait(socket, PATIENCE);
    }
    if (result == SL_OK) {
        result = sl_sock_recv(socket, &answer, sizeof answer, &got, fds, &count);
    }
    for (uint32_t i = 0; i < count; i++) {
        sl_fd_close(&fds[i]);
    }
    if (result == SL_OK && (got < sizeof answer.head || answer.head.magic != VHOST_CONTROL_MAGIC)) {
        result = SL_ERR_PROTOCOL;
    }
    result = result == SL_OK ? (enum sl_result)answer.head.result : result;
    if (result == SL_OK && size != 0) {
        length = got - sizeof answer.head < size ? got - sizeof answer.head : size - 1;
        memcpy(reply, answer.text, length);
        reply[length] = '\0';
    }
    return result;
}
