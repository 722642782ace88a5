#include "tools/sluice/verbs.h"

#include <stddef.h>
#include <string.h>

const struct verb *const verbs[] = {&verb_run,        &verb_record,  &verb_serve,  &verb_device,
                                    &verb_screenshot, &verb_display, &verb_stats,  &verb_doctor,
                                    &verb_dump,       &verb_info,    &verb_replay, &verb_diff,
                                    &verb_bench,      &verb_trim,    &verb_help,   NULL};

const struct verb *verb_find(const char *name)
{
    for (const struct verb *const *v = verbs; *v != NULL; v++) {
        if (strcmp((*v)->name, name) == 0) {
            return *v;
        }
    }
    return NULL;
}
