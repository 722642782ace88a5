#include "transport/base/module.h"

#include "transport/base/mem.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>

struct modules {
    char *names[256];
    size_t count;
};

static int note_module(struct dl_phdr_info *info, size_t size, void *user)
{
    struct modules *m = user;
    (void)size;
    bool room = m->count < sizeof m->names / sizeof m->names[0];
    if (room && info->dlpi_name != NULL && info->dlpi_name[0] == '/') {
        m->names[m->count] = sl_strdup(info->dlpi_name);
        m->count += m->names[m->count] != NULL;
    }
    return 0;
}

void sl_modules_pin(void)
{
    struct modules m = {.count = 0};
    dl_iterate_phdr(note_module, &m); /* under the loader's lock: nothing is opened there */
    for (size_t i = 0; i < m.count; i++) {
        void *module = dlopen(m.names[i], RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
        if (module != NULL) {
            dlclose(module);
        }
        sl_free(m.names[i]);
    }
}
