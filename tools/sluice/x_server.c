#include "tools/sluice/x_server.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

struct xcb_connection_t;
typedef void (*function)(void);
typedef struct xcb_connection_t *(*connect_function)(const char *display, int *screen);
typedef int (*error_function)(struct xcb_connection_t *connection);
typedef void (*disconnect_function)(struct xcb_connection_t *connection);

enum sl_result x_server_find(char *text, size_t size)
{
    const char *name = getenv("DISPLAY");
    if (name == NULL) {
        snprintf(text, size, "DISPLAY is not set");
        return SL_ERR_NOTFOUND;
    }
    void *xcb = dlopen("libxcb.so.1", RTLD_NOW | RTLD_LOCAL);
    if (xcb == NULL) {
        snprintf(text, size, "%s", dlerror());
        return SL_ERR_UNSUPPORTED;
    }
    connect_function connect_to = (connect_function)(function)dlsym(xcb, "xcb_connect");
    error_function has_error = (error_function)(function)dlsym(xcb, "xcb_connection_has_error");
    disconnect_function disconnect = (disconnect_function)(function)dlsym(xcb, "xcb_disconnect");
    struct xcb_connection_t *connection = connect_to(NULL, NULL);
    int error = has_error(connection);
    disconnect(connection);
    dlclose(xcb);
    snprintf(text, size, "%s: %s", name,
             error == 0 ? "the X server answers" : "no X server answers there");
    return error == 0 ? SL_OK : SL_ERR_CLOSED;
}
