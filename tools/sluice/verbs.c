#include "tools/sluice/verbs.h"
#include "tools/sluice/near.h"
#include "tools/sluice/say.h"

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

void verb_say_unknown(const char *name)
{
    bool is_option = name[0] == '-';
    struct near near = {.word = name, .size = strlen(name)};
    char meant[NEAR_TEXT];
    for (const struct verb *const *v = verbs; *v != NULL; v++) {
        near_offer(&near, (*v)->name);
    }
    near_offer(&near, "--help");
    near_offer(&near, "--version");
    say_error("%s '%s'%s; sluice help lists %s", is_option ? "unknown option" : "no verb is named",
              name, near_text(&near, "", meant), is_option ? "the verbs" : "them");
}
