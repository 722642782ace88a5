#include "transport/local/local_control.h"

#include "transport/base/fd.h"
#include "transport/base/mem.h"
#include "transport/base/sock.h"
#include "transport/local/local_link.h"

#include <string.h>

struct local_control {
    struct local_link link;
    uint8_t message[LOCAL_MAX_MESSAGE];
};

enum sl_result local_control_open(const char *path, struct local_control **out)
{
    return local_control_open_worker(path, 0, out);
}

enum sl_result local_control_open_worker(const char *path, uint32_t process,
                                         struct local_control **out)
{
    struct local_control *control = sl_alloc(sizeof *control);
    if (control == NULL) {
        return SL_ERR_NOMEM;
    }
    struct local_hello_reply hello;
    enum sl_result r =
        local_link_open(&control->link, path, LOCAL_KIND_CONTROL, process, &hello, NULL);
    if (r != SL_OK) {
        sl_free(control);
        return r;
    }
    *out = control;
    return SL_OK;
}

void local_control_close(struct local_control *control)
{
    if (control != NULL) {
        local_link_close(&control->link);
        sl_free(control);
    }
}

static enum sl_result ask(struct local_control *control, uint32_t verb, void *request,
                          size_t request_size, void *reply, size_t reply_size)
{
    ((struct local_request *)request)->verb = verb;
    return local_link_call(&control->link, &(struct local_call){
                                               .request = request,
                                               .request_size = request_size,
                                               .reply = reply,
                                               .reply_size = reply_size,
                                           });
}

enum sl_result local_control_status(struct local_control *control, struct local_status_reply *out)
{
    struct local_request request = {0};
    return ask(control, LOCAL_STATUS, &request, sizeof request, out, sizeof *out);
}

enum sl_result local_control_ring(struct local_control *control, uint32_t index,
                                  struct local_ring_reply *out)
{
    struct local_ring request = {.index = index};
    return ask(control, LOCAL_RING, &request, sizeof request, out, sizeof *out);
}

enum sl_result local_control_program(struct local_control *control, uint32_t index,
                                     struct local_program_reply *out)
{
    struct local_program request = {.index = index};
    return ask(control, LOCAL_PROGRAM, &request, sizeof request, out, sizeof *out);
}

enum sl_result local_control_tool(struct local_control *control, const char *text, char *reply,
                                  size_t size)
{
    struct local_request request = {.verb = LOCAL_TOOL};
    struct local_tool_reply answer;
    enum sl_result r =
        local_link_call(&control->link, &(struct local_call){
                                            .request = &request,
                                            .request_size = sizeof request,
                                            .tail = text,
                                            .tail_size = strlen(text),
                                            .reply = &answer,
                                            .reply_size = sizeof answer,
                                            .reply_min = offsetof(struct local_tool_reply, text),
                                        });
    if (r == SL_OK && size != 0) {
        size_t length = answer.size < sizeof answer.text ? answer.size : sizeof answer.text;
        length = length < size ? length : size - 1;
        memcpy(reply, answer.text, length);
        reply[length] = '\0';
    }
    return r;
}

enum sl_result local_control_tap(struct local_control *control)
{
    struct local_request request = {0};
    struct local_reply reply;
    return ask(control, LOCAL_TAP, &request, sizeof request, &reply, sizeof reply);
}

enum sl_result local_control_packet(struct local_control *control, int64_t timeout_ns,
                                    struct local_packet *head, const void **packet,
                                    const void **reply)
{
    enum sl_result r = sl_fd_wait(control->link.fd, timeout_ns);
    if (r != SL_OK) {
        return r;
    }
    int fds[SL_SOCK_MAX_FDS];
    uint32_t fd_count = 0;
    size_t size = 0;
    r = sl_sock_recv(control->link.fd, control->message, sizeof control->message, &size, fds,
                     &fd_count);
    if (r != SL_OK) {
        return r;
    }
    for (uint32_t i = 0; i < fd_count; i++) {
        sl_fd_close(&fds[i]);
    }
    if (size < sizeof *head) {
        return SL_ERR_PROTOCOL;
    }
    memcpy(head, control->message, sizeof *head);
    if (head->head.verb != LOCAL_PACKET ||
        (uint64_t)head->packet_sent + head->reply_sent != size - sizeof *head) {
        return SL_ERR_PROTOCOL;
    }
    *packet = control->message + sizeof *head;
    *reply = control->message + sizeof *head + head->packet_sent;
    return SL_OK;
}

int local_control_fd(const struct local_control *control)
{
    return control->link.fd;
}
